"""The explorer of step 12: what its widgets answer, without a browser."""

import numpy as np
import pytest

from helpers.beyond.explorer import Explorer, places_of
from helpers.beyond.notebooks import WIDGET
from helpers.vectors import nearest, vocab_of

TOKENS = ["<unk>", *(f"w{number}" for number in range(40))]


@pytest.fixture
def explorer():
    rng = np.random.default_rng(0)
    tables = {name: rng.normal(size=(len(TOKENS), 8)).astype(np.float32) for name in ("center", "context")}
    return Explorer(tables, vocab_of(TOKENS), "w3", 4)


def test_it_answers_as_nearest_does_and_again_after_each_change(explorer):
    for word, k, table in (("w3", 4, "center"), ("w17", 4, "center"), ("w17", 9, "center"), (" w17 ", 9, "context")):
        explorer.word.value, explorer.k.value, explorer.table.value = word, k, table
        wanted = nearest([word.strip()], k, explorer.tables[table], explorer.vocab)[word.strip()]
        assert f"The {k} nearest words of {word.strip()} in the {table} table: {', '.join(wanted)}." in explorer.answer.value
        assert explorer.answer.value.count("<img ") == 1 and " alt=" in explorer.answer.value


def test_an_unknown_word_is_told_and_the_next_is_answered(explorer):
    explorer.word.value = "<b>W3"
    assert "the vocabulary of 41 words has no &#x27;&lt;b&gt;W3&#x27;" in explorer.answer.value and "<img" not in explorer.answer.value
    explorer.word.value = "w5"
    assert "nearest words of w5" in explorer.answer.value


def test_every_word_but_unk_has_one_place_and_always_the_same(explorer):
    table = explorer.tables["center"]
    places = places_of(table, explorer.vocab)
    assert list(places) == TOKENS[1:] and places == places_of(table, explorer.vocab)
    assert np.ptp(np.array(list(places.values())), axis=0).min() > 0


def test_the_picture_names_the_word_and_its_neighbors(explorer):
    fig, told = explorer.figure()
    named = {text.get_text() for text in fig.axes[1].texts}
    assert named == {"w3", *nearest(["w3"], 4, explorer.tables["center"], explorer.vocab)["w3"]} and all(word in told for word in named)


def test_where_there_are_no_widgets_a_line_stands_for_them(explorer, monkeypatch):
    shown = []
    monkeypatch.setattr("helpers.beyond.explorer.display", lambda data, raw: shown.append(data))
    explorer.show()
    assert set(shown[0]) == {WIDGET, "text/plain"} and "JupyterLab" in shown[0]["text/plain"]


def test_a_vocabulary_of_few_words_can_be_explored():
    tokens = ["<unk>", "one", "two", "three"]
    explorer = Explorer({"center": np.eye(4, dtype=np.float32)}, vocab_of(tokens), "one", 2)
    assert explorer.k.max == 2 and "2 nearest words of one" in explorer.answer.value
