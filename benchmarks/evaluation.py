"""The vectors' scores beside those of gensim's, counted and random vectors, over seeds: python -m benchmarks.evaluation, or make study.

Each run is a process of its own. Writes evaluation.json into this folder: for each text and method the scores of every seed,
their mean, its 95 % interval over the pairs of each set, and that of its difference from blocks in PyTorch; and a figure of each
text for docs/results.md. Needs PTB.
"""

import contextlib
import importlib
import io
import time

import click
import numpy as np

from benchmarks.runs import EMBED_SIZE, FOLDER, FRAMEWORKS, SETTINGS, in_a_process, in_turn, machine, write_results
from benchmarks.training import BATCH_SIZE, LR
from helpers.arguments import whole_file
from helpers.beyond.evaluation import study_table as table
from helpers.figures import png

CORPORA = "ptb", "wikipedia"
NUM_EPOCHS = 5
OURS = "blocks, PyTorch"


def scores(tokens, table):
    """Return the cosines of each set's known pairs, and the share of analogies that are found."""
    from helpers.beyond.evaluation import ANALOGIES, PAIRS, keyed_vectors, known_pairs, score_analogies

    vectors = keyed_vectors(tokens, table)
    return {**{name: known_pairs(vectors, name)[1].round(5).tolist() for name in PAIRS}, ANALOGIES: score_analogies(vectors).value}


def blocks(corpus, seed, framework, num_epochs, lr):
    """Train blocks; returns the scores of the center table, of the context table and of their mean, and the seconds of training."""
    from helpers.beyond.blocks import load_blocks, word2vec_tables

    model = importlib.import_module(f"helpers.model_{framework}")
    trainer = importlib.import_module(f"helpers.beyond.blocks_{framework}")
    with contextlib.redirect_stdout(io.StringIO()):
        data, vocab = load_blocks(corpus, **SETTINGS, seed=seed)
        net = model.model_from_tables(*word2vec_tables(len(vocab), EMBED_SIZE, seed))
        start = time.perf_counter()
        trainer.train_blocks(net, data, lr, num_epochs)
    return told(vocab, model.to_arrays(net), start)


def step_5(corpus, seed, framework):
    """Train as step 5 does; returns the same."""
    model = importlib.import_module(f"helpers.model_{framework}")
    with contextlib.redirect_stdout(io.StringIO()):
        data, vocab = model.load_data(corpus, BATCH_SIZE, **SETTINGS, seed=seed)
        net = model.new_model(len(vocab), EMBED_SIZE, seed)
        start = time.perf_counter()
        model.train(net, data, LR, NUM_EPOCHS, "cpu")
    return told(vocab, model.to_arrays(net), start)


def told(vocab, tables, start):
    from helpers.beyond.vector_files import WHICH_TABLE, Vectors, table_of

    seconds, vectors = time.perf_counter() - start, Vectors(*tables, vocab.idx_to_token, {})
    return {"seconds": round(seconds, 2), **{name: scores(vectors.tokens, table_of(vectors, name)) for name in WHICH_TABLE}}


def baseline(corpus, seed, name, *settings):
    """Make the vectors of a function in `benchmarks.baselines`; returns their scores as those of a center table, and the seconds."""
    from gensim.models import Word2Vec  # noqa: F401  so that no import counts
    from sklearn.decomposition import TruncatedSVD  # noqa: F401

    from benchmarks import baselines
    from helpers.corpus import read_corpus

    text = read_corpus(corpus, strict=True)
    start = time.perf_counter()
    tokens, table = getattr(baselines, name)(text, seed, *settings)
    return {"seconds": round(time.perf_counter() - start, 2), "center": scores(tokens, table)}


METHODS = {
    OURS: (blocks, "pytorch", 16, 0.04),
    **({"blocks, MXNet": (blocks, "mxnet", 16, 0.04)} if "mxnet" in FRAMEWORKS else {}),
    "step 5, PyTorch": (step_5, "pytorch"),
    "gensim, 12 epochs": (baseline, "gensim_vectors", 12, 0.05),
    "gensim, 20 epochs": (baseline, "gensim_vectors", 20, 0.025),
    "counted": (baseline, "counted_vectors"),
    "random": (baseline, "random_vectors"),
}


