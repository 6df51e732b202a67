"""RMSprop, Adagrad and Adadelta: each parameter's steps are divided by the size of its gradients so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import backend
from ..backend import Array
from .blocks import Formula, scalars, with_out, work_dtype
from .in_place import NEWER
from .optimizer import Params, check_number
from .squares import OfSquares, followed


class RMSprop(OfSquares):
    """RMSprop (Hinton 2012, lecture 6e): the gradient divided by the root of a running average of its square.

    The average is ``v = alpha * v + (1 - alpha) * g * g``, the step ``theta -= lr * g / (sqrt(v) + eps)``. With `momentum` it
    is ``buf = momentum * buf + g / (sqrt(v) + eps)``, ``theta -= lr * buf``. With `centered`, the variance ``v - m * m`` stands
    for v, where m is the running average of g (Graves 2013, equations 38 to 41). (eps stands outside the root, as in PyTorch.)

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        The learning rate.
    alpha : float
        The decay rate of the running averages.
    eps : float
    weight_decay : float
        Adds ``weight_decay * theta`` to the gradient.
    momentum : float
    centered : bool
        Divide by the standard deviation of the gradient.
    maximize : bool
        Maximise the loss: step in the direction of the gradient.
    capturable, foreach, differentiable
        As PyTorch takes them. They change nothing; only ``differentiable=True`` is refused.

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`.

    Examples
    --------
    >>> import tinynorm
    >>> w = tinynorm.tensor([3.0], requires_grad=True)
    >>> optimizer = RMSprop([w], lr=0.1, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([2.8000], requires_grad=True)
    """

    _per_element = ("square_avg", "momentum_buffer", "grad_avg", "square_avg_root")
    _needed = ("step", "square_avg")
    _squares = ("square_avg",)
    _newer = NEWER | {"momentum": 0, "centered": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "alpha": alpha,
                "eps": eps,
                "centered": centered,
                "weight_decay": weight_decay,
                "capturable": capturable,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        for name in ("lr", "eps", "weight_decay", "momentum"):
            check_number(where, name, group[name])
        _check_share(where, "alpha", group["alpha"])

    def _begin(self, group: dict[str, Any], state: dict[str, Any], theta: Array) -> tuple:
        more = {"momentum_buffer": group["momentum"] > 0, "grad_avg": group["centered"]}
        return self._arrays(state, theta, "square_avg", *(name for name, wanted in more.items() if wanted))

    def _formula(self, group: dict[str, Any], t: float, theta: Array) -> Formula:
        lr, alpha, momentum, eps = (float(group[name]) for name in ("lr", "alpha", "momentum", "eps"))
        with_momentum, centered = momentum > 0, bool(group["centered"])
        follow, (average, average_root) = followed(group, theta), self._averages(theta, alpha)
        xp = with_out(backend.namespace(theta))
        tiny = float(backend.namespace(theta).finfo(work_dtype(theta)).smallest_normal)
        lr_, alpha_, rest, mu, eps_, one, zero, tiny_ = scalars(theta, lr, alpha, 1 - alpha, momentum, eps, 1.0, 0.0, tiny)

        def deviation(v: Array, m: Array, root: Sequence[Array], s: Array) -> None:
            """s = sqrt(v - m * m). Rounding can make the difference less than 0."""
            if root:  # r * sqrt(1 - (m / r)**2); where r is 0, m is 0
                xp.divide(m, xp.add(root[0], tiny_, out=s), out=s)
                s *= s
            else:
                xp.multiply(m, m, out=s)
            xp.negative(s, out=s)
            s += one if root else v
            xp.sqrt(xp.maximum(s, zero, out=s), out=s)
            if root:
                s *= root[0]

        def step(theta: Array, g: Array, v: Array, *more: Array) -> bool:
            *kept, s, d = more
            buf, kept = kept[:with_momentum], kept[with_momentum:]
            m, root = kept[:centered], kept[centered:]
            g = follow(theta, g, s, d)
            if root:
                average_root(g, v, root[0], s)
            elif average(g, v, s):
                return True
            if m:
                m[0] *= alpha_
                m[0] += xp.multiply(g, rest, out=s)
                deviation(v, m[0], root, s)
                s += eps_
            else:
                xp.add(root[0] if root else xp.sqrt(v, out=s), eps_, out=s)
            xp.divide(g, s, out=s)
            if buf:
                buf[0] *= mu
                buf[0] += s
            theta -= xp.multiply(buf[0] if buf else s, lr_, out=s)
            return False

        return step


class Adagrad(OfSquares):
    """Adagrad (Duchi, Hazan and Singer 2011): the gradient divided by the root of the sum of all its squares.

    ``total += g * g``, ``theta -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(total) + eps)`` at step t.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        The learning rate.
    lr_decay : float
    weight_decay : float
        Adds ``weight_decay * theta`` to the gradient.
    initial_accumulator_value : float
        What the sum begins with.
    eps : float
    maximize : bool
        Maximise the loss: step in the direction of the gradient.
    foreach, fused, differentiable
        As PyTorch takes them. They change nothing; only ``differentiable=True`` is refused.

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`.

    Examples
    --------
    >>> import tinynorm
    >>> w = tinynorm.tensor([3.0], requires_grad=True)
    >>> optimizer = Adagrad([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([2.5000], requires_grad=True)
    """

    _per_element = ("sum", "sum_root")
    _needed = ("step", "sum")
    _squares = ("sum",)
    _newer = NEWER | {"eps": 1e-10}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "eps": eps,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        for name in ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps"):
            check_number(where, name, group[name])

    def _begin(self, group: dict[str, Any], state: dict[str, Any], theta: Array) -> tuple:
        first = not state
        t, total, *root = self._arrays(state, theta, "sum")
        if first:
            total[...] = float(group["initial_accumulator_value"])
        return t, total, *root

    def _formula(self, group: dict[str, Any], t: float, theta: Array) -> Formula:
        rate = float(group["lr"]) / (1 + (t - 1) * float(group["lr_decay"]))
        follow, xp, overflow = followed(group, theta), with_out(backend.namespace(theta)), self._overflow
        rate_, eps_ = scalars(theta, rate, float(group["eps"]))

        def step(theta: Array, g: Array, total: Array, *more: Array) -> bool:
            *root, s, d = more
            g = follow(theta, g, s, d)
            if root:
                xp.hypot(root[0], g, out=root[0])
                xp.multiply(root[0], root[0], out=total)
                xp.add(root[0], eps_, out=s)
            else:
                overflow.seen = False
                xp.multiply(g, g, out=s)
                s += total
                if overflow.seen:
                    return True
                total[...] = s
                xp.sqrt(total, out=s)
                s += eps_
            xp.divide(g, s, out=s)
            s *= rate_
            theta -= s
            return False

        return step


class Adadelta(OfSquares):
    """Adadelta (Zeiler 2012, algorithm 1): steps as large as the steps before, relative to the gradients.

    With the running averages ``v = rho * v + (1 - rho) * g * g`` and ``u = rho * u + (1 - rho) * delta * delta`` the step is
    ``delta = sqrt(u + eps) / sqrt(v + eps) * g`` with the u of before, ``theta -= lr * delta``.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        A factor for the steps; the paper has 1.
    rho : float
        The decay rate of the running averages.
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
    >>> optimizer = Adadelta([w], rho=0.75, eps=0.01)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([2.8001], requires_grad=True)
    """

    _per_element = ("square_avg", "acc_delta", "square_avg_root")
    _needed = ("step", "square_avg", "acc_delta")
    _squares = ("square_avg",)

    def __init__(
        self,
        params: Params,
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "rho": rho,
                "eps": eps,
                "weight_decay": weight_decay,
                "maximize": maximize,
                "capturable": capturable,
                "foreach": foreach,
                "differentiable": differentiable,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        for name in ("lr", "eps", "weight_decay"):
            check_number(where, name, group[name])
        _check_share(where, "rho", group["rho"])

    def _begin(self, group: dict[str, Any], state: dict[str, Any], theta: Array) -> tuple:
        return self._arrays(state, theta, "square_avg", "acc_delta")

    def _formula(self, group: dict[str, Any], t: float, theta: Array) -> Formula:
        lr, rho, eps = (float(group[name]) for name in ("lr", "rho", "eps"))
        follow, (average, average_root) = followed(group, theta), self._averages(theta, rho)
        xp = with_out(backend.namespace(theta))
        lr_, rho_, rest, eps_, root_eps = scalars(theta, lr, rho, 1 - rho, eps, math.sqrt(eps))

        def step(theta: Array, g: Array, v: Array, u: Array, *more: Array) -> bool:
            *root, s, d = more
            g = follow(theta, g, s, d)
            if root:
                average_root(g, v, root[0], s)
                xp.hypot(root[0], root_eps, out=s)
            elif average(g, v, s):
                return True
            else:
                xp.sqrt(xp.add(v, eps_, out=s), out=s)
            xp.divide(g, s, out=s)  # from here on d is free: g may have been in it
            s *= xp.sqrt(xp.add(u, eps_, out=d), out=d)  # delta
            u *= rho_
            xp.multiply(s, s, out=d)
            u += xp.multiply(d, rest, out=d)
            theta -= xp.multiply(s, lr_, out=s)
            return False

        return step


def _check_share(where: str, name: str, value: Any) -> None:
    check_number(where, name, value)
    if float(value) > 1:
        raise ValueError(f"{where}: expected 0 <= {name} <= 1, got {value}")
