"""Matrix products, sums of products (einsum), and the linear layer as one node."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import backend
from ..autograd.node import Node
from ..kernels.select import kernels_for
from ..tensor import Tensor, method, raw
from .activation import ReLU
from .arithmetic import scaled
from .common import (
    into,
    namespace,
    narrowed,
    of_tensors,
    one_dim,
    printed_as,
    promote,
    reshaped,
    shape_of,
    sum_over,
    sum_to,
    widened,
)
from .joined import next_op
from .reduction import sum
from .shape import expand, permute, reshape, unsqueeze

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
        self.ranks = A.ndim, B.ndim
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
        self.ndim, self.biased = X.ndim, b is not None
        Y = product(_rows(X), W.T)  # cf. LI.4, (N, out)
        kernels = None if b is None else kernels_for("activations", Y, b)
        if kernels is not None:
            kernels.add(Y, b, next_op.relu)
        elif b is not None:
            Y += b
        Y = Y if X.ndim == 2 else reshaped(Y, (*X.shape[:-1], W.shape[0]))
        if kernels is not None and next_op.relu:
            self.save(X, W, Y)
            next_op.relu = False
        return Y

    def backward(self, g, X, W, Y=None):
        """The gradients; of max(Y, 0) if Y was saved."""
        if Y is not None:
            (g,) = ReLU().backward(g, Y)
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
def matmul(input: Any, other: Any, *, out: Tensor | None = None) -> Any:
    """`input @ other` for all ranks, as in NumPy: vectors, matrices, and stacks of matrices that broadcast.

    Raises
    ------
    RuntimeError
        The inner sizes or the dtypes differ, or an operand is 0-d.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]) @ tinynorm.tensor([1.0, 1.0])
    tensor([3., 7.])
    """
    input, other = _of_one_dtype("matmul", input, other)
    sa, sb = shape_of(raw(input)), shape_of(raw(other))
    if not sa or not sb or sa[-1] != sb[-2 if len(sb) > 1 else 0]:
        raise RuntimeError(f"matmul: expected a (…, n, k) @ b (…, k, m) or vectors (k), got {tuple(sa)} @ {tuple(sb)}")
    made = MatMul()(input, other)
    return made if out is None else into(out, made)


method("__rmatmul__")(lambda self, other: matmul(other, self))


def _shape(op: str, x: Any) -> tuple[int, ...]:
    if not hasattr(x, "shape"):
        raise backend.no_array(x, op)
    return tuple(x.shape)


def _of_ranks(name: str, input: Any, other: Any, left: str, right: str) -> Any:
    """`matmul`, for operands of just these dimensions."""
    a, b = _shape(name, input), _shape(name, other)
    fits = len(a) == len(left) and len(b) == len(right) and a[-1] == b[-2 if len(b) > 1 else 0] and a[:-2] == b[:-2]
    if not fits:
        expected = " @ ".join("(" + ", ".join(letters) + "," * (len(letters) == 1) + ")" for letters in (left, right))
        hint = "" if name == "dot" else "; matmul takes all ranks"
        raise RuntimeError(f"{name}: expected shapes {expected}, got {a} @ {b}{hint}")
    return MatMul()(*_of_one_dtype(name, input, other))


def _of_one_dtype(op: str, input: Any, other: Any) -> tuple[Any, Any]:
    """The operands; an array gets the dtype of both. Two tensors must have one dtype, as in PyTorch."""
    if isinstance(input, Tensor) and isinstance(other, Tensor) and input._array.dtype != other._array.dtype:
        raise RuntimeError(
            f"{op}: expected two tensors of one dtype, got {input.dtype} and {other.dtype}; convert one with .to(dtype)"
        )
    return promote(input, other)


@method()
def mm(input: Any, mat2: Any, *, out: Tensor | None = None) -> Any:
    """The product of two matrices, (n, k) @ (k, m).

    >>> import tinynorm
    >>> tinynorm.mm(tinynorm.tensor([[1.0, 2.0]]), tinynorm.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    made = _of_ranks("mm", input, mat2, "nk", "km")
    return made if out is None else into(out, made)


@of_tensors
@method()
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: float = 1, alpha: float = 1) -> Any:
    """beta input + alpha (mat1 @ mat2), the product of two matrices; `input` broadcasts. With beta = 0 it does not count.

    >>> import tinynorm
    >>> tinynorm.addmm(tinynorm.tensor([10.0]), tinynorm.tensor([[1.0, 2.0]]), tinynorm.tensor([[3.0], [4.0]]))
    tensor([[21.]])
    """
    product = _of_ranks("addmm", mat1, mat2, "nk", "km")
    product = product if alpha == 1 else scaled("addmm", alpha, product, input)
    if beta == 0:
        return printed_as("AddmmBackward0", product)
    return printed_as("AddmmBackward0", (input if beta == 1 else scaled("addmm", beta, input, product)) + product)


