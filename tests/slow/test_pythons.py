"""The PyTorch half on later Pythons, with their own packages, in the environments that `make test-all` makes.

PYTHONS names them: "3.12 3.13".
"""

import json
import os
import re
import subprocess

import pytest

from helpers.beyond.notebooks import NOTEBOOKS, lessons, read_notebook
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
# What another Python with other packages may do otherwise: numbers, files, words, parameters.
FILES = "models", "examples", "gradients", "blocks", "checkpoints", "corpus", "words", "vectors", "vector_files", "parameters"
QUICK = [f"tests/test_{name}.py" for name in FILES]
INSTALLED = "tests/test_repository.py::test_the_environment_is_the_one_that_the_list_names"


@pytest.fixture(params=os.environ.get("PYTHONS", "3.13").split())
def version(request):
    return request.param


def run(version, *arguments):
    """Run a module with that Python; returns what it prints."""
    done = subprocess.run([ROOT / f".venv-{version}" / "bin" / "python", "-m", *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_all_is_there_but_mxnet_and_it_is_told_why(version):
    told = run(version, "helpers.tools.environment")
    assert re.search(rf"^python +3.10 to 3.13 +{re.escape(version)}\.\d+$", told, re.MULTILINE)
    assert "\nPyTorch half: ready\nMXNet half: MXNet 1.9.1 needs NumPy 1.23.5" in told


def test_numbers_files_and_words_are_as_on_the_first_python(version):
    *_, skipped, passed = run(version, "pytest", "-q", "-p", "no:xdist", *QUICK, INSTALLED).splitlines()
    assert re.fullmatch(r"\d+ tests and cells skipped: MXNet 1.9.1 needs NumPy 1.23.5.*", skipped)
    assert int(re.match(r"(\d+) passed", passed)[1]) > 300
    print(f"Python {version}: {passed}")


def test_the_series_runs_without_a_warning(version, small_text, tmp_path):
    text = "-p", "corpus", str(small_text), "-p", "other_corpus", str(small_text), "-p", "subword_lr", "0.02"
    told = run(version, "helpers.tools.course", "-f", str(NOTEBOOKS / "fast.yaml"), *text, "--out", str(tmp_path / "out"))
    assert told.startswith("The MXNet half is left out: ")
    rows = json.loads((tmp_path / "out" / "summary.json").read_text())["notebooks"]
    assert [row["notebook"] for row in rows] == [path.stem for path in lessons("pytorch")]
    for path in (tmp_path / "out" / "pytorch").glob("*.ipynb"):
        outputs = [output for cell in read_notebook(path)["cells"] for output in cell.get("outputs", ())]
        assert [output for output in outputs if output.get("name") == "stderr"] == [], path.stem
    print(f"Python {version}: {len(rows)} notebooks in {sum(row['seconds'] for row in rows):.0f} s")
