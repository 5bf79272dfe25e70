"""The map in frames and the cosines by epoch: places that are turned and never stretched, names that overlap nothing."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Annotation
from scipy.spatial.distance import pdist

from helpers.examples import Vocab
from helpers.figures import cosines_figure, frames_figure, numbers_of, when
from helpers.vectors import map_groups, place_frames, place_on_map


@pytest.fixture(scope="module")
def frames():
    """Tables of 60 words at four epochs, from chance to groups around six directions."""
    rng = np.random.default_rng(0)
    directions, own, shared = rng.normal(size=(6, 20)), rng.normal(size=(61, 20)), rng.normal(size=20)
    groups = directions[np.arange(61) % 6]
    tables = {0: own, 1: own + 9 * shared, 3: own + groups + 2 * shared, 5: own + 3 * groups}
    return {epoch: table.astype(np.float32) for epoch, table in tables.items()}


@pytest.fixture(scope="module")
def vocab():
    return Vocab([[f"word{number}" for number in range(60)]])


@pytest.fixture(scope="module")
def groups(frames, vocab):
    return map_groups("word7", vocab, frames[5], group_size=8)


@pytest.fixture(scope="module")
def places(frames, vocab, groups):
    return place_frames(frames, vocab[[word for words in groups.values() for word in words]], seed=0)


def test_each_frame_is_the_map_of_its_epoch_turned_or_mirrored_onto_the_last(frames, vocab, groups, places):
    rows = vocab[[word for words in groups.values() for word in words]]
    for epoch, found in places.items():
        np.testing.assert_allclose(pdist(found), pdist(place_on_map(frames[epoch], rows, 0)), rtol=1e-6)
        np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
        turned = [found @ [[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in np.linspace(0, 2 * np.pi, 50)]
        mirrored = [one * (-1, 1) for one in turned]
        least = min(np.linalg.norm(one - places[5]) for one in turned + mirrored)
        assert np.linalg.norm(found - places[5]) <= least + 1e-9


def test_a_turned_and_mirrored_frame_comes_back(monkeypatch):
    rng = np.random.default_rng(0)
    last = rng.normal(size=(9, 2))
    given = {1: last @ [[0.6, -0.8], [-0.8, -0.6]] + 3, 2: last}
    monkeypatch.setattr("helpers.vectors.place_on_map", lambda table, rows, seed: given[table])
    found = place_frames({1: 1, 2: 2}, None, 0)
    np.testing.assert_allclose(found[1], found[2], atol=1e-9)


def drawn_names(axes):
    return [note for note in axes.texts if isinstance(note, Annotation) and note.get_visible()]


@pytest.mark.parametrize("epochs", [(0, 1, 3, 5), (0, 1, 2), (0, 1), (5,)])
def test_names_hide_no_name_and_no_point_and_the_table_has_them_all(places, groups, epochs):
    some = {epoch: places.get(epoch, places[3]) for epoch in epochs}
    fig = frames_figure(some, groups)
    words = [word for group in groups.values() for word in group]
    assert len(fig.axes) == len(epochs)
    assert len({(axes.get_xlim(), axes.get_ylim()) for axes in fig.axes}) == 1
    fig.draw_without_rendering()
    for axes, found in zip(fig.axes, some.values()):
        assert not axes.get_xticks().size and not axes.get_xlabel() and not axes.get_ylabel()
        boxes = [note.get_window_extent() for note in drawn_names(axes)]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
        marks = axes.transData.transform(found)
        assert not any(box.contains(*mark) for box in boxes for mark in marks)
        assert all(axes.bbox.contains(*corner) for box in boxes for corner in box.corners())
        assert all(f"<td>{word}</td>" in numbers_of(axes) for word in words)
    names = [note.get_text() for note in drawn_names(fig.axes[-1])]
    assert set(groups) <= set(names) and (5 not in epochs or len(names) > 0.7 * len(words))
    if len(epochs) > 1:
        assert set(note.get_text() for note in drawn_names(fig.axes[0])) <= set(groups)


def test_words_on_one_place_are_named_once_each_at_most():
    groups = {"one": ["one", "two"], "other": ["other", "more"]}
    fig = frames_figure({0: np.zeros((4, 2)), 1: np.zeros((4, 2))}, groups)
    for axes in fig.axes:
        boxes = [note.get_window_extent() for note in drawn_names(axes)]
        assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_the_cosines_by_epoch_have_a_panel_each_and_all_numbers(frames):
    rng = np.random.default_rng(0)
    cosines = {epoch: np.clip(rng.normal(0.2 * epoch, 0.1, 500), -1, 1) for epoch in (0, 1, 3)}
    neighbors = {epoch: [("intel", 0.9), ("computer", 0.8), ("digital", 0.7), ("bugs", 0.6)] for epoch in cosines}
    fig = cosines_figure(cosines, neighbors, "chip")
    assert len(fig.axes) == 3 and len({axes.get_xlim() for axes in fig.axes}) == 1
    for axes in fig.axes:
        table = numbers_of(axes)
        assert all(f"<td>{word}</td><td>{cosine:.4g}</td>" in table for word, cosine in neighbors[0])
        assert [note.get_text() for note in axes.texts if note.get_visible()] == ["intel, computer, digital, ..."]
    assert len(cosines_figure({5: cosines[3]}, {5: neighbors[3][:1]}, "chip").axes) == 1


def test_an_epoch_is_said_in_words():
    assert [when(epoch) for epoch in (0, 1, 3)] == ["before training", "after 1 epoch", "after 3 epochs"]
