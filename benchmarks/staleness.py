"""How many blocks at once a training allows, with a bound on each word's learning rate and without.

python -m benchmarks.staleness, or make study.

Trains on the processor, which takes the same steps as a GPU, and writes staleness.json into this folder after each part: for each
number of blocks in a wave the held-out loss and the scores on pairs of words, or that the training diverged; then what
`choose_blocks_per_wave` chooses. It measures no time. --quick does a part of it once and small, and writes nothing. Needs PTB.
"""

import contextlib
import io
import math
from statistics import fmean

import click

from benchmarks.runs import EMBED_SIZE, FOLDER, SETTINGS, in_a_process, machine, write_results
from helpers.beyond.blocks_device import MOST_WEIGHT

MIN_FREQ = 10
NUMBERS = 8, 32, 64, 128, 256, 512, 1024, 2048
PARTS = [  # text, epochs, blocks at once, learning rate, the most weight (None is no bound), seeds
    ("wikipedia", 16, NUMBERS, 0.04, MOST_WEIGHT, 3),
    ("wikipedia", 16, (8, 32, 64, 128, 512, 2048), 0.04, None, 3),
    ("wikipedia", 5, NUMBERS, 0.04, MOST_WEIGHT, 3),
    *(("wikipedia", 16, (512,), 0.04, most, 3) for most in (2.5, 10, 20)),
    *(("wikipedia", 16, (8, 128, 256, 512, 2048), 0.02, most, 2) for most in (MOST_WEIGHT, None)),
    ("ptb", 16, (8, 128, 512), 0.04, MOST_WEIGHT, 3),
    ("ptb", 16, (32, 128, 512), 0.04, None, 1),
]
CHOICES = [  # text, min_freq, learning rate, epochs
    (text, min_freq, lr, num_epochs)
    for text in ("wikipedia", "ptb") for min_freq in (10, 3) for lr in (0.02, 0.04, 0.08) for num_epochs in (5, 16, 64)
]  # fmt: skip


def load(text, min_freq, seed):
    from helpers.beyond.blocks import load_blocks

    with contextlib.redirect_stdout(io.StringIO()):
        return load_blocks(text, **SETTINGS, seed=seed, min_freq=min_freq)


def train_at(blocks, vocab, num_epochs, number, lr, most_weight):
    """Train with so many blocks at once; returns the loss and the scores, or that the training diverged."""
    import torch

    from helpers.beyond.blocks import word2vec_tables
    from helpers.beyond.blocks_device import DeviceBlocks, held_out_wave_loss, share_of_rates, train_device_pieces, train_wave
    from helpers.beyond.evaluation import evaluate_pairs
    from helpers.training import means, require_no_divergence

    data = DeviceBlocks(blocks, "cpu", number)
    looser = (most_weight or math.inf) / MOST_WEIGHT
    data.bounds = [bound * looser for bound in data.bounds]
    tables = [torch.from_numpy(table) for table in word2vec_tables(len(vocab), EMBED_SIZE, blocks.seed)]
    waves = sum(len(data.waves(0, piece)) for piece in range(len(data)))
    row = {"epochs": num_epochs, "waves": num_epochs * waves, "blocks at once": number, "lr": lr, "most weight": most_weight}
    row["seed"] = blocks.seed
    row["share of lr"] = round(share_of_rates(blocks, number, lr), 3) if most_weight == MOST_WEIGHT else None
    try:
        for epoch in range(num_epochs):
            for _ in train_device_pieces(train_wave, tables, data, lr, num_epochs, epoch):
                pass
        totals = held_out_wave_loss(tables, data.held_out)
        require_no_divergence(totals)
    except FloatingPointError:
        return {**row, "diverged": True}
    scores = {name: round(value, 4) for name, value in evaluate_pairs(tables[0].numpy(), vocab).items()}
    return {**row, "diverged": False, "held out": round(means(totals)[1], 4), **scores}


def measured(text, num_epochs, numbers, lr, most_weight, num_seeds):
    """Train with each number of blocks at once and each seed; returns a dict for each."""
    return [
        train_at(*load(text, MIN_FREQ, seed), num_epochs, number, lr, most_weight)
        for number in numbers for seed in range(num_seeds)
    ]  # fmt: skip


def chosen(choices):
    """Ask the rule for each choice; returns a dict for each: the vocabulary, the number of blocks, the share of the learning rate left."""
    from helpers.beyond.blocks_device import choose_blocks_per_wave, share_of_rates

    found = []
    for text, min_freq, lr, num_epochs in choices:
        blocks, vocab = load(text, min_freq, 0)
        with contextlib.redirect_stdout(io.StringIO()):
            number = choose_blocks_per_wave(blocks, lr, num_epochs)
        found.append({
            "text": text, "min_freq": min_freq, "vocabulary": len(vocab), "lr": lr, "epochs": num_epochs, "blocks at once": number,
            "share of lr": round(share_of_rates(blocks, number, lr), 3),
        })  # fmt: skip
    return found


def told(runs):
    """Say in a line what the runs with one setting came to."""
    whole = [run for run in runs if not run["diverged"]]
    first, said = runs[0], f"{len(runs) - len(whole)} of {len(runs)} diverged"
    for name in ("held out", "WordSim-353", "SimLex-999"):
        said += f", {name} {fmean(run[name] for run in whole):.4f}" if whole else ""
    return f"{first['epochs']} epochs, {first['blocks at once']} at once, lr {first['lr']}, most weight {first['most weight']}: {said}"


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="One epoch, one seed, few blocks, to see that it runs. Writes nothing.")
def main(quick):
    parts = [("wikipedia", 1, (8, 512), 0.04, most, 1) for most in (MOST_WEIGHT, None)] if quick else PARTS
    results = {"machine": machine(), "runs": {}}

    def keep():
        if not quick:
            write_results(FOLDER / "staleness.json", results)

    for text, num_epochs, numbers, *rest in parts:
        rows = in_a_process(measured, text, num_epochs, numbers, *rest)
        results["runs"].setdefault(text, []).extend(rows)
        keep()
        for number in numbers:
            click.echo(f"{text}, {told([row for row in rows if row['blocks at once'] == number])}")
    results["choices"] = in_a_process(chosen, CHOICES[:1] if quick else CHOICES)
    keep()
    for choice in results["choices"]:
        click.echo(", ".join(f"{name} {value}" for name, value in choice.items()))


if __name__ == "__main__":
    from benchmarks import staleness  # by its name, under which other processes find the functions

    staleness.main()
