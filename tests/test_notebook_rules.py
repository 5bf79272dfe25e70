"""The rules of the house for notebooks, each with a broken notebook that it catches. Raw JSON is read throughout."""

import ast
import copy
import inspect
import json
import re

import pytest

from helpers.beyond import blocks
from helpers.twins import (
    COST,
    FRAMEWORKS,
    NOTEBOOKS,
    TEACHES,
    VARIES,
    all_notebooks,
    copy_shared,
    defined_names,
    differences,
    framework_of,
    pairs,
    printed,
    read_notebook,
    steps,
    tags,
    told_cost,
    variants,
    write_notebook,
)  # fmt: skip
from tests.conftest import ROOT

PATHS = all_notebooks()
SOLUTIONS = [path for path in PATHS if "solutions" in path.parts]
LESSONS = [path for path in PATHS if path not in SOLUTIONS]
COMPARED = "nbval-check-output"
MODULES = "examples", "beyond/blocks", "training", "vectors", "figures", "corpus"


def id_of(path):
    return str(path.relative_to(NOTEBOOKS).with_suffix(""))


@pytest.fixture(params=PATHS, ids=id_of)
def path(request):
    return request.param


@pytest.fixture(params=LESSONS, ids=id_of)
def lesson(request):
    return request.param


@pytest.fixture(params=SOLUTIONS, ids=id_of)
def solution(request):
    return request.param


@pytest.fixture(params=pairs())
def pair(request):
    return [read_notebook(path) for path in variants(request.param)]


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def functions_and_classes(source):
    return {node.name: node for node in ast.walk(ast.parse(source)) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}


def without_docstrings(node):
    """The syntax tree of a definition as text, its docstrings left out."""
    node = copy.deepcopy(node)
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(inner) is not None:
            inner.body = inner.body[1:]
    return ast.dump(node)


def tree_of(module):
    """The syntax tree of a module of helpers, which is read and not imported, so that no framework is needed."""
    return ast.parse((ROOT / "helpers" / f"{module}.py").read_text(encoding="utf-8"))


def in_helpers(framework):
    """Every top-level definition that a notebook of this framework can teach, with the constants beside it."""
    found = {}
    for name in (*MODULES, f"model_{framework}"):
        for node in tree_of(name).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found[node.name] = without_docstrings(node)
            elif isinstance(node, ast.Assign):
                found[ast.unparse(node.targets[0])] = ast.dump(node)
    return found


def not_taught_as_in_helpers(cells, framework):
    """Sentences for each definition that is untagged, or tagged and unlike the one in helpers."""
    known, found = in_helpers(framework), []
    for cell in cells:
        for node in ast.parse(cell["text"]).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                if TEACHES not in tags(cell) and node.name in known:
                    found.append(f"{cell['id']}: {node.name} stands in helpers, but the cell has no tag")
                if TEACHES in tags(cell) and without_docstrings(node) != known.get(node.name):
                    found.append(f"{cell['id']}: {node.name} differs from helpers")
            elif TEACHES in tags(cell):
                name = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""
                if ast.dump(node) != known.get(name):
                    found.append(f"{cell['id']}: {ast.unparse(node)} is not in helpers")
    return found


def own_framework(path):
    return path.parent.name if path.parent.name in FRAMEWORKS else "pytorch"


def test_there_are_six_steps_in_both_frameworks():
    names = ["01_data", "02_embedding_layer", "03_skip_gram", "04_loss", "05_training", "06_similarity"]
    for framework in FRAMEWORKS:
        found = sorted(path.stem for path in (NOTEBOOKS / framework).glob("*.ipynb"))
        assert found[:6] == names
        assert [int(name[:2]) for name in found] == sorted({int(name[:2]) for name in found})


def test_the_twins_are_equal(pair):
    assert differences(*pair) == []


def test_at_least_three_fifths_of_the_cells_are_shared(pair):
    for notebook in pair:
        shared = [cell for cell in notebook["cells"] if framework_of(cell) is None]
        assert len(shared) >= 0.6 * len(notebook["cells"])


def test_what_is_taught_is_what_helpers_holds(path):
    assert not_taught_as_in_helpers(code_cells(read_notebook(path)), own_framework(path)) == []


