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
    """Words of which two or three are lost, one does not occur in the text, and the unknown word is lost in some cases."""
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
            "the unknown token cannot be drawn, and rightly so; do not return it": lambda counts, p, unk: np.flatnonzero((counts > 0) & (p == 0)),
            "a word that does not occur in the text cannot be drawn, and rightly so": lambda counts, p, unk: np.setdiff1d(np.flatnonzero(p == 0), unk),
            "those have probability 0, but two kinds of them rightly so": lambda counts, p, unk: np.flatnonzero(p == 0),
            "that looks at word 0 only; others may have been lost too": lambda counts, p, unk: np.array([0]),
            "those can be drawn; return the others": lambda counts, p, unk: np.flatnonzero(p > 0),
            "that is yes or no for every word; return the ids of the words": lambda counts, p, unk: np.isin(np.arange(len(p)), never_drawn(counts, p, unk)),
            "that is their number; return their ids": lambda counts, p, unk: len(never_drawn(counts, p, unk)),
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
            "they don't sum to 1: exclude the unknown token first, then divide": lambda counts, unk: chances(counts, []) * (np.arange(len(counts)) != unk),
            "the power 3/4 is missing": lambda counts, unk: chances(counts, unk, 1),
            "all words are equally likely in yours: use the counts": lambda counts, unk: chances(counts, unk, 0),
        },
        hints=("What does the line with the 0 assume about the order of the words?", "weights[unk] = 0 in the place of weights[0] = 0."),
    ),
    "11.3": Exercise(
        reference=lambda rates, seconds: np.diff(rates * seconds, prepend=0),
        cases=draw_logs,
        faults={
            "that is the number of words so far; it grows from epoch to epoch": lambda rates, seconds: rates * seconds,
            "the first epoch is missing": lambda rates, seconds: np.diff(rates * seconds),
            "the seconds are each epoch's own; do not add them up": lambda rates, seconds: np.diff(rates * np.cumsum(seconds), prepend=0),
            "take differences of words, not of words per second: the epochs took different times": lambda rates, seconds: np.diff(rates, prepend=0) * seconds,
            "not every epoch has the same number of words": lambda rates, seconds: rates * seconds / np.arange(1, len(rates) + 1),
            "words are words per second times seconds": lambda rates, seconds: rates / seconds,
            "take differences instead of sums": lambda rates, seconds: np.cumsum(rates * seconds),
        },
        hints=("Words per second times seconds is the count that the code divided. How did that count get so large?", "np.diff(logged * seconds, prepend=0)."),
    ),
    "11.4": Exercise(
        reference=rates_of,
        cases=draw_timed,
        faults={
            "that is the code as it was: the values still grow from epoch to epoch": lambda epochs: totals_so_far(epochs)[0] / np.diff(totals_so_far(epochs)[1], prepend=0),
            "that is the throughput of all epochs so far; return each epoch's own": lambda epochs: totals_so_far(epochs)[0] / totals_so_far(epochs)[1],
            "now the values fall from epoch to epoch: the clock runs on, the count does not": lambda epochs: np.diff(totals_so_far(epochs)[0], prepend=0) / totals_so_far(epochs)[1],
            "a short minibatch weighs as much as a long one in yours": lambda epochs: [np.mean([words / seconds for words, seconds in epoch]) for epoch in epochs],
            "that is the throughput of an epoch's last minibatch": lambda epochs: [epoch[-1][0] / epoch[-1][1] for epoch in epochs],
            "that is seconds per word": lambda epochs: [1 / rate for rate in rates_of(epochs)],
        },
        hints=("Where is the clock reset, and where is the count?", "Set num_words to 0 where elapsed is set to 0."),
    ),
    "11.5": Exercise(
        reference=losses_of_epochs,
        cases=draw_told,
        faults={
            "that is what was printed": lambda told, rows: told,
            "the epochs have different numbers of rows; yours assumes that they are equal": lambda told, rows: np.diff(told * np.arange(1, len(rows) + 1), prepend=0),
            "those are sums of an epoch's losses; return the mean": lambda told, rows: np.diff(told * np.cumsum(rows), prepend=0),
            "the losses of earlier epochs are still included": lambda told, rows: told * np.cumsum(rows) / rows,
            "differences of means are not losses: how many rows is each a mean of?": lambda told, rows: np.diff(told, prepend=0),
            "that averages the averages again; undo the averaging": lambda told, rows: np.cumsum(told * rows) / np.cumsum(rows),
            "the first epoch is missing": lambda told, rows: losses_of_epochs(told, rows)[1:],
        },
        hints=("Turn each mean back into a sum first. How many rows went into it?", "np.diff(logged * np.cumsum(rows), prepend=0) / rows."),
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
            "total is not reset at the start of an epoch: the losses grow": lambda epochs: np.cumsum([np.concatenate(epoch).sum() for epoch in epochs]) / [len(np.concatenate(epoch)) for epoch in epochs],
            "num_rows is not reset at the start of an epoch: the losses shrink": lambda epochs: [np.concatenate(epoch).sum() for epoch in epochs] / np.cumsum([len(np.concatenate(epoch)) for epoch in epochs]),
        },
        hints=("Which numbers still contain earlier epochs when a new one begins?", "Both total and num_rows must be 0 at the start of each epoch."),
    ),
    "11.7": Exercise(
        reference=divisor_of,
        cases=draw_steps,
        faults={
            "that is the number of rows; not every step divides by it. Call the step": lambda step, gradients: len(gradients),
            "that is the reciprocal": lambda step, gradients: 1 / divisor_of(step, gradients),
            "compare the step with the sum of the gradients, not with their mean": lambda step, gradients: divisor_of(step, gradients) / len(gradients),
            "the sign: a step goes against the gradient": lambda step, gradients: -divisor_of(step, gradients),
            "return one number; yours has one for each dimension": lambda step, gradients: -gradients.sum(axis=0) / step(gradients),
            "the length of a sum is not the sum of the lengths": lambda step, gradients: np.linalg.norm(gradients, axis=1).sum() / np.linalg.norm(step(gradients)),
        },
        hints=("Call step(gradients), and compare the result with a step of plain gradient descent on the sum.", "np.linalg.norm(gradients.sum(axis=0)) / np.linalg.norm(step(gradients))."),
    ),
    "11.8": Exercise(
        reference=stepped,
        cases=draw_gradients,
        faults={
            "that is the code as it was: the step shrinks as the minibatch grows": lambda vector, gradients, lr: vector - lr * gradients.mean(axis=0),
            "that moves along the gradient; a step moves against it": lambda vector, gradients, lr: vector + lr * gradients.sum(axis=0),
            "the learning rate is missing": lambda vector, gradients, lr: stepped(vector, gradients, 1),
            "that is the step alone; return the vector after the step": lambda vector, gradients, lr: -lr * gradients.sum(axis=0),
            "yours uses the last row's gradient alone": lambda vector, gradients, lr: vector - lr * gradients[-1],
            "the step is too long: each row's gradient counts once": lambda vector, gradients, lr: vector - lr * len(gradients) * gradients.sum(axis=0),
        },
        hints=("What does step 5 do with the losses of a minibatch before it calls backward?", "gradients.sum(axis=0) in the place of gradients.mean(axis=0)."),
    ),
    "11.9": Exercise(
        reference=lambda table: mean_over_pairs(unit_rows(table[1:])),
        cases=draw_tables,
        faults={
            "row 0 is no word: leave it out": lambda table: mean_over_pairs(unit_rows(table)),
            "yours includes each word with itself, with a cosine of 1": lambda table: np.sum(unit_rows(table[1:]).mean(axis=0) ** 2),
            "those are dot products: scale the vectors to length 1 first": lambda table: mean_over_pairs(table[1:]),
            "you subtract the mean vector first; measure the vectors as they are": lambda table: mean_over_pairs(unit_rows(table[1:] - table[1:].mean(axis=0))),
            "those are the cosines with the mean vector; compare words with words": lambda table: (unit_rows(table[1:]) @ unit_rows(table[1:].mean(axis=0, keepdims=True))[0]).mean(),
            "that is the sum; return the mean": lambda table: mean_over_pairs(unit_rows(table[1:])) * (len(table) - 1) * (len(table) - 2),
            "yours compares only consecutive rows; take all pairs": lambda table: (unit_rows(table[1:])[1:] * unit_rows(table[1:])[:-1]).sum(axis=1).mean(),
        },
        hints=("Scale every row to length 1; then all cosines are one matrix product. Which of its entries don't count?", "cosines = unit @ unit.T without row 0; (cosines.sum() - n) / (n * (n - 1)) leaves the diagonal out."),
    ),
    "11.10": Exercise(
        reference=share_below,
        cases=draw_cosines,
        faults={
            "that is the code as it was: one threshold for all models": lambda cosines, others: (cosines > 0.6).astype(float),
            "that is the share above": lambda cosines, others: 1 - share_below(cosines, others),
            "that is their number; return their share": lambda cosines, others: share_below(cosines, others) * len(others),
            "that is the difference from their mean; return the share that lies below": lambda cosines, others: cosines - others.mean(),
            "that says above or below their mean; return the share that lies below": lambda cosines, others: (cosines > others.mean()).astype(float),
            "compare each cosine with the random pairs, not with the other cosines": lambda cosines, others: share_below(cosines, cosines),
            "return one number for each cosine, not one for all": lambda cosines, others: share_below(cosines, others).mean(),
        },
        hints=("For one cosine: compare it with all the random ones, and take the mean of yes and no.", "[np.mean(random_cosines < cosine) for cosine in cosines]."),
    ),
    "11.11": Exercise(
        reference=padding_leak,
        cases=draw_losses,
        faults={
            "the sign: the loss after the change minus the loss before": lambda loss_of, scores, labels, mask: -padding_leak(loss_of, scores, labels, mask),
            "you changed all scores; change those of the padding alone": lambda loss_of, scores, labels, mask: loss_of(scores + 1, labels, mask) - loss_of(scores, labels, mask),
            "you changed the valid positions; change the padding": lambda loss_of, scores, labels, mask: loss_of(scores + (mask == 1), labels, mask) - loss_of(scores, labels, mask),
            "you changed the mask; change the scores where it is 0": lambda loss_of, scores, labels, mask: loss_of(scores, labels, np.ones_like(mask)) - loss_of(scores, labels, mask),
            "you changed the labels; change the scores where the mask is 0": lambda loss_of, scores, labels, mask: loss_of(scores, labels + (mask == 0), mask) - loss_of(scores, labels, mask),
            "that is the loss after the change; subtract the loss before it": lambda loss_of, scores, labels, mask: loss_of(scores + (mask == 0), labels, mask),
            "return one number per row, not one for all": lambda loss_of, scores, labels, mask: padding_leak(loss_of, scores, labels, mask).sum(),
        },
        hints=("Call loss twice: with the scores as they are, and with 1 added where the mask is 0.", "loss(scores + (mask == 0), labels, mask) - loss(scores, labels, mask)."),
    ),
    "11.12": Exercise(
        reference=masked,
        cases=lambda rng: [draw_padded(rng) for _ in range(3)],
        faults={
            "the padding still counts": unmasked,
            "the padding no longer counts, but you still divide by the whole length of the row": lambda scores, labels, mask: (loss(scores, labels) * mask).mean(axis=1),
            "masking a score gives it the loss of score 0; mask the losses": masked_scores,
            "that is the sum; return the mean over the valid positions": lambda scores, labels, mask: (loss(scores, labels) * mask).sum(axis=1),
            "return one number per row, not one for all": lambda scores, labels, mask: (loss(scores, labels) * mask).sum() / mask.sum(),
            "yours uses the context words only": lambda scores, labels, mask: (loss(scores, labels) * labels).sum(axis=1) / labels.sum(axis=1),
            "that is the loss of the padding: the mask is inverted": lambda scores, labels, mask: (loss(scores, labels) * (1 - mask)).sum(axis=1) / (1 - mask).sum(axis=1).clip(1),
            "positions with label 0 have a loss too": lambda scores, labels, mask: -(labels * np.log(sigmoid(scores)) * mask).sum(axis=1) / mask.sum(axis=1),
        },
        hints=("Compute the loss of every position first, padding included. What must happen to it before the sum, and what is the sum divided by?", "(losses * mask).sum(axis=1) / mask.sum(axis=1)."),
    ),
}  # fmt: skip
