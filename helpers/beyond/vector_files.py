"""Files of word vectors, told apart by their suffix: read line by line with errors that name the line, written whole.

.safetensors holds both tables, their words, and the settings that made them, and may hold the rows of n-grams. .txt, .vec and .bin
hold one table as word2vec and fastText write it, .txt and .vec also as GloVe does, without a first line. .tsv holds one table and
has its words in a file beside it, as TensorBoard's Projector takes them. Nothing in a file is ever run.
"""

import gzip
import itertools
import json
import os
import re
import stat
import sys
import tempfile
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from helpers.arguments import whole_file
from helpers.beyond.sniffing import GZIP, SNIFFED, UNPACKING, named, what_it_is
from helpers.beyond.subwords import MAX_N, MIN_N, NUM_BUCKETS
from helpers.vectors import Vectors, load_vectors, save_vectors

LONGEST_LINE = 2**24  # bytes: a million numbers
LONGEST_WORD = 2**16
MARK = b"\xef\xbb\xbf"  # which some programs put in front of UTF-8
NUMBER = re.compile(rb"[-+]?((\d+\.?\d*|\.\d+)(e[-+]?\d+)?|nan|inf(inity)?)", re.IGNORECASE)
CAN_BE_PACKED = ".txt", ".vec", ".bin"
OTHER_PROGRAMS = {  # how their files begin: what they are, and what to do
    rb"PK\x03\x04.{26}[^\0]*?/data\.pkl": "a file of torch.save, which could run code and is not read: write the vectors as text",
    rb"PK\x03\x04.{26}[^\0/]*?\.npy": "an archive of NumPy's arrays: numpy.load reads it, and what is in it can be written as text",
    rb"\x80[\x02-\x05]": "one of Python's own objects, which could run code and is not read: write it with gensim's save_word2vec_format",
    rb"\xba\x16O/": "a model of fastText: name the .vec file that fastText writes beside it",
}


def read_vectors(path, strict=False):
    """Read a file of vectors of any kind; returns Vectors. Raises FileNotFoundError, or ValueError for a file that is not right.

    Words that are not UTF-8 are left out (word2vec.c cuts long ones in mid-character), and a line on stderr counts them; if `strict`,
    they are refused too. What is always refused: a count that is not that of the rows, rows of different lengths, a word that
    stands there twice, numbers that are not finite. No more memory is taken than the file's unpacked size accounts for.
    """
    path = Path(path)
    try:
        suffix, is_packed = suffix_of(path)
    except ValueError as error:
        raise ValueError(_another_kind(path) or str(error)) from error
    if not path.is_file():
        raise FileNotFoundError(f"there is no vectors file {str(path)!r}")
    try:
        return READERS[suffix](path, gzip.open if is_packed else open, strict)
    except (ValueError, *UNPACKING) as error:
        told = "it can't be unpacked: it is cut or damaged, or not packed with gzip" if isinstance(error, UNPACKING) else error
        if suffix != ".safetensors":
            told = f"{path} is not a vectors file of this kind: {told}"
        raise ValueError(_another_kind(path, suffix, is_packed) or str(told)) from error


def write_table(path, table, tokens):
    """Write one table (V, d) and its words to a .txt, .vec, .bin or .tsv file, whole or not at all, where `target_of` says.

    Numbers in text have as many digits as give the same float32 again. Raises ValueError for a word that such a file can't hold.
    """
    path, suffix = Path(path), require_suffix(path)
    require_fit_words(path, tokens)
    target = target_of(path)
    if suffix == ".tsv":
        with whole_file(target) as rows, whole_file(target_of(metadata_path(path))) as words:
            words.write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
            with open(rows, "w") as file:
                file.writelines("\t".join(map(str, row)) + "\n" for row in table)
        return
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(table.shape[1])
    vectors.add_vectors(tokens, table)
    vectors.allocate_vecattrs(["count"], [int])  # all alike, so that the order stays
    with whole_file(target) as temporary:
        vectors.save_word2vec_format(str(temporary), binary=suffix == ".bin")


