"""Training on a GPU, measured: python -m benchmarks.gpu --help.

`prepare` turns a text into ids, where the series is installed. `measure` reads them where the card is: it needs PyTorch, NumPy and
what the lesson's modules import, but no text, and writes gpu.json and the tables of centers after each part, so that a run
that is cut short has lost nothing. `score` asks gensim what these tables are worth, beside those of the trainer for the processor.
"""

import json
import platform
import statistics
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

import click
import numpy as np
import torch

from helpers.arguments import whole_file
from helpers.beyond import blocks_device
from helpers.beyond.blocks import BLOCK_SIZE, NOISE_PER_BLOCK, Blocks, word2vec_tables
from helpers.beyond.blocks_device import DeviceBlocks, choose_blocks_per_wave, train_device_pieces, train_on_device
from helpers.examples import Minibatches, generator, make_examples
from helpers.model_pytorch import model_from_tables, new_model, to_arrays, to_tensor, train

WINDOW, NUM_NOISE_WORDS, EMBED_SIZE = 5, 5, 100
BATCH_SIZE, LR, NUM_EPOCHS = 512, 0.002, 5  # of step 5
BLOCK_LR = 0.04
MOST_IN_QUICK = 30_000  # words of the text


def read_ids(path, seed=0, most=None):
    """Return the Blocks of a file that `prepare` wrote, or of its first `most` words."""
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in ("ids", "sentence", "counts", "held_out_ids", "held_out_sentence")}
    settings = arrays["counts"], WINDOW, NUM_NOISE_WORDS, seed
    held_out = Blocks(arrays["held_out_ids"], arrays["held_out_sentence"], *settings, purpose="held-out blocks")
    return Blocks(arrays["ids"][:most], arrays["sentence"][:most], *settings, held_out, Path(path).stem)


def minibatches(blocks):
    """Return the minibatches of step 5 of an encoded text."""
    parts = []
    for part, purposes in ((blocks, ("examples", "noise")), (blocks.held_out, ("held-out examples", "held-out noise"))):
        rngs = (generator(blocks.seed, purpose) for purpose in purposes)
        parts.append(make_examples(part.ids, part.sentence, blocks.counts, WINDOW, NUM_NOISE_WORDS, *rngs))
    held_out = Minibatches(parts[1], BATCH_SIZE, blocks.seed, to_tensor)
    return Minibatches(parts[0], BATCH_SIZE, blocks.seed, to_tensor, held_out, blocks.corpus)


def least_cosine(one, other):
    """Return the least cosine of rows of two tables that belong together."""
    products = (one * other).sum(axis=1)
    return float((products / np.linalg.norm(one, axis=1) / np.linalg.norm(other, axis=1)).min())


def card(device):
    """Say which card, driver and packages these are."""
    found = {"date": time.strftime("%Y-%m-%d"), "device": str(device), "python": platform.python_version(), "torch": torch.__version__}
    if torch.device(device).type == "cuda":
        import triton

        found |= {"card": torch.cuda.get_device_name(device), "CUDA": torch.version.cuda, "triton": triton.__version__}
        query = "nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"
        found["driver"] = subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0]
    return found


def wait(device):
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(work, device, repeats=3):
    """Return the seconds that `work()` takes, the median of some calls after a first."""
    times = []
    for _ in range(repeats + 1):
        wait(device)
        start = time.perf_counter()
        work()
        wait(device)
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def measure_limits(device, quick):
    """Measure what the card can do: bytes copied and float32 products per second."""
    size = 2**20 if quick else 2**28
    source = torch.ones(size, device=device)
    copied = torch.empty_like(source)
    side = 256 if quick else 8192
    factor = torch.ones(side, side, device=device)
    product = torch.empty_like(factor)
    return {
        "bytes per second": 8 * size / seconds_of(lambda: copied.copy_(source), device),
        "operations per second": 2 * side**3 / seconds_of(lambda: torch.mm(factor, factor, out=product), device),
    }


def measure_seeds_path(device, quick, blocks):
    """Train step 5's model on the processor and on the device; returns how far losses and vectors are apart, and the times."""
    data, runs = minibatches(blocks), {}
    for name in ("cpu", device):
        net = new_model(len(blocks.counts), EMBED_SIZE, blocks.seed)
        history = train(net, data, LR, 1 if quick else NUM_EPOCHS, name)
        runs[name] = history, to_arrays(net)
    (one, tables), (other, their_tables) = runs["cpu"], runs[device]
    apart = [abs(a - b) for first, second in zip(one, other) for a, b in ((first.loss, second.loss), (first.held_out, second.held_out))]
    return {
        "losses apart": max(apart), "least cosine of rows": min(map(least_cosine, tables, their_tables)),
        "seconds per epoch": {name: statistics.median(epoch.seconds for epoch in history) for name, (history, _) in runs.items()},
    }  # fmt: skip


