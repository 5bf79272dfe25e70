"""The runner: the whole series on small texts through papermill, what it writes, and how it fails."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import helpers.course
from helpers.course import collect_parameters, run_framework, run_notebook
from helpers.twins import NOTEBOOKS, all_notebooks, read_notebook, write_notebook
from helpers.vectors import load_vectors
from tests.conftest import ROOT

SMALL = {"batch_size": 128, "embed_size": 12, "num_epochs": 2, "lr": 0.01, "min_freq": 3}


def command(*arguments, **parameters):
    pairs = [part for name, value in parameters.items() for part in ("-p", name, str(value))]
    return [sys.executable, "-m", "helpers.course", *map(str, arguments), *pairs]


def course(*arguments, **parameters):
    return subprocess.run(command(*arguments, **parameters), cwd=ROOT, capture_output=True, text=True)


def loss_falls(row):
    return row["epochs"][-1]["loss"] < 0.97 * row["epochs"][0]["loss"]


@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
def test_a_run_on_ones_own_text_trains_and_writes_everything(framework, small_text, tmp_path):
    done = course("--framework", framework, "--out", tmp_path / "out", **SMALL, corpus=small_text)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    rows = {row["notebook"]: row for row in summary["notebooks"]}
    assert len(rows) == 6 and {row["corpus"] for row in rows.values()} == {small_text.name}
    assert loss_falls(rows["05_training"])
    assert len(rows["05_training"]["epochs"]) == 2 and rows["05_training"]["epochs"][0]["held_out"] < 0.693
    topic = rows["06_similarity"]["query_token"][1]
    assert {token[1] for token, _ in rows["06_similarity"]["similar"]} == {topic}
    vectors = load_vectors(tmp_path / "out" / framework / "vectors.safetensors")
    assert vectors.embed_v.shape == (401, 12) and vectors.settings["corpus"] == small_text.name
    executed = tmp_path / "out" / framework
    assert sorted(path.suffix for path in executed.iterdir()) == [".html"] * 6 + [".ipynb"] * 6 + [".safetensors"]
    index = (tmp_path / "out" / "index.html").read_text()
    assert index.count("<tr>") == 7 and all(name in index for name in rows)
    similarity = json.loads((executed / "06_similarity.ipynb").read_text())
    assert "epoch" not in json.dumps([cell["outputs"] for cell in similarity["cells"] if cell["id"] == "vectors"])
    assert done.stdout.count("topics.txt") >= 12


@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
def test_a_run_that_hardly_learns_fails_the_check_of_the_loss(framework, small_text, tmp_path):
    source = NOTEBOOKS / framework / "05_training.ipynb"
    idle = {**SMALL, "lr": 1e-12, "corpus": str(small_text)}
    values, error, _ = run_notebook(source, tmp_path / "05_training.ipynb", idle)
    assert error is None and not loss_falls(values)


ODD = {
    "batch_size": 7777, "max_window_size": 1, "num_noise_words": 1, "embed_size": 1, "num_epochs": 1, "lr": 0.5, "k": 1,
    "min_freq": 0, "seed": 123456789,
}  # fmt: skip


@pytest.mark.parametrize("step", ["pytorch/01_data", "mxnet/03_skip_gram", "pytorch/04_loss", "mxnet/05_training", "pytorch/06_similarity"])
def test_odd_values_run_through(step, tmp_path, small_text):
    values, error, _ = run_notebook(NOTEBOOKS / f"{step}.ipynb", tmp_path / "out.ipynb", {**ODD, "corpus": str(small_text)})
    assert error is None and values["corpus"] == small_text.name


def test_the_series_runs_where_ptb_cannot_be_had(tmp_path, monkeypatch):
    monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    done = course("--framework", "pytorch", "--out", tmp_path / "out", num_epochs=1, embed_size=10, batch_size=4096)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "out" / "summary.json").read_text())["notebooks"]
    assert {row["corpus"] for row in rows} == {"wikipedia"}
    assert rows[-1]["query_token"] == "computer"
    _, error, _ = run_notebook(NOTEBOOKS / "mxnet" / "03_skip_gram.ipynb", tmp_path / "strict.ipynb", {"strict": True})
    assert error.ename == "RuntimeError" and "no download from" in error.evalue


def test_an_unknown_parameter_is_an_error_that_lists_the_known_ones(tmp_path):
    done = course("--out", tmp_path / "out", epochs=3)
    assert done.returncode == 2 and not (tmp_path / "out").exists()
    assert "no notebook has a parameter 'epochs'" in done.stderr
    known = "batch_size, corpus, embed_size, k, lr, max_window_size, min_freq, num_epochs, num_noise_words, query_token, seed, strict, vectors_path"
    assert known in " ".join(done.stderr.split())


def test_a_run_is_not_mixed_with_what_is_there_and_vectors_are_not_written_twice(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    done = course("--out", tmp_path)
    assert done.returncode == 2 and "is not empty; name a new folder" in done.stderr
    done = course("--out", tmp_path / "mine.txt")
    assert done.returncode == 2 and "mine.txt" in done.stderr
    done = course("--out", tmp_path / "new", vectors_path="v.safetensors")
    assert done.returncode == 2 and "choose one with --framework" in done.stderr


def test_values_are_read_as_numbers_and_words_as_text(tmp_path):
    (tmp_path / "p.yaml").write_text("lr: 1e-3\nquery_token: 'None'\n")
    notebooks = [read_notebook(path) for path in all_notebooks()]
    given = collect_parameters([("query_token", "1984"), ("k", "2"), ("strict", "True")], tmp_path / "p.yaml", notebooks)
    assert given == {"lr": 0.001, "query_token": "1984", "k": 2, "strict": True}


@pytest.mark.parametrize("step", ["01_data", "03_skip_gram"])
def test_a_text_that_is_too_small_says_what_to_do(step, tmp_path):
    (tmp_path / "few.txt").write_text("the cat sat on the mat\nthe dog sat too\n")
    source = NOTEBOOKS / "pytorch" / f"{step}.ipynb"
    _, error, _ = run_notebook(source, tmp_path / "out.ipynb", {"corpus": str(tmp_path / "few.txt")})
    assert error.ename == "ValueError" and "use more text, or a lower min_freq" in error.evalue


@pytest.mark.parametrize("text, reason", [("- a\n- b\n", "must map names to values"), ("a: [", "is not YAML"), ("epochs: 3\n", "no notebook has")])
def test_a_parameter_file_that_cannot_serve_is_refused(tmp_path, text, reason):
    (tmp_path / "p.yaml").write_text(text)
    done = course("-f", tmp_path / "p.yaml", "--out", tmp_path / "out")
    assert done.returncode == 2 and reason in done.stderr


def test_a_failing_notebook_stops_its_half_shows_the_cell_and_leaves_what_was_made(tmp_path, small_text):
    (tmp_path / "p.yaml").write_text(f"corpus: {small_text}\nnum_epochs: 1\nembed_size: 0\n")
    done = course("--framework", "pytorch", "-f", tmp_path / "p.yaml", "--out", tmp_path / "out")
    assert done.returncode == 1
    assert "net = new_model(len(vocab), embed_size, seed)" in done.stdout
    assert "embed_size must be a whole number of 1 or more, not 0" in done.stdout + done.stderr
    made = {path.name for path in (tmp_path / "out" / "pytorch").iterdir()}
    assert {"01_data.ipynb", "02_embedding_layer.ipynb"} <= made and "05_training.ipynb" not in made
    rows = json.loads((tmp_path / "out" / "summary.json").read_text())["notebooks"]
    assert "error" in rows[-1] and not [row for row in rows[:-1] if "error" in row]


def test_a_kernel_that_dies_is_an_error_with_a_row_and_its_notebook_stays(tmp_path, monkeypatch):
    notebook = read_notebook(NOTEBOOKS / "pytorch" / "01_data.ipynb")
    notebook["cells"] = [cell for cell in notebook["cells"] if cell["id"] in ("title", "set-up", "parameters")]
    notebook["cells"][1]["source"] = ["import os\n", "os.kill(os.getpid(), 9)"]
    write_notebook(tmp_path / "pytorch" / "01_data.ipynb", notebook)
    monkeypatch.setattr(helpers.course, "NOTEBOOKS", tmp_path)
    rows = []
    assert not run_framework("pytorch", {}, tmp_path / "out", rows)
    assert len(rows) == 1 and "DeadKernelError" in rows[0]["error"]
    assert (tmp_path / "out" / "pytorch" / "01_data.ipynb").exists()


def test_ctrl_c_leaves_whole_files_under_their_names(tmp_path, small_text):
    process = subprocess.Popen(
        command("--framework", "pytorch", "--out", tmp_path / "out", corpus=small_text, num_epochs=100000, embed_size=8),
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    for line in process.stdout:
        if "04_loss" in line:
            break
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