def require_fit_words(path, tokens):
    """Raise a ValueError for the first word that a file with the suffix of `path` can't hold."""
    suffix = require_suffix(path)
    unfit = r"[\0\t-\r\ud800-\udfff]|^\ufeff|" + ("^ | $" if suffix == ".tsv" else " ")
    for token in tokens if suffix != ".safetensors" else ():
        if not token or re.search(unfit, token):
            reason = "it is empty, is no Unicode, or has a space or a mark in it"
            raise ValueError(f"the word {token!r} can't stand in a {suffix} file ({reason}); a .safetensors file holds it")


def write_tables(path, embed_v, embed_u, tokens, settings, frames=()):
    """Write to a .safetensors file all that `save_vectors` takes, where `target_of` says."""
    save_vectors(target_of(path), embed_v, embed_u, tokens, settings, frames)


SUBWORDS = {"min_n": MIN_N, "max_n": MAX_N, "buckets": NUM_BUCKETS}  # which n-grams and buckets a file's rows belong to


def write_subwords(path, vectors, buckets, ngram_rows):
    """Write Vectors with the rows (n, d) float32 of their n-grams' buckets (n,) int64, ascending, to a .safetensors file, whole.

    Any word can be asked of it (`read_subwords`); whoever reads it with `load_vectors` gets the Vectors. Raises ValueError for
    rows that don't fit.
    """
    _require_subwords(buckets, ngram_rows, vectors.embed_v)
    with tempfile.TemporaryDirectory() as folder:
        usual = Path(folder) / "vectors.safetensors"
        save_vectors(usual, *vectors)
        with safe_open(usual, "numpy") as file:
            tables, metadata = {name: file.get_tensor(name) for name in file.keys()}, file.metadata()
    tables |= {"subword_buckets": np.ascontiguousarray(buckets), "subword_rows": np.ascontiguousarray(ngram_rows)}
    with whole_file(target_of(path)) as temporary:
        temporary.write_bytes(save(tables, {**metadata, "subwords": json.dumps(SUBWORDS)}))


def read_subwords(path):
    """Return the buckets (n,) and the rows (n, d) of the n-grams in a file that `read_vectors` reads; None where it has none.

    Raises ValueError where they are damaged, or of other n-grams than ours.
    """
    if suffix_of(path)[0] != ".safetensors":
        return None
    with safe_open(path, "numpy") as file:
        names, told = set(file.keys()), (file.metadata() or {}).get("subwords")
        if told is None and not names & {"subword_buckets", "subword_rows"}:
            return None
        try:
            if not {"subword_buckets", "subword_rows"} <= names or json.loads(told or "null") != SUBWORDS:
                raise ValueError(f"they are not those of {SUBWORDS}, or a part is missing")
            buckets, ngram_rows = file.get_tensor("subword_buckets"), file.get_tensor("subword_rows")
            _require_subwords(buckets, ngram_rows, file.get_tensor("embed_v"))
        except (TypeError, ValueError, RecursionError) as error:
            raise ValueError(f"the n-grams in {path} can't be used: {error}; take them out with `convert` to a .vec file") from error
    return buckets, ngram_rows


def _require_subwords(buckets, ngram_rows, table):
    if buckets.ndim != 1 or buckets.dtype != np.int64 or ngram_rows.dtype != np.float32:
        raise ValueError(f"buckets must be a list of int64 and rows of float32, not {buckets.dtype} and {ngram_rows.dtype}")
    if ngram_rows.shape != (len(buckets), table.shape[1]):
        raise ValueError(f"{len(buckets)} buckets and vectors of {table.shape[1]} numbers for rows of shape {ngram_rows.shape}")
    if len(buckets) and not (0 <= buckets[0] and buckets[-1] < NUM_BUCKETS and (np.diff(buckets) > 0).all()):
        raise ValueError(f"buckets must ascend from 0 to below {NUM_BUCKETS:,}")
    if not np.isfinite(ngram_rows).all():
        raise ValueError("a row has a number that is not finite")


def write_vectors(path, embed_v, embed_u, tokens, settings):
    """Write what a training made: both tables (V, d) and its settings to a .safetensors file, to others the centers without `<unk>`."""
    if require_suffix(path) == ".safetensors":
        write_tables(path, embed_v, embed_u, tokens, settings)
    else:
        write_table(path, embed_v[1:], tokens[1:])


