"""Indexing: y = x[index], whose gradient adds g back at the index; and assignment to an index.

The rules are PyTorch's: integers and slices are applied first, and what the index arrays give stands where the first of them
stood, if they are neighbours then, else in front. (NumPy counts an integer among the arrays: its ``x[0, :, [1, 2]]`` has
another order of axes.) An array of uint8 is a mask.
"""

from __future__ import annotations

import math
import operator
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method, raw, wrap
from .common import accepts_axis, keep_where, namespace, narrowed, one_dim, reshaped, sum_to, widened
from .scatter import add_rows, add_rows_in_pairs, last_written

EVERYTHING = slice(None)


class Steps(NamedTuple):
    """An index in two steps: integers, slices and None, which give a view of x; then arrays, one for a dimension or masks."""

    basic: tuple
    arrays: Any


def is_basic(index: Any) -> bool:
    """Whether the index has only integers, slices, ... and None, which never name an element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(p, (int, np.integer, slice, type(None), type(...))) and not isinstance(p, bool) for p in parts)


def own(index: Any) -> Any:
    """The index with its arrays copied: nobody changes them between forward and backward."""
    if isinstance(index, Steps):
        return Steps(index.basic, own(index.arrays))
    if isinstance(index, tuple):
        return tuple(own(part) for part in index)
    return backend.copy(index) if backend.is_array(index) else index


def at(x: Any, index: Any) -> Any:
    """x[index], of an array or a Tensor."""
    if isinstance(x, Tensor):
        return GetItem(index)(x)
    return x[index.basic][index.arrays] if isinstance(index, Steps) else x[index]


def write_at(x: Any, index: Any, v: Any) -> None:
    """x[index] = v, of an array."""
    if isinstance(index, Steps):
        write_at(x[index.basic], index.arrays, v)
        return
    if backend.is_array(index) and index.ndim == x.ndim and getattr(v, "ndim", 0) > 1:
        v = reshaped(v, v.shape[-1:])  # for a mask of x's shape, NumPy takes one dimension at most
    x[index] = v


def may_repeat(index: Any) -> bool:
    """Whether the index may name an element more than once: only with arrays of integers."""
    parts = index.arrays if isinstance(index, Steps) else index
    return any(backend.is_array(p) and not backend.is_bool(p) for p in (parts if isinstance(parts, tuple) else (parts,)))


def add_at(shape: tuple[int, ...], index: Any, g: Any) -> Any:
    """Zeros of `shape` with `g` added at `index`; where the index names an element more than once, all are added.

    >>> add_at((3,), (np.array([0, 2, 2]),), np.array([1.0, 2.0, 3.0]))
    array([1., 0., 5.])
    """
    if isinstance(g, Tensor):
        return AddAt(shape, index)(g)
    xp, g32 = namespace(g), widened(g)
    out = xp.zeros(shape, dtype=g32.dtype, **backend.on_device_of(g))
    if isinstance(index, Steps):
        out[index.basic] = add_at(out[index.basic].shape, index.arrays, g32)
    elif not may_repeat(index):
        out[index] = g32
    else:
        out = add_rows(out, index, g32) if xp is np else add_rows_in_pairs(xp, out, index, g32)
    return narrowed(out, g)


class GetItem(Node):
    """y = x[index];  dx = zeros with g added at the index."""

    def __init__(self, index):
        self.index = index
        self.is_view = not isinstance(index, Steps) and is_basic(index)

    def forward(self, x):
        self.shape = x.shape
        if self.needs[0] and not self.is_view:
            self.index = own(self.index)
        return at(x, self.index)

    def backward(self, g):
        return (add_at(self.shape, self.index, g),)


class AddAt(Node):
    """y = zeros with x added at the index;  dx = g[index]."""

    def __init__(self, shape, index):
        self.shape, self.index = shape, index

    def forward(self, x):
        return add_at(self.shape, self.index, x)

    def backward(self, g):
        return (at(g, self.index),)


class SetItem(Node):
    """y = x with v written at the index, in place;  dx = g with zeros there, dv = g[index], summed over broadcasting.

    Of several numbers written to one place the last one stays, so only that one has a gradient.
    """

    def __init__(self, index):
        self.index = own(index)

    def forward(self, x, v):
        self.shapes = x.shape, getattr(v, "shape", ())
        if math.prod(self.shapes[1]) > 1 and type(x) is not np.ndarray and may_repeat(self.index):
            v = self.same_for_the_same_place(x, v)
        write_at(x, self.index, v)
        return x

    def same_for_the_same_place(self, x, v):
        """v with the number that stays in the place of those written over: a GPU writes in no order (NumPy does)."""
        xp, last, _ = self.last(x)
        rows = xp.broadcast_to(v, at(x, self.index).shape)
        return xp.reshape(xp.take(xp.reshape(rows, (last.shape[0], -1)), last, axis=0), rows.shape)

    def last(self, x):
        """(the namespace, and what `last_written` says of the index)."""
        index, xp = self.index, namespace(x)
        shape = x[index.basic].shape if isinstance(index, Steps) else x.shape
        return xp, *last_written(xp, shape, index.arrays if isinstance(index, Steps) else index)

    def backward(self, g, *_):
        if isinstance(g, Tensor):
            mask = namespace(g.data).zeros_like(g.data)
            write_at(mask, self.index, 1)
            mask = mask != 0
            dx = namespace(g).where(wrap(mask), 0.0, g)
        else:
            dx = backend.copy(namespace(g).asarray(g))  # (of a 0-d tensor it may be a NumPy scalar)
            write_at(dx, self.index, 0.0)
        return dx, self.to_value(g) if self.needs[1] else None

    def to_value(self, g):
        dv, shape = at(g, self.index), self.shapes[1]
        if math.prod(dv.shape) and may_repeat(self.index):
            xp, _, stays = self.last(raw(g))
            rows = xp.reshape(dv.data if isinstance(dv, Tensor) else dv, (stays.shape[0], -1))
            stays = xp.reshape(xp.broadcast_to(xp.reshape(stays, (-1, 1)), rows.shape), dv.shape)
            dv = keep_where(wrap(stays) if isinstance(dv, Tensor) else stays, dv)
        extra = max(len(shape) - len(dv.shape), 0)  # v may have more dimensions than the place, of length 1
        return reshaped(sum_to(dv, shape[extra:]), shape)


def raw_index(index: Any, where: Any) -> Any:
    """What NumPy is to be asked for: the index with Tensors and lists as arrays, in two steps where one would mean another.

    Without arrays it ends in ``...``: with that, NumPy's ``x[0, ...]`` is a view where its ``x[0]`` would be a copied number.

    Raises
    ------
    TypeError
        An index array is floating-point.
    IndexError
        A part is of another kind; there are more parts than the array has dimensions; or (on a GPU, which does not look) an
        index is out of range.
    """
    parts = tuple(_raw_part(part, where) for part in (index if isinstance(index, tuple) else (index,)))
    if is_basic(parts):
        return parts if any(p is ... for p in parts) else (*parts, ...)
    if len(parts) == 1 and type(parts[0]) is np.ndarray:  # often so, and with one meaning only
        return parts[0] if parts[0].dtype == np.bool_ else parts
    return _in_steps(_for_each_dim(parts, where), where)


def _raw_part(index: Any, where: Any) -> Any:
    if isinstance(index, (list, range)):
        try:
            host = np.asarray(index, dtype=None if len(index) else np.int64)
        except ValueError:
            host = np.asarray(None)
        if host.dtype == object:
            raise TypeError("index: expected a list of numbers or booleans; put slices, None and ... into a tuple, not a list")
        index = namespace(where).asarray(host, **backend.on_device_of(where))
    index = backend.plain(raw(index))
    if not backend.is_array(index):
        return _without_array(index)
    if backend.is_floating(index):
        raise TypeError(f"index: expected integers, booleans or slices, got an array of {index.dtype}; use .long() on it")
    if index.dtype == (np.uint8 if isinstance(index.dtype, np.dtype) else namespace(index).uint8):  # a mask, as in PyTorch
        index = index != 0
    if index.ndim == 0:
        return bool(index) if backend.is_bool(index) else int(index)
    return index


def _without_array(index: Any) -> Any:
    if index is None or index is ... or isinstance(index, (int, np.integer, slice)):
        return index
    if isinstance(index, np.bool_):
        return bool(index)
    try:
        return operator.index(index)
    except TypeError:
        expected = "integers, slices, None, ..., lists, arrays or tensors"
        raise IndexError(f"index: expected {expected}, got {type(index).__name__}") from None


def _consumed(part: Any) -> int:
    """How many dimensions of x the part of an index is for."""
    if part is None or part is ... or isinstance(part, bool):
        return 0
    return part.ndim if backend.is_array(part) and backend.is_bool(part) else 1


def _for_each_dim(parts: tuple, where: Any) -> list:
    """The parts with slices in the place of ``...``, and behind the last one: one for each dimension of x."""
    named = sum(map(_consumed, parts))
    if named > where.ndim:
        raise IndexError(f"index: expected at most {where.ndim} indices for shape {tuple(where.shape)}, got {named}")
    rest = [EVERYTHING] * (where.ndim - named)
    dots = [i for i, part in enumerate(parts) if part is ...]
    if not dots:
        return [*parts, *rest]
    return [*parts[: dots[0]], *rest, *(part for part in parts[dots[0] + 1 :] if part is not ...)]


def _in_steps(parts: list, where: Any) -> Any:
    """`parts` as one index of NumPy's, where that means the same, else as `Steps`."""
    basic: list = []
    arrays: list = []
    dim = 0
    for part in parts:
        if isinstance(part, bool):  # a new dimension, of length 1 or 0
            basic.append(None)
            arrays.append(namespace(where).asarray([0] if part else [], dtype=backend.int64, **backend.on_device_of(where)))
        elif backend.is_array(part):
            if type(part) is not np.ndarray and not backend.is_bool(part):
                check_range("index", part, where.shape[dim], -where.shape[dim])
            basic += [EVERYTHING] * _consumed(part)
            arrays.append(part)
        else:
            basic.append(part)
            arrays += [] if isinstance(part, (int, np.integer)) else [EVERYTHING]
        dim += _consumed(part)
    while isinstance(arrays[-1], slice):
        del arrays[-1]
    # (the array standard allows a mask only by itself)
    then = arrays[0] if len(arrays) == 1 and backend.is_bool(arrays[0]) else tuple(arrays)
    return then if all(isinstance(p, slice) and p == EVERYTHING for p in basic) else Steps((*basic, ...), then)


