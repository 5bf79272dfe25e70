"""A text as blocks of consecutive words, drawn again in every epoch, for `train_blocks`. No framework; taught in `08_blocks`.

A block is BLOCK_SIZE center words in the order of the text. Their context words all lie in one stretch around them, and
one lot of noise words serves the whole block, so that all its scores are one small matrix product. Of the stretch each
center uses the part that its window reaches: every score has a weight, mostly 0.
"""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from helpers.arguments import require_pairs, require_whole_numbers
from helpers.beyond.texts import read_encoded
from helpers.examples import count_words, describe, draw_words, generator, noise_probability, subsample
from helpers.training import require_no_divergence

BLOCK_SIZE = 32  # center words per block
NOISE_PER_BLOCK = 22  # noise words per block: with windows of 5 a center then has 64 scores, a number that processors like
BLOCKS_PER_UPDATE = 8  # more at once are faster per word, but diverge at a lower learning rate
TOKENS_PER_PIECE = 32_768  # of the text, before subsampling: what is laid out at once
TOKENS_LOOKED_AT = 2**20  # at once, of a text that need not fit into memory


class Piece(NamedTuple):
    """Some blocks, laid out: an array row per update.

    `ids` (n, R) lists the rows of the joined tables that an update uses: those of its center words in the order of the
    text, then for each of its blocks the stretch of context words and the noise words. Tables are joined with those of
    the centers on top, so that the id of a context or noise word has the size of the vocabulary added. `patterns`
    (n, BLOCKS_PER_UPDATE * BLOCK_SIZE) says which row of `weight_table` holds the weights of a center's scores.
    """

    ids: np.ndarray
    patterns: np.ndarray

    def sample(self):
        """Return every 32nd update as a Piece, and its share of the updates."""
        sample = Piece(*(array[::32] for array in self))
        return sample, len(sample.ids) / len(self.ids)


def get_reach(sentence, max_window_size, rng):
    """Draw each word's window, uniform on 1..`max_window_size`; returns how many words it takes left and right: (n,) each.

    `sentence` (n,) holds the number of each word's sentence, in ascending order; no window reaches beyond its own.
    """
    window = rng.integers(1, max_window_size + 1, len(sentence))  # (n,)
    place = np.arange(len(sentence))  # (n,)
    lengths = np.bincount(sentence - sentence[0])  # (sentences,)
    ends = np.cumsum(lengths)  # (sentences,)
    first = np.repeat(ends - lengths, lengths)  # (n,), where a word's sentence begins
    last = np.repeat(ends - 1, lengths)  # (n,), where it ends
    left = np.minimum(window, place - first)  # (n,)
    right = np.minimum(window, last - place)  # (n,)
    return left, right


def weight_table(max_window_size, num_noise_words):
    """Return the weights of a center's scores for each place in a block and each reach to its left and right.

    Row (place * (W + 1) + left) * (W + 1) + right, with W = `max_window_size`; columns are the BLOCK_SIZE + 2 * W context
    words of the stretch, weight 1 inside the window, then the NOISE_PER_BLOCK noise words. These share the weight of
    `num_noise_words` for each context word. Returns float32 (BLOCK_SIZE * (W + 1)**2, BLOCK_SIZE + 2 * W + NOISE_PER_BLOCK).
    """
    reach = np.arange(max_window_size + 1)  # (W + 1,)
    every = np.meshgrid(np.arange(BLOCK_SIZE), reach, reach, indexing="ij")
    place, left, right = (array.reshape(-1, 1) for array in every)  # (rows, 1) each
    column = np.arange(BLOCK_SIZE + 2 * max_window_size)  # (columns,)
    distance = column - max_window_size - place  # (rows, columns)
    context = (distance >= -left) & (distance <= right) & (distance != 0)
    noise = (left + right) * num_noise_words / NOISE_PER_BLOCK  # (rows, 1)
    noise = np.repeat(noise, NOISE_PER_BLOCK, axis=1)  # (rows, NOISE_PER_BLOCK)
    return np.hstack([context, noise]).astype(np.float32)


def lay_out(centers, left, right, noise, max_window_size, vocab_size):
    """Lay words in the order of the text out as blocks, those of an update taken from far apart; returns a Piece.

    `centers`, `left` and `right` have shape (n,), n a whole number of updates; `noise` (n / BLOCK_SIZE, NOISE_PER_BLOCK).
    Words that stand near each other tend to be the same ones, and an update that moves a row many times overshoots.
    """
    per_update = len(noise) // BLOCKS_PER_UPDATE, -1
    block = np.arange(len(noise)).reshape(BLOCKS_PER_UPDATE, -1)  # (8, updates)
    order = block.T.ravel()  # (blocks,), dealt out like cards
    padded = np.pad(centers, max_window_size)  # (n + 2 * W,)
    width = BLOCK_SIZE + 2 * max_window_size
    stretches = sliding_window_view(padded, width)[::BLOCK_SIZE]  # (blocks, width)
    words = np.hstack([stretches[order], noise]) + vocab_size  # (blocks, columns)
    place = np.arange(len(centers)) % BLOCK_SIZE  # (n,)
    reaches = max_window_size + 1
    patterns = (place * reaches + left) * reaches + right  # (n,)
    patterns = patterns.reshape(-1, BLOCK_SIZE)[order]  # (blocks, 32)
    centers = centers.reshape(-1, BLOCK_SIZE)[order]  # (blocks, 32)
    ids = np.hstack([centers.reshape(per_update), words.reshape(per_update)])
    return Piece(ids, patterns.reshape(per_update))  # an array row per update


