"""Step 2 teaches a form that reads better than the one in helpers: both are equal."""

import ast

import numpy as np
import pytest

from helpers.examples import generator, initial_tables
from helpers.exercises import fault_of, find
from helpers.twins import CLEAR, FOLDED, NOTEBOOKS, read_notebook, tags


@pytest.fixture(scope="module")
def forms():
    """The functions of the notebook's clear and folded cells, {name: function}."""
    found = {"np": np, "generator": generator}
    for cell in read_notebook(NOTEBOOKS / "pytorch" / "02_embedding_layer.ipynb")["cells"]:
        if tags(cell) & {CLEAR, FOLDED}:
            exec(compile(ast.parse(cell["text"]), cell["id"], "exec"), found)
    return found


@pytest.mark.parametrize("vocab_size, embed_size, seed", [(20, 4, 0), (7, 30, 1), (6719, 100, 12)])
def test_new_tables_are_the_initial_tables_of_helpers(forms, vocab_size, embed_size, seed):
    ours, theirs = (forms["new_tables"](vocab_size, embed_size, seed), initial_tables(vocab_size, embed_size, seed))
    for one, other in zip(ours, theirs, strict=True):
        assert one.dtype == other.dtype == np.float32
        assert np.array_equal(one, other)


def test_the_folded_cell_below_the_exercise_answers_it(forms):
    assert fault_of(find("02.1"), forms["one_hot_of"], np.random.default_rng(0)) == ""


SAID_OF_02 = {
    "row 0 is a row too": lambda words, mask: np.unique(words * mask),
    "look at the mask": lambda words, mask: sorted(set(words.ravel())),
    "each row once": lambda words, mask: [word for word, valid in zip(words.ravel(), mask.ravel()) if valid],
    "name them": lambda words, mask: len(set(words[mask == 1])),
}


@pytest.mark.parametrize("message", SAID_OF_02)
def test_a_usual_fault_is_named_as_a_learner_writes_it(message):
    assert message in fault_of(find("02.2"), SAID_OF_02[message], np.random.default_rng(0))
