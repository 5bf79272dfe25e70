"""The lesson's model in PyTorch: data, skip-gram, loss, training, similar words. Its twin is `model_mxnet`."""

import contextlib
from functools import partial

import numpy as np
import torch
from torch import nn

from helpers.arguments import require_positive, require_query, require_whole_numbers
from helpers.beyond.blocks import BLOCK_SIZE, BLOCKS_PER_UPDATE, held_out_block_loss, train_pieces
from helpers.beyond.checkpoints import TABLES, Checkpoint
from helpers.beyond.processes import Workers, one_thread
from helpers.corpus import read_corpus
from helpers.examples import Vocab, describe, initial_tables, load_minibatches
from helpers.training import History, loss_totals

FUSED = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 4)  # Adam as one loop on CPUs too; not on Intel Macs


def to_tensor(array):
    """Turn an array of a minibatch into a tensor of the same shape: ids stay int64, mask and label float32."""
    return torch.from_numpy(array)


def load_data(corpus, batch_size, max_window_size, num_noise_words, seed=0, min_freq=10, strict=False, resample=False):
    """Read a corpus and make its minibatches; returns `(data_iter, vocab)`.

    `data_iter` gives minibatches `(center, contexts_and_negatives, mask, label)` of tensors, see `examples.Minibatches`;
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
    center and context words. Returns float32 (B, 1, L).
    """
    v = embed_v(center)
    u = embed_u(contexts_and_negatives)
    return torch.bmm(v, u.permute(0, 2, 1))


class SigmoidBCELoss(nn.Module):
    """Binary cross-entropy of scores against 0/1 targets, in nats, averaged over each row, padding counted as 0.

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


def batch_loss(net, batch, device):
    """Return the loss of each row of a minibatch (B,): the mean over its valid positions."""
    center, contexts_and_negatives, mask, label = [data.to(device) for data in batch]
    pred = skip_gram(center, contexts_and_negatives, net[0], net[1])
    return SigmoidBCELoss()(pred.reshape(label.shape), label, mask) / mask.sum(axis=1) * mask.shape[1]


@torch.no_grad()
def losses_and_slopes(net, batch):
    """Return the loss of each row of a minibatch (B,) and the slopes of their sum by each score (B, L).

    Scores are computed for 64 rows at a time: new memory for large arrays costs more than the products.
    """
    center, contexts_and_negatives, mask, label = batch
    parts = [slice(start, start + 64) for start in range(0, len(center), 64)]
    scores = [skip_gram(center[part], contexts_and_negatives[part], net[0], net[1]) for part in parts]
    pred, weight = torch.cat(scores).reshape(label.shape), mask / mask.sum(axis=1, keepdim=True)
    sign = 2 * label - 1
    belief = torch.sigmoid(pred * sign)  # in what is true of each position; its -log is the loss
    return -(belief.clamp(min=1e-30).log() * weight).sum(axis=1), (belief - 1) * sign * weight


@torch.no_grad()
def loss_and_gradients(net, batch, device):
    """Give each table the gradient of the sum of a minibatch's row losses; returns those losses.

    It is what `batch_loss(...).sum().backward()` does, several times as fast: `embedding_bag` sums a center's words, or a
    word's centers, times their slopes without writing the rows out first. NumPy sorts because it counts 16-bit numbers.
    """
    center, contexts_and_negatives, mask, label = batch = [data.to(device) for data in batch]
    losses, slope = losses_and_slopes(net, batch)
    embed_v, embed_u = (layer.weight for layer in net)
    of_rows = nn.functional.embedding_bag(contexts_and_negatives, embed_u, per_sample_weights=slope, mode="sum")  # (B, d)
    embed_v.grad = torch.zeros_like(embed_v) if embed_v.grad is None else embed_v.grad.zero_()  # new memory costs more
    embed_v.grad.index_add_(0, center[:, 0], of_rows)
    place = mask.flatten().nonzero()[:, 0]
    words = contexts_and_negatives.flatten()[place]
    small = words.cpu().numpy().astype(np.min_scalar_type(len(embed_u)))
    place, count = place[torch.from_numpy(np.argsort(small, kind="stable")).to(device)], words.bincount(minlength=len(embed_u))
    bags = place // mask.shape[1], embed_v[center[:, 0]], count.cumsum(0) - count
    embed_u.grad = nn.functional.embedding_bag(*bags, per_sample_weights=slope.flatten()[place], mode="sum")
    return losses


def train_batch(net, batch, optimizer, device):
    """Take one step of the optimiser on the sum of a minibatch's row losses; returns those losses, as before it."""
    losses = loss_and_gradients(net, batch, device)
    optimizer.step()
    return losses


def held_out_loss(net, held_out, device):
    """Return the `loss_totals` of held-out minibatches; the model stays as it is."""
    totals = np.zeros(4)
    with torch.no_grad():
        for batch in held_out.epoch(0):
            totals += loss_totals(batch_loss(net, batch, device), batch[2].to(device))
    return totals


def get_device(device=None):
    """Return the device of that name, or for None the first GPU if there is one, else the CPU, as d2l's `try_gpu`."""
    if device is None:
        from d2l import torch as d2l

        device = d2l.try_gpu()
    return torch.device(device)