@pytest.mark.parametrize("model", ["model_pytorch", "model_mxnet"])
def test_every_public_definition_is_taught_in_exactly_one_step(model):
    framework, public = model.removeprefix("model_"), set()
    for module in ("examples", model):
        definitions = [node for node in tree_of(module).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
        public |= {node.name for node in definitions if not node.name.startswith("_")}
    public |= {name for name, thing in vars(blocks).items() if inspect.isfunction(thing) and thing.__module__ == "helpers.beyond.blocks"}
    public.remove("load_blocks")  # as load_data, step by step
    taught = {}
    for name in steps():
        for cell in code_cells(read_notebook(NOTEBOOKS / framework / name)):
            if TEACHES in tags(cell):
                for defined in defined_names(cell):
                    taught.setdefault(defined, []).append(name)
    assert len(public) >= 25
    assert {name: taught.get(name) for name in public if len(taught.get(name, ())) != 1} == {}


def test_a_taught_function_has_at_most_15_lines_and_a_cell_without_one_too(path):
    for cell in code_cells(read_notebook(path)):
        for name, node in functions_and_classes(cell["text"]).items():
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno + 1 <= 15, f"{cell['id']}: {name}"
        if TEACHES not in tags(cell) and not cell["id"].startswith(("imports", "parameters")):
            assert len([line for line in cell["text"].splitlines() if line.strip()]) <= 15, cell["id"]


def test_ids_are_words_tags_are_known_and_the_format_is_4_5(path):
    notebook = read_notebook(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in notebook["cells"]:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cell["id"]), cell["id"]
        assert tags(cell) <= {TEACHES, VARIES, COMPARED, "parameters", "exercise"}, cell["id"]
        assert not {VARIES, COMPARED} <= tags(cell), f"{cell['id']} is compared though it varies"


def test_notebooks_share_one_set_up_cell(path):
    cells, first = ({cell["id"]: cell for cell in read_notebook(one)["cells"]} for one in (path, PATHS[0]))
    assert cells["set-up"]["text"] == first["set-up"]["text"]


def test_each_notebook_has_parameters_after_its_set_up(lesson):
    cells = {cell["id"]: cell for cell in read_notebook(lesson)["cells"]}
    assert tags(cells["parameters"]) == {"parameters"}
    assert {"corpus", "seed", "strict"} <= defined_names(cells["parameters"])
    order = list(cells)
    assert order.index("set-up") < order.index("parameters")


def test_notebooks_import_functions_and_never_modules_from_helpers(path):
    for cell in code_cells(read_notebook(path)):
        for node in ast.walk(ast.parse(cell["text"])):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("helpers") for alias in node.names), cell["id"]
            if isinstance(node, ast.ImportFrom) and node.module == "helpers":
                raise AssertionError(f"{cell['id']} imports a module")
            if isinstance(node, ast.alias) and node.asname == "np":
                assert node.name == "numpy", cell["id"]


def stains(notebook):
    """Sentences for all that a notebook fresh from `helpers.twins run` does not hold."""
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    found = [] if counts == list(range(1, len(counts) + 1)) else [f"the cells were not run once each, in their order: {counts}"]
    if set(notebook["metadata"]) != {"kernelspec", "language_info"}:
        found.append(f"the notebook holds other metadata: {', '.join(notebook['metadata'])}")
    for cell in notebook["cells"]:
        if set(cell["metadata"]) - {"tags"}:
            found.append(f"{cell['id']} holds metadata other than tags")
        for output in cell.get("outputs", ()):
            text = {kind: content for kind, content in output.get("data", {}).items() if "image" not in kind}
            shown = json.dumps([output.get("text", ""), text])
            problems = {
                "ends in an error": output["output_type"] == "error",
                "writes to stderr": output.get("name") == "stderr",
                "shows another count than its own": output.get("execution_count", cell["execution_count"]) != cell["execution_count"],
                "shows a path of one machine": re.search(r"/(home|root|Users|tmp|work)/|[A-Z]:\\\\", shown),
                "holds a bar's unfinished states": "\\r" in shown,
                "holds an SVG": "image/svg+xml" in output.get("data", {}),
            }
            found += [f"{cell['id']} {problem}" for problem, there in problems.items() if there]
    return found


def test_outputs_are_fresh_whole_and_clean(path):
    assert path.stat().st_size < 300_000
    assert stains(read_notebook(path)) == []


def test_every_notebook_has_a_figure_with_a_description_and_each_says_what_it_shows(lesson):
    figures = 0
    for cell in code_cells(read_notebook(lesson)):
        for position, output in enumerate(cell["outputs"]):
            if "image/png" in output.get("data", {}):
                figures += 1
                alt = output["metadata"]["image/png"]["alt"]
                assert len(alt.split()) >= 6 and alt.endswith("."), cell["id"]
                below = "".join("".join(other.get("text", "")) for other in cell["outputs"][position + 1 :])
                assert alt in below, f"{cell['id']} prints no description"
                tables = "".join("".join(other.get("data", {}).get("text/html", "")) for other in cell["outputs"][position + 1 :])
                assert "</td></tr></table>" in tables or alt.startswith("Loss in training"), f"{cell['id']}: its numbers are in no table"
    assert figures >= 1


