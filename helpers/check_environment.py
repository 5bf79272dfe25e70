"""Print what the series wants and what this environment has, package by package: `python -m helpers.check_environment`."""

import argparse
import importlib
import platform
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

try:
    from packaging.requirements import Requirement
except ImportError:  # this command has to work where packages are missing
    from pip._vendor.packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
ONE_HALF = {"torch": "PyTorch", "torchvision": "PyTorch", "mxnet": "MXNet"}
JUPYTER = "jupyter", "jupyterlab", "nbval", "papermill"  # run notebooks: one that runs already needs none of them


def read_requirements(path=REQUIREMENTS):
    """Return the Requirements of a requirements file that hold for this machine, and the names of those that do not."""
    lines = (line.split(" #")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    requirements = [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]
    here = [r for r in requirements if r.marker is None or r.marker.evaluate()]
    return here, sorted({r.name for r in requirements} - {r.name for r in here})


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


def install_missing(*paths):
    """Install the packages that are not here at all, of any version; nothing that is here changes. A RuntimeError if pip can't.

    Only MXNet's half misses mxnet, so that is told, and no error.
    """
    needed = [r for r in read_requirements(*paths)[0] if not ("ipykernel" in sys.modules and r.name in JUPYTER)]
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


def main():
    """Print the table, and what is missing for which half; exits with 1 where something is."""
    parser = argparse.ArgumentParser(prog="python -m helpers.check_environment", description=__doc__)
    parser.add_argument("--install", action="store_true", help="first install what is not here at all; nothing that is here changes")
    if parser.parse_args().install:
        try:
            install_missing()
        except RuntimeError as error:
            parser.exit(1, f"{error}\n")
    here, elsewhere = read_requirements()
    python_fits = sys.version_info[:2] in ((3, 10), (3, 11))
    lines = [("python", "3.10 or 3.11", platform.python_version(), python_fits)]
    lines += [(r.name, str(r.specifier) or "any", *compare(r)) for r in here]
    print(f"{'package':16} {'wanted':16} {'found':16}")
    for name, wanted, found, fits in lines:
        print(f"{name:16} {wanted:16} {found or 'nothing':16} {'' if fits else '<- differs' if found else '<- missing'}".rstrip())
    for name in elsewhere:
        print(f"{name:16} has no package for this system and Python")
    missing = {name for name, _, _, fits in lines if not fits} | set(elsewhere)
    for half in ("PyTorch", "MXNet"):
        needs = sorted(name for name in missing if ONE_HALF.get(name, half) == half)
        print(f"{half} half: {'ready' if not needs else 'look at ' + ', '.join(needs)}")
    raise SystemExit(0 if not any(name in missing for name, *_ in lines) else 1)


if __name__ == "__main__":
    main()
