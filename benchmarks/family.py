"""Seven ways from one text to vectors, over seeds: python -m benchmarks.family, or make study. Needs no network.

Each run is a process of its own with one thread. Writes family.json into this folder: for each way the seconds and the memory that
training adds, the scores of every seed, their mean, its 95 % interval over the pairs or questions of each set, and that of its
difference from skip-gram with negative sampling. The learning rates and epochs are those with the largest sum of
both correlations among three to six that were tried with seed 0.
"""

import contextlib
import io
import time
from pathlib import Path

import click
import numpy as np

from benchmarks.baselines import MIN_FREQ
from benchmarks.evaluation import summary
from benchmarks.runs import EMBED_SIZE, FOLDER, SETTINGS, in_a_process, in_turn, machine, write_results
from helpers.beyond.evaluation import study_table

CORPUS, REFERENCE = "wikipedia", "negative sampling"
WIDE = 15  # the window of the program of GloVe's authors


def negative_sampling(text, vocab, encoded, counts, seed, num_epochs, lr):
    from helpers.beyond.blocks import Blocks, word2vec_tables
    from helpers.beyond.blocks_pytorch import train_blocks
    from helpers.examples import encode
    from helpers.model_pytorch import model_from_tables, to_arrays

    held_out = Blocks(*encode(text.held_out, vocab), counts, *SETTINGS.values(), seed, purpose="held-out blocks")
    blocks = Blocks(*encoded, counts, *SETTINGS.values(), seed, held_out, text.name)
    net = model_from_tables(*word2vec_tables(len(counts), EMBED_SIZE, seed))
    train_blocks(net, blocks, lr, num_epochs)
    return to_arrays(net)[0]


def full_softmax(text, vocab, encoded, counts, seed, num_epochs, lr):
    from helpers.beyond.family import softmax_loss, train_on_counts

    return train_on_counts(softmax_loss, counted(encoded, counts, seed), EMBED_SIZE, lr, num_epochs, seed)[0]


def hierarchical_softmax(text, vocab, encoded, counts, seed, num_epochs, lr):
    from helpers.beyond.family import train_hierarchical

    return train_hierarchical(encoded, counts, SETTINGS["max_window_size"], EMBED_SIZE, lr, num_epochs, seed)[0]


def cbow(text, vocab, encoded, counts, seed, num_epochs, lr):
    from helpers.beyond.family import train_cbow

    return train_cbow(encoded, counts, *SETTINGS.values(), EMBED_SIZE, lr, num_epochs, seed)[0]


def glove(text, vocab, encoded, counts, seed, num_epochs, lr, max_window_size):
    from helpers.beyond.family import train_glove

    tables = train_glove(counted(encoded, counts, seed, max_window_size), EMBED_SIZE, lr, num_epochs, seed)
    return tables[0] + tables[1]  # as its authors do


def pmi(text, vocab, encoded, counts, seed):
    from helpers.beyond.family_counts import counted_pmi, factorize

    return factorize(counted_pmi(counted(encoded, counts, seed)), EMBED_SIZE, seed)[0]


def by_chance(text, vocab, encoded, counts, seed):
    from helpers.beyond.family_counts import random_table

    return random_table(len(counts), EMBED_SIZE, seed)


def counted(encoded, counts, seed, max_window_size=SETTINGS["max_window_size"]):
    from helpers.beyond.family_counts import count_resampled

    return count_resampled(*encoded, counts, max_window_size, seed)


METHODS = {  # name: function, epochs and learning rate, ...
    REFERENCE: (negative_sampling, 16, 0.04),
    "full softmax": (full_softmax, 12, 0.005),
    "hierarchical softmax": (hierarchical_softmax, 3, 0.005),
    "CBOW": (cbow, 12, 0.005),
    f"GloVe, window {SETTINGS['max_window_size']}": (glove, 12, 0.005, SETTINGS["max_window_size"]),
    f"GloVe, window {WIDE}": (glove, 12, 0.005, WIDE),
    "PMI and SVD": (pmi,),
    "random": (by_chance,),
}


