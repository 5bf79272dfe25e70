"""Figures of the steps after the sixth that stand in no notebook: maps with names, the sweep, sets of vectors compared."""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon, Rectangle
from matplotlib.patheffects import withStroke

from helpers.drawings import diagram
from helpers.figures import (
    BLACK,
    BLUE,
    GREEN,
    MARKERS,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    label,
    new_figure,
)

PALE = "#A9D6F2"  # a light sky blue, for clouds of points: without smoothed edges a PNG is a third as large
NAME_SIDES = ((0, 5, "center", "bottom"), (0, -5, "center", "top"), (6, 0, "left", "center"), (-6, 0, "right", "center"))


def name_points(axes, points, names, in_cloud=False):
    """Write each name beside its point, at a side where it hides no point and no other name.

    `points` is (n, 2); `in_cloud` gives the names a white edge. A name without room is not drawn; it stays in the table of the
    figure's numbers. The limits of the axes must be set before.
    """
    fig = axes.figure
    fig.draw_without_rendering()
    marks = axes.transData.transform(points)
    taken = [text.get_window_extent() for text in axes.texts if text.get_visible()]
    for number, (point, name) in enumerate(zip(points, names)):
        others = np.delete(marks, number, axis=0)
        for x, y, across, up in NAME_SIDES:
            note = axes.annotate(name, tuple(point), (x, y), textcoords="offset points", ha=across, va=up,
                                 fontsize=8)  # fmt: skip
            if in_cloud:
                note.set_path_effects([withStroke(linewidth=2, foreground="white")])
            box = note.get_window_extent().padded(1)
            inside = ((others > box.min - 2) & (others < box.max + 2)).all(axis=1).any()
            if not inside and not any(box.overlaps(other) for other in taken):
                taken.append(box)
                break
            note.remove()
        else:
            axes.annotate(name, tuple(point)).set_visible(False)


