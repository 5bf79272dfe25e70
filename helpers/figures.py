"""One way to show a figure, and a curve that grows. Matplotlib, no pyplot. What steps 1 to 6 draw is in `drawings`."""

import html
import io
import time

import numpy as np
import PIL.Image
from IPython import get_ipython
from IPython.display import Image, display
from matplotlib.text import Annotation
from matplotlib.ticker import FuncFormatter

# Okabe and Ito's palette, told apart with any kind of color vision
BLACK, ORANGE, SKY, GREEN, BLUE, RED, PURPLE = (
    "#000000", "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
MARKERS = "os^Dv*P"


def new_figure(num_axes=1, size=(7, 3.5), layout="constrained"):
    """Make a figure, for words of any script, with `num_axes` axes side by side; returns it and them (an array; one; None for 0)."""
    from helpers.beyond.lettering import lettered_figure

    figure = lettered_figure(size, layout)
    return figure, figure.subplots(1, num_axes) if num_axes else None


def label(axes, title, xlabel, ylabel):
    """Give axes their title and the names of what they measure."""
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.spines[["top", "right"]].set_visible(False)


def png(fig, alt):
    """Return a figure as a small PNG Image with its alternative text."""
    drawn, small = io.BytesIO(), io.BytesIO()
    fig.savefig(drawn, format="png", dpi=150, transparent=False)  # shown as if it had 100: text is clear on sharper screens, too
    colors = PIL.Image.open(drawn).convert("RGB").quantize(256, dither=PIL.Image.Dither.NONE)
    colors.save(small, format="png", optimize=True)  # a third of the size, and nobody sees it
    return Image(small.getvalue(), format="png", alt=alt, width=round(fig.get_figwidth() * 100))


def names_of_places(axis):
    """Return {place: name} of the ticks of an axis that a figure names itself."""
    formatter, places = axis.get_major_formatter(), axis.get_majorticklocs()
    return dict(zip(places, map(str, formatter.format_ticks(places)))) if isinstance(formatter, FuncFormatter) else {}


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
    names = [names_of_places(axis) for axis in (axes.xaxis, axes.yaxis)]
    notes = [note for note in axes.texts if axes.images or isinstance(note, Annotation)]
    words = {tuple(getattr(note, "xy", note.get_position())): note.get_text() for note in notes}
    rows = [("what", axes.get_xlabel() or "x", axes.get_ylabel() or "y", *(["value"] if axes.images else []))]
    for series, points in drawn_series(axes):
        for point in points[:: -(-len(points) // (100 if axes.images else 10)) or 1]:
            told = [name.get(value, f"{value:.4g}") for name, value in zip((*names, {}), point)]
            told[2:] = [words.get(point[:2], value) for value in told[2:]]  # what is written on a square of a matrix
            rows.append((words.get(tuple(point), "" if series.startswith("_") else series), *told))
    cells = ["".join(f"<{kind}>{html.escape(text)}</{kind}>" for text in row) for row, kind in zip(rows, ["th", *["td"] * len(rows)])]
    return f"<table><caption>{html.escape(axes.get_title())}</caption><tr>" + "</tr><tr>".join(cells) + "</tr></table>"


def words_of(axes):
    """Return a table in HTML of the texts in a diagram: a row for each height, from the top, left to right."""
    rows = {}
    for text in axes.texts:
        x, y = text.get_position()
        if text.get_text():
            rows.setdefault(round(y, 2), []).append((x, text.get_text()))
    lines = ["".join(f"<td>{html.escape(text)}</td>" for _, text in sorted(row)) for _, row in sorted(rows.items(), reverse=True)]
    return f"<table><caption>{html.escape(axes.get_title())}</caption><tr>" + "</tr><tr>".join(lines) + "</tr></table>"


def show(fig, alt):
    """Display a figure as a PNG with `alt` as its alternative text, print that sentence under it, and fold up its numbers.

    Of a diagram, whose axes are off, the words are folded up in place of numbers.
    """
    display(png(fig, alt))
    print(alt + getattr(fig.canvas, "key", ""))
    shown = [axes for axes in fig.axes if axes.get_label() != "<colorbar>"]
    tables = "".join(numbers_of(axes) if axes.axison else words_of(axes) for axes in shown)
    folded = f"<details><summary>The numbers of this figure</summary>{tables}</details>"
    display({"text/html": folded, "text/plain": "(the numbers of this figure, as a table)"}, raw=True)


class LiveCurve:
    """Curves against a common x that are redrawn in place as points come in; outside IPython nothing is drawn.

    Drawing takes a tenth of a second, so points within SECONDS of the last drawing wait for the next; `draw` is the last.
    """

    SECONDS = 2

    STYLES = {"training": (BLUE, "o-"), "held out": (RED, "s--")}

    def __init__(self, title, xlabel, ylabel, xlim, yardsticks):
        self.fig, self.axes = new_figure(size=(8.5, 3.8))
        self.yardsticks = dict(yardsticks)
        label(self.axes, title, xlabel, ylabel)
        self.axes.set_xlim(*xlim)
        styles = (":", BLACK), ("-.", PURPLE), ((0, (6, 2, 1, 2, 1, 2)), GREEN)
        for (name, y), (style, color) in zip(self.yardsticks.items(), styles):
            self.axes.axhline(y, color=color, linestyle=style, linewidth=1.3, label=f"{name}: {y:.3f}")
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
            self.draw_legend()
        self.lines[name].set_data(xs, ys)
        self.axes.relim()
        self.axes.autoscale_view(scalex=False)
        if time.monotonic() - self.drawn > self.SECONDS:
            self.draw()

    def draw_legend(self):
        """Name all lines beside the axes, from the top down as they lie at their right ends."""
        heights = {line: ys[-1] for line, (_, ys) in zip(self.lines.values(), self.points.values())}
        ends = {line: heights.get(line, line.get_ydata()[-1] if len(line.get_ydata()) else 0) for line in self.axes.lines}
        ordered = sorted(ends, key=ends.get, reverse=True)
        names = [line.get_label() for line in ordered]
        self.axes.legend(ordered, names, frameon=False, loc="center left", bbox_to_anchor=(1.01, 0.5))

    def draw(self):
        """Draw the curves as they are now."""
        self.drawn = time.monotonic()
        if get_ipython() is None:
            return
        self.draw_legend()
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


def report(**values):
    """Display in a line what came out of a notebook, with all values behind it where the runner finds them."""
    short = {name: value for name, value in values.items() if isinstance(value, (str, int, float))}
    told = (f"{name.replace('_', ' ')} {value:{'.4f' if isinstance(value, float) else ',' if isinstance(value, int) else ''}}"
            for name, value in short.items())  # fmt: skip
    display({"text/plain": ", ".join(told), SUMMARY: values}, raw=True)
