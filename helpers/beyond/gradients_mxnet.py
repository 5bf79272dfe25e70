"""Both gradients as sums, for the step of `train` in less time. MXNet; taught in `07_speed`."""

import mxnet as mx

from helpers.beyond.selections import sparse_rows, transposed_dot
from helpers.model_mxnet import skip_gram

ROWS_AT_ONCE = 128  # new memory for more vectors costs more than their products


def losses_and_derivatives(net, batch):
    """Return the loss of each row of a minibatch and the derivatives of their sum with respect to each score.

    `batch` is a minibatch of arrays on the model's device; returns (B,) and (B, L).
    """
    center, contexts_and_negatives, mask, label = batch
    scores = []
    for start in range(0, len(center), ROWS_AT_ONCE):
        part = slice(start, start + ROWS_AT_ONCE)
        words = contexts_and_negatives[part]  # (128, L)
        scores.append(skip_gram(center[part], words, net[0], net[1]))  # (128, 1, L)
    pred = mx.np.concatenate(scores).reshape(label.shape)  # (B, L)
    weight = mask / mask.sum(axis=1, keepdims=True)  # (B, L)
    sign = 2 * label - 1  # (B, L), 1 or -1
    p_true = mx.npx.sigmoid(pred * sign)  # (B, L)
    losses = -(mx.np.log(mx.np.maximum(p_true, 1e-30)) * weight).sum(axis=1)  # (B,)
    derivative = (p_true - 1) * sign * weight  # (B, L)
    return losses, derivative


def set_gradient_of_centers(net, batch, derivative):
    """Sum into each center's row of the first gradient the vectors of its words times the derivatives (B, L)."""
    center, words, mask, _ = batch  # (B, 1), (B, L), (B, L)
    embed_u = net[1].weight.data().as_nd_ndarray()  # (V, d)
    of_words = sparse_rows(derivative, words, len(embed_u))  # (B, V)
    of_rows = mx.nd.sparse.dot(of_words, embed_u)  # (B, d)
    ones = mx.np.ones_like(mask[:, :1])  # (B, 1)
    of_centers = sparse_rows(ones, center, len(embed_u))  # (B, V)
    grad_v = net[0].weight.grad().as_nd_ndarray()  # (V, d)
    transposed_dot(of_centers, of_rows, out=grad_v)


def set_gradient_of_words(net, batch, derivative):
    """Sum into each word's row of the second gradient the vectors of its centers times the derivatives (B, L)."""
    center, words, _, _ = batch  # (B, 1), (B, L)
    embed_v = net[0].weight.data()  # (V, d)
    v = embed_v.take(center[:, 0], axis=0).as_nd_ndarray()  # (B, d)
    of_words = sparse_rows(derivative, words, len(embed_v))  # (B, V)
    grad_u = net[1].weight.grad().as_nd_ndarray()  # (V, d)
    transposed_dot(of_words, v, out=grad_u)


def loss_and_gradients(net, batch, device):
    """Give each table the gradient of the sum of a minibatch's row losses; returns those losses (B,).

    It is what autograd's `backward()` does, in less time: products with sparse matrices sum rows times derivatives without
    writing them out first.
    """
    batch = [data.as_in_ctx(device) for data in batch]
    losses, derivative = losses_and_derivatives(net, batch)  # (B,), (B, L)
    set_gradient_of_centers(net, batch, derivative)
    set_gradient_of_words(net, batch, derivative)
    return losses


def fast_train_batch(net, batch, optimizer, device):
    """Take the step of `train_batch` with gradients from `loss_and_gradients`; returns the losses (B,), as before it.

    A Trainer takes only gradients that are marked as fresh, as `backward()` marks them.
    """
    losses = loss_and_gradients(net, batch, device)
    for layer in net:
        layer.weight.data()._fresh_grad = True
    optimizer.step(1)
    return losses
