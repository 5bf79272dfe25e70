"""d2l's loader of PTB against ours: seconds for loading plus one pass over the batches, and the memory that adds. Needs PTB."""

import multiprocessing
import os
import resource
import shutil
import tempfile
import time
from pathlib import Path


def peak_megabytes():
    """The most memory that this process held so far (Linux counts kilobytes)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def load(name):
    """Load PTB with d2l's loader or ours and go through its minibatches once; returns seconds and megabytes added."""
    from helpers.corpus import fetch_ptb

    path, home = fetch_ptb(), Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        for part in ("work", "data"):  # d2l looks in ../data
            (Path(folder) / part).mkdir()
        shutil.copy(path, Path(folder) / "data" / "ptb.zip")
        os.chdir(Path(folder) / "work")
        try:
            return _measure(name)
        finally:
            os.chdir(home)


def _measure(name):
    if name == "d2l":
        multiprocessing.set_start_method("fork", force=True)  # d2l's data set is local to a function and can't be spawned
        from d2l.torch import load_data_ptb
    else:
        import gensim.utils  # noqa: F401  so that imports count on neither side
        import pooch  # noqa: F401

        from helpers.model_pytorch import load_data_ptb
    before, start = peak_megabytes(), time.perf_counter()
    data_iter, _ = load_data_ptb(512, 5, 5)
    for _ in data_iter:
        pass
    return {"seconds": round(time.perf_counter() - start, 3), "megabytes": round(peak_megabytes() - before, 1)}
