"""The exercises of step 14, scale out."""

import numpy as np

from helpers.exercises import Exercise


def sent(num_ranks, vocab_size, embed_size, num_exchanges):
    """In a ring, R - 1 of R parts go round to be added up, and R - 1 go round again as sums."""
    return 2 * (num_ranks - 1) / num_ranks * whole(vocab_size, embed_size, num_exchanges)


def whole(vocab_size, embed_size, num_exchanges):
    return 2 * vocab_size * embed_size * 4 * num_exchanges


def draw_rings(rng):
    ranks = rng.choice(np.arange(3, 18), 4, replace=False)
    return [(int(ranks_), int(rng.integers(50, 900)) * 100, int(rng.integers(5, 40)) * 10, int(rng.integers(5, 300))) for ranks_ in (2, *ranks)]


def brought_together(together, tables):
    return together + sum(table - together for table in tables)


def draw_tables(rng):
    cases = []
    for num_ranks, shape in ((3, (2, 2)), (2, (3, 2)), (4, (3, 4)), (5, (6, 3))):
        together = rng.normal(0, 1, shape)
        cases.append((together, [together + rng.normal(0, 0.3, shape) for _ in range(num_ranks)]))
    return cases


def seconds(num_tokens, num_epochs, tokens_per_second, num_ranks):
    """Of training alone, without exchanges."""
    return num_tokens * num_epochs / (tokens_per_second * num_ranks)


def hours(num_tokens, num_epochs, tokens_per_second, num_ranks, exchange_share):
    return seconds(num_tokens, num_epochs, tokens_per_second, num_ranks) / (1 - exchange_share) / 3600


def draw_trainings(rng):
    return [
        (
            int(rng.integers(10, 1000)) * 10**8, int(rng.integers(2, 13)), int(rng.integers(10, 90)) * 10_000,
            int(rng.integers(2, 33)), round(float(rng.uniform(0.05, 0.6)), 3),
        )
        for _ in range(5)
    ]  # fmt: skip


def place(ends, sentence):
    return (ends[sentence - 1] if sentence else 0), ends[sentence]


def draw_sentences(rng):
    """The first sentence of a shard, and sentences between its first and its last."""
    shards = [np.cumsum(rng.integers(2, 30, size)) for size in (4, 5, 6, 8, 12)]
    return [(shards[0], 0)] + [(ends, int(rng.integers(1, len(ends) - 1))) for ends in shards[1:]]


