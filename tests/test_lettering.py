"""Words of any script in figures: order, forms, fonts, numbers with a key; and nobody's Matplotlib settings."""

import re
import warnings

import matplotlib
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.font_manager import fontManager

from helpers.beyond import lettering
from helpers.beyond.figures import groups_figure, lengths_figure, place_figure
from helpers.beyond.lettering import LRM, drawn, lettered_figure
from helpers.drawings import cosines_figure, frames_figure, product_figure, subsampling_figure
from helpers.figures import LiveCurve, label, new_figure, numbers_of, png, show

HEBREW = "שלום", "ירושלים", "ספר"
CHINESE = "河流", "水", "山"


@pytest.fixture
def from_left(monkeypatch):
    """Matplotlib as it was before 3.11."""
    monkeypatch.setattr(lettering, "SETS_ALL_SCRIPTS", False)


@pytest.mark.parametrize("word, letters", [
    ("שלום", "\u05dd\u05d5\u05dc\u05e9"),
    ("שָׁלוֹם", "\u05dd\u05b9\u05d5\u05dc\u05b8\u05c1\u05e9"),  # marks stand before the letter that they belong to
    ("אב12ג", "ג12בא"), ("גל2024", "2024לג"), ("קוביד-19", "19-דיבוק"), ("א1.5ב", "ב1.5א"), ("ab12אב34", "ab1234בא"), ("2024גל", "2024לג"),
    ("كتاب12", "12\ufe8f\ufe8e\ufe98\ufedb"), ("ب١٫٥د", "\ufea9١٫٥\ufe8f"), ('צה"ל', 'ל"הצ'), ("(ספר),", "(רפס),"),
    ("سلام", "\ufee1\ufefc\ufeb3"),  # meem alone, lam with alef at the end, seen at the beginning
    ("كتاب", "\ufe8f\ufe8e\ufe98\ufedb"),
    ("دار", "\ufead\ufe8d\ufea9"),  # no letter joins the next
    ("گربه", "\ufeea\ufe91\ufeae\ufb94"), ("می\u200cخواهم", "\ufee2\ufeeb\ufe8d\ufeee\ufea7\ufbfd\ufee3"),
    ("river", "river"), ("река", "река"), ("co\u00adop", "coop"),
])  # fmt: skip
def test_letters_stand_in_the_order_and_the_form_in_which_they_are_read(from_left, word, letters):
    assert drawn(word) == letters


@pytest.mark.parametrize("word", ["हिन्दी", "தமிழ்", "ܫܠܡܐ", "ئۇيغۇرچە"])
def test_letters_that_only_a_newer_matplotlib_joins_are_not_drawn_apart(from_left, word):
    assert drawn(word) is None


def test_a_matplotlib_that_knows_the_order_gets_the_words_as_they_are(monkeypatch):
    monkeypatch.setattr(lettering, "SETS_ALL_SCRIPTS", True)
    assert drawn("שלום,") == f"{LRM}שלום{LRM},"
    assert drawn("גל2024") == f"{LRM}גל2024{LRM}"  # between them LRM would put the number on the wrong side


def ink(text):
    """Return the pixels of a text alone in a figure."""
    fig = lettered_figure((3, 1), None)
    fig.text(0.1, 0.3, text, fontsize=20)
    return png(fig, "").data


@pytest.mark.skipif(lettering.SETS_ALL_SCRIPTS, reason="this Matplotlib knows the order itself")
def test_the_words_of_a_list_keep_their_places(monkeypatch):
    listed = ink("near שלום: אב, גד")
    monkeypatch.setattr(lettering, "drawn", lambda word: word)
    assert listed == ink("near םולש: בא, דג")


@pytest.mark.skipif(lettering.SETS_ALL_SCRIPTS, reason="this Matplotlib knows the order itself")
def test_words_with_an_edge_of_another_color_stand_in_order_too(monkeypatch):
    def drawn_map(words):
        figure = place_figure({word: (number, number**2 % 5) for number, word in enumerate(words)}, words[0], words[1:3])
        return png(figure, "").data

    found = drawn_map([*HEBREW, "x", "y"])
    monkeypatch.setattr(lettering, "drawn", lambda word: word)
    assert found == drawn_map([*(word[::-1] for word in HEBREW), "x", "y"])


def figure_of(words):
    places = np.random.default_rng(0).normal(size=(len(words), 2))
    return groups_figure(places, {words[0]: list(words)}, f"near {words[0]}")


