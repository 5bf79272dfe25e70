"""Both gradients as sums, for the step of `train` in less time. PyTorch; taught in `07_speed`."""

import numpy as np
import torch
from torch.nn.functional import embedding_bag

from helpers.model_pytorch import skip_gram

ROWS_AT_ONCE = 64  # new memory for more vectors costs more than their products


@torch.no_grad()
def losses_and_derivatives(net, batch):
    """Return the loss of each row of a minibatch and the derivatives of their sum with respect to each score.

    `batch` is a minibatch of tensors on the model's device; returns (B,) and (B, L).
    """
    center, contexts_and_negatives, mask, label = batch
    scores = []
    for start in range(0, len(center), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        words = contexts_and_negatives[part]  # (64, L)
        scores.append(skip_gram(center[part], words, net[0], net[1]))  # (64, 1, L)
    pred = torch.cat(scores).reshape(label.shape)  # (B, L)
    weight = mask / mask.sum(axis=1, keepdim=True)  # (B, L)
    sign = 2 * label - 1  # (B, L), 1 or -1
    p_true = torch.sigmoid(pred * sign)  # (B, L)
    losses = -(p_true.clamp(min=1e-30).log() * weight).sum(axis=1)  # (B,)
    derivative = (p_true - 1) * sign * weight  # (B, L)
    return losses, derivative


@torch.no_grad()
def set_gradient_of_centers(net, batch, derivative):
    """Sum into each center's row of the first gradient the vectors of its words times the derivatives (B, L)."""
    center, words, _, _ = batch  # (B, 1), (B, L)
    embed_v = net[0].weight  # (V, d)
    embed_u = net[1].weight  # (V, d)
    of_rows = embedding_bag(words, embed_u, per_sample_weights=derivative, mode="sum")
    if embed_v.grad is None:
        embed_v.grad = torch.zeros_like(embed_v)
    embed_v.grad.zero_()  # in the memory of the last step
    embed_v.grad.index_add_(0, center[:, 0], of_rows)  # (V, d) += rows of (B, d)


@torch.no_grad()
def set_gradient_of_words(net, batch, derivative):
    """Sum into each word's row of the second gradient the vectors of its centers times the derivatives (B, L).

    Padding is left out. NumPy sorts, because it sorts 16-bit integers by counting them.
    """
    center, words, mask, _ = batch  # (B, 1), (B, L), (B, L)
    vocab_size = len(net[1].weight)
    position = mask.flatten().nonzero()[:, 0]  # (P,), the valid positions
    word = words.flatten()[position]  # (P,)
    small = word.cpu().numpy().astype(np.min_scalar_type(vocab_size))  # (P,)
    by_word = torch.from_numpy(np.argsort(small, kind="stable"))  # (P,)
    position = position[by_word.to(word.device)]  # (P,), a word's side by side
    row = position // mask.shape[1]  # (P,), whose center it is
    count = word.bincount(minlength=vocab_size)  # (V,)
    begins = count.cumsum(0) - count  # (V,)
    weights = derivative.flatten()[position]  # (P,)
    v = net[0].weight[center[:, 0]]  # (B, d)
    sums = embedding_bag(row, v, begins, per_sample_weights=weights, mode="sum")
    net[1].weight.grad = sums  # (V, d)


def loss_and_gradients(net, batch, device):
    """Give each table the gradient of the sum of a minibatch's row losses; returns those losses (B,).

    It is what `batch_loss(...).sum().backward()` does, in less time: `embedding_bag` sums rows times derivatives without
    writing them out first.
    """
    batch = [data.to(device) for data in batch]
    losses, derivative = losses_and_derivatives(net, batch)  # (B,), (B, L)
    set_gradient_of_centers(net, batch, derivative)
    set_gradient_of_words(net, batch, derivative)
    return losses


def fast_train_batch(net, batch, optimizer, device):
    """Take the step of `train_batch` with gradients from `loss_and_gradients`; returns the losses (B,), as before it."""
    losses = loss_and_gradients(net, batch, device)
    optimizer.step()
    return losses
