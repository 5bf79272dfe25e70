"""The book's pages, written from the committed notebooks: one per step, with both frameworks and with its exercises.

A cell that both variants share stands once, any other in a block for each framework; the cells' ids say which is which.
"""

import base64
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from book.play_text import PAGE, press_play
from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, ROOT, known_parameters, lessons, read_notebook, solutions_of, tags
from helpers.exercises import find
from helpers.figures import SUMMARY
from helpers.tools.students import write_student_copy
from helpers.tools.twins import CLEAR, FOLDED, TEACHES, framework_of, heading_of, name_of

LEFT_OUT = ("exercises-import",)  # a page has nothing to import
TRIES = "tries"
DOCS = "vectors", "scale", "results", "machines", "glossary"
TEXTS = {
    **{ROOT / "docs" / f"{name}.md": name for name in DOCS}, NOTEBOOKS / "TEACHING.md": "teaching",
    ROOT / "CONTRIBUTING.md": "contributing", ROOT / "CHANGELOG.md": "changes",
}  # fmt: skip
COPY = "word2vec"  # the name of the students' copy that can be downloaded, and of its folder
LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s]+)(\))")
EXERCISE = re.compile(r"\*\*(\d\d\.\d+)\*\* (.+?[.?:])\s")  # its number and its title, a sentence
EFFORT = re.compile(r"\(((?:optional, )?(\d+) minutes, difficulty \d of 3)\)")
COST = re.compile(r"The notebook runs in .* of memory\.")
NEXT = re.compile(r"^Next: .*?\)( or \[\w+\]\(.*?\))?(\. |\.?$)(All steps: .*)?", re.MULTILINE)  # the theme has its own
TERM = re.compile(r"^\* \*\*(.+?)\*\*(?: \((.+?)\))?: .*\*Steps? (\d+)", re.MULTILINE)  # in the glossary: names, step
GUESS = "Your guess first, then open."


class Step(NamedTuple):
    """A step's notebooks, {framework: path}; a notebook without variants stands for all frameworks."""

    name: str
    lesson: dict

    @property
    def solutions(self):
        """The notebooks of its solutions, in the same way."""
        return {framework: solutions_of(path) for framework, path in self.lesson.items()}


class Exercise(NamedTuple):
    """An exercise: title, section that it stands in, effort in words, minutes; cells and lists of cells as `in_step` gives them."""

    title: str
    section: str
    effort: str
    minutes: int
    question: dict
    stub: dict
    solution: list


def all_steps():
    """Return all Steps in their order."""
    found = {framework: {path.stem: path for path in lessons(framework)} for framework in FRAMEWORKS}
    return [Step(name, {framework: paths[name] for framework, paths in found.items()}) for name in found[FRAMEWORKS[0]]]


def page_of(path):
    """Return the page, without its suffix, that shows a file of the repository, or None."""
    if path.suffix == ".ipynb" and path.is_relative_to(NOTEBOOKS):
        return f"steps/{path.stem}"
    return {ROOT / "README.md": "index", **TEXTS}.get(path)


def anchor_of(number):
    """Return the anchor of an exercise such as 04.3."""
    return f"exercise-{number.replace('.', '-')}"


def fence(text, language):
    """Return text as a block of code; `text` stands for output."""
    ticks = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    if language == "text":
        return f"{ticks}{{code-block}} text\n:class: output\n\n{text.rstrip()}\n{ticks}"
    return f"{ticks}{language}\n{text.rstrip()}\n{ticks}"


def fold(title, text):
    """Return text behind a title that opens it."""
    return f'<details class="fold">\n<summary>{title}</summary>\n\n{text}\n\n</details>'


def blocks(texts):
    """Return a block for each framework; the switch in the page's header shows one of them."""
    return "\n\n".join(f'<div class="framework {name}">\n\n{text or "Nothing to do here."}\n\n</div>' for name, text in texts.items())


def shows_a_figure(cell):
    """Say whether a code cell shows a figure and nothing else, and is not taught."""
    outputs = cell["outputs"]
    captions = {output["metadata"]["image/png"]["alt"] for output in outputs if "image/png" in output.get("data", {})}
    printed = "".join("".join(output.get("text", "")) for output in outputs).splitlines()
    return bool(captions) and captions.issuperset(printed) and not tags(cell) & {TEACHES, CLEAR}


