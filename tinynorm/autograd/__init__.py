"""The graph, and the backward loop that computes the gradients."""

from ..tensor import Variable
from . import functional
from .anomaly import detect_anomaly, set_detect_anomaly
from .checks import gradcheck, gradgradcheck
from .engine import grad
from .from_arrays import from_arrays
from .function import Function
from .mode import enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled
from .node import Node

__all__ = [
    "Function",
    "Node",
    "Variable",
    "detect_anomaly",
    "enable_grad",
    "from_arrays",
    "functional",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "is_grad_enabled",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
]
