"""Training on blocks with matrix products. MXNet; its twin is `blocks_pytorch`. Taught in `08_blocks`."""

import contextlib

import mxnet as mx
import numpy as np

from helpers.arguments import require_positive, require_whole_numbers
from helpers.beyond.blocks import BLOCK_SIZE, BLOCKS_PER_UPDATE, held_out_block_loss, train_pieces
from helpers.beyond.checkpoints import TABLES, Checkpoint, ResumableHistory
from helpers.beyond.selections import selections, subtract_rows
from helpers.model_mxnet import to_tensor
from helpers.training import loss_totals


def block_totals(tables, piece, blocks):
    """Return the `loss_totals` of a piece: each score counts with its weight, as a position does in a minibatch.

    The loss of a score is -log of the probability of what is true of it. Where that underflows it stays below 70.
    """
    arrays = *piece, blocks.weights, blocks.label
    ids, patterns, weights, label = map(to_tensor, arrays)
    center = ids[:, : patterns.shape[1]].reshape(-1, BLOCK_SIZE)  # (blocks, 32)
    words = ids[:, patterns.shape[1] :].reshape(-1, len(label))  # (blocks, C)
    v = tables.take(center, axis=0)  # (blocks, 32, d)
    u = tables.take(words, axis=0)  # (blocks, C, d)
    pred = mx.npx.batch_dot(v, u, transpose_b=True)  # (blocks, 32, C)
    pred = pred.reshape(-1, len(label))  # (centers, C)
    weight = weights.take(patterns.reshape(-1), axis=0)  # (centers, C)
    sign = 2 * label - 1  # (C,), 1 for context words and -1 for noise words
    p_true = mx.np.maximum(mx.npx.sigmoid(pred * sign), 1e-30)  # (centers, C)
    valid = weight.sum(axis=1)  # (centers,), 0 for a word without a context word
    losses = -(mx.np.log(p_true) * weight).sum(axis=1) / mx.np.maximum(valid, 1)
    totals = loss_totals(losses, weight)  # (4,)
    totals[1] = (valid > 0).sum()
    return totals


def train_piece(tables, piece, blocks, lr):
    """Take a step of gradient descent on each update of a piece.

    MXNet adds to rows in place with its older sparse arrays only: the product of a selection, a one per row and word, with
    the steps is row-sparse, and a lazy `sgd_update` touches the rows that it has. Returns when all is done, so that
    rates are true.
    """
    weights, label = to_tensor(blocks.weights), to_tensor(blocks.label)
    center, words = np.split(piece.ids, [piece.patterns.shape[1]], axis=1)
    parts = []
    for part in (center, words, piece.patterns):
        parts.append(to_tensor(part.reshape(len(part), BLOCKS_PER_UPDATE, -1)))
    for selection, *update in zip(selections(piece.ids, len(tables)), *parts):
        center, words, patterns = update  # (8, 32), (8, C), (8, 32)
        v = tables.take(center, axis=0)  # (8, 32, d)
        u = tables.take(words, axis=0)  # (8, C, d)
        pred = mx.npx.batch_dot(v, u, transpose_b=True)  # (8, 32, C)
        derivative = (mx.npx.sigmoid(pred) - label) * weights.take(patterns, axis=0)
        step_v = mx.npx.batch_dot(derivative, u)  # (8, 32, d)
        step_u = mx.npx.batch_dot(derivative, v, transpose_a=True)  # (8, C, d)
        subtract_rows(tables, selection, (step_v, step_u), lr)
    mx.npx.waitall()


@contextlib.contextmanager
def joined_tables(net):
    """Give both tables of a model as one (2 * V, d); the model gets its values at the end."""
    both = [layer.weight.data().as_in_ctx(mx.cpu()) for layer in net]
    tables = mx.np.concatenate(both)  # (2 * V, d)
    try:
        yield tables
    finally:
        for layer, table in zip(net, mx.np.split(tables, 2)):
            layer.weight.set_data(table)


def block_checkpoint(path, tables, lr, num_workers=1):
    """Make the Checkpoint of `train_blocks`: plain gradient descent remembers nothing but the joined tables."""

    def get_state():
        return dict(zip(TABLES, np.split(tables.asnumpy(), 2)))

    def set_state(state):
        tables[:] = mx.np.array(np.concatenate([state[name] for name in TABLES]))

    return Checkpoint(path, get_state, set_state, num_workers, method=f"blocks, mxnet {mx.__version__}", lr=lr)


def train_blocks(net, blocks, lr, num_epochs, num_workers=1, checkpoint_path=None, history_type=ResumableHistory):
    """Train a model on blocks with plain gradient descent, on the CPU; returns the History, an Epoch per epoch.

    It starts from the values that the model has. The learning rate falls from `lr` to 0 in a straight line. Subsampling, windows
    and noise words are new in every epoch. Only the PyTorch variant trains with several workers.
    `checkpoint_path` and errors are those of `train`. `history_type` makes the History.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs, num_workers=num_workers)
    if num_workers > 1:
        raise ValueError(f"MXNet's tables can't be trained by several processes: num_workers must be 1, not {num_workers}")
    with joined_tables(net) as tables:
        history = history_type(blocks, num_epochs, "cpu", block_checkpoint(checkpoint_path, tables, lr))
        work = block_totals, train_piece, tables, blocks, lr, num_epochs
        with history.recording():
            for epoch in range(len(history), num_epochs):
                for totals in history.batches(train_pieces(*work, epoch, history.step)):
                    history.totals += totals
                history.end_epoch(held_out_block_loss(block_totals, tables, blocks.held_out))
    return history
