"""The ring of ranks on one machine, here of threads: the bits of gloo, and neighbors that go or say nothing."""

import datetime
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import AllgatherOptions, AllreduceOptions, BroadcastOptions

from helpers.beyond.scale.ring import Ring, socket_pairs

SIZES = 1, 2, 7, 4097, 1_000_003  # the last in several segments


def new_ring(num_ranks, timeout=20):
    return [Ring(rank, num_ranks, sockets, timeout) for rank, sockets in enumerate(socket_pairs(num_ranks))]


def new_gloo(num_ranks):
    store, most = dist.HashStore(), datetime.timedelta(seconds=20)
    with ThreadPoolExecutor(num_ranks) as threads:
        return list(threads.map(lambda rank: dist.ProcessGroupGloo(store, rank, num_ranks, most), range(num_ranks)))


def on_each(groups, function):
    """Call a function of (rank, group) in a thread for each group, and return the results."""
    with ThreadPoolExecutor(len(groups)) as threads:
        return list(threads.map(function, range(len(groups)), groups))


def wait(work):
    if work is not None:  # gloo's
        work.wait()


def collected(rank, group):
    """Sums, gathered and broadcast numbers, whose sums depend on the order in which they are added."""
    numbers, options = torch.Generator().manual_seed(rank), BroadcastOptions()
    options.rootRank, found = group.size() - 1, []
    for size in SIZES:
        for dtype in (torch.float32, torch.float64):
            own = torch.randn(size, generator=numbers, dtype=dtype)
            parts = [torch.empty_like(own) for _ in range(group.size())]
            wait(group.allgather([parts], [own], AllgatherOptions()))
            given = own.clone()
            wait(group.broadcast([given], options))
            wait(group.allreduce([own], AllreduceOptions()))
            found += [own, *parts, given]
    return [tensor.numpy().tobytes() for tensor in found]


@pytest.mark.parametrize("num_ranks", [1, 3])
def test_a_ring_comes_to_the_bits_of_gloo(num_ranks):
    ring = on_each(new_ring(num_ranks), collected)
    assert ring == on_each(new_gloo(num_ranks), collected)


def test_a_rank_that_is_gone_or_silent_is_an_error_of_its_neighbors():
    first, _, third = new_ring(3, timeout=0.2)
    with pytest.raises(TimeoutError, match="a rank was silent for 0.2 seconds"):
        first.allreduce([torch.ones(3)], AllreduceOptions())
    for one in (third.before, third.after):
        one.close()
    with pytest.raises(ConnectionError, match="another rank is gone"):
        first.allreduce([torch.ones(3)], AllreduceOptions())
