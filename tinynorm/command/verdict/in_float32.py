"""Code that computes in float32: a backward whose numbers are right as far as float32 can tell, and float64 in its place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import numpy as np

from ...gradcheck.report.report import Report
from ..functions.call_pair import Call
from ..read.read_code import text_of
from ..run_code import OUR_CODE, attempt

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


@contextmanager
def float64_in_its_place() -> Iterator[None]:
    """Let the user's modules find float64 where they ask for float32: as np.float32, or by a name of their own."""
    double, places = _double(), []
    for module in list(sys.modules.values()):
        where = getattr(module, "__file__", None) or ""
        if not where or where.startswith((OUR_CODE, sys.prefix, sys.base_prefix)) or "site-packages" in where:
            continue
        for name, x in list(vars(module).items()):
            if x is np or x is np.float32:
                places.append((module, name, x))
                setattr(module, name, double if x is np else np.float64)
    try:
        yield
    finally:
        for module, name, x in places:
            setattr(module, name, x)


def _double() -> ModuleType:
    """Return NumPy with float64 for float32."""
    module = ModuleType("numpy")
    vars(module).update(vars(np), float32=np.float64, single=np.float64, __getattr__=lambda name: getattr(np, name))
    return module


def shows_float32(report: Report | None) -> bool:
    """Whether a check could not tell because forward rounds to float32, or found a gradient of another dtype."""
    rounds = report is not None and any(warning.startswith("forward rounds to float32") for warning in report.warnings)
    return rounds or (report is not None and any(fault.kind == "wrong_dtype" for fault in report.faults))
