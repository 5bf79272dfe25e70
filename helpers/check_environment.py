"""Print what the series wants and what this environment has, package by package: `python -m helpers.check_environment`."""

import argparse
import platform
import sys
from importlib import metadata
from pathlib import Path

try:
    from packaging.requirements import Requirement
except ImportError:  # this command has to work where packages are missing
    from pip._vendor.packaging.requirements import Requirement

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements.txt"
ONE_HALF = {"torch": "PyTorch", "torchvision": "PyTorch", "mxnet": "MXNet"}


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


def main():
    """Print the table, and what is missing for which half; exits with 1 where something is."""
    argparse.ArgumentParser(prog="python -m helpers.check_environment", description=__doc__).parse_args()
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
