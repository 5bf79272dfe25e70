"""Make the environment of the series, or mend it; `make` does this first: `python3 helpers/tools/install.py --help`.

Only the standard library, and nothing later than Python 3.6: whatever Python there is can say what is missing.
"""

import argparse
import contextlib
import csv
import errno
import json
import os
import re
import shlex
import shutil
import subprocess
from collections import namedtuple
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

REPOSITORY = Path(__file__).resolve().parents[2]
LISTS = "requirements.txt", "requirements-dev.txt"  # each begins with the one before
PYTHONS = "python3.11", "python3.10", "python3.13", "python3.12", "python3", "python"  # first those that MXNet has packages for
OTHERS = "python3.15", "python3.14", "python3.9", "python3.8"  # too new or too old for the series, but they can install uv
UV = "uv==0.13.9"
GIGABYTES = 10.5  # while it installs, as measured
# What a person may say of where packages come from. Other settings of theirs would install elsewhere, or something else.
ACCESS = {f"PIP_{name}" for name in (
    "INDEX_URL", "EXTRA_INDEX_URL", "FIND_LINKS", "NO_INDEX", "TRUSTED_HOST", "CERT", "CLIENT_CERT", "PROXY", "TIMEOUT",
    "DEFAULT_TIMEOUT", "RETRIES", "CONFIG_FILE", "CONSTRAINT", "KEYRING_PROVIDER",
)}  # fmt: skip
# What lies in an environment: what venv, virtualenv and uv make, packages add, and a set-up writes.
ENVIRONMENT_PARTS = {
    "bin", "lib", "lib64", "include", "share", "etc", "man", "Scripts", "Lib", "Include",
    "pyvenv.cfg", ".gitignore", ".lock", "CACHEDIR.TAG", "tmp", "course-ready", "test-ready",
}  # fmt: skip
PROBE = """
import json, os, sys, sysconfig
try:
    import ensurepip, venv
    complete = True
except ImportError:
    complete = False
base = getattr(sys, "_base_executable", None) or sys.executable
if not os.path.exists(base) or sys.prefix != sys.base_prefix and base == sys.executable:  # Python 3.10 in an environment
    base = os.path.realpath(sys.executable)
paths = base, sysconfig.get_path("purelib"), sysconfig.get_path("scripts")
print(json.dumps([sys.version_info[:3], complete, *(os.fsencode(path).decode("latin-1") for path in paths)]))
"""
# version: three numbers; complete: whether it can make environments; base: the Python below an environment's
Python = namedtuple("Python", "version complete base packages scripts")


def announce(line):
    print(line, flush=True)  # before what pip prints


