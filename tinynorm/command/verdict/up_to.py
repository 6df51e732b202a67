"""Ask whether a wrong gradient is right up to a tiny number, or up to the 1/m of a mean over m samples."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ...gradcheck.diagnosis.naming import exactly
from ..functions.depends import alike
from ..functions.kinds import PARAMETERS
from ..read.read_code import text_of
from ..run_code import attempt
from .other_inputs import resized
from .question import Answer, Question

# The relative error of a gradient that leaves out 1e-5 beside a probability of a tenth. No mistake is so small.
TINY = 1e-4
# The relative error of one that leaves out 1e-7 beside a sum that is 0.1 or more, as of e / (e.sum() + 1e-7). A derivative that
# is 0 may be off by a tenth of that of the largest one.
TINIER = 1e-6
# Smaller inputs are so many times the usual ones. A softmax of them has no probability far below a tenth; and what is
# forgotten of second order, as 1 - h**2, is still a tenth of the gradient.
SMALLER = 1 / 3
A_SIZE = re.compile(r" \([^()]*?(\d+) is (?:the|a) [^()]*\)")  # " (9 is the size of axis 1)"
FACTOR = re.compile(r"it is [^;.]* times the right gradient; (divide|multiply) by \d+")
MEAN, SUM = ("mean", "sum", "divide"), ("sum", "mean", "multiply")  # (what a loss is, of what its gradient is, what to do)
NEARLY = "right up to a tiny number"
UP_TO = "right up to 1/m"  # what is said of a layer by that convention


def take_back_sizes(q: Question) -> None:
    """Where a factor is said to be a size, and stays the same when the size is another, say the number alone."""
    for k, finding in enumerate(q.report.findings):
        said, factor = A_SIZE.search(finding.sentence), float(finding.details.get("factor") or 0.0)
        other = resized(q.call, int(said[1]), int(said[1]) + 1) if said and factor else None
        if other is None:
            continue

        def divided(dout: Any, cache: Any, by: float = factor, name: str = finding.input) -> list:
            grads = q.call.by_number(q.call.backward(dout, cache))
            return [g / by if q.call.names[i] == name else None for i, g in grads.items()]

        if q.may_be_right(other, backward=divided):
            q.report.findings[k] = replace(finding, sentence=A_SIZE.sub("", finding.sentence), formula=exactly(factor))


def say_mean(q: Question) -> None:
    """Where a loss is a mean and its gradient that of the sum, or the other way round, say that for the bare factor."""
    x = next((np.shape(x) for x in q.call.inputs if np.ndim(x) in (1, 2)), ())
    sets = {"rows": x[:1], "columns": x[1:], "elements": x}
    for k, finding in enumerate(q.report.findings if q.call.shape == () else ()):
        factor = max(0.0, float(finding.details.get("factor") or 0.0))
        (now, then, does), count = (MEAN, factor) if factor > 1 else (SUM, 1 / factor if factor else 0.0)
        for what, sizes in sets.items():
            if sizes and np.isclose(prod(sizes), count) and all(_repeated(q, n) == now for n in sizes):
                says = f"the loss is a {now} over the {prod(sizes)} {what}, and its gradient is that of their {then}: {does} by"
                q.report.findings[k] = replace(finding, sentence=FACTOR.sub(f"{says} {prod(sizes)}", finding.sentence))
                break


def _repeated(q: Question, size: int) -> str:
    """Return what a loss is over an axis of this size, by its value where all is there twice along it: a mean, or a sum."""
    twice = q.call.twice(size)
    one, two = q.call.outputs(*q.call.inputs), twice.outputs(*twice.inputs)
    return "mean" if alike(one, two) else "sum" if alike([2 * y for y in one], two) else ""


def up_to_a_tiny_number(q: Question) -> Answer | None:
    """Forward adds a tiny number that backward leaves out: 1e-9 to a sum, or, before its logarithm, 1e-7 to a loss's p."""
    if q.report.faults or not q.report.evidence:
        return None
    if not _is_off_by_little(q):
        return _beside_a_logarithm(q) if q.call.shape == () and _takes_logarithms(q) else None
    for found in q.report.inputs:
        found.ok, found.wrong = True, 0
    where = "forward adds one that backward leaves out, as in e / (e.sum() + 1e-9)"
    q.report.notes.append(f"the gradient is right up to a tiny number: {where}")
    return Answer("", NEARLY, replace(q.report, ok=True, findings=[]))


