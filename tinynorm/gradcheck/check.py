"""check_backward: a forward and a backward on plain arrays, and everything that can be said about them."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import blind
from .behaviour import dependent_rows, faults_of, nonlinear, variations, wrong_dtype_in_own
from .complex_step import ComplexMeasure
from .dense import check_directions
from .diagnosis import diagnose, recognise
from .elementwise import check_every_element
from .evidence import Evidence, Recognised, Sample
from .measure import RTOL, Measure
from .precision import imprecise
from .problem import PairProblem, Point, Problem, WrongCount, differentiable
from .progress import shown
from .report import Fault, InputReport, Report

METHODS = {"central": Measure, "complex": ComplexMeasure}
EXHAUSTIVE = 1024  # elements; larger inputs are checked along dense directions
AFFORDABLE = 4_000_000  # elements times outputs; where it is more, along dense directions too


@dataclass
class Settings:
    """How to check."""

    seed: int = 0
    eps: float | None = None
    atol: float = 0.0
    rtol: float = RTOL
    method: str = "central"
    exhaustive: int = EXHAUSTIVE
    cotangent: Any = None

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"gradcheck: expected method to be 'central' or 'complex', got {self.method!r}")
        for name in ("atol", "rtol"):
            value = getattr(self, name)
            if not 0 <= value < np.inf:
                raise ValueError(f"gradcheck: expected {name} to be a number >= 0, got {value!r}")
        if self.eps is not None and not 0 < self.eps < np.inf:
            raise ValueError(f"gradcheck: expected eps, the step, to be a number > 0 or None, got {self.eps!r}")


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
    if not any(differentiable(x) for x in inputs):
        got = ", ".join(type(x).__name__ for x in inputs) or "no inputs"
        raise TypeError(f"check_backward: expected at least one floating-point array among the inputs, got {got}")
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


def draw_cotangent(problem: Problem, settings: Settings, size: int, rng: np.random.Generator) -> np.ndarray:
    """Dense, of both signs, away from 0; or the caller's."""
    if settings.cotangent is None:
        return rng.choice([-1.0, 1.0], size) * rng.uniform(0.5, 1.5, size)
    given = settings.cotangent if isinstance(settings.cotangent, tuple | list) else [settings.cotangent]
    arrays = [np.asarray(c, dtype=float) for c in given]
    if [a.shape for a in arrays] != list(problem.shapes):
        raise ValueError(
            f"gradcheck: expected a cotangent of the output's shape {problem.shapes}, got {[a.shape for a in arrays]}"
        )
    return np.concatenate([a.ravel() for a in arrays])


def _check_pair(
    problem: PairProblem, report: Report, settings: Settings, layer: str | None, allow_alias: bool, independent: bool | None
) -> None:
    y = settle_randomness(problem, report)
    if y is None:
        return
    rng = np.random.default_rng(settings.seed)
    u = draw_cotangent(problem, settings, y.size, rng)
    output = problem.split(y)[0]
    recognised = recognise(problem.all_names, problem.host_inputs(problem.point), output, layer)
    report.layer = recognised.layer if recognised else layer
    try:
        report.faults += faults_of(problem, problem.point, u, allow_alias)
        report.faults += variations(problem, problem.point, u)
        report.faults += wrong_dtype_in_own(problem, u)
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
    numbers.check_other_constants(measure)
    numbers.diagnose()
    report.warnings += blind.small_groups(recognised)
    conclude(report)


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


