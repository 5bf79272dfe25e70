"""Train on prepared text in several processes, on one machine or many; `tools.train` is the command.

Each process is a rank: it trains tables of its own on its own shards, with the blocks of step 8, and from time to time the ranks
exchange their tables. torchrun starts the ranks on several machines.
"""

import contextlib
import itertools
import json
import socket
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing
from torch.distributed.algorithms.model_averaging.utils import average_parameters
from tqdm import tqdm

from helpers.arguments import require_words
from helpers.beyond.blocks import Blocks, held_out_block_loss, train_pieces, word2vec_tables
from helpers.beyond.blocks_pytorch import block_checkpoint, block_totals, train_piece
from helpers.beyond.checkpoints import checkpoint_beside, remove_checkpoint
from helpers.beyond.prepared import PreparedText, read_manifest
from helpers.beyond.processes import one_thread
from helpers.beyond.text_training import BAR, loss_line, require_one_prepared, require_out, speed_line, written_line
from helpers.beyond.vector_files import require_fit_words, write_vectors
from helpers.examples import count_words
from helpers.training import means, told_held_out


def gather(value):
    """Return the values of all ranks in their order; a value is what JSON can hold."""
    text = torch.frombuffer(bytearray(json.dumps(value).encode()), dtype=torch.uint8)
    sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(dist.get_world_size())]
    dist.all_gather(sizes, torch.tensor([len(text)]))
    padded = torch.zeros(int(max(sizes)), dtype=torch.uint8)
    padded[: len(text)] = text
    texts = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(texts, padded)
    return [json.loads(bytes(text[:size].numpy())) for text, size in zip(texts, sizes)]


def on_every_rank(function, *arguments):
    """Return what a function returns; if it fails on a rank, every rank raises a ValueError with that rank and its reason."""
    result, reason = None, None
    try:
        result = function(*arguments)
    except (ValueError, OSError) as error:
        reason = f"rank {dist.get_rank()} on {socket.gethostname()}: {error}"
    if reasons := [reason for reason in gather(reason) if reason]:
        raise ValueError("; ".join(reasons))
    return result


def require_agreement(settings):
    """Raise a ValueError, on every rank, that names the settings in which a rank differs from rank 0."""
    first, *others = gather(settings)
    for rank, other in enumerate(others, 1):
        names = [name for name in first if first[name] != other[name]]
        if names:
            told = "; ".join(f"{name} is {other[name]!r} there, not {first[name]!r}" for name in names)
            raise ValueError(f"rank {rank} has other settings than rank 0: {told}")


def average_tables(tables):
    """Give every rank the mean of the ranks' tables, with PyTorch's model averaging.

    The mean takes from each rank's steps all but its share, so each takes steps at a rate that is as many times as large.
    """
    parameter = torch.nn.Parameter(tables, requires_grad=False)
    average_parameters(iter([parameter]), dist.group.WORLD)
    tables.copy_(parameter.data)


