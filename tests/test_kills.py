"""A training that is killed at random moments, without a warning, and resumed, ends in the same bits as one that is not."""

import pytest

from tests.kills import kill_and_resume


@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
def test_three_kills_change_no_bit(framework, small_text, tmp_path):
    places = kill_and_resume(framework, "plain", small_text, tmp_path, num_epochs=3, num_kills=3, seed=0)
    assert len(places) == 3 and max(places) > 0
