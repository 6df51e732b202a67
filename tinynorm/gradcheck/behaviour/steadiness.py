"""Whether the same numbers always give the same gradients: again and again, from the same cache, after another forward."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np

from ... import backend
from ..problem.problem import PairProblem, Problem
from ..report.report import Fault, Report
from ..slopes.measure import Measure
from .memory import bits, shared, watched

FEW, MANY = 3, 24  # times that backward is called with the same numbers
WORTH = 200_000  # numbers that may go in and out of it for that

# Of what has no arrays in its cache, as a class that keeps them in `self`: it is meant so.
IN_TURN = "backward works with what the last forward left behind outside its cache: call it before the next forward"

Watch = Callable[[np.ndarray, bool], tuple[list, list[Fault]]]  # from a cotangent: the gradients, and what is wrong beside them


def behave(problem: PairProblem, report: Report, u: np.ndarray, allow_alias: bool) -> None:
    """Everything that can be seen in a few calls, before anything is measured."""

    def watch(v: np.ndarray, own: bool) -> tuple[list, list[Fault]]:
        return watched(problem, v, own, allow_alias)

    ours: list = []
    for own in (False, True) if problem.recast else (False,):
        faults, seen = repeated(watch, problem, u, own, allow_alias)
        faults += [_missing(problem, i) for i, (was, now) in enumerate(zip(ours, seen, strict=False)) if was and now is None]
        ours = seen
        if not any(fault.kind == "nondeterministic" for fault in faults):
            faults += _second(problem, u, own, seen)
            cache, grads = _after_another_forward(problem, u, own)
            outside = foreign(problem, grads, seen)
            if _has_arrays(cache):
                faults += outside
            elif outside and IN_TURN not in report.notes:
                report.notes.append(IN_TURN)
        report.faults += [fault for fault in faults if fault not in report.faults]


def repeated(watch: Watch, problem: Problem, u: np.ndarray, own: bool, allow_alias: bool) -> tuple[list[Fault], list]:
    """(what is wrong with backward called again and again, the bits of its gradients), for `u` and others with zeros."""
    first, faults = watch(u, own)
    seen = [bits(g) for g in first]
    for v in (np.where(np.arange(u.size) % 2, 0.0, u), np.abs(u), 0 * u):  # some write, or hand back dout, only then
        with suppress(ArithmeticError):  # of Python's own numbers, where 0 / 0 raises: `nonlinear` tells that
            faults += watch(v, own)[1]
    for _ in range(_times(problem, u) - 1):
        grads, found = watch(u, own)
        faults += found
        for name, g, h, was in zip(problem.names, grads, first, seen, strict=True):
            if bits(g) != was:
                faults.append(_varies(name))
            if not allow_alias and shared(g, h):
                faults.append(
                    Fault(
                        "reuses_memory",
                        f"d{name} is the same memory at every call of backward, so that the next call changes a gradient "
                        "that was handed out before; return a new array",
                        name,
                    )
                )
    return list(dict.fromkeys(faults)), seen


def _missing(problem: Problem, i: int) -> Fault:
    name, dtype = problem.names[i], problem.own[i]
    return Fault("returned_none", f"backward returned None for {name} in {dtype}, and a gradient in {problem.dtype}", name)


def _times(problem: Problem, u: np.ndarray) -> int:
    numbers = u.size + sum(x.size for x in problem.point)
    return int(np.clip(WORTH // (numbers + 1), FEW, MANY))


def _varies(name: str) -> Fault:
    sentence = f"backward gives another gradient for {name} each time, or now and then, when it is called with the same numbers"
    return Fault("nondeterministic", sentence, name)


def lasting(measure: Measure) -> Iterator[Fault]:
    """Whether the gradients at the end of a check are those from before."""
    again = measure.problem.gradients(measure.point, measure.u)
    for name, g, before in zip(measure.problem.names, again, measure.claimed, strict=True):
        if bits(g) != bits(before):
            yield _varies(name)


# ---- from the cache alone ------------------------------------------------------------------------------------------------


def _second(problem: PairProblem, u: np.ndarray, own: bool, seen: list) -> list[Fault]:
    """A second backward from the same cache."""
    out, cache = problem.run(problem.point, own)
    parts = problem.split(u)
    problem.call_backward(problem.cotangent(out, parts), cache)
    try:
        second = problem.call_backward(problem.cotangent(out, parts), cache)
    except Exception:  # it used its cache up, and says so: that is a second backward's own affair
        return []
    return [
        Fault(
            "mutates_cache",
            f"a second backward from the same cache gives another gradient for {name}: the first one writes into the "
            "cache; work on a copy",
            name,
        )
        for name in _different(problem, second, seen)
    ]


def _after_another_forward(problem: PairProblem, u: np.ndarray, own: bool) -> tuple[Any, list | None]:
    """(the cache, the gradients from it) where forward ran again, at another point, before backward; None where that raises."""
    out, cache = problem.run(problem.point, own)
    dout = problem.cotangent(out, problem.split(u))
    for point, constants in zip(elsewhere(problem.point), elsewhere(problem.constants.values(), vary=False), strict=True):
        arguments = problem.arguments(point, own)
        for i, constant in zip(problem.constants, constants, strict=True):
            arguments[i] = constant if isinstance(constant, np.ndarray) else arguments[i]
        try:
            problem.run_on(arguments)
            return cache, problem.call_backward(dout, cache)
        except Exception:
            continue
    return cache, None


def elsewhere(arrays: Iterable[Any], vary: bool = True) -> Iterator[list]:
    """Other inputs: the same numbers in other places, and for a forward that does not take them so, in their own."""
    rng = np.random.default_rng(0)
    for mix in (rng.permutation, np.copy):
        mixed = [np.asarray(mix(a.ravel())).reshape(a.shape) if isinstance(a, np.ndarray) else a for a in arrays]
        yield [a * rng.uniform(0.5, 1.5, a.shape) for a in mixed] if vary else mixed


def foreign(problem: Problem, grads: list | None, seen: list) -> list[Fault]:
    """Gradients that are others when forward ran in between."""
    return [
        Fault(
            "foreign_state",
            f"backward uses what the last forward left behind outside its cache, so d{name} is another one when forward ran "
            "again in between; keep it in the cache",
            name,
        )
        for name in ([] if grads is None else _different(problem, grads, seen))
    ]


def _different(problem: Problem, grads: list, seen: list) -> list[str]:
    return [name for name, g, was in zip(problem.names, grads, seen, strict=True) if bits(g) != was]


def _has_arrays(cache: Any) -> bool:
    if isinstance(cache, dict):
        cache = list(cache.values())
    if isinstance(cache, tuple | list):
        return any(_has_arrays(item) for item in cache)
    return backend.is_array(cache) or isinstance(cache, np.generic)
