"""Every tensor is where it has to be: what trains on a pretended card, whose tensors mix with no others, gives the same bits."""

import functools
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

from benchmarks.runs import in_a_process

NUM_EPOCHS = 2


def stopped_after(num_calls, function):
    """Return the function as one whose user presses Ctrl-C in the call after `num_calls`."""
    left = iter(range(num_calls))

    @functools.wraps(function)
    def stopping(*arguments):
        if next(left, None) is None:
            raise KeyboardInterrupt
        return function(*arguments)

    return stopping


class Trainings:
    """What trains on a small text; each way returns the tables and, per epoch, the loss and the held-out loss."""

    def __init__(self, text):
        from helpers import model_pytorch as model
        from helpers.beyond.blocks import load_blocks

        self.model, (self.data, self.vocab) = model, model.load_data(text, 128, 5, 5)
        self.blocks = load_blocks(text, 5, 5)[0]

    def result(self, net, history):
        return [*self.model.to_arrays(net), np.array([epoch[:2] for epoch in history])]

    def train(self, device, step):
        net = self.model.new_model(len(self.vocab), 8, seed=0)
        history = self.model.train(net, self.data, 0.01, NUM_EPOCHS, device, step)
        similar = self.model.get_similar_tokens(self.vocab.to_tokens(5), 3, net[0], self.vocab)
        return [*self.result(net, history), similar]

    def resumable_train(self, device, path, num_steps=None):
        from helpers.beyond.resuming_pytorch import resumable_train

        step = self.model.train_batch if num_steps is None else stopped_after(num_steps, self.model.train_batch)
        net = self.model.new_model(len(self.vocab), 8, seed=0)
        return self.result(net, resumable_train(net, self.data, 0.01, NUM_EPOCHS, device, step, path))

    def train_on_device(self, device, path, num_steps=None):
        from helpers.beyond import blocks_device as module

        step = module.train_wave if num_steps is None else stopped_after(num_steps, module.train_wave)
        net = self.model.new_model(len(self.vocab), 8, seed=0)
        with mock.patch.object(module, "train_wave", step):
            return self.result(net, module.train_on_device(net, self.blocks, 0.04, NUM_EPOCHS, device, path))


def resumed_elsewhere(way, first, second, num_steps):
    """Train on one device until Ctrl-C comes after `num_steps`, and from there on another; returns what came out."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state.safetensors"
        with pytest.raises(KeyboardInterrupt):
            way(first, path, num_steps)
        return way(second, path)


def equal(one, other):
    return all(map(np.array_equal, one, other))


def waits_of_a_piece(blocks, card, blocks_per_wave):
    """Return how often the processor waits for the card in a piece."""
    import torch

    from helpers.beyond.blocks_device import DeviceBlocks, train_device_pieces, train_wave
    from tests.pretended_card import waits

    data = DeviceBlocks(blocks, card, blocks_per_wave)
    tables = [torch.zeros(len(blocks.counts), 8).to(card) for _ in range(2)]
    waits.clear()
    assert len(list(train_device_pieces(train_wave, tables, data, 0.01, 1, 0))) == 1
    return len(waits)


def on_both(text):
    """Train in all ways on the processor and on the card; returns {way: whether the same came out}, with what mixing and waiting give."""
    import torch

    from helpers.beyond.gradients_pytorch import fast_train_batch
    from tests.pretended_card import pretended_card

    trainings = Trainings(text)
    found = {}
    with pretended_card() as card:
        there = torch.ones(3, 2).to(card)
        mixtures = {
            "sum": lambda: there + torch.ones(3, 2),
            "lookup": lambda: torch.nn.functional.embedding(torch.zeros(2, dtype=torch.int64), there),
            "write": lambda: there[0].copy_(torch.ones(2)).add_(torch.ones(2)),
        }
        for name, mix in mixtures.items():
            with pytest.raises(RuntimeError, match="tensors of the processor among those of the card"):
                mix()
            found[name] = True
        for step in (trainings.model.train_batch, fast_train_batch):
            found[step.__name__] = equal(*(trainings.train(device, step) for device in (card, "cpu")))
        for way, num_steps in ((trainings.resumable_train, 100), (trainings.train_on_device, 60)):
            wanted = way("cpu", None)
            found[way.__name__] = equal(way(card, None), wanted)
            for first, second in ((card, "cpu"), ("cpu", card)):
                place = f"{way.__name__}, begun on {first}"
                found[place] = equal(resumed_elsewhere(way, first, second, num_steps), wanted)
        found["the same waits for 2 blocks at once as for 64"] = len({waits_of_a_piece(trainings.blocks, card, n) for n in (2, 64)}) == 1
    return found


def test_training_similarity_and_checkpoints_on_a_card_are_those_of_the_processor(small_text):
    found = in_a_process(on_both, str(small_text))
    print(found)
    assert len(found) == 12 and all(found.values()), found
