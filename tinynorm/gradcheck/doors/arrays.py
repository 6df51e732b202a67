"""check_backward: a forward and a backward on plain arrays, and everything that can be said about them."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..behaviour.dependence import dependent_rows, nonlinear
from ..behaviour.precision import imprecise
from ..behaviour.steadiness import behave, lasting
from ..diagnosis import recognise
from ..problem.problem import PairProblem, Problem, WrongCount, differentiable, random_state_kept
from ..problem.settings import EXHAUSTIVE, RTOL, Settings, draw_cotangent
from ..report.evidence import Recognised
from ..report.progress import shown
from ..report.report import Fault, Report
from . import blind_spots as blind
from .comparison import Numbers


def check_backward(
    forward: Callable,
    backward: Callable,
    inputs: Sequence[Any],
    *,
    names: Sequence[str] | None = None,
    layer: str | None = None,
    seed: int = 0,
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = RTOL,
    method: str = "central",
    exhaustive: int = EXHAUSTIVE,
    cotangent: Any = None,
    allow_alias: bool = False,
    batch_independent: bool | None = None,
) -> Report:
    """Check a hand-written backward pass on plain arrays, and say what is wrong with it.

    Parameters
    ----------
    forward : callable
        ``out, cache = forward(*inputs)``; `out` is an array, a number, or a tuple of them.
    backward : callable
        ``grads = backward(dout, cache)``: a tuple of one gradient per input, None for one that has none (it may leave out the
        inputs that are no floating-point arrays).
    inputs : sequence
        NumPy or CuPy arrays, and anything else that `forward` takes, handed on as it is. Shapes that can see every term:
        groups of four numbers or more, gamma not all ones. float32 and float16 inputs are checked in float64, and against it.
    names : sequence of str, optional
        Of the inputs. Default: the names of forward's parameters.
    layer : str, optional
        What the layer is meant to be ("LayerNorm", "linear"), for the diagnosis. Default: recognised by its output.
    seed : int
        Of the random cotangent and directions.
    eps : float, optional
        The step of the finite differences. Default: found for each input.
    atol, rtol : float
        Allowed beside the numerical derivative's own error: an absolute error, and one relative to each derivative.
    method : {"central", "complex"}
        Central differences; or complex steps, exact to rounding, for a forward that is analytic and takes complex arrays.
    exhaustive : int
        Inputs of up to so many elements are measured element by element (where the output is not very large), larger ones
        along dense directions.
    cotangent : array, optional
        `dout`, of the shape of `out`. Default: random, with both signs.
    allow_alias : bool
        Let backward hand back the memory of dout or of an input.
    batch_independent : bool, optional
        Check that each row (axis 0) of the output depends on its own row of the first input only. Default: where the layer is
        recognised, or named in `layer`, as one that promises it (LayerNorm, RMSNorm, GroupNorm, InstanceNorm, ReLU, Linear).

    Returns
    -------
    Report
        ``report.ok`` is True, False, or None where the finite differences could not tell. ``print(report)`` shows all.

    Raises
    ------
    TypeError, ValueError
        There is nothing to differentiate among the inputs, or `forward` does not return ``(out, cache)``. What `forward` and
        `backward` raise themselves goes through.

    Examples
    --------
    >>> import numpy as np
    >>> def forward(x):
    ...     return x**2, x
    >>> def backward(dout, x):
    ...     return (dout * x,)
    >>> report = check_backward(forward, backward, [np.array([0.5, -1.5, 2.0])])
    >>> report.ok
    False
    >>> report.findings[0].kind
    'constant_factor'
    """
    settings = Settings(seed, eps, atol, rtol, method, exhaustive, cotangent)
    started = time.perf_counter()
    names = input_names(forward, inputs, names)
    for x in inputs:
        if isinstance(x, np.matrix | np.ma.MaskedArray):
            raise TypeError(f"check_backward: expected plain arrays, got {type(x).__name__}; hand in np.asarray of it")
    if not any(differentiable(x) for x in inputs):
        got = ", ".join(type(x).__name__ for x in inputs) or "no inputs"
        raise TypeError(f"check_backward: expected at least one floating-point array among the inputs, got {got}")
    with random_state_kept():
        problem = PairProblem(forward, backward, inputs, names)
        report = Report(ok=None, settings={"seed": seed, "method": method, "dtype": str(problem.dtype)})
        with shown(problem, names):
            _check_pair(problem, report, settings, layer, allow_alias, batch_independent)
    report.evaluations, report.seconds = problem.evaluations, time.perf_counter() - started
    return report


def input_names(forward: Callable, inputs: Sequence[Any], names: Sequence[str] | None) -> list[str]:
    """One name for each input: those given, else those of forward's parameters."""
    if names is not None:
        if len(names) != len(inputs):
            raise ValueError(f"gradcheck: expected {len(inputs)} names, one for each input, got {len(names)}")
        return list(names)
    try:
        found = [
            p.name
            for p in inspect.signature(forward).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        found = []
    return [found[i] if i < len(found) else f"input{i}" for i in range(len(inputs))]


def _check_pair(
    problem: PairProblem, report: Report, settings: Settings, layer: str | None, allow_alias: bool, independent: bool | None
) -> None:
    y = settle_randomness(problem, report)
    if y is None:
        return
    rng = np.random.default_rng(settings.seed)
    u = draw_cotangent(problem, settings, y.size, rng)
    recognised = layer_of(problem, y, layer)
    report.layer = recognised.layer if recognised else layer
    try:
        behave(problem, report, u, allow_alias)
    except WrongCount as error:
        report.faults.append(Fault("wrong_count", str(error)))
        report.ok = False
        return
    numbers = Numbers(problem, report, settings, recognised, layer)
    measure = numbers.check(problem.point, u, rng)
    if not any(fault.kind == "wrong_dtype" for fault in report.faults):  # which rounds, and so is not linear either
        report.faults += nonlinear(measure)
        report.faults += [] if numbers.wrong else imprecise(problem, measure)
    report.faults += dependent_rows(measure, independent, report.layer)
    report.faults += [fault for fault in lasting(measure) if fault not in report.faults]
    numbers.check_other_constants(measure)
    numbers.diagnose()
    report.warnings += blind.small_groups(recognised)
    conclude(report)


def layer_of(problem: Problem, y: np.ndarray, hint: str | None) -> Recognised | None:
    """The layer that the output is recognised as: at the point, and at another one, since constant inputs look like much."""
    found = recognise(problem.all_names, problem.host_inputs(problem.point), problem.split(y)[0], hint)
    if found is None:
        return None
    rng = np.random.default_rng(1)
    sizes = [0.1 * np.max(np.abs(x), initial=0.0) for x in problem.point]
    point = [x * rng.uniform(0.5, 1.5, x.shape) + s * rng.random(x.shape) for x, s in zip(problem.point, sizes, strict=True)]
    try:
        there = problem(point)
    except Exception:  # forward may take no others
        return found
    if there.shape != y.shape or not np.all(np.isfinite(there)):
        return found
    again = recognise(problem.all_names, problem.host_inputs(point), problem.split(there)[0], hint)
    return found if again is not None and again.layer == found.layer else None


def settle_randomness(problem: Problem, report: Report) -> np.ndarray | None:
    """The output at the point; None, with the reason in the report, where it is not a number or never the same twice."""
    y = problem(problem.point)
    if not np.array_equal(y, problem(problem.point), equal_nan=True):
        problem.seeded = True
        y = problem(problem.point)
        if not np.array_equal(y, problem(problem.point), equal_nan=True):
            report.warnings.append(
                "forward gives another output each time for the same inputs (dropout?), so it has no derivative to measure: "
                "draw its random numbers outside and hand them in"
            )
            return None
        report.notes.append("forward draws random numbers; the same were drawn each time")
    if not np.all(np.isfinite(y)):
        bad = int(np.sum(~np.isfinite(y)))
        report.warnings.append(f"forward gives NaN or infinity for {bad} of {y.size} outputs at these inputs; choose others")
        return None
    return y


def conclude(report: Report) -> None:
    """The verdict of the parts as one."""
    verdicts = [found.ok for found in report.inputs]
    report.ok = False if report.faults or False in verdicts else None if None in verdicts or not verdicts else True