def reset_peak():
    """Let the system forget how much memory this process held at most (Linux)."""
    Path("/proc/self/clear_refs").write_text("5")


def megabytes(which):
    """Return the memory that this process holds ("VmRSS"), or held at most ("VmHWM"), in megabytes (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) / 1024


def answered(vectors):
    """Return 1 for each analogy whose fourth word is found and 0 for the others that are known, in an order of their own: (n,)."""
    from gensim.test.utils import datapath

    from helpers.beyond.evaluation import QUESTIONS

    every = vectors.evaluate_word_analogies(datapath(QUESTIONS), restrict_vocab=len(vectors))[1][-1]
    found = {question: int(right) for name, right in (("correct", 1), ("incorrect", 0)) for question in every[name]}
    return [found[question] for question in sorted(found)]


def make(method, seed, quick):
    """Make vectors in one way; returns the seconds and megabytes of it, and of each set the known pairs or questions."""
    import sklearn.decomposition  # noqa: F401  so that no import counts
    import torch

    import helpers.beyond.blocks_pytorch  # noqa: F401
    from helpers.beyond.evaluation import ANALOGIES, PAIRS, keyed_vectors, known_pairs
    from helpers.corpus import read_corpus
    from helpers.examples import Vocab, count_words, encode

    text = read_corpus(CORPUS)
    text = text._replace(sentences=text.sentences[:40]) if quick else text
    vocab = Vocab(text.sentences, MIN_FREQ)
    given = text, vocab, encode(text.sentences, vocab), count_words(vocab), seed
    work, *settings = METHODS[method]
    if quick and settings:
        settings[0] = 1
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # the first one imports a lot
    reset_peak()
    before, start = megabytes("VmRSS"), time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        table = work(*given, *settings)
    seconds, most = time.perf_counter() - start, megabytes("VmHWM")
    vectors = keyed_vectors(vocab.idx_to_token, table)
    pairs = {name: np.round(known_pairs(vectors, name), 5).tolist() for name in PAIRS}
    return {"seconds": round(seconds, 2), "megabytes": round(most - before), **pairs, ANALOGIES: answered(vectors)}


def summed_up(found):
    """Sum up all runs, {method: [results]}; returns {method: {"seconds", "megabytes", set: its summary}}."""
    from helpers.beyond.evaluation import ANALOGIES, PAIRS, bootstrap

    rows, others = {}, found[REFERENCE]
    for method, results in found.items():
        rows[method] = {name: [result[name] for result in results] for name in ("seconds", "megabytes")}
        for name in PAIRS:
            judged = np.array(results[0][name][0])
            rows[method][name] = summary(judged, *(np.array([run[name][1] for run in runs]) for runs in (results, others)))
        right, theirs = (np.mean([run[ANALOGIES] for run in runs], axis=0) for runs in (results, others))
        rows[method][ANALOGIES] = {
            "known": len(right), "each": [round(float(np.mean(run[ANALOGIES])), 4) for run in results],
            "mean": round(float(right.mean()), 4), "interval": np.round(bootstrap(np.mean, (right,), 0), 3).tolist(),
            "difference": np.round(bootstrap(np.mean, (right - theirs,), 0), 3).tolist(),
        }  # fmt: skip
    return rows


@click.command(help=__doc__)
@click.option("--seeds", default=5, show_default=True, help="Seeds for each way.")
@click.option("--quick", is_flag=True, help="One seed, one epoch and a part of the text, to see that it runs. Writes nothing.")
def main(seeds, quick):
    seeds = 1 if quick else seeds
    runs = {name: lambda seed, name=name: in_a_process(make, name, seed, quick) for name in METHODS}
    rows = summed_up(in_turn(runs, seeds))
    if not quick:
        settings = {name: settings for name, (_, *settings) in METHODS.items()}
        found = {"machine": machine(), "corpus": CORPUS, "seeds": list(range(seeds)), "settings": settings, "methods": rows}
        write_results(FOLDER / "family.json", found)
    for line in study_table("way", rows):
        click.echo(line)


if __name__ == "__main__":
    from benchmarks import family  # by its name, under which other processes find `make`

    family.main()
