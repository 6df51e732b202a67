"""Reshaping, permuting, repeating and joining. Each backward undoes the forward."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method, raw, wrap
from .common import accepts_axis, all_dims, as_held_by, namespace, of_tensors, one_dim, printed_as, promote, sum_to
from .convert import as_dtype, contiguous


class Reshape(Node):
    """y = x in another shape;  dx = g in the shape of x."""

    is_view = True

    def __init__(self, shape):
        self.to = shape

    def forward(self, x):
        self.shape = x.shape
        y = x.reshape(self.to) if type(x) is np.ndarray else namespace(x).reshape(x, self.to)
        self.is_view = backend.shares_memory(x, y)
        return y

    def backward(self, g):
        return (namespace(g).reshape(g, self.shape),)


class Permute(Node):
    """y = x with its dimensions in another order;  dx = g with its dimensions in the original order."""

    is_view = True

    def __init__(self, dims):
        self.dims = dims

    def forward(self, x):
        return namespace(x).permute_dims(x, self.dims)

    def backward(self, g):
        undo = tuple(self.dims.index(i) for i in range(len(self.dims)))
        return (namespace(g).permute_dims(g, undo),)


class Expand(Node):
    """y = x repeated along dimensions of length 1;  dx = g summed over the repetitions."""

    is_view = True

    def __init__(self, shape):
        self.to = shape

    def forward(self, x):
        self.shape = x.shape
        return namespace(x).broadcast_to(x, self.to)

    def backward(self, g):
        return (sum_to(g, self.shape),)


class Cat(Node):
    """y = [x1, x2, …];  dxi = the part of g at the place of xi."""

    def __init__(self, dim):
        self.dim = dim

    def forward(self, *xs):
        self.lengths = [x.shape[self.dim] for x in xs]
        return namespace(xs[0]).concat(xs, axis=self.dim)

    def backward(self, g):
        parts, start = [], 0
        for n in self.lengths:
            parts.append(g[(*(slice(None),) * self.dim, slice(start, start + n), ...)])
            start += n
        return tuple(parts)


class Stack(Node):
    """y = [x1, x2, …] along a new dimension;  dxi = the part of g at i."""

    def __init__(self, dim):
        self.dim = dim

    def forward(self, *xs):
        self.n = len(xs)
        return namespace(xs[0]).stack(xs, axis=self.dim)

    def backward(self, g):
        return tuple(g[(*(slice(None),) * self.dim, i, ...)] for i in range(self.n))


# ---- as functions and methods ----------------------------------------------------------------------------------------


def ints(op: str, args: tuple, by_name: Any = None) -> tuple[int, ...]:
    """Sizes or dimensions: given as separate arguments, as one sequence, or as one argument by name.

    Raises
    ------
    TypeError
        One is no integer.
    """
    args = args if by_name is None else (*args, by_name)
    given = args[0] if len(args) == 1 and isinstance(args[0], (tuple, list)) else args
    try:
        return tuple(map(operator.index, given))
    except (TypeError, RuntimeError):
        raise TypeError(f"{op}: expected integers, separately or in one tuple or list, got {given!r}") from None


@of_tensors
@method()
def reshape(input: Any, *sizes: Any, shape: Any = None) -> Any:
    """The same elements in another shape; one size may be -1. The result shares the memory of `input` if possible.

    Raises
    ------
    RuntimeError
        The sizes do not multiply to the number of elements.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.arange(4).reshape(2, -1)
    tensor([[0, 1],
            [2, 3]])
    """
    return _in_shape("reshape", input, ints("reshape", sizes, shape))


def _in_shape(op: str, input: Any, to: tuple[int, ...]) -> Any:
    n = math.prod(input.shape)
    known = math.prod(s for s in to if s != -1)
    if min(to, default=0) < -1 or to.count(-1) > 1 or (known != n if -1 not in to else known == 0 or n % known):
        raise RuntimeError(f"{op}: expected sizes with a product of {n}, as x has shape {tuple(input.shape)}, got {to}")
    return Reshape(to)(input)


@method()
def view(input: Any, *sizes: Any, size: Any = None) -> Any:
    """`reshape` without a copy: writing to the result also writes to the tensor.

    Raises
    ------
    RuntimeError
        The sizes do not fit, or the memory layout of the tensor does not allow a view of this shape.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.zeros(4)
    >>> x.view(2, 2)[0].fill_(7)
    tensor([7., 7.])
    >>> x
    tensor([7., 7., 0., 0.])
    """
    to = ints("view", sizes, size)
    y = _in_shape("view", input, to)
    if not backend.shares_memory(raw(input), raw(y)):
        raise RuntimeError(
            f"view: x of shape {tuple(input.shape)} is not laid out in memory so that {to} could be a view of it "
            "(was it transposed or expanded?); use .reshape(...), which copies where it must"
        )
    return y


@of_tensors
@method()
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The tensor with its dimensions from `start_dim` to `end_dim` merged into one; the tensor itself if that is only one.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    start, end = one_dim(start_dim, input.ndim, "flatten"), one_dim(end_dim, input.ndim, "flatten")
    if start > end:
        raise RuntimeError(f"flatten: expected start_dim before end_dim, got {start_dim} and {end_dim}")
    if start == end and input.ndim:
        return input
    return Reshape((*input.shape[:start], math.prod(input.shape[start : end + 1]), *input.shape[end + 1 :]))(input)


@of_tensors
@method()
def ravel(input: Any) -> Any:
    """The elements as a vector: a view of a tensor whose elements are in order in memory, a copy of another.

    >>> import tinynorm
    >>> tinynorm.ravel(tinynorm.tensor([[1, 2], [3, 4]]))
    tensor([1, 2, 3, 4])
    """
    x = contiguous(input) if isinstance(input, Tensor) else input
    return printed_as("ViewBackward0", Reshape((math.prod(x.shape),))(x))


@method()
@accepts_axis
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """The tensor with one dimension split into several of these sizes; one of them may be -1.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 12).unflatten(1, (3, -1)).shape
    torch.Size([2, 3, 4])
    """
    d, sizes = one_dim(dim, input.ndim, "unflatten"), ints("unflatten", (sizes,))
    n, known = input.shape[d] if input.ndim else 1, math.prod(s for s in sizes if s != -1)
    if not sizes or sizes.count(-1) > 1 or (known != n if -1 not in sizes else known < 1 or n % known):
        raise RuntimeError(f"unflatten: expected sizes with a product of {n}, the length of dim {dim}, got {sizes}")
    sizes = tuple(n // known if s == -1 else s for s in sizes)
    return Reshape((*input.shape[:d], *sizes, *input.shape[d + 1 :]))(input)


@of_tensors
@method()
def permute(input: Any, *order: Any, dims: Any = None) -> Any:
    """The tensor with its dimensions in the order `dims`.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    given = ints("permute", order, dims)
    order = all_dims(given, input.ndim, "permute")
    if len(order) != input.ndim:
        raise RuntimeError(f"permute: expected the {input.ndim} dimensions of x in some order, got {given}")
    return Permute(order)(input)


