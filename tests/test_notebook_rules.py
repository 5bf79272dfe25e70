"""The rules of the house for notebooks, each with a broken notebook that it catches. Raw JSON is read throughout."""

import ast
import base64
import copy
import json
import re

import pytest

from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, STEPS, all_notebooks, defined_names, read_notebook, solutions_of, tags
from helpers.tools.twins import (  # fmt: skip
    CLEAR,
    COST,
    FOLDED,
    TEACHES,
    VARIES,
    copy_shared,
    differences,
    framework_of,
    pairs,
    printed,
    told_cost,
    variants,
    write_notebook,
)
from tests.conftest import ROOT

PATHS = all_notebooks()
SOLUTIONS = [path for path in PATHS if "solutions" in path.parts]
LESSONS = [path for path in PATHS if path not in SOLUTIONS]
COMPARED = "nbval-check-output"
MODULES = (
    "examples", "training", "vectors", "figures", "corpus", "beyond/blocks", "beyond/dynamic", "beyond/checkpoints", "beyond/subwords",
    "beyond/subwords_pytorch", "beyond/family", "beyond/family_counts", "beyond/blocks_device",
)  # fmt: skip
OF_A_FRAMEWORK = "model", "beyond/gradients", "beyond/blocks", "beyond/resuming"
SIX = [path for path in LESSONS if path.parent.name in FRAMEWORKS and path.stem[:2] <= "06"]


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


def only_requires(node):
    """Whether a statement is nothing but a call of a guard, `require_...(...)`."""
    call = node.value if isinstance(node, ast.Expr) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id.startswith("require_")


