"""How good word vectors are, by human judgments of word pairs and by analogies, with confidence intervals. Uses gensim's KeyedVectors.

The sets come with gensim. Sources: WordSim-353 (relatedness), Finkelstein et al. 2001,
https://doi.org/10.1145/371920.372094; SimLex-999 (similarity), Hill et al. 2015, https://arxiv.org/abs/1408.3456; Google's
analogies, Mikolov et al. 2013, https://arxiv.org/abs/1301.3781.
"""

import functools
from typing import NamedTuple

import numpy as np

from helpers.examples import generator
from helpers.vectors import unit_rows

PAIRS = {"WordSim-353": "wordsim353.tsv", "SimLex-999": "simlex999.txt"}
ANALOGIES, QUESTIONS = "Google's analogies", "questions-words.txt"
FEWEST = 10  # items with all words known: fewer say nothing
RESAMPLES = 1000


class Score(NamedTuple):
    """A score and its 95 % confidence interval (None for both with too few items), and how many of the set's items have all words known."""

    value: float | None
    interval: tuple | None
    known: int
    total: int

    def __str__(self):
        known = f"{self.known:,} of {self.total:,} known"
        if self.value is None:
            return f"no score: {known}"
        return f"{self.value:.3f}  95 % interval {self.interval[0]:.3f} to {self.interval[1]:.3f}, {known}"


def keyed_vectors(tokens, table):
    """Return gensim's KeyedVectors of a table (V, d) and its words, without `<unk>`, which stands for many words."""
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(table.shape[1])
    rows = [row for row, token in enumerate(tokens) if token != "<unk>"]
    vectors.add_vectors([tokens[row] for row in rows], table[rows])
    vectors.fill_norms()
    vectors.norms[vectors.norms == 0] = 1  # so that the cosines of a row of zeros are 0, and not nan
    return vectors


def _path(file):
    from gensim.test.utils import datapath

    return datapath(file)


@functools.cache
def judged_pairs(name):
    """Return the pairs of a set of PAIRS: a list of (word, word, judgment)."""
    with open(_path(PAIRS[name]), encoding="utf-8") as file:
        rows = [line.split("\t") for line in file if not line.startswith("#")]
    return [(first, second, float(judgment)) for first, second, judgment in rows]


def known_pairs(vectors, name):
    """Return the judgments (n,) and the cosines (n,) of those pairs of a set that have vectors, in any case of letters."""
    known = {token.upper(): token for token in reversed(vectors.index_to_key)}
    found = []
    for *words, judgment in judged_pairs(name):
        words = [known.get(word.upper()) for word in words]
        if None not in words:
            found.append((judgment, vectors.similarity(*words)))
    judgments, cosines = np.array(found).reshape(-1, 2).T
    return judgments, cosines


def _tell_apart(cosines):
    return len(cosines) >= FEWEST and np.ptp(cosines) > 0


def rank_correlation(judgments, *runs, axis=-1):
    """Return Spearman's rank correlation of judgments with the cosines of each run along an axis, the mean over the runs."""
    from scipy.stats import rankdata

    ranks = [rankdata(values, axis=axis) for values in (judgments, *runs)]
    standard = [(values - values.mean(axis, keepdims=True)) / values.std(axis, keepdims=True) for values in ranks]
    return np.mean([(standard[0] * values).mean(axis) for values in standard[1:]], axis=0)


def bootstrap(statistic, data, seed):
    """Return the 95 % interval (low, high) of a statistic of arrays (n,), over draws of the set's items with replacement.

    `statistic` takes the arrays and an `axis`. Source: Efron 1979, https://doi.org/10.1214/aos/1176344552.
    """
    from scipy.stats import bootstrap

    rng = generator(seed, "random pairs", 3)
    found = bootstrap(data, statistic, paired=True, n_resamples=RESAMPLES, method="percentile", vectorized=True, random_state=rng)
    return tuple(map(float, found.confidence_interval))


