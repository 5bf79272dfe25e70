"""Make a prepared text of any number of files; `tools.prepare` is the command.

First each part of the files is tokenised and counted, then the counts are added up to a vocabulary, then each part's tokens
get their ids. What a part leaves is whole or not there, and the manifest comes last, so that a run can be stopped anywhere.
"""

import contextlib
import glob
import itertools
import json
import operator
import os
import re
import sys
from concurrent.futures import as_completed
from pathlib import Path

from tqdm import tqdm

from helpers.arguments import path_from_outside, require_whole_numbers, whole_file
from helpers.beyond.prepared import MANIFEST, VERSION, VOCABULARY, PreparedText, file_sha256, is_prepared, seal_of
from helpers.beyond.scale.clusters import job_executor
from helpers.beyond.scale.shards import count_part, counted, counted_words, counts_of, parts_of, source_of, write_shard
from helpers.beyond.texts import require_any_words, tell_what_looks_wrong
from helpers.beyond.words import require_split
from helpers.corpus import NAMES

SOURCES, PARTS = "sources.json", "parts"
COMPARED = "version", "min_freq", "split"  # settings that a second run must have, too
MOST_WORDS = 5_000_000  # that are counted at once
OWN_FILES = rf"{re.escape(SOURCES)}|{re.escape(MANIFEST)}|{re.escape(VOCABULARY)}|shard-\d{{6}}\.(ids|ends)"  # in the folder
COUNTED_FILES = r"part-\d{6}\.json|part-\d{6}-\d{4}\.(ids|ends|counts|words)"  # in its folder PARTS, until all is done


def find_files(patterns, own=()):
    """Return the files that names and patterns stand for, as absolute paths: in the order given, those of a pattern by name.

    A pattern finds no folder, and nothing that is in `own`, paths that the command itself writes, or lies in them. Raises
    FileNotFoundError where there is none, ValueError for a folder, a pipe, or a file that is named twice, be it by a link.
    """
    files, seen, own = [], {}, [path.resolve() for path in own]
    for pattern in map(str, patterns):
        path = path_from_outside(pattern, "text")
        if path.exists():
            found = [path]
        else:
            matches = map(path_from_outside, sorted(glob.glob(os.path.expanduser(pattern), recursive=True)))
            found = [path for path in matches if not path.is_dir() and not any(path.resolve().is_relative_to(place) for place in own)]
        if not found:
            raise FileNotFoundError(f"there is no file {pattern!r}, nor does it match one")
        files += found
    files = [path for path in files if path.resolve() not in own] or files  # a shell puts them in the place of a pattern
    for path in files:
        if not path.is_file():
            raise ValueError(f"{path} is no file: name text files, or a pattern such as {str(path / '*.txt')!r}")
        status = path.stat()
        other = seen.setdefault((status.st_dev, status.st_ino), path)
        if other is not path:
            raise ValueError(f"{path} is named twice" + (f", also as {other}" if other != path else ""))
    return files


def open_folder(folder, sources, min_freq, split="letters"):
    """Make the folder, or check that what is in it was made of the same files with the same settings (ValueError)."""
    path, settings = folder / SOURCES, {"version": VERSION, "min_freq": min_freq, "split": split, "sources": sources}
    folder.mkdir(parents=True, exist_ok=True)
    require_nothing_else(folder)
    if not path.exists():
        with whole_file(path) as temporary:
            temporary.write_text(json.dumps(settings), encoding="utf-8")
    different = _differences(_read_settings(path), settings)
    if different:
        raise ValueError(f"{folder} holds another text: {'; '.join(different)}. Name another folder, or delete it")


def is_left_over(name, ours):
    """Return whether a file has the name that `whole_file` gives to one of `ours`, a pattern, while it is written."""
    return re.fullmatch(rf"\.\d+\.({ours})", name) is not None


