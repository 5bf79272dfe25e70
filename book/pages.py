"""The book's pages, written from the committed notebooks: one per step with both frameworks in tabs, one per exercise.

A cell that both variants share stands once, any other in a tab for each framework; the cells' ids say which is which.
"""

import base64
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from book.play_text import PAGE, press_play
from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, ROOT, TITLES, lessons, read_notebook, tags
from helpers.exercises import find
from helpers.figures import SUMMARY
from helpers.tools.twins import FOLDED, framework_of, name_of, variants

LEFT_OUT = "links", "exercises-import"  # the book has its own links, and nothing to import
HEAD = "set-up", "imports"
DOCS = "vectors", "scale", "results", "machines", "glossary"
TEXTS = {
    **{ROOT / "docs" / f"{name}.md": name for name in DOCS}, NOTEBOOKS / "TEACHING.md": "teaching",
    ROOT / "CONTRIBUTING.md": "contributing", ROOT / "CHANGELOG.md": "changes",
}  # fmt: skip
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
EXERCISE = re.compile(r"\*\*(\d\d\.\d+)\*\* (.+?[.?:])\s")  # its number and its title, a sentence


class Step(NamedTuple):
    """A step's notebooks and those of its solutions, {framework: path}; a notebook without variants stands for all frameworks."""

    name: str
    lesson: dict
    solutions: dict


def all_steps():
    """Return all Steps in their order."""
    found = {framework: {path.stem: path for path in lessons(framework)} for framework in FRAMEWORKS}
    names = list(found[FRAMEWORKS[0]])
    solutions = {name: dict(zip(FRAMEWORKS, variants(f"solutions/{name}.ipynb"))) for name in names}
    return [Step(name, {framework: paths[name] for framework, paths in found.items()}, solutions[name]) for name in names]


def page_of(path):
    """Return the page, without its suffix, that shows a file of the repository, or None."""
    if path.suffix == ".ipynb" and path.is_relative_to(NOTEBOOKS):
        return f"exercises/{path.stem}" if "solutions" in path.parts else f"steps/{path.stem}"
    return {ROOT / "README.md": "index", **TEXTS}.get(path)


def fence(text, language):
    """Return text as a block of code; `text` stands for output."""
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    if language == "text":
        return f"{ticks}{{code-block}} text\n:class: output\n\n{text.rstrip()}\n{ticks}"
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def fold(title, text):
    """Return text behind a title that opens it."""
    colons = ":" * (1 + longest_colons(text))
    return f"{colons}{{dropdown}} {title}\n{text}\n{colons}"


def tabs(texts):
    """Return a tab for each framework, in step with all other tabs of the book."""
    colons = ":" * (1 + max(map(longest_colons, texts.values())))
    heads = {name: f"{colons}{{tab-item}} {TITLES[name]}\n:sync: {name}" for name in texts}
    items = [f"{heads[name]}\n\n{text or 'Nothing to do here.'}\n{colons}" for name, text in texts.items()]
    return "\n".join([f"{colons}:{{tab-set}}", ":sync-group: framework", "", *items, f"{colons}:"])


def longest_colons(text):
    return max(map(len, re.findall(r"^:{3,}", text, re.MULTILINE)), default=2)


