"""Print what the series wants and what this environment has, package by package: `python -m helpers.tools.environment`."""

import argparse
import importlib
import platform
import signal
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

try:
    from packaging.requirements import Requirement
except ImportError:  # this command has to work where packages are missing
    from pip._vendor.packaging.requirements import Requirement

SERIES = Path(__file__).resolve().parents[2]
REQUIREMENTS = SERIES / "requirements.txt"
ONE_HALF = {"torch": "PyTorch", "torchvision": "PyTorch", "mxnet": "MXNet"}
D2L = {"PyTorch": "d2l.torch", "MXNet": "d2l.mxnet"}  # which import much more than a framework
SYSTEM = {"libgomp.so.1": "libgomp1", "libquadmath.so.0": "libquadmath0"}  # what MXNet needs of the system: files and their packages
TRY = "import importlib, sys\nfor name in sys.argv[1:]:\n    print(name, flush=True)\n    importlib.import_module(name)"
JUPYTER = "jupyter", "jupyterlab", "nbval", "papermill"  # run notebooks: one that runs already needs none of them


def read_requirements(path=REQUIREMENTS):
    """Return the Requirements of a list that hold here, and the names of those that don't.

    d2l holds everywhere: where the list leaves it out, it is installed without what it fixes.
    """
    lines = (line.split(" #")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    requirements = [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]
    here = [r for r in requirements if r.marker is None or r.marker.evaluate() or r.name == "d2l"]
    return here, sorted({r.name for r in requirements} - {r.name for r in here})


def mxnet_left_out():
    """Say why requirements.txt leaves MXNet out here; "" where it does not."""
    if "mxnet" not in read_requirements()[1]:
        return ""
    if sys.version_info >= (3, 12):
        return "MXNet 1.9.1 needs NumPy 1.23.5, which has no packages for Python 3.12 and later; Python 3.10 and 3.11 run both halves"
    return "MXNet 1.9.1 has packages for Linux and Intel Macs only"


def compare(requirement):
    """Return what is found of a package (None for nothing) and whether that is what the requirement wants."""
    try:
        found = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return None, False
    return found, requirement.specifier.contains(found, prereleases=True)


def pip(*arguments):
    """Run pip for this Python; returns how it went."""
    return subprocess.run([sys.executable, "-m", "pip", *map(str, arguments)], capture_output=True, text=True)


def install_missing(path=REQUIREMENTS):
    """Install the packages that are not here at all, of any version; nothing that is here changes. A RuntimeError if pip can't.

    Only MXNet's half misses mxnet, so that is told, and no error.
    """
    needed = [r for r in read_requirements(path)[0] if not ("ipykernel" in sys.modules and r.name in JUPYTER)]
    missing = [r for r in needed if compare(r)[0] is None]
    if not missing:
        return
    failed, left = {}, [f"{r.name} {compare(r)[0]}" for r in needed if r not in missing and not compare(r)[1]]
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "constraints.txt"
        kept.write_text(pip("list", "--format=freeze").stdout + "".join(f"{r.name}{r.specifier}\n" for r in missing))
        for r in missing:
            alone = ["--no-deps"] if r.name == "d2l" else []  # it fixes old versions of what it needs
            done = pip("install", "--disable-pip-version-check", "--constraint", kept, *alone, f"{r.name}{r.specifier}")
            if done.returncode:
                errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
                failed[r.name] = f"{r.name}{r.specifier} can't be added to what is here: {' '.join(errors[:1])}"
    importlib.invalidate_caches()  # so that this process finds what has come
    print("added:", ", ".join(f"{r.name} {compare(r)[0]}" for r in missing if r.name not in failed) or "nothing")
    print("other versions than the series was tested with, left as they are:", ", ".join(left) or "none")
    if "mxnet" in failed:
        print(failed.pop("mxnet"))
    if failed:
        raise RuntimeError("\n".join([*failed.values(), "Make an environment for the series alone, as README.md says under Two commands"]))


def failing_import(packages, *modules):
    """Import the modules of packages, and others, in a process of its own; returns which fails and the cure in a line, or ""."""
    found = {}  # modules by package
    for module, names in metadata.packages_distributions().items():
        for name in names:
            found.setdefault(name.lower(), []).append(module)
    own = [module for name in packages for module in ([name] if name in found.get(name, ()) else found.get(name, ()))]
    done = subprocess.run([sys.executable, "-c", TRY, *own, *modules], capture_output=True, text=True)
    if done.returncode == 0:
        return ""
    tried = (done.stdout.split() or ["Python"])[-1]
    if done.returncode < 0:
        return f"importing {tried} was ended by {signal.Signals(-done.returncode).name}"
    error = (done.stderr.splitlines() or ["no reason given"])[-1]
    cure = f"; Debian, Ubuntu: sudo apt install {' '.join(SYSTEM.values())}" if any(name in error for name in SYSTEM) else ""
    return f"{tried} can't be imported: {error}{cure}"


def compare_all():
    """Return a row (name, wanted, found, whether it fits) for Python and for each package that the series wants here."""
    python_fits = (3, 10) <= sys.version_info[:2] <= (3, 13)
    rows = [("python", "3.10 to 3.13", platform.python_version(), python_fits)]
    return rows + [(r.name, str(r.specifier) or "any", *compare(r)) for r in read_requirements()[0]]


def tell_halves():
    """Print for each half that it is ready, its imports tried, or why not; returns whether all is ready that can be here."""
    rows = compare_all()
    wrong = {name for name, _, _, fits in rows if not fits}
    left_out = {"PyTorch": "", "MXNet": mxnet_left_out()}
    both = [name for name, *_ in rows[1:] if name not in ONE_HALF]
    shared = "" if wrong & {"python", *both} else failing_import(both)
    whole = True
    for half in left_out:
        mine = [name for name, *_ in rows if ONE_HALF.get(name) == half]
        needs = sorted(wrong & {"python", *both, *mine})
        reason = left_out[half] or (f"look at {', '.join(needs)}" if needs else shared or failing_import(mine, D2L[half]))
        whole = whole and reason == left_out[half]
        print(f"{half} half: {reason or 'ready'}")
    return whole


def main():
    """Print the table, and what is missing for which half; exits with 1 where something is that could be here."""
    parser = argparse.ArgumentParser(prog="python -m helpers.tools.environment", description=__doc__)
    parser.add_argument("--install", action="store_true", help="first install what is not here at all; nothing that is here changes")
    if parser.parse_args().install:
        try:
            install_missing()
        except RuntimeError as error:
            parser.exit(1, f"{error}\n")
    print(f"{'package':18} {'wanted':16} {'found':16}")
    for name, wanted, found, fits in compare_all():
        print(f"{name:18} {wanted:16} {found or 'nothing':16} {'' if fits else '<- differs' if found else '<- missing'}".rstrip())
    raise SystemExit(not tell_halves())


if __name__ == "__main__":
    main()
