"""The exercises of step 4, the loss."""

import math

import numpy as np

from helpers.exercises import Exercise


def sigmoid(score):
    return 1 / (1 + np.exp(-score))


def loss(score, label):
    return -(label * np.log(sigmoid(score)) + (1 - label) * np.log(sigmoid(-score)))


def masked(scores, labels, mask):
    return (loss(scores, labels) * mask).sum(axis=1) / mask.sum(axis=1)


def central(function, score, eps):
    return (function(score + eps) - function(score - eps)) / (2 * eps)


def log_odds(p):
    return np.log(p / (1 - p))


def draw_scores(rng):
    """A score below 0 first and one above 1, which are no probabilities; each with both labels."""
    scores = -rng.uniform(0.5, 3), rng.uniform(1.2, 3), rng.normal(0, 2)
    return [(float(score), label) for score in scores for label in (1, 0)]


def draw_batches(rng):
    cases = []
    for shape in ((3, 4), (2, 6), (5, 5)):
        mask = (np.arange(shape[1]) < rng.permutation(np.arange(shape[0]) % (shape[1] - 1) + 1)[:, None]).astype(float)
        cases.append((rng.normal(0, 2, shape), rng.integers(0, 2, shape) * mask, mask))
    return cases


def loss_if_label_is_1(score):
    return loss(score, 1)


def loss_if_label_is_0(score):
    return loss(score, 0)


def cube(x):
    return x**3


def draw_functions(rng):
    functions = loss_if_label_is_1, loss_if_label_is_0, cube
    return [(function, float(rng.uniform(0.5, 2)), float(rng.uniform(0.1, 0.4))) for function in functions]


EXERCISES = {
    "04.1": Exercise(
        reference=loss,
        cases=draw_scores,
        faults={
            "a score is not a probability: sigmoid first": lambda score, label: -math.log(score if label else 1 - score),
            "a score is not a probability, its logarithm may not exist: sigmoid first": lambda score, label: -np.log(score if label else 1 - score),
            "a loss is not negative: the minus is missing": lambda score, label: -loss(score, label),
            "the sign is wrong for label 0 only; a loss is never negative": lambda score, label: loss(score, label) if label else -loss(score, label),
            "the sign is wrong for label 1 only; a loss is never negative": lambda score, label: -loss(score, label) if label else loss(score, label),
            "label 0 costs something too": lambda score, label: label * loss(score, 1),
            "label and 1 - label are the wrong way round": lambda score, label: loss(score, 1 - label),
            "that is the loss of label 1, whatever the label": lambda score, label: loss(score, 1),
            "that is in bits; take the natural logarithm": lambda score, label: loss(score, label) / np.log(2),
            "that is in powers of 10; take the natural logarithm": lambda score, label: loss(score, label) / np.log(10),
            "that is minus the logarithm of the score itself, whatever the label: the probability of the correct answer first": lambda score, label: -np.log(score),
            "that is the squared error of the predicted probability": lambda score, label: (sigmoid(score) - label) ** 2,
            "that is the probability of the correct answer; the loss is minus its logarithm": lambda score, label: np.exp(-loss(score, label)),
        },
        hints=("Which probability does the model give to the correct answer? The loss is minus its logarithm.", "For label 1 that probability is sigmoid(score), for label 0 it is sigmoid(-score)."),
    ),
    "04.2": Exercise(
        reference=masked,
        cases=draw_batches,
        faults={
            "the mask makes no difference in yours": lambda scores, labels, mask: loss(scores, labels).mean(axis=1),
            "padding still costs something: the mask is only in the divisor": lambda scores, labels, mask: loss(scores, labels).sum(axis=1) / mask.sum(axis=1),
            "divide by the number of valid positions, not by the length of the row": lambda scores, labels, mask: (loss(scores, labels) * mask).mean(axis=1),
            "a sum; the mean over the valid positions is wanted": lambda scores, labels, mask: (loss(scores, labels) * mask).sum(axis=1),
            "one number per row: sum along axis 1": lambda scores, labels, mask: (loss(scores, labels) * mask).sum(axis=0) / mask.sum(axis=0).clip(1),
            "one number per row, not one for all": lambda scores, labels, mask: (loss(scores, labels) * mask).sum() / mask.sum(),
            "masking a score gives it the loss of score 0; mask the losses": lambda scores, labels, mask: loss(scores * mask, labels).sum(axis=1) / mask.sum(axis=1),
            "(B, L) can't be divided by (B,): sum each row first, or keep the counts as a column with keepdims=True": lambda scores, labels, mask: (loss(scores, labels) * mask / mask.sum(axis=1)).sum(axis=1),
        },
        hints=("Losses times mask first. What is each row's sum divided by?", "mask.sum(axis=1) counts a row's valid positions."),
    ),
    "04.3": Exercise(
        reference=central,
        cases=draw_functions,
        faults={
            "from eps below to eps above the score changes by 2 * eps, not by eps": lambda function, score, eps: 2 * central(function, score, eps),
            "that is the change itself: divide it by the change of the score": lambda function, score, eps: 2 * eps * central(function, score, eps),
            "`/ 2 * eps` halves and then multiplies by eps: brackets around 2 * eps": lambda function, score, eps: eps**2 * central(function, score, eps),
            "the order: the loss above minus the loss below": lambda function, score, eps: -central(function, score, eps),
            "that looks above the score only: go eps to both sides": lambda function, score, eps: (function(score + eps) - function(score)) / eps,
            "that looks below the score only: go eps to both sides": lambda function, score, eps: (function(score) - function(score - eps)) / eps,
            "a change needs two losses: one above the score and one below": lambda function, score, eps: function(score) / (2 * eps),
            "that is a mean of two losses; their difference is wanted": lambda function, score, eps: (function(score + eps) + function(score - eps)) / 2,
            "half of eps to each side: go the whole eps": lambda function, score, eps: central(function, score, eps / 2),
            "take the eps that is given": lambda function, score, eps: central(function, score, 1e-5),
        },
        hints=("Call loss twice, at score + eps and at score - eps.", "The difference of the two losses, divided by 2 * eps."),
    ),
    "04.4": Exercise(
        reference=log_odds,
        cases=lambda rng: [(float(p),) for p in (rng.uniform(0.02, 0.45), rng.uniform(0.55, 0.98), rng.uniform(0.1, 0.4))],
        faults={
            "that is the ratio of the chances of yes and no; the score is its logarithm": lambda p: p / (1 - p),
            "the sign: a rare yes needs a negative score": lambda p: -log_odds(p),
            "the chance of no, 1 - p, counts too": lambda p: np.log(p),
            "that is the loss of a yes, not a score": lambda p: -np.log(p),
            "take the natural logarithm, not that of base 10": lambda p: log_odds(p) / np.log(10),
            "take the natural logarithm, not that of base 2": lambda p: log_odds(p) / np.log(2),
            "that turns p, as if it were a score, into a probability; the way back is wanted": sigmoid,
            "that is a probability; which score does the sigmoid turn into it?": lambda p: p,
            "that is the least mean loss; at which score is it reached?": lambda p: -p * np.log(p) - (1 - p) * np.log(1 - p),
        },
        hints=("By the score, the mean loss has the derivative sigmoid(s) - p. Where is that 0?", "Solve 1 / (1 + exp(-s)) = p for s: exp(-s) = (1 - p) / p."),
    ),
}  # fmt: skip
