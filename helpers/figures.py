"""One way to show a figure, a curve that grows, and the figures that the notebooks draw. Matplotlib, no pyplot."""

import html
import io
import re
import time

import numpy as np
import PIL.Image
from IPython import get_ipython
from IPython.display import Image, display
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Annotation

# Okabe and Ito's palette, told apart with any kind of colour vision
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
MARKERS = "os^Dv*P"


def new_figure(num_axes=1, size=(7, 3.5)):
    """Make a figure with `num_axes` axes side by side; returns it and its axes (one, or an array of them)."""
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.subplots(1, num_axes)


def label(axes, title, xlabel, ylabel):
    """Give axes their title and the names of what they measure."""
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)


def png(fig, alt):
    """Return a figure as a small PNG Image with its alternative text."""
    drawn, small = io.BytesIO(), io.BytesIO()
    fig.savefig(drawn, format="png", dpi=100)
    colours = PIL.Image.open(drawn).convert("RGB").quantize(256, dither=PIL.Image.Dither.NONE)
    colours.save(small, format="png", optimize=True)  # a third of the size, and nobody sees it
    return Image(small.getvalue(), format="png", alt=alt)


def names_of_places(axis):
    """Return {place: name} of those ticks of an axis that have a name, not a number."""
    labels = zip(axis.get_majorticklocs(), (text.get_text() for text in axis.get_majorticklabels()))
    return {place: name for place, name in labels if not re.fullmatch(r"[-\u2212\d.,]*|\$.*\$", name)}


def drawn_series(axes):
    """Yield (name, points) of all that axes show: curves and bars with points (x, y), matrices with (x, y, value)."""
    for line in axes.lines:
        yield line.get_label(), line.get_xydata()
    for bars in axes.containers:
        ends = [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in bars]
        if bars.orientation == "horizontal":
            ends = [(bar.get_width(), bar.get_y() + bar.get_height() / 2) for bar in bars]
        yield bars.get_label(), ends
    for image in axes.images:
        yield "", [(column, row, value) for (row, column), value in np.ndenumerate(image.get_array())]