def steps_for(device):
    """Return the ways to train on a wave that there are on a device, by name."""
    steps = {"plain PyTorch": lambda *_: blocks_device.train_wave}
    if torch.device(device).type == "cuda":
        steps["CUDA graph"] = blocks_device.GraphedWave
        if find_spec("triton"):
            steps["Triton"] = lambda *_: blocks_device.choose_step(device)
    return steps


def new_tables(blocks, device, seed=0):
    return [torch.from_numpy(table).to(device) for table in word2vec_tables(len(blocks.counts), EMBED_SIZE, seed)]


def measure_steps(device, quick, blocks):
    """Take one step on the same wave in each way, from the same tables as on the processor; returns how far they are apart.

    Blocks of a wave that share words see each other's changes in Triton, so that there each wave is a single block.
    """
    found = {}
    for name, make in steps_for(device).items():
        tables, wanted = new_tables(blocks, device), new_tables(blocks, "cpu")
        tables[1] += 0.1
        wanted[1] += 0.1  # contexts that are 0 would give no step
        here, there = (DeviceBlocks(blocks, where, 1 if name == "Triton" else 64) for where in (device, "cpu"))
        waves = list(zip(here.waves(0, 0), there.waves(0, 0)))[: 5 if quick else 50]
        same_draws = all(torch.equal(one.cpu(), other) for wave in waves for one, other in zip(*wave))
        with torch.no_grad():
            step = make(tables, here.bounds, waves[0][0], WINDOW, NUM_NOISE_WORDS)
            for wave, other in waves:
                step(tables, here.bounds, wave, WINDOW, NUM_NOISE_WORDS, BLOCK_LR)
                blocks_device.train_wave(wanted, there.bounds, other, WINDOW, NUM_NOISE_WORDS, BLOCK_LR)
        apart = max(float((table.cpu() - other).abs().max()) for table, other in zip(tables, wanted))
        found[name] = {"draws are equal": same_draws, "tables apart": apart}
    return found


def measure_throughput(device, quick, blocks, limits):
    """Measure words of the text per second in an epoch, for each way and number of blocks at once."""
    rows = []
    for number in (8,) if quick else (64, 256, 512, 1024, 4096):
        for name, make in steps_for(device).items():
            data, tables = DeviceBlocks(blocks, device, number), new_tables(blocks, device)
            waves = data.waves(0, 0)
            with torch.no_grad():
                step = make(tables, data.bounds, waves[0], WINDOW, NUM_NOISE_WORDS)

            def train_waves(step=step, tables=tables, data=data, waves=waves):
                with torch.no_grad():
                    for wave in waves:
                        step(tables, data.bounds, wave, WINDOW, NUM_NOISE_WORDS, BLOCK_LR)

            def train_epoch(step=step, tables=tables, data=data):
                for _ in train_device_pieces(step, tables, data, BLOCK_LR, 1, 0):
                    pass

            in_steps, whole = seconds_of(train_waves, device), seconds_of(train_epoch, device)
            pairs = sum(int((wave.left + wave.right).sum()) for wave in waves)
            num_words = BLOCK_SIZE + 2 * WINDOW + NOISE_PER_BLOCK
            num_blocks = number * len(waves)
            moved = num_blocks * (BLOCK_SIZE + num_words) * EMBED_SIZE * 4 * 3  # each row is read, and added to in place
            computed = num_blocks * 3 * 2 * BLOCK_SIZE * num_words * EMBED_SIZE
            rows.append({
                "way": name, "blocks at once": number, "words per second": len(blocks.ids) / whole,
                "pairs per second in steps": pairs / in_steps, "share of the epoch in steps": in_steps * len(data) / whole,
                "share of the bytes": moved / in_steps / limits["bytes per second"],
                "share of the operations": computed / in_steps / limits["operations per second"],
            })  # fmt: skip
            print(f"  {blocks.corpus}, {name}, {number} at once: {rows[-1]['words per second']:,.0f} words per second", flush=True)
    return rows


def measure_quality(device, quick, path, num_epochs, seeds, out):
    """Train with each seed; returns losses and seconds, and writes the tables of centers, as float16, beside the results."""
    rows, tables = [], []
    for seed in seeds:
        blocks = read_ids(path, seed, MOST_IN_QUICK if quick else None)
        net = model_from_tables(*word2vec_tables(len(blocks.counts), EMBED_SIZE, seed))
        start = time.perf_counter()
        history = train_on_device(net, blocks, BLOCK_LR, num_epochs, device)
        rows.append({"seed": seed, "seconds": time.perf_counter() - start, "loss": history[-1].loss, "held out": history[-1].held_out})
        tables.append(to_arrays(net)[0].astype(np.float16))
    with whole_file(out / f"gpu_tables_{Path(path).stem}.npz") as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **{str(seed): table for seed, table in zip(seeds, tables)})
    return {"blocks at once": choose_blocks_per_wave(blocks, BLOCK_LR, num_epochs), "num_epochs": num_epochs, "runs": rows}


