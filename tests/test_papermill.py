"""Steps 5 and 6 through papermill on a small text: the loss falls, the shapes are right, and an idle run fails that check.

Nobody's settings reach the kernel in which they run.
"""

import json
import sys

import pytest

from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, run_notebook
from helpers.vectors import load_vectors

SMALL = {"batch_size": 128, "embed_size": 12, "num_epochs": 2, "lr": 0.01, "subword_lr": 0.02, "min_freq": 3}


def loss_falls(values):
    return values["epochs"][-1]["loss"] < 0.97 * values["epochs"][0]["loss"]


def run(framework, step, folder, **parameters):
    values, error, _ = run_notebook(NOTEBOOKS / framework / f"{step}.ipynb", folder / f"{step}.ipynb", {**SMALL, **parameters})
    assert error is None, error
    return values


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_step_5_learns_a_small_text_and_step_6_finds_words_of_one_topic(framework, small_text, tmp_path):
    given = {"corpus": str(small_text), "vectors_path": str(tmp_path / "vectors.safetensors")}
    trained = run(framework, "05_training", tmp_path, **given)
    assert trained["corpus"] == small_text.name and len(trained["epochs"]) == 2
    assert loss_falls(trained) and trained["epochs"][0]["held_out"] < 0.693
    vectors = load_vectors(given["vectors_path"])
    assert vectors.embed_v.shape == vectors.embed_u.shape == (401, 12) and vectors.settings["corpus"] == small_text.name
    found = run(framework, "06_similarity", tmp_path, **given)
    assert {token[1] for token, _ in found["similar"]} == {found["query_token"][1]}  # the letter after w names the topic


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_run_that_hardly_learns_fails_the_check_of_the_loss(framework, small_text, tmp_path):
    values = run(framework, "05_training", tmp_path, corpus=str(small_text), lr=1e-12, vectors_path=str(tmp_path / "v.safetensors"))
    assert not loss_falls(values)


ASKS = """
import sys, numpy
assert sys.executable == {executable!r}, sys.executable
assert not sys.flags.optimize and not sys.warnoptions and "theirs" not in globals()
assert str(numpy.array([0.123456])) == "[0.123456]"
"""


def notebook(folder, code):
    """Write a notebook of one cell; returns its path."""
    cell = {"cell_type": "code", "execution_count": None, "id": "one", "metadata": {}, "outputs": [], "source": code}
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    path = folder / "asks.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_no_persons_settings_reach_the_kernel_of_a_run(tmp_path, monkeypatch):
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("theirs = 1; import numpy; numpy.set_printoptions(precision=2)")
    (tmp_path / "kernels" / "python3").mkdir(parents=True)
    other = {"argv": [sys.executable, "-c", "raise SystemExit(1)"], "display_name": "Python 3", "language": "python"}
    (tmp_path / "kernels" / "python3" / "kernel.json").write_text(json.dumps(other))
    settings = {"IPYTHONDIR": tmp_path / "ipython", "JUPYTER_PATH": tmp_path, "PYTHONSTARTUP": startup / "00.py"}
    for name, value in (settings | {"PYTHONOPTIMIZE": 2, "PYTHONWARNINGS": "error"}).items():
        monkeypatch.setenv(name, str(value))
    _, error, _ = run_notebook(notebook(tmp_path, ASKS.format(executable=sys.executable)), tmp_path / "out.ipynb", {})
    assert error is None, error


def test_a_kernel_that_dies_at_its_start_is_the_error_of_its_run(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    _, error, seconds = run_notebook(notebook(tmp_path, ""), tmp_path / "out.ipynb", {})
    assert "Kernel died before replying" in str(error) and (tmp_path / "out.ipynb").exists() and seconds > 0
