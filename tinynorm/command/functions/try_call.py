"""Run forward and backward once with some inputs, and rank them: is the output finite, and do the gradients' shapes fit?

And note which lines of the user's backward have run: a branch that no input has led into is not checked.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator
from inspect import unwrap
from math import prod
from time import perf_counter
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import Problem, fresh
from ..read.read_code import code_of, inside, parameters
from ..run_code import attempt
from .about import about
from .call_pair import NOT_CHECKED, Call
from .composed import Composed
from .depends import agreeing, beside, moves
from .pair import Pair, backward_of

# Statements that compute no gradient: they refuse, or say something.
SAID = (ast.Raise, ast.Assert, ast.Expr)
OTHER = (*SAID, ast.Pass, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal, ast.Continue, ast.Break, ast.Match)


def ranked(call: Call) -> BaseException | None:
    """Rank the call: see `try_once`. Where targets are drawn for a loss behind forward, the first kind that backward takes."""
    error, forward = try_once(call), call.pair.forward
    if isinstance(forward, Composed) and forward.ran and forward.convention and (error or not all(call.rank)):
        before = forward.state
        for _ in forward.variants(list(forward.losses)[:1]):
            if try_once(call) is None and all(call.rank):
                return None
        forward.state = before
        return try_once(call)
    return error


def try_once(call: Call) -> BaseException | None:
    """Run forward and backward once, and rank the call. Return the exception of forward; one of backward is a low rank.

    Of several conventions the first that works is kept.
    """
    started = perf_counter()
    ran, error = attempt(call.run, *[fresh(x) for x in call.inputs])
    call.seconds = perf_counter() - started
    if error is not None:
        return error
    several, error = attempt(call.conventions, *ran)
    if error is not None:
        return error
    best: Call | None = None
    for convention in [call.convention] if call.convention else several:
        if best is not None:
            ran, _ = attempt(call.run, *[fresh(x) for x in call.inputs])  # backward may have written into the cache
        tried = call.with_convention(convention)
        read, error = attempt(tried.read, *ran)
        if error is not None:  # in another mode forward returns no cache
            return error
        _rank(tried, *read)
        if best is None or tried.rank > best.rank:
            best = tried
        if all(best.rank):
            break
    assert best is not None
    call.convention, call.rank, call.shape, call.unclaimed = best.convention, best.rank, best.shape, best.unclaimed
    call.raised, call.turned, call.unsummed, call.summed = best.raised, best.turned, best.unsummed, best.summed
    return None


def agreement(call: Call) -> float:
    """Return the share of the gradients that are forward's along a random direction.

    That is no verdict: it chooses between conventions.
    """
    right = [right for _, _, right in agreeing(Problem(call.forward, call.backward, call.inputs, call.names))]
    return sum(right) / max(len(right), 1)


def _rank(call: Call, out: Any, cache: Any) -> None:
    several = isinstance(out, tuple | list)
    outputs = [np.asarray(y) for y in (out if several else [out])]
    shapes = [y.shape for y in outputs]
    call.shape = shapes if several else shapes[0]
    finite = all(y.size > 0 and bool(np.all(np.isfinite(y))) for y in outputs if y.dtype.kind in "fc")
    finite = finite and (not isinstance(call.pair.forward, Composed) or bool(outputs[0].any()))  # of one class, a loss is 0
    finite = finite and (not call.floats or moves(call.outputs, call.inputs, call.floats[0], call.pair.name, outputs))
    call.rank = finite, _fits(call, shapes, several, cache)


def _fits(call: Call, shapes: list, several: bool, cache: Any) -> bool:
    """Whether backward gives gradients of the inputs' shapes."""
    rng = np.random.default_rng(0)
    douts = [rng.standard_normal(shape)[()] for shape in shapes]
    found, error = attempt(call.backward, tuple(douts) if several else douts[0], cache)
    if error is not None and "weight" in call.kinds and [shape[1:] for shape in shapes] == [(1,)]:
        call.turned = True  # some write derivatives as rows
        found, error = attempt(call.backward, douts[0], cache)
        call.turned = error is None
    call.raised = error
    if error is not None:
        return False
    grads = [found[i] for i in call.floats] if len(found) == len(call.inputs) else found
    wanted = [np.shape(call.inputs[i]) for i in call.floats]
    got = [shape if g is None else np.shape(g) for g, shape in zip(grads, wanted, strict=False)]
    odd = [(call.kinds[i], g, x) for i, g, x in zip(call.floats, got, wanted, strict=False) if g != x]
    # of x (D,) each gradient has the shape of x, and of x (N, D) none should
    more = [kind == "affine" and g[len(g) - len(x) :] == x and prod(g) > prod(x) for kind, g, x in odd]
    call.unsummed = len(got) == len(wanted) and call.kinds.count("affine") > 1 and all(more) and bool(more) and _in_parts(call)
    call.summed = [call.names[i] for i, g, x in zip(call.floats, got, wanted, strict=False) if g == () != x]
    return got == wanted


