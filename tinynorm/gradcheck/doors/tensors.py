"""gradcheck and gradgradcheck for functions of Tensors, check_module for layers, check_hvp for Hessian-vector products."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ... import backend
from ...autograd import grad
from ...autograd.mode import lending
from ...nn import Module
from ...tensor import Tensor
from ..behaviour.dependence import nonlinear
from ..behaviour.memory import bits
from ..behaviour.precision import imprecise
from ..behaviour.steadiness import elsewhere, foreign, lasting, repeated
from ..problem.settings import EXHAUSTIVE, Settings, draw_cotangent
from ..problem.tensors import ModuleProblem, TensorProblem, copied, modules_in, untouched
from ..report.progress import shown
from ..report.report import Fault, Report
from . import blind_spots as blind
from .arrays import check_backward, conclude, input_names, layer_of, settle_randomness
from .comparison import Numbers


def check_function(
    func: Callable,
    inputs: Tensor | Sequence[Any],
    *,
    names: Sequence[str] | None = None,
    layer: str | None = None,
    seed: int = 0,
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = Settings.rtol,
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
        Those that require grad are checked, in float64 (and what they give in their own dtype is compared with that).
        Nothing is written into them or their `.grad`.
    names, layer, seed, eps, atol, rtol, method, exhaustive, cotangent
        As in `check_backward`; only central differences.

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
    return _check_function(func, inputs, input_names(func, inputs, names), modules_in(func, *inputs), settings, layer)


def _check_function(
    func: Callable, inputs: list, names: list[str], modules: list[Module], settings: Settings, layer: str | None
) -> Report:
    with untouched(modules):
        return _check(TensorProblem(func, inputs, names, modules), settings, layer)


def check_module(
    module: Module,
    inputs: Tensor | Sequence[Any],
    *,
    names: Sequence[str] | None = None,
    layer: str | None = None,
    seed: int = 0,
    eps: float | None = None,
    atol: float = 0.0,
    rtol: float = Settings.rtol,
    method: str = "central",
    exhaustive: int = EXHAUSTIVE,
    cotangent: Any = None,
) -> Report:
    """Check a module's gradients with respect to its inputs and its parameters, and leave it as it was.

    The parameters, their gradients, the running statistics and the mode are the same afterwards. Parameters whose elements are
    all equal (gamma = 1, beta = 0) are checked with random numbers in their place too.

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
    TypeError
        It is no Module, or there is neither a floating-point input nor a parameter.

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
    with untouched([module]):
        problem = ModuleProblem(module, inputs, input_names(module.forward, inputs, names))
        return _check(problem, settings, layer)


def _central(method: str) -> str:
    if method == "complex":
        raise ValueError("gradcheck: complex steps are for plain arrays (check_backward); a Tensor holds real numbers")
    return method


def _check(problem: TensorProblem, settings: Settings, layer: str | None) -> Report:
    started = time.perf_counter()
    report = Report(ok=None, settings={"seed": settings.seed, "method": settings.method, "dtype": str(problem.dtype)})
    with shown(problem, problem.names), lending():
        _check_tensors(problem, report, settings, layer)
    report.evaluations, report.seconds = problem.evaluations, time.perf_counter() - started
    return report


def _check_tensors(problem: TensorProblem, report: Report, settings: Settings, layer: str | None) -> None:
    y = settle_randomness(problem, report)
    if y is None:
        return
    rng = np.random.default_rng(settings.seed)
    u = draw_cotangent(problem, settings, y.size, rng)
    recognised = layer_of(problem, y, layer)
    report.layer = recognised.layer if recognised else layer
    report.faults += _faults_of(problem, u)
    numbers = Numbers(problem, report, settings, recognised, layer)
    measure = numbers.check(problem.point, u, rng)
    report.faults += nonlinear(measure)
    if not numbers.wrong:
        report.faults += imprecise(problem, measure, composed=recognised is None)
    report.faults += [fault for fault in lasting(measure) if fault not in report.faults]
    numbers.check_other_constants(measure)
    numbers.diagnose()
    report.warnings += blind.small_groups(recognised)
    conclude(report)


def _faults_of(problem: TensorProblem, u: np.ndarray) -> list[Fault]:
    """What is written into that should not be, and whether the gradients are the same each time, in our dtype and their own."""
    faults: list[Fault] = []
    for own in (False, True) if problem.recast else (False,):
        found, seen = repeated(partial(_watched, problem), problem, u, own, allow_alias=False)
        faults += found
        if not any(fault.kind == "nondeterministic" for fault in found):
            faults += foreign(problem, _after_another_run(problem, u, own), seen)
    return list(dict.fromkeys(faults))


def _after_another_run(problem: TensorProblem, u: np.ndarray, own: bool) -> list | None:
    """The gradients where the function ran again, with other inputs, before backward; None where that raises."""
    with problem.lent(own):
        leaves = problem.leaves(problem.point, own)
        outputs = problem.run(leaves)
        k = len(problem.wrt)  # behind them, a module has its parameters, which it holds itself
        for point in elsewhere(problem.point):
            try:
                problem.run([*TensorProblem.leaves(problem, point, own)[:k], *leaves[k:]])
                return problem.differentiated(outputs, leaves, problem.cotangents(outputs, problem.split(u)))
            except Exception:
                continue
    return None


