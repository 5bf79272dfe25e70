"""The set-up's decisions: which Python, what is said where none fits, what is kept, mended or refused, and one at a time."""

import argparse
import ast
import contextlib
import errno
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.tools import environment, install
from helpers.tools.install import Python, bring, find, forget_unfinished, is_ready, locked, look_at, make_environment, mend_scripts, set_up
from tests.conftest import ROOT

REAL = os.path.realpath(sys.executable)


def fake(path, version=(3, 11, 2), before="pass"):
    """Write a program that is this Python, but of another version when it is looked at."""
    code = f"import sys; sys.version_info = {version}; sys._base_executable = '{path}'; {before}; exec(sys.argv[1])"
    script = f'*" -m venv "*) echo "chosen $0"; exit 1;;\n*install.py*) exec {REAL} "$@";;\n*) exec {REAL} -I -c "{code}" "$3";;'
    path.write_text(f'#!/bin/sh\ncase "$*" in\n{script}\nesac\n')
    path.chmod(0o755)
    return path


def make(*arguments, **environment):
    command = [shutil.which("make"), "setup", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)


def test_the_python_below_an_environment_is_found_where_python_does_not_know_it(tmp_path):
    subprocess.run([REAL, "-m", "venv", "--without-pip", tmp_path], check=True)
    (packages,) = tmp_path.glob("lib/python3*/site-packages")
    for base in "sys.executable", "'/usr/bin/no-python'":  # as Python 3.10 says, and one that is gone
        (packages / "sitecustomize.py").write_text(f"import sys; sys._base_executable = {base}")
        assert look_at(tmp_path / "bin" / "python").base == REAL


def refusal(*arguments):
    with pytest.raises(SystemExit) as stopped:
        find(*arguments)
    assert "\n" not in stopped.value.code
    return stopped.value.code


@pytest.fixture
def pythons(monkeypatch):
    """A function that says which Pythons there are, {name: version}; uv brings none."""

    def there(versions, complete=True):
        found = {name: Python(version, complete, name, "", "") for name, version in versions.items()}
        monkeypatch.setattr(install, "look_at", lambda name: found.get(name, "can't be started (No such file or directory)"))
        monkeypatch.setattr(install, "bring", lambda versions: None)

    return there


def test_old_pythons_can_read_what_says_that_they_are_too_old():
    ast.parse((ROOT / "helpers" / "tools" / "install.py").read_text(encoding="utf-8"), feature_version=(3, 6))


@pytest.mark.parametrize("there, chosen", [
    ((13, 12, 10, 11), "python3.11"), ((13, 12, 10), "python3.10"), ((12, 13), "python3.13"), ((12,), "python3.12"),
])  # fmt: skip
def test_a_python_that_runs_both_halves_is_taken_before_a_newer_one(there, chosen, pythons):
    pythons({"python3": (3, 14, 1), **{f"python3.{minor}": (3, minor, 1) for minor in there}})
    assert find("", None).base == chosen


def test_make_takes_the_python_that_is_found(tmp_path):
    for version in (3, 12, 1), (3, 14, 0):
        fake(tmp_path / "python{}.{}".format(*version), version)
    done = make(f"VENV={tmp_path}/venv", PATH=str(tmp_path), PYTHON="")
    assert re.findall(r"chosen \S*/(python\S+)", done.stdout) == ["python3.12"], done.stderr


def test_where_none_fits_it_is_said_which_there_are(pythons):
    pythons({"python3": (3, 14, 10), "python3.9": (3, 9, 2)})
    told = refusal("", None)
    assert "needs Python 3.10 to 3.13 (MXNet 3.10 or 3.11). Here python3 is Python 3.14.10. Install one" in told
    assert told.endswith("PYTHON=/path/to/python3.11")
    assert "make brings one" not in told
    pythons({"python3": (3, 14, 10)}, complete=False)
    assert "Here python3 is Python 3.14.10. Once these have venv (Debian, Ubuntu: sudo apt install python3-venv)" in refusal("", None)
    pythons({})
    assert "Here is none." in refusal("", None) and "needs Python 3.13 (" in refusal("", "3.13")


def test_a_python_without_ensurepip_gets_the_package_that_it_lacks(pythons, tmp_path):
    assert look_at(fake(tmp_path / "python", before="sys.modules['ensurepip'] = None"))[:2] == ([3, 11, 2], False)
    pythons({"python3": (3, 11, 2)}, complete=False)
    for given in "", "python3":
        assert "python3 is Python 3.11.2, but can't make environments" in refusal(given, None)
        assert "sudo apt install python3.11-venv" in refusal(given, None)


