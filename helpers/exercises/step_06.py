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
    tables[0][0] = 2 * tables[0][5] + 0.01  # row 0 is a neighbour like any other
    return [(tables[0], 5, 3), *((table, int(rng.integers(12)), int(rng.integers(3, 6))) for table in tables[1:])]


def draw_lists(rng):
    return [(rng.choice(30, 10, replace=False).tolist(), rng.choice(15, 10, replace=False).tolist()) for _ in range(5)]


EXERCISES = {
    "06.1": Exercise(
        reference=lambda v, u: v @ u / np.linalg.norm(v) / np.linalg.norm(u),
        cases=lambda rng: [(rng.normal(0, 2, size), rng.normal(0, 1, size)) for size in (2, 5, 9)],
        faults={
            "that is the score; divide it by both lengths": lambda v, u: v @ u,
            "one length is missing": lambda v, u: v @ u / np.linalg.norm(v),
            "the other length is missing": lambda v, u: v @ u / np.linalg.norm(u),
            "a length is the root of the sum of squares": lambda v, u: v @ u / (v @ v) / (u @ u),
            "divide by the product of the lengths, not by their sum": lambda v, u: v @ u / (np.linalg.norm(v) + np.linalg.norm(u)),
            "that is the angle; its cosine is asked for": lambda v, u: np.arccos(v @ u / np.linalg.norm(v) / np.linalg.norm(u)),
        },
        hints=("The score of the two vectors, and what would it be if both had length 1?", "v @ u, divided by both of np.linalg.norm."),
    ),
    "06.2": Exercise(
        reference=nearest,
        cases=draw_tables,
        faults={
            "nobody is their own neighbour: leave the word itself out": lambda table, row, k: np.argsort(-cosines(table, row))[:k],
            "that is the order of the scores; long vectors win there": nearest_by(lambda table, row: table @ table[row]),
            "those are the farthest": nearest_by(lambda table, row: -cosines(table, row)),
            "that is the order of the distances": nearest_by(lambda table, row: -np.linalg.norm(table - table[row], axis=1)),
            "row 0 is a row like any other here": lambda table, row, k: np.array([n for n in nearest(table, row, k + 1) if n][:k]),
            "the nearest comes first": lambda table, row, k: nearest(table, row, k)[::-1],
            "those are cosines; the rows' numbers are asked for": lambda table, row, k: cosines(table, row)[nearest(table, row, k)],
            "don't just drop the first of the order of scores: is it the word itself?": lambda table, row, k: np.argsort(-(table @ table[row]))[1 : k + 1],
        },
        hints=("The cosines with all rows first, then their order.", "np.argsort(-cosines) without `row`, and the first k of it."),
    ),
    "06.3": Exercise(
        reference=lambda first, second: len(set(first) & set(second)) / len(first),
        cases=draw_lists,
        faults={
            "the order makes no difference: a word may stand at another place": lambda first, second: float(np.mean(np.array(first) == second)),
            "a share lies between 0 and 1; that is the number of shared words": lambda first, second: len(set(first) & set(second)),
            "divide by the length of one list, not by all different words": lambda first, second: len(set(first) & set(second)) / len(set(first) | set(second)),
            "that is the share of words that are not shared": lambda first, second: 1 - len(set(first) & set(second)) / len(first),
            "divide by the length of one list, not by that of both": lambda first, second: len(set(first) & set(second)) / (len(first) + len(second)),
        },
        hints=("Which words stand in both lists, wherever?", "The size of the intersection of two sets, divided by the length of a list."),
    ),
}  # fmt: skip
