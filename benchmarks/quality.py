"""The block trainer against gensim: seconds from the text to the vectors, and what the vectors are worth. Needs PTB."""

import contextlib
import importlib
import io
import statistics
import time

SETTINGS = {"max_window_size": 5, "num_noise_words": 5}
EMBED_SIZE = 100
LR, NUM_EPOCHS = 0.075, 8
GENSIM = (5, 0.1), (6, 0.1), (8, 0.075), (12, 0.05), (20, 0.025)  # epochs and alpha
TESTS = "WordSim-353", "SimLex-999"
TOLERANCE = 0.01


def blocks(framework, seed, lr=LR, num_epochs=NUM_EPOCHS, num_workers=1):
    """Train blocks; returns seconds from the text to the vectors and the correlations. None for both if it diverged."""
    from helpers.blocks import load_blocks, word2vec_tables
    from helpers.vectors import evaluate_pairs

    import gensim.utils  # noqa: F401, I001  so that no import counts on either side
    import pooch  # noqa: F401

    model = importlib.import_module(f"helpers.model_{framework}")
    with contextlib.redirect_stdout(io.StringIO()):
        start = time.perf_counter()
        data, vocab = load_blocks("ptb", **SETTINGS, seed=seed, strict=True)
        net = model.model_from_tables(*word2vec_tables(len(vocab), EMBED_SIZE, seed))
        try:
            model.train_blocks(net, data, lr, num_epochs, num_workers)
        except FloatingPointError:
            return {"seconds": None, **dict.fromkeys(TESTS)}
        embed_v = model.to_arrays(net)[0]
        seconds = time.perf_counter() - start
    return {"seconds": round(seconds, 3), **evaluate_pairs(embed_v, vocab)}


def gensim_word2vec(seed, num_epochs, alpha):
    """Train gensim's Word2Vec with two workers on the same words with the same settings; returns the same."""
    import numpy as np
    import pooch  # noqa: F401
    from gensim.models import Word2Vec

    from helpers.corpus import read_corpus
    from helpers.vectors import evaluate_pairs, vocab_of

    start = time.perf_counter()
    text = read_corpus("ptb", strict=True)
    sentences = [[token for token in sentence if token != "<unk>"] for sentence in text.sentences]
    model = Word2Vec(
        sentences, sg=1, negative=5, window=5, vector_size=EMBED_SIZE, min_count=10, sample=1e-4, workers=2,
        epochs=num_epochs, alpha=alpha, seed=seed + 1,
    )  # fmt: skip
    seconds = time.perf_counter() - start
    table = np.vstack([np.zeros((1, EMBED_SIZE), np.float32), model.wv.vectors])
    return {"seconds": round(seconds, 3), **evaluate_pairs(table, vocab_of(["<unk>", *model.wv.index_to_key]))}


def mean(rows, name):
    values = [row[name] for row in rows]
    return None if None in values else statistics.mean(values)


def reference(rows):
    """Return the name of gensim's fastest setting that is as good as its best one, to within TOLERANCE in each test."""
    theirs = {name: found for name, found in rows.items() if name.startswith("gensim")}
    best = max(theirs, key=lambda name: sum(mean(theirs[name], test) for test in TESTS))
    equal = [
        name for name in theirs if all(mean(theirs[name], test) >= mean(theirs[best], test) - TOLERANCE for test in TESTS)
    ]
    return min(equal, key=lambda name: statistics.median(row["seconds"] for row in theirs[name]))
