"""The record of a training: both means of the loss, true rates, a progress bar and a live curve. No framework."""

import contextlib
import math
import signal
import sys
import threading
import time
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from helpers.figures import LiveCurve

POINTS_PER_EPOCH = 5


def blind_loss(num_noise_words):
    """Return the least loss of a model that is blind to the words and gives every position the same score.

    Its probability of *yes* is the share 1 / (1 + num_noise_words) of context words, so its loss is that share's entropy,
    in nats: 0.4506 for 5 noise words.
    """
    share = 1 / (1 + num_noise_words)
    return -share * math.log(share) - (1 - share) * math.log(1 - share)


def frequency_loss(examples, held_out):
    """Return the held-out loss, per position, of a model that knows only which words are common.

    Whatever the center, it answers with the share of *yes* among the training positions of the context or noise word;
    the share among all positions counts as one position more of each word. `examples` and `held_out` are Examples; returns nats.
    """
    size = 1 + max(part.words.max(initial=0) for part in (examples, held_out))
    contexts, positions = (np.bincount(words, minlength=size) for words in (examples.context_words(), examples.words))
    yes = (contexts + 1 / (1 + examples.num_noise_words)) / (positions + 1)  # as if each word had one average position more
    is_context, everywhere = (np.bincount(words, minlength=size) for words in (held_out.context_words(), held_out.words))
    losses = -is_context * np.log(yes) - (everywhere - is_context) * np.log1p(-yes)
    return float(losses.sum() / max(everywhere.sum(), 1))


def loss_totals(losses, mask):
    """Return four sums that add up over minibatches: row losses, rows, losses of valid positions, valid positions.

    `losses` (B,) holds the mean loss of each row's valid positions, `mask` (B, L) says which those are; both may be of
    either framework. Returns float64 (4,).
    """
    valid = mask.sum(axis=1)
    sums = losses.sum(), (losses * valid).sum(), valid.sum()  # all on their way before the first is waited for
    return np.array([float(sums[0]), len(losses), float(sums[1]), float(sums[2])])


def means(totals):
    """Return the mean over rows and the mean over valid positions of `loss_totals`, or None for both without rows."""
    return (totals[0] / totals[1], totals[2] / totals[3]) if totals[1] else (None, None)


def require_no_divergence(totals):
    """Raise a FloatingPointError if the mean row loss of `loss_totals` is no number, or twice that of an untrained model."""
    if totals[1] and not totals[0] / totals[1] < 2 * math.log(2):
        raise FloatingPointError(f"the training diverged, to a loss of {totals[0] / totals[1]:.3g}: choose a smaller lr")


