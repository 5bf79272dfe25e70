"""A training's state, kept while it goes on: in memory, and in a file that is whole or refused. No framework; used in `13_checkpoints`.

A run that was stopped at any moment, and resumes from its file, ends in the same bits as one that was not.
"""

import contextlib
import errno
import hashlib
import itertools
import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from helpers.arguments import path_from_outside, whole_file
from helpers.training import Epoch, History, Interrupted

CHECKPOINT_SECONDS = 30
TABLES = "embed_v", "embed_u"
SEAL_BYTES = 32


def require_checkpoint_path(path, vectors_path=None):
    """Raise a ValueError if `path` is neither None nor the name of a .safetensors file other than `vectors_path`."""
    if path is not None and (not isinstance(path, (str, os.PathLike)) or Path(path).suffix != ".safetensors"):
        raise ValueError(f"checkpoint_path must end in .safetensors, not {str(path)!r}")
    if path is not None and Path(path).stem.endswith(".previous"):
        raise ValueError(f"checkpoint_path must not end in .previous.safetensors, as the checkpoint before the newest does: {str(path)!r}")
    if path is not None and vectors_path is not None:
        path, vectors_path = path_from_outside(path).resolve(), path_from_outside(vectors_path).resolve()
        if vectors_path in (path, previous_path(path)):
            raise ValueError(f"checkpoint_path and vectors_path are both {str(vectors_path)!r}: name two files")


def previous_path(path):
    """Return the path of the checkpoint before the newest, which stands beside it."""
    return path.with_name(f"{path.stem}.previous{path.suffix}")


def checkpoint_beside(out):
    """Return the path of the checkpoint of a training that writes its vectors to `out`."""
    return Path(out).with_name(f"{Path(out).name}.checkpoint.safetensors")


def remove_checkpoint(path):
    """Remove a checkpoint, and the one before it, where they are."""
    for file in (previous_path(path), path):
        file.unlink(missing_ok=True)


def save_checkpoint(path, state, record):
    """Write arrays {name: array} and a record that JSON can hold to a .safetensors file, whole or not at all.

    Its last tensor, and so its last 32 bytes, are the SHA-256 of all bytes before.
    """
    seal = {"seal": np.zeros(SEAL_BYTES, np.uint8)}  # safetensors puts the smallest numbers last
    content = save({**state, **seal}, {"record": json.dumps(record)})[:-SEAL_BYTES]
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        file.write(content)
        file.write(hashlib.sha256(content).digest())
        file.flush()
        os.fsync(file.fileno())  # the name must not reach the disk before the content does


def load_checkpoint(path):
    """Read a checkpoint; returns its arrays and its record. Raises ValueError if a byte is not as it was written.

    The file is read piece by piece before anything in it is used, so that no other takes much memory.
    """
    path = Path(path)
    try:
        if not path.is_file():
            raise ValueError("it is not even a file")
        left, digest = path.stat().st_size - SEAL_BYTES, hashlib.sha256()
        with open(path, "rb") as file:
            while left > 0 and (part := file.read(min(left, 2**20))):
                digest.update(part)
                left -= len(part)
            if left or file.read(SEAL_BYTES + 1) != digest.digest():
                raise ValueError("it was changed or cut after it was written, or is another kind of file")
        with safe_open(path, "numpy") as file:
            state, record = {name: file.get_tensor(name) for name in file.keys()}, json.loads(file.metadata()["record"])
        del state["seal"]
        return state, record
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a whole checkpoint: {error}; delete it to start again, or name another checkpoint_path") from error


def settings_of(data):
    """Return what decides the examples of Minibatches or Blocks, with a hash of the examples or the text itself."""
    if hasattr(data, "examples"):
        settings = data.settings
        return settings if "resample" in settings else settings | {"resample": False}
    data = getattr(data, "blocks", data)  # of DeviceBlocks
    names = "corpus", "seed", "max_window_size", "num_noise_words"
    settings = {name: getattr(data, name) for name in names}
    digest = hashlib.sha256()
    for part in (data, *([] if data.held_out is None else [data.held_out])):
        for array in (part.ids, part.sentence, part.counts, part.weights, part.noise_probability):
            digest.update(f"{array.dtype} {array.shape}".encode())
            digest.update(getattr(array, "sha256", None) or np.ascontiguousarray(array))  # a prepared text brings its own
    return {**settings, "resample": True, "examples": digest.hexdigest()[:16]}


