"""What ranks gain and cost, for `python -m benchmarks --only scale`: words per second, quality, exchanges, and how all grows."""

import contextlib
import datetime
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.runs import FOLDER, in_a_process, in_turn
from helpers.beyond.evaluation import evaluate_pairs
from helpers.beyond.scale.prepare import prepare
from helpers.corpus import read_corpus
from helpers.vectors import load_vectors, vocab_of

EPOCHS, LR = 16, 0.04
WAYS = {
    "1 rank": (1, 16, LR), "1 rank, half the rate": (1, 16, LR / 2),
    "2 ranks, average, 1 piece": (2, 1, LR), "2 ranks, average, 4 pieces": (2, 4, LR), "2 ranks, average, 16 pieces": (2, 16, LR),
    "4 ranks, average, 4 pieces": (4, 4, LR), "4 ranks, average, 4 pieces, half the rate": (4, 4, LR / 2),
}  # fmt: skip
KEPT = (
    "ranks", "starts", "exchanges", "epochs", "tokens per second", "share of the time in exchanges", "bytes sent per token by a rank",
)  # fmt: skip
VOCABULARIES = 10_000, 100_000, 1_000_000


def write_corpus(folder, name="ptb"):
    """Prepare a corpus that helpers reads by its name; returns the folder of it."""
    with contextlib.redirect_stdout(io.StringIO()):
        text = read_corpus(name, strict=True)
        path = Path(folder) / f"{name}.txt"
        path.write_text("\n".join([*text.sentences.lines, *text.held_out.lines]), encoding="utf-8")
        prepare([path], Path(folder) / name)
    return Path(folder) / name


def train(corpus, seed, ranks, exchange_pieces, lr, epochs):
    """Train with torchrun; returns its summary and what the vectors score. What diverged has no score."""
    with tempfile.TemporaryDirectory() as folder:
        out, torchrun = str(Path(folder) / "vectors.safetensors"), str(Path(sys.executable).with_name("torchrun"))
        command = [torchrun, "--standalone", f"--nproc-per-node={ranks}", "-m", "helpers.tools.train", corpus]
        given = {"out": out, "seed": seed, "lr": lr, "epochs": epochs, "exchange-pieces": exchange_pieces}
        command += [part for name, value in given.items() for part in (f"--{name}", str(value))]
        done = subprocess.run(command, cwd=FOLDER.parent, env={**os.environ, "OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
        if done.returncode:
            if "diverged" not in done.stderr:
                raise RuntimeError(done.stderr)
            return {"diverged": True}
        vectors = load_vectors(out)
        return {**{name: vectors.settings[name] for name in KEPT}, **evaluate_pairs(vectors.embed_v, vocab_of(vectors.tokens))}


def rate_of(vocab_size, embed_size=100):
    """Train one thread on made-up ids by Zipf's law; returns tokens per second and the megabytes of both tables."""
    import torch

    from helpers.beyond.blocks import TOKENS_PER_PIECE, Blocks
    from helpers.beyond.blocks_pytorch import train_piece

    torch.set_num_threads(1)
    rng, law = np.random.default_rng(0), 1 / np.arange(1, vocab_size)
    ids = (1 + np.searchsorted(np.cumsum(law / law.sum()), rng.random(24 * TOKENS_PER_PIECE))).clip(max=vocab_size - 1)
    counts = np.concatenate([[0], np.ceil(1e8 * law / law.sum())])
    blocks = Blocks(ids, np.arange(len(ids)) // 20, counts, 5, 5, 0)
    tables = torch.from_numpy(rng.normal(0, 0.1, (2 * vocab_size, embed_size)).astype(np.float32))
    train_piece(tables, blocks.piece(0, 0), blocks, 0.01)
    start = time.perf_counter()
    for number in range(4, 24):
        train_piece(tables, blocks.piece(0, number), blocks, 0.01)
    return {"tokens per second": 20 * TOKENS_PER_PIECE / (time.perf_counter() - start), "megabytes": tables.nbytes / 1e6}


def exchange_rate(num_numbers):
    """Add up float32 numbers over two ranks on this machine; returns the seconds of an exchange."""
    import torch.multiprocessing

    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_exchange, (num_numbers, folder), 2)
        return float((Path(folder) / "seconds").read_text())


def _exchange(rank, num_numbers, folder):
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2, timeout=datetime.timedelta(seconds=300))
    numbers, seconds = torch.ones(num_numbers), []
    for _ in range(4):
        dist.barrier()
        start = time.perf_counter()
        dist.all_reduce(numbers)
        seconds.append(time.perf_counter() - start)
    if rank == 0:
        (Path(folder) / "seconds").write_text(str(sorted(seconds)[1]))
    dist.destroy_process_group()


def measure_scale(quick):
    """Return all figures of scale as a dict that JSON holds."""
    ways, repeats, sizes = WAYS, 5, VOCABULARIES
    if quick:
        ways, repeats, sizes = {way: WAYS[way] for way in ("1 rank", "2 ranks, average, 16 pieces")}, 1, VOCABULARIES[:1]
    with tempfile.TemporaryDirectory() as folder:
        corpus = str(write_corpus(folder))
        runs = {way: lambda seed, how=how: train(corpus, seed, *how, 1 if quick else EPOCHS) for way, how in ways.items()}
        rows = in_turn(runs, repeats)
    grown = in_turn({str(size): lambda _, size=size: in_a_process(rate_of, size) for size in sizes}, 1 if quick else 3)
    exchanges = in_turn({str(size): lambda _, size=size: in_a_process(exchange_rate, 2 * size * 100) for size in sizes}, 1 if quick else 3)
    settings = {"epochs": EPOCHS, "ways": ways}
    found = {"settings": settings, "runs": rows, "one rank by vocabulary": grown}
    return {**found, "seconds of an exchange by vocabulary": exchanges}
