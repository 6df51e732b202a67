"""Pooling: the largest number, or the mean, of each window of an image.

With x̃ the image and what stands beside it, p a position of the window and k a number of it:

    max:   y[p] = x̃[s p + d k*],  with k*(p) the place of the first largest number;  dx[i] = Σ g[p] over the p that took x[i]
    mean:  y[p] = Σ x̃[s p + k] / m[p]  over k;  dx[i] = Σ g[p] / m[p] over the p whose window has x[i]

Once k* is known, both are linear, and `put` of the windows is their transpose. The windows of adaptive pooling differ in size:
there the means are taken of one dimension after the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from .. import backend
from ..autograd.node import Node
from ..tensor import raw, wrap
from .common import namespace, narrowed, of_tensors, printed_as, sum_over, widened
from .convert import clone
from .windows import Windows, numbers, windows


class MaxPool(Node):
    """y[p] = the largest x̃ of the window at p;  dx[i] = Σ g[p] over the p whose largest number is x[i].

    The second output is k*, the number's place in the window, and never one beside the image, not even if all numbers are -inf.
    If some are NaN, y is NaN, and k* is the place of the last.
    """

    fresh = True
    nondifferentiable = (1,)

    def __init__(self, place: Windows) -> None:
        self.windows = place

    def forward(self, x):
        xp = namespace(x)
        lowest = -math.inf if backend.is_floating(x) else int(xp.iinfo(x.dtype).min)
        parts = self.windows.taken(x, lowest)
        y = backend.copy(next(parts))
        chosen = backend.zeros(y.shape, x, xp.int64) + backend.from_host(first_inside(self.windows), x)
        for k, part in enumerate(parts, start=1):
            better = ~(part <= y)  # also where one of the two is NaN
            better = better & ((part != part) | (y == y))
            y, chosen = xp.where(better, part, y), xp.where(better, k, chosen)
        self.save(chosen)
        return y, chosen

    def backward(self, g, _, chosen):
        return (PutBack(self.windows)(g, chosen),)


@lru_cache(maxsize=256)
def first_inside(place: Windows) -> np.ndarray:
    """For each position, which number of its window is the first that lies in the image, (*out).

    Raises
    ------
    RuntimeError
        A window has none: its numbers are so far apart that they all lie beside the image.
    """
    firsts = []
    for n, out, s, before, d in zip(place.size, place.out, place.stride, place.before, place.dilation, strict=True):
        start = s * np.arange(out) - before
        k = np.maximum(-(start // d), 0)
        if (start + d * k >= n).any():
            got = f"an image {place.size} with dilation {place.dilation}"
            raise RuntimeError(f"max_pool2d: expected each window to have a number of the image, got {got}")
        firsts.append(k)
    return firsts[0][:, None] * place.kernel[1] + firsts[1]


class Chosen(Node):
    """y[p] = x̃[s p + d k*], for given k*;  dx[i] = Σ g[p] over the p that took x[i]."""

    fresh = True

    def __init__(self, place: Windows) -> None:
        self.windows = place

    def forward(self, x, chosen):
        self.save(chosen)
        xp = namespace(x)
        y = backend.zeros(chosen.shape, x)
        for k, part in enumerate(self.windows.taken(x)):
            y = xp.where(chosen == k, part, y)
        return y

    def backward(self, g, chosen):
        return PutBack(self.windows)(g, chosen), None


class PutBack(Node):
    """dx[i] = Σ g[p] over the p that took x[i], the transpose of `Chosen`:  dg = Chosen(v)."""

    fresh = True

    def __init__(self, place: Windows) -> None:
        self.windows = place

    def forward(self, g, chosen):
        self.save(chosen)
        xp, G = namespace(g), widened(g)
        parts = (xp.where(chosen == k, G, 0.0) for k in range(math.prod(self.windows.kernel)))
        return narrowed(self.windows.put(parts, G), g)

    def backward(self, v, chosen):
        return Chosen(self.windows)(v, chosen), None


class AvgPool(Node):
    """y[p] = Σ x̃[s p + k] / m[p] over k;  dx[i] = Σ g[p] / m[p] over the p whose window has x[i]."""

    fresh = True

    def __init__(self, place: Windows, m: Any) -> None:
        self.windows, self.m = place, m  # m: a number, or (*out)

    def forward(self, x):
        return narrowed(added(self.windows.taken(widened(x))) / self.m, x)

    def backward(self, g):
        return (AvgPoolTransposed(self.windows, self.m)(g),)


class AvgPoolTransposed(AvgPool):
    """dx[i] = Σ g[p] / m[p] over the p whose window has x[i];  dg = AvgPool(v)."""

    def forward(self, g):
        share = widened(g) / self.m
        parts = (share for _ in range(math.prod(self.windows.kernel)))
        return narrowed(self.windows.put(parts, share), g)

    def backward(self, v):
        return (AvgPool(self.windows, self.m)(v),)


class MeansOfParts(Node):
    """y[i] = Σ x[k] / (b - a) over the part a <= k < b of a dimension;  dx[k] = Σ g[i] / (b - a) over the parts that have k."""

    fresh = True

    def __init__(self, parts: list[tuple[int, int]], n: int, dim: int) -> None:
        self.parts, self.n, self.dim = parts, n, dim  # dim: -1 or -2, of n numbers

    def along(self, start: int, end: int) -> tuple:
        """The index of these numbers of the dimension."""
        return (..., slice(start, end), *[slice(None)] * (-1 - self.dim))

    def zeros_of(self, like: Any, n: int) -> Any:
        shape = list(like.shape)
        shape[self.dim] = n
        return backend.zeros(tuple(shape), like)

    def forward(self, x):
        y = self.zeros_of(x, len(self.parts))
        for i, (a, b) in enumerate(self.parts):
            y[self.along(i, i + 1)] = sum_over(x[self.along(a, b)], (x.ndim + self.dim,)) / (b - a)
        return y

    def backward(self, g):
        return (MeansOfPartsTransposed(self.parts, self.n, self.dim)(g),)


class MeansOfPartsTransposed(MeansOfParts):
    """dx[k] = Σ g[i] / (b - a) over the parts that have k;  dg = MeansOfParts(v)."""

    def forward(self, g):
        dx = self.zeros_of(g, self.n)
        for i, (a, b) in enumerate(self.parts):
            dx[self.along(a, b)] += g[self.along(i, i + 1)] / (b - a)
        return dx

    def backward(self, v):
        return (MeansOfParts(self.parts, self.n, self.dim)(v),)


def added(parts: Iterable[Any]) -> Any:
    """The sum of arrays: of pairs, of pairs of pairs, and so on, so that each number is rounded only log₂ n times."""
    sums: list[Any] = []  # of 2^i parts each, i falling
    for n, part in enumerate(parts, start=1):
        while n % 2 == 0:
            part, n = sums.pop() + part, n // 2
        sums.append(part)
    total = sums.pop()
    while sums:
        total = sums.pop() + total
    return total


# ---- as functions ----------------------------------------------------------------------------------------------------


@of_tensors
def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest number of each window.

    Parameters
    ----------
    input : Tensor
        (N, C, H, W) or (C, H, W).
    kernel_size : int or two ints
        The window's height and width.
    stride : int or two ints, optional
        How far the window moves from one position to the next: its own size, if not given.
    padding : int or two ints
        How many places stand at each side of the image, at most half a window. They are never the largest.
    dilation : int or two ints
        How far the numbers of a window are apart.
    ceil_mode : bool
        Whether a window may reach beyond the lower and the right side.
    return_indices : bool
        Also return where the largest numbers are, as indices into the H W numbers of an image.

    Returns
    -------
    Tensor, or two
        (N, C, height, width) or (C, height, width). The gradient goes to the first of several equal numbers.

    Raises
    ------
    RuntimeError
        A shape does not fit, or an argument is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.max_pool2d(tinynorm.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[4.]]])
    """
    place = _windows("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    if backend.is_bool(raw(input)):
        raise RuntimeError("max_pool2d: expected numbers, got torch.bool; convert them with .float()")
    y, chosen = MaxPool(place)(input)
    printed_as("MaxPool2DWithIndicesBackward0", y)
    return (y, wrap(_indices(place, raw(chosen)))) if return_indices else y


def _indices(place: Windows, chosen: Any) -> Any:
    """Where in the H W numbers of an image the chosen numbers are."""
    xp = namespace(chosen)
    made = {"dtype": backend.int64, **backend.on_device_of(chosen)}
    i, j, width = chosen // place.kernel[1], chosen % place.kernel[1], place.size[1]
    down, right = (xp.arange(n, **made) for n in place.out)
    rows = down[:, None] * place.stride[0] + i * place.dilation[0] - place.before[0]
    columns = right * place.stride[1] + j * place.dilation[1] - place.before[1]
    return rows * width + columns


@of_tensors
def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each window.

    Parameters
    ----------
    input : Tensor
        (N, C, H, W) or (C, H, W).
    kernel_size, stride, padding, ceil_mode
        As in `max_pool2d`; the places beside the image are zeros.
    count_include_pad : bool
        Whether these zeros count in the mean.
    divisor_override : int, optional
        Divide the sums by this, not by how many numbers there are.

    Returns
    -------
    Tensor
        (N, C, height, width) or (C, height, width).

    Raises
    ------
    RuntimeError
        A shape does not fit, or an argument is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.avg_pool2d(tinynorm.tensor([[[1.0, 2.0], [4.0, 3.0]]]), 2)
    tensor([[[2.5000]]])
    """
    op = "avg_pool2d"
    place = _windows(op, input, kernel_size, stride, padding, 1, ceil_mode)
    _check_floats(op, input)
    if divisor_override is not None:
        (divisor_override,) = numbers(op, "divisor_override", divisor_override, 1, 1)
    m = divisor_override or _counts(place, numbers(op, "padding", padding, 2, 0), count_include_pad)
    if not isinstance(m, int):
        like = raw(widened(input))
        m = namespace(like).asarray(m, dtype=like.dtype, **backend.on_device_of(like))
    return printed_as("AvgPool2DBackward0", AvgPool(place, m)(input))


def _counts(place: Windows, padding: tuple[int, ...], count_include_pad: bool) -> Any:
    """How many numbers each window counts, (*out); or the one number, if it is the same for all."""
    counts = []
    for n, K, s, p, out in zip(place.size, place.kernel, place.stride, padding, place.out, strict=True):
        start = np.arange(out) * s - p
        end = np.minimum(start + K, n + p)
        counts.append(end - start if count_include_pad else np.minimum(end, n) - np.maximum(start, 0))
    m = counts[0][:, None] * counts[1]
    return int(m.flat[0]) if m.size and (m == m.flat[0]).all() else m


@of_tensors
def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of so many windows as are asked for, which cover the image.

    Window i of n covers the numbers from ⌊i H / n⌋ up to, and without, ⌈(i + 1) H / n⌉.

    Parameters
    ----------
    input : Tensor
        (N, C, H, W) or (C, H, W).
    output_size : int or two ints or None
        How many windows, down and to the right. None is as many as the image has numbers there.

    Returns
    -------
    Tensor
        (N, C, *output_size) or (C, *output_size).

    Raises
    ------
    RuntimeError
        A shape does not fit, or an argument is out of range.

    Examples
    --------
    >>> import tinynorm
    >>> tinynorm.nn.functional.adaptive_avg_pool2d(tinynorm.tensor([[[1.0, 2.0, 6.0]]]), (1, 2))
    tensor([[[1.5000, 4.0000]]])
    """
    op = "adaptive_avg_pool2d"
    size = _image(op, input)
    _check_floats(op, input)
    asked = tuple(output_size) if isinstance(output_size, (tuple, list)) else (output_size,) * 2
    if len(asked) != 2:
        raise RuntimeError(f"{op}: expected output_size to be an int or two, got {output_size!r}")
    out = numbers(op, "output_size", tuple(n if o is None else o for n, o in zip(size, asked, strict=True)), 2, 0)
    if out == size:
        return clone(input)  # its memory is its own, as PyTorch's
    y = widened(input)
    for dim, n, o in zip((-2, -1), size, out, strict=True):
        if o != n:
            y = MeansOfParts([(i * n // o, -(-(i + 1) * n // o)) for i in range(o)], n, dim)(y)
            printed_as("MeanBackward1" if out == (1, 1) else "AdaptiveAvgPool2DBackward0", y)
    return narrowed(y, input)


def _check_floats(op: str, x: Any) -> None:
    """Raise RuntimeError if x has integers or booleans."""
    if not backend.is_floating(raw(x)):
        raise RuntimeError(f"{op}: expected floats, got {x.dtype}; convert them with .float()")


def _image(op: str, x: Any) -> tuple[int, int]:
    """The size of the images."""
    if x.ndim not in (3, 4) or 0 in x.shape[1:]:
        raise RuntimeError(f"{op}: expected x (N, C, H, W) or (C, H, W), with C, H and W at least 1, got {tuple(x.shape)}")
    return x.shape[-2], x.shape[-1]


def _windows(op: str, x: Any, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Windows:
    size, kernel = _image(op, x), numbers(op, "kernel_size", kernel_size, 2, 1)
    steps = kernel if stride is None or stride == () or stride == [] else numbers(op, "stride", stride, 2, 1)
    before, apart = numbers(op, "padding", padding, 2, 0), numbers(op, "dilation", dilation, 2, 1)
    if any(2 * p > k for p, k in zip(before, kernel, strict=True)):
        raise RuntimeError(f"{op}: expected padding to be at most half of kernel_size = {kernel}, got {padding!r}")
    reach = [d * (k - 1) + 1 for d, k in zip(apart, kernel, strict=True)]
    after = []
    for n, p, s, r in zip(size, before, steps, reach, strict=True):
        room = n + 2 * p - r
        positions = -(-room // s) + 1 if ceil_mode else room // s + 1
        if positions < 1:
            raise RuntimeError(f"{op}: expected an image at least as large as the window, which covers {reach}, got {size}")
        if (positions - 1) * s >= n + p:  # a window would lie wholly beside the image
            positions -= 1
        after.append(max(p, (positions - 1) * s + r - n - p))
    return windows(size, kernel, steps, before, tuple(after), apart)
