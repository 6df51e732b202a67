"""A call whose backward is wrong, and how to check it again in another way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import numpy as np

from ...gradcheck.diagnosis.patterns import Comparison
from ...gradcheck.problem.problem import fresh
from ...gradcheck.report.report import Report
from ..functions.call_pair import Call

# All questions about one pair take no longer, in seconds. Each is a check of its own, and a slow forward is asked few.
PATIENCE = 5.0
# Findings that say where a gradient is wrong, and not why. Then more is asked, as where nothing was found.
VAGUE = ("some_elements", "missing_accumulation", "zero_in_part", "factor_in_part", "shifted_sign", "not_finite")

Ask = Callable[..., Report]  # of a call, perhaps with another forward, backward or dout: the report; it may raise UserError


@dataclass
class Answer:
    """What a question has shown."""

    sentence: str
    nuance: str = ""
    report: Report | None = None  # in place of the first one
    inputs: str = ""  # of that report
    then: Question | None = None  # what else is to be asked, where it explains some of the wrong gradients


@dataclass
class Question:
    """A call whose backward is wrong, and how to check it again."""

    call: Call
    report: Report
    ask: Ask
    mean: bool = False
    until: float = field(default_factory=lambda: perf_counter() + PATIENCE)

    @property
    def wrong(self) -> list[str]:
        return [found.name for found in self.report.inputs if found.ok is False]

    @property
    def clear(self) -> set[str]:
        """The inputs of which a finding says what is wrong."""
        return {finding.input for finding in self.report.findings if finding.kind not in VAGUE}

    def right(self, call: Call, **altered: Any) -> Report | None:
        """Return the report of another check, if that is right."""
        if perf_counter() > self.until or not self.may_be_right(call, **altered):
            return None
        try:
            report = self.ask(call, **altered)
        except Exception:  # forward may refuse these inputs, and so may backward
            return None
        return report if report.ok else None

    def may_be_right(
        self, call: Call, within: float = 1e-3, least: float = 0.0, names: Sequence[str] = (), **altered: Any
    ) -> bool:
        """Whether the gradients that are wrong are right to 1e-3 along one direction, and not all 0. It saves most checks."""
        forward, backward = altered.get("forward", call.forward), altered.get("backward", call.backward)
        try:
            terms, slope = self._along(call, forward, backward, names or self.wrong)
        except Exception:
            return False
        return bool(np.any(terms) and abs(np.sum(terms) - slope) < within * max(float(np.linalg.norm(terms)), least))

    @staticmethod
    def _along(call: Call, forward: Callable, backward: Callable, names: Sequence[str]) -> tuple[np.ndarray, float]:
        """(the terms of the claimed derivative along a direction, the measured one)."""
        rng = np.random.default_rng(0)
        with np.errstate(all="ignore"):
            out, cache = forward(*[fresh(x) for x in call.inputs])
            several = isinstance(out, tuple | list)
            u = [rng.standard_normal(np.shape(y))[()] for y in (out if several else [out])]
            grads = call.by_number(backward(tuple(u) if several else u[0], cache))
            wrong = {i: grads[i] for i in call.floats if call.names[i] in names or not names}
            along = {i: rng.standard_normal(np.shape(call.inputs[i])) for i, g in wrong.items() if g is not None}
            terms = np.concatenate([np.ravel(wrong[i] * v) for i, v in along.items()])

            def moved(h: float) -> float:
                inputs = [x + h * along[i] if i in along else fresh(x) for i, x in enumerate(call.inputs)]
                found = forward(*inputs)[0]
                return sum(float(np.sum(c * y)) for c, y in zip(u, found if several else [found], strict=True))

            slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
        return terms, slope

    def whole_factor(self, i: int) -> int:
        c = Comparison.of(self.report.evidence, i) if self.report.evidence else None
        k = c.ratio() if c else None
        return round(1 / k) if k and abs(round(1 / k) * k - 1) < 1e-6 else 0