def suffix_of(path):
    """Return the suffix of a vectors file in small letters, without .gz, and whether it has that; ValueError for any other file."""
    *_, last, suffix = "", "", *Path(path).suffixes
    is_packed = suffix.lower() == ".gz"
    suffix = (last if is_packed else suffix).lower()
    if suffix not in (CAN_BE_PACKED if is_packed else READERS):
        raise ValueError(f"{path}: a vectors file ends in {', '.join(READERS)}; {', '.join(CAN_BE_PACKED)} may have .gz behind")
    return suffix, is_packed


def require_suffix(path):
    """Return the suffix, in small letters, of a path that vectors can be written to, or raise a ValueError."""
    suffix, is_packed = suffix_of(path)
    if is_packed:
        raise ValueError(f"{path}: vectors are written unpacked; leave .gz out, and pack the file afterwards")
    return suffix


def target_of(path):
    """Return the path to write to for one that a user named: where it is a symbolic link, the file that it leads to.

    Raises PermissionError for a file that may only be read, whoever asks, and OSError for what is no file.
    """
    target = Path(os.path.realpath(path))
    if target.is_symlink():
        raise OSError(f"{path} is a symbolic link that leads to itself")
    if target.exists():
        mode = target.stat().st_mode
        if not stat.S_ISREG(mode):
            raise OSError(f"{path} is no file, so no vectors are written to it")
        if not mode & 0o222 or not os.access(target, os.W_OK):
            raise PermissionError(f"{path} may only be read: name another file, or allow it with chmod u+w")
    return target


def metadata_path(path):
    """Return the path of the words that belong to a .tsv file: beside it or, where it is a link, beside the file that it leads to."""
    beside = path.with_name(f"{path.stem}.metadata.tsv")
    return metadata_path(Path(os.path.realpath(path))) if path.is_symlink() and not os.path.lexists(beside) else beside


class _Table:
    """A table that is filled row by row, and refuses a word that it has and numbers that are not finite."""

    def __init__(self, num_rows, size, num_bytes, least, strict):
        if size < 1 or num_rows < 1:
            raise ValueError(f"{num_rows} rows of {size} numbers are no table")
        if num_rows * size * least > num_bytes + 1:  # the last number may have nothing behind it
            raise ValueError(f"{num_rows} rows of {size} numbers are more than its {num_bytes:,} bytes can hold")
        self.table, self.places, self.skipped, self.strict = np.empty((num_rows, size), np.float32), {}, [], strict

    def add(self, place, word, numbers):
        try:
            word = word.decode("utf-8")
        except UnicodeDecodeError:
            reason = f"{place}: the word {word[:80]!r} is not UTF-8"
            if self.strict:
                raise ValueError(reason) from None
            self.skipped.append(None if self.skipped else reason)
            return
        if not word:
            raise ValueError(f"{place} has no word")
        if word in self.places:
            raise ValueError(f"{place}: the word {word!r} stands in row {self.places[word] + 1} already")
        if not np.isfinite(numbers).all():
            raise ValueError(f"{place}: a number of {word!r} is not finite, or too large")
        self.table[len(self.places)] = numbers
        self.places[word] = len(self.places)

    def vectors(self, path):
        if self.skipped:
            if not self.places:
                raise ValueError(self.skipped[0])
            told = f"{len(self.skipped):,} of its {len(self.table):,} words are cut or in another encoding, and left out"
            print(f"{path}: {told} ({self.skipped[0]})", file=sys.stderr)
        return Vectors(self.table[: len(self.places)], None, list(self.places), {})


def _first_bytes(path, open_file):
    with open_file(path, "rb") as file:
        return file.read(SNIFFED)


def _another_kind(path, suffix=None, is_packed=False):
    """Say what a file is by its first bytes, or by those that are packed in it; None where they tell nothing."""
    if not path.is_file():
        return None
    first = _first_bytes(path, open)
    if is_packed and first.startswith(GZIP):
        try:
            first = _first_bytes(path, gzip.open)
        except UNPACKING:
            return None
    what = next((what for begin, what in OTHER_PROGRAMS.items() if re.match(begin, first, re.DOTALL)), None) or what_it_is(first)
    if not what and suffix in (".bin", ".safetensors") and first and not re.search(rb"[\x00-\x08\x0e-\x1f]", first):
        what = "text: name it .txt"
    return what and f"{path} is {named(what, path)}"


