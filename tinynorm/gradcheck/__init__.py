"""Gradient checks that say what is wrong.

`check_backward` takes a forward and a backward on plain arrays, `check_function` a function of Tensors, `check_module` a layer
with its parameters, `check_second` second derivatives, `check_hvp` Hessian-vector products. Each returns a `Report`.
"""

from .check import check_backward
from .evidence import Evidence, Finding, Recognised, Sample
from .functions import check_function, check_hvp, check_module, check_second
from .kinds import KINDS
from .problem import CannotCheck
from .report import Fault, GradcheckError, InputReport, Report, Worst

__all__ = [
    "KINDS",
    "CannotCheck",
    "Evidence",
    "Fault",
    "Finding",
    "GradcheckError",
    "InputReport",
    "Recognised",
    "Report",
    "Sample",
    "Worst",
    "check_backward",
    "check_function",
    "check_hvp",
    "check_module",
    "check_second",
]
