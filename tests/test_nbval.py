"""nbval itself: it fails a notebook whose output was altered. That it passes the others, make test shows."""

import json
import subprocess
import sys

from helpers.beyond.notebooks import NOTEBOOKS, read_notebook
from helpers.tools.twins import write_notebook
from tests.conftest import ROOT


def nbval(path):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "--rootdir", str(path.parent), str(path)]
    return subprocess.run([*command, "-c", str(ROOT / "pyproject.toml")], cwd=path.parent, capture_output=True, text=True)


def test_an_altered_output_fails(tmp_path):
    notebook = read_notebook(NOTEBOOKS / "pytorch" / "04_loss.ipynb")
    last = next(place for place, cell in enumerate(notebook["cells"]) if cell["id"] == "example")
    notebook["cells"] = notebook["cells"][: last + 1]
    cell = next(cell for cell in notebook["cells"] if cell["id"] == "example")
    cell["outputs"] = json.loads(json.dumps(cell["outputs"]).replace("0.9352", "0.9353"))
    write_notebook(tmp_path / "04_loss.ipynb", notebook)
    done = nbval(tmp_path / "04_loss.ipynb")
    assert done.returncode == 1 and "0.9353" in done.stdout, done.stdout + done.stderr