permute_dims = permute


@of_tensors
@method("movedim", "moveaxis")
def movedim(input: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """The tensor with the dimensions `source` moved to the places `destination`; the others keep their order.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3, 4).movedim(0, -1).shape
    torch.Size([3, 4, 2])
    """
    start, end = all_dims(source, input.ndim, "movedim"), all_dims(destination, input.ndim, "movedim")
    if len(start) != len(end):
        raise RuntimeError(f"movedim: expected as many places as dimensions, got {source} to {destination}")
    order = [i for i in range(input.ndim) if i not in start]
    for place, d in sorted(zip(end, start, strict=True)):
        order.insert(place, d)
    return printed_as("PermuteBackward0", Permute(tuple(order))(input))


@of_tensors
@method("transpose", "swapaxes")
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """The tensor with two dimensions swapped.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3, 4).transpose(0, 2).shape
    torch.Size([4, 3, 2])
    """
    order = list(range(input.ndim))
    a, b = one_dim(dim0, input.ndim, "transpose"), one_dim(dim1, input.ndim, "transpose")
    if order:
        order[a], order[b] = b, a
    return printed_as("TransposeBackward0", Permute(tuple(order))(input))


def matrix_transpose(input: Any) -> Any:
    """The tensor with its last two dimensions swapped.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3, 4).mT.shape
    torch.Size([2, 4, 3])
    """
    return transpose(input, -2, -1)


@of_tensors
@method()
def t(input: Any) -> Any:
    """The transpose of a matrix. A tensor with fewer than 2 dimensions is returned unchanged.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3).t().shape
    torch.Size([3, 2])
    """
    if input.ndim > 2:
        raise RuntimeError(
            f"t: expected at most 2 dimensions, got shape {tuple(input.shape)}; use .mT or .transpose(dim0, dim1)"
        )
    return input if input.ndim < 2 else printed_as("TBackward0", transpose(input, 0, 1))


Tensor.T = property(lambda x: Permute(tuple(reversed(range(x.ndim))))(x))  # type: ignore[misc, assignment]
Tensor.mT = property(matrix_transpose)  # type: ignore[misc, assignment]


@method()
@accepts_axis
def squeeze(input: Any, dim: Any = None) -> Any:
    """The tensor without its dimensions of length 1. If `dim` is given, only these dimensions are removed (those of length 1).

    >>> import tinynorm
    >>> tinynorm.zeros(1, 3, 1).squeeze().shape, tinynorm.zeros(1, 3, 1).squeeze(0).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    dims = all_dims(dim, input.ndim, "squeeze")
    y = Reshape(tuple(n for i, n in enumerate(input.shape) if not (i in dims and n == 1)))(input)
    return printed_as(f"SqueezeBackward{int(dim is not None)}", y)


@method()
@accepts_axis
def unsqueeze(input: Any, dim: int) -> Any:
    """The tensor with a new dimension of length 1 at `dim`.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3).unsqueeze(1).shape
    torch.Size([2, 1, 3])
    """
    d = one_dim(dim, input.ndim + 1, "unsqueeze")
    return printed_as("UnsqueezeBackward0", Reshape((*input.shape[:d], 1, *input.shape[d:]))(input))


@method()
def expand(input: Any, *sizes: Any, size: Any = None) -> Any:
    """The tensor repeated along its dimensions of length 1, without a copy. -1 keeps a size; new dimensions come first.

    Raises
    ------
    RuntimeError
        A dimension whose length is not 1 would change.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1], [2]]).expand(-1, 2)
    tensor([[1, 1],
            [2, 2]])
    """
    to = ints("expand", sizes, size)
    new = len(to) - input.ndim
    shape = tuple(input.shape[i - new] if n == -1 and i >= new else n for i, n in enumerate(to))
    if new < 0 or min(shape, default=0) < 0 or any(m not in (1, n) for m, n in zip(input.shape, shape[new:], strict=True)):
        raise RuntimeError(f"expand: expected sizes that agree with shape {tuple(input.shape)} where that is not 1, got {to}")
    return Expand(shape)(input)


@of_tensors
def broadcast_to(input: Any, size: Sequence[int]) -> Any:
    """The tensor repeated to the shape `size`, without a copy.

    >>> import tinynorm
    >>> tinynorm.broadcast_to(tinynorm.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(input, ints("broadcast_to", (size,)))


method("expand_as")(lambda x, other: expand(x, other.shape))
method("view_as")(lambda x, other: view(x, other.shape))
method("reshape_as")(lambda x, other: reshape(x, other.shape))


def cat(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Join the tensors along `dim`, one after the other. In all other dimensions their sizes must be equal.

    An empty vector, ``tensor([])``, fits beside any shape, so that a loop may start with it.

    Raises
    ------
    ValueError
        There are no tensors.
    RuntimeError
        The sizes in another dimension differ.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.cat([tinynorm.tensor([1.0]), tinynorm.tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    xs = _several("cat", tensors)
    joined = [x for x in xs if raw(x).shape != (0,)] or xs[:1]  # tensor([]) fits beside all shapes, but its dtype counts
    d = one_dim(dim if axis is None else axis, joined[0].ndim, "cat") if tuple(joined[0].shape) != (0,) else 0
    shapes = [tuple(raw(x).shape) for x in joined]
    if len({(len(s), s[:d], s[d + 1 :]) for s in shapes}) > 1 or not shapes[0]:
        got = ", ".join(map(str, shapes))
        raise RuntimeError(f"cat: expected shapes that are equal except in dim {d} and not 0-d, got {got}")
    if len({raw(x).dtype for x in xs}) > 1:
        for i in range(1, len(xs)):
            xs[0], xs[i] = promote(xs[0], xs[i])
        joined = [promote(x, xs[0])[0] for x in joined]
    return Cat(d)(*joined)


concat = cat


def hstack(tensors: Sequence[Any]) -> Any:
    """Join the tensors along dim 1, or vectors (and numbers) along their only one.

    >>> import tinynorm
    >>> tinynorm.hstack([tinynorm.tensor([1, 2]), tinynorm.tensor([3])])
    tensor([1, 2, 3])
    """
    xs = [x if x.ndim else reshape(x, (1,)) for x in _several("hstack", tensors)]
    return cat(xs, int(xs[0].ndim > 1))


def vstack(tensors: Sequence[Any]) -> Any:
    """Join the tensors along dim 0; a vector counts as a row.

    >>> import tinynorm
    >>> tinynorm.vstack([tinynorm.tensor([1, 2]), tinynorm.tensor([3, 4])])
    tensor([[1, 2],
            [3, 4]])
    """
    return cat([x if x.ndim > 1 else reshape(x, (1, -1)) for x in _several("vstack", tensors)], 0)


def _several(op: str, tensors: Any) -> list:
    """The tensors as a list, after a check that there are some, and nothing else."""
    xs = list(tensors) if hasattr(tensors, "__iter__") else [tensors]
    if not xs:
        raise ValueError(f"{op}: expected at least one tensor, got none")
    for x in xs:
        if type(x) is not Tensor and not hasattr(x, "shape"):
            raise backend.no_array(x, op)
    return xs


def stack(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Join the tensors, which all have the same shape, along a new dimension.

    >>> import tinynorm
    >>> tinynorm.stack([tinynorm.tensor([1, 2]), tinynorm.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    xs = _several("stack", tensors)
    first = raw(xs[0])
    d = one_dim(dim if axis is None else axis, first.ndim + 1, "stack")
    shape, dtype, kind = first.shape, first.dtype, np.ndarray
    plain = [
        a
        for x in xs
        if type(x) is Tensor and not x._requires_grad and type(a := x._array) is kind and a.shape == shape and a.dtype is dtype
    ]
    if len(plain) == len(xs):  # batches of samples: without a node, which looks at each tensor
        if not shape:
            return wrap(np.array(plain))  # numbers: a tenth of np.stack's time
        return wrap(np.stack(plain, d) if d else np.concatenate(plain).reshape(len(plain), *shape))
    if len({tuple(raw(x).shape) for x in xs}) > 1:
        raise RuntimeError(f"stack: expected equal shapes, got {', '.join(str(tuple(x.shape)) for x in xs)}")
    if len({raw(x).dtype for x in xs}) > 1:
        return cat([unsqueeze(x, d) for x in xs], d)
    return Stack(d)(*xs)


@of_tensors
def zeros_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Any:
    """Zeros with the shape, dtype and device of a tensor, unless another dtype or device is given.

    >>> import tinynorm
    >>> tinynorm.zeros_like(tinynorm.tensor([1.5, 2.5]))
    tensor([0., 0.])
    """
    return full_like(input, 0, dtype=dtype, device=device, requires_grad=requires_grad)


@of_tensors
def empty_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Any:
    """Uninitialised memory (arbitrary numbers) with the shape, dtype and device of a tensor, unless others are given.

    >>> import tinynorm
    >>> tinynorm.empty_like(tinynorm.tensor([1.5, 2.5])).shape
    torch.Size([2])
    """
    a = raw(input)
    made = namespace(a).empty_like(a, dtype=None if dtype is None else as_dtype(dtype, a))
    if not isinstance(input, Tensor):
        return made
    y = wrap(made)
    return (y if device is None else y.to(device)).requires_grad_(requires_grad)


@of_tensors
def ones_like(
    input: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, memory_format: Any = None
) -> Any:
    """Ones with the shape, dtype and device of a tensor, unless another dtype or device is given.

    >>> import tinynorm
    >>> tinynorm.ones_like(tinynorm.tensor([1.5, 2.5]))
    tensor([1., 1.])
    """
    return full_like(input, 1, dtype=dtype, device=device, requires_grad=requires_grad)


@of_tensors
def full_like(
    input: Any,
    fill_value: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Any:
    """`fill_value` in the shape, dtype and device of a tensor, unless another dtype or device is given.

    >>> import tinynorm
    >>> tinynorm.full_like(tinynorm.tensor([1.5, 2.5]), 7)
    tensor([7., 7.])
    """
    a = raw(input)
    dtype = a.dtype if dtype is None else as_dtype(dtype, a)
    filled = namespace(a).full_like(a, as_held_by("full_like", dtype, raw(fill_value)), dtype=dtype)
    if not isinstance(input, Tensor):
        return filled
    y = wrap(filled)
    y = y if device is None else y.to(device)
    return y.requires_grad_(requires_grad)
