"""The family of objectives: full and hierarchical softmax, CBOW, GloVe, negative sampling on counts. PyTorch; taught in `17_family`.

A loss is a sum over the pairs that it is given. Losses on counts take the scores of some centers with all words, (B, V), and how
often each of these pairs was counted, (B, V). Vectors of a training are two tables, centers and contexts, float32 (V, d).
"""

import math

import numpy as np
import torch
from torch.nn.functional import embedding, logsigmoid, softplus

from helpers.beyond.family_counts import tree_paths
from helpers.examples import (
    draw_words,
    generator,
    get_centers_and_contexts,
    initial_tables,
    noise_probability,
    subsample,
)

COUNTED_AT_ONCE = 64  # centers per minibatch of counts
WINDOWS_AT_ONCE = 512  # centers per minibatch of windows
PATHS_AT_ONCE = 128  # the same for the hierarchical softmax, whose paths take more memory


def softmax_loss(scores, pairs):
    """Return the loss of the full softmax: each pair costs -ln P(o | c), the context word's share of the exponentials.

    Source: Mikolov et al. 2013, https://arxiv.org/abs/1310.4546, equation 2.
    """
    log_sum = scores.logsumexp(dim=1, keepdim=True)  # (B, 1)
    return (pairs * (log_sum - scores)).sum()


def negative_sampling_loss(scores, pairs, noise, num_noise_words):
    """Return what negative sampling costs on average: each pair answers yes, and K noise words drawn from `noise` (V,) no.

    Source: Levy and Goldberg 2014, https://papers.nips.cc/paper/5477, equation 4.
    """
    times_no = num_noise_words * pairs.sum(dim=1, keepdim=True) * noise  # (B, V)
    return (pairs * softplus(-scores) + times_no * softplus(scores)).sum()


def glove_loss(scores, pairs, enough=100.0):
    """Return GloVe's loss: the squared difference of score and ln(count), weighted; pairs that were not counted are left out.

    The weight grows as count^(3/4) and is 1 from `enough` on. The scores hold the biases of both words.
    Source: Pennington et al. 2014, https://aclanthology.org/D14-1162, equations 8 and 9.
    """
    weight = (pairs / enough).clamp(max=1) ** 0.75  # (B, V)
    target = pairs.clamp(min=1e-9).log()  # (B, V)
    return (weight * (scores - target) ** 2).sum()


def hierarchical_loss(v, embed_n, nodes, turns):
    """Return the loss of the hierarchical softmax: each pair costs -ln of the probability of all turns on its path.

    `v` (B, d) are the centers' vectors, `embed_n` (V - 1, d) those of the inner nodes; `nodes` and `turns` (B, L) are the
    context words' rows of `tree_paths`. Source: Morin and Bengio 2005, https://proceedings.mlr.press/r5/morin05a.html.
    """
    rows = embedding(nodes, embed_n)  # (B, L, d)
    scores = torch.bmm(rows, v[:, :, None])[:, :, 0]  # (B, L)
    return -(logsigmoid(turns * scores) * turns.abs()).sum()


def cbow_loss(embed_v, embed_u, contexts, words):
    """Return CBOW's loss with negative sampling: the mean of the context vectors answers yes for the center, no for noise words.

    `contexts` (B, C) holds 0 where there is no word; `words` (B, 1 + K) the center and its noise words.
    Source: Mikolov et al. 2013, https://arxiv.org/abs/1301.3781, section 3.1.
    """
    valid = (contexts > 0).float()[:, :, None]  # (B, C, 1)
    total = (embedding(contexts, embed_v) * valid).sum(dim=1)  # (B, d)
    mean = total / valid.sum(dim=1)  # (B, d)
    rows = embedding(words, embed_u)  # (B, 1 + K, d)
    scores = torch.bmm(rows, mean[:, :, None])[:, :, 0]  # (B, 1 + K)
    return -logsigmoid(scores[:, 0]).sum() - logsigmoid(-scores[:, 1:]).sum()


def require_finite(loss):
    """Raise a FloatingPointError if a loss is no number."""
    if not math.isfinite(loss):
        raise FloatingPointError(f"the training diverged, to a loss of {loss}: choose a smaller lr")