@method()
def bmm(input: Any, mat2: Any) -> Any:
    """The products of two stacks of matrices, (b, n, k) @ (b, k, m).

    >>> import tinynorm
    >>> tinynorm.bmm(tinynorm.ones(5, 2, 3), tinynorm.ones(5, 3, 4)).shape == (5, 2, 4)
    True
    """
    return printed_as("BmmBackward0", _of_ranks("bmm", input, mat2, "bnk", "bkm"))


@method()
def mv(input: Any, vec: Any) -> Any:
    """The product of a matrix and a vector, (n, k) @ (k).

    >>> import tinynorm
    >>> tinynorm.mv(tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]), tinynorm.tensor([1.0, 1.0]))
    tensor([3., 7.])
    """
    return _of_ranks("mv", input, vec, "nk", "k")


@method()
def dot(input: Any, tensor: Any) -> Any:
    """The scalar product of two vectors, (k) @ (k).

    >>> import tinynorm
    >>> tinynorm.dot(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return _of_ranks("dot", input, tensor, "k", "k")


@method()
def outer(input: Any, vec2: Any) -> Any:
    """All products of an element of one vector and one of another, (n) and (m): (n, m).

    >>> import tinynorm
    >>> tinynorm.outer(tinynorm.tensor([1, 2]), tinynorm.tensor([3, 4]))
    tensor([[3, 4],
            [6, 8]])
    """
    a, b = _shape("outer", input), _shape("outer", vec2)
    if len(a) != 1 or len(b) != 1:
        raise RuntimeError(f"outer: expected two vectors, got shapes {a} and {b}")
    return unsqueeze(input, 1) * vec2


def tensordot(a: Tensor, b: Tensor, dims: int | Sequence[Sequence[int]] = 2) -> Any:
    """The sum of products over some dimensions of both: the last `dims` of `a` with the first of `b`, or two lists of them.

    The result has the other dimensions of `a`, then those of `b`.

    >>> import tinynorm
    >>> tinynorm.tensordot(tinynorm.ones(2, 3, 4), tinynorm.ones(4, 3), dims=([1, 2], [1, 0]))
    tensor([12., 12.])
    """
    sa, sb = _shape("tensordot", a), _shape("tensordot", b)
    if isinstance(dims, int):
        dims = range(len(sa) - dims, len(sa)), range(dims)
    left, right = ([one_dim(d, n, "tensordot") for d in ds] for ds, n in zip(dims, (len(sa), len(sb)), strict=True))
    if [sa[d] for d in left] != [sb[d] for d in right]:
        raise RuntimeError(f"tensordot: expected equal sizes along {left} of {sa} and along {right} of {sb}")
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    of_a, of_b = letters[: len(sa)], list(letters[len(sa) : len(sa) + len(sb)])
    for d, e in zip(left, right, strict=True):
        of_b[e] = of_a[d]
    out = "".join(letter for letter in [*of_a, *of_b] if (letter in of_a) != (letter in of_b))
    return Einsum(of_a, "".join(of_b), out)(*_of_one_dtype("tensordot", a, b))


@of_tensors
@method()
def kron(input: Any, other: Any) -> Any:
    """The Kronecker product: each element of `input` times the whole of `other`, side by side.

    >>> import tinynorm
    >>> tinynorm.kron(tinynorm.tensor([[1, 10]]), tinynorm.tensor([[1, 2], [3, 4]]))
    tensor([[ 1,  2, 10, 20],
            [ 3,  4, 30, 40]])
    """
    n = max(input.ndim, other.ndim)
    a, b = ((1,) * (n - x.ndim) + tuple(x.shape) for x in (input, other))
    apart = reshape(input, [k for size in a for k in (size, 1)]) * reshape(other, [k for size in b for k in (1, size)])
    return printed_as("UnsafeViewBackward0", reshape(apart, [i * k for i, k in zip(a, b, strict=True)]))


# ---- einsum ----------------------------------------------------------------------------------------------------------


def contraction(A: Any, a: str, B: Any, b: str, out: str) -> Any:
    """The sum of A·B over the letters that `out` has not, as one stack of matrix products. Each axis has a letter of its own.

    >>> import numpy as np
    >>> contraction(np.ones((2, 3)), "ik", np.ones((3, 4)), "kj", "ji").shape
    (4, 2)
    """
    stack = [letter for letter in a if letter in b and letter in out]
    over = [letter for letter in a if letter in b and letter not in out]
    left, right = [letter for letter in a if letter not in b], [letter for letter in b if letter not in a]
    xp, size = namespace(A), dict(zip(a, A.shape, strict=True)) | dict(zip(b, B.shape, strict=True))

    def arranged(x: Any, letters: str, *groups: list) -> Any:
        x = xp.permute_dims(x, tuple(letters.index(letter) for group in groups for letter in group))
        return xp.reshape(x, tuple(math.prod(size[letter] for letter in group) for group in groups))

    A, B = arranged(A, a, stack, left, over), arranged(B, b, stack, over, right)
    y, letters = product(A, B) if over else A * B, [*stack, *left, *right]
    y = xp.reshape(y, tuple(size[letter] for letter in letters))
    return xp.permute_dims(y, tuple(map(letters.index, out)))


class Einsum(Node):
    """y = Σ A·B over the letters that y has not;  dA and dB are the same sum, with y's letters and theirs exchanged."""

    fresh = True

    def __init__(self, a, b, out):
        self.a, self.b, self.out = a, b, out

    def forward(self, A, B):
        self.save(A, B)
        return contraction(A, self.a, B, self.b, self.out)

    def backward(self, g, A, B):
        dA = contraction(g, self.out, B, self.b, self.a) if self.needs[0] else None
        dB = contraction(A, self.a, g, self.out, self.b) if self.needs[1] else None
        return dA, dB


