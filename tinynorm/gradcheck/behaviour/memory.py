"""What a backward pass may do wrong apart from its numbers: write where it must not, hand back what is not its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ... import backend
from ..problem.problem import PairProblem
from ..report.report import Fault


def watched(problem: PairProblem, u: np.ndarray, own: bool, allow_alias: bool) -> tuple[list, list[Fault]]:
    """(the gradients of one forward and one backward, what was wrong beside them), in the inputs' `own` dtypes or ours."""
    arguments = problem.arguments(problem.point, own)
    before = [bits(a) for a in arguments]
    out, cache = problem.run_on(arguments)
    faults = [*_changed(arguments, before, problem.all_names, "forward")]
    before = [bits(a) for a in arguments]
    out_before, dout = bits(out), problem.cotangent(out, problem.split(u))
    dout_before = bits(dout)
    grads = problem.call_backward(dout, cache)
    faults += _changed(arguments, before, problem.all_names, "backward")
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
    faults += _misfits(grads, problem, own)
    return grads, faults


def _changed(arguments: list, before: list, names: list[str], who: str) -> Iterator[Fault]:
    for name, argument, was in zip(names, arguments, before, strict=True):
        if bits(argument) != was:
            yield Fault("mutates_input", f"{who} writes into its input {name}; work on {name}.copy()", name)


def bits(x: Any) -> Any:
    """What can be compared to tell whether arrays have changed: NaN equals itself here."""
    if isinstance(x, tuple | list):
        return [bits(item) for item in x]
    if backend.is_array(x) or isinstance(x, np.generic):
        array = np.asarray(x) if isinstance(x, np.generic) else backend.to_numpy(x)
        if array.dtype == np.longdouble != np.float64:  # whose bytes have gaps that hold anything
            array = np.stack([array.astype(float), (array - array.astype(float)).astype(float)])
        return array.shape, array.dtype.str, array.tobytes()
    return repr(x) if isinstance(x, float | complex) else None


def shared(a: Any, b: Any) -> bool:
    """Whether two arrays lie in the same memory."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.size > 0 and np.shares_memory(a, b)
    both = backend.is_array(a) and backend.is_array(b) and a.size > 0
    return both and all(str(backend.device_of(x)).startswith("cuda") for x in (a, b)) and backend.shares_memory(a, b)


def _aliases(grads: list, problem: PairProblem, dout: Any, arguments: list) -> Iterator[Fault]:
    douts = dout if isinstance(dout, tuple) else (dout,)
    for i, (name, g) in enumerate(zip(problem.names, grads, strict=True)):
        if any(shared(g, d) for d in douts):
            yield Fault(
                "aliases_dout",
                f"d{name} is the memory of dout itself: whoever adds to one in place changes the other; return a copy",
                name,
            )
        for other, x in zip(problem.all_names, arguments, strict=True):
            if shared(g, x):
                yield Fault("aliases_input", f"d{name} is the memory of the input {other}; return a copy", name)
        for other, h in zip(problem.names[:i], grads[:i], strict=True):
            if shared(g, h) and not any(shared(g, d) for d in douts):
                yield Fault("aliases_input", f"d{name} and d{other} are the same memory; return a copy", name)


def _misfits(grads: list, problem: PairProblem, own: bool) -> Iterator[Fault]:
    """Gradients of a wrong shape, dtype or type."""
    for name, g, x, given in zip(problem.names, grads, problem.point, problem.own, strict=True):
        if g is None:
            continue
        if not backend.is_array(g) and not isinstance(g, float | complex | np.generic):
            yield Fault("wrong_shape", f"d{name}: expected an array of shape {x.shape}, got {type(g).__name__}", name)
            continue
        shape = tuple(np.shape(g))
        if shape != x.shape:
            yield Fault(
                "wrong_shape", f"d{name}: expected the shape of {name}, {x.shape}, got {shape}{_hint(x.shape, shape)}", name
            )
        elif (own or not problem.recast) and (dtype := _dtype(g, given)) != given:
            yield Fault("wrong_dtype", f"d{name}: expected the dtype of {name}, {given}, got {dtype}", name)


def _dtype(g: Any, given: np.dtype) -> np.dtype:
    """Of a gradient; a Python float fits wherever an array of no dimensions does."""
    return given if isinstance(g, float) and not hasattr(g, "dtype") else np.dtype(str(getattr(g, "dtype", type(g).__name__)))


def _hint(expected: tuple, got: tuple) -> str:
    if got == expected[::-1] and got != expected:
        return "; it is transposed"
    if len(got) > len(expected) and (not expected or got[-len(expected) :] == expected):
        return "; sum it over the axes along which the input was broadcast"
    return ""
