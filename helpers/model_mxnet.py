"""The lesson's model in MXNet: data, skip-gram, loss, training, similar words. Its twin is `model_pytorch`.

MXNet's own arrays are `mx.np` and `mx.npx` here; `np` is NumPy wherever it stands in this project.
"""

import contextlib
from functools import partial

try:
    import mxnet as mx
except ImportError as error:
    raise ImportError(
        "The MXNet half needs mxnet 1.9.1, which runs with Python 3.10 or 3.11 and NumPy 1.23.5, on Linux or an Intel "
        "Mac; the PyTorch half needs none of that."
    ) from error
import numpy as np
from mxnet import gluon
from mxnet.gluon import nn

from helpers.arguments import require_positive, require_query, require_whole_numbers
from helpers.beyond.blocks import BLOCK_SIZE, BLOCKS_PER_UPDATE, held_out_block_loss, train_pieces
from helpers.beyond.checkpoints import TABLES, Checkpoint
from helpers.beyond.selections import selections
from helpers.corpus import read_corpus
from helpers.examples import Vocab, describe, initial_tables, load_minibatches
from helpers.training import History, loss_totals

mx.npx.set_np()


def to_tensor(array):
    """Turn an array of a minibatch into an array of MXNet of the same shape: ids become int32, mask and label float32."""
    return mx.np.array(array, dtype="int32" if array.dtype.kind == "i" else "float32")


def load_data(corpus, batch_size, max_window_size, num_noise_words, seed=0, min_freq=10, strict=False, resample=False):
    """Read a corpus and make its minibatches; returns `(data_iter, vocab)`.

    `data_iter` gives minibatches `(center, contexts_and_negatives, mask, label)` of MXNet arrays, see `examples.Minibatches`;
    `data_iter.held_out` gives those of the held-out text. Two lines say what the corpus holds. With `resample` the examples
    of the training text are drawn anew for every epoch.
    `corpus` and `strict` are those of `read_corpus`. Raises ValueError for an argument or a text that can't serve.
    """
    require_whole_numbers(batch_size=batch_size, max_window_size=max_window_size, num_noise_words=num_noise_words)
    require_whole_numbers(0, seed=seed, min_freq=min_freq)
    text = read_corpus(corpus, strict)
    vocab = Vocab(text.sentences, min_freq)
    describe(text, vocab)
    return load_minibatches(text, vocab, batch_size, max_window_size, num_noise_words, seed, to_tensor, resample), vocab


def load_data_ptb(batch_size, max_window_size, num_noise_words):
    """Load PTB (or what stands in for it) as the seed document and d2l do; returns `(data_iter, vocab)`."""
    return load_data("ptb", batch_size, max_window_size, num_noise_words)


def skip_gram(center, contexts_and_negatives, embed_v, embed_u):
    """Score each context or noise word of each center by the dot product of their two vectors.

    `center` (B, 1) and `contexts_and_negatives` (B, L) hold ids; `embed_v` and `embed_u` are the embedding layers of
    center and context words. Returns float32 (B, 1, L). `transpose_b` reads the second factor across; `u.swapaxes(1, 2)`,
    which the seed document writes, copies u first and is several times slower. With u as the first factor the product
    takes half the time again; what is turned over then are scores.
    """
    v = embed_v(center)
    u = embed_u(contexts_and_negatives)
    return mx.npx.batch_dot(u, v, transpose_b=True).swapaxes(1, 2)


class SigmoidBCELoss(gluon.loss.SigmoidBCELoss):
    """Binary cross-entropy of scores against 0/1 targets, in nats, averaged over each row, padding counted as 0.

    `inputs`, `target` and `mask` are (B, L), the mask 0 where a position is padding; returns (B,). For a mean over the
    valid positions multiply by L / mask.sum(axis=1).
    """

    def forward(self, inputs, target, mask=None):
        return super().forward(inputs, target, mask)


