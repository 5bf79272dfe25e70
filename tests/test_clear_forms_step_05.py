"""The clear forms of step 5, taken from the committed notebooks, give on random texts what helpers give; so does `on_the_toy`."""

import importlib
import re

import numpy as np
import pytest

from helpers.beyond.notebooks import NOTEBOOKS, read_notebook
from helpers.corpus import Text
from helpers.examples import Vocab, load_minibatches
from helpers.exercises import fault_of, find
from helpers.tools.twins import CLEAR
from helpers.training import means
from helpers.vectors import find_vectors, keep_vectors
from tests.forms import forms_of

SEEDS = range(3)


@pytest.fixture(scope="module", params=["pytorch", "mxnet"])
def framework(request):
    return request.param


@pytest.fixture(scope="module")
def model(framework):
    return importlib.import_module(f"helpers.model_{framework}")


@pytest.fixture(scope="module")
def lesson(framework):
    return {cell["id"].removesuffix(f"-{framework}"): cell for cell in read_notebook(NOTEBOOKS / framework / "05_training.ipynb")["cells"]}


@pytest.fixture(scope="module")
def forms(framework, model):
    """The functions of the notebook's clear-form cells, {name: function}; what they call comes from helpers."""
    return forms_of(f"{framework}/05_training.ipynb", CLEAR, **vars(model))


def draw_data(model, seed):
    """Minibatches of a random text with a held-out part, and its Vocab; the last minibatch is short."""
    rng = np.random.default_rng(seed)
    sentences = [[f"w{word}" for word in rng.integers(0, 40, rng.integers(1, 30))] for _ in range(300)]
    vocab = Vocab(sentences, 1)
    return load_minibatches(Text("random", sentences, sentences[:40]), vocab, 50, 3, 4, seed, model.to_tensor), vocab


def test_every_clear_form_is_compared_here(forms):
    assert set(forms) == {"mean_held_out_loss", "simple_train"}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_simple_loop_ends_with_the_tables_and_the_losses_of_train(forms, model, seed, capsys):
    data_iter, vocab = draw_data(model, seed)
    simple, full = (model.new_model(len(vocab), 6, seed) for _ in range(2))
    found = forms["simple_train"](simple, data_iter, 0.01, 2, model.get_device("cpu"))
    printed = np.array(re.findall(r"epoch \d: loss (.*), held out (.*)\n", capsys.readouterr().out), float)
    history = model.train(full, data_iter, 0.01, 2, "cpu")
    for one, other in zip(model.to_arrays(simple), model.to_arrays(full)):
        assert np.array_equal(one, other)
    np.testing.assert_allclose(found, (history[-1].loss, history[-1].held_out), rtol=1e-5)
    np.testing.assert_allclose(printed, [(epoch.loss, epoch.held_out) for epoch in history], atol=6e-4)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mean_held_out_loss_is_that_of_the_totals(forms, model, seed):
    data_iter, vocab = draw_data(model, seed)
    net, device = model.new_model(len(vocab), 6, seed), model.get_device("cpu")
    totals = model.held_out_loss(net, data_iter.held_out, device)
    assert forms["mean_held_out_loss"](net, data_iter.held_out, device) == pytest.approx(means(totals)[0], rel=1e-5)


