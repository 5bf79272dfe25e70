"""Train with a grid of settings and measure what each does to the neighbors; `tools.sweep` is its command.

A run is 05_training, run with papermill in a process of its own. It leaves two files in the sweep's folder, its vectors and its
results; a run whose results exist is not run again.
"""

import itertools
import json
import os
import statistics
import sys
import tempfile
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout
from tqdm import tqdm

from helpers.arguments import path_from_outside, whole_file
from helpers.beyond.evaluation import evaluate_pairs
from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, run_notebook
from helpers.beyond.scale.clusters import job_executor
from helpers.examples import generator
from helpers.vectors import choose_query, load_vectors, nearest, vocab_of

K, NUM_PROBES = 10, 200
TESTS = "WordSim-353", "SimLex-999"
SETTINGS_FILE = "sweep.json"
DASKS_THRESHOLD = "65536"  # what Dask tells the C library in its workers: give freed memory back at once


class Run(NamedTuple):
    """One training of a sweep: what is varied, and the seed. The defaults are those of the series."""

    embed_size: int = 100
    lr: float = 0.002
    num_epochs: int = 5
    seed: int = 0

    @property
    def setting(self):
        """What is varied, without the seed."""
        return self[:3]

    @property
    def name(self):
        """The name of the run's files."""
        return "-".join(f"{name}_{value}" for name, value in self._asdict().items())


VARIED = Run._fields[:3]
DEFAULT = Run().setting
ALONE = [Run(embed_size=200), Run(lr=0.0005), Run(lr=0.008), Run(embed_size=25), Run(num_epochs=2)]  # the longest first
FULL = [Run(*setting) for setting in itertools.product((200, 100, 25), (0.0005, 0.002, 0.008), (10, 5, 2)) if setting != DEFAULT]
FULL = [run for run in FULL if run.embed_size < 200 or run.num_epochs < 10]  # which would take a third of all the time
GRIDS = {
    "fast": [*(Run(seed=seed) for seed in range(2)), *ALONE[1:]],
    "full": [*(Run(seed=seed) for seed in range(4)), *FULL, *(run._replace(seed=1) for run in ALONE)],
}


def runs_of(grid):
    """Return the Runs of a grid; ValueError for an unknown name.

    "fast" changes one parameter at a time and has a second seed for the default setting alone; "full" has all combinations
    of three values each but the three longest, more seeds of the default, and a second one of the settings in ALONE.
    """
    if grid not in GRIDS:
        raise ValueError(f"grid must be one of {', '.join(GRIDS)}, not {grid!r}")
    return GRIDS[grid]


def probe_words(vocab):
    """Draw words of middle frequency, the same for every run on a text: neither the commonest tenth nor the rarer half."""
    middle = vocab.idx_to_token[1 + len(vocab) // 10 : 1 + len(vocab) // 2]
    return generator(0, "random pairs", 2).choice(middle, min(NUM_PROBES, len(middle)), replace=False).tolist()


def shown_words(vocab, corpus):
    """Choose three words whose neighbors are shown: the query word of step 6, and two that most English texts have."""
    wanted = [choose_query(None, K, vocab, corpus), "oil", "court", *probe_words(vocab)]
    return [word for word in dict.fromkeys(wanted) if word in vocab.token_to_idx][:3]


def overlap(first, second):
    """Return the share of the neighbors in `first` that are in `second` too, in any order: the mean over words.

    Both are dicts {word: neighbors}, as `nearest` returns them, with the same words.
    """
    return statistics.fmean(len(set(first[word]) & set(second[word])) / len(first[word]) for word in first)


def train_once(framework, run, parameters):
    """Train once, in a worker; returns the bytes of its vectors file, and its results as a dict.

    Raises RuntimeError with the notebook's error. The files are made in a temporary folder of the worker.
    """
    if os.environ.get("MALLOC_TRIM_THRESHOLD_") == DASKS_THRESHOLD:
        del os.environ["MALLOC_TRIM_THRESHOLD_"]  # a sweep takes nearly twice as long with it; what make sets is kept
    with tempfile.TemporaryDirectory() as folder:
        vectors_path = Path(folder) / "vectors.safetensors"
        given = {**parameters, **run._asdict(), "vectors_path": str(vectors_path)}
        step = NOTEBOOKS / framework / "05_training.ipynb"
        values, error, seconds = run_notebook(step, Path(folder) / step.name, given)
        if error is not None:
            raise RuntimeError(f"{getattr(error, 'ename', type(error).__name__)}: {getattr(error, 'evalue', error)}")
        vectors = load_vectors(vectors_path)
        vocab, corpus = vocab_of(vectors.tokens), values["corpus"]
        results = {
            **run._asdict(), "corpus": corpus, "seconds": round(seconds, 1), "held_out": values["epochs"][-1]["held_out"],
            **evaluate_pairs(vectors.embed_v, vocab),
            "neighbors": nearest(probe_words(vocab), K, vectors.embed_v, vocab),
            "shown": nearest(shown_words(vocab, corpus), K, vectors.embed_v, vocab),
        }  # fmt: skip
        return vectors_path.read_bytes(), results


def results_path(folder, run):
    return folder / f"{run.name}.json"


def save(folder, run, vectors, results):
    """Write a run's two files. Its results come last: they show that the run is done."""
    with whole_file(folder / f"{run.name}.safetensors") as temporary:
        temporary.write_bytes(vectors)
    with whole_file(results_path(folder, run)) as temporary:
        temporary.write_text(json.dumps(results), encoding="utf-8")


def open_sweep(folder, framework, parameters):
    """Make the folder of a sweep, or check that the sweep in it has the same framework and parameters (ValueError)."""
    settings, path = {"framework": framework, "parameters": parameters}, folder / SETTINGS_FILE
    if not path.exists():
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(settings), encoding="utf-8")
    elif (found := json.loads(path.read_text(encoding="utf-8"))) != settings:
        raise ValueError(f"{folder} holds a sweep with {found}, not {settings}; name another folder")