class CheckpointLock:
    """A lock, on a file beside a checkpoint, that lets one run at a time write it; a run that is killed leaves it unlocked.

    The file holds the number of the run's process, with which the names of its temporary files begin.
    """

    def __init__(self, path):
        self.path = Path(path).absolute()
        self.file = self.path.with_name(f".{self.path.name}.lock")
        self.lock = FileLock(self.file, timeout=0, thread_local=False, fallback_to_soft=False)

    def acquire(self):
        """Lock the checkpoint, and remove what a run that was killed left half written; ValueError if another run is at it."""
        if self.path.exists() and not os.access(self.path.parent, os.W_OK):
            return  # a finished training can be read where nobody can write
        last_run = self.file.read_bytes() if self.file.is_file() else b""
        if (last_run and not last_run.isdigit()) or any(kind(self.file) for kind in (Path.is_symlink, Path.is_dir, Path.is_fifo)):
            raise ValueError(f"{self.file} is no lock of a checkpoint: move it away, or name another checkpoint_path")
        try:
            self.lock.acquire()
        except Timeout:
            who = f"another run (process {last_run.decode()})" if last_run else "another run"
            raise ValueError(f"{who} trains with the checkpoint {self.path}: wait for its end, or name another checkpoint_path") from None
        for path in (self.path, previous_path(self.path)) if last_run else ():
            path.with_name(f".{last_run.decode()}.{path.name}").unlink(missing_ok=True)  # as whole_file names it
        self.file.write_text(f"{os.getpid()}", encoding="ascii")

    def release(self):
        """Unlock the checkpoint, if it is locked."""
        if self.lock.is_locked:
            self.file.unlink(missing_ok=True)
            self.lock.release()


class Checkpoint:
    """A training's last good tables, in memory, and its state in a file where `path` is not None.

    `get_state()` returns copies of the state, {name: array}, the tables as "embed_v" and "embed_u"; `set_state(state)` puts
    one back. `settings` are what the training's bits depend on. Where the newest file is damaged, the one before it is used.
    From `begin` or `resume` to `close` the file is locked: no other run can use it.
    """

    def __init__(self, path, get_state, set_state, num_workers=1, **settings):
        require_checkpoint_path(path)
        if path is not None and num_workers > 1:
            raise ValueError(f"no two runs with several workers are equal: for a checkpoint_path num_workers must be 1, not {num_workers}")
        self.path = path and Path(os.path.realpath(path_from_outside(path, "checkpoint_path")))  # a link shares the lock of its file
        self.get_state, self.set_state, self.settings = get_state, set_state, settings
        self.tables, self.unproven, self.is_whole = None, None, False
        self.lock = path and CheckpointLock(self.path)

    def begin(self, record, data, num_epochs, device):
        """Keep the state that a training starts from, or resume from the file; returns the record to resume from.

        Raises ValueError for a file that is damaged, of another training, or used by another run, OSError for one that can't
        be written, FloatingPointError for tables that hold a number that is not finite.
        """
        if self.path is not None:
            tables = self.get_state()["embed_v"]
            sizes = {"vocabulary": len(tables), "embed_size": tables.shape[1]}
            settings = {**self.settings, "num_epochs": num_epochs, "device": str(device), **sizes, **settings_of(data)}
            self.settings = json.loads(json.dumps(settings, default=lambda number: number.item()))  # NumPy's numbers too
        return self.resume(record, num_epochs)

    def resume(self, record, num_epochs):
        """As `begin`, where `settings` are all that the bits depend on already."""
        if self.path is not None:
            with self._told_disk():
                self.lock.acquire()
            if self.path.exists():
                record = self._read()
            elif previous_path(self.path).exists():
                load_checkpoint(previous_path(self.path))  # a file of somebody's under this name is refused, not written over
        if len(record["epochs"]) < num_epochs:
            self.keep(record)
        return record

    def _read(self):
        try:
            state, found = load_checkpoint(self.path)
            self.is_whole, path = True, self.path
        except ValueError as error:
            path = previous_path(self.path)
            if not path.exists():
                raise
            state, found = load_checkpoint(path)
            print(f"{self.path.name} is damaged, so the one before it is used: {path.name} ({error})")
        there = found["settings"]
        different = [
            f"{name} is {there.get(name)!r} there, not {self.settings.get(name)!r}"
            for name in {**self.settings, **there} if name != "device" and there.get(name) != self.settings.get(name)
        ]  # fmt: skip
        if different:
            told = "; ".join(different)
            raise ValueError(f"{path} is a checkpoint of another training: {told}. Name another checkpoint_path, or delete it")
        before, now = there.get("device"), self.settings.get("device")
        if before != now:
            print(f"{path.name} was made on {before}: on {now} the training goes on to other last digits")
        self.set_state(state)
        return found["record"]

    def is_due(self):
        """Return whether the state was kept so long ago that it is time."""
        return time.monotonic() - self.kept >= CHECKPOINT_SECONDS

    def keep(self, record):
        """Keep the state as it is now, with a record of where the training is; FloatingPointError if it is not good."""
        state = self.get_state()
        for name, array in state.items():
            if not np.isfinite(array).all():
                advice = "start from a new model" if self.tables is None else f"choose a smaller lr than {self.settings['lr']}"
                raise FloatingPointError(f"{name} holds a number that is not finite: {advice}")
        self.unproven, self.kept = {name: state[name] for name in TABLES}, time.monotonic()
        if self.tables is None:
            self.prove()
        if self.path is not None:
            with self._told_disk():
                self._write(state, record)

    @contextlib.contextmanager
    def _told_disk(self):
        try:
            yield
        except OSError as error:
            raise OSError(
                f"can't write the checkpoint {self.path}: {error.strerror or error}; make room for it, or name another checkpoint_path"
            ) from error

    def _write(self, state, record):
        if self.path.exists() and not self.path.stat().st_mode & 0o222:
            raise PermissionError(errno.EACCES, "it may only be read")
        if self.is_whole and self.path.exists():
            with whole_file(previous_path(self.path)) as temporary:
                shutil.copyfile(self.path, temporary)
        save_checkpoint(self.path, state, {"settings": self.settings, "record": record})
        self.is_whole = True

    def prove(self):
        """Call the tables that were kept last good: they are the first ones, or a step from there had a loss that was."""
        if self.unproven is not None:
            self.tables, self.unproven = self.unproven, None

    def restore(self):
        """Put the last good tables back."""
        self.set_state({**self.get_state(), **self.tables})

    def close(self):
        """Let other runs use the file."""
        if self.path is not None:
            self.lock.release()


