"""The diagonal of a matrix: a view of it, a matrix made of one, and the trace."""

from __future__ import annotations

from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import method
from .common import all_dims, namespace, of_tensors, printed_as
from .convert import clone
from .reduction import sum
from .shape import ints, movedim


class Diagonal(Node):
    """y_i = x_(i, i+k);  dx = zeros with g on this diagonal."""

    is_view = True

    def __init__(self, k: int) -> None:
        self.k = k

    def forward(self, x):
        self.shape = x.shape
        return backend.diagonal(x, self.k)

    def backward(self, g):
        return (OnDiagonal(self.k, self.shape)(g),)


class OnDiagonal(Node):
    """y = zeros of a shape, with x on the diagonal k;  dx = this diagonal of g."""

    def __init__(self, k: int, shape: tuple[int, ...]) -> None:
        self.k, self.shape = k, shape

    def forward(self, x):
        xp, n, where = namespace(x), x.shape[-1], backend.on_device_of(x)
        i = xp.arange(n, **where)
        square = xp.where(xp.reshape(i, (n, 1)) == i, x[..., None], xp.zeros((), dtype=x.dtype, **where))  # (…, n, n)
        y = backend.zeros(self.shape, x)
        top, left = max(-self.k, 0), max(self.k, 0)
        y[..., top : top + n, left : left + n] = square
        return y

    def backward(self, g):
        return (Diagonal(self.k)(g),)


# ---- as functions and methods, on Tensors and on raw arrays ----------------------------------------------------------


@of_tensors
@method()
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of the matrices along `dim1` and `dim2`, as the last dimension of a view.

    Parameters
    ----------
    input : Tensor or array
        Of at least 2 dimensions.
    offset : int
        Which diagonal: 0 is the main one, 1 the one above it, -1 the one below.
    dim1, dim2 : int

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.zeros(2, 2)
    >>> x.diagonal().fill_(7)
    tensor([7., 7.])
    >>> x
    tensor([[7., 0.],
            [0., 7.]])
    """
    (offset,) = ints("diagonal", (offset,))
    if input.ndim < 2:
        raise RuntimeError(f"diagonal: expected a tensor of at least 2 dimensions, got shape {tuple(input.shape)}")
    dims = all_dims((dim1, dim2), input.ndim, "diagonal")
    return printed_as("DiagonalBackward0", Diagonal(offset)(movedim(input, dims, (-2, -1))))


@of_tensors
@method()
def diag(input: Any, diagonal: int = 0) -> Any:
    """Of a vector the matrix that has it on a diagonal, (n) → (n, n); of a matrix a copy of its diagonal.

    >>> import tinynorm
    >>> tinynorm.diag(tinynorm.tensor([1, 2]))
    tensor([[1, 0],
            [0, 2]])
    >>> tinynorm.diag(tinynorm.tensor([[1, 2], [3, 4]]), 1)
    tensor([2])
    """
    (k,) = ints("diag", (diagonal,))
    if input.ndim == 2:
        return printed_as("DiagonalBackward0_copy", clone(Diagonal(k)(input)))
    if input.ndim != 1:
        raise RuntimeError(f"diag: expected a vector or a matrix, got shape {tuple(input.shape)}")
    size = input.shape[0] + abs(k)
    return printed_as("DiagEmbedBackward0", OnDiagonal(k, (size, size))(input))


@of_tensors
@method()
def trace(input: Any) -> Any:
    """The sum of the diagonal of a matrix.

    >>> import tinynorm
    >>> tinynorm.trace(tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if input.ndim != 2:
        raise RuntimeError(f"trace: expected a matrix, got shape {tuple(input.shape)}")
    return printed_as("TraceBackward0", sum(Diagonal(0)(input)))
