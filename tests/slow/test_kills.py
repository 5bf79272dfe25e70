"""Kills for each framework and each way to train: SEED and KILLS repeat or lengthen it."""

import os

import pytest

from tests.kills import kill_and_resume
from tests.training import WAYS

pytestmark = pytest.mark.slow
SEED, KILLS = int(os.environ.get("SEED", 1)), int(os.environ.get("KILLS", 5))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
def test_many_kills_change_no_bit(framework, way, small_text, tmp_path):
    num_epochs = 60 if way == "blocks" else 10
    places = kill_and_resume(framework, way, small_text, tmp_path, num_epochs, KILLS, SEED)
    print(f"{framework}, {way}, seed {SEED}: {len(places)} kills, the file then at batch {places}")
    assert len(places) == KILLS and len(set(places)) > KILLS / 3