def test_each_notebook_has_three_compared_cells_with_outputs(lesson):
    compared = [cell for cell in code_cells(read_notebook(lesson)) if COMPARED in tags(cell)]
    assert len(compared) >= 3
    assert all(cell["outputs"] for cell in compared)


def test_each_notebook_opens_with_one_title_objectives_and_links_and_ends_with_the_next_step(lesson):
    cells = [cell for cell in read_notebook(lesson)["cells"] if cell["cell_type"] == "markdown"]
    headings = [line for cell in cells for line in cell["text"].splitlines() if re.match(r"#+ ", line)]
    levels = [len(line.split()[0]) for line in headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:])), headings
    assert "After this notebook you can" in cells[0]["text"]
    assert re.search(r"minutes?|seconds", cells[0]["text"]) and re.search(r"\d MB|\d GB", cells[0]["text"])
    assert "## Exercises" in headings and "](" in cells[-1]["text"]
    assert COST.search(cells[0]["text"]), "`helpers.twins measure` finds no sentence to refresh"


def test_each_notebook_has_three_to_five_exercises_each_with_a_check_of_its_own_step(lesson):
    exercises = [cell for cell in code_cells(read_notebook(lesson)) if "exercise" in tags(cell)]
    assert 3 <= len(exercises) <= (12 if lesson.stem == "11_find_the_bug" else 5)  # its six labs have two each
    for number, cell in enumerate(exercises, 1):
        assert "return ..." in cell["text"], f"{cell['id']} is answered"
        assert f'check("{lesson.stem[:2]}.{number}", {next(iter(functions_and_classes(cell["text"])))})' in cell["text"]


def test_every_step_has_solutions_in_both_frameworks():
    names = sorted({path.name for path in LESSONS})
    for framework in FRAMEWORKS:
        assert sorted(path.name for path in SOLUTIONS if path.parent.name == framework) == names


def test_solutions_answer_each_exercise_of_their_step_and_each_check_says_right(solution):
    step = next(path for path in LESSONS if path.name == solution.name and path.parent.name in (solution.parent.name, "beyond"))
    asked, answered = ([cell for cell in code_cells(read_notebook(path)) if "exercise" in tags(cell)] for path in (step, solution))
    assert [cell["id"] for cell in asked] == [cell["id"] for cell in answered]
    for question, answer in zip(asked, answered):
        head, call = question["text"].split("    return ...")
        assert answer["text"].startswith(head) and answer["text"].endswith(call)
        assert COMPARED in tags(answer) and printed(answer).endswith(": right\n")


def test_links_in_notebooks_lead_to_files(path):
    for cell in read_notebook(path)["cells"]:
        if cell["cell_type"] == "markdown":
            for target in re.findall(r"\]\(([^)#]+)\)", cell["text"]):
                if not target.startswith("http"):
                    assert (path.parent / target).exists(), f"{cell['id']}: {target}"


def test_no_long_extract_of_a_text_stands_in_an_output(path):
    for cell in code_cells(read_notebook(path)):
        for line in printed(cell).splitlines():
            assert len(re.findall(r"[a-z]+", line)) < 45, cell["id"]


# The rules catch what they are for: each breaks a copy of a real pair in one way.


def broken(pair, edit):
    pair = copy.deepcopy(pair)
    edit(*({cell["id"]: cell for cell in notebook["cells"]} for notebook in pair), *pair)
    return differences(*pair)


@pytest.fixture
def loss_pair():
    return [read_notebook(NOTEBOOKS / framework / "04_loss.ipynb") for framework in FRAMEWORKS]


def set_text(cell, text):
    cell["text"] = text


BREAKS = {
    "another source": lambda one, two, *_: set_text(two["blind-loss"], "pass"),
    "another tags": lambda one, two, *_: two["blind-loss"]["metadata"].update(tags=[]),
    "prints another text": lambda one, two, *_: two["example"]["outputs"].clear(),
    "stands twice": lambda one, two, first, second: first["cells"].append(one["blind-loss"]),
    "part at": lambda one, two, first, second: second["cells"].remove(two["blind-loss"]),
    "should be one shared cell": lambda one, two, *_: (set_text(one["loss-pytorch"], "a = 1"), set_text(two["loss-mxnet"], "a = 1")),
    "defines other names": lambda one, two, *_: set_text(two["loss-mxnet"], "class Loss:\n    pass"),
    "stands in the mxnet variant": lambda one, two, first, second: second["cells"].append(one["loss-pytorch"]),
    "another sequence": lambda one, two, first, second: second["cells"].remove(two["loss-mxnet"]),
}


