"""The exercises of step 5, training."""

import numpy as np

from helpers.exercises import Exercise
from helpers.exercises.step_03 import sigmoid


def slope(v, u, label):
    return sigmoid(u @ v) - label


def moved(v, u, label, lr):
    return v - lr * slope(v, u, label) * u


def summed(gradients, ids, vocab_size):
    table = np.zeros((vocab_size, gradients.shape[1]))
    np.add.at(table, ids, gradients)
    return table


def overwritten(gradients, ids, vocab_size):
    table = np.zeros((vocab_size, gradients.shape[1]))
    table[ids] = gradients
    return table


def first_rise(held_out):
    """The epoch before the first at which the loss was higher."""
    return next((epoch for epoch, (before, after) in enumerate(zip(held_out, held_out[1:]), 1) if after > before), len(held_out))


def draw_pairs(rng):
    return [(rng.normal(0, 1, 4), rng.normal(0, 1, 4), label, float(rng.uniform(0.05, 0.5))) for label in (0, 1, 0, 1)]


def draw_gradients(rng):
    return [(rng.normal(0, 1, (6, 3)), rng.permutation([1, 1, 2, 4, 4, 4]), 6) for _ in range(3)]


def draw_curves(rng):
    """Held-out losses with their lowest in the middle, so that neither the first nor the last epoch is the best."""
    curves = []
    for _ in range(5):
        length = rng.integers(6, 10)
        curve = rng.uniform(0.42, 0.45, length)
        curve[rng.integers(2, length - 2)] = rng.uniform(0.38, 0.4)
        curve[0], curve[-1] = 0.46, 0.455
        curves.append((curve.tolist(),))
    return curves


EXERCISES = {
    "05.1": Exercise(
        reference=moved,
        cases=draw_pairs,
        faults={
            "that goes up the hill: the step is against the gradient": lambda v, u, label, lr: v + lr * slope(v, u, label) * u,
            "the gradient of v's row points along u, not along v": lambda v, u, label, lr: v - lr * slope(v, u, label) * v,
            "the rate is missing": lambda v, u, label, lr: v - slope(v, u, label) * u,
            "the loss is the position's own: halve nothing": lambda v, u, label, lr: v - lr * slope(v, u, label) * u / 2,
            "that is the row of the word; the center's is asked for": lambda v, u, label, lr: u - lr * slope(v, u, label) * v,
            "the label makes no difference in yours": lambda v, u, label, lr: v - lr * sigmoid(u @ v) * u,
            "belief minus label, not score minus label": lambda v, u, label, lr: v - lr * (u @ v - label) * u,
            "that is the step alone; return where v ends": lambda v, u, label, lr: -lr * slope(v, u, label) * u,
        },
        hints=("The slope of the loss by the score is belief minus label. How does the score change with v?", "v - lr * (sigmoid(u @ v) - label) * u."),
    ),
    "05.2": Exercise(
        reference=summed,
        cases=draw_gradients,
        faults={
            "a word that occurs twice gets both gradients; in yours the last one wins": overwritten,
            "sum a word's gradients, don't take their mean": lambda gradients, ids, size: summed(gradients, ids, size) / np.bincount(ids, minlength=size).clip(1)[:, None],
            "in yours the first gradient of a word wins": lambda gradients, ids, size: overwritten(gradients[::-1], ids[::-1], size),
            "each word has a row of its own; yours are all alike": lambda gradients, ids, size: np.tile(gradients.sum(axis=0), (size, 1)),
            "the gradient is added; in yours it is taken off": lambda gradients, ids, size: -summed(gradients, ids, size),
        },
        hints=("Try table[ids] += gradients with an id that occurs twice. What happened?", "np.add.at(table, ids, gradients), or a loop over the ids."),
    ),
    "05.3": Exercise(
        reference=lambda held_out: int(np.argmin(held_out)) + 1,
        cases=draw_curves,
        faults={
            "epochs are counted from 1, places in a list from 0": lambda held_out: int(np.argmin(held_out)),
            "a loss is better if it is lower": lambda held_out: int(np.argmax(held_out)) + 1,
            "later is not better: look where the held-out loss is lowest": len,
            "that is the loss; the epoch is asked for": min,
            "one epoch too late": lambda held_out: int(np.argmin(held_out)) + 2,
            "the loss may rise once and fall again: look at all epochs": first_rise,
        },
        hints=("What does the held-out loss measure? Is more of it better?", "The place of the smallest loss in the list, plus 1."),
    ),
}  # fmt: skip