class ResumableHistory(History):
    """A History whose training is kept in a Checkpoint as it goes, and resumes from it where its file holds one.

    It begins with the epochs that are done, and `step` minibatches of the next one are. Errors are those of `Checkpoint.begin`.
    """

    def __init__(self, data_iter, num_epochs, device, checkpoint):
        super().__init__(data_iter, num_epochs, device)
        self.checkpoint, self.has_begun = checkpoint, False
        with contextlib.ExitStack() as failed:
            failed.callback(checkpoint.close)
            self._begin(data_iter, num_epochs, device)
            failed.pop_all()

    def _begin(self, data_iter, num_epochs, device):
        new = self.record()
        record = self.checkpoint.begin(new, data_iter, num_epochs, device)
        self.extend(Epoch(*numbers) for numbers in record["epochs"])
        self.step, self.seconds = record["step"], record["seconds"]
        self.totals, self.at_last_point = np.array(record["totals"]), np.array(record["at_last_point"])
        if record is not new:
            print(f"resumes from {self.checkpoint.path.name}, after {self.place()}")
        for name, points in record["points"].items():
            for point in zip(*points):
                self.curve.add(name, *point)
        self.bar.n = self.bar.initial = record["batches"]

    def record(self):
        """Return where the training is, as JSON can hold it."""
        where = {"epochs": [list(epoch) for epoch in self], "step": self.step, "seconds": self.seconds}
        sums = {"totals": self.totals.tolist(), "at_last_point": self.at_last_point.tolist()}
        return {**where, **sums, "batches": self.bar.n, "points": self.curve.points}

    @contextlib.contextmanager
    def recording(self):
        """As `History.recording`; the checkpoint knows the model, has the last good tables, and is closed at the end."""
        with contextlib.closing(self.checkpoint), super().recording(None, None, None):
            yield

    def remember(self):
        """Keep the state after an epoch; the checkpoint kept that of the start."""
        if self.has_begun:
            self.keep_state(True)
        self.has_begun = True

    def restore(self):
        self.checkpoint.restore()

    def batches(self, batches=None):
        """As `History.batches`, from the step on that the training stands at."""
        return super().batches(batches or itertools.islice(self.data_iter.epoch(len(self)), self.step, None))

    def after_step(self):
        """Keep the state if that is due, or if Ctrl-C was pressed, which is then raised."""
        self.checkpoint.prove()
        self.keep_state(self.checkpoint.is_due())

    def keep_state(self, is_due):
        if is_due or self.interrupts:
            self.checkpoint.keep(self.record())
        if self.interrupts:
            path = self.checkpoint.path
            how = f"the same call resumes from {path.name}" if path else "with a checkpoint_path the same call would resume here"
            raise Interrupted(f"stopped after {self.place()}; the model has what it learned, and {how}")
