"""Students' copies: what they hold, and a course that the real nbgrader makes, hands out and grades."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, lessons, read_notebook, tags
from helpers.tools.students import for_nbgrader
from helpers.tools.twins import all_notebooks, write_notebook
from tests.conftest import ROOT

QUICK = {"corpus": None, "other_corpus": None, "embed_size": 12, "num_epochs": 1, "block_epochs": 1, "min_freq": 3}


def student(*arguments):
    command = [sys.executable, "-m", "helpers.tools.students", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copies") / "copy"
    done = student(folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_a_students_copy_holds_every_lesson_without_outputs_answers_or_solutions(copy):
    lessons = {path.relative_to(NOTEBOOKS) for path in all_notebooks() if "solutions" not in path.parts}
    assert {path.relative_to(copy / "notebooks") for path in copy.rglob("*.ipynb")} == lessons
    assert not (copy / "notebooks" / "TEACHING.md").exists() and not list(copy.rglob("__pycache__"))
    for path in copy.rglob("*.ipynb"):
        for cell in read_notebook(path)["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None
            assert "exercise" not in tags(cell) or "return ..." in cell["text"]


def test_the_readme_of_a_students_copy_leads_nowhere_else_and_not_to_solutions(copy):
    readme = (copy / "README.md").read_text(encoding="utf-8")
    targets = [target for target in re.findall(r"\]\(([^)#]+)\)", readme) if not target.startswith("http")]
    assert len(targets) >= 20 and [target for target in targets if not (copy / target).exists()] == []
    assert [text for text in ("notebooks/solutions", "## For teachers", "make test ") if text in readme] == []
    assert "## A text of your own" in readme and "## License" in readme


def test_the_docs_of_a_students_copy_are_whole_but_for_teachers_parts_and_lead_nowhere_else(copy):
    pages = {path.name: path.read_text(encoding="utf-8") for path in (copy / "docs").glob("*.md")}
    assert pages.keys() == {path.name for path in (ROOT / "docs").glob("*.md")}
    for name, text in pages.items():
        targets = [target for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if not target.startswith("http")]
        assert [target for target in targets if not (copy / "docs" / target).exists()] == [], name
        assert [part for part in ("for students", "solutions", "make test") if part in text] == [], name
        headings = re.findall("^#.*", (ROOT / "docs" / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert re.findall("^#.*", text, re.MULTILINE) == headings, name


def test_a_students_copy_runs_where_it_lies(copy):
    script = "import helpers.tools.course, helpers.exercises; print(helpers.tools.course.ROOT)"
    done = subprocess.run([sys.executable, "-c", script], cwd=copy, capture_output=True, text=True)
    assert done.stdout.strip() == str(copy.resolve()), done.stderr


def test_a_folder_that_is_not_empty_is_left_alone(copy):
    before = sorted(copy.rglob("*"))
    done = student(copy)
    assert done.returncode == 2 and "is not empty" in done.stderr
    assert sorted(copy.rglob("*")) == before


@pytest.mark.parametrize("place", [".", "notebooks/students", "copy"])
def test_a_copy_never_goes_into_the_series_itself(place):
    done = student(ROOT / place)
    assert done.returncode == 2 and "lies in the series" in done.stderr
    assert not (ROOT / "copy").exists() and not (NOTEBOOKS / "students").exists()


def test_nbgraders_source_has_a_marked_solution_and_a_point_for_each_exercise():
    for framework in FRAMEWORKS:
        assert [path.name for path in lessons(framework)] == sorted({path.name for path in all_notebooks()})
        for path in lessons(framework):
            marks_each_exercise(for_nbgrader(path, framework)["cells"], path, framework)


def marks_each_exercise(cells, path, framework):
    parameters = next("".join(cell["source"]) for cell in cells if "parameters" in tags(cell))
    assert "framework = " not in parameters or f'framework = "{framework}"' in parameters
    asked = [cell["id"] for cell in read_notebook(path)["cells"] if "exercise" in tags(cell)]
    roles = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
    assert [role["grade_id"] for role in roles if role["solution"]] == asked
    assert sum(role.get("points", 0) for role in roles) == len(asked)
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            text = "".join(cell["source"])
            assert text.count("### BEGIN SOLUTION") == text.count("### END SOLUTION") == 1 and "check(" not in text


@pytest.fixture(scope="module")
def course(tmp_path_factory, small_text):
    """nbgrader's course with a small text and short trainings in the parameters, so that grading takes seconds."""
    folder = tmp_path_factory.mktemp("nbgrader") / "course"
    done = student(folder, "--nbgrader")
    assert done.returncode == 0, done.stderr
    for path in folder.glob("source/*/*.ipynb"):
        notebook = read_notebook(path)
        for cell in notebook["cells"]:
            if "parameters" in tags(cell):
                known = [name for name in QUICK if f"{name} = " in cell["text"]]
                values = {**QUICK, "corpus": str(small_text), "other_corpus": str(small_text)}
                cell["source"] = [cell["text"], *(f"\n{name} = {values[name]!r}" for name in known)]
        write_notebook(path, notebook)
    return folder


def nbgrader(course, *arguments):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # an activated environment: nbgrader calls alembic
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=course, capture_output=True, text=True, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("name", ["01_data", "06_similarity"])  # its mechanics do not depend on the step
def test_nbgrader_gives_the_solutions_full_marks_and_the_empty_copy_none(course, name):
    from nbgrader.api import Gradebook

    nbgrader(course, "generate_assignment", name)
    released = (course / "release" / name / f"{name}.ipynb").read_text()
    (lesson,) = [path for path in lessons("pytorch") if path.stem == name]
    asked = sum("exercise" in tags(cell) for cell in read_notebook(lesson)["cells"])
    assert "BEGIN SOLUTION" not in released and released.count("return ...") >= asked
    for who, origin in (("solver", "source"), ("empty", "release")):
        shutil.copytree(course / origin / name, course / "submitted" / who / name)
    nbgrader(course, "autograde", name, "--create")
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        marks = {who: gradebook.find_submission(name, who) for who in ("solver", "empty")}
        assert marks["solver"].score == marks["solver"].max_score == asked
        assert marks["empty"].score == 0 and marks["empty"].max_score == marks["solver"].max_score
    graded = json.loads((course / "autograded" / "empty" / name / f"{name}.ipynb").read_text())
    assert json.dumps(graded).count("not answered yet") >= marks["empty"].max_score
