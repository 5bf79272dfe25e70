"""The page "Press play": its text, an excerpt of Wikipedia that no page of the repository may hold, and the HTML that embeds it."""

import html
import json
import shutil
from pathlib import Path

from helpers.arguments import whole_file
from helpers.beyond.notebooks import NOTEBOOKS
from helpers.corpus import read_corpus
from helpers.examples import Vocab, encode

HERE = Path(__file__).resolve().parent / "play"
POSTER = NOTEBOOKS / "words_in_frames.png"
MIN_FREQ = 10
MOST_BYTES = 900_000  # of the text's file: a reader loads it with the first press
FIRST = 32  # the letter of id 0
MOST_IDS = 2**15  # so that no letter is half of a surrogate pair

ALT = (
    "Six groups of words on a map, before training, after one epoch, after three and after five: first all crowd together, "
    "then each finds its place."
)
ATTRIBUTION = (
    'The text: 106 articles of the English <a href="https://en.wikipedia.org/">Wikipedia</a> as of May 2016, in the copy that '
    '<a href="https://radimrehurek.com/gensim/">gensim</a> carries; written by the authors whom the history of each article names. '
    "Changed: lower case, without punctuation, and without the words that occur fewer than 10 times. License: "
    '<a href="https://creativecommons.org/licenses/by-sa/3.0/">CC BY-SA 3.0</a>, for the original and for the text that is loaded here.'
)
PAGE = """# Press play: words find their places

An excerpt of Wikipedia, 430,000 words, and nothing is learned yet. Press Play: your browser trains skip-gram with negative sampling on
it, from nothing, in less than a minute. Subsampling, windows, noise words and loss are those of steps 1 to 4. Three things differ from
[step 5](steps/05_training.md): each training step takes one context word and its noise words, by plain gradient descent; every pass draws
the examples again, as in [step 10](steps/10_dynamic_sampling.md); and a vector has 32 numbers.
"""


def pack_ids(ids, sentence):
    """Return what `encode` returns as a string, in which the letter of an id is chr(32 + id): no id is a control character.

    Unknown words, whose id is 0, are dropped, and a 0, which is a blank, stands before, between and after the sentences.
    """
    packed, before = [FIRST], None
    for word, number in zip(ids.tolist(), sentence.tolist()):
        if number != before:
            packed += [FIRST] if len(packed) > 1 else []
            before = number
        packed += [FIRST + word] if word else []
    return "".join(map(chr, [*packed, FIRST]))


def play_text(text, min_freq):
    """Return a Text of `read_corpus` as a script that sets PRESS_PLAY_TEXT, for trainer.js. Raises ValueError if it is too large."""
    vocab = Vocab(text.sentences, min_freq)
    if len(vocab) > MOST_IDS:
        raise ValueError(f"corpus {text.name} has {len(vocab):,} words, and a page takes {MOST_IDS:,}: choose a higher min_freq")
    parts = {name: pack_ids(*encode(part, vocab)) for name, part in (("train", text.sentences), ("heldOut", text.held_out))}
    script = f"PRESS_PLAY_TEXT = {json.dumps({'words': ' '.join(vocab.idx_to_token[1:]), **parts}, ensure_ascii=False)};\n"
    size = len(script.encode("utf-8"))
    if size > MOST_BYTES:
        raise ValueError(f"corpus {text.name} takes {size:,} bytes, and a page may load {MOST_BYTES:,}: choose a higher min_freq")
    return script


def press_play(to_top):
    """Return Markdown that embeds the training in a page; `to_top` leads from there to the book's first page, as in "../"."""
    files = f"{to_top}_static/play"
    controls = (HERE / "play.html").read_text(encoding="utf-8").replace("BOOK/", to_top)
    return f"""```{{raw}} html
<link rel="stylesheet" href="{files}/play.css">
<div class="press-play">
<div class="poster"><img src="{files}/{POSTER.name}" alt="{html.escape(ALT)}">
<p>Here a training runs in your browser. It needs JavaScript, and a browser of 2022 or later. The picture shows step 5's training.</p></div>
{controls}</div>
<p class="press-play-license">{ATTRIBUTION}</p>
<script defer src="{files}/trainer.js"></script>
<script defer src="{files}/page.js"></script>
```"""


def write_play(folder):
    """Write all that `press_play` names into `folder`/play: scripts, style, poster, and the text, from gensim's file."""
    folder = Path(folder) / "play"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (*HERE.glob("*.js"), *HERE.glob("*.css"), POSTER):
        shutil.copy(path, folder)
    with whole_file(folder / "text.js") as temporary:
        temporary.write_text(play_text(read_corpus("wikipedia"), MIN_FREQ), encoding="utf-8")
