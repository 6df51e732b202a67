"""Indexing: y = x[index], whose gradient adds g back at the index; and assignment to an index."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method, raw, wrap
from .common import accepts_axis, namespace, narrowed, one_dim, sum_to, widened


def is_basic(index: Any) -> bool:
    """Whether the index has only integers, slices, ... and None, which never name an element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(p, (int, np.integer, slice, type(None), type(...))) and not isinstance(p, bool) for p in parts)


def own(index: Any) -> Any:
    """The index with its arrays copied: nobody changes them between forward and backward."""
    if isinstance(index, tuple):
        return tuple(own(part) for part in index)
    return backend.copy(index) if backend.is_array(index) else index


def add_at(shape: tuple[int, ...], index: Any, g: Any) -> Any:
    """Zeros of `shape` with `g` added at `index`; where the index names an element more than once, all are added.

    >>> add_at((3,), (np.array([0, 2, 2]),), np.array([1.0, 2.0, 3.0]))
    array([1., 0., 5.])
    """
    if isinstance(g, Tensor):
        return AddAt(shape, index)(g)
    xp, g32 = namespace(g), widened(g)
    out = xp.zeros(shape, dtype=g32.dtype, **backend.on_device_of(g))
    if is_basic(index):
        out[index] = g32
    elif xp is np:
        np.add.at(out, index, g32)
    else:
        out = _add_at_sorted(xp, out, index, g32)
    return narrowed(out, g)


def _add_at_sorted(xp: Any, out: Any, index: Any, g: Any) -> Any:
    """`add_at` without atomics, in an order that is always the same.

    Sort the elements by where they go; then double the reach of each one's sum (1, 2, 4, … neighbours with the same goal), so
    that the first of every run holds the sum of its run; and let every place look for its run.
    """
    goal = xp.reshape(xp.reshape(xp.arange(out.size, **backend.on_device_of(g)), out.shape)[index], (-1,))
    order = backend.stable_argsort(goal)
    goal, g = goal[order], xp.reshape(xp.broadcast_to(g, out[index].shape), (-1,))[order]
    n, reach = g.shape[0], 1
    while reach < n and bool(xp.any(goal[reach:] == goal[:-reach])):
        g = xp.concat((g[:-reach] + xp.where(goal[reach:] == goal[:-reach], g[reach:], 0.0), g[-reach:]))
        reach *= 2
    if n == 0:
        return out
    places = xp.arange(out.size, **backend.on_device_of(g))
    run = xp.searchsorted(goal, places)
    run = xp.where(run < n, run, 0)
    return xp.reshape(xp.where(goal[run] == places, g[run], 0.0), out.shape)


class GetItem(Node):
    """y = x[index];  dx = zeros with g added at the index."""

    def __init__(self, index):
        self.index = index
        self.is_view = is_basic(index)

    def forward(self, x):
        self.shape = x.shape
        if self.needs[0] and not self.is_view:
            self.index = own(self.index)
        return x[self.index]

    def backward(self, g):
        return (add_at(self.shape, self.index, g),)


class AddAt(Node):
    """y = zeros with x added at the index;  dx = g[index]."""

    def __init__(self, shape, index):
        self.shape, self.index = shape, index

    def forward(self, x):
        return add_at(self.shape, self.index, x)

    def backward(self, g):
        return (g[self.index],)


class SetItem(Node):
    """y = x with v written at the index, in place;  dx = g with zeros there, dv = g[index], summed over broadcasting."""

    def __init__(self, index):
        self.index = own(index)

    def forward(self, x, v):
        self.shapes = x.shape, getattr(v, "shape", ())
        x[self.index] = v
        return x

    def backward(self, g, *_):
        if isinstance(g, Tensor):
            mask = namespace(g.data).zeros_like(g.data)
            mask[self.index] = 1
            mask = mask != 0
            dx = namespace(g).where(wrap(mask), 0.0, g)
        else:
            dx = backend.copy(g)
            dx[self.index] = 0.0
        return dx, sum_to(g[self.index], self.shapes[1]) if self.needs[1] else None


def raw_index(index: Any, where: Any) -> Any:
    """The index with its Tensors and lists as arrays, and with ``...`` for the dimensions it does not name.

    (With that, NumPy's ``x[0, ...]`` is a view where its ``x[0]`` would be a copied number.)

    Raises
    ------
    TypeError
        An index array is floating-point.
    """
    parts = tuple(_raw_part(part, where) for part in (index if isinstance(index, tuple) else (index,)))
    if len(parts) == 1 and backend.is_array(parts[0]) and backend.is_bool(parts[0]):
        return parts[0]  # the array standard allows a mask only by itself
    complete = len(parts) == where.ndim and not is_basic(parts)
    return parts if complete or any(p is ... for p in parts) else (*parts, ...)


def _raw_part(index: Any, where: Any) -> Any:
    if isinstance(index, (list, range)):
        host = np.asarray(index, dtype=None if len(index) else np.int64)
        index = namespace(where).asarray(host, **backend.on_device_of(where))
    index = raw(index)
    if hasattr(index, "dtype") and not isinstance(index, np.generic) and backend.is_floating(index):
        raise TypeError(f"index: expected integers, booleans or slices, got an array of {index.dtype}; use .long() on it")
    return index


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
    """From each line along `dim`, the elements at `indices` (int64, of as many dimensions as x).

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).take_along_dim(tinynorm.tensor([[1], [0]]), 1)
    tensor([[5.],
            [7.]])
    """
    return _take("take_along_dim", x, dim, raw(indices), x.shape)


def _take(op: str, x: Any, dim: int, at: Any, shape: tuple[int, ...]) -> Any:
    """The elements of x at `at` along `dim`, and at 0, 1, 2, … along each other dimension of `shape`."""
    xp, ndim, dim = namespace(at), x.ndim, one_dim(dim, x.ndim, op)
    backend.check_same_device(op, [raw(x), at])
    if at.ndim != ndim:
        raise RuntimeError(f"{op}: expected indices of {ndim} dimensions, as x has, got shape {tuple(at.shape)}")
    ranges = [xp.reshape(xp.arange(n, **backend.on_device_of(at)), (n,) + (1,) * (ndim - 1 - i)) for i, n in enumerate(shape)]
    return GetItem((*ranges[:dim], at, *ranges[dim + 1 :]))(x)


@method()
def gather(x: Any, dim: int, index: Any) -> Any:
    """As `take_along_dim`, but where the index is shorter than x along another dimension, x's first lines are taken.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).gather(1, tinynorm.tensor([[1], [0]])).squeeze(1)
    tensor([5., 7.])
    """
    return _take("gather", x, dim, raw(index), index.shape)
