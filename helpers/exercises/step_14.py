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
            "half is missing: there are two tables, and the sums must get back to all ranks": lambda *case: sent(*case) / 2,
            "that is how many numbers it sends; multiply by the bytes of a float32": lambda *case: sent(*case) / 4,
            "that is for one exchange": lambda ranks, vocab, embed, exchanges: sent(ranks, vocab, embed, 1),
            "that is what all ranks send together": lambda ranks, *case: ranks * sent(ranks, *case),
            "that sends whole tables to each other rank; in a ring a rank sends parts, to its neighbor alone": lambda ranks, *case: (
                (ranks - 1) * whole(*case)
            ),
            "that is the size of what is exchanged; what it sends depends on the number of ranks": lambda ranks, *case: whole(*case),
            "a little too much: a rank sends R - 1 of R parts in each round, not all of them": lambda ranks, *case: 2 * whole(*case),
            "that is twice too much: a float32 has 4 bytes, and what a rank receives it does not send": lambda *case: 2 * sent(*case),
        },
        hints=(
            "The ring cuts the tables into as many parts as there are ranks. How many parts does a rank send in a round, and how many rounds are there?",
            "Both tables have 2 * vocab_size * embed_size * 4 bytes; at each exchange a rank sends 2 * (num_ranks - 1) / num_ranks of them.",
        ),
    ),
    "14.2": Exercise(
        reference=brought_together,
        cases=draw_tables,
        faults={
            "that is the mean of the tables, which keeps only a share of each rank's change": lambda together, tables: sum(tables) / len(tables),
            "that contains the common table once per rank": lambda together, tables: sum(tables),
            "you add whole tables to `common`, not the changes": lambda together, tables: together + sum(tables),
            "those are the changes alone; add them to `common`": lambda together, tables: brought_together(together, tables) - together,
            "the signs of the changes are wrong: table minus `common`": lambda together, tables: 2 * together - brought_together(together, tables),
            "the first rank's change is missing": lambda together, tables: brought_together(together, tables[1:]),
            "that is the last rank's table; add every rank's change to `common`": lambda together, tables: tables[-1],
            "that is right for two ranks only: each table contains `common`": lambda together, tables: sum(tables) - together,
        },
        hints=(
            "What has each rank changed since the last exchange? The new table contains all of these changes.",
            "Start from common, and add table - common for each of the tables.",
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
            "more ranks take less time, not more": lambda tokens, epochs, rate, ranks, share: ranks**2 * hours(tokens, epochs, rate, ranks, share),
            "the time in exchanges is missing": lambda *case: seconds(*case[:-1]) / 3600,
            "exchanges make it longer, not shorter": lambda *case: seconds(*case[:-1]) / 3600 * (1 - case[-1]),
            "exchange_share is a share of the total time, not of the training time": lambda *case: seconds(*case[:-1]) / 3600 * (1 + case[-1]),
            "that is the time in exchanges alone": lambda *case: hours(*case) * case[-1],
            "divide by the share of the total time that is left for training": lambda *case: seconds(*case[:-1]) / 3600 / case[-1],
        },
        hints=(
            "First the seconds without any exchanges. They are only a part of the total time: which part?",
            "num_tokens * num_epochs / (tokens_per_second * num_ranks) seconds train; divide by 1 - exchange_share, and by 3600.",
        ),
    ),
    "14.4": Exercise(
        reference=place,
        cases=draw_sentences,
        faults={
            "sentence 0 has none before it, and `ends[-1]` is the end of the shard": lambda ends, sentence: (ends[sentence - 1], ends[sentence]),
            "the second is the index of the last token; return the index after it": lambda ends, sentence: (place(ends, sentence)[0], ends[sentence] - 1),
            "that is the next sentence": lambda ends, sentence: (ends[sentence], ends[sentence + 1]),
            "it begins one token late, except for sentence 0: the index after a sentence is the first of the next": lambda ends, sentence: (
                (ends[sentence - 1] + 1 if sentence else 0), ends[sentence],
            ),
            "it begins one token late: indices count from 0": lambda ends, sentence: (place(ends, sentence)[0] + 1, ends[sentence]),
            "the second is the length of the sentence; return the index after its last token": lambda ends, sentence: (
                place(ends, sentence)[0], ends[sentence] - place(ends, sentence)[0],
            ),
            "`ends` is a running sum already: it does not hold the lengths of sentences": lambda ends, sentence: (ends[:sentence].sum(), ends[: sentence + 1].sum()),
            "return the index of the first token first": lambda ends, sentence: place(ends, sentence)[::-1],
            "that begins at the start of the shard, not of the sentence": lambda ends, sentence: (0, ends[sentence]),
        },
        hints=(
            "How many tokens come before the sentence? And if it is the first sentence?",
            "From ends[sentence - 1], or 0 for sentence 0, to ends[sentence].",
        ),
    ),
}  # fmt: skip
