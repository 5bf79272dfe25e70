"""Where the embedding layers have become arrays: files of vectors, cosines, and words on a map. No framework."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from helpers.arguments import require_query
from helpers.examples import Vocab
from helpers.files import whole_file


class Vectors(NamedTuple):
    """Both tables (V, d) float32, the words of their rows, and the settings and results of the run that made them."""

    embed_v: np.ndarray
    embed_u: np.ndarray
    tokens: list
    settings: dict


def require_vectors_path(path):
    """Raise a ValueError if `path` is neither None nor the name of a .safetensors file."""
    if path is not None and Path(path).suffix != ".safetensors":
        raise ValueError(f"vectors_path must end in .safetensors, not {str(path)!r}")


def save_vectors(path, embed_v, embed_u, tokens, settings):
    """Write both tables, their words and the settings to a .safetensors file, whole or not at all.

    The tables are (V, d) float32. `tokens` lists V words, `settings` is a dict that JSON can hold; both stand as JSON in
    the file's metadata.
    """
    require_vectors_path(path)
    embed_v, embed_u = (np.ascontiguousarray(table, np.float32) for table in (embed_v, embed_u))
    if not len(embed_v) == len(embed_u) == len(tokens):
        raise ValueError(f"{len(tokens)} words for tables of {len(embed_v)} and {len(embed_u)} rows")
    metadata = {"tokens": json.dumps(list(tokens)), "settings": json.dumps(settings)}
    with whole_file(path) as temporary:
        temporary.write_bytes(save({"embed_v": embed_v, "embed_u": embed_u}, metadata))


def load_vectors(path):
    """Read what `save_vectors` wrote; returns Vectors. Raises FileNotFoundError, or ValueError for any other file."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"there is no vectors file {str(path)!r}; 05_training writes one to its vectors_path")
    try:
        with safe_open(path, "numpy") as file:
            tables = [file.get_tensor(name) for name in ("embed_v", "embed_u")]
            tokens, settings = (json.loads(file.metadata()[name]) for name in ("tokens", "settings"))
        if {(table.ndim, len(table)) for table in tables} != {(2, len(tokens))}:
            raise ValueError(f"{len(tokens)} words for tables of {[table.shape for table in tables]}")
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a vectors file of this series: {error}") from error
    return Vectors(*tables, tokens, settings)


def vocab_of(tokens):
    """Return the Vocab of a vectors file, whose tokens already stand in the order of their ids."""
    vocab = Vocab(())
    vocab.idx_to_token, vocab.token_to_idx = list(tokens), {token: index for index, token in enumerate(tokens)}
    return vocab


def unit_rows(table):
    """Scale each row of a table (n, d) to length 1; a row of zeros stays."""
    norms = np.linalg.norm(table, axis=1, keepdims=True)
    return table / np.where(norms > 0, norms, 1)


def random_pair_cosines(table, num_pairs, rng):
    """Return the cosines (num_pairs,) of random pairs of different rows of a table, row 0 (`<unk>`) left out."""
    first = rng.integers(1, len(table), num_pairs)
    other = 1 + (first - 1 + rng.integers(1, len(table) - 1, num_pairs)) % (len(table) - 1)
    rows = unit_rows(table)
    return np.einsum("ij,ij->i", rows[first], rows[other])


def nearest_cosines(table, num_words, rng):
    """Return the cosine of each of some random words, row 0 (`<unk>`) left out, with the word nearest to it."""
    rows = unit_rows(table)
    chosen = rng.choice(np.arange(1, len(table)), min(num_words, len(table) - 1), replace=False)
    cosines = rows[chosen] @ rows.T
    cosines[:, 0] = cosines[np.arange(len(chosen)), chosen] = -2
    return cosines.max(axis=1)


def largest(values, k):
    """Return the columns (n, k) of the `k` largest numbers of each row (n, V), largest first.

    The k largest lie in the k stretches of 64 columns with the largest maxima; so most columns are looked at once only.
    """
    stretches = np.pad(values, ((0, 0), (0, -values.shape[1] % 64)), constant_values=-np.inf).reshape(len(values), -1, 64)
    best = np.argsort(-stretches.max(axis=2), axis=1)[:, :k]
    columns = (best[:, :, None] * 64 + np.arange(64)).reshape(len(values), -1)
    found = np.take_along_axis(stretches, best[:, :, None], axis=1).reshape(columns.shape)
    part = np.argpartition(-found, k - 1, axis=1)[:, :k]
    order = np.argsort(-np.take_along_axis(found, part, axis=1), axis=1, kind="stable")
    return np.take_along_axis(columns, np.take_along_axis(part, order, axis=1), axis=1)


