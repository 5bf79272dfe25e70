"""The download of PTB from a server on this machine that behaves, and one that does not."""

import multiprocessing
import os
import time

import pytest

from helpers import corpus
from tests.server import FAULTS, GOOD, send


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
def test_a_server_that_misbehaves_gives_a_clear_error_in_bounded_time_and_leaves_nothing(serve, fault, monkeypatch):
    answer, reason = FAULTS[fault]
    _, cache = serve(answer)
    for limit in {"drip": ["DOWNLOAD_SECONDS"], "stall": ["STALL_SECONDS"]}.get(fault, ()):  # the others must not come to these limits
        monkeypatch.setattr(corpus, limit, 1)
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=reason) as caught:
        corpus.read_corpus("ptb", strict=True)
    assert time.monotonic() - start < 60
    assert "\n" not in str(caught.value)
    assert {path.name for path in cache.iterdir()} <= {"ptb.zip.lock"}


def test_a_damaged_file_in_the_cache_is_replaced(serve):
    _, cache = serve(lambda handler: send(handler, GOOD))
    cache.mkdir()
    (cache / "ptb.zip").write_bytes(GOOD[:-30])
    assert corpus.read_corpus("ptb", strict=True).name == "ptb"
    assert (cache / "ptb.zip").read_bytes() == GOOD


def read_as_another_process(url, sha1, cache, answers):
    os.environ["WORD2VEC_CACHE"], corpus.PTB_URL, corpus.PTB_SHA1 = cache, url, sha1
    answers.put(list(corpus.read_corpus("ptb", strict=True).sentences))


def test_eight_processes_at_once_download_once(serve):
    server, cache = serve(lambda handler: (time.sleep(0.3), send(handler, GOOD)))
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    call = corpus.PTB_URL, corpus.PTB_SHA1, str(cache), answers
    processes = [context.Process(target=read_as_another_process, args=call) for _ in range(8)]
    for process in processes:
        process.start()
    assert [answers.get(timeout=120) for _ in processes] == [[["a", "b", "c"], ["d", "e"]]] * 8
    for process in processes:
        process.join()
    assert server.requests == 1 and {path.name for path in cache.iterdir()} <= {"ptb.zip", "ptb.zip.lock"}
