"""Gradient checks that say what is wrong: `check_backward` for plain arrays, `check_module` for layers."""

from .check import check_backward
from .evidence import Evidence, Finding, Recognised, Sample
from .kinds import KINDS
from .problem import CannotCheck
from .report import Fault, InputReport, Report, Worst

__all__ = [
    "KINDS",
    "CannotCheck",
    "Evidence",
    "Fault",
    "Finding",
    "InputReport",
    "Recognised",
    "Report",
    "Sample",
    "Worst",
    "check_backward",
]
