"""The exercises of step 12, evaluation."""

import numpy as np

from helpers.exercises import Exercise
from helpers.vectors import unit_rows


def known_in(pairs, known, both=all):
    return [both(word in known for word in words) for *words, _ in pairs]


def draw_pairs(rng):
    words = [f"w{number}" for number in range(12)]
    cases = []
    for _ in range(4):
        pairs = [(*rng.choice(words, 2, replace=False).tolist(), float(rng.uniform(0, 10))) for _ in range(30)]
        cases.append((pairs, set(words[:7])))
    return cases


def draw_scores(rng):
    return [(rng.exponential(1, 1000) * scale,) for scale in (0.1, 1, 3)]


def solved(table, word, partner, other, signs=(-1, 1, 1), without=(0, 1, 2), largest=True, rows=unit_rows):
    scaled, asked = rows(table), (word, partner, other)
    scores = unit_rows(table) @ sum(sign * scaled[row] for sign, row in zip(signs, asked))
    scores[[asked[place] for place in without]] = -np.inf if largest else np.inf
    return int(scores.argmax() if largest else scores.argmin())


def draw_analogies(rng):
    tables = [rng.normal(0, 1, (9, 4)) * rng.uniform(0.1, 5, (9, 1)) for _ in range(30)]
    return [(table, *rng.choice(9, 3, replace=False).tolist()) for table in tables]


def ratios(pairs):
    totals = pairs.sum(axis=1)
    return pairs * pairs.sum() / np.outer(totals, totals)


def draw_counts(rng):
    cases = []
    for size in (3, 5, 6):
        counts = rng.integers(1, 15, (size, size))
        counts = counts + counts.T
        counts[0, 1] = counts[1, 0] = 0
        cases.append((counts,))
    return cases


EXERCISES = {
    "12.1": Exercise(
        reference=lambda pairs, known: np.mean(known_in(pairs, known)),
        cases=draw_pairs,
        faults={
            "a pair with one known word has no cosine": lambda pairs, known: np.mean(known_in(pairs, known, any)),
            "a share lies between 0 and 1; that is the number of pairs": lambda pairs, known: sum(known_in(pairs, known)),
            "that is the share of pairs that are not known": lambda pairs, known: 1 - np.mean(known_in(pairs, known)),
            "that looks at the first word of each pair only": lambda pairs, known: np.mean([first in known for first, _, _ in pairs]),
            "that looks at the second word of each pair only": lambda pairs, known: np.mean([second in known for _, second, _ in pairs]),
            "that is the share of words; return the share of pairs": lambda pairs, known: np.mean(
                [word in known for *words, _ in pairs for word in words]
            ),
        },
        hints=("How many pairs have a cosine at all?", "Count the pairs with first in known and second in known, divide by len(pairs)."),
    ),
    "12.2": Exercise(
        reference=lambda scores: tuple(np.quantile(scores, [0.025, 0.975])),
        cases=draw_scores,
        faults={
            "that leaves 10 % outside, 5 on each side": lambda scores: tuple(np.quantile(scores, [0.05, 0.95])),
            "that leaves 5 % outside at the top and nothing at the bottom: leave 2.5 % on each side": lambda scores: tuple(np.quantile(scores, [0, 0.95])),
            "those are the smallest and the largest score, which leave nothing outside": lambda scores: (scores.min(), scores.max()),
            "mean ± 1.96 standard deviations is right for a normal distribution only; take quantiles": lambda scores: (
                scores.mean() - 1.96 * scores.std(), scores.mean() + 1.96 * scores.std(),
            ),
            "the lower end comes first": lambda scores: tuple(np.quantile(scores, [0.975, 0.025])),
            "np.percentile takes 2.5 and 97.5; np.quantile takes 0.025 and 0.975": lambda scores: tuple(np.percentile(scores, [0.025, 0.975])),
        },
        hints=("5 % of the scores may lie outside: how many on each side?", "np.quantile at 0.025 and at 0.975."),
    ),
    "12.3": Exercise(
        reference=solved,
        cases=draw_analogies,
        faults={
            "the words of the question can't be the answer: exclude all three": lambda *case: solved(*case, without=()),
            "exclude all three words of the question, not only the last": lambda *case: solved(*case, without=(2,)),
            "subtract `word` and add `partner`, not the other way round": lambda *case: solved(*case, signs=(1, -1, 1)),
            "you add all three; subtract `word`": lambda *case: solved(*case, signs=(1, 1, 1)),
            "scale the rows to length 1 first: now long vectors decide": lambda *case: solved(*case, rows=lambda table: table),
            "that is the row of the smallest cosine": lambda *case: solved(*case, largest=False),
        },
        hints=(
            "Subtract `word` from `partner`. Where do you add this difference?",
            "The row with the largest dot product with rows[partner] - rows[word] + rows[other], without the three.",
        ),
    ),
    "12.4": Exercise(
        reference=lambda pairs: np.log(np.maximum(ratios(pairs), 1)),
        cases=draw_counts,
        faults={
            "a negative PMI must become 0": lambda pairs: np.where(pairs > 0, np.log(np.maximum(ratios(pairs), 1e-30)), 0),
            "that is the ratio; take its logarithm": ratios,
            "that is the logarithm to base 2; take the natural one": lambda pairs: np.log2(np.maximum(ratios(pairs), 1)),
            "you divide by the mean count; divide by the count that chance predicts for these two words": lambda pairs: np.log(
                np.maximum(pairs / pairs.mean(), 1)
            ),
            "all of yours are 0: turn the counts into shares of the total first": lambda pairs: np.log(
                np.maximum(pairs / np.outer(pairs.sum(axis=1), pairs.sum(axis=1)), 1)
            ),
            "np.log1p adds 1 first; take the logarithm of the ratio itself": lambda pairs: np.log1p(ratios(pairs)),
        },
        hints=(
            "Which count would a pair have if the two words were independent?",
            "np.log of pairs * total / np.outer(sums, sums), and 0 where that is negative or nothing was counted.",
        ),
    ),
}  # fmt: skip