def check_range(op: str, at: Any, size: int, lowest: int) -> None:
    """Raise IndexError where one of the indices is not from `lowest` to size - 1."""
    xp = namespace(at)
    wrong = (at < lowest) | (at >= size)
    if bool(xp.any(wrong)):
        first = int(xp.reshape(at[wrong], (-1,))[0])
        raise IndexError(f"{op}: expected indices from {lowest} to {size - 1} for a dimension of size {size}, got {first}")


@method("__getitem__")
def getitem(x: Any, index: Any) -> Any:
    """x[index], with slices, integers, ``None``, ``...``, boolean masks and integer arrays (repeated ones accumulate).

    >>> import tinynorm
    >>> tinynorm.tensor([1.0, 2.0, 3.0])[[0, 0, 2]]
    tensor([1., 1., 3.])
    """
    index = raw_index(index, raw(x))
    backend.check_same_device("index", [raw(x), *(index if isinstance(index, tuple) else (index,))])
    return GetItem(index)(x)


@method()
@accepts_axis
def take_along_dim(x: Any, indices: Any, dim: int) -> Any:
    """From each line along `dim`, the elements at `indices` (integers, of as many dimensions as x); -1 is the last one.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).take_along_dim(tinynorm.tensor([[1], [0]]), 1)
    tensor([[5.],
            [7.]])
    """
    d, at = one_dim(dim, x.ndim, "take_along_dim"), raw(indices)
    if type(at) is not np.ndarray and backend.is_array(at) and x.ndim:
        check_range("take_along_dim", at, x.shape[d], -x.shape[d])
    return taken("take_along_dim", x, d, at, x.shape)


