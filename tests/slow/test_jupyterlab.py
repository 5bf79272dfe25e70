"""The notebooks in JupyterLab, as a person uses it.

CORPUS names another text than a small one, such as ptb. The notebooks of AGAIN run again after a restart of their kernel: of these
steps, or all.
"""

import os
import re
import shutil
import time

import nbformat
import pytest
import yaml

from helpers.beyond.notebooks import NOTEBOOKS, ROOT, all_notebooks, known_parameters, read_notebook, tags
from helpers.tools.twins import VARIES, printed, write_notebook
from tests.browser import chromium
from tests.jupyterlab import Lab, server

pytestmark = pytest.mark.slow
LESSONS = [path.relative_to(ROOT) for path in all_notebooks() if "solutions" not in path.parts]
EVALUATION = next(path for path in LESSONS if path.stem == "12_evaluation")
TRAINING = next(path for path in LESSONS if path.stem == "05_training")
AGAIN = os.environ.get("AGAIN", "01_data")
OPENED = os.environ.get("OPENED", "01_data 12_evaluation").split()  # what other notebooks print, nbval looks at
FAST = yaml.safe_load((NOTEBOOKS / "fast.yaml").read_text())
NEVER_TWICE = {"workers-pytorch"}  # several workers: no two of their trainings are equal
BAR = re.compile(r"\[\d+:\d\d.*\]")  # how tqdm ends one, before spaces
LEARNED = re.compile(r"[^\W\d_]+|\d\.\d{3,}")  # words, and numbers too exact for a time or a rate


def set_parameters(path, parameters):
    """Add lines to the cell of the parameters, for those that the notebook knows."""
    notebook = read_notebook(path)
    cell = next(cell for cell in notebook["cells"] if "parameters" in tags(cell))
    cell["source"] = cell["text"] + "".join(f"\n{name} = {parameters[name]!r}" for name in known_parameters(notebook) & parameters.keys())
    write_notebook(path, notebook)


