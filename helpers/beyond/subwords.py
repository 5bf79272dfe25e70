"""A word as the n-grams of its characters, as fastText makes it: n-grams, their buckets, and vectors of words that no text had.

No framework; taught in `16_subwords`. Source: Bojanowski et al. 2017, https://arxiv.org/abs/1607.04606.
"""

from typing import NamedTuple

import numpy as np

MIN_N, MAX_N = 3, 6  # characters in an n-gram, those that mark the ends of a word included
NUM_BUCKETS = 2_000_000  # what fastText takes
LONGEST_ASKED = 1000  # characters: no word is longer


class Subwords(NamedTuple):
    """Which rows make the words of a vocabulary: each word has a row of its own, and each bucket in use has one.

    `buckets` (n,) int64, ascending, are those that the n-grams of the vocabulary fall into. `members` (V, V + n) is sparse,
    as scipy's csr_matrix: its line w lists the rows of word w, its own first, then those of its n-grams in their order.
    """

    buckets: np.ndarray
    members: object


def ngrams(word, min_n=MIN_N, max_n=MAX_N):
    """Return the n-grams of a word, a list of texts: pieces of `min_n` to `max_n` characters of the word between < and >."""
    marked = f"<{word}>"
    found = []
    for start in range(len(marked)):
        for end in range(start + min_n, min(start + max_n, len(marked)) + 1):
            found.append(marked[start:end])
    return found


def hash_of(ngram):
    """Return fastText's 32-bit hash of a text: FNV-1a over its bytes in UTF-8, each taken as a signed number.

    Raises UnicodeEncodeError for what is no Unicode. Source: http://www.isthe.com/chongo/tech/comp/fnv/ and, for the sign,
    `Dictionary::hash` in https://github.com/facebookresearch/fastText/blob/main/src/dictionary.cc.
    """
    found = 2166136261
    for byte in ngram.encode("utf-8"):
        signed = byte - 256 if byte > 127 else byte
        found = (found ^ signed) & 0xFFFFFFFF
        found = found * 16777619 & 0xFFFFFFFF
    return found


def buckets_of(word):
    """Return the buckets of a word's n-grams, in their order: (n,) int64."""
    return np.array([hash_of(ngram) % NUM_BUCKETS for ngram in ngrams(word)], np.int64)


def rows_of_words(tokens):
    """List the rows that make each word of a vocabulary; returns Subwords. `<unk>` stands for many words and has no n-grams."""
    from scipy.sparse import csr_matrix

    found = [buckets_of(token if token != "<unk>" else "") for token in tokens]
    buckets = np.unique(np.concatenate(found))  # (n,)
    num_words = len(tokens)
    rows = [np.append(word, num_words + np.searchsorted(buckets, own)) for word, own in enumerate(found)]
    ends = np.cumsum([len(own) for own in rows])  # (V,)
    indices = np.concatenate(rows).astype(np.int32)
    indptr = np.append(0, ends).astype(np.int32)
    shape = num_words, num_words + len(buckets)
    return Subwords(buckets, csr_matrix((np.ones(len(indices), np.float32), indices, indptr), shape))


def require_unseen(word):
    """Raise a ValueError for what can't be a word, or is far too long for one."""
    if not isinstance(word, str) or not word or len(word) > LONGEST_ASKED or any("\ud800" <= sign <= "\udfff" for sign in word):
        raise ValueError(f"a word is a text of 1 to {LONGEST_ASKED:,} characters in Unicode, not {str(word)[:80]!r}")


def require_known(known, word):
    """Raise a LookupError for a word of which no n-gram is known."""
    if not len(known):
        raise LookupError(f"no n-gram of {word!r} was in the text, so there is no vector for it: ask for another word")


def unseen_vector(word, buckets, ngram_rows):
    """Make the vector of any word from its n-grams; returns it, (d,), and how many n-grams it was made of.

    It is the mean of the rows of those n-grams that have one: `buckets` (n,) ascending, `ngram_rows` (n, d). Raises
    LookupError for a word of which no n-gram has a row.
    """
    require_unseen(word)
    wanted = buckets_of(word)  # (m,)
    known = wanted[np.isin(wanted, buckets)]
    require_known(known, word)
    return ngram_rows[np.searchsorted(buckets, known)].mean(axis=0), len(known)
