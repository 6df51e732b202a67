"""SGD: stochastic gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import backend
from ..backend import Array
from ..tensor import Tensor, wrap
from .optimizer import Optimizer, check_number, ufuncs


class SGD(Optimizer):
    """Stochastic gradient descent, with classical or Nesterov momentum.

    ``buf = momentum * buf + (1 - dampening) * g`` (buf = g at first), ``theta -= lr * buf``; with Nesterov momentum
    ``theta -= lr * (g + momentum * buf)``. This is Sutskever et al. (2013), equations 1 to 4, with the velocity divided by -lr
    as PyTorch has it: a change of the learning rate takes effect at once.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        The learning rate.
    momentum, dampening : float
    weight_decay : float
        Adds ``weight_decay * theta`` to the gradient.
    nesterov : bool
        Needs momentum, and no dampening.
    maximize : bool
        Go up the gradient.

    Raises
    ------
    TypeError, ValueError
        As `Optimizer`.

    Examples
    --------
    >>> import tinynorm
    >>> w = tinynorm.tensor([3.0], requires_grad=True)
    >>> optimizer = SGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([1.5], requires_grad=True)
    """

    _per_element = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
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
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        for name in ("lr", "momentum", "weight_decay"):
            check_number(where, name, group[name])
        check_number(where, "dampening", group["dampening"], low=-float("inf"))
        if group["nesterov"] and (group["momentum"] == 0 or group["dampening"] != 0):
            raise ValueError(
                f"{where}: nesterov needs momentum > 0 and dampening = 0, "
                f"got momentum={group['momentum']}, dampening={group['dampening']}"
            )

    def _update(self, group: dict[str, Any], state: dict[str, Any], theta: Array, g: Array) -> None:
        lr, mu, dampening, decay = (float(group[name]) for name in ("lr", "momentum", "dampening", "weight_decay"))
        nesterov, maximize = group["nesterov"], group["maximize"]
        xp = ufuncs(backend.namespace(theta))
        buf = state.get("momentum_buffer") if mu else None
        first = buf is None
        if mu and first:
            buf = state["momentum_buffer"] = wrap(backend.namespace(theta).empty_like(theta))
        for theta, g, buf, s, d in self._blocks(2, theta, g, g if buf is None else buf.data):  # noqa: B020
            if maximize:
                g = xp.negative(g, out=d)
            if decay:
                xp.multiply(theta, decay, out=s)
                g = xp.add(g, s, out=d)
            if mu:
                if first:
                    buf[...] = g
                else:
                    xp.multiply(g, 1 - dampening, out=s)
                    buf *= mu
                    buf += s
                if nesterov:
                    xp.multiply(buf, mu, out=s)
                    g = xp.add(g, s, out=d)
                else:
                    g = buf
            xp.multiply(g, lr, out=s)
            theta -= s
