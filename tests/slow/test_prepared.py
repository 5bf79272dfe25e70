"""A large text is prepared in less than a gigabyte, and trained on in little more than the tables; MEGABYTES says how large it is."""

import os
import subprocess
import sys

import pytest

from benchmarks.prepare import measure, write_text
from tests.conftest import ROOT

pytestmark = pytest.mark.slow
MEGABYTES = int(os.environ.get("MEGABYTES", 100))


def test_a_large_text_takes_the_memory_of_its_vocabulary_and_tables(tmp_path):
    path, folder = tmp_path / "text.txt", tmp_path / "prepared"
    write_text(path, MEGABYTES * 10**6)
    prepared = measure("-m", "helpers.tools.prepare", str(path), "--out", str(folder))
    path.unlink()
    command = sys.executable, "-m", "tests.large_text", str(folder)
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    loaded, trained, tables = map(float, done.stdout.split())
    print(f"{MEGABYTES} MB: prepared in {prepared['seconds']:.0f} s with {prepared['megabytes']:.0f} MB, three processes together;")
    print(f"loading took {loaded:.0f} MB beyond the framework's, training {trained:.0f}, of which each copy of the tables {tables:.0f}")
    assert prepared["megabytes"] < 1000 and loaded < 200 and trained < 200 + 4 * tables
