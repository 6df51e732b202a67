"""Gradients that backward cuts off where they are large, as recurrent networks do: judged by small ones."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from contextlib import nullcontext
from math import prod
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import fresh
from ...gradcheck.report.report import Report
from ..functions.call_pair import Call
from ..functions.pair import backward_of
from ..layers.call_layer import Layer
from ..layers.find_layers import reached
from ..other_numpy import numpy_with, unclipped
from ..read.read_code import code_of, methods_in
from ..run_code import UserError

# Times dout. The check multiplies it by up to 10^8: gradients are still 10^-10, and nobody cuts those off. In float32 they are
# no subnormal numbers yet. A power of 2 multiplies without rounding.
SMALL = 2.0**-60


def right_if_small(call: Call, report: Report, ask: Callable[..., Report]) -> Report | None:
    """Return the report for small gradients, if backward clips large ones and more is right for small ones; else None.

    Those of a loss cannot be made small: they are judged without np.clip, where the loss itself is the same without it.
    """
    of_clipping = ("not_linear", "mutates_dout", "returned_none")  # np.clip(d, -1, 1, out=d); the last is none of it
    if not _clips(call) or any(fault.kind not in of_clipping for fault in report.faults):
        return None

    def backward(dout: Any, cache: Any) -> tuple:
        small = tuple(SMALL * g for g in dout) if isinstance(dout, tuple) else SMALL * dout
        return tuple(None if g is None else g / SMALL for g in call.backward(small, cache))

    before = call.forward(*map(fresh, call.inputs))[0]
    try:
        with numpy_with(clip=unclipped) if call.pair.loss else nullcontext():
            if call.pair.loss and call.forward(*map(fresh, call.inputs))[0] != before:
                return None  # forward clips its activations
            found = ask(call, second=True) if call.pair.loss else ask(call, backward=backward, second=True)
    except UserError:
        return None
    wrong, before = ({one.name for one in of.inputs if not one.ok} for of in (found, report))
    says = "those that it does not clip are right" if found.ok else "these are small"
    found.notes.append(f"backward clips large gradients; {says}")
    return found if found.ok or wrong < before else None


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
    layer, halves = call.pair.forward, [backward_of(call.pair)]
    if isinstance(layer, Layer) and layer.methods.backward in methods_in(layer.cls):
        halves = [methods_in(layer.cls)[name] for name in reached(layer.cls, layer.methods.backward)]
    nodes = [node for half in halves for node in ast.walk(code_of(half) or ast.Pass())]
    names = {getattr(node, "attr", getattr(node, "id", "")) for node in nodes}
    limits = names & {"min", "minimum"} or any(isinstance(node, ast.Compare) for node in nodes)
    return "clip" in names or bool(limits and names & {"norm", "sqrt"})
