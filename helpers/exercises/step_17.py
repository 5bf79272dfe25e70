"""The exercises of step 17, the family of objectives."""

import heapq

import numpy as np

from helpers.exercises import Exercise


def chances(scores):
    powers = np.exp(scores)
    return powers / powers.sum()


def gradient(scores, pairs):
    return pairs.sum() * chances(scores) - pairs


def draw_rows(rng):
    return [(rng.normal(0, 1, size), rng.integers(1, 20, size).astype(float)) for size in (3, 4, 6)]


def joined(counts, take=heapq.nsmallest):
    """The counts of all inner nodes, when the two that `take` takes are joined each time."""
    nodes, sums = list(counts), []
    while len(nodes) > 1:
        pair = take(2, nodes)
        for count in pair:
            nodes.remove(count)
        sums.append(sum(pair))
        nodes.append(sums[-1])
    return sums


def depths(counts):
    """The length of each word's path."""
    nodes = [(count, [word]) for word, count in enumerate(counts)]
    lengths = [0] * len(counts)
    while len(nodes) > 1:
        (one, left), (other, right), *nodes = sorted(nodes)
        for word in left + right:
            lengths[word] += 1
        nodes.append((one + other, left + right))
    return lengths


def entropy(counts):
    shares = np.array(counts) / sum(counts)
    return float(-(shares * np.log2(shares)).sum())


def draw_counts(rng):
    """Counts of which each is larger than all before it together, and some more, in random order."""
    cases = []
    for size in (5, 6, 7):
        counts = [int(rng.integers(2, 5))]
        for _ in range(size - 1):
            counts.append(sum(counts) + int(rng.integers(1, 4)))
        cases.append((rng.permutation(counts).tolist(),))
    return [*cases, ([6, 5, 4, 3],)]


def shared_out(contexts, gradient):
    there = contexts > 0
    return there[:, None] * gradient / there.sum()


