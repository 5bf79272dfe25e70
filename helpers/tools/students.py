"""Copies of the series to hand out, for students and for nbgrader: `python -m helpers.tools.students --help`."""

import ast
import re
import shutil

import click

from helpers.arguments import whole_file
from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, ROOT, lessons, read_notebook, tags
from helpers.tools.paths import OutsidePath
from helpers.tools.twins import BADGES, write_notebook

SOLUTIONS = NOTEBOOKS / "solutions"
TEACHERS_PART = re.compile("<!-- not for students -->.*?<!-- for students again -->\n|^make test .*?\n", re.DOTALL | re.MULTILINE)
NEEDED = (
    "README.md", "docs", "helpers", "benchmarks", "requirements.txt", "pyproject.toml", "environment.yml", "Makefile", "LICENSE",
    "CITATION.cff",
)  # fmt: skip
TEACHERS = "solutions", "TEACHING.md", ".ipynb_checkpoints", "__pycache__"
CONFIG = '''c = get_config()
c.CourseDirectory.course_id = "word2vec"
c.ClearSolutions.code_stub = {"python": "return ..."}
c.ExecutePreprocessor.timeout = 900  # seconds for a cell; training takes a minute on two cores
'''


def without_outputs(notebook):
    """Return a notebook as it is before its first run, without badges, which open one after it."""
    for cell in notebook["cells"]:
        cell["source"] = BADGES.sub("", cell["text"]).splitlines(keepends=True)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return notebook


def nbgrader_cell(cell, **role):
    """Return a cell with nbgrader's metadata: ordinary, but for what `role` says."""
    defaults = {"schema_version": 3, "grade_id": cell["id"], "grade": False, "solution": False, "locked": False, "task": False}
    return {**cell, "metadata": {**cell["metadata"], "nbgrader": {**defaults, **role}}}


def graded(cell, solution):
    """Return the two cells that nbgrader wants for an exercise: the function with its marked solution, and its check.

    `solution` is the exercise's cell in the notebook of solutions. The function's body is what students don't get.
    """
    tree, lines = ast.parse(solution["text"]), solution["text"].splitlines()
    function, call = tree.body
    body = lines[function.body[0].lineno - 1 : function.end_lineno]
    marked = [*lines[: function.body[0].lineno - 1], "    ### BEGIN SOLUTION", *body, "    ### END SOLUTION"]
    answer = {**cell, "source": "\n".join(marked).splitlines(keepends=True)}
    test = {**cell, "id": cell["id"].replace("exercise-", "check-"), "source": [ast.unparse(call)]}
    return nbgrader_cell(answer, solution=True), nbgrader_cell(test, grade=True, locked=True, points=1)


def for_nbgrader(path, framework):
    """Return a step's notebook as nbgrader's source: with solutions, a point for each exercise, and no outputs."""
    solutions = {cell["id"]: cell for cell in read_notebook(SOLUTIONS / framework / path.name)["cells"]}
    notebook = without_outputs(read_notebook(path))
    cells = []
    for cell in notebook["cells"]:
        if "parameters" in tags(cell):
            cell["source"] = [cell["text"].replace('framework = "pytorch"', f'framework = "{framework}"')]
        cells += graded(cell, solutions[cell["id"]]) if "exercise" in tags(cell) else [cell]
    return {**notebook, "cells": cells}


def copy_needed(out):
    """Copy what the notebooks need to run into the folder `out`."""
    for name in NEEDED:
        source, target = ROOT / name, out / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for page in (out / "README.md", *(out / "docs").glob("*.md")):
        page.write_text(TEACHERS_PART.sub("", BADGES.sub("", page.read_text(encoding="utf-8"))), encoding="utf-8")


def write_student_copy(out):
    """Write a student's copy: all notebooks before their first run, without solutions, and what they need to run."""
    copy_needed(out)
    shutil.copytree(NOTEBOOKS, out / "notebooks", ignore=shutil.ignore_patterns(*TEACHERS))
    for path in sorted((out / "notebooks").rglob("*.ipynb")):
        write_notebook(path, without_outputs(read_notebook(path)))


def write_nbgrader_course(out, framework):
    """Write a course folder for nbgrader: `source/STEP/STEP.ipynb` for each step, its settings, and what notebooks need."""
    copy_needed(out)
    for path in lessons(framework):
        target = out / "source" / path.stem / path.name
        target.parent.mkdir(parents=True)
        write_notebook(target, for_nbgrader(path, framework))
    with whole_file(out / "nbgrader_config.py") as temporary:
        temporary.write_text(CONFIG, encoding="utf-8")


@click.command(context_settings={"max_content_width": 100})
@click.argument("out", metavar="DIR", type=OutsidePath(file_okay=False))
@click.option("--nbgrader", is_flag=True, help="A course folder for nbgrader, with solutions that it takes out itself.")
@click.option("--framework", type=click.Choice(FRAMEWORKS), default="pytorch", show_default=True, help="The variant that nbgrader gets.")
def main(out, nbgrader, framework):
    """Write a student's copy of the series to DIR: no outputs, no solutions, empty answers.

    Students can still read helpers/exercises, which holds what answers are compared with.
    """
    if ROOT in out.resolve().parents or out.resolve() == ROOT:
        raise click.UsageError(f"{out} lies in the series, whose copy it would be: name a folder elsewhere")
    if out.exists() and any(out.iterdir()):
        raise click.UsageError(f"{out} is not empty; name a new folder")
    out.mkdir(parents=True, exist_ok=True)
    if nbgrader:
        write_nbgrader_course(out, framework)
        click.echo(f"nbgrader's course: {out}; there, `nbgrader generate_assignment 01_data` takes the solutions out of step 1")
    else:
        write_student_copy(out)
        click.echo(f"students' copy: {out}; there, `make lab` sets up and opens it")


if __name__ == "__main__":
    main()
