"""Taking tensors apart, repeating and turning them, and their triangles.

All but the triangles are made of indices, `expand` and `reshape`, which have the gradient. Parts are views, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method, raw, wrap
from .common import accepts_axis, all_dims, namespace, of_tensors, one_dim, printed_as
from .convert import clone
from .indexing import GetItem, index_select
from .shape import cat, expand, flatten, ints, ravel, reshape


def _part(op: str, x: Any, d: int, part: Any) -> Any:
    """x[:, …, :, part], at dimension d: a view."""
    return printed_as(op, GetItem((*(slice(None),) * d, part, ...))(x))


@accepts_axis
def split(tensor: Any, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """The tensor's parts along `dim`: all of one size (the last may be shorter), or of the sizes in a list. They are views.

    Raises
    ------
    RuntimeError
        The sizes in the list do not add up to the length of the dimension, or a size is negative, or 0 for all.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.arange(5).split(2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> tinynorm.arange(5).split([1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    sizes: Any = split_size_or_sections
    d = one_dim(dim, tensor.ndim, "split")
    if not tensor.ndim:
        raise RuntimeError("split: expected a tensor of at least 1 dimension, got a 0-d one")
    n = tensor.shape[d]
    if not isinstance(sizes, (list, tuple)):
        (sizes,) = ints("split", (sizes,))
        if sizes < 0 or (not sizes and n):
            raise RuntimeError(f"split: expected a size of at least 1, got {sizes}")
        sizes = [min(sizes, n - start) for start in range(0, max(n, 1), sizes or 1)]
    sizes = list(ints("split", (sizes,)))
    if sum(sizes) != n or min(sizes, default=0) < 0:
        raise RuntimeError(f"split: expected sizes with a sum of {n}, the length of dim {dim}, got {sizes}")
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return tuple(
        _part("SplitBackward0", tensor, d, slice(start, start + size)) for start, size in zip(starts, sizes, strict=True)
    )


@method("split")
@accepts_axis
def _split(self: Tensor, split_size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """`split`, whose sizes have another name as a method."""
    return split(self, split_size, dim)


@method()
@accepts_axis
def chunk(input: Any, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` parts of equal size along `dim` (the last may be shorter). They are views.

    >>> import tinynorm
    >>> tinynorm.arange(5).chunk(2)
    (tensor([0, 1, 2]), tensor([3, 4]))
    """
    (chunks,) = ints("chunk", (chunks,))
    if chunks < 1:
        raise RuntimeError(f"chunk: expected at least 1 chunk, got {chunks}")
    if not input.ndim:
        raise RuntimeError("chunk: expected a tensor of at least 1 dimension, got a 0-d one")
    n = input.shape[one_dim(dim, input.ndim, "chunk")]
    return split(input, -(-n // chunks), dim) if n else split(input, [0] * chunks, dim)


@method()
@accepts_axis
def unbind(input: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices of a tensor along `dim`, without that dimension. They are views.

    >>> import tinynorm
    >>> tinynorm.tensor([[1, 2], [3, 4]]).unbind(1)
    (tensor([1, 3]), tensor([2, 4]))
    """
    if not input.ndim:
        raise RuntimeError("unbind: expected a tensor of at least 1 dimension, got a 0-d one")
    d = one_dim(dim, input.ndim, "unbind")
    return tuple(_part("UnbindBackward0", input, d, i) for i in range(input.shape[d]))


@method()
def repeat(input: Any, *sizes: Any, repeats: Any = None) -> Any:
    """A copy, dimension i repeated `sizes[i]` times as a whole. More repeats than dimensions make new ones in front.

    Raises
    ------
    RuntimeError
        There are fewer repeats than dimensions, or one is negative.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([1, 2]).repeat(2, 3)
    tensor([[1, 2, 1, 2, 1, 2],
            [1, 2, 1, 2, 1, 2]])
    """
    times = ints("repeat", sizes, repeats)
    new = len(times) - input.ndim
    if new < 0 or min(times, default=0) < 0:
        raise RuntimeError(
            f"repeat: expected at least {input.ndim} numbers that are not negative, one for each dimension of shape "
            f"{tuple(input.shape)}, got {times}"
        )
    shape = (*(1,) * new, *input.shape)
    if all(m == 1 for m in times):
        return printed_as("RepeatBackward0", clone(reshape(input, shape)))
    pairs = list(zip(times, shape, strict=True))
    apart = expand(reshape(input, [k for n in shape for k in (1, n)]), [k for pair in pairs for k in pair])
    repeated = reshape(apart, [m * n for m, n in pairs])
    return printed_as("RepeatBackward0", repeated.contiguous())  # (of one number, the reshaped would still be the expanded)


@of_tensors
@method()
def tile(input: Any, *sizes: Any, dims: Any = None) -> Any:
    """`repeat`, but fewer numbers than dimensions are enough: they count for the last dimensions.

    >>> import tinynorm
    >>> tinynorm.tensor([[1, 2], [3, 4]]).tile(2)
    tensor([[1, 2, 1, 2],
            [3, 4, 3, 4]])
    """
    times = ints("tile", sizes, dims)
    return repeat(input, (*(1,) * (input.ndim - len(times)), *times))


@method()
@accepts_axis
def narrow(input: Any, dim: int, start: int | Tensor, length: int) -> Any:
    """The part of length `length` from `start` on, along `dim`: a view. A negative start counts from the end.

    Raises
    ------
    RuntimeError
        The part does not lie in the tensor.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.arange(5).narrow(0, 1, 3)
    tensor([1, 2, 3])
    """
    if not input.ndim:
        raise RuntimeError("narrow: expected a tensor of at least 1 dimension, got a 0-d one")
    d, (first, length) = one_dim(dim, input.ndim, "narrow"), ints("narrow", (start, length))
    n = input.shape[d]
    first = first + n if first < 0 else first
    if not 0 <= first <= first + length <= n:
        raise RuntimeError(f"narrow: expected a part of the {n} along dim {dim}, got start={start}, length={length}")
    return _part("SliceBackward0", input, d, slice(first, first + length))


@of_tensors
@method()
def masked_select(input: Any, mask: Any) -> Any:
    """The elements where the mask is True, as a vector: a copy. Both are broadcast.

    >>> import tinynorm
    >>> x = tinynorm.tensor([1.0, 2.0, 3.0])
    >>> x.masked_select(x > 1)
    tensor([2., 3.])
    """
    m = raw(mask)
    if not backend.is_array(m) or not backend.is_bool(m):
        raise RuntimeError(f"masked_select: expected a mask of booleans, got {getattr(mask, 'dtype', type(mask).__name__)}")
    backend.check_same_device("masked_select", [raw(input), m])
    shape = np.broadcast_shapes(tuple(input.shape), tuple(m.shape)) or (1,)
    return printed_as("MaskedSelectBackward0", GetItem(namespace(m).broadcast_to(m, shape))(expand(input, shape)))


@method()
@accepts_axis
def repeat_interleave(input: Any, repeats: int | Tensor, dim: int | None = None, *, output_size: int | None = None) -> Any:
    """Each element repeated, and the copies side by side; along `dim`, or of the tensor as a vector.

    Parameters
    ----------
    input : Tensor
    repeats : int or Tensor
        How often; a vector of integers has a number for each element along `dim`.
    dim, axis : int, optional

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([1, 2]).repeat_interleave(2)
    tensor([1, 1, 2, 2])
    >>> tinynorm.tensor([1, 2]).repeat_interleave(tinynorm.tensor([1, 3]))
    tensor([1, 2, 2, 2])
    """
    x = ravel(input) if dim is None or not input.ndim else input
    d = one_dim(dim or 0, x.ndim, "repeat_interleave")
    n, times = x.shape[d], raw(repeats)
    if hasattr(times, "shape") and times.size > 1:
        if backend.is_floating(times) or tuple(times.shape) != (n,):
            got = f"{times.dtype} of shape {tuple(times.shape)}"
            raise RuntimeError(f"repeat_interleave: expected an int, or a vector of {n} integers as repeats, got {got}")
        xp, ends = namespace(times), backend.cumulative_sum(times, 0)
        at = xp.searchsorted(ends, xp.arange(int(ends[-1]), dtype=ends.dtype, **backend.on_device_of(times)), side="right")
        return index_select(x, d, wrap(at))
    (count,) = ints("repeat_interleave", (repeats,))
    if count < 0:
        raise RuntimeError(f"repeat_interleave: expected repeats that are not negative, got {count}")
    sizes = (*x.shape[: d + 1], count, *x.shape[d + 1 :])
    apart = expand(reshape(x, (*x.shape[: d + 1], 1, *x.shape[d + 1 :])), sizes)
    repeated = flatten(apart, d, d + 1)
    return printed_as("ViewBackward0", clone(repeated) if count == 1 else repeated.contiguous())  # (see `repeat`)


@of_tensors
@method()
def roll(input: Any, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Any:
    """The elements moved by `shifts` places along `dims`; those that leave at one end come in at the other.

    Without `dims`, the tensor is moved as a vector.

    >>> import tinynorm
    >>> tinynorm.arange(5).roll(2)
    tensor([3, 4, 0, 1, 2])
    """
    steps = ints("roll", (shifts,) if dims is None or not isinstance(shifts, int) else ((shifts,),))
    if dims is None:
        return printed_as("RollBackward0", reshape(roll(ravel(input), steps, (0,)), input.shape))
    turned = [one_dim(d, input.ndim, "roll") for d in ints("roll", (dims,))]
    if len(turned) != len(steps):
        raise RuntimeError(f"roll: expected a shift for each of the dimensions {dims}, got {shifts}")
    y = input
    for d, step in zip(turned, steps, strict=True):
        cut = input.shape[d] - step % max(input.shape[d], 1)
        y = cat([_part("", y, d, slice(cut, None)), _part("", y, d, slice(cut))], d)
    return printed_as("RollBackward0", y)


@method()
@accepts_axis
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Tensor | None = None, append: Tensor | None = None) -> Any:
    """The differences of neighbours along `dim`, x[1:] - x[:-1], `n` times; after `prepend` and `append` are joined to x.

    With n = 0 nothing is joined, as in PyTorch: the result is a copy of x.

    >>> import tinynorm
    >>> tinynorm.diff(tinynorm.tensor([1, 4, 9]))
    tensor([3, 5])
    """
    if not input.ndim:
        raise RuntimeError("diff: expected a tensor of at least 1 dimension, got a 0-d one")
    if n < 0:
        raise RuntimeError(f"diff: expected n >= 0, got {n}")
    d = one_dim(dim, input.ndim, "diff")
    joined = [x for x in (prepend, input, append) if x is not None] if n else [input]
    y = cat(joined, d) if len(joined) > 1 else input
    for _ in range(min(n, y.shape[d])):
        after, before = _part("", y, d, slice(1, None)), _part("", y, d, slice(-1))
        y = after != before if backend.is_bool(raw(y)) else after - before
    return clone(y) if y is input else y


@of_tensors
@method()
def fliplr(input: Any) -> Any:
    """A copy with the order of the columns, dim 1, reversed.

    >>> import tinynorm
    >>> tinynorm.tensor([[1, 2], [3, 4]]).fliplr()
    tensor([[2, 1],
            [4, 3]])
    """
    if input.ndim < 2:
        raise RuntimeError(f"fliplr: expected a tensor of at least 2 dimensions, got shape {tuple(input.shape)}")
    return flip(input, 1)


@of_tensors
@method()
def flipud(input: Any) -> Any:
    """A copy with the order of the rows, dim 0, reversed.

    >>> import tinynorm
    >>> tinynorm.tensor([[1, 2], [3, 4]]).flipud()
    tensor([[3, 4],
            [1, 2]])
    """
    if not input.ndim:
        raise RuntimeError("flipud: expected a tensor of at least 1 dimension, got a 0-d one")
    return flip(input, 0)


@of_tensors
@method()
def flip(input: Any, *order: Any, dims: Any = None) -> Any:
    """A copy with the order of the elements reversed along these dimensions.

    >>> import tinynorm
    >>> tinynorm.tensor([[1, 2], [3, 4]]).flip(1)
    tensor([[2, 1],
            [4, 3]])
    """
    turned = all_dims(ints("flip", order, dims), input.ndim, "flip")
    parts = (slice(None, None, -1 if i in turned else 1) for i in range(input.ndim))
    return printed_as("FlipBackward0", clone(GetItem((*parts, ...))(input)))


def meshgrid(*tensors: Tensor | Sequence[Tensor], indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of a grid: from vectors of lengths n, m, … as many tensors of shape (n, m, …), without a copy.

    With ``indexing="xy"``, as in NumPy's meshgrid, the first two dimensions are swapped: (m, n, …).

    Raises
    ------
    RuntimeError
        A tensor has more than one dimension, or the dtypes differ.

    Examples
    --------
    >>> import tinynorm
    >>> x, y = tinynorm.meshgrid(tinynorm.arange(2), tinynorm.arange(3), indexing="ij")
    >>> x
    tensor([[0, 0, 0],
            [1, 1, 1]])
    """
    xs: Any = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (tuple, list)) else tensors
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f"meshgrid: expected indexing to be 'ij' or 'xy', got {indexing!r}")
    for x in xs:
        if not hasattr(x, "shape"):
            raise backend.no_array(x, "meshgrid")
    if not xs or any(x.ndim > 1 for x in xs) or len({str(x.dtype) for x in xs}) > 1:
        got = ", ".join(f"{raw(x).dtype} {tuple(x.shape)}" for x in xs) or "none"
        raise RuntimeError(f"meshgrid: expected vectors of one dtype, got {got}")
    places = list(range(len(xs)))
    if indexing == "xy":
        places[:2] = places[1::-1]
    sizes = [xs[i].shape[0] if xs[i].ndim else 1 for i in places]  # (the swap is its own inverse)
    shape_of = {i: [n if j == place else 1 for j, n in enumerate(sizes)] for i, place in enumerate(places)}
    return tuple(expand(reshape(x, shape_of[i]), sizes) for i, x in enumerate(xs))


# ---- triangles -------------------------------------------------------------------------------------------------------


class Triangle(Node):
    """y = x in a triangle, else 0;  dx = g in this triangle, else 0."""

    def __init__(self, name, diagonal):
        self.function, self.diagonal = name, diagonal

    def forward(self, x):
        return getattr(namespace(x), self.function)(x, k=self.diagonal)

    def backward(self, g):
        return (Triangle(self.function, self.diagonal)(g),)


def _triangle(name: str, input: Any, diagonal: int) -> Any:
    if not hasattr(input, "shape"):
        raise backend.no_array(input, name)
    (diagonal,) = ints(name, (diagonal,))
    if input.ndim < 2:
        raise RuntimeError(f"{name}: expected a tensor of at least 2 dimensions, got shape {tuple(input.shape)}")
    return Triangle(name, diagonal)(input)


@method()
def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangle of a matrix (or of each of a stack): on and below a diagonal, 0 elsewhere.

    `diagonal` 0 is the main one, 1 the one above it, -1 the one below.

    >>> import tinynorm
    >>> tinynorm.ones(2, 3).tril()
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    return _triangle("tril", input, diagonal)


@method()
def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangle of a matrix (or of each of a stack): on and above a diagonal, 0 elsewhere; see `tril`.

    >>> import tinynorm
    >>> tinynorm.ones(2, 3).triu(diagonal=1)
    tensor([[0., 1., 1.],
            [0., 0., 1.]])
    """
    return _triangle("triu", input, diagonal)
