"""Training in several processes on shared tables, and in one thread. PyTorch only; not taught."""

import contextlib
import multiprocessing.connection
import signal

import torch
import torch.multiprocessing


@contextlib.contextmanager
def one_thread():
    """Let PyTorch use one thread: for small products a second one costs more than it does, and sums keep their order."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


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
            connection.send(job)
        busy = set(self.connections)
        while busy:
            for connection in multiprocessing.connection.wait(busy):
                try:
                    answer = connection.recv()
                except EOFError:
                    raise RuntimeError("a worker process was killed; num_workers=1 needs less memory") from None
                if isinstance(answer, Exception):
                    raise answer
                if answer is None:
                    busy.remove(connection)
                else:
                    yield answer


def _serve(connection, work, arguments, place):
    """Do the jobs that come in: send each thing that the work yields, and None at its end, or its error."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the parent, which ends this process
    with one_thread():
        while True:
            job = connection.recv()
            try:
                for answer in work(*arguments, *job, *place):
                    connection.send(answer)
                connection.send(None)
            except Exception as error:
                connection.send(error)  # raised again in the parent
