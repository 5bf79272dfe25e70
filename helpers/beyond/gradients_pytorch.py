"""Both gradients as sums, for the step of `train` in a third of the time. PyTorch; taught in `07_speed`."""

import numpy as np
import torch
from torch import nn

from helpers.model_pytorch import skip_gram


@torch.no_grad()
def losses_and_derivatives(net, batch):
    """Return the loss of each row of a minibatch (B,) and the derivatives of their sum by each score (B, L).

    Scores are computed for 64 rows at a time: new memory for large arrays costs more than the products.
    """
    center, contexts_and_negatives, mask, label = batch
    parts = [slice(start, start + 64) for start in range(0, len(center), 64)]
    scores = [skip_gram(center[part], contexts_and_negatives[part], net[0], net[1]) for part in parts]
    pred, weight = torch.cat(scores).reshape(label.shape), mask / mask.sum(axis=1, keepdim=True)
    sign = 2 * label - 1
    p_true = torch.sigmoid(pred * sign)  # in what is true of each position; its -log is the loss
    return -(p_true.clamp(min=1e-30).log() * weight).sum(axis=1), (p_true - 1) * sign * weight


@torch.no_grad()
def loss_and_gradients(net, batch, device):
    """Give each table the gradient of the sum of a minibatch's row losses; returns those losses.

    It is what `batch_loss(...).sum().backward()` does, several times as fast: `embedding_bag` sums a center's words, or a
    word's centers, times their derivatives without writing the rows out first. NumPy sorts because it counts 16-bit numbers.
    """
    center, contexts_and_negatives, mask, label = batch = [data.to(device) for data in batch]
    losses, derivative = losses_and_derivatives(net, batch)
    embed_v, embed_u = (layer.weight for layer in net)
    of_rows = nn.functional.embedding_bag(contexts_and_negatives, embed_u, per_sample_weights=derivative, mode="sum")  # (B, d)
    embed_v.grad = torch.zeros_like(embed_v) if embed_v.grad is None else embed_v.grad.zero_()  # new memory costs more
    embed_v.grad.index_add_(0, center[:, 0], of_rows)
    place = mask.flatten().nonzero()[:, 0]
    words = contexts_and_negatives.flatten()[place]
    small = words.cpu().numpy().astype(np.min_scalar_type(len(embed_u)))
    place, count = place[torch.from_numpy(np.argsort(small, kind="stable")).to(device)], words.bincount(minlength=len(embed_u))
    bags = place // mask.shape[1], embed_v[center[:, 0]], count.cumsum(0) - count
    embed_u.grad = nn.functional.embedding_bag(*bags, per_sample_weights=derivative.flatten()[place], mode="sum")
    return losses


def fast_train_batch(net, batch, optimizer, device):
    """Take the step of `train_batch` with gradients from `loss_and_gradients`; returns the losses, as before it."""
    losses = loss_and_gradients(net, batch, device)
    optimizer.step()
    return losses
