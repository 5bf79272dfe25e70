"""Students' copies: what they hold, where they go, and a course that the real nbgrader makes, hands out and grades."""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, all_notebooks, lessons, read_notebook, tags
from helpers.exercises import fault_of, find
from helpers.tools import students
from helpers.tools.exports import copy_own, own_files
from helpers.tools.students import as_asked, for_nbgrader, read_answers
from helpers.tools.twins import CLEAR, FOLDED, write_notebook
from tests.conftest import ROOT

QUICK = {"corpus": None, "other_corpus": None, "embed_size": 12, "num_epochs": 1, "block_epochs": 1, "min_freq": 3}


def student(*arguments):
    """Run the command for students here; see `run_in` for another series."""
    return CliRunner().invoke(students.main, [*map(str, arguments)])


def run_in(series, *calls):
    """Run commands, (module, *arguments) each, of a series in one process; returns the exit code, stdout and stderr of each."""
    script = (
        "import importlib, json, sys\nfrom click.testing import CliRunner\n"
        "done = [CliRunner().invoke(importlib.import_module(name).main, call) for name, *call in json.loads(sys.argv[1])]\n"
        "print(json.dumps([(one.exit_code, one.stdout, one.stderr) for one in done]))"
    )
    command = [sys.executable, "-c", script, json.dumps([[*map(str, call)] for call in calls])]
    done = subprocess.run(command, cwd=series, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(series)})
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copies") / "copy"
    done = student(folder)
    assert done.exit_code == 0, done.output
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
    assert done.exit_code == 2 and "is not empty" in done.stderr
    assert sorted(copy.rglob("*")) == before


ANSWER = "    return 2 * w"


@pytest.fixture(scope="module")
def used(tmp_path_factory):
    """A series, kept by git, in which a teacher has worked: exercises are answered in each way, and files of other kinds lie in it."""
    series = tmp_path_factory.mktemp("used") / "series"
    copy_own(series, lambda place: True)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=series, check=True)
    pytorch = series / "notebooks" / "pytorch"
    notebook = read_notebook(pytorch / "01_data.ipynb")
    cells, kinds = [], iter([("code", ["exercise"]), ("code", []), ("markdown", ["exercise"])])
    for cell in notebook["cells"]:
        cells.append(cell)
        if "exercise" in tags(cell):
            kind, names = next(kinds)
            cell |= {"source": ["def contexts_of(w):\n", ANSWER], "cell_type": kind, "metadata": {"tags": names, "editable": True}}
            for id_ in ("1c0f2b7e", "3b241101-e2bb-4255-8caf-4136c566a962", cell["id"], "exercise-mine"):
                cells.append({**cell, "id": id_, "metadata": {"tags": ["exercise"]}})
    notebook["metadata"]["widgets"] = {"state": ANSWER}
    write_notebook(pytorch / "01_data.ipynb", {**notebook, "cells": cells})
    shutil.copy(pytorch / "01_data.ipynb", pytorch / "01_data-Copy1.ipynb")
    for place, text in STRAYS.items():
        (series / place).parent.mkdir(exist_ok=True)
        (series / place).write_text(text)
    (series / "helpers" / "other.py").symlink_to(series / "notebooks" / "TEACHING.md")
    return series


STRAYS = {
    "notebooks/pytorch/Untitled.ipynb": "", "notebooks/mxnet/15_mine.ipynb": '{"cells":[],"metadata":{},"nbformat":4,"nbformat_minor":5}',
    "notebooks/beyond/cut.ipynb": '{"cells": [{', "notebooks/pytorch/grades.csv": "A,1", "notebooks/old/01_data.ipynb": ANSWER,
    "notebooks/pytorch/.ipynb_checkpoints/01_data-checkpoint.ipynb": ANSWER, "helpers/.env": "TOKEN=x", "helpers/mine.py": ANSWER,
    "docs/scale (1).md": ANSWER, "benchmarks/untitled.py": ANSWER,
    "docs/answers.md": ANSWER, "benchmarks/results-Copy1.json": ANSWER, "notebooks/solutions/pytorch/grades.ods": ANSWER, "grades.xlsx": "",
}  # fmt: skip
FIT = {"helpers/mine.py", "docs/answers.md"}  # no pattern tells them from ours, but git does