def _watched(problem: TensorProblem, u: np.ndarray, own: bool) -> tuple[list, list[Fault]]:
    """(the gradients of one run and one backward, what these wrote that they must not)."""
    with problem.lent(own):
        leaves = problem.leaves(problem.point, own)
        before = [bits(x.data) for x in leaves]
        outputs = problem.run(leaves)
        faults = _written(problem, leaves, before, "the function")
        before = [bits(x.data) for x in leaves]
        values = [bits(y.data) for y in outputs]
        douts = problem.cotangents(outputs, problem.split(u))
        dout_values = [bits(v.data) for v in douts]
        grads = problem.differentiated(outputs, leaves, douts)
        faults += _written(problem, leaves, before, "backward")
        if [bits(v.data) for v in douts] != dout_values:
            faults.append(
                Fault("mutates_dout", "backward writes into the incoming gradient, which others still need; work on a copy")
            )
        if [bits(y.data) for y in outputs] != values:
            faults.append(
                Fault("mutates_output", "backward writes into the output of forward; work on a copy of what was saved")
            )
        return grads, faults


def _written(problem: TensorProblem, leaves: list[Tensor], before: list, who: str) -> list[Fault]:
    return [
        Fault("mutates_input", f"{who} writes into its input {name}; work on {name}.clone()", name)
        for name, x, was in zip(problem.names, leaves, before, strict=True)
        if bits(x.data) != was
    ]


def check_second(
    func: Callable, inputs: Tensor | Sequence[Any], grad_outputs: Tensor | Sequence[Tensor] | None = None, **options: Any
) -> Report:
    """Check the derivatives of the gradients that the graph gives (``create_graph=True``), by inputs and cotangent.

    Parameters
    ----------
    func, inputs
        As in `check_function`; of a module, its parameters are checked too.
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
    module = func if isinstance(func, Module) else None  # whose parameters are inputs too
    names = input_names(module.forward if module else func, inputs, options.pop("names", None))
    layer = options.pop("layer", None)
    settings, modules = Settings(**options), modules_in(func, *inputs)
    wrt = [i for i, x in enumerate(inputs) if isinstance(x, Tensor) and (x.requires_grad or (module and _floating(x)))]
    cotangents = _cotangents(func, inputs, modules, grad_outputs, settings.seed)
    count = len(inputs)

    def gradient(*args: Tensor) -> tuple[Tensor, ...]:
        xs = [args[i] for i in wrt] + [p for p in (module.parameters() if module else ()) if p.requires_grad]
        pairs = [(y, v) for y, v in zip(_floating(func(*args[:count])), args[count:], strict=True) if y.requires_grad]
        if not pairs:
            return tuple(x * 0.0 for x in xs)
        ys, vs = zip(*pairs, strict=True)
        found = grad(ys, xs, vs, create_graph=True, allow_unused=True)
        return tuple(x * 0.0 if g is None else g for g, x in zip(found, xs, strict=True))

    names = [*names, *(f"dout{k or ''}" for k in range(len(cotangents)))]
    if module is None:
        report = _check_function(gradient, [*inputs, *cotangents], names, modules, settings, layer)
    else:
        with untouched([module]):
            report = _check(ModuleProblem(module, [*inputs, *cotangents], names, gradient), settings, layer)
    report.warnings = [w for w in report.warnings if not w.startswith(blind.NO_DEPENDENCE)]  # what is linear has none
    return report


def _floating(out: Any) -> list[Tensor]:
    outputs = list(out) if isinstance(out, tuple | list) else [out]
    return [y for y in outputs if isinstance(y, Tensor) and backend.is_floating(y.data)]


def _cotangents(
    func: Callable, inputs: list, modules: list[Module], given: Tensor | Sequence[Tensor] | None, seed: int
) -> list[Tensor]:
    """Those given, or random ones for the outputs of `func`, which is run on copies."""
    if given is not None:
        return [v.detach().requires_grad_() for v in ([given] if isinstance(given, Tensor) else given)]
    with untouched(modules):
        outputs = _floating(func(*copied(inputs)))
    rng = np.random.default_rng(seed)
    made = [rng.choice([-1.0, 1.0], y.shape) * rng.uniform(0.5, 1.5, y.shape) for y in outputs]
    return [
        Tensor(backend.move(v.astype(np.dtype(str(y.dtype))), backend.device_of(y.data)), requires_grad=True)
        for v, y in zip(made, outputs, strict=True)
    ]


def check_hvp(gradient: Callable, hvp: Callable, inputs: Sequence[Any], **options: Any) -> Report:
    """Check Hessian-vector products on plain arrays: ``hvp(v, *inputs)`` against the differences of ``gradient(*inputs)``.

    A Hessian is symmetric, so H v is the backward of the gradient with v as its cotangent.

    Parameters
    ----------
    gradient : callable
        ``gradient(*inputs)``: the gradient of a scalar function, one array per input (or the array alone for one input).
        Check it first, with `check_backward`.
    hvp : callable
        ``hvp(v, *inputs)``: H v, as `gradient` in form; `v` likewise.
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