def nearest(words, k, table, vocab):
    """Return, for each word, the `k` words of largest cosine, as `get_similar_tokens` finds them, without printing."""
    for word in words:
        require_query(word, k, vocab)
    rows, tokens, neighbours = unit_rows(table), np.array(vocab.idx_to_token, object), {}
    for start in range(0, len(words), 256):  # so many at once: one product for all, in little memory
        some = words[start : start + 256]
        ids = np.array([vocab[word] for word in some])
        cosines = rows[ids] @ rows.T
        cosines[:, vocab.unk] = cosines[np.arange(len(ids)), ids] = -2
        neighbours.update(zip(some, tokens[largest(cosines, k)].tolist()))
    return neighbours


def evaluate_pairs(table, vocab):
    """Return how well the cosines of a table's rows follow people's judgement, as Spearman's rank correlations by test.

    WordSim-353 asks how related two words are, SimLex-999 how alike. Pairs with a word outside the vocabulary are left
    out; None where fewer than ten are left.
    Sources: Finkelstein et al. 2001, https://doi.org/10.1145/371920.372094; Hill et al. 2015, https://arxiv.org/abs/1408.3456.
    """
    from gensim.models import KeyedVectors
    from gensim.test.utils import datapath

    vectors, found = KeyedVectors(table.shape[1]), {}
    vectors.add_vectors(vocab.idx_to_token[1:], table[1:])
    for name, file in (("WordSim-353", "wordsim353.tsv"), ("SimLex-999", "simlex999.txt")):
        lines = [line for line in Path(datapath(file)).read_text().splitlines() if not line.startswith("#")]
        known = sum(all(vocab[word.lower()] != vocab.unk for word in line.split("\t")[:2]) for line in lines)
        found[name] = float(vectors.evaluate_word_pairs(datapath(file))[1][0]) if known >= 10 else None
    return found


def map_groups(query_token, vocab, table, num_groups=6, group_size=10):
    """Choose words for a map: groups of a word and its nearest words, no word twice; returns {word: words}.

    The first group is the query word's. The others start from words that most English texts have, then from the
    commonest words of 6 letters or more, then from the commonest.
    """
    by_frequency = vocab.idx_to_token[1:]
    longer = [token for token in by_frequency if len(token) >= 6 and token.isalpha()]
    groups, taken = {}, set()
    for start in [query_token, "oil", "court", "president", "music", "water", "germany", "church", *longer, *by_frequency]:
        if len(groups) < num_groups and start in vocab.token_to_idx and start not in taken:
            k = min(3 * group_size, len(vocab) - 2)
            words = [token for token in nearest([start], k, table, vocab)[start] if token not in taken]
            groups[start] = [start, *words[: group_size - 1]]
            taken.update(groups[start])
    return groups


def place_on_map(table, rows, seed):
    """Place chosen rows of a table on a map (n, 2) whose distances come as near to those of the unit vectors as can be.

    Distances between unit vectors grow as their cosines fall. Multidimensional scaling, started from `seed`.
    Source: Kruskal 1964, https://doi.org/10.1007/BF02289565.
    """
    from sklearn.manifold import MDS

    scaling = MDS(n_init=4, random_state=seed, normalized_stress="auto")
    return scaling.fit_transform(unit_rows(table)[rows].astype(np.float64))


def choose_query(query_token, k, vocab, corpus):
    """Return the word to ask about: the one that is named, which must exist, or a word that suits the corpus.

    That is "chip" for PTB, "computer" for Wikipedia, and for text of one's own its commonest word of 6 letters or more
    (else its commonest word).
    """
    if query_token is None:
        by_frequency = vocab.idx_to_token[1:]
        longer = [token for token in by_frequency if len(token) >= 6]
        query_token = {"ptb": "chip", "wikipedia": "computer"}.get(corpus) or (longer or by_frequency)[0]
    require_query(query_token, k, vocab)
    return query_token
