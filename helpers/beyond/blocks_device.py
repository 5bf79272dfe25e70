"""Blocks drawn and trained on a device, many at once: for a GPU. PyTorch; taught in `15_gpu`.

The text lies on the device, and subsampling, windows and noise words are drawn there by counting: the random number of a
place in the text is a hash of the place, so that a piece is the same on every device and in any order. A wave is the blocks
that are trained on at once. Where Triton is, a program of `block_kernel` takes each of them; elsewhere plain PyTorch serves.

All blocks of a wave see the same tables, so that a word which many of them hold is moved by all of them at once, and may
overshoot. Hence a bound on its learning rate, which falls as a wave holds more of the word.
"""

from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import torch

from helpers.arguments import require_positive, require_whole_numbers
from helpers.beyond.blocks import BLOCK_SIZE, NOISE_PER_BLOCK
from helpers.beyond.checkpoints import TABLES, Checkpoint, ResumableHistory
from helpers.examples import generator, keep_probability
from helpers.training import require_no_divergence

TOKENS_PER_DEVICE_PIECE = 2**20  # of the text, before subsampling: what is drawn at once
# benchmarks/staleness.json backs the next three, with two small texts
MOST_WEIGHT = 5  # of the scores of a word in a wave, times its learning rate: with 10 trainings of 512 blocks at once diverged
LEAST_SHARE = 0.85  # of the learning rate that these bounds leave; PTB, which is left 0.66 of it with 512 at once, then scored less
FEWEST_WAVES = 300  # of a training: with 200 vectors scored less, with 320 and 400 as with more
FEWEST_BLOCKS = 8  # at once: what the processor takes
WAVES_PER_LOOK = 32  # from one wave whose loss is taken to the next
GOLDEN = -7046029254386353131  # 2**64 divided by the golden ratio, as int64: the step of the counter
SUBSAMPLING, WINDOWS, NOISE = range(3)  # what random numbers are for


def shift_right(z, shift):
    """Shift the bits of int64 to the right, with zeros from the left whatever the sign."""
    return (z >> shift) & ((1 << (64 - shift)) - 1)


def mix(z):
    """Hash int64 of any shape to int64 whose bits look random; different numbers stay different.

    Source: the finalizer of SplitMix64, Steele, Lea and Flood 2014, https://doi.org/10.1145/2660193.2660195.
    """
    for shift, factor in ((30, -4658895280553007687), (27, -7723592293110705685)):
        z = (z ^ shift_right(z, shift)) * factor  # int64 wraps around, as it should
    return z ^ shift_right(z, 31)


def uniform(key, places):
    """Draw a number in [0, 1) for each of `places` (int64): float64 of their shape, always the same for a key and a place."""
    return shift_right(mix(key + GOLDEN * (places + 1)), 11).double() * 2.0**-53


class Wave(NamedTuple):
    """The blocks that are trained on at once, in ids of int32.

    `centers` (B, 32), how far the window of each reaches, `left` and `right` (B, 32), and `words` (B, C): the stretch of
    context words, then the noise words.
    """

    centers: torch.Tensor
    left: torch.Tensor
    right: torch.Tensor
    words: torch.Tensor


def weight_in_a_block(blocks):
    """Return the weight of all scores that a word has in a block, on average, as a center and as a context or noise word: (V,) each.

    A center has max_window_size + 1 context words on average.
    """
    kept = keep_probability(blocks.counts) * blocks.counts
    as_center = BLOCK_SIZE * kept / kept.sum()  # (V,), of each word
    num_contexts = blocks.max_window_size + 1
    num_noise = num_contexts * blocks.num_noise_words
    as_word = as_center * num_contexts + BLOCK_SIZE * num_noise * blocks.noise_probability
    return as_center * (num_contexts + num_noise), as_word


def rate_bounds(blocks, blocks_per_wave):
    """Return the largest learning rate of each word, as a center and as a context or noise word: float32 (V,) each.

    With it the weight of the word's scores in a wave, times the rate, is MOST_WEIGHT on average.
    """
    weights = (np.maximum(blocks_per_wave * weight, 1e-9) for weight in weight_in_a_block(blocks))
    return [(MOST_WEIGHT / weight).astype(np.float32) for weight in weights]


