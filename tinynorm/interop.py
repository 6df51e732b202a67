"""NumPy's functions on Tensors: ``np.exp(t)``, ``array * t`` and ``np.sum(t, axis=0)`` run tinynorm's op, which is recorded.

So a backward that is written with NumPy's functions can itself be differentiated (``create_graph=True``). NumPy calls this
module through two protocols: NEP 13 (``__array_ufunc__``) for elementwise functions and operators, and NEP 18
(``__array_function__``) for all other functions.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np

from . import ops
from .autograd.mode import mode
from .tensor import Tensor, method, raw

UFUNCS: dict[str, Callable] = {
    "absolute": ops.abs,
    "add": ops.add,
    "arccos": ops.acos,
    "arcsin": ops.asin,
    "arctan": ops.atan,
    "arctan2": ops.atan2,
    "bitwise_and": vars(Tensor)["__and__"],
    "bitwise_or": vars(Tensor)["__or__"],
    "bitwise_xor": vars(Tensor)["__xor__"],
    "ceil": ops.ceil,
    "cos": ops.cos,
    "cosh": ops.cosh,
    "divide": ops.div,
    "equal": ops.eq,
    "exp": ops.exp,
    "expm1": ops.expm1,
    "floor": ops.floor,
    "floor_divide": ops.floor_divide,
    "fmod": ops.fmod,
    "greater": ops.gt,
    "greater_equal": ops.ge,
    "hypot": ops.hypot,
    "invert": vars(Tensor)["__invert__"],
    "isfinite": ops.isfinite,
    "isinf": ops.isinf,
    "isnan": ops.isnan,
    "less": ops.lt,
    "less_equal": ops.le,
    "log": ops.log,
    "log10": ops.log10,
    "log1p": ops.log1p,
    "log2": ops.log2,
    "logical_and": ops.logical_and,
    "logical_not": ops.logical_not,
    "logical_or": ops.logical_or,
    "logical_xor": ops.logical_xor,
    "matmul": ops.matmul,
    "maximum": ops.maximum,
    "minimum": ops.minimum,
    "multiply": ops.mul,
    "negative": ops.neg,
    "not_equal": ops.ne,
    "positive": lambda x: x,
    "power": ops.pow,
    "remainder": ops.remainder,
    "reciprocal": ops.reciprocal,
    "rint": ops.round,
    "sign": ops.sign,
    "sin": ops.sin,
    "sinh": ops.sinh,
    "sqrt": ops.sqrt,
    "square": ops.square,
    "subtract": ops.sub,
    "tan": ops.tan,
    "tanh": ops.tanh,
    "trunc": ops.trunc,
}


@method("__array_ufunc__")
def array_ufunc(self: Tensor, ufunc: np.ufunc, how: str, *inputs: Any, out: tuple | None = None, **kwargs: Any) -> Any:
    """Run NumPy's elementwise functions and array operators on Tensors.

    If ``out=`` is an array, as in ``array -= lr * tensor``, the result is written into it and nothing is recorded.

    Raises
    ------
    TypeError
        tinynorm has no op for the function, or `out` is a Tensor.
    RuntimeError
        An operand requires grad, but the result goes into an array, which cannot record the op.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([0.0, 1.0], requires_grad=True)
    >>> np.ones(2, np.float32) * np.exp(x)
    tensor([1.0000, 2.7183], grad_fn=<MulBackward0>)
    """
    name = f"np.{ufunc.__name__}" + ("" if how == "__call__" else f".{how}")
    if out is not None:
        return _write(name, getattr(ufunc, how), inputs, out, kwargs)
    op = UFUNCS.get(ufunc.__name__) if how == "__call__" else None
    if op is None:
        raise TypeError(f"{name}: tinynorm has no op for it; {_OTHERWISE}")
    if kwargs:
        raise TypeError(f"{name}: on Tensors it takes no {', '.join(kwargs)}=; {_OTHERWISE}")
    return op(*inputs)


_OTHERWISE = "use the ops and methods of tinynorm, or the array, without gradient: t.detach().numpy()"


def _write(name: str, compute: Callable, inputs: tuple, out: tuple, kwargs: dict) -> Any:
    if any(isinstance(y, Tensor) for y in out):
        raise TypeError(f"{name}: expected out= to be an array, got a Tensor; use t[...] = x or an in-place method (t.add_(x))")
    if mode.enabled and any(isinstance(x, Tensor) and x._requires_grad for x in inputs):
        raise RuntimeError(
            f"{name}: an operand requires grad, and the array that is written to cannot record it; "
            "use .detach() or no_grad(), or a Tensor in place of the array"
        )
    return compute(*map(raw, inputs), out=out, **{key: raw(value) for key, value in kwargs.items()})


# ---- the functions that are not ufuncs, with NumPy's signatures ------------------------------------------------------

FUNCTIONS: dict[Callable, Callable] = {
    np.all: lambda a, axis=None, *, keepdims=False: ops.all(a != 0, axis, keepdims),
    np.any: lambda a, axis=None, *, keepdims=False: ops.any(a != 0, axis, keepdims),
    np.amax: lambda a, axis=None, *, keepdims=False: ops.amax(a, axis, keepdims),
    np.amin: lambda a, axis=None, *, keepdims=False: ops.amin(a, axis, keepdims),
    np.argmax: lambda a, axis=None, *, keepdims=False: ops.argmax(a, axis, keepdims),
    np.argmin: lambda a, axis=None, *, keepdims=False: ops.argmin(a, axis, keepdims),
    np.broadcast_to: lambda array, shape: ops.broadcast_to(array, _shape(shape)),
    np.clip: lambda a, a_min=None, a_max=None, *, min=None, max=None: ops.clamp(
        a, a_min if min is None else min, a_max if max is None else max
    ),
    np.concatenate: lambda arrays, axis=0: ops.cat(arrays, axis),
    np.copy: lambda a: ops.clone(a),
    np.dot: lambda a, b: ops.matmul(a, b) if np.ndim(raw(a)) and np.ndim(raw(b)) in (1, 2) else ops.mul(a, b),
    np.expand_dims: lambda a, axis: ops.unsqueeze(a, axis),
    np.full_like: lambda a, fill_value, dtype=None: ops.full_like(a, fill_value, dtype=dtype),
    np.matrix_transpose: lambda x: ops.matrix_transpose(x),
    np.max: lambda a, axis=None, *, keepdims=False: ops.amax(a, axis, keepdims),
    np.mean: lambda a, axis=None, *, keepdims=False: ops.mean(a, axis, keepdims),
    np.min: lambda a, axis=None, *, keepdims=False: ops.amin(a, axis, keepdims),
    np.ndim: lambda a: a.ndim,
    np.ones_like: lambda a, dtype=None: ops.ones_like(a, dtype=dtype),
    np.ravel: lambda a: ops.reshape(a, -1),
    np.reshape: lambda a, shape: ops.reshape(a, _shape(shape)),
    np.round: lambda a: ops.round(a),
    np.shape: lambda a: a.shape,
    np.size: lambda a: a.numel(),
    np.squeeze: lambda a, axis=None: ops.squeeze(a, axis),
    np.stack: lambda arrays, axis=0: ops.stack(arrays, axis),
    np.std: lambda a, axis=None, *, ddof=0, keepdims=False: ops.std(a, axis, keepdim=keepdims, correction=ddof),
    np.sum: lambda a, axis=None, dtype=None, *, keepdims=False: ops.sum(a, axis, keepdims, dtype=dtype),
    np.swapaxes: lambda a, axis1, axis2: ops.transpose(a, axis1, axis2),
    np.take_along_axis: lambda arr, indices, axis=-1: ops.take_along_dim(arr, indices, axis),
    np.transpose: lambda a, axes=None: ops.permute(a, tuple(reversed(range(a.ndim))) if axes is None else tuple(axes)),
    np.var: lambda a, axis=None, *, ddof=0, keepdims=False: ops.var(a, axis, keepdim=keepdims, correction=ddof),
    np.where: lambda condition, x, y: ops.where(condition, x, y),
    np.zeros_like: lambda a, dtype=None: ops.zeros_like(a, dtype=dtype),
}

# as of PyTorch's tensors, NumPy makes arrays of these, unless a gradient would be lost or a tensor is on another device
ARRAYS = {
    np.broadcast_to, np.concatenate, np.copy, np.dot, np.expand_dims, np.full_like, np.matrix_transpose, np.ones_like,
    np.ravel, np.stack, np.where, np.zeros_like,
}  # fmt: skip


@method("__array_function__")
def array_function(self: Tensor, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
    """Run NumPy's other functions on Tensors, with NumPy's meaning: ``np.var`` divides by n, ``tinynorm.var`` by n - 1.

    If tinynorm has no op for the function or for one of its arguments, NumPy's own function runs on the arrays. This is allowed
    only if no tensor requires grad, so that no gradient is lost. So do the functions that make a new array, such as
    ``np.stack``, where no gradient is lost: they give arrays, as PyTorch's tensors do.

    Raises
    ------
    TypeError
        tinynorm has no op for the function, and a tensor requires grad or is not on the CPU.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([[1.0, 3.0]], requires_grad=True)
    >>> np.var(x, axis=1)
    tensor([1.], grad_fn=<VarBackward0>)
    >>> np.median(x.detach())
    np.float32(2.0)
    """
    ours = FUNCTIONS.get(function)
    if ours is not None:
        try:
            signature(ours).bind(*args, **kwargs)
        except TypeError:
            pass  # tinynorm's op does not have this argument
        else:
            if function not in ARRAYS or not _for_numpy((*args, *kwargs.values())):
                return ours(*args, **kwargs)
    name, takes = f"np.{function.__name__}", "" if ours is None else f" on Tensors takes {signature(ours)}"
    return function(*_arrays(name + takes, args), **_arrays(name + takes, kwargs))


def _for_numpy(x: Any) -> bool:
    """Whether NumPy can have all Tensors in `x`: none requires grad, and all are on the CPU."""
    if isinstance(x, (list, tuple)):
        return all(map(_for_numpy, x))
    return not isinstance(x, Tensor) or (not x._requires_grad and isinstance(x._array, np.ndarray))


def _arrays(name: str, x: Any) -> Any:
    """The arguments, with each Tensor replaced by its array."""
    if isinstance(x, (list, tuple)):
        return type(x)(_arrays(name, item) for item in x)
    if isinstance(x, dict):
        return {key: _arrays(name, item) for key, item in x.items()}
    if isinstance(x, Tensor) and (x._requires_grad or not isinstance(x._array, np.ndarray)):
        why = "requires grad, which NumPy cannot record" if x._requires_grad else f"is on {x.device}"
        raise TypeError(f"{name}: tinynorm has no op for this, and a tensor {why}; {_OTHERWISE} (.cpu() if on a GPU)")
    return raw(x)


def _shape(shape: Any) -> tuple[int, ...]:
    return tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
