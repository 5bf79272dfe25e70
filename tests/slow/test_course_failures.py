"""The runner where something is wrong: no PTB, bad parameters, a text too small, a cell that fails, Ctrl-C."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

import helpers.beyond.notebooks
from helpers.beyond.notebooks import NOTEBOOKS, read_notebook, run_notebook
from helpers.tools.course import run_framework
from helpers.tools.twins import write_notebook
from tests.conftest import ROOT, command, course

pytestmark = pytest.mark.slow


def wait_for(process, text):
    for line in process.stdout:
        if text in line:
            return


def start(out, small_text, **options):
    own = command("--framework", "pytorch", "--out", out, corpus=small_text, num_epochs=100000, embed_size=8)
    return subprocess.Popen(own, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def test_a_run_is_not_mixed_with_what_is_there(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    done = course("--out", tmp_path)
    assert done.returncode == 2 and "is not empty; name a new folder" in done.stderr
    done = course("--out", tmp_path / "mine.txt")
    assert done.returncode == 2 and "mine.txt" in done.stderr


@pytest.mark.usefixtures("model_mxnet")
def test_two_halves_do_not_write_to_one_file(tmp_path):
    for name in ("vectors_path", "checkpoint_path"):
        done = course("--out", tmp_path / "new", **{name: "v.safetensors"})
        assert done.returncode == 2 and f"both halves would write to {name}: choose one with --framework" in done.stderr


@pytest.mark.parametrize("step", ["01_data", "03_skip_gram"])
def test_a_text_that_is_too_small_says_what_to_do(step, tmp_path):
    (tmp_path / "few.txt").write_text("the cat sat on the mat\nthe dog sat too\n")
    source = NOTEBOOKS / "pytorch" / f"{step}.ipynb"
    _, error, _ = run_notebook(source, tmp_path / "out.ipynb", {"corpus": str(tmp_path / "few.txt")})
    assert error.ename == "ValueError" and "use more text, or a lower min_freq" in error.evalue


def test_a_failing_notebook_stops_its_half_shows_the_cell_and_leaves_what_was_made(tmp_path, small_text):
    (tmp_path / "p.yaml").write_text(f"corpus: {small_text}\nnum_epochs: 1\nlr: 1000000\n")
    done = course("--framework", "pytorch", "-f", tmp_path / "p.yaml", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "history = train(net, data_iter, lr, num_epochs" in done.stdout
    assert "the training diverged" in done.stderr and "choose a smaller lr" in done.stderr
    made = {path.name for path in (tmp_path / "out" / "pytorch").iterdir()}
    assert {"01_data.ipynb", "04_loss.ipynb", "05_training.ipynb"} <= made and "06_similarity.ipynb" not in made
    rows = json.loads((tmp_path / "out" / "summary.json").read_text())["notebooks"]
    assert "error" in rows[-1] and not [row for row in rows[:-1] if "error" in row]


def test_a_kernel_that_dies_is_an_error_with_a_row_and_its_notebook_stays(tmp_path, monkeypatch):
    notebook = read_notebook(NOTEBOOKS / "pytorch" / "01_data.ipynb")
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] in ("title", "set-up", "parameters")]
    notebook["cells"][1]["source"] = ["import os\n", "os.kill(os.getpid(), 9)"]
    write_notebook(tmp_path / "pytorch" / "01_data.ipynb", notebook)
    monkeypatch.setattr(helpers.beyond.notebooks, "NOTEBOOKS", tmp_path)
    rows = [row for row, _ in run_framework("pytorch", False, {}, tmp_path / "out")]
    assert len(rows) == 1 and "DeadKernelError" in rows[0]["error"]
    assert (tmp_path / "out" / "pytorch" / "01_data.ipynb").exists()


def test_ctrl_c_leaves_whole_files_under_their_names(tmp_path, small_text):
    process = start(tmp_path / "out", small_text, start_new_session=True)
    wait_for(process, "04_loss")
    time.sleep(10)
    os.killpg(process.pid, signal.SIGINT)  # to the whole group, as a terminal does
    rest, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    folder = tmp_path / "out" / "pytorch"
    assert not [path for path in folder.iterdir() if path.name.startswith(".")], rest
    for number in range(1, 6):
        (notebook,) = folder.glob(f"0{number}_*.ipynb")
        assert json.loads(notebook.read_text())["cells"]
    rows = json.loads((tmp_path / "out" / "summary.json").read_text())["notebooks"]
    assert [row.get("error", "") for row in rows] == [""] * 4 + ["stopped; what was made stays"]
    assert (tmp_path / "out" / "index.html").read_text().count("<tr>") == 6


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM", "SIGHUP"])
def test_a_runner_that_is_ended_takes_its_processes_along_and_keeps_the_rows_that_were_done(name, tmp_path, small_text):
    process = start(tmp_path / "out", small_text)
    wait_for(process, "02_embedding_layer")
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(getattr(signal, name))
    process.wait(10)
    gone, alive = psutil.wait_procs(family, 30)
    assert len(gone) >= 2 and alive == []
    rows = json.loads((tmp_path / "out" / "summary.json").read_text())["notebooks"]
    assert [row["notebook"] for row in rows][:2] == ["01_data", "02_embedding_layer"]


def test_a_half_that_is_killed_is_named_with_its_signal(tmp_path, small_text):
    process = start(tmp_path / "out", small_text)
    wait_for(process, "01_data")
    half = next(child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline()))
    half.kill()
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 1 and "pytorch: the process of this half was ended by SIGKILL" in rest
    rows = json.loads((tmp_path / "out" / "summary.json").read_text())["notebooks"]
    assert rows[0]["notebook"] == "01_data" and "SIGKILL" in rows[-1]["error"] and (tmp_path / "out" / "index.html").exists()


@pytest.mark.parametrize("end", ["| head -1", ">&- 2>&- <&-", "| cat"])
def test_no_reader_no_stdout_and_no_character_for_a_word_ends_a_run(end, tmp_path):
    (tmp_path / "ספר.txt").write_text("ים\nספר\nבית\nילד\nאור\n" * 20, encoding="utf-8")  # no two words in a sentence: step 1 fails
    parameters = f"-p corpus {tmp_path / 'ספר.txt'} -p min_freq 1 -p k 2"
    line = f"{sys.executable} -m helpers.tools.course --framework pytorch {parameters} --out {tmp_path / 'out'} {end}"
    done = subprocess.run(line, shell=True, cwd=ROOT, capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "ascii"})
    (row,) = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["notebooks"]
    assert row["notebook"] == "01_data" and "ספר.txt has no pair of words" in row["error"]
    assert (tmp_path / "out" / "index.html").exists() and "Traceback" not in done.stderr
    assert end != "| cat" or "\\u05e1\\u05e4\\u05e8.txt has no pair" in done.stdout


def test_every_command_starts_where_python_drops_docstrings():
    names = [f"helpers.tools.{path.stem}" for path in (ROOT / "helpers" / "tools").glob("[a-z]*.py")]
    code = f"import importlib; [importlib.import_module(name) for name in {names}]"
    done = subprocess.run([sys.executable, "-OO", "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert len(names) > 7 and done.returncode == 0, done.stderr