def steps_with_a_fault(framework):
    """Wrong answers to the exercise on the training step, {part of the message that tells it: function}."""
    if framework == "pytorch":

        def step(net, batch, optimizer, device, zero=True, loss=lambda losses: losses.sum(), move=True, returned=lambda losses: losses):
            from helpers.model_pytorch import batch_loss

            if zero:
                optimizer.zero_grad()
            losses = batch_loss(net, batch, device)
            loss(losses).backward()
            if move:
                optimizer.step()
            return returned(losses)

        faults = {"add up": {"zero": False}, "not of their mean": {"loss": lambda losses: losses.mean()},
                  "the loss grows": {"loss": lambda losses: -losses.sum()}, "never move": {"move": False},
                  "not their sum": {"returned": lambda losses: losses.sum()},
                  "sum the losses first": {"loss": lambda losses: losses}}  # fmt: skip
    else:

        def step(net, batch, optimizer, device, divisor=1, sign=1, move=True, returned=lambda losses: losses):
            from mxnet import autograd

            from helpers.model_mxnet import batch_loss

            with autograd.record():
                losses = batch_loss(net, batch, device)
                loss = sign * losses
            loss.backward()
            if move:
                optimizer.step(divisor or len(losses))
            return returned(losses)

        faults = {"not of their mean": {"divisor": None}, "the loss grows": {"sign": -1}, "never move": {"move": False},
                  "not their sum": {"returned": lambda losses: losses.sum()}}  # fmt: skip
    return {message: lambda *given, fault=fault: step(*given, **fault) for message, fault in faults.items()}


@pytest.fixture(scope="module")
def on_the_toy(framework):
    return importlib.import_module(f"helpers.exercises.toy_{framework}").on_the_toy


@pytest.mark.parametrize("seed", range(10))
def test_the_step_of_helpers_is_right_and_one_that_is_not_there_is_told_so(on_the_toy, model, seed):
    for step, told in (
        (model.train_batch, ""),
        (lambda *_: ..., None),
        (lambda *_: None, "your function returns nothing; does it end with return?"),
    ):
        assert fault_of(find("05.2"), on_the_toy(step), np.random.default_rng(seed)) == told


@pytest.mark.parametrize("seed", range(3))
def test_each_wrong_step_is_told_by_its_own_message_in_either_framework(framework, on_the_toy, seed):
    for message, step in steps_with_a_fault(framework).items():
        told = fault_of(find("05.2"), on_the_toy(step), np.random.default_rng(seed))
        assert message in told, (message, told)


def test_the_cells_say_what_they_showed(lesson):
    """The fall of the loss on the small text, its equal tables, and the numbers of the toy stand in the committed outputs."""
    shown = {name: "".join(text for output in cell.get("outputs", ()) for text in output.get("text", ())) for name, cell in lesson.items()}
    assert shown["small-train"].endswith("both fell below half of ln 2: True\n")
    assert shown["train-equal"] == "equal tables: True\n"
    assert [line.split()[-1] for line in shown["steps"].splitlines()] == ["0.661", "0.597", "0.051"]


def test_what_step_5_keeps_is_what_step_6_finds(framework, model, monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path))
    data_iter, vocab = draw_data(model, 0)
    net = model.new_model(len(vocab), 6, 0)
    history = model.train(net, data_iter, 0.01, 2, "cpu", keep=range(3))
    keep_vectors(framework, model.to_arrays(net), vocab, data_iter, history, 0.01)
    vectors, _ = find_vectors(framework, data_iter, vocab, 6, 0.01, 2, 0)
    assert np.array_equal(vectors.embed_v, model.to_arrays(net)[0]) and np.array_equal(vectors.embed_u, model.to_arrays(net)[1])
    assert list(vectors.frames) == [0, 1, 2] and vectors.settings["epochs"][1]["loss"] == history[1].loss
    told = capsys.readouterr().out
    assert "vectors kept, with the tables of centers of epochs 0, 1, 2" in told and "trained in step 5 with these settings" in told


def test_a_cache_folder_that_cannot_be_written_is_told_and_a_named_file_is_an_error(framework, model, tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path / "file"))
    data_iter, vocab = draw_data(model, 0)
    net = model.new_model(len(vocab), 6, 0)
    history = model.train(net, data_iter, 0.01, 1, "cpu")
    keep_vectors(framework, model.to_arrays(net), vocab, data_iter, history, 0.01)
    assert "vectors not kept: the cache folder can't be written" in capsys.readouterr().out
    with pytest.raises(OSError):
        keep_vectors(framework, model.to_arrays(net), vocab, data_iter, history, 0.01, str(tmp_path / "file" / "v.safetensors"))
