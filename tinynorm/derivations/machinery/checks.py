"""The checks of each line: finite differences for an adjoint, both sides of a rewriting, and a proof for any sizes of both."""

from __future__ import annotations

import inspect
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...autograd import grad
from ...backend import to_numpy
from ...creation import tensor
from ...gradcheck import check_backward
from ...tensor import Tensor, raw
from .chapter import ADJOINT, FORWARD, REWRITING, Chapter, Line

# The lengths of the dimensions, in the order of a chapter's letters: these, then 8, 9, …
# No two are equal: a sum over a wrong dimension shows.
LENGTHS = ((4, 3, 2, 5), (3, 5, 4, 2), (7, 2, 3, 4))


ROUNDING = 1e-10  # two forms differ by less. float64 has 16 digits; the gradient of a group of two keeps ε / (v + ε) of them
ROUNDED_ZERO = 1e-9  # the numbers of a chapter are near 1: those that are not 0 are all larger than this


RIGHT, WRONG, NOT_PROVED = "right", "wrong", "not proved"


@dataclass
class Result:
    """What the check of a line found.

    Attributes
    ----------
    verdict : {"right", "wrong", "not proved"}
        Wrong is what a measurement shows. Not proved is a line for which no proof was found; it may still be right.
    error : float
        Relative to the largest number compared.
    """

    line: Line
    verdict: str
    error: float = 0.0
    what: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return self.verdict == RIGHT


def sizes_of(chapter: Chapter) -> Iterator[dict[str, int]]:
    """At least three choices of lengths for the chapter's letters."""
    for lengths in LENGTHS:
        yield dict(zip(chapter.sizes, itertools.chain(lengths, itertools.count(8))))  # noqa: B905


UNFIT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what a formula that is no formula raises


def measure(line: Line, lengths: Mapping[str, int] | None = None, seed: int = 0) -> Result:
    """Check a line on random numbers: one choice of lengths, or all."""
    chosen = list(sizes_of(line.chapter)) if lengths is None else [lengths]
    check = {FORWARD: _defined, ADJOINT: _adjoint, REWRITING: _rewriting}[line.kind]
    worst = Result(line, RIGHT)
    started = time.perf_counter()
    for k, sizes in enumerate(chosen):
        try:
            found = check(line, line.chapter.values(sizes, seed + k), sizes)
        except UNFIT as error:
            found = Result(line, WRONG, np.inf, f"the formula does not run: {error}")
        if not found.ok or found.error >= worst.error:
            worst = found
        if not found.ok:
            break
    worst.seconds = time.perf_counter() - started
    return worst


def _defined(line: Line, values: dict[str, Any], sizes: Mapping[str, int]) -> Result:
    """A definition: its value has the shape that its notation says, and is finite."""
    value = line.chapter.run(values)[line.symbol]
    expected = line.chapter.shape(line.symbol, sizes)
    ok = np.shape(value) == expected and bool(np.all(np.isfinite(value)))
    got = f"shape {np.shape(value)}" if np.shape(value) != expected else "inf or NaN"
    return Result(line, _verdict(ok), what="" if ok else f"expected finite numbers of shape {expected}, got {got}")


def _rewriting(line: Line, values: dict[str, Any], sizes: Mapping[str, int]) -> Result:
    """Another form: equal to the definition, to rounding."""
    values = line.chapter.run(values)
    found, expected = np.asarray(line.value(values)), np.asarray(values[line.symbol])
    if found.ndim and found.shape != expected.shape:  # one number may stand for an array of it
        return Result(line, WRONG, np.inf, f"expected shape {expected.shape}, as of {line.symbol}, got {found.shape}")
    error = _difference(found, expected)
    return Result(line, _verdict(error < ROUNDING), error, "both sides, on random numbers")


def _verdict(ok: bool) -> str:
    return RIGHT if ok else WRONG


def _difference(found: np.ndarray, expected: np.ndarray, zero: float = ROUNDED_ZERO) -> float:
    """The largest difference, relative to the largest number expected. NaN is no agreement.

    If the largest is below `zero`, it may be a 0 with rounding errors, and the difference is taken as it is.
    """
    scale = float(np.max(np.abs(expected), initial=0))
    scale = scale if scale > zero else 1.0
    error = float(np.max(np.abs(np.subtract(found, expected, dtype="float64")), initial=0)) / scale  # conditions are 0 and 1
    return error if error == error else np.inf


