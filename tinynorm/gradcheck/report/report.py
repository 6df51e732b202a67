"""What a gradient check found."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import Any

from .evidence import Finding
from .html import as_html
from .text import as_text


@dataclass
class Worst:
    """The element with the largest error, counted in units of what is allowed there."""

    index: tuple[int, ...]
    analytic: float
    numeric: float
    numeric_error: float  # what the numerical value itself may be off by
    error: float = field(init=False)  # |analytic - numeric|

    def __post_init__(self) -> None:
        self.error = abs(self.analytic - self.numeric)


@dataclass
class InputReport:
    """What was found about the gradient of one input."""

    name: str
    shape: tuple[int, ...]
    ok: bool | None  # None: not resolved
    worst: Worst | None = None
    checked: int = 0  # elements that were measured one by one
    wrong: int = 0  # how many of those are wrong
    directions: int = 0  # dense directions measured over all elements at once
    unresolved: int = 0  # elements (or directions) where the finite difference could not tell
    kinks: list[tuple[int, ...]] = field(default_factory=list)  # elements on a kink, whose value is a valid subgradient
    left_out: int = 0  # outputs on a kink, left out of the dense directions
    resolution: float = 0.0  # the smallest relative error in one element that would have been seen
    constant: bool = False  # backward returned None: not differentiated
    notes: list[str] = field(default_factory=list)

    @property
    def share_wrong(self) -> float:
        return self.wrong / self.checked if self.checked else 0.0


@dataclass(frozen=True)
class Fault:
    """Wrong behaviour that is no matter of numbers: what was mutated, aliased, of a wrong shape ..."""

    kind: str
    sentence: str
    input: str | None = None


@dataclass
class Report:
    """The result of a gradient check. ``print(report)`` shows it, and so does a notebook.

    ``report.ok`` is True, False, or None where the check could not tell; only True is true in an ``if``.

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
    layer: str | None = None  # the layer that the forward was recognised as, or the user's hint
    evaluations: int = 0  # of forward
    seconds: float = 0.0
    settings: dict[str, Any] = field(default_factory=dict)  # seed, method, ...

    @property
    def diagnosis(self) -> str:
        """What is wrong, in words, a line each; "" where nothing is wrong."""
        named = {finding.input for finding in self.findings} | {
            f.input for f in self.faults if f.kind in ("wrong_shape", "returned_none")
        }
        sentences = [finding.sentence for finding in self.findings]
        sentences += [f"d{i.name}: no known pattern" for i in self.inputs if i.ok is False and i.name not in named]
        sentences += [fault.sentence for fault in self.faults]
        return "\n".join(dict.fromkeys(sentences))

    def __bool__(self) -> bool:
        return self.ok is True

    def __str__(self) -> str:
        return as_text(self)

    def _repr_html_(self) -> str:
        return as_html(self)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, for json.dumps: NaN and infinities as text."""
        inputs = [asdict(found) | {"share_wrong": found.share_wrong} for found in self.inputs]
        return _plain(asdict(self) | {"inputs": inputs, "diagnosis": self.diagnosis})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


class GradcheckError(RuntimeError):
    """A gradient is wrong, or could not be checked; `report` has all that was found."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report
