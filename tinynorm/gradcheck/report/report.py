"""The result of a gradient check."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from math import isfinite
from typing import Any

from .evidence import Evidence, Finding
from .html import as_html
from .text import as_text


@dataclass
class Worst:
    """The element that the table shows: the wrong one with the largest error.

    If none is wrong, the least resolved one; if all are resolved, the one nearest to being wrong.
    """

    index: tuple[int, ...]
    analytic: float
    numeric: float
    numeric_error: float  # an estimate of the error of the numerical value
    error: float = field(init=False)  # |analytic - numeric|

    def __post_init__(self) -> None:
        self.error = abs(self.analytic - self.numeric)


@dataclass
class InputReport:
    """The result for the gradient of one input."""

    name: str
    shape: tuple[int, ...]
    ok: bool | None  # None: the check could not tell
    worst: Worst | None = None
    checked: int = 0  # elements that were measured one by one
    wrong: int = 0  # how many of those are wrong
    directions: int = 0  # directional derivatives along random directions, each through many elements
    unresolved: int = 0  # elements, or groups of elements, for which the error of the finite difference is too large
    kinks: list[tuple[int, ...]] = field(default_factory=list)  # elements on a kink, whose value is a valid subgradient
    left_out: int = 0  # outputs on a kink, which the random directions leave out
    resolution: float = 0.0  # the smallest relative error of one element that the check would have seen
    constant: bool = False  # backward returned None, which means: not differentiated
    notes: list[str] = field(default_factory=list)

    @property
    def share_wrong(self) -> float:
        return self.wrong / self.checked if self.checked else 0.0


@dataclass(frozen=True)
class Fault:
    """Wrong behaviour that the numbers do not show: an array is mutated, aliased, of a wrong shape ..."""

    kind: str
    sentence: str
    input: str | None = None


@dataclass
class Report:
    """The result of a gradient check. ``print(report)`` shows it, and so does a notebook.

    ``report.ok`` is True, False, or None if the check could not tell. ``if report:`` holds only if it is True.

    Examples
    --------
    >>> import numpy as np
    >>> from tinynorm.gradcheck import check_backward
    >>> report = check_backward(lambda x: (x * x, x), lambda dy, x: (-2 * x * dy,), [np.array([1.0, 2.0, 3.0])])
    >>> print(report.diagnosis)
    dx: it has the wrong sign; multiply by -1. This explains the whole error, to rounding.
    >>> report.as_dict()["inputs"][0]["wrong"]
    3
    """

    ok: bool | None
    inputs: list[InputReport] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)  # what this check cannot see, and why
    notes: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)  # what another look at a wrong gradient has shown, a sentence each
    layer: str | None = None  # the layer that the forward was recognised as, or the user's hint
    evaluations: int = 0  # of forward
    seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)  # seed, method, ...
    evidence: Evidence | None = field(default=None, repr=False, compare=False)  # the numbers behind a wrong gradient

    @property
    def diagnosis(self) -> str:
        """What is wrong, one sentence in each line; "" if nothing is wrong. Gradients with the same mistake share a line."""
        named: set[str | None] = {finding.input for finding in self.findings}
        named |= {fault.input for fault in self.faults if fault.kind in ("wrong_shape", "returned_none")}
        told = [finding.sentence for finding in self.findings]
        if not self.answers:
            told += [f"d{i.name}: no known pattern" for i in self.inputs if i.ok is False and i.name not in named]
        together: dict[str, list[str]] = {}  # what is said -> of which gradients
        for gradient, colon, says in (sentence.partition(": ") for sentence in told):
            together.setdefault(colon + says, []).append(gradient)
        sentences = [", ".join(gradients) + says for says, gradients in together.items()]
        return "\n".join(dict.fromkeys([*self.answers, *sentences, *(fault.sentence for fault in self.faults)]))

    def __bool__(self) -> bool:
        return self.ok is True

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"evidence": None}  # it holds on to the checked functions

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for json.dumps, with NaN and infinities as text."""
        inputs = [asdict(found) | {"share_wrong": found.share_wrong} for found in self.inputs]
        return _plain(asdict(replace(self, evidence=None)) | {"inputs": inputs, "diagnosis": self.diagnosis})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


class GradcheckError(RuntimeError):
    """A gradient is wrong, or could not be checked. `report` has all that was found."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report