def run_sweep(framework, runs, folder, parameters=None, scheduler=None):
    """Train those of the runs that have no results in the folder yet; returns {name: error} of those that failed.

    Every run's files are written as soon as it is done, so a sweep that was stopped resumes where it was. `parameters`
    are 05_training's others, such as corpus. `scheduler` is the address of a Dask scheduler, whose workers need this
    repository and the text; None takes two processes of this machine. Raises ValueError for invalid arguments, RuntimeError if
    such a process was killed.
    """
    if framework not in FRAMEWORKS:
        raise ValueError(f"framework must be one of {', '.join(FRAMEWORKS)}, not {framework!r}")
    folder, parameters = path_from_outside(folder), parameters or {}
    open_sweep(folder, framework, parameters)
    missing = [run for run in runs if not results_path(folder, run).exists()]
    print(f"{len(runs) - len(missing)} of {len(runs)} runs are done already")
    if not missing:
        return {}
    try:
        with FileLock(folder / ".lock", timeout=0):
            return _train_missing(framework, missing, folder, parameters, scheduler)
    except Timeout:
        raise ValueError(f"another sweep runs in {folder}: wait for its end, or name another folder") from None


def _train_missing(framework, missing, folder, parameters, scheduler):
    failures = {}
    with job_executor(scheduler) as executor, tqdm(total=len(missing), unit=" runs", file=sys.stdout) as bar:
        futures = {executor.submit(train_once, framework, run, parameters): run for run in missing}
        for future in as_completed(list(futures)):
            run = futures.pop(future)
            if (error := future.exception()) is None:
                save(folder, run, *future.result())
            elif isinstance(error, BrokenProcessPool):
                raise error
            else:
                failures[run.name] = str(error)
                bar.write(f"{run.name} failed: {error}", file=sys.stdout)
            bar.update()
    return failures


def overlaps(ones, others):
    """Return the overlap of each pair of runs, one of each list, whose seeds differ: a common seed makes runs more alike."""
    pairs = itertools.combinations(ones, 2) if ones is others else itertools.product(ones, others)
    return [round(overlap(one["neighbors"], other["neighbors"]), 4) for one, other in pairs if one["seed"] != other["seed"]]


def condense(folder):
    """Return the results of a sweep's folder as a dict for JSON: under "settings" a dict for each setting.

    That lists, seed by seed, the held-out loss and the correlation of each test, and by pairs of runs with different
    seeds the overlap with the default setting and with the setting itself. For the default setting both are the noise floor.
    Raises ValueError if it can't be computed: without two seeds of the default setting, or with more than one text.
    """
    folder = path_from_outside(folder)
    if not (folder / SETTINGS_FILE).exists():
        raise ValueError(f"there is no sweep in {folder}")
    settings = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    runs = sorted((json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("embed_size_*.json")), key=lambda run: run["seed"])
    by_setting = {}
    for run in runs:
        by_setting.setdefault(tuple(run[name] for name in VARIED), []).append(run)
    default, corpora = by_setting.get(DEFAULT, []), {run["corpus"] for run in runs}
    if len(default) < 2:
        raise ValueError(f"the sweep in {folder} needs two seeds of the default setting, which measure the noise, and has {len(default)}")
    if len(corpora) > 1:
        raise ValueError(f"the runs in {folder} are of several texts: {', '.join(sorted(corpora))}")
    rows = [
        {
            **dict(zip(VARIED, setting)), **{name: [run[name] for run in found] for name in ("seed", "held_out", *TESTS)},
            "overlap": overlaps(found, default), "overlap with itself": overlaps(found, found), "shown": found[0]["shown"],
        }
        for setting, found in sorted(by_setting.items())
    ]  # fmt: skip
    num_probes = len(default[0]["neighbors"])
    return {"framework": settings["framework"], "corpus": corpora.pop(), "k": K, "num_probes": num_probes, "settings": rows}


def average(row, measure):
    """Return the mean of a setting's values of a measure; nan if a value is missing or there are none."""
    values = row[measure]
    return statistics.fmean(values) if values and None not in values else float("nan")


def settings_table(condensed):
    """Lay out the settings as text, a line for each."""
    measures = "held_out", *TESTS, "overlap", "overlap with itself"
    lines = ["  ".join(f"{name:>11}" for name in (*VARIED, "seeds", *measures))]
    for row in condensed["settings"]:
        values = [*(f"{row[name]}" for name in VARIED), f"{len(row['seed'])}", *(f"{average(row, measure):.4f}" for measure in measures)]
        lines.append("  ".join(f"{value:>{max(11, len(name))}}" for value, name in zip(values, (*VARIED, "seeds", *measures))))
    return "\n".join(lines)
