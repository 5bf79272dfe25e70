"""d2l's loader of PTB against ours: seconds for loading plus one pass over the batches, and the memory that adds.

Each run is a process of its own, the two in turn. Needs PTB.
"""

import json
import multiprocessing
import os
import resource
import shutil
import statistics
import tempfile
import time
from pathlib import Path

import click

from helpers.corpus import fetch_ptb


def peak_megabytes():
    """The most memory that this process held so far (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure(name, folder, answer):
    """Load PTB and go through its minibatches once; send seconds and megabytes added."""
    os.chdir(folder)
    multiprocessing.set_start_method("fork", force=True)  # d2l's data set is local to a function and can't be spawned
    if name == "d2l":
        from d2l.torch import load_data_ptb
    else:
        import gensim.utils  # noqa: F401  so that imports count on neither side
        import pooch  # noqa: F401

        from helpers.model_pytorch import load_data_ptb
    before, start = peak_megabytes(), time.perf_counter()
    data_iter, vocab = load_data_ptb(512, 5, 5)
    num_batches = sum(1 for _ in data_iter)
    answer.send((time.perf_counter() - start, peak_megabytes() - before, num_batches, len(vocab)))


@click.command(help=__doc__)
@click.option("--pairs", default=3, show_default=True, help="How often each is measured.")
def main(pairs):
    context = multiprocessing.get_context("spawn")
    figures = {"d2l": [], "ours": []}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "work"  # d2l looks in ../data
        work.mkdir()
        (Path(folder) / "data").mkdir()
        shutil.copy(fetch_ptb(), Path(folder) / "data" / "ptb.zip")
        for _ in range(pairs):
            for name, found in figures.items():
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=measure, args=(name, work, sender))
                process.start()
                sender.close()
                found.append(receiver.recv())
                process.join()
                click.echo(f"{name:5} {found[-1][0]:6.2f} s, {found[-1][1]:6.1f} MB added, {found[-1][2]} batches")
    seconds, megabytes = ([statistics.median(run[place] for run in figures[name]) for name in figures] for place in (0, 1))
    ratios = [theirs[0] / ours[0] for theirs, ours in zip(*figures.values())]
    click.echo(json.dumps({
        "seconds": dict(zip(figures, seconds)), "megabytes": dict(zip(figures, megabytes)),
        "times as fast": sorted(ratios), "share of the memory": megabytes[1] / megabytes[0],
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
