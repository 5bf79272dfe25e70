"""The diagrams and figures of steps 1 to 6, a function for each. A figure says one thing; `figures.show` displays it."""

import itertools
from collections import Counter

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import ConnectionPatch, FancyArrowPatch, Rectangle
from matplotlib.transforms import Bbox

from helpers.figures import BLACK, BLUE, GREEN, MARKERS, ORANGE, PURPLE, RED, SKY, label, new_figure


def text_width(text, size):
    """Return about how many inches a text takes at a font size in points."""
    return 0.57 * size * len(text) / 72 + 0.12


def diagram(width, height):
    """Make a figure for a drawing without axes, in which a unit is an inch; returns it and its axes."""
    fig, _ = new_figure(0, (width, height), None)
    axes = fig.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(0, height))
    axes.set_axis_off()
    return fig, axes


def sentence_figure(sentences, place, window, drawn):
    """Draw the first sentence with the window of the word at `place`, and the questions it gives: yes for its neighbors, no
    for the `drawn` noise words. They come from a jar that holds the words of all sentences, as large as count^0.75.
    """
    sentence, counts = sentences[0], Counter(word for words in sentences for word in words)
    fig, axes = diagram(8, 3.75)
    inside = range(max(0, place - window), min(len(sentence), place + window + 1))
    context_words = [sentence[position] for position in inside if position != place]
    left, middles = (8 - sum(text_width(word, 13) + 0.15 for word in sentence)) / 2, []
    for position, word in enumerate(sentence):
        width = text_width(word, 13)
        color = ORANGE if position == place else "#cfe6f5" if position in inside else "white"
        axes.add_patch(Rectangle((left, 2.65), width, 0.4, facecolor=color, edgecolor=BLACK))
        middles.append(left + width / 2)
        axes.text(middles[-1], 2.85, word, ha="center", va="center", fontsize=13)
        left += width + 0.15
    axes.text(middles[place], 3.1, "center", ha="center", fontsize=11, weight="bold")
    first = middles[inside[0]] - text_width(sentence[inside[0]], 13) / 2
    last = middles[inside[-1]] + text_width(sentence[inside[-1]], 13) / 2
    axes.plot([first, first, last, last], [3.3, 3.38, 3.38, 3.3], color=BLACK, linewidth=1)
    axes.text((first + last) / 2, 3.45, f"window: {window} words to each side", ha="center", fontsize=11)
    arrow = {"arrowstyle": "-|>", "color": BLUE, "linewidth": 1.5, "shrinkA": 0, "shrinkB": 0}
    for position in set(inside) - {place}:
        bend = {"connectionstyle": f"arc3,rad={-0.35 if position < place else 0.35}"}
        start = middles[place] + 0.1 * (position - place), 2.63
        axes.annotate("", (middles[position], 2.63), start, arrowprops=arrow | bend)
        white = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        beside = middles[position] + (0.2 if position > place else -0.2)  # clear of the dashed arrows
        axes.text(beside, 2.28, "yes", color=BLUE, ha="center", va="top", fontsize=11, bbox=white, zorder=5)
    axes.add_patch(Rectangle((0.15, 0.4), 7.7, 0.8, facecolor="#f4f4f4", edgecolor=BLACK))
    sizes = {word: 9 * counts[word] ** 0.75 for word in sorted(counts, key=lambda word: (-counts[word], word))}
    gap = (7.6 - sum(text_width(word, size) for word, size in sizes.items())) / len(sizes)
    left = 0.2 + gap / 2
    for word, size in sizes.items():
        width, out = text_width(word, size), word in context_words
        axes.text(left + width / 2, 0.8, word, ha="center", va="center", fontsize=size, color="#777777" if out else BLACK)
        if out:
            axes.plot([left + 0.05, left + width - 0.05], [0.77, 0.77], color=RED, linewidth=1.5)
        if word in drawn:
            dashed = arrow | {"color": RED, "linestyle": "--"}
            axes.annotate("", (left + width / 2, 0.95), (middles[place], 2.63), arrowprops=dashed)
            axes.text(left + width / 2 + 0.08, 1.28, "no", color=RED, fontsize=11)
        left += width + gap
    axes.text(0.15, 0.13, "The jar of noise words. A word's size shows its chance to be drawn. Struck out: context words of this center.")
    return fig