def descend(loss_of, tables, minibatches, lr):
    """Train tables by Adam, with a learning rate that falls from `lr` to 0 in a straight line; returns the loss of each minibatch.

    `minibatches` yields (the share of the training that is done, the arguments of `loss_of`).
    """
    optimizer = torch.optim.Adam(tables, lr=lr)
    losses = []
    for done, *batch in minibatches:
        optimizer.param_groups[0]["lr"] = lr * (1 - done)
        loss = loss_of(*batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        require_finite(losses[-1])
    return losses


def counted_minibatches(pairs, num_epochs, seed):
    """Yield (the share done, center words (B,), their rows of a sparse matrix `pairs` (B, V)), each center once per epoch."""
    vocab_size = pairs.shape[0]
    for epoch in range(num_epochs):
        order = generator(seed, "order", epoch).permutation(vocab_size)  # (V,)
        for start in range(0, vocab_size, COUNTED_AT_ONCE):
            center = order[start : start + COUNTED_AT_ONCE]  # (B,)
            counted = pairs[center].toarray().astype(np.float32)  # (B, V)
            done = (epoch + start / vocab_size) / num_epochs
            yield done, torch.from_numpy(center), torch.from_numpy(counted)


def window_minibatches(encoded, counts, max_window_size, batch_size, num_epochs, seed):
    """Yield (the share done, center words (B,), their context words (B, 2 * max_window_size)), drawn anew in each epoch.

    `encoded` is `(ids, sentence)` of `encode`, `counts` (V,) those of `count_words`.
    """
    for epoch in range(num_epochs):
        rng = generator(seed, "examples", epoch)
        kept = subsample(*encoded, counts, rng)  # (m,) twice
        windows = get_centers_and_contexts(*kept, max_window_size, rng)
        centers, contexts = (torch.from_numpy(array.astype(np.int64)) for array in windows)
        order = torch.from_numpy(rng.permutation(len(centers)))  # (N,)
        for start in range(0, len(order), batch_size):
            part = order[start : start + batch_size]  # (B,)
            done = (epoch + start / len(order)) / num_epochs
            yield done, centers[part], contexts[part]


def trainable_tables(vocab_size, embed_size, seed):
    """Return `initial_tables` as two tensors (V, d) that autograd follows."""
    tables = initial_tables(vocab_size, embed_size, seed)
    return [torch.from_numpy(table).requires_grad_() for table in tables]


def train_on_counts(loss_of, pairs, embed_size, lr, num_epochs, seed):
    """Train two tables so that `loss_of(scores, pairs)` of a sparse matrix of counts (V, V) falls; returns both as arrays."""
    embed_v, embed_u = trainable_tables(pairs.shape[0], embed_size, seed)

    def loss_of_rows(center, counted):
        scores = embed_v[center] @ embed_u.T  # (B, V)
        return loss_of(scores, counted)

    minibatches = counted_minibatches(pairs, num_epochs, seed)
    descend(loss_of_rows, [embed_v, embed_u], minibatches, lr)
    return embed_v.detach().numpy(), embed_u.detach().numpy()  # (V, d) each


def train_glove(pairs, embed_size, lr, num_epochs, seed):
    """Train GloVe on a sparse matrix of counts (V, V); returns both tables (V, d) and both biases (V,) as arrays."""
    embed_v, embed_u = trainable_tables(pairs.shape[0], embed_size, seed)
    bias_v = torch.zeros(len(embed_v), requires_grad=True)  # (V,)
    bias_u = torch.zeros(len(embed_u), requires_grad=True)  # (V,)

    def loss_of_rows(center, counted):
        scores = embed_v[center] @ embed_u.T  # (B, V)
        return glove_loss(scores + bias_v[center, None] + bias_u, counted)

    tables = embed_v, embed_u, bias_v, bias_u
    minibatches = counted_minibatches(pairs, num_epochs, seed)
    descend(loss_of_rows, tables, minibatches, lr)
    return [table.detach().numpy() for table in tables]


def train_hierarchical(
    encoded, counts, max_window_size, embed_size, lr, num_epochs, seed
):
    """Train the hierarchical softmax on a text; returns the tables of centers (V, d) and of inner nodes (V - 1, d) as arrays."""
    embed_v, embed_n = trainable_tables(len(counts), embed_size, seed)
    nodes, turns = map(torch.from_numpy, tree_paths(counts))  # (V, L) each

    def loss_of(center, contexts):
        row, column = contexts.nonzero(as_tuple=True)  # (pairs,) each
        word = contexts[row, column]  # (pairs,)
        v = embedding(center[row], embed_v)  # (pairs, d)
        return hierarchical_loss(v, embed_n, nodes[word], turns[word])

    settings = counts, max_window_size, PATHS_AT_ONCE, num_epochs, seed
    minibatches = window_minibatches(encoded, *settings)
    descend(loss_of, [embed_v, embed_n], minibatches, lr)
    return embed_v.detach().numpy(), embed_n.detach().numpy()[:-1]


def train_cbow(
    encoded, counts, max_window_size, num_noise_words, embed_size, lr, num_epochs, seed
):
    """Train CBOW with negative sampling on a text; returns the tables of contexts and of centers, (V, d) each, as arrays.

    The first holds the word vectors that one keeps.
    """
    tables = trainable_tables(len(counts), embed_size, seed)
    probability, rng = noise_probability(counts), generator(seed, "noise")

    def loss_of(center, contexts):
        size = len(center) * num_noise_words
        noise = draw_words(probability, size, rng).astype(np.int64)
        noise = torch.from_numpy(noise).reshape(len(center), -1)  # (B, K)
        words = torch.cat([center[:, None], noise], dim=1)  # (B, 1 + K)
        return cbow_loss(*tables, contexts, words)

    settings = counts, max_window_size, WINDOWS_AT_ONCE, num_epochs, seed
    minibatches = window_minibatches(encoded, *settings)
    descend(loss_of, tables, minibatches, lr)
    return [table.detach().numpy() for table in tables]  # (V, d) each