@pytest.mark.parametrize("given, why", [
    ("/nowhere/python", "PYTHON=/nowhere/python can't be started (No such file or directory)"),
    ("~/no python", "PYTHON=~/no python can't be started (No such file or directory)"),
    (str(ROOT), "can't be started (Permission denied)"), ("/bin/true", "PYTHON=/bin/true is no Python 3"), ("cat", "is no Python 3"),
])  # fmt: skip
def test_a_given_python_that_is_none_is_named_with_the_reason(given, why):
    assert why in refusal(given, None)


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0)])
def test_another_version_is_refused_in_a_line_before_anything_is_made(tmp_path, version):
    done = make(f"PYTHON={fake(tmp_path / 'python', version)}", f"VENV={tmp_path}/venv")
    first, *rest = done.stderr.splitlines()
    assert done.returncode == 2 and "needs Python 3.10 to 3.13" in first and "MXNet 3.10 or 3.11" in first
    assert f"PYTHON={tmp_path}/python is Python {'.'.join(map(str, version))}." in first
    assert all(re.match(r"make(\[\d+\])?: (\*\*\*|Entering|Leaving)", line) for line in rest)
    assert [path.name for path in tmp_path.iterdir()] == ["python"]


def test_a_persons_pythonhome_and_pythonpath_stop_nothing(tmp_path):
    (tmp_path / "json.py").write_text("raise SystemExit('theirs')")
    theirs = {"PYTHONHOME": "/nowhere", "PYTHONPATH": str(tmp_path)}
    assert "PYTHON=/bin/true is no Python 3" in make("PYTHON=/bin/true", f"VENV={tmp_path}/venv", **theirs).stderr  # our program says so
    rule = "--eval=told: ; @env"
    told = subprocess.run(["make", rule, "told"], cwd=ROOT, env={**os.environ, **theirs}, capture_output=True, text=True, check=True).stdout
    assert not re.findall("^PYTHON(HOME|PATH)=", told, re.MULTILINE)


def test_an_environment_with_other_things_in_it_is_not_made_again(tmp_path):
    for folder in "bin", "src":
        (tmp_path / folder).mkdir()
    (tmp_path / "pyvenv.cfg").write_text("home = /gone")  # its Python is gone, or too old
    (tmp_path / "src" / "thesis.tex").write_text("years")
    with pytest.raises(SystemExit, match=r"holds what is of no environment: src\. Name another: make course VENV=.venv-2$"):
        make_environment(tmp_path, REAL, None)
    assert (tmp_path / "src" / "thesis.tex").exists() and (tmp_path / "pyvenv.cfg").exists()


def test_a_folder_that_is_no_environment_is_left_alone(tmp_path):
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "thesis.tex").write_text("years")
    with pytest.raises(SystemExit, match="is no environment"):
        make_environment(tmp_path, REAL, None)
    assert (tmp_path / "parts" / "thesis.tex").read_text() == "years"


def test_an_environment_stays_until_a_python_is_found_for_the_next_one(tmp_path, pythons):
    pythons({})
    (tmp_path / "pyvenv.cfg").write_text("home = /gone")
    with pytest.raises(SystemExit, match="needs Python"):
        make_environment(tmp_path, "", None)
    assert (tmp_path / "pyvenv.cfg").exists()


def test_an_environment_is_ready_after_the_imports_were_tried_and_never_while_it_changes(tmp_path, monkeypatch):
    chosen = argparse.Namespace(python="", only=None, tests=True)
    begun = {"course-ready", "test-ready"}
    for name in begun:
        (tmp_path / name).write_text("of other lists")

    def call(*command, **variables):
        assert not any((tmp_path / name).exists() for name in begun)
        if "tell_halves" in command[-1] and fails:
            raise SystemExit("libgomp")

    monkeypatch.setattr(install, "make_environment", lambda *arguments: None)
    monkeypatch.setattr(install, "mend_scripts", lambda *arguments: False)
    monkeypatch.setattr(install, "interpreter", lambda folder: Path(REAL))
    monkeypatch.setattr(install, "call", call)
    for fails in True, False:
        with pytest.raises(SystemExit, match="Not all is ready.*--framework pytorch") if fails else contextlib.nullcontext():
            set_up(tmp_path, chosen)
        assert {path.name for path in tmp_path.iterdir()} == (set() if fails else begun)
    assert is_ready(tmp_path, True, None) and is_ready(tmp_path, False, None) and not is_ready(tmp_path, True, "3.99")
    monkeypatch.setattr(install, "seal", lambda *arguments: b"another place, or other lists")
    assert not is_ready(tmp_path, True, None)


def test_a_folder_that_nobody_may_write_to_is_named_with_the_way_out(monkeypatch):
    def is_ready(folder, *others):
        raise PermissionError(errno.EROFS, "Read-only file system", f"{folder}.lock")

    monkeypatch.setattr(install, "is_ready", is_ready)
    monkeypatch.setattr(sys, "argv", ["install"])
    with pytest.raises(SystemExit, match=r"\.venv\.lock: Read-only file system; copy the series to a folder of your own$"):
        install.main()


def test_uv_brings_the_first_version_that_can_be_had(tmp_path, monkeypatch):
    uv = tmp_path / ".uv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    uv.write_text(f'#!/bin/sh\ncase "$*" in *install*3.11) exit 1;; *find*) echo {REAL};; esac\n')
    uv.chmod(0o755)
    monkeypatch.setattr(install, "REPOSITORY", tmp_path)
    assert bring(["3.11", "3.13"]) == look_at(REAL) and bring(["3.11"]) is None
    uv.unlink()
    fake(tmp_path / "python3", (3, 7, 1))
    monkeypatch.setenv("PATH", str(tmp_path))  # too old for uv
    assert bring(["3.13"]) is None


