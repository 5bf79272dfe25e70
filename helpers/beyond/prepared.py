"""A prepared text: a folder that `python -m helpers.tools.prepare` made. NumPy only; not taught.

It is read slice by slice, so that a text of any size takes little memory. `manifest.json` lists the shards, stretches of
the text of two files each: `.ids`, the id of every token, and `.ends`, for every sentence the number of tokens up to its end.
`vocabulary.txt` has a word and its count per line, in the order of the ids.
"""

import bisect
import collections.abc
import hashlib
import itertools
import json
import os
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from helpers.arguments import path_from_outside, require_whole_numbers
from helpers.corpus import HELD_OUT_SHARE
from helpers.examples import Vocab

VERSION = 2
MANIFEST, VOCABULARY = "manifest.json", "vocabulary.txt"
SUFFIXES = ".ids", ".ends"
MOST_HELD_OUT = 1_000_000  # tokens, at the end
TOKENS_AT_ONCE = 2**18  # that become words
MAKE_ONE = "python -m helpers.tools.prepare TEXT... --out FOLDER"


def is_prepared(path):
    """Return whether a path is a folder with a manifest."""
    try:
        return isinstance(path, (str, os.PathLike)) and (path_from_outside(path) / MANIFEST).is_file()
    except (OSError, ValueError):  # such as a name that is too long
        return False


def ids_dtype(vocab_size):
    """Return the dtype of the ids in a prepared text: the smaller of uint16 and uint32 that serves."""
    return np.dtype("<u2" if vocab_size <= 2**16 else "<u4")


def file_sha256(path):
    """Return the SHA-256 of a file as hexadecimal digits, read piece by piece."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while data := file.read(2**20):
            digest.update(data)
    return digest.hexdigest()


def seal_of(record):
    """Return the SHA-256 of what JSON holds, without what stands in it under "sha256"."""
    record = {name: value for name, value in record.items() if name != "sha256"}
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def read_manifest(folder):
    """Return the manifest of a prepared text as a dict; ValueError if it is not as it was written, or of another version."""
    path = Path(folder) / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["version"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{path} can't be read ({type(error).__name__}): prepare the text again") from error
    if version != VERSION:
        raise ValueError(f"{path} is of version {version!r}, and this reads version {VERSION}: prepare the text again")
    if manifest.get("sha256") != seal_of(manifest):
        raise ValueError(f"{path} was changed after it was written: prepare the text again")
    return manifest


class Shard(NamedTuple):
    """A stretch of the text: its files without their suffix, and what stands before it in the whole text."""

    path: Path
    dtype: np.dtype
    tokens: int
    sentences: int
    sha256: dict
    first_token: int
    first_sentence: int

    def file(self, suffix):
        return self.path.with_name(self.path.name + suffix)

    def require_files(self):
        """Raise a ValueError that names the first file which is missing or not of the size that the manifest tells."""
        for suffix, size in ((".ids", self.tokens * self.dtype.itemsize), (".ends", self.sentences * 8)):
            path = self.file(suffix)
            if not path.is_file():
                raise ValueError(f"{path} is missing: copy the folder again, or prepare the text again")
            if (found := path.stat().st_size) != size:
                raise ValueError(f"{path} has {found:,} bytes, not {size:,}: copy the folder again, or prepare the text again")

    def verify(self):
        """Raise a ValueError that names the first file whose content is not what was written."""
        for suffix in SUFFIXES:
            require_content(self.file(suffix), self.sha256[suffix])

    def ids(self, first, last):
        """Return the ids of the tokens from `first` up to `last` of this shard."""
        self.require_files()  # a mapped file that was cut would end the process
        return np.array(np.memmap(self.file(".ids"), self.dtype, "r", shape=self.tokens)[first:last])

    def ends(self):
        """Return the file of ends as an array that is mapped, not read."""
        self.require_files()
        return np.memmap(self.file(".ends"), "<u8", "r", shape=self.sentences)

    def sentence(self, first, last):
        """Return for the tokens from `first` up to `last` of this shard the number of their sentence in the shard."""
        ends = self.ends()
        begin, end = (int(np.searchsorted(ends, place, "right")) for place in (first, last - 1))
        bounds = np.clip(np.append(first, ends[begin : end + 1].astype(np.int64)), first, last)
        return np.repeat(np.arange(begin, end + 1), np.diff(bounds))


def require_content(path, sha256):
    """Raise a ValueError if a file has another SHA-256."""
    if file_sha256(path) != sha256:
        raise ValueError(f"{path} was changed after it was written: copy the folder again, or prepare the text again")


class Segment(NamedTuple):
    """Some of a shard's tokens that follow one another."""

    shard: Shard
    first: int
    last: int


