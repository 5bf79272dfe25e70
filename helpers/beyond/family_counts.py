"""Counted pairs of words and what needs no gradient: PMI with an SVD, random vectors, Huffman's tree. Taught in `17_family`."""

import heapq

import numpy as np

from helpers.examples import generator, subsample


def count_pairs(ids, sentence, max_window_size, vocab_size):
    """Count how often words stand near each other; returns a sparse, symmetric matrix (V, V).

    `ids` and `sentence` (n,) are those of `encode`. A pair counts with the chance that a window drawn from
    1..`max_window_size` reaches it: 1 for neighbors, 1 / `max_window_size` at the largest distance.
    """
    from scipy.sparse import coo_matrix

    pairs = coo_matrix((vocab_size, vocab_size)).tocsr()  # (V, V)
    for distance in range(1, max_window_size + 1):
        same = sentence[distance:] == sentence[:-distance]  # (n - distance,)
        chance = np.full(same.sum(), 1 - (distance - 1) / max_window_size)
        places = ids[:-distance][same], ids[distance:][same]
        pairs += coo_matrix((chance, places), pairs.shape).tocsr()
    return pairs + pairs.T


def count_resampled(ids, sentence, counts, max_window_size, seed, num_draws=16):
    """Count the pairs of a text that is subsampled anew in each of `num_draws` draws; returns their mean, sparse (V, V).

    Arguments are those of `count_pairs`, and `counts` (V,) of `count_words`. The mean is what skip-gram meets in an epoch.
    """
    total = 0
    for number in range(num_draws):
        rng = generator(seed, "examples", number)
        kept = subsample(ids, sentence, counts, rng)  # (m,) twice
        total = total + count_pairs(*kept, max_window_size, len(counts))
    return total / num_draws  # (V, V)


def counted_pmi(pairs):
    """Return for each pair how much more often it was counted than chance predicts: max(0, ln(p(w, c) / (p(w) p(c)))).

    Takes and returns a sparse, symmetric matrix (V, V). Source: Church and Hanks 1990, https://aclanthology.org/J90-1003.
    """
    totals = np.asarray(pairs.sum(axis=1)).ravel()  # (V,)
    pmi = pairs.tocoo(copy=True)
    by_chance = totals[pmi.row] * totals[pmi.col] / totals.sum()
    pmi.data = np.maximum(0, np.log(pmi.data / by_chance))
    pmi = pmi.tocsr()  # (V, V)
    pmi.eliminate_zeros()
    return pmi


def factorize(matrix, embed_size, seed):
    """Return two tables (V, embed_size) of float32 whose product comes as near to a matrix (V, V) as tables of that size can.

    Each column is scaled by the square root of its singular value. `seed` is where the decomposition starts.
    Source: Levy et al. 2015, https://aclanthology.org/Q15-1016.
    """
    from sklearn.decomposition import TruncatedSVD

    svd = TruncatedSVD(embed_size, n_iter=5, random_state=seed)
    left = svd.fit(matrix).transform(matrix)  # (V, d), times the singular values
    root = np.sqrt(svd.singular_values_)  # (d,)
    tables = left / root, svd.components_.T * root  # (V, d) each
    return [table.astype(np.float32) for table in tables]


def random_table(vocab_size, embed_size, seed):
    """Draw a table (vocab_size, embed_size) of float32 from the normal distribution."""
    rng = generator(seed, "initial values")
    return rng.normal(size=(vocab_size, embed_size)).astype(np.float32)


def huffman_tree(counts):
    """Join the two rarest nodes until one is left; returns {node: (the inner node above it, 1 left or -1 right)}.

    Nodes 0 to V - 1 are the words of `counts` (V,), the others are inner nodes in the order in which they were made; the last
    is the root. No tree has a shorter mean path, weighted by the counts. Source: Huffman 1952,
    https://doi.org/10.1109/JRPROC.1952.273898.
    """
    heap = [(count, word) for word, count in enumerate(counts)]
    heapq.heapify(heap)
    above = {}
    for node in range(len(counts), 2 * len(counts) - 1):
        left_count, left = heapq.heappop(heap)
        right_count, right = heapq.heappop(heap)
        above[left] = node, 1
        above[right] = node, -1
        heapq.heappush(heap, (left_count + right_count, node))
    return above


def path_to(word, above):
    """Return the questions on the way from the root to a word of `huffman_tree`: a list of (inner node, 1 left or -1 right)."""
    steps = []
    while word in above:
        steps.append(above[word])
        word = above[word][0]
    return steps[::-1]


def tree_paths(counts):
    """Lay the paths of all words in `huffman_tree` out as arrays `nodes` and `turns`, (V, L), L the longest path's length.

    `nodes` (int64) numbers the inner nodes from 0 to V - 2, `turns` (float32) is 1 for left, -1 for right, and 0 behind the
    end of a path.
    """
    above = huffman_tree(counts)
    paths = [path_to(word, above) for word in range(len(counts))]
    shape = len(counts), max(map(len, paths))
    nodes = np.zeros(shape, np.int64)  # (V, L)
    turns = np.zeros(shape, np.float32)  # (V, L)
    for word, path in enumerate(paths):
        for place, (node, turn) in enumerate(path):
            nodes[word, place] = node - len(counts)
            turns[word, place] = turn
    return nodes, turns
