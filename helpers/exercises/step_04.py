"""The exercises of step 4, the loss."""

import numpy as np

from helpers.exercises import Exercise
from helpers.exercises.step_03 import sigmoid
from helpers.training import blind_loss


def loss(score, label):
    return -(label * np.log(sigmoid(score)) + (1 - label) * np.log(sigmoid(-score)))


def masked(scores, labels, mask):
    return (loss(scores, labels) * mask).sum(axis=1) / mask.sum(axis=1)


def slopes(scores, labels, mask):
    return (sigmoid(scores) - labels) * mask / mask.sum(axis=1, keepdims=True)


def draw_scores(rng):
    return [(float(score), label) for score in rng.normal(0, 2, 3) for label in (0, 1)]


def draw_batches(rng):
    cases = []
    for shape in ((3, 4), (2, 6), (5, 5)):
        mask = (np.arange(shape[1]) < rng.permutation(np.arange(shape[0]) % (shape[1] - 1) + 1)[:, None]).astype(float)
        cases.append((rng.normal(0, 2, shape), rng.integers(0, 2, shape) * mask, mask))
    return cases


EXERCISES = {
    "04.1": Exercise(
        reference=loss,
        cases=draw_scores,
        faults={
            "a loss is not negative: the minus is missing": lambda score, label: -loss(score, label),
            "label 0 costs something too": lambda score, label: -label * np.log(sigmoid(score)),
            "label and 1 - label are the wrong way round": lambda score, label: loss(score, 1 - label),
            "that is the loss of label 1, whatever the label": lambda score, label: -np.log(sigmoid(score)),
            "that is in bits; take the natural logarithm": lambda score, label: loss(score, label) / np.log(2),
            "that is the squared error of the belief": lambda score, label: (sigmoid(score) - label) ** 2,
            "that is the belief in the true answer; the loss is minus its logarithm": lambda score, label: np.exp(-loss(score, label)),
        },
        hints=("What is the belief in what is true? The loss is minus its logarithm.", "For label 1 the belief is sigmoid(score), for label 0 it is sigmoid(-score)."),
    ),
    "04.2": Exercise(
        reference=masked,
        cases=draw_batches,
        faults={
            "the mask makes no difference in yours": lambda scores, labels, mask: loss(scores, labels).mean(axis=1),
            "divide by the number of valid positions, not by the length of the row": lambda scores, labels, mask: (loss(scores, labels) * mask).mean(axis=1),
            "a sum; the mean over the valid positions is wanted": lambda scores, labels, mask: (loss(scores, labels) * mask).sum(axis=1),
            "one number per row: sum along axis 1": lambda scores, labels, mask: (loss(scores, labels) * mask).sum(axis=0) / mask.sum(axis=0).clip(1),
            "one number per row, not one for all": lambda scores, labels, mask: (loss(scores, labels) * mask).sum() / mask.sum(),
            "masking a score gives it the loss of score 0; mask the losses": lambda scores, labels, mask: loss(scores * mask, labels).sum(axis=1) / mask.sum(axis=1),
        },
        hints=("Losses times mask first. What is each row's sum divided by?", "mask.sum(axis=1) counts a row's valid positions."),
    ),
    "04.3": Exercise(
        reference=slopes,
        cases=draw_batches,
        faults={
            "the sign: for label 1 a higher score lowers the loss": lambda scores, labels, mask: -slopes(scores, labels, mask),
            "filling must have slope 0": lambda scores, labels, mask: (sigmoid(scores) - labels) / mask.sum(axis=1, keepdims=True),
            "the loss of a row is a mean: divide by its valid positions": lambda scores, labels, mask: (sigmoid(scores) - labels) * mask,
            "divide by the valid positions, not by the length": lambda scores, labels, mask: (sigmoid(scores) - labels) * mask / mask.shape[1],
            "that is the slope of the squared error": lambda scores, labels, mask: slopes(scores, labels, mask) * sigmoid(scores) * (1 - sigmoid(scores)),
            "belief minus label, not score minus label": lambda scores, labels, mask: (scores - labels) * mask / mask.sum(axis=1, keepdims=True),
        },
        hints=("The slope of one position's loss is belief minus label.", "Then times the mask, and divided by the row's valid positions."),
    ),
    "04.4": Exercise(
        reference=blind_loss,
        cases=lambda rng: [(int(number),) for number in rng.choice(np.arange(2, 30), 4, replace=False)],
        faults={
            "that is the loss of a belief of one half": lambda number: np.log(2),
            "the noise words cost something too": lambda number: -np.log(1 / (1 + number)) / (1 + number),
            "that is the loss of a context word alone": lambda number: -np.log(1 / (1 + number)),
            "the share of context words is 1 in 1 + num_noise_words": lambda number: -(np.log(1 / number) + (number - 1) * np.log(1 - 1 / number)) / number,
            "weigh both kinds by their share; yours weighs them alike": lambda number: -(np.log(1 / (1 + number)) + np.log(number / (1 + number))) / 2,
            "a loss is not negative: the minus is missing": lambda number: -blind_loss(number),
            "that is in bits; take the natural logarithm": lambda number: blind_loss(number) / np.log(2),
        },
        hints=("Which belief is best if all positions get the same? It is the share of context words.", "With share p: -p * log(p) - (1 - p) * log(1 - p)."),
    ),
}  # fmt: skip
