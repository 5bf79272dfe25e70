"""The clear forms of step 1, taken from the committed notebook, give on random inputs what the fast forms in helpers give."""

import collections

import numpy as np
import pytest

from helpers.examples import (
    Examples,
    Vocab,
    batchify,
    count_words,
    encode,
    get_centers_and_contexts,
    get_negatives,
    keep_probability,
    noise_probability,
    subsample,
)
from helpers.exercises import find
from helpers.tools.twins import CLEAR
from tests.forms import forms_of

SEEDS = range(5)


@pytest.fixture(scope="module", params=["pytorch", "mxnet"])
def forms(request):
    """The functions of the notebook's clear-form cells, {name: function}."""
    return forms_of(f"{request.param}/01_data.ipynb", CLEAR, np=np, collections=collections)


def draw_text(rng, num_words=30):
    """Sentences of up to 12 words, some of one word or of none; a few words are frequent."""
    words = np.minimum(rng.geometric(0.15, 2000), num_words)
    tokens = [f"w{word}" for word in words]
    borders = np.sort(rng.integers(0, len(tokens), 400))
    return [tokens[start:stop] for start, stop in zip(borders, borders[1:]) if stop - start < 13]


def examples_of(forms, sentences, vocab, max_window_size, num_noise_words, rng):
    """All examples by the clear forms: (center, context ids, noise ids)."""
    found = []
    for sentence in sentences:
        found += forms["centers_and_contexts"](vocab[sentence], max_window_size, rng)
    probability = noise_probability(count_words(vocab))
    return [(center, contexts, forms["noise_for"](contexts, probability, num_noise_words, rng)) for center, contexts in found]


def test_every_clear_form_is_compared_here(forms):
    assert set(forms) == {"subsampled", "centers_and_contexts", "noise_for", "padded", "minibatch_of"}


@pytest.mark.parametrize("seed", SEEDS)
def test_subsampling_keeps_the_same_tokens(forms, seed):
    sentences = draw_text(np.random.default_rng(seed))
    vocab = Vocab(sentences, min_freq=3)
    counts = count_words(vocab) * 0.0002  # so few that a good part is kept
    counts[1] = 1000
    rng, keep = np.random.default_rng(seed), keep_probability(counts)
    kept = [forms["subsampled"](sentence, vocab, keep, rng) for sentence in sentences]
    ids, numbers = subsample(*encode(sentences, vocab), counts, np.random.default_rng(seed))
    assert 0.1 < sum(map(len, kept)) / sum(map(len, sentences)) < 0.9
    assert ids.tolist() == [index for sentence in kept for index in vocab[sentence]]
    assert numbers.tolist() == [number for number, sentence in enumerate(kept) for _ in sentence]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("max_window_size", [1, 2, 5])
def test_centers_and_context_words_are_the_same(forms, seed, max_window_size):
    sentences = draw_text(np.random.default_rng(seed))
    assert {0, 1} <= set(map(len, sentences))
    vocab, rng, found = Vocab(sentences), np.random.default_rng(seed), []
    for sentence in sentences:
        found += forms["centers_and_contexts"](vocab[sentence], max_window_size, rng)
    centers, contexts = get_centers_and_contexts(*encode(sentences, vocab), max_window_size, np.random.default_rng(seed))
    assert found == [(center, row[row > 0].tolist()) for center, row in zip(centers.tolist(), contexts)]


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_words_come_equally_often_and_never_from_the_context(forms, seed):
    rng, num_noise_words, num_rows = np.random.default_rng(seed), 5, 4000
    probability = noise_probability(np.append(0, rng.integers(1, 1000, 20)))
    contexts = rng.integers(1, 21, (1, 4))
    clear = forms["noise_for"](contexts[0].tolist(), probability, num_noise_words * num_rows, rng)
    fast = get_negatives(contexts.repeat(num_rows, axis=0), probability, num_noise_words, rng)
    assert len(clear) == fast.size == 4 * num_noise_words * num_rows
    shares = [np.bincount(np.ravel(drawn), minlength=21) / fast.size for drawn in (clear, fast)]
    wanted = find("01.2").reference(probability, contexts[0].tolist())
    for share in shares:
        assert not share[contexts[0]].any() and share[0] == 0
        assert np.abs(share - wanted).max() < 5 * np.sqrt(0.25 / fast.size)


def test_noise_words_for_a_center_are_as_many_as_asked_and_leave_the_chances_as_they_were(forms):
    probability = noise_probability(np.arange(9))
    before = probability.copy()
    assert len(forms["noise_for"]([3, 5, 3], probability, 4, np.random.default_rng(0))) == 12
    assert np.array_equal(probability, before)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("num_noise_words", [1, 2, 5])
def test_minibatches_are_the_same_arrays(forms, seed, num_noise_words):
    rng = np.random.default_rng(seed)
    sentences = draw_text(rng)
    found = examples_of(forms, sentences, Vocab(sentences), 3, num_noise_words, rng)
    rows = [contexts + noise for _, contexts, noise in found]
    offsets = np.cumsum([0, *map(len, rows)])
    fast = Examples(np.array([center for center, _, _ in found]), np.concatenate(rows), offsets, num_noise_words)
    for _ in range(5):
        some = rng.choice(len(found), 16)
        for ours, wanted in zip(forms["minibatch_of"]([found[row] for row in some]), batchify(fast, some), strict=True):
            assert ours.shape == wanted.shape and np.array_equal(ours, wanted)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_folded_cell_below_exercise_3_answers_it(forms, seed):
    (rows,) = find("01.3").cases(np.random.default_rng(seed))[0]
    ids, mask = find("01.3").reference(rows)
    for ours, wanted in zip(forms["padded"](rows), (ids, mask), strict=True):
        assert ours.shape == wanted.shape and np.array_equal(ours, wanted)
