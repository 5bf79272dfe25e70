"""Where programs listen while they run."""

import sys

import pytest

from tests.listening import LOOPBACK, watch

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("program", ["sweep", "lab"])
def test_nothing_listens_but_on_loopback(program, small_text, tmp_path):
    programs = {
        "sweep": [sys.executable, "-m", "helpers.tools.sweep", "-p", "corpus", str(small_text), "--out", str(tmp_path)],
        "lab": [sys.executable, "-m", "jupyter", "lab", "--allow-root", "--no-browser"],
    }
    _, found = watch(programs[program], seconds=15)
    assert found and found <= set(LOOPBACK)
