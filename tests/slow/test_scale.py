"""Training in several processes on prepared text: what one rank and two ranks come to, kills, and whatever can be wrong."""

import os
import re
import shutil
import signal
import socket
import subprocess
import time

import numpy as np
import psutil
import pytest
import torch.distributed as dist

from helpers import model_pytorch
from helpers.beyond.blocks import load_blocks, word2vec_tables
from helpers.beyond.blocks_pytorch import train_blocks
from helpers.beyond.checkpoints import checkpoint_beside, previous_path
from helpers.beyond.scale import ranks as scale
from helpers.beyond.vector_files import read_vectors
from helpers.vectors import load_vectors
from tests.conftest import ROOT, own_topic_share
from tests.listening import watch
from tests.ranks import command_of, finish, free_port, prepared, start_rank, torchrun, wait_for

pytestmark = pytest.mark.slow
TIMEOUT = 15  # seconds to wait for a silent rank, which may start so much later, too, where others work


@pytest.fixture(scope="module")
def corpus(small_text, tmp_path_factory):
    """The small text four times over, prepared in several shards."""
    path = tmp_path_factory.mktemp("text") / "four.txt"
    path.write_text((small_text.read_text() + "\n") * 4)
    return prepared(path, path.parent / "prepared")


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    """What two ranks come to that nobody disturbs: the file."""
    out = tmp_path_factory.mktemp("whole") / "vectors.safetensors"
    code, told = finish(torchrun(corpus, out))
    assert code == 0, told
    return out


def test_one_rank_trains_as_train_blocks_does_to_the_bit(corpus, tmp_path):
    blocks, vocab = load_blocks(corpus, 5, 5, seed=3)
    net = model_pytorch.model_from_tables(*word2vec_tables(len(vocab), 16, 3))
    history = train_blocks(net, blocks, 0.02, 3)
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        epochs = scale.train_ranks(corpus, tmp_path / "out.safetensors", 16, 0.02, 3, 5, 5, None, 3, 2)
    finally:
        dist.destroy_process_group()
    vectors = load_vectors(tmp_path / "out.safetensors")
    for table, other in zip(model_pytorch.to_arrays(net), (vectors.embed_v, vectors.embed_u)):
        np.testing.assert_array_equal(table, other)
    np.testing.assert_allclose([epoch[:2] for epoch in epochs], [[epoch.loss, epoch.held_out] for epoch in history])


def test_two_ranks_learn_the_topics_and_end_in_the_same_bits_each_time(corpus, whole, tmp_path):
    vectors = load_vectors(whole)
    assert own_topic_share(vectors.tokens, vectors.embed_v) > 0.9
    summary = vectors.settings
    losses = [epoch["held_out"] for epoch in summary["epochs"]]
    assert losses[-1] < losses[0] < 0.7 and len(losses) == 4 and (summary["ranks"], summary["starts"]) == (2, 1)
    tables = 2 * 401 * 16 * 4
    assert summary["bytes sent per token by a rank"] == pytest.approx(tables * summary["exchanges"] / (4 * 228_000), rel=0.01)
    code, told = finish(torchrun(corpus, tmp_path / "again.bin"))
    assert code == 0 and told.count("held-out") == 5 and "4 epochs of 228,000 words in " in told, told
    again = read_vectors(tmp_path / "again.bin")
    assert again.tokens == vectors.tokens[1:] and again.embed_v.tobytes() == vectors.embed_v[1:].tobytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.bin"]


def test_ranks_without_torchrun_end_in_the_same_bits_and_listen_nowhere(corpus, whole, tmp_path):
    (code,), found = watch(command_of(corpus, tmp_path / "v.safetensors"))
    assert code == 0 and found == set()
    assert bits(tmp_path / "v.safetensors") == bits(whole)
    done = subprocess.run(command_of(corpus, tmp_path / "other.txt", lr=5), cwd=ROOT, capture_output=True, text=True)
    told = re.findall("Error: rank . .*choose a smaller lr", done.stderr)
    assert done.returncode == 1 and len(told) == 2 and "Traceback" not in done.stderr, done.stderr


def bits(out):
    """The two tables that a training left."""
    vectors = load_vectors(out)
    return vectors.embed_v.tobytes(), vectors.embed_u.tobytes()


