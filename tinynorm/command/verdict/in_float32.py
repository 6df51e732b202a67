"""A backward that computes in float32, though its inputs are float64: its numbers are right as far as float32 can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...gradcheck.report.report import Report
from ..functions.call_pair import Call
from ..read.read_code import text_of
from ..run_code import attempt

# A gradient may be off by this part of the largest one: some dozen operations, each of which rounds to 6e-8.
ROUNDED = 1e-5
SHOWS_AS = {"wrong_dtype", "not_linear"}  # what rounding to float32 shows as, beside its errors
LARGER = 100.0  # With dout times this it is right too: it is not what cuts off large gradients that is not linear.


def right_in_float32(call: Call, report: Report, ask: Callable[..., Report]) -> Report | None:
    """Return the report of a backward whose code has float32 in it, if it is right but for rounding; else None."""
    text, error = attempt(text_of, getattr(call.pair.forward, "cls", call.user_backward))
    if error is not None or "float32" not in text:
        return None

    def backward(dout: Any, cache: Any) -> tuple:
        grads = call.backward(LARGER * dout, cache)
        return tuple(None if g is None else g / LARGER for g in grads)

    right = report if all(found.ok for found in report.inputs) else ask(call, rtol=ROUNDED)
    if not _is_right(right):
        return None
    larger, error = attempt(ask, call, rtol=ROUNDED, backward=backward)
    if error is not None or not _is_right(larger):
        return None
    right.notes.append("backward rounds to float32: its numbers are right as far as float32 can tell")
    right.faults, right.ok = [], True
    return right


def _is_right(report: Report) -> bool:
    """Whether nothing is wrong but what rounding shows as."""
    return all(found.ok for found in report.inputs) and SHOWS_AS.issuperset(fault.kind for fault in report.faults)
