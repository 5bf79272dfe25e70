"""The Dask workers that a command uses: those of a scheduler, or two on this machine."""

import contextlib
import logging
import signal

ENVIRONMENT = {"OMP_NUM_THREADS": 1}  # Dask also sets MALLOC_TRIM_THRESHOLD_, with which NumPy takes two thirds more time


@contextlib.contextmanager
def dask_client(scheduler):
    """Give a client of the Dask scheduler at an address, or for None of two workers on this machine, one thread each.

    Raises ValueError where no scheduler answers.
    """
    import dask
    from distributed import Client, LocalCluster

    is_local = scheduler is None
    with contextlib.ExitStack() as stack:
        if is_local:
            stack.enter_context(dask.config.set({"distributed.nanny.pre-spawn-environ": ENVIRONMENT}))
            quiet = logging.CRITICAL  # a task that failed is named
            cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="localhost:0", silence_logs=quiet)
            scheduler = stack.enter_context(cluster)
        try:
            client = Client(scheduler)
        except (OSError, ValueError) as error:
            raise ValueError(f"no Dask scheduler answers at {scheduler!r}: {error}") from error
        stack.enter_context(client)
        if is_local:
            client.run(_leave_interrupts)
        yield client


async def _leave_interrupts():
    """Let Ctrl-C pass a worker by: the command gets it too, and ends its workers. A coroutine, since it must run in the main thread."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
