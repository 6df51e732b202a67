"""What two libraries made of one call, beside each other: agreement, a silent difference, a refusal, or leniency."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from databases_call import Call
from databases_run import Outcome

# Deviations up to these are rounding: of each number where an operation works number by number, else of the largest.
TOLERANCE = {"float64": 1e-9, "float32": 2e-4, "float16": 1e-2}
NEARER = "nearer to float64 than PyTorch"
RANDOM = {
    *{"randn", "randint", "rand", "randperm", "empty", "dropout", "normal_", "uniform_"},
    *{"randn_like", "randint_like", "rand_like", "normal", "multinomial", "bernoulli", "bernoulli_", "empty_like", "new_empty"},
}


@dataclass(frozen=True)
class Difference:
    """A quantity that is not what PyTorch gave: `what` is of value, shape, dtype, sharing, change, gradient, second."""

    what: str
    number: int | str  # of the output, or of the input
    said: str
    got: Any = None  # arrays, where the numbers differ
    expected: Any = None
    wrong: Any = None  # and where they do


@dataclass(frozen=True)
class Verdict:
    """`kind` is of agree, silent, refusal, lenient."""

    kind: str
    differences: tuple[Difference, ...] = ()
    message: str = ""


def judge(call: Call, expected: Outcome, got: Outcome, exact: Callable[[], Outcome | None]) -> Verdict:
    """`exact` says what the call is but for rounding: a number nearer to that than to PyTorch's own is right."""
    if expected.error or got.error:
        if expected.error and got.error:
            return Verdict("agree")
        return Verdict("refusal", message=got.error) if got.error else Verdict("lenient", message=expected.error or "")
    differences = tuple(_compare(call, expected, got, None))
    if differences and call.dtype in ("float32", "float16"):
        truth = exact()
        differences = tuple(_compare(call, expected, got, truth)) if truth is not None else differences
        if not differences:
            return Verdict("agree", message=NEARER)
    return Verdict("silent", differences) if differences else _judge_stages(expected, got)


def _judge_stages(expected: Outcome, got: Outcome) -> Verdict:
    """Nothing that both computed differs; did one of them refuse to differentiate?"""
    for stage, theirs, ours in (
        ("backward", expected.grad_error, got.grad_error),
        ("second backward", expected.second_error, got.second_error),
    ):
        if ours and not theirs:
            return Verdict("refusal", message=f"{stage}: {ours}")
        if theirs and not ours:
            return Verdict("lenient", message=f"{stage}: {theirs}")
        if theirs:
            return Verdict("agree")
    if any(expected.tracked) and not any(got.tracked):
        return Verdict("refusal", message="backward: the result does not require grad")
    if any(got.tracked) and not any(expected.tracked):
        return Verdict("lenient", message="backward: the result does not require grad in PyTorch")
    return Verdict("agree")


def as_precise_as(narrow: Outcome, wide: Outcome) -> Outcome | None:
    """The numbers that were computed in float64, in the dtypes of the narrow outcome; None where they do not match."""
    sizes = [len(wide.outputs), len(wide.grads)] == [len(narrow.outputs), len(narrow.grads)]
    if wide.error or not sizes:
        return None

    def cast(value: Any, like: Any) -> Any:
        if not isinstance(value, np.ndarray) or not isinstance(like, np.ndarray) or value.shape != like.shape:
            return like
        with np.errstate(all="ignore"):
            return value.astype(like.dtype)

    outputs = [cast(a, b) for a, b in zip(wide.outputs, narrow.outputs, strict=True)]
    grads = [cast(a, b) for a, b in zip(wide.grads, narrow.grads, strict=True)]
    changed = {i: cast(wide.changed.get(i), a) for i, a in narrow.changed.items()}
    return Outcome(outputs=outputs, changed=changed, grads=grads)


def _compare(call: Call, expected: Outcome, got: Outcome, truth: Outcome | None) -> Iterator[Difference]:
    if len(expected.outputs) != len(got.outputs):
        yield Difference("shape", 0, f"{len(got.outputs)} outputs for {len(expected.outputs)}")
        return
    random = call.path in RANDOM
    for i, (z, y) in enumerate(zip(expected.outputs, got.outputs, strict=True)):
        differences = list(_compare_numbers(call, "value", i, y, z, truth and truth.outputs[i], random))
        yield from differences
        if not differences and isinstance(z, np.ndarray) and z.size and sorted(expected.shared[i]) != sorted(got.shared[i]):
            said = f"the output shares inputs {got.shared[i]}'s memory for {expected.shared[i]}'s"
            yield Difference("sharing", i, said)
    if random:
        return
    yield from _compare_changes(call, expected, got, truth)
    failed = expected.grad_error or got.grad_error
    if not failed:
        yield from _compare_gradients(call, "gradient", expected.grads, got.grads, truth.grads if truth else [])
    if not (failed or expected.second_error or got.second_error):
        yield from _compare_gradients(call, "second", expected.seconds, got.seconds, [])