def model_from_tables(embed_v, embed_u):
    """Make the two embedding layers, centers in `net[0]` and contexts in `net[1]`, from two arrays (V, d) of float32."""
    net = nn.Sequential()
    for table in (embed_v, embed_u):
        net.add(nn.Embedding(*table.shape))
        net[-1].initialize(mx.init.Constant(mx.np.array(table)), ctx=mx.cpu())
    return net


def new_model(vocab_size, embed_size, seed):
    """Make a model with the values of `examples.initial_tables`: two tables (vocab_size, embed_size), on the CPU."""
    require_whole_numbers(vocab_size=vocab_size, embed_size=embed_size)
    return model_from_tables(*initial_tables(vocab_size, embed_size, seed))


def to_arrays(net):
    """Return copies of a model's two tables as NumPy arrays, `(embed_v, embed_u)`."""
    return tuple(layer.weight.data().asnumpy() for layer in net)


def batch_loss(net, batch, device):
    """Return the loss of each row of a minibatch (B,): the mean over its valid positions."""
    center, contexts_and_negatives, mask, label = [data.as_in_ctx(device) for data in batch]
    pred = skip_gram(center, contexts_and_negatives, net[0], net[1])
    return SigmoidBCELoss()(pred.reshape(label.shape), label, mask) / mask.sum(axis=1) * mask.shape[1]


def losses_and_slopes(net, batch):
    """Return the loss of each row of a minibatch (B,) and the slopes of their sum by each score (B, L).

    Scores are computed for 128 rows at a time: new memory for large arrays costs more than the products.
    """
    center, contexts_and_negatives, mask, label = batch
    parts = [slice(start, start + 128) for start in range(0, len(center), 128)]
    scores = [skip_gram(center[part], contexts_and_negatives[part], net[0], net[1]) for part in parts]
    pred, weight = mx.np.concatenate(scores).reshape(label.shape), mask / mask.sum(axis=1, keepdims=True)
    sign = 2 * label - 1
    belief = mx.npx.sigmoid(pred * sign)  # in what is true of each position; its -log is the loss
    return -(mx.np.log(mx.np.maximum(belief, 1e-30)) * weight).sum(axis=1), (belief - 1) * sign * weight


def loss_and_gradients(net, batch, device):
    """Give each table the gradient of the sum of a minibatch's row losses; returns those losses.

    It is what autograd's `backward()` does, in less time: products with sparse matrices (B, V) sum a center's words,
    or a word's centers, times their slopes without writing the rows out first.
    """
    center, contexts_and_negatives, mask, label = batch = [data.as_in_ctx(device) for data in batch]
    losses, slope = losses_and_slopes(net, batch)
    embed_v, embed_u = (layer.weight.data().as_nd_ndarray() for layer in net)
    sparse = []
    for values, ids, table in (mx.np.ones_like(slope[:, :1]), center, embed_v), (slope, contexts_and_negatives, embed_u):
        ends = mx.nd.arange(0, ids.size + 1, ids.shape[1], ctx=device, dtype="int64")
        entries = values.reshape(-1).as_nd_ndarray(), ids.reshape(-1).as_nd_ndarray(), ends
        sparse.append(mx.nd.sparse.csr_matrix(entries, shape=(len(ids), len(table))))
    of_rows = mx.nd.sparse.dot(sparse[1], embed_u), mx.nd.sparse.dot(sparse[0], embed_v)
    for selection, sums, layer in zip(sparse, of_rows, net):
        gradient = layer.weight.grad().as_nd_ndarray()
        mx.nd.sparse.dot(selection, sums, transpose_a=True, forward_stype="default", out=gradient)
    return losses


def train_batch(net, batch, optimizer, device):
    """Take one step of the optimiser on the sum of a minibatch's row losses; returns those losses, as before it."""
    losses = loss_and_gradients(net, batch, device)
    for number, layer in enumerate(net):
        optimizer(number, layer.weight.grad(), layer.weight.data())
    return losses


def held_out_loss(net, held_out, device):
    """Return the `loss_totals` of held-out minibatches; the model stays as it is."""
    totals = np.zeros(4)
    for batch in held_out.epoch(0):
        totals += loss_totals(batch_loss(net, batch, device), batch[2].as_in_ctx(device))
    return totals


