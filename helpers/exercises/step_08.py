"""The exercises of step 8, blocks."""

import numpy as np

from helpers.exercises import Exercise


def columns(place, left, right, max_window_size):
    center = place + max_window_size
    return [column for column in range(center - left, center + right + 1) if column != center]


def used(block_size, max_window_size):
    """With every window as wide as it may be: 2 * W context words of the B + 2 * W in the stretch, for each center."""
    return 2 * max_window_size / (block_size + 2 * max_window_size)


def rows_fetched(block_size, max_window_size, noise):
    return (block_size + block_size + 2 * max_window_size + noise) / block_size


def draw_reaches(rng):
    return [(int(rng.integers(1, 30)), int(rng.integers(1, 5)), int(rng.integers(1, 5)), 5) for _ in range(6)]


def draw_blocks(rng):
    return [(int(size), int(window)) for size, window in zip(rng.choice(np.arange(3, 70), 5, replace=False), rng.integers(2, 9, 5))]


EXERCISES = {
    "08.1": Exercise(
        reference=lambda place, left, right, max_window_size: np.array(columns(place, left, right, max_window_size)),
        cases=draw_reaches,
        faults={
            "the center is not a context word of itself": lambda p, left, right, w: np.arange(p + w - left, p + w + right + 1),
            "the stretch begins max_window_size words before the block": lambda p, left, right, w: np.array(columns(p, left, right, w)) - w,
            "left and right are the wrong way round, or one is counted twice": lambda p, left, right, w: np.array(columns(p, left, left, w)),
            "from left to right": lambda p, left, right, w: np.array(columns(p, left, right, w))[::-1],
            "the word's own reach is asked for, not the largest window": lambda p, left, right, w: np.array(columns(p, w, w, w)),
            "the last one is missing: a range ends before its stop": lambda p, left, right, w: np.array(columns(p, left, right - 1, w)),
        },
        hints=("In which column of the stretch does the center itself stand?", "The center stands in column place + max_window_size; go left and right from there."),
    ),
    "08.2": Exercise(
        reference=used,
        cases=draw_blocks,
        faults={
            "the stretch is longer than the block, by a window at each end": lambda size, window: 2 * window / size,
            "a window has two sides": lambda size, window: window / (size + 2 * window),
            "the center's own column is one of the stretch, with the weight 0": lambda size, window: 2 * window / (size + 2 * window - 1),
            "the center's own column does not count": lambda size, window: (2 * window + 1) / (size + 2 * window),
            "that is the share that is not used": lambda size, window: size / (size + 2 * window),
            "the stretch reaches beyond both ends of the block": lambda size, window: 2 * window / (size + window),
        },
        hints=("How many columns does a row of scores have, and how many of them count?", "2 * W of the B + 2 * W columns."),
    ),
    "08.3": Exercise(
        reference=rows_fetched,
        cases=lambda rng: [(size, window, int(rng.integers(4, 60))) for size, window in draw_blocks(rng)],
        faults={
            "the centers' own rows are fetched too, from the other table": lambda size, window, noise: (size + 2 * window + noise) / size,
            "the noise words' rows are missing": lambda size, window, noise: (2 * size + 2 * window) / size,
            "the rows that are shared are divided among the centers of the block": lambda size, window, noise: 1 + size + 2 * window + noise,
            "that is for the whole block; per center is asked for": lambda size, window, noise: 2 * size + 2 * window + noise,
            "the noise words are shared: fetched once for the block": lambda size, window, noise: (2 * size + 2 * window) / size + noise,
            "neighbors share the stretch: it is fetched once for the block": lambda size, window, noise: (size + 2 * window * size + noise) / size,
        },
        hints=("Three kinds of rows are fetched for a block. Count each, then divide.", "B centers, B + 2 * W words of the stretch, and the noise words, all divided by B."),
    ),
}  # fmt: skip