@pytest.fixture(scope="module", params=["git", "no git"])
def export(request, used, tmp_path_factory):
    """What the command for students printed in the used series, and the copy that it wrote; with git, and where git knows nothing."""
    if request.param == "no git":
        (used / ".git").rename(used / ".git-away")
    folder = tmp_path_factory.mktemp("export") / "copy"
    ((code, told, error),) = run_in(used, ("helpers.tools.students", folder))
    if request.param == "no git":
        (used / ".git-away").rename(used / ".git")
    assert code == 0, error
    return told, folder, FIT if request.param == "no git" else set()


def test_what_was_answered_and_saved_is_in_no_students_copy(export, copy):
    told, folder, fitting = export
    leaks = [path for path in folder.rglob("*") if path.is_file() and b"return 2 * w" in path.read_bytes()]
    assert {path.relative_to(folder).as_posix() for path in leaks} == fitting
    lesson = Path("notebooks", "pytorch", "01_data.ipynb")
    assert (folder / lesson).read_text() == (copy / lesson).read_text()
    assert "01_data.ipynb, cells that are not of the series: '1c0f2b7e', '3b241101" in told and "'exercise-mine'" in told


def test_what_is_not_of_the_series_is_named_and_is_in_no_students_copy(export, copy):
    told, folder, fitting = export
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there - {path.relative_to(copy).as_posix() for path in copy.rglob("*")} == fitting
    named = "01_data-Copy1.ipynb", "Untitled.ipynb", "15_mine.ipynb", "beyond/cut.ipynb", "grades.csv", "notebooks/old,", "helpers/other.py"
    assert [name for name in named if name not in told] == []
    assert not [name for name in ("__pycache__", "checkpoint", ".env", "grades.ods", "grades.xlsx", *fitting) if name in told]


@pytest.mark.parametrize("why", ["of another user", "beside a GIT_DIR"])
def test_git_is_asked_for_the_series_own_files_whoever_they_belong_to_and_wherever_git_is_at_work(why, used, tmp_path, monkeypatch):
    if why == "beside a GIT_DIR":  # as in a hook of another repository
        monkeypatch.setenv("GIT_DIR", str(tmp_path))
    elif os.geteuid():
        pytest.skip("only root can give files away")
    else:
        monkeypatch.setenv("HOME", str(tmp_path))  # no setting there trusts the folder
        os.chown(used, 65534, 65534)
        os.chown(used / ".git", 65534, 65534)
    code = "from helpers.tools.exports import ROOT, own_files; print(*[path.relative_to(ROOT).as_posix() for path in own_files()])"
    monkeypatch.setenv("PYTHONPATH", str(used))
    found = subprocess.check_output([sys.executable, "-c", code], cwd=used, text=True).split()
    assert "helpers/tools/exports.py" in found and not FIT & set(found)


def test_what_lies_beside_the_lessons_is_named_and_in_no_course_run_book_or_published_copy(used, tmp_path):
    course, runner, published = run_in(
        used,
        ("helpers.tools.students", tmp_path / "course", "--nbgrader"),
        ("helpers.tools.course", "--framework", "pytorch", "-p", "nothing", "1"),
        ("helpers.tools.twins", "publish", "https://example.org/series", tmp_path / "published"),
    )
    assert course[0] == 0 and "Left out, not of the series: " in course[1], course
    assert sorted(path.name for path in (tmp_path / "course" / "source").iterdir()) == [path.stem for path in lessons("pytorch")]
    assert "return 2 * w" not in (tmp_path / "course" / "source" / "01_data" / "01_data.ipynb").read_text()
    named = "notebooks/pytorch/01_data-Copy1.ipynb, notebooks/pytorch/Untitled.ipynb, notebooks/beyond/cut.ipynb"
    assert runner[1] == f"Left out, not of the series: {named}\n" and "no notebook has a parameter 'nothing'" in runner[2]
    places = {path.relative_to(tmp_path / "published") for path in (tmp_path / "published").rglob("*") if path.is_file()}
    assert published[0] == 0 and places == {path.relative_to(ROOT) for path in own_files()}, published
    script = "from book.pages import all_steps; print([step.name for step in all_steps()])"
    env = {**os.environ, "PYTHONPATH": str(used)}
    told = subprocess.run([sys.executable, "-c", script], cwd=used, stdout=subprocess.PIPE, text=True, env=env).stdout
    assert ast.literal_eval(told) == [path.stem for path in lessons("pytorch")]