def as_taught(node):
    """The syntax tree of a definition as text, its docstrings and its guards left out."""
    node = copy.deepcopy(node)
    for inner in ast.walk(node):
        if isinstance(inner, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(inner) is not None:
            inner.body = inner.body[1:]
        if isinstance(getattr(inner, "body", None), list):
            inner.body = [statement for statement in inner.body if not only_requires(statement)]
    return ast.dump(node)


def tree_of(module):
    """The syntax tree of a module of helpers, which is read and not imported, so that no framework is needed."""
    return ast.parse((ROOT / "helpers" / f"{module}.py").read_text(encoding="utf-8"))


def in_helpers(framework):
    """Every top-level definition that a notebook of this framework can teach, with the constants beside it."""
    found = {}
    for name in (*MODULES, *(f"{name}_{framework}" for name in OF_A_FRAMEWORK)):
        for node in tree_of(name).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                found[node.name] = as_taught(node)
            elif isinstance(node, ast.Assign):
                found[ast.unparse(node.targets[0])] = ast.dump(node)
    return found


def not_taught_as_in_helpers(cells, framework):
    """Sentences for each definition that is untagged, or tagged and unlike the one in helpers."""
    known, found = in_helpers(framework), []
    for cell in cells:
        for node in ast.parse(cell["text"]).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                if not tags(cell) & {TEACHES, CLEAR} and node.name in known:
                    found.append(f"{cell['id']}: {node.name} stands in helpers, but the cell has no tag")
                if TEACHES in tags(cell) and as_taught(node) != known.get(node.name):
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


def test_what_is_taught_is_what_helpers_holds(path):
    assert not_taught_as_in_helpers(code_cells(read_notebook(path)), own_framework(path)) == []


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_nothing_is_taught_in_two_steps(framework):
    taught = {}
    for name in STEPS:
        for cell in code_cells(read_notebook(NOTEBOOKS / framework / f"{name}.ipynb")):
            if TEACHES in tags(cell):
                for defined in defined_names(cell):
                    taught.setdefault(defined, []).append(name)
    assert {name: places for name, places in taught.items() if len(places) > 1} == {}


def test_each_clear_form_is_compared_with_helpers_by_a_test_of_its_step(path):
    for cell in code_cells(read_notebook(path)):
        if CLEAR in tags(cell):
            tests = (ROOT / "tests" / f"test_clear_forms_step_{path.stem[:2]}.py").read_text(encoding="utf-8")
            for name in functions_and_classes(cell["text"]):
                assert name in tests, f"{cell['id']}: no test compares {name}"


def test_lines_are_at_most_88_characters_wide(path):
    for cell in code_cells(read_notebook(path)):
        for line in cell["text"].splitlines():
            assert len(line) <= 88, f"{cell['id']}: {line}"


def words_of(notebook):
    return sum(len(cell["text"].split()) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def lines_of(cells):
    return sum(bool(line.strip()) for cell in cells for line in cell["text"].splitlines())


@pytest.mark.parametrize("step", SIX, ids=id_of)
def test_a_step_is_small(step):
    notebook = read_notebook(step)
    most = (56, 160, 1700) if step.stem[:2] in ("01", "05") else (50, 120, 1500)
    sizes = len(notebook["cells"]), lines_of(code_cells(notebook)), words_of(notebook)
    assert all(size <= limit for size, limit in zip(sizes, most)), (sizes, most)


@pytest.mark.parametrize("step", SIX, ids=id_of)
def test_the_head_of_a_step_is_short(step):
    cells = code_cells(read_notebook(step))
    assert [cell["id"].removesuffix(f"-{framework_of(cell)}") for cell in cells[:3]] == ["set-up", "imports", "parameters"]
    assert lines_of(cells[:3]) <= 22
    ours = [node for node in ast.parse(cells[1]["text"]).body if isinstance(node, ast.ImportFrom) and node.module.startswith("helpers")]
    assert sum(len(node.names) for node in ours) <= 8


@pytest.mark.parametrize("step", SIX, ids=id_of)
def test_nothing_of_a_later_step_and_no_guard_stands_between_the_reader_and_the_idea(step):
    for cell in code_cells(read_notebook(step)):
        assert not re.search(r"require_|checkpoint|strict|helpers\.(beyond|scale|tools)|prepared", cell["text"], re.IGNORECASE), cell["id"]


def test_a_variant_speaks_of_its_own_framework_alone(path):
    if path.parent.name in FRAMEWORKS:
        other = {"pytorch": r"MXNet|\bmx\b", "mxnet": r"PyTorch|\btorch\b"}[path.parent.name]
        for cell in read_notebook(path)["cells"]:
            assert not re.search(other, cell["text"]) or cell["id"].startswith("links"), cell["id"]


def test_a_taught_function_has_at_most_20_lines_and_a_cell_without_one_too(path):
    for cell in code_cells(read_notebook(path)):
        for name, node in functions_and_classes(cell["text"]).items():
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno + 1 <= 20, f"{cell['id']}: {name}"
        if not tags(cell) & {TEACHES, CLEAR} and not cell["id"].startswith(("imports", "parameters")):
            assert lines_of([cell]) <= 20, cell["id"]


def test_ids_are_words_tags_are_known_and_the_format_is_4_5(path):
    notebook = read_notebook(path)
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in notebook["cells"]:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", cell["id"]), cell["id"]
        assert tags(cell) <= {TEACHES, CLEAR, FOLDED, VARIES, COMPARED, "parameters", "exercise"}, cell["id"]
        assert not {VARIES, COMPARED} <= tags(cell), f"{cell['id']} is compared though it varies"


def test_notebooks_share_one_set_up_cell(path):
    (cell,) = [cell for cell in read_notebook(path)["cells"] if cell["id"] == "set-up"]
    assert cell["text"] == 'import sys\n\nsys.path[:0] = [".", "../..", "../../.."]'


def test_each_notebook_has_parameters_after_its_set_up(lesson):
    cells = {cell["id"]: cell for cell in read_notebook(lesson)["cells"]}
    assert tags(cells["parameters"]) == {"parameters"}
    assert {"corpus", "seed"} <= defined_names(cells["parameters"])
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
    """Sentences for all that a notebook fresh from `helpers.tools.twins run` does not hold."""
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    found = [] if counts == list(range(1, len(counts) + 1)) else [f"the cells were not run once each, in their order: {counts}"]
    if set(notebook["metadata"]) != {"kernelspec", "language_info"}:
        found.append(f"the notebook holds other metadata: {', '.join(notebook['metadata'])}")
    for cell in notebook["cells"]:
        hidden = {"jupyter": {"source_hidden": True}} if FOLDED in tags(cell) else {}
        if {name: value for name, value in cell["metadata"].items() if name != "tags"} != hidden:
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
    assert path.stat().st_size < 450_000
    assert stains(read_notebook(path)) == []


def test_every_notebook_has_a_figure_with_a_description_and_each_says_what_it_shows(lesson):
    figures = 0
    for cell in code_cells(read_notebook(lesson)):
        for position, output in enumerate(cell["outputs"]):
            if "image/png" in output.get("data", {}):
                figures += 1
                alt, width = map(output["metadata"]["image/png"].get, ("alt", "width"))
                pixels = int.from_bytes(base64.b64decode("".join(output["data"]["image/png"]))[16:20], "big")
                assert pixels == pytest.approx(1.5 * width, abs=2), f"{cell['id']} is not sharp, or not shown in its size"
                assert len(alt.split()) >= 6 and alt.endswith("."), cell["id"]
                below = "".join("".join(other.get("text", "")) for other in cell["outputs"][position + 1 :])
                assert alt in below, f"{cell['id']} prints no description"
                tables = "".join("".join(other.get("data", {}).get("text/html", "")) for other in cell["outputs"][position + 1 :])
                assert "</td></tr></table>" in tables or alt.startswith("Loss in training"), f"{cell['id']}: its numbers are in no table"
    assert figures >= 1


def test_the_picture_of_the_readme_is_the_map_of_step_6():
    cells = {cell["id"]: cell for cell in read_notebook(NOTEBOOKS / "pytorch" / "06_similarity.ipynb")["cells"]}
    (drawn,) = [output["data"]["image/png"] for output in cells["map"]["outputs"] if "image/png" in output.get("data", {})]
    assert base64.b64decode("".join(drawn)) == (NOTEBOOKS / "words_in_frames.png").read_bytes()


def test_each_notebook_has_compared_cells_with_outputs(lesson):
    compared = [cell for cell in code_cells(read_notebook(lesson)) if COMPARED in tags(cell)]
    assert compared
    assert all(cell["outputs"] for cell in compared)


def test_each_notebook_opens_with_one_title_objectives_and_links_and_ends_with_the_next_step(lesson):
    cells = [cell for cell in read_notebook(lesson)["cells"] if cell["cell_type"] == "markdown"]
    headings = [line for cell in cells for line in cell["text"].splitlines() if re.match(r"#+ ", line)]
    levels = [len(line.split()[0]) for line in headings]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:])), headings
    assert "After this notebook you can" in cells[0]["text"]
    assert "## Exercises" in headings and "](" in cells[-1]["text"]
    assert COST.search(cells[1]["text"]), "`helpers.tools.twins measure` finds no sentence to refresh"


