"""Indexing, y = x[index], whose gradient adds g at the index; and assignment, x[index] = v.

The rules are PyTorch's. Integers and slices are applied first, and then the index arrays. If the index arrays are then
neighbours, the dimensions of their result take the place of the first one; else these dimensions come first. (NumPy treats an
integer as an index array if there are others, so its ``x[0, :, [1, 2]]`` has another order of axes.) An array of uint8 is a
mask.
"""

from __future__ import annotations

import math
import operator
import re
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..autograd.mode import mode
from ..autograd.node import Node, next_age, share
from ..tensor import Tensor, method, raw, version_of, wrap
from .common import (
    accepts_axis,
    keep_where,
    namespace,
    narrowed,
    one_dim,
    printed_as,
    reshaped,
    shape_of,
    sum_to,
    widened,
)
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
    out = backend.zeros(shape, g32)
    if isinstance(index, Steps):
        out[index.basic] = add_at(out[index.basic].shape, index.arrays, g32)
    elif not may_repeat(index):
        out[index] = g32
    else:
        out = add_rows(out, index, g32) if xp is np else add_rows_in_pairs(xp, out, index, g32)
    return narrowed(out, g)


class GetItem(Node):
    """y = x[index];  dx = zeros with g added at the index."""

    fresh = True

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


def view_at(x: Tensor, index: tuple) -> Tensor:
    """GetItem(index)(x) for an index of integers, slices and None, written out: programs do this in inner loops."""
    array = x._array
    y = new_tensor(Tensor)
    y._array = array[index]
    if not mode.enabled:
        share(x, y, None)
    elif x._requires_grad:
        node = node_of_view(index, array.shape)
        node.needs, node.edges, node.age = [True], [x if x.grad_fn is None else (x.grad_fn, x._output_nr)], next_age()
        y._requires_grad, y.grad_fn = True, node
        share(x, y, node)
    else:  # `share`, written out too
        y._version_ = version = x._version_ or version_of(x)
        y._view = x, (node_of_view, index, array.shape)
        version.add_view(y)
    return y


def node_of_view(index: tuple, shape: tuple[int, ...]) -> GetItem:
    """The node of x[index], as if it had been called on an x of this shape."""
    node = GetItem.__new__(GetItem)
    node.index, node.shape, node.is_view = index, shape, True
    return node


def node_of_row(i: int, shape: tuple[int, ...]) -> GetItem:
    return node_of_view((i, ...), shape)


new_tensor = Tensor.__new__


def _int_of(part: Any) -> Any:
    """The int of a 0-d integer Tensor; anything else unchanged."""
    array = part._array if type(part) is Tensor else None
    return int(array) if type(array) is np.ndarray and not array.ndim and array.dtype.kind == "i" else part


@method("__iter__")
def rows(x: Any) -> Any:
    """An iterator over x[0], x[1], …"""
    if not x._array.ndim:
        raise TypeError("iter: a 0-d tensor has no rows to iterate over; use .item()")
    n, array = len(x), x._array
    if type(array) is not np.ndarray or x._requires_grad or not mode.enabled:
        return iter([x[i] for i in range(n)])
    found, version, shape = list(map(new_tensor, repeat(Tensor, n))), version_of(x), array.shape
    arrays = array if array.ndim > 1 else [array[i, ...] for i in range(n)]
    for y, row, i in zip(found, arrays, range(n), strict=True):  # as in `view_at`
        y._array = row
        y._version_ = version
        y._view = x, (node_of_row, i, shape)
    version.add_views(found)
    return iter(found)


