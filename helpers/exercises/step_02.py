"""The exercises of step 2, the embedding layer."""

import numpy as np

from helpers.exercises import Exercise


def one_hot(ids, vocab_size):
    return np.eye(vocab_size)[ids]


def touched(contexts_and_negatives, mask):
    return np.unique(contexts_and_negatives[mask == 1])


def draw_batches(rng):
    cases = []
    for _ in range(4):
        length = rng.integers(1, 5, 6)
        mask = (np.arange(6) < length[:, None]).astype(int)
        cases.append((rng.integers(1, 20, mask.shape) * mask, mask))
    return cases


EXERCISES = {
    "02.1": Exercise(
        reference=lambda shape, embed_size: np.array([*shape, embed_size]),
        cases=lambda rng: [(tuple(int(n) for n in rng.choice(np.arange(2, 9), axes, replace=False)), int(rng.integers(10, 99))) for axes in (1, 2, 3)],
        faults={
            "that is the shape of the ids; each id becomes a vector": lambda shape, embed_size: np.array(shape),
            "the vector's axis comes last": lambda shape, embed_size: np.array([embed_size, *shape]),
            "no axis of the ids is lost": lambda shape, embed_size: np.array([*shape[:-1], embed_size]),
            "the axes of the ids stay apart": lambda shape, embed_size: np.array([np.prod(shape), embed_size]),
            "the ids' order of axes stays": lambda shape, embed_size: np.array([*shape[::-1], embed_size]),
        },
        hints=("Each id becomes a row of the table.", "All axes of the ids, and then one more."),
    ),
    "02.2": Exercise(
        reference=one_hot,
        cases=lambda rng: [(rng.integers(0, size, 4), size) for size in (5, 9, 12)],
        faults={
            "a row per id, a column per word: yours is turned over": lambda ids, size: one_hot(ids, size).T,
            "a row per id: in yours each row has a 1 for every id": lambda ids, size: np.tile(one_hot(ids, size).max(axis=0), (len(ids), 1)),
            "ids begin at 0, so id 0 has its 1 in the first column": lambda ids, size: np.roll(one_hot(ids, size), -1, axis=1),
            "ids begin at 0: your 1 stands one column too far right": lambda ids, size: np.roll(one_hot(ids, size), 1, axis=1),
            "each id has a row of its own; don't sum them": lambda ids, size: one_hot(ids, size).sum(axis=0),
            "the 1 and the 0 are the wrong way round": lambda ids, size: 1 - one_hot(ids, size),
        },
        hints=("Start with zeros of shape (len(ids), vocab_size).", "Which columns of which rows become 1? np.arange(len(ids)) names the rows."),
    ),
    "02.3": Exercise(
        reference=lambda vocab_size, embed_size: 2 * vocab_size * embed_size * 4 / 1e9,
        cases=lambda rng: [(int(rng.integers(10**5, 10**7)), int(rng.integers(50, 500))) for _ in range(4)],
        faults={
            "the model has two tables": lambda vocab_size, embed_size: vocab_size * embed_size * 4 / 1e9,
            "float32 takes 4 bytes, not 8": lambda vocab_size, embed_size: 2 * vocab_size * embed_size * 8 / 1e9,
            "a number takes more than one byte": lambda vocab_size, embed_size: 2 * vocab_size * embed_size / 1e9,
            "those are megabytes": lambda vocab_size, embed_size: 2 * vocab_size * embed_size * 4 / 1e6,
            "those are bytes": lambda vocab_size, embed_size: 2 * vocab_size * embed_size * 4,
            "those are gibibytes; take 10**9 bytes for a gigabyte": lambda vocab_size, embed_size: 2 * vocab_size * embed_size * 4 / 2**30,
            "a byte has 8 bits; float32 has 4 bytes": lambda vocab_size, embed_size: 2 * vocab_size * embed_size * 32 / 1e9,
        },
        hints=("How many numbers does one table hold?", "Two tables, 4 bytes per number, 10**9 bytes per gigabyte."),
    ),
    "02.4": Exercise(
        reference=touched,
        cases=draw_batches,
        faults={
            "filling moves no row: look at the mask": lambda words, mask: np.unique(words),
            "that is the filling; what counts are the words": lambda words, mask: np.unique(words[mask == 0]),
            "each row once, in ascending order": lambda words, mask: words[mask == 1],
            "each row once, in ascending order, not in that of the minibatch": lambda words, mask: np.array(list(dict.fromkeys(words[mask == 1].tolist()))),
            "that counts the rows; name them": lambda words, mask: len(np.unique(words[mask == 1])),
        },
        hints=("Only positions with mask 1 hold a word.", "np.unique gives each value once, in ascending order."),
    ),
}  # fmt: skip
