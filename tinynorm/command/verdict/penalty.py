"""Gradients to which backward adds that of a penalty, as weight decay does: judged without it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import fresh
from ...gradcheck.report.report import Report
from ..functions.call_pair import NOT_CHECKED, Call
from ..functions.composed import Composed, common_losses
from ..functions.kinds import PARAMETERS
from ..run_code import UserError, attempt

SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"{}": np.asarray, "sign({})": np.sign}  # of the squares, of the sizes


def without_penalty(call: Call, report: Report, ask: Callable[..., Report]) -> Report | None:
    """Return the report for what depends on dout, where backward adds c W to dW; None if it does not, or that says nothing."""
    if call.pair.loss or any(fault.kind != "not_linear" for fault in report.faults):
        return None
    added, error = attempt(_added, call, report)
    if error is not None or not added:
        return None

    def forward(*inputs: Any) -> tuple[Any, Any]:
        out, cache = call.forward(*inputs)
        return out, (cache, [fresh(x) for x in inputs])

    def backward(dout: Any, cache: Any) -> tuple:
        grads, at = call.by_number(call.backward(dout, cache[0])), cache[1]
        terms = {i: sum(c * SHAPES[s](at[i]) for s, c in factors.items()) for i, factors in added.items()}
        return tuple(g - terms[i] if i in terms else g for i, g in grads.items())

    try:
        found = ask(call, forward=forward, backward=backward, second=True)
    except UserError:
        return None
    for i, factors in added.items():
        term = " + ".join(f"{c:.6g} {shape.format(call.names[i])}" for shape, c in factors.items())
        found.notes.append(f"backward adds {term} to d{call.names[i]}, the gradient of a penalty; that was not checked")
    found.faults = [fault for fault in found.faults if fault.kind != "not_linear"]  # a small dout is lost beside c W
    found.ok = not found.faults and all(x.ok for x in found.inputs)
    return found if found.ok or found.findings else None


def _added(call: Call, report: Report) -> dict[int, dict[str, float]]:
    """Return the factor of each shape of the penalty's gradient, for each parameter whose gradient for a dout of 0 is that.

    Where the file has no loss, and so that is a usual one, it is what is left without the gradient that was measured.
    """
    out, cache = call.forward(*map(fresh, call.inputs))
    nothing = tuple(0 * y for y in out) if isinstance(out, tuple | list) else 0 * out
    grads, found = call.by_number(call.backward(nothing, cache)), {}
    losses = call.pair.forward.losses if isinstance(call.pair.forward, Composed) else ["the file's"]
    if report.evidence and {*losses} <= dict(common_losses()).keys():
        both = {i: (report.evidence.analytic[i], report.evidence.numeric[i]) for i in report.evidence.wrong}
        grads = {i: g - np.reshape(s.value, g.shape) for i, (g, s) in both.items() if g is not None and s is not None}
        grads = grads if all(g.size > len(SHAPES) for g in grads.values()) else {}  # of one number each error is a penalty's
    for i, g in grads.items():
        if g is None or not np.any(g):
            continue
        factors = _factors(call.inputs[i], g)
        fits = factors and all(c < 1 for c in factors.values())
        if not fits or (call.kinds[i] not in PARAMETERS and call.names[i] not in getattr(call.pair.forward, "parameters", ())):
            return {}
        found[i] = factors
    return found


def _factors(x: np.ndarray, g: Any) -> dict[str, float]:
    """Return the factor of each shape of which a penalty's gradient is the sum; {} where it is of none."""
    terms = np.stack([of(x).ravel() for of in SHAPES.values()], axis=1)
    factors = np.linalg.lstsq(terms, np.ravel(g))[0]
    factors[np.abs(factors) < 1e-9 * np.abs(factors).max()] = 0  # one of the two alone
    fits = all(c >= 0 for c in factors) and np.allclose(np.ravel(g), terms @ factors, rtol=1e-9, atol=1e-9 * np.abs(g).max())
    return {shape: c for shape, c in zip(SHAPES, factors.tolist(), strict=True) if c} if fits else {}


def odd_penalty(call: Call) -> dict[str, str]:
    """Return what to say, and why, where only backward has a penalty, and what it adds is the gradient of no one penalty."""
    composed = call.pair.forward
    if not isinstance(composed, Composed) or not composed.penalties:
        return {}
    both = []
    for forward in (composed, replace(composed, penalties=())):
        other = copy(call)
        other.pair = replace(call.pair, forward=forward, backward=forward.backward)
        grads, _ = attempt(lambda one=other: one.by_number(one.backward(1.0, one.forward(*map(fresh, one.inputs))[1])))
        both.append(grads or {})
    added = {i: g - both[0][i] for i, g in both[1].items() if g is not None and both[0].get(i) is not None}
    added = {i: g for i, g in added.items() if np.any(g) or call.kinds[i].endswith("weight")}
    parts = {i: np.flatnonzero(g) if np.any(g) else np.arange(g.size) for i, g in added.items()}  # without a row of biases
    found = {call.names[i]: _factors(call.inputs[i].ravel()[parts[i]], g.ravel()[parts[i]]) for i, g in added.items()}
    first = next(filter(None, found.values()), {})
    odd = [n for n, c in found.items() if c.keys() != first.keys() or not np.allclose([*c.values()], [*first.values()])]
    odd = odd if first else [n for n, g in zip(found, added.values(), strict=True) if np.any(g)]
    why = f"what it adds to d{odd[0]} is not the gradient of a penalty that it has for the others" if odd else ""
    return {f"{NOT_CHECKED} with {' and '.join(composed.penalties)}": why} if odd else {}
