"""The exercises of step 1, data."""

import numpy as np

from helpers.examples import keep_probability, noise_probability
from helpers.exercises import Exercise


def contexts(sentence, place, window):
    return sentence[max(0, place - window) : place] + sentence[place + 1 : place + 1 + window]


def draw_sentences(rng):
    sentences = [rng.integers(1, 1000, rng.integers(6, 12)).tolist() for _ in range(4)]
    inner = [(sentence, int(rng.integers(2, len(sentence) - 2)), int(rng.integers(1, 3))) for sentence in sentences]
    twice = [7, 3, 7, 5, 7, 7, 2]  # the center's word may stand beside it once more
    return [*inner, (sentences[0], 0, 2), (sentences[1], len(sentences[1]) - 1, 3), (sentences[2], 1, 4), (twice, 2, 2)]


def pad(rows):
    longest = max(map(len, rows))
    filled = [row + [0] * (longest - len(row)) for row in rows]
    return np.array(filled), np.array([[1] * len(row) + [0] * (longest - len(row)) for row in rows])


def pad_left(rows):
    longest = max(map(len, rows))
    return tuple(np.array([[0] * (longest - len(row)) + values for row, values in zip(rows, both)]) for both in (rows, [[1] * len(row) for row in rows]))


def draw_rows(rng):
    return [([rng.integers(1, 50, length).tolist() for length in rng.permutation([2, 3, 7, 5])],) for _ in range(3)]


EXERCISES = {
    "01.1": Exercise(
        reference=lambda max_window_size: 2 * max_window_size,
        cases=lambda rng: [(int(size),) for size in rng.choice(np.arange(3, 30), 5, replace=False)],
        faults={
            "a center has neighbours on both sides": lambda size: size,
            "the center is not a context word of itself": lambda size: 2 * size + 1,
            "that is for windows of the mean size; the question is for the most": lambda size: size + 1,
            "a window of 1 reaches one word to each side, not none": lambda size: 2 * (size - 1),
            "the words of the two sides add up": lambda size: size * size,
        },
        hints=("Write down a sentence, mark a word in its middle, and count.", "As many as the window on the left, and as many on the right."),
    ),
    "01.2": Exercise(
        reference=lambda share: keep_probability(np.array([0, share, 1 - share]))[1],
        cases=lambda rng: [(float(share),) for share in [*10 ** rng.uniform(-4, -1, 4), *10 ** rng.uniform(-6, -4, 2)]],
        faults={
            "that is the chance to be dropped": lambda share: 1 - min(1.0, np.sqrt(1e-4 / share)),
            "the square root is missing": lambda share: min(1.0, 1e-4 / share),
            "a chance is never above 1: what happens to rare words?": lambda share: np.sqrt(1e-4 / share),
            "that is word2vec.c's formula, and a chance is never above 1": lambda share: np.sqrt(1e-4 / share) + 1e-4 / share,
            "frequent words must be kept less often, not more": lambda share: min(1.0, np.sqrt(share / 1e-4)),
            "that is the formula of the program word2vec.c, not the paper's": lambda share: min(1.0, np.sqrt(1e-4 / share) + 1e-4 / share),
        },
        hints=("The more frequent the word, the smaller its chance.", "The square root of 0.0001 / share, but never above 1."),
    ),
    "01.3": Exercise(
        reference=lambda counts: noise_probability(np.array([0, *counts]))[1:],
        cases=lambda rng: [(rng.integers(1, 1000, size).astype(float),) for size in (2, 5, 9)],
        faults={
            "the power 3/4 is missing": lambda counts: counts / counts.sum(),
            "the chances must sum to 1": lambda counts: counts**0.75,
            "first the power, then the share: your chances don't sum to 1": lambda counts: (counts / counts.sum()) ** 0.75,
            "a power above 1 makes frequent words more frequent still": lambda counts: counts ** (4 / 3) / (counts ** (4 / 3)).sum(),
            "the counts make no difference": lambda counts: np.full(len(counts), 1 / len(counts)),
            "divide by the sum, not by the largest": lambda counts: counts**0.75 / (counts**0.75).max(),
        },
        hints=("Two steps: a power of each count, then shares.", "counts ** 0.75, divided by its sum."),
    ),
    "01.4": Exercise(
        reference=contexts,
        cases=draw_sentences,
        faults={
            "the center is not a context word of itself": lambda s, place, window: s[max(0, place - window) : place + 1 + window],
            "a negative start counts from the end: what comes out at place 1 with a window of 2?": lambda s, place, window: s[place - window : place] + s[place + 1 : place + 1 + window],
            "leave out the center's place, not its word: the word may stand in the window once more": lambda s, place, window: [
                word for word in s[max(0, place - window) : place + 1 + window] if word != s[place]
            ],
            "that is the right side only": lambda s, place, window: s[place + 1 : place + 1 + window],
            "that is the left side only": lambda s, place, window: s[max(0, place - window) : place],
            "the last word of the window is missing: a slice ends before its stop": lambda s, place, window: s[max(0, place - window) : place] + s[place + 1 : place + window],
        },
        hints=("Two slices: left of the place and right of it.", "The left one begins at max(0, place - window)."),
    ),
    "01.5": Exercise(
        reference=pad,
        cases=draw_rows,
        faults={
            "the mask must be 0 where there is filling": lambda rows: (pad(rows)[0], np.ones_like(pad(rows)[1])),
            "mask is 1 for words and 0 for filling, not the other way round": lambda rows: (pad(rows)[0], 1 - pad(rows)[1]),
            "fill up on the right, after the words": pad_left,
            "words first, then the mask": lambda rows: pad(rows)[::-1],
            "nothing may be cut off: fill up to the longest row": lambda rows: tuple(part[:, : min(map(len, rows))] for part in pad(rows)),
        },
        hints=("How long is the longest row? Fill each row up to that.", "row + [0] * (longest - len(row)), and the same with ones for the mask; both as np.array."),
    ),
}  # fmt: skip