def numbers_of(axes):
    """Return a table in HTML of what axes show; of a curve with more than 10 points, or a matrix with more than 100, some."""
    names, words = [names_of_places(axis) for axis in (axes.xaxis, axes.yaxis)], {}
    for note in axes.texts:
        if isinstance(note, Annotation):
            words[tuple(note.xy)] = note.get_text()
    rows = [("what", axes.get_xlabel() or "x", axes.get_ylabel() or "y", *(["value"] if axes.images else []))]
    for series, points in drawn_series(axes):
        for point in points[:: -(-len(points) // (100 if axes.images else 10)) or 1]:
            told = [name.get(value, f"{value:.4g}") for name, value in zip((*names, {}), point)]
            rows.append((words.get(tuple(point), "" if series.startswith("_") else series), *told))
    cells = ["".join(f"<{kind}>{html.escape(text)}</{kind}>" for text in row) for row, kind in zip(rows, ["th", *["td"] * len(rows)])]
    return f"<table><caption>{html.escape(axes.get_title())}</caption><tr>" + "</tr><tr>".join(cells) + "</tr></table>"


def show(fig, alt):
    """Display a figure as a PNG with `alt` as its alternative text, print that sentence under it, and fold up its numbers."""
    display(png(fig, alt))
    print(alt)
    tables = "".join(numbers_of(axes) for axes in fig.axes if axes.get_label() != "<colorbar>")
    folded = f"<details><summary>The numbers of this figure</summary>{tables}</details>"
    display({"text/html": folded, "text/plain": "(the numbers of this figure, as a table)"}, raw=True)


class LiveCurve:
    """Curves against a common x that are drawn anew in place as points come in; outside IPython nothing is drawn.

    Drawing takes a tenth of a second, so points within SECONDS of the last drawing wait for the next; `draw` is the last.
    """

    SECONDS = 2

    STYLES = {"training": (BLUE, "o-"), "held out": (RED, "s--")}

    def __init__(self, title, xlabel, ylabel, xlim, yardsticks):
        self.fig, self.axes = new_figure()
        label(self.axes, title, xlabel, ylabel)
        self.axes.set_xlim(*xlim)
        for (name, y), style in zip(yardsticks.items(), (":", "-.")):
            self.axes.axhline(y, color=BLACK, linestyle=style, linewidth=1, label=f"{name}: {y:.3f}")
        self.points, self.lines, self.handle = {}, {}, None
        self.draw()

    def add(self, name, x, y):
        """Add a point to the curve `name`, and draw the whole figure again if it is time."""
        xs, ys = self.points.setdefault(name, ([], []))
        xs.append(x)
        ys.append(y)
        if name not in self.lines:
            color, style = self.STYLES[name]
            (self.lines[name],) = self.axes.plot([], [], style, color=color, markersize=4, label=name, clip_on=False)
            self.axes.legend(frameon=False)
        self.lines[name].set_data(xs, ys)
        self.axes.relim()
        self.axes.autoscale_view(scalex=False)
        if time.monotonic() - self.drawn > self.SECONDS:
            self.draw()

    def draw(self):
        """Draw the curves as they are now."""
        self.drawn = time.monotonic()
        if get_ipython() is None:
            return
        image = png(self.fig, self.description())
        if self.handle is None:
            self.handle = display(image, display_id=True)
        else:
            self.handle.update(image)

    def description(self):
        """Say in a sentence where each curve begins and ends."""
        told = [f"{name} from {ys[0]:.3f} to {ys[-1]:.3f}" for name, (_, ys) in self.points.items()]
        return f"{self.axes.get_title()}, by {self.axes.get_xlabel()}: {', '.join(told) or 'nothing yet'}."


SUMMARY = "application/vnd.word2vec-series+json"
WIDGET = "application/vnd.jupyter.widget-view+json"


def report(line, **values):
    """Display a line that sums a notebook up, with the values behind it where a program finds them."""
    display({"text/plain": line, SUMMARY: values}, raw=True)


def subsampling_figure(counts, keep, by_program, lengths_before, lengths_after):
    """Draw each word's chance to be kept against its frequency, by the paper and by word2vec.c, and how long sentences
    are before and after.
    """
    fig, (curve, histogram) = new_figure(2)
    order = np.argsort(counts[1:])[::-1] + 1
    for chances, style, color, name in ((by_program, "--", RED, "word2vec.c"), (keep, ".", BLUE, "the paper")):
        curve.loglog(counts[order] / counts.sum(), chances[order], style, color=color, markersize=3, label=name)
    curve.legend(frameon=False)
    label(curve, "A word's chance to be kept", "share of the text", "chance to be kept")
    edges = np.linspace(0, max(lengths_before), 25)
    for lengths, name, color, hatch in ((lengths_before, "before", SKY, ""), (lengths_after, "after", ORANGE, "///")):
        histogram.hist(lengths, edges, label=name, color=color, hatch=hatch, alpha=0.7, edgecolor=BLACK, linewidth=0.3)
    histogram.legend(frameon=False)
    label(histogram, "Length of sentences", "known words per sentence", "sentences")
    return fig


def noise_figure(counts, probability):
    """Draw the share of each word in the text and among noise words, commonest word first."""
    fig, axes = new_figure()
    rank = np.arange(1, len(counts))
    axes.loglog(rank, counts[1:] / counts.sum(), "-", color=BLUE, label="share of the text")
    axes.loglog(rank, probability[1:], "--", color=RED, label="share of the noise (power 3/4)")
    axes.legend(frameon=False)
    label(axes, "Common words are drawn less often than they occur, rare ones more", "rank of the word", "share")
    return fig


def heat_map(axes, values, title, xlabel, ylabel, largest, digits=2):
    """Draw a matrix, coloured from minus `largest` to `largest`, with its numbers written into the cells."""
    axes.imshow(values, cmap="PuOr", vmin=-largest, vmax=largest, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        color = "white" if abs(value) > 0.55 * largest else BLACK
        axes.text(column, row, f"{value:.{digits}f}", ha="center", va="center", fontsize=8, color=color)
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel, xticks=range(values.shape[1]), yticks=range(values.shape[0]))


def lookup_figure(table, ids):
    """Draw a table of vectors, the rows that a lookup takes framed, beside what the lookup gives."""
    fig, (whole, taken) = new_figure(2, (7, 4.5))
    heat_map(whole, table, "The table", "dimension", "id", table.max(), 1)
    for row in set(ids):
        whole.add_patch(Rectangle((-0.5, row - 0.5), table.shape[1], 1, fill=False, edgecolor=BLUE, linewidth=2))
    heat_map(taken, table[ids], "embed(x), its vectors in order", "dimension", "position in x, row by row", table.max(), 1)
    taken.set_yticks(range(len(ids)), [f"{position}: id {row}" for position, row in enumerate(ids)])
    return fig


def scores_figure(scores, centers, words):
    """Draw the score of each center word (a row) with each context or noise word (a column)."""
    fig, axes = new_figure(size=(6, 2.8))
    heat_map(axes, scores, "Score of a center word with a context word", "context word", "center word", abs(scores).max())
    axes.set_xticks(range(len(words)), words)
    axes.set_yticks(range(len(centers)), centers)
    return fig


def loss_figure():
    """Draw the loss of one position against its score, for a context word and for a noise word."""
    fig, axes = new_figure()
    scores = np.linspace(-5, 5, 101)
    axes.plot(scores, np.logaddexp(0, -scores), "-", color=BLUE, label="label 1: a context word")
    axes.plot(scores, np.logaddexp(0, scores), "--", color=RED, label="label 0: a noise word")
    axes.plot(0, np.log(2), "o", color=BLACK)
    axes.annotate("ln 2 = 0.693", (0, np.log(2)), (0, 1.2), ha="center")
    axes.legend(frameon=False)
    label(axes, "A large score of the wrong sign costs about its size", "score", "loss")
    return fig


def cosines_figure(random_cosines, neighbours, query_token):
    """Draw how cosines of random pairs spread, and where the nearest words of a word lie."""
    fig, axes = new_figure()
    axes.hist(random_cosines, 60, density=True, color=SKY, label="random pairs of words")
    mean = random_cosines.mean()
    axes.axvline(mean, color=BLACK, linestyle="--", label=f"their mean, {mean:.2f}")
    height = axes.get_ylim()[1]
    for number, (token, cosine) in enumerate(neighbours):
        top = height * (0.6 - 0.5 * number / len(neighbours))
        axes.plot([cosine, cosine], [0, top], color=RED, linewidth=2, label=None if number else f"near {query_token}")
        axes.text(cosine, top + 0.01 * height, f" {token}", fontsize=9)
    axes.legend(frameon=False)
    label(axes, f"The nearest words of {query_token}, against random pairs", "cosine", "density")
    return fig


def map_figure(places, groups, title="Words on a map made from their cosines"):
    """Draw words on a map; `groups` maps a name to its words, in the order of the rows of `places` (n, 2).

    A group that begins with its own name is called the words near it.
    """
    fig, axes = new_figure(size=(9, 6))
    start = 0
    for (name, words), color, marker in zip(groups.items(), (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK), MARKERS):
        xs, ys = places[start : start + len(words)].T
        start += len(words)
        axes.plot(xs, ys, marker, color=color, markersize=6, label=f"near {name}" if name == words[0] else name)
        for x, y, word in zip(xs, ys, words):
            axes.annotate(word, (x, y), (0, 5), textcoords="offset points", ha="center", fontsize=8)
    axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
    label(axes, title, "first coordinate", "second coordinate")
    axes.set(xticks=[], yticks=[])
    return fig


def place_figure(places, word, neighbours):
    """Draw where a word and its neighbours lie among all words, and beside it that part of the map with their names.

    `places` maps every word to its place (x, y).
    """
    fig, (whole, part) = new_figure(2, (10, 4.5))
    cloud, near = (np.array([places[token] for token in tokens]) for tokens in (places, [*neighbours, word]))
    for axes in (whole, part):
        axes.plot(*cloud.T, ".", color=SKY, markersize=2, alpha=0.5, label="all words")
        axes.plot(*near[:-1].T, "o", color=RED, markersize=5, label="its nearest")
        axes.plot(*near[-1:].T, "*", color=BLACK, markersize=13, label=word)
        axes.set(xticks=[], yticks=[])
    for token, place in zip([*neighbours, word], near):
        part.annotate(token, place, (0, 6), textcoords="offset points", ha="center", fontsize=8)
    margin = 0.2 * np.ptp(near, axis=0) + 1e-3
    (left, bottom), (right, top) = near.min(axis=0) - margin, near.max(axis=0) + margin
    part.set(xlim=(left, right), ylim=(bottom, top))
    whole.legend(frameon=False, loc="lower left")
    label(whole, "Among all words", "first coordinate", "second coordinate")
    label(part, f"{word} and its {len(neighbours)} nearest words", "first coordinate", "second coordinate")
    return fig


def methods_figure(rows, tests):
    """Draw what each method's vectors score: the mean of its seeds, a mark per seed, and the interval over the pairs.

    `rows` maps methods to {test: {"each", "mean", "interval"}}.
    """
    fig, panels = new_figure(len(tests), (10, 1.2 + 0.35 * len(rows)))
    ends = [end for row in rows.values() for test in tests for end in (*row[test]["interval"], *row[test]["each"])]
    for axes, test in zip(panels, tests):
        axes.set_xlim(min(ends) - 0.02, max(ends) + 0.02)
        for place, row in enumerate(rows.values()):
            found = row[test]
            axes.plot(found["interval"], [place, place], "-", color=BLACK, linewidth=1, label="95 % interval over the pairs")
            axes.plot(found["each"], [place] * len(found["each"]), "|", color=RED, markersize=9, label="a seed")
            axes.plot(found["mean"], place, "o", color=BLUE, markersize=6, label="mean of the seeds")
        axes.invert_yaxis()
        axes.set_yticks(range(len(rows)), rows if axes is panels[0] else [""] * len(rows))
        label(axes, test, "rank correlation with people's judgement", "")
    handles, labels = panels[0].get_legend_handles_labels()
    fig.legend(handles[:3], labels[:3], loc="outside lower center", ncols=3, frameon=False)
    return fig


def weights_figure(weights, num_contexts):
    """Draw the weights of one block's scores: a row per center word, a column per context word, then per noise word."""
    fig, axes = new_figure(size=(8, 3.2))
    drawn = axes.imshow(weights, cmap="Purples", aspect="auto")
    axes.axvline(num_contexts - 0.5, color=BLACK, linewidth=1)
    fig.colorbar(drawn, ax=axes, label="weight of the score")
    x_name = "context words in the order of the text | noise words"
    label(axes, "Of a block's scores the band counts, and all noise words", x_name, "center word")
    return fig


def rates_figure(rates):
    """Draw how many times as fast as the first of them each rate is, on a logarithmic scale."""
    fig, axes = new_figure(size=(7.5, 0.6 + 0.4 * len(rates)))
    first, names = next(iter(rates.values())), list(rates)
    factors = [rate / first for rate in rates.values()]
    axes.barh(names, factors, color=SKY, edgecolor=BLACK, linewidth=0.5)
    for place, (factor, rate) in enumerate(zip(factors, rates.values())):
        axes.text(factor, place, f" {factor:.1f} times, {rate:,.0f} center words/s", va="center", fontsize=8)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(0.8, 8 * max(factors))
    label(axes, "Speed of each step, in units of the plain loop's", "times as fast", "")
    return fig


def quality_figure(runs):
    """Draw what vectors are worth against the seconds from text to vectors: a small mark per run, a large one per mean.

    The number in a large mark is that of epochs.

    `runs` maps settings, such as "gensim, 8 epochs", to dicts with "seconds" and the correlation of each test.
    """
    fig, both = new_figure(2, (8.5, 3.8))
    kinds = list(dict.fromkeys(name.split(", ")[0] for name in runs))
    styles = dict(zip(kinds, zip((BLUE, ORANGE, GREEN, RED), "oDhs", ("white", BLACK, "white", "white"))))
    for axes, test in zip(both, [key for key in next(iter(runs.values()))[0] if key != "seconds"]):
        for name, found in runs.items():
            kind, epochs = name.split(", ")
            color, marker, ink = styles[kind]
            xs, ys = ([run[key] for run in found] for key in ("seconds", test))
            middle = sum(xs) / len(xs), sum(ys) / len(ys)
            axes.plot(xs, ys, marker, color=color, markersize=3, alpha=0.4)
            axes.plot(*middle, marker, color=color, markeredgecolor=BLACK, markersize=12, label=kind)
            axes.text(*middle, epochs.split()[0], color=ink, ha="center", va="center", fontsize=7.5, weight="bold")
        axes.margins(x=0.1, y=0.15)
        label(axes, test, "seconds from text to vectors", "rank correlation with people's judgement")
    handles, labels = both[0].get_legend_handles_labels()
    once = zip(*{name: (handle, name) for handle, name in zip(handles, labels)}.values())
    fig.legend(*once, loc="outside lower center", ncols=len(kinds), frameon=False)
    return fig


def study_figure(rates, live):
    """Draw what the learning rate does to the vectors: a small mark per seed, a line through the means, a star for `live`.

    `rates` maps rates, as text, to runs with the correlation of each test, None where the training diverged; `live` is
    (rate, {test: correlation}).
    """
    fig, both = new_figure(2, (8.5, 3.8))
    rate, found = live
    for axes, test in zip(both, found):
        settled = {float(lr): [run[test] for run in runs] for lr, runs in rates.items() if all(run[test] is not None for run in runs)}
        diverged = [float(lr) for lr in rates if float(lr) not in settled]
        for lr, values in settled.items():
            axes.plot([lr] * len(values), values, "o", color=BLUE, markersize=3, alpha=0.5)
        means = [sum(values) / len(values) for values in settled.values()]
        axes.plot(list(settled), means, "o-", color=BLUE, label="mean of the study's seeds")
        if found[test] is not None:
            axes.plot(rate, found[test], "*", color=RED, markersize=12, markeredgecolor=BLACK, label="the training above")
        if diverged:
            axes.axvspan(min(diverged), max(diverged) * 1.1, color=ORANGE, alpha=0.3, hatch="//", label="diverged")
        label(axes, test, "rate at the start", "rank correlation with people's judgement")
    fig.legend(*both[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return fig


def seen_figure(seen):
    """Draw how many different pairs were seen after each epoch, drawn once and redrawn, axes for each kind of pair.

    `seen` maps a kind to the numbers after each epoch of a redrawing loader; drawn once, the first stays as it is.
    """
    fig, both = new_figure(len(seen), (8, 3.5))
    for axes, (kind, numbers) in zip(both, seen.items()):
        epochs = range(1, len(numbers) + 1)
        axes.plot(epochs, numbers, "s-", color=RED, markersize=4, label="redrawn")
        axes.plot(epochs, numbers[:1] * len(numbers), "o--", color=BLUE, markersize=4, label="drawn once")
        axes.set_ylim(0)
        axes.legend(frameon=False)
        label(axes, f"Center and {kind.removesuffix('s')}", "epoch", "different pairs seen so far")
    return fig


def resampling_figure(measured, tests):
    """Draw both losses and each of `tests` against the epochs, drawn once and redrawn, each mean in a band of its error.

    `measured` maps the two ways to dicts of measures, each (means, errors) with a number per epoch: "loss", "held_out"
    and those of `tests`.
    """
    fig, panels = new_figure(1 + len(tests), (11, 3.8))
    for (way, found), (color, marker) in zip(measured.items(), ((BLUE, "o"), (RED, "s"))):
        epochs = range(1, len(found["loss"][0]) + 1)
        lines = (panels[0], "loss", ":"), (panels[0], "held_out", "-"), *((axes, test, "-") for axes, test in zip(panels[1:], tests))
        for axes, name, line in lines:
            told = f"{way}, training" if name == "loss" else way
            mean, error = found[name]
            axes.plot(epochs, mean, marker + line, color=color, markersize=4, label=told)
            axes.fill([*epochs, *reversed(epochs)], [*(mean - error), *reversed(mean + error)], color=color, alpha=0.25, linewidth=0)
    label(panels[0], "Held-out loss, dotted: training loss", "epoch", "loss")
    for axes, test in zip(panels[1:], tests):
        label(axes, test, "epoch", "rank correlation")
    fig.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return fig