def get_device(device=None):
    """Return the device of that name, or for None the first GPU if there is one, else the CPU, as d2l's `try_gpu`."""
    if device is None:
        from d2l import mxnet as d2l

        device = d2l.try_gpu()
    return mx.Context(device)


def get_state(net, optimizer):
    """Return copies of all that a training's next steps depend on, {name: array}: the tables, Adam's two means and its count.

    MXNet has no public way to the count, and its own files of states can run code when they are read.
    """
    state = dict(zip(TABLES, to_arrays(net)))
    for number, (name, layer) in enumerate(zip(TABLES, net)):
        zeros = [mx.nd.zeros(layer.weight.shape)] * 2  # before the first step
        mean, mean_square = optimizer.states.get(number, zeros)
        state |= {f"{name}.mean": mean.asnumpy(), f"{name}.mean_square": mean_square.asnumpy()}
        state[f"{name}.steps"] = np.array(optimizer.optimizer._index_update_count.get(number, 0))
    return state


def set_state(net, optimizer, state):
    """Put back what `get_state` returned, into the model and its optimiser."""
    for number, (name, layer) in enumerate(zip(TABLES, net)):
        layer.weight.set_data(mx.np.array(state[name]))
        means = (mx.nd.array(state[f"{name}.{part}"], layer.weight.data().ctx) for part in ("mean", "mean_square"))
        optimizer.states[number], optimizer.states_synced[number] = tuple(means), True
        optimizer.optimizer._index_update_count[number] = int(state[f"{name}.steps"])


