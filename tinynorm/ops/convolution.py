"""Convolution: each output is a weighted sum over a window of the input.

For a stride s, a dilation d, x̃ = x with zeros beside it, o an output channel, c an input channel, p a position of the window
and k a number of it:

    y[n, o, p] = b[o] + Σ W[o, c, k] x̃[n, c, s p + d k]   over c and k.

Let column p of the matrix U be the numbers of the window at p. Then y = W U + b is a matrix product. U depends linearly on x.
The transpose Uᵀ of this map adds each number of a column to the place in x that it was taken from. So

    dW = Σ g U(x)ᵀ   over n,     dx = Uᵀ(Wᵀ g),     db = Σ g   over n and p.

y, dx and dW all come from one number, the sum of g[n, o, p] W[o, c, k] x̃[n, c, s p + d k] over all indices. It is linear in
each of g, W and x, and they are its derivatives by g, x and W. The derivatives of these three are the same three again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from .. import backend
from ..autograd.node import Node
from ..backend import namespace
from ..tensor import raw
from .common import narrowed, of_tensors, printed_as, reshaped, sum_over, widened
from .linear import product
from .shape import reshape
from .windows import Pair, Windows, beside, numbers, windows

# The matrix U of a block of samples has so many numbers, 4 MiB in float32: memory stays bounded, and the caches of a processor
# still have most of U when the product reads it. A GPU has other caches, and each of its calls should have much to do.
BLOCK, BLOCK_ON_GPU = 2**20, 2**24
SAMPLES = 64  # so many at most: the copies that put samples last then still find their lines in a core's cache
NARROW = 20  # an output of fewer columns has the samples last; measured: at 12 columns this is faster, at 26 it is slower


class Layout:
    """Where the windows are, and the sizes: x (N, G C, H, W), W (G O, C, *kernel) and y (N, G O, *out), of G groups.

    The matrices hold the windows of n samples, so that one product serves all of them. Each index p of a matrix is a sample
    and a place: the sample first where the rows of the output are long. Where they are short the sample is last, so that a
    shift of the window still copies long runs of numbers.
    """

    def __init__(self, place: Windows, groups: int) -> None:
        self.windows, self.groups = place, groups
        self.K, self.P = math.prod(place.kernel), math.prod(place.out)
        self.last = place.out[1] < NARROW
        self.order, self.undo = ((1, 2, 3, 0), (3, 0, 1, 2)) if self.last else ((1, 0, 2, 3), (1, 0, 2, 3))

    def blocks(self, x: Any) -> Iterator[slice]:
        """The samples, n at a time."""
        N, numbers = x.shape[0], max(1, x.shape[1] * self.K * self.P)
        n = max(1, BLOCK_ON_GPU // numbers if backend.on_gpu(x) else min(SAMPLES, BLOCK // numbers))
        return (slice(i, min(i + n, N)) for i in range(0, N, n))

    def planes(self, n: int, size: Pair) -> tuple[int, ...]:
        """The shape of the planes of n samples, in the order of a matrix."""
        return (*size, n) if self.last else (n, *size)

    def at(self, place: tuple[slice, slice]) -> tuple:
        """The index of these rows and columns, for all channels and samples, in that order."""
        return (slice(None), *place, ...) if self.last else (..., *place)

    def matrix(self, W: Any) -> Any:
        """W as a matrix for each group, (G, O, C K)."""
        return reshaped(W, (self.groups, W.shape[0] // self.groups, W.shape[1] * self.K))

    def rows(self, g: Any) -> Any:
        """g (n, G O, *out) as a matrix for each group, (G, O, n P)."""
        n, O = g.shape[:2]
        y = backend.zeros((O, *self.planes(n, self.windows.out)), g)
        y[...] = namespace(g).permute_dims(g, self.order)
        return reshaped(y, (self.groups, O // self.groups, n * self.P))

    def samples(self, y: Any) -> Any:
        """The transpose of `rows`: (n, G O, *out)."""
        G, O, nP = y.shape
        y = reshaped(y, (G * O, *self.planes(nP // self.P, self.windows.out)))
        return namespace(y).permute_dims(y, self.undo)

    def unfold(self, x: Any) -> Any:
        """U: the windows of x (n, G C, H, W) as columns, for each group, (G, C K, n P)."""
        n, C = x.shape[:2]
        X = backend.zeros((C, *self.planes(n, self.windows.padded_size)), x)
        X[self.at(self.windows.inside)] = namespace(x).permute_dims(x, self.order)
        if not self.windows.everything:
            padded, X = X, backend.zeros((C, self.K, *self.planes(n, self.windows.out)), x)
            for k, place in enumerate(self.windows.places):
                X[:, k, ...] = padded[self.at(place)]  # cf. CV.1
        return reshaped(X, (self.groups, C // self.groups * self.K, n * self.P))

    def fold(self, U: Any) -> Any:
        """Uᵀ, the transpose of `unfold`: (n, G C, H, W)."""
        C, n = U.shape[0] * U.shape[1] // self.K, U.shape[2] // self.P
        U = reshaped(U, (C, self.K, *self.planes(n, self.windows.out)))
        X = backend.zeros((C, *self.planes(n, self.windows.padded_size)), U)
        for k, place in enumerate(self.windows.places):
            X[self.at(place)] += U[:, k, ...]  # cf. CV.7
        return namespace(U).permute_dims(X[self.at(self.windows.inside)], self.undo)


class Trilinear(Node):
    """The base class of the three: how they take samples in blocks."""

    fresh = True

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def of_blocks(self, samples: Any, shape: tuple[int, ...], formula: Callable[[slice], Any]) -> Any:
        """An array of this shape, whose samples `formula` computes, a block of them at a time."""
        y = backend.zeros(shape, samples)
        for block in self.layout.blocks(samples):
            y[block, ...] = formula(block)
        return y


class Convolution(Trilinear):
    """y = W U(x) + b;  dx = Uᵀ(Wᵀ g),  dW = Σ g U(x)ᵀ,  db = Σ g."""

    def forward(self, x, W, b):
        self.save(x, W)
        self.channels = W.shape[0]
        X, M, of = widened(x), self.layout.matrix(widened(W)), self.layout
        B = None if b is None else reshaped(widened(b), (*M.shape[:2], 1))

        def y(n: slice) -> Any:
            Y = product(M, of.unfold(X[n, ...]))  # cf. CV.2
            if B is not None:
                Y += B
            return of.samples(Y)

        return narrowed(self.of_blocks(X, (x.shape[0], W.shape[0], *of.windows.out), y), x)

    def backward(self, g, x, W):
        dx = ConvolutionByInput(self.layout)(g, W) if self.needs[0] else None
        dW = ConvolutionByWeight(self.layout)(g, x) if self.needs[1] else None
        db = reshaped(narrowed(sum_over(widened(g), (0, 2, 3)), g), (self.channels,)) if self.needs[2] else None  # CV.4
        return dx, dW, db


class ConvolutionByInput(Trilinear):
    """dx = Uᵀ(Wᵀ g). For a gradient v of dx:  the gradient of g is W U(v),  that of W is Σ g U(v)ᵀ."""

    def forward(self, g, W):
        self.save(g, W)
        of, Wt = self.layout, self.layout.matrix(widened(W)).mT
        G = widened(g)
        shape = g.shape[0], of.groups * W.shape[1], *of.windows.size
        dx = self.of_blocks(G, shape, lambda n: of.fold(product(Wt, of.rows(G[n, ...]))))  # cf. CV.8
        return narrowed(dx, g)

    def backward(self, v, g, W):
        dg = Convolution(self.layout)(v, W, None) if self.needs[0] else None  # cf. CV.19
        dW = ConvolutionByWeight(self.layout)(g, v) if self.needs[1] else None  # cf. CV.21
        return dg, dW


class ConvolutionByWeight(Trilinear):
    """dW = Σ g U(x)ᵀ. For a gradient V of dW:  the gradient of g is V U(x),  that of x is Uᵀ(Vᵀ g)."""

    def forward(self, g, x):
        self.save(g, x)
        of, G, X = self.layout, widened(g), widened(x)
        O, C = g.shape[1] // of.groups, x.shape[1] // of.groups
        dW = backend.zeros((of.groups, O, C * of.K), G)
        for n in of.blocks(x):
            dW = dW + product(of.rows(G[n, ...]), of.unfold(X[n, ...]).mT)  # cf. CV.5
        return narrowed(reshaped(dW, (of.groups * O, C, *of.windows.kernel)), g)

    def backward(self, V, g, x):
        dg = Convolution(self.layout)(x, V, None) if self.needs[0] else None  # cf. CV.24
        dx = ConvolutionByInput(self.layout)(g, V) if self.needs[1] else None  # cf. CV.29
        return dg, dx


# ---- as functions ----------------------------------------------------------------------------------------------------


@of_tensors
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The convolution of signals: a weighted sum over each window of `input`.

    Parameters
    ----------
    input : Tensor
        x, (N, C, L) or (C, L).
    weight : Tensor
        W, (O, C / groups, K).
    bias : Tensor, optional
        b, (O).
    stride, padding, dilation, groups
        As in `conv2d`.

    Returns
    -------
    Tensor
        (N, O, P) or (O, P), where P = ⌊(L + 2 padding - dilation (K - 1) - 1) / stride⌋ + 1.

    Raises
    ------
    RuntimeError
        As in `conv2d`.

    Examples
    --------
    >>> import tinynorm
    >>> x, W = tinynorm.tensor([[1.0, 2.0, 4.0, 8.0]]), tinynorm.tensor([[[-1.0, 1.0]]])
    >>> tinynorm.nn.functional.conv1d(x, W)
    tensor([[1., 2., 4.]])
    """
    return _convolution("conv1d", input, weight, bias, stride, padding, dilation, groups, 1)