def score_pairs(vectors, name, seed=0):
    """Score KeyedVectors on a set of PAIRS: Spearman's rank correlation of cosines and judgments, as a Score."""
    judgments, cosines = known_pairs(vectors, name)
    total = len(judged_pairs(name))
    if not _tell_apart(cosines):
        return Score(None, None, len(cosines), total)
    value = vectors.evaluate_word_pairs(_path(PAIRS[name]), restrict_vocab=None)[1][0]
    return Score(float(value), bootstrap(rank_correlation, (judgments, cosines), seed), len(cosines), total)


def score_analogies(vectors, seed=0):
    """Score KeyedVectors on Google's analogies: the share of questions whose fourth word is found, as a Score."""
    with open(_path(QUESTIONS), encoding="utf-8") as file:
        total = sum(not line.startswith(":") for line in file)
    every = vectors.evaluate_word_analogies(_path(QUESTIONS), restrict_vocab=len(vectors))[1][-1]
    right = np.repeat([1, 0], [len(every["correct"]), len(every["incorrect"])])
    if len(right) < FEWEST:
        return Score(None, None, len(right), total)
    return Score(float(right.mean()), bootstrap(np.mean, (right,), seed), len(right), total)


def evaluate(vectors, seed=0):
    """Score KeyedVectors on all sets; returns {name: Score}."""
    return {**{name: score_pairs(vectors, name, seed) for name in PAIRS}, ANALOGIES: score_analogies(vectors, seed)}


def evaluate_pairs(table, vocab):
    """Return the scores of a table's rows on the sets of PAIRS without intervals, {name: value}."""
    vectors = keyed_vectors(vocab.idx_to_token, table)
    scores = {}
    for name in PAIRS:
        judgments, cosines = known_pairs(vectors, name)
        scores[name] = float(rank_correlation(judgments, cosines)) if _tell_apart(cosines) else None
    return scores


def study_table(text, rows):
    """Yield the lines of a Markdown table of methods on a text: the medians of what they cost, and of each set the mean of the seeds
    with their standard deviation, its 95 % interval over the items, and in brackets the interval of the difference from the first
    method; of a set without an interval the mean alone.

    `rows` maps methods to what benchmarks/evaluation.json or family.json has of them.
    """
    first = next(iter(rows.values()))
    costs = [name for name, found in first.items() if isinstance(found, list)]
    tests = [name for name, found in first.items() if name not in costs and "interval" in found]
    others = [name for name in first if name not in (*costs, *tests)]
    titles = [*costs, *(f"{name}, {first[name]['known']:,} known" for name in tests), *others]
    yield f"| {text} | {' | '.join(titles)} |"
    yield "|---|" + "---|" * len(titles)
    for method, row in rows.items():
        parts = [f"{np.median(row[name]):.{1 if name == 'seconds' else 0}f}" for name in costs]
        for name in tests:
            (low, high), (least, most) = row[name]["interval"], row[name]["difference"]
            told = "" if row is first else f" [{least:+.3f} to {most:+.3f}]"
            spread = np.std(row[name]["each"], ddof=1) if len(row[name]["each"]) > 1 else 0
            parts.append(f"{row[name]['mean']:.3f} ± {spread:.3f}, {low:.2f} to {high:.2f}{told}")
        parts += [f"{np.mean(row[name]['each']):.3f}" for name in others]
        yield f"| {method} | {' | '.join(parts)} |"


def random_pair_cosines(table, num_pairs, rng):
    """Return the cosines (num_pairs,) of random pairs of different rows of a table, row 0 (`<unk>`) left out."""
    first = rng.integers(1, len(table), num_pairs)
    other = 1 + (first - 1 + rng.integers(1, len(table) - 1, num_pairs)) % (len(table) - 1)
    rows = unit_rows(table)
    return np.einsum("ij,ij->i", rows[first], rows[other])
