"""Call forward in its other modes: activation "tanh" where it was "relu", one-hot targets in place of class numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh
from ..read.guess_kinds import words_compared, words_meant
from ..read.read_code import code_of, parameters
from ..run_code import attempt
from .call_pair import ONE_VALUE, Call
from .choose_call import ranked
from .draw_inputs import ELSE, other_number

# Modes in which backward is not called, or only if its code names them.
TASKS = ("train", "training", "test", "testing", "eval", "val", "valid", "inference", "predict")
# Arguments with a default that are tried with another value too.
SWITCHES = re.compile("causal|mask|normal|average|mean|size_average|reduce|bias|scale|include|residual|align|peephole|ceil")
FACTORS = re.compile("alpha|beta|temp|factor|delta|scale|slope|thresh|margin|sigma|tau|lam|weight")
LEAST = 1e-3  # a smaller number is added lest something is divided by 0
FAR = 100  # a greater number is a guard against overflow
BEYOND = 1.5  # so that several elements of x are beyond the limit, and not only the widest
SIZES = re.compile("^(stride|strides|pad|padding|dilation|s)$")


def in_other_modes(call: Call) -> Iterator[tuple[str, Call]]:
    """Yield (what is other, the call) for each other word that forward compares an argument with: activation "tanh"."""
    given = dict(zip(call.names, call.inputs, strict=True))
    in_backward = words_compared(call.user_backward)
    for p in parameters(call.pair.forward, ONE_VALUE):
        now, others = given.get(p.name, p.default), dict[str, Any]()
        if isinstance(now, dict) and "mode" in now:
            others = {word: now | {"mode": word} for word in in_backward if word in TASKS and word != now["mode"]}
            others |= {"stride 1": now | {"stride": 1}} if "pool" in call.pair.name else {}  # windows that overlap
        elif now is p.default and type(now) is bool and (SWITCHES.search(p.name) or (not now and "train" in p.name)):
            others = {str(not now): not now}
        elif now is p.default and type(now) is int and SIZES.search(p.name):
            others = {str(now % 2 + 1): now % 2 + 1}
        elif now is p.default and _is_factor(p.name, now) and _backward_may_know(call, p.name):
            value = other_number(now)
            others = {f"{value:g}": value}
        elif isinstance(now, str):  # softmax hands on dout, which the loss has made p - y
            words = [*words_meant(call.pair.forward, p.name), *words_compared(call.user_backward, p.name)]
            words = [word for word in [*words, ELSE.get(now, now)] if word not in (now, "softmax")]
            others = {word: word for word in words if word.lower() not in TASKS or word in in_backward}
        for word, value in others.items():
            changed = given | {p.name: value}
            other = replace(call, names=list(changed), inputs=list(changed.values()), guesses=call.guesses | {p.name: "number"})
            if ranked(other) is None and other.rank[0] and not (type(value) is float and _same_output(call, other)):
                yield f"{p.name} {value if isinstance(value, int | float) else repr(word)}", other
    yield from call.switched()
    yield from _with_other_targets(call)
    yield from _beyond(call)


def _beyond(call: Call) -> Iterator[tuple[str, Call]]:
    """Yield the call with x stretched beyond the numbers that forward compares it with, as 6 of ReLU6, if it is not there."""
    code = code_of(call.pair.forward)
    limits = [abs(number) for part in ast.walk(code or ast.Pass()) for number in _compared(part)]
    limit = max((x for x in limits if x < FAR), default=0)
    widest = [np.abs(x).max() for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "x" and differentiable(x)]
    if call.pair.inputs is None and widest and min(widest) > 1 and limit > min(widest):
        stretch = BEYOND * limit / min(widest)
        inputs = [x * stretch if kind == "x" else x for x, kind in zip(call.inputs, call.kinds, strict=True)]
        other = call.with_inputs(inputs)
        if ranked(other) is None and other.rank[0]:
            yield f"x up to {BEYOND * limit:g}", other


def _compared(node: ast.AST) -> Iterator[float]:
    """Yield the numbers that something is compared with, or cut off at."""
    cuts = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("clip", "minimum", "maximum")
    for part in ast.walk(node) if isinstance(node, ast.Compare) or cuts else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, int | float):
            yield part.value


def _is_factor(name: str, now: Any) -> bool:
    """Whether a default may be a factor, as alpha=1: a float that is no mere guard against 0, or a number of such a name."""
    if type(now) is float:
        return (abs(now) >= LEAST or now == 0) and abs(now) < inf
    return type(now) is int and bool(FACTORS.search(name))


def _backward_may_know(call: Call, name: str) -> bool:
    """Whether backward takes the number by its name, or no number of its own, as slope=0.01 for alpha=0.01."""
    taken = {p.name: p.default for p in parameters(call.user_backward, ONE_VALUE)}
    known = {p.name for p in parameters(call.pair.forward, ONE_VALUE)}
    return name in taken or not any(type(default) in (int, float) for own, default in taken.items() if own not in known)


def _same_output(call: Call, other: Call) -> bool:
    first, second = (attempt(one.forward, *map(fresh, one.inputs))[0] for one in (call, other))
    return not first or not second or isinstance(first[0], tuple) or np.array_equal(first[0], second[0])


def _with_other_targets(call: Call) -> Iterator[tuple[str, Call]]:
    """Yield the call with one-hot targets in place of class numbers, or the other way round, where forward takes both.

    It does where it gives the same output.
    """
    for i, (name, kind, y) in enumerate(zip(call.names, call.kinds, call.inputs, strict=True)):
        if kind != "target" or not isinstance(y, np.ndarray):
            continue
        if y.dtype.kind == "i":
            counts = {np.shape(x)[-1] for x in call.inputs if differentiable(x) and np.ndim(x) and np.shape(x)[-1] > y.max()}
            others = [("one-hot", np.eye(count)[y]) for count in sorted(counts)]
        else:
            others = (
                [("class numbers", y.argmax(-1))]
                if y.ndim > 1 and np.array_equal(np.sort(y)[..., -1:], y.sum(-1, keepdims=True))
                else []
            )
        for words, targets in others:
            other = call.with_inputs([targets if i == j else x for j, x in enumerate(call.inputs)])
            (before, _), _ = attempt(call.forward, *[fresh(x) for x in call.inputs])
            found, error = attempt(other.forward, *[fresh(x) for x in other.inputs])
            if error is None and np.shape(found[0]) == np.shape(before) and np.allclose(found[0], before, rtol=1e-9):
                other.unclaimed = {*call.unclaimed, name}  # targets need no gradient
                yield f"{name} {words}", other


def in_columns(call: Call) -> Call | None:
    """Return the call with targets that are one-hot in columns, where the drawn ones are so in rows; else None.

    Both are of one shape, and which of them a forward is meant to take is not seen from its output.
    """
    targets = [i for i, kind in enumerate(call.kinds) if kind == "target" and np.ndim(call.inputs[i]) == 2]
    if call.pair.inputs is not None or call.layout is None or not targets:
        return None
    inputs = list(call.inputs)
    for i in targets:
        rows, columns = inputs[i].shape
        if not np.array_equal(np.sort(inputs[i], axis=1), np.eye(columns)[[-1] * rows]):
            return None
        inputs[i] = np.eye(rows)[:, np.arange(columns) % rows]
    other = call.with_inputs(inputs, call.layout)
    return other if ranked(other) is None else None
