"""The exercises of step 10, dynamic sampling."""

import numpy as np

from helpers.exercises import Exercise


def chance_in_one(distance, max_window_size):
    return (max_window_size - distance + 1) / max_window_size


def chance_to_see(distance, max_window_size, num_epochs):
    return 1 - (1 - chance_in_one(distance, max_window_size)) ** num_epochs


def best_score(pair_count, center_count, noise_chance, num_noise_words):
    return np.log(pair_count / (num_noise_words * center_count * noise_chance))


def standard_error(differences):
    return np.std(differences, ddof=1) / np.sqrt(len(differences))


def difference(once, resampled):
    return float(np.mean(resampled - once)), float(standard_error(resampled - once))


def unpaired(once, resampled):
    return float(np.mean(resampled - once)), float(np.hypot(standard_error(once), standard_error(resampled)))


def draw_distances(rng):
    """The nearest but one, the farthest, and two in between."""
    sizes = rng.integers(5, 9, 4)
    return [(int(distance), int(size), int(rng.integers(2, 4))) for distance, size in zip((2, sizes[1], 3, 4), sizes)]


def draw_counts(rng):
    """Pairs that meet more often than noise brings them together, and less often."""
    cases = []
    for ratio in (0.5, 3, 12):
        center_count, noise_chance = int(rng.integers(500, 900)), float(rng.uniform(0.01, 0.02))
        num_noise_words = int(rng.integers(3, 8))
        cases.append((max(1, round(ratio * center_count * noise_chance)), center_count, noise_chance, num_noise_words))
    return cases


def draw_seeds(rng):
    """Runs whose seeds differ more than the two ways do, as real ones may."""
    cases = []
    for num_seeds in (4, 5, 6):
        once = rng.normal(0.38, 0.03, num_seeds)
        cases.append((once, once + rng.normal(0.02, 0.005, num_seeds)))
    return cases


EXERCISES = {
    "10.1": Exercise(
        reference=chance_to_see,
        cases=draw_distances,
        faults={
            "that is the chance in a single epoch": lambda distance, size, epochs: chance_in_one(distance, size),
            "that is the chance never to see it": lambda distance, size, epochs: 1 - chance_to_see(distance, size, epochs),
            "that is the chance to see it in every epoch; once is enough": lambda distance, size, epochs: chance_in_one(distance, size) ** epochs,
            "chances of several epochs don't add up: yours can exceed 1": lambda distance, size, epochs: epochs * chance_in_one(distance, size),
            "a window of exactly `distance` words reaches it too": lambda distance, size, epochs: 1 - (distance / size) ** epochs,
            "in yours a far word is seen more often than a near one": lambda distance, size, epochs: 1 - (1 - distance / size) ** epochs,
        },
        hints=(
            "How many of the possible windows, 1 to max_window_size, are large enough? And what must happen in every epoch for the word never to be seen?",
            "One epoch misses it with the chance (distance - 1) / max_window_size; take that to the power num_epochs, and the result from 1.",
        ),
    ),
    "10.2": Exercise(
        reference=best_score,
        cases=draw_counts,
        faults={
            "that is the PMI; each context word brings several noise words, which lower the score": lambda pair, center, noise, k: np.log(pair / (center * noise)),
            "more noise words mean more times no, so ln K is subtracted, not added": lambda pair, center, noise, k: np.log(k * pair / (center * noise)),
            "the sign: a pair that meets often must get a high score": lambda pair, center, noise, k: -best_score(pair, center, noise, k),
            "that is yes divided by no; the score is its logarithm": lambda pair, center, noise, k: pair / (k * center * noise),
            "that is the share of yes, the best probability; which score has it?": lambda pair, center, noise, k: pair / (pair + k * center * noise),
            "that is the logarithm of the share of yes; a score is the logarithm of yes divided by no": lambda pair, center, noise, k: np.log(pair / (pair + k * center * noise)),
            "how often the pair is asked with the answer no grows with the number of times the center is asked": lambda pair, center, noise, k: np.log(pair / (k * noise)),
            "the sigmoid is made with e, so the logarithm is the natural one": lambda pair, center, noise, k: best_score(pair, center, noise, k) / np.log(2),
        },
        hints=(
            "How often does the pair get the answer no? Each of the center's context words brings noise words; each of them is this word with the chance given.",
            "times_no = num_noise_words * center_count * noise_chance; the best probability is yes / (yes + no), and its score ln(yes / no).",
        ),
    ),
    "10.3": Exercise(
        reference=difference,
        cases=draw_seeds,
        faults={
            "that is drawn once minus resampled; the other way round": lambda once, resampled: difference(resampled, once),
            "that is the spread of single differences; their mean spreads less": lambda once, resampled: (np.mean(resampled - once), np.std(resampled - once, ddof=1)),
            "divide by the root of the number of seeds, not by the number": lambda once, resampled: (np.mean(resampled - once), np.std(resampled - once, ddof=1) / len(once)),
            "the spread of a sample divides by its number less 1: ddof=1": lambda once, resampled: (np.mean(resampled - once), np.std(resampled - once) / np.sqrt(len(once))),
            "both runs of a seed belong together: take differences first, then their spread": unpaired,
        },
        hints=("First one difference for each seed. Then their mean, and their standard deviation with ddof=1.", "d = resampled - once; return d.mean(), d.std(ddof=1) / np.sqrt(len(d))."),
    ),
}  # fmt: skip