def subsampling_figure(counts, keep):
    """Draw each word's probability to be kept against its share of the text."""
    fig, axes = new_figure()
    order = np.argsort(counts[1:])[::-1] + 1
    axes.loglog(counts[order] / counts.sum(), keep[order], ".", color=BLUE, markersize=3)
    label(axes, "The more frequent a word, the less is kept", "share of the text (a dot is a word)", "probability to be kept")
    return fig


def minibatch_figure(minibatch, vocab):
    """Draw a small minibatch `(center, contexts_and_negatives, mask, label)` of arrays as grids, a color for each role."""
    center, words, mask, answer = minibatch
    num_rows, num_columns = words.shape
    wide, high = 0.72, 0.3
    fig, axes = diagram(wide * (num_columns + 1) + 0.72, 3 * (num_rows + 1) * high + 0.55)
    roles = {"padding": ("#e4e4e4", "#555555"), "noise word, answer no": ("#f6c9b0", BLACK), "context word, answer yes": ("#9fd0f0", BLACK)}
    role = (mask + answer).astype(int)  # 0 padding, 1 noise word, 2 context word
    top = fig.get_figheight() - 0.45
    for name, (color, _), left in zip(roles, roles.values(), (6.4, 3.6, 0.8)):
        axes.add_patch(Rectangle((left, top + 0.15), 0.25, 0.2, facecolor=color, edgecolor=BLACK))
        axes.text(left + 0.33, top + 0.25, name, va="center")
    for name, array in (("contexts_and_negatives", words), ("mask", mask), ("label", answer)):
        top -= 0.25
        axes.text(wide + 0.6, top + 0.04, f"{name} {array.shape}", family="monospace", fontsize=9)
        for (row, column), value in np.ndenumerate(array):
            color, ink = list(roles.values())[role[row, column]]
            left, bottom = wide * (column + 1) + 0.6, top - (row + 1) * high
            axes.add_patch(Rectangle((left, bottom), wide, high, facecolor=color, edgecolor="white"))
            told = f"{int(value)}" if array is not words or not value else f"{value} {vocab.to_tokens(value)}"
            axes.text(left + wide / 2, bottom + high / 2, told, ha="center", va="center", fontsize=8, color=ink)
        if array is words:
            axes.text(0.12, top + 0.04, f"center {center.shape}", family="monospace", fontsize=9)
            for row, index in enumerate(center[:, 0]):
                bottom = top - (row + 1) * high
                axes.add_patch(Rectangle((0.12, bottom), wide + 0.1, high, facecolor=ORANGE, edgecolor="white"))
                told = f"{index} {vocab.to_tokens(index)}"
                axes.text(0.17 + wide / 2, bottom + high / 2, told, ha="center", va="center", fontsize=8)
        top -= num_rows * high + 0.08
    return fig