def taken(op: str, x: Any, d: int, at: Any, shape: tuple[int, ...]) -> Any:
    """The elements of x at `at` along dimension d, and at 0, 1, 2, … along each other dimension of `shape`."""
    backend.check_same_device(op, [raw(x), at])
    if not backend.is_array(at) or backend.is_floating(at) or backend.is_bool(at):
        raise TypeError(f"{op}: expected indices of an integer dtype, got {getattr(at, 'dtype', type(at).__name__)}")
    if at.ndim != x.ndim:
        raise RuntimeError(f"{op}: expected indices of {x.ndim} dimensions, as x has, got shape {tuple(at.shape)}")
    return GetItem((*lines(at, shape[:d]), at, *lines(at, shape[d + 1 :], behind=True)))(x)


def lines(like: Any, shape: tuple[int, ...], behind: bool = False) -> list:
    """0, 1, 2, … along each dimension of `shape`, to be broadcast: those before (or behind) an index of `like`'s dimensions."""
    xp, first = namespace(like), like.ndim - len(shape) if behind else 0
    return [
        xp.reshape(xp.arange(n, **backend.on_device_of(like)), (n,) + (1,) * (like.ndim - 1 - first - i))
        for i, n in enumerate(shape)
    ]


@method()
def gather(x: Any, dim: int, index: Any) -> Any:
    """As `take_along_dim`, but where the index is shorter than x along another dimension, x's first lines are taken.

    Raises
    ------
    IndexError
        An index is negative or too large, or longer than x along another dimension.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).gather(1, tinynorm.tensor([[1], [0]])).squeeze(1)
    tensor([5., 7.])
    """
    d, at = one_dim(dim, x.ndim, "gather"), raw(index)
    if backend.is_array(at) and at.ndim == x.ndim and x.ndim and not backend.is_bool(at):
        for i, (n, size) in enumerate(zip(at.shape, x.shape, strict=True)):
            if i != d and n > size:
                expected = f"at most x's sizes {tuple(x.shape)} beside dimension {d}"
                raise IndexError(f"gather: expected an index of {expected}, got {tuple(at.shape)}")
        check_range("gather", at, x.shape[d], 0)
    return taken("gather", x, d, at, at.shape)
