"""Training on blocks whose centers are means of rows: the word's own, and those of its n-grams. PyTorch; taught in `16_subwords`."""

import numpy as np
import torch
from torch.nn.functional import embedding_bag

from helpers.arguments import require_positive, require_whole_numbers
from helpers.beyond.blocks import Piece, held_out_block_loss, train_pieces, word2vec_tables
from helpers.beyond.blocks_pytorch import block_totals, train_piece
from helpers.beyond.processes import one_thread
from helpers.training import History

LR_PER_ROUND = 0.16  # learning rate times updates of a round: twice as much diverges on the Wikipedia excerpt, 0 is exact and slow
LONGEST_ROUND = 8  # updates; without it SimLex-999 fell from 0.21 to 0.19 on the Wikipedia excerpt


def means_of_rows(members, rows):
    """Return the mean of the rows (R, d) that each word has by `members`, sparse (w, R): (w, d)."""
    indices = torch.from_numpy(members.indices)  # (m,)
    starts = torch.from_numpy(members.indptr[:-1])  # (w,)
    return embedding_bag(indices, rows, starts, mode="mean")  # (w, d)


def add_to_rows(members, rows, changes):
    """Add the change of each word, (w, d), to each of the rows (R, d) that it has by `members`, sparse (w, R), in place."""
    by_row = members.tocsc()
    used = np.flatnonzero(np.diff(by_row.indptr) > 0)  # rows that some word has
    words = torch.from_numpy(by_row.indices)  # (m,)
    starts = torch.from_numpy(by_row.indptr[used])
    sums = embedding_bag(words, changes, starts, mode="sum")  # (used, d)
    rows.index_add_(0, torch.from_numpy(used), sums)


@torch.no_grad()
def train_subword_piece(rows, members, tables, piece, blocks, lr):
    """Take a step of gradient descent on each update of a piece, for centers that are means of rows.

    `rows` (V + n, d) and `members` are those of a Subwords, `tables` (2 * V, d) the joined tables, whose upper half is a copy
    of the means that lags behind. For a round of updates the rows stand still: what one word changes in a shared row reaches the
    others with the next round. The smaller the learning rate, the longer a round, up to LONGEST_ROUND; with one update it is
    exact.
    """
    length = max(1, min(LONGEST_ROUND, int(LR_PER_ROUND / lr)))
    for start in range(0, len(piece.ids), length):
        part = slice(start, start + length)
        updates = Piece(piece.ids[part], piece.patterns[part])
        words = np.unique(updates.ids[:, : updates.patterns.shape[1]])  # (w,)
        own = members[words]  # (w, R), sparse
        before = means_of_rows(own, rows)  # (w, d)
        tables[words] = before
        train_piece(tables, updates, blocks, lr)
        add_to_rows(own, rows, tables[words] - before)


def subword_tables(members, embed_size, seed):
    """Draw the rows (V + n, d) that a training starts from, as word2vec does; returns them and the joined tables (2 * V, d)."""
    rows, contexts = map(torch.from_numpy, word2vec_tables(members.shape[1], embed_size, seed))
    means = means_of_rows(members, rows)  # (V, d)
    return rows, torch.cat([means, contexts[: members.shape[0]]])  # (2 * V, d)


def train_subword_blocks(rows, members, tables, blocks, lr, num_epochs):
    """Train rows and tables in place on blocks, as `train_blocks` does with words; returns the History, an Epoch per epoch.

    `rows` and `tables` are those of `subword_tables`, `members` that of a Subwords. The learning rate falls from `lr` to 0 in a
    straight line. The loss in training is that of a few updates, with means that lag behind a little; the held-out loss is exact. The
    same seed gives the same bits. Raises FloatingPointError if the training diverges; both then hold the
    values of the last good epoch.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs)

    def train_words(tables, piece, blocks, lr):
        train_subword_piece(rows, members, tables, piece, blocks, lr)

    trained = rows, tables
    history = History(blocks, num_epochs, "cpu")
    with one_thread(), history.recording(trained, _copies, _put_back):
        work = block_totals, train_words, tables, blocks, lr, num_epochs
        for epoch in range(num_epochs):
            for totals in history.batches(train_pieces(*work, epoch)):
                history.totals += totals
            tables[: members.shape[0]] = means_of_rows(members, rows)
            history.end_epoch(held_out_block_loss(block_totals, tables, blocks.held_out))
    return history


def _copies(tensors):
    return [tensor.numpy().copy() for tensor in tensors]


def _put_back(tensors, arrays):
    for tensor, array in zip(tensors, arrays):
        tensor.copy_(torch.from_numpy(array))