class Blocks:
    """A text that is laid out in blocks, piece by piece, when they are asked for; `len()` is the number of pieces.

    `ids` and `sentence` are those of `encode`, `counts` (V,) that of `count_words`. `piece(epoch, number)` draws the
    subsampling, windows and noise words of one piece with a generator of its own, so that it is always the same. A noise
    word may be a context word of the same center: 0.5 % are on PTB, and masking them changed nothing that we could measure.
    `weights` is the `weight_table`, `label` (its columns,) 1 for context words. `held_out` holds the blocks of the text
    that was kept from training, `corpus` the name of the text.
    """

    def __init__(self, ids, sentence, counts, max_window_size, num_noise_words, seed, held_out=None, corpus="", purpose="blocks"):
        self.ids, self.sentence, self.counts, self.max_window_size = ids, sentence, counts, max_window_size
        self.num_noise_words, self.seed, self.held_out, self.corpus = num_noise_words, seed, held_out, corpus
        self.purpose, self.noise_probability = purpose, noise_probability(counts)
        self.weights = weight_table(max_window_size, num_noise_words)
        self.label = (np.arange(self.weights.shape[1]) < self.weights.shape[1] - NOISE_PER_BLOCK).astype(np.float32)

    def __len__(self):
        return -(-len(self.ids) // TOKENS_PER_PIECE)

    def piece(self, epoch, number):
        rng = generator(self.seed, self.purpose, epoch, number)
        part = slice(number * TOKENS_PER_PIECE, (number + 1) * TOKENS_PER_PIECE)
        centers, sentence = subsample(self.ids[part], self.sentence[part], self.counts, rng)
        left, right = get_reach(sentence, self.max_window_size, rng) if len(centers) else (centers, centers)
        num_blocks = max(1, -(-len(centers) // (BLOCKS_PER_UPDATE * BLOCK_SIZE))) * BLOCKS_PER_UPDATE
        padding = (0, num_blocks * BLOCK_SIZE - len(centers))  # with windows that reach nothing
        centers, left, right = (np.pad(array, padding).astype(np.int64) for array in (centers, left, right))
        shape = num_blocks, NOISE_PER_BLOCK
        noise = draw_words(self.noise_probability, shape[0] * shape[1], rng).reshape(shape)
        return lay_out(centers, left, right, noise, self.max_window_size, len(self.counts))

    def pieces_and_rates(self, lr, num_epochs, epoch, first=0, worker=0, num_workers=1):
        """Yield an epoch's pieces from `first` on, or a worker's share of them, each with its learning rate: from `lr` in a line to 0."""
        for number in range(first + worker, len(self), num_workers):
            yield self.piece(epoch, number), lr * (1 - (epoch + number / len(self)) / num_epochs)


def train_pieces(
    block_totals, train_piece, tables, blocks, lr, num_epochs, epoch, *part
):
    """Train on the pieces of an epoch; yields the `loss_totals` of each.

    `block_totals` and `train_piece` are those of a framework. `part` is `(first, worker, num_workers)` or its beginning:
    the number of the first piece, and which worker's share it is. The totals are of a sample of a piece's updates, before
    they are trained on, times the sample's share.
    """
    for piece, rate in blocks.pieces_and_rates(lr, num_epochs, epoch, *part):
        sample, share = piece.sample()
        totals = block_totals(tables, sample, blocks)
        require_no_divergence(totals)
        train_piece(tables, piece, blocks, rate)
        yield totals / share


def held_out_block_loss(block_totals, tables, held_out):
    """Return the `loss_totals` of the blocks of a held-out text."""
    totals = np.zeros(4)
    for number in range(len(held_out)):
        totals += block_totals(tables, held_out.piece(0, number), held_out)
    return totals


def word2vec_tables(vocab_size, embed_size, seed):
    """Draw the values that word2vec starts from: two tables (vocab_size, embed_size) of float32.

    Centers are uniform between plus and minus 1 / (2 * embed_size), contexts are 0. From there plain gradient descent
    ends with better vectors than from `initial_tables`.
    Source: the program word2vec.c, https://github.com/tmikolov/word2vec, function InitNet.
    """
    bound = 0.5 / embed_size
    rng = generator(seed, "initial values")
    embed_v = rng.uniform(-bound, bound, (vocab_size, embed_size)).astype(np.float32)
    embed_u = np.zeros_like(embed_v)  # (V, d)
    return embed_v, embed_u


def has_pairs(ids, sentence):
    """Return whether some sentence of an encoded text has two known words; reads piece by piece."""
    last = np.array([-1])
    for start in range(0, len(ids), TOKENS_LOOKED_AT):
        part = slice(start, start + TOKENS_LOOKED_AT)
        known = np.append(last, sentence[part][ids[part] != 0])
        if (known[1:] == known[:-1]).any():
            return True
        last = known[-1:]
    return False


def load_blocks(corpus, max_window_size, num_noise_words, seed=0, min_freq=10, split="letters"):
    """Read a corpus, or a list of files, for `train_blocks`; returns `(blocks, vocab)`.

    Arguments and errors are those of `load_data`, `split` is that of `read_corpus`.
    """
    require_whole_numbers(max_window_size=max_window_size, num_noise_words=num_noise_words)
    require_whole_numbers(0, seed=seed, min_freq=min_freq)
    text, vocab, training, held_out = read_encoded(corpus, min_freq, split)
    describe(text, vocab)
    settings = count_words(vocab), max_window_size, num_noise_words, seed
    held_out = Blocks(*held_out, *settings, purpose="held-out blocks")
    blocks = Blocks(*training, *settings, held_out, text.name)
    require_pairs(has_pairs(blocks.ids, blocks.sentence), text, vocab)
    return blocks, vocab