def _adjoint(line: Line, values: dict[str, Any], sizes: Mapping[str, int]) -> Result:
    """An adjoint: against finite differences of the loss with respect to this symbol."""
    chapter, symbol = line.chapter, line.symbol[1:]
    before = chapter.run(values, (FORWARD,))

    def forward(s: Any) -> tuple:
        changed = {**values, symbol: s}
        return chapter.run(changed, (FORWARD,))[chapter.output], changed

    def backward(dout: Any, cache: dict) -> tuple:
        return (chapter.run({**cache, chapter.upstream: dout})[line.symbol],)

    report = check_backward(forward, backward, [before[symbol]], names=[symbol], allow_alias=True, batch_independent=False)
    found = report.inputs[0]
    error = found.worst.error if found.worst is not None else np.nan
    if report.ok is None and not error < ROUNDING:
        return Result(line, NOT_PROVED, float(error), "finite differences cannot tell")
    return Result(line, _verdict(report.ok is not False), float(error), "finite differences")  # (of a 0 they never can)


def three_forms(
    chapter: Chapter, sizes: Mapping[str, int], seed: int = 0, dtype: str = "float64", device: str = "cpu"
) -> float:
    """The largest difference between three ways to the output and its gradients, relative to the largest number.

    The chapter's adjoints; its forward definitions on Tensors, differentiated by the engine; and the op that runs in training.
    """
    values = {
        name: tensor(x, dtype=dtype, device=device) if isinstance(x, np.ndarray) else x
        for name, x in chapter.values(sizes, seed).items()
    }
    ours = chapter.run({name: x.array if isinstance(x, Tensor) else x for name, x in values.items()})
    adjoints = {line.symbol for line in chapter.lines if line.kind == ADJOINT}
    wanted = [name for name in chapter.given if chapter.adjoint_of(name) in adjoints]
    expected = [ours[chapter.output], *(ours[chapter.adjoint_of(name)] for name in wanted)]
    worst = 0.0
    for form in (_staged, _op) if chapter.runs_as else (_staged,):
        leaves = {name: values[name].clone().requires_grad_() for name in wanted}
        y = form(chapter, {**values, **leaves})
        grads = grad(y, list(leaves.values()), values[chapter.upstream]) if wanted else ()
        for found, right in zip([y, *grads], expected, strict=True):
            a, b = (np.asarray(to_numpy(x), "float64") for x in (raw(found), right))
            worst = max(worst, np.inf if a.shape != b.shape else _difference(a, b, ROUNDED_ZERO if dtype == "float64" else 1.0))
    return worst


def _staged(chapter: Chapter, values: dict[str, Any]) -> Any:
    return chapter.run(values, (FORWARD,))[chapter.output]


def _op(chapter: Chapter, values: dict[str, Any]) -> Any:
    assert chapter.runs_as is not None
    return chapter.runs_as(*(values[name] for name in inspect.signature(chapter.runs_as).parameters))


def passes(line: Line, formula: Callable, seed: int = 0) -> bool:
    """Whether the checks of a line would pass with another formula in its place.

    A definition is checked by all that is derived from it: the op that it belongs to, the adjoints and the other forms.
    """
    before, line.formula = line.formula, formula
    chapter, sizes = line.chapter, next(sizes_of(line.chapter))
    try:
        if line.kind == ADJOINT and _far_off(line, before, chapter.values(sizes, seed)):
            return False
        if line.kind != FORWARD and not measure(line, sizes, seed).ok:
            return False
        if line.kind != REWRITING and three_forms(chapter, sizes, seed) >= ROUNDING:
            return False
        return line.kind != FORWARD or all(measure(other, sizes, seed).ok for other in chapter.lines)
    except Exception:
        return False
    finally:
        line.formula = before


FAR = 1e-3  # finite differences are right to 1e-7 and better, so they see a gradient that is off by this much


def _far_off(line: Line, right: Callable, values: dict[str, Any]) -> bool:
    """Whether a line differs so much from the right formula that the comparison with finite differences would surely fail.

    That comparison takes a hundred times as long, above all for a wrong gradient, because the checker looks for a name.
    """
    values = line.chapter.run(values)
    found = np.asarray(line.value(values))
    expected = np.asarray(right(*(values[name] for name in line.uses)))
    if found.shape != expected.shape:
        return True
    return bool(np.max(np.abs(found - expected), initial=0) > FAR * np.max(np.abs(expected), initial=0))


# ---- proofs ----------------------------------------------------------------------------------------------------------


