"""The exercises of step 2, the embedding layer."""

import numpy as np

from helpers.exercises import Exercise


def one_hot(ids, vocab_size):
    return np.eye(vocab_size)[ids]


def rows(words, mask):
    return np.unique(words[mask == 1])


def draw_batches(rng):
    cases = []
    for _ in range(4):
        length = rng.integers(1, 5, 6)
        mask = (np.arange(6) < length[:, None]).astype(int)  # (6, 6), each row with padding
        padding = rng.integers(20, 30, mask.shape)
        padding[0, -1] = 0
        cases.append((np.where(mask, rng.integers(1, 20, mask.shape), padding), mask))
    return cases


EXERCISES = {
    "02.1": Exercise(
        reference=one_hot,
        cases=lambda rng: [(rng.integers(0, size, 4), size) for size in (5, 9, 12)],
        faults={
            "a row per id, a column per word: yours has them the other way round": lambda ids, size: one_hot(ids, size).T,
            "a row per id: in yours each row has a 1 for every id": lambda ids, size: np.tile(one_hot(ids, size).max(axis=0), (len(ids), 1)),
            "ids begin at 0, so id 0 has its 1 in the first column": lambda ids, size: np.roll(one_hot(ids, size), -1, axis=1),
            "ids begin at 0: your 1 stands one column too far right": lambda ids, size: np.roll(one_hot(ids, size), 1, axis=1),
            "each id has a row of its own; don't sum them": lambda ids, size: one_hot(ids, size).sum(axis=0),
            "1 at the word's id and 0 elsewhere: yours has 0 there and 1 elsewhere": lambda ids, size: 1 - one_hot(ids, size),
        },
        hints=("Start with zeros of shape (len(ids), vocab_size).", "Which columns of which rows become 1? np.arange(len(ids)) names the rows."),
    ),
    "02.2": Exercise(
        reference=rows,
        cases=draw_batches,
        faults={
            "nothing is made of padding: look at the mask": lambda words, mask: np.unique(words),
            "row 0 is a row too: words * mask turns padding into word 0": lambda words, mask: np.unique(words * mask),
            "the mask says what is padding, not an id of 0": lambda words, mask: np.unique(words[words > 0]),
            "an array of 0 and 1 as an index picks rows 0 and 1: use mask == 1": lambda words, mask: np.unique(words[mask]),
            "that is the padding; what counts are the words": lambda words, mask: np.unique(words[mask == 0]),
            "each row once, in ascending order": lambda words, mask: words[mask == 1],
            "each row once, in ascending order, not in that of the minibatch": lambda words, mask: np.array(list(dict.fromkeys(words[mask == 1].tolist()))),
            "that counts the rows; name them": lambda words, mask: len(rows(words, mask)),
        },
        hints=("Only positions with mask 1 have a part in the result.", "np.unique gives each value once, in ascending order."),
    ),
}  # fmt: skip
