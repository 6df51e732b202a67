"""Gradient checks that say what is wrong.

`check_backward` takes a forward and a backward on plain arrays, `check_function` a function of Tensors, `check_module` a layer
with its parameters, `check_second` second derivatives, `check_hvp` Hessian-vector products. Each returns a `Report`.

The gradient of a loss with respect to the output is called the cotangent. It is `dout` in `check_backward`, `dy` in the
diagnosis and `u` in the measurements, where <u, f> is Σ u_k f_k.

The folders. A file imports from its own folder and from those below it in this table:

=============  =======================================================================================
`doors`        the functions check_...: what they accept, and the order in which a check does its work
`diagnosis`    what the mistake is: naming, general patterns, a file or folder for each family of layers
`behaviour`    how the code behaves: mutation, aliasing, steadiness, dependence, precision
`slopes`       how a derivative is measured: differences, directions, kinks
`problem`      what is checked: a function, its inputs and its gradients
`report`       what was found, and how it is told: text, HTML, dict
=============  =======================================================================================

`mistakes` holds wrong backward passes to learn from. Only ``from tinynorm.gradcheck import mistakes`` loads it.
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
