"""What step 2 folds answers its exercise, and the checks name what learners write."""

import numpy as np
import pytest

from helpers.exercises import fault_of, find
from helpers.tools.twins import FOLDED
from tests.forms import forms_of


@pytest.fixture(scope="module")
def forms():
    """The functions of the notebook's folded cells, {name: function}."""
    return forms_of("pytorch/02_embedding_layer.ipynb", FOLDED, np=np)


def test_the_folded_cell_below_the_exercise_answers_it(forms):
    assert fault_of(find("02.1"), forms["one_hot_of"], np.random.default_rng(0)) == ""


SAID_OF_02 = {
    "row 0 is a row too": lambda words, mask: np.unique(words * mask),
    "look at the mask": lambda words, mask: sorted(set(words.ravel())),
    "each row once": lambda words, mask: [word for word, valid in zip(words.ravel(), mask.ravel()) if valid],
    "use mask == 1": lambda words, mask: np.unique(words[mask]),
    "name them": lambda words, mask: len(set(words[mask == 1])),
}


@pytest.mark.parametrize("message", SAID_OF_02)
def test_a_usual_fault_is_named_as_a_learner_writes_it(message):
    assert message in fault_of(find("02.2"), SAID_OF_02[message], np.random.default_rng(0))
