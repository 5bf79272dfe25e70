"""Training on blocks with matrix products. PyTorch; its twin is `blocks_mxnet`. Taught in `08_blocks`."""

import contextlib

import numpy as np
import torch
from torch.nn.functional import embedding

from helpers.arguments import require_positive, require_whole_numbers
from helpers.beyond.blocks import BLOCK_SIZE, BLOCKS_PER_UPDATE, held_out_block_loss, train_pieces
from helpers.beyond.checkpoints import TABLES, Checkpoint, ResumableHistory
from helpers.beyond.processes import Workers, one_thread, share_among
from helpers.model_pytorch import to_tensor
from helpers.training import loss_totals


@torch.no_grad()
def block_totals(tables, piece, blocks):
    """Return the `loss_totals` of a piece: each score counts with its weight, as a position does in a minibatch.

    The loss of a score is -log of the probability of what is true of it. Where that underflows it stays below 70.
    """
    arrays = *piece, blocks.weights, blocks.label
    ids, patterns, weights, label = map(to_tensor, arrays)
    center = ids[:, : patterns.shape[1]].reshape(-1, BLOCK_SIZE)  # (blocks, 32)
    words = ids[:, patterns.shape[1] :].reshape(-1, len(label))  # (blocks, C)
    v = embedding(center, tables)  # (blocks, 32, d)
    u = embedding(words, tables)  # (blocks, C, d)
    pred = torch.bmm(v, u.mT).flatten(0, 1)  # (centers, C)
    weight = embedding(patterns.flatten(), weights)  # (centers, C)
    sign = 2 * label - 1  # (C,), 1 for context words and -1 for noise words
    p_true = (pred * sign).sigmoid_().clamp_(min=1e-30)  # (centers, C)
    valid = weight.sum(axis=1)  # (centers,), 0 for a word without a context word
    losses = -(p_true.log_() * weight).sum(axis=1) / valid.clamp(min=1)  # (centers,)
    totals = loss_totals(losses, weight)  # (4,)
    totals[1] = (valid > 0).sum()
    return totals


@torch.no_grad()
def train_piece(tables, piece, blocks, lr):
    """Take a step of gradient descent on each update of a piece.

    Everything is written into memory that is asked for once: new memory for each product costs a quarter more time.
    """
    arrays = *piece, blocks.weights, blocks.label
    ids, patterns, weights, label = map(to_tensor, arrays)
    num_centers = patterns.shape[1]
    weights = weights * -lr  # (patterns, C)
    rows = tables.new_empty(ids.shape[1], tables.shape[1])  # (R, d)
    v = rows[:num_centers].unflatten(0, (BLOCKS_PER_UPDATE, -1))  # (8, 32, d)
    u = rows[num_centers:].unflatten(0, (BLOCKS_PER_UPDATE, -1))  # (8, C, d)
    steps = torch.empty_like(rows)  # (R, d)
    step_v = steps[:num_centers].view_as(v)
    step_u = steps[num_centers:].view_as(u)
    weight = weights.new_empty(BLOCKS_PER_UPDATE, BLOCK_SIZE, len(label))  # (8, 32, C)
    derivative = torch.empty_like(weight)  # (8, 32, C)
    for row_ids, row_patterns in zip(ids, patterns):
        torch.index_select(tables, 0, row_ids, out=rows)
        torch.index_select(weights, 0, row_patterns, out=weight.flatten(0, 1))
        torch.bmm(v, u.mT, out=derivative).sigmoid_().sub_(label).mul_(weight)
        torch.bmm(derivative, u, out=step_v)
        torch.bmm(derivative.mT, v, out=step_u)
        tables.index_add_(0, row_ids, steps)


@contextlib.contextmanager
def joined_tables(net):
    """Give both tables of a model as one (2 * V, d); the model gets its values at the end."""
    tables = torch.cat([layer.weight.detach().cpu() for layer in net])  # (2 * V, d)
    try:
        yield tables
    finally:
        for layer, table in zip(net, tables.chunk(2)):
            layer.weight.data.copy_(table)


def block_checkpoint(path, tables, lr, num_workers=1):
    """Make the Checkpoint of `train_blocks`: plain gradient descent remembers nothing but the joined tables."""

    def get_state():
        return dict(zip(TABLES, np.split(tables.numpy().copy(), 2)))

    def set_state(state):
        tables.copy_(torch.from_numpy(np.concatenate([state[name] for name in TABLES])))

    return Checkpoint(path, get_state, set_state, num_workers, method=f"blocks, torch {torch.__version__}", lr=lr)


def train_blocks(net, blocks, lr, num_epochs, num_workers=1, checkpoint_path=None, history_type=ResumableHistory, device="cpu"):
    """Train a model on blocks with plain gradient descent; returns the History, an Epoch per epoch.

    It starts from the values that the model has. The learning rate falls from `lr` to 0 in a straight line. Subsampling, windows
    and noise words are new in every epoch. With `num_workers` above 1, that many processes train the same tables at the
    same time without waiting for each other, so that no two runs are equal
    (Recht et al. 2011, https://arxiv.org/abs/1106.5730); they diverge at lower learning rates than one process does. `checkpoint_path`
    and errors are those of `train`; a checkpoint is for one worker only. `history_type` makes the History. On another `device` than
    the CPU, `train_on_device` trains with many blocks at once; there is no worker then, and a GPU does not give the same bits twice.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs, num_workers=num_workers)
    if torch.device(device).type != "cpu":
        from helpers.beyond.blocks_device import train_on_device

        if num_workers > 1:
            raise ValueError(f"workers are for the CPU: num_workers must be 1 on {device}, not {num_workers}")
        return train_on_device(net, blocks, lr, num_epochs, device, checkpoint_path, history_type)
    with one_thread(), joined_tables(net) as tables:
        checkpoint = block_checkpoint(checkpoint_path, tables, lr, num_workers)
        share_among(num_workers, tables)
        history = history_type(blocks, num_epochs, "cpu", checkpoint)
        work = train_pieces, block_totals, train_piece, tables, blocks, lr, num_epochs
        with history.recording(), Workers(num_workers, *work) as workers:
            for epoch in range(len(history), num_epochs):
                for totals in history.batches(workers.run(epoch, history.step)):
                    history.totals += totals
                history.end_epoch(held_out_block_loss(block_totals, tables, blocks.held_out))
    return history
