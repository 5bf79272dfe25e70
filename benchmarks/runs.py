"""What the benchmarks share: the lesson's settings, runs in processes of their own, medians with their spread, the machine,
and files of results.
"""

import datetime
import importlib
import importlib.metadata
import json
import os
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from helpers.arguments import whole_file
from helpers.tools.environment import mxnet_left_out

FOLDER = Path(__file__).resolve().parent
SETTINGS = {"max_window_size": 5, "num_noise_words": 5}
EMBED_SIZE = 100
FRAMEWORKS = ("pytorch",) if mxnet_left_out() else ("pytorch", "mxnet")
PACKAGES = "torch", *FRAMEWORKS[1:], "numpy", "gensim", "d2l"


def in_a_process(work, *arguments, **environment):
    """Run `work(*arguments)` in a new Python, so that no run inherits another's memory; returns what it returns.

    Both the arguments and what is returned must be things that JSON holds. Threads are those that the Makefile sets,
    unless `environment` says otherwise. PTB must be there: no other text is read in its place.
    """
    environment = {**os.environ, "WORD2VEC_STRICT": "1", "OMP_NUM_THREADS": "1", "MXNET_CPU_WORKER_NTHREADS": "2", **environment}
    call = json.dumps([work.__module__, work.__name__, arguments])
    command = [sys.executable, "-m", "benchmarks.runs", call]
    done = subprocess.run(command, cwd=FOLDER.parent, stdout=subprocess.PIPE, text=True, env=environment)
    if done.returncode:
        raise RuntimeError(f"{work.__name__}{arguments} failed; its error stands above")
    return json.loads(done.stdout.splitlines()[-1])


def in_turn(runs, repeats):
    """Run each of `runs`, a dict of functions of the repeat's number, in turn `repeats` times; returns {name: [results]}."""
    found = {name: [] for name in runs}
    for number in range(repeats):
        for name, run in runs.items():
            found[name].append(run(number))
            print(f"  {name}, run {number + 1} of {repeats}: {str(found[name][-1])[:200]}", flush=True)
    return found


def spread(values):
    """Return the median of numbers with the smallest and the largest."""
    return {"median": statistics.median(values), "least": min(values), "most": max(values)}


def machine():
    """Say when and on what a benchmark ran."""
    cpu = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        names = [line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
        cpu = (names or [cpu])[0]
    return {
        "date": datetime.date.today().isoformat(), "cpu": cpu, "cores": os.cpu_count(), "system": platform.system(),
        "python": platform.python_version(), "packages": {name: importlib.metadata.version(name) for name in PACKAGES},
    }  # fmt: skip


def read_results(path):
    """Read a file of results, or give an empty dict where there is none yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write_results(path, results):
    """Write results as JSON, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    module, name, arguments = json.loads(sys.argv[1])
    print(json.dumps(getattr(importlib.import_module(module), name)(*arguments)))
