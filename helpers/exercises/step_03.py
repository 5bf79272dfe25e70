"""The exercises of step 3, skip-gram."""

import numpy as np

from helpers.exercises import Exercise


def sigmoid(score):
    return 1 / (1 + np.exp(-score))


def cosine(v, u):
    return v @ u / np.linalg.norm(v) / np.linalg.norm(u)


def scores_of(center, words, embed_v, embed_u, score=np.dot):
    return np.array([[score(embed_v[c], embed_u[w]) for w in row] for (c,), row in zip(center, words)])


def all_scores(v, u):
    return (v * u).sum(axis=-1)[:, None]


def draw_ids_and_tables(rng):
    cases = []
    for B, L, V, d in ((2, 4, 6, 3), (3, 5, 8, 4), (4, 2, 7, 5)):
        center = rng.choice(V, (B, 1), replace=False)
        tables = rng.normal(0, 1, (V, d)), rng.normal(0, 1, (V, d))
        cases.append((center, rng.integers(0, V, (B, L)), *tables))
    return cases


def draw_vectors(rng):
    return [(rng.normal(0, 1, (B, 1, d)), rng.normal(0, 1, (B, L, d))) for B, L, d in ((2, 4, 3), (3, 5, 6), (4, 2, 5))]


EXERCISES = {
    "03.1": Exercise(
        reference=scores_of,
        cases=draw_ids_and_tables,
        faults={
            "centers have their rows in embed_v, the other words in embed_u: yours has it the other way round": lambda c, w, v, u: scores_of(c, w, u, v),
            "the words that are asked about have their rows in embed_u, not in embed_v": lambda c, w, v, u: scores_of(c, w, v, v),
            "centers have their rows in embed_v, not in embed_u": lambda c, w, v, u: scores_of(c, w, u, u),
            "each row has its own center; yours takes the first one for all rows": lambda c, w, v, u: scores_of([c[0]] * len(c), w, v, u),
            "the score is one number: sum the products": lambda c, w, v, u: scores_of(c, w, v, u, np.multiply),
            "a score is the sum of the products, not their mean": lambda c, w, v, u: scores_of(c, w, v, u) / v.shape[1],
            "that is the cosine; a score is not divided by the lengths": lambda c, w, v, u: scores_of(c, w, v, u, cosine),
            "B rows of L scores are wanted: yours has one axis more": lambda c, w, v, u: scores_of(c, w, v, u)[:, None],
            "a row per center, a column per word: yours has them the other way round": lambda c, w, v, u: scores_of(c, w, v, u).T,
            "keep the rows apart: yours is one long list": lambda c, w, v, u: scores_of(c, w, v, u).ravel(),
        },
        hints=(
            "The outer loop goes over the rows of the minibatch, the inner one over the words of a row.",
            "Per row: v = embed_v[center[i][0]]; per word of the row: append v @ embed_u[word].",
        ),
    ),
    "03.2": Exercise(
        reference=all_scores,
        cases=draw_vectors,
        faults={
            "the middle axis is lost: (B, 1, L) is wanted": lambda v, u: (v * u).sum(-1),
            "sum over the numbers of a vector, which is the last axis": lambda v, u: (v * u).sum(1)[:, None],
            "the scores stand in a column: (B, 1, L) is wanted": lambda v, u: (v * u).sum(-1)[:, :, None],
            "each center has words of its own; yours meets those of all": lambda v, u: np.einsum("bid,cld->bcl", v, u),
            "a score is a sum, not a mean": lambda v, u: (v * u).mean(-1)[:, None],
        },
        hints=("v * u has the shape (B, L, d). Which axis goes?", "Sum over the last axis, then put an axis in with [:, None]."),
    ),
}  # fmt: skip