def lookup_figure(table, ids, words):
    """Draw a table of vectors, and an arrow from each row that a lookup takes to its row of the result.

    `table` is (V, d) without negative numbers, `ids` the first row of x, `words` a name per row of the table.
    """
    fig, (whole, taken) = new_figure(2, (7.4, 3.4))
    fig.get_layout_engine().set(wspace=0.2)  # room for the arrows
    for axes, values in ((whole, table), (taken, table[ids])):
        axes.imshow(values, cmap="Blues", vmin=0, vmax=1.3 * table.max(), aspect="auto")
        for (row, column), value in np.ndenumerate(values):
            dark = value > 0.75 * table.max()
            axes.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=9, color="white" if dark else BLACK)
        axes.set(xlabel="dimension", xticks=range(table.shape[1]))
        axes.spines[:].set_visible(False)
    whole.set(title="The table: one row per word", ylabel="id and word")
    whole.set_yticks(range(len(table)), [f"{number} {word}" for number, word in enumerate(words)])
    taken.set(title="embed(x)[0]: one row per id in x[0]", ylabel="place in x, and id")
    taken.set_yticks(range(len(ids)), [f"x[0, {place}] = {row}" for place, row in enumerate(ids)])
    taken.yaxis.tick_right()
    taken.yaxis.set_label_position("right")
    empty = (len(table) - len(ids)) / 2
    taken.set_ylim(len(ids) - 0.5 + empty, -0.5 - empty)  # its rows are as high as the table's
    for row in set(ids):
        whole.add_patch(Rectangle((-0.5, row - 0.5), table.shape[1], 1, fill=False, edgecolor=RED, linewidth=2))
    for place, row in enumerate(ids):
        ends = {"xyA": (table.shape[1] - 0.5, row), "xyB": (-0.5, place), "coordsA": whole.transData, "coordsB": taken.transData}
        fig.add_artist(ConnectionPatch(**ends, arrowstyle="-|>", mutation_scale=12, color=RED, linewidth=1.5))
    return fig


def draw_cells(axes, corner, texts, cell, colors):
    """Draw rows of `texts` as cells (width, height), down from the upper left `corner`, a color per row."""
    (left, top), (width, height) = corner, cell
    for row, (line, color) in enumerate(zip(texts, colors)):
        for column, text in enumerate(line):
            place = left + column * width, top - (row + 1) * height
            axes.add_patch(Rectangle(place, width, height, facecolor=color, edgecolor="#777777", linewidth=0.8))
            axes.text(place[0] + width / 2, place[1] + height / 2, text, ha="center", va="center", fontsize=9)


def draw_arrow(axes, start, end, color=BLACK):
    """Draw an arrow between two places of a diagram."""
    axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=12, color=color, linewidth=1.5, shrinkA=0, shrinkB=0))


def skip_gram_figure(embed_v, embed_u, words, center, row, labels):
    """Draw how skip-gram answers: two tables, lookups, dot products, sigmoid, answers.

    The tables are (V, 2) arrays, `words` names their rows; `center` is an id, `row` a list of ids,
    `labels` holds 1 for a context word and 0 for a noise word.
    """
    fig, axes = diagram(9, 4.5)
    axes.set(xlim=(0, 18), ylim=(0, 9))
    pale, lit_v, lit_u = "white", "#F6C667", "#A9D3EE"
    for left, table, lit, color in ((1.2, embed_v, [center], lit_v), (14.6, embed_u, row, lit_u)):
        texts = [[f"{value:.1f}" for value in values] for values in table]
        colors = [color if number in lit else pale for number in range(len(table))]
        draw_cells(axes, (left, 7.9), texts, (0.9, 0.62), colors)
    for number, word in enumerate(words):
        height = 7.9 - (number + 0.5) * 0.62
        axes.text(1.1, height, word, ha="right", va="center", fontsize=9, weight="bold" if number == center else "normal")
        axes.text(16.5, height, word, ha="left", va="center", fontsize=9, weight="bold" if number in row else "normal")
    v, u = embed_v[center], embed_u[row]
    scores = u @ v
    chances = 1 / (1 + np.exp(-scores))
    axes.text(2.1, 8.15, "embed_v, for centers", ha="center", fontsize=10, color="#9C5A00", weight="bold")
    axes.text(17.9, 8.15, "embed_u, for context and noise words", ha="right", fontsize=10, color=BLUE, weight="bold")
    height, lit_row = 5.73, 7.9 - (center + 0.5) * 0.62
    draw_arrow(axes, (3.1, lit_row), (4.4, height), "#9C5A00")
    draw_arrow(axes, (14.5, height), (13.0, height), BLUE)
    draw_cells(axes, (4.5, height + 0.31), [[f"{value:.1f}" for value in v]], (0.9, 0.62), [lit_v])
    axes.text(5.4, height + 0.5, f"v of {words[center]}", ha="center", fontsize=9)
    axes.text(3.95, (lit_row + height) / 2 - 0.3, "look up", fontsize=9)
    axes.text(13.75, height + 0.2, "look up", ha="center", fontsize=9)
    middles = 7.5 + 0.95 * np.arange(len(row))
    draw_cells(axes, (7.0, height + 0.62), [[f"{value:.1f}" for value in line] for line in u.T], (0.95, 0.62), [lit_u] * 2)
    axes.text(6.65, height, "\u00d7", ha="center", va="center", fontsize=14)
    steps = {
        "score: the dot product": ([f"{score:.1f}" for score in scores], pale),
        "sigmoid: predicted probability of yes": ([f"{chance:.2f}" for chance in chances], pale),
        "the model's answer": (["yes" if chance > 0.5 else "no" for chance in chances], pale),
        "the answer of the text": (["yes" if label else "no" for label in labels], "#DDDDDD"),
    }
    for place, (name, (texts, color)) in enumerate(steps.items()):
        top = 3.9 - 1.02 * place
        draw_cells(axes, (7.0, top), [texts], (0.95, 0.62), [color])
        axes.text(6.8, top - 0.31, name, ha="right", va="center", fontsize=9)
        for middle in middles[: len(row) if place < 3 else 0]:
            draw_arrow(axes, (middle, height - 0.7 if place == 0 else top + 0.36), (middle, top + 0.04), "#777777")
    for middle, number in zip(middles, row):
        axes.text(middle, height + 0.72, words[number], ha="center", fontsize=9)
    for middle, chance, true in zip(middles, chances, labels):
        if (chance > 0.5) != bool(true):
            axes.add_patch(Rectangle((middle - 0.475, 1.24), 0.95, 0.62, fill=False, edgecolor=RED, linewidth=2.5))
            axes.text(7.1 + 0.95 * len(row), 1.55, "orange frame: the model is wrong", va="center", fontsize=9, color=RED)
    axes.text(9, 8.6, "Skip-gram: a row of embed_v times a row of embed_u for each word", ha="center", fontsize=12)
    return fig