def test_a_lesson_that_is_none_any_more_is_named_in_a_line_and_nothing_is_written(used, tmp_path):
    lesson = used / "notebooks" / "pytorch" / "03_skip_gram.ipynb"
    whole = lesson.read_bytes()
    try:
        lesson.write_bytes(b"")
        folder = tmp_path / "copy"
        calls = ("students", folder), ("students", folder, "--nbgrader"), ("course",)
        for code, _, error in run_in(used, *((f"helpers.tools.{name}", *call) for name, *call in calls), ("book.__main__",)):
            assert code == 1 and re.fullmatch(r"Error: .*03_skip_gram.ipynb is no notebook \(it is empty\).*\n", error), error
    finally:
        lesson.write_bytes(whole)
    assert not list(tmp_path.iterdir()) and not (used / "runs").exists()


NO_NOTEBOOKS = b"", b"[]", b"null", b'{"cells": [{"source": []}]}', b'{"cells": null}', b'{"cells": [', b"\xff\xfe", b"[" * 99_999


@pytest.mark.parametrize("text", NO_NOTEBOOKS, ids=range(len(NO_NOTEBOOKS)))
def test_a_file_that_holds_no_notebook_is_refused_in_a_line(text, tmp_path):
    (tmp_path / "a.ipynb").write_bytes(text)
    for name in ("a.ipynb", "missing.ipynb"):
        with pytest.raises(ValueError, match=f"{name} is no notebook .* take it out of the series again$"):
            read_notebook(tmp_path / name)


def test_a_lesson_whose_cells_lost_their_ids_is_refused(tmp_path):
    path = NOTEBOOKS / "pytorch" / "01_data.ipynb"
    notebook = read_notebook(path)
    for cell in notebook["cells"]:
        del cell["id"]
    write_notebook(tmp_path / "01_data.ipynb", notebook)
    with pytest.raises(ValueError, match="01_data.ipynb has none of its cells left"):
        as_asked(tmp_path / "01_data.ipynb", read_answers(path))


def test_the_stub_of_each_exercise_is_that_of_the_committed_notebook():
    for path in {path for framework in FRAMEWORKS for path in lessons(framework)}:
        asked = {cell["id"]: cell["text"] for cell in read_notebook(path)["cells"] if "exercise" in tags(cell)}
        assert {id_: answer.stub() for id_, answer in read_answers(path).items()} == asked


def first_two(lines):
    """The first two statements of a function's body."""
    return {ast.unparse(node) for node in ast.parse("\n".join(["def f():", *lines])).body[0].body[:2]}


def test_no_folded_cell_of_a_copy_shows_the_answer_to_an_exercise_and_what_stands_for_it_does_the_same():
    taken = set()
    for path in lessons("pytorch") + lessons("mxnet", beyond=False):
        answers = read_answers(path)
        notebook, left_out = as_asked(path, answers)
        assert left_out == []
        before, names = {cell["id"]: cell["text"] for cell in read_notebook(path)["cells"]}, {"np": np}
        for cell in notebook["cells"]:
            if not {CLEAR, FOLDED} & tags(cell):
                continue
            functions = [node for node in ast.parse(before[cell["id"]]).body if isinstance(node, ast.FunctionDef)]
            exec("\n".join(map(ast.unparse, functions)), names)
            statements = {ast.unparse(node) for node in ast.walk(ast.parse(cell["text"])) if isinstance(node, ast.stmt)}
            for answer in answers.values():
                shown = FOLDED in tags(cell) and first_two(answer.body) <= statements
                assert not shown or answer.number == "05.2", (path, cell["id"])
            if found := re.search(r'(\w+) = find\("(.*)"\).reference  # our answer', cell["text"]):
                assert [function.name for function in functions] == [found[1]] and cell["text"] != before[cell["id"]]
                assert fault_of(find(found[2]), names[found[1]], np.random.default_rng(5)) == "", found[2]
                taken.add(found[2])
    assert {"01.3", "02.1", "03.1", "04.1", "04.2", "04.3", "07.1", "07.2", "08.1"} == taken


