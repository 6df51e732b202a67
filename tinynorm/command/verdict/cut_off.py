"""Gradients that backward cuts off where they are large, as recurrent networks do: judged by small ones."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from ...gradcheck.report.report import Report
from ..functions.call_pair import Call
from ..functions.lines_run import backward_of
from ..read.read_code import code_of
from ..run_code import UserError

# Times dout. The check multiplies it by up to 10^8: gradients are still 10^-10, and nobody cuts those off. In float32 they are
# no subnormal numbers yet. A power of 2 multiplies without rounding.
SMALL = 2.0**-60


def right_if_small(call: Call, report: Report, ask: Callable[..., Report]) -> Report | None:
    """Return the report for small gradients, if backward clips large ones and is right for small ones; else None."""
    code = code_of(backward_of(call.pair))
    names = [getattr(node, "attr", getattr(node, "id", "")) for node in ast.walk(code)] if code else []
    if "clip" not in names or call.pair.loss or any(fault.kind != "not_linear" for fault in report.faults):
        return None

    def backward(dout: Any, cache: Any) -> tuple:
        small = tuple(SMALL * g for g in dout) if isinstance(dout, tuple) else SMALL * dout
        return tuple(None if g is None else g / SMALL for g in call.backward(small, cache))

    try:
        found = ask(call, backward=backward, second=True)
    except UserError:
        return None
    found.notes.append("backward clips large gradients; those that it does not clip are right")
    return found if found.ok else None