def require_nothing_else(folder):
    """Raise a ValueError that names something in `folder` which no run of `prepare` wrote there; a link is such a thing, too."""
    parts, begun = folder / PARTS, (folder / SOURCES).is_file()  # which is written first
    for place, ours in {folder: OWN_FILES if begun else re.escape(SOURCES), parts: COUNTED_FILES}.items():
        for entry in sorted(place.iterdir()) if place.is_dir() else ():
            known = begun if entry == parts else re.fullmatch(ours, entry.name) or is_left_over(entry.name, ours)
            known = known or entry == parts / ".lock"
            if not known or entry.is_symlink() or entry.is_dir() != (entry == parts):
                raise ValueError(f"{folder} holds other things, such as {entry.relative_to(folder)}: name a new folder")


def remove_parts(folder):
    """Remove what a run leaves on its way: the counted parts, and files that it was writing when it was killed."""
    parts = folder / PARTS
    for entry in list(parts.iterdir()) if parts.is_dir() else ():
        if re.fullmatch(COUNTED_FILES, entry.name) or is_left_over(entry.name, COUNTED_FILES) or entry.name == ".lock":
            entry.unlink()
    with contextlib.suppress(OSError):  # it holds something else, which came while we ran
        parts.rmdir()
    for entry in list(folder.iterdir()):
        if is_left_over(entry.name, OWN_FILES):
            entry.unlink()


def _read_settings(path):
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {**{name: found.get(name) for name in COMPARED}, "sources": list(map(list, found["sources"]))}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged: delete the folder {path.parent}") from error


def _differences(found, wanted):
    different = [f"its {name} is {found[name]}, not {wanted[name]}" for name in COMPARED if found[name] != wanted[name]]
    for there, here in itertools.zip_longest(found["sources"], wanted["sources"]):
        if there is None or here is None:
            different.append(f"it was made {'with' if here is None else 'without'} {(there or here)[0]}")
        elif there[0] != here[0]:
            different.append(f"it has {there[0]} in the place of {here[0]}")
        elif there != here:
            different.append(f"{here[0]} was changed since")
    return different[:3]


def each_result(executor, function, jobs, sizes, doing, *arguments):
    """Apply a function to jobs on the workers; yields `(job, result)` as they are done. A bar shows `sizes`, in bytes."""
    with tqdm(total=sum(sizes), unit="B", unit_scale=True, desc=doing, file=sys.stdout) as bar:
        futures = {executor.submit(function, job, *arguments): place for place, job in enumerate(jobs)}
        for future in as_completed(list(futures)):
            place = futures.pop(future)
            yield jobs[place], future.result()
            bar.update(sizes[place])


class Counts:
    """The counts of many parts together, of at most MOST_WORDS words: beyond that the rarest are dropped on the way.

    So does word2vec.c, in its function ReduceVocab. A word that was dropped, and occurs again, is counted from 0.
    """

    def __init__(self):
        self.counts, self.num_tokens, self.num_dropped, self.up_to = {}, 0, 0, 0

    def add(self, words, counts):
        """Add different words, with a count for each."""
        self.num_tokens += sum(counts)
        before = map(self.counts.get, words, itertools.repeat(0))
        self.counts.update(zip(words, map(operator.add, before, counts)))
        while len(self.counts) > MOST_WORDS:
            self.up_to += 1
            size = len(self.counts)
            self.counts = {word: count for word, count in self.counts.items() if count > self.up_to}
            self.num_dropped += size - len(self.counts)

    def vocabulary(self, min_freq):
        """Return [(word, count)], the commonest first, then by word; in front "<unk>", with the number of all other tokens."""
        known = [(word, count) for word, count in self.counts.items() if count >= min_freq and word != b"<unk>"]
        known.sort(key=lambda pair: (-pair[1], pair[0]))
        return [(b"<unk>", self.num_tokens - sum(count for _, count in known)), *known]


