"""What a command prints: it never ends the command, and never steers the terminal."""

import errno
import os
import re
import sys

# Control characters (a terminal obeys ESC and its like; tab, newline and return are a layout's own), and those that turn a line around.
STEERING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
NOBODY_READS = errno.EPIPE, errno.EIO  # `| head` has enough, or the terminal was closed


def _escape(found):
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def shown(text):
    """Return a word, or another text of one line, with every character that steers a terminal as an escape such as `\\x1b`."""
    return re.sub("[\t\n\r]", _escape, STEERING.sub(_escape, text))


class Stream:
    """A stream of text in front of another, whose `write` and `flush` never fail: after a failure, kept as `lost`, all is dropped.

    What steers a terminal, and what the other stream has no byte for, is written as an escape.
    """

    buffer = None  # the way around it, which click takes where a console knows ASCII alone

    def __init__(self, stream):
        self.stream, self.lost = stream, None
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")

    def __getattr__(self, name):
        return getattr(self.stream, name)

    def write(self, text):
        self._try(self.stream.write, STEERING.sub(_escape, text))
        return len(text)

    def writelines(self, lines):
        self.write("".join(lines))

    def flush(self):
        self._try(self.stream.flush)

    def _try(self, call, *arguments):
        if self.lost is None:
            try:
                call(*arguments)
            except OSError as error:
                self.lost = error


def set_up_streams():
    """Put a Stream in front of this process's stdout and stderr; a command, and each process that it starts, calls it first."""
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = getattr(sys, name)
        if stream is None:  # it was closed before the command began
            stream = open(os.devnull, "w")
            if stream.fileno() != number:
                os.dup2(stream.fileno(), number)
            os.set_inheritable(number, True)  # a process that this one starts needs it, too
        if not isinstance(stream, Stream):
            setattr(sys, name, Stream(stream))


def require_told():
    """Raise the OSError for which what was printed did not reach stdout, unless nobody reads it any more."""
    sys.stdout.flush()
    lost = getattr(sys.stdout, "lost", None)
    if lost is not None and lost.errno not in NOBODY_READS:
        raise OSError(lost.errno, lost.strerror, "what was printed")