class Tokens:
    """Something that each token of a prepared text has, as an array of which slices are read: it has `len()`, and `[first:last]`.

    `read(segment)` returns it for a segment as an array. `sha256` stands for all of the content.
    """

    def __init__(self, segments, read, dtype, *kind):
        self.segments, self.read, self.dtype = segments, read, np.dtype(dtype)
        self.starts = [0, *itertools.accumulate(last - first for _, first, last in segments)]
        content = [(shard.sha256, shard.first_token, first, last) for shard, first, last in segments]
        self.sha256 = hashlib.sha256(json.dumps([kind, content], sort_keys=True).encode()).digest()

    def __len__(self):
        return self.starts[-1]

    @property
    def shape(self):
        return (len(self),)

    def __getitem__(self, places):
        if not isinstance(places, slice) or places.step not in (None, 1):
            raise TypeError(f"a prepared text is read by slices without a step, not by {places!r}")
        first, last, _ = places.indices(len(self))
        parts, number = [np.empty(0, self.dtype)], bisect.bisect_right(self.starts, first) - 1
        while first < last:
            shard, begin, end = self.segments[number]
            start = self.starts[number]
            parts.append(self.read(Segment(shard, begin + first - start, min(end, begin + last - start))))
            number, first = number + 1, self.starts[number + 1]
        return np.concatenate(parts)


class ReadIds:
    """Reads ids; those that a smaller vocabulary lacks become 0."""

    def __init__(self, vocab_size):
        self.vocab_size = vocab_size

    def __call__(self, segment):
        ids = segment.shard.ids(segment.first, segment.last)
        ids[ids >= self.vocab_size] = 0
        return ids.astype(ids_dtype(self.vocab_size), copy=False)


def read_sentence(segment):
    """Return the number that each token's sentence has in the whole text."""
    return segment.shard.sentence(segment.first, segment.last) + segment.shard.first_sentence


class PreparedSentences(collections.abc.Sequence):
    """The sentences of a part of a prepared text, each a list of tokens, read as they are asked for."""

    def __init__(self, segments, vocab):
        self.segments, self.words = segments, np.array(vocab.idx_to_token, object)
        self.spans = [self._span(segment) for segment in segments]
        self.starts = [0, *itertools.accumulate(last - first for first, last in self.spans)]

    def _span(self, segment):
        first, last = (int(segment.shard.sentence(place, place + 1)[0]) for place in (segment.first, segment.last - 1))
        return first, last + 1

    def __len__(self):
        return self.starts[-1]

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        number = bisect.bisect_right(self.starts, place) - 1
        sentence = self.spans[number][0] + place - self.starts[number]
        return next(self._read(self.segments[number], sentence, sentence + 1))

    def __iter__(self):
        for segment, span in zip(self.segments, self.spans):
            yield from self._read(segment, *span)

    def _read(self, segment, sentence, last):
        ends = segment.shard.ends()
        place = max(segment.first, int(ends[sentence - 1]) if sentence else 0)
        while sentence < last:
            stop = min(last, max(sentence + 1, int(np.searchsorted(ends, place + TOKENS_AT_ONCE, "right"))))
            bounds = np.minimum(ends[sentence:stop].astype(np.int64), segment.last) - place
            words = self.words[segment.shard.ids(place, place + int(bounds[-1]))].tolist()
            yield from (words[begin:end] for begin, end in zip([0, *bounds.tolist()], bounds.tolist()))
            sentence, place = stop, place + int(bounds[-1])


