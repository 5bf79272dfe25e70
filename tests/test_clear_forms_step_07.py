"""The clear forms of step 7, taken from the committed notebooks, give on random inputs what the fast forms in helpers give."""

import itertools

import numpy as np
import pytest

from helpers.examples import Examples, batchify, get_centers_and_contexts, get_negatives, make_examples, subsample
from helpers.exercises import fault_of, find
from helpers.tools.twins import CLEAR
from tests.forms import forms_of
from tests.reference import Adam, loss_and_gradients, random_batch

SEEDS = range(5)


@pytest.fixture(scope="module", params=["pytorch", "mxnet"])
def forms(request):
    """The functions of the notebook's clear-form cells, {name: function}."""
    return forms_of(f"{request.param}/07_speed.ipynb", CLEAR, np=np, lr=0.01)


def test_every_clear_form_is_compared_here(forms):
    compared = "centers_and_contexts", "noise_for", "minibatch_of", "offsets_of", "sum_into_rows", "gradients_of", "adam_step"
    assert set(forms) == set(compared)


def draw_text(rng, num_words=40):
    """Ids of words and the numbers of their sentences, as `encode` returns them; some sentences have one word."""
    sentence = np.repeat(np.arange(200, dtype=np.int32), rng.integers(1, 12, 200))
    return rng.integers(1, num_words, len(sentence)).astype(np.uint16), sentence


def sentences_of(ids, sentence):
    return [[word for word, _ in group] for _, group in itertools.groupby(zip(ids.tolist(), sentence), key=lambda pair: pair[1])]


@pytest.mark.parametrize("seed", SEEDS)
def test_centers_and_contexts_are_those_of_the_arrays(forms, seed):
    ids, sentence = draw_text(np.random.default_rng(seed))
    rng, by_loops = np.random.default_rng(9), []
    for words in sentences_of(ids, sentence):
        by_loops += forms["centers_and_contexts"](words, 5, rng)
    centers, contexts = get_centers_and_contexts(ids, sentence, 5, np.random.default_rng(9))
    assert by_loops == [(center, row[row > 0].tolist()) for center, row in zip(centers, contexts)]


@pytest.mark.parametrize("seed", SEEDS)
def test_noise_for_draws_with_the_chances_of_get_negatives(forms, seed):
    rng = np.random.default_rng(seed)
    probability = np.append(0, rng.dirichlet(np.ones(8)))
    contexts = np.array([[2, 5]])
    loops = forms["noise_for"]([2, 5], probability, 15_000, rng)
    arrays = get_negatives(np.repeat(contexts, 15_000, axis=0), probability, 1, rng)
    shares = [np.bincount(np.ravel(drawn), minlength=9) / 30_000 for drawn in (loops, arrays)]
    np.testing.assert_allclose(*shares, atol=0.02)
    assert shares[0][[0, 2, 5]].tolist() == shares[1][[0, 2, 5]].tolist() == [0, 0, 0]


@pytest.mark.parametrize("seed", SEEDS)
def test_minibatch_of_and_offsets_of_are_batchify_and_the_offsets_of_make_examples(forms, seed):
    rng = np.random.default_rng(seed)
    ids, sentence = draw_text(rng)
    counts = np.append(np.bincount(ids, minlength=40), 10**7)  # so that all words are rare, and kept
    made = make_examples(ids, sentence, counts, 3, 2, np.random.default_rng(4), np.random.default_rng(5))
    again = np.random.default_rng(4)
    _, contexts = get_centers_and_contexts(*subsample(ids, sentence, counts, again), 3, again)
    num_contexts = np.count_nonzero(contexts, axis=1).tolist()
    np.testing.assert_array_equal(forms["offsets_of"](num_contexts, 2), made.offsets)
    assert isinstance(made, Examples)
    rows, lists = rng.integers(0, len(made.centers), 20), []
    for row in rows:
        words = made.words[made.offsets[row] : made.offsets[row + 1]].tolist()
        lists.append((int(made.centers[row]), words[: num_contexts[row]], words[num_contexts[row] :]))
    for one, other in zip(forms["minibatch_of"](lists), batchify(made, rows)):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("seed", SEEDS)
def test_gradients_of_are_those_of_the_reference(forms, seed):
    rng = np.random.default_rng(seed)
    tables = [rng.normal(0, 0.5, (30, 8)) for _ in range(2)]
    batch = random_batch(rng, 30)
    for found, wanted in zip(forms["gradients_of"](*tables, *batch), loss_and_gradients(*tables, *batch)[1:]):
        np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_adam_step_is_the_reference_for_twenty_steps(forms):
    rng = np.random.default_rng(0)
    table = rng.normal(0, 1, (5, 3))
    wanted, first, second = table.copy(), np.zeros_like(table), np.zeros_like(table)
    reference = Adam([wanted], 0.01)
    for step in range(1, 21):
        gradient = rng.normal(0, 1, table.shape)
        reference.step([gradient])
        forms["adam_step"](table, gradient, first, second, step)
        np.testing.assert_allclose(table, wanted, atol=1e-9)


@pytest.mark.parametrize("name, form", [("07.1", "offsets_of"), ("07.2", "sum_into_rows")])
def test_what_is_folded_answers_its_exercise(forms, name, form):
    assert fault_of(find(name), forms[form], np.random.default_rng(0)) == ""
