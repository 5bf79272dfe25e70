"""The block trainer against gensim: seconds from the text to the vectors, and what the vectors are worth. Needs PTB."""

import contextlib
import importlib
import io
import statistics
import time

from benchmarks.runs import EMBED_SIZE, SETTINGS

BLOCKS = (12, 0.05), (16, 0.04), (20, 0.035)  # epochs and lr
GENSIM = (8, 0.075), (12, 0.05), (16, 0.035), (20, 0.025)  # epochs and alpha
TESTS = "WordSim-353", "SimLex-999"
TOLERANCE = 0.01


def blocks(framework, seed, num_epochs, lr, num_workers=1):
    """Train blocks; returns seconds from the text to the vectors and the correlations. None for both if it diverged."""
    import gensim.utils  # noqa: F401  so that no import counts on either side
    import pooch  # noqa: F401

    from helpers.beyond.blocks import load_blocks, word2vec_tables
    from helpers.beyond.evaluation import evaluate_pairs

    model = importlib.import_module(f"helpers.model_{framework}")
    trainer = importlib.import_module(f"helpers.beyond.blocks_{framework}")
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        data, vocab = load_blocks("ptb", **SETTINGS, seed=seed)
        net = model.model_from_tables(*word2vec_tables(len(vocab), EMBED_SIZE, seed))
        try:
            trainer.train_blocks(net, data, lr, num_epochs, num_workers)
        except FloatingPointError:
            return {"seconds": None, **dict.fromkeys(TESTS)}
        embed_v = model.to_arrays(net)[0]
        seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 3), **evaluate_pairs(embed_v, vocab)}


def gensim_word2vec(seed, num_epochs, alpha):
    """Train gensim's Word2Vec with two workers on the same words with the same settings; returns the same."""
    import pooch  # noqa: F401
    from gensim.models import Word2Vec  # noqa: F401  here too no import counts

    from benchmarks.baselines import gensim_vectors
    from helpers.beyond.evaluation import evaluate_pairs
    from helpers.corpus import read_corpus
    from helpers.vectors import vocab_of

    start = time.perf_counter()
    tokens, vectors = gensim_vectors(read_corpus("ptb", strict=True), seed, num_epochs, alpha)
    seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 3), **evaluate_pairs(vectors, vocab_of(tokens))}


def mean(rows, name):
    values = [row[name] for row in rows]
    return None if None in values else statistics.mean(values)


def median_seconds(rows):
    return statistics.median(row["seconds"] for row in rows)


def as_good(rows, others):
    """Say whether the means of some runs are below those of others by at most TOLERANCE in each test."""
    return all((mean(rows, test) or 0) >= mean(others, test) - TOLERANCE for test in TESTS)


def compare(runs, kind):
    """Compare our fastest setting that is as good as gensim's best with gensim's fastest that is.

    `runs` maps settings to runs; ours begin with `kind`, gensim's with "gensim". gensim's best has the largest sum of the
    means of both tests. Where none of ours is as good, our own best stands in. Returns both names and whether it is as good.
    """

    def best(names):
        return max(names, key=lambda name: sum(mean(runs[name], test) or 0 for test in TESTS))

    theirs, ours = ([name for name in runs if name.startswith(start)] for start in ("gensim", kind))
    top = best(theirs)
    reference = min([name for name in theirs if as_good(runs[name], runs[top])], key=lambda name: median_seconds(runs[name]))
    equal = [name for name in ours if as_good(runs[name], runs[top])]
    chosen = min(equal, key=lambda name: median_seconds(runs[name])) if equal else best(ours)
    return {"ours": chosen, "gensim's": reference, "as good": bool(equal)}
