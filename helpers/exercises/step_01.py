"""The exercises of step 1, data."""

import copy
import warnings

import numpy as np

from helpers.exercises import Exercise


def contexts(sentence, place, left, right):
    return sentence[max(0, place - left) : place] + sentence[place + 1 : place + 1 + right]


def without_the_word(sentence, place, left, right):
    return [word for word in sentence[max(0, place - left) : place + 1 + right] if word != sentence[place]]


def draw_sentences(rng):
    sentences = [rng.integers(1, 1000, rng.integers(9, 14)).tolist() for _ in range(4)]
    wide_left = [(sentence, int(rng.integers(4, len(sentence) - 3)), int(rng.integers(3, 5)), int(rng.integers(1, 3))) for sentence in sentences]
    twice = [7, 3, 7, 5, 7, 7, 2]  # the center's word stands beside it once more
    first, last = (sentences[0], 0, 3, 2), (sentences[1], len(sentences[1]) - 1, 3, 2)
    return [*wide_left, first, last, (sentences[2], 1, 4, 1), (twice, 2, 2, 3)]


class ReadOnly(tuple):
    """A case whose copies hold arrays that can't be written to, so that an answer that changes them fails."""

    def __deepcopy__(self, memo):
        copied = copy.deepcopy(tuple(self), memo)
        for value in copied:
            if isinstance(value, np.ndarray):
                value.flags.writeable = False
        return copied


def noise_chances(probability, context_ids):
    chances = probability.copy()
    chances[context_ids] = 0
    return chances / chances.sum()


def not_scaled(probability, context_ids):
    chances = probability.copy()
    chances[context_ids] = 0
    return chances


def others_out(probability, context_ids):
    kept = probability - not_scaled(probability, context_ids)
    return kept / kept.sum()


def subtracted(probability, context_ids):
    chances = probability.copy()
    np.subtract.at(chances, context_ids, probability[context_ids])
    return chances / chances.sum()


def equal_chances(probability, context_ids):
    rest = not_scaled(probability, context_ids) > 0
    return rest / rest.sum()


def power_again(probability, context_ids):
    weights = not_scaled(probability, context_ids) ** 0.75
    return weights / weights.sum()


def changed_in_place(probability, context_ids):
    probability[context_ids] = 0
    return probability / probability.sum()


def scaled_in_place(probability, context_ids):
    chances = probability
    chances /= 1 - chances[list(set(context_ids))].sum()
    return chances


def taken_out(probability, context_ids):
    rest = np.delete(probability, context_ids)
    return rest / rest.sum()


def draw_chances(rng):
    cases = []
    for size in (6, 9, 12):
        weights = np.append(0, rng.integers(1, 20, size)) ** 0.75
        context_ids = rng.choice(np.arange(1, size + 1), 3, replace=False).tolist()
        cases.append(ReadOnly((weights / weights.sum(), [*context_ids, context_ids[0]])))
    return cases


def pad(rows):
    longest = max(map(len, rows))
    ids = [row + [0] * (longest - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (longest - len(row)) for row in rows]
    return np.array(ids), np.array(mask)


def pad_left(rows):
    return tuple(array[:, ::-1] for array in pad([row[::-1] for row in rows]))


def cut(rows, length):
    ids, mask = pad(rows)
    return ids[:, :length], mask[:, :length]


def ragged(rows):
    length = len(rows[0])
    ids = [row + [0] * (length - len(row)) for row in rows]
    mask = [[1] * len(row) + [0] * (length - len(row)) for row in rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an old NumPy warns of such rows, a newer one refuses them
        return np.array(ids), np.array(mask)


def too_narrow(rows):
    ids = np.zeros((len(rows), len(rows[0])), int)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = row
    return ids, ids


def draw_rows(rng):
    cases = []
    for _ in range(3):
        first, last = rng.permutation([3, 5])  # neither is the longest row or the shortest
        lengths = first, *rng.permutation([2, 7]), last
        cases.append(([rng.integers(1, 50, length).tolist() for length in lengths],))
    return cases


EXERCISES = {
    "01.1": Exercise(
        reference=contexts,
        cases=draw_sentences,
        faults={
            "the center is not a context word of itself": lambda s, place, left, right: s[max(0, place - left) : place + 1 + right],
            "a negative start counts from the end: what comes out at place 1 with left 4?": lambda s, place, left, right: s[place - left : place] + s[place + 1 : place + 1 + right],
            "leave out the center's place, not its word: the word may stand in the window once more": without_the_word,
            "that is the right side only": lambda s, place, left, right: s[place + 1 : place + 1 + right],
            "that is the left side only": lambda s, place, left, right: s[max(0, place - left) : place],
            "the last word of the window is missing: a slice ends before its stop": lambda s, place, left, right: s[max(0, place - left) : place] + s[place + 1 : place + right],
            "the window is `left` words wide on the left and `right` words on the right": lambda s, place, left, right: contexts(s, place, right, left),
        },
        hints=("Two slices: left of the place and right of it.", "The left one begins at max(0, place - left), the right one at place + 1."),
    ),
    "01.2": Exercise(
        reference=noise_chances,
        cases=draw_chances,
        faults={
            "context words must have the chance 0": lambda probability, context_ids: probability,
            "the sum is below 1: scale what is left": not_scaled,
            "the other way round: context words get 0, all others may be drawn": others_out,
            "a word may be a context word twice: set its chance to 0, don't subtract it": subtracted,
            "the other words are not equally likely: each keeps its own chance, scaled": equal_chances,
            "the power 3/4 is in `probability` already": power_again,
            "leave `probability` as it is, the next center needs it: change a copy": changed_in_place,
            "leave `probability` as it is, the next center needs it: `/=` changes it": scaled_in_place,
            "keep a place for each id: the array must be as long as `probability`": taken_out,
        },
        hints=("Copy the array first. A list of ids can be used as an index.", "chances[context_ids] = 0, then divide by chances.sum()."),
    ),
    "01.3": Exercise(
        reference=pad,
        cases=draw_rows,
        faults={
            "the mask must be 0 where there is padding": lambda rows: (pad(rows)[0], np.ones_like(pad(rows)[1])),
            "mask is 1 for words and 0 for padding, not the other way round": lambda rows: (pad(rows)[0], 1 - pad(rows)[1]),
            "the padding goes to the right, after the words": pad_left,
            "ids first, then the mask": lambda rows: pad(rows)[::-1],
            "nothing may be cut off: L is the length of the longest row": lambda rows: cut(rows, min(map(len, rows))),
            "nothing may be cut off: L is the length of the longest row, not of the first": lambda rows: cut(rows, len(rows[0])),
            "L is the length of the longest row, not of the first: yours leaves rows of different lengths": ragged,
            "L is the length of the longest row, not of the first: a longer one does not fit": too_narrow,
        },
        hints=("How long is the longest row? Pad each row to that.", "row + [0] * (longest - len(row)), and the same with ones for the mask; both as np.array."),
    ),
}  # fmt: skip