def test_ranks_that_are_killed_change_no_bit(corpus, tmp_path):
    """Each is killed once, in a training that is long enough for it."""
    code, told = finish(torchrun(corpus, tmp_path / "whole.safetensors", epochs=100))
    assert code == 0, told
    out = tmp_path / "out.safetensors"
    previous = previous_path(checkpoint_beside(out))
    process = torchrun(corpus, out, "--max-restarts=3", epochs=100)
    killed = set()
    for rank in ("0", "1"):
        wait_for(process, previous)
        time.sleep(0.3)
        children = [child for child in psutil.Process(process.pid).children() if child.pid not in killed]
        ranks = [child for child in children if child.environ().get("RANK") == rank]
        killed |= {child.pid for child in children}  # before the kill: new ones may be there a moment after it
        ranks[0].kill()
        if rank == "0":
            new_ranks(process, killed)
            previous.unlink()
    code, told = finish(process)
    assert code == 0, told
    assert load_vectors(out).settings["starts"] == 3
    assert bits(out) == bits(tmp_path / "whole.safetensors") and not list(tmp_path.glob("*checkpoint*"))


def new_ranks(process, before):
    """Wait until torchrun has started ranks anew."""
    end = time.monotonic() + 300
    while not [child for child in psutil.Process(process.pid).children() if child.pid not in before]:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_vectors_that_are_there_are_left_alone(corpus, whole):
    before = whole.stat().st_mtime_ns
    both_told(start_both(corpus, whole), "is there already: name another --out")
    done = subprocess.run(command_of(corpus, whole), cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "is there already" in done.stderr
    assert whole.stat().st_mtime_ns == before


def test_vectors_whose_checkpoint_was_not_yet_removed_are_not_trained_again(corpus, whole, tmp_path, monkeypatch):
    out = tmp_path / "v.safetensors"
    monkeypatch.setattr(scale, "remove_checkpoint", lambda path: None)
    for time_ in range(2):
        dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting{time_}", rank=0, world_size=1)
        try:
            scale.train_ranks(corpus, out, 16, 0.02, 3, 5, 5, None, 3, 2)
        finally:
            dist.destroy_process_group()
        assert load_vectors(out).settings["exchanges"] == 3 * 4 and load_vectors(out).settings["starts"] == time_ + 1


def start_both(corpus, out, **settings):
    """Start two ranks by hand."""
    port = free_port()
    return [start_rank(rank, port, corpus, out, **settings) for rank in range(2)]


def both_told(ranks, reason):
    """Wait for ranks that must fail: each says why in a line of its own, in bounded time."""
    start = time.monotonic()
    for rank, process in enumerate(ranks):
        code, told = finish(process)
        assert code == 1 and f"Error: rank {rank} on " in told and reason in told and "Traceback" not in told, told
    assert time.monotonic() - start < 300


def test_other_settings_than_the_checkpoints_are_refused_on_every_rank(corpus, tmp_path):
    out = tmp_path / "v.safetensors"
    ranks = start_both(corpus, out, epochs=1000)
    wait_for(ranks[0], checkpoint_beside(out))
    for process in ranks:
        process.kill()
        process.communicate()
    both_told(start_both(corpus, out, epochs=1000, lr=0.03), "lr is 0.02 there, not 0.03")


def test_a_rank_with_other_settings_or_another_text_is_named_on_every_rank(corpus, small_text, tmp_path):
    port = free_port()
    ranks = [start_rank(rank, port, corpus, tmp_path / "out.txt", seed=rank) for rank in range(2)]
    both_told(ranks, "rank 1 has other settings than rank 0: seed is 1")
    other, port = prepared(small_text, tmp_path / "other"), free_port()
    ranks = [start_rank(rank, port, (corpus, other)[rank], tmp_path / "out.txt") for rank in range(2)]
    both_told(ranks, "rank 1 has other settings than rank 0: text is")


@pytest.mark.parametrize("damage", ["missing", "empty", "changed", "manifest"])
def test_a_folder_that_is_damaged_on_one_rank_is_told_on_every_rank(corpus, tmp_path, damage):
    shutil.copytree(corpus, tmp_path / "copy")
    path = tmp_path / "copy" / ("manifest.json" if damage == "manifest" else "shard-000000.ids")
    content = path.read_bytes()
    path.write_bytes({"changed": content[:-1] + bytes([content[-1] ^ 1]), "manifest": content[:-9]}.get(damage, b""))
    if damage == "missing":
        path.unlink()
    both_told(start_both(tmp_path / "copy", tmp_path / "out.txt"), path.name)
    assert not (tmp_path / "out.txt").exists()


def test_a_rank_that_vanishes_ends_the_others_in_bounded_time(corpus, tmp_path):
    first, second = start_both(corpus, tmp_path / "out.txt", timeout=TIMEOUT, epochs=1000)
    wait_for(first, checkpoint_beside(tmp_path / "out.txt"))
    second.send_signal(signal.SIGSTOP)
    start = time.monotonic()
    try:
        code, told = finish(first)
    finally:
        second.kill()
    assert code == 1 and "Error: rank 0 on " in told and "goes on from the last checkpoint" in told, told
    assert time.monotonic() - start < TIMEOUT + 60


@pytest.mark.parametrize("name, told", [("SIGKILL", "rank 1 was ended by SIGKILL"), ("SIGSTOP", "rank 1 does not answer, and was ended")])
def test_the_command_names_a_rank_that_is_killed_or_hangs_and_waits_for_no_one_for_ever(name, told, corpus, tmp_path):
    out = tmp_path / "out.txt"
    command = command_of(corpus, out, timeout=TIMEOUT, epochs=1000)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    wait_for(process, checkpoint_beside(out))
    ranks = [child for child in psutil.Process(process.pid).children() if "spawn_main" in " ".join(child.cmdline())]
    second = max(ranks, key=lambda child: child.pid)  # the last that was started
    second.send_signal(getattr(signal, name))
    start = time.monotonic()
    _, lines = process.communicate(timeout=300)
    assert process.returncode == 1 and told in lines, lines
    assert time.monotonic() - start < 2 * TIMEOUT + 60  # the other rank has noticed, and it was waited for


def test_a_second_command_with_the_same_out_is_refused_and_the_first_trains_on(corpus, tmp_path):
    out = tmp_path / "out.txt"
    command = command_of(corpus, out, ranks=1, epochs=1000)
    first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(first, checkpoint_beside(out))
        second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
        assert second.returncode == 1 and "another run (process " in second.stderr and "Traceback" not in second.stderr, second.stderr
        assert first.poll() is None
    finally:
        family = psutil.Process(first.pid).children(recursive=True)
        first.kill()
        first.wait()
        psutil.wait_procs(family, 30)


def test_ranks_end_with_the_command_that_started_them(corpus, tmp_path):
    out = tmp_path / "out.txt"
    command = command_of(corpus, out, epochs=1000)
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(process, checkpoint_beside(out))
    family = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    gone, alive = psutil.wait_procs(family, 60)  # half of the time after which a silent rank is given up
    assert len(gone) >= 2 and alive == []


def test_a_rate_that_is_too_large_is_told_on_every_rank(corpus, tmp_path):
    both_told(start_both(corpus, tmp_path / "out.txt", lr=5), "choose a smaller lr")


def test_too_few_shards_for_the_ranks_and_a_torchrun_that_can_not_restart_are_told(corpus, small_text, tmp_path):
    (tmp_path / "one.txt").write_text("a b c\n" * 100)
    one = prepared(tmp_path / "one.txt", tmp_path / "one")
    both_told(start_both(one, tmp_path / "out.txt"), "too few for 2")
    code, told = finish(torchrun(one, tmp_path / "out.txt", "--max-restarts=1", share_store=True))
    assert code == 1 and "set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 for torchrun" in told


def test_a_text_without_known_words_is_told(corpus, tmp_path):
    command = command_of(corpus, tmp_path / "out.txt", ranks=1, min_freq=10**9)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "no word that occurs min_freq times" in done.stderr.splitlines()[-1]


def test_a_port_in_use_is_told_in_bounded_time(corpus, tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        first = start_rank(0, listener.getsockname()[1], corpus, tmp_path / "out.txt", timeout=5)
        code, told = finish(first)
    assert code == 1 and "Error: rank 0 on " in told and "address already in use" in told.lower(), told


def test_ctrl_c_leaves_a_checkpoint_that_the_same_command_goes_on_from(corpus, whole, tmp_path):
    out = tmp_path / "v.safetensors"
    process = torchrun(corpus, out)
    wait_for(process, checkpoint_beside(out), out)  # the checkpoint is gone again when the vectors are there
    os.killpg(process.pid, signal.SIGINT)
    code, _ = finish(process)
    assert not list(tmp_path.glob(".*"))
    if not out.exists():
        code, told = finish(torchrun(corpus, out))
        assert code == 0, told
    assert bits(out) == bits(whole)


def test_a_text_that_is_no_prepared_folder_is_told_on_every_rank(corpus, small_text, tmp_path):
    port = free_port()
    texts = corpus, small_text
    both_told([start_rank(rank, port, texts[rank], tmp_path / "v.txt") for rank in range(2)], "ranks train on one prepared folder")
