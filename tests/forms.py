"""What the cells of a notebook define, taken from it as committed."""

import ast

from helpers.beyond.notebooks import NOTEBOOKS, read_notebook, tags


def forms_of(path, tag, /, **names):
    """Return {name: function or class} of all that the cells of a notebook with this tag define, with `names` in their reach."""
    space = dict(names)
    for cell in read_notebook(NOTEBOOKS / path)["cells"]:
        if tag in tags(cell):
            tree = ast.parse(cell["text"])
            tree.body = [node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
            exec(compile(tree, cell["id"], "exec"), space)
    return {name: form for name, form in space.items() if name not in {*names, "__builtins__"}}