def test_each_exercise_has_a_check_of_its_own_step_minutes_and_a_difficulty(lesson):
    cells = read_notebook(lesson)["cells"]
    asked = [(before, cell) for before, cell in zip(cells, cells[1:]) if "exercise" in tags(cell)]
    assert asked
    for number, (before, cell) in enumerate(asked, 1):
        name = f"{lesson.stem[:2]}.{number}"
        assert "return ..." in cell["text"], f"{cell['id']} is answered"
        answer = next(iter(functions_and_classes(cell["text"])))
        assert re.search(rf'^check\("{name}", .*\b{answer}\b', cell["text"], re.MULTILINE), cell["id"]
        assert before["text"].startswith(f"**{name}** ") and re.search(r"\d+ minutes?, difficulty [123] of 3", before["text"]), cell["id"]


def test_each_notebook_asks_three_questions_with_folded_answers(lesson):
    (cell,) = [cell for cell in read_notebook(lesson)["cells"] if cell["id"] == "recall"]
    assert cell["text"].count("<details>") == cell["text"].count("</details>") == 3


def test_every_lesson_has_solutions():
    assert sorted(map(solutions_of, LESSONS)) == sorted(SOLUTIONS)


def test_solutions_answer_each_exercise_of_their_step_and_each_check_says_right(solution):
    (step,) = [path for path in LESSONS if solutions_of(path) == solution]
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
    "another heading": lambda one, two, *_: set_text(two["batch-loss-prose-mxnet"], "## Loss\n\nOf MXNet."),
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


def test_what_a_notebook_costs_is_told():
    assert told_cost(12.1, 0.304) == "in about 15 seconds on two cores and takes 0.30 GB of memory"
    assert COST.fullmatch(told_cost(12.1, 0.304))


def test_copying_names_an_own_cell_that_has_no_counterpart(loss_pair):
    source, target = loss_pair
    target["cells"] = [cell for cell in target["cells"] if cell["id"] != "loss-mxnet"]
    with pytest.raises(ValueError, match="no cell of its own for loss-pytorch"):
        copy_shared(source, target)
