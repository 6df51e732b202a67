"""A layer and the ReLU behind it in a Sequential, as one op where there is a kernel."""

from __future__ import annotations

from typing import Any

from ..autograd.anomaly import detection
from ..ops.common import printed_as
from ..ops.joined import next_op
from .activation import ReLU
from .linear import Linear
from .module import Module
from .normalization import NORMS

JOINED = {Linear, *NORMS}


def joined_by_relu(layer: Module, relu: ReLU) -> bool:
    """Whether nobody sees what is between a layer and a ReLU: neither has hooks or a forward of its own."""
    if type(layer) not in JOINED or layer._hooked or relu._hooked or detection.on:
        return False
    return "forward" not in vars(layer) and "forward" not in vars(relu)


def layer_and_relu(layer: Module, relu: Module, x: Any) -> Any:
    """``relu(layer(x))``, as one op where there is a kernel for x."""
    next_op.relu = True
    try:
        y = layer(x)
        done = not next_op.relu
    finally:
        next_op.relu = False
    return printed_as("ReluBackward0", y) if done else relu(y)