def test_too_little_disk_is_told_before_anything_is_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: shutil._ntuple_diskusage(90e9, 81e9, 9e9))
    monkeypatch.setattr(install, "call", lambda *command: None)
    make_environment(tmp_path / ".venv", REAL, None)
    assert capsys.readouterr().out == f"9.0 GB are free in {tmp_path}: the set-up takes 10.5 GB while it installs\n"


def package(packages, name, record, **files):
    info = packages / f"{name}-1.0.dist-info"
    info.mkdir()
    for path, text in {**files, f"{info.name}/INSTALLER": "pip"}.items():
        (packages / path).write_text(text)
    if record is not None:
        (info / "RECORD").write_text(record)
    return info


def test_packages_that_are_not_whole_are_forgotten(tmp_path):
    record = 'a,sha256=x,1\ne,,0\n__pycache__/a.pyc,,\n"b,c",,\nwhole-1.0.dist-info/INSTALLER,,\n'
    whole = package(tmp_path, "whole", record, **{"a": "12", "e": "", "b,c": ""})
    package(tmp_path, "begun", None)
    package(tmp_path, "stopped", "f,,\n", f="")  # the wheel's own list, before its programs were written
    package(tmp_path, "missing", "no/where.py,sha256=x,1\nmissing-1.0.dist-info/INSTALLER,,\n")
    package(tmp_path, "emptied", "d,sha256=x,7\nemptied-1.0.dist-info/INSTALLER,,\n", d="")  # the machine lost power
    package(tmp_path, "~tashed", None)
    (tmp_path / "~ashed").mkdir()
    forget_unfinished(tmp_path)
    assert list(tmp_path.glob("*.dist-info")) == [whole] and not list(tmp_path.glob("~*"))


@pytest.mark.parametrize("folder", ["plain", "with blank", "l" * 120, 'a "b" \'c\' $d `e`'])
def test_programs_of_a_renamed_folder_start_its_python(folder, tmp_path):
    scripts = tmp_path / folder
    scripts.mkdir()
    (scripts / "python").symlink_to(REAL)
    body = "import sys\nprint(sys.argv[0] and sys.orig_argv[0])\n"
    long = "#!/bin/sh\n'''exec' {} \"$0\" \"$@\"\n' '''\n"
    old = {"a": "#!/old/bin/python3.11\n", "b": long.format('"/old one/bin/python"'), "c": long.format("'/old one/bin/python3'")}
    for name, header in old.items():
        (scripts / name).write_text(header + body)
        (scripts / name).chmod(0o755)
    others = {"env": "#!/usr/bin/env python3\n", "sh": "#!/bin/sh\necho python\n", "binary": "\0#!/old/bin/python\n"}
    for name, text in others.items():
        (scripts / name).write_text(text)
    assert mend_scripts(scripts, scripts / "python")
    for name in old:
        done = subprocess.run([scripts / name], capture_output=True, text=True)
        assert done.stdout == f"{scripts / 'python'}\n", done.stderr
    assert {name: (scripts / name).read_text() for name in others} == others
    assert not mend_scripts(scripts, scripts / "python")


def test_a_lock_lasts_as_long_as_what_was_started_under_it(tmp_path):
    code = "import sys; from pathlib import Path; from helpers.tools.install import locked\nwith locked(Path(sys.argv[1])): {}"
    path, end = tmp_path / ".venv.lock", tmp_path / "end"
    until_the_end = f"until [ -e '{end}' ]; do sleep 0.05; done"
    leave = f'import subprocess; subprocess.Popen(["sh", "-c", "{until_the_end}"], close_fds=False, stdout=subprocess.DEVNULL)'
    subprocess.run([sys.executable, "-c", code.format(leave), path], cwd=ROOT, check=True)
    with subprocess.Popen([sys.executable, "-c", code.format("print('in')"), path], cwd=ROOT, stdout=subprocess.PIPE, text=True) as waiting:
        told = waiting.stdout.readline()
        end.touch()
        assert told + waiting.stdout.read() == "Another set-up is at work; this one waits for it (.venv.lock)\nin\n"
    with locked(path):
        pass


@pytest.mark.parametrize("text, told", [
    ("", ""),
    ("raise OSError('libquadmath.so.0: cannot open shared object file: No such file')", "sudo apt install libgomp1 libquadmath0"),
    ("raise ValueError('a\\nb')", "broken can't be imported: "),
    ("import os; os.kill(os.getpid(), 4)", "importing broken was ended by SIGILL"),
])  # fmt: skip
def test_an_import_that_fails_is_named_with_its_cure(text, told, tmp_path, monkeypatch):
    (tmp_path / "broken.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    reason = environment.failing_import([], "broken", "json")
    assert told in reason and bool(told) == bool(reason) and "\n" not in reason