def _measure(path, open_file):
    """Return how many lines of a file are not those, empty ones, that end it, and how many bytes it has unpacked."""
    count, num_bytes = 0, 0
    with open_file(path, "rb") as file:
        for number, line in _lines(file):
            count = number if line else count
        num_bytes = file.tell()
    if not count:
        raise ValueError("it is empty")
    return count, num_bytes


def _lines(file):
    """Yield each line's number and its bytes, without marks of UTF-8 in front and the blanks, tabs and newline at its end."""
    for number in itertools.count(1):
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        if len(line) == LONGEST_LINE:
            raise ValueError(f"line {number} has more than {LONGEST_LINE:,} bytes")
        line = line.rstrip()
        while line.startswith(MARK):  # files that were joined have it in later lines too
            line = line.removeprefix(MARK)
        if b"\r" in line:
            raise ValueError(f"line {number} has a carriage return in it; if each line ends with one, write newlines: tr '\\r' '\\n'")
        if b"\0" in line:
            raise ValueError(f"line {number} holds a zero byte: it is damaged, or no text (word2vec's binary files are named .bin)")
        yield number, line


def _numbers(number, fields):
    """Return the numbers (size,) of a line's fields."""
    for field in fields if b"_" in b"".join(fields) else ():  # Python would read 1_000
        _require_number(number, field)
    try:
        with np.errstate(over="ignore"):
            return np.array(fields, np.float32)
    except ValueError:
        for field in fields:
            _require_number(number, field)
        raise


def _require_number(number, field):
    if not NUMBER.fullmatch(field):
        told = field[:80].decode("utf-8", "backslashreplace")
        advice = "; numbers have a point, and blanks or tabs between them" if b"," in field or b";" in field else ""
        raise ValueError(f"line {number}: {told!r} is no number{advice}")


def _word_and_numbers(number, line, size):
    """Split a line from the right, since its word may have blanks in it."""
    word, *fields = line.lstrip().rsplit(None, size) or [b""]
    if line[:1].isspace() and len(fields) < size:
        raise ValueError(f"line {number} has no word")
    parts = word.split()
    if len(fields) < size or len(parts) > 1 and any(map(NUMBER.fullmatch, parts)):  # a newline that is lost would make such words
        found = sum(bool(NUMBER.fullmatch(field)) for field in line.split()) if len(parts) > 1 else len(fields)
        raise ValueError(f"line {number} has {found} numbers where {size} belong by line 1: it is cut, or its word has a number in it")
    return word, _numbers(number, fields)


def _size_of_first(line):
    """Return how many numbers a first line has after its word."""
    fields = line.split()
    if not fields:
        raise ValueError("line 1 has 0 numbers: it is empty")
    numbers = itertools.takewhile(NUMBER.fullmatch, reversed(fields))
    size = min(sum(1 for _ in numbers), len(fields) - 1)
    if size == 0:
        _require_number(1, fields[-1])
    return size


def _read_text(path, open_file, strict):
    num_lines, num_bytes = _measure(path, open_file)
    with open_file(path, "rb") as file:
        lines = _lines(file)
        _, first = next(lines)
        if header := re.fullmatch(rb"\s*(\d{1,18})\s+(\d{1,18})", first):
            promised, size = map(int, header.groups())
            if promised != num_lines - 1:
                raise ValueError(f"line 1 promises {promised} rows, and there are {num_lines - 1}")
        else:
            size, lines = _size_of_first(first), itertools.chain([(1, first)], lines)
        table = _Table(num_lines - bool(header), size, num_bytes, 2, strict)
        for number, line in itertools.takewhile(lambda found: found[0] <= num_lines, lines):
            table.add(f"line {number}", *_word_and_numbers(number, line, size))
    return table.vectors(path)


