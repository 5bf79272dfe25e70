"""From the bytes of a file to numbered words, many times as fast as word by word: the words are those of `helpers.beyond.words`."""

import collections
import gzip
import io
import itertools
import math
import re

import numpy as np

from helpers.beyond.texts import LONGEST_PART, damage_told, is_packed, is_turkish_text, no_text, parts_of_lines
from helpers.beyond.words import speller, word_finder

BLOCK_BYTES = 2**18  # of text at once: enough for NumPy, few enough for a cache
BOM = b"\xef\xbb\xbf"
MOST_REMEMBERED = 2**18  # tokens with characters beyond ASCII
KEY_BYTES = 16  # a longer word is looked up in the dict
TABLE_BITS = 20
MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xC2B2AE3D27D4EB4F)  # odd numbers without a pattern
MASKS = np.array([2 ** (8 * length) - 1 for length in range(9)], np.uint64)
KEPT = {*b"abcdefghijklmnopqrstuvwxyz_\n", *range(128, 256)}  # beyond ASCII only words are left, when it comes to bytes
LETTERS = bytes(byte if byte in KEPT else ord(" ") for byte in bytes(range(256)).lower())
OUTSIDE = re.compile(rb"(?<![a-z_\x80-\xff])_+|(?<!_)_+(?![a-z_\x80-\xff])")  # what of _ stands between no two letters
SPACES = bytes(ord(" ") if byte < 128 and chr(byte).isspace() and byte != ord("\n") else byte for byte in range(256))


class Stretch(io.RawIOBase):
    """At most `size` bytes of an open binary file, from where it stands; `put_back(data)` lets them be read again."""

    def __init__(self, file, size=math.inf):
        self.file, self.left, self.again = file, size, b""

    def readable(self):
        return True

    def put_back(self, data):
        self.again = data + self.again

    def readinto(self, memory):
        size = len(memory)
        if self.again:
            data, self.again = self.again[:size], self.again[size:]
        else:
            data = self.file.read(min(size, self.left))
            self.left -= len(data)
        memory[: len(data)] = data
        return len(data)


def blocks_of_lines(stretch, path):
    r"""Yield whole lines in blocks of bytes, each line with \n at its end; from a very long line on as `parts_of_lines` has them."""
    rest = b""
    while data := stretch.read(BLOCK_BYTES):
        data = rest + data
        lines, rest = data[: (end := data.rfind(b"\n") + 1)], data[end:]
        if len(rest) >= LONGEST_PART or len(lines) >= LONGEST_PART:
            stretch.put_back(data)
            yield from _blocks_of_parts(stretch, path)
            return
        if lines:
            yield _plain_ends(lines)
    if rest:
        yield _plain_ends(rest + b"\n")


def _plain_ends(lines):
    return lines.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in lines else lines


def _blocks_of_parts(stretch, path):
    parts, size = [], 0
    for part in parts_of_lines(io.TextIOWrapper(io.BufferedReader(stretch), "utf-8"), path, math.inf):
        parts.append(part if part.endswith("\n") else part + "\n")
        size += len(part)
        if size >= BLOCK_BYTES:
            yield "".join(parts).encode()
            parts, size = [], 0
    yield "".join(parts).encode()


class Tokenizer(dict):
    """Turn a block of lines into its words, with spaces between: `tokenizer.words_of(lines)`. Both are bytes.

    ASCII goes through a table of bytes. Of other lines, each token with a character beyond ASCII is looked up: the dict
    remembers what was found in it. With the split "whitespace" tokens are words.
    """

    def __init__(self, split="letters", turkish=False):
        self.split, self.turkish = split, turkish
        self.find, self.spell = word_finder(split), speller(turkish)

    def __missing__(self, token):
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        return self.setdefault(token, " ".join(self.find(token)))

    def words_of(self, lines):
        if self.split == "whitespace":
            return self._with_lines(lines, lambda text: text, " ".join).translate(SPACES)
        lines = self._with_lines(lines, self.spell, self._with_words_alone).translate(LETTERS)
        return OUTSIDE.sub(b" ", lines) if b"_" in lines else lines

    def _with_lines(self, lines, spell, joined):
        """Put in place of each line that is not ASCII its tokens, joined; those of Turkish have another I."""
        if lines.isascii() and not self.turkish:
            return lines
        lines = lines.split(b"\n")
        places = [place for place, line in enumerate(lines) if self.turkish or not line.isascii()]
        text = spell(b"\n".join([lines[place] for place in places]).decode())  # it does not look beyond the end of a line
        for place, line in zip(places, text.split("\n")):
            lines[place] = joined(line.split()).encode()
        return b"\n".join(lines)

    def _with_words_alone(self, tokens):
        return " ".join([token if token.isascii() else self[token] for token in tokens])


