"""Files of word vectors, told apart by their suffix: read line by line with errors that name the line, written whole.

.safetensors holds both tables, their words, and the settings that made them. .txt and .bin hold one table as word2vec
writes it, .txt also as GloVe does, without a first line. .tsv holds one table and has its words in a file beside it, as
TensorBoard's Projector takes them. Nothing in a file is ever run.
"""

import itertools
import mmap
import re
from pathlib import Path

import numpy as np

from helpers.arguments import whole_file
from helpers.vectors import Vectors, load_vectors, save_vectors

LONGEST_LINE = 2**24  # bytes: a million numbers
LONGEST_WORD = 2**16


def read_vectors(path):
    """Read a file of vectors of any kind; returns Vectors. Raises FileNotFoundError, or ValueError for a file that is not right.

    What is refused: a count that is not that of the rows, rows of different lengths, a word that stands there twice or
    is not UTF-8, numbers that are not finite. No more memory is taken than the file's size accounts for.
    """
    path = Path(path)
    require_suffix(path)
    if path.suffix == ".safetensors":
        return load_vectors(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no vectors file {str(path)!r}")
    try:
        return READERS[path.suffix](path)
    except ValueError as error:
        raise ValueError(f"{path} is not a vectors file of this kind: {error}") from error


def write_table(path, table, tokens):
    """Write one table (V, d) and its words to a .txt, .bin or .tsv file, whole or not at all.

    Numbers in text have as many digits as give the same float32 again.
    """
    path = Path(path)
    require_suffix(path)
    for token in tokens:
        if not token or re.search(r"[ \t-\r]", token):
            raise ValueError(f"the word {token!r} is empty or has a space in it, which {path.suffix} files can't hold")
    if path.suffix == ".tsv":
        with whole_file(path) as rows, whole_file(metadata_path(path)) as words:
            words.write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
            with open(rows, "w") as file:
                file.writelines("\t".join(map(str, row)) + "\n" for row in table)
        return
    from gensim.models import KeyedVectors

    vectors = KeyedVectors(table.shape[1])
    vectors.add_vectors(tokens, table)
    vectors.allocate_vecattrs(["count"], [int])  # all alike, so that the order stays
    with whole_file(path) as temporary:
        vectors.save_word2vec_format(str(temporary), binary=path.suffix == ".bin")


def write_vectors(path, embed_v, embed_u, tokens, settings):
    """Write what a training made: both tables (V, d) and its settings to a .safetensors file, to others the centers without `<unk>`."""
    if Path(path).suffix == ".safetensors":
        save_vectors(path, embed_v, embed_u, tokens, settings)
    else:
        write_table(path, embed_v[1:], tokens[1:])


def require_suffix(path):
    """Raise a ValueError unless a path ends as a vectors file does."""
    if path.suffix not in READERS:
        raise ValueError(f"{path}: a vectors file ends in {', '.join(READERS)}")


def metadata_path(path):
    """Return the path of the words that belong to a .tsv file."""
    return path.with_name(f"{path.stem}.metadata.tsv")


class _Table:
    """A table that is filled row by row, and refuses a word that it has and numbers that are not finite."""

    def __init__(self, num_rows, size, num_bytes, least):
        if size < 1 or num_rows < 1:
            raise ValueError(f"{num_rows} rows of {size} numbers are no table")
        if num_rows * size * least > num_bytes:
            raise ValueError(f"{num_rows} rows of {size} numbers are more than its {num_bytes:,} bytes can hold")
        self.table, self.places = np.empty((num_rows, size), np.float32), {}

    def add(self, place, word, numbers):
        try:
            word = word.decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError(f"{place}: the word {word[:80]!r} is not UTF-8") from None
        if not word:
            raise ValueError(f"{place} has no word")
        if word in self.places:
            raise ValueError(f"{place}: the word {word!r} stands in row {self.places[word] + 1} already")
        if not np.isfinite(numbers).all():
            raise ValueError(f"{place}: a number of {word!r} is not finite, or too large")
        self.table[len(self.places)] = numbers
        self.places[word] = len(self.places)

    def vectors(self):
        return Vectors(self.table, None, list(self.places), {})


def _count_lines(path):
    """Return the number of lines of a file, each of which must end with a newline."""
    count, last = 0, b""
    with open(path, "rb") as file:
        while part := file.read(2**20):
            count, last = count + part.count(b"\n"), part[-1:]
    if last != b"\n":
        raise ValueError("it is empty, or cut: its last line does not end")
    return count


def _lines(file, first=1):
    """Yield each line's number and its bytes, without the newline and spaces at its end."""
    for number in itertools.count(first):
        line = file.readline(LONGEST_LINE)
        if not line:
            return
        if len(line) == LONGEST_LINE:
            raise ValueError(f"line {number} has more than {LONGEST_LINE:,} bytes")
        yield number, line.rstrip(b" \r\n")


def _numbers(number, fields, size):
    if len(fields) != size:
        raise ValueError(f"line {number} has {len(fields)} numbers where {size} belong: the line is cut, or its word has a space in it")
    try:
        with np.errstate(over="ignore"):
            return np.array(fields, np.float32)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


def _read_text(path):
    num_rows = _count_lines(path)
    with open(path, "rb") as file:
        lines = _lines(file)
        _, first = next(lines)
        header = re.fullmatch(rb"(\d{1,18}) (\d{1,18})", first)
        if header:
            promised, size = map(int, header.groups())
            num_rows -= 1
            if promised != num_rows:
                raise ValueError(f"line 1 promises {promised} rows, and there are {num_rows}")
        else:
            size, lines = first.count(b" "), itertools.chain([(1, first)], lines)
        table = _Table(num_rows, size, path.stat().st_size, 2)
        for number, line in lines:
            word, *fields = line.split(b" ")
            table.add(f"line {number}", word, _numbers(number, fields, size))
    return table.vectors()


def _read_binary(path):
    with open(path, "rb") as file:
        header = re.fullmatch(rb"(\d{1,18}) (\d{1,18})\n", file.readline(64))
        if not header:
            raise ValueError("its first line is not the number of rows and of columns")
        num_rows, size = map(int, header.groups())
        table, place = _Table(num_rows, size, path.stat().st_size, 4), file.tell()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            for number in range(1, num_rows + 1):
                end = data.find(b" ", place, place + LONGEST_WORD)
                if end < 0 or end + 1 + 4 * size > len(data):
                    raise ValueError(f"it ends in row {number} of {num_rows}, or that row has no word")
                numbers = np.frombuffer(data[end + 1 : end + 1 + 4 * size], "<f4")
                table.add(f"row {number}", data[place:end].lstrip(b"\n"), numbers)  # some programs end rows with a newline
                place = end + 1 + 4 * size
            if data[place : place + 2].strip(b"\n"):
                raise ValueError(f"it goes on after the {num_rows} rows that it promises")
    return table.vectors()


def _read_tsv(path):
    words_path, num_rows = metadata_path(path), _count_lines(path)
    if not words_path.is_file():
        raise ValueError(f"its words belong into {words_path.name} beside it, which is not there")
    if _count_lines(words_path) != num_rows:
        raise ValueError(f"it has {num_rows} rows, and {words_path.name} has {_count_lines(words_path)} words")
    with open(path, "rb") as rows, open(words_path, "rb") as words:
        for (number, line), (_, word) in zip(_lines(rows), _lines(words)):
            if number == 1:
                table = _Table(num_rows, line.count(b"\t") + 1, path.stat().st_size, 2)
            table.add(f"line {number}", word, _numbers(number, line.split(b"\t"), table.table.shape[1]))
    return table.vectors()


READERS = {".safetensors": load_vectors, ".txt": _read_text, ".bin": _read_binary, ".tsv": _read_tsv}


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
    embed_v, embed_u, tokens, settings, _ = vectors
    if "<unk>" not in tokens:
        tokens = ["<unk>", *tokens]
        embed_v, embed_u = (None if table is None else np.pad(table, ((1, 0), (0, 0))) for table in (embed_v, embed_u))
    order = sorted(range(len(tokens)), key=lambda row: tokens[row] != "<unk>")
    embed_v, embed_u = (None if table is None else table[order] for table in (embed_v, embed_u))
    return Vectors(embed_v, embed_u, [tokens[row] for row in order], settings)
