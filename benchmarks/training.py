"""The seed document's training loop, which is d2l's, against ours: seconds per epoch in turn, and both held-out losses.

Ours in two forms: `train` as step 5 shows it, by autograd, and with step 7's gradients by hand (`fast_train_batch`). All
train from the same values on the same examples in the same minibatches. The plain loop keeps its examples as
lists, as d2l does, and collates each minibatch with d2l's `batchify`, without worker processes. Each run is a process
of its own. Needs PTB.
"""

import contextlib
import importlib
import io
import statistics
import time

from benchmarks.runs import EMBED_SIZE, SETTINGS
from helpers.beyond.evaluation import evaluate_pairs
from helpers.examples import generator

BATCH_SIZE, LR = 512, 0.002
WAYS = "plain", "by hand", "autograd"  # the seed's loop; ours with fast_train_batch of step 7; ours as step 5 shows it


class ListBatches:
    """The examples of our loader as lists of Python numbers, collated again in each epoch, in the same order as ours."""

    def __init__(self, data_iter, batchify):
        examples = data_iter.examples
        words, offsets = examples.words.tolist(), examples.offsets.tolist()
        pairs = 1 + examples.num_noise_words
        self.rows, self.batchify, self.data_iter = [], batchify, data_iter
        for center, start, stop in zip(examples.centers.tolist(), offsets, offsets[1:]):
            middle = start + (stop - start) // pairs
            self.rows.append((center, words[start:middle], words[middle:stop]))

    def epoch(self, number):
        order = generator(self.data_iter.seed, "order", number).permutation(len(self.rows)).tolist()
        for start in range(0, len(order), self.data_iter.batch_size):
            yield self.batchify([self.rows[row] for row in order[start : start + self.data_iter.batch_size]])


def plain_pytorch(net, batches, num_epochs):
    """The seed document's loop in PyTorch; returns the seconds of each epoch."""
    import torch

    from tests.seed_pytorch import loss, skip_gram

    optimizer, seconds = torch.optim.Adam(net.parameters(), lr=LR), []
    for epoch in range(num_epochs):
        start = time.perf_counter()
        for batch in batches.epoch(epoch):
            optimizer.zero_grad()
            center, context_negative, mask, label = batch
            pred = skip_gram(center, context_negative, net[0], net[1])
            row_losses = loss(pred.reshape(label.shape).float(), label.float(), mask) / mask.sum(axis=1) * mask.shape[1]
            row_losses.sum().backward()
            optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds


def plain_mxnet(net, batches, num_epochs):
    """The seed document's loop in MXNet, with the sum over rows of ours; returns the seconds of each epoch."""
    from mxnet import autograd, gluon, npx

    from tests.seed_mxnet import loss, skip_gram

    trainer, seconds = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": LR}), []
    for epoch in range(num_epochs):
        start = time.perf_counter()
        for batch in batches.epoch(epoch):
            center, context_negative, mask, label = batch
            with autograd.record():
                pred = skip_gram(center, context_negative, net[0], net[1])
                row_losses = loss(pred.reshape(label.shape), label, mask) * mask.shape[1] / mask.sum(axis=1)
            row_losses.backward()
            trainer.step(1)
        npx.waitall()
        seconds.append(time.perf_counter() - start)
    return seconds


def train(framework, way, seed, num_epochs, embed_size=EMBED_SIZE):
    """Train in one of WAYS; returns the median seconds of an epoch, the held-out loss at the end, and the correlations."""
    model = importlib.import_module(f"helpers.model_{framework}")
    gradients = importlib.import_module(f"helpers.beyond.gradients_{framework}")
    with contextlib.redirect_stdout(io.StringIO()):
        data_iter, vocab = model.load_data("ptb", BATCH_SIZE, **SETTINGS, seed=seed)
        net = model.new_model(len(vocab), embed_size, seed)
        if way == "plain":
            d2l = importlib.import_module(f"d2l.{'torch' if framework == 'pytorch' else framework}")
            loop = {"pytorch": plain_pytorch, "mxnet": plain_mxnet}[framework]
            seconds = loop(net, ListBatches(data_iter, d2l.batchify), num_epochs)
            totals = model.held_out_loss(net, data_iter.held_out, model.get_device("cpu"))
            held_out = totals[0] / totals[1]
        else:
            step = model.train_batch if way == "autograd" else gradients.fast_train_batch
            history = model.train(net, data_iter, LR, num_epochs, "cpu", step)
            seconds, held_out = [epoch.seconds for epoch in history], history[-1].held_out
    return {"seconds": round(statistics.median(seconds), 3), "held_out": held_out, **evaluate_pairs(model.to_arrays(net)[0], vocab)}
