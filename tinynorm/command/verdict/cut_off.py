"""Gradients that backward cuts off where they are large, as recurrent networks do: judged by small ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from ...gradcheck.report.report import Report
from ..functions.call_pair import Call
from ..functions.find_pairs import backward_of
from ..read.read_code import code_of
from ..run_code import UserError

# Times dout. The check multiplies it by up to 10^8: gradients are still 10^-10, and nobody cuts those off. In float32 they are
# no subnormal numbers yet. A power of 2 multiplies without rounding.
SMALL = 2.0**-60


def right_if_small(call: Call, report: Report, ask: Callable[..., Report]) -> Report | None:
    """Return the report for small gradients, if backward clips large ones and is right for small ones; else None."""
    if not _clips(call) or call.pair.loss or any(fault.kind != "not_linear" for fault in report.faults):
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


def right_for_one_element(call: Call, report: Report | None, ask: Callable[..., Report]) -> Report | None:
    """Return the report for gradients with one element that is not 0, which is all that some backwards look for; else None.

    The softmax of a well-known tutorial does: only the output of the right label has a gradient in its loss.
    """
    known = report is None or any(fault.kind == "not_linear" for fault in report.faults)
    looks = re.search(r"[!=]= 0|nonzero|argmax", ast.unparse(code_of(backward_of(call.pair)) or ast.Pass()))
    if not known or not looks or not isinstance(call.shape, tuple) or not call.shape:
        return None
    found: Report | None = None
    for k in (prod(call.shape) - 1, 0):

        def forward(*inputs: Any, k: int = k) -> tuple[Any, Any]:
            out, cache = call.forward(*inputs)
            return np.ravel(out)[k], cache

        def backward(dout: Any, cache: Any, k: int = k) -> tuple:
            one = np.zeros(call.shape)
            one.flat[k] = dout or 1.0  # with 0 it finds none
            return tuple(None if g is None else g * bool(dout) for g in call.backward(one, cache))

        try:
            found = ask(call, forward=forward, backward=backward, second=True)
        except UserError:
            return None
        if not found.ok:
            return None
    if found is not None:
        found.notes.append("backward uses one element of the incoming gradient, the first that is not 0; for that it is right")
    return found


def _clips(call: Call) -> bool:
    """Whether backward clips: np.clip(dW, -5, 5), or by the length, as ``if norm > 5: dW *= 5 / norm``."""
    nodes = [*ast.walk(code_of(backward_of(call.pair)) or ast.Pass())]
    names = {getattr(node, "attr", getattr(node, "id", "")) for node in nodes}
    limits = names & {"min", "minimum"} or any(isinstance(node, ast.Compare) for node in nodes)
    return "clip" in names or bool(limits and names & {"norm", "sqrt"})