def get_state(net, optimizer):
    """Return copies of all that a training's next steps depend on, {name: array}: the tables, Adam's two means and its count.

    Before the first step the means and the count are 0.
    """
    state = dict(zip(TABLES, to_arrays(net)))
    for name, layer in zip(TABLES, net):
        zeros = {"step": torch.zeros(()), "exp_avg": torch.zeros_like(layer.weight), "exp_avg_sq": torch.zeros_like(layer.weight)}
        for part, tensor in (optimizer.state[layer.weight] or zeros).items():
            state[f"{name}.{part}"] = tensor.detach().cpu().numpy().copy()
    return state


def set_state(net, optimizer, state):
    """Put back what `get_state` returned, into the model and its optimiser."""
    for name, layer in zip(TABLES, net):
        layer.weight.data.copy_(torch.from_numpy(state[name]))
        for part in "step", "exp_avg", "exp_avg_sq":
            optimizer.state[layer.weight][part] = torch.tensor(state[f"{name}.{part}"]).to(layer.weight.device)


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
    optimizer = torch.optim.Adam(net.to(device).parameters(), lr=lr, fused=FUSED)  # fused: in one pass over a table
    state = partial(get_state, net, optimizer), partial(set_state, net, optimizer)
    history = History(data_iter, num_epochs, device, Checkpoint(checkpoint_path, *state, method=f"Adam, torch {torch.__version__}", lr=lr))
    with history.running():
        for _ in range(len(history), num_epochs):
            for batch in history.batches():
                history.add(train_batch(net, batch, optimizer, device), batch[2].to(device))
            history.end_epoch(held_out_loss(net, data_iter.held_out, device))
    return history


@torch.no_grad()
def block_totals(tables, piece, blocks):
    """Return the `loss_totals` of a piece: each score counts with its weight, as a position does in a minibatch.

    The loss of a score is -log of the belief in what is true of it. Where that underflows it stays below 70.
    """
    ids, patterns, weights, label = map(to_tensor, (*piece, blocks.weights, blocks.label))
    center, words = ids.split([patterns.shape[1], ids.shape[1] - patterns.shape[1]], dim=1)
    v, u = (tables.index_select(0, part.flatten()) for part in (center, words))
    pred = torch.bmm(v.view(-1, BLOCK_SIZE, v.shape[1]), u.view(-1, len(label), v.shape[1]).mT).flatten(0, 1)
    weight = weights.index_select(0, patterns.flatten())
    belief = (pred * (2 * label - 1)).sigmoid_().clamp_(min=1e-30)
    valid = weight.sum(axis=1)  # 0 for a word without a context word
    totals = loss_totals((belief.log_() * weight).sum(axis=1) / -valid.clamp(min=1), weight)
    totals[1] = (valid > 0).sum()
    return totals


@torch.no_grad()
def train_piece(tables, piece, blocks, lr):
    """Take a step of gradient descent on each update of a piece.

    Everything is written into memory that is asked for once: new memory for each product costs a quarter more time.
    """
    ids, patterns, weights, label = map(to_tensor, (*piece, blocks.weights, blocks.label))
    rows, steps = memory = tables.new_empty(2, ids.shape[1], tables.shape[1])
    parts = memory.split([patterns.shape[1], ids.shape[1] - patterns.shape[1]], dim=1)
    (v, step_v), (u, step_u) = (part.unflatten(1, (BLOCKS_PER_UPDATE, -1)) for part in parts)
    weight, slope = weights.new_empty(2, BLOCKS_PER_UPDATE, BLOCK_SIZE, len(label))
    weights = weights * -lr
    for row_ids, row_patterns in zip(ids, patterns):
        torch.index_select(tables, 0, row_ids, out=rows)
        torch.index_select(weights, 0, row_patterns, out=weight.view(-1, len(label)))
        torch.bmm(v, u.mT, out=slope).sigmoid_().sub_(label).mul_(weight)
        torch.bmm(slope, u, out=step_v)
        torch.bmm(slope.mT, v, out=step_u)
        tables.index_add_(0, row_ids, steps)


@contextlib.contextmanager
def joined_tables(net):
    """Give both tables of a model as one (2 * V, d); the model gets its values at the end."""
    tables = torch.cat([layer.weight.detach().cpu() for layer in net])
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


def train_blocks(net, blocks, lr, num_epochs, num_workers=1, checkpoint_path=None):
    """Train a model on blocks with plain gradient descent, on the CPU; returns the History, an Epoch per epoch.

    It starts from the values that the model has. The rate falls from `lr` to 0 in a straight line. Subsampling, windows
    and noise words are new in every epoch. With `num_workers` above 1, that many processes train the same tables at the
    same time without waiting for each other, so that no two runs are equal
    (Recht et al. 2011, https://arxiv.org/abs/1106.5730); they diverge at lower rates than one process does. `checkpoint_path`
    and errors are those of `train`; a checkpoint is for one worker only.
    """
    require_positive(lr=lr)
    require_whole_numbers(num_epochs=num_epochs, num_workers=num_workers)
    with one_thread(), joined_tables(net) as tables:
        checkpoint = block_checkpoint(checkpoint_path, tables, lr, num_workers)
        history, shared = History(blocks, num_epochs, "cpu", checkpoint), tables.share_memory_()
        work = train_pieces, block_totals, train_piece, shared, blocks, lr, num_epochs
        with history.running(), Workers(num_workers, *work) as workers:
            for epoch in range(len(history), num_epochs):
                for totals in history.batches(workers.run(epoch, history.step)):
                    history.totals += totals
                history.end_epoch(held_out_block_loss(block_totals, tables, blocks.held_out))
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