class Page:
    """A page as it is written, block by block: a text, or {framework: text} for tabs."""

    def __init__(self, folder, name):
        self.folder, self.name, self.blocks = folder, name, []

    def add(self, text):
        self.blocks.append(text)

    def add_tabs(self, texts):
        """Add what differs; what stands right after other tabs joins them."""
        if self.blocks and isinstance(self.blocks[-1], dict):
            self.blocks[-1] = {name: "\n\n".join(filter(None, (self.blocks[-1][name], texts[name]))) for name in texts}
        else:
            self.blocks.append(texts)

    def linked(self, text, source):
        """Return Markdown with relative links that lead from this page to where they led from `source`."""

        def led(match):
            target, _, place = match[2].partition("#")
            path = (Path(source).parent / target).resolve()
            if "://" in target or not target:
                return match[0]
            if page_of(path):
                target = os.path.relpath(page_of(path), Path(self.name).parent) + ".md"
                return f"{match[1]}{target}{'#' + place if place else ''}{match[3]}"
            if path.is_dir():
                return match[1][1:-2]  # a folder is no page
            return f"{match[1]}{os.path.relpath(path, (self.folder / self.name).parent)}{match[3]}"

        # what stands between backticks is no link
        return "".join(part if number % 2 else LINK.sub(led, part) for number, part in enumerate(re.split(r"(`+[^`]+`+)", text)))

    def output(self, cell, path):
        """Return what a code cell of the notebook `path` shows; a figure's description, which is printed, becomes its caption."""
        parts, captions = [], set()
        for number, output in enumerate(cell["outputs"]):
            data = {kind: "".join(value) for kind, value in output.get("data", {}).items() if kind != SUMMARY}
            if "image/png" in data:
                alt = output["metadata"]["image/png"]["alt"]
                image = Path("images", f"{path.parent.name}-{path.stem}-{cell['id']}-{number}.png")
                (self.folder / image.parent).mkdir(exist_ok=True)
                (self.folder / image).write_bytes(base64.b64decode(data["image/png"]))
                captions.add(alt)
                parts.append(f"```{{figure}} /{image.as_posix()}\n:alt: {alt}\n\n{alt}\n```")
            elif "text/html" in data:
                parts.append(f"```{{raw}} html\n{data['text/html']}\n```")
            elif "text/markdown" in data:
                parts.append(data["text/markdown"])
            else:
                lines = "".join(output.get("text") or data["text/plain"]).rstrip().split("\n")
                left = [line for line in lines if line not in captions]
                parts += [fence("\n".join(left), "text")] if left else []
        return "\n\n".join(parts)

    def cell(self, cell, path):
        """Return a cell of the notebook `path` as Markdown; what a folded cell shows stays in sight."""
        if cell["cell_type"] == "markdown":
            return self.linked(cell["text"], path)
        code = fence(cell["text"], "python")
        if FOLDED in tags(cell):
            code = fold("The code of this cell", code)
        return "\n\n".join(filter(None, (code, self.output(cell, path))))

    def add_cells(self, cells, paths):
        """Add a cell, given in each framework's variant, once where it is shared and else in tabs."""
        one, other = (cells[name] for name in FRAMEWORKS)
        if one["text"] == other["text"] and one.get("outputs") == other.get("outputs"):
            text = self.cell(one, paths[FRAMEWORKS[0]])
            titles = {"set-up": "The cell that finds the code of this series", "imports": "What is imported"}
            title = titles.get(name_of(one))
            self.add(fold(title, text) if title else text)
            return
        if framework_of(one) is None:
            code = fence(one["text"], "python")
            self.add(fold("The code of this cell", code) if FOLDED in tags(one) else code)
            self.add_tabs({name: self.output(cell, paths[name]) for name, cell in cells.items()})
            return
        texts = {name: self.cell(cell, paths[name]) for name, cell in cells.items()}
        heading = re.match(r"#+ .*\n*", texts[FRAMEWORKS[0]])
        if heading:  # a heading can't stand in a tab
            self.add(heading[0])
            texts = {name: text.removeprefix(heading[0]) for name, text in texts.items()}
        if name_of(one) in HEAD:
            self.add(fold("What is imported", tabs(texts)))
        else:
            self.add_tabs(texts)

    def text(self):
        return "\n\n".join(tabs(block) if isinstance(block, dict) else block for block in self.blocks)

    def write(self):
        path = self.folder / f"{self.name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text() + "\n", encoding="utf-8")


def in_step(paths):
    """Yield {framework: cell} for the cells of a notebook's variants, side by side. Execution counts are dropped."""
    notebooks = {name: read_notebook(path)["cells"] for name, path in paths.items()}
    for cells in zip(*notebooks.values(), strict=True):
        for output in (output for cell in cells for output in cell.get("outputs", ())):
            output.pop("execution_count", None)
        yield dict(zip(notebooks, cells))


def exercises_of(step):
    """Return {number: (title, name, cells)} of a step's exercises, cells as `in_step` gives them, from its solutions."""
    found = {}
    for cells in in_step(step.solutions):
        cell = cells[FRAMEWORKS[0]]
        named = EXERCISE.match(cell["text"]) if cell["cell_type"] == "markdown" else None
        if named:
            name = name_of(cell).removeprefix("exercise-").removesuffix("-prose")
            found[named[1]] = f"{named[1]} {named[2].rstrip('.:')}", name, []
        if found and not name_of(cell).startswith("tries"):
            found[list(found)[-1]][2].append(cells)
    return found


