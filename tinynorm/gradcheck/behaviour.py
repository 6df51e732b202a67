"""What a backward pass may do wrong apart from its numbers: write where it must not, hand back what is not its own, vary."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import backend
from .measure import SAFETY, Measure
from .problem import PairProblem, Point
from .report import Fault


def faults_of(problem: PairProblem, point: Point, u: np.ndarray, allow_alias: bool) -> list[Fault]:
    """Everything that can be seen in a few calls, before anything is measured."""
    arguments = problem.arguments(point)
    before = [bits(a) for a in arguments]
    out, cache = problem.run_on(arguments)
    faults = [*_changed(arguments, before, problem.all_names, "mutates_input", "forward")]
    before = [bits(a) for a in arguments]
    out_before, dout = bits(out), problem.cotangent(out, problem.split(u))
    dout_before = bits(dout)
    grads = problem.call_backward(dout, cache)
    faults += _changed(arguments, before, problem.all_names, "mutates_input", "backward")
    if bits(dout) != dout_before:
        faults.append(
            Fault(
                "mutates_dout", "backward writes into the incoming gradient dout, which others still need; work on dout.copy()"
            )
        )
    if bits(out) != out_before:
        faults.append(Fault("mutates_output", "backward writes into the output of forward; work on a copy of what was cached"))
    if not allow_alias:
        faults += _aliases(grads, problem, dout, arguments)
    faults += _misfits(grads, problem)
    return faults


def variations(problem: PairProblem, point: Point, u: np.ndarray) -> Iterator[Fault]:
    """Whether the same call gives the same gradients: from the same cache, and from a forward of its own."""
    out, cache = problem.run(point)
    parts = problem.split(u)
    first = [bits(g) for g in problem.call_backward(problem.cotangent(out, parts), cache)]
    try:
        second = [bits(g) for g in problem.call_backward(problem.cotangent(out, parts), cache)]
    except Exception:  # it used its cache up, and says so: that is a second backward's own affair
        return
    anew = [bits(g) for g in problem.claimed(point, parts)]
    for name, a, b, c in zip(problem.names, first, second, anew, strict=True):
        if a != c:
            yield Fault(
                "nondeterministic",
                f"backward gives another gradient for {name} each time it is called with the same numbers",
                name,
            )
        elif a != b:
            yield Fault(
                "mutates_cache",
                f"a second backward from the same cache gives another gradient for {name}: the first one writes into the "
                "cache; work on a copy",
                name,
            )


def nonlinear(measure: Measure) -> Iterator[Fault]:
    """A gradient is linear in dout: backward(a dout + b dout') = a backward(dout) + b backward(dout')."""
    problem, rng = measure.problem, measure.rng
    other = rng.choice([-1.0, 1.0], measure.u.shape) * rng.uniform(0.5, 1.5, measure.u.shape)
    a, b = 0.75, -1.5
    seconds = problem.gradients(measure.point, other)
    sums = problem.gradients(measure.point, a * measure.u + b * other)
    for i, (g, h, s) in enumerate(zip(measure.claimed, seconds, sums, strict=True)):
        if g is None or h is None or s is None or not (g.shape == h.shape == s.shape == measure.point[i].shape):
            continue
        scale = np.abs(a * g) + np.abs(b * h)
        # rounding is counted from what the last digits of the inputs do to the gradient, of which `other` has as much as `u`
        allowed = SAFETY * 4 * (measure.scatter[i] + _mean(measure.scatter[i])) + 1e4 * measure.eps * (scale + _mean(scale))
        if np.any(np.abs(s - (a * g + b * h)) > allowed):
            name = problem.names[i]
            yield Fault(
                "not_linear",
                f"d{name} is not linear in dout: backward(a dout + b dout') differs from a backward(dout) + b backward(dout'). "
                "A gradient multiplies dout by the derivative, which does not depend on dout",
                name,
            )


INDEPENDENT = ("LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm", "BatchNormEval", "ReLU", "Linear")


def dependent_rows(measure: Measure, wanted: bool | None, layer: str | None) -> Iterator[Fault]:
    """Where the layer promises it: a row of the first input must change no other row of the output."""
    if not (wanted if wanted is not None else layer in INDEPENDENT):
        return
    problem, x = measure.problem, measure.point[0]
    rows = x.shape[0] if x.ndim else 0
    if rows < 2 or len(problem.shapes) != 1 or problem.shapes[0][:1] != (rows,):
        if wanted:
            raise ValueError(
                f"batch_independent: expected an output with the {rows} rows of {problem.names[0]}, got {problem.shapes}"
            )
        return
    moved = x.copy()
    moved[0] = moved[0] * 1.25 + 0.5 * (float(np.std(x)) or 1.0)
    difference = np.abs(problem([moved, *measure.point[1:]]) - measure.y).reshape(rows, -1)[1:]
    allowed = SAFETY * 4 * (measure.sigma + measure.eps * np.abs(measure.y)).reshape(rows, -1)[1:]
    if np.any(difference > allowed):
        row = 1 + int(np.argmax(np.max(difference - allowed, axis=1)))
        yield Fault(
            "batch_dependent",
            f"row {row} of the output changes by {np.max(difference):.1e} when only row 0 of {problem.names[0]} does; "
            "each row has to depend on its own row alone",
            problem.names[0],
        )


def _mean(a: np.ndarray) -> float:
    return float(np.mean(a)) if a.size else 0.0


def _changed(arguments: list, before: list, names: list[str], kind: str, who: str) -> Iterator[Fault]:
    for name, argument, was in zip(names, arguments, before, strict=True):
        if bits(argument) != was:
            yield Fault(kind, f"{who} writes into its input {name}; work on {name}.copy()", name)


def bits(x: Any) -> Any:
    """What can be compared to tell whether arrays have changed: NaN equals itself here."""
    if isinstance(x, tuple | list):
        return [bits(item) for item in x]
    if backend.is_array(x) or isinstance(x, np.generic):
        array = np.asarray(x) if isinstance(x, np.generic) else backend.to_numpy(x)
        return array.shape, array.dtype.str, array.tobytes()
    return None


def _aliases(grads: list, problem: PairProblem, dout: Any, arguments: list) -> Iterator[Fault]:
    douts = dout if isinstance(dout, tuple) else (dout,)
    for i, (name, g) in enumerate(zip(problem.names, grads, strict=True)):
        if not isinstance(g, np.ndarray):
            continue
        if any(_shared(g, d) for d in douts):
            yield Fault(
                "aliases_dout",
                f"d{name} is the memory of dout itself: whoever adds to one in place changes the other; return a copy",
                name,
            )
        for other, x in zip(problem.all_names, arguments, strict=True):
            if _shared(g, x):
                yield Fault("aliases_input", f"d{name} is the memory of the input {other}; return a copy", name)
        for other, h in zip(problem.names[:i], grads[:i], strict=True):
            if _shared(g, h) and not any(_shared(g, d) for d in douts):
                yield Fault("aliases_input", f"d{name} and d{other} are the same memory; return a copy", name)


def _shared(a: Any, b: Any) -> bool:
    return isinstance(b, np.ndarray) and a.size > 0 and np.shares_memory(a, b)


def _misfits(grads: list, problem: PairProblem) -> Iterator[Fault]:
    """Gradients of a wrong shape, dtype or type."""
    for i, name, g, x in zip(problem.wrt, problem.names, grads, problem.point, strict=True):
        if g is None:
            continue
        if not backend.is_array(g) and not isinstance(g, float | np.generic):
            yield Fault("wrong_shape", f"d{name}: expected an array of shape {x.shape}, got {type(g).__name__}", name)
            continue
        shape = tuple(np.shape(g))
        if shape != x.shape:
            yield Fault(
                "wrong_shape", f"d{name}: expected the shape of {name}, {x.shape}, got {shape}{_hint(x.shape, shape)}", name
            )
        given = np.dtype(str(problem.inputs[i].dtype))
        if shape == x.shape and problem.dtype == given and np.dtype(str(getattr(g, "dtype", "float64"))) != given:
            yield Fault("wrong_dtype", f"d{name}: expected the dtype of {name}, {given}, got {g.dtype}", name)


def _hint(expected: tuple, got: tuple) -> str:
    if got == expected[::-1] and got != expected:
        return "; it is transposed"
    if len(got) > len(expected) and (not expected or got[-len(expected) :] == expected):
        return "; sum it over the axes along which the input was broadcast"
    return ""


def wrong_dtype_in_own(problem: PairProblem, u: np.ndarray) -> Iterator[Fault]:
    """Where the inputs are float32 or float16: the gradients have to be so too."""
    if problem.given == problem.dtype:
        return
    grads = problem.claimed(problem.point, problem.split(u), problem.given)
    for i, name, g in zip(problem.wrt, problem.names, grads, strict=True):
        dtype = np.dtype(str(problem.inputs[i].dtype))
        if backend.is_array(g) and np.dtype(str(g.dtype)) != dtype:
            yield Fault("wrong_dtype", f"d{name}: expected the dtype of {name}, {dtype}, got {g.dtype}", name)
