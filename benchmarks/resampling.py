"""Examples drawn once against examples resampled for every epoch, over several seeds: python -m benchmarks.resampling, or
make study. Needs PTB.

Writes resampling.json into this folder: for both ways and each seed a list per measure, with a number for every epoch.
"""

import contextlib
import io
import os

import click

from benchmarks.quality import TESTS
from benchmarks.runs import EMBED_SIZE, FOLDER, SETTINGS, in_a_process, in_turn, machine, spread, write_results
from benchmarks.training import BATCH_SIZE, LR

WAYS = {"drawn once": False, "resampled": True}


def train(seed, num_epochs, resample, corpus="ptb"):
    """Train step 5's model in PyTorch; returns, for each measure, what it was in or after each epoch.

    It is `train`'s loop, with a look at the vectors after every epoch. The seconds are those of drawing and training.
    """
    import torch

    from helpers import model_pytorch as model
    from helpers.beyond.dynamic import load_dynamic_minibatches
    from helpers.beyond.evaluation import evaluate_pairs
    from helpers.beyond.gradients_pytorch import fast_train_batch
    from helpers.corpus import read_corpus
    from helpers.examples import Vocab, load_minibatches
    from helpers.training import History

    device, minibatches, correlations = torch.device("cpu"), [], []
    with contextlib.redirect_stdout(io.StringIO()):
        text = read_corpus(corpus)
        vocab = Vocab(text.sentences, 10)
        load = load_dynamic_minibatches if resample else load_minibatches
        data_iter = load(text, vocab, BATCH_SIZE, **SETTINGS, seed=seed, to_tensor=model.to_tensor)
        net = model.new_model(len(vocab), EMBED_SIZE, seed)
        optimizer = torch.optim.Adam(net.parameters(), lr=LR)
        history = History(data_iter, num_epochs, device)
        with history.recording(net, model.to_arrays, model.set_arrays):
            for _ in range(num_epochs):
                for batch in history.batches():
                    history.add(fast_train_batch(net, batch, optimizer, device), batch[2])
                history.end_epoch(model.held_out_loss(net, data_iter.held_out, device))
                minibatches.append(len(data_iter))
                correlations.append(evaluate_pairs(model.to_arrays(net)[0], vocab))
    measured = {name: [round(getattr(epoch, name), 4) for epoch in history] for name in ("loss", "held_out", "seconds")}
    return {**measured, "minibatches": minibatches, **{test: [found[test] for found in correlations] for test in TESTS}}


def table(runs, epochs):
    """Lay out the least, the median and the most of each measure after some epochs, a line for each way and epoch."""
    for way, found in runs.items():
        for epoch in epochs:
            values = {name: spread([run[name][epoch - 1] for run in found]) for name in found[0]}
            told = [f"{name} {s['least']:.4g} {s['median']:.4g} {s['most']:.4g}" for name, s in values.items()]
            yield f"{way}, epoch {epoch}: {', '.join(told)}"


@click.command(help=__doc__)
@click.option("--seeds", default=5, show_default=True, help="Seeds for each way.")
@click.option("--epochs", default=10, show_default=True)
def main(seeds, epochs):
    os.environ["WORD2VEC_STRICT"] = "1"  # PTB or nothing, in the processes that train, too
    runs = {way: lambda seed, resample=resample: in_a_process(train, seed, epochs, resample) for way, resample in WAYS.items()}
    found = in_turn(runs, seeds)
    write_results(FOLDER / "resampling.json", {"machine": machine(), "num_epochs": epochs, "seeds": list(range(seeds)), "runs": found})
    for line in table(found, sorted({(epochs + 1) // 2, epochs})):
        click.echo(line)


if __name__ == "__main__":
    from benchmarks import resampling  # by its name, under which other processes find `train`

    resampling.main()
