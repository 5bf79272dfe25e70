"""Keep the notebooks' two variants equal: `python -m helpers.tools.twins check`, `copy` shared cells, `run` them all, `publish` a copy.

A cell's id says whose it is: one that ends in -pytorch or -mxnet is a framework's own, any other is shared and must
stand in both variants, alike. The raw JSON is read, because nbformat mends what the rules are about.
"""

import json
import math
import multiprocessing
import re
import sys
import time
from itertools import zip_longest
from pathlib import Path

import click

from helpers.arguments import whole_file
from helpers.beyond.notebooks import (
    FRAMEWORKS,
    NOTEBOOKS,
    ROOT,
    STEPS,
    WIDGET,
    all_notebooks,
    defined_names,
    lessons,
    own_kernel,
    read_notebook,
    stray_lessons,
    tags,
    told_left_out,
)
from helpers.tools.environment import mxnet_left_out
from helpers.tools.exports import copy_own, whole_folder
from helpers.tools.paths import OutsidePath

TEACHES, CLEAR, VARIES, FOLDED = "in-helpers", "clear-form", "output-varies", "folded"


def write_notebook(path, notebook):
    """Write what `read_notebook` gave, in the layout that Jupyter uses."""
    cells = [{name: value for name, value in cell.items() if name != "text"} for cell in notebook["cells"]]
    with whole_file(path) as temporary:
        text = json.dumps({**notebook, "cells": cells}, indent=1, ensure_ascii=False, sort_keys=True)
        temporary.write_text(text + "\n", encoding="utf-8")


def pairs():
    """Return the names of all notebooks that have variants: the steps, and their solutions as "solutions/NAME"."""
    names = [*STEPS, *(f"solutions/{name}" for name in STEPS)]
    return [f"{name}.ipynb" for name in names if any(path.exists() for path in variants(f"{name}.ipynb"))]


def variants(name):
    """Return the paths of a notebook's variants, PyTorch's and MXNet's."""
    return [NOTEBOOKS / Path(name).parent / framework / Path(name).name for framework in FRAMEWORKS]


def framework_of(cell):
    """Return the framework whose own the cell is, or None for a shared cell."""
    return next((framework for framework in FRAMEWORKS if cell["id"].endswith(f"-{framework}")), None)


def name_of(cell):
    """Return a cell's id without the ending that says whose it is."""
    return cell["id"].removesuffix(f"-{framework_of(cell)}")


def printed(cell):
    """Return all text that a code cell shows, stream by stream, pictures as their alternative text."""
    texts = []
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
        texts.append("".join(output.get("text") or (alt if "image/png" in data else data.get("text/plain", ""))))
    return "".join(texts)


def differences(pytorch, mxnet):
    """Return a list of sentences, one for each way in which two variants of a notebook break the rules of twins."""
    variants = {"pytorch": pytorch["cells"], "mxnet": mxnet["cells"]}
    found = []
    for framework, cells in variants.items():
        ids = [cell["id"] for cell in cells]
        found += [f"{framework}: the id {id_} stands twice" for id_ in sorted({i for i in ids if ids.count(i) > 1})]
        found += [f"{cell['id']}: stands in the {framework} variant" for cell in cells if framework_of(cell) not in (None, framework)]
    shared = {name: [cell for cell in cells if framework_of(cell) is None] for name, cells in variants.items()}
    for one, other in zip_longest(*shared.values()):
        if one is None or other is None or one["id"] != other["id"]:
            places = [cell["id"] if cell else "the end" for cell in (one, other)]
            return found + [f"the shared cells part at {places[0]} (PyTorch) and {places[1]} (MXNet)"]
        for what, get in (("type", lambda c: c["cell_type"]), ("source", lambda c: c["text"]), ("tags", tags)):
            if get(one) != get(other):
                found.append(f"{one['id']}: another {what} in each variant")
        if VARIES not in tags(one) and printed(one) != printed(other):
            found.append(f"{one['id']}: prints another text in each variant")
    return found + _own_differences(variants)


def heading_of(cell):
    """Return the heading that a cell of prose begins with. None for others."""
    heading = re.match("#+ .*", cell["text"])
    return heading[0] if heading and cell["cell_type"] == "markdown" else None


