"""SGD: stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import backend
from ..backend import Array
from .blocks import Formula, scalars, with_out
from .in_place import NEWER, InPlaceOptimizer, Sweep, zeros_like
from .optimizer import Params, check_number


class SGD(InPlaceOptimizer):
    """Stochastic gradient descent, with classical or Nesterov momentum.

    ``buf = momentum * buf + (1 - dampening) * g`` (buf = g at the first step), ``theta -= lr * buf``; with Nesterov momentum
    ``theta -= lr * (g + momentum * buf)``. These are equations 1 to 4 of Sutskever et al. (2013), with the velocity divided by
    -lr, as in PyTorch. So a change of the learning rate takes effect at once.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        The learning rate.
    momentum, dampening : float
    weight_decay : float
        Adds ``weight_decay * theta`` to the gradient.
    nesterov : bool
        Use Nesterov momentum. It needs momentum > 0 and dampening = 0.
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
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([1.5000], requires_grad=True)
    """

    _per_element = ("momentum_buffer",)
    _newer = NEWER | {"nesterov": False}

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
                "foreach": foreach,
                "differentiable": differentiable,
                "fused": fused,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        for name in ("lr", "momentum", "weight_decay"):
            check_number(where, name, group[name])
        check_number(where, "dampening", group["dampening"], low=-float("inf"))
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError(
                f"{where}: nesterov needs momentum > 0 and dampening = 0, "
                f"got momentum={group['momentum']}, dampening={group['dampening']}"
            )

    def _begin(self, group: dict[str, Any], state: dict[str, Any], theta: Array) -> tuple:
        if group["momentum"] == 0:
            return (1,)
        first = state.get("momentum_buffer") is None
        if first:
            state["momentum_buffer"] = zeros_like(theta)
        return 1 if first else 2, state["momentum_buffer"]._array  # only the first step differs: it has no dampening

    def _sweep(self, kernels: Any, group: dict[str, Any], t: float, held: tuple[Array, ...]) -> Sweep:
        settings = [float(group["lr"]), float(group["weight_decay"]), -1 if group["maximize"] else 1]
        if len(held) == 1:
            return kernels.sgd, settings
        mu, kept = float(group["momentum"]), 1 - (0.0 if t == 1 else float(group["dampening"]))
        return kernels.momentum, [*settings, mu, kept, np.finfo(held[0].dtype).tiny, bool(group["nesterov"])]

    def _formula(self, group: dict[str, Any], t: float, theta: Array) -> Formula:
        lr, momentum, decay = float(group["lr"]), float(group["momentum"]), float(group["weight_decay"])
        dampening = 0.0 if t == 1 else float(group["dampening"])  # buf = g at the first step
        nesterov, maximize = group["nesterov"], group["maximize"]
        xp = with_out(backend.namespace(theta))
        lr, mu, kept, decay_ = scalars(theta, lr, momentum, 1 - dampening, decay)

        def step(theta: Array, g: Array, *more: Array) -> None:
            *buf, s, d = more
            if maximize:
                g = xp.negative(g, out=d)
            if decay:
                g = xp.add(g, xp.multiply(theta, decay_, out=s), out=d)  # SG.1
            if buf:
                b = buf[0]
                b *= mu
                b += g if dampening == 0 else xp.multiply(g, kept, out=s)  # SG.4
                g = xp.add(g, xp.multiply(b, mu, out=s), out=d) if nesterov else b
            theta -= xp.multiply(g, lr, out=s)  # SG.22

        return step