def look_at(command):
    """Return the Python that a command starts, or in words why it starts none."""
    try:
        done = subprocess.run(
            [str(command), "-I", "-c", PROBE], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
        version, complete, *paths = json.loads(done.stdout.decode().splitlines()[-1])
        return Python(version, complete, *(os.fsdecode(path.encode("latin-1")) for path in paths))  # each has its locale
    except OSError as error:
        return f"can't be started ({error.strerror})"
    except subprocess.TimeoutExpired:
        return "did not answer within 60 s"
    except (IndexError, TypeError, ValueError):
        return "is no Python 3"


def fits(python, only=None):
    """Whether the series runs on a Python; `only`, such as "3.13", allows that version alone."""
    return not isinstance(python, str) and (version(python) == only if only else (3, 10) <= tuple(python.version[:2]) <= (3, 13))


def version(python, parts=2):
    return ".".join(map(str, python.version[:parts]))


def call(*command, **environment):
    """Run a command without a person's settings for Python and pip; it holds our locks until it ends. SystemExit if it fails."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_")) or name in ACCESS}
    environment = {**kept, "PIP_USER": "0", **environment}
    done = subprocess.run([str(part) for part in command], cwd=str(REPOSITORY), env=environment, close_fds=False)
    if done.returncode:
        what = " ".join(str(part) for part in command)
        raise SystemExit(f"The set-up stopped, as is told above, and goes on at the next call. What failed: {what}")


@contextlib.contextmanager
def locked(path):
    """Hold a lock, for which another set-up waits. It ends with this process and those that it started."""
    with open(str(path), "ab") as file:
        os.set_inheritable(file.fileno(), True)  # pip goes on for a while where we are killed
        try:
            fcntl and fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            announce(f"Another set-up is at work; this one waits for it ({path.name})")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            announce(f"Start no second set-up now: this file system has no locks ({error.strerror})")
        yield


def bring(versions):
    """Return the Python that uv brings into .uv, the first of these versions that can be had; None for none."""
    environment = {"UV_PYTHON_INSTALL_DIR": str(REPOSITORY / ".uv" / "pythons")}
    uv = REPOSITORY / ".uv" / "bin" / "uv"

    def uv_does(*command, **options):
        return subprocess.run([str(uv), *command], env={**os.environ, **environment}, close_fds=False, **options)

    with locked(REPOSITORY / ".uv.lock"):
        if not uv.exists() or uv_does("--version", stdout=subprocess.DEVNULL).returncode:
            able = (found for found in map(look_at, PYTHONS[::-1] + OTHERS) if not isinstance(found, str) and found.complete)
            any_python = next((found for found in able if found.version >= [3, 8]), None)  # the pip of older ones is too old
            if any_python is None:
                return None
            announce(f"No fitting Python is here: uv brings one into .uv, the first that can be had of {', '.join(versions)}")
            try:
                call(any_python.base, "-I", "-m", "venv", "--clear", REPOSITORY / ".uv")
                call(REPOSITORY / ".uv" / "bin" / "python", "-I", "-m", "pip", "install", "--disable-pip-version-check", "-q", UV)
            except SystemExit:
                return None
        for wanted in versions:
            if uv_does("python", "install", "--no-bin", wanted).returncode == 0:
                done = uv_does("python", "find", "--managed-python", wanted, stdout=subprocess.PIPE)
                python = look_at(done.stdout.decode().strip())
                if fits(python):
                    return python
    return None


def find(given, only):
    """Return a Python that fits: the given one, else the first that is here, else one that uv brings. SystemExit says why there is none."""
    if given:
        names = [os.path.expanduser(given)]
    elif only:
        names = [f"python{only}", *(str(path) for path in Path.home().glob(f".pyenv/versions/{only}.*/bin/python"))]
    else:
        names = PYTHONS
    found = {name: look_at(name) for name in names}
    fitting = {name: python for name, python in found.items() if fits(python, only)}
    for python in fitting.values():
        if python.complete:
            return python
    for name, python in fitting.items():
        raise SystemExit(
            f"{name} is Python {version(python, 3)}, but can't make environments, since it lacks ensurepip. On Debian and Ubuntu: "
            f"sudo apt install python{version(python)}-venv. Then call again."
        )
    python = None if given else bring([only] if only else ["3.11", "3.13"])
    if python:
        return python
    able = any(python.complete for python in found.values() if not isinstance(python, str))
    others = {name: f"is Python {version(python, 3)}" for name, python in found.items() if not isinstance(python, str)}
    if given:
        what = f"PYTHON={given} {others.get(names[0], found[names[0]])}"
    else:
        what = "Here " + (", ".join(f"{name} {is_what}" for name, is_what in others.items()) or "is none")
    hint = "" if given or able or not others else " Once these have venv (Debian, Ubuntu: sudo apt install python3-venv), make brings one."
    raise SystemExit(
        f"The series needs Python {only or '3.10 to 3.13'} (MXNet 3.10 or 3.11). {what}.{hint} Install one (`uv python install 3.11`) and "
        "name it: make course PYTHON=/path/to/python3.11"
    )


def seal(folder, python, dev):
    """Return what the file `course-ready` or `test-ready` of a finished environment holds: places, its Python, its lists."""
    lists = [(REPOSITORY / name).read_bytes() for name in LISTS[: 1 + dev]]
    return b"\n".join([os.fsencode(str(REPOSITORY)), os.fsencode(str(folder)), version(python).encode(), *lists])


def ready_file(folder, dev):
    return folder / ("test-ready" if dev else "course-ready")


def is_ready(folder, dev, only):
    """Whether an environment was finished, in this place, with this Python and these lists."""
    file, python = ready_file(folder, dev), look_at(interpreter(folder))
    return fits(python, only) and file.is_file() and file.read_bytes() == seal(folder, python, dev)


def interpreter(folder):
    return folder / ("Scripts" if os.name == "nt" else "bin") / "python"


def is_whole(info):
    """Whether the files of a package, given by its dist-info folder, are all there.

    At its end pip replaces the package's own RECORD of its files by one that names programs and a file INSTALLER too.
    """
    record = info / "RECORD"
    if not record.is_file():
        return False
    with open(str(record), encoding="utf-8", newline="") as file:
        sizes = {os.path.join(str(info.parent), name): size for name, _, size in csv.reader(file) if not name.endswith(".pyc")}
    missing = (path for path, size in sizes.items() if not os.path.exists(path) or size not in ("", "0") and not os.path.getsize(path))
    return str(info / "INSTALLER") in sizes and not any(missing)


def forget_unfinished(packages):
    """Make pip forget the packages that it was interrupted at, so that it installs them again."""
    for info in packages.glob("*.dist-info"):
        if not is_whole(info):
            announce(f"Installed again, since it isn't whole: {info.name[: -len('.dist-info')]}")
            shutil.rmtree(str(info))
    for leftover in packages.glob("~*"):  # what pip had moved aside
        shutil.rmtree(str(leftover)) if leftover.is_dir() else leftover.unlink()


def mend_scripts(scripts, executable):
    """Have each program start this environment's Python; returns whether one did not: the folder was renamed or copied."""
    python = os.fsencode(str(executable))
    line = b"#!%s\n" % python
    if re.search(rb"\s", python) or len(line) > 127:  # what the kernel can't start; the rest is a string for Python, a command for sh
        line = b"#!/bin/sh\n'''exec' %s \"$0\" \"$@\"\n' '''\n" % os.fsencode(shlex.quote(str(executable)))
    header = re.compile(rb"#!(?:/bin/sh\n'''exec' [\"']?(.*?/python[\d.]*)[\"']? \"\$0\" \"\$@\"\n' '''|(.*/python[\d.]*))\n")
    moved = False
    for path in scripts.iterdir():
        text = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found = header.match(text)
        if found and found.group() != line:
            moved = moved or os.path.dirname(found.group(1) or found.group(2)) != os.path.dirname(python)
            path.write_bytes(line + text[found.end() :])
    return moved


def clear(folder):
    """Empty an environment; pyvenv.cfg, by which one is known, goes last. SystemExit, and nothing goes, where it holds anything else."""
    paths = sorted(folder.iterdir(), key=lambda path: path.name == "pyvenv.cfg")
    others = sorted(path.name for path in paths if path.name not in ENVIRONMENT_PARTS)
    if others:
        raise SystemExit(f"{folder} holds what is of no environment: {', '.join(others[:5])}. Name another: make course VENV=.venv-2")
    for path in paths:
        shutil.rmtree(str(path)) if path.is_dir() and not path.is_symlink() else path.unlink()


def make_environment(folder, given, only):
    """Make an environment with pip in it, or complete the one that is there if its Python fits."""
    if not (folder / "pyvenv.cfg").exists() and any(files for _, _, files in os.walk(str(folder))):
        raise SystemExit(f"{folder} is no environment. If it is the rest of one, make clean; else name another: make course VENV=.venv-2")
    python = look_at(interpreter(folder))
    if not fits(python, only):
        found = find(given, only)
        if (folder / "pyvenv.cfg").exists():
            why = python if isinstance(python, str) else f"is {version(python, 3)}"
            announce(f"{folder.name} has to be made again: its Python {why}")
        if folder.exists():
            clear(folder)
        free = shutil.disk_usage(str(folder.parent)).free / 1e9
        if free < GIGABYTES:
            announce(f"{free:.1f} GB are free in {folder.parent}: the set-up takes {GIGABYTES} GB while it installs")
        call(found.base, "-I", "-m", "venv", folder)
        return
    forget_unfinished(Path(python.packages))
    moved = mend_scripts(Path(python.scripts), interpreter(folder))
    begun = not any(Path(python.packages).glob("pip-*.dist-info")) or not (Path(python.scripts) / "activate").exists()
    if moved or begun:
        call(find(python.base, only).base, "-I", "-m", "venv", folder)


def install(folder, dev):
    """Install what a list names, and `helpers` in place; then try the imports. SystemExit where something fails."""
    temporary = folder / "tmp"  # pip's files take 3.3 GB, more than many a /tmp has
    shutil.rmtree(str(temporary), ignore_errors=True)
    temporary.mkdir()
    d2l = re.search(r"^d2l==\S+", (REPOSITORY / LISTS[0]).read_text(encoding="utf-8"), re.MULTILINE).group()

    def pip(*arguments):
        options = "--disable-pip-version-check", "--no-cache-dir"
        call(interpreter(folder), "-I", "-m", "pip", "install", *options, *arguments, TMPDIR=str(temporary))

    try:
        pip("-r", LISTS[dev])
        pip("--no-deps", d2l)  # a list can't say that
        with locked(REPOSITORY / ".uv.lock"):  # it leaves an .egg-info in the series, for all environments
            pip("--no-deps", "--no-build-isolation", "-e", ".")
    finally:
        shutil.rmtree(str(temporary), ignore_errors=True)
    mend_scripts(interpreter(folder).parent, interpreter(folder))  # pip quotes a $ in the folder's name too weakly
    try:
        call(interpreter(folder), "-I", "-c", "from helpers.tools.environment import tell_halves; raise SystemExit(not tell_halves())")
    except SystemExit:
        halves = f"{interpreter(folder)} -m helpers.tools.course --framework pytorch"
        raise SystemExit(f"Not all is ready; call again after the cure. A half that is ready runs before it: {halves}") from None


def set_up(folder, chosen):
    """Make the environment whole, whatever was there before."""
    for dev in (False, True):
        if ready_file(folder, dev).exists():
            ready_file(folder, dev).unlink()  # from here on it isn't
    make_environment(folder, chosen.python, chosen.only)
    install(folder, chosen.tests)
    for dev in {False, chosen.tests}:
        ready_file(folder, dev).write_bytes(seal(folder, look_at(interpreter(folder)), dev))


def main():
    """Do nothing where all is ready. Else make or mend the environment, install, and say so in a file of it when it is whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", default=".venv", help="the environment's folder (.venv)")
    parser.add_argument("--tests", action="store_true", help="also what tests and the book need")
    parser.add_argument("--python", default="", metavar="PATH", help="the Python to take, instead of the first that fits")
    parser.add_argument("--only", metavar="3.X", help="take this version alone")
    chosen = parser.parse_args()
    folder = (REPOSITORY / chosen.folder).resolve()  # venv takes no link, as to a larger disk
    try:
        given = find(chosen.python, chosen.only) if chosen.python else None
        if not is_ready(folder, chosen.tests, chosen.only):
            with locked(folder.with_name(folder.name + ".lock")):
                if not is_ready(folder, chosen.tests, chosen.only):  # another set-up did it meanwhile
                    set_up(folder, chosen)
        python = look_at(interpreter(folder))
        if given and version(given) != version(python):
            announce(f"{chosen.folder} has Python {version(python, 3)} and keeps it; make clean comes before another")
    except OSError as error:
        cure = "; copy the series to a folder of your own" if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS) else ""
        raise SystemExit(f"The set-up can't go on: {error.filename or folder}: {error.strerror}{cure}") from error
    except KeyboardInterrupt:
        raise SystemExit("The set-up was stopped, and goes on at the next call") from None


if __name__ == "__main__":
    main()
