"""Hypothesis strategies: shapes, axes, values away from kinks, and whole layers with their inputs.

Needs hypothesis (``pip install hypothesis``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from .. import backend, nn
from ..tensor import Tensor

Draw = Callable[[st.SearchStrategy], Any]


def seeds() -> st.SearchStrategy[int]:
    """Seeds of NumPy generators: numbers are drawn by these, so that an example stays small and shrinks well."""
    return st.integers(0, 2**32 - 1)


def shapes(min_dims: int = 1, max_dims: int = 4, min_side: int = 1, max_side: int = 6) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of arrays.

    >>> from hypothesis import find
    >>> find(shapes(2, 3, 4), lambda shape: True)
    (4, 4)
    """
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(tuple)


def axes(ndim: int, min_size: int = 1) -> st.SearchStrategy[tuple[int, ...]]:
    """Some of the axes of an array, in order, counted from the front.

    >>> from hypothesis import find
    >>> find(axes(3), lambda chosen: len(chosen) == 2)
    (0, 1)
    """
    return st.sets(st.integers(0, ndim - 1), min_size=min(min_size, ndim), max_size=ndim).map(lambda a: tuple(sorted(a)))


@st.composite
def values(
    draw: Draw,
    shape: tuple[int, ...] | st.SearchStrategy[tuple[int, ...]],
    *,
    scale: float = 1.0,
    offset: float = 0.0,
    positive: bool = False,
    kinks: Sequence[float] = (),
    margin: float = 0.1,
    dtype: Any = "float64",
) -> np.ndarray:
    """Normally distributed numbers, ``scale * z + offset``, none nearer to a kink than `margin` times `scale`.

    Parameters
    ----------
    shape : tuple or strategy
    scale, offset : float
    positive : bool
        The absolute values of z, and at least `margin`.
    kinks : sequence of float
        Numbers to keep away from, e.g. (0.0,) for ReLU.
    margin : float
    dtype : dtype

    Returns
    -------
    strategy of array
    """
    wanted = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    z = np.random.default_rng(draw(seeds())).standard_normal(wanted)
    x = scale * (np.abs(z) + margin if positive else z) + offset
    for kink in kinks:
        near = np.abs(x - kink) < margin * scale
        x = np.where(near, kink + margin * scale * np.where(x < kink, -1.0, 1.0), x)
    return x.astype(dtype)


@dataclass
class LayerCase:
    """A layer, and what to call it with."""

    module: nn.Module
    inputs: list[Tensor]
    text: str = field(default="")

    def __repr__(self) -> str:
        mode = "train" if self.module.training else "eval"
        return f"LayerCase({self.module!r}, {mode}, inputs {[tuple(x.shape) for x in self.inputs]})"


NAMES = (
    "Linear", "ReLU", "GELU", "Sigmoid", "Tanh", "Softmax", "LogSoftmax", "BatchNorm1d", "BatchNorm2d", "LayerNorm",
    "GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "RMSNorm", "Dropout",
)  # fmt: skip


@st.composite
def layers(draw: Draw, names: Sequence[str] = NAMES, device: str = "cpu") -> LayerCase:
    """A layer of tinynorm.nn with random settings, parameters and statistics, in float64, and an input that can see every term.

    Parameters
    ----------
    names : sequence of str
        Which layers, of those in `NAMES`.
    device : str

    Returns
    -------
    strategy of LayerCase
    """
    name = draw(st.sampled_from(list(names)))
    N, C = draw(st.integers(2, 5)), draw(st.sampled_from([2, 4, 6]))
    shape, arguments = _settings(draw, name, N, C)
    module = getattr(nn, name)(*arguments[0], **arguments[1]).to(dtype=backend.float64)
    rng = np.random.default_rng(draw(seeds()))
    for p in module.parameters():
        p.data = rng.choice([-1.0, 1.0], p.shape) * rng.uniform(0.5, 1.5, p.shape)
    for key, buffer in module.named_buffers():
        if key.endswith("running_mean"):
            buffer.data = rng.standard_normal(buffer.shape)
        elif key.endswith("running_var"):
            buffer.data = rng.uniform(0.5, 2.0, buffer.shape)
    if not draw(st.booleans()):
        module.eval()
    x = 2 * rng.standard_normal(shape) + draw(st.sampled_from([0.0, 1.0, -30.0]))
    return LayerCase(module.to(device), [Tensor(x).to(device)])


def _settings(draw: Draw, name: str, N: int, C: int) -> tuple[tuple[int, ...], tuple[tuple, dict]]:
    """(the input's shape, the constructor's arguments)."""
    affine, rest = draw(st.booleans()), tuple(draw(st.lists(st.integers(2, 3), max_size=1)))
    if name == "Linear":
        return (N, *rest, C), ((C, draw(st.integers(1, 5))), {"bias": affine})
    if name == "BatchNorm1d":
        return (max(N, 4), C, *rest), ((C,), {"affine": affine, "track_running_stats": draw(st.booleans())})
    if name == "BatchNorm2d":
        return (N, C, 2, 3), ((C,), {"affine": affine})
    if name in ("InstanceNorm1d", "InstanceNorm2d"):
        return (N, C, 5) if name.endswith("1d") else (N, C, 2, 3), ((C,), {"affine": affine})
    if name == "LayerNorm":
        normalized = (*rest, C + 2)
        return (N, *normalized), ((normalized,), {"elementwise_affine": affine})
    if name == "RMSNorm":
        return (N, C + 2), ((C + 2,), {"elementwise_affine": affine})
    if name == "GroupNorm":
        return (N, C, 4, *rest), ((draw(st.sampled_from([1, 2, C])), C), {"affine": affine})
    if name in ("Softmax", "LogSoftmax"):
        return (N, C, *rest), ((draw(st.sampled_from([0, 1, -1])),), {})
    if name == "Dropout":
        return (N, C), ((0.4,), {})
    return (N, C, *rest), ((), {})
