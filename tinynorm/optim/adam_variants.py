"""Adamax and RAdam: Adam with the largest gradient in place of the root of squares, and Adam that begins with care."""

from __future__ import annotations

import math
from typing import Any

from .. import backend
from ..backend import Array
from .adam import check_adams_options
from .blocks import Formula, scalars, with_out
from .in_place import NEWER, InPlaceOptimizer, counter, zeros_like
from .optimizer import Params
from .squares import OfSquares, followed


class Adamax(InPlaceOptimizer):
    """Adamax (Kingma and Ba 2015, algorithm 2): Adam whose steps are divided by the largest gradient so far, which decays.

    ``m = beta1 * m + (1 - beta1) * g``, ``u = max(beta2 * u, |g| + eps)``, ``theta -= lr / (1 - beta1**t) * m / u``.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        The learning rate.
    betas : (float, float)
        The decay rates of the running average and of the largest gradient.
    eps : float
    weight_decay : float
        Adds ``weight_decay * theta`` to the gradient.
    maximize : bool
        Maximise the loss: step in the direction of the gradient.
    foreach, capturable, differentiable
        As PyTorch takes them. They change nothing; only ``differentiable=True`` is refused.

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`.

    Examples
    --------
    >>> import tinynorm
    >>> w = tinynorm.tensor([3.0], requires_grad=True)
    >>> optimizer = Adamax([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([2.5000], requires_grad=True)
    """

    _per_element = ("exp_avg", "exp_inf")
    _needed = ("step", "exp_avg", "exp_inf")

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        check_adams_options(where, group)

    def _begin(self, group: dict[str, Any], state: dict[str, Any], theta: Array) -> tuple:
        if not state:
            state.update(step=counter(0), exp_avg=zeros_like(theta), exp_inf=zeros_like(theta))
        return float(state["step"]._array) + 1, state["exp_avg"]._array, state["exp_inf"]._array

    def _formula(self, group: dict[str, Any], t: float, theta: Array) -> Formula:
        beta1, beta2 = (float(beta) for beta in group["betas"])
        follow, xp = followed(group, theta), with_out(backend.namespace(theta))
        beta1_, rest, beta2_, eps_, rate = scalars(
            theta, beta1, 1 - beta1, beta2, float(group["eps"]), float(group["lr"]) / (1 - beta1**t)
        )

        def step(theta: Array, g: Array, m: Array, u: Array, s: Array, d: Array) -> None:
            g = follow(theta, g, s, d)
            m *= beta1_
            m += xp.multiply(g, rest, out=s)
            u *= beta2_
            xp.abs(g, out=s)
            s += eps_
            xp.maximum(u, s, out=u)
            xp.divide(m, u, out=s)
            s *= rate
            theta -= s

        return step


class RAdam(OfSquares):
    """RAdam (Liu et al. 2020, algorithm 2): Adam whose first steps are not divided by the root of so few squares.

    With the running averages m and v of `Adam`, the number ``rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)``, where
    ``rho_inf = 2 / (1 - beta2) - 1``, says for how many squares v stands. Up to 5, the step is ``theta -= lr * m_hat``; then it
    is Adam's times ``sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho))``.

    The parameters are those of `Adamax`. With `decoupled_weight_decay`, weight decay is applied as `AdamW` does.

    Examples
    --------
    >>> import tinynorm
    >>> w = tinynorm.tensor([3.0], requires_grad=True)
    >>> optimizer = RAdam([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([1.5000], requires_grad=True)
    """

    _per_element = ("exp_avg", "exp_avg_sq", "exp_avg_sq_root")
    _needed = ("step", "exp_avg", "exp_avg_sq")
    _squares = ("exp_avg_sq",)
    _newer = NEWER | {"decoupled_weight_decay": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "decoupled_weight_decay": decoupled_weight_decay,
                "differentiable": differentiable,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        check_adams_options(where, group)

    def _begin(self, group: dict[str, Any], state: dict[str, Any], theta: Array) -> tuple:
        return self._arrays(state, theta, "exp_avg", "exp_avg_sq")

    def _formula(self, group: dict[str, Any], t: float, theta: Array) -> Formula:
        lr, eps, decay = float(group["lr"]), float(group["eps"]), float(group["weight_decay"])
        beta1, beta2 = (float(beta) for beta in group["betas"])
        decoupled = group["decoupled_weight_decay"]
        rho_inf = 2 / (1 - beta2) - 1
        rho = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
        rate = lr / (1 - beta1**t)
        if rho > 5:
            part = (rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)
            rate *= math.sqrt(part * (1 - beta2**t))
        follow = followed({**group, "weight_decay": 0.0} if decoupled else group, theta)
        xp, (average, average_root) = with_out(backend.namespace(theta)), self._averages(theta, beta2)
        beta1_, rest, eps_, rate_, shrink = scalars(theta, beta1, 1 - beta1, eps, rate, 1 - lr * decay)

        def step(theta: Array, g: Array, m: Array, v: Array, *more: Array) -> bool:
            *root, s, d = more
            g = follow(theta, g, s, d)
            if root:
                average_root(g, v, root[0], s)
            elif average(g, v, s):
                return True
            if decay and decoupled:
                theta *= shrink
            m *= beta1_
            m += xp.multiply(g, rest, out=s)
            if rho > 5:
                xp.add(root[0] if root else xp.sqrt(v, out=s), eps_, out=s)
                xp.divide(m, s, out=s)
                s *= rate_
            else:
                xp.multiply(m, rate_, out=s)
            theta -= s
            return False

        return step
