"""The study of subwords runs from its command line, all of it, small."""

import subprocess
import sys

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow


def test_the_quick_form_of_the_study_runs_and_writes_nothing():
    before = (ROOT / "benchmarks" / "subwords.json").stat().st_mtime_ns if (ROOT / "benchmarks" / "subwords.json").exists() else None
    done = subprocess.run([sys.executable, "-m", "benchmarks.subwords", "--quick"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line.split(" | ")[0] for line in done.stdout.splitlines() if line.startswith("| ")]
    assert rows == ["| method", "| form alone", "| words alone", "| subwords", "| gensim FastText"]
    after = (ROOT / "benchmarks" / "subwords.json").stat().st_mtime_ns if (ROOT / "benchmarks" / "subwords.json").exists() else None
    assert before == after
