"""Where the windows of a convolution or a pooling lie in the planes (…, H, W) of an array, and what goes beside the planes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from itertools import product
from numbers import Integral
from typing import Any

from .. import backend

Pair = tuple[int, int]


class Windows:
    """A window of `kernel` numbers, `dilation` apart, at each of the positions `out` of a plane, `stride` apart.

    Position p of a dimension is a window over the numbers s p + d k - before, for k from 0 to K - 1.
    """

    def __init__(self, size: Pair, kernel: Pair, stride: Pair, before: Pair, after: Pair, dilation: Pair) -> None:
        self.size, self.kernel, self.stride, self.dilation = size, kernel, stride, dilation  # size: (H, W)
        self.before, self.after = before, after  # so many numbers are put before the plane's own, and behind them

    @cached_property
    def out(self) -> Pair:
        """How many positions there are, in each of the two dimensions."""
        of_dims = zip(self.size, self.kernel, self.stride, self.before, self.after, self.dilation, strict=True)
        a, b = ((n + before + after - d * (k - 1) - 1) // s + 1 for n, k, s, before, after, d in of_dims)
        return a, b

    @cached_property
    def places(self) -> tuple[tuple, ...]:
        """For each number of the window, in order: the rows and columns where it is, for all positions, in a padded plane."""
        (n, m), (s, t), (d, e) = self.out, self.stride, self.dilation
        return tuple(
            (slice(d * i, d * i + s * (n - 1) + 1, s), slice(e * j, e * j + t * (m - 1) + 1, t))
            for i, j in product(*map(range, self.kernel))
        )

    @cached_property
    def everything(self) -> bool:
        """Whether the windows are the numbers of the plane themselves, one each."""
        return self.kernel == self.stride == (1, 1) and self.before == self.after == (0, 0)

    @cached_property
    def inside(self) -> tuple:
        """The rows and columns of the plane in a padded one."""
        (H, W), (i, j) = self.size, self.before
        return slice(i, i + H), slice(j, j + W)

    @cached_property
    def padded_size(self) -> Pair:
        """The size of a plane with what is put beside it; at least as far as the windows reach."""
        a, b = (before + n + after for before, n, after in zip(self.before, self.size, self.after, strict=True))
        return a, b

    def padded(self, x: Any, value: float = 0.0) -> Any:
        """x (…, H, W) with `value` beside its planes."""
        if self.before == self.after == (0, 0):
            return x
        y = backend.zeros((*x.shape[:-2], *self.padded_size), x)
        if value:
            y[...] = value
        y[..., *self.inside] = x
        return y

    def taken(self, x: Any, value: float = 0.0) -> Iterator[Any]:
        """For each number of the window: that number at all positions, (…, *out). Beside the planes of x it is `value`."""
        x = self.padded(x, value)
        return (x[..., *place] for place in self.places)

    def put(self, parts: Iterator[Any], like: Any) -> Any:
        """The transpose of `taken`: each part is added to the places where it was taken from. Its planes are `size` large."""
        y = backend.zeros((*like.shape[:-2], *self.padded_size), like)
        for place, part in zip(self.places, parts, strict=True):
            y[..., *place] += part
        return y if self.before == self.after == (0, 0) else backend.copy(y[..., *self.inside])


@lru_cache(maxsize=256)
def windows(size: Pair, kernel: Pair, stride: Pair, before: Pair, after: Pair, dilation: Pair) -> Windows:
    """Those of a layer: they are the same at each of its calls."""
    return Windows(size, kernel, stride, before, after, dilation)


def numbers(op: str, name: str, value: Any, dims: int, least: int) -> tuple[int, ...]:
    """`value`, an int for all dimensions or a sequence of one each, as a tuple.

    Raises
    ------
    RuntimeError
        It is neither, or a number is smaller than `least`.
    """
    sizes: tuple = (value,) * dims if isinstance(value, Integral) else tuple(value) if isinstance(value, (tuple, list)) else ()
    sizes = sizes * dims if len(sizes) == 1 else sizes
    if len(sizes) != dims or not all(isinstance(n, Integral) and not isinstance(n, bool) and int(n) >= least for n in sizes):
        expected = f"an int >= {least}" + (f", or {dims} of them" if dims > 1 else "")
        raise RuntimeError(f"{op}: expected {name} to be {expected}, got {value!r}")
    return tuple(map(int, sizes))


def beside(op: str, padding: Any, kernel: tuple, stride: tuple, dilation: tuple) -> tuple[tuple, tuple]:
    """How many zeros go before the numbers of each dimension, and how many behind them.

    Raises
    ------
    RuntimeError
        `padding` is no such number and neither "valid" nor "same", or it is "same" with a stride.
    """
    if not isinstance(padding, str):
        both = numbers(op, "padding", padding, len(kernel), 0)
        return both, both
    if padding not in ("valid", "same"):
        raise RuntimeError(f"{op}: expected padding to be a number, 'valid' or 'same', got {padding!r}")
    if padding == "same" and any(s != 1 for s in stride):
        raise RuntimeError(f"{op}: expected stride 1 with padding='same', got stride {stride}")
    total = [d * (k - 1) if padding == "same" else 0 for k, d in zip(kernel, dilation, strict=True)]
    return tuple(n // 2 for n in total), tuple(n - n // 2 for n in total)
