"""The exercises of step 10, dynamic sampling."""

import numpy as np

from helpers.exercises import Exercise


def chance_in_one(distance, max_window_size):
    return (max_window_size - distance + 1) / max_window_size


def chance_to_see(distance, max_window_size, num_epochs):
    return 1 - (1 - chance_in_one(distance, max_window_size)) ** num_epochs


def different_so_far(epochs):
    return [len(np.unique(np.concatenate(epochs[: number + 1]))) for number in range(len(epochs))]


def in_each_so_far(epochs):
    return [len(set.intersection(*(set(pairs.tolist()) for pairs in epochs[: number + 1]))) for number in range(len(epochs))]


def standard_error(differences):
    return np.std(differences, ddof=1) / np.sqrt(len(differences))


def difference(once, redrawn):
    return float(np.mean(redrawn - once)), float(standard_error(redrawn - once))


def unpaired(once, redrawn):
    return float(np.mean(redrawn - once)), float(np.hypot(standard_error(once), standard_error(redrawn)))


def draw_distances(rng):
    """The nearest but one, the farthest, and two in between."""
    sizes = rng.integers(5, 9, 4)
    return [(int(distance), int(size), int(rng.integers(2, 4))) for distance, size in zip((2, sizes[1], 3, 4), sizes)]


def draw_epochs(rng):
    """Epochs that share two pairs, one of them twice in each, and have a few of their own."""
    cases = []
    for num_epochs in (3, 4, 5):
        pairs = rng.permutation(100)
        own = np.split(pairs[2:], np.cumsum(rng.integers(1, 4, num_epochs)))
        cases.append(([rng.permutation([*pairs[:2], pairs[0], *fresh]) for fresh in own[:num_epochs]],))
    return cases


def draw_answers(rng):
    return [tuple(map(int, rng.choice(np.arange(2, 30), 2, replace=False))) for _ in range(5)]


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
        reference=different_so_far,
        cases=draw_epochs,
        faults={
            "that counts pairs as often as they come; each counts once": lambda epochs: np.cumsum([len(pairs) for pairs in epochs]),
            "that looks at each epoch by itself": lambda epochs: [len(np.unique(pairs)) for pairs in epochs],
            "a pair that an earlier epoch had is counted again in yours": lambda epochs: np.cumsum([len(np.unique(pairs)) for pairs in epochs]),
            "those are the new ones of each epoch; how many are there in all?": lambda epochs: np.diff(different_so_far(epochs), prepend=0),
            "that is the number at the end; one is wanted after each epoch": lambda epochs: different_so_far(epochs)[-1],
            "that counts what every epoch so far had; any of them is enough": in_each_so_far,
        },
        hints=("Keep what was seen before, and put each epoch's pairs into it.", "seen = set(), then seen.update(pairs.tolist()) and len(seen) for each epoch."),
    ),
    "10.3": Exercise(
        reference=lambda yes, no: np.log(yes / no),
        cases=draw_answers,
        faults={
            "that is the best belief; which score has it?": lambda yes, no: yes / (yes + no),
            "the sign: more yes than no must give a score above 0": lambda yes, no: np.log(no / yes),
            "that is the ratio; a score can be below 0": lambda yes, no: yes / no,
            "that is minus the loss of a yes at the best belief": lambda yes, no: np.log(yes / (yes + no)),
            "the sigmoid is made with e, so the logarithm is the natural one": lambda yes, no: np.log10(yes / no),
            "equally many more is not equally much more likely: 2 against 1 is not 21 against 20": lambda yes, no: yes - no,
        },
        hints=("The best belief is the share of yes. Solve sigmoid(score) = share for the score.", "np.log(yes / no)."),
    ),
    "10.4": Exercise(
        reference=difference,
        cases=draw_seeds,
        faults={
            "that is drawn once minus redrawn; the other way round": lambda once, redrawn: difference(redrawn, once),
            "that is the spread of single differences; their mean spreads less": lambda once, redrawn: (np.mean(redrawn - once), np.std(redrawn - once, ddof=1)),
            "divide by the root of the number of seeds, not by the number": lambda once, redrawn: (np.mean(redrawn - once), np.std(redrawn - once, ddof=1) / len(once)),
            "the spread of a sample divides by its number less 1: ddof=1": lambda once, redrawn: (np.mean(redrawn - once), np.std(redrawn - once) / np.sqrt(len(once))),
            "both runs of a seed belong together: take differences first, then their spread": unpaired,
        },
        hints=("First one difference for each seed. Then their mean, and their standard deviation with ddof=1.", "d = redrawn - once; return d.mean(), d.std(ddof=1) / np.sqrt(len(d))."),
    ),
}  # fmt: skip