@of_tensors
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """The convolution of images: a weighted sum over each window of `input`. (The window is not turned round.)

    Parameters
    ----------
    input : Tensor
        x, (N, C, H, W) or (C, H, W).
    weight : Tensor
        (O, C / groups, kernel height, kernel width).
    bias : Tensor, optional
        b, (O).
    stride : int or two ints
        How far the window moves from one position to the next, down and to the right.
    padding : int, two ints, "valid" or "same"
        How many zeros stand at each side of the image. "valid" is none; "same" as many as give y the size of x.
    dilation : int or two ints
        How far the numbers of a window are apart.
    groups : int
        Into so many groups the channels are divided; each group of outputs sees its group of inputs only.

    Returns
    -------
    Tensor
        (N, O, height, width) or (O, height, width), each size being ⌊(H + 2 padding - dilation (K - 1) - 1) / stride⌋ + 1.

    Raises
    ------
    RuntimeError
        Shapes, dtypes or devices do not fit, the window is larger than the padded image, or an argument is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> x, W = tinynorm.ones(1, 1, 4, 4), tinynorm.ones(1, 1, 3, 3)
    >>> tinynorm.nn.functional.conv2d(x, W, padding="same")[0, 0]
    tensor([[4., 6., 6., 4.],
            [6., 9., 9., 6.],
            [6., 9., 9., 6.],
            [4., 6., 6., 4.]])
    """
    return _convolution("conv2d", input, weight, bias, stride, padding, dilation, groups, 2)