class Page:
    """A page as it is written, block by block: a text, or {framework: text} where the frameworks differ."""

    def __init__(self, folder, name):
        self.folder, self.name, self.blocks = folder, name, []
        self.guess = False  # whether the text above asks for a prediction

    def add(self, text):
        self.blocks.append(text)

    def add_each(self, texts):
        """Add what differs; what stands right after other such text joins it."""
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
        parts = re.split(r"(`+[^`]+`+)", text)
        return "".join(part if number % 2 else LINK.sub(led, part).replace(" %", "\u00a0%") for number, part in enumerate(parts))

    def output(self, cell, path):
        """Return what a code cell of the notebook `path` shows; a figure's description, which is printed, becomes its caption."""
        parts, captions = [], set()
        for number, output in enumerate(cell["outputs"]):
            data = {kind: "".join(value) for kind, value in output.get("data", {}).items() if kind != SUMMARY}
            if "image/png" in data:
                alt, width = map(output["metadata"]["image/png"].get, ("alt", "width"))
                image = Path("images", f"{path.parent.name}-{path.stem}-{cell['id']}-{number}.png")
                (self.folder / image.parent).mkdir(exist_ok=True)
                (self.folder / image).write_bytes(base64.b64decode(data["image/png"]))
                captions.add(alt)
                # with a width, Sphinx links the figure to its file, which is sharper
                parts.append(f"```{{figure}} /{image.as_posix()}\n:alt: {alt}\n:width: {width}px\n\n{alt}\n```")
            elif "text/html" in data:
                parts.append(f"```{{raw}} html\n{data['text/html']}\n```")
            elif "text/markdown" in data:
                parts.append(data["text/markdown"])
            else:
                lines = "".join(output.get("text") or data["text/plain"]).rstrip().split("\n")
                left = [line for line in lines if line not in captions]
                parts += [fence("\n".join(left), "text")] if left else []
        text = "\n\n".join(parts)
        return fold(GUESS, text) if text and self.guess else text

    def code(self, cell):
        """Return the source of a code cell; what is not there to be read at once is folded."""
        code = fence(cell["text"], "python")
        if FOLDED in tags(cell):
            return fold("The code of this cell", code)
        return fold("The code of this figure", code) if shows_a_figure(cell) else code

    def cell(self, cell, path):
        """Return a cell of the notebook `path` as Markdown."""
        if cell["cell_type"] == "markdown":
            return self.linked(cell["text"], path)
        return "\n\n".join(filter(None, (self.code(cell), self.output(cell, path))))

    def add_cells(self, cells, paths):
        """Add a cell, given in each framework's variant, once where it is shared and else for each framework."""
        one, other = (cells[name] for name in FRAMEWORKS)
        if one["cell_type"] == "markdown":
            self.guess = bool(re.search(r"\bPredict\b", one["text"]))
        if one["text"] == other["text"] and one.get("outputs") == other.get("outputs"):
            self.add(self.cell(one, paths[FRAMEWORKS[0]]))
        elif framework_of(one) is None:
            self.add(self.code(one))
            self.add_each({name: self.output(cell, paths[name]) for name, cell in cells.items()})
        else:
            texts = {name: self.cell(cell, paths[name]) for name, cell in cells.items()}
            if heading := heading_of(one):  # the same in both; it can't stand in a block
                self.add(heading)
                texts = {name: without_heading(text) for name, text in texts.items()}
            self.add_each(texts)

    def add_all(self, title, parts, paths):
        """Add a fold of cells."""
        inner = Page(self.folder, self.name)
        for cells in parts:
            inner.add_cells(cells, paths)
        self.add(fold(title, inner.text()))

    def text(self):
        return "\n\n".join(blocks(block) if isinstance(block, dict) else block for block in self.blocks)

    def write(self):
        path = self.folder / f"{self.name}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.text() + "\n", encoding="utf-8")


def in_step(paths):
    """Return [{framework: cell}] for the cells of a notebook's variants, side by side. Execution counts are dropped."""
    notebooks = {name: read_notebook(path)["cells"] for name, path in paths.items()}
    for output in (output for cells in notebooks.values() for cell in cells for output in cell.get("outputs", ())):
        output.pop("execution_count", None)
    return [dict(zip(notebooks, cells)) for cells in zip(*notebooks.values(), strict=True)]


