"""The processes that do a command's jobs: two on this machine, which listen nowhere, or the workers of a Dask scheduler."""

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor

import psutil

from helpers.beyond.parents import end_with

NUM_WORKERS = 2
THREADS = "OMP_NUM_THREADS"  # of each worker, and of what it starts: 1
ENDING = threading.Event()  # in a worker: the command is stopped, or gone
BUSY = threading.Event()  # in a worker: it does a job


@contextlib.contextmanager
def job_executor(scheduler):
    """Give an Executor, as in `concurrent.futures`: a Dask scheduler's workers, or for None two processes of this machine.

    Raises ValueError where no scheduler answers, RuntimeError if a process of this machine was killed.
    """
    if scheduler is None:
        with _local_executor() as executor:
            yield executor
        return
    from distributed import Client

    try:
        client = Client(scheduler)
    except (OSError, ValueError) as error:
        raise ValueError(f"no Dask scheduler answers at {scheduler!r}: {error}") from error
    with client:
        yield client.get_executor(pure=False)


class _LocalExecutor(ProcessPoolExecutor):
    def submit(self, function, *arguments):
        return super().submit(_do, function, *arguments)


@contextlib.contextmanager
def _local_executor():
    """Give an executor whose processes end with the block, or with this process. They talk through pipes, which have no name."""
    context, threads = multiprocessing.get_context("spawn"), os.environ.get(THREADS)
    theirs, ours = context.Pipe(duplex=False)  # nothing is sent: the processes end once ours is closed, by us or by our end
    executor = _LocalExecutor(NUM_WORKERS, context, _begin, (theirs,))
    os.environ[THREADS] = "1"
    try:
        yield executor
        executor.shutdown()
    except BrokenProcessPool as error:
        causes = 'killed, as happens where memory is short, or never began, as in a script without `if __name__ == "__main__":`'
        raise RuntimeError(f"a worker process was {causes}; the same command goes on") from error
    finally:
        ours.close()
        executor.shutdown(cancel_futures=True)
        theirs.close()
        os.environ.pop(THREADS) if threads is None else os.environ.update({THREADS: threads})


def _begin(other):
    """Be a worker that ends once nobody holds the other end of a connection any more."""

    def end():
        ENDING.set()
        os.kill(os.getpid(), signal.SIGTERM)

    end_with(other, end)
    _take_signals()


def _take_signals():
    """Leave Ctrl-C to the command, which gets it too and ends its workers; let SIGTERM leave a job by its `finally`s.

    Without a job it ends at once: who left the pool's pipe in the middle of a message would leave the rest of it to the other worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit() if BUSY.is_set() else os._exit(1))


def _do(function, *arguments):
    """Do a job in a worker."""
    BUSY.set()
    try:
        return function(*arguments)
    finally:
        BUSY.clear()
        if ENDING.is_set():
            for child in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()  # a kernel that was told to end, but may take its time
            os._exit(1)  # else the pool would go on to the next job
        _take_signals()  # a notebook that was run has put others in their place