def _own_differences(variants):
    """The rules for cells that are a framework's own."""
    found = []
    own = {framework: {name_of(cell): cell for cell in cells if framework_of(cell)} for framework, cells in variants.items()}
    order = {framework: list(map(name_of, cells)) for framework, cells in variants.items()}
    if order["pytorch"] != order["mxnet"]:
        lone = sorted(set(order["pytorch"]) ^ set(order["mxnet"]))
        found.append(f"without their endings the ids are another sequence in each variant; in one alone: {', '.join(lone) or 'none'}")
    for name in own["pytorch"].keys() & own["mxnet"].keys():
        one, other = own["pytorch"][name], own["mxnet"][name]
        if one["text"] == other["text"] and printed(one) == printed(other):
            found.append(f"{name}: both variants are equal, so it should be one shared cell")
        if heading_of(one) != heading_of(other):
            found.append(f"{name}: has another heading in each variant, and the book has one for both")
        if defined_names(one) != defined_names(other):
            names = ", ".join(sorted(defined_names(one) ^ defined_names(other)))
            found.append(f"{name}: defines other names in each variant: {names}")
    return found


def copy_shared(source, target):
    """Return the target's notebook with the shared cells of the source and its own cells in their places.

    Own cells follow the source's: an own cell of the source stands for the target's cell of that name, which must be
    there (ValueError). What varies is not copied: such a cell keeps the target's output, or has none.
    """
    outputs = {cell["id"]: (cell["outputs"], cell["execution_count"]) for cell in target["cells"] if "outputs" in cell}
    own = {name_of(cell): cell for cell in target["cells"] if framework_of(cell)}
    cells = []
    for cell in source["cells"]:
        name = name_of(cell)
        if framework_of(cell) is None:
            if VARIES in tags(cell):
                cell["outputs"], cell["execution_count"] = outputs.get(cell["id"], ([], None))
            cells.append(cell)
        elif name in own:
            cells.append(own.pop(name))
        else:
            raise ValueError(f"the other variant has no cell of its own for {cell['id']}: write it first")
    if own:
        raise ValueError(f"these cells of the other variant have no place: {', '.join(own)}")
    return {**target, "cells": cells}


def executed(path):
    """Run a notebook from top to bottom in its own folder; returns it with its outputs, without times."""
    import nbformat
    from nbclient import NotebookClient

    notebook, folder = nbformat.read(path, as_version=4), {"metadata": {"path": str(Path(path).parent)}}
    with own_kernel() as own:
        options = {"kernel_name": "python3", "kernel_manager_class": own, "resources": folder}
        return NotebookClient(notebook, timeout=None, record_timing=False, **options).execute()


def execute(path):
    """Run a notebook and write it back as it is committed: no times, nothing that JupyterLab notes down, streams in one piece."""
    import nbformat
    from nbconvert.preprocessors import CoalesceStreamsPreprocessor

    notebook = executed(path)
    for cell in notebook.cells:
        cell.metadata = {name: value for name, value in cell.metadata.items() if name == "tags"}
        if FOLDED in cell.metadata.get("tags", ()):
            cell.metadata["jupyter"] = {"source_hidden": True}
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)  # it is alive in the session that made it only; what stands for it is text
    CoalesceStreamsPreprocessor().preprocess(notebook, {})  # leaves of a bar what stands at its end
    notebook.metadata = {"kernelspec": notebook.metadata.kernelspec, "language_info": {"name": "python"}}
    with whole_file(path) as temporary:
        nbformat.write(notebook, temporary)
    write_notebook(path, read_notebook(path))


COST = re.compile(r"in about .*? on two cores and takes .*? of memory")


def cost(path):
    """Run a notebook, in a process where nothing ran before; returns its seconds and the most gigabytes its kernel took."""
    import resource  # not on Windows

    start = time.perf_counter()
    executed(path)
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return seconds, peak / 1e9


def told_cost(seconds, gigabytes):
    """Say what a notebook costs."""
    return f"in about {5 * math.ceil(seconds / 5)} seconds on two cores and takes {gigabytes:.2f} GB of memory"


COLAB = "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)](https://colab.research.google.com/github/{}/blob/main/{})"
BINDER = "[![Open in Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/{}/main?labpath={})"
BADGES = re.compile(r"\n\n\[!\[Open in .*")
FETCHES = '''# Where this notebook stands alone, as in Colab, the series is fetched, and packages that are missing are added.
import subprocess
import sys
from pathlib import Path

repository = "{}"
clone = Path("word2vec-series").absolute()
folders = [*clone.parents, *map(Path, sys.path), clone]
root = next((folder for folder in folders if (folder / "helpers" / "examples.py").is_file()), clone)
if not root.exists():
    subprocess.run(["git", "clone", "--depth", "1", repository, root], check=True)
sys.path.insert(0, str(root))
if root == clone:
    from helpers.tools.environment import install_missing

    install_missing()'''


def published(notebook, address, badge):
    """Return a notebook whose set-up cell fetches the series from `address`, with that badge (or "") under its links."""
    for cell in notebook["cells"]:
        if cell["id"] == "set-up":
            text = FETCHES.format(address)
        elif cell["id"].startswith("links"):
            text = f"{BADGES.sub('', cell['text'])}\n\n{badge}".rstrip()
        else:
            continue
        cell["source"] = text.splitlines(keepends=True)
    return notebook


