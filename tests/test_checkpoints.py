"""Trainings that are stopped and resume from their file: the same bits, clear refusals, and tables that stay finite."""

import contextlib
import functools
import hashlib
import inspect
import os
import resource
import signal
import subprocess
import sys

import numpy as np
import pytest
from filelock import FileLock

from helpers import model_pytorch
from helpers.beyond import checkpoints
from helpers.beyond.checkpoints import load_checkpoint, previous_path, require_checkpoint_path, save_checkpoint
from helpers.training import Interrupted, waiting_interrupts
from tests.conftest import ROOT
from tests.test_models import adam
from tests.training import WAYS, beyond, load, new_net, start

NUM_EPOCHS = 2


@pytest.fixture(params=WAYS)
def way(request):
    return request.param


@pytest.fixture(scope="module")
def loaded(small_text):
    """What each way trains on in each framework: made once, since a training does not change it."""
    made = {}

    def get(model, way):
        if (model, way) not in made:
            made[model, way] = load(model, way, small_text)
        return made[model, way]

    return get


@pytest.fixture(scope="module")
def in_one_go(loaded):
    made = {}

    def get(model, way):
        if (model, way) not in made:
            data, vocab = loaded(model, way)
            net = new_net(model, way, len(vocab))
            made[model, way] = start(model, way, net, data, NUM_EPOCHS), model.to_arrays(net)
        return made[model, way]

    return get


def num_steps(data):
    return NUM_EPOCHS * len(data)


def ctrl_c_in_step(number):
    """Press Ctrl-C in the middle of a step: what `start` puts around each."""
    calls = []

    def around(step):
        def with_ctrl_c(*arguments):
            calls.append(1)
            if len(calls) == number:
                signal.raise_signal(signal.SIGINT)
            return step(*arguments)

        return with_ctrl_c

    return around


def no_step(step):
    """Put around steps none of which may be taken."""

    def fail(*_):
        raise RuntimeError("a step was taken")

    return fail


def set_table(model, net, number, table):
    """Give one layer of a model other values."""
    tables = model.to_arrays(net)
    for layer, array in zip(net, [table if place == number else old for place, old in enumerate(tables)]):
        if model is model_pytorch:
            layer.weight.data.copy_(model.torch.from_numpy(array))
        else:
            layer.weight.set_data(model.mx.np.array(array))


def same(first, second):
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.view(np.uint32), other.view(np.uint32))


def losses(history):
    return [epoch[:4] for epoch in history]


