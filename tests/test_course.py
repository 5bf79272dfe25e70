"""The runner: the whole series on small texts through papermill, and what it writes."""

import json

import pytest
from gensim.models import KeyedVectors

from helpers.beyond.notebooks import NOTEBOOKS, lessons, read_notebook, run_notebook
from helpers.beyond.vector_files import write_table
from helpers.tools.course import collect_parameters, train_on_blocks
from helpers.tools.twins import all_notebooks
from helpers.vectors import load_vectors, nearest, vocab_of
from tests.conftest import course

SMALL = {"batch_size": 128, "embed_size": 12, "num_epochs": 2, "lr": 0.01, "min_freq": 3}


def loss_falls(row):
    return row["epochs"][-1]["loss"] < 0.97 * row["epochs"][0]["loss"]


@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
def test_a_run_on_ones_own_text_trains_and_writes_everything(framework, small_text, tmp_path):
    done = course("--framework", framework, "--out", tmp_path / "out", **SMALL, corpus=small_text, other_corpus=small_text)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    rows = {row["notebook"]: row for row in summary["notebooks"]}
    steps = len(lessons(framework))
    assert len(rows) == steps >= 12 and {row["corpus"] for row in rows.values()} == {small_text.name}
    assert loss_falls(rows["05_training"])
    assert len(rows["05_training"]["epochs"]) == 2 and rows["05_training"]["epochs"][0]["held_out"] < 0.693
    topic = rows["06_similarity"]["query_token"][1]
    assert {token[1] for token, _ in rows["06_similarity"]["similar"]} == {topic}
    vectors = load_vectors(tmp_path / "out" / framework / "vectors.safetensors")
    assert vectors.embed_v.shape == (401, 12) and vectors.settings["corpus"] == small_text.name
    write_table(tmp_path / "vectors.bin", vectors.embed_v[1:], vectors.tokens[1:])
    theirs = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors.bin"), binary=True)
    near = theirs.most_similar(rows["06_similarity"]["query_token"], topn=3)
    assert [token for token, _ in near] == [token for token, _ in rows["06_similarity"]["similar"]]
    executed = tmp_path / "out" / framework
    assert sorted(path.suffix for path in executed.iterdir()) == [".html"] * steps + [".ipynb"] * steps + [".safetensors"]
    index = (tmp_path / "out" / "index.html").read_text()
    assert index.count("<tr>") == steps + 1 and all(name in index for name in rows)
    similarity = json.loads((executed / "06_similarity.ipynb").read_text())
    (taken,) = [cell for cell in similarity["cells"] if cell["id"] == f"vectors-{framework}"]
    assert "trained in step 5 with these settings" in json.dumps(taken["outputs"]) and "epoch 2/2" not in json.dumps(taken["outputs"])
    assert done.stdout.count("topics.txt") >= 12


@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
def test_a_run_that_hardly_learns_fails_the_check_of_the_loss(framework, small_text, tmp_path):
    source = NOTEBOOKS / framework / "05_training.ipynb"
    idle = {**SMALL, "lr": 1e-12, "corpus": str(small_text)}
    values, error, _ = run_notebook(source, tmp_path / "05_training.ipynb", idle)
    assert error is None and not loss_falls(values)


ODD = {
    "batch_size": 7777, "max_window_size": 1, "num_noise_words": 1, "embed_size": 1, "num_epochs": 1, "lr": 0.5, "k": 1,
    "min_freq": 0, "seed": 123456789, "block_epochs": 1, "block_lr": 0.01,
}  # fmt: skip
STEPS = (
    "pytorch/01_data", "mxnet/03_skip_gram", "pytorch/04_loss", "mxnet/05_training", "pytorch/06_similarity", "mxnet/07_speed",
    "pytorch/08_blocks", "beyond/09_hyperparameters", "mxnet/10_dynamic_sampling", "pytorch/11_find_the_bug", "beyond/12_evaluation",
    "mxnet/13_checkpoints", "beyond/14_scale_out",
)  # fmt: skip


@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
def test_the_runner_trains_with_blocks_when_told_to_and_step_6_takes_those_vectors(framework, small_text, tmp_path):
    given = {**SMALL, "block_epochs": 3, "block_lr": 0.1, "corpus": str(small_text)}
    path = tmp_path / "vectors.safetensors"
    values, error, _ = train_on_blocks(framework, given, path)
    assert error is None and loss_falls(values) and len(values["epochs"]) == 3
    vectors = load_vectors(path)
    assert vectors.settings["trainer"] == "blocks" and vectors.settings["block_lr"] == 0.1
    source = NOTEBOOKS / framework / "06_similarity.ipynb"
    values, error, _ = run_notebook(source, tmp_path / "06.ipynb", {**given, "vectors_path": str(path)})
    assert error is None, error
    rows = nearest([values["query_token"]], 3, vectors.embed_v, vocab_of(vectors.tokens))
    assert [token for token, _ in values["similar"]] == rows[values["query_token"]]


def test_a_training_on_blocks_that_diverges_is_an_error_in_a_line(small_text, tmp_path):
    _, error, _ = train_on_blocks("pytorch", {"corpus": str(small_text), "block_lr": 1000.0}, tmp_path / "v.safetensors")
    assert isinstance(error, FloatingPointError) and not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", STEPS)
def test_odd_values_run_through(step, tmp_path, small_text):
    values, error, _ = run_notebook(NOTEBOOKS / f"{step}.ipynb", tmp_path / "out.ipynb", {**ODD, "corpus": str(small_text)})
    assert error is None and values["corpus"] == small_text.name


def test_values_are_read_as_numbers_and_words_as_text(tmp_path):
    (tmp_path / "p.yaml").write_text("lr: 1e-3\nquery_token: 'None'\n")
    notebooks = [read_notebook(path) for path in all_notebooks()]
    given = collect_parameters([("query_token", "1984"), ("k", "2"), ("grid", "None")], tmp_path / "p.yaml", notebooks)
    assert given == {"lr": 0.001, "query_token": "1984", "k": 2, "grid": None}


def test_the_file_for_weak_machines_holds_parameters_that_notebooks_know():
    given = collect_parameters([], NOTEBOOKS / "fast.yaml", [read_notebook(path) for path in all_notebooks()])
    assert given["num_epochs"] < 5 and given["block_epochs"] < 12
