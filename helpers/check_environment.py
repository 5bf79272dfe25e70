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

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "requirements.txt", ROOT / "requirements-no-deps.txt"
ONE_HALF = {"torch": "PyTorch", "torchvision": "PyTorch", "mxnet": "MXNet"}


def read_requirements(*paths):
    """Return the Requirements of these files (the series' own, by default) that hold here, and the names that none here has."""
    texts = [path.read_text(encoding="utf-8") for path in paths or LISTS]
    lines = (line.split(" #")[0].strip() for text in texts for line in text.splitlines())
    requirements = [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]
    here = [r for r in requirements if r.marker is None or r.marker.evaluate()]
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


def main():
    """Print the table, and what is missing for which half; exits with 1 where something is that could be here."""
    argparse.ArgumentParser(prog="python -m helpers.check_environment", description=__doc__).parse_args()
    python_fits = (3, 10) <= sys.version_info[:2] <= (3, 13)
    lines = [("python", "3.10 to 3.13", platform.python_version(), python_fits)]
    lines += [(r.name, str(r.specifier) or "any", *compare(r)) for r in read_requirements()[0]]
    print(f"{'package':18} {'wanted':16} {'found':16}")
    for name, wanted, found, fits in lines:
        print(f"{name:18} {wanted:16} {found or 'nothing':16} {'' if fits else '<- differs' if found else '<- missing'}".rstrip())
    missing = [name for name, _, _, fits in lines if not fits]
    for half, left_out in ("PyTorch", ""), ("MXNet", mxnet_left_out()):
        needs = sorted(name for name in missing if ONE_HALF.get(name, half) == half)
        print(f"{half} half: {left_out or ('look at ' + ', '.join(needs) if needs else 'ready')}")
    raise SystemExit(1 if missing else 0)


if __name__ == "__main__":
    main()