def name_in_both(cells):
    return name_of(cells[FRAMEWORKS[0]])


def rewritten(cells, change):
    """Return a cell in its variants with a changed text."""
    return {framework: {**cell, "text": change(cell["text"])} for framework, cell in cells.items()}


def exercises_of(step):
    """Return {number: Exercise} of a step, from its lesson, which asks, and its solutions, which answer."""
    answers, found, section = {}, {}, ""
    for cells in in_step(step.solutions):
        text = cells[FRAMEWORKS[0]]["text"]
        if named := EXERCISE.match(text):
            answers[named[1]] = []
        elif answers and not name_in_both(cells).startswith(TRIES):
            answers[list(answers)[-1]].append(cells)
    lesson = in_step(step.lesson)
    for cells, stub in zip(lesson, lesson[1:]):
        text = cells[FRAMEWORKS[0]]["text"]
        if heading := re.match(r"##+ (.+)", text):
            section = heading[1]
        if named := EXERCISE.match(text):
            number, title = named[1], named[2].rstrip(".:")
            effort, minutes = EFFORT.search(text).groups()
            question = rewritten(cells, lambda text: EXERCISE.sub("", text, count=1))
            stub = {framework: {**cell, "outputs": []} for framework, cell in stub.items()}
            found[number] = Exercise(title, section, effort, int(minutes), question, stub, answers[number])
    return found


def add_exercise(page, number, exercise, step):
    """Add an exercise with its hints and its solution behind folds."""
    page.add(f'<section class="exercise">\n\n({anchor_of(number)})=\n**Exercise {number}: {exercise.title}**')
    page.add_cells(exercise.question, step.lesson)
    page.add_cells(exercise.stub, step.lesson)
    for title, hint in zip(("A hint", "Another hint"), find(number).hints, strict=True):
        page.add(fold(title, hint))
    page.add_all("The solution", exercise.solution, step.solutions)
    page.add("</section>")


def prose_of(text):
    """Return a notebook's text without what a page says in its own way."""
    return NEXT.sub("", text).replace("After this notebook you can", "After this step you can").strip()


def cost_of(text):
    """Return the sentence that says what a notebook takes; "" before it was measured."""
    return "".join(COST.findall(text))


def without_heading(text):
    return re.sub(r"^#+ .*\n*", "", text, count=1)


def is_left_out(cell):
    """Say whether a page does without a cell: what the runner reads, and exercises, which stand with their questions."""
    reported = any(SUMMARY in output.get("data", {}) for output in cell["outputs"])
    return name_of(cell) in LEFT_OUT or "exercise" in tags(cell) or reported


def write_step(folder, step, exercises, terms):
    """Write a step's page. The search finds it first for the `terms` that it teaches."""
    page, head = Page(folder, f"steps/{step.name}"), []
    notebooks = dict.fromkeys(step.lesson.values())
    if terms:
        words = sorted(set(re.findall(r"\w+", " ".join(terms).lower())))
        page.add(f"---\nmyst:\n  html_meta:\n    keywords: {', '.join(words)}\n---")
        page.add(f"```{{index}} {', '.join(f'! {term}' for term in terms)}\n```")
    title, links, *lesson = in_step(step.lesson)
    page.add_cells(rewritten(title, prose_of), step.lesson)
    names = " or ".join(f"`{path.parent.name}/{path.name}`" for path in notebooks)
    page.add(f"To run this step, [download the series](../{COPY}.zip), unzip it, and in its folder run `make lab`; open {names}.")
    while not lesson[0][FRAMEWORKS[0]]["text"].startswith("#"):
        head.append(lesson.pop(0))
    count = len(known_parameters(read_notebook(next(iter(notebooks)))))
    page.add_all(f"Set-up: imports and {count} parameters", [rewritten(links, cost_of), *head], step.lesson)
    for cells in lesson:
        cell = cells[FRAMEWORKS[0]]
        if named := EXERCISE.match(cell["text"]):
            add_exercise(page, named[1], exercises[named[1]], step)
        elif cell["cell_type"] == "markdown":
            page.add_cells(rewritten(cells, prose_of), step.lesson)
        elif not is_left_out(cell):
            page.add_cells(cells, step.lesson)
    tries = [cells for cells in in_step(step.solutions) if name_in_both(cells).startswith(TRIES)]
    if tries:
        page.add_all("What you will see", [rewritten(cells, without_heading) for cells in tries], step.solutions)
    if step.name == "05_training":
        page.add("## Press play: the same in your browser")
        page.add("The same training, in your browser and on the Wikipedia excerpt; [Press play](../play.md) says what differs.")
        page.add(press_play("../"))
    page.write()


