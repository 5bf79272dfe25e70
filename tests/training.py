"""The trainings that the tests stop, kill and start again; as a program, one of them."""

import contextlib
import functools
import hashlib
import importlib
import json
import sys
from unittest import mock

from helpers.beyond import checkpoints
from helpers.beyond.blocks import load_blocks, word2vec_tables
from helpers.beyond.dynamic import load_dynamic_minibatches
from helpers.corpus import read_corpus
from helpers.examples import Vocab

WAYS = "plain", "resample", "blocks"


def beyond(model, name):
    """Return the module of `helpers.beyond` with that name that goes with a model's module."""
    return importlib.import_module(f"helpers.beyond.{name}_{model.__name__.rpartition('_')[2]}")


def load(model, way, text):
    """Return what a way trains on, and the vocabulary."""
    if way == "blocks":
        return load_blocks(text, 5, 5, seed=5)
    if way == "resample":
        found = read_corpus(text)
        vocab = Vocab(found.sentences, 10)
        return load_dynamic_minibatches(found, vocab, 128, 5, 5, 5, model.to_tensor), vocab
    return model.load_data(text, 128, 5, 5, seed=5)


def new_net(model, way, vocab_size):
    if way == "blocks":
        return model.model_from_tables(*word2vec_tables(vocab_size, 16, seed=5))
    return model.new_model(vocab_size, 16, seed=5)


def start(model, way, net, data, num_epochs, checkpoint_path=None, around=None, lr=0.01):
    """Train, with what `around(step)` returns in the place of each step, if it is given; returns the History.

    The step is `train_batch` of the plain and the resampled way, and `train_piece`, with twice the `lr`, of blocks.
    """
    if way == "blocks":
        blocks = beyond(model, "blocks")
        other = mock.patch.object(blocks, "train_piece", around(blocks.train_piece)) if around else contextlib.nullcontext()
        with other:
            return blocks.train_blocks(net, data, 2 * lr, num_epochs, checkpoint_path=checkpoint_path)
    step = functools.wraps(model.train_batch)(around(model.train_batch)) if around else model.train_batch
    return beyond(model, "resuming").resumable_train(net, data, lr, num_epochs, "cpu", step, checkpoint_path)


def tell_the_first_step(step):
    """Print a line at the first step: before it PyTorch imports for seconds, when a kill would prove nothing."""
    told = []

    def first(*arguments):
        if not told:
            told.append(True)
            print("begins", file=sys.stderr, flush=True)
        return step(*arguments)

    return first


def main(framework, way, text, num_epochs, checkpoint_path, seconds):
    """Train, with a line at the first step, and a line of what came out."""
    model = importlib.import_module(f"helpers.model_{framework}")
    checkpoints.CHECKPOINT_SECONDS = float(seconds)
    data, vocab = load(model, way, text)
    net = new_net(model, way, len(vocab))
    history = start(model, way, net, data, int(num_epochs), checkpoint_path, tell_the_first_step)
    bits = hashlib.sha256(b"".join(table.tobytes() for table in model.to_arrays(net))).hexdigest()
    print("begins", file=sys.stderr)  # where no step was left
    print(json.dumps([bits, [epoch[:4] for epoch in history]]), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
