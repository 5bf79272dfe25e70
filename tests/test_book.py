"""The book's pages, as written from the notebooks: nothing is lost, nothing stands twice, links lead somewhere."""

import re

import pytest

from book.pages import all_steps, page_of, write_pages
from helpers.beyond.notebooks import FRAMEWORKS, ROOT, TITLES, all_notebooks, read_notebook
from helpers.exercises import find
from helpers.tools.twins import name_of

TAB = re.compile(r"^(:{3,})\{tab-item\} (\w+)\n:sync: (\w+)\n\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
STEPS = all_steps()
LEFT_OUT = "set-up", "links", "exercises-import"


@pytest.fixture(scope="session")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book") / "pages"
    count = write_pages(folder)
    written = {path.relative_to(folder).with_suffix("").as_posix(): path.read_text(encoding="utf-8") for path in folder.rglob("*.md")}
    assert len(written) == count
    return folder, written


def code_of(path):
    """The source of each code cell, {id: source}, exercises aside."""
    cells = read_notebook(path)["cells"]
    return {cell["id"]: cell["text"].rstrip() for cell in cells if cell["cell_type"] == "code" and not cell["id"].startswith(LEFT_OUT)}


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_shared_code_stands_once_and_a_frameworks_own_in_its_tabs_alone(step, pages):
    text = pages[1][f"steps/{step.name}"]
    in_tabs = {framework: "".join(tab[4] for tab in TAB.finditer(text) if tab[3] == framework) for framework in FRAMEWORKS}
    assert all(TITLES[tab[3]] == tab[2] for tab in TAB.finditer(text))
    outside, wrong = TAB.sub("", text), []
    code = {framework: code_of(path) for framework, path in step.lesson.items()}
    for framework, cells in code.items():
        for id_, source in cells.items():
            block, own = f"```python\n{source}\n```", id_.endswith(f"-{framework}")
            found = {other for other in FRAMEWORKS if block in in_tabs[other]}
            wanted = {other for other in FRAMEWORKS if own and source in code[other].values()}
            if found != wanted or outside.count(block) != (0 if own else list(cells.values()).count(source)):
                wrong.append(id_)
    assert wrong == []


def without_targets(text):
    """Markdown without what its links lead to, which is another place in the book."""
    return re.sub(r"\]\([^)]*\)", "]", text)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_all_prose_printed_text_and_figures_of_a_step_are_on_its_page(step, pages):
    folder, written = pages
    text = written[f"steps/{step.name}"]
    plain, lost = without_targets(text), []
    for path in step.lesson.values():
        for cell in read_notebook(path)["cells"]:
            parts = without_targets(cell["text"]).split("\n\n") if cell["cell_type"] == "markdown" else []
            outputs = cell.get("outputs", ()) if "exercise" not in cell["metadata"].get("tags", ()) else ()
            parts += [line for output in outputs for line in "".join(output.get("text", "")).splitlines()]
            parts += [output["metadata"]["image/png"]["alt"] for output in outputs if "image/png" in output.get("data", {})]
            if not cell["id"].startswith(LEFT_OUT):
                lost += [part for part in parts if part.strip() not in plain]
    assert lost == []
    images = re.findall(r"\{figure\} (\S+)\n:alt: (.+)\n", text)
    assert images and all((folder / image.lstrip("/")).read_bytes().startswith(b"\x89PNG") and alt for image, alt in images)


def test_each_exercise_has_a_page_with_its_hints_and_its_solution_behind_folds(pages):
    for step in STEPS:
        numbers = re.findall(r"\*\*(\d\d\.\d+)", "".join(cell["text"] for cell in read_notebook(step.lesson["pytorch"])["cells"]))
        assert numbers
        for path in step.solutions.values():
            cells = {name_of(cell): cell["text"] for cell in read_notebook(path)["cells"]}
            asked = {id_: re.match(r"\*\*(\d\d\.\d+)", text) for id_, text in cells.items()}
            answers = {number[1]: cells[id_.removesuffix("-prose")] for id_, number in asked.items() if number}
            assert list(answers) == numbers
            for number, answer in answers.items():
                before, folds = pages[1][f"exercises/{number}"].split("{dropdown} A hint", 1)
                assert answer.rstrip() in folds and answer.rstrip() not in before, number
                assert all(hint in folds and hint not in before for hint in find(number).hints), number
                assert f"(../exercises/{number}.md)" in pages[1][f"steps/{step.name}"]


def test_titles_of_exercises_are_short_and_hold_no_formula(pages):
    for name, text in pages[1].items():
        if name.startswith("exercises/"):
            title = text.splitlines()[0]
            assert len(title) <= 80 and not re.search(r"[$`]", title), title


def test_the_readme_and_each_page_of_docs_is_a_page_with_all_its_text(pages):
    written = pages[1]
    texts = {page_of(path): path.read_text(encoding="utf-8") for path in (ROOT / "docs").glob("*.md")}
    assert len(texts) >= 5 and texts.keys() <= written.keys()
    for name, text in texts.items():
        assert without_targets(text).strip() == without_targets(written[name]).strip()
        assert re.search(rf"^{name}$", written["index"], re.MULTILINE), name  # the table of contents
    first, *sections = re.split("^## ", (ROOT / "README.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert without_targets(first).strip() in without_targets(written["index"])
    left_out = [part for part in sections if without_targets(part).strip() not in without_targets(written["run"])]
    assert [part.splitlines()[0] for part in left_out] == ["The steps"]  # a table of pages stands for it


def test_links_to_headings_of_the_books_texts_lead_to_one(pages):
    """A heading's anchor is its text in small letters, with hyphens for spaces."""
    folder, written = pages
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
        assert anchor in headings[path.relative_to(folder.resolve()).with_suffix("").as_posix()], f"{name}: {anchor}"
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


def test_the_page_of_a_step_hands_out_its_notebooks(pages):
    handed = {found for name, text in pages[1].items() for found in re.findall(r"\[(\w+/\d\d_\w+\.ipynb)\]\(", text)}
    lessons = {f"{path.parent.name}/{path.name}" for path in all_notebooks() if "solutions" not in path.parts}
    assert handed == lessons
