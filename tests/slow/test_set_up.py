"""Set-ups with pip and packages that hold next to nothing: stopped, started twice, renamed, copied, with odd settings."""

import os
import shutil
import subprocess
import sys
import zipfile

import psutil
import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("set-up")]
PYTHON = os.path.realpath(sys.executable)
BACKEND = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    from pathlib import Path
    name, info = "word2vec_series-1.0-py3-none-any.whl", "word2vec_series-1.0.dist-info"
    with zipfile.ZipFile(Path(folder, name), "w") as file:
        file.writestr("series.pth", f"import sys; sys.path.append({ascii(str(Path.cwd()))})")
        file.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\\nName: word2vec_series\\nVersion: 1.0\\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        file.writestr(f"{info}/RECORD", "")
    return name
"""
WAIT = "import os, time; begin = time.time()\n    while not os.path.exists('go on') and time.time() < begin + 100: time.sleep(0.05)"


def wheel(folder, name, version, text="", **files):
    """Write a wheel that holds a module with this text, a program of its name, and more files."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"{text}\ndef main():\n    import helpers\n    print('{name}', helpers.__file__)\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-lab = {name}:main\n",
        f"{info}/top_level.txt": f"{name}\n",
        **files,
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as file:
        for path, content in files.items():
            file.writestr(path, content)


def lay_out(folder):
    """Write the series with lists of packages that hold next to nothing, and a folder with those."""
    series, index = folder / "here" / "series", folder / "index"
    index.mkdir(parents=True)
    series.mkdir(parents=True)
    shutil.copytree(ROOT / "helpers", series / "helpers", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Makefile", series)
    for name in ("torch", "torchvision", "mxnet", "jupyterlab"):
        wheel(index, name, "1.0")
    wheel(index, "d2l", "1.0.3", "__path__ = [__file__.replace('d2l.py', 'd2l_')]", **{"d2l_/torch.py": "", "d2l_/mxnet.py": ""})
    (series / "requirements.txt").write_text("torch==1.0\ntorchvision==1.0\nmxnet==1.0\nd2l==1.0.3\njupyterlab==1.0\n")
    (series / "requirements-dev.txt").write_text("-r requirements.txt\n")
    (series / "pyproject.toml").write_text('[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n')
    (series / "backend.py").write_text(BACKEND)
    return series


def variables(series, **more):
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "PYTHON"))}
    index = series.parents[1] / "index"
    return {**plain, "PIP_CONFIG_FILE": os.devnull, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(index), **more}


def make(series, *arguments, **more):
    """Run make there; returns its exit status and what it printed."""
    command, environment = ["make", f"PYTHON={PYTHON}", *arguments], variables(series, **more)
    done = subprocess.run(command, cwd=series, env=environment, capture_output=True, text=True, timeout=300)
    return done.returncode, done.stdout + done.stderr


def program(series, name="jupyterlab-lab", **more):
    """Run a program of the environment by its file, from elsewhere; returns what it prints."""
    done = subprocess.run([series / ".venv" / "bin" / name], cwd="/", env=variables(series, **more), capture_output=True, text=True)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A series that was set up."""
    series = lay_out(tmp_path_factory.mktemp("original"))
    status, told = make(series, "setup")
    assert status == 0, told
    return series


@pytest.fixture
def copy(original, tmp_path):
    """A copy of it with its environment, beside whose name most programs stumble."""
    shutil.copytree(original.parents[1] / "index", tmp_path / "index")
    return shutil.copytree(original, tmp_path / "süß und $lang" / "series", symlinks=True)


def test_a_copy_is_mended_without_the_network_and_does_not_start_the_original(original, copy):
    assert program(copy) == f"jupyterlab {original}/helpers/__init__.py\n"
    shutil.rmtree(copy.parents[1] / "index")
    status, told = make(copy, "setup", LC_ALL="C")
    assert status == 0, told
    for locale in "C", "C.UTF-8":
        assert program(copy, LC_ALL=locale) == f"jupyterlab {copy}/helpers/__init__.py\n"
    assert str(original) not in (copy / ".venv" / "bin" / "activate").read_text()
    status, told = make(copy, "setup")
    assert status == 0 and "pip" not in told


def test_what_pip_was_interrupted_at_is_installed_again(copy, tmp_path):
    (copy / ".venv").rename(tmp_path / "larger disk")
    (copy / ".venv").symlink_to(tmp_path / "larger disk")
    (packages,) = (copy / ".venv" / "lib").glob("python3*/site-packages")
    for info in (*packages.glob("jupyterlab-*"), *packages.glob("pip-*")):  # as if killed before it was replaced
        (info / "RECORD").write_text("".join(row for row in (info / "RECORD").open() if "dist-info/INSTALLER" not in row))
    shutil.rmtree(packages / "pip" / "_internal" / "commands")
    (copy / ".venv" / "bin" / "jupyterlab-lab").unlink()
    (copy / ".venv" / "bin" / "activate").unlink()
    (packages / "torch.py").unlink()
    (packages / "d2l_" / "torch.py").write_text("")
    (packages / "~orch").mkdir()
    (copy / ".venv" / "course-ready").unlink()
    (copy / ".venv" / "tmp").mkdir()
    status, told = make(copy, "setup", PIP_USER="1", PIP_TARGET=str(copy / "elsewhere"), PIP_NO_DEPS="1")
    assert status == 0, told
    assert "helpers" in program(copy) and (packages / "torch.py").exists() and (copy / ".venv" / "bin" / "activate").exists()
    assert not list(packages.glob("~*")) and not (copy / ".venv" / "tmp").exists() and not (copy / "elsewhere").exists()


def test_a_set_up_waits_for_another_and_for_the_pip_of_one_that_was_killed(copy):
    (copy / ".venv" / "course-ready").unlink()
    (copy / "backend.py").write_text(BACKEND.replace("    from", f"    {WAIT}\n    from", 1))
    command, environment = ["make", f"PYTHON={PYTHON}", "setup"], variables(copy)
    options = {"cwd": copy, "env": environment, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, **options) as first:
        for line in first.stdout:
            if "Obtaining" in line:
                break
        processes = psutil.Process(first.pid).children(recursive=True)
        next(process for process in processes if "helpers/tools/install.py" in process.cmdline()).kill()
        with subprocess.Popen(command, **options) as second:
            told = []
            for line in second.stdout:
                told.append(line)
                if "Another set-up is at work" in line:
                    (copy / "go on").touch()
    assert second.returncode == 0 and any("Another set-up is at work" in line for line in told), told
    assert "helpers" in program(copy)
