"""Training in several processes on shared tables, and in one thread. PyTorch only; not taught."""

import contextlib
import multiprocessing.connection
import shutil
import signal
from pathlib import Path

import torch
import torch.multiprocessing

from helpers.beyond.parents import end_with_parent

SHARED_MEMORY = Path("/dev/shm")


@contextlib.contextmanager
def one_thread():
    """Let PyTorch use one thread: for small products a second one costs more than it does, and sums keep their order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def share_among(num_workers, tables):
    """Move a tensor to memory that so many processes share; one alone needs none. RuntimeError says how much is needed and free."""
    if num_workers == 1:
        return
    try:
        tables.share_memory_()
    except RuntimeError as error:
        free = f", and {SHARED_MEMORY} has {megabytes(shutil.disk_usage(SHARED_MEMORY).free)} free" if SHARED_MEMORY.exists() else ""
        needed = f"{num_workers} workers need {megabytes(tables.nbytes)} of shared memory for the tables"
        raise RuntimeError(f"{needed}{free}: one worker needs none") from error


def megabytes(size):
    return f"{size / 2**20:,.1f} MB"


class Workers:
    """Processes that run jobs together: `run(*job)` yields what their generators yield.

    A generator is `work(*arguments, *job, worker, num_workers)`.

    One worker runs in this process, several in a process each, until the `with` block ends.
    """

    def __init__(self, num_workers, work, *arguments):
        self.num_workers, self.work, self.arguments = num_workers, work, arguments
        self.processes, self.connections = [], []

    def __enter__(self):
        context = torch.multiprocessing.get_context()
        for worker in range(self.num_workers if self.num_workers > 1 else 0):
            ours, theirs = context.Pipe()
            call = theirs, self.work, self.arguments, (worker, self.num_workers)
            self.processes.append(context.Process(target=_serve, args=call, daemon=True))
            self.processes[-1].start()
            theirs.close()
            self.connections.append(ours)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
            process.join()

    def run(self, *job):
        """Yield what the workers yield for a job, as it comes; an error in one of them is raised here."""
        if not self.processes:
            yield from self.work(*self.arguments, *job)
        for connection in self.connections:
            with _told_if_killed():
                connection.send(job)
        busy = set(self.connections)
        while busy:
            for connection in multiprocessing.connection.wait(busy):
                with _told_if_killed():
                    answer = connection.recv()
                if isinstance(answer, Exception):
                    raise answer
                if answer is None:
                    busy.remove(connection)
                else:
                    yield answer


@contextlib.contextmanager
def _told_if_killed():
    """Raise a RuntimeError where a worker's connection turns out to be closed: before it sends, between two jobs, or amid an answer."""
    try:
        yield
    except (EOFError, ConnectionError):
        raise RuntimeError("a worker process was killed; num_workers=1 needs less memory") from None


def _serve(connection, work, arguments, place):
    """Do the jobs that come in: send each thing that the work yields, and None at its end, or its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which ends this process
    end_with_parent(signal.SIGKILL)  # nothing here is to be saved
    with one_thread():
        while True:
            job = connection.recv()
            try:
                for answer in work(*arguments, *job, *place):
                    connection.send(answer)
                connection.send(None)
            except Exception as error:
                connection.send(error)  # raised again in the parent
