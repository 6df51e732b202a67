"""Gradients to which backward adds that of a penalty, as weight decay does: judged without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import fresh
from ...gradcheck.report.report import Report
from ..functions.call_pair import Call
from ..functions.kinds import PARAMETERS
from ..run_code import UserError, attempt

SHAPES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"{}": np.asarray, "sign({})": np.sign}  # of the squares, of the sizes


def without_penalty(call: Call, report: Report, ask: Callable[..., Report]) -> Report | None:
    """Return the report for what depends on dout, where backward adds c W to dW; None if it does not, or that says nothing."""
    if call.pair.loss or any(fault.kind != "not_linear" for fault in report.faults):
        return None
    added, error = attempt(_added, call)
    if error is not None or not added:
        return None

    def forward(*inputs: Any) -> tuple[Any, Any]:
        out, cache = call.forward(*inputs)
        return out, (cache, [fresh(x) for x in inputs])

    def backward(dout: Any, cache: Any) -> tuple:
        grads, at = call.by_number(call.backward(dout, cache[0])), cache[1]
        return tuple(g - sum(c * SHAPES[s](at[i]) for s, c in added.get(i, {}).items()) for i, g in grads.items())

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


def _added(call: Call) -> dict[int, dict[str, float]]:
    """Return the factor of each shape of the penalty's gradient, for each parameter whose gradient for a dout of 0 is that."""
    out, cache = call.forward(*map(fresh, call.inputs))
    nothing = tuple(0 * y for y in out) if isinstance(out, tuple | list) else 0 * out
    found = {}
    for i, g in call.by_number(call.backward(nothing, cache)).items():
        if g is None or not np.any(g):
            continue
        terms = np.stack([of(call.inputs[i]).ravel() for of in SHAPES.values()], axis=1)
        factors = np.linalg.lstsq(terms, np.ravel(g))[0]
        factors[np.abs(factors) < 1e-9 * np.abs(factors).max()] = 0  # one of the two alone
        fits = all(0 <= c < 1 for c in factors) and np.allclose(np.ravel(g), terms @ factors, rtol=1e-9, atol=0)
        if not fits or (call.kinds[i] not in PARAMETERS and call.names[i] not in getattr(call.pair.forward, "parameters", ())):
            return {}
        found[i] = {shape: c for shape, c in zip(SHAPES, factors.tolist(), strict=True) if c}
    return found
