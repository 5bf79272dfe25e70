"""The record of a training: both means of the loss, true rates, a progress bar and a live curve. No framework."""

import math
import sys
import time
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from helpers.figures import LiveCurve

POINTS_PER_EPOCH = 5


def blind_loss(num_noise_words):
    """Return the least loss of a model that is blind to the words and gives every position the same score.

    It says "context" with the share 1 / (1 + num_noise_words) of context words, so its loss is that share's entropy,
    in nats: 0.4506 for 5 noise words.
    """
    share = 1 / (1 + num_noise_words)
    return -share * math.log(share) - (1 - share) * math.log(1 - share)


def loss_totals(losses, mask):
    """Return four sums that add up over minibatches: row losses, rows, losses of valid positions, valid positions.

    `losses` (B,) holds the mean loss of each row's valid positions, `mask` (B, L) says which those are; both may be of
    either framework. Returns float64 (4,).
    """
    valid = mask.sum(axis=1)
    sums = losses.sum(), (losses * valid).sum(), valid.sum()  # all on their way before the first is waited for
    return np.array([float(sums[0]), len(losses), float(sums[1]), float(sums[2])])


def require_no_divergence(totals, lr):
    """Raise a FloatingPointError if the mean row loss of `loss_totals` is no number, or twice that of an untrained model."""
    if totals[1] and not totals[0] / totals[1] < 2 * math.log(2):
        raise FloatingPointError(f"the training diverged, to a loss of {totals[0] / totals[1]:.3g}: choose a smaller lr than {lr}")


class Epoch(NamedTuple):
    """What one epoch came to.

    The losses are means over rows, as trained; those per position weigh every valid position alike. Held-out losses
    are None where nothing is held out. Seconds and rates are of training, without evaluation.
    """

    loss: float
    loss_per_position: float
    held_out: float
    held_out_per_position: float
    seconds: float
    centers_per_second: float
    pairs_per_second: float


class History(list):
    """A list of Epochs that grows as a training goes on, with a progress bar and a live curve of the loss."""

    def __init__(self, data_iter, num_epochs, device):
        super().__init__()
        self.data_iter, self.num_epochs, self.device = data_iter, num_epochs, device
        yardsticks = {"ln 2, untrained": math.log(2), "blind to the words": blind_loss(data_iter.num_noise_words)}
        self.curve = LiveCurve("Loss in training", "epoch", "loss", (0, num_epochs), yardsticks)
        self.totals, self.seconds = np.zeros(4), 0.0
        self.bar = tqdm(total=num_epochs * len(data_iter), unit=" batches", file=sys.stdout, mininterval=0.5)

    def batches(self, batches=None):
        """Yield the minibatches of the next epoch, or what is handed in for them; keep the bar, the clock and the curve."""
        self.totals, self.seconds = np.zeros(4), 0.0
        self.bar.set_description(f"epoch {len(self) + 1}/{self.num_epochs}", refresh=False)
        start = time.perf_counter()
        try:
            batches = batches or self.data_iter.epoch(len(self))  # may draw examples: each epoch has as many as chance has it
            num_batches = len(self.data_iter)
            self.bar.total = self.bar.n + num_batches * (self.num_epochs - len(self))
            points = {math.ceil(num_batches * (point + 1) / POINTS_PER_EPOCH) for point in range(POINTS_PER_EPOCH)}
            for number, batch in enumerate(batches, 1):
                yield batch
                self.bar.update()
                if number in points and self.totals[1]:
                    self.curve.add("training", len(self) + number / num_batches, self.totals[0] / self.totals[1])
            self.seconds = time.perf_counter() - start
        except BaseException:  # stopped: the bar must not linger into the next training
            self.bar.close()
            raise

    def add(self, losses, mask):
        """Count the losses of the minibatch that was just trained on."""
        self.totals += loss_totals(losses, mask)

    def end_epoch(self, held_out_totals):
        """Close an epoch with the totals of the held-out part; ValueError if nothing was trained on."""
        if not self.totals[1]:
            raise ValueError(f"subsampling left no pair of words of corpus {self.data_iter.corpus} to train on: use more text")
        rows, pairs = self.totals[1], self.totals[3] / (1 + self.data_iter.num_noise_words)
        self.append(Epoch(*means(self.totals), *means(held_out_totals), self.seconds, rows / self.seconds, pairs / self.seconds))
        if self[-1].held_out is not None:
            self.curve.add("held out", len(self), self[-1].held_out)

    def close(self):
        """End the bar, describe the curve, and print the line that sums the training up."""
        self.bar.close()
        self.curve.draw()
        print(self.curve.description())
        print(self)

    def __str__(self):
        last = self[-1]
        held_out = "nothing held out" if last.held_out is None else f"held-out {last.held_out:.4f}"
        rates = f"{last.centers_per_second:,.0f} center words/s, {last.pairs_per_second:,.0f} pairs/s"
        return f"loss {last.loss:.4f}, {held_out}; {rates} on {self.device}; corpus {self.data_iter.corpus}"


def means(totals):
    """Return the mean over rows and the mean over valid positions of `loss_totals`, or None for both without rows."""
    return (totals[0] / totals[1], totals[2] / totals[3]) if totals[1] else (None, None)
