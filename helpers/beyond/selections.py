"""Sparse matrices that sum and pick rows of a table, for MXNet's faster training. MXNet only; not taught."""

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


def sparse_rows(values, ids, vocab_size):
    """Make a sparse matrix (B, V) that holds the `values` (B, n) in the columns that `ids` (B, n) name.

    Values of a row with the same id count as their sum.
    """
    ends = mx.nd.arange(0, ids.size + 1, ids.shape[1], ctx=ids.ctx, dtype="int64")
    values = values.reshape(-1).as_nd_ndarray()  # (B * n,)
    columns = ids.reshape(-1).as_nd_ndarray()  # (B * n,)
    shape = (len(ids), vocab_size)
    return mx.nd.sparse.csr_matrix((values, columns, ends), shape=shape)  # (B, V)


def subtract_rows(tables, selection, steps, lr):
    """Take `lr` times the steps of an update off the rows that its `selection` names; `steps` are arrays (..., d)."""
    steps = mx.np.concatenate([step.reshape(-1, step.shape[2]) for step in steps])  # (R, d)
    sums = mx.nd.sparse.dot(
        selection, steps.as_nd_ndarray(), transpose_a=True, forward_stype="row_sparse"
    )
    old_tables = tables.as_nd_ndarray()
    mx.nd.sgd_update(old_tables, sums, lr=lr, lazy_update=True, out=old_tables)


def transposed_dot(matrix, rows, out):
    """Write into `out` (V, d) the product of a sparse matrix (B, V), transposed, and `rows` (B, d)."""
    mx.nd.sparse.dot(matrix, rows, transpose_a=True, forward_stype="default", out=out)
