"""Steps 5 and 6 through papermill on a small text: the loss falls, the shapes are right, and an idle run fails that check."""

import pytest

from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, run_notebook
from helpers.vectors import load_vectors

SMALL = {"batch_size": 128, "embed_size": 12, "num_epochs": 2, "lr": 0.01, "min_freq": 3}


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
