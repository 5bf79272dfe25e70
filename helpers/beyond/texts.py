"""Texts of one's own: a file as sentences, or a prepared folder, and either as ids. Not taught."""

import contextlib
import gzip
import os
import sys
import unicodedata
import zlib

from helpers.arguments import path_from_outside
from helpers.beyond.prepared import MAKE_ONE, PreparedText, is_prepared
from helpers.corpus import NAMES, Text, hold_out, read_corpus
from helpers.examples import Vocab, encode

LONGEST_PART = 2**20  # characters of a line that are read at once
MOST_CHARACTERS = 2**31  # of a text, all of which is kept in memory


def read_text(path):
    """Read a file of text, or a prepared one; returns a Text. Errors are those of `read_corpus`."""
    require_corpus(path)
    if is_prepared(path):
        text = PreparedText(path)
        return Text(text.name, *text.sentences())
    return read_files([path_from_outside(path)])


def read_files(paths):
    """Read files of text, one after the other, as one Text."""
    lines = [line for path in paths for line in _lines_of_file(path)]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    if not any(lines):
        raise ValueError(f"{paths[0]}{more} holds no words")
    name = str(paths[0]) if paths[0].name in NAMES else paths[0].name
    return Text(name + more, *hold_out(lines))


def read_encoded(corpus, min_freq):
    """Return a corpus, or a list of files as one, its Vocab, and its training and its held-out part encoded.

    Those of a prepared text stay in its files.
    """
    if corpus not in NAMES and is_prepared(corpus):
        text = PreparedText(corpus)
        vocab = text.vocab(min_freq)
        return text, vocab, text.training(vocab), text.held_out(vocab)
    text = read_files(corpus) if isinstance(corpus, list) else read_corpus(corpus)
    vocab = Vocab(text.sentences, min_freq)
    return text, vocab, encode(text.sentences, vocab), encode(text.held_out, vocab)


def require_corpus(corpus, name="corpus"):
    """Raise a ValueError or FileNotFoundError if `corpus` is no name that `read_corpus` knows, no file and no prepared text."""
    if not isinstance(corpus, (str, os.PathLike)) or not str(corpus):
        raise ValueError(f"{name} must be {' or '.join(map(repr, NAMES))} or the path of a text, not {corpus!r}")
    if corpus in NAMES:
        return
    path = path_from_outside(corpus, name)
    try:
        found, is_folder = path.exists(), path.is_dir()
    except OSError as error:
        raise ValueError(f"{name} {str(corpus)!r} can't be opened: {error.strerror}") from error
    if not found:
        raise FileNotFoundError(f"{name} {str(corpus)!r} is neither {' nor '.join(map(repr, NAMES))}, and no such file is here")
    if is_folder and not is_prepared(corpus):
        raise ValueError(f"{name} {str(corpus)!r} is a folder; name one text file, or a prepared text, which is made with {MAKE_ONE}")
    if is_folder:
        PreparedText(corpus)


def word_finder():
    """Return a function that lists the words of a line: letters with the marks that belong to them, without digits, in lower case."""
    import regex

    word = regex.compile(r"(?:(?!\d)[\w\p{M}])+")
    return lambda line: word.findall(unicodedata.normalize("NFC", line).lower())


@contextlib.contextmanager
def damage_told(path, num_lines):
    """Tell what is wrong with a text that can't be read, in one line, as a ValueError; `num_lines()` lines were read before."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 after line {num_lines():,} ({error.reason}); write it again as UTF-8, "
            f"for example with iconv -f latin1 -t utf-8 {path.name} if it is Latin-1"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path} can't be unpacked after line {num_lines():,}: {error}") from error


def no_text(path, line):
    """Return the ValueError for a zero byte in a line, counted from 1."""
    return ValueError(f"{path} is not a text: line {line:,} holds a zero byte")


def _lines_of_file(path):
    """Each line of a text as one line of tokens."""
    from tqdm import tqdm

    open_file = gzip.open if path.suffix.lower() == ".gz" else open
    lines, words_of = [], word_finder()
    with damage_told(path, lambda: len(lines)), open_file(path, "rt", encoding="utf-8-sig") as file:
        for line in tqdm(parts_of_lines(file, path, MOST_CHARACTERS), desc=path.name, unit=" lines", file=sys.stdout, delay=2):
            if "\0" in line:
                raise no_text(path, len(lines) + 1)
            lines.append(" ".join(words_of(line)))
    return lines


def parts_of_lines(file, path, most_characters):
    """Yield the lines of a file, a very long one in parts that end between two words, so that none fills the memory."""
    num_characters, rest = 0, ""
    while part := file.readline(LONGEST_PART):
        num_characters += len(part)
        if num_characters > most_characters:
            raise ValueError(
                f"{path} has more than {most_characters:,} characters, too many to keep in memory: "
                f"take a part of it, or prepare it: {MAKE_ONE}"
            )
        part, rest = rest + part, ""
        if len(part) >= LONGEST_PART and not part.endswith("\n"):
            words = part.rsplit(maxsplit=1)
            rest = "" if part[-1].isspace() else words[-1]
            if len(rest) >= LONGEST_PART:
                raise ValueError(f"{path} holds a word of more than {LONGEST_PART:,} characters: is it a text?")
            part = part[: len(part) - len(rest)]
        yield part
    if rest:
        yield rest