def without_axes(axes):
    """Take ticks and frame from axes whose directions mean nothing."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def groups_figure(places, groups, title):
    """Draw words on a map, a color and a mark for each group; `groups` {name: words} in the order of `places` (n, 2)."""
    fig, axes = new_figure(size=(9, 6))
    start, colors = 0, (BLUE, RED, GREEN, ORANGE, PURPLE, SKY, BLACK)
    for (name, words), color, marker in zip(groups.items(), colors, MARKERS):
        own = places[start : start + len(words)]
        start += len(words)
        axes.plot(*own.T, marker, color=color, markersize=6, label=name)
    axes.set_title(title)
    axes.margins(0.06)
    without_axes(axes)
    fig.legend(loc="outside lower center", ncols=len(groups), frameon=False)
    name_points(axes, places, [word for words in groups.values() for word in words])
    return fig


def place_figure(places, word, neighbors):
    """Draw where a word and its neighbors lie among all words, and beside it that part of the map with their names.

    `places` maps every word to its place (x, y). The title says how many of the points nearest on the map are neighbors.
    """
    fig, (whole, part) = new_figure(2, (9, 4.5))
    tokens = list(places)
    cloud = np.array(list(places.values()))
    near = np.array([places[token] for token in [*neighbors, word]])
    order = np.argsort(((cloud - places[word]) ** 2).sum(axis=1))
    on_map = [tokens[row] for row in order if tokens[row] != word][: len(neighbors)]
    for axes in (whole, part):
        axes.plot(*cloud.T, ".", color=PALE, markersize=2, antialiased=False, label="all words")
        axes.plot(*near[-1:].T, "*", color=BLACK, markersize=13, label=word)
        axes.plot(*near[:-1].T, "o", color=RED, markersize=5, label="its nearest words by cosine")
        without_axes(axes)
    margin = 0.2 * np.ptp(near, axis=0) + 1e-3
    (left, bottom), (right, top) = near.min(axis=0) - margin, near.max(axis=0) + margin
    part.set(xlim=(left, right), ylim=(bottom, top))
    whole.set_title("All words")
    part.set_title(f"The part around {word}")
    fig.suptitle(f"Of the {len(neighbors)} points nearest on the map {len(set(on_map) & set(neighbors))} are neighbors of {word}")
    handles, labels = whole.get_legend_handles_labels()
    handles[0] = Line2D([], [], linestyle="", marker=".", color=PALE, markersize=9)  # a mark that can be seen
    fig.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    name_points(part, near, [*neighbors, word], in_cloud=True)
    return fig


def methods_figure(rows, tests, title=""):
    """Draw what each method's vectors score: the mean of its seeds, a mark per seed, and the interval over the pairs.

    `rows` maps methods to {test: {"each", "mean", "interval"}}.
    """
    fig, panels = new_figure(len(tests), (10, 1.5 + 0.35 * len(rows)))
    ends = [end for row in rows.values() for test in tests for end in (*row[test]["interval"], *row[test]["each"])]
    for axes, test in zip(panels, tests):
        axes.set_xlim(min(ends) - 0.02, max(ends) + 0.02)
        for place, row in enumerate(rows.values()):
            found = row[test]
            line = {"color": BLACK, "linewidth": 1, "label": "95 % confidence interval over the pairs"}
            axes.plot(found["interval"], [place, place], "-", **line)
            axes.plot(found["each"], [place] * len(found["each"]), "|", color=RED, markersize=9, label="a seed")
            axes.plot(found["mean"], place, "o", color=BLUE, markersize=6, label="mean of the seeds")
        axes.invert_yaxis()
        axes.set_yticks(range(len(rows)), rows)
        axes.tick_params(labelleft=axes is panels[0])
        label(axes, test, "rank correlation with human judgments", "")
    fig.suptitle(title)
    handles, labels = panels[0].get_legend_handles_labels()
    fig.legend(handles[:3], labels[:3], loc="outside lower center", ncols=3, frameon=False)
    return fig


def sweep_figure(means, default, measures, title):
    """Draw how settings of a sweep differ from the default, a row of heat maps for each measure, purple where better.

    `means` maps measures to {(embed_size, lr, num_epochs): value}; `measures` maps them to (name, digits, 1 where more is
    better, else -1). A setting that was not run has a dash.
    """
    settings = next(iter(means.values()))
    sizes, lrs, epochs = (sorted({setting[part] for setting in settings}) for part in range(3))
    fig, grid = new_figure(1, (8.5, 2.1 * len(measures) + 0.8))
    grid.remove()
    panels = fig.subplots(len(measures), len(epochs), sharex=True, sharey=True, squeeze=False)
    for row, (measure, (name, digits, sign)) in zip(panels, measures.items()):
        usual = means[measure][default]
        for axes, num_epochs in zip(row, epochs):
            found = np.array([[means[measure].get((size, lr, num_epochs), np.nan) for lr in lrs] for size in sizes])
            largest = max((abs(value - usual) for value in means[measure].values() if value == value), default=1) or 1
            axes.imshow(found - usual, cmap="PuOr" if sign == 1 else "PuOr_r", vmin=-largest, vmax=largest, aspect="auto")
            for (y, x), value in np.ndenumerate(found - usual):
                told = "-" if np.isnan(value) else f"{value:+.{digits}f}" if value else f"{usual:.{digits}f}"
                color = "white" if abs(value) > 0.7 * largest else BLACK
                axes.text(x, y, told, ha="center", va="center", fontsize=9, color=color)
            axes.set_title(f"{name}, {num_epochs} epochs", fontsize=10)
            axes.set_xticks(range(len(lrs)), [f"{lr:g}" for lr in lrs])
            axes.set_yticks(range(len(sizes)), [f"{size}" for size in sizes])
            axes.set_xlabel("learning rate", visible=False)  # for the table of numbers; the figure has its own labels
            axes.set_ylabel("embed_size", visible=False)
    fig.suptitle(title)
    fig.supxlabel("learning rate (purple: better than the default, whose own value is given; orange: worse)", fontsize=10)
    fig.supylabel("embed_size", fontsize=10)
    return fig


def loss_quality_figure(points, title, ylabel):
    """Draw a measure of each setting against its held-out loss; `points` {(embed_size, lr, num_epochs): (loss, value)}.

    The color is the learning rate's, the mark that of the number of epochs, the size that of `embed_size`. The setting of
    the lowest loss and that of the best value are named.
    """
    fig, axes = new_figure(size=(8, 4.6))
    sizes, lrs, epochs = (sorted({setting[part] for setting in points}) for part in range(3))
    width = {size: 4 + 2.5 * place for place, size in enumerate(sizes)}
    colors = dict(zip(lrs, (SKY, ORANGE, RED, BLUE, GREEN)))
    marks = dict(zip(epochs, MARKERS))
    for (size, lr, number), point in points.items():
        look = {"color": colors[lr], "markersize": width[size], "markeredgecolor": BLACK, "markeredgewidth": 0.4}
        axes.plot(*point, marks[number], label=f"size {size}, lr {lr}, {number} epochs", **look)
    for told, chosen in (("lowest loss", min(points, key=lambda one: points[one][0])),
                         ("best score", max(points, key=lambda one: points[one][1]))):  # fmt: skip
        axes.annotate(told, points[chosen], (14, 14), textcoords="offset points", arrowprops={"arrowstyle": "-"})
    label(axes, title, "held-out loss (nats)", ylabel)
    plain = {"linestyle": "", "color": BLACK}
    handles = [Line2D([], [], linestyle="", marker="o", color=colors[lr], label=f"learning rate {lr:g}") for lr in lrs]
    handles += [Line2D([], [], **plain, marker=marks[number], label=f"{number} epochs") for number in epochs]
    handles += [Line2D([], [], **plain, marker="o", markersize=width[size], label=f"embed_size {size}") for size in sizes]
    fig.legend(handles=handles, loc="outside right center", frameon=False)
    return fig


def lengths_figure(counts, lengths, named):
    """Draw the length of each word's vector against its count, axes for each table; `named` {word: row} are named.

    `lengths` maps tables to (n,), in the order of `counts` (n,). A line goes through the medians of words of like count.
    """
    fig, both = new_figure(2, (9.5, 4))
    edges = np.geomspace(counts.min(), counts.max() + 1, 13)
    group = np.digitize(counts, edges)
    kept = [number for number in np.unique(group) if np.sum(group == number) >= 5]
    middles = [np.exp(np.log(counts[group == number]).mean()) for number in kept]
    for axes, (name, values), color in zip(both, lengths.items(), (PALE, "#F6C9A8")):
        axes.semilogx(counts, values, ".", color=color, markersize=2, antialiased=False, label=f"{name} vectors")
        medians = [np.median(values[group == number]) for number in kept]
        axes.plot(middles, medians, "-", color=BLACK, linewidth=1.5, label="median")
        longest = middles[int(np.argmax(medians))] if medians else 0
        rows = list(named.values())
        axes.plot(counts[rows], values[rows], "o", color=BLACK, markersize=4, label="_")
        title = f"{name.capitalize()} vectors: longest near {longest:,.0f} occurrences"
        label(axes, title, "occurrences in the text", "length of the vector")
        axes.title.set_fontsize(11)
        name_points(axes, np.column_stack([counts[rows], values[rows]]), list(named), in_cloud=True)
    return fig


def rates_figure(groups, title):
    """Draw rates in center words per second as dots on a logarithmic axis; each is named with its ratio to its group's first.

    `groups` maps the name of a group to {name: rate}.
    """
    names = [name for rates in groups.values() for name in rates]
    fig, axes = new_figure(size=(8, 1.1 + 0.42 * len(names)))
    place = 0
    for (group, rates), color, marker in zip(groups.items(), (BLUE, RED, GREEN), MARKERS):
        places = range(place, place + len(rates))
        first = next(iter(rates.values()))
        axes.plot(list(rates.values()), places, marker, color=color, markersize=9, label=group)
        for y, rate in zip(places, rates.values()):
            told = f"{rate:,.0f}" if rate == first else f"{rate:,.0f}  ({rate / first:.1f} times)"
            axes.text(rate * 1.18, y, told, va="center", fontsize=9)
        place += len(rates)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    every = [rate for rates in groups.values() for rate in rates.values()]
    axes.set_xlim(min(every) / 2, max(every) * 12)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="y", color="#dddddd")
    axes.set_axisbelow(True)
    label(axes, title, "center words per second (logarithmic)", "")
    if len(groups) > 1:
        axes.legend(frameon=False, loc="lower right", fontsize=9)
    return fig


def block_figure(block_size, window, noise_per_block):
    """Draw a block's center words, the stretch around them and the noise words it shares, and the product of its scores."""
    fig, axes = diagram(8, 3.6)
    shown, side = 8, 2  # fewer boxes than there are words
    width, left = 0.42, 0.35
    for number in range(shown + 2 * side):
        inside = side <= number < side + shown
        axes.add_patch(Rectangle((left + width * number, 2.6), width, 0.34, facecolor=ORANGE if inside else SKY, edgecolor=BLACK))
    for number in range(4):
        x = left + width * (shown + 2 * side) + 0.6 + width * number
        axes.add_patch(Rectangle((x, 2.6), width, 0.34, facecolor="#dddddd", edgecolor=BLACK, linestyle="--"))
    begin, end = left + side * width, left + (side + shown) * width
    stretch = left + (shown + 2 * side) * width
    for first, last, y, turn, told in (
        (begin, end, 3.01, 1, f"block: {block_size} center words"),
        (left, stretch, 2.53, -1, f"stretch: {block_size + 2 * window} possible context words"),
        (stretch + 0.6, stretch + 0.6 + 4 * width, 2.53, -1, f"{noise_per_block} shared noise words"),
    ):
        axes.plot([first, first, last, last], [y, y + 0.08 * turn, y + 0.08 * turn, y], color=BLACK, linewidth=1)
        axes.text((first + last) / 2, y + 0.13 * turn, told, ha="center", va="bottom" if turn > 0 else "top", fontsize=11)
    columns = block_size + 2 * window + noise_per_block
    share = (block_size + 2 * window) / columns
    y, height, depth = 0.75, 1.0, 0.6
    axes.add_patch(Rectangle((0.5, y), depth, height, facecolor=ORANGE, edgecolor=BLACK))
    axes.text(0.5 + depth / 2, y - 0.08, f"{block_size} center\nvectors", ha="center", va="top", fontsize=10)
    axes.text(1.45, y + height / 2, "times", ha="center", va="center", fontsize=11)
    for x, parts in ((1.8, 2.1), (4.95, 2.1)):
        scores = x > 4
        low, tall = (y, height) if scores else (y + 0.2, depth)
        fill = ("white", PURPLE) if scores else (SKY, "#dddddd")
        axes.add_patch(Rectangle((x, low), parts * share, tall, facecolor=fill[0], edgecolor=BLACK))
        axes.add_patch(Rectangle((x + parts * share, low), parts * (1 - share), tall, facecolor=fill[1], edgecolor=BLACK, linestyle="--"))
    axes.text(1.8 + 1.05, y - 0.08, f"{columns} vectors of context\nand noise words", ha="center", va="top", fontsize=10)
    axes.text(4.43, y + height / 2, "=", ha="center", va="center", fontsize=15)
    reach = 2.1 * share / (block_size + 2 * window)
    wide, corner = 2 * window * reach, 4.95 + 2.1 * share
    band = [(4.95, y + height), (4.95 + wide, y + height), (corner, y), (corner - wide, y)]
    axes.add_patch(Polygon(band, facecolor=PURPLE, edgecolor="none"))
    axes.text(4.95 + 1.05, y - 0.08, f"{block_size} x {columns} scores;\nthe band and the noise count", ha="center", va="top", fontsize=10)
    return fig


