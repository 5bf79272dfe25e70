"""The record of a training: both means of the loss, true rates, a progress bar and a live curve. No framework."""

import contextlib
import itertools
import math
import sys
import time
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from helpers.beyond.checkpoints import Interrupted, waiting_interrupts
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
    """A list of Epochs that grows as a training goes on, with a progress bar and a live curve of the loss.

    `checkpoint` keeps the training's state as it goes; where its file holds one, the training goes on from there: the list
    begins with the epochs that are done, and `step` minibatches of the next one are. Errors are those of `Checkpoint.begin`.
    """

    def __init__(self, data_iter, num_epochs, device, checkpoint):
        self.data_iter, self.num_epochs, self.device, self.checkpoint = data_iter, num_epochs, device, checkpoint
        new = {"epochs": [], "step": 0, "totals": [0.0] * 4, "seconds": 0.0, "batches": 0, "points": {}}
        record = checkpoint.begin(new, data_iter, num_epochs, device)
        super().__init__(Epoch(*numbers) for numbers in record["epochs"])
        self.step, self.totals, self.seconds, self.interrupts = record["step"], np.array(record["totals"]), record["seconds"], []
        if record is not new:
            print(f"going on from {checkpoint.path.name}, after {self.place()}")
        yardsticks = {"ln 2, untrained": math.log(2), "blind to the words": blind_loss(data_iter.num_noise_words)}
        self.curve = LiveCurve("Loss in training", "epoch", "loss", (0, num_epochs), yardsticks)
        for name, points in record["points"].items():
            for point in zip(*points):
                self.curve.add(name, *point)
        done, left = record["batches"], num_epochs - len(self)
        total = done + max(0, left * len(data_iter) - self.step)
        self.bar = tqdm(total=total, initial=done, unit=" batches", file=sys.stdout, mininterval=0.5)

    def place(self):
        """Say what was done last."""
        return f"batch {self.step} of epoch {len(self) + 1}" if self.step else f"epoch {len(self)}"

    def record(self):
        """Return where the training is, as JSON can hold it."""
        where = {"epochs": [list(epoch) for epoch in self], "step": self.step, "totals": self.totals.tolist(), "seconds": self.seconds}
        return {**where, "batches": self.bar.n, "points": self.curve.points}

    @contextlib.contextmanager
    def running(self):
        """Sum the training up at its end; if it diverges the model gets the last good tables.

        Ctrl-C waits for the end of a step; the state is kept, then Interrupted is raised.
        """
        with contextlib.closing(self.bar), waiting_interrupts() as self.interrupts:  # the bar must not linger into the next training
            try:
                yield
            except FloatingPointError as error:
                self.checkpoint.restore()
                raise FloatingPointError(f"{error}; the model has the last good tables") from None
        self.curve.draw()
        print(self.curve.description())
        print(self)

    def batches(self, batches=None):
        """Yield what is left of the minibatches of the next epoch, or what is handed in for them; keep the bar, the clock and the curve."""
        self.bar.set_description(f"epoch {len(self) + 1}/{self.num_epochs}", refresh=False)
        start = time.perf_counter() - self.seconds
        # may draw examples: each epoch has as many as chance has it
        batches = batches or itertools.islice(self.data_iter.epoch(len(self)), self.step, None)
        num_batches = len(self.data_iter)
        self.bar.total = self.bar.n - self.step + num_batches * (self.num_epochs - len(self))
        points = {math.ceil(num_batches * (point + 1) / POINTS_PER_EPOCH) for point in range(POINTS_PER_EPOCH)}
        numbered = enumerate(batches, self.step + 1)
        for self.step, batch in numbered:
            yield batch
            self.checkpoint.prove()
            self.bar.update()
            self.seconds = time.perf_counter() - start
            if self.step in points and self.totals[1]:
                self.curve.add("training", len(self) + self.step / num_batches, self.totals[0] / self.totals[1])
            self.keep(self.checkpoint.is_due())

    def keep(self, is_due):
        """Keep the training's state if that is due, or if Ctrl-C was pressed, which is then raised."""
        if is_due or self.interrupts:
            self.checkpoint.keep(self.record())
        if self.interrupts:
            path = self.checkpoint.path
            how = f"the same call goes on from {path.name}" if path else "with a checkpoint_path the same call would go on from here"
            raise Interrupted(f"stopped after {self.place()}; the model has what it learned, and {how}")

    def add(self, losses, mask):
        """Count the losses of the minibatch that was just trained on; FloatingPointError if the training diverges."""
        self.totals += loss_totals(losses, mask)
        require_no_divergence(self.totals, self.checkpoint.settings["lr"])

    def end_epoch(self, held_out_totals):
        """Close an epoch with the totals of the held-out part.

        Raises ValueError if nothing was trained on, FloatingPointError if the held-out loss is not finite.
        """
        if not self.totals[1]:
            raise ValueError(f"subsampling left no pair of words of corpus {self.data_iter.corpus} to train on: use more text")
        if not np.isfinite(held_out_totals).all():
            lr = self.checkpoint.settings["lr"]
            raise FloatingPointError(f"the training diverged, to a held-out loss that is not finite: choose a smaller lr than {lr}")
        rows, pairs = self.totals[1], self.totals[3] / (1 + self.data_iter.num_noise_words)
        self.append(Epoch(*means(self.totals), *means(held_out_totals), self.seconds, rows / self.seconds, pairs / self.seconds))
        if self[-1].held_out is not None:
            self.curve.add("held out", len(self), self[-1].held_out)
        self.step, self.totals, self.seconds = 0, np.zeros(4), 0.0
        self.keep(True)

    def __str__(self):
        last = self[-1]
        held_out = "nothing held out" if last.held_out is None else f"held-out {last.held_out:.4f}"
        rates = f"{last.centers_per_second:,.0f} center words/s, {last.pairs_per_second:,.0f} pairs/s"
        return f"loss {last.loss:.4f}, {held_out}; {rates} on {self.device}; corpus {self.data_iter.corpus}"


def means(totals):
    """Return the mean over rows and the mean over valid positions of `loss_totals`, or None for both without rows."""
    return (totals[0] / totals[1], totals[2] / totals[3]) if totals[1] else (None, None)