def einsum(equation: str, *operands: Tensor | Sequence[Tensor]) -> Any:
    """A sum of products, with a letter for each axis: letters that the result has not are summed over.

    Parameters
    ----------
    equation : str
        The letters of each operand, and of the result: ``"ik,kj->ij"`` is the matrix product. Without an arrow, the result has
        the letters that stand once, in the order of the alphabet. ``...`` stands for any axes in front that broadcast.
    *operands : Tensors
        Products are taken from left to right, two operands at a time.

    Raises
    ------
    RuntimeError
        The letters do not fit the operands.

    Examples
    --------
    >>> import tinynorm
    >>> A, B = tinynorm.tensor([[1.0, 2.0], [3.0, 4.0]]), tinynorm.tensor([[1.0, 0.0], [0.0, 2.0]])
    >>> tinynorm.einsum("ik,kj->ij", A, B)
    tensor([[1., 4.],
            [3., 8.]])
    >>> tinynorm.einsum("ii", A)
    tensor(5.)
    """
    xs = list(operands[0] if len(operands) == 1 and isinstance(operands[0], (tuple, list)) else operands)
    terms, out = _letters(equation, xs)
    size: dict[str, int] = {}
    for term, x in zip(terms, xs, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            if size.get(letter, 1) == 1:
                size[letter] = n
            elif n not in (1, size[letter]):
                raise RuntimeError(f"einsum: {equation!r}: letter {letter!r} has sizes {size[letter]} and {n}")
    y, term = xs[0], terms[0]
    for i, (letters, x) in enumerate(zip(terms, xs, strict=True)):
        x, letters = _diagonal(expand(x, [size[letter] for letter in letters]), letters)
        later = out + "".join(terms[i + 1 :])
        if i == 0:
            y, term = _without(x, letters, later)
            continue
        x, letters = _without(x, letters, later + term)
        y, term = _without(y, term, later + letters)
        kept = "".join(letter for letter in dict.fromkeys(term + letters) if letter in later)
        y, term = Einsum(term, letters, kept)(*promote(y, x)), kept
    return y if term == out else permute(y, tuple(map(term.index, out)))


def _letters(equation: str, xs: list) -> tuple[list[str], str]:
    """The letters of each operand and of the result; ``...`` becomes letters of its own."""
    if not isinstance(equation, str):
        raise TypeError(f"einsum: expected the equation first, such as 'ij,jk->ik', got {type(equation).__name__}")
    for x in xs:
        _shape("einsum", x)
    left, arrow, out = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(xs):
        raise RuntimeError(f"einsum: {equation!r} has {len(terms)} operands, got {len(xs)}")
    free = [letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in equation]
    dots = [x.ndim - len(term.replace("...", "")) for term, x in zip(terms, xs, strict=True)]
    most = max((n for n, term in zip(dots, terms, strict=True) if "..." in term), default=0)
    for i, (n, term, x) in enumerate(zip(dots, terms, xs, strict=True)):
        if n < 0 or (n and "..." not in term):
            raise RuntimeError(f"einsum: {equation!r} has {term!r} for an operand of shape {tuple(x.shape)}")
        terms[i] = term.replace("...", "".join(free[most - n : most]))
    if not arrow:
        out = "..." + "".join(sorted(letter for letter in set(left) if letter.isalpha() and left.count(letter) == 1))
    out = out.replace("...", "".join(free[:most]))
    wrong = [letter for letter in "".join([*terms, out]) if not letter.isalpha()]
    if wrong or len(set(out)) != len(out) or not set(out) <= set("".join(terms)):
        raise RuntimeError(f"einsum: {equation!r}: expected letters, and in the result each only once and from the operands")
    return terms, out


def _diagonal(x: Any, letters: str) -> tuple[Any, str]:
    """x without its second axes of one letter: where a letter stands twice, only the diagonal counts."""
    for letter in set(letters):
        while letters.count(letter) > 1:
            first = letters.index(letter)
            second = letters.index(letter, first + 1)
            x = permute(x, [first, second, *(i for i in range(x.ndim) if i not in (first, second))])
            letters = letter + letters.replace(letter, "", 2)
            i = namespace(raw(x)).arange(x.shape[0], **backend.on_device_of(raw(x)))
            x = x[i, i]
    return x, letters


def _without(x: Any, letters: str, kept: str) -> tuple[Any, str]:
    """x, summed over the axes whose letter nobody else has."""
    alone = tuple(i for i, letter in enumerate(letters) if letter not in kept)
    return (sum(x, alone), "".join(letter for letter in letters if letter in kept)) if alone else (x, letters)


# ---- the linear layer ------------------------------------------------------------------------------------------------


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
    X, W, b = raw(input), raw(weight), raw(bias)
    try:
        sx, sw, sb = X.shape, W.shape, None if b is None else b.shape
        one_dtype = W.dtype == X.dtype and (b is None or b.dtype == X.dtype)
    except AttributeError:
        raise backend.no_array(next(t for t in (X, W, b) if not hasattr(t, "shape")), "linear") from None
    if len(sw) != 2 or not sx or sx[-1] != sw[1] or (b is not None and sb != (sw[0],)):
        raise RuntimeError(
            f"linear: expected x (…, in), weight (out, in) and bias (out), got x {tuple(sx)}, weight {tuple(sw)}"
            + ("" if sb is None else f", bias {tuple(sb)}")
            + (f"; x ends in {sx[-1]}, weight takes {sw[1]}" if sx and len(sw) == 2 and sx[-1] != sw[1] else "")
        )
    if not one_dtype:
        got = " and ".join(str(a.dtype) for a in (X, W, b) if a is not None)
        raise RuntimeError(f"linear: expected x, weight and bias of one dtype, got {got}; convert with .to(dtype)")
    return Linear()(input, weight, bias)
