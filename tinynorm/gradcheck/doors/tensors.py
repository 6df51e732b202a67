"""Checks of Tensors: check_function for functions, check_module for modules, check_second for second derivatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import backend
from ...autograd import grad
from ...autograd.mode import lending
from ...nn import Module
from ...tensor import Tensor, tensor_of
from ..problem.modules import modules_in, untouched
from ..problem.problem import fresh
from ..problem.settings import EXHAUSTIVE, RTOL, Settings, random_cotangent
from ..problem.tensors import TensorProblem, floating_tensors
from ..report.report import Report
from . import blind_spots as blind
from .arrays import input_names
from .check import check_problem


def check_function(
    func: Callable,
    inputs: Tensor | Sequence[Any],
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
) -> Report:
    """Check the gradients that the graph gives for a function of Tensors.

    Parameters
    ----------
    func : callable
        From Tensors to a Tensor or a tuple of them. A module that it runs has the same state afterwards.
    inputs : Tensor or sequence
        Those that require grad are checked in float64. The gradients in their own dtype are then compared with those in
        float64. Nothing is written into the inputs or their `.grad`.
    names, layer, seed, eps, atol, rtol, method, exhaustive, cotangent
        As in `check_backward`. The only method is "central".

    Returns
    -------
    Report

    Raises
    ------
    ValueError, TypeError
        No input requires grad, or the function returns no floating-point Tensor.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([0.5, -1.0], requires_grad=True)
    >>> check_function(lambda x: x * x, x).ok
    True
    """
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    settings = Settings(seed, eps, atol, rtol, _central(method), exhaustive, cotangent)
    if not any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
        raise ValueError("gradcheck: expected at least one input with requires_grad=True; call .requires_grad_() on it")
    return _check(func, inputs, input_names(func, inputs, names), settings, layer, modules_in(func, *inputs))


def check_module(
    module: Module,
    inputs: Tensor | Sequence[Any],
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
) -> Report:
    """Check a module's gradients with respect to its inputs and its parameters.

    The parameters, their gradients, the running statistics and the mode are the same afterwards. If the elements of a
    parameter are equal but for the sign (gamma = 1, beta = 0), the check is repeated with random numbers in place of them.

    Parameters
    ----------
    module : Module
    inputs : Tensor or sequence
        What the module is called with; every floating-point Tensor among them is checked.
    names, layer, seed, eps, atol, rtol, method, exhaustive, cotangent
        As in `check_backward`.

    Returns
    -------
    Report

    Raises
    ------
    TypeError, ValueError
        `module` is no Module, or there is neither a floating-point input nor a parameter.

    Examples
    --------
    >>> import tinynorm
    >>> _ = tinynorm.manual_seed(0)
    >>> bn = tinynorm.nn.BatchNorm1d(3)
    >>> check_module(bn, tinynorm.randn(8, 3)).ok
    True
    >>> bn.running_mean
    tensor([0., 0., 0.])
    """
    if not isinstance(module, Module):
        raise TypeError(f"check_module: expected a Module, got {type(module).__name__}; for functions there is gradcheck")
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    settings = Settings(seed, eps, atol, rtol, _central(method), exhaustive, cotangent)
    return _check(module, inputs, input_names(module.forward, inputs, names), settings, layer, [module], module)


def _central(method: str) -> str:
    if method == "complex":
        raise ValueError("gradcheck: complex steps are for plain arrays (check_backward); a Tensor holds real numbers")
    return method


def _check(
    func: Callable,
    inputs: list,
    names: list[str],
    settings: Settings,
    layer: str | None,
    modules: list[Module],
    parameters_of: Module | None = None,
) -> Report:
    with untouched(modules), lending():
        return check_problem(TensorProblem(func, inputs, names, modules, parameters_of), settings, layer)


def check_second(
    func: Callable, inputs: Tensor | Sequence[Any], grad_outputs: Tensor | Sequence[Tensor] | None = None, **options: Any
) -> Report:
    """Check the derivatives of the graph's gradients (``create_graph=True``) with respect to the inputs and the cotangent.

    Parameters
    ----------
    func, inputs
        As in `check_function`. The parameters of a module are checked too.
    grad_outputs : Tensor or sequence of Tensor, optional
        The cotangent at which the gradients are taken. Default: random.
    **options
        names, layer, seed, eps, atol, rtol, exhaustive, as in `check_function`.

    Returns
    -------
    Report

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([0.5, -1.0], requires_grad=True)
    >>> check_second(lambda x: x**3, x).ok
    True
    """
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    module = func if isinstance(func, Module) else None
    names = input_names(module.forward if module else func, inputs, options.pop("names", None))
    layer = options.pop("layer", None)
    settings, modules = Settings(**options), [module] if module else modules_in(func, *inputs)
    cotangents = _cotangents(func, inputs, modules, grad_outputs, settings.seed)
    tensors = [i for i, x in enumerate(inputs) if isinstance(x, Tensor)]
    wanted = [i for i in tensors if inputs[i].requires_grad or (module and floating_tensors(inputs[i]))]
    parameters = [p for p in module.parameters() if p.requires_grad] if module else []

    def gradient(*args: Tensor) -> tuple[Tensor, ...]:
        xs = [*(args[i] for i in wanted), *parameters]
        outputs = floating_tensors(func(*args[: len(inputs)]))
        pairs = [(y, v) for y, v in zip(outputs, args[len(inputs) :], strict=True) if y.requires_grad]
        if not pairs:
            return tuple(x * 0.0 for x in xs)
        ys, vs = zip(*pairs, strict=True)
        found = grad(ys, xs, vs, create_graph=True, allow_unused=True)
        return tuple(x * 0.0 if g is None else g for g, x in zip(found, xs, strict=True))

    names = [*names, *(f"dout{k or ''}" for k in range(len(cotangents)))]
    report = _check(gradient, [*inputs, *cotangents], names, settings, layer, modules, module)
    # A gradient that is linear in an input has a second derivative of 0: no reason for a warning.
    report.warnings = [w for w in report.warnings if not w.startswith(blind.NO_DEPENDENCE)]
    return report


def _cotangents(
    func: Callable, inputs: list, modules: list[Module], given: Tensor | Sequence[Tensor] | None, seed: int
) -> list[Tensor]:
    """The given cotangents, or random ones for the outputs of `func`, which is run on copies."""
    if given is not None:
        return [v.detach().requires_grad_() for v in ([given] if isinstance(given, Tensor) else given)]
    with untouched(modules):
        outputs = floating_tensors(func(*map(fresh, inputs)))
    rng = np.random.default_rng(seed)
    made = [random_cotangent(y.shape, rng) for y in outputs]
    return [
        tensor_of(backend.move(v.astype(np.dtype(str(y.array.dtype))), backend.device_of(y.array)), requires_grad=True)
        for v, y in zip(made, outputs, strict=True)
    ]
