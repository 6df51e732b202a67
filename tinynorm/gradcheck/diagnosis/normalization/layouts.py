"""The groups that normalisation layers standardise, and the deviations that they divide by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Deviation:
    """The standard deviation that x - mu is divided by."""

    formula: str
    unbiased: bool = False  # divided by m - 1
    outside: bool = False  # eps added to it, not to the variance
    correction: str = ""  # what the x_hat term of dx is multiplied by because of that


USUAL = Deviation("sqrt({var} + eps)")
OTHER_DEVIATIONS = (
    Deviation("(std + eps)", True, True, "m / (m - 1) / (std * rstd), std with m - 1"),
    Deviation("sqrt({var} + eps)", True, False, "m / (m - 1), var with m - 1"),
    Deviation("(std + eps)", False, True, "1 / (std * rstd)"),
)


class Layout:
    """A layer's groups: the view of x in which they lie along `axes`, and how a parameter is laid against that view."""

    def __init__(self, layer: str, view: tuple[int, ...], axes: tuple[int, ...], parameter: tuple[int, ...]) -> None:
        self.layer, self.view, self.axes, self.parameter = layer, view, axes, parameter
        self.m = int(np.prod([view[a] for a in axes]))

    def against(self, p: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
        """A parameter ready to broadcast; None where it does not fit."""
        if p is None:
            return None
        if p.ndim == len(shape) and p.ndim > 1 and self.view == shape:
            fits = all(n in (1, s) for n, s in zip(p.shape, shape, strict=True))
            return p if fits else None
        if p.size != int(np.prod(self.parameter)):
            return None
        return p.reshape(self.parameter)


def layouts(shape: tuple[int, ...]) -> Iterator[Layout]:
    """All layers that x of this shape may have gone through."""
    ndim, rest = len(shape), tuple(range(2, len(shape)))
    if ndim == 1:  # one row
        yield Layout("LayerNorm (one row)", shape, (0,), shape)
        yield Layout("RMSNorm (one row)", shape, (0,), shape)
        return
    channel = (1, *shape[1:2], *(1 for _ in rest))
    yield Layout("BatchNorm", shape, (0, *rest), channel)
    for k in range(1, ndim):
        trailing = tuple(range(ndim - k, ndim))
        parameter = (*(1 for _ in range(ndim - k)), *shape[ndim - k :])
        yield Layout("LayerNorm", shape, trailing, parameter)
        yield Layout("RMSNorm", shape, trailing, parameter)
    if ndim > 2:
        yield Layout("InstanceNorm", shape, rest, channel)
        yield Layout("BatchNorm", shape, tuple(range(ndim - 1)), (*(1 for _ in range(ndim - 1)), shape[-1]))
    C = shape[1]
    for G in range(1, C):
        if C % G == 0:
            view = (shape[0], G, C // G, *shape[2:])
            yield Layout("GroupNorm", view, tuple(range(2, len(view))), (1, G, C // G, *(1 for _ in rest)))


def sizes_of(layout: Layout) -> dict[str, int]:
    """The numbers that a sum may have been divided by, by their symbols; m only where it has no other."""
    view, sizes = layout.view, {}
    if layout.layer.startswith(("LayerNorm", "RMSNorm")):
        sizes = {"N": view[0]} if len(view) > 1 else {}
        if len(view) == 3:
            sizes |= {"T": view[1]}
    else:
        last = layout.layer == "BatchNorm" and view[-1:] == layout.parameter[-1:] and len(view) > 2 and view[-1] > 1
        channels = view[-1] if last else view[1] * view[2] if layout.layer == "GroupNorm" else view[1]
        places = view[1:-1] if last else view[3:] if layout.layer == "GroupNorm" else view[2:]
        sizes = {"N": view[0], "C": channels} | ({"the number of positions": int(np.prod(places))} if places else {})
    if layout.m not in sizes.values():
        sizes["m"] = layout.m
    return sizes
