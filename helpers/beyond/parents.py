"""Processes that do not outlive the one that started them. Not taught."""

import multiprocessing.connection
import os
import signal
import threading


def end_with_parent(by=signal.SIGINT):
    """End this process once the one that started it is gone, whatever ended that: by a signal, as Ctrl-C would where none is named."""
    end_with(multiprocessing.parent_process().sentinel, lambda: os.kill(os.getpid(), by))


def end_with(other, end):
    """Call `end` once the other end of a connection is closed, or a process whose sentinel `other` is has ended."""

    def watch():
        multiprocessing.connection.wait([other])
        end()

    threading.Thread(target=watch, daemon=True).start()
