"""The command `python -m helpers.tools.vectors`, as a user types it."""

import numpy as np
import pytest
from click.testing import CliRunner
from gensim.models import KeyedVectors
from gensim.test.utils import datapath

from helpers.tools.vectors import main
from helpers.vectors import load_vectors, nearest, save_vectors, vocab_of

WORDS = ["<unk>", *"king queen man woman prince princess boy girl".split()]


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.fixture
def path(tmp_path):
    """A file in which royalty and sex are directions of their own."""
    royal, female, young = np.array([[0, 1, 1, 0, 0, 1, 1, 0, 0], [0, 0, 1, 0, 1, 0, 1, 0, 1], [0, 0, 0, 0, 0, 1, 1, 1, 1]])
    embed_v = np.stack([royal, 1.1 * female, 1.3 * young, 0.9 * np.ones(9)], axis=1).astype(np.float32)
    embed_u = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
    save_vectors(tmp_path / "v.safetensors", embed_v, embed_u, WORDS, {"lr": 0.1})
    return tmp_path / "v.safetensors"


@pytest.mark.parametrize("suffix", (".txt", ".bin", ".tsv"))
@pytest.mark.parametrize("table", ("center", "context", "mean"))
def test_a_table_goes_out_without_the_unknown_word_and_comes_back(path, suffix, table):
    given, out, back = load_vectors(path), path.with_suffix(suffix), path.with_name("back.safetensors")
    assert run("convert", path, out, "--table", table).exit_code == 0
    assert run("convert", out, back).exit_code == 0
    found = load_vectors(back)
    wanted = {"center": given.embed_v, "context": given.embed_u, "mean": (given.embed_v + given.embed_u) / 2}[table]
    assert found.tokens == WORDS and found.embed_u is None and not found.embed_v[0].any()
    np.testing.assert_array_equal(found.embed_v[1:], wanted[1:])


def test_a_copy_of_our_own_kind_keeps_everything(path):
    copy = path.with_name("copy.safetensors")
    assert run("convert", path, copy).exit_code == 0
    for found, given in zip(load_vectors(copy), load_vectors(path)):
        np.testing.assert_array_equal(found, given)


def test_an_unknown_word_in_the_middle_of_a_file_comes_first_in_ours(tmp_path):
    (tmp_path / "glove.txt").write_text("the 1 2\n<unk> 3 4\nof 5 6\n")
    assert run("convert", tmp_path / "glove.txt", tmp_path / "v.safetensors").exit_code == 0
    found = load_vectors(tmp_path / "v.safetensors")
    assert found.tokens == ["<unk>", "the", "of"] and found.embed_v.tolist() == [[3, 4], [1, 2], [5, 6]]


@pytest.mark.parametrize("suffix", (".safetensors", ".txt", ".bin", ".tsv"))
def test_every_kind_of_file_answers_alike(path, suffix):
    out = path.with_name(f"asked{suffix}")
    run("convert", path, out)
    vectors = load_vectors(path)
    words = nearest(["king"], 3, vectors.embed_v, vocab_of(WORDS))["king"]
    answer = run("similar", out, "king", "-k", 3)
    assert answer.exit_code == 0 and [line.split()[1] for line in answer.output.splitlines()] == words
    assert run("analogy", out, "man", "king", "woman", "-k", 1).output.split()[1] == "queen"


def test_gensim_finds_the_same_neighbours_in_a_converted_file(path):
    run("convert", path, path.with_suffix(".bin"))
    theirs = KeyedVectors.load_word2vec_format(str(path.with_suffix(".bin")), binary=True)
    ours = run("similar", path, "girl", "-k", 4).output
    assert ours == "".join(f"{cosine:6.3f}  {word}\n" for word, cosine in theirs.most_similar("girl", topn=4))


def test_an_evaluation_tells_scores_with_intervals_or_that_no_word_is_known(path):
    answer = run("evaluate", path)
    assert answer.exit_code == 0 and answer.output.splitlines()[0] == "WordSim-353          no score: 2 of 353 known"
    answer = run("evaluate", datapath("euclidean_vectors.bin"))
    assert "95 % interval" in answer.output and "nan" not in answer.output.lower()


@pytest.mark.parametrize("arguments, reason", [
    (["similar", "v.safetensors", "kong"], "has no 'kong'; near matches: king"),
    (["similar", "none.txt", "king"], "there is no vectors file"),
    (["similar", "v.pkl", "king"], "a vectors file ends in .safetensors, .txt, .bin, .tsv"),
    (["analogy", "v.safetensors", "man", "king", "<unk>"], "has no '<unk>'"),
    (["convert", "v.safetensors", "out.xyz"], "a vectors file ends in"),
    (["similar", "one.txt", "king", "--table", "mean"], "holds one table only"),
])  # fmt: skip
def test_what_can_not_be_answered_is_told_in_a_line(path, monkeypatch, arguments, reason):
    monkeypatch.chdir(path.parent)
    (path.parent / "one.txt").write_text("king 1 2\n")
    answer = run(*arguments)
    assert answer.exit_code == 1 and answer.output.startswith("Error: ") and reason in answer.output
    assert answer.output.count("\n") == 1 and not (path.parent / "out.xyz").exists()
