"""The exercises of step 9, hyper-parameters."""

import itertools

import numpy as np

from helpers.exercises import Exercise


def shared(first, second):
    """The share of each row of ids (n, k) that stands in the same row of another array."""
    return np.array([len(set(one) & set(other)) / len(one) for one, other in zip(first, second)])


def floor(runs):
    return float(np.mean([shared(*pair) for pair in itertools.combinations(runs, 2)]))


def lines_through(overlaps, default):
    """The overlaps along each axis through the default, where the other two parameters stay as they are."""
    i, j, k = default
    return overlaps[:, j, k], overlaps[i, :, k], overlaps[i, j, :]


def one_at_a_time(overlaps, default):
    return np.array([line.min() for line in lines_through(overlaps, default)])


def ranks(values):
    return np.argsort(np.argsort(values))


def rank_correlation(first, second):
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


def draw_runs(rng):
    """Neighbors (3, 6, 5) of 6 words in 3 runs; each two runs have another number of words in common."""
    cases = []
    for few, many in rng.permutation([(1, 3), (1, 2), (1, 4), (2, 3)]):
        first = np.array([rng.permutation(30)[:5] for _ in range(6)])
        second, third = first[:, ::-1].copy(), first[:, ::-1].copy()
        second[:, :few], third[:, 5 - many :] = 30 + np.arange(few), 40 + np.arange(many)
        cases.append((np.array([first, second, third]),))
    return cases


def draw_overlaps(rng):
    """Overlaps (3, 4, 3), largest at the default, with smaller ones where more than one parameter is changed."""
    cases = []
    for _ in range(4):
        default = tuple(int(rng.integers(size)) for size in (3, 4, 3))
        changed = sum((np.arange(size) != place).reshape(shape) for size, place, shape in zip((3, 4, 3), default, ((-1, 1, 1), (-1, 1), (-1,))))
        cases.append((0.6 - 0.15 * changed + rng.uniform(0, 0.1, (3, 4, 3)), default))
    return cases


def draw_pairs_of_lists(rng):
    return [(np.exp(rng.normal(0, 2, 8)).tolist(), rng.uniform(0, 1, 8).tolist()) for _ in range(4)]


EXERCISES = {
    "09.1": Exercise(
        reference=floor,
        cases=draw_runs,
        faults={
            "a run agrees fully with itself: leave those pairs out": lambda runs: float(np.mean([shared(*pair) for pair in itertools.product(runs, runs)])),
            "that is the first two runs only; take all pairs": lambda runs: float(shared(runs[0], runs[1]).mean()),
            "you take each run with the next one; the first and the last are a pair too": lambda runs: float(np.mean([shared(*pair) for pair in zip(runs, runs[1:])])),
            "you take the first run with each other; the others are pairs too": lambda runs: float(np.mean([shared(runs[0], run) for run in runs[1:]])),
            "the order makes no difference: a neighbor may be at another position": lambda runs: float(np.mean([one == other for one, other in itertools.combinations(runs, 2)])),
            "a share lies between 0 and 1; that is the number of shared neighbors": lambda runs: floor(runs) * np.shape(runs)[2],
            "that is the sum over the pairs; return their mean": lambda runs: floor(runs) * len(runs) * (len(runs) - 1) / 2,
            "that is the share that differs; return the share in common": lambda runs: 1 - floor(runs),
        },
        hints=("How many pairs of different runs do three runs have?", "itertools.combinations(runs, 2), and for each word the share of its neighbors that both runs have; then the mean of all."),
    ),
    "09.2": Exercise(
        reference=one_at_a_time,
        cases=draw_overlaps,
        faults={
            "only one parameter may change: the other two stay at their defaults": lambda overlaps, default: np.full(3, overlaps.min()),
            "that is the largest overlap; the smallest is the largest change": lambda overlaps, default: np.array([line.max() for line in lines_through(overlaps, default)]),
            "that is the position of the smallest overlap; return the overlap itself": lambda overlaps, default: np.array([np.argmin(line) for line in lines_through(overlaps, default)]),
            "that is the mean along each axis; return the smallest": lambda overlaps, default: np.array([line.mean() for line in lines_through(overlaps, default)]),
            "reverse the order: the first axis comes first": lambda overlaps, default: one_at_a_time(overlaps, default)[::-1],
        },
        hints=("Which line of the cube holds the settings that differ from the default only in the first parameter?", "overlaps[:, j, k].min() for the first axis, where default is (i, j, k)."),
    ),
    "09.3": Exercise(
        reference=rank_correlation,
        cases=draw_pairs_of_lists,
        faults={
            "that is the correlation of the values; replace them by their ranks first": lambda first, second: float(np.corrcoef(first, second)[0, 1]),
            "np.argsort gives the index of each sorted value, not the rank of each value": lambda first, second: float(np.corrcoef(np.argsort(first), np.argsort(second))[0, 1]),
            "the sign is wrong: 1 means the same order": lambda first, second: -rank_correlation(first, second),
            "rank both lists, not the first alone": lambda first, second: float(np.corrcoef(ranks(first), second)[0, 1]),
            "rank both lists, not the second alone": lambda first, second: float(np.corrcoef(first, ranks(second))[0, 1]),
            "that is the covariance of the ranks; divide it by both standard deviations": lambda first, second: float(np.cov(ranks(first), ranks(second))[0, 1]),
            "np.corrcoef gives a matrix; return the number off its diagonal": lambda first, second: np.corrcoef(ranks(first), ranks(second)),
        },
        hints=("The rank of a value is its position in the sorted list. What is the correlation of two lists of ranks?", "np.corrcoef(ranks(first), ranks(second))[0, 1], where ranks sorts twice: np.argsort(np.argsort(values))."),
    ),
}  # fmt: skip