def product_figure():
    """Draw the batched product of skip-gram as boxes: (1, d) times (d, L) gives (1, L), B times."""
    fig, axes = diagram(8, 2.7)
    axes.set(xlim=(0, 16), ylim=(0, 5.4))
    d, length, cell = 3, 6, (0.62, 0.62)
    blocks = [
        (0.8, 1, d, "v", "(B, 1, d)", "#F6C667"),
        (4.6, d, length, "u, its last two axes swapped", "(B, d, L)", "#A9D3EE"),
        (10.9, 1, length, "scores", "(B, 1, L)", "#CFE8D5"),
    ]
    for left, rows, columns, name, shape, color in blocks:
        top = 2.45 + rows * cell[1] / 2
        for depth in (2, 1, 0):  # the minibatch's other rows stand behind the first
            shift = 0.22 * depth
            corner = left + shift, top + shift
            draw_cells(axes, corner, [[""] * columns] * rows, cell, [color if depth == 0 else "#EEEEEE"] * rows)
        middle = left + columns * cell[0] / 2
        axes.text(middle + 0.2, 4.2, name, ha="center", fontsize=10, weight="bold")
        axes.text(middle, top - rows * cell[1] - 0.45, shape, ha="center", fontsize=10, family="monospace")
    for left, rows, columns, height in ((0.8, 1, d, 2.76), (4.6 + cell[0], d, 1, 3.38), (10.9 + cell[0], 1, 1, 2.76)):
        size = columns * cell[0], rows * cell[1]
        axes.add_patch(Rectangle((left, height - size[1]), *size, fill=False, edgecolor=RED, linewidth=2.5))
    axes.text(3.65, 2.45, "\u00d7", ha="center", va="center", fontsize=18)
    axes.text(9.85, 2.45, "=", ha="center", va="center", fontsize=18)
    told = "Orange frames: the row v times one column, the vector of one word, gives the score of that word."
    axes.text(8, 0.25, told, ha="center", fontsize=10)
    axes.text(8, 5.0, "One small product per row of the minibatch, and all B of them at once", ha="center", fontsize=12)
    return fig