@click.group(help="Keep the notebooks' two variants equal.")
def main():
    pass


@main.command()
def check():
    """Name each difference between the variants; exits with 1 where there is one."""
    found = 0
    for name in pairs():
        try:
            differing = differences(*map(read_notebook, variants(name)))
        except (OSError, ValueError) as error:
            differing = [error]
        for difference in differing:
            click.echo(f"{name}: {difference}")
            found += 1
    click.echo(f"{len(pairs())} pairs of notebooks, {found} differences")
    raise SystemExit(int(found > 0))


@main.command()
@click.argument("source", type=click.Choice(FRAMEWORKS))
@click.argument("names", nargs=-1, metavar="[STEP]...")
def copy(source, names):
    """Copy the shared cells of SOURCE's notebooks to the other variant: of all, or of those named (solutions/03_skip_gram)."""
    target = next(framework for framework in FRAMEWORKS if framework != source)
    for name in [f"{name.removesuffix('.ipynb')}.ipynb" for name in names] or pairs():
        paths = sorted(variants(name), key=lambda path: path.parent.name != source)
        try:
            write_notebook(paths[1], copy_shared(*map(read_notebook, paths)))
        except (OSError, ValueError) as error:
            raise click.ClickException(f"{name}: {error}") from error
        click.echo(f"{name}: {source} -> {target}")


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False))
def run(paths):
    """Run notebooks from top to bottom and save them with their outputs, as they are committed: all, or PATHS."""
    if not paths and stray_lessons():
        click.echo(told_left_out(stray_lessons()))
    for path in paths or all_notebooks():
        if Path(path).resolve().parent.name == "mxnet" and (reason := mxnet_left_out()):
            click.echo(f"{path} is left out: {reason}")
            continue
        click.echo(path)
        execute(path)


@main.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def measure(paths):
    """Run lessons alone, all or PATHS, and write the seconds and the memory that each took under its links. Other work spoils it."""
    for path in paths or dict.fromkeys(path for framework in FRAMEWORKS for path in lessons(framework)):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            told = told_cost(*pool.apply(cost, (path,)))
        notebook = read_notebook(path)
        for cell in notebook["cells"][:2]:
            cell["source"] = COST.sub(told, cell["text"]).splitlines(keepends=True)
        write_notebook(path, notebook)
        click.echo(f"{path}: {told}")


@main.command()
@click.argument("address")
@click.argument("folder", type=OutsidePath())
def publish(address, folder):
    """Write a copy of the series to FOLDER, a new one, whose notebooks can stand alone.

    Their set-up cells fetch the series from ADDRESS, https://github.com/OWNER/NAME, and badges for Colab and Binder, branch main,
    stand in the notebooks and the README. Colab has no MXNet, so its notebooks get Binder's badge. Any other address that git
    can clone gets no badges.
    """
    if not re.fullmatch(r"(https|file)://[\w./~-]+", address):
        raise click.BadParameter(f"{address} is no address such as https://github.com/OWNER/NAME")
    if folder.exists():
        raise click.BadParameter(f"{folder} is there already: name a new folder elsewhere")
    github = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?", address)
    with whole_folder(folder) as out:
        left_out = copy_own(out, lambda place: True)
        for path in all_notebooks():
            badge = BINDER if path.parent.name == "mxnet" else COLAB
            place = path.relative_to(ROOT)
            found = published(read_notebook(path), address, badge.format(github[1], place.as_posix()) if github else "")
            write_notebook(out / place, found)
        first = "notebooks/pytorch/01_data.ipynb"
        badges = f"\n\n{COLAB.format(github[1], first)} {BINDER.format(github[1], first)}" if github else ""
        title, rest = (ROOT / "README.md").read_text(encoding="utf-8").split("\n", 1)
        (out / "README.md").write_text(f"{title}{badges}\n{rest}", encoding="utf-8")
    if left_out:
        click.echo(told_left_out(left_out))
    click.echo(f"{address} stands in {len(all_notebooks())} notebooks of {folder}; {'badges' if github else 'no badges'} in its README")


@main.command()
def picture():
    """Take the README's picture from the committed outputs: the map in frames of step 6."""
    import base64

    cells = {cell["id"]: cell for cell in read_notebook(NOTEBOOKS / "pytorch" / "06_similarity.ipynb")["cells"]}
    png = next(output["data"]["image/png"] for output in cells["map"]["outputs"] if "image/png" in output.get("data", {}))
    with whole_file(NOTEBOOKS / "words_in_frames.png") as temporary:
        temporary.write_bytes(base64.b64decode("".join(png)))


if __name__ == "__main__":
    main()
