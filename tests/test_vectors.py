"""Cosines, neighbors and the map, of vectors from a file."""

import numpy as np
import pytest

from helpers.beyond.evaluation import random_pair_cosines
from helpers.beyond.explorer import place_by_pca
from helpers.examples import Vocab
from helpers.vectors import (
    choose_query,
    load_vectors,
    map_groups,
    nearest,
    place_on_map,
    save_vectors,
    vocab_of,
)


@pytest.fixture
def vectors(tmp_path):
    rng = np.random.default_rng(0)
    tokens = ["<unk>", *(f"word{number}" for number in range(80)), "naïve", 'quo"te']
    embed_v, embed_u = rng.normal(size=(2, len(tokens), 7)).astype(np.float32)
    return tmp_path / "vectors.safetensors", embed_v, embed_u, tokens, {"corpus": "ptb", "lr": 0.002, "epochs": [{"loss": 0.5}]}


def test_what_is_saved_is_loaded_to_the_bit(vectors):
    path, embed_v, embed_u, tokens, settings = vectors
    save_vectors(*vectors)
    found = load_vectors(path)
    np.testing.assert_array_equal(found.embed_v, embed_v)
    np.testing.assert_array_equal(found.embed_u, embed_u)
    assert (found.tokens, found.settings) == (tokens, settings)
    assert [child.name for child in path.parent.iterdir()] == [path.name]
    vocab = vocab_of(found.tokens)
    assert vocab["naïve"] == 81 and vocab.to_tokens(81) == "naïve" and len(vocab) == len(tokens)


def test_a_failed_save_keeps_the_file_that_was_there(vectors):
    path, embed_v, embed_u, tokens, settings = vectors
    save_vectors(*vectors)
    before = path.read_bytes()
    with pytest.raises(TypeError):
        save_vectors(path, embed_v, embed_u, tokens, {"not json": object()})
    with pytest.raises(ValueError, match="82 words for tables of .83, 83. rows"):
        save_vectors(path, embed_v, embed_u, tokens[1:], settings)
    assert path.read_bytes() == before and len(list(path.parent.iterdir())) == 1


def test_vectors_go_to_safetensors_files_only(vectors, tmp_path):
    with pytest.raises(ValueError, match="must end in .safetensors"):
        save_vectors(tmp_path / "vectors.bin", *vectors[1:])


def test_random_pairs_are_of_different_known_words():
    table = np.eye(6, dtype=np.float32)
    assert (random_pair_cosines(table, 5000, np.random.default_rng(0)) == 0).all()
    table[0] = np.nan
    assert np.isfinite(random_pair_cosines(table, 5000, np.random.default_rng(0))).all()
    two = random_pair_cosines(np.array([[9, 9], [1, 0], [1, 1]], np.float32), 10, np.random.default_rng(0))
    np.testing.assert_allclose(two, np.sqrt(0.5), rtol=1e-6)


def test_neighbours_of_many_words_are_those_of_gensim(vectors):
    from gensim.models import KeyedVectors

    _, embed_v, _, tokens, _ = vectors
    theirs = KeyedVectors(embed_v.shape[1])
    theirs.add_vectors(tokens[1:], embed_v[1:])
    found = nearest(tokens[1:], 4, embed_v, vocab_of(tokens))
    assert found == {token: [word for word, _ in theirs.most_similar(token, topn=4)] for token in tokens[1:]}


def test_a_table_that_lies_across_in_memory_is_saved_as_it_is(tmp_path):
    table = np.arange(12, dtype=np.float64).reshape(3, 4).T
    save_vectors(tmp_path / "v.safetensors", table, table, list("abcd"), {})
    np.testing.assert_array_equal(load_vectors(tmp_path / "v.safetensors").embed_v, table)


def test_the_map_shows_no_word_twice_and_is_the_same_each_time(vectors):
    _, embed_v, _, tokens, _ = vectors
    vocab = vocab_of(tokens)
    groups = map_groups("word7", vocab, embed_v, group_size=10)
    words = [token for group in groups.values() for token in group]
    assert len(groups) == 6 and len(set(words)) == len(words) == 60
    assert words[:10] == ["word7", *nearest(["word7"], 9, embed_v, vocab)["word7"]]
    places = [place_on_map(embed_v, vocab[words], seed=1) for _ in range(2)]
    assert places[0].shape == (60, 2)
    np.testing.assert_array_equal(*places)


def test_the_map_of_a_small_vocabulary_has_what_there_is():
    vocab = Vocab([["alpha", "beta", "gamma", "delta"]])
    table = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    words = [token for group in map_groups("beta", vocab, table).values() for token in group]
    assert sorted(words) == ["alpha", "beta", "delta", "gamma"]
    assert place_on_map(table, vocab[words], 0).shape == (4, 2)


def test_the_query_word_is_the_named_one_or_suits_the_corpus():
    vocab = Vocab([["the"] * 9 + ["chip"] * 3 + ["computer"] * 2 + ["another"] * 4 + ["longer"]])
    assert choose_query(None, 3, vocab, "ptb") == "chip"
    assert choose_query(None, 3, vocab, "wikipedia") == "computer"
    assert choose_query(None, 3, vocab, "mine.txt") == "another"
    assert choose_query(None, 1, Vocab([["rare", "another", "word"]]), "ptb") == "another"  # as with a larger min_freq
    assert choose_query("longer", 3, vocab, "ptb") == "longer"
    with pytest.raises(LookupError, match="'longre'; near matches: longer"):
        choose_query("longre", 3, vocab, "ptb")


def test_a_map_by_pca_keeps_what_lies_in_a_plane_and_turns_it_at_most():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(50, 2)) * (3, 1)
    places, kept = place_by_pca(plane @ np.linalg.qr(rng.normal(size=(7, 2)))[0].T + 5)
    assert kept == pytest.approx(1)
    distances = [np.linalg.norm(found[:, None] - found, axis=2) for found in (plane, places)]
    np.testing.assert_allclose(*distances, atol=1e-9)
    assert place_by_pca(rng.normal(size=(50, 10)))[1] < 0.6
    lone, kept = place_by_pca(plane[:, :1])
    assert lone.shape == (50, 2) and kept == pytest.approx(1) and place_by_pca(np.ones((4, 3)))[1] == 0
