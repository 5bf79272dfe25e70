"""A ring of ranks on one machine, a backend of torch.distributed: each rank has a socket to the rank before and one to that after it.

The command that starts the ranks makes the sockets, in pairs without a name or an address. So nothing listens, and no other process
gets in. (gloo, which joins ranks on several machines, listens, and takes whoever connects first for the rank that it waits for.)
Sums come to the same bits as gloo's: each number is added up along the ring, from the same rank on.
"""

import select
import socket

import numpy as np
import torch.distributed as dist

SEGMENT = 2**20  # gloo cuts what it sends into segments of at most so many bytes, of equal number in each rank's part


def socket_pairs(num_ranks):
    """Return for each rank its two sockets, to the rank before it and to the rank after it."""
    pairs = [socket.socketpair() for _ in range(num_ranks)]  # between each rank and the next
    return [(pairs[rank - 1][1], pairs[rank][0]) for rank in range(num_ranks)]


def join_ring(rank, num_ranks, sockets, timeout):
    """Make this process a rank for torch.distributed, with its sockets. A rank that is silent for `timeout` seconds is a TimeoutError."""
    dist.Backend.register_backend("ring", lambda *_: Ring(rank, num_ranks, sockets, timeout), devices=["cpu"])
    dist.init_process_group("ring", store=dist.HashStore(), rank=rank, world_size=num_ranks)


class Ring(dist.ProcessGroup):
    """The collective operations that ranks use, on contiguous tensors in memory. Raises OSError if a rank beside this one is gone."""

    def __init__(self, rank, num_ranks, sockets, timeout):
        super().__init__(rank, num_ranks)
        (self.before, self.after), self.timeout = sockets, timeout
        for one in sockets:
            one.setblocking(False)

    def allreduce(self, tensors, options):
        """Add up each tensor over all ranks: first each rank adds up a part of it, then the parts go round."""
        assert options.reduceOp == dist.ReduceOp.SUM
        for tensor in tensors:
            parts = self.parts_of(tensor.numpy().reshape(-1))
            for step in range(1, self.size()):
                received = np.empty_like(self.part(parts, step + 1))
                self.pass_on(self.part(parts, step), received)
                self.part(parts, step + 1)[:] += received
            for step in range(self.size() - 1):
                self.pass_on(self.part(parts, step), self.part(parts, step + 1))

    def parts_of(self, numbers):
        """Cut an array into a part for each rank, as long as gloo's."""
        segments = max(-(-numbers.nbytes // SEGMENT), 2 * self.size())
        each = -(-segments // self.size())  # segments of a part
        length = each * -(-numbers.size // (each * self.size()))
        return [numbers[length * rank : length * (rank + 1)] for rank in range(self.size())]

    def part(self, parts, step):
        """Return the part of the rank that is so many steps behind this one."""
        return parts[(self.rank() + step) % self.size()]

    def allgather(self, outputs, inputs, _):
        """Give every rank the tensors of all ranks, which have one shape."""
        for parts, tensor in zip(outputs, inputs):
            parts[self.rank()].copy_(tensor)
            arrays = [part.numpy().reshape(-1) for part in parts]
            for step in range(self.size() - 1):
                self.pass_on(self.part(arrays, step), self.part(arrays, step + 1))

    def broadcast(self, tensors, options):
        """Give every rank the tensors of one."""
        nothing, place = np.empty(0), (options.rootRank - self.rank()) % self.size()  # how far before its root a rank is
        for tensor in tensors:
            numbers = tensor.numpy().reshape(-1)
            self.pass_on(nothing, numbers if place else nothing)
            self.pass_on(nothing if place == self.size() - 1 else numbers, nothing)

    def pass_on(self, numbers, received):
        """Send an array to the rank before this one, while another is filled by what comes from the rank after it."""
        to_send, to_receive = (memoryview(array.view(np.uint8)) for array in (numbers, received))
        try:
            while to_send or to_receive:
                ready = select.select([self.after] if to_receive else [], [self.before] if to_send else [], [], self.timeout)
                if not any(ready):
                    raise TimeoutError(f"a rank was silent for {self.timeout} seconds")
                if ready[1]:
                    to_send = to_send[self.before.send(to_send) :]
                if ready[0]:
                    count = self.after.recv_into(to_receive)
                    if not count:
                        raise ConnectionResetError
                    to_receive = to_receive[count:]
        except (ConnectionResetError, BrokenPipeError) as error:
            raise ConnectionError("another rank is gone") from error