@pytest.fixture(scope="module")
def parameters(small_text):
    """Those for weak machines, and the text."""
    return {**FAST, "corpus": os.environ.get("CORPUS", str(small_text))}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, parameters):
    """A copy of what a reader has, with these parameters."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(NOTEBOOKS, folder / "notebooks")
    shutil.copytree(ROOT / "docs", folder / "docs")
    shutil.copy(ROOT / "README.md", folder)
    for path in LESSONS:
        set_parameters(folder / path, parameters)
    return folder


@pytest.fixture(scope="module")
def started(folder, tmp_path_factory):
    with chromium() as browser, server(folder, tmp_path_factory.mktemp("home")) as url:
        yield Lab(browser, url, folder)


@pytest.fixture
def lab(started):
    started.troubles.clear()
    yield started
    started.close()


@pytest.fixture
def another(folder, parameters, request):
    """A function that makes another copy of a notebook as committed, since one that was run and saved shows a widget that is gone."""

    def copy(path, **others):
        path, source = path.with_name(f"{request.node.name}.ipynb"), ROOT / path
        shutil.copy(source, folder / path)
        set_parameters(folder / path, {**parameters, **others})
        return path

    return copy


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def pictures(cell):
    return [output for output in cell["outputs"] if "image/png" in output.get("data", {})]


def bars(text):
    return [line for line in text.splitlines() if "%|" in line]


def run_to_the_end(lab, committed):
    """Wait for the end of a run, look at what it shows, save it, and compare the file with what is committed; returns the notebook."""
    lab.wait_for_end()
    drawn, saved = bars(lab.printed()), lab.save()
    assert lab.boxes() == [] and lab.troubles == []
    nbformat.validate(nbformat.from_dict(saved))
    assert [cell["id"] for cell in saved["cells"]] == [cell["id"] for cell in committed["cells"]]
    for cell, wanted in zip(code_cells(saved), code_cells(committed)):
        told = f"{cell['id']}: {cell['outputs']}"
        assert cell["execution_count"], told
        assert not [output for output in cell["outputs"] if output["output_type"] == "error" or output.get("name") == "stderr"], told
        assert VARIES in tags(cell) or printed(cell) == printed(wanted), told
        assert len(pictures(cell)) == len(pictures(wanted)), told
        assert all(picture["metadata"]["image/png"]["alt"] for picture in pictures(cell)), told
    assert all("100%|" in bar and bar.count("%|") == 1 for bar in drawn), drawn
    assert len(drawn) == len([bar for cell in code_cells(committed) for bar in bars(printed(cell))])
    return saved


def learned(notebook):
    """Return for each cell the words and the exact numbers that it shows, without progress bars."""
    lines = {cell["id"]: printed(cell).splitlines() for cell in code_cells(notebook) if cell["id"] not in NEVER_TWICE}
    return {id_: [LEARNED.findall(line) for line in shown if not BAR.search(line)] for id_, shown in lines.items()}


@pytest.mark.parametrize("path", [path for path in LESSONS if path.stem in OPENED], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_notebook_runs_as_it_is_committed_and_after_a_restart_again(path, lab):
    committed, start = read_notebook(ROOT / path), time.perf_counter()
    lab.open(path)
    lab.run_all()
    first = run_to_the_end(lab, committed)
    print(f"{path}: {time.perf_counter() - start:.0f} s")
    if AGAIN == "all" or path.stem in AGAIN.split():
        lab.restart_and_run_all()
        assert learned(run_to_the_end(lab, committed)) == learned(first)
        print(f"{path}, twice: {time.perf_counter() - start:.0f} s")


def test_the_explorer_answers_what_is_typed_and_chosen(lab, another):
    page, answer = lab.page, lab.page.locator(".widget-html-content")
    lab.open(another(EVALUATION))
    lab.run_all()
    lab.wait_for_end()
    picture = answer.locator("img")
    first = picture.get_attribute("alt")
    *_, word = re.findall(r"\w+", first)
    field = page.locator(".jupyter-widgets input[type=text]")
    field.fill(word)
    field.press("Enter")
    answer.get_by_text(f"The 10 nearest words of {word} in the center table: ").wait_for()
    second, drawn = picture.get_attribute("alt"), picture.get_attribute("src")
    page.locator(".jupyter-widgets .noUi-handle").press("ArrowRight")
    page.locator(".jupyter-widgets select").select_option("context")
    answer.get_by_text(f"The 11 nearest words of {word} in the context table: ").wait_for()
    assert picture.get_attribute("src") != drawn and first.split(": ")[1] != second.split(": ")[1]
    assert picture.evaluate("image => image.complete && image.naturalWidth > 0 && image.width <= image.parentElement.clientWidth")
    field.fill("nosuchword")
    field.press("Enter")
    answer.get_by_text("has no 'nosuchword'").wait_for()
    assert picture.count() == 0 and lab.boxes() == [] and lab.troubles == []


def test_the_square_button_stops_a_training_with_a_message(lab, another):
    lab.open(another(TRAINING, num_epochs=10_000))
    lab.run_all()
    lab.page.locator(".jp-OutputArea-output", has_text="/10000:").wait_for()
    lab.page.locator(".jp-NotebookPanel-toolbar [data-command='notebook:interrupt-kernel']").click()
    lab.wait_for_end()
    (stopped,) = [output for cell in code_cells(lab.save()) for output in cell["outputs"] if output["output_type"] == "error"]
    assert re.fullmatch(r"stopped after .*; the model has what it learned", stopped["evalue"]), stopped
    assert lab.boxes() == [] and lab.troubles == []


def test_the_readme_opens_from_a_notebook(lab):
    lab.open(LESSONS[0])
    lab.page.locator(".jp-Notebook a", has_text="README").first.click()
    lab.page.locator(".lm-TabBar-tabLabel", has_text="README.md").wait_for()
    lab.choose("File", "Close Tab")
    assert lab.boxes() == [] and lab.troubles == []