def judgments(corpus):
    """Return people's judgments of those pairs of each set whose words a text's vocabulary knows."""
    from benchmarks.baselines import random_vectors
    from helpers.beyond.evaluation import PAIRS, keyed_vectors, known_pairs
    from helpers.corpus import read_corpus

    vectors = keyed_vectors(*random_vectors(read_corpus(corpus, strict=True), 0))
    return {name: known_pairs(vectors, name)[0] for name in PAIRS}


def summary(judged, runs, reference):
    """Sum up the cosines (seeds, pairs) of a method on one set, beside those of a reference: the rank correlation of each seed,
    their mean with its interval over the pairs, and the difference from the reference with its own.
    """
    from helpers.beyond.evaluation import bootstrap, rank_correlation

    num_runs = len(runs)

    def difference(judged, *both, axis=-1):
        return rank_correlation(judged, *both[:num_runs], axis=axis) - rank_correlation(judged, *both[num_runs:], axis=axis)

    each = [round(float(rank_correlation(judged, run)), 4) for run in runs]
    return {
        "known": len(judged), "each": each, "mean": round(float(np.mean(each)), 4),
        "interval": np.round(bootstrap(rank_correlation, (judged, *runs), 0), 3).tolist(),
        "difference": np.round(bootstrap(difference, (judged, *runs, *reference), 0), 3).tolist(),
    }  # fmt: skip


def summaries(judged, found):
    """Sum up all runs on a text, {method: [results]}; returns {method: {set: summary}}, with the seconds.

    Of ours there is a row for each table, of the others for the table that stands for the words.
    """
    from helpers.beyond.vector_files import WHICH_TABLE

    rows = {}
    for method, results in found.items():
        for which in WHICH_TABLE:
            if which in results[0] and (which == "center" or method == OURS):
                row = {"seconds": [result["seconds"] for result in results]}
                for name, values in judged.items():
                    sides = (which, results), ("center", found[OURS])
                    runs, reference = ([result[part][name] for result in group] for part, group in sides)
                    row[name] = summary(values, np.array(runs), np.array(reference))
                (analogies,) = set(results[0][which]) - set(judged)
                row[analogies] = {"each": [round(result[which][analogies], 4) for result in results]}
                rows[method if which == "center" else f"{method}: {which} table"] = row
    return rows


def short_table(text, rows):
    """Yield the lines of a Markdown table of methods on a text: seconds, and what vectors score, the mean of the seeds ± their spread."""
    tests = [name for name in next(iter(rows.values())) if name != "seconds"]
    yield f"| {text} | seconds | {' | '.join(tests)} |"
    yield "|---|---|" + "---|" * len(tests)
    for method, row in rows.items():
        told = [f"{row[name].get('mean', np.mean(row[name]['each'])):.3f} ± {np.std(row[name]['each'], ddof=1):.3f}" for name in tests]
        yield f"| {method} | {np.median(row['seconds']):.1f} | {' | '.join(told)} |"


def forest_figure(text, rows):
    """Draw what the methods score on the pairs of both sets, with intervals."""
    from helpers.beyond.evaluation import PAIRS
    from helpers.beyond.figures import methods_figure

    return methods_figure(rows, list(PAIRS), f"Trained on {text}")


def write_figures(texts):
    """Write the figure of each text, forest_TEXT.png, into this folder."""
    for text, rows in texts.items():
        with whole_file(FOLDER / f"forest_{text}.png") as temporary:
            temporary.write_bytes(png(forest_figure(text, rows), "").data)


@click.command(help=__doc__)
@click.option("--seeds", default=5, show_default=True, help="Seeds for each method.")
def main(seeds):
    texts = {}
    for corpus in CORPORA:
        runs = {name: lambda seed, work=work, rest=rest: in_a_process(work, corpus, seed, *rest) for name, (work, *rest) in METHODS.items()}
        texts[corpus] = summaries(judgments(corpus), in_turn(runs, seeds))
        write_results(FOLDER / "evaluation.json", {"machine": machine(), "seeds": list(range(seeds)), "texts": texts})
    write_figures(texts)
    for corpus, rows in texts.items():
        click.echo("\n" + "\n".join(table(corpus, rows)))


if __name__ == "__main__":
    from benchmarks import evaluation  # by its name, under which other processes find the functions

    evaluation.main()
