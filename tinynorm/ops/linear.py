"""Matrix products, and the linear layer as one node."""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, method
from .common import namespace, narrowed, promote, reshaped, shape_of, sum_over, sum_to, widened

# The longest sum that BLAS computes alone. The worst case, a sum of equal numbers, then has a rounding error of about 7e-5.
LONG = 16384


def product(a: Any, b: Any) -> Any:
    """a @ b; float16 is accumulated in float32 (here on the CPU, by cuBLAS on the GPU)."""
    if backend.is_half(a) and not backend.on_gpu(a):
        return backend.astype(product(widened(a), widened(b)), a.dtype)
    if a.shape[-1] > LONG and not isinstance(a, Tensor):
        xp = namespace(a)
        y = _long_product(xp, a[None, :] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b)
        return xp.reshape(y, (*y.shape[:-2], *a.shape[:-1][-1:], *(b.shape[-1:] if b.ndim > 1 else ())))
    return a @ b


def _long_product(xp: Any, A: Any, B: Any) -> Any:
    """(…, n, K) @ (…, K, m), computed as a sum of block products: BLAS alone would add thousands of numbers in a row.

    K is split into blocks, and `sum_over` adds the products of the blocks (see kernels/sums). The block size is n m, within
    128 and `LONG`. It is small if n and m are small, because BLAS adds the numbers of a thin product in longer runs.
    """
    (*stack, n, K), m = A.shape, B.shape[-1]
    size = min(max(n * m, 128), LONG)
    k, d = K // size, len(stack)
    left = xp.permute_dims(xp.reshape(A[..., : k * size], (*stack, n, k, size)), (*range(d), d + 1, d, d + 2))
    y = left @ xp.reshape(B[..., : k * size, :], (*B.shape[:-2], k, size, m))  # (…, k, n, m)
    y = sum_over(y, (y.ndim - 3,))[..., 0, :, :]
    return y + A[..., k * size :] @ B[..., k * size :, :] if k * size < K else y


class MatMul(Node):
    """u = A B;  dA = du Bᵀ,  dB = Aᵀ du.

    Batch dimensions broadcast. If A is a vector it counts as one row; if B is a vector it counts as one column.
    """

    fresh = True

    def forward(self, A, B):
        self.save(A, B)
        return product(A, B)

    def backward(self, du, A, B):
        A2 = A[None, :] if A.ndim == 1 else A
        B2 = B[:, None] if B.ndim == 1 else B
        if A.ndim == 1:
            du = du[..., None, :] if B.ndim > 1 else du[None]
        if B.ndim == 1:
            du = du[..., None]
        dA = reshaped(sum_to(product(du, B2.mT), A2.shape), A.shape) if self.needs[0] else None  # VJ.20
        dB = reshaped(sum_to(product(A2.mT, du), B2.shape), B.shape) if self.needs[1] else None  # VJ.22
        return dA, dB


class Linear(Node):
    """Y = X Wᵀ + b;  dX = g W,  dW = gᵀ X,  db = Σ g over the rows.

    X (…, in) is reshaped to (N, in); W is (out, in), b is (out). Y, dX and dW are one matrix product each.
    """

    fresh = True

    def forward(self, X, W, b):
        self.save(X, W)
        Y = product(_rows(X), W.T)  # cf. LI.4, (N, out)
        if b is not None:
            Y += b
        return reshaped(Y, (*X.shape[:-1], W.shape[0]))

    def backward(self, g, X, W):
        dy = _rows(g)  # (N, out)
        dX = reshaped(product(dy, W), X.shape) if self.needs[0] else None  # LI.9
        dW = product(dy.T, _rows(X)) if self.needs[1] else None  # LI.12
        db = reshaped(narrowed(sum_over(widened(dy), (0,)), g), (W.shape[0],)) if self.needs[2] else None  # LI.5
        return dX, dW, db


def _rows(x: Any) -> Any:
    """Reshape (…, D) to (N, D)."""
    return x if x.ndim == 2 else reshaped(x, (math.prod(x.shape[:-1]), x.shape[-1]))


# ---- as functions and methods ----------------------------------------------------------------------------------------


@method("matmul", "__matmul__")
def matmul(a: Any, b: Any) -> Any:
    """a @ b for all ranks, as in NumPy: vectors, matrices, and stacks of matrices that broadcast.

    Raises
    ------
    RuntimeError
        The inner sizes differ, or an operand is 0-d.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]) @ tinynorm.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    a, b = promote(a, b)
    sa, sb = shape_of(a), shape_of(b)
    if not sa or not sb or sa[-1] != sb[-2 if len(sb) > 1 else 0]:
        raise RuntimeError(f"matmul: expected a (…, n, k) @ b (…, k, m) or vectors (k), got {tuple(sa)} @ {tuple(sb)}")
    return MatMul()(a, b)


method("__rmatmul__")(lambda self, other: matmul(other, self))
method("mm", "bmm", "mv", "dot")(matmul)


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x Wᵀ + b, one node of the graph.

    Parameters
    ----------
    input : Tensor
        (…, in).
    weight : Tensor
        (out, in).
    bias : Tensor, optional
        (out).

    Returns
    -------
    Tensor
        (…, out).

    Raises
    ------
    RuntimeError
        The shapes or dtypes do not fit; the message lists all of them.

    Examples
    --------
    >>> import tinynorm
    >>> x, W = tinynorm.tensor([[1.0, 2.0]]), tinynorm.tensor([[1.0, 1.0], [0.0, 3.0]])
    >>> tinynorm.nn.functional.linear(x, W)
    tensor([[3., 6.]])
    """
    x = input
    try:
        sx, sw, sb = x.shape, weight.shape, None if bias is None else bias.shape
    except AttributeError:
        raise backend.no_array(next(t for t in (x, weight, bias) if not hasattr(t, "shape")), "linear") from None
    if len(sw) != 2 or not sx or sx[-1] != sw[1] or (sb is not None and sb != (sw[0],)):
        raise RuntimeError(
            f"linear: expected x (…, in), weight (out, in) and bias (out), got x {tuple(sx)}, weight {tuple(sw)}"
            + ("" if sb is None else f", bias {tuple(sb)}")
            + (f"; x ends in {sx[-1]}, weight takes {sw[1]}" if sx and len(sw) == 2 and sx[-1] != sw[1] else "")
        )
    if x.dtype != weight.dtype or (bias is not None and x.dtype != bias.dtype):
        got = " and ".join(str(t.dtype) for t in (x, weight, bias) if t is not None)
        raise RuntimeError(f"linear: expected x, weight and bias of one dtype, got {got}; convert with .to(dtype)")
    return Linear()(x, weight, bias)
