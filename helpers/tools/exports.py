"""Copies of the series: which files are its own, and folders that are whole or not there."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from helpers.beyond.notebooks import ROOT, all_notebooks, strays

OWN = (
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "CITATION.cff", "Makefile", "environment.yml", "pyproject.toml",
    "requirements*.txt", ".gitignore", ".ci/run", ".github/*.md", ".github/**/*.yml", "docs/*.md", "helpers/**/*.py", "benchmarks/*.py",
    "benchmarks/*.json", "benchmarks/*.png", "book/*.py", "book/static/*.*", "book/play/*.*", "book/templates/**/*.html", "tests/**/*.py",
    "notebooks/TEACHING.md", "notebooks/fast.yaml", "notebooks/words_in_frames.png", "helpers/tools/pages/*.*",
)  # fmt: skip
OWN_NAME = re.compile(r"(?!untitled|.*-Copy)[\w.-]+")  # not as JupyterLab and desktops name new files and copies


def own_files():
    """Return the set of paths of the series' own files that are here: its notebooks, and what fits OWN and is known to git.

    Where git does not keep the series (an unpacked archive, for one), fitting is enough.
    """
    found = {path for pattern in OWN for path in ROOT.glob(pattern) if path.is_file() and not path.is_symlink()}
    found = {path for path in found if not any(part.startswith(".") for part in path.relative_to(ROOT).parts[1:])}
    here = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # which name another repository in a hook
    try:  # whoever owns the files: their code runs already
        listed = subprocess.run(["git", "-c", "safe.directory=*", "-C", ROOT, "ls-files", "-z"], capture_output=True, env=here).stdout
    except OSError:  # no git
        listed = b""
    kept = {ROOT / os.fsdecode(name) for name in listed.split(b"\0")}
    if ROOT / "README.md" in kept:
        found &= kept
    return {path for path in found if OWN_NAME.fullmatch(path.name)} | set(all_notebooks())


def copy_own(out, wanted):
    """Copy the series' own files into a folder, those for whose places in the series `wanted` is true.

    Returns the paths of what else lies at wanted places.
    """
    own = own_files()
    for path in own:
        place = path.relative_to(ROOT)
        if wanted(place):
            (out / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, out / place)
    return [path for path in strays(ROOT, own) if wanted(path.relative_to(ROOT))]


def lies_in_series(folder):
    """Say whether a folder, there or not, is the series or lies in it, whatever else its files' folders are called."""
    places = {ROOT, *(path.parent for path in own_files())}
    known = {(place.stat().st_dev, place.stat().st_ino) for place in places}
    around = [place.stat() for place in (folder, *folder.parents) if place.exists()]
    return any((place.st_dev, place.st_ino) in known for place in around)


@contextlib.contextmanager
def whole_folder(folder):
    """Give a temporary folder that becomes `folder`, a new or empty one, when the block ends well and goes away when it does not.

    Raises click.UsageError for a folder in the series or one that holds anything, click.ClickException for one that can't be written.
    """
    ends = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    ends = [number for number in ends if signal.getsignal(number) == signal.SIG_DFL]
    for number in ends:
        signal.signal(number, lambda number, _: sys.exit(128 + number))  # so that what was begun goes away
    try:
        target = folder.resolve()
        if lies_in_series(target):
            raise click.UsageError(f"{folder} lies in the series, whose copy it would be: name a new folder elsewhere")
        if target.exists() and any(target.iterdir()):
            raise click.UsageError(f"{folder} is not empty; name a new folder")
        if target == Path.cwd():
            raise click.UsageError(f"you stand in {folder}, which the copy would replace: name a new folder")
        place = next(parent for parent in target.parents if parent.exists())
        with tempfile.TemporaryDirectory(prefix=".word2vec-copy-", dir=place) as temporary:
            copy = Path(temporary) / "copy"
            copy.mkdir()
            yield copy
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.exists():
                shutil.copymode(target, copy)  # a folder that was made private stays it
                target.rmdir()
            copy.rename(target)
    except (OSError, ValueError, RuntimeError) as error:  # a loop of links is the last
        raise click.ClickException(f"{error}; {folder} was not written") from error
    finally:
        for number in ends:
            signal.signal(number, signal.SIG_DFL)