def _beside_a_logarithm(q: Question) -> Answer | None:
    """Ask with smaller inputs, of which no probability is so small that a tiny number beside it counts."""
    scaled = [i in q.call.floats and kind != "target" for i, kind in enumerate(q.call.kinds)]
    signs = [np.resize([1, -1], x.shape) if x.size in x.shape else 1 for x in map(np.asarray, q.call.inputs)]
    made = [np.asarray(SMALLER * x * sign) if s else x for x, sign, s in zip(q.call.inputs, signs, scaled, strict=True)]
    small = q.call.with_inputs(made)  # biases of both signs, or all units of a ReLU are alive there
    report, error = attempt(q.ask, small, rtol=TINY)
    wrong = [found.name for found in report.inputs if found.ok is False] if error is None else q.wrong
    near = [name for name in q.wrong if name not in wrong]
    if not near or not all(_is_off_by(q, name, 0.1, 0.0) for name in near):
        return None
    where = "the loss adds one in its logarithm (or clips there), as log(p + 1e-7), and the gradient is that of log(p)"
    if not wrong:
        report.notes.append(f"the gradient is right up to a tiny number: {where}")
        return Answer("", NEARLY, report)
    report.notes.append(f"{', '.join(f'd{name}' for name in near)}: right up to a tiny number: {where}")
    return Answer("", "", report, then=Question(small, report, partial(q.ask, rtol=TINY)))


def _is_off_by_little(q: Question) -> bool:
    """Whether no gradient is off by more than TINIER, in any element measured, and along one direction through all."""
    if not _largest(q) or None in [found.ok for found in q.report.inputs]:
        return False
    little = all(_is_off_by(q, name, 0.1 * TINIER, TINIER) for name in q.wrong)
    return little and q.may_be_right(q.call, within=TINIER, least=_largest(q))


def _largest(q: Question) -> float:
    """The largest derivative that was measured."""
    numeric = q.report.evidence.numeric if q.report.evidence else []
    return max((float(np.max(np.abs(s.value))) for s in numeric if s is not None and s.value.size), default=0.0)


def _is_off_by(q: Question, name: str, of_largest: float, of_own: float) -> bool:
    """Whether no element of a gradient is off by more than a part of the largest derivative and a part of its own."""
    i, e = q.call.names.index(name), q.report.evidence
    G, s = (e.analytic[i], e.numeric[i]) if e else (None, None)
    if G is None or s is None:
        return False
    off = np.abs(G.ravel()[s.index] - s.value)
    return bool(np.all(off <= of_own * np.abs(s.value) + of_largest * _largest(q)))


def _takes_logarithms(q: Question) -> bool:
    """Whether "log" is in the code of the loss, or of what it calls; True where there is no code to read."""
    try:
        return "log" in text_of(getattr(q.call.pair.forward, "cls", q.call.pair.forward)).lower()
    except (OSError, TypeError, SyntaxError):  # the last: of Python 2
        return True


def up_to_samples(q: Question) -> Answer | None:
    """By a convention of courses, the gradients of all parameters have the mean's 1/m, and that of the input has not."""
    call, m = q.call, _common_factor(q)
    kinds = dict(zip(call.names, call.kinds, strict=True))
    others = [found.name for found in q.report.inputs if found.ok and not _stands(q, found.name)]
    learned = {*getattr(call.pair.forward, "learned", ()), *(n for n, kind in kinds.items() if kind in PARAMETERS)}
    names, shapes = q.wrong, [np.shape(x) for x in call.inputs] + [call.shape if isinstance(call.shape, tuple) else ()]
    if getattr(call.pair.forward, "of_file", False):  # the file has the loss, and that says whether there is a 1/m
        return None
    few = len(names) < 2 and not (q.mean and names)
    if q.report.faults or call.pair.loss or few or not others or learned & {*others}:
        return None
    if not m or "affine" in map(kinds.get, names) or m not in {n for shape in shapes for n in (shape[:1] + shape[-1:])}:
        return None

    def scaled(dout: Any, cache: Any) -> tuple:
        grads = call.by_number(call.backward(dout, cache))
        return tuple(m * g if call.names[i] in names else g for i, g in grads.items())

    right = q.right(call, backward=scaled)
    if right is None:
        return None
    features = [
        name for name, shape in zip(call.names, shapes, strict=False) if name in names and len(shape) == 2 and m in shape
    ]
    if any("weight" in kinds[name] for name in features):
        return Answer(
            f"it is right but for the factor 1/m, and m = {m} is a number of features: the samples are on the other axis"
        )
    gradients = " and ".join(filter(None, [", ".join(f"d{n}" for n in names[:-1]), f"d{names[-1]}"]))
    right.notes.append(
        f"{gradients} are 1/m times the gradient (m = {m} samples): the convention of courses whose loss is a mean and "
        f"whose first gradient has no 1/m. The table shows {m} times what backward returns"
    )
    return Answer("", UP_TO, right)


def _stands(q: Question, name: str) -> bool:
    """Whether the output does not depend on an input: as that of attention on the bias of its keys."""
    s = q.report.evidence.numeric[q.call.names.index(name)] if q.report.evidence else None
    return s is not None and bool(np.all(np.abs(s.value) <= TINIER * _largest(q)))


def _common_factor(q: Question) -> int:
    """Return the whole number that all wrong gradients have to be multiplied with to be right; 0 if there is none."""
    wrong = [i for i in q.report.evidence.wrong if not _stands(q, q.call.names[i])] if q.report.evidence else []
    found = {q.whole_factor(i) for i in wrong}
    return found.pop() if len(found) == 1 else 0
