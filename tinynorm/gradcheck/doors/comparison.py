"""The numerical part of a check: each input measured, at one point or two, and what was found handed to the diagnosis."""

from __future__ import annotations

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
AFFORDABLE = 4_000_000  # elements times outputs; where it is more, along dense directions too


class Numbers:
    """The numerical part: each input measured, at one point or two, and what is needed for the diagnosis."""

    def __init__(
        self, problem: Problem, report: Report, settings: Settings, recognised: Recognised | None, layer: str | None
    ) -> None:
        self.problem, self.report, self.settings, self.recognised, self.layer = problem, report, settings, recognised, layer
        self.wrong: list[int] = []
        self.samples: list[Sample | None] = []
        self.flat: list[InputReport] = []  # the inputs with which the output does not change
        self.measure: Measure | None = None

    def check(self, point: Point, u: np.ndarray, rng: np.random.Generator) -> Measure:
        """Measure at `point`; what is found goes into the report."""
        with np.errstate(all="ignore"):  # far from the point, f may overflow: that is told by the numbers
            return self._check(METHODS[self.settings.method](self.problem, point, u, rng))

    def _check(self, measure: Measure) -> Measure:
        point, u = measure.point, measure.u
        if self.settings.eps is not None:
            measure.steps = {i: np.full(x.shape, self.settings.eps) for i, x in enumerate(point)}
        self.measure = measure
        self.flat = []
        found = [self._input(measure, i) for i in range(len(point))]
        self.report.inputs = [report for report, _ in found]
        self.samples = [sample for _, sample in found]
        self.wrong = [i for i, (report, _) in enumerate(found) if report.ok is False and self.samples[i] is not None]
        blinded = self.settings.cotangent is not None or (
            measure.y.size == 1 and blind.mostly_flat(self.flat, self.report.inputs)
        )
        for report in self.flat:
            self.report.warnings.append(blind.no_dependence(report.name, blinded))
            report.ok = None if blinded else report.ok
        warning = blind.constant_cotangent(u, self.recognised) if self.settings.cotangent is not None else None
        if warning:
            self._refuse(warning)
        return measure

    def _refuse(self, warning: str) -> None:
        self.report.warnings.append(warning)
        for found in self.report.inputs:
            found.ok = None if found.ok else found.ok

    def _input(self, measure: Measure, i: int) -> tuple[InputReport, Sample | None]:
        name, x, G = self.problem.names[i], measure.point[i], measure.claimed[i]
        if x.size == 0:
            return InputReport(name, x.shape, True, notes=["empty"]), None
        if G is not None and G.shape != x.shape:
            return InputReport(name, x.shape, False, notes=[f"not measured: its gradient has shape {G.shape}"]), None
        every = x.size <= self.settings.exhaustive and x.size * measure.y.size <= AFFORDABLE
        check = check_every_element if every else check_directions
        report, sample, flat = check(measure, i, name, self.settings.atol, self.settings.rtol)
        if G is None:
            return self._without_gradient(report, sample, i), None
        if report.ok is not False and (flat or measure.is_only_rounding(i)):
            self.flat.append(report)
        return report, sample

    def _without_gradient(self, report: InputReport, sample: Sample, i: int) -> InputReport:
        """Backward returned None. That says `constant`; it is wrong for what the layer is known to differentiate."""
        depends = report.ok is False
        report = InputReport(report.name, report.shape, True, constant=True)
        nothing = all(g is None for g in self.measure.claimed) if self.measure is not None else False
        if depends and (nothing or self._role(i) in ("x", "gamma", "beta", "W", "b")):
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

    def _role(self, i: int) -> str:
        """The symbol that an input has in the layer's formula; "" for none."""
        roles = {} if self.recognised is None else {number: symbol for symbol, number in self.recognised.roles.items()}
        return roles.get(self.problem.input_number(i), "")

    def check_other_constants(self, measure: Measure) -> None:
        """Where an input's elements are all equal (gamma = 1, beta = 0), check again with random ones in its place.

        The report is then of that point, unless it hides what was wrong at the one given.
        """
        constant = blind.constant_inputs(measure)
        point = self._with_random(measure, constant) if constant else None
        if point is None:
            return
        given, wrong = (self.report.inputs, self.samples, self.measure, list(self.report.warnings)), set(self.wrong)
        names = ", ".join(self.problem.names[i] for i in constant)
        self.check(point, measure.u, measure.rng)
        if self.wrong and wrong <= set(self.wrong):
            seen = "measured" if set(self.wrong) == wrong else "seen only"
            self.report.notes.append(f"{seen} with random numbers for {names}, which are all equal in the inputs given")
            return
        self.wrong = sorted(wrong)
        self.report.inputs, self.samples, self.measure, self.report.warnings = given
        if not wrong:
            self.report.notes.append(
                f"{names}: all equal in the inputs given, so checked with random numbers in their place too"
            )

    def _with_random(self, measure: Measure, constant: list[int]) -> Point | None:
        """The point with random numbers for its constant inputs; None where forward does not take them."""
        point, rng = list(measure.point), measure.rng
        for i in constant:
            x = point[i]
            point[i] = x * rng.uniform(0.5, 1.5, x.shape) if np.any(x) else rng.standard_normal(x.shape)
        try:
            return point if np.all(np.isfinite(self.problem(point))) else None
        except Exception:  # forward may have its reasons for that constant
            return None

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
