"""Copies of the series to hand out, for students and for nbgrader: `python -m helpers.tools.students --help`."""

import ast
import re

import click

from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, defined_names, lessons, read_notebook, solutions_of, tags, told_left_out
from helpers.tools.exports import copy_own, whole_folder
from helpers.tools.paths import OutsidePath
from helpers.tools.twins import BADGES, FOLDED, write_notebook

TEACHERS_PART = re.compile("<!-- not for students -->.*?<!-- for students again -->\n|^make test .*?\n", re.DOTALL | re.MULTILINE)
NEEDED = (
    "README.md", "docs", "helpers", "benchmarks", "requirements.txt", "pyproject.toml", "environment.yml", "Makefile", "LICENSE",
    "CITATION.cff",
)  # fmt: skip
TEACHERS = "solutions", "TEACHING.md"
OWN_ID = re.compile("[a-z]+(-[a-z]+)*")  # an editor's ids have digits
CELL_METADATA = "tags", "jupyter"
METADATA = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}, "language_info": {"name": "python"}}
NOISE_FOR = '''from helpers.exercises import find


def noise_for(context_ids, probability, num_noise_words, rng):
    chances = find("01.2").reference(probability, context_ids)  # (V,), our answer
    size = num_noise_words * len(context_ids)
    return rng.choice(len(chances), size, p=chances).tolist()'''
CONFIG = '''c = get_config()
c.CourseDirectory.course_id = "word2vec"
c.ClearSolutions.code_stub = {"python": "return ..."}
c.ExecutePreprocessor.timeout = 900  # seconds for a cell; training takes a minute on two cores
'''


class Answer:
    """An exercise in a notebook of solutions: number, name of its function, check, and the lines before, in and after its body."""

    def __init__(self, cell, path):
        try:
            function, call = ast.parse(cell["text"]).body
            self.name, check = function.name, call.value
            self.number, self.check = check.args[0].value, ast.unparse(call)
        except (SyntaxError, ValueError, AttributeError, IndexError) as error:
            raise ValueError(f"{path}: the cell {cell['id']} must hold a function and its check, and nothing else") from error
        lines, start = cell["text"].splitlines(), function.body[0].lineno - 1
        self.head, self.body, self.tail = lines[:start], lines[start : function.end_lineno], lines[function.end_lineno :]

    def stub(self):
        """Return the text of the exercise as it is asked."""
        return "\n".join([*self.head, "    return ...", *self.tail])


def read_answers(path):
    """Return the Answers of a notebook's exercises by their cells' ids."""
    path = solutions_of(path)
    return {cell["id"]: Answer(cell, path) for cell in read_notebook(path)["cells"] if "exercise" in tags(cell)}


def without_answer(cell, answers):
    """Return a cell's text, with our answer to an exercise, which a folded cell shows where it is used, taken from helpers.

    05.2 stays: its lines stand in the text above it and in the training loop, which is taught.
    """
    if cell["id"] == "noise-for":  # the answer is a part of it
        return NOISE_FOR
    numbers = {answer.name: answer.number for answer in answers.values()}
    for name in (defined_names(cell) & numbers.keys()) if FOLDED in tags(cell) else ():
        return f'from helpers.exercises import find\n\n{name} = find("{numbers[name]}").reference  # our answer'
    return cell["text"]


def as_asked(path, answers):
    """Return a step's notebook as it is before its first run, and the ids of the cells left out of it.

    Exercises are as they are asked, whatever was written there, and no cell is left that an editor added. Badges, which open a
    notebook after its first run, outputs, and what an editor notes down go too.
    """
    notebook, cells, left_out = read_notebook(path), {}, []
    for cell in notebook["cells"]:
        id_ = str(cell.get("id", "a cell without an id"))
        unknown = "exercise" in tags(cell) and id_ not in answers
        if id_ in cells or unknown or not OWN_ID.fullmatch(id_):
            left_out.append(id_)
            continue
        metadata = {name: value for name, value in cell["metadata"].items() if name in CELL_METADATA}
        if id_ in answers:
            kind, metadata, text = "code", {"tags": ["exercise"]}, answers[id_].stub()
        else:
            kind, text = cell["cell_type"], BADGES.sub("", without_answer(cell, answers))
        cells[id_] = {"id": id_, "cell_type": kind, "metadata": metadata, "text": text, "source": text.splitlines(keepends=True)}
        if kind == "code":
            cells[id_] |= {"outputs": [], "execution_count": None}
        elif "attachments" in cell:
            cells[id_]["attachments"] = cell["attachments"]
    if not cells:
        raise ValueError(f"{path} has none of its cells left (an older Jupyter drops their ids): take it out of the series again")
    return {**notebook, "metadata": METADATA, "cells": list(cells.values())}, left_out


