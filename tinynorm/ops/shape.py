"""Reshaping, permuting, repeating and joining. Each backward undoes the forward."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method, raw, wrap
from .common import accepts_axis, all_dims, namespace, one_dim, promote, sum_to
from .convert import as_dtype


class Reshape(Node):
    """y = x in another shape;  dx = g in the shape of x."""

    is_view = True

    def __init__(self, shape):
        self.to = shape

    def forward(self, x):
        self.shape = x.shape
        y = namespace(x).reshape(x, self.to)
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


# ---- as functions and methods ----------------------------------------------------------------------------------------


def _ints(args: tuple) -> tuple[int, ...]:
    """Sizes given as separate arguments or as one sequence."""
    return tuple(args[0]) if len(args) == 1 and isinstance(args[0], (tuple, list)) else args


@method()
def reshape(x: Any, *shape: Any) -> Any:
    """x with the same elements in another shape; one size may be -1. The result shares the memory of x if possible.

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
    to = _ints(shape)
    n = math.prod(x.shape)
    known = math.prod(s for s in to if s != -1)
    if min(to, default=0) < -1 or to.count(-1) > 1 or (known != n if -1 not in to else known == 0 or n % known):
        raise RuntimeError(f"reshape: expected sizes with a product of {n}, as x has shape {tuple(x.shape)}, got {to}")
    return Reshape(to)(x)


@method()
def view(x: Any, *shape: Any) -> Any:
    """`reshape` without a copy: writing to the result also writes to x.

    Raises
    ------
    RuntimeError
        The sizes do not fit, or the memory layout of x does not allow a view of this shape.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.zeros(4)
    >>> x.view(2, 2)[0].fill_(7)
    tensor([7., 7.])
    >>> x
    tensor([7., 7., 0., 0.])
    """
    y = reshape(x, *shape)
    if not backend.shares_memory(raw(x), raw(y)):
        raise RuntimeError(
            f"view: x of shape {tuple(x.shape)} is not laid out in memory so that {_ints(shape)} could be a view of it "
            "(was it transposed or expanded?); use .reshape(...), which copies where it must"
        )
    return y


@method()
def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """x with the dimensions from `start_dim` to `end_dim` merged into one; x itself if that is only one dimension.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3, 4).flatten(1).shape
    torch.Size([2, 12])
    """
    start, end = one_dim(start_dim, x.ndim, "flatten"), one_dim(end_dim, x.ndim, "flatten")
    if start > end:
        raise RuntimeError(f"flatten: expected start_dim before end_dim, got {start_dim} and {end_dim}")
    if start == end and x.ndim:
        return x
    return Reshape((*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))(x)


@method()
def permute(x: Any, *dims: Any) -> Any:
    """x with its dimensions in the order `dims`.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3, 4).permute(2, 0, 1).shape
    torch.Size([4, 2, 3])
    """
    order = all_dims(_ints(dims), x.ndim, "permute")
    if len(order) != x.ndim:
        raise RuntimeError(f"permute: expected the {x.ndim} dimensions of x in some order, got {_ints(dims)}")
    return Permute(order)(x)


permute_dims = permute


@method("transpose", "swapaxes")
def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """x with two dimensions swapped.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3, 4).transpose(0, 2).shape
    torch.Size([4, 3, 2])
    """
    order = list(range(x.ndim))
    a, b = one_dim(dim0, x.ndim, "transpose"), one_dim(dim1, x.ndim, "transpose")
    if order:
        order[a], order[b] = b, a
    return Permute(tuple(order))(x)


def matrix_transpose(x: Any) -> Any:
    """x with its last two dimensions swapped.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3, 4).mT.shape
    torch.Size([2, 4, 3])
    """
    return transpose(x, -2, -1)


@method()
def t(x: Any) -> Any:
    """The transpose of a matrix. A tensor with fewer than 2 dimensions is returned unchanged.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3).t().shape
    torch.Size([3, 2])
    """
    if x.ndim > 2:
        raise RuntimeError(f"t: expected at most 2 dimensions, got shape {tuple(x.shape)}; use .mT or .transpose(dim0, dim1)")
    return x if x.ndim < 2 else transpose(x, 0, 1)


Tensor.T = property(lambda x: Permute(tuple(reversed(range(x.ndim))))(x))  # type: ignore[misc, assignment]
Tensor.mT = property(matrix_transpose)  # type: ignore[misc, assignment]


@method()
@accepts_axis
def squeeze(x: Any, dim: Any = None) -> Any:
    """x without its dimensions of length 1. If `dim` is given, only these dimensions are removed (those of length 1).

    >>> import tinynorm
    >>> tinynorm.zeros(1, 3, 1).squeeze().shape, tinynorm.zeros(1, 3, 1).squeeze(0).shape
    (torch.Size([3]), torch.Size([3, 1]))
    """
    dims = all_dims(dim, x.ndim, "squeeze")
    return Reshape(tuple(n for i, n in enumerate(x.shape) if not (i in dims and n == 1)))(x)


