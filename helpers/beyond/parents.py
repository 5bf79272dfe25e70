"""Processes that do not outlive the one that started them. Not taught."""

import multiprocessing.connection
import os
import signal
import threading


def end_with_parent():
    """End this process as Ctrl-C would, once the one that started it is gone, whatever ended that."""

    def watch():
        multiprocessing.connection.wait([multiprocessing.parent_process().sentinel])
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch, daemon=True).start()
