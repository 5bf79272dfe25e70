"""What step 17 draws: a Huffman tree, scores against counts, the cost of a pair."""

import numpy as np

from helpers.beyond.family_counts import huffman_tree, path_to
from helpers.drawings import diagram
from helpers.figures import BLACK, BLUE, GREEN, MARKERS, ORANGE, RED, SKY, label, new_figure


def tree_figure(words, counts):
    """Draw the Huffman tree of a few words: leaves with word and count, inner nodes with the sum of the counts below them."""
    above = huffman_tree(counts)
    paths = [path_to(word, above) for word in range(len(words))]
    depth = max(map(len, paths))
    order = sorted(range(len(words)), key=lambda word: [-turn for _, turn in paths[word]])  # from left to right
    below, places = {}, {}
    for column, word in enumerate(order):
        places[word] = column, depth - len(paths[word])
        for node, _ in paths[word]:
            below.setdefault(node, []).append(word)
    for node in sorted(below):  # children have lower numbers
        children = [child for child, (parent, _) in above.items() if parent == node]
        height = depth - next(place for place, step in enumerate(paths[below[node][0]]) if step[0] == node)
        places[node] = np.mean([places[child][0] for child in children]), height
    fig, axes = diagram(8, 0.8 * depth + 0.9)
    axes.set(xlim=(-0.6, len(words) - 0.4), ylim=(-0.5, depth + 0.4))
    for child, (parent, turn) in above.items():
        (x, y), (above_x, above_y) = places[child], places[parent]
        axes.plot([above_x, x], [above_y, y], color=BLACK, linewidth=1, zorder=1)
        axes.text((above_x + x) / 2, (above_y + y) / 2 + 0.05, "left" if turn > 0 else "right", fontsize=9, ha="center", va="bottom",
                  backgroundcolor="white")  # fmt: skip
    for node, (x, y) in places.items():
        told = f"{words[node]}\n{counts[node]}" if node < len(words) else f"{sum(counts[word] for word in below[node])}"
        look = {"boxstyle": "round" if node < len(words) else "circle", "facecolor": SKY if node < len(words) else "#dddddd"}
        axes.text(x, y, told, ha="center", va="center", fontsize=11, bbox=look, zorder=2)
    return fig


def shared_figure(panels, title, most=2000):
    """Draw what trained scores are against what counting says, axes for each objective; returns the figure and the correlations.

    `panels` maps objectives to (counted (n,), trained (n,), the name of what is counted, the name of what was trained). At most
    `most` pairs are drawn, at random; the correlations are those of all.
    """
    fig, grid = new_figure(1, (8.5, 7.5))
    grid.remove()
    found = {}
    for axes, (name, (counted, trained, *names)) in zip(fig.subplots(2, 2).flat, panels.items()):
        found[name] = float(np.corrcoef(counted, trained)[0, 1])
        some = np.random.default_rng(0).permutation(len(counted))[:most]
        low, high = np.quantile(trained, (0.001, 0.999))
        axes.plot(counted[some], trained[some], "o", color=BLUE, markersize=2.5, markeredgewidth=0, alpha=0.4, label="a pair of words")
        ends = [min(counted.min(), low), max(counted.max(), high)]
        axes.plot(ends, ends, "--", color=BLACK, linewidth=1.5, label="equal")
        axes.set(xlim=(counted.min() - 0.2, counted.max() + 0.2), ylim=(low - 0.5, high + 0.5))
        label(axes, f"{name}: correlation {found[name]:.2f}", *names)
        axes.title.set_fontsize(11)
    fig.suptitle(title)
    fig.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, markerscale=3)
    return fig, found


def costs_figure(sizes, seconds, products, title):
    """Draw the seconds that a pair takes against the size of the vocabulary: measured as marks, the formula as a dashed line.

    `seconds` and `products` map objectives to (n,), the second to the number of dot products; a line is scaled by the median ratio.
    """
    fig, axes = new_figure(size=(7.5, 4.5))
    for (name, values), color, marker in zip(seconds.items(), (RED, ORANGE, GREEN), MARKERS):
        microseconds = 1e6 * np.array(values)
        formula = np.array(products[name]) * np.median(microseconds / products[name])
        axes.loglog(sizes, formula, "--", color=color, linewidth=1.2, label=f"_{name}, by the formula")
        axes.loglog(sizes, microseconds, marker, color=color, markersize=7, label=name)
    axes.loglog([], [], "--", color=BLACK, linewidth=1.2, label="in proportion to the dot products")
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    label(axes, title, "words in the vocabulary (logarithmic)", "microseconds for a pair (logarithmic)")
    fig.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return fig