class Numbering:
    """Number words 1, 2, 3, ... as they come: `numbering(text)` returns the numbers, and where the sentences end.

    `words` lists those that have a number, in that order. Most are found by NumPy, in a table with a place for some of
    the words of up to KEY_BYTES; for the others Python asks a dict.
    """

    def __init__(self):
        self.numbers = collections.defaultdict(itertools.count(1).__next__)
        self.keys, self.found = np.zeros((2, 2**TABLE_BITS), np.uint64), np.zeros(2**TABLE_BITS, np.uint32)

    @property
    def words(self):
        return list(self.numbers)

    def __call__(self, text):
        r"""`text` is bytes: words with spaces between, each line with \n at its end.

        Returns the numbers (n,) uint32, and for each line with words how many stand up to its end.
        """
        text = b" " + text + bytes(KEY_BYTES)  # so that 16 bytes can be read from where any word begins
        places = np.frombuffer(text, np.uint8)[:-KEY_BYTES]
        is_word = (places != 32) & (places != 10)
        edges = np.flatnonzero(is_word[1:] != is_word[:-1]) + 1
        first, last = edges[::2], edges[1::2]
        ends = np.searchsorted(first, np.flatnonzero(places == 10))
        return self._numbers_of(text, first, last), ends[np.diff(ends, prepend=0) > 0]

    def _numbers_of(self, text, first, last):
        key, more = _keys_of(text, first, last - first)
        place = ((key ^ more * MIX[1]) * MIX[0] >> np.uint64(64 - TABLE_BITS)).astype(np.int64)
        numbers = self.found[place] * ((self.keys[0][place] == key) & (self.keys[1][place] == more))
        missing = np.flatnonzero(numbers == 0)
        words = [text[start:end] for start, end in zip(first[missing].tolist(), last[missing].tolist())]
        numbers[missing] = np.fromiter(map(self.numbers.__getitem__, words), np.uint32, len(words))
        new = missing[(self.found[place[missing]] == 0) & (key[missing] > 0)]
        taken, one = np.unique(place[new], return_index=True)
        self.keys[0][taken], self.keys[1][taken], self.found[taken] = key[new[one]], more[new[one]], numbers[new[one]]
        return numbers


def _keys_of(text, first, length):
    """Return the first 8 bytes of each word and the 8 after them, as numbers; 0 and 0 for a word that has more."""
    eight = np.ndarray(len(text) - 7, "<u8", text, 0, (1,))  # the number that begins at each byte
    key, more = eight[first] & MASKS[np.minimum(length, 8)], np.zeros(len(first), np.uint64)
    long = np.flatnonzero(length > 8)
    more[long] = eight[first[long] + 8] & MASKS[np.minimum(length[long] - 8, 8)]
    unfit = long[length[long] > KEY_BYTES]
    key[unfit] = more[unfit] = 0
    return key, more


def numbered_blocks(path, first, last, new_numbering, split="letters"):
    """Yield `(numbering, numbers, ends)` for the lines of a part of a file, block by block.

    `new_numbering()` gives the Numbering to use for the next block. A .gz is read from its start to its end, a plain file from byte `first`
    to byte `last`, both the start of a line. Raises ValueError for what is no text, naming the file and the line.
    """
    packed = is_packed(path)
    with damage_told(path):
        tokenizer = Tokenizer(split, is_turkish_text(path))
        with (gzip.open if packed else open)(path, "rb") as file:
            file.seek(first)
            stretch = Stretch(file, math.inf if packed else last - first)
            if first == 0 and (start := stretch.read(len(BOM))) != BOM:
                stretch.put_back(start)
            for lines in blocks_of_lines(stretch, path):
                if b"\0" in lines:
                    raise no_text(path)
                numbering = new_numbering()
                yield numbering, *numbering(tokenizer.words_of(lines))