class DeviceBlocks:
    """The text of Blocks on a device, in pieces that `waves(epoch, number)` draws there; `len()` is their number.

    The text has to fit into the device's memory: 8 bytes per token. `blocks_per_wave` blocks are trained on at once.
    """

    def __init__(self, blocks, device, blocks_per_wave):
        self.blocks, self.device, self.blocks_per_wave = blocks, torch.device(device), blocks_per_wave
        self.corpus, self.held_out = blocks.corpus, None
        if blocks.held_out is not None:
            self.held_out = DeviceBlocks(blocks.held_out, device, blocks_per_wave)
        self.max_window_size, self.num_noise_words = blocks.max_window_size, blocks.num_noise_words
        self.ids = torch.from_numpy(np.asarray(blocks.ids, np.int32)).to(device)  # (n,)
        self.sentence = torch.from_numpy(np.asarray(blocks.sentence, np.int32)).to(device)  # (n,)
        self.keep = torch.from_numpy(keep_probability(blocks.counts)).to(device)  # (V,)
        self.bounds = [torch.from_numpy(bound).to(device) for bound in rate_bounds(blocks, blocks_per_wave)]  # (V,) each
        self.summed = torch.from_numpy(np.cumsum(blocks.noise_probability)).to(device)  # (V,)
        self.key = int(generator(blocks.seed, blocks.purpose).integers(-(2**63), 2**63))

    def __len__(self):
        return -(-len(self.ids) // TOKENS_PER_DEVICE_PIECE)

    def uniform(self, epoch, purpose, places):
        """Draw a number in [0, 1) for each place, of this epoch and for one purpose."""
        return uniform(mix(torch.tensor(self.key + 4 * epoch + purpose)).to(self.device), places)

    def draw(self, epoch, number):
        """Subsample a piece and draw its windows; returns the ids that are left and their reach to the left and right: (n,) each."""
        first = number * TOKENS_PER_DEVICE_PIECE
        part = slice(first, first + TOKENS_PER_DEVICE_PIECE)
        places = torch.arange(first, first + len(self.ids[part]), device=self.device)
        kept = self.uniform(epoch, SUBSAMPLING, places) < self.keep[self.ids[part]]
        ids, sentence, places = self.ids[part][kept], self.sentence[part][kept], places[kept]  # (n,) each
        window = 1 + (self.uniform(epoch, WINDOWS, places) * self.max_window_size).long()  # (n,)
        _, which, lengths = torch.unique_consecutive(sentence, return_inverse=True, return_counts=True)
        ends = lengths.cumsum(0)  # (sentences,)
        place = torch.arange(len(ids), device=self.device)  # (n,)
        left = torch.minimum(window, place - (ends - lengths)[which])
        right = torch.minimum(window, ends[which] - 1 - place)
        return ids, left.int(), right.int()

    def draw_noise(self, epoch, number, num_blocks):
        """Draw the noise words of a piece's blocks: where a uniform number falls among the summed chances of the words."""
        places = torch.arange(num_blocks * NOISE_PER_BLOCK, device=self.device)
        drawn = self.uniform(epoch, NOISE, places + (number << 40)) * self.summed[-1]
        return torch.searchsorted(self.summed, drawn, right=True, out_int32=True).view(-1, NOISE_PER_BLOCK)

    def waves(self, epoch, number):
        """Draw a piece; returns its Waves as a list.

        The blocks of a wave are taken from far apart, since words that stand near each other tend to be the same ones.
        """
        ids, left, right = self.draw(epoch, number)
        num_waves = max(1, -(-len(ids) // (self.blocks_per_wave * BLOCK_SIZE)))
        num_blocks = num_waves * self.blocks_per_wave
        padding = num_blocks * BLOCK_SIZE - len(ids)  # words 0 whose windows reach nothing
        window = self.max_window_size
        padded = torch.nn.functional.pad(ids, (window, padding + window))
        stretches = padded.unfold(0, BLOCK_SIZE + 2 * window, BLOCK_SIZE)  # (blocks, 32 + 2 * W)
        words = torch.cat([stretches, self.draw_noise(epoch, number, num_blocks)], dim=1)  # (blocks, C)
        left, right = (torch.nn.functional.pad(reach, (0, padding)).view(-1, BLOCK_SIZE) for reach in (left, right))
        order = torch.arange(num_blocks, device=self.device).view(-1, num_waves).T.flatten()  # dealt out like cards
        parts = (array[order].chunk(num_waves) for array in (words[:, window : window + BLOCK_SIZE], left, right, words))
        return [Wave(*arrays) for arrays in zip(*parts)]


def wave_weights(wave, max_window_size, num_noise_words):
    """Return the weight of each score of a wave (B, 32, C): 1 inside the window, and for noise words as in `blocks.weight_table`."""
    column = torch.arange(BLOCK_SIZE + 2 * max_window_size, device=wave.left.device)
    place = torch.arange(BLOCK_SIZE, device=wave.left.device)[:, None]
    distance = column - max_window_size - place  # (32, 32 + 2 * W)
    left, right = wave.left[..., None], wave.right[..., None]  # (B, 32, 1)
    context = (distance >= -left) & (distance <= right) & (distance != 0)  # (B, 32, 32 + 2 * W)
    noise = (left + right) * (num_noise_words / NOISE_PER_BLOCK)  # (B, 32, 1)
    return torch.cat([context.float(), noise.expand(-1, -1, NOISE_PER_BLOCK)], dim=2)


def scores_of(tables, wave):
    """Return the vectors of a wave's centers (B, 32, d) and words (B, C, d), their scores (B, 32, C), and the labels (C,)."""
    v, u = (table[ids] for table, ids in zip(tables, (wave.centers, wave.words)))
    label = torch.arange(u.shape[1], device=u.device) < u.shape[1] - NOISE_PER_BLOCK
    return v, u, torch.bmm(v, u.mT), label.float()


def train_wave(tables, bounds, wave, max_window_size, num_noise_words, lr):
    """Take a step of gradient descent on all blocks of a wave at once.

    `tables` are the two of the model, (V, d) each, `bounds` those of `rate_bounds`: no word's learning rate is above its own.
    """
    v, u, scores, label = scores_of(tables, wave)
    weight = wave_weights(wave, max_window_size, num_noise_words)
    derivative = (scores.sigmoid() - label) * weight  # (B, 32, C)
    steps = torch.bmm(derivative, u), torch.bmm(derivative.mT, v)
    for table, bound, ids, step in zip(tables, bounds, (wave.centers, wave.words), steps):
        ids = ids.flatten()
        rate = bound[ids].clamp(max=lr)[:, None]  # (B * 32, 1) or (B * C, 1)
        table.index_add_(0, ids, step.flatten(0, 1) * -rate)


def wave_totals(tables, wave, max_window_size, num_noise_words):
    """Return the `loss_totals` of a wave as a tensor (4,) on its device, which nobody has to wait for."""
    _, _, scores, label = scores_of(tables, wave)
    weight = wave_weights(wave, max_window_size, num_noise_words)
    losses = torch.nn.functional.softplus(scores * (1 - 2 * label)) * weight  # (B, 32, C)
    valid, sums = weight.sum(dim=2), losses.sum(dim=2)  # (B, 32)
    rows = (sums / valid.clamp(min=1e-9)).sum(), (valid > 0).sum(), sums.sum(), valid.sum()
    return torch.stack([total.double() for total in rows])


def share_of_rates(blocks, blocks_per_wave, lr):
    """Return the share of a learning rate that the bounds of `rate_bounds` leave, on average over all scores."""
    parts = list(zip(weight_in_a_block(blocks), rate_bounds(blocks, blocks_per_wave)))
    left = sum((weight * np.minimum(bound / lr, 1)).sum() for weight, bound in parts)
    return float(left / sum(weight.sum() for weight, _ in parts))


def choose_blocks_per_wave(blocks, lr, num_epochs):
    """Return how many blocks at once a training allows, a power of 2.

    So many that the bounds leave LEAST_SHARE of the learning rate and that the training has FEWEST_WAVES waves; at least
    FEWEST_BLOCKS, and a line says so where that is more than the text allows.
    """
    kept = (keep_probability(blocks.counts) * blocks.counts).sum()  # words in an epoch, on average
    every = 2 ** np.arange(13)
    every = every[every <= max(1, num_epochs * kept / BLOCK_SIZE / FEWEST_WAVES)]
    most = int(max((number for number in every if share_of_rates(blocks, number, lr) >= LEAST_SHARE), default=1))
    if most < FEWEST_BLOCKS:
        allowed = f"corpus {blocks.corpus} allows {most} blocks at once, at lr {lr} in {num_epochs} epochs"
        print(f"{allowed}: too few for a GPU; with {FEWEST_BLOCKS} it learns less")
    return max(most, FEWEST_BLOCKS)


class GraphedWave:
    """`train_wave` as a CUDA graph, which launches all its kernels in one call; called as `train_wave` is.

    A graph reads where it read when it was captured, so that each wave and rate are copied there first.
    """

    def __init__(self, tables, bounds, wave, *settings):
        self.wave, self.rate = Wave(*(array.clone() for array in wave)), torch.zeros((), device=tables[0].device)
        stream, self.graph = torch.cuda.Stream(), torch.cuda.CUDAGraph()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):  # what a capture may not do, asking for memory for the first time, is done before it
            train_wave(tables, bounds, self.wave, *settings, self.rate)
        torch.cuda.current_stream().wait_stream(stream)
        with torch.cuda.graph(self.graph):
            train_wave(tables, bounds, self.wave, *settings, self.rate)

    def __call__(self, tables, bounds, wave, max_window_size, num_noise_words, lr):
        for there, array in zip(self.wave, wave):
            there.copy_(array)
        self.rate.fill_(lr)
        self.graph.replay()


def choose_step(device):
    """Return what trains on a wave: a program of Triton for each block on a GPU where Triton is, else `train_wave`."""
    if torch.device(device).type == "cuda" and find_spec("triton"):
        from helpers.beyond.block_kernel import train_wave_in_a_kernel

        return train_wave_in_a_kernel
    return train_wave


@torch.no_grad()
def train_device_pieces(step, tables, blocks, lr, num_epochs, epoch, first=0):
    """Train on the pieces of an epoch from `first` on; yields the `loss_totals` of each, float64 (4,).

    They are those of every WAVES_PER_LOOK-th wave, before it is trained on, times their share. The
    processor waits for the device where a piece is drawn and at its end, not between waves.
    """
    settings = blocks.max_window_size, blocks.num_noise_words
    for number in range(first, len(blocks)):
        waves = blocks.waves(epoch, number)
        looks = []
        for place, wave in enumerate(waves):
            if place % WAVES_PER_LOOK == 0:
                looks.append(wave_totals(tables, wave, *settings))
            done = (epoch + (number + place / len(waves)) / len(blocks)) / num_epochs
            step(tables, blocks.bounds, wave, *settings, lr * (1 - done))
        totals = torch.stack(looks).sum(dim=0).cpu().numpy()
        require_no_divergence(totals)
        yield totals * len(waves) / len(looks)


@torch.no_grad()
def held_out_wave_loss(tables, held_out):
    """Return the `loss_totals` of the DeviceBlocks of a held-out text."""
    settings = held_out.max_window_size, held_out.num_noise_words
    waves = [wave for number in range(len(held_out)) for wave in held_out.waves(0, number)]
    return sum((wave_totals(tables, wave, *settings).cpu().numpy() for wave in waves), np.zeros(4))


def train_on_device(net, blocks, lr, num_epochs, device, checkpoint_path=None, history_type=ResumableHistory, blocks_per_wave=None):
    """Train a model on Blocks on a device, many blocks at once; returns the History, an Epoch per epoch.

    It starts from the values that the model has, and leaves the model on its own device. `blocks_per_wave` is by default what
    `choose_blocks_per_wave` says. A GPU does not give the same bits twice, the CPU does, and draws the same as a GPU.
    A checkpoint of one device resumes on another. Errors are those of `train_blocks`.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs)
    blocks_per_wave = blocks_per_wave or choose_blocks_per_wave(blocks, lr, num_epochs)
    require_whole_numbers(blocks_per_wave=blocks_per_wave)
    tables = [layer.weight.detach().clone().to(device) for layer in net]  # (V, d) each
    step, data = choose_step(device), DeviceBlocks(blocks, device, blocks_per_wave)

    def get_state():
        return {name: table.cpu().numpy().copy() for name, table in zip(TABLES, tables)}

    def set_state(state):
        for name, table in zip(TABLES, tables):
            table.copy_(torch.from_numpy(state[name]))

    method = f"waves of {blocks_per_wave} blocks, torch {torch.__version__}"
    history = history_type(data, num_epochs, device, Checkpoint(checkpoint_path, get_state, set_state, method=method, lr=lr))
    try:
        with history.recording():
            for epoch in range(len(history), num_epochs):
                for totals in history.batches(train_device_pieces(step, tables, data, lr, num_epochs, epoch, history.step)):
                    history.totals += totals
                history.end_epoch(held_out_wave_loss(tables, data.held_out))
    finally:
        for layer, table in zip(net, tables):
            layer.weight.data.copy_(table)
    return history
