"""Checks of plain arrays: check_backward for a backward pass, check_hvp for Hessian-vector products."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..problem.problem import Problem, differentiable, random_state_kept
from ..problem.settings import EXHAUSTIVE, RTOL, Settings
from ..report.report import Report
from .check import check_problem


def check_backward(
    forward: Callable,
    backward: Callable,
    inputs: Sequence[Any],
    *,
    names: Sequence[str] | None = None,
    layer: str | None = None,
    seed: int = 0,
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = RTOL,
    method: str = "central",
    exhaustive: int = EXHAUSTIVE,
    cotangent: Any = None,
    allow_alias: bool = False,
    batch_independent: bool | None = None,
) -> Report:
    """Check a hand-written backward pass on plain arrays, and say what is wrong with it.

    Parameters
    ----------
    forward : callable
        ``out, cache = forward(*inputs)``; `out` is an array, a number, or a tuple of them.
    backward : callable
        ``grads = backward(dout, cache)``: a tuple of one gradient per input, None for an input that has none; or the
        gradients of the floating-point arrays only.
    inputs : sequence
        NumPy or CuPy arrays, and anything else that `forward` takes; `forward` gets copies of arrays, lists and dicts. Choose
        inputs that show every term: groups of four numbers or more, gamma not all ones. float32 and float16 inputs are checked
        in float64. The gradients in their own dtype are then compared with those in float64.
    names : sequence of str, optional
        The names of the inputs. Default: the names of forward's parameters.
    layer : str, optional
        The name of the layer ("LayerNorm", "linear"), for the diagnosis and `batch_independent`. Default: recognised by its
        output.
    seed : int
        The seed of the random cotangent and directions.
    eps : float, optional
        The step size of the finite differences. Default: found for each input.
    atol, rtol : float
        The absolute error, and the error relative to each derivative, allowed on top of the error of the finite differences.
    method : {"central", "complex"}
        Central differences, or complex steps. Complex steps are exact to rounding, but need a forward that is analytic and
        takes complex arrays.
    exhaustive : int
        The largest number of elements of an input that is measured element by element (if the output is not very large). Of
        larger inputs, directional derivatives and a few elements are measured.
    cotangent : array, optional
        `dout`, of the shape of `out`. Default: random, with both signs.
    allow_alias : bool
        Let backward hand back the memory of dout or of an input.
    batch_independent : bool, optional
        Check for the first, the middle and the last row (axis 0) of the output that each depends only on the same row of the
        first input. Default: True for the layers that promise it (LayerNorm, RMSNorm, GroupNorm, InstanceNorm, BatchNormEval,
        ReLU, Linear), recognised or named in `layer`.

    Returns
    -------
    Report
        ``report.ok`` is True, False, or None if the finite differences could not tell. ``print(report)`` shows all.

    Raises
    ------
    TypeError, ValueError
        No input is a floating-point array; an input is a matrix or a masked array; an option does not fit; or `forward` does
        not return ``(out, cache)`` or, for complex steps, is not analytic. Exceptions of `forward` and `backward` themselves
        are passed on.

    Examples
    --------
    >>> import numpy as np
    >>> def forward(x):
    ...     return x**2, x
    >>> def backward(dout, x):
    ...     return (dout * x,)
    >>> report = check_backward(forward, backward, [np.array([0.5, -1.5, 2.0])])
    >>> report.ok
    False
    >>> report.findings[0].kind
    'constant_factor'
    """
    settings = Settings(seed, eps, atol, rtol, method, exhaustive, cotangent)
    names = input_names(forward, inputs, names)
    for x in inputs:
        if isinstance(x, np.matrix | np.ma.MaskedArray):
            raise TypeError(f"check_backward: expected plain arrays, got {type(x).__name__}; hand in np.asarray of it")
    if not any(differentiable(x) for x in inputs):
        got = ", ".join(type(x).__name__ for x in inputs) or "no inputs"
        raise TypeError(f"check_backward: expected at least one floating-point array among the inputs, got {got}")
    with random_state_kept():
        problem = Problem(forward, backward, inputs, names)
        return check_problem(problem, settings, layer, allow_alias, batch_independent)


def input_names(forward: Callable, inputs: Sequence[Any], names: Sequence[str] | None) -> list[str]:
    """One name for each input: the given ones, else the names of forward's parameters."""
    if names is not None:
        if len(names) != len(inputs):
            raise ValueError(f"gradcheck: expected {len(inputs)} names, one for each input, got {len(names)}")
        return list(names)
    try:
        found = [
            p.name
            for p in inspect.signature(forward).parameters.values()
            if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        ]
    except (TypeError, ValueError):
        found = []
    return [found[i] if i < len(found) else f"input{i}" for i in range(len(inputs))]


def check_hvp(gradient: Callable, hvp: Callable, inputs: Sequence[Any], **options: Any) -> Report:
    """Check Hessian-vector products on plain arrays: ``hvp(v, *inputs)`` against the differences of ``gradient(*inputs)``.

    A Hessian is symmetric, so a backward pass of the function `gradient`, with v as its cotangent, returns Hᵀ v = H v.

    Parameters
    ----------
    gradient : callable
        ``gradient(*inputs)``: the gradient of a scalar function, one array per input (or the array alone for one input).
        Check it first, with `check_backward`.
    hvp : callable
        ``hvp(v, *inputs)``: H v. Both `v` and H v have the form of what `gradient` returns.
    inputs : sequence of array
    **options
        As in `check_backward`.

    Returns
    -------
    Report

    Examples
    --------
    >>> import numpy as np
    >>> A = np.array([[2.0, 1.0], [1.0, 3.0]])
    >>> check_hvp(lambda x: A @ x, lambda v, x: A @ v, [np.array([0.3, -0.7])]).ok
    True
    """

    def forward(*xs: Any) -> tuple[Any, tuple]:
        return gradient(*xs), xs

    def backward(v: Any, xs: tuple) -> Any:
        return hvp(v, *xs)

    names = options.pop("names", None) or input_names(gradient, inputs, None)
    return check_backward(forward, backward, inputs, names=names, **options)