def write_exercises(folder, titles, exercises):
    """Write the page that lists the exercises of all steps, {step: {number: Exercise}}."""
    page = Page(folder, "exercises")
    page.add("# All exercises")
    page.add("Each stands in its step, with two hints and a solution behind folds. In the notebook, `check` tests your answer.")
    for name, found in exercises.items():
        page.add(f"## {titles[name]}")
        page.add("\n".join(
            f"* [{number} {one.title}](#{anchor_of(number)}), {one.effort}"
            + ("" if one.section == "Exercises" else f" (*{one.section}*)")
            for number, one in found.items()
        ))  # fmt: skip
    page.write()


def readme_parts():
    """Return the README's text above its first section, and {heading: text} of its sections."""
    first, *sections = re.split(r"^## ", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    return first, dict(section.split("\n", 1) for section in sections)


def terms_of_steps():
    """Return {number of a step: terms} from the glossary, with the other names that it gives them."""
    terms = {}
    for term, others, number in TERM.findall((ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")):
        names = [name.strip() for name in re.split("[,;]", others) if name.strip() and "`" not in name]
        terms.setdefault(int(number), []).extend([term, *names])
    return terms


def write_download(folder):
    """Write a zip of the students' copy into the folder."""
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / COPY).mkdir()
        write_student_copy(Path(place) / COPY)
        shutil.make_archive(folder / COPY, "zip", place, COPY)


def write_index(folder, steps, rows, exercises):
    """Write the front page; rows are those of the README's table, (title, what one learns, minutes)."""
    title, about, *_ = readme_parts()[0].strip().split("\n\n")
    name, subtitle = title.removeprefix("# ").split(": ")
    page = Page(folder, "index")
    page.add(f"# {name}")
    page.add(f'<p class="subtitle">{subtitle[0].upper()}{subtitle[1:]}</p>')
    page.add("**Build Word2Vec from an empty page, check every number by hand, and see what it learned.**")
    page.add(f"[Start: {rows[0][0]}](steps/{steps[0].name}.md){{.start}} [Press play](play.md){{.start .second}}")
    page.add(about)
    page.add("## Press play: words find their places")
    page.add(press_play(""))
    page.add("## The steps")
    table = ["| step | what you learn | minutes: reading + exercises |", "|---|---|---|"]
    for step, (title, learned, minutes) in zip(steps, rows):
        own = f"exercises {sum(one.minutes for one in exercises[step.name].values())}"
        table.append(f"| [{title}](steps/{step.name}.md) | {learned} | {own if minutes == '-' else minutes} |")
    page.add('<div class="steps">\n\n' + "\n".join(table) + "\n\n</div>")
    page.add("The switch at the top of a step chooses PyTorch or MXNet, for all pages. Most of what you read is the same for both.")
    page.add(f"[Download the series]({COPY}.zip), unzip it, and in its folder run `make lab`: it sets up all and opens the notebooks.")
    for caption, names in (
        ("The six steps", [f"steps/{step.name}" for step in steps[:6]]),
        ("What comes next", [f"steps/{step.name}" for step in steps[6:]]),
        ("More", ["play", "exercises", "run", *TEXTS.values()]),
    ):
        page.add("\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *names, "```"]))
    page.write()


def write_pages(folder):
    """Write all pages of the book into the folder, which is emptied first; returns their number."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_download(folder)
    steps, sections, terms = all_steps(), readme_parts()[1], terms_of_steps()
    rows = [[part.strip() for part in row.split("|")[1:4]] for row in sections["The steps"].splitlines() if re.match(r"\| \d", row)]
    exercises = {step.name: exercises_of(step) for step in steps}
    titles = {step.name: title for step, (title, *_) in zip(steps, rows, strict=True)}
    for step in steps:
        write_step(folder, step, exercises[step.name], terms.get(int(step.name[:2]), []))
    write_exercises(folder, titles, exercises)
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
    write_index(folder, steps, rows, exercises)
    return len(list(folder.rglob("*.md")))
