"""Vectors to compare with, on the same words: by gensim's Word2Vec, by counting, and by chance. Each returns words and a table."""

import numpy as np

from benchmarks.runs import EMBED_SIZE, SETTINGS
from helpers.examples import Vocab, encode, generator

MIN_FREQ = 10


def gensim_vectors(text, seed, num_epochs, alpha):
    """Train gensim's Word2Vec with two workers on the known words of a Text, with our settings."""
    from gensim.models import Word2Vec

    sentences = [[token for token in sentence if token != "<unk>"] for sentence in text.sentences]
    model = Word2Vec(
        sentences, sg=1, negative=SETTINGS["num_noise_words"], window=SETTINGS["max_window_size"], vector_size=EMBED_SIZE,
        min_count=MIN_FREQ, sample=1e-4, workers=2, epochs=num_epochs, alpha=alpha, seed=seed + 1,
    )  # fmt: skip
    return model.wv.index_to_key, model.wv.vectors


def count_pairs(ids, sentence, max_window_size, vocab_size):
    """Count how often words stand near each other; returns a sparse, symmetric matrix (V, V).

    `ids` and `sentence` (n,) are those of `encode`. A pair counts with the chance that a window drawn from
    1..`max_window_size` reaches it: 1 for neighbours, 1 / `max_window_size` at the largest distance.
    """
    from scipy.sparse import coo_matrix

    pairs = coo_matrix((vocab_size, vocab_size)).tocsr()
    for distance in range(1, max_window_size + 1):
        same = sentence[distance:] == sentence[:-distance]
        chance = np.full(same.sum(), 1 - (distance - 1) / max_window_size)
        pairs += coo_matrix((chance, (ids[:-distance][same], ids[distance:][same])), pairs.shape).tocsr()
    return pairs + pairs.T


def positive_pmi(pairs):
    """Return for each pair how much oftener it was counted than chance would have it: max(0, ln(p(w, c) / (p(w) p(c)))).

    Takes and returns a sparse, symmetric matrix (V, V). Source: Church and Hanks 1990, https://aclanthology.org/J90-1003.
    """
    pairs, totals = pairs.tocoo(copy=True), np.asarray(pairs.sum(axis=1)).ravel()
    pairs.data = np.maximum(0, np.log(pairs.data * totals.sum() / (totals[pairs.row] * totals[pairs.col])))
    pairs = pairs.tocsr()
    pairs.eliminate_zeros()
    return pairs


def counted_vectors(text, seed):
    """Make vectors without any training: positive PMI of the known words, shortened by a singular value decomposition.

    Each column is scaled by the square root of its singular value. Source: Levy et al. 2015, https://aclanthology.org/Q15-1016.
    """
    from sklearn.decomposition import TruncatedSVD

    vocab = Vocab(text.sentences, MIN_FREQ)
    ids, sentence = encode(text.sentences, vocab)
    matrix = positive_pmi(count_pairs(ids[ids > 0], sentence[ids > 0], SETTINGS["max_window_size"], len(vocab)))
    decomposition = TruncatedSVD(EMBED_SIZE, n_iter=5, random_state=seed).fit(matrix)
    return vocab.idx_to_token, (decomposition.transform(matrix) / np.sqrt(decomposition.singular_values_)).astype(np.float32)


def random_vectors(text, seed):
    """Draw vectors from the normal distribution."""
    vocab = Vocab(text.sentences, MIN_FREQ)
    return vocab.idx_to_token, generator(seed, "initial values").normal(size=(len(vocab), EMBED_SIZE)).astype(np.float32)
