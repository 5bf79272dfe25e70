"""Sparse matrices that pick rows of a table, for MXNet's training on blocks. MXNet only; not taught."""

import mxnet as mx
import numpy as np

MOST_PLACES = 2**31 - 1  # of a matrix, those that are not stored included: what MXNet can count


def selections(ids, num_rows):
    """Yield for each row of `ids` (n, R) a sparse matrix (R, num_rows) with a 1 per row, in the column of the row's id.

    As many as MXNet can count at once are made together and cut apart: one after the other takes longer. Raises
    ValueError if it can't count a single one.
    """
    size = ids.shape[1]
    at_once = MOST_PLACES // (size * num_rows)
    if not at_once:
        raise ValueError(f"MXNet can't select from {num_rows:,} rows: take a larger min_freq, or PyTorch")
    for start in range(0, len(ids), at_once):
        some = ids[start : start + at_once].ravel()
        ones = np.ones(len(some), np.float32), some, np.arange(len(some) + 1)
        matrix = mx.nd.sparse.csr_matrix(ones, shape=(len(some), num_rows))
        yield from (matrix[row : row + size] for row in range(0, len(some), size))
