"""The trainings that the tests stop, kill and start again; as a program, one of them."""

import hashlib
import importlib
import json
import sys

from helpers.beyond import checkpoints
from helpers.beyond.blocks import load_blocks, word2vec_tables

WAYS = "plain", "resample", "blocks"


def load(model, way, text):
    """Return what a way trains on, and the vocabulary."""
    if way == "blocks":
        return load_blocks(text, 5, 5, seed=5)
    return model.load_data(text, 128, 5, 5, seed=5, resample=way == "resample")


def new_net(model, way, vocab_size):
    if way == "blocks":
        return model.model_from_tables(*word2vec_tables(vocab_size, 16, seed=5))
    return model.new_model(vocab_size, 16, seed=5)


def start(model, way, net, data, num_epochs, checkpoint_path=None):
    if way == "blocks":
        return model.train_blocks(net, data, 0.02, num_epochs, checkpoint_path=checkpoint_path)
    return model.train(net, data, 0.01, num_epochs, "cpu", checkpoint_path)


def tell_the_first_step(model, name):
    """Print a line at the first step: before it PyTorch imports for seconds, when a kill would prove nothing."""
    step = getattr(model, name)

    def first(*arguments):
        setattr(model, name, step)
        print("begins", file=sys.stderr, flush=True)
        return step(*arguments)

    setattr(model, name, first)


def main(framework, way, text, num_epochs, checkpoint_path, seconds):
    """Train, with a line at the first step, and a line of what came out."""
    model = importlib.import_module(f"helpers.model_{framework}")
    checkpoints.CHECKPOINT_SECONDS = float(seconds)
    data, vocab = load(model, way, text)
    net = new_net(model, way, len(vocab))
    tell_the_first_step(model, "train_piece" if way == "blocks" else "train_batch")
    history = start(model, way, net, data, int(num_epochs), checkpoint_path)
    bits = hashlib.sha256(b"".join(table.tobytes() for table in model.to_arrays(net))).hexdigest()
    print("begins", file=sys.stderr)  # where no step was left
    print(json.dumps([bits, [epoch[:4] for epoch in history]]), file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
