"""From a name to sentences: the Penn Treebank, or the Wikipedia excerpt inside gensim; of a file `beyond.texts` makes them."""

import collections.abc
import os
import sys
import time
import zipfile
from typing import NamedTuple

from helpers.arguments import path_from_outside, require_known_parameters

PTB_URL = "http://d2l-data.s3-accelerate.amazonaws.com/ptb.zip"  # the address and the SHA-1 are d2l's
PTB_SHA1 = "319d85e578af0cdc590547f26231e4e31cdf1e42"
PTB_MOST_BYTES = 10_000_000  # the file has 2 MB
DOWNLOAD_SECONDS = 120
STALL_SECONDS = 10  # without a byte
WIKIPEDIA = "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
HELD_OUT_SHARE = 0.05  # of the tokens of a text without a held-out part of its own
NAMES = "ptb", "wikipedia"


class Sentences(collections.abc.Sequence):
    """A list of sentences, each a list of tokens; kept as lines and split when asked, in a tenth of the memory."""

    def __init__(self, lines):
        self.lines = [line for line in lines if line and not line.isspace()]

    def __len__(self):
        return len(self.lines)

    def __getitem__(self, index):
        return Sentences(self.lines[index]) if isinstance(index, slice) else self.lines[index].split()

    def __iter__(self):
        return map(str.split, self.lines)


class Text(NamedTuple):
    """A corpus as read: its name, the sentences to train on, and those that are held out; of a prepared text PreparedSentences."""

    name: str
    sentences: Sentences
    held_out: Sentences


def read_corpus(corpus="ptb", strict=None, split="letters"):
    """Read a corpus: "ptb", "wikipedia", or the path of a text of one's own, or of a prepared one; returns a Text.

    Held out are PTB's validation part, or the last 5 % of another corpus's tokens. PTB is downloaded once, to the cache folder.
    Where it can't be had, a notice is printed and "wikipedia" is read in its place; with `strict`, or if it is None and the
    environment variable WORD2VEC_STRICT is 1, a RuntimeError is raised. For a file of one's own: plain text or .gz, UTF-8, a
    sentence or paragraph per line; its words are runs of letters, or with `split="whitespace"` its tokens as they stand.
    FileNotFoundError or ValueError says what is wrong with it, ParameterError that papermill gave the notebook a parameter
    which it does not have.
    """
    require_known_parameters()
    if corpus == "ptb":
        try:
            return _read_ptb(fetch_ptb())
        except RuntimeError as error:
            if strict or (strict is None and os.environ.get("WORD2VEC_STRICT") == "1"):
                raise
            print(f"PTB can't be had ({error}). Going on with the Wikipedia excerpt that gensim carries.")
            corpus = "wikipedia"
    if corpus == "wikipedia":
        return Text("wikipedia", *hold_out(_wikipedia_articles()))
    from helpers.beyond.texts import read_text

    return read_text(corpus, split)


def cache_folder():
    """Return the folder for downloads: WORD2VEC_CACHE where that is set, else the platform's user cache folder."""
    import pooch

    return path_from_outside(os.environ.get("WORD2VEC_CACHE") or pooch.os_cache("word2vec"), "WORD2VEC_CACHE")


def fetch_ptb():
    """Return the path of a verified ptb.zip in the cache folder, downloaded if it has to be.

    Raises RuntimeError, with the reason in one line, where it can't be had; no partial file takes its name.
    """
    import pooch
    import requests
    import urllib3
    from filelock import FileLock

    path = cache_folder() / "ptb.zip"
    if _is_ptb(path):
        return path
    pooch.get_logger().setLevel("ERROR")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=2 * DOWNLOAD_SECONDS):
            pooch.retrieve(PTB_URL, f"sha1:{PTB_SHA1}", path.name, path.parent, downloader=_download)
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise RuntimeError(f"no download from {PTB_URL}: {_innermost(error)}") from error
    except (OSError, ValueError) as error:  # pooch raises ValueError where the SHA-1 differs
        raise RuntimeError(" ".join(str(error).split())) from error
    return path


def _is_ptb(path):
    import pooch

    try:
        return pooch.file_hash(str(path), "sha1") == PTB_SHA1
    except OSError:
        return False


def _innermost(error):
    """The cause that requests and urllib3 wrap several times."""
    while isinstance(reason := getattr(error, "reason", None) or (error.args or [None])[0], Exception):
        error = reason
    return " ".join(str(error).split()) or type(error).__name__


def _download(url, path, _):
    """A downloader for pooch that gives up after DOWNLOAD_SECONDS or PTB_MOST_BYTES, with a bar on stdout."""
    import requests
    from tqdm import tqdm

    deadline = time.monotonic() + DOWNLOAD_SECONDS
    with requests.get(url, stream=True, timeout=STALL_SECONDS) as response, open(path, "wb") as file:
        response.raise_for_status()
        size = int(response.headers.get("content-length", 0)) or None
        with tqdm(total=size, unit="B", unit_scale=True, desc="ptb.zip", file=sys.stdout) as bar:
            while chunk := response.raw.read1(1 << 16):
                bar.update(file.write(chunk))
                if bar.n > PTB_MOST_BYTES:
                    raise OSError(f"{url} sends more than {PTB_MOST_BYTES:,} bytes, which can't be PTB")
                if time.monotonic() > deadline:
                    raise OSError(f"{url} took more than {DOWNLOAD_SECONDS} s")


def _read_ptb(path):
    with zipfile.ZipFile(path) as archive:
        parts = [archive.read(f"ptb/ptb.{part}.txt").decode() for part in ("train", "valid")]
    return Text("ptb", *(Sentences(part.splitlines()) for part in parts))


def _wikipedia_articles():
    """Each article of the excerpt as one line of tokens."""
    from gensim.corpora import WikiCorpus
    from gensim.test.utils import datapath

    articles = WikiCorpus(datapath(WIKIPEDIA), processes=1, dictionary={})
    return [" ".join(tokens) for tokens in articles.get_texts()]


def hold_out(lines):
    """Split lines of tokens into sentences to train on and the last HELD_OUT_SHARE of the tokens."""
    sizes = [len(line.split()) for line in lines]
    to_train = round(sum(sizes) * (1 - HELD_OUT_SHARE))
    training, held_out = [], []
    for line, size in zip(lines, sizes):
        if to_train <= 0:
            held_out.append(line)
        elif size <= to_train:
            training.append(line)
        else:  # the border runs through this line
            tokens = line.split()
            training.append(" ".join(tokens[:to_train]))
            held_out.append(" ".join(tokens[to_train:]))
        to_train -= size
    return Sentences(training), Sentences(held_out)
