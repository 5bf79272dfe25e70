"""Train with a grid of settings: `python -m helpers.tools.sweep --help`."""

import json

import click

from helpers.arguments import whole_file
from helpers.beyond.notebooks import FRAMEWORKS, NOTEBOOKS, ROOT, read_notebook
from helpers.beyond.sweep import GRIDS, condense, run_sweep, runs_of, settings_table
from helpers.tools.course import collect_parameters, named_values
from helpers.tools.paths import OutsidePath
from helpers.tools.streams import set_up_streams

SET_BY_THE_SWEEP = "embed_size", "lr", "num_epochs", "seed", "vectors_path"


@click.command(context_settings={"max_content_width": 100})
@click.option("--framework", type=click.Choice(FRAMEWORKS), default="pytorch", show_default=True, help="Which half's 05_training to run.")
@click.option(
    "--grid", type=click.Choice(list(GRIDS)), default="fast", show_default=True, help="fast: a parameter at a time; full: all together."
)
@click.option(
    "-p", "pairs", nargs=2, multiple=True, metavar="NAME VALUE", callback=named_values,
    help="A parameter of 05_training, such as -p corpus my.txt.",
)  # fmt: skip
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786.  [default: two processes of this machine]")
@click.option("--out", type=OutsidePath(file_okay=False), help="Folder of the sweep.  [default: runs/sweep-FRAMEWORK]")
def main(framework, grid, pairs, scheduler, out):
    """Train with many values of embed_size, lr and num_epochs, and compare the neighbors.

    Stop it with Ctrl-C at any time: the same command resumes where it was. Writes each run's vectors and results, and
    results.json, which sums them up. The workers of a scheduler need this repository and the text.
    """
    set_up_streams()
    out = out or ROOT / "runs" / f"sweep-{framework}"
    parameters = collect_parameters(pairs, None, [read_notebook(NOTEBOOKS / framework / "05_training.ipynb")])
    for name in SET_BY_THE_SWEEP:
        if name in parameters:
            raise click.UsageError(f"{name} is set by the sweep itself")
    click.echo(f"Writing to {out}")
    try:
        failures = run_sweep(framework, runs_of(grid), out, parameters, scheduler)
        condensed = condense(out)
    except (ValueError, OSError, RuntimeError) as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException("stopped; finished runs are kept, and the same command resumes from there") from None
    with whole_file(out / "results.json") as temporary:
        temporary.write_text(json.dumps(condensed, indent=1) + "\n", encoding="utf-8")
    click.echo(settings_table(condensed))
    click.echo(f"\n{len(failures)} of {len(runs_of(grid))} runs failed{': ' if failures else ''}{', '.join(failures)}")
    raise SystemExit(int(bool(failures)))


if __name__ == "__main__":
    main()
