"""Vectors to compare with, on the same words: by gensim's Word2Vec, by counting, and by chance. Each returns words and a table."""

from benchmarks.runs import EMBED_SIZE, SETTINGS
from helpers.beyond.family_counts import count_pairs, counted_pmi, factorize, random_table
from helpers.examples import Vocab, encode

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


def counted_vectors(text, seed):
    """Make vectors without any training: positive PMI of the known words, shortened by a singular value decomposition."""
    vocab = Vocab(text.sentences, MIN_FREQ)
    ids, sentence = encode(text.sentences, vocab)
    pairs = count_pairs(ids[ids > 0], sentence[ids > 0], SETTINGS["max_window_size"], len(vocab))
    return vocab.idx_to_token, factorize(counted_pmi(pairs), EMBED_SIZE, seed)[0]


def random_vectors(text, seed):
    """Draw vectors from the normal distribution."""
    vocab = Vocab(text.sentences, MIN_FREQ)
    return vocab.idx_to_token, random_table(len(vocab), EMBED_SIZE, seed)
