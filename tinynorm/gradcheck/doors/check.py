"""The order in which a check does its work, the same for plain arrays and for Tensors."""

from __future__ import annotations

import time

import numpy as np

from ..behaviour.dependence import dependent_rows, nonlinear
from ..behaviour.precision import coarser_output, imprecise, rounds_inside
from ..behaviour.steadiness import check_behaviour, unlike_before
from ..diagnosis import recognise
from ..diagnosis.normalization.recognise import plain
from ..problem.problem import Problem, WrongCount
from ..problem.settings import Settings, draw_cotangent
from ..report.evidence import Recognised
from ..report.progress import shown
from ..report.report import Fault, Report
from . import blind_spots as blind
from .gradient_comparison import GradientComparison


def check_problem(
    problem: Problem,
    settings: Settings,
    layer: str | None,
    allow_alias: bool = False,
    batch_independent: bool | None = False,
) -> Report:
    """Check everything that `check_backward` promises. Options as there."""
    started = time.perf_counter()
    report = Report(ok=None, settings={"seed": settings.seed, "method": settings.method, "dtype": str(problem.dtype)})
    with shown(problem, problem.names):
        _check(problem, report, settings, layer, allow_alias, batch_independent)
    report.evaluations, report.seconds = problem.evaluations, time.perf_counter() - started
    return report


def _check(
    problem: Problem, report: Report, settings: Settings, layer: str | None, allow_alias: bool, independent: bool | None
) -> None:
    report.layer = layer
    y = _steady_output(problem, report)
    if y is None:
        return
    rng = np.random.default_rng(settings.seed)
    u = draw_cotangent(problem, settings, y.size, rng)
    recognised = _recognised_layer(problem, y, layer)
    report.layer = recognised.layer if recognised else layer
    try:
        check_behaviour(problem, report, u, allow_alias)
    except WrongCount as error:
        report.faults.append(Fault("wrong_count", str(error)))
        report.ok = False
        return
    comparison = GradientComparison(problem, report, settings, recognised, layer)
    coarse = coarser_output(problem) if settings.method == "central" else None
    measure = comparison.compare(problem.point, u, rng, coarse)
    found = _faults_of_numbers(problem, report, comparison, recognised)
    # no derivative of a loss could be measured; where there are several outputs, some of them could
    nothing = y.size == 1 and any(0 < of_input.checked == of_input.unresolved for of_input in report.inputs)
    if settings.method == "central" and coarse is None and (comparison.wrong or found or _of_dtype(report) or nothing):
        coarse = rounds_inside(measure)
        measure = comparison.compare_again(coarse) if coarse is not None else measure
    if coarse is not None:  # dout and the cache are of that dtype too, and a gradient follows them
        report.faults = [fault for fault in report.faults if fault not in _of_dtype(report)]
        found = _faults_of_numbers(problem, report, comparison, recognised)
    report.faults += found
    report.faults += dependent_rows(measure, independent, plain(report.layer))
    report.faults += [fault for fault in unlike_before(measure) if fault not in report.faults]
    comparison.compare_without_constant_inputs()
    comparison.diagnose()
    report.warnings += blind.small_groups(recognised)
    verdicts = [found.ok for found in report.inputs]
    report.ok = False if report.faults or False in verdicts else None if None in verdicts or not verdicts else True
    if coarse is not None and report.ok is not False and coarse not in problem.own:
        report.ok = None
        report.warnings.append(
            f"forward rounds to {coarse} inside, though its inputs are {problem.dtype}: the gradients agree with it as far as "
            f"{coarse} can tell. Compute in the dtype of the inputs, and all digits are checked (no astype(np.{coarse}), no "
            f"np.zeros(..., dtype=np.{coarse}))"
        )


def _of_dtype(report: Report) -> list[Fault]:
    return [fault for fault in report.faults if fault.kind == "wrong_dtype"]


def _faults_of_numbers(
    problem: Problem, report: Report, comparison: GradientComparison, recognised: Recognised | None
) -> list[Fault]:
    """The gradients that are not linear in dout, or lose digits."""
    if _of_dtype(report):  # a cast to that dtype rounds, and is not linear
        return []
    found = list(nonlinear(comparison.found.measure))
    if not comparison.wrong:
        found += imprecise(problem, comparison.found.measure, composed=not problem.by_hand and recognised is None)
    return found


def _steady_output(problem: Problem, report: Report) -> np.ndarray | None:
    """The output at the point; None, with the reason in the report, where it is not finite or changes from run to run."""
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


def _recognised_layer(problem: Problem, y: np.ndarray, hint: str | None) -> Recognised | None:
    """The layer whose formula gives the output at the point, and at a second one if forward takes it.

    One point is not enough: with constant inputs the formulas of many layers give the same output, and statistics that are
    fitted to the output (of BatchNormEval) fit that of any layer that scales and shifts. Running ones are the same everywhere.
    """
    found = recognise(problem.all_names, problem.host_inputs(problem.point), problem.split(y)[0], hint)
    if found is None:
        return None
    rng = np.random.default_rng(1)
    sizes = [0.1 * np.max(np.abs(x), initial=0.0) for x in problem.point]
    point = [x * rng.uniform(0.5, 1.5, x.shape) + s * rng.random(x.shape) for x, s in zip(problem.point, sizes, strict=True)]
    try:
        there = problem(point)
    except Exception:  # forward may not take other inputs
        return found
    if there.shape != y.shape or not np.all(np.isfinite(there)):
        return found
    again = recognise(problem.all_names, problem.host_inputs(point), problem.split(there)[0], hint)
    if again is None or again.layer != found.layer:
        return None
    same = "fitted" not in found.symbols or np.allclose(again.symbols["rstd"], found.symbols["rstd"], rtol=1e-3)
    return found if same else None