@pytest.mark.parametrize("seed", range(2))
def test_a_training_stopped_at_random_steps_ends_in_the_same_bits(model, way, seed, loaded, in_one_go, tmp_path, capsys):
    (data, vocab), (wanted, tables), path = loaded(model, way), in_one_go(model, way), tmp_path / "c.safetensors"
    rng = np.random.default_rng(seed)
    done = 0
    while True:
        net = new_net(model, way, len(vocab))
        further = int(rng.integers(1, 1 + num_steps(data) // 2))
        if done + further >= num_steps(data):
            break
        with pytest.raises(Interrupted, match="the same call resumes from c.safetensors"):
            start(model, way, net, data, NUM_EPOCHS, path, ctrl_c_in_step(further))
        state, kept = load_checkpoint(path)
        done += further
        assert kept["record"]["batches"] == done
        same(model.to_arrays(net), [state[name] for name in checkpoints.TABLES])
    history = start(model, way, net, data, NUM_EPOCHS, path)
    assert losses(history) == losses(wanted)
    same(model.to_arrays(net), tables)
    assert "resumes from c.safetensors" in capsys.readouterr().out or not done


def test_a_finished_checkpoint_returns_at_once_with_tables_and_history(model, way, loaded, tmp_path):
    (data, vocab), path = loaded(model, way), tmp_path / "c.safetensors"
    net = new_net(model, way, len(vocab))
    history = start(model, way, net, data, NUM_EPOCHS, path)
    content, again = path.read_bytes(), new_net(model, way, len(vocab))
    found = start(model, way, again, data, NUM_EPOCHS, path, no_step)
    assert found == history and found.curve.points == history.curve.points
    same(model.to_arrays(again), model.to_arrays(net))
    assert path.read_bytes() == content


def test_a_checkpoint_is_written_when_it_is_due_and_at_each_epochs_end(model, way, loaded, tmp_path, monkeypatch):
    data, vocab = loaded(model, way)
    written = []

    def save_checkpoint(path, state, content):
        written.append((len(content["record"]["epochs"]), content["record"]["step"]))

    monkeypatch.setattr(checkpoints, "save_checkpoint", save_checkpoint)
    start(model, way, new_net(model, way, len(vocab)), data, NUM_EPOCHS, tmp_path / "c.safetensors")
    assert written == [(epoch, 0) for epoch in range(NUM_EPOCHS + 1)]
    written.clear()
    monkeypatch.setattr(checkpoints, "CHECKPOINT_SECONDS", 0)
    start(model, way, new_net(model, way, len(vocab)), data, NUM_EPOCHS, tmp_path / "c.safetensors")
    assert written[0] == (0, 0) and (1, 1) in written and len(written) > num_steps(data)


def test_each_setting_that_differs_is_named_with_both_values(model, loaded, small_text, tmp_path):
    (data, vocab), path = loaded(model, "plain"), tmp_path / "c.safetensors"
    start(model, "plain", new_net(model, "plain", len(vocab)), data, 1, path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"another training: lr is 0.01 there, not 0.5; num_epochs is 1 there, not 2. Name another"):
        start(model, "plain", new_net(model, "plain", len(vocab)), data, 2, path, lr=0.5)
    with pytest.raises(ValueError, match=r"training: embed_size is 16 there, not 3\. Name"):
        start(model, "plain", model.new_model(len(vocab), 3, seed=0), data, 1, path)
    with pytest.raises(ValueError, match=r"method is 'Adam, train_batch, .*' there, not 'Adam, fast_train_batch, "):
        resumable_train, step = beyond(model, "resuming").resumable_train, beyond(model, "gradients").fast_train_batch
        resumable_train(new_net(model, "plain", len(vocab)), data, 0.01, 1, "cpu", step, path)
    for change, names in (
        (dict(seed=6), ["seed"]), (dict(batch_size=100), ["batch_size"]), (dict(max_window_size=4), []),
        (dict(num_noise_words=4), ["num_noise_words"]),
    ):  # fmt: skip
        other, _ = model.load_data(small_text, **{**dict(batch_size=128, max_window_size=5, num_noise_words=5, seed=5), **change})
        with pytest.raises(ValueError) as error:
            start(model, "plain", new_net(model, "plain", len(vocab)), other, 1, path)
        for name in [*names, *([] if "batch_size" in change else ["examples"])]:
            assert f"{name} is " in str(error.value)
    with pytest.raises(ValueError, match="another training: resample is False there, not True. Name"):
        start(model, "plain", new_net(model, "plain", len(vocab)), loaded(model, "resample")[0], 1, path)
    blocks, _ = loaded(model, "blocks")
    with pytest.raises(ValueError, match=r"method is 'Adam, train_batch, \w+ [\w.+]+' there, not 'blocks, "):
        start(model, "blocks", new_net(model, "blocks", len(vocab)), blocks, 1, path)
    assert path.read_bytes() == before


def test_a_checkpoint_of_the_other_framework_is_refused(loaded, model_mxnet, tmp_path):
    data, vocab = loaded(model_pytorch, "blocks")
    for model in (model_pytorch, model_mxnet):
        net = new_net(model, "blocks", len(vocab))
        refused = pytest.raises(ValueError, match="method is 'blocks, torch .* not 'blocks, mxnet")
        with contextlib.nullcontext() if model is model_pytorch else refused:
            start(model, "blocks", net, data, 1, tmp_path / "c.safetensors")


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_is_used_aloud(model, way, loaded, in_one_go, tmp_path, capsys):
    (data, vocab), (wanted, tables), path = loaded(model, way), in_one_go(model, way), tmp_path / "c.safetensors"
    start(model, way, new_net(model, way, len(vocab)), data, NUM_EPOCHS, path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    net = new_net(model, way, len(vocab))
    history = start(model, way, net, data, NUM_EPOCHS, path)
    assert "c.safetensors is damaged, so the one before it is used: c.previous.safetensors" in capsys.readouterr().out
    assert losses(history) == losses(wanted)
    same(model.to_arrays(net), tables)
    for damaged in (path, previous_path(path)):
        damaged.write_bytes(b"")
    with pytest.raises(ValueError, match=r"c.previous.safetensors is not a whole checkpoint: .*delete it to start again, or name another"):
        start(model, way, net, data, NUM_EPOCHS, path)


def test_a_damaged_checkpoint_never_takes_the_place_of_the_one_before(model, way, loaded, tmp_path):
    (data, vocab), path = loaded(model, way), tmp_path / "c.safetensors"
    start(model, way, new_net(model, way, len(vocab)), data, NUM_EPOCHS, path)
    good = previous_path(path).read_bytes()
    path.write_bytes(b"damaged")
    with pytest.raises(RuntimeError, match="a step was taken"):
        start(model, way, new_net(model, way, len(vocab)), data, NUM_EPOCHS, path, no_step)
    assert previous_path(path).read_bytes() == good
    assert load_checkpoint(path)[1] == load_checkpoint(previous_path(path))[1]


def test_a_second_run_with_a_checkpoint_in_use_is_refused_and_the_first_goes_on(model, way, loaded, in_one_go, tmp_path):
    (data, vocab), (wanted, tables), path = loaded(model, way), in_one_go(model, way), tmp_path / "c.safetensors"
    nets, refused = [new_net(model, way, len(vocab)) for _ in range(2)], []

    def start_another(step):
        def with_another(*arguments):
            if not refused:
                refused.append(True)
                told = rf"another run \(process {os.getpid()}\) trains with the checkpoint .*: wait for its end, or name"
                with pytest.raises(ValueError, match=told):
                    start(model, way, nets[1], data, NUM_EPOCHS, path, no_step)
            return step(*arguments)

        return with_another

    history = start(model, way, nets[0], data, NUM_EPOCHS, path, start_another)
    assert refused and losses(history) == losses(wanted)
    same(model.to_arrays(nets[0]), tables)
    start(model, way, nets[1], data, NUM_EPOCHS, path, no_step)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c.previous.safetensors", "c.safetensors"]


KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from helpers import arguments
from helpers.beyond import checkpoints
tables = {name: np.zeros((2, 2), np.float32) for name in checkpoints.TABLES}
checkpoint = checkpoints.Checkpoint(sys.argv[1], lambda: tables, None)
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
checkpoint.resume({"epochs": []}, 1)
"""


def test_a_killed_run_leaves_no_lock_and_the_next_removes_its_half_written_file_alone(loaded, tmp_path):
    (data, vocab), path = loaded(model_pytorch, "plain"), tmp_path / "c.safetensors"
    done = subprocess.run([sys.executable, "-c", KILLED, path], cwd=ROOT)
    left = [file.name for file in tmp_path.iterdir()]
    assert done.returncode == -signal.SIGKILL and len(left) == 2 and ".c.safetensors.lock" in left
    others = ".2024.c.safetensors", ".1.a.c.safetensors"  # a person's file, another run's
    for other in others:
        (tmp_path / other).write_bytes(b"not ours")
    start(model_pytorch, "plain", new_net(model_pytorch, "plain", len(vocab)), data, 1, path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(["c.previous.safetensors", "c.safetensors", *others])


def test_a_start_that_was_refused_holds_no_lock(model, loaded, tmp_path):
    (data, vocab), path = loaded(model, "plain"), tmp_path / "c.safetensors"
    start(model, "plain", new_net(model, "plain", len(vocab)), data, 1, path)
    with pytest.raises(ValueError, match="another training") as kept:  # as a notebook keeps its last error
        start(model, "plain", new_net(model, "plain", len(vocab)), data, 2, path)
    start(model, "plain", new_net(model, "plain", len(vocab)), data, 1, path, no_step)
    assert kept.value and not list(tmp_path.glob(".*"))


def test_a_file_in_the_place_of_the_lock_is_left_as_it_is(loaded, tmp_path):
    data, vocab = loaded(model_pytorch, "plain")
    (tmp_path / ".c.safetensors.lock").write_text("mine")
    with pytest.raises(ValueError, match=r"\.c\.safetensors\.lock is no lock of a checkpoint: move it away, or name another"):
        start(model_pytorch, "plain", new_net(model_pytorch, "plain", len(vocab)), data, 1, tmp_path / "c.safetensors")
    assert (tmp_path / ".c.safetensors.lock").read_text() == "mine"


@pytest.mark.parametrize("kind", ["link to a number", "link to nothing", "folder", "pipe"])
def test_what_is_no_file_in_the_place_of_the_lock_is_named_and_left(kind, loaded, tmp_path):
    (data, vocab), place, number = loaded(model_pytorch, "plain"), tmp_path / ".c.safetensors.lock", tmp_path / "number"
    number.write_text("1")
    makes = {"folder": place.mkdir, "pipe": lambda: os.mkfifo(place), "link to a number": lambda: place.symlink_to(number)}
    makes.get(kind, lambda: place.symlink_to(tmp_path / "nothing"))()
    with pytest.raises(ValueError, match=r"\.c\.safetensors\.lock is no lock of a checkpoint: move it away, or name another"):
        start(model_pytorch, "plain", new_net(model_pytorch, "plain", len(vocab)), data, 1, tmp_path / "c.safetensors")
    assert number.read_text() == "1" and {path.name for path in tmp_path.iterdir()} == {place.name, "number"}


def test_a_link_to_a_checkpoint_is_followed_and_shares_its_lock(loaded, tmp_path):
    (data, vocab), path, link = loaded(model_pytorch, "plain"), tmp_path / "c.safetensors", tmp_path / "link.safetensors"
    link.symlink_to(path)
    net = new_net(model_pytorch, "plain", len(vocab))
    lock = checkpoints.CheckpointLock(path)
    lock.acquire()
    with pytest.raises(ValueError, match="another run"):
        start(model_pytorch, "plain", net, data, 1, link)
    lock.release()
    start(model_pytorch, "plain", net, data, 1, link)
    assert link.is_symlink() and path.is_file()


def test_a_checkpoint_that_may_only_be_read_is_not_overwritten(loaded, tmp_path):
    (data, vocab), path = loaded(model_pytorch, "plain"), tmp_path / "c.safetensors"
    with pytest.raises(RuntimeError, match="a step"):
        start(model_pytorch, "plain", new_net(model_pytorch, "plain", len(vocab)), data, 1, path, no_step)
    path.chmod(0o400)
    before = path.read_bytes()
    with pytest.raises(OSError, match="can't write the checkpoint .*: it may only be read"):
        start(model_pytorch, "plain", new_net(model_pytorch, "plain", len(vocab)), data, 1, path)
    assert path.read_bytes() == before


def test_a_finished_checkpoint_can_be_read_where_nobody_can_write(loaded, tmp_path, monkeypatch):
    (data, vocab), path = loaded(model_pytorch, "plain"), tmp_path / "c.safetensors"
    start(model_pytorch, "plain", new_net(model_pytorch, "plain", len(vocab)), data, 1, path)
    monkeypatch.setattr(os, "access", lambda folder, mode: False)
    monkeypatch.setattr(FileLock, "acquire", lambda self: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    start(model_pytorch, "plain", new_net(model_pytorch, "plain", len(vocab)), data, 1, path, no_step)


@pytest.mark.parametrize("path, reason", [
    ("c.pkl", "checkpoint_path must end in .safetensors"), (7, "must end in .safetensors"), ("", "must end in .safetensors"),
    ("folder.safetensors", "it is not even a file"),
])  # fmt: skip
def test_a_path_that_can_not_serve_is_refused_before_the_first_step(model, way, loaded, tmp_path, monkeypatch, path, reason):
    data, vocab = loaded(model, way)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder.safetensors").mkdir()
    with pytest.raises(ValueError, match=reason):
        start(model, way, new_net(model, way, len(vocab)), data, 1, path, no_step)


def test_checkpoint_and_vectors_must_be_two_files():
    require_checkpoint_path(None, "v.safetensors")
    require_checkpoint_path("c.safetensors", "v.safetensors")
    with pytest.raises(ValueError, match="are both"):
        require_checkpoint_path("v.safetensors", "./v.safetensors")
    with pytest.raises(ValueError, match="are both"):
        require_checkpoint_path("v.safetensors", "v.previous.safetensors")


def test_the_name_of_the_checkpoint_before_the_newest_is_no_checkpoints_own():
    with pytest.raises(ValueError, match=r"must not end in \.previous\.safetensors"):
        require_checkpoint_path("c.previous.safetensors")


@contextlib.contextmanager
def full_disk(num_bytes):
    """No file can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_an_error_before_the_first_step(model, way, loaded, tmp_path):
    data, vocab = loaded(model, way)
    (tmp_path / "file").write_text("")
    with full_disk(10_000), pytest.raises(OSError, match="can't write the checkpoint .*c.safetensors.*make room for it, or name another"):
        start(model, way, new_net(model, way, len(vocab)), data, 1, tmp_path / "c.safetensors", no_step)
    with pytest.raises(OSError, match="can't write the checkpoint .*c.safetensors: (Not a directory|File exists)"):
        start(model, way, new_net(model, way, len(vocab)), data, 1, tmp_path / "file" / "c.safetensors", no_step)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_fills_up_leaves_the_last_checkpoint_to_go_on_from(model, way, loaded, in_one_go, tmp_path, monkeypatch):
    (data, vocab), (_, tables), path = loaded(model, way), in_one_go(model, way), tmp_path / "c.safetensors"
    save, calls = checkpoints.save_checkpoint, []

    def fill_up(*arguments):
        calls.append(1)
        with full_disk(10_000) if len(calls) == 3 else contextlib.nullcontext():
            save(*arguments)

    monkeypatch.setattr(checkpoints, "save_checkpoint", fill_up)
    with pytest.raises(OSError, match="can't write the checkpoint"):
        start(model, way, new_net(model, way, len(vocab)), data, NUM_EPOCHS, path)
    assert len(load_checkpoint(path)[1]["record"]["epochs"]) == 1
    net = new_net(model, way, len(vocab))
    start(model, way, net, data, NUM_EPOCHS, path)
    same(model.to_arrays(net), tables)


def test_several_workers_and_a_checkpoint_are_refused(loaded, tmp_path):
    data, vocab = loaded(model_pytorch, "blocks")
    with pytest.raises(ValueError, match="no two runs with several workers are equal: for a checkpoint_path num_workers must be 1, not 2"):
        train_blocks = beyond(model_pytorch, "blocks").train_blocks
        train_blocks(new_net(model_pytorch, "blocks", len(vocab)), data, 0.1, 1, 2, tmp_path / "c.safetensors")


def test_ctrl_c_waits_for_the_end_of_a_step_and_keeps_what_was_trained(model, way, loaded):
    data, vocab = loaded(model, way)
    net, short = new_net(model, way, len(vocab)), new_net(model, way, len(vocab))
    before = signal.getsignal(signal.SIGINT)
    stopped = pytest.raises(KeyboardInterrupt, match="stopped after batch 2 of epoch 1; .*with a checkpoint_path")
    with stopped as stop:
        start(model, way, net, data, NUM_EPOCHS, around=ctrl_c_in_step(2))
    assert signal.getsignal(signal.SIGINT) is before
    assert stop.value._render_traceback_() == [f"Interrupted: {stop.value}"]
    assert not np.array_equal(model.to_arrays(net)[0], model.to_arrays(short)[0])


def test_a_second_ctrl_c_acts_at_once(usual_signals):
    with pytest.raises(KeyboardInterrupt), waiting_interrupts() as came:
        signal.raise_signal(signal.SIGINT)
        assert came == ["Ctrl-C"]
        signal.raise_signal(signal.SIGINT)


@pytest.mark.parametrize("way", ["plain", "resample"])
def test_a_rate_far_too_large_stops_the_training_at_once_and_leaves_the_good_tables(model, way, loaded, tmp_path):
    data, vocab = loaded(model, way)
    net = new_net(model, way, len(vocab))
    before = model.to_arrays(net)
    told = "the training diverged, to a loss of .*: choose a smaller lr; the model has the last good"
    with pytest.raises(FloatingPointError, match=told):
        start(model, way, net, data, NUM_EPOCHS, tmp_path / "c.safetensors", lr=1e6)
    same(model.to_arrays(net), before)


def test_tables_are_called_good_when_a_step_from_there_was(model, loaded, monkeypatch):
    data, vocab = loaded(model, "plain")
    net, kept, usual, resuming = new_net(model, "plain", len(vocab)), [], model.held_out_loss, beyond(model, "resuming")

    def spoil(net, held_out, device):
        """After the second epoch, tables that are finite, and far too large."""
        kept.append(model.to_arrays(net))
        if len(kept) == 2:
            for number, table in enumerate(kept[-1]):
                set_table(model, net, number, table * 1e6)
        return usual(net, held_out, device)

    monkeypatch.setattr(resuming, "held_out_loss", spoil)
    with pytest.raises(FloatingPointError, match="diverged"):
        start(model, "plain", net, data, 3)
    same(model.to_arrays(net), kept[0])


def test_a_held_out_loss_that_is_not_finite_stops_the_training(model, way, loaded, monkeypatch):
    data, vocab = loaded(model, way)
    net = new_net(model, way, len(vocab))
    before = model.to_arrays(net)
    for module, name in ("resuming", "held_out_loss"), ("blocks", "held_out_block_loss"):
        monkeypatch.setattr(beyond(model, module), name, lambda *_: np.array([np.inf, 1, 1, 1]))
    told = "diverged, to a held-out loss that is not finite: choose a smaller lr; the model has the last good"
    with pytest.raises(FloatingPointError, match=told):
        start(model, way, net, data, 1)
    same(model.to_arrays(net), before)


@pytest.mark.parametrize("table", [0, 1])
@pytest.mark.parametrize("row", [0, 7])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_tables_that_are_not_finite_are_refused_before_the_first_step(model, way, loaded, table, row, value):
    data, vocab = loaded(model, way)
    tables = [array.copy() for array in model.to_arrays(new_net(model, way, len(vocab)))]
    tables[table][row, 3] = value
    with pytest.raises(FloatingPointError, match=f"{checkpoints.TABLES[table]} holds a number that is not finite: start from a new model"):
        start(model, way, model.model_from_tables(*tables), data, 1, around=no_step)


def test_tables_that_stop_being_finite_in_the_middle_stop_the_training(model, loaded):
    data, vocab = loaded(model, "plain")
    net = new_net(model, "plain", len(vocab))
    before, calls = model.to_arrays(net), []

    def spoil(step):
        def spoiled(*arguments):
            calls.append(1)
            found = step(*arguments)
            if len(calls) == 3:
                set_table(model, net, 1, before[1] * np.float32(np.nan))
            return found

        return spoiled

    with pytest.raises(FloatingPointError, match="diverged, to a loss of nan: choose a smaller lr"):
        start(model, "plain", net, data, NUM_EPOCHS, around=spoil)
    assert len(calls) == 4
    same(model.to_arrays(net), before)


@pytest.mark.parametrize("resample", [False, True])
def test_resumable_train_gives_the_bits_of_train(model, resample, loaded, in_one_go):
    way = "resample" if resample else "plain"
    (data, vocab), (wanted, tables) = loaded(model, way), in_one_go(model, way)
    net = new_net(model, way, len(vocab))
    history = model.train(net, data, 0.01, NUM_EPOCHS, "cpu")
    assert losses(history) == losses(wanted) and history.curve.points == wanted.curve.points
    same(model.to_arrays(net), tables)


def test_the_private_fields_of_mxnet_are_those_that_its_trainer_uses(model_mxnet):
    net = model_mxnet.new_model(5, 3, seed=0)
    optimizer = model_mxnet.gluon.Trainer(net.collect_params(), "adam", {"learning_rate": 0.01})
    (updater,), count = optimizer._updaters, optimizer._optimizer._index_update_count
    assert (updater.states, updater.states_synced, count) == ({}, {}, {}) and updater.optimizer is optimizer._optimizer
    assert [layer.weight.name for layer in net] == [parameter.name for parameter in optimizer._params], "numbered alike"
    for step in range(1, 4):
        with model_mxnet.autograd.record():
            loss = sum(layer.weight.data().sum() for layer in net)
        loss.backward()
        optimizer.step(1)
        assert optimizer._optimizer._index_update_count == {0: step, 1: step}
    mean, mean_square = updater.states[0]
    assert updater.states_synced == {0: True, 1: True} and type(mean) is type(mean_square)
    np.testing.assert_allclose(mean.asnumpy(), 1 - 0.9**3, rtol=1e-6)
    np.testing.assert_allclose(mean_square.asnumpy(), 1 - 0.999**3, rtol=1e-4)
    assert inspect.signature(type(updater).__init__).parameters.keys() == {"self", "optimizer"}


def test_a_state_put_into_a_new_optimizer_trains_on_as_the_old_one_does(model, loaded):
    (data, vocab), resuming = loaded(model, "plain"), beyond(model, "resuming")
    nets = [new_net(model, "plain", len(vocab)) for _ in range(2)]
    optimizers, device = [adam(model, net, 0.01) for net in nets], model.get_device("cpu")
    batches = list(data.epoch(0))[:6]
    assert {name.partition(".")[0] for name in resuming.get_state(nets[0], optimizers[0])} == set(checkpoints.TABLES)
    for batch in batches[:3]:
        model.train_batch(nets[0], batch, optimizers[0], device)
    state = resuming.get_state(nets[0], optimizers[0])
    resuming.set_state(nets[1], optimizers[1], state)
    for batch in batches[3:]:
        for net, optimizer in zip(nets, optimizers):
            model.train_batch(net, batch, optimizer, device)
    same(*(model.to_arrays(net) for net in nets))
    again = resuming.get_state(nets[1], optimizers[1])
    assert state.keys() == again.keys() and not np.array_equal(state["embed_v"], again["embed_v"]), "the state is a copy"


def test_the_last_bytes_of_a_checkpoint_are_the_hash_of_those_before(tmp_path):
    state = {"b": np.arange(5), "a": np.array(3.0), "c": np.zeros((0, 2), np.float32), "h": np.ones(3, np.float16)}
    save_checkpoint(tmp_path / "c.safetensors", state, {"record": [0.1, None]})
    content = (tmp_path / "c.safetensors").read_bytes()
    assert hashlib.sha256(content[:-32]).digest() == content[-32:]
    found, record = load_checkpoint(tmp_path / "c.safetensors")
    assert record == {"record": [0.1, None]} and found.keys() == state.keys()
    for name in state:
        np.testing.assert_array_equal(found[name], state[name])


def test_a_checkpoint_of_one_device_resumes_on_another_and_says_so(loaded, in_one_go, tmp_path, capsys):
    """No GPU is here: the same processor under another name stands in for it."""
    model, path = model_pytorch, tmp_path / "c.safetensors"
    (data, vocab), (_, wanted) = loaded(model, "plain"), in_one_go(model, "plain")
    resumable_train, net = beyond(model, "resuming").resumable_train, new_net(model, "plain", len(vocab))
    steps = []

    def stop(*arguments):
        steps.append(1)
        if len(steps) > len(data) + 1:
            raise KeyboardInterrupt
        return model.train_batch(*arguments)

    with pytest.raises(KeyboardInterrupt):
        resumable_train(net, data, 0.01, NUM_EPOCHS, "cpu", functools.wraps(model.train_batch)(stop), path)
    net = new_net(model, "plain", len(vocab))
    resumable_train(net, data, 0.01, NUM_EPOCHS, "cpu:0", checkpoint_path=path)
    assert "c.safetensors was made on cpu: on cpu:0 the training goes on to other last digits" in capsys.readouterr().out
    same(model.to_arrays(net), wanted)


def test_a_strangers_file_in_the_place_of_the_checkpoint_before_is_refused_and_kept(loaded, tmp_path):
    model, path = model_pytorch, tmp_path / "c.safetensors"
    data, vocab = loaded(model, "plain")
    previous_path(path).write_text("mine")
    with pytest.raises(ValueError, match="c.previous.safetensors is not a whole checkpoint: .*or name another checkpoint_path"):
        start(model, "plain", new_net(model, "plain", len(vocab)), data, 1, path)
    assert previous_path(path).read_text() == "mine" and not path.exists()
    previous_path(path).unlink()
    start(model, "plain", new_net(model, "plain", len(vocab)), data, 1, path)
    path.rename(previous_path(path))  # what a person leaves who starts again by deleting the newest file
    start(model, "plain", new_net(model, "plain", len(vocab)), data, 1, path)
    assert path.exists()
