"""The house: which module may import which, that no two share a name, and how large the lesson's part is."""

import ast
from collections import Counter

import pytest

from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, ROOT, lessons, read_notebook

HELPERS = ROOT / "helpers"
# In their order: each may import those before it.
LESSON = "arguments", "figures", "drawings", "corpus", "examples", "training", "model_pytorch", "model_mxnet", "vectors"
ALLOWED = {  # room: the rooms that it may import from
    "lesson": {"lesson"},
    "beyond": {"lesson", "beyond"},
    "exercises": {"lesson", "beyond", "exercises"},
    "tools": {"lesson", "beyond", "exercises", "tools"},
}
MOST_LOADED, MOST_OF_ALL, MOST_DRAWN = 1470, 1650, 495  # lines; nobody needs to read the drawings
LAZY = {("corpus", "beyond.texts"), ("figures", "beyond.lettering")}  # for a text of one's own, inside functions
SIX_STEPS = [path for framework in FRAMEWORKS for path in lessons(framework, beyond=False) if int(path.name[:2]) <= 6]


def modules():
    """Return all modules of helpers, {name without "helpers.": path}; a package has its own name."""
    paths = {path: path.relative_to(HELPERS).with_suffix("").parts for path in sorted(HELPERS.rglob("*.py"))}
    return {".".join(parts).removesuffix(".__init__"): path for path, parts in paths.items() if parts != ("__init__",)}


def imported(source):
    """Return the modules of helpers that a program imports anywhere in it, without "helpers."."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            names = [f"{node.module}.{alias.name}" for alias in node.names] + [node.module]
        found |= {name.removeprefix("helpers.") for name in names if name.startswith("helpers.")}
    return found & modules().keys()


def room(name):
    return name.split(".")[0] if name.split(".")[0] in ALLOWED else "lesson"


def code_of(path):
    return "\n".join(cell["text"] for cell in read_notebook(path)["cells"] if cell["cell_type"] == "code")


@pytest.mark.parametrize("name", modules())
def test_a_module_imports_only_what_stands_before_it(name):
    for other in imported(modules()[name].read_text(encoding="utf-8")) - {name}:
        if (name, other) in LAZY:
            continue
        assert room(other) in ALLOWED[room(name)], f"{name} imports {other}"
        if room(name) == "lesson":
            assert LESSON.index(other) < LESSON.index(name), f"{name} imports {other}, which comes after it"


def test_the_lesson_holds_these_modules_and_no_other():
    assert sorted(name for name in modules() if room(name) == "lesson") == sorted(LESSON)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.rglob("*.ipynb")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_no_notebook_imports_a_command_and_none_of_the_six_steps_what_lies_beyond(path):
    rooms = {room(name) for name in imported(code_of(path))}
    assert rooms <= ({"lesson", "exercises"} if path in SIX_STEPS else {"lesson", "beyond", "exercises"})


def loaded(names):
    """Return the modules that importing these loads, themselves included; what is imported in a function only is not."""
    found, waiting = set(), set(names)
    while waiting:
        name = waiting.pop()
        found.add(name)
        tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
        top = ast.Module([node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))], [])
        waiting |= imported(ast.unparse(top)) - found
    return found


def num_lines(names):
    return sum(len(modules()[name].read_text(encoding="utf-8").splitlines()) for name in names)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_what_the_six_steps_load_is_small(framework):
    paths = [path for path in SIX_STEPS if path.parent.name == framework]
    names = {name for path in paths for name in imported(code_of(path)) if room(name) == "lesson"}
    assert {room(name) for name in loaded(names)} == {"lesson"}
    assert num_lines(loaded(names) - {"drawings"}) <= MOST_LOADED


def test_the_lessons_modules_are_small():
    assert num_lines(name for name in LESSON if name != "drawings") <= MOST_OF_ALL
    assert num_lines(["drawings"]) <= MOST_DRAWN


def test_no_two_modules_share_a_name_but_a_command_and_what_it_calls():
    names = Counter(name.split(".")[-1] for name in modules() if room(name) != "tools" and "." not in name or room(name) == "beyond")
    assert [name for name, count in names.items() if count > 1 and name != "figures"] == []


def public_names(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
    names |= {node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
    return {name for name in names if not name.startswith("_")}


def twin(name):
    return name.replace("mxnet", "pytorch")


def test_a_public_name_means_one_thing():
    homes = {}
    for name, path in modules().items():
        if room(name) != "exercises":
            for public in public_names(path) - {"main"}:
                homes.setdefault(public, set()).add(twin(name))
    assert {public: sorted(found) for public, found in homes.items() if len(found) > 1} == {}
