"""Where the processes of a program listen."""

import contextlib
import subprocess
import time

import psutil

from tests.conftest import ROOT

LOOPBACK = "127.0.0.1", "::1"


def listening_addresses(process):
    """Return the addresses at which a process and those that it started listen."""
    found = set()
    with contextlib.suppress(psutil.NoSuchProcess):
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                found |= {link.laddr.ip for link in one.net_connections("tcp") if link.status == psutil.CONN_LISTEN}
                found |= {link.laddr.ip for link in one.net_connections("udp")}
    return found


def watch(*commands, seconds=None):
    """Run commands side by side to their end, or stop them `seconds` after the first address was found (after a minute if none is).

    Returns their exit codes and all addresses at which any of them listened.
    """
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    found, end = set(), time.monotonic() + (60 if seconds else float("inf"))
    while any(process.poll() is None for process in processes) and time.monotonic() < end:
        before = len(found)
        for process in processes:
            found |= listening_addresses(psutil.Process(process.pid)) if process.poll() is None else set()
        if seconds and found and not before:
            end = time.monotonic() + seconds
        time.sleep(0.2)
    for process in processes:
        if process.poll() is None:
            children = psutil.Process(process.pid).children(recursive=True)
            process.terminate()
            process.wait(60)
            for child in children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
    return [process.wait() for process in processes], found