def test_words_that_no_font_has_are_numbers_with_a_key_under_the_figure(monkeypatch, capsys):
    monkeypatch.setattr(lettering, "family_with", lambda letter: None)
    fig = figure_of(CHINESE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        show(fig, "a map")
    told = capsys.readouterr().out
    for number, word in fig.canvas.numbers.items():
        assert f"[{word}] {number}{LRM}" in told
    assert set(fig.canvas.numbers) == set(CHINESE) and "No font here draws some words" in told
    assert fig.axes[0].texts[0].get_text() in CHINESE


@pytest.mark.parametrize("words", [HEBREW, ("سلام", "كتاب"), ("river", "река", "ποταμός")])
def test_words_whose_letters_a_font_has_need_no_key(words, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        show(figure_of(words), "a map")
    assert "No font" not in capsys.readouterr().out


def test_an_installed_font_that_has_the_letters_is_found_and_one_of_boxes_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(fontManager, "ttflist", [font for font in fontManager.ttflist if font.name.startswith("DejaVu")])
    monkeypatch.setattr(lettering, "FIRST_LETTERS", {})
    lettering.fonts_of.cache_clear()
    try:
        for name in ("Last Resort", "Rivers"):
            pen = TTGlyphPen(None)
            for point, draw in (((0, 0), pen.moveTo), ((0, 700), pen.lineTo), ((700, 0), pen.lineTo)):
                draw(point)
            pen.closePath()
            font = FontBuilder(1000, isTTF=True)
            font.setupGlyphOrder([".notdef", "letter"])
            font.setupCharacterMap({ord("河"): "letter"})
            font.setupGlyf(dict.fromkeys([".notdef", "letter"], pen.glyph()))
            font.setupHorizontalMetrics(dict.fromkeys([".notdef", "letter"], (800, 0)))
            font.setupHorizontalHeader(ascent=800, descent=-200)
            font.setupNameTable({"familyName": name, "styleName": "Regular"})
            font.setupOS2()
            font.setupPost()
            font.save(tmp_path / f"{name}.ttf")
            fontManager.addfont(str(tmp_path / f"{name}.ttf"))
        assert lettering.family_with("河") == "Rivers" and lettering.family_with("水") is None
        fig = lettered_figure((3, 1), None)
        fig.text(0.1, 0.3, "a 河河")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert png(fig, "").data != ink("a") and not fig.canvas.key
    finally:
        lettering.fonts_of.cache_clear()


def test_a_letter_that_the_bold_face_lacks_is_drawn_in_the_usual_one(monkeypatch):
    monkeypatch.setattr(lettering, "family_with", lambda letter: "DejaVu Sans")
    fig = lettered_figure((3, 1), None)
    fig.text(0.1, 0.3, "\U0001d5a0 river", weight="bold")  # DejaVu Sans has it, its bold face has not
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert png(fig, "").data and not fig.canvas.key


def test_a_character_that_can_not_be_seen_is_a_number_too():
    fig = lettered_figure((3, 1), None)
    fig.text(0.1, 0.3, "a\x1b[31m b")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png(fig, "")
    assert list(fig.canvas.numbers) == ["a\x1b[31m"]


def test_a_word_that_holds_dollars_is_no_formula():
    assert ink("$a$ $\\frac$") != ink("a")
    fig = subsampling_figure(np.array([0, 1, 10, 100]), np.array([1, 1, 0.5, 0.1]))  # its axes have powers of ten
    assert png(fig, "").data


def live_curve():
    curve = LiveCurve("Loss", "epoch", "loss (nats)", (0, 1), {"ln 2": 0.69})
    curve.add("training", 0.5, 0.6)
    return curve.fig


def own_axes():
    fig, axes = new_figure()
    axes.plot([1, 2], [3, 4], label="one")
    axes.legend()
    label(axes, "A title", "x", "y")
    return fig


FIGURES = {
    "map": lambda: figure_of(("one", "two")), "curve": live_curve, "own": own_axes, "diagram": product_figure,
    "frames": lambda: frames_figure({0: np.eye(3)[:, :2], 2: np.eye(3)[:, :2]}, {"a": ["a", "b", "c"]}),
    "cosines": lambda: cosines_figure({1: np.linspace(-0.2, 0.2, 50)}, {1: [("b", 0.5)]}, "a"),
    "lengths": lambda: lengths_figure(np.arange(1, 9), {"center": np.ones(8)}, {"a": 1}),
}  # fmt: skip
THEIRS = {
    "text.usetex": True, "font.family": "serif", "font.size": 20, "figure.dpi": 30, "figure.facecolor": "black", "lines.linewidth": 9,
    "savefig.bbox": "tight", "savefig.facecolor": "red", "axes.grid": True, "axes.labelpad": 30, "axes.spines.left": False,
    "legend.fontsize": 3, "xtick.labelsize": 30, "axes.unicode_minus": False, "image.cmap": "jet", "text.antialiased": False,
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_a_persons_matplotlib_settings_change_no_figure(name):
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        wanted = png(FIGURES[name](), "").data
        matplotlib.rcParams.update(THEIRS)
        fig = FIGURES[name]()
        matplotlib.rcParams.update(THEIRS)
        assert png(fig, "").data == wanted


def test_the_table_of_a_matrix_has_the_names_of_its_rows_and_columns_and_what_is_written_on_its_squares():
    fig, axes = new_figure()
    axes.imshow([[0.25, -0.5]])
    axes.set_xticks([0, 1], ["0.02", "0.04"])
    axes.set_yticks([0], [100])
    axes.text(0, 0, "0.418")
    label(axes, "Loss", "learning rate", "embed_size")
    rows = re.findall("<td>(.*?)</td>", numbers_of(axes))
    assert rows == ["", "0.02", "100", "0.418", "", "0.04", "100", "-0.5"]
