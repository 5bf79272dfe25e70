"""Training in several processes on prepared text: what one rank and two ranks come to, kills, and whatever can be wrong."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch.distributed as dist

from helpers import model_pytorch
from helpers.beyond.blocks import load_blocks, word2vec_tables
from helpers.beyond.blocks_pytorch import train_blocks
from helpers.beyond.scale import ranks as scale
from helpers.vectors import load_vectors, nearest, vocab_of
from tests.conftest import ROOT
from tests.listening import LOOPBACK, watch
from tests.ranks import finish, free_port, options_of, prepared, start_rank, torchrun

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def corpus(small_text, tmp_path_factory):
    """The small text four times over, prepared in several shards."""
    path = tmp_path_factory.mktemp("text") / "four.txt"
    path.write_text((small_text.read_text() + "\n") * 4)
    return prepared(path, path.parent / "prepared")


@pytest.fixture(scope="module")
def whole(corpus, tmp_path_factory):
    """What two ranks come to that nobody disturbs: the folder."""
    out = tmp_path_factory.mktemp("whole")
    code, told = finish(torchrun(corpus, out))
    assert code == 0, told
    return out


def test_one_rank_trains_as_train_blocks_does_to_the_bit(corpus, tmp_path):
    blocks, vocab = load_blocks(corpus, 5, 5, seed=3)
    net = model_pytorch.model_from_tables(*word2vec_tables(len(vocab), 16, 3))
    history = train_blocks(net, blocks, 0.02, 3)
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        epochs = scale.train_ranks(corpus, tmp_path / "out", 16, 0.02, 3, 5, 5, None, 3, "changes", 2)
    finally:
        dist.destroy_process_group()
    vectors = load_vectors(tmp_path / "out" / "vectors.safetensors")
    for table, other in zip(model_pytorch.to_arrays(net), (vectors.embed_v, vectors.embed_u)):
        np.testing.assert_array_equal(table, other)
    np.testing.assert_allclose([epoch[:2] for epoch in epochs], [[epoch.loss, epoch.held_out] for epoch in history])


def test_two_ranks_learn_the_topics_and_end_in_the_same_bits_each_time(corpus, whole, tmp_path):
    vectors = load_vectors(whole / "vectors.safetensors")
    vocab = vocab_of(vectors.tokens)
    near = nearest(vectors.tokens[1:], 5, vectors.embed_v, vocab)
    assert np.mean([token[1] == word[1] for word, tokens in near.items() for token in tokens]) > 0.9
    summary = json.loads((whole / "summary.json").read_text())
    losses = [epoch["held_out"] for epoch in summary["epochs"]]
    assert losses[-1] < losses[0] < 0.7 and len(losses) == 4 and (summary["ranks"], summary["starts"]) == (2, 1)
    tables = 2 * 401 * 16 * 4
    assert summary["bytes sent per token by a rank"] == pytest.approx(tables * summary["exchanges"] / (4 * 228_000), rel=0.01)
    code, told = finish(torchrun(corpus, tmp_path))
    assert code == 0 and told.count("held-out") == 4, told
    assert bits(tmp_path) == bits(whole)


def test_ranks_without_torchrun_end_in_the_same_bits_and_listen_on_loopback_alone(corpus, whole, tmp_path):
    command = [sys.executable, "-m", "helpers.tools.train", "--ranks", "2", *options_of(corpus, tmp_path, {})]
    (code,), found = watch(command)
    assert code == 0 and found <= set(LOOPBACK)
    assert bits(tmp_path) == bits(whole)
    folder = tmp_path / "other"
    done = subprocess.run([*command[:-1], folder, "--lr", "5"], cwd=ROOT, capture_output=True, text=True)
    told = [line for line in done.stderr.splitlines() if line.startswith("Error: rank ")]
    assert done.returncode == 1 and len(told) == 2 and all("choose a smaller lr" in line for line in told)
    assert "Traceback" not in done.stderr


def test_the_sum_of_changes_learns_the_topics_too(corpus, tmp_path):
    code, told = finish(torchrun(corpus, tmp_path, method="changes"))
    assert code == 0, told
    vectors = load_vectors(tmp_path / "vectors.safetensors")
    near = nearest(vectors.tokens[1:], 5, vectors.embed_v, vocab_of(vectors.tokens))
    assert np.mean([token[1] == word[1] for word, tokens in near.items() for token in tokens]) > 0.9


def bits(out):
    """The two tables that a training left."""
    vectors = load_vectors(out / "vectors.safetensors")
    return vectors.embed_v.tobytes(), vectors.embed_u.tobytes()


def wait_for(path):
    end = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < end, f"{path} does not come"
        time.sleep(0.005)


def test_ranks_that_are_killed_change_no_bit(corpus, tmp_path):
    """Each is killed once, in a training that is long enough for it."""
    code, told = finish(torchrun(corpus, tmp_path / "whole", num_epochs=100))
    assert code == 0, told
    process = torchrun(corpus, tmp_path / "out", "--max-restarts=3", num_epochs=100)
    killed = set()
    for rank in ("0", "1"):
        wait_for(tmp_path / "out" / "checkpoint.previous.safetensors")
        time.sleep(0.3)
        children = [child for child in psutil.Process(process.pid).children() if child.pid not in killed]
        ranks = [child for child in children if child.environ().get("RANK") == rank]
        ranks[0].kill()
        killed |= {child.pid for child in psutil.Process(process.pid).children()}
        if rank == "0":
            new_ranks(process, killed)
            (tmp_path / "out" / "checkpoint.previous.safetensors").unlink()
    code, told = finish(process)
    assert code == 0, told
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["starts"] == 3
    assert bits(tmp_path / "out") == bits(tmp_path / "whole")


def new_ranks(process, before):
    """Wait until torchrun has started ranks anew."""
    end = time.monotonic() + 60
    while not [child for child in psutil.Process(process.pid).children() if child.pid not in before]:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_training_that_is_done_is_not_done_again(corpus, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "out")
    code, told = finish(torchrun(corpus, tmp_path / "out"))
    assert code == 0 and "held-out" not in told
    assert bits(tmp_path / "out") == bits(whole)


def both_told(ranks, reason, seconds=60):
    """Wait for ranks that must fail: each says why in a line of its own, in bounded time."""
    start = time.monotonic()
    for rank, process in enumerate(ranks):
        code, told = finish(process, seconds)
        assert code == 1 and f"Error: rank {rank} on " in told and reason in told and "Traceback" not in told, told
    assert time.monotonic() - start < seconds


def test_other_settings_than_the_checkpoints_are_refused_on_every_rank(corpus, whole, tmp_path):
    shutil.copytree(whole, tmp_path / "out")
    port = free_port()
    both_told([start_rank(rank, port, corpus, tmp_path / "out", lr=0.03) for rank in range(2)], "lr is 0.02 there, not 0.03")


def test_a_rank_with_other_settings_or_another_text_is_named_on_every_rank(corpus, small_text, tmp_path):
    port = free_port()
    ranks = [start_rank(rank, port, corpus, tmp_path / "out", seed=rank) for rank in range(2)]
    both_told(ranks, "rank 1 has other settings than rank 0: seed is 1")
    other, port = prepared(small_text, tmp_path / "other"), free_port()
    ranks = [start_rank(rank, port, (corpus, other)[rank], tmp_path / "out") for rank in range(2)]
    both_told(ranks, "rank 1 has other settings than rank 0: text is")


@pytest.mark.parametrize("damage", ["missing", "empty", "changed", "manifest"])
def test_a_folder_that_is_damaged_on_one_rank_is_told_on_every_rank(corpus, tmp_path, damage):
    shutil.copytree(corpus, tmp_path / "copy")
    path = tmp_path / "copy" / ("manifest.json" if damage == "manifest" else "shard-000000.ids")
    content = path.read_bytes()
    path.write_bytes({"changed": content[:-1] + bytes([content[-1] ^ 1]), "manifest": content[:-9]}.get(damage, b""))
    if damage == "missing":
        path.unlink()
    folders, port = (tmp_path / "copy", tmp_path / "copy"), free_port()
    both_told([start_rank(rank, port, folders[rank], tmp_path / "out") for rank in range(2)], path.name)
    assert not (tmp_path / "out").exists()


def test_a_rank_that_vanishes_ends_the_others_in_bounded_time(corpus, tmp_path):
    port = free_port()
    first, second = (start_rank(rank, port, corpus, tmp_path / "out", timeout=5, num_epochs=1000) for rank in range(2))
    wait_for(tmp_path / "out" / "checkpoint.safetensors")
    second.send_signal(signal.SIGSTOP)
    start = time.monotonic()
    try:
        code, told = finish(first, 60)
    finally:
        second.kill()
    assert code == 1 and "Error: rank 0 on " in told and "goes on from the last checkpoint" in told and time.monotonic() - start < 30, told


def test_a_rate_that_is_too_large_is_told_on_every_rank(corpus, tmp_path):
    port = free_port()
    both_told([start_rank(rank, port, corpus, tmp_path / "out", lr=5) for rank in range(2)], "choose a smaller lr")


def test_too_few_shards_for_the_ranks_and_no_torchrun_are_told(corpus, small_text, tmp_path):
    (tmp_path / "one.txt").write_text("a b c\n" * 100)
    one, port = prepared(tmp_path / "one.txt", tmp_path / "one"), free_port()
    both_told([start_rank(rank, port, one, tmp_path / "out") for rank in range(2)], "too few for 2")
    code, told = finish(torchrun(one, tmp_path, "--max-restarts=1", share_store=True))
    assert code == 1 and "set TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 for torchrun" in told
    command = [sys.executable, "-m", "helpers.tools.train", "--corpus", corpus, "--out", tmp_path]
    alone = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert alone.returncode == 2 and "say how many ranks to start, with --ranks" in alone.stderr


def test_a_text_without_known_words_is_told(corpus, tmp_path):
    command = [sys.executable, "-m", "helpers.tools.train", "--ranks", "1", "--min-freq", "1000000000"]
    done = subprocess.run([*command, "--corpus", corpus, "--out", tmp_path / "out"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and "no word that occurs min_freq times" in done.stderr.splitlines()[-1]


def test_a_port_in_use_is_told_in_bounded_time(corpus, tmp_path):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        first = start_rank(0, listener.getsockname()[1], corpus, tmp_path / "out", timeout=5)
        code, told = finish(first, 60)
    assert code == 1 and "Error: rank 0 on " in told and "address already in use" in told.lower(), told


def test_ctrl_c_leaves_a_checkpoint_that_the_same_command_goes_on_from(corpus, whole, tmp_path):
    process = torchrun(corpus, tmp_path)
    wait_for(tmp_path / "checkpoint.safetensors")
    os.killpg(process.pid, signal.SIGINT)
    code, _ = finish(process)
    assert not list(tmp_path.glob(".*"))
    if code:
        code, told = finish(torchrun(corpus, tmp_path))
        assert code == 0, told
    assert bits(tmp_path) == bits(whole)
