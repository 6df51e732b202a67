"""Indexing, y = x[index], whose gradient adds g at the index; and assignment, x[index] = v.

The rules are PyTorch's. Integers and slices are applied first, and then the index arrays. If the index arrays are then
neighbours, the dimensions of their result take the place of the first one; else these dimensions come first. (NumPy treats an
integer as an index array if there are others, so its ``x[0, :, [1, 2]]`` has another order of axes.) An array of uint8 is a
mask.
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
    """An index in two steps: `basic` (integers, slices, None) gives a view of x, and `arrays` (or masks) index this view."""

    basic: tuple
    arrays: Any


def is_basic(index: Any) -> bool:
    """Whether the index has only integers, slices, ... and None. Such an index never selects an element twice."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(isinstance(p, (int, np.integer, slice, type(None), type(...))) and not isinstance(p, bool) for p in parts)


def own(index: Any) -> Any:
    """Copy the arrays of the index, so that they cannot change between forward and backward."""
    if isinstance(index, Steps):
        return Steps(index.basic, own(index.arrays))
    if isinstance(index, tuple):
        return tuple(own(part) for part in index)
    return backend.copy(index) if backend.is_array(index) else index


def at(x: Any, index: Any) -> Any:
    """x[index], for an array or a Tensor x."""
    if isinstance(x, Tensor):
        return GetItem(index)(x)
    return x[index.basic][index.arrays] if isinstance(index, Steps) else x[index]


def write_at(x: Any, index: Any, v: Any) -> None:
    """x[index] = v, for an array x."""
    if isinstance(index, Steps):
        write_at(x[index.basic], index.arrays, v)
        return
    if backend.is_array(index) and index.ndim == x.ndim and getattr(v, "ndim", 0) > 1:
        v = reshaped(v, v.shape[-1:])  # with a mask of x's shape, NumPy allows v at most one dimension
    x[index] = v


def may_repeat(index: Any) -> bool:
    """Whether the index may select an element more than once. Only arrays of integers can."""
    parts = index.arrays if isinstance(index, Steps) else index
    return any(backend.is_array(p) and not backend.is_bool(p) for p in (parts if isinstance(parts, tuple) else (parts,)))


def add_at(shape: tuple[int, ...], index: Any, g: Any) -> Any:
    """Zeros of `shape` with `g` added at `index`. If the index selects an element more than once, all its `g` are added.

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
    """y = x with v written at the index, in place;  dx = g with zeros at the index, dv = g[index], summed over broadcasting.

    If several numbers are written to one place, only the last one stays, so only the last one gets a gradient.
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
        """Replace each number of v by the number written last to its place. (Unlike NumPy, a GPU writes in any order.)"""
        xp, last, _ = self.last(x)
        rows = xp.broadcast_to(v, at(x, self.index).shape)
        return xp.reshape(xp.take(xp.reshape(rows, (last.shape[0], -1)), last, axis=0), rows.shape)

    def last(self, x):
        """(the namespace, and the two results of `last_written` for the index)."""
        index, xp = self.index, namespace(x)
        shape = x[index.basic].shape if isinstance(index, Steps) else x.shape
        return xp, *last_written(xp, shape, index.arrays if isinstance(index, Steps) else index)

    def backward(self, g, *_):
        if isinstance(g, Tensor):
            mask = namespace(g._array).zeros_like(g._array)
            write_at(mask, self.index, 1)
            mask = mask != 0
            dx = namespace(g).where(wrap(mask), 0.0, g)
        else:
            dx = backend.copy(namespace(g).asarray(g))  # (the g of a 0-d tensor may be a NumPy scalar)
            write_at(dx, self.index, 0.0)
        return dx, self.to_value(g) if self.needs[1] else None

    def to_value(self, g):
        dv, shape = at(g, self.index), self.shapes[1]
        if math.prod(dv.shape) and may_repeat(self.index):
            xp, _, stays = self.last(raw(g))
            rows = xp.reshape(dv._array if isinstance(dv, Tensor) else dv, (stays.shape[0], -1))
            stays = xp.reshape(xp.broadcast_to(xp.reshape(stays, (-1, 1)), rows.shape), dv.shape)
            dv = keep_where(wrap(stays) if isinstance(dv, Tensor) else stays, dv)
        extra = max(len(shape) - len(dv.shape), 0)  # v may have extra dimensions of length 1 in front
        return reshaped(sum_to(dv, shape[extra:]), shape)


def raw_index(index: Any, where: Any) -> Any:
    """Convert an index to NumPy's form: Tensors and lists become arrays. The result is a basic index, arrays, or `Steps`.

    It is `Steps` if NumPy would read the whole index differently from PyTorch. An index without arrays gets ``...`` at its
    end: NumPy's ``x[0, ...]`` is always a view, but ``x[0]`` may be a copied number.

    Raises
    ------
    TypeError
        An index array is floating-point.
    IndexError
        A part has another type; there are more parts than the array has dimensions; or an index is out of range (tested here
        only on a GPU, where the library itself does not test it).
    """
    parts = tuple(_raw_part(part, where) for part in (index if isinstance(index, tuple) else (index,)))
    if is_basic(parts):
        return parts if any(p is ... for p in parts) else (*parts, ...)
    if len(parts) == 1 and type(parts[0]) is np.ndarray:  # the common case: NumPy and PyTorch agree
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
    """How many dimensions of x this part of an index covers."""
    if part is None or part is ... or isinstance(part, bool):
        return 0
    return part.ndim if backend.is_array(part) and backend.is_bool(part) else 1


