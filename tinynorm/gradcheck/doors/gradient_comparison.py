"""The claimed gradients against the measured derivatives, input by input, and the diagnosis of what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..diagnosis import diagnose, recognise
from ..problem.problem import Point, Problem
from ..problem.settings import Settings
from ..report.evidence import Evidence, Recognised, Sample
from ..report.report import Fault, InputReport, Report
from ..slopes.complex_step import ComplexMeasure
from ..slopes.dense import check_directions
from ..slopes.elements import check_every_element
from ..slopes.measure import Measure
from . import blind_spots as blind

METHODS = {"central": Measure, "complex": ComplexMeasure}
# Elements of an input times outputs: up to this product, every element is measured. Each element takes up to ten evaluations
# of all outputs, so this is about a second of work.
AFFORDABLE = 4_000_000


@dataclass
class AtPoint:
    """What the comparison found at one point."""

    measure: Measure
    inputs: list[InputReport] = field(default_factory=list)
    samples: list[Sample | None] = field(default_factory=list)  # measured derivatives; None where there are none to compare
    warnings: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> list[int]:
        """The inputs whose claimed gradients differ from the measured ones."""
        pairs = zip(self.inputs, self.samples, strict=True)
        return [i for i, (found, sample) in enumerate(pairs) if found.ok is False and sample is not None]


class GradientComparison:
    """Compares the claimed gradients with the measured derivatives, and writes what it finds into the report."""

    def __init__(
        self, problem: Problem, report: Report, settings: Settings, recognised: Recognised | None, layer: str | None
    ) -> None:
        self.problem, self.report, self.settings, self.recognised, self.layer = problem, report, settings, recognised, layer
        self.found: AtPoint
        self.rounds_to: np.dtype | None = None  # the dtype that forward rounds to, if that is coarser than that of the run

    @property
    def wrong(self) -> list[int]:
        return self.found.wrong

    def compare(self, point: Point, u: np.ndarray, rng: np.random.Generator, rounds_to: np.dtype | None = None) -> Measure:
        """Compare at `point`, with the cotangent `u`; with the rounding errors of a dtype that forward `rounds_to`."""
        self.rounds_to = rounds_to
        self._take(self._at(point, u, rng))
        return self.found.measure

    def compare_again(self, rounds_to: np.dtype) -> Measure:
        """Compare at the same point, with the rounding errors of a coarser dtype."""
        before = self.found
        self.report.warnings = [warning for warning in self.report.warnings if warning not in before.warnings]
        return self.compare(before.measure.point, before.measure.u, before.measure.rng, rounds_to)

    def _take(self, found: AtPoint) -> None:
        self.found, self.report.inputs = found, found.inputs
        self.report.warnings += found.warnings

    def _at(self, point: Point, u: np.ndarray, rng: np.random.Generator) -> AtPoint:
        with np.errstate(all="ignore"):  # the function may overflow far from the point, and then gives infinity or NaN
            found = AtPoint(METHODS[self.settings.method](self.problem, point, u, rng, self.rounds_to))
            if self.settings.eps is not None:
                found.measure.steps = {i: np.full(x.shape, self.settings.eps) for i, x in enumerate(point)}
            flat = [report for i in range(len(point)) if (report := self._compare_input(found, i))]
        given = self.settings.cotangent is not None
        blinded = given or (found.measure.y.size == 1 and blind.mostly_flat(flat, found.inputs))
        for report in flat:
            found.warnings.append(blind.no_dependence(report.name, blinded))
            report.ok = None if blinded else report.ok
        warning = blind.constant_cotangent(u, self.recognised, self.problem.all_names, flat) if given else None
        if warning:
            found.warnings.append(warning)
            for report in found.inputs:
                report.ok = False if report.ok is False else None
        return found

    def _compare_input(self, found: AtPoint, i: int) -> InputReport | None:
        """Add the report and the sample of input `i`. Return the report where the output does not change with the input."""
        measure, name, settings = found.measure, self.problem.names[i], self.settings
        x, claimed = measure.point[i], measure.claimed[i]
        flat, sample = False, None
        if x.size == 0:
            report = InputReport(name, x.shape, True, notes=["empty"])
        elif claimed is not None and claimed.shape != x.shape:
            report = InputReport(name, x.shape, False, notes=[f"not measured: its gradient has shape {claimed.shape}"])
        else:
            every = x.size <= settings.exhaustive and x.size * measure.y.size <= AFFORDABLE
            check = check_every_element if every else check_directions
            report, sample, flat = check(measure, i, name, settings.atol, settings.rtol)
            if claimed is None:
                flat, sample, report = False, None, self._without_gradient(report, measure, i)
            else:
                flat = report.ok is not False and (flat or measure.is_only_rounding(i))
        found.inputs.append(report)
        found.samples.append(sample)
        return report if flat else None

    def _without_gradient(self, report: InputReport, measure: Measure, i: int) -> InputReport:
        """The report of an input for which backward returned None.

        None declares a constant. It is a fault if the output depends on the input and, besides, the recognised layer has a
        gradient for this input or backward returned None for all inputs.
        """
        depends = report.ok is False
        report = InputReport(report.name, report.shape, True, constant=True)
        nothing = all(g is None for g in measure.claimed)
        if depends and (nothing or self._symbol(i) in ("x", "gamma", "beta", "W", "b")):
            sentence = f"backward returned None for {report.name}, and the output depends on it; return its gradient"
            self.report.faults.append(Fault("returned_none", sentence, report.name))
            report.ok = False
        elif depends:
            self.report.notes.append(f"the output depends on {report.name}, for which backward returned None (a constant)")
        return report

    def _symbol(self, i: int) -> str | None:
        """The symbol of input `i` in the formula of the recognised layer, if it has one."""
        roles = {} if self.recognised is None else self.recognised.roles
        return {number: symbol for symbol, number in roles.items()}.get(self.problem.wrt[i])

    def compare_without_constant_inputs(self) -> None:
        """Compare again with random numbers in place of inputs whose elements are equal but for the sign (gamma = 1, beta = 0).

        If this shows an error, and every input that is wrong at the given point is wrong there too, the report tells about that
        point; else about the given one.
        """
        first = self.found
        constant = blind.constant_inputs(first.measure)
        point = self._with_random(first.measure, constant) if constant else None
        if point is None:
            return
        names = ", ".join(self.problem.names[i] for i in constant)
        second = self._at(point, first.measure.u, first.measure.rng)
        if second.wrong and set(first.wrong) <= set(second.wrong):
            self._take(second)
            seen = "measured" if first.wrong == second.wrong else "seen only"
            self.report.notes.append(f"{seen} with random numbers for {names}: the given elements are equal but for the sign")
        elif not first.wrong:
            self.report.notes.append(
                f"{names}: the given elements are equal but for the sign, so checked with random numbers in their place too"
            )

    def _with_random(self, measure: Measure, constant: list[int]) -> Point | None:
        """The point with random numbers for its constant inputs; None where forward does not take them."""
        point, rng = list(measure.point), measure.rng
        for i in constant:
            x = point[i]
            point[i] = x * rng.uniform(0.5, 1.5, x.shape) if np.any(x) else rng.standard_normal(x.shape)
        try:
            return point if np.all(np.isfinite(self.problem(point))) else None
        except Exception:  # forward may accept only these constants
            return None

    def diagnose(self) -> None:
        """Add the names of the mistakes to the report."""
        if not self.wrong:
            return
        problem, measure = self.problem, self.found.measure
        outputs = problem.split(measure.y)
        evidence = Evidence(
            names=problem.all_names,
            inputs=problem.host_inputs(measure.point),
            output=outputs[0],
            cotangent=problem.split(measure.u)[0],
            analytic=problem.for_all_inputs(measure.claimed),
            numeric=problem.for_all_inputs(self.found.samples),
            wrong=[problem.wrt[i] for i in self.wrong],
            layer=self.layer,
            outputs=outputs,
            cotangents=problem.split(measure.u),
            tangent=self._tangent,
        )
        self.report.evidence = evidence
        recognised = recognise(evidence.names, evidence.inputs, outputs[0], self.layer)
        self.report.findings += diagnose(evidence, recognised)
        told = {finding.input for finding in self.report.findings if finding.kind in ("dy_forgotten", "mask_of_dy")}
        self.report.faults = [f for f in self.report.faults if f.kind != "not_linear" or f.input not in told]

    def _tangent(self, i: int, v: np.ndarray, instead: dict[int, np.ndarray]) -> list[np.ndarray]:
        """The derivative of each output along `v` in input `i`, with other values `instead` of some inputs."""
        number = self.problem.wrt.index
        found = self.found.measure.tangent(number(i), v, {number(k): x for k, x in instead.items()})
        return self.problem.split(found)