def train(net, data_iter, lr, num_epochs, device=None, checkpoint_path=None):
    """Train a model with Adam, from the values that it has; returns the History, an Epoch per epoch.

    `device=None` takes the first GPU if there is one, as d2l's `try_gpu` does. A progress bar and, in a notebook, a
    live curve show how far it is. With a `checkpoint_path` the training's state is written to that .safetensors file from
    time to time, and where the file is there already, the training goes on from it, to the same bits on the same machine.
    Raises ValueError for a checkpoint of another training or a damaged one, OSError for one that can't be written, and
    FloatingPointError if the training diverges: the model then has the last good tables. They are kept at the start, at the
    end of each epoch, and every half minute.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs)
    device = get_device(device)
    net.collect_params().reset_ctx(device)
    optimizer = mx.optimizer.get_updater(mx.optimizer.Adam(learning_rate=lr))
    state = partial(get_state, net, optimizer), partial(set_state, net, optimizer)
    history = History(data_iter, num_epochs, device, Checkpoint(checkpoint_path, *state, method=f"Adam, mxnet {mx.__version__}", lr=lr))
    with history.running():
        for _ in range(len(history), num_epochs):
            for batch in history.batches():
                history.add(train_batch(net, batch, optimizer, device), batch[2].as_in_ctx(device))
            history.end_epoch(held_out_loss(net, data_iter.held_out, device))
    return history


def block_totals(tables, piece, blocks):
    """Return the `loss_totals` of a piece: each score counts with its weight, as a position does in a minibatch.

    The loss of a score is -log of the belief in what is true of it. Where that underflows it stays below 70.
    """
    ids, patterns, weights, label = map(to_tensor, (*piece, blocks.weights, blocks.label))
    center, words = ids[:, : patterns.shape[1]], ids[:, patterns.shape[1] :]
    v = mx.np.take(tables, center.reshape(-1, BLOCK_SIZE), axis=0)
    u = mx.np.take(tables, words.reshape(-1, len(label)), axis=0)
    pred = mx.npx.batch_dot(v, u, transpose_b=True).reshape(-1, len(label))
    weight = mx.np.take(weights, patterns.reshape(-1), axis=0)
    belief = mx.np.maximum(mx.npx.sigmoid(pred * (2 * label - 1)), 1e-30)
    valid = weight.sum(axis=1)  # 0 for a word without a context word
    totals = loss_totals((mx.np.log(belief) * weight).sum(axis=1) / -mx.np.maximum(valid, 1), weight)
    totals[1] = (valid > 0).sum()
    return totals


def train_piece(tables, piece, blocks, lr):
    """Take a step of gradient descent on each update of a piece.

    MXNet adds to rows in place with its older sparse arrays only: the product of a selection, a one per row and word, with
    the steps is row-sparse, and a lazy `sgd_update` touches the rows that it has. Returns when all is done, so that
    rates are true.
    """
    weights, label, old_tables = to_tensor(blocks.weights), to_tensor(blocks.label), tables.as_nd_ndarray()
    parts = *np.split(piece.ids, [piece.patterns.shape[1]], axis=1), piece.patterns
    parts = [to_tensor(part.reshape(len(part), BLOCKS_PER_UPDATE, -1)) for part in parts]
    for selection, center, words, patterns in zip(selections(piece.ids, len(tables)), *parts):
        v, u, weight = tables.take(center, axis=0), tables.take(words, axis=0), weights.take(patterns, axis=0)
        slope = (mx.npx.sigmoid(mx.npx.batch_dot(v, u, transpose_b=True)) - label) * weight
        steps = mx.npx.batch_dot(slope, u), mx.npx.batch_dot(slope, v, transpose_a=True)
        steps = mx.np.concatenate([step.reshape(-1, step.shape[2]) for step in steps]).as_nd_ndarray()
        sums = mx.nd.sparse.dot(selection, steps, transpose_a=True, forward_stype="row_sparse")
        mx.nd.sgd_update(old_tables, sums, lr=lr, lazy_update=True, out=old_tables)
    mx.npx.waitall()


@contextlib.contextmanager
def joined_tables(net):
    """Give both tables of a model as one (2 * V, d); the model gets its values at the end."""
    tables = mx.np.concatenate([layer.weight.data().as_in_ctx(mx.cpu()) for layer in net])
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


def train_blocks(net, blocks, lr, num_epochs, num_workers=1, checkpoint_path=None):
    """Train a model on blocks with plain gradient descent, on the CPU; returns the History, an Epoch per epoch.

    It starts from the values that the model has. The rate falls from `lr` to 0 in a straight line. Subsampling, windows
    and noise words are new in every epoch. Only the PyTorch variant trains with several workers.
    `checkpoint_path` and errors are those of `train`.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs, num_workers=num_workers)
    if num_workers > 1:
        raise ValueError(f"MXNet's tables can't be trained by several processes: num_workers must be 1, not {num_workers}")
    with joined_tables(net) as tables:
        history = History(blocks, num_epochs, "cpu", block_checkpoint(checkpoint_path, tables, lr))
        work = block_totals, train_piece, tables, blocks, lr, num_epochs
        with history.running():
            for epoch in range(len(history), num_epochs):
                for totals in history.batches(train_pieces(*work, epoch, history.step)):
                    history.totals += totals
                history.end_epoch(held_out_block_loss(block_totals, tables, blocks.held_out))
    return history


def get_similar_tokens(query_token, k, embed, vocab):
    """Print the `k` words whose vectors have the largest cosine with the query word's; returns (word, cosine) pairs.

    `embed` is an embedding layer. Neither the query word nor `<unk>` is listed. Raises LookupError for a word that is
    not in the vocabulary, ValueError for a `k` out of range.
    """
    require_query(query_token, k, vocab)
    W = embed.weight.data()
    x = W[vocab[query_token]]
    cos = mx.np.dot(W, x) / mx.np.sqrt(mx.np.sum(W * W, axis=1) * mx.np.sum(x * x) + 1e-9)
    cos[[vocab.unk, vocab[query_token]]] = -2
    topk = mx.npx.topk(cos, k=k, ret_typ="indices").asnumpy().astype("int32")
    similar = [(vocab.to_tokens(i), float(cos[i])) for i in topk]
    for token, cosine in similar:
        print(f"cosine sim={cosine:.3f}: {token}")
    return similar