class Embedding(GetItem):
    """y = W[index];  dW = zeros with g added at the index, but not at the row of the padding (None: there is no such row)."""

    def __init__(self, index, padding):
        super().__init__((index,))
        self.padding = padding

    def backward(self, g):
        if self.padding is None:
            return super().backward(g)
        counts = namespace(raw(g)).expand_dims(self.index[0] != self.padding, axis=-1)
        return super().backward(keep_where(wrap(counts) if isinstance(g, Tensor) else counts, g))


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
            dx = backend.copy(g[...])  # (the g of a 0-d tensor may be a NumPy scalar)
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
    index = backend.given(raw(index))
    if not backend.is_array(index):
        return _without_array(index)
    if backend.is_floating(index):
        raise IndexError(f"index: expected integers, booleans or slices, got an array of {index.dtype}; use .long() on it")
    if index.dtype == (np.uint8 if isinstance(index.dtype, np.dtype) else namespace(index).uint8):  # a mask, as in PyTorch
        index = index != 0
    if index.ndim == 0:
        return bool(index) if backend.is_bool(index) else int(index)
    # a GPU's tensor takes indices of the CPU, as PyTorch's does
    return backend.from_host(index, where) if isinstance(index, np.ndarray) and not isinstance(where, np.ndarray) else index


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
            if type(part) not in backend.NUMPYS and not backend.is_bool(part):
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
    try:
        if isinstance(x, Tensor) and type(x._array) is np.ndarray:  # ints, slices and None: without the detour below
            kind = type(index)
            if kind is int or kind is slice:
                return view_at(x, (index, ...))
            if kind is Tensor:
                index = _int_of(index)
                if type(index) is int:
                    return view_at(x, (index, ...))
                which = index._array
                if type(which) is np.ndarray and which.dtype == np.int64 and not (x._requires_grad and mode.enabled):
                    return wrap(x._array[which])
            elif kind is tuple:
                for part in index:
                    if type(part) is not int and type(part) is not slice and part is not None:
                        break
                else:
                    return view_at(x, (*index, ...))
        index = raw_index(index, raw(x))
        backend.check_same_device("index", [raw(x), *(index if isinstance(index, tuple) else (index,))])
        return GetItem(index)(x)
    except IndexError as error:
        raise explained(error, raw(x)) from None


def explained(error: IndexError, x: Any) -> IndexError:
    """The library's error about an index into the array x, in our words."""
    said, shape = str(error), f"; the shape is {tuple(x.shape)}"
    if found := re.match(r"index (-?\d+) is out of bounds for axis \d+ with size (\d+)", said):
        n = int(found[2])
        said = f"expected indices from {-n} to {n - 1} for a dimension of size {n}, got {found[1]}"
    elif found := re.match(r"too many indices for array: array is (\d+)-dimensional, but (\d+) were indexed", said):
        said = f"expected at most {found[1]} indices, got {found[2]}"
    elif said.startswith("index: "):
        return error
    return IndexError(f"index: {said}{shape}")


@method()
@accepts_axis
def take_along_dim(input: Any, indices: Any, dim: int | None = None) -> Any:
    """Take the elements at `indices` from each line along `dim`.

    `indices` are integers and have as many dimensions as the tensor; -1 is the last element of a line. Without `dim`, both
    are taken as one line.

    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).take_along_dim(tinynorm.tensor([[1], [0]]), 1)
    tensor([[5.],
            [7.]])
    """
    if dim is None:
        input, dim = input.reshape(-1), 0
        indices = indices.reshape(-1) if hasattr(indices, "shape") else indices
    d, at = one_dim(dim, input.ndim, "take_along_dim"), raw(indices)
    if type(at) is not np.ndarray and backend.is_array(at):
        n = input.shape[d] if input.ndim else 1
        check_range("take_along_dim", at, n, -n)
    return taken("take_along_dim", input, d, at, input.shape)


def taken(op: str, x: Any, d: int, at: Any, shape: tuple[int, ...]) -> Any:
    """The elements of x at `at` along dimension d, and at 0, 1, 2, … along each other dimension of `shape`."""
    backend.check_same_device(op, [raw(x), at])
    if not backend.is_array(at) or backend.is_floating(at) or backend.is_bool(at):
        raise TypeError(f"{op}: expected indices of an integer dtype, got {getattr(at, 'dtype', type(at).__name__)}")
    if at.ndim != x.ndim:
        raise RuntimeError(f"{op}: expected indices of {x.ndim} dimensions, as x has, got shape {tuple(at.shape)}")
    if not shape:  # x is one number: the only element of a line
        return GetItem((at.reshape(1),))(x.reshape(1)).reshape(())
    y = GetItem((*lines(at, shape[:d]), at, *lines(at, shape[d + 1 :], behind=True)))(x)
    return printed_as("GatherBackward0", y)


def along(x: Any, d: int, at: Any) -> Any:
    """The element of each line along dimension d at its place in `at`, which has x's shape without that dimension."""
    return GetItem((*lines(at, at.shape[:d]), at, *lines(at, at.shape[d:], behind=True)))(x)


def lines(like: Any, shape: tuple[int, ...], behind: bool = False) -> list:
    """Index arrays 0, 1, 2, … for the dimensions `shape` before (or behind) a dimension indexed by `like`; they broadcast."""
    xp, first = namespace(like), like.ndim - len(shape) if behind else 0
    return [
        xp.reshape(xp.arange(n, **backend.on_device_of(like)), (n,) + (1,) * (like.ndim - 1 - first - i))
        for i, n in enumerate(shape)
    ]


