"""A word, its neighbors and their places on a map, with widgets. Taught nowhere; for `12_evaluation`."""

import base64
import html

import ipywidgets as widgets
import numpy as np
from IPython.display import display

from helpers.arguments import require_query
from helpers.beyond.figures import place_figure
from helpers.beyond.notebooks import WIDGET
from helpers.figures import png
from helpers.vectors import nearest, unit_rows

MOST = 20


def place_by_pca(rows):
    """Place rows (n, d) on a map (n, 2) by the two directions in which they differ most; returns it and the share that it keeps.

    Source: Pearson 1901, https://doi.org/10.1080/14786440109462720.
    """
    from sklearn.decomposition import PCA

    pca = PCA(2, svd_solver="full")
    with np.errstate(invalid="ignore"):  # rows that are all alike keep 0 of 0
        places = pca.fit_transform(np.pad(rows, ((0, 0), (0, 1))))  # a table of one column has no second direction
    return places, float(np.nan_to_num(pca.explained_variance_ratio_).sum())


def places_of(table, vocab):
    """Place every word on a plane by the two directions in which its unit vectors differ most; returns {word: (x, y)}."""
    return dict(zip(vocab.idx_to_token[1:], map(tuple, place_by_pca(unit_rows(table)[1:])[0])))


class Explorer:
    """Ask for a word's neighbors with widgets: the word, how many, and which of `tables`, {name: (V, d)}."""

    def __init__(self, tables, vocab, query_token, k):
        self.tables, self.vocab = tables, vocab
        self.places = {name: places_of(table, vocab) for name, table in tables.items()}
        self.word = widgets.Text(value=query_token, description="word", continuous_update=False)
        self.k = widgets.IntSlider(k, 1, max(1, min(MOST, len(vocab) - 2)), description="k")
        self.table = widgets.Dropdown(options=list(tables), description="table")
        self.answer = widgets.HTML()
        for control in (self.word, self.k, self.table):
            control.observe(self.update, "value")
        self.update()

    def neighbors(self):
        """Return the word and the neighbors that are asked for; LookupError if the word is unknown."""
        word = self.word.value.strip()
        require_query(word, self.k.value, self.vocab)
        return word, nearest([word], self.k.value, self.tables[self.table.value], self.vocab)[word]

    def figure(self):
        """Return the picture of what is asked for, and the sentence that describes it."""
        word, neighbors = self.neighbors()
        alt = f"The {len(neighbors)} nearest words of {word} in the {self.table.value} table: {', '.join(neighbors)}."
        return place_figure(self.places[self.table.value], word, neighbors), alt

    def update(self, *_):
        """Show the answer, or the error."""
        try:
            fig, alt = self.figure()
        except LookupError as error:
            self.answer.value = f"<p>{html.escape(error.args[0])}</p>"
            return
        image, alt = png(fig, alt), html.escape(alt)
        source = f"data:image/png;base64,{base64.b64encode(image.data).decode()}"
        drawn = f'<img width="{image.width}" style="max-width: 100%" alt="{alt}" src="{source}">'
        self.answer.value = f'<p style="white-space: normal">{alt}</p>{drawn}'

    def show(self):
        """Display the widgets; where there are none, a line that says where they are."""
        box = widgets.VBox([widgets.HBox([self.word, self.k, self.table]), self.answer])
        live = box._repr_mimebundle_()[WIDGET]
        instead = "(Run this notebook in JupyterLab to type words here. The picture above shows the first.)"
        display({WIDGET: live, "text/plain": instead}, raw=True)
