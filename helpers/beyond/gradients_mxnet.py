"""Both gradients as sums, for the step of `train` in less time. MXNet; taught in `07_speed`."""

import mxnet as mx

from helpers.model_mxnet import skip_gram


def losses_and_derivatives(net, batch):
    """Return the loss of each row of a minibatch (B,) and the derivatives of their sum by each score (B, L).

    Scores are computed for 128 rows at a time: new memory for large arrays costs more than the products.
    """
    center, contexts_and_negatives, mask, label = batch
    parts = [slice(start, start + 128) for start in range(0, len(center), 128)]
    scores = [skip_gram(center[part], contexts_and_negatives[part], net[0], net[1]) for part in parts]
    pred, weight = mx.np.concatenate(scores).reshape(label.shape), mask / mask.sum(axis=1, keepdims=True)
    sign = 2 * label - 1
    p_true = mx.npx.sigmoid(pred * sign)  # in what is true of each position; its -log is the loss
    return -(mx.np.log(mx.np.maximum(p_true, 1e-30)) * weight).sum(axis=1), (p_true - 1) * sign * weight


def loss_and_gradients(net, batch, device):
    """Give each table the gradient of the sum of a minibatch's row losses; returns those losses.

    It is what autograd's `backward()` does, in less time: products with sparse matrices (B, V) sum a center's words,
    or a word's centers, times their derivatives without writing the rows out first.
    """
    center, contexts_and_negatives, mask, label = batch = [data.as_in_ctx(device) for data in batch]
    losses, derivative = losses_and_derivatives(net, batch)
    embed_v, embed_u = (layer.weight.data().as_nd_ndarray() for layer in net)
    sparse = []
    for values, ids, table in (mx.np.ones_like(derivative[:, :1]), center, embed_v), (derivative, contexts_and_negatives, embed_u):
        ends = mx.nd.arange(0, ids.size + 1, ids.shape[1], ctx=device, dtype="int64")
        entries = values.reshape(-1).as_nd_ndarray(), ids.reshape(-1).as_nd_ndarray(), ends
        sparse.append(mx.nd.sparse.csr_matrix(entries, shape=(len(ids), len(table))))
    of_rows = mx.nd.sparse.dot(sparse[1], embed_u), mx.nd.sparse.dot(sparse[0], embed_v)
    for selection, sums, layer in zip(sparse, of_rows, net):
        gradient = layer.weight.grad().as_nd_ndarray()
        mx.nd.sparse.dot(selection, sums, transpose_a=True, forward_stype="default", out=gradient)
    return losses


def fast_train_batch(net, batch, optimizer, device):
    """Take the step of `train_batch` with gradients from `loss_and_gradients`; returns the losses, as before it.

    A Trainer takes only gradients that are marked as fresh, as `backward()` marks them.
    """
    losses = loss_and_gradients(net, batch, device)
    for layer in net:
        layer.weight.data()._fresh_grad = True
    optimizer.step(1)
    return losses