def told_held_out(loss):
    """Say a held-out loss, which is None where nothing is held out."""
    return "nothing held out" if loss is None else f"held-out {loss:.4f}"


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


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, at the end of a training step. A notebook shows this one line instead of a traceback."""

    def _render_traceback_(self):  # IPython asks for it
        return [f"Interrupted: {self}"]


@contextlib.contextmanager
def waiting_interrupts():
    """Give a list that stays empty until Ctrl-C; a second Ctrl-C acts at once, as it did before."""
    came, usual = [], signal.getsignal(signal.SIGINT)

    def remember(*_):
        came.append("Ctrl-C")
        signal.signal(signal.SIGINT, usual)

    if usual is None or threading.current_thread() is not threading.main_thread():  # no handler of Python's is ours to set
        yield came
        return
    signal.signal(signal.SIGINT, remember)
    try:
        yield came
    finally:
        signal.signal(signal.SIGINT, usual)


class History(list):
    """A list of Epochs that grows as a training goes on, with a progress bar and a live curve of the loss.

    `data_iter` gives the minibatches (`epoch(number)`), `device` is only named. `keep` lists epochs, 0 being the start, whose
    table of centers goes to `tables`, {epoch: (V, d) float32}.
    """

    def __init__(self, data_iter, num_epochs, device, keep=()):
        super().__init__()
        self.data_iter, self.num_epochs, self.device = data_iter, num_epochs, device
        self.tables, self.keep = {}, set(keep)
        self.step, self.totals, self.seconds = 0, np.zeros(4), 0.0
        self.at_last_point = np.zeros(4)
        self.curve = LiveCurve("Loss in training", "epoch", "loss (nats)", (0, num_epochs), yardsticks(data_iter))
        self.bar = tqdm(total=num_epochs * len(data_iter), unit=" batches", file=sys.stdout, mininterval=0.5)

    def place(self):
        """Say what was done last."""
        return f"batch {self.step} of epoch {len(self) + 1}" if self.step else f"epoch {len(self)}"

    @contextlib.contextmanager
    def recording(self, net, to_arrays, set_arrays):
        """Record the training of a model in the `with` block, and sum it up at its end.

        `to_arrays(net)` returns copies of the model's two tables, `set_arrays(net, tables)` puts tables back: those of the last
        whole epoch if the training diverges. Ctrl-C waits for the end of a step; then Interrupted is raised.
        """
        self.get_tables, self.set_tables = (lambda: to_arrays(net)), (lambda tables: set_arrays(net, tables))
        with contextlib.closing(self.bar), waiting_interrupts() as self.interrupts:  # the bar must not linger into the next one
            self.remember()
            try:
                yield
            except FloatingPointError as error:
                self.restore()
                raise FloatingPointError(f"{error}; the model has the last good tables") from None
        self.curve.draw()
        print(self.curve.description())
        print(self)

    def remember(self):
        """Keep the tables as they are, at the start or after an epoch; FloatingPointError if they hold what is no number."""
        tables = self.get_tables()
        if not all(np.isfinite(table).all() for table in tables):
            raise FloatingPointError("the tables hold a number that is not finite: choose a smaller lr" if len(self) else
                                     "the tables hold a number that is not finite: start from a new model")  # fmt: skip
        self.last_good = tables
        if len(self) in self.keep:
            self.tables[len(self)] = tables[0]

    def restore(self):
        """Put the last good tables back."""
        if hasattr(self, "last_good"):
            self.set_tables(self.last_good)

    def batches(self, batches=None):
        """Yield the minibatches of the next epoch, or what is handed in for them; keep the bar, the clock and the curve."""
        self.bar.set_description(f"epoch {len(self) + 1}/{self.num_epochs}", refresh=False)
        start = time.perf_counter() - self.seconds
        # may draw examples: each epoch has as many as chance has it
        batches = batches or self.data_iter.epoch(len(self))
        num_batches = len(self.data_iter)
        self.bar.total = self.bar.n - self.step + num_batches * (self.num_epochs - len(self))
        points = {math.ceil(num_batches * (point + 1) / POINTS_PER_EPOCH) for point in range(POINTS_PER_EPOCH)}
        for step, batch in enumerate(batches, self.step + 1):
            self.step = step
            yield batch
            self.bar.update()
            self.seconds = time.perf_counter() - start
            if self.step in points:
                self.add_point(len(self) + self.step / num_batches)
            self.after_step()

    def add_point(self, x):
        """Add to the curve the mean of the losses since its last point."""
        since = self.totals - self.at_last_point
        if since[1]:
            self.curve.add("training", x, since[0] / since[1])
        self.at_last_point = self.totals.copy()

    def after_step(self):
        """Raise Interrupted if Ctrl-C was pressed."""
        if self.interrupts:
            raise Interrupted(f"stopped after {self.place()}; the model has what it learned")

    def add(self, losses, mask):
        """Count the losses of the minibatch that was just trained on; FloatingPointError if the training diverges."""
        self.totals += loss_totals(losses, mask)
        require_no_divergence(self.totals)

    def end_epoch(self, held_out_totals):
        """Close an epoch with the totals of the held-out part.

        Raises ValueError if nothing was trained on, FloatingPointError if the held-out loss is not finite.
        """
        if not self.totals[1]:
            raise ValueError(f"subsampling left no pair of words of corpus {self.data_iter.corpus} to train on: use more text")
        if not np.isfinite(held_out_totals).all():
            raise FloatingPointError("the training diverged, to a held-out loss that is not finite: choose a smaller lr")
        rows, pairs = self.totals[1], self.totals[3] / (1 + self.data_iter.num_noise_words)
        self.append(Epoch(*means(self.totals), *means(held_out_totals), self.seconds, rows / self.seconds, pairs / self.seconds))
        if self[-1].held_out is not None:
            self.curve.add("held out", len(self), self[-1].held_out)
        self.step, self.totals, self.seconds = 0, np.zeros(4), 0.0
        self.at_last_point = np.zeros(4)
        self.remember()

    def __str__(self):
        last = self[-1]
        rates = f"{last.centers_per_second:,.0f} center words/s, {last.pairs_per_second:,.0f} pairs/s"
        return f"loss {last.loss:.4f}, {told_held_out(last.held_out)}; {rates} on {self.device}; corpus {self.data_iter.corpus}"


def yardsticks(data_iter):
    """Return {name: loss} of the models that any training must beat, for the curve; the third needs held-out examples."""
    found = {"ln 2, knows nothing": math.log(2), "blind to the words": blind_loss(data_iter.num_noise_words)}
    held_out = getattr(data_iter.held_out, "examples", None)
    if held_out is not None and len(held_out.centers):
        found["knows which words are common"] = frequency_loss(data_iter.examples, held_out)
    return found