@method()
@accepts_axis
def gather(input: Any, dim: int, index: Any) -> Any:
    """As `take_along_dim`, but `index` may be shorter along the other dimensions: only the first lines are then used.

    Raises
    ------
    IndexError
        An index is negative or too large, or `index` is longer than the tensor along another dimension.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).gather(1, tinynorm.tensor([[1], [0]])).squeeze(1)
    tensor([5., 7.])
    """
    d, at = one_dim(dim, input.ndim, "gather"), raw(index)
    _check_places("gather", at, input, d)
    return taken("gather", input, d, at, shape_of(at))


def _check_places(op: str, at: Any, x: Any, d: int) -> None:
    """Check that an index along dimension d has places in x, as gather and scatter name them."""
    if backend.is_array(at) and at.ndim == x.ndim and not backend.is_bool(at) and not backend.is_floating(at):
        for i, (n, size) in enumerate(zip(at.shape, x.shape, strict=True)):
            if i != d and n > size:
                expected = f"at most x's sizes {tuple(x.shape)} beside dimension {d}"
                raise RuntimeError(f"{op}: expected an index of {expected}, got {tuple(at.shape)}")
        check_range(op, at, x.shape[d] if x.ndim else 1, 0)


def places(op: str, x: Any, dim: int, index: Any) -> tuple:
    """The index, for `getitem`, of the elements that `gather` reads and `scatter_` writes."""
    d, at = one_dim(dim, x.ndim, op), raw(index)
    if not backend.is_array(at) or backend.is_floating(at) or backend.is_bool(at):
        raise TypeError(f"{op}: expected an index of an integer dtype, got {getattr(at, 'dtype', type(at).__name__)}")
    if at.ndim != x.ndim:
        raise RuntimeError(f"{op}: expected an index of {x.ndim} dimensions, as x has, got shape {tuple(at.shape)}")
    _check_places(op, at, x, d)
    if not x.ndim:
        return (...,)
    return (*lines(at, at.shape[:d]), at, *lines(at, at.shape[d + 1 :], behind=True))


def source_for(op: str, x: Any, index: Any, src: Any) -> Any:
    """The part of `src` that the index covers, in the dtype of x."""
    if not isinstance(src, Tensor):
        raise TypeError(f"{op}: expected src to be a Tensor, got {type(src).__name__}")
    if src.dtype != x.dtype:
        raise RuntimeError(f"{op}: expected src in the dtype of x, {raw(x).dtype}, got {src._array.dtype}; use src.to(x.dtype)")
    if src.ndim != index.ndim or any(n > m for n, m in zip(index.shape, src.shape, strict=True)):
        raise RuntimeError(f"{op}: expected src to be as long as the index, {tuple(index.shape)}, got {tuple(src.shape)}")
    return src if src.shape == index.shape else getitem(src, tuple(slice(n) for n in index.shape))


@method()
@accepts_axis
def index_select(input: Any, dim: int, index: Any) -> Any:
    """The slices of x at the places `index` along `dim`, (k): a copy.

    Raises
    ------
    IndexError
        A place is negative or too large, or `index` is not a vector.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 5.0], [7.0, 2.0]]).index_select(1, tinynorm.tensor([1, 1]))
    tensor([[5., 5.],
            [2., 2.]])
    """
    at = slices_at("index_select", input, dim, index)
    return printed_as("IndexSelectBackward0", GetItem(at)(input)) if input.ndim else input.clone()


def slices_at(op: str, x: Any, dim: int, index: Any) -> tuple:
    """The index, for `getitem`, of the slices of x at the places `index`, a vector of integers, along `dim`."""
    d, at = one_dim(dim, x.ndim, op), raw(index)
    if not backend.is_array(at) or backend.is_floating(at) or backend.is_bool(at):
        raise TypeError(f"{op}: expected an index of an integer dtype, got {getattr(at, 'dtype', type(at).__name__)}")
    if at.ndim > 1 or (not x.ndim and math.prod(at.shape) != 1):
        expected = "be a vector" if x.ndim else "have one element, as the tensor has"
        raise IndexError(f"{op}: expected the index to {expected}, got shape {tuple(at.shape)}")
    backend.check_same_device(op, [raw(x), at])
    check_range(op, at, x.shape[d] if x.ndim else 1, 0)
    return (*(EVERYTHING,) * d, reshaped(at, (at.shape[0] if at.ndim else 1,))) if x.ndim else (...,)


