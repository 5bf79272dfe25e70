"""Two hosts on one machine: network namespaces joined by a wire of a stated bandwidth. RATE says which, in megabits per second."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers.beyond.checkpoints import checkpoint_beside
from helpers.vectors import load_vectors
from tests.conftest import ROOT, own_topic_share
from tests.ranks import finish, options_of, prepared, torchrun, wait_for

pytestmark = pytest.mark.slow
RATE = int(os.environ.get("RATE", 100))
HOSTS = "10.77.0.1", "10.77.0.2"
TIMEOUT = 20  # seconds to wait for a silent rank, which may start so much later, too, where others work
ROOM = {"epochs": 8, "embed_size": 50, "lr": 0.02}


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def hosts():
    """The names of two namespaces that reach each other and nothing else, at RATE megabits per second each way."""
    names = [f"word2vec-{os.getpid()}-{number}" for number in range(2)]
    with contextlib.ExitStack() as stack:
        for name in names:
            made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
            if made.returncode:
                pytest.skip(f"no network namespace can be made here, so two hosts were not tested: {made.stderr.strip()}")
            stack.callback(run, "ip", "netns", "delete", name)
        run("ip", "link", "add", "wire0", "netns", names[0], "type", "veth", "peer", "name", "wire1", "netns", names[1])
        for number, (name, address) in enumerate(zip(names, HOSTS)):
            run("ip", "-n", name, "address", "add", f"{address}/24", "dev", f"wire{number}")
            for device in ("lo", f"wire{number}"):
                run("ip", "-n", name, "link", "set", device, "up")
            slow = "tbf", "rate", f"{RATE}mbit", "burst", "256kb", "latency", "50ms"
            run("tc", "-n", name, "qdisc", "add", "dev", f"wire{number}", "root", *slow)
        yield names


def start_host(hosts, number, corpus, out, *options, **settings):
    """Start torchrun with one rank on a host; the first one holds the rendezvous."""
    command = [Path(sys.executable).with_name("torchrun"), "--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", "--rdzv-id=course"]
    command += [f"--rdzv-endpoint={HOSTS[0]}:29400", f"--local-addr={HOSTS[number]}"]
    command += [f"--rdzv-conf=is_host={int(number == 0)}", *options, "-m", "helpers.tools.train"]
    return subprocess.Popen(
        ["ip", "netns", "exec", hosts[number], *command, *options_of(corpus, out, {**ROOM, **settings})], cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": f"wire{number}"},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def bytes_sent(host, number):
    return int(run("ip", "netns", "exec", host, "cat", f"/sys/class/net/wire{number}/statistics/tx_bytes"))


@pytest.fixture
def corpus(small_text, tmp_path):
    (tmp_path / "text.txt").write_text((small_text.read_text() + "\n") * 8)
    return prepared(tmp_path / "text.txt", tmp_path / "prepared")


def test_two_hosts_train_over_a_slow_wire_and_the_bytes_on_it_are_those_that_are_told(hosts, corpus, tmp_path):
    out, one_out = tmp_path / "out.safetensors", tmp_path / "one.safetensors"
    processes = [start_host(hosts, number, corpus, out) for number in range(2)]
    for process in processes:
        code, told = finish(process)
        assert code == 0, told
    summary = load_vectors(out).settings
    code, told = finish(torchrun(corpus, one_out, ranks=1, **ROOM))
    assert code == 0, told
    one = load_vectors(one_out).settings
    sent = [bytes_sent(host, number) for number, host in enumerate(hosts)]
    num_tokens = 8 * 57_000 * ROOM["epochs"]
    expected = summary["bytes sent per token by a rank"] * num_tokens
    print(
        f"{RATE} Mbit/s: {summary['tokens per second']:,.0f} tokens/s by two hosts, {one['tokens per second']:,.0f} by one; "
        f"{sent[0] / num_tokens:.2f} and {sent[1] / num_tokens:.2f} bytes sent per token, {expected / num_tokens:.2f} by the formula"
    )
    assert summary["ranks"] == 2 and summary["epochs"][-1]["held_out"] < 1.02 * one["epochs"][-1]["held_out"]
    two, alone = (own_topic_share(vectors.tokens, vectors.embed_v) for vectors in map(load_vectors, (out, one_out)))
    assert two > 0.99 * alone > 0.9
    assert all(expected < measured < 1.3 * expected for measured in sent)
    slowest = 8 * max(sent) / (RATE * 1e6)
    assert sum(epoch["seconds"] for epoch in summary["epochs"]) > 0.5 * slowest


def test_a_host_that_vanishes_ends_the_other_in_bounded_time(hosts, corpus, tmp_path):
    processes = [start_host(hosts, number, corpus, tmp_path / "out.txt", epochs=100_000, timeout=TIMEOUT) for number in range(2)]
    try:
        wait_for(processes[0], checkpoint_beside(tmp_path / "out.txt"))
        start = time.monotonic()
        run("ip", "-n", hosts[0], "link", "set", "wire0", "down")
        code, told = finish(processes[0])
    finally:
        processes[1].kill()
        run("ip", "-n", hosts[0], "link", "set", "wire0", "up")
        for process in processes:
            for pid in run("ip", "netns", "pids", hosts[1]).split() + run("ip", "netns", "pids", hosts[0]).split():
                subprocess.run(["kill", "-9", pid], check=False)
            process.wait(30)
    assert code == 1 and "Error: rank " in told and "goes on from the last checkpoint" in told, told
    print(f"told {time.monotonic() - start:.0f} s after the wire was cut, with a time-out of {TIMEOUT} s")
