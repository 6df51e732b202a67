"""gradcheck and gradgradcheck under PyTorch's names. The package `tinynorm.gradcheck` does the work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..tensor import Tensor


def gradcheck(
    func: Callable,
    inputs: Tensor | Sequence[Any],
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    fast_mode: bool = False,
    **options: Any,
) -> bool:
    """Check the gradients of a function of Tensors against finite differences.

    Parameters
    ----------
    func : callable
        A function of Tensors that returns a Tensor or a tuple of Tensors. If it runs a module, the check restores its state.
    inputs : Tensor or sequence
        The inputs that require grad are checked, in float64 if `func` accepts it, whatever their dtype is.
    eps : float, optional
        The step size of the central differences. Default: the check finds one for each input.
    atol, rtol : float, optional
        The tolerance that is added to the error of the finite differences. Default: 0 and 1e-7.
    raise_exception : bool
        Raise an error, with the whole report as its message, if a gradient is wrong or could not be resolved.
    fast_mode : bool
        Check directional derivatives and a few random elements; check more elements only if a directional derivative is wrong.
    **options
        As in `tinynorm.gradcheck.check_function`: names, layer, seed, exhaustive, cotangent.

    Returns
    -------
    bool
        True if all gradients are right; False if one is wrong or could not be resolved.

    Raises
    ------
    tinynorm.gradcheck.GradcheckError
        With ``.report``.
    ValueError
        No input requires grad.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([[0.5, -1.0, 2.0, 0.1]], requires_grad=True)
    >>> gradcheck(lambda x: tinynorm.nn.functional.layer_norm(x, 4), x)
    True
    """
    from ..gradcheck import check_function

    return _verdict(check_function(func, inputs, **_options(eps, atol, rtol, fast_mode, options)), raise_exception)


def gradgradcheck(
    func: Callable,
    inputs: Tensor | Sequence[Any],
    grad_outputs: Tensor | Sequence[Tensor] | None = None,
    *,
    eps: float | None = None,
    atol: float | None = None,
    rtol: float | None = None,
    raise_exception: bool = True,
    fast_mode: bool = False,
    **options: Any,
) -> bool:
    """Check second derivatives: the derivatives of the gradients with respect to the inputs and the cotangent.

    With ``create_graph=True`` the backward formulas consist of ops that are recorded and differentiated. The check compares the
    derivatives of the gradients with their finite differences.

    Parameters
    ----------
    func, inputs, eps, atol, rtol, raise_exception, fast_mode, **options
        As in `gradcheck`.
    grad_outputs : Tensor or sequence of Tensor, optional
        The cotangent. Default: random, with both signs.

    Returns
    -------
    bool

    Raises
    ------
    tinynorm.gradcheck.GradcheckError
        With ``.report``.

    Examples
    --------
    >>> import tinynorm
    >>> x = tinynorm.tensor([[0.5, -1.0, 2.0, 0.1]], requires_grad=True)
    >>> gradgradcheck(lambda x: tinynorm.nn.functional.layer_norm(x, 4), x)
    True
    """
    from ..gradcheck import check_second

    report = check_second(func, inputs, grad_outputs, **_options(eps, atol, rtol, fast_mode, options))
    return _verdict(report, raise_exception)


OPTIONS = ("names", "layer", "seed", "exhaustive", "cotangent", "method")


def _options(eps: float | None, atol: float | None, rtol: float | None, fast_mode: bool, others: dict) -> dict:
    unknown = [name for name in others if name not in OPTIONS]
    if unknown:
        raise TypeError(
            f"gradcheck: expected the options {', '.join(OPTIONS)}, got {', '.join(unknown)}. Of PyTorch's, nondeterminism and "
            "dtypes are always checked here; forward mode, batched, sparse and undefined gradients there are none"
        )
    given = {"eps": eps, "atol": atol, "rtol": rtol, "exhaustive": 0 if fast_mode else None}
    return others | {name: value for name, value in given.items() if value is not None}


def _verdict(report: Any, raise_exception: bool) -> bool:
    from ..gradcheck import GradcheckError

    if report.ok is not True and raise_exception:
        raise GradcheckError(report)
    return report.ok is True
