"""Does the block trainer's time per token stay the same as the text grows, does its memory, and how busy is the machine?"""

import contextlib
import io
import resource
import time

import numpy as np

from helpers.examples import Vocab, count_words, encode, generator

LEAST_TOKENS = 16_000_000


def repeated(ids, sentence, num_tokens, rng):
    """Repeat an encoded text, its sentences in another order each time, up to a number of tokens."""
    lengths = np.bincount(sentence)
    starts, all_ids, all_sentences, found = np.cumsum(lengths) - lengths, [], [], 0
    while found < num_tokens:
        order = rng.permutation(len(lengths))
        first, length = starts[order], lengths[order]
        place = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
        all_ids.append(ids[np.repeat(first, length) + place])
        all_sentences.append((np.repeat(np.arange(len(order)), length) + len(all_sentences) * len(order)).astype(np.int32))
        found += len(all_ids[-1])
    return np.concatenate(all_ids)[:num_tokens], np.concatenate(all_sentences)[:num_tokens]


def matrix_products_per_second():
    """The most single-precision operations per second that one thread reaches here, in products of 1024 x 1024."""
    import torch

    one, other, best = torch.randn(1024, 1024), torch.randn(1024, 1024), 0.0
    for _ in range(20):
        start = time.perf_counter()
        torch.mm(one, other)
        best = max(best, 2 * 1024**3 / (time.perf_counter() - start))
    return best


def grow(num_tokens):
    """Train on so many tokens of PTB, repeated; returns seconds, memory added, and the share of the peak.

    A small text gets several epochs, so that each run is long enough to time.
    """
    import torch

    from helpers.beyond.blocks import Blocks
    from helpers.beyond.blocks_pytorch import train_blocks
    from helpers.corpus import read_corpus
    from helpers.model_pytorch import new_model

    torch.set_num_threads(1)
    text = read_corpus("ptb", strict=True)
    vocab = Vocab(text.sentences, 10)
    ids, sentence = repeated(*encode(text.sentences, vocab), num_tokens, generator(0, "blocks"))
    settings = count_words(vocab), 5, 5, 0
    data = Blocks(ids, sentence, *settings, Blocks(*encode([], vocab), *settings))
    net, peak = new_model(len(vocab), 100, 0), matrix_products_per_second()
    with contextlib.redirect_stdout(io.StringIO()):
        warm = Blocks(ids[:100_000], sentence[:100_000], *settings, data.held_out)
        train_blocks(net, warm, 0.05, 1)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        history = train_blocks(net, data, 0.05, max(1, LEAST_TOKENS // num_tokens))
    seconds = sum(epoch.seconds for epoch in history)
    centers = sum(epoch.seconds * epoch.centers_per_second for epoch in history)
    operations = centers * len(data.label) * 100 * 2 * 3  # three products
    return {
        "tokens": num_tokens, "epochs": len(history), "seconds": round(seconds, 3),
        "nanoseconds per token": round(1e9 * seconds / len(history) / num_tokens, 1),
        "megabytes added": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, 1),
        "gigaflops": round(operations / seconds / 1e9, 1), "share of the peak": round(operations / seconds / peak, 3),
    }  # fmt: skip
