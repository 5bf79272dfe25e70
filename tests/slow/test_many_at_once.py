"""Several runs of the series at the same time: RUNS says how many. And: what listens while they run."""

import json
import os
import sys

import pytest

from helpers.beyond.notebooks import NOTEBOOKS, lessons
from helpers.tools.environment import mxnet_left_out
from helpers.vectors import load_vectors
from tests.conftest import command
from tests.listening import LOOPBACK, watch

pytestmark = pytest.mark.slow
RUNS = int(os.environ.get("RUNS", 2))


def test_runs_at_once_share_the_cache_and_end_as_one_run_does(tmp_path):
    frameworks = [("pytorch", "pytorch" if mxnet_left_out() else "mxnet")[number % 2] for number in range(RUNS)]
    outs = [tmp_path / f"out{number}" for number in range(RUNS)]
    fast = "-f", NOTEBOOKS / "fast.yaml"
    codes, listened = watch(*(command("--framework", name, *fast, "--out", out) for name, out in zip(frameworks, outs)))
    assert codes == [0] * RUNS
    assert listened and listened <= set(LOOPBACK)
    trained = {}
    for framework, out in zip(frameworks, outs):
        rows = json.loads((out / "summary.json").read_text())["notebooks"]
        assert [row["notebook"] for row in rows] == [path.stem for path in lessons(framework)]
        losses = [[epoch["loss"], epoch["held_out"]] for row in rows for epoch in row.get("epochs", ())]
        vectors = load_vectors(out / framework / "vectors.safetensors")
        found = losses, vectors.embed_v.tobytes(), vectors.embed_u.tobytes()
        assert trained.setdefault(framework, found) == found and len(losses) > 5
    print(f"{RUNS} runs at once: all notebooks of all runs done, equal bits for each framework; listening at {', '.join(listened)}")


@pytest.mark.parametrize("program", ["sweep", "lab"])
def test_nothing_listens_but_on_loopback(program, small_text, tmp_path):
    programs = {
        "sweep": [sys.executable, "-m", "helpers.tools.sweep", "-p", "corpus", str(small_text), "--out", str(tmp_path)],
        "lab": [sys.executable, "-m", "jupyter", "lab", "--allow-root", "--no-browser"],
    }
    _, found = watch(programs[program], seconds=15)
    assert found and found <= set(LOOPBACK)