def draw_windows(rng):
    cases = []
    for size in (4, 6, 8):
        contexts = rng.integers(1, 7, size)
        contexts[rng.permutation(size)[: size // 2 - 1]] = 0
        cases.append((contexts, rng.normal(0, 1, 3)))
    return cases


def pulled(scores, pairs, enough, weight=lambda share: np.minimum(share, 1) ** 0.75, target=np.log):
    counted = np.maximum(pairs, 1e-9)
    return weight(pairs / enough) * (pairs > 0) * 2 * (scores - target(counted))


def pulled_by_all(scores, pairs, enough):
    """The same with the logarithm of 0."""
    with np.errstate(all="ignore"):
        return 2 * np.minimum(pairs / enough, 1) ** 0.75 * (scores - np.log(pairs))


def draw_tables(rng):
    """Counts of which some are 0, some below and some above what is enough."""
    cases = []
    for size in (3, 4, 5):
        pairs = rng.integers(2, 9, (size, size)).astype(float)
        pairs[0, :2], pairs[1, :2] = 0, (30, 50)
        cases.append((rng.normal(0, 1, (size, size)), pairs, 10.0))
    return cases


EXERCISES = {
    "17.1": Exercise(
        reference=gradient,
        cases=draw_rows,
        faults={
            "each of the pairs pulls at all scores: multiply the probabilities by the number of pairs": lambda scores, pairs: chances(scores) - pairs,
            "that is for the mean over the pairs; the loss is their sum": lambda scores, pairs: chances(scores) - pairs / pairs.sum(),
            "the sign is wrong: the score of a word that was counted more often than predicted must rise": lambda *case: -gradient(*case),
            "divide the exponentials by their sum first": lambda scores, pairs: pairs.sum() * np.exp(scores) - pairs,
            "that is how often each word is predicted; subtract what was counted": lambda scores, pairs: pairs.sum() * chances(scores),
            "those are sigmoids; the softmax divides by the sum over all words": lambda scores, pairs: pairs.sum() / (1 + np.exp(-scores)) - pairs,
            "multiply by the number of all pairs, not by each word's own": lambda scores, pairs: pairs * chances(scores) - pairs,
        },
        hints=(
            "For one pair the derivative is the predicted probability, less 1 for the context word. Sum over all pairs of the center.",
            "pairs.sum() * P - pairs, where P is np.exp(scores) divided by its sum.",
        ),
    ),
    "17.2": Exercise(
        reference=lambda counts: sum(joined(counts)) / sum(counts),
        cases=draw_counts,
        faults={
            "that is the number of questions for the whole text; divide by its words": lambda counts: float(sum(joined(counts))),
            "that is the mean over the words of the vocabulary; frequent words count more often": lambda counts: float(np.mean(depths(counts))),
            "you join the two commonest nodes; join the two rarest": lambda counts: sum(joined(counts, heapq.nlargest)) / sum(counts),
            "that is the entropy, which no tree of whole questions gets below": entropy,
            "that is for a tree in which all paths are equally long": lambda counts: float(np.log2(len(counts))),
            "the root asks a question, too": lambda counts: sum(joined(counts)[:-1]) / sum(counts),
            "that is the longest path": lambda counts: float(max(depths(counts))),
        },
        hints=(
            "Each word of the text that lies below an inner node answers that node's question. How many questions does that make, at one node?",
            "Join with heapq as above, add up the counts of all inner nodes, and divide by sum(counts).",
        ),
    ),
    "17.3": Exercise(
        reference=shared_out,
        cases=draw_windows,
        faults={
            "0 means that there is no word: its row gets no gradient": lambda contexts, gradient: (
                np.ones(len(contexts))[:, None] * gradient / np.count_nonzero(contexts)
            ),
            "divide by the number of words that are there, not by the length of the row": lambda contexts, gradient: (
                (contexts > 0)[:, None] * gradient / len(contexts)
            ),
            "each context word has a share of the mean: divide by their number": lambda contexts, gradient: (contexts > 0)[:, None] * gradient,
            "the words are ids, no weights: multiply by contexts > 0": lambda contexts, gradient: (
                contexts[:, None] * gradient / np.count_nonzero(contexts)
            ),
            "multiply and divide are mixed up": lambda contexts, gradient: (contexts > 0)[:, None] * gradient * np.count_nonzero(contexts),
            "those are the rows of the words alone; return a row for each place, 0 where there is no word": lambda contexts, gradient: (
                np.ones((np.count_nonzero(contexts), 1)) * gradient / np.count_nonzero(contexts)
            ),
        },
        hints=(
            "The mean is the sum divided by n. If one of the n vectors moves by 1, by how much does the mean move?",
            "With there = contexts > 0: there[:, None] * gradient / there.sum().",
        ),
    ),
    "17.4": Exercise(
        reference=pulled,
        cases=draw_tables,
        faults={
            "every pair has the weight 1; rare ones must count less": lambda *case: pulled(*case, weight=np.ones_like),
            "the weight goes on growing; it is at most 1": lambda *case: pulled(*case, weight=lambda share: share**0.75),
            "the power 3/4 is missing": lambda *case: pulled(*case, weight=lambda share: np.minimum(share, 1)),
            "the score is compared with the logarithm of the count": lambda *case: pulled(*case, target=lambda counts: counts),
            "the derivative of a square has a factor of 2": lambda *case: pulled(*case) / 2,
            "the sign is wrong: the gradient is positive where the score is too high": lambda *case: -pulled(*case),
            "take the natural logarithm": lambda *case: pulled(*case, target=np.log2),
            "that is the loss of each pair; return its derivative": lambda scores, pairs, enough: (
                pulled(scores, pairs, enough) / 2 * (scores - np.log(np.maximum(pairs, 1e-9)))
            ),
            "the logarithm of 0 has no value: a pair that was not counted has the gradient 0": pulled_by_all,
        },
        hints=(
            "What is the derivative of w (s - t)^2 with respect to s? And which pairs are in the loss at all?",
            "2 * np.minimum(pairs / enough, 1) ** 0.75 * (scores - np.log(pairs)), and 0 where pairs is 0.",
        ),
    ),
}  # fmt: skip
