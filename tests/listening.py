"""Where the processes of a program listen, and who could get in there."""

import contextlib
import os
import re
import stat
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.conftest import ROOT

LOOPBACK = "127.0.0.1", "::1"
ACCEPTS = "00010000"  # among the flags of a Unix socket in /proc/net/unix: it listens


class Place(NamedTuple):
    """Where a process listens: the address and port, or the file of a Unix socket, and whether its folder keeps others out."""

    pid: int
    is_kernel: bool
    address: str
    port: int | None = None
    is_private: bool = False


def is_private(path):
    """Return whether only this user may enter a folder above a Unix socket. "@..." has none: whoever knows the name gets in."""
    others = stat.S_IRWXG | stat.S_IRWXO
    found = [folder.stat() for folder in Path(path).parents if path.startswith("/")]
    return any(folder.st_uid == os.getuid() and not folder.st_mode & others for folder in found)


def places_of(process):
    """Return the Places of a process and of those that it started."""
    rows = [line.split(maxsplit=7) for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
    paths = {row[6]: row[7] for row in rows if len(row) == 8 and row[3] == ACCEPTS}
    found = set()
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess, OSError):
            if not (command := one.cmdline()):
                continue  # it is ending: its files close a moment after its memory went
            who = one.pid, "ipykernel_launcher" in command
            links = [link for link in one.net_connections("inet") if link.status in (psutil.CONN_LISTEN, psutil.CONN_NONE)]
            found |= {Place(*who, *link.laddr[:2]) for link in links}
            inodes = [re.sub(r"\D", "", os.readlink(fd)) for fd in Path(f"/proc/{one.pid}/fd").iterdir()]
            found |= {Place(*who, paths[inode], is_private=is_private(paths[inode])) for inode in inodes if inode in paths}
    return found


def open_places(places):
    """Return those where others get in: all but private ones, and a port of each kernel, for what its forks print (see the test of it)."""
    kernels = {place.pid: place for place in places if place.is_kernel and place.address in LOOPBACK}
    return {place for place in places if not place.is_private} - set(kernels.values())


def watch(*commands, seconds=None):
    """Run commands side by side to their end, or stop them `seconds` after two processes were found to listen.

    Returns their exit codes and all Places of any of them.
    """
    processes = [psutil.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    found, end = set(), time.monotonic() + (300 if seconds else float("inf"))
    while any(process.poll() is None for process in processes) and time.monotonic() < end:
        before = len({place.pid for place in found})
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                found |= places_of(process)
        if seconds and before < 2 <= len({place.pid for place in found}):
            end = time.monotonic() + seconds
        time.sleep(0.2)
    for process in processes:
        if process.poll() is None:
            children = process.children(recursive=True)
            process.terminate()
            process.wait(60)
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
    return [process.wait() for process in processes], found