def _compare_changes(call: Call, expected: Outcome, got: Outcome, truth: Outcome | None) -> Iterator[Difference]:
    """The inputs afterwards; one that was not changed is what it was."""
    before = call.specs()
    for i in sorted(expected.changed.keys() | got.changed.keys()):
        y, z = (outcome.changed.get(i, before[int(i)].values) for outcome in (got, expected))
        yield from _compare_numbers(call, "change", i, y, z, truth and truth.changed.get(i))


def _compare_gradients(call: Call, what: str, expected: list, got: list, truth: list) -> Iterator[Difference]:
    """Gradient by gradient; None and zeros are the same, since neither moves a parameter."""
    for i in range(max(len(expected), len(got))):
        y, z, t = (gradients[i] if i < len(gradients) else None for gradients in (got, expected, truth))
        if y is None and z is None:
            continue
        y, z = (np.zeros_like(z) if y is None else y), (np.zeros_like(y) if z is None else z)
        yield from _compare_numbers(call, what, i, y, z, t)


def _compare_numbers(
    call: Call, what: str, number: int | str, y: Any, z: Any, truth: Any = None, random: bool = False
) -> Iterator[Difference]:
    """The first way in which `y` is neither `z` nor the truth."""
    if not isinstance(z, np.ndarray) or not isinstance(y, np.ndarray):
        if not _same_plain(y, z):
            yield Difference(what, number, f"{say(y)} for {say(z)}")
    elif y.shape != z.shape:
        yield Difference("shape" if what == "value" else what, number, f"shape {y.shape} for {z.shape}")
    elif y.dtype != z.dtype:
        yield Difference("dtype" if what == "value" else what, number, f"dtype {y.dtype} for {z.dtype}")
    elif not random:
        each = call.elementwise and what in ("value", "change")
        wrong = ~close(call, y, z, each)
        if isinstance(truth, np.ndarray) and truth.dtype == z.dtype:
            wrong &= ~close(call, y, truth, each)
        if wrong.any():
            at = tuple(int(i) for i in np.argwhere(wrong)[0]) if z.ndim else ()
            where = f" (first of {wrong.sum()} of {wrong.size}, at {at})" if z.size > 1 else ""
            yield Difference(what, number, f"{y[at]} for {z[at]}{where}", y, z, wrong)


def _same_plain(y: Any, z: Any) -> bool:
    if type(y) is not type(z):
        return False
    return y == z or (isinstance(z, float) and abs(y - z) <= 1e-9 * abs(z)) or (y != y and z != z)


def close(call: Call, y: np.ndarray, z: np.ndarray, each: bool) -> np.ndarray:
    """Where they are equal but for rounding: of each number, or of the largest and of 1, as saved results may be."""
    if z.dtype.kind != "f":
        return np.asarray(y == z)
    with np.errstate(all="ignore"):
        same = (y == z) | (np.isnan(y) & np.isnan(z))
        finite = np.isfinite(z) & np.isfinite(y)
        precision = np.finfo(z.dtype)
        tolerance = max(TOLERANCE[str(z.dtype)], TOLERANCE.get(call.dtype, 0))
        a, b = y.astype(np.longdouble), z.astype(np.longdouble)
        largest = np.abs(b[np.isfinite(z)]).max(initial=0)
        limit = (
            tolerance * np.abs(b) + precision.tiny if each else tolerance * largest + max(4 * precision.eps, 1e-5 * tolerance)
        )
        edge = (1 - tolerance) * precision.max  # beyond it rounding decides between the largest number and infinity
        both = (np.abs(a) >= edge) & (np.abs(b) >= edge) & (np.sign(a) == np.sign(b))
        return np.asarray(same | both | (finite & (np.abs(a - b) <= limit)))


def say(value: Any) -> str:
    """A result in a line."""
    if not isinstance(value, np.ndarray):
        return f"{value!r} (a Python {type(value).__name__})"
    return np.array2string(value, separator=", ", threshold=12, precision=6).replace("\n", "") + f" {value.dtype}"
