"""The layers as functions, without state, under PyTorch's names. The mathematics is in `tinynorm.ops`."""

from ..ops import (
    batch_norm,
    cross_entropy,
    dropout,
    gelu,
    group_norm,
    instance_norm,
    layer_norm,
    linear,
    log_softmax,
    mse_loss,
    nll_loss,
    relu,
    rms_norm,
    sigmoid,
    softmax,
    tanh,
)

__all__ = [
    "batch_norm",
    "cross_entropy",
    "dropout",
    "gelu",
    "group_norm",
    "instance_norm",
    "layer_norm",
    "linear",
    "log_softmax",
    "mse_loss",
    "nll_loss",
    "relu",
    "rms_norm",
    "sigmoid",
    "softmax",
    "tanh",
]
