"""The sweep over settings: what it measures, that it goes on where it was stopped, and what it says when something is wrong."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from distributed import LocalCluster
from filelock import FileLock

import helpers.beyond.sweep
from helpers.beyond.notebooks import NOTEBOOKS, read_notebook
from helpers.beyond.sweep import (
    DEFAULT,
    GRIDS,
    K,
    Run,
    condense,
    open_sweep,
    overlap,
    probe_words,
    run_sweep,
    runs_of,
    save,
    shown_words,
)
from helpers.examples import Vocab
from helpers.tools.sweep import main
from helpers.tools.twins import write_notebook
from helpers.vectors import load_vectors

QUICK = """import numpy as np
from helpers.figures import report
from helpers.vectors import save_vectors
if not embed_size:
    raise ValueError("no vectors of 0 numbers")
tables = np.random.default_rng(seed).normal(size=(2, 50, embed_size))
save_vectors(vectors_path, *tables, ["<unk>", *(f"w{number}" for number in range(49))], {})
report(corpus="toy", epochs=[{"held_out": 0.4}])
"""


def neighbors(seed, num_words=20):
    rng = np.random.default_rng(seed)
    return {f"w{word}": [f"n{number}" for number in rng.choice(40, K, replace=False)] for word in range(num_words)}


def put(folder, run, **results):
    found = {"corpus": "toy", "held_out": 0.4, "WordSim-353": 0.3, "SimLex-999": None, "neighbors": neighbors(run.seed), "shown": {}}
    save(folder, run, b"", {**run._asdict(), **found, **results})


def test_overlap_is_1_with_itself_in_any_order_and_0_without_a_shared_word():
    first = neighbors(0)
    assert overlap(first, first) == 1
    assert overlap(first, {word: found[::-1] for word, found in first.items()}) == 1
    assert overlap(first, {word: ["other"] * K for word in first}) == 0
    assert overlap({"a": ["x", "y"], "b": ["x", "z"]}, {"a": ["y", "x"], "b": ["z", "u"]}) == 0.75


def test_probe_words_are_of_middle_frequency_and_the_same_at_every_call():
    vocab = Vocab([[f"w{number:04}"] * (2000 - number) for number in range(1000)])
    words = probe_words(vocab)
    assert len(set(words)) == 200 and words == probe_words(vocab)
    assert 100 < min(vocab[words]) and max(vocab[words]) <= 500
    assert shown_words(vocab, "mine") == ["w0000", *words[:2]]


def test_each_grid_holds_each_run_once_and_several_seeds_of_the_default():
    for runs in GRIDS.values():
        assert len(set(runs)) == len(runs) == len({run.name for run in runs})
        assert sum(run.setting == DEFAULT for run in runs) >= 2
    settings = {run.setting for run in GRIDS["fast"]}
    assert {sum(one != other for one, other in zip(setting, DEFAULT)) for setting in settings} == {0, 1}


def test_condensed_pairs_are_of_different_seeds_and_the_default_is_its_own_floor(tmp_path):
    open_sweep(tmp_path, "pytorch", {})
    for run in (Run(seed=0), Run(seed=1), Run(seed=2), Run(lr=0.1, seed=0), Run(lr=0.1, seed=1)):
        put(tmp_path, run, neighbors=neighbors(run.seed))
    found = condense(tmp_path)
    assert (found["framework"], found["corpus"], found["num_probes"]) == ("pytorch", "toy", 20)
    default, other = found["settings"]
    pair = {(one, two): round(overlap(neighbors(one), neighbors(two)), 4) for one in range(3) for two in range(3)}
    assert default["overlap"] == default["overlap with itself"] == [pair[0, 1], pair[0, 2], pair[1, 2]]
    assert other["overlap"] == [pair[0, 1], pair[0, 2], pair[1, 0], pair[1, 2]] and other["overlap with itself"] == [pair[0, 1]]
    assert default["seed"] == [0, 1, 2] and other["seed"] == [0, 1] and default["SimLex-999"] == [None] * 3
    assert "nan" in helpers.beyond.sweep.settings_table(found)


def test_what_cannot_be_condensed_is_told(tmp_path):
    with pytest.raises(ValueError, match="there is no sweep in"):
        condense(tmp_path)
    open_sweep(tmp_path, "pytorch", {})
    put(tmp_path, Run())
    with pytest.raises(ValueError, match="needs two seeds of the default setting, which measure the noise, and has 1"):
        condense(tmp_path)
    put(tmp_path, Run(seed=1), corpus="another")
    with pytest.raises(ValueError, match="several texts: another, toy"):
        condense(tmp_path)


def test_unknown_grids_frameworks_parameters_and_schedulers_are_clear_errors(tmp_path):
    with pytest.raises(ValueError, match="grid must be one of fast, full, not 'huge'"):
        runs_of("huge")
    with pytest.raises(ValueError, match="framework must be one of pytorch, mxnet, not 'jax'"):
        run_sweep("jax", GRIDS["fast"], tmp_path)
    for arguments, message in {
        ("--grid", "huge"): "'huge' is not one of 'fast', 'full'",
        ("-p", "epochs", "3"): "no notebook has a parameter 'epochs'",
        ("-p", "lr", "3"): "lr is set by the sweep itself",
        ("--scheduler", "nothing://here"): "no Dask scheduler answers at 'nothing://here'",
    }.items():
        done = CliRunner().invoke(main, [*arguments, "--out", str(tmp_path / "out")])
        assert done.exit_code and message in done.output, done.output
    open_sweep(tmp_path, "pytorch", {"corpus": "ptb"})
    done = CliRunner().invoke(main, ["--out", str(tmp_path)])
    assert done.exit_code and "holds a sweep with" in done.output and "name another folder" in done.output


@pytest.fixture
def quick_notebooks(tmp_path, monkeypatch):
    """In the place of 05_training a notebook that trains nothing, and the address of a Dask cluster in this process."""
    notebook = read_notebook(NOTEBOOKS / "pytorch" / "05_training.ipynb")
    cells = {cell["id"]: cell for cell in notebook["cells"]}
    cells["summary"]["source"] = QUICK.splitlines(keepends=True)
    write_notebook(tmp_path / "notebooks" / "pytorch" / "05_training.ipynb", {**notebook, "cells": [cells["parameters"], cells["summary"]]})
    monkeypatch.setattr(helpers.beyond.sweep, "NOTEBOOKS", tmp_path / "notebooks")
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address="localhost:0") as cluster:
        yield cluster.scheduler_address


@pytest.mark.slow
def test_a_stopped_sweep_goes_on_where_it_was_and_a_failing_run_is_named_and_loses_no_other(tmp_path, quick_notebooks, monkeypatch, capsys):
    runs, folder = [Run(embed_size=8), Run(embed_size=0), Run(embed_size=9)], tmp_path / "out"

    def save_and_stop(*arguments):
        save(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(helpers.beyond.sweep, "save", save_and_stop)
        run_sweep("pytorch", runs, folder, scheduler=quick_notebooks)
    (done,) = folder.glob("embed_size_*.json")
    before = done.stat().st_mtime_ns
    failures = run_sweep("pytorch", runs, folder, scheduler=quick_notebooks)
    printed = capsys.readouterr().out
    assert "1 of 3 runs are done already" in printed and f"{runs[1].name} failed: ValueError: no vectors of 0 numbers" in printed
    assert list(failures) == [runs[1].name] and done.stat().st_mtime_ns == before
    names = {path.name for path in folder.iterdir()}
    assert names - {".lock"} == {"sweep.json", *(f"{run.name}.{kind}" for run in (runs[0], runs[2]) for kind in ("json", "safetensors"))}


@pytest.mark.slow
def test_a_second_sweep_in_the_same_folder_is_refused_while_the_first_goes_on(tmp_path):
    open_sweep(tmp_path, "pytorch", {})
    with FileLock(tmp_path / ".lock"), pytest.raises(ValueError, match="another sweep runs in .*: wait for its end"):
        run_sweep("pytorch", runs_of("fast"), tmp_path)


def test_a_run_on_this_machines_workers_is_a_training_of_step_5(tmp_path, small_text):
    run = Run(embed_size=9, num_epochs=1)
    assert run_sweep("pytorch", [run], tmp_path, {"corpus": str(small_text), "batch_size": 4096}) == {}
    results = json.loads((tmp_path / f"{run.name}.json").read_text())
    assert results["corpus"] == "topics.txt" and 0 < results["held_out"] < 1
    assert all(len(found) == K for found in results["neighbors"].values()) and len(results["shown"]) == 3
    vectors = load_vectors(tmp_path / f"{run.name}.safetensors")
    assert vectors.embed_v.shape[1] == 9 and vectors.settings["num_epochs"] == 1
