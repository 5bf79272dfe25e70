"""The exercises of step 11, find the bug: two for each lab, a measurement that finds the cause, and the fix."""

import numpy as np

from helpers.exercises import Exercise
from helpers.exercises.step_03 import sigmoid
from helpers.exercises.step_04 import loss, masked
from helpers.vectors import unit_rows


def never_drawn(counts, probability, unk):
    return np.flatnonzero((counts > 0) & (probability == 0) & (np.arange(len(counts)) != unk))


def chances(counts, left_out, power=0.75):
    weights = counts**power
    weights[left_out] = 0
    return weights / weights.sum()


def rates_of(epochs):
    return [sum(words for words, _ in epoch) / sum(seconds for _, seconds in epoch) for epoch in epochs]


def totals_so_far(epochs):
    words, seconds = ([sum(pair[place] for pair in epoch) for epoch in epochs] for place in (0, 1))
    return np.cumsum(words), np.cumsum(seconds)


def losses_of_epochs(told, rows):
    return np.diff(told * np.cumsum(rows), prepend=0) / rows


def epoch_losses(epochs):
    return [np.concatenate(minibatches).mean() for minibatches in epochs]


def losses_so_far(epochs):
    return [np.concatenate(sum(epochs[: number + 1], [])).mean() for number in range(len(epochs))]


def divisor_of(step, gradients):
    return np.linalg.norm(gradients.sum(axis=0)) / np.linalg.norm(step(gradients))


def stepped(vector, gradients, lr):
    return vector - lr * gradients.sum(axis=0)


def mean_over_pairs(rows):
    """The mean product of different rows: all products come to the square of the sum, and each row's with itself is taken off."""
    return (np.sum(rows.sum(axis=0) ** 2) - np.sum(rows**2)) / len(rows) / (len(rows) - 1)


def share_below(cosines, random_cosines):
    return (random_cosines[:, None] < cosines).mean(axis=0)


def padding_leak(loss_of, scores, labels, mask):
    return loss_of(scores + (mask == 0), labels, mask) - loss_of(scores, labels, mask)


def unmasked(scores, labels, mask):
    return loss(scores, labels).mean(axis=1)


def masked_contexts(scores, labels, mask):
    return (loss(scores, labels) * np.where(labels == 1, mask, 1)).mean(axis=1)


def masked_scores(scores, labels, mask):
    return loss(scores * mask, labels).sum(axis=1) / mask.sum(axis=1)


def draw_vocabularies(rng):
    """Words of which two or three are lost, one does not stand in the text, and the unknown word is lost in some cases."""
    cases = []
    for size, num_lost, unk_is_lost in ((8, 2, True), (9, 3, False), (10, 3, True)):
        counts = rng.integers(1, 30, size)
        unk, absent, *lost = rng.permutation(np.arange(1, size))[: 1 + num_lost]
        counts[absent] = 0
        weights = counts**0.75
        weights[[0, *lost] + [unk] * unk_is_lost] = 0
        cases.append((counts, weights / weights.sum(), int(unk)))
    return cases


def draw_counts(rng):
    return [(rng.integers(1, 50, size), int(rng.integers(1, size))) for size in (5, 6, 8)]


def draw_logs(rng):
    """What a log with the fault of lab 2 says: rates, and the seconds of the epochs."""
    cases = []
    for num_epochs in (3, 4, 6):
        words, seconds = rng.integers(5000, 20_000, num_epochs), rng.uniform(4, 20, num_epochs)
        cases.append((np.cumsum(words) / seconds, seconds))
    return cases


def draw_timed(rng):
    """Epochs of minibatches with their words and seconds, the last minibatch of each shorter."""
    return [
        ([[(words, float(rng.uniform(0.5, 3))) for words in (512, 512, int(rng.integers(50, 200)))] for _ in range(num_epochs)],)
        for num_epochs in (2, 3, 5)
    ]


def draw_told(rng):
    """What a log with the fault of lab 3 says: means over all rows so far, and the rows of the epochs."""
    cases = []
    for num_epochs in (3, 4, 6):
        rows, losses = rng.integers(50, 200, num_epochs), np.sort(rng.uniform(0.3, 0.7, num_epochs))[::-1]
        cases.append((np.cumsum(losses * rows) / np.cumsum(rows), rows))
    return cases