SPACE = {1: "L", 2: "H, W"}
KERNEL = {1: "K", 2: "KH, KW"}


def _convolution(op: str, x: Any, W: Any, b: Any, stride: Any, padding: Any, dilation: Any, groups: Any, dims: int) -> Any:
    """The function of `dims` dimensions: a signal is an image of one line."""
    _check_shapes(op, x, W, b, groups, dims)
    batched = x.ndim == dims + 2
    kernel, size = tuple(W.shape[2:]), tuple(x.shape[-dims:])
    stride_, dilation_ = numbers(op, "stride", stride, dims, 1), numbers(op, "dilation", dilation, dims, 1)
    before, after = beside(op, padding, kernel, stride_, dilation_)
    one, none = (1,) * (2 - dims), (0,) * (2 - dims)
    place = windows(one + size, one + kernel, one + stride_, none + before, none + after, one + dilation_)
    if min(place.out) < 1:
        reach = tuple(d * (k - 1) + 1 for d, k in zip(dilation_, kernel, strict=True))
        got = f"got {size} with padding {padding!r}"
        raise RuntimeError(f"{op}: expected an input at least as large as the window, which covers {reach}, {got}")
    images = _as(x, (x.shape[0] if batched else 1, x.shape[-dims - 1], *place.size))
    y = Convolution(Layout(place, groups))(images, _as(W, (*W.shape[:2], *place.kernel)), b)
    y = _as(y, (*x.shape[: -dims - 1], W.shape[0], *place.out[2 - dims :]))
    return printed_as("ConvolutionBackward0" if batched else "SqueezeBackward1", y)


def _as(x: Any, shape: tuple[int, ...]) -> Any:
    """x in this shape; no op where it has it."""
    return x if tuple(x.shape) == shape else reshape(x, shape)


def _check_shapes(op: str, x: Any, W: Any, b: Any, groups: Any, dims: int) -> None:
    """Raise RuntimeError if the operands do not fit together."""
    numbers(op, "groups", groups, 1, 1)
    shapes = f"got x {tuple(x.shape)} and weight {tuple(W.shape)}"
    expected = f"x (N, C, {SPACE[dims]}) or (C, {SPACE[dims]}) and weight (O, C / groups, {KERNEL[dims]})"
    if W.ndim != dims + 2 or x.ndim not in (dims + 1, dims + 2):
        raise RuntimeError(f"{op}: expected {expected}, {shapes}")
    O, C = W.shape[0], x.shape[-dims - 1]
    if W.shape[1] * groups != C or O % groups:
        raise RuntimeError(f"{op}: expected {expected}, with C and O divisible by groups = {groups}, {shapes}")
    if b is not None and tuple(b.shape) != (O,):
        raise RuntimeError(f"{op}: expected bias (O = {O}), got {tuple(b.shape)}")
    dtypes = [str(raw(a).dtype) for a in (x, W, b) if a is not None]
    if len(set(dtypes)) > 1 or not backend.is_floating(raw(x)):
        raise RuntimeError(f"{op}: expected floats of one dtype, got {', '.join(dtypes)}; convert them with .to(dtype)")