class PreparedText:
    """A prepared text, or the share of it that one of `num_ranks` machines trains on: whole shards.

    `name`, `min_freq`, `split` and `num_tokens` are those of the whole text. The last HELD_OUT_SHARE of its tokens are held out,
    at most MOST_HELD_OUT. Only the files of its own shards need to be there. Raises ValueError, naming the file, where
    one is missing or not of its size, or where there are fewer shards than ranks; `verify` reads all of their content.
    """

    def __init__(self, path, rank=0, num_ranks=1):
        require_whole_numbers(num_ranks=num_ranks)
        require_whole_numbers(0, rank=rank)
        if rank >= num_ranks:
            raise ValueError(f"rank must be less than num_ranks, which is {num_ranks}, not {rank}")
        self.path = path_from_outside(path)
        manifest = read_manifest(self.path)
        try:
            self.name, self.min_freq, self.split, self.num_tokens = (manifest[name] for name in ("name", "min_freq", "split", "tokens"))
            self.vocabulary_sha256, vocab_size = manifest["vocabulary"]["sha256"], manifest["vocabulary"]["words"]
            shards = self._shards(manifest["shards"], ids_dtype(vocab_size))
            totals = [sum(getattr(shard, name) for shard in shards) for name in ("tokens", "sentences")]
            if totals != [self.num_tokens, manifest["sentences"]] or not all(shard.sentences for shard in shards):
                raise ValueError("its shards and its totals differ")
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{self.path / MANIFEST} is not a manifest ({error}): prepare the text again") from error
        cut = max(round(self.num_tokens * (1 - HELD_OUT_SHARE)), self.num_tokens - MOST_HELD_OUT)
        self.shards = share_of(shards, cut, rank, num_ranks)
        for shard in self.shards:
            shard.require_files()
        if not (self.path / VOCABULARY).is_file():
            raise ValueError(f"{self.path / VOCABULARY} is missing: copy the folder again, or prepare the text again")
        cuts = [(shard, min(shard.tokens, max(0, cut - shard.first_token))) for shard in self.shards]
        self._training = [Segment(shard, 0, place) for shard, place in cuts if place > 0]
        self._held_out = [Segment(shard, place, shard.tokens) for shard, place in cuts if place < shard.tokens]

    def _shards(self, records, dtype):
        shards, first_token, first_sentence = [], 0, 0
        for record in records:
            if not re.fullmatch(r"[\w-]+", record["name"]):
                raise ValueError(f"{record['name']!r} is no name of a shard")
            sizes = record["tokens"], record["sentences"]
            shards.append(Shard(self.path / record["name"], dtype, *sizes, record["sha256"], first_token, first_sentence))
            first_token, first_sentence = first_token + sizes[0], first_sentence + sizes[1]
        return shards

    def require_split(self, split):
        """Raise a ValueError if the text was split by letters, and another split is asked for. None need be asked for: it has its own."""
        if split not in ("letters", self.split):
            raise ValueError(f"{self.path} was prepared with words of letters: prepare the text again with --split {split}")

    def verify(self):
        """Raise a ValueError that names the first file which is not, to the bit, as it was written."""
        require_content(self.path / VOCABULARY, self.vocabulary_sha256)
        for shard in self.shards:
            shard.verify()

    def vocab(self, min_freq=None):
        """Return a Vocab with the counts of the whole text, made without reading it; None takes the text's own `min_freq`.

        What is rarer than that was counted as "<unk>". Raises ValueError for a smaller `min_freq` than the text's own.
        """
        min_freq = self.min_freq if min_freq is None else min_freq
        if min_freq < self.min_freq:
            raise ValueError(
                f"{self.path} was prepared with min_freq {self.min_freq}, so {min_freq} can't be had: "
                f"take {self.min_freq} or more, or prepare the text again with --min-freq {min_freq}"
            )
        require_content(self.path / VOCABULARY, self.vocabulary_sha256)
        fields = (self.path / VOCABULARY).read_text(encoding="utf-8").split()
        counted = list(zip(fields[::2], map(int, fields[1::2])))
        vocab = Vocab([])
        vocab.token_freqs = sorted([pair for pair in counted if pair[1]], key=lambda pair: (-pair[1], pair[0]))
        vocab.idx_to_token = ["<unk>"] + [word for word, count in counted[1:] if count >= min_freq]
        vocab.token_to_idx = {word: index for index, word in enumerate(vocab.idx_to_token)}
        return vocab

    def training(self, vocab):
        """Return what `encode` returns for the training part, as arrays that are read by slices: see `Tokens`."""
        return self._encoded(self._training, vocab)

    def held_out(self, vocab):
        """Return the same for the part that is held out."""
        return self._encoded(self._held_out, vocab)

    def _encoded(self, segments, vocab):
        ids = Tokens(segments, ReadIds(len(vocab)), ids_dtype(len(vocab)), "ids", len(vocab), self.vocabulary_sha256)
        return ids, Tokens(segments, read_sentence, np.int64, "sentence")

    def sentences(self):
        """Return the sentences of the training part, and of the part that is held out, as lists of tokens that are read when asked for."""
        vocab = self.vocab()
        return PreparedSentences(self._training, vocab), PreparedSentences(self._held_out, vocab)


def share_of(shards, cut, rank, num_ranks):
    """Return the shards of one rank: the largest first, each goes to the rank with the fewest tokens before `cut` so far.

    Raises ValueError where a rank would have nothing to train on.
    """
    sizes = [min(shard.tokens, max(0, cut - shard.first_token)) for shard in shards]
    num_training = sum(size > 0 for size in sizes)
    if num_training < num_ranks:
        raise ValueError(
            f"the text has {num_training} shards to train on, too few for {num_ranks} machines: train on at most {num_training}, "
            "or prepare it again from more files or larger ones"
        )
    loads, own = [0] * num_ranks, []
    for number in sorted(range(len(shards)), key=lambda number: -sizes[number]):
        least = loads.index(min(loads))
        loads[least] += sizes[number]
        if least == rank:
            own.append(number)
    return [shards[number] for number in sorted(own)]