def _for_each_dim(parts: tuple, where: Any) -> list:
    """Replace ``...`` by full slices (without ``...``, append them), so that the parts cover every dimension of x."""
    named = sum(map(_consumed, parts))
    if named > where.ndim:
        raise IndexError(f"index: expected at most {where.ndim} indices for shape {tuple(where.shape)}, got {named}")
    rest = [EVERYTHING] * (where.ndim - named)
    dots = [i for i, part in enumerate(parts) if part is ...]
    if not dots:
        return [*parts, *rest]
    return [*parts[: dots[0]], *rest, *(part for part in parts[dots[0] + 1 :] if part is not ...)]


def _in_steps(parts: list, where: Any) -> Any:
    """Return `parts` as one NumPy index if that has the same meaning, else as `Steps`."""
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
    # (in the array standard, a mask must be the only index)
    then = arrays[0] if len(arrays) == 1 and backend.is_bool(arrays[0]) else tuple(arrays)
    return then if all(isinstance(p, slice) and p == EVERYTHING for p in basic) else Steps((*basic, ...), then)


def check_range(op: str, at: Any, size: int, lowest: int) -> None:
    """Raise IndexError if an index is not from `lowest` to size - 1."""
    xp = namespace(at)
    wrong = (at < lowest) | (at >= size)
    if bool(xp.any(wrong)):
        first = int(xp.reshape(at[wrong], (-1,))[0])
        raise IndexError(f"{op}: expected indices from {lowest} to {size - 1} for a dimension of size {size}, got {first}")


@method("__getitem__")
def getitem(x: Any, index: Any) -> Any:
    """x[index], with slices, integers, ``None``, ``...``, boolean masks and integer arrays.

    If the index selects an element more than once, the gradients of all copies are added.

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
    """Take the elements at `indices` from each line along `dim`.

    `indices` are integers and have as many dimensions as x; -1 is the last element of a line.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).take_along_dim(tinynorm.tensor([[1], [0]]), 1)
    tensor([[5.],
            [7.]])
    """
    d, at = one_dim(dim, x.ndim, "take_along_dim"), raw(indices)
    if type(at) is not np.ndarray and backend.is_array(at):
        n = x.shape[d] if x.ndim else 1
        check_range("take_along_dim", at, n, -n)
    return taken("take_along_dim", x, d, at, x.shape)


def taken(op: str, x: Any, d: int, at: Any, shape: tuple[int, ...]) -> Any:
    """The elements of x at `at` along dimension d, and at 0, 1, 2, … along each other dimension of `shape`."""
    backend.check_same_device(op, [raw(x), at])
    if not backend.is_array(at) or backend.is_floating(at) or backend.is_bool(at):
        raise TypeError(f"{op}: expected indices of an integer dtype, got {getattr(at, 'dtype', type(at).__name__)}")
    if at.ndim != x.ndim:
        raise RuntimeError(f"{op}: expected indices of {x.ndim} dimensions, as x has, got shape {tuple(at.shape)}")
    if not shape:  # x is one number: the only element of a line
        return GetItem((at.reshape(1),))(x.reshape(1)).reshape(())
    return GetItem((*lines(at, shape[:d]), at, *lines(at, shape[d + 1 :], behind=True)))(x)


def lines(like: Any, shape: tuple[int, ...], behind: bool = False) -> list:
    """Index arrays 0, 1, 2, … for the dimensions `shape` before (or behind) a dimension indexed by `like`; they broadcast."""
    xp, first = namespace(like), like.ndim - len(shape) if behind else 0
    return [
        xp.reshape(xp.arange(n, **backend.on_device_of(like)), (n,) + (1,) * (like.ndim - 1 - first - i))
        for i, n in enumerate(shape)
    ]


@method()
def gather(x: Any, dim: int, index: Any) -> Any:
    """As `take_along_dim`, but `index` may be shorter than x along the other dimensions: only x's first lines are then used.

    Raises
    ------
    IndexError
        An index is negative or too large, or `index` is longer than x along another dimension.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).gather(1, tinynorm.tensor([[1], [0]])).squeeze(1)
    tensor([5., 7.])
    """
    d, at = one_dim(dim, x.ndim, "gather"), raw(index)
    if backend.is_array(at) and at.ndim == x.ndim and not backend.is_bool(at):
        for i, (n, size) in enumerate(zip(at.shape, x.shape, strict=True)):
            if i != d and n > size:
                expected = f"at most x's sizes {tuple(x.shape)} beside dimension {d}"
                raise IndexError(f"gather: expected an index of {expected}, got {tuple(at.shape)}")
        check_range("gather", at, x.shape[d] if x.ndim else 1, 0)
    return taken("gather", x, d, at, at.shape)
