"""Measure the series against what it claims: python -m benchmarks, or make bench.

Whatever is compared runs in turn, each run in a process of its own. Prints a table of ratios with medians and spread,
and writes results.json and speed.png into this folder. Needs PTB; other work on the machine spoils the figures.
"""

import os
import statistics
import time

import click

from benchmarks.loader import load
from benchmarks.prepare import measure_prepare
from benchmarks.quality import BLOCKS, GENSIM, blocks, compare, gensim_word2vec, median_seconds
from benchmarks.runs import FOLDER, FRAMEWORKS, in_a_process, in_turn, machine, read_results, spread, write_results
from benchmarks.scale import measure_scale
from benchmarks.training import train
from helpers.arguments import whole_file
from helpers.beyond.figures import quality_figure
from helpers.figures import png

MXNET = "blocks in MXNet"
KINDS = ("blocks", "pytorch"), ("blocks with 2 workers", "pytorch", 2), *((MXNET, name) for name in FRAMEWORKS[1:])


def ratio(slow, fast, key="seconds"):
    """Return the spread of the ratios of runs that followed each other."""
    return spread([one[key] / other[key] for one, other in zip(slow, fast)])


def measure_loader(quick):
    rows = in_turn({name: lambda _, name=name: in_a_process(load, name) for name in ("d2l", "ours")}, 1 if quick else 3)
    return {"runs": rows, "times as fast": ratio(*rows.values()), "share of the memory": ratio(rows["ours"], rows["d2l"], "megabytes")}


def measure_training(quick):
    found = {}
    for framework in FRAMEWORKS[:1] if quick else FRAMEWORKS:
        settings, all_threads = (1, 10) if quick else (5,), {"OMP_NUM_THREADS": str(os.cpu_count())}
        threads = all_threads if framework == "pytorch" else {}  # ours in MXNet is faster with one; its two workers stay
        runs = {
            "plain": lambda seed: in_a_process(train, framework, "plain", seed, *settings, **all_threads),
            "ours": lambda seed: in_a_process(train, framework, "by hand", seed, *settings, **threads),
            "autograd": lambda seed: in_a_process(train, framework, "autograd", seed, *settings, **threads),
        }
        rows = in_turn(runs, 1 if quick else 3)
        plain = rows["plain"]
        losses = [abs(run["held_out"] / one["held_out"] - 1) for way in ("ours", "autograd") for one, run in zip(plain, rows[way])]
        found[framework] = {
            "runs": rows, "times as fast": ratio(plain, rows["ours"]), "times as fast by autograd": ratio(plain, rows["autograd"]),
            "largest difference of the held-out loss": max(losses),
        }  # fmt: skip
    return found


def measure_quality(quick):
    ours, theirs = (((1, 0.05),), ((1, 0.1),)) if quick else (BLOCKS, GENSIM)
    runs = {}
    for kind, *arguments in KINDS:
        for epochs, lr in ours if kind != MXNET else ours[:1]:
            framework, *workers = arguments
            call = framework, epochs, lr, *workers
            runs[f"{kind}, {epochs} epochs"] = lambda seed, call=call: in_a_process(blocks, call[0], seed, *call[1:])
    for epochs, alpha in theirs:
        runs[f"gensim, {epochs} epochs"] = lambda seed, epochs=epochs, alpha=alpha: in_a_process(gensim_word2vec, seed, epochs, alpha)
    rows, found = in_turn(runs, 1 if quick else 8), {}
    for kind, *_ in KINDS:
        found[kind] = compare(rows, f"{kind}, ")
        found[kind]["share of gensim's time"] = ratio(rows[found[kind]["ours"]], rows[found[kind]["gensim's"]])
    return {"settings": {"epochs and lr": ours, "gensim's epochs and alpha": theirs}, "runs": rows, **found}


PARTS = {
    "loader": measure_loader, "training": measure_training, "quality": measure_quality, "prepare": measure_prepare,
    "scale": measure_scale,
}  # fmt: skip


def lines(results):
    """Yield (what, figure, target, met) for the table; a part that was not measured has no line."""

    def told(values, digits=1):
        return " to ".join(f"{values[name]:.{digits}f}" for name in ("least", "most")) + f", median {values['median']:.{digits}f}"

    if part := results.get("loader"):
        yield "loader: times as fast as d2l's", told(part["times as fast"]), "at least 3", part["times as fast"]["median"] >= 3
        share = part["share of the memory"]
        yield "loader: share of d2l's memory", told(share, 2), "at most 0.25", share["median"] <= 0.25
    for framework, part in results.get("training", {}).items():
        gain = part["times as fast"]
        yield f"{framework}: times as fast as the plain loop, by hand", told(gain), "at least 5", gain["median"] >= 5
        if gain := part.get("times as fast by autograd"):
            yield f"{framework}: times as fast as the plain loop, by autograd", told(gain), "none", True
        loss = part["largest difference of the held-out loss"]
        yield f"{framework}: difference of the held-out loss", f"{loss:.1e}", "at most 0.005", loss <= 0.005
    if part := results.get("quality"):
        for (kind, *_), target in zip(KINDS, (0.6, 1 / 3, None)):
            found = part[kind]
            theirs, share = found["gensim's"], found["share of gensim's time"]
            what = f"{found['ours']}, to {theirs}: share of the time"
            yield what, told(share, 2), f"at most {target:.2f}" if target else "none", not target or share["median"] <= target
            yield f"{found['ours']}: as good as gensim's best", "yes" if found["as good"] else "no", "yes", found["as good"]
        if plain := results.get("training", {}).get("mxnet"):
            seconds = 5 * statistics.median(run["seconds"] for run in plain["runs"]["plain"])
            times = seconds / median_seconds(part["runs"][part[MXNET]["ours"]])
            yield f"{part[MXNET]['ours']}: times as fast as 5 epochs of the plain loop", f"{times:.1f}", "at least 5", times >= 5
    if part := results.get("prepare"):
        yield "prepare: times as fast as gensim", told(part["times as fast"]), "at least 4", part["times as fast"]["median"] >= 4
        memory = max(run["megabytes"] for run in part["runs"]["prepare"])
        yield "prepare: memory of all processes, at most", f"{memory:.0f} MB", "at most 1000 MB", memory <= 1000
    if part := results.get("scale"):
        one, two = (part["runs"][way] for way in ("1 rank", "2 ranks, average, 16 pieces"))
        times = spread([other["tokens per second"] / run["tokens per second"] for run, other in zip(one, two)])
        yield "2 ranks: times as fast as 1", told(times, 2), "at least 1.8", times["median"] >= 1.8
        scores, others = ([run["WordSim-353"] for run in runs] for runs in (one, two))
        noise = 2 * (statistics.pvariance(scores) + statistics.pvariance(others)) ** 0.5
        apart = statistics.mean(others) - statistics.mean(scores)
        yield "2 ranks: WordSim-353, less that of 1", f"{apart:+.3f}, twice the seeds' spread {noise:.3f}", "within it", abs(apart) <= noise


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="Once each and small, to see that all of it runs. Writes nothing.")
@click.option("--only", type=click.Choice(PARTS), multiple=True, help="Measure these parts again; the others stay in results.json.")
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
        click.echo(f"{what:{width}}  {figure}" if quick else f"{what:{width}}  {figure:32} target: {target:14} {'' if met else 'MISSED'}")
    if not quick and "quality" in results:
        with whole_file(FOLDER / "speed.png") as temporary:
            temporary.write_bytes(png(quality_figure(results["quality"]["runs"]), "").data)


if __name__ == "__main__":
    main()
