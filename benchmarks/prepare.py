"""How fast is a text prepared, against gensim's `build_vocab` and its encoding of every sentence? For `python -m benchmarks`.

Each runs as a process of its own, in turn, on the same made-up text. gensim only splits at spaces; ours also checks, normalizes
and lower-cases, and writes the ids. Memory is the most of all processes together.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from benchmarks.runs import FOLDER, in_turn, spread
from helpers.arguments import whole_file
from helpers.beyond.prepared import PreparedText

NUM_WORDS, WORDS_PER_LINE, LINES_AT_ONCE = 300_000, 20, 50_000
BEYOND_ASCII = 0.005  # of the words, which makes a tenth of the lines
MIN_FREQ = 10


def made_up_words(rng):
    """Return NUM_WORDS different words of random letters, the first ones shorter: about as long as English ones."""
    letters, words = np.array(list("abcdefghijklmnopqrstuvwxyz")), {}
    while len(words) < NUM_WORDS:
        length = max(2, rng.poisson(3 + 1.2 * np.log10(len(words) + 1)))
        word = "".join(rng.choice(letters, length))
        words["é" + word if rng.random() < BEYOND_ASCII else word] = None
    return np.array(list(words), object)


def write_text(path, num_bytes, seed=0):
    """Write lines of about WORDS_PER_LINE words, each drawn by Zipf's law, until the file has `num_bytes`."""
    rng = np.random.default_rng(seed)
    words, law = made_up_words(rng), 1 / np.arange(1, NUM_WORDS + 1)
    bounds = np.cumsum(law / law.sum())
    with whole_file(path) as temporary, open(temporary, "wb") as file:
        while file.tell() < num_bytes:
            lengths = rng.poisson(WORDS_PER_LINE, LINES_AT_ONCE)
            drawn = words[np.minimum(np.searchsorted(bounds, rng.random(lengths.sum())), NUM_WORDS - 1)]
            drawn[np.cumsum(lengths[lengths > 0]) - 1] += "\n"
            file.write(" ".join(drawn.tolist()).replace("\n ", "\n").encode())


def gensim_encode(path):
    """Count the words with gensim and encode every sentence as its training does; prints what it found."""
    from gensim.models.word2vec import LineSentence, Word2Vec

    model, num_tokens = Word2Vec(min_count=MIN_FREQ), 0
    model.build_vocab(corpus_file=path)
    number = model.wv.key_to_index
    for sentence in LineSentence(path):
        num_tokens += len([number[word] for word in sentence if word in number])
    print(json.dumps({"tokens": num_tokens, "words": len(number)}))


def measure(*command):
    """Run a command; returns its seconds, the most megabytes that it and its children had, and what it printed."""
    start, most = time.perf_counter(), 0
    process = psutil.Popen([sys.executable, *command], cwd=FOLDER.parent, stdout=subprocess.PIPE, text=True)
    while process.poll() is None:
        most = max(most, resident(process))
        time.sleep(0.05)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} failed; its error stands above")
    return {"seconds": time.perf_counter() - start, "megabytes": most / 1e6, "printed": process.stdout.read().splitlines()[-1]}


def resident(process):
    """Return the memory of a process and all that it started, in bytes; what they share counts for each."""
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


def ours(path, folder):
    result = measure("-m", "helpers.tools.prepare", str(path), "--out", str(folder), "--min-freq", str(MIN_FREQ))
    text = PreparedText(folder)
    vocab = text.vocab()
    known = sum(count for word, count in vocab.token_freqs if word != "<unk>")
    return {**result, "printed": json.dumps({"tokens": known, "words": len(vocab) - 1})}


def measure_prepare(quick):
    """Prepare a made-up text of a gigabyte with two workers, and let gensim count and encode it; returns the figures as a dict."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "text.txt"
        write_text(path, 10**6 if quick else 10**9)
        os.sync()  # or the first run waits for the disk
        code = f"from benchmarks.prepare import gensim_encode; gensim_encode({str(path)!r})"
        runs = {"prepare": lambda number: ours(path, Path(folder) / f"{number}"), "gensim": lambda _: measure("-c", code)}
        rows, num_bytes = in_turn(runs, 1 if quick else 2), path.stat().st_size
    found = [json.loads(run.pop("printed")) for runs in rows.values() for run in runs]
    if any(one != found[0] for one in found):
        raise RuntimeError(f"ours and gensim did not find the same words: {found}")
    times = spread([slow["seconds"] / fast["seconds"] for slow, fast in zip(rows["gensim"], rows["prepare"])])
    return {"bytes": num_bytes, **found[0], "runs": rows, "times as fast": times}