def _in_parts(call: Call) -> bool:
    """Whether one element of x (N, D) has no influence on other rows and columns: forward is not meant for x (D,) alone."""
    before, after = beside_x(call)
    return before is not None and bool(np.array_equal(before[1:, 1:], after[1:, 1:]))


def beside_x(call: Call) -> tuple[Any, Any]:
    """Return the output, and that for another x[0, 0]; see `beside`."""
    return beside(call.outputs, call.inputs, call.kinds.index("x")) if "x" in call.kinds else (None, None)


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


def unread(pair: Pair) -> dict[str, str]:
    """Return what to say, and why, of each parameter that a loop steps, though forward has no use for it."""
    return {f"{NOT_CHECKED}: the step of {name}": "forward does not read it" for name in about(pair.forward).unread}


def lines_left_out(pair: Pair) -> dict[str, str]:
    """Return (which lines of backward no call has run, why); nothing where all have, or none was seen."""
    function = backward_of(pair)
    tree, code = code_of(function), getattr(unwrap(function), "__code__", None)
    ours = getattr(function, "__module__", "").startswith("tinynorm.")  # it calls theirs
    if tree is None or not isinstance(code, CodeType) or not pair.ran or ours:
        return {}
    parts: list[tuple[int, int]] = []
    for first, last, ran in _statements(tree, code.co_firstlineno - 1, pair):
        if ran:
            parts.append((0, 0))
        elif parts and parts[-1][0]:
            parts[-1] = parts[-1][0], last
        else:
            parts.append((first, last))
    shown = [str(first) if first == last else f"{first}-{last}" for first, last in parts if first]
    word = "line" if len(shown) == 1 and shown[0].isdecimal() else "lines"
    of_both = pair.forward_name == pair.backward_name  # then it may be a line of forward
    says = f"{'not run' if of_both else NOT_CHECKED}: {word} {', '.join(shown)} of {pair.backward_name}"
    return {says: "no input that was drawn leads there"} if shown else {}


def other_defaults(pair: Pair) -> dict[str, str]:
    """Return (which numbers were left at their defaults, why): those of backward are others than forward's, as alpha=0.01."""
    forward, backward = (
        {p.name: p.default for p in parameters(half) if type(p.default) in (int, float)}
        for half in (unwrap(pair.forward), unwrap(backward_of(pair)))
    )
    differ = [name for name in forward if backward.get(name, forward[name]) != forward[name]]
    why = "that is {1} in {3}, and {2} in {4}"
    named = pair.forward_name, pair.backward_name
    return {f"{NOT_CHECKED}: {n} left at its default": why.format(n, forward[n], backward[n], *named) for n in differ}


def _statements(code: ast.FunctionDef, above: int, pair: Pair) -> Iterator[tuple[int, int, bool]]:
    """Yield (first line, last line, whether it ran) of each statement that may compute a gradient."""
    for statement in inside(code):
        whole = isinstance(statement, ast.stmt) and not hasattr(statement, "body") and not isinstance(statement, OTHER)
        if whole and not (pair.loss and isinstance(statement, ast.Return)):
            first, last = statement.lineno + above, (statement.end_lineno or statement.lineno) + above  # type: ignore[attr-defined]
            yield first, last, not pair.ran.isdisjoint(range(first, last + 1))
