"""Whether the same numbers always give the same gradients: at every call, from the same cache, and after another forward."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from ... import backend
from ..problem.problem import Problem
from ..report.report import Fault, Report
from ..slopes.measure import Measure
from .memory import bits, shared, watched_run

# Backward is called between FEWEST and MOST times with the same numbers, to find a gradient that changes now and then. MOST
# sees a change at every 24th call. Two calls show a change from one call to the next; FEWEST has one call more.
FEWEST, MOST = 3, 24
# All these calls together read and write at most this many numbers, in a few milliseconds, unless FEWEST calls take more. With
# large inputs, backward is called fewer times.
NUMBERS = 200_000

# A note, and no fault, where the cache holds no arrays: a class that keeps its cache in `self` means to work like that.
IN_TURN = "backward works with what the last forward left behind outside its cache: call it before the next forward"


SENTENCES = {
    "nondeterministic": "backward gives another gradient for {} each time, or now and then, when it is called with the same "
    "numbers",
    "reuses_memory": "d{} is the same memory at every call of backward, so that the next call changes a gradient that was "
    "handed out before; return a new array",
    "mutates_cache": "a second backward from the same cache gives another gradient for {}: the first one writes into the "
    "cache; work on a copy",
    "foreign_state": "backward uses what the last forward left behind outside its cache, so d{} is another one when forward "
    "ran again in between; keep it in the cache",
}


def check_behaviour(problem: Problem, report: Report, u: np.ndarray, allow_alias: bool) -> None:
    """Report the faults that a few calls show, before any derivative is measured."""
    first: list = []  # the gradients in the dtype of the problem
    for own in (False, True) if problem.recast else (False,):
        faults, seen = _repeated(problem, u, own, allow_alias)
        faults += [_missing(problem, i) for i, (was, now) in enumerate(zip(first, seen, strict=False)) if was and now is None]
        first = seen
        if not any(fault.kind == "nondeterministic" for fault in faults):
            if problem.by_hand:  # the graph of Tensors is freed after its first backward pass
                faults += _second_backward(problem, u, own, seen)
            cache, outside = _after_another_forward(problem, u, own, seen)
            if not problem.by_hand or _has_arrays(cache):
                faults += outside
            elif outside and IN_TURN not in report.notes:
                report.notes.append(IN_TURN)
        report.faults += [fault for fault in faults if fault not in report.faults]


def unlike_before(measure: Measure) -> list[Fault]:
    """The gradients that differ at the end of a check from those at its beginning."""
    again = measure.problem.gradients(measure.point, measure.u)
    return _changed("nondeterministic", measure.problem, again, bits(measure.claimed))


def _changed(kind: str, problem: Problem, grads: list, seen: list) -> list[Fault]:
    """A fault of this kind for each gradient whose bits are not those seen before."""
    return [_fault(kind, name) for name, g, was in zip(problem.names, grads, seen, strict=True) if bits(g) != was]


def _rounded(g: Any, was: Any) -> bool:
    """Whether a gradient differs from the one of these bits by rounding: sums over memory in another order do."""
    if was is None or np.dtype(was[1]).kind not in "fc" or np.shape(g) != was[0] or not np.size(g):
        return False
    before, now = np.frombuffer(was[2], was[1]).reshape(was[0]), np.asarray(backend.to_numpy(g))
    if not (np.all(np.isfinite(before)) and np.all(np.isfinite(now))):
        return False
    # 64: the rounding of a sum of some thousand terms; no mistake is so small
    return bool(np.max(np.abs(now - before)) <= 64 * np.finfo(before.dtype).eps * np.max(np.abs(before)))


def _fault(kind: str, name: str) -> Fault:
    return Fault(kind, SENTENCES[kind].format(name), name)


def _missing(problem: Problem, i: int) -> Fault:
    name, dtype = problem.names[i], problem.own[i]
    return Fault("returned_none", f"backward returned None for {name} in {dtype}, and a gradient in {problem.dtype}", name)


def _repeated(problem: Problem, u: np.ndarray, own: bool, allow_alias: bool) -> tuple[list[Fault], list]:
    """(the faults of backward at many calls, the bits of its gradients), for the cotangent `u`, and for others once each."""
    first, faults = watched_run(problem, u, own, allow_alias)
    seen = bits(first)
    for v in (np.where(np.arange(u.size) % 2, 0.0, u), np.abs(u), 0 * u):  # some backwards write, or return dout, only then
        with suppress(ArithmeticError):  # Python's own 0 / 0 raises: `nonlinear` reports that
            faults += watched_run(problem, v, own, allow_alias)[1]
    numbers = u.size + sum(x.size for x in problem.point)
    for _ in range(int(np.clip(NUMBERS // (numbers + 1), FEWEST, MOST)) - 1):
        grads, found = watched_run(problem, u, own, allow_alias)
        faults += found
        for name, g, h, was in zip(problem.names, grads, first, seen, strict=True):
            faults += [_fault("nondeterministic", name)] if bits(g) != was else []
            faults += [_fault("reuses_memory", name)] if not allow_alias and shared(g, h) else []
    return list(dict.fromkeys(faults)), seen


def _second_backward(problem: Problem, u: np.ndarray, own: bool, seen: list) -> list[Fault]:
    """The gradients that a second backward from the same cache changes."""
    out, cache = problem.run(problem.arguments(problem.point, own))
    parts = problem.split(u)
    problem.run_backward(problem.cotangent(out, parts), cache)
    try:
        second = problem.run_backward(problem.cotangent(out, parts), cache)
    except Exception:  # backward may use its cache up, and say so when it is called again
        return []
    rounded = {name for name, g, was in zip(problem.names, second, seen, strict=True) if _rounded(g, was)}
    return [fault for fault in _changed("mutates_cache", problem, second, seen) if fault.input not in rounded]


def _after_another_forward(problem: Problem, u: np.ndarray, own: bool, seen: list) -> tuple[Any, list[Fault]]:
    """(the cache, the gradients that a forward at another point changes, if it runs before backward)."""
    with problem.lent(own):
        arguments = problem.arguments(problem.point, own)
        out, cache = problem.run(arguments)
        dout = problem.cotangent(out, problem.split(u))
        for other in problem.elsewhere(arguments, own):
            try:
                problem.run(other)
                return cache, _changed("foreign_state", problem, problem.run_backward(dout, cache), seen)
            except Exception:  # forward may not take this other point
                continue
    return cache, []


def _has_arrays(cache: Any) -> bool:
    if isinstance(cache, dict):
        cache = list(cache.values())
    if isinstance(cache, tuple | list):
        return any(_has_arrays(item) for item in cache)
    return backend.is_array(cache) or isinstance(cache, np.generic)
