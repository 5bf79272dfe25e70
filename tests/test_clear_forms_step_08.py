"""The clear forms of step 8, taken from the committed notebooks, give on random inputs what the fast forms in helpers give."""

import numpy as np
import pytest

from helpers import model_pytorch
from helpers.beyond import blocks as made
from helpers.exercises import fault_of, find
from helpers.tools.twins import CLEAR
from helpers.training import means
from tests.forms import forms_of
from tests.training import beyond


@pytest.fixture
def trainer(model):
    """The framework's training on blocks."""
    return beyond(model, "blocks")


@pytest.fixture
def forms(model, trainer):
    """The functions of the notebook's clear-form cells, {name: function}; what they call is that of helpers."""
    path = f"{model.__name__.removeprefix('helpers.model_')}/08_blocks.ipynb"
    return forms_of(path, CLEAR, **{**vars(made), **vars(trainer), "means": means})


@pytest.fixture(scope="module")
def loaded(small_text):
    return made.load_blocks(small_text, 4, 5, seed=3)


def test_every_clear_form_is_compared_here(forms):
    assert set(forms) == {"columns_of", "update_by_hand", "train_on_blocks"}


def test_columns_of_are_those_with_weight_one(forms):
    table, rng = made.weight_table(4, 5), np.random.default_rng(0)
    for _ in range(50):
        place, (left, right) = rng.integers(made.BLOCK_SIZE), rng.integers(0, 5, 2)
        row = table[(place * 5 + left) * 5 + right]
        assert forms["columns_of"](place, left, right, 4) == np.flatnonzero(row[: -made.NOISE_PER_BLOCK] == 1).tolist()
    assert fault_of(find("08.1"), forms["columns_of"], rng) == ""


@pytest.mark.parametrize("number", range(3))
def test_update_by_hand_is_train_piece_with_one_update(forms, model, trainer, loaded, number):
    blocks, vocab = loaded
    piece = blocks.piece(1, 0)
    start = np.random.default_rng(number).normal(0, 0.4, (2 * len(vocab), 6)).astype(np.float32)
    wanted = forms["update_by_hand"](start, piece.ids[number], piece.patterns[number], blocks, 0.05)
    tables = model.to_tensor(start.copy())
    trainer.train_piece(tables, made.Piece(*(array[number : number + 1] for array in piece)), blocks, 0.05)
    assert np.abs(wanted - start).max() > 0.01
    np.testing.assert_allclose(tables.numpy() if model is model_pytorch else tables.asnumpy(), wanted, atol=2e-5)


def test_train_on_blocks_is_train_blocks(forms, model, trainer, loaded):
    blocks, vocab = loaded
    nets = [model.model_from_tables(*made.word2vec_tables(len(vocab), 8, seed=1)) for _ in range(2)]
    losses = forms["train_on_blocks"](nets[0], blocks, 0.05, 2)
    history = trainer.train_blocks(nets[1], blocks, 0.05, 2)
    np.testing.assert_allclose(losses, [(epoch.loss, epoch.held_out) for epoch in history], rtol=1e-5)
    for one, other in zip(*map(model.to_arrays, nets)):
        np.testing.assert_allclose(one, other, atol=1e-5)
