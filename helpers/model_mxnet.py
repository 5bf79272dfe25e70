"""The lesson's model in MXNet: data, skip-gram, loss, training, similar words. Its twin is `model_pytorch`.

MXNet's own arrays are `mx.np` and `mx.npx` here; `np` is NumPy wherever it stands in this project.
"""

try:
    import mxnet as mx
except (ImportError, OSError) as error:  # OSError: a library of the system is missing
    raise ImportError(
        "The MXNet half needs mxnet 1.9.1, which runs with Python 3.10 or 3.11 and NumPy 1.23.5, on an Intel Mac or on Linux "
        f"with libgomp1 and libquadmath0; the PyTorch half needs none of that. Here: {error}"
    ) from error
import numpy as np
from mxnet import autograd, gluon
from mxnet.gluon import nn

from helpers.arguments import require_positive, require_query, require_whole_numbers
from helpers.corpus import read_corpus
from helpers.examples import Vocab, describe, initial_tables, load_minibatches
from helpers.training import History, loss_totals

mx.npx.set_np()


def to_tensor(array):
    """Turn an array of a minibatch into an array of MXNet of the same shape: ids become int32, mask and label float32."""
    return mx.np.array(array, dtype="int32" if array.dtype.kind == "i" else "float32")


def load_data(corpus, batch_size, max_window_size, num_noise_words, seed=0, min_freq=10):
    """Read a corpus and make its minibatches; returns `(data_iter, vocab)`.

    `data_iter` gives minibatches `(center, contexts_and_negatives, mask, label)` of MXNet arrays, see `examples.Minibatches`;
    `data_iter.held_out` gives those of the held-out text. Two lines say what the corpus holds.
    `corpus` is that of `read_corpus`. Raises ValueError for an argument or a text that can't serve.
    """
    require_whole_numbers(batch_size=batch_size, max_window_size=max_window_size, num_noise_words=num_noise_words)
    require_whole_numbers(0, seed=seed, min_freq=min_freq)
    text = read_corpus(corpus)
    vocab = Vocab(text.sentences, min_freq)
    describe(text, vocab)
    return load_minibatches(text, vocab, batch_size, max_window_size, num_noise_words, seed, to_tensor), vocab


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

    The layer of d2l and of the seed document, for code written to them; `batch_loss` does without it.
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


def set_arrays(net, tables):
    """Put tables that `to_arrays` returned back into a model."""
    for layer, table in zip(net, tables):
        layer.weight.set_data(mx.np.array(table))


def batch_loss(net, batch, device):
    """Return the loss of each row of a minibatch (B,): the mean over its valid positions.

    `softrelu` is ln(1 + e^x), which is -ln sigmoid(-x): the cross-entropy of label 0 for x = score, of label 1 for x = -score.
    """
    center, contexts_and_negatives, mask, label = [data.as_in_ctx(device) for data in batch]
    pred = skip_gram(center, contexts_and_negatives, net[0], net[1])
    pred = pred.reshape(label.shape)
    sign = 1 - 2 * label
    loss = mx.npx.activation(sign * pred, act_type="softrelu")
    return (loss * mask).sum(axis=1) / mask.sum(axis=1)


def train_batch(net, batch, optimizer, device):
    """Take one step of the Trainer on the sum of a minibatch's row losses; returns those losses (B,), as before it."""
    with autograd.record():
        losses = batch_loss(net, batch, device)
    losses.backward()
    optimizer.step(1)
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


def train(net, data_iter, lr, num_epochs, device=None, step=train_batch, keep=()):
    """Train a model with Adam, from the values that it has; returns the History, an Epoch per epoch.

    `device=None` takes the first GPU if there is one, as d2l's `try_gpu` does. `step(net, batch, optimizer, device)` trains on
    one minibatch and returns its row losses (B,). `keep` lists epochs, 0 being the start, whose table of centers goes to
    `history.tables`. A progress bar and, in a notebook, a live curve show how far it is. Raises FloatingPointError if the
    training diverges: the model then has the tables of the last whole epoch. Ctrl-C ends it at a whole step, with Interrupted.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs)
    device = get_device(device)
    net.collect_params().reset_ctx(device)
    optimizer = gluon.Trainer(net.collect_params(), "adam", {"learning_rate": lr})
    history = History(data_iter, num_epochs, device, keep)
    with history.recording(net, to_arrays, set_arrays):
        for _ in range(num_epochs):
            for batch in history.batches():
                losses = step(net, batch, optimizer, device)
                history.add(losses, batch[2].as_in_ctx(device))
            history.end_epoch(held_out_loss(net, data_iter.held_out, device))
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