def weights_figure(weights, num_contexts, words, shown=(8, 22)):
    """Draw the weights of one block's scores: a row per center word, a column per context word, then per noise word.

    `words` are the block's center words; those at the places `shown` are named at both axes.
    """
    fig, axes = new_figure(size=(8, 3.6))
    drawn = axes.imshow(weights, cmap="Purples", aspect="auto")
    axes.axvline(num_contexts - 0.5, color=BLACK, linewidth=1)
    fig.colorbar(drawn, ax=axes, label="weight: 0 (white) does not count")
    before = (num_contexts - len(weights)) // 2
    axes.set_yticks(shown, [words[place] for place in shown])
    middles = [num_contexts // 2, (num_contexts + weights.shape[1]) // 2]
    axes.set_xticks([before + place for place in shown], [words[place] for place in shown])
    for middle, name in zip(middles, ("context words, in the order of the text", "noise words")):
        axes.text(middle, -1.2, name, ha="center", va="bottom", fontsize=9)
    label(axes, "Only a narrow band of a block's scores counts, and all of its noise words", "", "center words")
    axes.title.set_position((0.5, 1))
    axes.set_title(axes.get_title(), pad=18)
    return fig


KINDS = {  # color, marker, and where the numbers of epochs stand beside the marks: all but the last, and the last
    "blocks": (BLUE, "o", (6, -9), (6, -9)),
    "blocks with 2 workers": (ORANGE, "D", (-14, 8), (3, 9)),
    "blocks in MXNet": (GREEN, "h", (6, -9), (6, -9)),
    "gensim": (RED, "s", (6, 9), (6, 9)),
}


def quality_figure(runs, title="What vectors are worth, and the time they take"):
    """Draw what vectors are worth against the seconds from text to vectors: a mark per setting, thin bars for its seeds.

    A mark stands at the mean; its bars reach one standard deviation to each side. The number beside it is that of epochs.
    `runs` maps settings, such as "gensim, 8 epochs", to dicts with "seconds" and the correlation of each test.
    """
    fig, both = new_figure(2, (8.5, 4.2))
    kinds = {}
    for name, found in runs.items():
        kind, epochs = name.split(", ")
        kinds.setdefault(kind, []).append((epochs.split()[0], found))
    for axes, test in zip(both, [key for key in next(iter(runs.values()))[0] if key != "seconds"]):
        for kind, settings in kinds.items():
            color, marker, *sides = KINDS.get(kind, KINDS["blocks"])
            columns = [[[run[key] for run in found] for _, found in settings] for key in ("seconds", test)]
            xs, ys = ([np.mean(values) for values in column] for column in columns)
            wide, tall = ([np.std(values) for values in column] for column in columns)
            axes.hlines(ys, np.subtract(xs, wide), np.add(xs, wide), color=color, linewidth=0.8)
            axes.vlines(xs, np.subtract(ys, tall), np.add(ys, tall), color=color, linewidth=0.8)
            axes.plot(xs, ys, marker + "-", color=color, markeredgecolor=BLACK, markersize=7, label=kind)
            for number, (x, y, (epochs, _)) in enumerate(zip(xs, ys, settings), 1):
                side = sides[number == len(settings)]
                axes.annotate(epochs, (x, y), side, textcoords="offset points", va="center", fontsize=9, color=BLACK)
        axes.margins(x=0.1, y=0.1)
        label(axes, test, "seconds from text to vectors", "rank correlation with people's judgment")
    fig.legend(*both[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(kinds), frameon=False)
    fig.suptitle(title)
    return fig


def study_figure(rates, live, title):
    """Draw what the learning rate does to the vectors: a small mark per seed, a line through the means, a star for `live`.

    `rates` maps learning rates, as text, to runs with the correlation of each test, None where the training diverged; `live`
    is (learning rate, {test: correlation}). What lies right of 0.16 is cut off.
    """
    fig, both = new_figure(2, (8.5, 4))
    rate, found = live
    right = max(0.16, 1.05 * rate)
    for axes, test in zip(both, found):
        settled = {float(lr): [run[test] for run in runs] for lr, runs in rates.items() if all(run[test] is not None for run in runs)}
        diverged = [float(lr) for lr in rates if float(lr) not in settled]
        for number, (lr, values) in enumerate(settled.items()):
            axes.plot([lr] * len(values), values, "o", color=SKY, markersize=4, label="_" if number else "a seed of the study")
        means = [sum(values) / len(values) for values in settled.values()]
        axes.plot(list(settled), means, "s-", color=BLUE, label="mean of its seeds")
        if found[test] is not None:
            axes.plot(rate, found[test], "*", color=RED, markersize=13, markeredgecolor=BLACK, label="the training above")
        axes.set_xlim(0, right)
        if diverged:
            begin = (max(settled) + min(diverged)) / 2
            axes.axvspan(begin, right, color=ORANGE, alpha=0.3)
            axes.text((begin + right) / 2, 0.5, f"diverged at {min(diverged):g}", transform=axes.get_xaxis_transform(), rotation=90,
                      ha="center", va="center", fontsize=10)  # fmt: skip
        label(axes, test, "learning rate at the start", "rank correlation with people's judgment")
    fig.legend(*both[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    fig.suptitle(title)
    return fig


def seen_figure(seen):
    """Draw how many different pairs were seen after each epoch, resampled and drawn once, on one pair of axes.

    `seen` maps a kind of pair to the numbers after each epoch that is resampled; drawn once, the first stays as it is.
    """
    fig, axes = new_figure(size=(7, 4))
    for (kind, numbers), color, marker in zip(seen.items(), (BLUE, RED), "os"):
        epochs, thousands = range(1, len(numbers) + 1), np.array(numbers) / 1000
        once = np.full(len(numbers), thousands[0])
        style = {"color": color, "markersize": 5}
        axes.plot(epochs, thousands, marker + "-", **style, label=f"{kind}, resampled")
        axes.plot(epochs, once, marker + ":", **style, fillstyle="none", label=f"{kind}, drawn once")
    axes.set_ylim(0)
    axes.legend(frameon=False, loc="upper left")
    label(axes, "Resampled, each epoch brings new questions", "epochs done", "different pairs seen (thousands)")
    return fig


def two_ways_figure(losses):
    """Draw training and held-out loss by epoch, from the second on, of both ways to train: four lines on one pair of axes.

    `losses` maps "drawn once" and "resampled" to two lists, the training and the held-out losses.
    """
    fig, axes = new_figure(size=(7, 4))
    for (way, both), color, marker in zip(losses.items(), (BLUE, RED), "os"):
        for name, line, values in zip(("training", "held out"), (":", "-"), both):
            first = min(2, len(values))  # the first epoch's loss would hide the rest
            epochs = range(first, len(values) + 1)
            fill = "full" if line == "-" else "none"
            style = {"color": color, "markersize": 5, "fillstyle": fill}
            axes.plot(epochs, values[first - 1 :], marker + line, **style, label=f"{way}, {name}")
    axes.legend(frameon=False)
    label(axes, "Drawn once, the training loss falls away from the held-out loss", "epoch", "loss (nats)")
    return fig


def pmi_figure(expected, scores):
    """Draw the scores that models give to pairs of words against what counting expects, PMI - ln K, axes for each model.

    `expected` (n,) holds a number per pair, `scores` maps the name of a model to its scores (n,).
    """
    fig, panels = new_figure(len(scores), (8, 4))
    together = np.concatenate([expected, *scores.values()])
    ends = [together.min(), together.max()]
    for axes, (name, values), color in zip(panels, scores.items(), (BLUE, RED)):
        axes.plot(expected, values, "o", color=color, markersize=3, alpha=0.4, label="a pair of words")
        axes.plot(ends, ends, "--", color=BLACK, linewidth=1, label="score = PMI \u2212 ln K")
        axes.legend(frameon=False, loc="upper left")
        label(axes, name, "PMI \u2212 ln K, counted", "score of the trained model")
    fig.suptitle("With enough dimensions, scores reach PMI \u2212 ln K")
    return fig


def resampling_figure(measured, tests):
    """Draw both losses and each of `tests` against the epochs, drawn once and resampled, each mean in a band of its error.

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
    label(panels[0], "Loss (solid: held out)", "epoch", "loss (nats)")
    for axes, test in zip(panels[1:], tests):
        label(axes, test, "epoch", "rank correlation")
    fig.suptitle("Resampled, the held-out loss turns later, and more epochs pay")
    fig.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return fig


def resumed_figure(in_one_go, resumed, stopped_after):
    """Draw the loss of each step of a training in one go, and of trainings that were resumed after some of its steps.

    `in_one_go` lists all losses, `resumed` maps a name to the losses after the stop; the first of them has the whole state.
    """
    fig, axes = new_figure(size=(7, 4))
    axes.plot(range(1, len(in_one_go) + 1), in_one_go, color=BLACK, linewidth=2, label="in one go")
    styles = zip(resumed.items(), (GREEN, BLUE, RED, PURPLE), ("o", "^--", "s--", "v--"))
    for (name, losses), color, style in styles:
        steps = range(stopped_after + 1, stopped_after + 1 + len(losses))
        axes.plot(steps, losses, style, color=color, linewidth=1, markersize=6, fillstyle="none", label=name)
    axes.axvline(stopped_after + 0.5, color=BLACK, linestyle=":", linewidth=1)
    place = stopped_after + 0.5, max(in_one_go)
    axes.annotate("Ctrl-C", place, (-4, 0), textcoords="offset points", ha="right", va="top")
    axes.legend(frameon=False)
    label(axes, "Only the whole state leads back to the same losses", "training step", "loss of the minibatch (nats)")
    return fig
