"""Texts of one's own: a file as sentences, or a prepared folder, and either as ids. Not taught."""

import contextlib
import gzip
import os
import re
import sys

from helpers.arguments import path_from_outside
from helpers.beyond.prepared import MAKE_ONE, PreparedText, is_prepared
from helpers.beyond.sniffing import GZIP, SNIFFED, UNPACKING, named, require_no_other_kind, what_encoding_it_is, what_it_is
from helpers.beyond.words import is_turkish, require_split, what_looks_wrong, word_finder
from helpers.corpus import NAMES, Text, hold_out, read_corpus
from helpers.examples import Vocab, encode

LONGEST_PART = 2**20  # characters of a line that are read at once
HEAD_BYTES = 2**18  # of a text, by which its language is judged, and what looks wrong
LINE_BEFORE = 200  # characters of a line before a byte that is not UTF-8: those that are in the same encoding
MOST_LOOKED_AT = 3  # texts; all that are read as one are mostly alike
MOST_CHARACTERS = 2**31  # of a text, all of which is kept in memory


def read_text(path, split="letters"):
    """Read a file of text, or a prepared one, which has its own split; returns a Text. Errors are those of `read_corpus`."""
    require_split(split)
    require_corpus(path)
    if is_prepared(path):
        text = PreparedText(path)
        text.require_split(split)
        return Text(text.name, *text.sentences())
    return read_files([path_from_outside(path)], split)


def read_files(paths, split="letters"):
    """Read files of text, one after the other, as one Text; a line says what looks wrong with the first that is not as it should be."""
    lines = [line for path in paths for line in lines_of_file(path, split)]
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    require_any_words(any(lines), f"{paths[0]}{more}", paths, split)
    tell_what_looks_wrong(paths, split)
    name = str(paths[0]) if paths[0].name in NAMES else paths[0].name
    return Text(name + more, *hold_out(lines))


def read_encoded(corpus, min_freq, split="letters"):
    """Return a corpus, or a list of files as one, its Vocab, and its training and its held-out part encoded.

    Those of a prepared text stay in its files.
    """
    if corpus not in NAMES and is_prepared(corpus):
        text = PreparedText(corpus)
        text.require_split(split)
        vocab = text.vocab(min_freq)
        return text, vocab, text.training(vocab), text.held_out(vocab)
    text = read_files(corpus, split) if isinstance(corpus, list) else read_corpus(corpus, split=split)
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


def is_packed(path):
    """Return whether a file is read as gzip: by its suffix."""
    return path.suffix.lower() == ".gz"


def head_of(path):
    """Return the first bytes of a text, unpacked, up to HEAD_BYTES; ValueError where they are not those of a text in UTF-8."""
    with open(path, "rb") as file:
        first_bytes = file.read(SNIFFED)
    if not is_packed(path):
        require_no_other_kind(path, first_bytes)
    elif first_bytes and not first_bytes.startswith(GZIP):
        what = what_it_is(first_bytes) or "not packed, though its name ends in .gz: rename it, mv FILE FILE.txt"
        raise ValueError(f"{path} is {named(what, path)}")
    head = b""
    with (gzip.open if is_packed(path) else open)(path, "rb") as file:
        with contextlib.suppress(*UNPACKING):  # told with its line when the lines are read
            while len(head) < HEAD_BYTES and (more := file.read1(HEAD_BYTES - len(head))):
                head += more
    if is_packed(path) and (what := what_it_is(head)):
        raise ValueError(f"what {path} holds is {named_unpacked(what, path)}")
    if b"\0" in head:
        raise no_text(path)
    return head


def named_unpacked(what, path):
    """Return `named` of a text: commands in it are for the file without .gz, if it is packed."""
    if not is_packed(path) or "FILE" not in what:
        return named(what, path)
    return f"{named(what, path.with_suffix(''))}; first unpack it, {named('gzip -dk FILE', path)}"


def is_turkish_text(path):
    """Return `is_turkish` of a text's beginning; ValueError where a file is no text."""
    return is_turkish(head_of(path).decode("utf-8", "ignore"))


def first_that_looks_wrong(paths, split):
    """Return the path of a text and `what_looks_wrong` with its beginning: of the first such text; None where all look right."""
    for path in paths[:MOST_LOOKED_AT]:
        if wrong := what_looks_wrong(head_of(path).decode("utf-8-sig", "ignore"), split):
            return path, named_unpacked(wrong, path)
    return None


def tell_what_looks_wrong(paths, split):
    """Print a line with what looks wrong with the first such text, if there is one."""
    if found := first_that_looks_wrong(paths, split):
        print("{}: {}".format(*found))


def require_any_words(found, name, paths, split):
    """Raise a ValueError that names a text and why it has no words, unless some were `found`."""
    if not found:
        nothing = "it has no letters" if split == "letters" else "it has only spaces"
        _, reason = first_that_looks_wrong(paths, split) or (None, nothing)
        raise ValueError(f"{name} holds no words: {reason}")


@contextlib.contextmanager
def damage_told(path):
    """Tell what is wrong with a text that can't be read, and where, in one line, as a ValueError."""
    try:
        yield
    except UnicodeDecodeError as error:
        line, content, num_in_utf8 = _first_line(path, "[\udc80-\udcff]")
        what = named_unpacked(what_encoding_it_is(content, num_in_utf8), path)
        raise ValueError(f"{path} is not UTF-8 in line {line:,}; {what}") from error
    except UNPACKING as error:
        what = "is cut" if isinstance(error, EOFError) else "was damaged"
        raise ValueError(f"{path} can't be unpacked after line {_num_lines_unpacked(path):,}: it {what}; copy it again") from error


def _num_lines_unpacked(path):
    num_lines = 0
    with gzip.open(path, "rb") as file, contextlib.suppress(*UNPACKING):
        while part := file.read1(HEAD_BYTES):
            num_lines += part.count(b"\n")
    return num_lines


def _first_line(path, wrong):
    """Return the number of the first line with something wrong, bytes from there on, and the number of characters beyond ASCII before."""
    number, num_in_utf8 = 1, 0
    with (gzip.open if is_packed(path) else open)(path, "rt", encoding="utf-8", errors="surrogateescape") as file:
        while (part := file.readline(LONGEST_PART)) and not (found := re.search(wrong, part)):
            num_in_utf8 += 0 if part.isascii() else sum(not character.isascii() for character in part)
            number += part.endswith("\n")
        if not part:
            raise ValueError(f"{path} was changed while it was read: start again when it is whole")
        part = part[max(0, found.start() - LINE_BEFORE) :]
        with contextlib.suppress(*UNPACKING):
            part += file.read(HEAD_BYTES)
    return number, part.encode("utf-8", "surrogateescape")[:HEAD_BYTES], num_in_utf8


def no_text(path):
    """Return the ValueError for a text with a zero byte."""
    return ValueError(f"{path} is not a text: line {_first_line(path, chr(0))[0]:,} holds a zero byte; name a file of text")


def lines_of_file(path, split="letters"):
    """Return each line of a text as one line of tokens; errors are those of `read_corpus`."""
    from tqdm import tqdm

    open_file, lines = gzip.open if is_packed(path) else open, []
    with damage_told(path):
        words_of = word_finder(split, is_turkish_text(path))
        with open_file(path, "rt", encoding="utf-8-sig") as file:
            for line in tqdm(parts_of_lines(file, path, MOST_CHARACTERS), desc=path.name, unit=" lines", file=sys.stdout, delay=2):
                if "\0" in line:
                    raise no_text(path)
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
