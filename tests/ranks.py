"""Ranks of `helpers.tools.train`, started as torchrun starts them or one by one, and a prepared text for them."""

import contextlib
import io
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from helpers.beyond.scale.prepare import prepare
from tests.conftest import ROOT

QUICK = {"embed_size": 16, "epochs": 4, "lr": 0.02, "exchange_pieces": 1}
KEPT = []  # sockets that keep a port until these tests end


def prepared(text, folder, **options):
    """Prepare a text in a folder, without a word; returns the folder."""
    with contextlib.redirect_stdout(io.StringIO()):
        prepare([text], folder, **options)
    return folder


def free_port():
    """Return a port that the system gives to nobody who asks for any: a socket of ours is bound to it, and does not listen.

    A program that is told the port can listen there all the same: like this socket, programs allow that an address is used again.
    """
    KEPT.append(socket.socket())
    KEPT[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    KEPT[-1].bind(("127.0.0.1", 0))
    return KEPT[-1].getsockname()[1]


def options_of(corpus, out, settings):
    """What stands behind the command: the prepared text, the file of vectors and the settings."""
    given = {**QUICK, **settings, "out": out}
    return [str(corpus)] + [part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", str(value))]


def command_of(corpus, out, ranks=2, **settings):
    """The command that starts so many ranks by itself."""
    return [sys.executable, "-m", "helpers.tools.train", "--ranks", str(ranks), *options_of(corpus, out, settings)]


def torchrun(corpus, out, *options, ranks=2, share_store=False, **settings):
    """Start torchrun, in a session of its own, with so many ranks on this machine."""
    torchrun = Path(sys.executable).with_name("torchrun")
    command = [torchrun, "--standalone", f"--nproc-per-node={ranks}", *options, "-m", "helpers.tools.train"]
    return subprocess.Popen(
        [*command, *options_of(corpus, out, settings)], cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": str(int(not share_store))},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def wait_for(process, *paths):
    """Wait until one of these files is there, as must be before the process ends."""
    end = time.monotonic() + 300
    while not any(path.exists() for path in paths):
        has_ended = process.poll() is not None
        assert not has_ended or any(path.exists() for path in paths), f"the process ended, and of {paths} there is none"
        assert time.monotonic() < end, f"none of {paths} comes"
        time.sleep(0.005)


def finish(process, timeout=300):
    """Wait for the end of a process; returns its exit code and all that it wrote."""
    told, _ = process.communicate(timeout=timeout)
    return process.returncode, told


def start_rank(rank, port, corpus, out, ranks=2, **settings):
    """Start one rank by hand, so that it can differ from the others."""
    place = {"RANK": rank, "WORLD_SIZE": ranks, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": 1}
    return subprocess.Popen(
        [sys.executable, "-m", "helpers.tools.train", *options_of(corpus, out, settings)], cwd=ROOT,
        env={**os.environ, **{name: str(value) for name, value in place.items()}},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
