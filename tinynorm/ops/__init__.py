"""The mathematics: each op's forward beside its hand-derived backward.

This module is also the namespace of Tensors: what numpy is to an ndarray, so that one formula runs on both.
"""

from . import inplace
from .activation import erf, gelu, log_softmax, logsumexp, relu, sigmoid, softmax, tanh
from .arithmetic import abs, add, clamp, div, exp, log, maximum, minimum, mul, neg, pow, rsqrt, sqrt, sub, where
from .convert import astype, clone
from .dropout import dropout
from .indexing import gather, getitem, take_along_dim
from .linear import linear, matmul
from .logic import (
    all,
    allclose,
    any,
    argmax,
    argmin,
    eq,
    equal,
    ge,
    gt,
    isfinite,
    isnan,
    le,
    logical_not,
    lt,
    ne,
    round,
    sign,
)
from .loss import cross_entropy, mse_loss, nll_loss
from .normalization import batch_norm, group_norm, instance_norm, layer_norm, rms_norm
from .reduction import amax, amin, max, mean, min, std, sum, var
from .shape import (
    broadcast_to,
    cat,
    concat,
    expand,
    flatten,
    full_like,
    matrix_transpose,
    ones_like,
    permute,
    permute_dims,
    reshape,
    squeeze,
    stack,
    t,
    transpose,
    unsqueeze,
    zeros_like,
)

expand_dims = unsqueeze  # the array standard's name

__all__ = [name for name in dir() if not name.startswith("_")]
