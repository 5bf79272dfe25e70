""" "Press play", without a browser: the text that it trains on comes back as it was, and its pages name all that they need."""

import json
import re

import numpy as np
import pytest

from book.play_text import HERE, PAGE, pack_ids, play_text, press_play
from helpers.corpus import Sentences, Text
from helpers.examples import Vocab, encode

TEXT = Text("toy", Sentences(["a b c a rare", "b b a a", "only unknown words", "c c a"]), Sentences(["a b seldom", "c a"]))
FILES = {path.name: path.read_text(encoding="utf-8") for path in HERE.iterdir()}


def unpacked(packed):
    """The ids in what `pack_ids` returns, read as its docstring says."""
    return [ord(letter) - 32 for letter in packed]


def test_ids_come_back_without_unknown_words_and_with_a_zero_around_each_sentence():
    ids = np.array([1, 0, 127, 128, 2, 32767, 0, 256])
    sentence = np.array([0, 0, 0, 0, 1, 1, 2, 3])
    assert unpacked(pack_ids(ids, sentence)) == [0, 1, 127, 128, 0, 2, 32767, 0, 0, 256, 0]


def test_the_script_holds_the_words_and_both_parts_of_the_text():
    head, _, told = play_text(TEXT, min_freq=2).partition(" = ")
    text = json.loads(told.removesuffix(";\n"))
    vocab = Vocab(TEXT.sentences, 2)
    assert head == "PRESS_PLAY_TEXT"
    assert ["<unk>", *text["words"].split(" ")] == vocab.idx_to_token
    for part, sentences in (("train", TEXT.sentences), ("heldOut", TEXT.held_out)):
        ids, _ = encode(sentences, vocab)
        assert [number for number in unpacked(text[part]) if number] == [number for number in ids if number]


def test_a_text_that_is_too_large_for_a_page_is_refused():
    many = Sentences([" ".join(f"word{number}" for number in range(2**15)) + " again" * 3])
    with pytest.raises(ValueError, match="a page takes 32,768: choose a higher min_freq"):
        play_text(Text("many", many, many), 1)
    long = Sentences(["again " * 1_000_000])
    with pytest.raises(ValueError, match="a page may load 900,000"):
        play_text(Text("long", long, long), 1)


@pytest.mark.parametrize("to_top", ["", "../"])
def test_what_embeds_it_names_each_file_from_where_the_page_stands(to_top):
    embedded = press_play(to_top)
    found = re.findall(r'(?:src|href)="([^"]+)"', embedded)
    ours = {target for target in found if "_static" in target}
    assert ours == {f"{to_top}_static/play/{name}" for name in ("trainer.js", "page.js", "play.css", "words_in_frames.png")}
    links = set(found) - ours
    assert "JavaScript" in embedded and all(link.startswith((f"{to_top}steps/", "https://")) for link in links)


def test_license_and_attribution_stand_where_the_text_is_loaded():
    assert re.search(r"Wikipedia.*authors.*Changed: .*creativecommons\.org/licenses/by-sa/3\.0", press_play(""))


def test_nothing_in_scripts_and_style_asks_for_what_lies_elsewhere():
    for name, source in FILES.items():
        addresses = set(re.findall(r"https?://[^\s\"'`)]+", re.sub(r"Source: \S+ \d+, \S+", "", source)))
        assert addresses <= {"http://www.w3.org/2000/svg"}, name
        assert not re.search(r"\b(fetch|XMLHttpRequest|sendBeacon|WebSocket|import)\b *\(", source), name


def test_the_steps_that_the_page_links_to_exist():
    steps = {path.stem for path in (HERE.parents[1] / "notebooks").rglob("*.ipynb")}
    linked = re.findall(r"steps/(\w+)\.(?:html|md)", FILES["play.html"] + PAGE)
    assert len(linked) >= 5 and set(linked) <= steps
