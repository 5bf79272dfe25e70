"""Measure the series against what it claims: python -m benchmarks, or make bench.

Whatever is compared runs in turn, each run in a process of its own. Prints a table of ratios with medians and spread,
and writes results.json and speed.png into this folder. Needs PTB; other work on the machine spoils the figures.
"""

import statistics
import tempfile
import time
from pathlib import Path

import click

from benchmarks.growth import grow
from benchmarks.loader import load
from benchmarks.neighbours import ask, import_seconds, run_course
from benchmarks.quality import GENSIM, LR, NUM_EPOCHS, TESTS, TOLERANCE, blocks, gensim_word2vec, mean, reference
from benchmarks.runs import FOLDER, in_a_process, in_turn, machine, read_results, spread, write_results
from benchmarks.training import train
from helpers.figures import quality_figure
from helpers.files import whole_file

SIZES = 1, 4, 16, 64  # millions of tokens
MODULES = "examples", "corpus", "blocks", "vectors", "model_pytorch", "model_mxnet"


def ratio(slow, fast, key="seconds"):
    """Return the spread of the ratios of runs that followed each other."""
    return spread([one[key] / other[key] for one, other in zip(slow, fast)])


def measure_loader(quick):
    rows = in_turn({name: lambda _, name=name: in_a_process(load, name) for name in ("d2l", "ours")}, 1 if quick else 3)
    return {"runs": rows, "times as fast": ratio(*rows.values()), "share of the memory": ratio(rows["ours"], rows["d2l"], "megabytes")}


def measure_training(quick):
    found = {}
    for framework in ("pytorch",) if quick else ("pytorch", "mxnet"):
        runs = {
            name: lambda seed, plain=name == "plain": in_a_process(train, framework, plain, seed, 1 if quick else 5)
            for name in ("plain", "ours")
        }
        rows = in_turn(runs, 1 if quick else 3)
        losses = [abs(ours["held_out"] / plain["held_out"] - 1) for plain, ours in zip(*rows.values())]
        found[framework] = {"runs": rows, "times as fast": ratio(*rows.values()), "largest difference of the held-out loss": max(losses)}
    return found


def measure_quality(quick):
    epochs = 1 if quick else NUM_EPOCHS
    runs = {
        f"train_blocks, {epochs} epochs": lambda seed: in_a_process(blocks, "pytorch", seed, LR, epochs),
        f"train_blocks, {epochs} epochs, 2 workers": lambda seed: in_a_process(blocks, "pytorch", seed, LR, epochs, 2),
        f"train_blocks in MXNet, {epochs} epochs": lambda seed: in_a_process(blocks, "mxnet", seed, LR, epochs),
    }
    for num_epochs, alpha in ((1, 0.1),) if quick else GENSIM:
        name = f"gensim, {num_epochs} epochs, alpha {alpha}"
        runs[name] = lambda seed, num_epochs=num_epochs, alpha=alpha: in_a_process(gensim_word2vec, seed, num_epochs, alpha)
    rows = in_turn(runs, 1 if quick else 5)
    chosen = reference(rows)
    found = {"runs": rows, "gensim's": chosen}
    for name in list(rows)[:3]:
        found[name] = {
            "share of gensim's time": ratio(rows[name], rows[chosen]),
            "as good": all(mean(rows[name], test) >= mean(rows[chosen], test) - TOLERANCE for test in TESTS),
        }
    return found


def measure_growth(quick):
    return [in_a_process(grow, size * 10**6) for size in (SIZES[:2] if quick else SIZES)]


def measure_neighbours(quick):
    rows = in_turn({name: lambda _, name=name: in_a_process(ask, name) for name in ("gensim", "ours")}, 1 if quick else 3)
    return {"runs": rows, "times as fast": ratio(*rows.values())}


def measure_imports(quick):
    rows = in_turn({name: lambda _, name=name: import_seconds(name) for name in MODULES}, 1 if quick else 3)
    return {name: spread(seconds) for name, seconds in rows.items()}


