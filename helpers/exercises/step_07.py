"""The exercises of step 7, speed."""

import numpy as np

from helpers.exercises import Exercise


def offsets(num_contexts, num_noise_words):
    return np.append(0, np.cumsum(np.array(num_contexts) * (1 + num_noise_words)))


def summed(gradients, ids, vocab_size):
    table = np.zeros((vocab_size, gradients.shape[1]))
    np.add.at(table, ids, gradients)
    return table


def overwritten(gradients, ids, vocab_size):
    table = np.zeros((vocab_size, gradients.shape[1]))
    table[ids] = gradients
    return table


def speedup(seconds, part, factor):
    """How many times as fast the whole is, when one of its parts is `factor` times as fast (Amdahl's law)."""
    return sum(seconds) / (sum(seconds) - seconds[part] + seconds[part] / factor)


def draw_contexts(rng):
    return [(rng.integers(1, 11, 5).tolist(), int(rng.integers(2, 8))) for _ in range(4)]


def draw_gradients(rng):
    return [(rng.normal(0, 1, (6, 3)), rng.permutation([1, 1, 2, 4, 4, 4]), 6) for _ in range(3)]


def draw_parts(rng):
    return [(rng.uniform(1, 9, 4).round(1).tolist(), int(rng.integers(1, 3)), int(rng.integers(2, 12))) for _ in range(5)]


EXERCISES = {
    "07.1": Exercise(
        reference=offsets,
        cases=draw_contexts,
        faults={
            "the first example begins at 0: one number is missing in front": lambda contexts, noise: offsets(contexts, noise)[1:],
            "the end of the last example is missing: for N examples there are N + 1 numbers": lambda contexts, noise: offsets(contexts, noise)[:-1],
            "the noise words are missing": lambda contexts, noise: offsets(contexts, 0),
            "the context words are missing; yours counts the noise words only": lambda contexts, noise: offsets(contexts, noise - 1),
            "each context word has noise words of its own, not each example": lambda contexts, noise: np.append(0, np.cumsum(np.array(contexts) + noise)),
            "those are the lengths; sum them up from the left": lambda contexts, noise: np.diff(offsets(contexts, noise)),
            "the center is kept in an array of its own; it does not count here": lambda contexts, noise: offsets(contexts, noise) + np.arange(len(contexts) + 1),
        },
        hints=("How many words has each example? Where does the next one begin?", "A 0, then np.cumsum of the lengths n * (1 + num_noise_words)."),
    ),
    "07.2": Exercise(
        reference=summed,
        cases=draw_gradients,
        faults={
            "a word that occurs twice gets both gradients; in yours the last one wins": overwritten,
            "sum a word's gradients, don't take their mean": lambda gradients, ids, size: summed(gradients, ids, size) / np.bincount(ids, minlength=size).clip(1)[:, None],
            "in yours the first gradient of a word wins": lambda gradients, ids, size: overwritten(gradients[::-1], ids[::-1], size),
            "each word has a row of its own; yours are all alike": lambda gradients, ids, size: np.tile(gradients.sum(axis=0), (size, 1)),
            "the gradient is added; in yours it is subtracted": lambda gradients, ids, size: -summed(gradients, ids, size),
        },
        hints=("Try table[ids] += gradients with an id that occurs twice. What happened?", "np.add.at(table, ids, gradients), or a loop over the ids."),
    ),
    "07.3": Exercise(
        reference=speedup,
        cases=draw_parts,
        faults={
            "only one part gets faster; the others take as long as before": lambda seconds, part, factor: factor,
            "that is the new time as a share of the old; the other way round": lambda seconds, part, factor: 1 / speedup(seconds, part, factor),
            "the part still takes some time: divide it, don't drop it": lambda seconds, part, factor: sum(seconds) / (sum(seconds) - seconds[part]),
            "that is the time of the whole; how many times as fast is it?": lambda seconds, part, factor: sum(seconds) / speedup(seconds, part, factor),
            "a part that is faster takes less time: divide by the factor": lambda seconds, part, factor: speedup(seconds, part, 1 / factor),
            "parts are counted from 0": lambda seconds, part, factor: speedup(seconds, part - 1, factor),
            "a mean of the factors says nothing: parts that take long count more": lambda seconds, part, factor: (len(seconds) - 1 + factor) / len(seconds),
        },
        hints=("How many seconds does the whole take afterwards?", "sum(seconds) / (sum(seconds) - seconds[part] + seconds[part] / factor)."),
    ),
}  # fmt: skip
