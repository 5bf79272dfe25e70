"""What the tests share: both models, a small text that has something to learn, and a machine without PTB."""

import hashlib
import http.server
import importlib
import signal
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from helpers import corpus
from helpers.tools.environment import mxnet_left_out
from helpers.vectors import nearest, vocab_of
from tests.server import GOOD, Handler

ROOT = Path(__file__).resolve().parent.parent


def needs_mxnet(item):
    """Whether a test takes the module `model_mxnet` or has "mxnet" (or "mxnet/...") as a parameter, or is a cell of an MXNet notebook."""
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    given = any(isinstance(value, str) and value.split("/")[0] == "mxnet" for value in values)
    return given or "model_mxnet" in getattr(item, "fixturenames", ()) or item.path.parent.name == "mxnet"


def pytest_collection_modifyitems(items):
    """Skip what needs MXNet, where the list of packages leaves it out. Elsewhere a framework that is missing fails."""
    if reason := mxnet_left_out():
        for item in filter(needs_mxnet, items):
            item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter):
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", ()))
    for reason, count in reasons.items():
        terminalreporter.write_line(f"{count} tests and cells skipped: {reason}")


def command(*arguments, **parameters):
    pairs = [part for name, value in parameters.items() for part in ("-p", name, str(value))]
    return [sys.executable, "-m", "helpers.tools.course", *map(str, arguments), *pairs]


def course(*arguments, **parameters):
    return subprocess.run(command(*arguments, **parameters), cwd=ROOT, capture_output=True, text=True)


@pytest.fixture(params=["pytorch", "mxnet"])
def model(request):
    """The model module of each framework in turn; a framework that is missing fails."""
    return importlib.import_module(f"helpers.model_{request.param}")


@pytest.fixture(scope="session")
def model_mxnet():
    """MXNet's model module, for tests of it alone or beside PyTorch's."""
    return importlib.import_module("helpers.model_mxnet")


@pytest.fixture(scope="session")
def small_text(tmp_path_factory):
    """A file of 60,000 words on 8 topics of 50 words, a topic per line: a model can learn which words go together."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghij"))
    words = np.array(["w" + "".join(letters[[topic, number // 10, number % 10]]) for topic in range(8) for number in range(50)])
    lines = [" ".join(words[50 * rng.integers(8) + rng.integers(0, 50, 60)]) for _ in range(1000)]
    path = tmp_path_factory.mktemp("text") / "topics.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def own_topic_share(tokens, table):
    """Return the share of the five words nearest to each word of the small text that are of its topic, the letter after w."""
    near = nearest(tokens[1:], 5, table, vocab_of(tokens))
    return np.mean([word[1] == other[1] for word, others in near.items() for other in others])


@pytest.fixture
def usual_signals():
    """The usual answers to Ctrl-C and a closed terminal, which `nohup` and a shell's `&` take away from all that they start."""
    usual = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, answer) for number, answer in usual.items()}
    yield
    for number, answer in before.items():
        signal.signal(number, answer)


@pytest.fixture
def no_ptb(monkeypatch, tmp_path):
    """An empty cache folder, and a port where nobody answers in place of the download."""
    monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(corpus, "PTB_URL", "http://127.0.0.1:9/ptb.zip")
    return tmp_path / "cache"


@pytest.fixture(scope="session")
def ptb():
    """PTB as read; skipped, aloud, where it can't be had."""
    try:
        return corpus.read_corpus("ptb", strict=True)
    except RuntimeError as error:
        pytest.skip(f"PTB can't be had here: {error}")


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """A function that starts a server with the given answer and points the download to it."""
    servers = []

    def start(answer, content=GOOD):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.answer, server.requests, server.stopped = answer, 0, threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(corpus, "PTB_URL", f"http://127.0.0.1:{server.server_port}/ptb.zip")
        monkeypatch.setattr(corpus, "PTB_SHA1", hashlib.sha1(content).hexdigest())
        return server, tmp_path / "cache"

    yield start
    for server in servers:
        server.stopped.set()
        server.shutdown()