@method()
def bincount(input: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often each of the integers 0, 1, 2, … is in the vector `input`; with `weights`, the sum of theirs.

    Raises
    ------
    RuntimeError
        `input` is not a vector of integers that are not negative.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.bincount(tinynorm.tensor([1, 1, 3]), minlength=5)
    tensor([0, 2, 0, 1, 0])
    """
    a = raw(input)
    xp, whole = namespace(a), not (backend.is_floating(a) or backend.is_bool(a))
    if not whole or a.ndim != 1 or (a.shape[0] and int(xp.min(a)) < 0):
        raise RuntimeError(
            f"bincount: expected a vector of integers that are not negative, got {a.dtype} of shape {tuple(a.shape)}"
            + (f" from {int(xp.min(a))}" if whole and math.prod(a.shape) else "")
        )
    n = max(int(xp.max(a)) + 1 if a.shape[0] else 0, minlength)
    if weights is None:
        ones = xp.ones(a.shape, dtype=backend.float64, **backend.on_device_of(a))
        return wrap(backend.astype(add_at((n,), (a,), ones), backend.int64))
    w = raw(weights)
    if tuple(w.shape) != tuple(a.shape):
        raise RuntimeError(f"bincount: expected a weight for each of the {a.shape[0]} integers, got shape {tuple(w.shape)}")
    w = w if backend.is_floating(w) and not backend.is_half(w) else backend.astype(w, backend.float64)
    return wrap(add_at((n,), (a,), w))


def one_hot(input: Any, num_classes: int = -1) -> Any:
    """For each class index a row of zeros with a 1 at its place, (…) → (…, C), int64. C is found in the indices unless given.

    Raises
    ------
    RuntimeError
        An index is negative, or not below `num_classes`, or the dtype is not int64.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.one_hot(tinynorm.tensor([0, 2]), num_classes=3)
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    a = raw(input)
    xp, given = namespace(a), num_classes != -1
    if a.dtype != (backend.int64 if isinstance(a.dtype, np.dtype) else xp.int64):
        raise RuntimeError(f"one_hot: expected class indices of int64, got {a.dtype}; use .long()")
    empty = not math.prod(a.shape)
    if empty and num_classes < 1:
        raise RuntimeError("one_hot: expected num_classes for a tensor without elements, whose classes cannot be counted")
    C = num_classes if given else int(xp.max(a)) + 1
    if bool(xp.any((a < 0) | (a >= C))):
        raise RuntimeError(f"one_hot: expected class indices from 0 to {C - 1}, got {int(xp.min(a))} to {int(xp.max(a))}")
    hot = a[..., None] == xp.arange(C, **backend.on_device_of(a))
    return wrap(backend.astype(hot, a.dtype))


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of a table at the given indices. The gradients of a row that is used more than once are added.

    Parameters
    ----------
    input : Tensor
        Indices (integers), (*).
    weight : Tensor
        The table, (V, D).
    padding_idx : int, optional
        This row gets no gradient.

    Returns
    -------
    Tensor
        (*, D).

    Raises
    ------
    IndexError
        An index is not from 0 to V - 1.
    RuntimeError, TypeError
        The indices are not a Tensor of integers, or the table is not a matrix.

    Examples
    --------
    >>> import tinynorm
    >>> table = tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tinynorm.nn.functional.embedding(tinynorm.tensor([1, 1]), table)
    tensor([[3., 4.],
            [3., 4.]])
    """
    at, W = raw(input), raw(weight)
    if not isinstance(input, Tensor) or backend.is_floating(at) or backend.is_bool(at):
        got = f"a tensor of {at.dtype}; use .long() on it" if isinstance(input, Tensor) else type(input).__name__
        kind = RuntimeError if isinstance(input, Tensor) else TypeError  # as in PyTorch
        raise kind(f"embedding: expected a Tensor of indices (int64), got {got}")
    if not isinstance(weight, Tensor) or W.ndim != 2:
        raise RuntimeError(f"embedding: expected weight (V, D), got {getattr(W, 'shape', type(W).__name__)}")
    backend.check_same_device("embedding", [at, W])
    V = W.shape[0]
    if padding_idx is not None and not -V <= padding_idx < V:
        raise RuntimeError(f"embedding: expected padding_idx to be a row of the {V} of weight, got {padding_idx}")
    check_range("embedding", at, V, 0)
    index = namespace(at).reshape(at, (1,)) if not at.ndim else at
    y = Embedding(index, None if padding_idx is None else padding_idx % V)(weight)
    return y if at.ndim else y[0]
