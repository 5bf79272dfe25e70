"""A training on a prepared text as a program: it prints how many megabytes came on top of the framework's, and of the tables'."""

import contextlib
import io
import resource
import sys

from helpers import model_pytorch
from helpers.beyond.blocks import load_blocks, word2vec_tables
from helpers.beyond.blocks_pytorch import train_blocks


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main(folder):
    framework = peak()
    with contextlib.redirect_stdout(io.StringIO()):
        blocks, vocab = load_blocks(folder, 5, 5)
        loaded = peak()
        net = model_pytorch.model_from_tables(*word2vec_tables(len(vocab), 100, 0))
        train_blocks(net, blocks, 0.05, 1)
    print(loaded - framework, peak() - framework, 2 * len(vocab) * 100 * 4 / 1e6)


if __name__ == "__main__":
    main(sys.argv[1])
