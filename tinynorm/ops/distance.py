"""Distances and similarities of vectors, composed of the ops that there are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..tensor import Tensor
from .common import accepts_axis, as_float, narrowed, of_tensors, one_dim, only_floats, printed_as, promote, widened
from .linear import einsum
from .pieces import split
from .reduction import norm, normalize
from .shape import broadcast_to, cat, unsqueeze

ELEMENTS = 2**24  # `cdist` holds about so many differences at a time: 64 MiB in float32 (held by tests/ops/test_distance.py)


@accepts_axis
def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """The cosine of the angle between vectors: x1ᵀx2 / (‖x1‖ ‖x2‖), where no length counts as less than eps.

    Parameters
    ----------
    x1, x2 : Tensor
        Their shapes broadcast.
    dim : int
        Where the vectors' elements are, after broadcasting.
    eps : float

    Returns
    -------
    Tensor
        From -1 to 1, without the dimension `dim`.

    Raises
    ------
    RuntimeError, IndexError
        The shapes do not fit together, or `dim` is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([[1.0, 0.0], [3.0, 4.0]])
    >>> tinynorm.nn.functional.cosine_similarity(x, tinynorm.tensor([[2.0, 0.0]]))
    tensor([1.0000, 0.6000])
    """
    a, b = _together("cosine_similarity", x1, x2)
    d = one_dim(dim, a.ndim, "cosine_similarity")
    a32, b32 = (normalize(widened(only_floats("cosine_similarity", x)), dim=d, eps=eps) for x in (a, b))
    return narrowed((a32 * b32).sum(d), a)


@accepts_axis
def pairwise_distance(x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Any:
    """‖x1 - x2 + eps‖, the p-norm along the last dimension; eps keeps the gradient finite where x1 = x2.

    >>> import tinynorm
    >>> x = tinynorm.tensor([[6.0, 8.0], [3.0, 4.0]])
    >>> tinynorm.nn.functional.pairwise_distance(x, tinynorm.zeros(2, 2))
    tensor([10.0000,  5.0000])
    """
    a, b = _together("pairwise_distance", x1, x2)
    d = widened(a) - widened(b) + float(eps)  # integers are subtracted as integers
    return printed_as("NormBackward1", narrowed(norm(d, p, -1, keepdim), as_float(a)))


def cdist(x1: Any, x2: Any, p: float = 2.0, compute_mode: str | None = None) -> Any:
    """The distance of each row of x1 from each row of x2: ‖x1[i] - x2[j]‖, the p-norm.

    It is computed from the differences, so that near points keep their digits. The gradient of a distance 0 is 0.

    Parameters
    ----------
    x1, x2 : Tensor
        (*, P, M) and (*, R, M); the dimensions * broadcast.
    p : float
    compute_mode : str, optional
        Ignored: PyTorch's may compute the distances from products, which is faster and loses digits.

    Returns
    -------
    Tensor
        (*, P, R)

    Raises
    ------
    RuntimeError
        The shapes do not fit.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.cdist(tinynorm.tensor([[0.0, 0.0], [3.0, 4.0]]), tinynorm.tensor([[0.0, 0.0]]))
    tensor([[0.],
            [5.]])
    """
    a, b = promote(only_floats("cdist", x1), only_floats("cdist", x2))
    if a.ndim < 2 or b.ndim < 2 or a.shape[-1] != b.shape[-1]:
        raise RuntimeError(f"cdist: expected x1 (*, P, M) and x2 (*, R, M), got {tuple(a.shape)} and {tuple(b.shape)}")
    a32, b32 = unsqueeze(widened(a), -2), unsqueeze(widened(b), -3)
    rows = max(1, ELEMENTS // max(1, math.prod(np.broadcast_shapes(a32.shape[:-3], b32.shape[:-3])) * math.prod(b.shape[-2:])))
    pieces = [norm(part - b32, p, -1) for part in (split(a32, rows, -3) if a.shape[-2] > rows else [a32])]
    return printed_as("CdistBackward0", narrowed(pieces[0] if len(pieces) == 1 else cat(pieces, -2), a))


@of_tensors
def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """y_o = x1ᵀ W_o x2 + b_o.

    Parameters
    ----------
    input1, input2 : Tensor
        (*, H1) and (*, H2).
    weight : Tensor
        W, (O, H1, H2).
    bias : Tensor, optional
        b, (O).

    Returns
    -------
    Tensor
        (*, O)

    Raises
    ------
    RuntimeError
        The shapes do not fit.

    Examples
    --------
    >>> import tinynorm
    >>> x1, x2 = tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([3.0])
    >>> tinynorm.nn.functional.bilinear(x1, x2, tinynorm.ones(1, 2, 1))
    tensor([9.])
    """
    (*N1, H1), (*N2, H2) = input1.shape, input2.shape
    if N1 != N2 or tuple(weight.shape[1:]) != (H1, H2):
        shapes = ", ".join(str(tuple(x.shape)) for x in (input1, input2, weight))
        raise RuntimeError(f"bilinear: expected input1 (*, H1), input2 (*, H2) and weight (O, H1, H2), got {shapes}")
    y = einsum("...i,oij,...j->...o", input1, weight, input2)
    return y if bias is None else y + bias


def _together(op: str, x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """The two in one dtype, and broadcast to one shape."""
    a, b = promote(x1, x2)
    if a.shape == b.shape:
        return a, b
    try:
        shape = np.broadcast_shapes(tuple(a.shape), tuple(b.shape))
    except ValueError:
        raise RuntimeError(f"{op}: the shapes {tuple(a.shape)} and {tuple(b.shape)} do not broadcast") from None
    return broadcast_to(a, shape), broadcast_to(b, shape)