def count_parts(executor, parts, folder, split="letters"):
    """Count the parts that were not counted yet; returns the Counts of all, and the names of the counted shards."""
    folder.mkdir(exist_ok=True)
    done = {part.number for part in parts if counted(folder, part)}
    if done:
        print(f"{len(done)} of {len(parts)} parts are counted already")
    jobs = [part for part in parts if part.number not in done]
    sizes = [part.last - part.first for part in jobs]
    counts, names, waiting = Counts(), [], iter(parts)
    following = next(waiting, None)
    for part, _ in itertools.chain([(None, None)], each_result(executor, count_part, jobs, sizes, "counting", str(folder), split)):
        done |= {part.number} if part else set()
        while following and following.number in done:  # in their order, whichever was first: what is dropped depends on it
            for shard in counted(folder, following)["shards"]:
                counts.add(counted_words(folder, shard["name"]), counts_of(folder, shard["name"]))
                names.append(shard["name"])
            following = next(waiting, None)
    return counts, names


def write_vocabulary(folder, vocabulary):
    """Write the words and their counts; returns their record in the manifest."""
    with whole_file(folder / VOCABULARY) as temporary, open(temporary, "wb") as file:
        file.writelines(b"%s\t%d\n" % pair for pair in vocabulary)
    return {"file": VOCABULARY, "words": len(vocabulary), "sha256": file_sha256(folder / VOCABULARY)}


def prepare(patterns, folder, min_freq=10, scheduler=None, split="letters"):
    """Make a prepared text of files in `folder`, or resume it; returns the PreparedText.

    `split` is that of `read_corpus`. `scheduler` is the address of a Dask scheduler, whose workers need this repository, and
    the files and the folder under the same paths; None takes two processes of this machine. Raises FileNotFoundError or
    ValueError for invalid arguments, RuntimeError if such a process was killed.
    """
    from filelock import FileLock, Timeout

    require_whole_numbers(0, min_freq=min_freq)
    require_split(split)
    folder = path_from_outside(folder, "folder")
    sources = [source_of(path) for path in find_files(patterns, [folder])]
    open_folder(folder, sources, min_freq, split)
    if is_prepared(folder):
        text = PreparedText(folder)
        text.verify()
        print("prepared already; every byte is as it was written")
    else:
        try:
            with FileLock(folder / PARTS / ".lock", timeout=0):
                _prepare(parts_of(sources), folder, min_freq, scheduler, split)
        except Timeout:
            raise ValueError(f"another run prepares {folder}: wait for its end") from None
        text = PreparedText(folder)
    remove_parts(folder)
    return text


def _prepare(parts, folder, min_freq, scheduler, split):
    paths = list(map(Path, dict.fromkeys(part.path for part in parts)))
    with job_executor(scheduler) as executor:
        counts, names = count_parts(executor, parts, folder / PARTS, split)
        require_any_words(counts.num_tokens, " and ".join(map(str, paths)) or "the text", paths, split)
        if counts.num_dropped:
            dropped = f"{counts.num_dropped:,} words, each counted at most {counts.up_to} times"
            print(f"{dropped}, were dropped so that at most {MOST_WORDS:,} are kept")
        vocabulary = write_vocabulary(folder, counts.vocabulary(min_freq))
        jobs = [(f"shard-{number:06}", name) for number, name in enumerate(names)]
        sizes = [(folder / PARTS / f"{name}.ids").stat().st_size for name in names]
        records = dict(each_result(executor, write_shard, jobs, sizes, "encoding", str(folder), vocabulary["sha256"]))
    shards = [records[job] for job in jobs]
    totals = {name: sum(shard[name] for shard in shards) for name in ("tokens", "sentences")}
    name = f"prepared {folder.name}" if folder.name in NAMES else folder.name
    settings = {"version": VERSION, "name": name, "min_freq": min_freq, "split": split}
    manifest = {**settings, **totals, "vocabulary": vocabulary, "shards": shards}
    with whole_file(folder / MANIFEST) as temporary:
        temporary.write_text(json.dumps({**manifest, "sha256": seal_of(manifest)}, indent=1) + "\n", encoding="utf-8")
    tell_what_looks_wrong(paths, split)