class Training:
    """The tables, the blocks and the state of one rank's training; `run()` trains until it is done.

    `blocks` are those of the rank's shards. `checkpoint` writes on one rank and reads on it; the others get what it read.
    """

    def __init__(self, tables, blocks, lr, num_epochs, exchange_pieces, checkpoint, writer):
        self.tables, self.blocks, self.num_epochs, self.exchange_pieces = tables, blocks, num_epochs, exchange_pieces
        self.checkpoint, self.is_writer = checkpoint, dist.get_rank() == writer
        new = {"epochs": [], "piece": 0, "totals": [0.0] * 4, "seconds": 0.0, "exchanges": 0, "waited": 0.0, "starts": 0}
        self.record = gather(on_every_rank(lambda: checkpoint.resume(new, num_epochs) if self.is_writer else None))[writer]
        self.record["starts"] += 1
        dist.broadcast(tables, writer)
        self.lr = lr * dist.get_world_size()
        self.num_rounds = -(-max(gather(len(blocks))) // exchange_pieces)
        self.num_tokens = sum(gather(len(blocks.ids)))

    def run(self):
        """Train epoch by epoch; returns the list of [loss, held-out loss, seconds] of all epochs."""
        done = len(self.record["epochs"]) * self.num_rounds + self.record["piece"] // self.exchange_pieces
        bar = tqdm(total=self.num_epochs * self.num_rounds, initial=done, bar_format=BAR, disable=not self.is_writer, mininterval=1)
        with bar:
            for epoch in range(len(self.record["epochs"]), self.num_epochs):
                bar.set_description(f"epoch {epoch + 1}/{self.num_epochs}", refresh=False)
                for _ in self.rounds(epoch):
                    share = self.record["piece"] / self.exchange_pieces / self.num_rounds
                    bar.set_postfix_str(f"{share * self.num_tokens / self.record['seconds']:,.0f} words/s", refresh=False)
                    bar.update()
                self.end_epoch()
                if self.is_writer:
                    loss, held_out, seconds = self.record["epochs"][-1]
                    bar.write(f"epoch {epoch + 1}: loss {loss:.4f}, {told_held_out(held_out)}, {seconds:.1f} s")
        return self.record["epochs"]

    def rounds(self, epoch):
        """Train on what is left of an epoch: some pieces, then an exchange; yields after each."""
        pieces = train_pieces(
            block_totals, train_piece, self.tables, self.blocks, self.lr, self.num_epochs, epoch, self.record["piece"]
        )  # fmt: skip
        for _ in range(self.record["piece"], self.num_rounds * self.exchange_pieces, self.exchange_pieces):
            start, failure, totals = time.perf_counter(), None, np.zeros(4)
            try:
                totals = sum(itertools.islice(pieces, self.exchange_pieces), totals)
            except FloatingPointError as error:
                failure = error
            trained = time.perf_counter()
            self.exchange(totals, failure)
            self.record["waited"] += time.perf_counter() - trained
            self.record["piece"] += self.exchange_pieces
            self.record["seconds"] += time.perf_counter() - start
            if self.is_writer and self.checkpoint.is_due():
                self.checkpoint.keep(self.record)
            yield

    def exchange(self, totals, failure):
        """Exchange the tables, and add up the ranks' totals; raises FloatingPointError on every rank if one diverged."""
        summed = torch.tensor([*totals, failure is not None], dtype=torch.float64)
        dist.all_reduce(summed)
        if summed[-1]:
            raise failure or FloatingPointError("the training diverged on another rank: choose a smaller lr")
        if dist.get_world_size() > 1:
            average_tables(self.tables)
        self.record["totals"] = (np.array(self.record["totals"]) + summed[:-1].numpy()).tolist()
        self.record["exchanges"] += 1

    def end_epoch(self):
        """Close an epoch: the held-out loss of all ranks, the losses, a checkpoint."""
        held_out = torch.from_numpy(held_out_block_loss(block_totals, self.tables, self.blocks.held_out))
        dist.all_reduce(held_out)
        if not torch.isfinite(held_out).all():
            raise FloatingPointError("the training diverged, to a held-out loss that is not finite: choose a smaller lr")
        losses = means(self.record["totals"])[0], means(held_out.numpy())[0]
        self.record["epochs"].append([*losses, self.record["seconds"]])
        self.record.update(piece=0, totals=[0.0] * 4, seconds=0.0)
        if self.is_writer:
            self.checkpoint.keep(self.record)

    def summary(self):
        """Return the results as a dict for JSON: the epochs, tokens per second, and what a rank sent for each token.

        The sum of n numbers over R ranks costs each rank 2 * (R - 1) / R * n of them.
        """
        num_ranks, epochs = dist.get_world_size(), self.record["epochs"]
        seconds = sum(seconds for *_, seconds in epochs)
        sent = 2 * (num_ranks - 1) / num_ranks * self.tables.nbytes * self.record["exchanges"]
        return {
            "ranks": num_ranks, "starts": self.record["starts"], "exchanges": self.record["exchanges"],
            "epochs": [dict(zip(("loss", "held_out", "seconds"), epoch)) for epoch in epochs],
            "tokens per second": self.num_tokens * len(epochs) / seconds,
            "share of the time in exchanges": self.record["waited"] / seconds,
            "bytes sent per token by a rank": sent / (self.num_tokens * len(epochs)),
        }  # fmt: skip

    def write(self, out, vocab, settings):
        """Write the vectors, and say what the training came to."""
        loss, held_out, _ = self.record["epochs"][-1]
        seconds = sum(seconds for *_, seconds in self.record["epochs"])
        embed_v, embed_u = np.split(self.tables.numpy(), 2)
        write_vectors(out, embed_v, embed_u, vocab.idx_to_token, {**settings, "corpus": self.blocks.corpus, **self.summary()})
        print(loss_line(loss, held_out, self.blocks))
        print(speed_line(self.num_tokens, self.num_epochs, seconds))
        print(written_line(out, len(vocab), embed_v.shape[1]))


def read_shards(corpus, min_freq, max_window_size, num_noise_words, seed):
    """Return the Blocks of this rank's shards of a prepared text, and the vocabulary; each rank draws on its own."""
    rank = dist.get_rank()
    text = PreparedText(corpus, rank, dist.get_world_size())
    text.verify()
    vocab = text.vocab(min_freq)
    require_words(text, vocab)
    settings = count_words(vocab), max_window_size, num_noise_words, [seed, rank] if rank else seed
    held_out = Blocks(*text.held_out(vocab), *settings, purpose="held-out blocks")
    return Blocks(*text.training(vocab), *settings, held_out, text.name), vocab


def train_ranks(corpus, out, embed_size, lr, num_epochs, max_window_size, num_noise_words, min_freq, seed, exchange_pieces):
    """Train on a prepared text with all ranks; one of them writes the vectors to `out`, with `Training.summary`. Returns the epochs.

    Where a checkpoint of the same training is beside `out`, on any rank, it goes on from there, and the checkpoint is removed
    when the vectors are written. Raises ValueError, on every rank, for invalid arguments on one of them, and
    FloatingPointError if the training diverges.
    """
    path = checkpoint_beside(out)
    there = gather(path.exists())
    writer = there.index(True) if any(there) else 0
    on_every_rank(require_out, Path(out), any(there))
    on_every_rank(require_one_prepared, [corpus])
    blocks, vocab = on_every_rank(read_shards, corpus, min_freq, max_window_size, num_noise_words, seed)
    on_every_rank(require_fit_words, out, vocab.idx_to_token[1:])
    settings = {
        "text": read_manifest(corpus)["sha256"], "vocabulary": len(vocab), "embed_size": embed_size, "lr": lr, "num_epochs": num_epochs,
        "max_window_size": max_window_size, "num_noise_words": num_noise_words, "seed": seed, "exchange_pieces": exchange_pieces,
        "num_ranks": dist.get_world_size(), "torch": torch.__version__,
    }  # fmt: skip
    require_agreement(settings)
    tables = torch.cat([torch.from_numpy(table) for table in word2vec_tables(len(vocab), embed_size, seed)])
    checkpoint = block_checkpoint(path, tables, lr)
    checkpoint.settings = settings
    with contextlib.closing(checkpoint):
        with one_thread():
            training = Training(tables, blocks, lr, num_epochs, exchange_pieces, checkpoint, writer)
            epochs = training.run()
        on_every_rank(lambda: training.is_writer and training.write(Path(out), vocab, settings))
        if training.is_writer:
            remove_checkpoint(path)
    return epochs
