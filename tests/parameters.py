"""Values that parameters can't have, and a notebook's cells run as papermill would run them."""

import atexit
import contextlib
import io
import math
import types
import unittest.mock

from IPython.core.interactiveshell import InteractiveShell
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook
from traitlets.config import Config

from helpers.tools.parameters import RULES

HUGE = 10**30
NO_COUNT = 0, -1, 2.5, "five", None, True, [5], math.nan
NO_RATE = 0, -0.1, "fast", None, True, math.nan, math.inf, 10**400, 1e-31, 1e31
BAD = {
    **dict.fromkeys(("num_epochs", "block_epochs", "k", "num_tokens"), NO_COUNT),
    **dict.fromkeys(("batch_size", "max_window_size", "num_noise_words", "embed_size"), (*NO_COUNT, HUGE)),
    "min_freq": (-1, 2.5, "five", None, True),
    "seed": (-1, 2.5, "five", None, True, 2**32),
    **dict.fromkeys(("lr", "block_lr", "subword_lr"), NO_RATE),
    "framework": ("jax", "", None, 3, True),
    "grid": ("huge", "", 1, True),
    "query_token": ("", 5, True, ["chip"]),
    **dict.fromkeys(("vectors_path", "checkpoint_path"), ("", "vectors.txt", 5, True, ["v.safetensors"])),
    "sweep_folder": ("", 5, True, "/no/such/folder"),
    "corpus": ("", None, 5, True, "/no/such/text.txt", "/", "nul\0byte", "x" * 5000),
    "other_corpus": ("", 5, True, "/no/such/text.txt", "/", "nul\0byte"),
}  # fmt: skip
assert BAD.keys() == RULES.keys()


def first_error(path, parameters):
    """Run a notebook's cells in this process, as papermill injects them, up to the first that fails; returns its error or None."""
    with contextlib.redirect_stderr(io.StringIO()):  # papermill logs an unknown name there, and goes on
        notebook = parameterize_notebook(load_notebook_node(str(path)), parameters)
    shell = InteractiveShell(config=Config(HistoryManager={"hist_file": ":memory:"}), user_module=types.ModuleType("__main__"))
    atexit.unregister(shell.atexit_operations)  # which collects garbage: for a thousand shells, minutes
    for cell in notebook.cells:
        if cell.cell_type == "code":
            with contextlib.redirect_stdout(io.StringIO()), unittest.mock.patch("helpers.arguments.get_ipython", lambda: shell):
                error = shell.run_cell(cell.source, store_history=True).error_in_exec
            if error is not None:
                return error
    return None
