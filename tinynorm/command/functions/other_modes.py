"""Call forward in its other modes: activation "tanh" where it was "relu", one-hot targets in place of class numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable
from ..read.by_use import words_compared, words_meant
from ..read.match_names import FLAGS
from ..read.read_code import nodes_of, parameters, returned
from .call_pair import ONE_VALUE, Call
from .depends import alike
from .kinds import ELSE, NORMS, has_word, kind_of, other_number
from .try_call import ranked

# Modes in which backward is not called, or only if its code names them.
TASKS = ("train", "training", "test", "testing", "eval", "val", "valid", "inference", "predict")
# Arguments with a default that are tried with another value too.
SWITCHES = re.compile("causal|mask|normal|average|mean|size_average|reduce|bias|scale|include|residual|align|peephole|ceil")
FACTORS = re.compile("^l$|alpha|beta|temp|factor|delta|scale|slope|thresh|margin|sigma|tau|lam|weight|gain|gamma|steep|coef")
LEAST = 1e-3  # a smaller number is added lest something is divided by 0
FAR = 100  # a greater number is a guard against overflow
BEYOND = 1.5  # so that several elements of x are beyond the limit, and not only the widest
IGNORED = re.compile("ignore|pad_?(id|idx|index|token|label)")
SIZES = re.compile("^(stride|strides|pad|padding|dilation|s|groups?|num_groups|n_groups)$")
ANOTHER = "another"  # a word that is compared with nothing: `else` is for it


def in_other_modes(call: Call) -> Iterator[tuple[str, Call]]:
    """Yield (what is other, the call) for each other word that forward compares an argument with: activation "tanh"."""
    given = dict(zip(call.names, call.inputs, strict=True))
    known = {p.name: given.get(p.name, p.default) for p in parameters(call.pair.forward, ONE_VALUE)}
    for name, now in known.items():
        for word, value in _others(call, name, now, name not in call.names).items():
            turned = "trans" in name and value is True
            doubtful = not turned and (word == ANOTHER or _may_be_switched(call, name, now))
            other = _changed(call, name, value, "number")
            other = _transposed(other) if turned else other
            fits = _runs(other) and (other.rank[1] or not doubtful)
            if fits and not ((doubtful or type(value) is float) and same_output(call, other)):
                yield f"{name} {word if isinstance(value, int | float) else repr(word)}", other
    yield from call.switched()
    yield from _with_other_targets(call)
    yield from _with_targets_ignored(call, known)
    yield from _with_optional_arrays(call, known)
    yield from _beyond(call)


def _changed(call: Call, name: str, value: Any, kind: str) -> Call:
    """Return the call with another value of an argument, drawn until now or left at its default."""
    given = dict(zip(call.names, call.inputs, strict=True)) | {name: value}
    return replace(call, names=list(given), inputs=list(given.values()), guesses=call.guesses | {name: kind})


def _runs(call: Call) -> bool:
    """Whether forward takes the inputs, and its output is finite."""
    return ranked(call) is None and call.rank[0]


def _others(call: Call, name: str, now: Any, default: bool) -> dict[str, Any]:
    """Return the other values of an argument, by what to say of them."""
    in_backward = words_compared(call.user_backward)
    if isinstance(now, dict) and "mode" in now:
        others = {word: now | {"mode": word} for word in in_backward if word in TASKS and word != now["mode"]}
        tests = [ast.unparse(node.test) for node in nodes_of(call.user_backward) if isinstance(node, ast.If | ast.IfExp)]
        others |= {"pad 0": now | {"pad": 0}} if any(re.search(r"\bpad", test) for test in tests) else {}
        return others | ({"stride 1": now | {"stride": 1}} if "pool" in call.pair.name else {})  # windows that overlap
    named = type(now) is bool and (SWITCHES.search(name) or (not now and "train" in name))
    if default and (named or _may_be_switched(call, name, now)):
        return {str(not now): not now}
    if not default and type(now) is int and now > 1 and "strid" in name and "pool" in call.pair.name.lower():
        return {"1": 1}  # windows that overlap
    if default and type(now) is int and SIZES.search(name):
        return {str(now % 2 + 1): now % 2 + 1}
    if default and type(now) is int and name in ("axis", "dim"):
        handed_on = {getattr(node, "id", "") for value in returned(call.pair.forward) for node in ast.walk(value)}
        handed_on |= {p.name for p in parameters(call.user_backward, ONE_VALUE)}  # backward takes it, or finds it in the cache
        return {str(int(now == 0)): int(now == 0)} if name in handed_on else {}
    if default and type(now) in (int, float) and _is_factor(call, name, now):
        return {f"{(other := other_number(now, name)):g}": other}
    if isinstance(now, str) or (default and now is None):  # softmax hands on dout, which the loss has made p - y
        words = [*words_meant(call.pair.forward, name), *words_compared(call.user_backward, name)]
        words = [word for word in [*words, ELSE.get(now or "", now)] if word not in (now, "softmax", None)]
        names = {getattr(node, "id", "") for node in nodes_of(call.pair.forward)}
        compared = words_compared(call.pair.forward, name)  # a word of backward's alone is what `else` means in forward
        other = now in compared and "softmax" not in names and {*words_compared(call.user_backward, name)} <= {*compared}
        words += [ANOTHER] * other
        return {word: word for word in words if word.lower() not in TASKS or word in in_backward}
    return {}


def _transposed(call: Call) -> Call:
    """Return the call with the one matrix transposed with which it works, as of ``matmul(a, b, transpose_b=False)``."""
    for i, x in enumerate(call.inputs):
        other = call.with_input(i, x.T if np.ndim(x) == 2 else x)
        if _runs(other):
            return other
    return call


def _with_optional_arrays(call: Call, known: dict[str, Any]) -> Iterator[tuple[str, Call]]:
    """Yield the call with a mask, or with weights of the classes or samples of a loss, where the default is None."""
    x = next((x for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "x" and isinstance(x, np.ndarray)), None)
    for name in [name for name, default in known.items() if default is None and name not in call.names]:
        if x is None or (kind_of(name) != "mask" and not (call.pair.loss and "weight" in name)):
            continue
        rng = np.random.default_rng(0)
        for shape in dict.fromkeys((x.shape, x.shape[:-1], x.shape[-1:])):
            array = (rng.random(shape) < 0.6).astype(float) if "mask" in name else rng.uniform(0.5, 1.5, shape)
            other = _changed(call, name, array, "mask")
            if ranked(other) is None and all(other.rank) and not same_output(call, other):
                yield f"{name} {shape}", other
                break


def _may_be_switched(call: Call, name: str, now: Any) -> bool:
    """Whether it is a switch, though its name does not say so. Of a norm, the statistics of a test have no gradient."""
    words = {*name.lower().split("_")}
    asked, slope = not now and words & {*TASKS}, words & {*FLAGS.split()}  # is_test=False; what makes it its own backward
    norm = NORMS & {*call.kinds} or has_word(call.pair.name, "norm", "bn")
    return type(now) is bool and not (asked or slope or norm)


def _beyond(call: Call) -> Iterator[tuple[str, Call]]:
    """Yield the call with x stretched beyond the numbers that forward compares it with, as 6 of ReLU6, if it is not there."""
    limits = [abs(number) for node in nodes_of(call.pair.forward) for number in _compared(node)]
    limit = max((x for x in limits if x < FAR), default=0)
    widest = [np.abs(x).max() for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "x" and differentiable(x)]
    if call.pair.inputs is None and widest and min(widest) > 1 and limit > min(widest):
        stretch = BEYOND * limit / min(widest)
        inputs = [x * stretch if kind == "x" else x for x, kind in zip(call.inputs, call.kinds, strict=True)]
        other = call.with_inputs(inputs)
        if _runs(other):
            yield f"x up to {BEYOND * limit:g}", other


def _compared(node: ast.AST) -> Iterator[float]:
    """Yield the numbers that something is compared with, or cut off at."""
    cuts = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("clip", "minimum", "maximum")
    for part in ast.walk(node) if isinstance(node, ast.Compare) or cuts else ():
        if isinstance(part, ast.Constant) and isinstance(part.value, int | float):
            yield part.value


def _is_factor(call: Call, name: str, now: Any) -> bool:
    """Whether a default may be a factor, as alpha=1: a float that is no mere guard against 0, or a number of such a name.

    Backward has to know it: it takes it by its name, or no number of its own, as slope=0.01 for alpha=0.01.
    """
    taken = {p.name: p.default for p in parameters(call.user_backward, ONE_VALUE)}
    known = {p.name for p in parameters(call.pair.forward, ONE_VALUE)}
    if name not in taken and any(type(default) in (int, float) for own, default in taken.items() if own not in known):
        return False
    return LEAST <= abs(now) < inf or now == 0 if type(now) is float else bool(FACTORS.search(name))


def _with_other_targets(call: Call) -> Iterator[tuple[str, Call]]:
    """Yield the call with one-hot targets in place of class numbers, or the other way round, where forward takes both.

    It does where it gives the same output.
    """
    for i, (name, kind, y) in enumerate(zip(call.names, call.kinds, call.inputs, strict=True)):
        counts = {np.shape(x)[-1] for x in call.inputs if differentiable(x) and np.ndim(x)}
        ours = getattr(call.pair.forward, "usual", "")  # a loss of ours, which takes both
        for words, targets in other_targets(y, counts) if kind == "target" and not ours else []:
            other = call.with_input(i, targets)
            if same_output(call, other):
                other.unclaimed = {*call.unclaimed, name}  # targets need no gradient
                yield f"{name} {words}", other


def other_targets(y: Any, counts: set[int]) -> list[tuple[str, np.ndarray]]:
    """Return (what to call it, the targets) for other ways to write the same targets, of so many classes."""
    if not isinstance(y, np.ndarray) or not y.size:
        return []
    if y.dtype.kind == "i":
        return [("one-hot", np.eye(count)[y]) for count in sorted(counts) if count > y.max()]
    return [("class numbers", y.argmax(-1))] if y.ndim > 1 and has_one_hot_rows(y) else []


def same_output(call: Call, other: Call) -> bool:
    """Whether forward gives the same with both, to rounding."""
    return alike(call.outputs(*call.inputs), other.outputs(*other.inputs))


def _with_targets_ignored(call: Call, known: dict[str, Any]) -> Iterator[tuple[str, Call]]:
    """Yield the call with one target that is to be left out, as ``ignore_index=-100`` says."""
    ignored = next((value for name, value in known.items() if IGNORED.match(name) and type(value) is int), None)
    for i, y in enumerate(call.inputs) if ignored is not None else ():
        if call.kinds[i] == "target" and isinstance(y, np.ndarray) and y.dtype.kind == "i" and y.size > 1:
            fewer = y.copy()
            fewer.flat[1] = ignored
            other = call.with_input(i, fewer)
            if _runs(other):
                yield f"one of {call.names[i]} {ignored}", other


def has_one_hot_rows(a: np.ndarray) -> bool:
    """Whether an array has one 1 in each row of its last axis, and zeros else."""
    return bool(np.all(np.sort(a) == np.eye(a.shape[-1])[-1]))


def in_columns(call: Call) -> Call | None:
    """Return the call with targets that are one-hot in columns, where the drawn ones are so in rows, or any zeros and ones.

    All are of one shape, and which of them a forward is meant to take is not seen from its output.
    """
    targets = [i for i, kind in enumerate(call.kinds) if kind == "target" and np.ndim(call.inputs[i]) == 2]
    if call.pair.inputs is not None or call.layout is None or not targets:
        return None
    inputs = list(call.inputs)
    for i in targets:
        rows, columns = inputs[i].shape
        if not np.all((inputs[i] == 0) | (inputs[i] == 1)):
            return None
        inputs[i] = np.eye(rows)[:, np.arange(columns) % rows]
    other = call.with_inputs(inputs, call.layout)
    return other if ranked(other) is None else None
