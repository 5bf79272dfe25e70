"""Links and commands of the README and docs, the lists of packages, the Makefile's set-up, and the commands' own help."""

import ast
import importlib.util
import os
import re
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from packaging import markers

from helpers.beyond.notebooks import NOTEBOOKS, all_notebooks, defined_names, read_notebook
from helpers.tools import course, environment, twins
from helpers.tools.environment import compare, mxnet_left_out, read_requirements
from helpers.tools.exports import own_files
from helpers.tools.twins import main
from tests.conftest import ROOT

DOCS = sorted((ROOT / "docs").glob("*.md"))
TEXTS = {path: path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *DOCS, ROOT / "CONTRIBUTING.md")}
README = TEXTS[ROOT / "README.md"]
READERS = "\n".join(text for path, text in TEXTS.items() if path.name != "CONTRIBUTING.md")
ALL = "\n".join(TEXTS.values())


def run(*command, **options):
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, **options)


def test_links_in_the_readme_in_docs_and_in_contributing_lead_to_files():
    for path, text in TEXTS.items():
        targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if not target.startswith("http")]
        assert targets and [target for target in targets if not (path.parent / target).exists()] == [], path.name


def test_the_readme_leads_to_each_page_of_docs():
    assert [path.name for path in DOCS if f"](docs/{path.name})" not in README] == []


def test_the_readme_and_each_page_of_docs_is_short():
    lengths = {path.name: len(text.split()) for path, text in TEXTS.items()}
    assert lengths["README.md"] <= 1300
    assert {path.name: lengths[path.name] for path in DOCS if path.name != "glossary.md" and lengths[path.name] > 900} == {}


def test_the_lists_of_notebooks_and_of_own_files_hold_all_that_git_knows():
    if not (ROOT / ".git").exists():
        pytest.skip("git does not keep this copy")
    kept = {ROOT / name for name in run("git", "ls-files").stdout.splitlines() if (ROOT / name).exists()}
    assert {path for path in kept if path.suffix == ".ipynb"} == set(all_notebooks())
    assert kept == own_files()


def test_the_readme_lists_every_step_of_both_frameworks():
    for path in all_notebooks():
        if "solutions" not in path.parts:
            assert f"]({path.relative_to(ROOT).as_posix()})" in README


def test_every_make_target_of_the_texts_exists():
    targets = set(re.findall(r"(?:`|^)make ([a-z-]+)", ALL, re.MULTILINE))
    assert {"course", "test", "lab", "setup"} <= targets
    for target in targets:
        assert run("make", "-n", target).returncode == 0, target


def test_every_module_command_of_the_texts_says_what_it_is_for():
    modules = set(re.findall(r"-m (helpers\.[\w.]*\w)", ALL))
    used = set(re.findall(r"helpers\.tools\.twins (\w+)", ALL))
    assert used and used <= main.commands.keys()
    assert modules == {f"helpers.tools.{name}" for name in ("course", "students", "twins", "environment", "prepare", "train", "vectors")}
    for module in modules:
        done = run(sys.executable, "-m", module, "--help")
        assert done.returncode == 0 and "usage:" in done.stdout.lower() and len(done.stdout.splitlines()) >= 4, done.stderr


def test_options_and_parameters_in_the_readme_and_docs_are_known():
    cells = [cell for path in all_notebooks() for cell in read_notebook(path)["cells"] if cell["id"] == "parameters"]
    known = {name for cell in cells for name in defined_names(cell)}
    assert {name for name in re.findall(r"-p (\w+) \S+", READERS)} <= known
    for module, *subcommands in (("course",), ("students",), ("vectors", "similar"), ("prepare",), ("train",), ("environment",)):
        commands = [[], *([name] for name in subcommands)]
        told = "".join(run(sys.executable, "-m", f"helpers.tools.{module}", *command, "--help").stdout for command in commands)
        options = set(re.findall(r"(?<= )--?[a-z][a-z-]*", " ".join(re.findall(rf"-m helpers\.tools\.{module}\b([^`#\n]*)", READERS))))
        assert {option for option in options if not re.search(rf"(?<![\w-]){option}(?![\w-])", told)} == set(), module