class Numbers:
    """The numerical part: each input measured, at one point or two, and what is needed for the diagnosis."""

    def __init__(
        self, problem: Problem, report: Report, settings: Settings, recognised: Recognised | None, layer: str | None
    ) -> None:
        self.problem, self.report, self.settings, self.recognised, self.layer = problem, report, settings, recognised, layer
        self.wrong: list[int] = []
        self.samples: list[Sample | None] = []
        self.measure: Measure | None = None
        self.refused = False

    def check(self, point: Point, u: np.ndarray, rng: np.random.Generator) -> Measure:
        """Measure at `point`; what is found goes into the report."""
        with np.errstate(all="ignore"):  # far from the point, f may overflow: that is told by the numbers
            return self._check(METHODS[self.settings.method](self.problem, point, u, rng))

    def _check(self, measure: Measure) -> Measure:
        point, u = measure.point, measure.u
        if self.settings.eps is not None:
            measure.steps = {i: np.full(x.shape, self.settings.eps) for i, x in enumerate(point)}
        self.measure = measure
        found = [self._input(measure, i) for i in range(len(point))]
        self.report.inputs = [report for report, _ in found]
        self.samples = [sample for _, sample in found]
        self.wrong = [i for i, (report, _) in enumerate(found) if report.ok is False and self.samples[i] is not None]
        warning = blind.constant_cotangent(u, self.recognised) if self.settings.cotangent is not None else None
        if warning:
            self._refuse(warning)
        return measure

    def _refuse(self, warning: str) -> None:
        self.report.warnings.append(warning)
        for found in self.report.inputs:
            found.ok = None if found.ok else found.ok
        self.refused = True

    def _input(self, measure: Measure, i: int) -> tuple[InputReport, Sample | None]:
        name, x, G = self.problem.names[i], measure.point[i], measure.claimed[i]
        if x.size == 0:
            return InputReport(name, x.shape, True, notes=["empty"]), None
        if G is not None and G.shape != x.shape:
            return InputReport(name, x.shape, False, notes=[f"not measured: its gradient has shape {G.shape}"]), None
        every = x.size <= self.settings.exhaustive and x.size * measure.y.size <= AFFORDABLE
        check = check_every_element if every else check_directions
        report, sample = check(measure, i, name, self.settings.atol, self.settings.rtol)
        if G is None:
            return self._without_gradient(report, sample, i), None
        if report.ok is not False and blind.is_flat(sample.value, sample.error):
            scalar = measure.y.size == 1
            self.report.warnings.append(blind.no_dependence(name, scalar))
            report.ok = None if scalar else report.ok
        return report, sample

    def _without_gradient(self, report: InputReport, sample: Sample, i: int) -> InputReport:
        """Backward returned None. That says `constant`; it is wrong for what the layer is known to differentiate."""
        depends = report.ok is False
        report = InputReport(report.name, report.shape, True, notes=["backward returned None: taken as a constant"])
        differentiated = {"x", "gamma", "beta", "W", "w", "b", "weight", "bias"}
        roles: dict[int, str] = (
            {} if self.recognised is None else {number: symbol for symbol, number in self.recognised.roles.items()}
        )
        if depends and roles.get(self.problem.input_number(i)) in differentiated:
            self.report.faults.append(
                Fault(
                    "returned_none",
                    f"backward returned None for {report.name}, and the output depends on it; return its gradient",
                    report.name,
                )
            )
            report.ok = False
        elif depends:
            self.report.notes.append(f"the output depends on {report.name}, for which backward returned None (a constant)")
        return report

    def check_other_constants(self, measure: Measure) -> None:
        """Where an input's elements are all equal (gamma = 1, beta = 0), check again with random ones in its place."""
        constant = blind.constant_inputs(measure)
        if not constant or self.wrong:
            return
        point = list(measure.point)
        for i in constant:
            x = point[i]
            point[i] = x * measure.rng.uniform(0.5, 1.5, x.shape) if x.flat[0] else measure.rng.standard_normal(x.shape)
        names = ", ".join(self.problem.names[i] for i in constant)
        try:
            if not np.all(np.isfinite(self.problem(point))):
                return
        except Exception:  # forward may have its reasons for that constant
            return
        before = self.report.inputs, self.samples, self.measure
        warnings = list(self.report.warnings)
        self.check(point, measure.u, measure.rng)
        if self.wrong:
            self.report.notes.append(f"seen only with random numbers for {names}, which are all equal in the inputs given")
            return
        self.report.inputs, self.samples, self.measure = before
        self.report.warnings = warnings
        self.report.notes.append(f"{names}: all equal in the inputs given, so checked with random numbers in their place too")

    def diagnose(self) -> None:
        """Ask for the names of what is wrong."""
        if not self.wrong or self.measure is None:
            return
        output = self.problem.split(self.measure.y)[0]
        evidence = Evidence(
            names=self.problem.all_names,
            inputs=self.problem.host_inputs(self.measure.point),
            output=output,
            cotangent=self.problem.split(self.measure.u)[0],
            analytic=self.problem.spread(self.measure.claimed),
            numeric=self.problem.spread(self.samples),
            wrong=[self.problem.input_number(i) for i in self.wrong],
            layer=self.layer,
        )
        recognised = recognise(evidence.names, evidence.inputs, output, self.layer)
        self.report.findings += diagnose(evidence, recognised)
        told = {finding.input for finding in self.report.findings if finding.kind in ("dy_forgotten", "mask_of_dy")}
        self.report.faults = [f for f in self.report.faults if f.kind != "not_linear" or f.input not in told]


def conclude(report: Report) -> None:
    """The verdict of the parts as one."""
    verdicts = [found.ok for found in report.inputs]
    report.ok = False if report.faults or False in verdicts else None if None in verdicts or not verdicts else True
