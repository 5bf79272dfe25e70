"""What a user waits for beside training: neighbours of many words, imports, and the whole series."""

import json
import subprocess
import sys
import time

NUM_WORDS, K = 1000, 10
SHAPE = 6719, 100  # PTB's


def ask(name):
    """Find the neighbours of 1,000 words in a table of PTB's size, in one call or in a loop of gensim's; returns seconds."""
    import numpy as np
    from gensim.models import KeyedVectors

    from helpers.vectors import nearest, vocab_of

    tokens = ["<unk>", *(f"word{number}" for number in range(1, SHAPE[0]))]
    table = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    words = tokens[1 : NUM_WORDS + 1]
    if name == "gensim":
        vectors = KeyedVectors(SHAPE[1])
        vectors.add_vectors(tokens[1:], table[1:])
        vectors.most_similar(words[0])  # what is done once per process counts on neither side
        start = time.perf_counter()
        for word in words:
            vectors.most_similar(word, topn=K)
    else:
        vocab = vocab_of(tokens)
        nearest(words[:1], K, table, vocab)
        start = time.perf_counter()
        nearest(words, K, table, vocab)
    return {"seconds": round(time.perf_counter() - start, 4)}


def import_seconds(module):
    """Return how long a new Python takes to import a module of helpers, without the start of Python itself."""
    code = f"import time; start = time.perf_counter(); import helpers.{module}; print(time.perf_counter() - start)"
    return float(subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout)


def run_course(out):
    """Run the series as `make course` does; returns its seconds and those of each notebook."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "helpers.tools.course", "--out", str(out)], check=True, stdout=subprocess.DEVNULL)
    rows = json.loads((out / "summary.json").read_text())["notebooks"]
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "notebooks": {f"{row['framework']}/{row['notebook']}": row["seconds"] for row in rows},
    }