@method()
@accepts_axis
def unsqueeze(x: Any, dim: int) -> Any:
    """x with a new dimension of length 1 at `dim`.

    >>> import tinynorm
    >>> tinynorm.zeros(2, 3).unsqueeze(1).shape
    torch.Size([2, 1, 3])
    """
    d = one_dim(dim, x.ndim + 1, "unsqueeze")
    return Reshape((*x.shape[:d], 1, *x.shape[d:]))(x)


@method()
def expand(x: Any, *sizes: Any) -> Any:
    """x repeated along its dimensions of length 1, without a copy. -1 keeps a size; new dimensions come first.

    Raises
    ------
    RuntimeError
        A dimension of x whose length is not 1 would change.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1], [2]]).expand(-1, 2)
    tensor([[1, 1],
            [2, 2]])
    """
    to = _ints(sizes)
    new = len(to) - x.ndim
    shape = tuple(x.shape[i - new] if n == -1 and i >= new else n for i, n in enumerate(to))
    if new < 0 or min(shape, default=0) < 0 or any(m not in (1, n) for m, n in zip(x.shape, shape[new:], strict=True)):
        raise RuntimeError(f"expand: expected sizes that agree with shape {tuple(x.shape)} where that is not 1, got {to}")
    return Expand(shape)(x)


def broadcast_to(x: Any, shape: Sequence[int]) -> Any:
    """x repeated to `shape`, without a copy.

    >>> import tinynorm
    >>> tinynorm.broadcast_to(tinynorm.tensor([1, 2]), (2, 2))
    tensor([[1, 2],
            [1, 2]])
    """
    return expand(x, tuple(shape))


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
    xs = list(tensors)
    if not xs:
        raise ValueError("cat: expected at least one tensor, got none")
    joined = [x for x in xs if tuple(x.shape) != (0,)] or xs[:1]  # tensor([]) fits beside all shapes, but its dtype counts
    d = one_dim(dim if axis is None else axis, joined[0].ndim, "cat")
    shapes = [tuple(x.shape) for x in joined]
    if len({(len(s), s[:d], s[d + 1 :]) for s in shapes}) > 1 or not shapes[0]:
        got = ", ".join(map(str, shapes))
        raise RuntimeError(f"cat: expected shapes that are equal except in dim {d} and not 0-d, got {got}")
    for i in range(1, len(xs)):
        xs[0], xs[i] = promote(xs[0], xs[i])
    return Cat(d)(*(promote(x, xs[0])[0] for x in joined))


concat = cat


def stack(tensors: Sequence[Any], dim: int = 0, *, axis: int | None = None) -> Any:
    """Join the tensors, which all have the same shape, along a new dimension.

    >>> import tinynorm
    >>> tinynorm.stack([tinynorm.tensor([1, 2]), tinynorm.tensor([3, 4])], dim=1)
    tensor([[1, 3],
            [2, 4]])
    """
    xs = list(tensors)
    if not xs:
        raise ValueError("stack: expected at least one tensor, got none")
    if len({tuple(x.shape) for x in xs}) > 1:
        raise RuntimeError(f"stack: expected equal shapes, got {', '.join(str(tuple(x.shape)) for x in xs)}")
    d = one_dim(dim if axis is None else axis, xs[0].ndim + 1, "stack")
    return cat([unsqueeze(x, d) for x in xs], d)


def zeros_like(x: Any, **kwargs: Any) -> Any:
    """Zeros with the shape, dtype and device of x, unless another dtype or device is given.

    >>> import tinynorm
    >>> tinynorm.zeros_like(tinynorm.tensor([1.5, 2.5]))
    tensor([0., 0.])
    """
    return _full_like(x, 0, **kwargs)


def ones_like(x: Any, **kwargs: Any) -> Any:
    """Ones with the shape, dtype and device of x, unless another dtype or device is given.

    >>> import tinynorm
    >>> tinynorm.ones_like(tinynorm.tensor([1.5, 2.5]))
    tensor([1., 1.])
    """
    return _full_like(x, 1, **kwargs)


def full_like(x: Any, fill_value: Any, **kwargs: Any) -> Any:
    """`fill_value` in the shape, dtype and device of x, unless another dtype or device is given.

    >>> import tinynorm
    >>> tinynorm.full_like(tinynorm.tensor([1.5, 2.5]), 7)
    tensor([7., 7.])
    """
    return _full_like(x, fill_value, **kwargs)


def _full_like(x: Any, value: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Any:
    a = raw(x)
    filled = namespace(a).full_like(a, value, dtype=None if dtype is None else as_dtype(dtype, a))
    if not isinstance(x, Tensor):
        return filled
    y = wrap(filled)
    y = y if device is None else y.to(device)
    return y.requires_grad_(requires_grad)
