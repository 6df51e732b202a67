"""One forward and one backward pass, watched: what they write into, and what backward returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ... import backend
from ...tensor import raw
from ..problem.problem import Problem
from ..report.report import Fault

# The words of the messages for plain arrays with a backward by hand (True) and for Tensors (False): forward, the method
# that copies an input, the cotangent, a copy of it, and what the forward pass did with the values that backward needs.
WORDS = {
    True: ("forward", "copy", "the incoming gradient dout", "dout.copy()", "cached"),
    False: ("the function", "clone", "the incoming gradient", "a copy", "saved"),
}


def watched_run(problem: Problem, u: np.ndarray, own: bool, allow_alias: bool) -> tuple[list, list[Fault]]:
    """(the gradients, the faults) of one forward and one backward pass, in the inputs' `own` dtypes or that of the problem."""
    forward, copy, of_dout, dout_copy, kept = WORDS[problem.by_hand]
    faults: list[Fault] = []
    with problem.lent(own):
        arguments = problem.arguments(problem.point, own)
        before = bits(arguments)
        out, saved = problem.run(arguments)
        faults += _mutated(problem, arguments, before, forward, copy)
        dout = problem.cotangent(out, problem.split(u))
        before, out_before, dout_before = bits(arguments), bits(out), bits(dout)
        grads = problem.run_backward(dout, saved)
        faults += _mutated(problem, arguments, before, "backward", copy)
        if bits(dout) != dout_before:
            told = f"backward writes into {of_dout}, which others still need; work on {dout_copy}"
            faults.append(Fault("mutates_dout", told))
        if bits(out) != out_before:
            told = f"backward writes into the output of forward; work on a copy of what was {kept}"
            faults.append(Fault("mutates_output", told))
    if problem.by_hand:  # the graph of Tensors sees to the memory, the shape and the dtype of gradients
        faults += [] if allow_alias else _aliases(grads, problem, dout, arguments)
        faults += _misfits(grads, problem, own)
    return grads, faults


def bits(x: Any) -> Any:
    """A value that compares equal as long as no bit of the arrays in `x` changes. (Bits, because NaN != NaN.)"""
    if isinstance(x, tuple | list):
        return [bits(item) for item in x]
    x = raw(x)  # a Tensor of integers is handed on as it is
    if backend.is_array(x) or isinstance(x, np.generic):
        array = np.asarray(x) if isinstance(x, np.generic) else backend.to_numpy(x)
        if array.dtype == np.longdouble != np.float64:  # some of the bytes of a longdouble are padding, with any content
            array = np.stack([array.astype(float), (array - array.astype(float)).astype(float)])
        return array.shape, array.dtype.str, array.tobytes()
    return repr(x) if isinstance(x, float | complex) else None


def shared(a: Any, b: Any) -> bool:
    """Whether two arrays lie in the same memory."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.size > 0 and np.shares_memory(a, b)
    both = backend.is_array(a) and backend.is_array(b) and a.size > 0
    return both and all(str(backend.device_of(x)).startswith("cuda") for x in (a, b)) and backend.shares_memory(a, b)


def _mutated(problem: Problem, arguments: list, before: list, who: str, copy: str) -> Iterator[Fault]:
    for i, (name, now, was) in enumerate(zip(problem.all_names, bits(arguments), before, strict=True)):
        if now != was and (problem.by_hand or i in problem.wrt):  # a buffer that a function of Tensors updates is no mistake
            told = f"{who} writes into its input {name}; work on {name}.{copy}()"
            yield Fault("mutates_input", told, name)


def _aliases(grads: list, problem: Problem, dout: Any, arguments: list) -> Iterator[Fault]:
    """Gradients in the memory of dout, of an input or of another gradient."""
    douts = dout if isinstance(dout, tuple) else (dout,)
    for i, (name, g) in enumerate(zip(problem.names, grads, strict=True)):
        is_dout = any(shared(g, d) for d in douts)
        if is_dout:
            yield Fault(
                "aliases_dout",
                f"d{name} is the memory of dout itself: whoever adds to one in place changes the other; return a copy",
                name,
            )
        for other, x in zip(problem.all_names, arguments, strict=True):
            if shared(g, x):
                yield Fault("aliases_input", f"d{name} is the memory of the input {other}; return a copy", name)
        for other, h in zip(problem.names[:i], grads[:i], strict=True):
            if not is_dout and shared(g, h):
                yield Fault("aliases_gradient", f"d{name} and d{other} are the same memory; return a copy", name)


def _misfits(grads: list, problem: Problem, own: bool) -> Iterator[Fault]:
    """Gradients of a wrong type, shape or dtype."""
    for name, g, x, dtype in zip(problem.names, grads, problem.point, problem.own, strict=True):
        if g is None:
            continue
        if not backend.is_array(g) and not isinstance(g, float | complex | np.generic):
            yield Fault("wrong_shape", f"d{name}: expected an array of shape {x.shape}, got {type(g).__name__}", name)
        elif (shape := tuple(np.shape(g))) != x.shape:
            told = f"d{name}: expected the shape of {name}, {x.shape}, got {shape}{_hint(x.shape, shape)}"
            yield Fault("wrong_shape", told, name)
        elif (own or not problem.recast) and (got := _dtype(g, dtype)) != dtype:
            yield Fault("wrong_dtype", f"d{name}: expected the dtype of {name}, {dtype}, got {got}", name)


def _dtype(g: Any, expected: np.dtype) -> np.dtype:
    """The dtype of a gradient; a Python float has the expected one."""
    if isinstance(g, float) and not hasattr(g, "dtype"):
        return expected
    return np.dtype(str(getattr(raw(g), "dtype", type(g).__name__)))


def _hint(expected: tuple, got: tuple) -> str:
    if got == expected[::-1] and got != expected:
        return "; it is transposed"
    if len(got) > len(expected) and (not expected or got[-len(expected) :] == expected):
        return "; sum it over the axes along which the input was broadcast"
    return ""
