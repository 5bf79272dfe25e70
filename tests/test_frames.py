"""The map in frames and the cosines by epoch: places that are turned and never stretched, names that overlap nothing."""

import itertools

import numpy as np
import pytest
from matplotlib.text import Annotation
from scipy.spatial.distance import pdist

from helpers.drawings import cosines_figure, frames_figure, when
from helpers.examples import Vocab
from helpers.figures import numbers_of
from helpers.vectors import find_vectors, kept_path, map_groups, map_in_frames, place_frames, place_on_map, save_vectors


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
    return map_groups("word7", vocab, frames[5])


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
        assert [note.get_text() for note in axes.texts if note.get_visible()] == ["..., digital, computer, intel"]
    for axes, found in zip(fig.axes, cosines.values()):
        (line,) = [line for line in axes.lines if line.get_label() == "99 % of random pairs lie below"]
        assert (found < line.get_xdata()[0]).mean() == pytest.approx(0.99, abs=0.002) and len(set(line.get_xdata())) == 1
        assert f"99 % below {np.quantile(found, 0.99):.2f}" in axes.get_ylabel()
    assert "99 % of them lie below" in [text.get_text() for text in fig.legends[0].get_texts()]
    assert len(cosines_figure({5: cosines[3]}, {5: neighbors[3][:1]}, "chip").axes) == 1


def test_an_epoch_is_said_in_words():
    assert [when(epoch) for epoch in (0, 1, 3)] == ["before training", "after 1 epoch", "after 3 epochs"]


@pytest.fixture
def asked(model, small_text, monkeypatch, tmp_path):
    """A function that asks for the vectors of a small text, with an empty cache folder; and where they are kept."""
    monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path))
    framework = model.__name__.rpartition("_")[2]
    data_iter, vocab = model.load_data(str(small_text), 256, 5, 5)
    path = kept_path(framework, data_iter.settings | {"embed_size": 8, "lr": 0.01, "num_epochs": 2})

    def find(**given):
        return find_vectors(framework, data_iter, vocab, 8, 0.01, 2, 0, **given)

    return find, path


def test_vectors_that_are_not_kept_are_trained_as_in_step_five_and_kept_ones_are_taken(asked, model, monkeypatch, capsys):
    find, path = asked
    made, query_token = find()
    assert "they are trained now" in capsys.readouterr().out
    assert sorted(made.frames) == [0, 1, 2] and made.settings["num_epochs"] == 2 and query_token in made.tokens
    np.testing.assert_array_equal(made.frames[2], made.embed_v)
    save_vectors(path, *made)
    monkeypatch.setattr(model, "train", None)  # whoever trains now fails
    found, _ = find()
    assert "trained in step 5 with these settings" in capsys.readouterr().out
    for name in ("embed_v", "embed_u"):
        np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
    assert found.tokens == made.tokens and list(found.frames) == [0, 1, 2]


def test_the_word_is_checked_before_anything_is_trained(asked, model, monkeypatch):
    find, _ = asked
    monkeypatch.setattr(model, "train", None)
    with pytest.raises(LookupError, match="has no 'markt'"):
        find(query_token="markt")
    with pytest.raises(ValueError, match="k must be at most"):
        find(k=10**6)


def test_a_file_that_is_named_is_taken_as_it_is_with_its_own_words(asked, tmp_path):
    find, _ = asked
    tables = np.random.default_rng(0).normal(size=(2, 4, 5)).astype(np.float32)
    save_vectors(tmp_path / "named.safetensors", *tables, ["<unk>", "computer", "other", "third"], {"corpus": "wikipedia", "num_epochs": 7})
    found, query_token = find(vectors_path=tmp_path / "named.safetensors")
    assert query_token == "computer" and found.settings["corpus"] == "wikipedia" and list(found.frames) == [7]
    np.testing.assert_array_equal(found.frames[7], tables[0])
    save_vectors(tmp_path / "one.safetensors", tables[0], None, ["<unk>", "computer", "other", "third"], {})
    with pytest.raises(ValueError, match="holds one table only"):
        find(vectors_path=tmp_path / "one.safetensors")


def test_the_map_takes_its_words_from_the_last_table(frames, vocab, groups):
    fig, found = map_in_frames("word7", vocab, {0: frames[0], 5: frames[5]}, seed=0)
    assert found == groups and len(fig.axes) == 2


def test_a_map_has_room_for_more_groups_than_there_are_colors():
    groups = {f"w{number}": [f"w{number}"] for number in range(9)}
    fig = frames_figure({0: np.random.default_rng(0).normal(size=(9, 2))}, groups)
    assert len(fig.axes[0].lines) == 9
