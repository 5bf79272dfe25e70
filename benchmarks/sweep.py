"""What embed_size, lr and num_epochs do to the neighbors, over seeds: python -m benchmarks.sweep, or make study. Needs PTB.

Runs the full grid of helpers.beyond.sweep with PyTorch and writes sweep.json into this folder. Its 32 runs took some 40 minutes on
two cores that had other work as well, with the gradients of step 7; with autograd, as step 5
trains now, it takes about three times as long.
The runs are kept, so a study that was stopped resumes where it was: for a new one name a new folder.
"""

import os
from pathlib import Path

import click

from benchmarks.runs import FOLDER, machine, write_results
from helpers.beyond.sweep import condense, run_sweep, runs_of, settings_table


@click.command(help=__doc__)
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), default=FOLDER.parent / "runs/sweep-study", help="Folder of the runs."
)
def main(out):
    os.environ["WORD2VEC_STRICT"] = "1"  # no other text in the place of PTB
    failures = run_sweep("pytorch", runs_of("full"), out)
    if failures:
        raise click.ClickException(f"{len(failures)} runs failed, so nothing is written: {', '.join(failures)}")
    condensed = condense(out)
    write_results(FOLDER / "sweep.json", {"machine": machine(), **condensed})
    click.echo(settings_table(condensed))


if __name__ == "__main__":
    main()
