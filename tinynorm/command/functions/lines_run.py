"""Which lines of the user's backward have run: a branch that no input has led into is not checked."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from inspect import unwrap
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import fresh
from ..layers.call_layer import Layer
from ..read.read_code import code_of
from ..run_code import attempt
from .call_pair import Call
from .find_pairs import Pair

# Statements that compute no gradient: they refuse, or say something.
OTHER = (
    ast.Raise,
    ast.Assert,
    ast.Pass,
    ast.Expr,
    ast.Import,
    ast.ImportFrom,
    ast.Global,
    ast.Nonlocal,
    ast.Continue,
    ast.Break,
)


def note_lines(call: Call) -> None:
    """Remember the lines of backward that run with this call."""
    code = getattr(unwrap(backward_of(call.pair)), "__code__", None)

    def trace(frame: FrameType, event: str, _: Any) -> Callable | None:
        if frame.f_code is not code:
            return None
        call.pair.ran.add(frame.f_lineno)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        attempt(_run, call)
    finally:
        sys.settrace(before)


def _run(call: Call) -> None:
    rng = np.random.default_rng(0)
    out, cache = call.forward(*[fresh(x) for x in call.inputs])
    several = isinstance(out, tuple | list)
    douts = [rng.standard_normal(np.shape(y))[()] for y in (out if several else [out])]
    call.backward(tuple(douts) if several else douts[0], cache)


def lines_left_out(pair: Pair) -> list[str]:
    """Return what to say of the lines of backward that no call has run; [] where all have, or none was seen."""
    function = backward_of(pair)
    tree, code = code_of(function), getattr(unwrap(function), "__code__", None)
    ours = getattr(function, "__module__", "").startswith("tinynorm.")  # it calls theirs
    if tree is None or not isinstance(code, CodeType) or not pair.ran or ours:
        return []
    parts: list[tuple[int, int]] = []
    for first, last, ran in _statements(tree.body, code.co_firstlineno - 1, pair):
        if ran:
            parts.append((0, 0))
        elif parts and parts[-1][0]:
            parts[-1] = parts[-1][0], last
        else:
            parts.append((first, last))
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in parts if first]
    word = "line" if len(shown) == 1 and shown[0].isdecimal() else "lines"
    verb = "not run" if pair.loss else "not checked"  # where forward and backward are one function, it may be a line of forward
    says = f"{verb}: {word} {', '.join(shown)} of {pair.backward_name}; no input that was drawn leads there"
    return [says] if shown else []


def _statements(body: list[ast.stmt], above: int, pair: Pair) -> Iterator[tuple[int, int, bool]]:
    """Yield (first line, last line, whether it ran) of each statement that may compute a gradient."""
    for statement in body:
        inner = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        inner += [part.body for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]]
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            continue
        if any(inner):
            for part in inner:
                yield from _statements(part, above, pair)
        elif not isinstance(statement, OTHER) and not (pair.loss and isinstance(statement, ast.Return)):
            first, last = statement.lineno + above, (statement.end_lineno or statement.lineno) + above
            yield first, last, not pair.ran.isdisjoint(range(first, last + 1))


def backward_of(pair: Pair) -> Callable:
    """Return the function of the file that makes the gradients."""
    forward: Any = pair.forward
    if isinstance(forward, Layer):
        return getattr(forward.cls, forward.methods.backward, pair.backward)
    return getattr(forward, "user_backward", forward if pair.loss else pair.backward)
