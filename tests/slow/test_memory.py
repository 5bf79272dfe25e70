"""Many epochs take no more memory than ten; EPOCHS says how many."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.training import WAYS

pytestmark = pytest.mark.slow
EPOCHS = int(os.environ.get("EPOCHS", 60))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
def test_many_epochs_take_the_memory_of_ten(framework, way, small_text):
    command = sys.executable, "-m", "tests.memory", framework, way, str(small_text), str(EPOCHS)
    growth = float(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(f"{framework}, {way}: {EPOCHS} epochs, {growth:.2%} more memory than after 10")
    assert growth < 0.02
