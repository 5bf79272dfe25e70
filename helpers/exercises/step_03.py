"""The exercises of step 3, skip-gram."""

import numpy as np

from helpers.exercises import Exercise


def sigmoid(score):
    return 1 / (1 + np.exp(-score))


def all_scores(v, u):
    return (v * u).sum(axis=-1)[:, None]


def draw_vectors(rng):
    return [(rng.normal(0, 1, size), rng.normal(0, 1, size)) for size in (3, 4, 7)]


def draw_batches(rng):
    return [(rng.normal(0, 1, (b, 1, d)), rng.normal(0, 1, (b, n, d))) for b, n, d in ((2, 4, 3), (3, 5, 6), (4, 2, 5))]


EXERCISES = {
    "03.1": Exercise(
        reference=lambda v, u: v @ u,
        cases=draw_vectors,
        faults={
            "the score is one number: sum the products": lambda v, u: v * u,
            "that is the cosine; the score is not divided by the lengths": lambda v, u: v @ u / np.linalg.norm(v) / np.linalg.norm(u),
            "a sum of sums; the numbers of a place are multiplied first": lambda v, u: (v + u).sum(),
            "sum the products, don't take their mean": lambda v, u: (v * u).mean(),
            "that is the distance of the two": lambda v, u: np.linalg.norm(v - u),
            "all numbers with all: only those of the same place belong together": lambda v, u: v.sum() * u.sum(),
        },
        hints=("Multiply number by number, then sum.", "v @ u does both."),
    ),
    "03.2": Exercise(
        reference=all_scores,
        cases=draw_batches,
        faults={
            "the middle axis is lost: (B, 1, L) is wanted": lambda v, u: (v * u).sum(-1),
            "sum over the numbers of a vector, which is the last axis": lambda v, u: (v * u).sum(1)[:, None],
            "the scores stand in a column: (B, 1, L) is wanted": lambda v, u: (v * u).sum(-1)[:, :, None],
            "each center has words of its own; yours meets those of all": lambda v, u: np.einsum("bid,cld->bcl", v, u),
            "a score is a sum, not a mean": lambda v, u: (v * u).mean(-1)[:, None],
        },
        hints=("v * u has the shape (B, L, d). Which axis goes?", "Sum over the last axis, then put an axis in with [:, None]."),
    ),
    "03.3": Exercise(
        reference=lambda num_centers, num_words, embed_size: np.array([num_centers, 1, num_words]),
        cases=lambda rng: [tuple(int(n) for n in rng.choice(np.arange(2, 99), 3, replace=False)) for _ in range(4)],
        faults={
            "the numbers of a vector are summed, so embed_size is not in it": lambda b, n, d: np.array([b, n, d]),
            "each center keeps an axis of length 1": lambda b, n, d: np.array([b, n]),
            "the 1 stands in the middle: one row of scores per center": lambda b, n, d: np.array([b, n, 1]),
            "centers first, then words": lambda b, n, d: np.array([n, 1, b]),
            "embed_size is summed away; the words are not": lambda b, n, d: np.array([b, 1, d]),
        },
        hints=("The product of (1, d) with (d, L), once per center.", "Three axes: centers, 1, words."),
    ),
    "03.4": Exercise(
        reference=sigmoid,
        cases=lambda rng: [(float(score),) for score in [*rng.normal(0, 2, 4), 0.0]],
        faults={
            "a score of 0 must be 0.5, and no belief is below 0: that is tanh": np.tanh,
            "the larger the score the larger the belief; the sign is turned over": lambda score: sigmoid(-score),
            "those are the odds, which grow above 1; belief = odds / (1 + odds)": np.exp,
            "that is the loss of the answer yes, not the belief in it": lambda score: -np.log(sigmoid(score)),
            "scores are not just cut off at 0 and 1": lambda score: float(np.clip(score, 0, 1)),
        },
        hints=("It takes any number to one between 0 and 1, and 0 to 0.5.", "1 / (1 + exp(-score))."),
    ),
}  # fmt: skip