def measure_course(quick):
    if quick:  # the tests run the series anyway
        return None
    with tempfile.TemporaryDirectory() as folder:
        return run_course(Path(folder) / "run")


PARTS = {
    "loader": measure_loader, "training": measure_training, "quality": measure_quality, "growth": measure_growth,
    "neighbours": measure_neighbours, "imports": measure_imports, "course": measure_course,
}  # fmt: skip


def lines(results):
    """Yield (what, figure, target, met) for the table; a part that was not measured has no line."""

    def told(values, digits=1):
        return " to ".join(f"{values[name]:.{digits}f}" for name in ("least", "most")) + f", median {values['median']:.{digits}f}"

    if part := results.get("loader"):
        yield "loader: times as fast as d2l's", told(part["times as fast"]), "at least 3", part["times as fast"]["median"] >= 3
        yield "loader: share of d2l's memory", told(part["share of the memory"], 2), "at most 0.25", part["share of the memory"]["median"] <= 0.25
    for framework, part in results.get("training", {}).items():
        yield f"{framework}: times as fast as the plain loop", told(part["times as fast"]), "at least 5", part["times as fast"]["median"] >= 5
        loss = part["largest difference of the held-out loss"]
        yield f"{framework}: difference of the held-out loss", f"{loss:.1e}", "at most 0.005", loss <= 0.005
    if part := results.get("quality"):
        for name, target in zip([name for name in part if name.startswith("train_blocks")], (0.6, 1 / 3, None)):
            found = part[name]["share of gensim's time"]
            yield f"{name}: share of gensim's time", told(found, 2), f"at most {target:.2f}" if target else "none", not target or found["median"] <= target
            yield f"{name}: as good as gensim", "yes" if part[name]["as good"] else "no", "yes", part[name]["as good"]
    if part := results.get("growth"):
        times = [row["nanoseconds per token"] for row in part]
        yield f"growth to {part[-1]['tokens']:,} tokens: time per token", f"{min(times)} to {max(times)} ns", "within 10 %", max(times) <= 1.1 * min(times)
        memory = max(row["megabytes added"] for row in part)
        yield "growth: memory added by training", f"{memory} MB", "at most 50 MB", memory <= 50
        yield "growth: share of the matrix-product peak", f"{statistics.median(row['share of the peak'] for row in part):.2f}", "none", True
    if part := results.get("neighbours"):
        yield "1,000 words' neighbours: times as fast as gensim", told(part["times as fast"]), "at least 2", part["times as fast"]["median"] >= 2
    if part := results.get("imports"):
        yield "import of examples", told(part["examples"], 2) + " s", "at most 0.50", part["examples"]["median"] <= 0.5
    if part := results.get("course"):
        slowest = max(part["notebooks"], key=part["notebooks"].get)
        yield "make course", f"{part['seconds']:.0f} s", "none", True
        yield "the slowest notebook", f"{slowest}, {part['notebooks'][slowest]:.0f} s", "at most 60 s", part["notebooks"][slowest] <= 60


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="Once each, small: under 2 minutes, to see that all of it runs. Writes nothing.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure these parts anew; the others stay as they are in results.json.")
def main(quick, only):
    path = FOLDER / "results.json"
    results = {} if quick or not only else read_results(path)
    for name, measure in PARTS.items():
        if not only or name in only:
            start = time.perf_counter()
            click.echo(f"{name}:")
            results[name] = measure(quick)
            results.setdefault("machine of each part", {})[name] = machine()
            click.echo(f"  {time.perf_counter() - start:.0f} s")
            if not quick:
                write_results(path, results)
    rows = list(lines(results))
    width = max(len(row[0]) for row in rows)
    for what, figure, target, met in rows:
        click.echo(f"{what:{width}}  {figure:32} target: {target:14} {'' if met else 'MISSED'}")
    if not quick and "quality" in results:
        with whole_file(FOLDER / "speed.png") as temporary:
            quality_figure(results["quality"]["runs"]).savefig(temporary, format="png", dpi=100)


if __name__ == "__main__":
    main()
