"""Disks that are full or read-only: small file systems in memory, which root mounts."""

import contextlib
import json
import subprocess

import numpy as np
import pytest

from helpers import corpus
from helpers.vectors import load_vectors, save_vectors
from tests.conftest import course
from tests.server import send

pytestmark = pytest.mark.slow


@pytest.fixture
def disk(tmp_path):
    """A function that mounts a file system of so many bytes, and returns its folder."""
    with contextlib.ExitStack() as stack:

        def mount(size):
            folder = tmp_path / "disk"
            folder.mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
            stack.callback(subprocess.run, ["umount", folder], check=True)
            return folder

        yield mount


def test_a_cache_folder_without_room_is_a_clear_error_and_keeps_nothing(serve, disk, monkeypatch):
    content = np.random.default_rng(0).bytes(300_000)
    serve(lambda handler: send(handler, content), content)
    folder = disk("64k")
    monkeypatch.setenv("WORD2VEC_CACHE", str(folder))
    with pytest.raises(RuntimeError, match="No space left on device") as caught:
        corpus.read_corpus("ptb", strict=True)
    assert len(str(caught.value).splitlines()) == 1
    assert {path.name for path in folder.iterdir()} <= {"ptb.zip.lock"}


def test_a_read_only_cache_folder_is_a_clear_error_or_the_excerpt(serve, disk, monkeypatch, capsys):
    server, _ = serve(lambda handler: send(handler, b"never asked for"))
    folder = disk("1m")
    subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
    monkeypatch.setenv("WORD2VEC_CACHE", str(folder))
    with pytest.raises(RuntimeError, match="Read-only file system") as caught:
        corpus.read_corpus("ptb", strict=True)
    assert len(str(caught.value).splitlines()) == 1
    assert corpus.read_corpus("ptb").name == "wikipedia" and "Read-only file system" in capsys.readouterr().out
    assert server.requests == 0


def test_a_disk_that_fills_up_in_a_run_leaves_what_was_made_before_whole(disk, small_text):
    folder = disk("500k")
    done = course("--framework", "pytorch", "--out", folder / "out", corpus=small_text, num_epochs=1, embed_size=8, block_epochs=1)
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "No space left on device" in done.stdout + done.stderr and "what was made before stays" in done.stderr
    made = sorted(path for path in (folder / "out").rglob("*") if path.is_file())
    notebooks = [path for path in made if path.suffix == ".ipynb"]
    assert 2 <= len(notebooks) < 11 and not [path for path in made if path.name.startswith(".")]
    for path in notebooks:
        assert [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"][-1]["execution_count"]
    json.loads((folder / "out" / "summary.json").read_text())


def test_vectors_that_find_no_room_leave_the_old_ones(disk):
    path = disk("200k") / "v.safetensors"
    small, large = np.ones((10, 10), np.float32), np.ones((10_000, 10), np.float32)
    save_vectors(path, small, None, [str(number) for number in range(10)], {})
    with pytest.raises(OSError, match="No space left"):
        save_vectors(path, large, None, [str(number) for number in range(10_000)], {})
    assert len(load_vectors(path).tokens) == 10 and list(path.parent.iterdir()) == [path]
