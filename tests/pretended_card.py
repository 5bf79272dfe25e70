"""A pretended GPU: tensors that say they lie on one, and do not mix with the processor's, computed on the processor.

No GPU is needed to see whether each tensor is moved where it has to be: PyTorch sends every operation through `_compute`.
What a real card does beside (its kernels, its order of sums, what runs while the processor goes on) is not seen so.
"""

import contextlib
import functools

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

NAME, PLACE = "pretended", "pretended:0"
MOVES = "copy_", "_to_copy"  # the operations that may take tensors of both sides
waits = []  # the operations in which the processor waits for the card, so far


class OnCard(torch.Tensor):
    """A tensor that says it lies on the card; `here` is the processor's tensor behind it."""

    @staticmethod
    def __new__(cls, here):
        place = {"strides": here.stride(), "storage_offset": here.storage_offset(), "dtype": here.dtype, "device": PLACE}
        return torch.Tensor._make_wrapper_subclass(cls, here.shape, **place)

    def __init__(self, here):
        self.here = here

    def __repr__(self, **_):
        return f"OnCard({self.here})"

    def numpy(self, **_):
        raise TypeError("a tensor of the card is no array: copy it to the processor first")

    __array__ = numpy

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return _compute(operation, args, kwargs or {})


class _Pretending(TorchDispatchMode):
    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return _compute(operation, args, kwargs or {})


def _waits(name, args, kwargs):
    """Whether the processor waits for the card in an operation: for a number, a copy, or the shape of what comes out."""
    if name in ("index", "index_put_"):
        return any(index is not None and index.dtype is torch.bool for index in args[1])
    if name in MOVES:
        target = args[0].device if name == "copy_" else kwargs.get("device") or NAME
        return torch.device(target).type == "cpu"
    return name in ("_local_scalar_dense", "nonzero", "masked_select", "unique_consecutive", "unique_dim", "_unique2")


def _compute(operation, args, kwargs):
    """Do an operation on the processor; its result lies where a card's would. Raises RuntimeError where sides are mixed."""
    name = operation.overloadpacket.__name__
    tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
    on_card = any(isinstance(tensor, OnCard) for tensor in tensors)
    mixed = on_card and any(not isinstance(tensor, OnCard) and tensor.dim() for tensor in tensors)  # a number may lie anywhere
    if on_card and _waits(name, args, kwargs):
        waits.append(name)
    if mixed and name not in MOVES:
        raise RuntimeError(f"{name}: tensors of the processor among those of the card")
    if kwargs.get("device") is not None:
        on_card = torch.device(kwargs["device"]).type == NAME
        kwargs = {**kwargs, "device": "cpu"}
    args, kwargs_here = tree_map_only(OnCard, lambda tensor: tensor.here, (args, kwargs))
    found = operation(*args, **kwargs_here)
    if operation._schema.is_mutable:
        return tensors[0]  # which was changed
    return tree_map_only(torch.Tensor, OnCard, found) if on_card else found


def _empty(shape, *_, dtype=None, **__):
    return OnCard(torch.empty(shape, dtype=dtype))


def _copy_from(source, target, non_blocking=False):
    return _compute(torch.ops.aten.copy_.default, (target, source), {})


@functools.cache
def _set_up():
    _setup_privateuseone_for_python_backend(NAME)
    library = torch.library.Library("aten", "IMPL")
    for name, function in (("empty_strided", _empty), ("empty.memory_format", _empty), ("_copy_from", _copy_from)):
        library.impl(name, function, "PrivateUse1")
    return library  # what it registers ends with it


@contextlib.contextmanager
def pretended_card():
    """Give the name of a device that tensors can be moved to, inside the block."""
    _set_up()
    with _Pretending():
        yield NAME
