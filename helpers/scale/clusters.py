"""The Dask workers that a command uses: those of a scheduler, or two on this machine."""

import contextlib
import logging


@contextlib.contextmanager
def dask_client(scheduler):
    """Give a client of the Dask scheduler at an address, or for None of two workers on this machine, one thread each.

    Raises ValueError where no scheduler answers.
    """
    from distributed import Client, LocalCluster

    with contextlib.ExitStack() as stack:
        if scheduler is None:
            quiet = logging.CRITICAL  # a task that failed is told by its name
            scheduler = stack.enter_context(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="localhost:0", silence_logs=quiet))
        try:
            client = Client(scheduler)
        except (OSError, ValueError) as error:
            raise ValueError(f"no Dask scheduler answers at {scheduler!r}: {error}") from error
        yield stack.enter_context(client)
