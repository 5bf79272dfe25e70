"""The book's pages, as written from the notebooks: nothing is lost, nothing stands twice, links lead somewhere."""

import re
import zipfile

import pytest

from book.pages import COPY, GUESS, all_steps, anchor_of, exercises_of, page_of, write_pages
from helpers.beyond.notebooks import FRAMEWORKS, ROOT, known_parameters, read_notebook
from helpers.exercises import find
from helpers.figures import SUMMARY
from helpers.tools.twins import name_of

FRAMEWORKS_OWN = re.compile(r'^<div class="framework (\w+)">\n\n(.*?)\n\n</div>$', re.MULTILINE | re.DOTALL)
FOLD = re.compile(r'<details class="fold">\n<summary>(.*)</summary>\n\n((?:(?!</?details class).*\n)*?)\n</details>\n')  # an innermost one
STEPS = all_steps()
SAID_ANEW = re.compile(r"^#+ |^Next: .*|After this notebook you can|^\*\*\d\d\.\d+\*\* .+?[.?:]\s", re.MULTILINE)


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book") / "pages"
    count = write_pages(folder)
    written = {path.relative_to(folder).with_suffix("").as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.md")}
    assert len(written) == count
    return folder, written


def shown_cells(path):
    """The cells of a notebook that a page shows: not exercises, which it builds from the solutions, nor what the runner reads."""
    for cell in read_notebook(path)["cells"]:
        reported = any(SUMMARY in output.get("data", {}) for output in cell.get("outputs", ()))
        if "exercise" not in cell["metadata"].get("tags", ()) and not cell["id"].startswith(("links", "exercises-import")) and not reported:
            yield cell


def in_sight(text):
    """A page's text without its folds."""
    while FOLD.search(text):
        text = FOLD.sub("", text)
    return text


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_shared_code_stands_once_and_a_frameworks_own_in_its_blocks_alone(step, pages):
    text = re.sub(r'<section class="exercise">.*?</section>', "", pages[1][f"steps/{step.name}"], flags=re.DOTALL)
    own = {framework: "".join(block[2] for block in FRAMEWORKS_OWN.finditer(text) if block[1] == framework) for framework in FRAMEWORKS}
    outside, wrong = FRAMEWORKS_OWN.sub("", text), []
    code = {
        framework: {cell["id"]: cell["text"].rstrip() for cell in shown_cells(path) if cell["cell_type"] == "code"}
        for framework, path in step.lesson.items()
    }
    for framework, cells in code.items():
        for id_, source in cells.items():
            block, is_own = f"```python\n{source}\n```", id_.endswith(f"-{framework}")
            found = {other for other in FRAMEWORKS if block in own[other]}
            wanted = {other for other in FRAMEWORKS if is_own and source in code[other].values()}
            if found != wanted or outside.count(block) != (0 if is_own else list(cells.values()).count(source)):
                wrong.append(id_)
    assert wrong == []


def plain(text):
    """Markdown without what its links lead to, which is another place in the book, and with common spaces."""
    return re.sub(r"\]\([^)]*\)", "]", text).replace("\u00a0", " ")


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_all_prose_printed_text_and_figures_of_a_step_are_on_its_page(step, pages):
    folder, written = pages
    page, lost = written[f"steps/{step.name}"], []
    text = plain(page)
    for path in step.lesson.values():
        for cell in shown_cells(path):
            parts = plain(SAID_ANEW.sub("", cell["text"])).split("\n\n") if cell["cell_type"] == "markdown" else []
            parts += [line for output in cell.get("outputs", ()) for line in "".join(output.get("text", "")).splitlines()]
            parts += [output["metadata"]["image/png"]["alt"] for output in cell.get("outputs", ()) if "image/png" in output.get("data", {})]
            lost += [part for part in parts if part.strip() not in text]
    assert lost == []
    images = re.findall(r"\{figure\} (\S+)\n:alt: (.+)\n:width: \d+px\n", page)
    assert images and all((folder / image.lstrip("/")).read_bytes().startswith(b"\x89PNG") and alt for image, alt in images)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_set_up_is_one_fold_that_counts_the_parameters(step, pages):
    text = pages[1][f"steps/{step.name}"]
    count = len(known_parameters(read_notebook(step.lesson["pytorch"])))
    folds = [fold[2] for fold in FOLD.finditer(text) if fold[1] == f"Set-up: imports and {count} parameters"]
    assert len(folds) == 1 and "import sys" in folds[0] and "seed = " in folds[0]
    head = in_sight(text.split("\n## ")[0])
    assert "import" not in head and "```python" not in head


def test_what_a_prediction_is_asked_for_is_folded_and_reports_are_left_out(pages):
    asked = 0
    for step in STEPS:
        text = pages[1][f"steps/{step.name}"]
        cells, seen = list(shown_cells(step.lesson["pytorch"])), in_sight(text)
        for cell, below in zip(cells, cells[1:]):
            if cell["cell_type"] == "markdown" and re.search(r"\bPredict\b", cell["text"]) and below.get("outputs"):
                lines = "".join("".join(output.get("text", "")) for output in below["outputs"]).rstrip()
                asked += 1
                assert lines and lines not in seen and f"<summary>{GUESS}</summary>" in text, (step.name, below["id"])
        assert "report(" not in seen, step.name
    assert asked > 5


def test_an_exercise_stands_in_its_step_with_hints_and_solution_behind_folds(pages):
    for step in STEPS:
        text = pages[1][f"steps/{step.name}"]
        numbers = re.findall(r"\*\*(\d\d\.\d+)\*\* ", "".join(cell["text"] for cell in read_notebook(step.lesson["pytorch"])["cells"]))
        assert numbers and list(exercises_of(step)) == numbers
        for path in step.solutions.values():
            cells = {name_of(cell): cell["text"] for cell in read_notebook(path)["cells"]}
            for id_, asked in cells.items():
                if number := re.match(r"\*\*(\d\d\.\d+)\*\* (.+?[.?:])\s", asked):
                    exercise = text.split(f"({anchor_of(number[1])})=")[1].split("</section>")[0]
                    answer, seen = cells[id_.removesuffix("-prose")], in_sight(exercise)
                    assert answer.rstrip() in exercise and answer.rstrip() not in seen, number
                    assert all(hint in exercise and hint not in seen for hint in find(number[1]).hints), number
                    assert asked.removeprefix(number[0]).split("\n")[0][:60] in seen.replace("\u00a0", " "), number
                    assert f"](#{anchor_of(number[1])})" in pages[1]["exercises"], number


def test_titles_of_exercises_are_short_sentences_without_formulas(pages):
    titles = re.findall(r"^\* \[(\d\d\.\d+ .*?)\]", pages[1]["exercises"], re.MULTILINE)
    assert len(titles) == sum(len(exercises_of(step)) for step in STEPS)
    for title in titles:
        assert len(title) <= 80 and not re.search(r"[$`]| (of|the|a)$", title), title


def test_the_readme_and_each_page_of_docs_is_a_page_with_all_its_text(pages):
    written = pages[1]
    texts = {page_of(path): path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
    assert len(texts) >= 5 and texts.keys() <= written.keys()
    for name, text in texts.items():
        assert plain(text).strip() == plain(written[name]).strip()
        assert re.search(rf"^{name}$", written["index"], re.MULTILINE), name  # the table of contents
    first, *sections = re.split("^## ", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert plain(first).strip().split("\n\n")[1] in plain(written["index"])
    left_out = [part for part in sections if plain(part).strip() not in plain(written["run"])]
    assert [part.splitlines()[0] for part in left_out] == ["The steps"]  # a table of pages stands for it


def test_links_to_headings_and_exercises_lead_to_one(pages):
    """A heading's anchor is its text in small letters, with hyphens for spaces; an exercise's is a label."""
    folder, written = pages
    labels = re.findall(r"^\((.+)\)=$", "\n".join(written.values()), re.MULTILINE)
    assert len(set(labels)) == len(labels) > 50
    headings = {
        name: [re.sub(r"[^\w -]", "", found.lower()).replace(" ", "-") for found in re.findall(r"^#+ (.+)$", text, re.MULTILINE)]
        for name, text in written.items()
    }
    anchors = [
        (name, (folder / name).parent.joinpath(target or f"{name}.md").resolve(), anchor)
        for name, text in written.items()
        for target, anchor in re.findall(r"\]\(([^)#\s:]*\.md|)#([^)\s]+)\)", text)
    ]
    for name, path, anchor in anchors:
        assert anchor in [*headings[path.relative_to(folder.resolve()).with_suffix("").as_posix()], *labels], f"{name}: {anchor}"
    assert anchors


def test_relative_links_lead_to_pages_and_files(pages):
    folder, written = pages
    links = 0
    for name, text in written.items():
        prose = re.sub(r"(`+)[^`].*?\1", "", text, flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose):
            if "://" not in target:
                links += 1
                assert ((folder / name).parent / target).resolve().is_file(), f"{name}: {target}"
    assert links > 100


def test_the_zip_holds_each_lesson_and_what_it_needs_and_is_small(pages):
    path = pages[0] / f"{COPY}.zip"
    assert path.stat().st_size <= 2e6
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        names = {name.removeprefix(f"{COPY}/") for name in packed.namelist() if not name.endswith("/")}
    lessons = {path.relative_to(ROOT).as_posix() for step in STEPS for path in step.lesson.values()}
    assert lessons | {"Makefile", "README.md", "requirements.txt", "helpers/tools/install.py", "benchmarks/sweep.json"} <= names
    assert not [name for name in names if name.startswith(("tests/", "book/", "notebooks/solutions/"))]
    for name, text in pages[1].items():
        assert (f"{COPY}.zip)" in text) == (name == "index" or name.startswith("steps/")), name
