"""The clear forms of step 4: the loss, the masked mean, the layer and finite differences, against what helpers hold."""

import math

import numpy as np
import pytest

from helpers.examples import Examples
from helpers.exercises import fault_of, find
from helpers.tools.twins import CLEAR
from helpers.training import blind_loss, frequency_loss
from tests.forms import forms_of
from tests.reference import loss_and_gradients


@pytest.fixture
def forms(model):
    """What the notebook's clear-form cells define, {name: function or class}."""
    library = {name: thing for name, thing in vars(model).items() if name in ("nn", "gluon")}
    return forms_of(f"{model.__name__.removeprefix('helpers.model_')}/04_loss.ipynb", CLEAR, np=np, math=math, **library)


@pytest.fixture
def rows():
    """Scores, labels and mask (6, 9) of rows of different lengths, one of them whole."""
    rng = np.random.default_rng(4)
    mask = (np.arange(9) < np.array([9, 1, 4, 6, 2, 8])[:, None]).astype(np.float32)
    label = rng.integers(0, 2, mask.shape) * mask
    return rng.normal(0, 3, mask.shape).astype(np.float32), label, mask


def test_masked_mean_of_loss_of_is_the_layer_with_its_factor(forms, rows, model):
    scores, label, mask = map(model.to_tensor, rows)
    losses = model.SigmoidBCELoss()(scores, label, mask) * mask.shape[1] / mask.sum(axis=1)
    assert np.allclose([float(loss) for loss in losses], forms["masked_mean"](*rows), rtol=1e-5)


def test_the_layer_shown_is_that_of_helpers(forms, rows, model):
    """Both `forward` methods give the same bits."""
    assert forms["SigmoidBCELoss"] is not model.SigmoidBCELoss
    one, two = (layer()(*map(model.to_tensor, rows)) for layer in (forms["SigmoidBCELoss"], model.SigmoidBCELoss))
    assert [float(loss) for loss in one] == [float(loss) for loss in two]


def test_masked_mean_is_batch_loss(forms, rows, model):
    """Each score is a word's vector of one number; all centers have the vector (1)."""
    scores, label, mask = rows
    ids = np.zeros((len(scores), 1), np.int64), np.arange(scores.size).reshape(scores.shape)
    net = model.model_from_tables(np.ones((1, 1), np.float32), scores.reshape(-1, 1))
    losses = model.batch_loss(net, [model.to_tensor(array) for array in (*ids, mask, label)], model.get_device("cpu"))
    assert np.allclose([loss.item() for loss in losses], forms["masked_mean"](*rows), rtol=1e-5)


def test_without_a_mask_loss_of_is_the_layer_whose_mean_is_over_the_row(forms, rows, model):
    losses = model.SigmoidBCELoss()(*map(model.to_tensor, rows[:2]))
    assert np.allclose([float(loss) for loss in losses], forms["loss_of"](*rows[:2]).mean(axis=1), rtol=1e-5)


def test_what_stands_under_the_mask_makes_no_difference(forms, rows):
    scores, label, mask = rows
    changed = np.where(mask == 1, scores, 30)
    assert np.array_equal(forms["masked_mean"](changed, label, mask), forms["masked_mean"](*rows))


def test_the_derivative_is_sigmoid_minus_label_by_numeric_derivative(forms):
    for score in np.linspace(-5, 5, 11):
        for label in (0, 1):
            measured = forms["numeric_derivative"](lambda s, y=label: forms["loss_of"](s, y), score, 1e-4)
            assert measured == pytest.approx(forms["sigmoid"](score) - label, abs=1e-6)


def test_numeric_derivative_of_masked_mean_is_the_gradient_of_the_reference(forms):
    rng = np.random.default_rng(0)
    embed_v, embed_u = rng.normal(0, 1, (2, 5, 3))
    center, words = np.array([[1]]), np.array([[2, 3, 4, 0]])
    mask, label = np.array([[1.0, 1, 1, 0]]), np.array([[1.0, 0, 0, 0]])
    _, gradient, _ = loss_and_gradients(embed_v, embed_u, center, words, mask, label)

    def loss_at(t, axis):
        return forms["masked_mean"]((embed_v[1] + t * axis) @ embed_u[words].swapaxes(1, 2), label, mask)[0]

    measured = [forms["numeric_derivative"](lambda t, axis=axis: loss_at(t, axis), 0, 1e-4) for axis in np.eye(3)]
    assert np.allclose(measured, gradient[1], atol=1e-6)


