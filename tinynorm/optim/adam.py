"""Adam and AdamW: steps scaled by running averages of the gradient and of its square."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

from .. import backend
from ..backend import Array
from .blocks import Formula, scalars, with_out
from .in_place import NEWER, Sweep, counter, zeros_like
from .optimizer import Params, check_number
from .squares import OfSquares


@cache
def _limits(dtype: np.dtype) -> tuple[float, float]:
    """(the largest number whose square is finite, the smallest normal number)."""
    finfo = np.finfo(dtype)
    return math.sqrt(finfo.max), float(finfo.tiny)


class Adam(OfSquares):
    """Adam (Kingma and Ba 2015, algorithm 1).

    The running averages are ``m = beta1 * m + (1 - beta1) * g`` and ``v = beta2 * v + (1 - beta2) * g * g``. They start at
    zero, so they are biased towards zero. The bias correction is ``m_hat = m / (1 - beta1**t)`` and
    ``v_hat = v / (1 - beta2**t)``. The step is ``theta -= lr * m_hat / (sqrt(v_hat) + eps)``.

    The averages of a float16 parameter are float32. The square of a large gradient overflows: from about 1.8e19 on
    in float32, from about 1.3e154 on in float64. The optimiser then continues with ``sqrt(v)``, stored as
    ``state[p]["exp_avg_sq_root"]``, and v is inf at the elements that overflow. (A GPU does not report overflow: v becomes inf
    there and the element no longer changes.)

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        The learning rate (alpha in the paper).
    betas : (float, float)
        The decay rates beta1 and beta2 of the running averages of g and g * g.
    eps : float
    weight_decay : float
        Adds ``weight_decay * theta`` to the gradient.
    amsgrad : bool
        Use the largest v so far in the place of v (Reddi et al. 2018, algorithm 2).
    maximize : bool
        Maximise the loss: step in the direction of the gradient.
    decoupled_weight_decay : bool
        Apply weight decay as `AdamW` does.
    foreach, fused, capturable, differentiable
        As PyTorch takes them. They change nothing; only ``differentiable=True`` is refused.

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`.

    Examples
    --------
    >>> import tinynorm
    >>> w = tinynorm.tensor([3.0], requires_grad=True)
    >>> optimizer = Adam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([2.5000], requires_grad=True)
    """

    _per_element = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq", "exp_avg_sq_root", "max_exp_avg_sq_root")
    _needed = ("step", "exp_avg", "exp_avg_sq")
    _squares = ("exp_avg_sq", "max_exp_avg_sq")
    _newer = NEWER | {"amsgrad": False, "decoupled_weight_decay": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
                "fused": fused,
                "decoupled_weight_decay": decoupled_weight_decay,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        check_adams_options(where, group)

    def _begin(self, group: dict[str, Any], state: dict[str, Any], theta: Array) -> tuple:
        if not state:
            state.update(step=counter(0), exp_avg=zeros_like(theta), exp_avg_sq=zeros_like(theta))
        if group["amsgrad"] and "max_exp_avg_sq" not in state:
            state["max_exp_avg_sq"] = zeros_like(theta)
        v_max = (state["max_exp_avg_sq"]._array,) if group["amsgrad"] else ()
        roots = self._roots(state)[: 1 + len(v_max)]
        return float(state["step"]._array) + 1, state["exp_avg"]._array, state["exp_avg_sq"]._array, *v_max, *roots

    def _sweep(self, kernels: Any, group: dict[str, Any], t: float, held: tuple[Array, ...]) -> Sweep | None:
        if len(held) > 3:  # amsgrad, or the roots that follow an overflow
            return None
        alpha, eps, decay = float(group["lr"]), float(group["eps"]), float(group["weight_decay"])
        beta1, beta2 = (float(beta) for beta in group["betas"])
        correction2, decoupled = math.sqrt(1 - beta2**t), group["decoupled_weight_decay"]
        shrink, decay = (1 - alpha * decay, 0.0) if decoupled else (1.0, decay)
        alpha_t, eps_t, sign = alpha * correction2 / (1 - beta1**t), eps * correction2, -1 if group["maximize"] else 1
        betas = beta1, 1 - beta1, beta2, 1 - beta2
        return kernels.adam, [alpha_t, eps_t, decay, shrink, sign, *betas, *_limits(held[0].dtype)]

    def _formula(self, group: dict[str, Any], t: float, theta: Array) -> Formula:
        alpha, eps, decay = float(group["lr"]), float(group["eps"]), float(group["weight_decay"])
        beta1, beta2 = (float(beta) for beta in group["betas"])
        maximize, decoupled, amsgrad = group["maximize"], group["decoupled_weight_decay"], bool(group["amsgrad"])
        # alpha * m_hat / (sqrt(v_hat) + eps), with the bias correction in the scalars: end of section 2 of the paper
        correction2 = math.sqrt(1 - beta2**t)
        alpha_t = alpha * correction2 / (1 - beta1**t)  # AD.20
        eps_t = eps * correction2  # AD.21
        xp, (average, average_root) = with_out(backend.namespace(theta)), self._averages(theta, beta2)
        beta1, one_minus_beta1, alpha_t, eps_t, shrink, decay_ = scalars(
            theta, beta1, 1 - beta1, alpha_t, eps_t, 1 - alpha * decay, decay
        )

        def step(theta: Array, g: Array, m: Array, v: Array, *more: Array) -> bool:
            *rest, s, d = more
            v_max, roots = rest[:amsgrad], rest[amsgrad:]
            if maximize:
                g = xp.negative(g, out=d)
            if decay and not decoupled:
                g = xp.add(g, xp.multiply(theta, decay_, out=s), out=d)  # AD.29
            if roots:
                average_root(g, v, roots[0], s)
            elif average(g, v, s):
                return True
            if decay and decoupled:
                theta *= shrink
            m *= beta1
            m += xp.multiply(g, one_minus_beta1, out=s)  # AD.1
            if v_max:
                for largest, x in zip((*v_max, *roots[1:]), (v, *roots[:1]), strict=True):
                    xp.maximum(largest, x, out=largest)
            if roots:
                xp.add(roots[-1], eps_t, out=s)
            else:
                xp.sqrt(v_max[0] if v_max else v, out=s)
                s += eps_t
            xp.divide(m, s, out=s)
            s *= alpha_t
            theta -= s  # AD.22
            return False

        return step


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2).

    AdamW does ``theta *= 1 - lr * weight_decay`` and then the step of Adam.

    The parameters are those of `Adam`, except that weight_decay is 0.01 by default.

    Examples
    --------
    >>> import tinynorm
    >>> w = tinynorm.tensor([3.0], requires_grad=True)
    >>> optimizer = AdamW([w], lr=0.5, weight_decay=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([2.3500], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        flags: dict[str, Any] = {"foreach": foreach, "capturable": capturable, "differentiable": differentiable, "fused": fused}
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, decoupled_weight_decay=True, **flags)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True  # whatever was loaded, a state of Adam too, as in PyTorch


def check_adams_options(where: str, group: dict[str, Any], *more: str) -> None:
    """Check the options that Adam and its variants share: numbers of at least 0, `more` among them, and two decay rates."""
    for name in ("lr", "eps", "weight_decay", *more):
        check_number(where, name, group[name])
    betas = group["betas"]
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise ValueError(f"{where}: expected betas to be two numbers, got {betas!r}")
    for i, beta in enumerate(betas):
        check_number(where, f"betas[{i}]", beta, below=1.0)