STAINS = {
    "were not run once each": lambda cell, output, notebook: cell.update(execution_count=99),
    "the notebook holds other metadata": lambda cell, output, notebook: notebook["metadata"].update(papermill={"duration": 5}),
    "holds metadata other than tags": lambda cell, output, notebook: cell["metadata"].update(execution={"iopub.status.idle": "now"}),
    "ends in an error": lambda cell, output, notebook: output.update(output_type="error"),
    "writes to stderr": lambda cell, output, notebook: output.update(name="stderr"),
    "shows another count": lambda cell, output, notebook: output.update(execution_count=99),
    "a path of one machine": lambda cell, output, notebook: output.update(text="see /home/someone/file"),
    "unfinished states": lambda cell, output, notebook: output.update(text="10 %\r20 %"),
    "holds an SVG": lambda cell, output, notebook: output.update(data={"image/svg+xml": "<svg/>"}),
}


@pytest.mark.parametrize("sentence", STAINS)
def test_each_stain_on_the_outputs_is_named(loss_pair, sentence):
    notebook, _ = loss_pair
    cell = next(cell for cell in code_cells(notebook) if cell["outputs"])
    STAINS[sentence](cell, cell["outputs"][0], notebook)
    assert any(sentence in stain for stain in stains(notebook)), stains(notebook)


@pytest.mark.parametrize("sentence", BREAKS)
def test_each_way_to_break_the_twins_is_named(loss_pair, sentence):
    assert differences(*loss_pair) == []
    assert any(sentence in difference for difference in broken(loss_pair, BREAKS[sentence])), broken(loss_pair, BREAKS[sentence])


def test_an_untagged_and_a_changed_definition_are_named():
    cells = code_cells(read_notebook(NOTEBOOKS / "pytorch" / "04_loss.ipynb"))
    taught = next(cell for cell in cells if cell["id"] == "blind-loss")
    changed = {**taught, "text": taught["text"].replace("(1 - share)", "(2 - share)")}
    untagged = {**taught, "metadata": {}}
    assert "differs from helpers" in not_taught_as_in_helpers([changed], "pytorch")[0]
    assert "has no tag" in not_taught_as_in_helpers([untagged], "pytorch")[0]


def test_copying_shared_cells_makes_the_twins_equal_again_and_keeps_the_frameworks_own(loss_pair, tmp_path):
    source, target = copy.deepcopy(loss_pair)
    cells = {cell["id"]: cell for cell in source["cells"]}
    cells["blind-loss"]["source"] = [cells["blind-loss"]["text"] + "\n# changed\n"]
    write_notebook(tmp_path / "source.ipynb", source)
    copied = copy_shared(read_notebook(tmp_path / "source.ipynb"), target)
    write_notebook(tmp_path / "target.ipynb", copied)
    one, two = (read_notebook(tmp_path / f"{name}.ipynb") for name in ("source", "target"))
    assert differences(one, two) == []
    own = [[cell for cell in notebook["cells"] if framework_of(cell)] for notebook in (loss_pair[1], two)]
    assert own[0] == own[1]


def test_what_a_notebook_costs_is_told_for_one_variant_and_for_two():
    assert told_cost({"": (12.1, 0.304)}) == "in about 15 seconds on two cores and takes 0.30 GB of memory"
    both = told_cost({"pytorch": (40, 1), "mxnet": (55.5, 0.376)})
    memory = "1.00 GB (PyTorch) or 0.38 GB (MXNet) of memory"
    assert both == f"in about 40 seconds (PyTorch) or 60 seconds (MXNet) on two cores and takes {memory}"
    assert COST.fullmatch(both)
    alike = told_cost({"pytorch": (7, 0.8), "mxnet": (9, 0.4)})
    assert alike == "in about 10 seconds on two cores and takes 0.80 GB (PyTorch) or 0.40 GB (MXNet) of memory"
    assert COST.fullmatch(alike)


def test_copying_names_an_own_cell_that_has_no_counterpart(loss_pair):
    source, target = loss_pair
    target["cells"] = [cell for cell in target["cells"] if cell["id"] != "loss-mxnet"]
    with pytest.raises(ValueError, match="no cell of its own for loss-pytorch"):
        copy_shared(source, target)
