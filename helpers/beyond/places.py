"""Where a command writes: whether it can is tried before anything else is done."""

import os
import tempfile


def require_writable(path, name, longest=""):
    """Raise a ValueError unless a file can be made at `path`, an absolute one, and beside it one with the file name `longest`.

    Nothing stays of the try: it is made in the nearest folder that is there, with a name as long as the longest.
    """
    try:
        folder = next(folder for folder in path.parents if folder.exists())
        size = max(len(os.fsencode(part)) for part in (*path.relative_to(folder).parts, longest))
        with tempfile.NamedTemporaryFile(dir=folder, prefix="", suffix="x" * max(0, size - 8)):  # 8 are random
            pass
    except OSError as error:
        raise ValueError(f"{name} {str(path)!r} can't be written: {error.strerror}") from error