def nbgrader_cell(cell, **role):
    """Return a cell with nbgrader's metadata: ordinary, but for what `role` says."""
    defaults = {"schema_version": 3, "grade_id": cell["id"], "grade": False, "solution": False, "locked": False, "task": False}
    return {**cell, "metadata": {**cell["metadata"], "nbgrader": {**defaults, **role}}}


def graded(cell, answer):
    """Return the two cells that nbgrader wants for an exercise: the function with its marked solution, and its check.

    The function's body is what students don't get.
    """
    marked = [*answer.head, "    ### BEGIN SOLUTION", *answer.body, "    ### END SOLUTION"]
    test = {**cell, "id": cell["id"].replace("exercise-", "check-"), "source": [answer.check]}
    cell = {**cell, "source": "\n".join(marked).splitlines(keepends=True)}
    return nbgrader_cell(cell, solution=True), nbgrader_cell(test, grade=True, locked=True, points=1)


def for_nbgrader(path, framework):
    """Return a step's notebook as nbgrader's source, with solutions and a point for each exercise, and the ids of the cells left out."""
    answers = read_answers(path)
    notebook, left_out = as_asked(path, answers)
    cells = []
    for cell in notebook["cells"]:
        if "parameters" in tags(cell):
            cell["source"] = [cell["text"].replace('framework = "pytorch"', f'framework = "{framework}"')]
        cells += graded(cell, answers[cell["id"]]) if cell["id"] in answers else [cell]
    return {**notebook, "cells": cells}, left_out


def copy_needed(out, wanted):
    """Copy what the notebooks need to run, and places in the series that are `wanted`, into a folder; returns lines on what is left out."""
    left_out = copy_own(out, lambda place: place.parts[0] in NEEDED or wanted(place))
    for page in (out / "README.md", *(out / "docs").glob("*.md")):
        page.write_text(TEACHERS_PART.sub("", BADGES.sub("", page.read_text(encoding="utf-8"))), encoding="utf-8")
    return [told_left_out(left_out)] if left_out else []


def told_cells(path, ids):
    """Say in a list of at most one line that cells of a notebook are left out."""
    place = path.relative_to(NOTEBOOKS.parent).as_posix()
    return [f"Left out of {place}, cells that are not of the series: {', '.join(map(ascii, ids))}"] if ids else []


def write_student_copy(out):
    """Write a student's copy: all notebooks before their first run, without solutions, and what they need; returns lines to tell."""
    lines = copy_needed(out, lambda place: place.parts[0] == NOTEBOOKS.name and place.parts[1] not in TEACHERS)
    for framework in FRAMEWORKS:
        for path in lessons(framework, beyond=framework == FRAMEWORKS[0]):
            notebook, left_out = as_asked(path, read_answers(path))
            write_notebook(out / path.relative_to(NOTEBOOKS.parent), notebook)
            lines += told_cells(path, left_out)
    return lines


def write_nbgrader_course(out, framework):
    """Write a course for nbgrader: `source/STEP/STEP.ipynb` for each step, settings, and what notebooks need; returns lines to tell."""
    lines = copy_needed(out, lambda place: False)
    for path in lessons(framework):
        notebook, left_out = for_nbgrader(path, framework)
        write_notebook(out / "source" / path.stem / path.name, notebook)
        lines += told_cells(path, left_out)
    (out / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    return lines


@click.command(context_settings={"max_content_width": 100})
@click.argument("out", metavar="DIR", type=OutsidePath(file_okay=False))
@click.option("--nbgrader", is_flag=True, help="A course folder for nbgrader, with solutions that it takes out itself.")
@click.option("--framework", type=click.Choice(FRAMEWORKS), default="pytorch", show_default=True, help="The variant that nbgrader gets.")
def main(out, nbgrader, framework):
    """Write a student's copy of the series to DIR: no outputs, no solutions, empty answers.

    Students can still read helpers/exercises, which holds what answers are compared with. What is not of the series is left out.
    """
    with whole_folder(out) as folder:
        lines = write_nbgrader_course(folder, framework) if nbgrader else write_student_copy(folder)
    for line in lines:
        click.echo(line)
    if nbgrader:
        click.echo(f"nbgrader's course: {out}; there, `nbgrader generate_assignment 01_data` takes the solutions out of step 1")
    else:
        click.echo(f"students' copy: {out}; there, `make lab` sets up and opens it")


if __name__ == "__main__":
    main()
