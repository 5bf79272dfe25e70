"""Parameters through papermill: SEED picks them, TRIES says how many; extreme ones run or are told."""

import os
import random

import pytest

from helpers.beyond.notebooks import known_parameters, read_notebook, run_notebook
from helpers.tools.environment import mxnet_left_out
from tests.parameters import HUGE
from tests.test_papermill import SMALL
from tests.test_parameters import LESSONS

pytestmark = pytest.mark.slow
SEED, TRIES = int(os.environ.get("SEED", 1)), int(os.environ.get("TRIES", 5))
TOLD = {"ParameterError", "ValueError", "LookupError", "FloatingPointError"}
EXTREME = {
    **dict.fromkeys(("lr", "block_lr", "subword_lr"), (1e-30, 1e6, 1e30)),
    "min_freq": (10**9,), "k": (1, 10**9), "query_token": ("no such word",), "num_tokens": (1, HUGE), "seed": (2**32 - 1,),
    "embed_size": (1,),
    "max_window_size": (1, 60), "num_noise_words": (1, 60), "batch_size": (1_000_000,), "block_epochs": (1,), "num_epochs": (1,),
}  # fmt: skip


def draw(values):
    """Draw TRIES of all (notebook, name, value) that there are."""
    known = {path: known_parameters(read_notebook(path)) for path in LESSONS if path.parent.name != "mxnet" or not mxnet_left_out()}
    every = [(path, name, value) for path in known for name in sorted(known[path] & values.keys()) for value in values[name]]
    return random.Random(SEED).sample(every, min(TRIES, len(every)))


def run(path, given, text, folder):
    """Return the error of a run, or None."""
    return run_notebook(path, folder / path.name, {**SMALL, "corpus": str(text), "other_corpus": str(text), **given})[1]


def test_extreme_values_run_or_are_told_in_a_line(small_text, tmp_path):
    ran = 0
    for path, name, value in draw(EXTREME):
        error = run(path, {name: value}, small_text, tmp_path)
        ran += error is None
        if error is not None:
            assert error.ename in TOLD and len(error.evalue.splitlines()) == 1, (path, name, value, error)
    print(f"seed {SEED}: {TRIES} extreme values, {ran} ran through, the others were told in a line")
