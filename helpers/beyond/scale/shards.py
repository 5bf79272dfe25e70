"""What the workers of `helpers.beyond.scale.prepare` do: count the words of a part of a text, then write its shards.

A part is a stretch of a plain file, or a whole .gz. What was counted stands in files, which a second run uses again: for
each shard the provisional ids of its tokens, the ends of its sentences, its words and their counts.
"""

import functools
import hashlib
import itertools
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.arguments import whole_file
from helpers.beyond.prepared import VOCABULARY, ids_dtype
from helpers.beyond.scale.tokens import Numbering, numbered_blocks
from helpers.beyond.texts import is_packed

PART_BYTES = 2**16, 2**26  # of a part, at least and at most
PARTS_WANTED = 16  # so that a small text too can be shared by several workers and ranks
MOST_TOKENS, MOST_NUMBERED = 2**24, 2**20  # tokens of a shard, and different words; no shard has many more
PROVISIONAL = {".ids": "<u4", ".ends": "<u8", ".counts": "<u4"}


class Part(NamedTuple):
    """A part of a text: a file as it was found, and the bytes from `first` up to `last`; those of a .gz are all its packed bytes."""

    number: int
    path: str
    size: int
    mtime_ns: int
    first: int
    last: int

    @property
    def name(self):
        """The name of the part's files."""
        return f"part-{self.number:06}"


def source_of(path):
    """Return what tells a file from another one, or from itself after a change: its path, size and time."""
    stat = Path(path).stat()
    return [str(path), stat.st_size, stat.st_mtime_ns]


def parts_of(sources):
    """Cut files into parts, at the ends of lines; returns a list of Parts. A .gz is one part."""
    least, most = PART_BYTES
    part_bytes = min(max(sum(size for _, size, _ in sources) // PARTS_WANTED, least), most)
    stretches = [(source, *stretch) for source in sources for stretch in _stretches_of(Path(source[0]), source[1], part_bytes)]
    return [Part(number, *source, first, last) for number, (source, first, last) in enumerate(stretches)]


def _stretches_of(path, size, part_bytes):
    if is_packed(path):
        yield 0, size
        return
    first = 0
    with open(path, "rb") as file:
        while first < size:
            file.seek(first + part_bytes - 1)
            while (line := file.readline(2**20)) and not line.endswith(b"\n"):
                pass
            yield first, (last := min(size, file.tell()))
            first = last


def record_path(folder, part):
    return folder / f"{part.name}.json"


def counted(folder, part):
    """Return the record of a part, or None where it was not counted yet, or its file was another one, or a file of it is not whole.

    A record is {"part": the Part as a list, "shards": a list of {"name", "sizes": {suffix: bytes}}}.
    """
    try:
        record = json.loads(record_path(folder, part).read_text(encoding="utf-8"))
        files = {folder / (shard["name"] + suffix): size for shard in record["shards"] for suffix, size in shard["sizes"].items()}
        whole = all(path.stat().st_size == size for path, size in files.items())
        return record if record["part"] == list(part) and whole else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def count_part(part, folder, split="letters"):
    """Number and count the words of a part, into files in `folder`; returns nothing, since a scheduler need not see it.

    Raises ValueError for what is no text, or a file that was changed since it was found.
    """
    folder, shards = Path(folder), []
    for numbering, numbers, ends in _stretches(part, split):
        shards.append(_write_counted(folder, f"{part.name}-{len(shards):04}", numbering, numbers, ends))
    if source_of(part.path) != list(part[1:4]):
        raise ValueError(f"{part.path} was changed while it was read: start again when it is whole")
    with whole_file(record_path(folder, part)) as temporary:
        temporary.write_text(json.dumps({"part": part, "shards": shards}), encoding="utf-8")


def _stretches(part, split="letters"):
    """Yield `(numbering, numbers, ends)` for each shard that a part makes."""
    numberings, blocks, num_tokens = [Numbering()], [], 0
    for numbering, *block in numbered_blocks(Path(part.path), part.first, part.last, lambda: numberings[-1], split):
        blocks.append(block)
        num_tokens += len(block[0])
        if num_tokens >= MOST_TOKENS or len(numbering.numbers) >= MOST_NUMBERED:
            yield numbering, *_joined(blocks)
            blocks, num_tokens = [], 0
            numberings[:] = [Numbering()]
    if num_tokens:
        yield numberings[-1], *_joined(blocks)


def _joined(blocks):
    starts = itertools.accumulate((len(numbers) for numbers, _ in blocks), initial=0)
    ends = [ends + start for start, (_, ends) in zip(starts, blocks)]
    return np.concatenate([numbers for numbers, _ in blocks]), np.concatenate(ends)


def _write_counted(folder, name, numbering, numbers, ends):
    words = numbering.words
    arrays = {".ids": numbers, ".ends": ends, ".counts": np.bincount(numbers, minlength=len(words) + 1)[1:]}
    contents = {suffix: memoryview(array.astype(PROVISIONAL[suffix], copy=False)) for suffix, array in arrays.items()}
    contents[".words"] = memoryview(b"\n".join(words))
    for suffix, content in contents.items():
        with whole_file(folder / (name + suffix)) as temporary:
            temporary.write_bytes(content)
    return {"name": name, "sizes": {suffix: content.nbytes for suffix, content in contents.items()}}


def counted_words(folder, name):
    """Return the words of a counted shard, as bytes, in the order of their provisional ids, which begin at 1."""
    return (folder / f"{name}.words").read_bytes().split(b"\n")


def counts_of(folder, name):
    """Return the counts of those words."""
    return np.fromfile(folder / f"{name}.counts", PROVISIONAL[".counts"]).tolist()


@functools.lru_cache(1)
def _final_ids(path, sha256):
    """Return the ids of the words of a vocabulary, {word: id}: read once by each worker."""
    return {line.split(b"\t")[0]: number for number, line in enumerate(path.read_bytes().splitlines())}


def write_shard(job, folder, vocabulary_sha256):
    """Write a shard of a prepared text; `job` is (its name, the name of the counted one). Returns its record in the manifest."""
    name, counted_name = job
    folder, parts = Path(folder), Path(folder) / "parts"
    final = _final_ids(folder / VOCABULARY, vocabulary_sha256)
    words = counted_words(parts, counted_name)
    ids = np.zeros(len(words) + 1, ids_dtype(len(final)))
    ids[1:] = np.fromiter(map(final.get, words, itertools.repeat(0)), ids.dtype, len(words))
    tokens = ids[np.fromfile(parts / f"{counted_name}.ids", PROVISIONAL[".ids"])]
    ends = np.fromfile(parts / f"{counted_name}.ends", PROVISIONAL[".ends"])
    record = {"name": name, "tokens": len(tokens), "sentences": len(ends), "sha256": {}}
    for suffix, array in ((".ids", tokens), (".ends", ends)):
        record["sha256"][suffix] = hashlib.sha256(array).hexdigest()
        with whole_file(folder / (name + suffix)) as temporary:
            temporary.write_bytes(array)
    return record
