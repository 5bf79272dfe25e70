"""Notebooks as files: where they are, what is in them, and a run with papermill. Not taught."""

import ast
import json
import os
import shutil
import time
from pathlib import Path

from helpers.arguments import whole_file
from helpers.corpus import cache_folder
from helpers.figures import SUMMARY

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = ROOT / "notebooks"
TITLES = {"pytorch": "PyTorch", "mxnet": "MXNet"}
FRAMEWORKS = tuple(TITLES)
WIDGET = "application/vnd.jupyter.widget-view+json"


def read_notebook(path):
    """Return a notebook as the dict that its JSON holds, each cell's source as one string under "text"."""
    notebook = json.loads(Path(path).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["text"] = "".join(cell["source"])
    return notebook


def lessons(framework, beyond=True):
    """Return the paths of a framework's notebooks in their order, with those that have no variants if `beyond` says so."""
    folders = (framework, "beyond") if beyond else (framework,)
    return sorted((path for folder in folders for path in (NOTEBOOKS / folder).glob("*.ipynb")), key=lambda path: path.name)


def tags(cell):
    """Return the set of a cell's tags."""
    return set(cell["metadata"].get("tags", ()))


def defined_names(cell):
    """Return the names that a code cell defines: functions, classes, assignments; not imports or loop variables."""
    tree = ast.parse(cell["text"] if cell["cell_type"] == "code" else "")
    names = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    targets = [target for node in ast.walk(tree) if isinstance(node, ast.Assign) for target in node.targets]
    within = [ast.walk(node) for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    inner = {id(node) for walk in within for node in walk}
    stored = [node for target in targets if id(target) not in inner for node in ast.walk(target)]
    return names | {node.id for node in stored if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def known_parameters(notebook):
    """Return the names of a notebook's parameters: those that its `parameters` cell assigns."""
    return {name for cell in notebook["cells"] if "parameters" in tags(cell) for name in defined_names(cell)}


def run_notebook(source, target, parameters):
    """Execute one notebook with papermill; returns its values (dict), its error (or None) and the seconds it took.

    The executed notebook gets its name when it is whole: after a failure and after Ctrl-C too.
    """
    import papermill
    from nbclient.exceptions import DeadKernelError

    known = known_parameters(read_notebook(source))
    start, error, values = time.perf_counter(), None, {}
    if os.environ.get("WORD2VEC_CACHE"):
        os.environ["WORD2VEC_CACHE"] = str(cache_folder())  # a kernel stands in another folder
    try:
        with whole_file(target) as temporary:
            try:
                papermill.execute_notebook(
                    source, temporary, {name: value for name, value in parameters.items() if name in known},
                    kernel_name="python3", cwd=source.parent, progress_bar=False,
                )  # fmt: skip
            except (papermill.PapermillExecutionError, DeadKernelError) as failure:
                error = failure
            except KeyboardInterrupt as stop:
                error = stop
            if not temporary.exists():  # stopped before papermill wrote anything
                shutil.copy(source, temporary)
    except OSError as failure:  # a disk that is full, for one
        return values, failure, time.perf_counter() - start
    for cell in read_notebook(target)["cells"]:
        for output in cell.get("outputs", ()):
            values.update(output.get("data", {}).get(SUMMARY, {}))
    return values, error, time.perf_counter() - start
