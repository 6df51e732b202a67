"""Other inputs for a call: with other sizes, or with another setting of the layer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import fresh
from ..functions.call_pair import Call
from ..functions.other_modes import has_one_hot_rows
from ..run_code import attempt


def letters_of(call: Call) -> dict[int, str]:
    """Return the usual letter of each size: N, D of x (N, D); N, C, H, W of an image; M of the output's features."""
    x = _shape_of_x(call)
    usual = {2: "ND", 3: "NTD", 4: "NHWC" if _channels_last(call) else "NCHW"}.get(len(x), "")
    found = dict(zip(x, usual, strict=True)) if usual and len(set(x)) == len(x) else {}
    shapes = [call.shape if isinstance(call.shape, tuple) else (), *map(np.shape, call.inputs)]
    for n in [n for shape in shapes if len(shape) in (2, len(x)) for n in shape]:
        if found and n not in found and n > 1 and not {"M", "F"} & set(found.values()):
            found[n] = "F" if len(x) == 4 else "M"
    return found


def takes_squares_only(call: Call) -> bool:
    """Whether forward gives a square image of one that is not square: it reads one of the two sizes only."""
    x, y, i = _shape_of_x(call), call.shape, 1 if _channels_last(call) else 2
    return isinstance(y, tuple) and len(x) == len(y) == 4 and y[i] == y[i + 1] and x[i] != x[i + 1]


def _shape_of_x(call: Call) -> tuple[int, ...]:
    return next((np.shape(x) for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "x" and np.ndim(x)), ())


def _channels_last(call: Call) -> bool:
    return call.layout is not None and call.layout.convolved == "last"


def resized(call: Call, size: int, other: int, seed: int = 0) -> Call | None:
    """Return the call with another size wherever this one is, in all inputs; None where forward does not take these."""
    rng, inputs = np.random.default_rng(seed), list[Any]()
    for x in call.inputs:
        shape = x.shape if isinstance(x, np.ndarray) else x if isinstance(x, tuple) else ()
        shape = tuple(other if isinstance(n, int) and n == size else n for n in shape)
        inputs.append(_drawn_like(x, shape, rng) if isinstance(x, np.ndarray) else shape or x)
    found = call.with_inputs(inputs)
    result, error = attempt(found.forward, *[fresh(x) for x in inputs])
    if error is not None or isinstance(result[0], tuple | list):
        return None
    found.shape = np.shape(result[0])
    return found if np.all(np.isfinite(result[0])) else None


def all_equal(call: Call) -> Call | None:
    """Return the call with all sizes equal, so that no transpose that is forgotten raises; None where forward refuses that."""
    sizes = sorted({n for x in call.inputs if isinstance(x, np.ndarray) for n in x.shape if n > 1})
    found: Call | None = call
    for size in sizes[1:]:
        found = resized(found, size, sizes[0]) if found is not None else None
    return found


def alone(call: Call, size: int) -> list[Call]:
    """Return the call with each of the samples, or steps, alone: axes of this size have length 1."""
    return [call.with_inputs([_one(x, size, i) for x in call.inputs]) for i in range(size)]


def _one(x: Any, size: int, i: int) -> Any:
    if isinstance(x, tuple):
        return tuple(1 if isinstance(n, int) and n == size else n for n in x)
    for axis in [axis for axis, n in enumerate(x.shape) if n == size] if isinstance(x, np.ndarray) else []:
        x = x.take([i], axis)
    return x


def _drawn_like(x: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return values like those of `x`, in another shape: one-hot rows stay one-hot, whole numbers stay as small."""
    if x.shape == shape or not x.size:
        return x
    if x.dtype.kind != "f":
        return rng.choice(x.ravel(), shape)
    if x.ndim == 2 and has_one_hot_rows(x):
        return np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]
    return rng.choice(x.ravel(), shape) * rng.uniform(0.9, 1.1, shape)


def jumps(call: Call, names: list[str]) -> bool:
    """Whether forward jumps while these inputs shrink: its change does not get smaller with the step."""
    rng = np.random.default_rng(0)
    v = {i: rng.uniform(0.5, 1.5, x.shape) * x for i, x in enumerate(call.inputs) if call.names[i] in names}

    def outputs(t: float) -> np.ndarray:
        np.random.seed(0)  # noqa: NPY002  # of a mask that forward draws
        out = call.forward(*[x - t * v[i] if i in v else fresh(x) for i, x in enumerate(call.inputs)])[0]
        return np.concatenate([np.ravel(y) for y in (out if isinstance(out, tuple | list) else [out])])

    def change(ends: tuple) -> float:
        (_, below), (_, above) = ends
        return float(np.max(np.abs(above - below)))

    try:
        largest = ends = max(pairwise((t, outputs(t)) for t in np.linspace(0, 0.5, 33)), key=change)
        for _ in range(30):
            low, high = ends
            middle = (low[0] + high[0]) / 2
            ends = max((low, between := (middle, outputs(middle))), (between, high), key=change)
    except Exception:  # forward may refuse these inputs
        return False
    return bool(0 < 0.1 * change(largest) < change(ends) < 2 * change(largest) < np.inf)  # at a pole, as of log, it grows


def with_setting(call: Call, name: str, value: Any) -> tuple[Call | None, Any]:
    """Return the call with another number, by the name of an argument or a key of a dict of settings; and the number it had."""
    for i, x in enumerate(call.inputs if call.pair.inputs is None else ()):
        given = x if call.names[i] == name else x.get(name) if isinstance(x, dict) else None
        if isinstance(given, int | float) and given != value:
            other = {**x, name: value} if isinstance(x, dict) else value
            return call.with_inputs([*call.inputs[:i], other, *call.inputs[i + 1 :]]), given
    return None, None
