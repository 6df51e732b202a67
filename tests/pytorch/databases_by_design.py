"""What differs from PyTorch on purpose: which calls, and why. Anything else that differs is a mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from databases_call import Call
from databases_compare import NEARER, RANDOM, Difference, Verdict


@dataclass(frozen=True)
class Design:
    """A decision: the kind of verdict and the calls that it concerns, and its reason."""

    name: str
    verdict: str  # agree (what is compared less strictly), silent or refusal
    concerns: Callable[[Call, Verdict], bool]
    reason: str


def _everywhere(verdict: Verdict, holds: Callable[[Difference], bool]) -> bool:
    return all(d.wrong is not None and holds(d) for d in verdict.differences)


def _only_ours_is_nan(d: Difference) -> bool:
    return bool(np.all(np.isnan(d.got[d.wrong]) & ~np.isnan(d.expected[d.wrong])))


def _only_ours_is_zero(d: Difference) -> bool:
    return bool(np.all((d.got[d.wrong] == 0) & (np.abs(d.expected[d.wrong]) < 1e-9)))


def _where_x_is_nan(call: Call, d: Difference) -> np.ndarray:
    """Of the numbers that differ, which belong to a NaN in the first tensor."""
    return np.isnan(call.specs()[0].values[d.wrong])


def _has_a_zero(call: Call) -> bool:
    numbers = [x for x in call.args if isinstance(x, (int, float))]
    return any(np.any(spec.values == 0) for spec in call.specs()) or 0 in numbers


def _writes_a_place_twice(call: Call) -> bool:
    x, index, _ = call.args
    index = tuple(getattr(i, "values", i) for i in (index if isinstance(index, tuple) else (index,)))
    places = np.arange(x.values.size).reshape(x.values.shape)[index]
    return np.unique(places).size < places.size


def _is_empty(call: Call) -> bool:
    return any(getattr(x, "values", np.ones(1)).size == 0 for x in call.extra.get("forward", ()))


CANCELS = {"nn.functional.normalize": 1e-5, "nn.functional.tanhshrink": 1e-8}  # by how much the rounding may differ
NAN_INSIDE = {"hypot", "nn.functional.poisson_nll_loss", "nn.functional.softsign"}  # their first derivatives too


DESIGN = [
    Design(
        "random numbers",
        "agree",
        lambda call, verdict: call.path in RANDOM,
        "each library draws its own, and `empty` has what lies in memory: shapes and dtypes are compared",
    ),
    Design(
        "rounding",
        "agree",
        lambda call, verdict: verdict.message == NEARER,
        "float32 and float16 in which PyTorch is further from its own float64 than tinynorm is (statistics are centred "
        "twice, float16 accumulates in float32)",
    ),
    Design(
        "NaN comes out",
        "silent",
        lambda call, verdict: call.entry in ("abs", "sign") and _everywhere(verdict, _only_ours_is_nan),
        "sign(NaN) and the gradient of |NaN| are NaN, where PyTorch says 0: a NaN that goes in comes out",
    ),
    Design(
        "gradients where x is NaN",
        "silent",
        lambda call, verdict: (
            call.entry in {f"nn.functional.{name}" for name in ("elu", "hardtanh", "relu6", "selu")}
            and all(d.what in ("gradient", "second") for d in verdict.differences)
            and _everywhere(verdict, lambda d: bool(_where_x_is_nan(call, d).all()))
        ),
        "dy passes where x is NaN, as in `relu` of both libraries; PyTorch's vector loops have 0 there (in elu and selu NaN), "
        "and its loops over the numbers that are left have dy",
    ),
    Design(
        "the slope of hardsigmoid",
        "silent",
        lambda call, verdict: (
            call.entry == "nn.functional.hardsigmoid"
            and all(d.what == "gradient" for d in verdict.differences)
            and _everywhere(
                verdict,
                lambda d: bool(
                    (_where_x_is_nan(call, d) | (np.abs(d.got - d.expected)[d.wrong] <= 1e-7 * np.abs(d.got[d.wrong]))).all()
                ),
            )
        ),
        "it is a sixth, where PyTorch's is the sixth of float32, also in float64; and dy / 6 passes where x is NaN, not 0",
    ),
    Design(
        "second derivatives of prelu at 0",
        "silent",
        lambda call, verdict: (
            call.entry in ("nn.functional.prelu", "nn.PReLU")
            and all(d.what == "second" for d in verdict.differences)
            and _has_a_zero(call)
        ),
        "at x = 0 the gradient is w dy in both libraries, so its derivative by w is dy; PyTorch says 0",
    ),
    Design(
        "second derivatives of powers of 0, and to the power 0",
        "silent",
        lambda call, verdict: (
            call.entry in ("pow", "__rpow__") and all(d.what == "second" for d in verdict.differences) and _has_a_zero(call)
        ),
        "the formula is differentiated as it stands: d²(a^b)/da db is 1/a at b = 0, where PyTorch's mask says 0, and log(0) is "
        "left out at a = 0, where PyTorch multiplies 0 by log(0) and has NaN: a mask selects, it never multiplies",
    ),
    Design(
        "one value alone",
        "silent",
        lambda call, verdict: "norm" in call.entry.lower() and _everywhere(verdict, _only_ours_is_zero),
        "a group of one value is standardised to 0 whatever it is: its gradient is exactly 0, where PyTorch leaves rounding",
    ),
    Design(
        "empty batches",
        "silent",
        lambda call, verdict: call.entry.startswith("nn.BatchNorm") and _is_empty(call),
        "num_batches_tracked does not count a batch that had nothing in it",
    ),
    Design(
        "a place that is written twice",
        "silent",
        lambda call, verdict: (
            call.kind == "setitem"
            and all(d.what in ("gradient", "second") and d.number == 1 for d in verdict.differences)
            and _everywhere(verdict, lambda d: bool(np.all(d.got[d.wrong] == 0)))
            and _writes_a_place_twice(call)
        ),
        "in x[[1, 1]] = v only the value that stays has a gradient, as finite differences say; PyTorch gives one to each",
    ),
    Design(
        "gradients of targets that are certain",
        "silent",
        lambda call, verdict: (
            call.entry in ("nn.functional.binary_cross_entropy", "nn.BCELoss", "nn.functional.kl_div", "nn.KLDivLoss")
            and all(d.what in ("gradient", "second") for d in verdict.differences)
            and _everywhere(verdict, lambda d: d.what == "second" or not np.isfinite(d.expected[d.wrong]).any())
            and any(np.isin(spec.values, (0, 1)).any() for spec in call.specs())
        ),
        "the gradient is that of what was computed: 100 for a target where log 0 counts as -100 (PyTorch: inf), and the limit "
        "-inf of log t + 1 - x at t = 0 (PyTorch: 0/0); the same for the second derivative of a probability x of 0 or 1",
    ),
    Design(
        "rounding of what cancels",
        "silent",
        lambda call, verdict: (
            call.entry in CANCELS
            and _everywhere(verdict, lambda d: bool((np.abs(d.got - d.expected)[d.wrong] < CANCELS[call.entry]).all()))
        ),
        "one number divided by its own norm is 1 or -1: its gradient is the difference of two equal terms, to rounding; "
        "and so is x - tanh x for a small x",
    ),
    Design(
        "which of equal elements",
        "silent",
        lambda call, verdict: call.entry == "topk" and all(d.number == 1 or d.what != "value" for d in verdict.differences),
        "topk takes the first of several equal elements; PyTorch takes any",
    ),
    Design(
        "which of equal differences",
        "silent",
        lambda call, verdict: (
            call.entry == "cdist" and np.inf in call.args and all(d.what == "gradient" for d in verdict.differences)
        ),
        "several equal largest differences (p = inf) share the gradient, as in `norm` and `amax` of both libraries; in "
        "PyTorch's cdist each gets the whole, and a step along all of them counts several times",
    ),
    Design(
        "NaN inside a derivative",
        "silent",
        lambda call, verdict: (
            all(
                d.what == "second"
                or (d.what == "gradient" and call.entry in NAN_INSIDE)
                for d in verdict.differences
            )
            and _everywhere(verdict, lambda d: bool(np.isnan(d.expected[d.wrong]).all()))
        ),
        "PyTorch has 0 · inf or inf / inf on the way, and so NaN, where the formula as it stands has a number: in "
        "poisson_nll_loss for a count of 0, in softsign at ±inf, in hypot at (0, 0)",
    ),
    Design(
        "settings out of range",
        "refusal",
        lambda call, verdict: "_norm: expected eps" in verdict.message or "_norm: expected momentum" in verdict.message,
        "a negative eps and a momentum that is not from 0 to 1 are refused, as the functions' documentation says",
    ),
]


def reason_for(call: Call, verdict: Verdict) -> Design | None:
    """The decision behind a verdict, if there is one."""
    return next((d for d in DESIGN if d.verdict == verdict.kind and d.concerns(call, verdict)), None)
