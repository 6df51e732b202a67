"""Gradient checks that say what is wrong.

`check_backward` takes a forward and a backward on plain arrays, `check_function` a function of Tensors, `check_module` a layer
with its parameters, `check_second` second derivatives, `check_hvp` Hessian-vector products. Each returns a `Report`.

The rooms. A file imports from its own room and from the rooms below it:

=============  =====================================================================
`doors`        what a caller may hand in, and the order in which a check does its work
`diagnosis`    what the mistake is: naming, general patterns, one file a layer family
`behaviour`    how the code behaves: mutation, aliasing, steadiness, dependence, precision
`slopes`       how a derivative is measured: differences, directions, kinks
`problem`      what is checked: a function, its inputs and its gradients
`report`       what was found, and how it is told: text, HTML, dict
=============  =====================================================================

`mistakes` holds wrong backward passes to learn from. It stands alone and is loaded on first use.
"""

from .doors.arrays import check_backward, check_hvp
from .doors.tensors import check_function, check_module, check_second
from .problem.problem import CannotCheck
from .report.catalogue import KINDS
from .report.evidence import Evidence, Finding, Recognised, Sample
from .report.report import Fault, GradcheckError, InputReport, Report, Worst

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
