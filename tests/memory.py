"""A training of many epochs as a program: it prints by how much the process grew after the tenth, as a share."""

import contextlib
import importlib
import io
import sys

import psutil

from helpers import training as history
from tests.training import load, new_net, start


def main(framework, way, text, num_epochs):
    model, sizes, end_epoch = importlib.import_module(f"helpers.model_{framework}"), [], history.History.end_epoch

    def end_and_measure(*arguments):
        end_epoch(*arguments)
        sizes.append(psutil.Process().memory_info().rss)

    history.History.end_epoch = end_and_measure
    with contextlib.redirect_stdout(io.StringIO()):
        data, vocab = load(model, way, text)
        start(model, way, new_net(model, way, len(vocab)), data, int(num_epochs))
    print(sizes[-1] / sizes[9] - 1)


if __name__ == "__main__":
    main(*sys.argv[1:])
