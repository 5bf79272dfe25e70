"""Trainings in processes of their own that are killed at random moments, and started again until they end."""

import json
import subprocess
import sys
import time

import numpy as np

from helpers.beyond.checkpoints import load_checkpoint
from tests.conftest import ROOT


def launch(*arguments):
    """Start `tests.training`; returns it at its first step."""
    command = [sys.executable, "-m", "tests.training", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line == "begins\n":
            return process
    raise AssertionError(f"{command} did not begin")


def finish(process):
    """Wait for its end; returns what came out: a hash of the tables and the losses of all epochs."""
    *_, last = process.stderr.read().splitlines()
    assert process.wait() == 0, last
    return json.loads(last)


def kill_and_resume(framework, way, text, folder, num_epochs, num_kills, seed):
    """Train in one go; then kill it `num_kills` times at random moments, resume each time, and compare.

    Each second start writes a checkpoint after every step, so that kills also come while one is being written. Where a training
    ends before it is killed, its bits are compared too, and another begins. Returns after how many batches the file stood.
    """
    rng, path, places = np.random.default_rng(seed), folder / "c.safetensors", []
    process = launch(framework, way, text, num_epochs, folder / "whole.safetensors", 30)
    begin = time.perf_counter()
    wanted = finish(process)
    longest = (time.perf_counter() - begin) * min(1, 3 / num_kills)
    while len(places) < num_kills:
        process = launch(framework, way, text, num_epochs, path, len(places) % 2 * 0.02)
        try:
            process.wait(rng.uniform(0, longest))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        else:
            assert finish(process) == wanted
        process.stderr.close()
        record = load_checkpoint(path)[1]["record"]
        if len(record["epochs"]) < num_epochs:
            places.append(record["batches"])
        else:
            path.unlink()
    assert finish(launch(framework, way, text, num_epochs, path, 30)) == wanted
    assert not list(folder.glob(".*"))
    return places
