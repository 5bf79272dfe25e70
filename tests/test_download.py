"""The download of PTB from a server on this machine that behaves, and one that does not."""

import contextlib
import hashlib
import http.server
import io
import threading
import time
import zipfile

import pytest

from helpers import corpus


def small_zip():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("ptb/ptb.train.txt", " a b c \n d e \n")
        archive.writestr("ptb/ptb.valid.txt", " a b \n")
    return buffer.getvalue()


GOOD = small_zip()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests += 1
        with contextlib.suppress(ConnectionError):
            self.server.answer(self)

    def log_message(self, *_):
        pass


def send(handler, body, status=200, length=None):
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stopped.is_set():
        handler.wfile.write(b"x" * 65536)


def drip(handler):
    handler.send_response(200)
    handler.end_headers()
    while not handler.server.stopped.wait(0.05):
        handler.wfile.write(b"x")


def redirect(handler):
    handler.send_response(302)
    handler.send_header("Location", "/ptb.zip")
    handler.end_headers()


FAULTS = {
    "error page": (lambda handler: send(handler, b"<html>not found</html>", 404), "404"),
    "wrong bytes": (lambda handler: send(handler, b"<html>welcome</html>"), "hash|SHA"),
    "cut": (lambda handler: send(handler, GOOD[:50], length=len(GOOD)), "IncompleteRead|hash|more expected"),
    "endless": (endless, "more than 10,000,000 bytes"),
    "drip": (drip, "took more than"),
    "redirects": (redirect, "redirect"),
}


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """A function that starts a server with the given answer and points the download to it."""
    servers = []

    def start(answer):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.answer, server.requests, server.stopped = answer, 0, threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        monkeypatch.setenv("WORD2VEC_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(corpus, "PTB_URL", f"http://127.0.0.1:{server.server_port}/ptb.zip")
        monkeypatch.setattr(corpus, "PTB_SHA1", hashlib.sha1(GOOD).hexdigest())
        monkeypatch.setattr(corpus, "DOWNLOAD_SECONDS", 2)
        return server, tmp_path / "cache"

    yield start
    for server in servers:
        server.stopped.set()
        server.shutdown()


def test_a_good_file_is_downloaded_once_and_read_from_the_cache_after_that(serve, capsys):
    server, cache = serve(lambda handler: send(handler, GOOD))
    for _ in range(2):
        text = corpus.read_corpus("ptb", strict=True)
        assert list(text.sentences) == [["a", "b", "c"], ["d", "e"]] and list(text.held_out) == [["a", "b"]]
    assert server.requests == 1
    captured = capsys.readouterr()
    assert "ptb.zip" in captured.out and captured.err == ""
    assert {path.name for path in cache.iterdir()} <= {"ptb.zip", "ptb.zip.lock"}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_server_that_misbehaves_gives_a_clear_error_in_bounded_time_and_leaves_nothing(serve, fault):
    answer, reason = FAULTS[fault]
    _, cache = serve(answer)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=reason) as caught:
        corpus.read_corpus("ptb", strict=True)
    assert time.monotonic() - start < 8
    assert "\n" not in str(caught.value)
    assert {path.name for path in cache.iterdir()} <= {"ptb.zip.lock"}


def test_a_damaged_file_in_the_cache_is_replaced(serve):
    _, cache = serve(lambda handler: send(handler, GOOD))
    cache.mkdir()
    (cache / "ptb.zip").write_bytes(GOOD[:-30])
    assert corpus.read_corpus("ptb", strict=True).name == "ptb"
    assert (cache / "ptb.zip").read_bytes() == GOOD


def test_many_at_once_download_once(serve):
    server, _ = serve(lambda handler: (time.sleep(0.3), send(handler, GOOD)))
    found = []
    threads = [threading.Thread(target=lambda: found.append(corpus.read_corpus("ptb", strict=True).name)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["ptb"] * 8
    assert server.requests == 1