def some_examples(rng, num_noise_words, most):
    """Examples of 40 centers with 1 to 4 context words each, of words below `most`."""
    contexts = rng.integers(1, 5, 40)
    offsets = np.append(0, np.cumsum(contexts * (1 + num_noise_words)))
    centers, words = rng.integers(1, most, 40), rng.integers(1, most, offsets[-1]) ** 2 // most + 1
    return Examples(centers, words, offsets, num_noise_words)


def questions_of(examples):
    """List the (word, label) of all positions."""
    found = []
    for start, end in zip(examples.offsets, examples.offsets[1:]):
        num_contexts = (end - start) // (1 + examples.num_noise_words)
        found += [(int(word), int(place < num_contexts)) for place, word in enumerate(examples.words[start:end])]
    return found


def share_of_yes(word, positions, share):
    """The word's share of *yes* among `positions`, pairs (word, label), and one imaginary position of which `share` is *yes*."""
    labels = [label for other, label in positions if other == word]
    return (sum(labels) + share) / (len(labels) + 1)


@pytest.mark.parametrize("num_noise_words", [1, 5])
def test_the_mean_loss_by_share_of_yes_is_the_frequency_loss_of_helpers(num_noise_words):
    rng = np.random.default_rng(num_noise_words)
    # the held-out examples have words that the others don't
    training, held_out = some_examples(rng, num_noise_words, 20), some_examples(rng, num_noise_words, 30)
    positions, costs = questions_of(training), []
    for word, label in questions_of(held_out):
        yes = share_of_yes(word, positions, 1 / (1 + num_noise_words))
        costs.append(-math.log(yes if label else 1 - yes))
    assert np.mean(costs) == pytest.approx(frequency_loss(training, held_out))


def test_a_word_that_was_never_seen_gets_the_constant_of_the_blind_model():
    yes = share_of_yes("new", [("old", 1)], 1 / 6)
    assert -(math.log(yes) + 5 * math.log(1 - yes)) / 6 == pytest.approx(blind_loss(5))


@pytest.mark.parametrize("number, name", [("04.1", "loss_of"), ("04.2", "masked_mean"), ("04.3", "numeric_derivative")])
def test_the_folded_cell_below_an_exercise_answers_it(forms, number, name):
    assert fault_of(find(number), forms[name], np.random.default_rng(0)) == ""


SAID_OF_04 = {
    "without the sigmoid": ("04.1", lambda score, label: -math.log(score) if label else -math.log(1 - score), "sigmoid first"),
    "without it, as a sum": ("04.1", lambda s, y: -(y * math.log(s) + (1 - y) * math.log(1 - s)), "sigmoid first"),
    "without it, by NumPy": ("04.1", lambda score, label: -np.log(score if label else 1 - score), "sigmoid first"),
    "label 0 with the wrong sign": (
        "04.1", lambda s, y: -math.log(1 / (1 + math.exp(-s))) if y else math.log(1 / (1 + math.exp(s))), "for label 0 only"
    ),
    "an error of its own": ("04.1", lambda score, label: score["a"], "fails with TypeError"),
    "counts that are no column": ("04.2", lambda s, y, m: (s * m / m.sum(axis=1)).sum(axis=1), "keepdims"),
    "looks to the right": ("04.3", lambda loss, s, eps: (loss(s + eps) - loss(s)) / eps, "go eps to both sides"),
    "base 10": ("04.1", lambda score, label: -np.log10(1 / (1 + np.exp(-score if label else score))), "powers of 10"),
    "the score's own logarithm": ("04.1", lambda score, label: -np.log(score), "of the score itself"),
    "no logarithm": ("04.4", lambda p: p / (1 - p), "the score is its logarithm"),
}  # fmt: skip


@pytest.mark.parametrize("what", SAID_OF_04)
def test_a_usual_fault_of_step_4_is_named_as_a_learner_writes_it(what):
    number, answer, message = SAID_OF_04[what]
    with np.errstate(all="ignore"):
        for seed in range(10):
            assert message in fault_of(find(number), answer, np.random.default_rng(seed))


@pytest.mark.parametrize("p", [1 / 6, 0.5, 0.9])
def test_no_constant_is_better_than_the_share_and_its_score_is_the_log_odds(forms, p):
    def mean_loss(score):
        return p * forms["loss_of"](score, 1) + (1 - p) * forms["loss_of"](score, 0)

    best = find("04.4").reference(p)
    assert all(mean_loss(best) < mean_loss(best + change) for change in (-1, -0.01, 0.01, 1))
    assert find("04.4").reference(1 / 6) == pytest.approx(-1.609, abs=1e-3)