def test_noise_words_of_a_copy_are_those_of_the_lesson():
    path = NOTEBOOKS / "pytorch" / "01_data.ipynb"
    (cell,) = [cell for cell in read_notebook(path)["cells"] if cell["id"] == "noise-for"]
    drawn = []
    for text in (cell["text"], students.NOISE_FOR):
        names = {}
        exec(text, names)
        drawn.append(names["noise_for"]([2, 4], np.array([0, 0.4, 0.1, 0.3, 0.1, 0.1]), 9, np.random.default_rng(5)))
    assert drawn[0] == drawn[1] and len(drawn[0]) == 18


@pytest.mark.parametrize("place", [".", "notebooks/students", "helpers/exercises/x/y", "copy"])
def test_a_copy_never_goes_into_the_series_itself_through_whatever_links(place, tmp_path):
    (tmp_path / "link").symlink_to(ROOT)
    for folder in (ROOT / place, tmp_path / "link" / place):
        done = student(folder)
        assert done.exit_code == 2 and "lies in the series" in done.stderr
    assert not (ROOT / "copy").exists() and not (NOTEBOOKS / "students").exists()


def test_a_copy_never_goes_into_a_folder_of_the_series_that_lies_elsewhere(used, tmp_path):
    (used / "notebooks").rename(tmp_path / "notebooks")
    (used / "notebooks").symlink_to(tmp_path / "notebooks")
    try:
        ((code, _, error),) = run_in(used, ("helpers.tools.students", tmp_path / "notebooks" / "students"))
        assert code == 2 and "lies in the series" in error
    finally:
        (used / "notebooks").unlink()
        (tmp_path / "notebooks").rename(used / "notebooks")


def stop(*_):
    raise KeyboardInterrupt


def run_out_of_space(*_):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("end", [stop, run_out_of_space, lambda *_: signal.raise_signal(signal.SIGTERM), lambda *_: signal.raise_signal(1)])
def test_a_copy_that_is_interrupted_leaves_nothing(end, tmp_path, monkeypatch, usual_signals):
    monkeypatch.setattr(students, "write_notebook", end)
    done = student(tmp_path / "new" / "copy")
    assert done.exit_code in (1, 129, 143) and isinstance(done.exception, SystemExit), done.exception
    assert not list(tmp_path.iterdir()) and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_appears_at_the_name_of_a_copy_meanwhile_stays(tmp_path, monkeypatch):
    def write(*_):
        (tmp_path / "copy").mkdir(exist_ok=True)
        (tmp_path / "copy" / "theirs").touch()

    monkeypatch.setattr(students, "write_notebook", write)
    done = student(tmp_path / "copy")
    assert done.exit_code == 1 and "was not written" in done.stderr
    assert [path.name for path in tmp_path.rglob("*")] == ["copy", "theirs"]


def test_a_copy_takes_an_empty_folder_as_it_is_and_else_is_as_any_new_folder(tmp_path, copy, monkeypatch):
    (tmp_path / "copy").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "copy")
    assert student(tmp_path / "link").exit_code == 0
    (tmp_path / "new").mkdir()
    assert (tmp_path / "copy").stat().st_mode & 0o777 == 0o700 and copy.stat().st_mode == (tmp_path / "new").stat().st_mode
    assert {path.name for path in tmp_path.iterdir()} == {"copy", "link", "new"}
    monkeypatch.chdir(tmp_path / "new")
    done = student(".")
    assert done.exit_code == 2 and "you stand in" in done.stderr and (tmp_path / "new").exists()
    (tmp_path / "file").write_text("theirs")
    done = student(tmp_path / "file" / "copy")
    assert done.exit_code == 1 and re.fullmatch("Error: .*file.* was not written\n", done.stderr)
    assert (tmp_path / "file").read_text() == "theirs"


def test_nbgraders_source_has_a_marked_solution_and_a_point_for_each_exercise():
    for framework in FRAMEWORKS:
        assert [path.name for path in lessons(framework)] == sorted({path.name for path in all_notebooks()})
        for path in lessons(framework):
            marks_each_exercise(for_nbgrader(path, framework)[0]["cells"], path, framework)


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
    assert done.exit_code == 0, done.stderr
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
