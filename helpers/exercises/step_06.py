"""The exercises of step 6, similarity."""

import numpy as np

from helpers.exercises import Exercise
from helpers.vectors import unit_rows


def cosines(table, row):
    rows = unit_rows(table)
    return rows @ rows[row]


def nearest(table, row, k):
    order = np.argsort(-cosines(table, row))
    return order[order != row][:k]


def nearest_by(values):
    def found(table, row, k):
        order = np.argsort(-values(table, row))
        return order[order != row][:k]

    return found


def draw_tables(rng):
    tables = [rng.normal(0, 1, (12, 3)) * rng.uniform(0.1, 4, (12, 1)) for _ in range(4)]
    tables[0][0] = 2 * tables[0][5]  # row 0 is a neighbor like any other, and its cosine is that of the row itself
    tables[1] = np.abs(tables[1])
    tables[1][7] *= -1  # all other cosines are negative
    tables[2][11] = 2 * tables[2][5]  # as in the first, but behind the row
    return [(tables[0], 5, 3), (tables[1], 7, 4), (tables[2], 5, 4), (tables[3], int(rng.integers(12)), 5)]


def limits(random_pairs, share=0.99):
    return np.quantile(random_pairs, share, axis=1)


def from_then_on(above):
    below = np.flatnonzero(~above)
    return int(below.max()) + 1 if len(below) else 0


def believed_from(nearest, random_pairs):
    return from_then_on(nearest > limits(random_pairs))


def draw_epochs(rng):
    """Cases (nearest, random_pairs): above the limit by chance at epoch 0 or 1, then below, above in the end."""
    cases = []
    for number in range(5):
        num_epochs = int(rng.integers(7, 10))
        means = np.concatenate([[0], np.linspace(0.75, 0.2, num_epochs - 1)])
        if number == 1:  # random pairs that become more alike: the limit of all epochs together lies below the last ones
            means = np.linspace(0, 0.8, num_epochs)
        random_pairs = means[:, None] + rng.uniform(0.03, 0.06, (num_epochs, 1)) * rng.normal(size=(num_epochs, 150))
        wanted = num_epochs - 1 if number == 1 else int(rng.integers(3, num_epochs - 1))
        limit = limits(random_pairs)
        above = limit + 0.5 * (random_pairs.max(axis=1) - limit)  # and below the largest
        below = limits(random_pairs, 0.97)
        below[2] = limits(random_pairs, 0.25)[2]  # below the mean, too
        is_above = np.arange(num_epochs) >= wanted
        is_above[1 if number == 2 else 0] = True
        cases.append((np.where(is_above, above, below), random_pairs))
    return cases


EXERCISES = {
    "06.1": Exercise(
        reference=nearest,
        cases=draw_tables,
        faults={
            "no word is its own neighbor: leave the row itself out": lambda table, row, k: np.argsort(-cosines(table, row))[:k],
            "another row may lie in the same direction and come first: leave `row` out by its number, not by its place": lambda table, row, k: np.argsort(-cosines(table, row))[1 : k + 1],
            "another row may lie in the same direction and come after `row` in the order: leave `row` out by its number": lambda table, row, k: np.argsort(cosines(table, row))[::-1][1 : k + 1],
            "cosines can be negative: 0 for the row itself is not the least": lambda table, row, k: np.argsort(-np.where(np.arange(len(table)) == row, 0, cosines(table, row)))[:k],
            "that is the order of the dot products; long rows win there": nearest_by(lambda table, row: table @ table[row]),
            "np.argsort sorts upward: the farthest rows come first there": nearest_by(lambda table, row: -cosines(table, row)),
            "that is the order of the distances": nearest_by(lambda table, row: -np.linalg.norm(table - table[row], axis=1)),
            "row 0 is a row like any other here": lambda table, row, k: np.array([n for n in nearest(table, row, k + 1) if n][:k]),
            "these are the right rows; the nearest must come first": lambda table, row, k: nearest(table, row, k)[::-1],
            "these are the right rows, in the order of the table; the nearest must come first": lambda table, row, k: np.sort(nearest(table, row, k)),
            "np.argsort sorts upward: the nearest comes last there, and after it the row itself": lambda table, row, k: np.argsort(cosines(table, row))[-k:],
            "those are cosines; the numbers of the rows are asked for": lambda table, row, k: cosines(table, row)[nearest(table, row, k)],
            "the first of the order of dot products need not be the row itself": lambda table, row, k: np.argsort(-(table @ table[row]))[1 : k + 1],
        },
        hints=("First the cosines with all rows, then their order.", "np.argsort(-cosines) without `row`, and the first k of it."),
    ),
    "06.2": Exercise(
        reference=believed_from,
        cases=draw_epochs,
        faults={
            "that is the first epoch above the limit; an early one may be above it by chance, so all later ones must be, too":
                lambda nearest, random_pairs: int(np.argmax(nearest > limits(random_pairs))),
            "half of the random pairs lie above their mean; the limit is the 99 % quantile":
                lambda nearest, random_pairs: from_then_on(nearest > random_pairs.mean(axis=1)),
            "the same limit for every epoch does not do: after one epoch even random pairs have high cosines":
                lambda nearest, random_pairs: from_then_on(nearest > 0.5),
            "the largest random pair is too strict a limit; 99 % of them are asked for":
                lambda nearest, random_pairs: from_then_on(nearest > random_pairs.max(axis=1)),
            "each epoch has a limit of its own: a quantile along axis 1":
                lambda nearest, random_pairs: from_then_on(nearest > np.quantile(random_pairs, 0.99)),
            "that is the last epoch that is not above the limit; the next one is asked for":
                lambda nearest, random_pairs: believed_from(nearest, random_pairs) - 1,
            "epoch 0 is before training: count from 0": lambda nearest, random_pairs: believed_from(nearest, random_pairs) + 1,
            "that is the number of epochs above the limit": lambda nearest, random_pairs: int((nearest > limits(random_pairs)).sum()),
            "that is the quantile of 1 %; nearly all pairs lie above it": lambda nearest, random_pairs: from_then_on(nearest > limits(random_pairs, 0.01)),
            "those are all the epochs above the limit; the first from which on it stays so is asked for":
                lambda nearest, random_pairs: np.flatnonzero(nearest > limits(random_pairs)),
        },
        hints=("Which is the last epoch that is *not* above its limit?", "np.quantile(random_pairs, 0.99, axis=1) is the limit; one more than the last epoch that is not above it."),
    ),
}  # fmt: skip
