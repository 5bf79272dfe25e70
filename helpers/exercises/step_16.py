"""The exercises of step 16, subwords."""

import numpy as np

from helpers.exercises import Exercise


def counted(length, min_n, max_n, marks=2, last=1, fewest=0):
    return sum(max(fewest, length + marks - n + last) for n in range(min_n, max_n + 1))


def draw_lengths(rng):
    longer = [(int(rng.integers(7, 15)), 3, int(rng.integers(5, 7))) for _ in range(3)]
    return [*longer, (int(rng.integers(1, 3)), 3, 6)]


def alone(num_ngrams, num_buckets, others=1):
    return (1 - 1 / num_buckets) ** (num_ngrams - others)


def draw_buckets(rng):
    return [(int(rng.integers(3, 12)), int(rng.integers(4, 9))) for _ in range(4)]


def mean_of_known(word_buckets, buckets, rows, divide=True):
    found = [rows[list(buckets).index(bucket)] for bucket in word_buckets if bucket in buckets]
    return np.sum(found, axis=0) / (len(found) if divide is True else divide)


def draw_words_of_buckets(rng):
    cases = []
    for _ in range(4):
        buckets = np.sort(rng.choice(np.arange(10, 90), 6, replace=False))
        known = rng.choice(buckets, 3, replace=False).tolist()
        cases.append(([known[0], 5, known[1], 95, known[0], known[2]], buckets, rng.normal(0, 1, (6, 3))))
    return cases


def stepped(rows, own, gradient, lr, scale=1.0):
    after = rows.copy()
    np.subtract.at(after, own, lr * scale * gradient)
    return after


def stepped_once(rows, own, gradient, lr):
    after = rows.copy()
    after[own] -= lr * gradient
    return after


def draw_steps(rng):
    cases = []
    for _ in range(4):
        own = rng.permutation(7)[:3].tolist()
        cases.append((rng.normal(0, 1, (7, 4)), [*own, own[1]], rng.normal(0, 1, 4), float(rng.uniform(0.1, 0.5))))
    return cases


EXERCISES = {
    "16.1": Exercise(
        reference=counted,
        cases=draw_lengths,
        faults={
            "count the marks < and > as characters, too": lambda *case: counted(*case, marks=0),
            "one too few of each length: there are two marks, and 10 characters have 8 n-grams of 3, not 7": lambda *case: counted(*case, last=0),
            "n-grams of max_n characters count, too": lambda length, low, high: counted(length, low, high - 1),
            "a short word has 0 n-grams of a length that it doesn't reach, not a negative number": lambda *case: counted(*case, fewest=-99),
            "add up over all lengths from min_n to max_n": lambda length, low, high: counted(length, high, high),
        },
        hints=("How many places are there at which 3 of 7 characters can begin?", "The sum of max(0, length + 2 - n + 1) for n from min_n to max_n."),
    ),
    "16.2": Exercise(
        reference=lambda *case: 1 - alone(*case),
        cases=draw_buckets,
        faults={
            "that is the share of those that are alone in their bucket": alone,
            "there are num_ngrams - 1 others: an n-gram does not share with itself": lambda *case: 1 - alone(*case, others=0),
            "that is the mean number of others in its bucket, which can be above 1": lambda n, buckets: (n - 1) / buckets,
            "that is the mean number of pairs that share a bucket": lambda n, buckets: n * (n - 1) / 2 / buckets,
            "that is the share of buckets in use": lambda n, buckets: n / buckets,
            "that is the mean number of n-grams that share; divide by num_ngrams": lambda n, buckets: n * (1 - alone(n, buckets)),
        },
        hints=("With which chance does one other n-gram fall into a different bucket? And all others?", "1 - (1 - 1 / num_buckets) ** (num_ngrams - 1)"),
    ),
    "16.3": Exercise(
        reference=stepped,
        cases=draw_steps,
        faults={
            "a row that stands in `own` twice gets two steps: rows[own] -= ... takes one of them": stepped_once,
            "that divides the step among the rows; here each gets all of it": lambda rows, own, *rest: stepped(rows, own, *rest, 1 / len(own)),
            "that goes uphill: subtract the gradient": lambda *case: stepped(*case, scale=-1.0),
            "multiply the gradient by lr": lambda rows, own, gradient, lr: stepped(rows, own, gradient, 1.0),
            "that moves the word's first row alone": lambda rows, own, *rest: stepped(rows, own[:1], *rest),
            "that moves all rows; only those in `own` make the word": lambda rows, own, gradient, lr: rows - lr * gradient,
            "these are the steps; return the rows after them": lambda rows, own, gradient, lr: stepped(0 * rows, own, gradient, lr),
        },
        hints=(
            "What does rows[[2, 2]] -= 1 do to row 2? Try it.",
            "Copy rows, then for each row of own subtract lr * gradient, in a loop or with np.subtract.at.",
        ),
    ),
    "16.4": Exercise(
        reference=mean_of_known,
        cases=draw_words_of_buckets,
        faults={
            "that is the sum; return the mean": lambda *case: mean_of_known(*case, divide=1),
            "divide by the number of n-grams that have a row, not by that of all": lambda own, *rest: mean_of_known(own, *rest, divide=len(own)),
            "an n-gram that occurs twice counts twice": lambda own, *rest: mean_of_known(list(dict.fromkeys(own)), *rest),
            "np.searchsorted also gives a place for a bucket that is not there: leave those out": lambda own, buckets, rows: rows[
                np.minimum(np.searchsorted(buckets, own), len(buckets) - 1)
            ].mean(axis=0),
            "that is the mean of all rows; take those of the word": lambda own, buckets, rows: rows.mean(axis=0),
            "that is the first n-gram alone": lambda own, *rest: mean_of_known(own[:1], *rest),
        },
        hints=(
            "Which of the word's buckets are in `buckets`? Leave out the others before you look up rows.",
            "known = own[np.isin(own, buckets)] of own = np.array(word_buckets), then the mean of rows[np.searchsorted(buckets, known)].",
        ),
    ),
}  # fmt: skip