@click.group(help=__doc__)
def main():
    pass


@main.command()
@click.argument("corpus", nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The .npz file of ids.")
@click.option("--min-freq", default=10, show_default=True)
def prepare(corpus, out, min_freq):
    """Write the ids of ptb, wikipedia, or text files, with their words and counts."""
    from helpers.beyond.texts import read_encoded
    from helpers.corpus import NAMES
    from helpers.examples import count_words

    text, vocab, training, held_out = read_encoded(corpus[0] if corpus[0] in NAMES else list(map(Path, corpus)), min_freq)
    arrays = {"ids": training[0], "sentence": training[1], "held_out_ids": held_out[0], "held_out_sentence": held_out[1]}
    arrays |= {"counts": count_words(vocab), "words": np.frombuffer(json.dumps(vocab.idx_to_token).encode(), np.uint8)}
    with whole_file(out) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **arrays)
    click.echo(f"{text.name}: {len(training[0]):,} words, vocabulary {len(vocab):,}, {out.stat().st_size / 1e6:.0f} MB in {out}")


@main.command()
@click.argument("ids", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@click.option("--out", type=click.Path(path_type=Path), default=Path(__file__).parent, help="The folder of gpu.json and the tables.")
@click.option("--device", default="cuda", show_default=True)
@click.option("--epochs", multiple=True, type=int, help="Epochs for each of the files; 16 by default.")
@click.option("--quick", is_flag=True, help="All of it once and small, to see that it runs.")
def measure(ids, out, device, epochs, quick):
    """Measure equality, throughput and quality on files of ids, the first of which is also trained as in step 5."""
    out.mkdir(parents=True, exist_ok=True)
    results = {"machine": card(device), "quick": quick}

    def note(name, work, *arguments):
        start = time.perf_counter()
        results[name] = work(device, quick, *arguments)
        results.setdefault("seconds of each part", {})[name] = round(time.perf_counter() - start, 1)
        with whole_file(out / "gpu.json") as temporary:
            temporary.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
        click.echo(f"{name}: {results['seconds of each part'][name]} s")

    note("limits", measure_limits)
    most = MOST_IN_QUICK if quick else None
    for path in ids:
        note(f"steps, {Path(path).stem}", measure_steps, read_ids(path, most=most))
        note(f"throughput, {Path(path).stem}", measure_throughput, read_ids(path, most=most), results["limits"])
    for path, num_epochs in zip(ids, epochs or [1 if quick else 16] * len(ids)):
        note(f"quality, {Path(path).stem}", measure_quality, path, num_epochs, range(1 if quick else 5), out)
    note("step 5", measure_seeds_path, read_ids(ids[0], most=most))


@main.command()
@click.argument("ids", type=click.Path(exists=True, dir_okay=False))
@click.argument("tables", type=click.Path(exists=True, dir_okay=False))
@click.option("--epochs", default=16, show_default=True)
def score(ids, tables, epochs):
    """Score the tables of a measurement beside those that the processor's trainer makes with the same seeds and epochs."""
    from benchmarks.evaluation import OURS, scores, short_table, summaries
    from helpers.beyond.blocks_pytorch import train_blocks
    from helpers.beyond.evaluation import PAIRS, keyed_vectors, known_pairs

    with np.load(ids, allow_pickle=False) as file:
        words = json.loads(file["words"].tobytes())
    found, name = {OURS: [], "on the card": []}, Path(ids).stem
    with np.load(tables, allow_pickle=False) as file:
        for seed in file.files:
            blocks = read_ids(ids, int(seed))
            net = model_from_tables(*word2vec_tables(len(words), EMBED_SIZE, int(seed)))
            start = time.perf_counter()
            train_blocks(net, blocks, BLOCK_LR, epochs)
            found[OURS].append({"seconds": time.perf_counter() - start, "center": scores(words, to_arrays(net)[0])})
            found["on the card"].append({"seconds": 0.0, "center": scores(words, file[seed].astype(np.float32))})
    vectors = keyed_vectors(words, to_arrays(net)[0])
    rows = summaries({pairs: known_pairs(vectors, pairs)[0] for pairs in PAIRS}, found)
    click.echo("\n".join(short_table(name, rows)))
    for pairs in PAIRS:
        low, high = rows["on the card"][pairs]["difference"]
        click.echo(f"{pairs}: the card's less the processor's lies between {low:+.3f} and {high:+.3f} (95 %)")
    with whole_file(Path(tables).with_name(f"gpu_quality_{name}.json")) as temporary:
        temporary.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