EXERCISES = {
    "14.1": Exercise(
        reference=sent,
        cases=draw_rings,
        faults={
            "half is missing: there is more than one table, and a sum must get back to all ranks": lambda *case: sent(*case) / 2,
            "that is how many numbers it sends; how many bytes has one of them?": lambda *case: sent(*case) / 4,
            "that is for one exchange": lambda ranks, vocab, embed, exchanges: sent(ranks, vocab, embed, 1),
            "that is what all ranks send together": lambda ranks, *case: ranks * sent(ranks, *case),
            "as if it sent its whole tables to each of the others; in a ring it sends parts, to its neighbour alone": lambda ranks, *case: (
                (ranks - 1) * whole(*case)
            ),
            "that is the size of what is exchanged; what it sends depends on the number of ranks": lambda ranks, *case: whole(*case),
            "a little too much: how many steps does a part need to be at all ranks?": lambda ranks, *case: 2 * whole(*case),
            "that is twice too much: a float32 is no float64, and what a rank gets it does not send": lambda *case: 2 * sent(*case),
        },
        hints=(
            "The ring cuts the tables into as many parts as there are ranks. How many parts does a rank send, and how often go they round?",
            "Both tables have 2 * vocab_size * embed_size * 4 bytes; at each exchange a rank sends 2 * (num_ranks - 1) / num_ranks of them.",
        ),
    ),
    "14.2": Exercise(
        reference=brought_together,
        cases=draw_tables,
        faults={
            "that is the mean of the tables, in which each rank's change counts for a part only": lambda together, tables: sum(tables) / len(tables),
            "what the ranks had in common is in that once per rank": lambda together, tables: sum(tables),
            "you add whole tables to `together`, not what changed in each": lambda together, tables: together + sum(tables),
            "those are the changes alone, and no table yet": lambda together, tables: brought_together(together, tables) - together,
            "that goes the way back: the signs of the changes are turned": lambda together, tables: 2 * together - brought_together(together, tables),
            "the first rank's change is missing": lambda together, tables: brought_together(together, tables[1:]),
            "that is the last rank's table; count each change from `together` as it was": lambda together, tables: tables[-1],
            "that is right for two ranks only: `together` is in the table of each": lambda together, tables: sum(tables) - together,
        },
        hints=(
            "What has each rank changed since the last exchange? All of these changes shall be in the new table.",
            "Begin with together, and add table - together for each of the tables.",
        ),
    ),
    "14.3": Exercise(
        reference=hours,
        cases=draw_trainings,
        faults={
            "that is in seconds": lambda *case: 3600 * hours(*case),
            "that is in minutes": lambda *case: 60 * hours(*case),
            "that is for one epoch": lambda tokens, epochs, *case: hours(tokens, 1, *case),
            "that is the time of one rank alone": lambda tokens, epochs, rate, ranks, share: hours(tokens, epochs, rate, 1, share),
            "with more ranks it should be less, not more": lambda tokens, epochs, rate, ranks, share: ranks**2 * hours(tokens, epochs, rate, ranks, share),
            "the time in exchanges is missing": lambda *case: seconds(*case[:-1]) / 3600,
            "exchanges make it longer, not shorter": lambda *case: seconds(*case[:-1]) / 3600 * (1 - case[-1]),
            "exchange_share is a share of the whole time, not of the time that trains": lambda *case: seconds(*case[:-1]) / 3600 * (1 + case[-1]),
            "that is the time in exchanges alone": lambda *case: hours(*case) * case[-1],
            "which share of the whole time is left to train?": lambda *case: seconds(*case[:-1]) / 3600 / case[-1],
        },
        hints=(
            "First the seconds without any exchanges. They are only a part of the whole time: which part?",
            "num_tokens * num_epochs / (tokens_per_second * num_ranks) seconds train; divide by 1 - exchange_share, and by 3600.",
        ),
    ),
    "14.4": Exercise(
        reference=place,
        cases=draw_sentences,
        faults={
            "before sentence 0 there is none, and `ends[-1]` is the end of the shard": lambda ends, sentence: (ends[sentence - 1], ends[sentence]),
            "the second is the place of the last token itself": lambda ends, sentence: (place(ends, sentence)[0], ends[sentence] - 1),
            "that is the sentence after it": lambda ends, sentence: (ends[sentence], ends[sentence + 1]),
            "it begins one token late, but for sentence 0: what is one past a sentence is in the next": lambda ends, sentence: (
                (ends[sentence - 1] + 1 if sentence else 0), ends[sentence],
            ),
            "it begins one token late: places count from 0": lambda ends, sentence: (place(ends, sentence)[0] + 1, ends[sentence]),
            "the second is how many tokens the sentence has": lambda ends, sentence: (
                place(ends, sentence)[0], ends[sentence] - place(ends, sentence)[0],
            ),
            "`ends` is added up already: it holds no lengths of sentences": lambda ends, sentence: (ends[:sentence].sum(), ends[: sentence + 1].sum()),
            "the first token's place comes first": lambda ends, sentence: place(ends, sentence)[::-1],
            "that begins where the shard does, not where the sentence does": lambda ends, sentence: (0, ends[sentence]),
        },
        hints=(
            "How many tokens stand before the sentence? And what if no sentence stands before it?",
            "From ends[sentence - 1], or 0 for sentence 0, to ends[sentence].",
        ),
    ),
}  # fmt: skip
