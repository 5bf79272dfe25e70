"""What benchmarks/subwords.json holds, as a table and a figure. Used by `16_subwords`."""

from statistics import fmean

from helpers.beyond.evaluation import ANALOGIES
from helpers.figures import BLACK, BLUE, ORANGE, label, new_figure

MEASURES = "lemma among 10", "neighbors of the known word"


def subword_table(found):
    """Yield the lines of a Markdown table of methods on one text of the study: for each set of pairs the mean of the seeds and in
    brackets the 95 % interval of a difference, the share of analogies, then what hidden words are worth, with 95 % intervals.
    """
    rows, held = found.get("pairs", {}), found["held out"]["methods"]
    tests = [name for name, row in next(iter(rows.values()), {}).items() if "mean" in row]
    columns = [*tests, *["analogies"] * bool(tests), *MEASURES]
    yield f"| method | {' | '.join(columns)} |"
    yield "|---|" + "---|" * len(columns)
    for method in ("form alone", *found["processor seconds"]):
        row, hidden = rows.get(method), held.get(method)
        told = ["-" if row is None else f"{row[name]['mean']:.3f}{_bracketed(row[name]['difference'])}" for name in tests]
        told += [f"{fmean(row[ANALOGIES]['each']):.3f}" if row else "-"] * bool(tests)
        told += ["{:.3f}, {:.3f} to {:.3f}".format(hidden[name]["mean"], *hidden[name]["interval"]) if hidden else "-" for name in MEASURES]
        yield f"| {method} | {' | '.join(told)} |"


def _bracketed(interval):
    """Write an interval in brackets, "" for the difference of a method from itself."""
    low, high = interval
    return f" [{low:+.3f} to {high:+.3f}]" if low or high else ""


def held_words_figure(held, title):
    """Draw what the vectors of hidden words are worth by both MEASURES, {text: found}: the mean, and its interval over the words."""
    fig, panels = new_figure(2, (10, 4.5))
    looks = dict(zip(("form alone", "subwords", "gensim FastText"), ((BLACK, "s"), (BLUE, "o"), (ORANGE, "^"))))
    for axes, measure in zip(panels, MEASURES):
        names = []
        for text, found in held.items():
            for method, row in found["methods"].items():
                color, marker = looks[method]
                axes.plot(row[measure]["interval"], [len(names)] * 2, "-", color=color, linewidth=1.5, label="_")
                axes.plot(row[measure]["mean"], len(names), marker, color=color, markersize=7, label=method)
                names.append(f"{text}, {method}")
        axes.set_yticks(range(len(names)), names)
        axes.tick_params(labelleft=axes is panels[0])
        axes.invert_yaxis()
        axes.set_xlim(left=0)
    label(panels[0], "Nearest words include the lemma", "share of hidden words, 95 % interval", "")
    label(panels[1], "Nearest words are those of the known word", "share of the 10 nearest, 95 % interval", "")
    fig.suptitle(title)
    return fig