def prove(line: Line) -> Result:
    """Prove an adjoint or a rewriting for all sizes, with SymPy."""
    from . import proof

    started = time.perf_counter()
    expected, letters = line.chapter.letters(line.symbol), line.tree.letters
    if letters not in (expected, ()):  # one number may stand for an array of it
        return Result(line, WRONG, what=f"expected the letters {expected} of {line.symbol}, got {letters}")
    missing = _missing_adjoint(line) if line.kind == ADJOINT else ""
    if missing:
        return Result(line, NOT_PROVED, what=missing)
    elements = proof.Elements(line.chapter.sizes, line.chapter.settings)
    differences = [_chain_rule(line, elements)] if line.kind == ADJOINT else _to_earlier_forms(line, elements)
    vanishes = proof.vanishes if line.proof is None else _by_its_own_proof(line.proof)
    ok = any(vanishes(d) for difference in differences for d in _unfolded(line.chapter, difference, elements))
    seconds = time.perf_counter() - started
    if not ok:
        of_what = "by the chain rule" if line.kind == ADJOINT else "that both sides are equal for all sizes"
        return Result(line, NOT_PROVED, what=f"no proof was found {of_what}", seconds=seconds)
    what = "the chain rule" if line.kind == ADJOINT else "both sides are equal" if line.proof is None else "a proof of its own"
    return Result(line, RIGHT, what=what, seconds=seconds)


def _by_its_own_proof(its: Callable) -> Callable:
    from . import proof

    def vanishes(difference: Any) -> bool:
        cases = list(its(difference))
        return bool(cases) and all(proof.vanishes(case) for case in cases)

    return vanishes


def same_in_any_size(line: Line, formula: Callable) -> bool:
    """Whether another formula for a line is proved to be the same for all sizes."""
    from . import proof

    elements = proof.Elements(line.chapter.sizes, line.chapter.settings)
    other = Line(line.chapter, line.number, line.kind, formula, line.reason)
    difference = elements.number(line.tree, _at(line)) - elements.number(other.tree, _at(line))
    return any(proof.vanishes(d) for d in _unfolded(line.chapter, difference, elements))


def _at(line: Line) -> dict[str, Any]:
    from . import proof

    return {letter: proof.index(letter) for letter in line.chapter.letters(line.symbol) if letter}


def _to_earlier_forms(line: Line, elements: Any) -> list[Any]:
    """The last form above this line, and the definition, minus the line. The forms above are proved themselves."""
    lines = line.chapter.lines
    above = [other for other in lines[: lines.index(line)] if other.symbol == line.symbol]
    chosen = above[-1:] + above[:1] if len(above) > 1 else above
    return [elements.number(other.tree, _at(line)) - elements.number(line.tree, _at(line)) for other in chosen]


def _consumers(line: Line) -> list[Line]:
    """The definitions that use the symbol of an adjoint, on a way to the output."""
    chapter, symbol = line.chapter, line.symbol[1:]
    return [t for t in chapter.lines if t.kind == FORWARD and symbol in t.uses and chapter.reaches(t.symbol)]


def _missing_adjoint(line: Line) -> str:
    """What the chain rule needs for an adjoint and does not find; "" if it has all."""
    chapter = line.chapter
    for consumer in _consumers(line):
        dt = chapter.definition(name := chapter.adjoint_of(consumer.symbol))
        if name != chapter.upstream and (dt is None or dt.kind != ADJOINT):
            return f"expected an adjoint named {name}, a line of its own, because {consumer.number} uses {line.symbol[1:]}"
    return ""


def _chain_rule(line: Line, elements: Any) -> Any:
    """dL/ds minus the sum of dL/dt · ∂t/∂s over all t that are computed from s."""
    from . import proof

    chapter, symbol = line.chapter, line.symbol[1:]
    s = elements.of(chapter.symbol(symbol), _at(line))
    total: Any = elements.of(chapter.symbol(chapter.upstream), _at(line)) if symbol == chapter.output else 0
    for consumer in _consumers(line):
        letters = [letter for letter in chapter.letters(consumer.symbol) if letter]
        there = {letter: proof.index(f"{letter}_there") for letter in letters}
        dt = elements.of(chapter.symbol(chapter.adjoint_of(consumer.symbol)), there)
        term = dt * proof.derivative(elements.of(consumer.tree, there), s)
        for letter in letters:
            term = proof.sp.Sum(term, (there[letter], 1, proof.size(chapter.sizes[letter])))
        total = total + term
    return elements.of(line.tree, _at(line)) - total


def _unfolded(chapter: Chapter, e: Any, elements: Any) -> Iterator[Any]:
    """The expression, and with one symbol, or more and more of them, replaced by the definition; the last one is first."""
    yield e
    definitions = [{line.symbol: line.tree} for line in reversed(chapter.lines) if line.kind != REWRITING]
    for definition in definitions:
        if (unfolded := elements.unfold(e, definition)) != e:
            yield unfolded
    for definition in definitions:
        before, e = e, elements.unfold(e, definition)
        if e != before:
            yield e
