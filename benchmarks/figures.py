"""The README's picture of the speed, from results.json."""

import json

from benchmarks.quality import TESTS
from helpers.figures import BLUE, GREEN, RED, SKY, label, new_figure
from helpers.files import whole_file

# name begins with: colour, marker
STYLES = {"gensim": (RED, "s"), "train_blocks in MXNet": (GREEN, "^"), "train_blocks": (BLUE, "o")}


def read_results(path):
    """Read results.json, or give an empty dict where there is none yet."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def draw(results, path):
    """Draw seconds from text to vectors against each test's correlation: a point per run, by setting."""
    rows = results["quality"]["runs"]
    fig, both = new_figure(2, (11, 4.2))
    for axes, test in zip(both, TESTS):
        for name, runs in rows.items():
            color, marker = next(style for start, style in STYLES.items() if name.startswith(start))
            face = "none" if "workers" in name else color
            xs, ys = [run["seconds"] for run in runs], [run[test] for run in runs]
            axes.plot(xs, ys, marker, color=SKY if "workers" in name else color, markerfacecolor=face, markersize=4, alpha=0.5)
            axes.plot(sum(xs) / len(xs), sum(ys) / len(ys), marker, color=color, markerfacecolor=face, markersize=9)
            axes.annotate(name.removeprefix("train_blocks, "), (sum(xs) / len(xs), sum(ys) / len(ys)), (6, 6), textcoords="offset points", fontsize=7)
        label(axes, f"{test} against the time from text to vectors", "seconds", "Spearman correlation")
    with whole_file(path) as temporary:
        fig.savefig(temporary, format="png", dpi=100)
