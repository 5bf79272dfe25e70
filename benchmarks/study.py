"""What the rate does to the block trainer, over several seeds: python -m benchmarks.study, or make study. Needs PTB.

Writes rates.json into this folder: for each rate the correlations of every seed, or None where the training diverged.
"""

import click

from benchmarks.quality import TESTS, blocks, mean
from benchmarks.runs import FOLDER, in_a_process, in_turn, machine, write_results

RATES = 0.025, 0.05, 0.075, 0.1, 0.15, 0.2


@click.command(help=__doc__)
@click.option("--seeds", default=5, show_default=True, help="Seeds per rate.")
@click.option("--epochs", default=12, show_default=True)
def main(seeds, epochs):
    rows = in_turn({str(lr): lambda seed, lr=lr: in_a_process(blocks, "pytorch", seed, epochs, lr) for lr in RATES}, seeds)
    write_results(FOLDER / "rates.json", {"machine": machine(), "num_epochs": epochs, "seeds": list(range(seeds)), "rates": rows})
    for lr, found in rows.items():
        told = [f"{test} {'diverged' if mean(found, test) is None else format(mean(found, test), '.3f')}" for test in TESTS]
        click.echo(f"lr {lr}: {', '.join(told)}")


if __name__ == "__main__":
    main()
