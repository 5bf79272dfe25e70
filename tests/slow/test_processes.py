"""Processes that a command starts end with it, whatever ended it, and leave nothing behind."""

import signal
import subprocess
import sys
import time

import psutil
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow

WORKERS = """
from helpers.beyond.processes import Workers
from tests.test_blocks import work
with Workers(2, work) as workers:
    for told in workers.run("wait"):
        print(told, flush=True)
"""

JOBS = """
import sys
from helpers.beyond.scale.clusters import job_executor
from tests.slow.test_processes import wait_with_a_file
if __name__ == "__main__":
    with job_executor(None) as executor:
        for future in [executor.submit(wait_with_a_file, sys.argv[1]) for _ in range(3)]:
            future.result()
"""


def wait_with_a_file(folder):
    """A job that takes long, and removes its file whatever ends it."""
    import tempfile

    with tempfile.NamedTemporaryFile(dir=folder):
        time.sleep(600)


def start(source, folder):
    """Start a program and wait until both of its workers are at work; returns it and its family."""
    (folder / "program.py").write_text(source)
    command = [sys.executable, folder / "program.py", folder / "files"]
    (folder / "files").mkdir()
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True, env={"PYTHONPATH": str(ROOT)}
    )
    if source == WORKERS:
        process.stdout.readline(), process.stdout.readline()
    while source == JOBS and process.poll() is None and len(list((folder / "files").iterdir())) < 2:
        time.sleep(0.05)
    return process, psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
@pytest.mark.parametrize("source", [WORKERS, JOBS], ids=["workers", "jobs"])
def test_workers_end_with_the_program_that_started_them(source, name, tmp_path):
    process, family = start(source, tmp_path)
    process.send_signal(getattr(signal, name))
    _, told = process.communicate(timeout=120)
    gone, alive = psutil.wait_procs(family, 60)
    assert len(gone) >= 2 and alive == [] and list((tmp_path / "files").iterdir()) == []
    assert told.count("Traceback") == (name == "SIGINT"), told  # the program's own


def test_a_worker_that_is_killed_is_an_error_in_a_line_and_ends_the_others(tmp_path):
    process, family = start(JOBS, tmp_path)
    workers = [child for child in family if "spawn_main" in " ".join(child.cmdline())]
    workers[0].kill()
    _, told = process.communicate(timeout=120)
    _, alive = psutil.wait_procs(family, 60)
    assert alive == [] and told.splitlines()[-1].startswith("RuntimeError: a worker process was killed, as happens where"), told