def draw_row_losses(rng):
    """Epochs of minibatches of row losses, the last minibatch of each short, and some epochs longer than others."""
    return [
        ([[rng.uniform(0.3, 0.9, size) for size in [6] * int(rng.integers(2, 5)) + [2]] for _ in range(num_epochs)],)
        for num_epochs in (2, 3, 4)
    ]


def draw_steps(rng):
    """Steps of rate 1 that divide by the number of rows, by nothing, by a number of their own; and gradients to try them on."""
    cases = []
    for divisor in ("rows", 1, int(rng.integers(10, 20)), float(rng.uniform(1.5, 3))):
        gradients = rng.normal(0.5, 1, (int(rng.integers(4, 9)), 3))
        number = len(gradients) if divisor == "rows" else divisor
        cases.append((lambda given, number=number: -given.sum(axis=0) / number, gradients))
    return cases


def draw_gradients(rng):
    return [(rng.normal(0, 1, 4), rng.normal(0, 1, (rows, 4)), float(rng.uniform(0.05, 0.5))) for rows in (3, 5, 8)]


def draw_tables(rng):
    """Vectors of different lengths that share a direction more or less."""
    cases = []
    for size, common in ((5, 2.0), (7, 1.0), (8, 0.5)):
        table = (rng.normal(0, 1, (size, 4)) + common) * rng.uniform(0.5, 3, (size, 1))
        table[0] = rng.normal(0, 3, 4) - 2
        cases.append((table,))
    return cases


def draw_cosines(rng):
    """Pairs of words whose cosines lie among those of random pairs, low ones and high ones."""
    cases = []
    for mean in (0.1, 0.5, 0.8):
        random_cosines = rng.normal(mean, 0.05, 200)
        cases.append((np.quantile(random_cosines, rng.permutation(np.linspace(0.2, 0.9, 4)) + rng.uniform(0, 0.05, 4)), random_cosines))
    return cases


def draw_padded(rng):
    """Scores, labels and a mask: every row begins with one or two context words, and most end with padding."""
    lengths = rng.permutation([3, 4, 5, 7])[:, None]
    mask = (np.arange(7) < lengths).astype(float)
    labels = (np.arange(7) < rng.integers(1, 3, (4, 1))).astype(float)
    return rng.normal(0, 1.5, (4, 7)), labels, mask


def draw_losses(rng):
    return [(loss_of, *draw_padded(rng)) for loss_of in (masked_contexts, masked, unmasked, masked_scores)]