def softmax_figure(num_noise_words):
    """Draw what one pair costs: the softmax over all words, beside a context word and noise words."""
    fig, axes = diagram(8.5, 4)
    shown, asked = 24, 1 + num_noise_words  # 24 stand for all V words
    axes.set(xlim=(0, 20), ylim=(-2.2, shown + 2.4))
    spots = np.linspace(0, shown - 1, asked).round().astype(int)
    yes, middle = int(spots[asked // 3]), shown / 2
    for left, sampled in ((0, False), (10, True)):
        axes.add_patch(Rectangle((left + 0.3, middle - 1.2), 2.2, 2.4, facecolor="#F6C667", edgecolor="#777777"))
        axes.text(left + 1.4, middle, "center\nword", ha="center", va="center", fontsize=9)
        for place in range(shown):
            used, height = not sampled or place in spots, shown - place - 0.5
            color = BLUE if place == yes else ORANGE if sampled else SKY
            color = color if used else "#E4E4E4"
            axes.add_patch(Rectangle((left + 5.6, height - 0.36), 1.1, 0.72, facecolor=color, edgecolor="none"))
            told = "context word" if place == yes else "noise word" if sampled else ""
            if sampled:
                told += ": yes?" if place == yes else ": no?"
            if used:
                ends = (left + 2.5, middle), (left + 5.6, height)
                axes.add_patch(FancyArrowPatch(*ends, arrowstyle="-", color=color, linewidth=1.2, shrinkA=0, shrinkB=0))
                axes.text(left + 6.9, height, told, va="center", fontsize=9)
        title = f"Negative sampling: {asked} yes/no questions" if sampled else "Softmax: which of all V words?"
        axes.text(left + 5, shown + 1, title, ha="center", fontsize=12)
        cost = f"K + 1 = {asked} dot products" if sampled else "V dot products"
        axes.text(left + 5, -1.6, cost, ha="center", fontsize=11, weight="bold")
    axes.text(6.9, middle - 4, "the V\nprobabilities\nsum to 1", va="center", fontsize=9)
    return fig


def loss_figure(derivative_at=None):
    """Draw the sigmoid beside the loss of one position; with a score `derivative_at`, the loss over its derivative there.

    All against the score, the losses for a context word (label 1) and for a noise word (label 0).
    """
    fig, _ = new_figure(0, (8.5, 3.6) if derivative_at is None else (6.5, 5))
    scores = np.linspace(-5, 5, 101)
    kinds = ((1, BLUE, "-", "label 1: a context word"), (0, RED, "--", "label 0: a noise word"))
    if derivative_at is None:
        sigmoid, loss = fig.subplots(1, 2)
        sigmoid.plot(scores, 1 / (1 + np.exp(-scores)), "-", color=BLACK, label="sigmoid")
        sigmoid.plot(0, 0.5, "o", color=BLACK, label="_")
        sigmoid.annotate("score 0: 1/2", (0, 0.5), (0.4, 0.42))
        label(sigmoid, "The sigmoid turns a score\ninto a probability", "score", "predicted probability of a context word")
        loss.plot(0, np.log(2), "o", color=BLACK, label="_", zorder=3)
        line = {"arrowstyle": "-", "shrinkB": 4}
        loss.annotate("score 0: ln 2 = 0.693", (0, np.log(2)), (0, 2.7), ha="center", arrowprops=line)
        label(loss, "A large score of the wrong sign\ncosts about its own size", "score", "loss of one position (nats)")
    else:
        loss, derivative = fig.subplots(2, 1, sharex=True)
        derivative.axhline(0, color=BLACK, linewidth=0.8, label="_")
        label(loss, "Steep where the answer is wrong, flat where it is right", "", "loss (nats)")
        label(derivative, "The derivative is predicted probability minus label", "score", "derivative of the loss")
        for y, color, style, name in kinds:
            value = 1 / (1 + np.exp(-derivative_at)) - y
            derivative.plot(scores, 1 / (1 + np.exp(-scores)) - y, style, color=color, label=name)
            derivative.plot(derivative_at, value, "o", color=color, label="_")
            name = f"{value:.4f} at score {derivative_at}"
            derivative.annotate(name, (derivative_at, value), (8, -13), textcoords="offset points", color=color)
            loss.plot(derivative_at, np.logaddexp(0, (1 - 2 * y) * derivative_at), "o", color=color, label="_")
    for y, color, style, name in kinds:
        loss.plot(scores, np.logaddexp(0, (1 - 2 * y) * scores), style, color=color, label=name)
    loss.legend(frameon=False, loc="upper center")
    return fig


def constant_figure(num_noise_words):
    """Draw the mean loss of a model that gives the same probability everywhere, against that probability, its minimum marked."""
    fig, axes = new_figure(size=(6.5, 3.6))
    share, constants = 1 / (1 + num_noise_words), np.linspace(0.005, 0.9, 180)

    def mean_loss(p):
        return -share * np.log(p) - (1 - share) * np.log(1 - p)

    axes.plot(constants, mean_loss(constants), "-", color=BLUE, label="mean loss")
    axes.plot(share, mean_loss(share), "o", color=RED, label="_")
    name = f"minimum at 1/{1 + num_noise_words}: {mean_loss(share):.4f}"
    axes.annotate(name, (share, mean_loss(share)), (0, -18), textcoords="offset points", ha="center")
    if num_noise_words > 1:
        axes.plot(0.5, np.log(2), "s", color=BLACK, label="_")
        axes.annotate("at 1/2: ln 2 = 0.6931", (0.5, np.log(2)), (12, -8), textcoords="offset points")
    axes.set(xlim=(0, 0.9), ylim=(0, None))
    label(axes, "The best constant is the share of context words", "probability given at every position", "mean loss (nats)")
    return fig


def steps_by_hand(v, u, lr, num_steps):
    """Yield a center's vector v (d,) and those of its context and its noise word u (2, d), before and after each step."""
    v, u = np.array(v, float), np.array(u, float)
    yield v, u
    for _ in range(num_steps):
        derivative = (1 / (1 + np.exp(-u @ v)) - [1, 0]) / 2
        v, u = v - lr * derivative @ u, u - lr * derivative[:, None] * v
        yield v, u


def pull_figure(v, u, lr, num_steps=100):
    """Draw what one step does to a center's vector v (2,), and where many steps lead it and the two words' vectors u (2, 2).

    u holds the vector of the context word, then that of the noise word. On the left the changes are drawn at 10 times
    their length; on the right hollow marks are before the first step, filled ones after the last.
    """
    fig, (one, many) = new_figure(2, (9, 4.8))
    names = ("v of the center", BLACK, "o"), ("u of the context word", BLUE, "s"), ("u of the noise word", RED, "^")
    way = np.array([np.vstack([v, u]) for v, u in steps_by_hand(v, u, lr, num_steps)])  # (num_steps + 1, 3, 2)
    for (name, color, marker), path in zip(names, way.transpose(1, 0, 2)):
        draw_arrow(one, (0, 0), path[0], color)
        one.plot(*path[:1].T, marker, color=color, markerfacecolor="white", label=name)
        many.plot(*path.T, "-", color=color, linewidth=1, label="_")
        many.plot(*path[:1].T, marker, color=color, markerfacecolor="white", markersize=8, label=f"{name}, before")
        many.plot(*path[[min(10, num_steps)]].T, marker, color=color, markersize=4, label="_")
        many.plot(*path[-1:].T, marker, color=color, markersize=8, label=f"{name}, after")
    pulls = -10 * lr * ((1 / (1 + np.exp(-u @ v)) - [1, 0]) / 2)[:, None] * u  # (2, 2)
    for pull, color, verb in zip(pulls, (BLUE, RED), ("pulled along u\nof the context word", "pushed against u\nof the noise word")):
        draw_arrow(one, v, v + pull, color)
        one.annotate(verb, v + pull, (-8, -4), textcoords="offset points", color=color, ha="right", va="center")
    end = v + pulls.sum(axis=0)
    draw_arrow(one, v, end, BLACK)
    one.plot(*end, "o", color=BLACK, label="v after the step")
    one.annotate("v after", end, (-8, 0), textcoords="offset points", ha="right", va="center")
    label(one, "One step pulls v toward the context word\n(changes drawn 10 times as long)", "first number of the vector", "second number")
    told = f"After {num_steps} steps the noise word lies opposite\n(small marks: after 10)"
    label(many, told, "first number of the vector", "second number")
    for axes in (one, many):
        axes.plot(0, 0, "+", color=BLACK, label="_")
        axes.set_aspect("equal", adjustable="datalim")
        axes.margins(0.15)
    handles, told = many.get_legend_handles_labels()
    fig.legend(handles, told, loc="outside lower center", ncols=3, frameon=False)
    return fig


def cosines_figure(random_cosines, neighbors, query_token):
    """Draw how cosines of random pairs spread and where a word's nearest words lie, by epoch.

    `random_cosines` is {epoch: cosines (n,)}, `neighbors` {epoch: [(word, cosine), ...]}.
    """
    fig, _ = new_figure(0, (8, 1.3 + 1.15 * len(random_cosines)))
    panels = fig.subplots(len(random_cosines), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (epoch, cosines) in zip(panels, random_cosines.items()):
        axes.hist(cosines, np.arange(-1, 1.02, 0.02), color=SKY, label="random pairs of words")
        top = axes.get_ylim()[1]
        mean = np.mean(cosines).round(2) + 0.0  # no -0.00
        limit = np.quantile(cosines, 0.99)
        axes.plot([mean, mean], [0, top], "--", color=BLACK, label="mean of random pairs")
        axes.plot([limit, limit], [0, top], "-", color=PURPLE, linewidth=2, label="99 % of random pairs lie below")
        words, places = zip(*neighbors[epoch])
        spread = np.linspace(-1, 1, len(places)) if len(places) > 1 else np.zeros(1)
        heights = (-0.16 + 0.11 * spread) * top  # equal cosines stay apart: the nearest word's mark is the lowest
        axes.plot(places, heights, "|", color=RED, markersize=4.5, markeredgewidth=2,
                  clip_on=False, label=f"near {query_token}")  # fmt: skip
        for word, place, height in zip(words, places, heights):
            axes.annotate(word, (place, height), visible=False)  # for the table
        told = f"{'..., ' if words[3:] else ''}{', '.join(words[2::-1])}"  # in the order of their marks
        axes.text(min(places) - 0.015, -0.16 * top, told, ha="right", va="center", fontsize=9,
                  color="#8A3D00")  # fmt: skip
        axes.set(ylim=(-0.32 * top, 1.05 * top), yticks=[])
        axes.spines[["top", "right", "left"]].set_visible(False)
        told = f"{when(epoch)}\nmean {mean:.2f}\n99 % below {limit:.2f}"
        axes.set_ylabel(told, rotation=0, ha="right", va="center")
    lowest = min(np.quantile(cosines, 0.001) for cosines in random_cosines.values())
    panels[-1].set(xlim=(min(-0.4, lowest), 1.02), xlabel="cosine")
    share = np.mean(cosines < min(places))
    lone = f"The nearest words of {query_token} lie above {share:.1%} of random pairs"
    fig.suptitle("First all words look alike, then they part" if len(panels) > 1 else lone)
    marks = panels[0].containers[0], *panels[0].lines
    names = "random pairs of words", "their mean", "99 % of them lie below", f"nearest words of {query_token}"
    fig.legend(marks, names, loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return fig


def when(epoch):
    """Say how far a training was: before training, after 1 epoch, after 3 epochs."""
    return "before training" if epoch == 0 else f"after {epoch} epoch{'s' if epoch > 1 else ''}"


# where a name may stand: points to the right and up, and which of its edges is meant
PLACES_OF_NAMES = (
    (0, 5, "center", "bottom"), (0, -5, "center", "top"), (7, 0, "left", "center"),
    (-7, 0, "right", "center"), (5, 3, "left", "bottom"), (-5, 3, "right", "bottom"),
    (5, -3, "left", "top"), (-5, -3, "right", "top"),
)  # fmt: skip


def draw_names(axes, places, groups, named, limit):
    """Draw groups of words on a map without axes, and the names of those of `named` that find room.

    `places` (n, 2) has the rows of the groups' words, one after another; the map reaches from
    -limit to limit. The first in `named` choose first; names of groups may stand further off.
    """
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit), xticks=[], yticks=[])
    axes.set(aspect="equal", facecolor="#F7F7F5")
    axes.spines[:].set_visible(False)
    axes.apply_aspect()  # from here on points have their final places
    words = [word for group in groups.values() for word in group]
    palette = BLUE, RED, GREEN, ORANGE, PURPLE, SKY
    colors, start = {}, 0
    for (name, group), color, marker in zip(groups.items(), itertools.cycle(palette), itertools.cycle(MARKERS)):
        xs, ys = places[start : start + len(group)].T
        start += len(group)
        size = 9 if marker == "*" else 6.5
        axes.plot(xs, ys, marker, color=color, markersize=size, markeredgecolor="white",
                  markeredgewidth=0.5, label=f"near {name}")  # fmt: skip
        colors |= dict.fromkeys(group, [0.65 * part for part in to_rgb(color)])  # darker
    marks, taken = axes.transData.transform(places), []
    for word in [*named, *(word for word in words if word not in named)]:
        place = tuple(places[words.index(word)])
        style = {"fontsize": 10, "fontweight": "bold"} if word in groups else {"fontsize": 8}
        steps = (1, 2.5, 4) if word in groups else (1,)
        sides = PLACES_OF_NAMES if word in named else ()
        for step, (x, y, across, up) in itertools.product(steps, sides):
            note = axes.annotate(word, place, (step * x, step * y), textcoords="offset points",
                                 ha=across, va=up, color=colors[word], **style)  # fmt: skip
            box = note.get_window_extent()
            hides = ((marks > box.min - 4) & (marks < box.max + 4)).all(axis=1).any()
            inside = (box.min > axes.bbox.min).all() and (box.max < axes.bbox.max).all()
            if inside and not hides and not any(box.overlaps(other) for other in taken):
                taken.append(Bbox([box.min - (4, 0), box.max + (4, 0)]))  # names stand apart
                break
            note.remove()
        else:
            axes.annotate(word, place, visible=False)  # for the table


def frames_figure(places, groups):
    """Draw the same words at several epochs, {epoch: places (n, 2)}, in panels of one scale.

    `groups` {word: words} names the groups in the order of the rows. The last panel has the names
    of all words for which there is room, the others those of the groups; the table has all of them.
    """
    columns = min(2, len(places))
    rows = -(-len(places) // columns)
    height = 0.4 + (4.95 * rows if columns > 1 else 9)
    fig, _ = new_figure(0, (9.5, height), None)
    margins = {"left": 0.01, "right": 0.99, "bottom": 0.01, "top": 1 - 0.75 / height}
    margins |= {"wspace": 0.03, "hspace": 0.08}
    panels = fig.subplots(rows, columns, squeeze=False, gridspec_kw=margins).ravel()
    in_turn = [word for words in itertools.zip_longest(*groups.values()) for word in words if word]
    limit = 1.06 * max(np.abs(found).max() for found in places.values()) + 1e-9
    for axes, (epoch, found) in zip(panels, places.items()):
        axes.set_title(when(epoch), fontsize=11)
        draw_names(axes, found, groups, in_turn if epoch == max(places) else list(groups), limit)
    for axes in panels[len(places) :]:
        axes.remove()
    several = "First all words draw together, then they find their groups"
    lone = "Words on a map made from their cosines"
    fig.suptitle(several if columns > 1 else lone, fontsize=13)
    return fig
