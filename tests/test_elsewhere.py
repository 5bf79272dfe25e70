"""A notebook away from its repository: the address that `publish` writes, the clone that its first cell makes, what pip adds."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from helpers.beyond.notebooks import ROOT, read_notebook

FIRST = Path("notebooks", "pytorch", "01_data.ipynb")
GITHUB = "https://github.com/someone/word2vec"


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def publish(folder, address):
    run(sys.executable, "-m", "helpers.tools.twins", "publish", address, folder, cwd=ROOT)
    return folder


def texts(folder):
    """The texts of a folder's notebooks, cell by cell, by their paths."""
    cells = {path.relative_to(folder): read_notebook(path)["cells"] for path in folder.rglob("*.ipynb")}
    return {path: {cell["id"]: cell["text"] for cell in found} for path, found in cells.items()}


def test_the_published_copy_alone_has_the_address_and_badges(tmp_path):
    before = {Path("notebooks") / path: cells for path, cells in texts(ROOT / "notebooks").items()}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    copy = publish(tmp_path / "copy", f"{GITHUB}.git")
    assert texts(copy).keys() == before.keys()
    for path, cells in texts(copy).items():
        assert f'repository = "{GITHUB}.git"\n' in cells["set-up"] and "subprocess" not in before[path]["set-up"]
        (links,) = [text for id_, text in cells.items() if id_.startswith("links")]
        place = f"mybinder.org/v2/gh/someone/word2vec/main?labpath={path}" if path.parent.name == "mxnet" else f"/blob/main/{path}"
        assert links.count("[![Open in") == 1 and links.endswith(f"{place})")
        kept = {id_: text for id_, text in before[path].items() if id_ != "set-up" and not id_.startswith("links")}
        assert kept.items() <= cells.items() and cells.keys() == before[path].keys()
    title, _, badges, *rest = (copy / "README.md").read_text(encoding="utf-8").splitlines()
    assert badges.count("/someone/word2vec/") == 2 and [title, *rest] == readme.splitlines()
    elsewhere = publish(tmp_path / "elsewhere", "https://example.org/series")
    assert (elsewhere / "README.md").read_text(encoding="utf-8") == readme
    assert not any("[![Open in" in text for cells in texts(elsewhere).values() for text in cells.values())


def test_a_students_copy_keeps_the_address_and_loses_the_badges(tmp_path):
    copy = publish(tmp_path / "copy", GITHUB)
    from_copy = {**os.environ, "PYTHONPATH": str(copy)}
    run(sys.executable, "-m", "helpers.tools.students", tmp_path / "students", cwd=copy, env=from_copy)
    assert "Open in" not in (tmp_path / "students" / "README.md").read_text(encoding="utf-8")
    for cells in texts(tmp_path / "students").values():
        assert f'repository = "{GITHUB}"\n' in cells["set-up"] and not any("[![Open in" in text for text in cells.values())


@pytest.mark.parametrize("address", ["someone/word2vec", 'https://x.org/"', "--upload-pack=x", "https://x.org/a b"])
def test_an_address_that_is_none_is_refused(address):
    command = [sys.executable, "-m", "helpers.tools.twins", "publish", "--", address, "nowhere"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and "is no address such as" in done.stderr


def test_nothing_that_is_there_is_overwritten_and_no_copy_lies_in_the_series(tmp_path):
    (tmp_path / "link").symlink_to(ROOT)
    for folder in (tmp_path, ROOT / "copy", tmp_path / "link" / "copy"):
        command = [sys.executable, "-m", "helpers.tools.twins", "publish", GITHUB, str(folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 2 and "name a new folder elsewhere" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["link"] and not (ROOT / "copy").exists()


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("git"), reason="git is not here")
def test_a_notebook_alone_fetches_the_series_and_the_next_one_takes_the_same_clone(tmp_path):
    bare, alone = tmp_path / "bare.git", tmp_path / "alone"
    alone.mkdir()
    copy = publish(tmp_path / "copy", bare.as_uri())
    run("git", "init", "-q", cwd=copy)
    run("git", "add", "-A", cwd=copy)
    run("git", "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x", cwd=copy)
    run("git", "clone", "-q", "--bare", copy, bare)
    cell = texts(copy)[FIRST]["set-up"]
    forget = "import sys; from pathlib import Path; sys.path = [p for p in sys.path if not Path(p, 'helpers').is_dir()]\n"
    code = f"{forget}{cell}\nimport helpers.corpus\nprint(helpers.corpus.__file__)"
    for _ in range(2):
        told = run(sys.executable, "-I", "-c", code, cwd=alone)
        assert told.splitlines()[-1] == str(alone / "word2vec-series" / "helpers" / "corpus.py")
        shutil.rmtree(bare, ignore_errors=True)  # the second time nothing is fetched


def wheel(folder, name, version, *needs):
    """Write a wheel that holds one empty module and needs other packages."""
    info, module = f"{name}-{version}.dist-info", f"{name}.py"
    metadata = "".join([f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", *(f"Requires-Dist: {need}\n" for need in needs)])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(module, "")
        file.writestr(f"{info}/METADATA", metadata)
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", f"{module},,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment that has `present` 1.0, and a function that installs what a list names and is missing, without the network."""
    folder = tmp_path_factory.mktemp("environment")
    for name, version, *needs in (
        ("present", "1.0"), ("present", "2.0"), ("missing", "1.0", "present", "needed"), ("needed", "1.0"), ("needed", "2.0"),
        ("d2l", "1.0", "present==2.0"), ("stubborn", "1.0", "present>=2"),
    ):  # fmt: skip
        wheel(folder, name, version, *needs)
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PYTHONPATH": str(ROOT)}
    run(sys.executable, "-m", "venv", folder / "venv")
    run(python, "-m", "pip", "install", "present==1.0", env=offline)

    def install(*lines):
        (folder / "list.txt").write_text("\n".join(lines))
        code = "import pathlib, sys; from helpers.tools.environment import install_missing; install_missing(pathlib.Path(sys.argv[1]))"
        done = subprocess.run([python, "-c", code, folder / "list.txt"], env=offline, capture_output=True, text=True)
        return done, dict(re.findall(r"^(\w+)==([\d.]+)$", run(python, "-m", "pip", "freeze", env=offline), re.MULTILINE))

    return install


@pytest.mark.slow
def test_what_is_missing_is_added_and_what_is_there_stays(environment):
    done, found = environment("present==2.0", "missing==1.0", "needed==1.0", "d2l==1.0")
    assert done.returncode == 0, done.stderr
    assert found == {"present": "1.0", "missing": "1.0", "needed": "1.0", "d2l": "1.0"}
    assert "added: missing 1.0, needed 1.0, d2l 1.0\n" in done.stdout and "left as they are: present 1.0\n" in done.stdout
    again, _ = environment("present==2.0", "missing==1.0")
    assert (again.returncode, again.stdout) == (0, "")


@pytest.mark.slow
def test_what_cannot_be_added_is_named_and_says_what_to_do_and_mxnet_alone_is_no_error(environment):
    done, found = environment("stubborn==1.0", "mxnet==1.0")
    assert done.returncode == 1 and found["present"] == "1.0" and "stubborn" not in found
    assert "mxnet==1.0 can't be added" in done.stdout
    told = done.stderr.splitlines()[-2:]
    assert told[0].startswith("RuntimeError: stubborn==1.0 can't be added to what is here: ERROR") and "README.md" in told[1]
    assert environment("mxnet==1.0")[0].returncode == 0