EXERCISES = {
    "11.1": Exercise(
        reference=never_drawn,
        cases=draw_vocabularies,
        faults={
            "the unknown token is left out rightly; it is not asked for": lambda counts, p, unk: np.flatnonzero((counts > 0) & (p == 0)),
            "a word that does not stand in the text is left out rightly": lambda counts, p, unk: np.setdiff1d(np.flatnonzero(p == 0), unk),
            "those have no probability, but two kinds of them are left out rightly": lambda counts, p, unk: np.flatnonzero(p == 0),
            "that looks at one word only; others may have been lost too": lambda counts, p, unk: np.array([0]),
            "those can be drawn; the others are asked for": lambda counts, p, unk: np.flatnonzero(p > 0),
            "that says yes or no for every word; return the ids of the words": lambda counts, p, unk: np.isin(np.arange(len(p)), never_drawn(counts, p, unk)),
            "that is how many; which?": lambda counts, p, unk: len(never_drawn(counts, p, unk)),
        },
        hints=("Three conditions must hold at once: on the count, on the probability, and on the id.", "np.flatnonzero((counts > 0) & (probability == 0) & (np.arange(len(counts)) != unk))."),
    ),
    "11.2": Exercise(
        reference=lambda counts, unk: chances(counts, unk),
        cases=draw_counts,
        faults={
            "that is the code as it was: word 0 is never drawn, and the unknown token is": lambda counts, unk: chances(counts, 0),
            "the unknown token can be drawn": lambda counts, unk: chances(counts, []),
            "word 0 is still never drawn": lambda counts, unk: chances(counts, [0, unk]),
            "they don't sum to 1: leave out first, then divide": lambda counts, unk: chances(counts, []) * (np.arange(len(counts)) != unk),
            "the power 3/4 is missing": lambda counts, unk: chances(counts, unk, 1),
            "all words are equally likely in yours": lambda counts, unk: chances(counts, unk, 0),
        },
        hints=("What does the line with the 0 take for granted about the order of the words?", "weights[unk] = 0 in the place of weights[0] = 0."),
    ),
    "11.3": Exercise(
        reference=lambda rates, seconds: np.diff(rates * seconds, prepend=0),
        cases=draw_logs,
        faults={
            "that takes the log at its word, and more words from epoch to epoch": lambda rates, seconds: rates * seconds,
            "the first epoch is missing": lambda rates, seconds: np.diff(rates * seconds),
            "the seconds are each epoch's own; there is nothing to sum in them": lambda rates, seconds: np.diff(rates * np.cumsum(seconds), prepend=0),
            "differences of rates don't help: the epochs took different times": lambda rates, seconds: np.diff(rates, prepend=0) * seconds,
            "not every epoch read as many words": lambda rates, seconds: rates * seconds / np.arange(1, len(rates) + 1),
            "words are a rate times seconds": lambda rates, seconds: rates / seconds,
            "summing them up again goes the wrong way": lambda rates, seconds: np.cumsum(rates * seconds),
        },
        hints=("A rate times its seconds is the count that the code divided. How did that count get so large?", "np.diff(rates * seconds, prepend=0)."),
    ),
    "11.4": Exercise(
        reference=rates_of,
        cases=draw_timed,
        faults={
            "that is the code as it was: the rates still grow from epoch to epoch": lambda epochs: totals_so_far(epochs)[0] / np.diff(totals_so_far(epochs)[1], prepend=0),
            "that is the rate of all epochs so far; each epoch's own is asked for": lambda epochs: totals_so_far(epochs)[0] / totals_so_far(epochs)[1],
            "now the rates fall from epoch to epoch": lambda epochs: np.diff(totals_so_far(epochs)[0], prepend=0) / totals_so_far(epochs)[1],
            "a short minibatch weighs as much as a long one in yours": lambda epochs: [np.mean([words / seconds for words, seconds in epoch]) for epoch in epochs],
            "that is the rate of an epoch's last minibatch": lambda epochs: [epoch[-1][0] / epoch[-1][1] for epoch in epochs],
            "that is seconds per word": lambda epochs: [1 / rate for rate in rates_of(epochs)],
        },
        hints=("Where is the clock set back, and where is the count?", "Set num_words back to 0 where elapsed is set back."),
    ),
    "11.5": Exercise(
        reference=losses_of_epochs,
        cases=draw_told,
        faults={
            "that is what was printed": lambda told, rows: told,
            "the epochs differ in their rows; yours takes them for equal": lambda told, rows: np.diff(told * np.arange(1, len(rows) + 1), prepend=0),
            "those are sums of an epoch's losses; the mean is asked for": lambda told, rows: np.diff(told * np.cumsum(rows), prepend=0),
            "the losses of earlier epochs are still in it": lambda told, rows: told * np.cumsum(rows) / rows,
            "differences of means are not losses: how many rows is each a mean of?": lambda told, rows: np.diff(told, prepend=0),
            "that averages what was averaged; undo it": lambda told, rows: np.cumsum(told * rows) / np.cumsum(rows),
            "the first epoch is missing": lambda told, rows: losses_of_epochs(told, rows)[1:],
        },
        hints=("Turn each mean back into a sum first. How many rows went into it?", "np.diff(told * np.cumsum(rows), prepend=0) / rows."),
    ),
    "11.6": Exercise(
        reference=epoch_losses,
        cases=draw_row_losses,
        faults={
            "that is the code as it was: old losses are still in the mean": losses_so_far,
            "the last minibatch is short, and its rows weigh more than others in yours": lambda epochs: [np.mean([losses.mean() for losses in epoch]) for epoch in epochs],
            "those are sums": lambda epochs: [np.concatenate(epoch).sum() for epoch in epochs],
            "that is the loss of an epoch's last minibatch": lambda epochs: [epoch[-1].mean() for epoch in epochs],
            "that is the loss of an epoch's first minibatch": lambda epochs: [epoch[0].mean() for epoch in epochs],
            "one of the two numbers, total or num_rows, still runs on: the losses grow": lambda epochs: np.cumsum([np.concatenate(epoch).sum() for epoch in epochs]) / [len(np.concatenate(epoch)) for epoch in epochs],
            "one of the two numbers, total or num_rows, still runs on: the losses shrink": lambda epochs: [np.concatenate(epoch).sum() for epoch in epochs] / np.cumsum([len(np.concatenate(epoch)) for epoch in epochs]),
        },
        hints=("Which numbers know about earlier epochs when a new one begins?", "Both total and num_rows must be 0 at the beginning of each epoch."),
    ),
    "11.7": Exercise(
        reference=divisor_of,
        cases=draw_steps,
        faults={
            "that is the number of rows; not every step divides by it. Call the step": lambda step, gradients: len(gradients),
            "upside down": lambda step, gradients: 1 / divisor_of(step, gradients),
            "compare the step with the sum of the gradients, not with their mean": lambda step, gradients: divisor_of(step, gradients) / len(gradients),
            "the sign: a step goes against the gradient": lambda step, gradients: -divisor_of(step, gradients),
            "one number is asked for; yours has one for each number of the vector": lambda step, gradients: -gradients.sum(axis=0) / step(gradients),
            "the length of a sum is not the sum of the lengths": lambda step, gradients: np.linalg.norm(gradients, axis=1).sum() / np.linalg.norm(step(gradients)),
        },
        hints=("Call step(gradients), and compare what comes back with what plain gradient descent on the sum would do.", "np.linalg.norm(gradients.sum(axis=0)) / np.linalg.norm(step(gradients))."),
    ),
    "11.8": Exercise(
        reference=stepped,
        cases=draw_gradients,
        faults={
            "that is the code as it was: the step shrinks as the minibatch grows": lambda vector, gradients, lr: vector - lr * gradients.mean(axis=0),
            "that goes up the hill": lambda vector, gradients, lr: vector + lr * gradients.sum(axis=0),
            "the rate is missing": lambda vector, gradients, lr: stepped(vector, gradients, 1),
            "that is the step alone; return where the vector ends": lambda vector, gradients, lr: -lr * gradients.sum(axis=0),
            "only the last row's gradient moves it in yours": lambda vector, gradients, lr: vector - lr * gradients[-1],
            "too long now: each row's gradient counts once": lambda vector, gradients, lr: vector - lr * len(gradients) * gradients.sum(axis=0),
        },
        hints=("What does step 5 do with the losses of a minibatch before it asks for the gradient?", "gradients.sum(axis=0) in the place of gradients.mean(axis=0)."),
    ),
    "11.9": Exercise(
        reference=lambda table: mean_over_pairs(unit_rows(table[1:])),
        cases=draw_tables,
        faults={
            "row 0 is no word: leave it out": lambda table: mean_over_pairs(unit_rows(table)),
            "in yours each word meets itself too, with a cosine of 1": lambda table: np.sum(unit_rows(table[1:]).mean(axis=0) ** 2),
            "those are dot products: bring the vectors to length 1 first": lambda table: mean_over_pairs(table[1:]),
            "that takes out what the vectors share before it measures": lambda table: mean_over_pairs(unit_rows(table[1:] - table[1:].mean(axis=0))),
            "those are the cosines with the mean vector; pairs of words are asked for": lambda table: (unit_rows(table[1:]) @ unit_rows(table[1:].mean(axis=0, keepdims=True))[0]).mean(),
            "a sum; the mean is asked for": lambda table: mean_over_pairs(unit_rows(table[1:])) * (len(table) - 1) * (len(table) - 2),
            "only rows that stand next to each other meet in yours": lambda table: (unit_rows(table[1:])[1:] * unit_rows(table[1:])[:-1]).sum(axis=1).mean(),
        },
        hints=("Bring every row to length 1; then all cosines are one matrix product. Which of its entries don't count?", "cosines = unit @ unit.T without row 0; (cosines.sum() - n) / (n * (n - 1)) leaves the diagonal out."),
    ),
    "11.10": Exercise(
        reference=share_below,
        cases=draw_cosines,
        faults={
            "that is the code as it was: one limit for all models": lambda cosines, others: (cosines > 0.6).astype(float),
            "that is the share above": lambda cosines, others: 1 - share_below(cosines, others),
            "that is how many; which share?": lambda cosines, others: share_below(cosines, others) * len(others),
            "a distance from their mean does not say how many are below": lambda cosines, others: cosines - others.mean(),
            "that is above or below their mean; which share is below?": lambda cosines, others: (cosines > others.mean()).astype(float),
            "hold each cosine against the random pairs, not against the other cosines": lambda cosines, others: share_below(cosines, cosines),
            "one number for each cosine, not one for all": lambda cosines, others: share_below(cosines, others).mean(),
        },
        hints=("For one cosine: compare it with all the random ones, and take the mean of yes and no.", "[np.mean(random_cosines < cosine) for cosine in cosines]."),
    ),
    "11.11": Exercise(
        reference=padding_leak,
        cases=draw_losses,
        faults={
            "the sign: the loss after the change minus the loss before": lambda loss_of, scores, labels, mask: -padding_leak(loss_of, scores, labels, mask),
            "all scores changed; change those of the padding alone": lambda loss_of, scores, labels, mask: loss_of(scores + 1, labels, mask) - loss_of(scores, labels, mask),
            "you changed the words and left the padding": lambda loss_of, scores, labels, mask: loss_of(scores + (mask == 1), labels, mask) - loss_of(scores, labels, mask),
            "you changed the mask; change the scores where it is 0": lambda loss_of, scores, labels, mask: loss_of(scores, labels, np.ones_like(mask)) - loss_of(scores, labels, mask),
            "you changed the labels; change the scores where the mask is 0": lambda loss_of, scores, labels, mask: loss_of(scores, labels + (mask == 0), mask) - loss_of(scores, labels, mask),
            "that is the loss after the change; by how much did it change?": lambda loss_of, scores, labels, mask: loss_of(scores + (mask == 0), labels, mask),
            "one number per row, not one for all": lambda loss_of, scores, labels, mask: padding_leak(loss_of, scores, labels, mask).sum(),
        },
        hints=("Call loss twice: with the scores as they are, and with 1 added where the mask is 0.", "loss(scores + (mask == 0), labels, mask) - loss(scores, labels, mask)."),
    ),
    "11.12": Exercise(
        reference=masked,
        cases=lambda rng: [draw_padded(rng) for _ in range(3)],
        faults={
            "the padding still counts, as it did": unmasked,
            "the padding counts nothing now, but the row is still divided by its whole length": lambda scores, labels, mask: (loss(scores, labels) * mask).mean(axis=1),
            "masking a score gives it the loss of score 0; mask the losses": masked_scores,
            "a sum; the mean over the valid positions is asked for": lambda scores, labels, mask: (loss(scores, labels) * mask).sum(axis=1),
            "one number per row, not one for all": lambda scores, labels, mask: (loss(scores, labels) * mask).sum() / mask.sum(),
            "only the context words are left in yours": lambda scores, labels, mask: (loss(scores, labels) * labels).sum(axis=1) / labels.sum(axis=1),
            "upside down: that is the loss of the padding": lambda scores, labels, mask: (loss(scores, labels) * (1 - mask)).sum(axis=1) / (1 - mask).sum(axis=1).clip(1),
            "the labels 0 cost something too": lambda scores, labels, mask: -(labels * np.log(sigmoid(scores)) * mask).sum(axis=1) / mask.sum(axis=1),
        },
        hints=("Every position's own loss first, padding too. What must happen to it before it is summed, and what is the sum divided by?", "(losses * mask).sum(axis=1) / mask.sum(axis=1)."),
    ),
}  # fmt: skip
