"""Notebooks as files: where they are, what is in them, and a run with papermill. Not taught."""

import ast
import contextlib
import json
import os
import shutil
import tempfile
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
STEPS = (
    "01_data", "02_embedding_layer", "03_skip_gram", "04_loss", "05_training", "06_similarity",
    "07_speed", "08_blocks", "10_dynamic_sampling", "11_find_the_bug", "13_checkpoints",
)  # fmt: skip
BEYOND = "09_hyperparameters", "12_evaluation", "14_scale_out", "15_gpu", "16_subwords", "17_family"  # without variants
LONGEST = 80  # bytes in the path of a folder with sockets: their own paths may have about a hundred
BUILT = "__pycache__", "_build", "runs"  # folders of what is made


def read_notebook(path):
    """Return a notebook as the dict that its JSON holds, each cell's source as one string under "text".

    Raises a ValueError, in a line, for a file that holds none.
    """
    try:
        notebook = json.loads(Path(path).read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            cell["text"] = "".join(cell["source"])
            cell["metadata"], cell["cell_type"]  # every cell has them
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError) as error:
        reason = "it is cut, or was something else"
        if isinstance(error, FileNotFoundError) or not Path(path).stat().st_size:
            reason = "it is missing" if isinstance(error, FileNotFoundError) else "it is empty"
        raise ValueError(f"{path} is no notebook ({reason}): take it out of the series again") from error
    return notebook


def lessons(framework, beyond=True):
    """Return the paths of a framework's notebooks in their order, with those that have no variants if `beyond` says so.

    They are the series' own; whatever else lies beside them is none.
    """
    paths = [NOTEBOOKS / framework / f"{name}.ipynb" for name in STEPS]
    return sorted(paths + [NOTEBOOKS / "beyond" / f"{name}.ipynb" for name in BEYOND if beyond], key=lambda path: path.name)


def solutions_of(lesson):
    """Return the path of the solutions of a notebook's exercises."""
    return NOTEBOOKS / "solutions" / lesson.parent.name / lesson.name


def all_notebooks():
    """Return the paths of the series' own notebooks that are here; a students' copy has no solutions."""
    found = {path for framework in FRAMEWORKS for path in lessons(framework)}
    return sorted(path for path in found | set(map(solutions_of, found)) if path.exists())


def strays(folder, own):
    """Return what lies in a folder without being one of the paths `own` or on the way to one, hidden and built things aside."""
    on_the_way = {parent for path in own for parent in path.parents}
    found = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path in on_the_way:
            found += strays(path, own)
        elif path not in own and not path.name.startswith(".") and path.name not in BUILT and path.suffix != ".egg-info":
            found.append(path)
    return found


def stray_lessons(frameworks=FRAMEWORKS):
    """Return the notebooks that lie beside the lessons of some frameworks and are not of the series."""
    own = {path for framework in frameworks for path in lessons(framework)}
    found = [path for name in (*frameworks, "beyond") for path in strays(NOTEBOOKS / name, own)]
    return [path for path in found if path.suffix == ".ipynb"]


def told_left_out(paths):
    """Say in a line that paths of ROOT are left out; the first twenty are named. "" for none."""
    names = [path.relative_to(ROOT).as_posix() for path in paths]
    named = ", ".join(name if name.isprintable() else ascii(name) for name in names[:20])
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return f"Left out, not of the series: {named}{more}" if names else ""


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


@contextlib.contextmanager
def own_kernel():
    """Give a manager, for nbclient, of a kernel that runs in this Python, with its files in a folder that goes at the end.

    Whatever a person or an administrator calls the kernel "python3", starts with every kernel or sets for every Python does not
    reach it. Nor do other users: its sockets are files, too, and only this user may enter the folder. Jupyter's usual kernel listens
    on loopback, where others can't command it, but can read what it prints.
    """
    from ipykernel.kernelspec import get_kernel_dict
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from traitlets import Unicode

    unset = dict.fromkeys(("PYTHONINSPECT", "PYTHONOPTIMIZE", "PYTHONSTARTUP", "PYTHONWARNINGS"), "")
    drawing = {"MATPLOTLIBRC": os.devnull, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    usual = tempfile.gettempdir()
    place = usual if len(os.fsencode(usual)) < LONGEST else "/tmp"
    with tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as folder:

        class OwnKernel(AsyncKernelManager):
            kernel_spec = KernelSpec(**get_kernel_dict(), env={**unset, **drawing, "IPYTHONDIR": folder})
            connection_file = Unicode(f"{folder}/kernel.json")  # the sockets stand beside it
            transport = Unicode("ipc" if os.name == "posix" else "tcp")  # Windows has no such sockets

        yield OwnKernel


def run_notebook(source, target, parameters):
    """Execute one notebook with papermill; returns its values (dict), its error (or None) and the seconds it took.

    The executed notebook gets its name when it is whole: after a failure and after Ctrl-C too.
    """
    import papermill

    known = known_parameters(read_notebook(source))
    start, error, values = time.perf_counter(), None, {}
    if os.environ.get("WORD2VEC_CACHE"):
        os.environ["WORD2VEC_CACHE"] = str(cache_folder())  # a kernel stands in another folder
    try:
        with whole_file(target) as temporary, own_kernel() as kernel:
            try:
                papermill.execute_notebook(
                    source, temporary, {name: value for name, value in parameters.items() if name in known},
                    kernel_name="python3", kernel_manager_class=kernel, cwd=source.parent, progress_bar=False,
                )  # fmt: skip
            except OSError:
                raise
            except (Exception, KeyboardInterrupt) as failure:  # of a cell, of a kernel that dies or never starts, of papermill
                error = failure
            if not temporary.exists():  # stopped before papermill wrote anything
                shutil.copy(source, temporary)
    except OSError as failure:  # a disk that is full, for one
        return values, failure, time.perf_counter() - start
    for cell in read_notebook(target)["cells"]:
        for output in cell.get("outputs", ()):
            values.update(output.get("data", {}).get(SUMMARY, {}))
    return values, error, time.perf_counter() - start