@pytest.fixture
def python(monkeypatch):
    """A function that makes the lists and the checks take this Python, on Linux, for another."""
    usual = markers.default_environment()

    def pretend(version):
        monkeypatch.setattr(markers, "default_environment", lambda: {**usual, "python_version": version, "sys_platform": "linux"})
        monkeypatch.setattr(sys, "version_info", (*map(int, version.split(".")), 0))

    return pretend


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12", "3.13"])
def test_requirements_name_the_packages_once_for_each_python_and_pin_every_line(version, python):
    python(version)
    names = [requirement.name for requirement in read_requirements()[0]]
    both = {"mxnet"} if version in ("3.10", "3.11") else set()
    assert {"jupyter", "torch", "d2l", "matplotlib", "nbval", "papermill", *both} <= set(names) and len(names) == len(set(names))
    assert ("mxnet" in names) == bool(both) == (not mxnet_left_out())
    for name in ("requirements.txt", "requirements-dev.txt"):
        for requirement in read_requirements(ROOT / name)[0]:
            assert re.fullmatch(r"==[\d.]+", str(requirement.specifier)), requirement
    assert (ROOT / "requirements-dev.txt").read_text().startswith("-r requirements.txt\n")


def test_the_environment_is_the_one_that_the_list_names():
    wrong = [requirement.name for requirement in read_requirements()[0] if not compare(requirement)[1]]
    assert wrong == []
    alone = ["d2l"] if mxnet_left_out() else []
    told = run(sys.executable, "-m", "pip", "check").stdout.splitlines()
    assert [line for line in told if line.split()[0] not in alone] == ([] if alone else ["No broken requirements found."])


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_what_d2l_imports_is_listed_where_it_is_installed_without_its_own_list(version, python):
    python(version)
    tree = ast.parse(Path(importlib.util.find_spec("d2l").origin).with_name("torch.py").read_text(encoding="utf-8"))
    modules = {node.module for node in tree.body if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    packages = metadata.packages_distributions()
    wanted = {packages[name][0].lower() for name in {module.split(".")[0] for module in modules} - sys.stdlib_module_names}
    assert {"torch", "pandas"} <= wanted <= {requirement.name for requirement in read_requirements(ROOT / "requirements.txt")[0]}


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_where_mxnet_is_left_out_a_line_says_so_and_asking_for_it_is_an_error(version, python, tmp_path, monkeypatch, capsys):
    python(version)
    assert course.frameworks_here("both") == ["pytorch"]
    assert re.fullmatch("The MXNet half is left out: .*NumPy 1.23.5.*Python 3.10 and 3.11 run both halves.\n", capsys.readouterr().out)
    refused = CliRunner().invoke(course.main, ["--framework", "mxnet", "--out", str(tmp_path / "out")])
    assert refused.exit_code == 1 and not (tmp_path / "out").exists()
    assert re.fullmatch("Error: the MXNet half can't run here: .*Python 3.10 and 3.11.*\n", refused.stderr)
    monkeypatch.setattr(sys, "argv", ["environment"])
    with pytest.raises(SystemExit):
        environment.main()
    assert re.search(r"\nMXNet half: MXNet 1.9.1 needs NumPy 1.23.5.*Python 3.10 and 3.11", capsys.readouterr().out)


def test_notebooks_that_can_not_run_here_are_left_alone_aloud(python):
    python("3.13")
    path = NOTEBOOKS / "mxnet" / "01_data.ipynb"
    before = path.stat().st_mtime_ns
    done = CliRunner().invoke(twins.main, ["run", str(path)])
    assert done.exit_code == 0 and path.stat().st_mtime_ns == before
    assert re.fullmatch(r".*01_data.ipynb is left out: MXNet 1.9.1 needs .*\n", done.output)


def test_check_environment_names_what_is_missing_for_which_half(monkeypatch, capsys):
    found = environment.metadata.version

    def version(name):
        if name in ("mxnet", "gensim"):
            raise environment.metadata.PackageNotFoundError(name)
        return "0.0" if name == "torch" else found(name)

    monkeypatch.setattr(environment.metadata, "version", version)
    monkeypatch.setattr(sys, "argv", ["environment"])
    with pytest.raises(SystemExit) as stop:
        environment.main()
    printed = capsys.readouterr().out
    assert stop.value.code == 1
    assert "PyTorch half: look at gensim, torch\n" in printed
    assert f"MXNet half: {mxnet_left_out() or 'look at gensim, mxnet'}\n" in printed
    assert re.search(r"torch +==[\d.]+ +0\.0 +<- differs", printed)
    assert re.search(r"gensim +==[\d.]+ +nothing +<- missing", printed)


@pytest.fixture
def without_mxnet(tmp_path):
    """Variables with which MXNet can't be imported."""
    (tmp_path / "mxnet.py").write_text("raise ImportError('none here')")
    return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


@pytest.mark.slow
def test_a_test_without_its_mxnet_fails_where_the_list_has_it_and_is_skipped_aloud_elsewhere(without_mxnet):
    command = sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "tests/test_models.py", "-k", "skip_gram_scores"
    told = run(*command, env=without_mxnet).stdout
    assert re.search("1 passed, .*1 skipped" if mxnet_left_out() else "1 passed, .*1 error", told)
    assert ("1 tests and cells skipped: MXNet 1.9.1" in told) == bool(mxnet_left_out())


def test_without_mxnet_its_half_says_so_in_one_sentence_and_the_other_half_works(without_mxnet, tmp_path):
    failed = run(sys.executable, "-c", "import helpers.model_mxnet", env=without_mxnet)
    last = failed.stderr.strip().splitlines()[-1]
    assert failed.returncode == 1
    assert last.startswith("ImportError: The MXNet half needs mxnet 1.9.1") and "Python 3.10 or 3.11" in last
    (tmp_path / "mxnet.py").write_text("raise OSError('libgomp.so.1: cannot open it')")
    last = run(sys.executable, "-c", "import helpers.model_mxnet", env=without_mxnet).stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: The MXNet half needs") and last.endswith("Here: libgomp.so.1: cannot open it")
    code = "from helpers.model_pytorch import new_model; print(len(new_model(5, 2, 0)))"
    assert run(sys.executable, "-c", code, env=without_mxnet).stdout == "2\n"


def test_helpers_is_importable_from_any_folder_of_the_environment_that_make_set_up(tmp_path):
    code = "import helpers; print(helpers.__file__)"
    done = subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.stdout.strip() == str(ROOT / "helpers" / "__init__.py"), done.stderr
    # Python reads these in the locale's encoding, so that one with a folder's umlaut would keep it from starting
    assert [path for path in Path(sysconfig.get_path("purelib")).glob("*.pth") if str(ROOT) in path.read_text()] == []


def test_ruff_finds_nothing_in_code_and_notebooks():
    done = run(sys.executable, "-m", "ruff", "check", "--no-cache")
    assert done.returncode == 0, done.stdout + done.stderr


def set_up_cell():
    cells = {cell["id"]: cell for cell in read_notebook(NOTEBOOKS / "pytorch" / "01_data.ipynb")["cells"]}
    return cells["set-up"]["text"]


@pytest.mark.parametrize("folder", [ROOT, ROOT / "notebooks" / "mxnet", ROOT / "notebooks" / "solutions" / "pytorch"])
def test_the_set_up_cell_finds_helpers_from_any_folder_of_the_repository(folder):
    code = set_up_cell() + "\nimport helpers\nprint(helpers.__file__)"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], cwd=folder, capture_output=True, text=True)
    assert Path(folder, done.stdout.strip()).resolve() == ROOT / "helpers" / "__init__.py", done.stderr


def test_environment_yml_takes_the_list_and_a_python_that_fits():
    text = (ROOT / "environment.yml").read_text()
    assert re.search(r"python ?= ?3\.1[01]", text) and "-r requirements.txt" in text


def test_what_github_runs_is_there_and_may_only_read():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = "\n".join(step.get("run", "") for step in steps)
    targets, files = re.findall(r"make ([a-z-]+)", commands), re.findall(r"\S+\.(?:txt|yaml)\b|notebooks/\S+", commands)
    assert {"test", "test-all"} <= set(targets) and "notebooks/pytorch" in files
    assert [target for target in targets if run("make", "-n", target).returncode] == []
    assert [path for path in files if not (ROOT / path).exists()] == []
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    assert workflow["permissions"] == {"contents": "read"}
