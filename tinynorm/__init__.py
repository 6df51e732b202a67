"""tinynorm: tensors and autograd on NumPy and CuPy, with hand-derived backward passes for the normalisation layers."""

from . import autograd, backend, cuda, interop, nn, ops, optim, utils
from .autograd import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .backend import Generator, device, manual_seed
from .backend import bool_ as bool
from .backend import float16, float32, float64, int8, int16, int32, int64, uint8
from .checkpoint import load_checkpoint, save_checkpoint
from .creation import (
    arange,
    as_tensor,
    empty,
    eye,
    from_dlpack,
    from_numpy,
    full,
    linspace,
    ones,
    rand,
    randint,
    randn,
    randperm,
    tensor,
    zeros,
)
from .ops import (
    abs,
    add,
    all,
    allclose,
    amax,
    amin,
    any,
    argmax,
    argmin,
    broadcast_to,
    cat,
    clamp,
    concat,
    div,
    eq,
    equal,
    erf,
    exp,
    flatten,
    full_like,
    gather,
    ge,
    gt,
    isfinite,
    isnan,
    le,
    log,
    log_softmax,
    logsumexp,
    lt,
    matmul,
    max,
    maximum,
    mean,
    min,
    minimum,
    mul,
    ne,
    neg,
    ones_like,
    permute,
    pow,
    relu,
    reshape,
    round,
    rsqrt,
    sigmoid,
    sign,
    softmax,
    sqrt,
    squeeze,
    stack,
    std,
    sub,
    sum,
    take_along_dim,
    tanh,
    transpose,
    unsqueeze,
    var,
    where,
    zeros_like,
)
from .serialization import CheckpointError, load_file, save_file
from .tensor import Tensor

half, float, double = float16, float32, float64
int, long = int32, int64

__version__ = "0.1.0"