def write_step(folder, step, exercises):
    """Write a step's page, with links to its exercises, which are as `exercises_of` gives them."""
    page = Page(folder, f"steps/{step.name}")
    numbers = {f"exercise-{name}": number for number, (_, name, _) in exercises.items()}
    notebooks = dict.fromkeys(step.lesson.values())
    for cells in in_step(step.lesson):
        cell = cells[FRAMEWORKS[0]]
        exercise = numbers.get(name_of(cell))
        if name_of(cell) in LEFT_OUT:
            continue
        if exercise:
            page.add_cells({name: {**cell, "outputs": []} for name, cell in cells.items()}, step.lesson)
            page.add(f"[Hints and solution of {exercise}](../exercises/{exercise}.md)")
        else:
            page.add_cells(cells, step.lesson)
        if cell["id"] == "title":
            kept = [f"[{path.parent.name}/{path.name}]({os.path.relpath(path, folder / 'steps')})" for path in notebooks]
            page.add(f"To run it, take the {'notebooks' if len(kept) > 1 else 'notebook'}: {', '.join(kept)}.")
    if step.name == "05_training":
        page.add("## Press play: the same in your browser")
        page.add(press_play("../"))
    page.write()


def write_exercises(folder, step, title, exercises):
    """Write a page for each exercise of a step, and one that lists them and tells what the step's tries show."""
    overview = Page(folder, f"exercises/{step.name}")
    overview.add(f"# Exercises of {title}")
    overview.add(f"They stand in [the step](../steps/{step.name}.md), whose notebook checks your answers.")
    overview.add("\n".join(["```{toctree}", ":maxdepth: 1", "", *exercises, "```"]))
    asked = {name_of(cells[FRAMEWORKS[0]]): cells for cells in in_step(step.lesson)}
    for number, (heading, name, cells) in exercises.items():
        page, solution = Page(folder, f"exercises/{number}"), Page(folder, f"exercises/{number}")
        page.add(f"# {heading}")
        question, answer, *rest = cells
        for cell in question.values():
            cell["text"] = EXERCISE.sub("", cell["text"], count=1).strip()  # the number is in the title
        page.add_cells(question, step.solutions)
        stub = asked[f"exercise-{name}"]
        page.add_cells({framework: {**cell, "outputs": []} for framework, cell in stub.items()}, step.lesson)
        for text, hint in zip(("A hint", "Another hint"), find(number).hints, strict=True):
            page.add(fold(text, hint))
        for part in (answer, *rest):
            solution.add_cells(part, step.solutions)
        page.add(fold("The solution", solution.text()))
        page.add(f"Back to [{title}](../steps/{step.name}.md).")
        page.write()
    tries = [cells for cells in in_step(step.solutions) if name_of(cells[FRAMEWORKS[0]]).startswith("tries")]
    for cells in tries:
        overview.add_cells(cells, step.solutions)
    overview.write()


def readme_parts():
    """Return the README's text above its first section, and {heading: text} of its sections."""
    first, *sections = re.split(r"^## ", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return first, dict(section.split("\n", 1) for section in sections)


def write_pages(folder):
    """Write all pages of the book into the folder, which is emptied first; returns their number."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    steps = all_steps()
    first, sections = readme_parts()
    rows = [[part.strip() for part in row.split("|")[1:4]] for row in sections["The steps"].splitlines() if re.match(r"\| \d", row)]
    for step, (title, *_) in zip(steps, rows, strict=True):
        exercises = exercises_of(step)
        write_step(folder, step, exercises)
        write_exercises(folder, step, title, exercises)
    ways = Page(folder, "run")
    ways.add("# Run it yourself")
    for heading, text in sections.items():
        if heading != "The steps":
            ways.add(ways.linked(f"## {heading}\n{text}", ROOT / "README.md"))
    ways.write()
    for path, name in TEXTS.items():
        page = Page(folder, name)
        page.add(page.linked(path.read_text(encoding="utf-8"), path))
        page.write()
    play = Page(folder, "play")
    play.add(PAGE)
    play.add(press_play(""))
    play.write()
    index = Page(folder, "index")
    index.add(index.linked(first, ROOT / "README.md"))
    index.add("## Press play: words find their places")
    index.add(press_play(""))
    index.add("## The steps")
    table = [f"| [{title}](steps/{step.name}.md) | {learned} | {minutes} |" for step, (title, learned, minutes) in zip(steps, rows)]
    index.add("\n".join(["| step | what you learn | minutes: reading + exercises |", "|---|---|---|", *table]))
    index.add("Where the two frameworks differ, a page has a tab for each. What you choose once is chosen on all pages.")
    for caption, names in (
        ("The six steps", [f"steps/{step.name}" for step in steps[:6]]),
        ("What comes next", [f"steps/{step.name}" for step in steps[6:]]),
        ("Exercises", [f"{title} <exercises/{step.name}>" for step, (title, *_) in zip(steps, rows)]),
        ("More", ["play", "run", *TEXTS.values()]),
    ):
        index.add("\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```"]))
    index.write()
    return len(list(folder.rglob("*.md")))
