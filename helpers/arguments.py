"""What functions check of what they are given, with errors that say what to do; and files that are whole or not there. Not taught."""

import ast
import contextlib
import difflib
import numbers
import os
import stat
from pathlib import Path

from IPython import get_ipython

INJECTED = "# Parameters\n"  # how the cell begins that papermill puts after that of the parameters


class ParameterError(ValueError):
    """A parameter that can't serve. A notebook shows this one line instead of a traceback."""

    def _render_traceback_(self):  # IPython asks for it
        return [f"ParameterError: {self}"]


def require_known_parameters():
    """Raise a ParameterError if papermill gave the notebook that runs a parameter which it does not have.

    papermill itself only warns, and such a run would go on with the default.
    """
    session = get_ipython()
    cells = session.user_ns.get("In", []) if session else []
    for own, given in zip(cells, cells[1:]):
        if given.startswith(INJECTED):
            known = _assigned(own)
            for name in _assigned(given):
                if name not in known:
                    raise ParameterError(f"this notebook has no parameter {name!r}; there are: {', '.join(known)}")


def _assigned(cell):
    return [target.id for node in ast.parse(cell).body if isinstance(node, ast.Assign) for target in node.targets]


def require_whole_numbers(least=1, **values):
    """Raise a ValueError that names the first value which is not a whole number of at least `least`."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
            raise ValueError(f"{name} must be a whole number of {least} or more, not {value!r}")


def require_positive(**values):
    """Raise a ValueError that names the first value which is not a number above 0, or one that float32 can hardly hold."""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, numbers.Real) or not value > 0:
            raise ValueError(f"{name} must be a number above 0, not {value!r}")
        if not 1e-30 <= value <= 1e30:
            raise ValueError(f"{name} must lie between 1e-30 and 1e30, not be {value}")


def require_query(query_token, k, vocab):
    """Raise an error if a word has no vector of its own (LookupError, with near matches) or `k` is out of range."""
    known = isinstance(query_token, str) and query_token in vocab.token_to_idx
    if not known or vocab[query_token] == vocab.unk:
        message = f"the vocabulary of {len(vocab):,} words has no {query_token!r}"
        if isinstance(query_token, str):
            near = difflib.get_close_matches(query_token.lower(), vocab.idx_to_token[1:], n=5)
            if query_token.lower() in near and query_token.lower() != query_token:
                message += f"; the text is in lower case: try {query_token.lower()!r}"
            elif near:
                message += f"; near matches: {', '.join(near)}"
        raise LookupError(message)
    most = len(vocab) - 2
    require_whole_numbers(k=k)
    if k > most:
        raise ValueError(f"k must be at most {most}, the number of the other words, not {k}")


def require_words(text, vocab):
    """Raise a ValueError if no word of a text is common enough for the vocabulary."""
    if len(vocab) < 2:
        raise ValueError(f"corpus {text.name} has no word that occurs min_freq times: use more text, or a lower min_freq")


def require_pairs(found, text, vocab):
    """Raise a ValueError that names a text, unless it was `found` to hold a pair of words to train on."""
    if not found:
        raise ValueError(
            f"corpus {text.name} has no pair of words to train on: its vocabulary holds {len(vocab) - 1:,} words; "
            "use more text, or a lower min_freq"
        )


def require_noise_words(probability):
    """Raise a ValueError if no word is left to draw."""
    if not probability.any():
        raise ValueError(
            f"the context words of one center are the whole vocabulary ({len(probability) - 1} words), so that no noise "
            "word is left to draw: use more text, or a lower min_freq or max_window_size"
        )


def path_from_outside(path, name="path"):
    """Return a path that somebody named as an absolute one, `~` as the home folder; it need not be there, and nothing is opened.

    Raises a ValueError, which begins with `name`, for what can't be a path, and for a pipe or a device.
    """
    try:
        found, mode = Path(path).expanduser().absolute(), stat.S_IFREG
        str(found).encode()  # notebooks and JSON can hold no other names
        with contextlib.suppress(OSError):  # not there or out of reach: whoever opens it is told
            mode = found.stat().st_mode
    except (RuntimeError, ValueError) as error:
        reason = "it is not UTF-8: rename it" if isinstance(error, UnicodeError) else error
        raise ValueError(f"{name} {str(path)!r} can't be used: {reason}") from error
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise ValueError(f"{name} {str(path)!r} is a pipe or a device: write what comes from it to a file, and name that")
    return found


@contextlib.contextmanager
def whole_file(path):
    """Give a temporary path beside `path`, renamed to it when the block ends well and removed when it does not."""
    path = path_from_outside(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name if len(os.fsencode(path.name)) < 240 else path.name[-50:]  # a name has at most 255 bytes
    temporary = path.with_name(f".{os.getpid()}.{name}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