def _read_binary(path, open_file, strict):
    with open_file(path, "rb") as file:
        header = re.fullmatch(rb"\s*(\d{1,18})\s+(\d{1,18})\s*\n", file.readline(64))
        if not header:
            raise ValueError("its first line is not the number of rows and of columns")
        num_rows, size = map(int, header.groups())
        table = _Table(num_rows, size, _num_bytes(path, open_file), 4, strict)
        for number in range(1, num_rows + 1):
            word, numbers = _word(file), file.read(4 * size)
            if word is None or len(numbers) < 4 * size:
                raise ValueError(f"it ends in row {number} of {num_rows}, or that row has no word")
            if b"\0" in word:
                reason = "rows are not as long as line 1 says, or a word has a blank in it"
                raise ValueError(f"row {number}: the word {word[:80]!r} holds a zero byte: {reason}")
            table.add(f"row {number}", word.lstrip(b"\r\n"), np.frombuffer(numbers, "<f4"))  # some programs end rows with a newline
        if file.read(2).strip(b"\r\n"):
            raise ValueError(f"it goes on after the {num_rows} rows of {size} numbers that it promises")
    return table.vectors(path)


def _num_bytes(path, open_file):
    """Return the size of a file, of a packed one unpacked."""
    with open_file(path, "rb") as file:
        return file.seek(0, os.SEEK_END)


def _word(file):
    """Read up to a blank, and return what stands before it; None where none comes soon."""
    word = b""
    while len(word) <= LONGEST_WORD and (part := file.peek(1)):
        end = part.find(b" ")
        word += file.read(end + 1 or len(part))
        if end >= 0:
            return word[:-1]
    return None


def _read_tsv(path, open_file, strict):
    words_path, (num_rows, num_bytes) = metadata_path(path), _measure(path, open_file)
    if not words_path.is_file():
        raise ValueError(f"its words belong into {words_path.name} beside it, which is not there; if they are in it, name it .txt")
    num_words, _ = _measure(words_path, open_file)
    if num_words != num_rows:
        raise ValueError(f"it has {num_rows} rows, and {words_path.name} has {num_words} words")
    table = None
    with open(path, "rb") as rows, open(words_path, "rb") as words:
        for (number, line), (_, word) in itertools.islice(zip(_lines(rows), _lines(words)), num_rows):
            fields = line.split()
            table = table or _Table(num_rows, len(fields), num_bytes, 2, strict)
            if len(fields) != table.table.shape[1]:
                raise ValueError(f"line {number} has {len(fields)} numbers where {table.table.shape[1]} belong by line 1")
            if b"\t" in word:
                raise ValueError(f"line {number} of {words_path.name} has more columns than one, the words'")
            table.add(f"line {number}", word, _numbers(number, fields))
    return table.vectors(path)


READERS = {
    ".safetensors": lambda path, *_: load_vectors(path),
    ".txt": _read_text, ".vec": _read_text, ".bin": _read_binary, ".tsv": _read_tsv,
}  # fmt: skip


WHICH_TABLE = {
    "center": lambda vectors: vectors.embed_v,
    "context": lambda vectors: vectors.embed_u,
    "mean": lambda vectors: (vectors.embed_v + vectors.embed_u) / 2,
}


def table_of(vectors, name):
    """Return one table of Vectors: "center", "context" or their "mean", whose cosines are those of their sum.

    Raises ValueError where a file holds one table only and another is asked for.
    """
    if name != "center" and vectors.embed_u is None:
        raise ValueError(f"the file holds one table only, so there is no {name} table")
    return WHICH_TABLE[name](vectors)


def with_unknown(vectors):
    """Return Vectors whose row 0 is `<unk>`, as in this series: put there if it stands elsewhere, or made of zeros."""
    tokens = vectors.tokens if "<unk>" in vectors.tokens else ["<unk>", *vectors.tokens]
    order = sorted(range(len(tokens)), key=lambda row: tokens[row] != "<unk>")

    def with_row(table):
        return None if table is None else np.pad(table, ((len(tokens) - len(table), 0), (0, 0)))[order]

    frames = {epoch: with_row(table) for epoch, table in vectors.frames.items()}
    return Vectors(with_row(vectors.embed_v), with_row(vectors.embed_u), [tokens[row] for row in order], vectors.settings, frames)
