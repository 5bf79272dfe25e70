"""The lesson's model in PyTorch: data, skip-gram, loss, training, similar words. Its twin is `model_mxnet`."""

import numpy as np
import torch
from torch import nn

from helpers.arguments import require_positive, require_query, require_whole_numbers
from helpers.corpus import read_corpus
from helpers.examples import Vocab, describe, initial_tables, load_minibatches
from helpers.training import History, loss_totals


def to_tensor(array):
    """Turn an array of a minibatch into a tensor of the same shape: ids stay int64, mask and label float32."""
    return torch.from_numpy(array)


def load_data(corpus, batch_size, max_window_size, num_noise_words, seed=0, min_freq=10):
    """Read a corpus and make its minibatches; returns `(data_iter, vocab)`.

    `data_iter` gives minibatches `(center, contexts_and_negatives, mask, label)` of tensors, see `examples.Minibatches`;
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
    center and context words. Returns float32 (B, 1, L).
    """
    v = embed_v(center)
    u = embed_u(contexts_and_negatives)
    return torch.bmm(v, u.permute(0, 2, 1))


class SigmoidBCELoss(nn.Module):
    """Binary cross-entropy of scores against 0/1 targets, in nats, averaged over each row, padding counted as 0.

    The layer of d2l and of the seed document, for code written to them; `batch_loss` does without it.
    `inputs`, `target` and `mask` are (B, L), the mask 0 where a position is padding; returns (B,). For a mean over the
    valid positions multiply by L / mask.sum(axis=1).
    """

    def forward(self, inputs, target, mask=None):
        out = nn.functional.binary_cross_entropy_with_logits(inputs, target, weight=mask, reduction="none")
        return out.mean(dim=1)


def model_from_tables(embed_v, embed_u):
    """Make the two embedding layers, centers in `net[0]` and contexts in `net[1]`, from two arrays (V, d) of float32."""
    tables = (torch.tensor(table) for table in (embed_v, embed_u))
    return nn.Sequential(*(nn.Embedding.from_pretrained(table, freeze=False) for table in tables))


def new_model(vocab_size, embed_size, seed):
    """Make a model with the values of `examples.initial_tables`: two tables (vocab_size, embed_size), on the CPU."""
    require_whole_numbers(vocab_size=vocab_size, embed_size=embed_size)
    return model_from_tables(*initial_tables(vocab_size, embed_size, seed))


def to_arrays(net):
    """Return copies of a model's two tables as NumPy arrays, `(embed_v, embed_u)`."""
    return tuple(layer.weight.detach().cpu().numpy().copy() for layer in net)


def set_arrays(net, tables):
    """Put tables that `to_arrays` returned back into a model."""
    for layer, table in zip(net, tables):
        layer.weight.data.copy_(torch.from_numpy(table))


def batch_loss(net, batch, device):
    """Return the loss of each row of a minibatch (B,): the mean over its valid positions."""
    center, contexts_and_negatives, mask, label = [data.to(device) for data in batch]
    pred = skip_gram(center, contexts_and_negatives, net[0], net[1])
    pred = pred.reshape(label.shape)
    loss = nn.functional.binary_cross_entropy_with_logits(pred, label, reduction="none")
    return (loss * mask).sum(dim=1) / mask.sum(dim=1)


def train_batch(net, batch, optimizer, device):
    """Take one step of the optimizer on the sum of a minibatch's row losses; returns those losses (B,), as before it."""
    optimizer.zero_grad()
    losses = batch_loss(net, batch, device)
    losses.sum().backward()
    optimizer.step()
    return losses.detach()


def _to_device(batch, device):
    """Return a minibatch on a device. Nobody waits for its way to a GPU: copies from pinned memory go on beside other work."""
    if torch.device(device).type == "cuda":
        batch = [data.pin_memory() for data in batch]
    return [data.to(device, non_blocking=True) for data in batch]


def held_out_loss(net, held_out, device):
    """Return the `loss_totals` of held-out minibatches; the model stays as it is."""
    totals = np.zeros(4)
    with torch.no_grad():
        for batch in held_out.epoch(0):
            batch = _to_device(batch, device)
            totals += loss_totals(batch_loss(net, batch, device), batch[2])
    return totals


def get_device(device=None):
    """Return the device of that name, or for None the first GPU if there is one, else the CPU, as d2l's `try_gpu`."""
    if device is None:
        from d2l import torch as d2l

        device = d2l.try_gpu()
    return torch.device(device)


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
    net.to(device)
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    history = History(data_iter, num_epochs, device, keep)
    with history.recording(net, to_arrays, set_arrays):
        for _ in range(num_epochs):
            for batch in history.batches():
                batch = _to_device(batch, device)
                losses = step(net, batch, optimizer, device)
                history.add(losses, batch[2])
            history.end_epoch(held_out_loss(net, data_iter.held_out, device))
    return history


def get_similar_tokens(query_token, k, embed, vocab):
    """Print the `k` words whose vectors have the largest cosine with the query word's; returns (word, cosine) pairs.

    `embed` is an embedding layer. Neither the query word nor `<unk>` is listed. Raises LookupError for a word that is
    not in the vocabulary, ValueError for a `k` out of range.
    """
    require_query(query_token, k, vocab)
    W = embed.weight.data
    x = W[vocab[query_token]]
    cos = torch.mv(W, x) / torch.sqrt(torch.sum(W * W, dim=1) * torch.sum(x * x) + 1e-9)
    cos[[vocab.unk, vocab[query_token]]] = -2
    topk = torch.topk(cos, k)[1].cpu().numpy()
    similar = [(vocab.to_tokens(i), float(cos[i])) for i in topk]
    for token, cosine in similar:
        print(f"cosine sim={cosine:.3f}: {token}")
    return similar
