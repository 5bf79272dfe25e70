"""The runner: the whole series on small texts through papermill, and what it writes."""

import json

import pytest
from click.testing import CliRunner
from gensim.models import KeyedVectors

from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, lessons, run_notebook
from helpers.beyond.vector_files import write_table
from helpers.corpus import read_corpus
from helpers.tools import course
from helpers.tools.course import train_on_blocks
from helpers.tools.environment import mxnet_left_out
from helpers.vectors import load_vectors, nearest, vocab_of
from tests.conftest import command
from tests.listening import open_places, watch
from tests.test_papermill import SMALL, loss_falls

pytestmark = pytest.mark.slow


def test_both_halves_run_where_ptb_cannot_be_had_and_let_nobody_in(tmp_path, monkeypatch):
    """The whole series, once: on the Wikipedia excerpt, with the parameters for weak machines."""
    monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    out = tmp_path / "out"
    codes, places = watch(command("-f", NOTEBOOKS / "fast.yaml", "--out", out, num_epochs=2))
    assert codes == [0] and places and open_places(places) == set()
    rows = json.loads((out / "summary.json").read_text())["notebooks"]
    assert {row["corpus"] for row in rows} == {"wikipedia"}
    assert {row["query_token"] for row in rows if "query_token" in row} == {"computer"}
    index = (out / "index.html").read_text()
    for number, framework in enumerate(["pytorch"] if mxnet_left_out() else FRAMEWORKS):
        steps = [path.stem for path in lessons(framework, beyond=number == 0)]
        half = {row["notebook"]: row for row in rows if row["framework"] == framework}
        assert list(half) == steps and all(f"{framework}/{name}" in index for name in steps)
        assert loss_falls(half["05_training"])
        vectors = load_vectors(out / framework / "vectors.safetensors")
        write_table(tmp_path / "vectors.bin", vectors.embed_v[1:], vectors.tokens[1:])
        theirs = KeyedVectors.load_word2vec_format(str(tmp_path / "vectors.bin"), binary=True)
        similar = [token for token, _ in half["06_similarity"]["similar"]]
        assert [token for token, _ in theirs.most_similar("computer", topn=3)] == similar
        made = sorted(path.suffix for path in (out / framework).iterdir())
        assert made == [".html"] * len(steps) + [".ipynb"] * len(steps) + [".safetensors"]
        similarity = json.loads((out / framework / "06_similarity.ipynb").read_text())
        (taken,) = [cell for cell in similarity["cells"] if cell["id"] == f"vectors-{framework}"]
        assert "trained in step 5 with these settings" in json.dumps(taken["outputs"])


def test_the_runner_prepares_a_text_whose_tokens_stay_as_they_stand(tmp_path, monkeypatch):
    (tmp_path / "walks.txt").write_text("1 17 User_5 17 1 8\n" * 40)
    given = []
    monkeypatch.setattr(course, "run_halves", lambda frameworks, own, *_: given.append(own["pytorch"]) or ([], True))
    options = "--framework", "pytorch", "--split", "whitespace", "--out", str(tmp_path / "out")
    given_to_it = "-p", "corpus", str(tmp_path / "walks.txt"), "-p", "min_freq", "1", "-p", "k", "2"
    done = CliRunner().invoke(course.main, [*given_to_it, *options])
    assert done.exit_code == 0 and given[0]["corpus"] == str(tmp_path / "out" / "corpus" / "walks.txt"), done.output
    text = read_corpus(given[0]["corpus"])
    assert text.name == "walks.txt" and text.sentences[0] == ["1", "17", "User_5", "17", "1", "8"]


ODD = {
    "batch_size": 7777, "max_window_size": 1, "num_noise_words": 1, "embed_size": 1, "num_epochs": 1, "lr": 0.5, "k": 1,
    "min_freq": 0, "seed": 123456789, "block_epochs": 1, "block_lr": 0.01, "subword_lr": 0.01,
}  # fmt: skip
STEPS = (
    "pytorch/01_data", "mxnet/03_skip_gram", "pytorch/04_loss", "mxnet/05_training", "pytorch/06_similarity", "mxnet/07_speed",
    "pytorch/08_blocks", "beyond/09_hyperparameters", "mxnet/10_dynamic_sampling", "pytorch/11_find_the_bug", "beyond/12_evaluation",
    "mxnet/13_checkpoints", "beyond/14_scale_out", "beyond/15_gpu", "beyond/16_subwords", "beyond/17_family",
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
