"""The words of a file as both readers find them: the one that keeps a text in memory, and the one that prepares it."""

from helpers.beyond import texts
from helpers.beyond.scale import shards


def words_by_hand(path, split="letters"):
    """The sentences of a file, line by line."""
    return [line.split() for line in texts.lines_of_file(path, split) if line]


def words_by_parts(path, split="letters"):
    """The sentences that the parts of a file come to, from their numbers, ends and words."""
    found = []
    for part in shards.parts_of([shards.source_of(path)]):
        for numbering, numbers, ends in shards._stretches(part, split):
            words = [numbering.words[number - 1].decode() for number in numbers]
            found += [words[begin:end] for begin, end in zip([0, *ends], ends)]
    return found
