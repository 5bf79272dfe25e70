"""Step 3 teaches forms that read better than those in helpers: all give the same scores."""

import ast
import importlib
import math

import numpy as np
import pytest

from helpers.beyond.notebooks import NOTEBOOKS, read_notebook
from helpers.exercises import fault_of, find


def function_of(framework, cell_id, **names):
    """Return the function that a cell of step 3 defines, with `names` in its reach."""
    cells = {cell["id"]: cell for cell in read_notebook(NOTEBOOKS / framework / "03_skip_gram.ipynb")["cells"]}
    (node,) = ast.parse(cells[cell_id]["text"]).body
    exec(compile(ast.Module([node], []), cell_id, "exec"), names)
    return names[node.name]


def random_case(rng, B, L, V, d):
    """Return ids of centers (B, 1) and words (B, L), and two tables (V, d) of float32."""
    tables = (rng.normal(0, 1, (V, d)).astype(np.float32) for _ in range(2))
    return rng.integers(0, V, (B, 1)), rng.integers(0, V, (B, L)), *tables


CASES = [(1, 1, 2, 1), (2, 6, 6, 2), (5, 7, 30, 10), (16, 60, 200, 100)]


def numbers(scores):
    """Return a framework's array as NumPy's."""
    return scores.asnumpy() if hasattr(scores, "asnumpy") else scores.detach().numpy()


@pytest.mark.parametrize("framework", ["pytorch", "mxnet"])
@pytest.mark.parametrize("sizes", CASES)
def test_scores_by_loops_and_the_notebooks_skip_gram_are_those_of_helpers(framework, sizes):
    model = importlib.import_module(f"helpers.model_{framework}")
    center, words, embed_v, embed_u = random_case(np.random.default_rng(3), *sizes)
    net = model.model_from_tables(embed_v, embed_u)
    ids = model.to_tensor(center), model.to_tensor(words)
    by_helpers = numbers(model.skip_gram(*ids, net[0], net[1]))
    library = {"torch": model.torch} if framework == "pytorch" else {"mx": model.mx}
    skip_gram = function_of(framework, f"skip-gram-{framework}", **library)
    by_notebook = numbers(skip_gram(*ids, net[0], net[1]))
    scores_by_loops = function_of(framework, "loops")
    by_loops = scores_by_loops(center, words, embed_v, embed_u)
    B, L, _, _ = sizes
    assert by_helpers.shape == by_notebook.shape == (B, 1, L)
    assert np.shape(by_loops) == (B, L)
    assert np.allclose(by_notebook, by_helpers, rtol=1e-5, atol=1e-5)
    assert np.allclose(by_loops, by_helpers[:, 0], rtol=1e-5, atol=1e-5)


def test_the_folded_cell_below_the_exercise_answers_it():
    assert fault_of(find("03.1"), function_of("pytorch", "loops"), np.random.default_rng(0)) == ""


@pytest.mark.parametrize("seed", range(5))
def test_the_mean_score_of_one_table_is_the_squared_length_of_its_mean_vector(seed):
    table = np.random.default_rng(seed).normal(0, 1, (9, 4))
    mean = table.mean(axis=0)
    assert math.isclose((table @ table.T).mean(), mean @ mean, rel_tol=1e-9, abs_tol=1e-12)


SAID_OF_03 = {
    "in embed_u, not in embed_v": lambda c, w, v, u: [[v[word] @ v[row[0]] for word in rest] for row, rest in zip(c, w)],
    "yours has it the other way round": lambda c, w, v, u: [[v[word] @ u[row[0]] for word in rest] for row, rest in zip(c, w)],
    "one axis more": lambda c, w, v, u: np.einsum("bid,bld->bil", v[c], u[w]),
    "keep the rows apart": lambda c, w, v, u: [u[word] @ v[row[0]] for row, rest in zip(c, w) for word in rest],
    "sum the products": lambda c, w, v, u: [[u[word] * v[row[0]] for word in rest] for row, rest in zip(c, w)],
}


@pytest.mark.parametrize("message", SAID_OF_03)
def test_a_usual_fault_is_named_as_a_learner_writes_it(message):
    assert message in fault_of(find("03.1"), SAID_OF_03[message], np.random.default_rng(0))
