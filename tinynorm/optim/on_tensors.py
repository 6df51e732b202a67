"""ASGD, NAdam and Rprop, which few programs use: their steps are operations on Tensors, as in an optimiser of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import enable_grad, no_grad
from ..backend import is_writeable
from ..creation import tensor
from ..ops import full_like, where, zeros_like
from ..ops.common import widened
from ..recording import opaque
from ..tensor import Tensor
from .adam import check_adams_options
from .in_place import NEWER, InPlaceOptimizer, counter
from .optimizer import Params, check_number


class OnTensors(InPlaceOptimizer):
    """The base class: a subclass says what a parameter's state begins with, and where a step leads."""

    def _first(self, group: dict[str, Any], theta: Tensor) -> dict[str, Tensor]:
        """The state before the first step, beside the number of steps."""
        raise NotImplementedError

    def _moved(self, group: dict[str, Any], state: dict[str, Any], t: float, theta: Tensor, g: Tensor) -> Tensor:
        """The parameter after step t. It may replace what the state has."""
        raise NotImplementedError

    @opaque
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """As in `InPlaceOptimizer`. float16 is computed in float32 here too."""
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        planned = []  # the whole step is computed before anything changes
        with no_grad():
            for i, group in enumerate(self.param_groups):
                self._check(f"{self._name}: parameter group {i}", group)
                planned += [self._planned(group, p, p.grad) for p in group["params"] if p.grad is not None]
            for p, state, theta in planned:
                p.copy_(theta)
                self.state[p] = state
        return loss

    def _planned(self, group: dict[str, Any], p: Tensor, g: Tensor) -> tuple[Tensor, dict[str, Any], Tensor]:
        """The parameter with its next state and where it goes; an error if its gradient or its state does not fit it."""
        if g.shape != p.shape or g.dtype != p.dtype or g.device != p.device or not is_writeable(p._array):
            self._explain_misfit(p, g._array)
        theta, g = widened(p.detach()), widened(g)
        state = dict(self.state.get(p) or {"step": counter(0), **self._first(group, theta)})
        kept = state[self._per_element[0]]
        if kept.shape != theta.shape or kept.dtype != theta.dtype or kept.device != theta.device:
            self._explain_move(p, kept._array)
        t = float(state["step"]) + 1
        theta = self._moved(group, state, t, theta, -g if group["maximize"] else g)
        return p, {**state, "step": counter(t)}, theta


class ASGD(OnTensors):
    """Averaged stochastic gradient descent (Polyak and Juditsky 1992).

    ``theta = (1 - lambd * eta) * theta - eta * g``, where ``eta = lr / (1 + lambd * lr * t)**alpha`` after t steps. From step
    `t0` on, ``state[p]["ax"]`` is the average of the parameters since then; before, it is a copy of them.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        The learning rate.
    lambd : float
        The decay of the parameters.
    alpha : float
        The power of eta.
    t0 : float
        The step at which the average begins.
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
    >>> optimizer = ASGD([w], lr=0.25)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([1.4999], requires_grad=True)
    """

    _per_element = ("ax",)
    _needed = ("step", "eta", "mu", "ax")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "lambd": lambd,
                "alpha": alpha,
                "t0": t0,
                "weight_decay": weight_decay,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        for name in ("lr", "weight_decay"):
            check_number(where, name, group[name])

    def _first(self, group: dict[str, Any], theta: Tensor) -> dict[str, Tensor]:
        return {"eta": tensor(float(group["lr"])), "mu": tensor(1.0), "ax": zeros_like(theta)}

    def _moved(self, group: dict[str, Any], state: dict[str, Any], t: float, theta: Tensor, g: Tensor) -> Tensor:
        lr, lambd, eta, mu = float(group["lr"]), float(group["lambd"]), float(state["eta"]), float(state["mu"])
        if group["weight_decay"]:
            g = g + float(group["weight_decay"]) * theta
        theta = theta * (1 - lambd * eta) - eta * g
        state["ax"] = theta.clone() if mu == 1 else state["ax"] + mu * (theta - state["ax"])
        state["eta"] = tensor(lr / (1 + lambd * lr * t) ** float(group["alpha"]))
        state["mu"] = tensor(1 / max(1.0, t - float(group["t0"])))
        return theta


class NAdam(OnTensors):
    """NAdam (Dozat 2016, algorithm 8): `Adam` with Nesterov's momentum.

    With m and v_hat of Adam, ``mu = beta1 * (1 - 0.96**(t * momentum_decay) / 2)``, ``mu_next``, that of step t + 1, and M, the
    product of all mu so far, the step is
    ``theta -= lr * ((1 - mu) / (1 - M) * g + mu_next / (1 - M * mu_next) * m) / (sqrt(v_hat) + eps)``.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        The learning rate.
    betas : (float, float)
        The decay rates of the running averages of g and g * g.
    eps : float
    weight_decay : float
        Adds ``weight_decay * theta`` to the gradient.
    momentum_decay : float
    decoupled_weight_decay : bool
        Apply weight decay as `AdamW` does.
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
    >>> optimizer = NAdam([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([2.4718], requires_grad=True)
    """

    _per_element = ("exp_avg", "exp_avg_sq")
    _needed = ("step", "mu_product", "exp_avg", "exp_avg_sq")
    _newer = NEWER | {"decoupled_weight_decay": False}

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
                "momentum_decay": momentum_decay,
                "decoupled_weight_decay": decoupled_weight_decay,
                "maximize": maximize,
                "foreach": foreach,
                "capturable": capturable,
                "differentiable": differentiable,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        check_adams_options(where, group, "momentum_decay")

    def _first(self, group: dict[str, Any], theta: Tensor) -> dict[str, Tensor]:
        return {"mu_product": counter(1), "exp_avg": zeros_like(theta), "exp_avg_sq": zeros_like(theta)}

    def _moved(self, group: dict[str, Any], state: dict[str, Any], t: float, theta: Tensor, g: Tensor) -> Tensor:
        lr, decay, (beta1, beta2) = float(group["lr"]), float(group["weight_decay"]), group["betas"]
        if group["decoupled_weight_decay"]:
            theta = theta * (1 - lr * decay)
        else:
            g = g + decay * theta
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (n * group["momentum_decay"])) for n in (t, t + 1))
        m = state["exp_avg"] = beta1 * state["exp_avg"] + (1 - beta1) * g
        v = state["exp_avg_sq"] = beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g
        state["mu_product"] = counter(float(state["mu_product"]) * float(np.float32(mu)))  # in float32, as in PyTorch
        M = float(state["mu_product"])
        ahead = (1 - mu) / (1 - M) * g + mu_next / (1 - M * mu_next) * m
        return theta - lr * ahead / ((v / (1 - beta2**t)).sqrt() + group["eps"])


class Rprop(OnTensors):
    """Rprop (Riedmiller and Braun 1993): each parameter has a step size of its own; of the gradient only the sign counts.

    Where the gradient keeps its sign, the step size grows by a factor. Where it changes, the step size shrinks, and the
    parameter waits for one step. It is for gradients of the whole data: those of mini-batches change their signs by chance.

    Parameters
    ----------
    params : iterable of Tensor, of (name, Tensor), or of dict
        Leaf tensors, or groups of them (see `Optimizer`).
    lr : float
        The first step size.
    etas : (float, float)
        The factors for shrinking, less than 1, and for growing, greater than 1.
    step_sizes : (float, float)
        The smallest and the largest step size.
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
    >>> w = tinynorm.tensor([3.0, -0.001], requires_grad=True)
    >>> optimizer = Rprop([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([2.5000, 0.4990], requires_grad=True)
    """

    _per_element = ("prev", "step_size")
    _needed = ("step", "prev", "step_size")

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "etas": etas,
                "step_sizes": step_sizes,
                "foreach": foreach,
                "maximize": maximize,
                "differentiable": differentiable,
                "capturable": capturable,
            },
        )

    def _check(self, where: str, group: dict[str, Any]) -> None:
        super()._check(where, group)
        check_number(where, "lr", group["lr"])
        shrink, grow = group["etas"]
        if not 0 < shrink < 1 < grow:
            raise ValueError(f"{where}: expected 0 < etas[0] < 1 < etas[1], got {group['etas']}")

    def _first(self, group: dict[str, Any], theta: Tensor) -> dict[str, Tensor]:
        return {"prev": zeros_like(theta), "step_size": full_like(theta, float(group["lr"]))}

    def _moved(self, group: dict[str, Any], state: dict[str, Any], t: float, theta: Tensor, g: Tensor) -> Tensor:
        shrink, grow = group["etas"]
        kept, size = g.sign() * state["prev"].sign(), state["step_size"]  # 1, 0, or where the sign changed -1
        size = where(kept > 0, size * grow, where(kept < 0, size * shrink, size)).clamp(*group["step_sizes"])
        g = where(kept < 0, 0.0, g)
        state.update(prev=g.clone(), step_size=size)
        return theta - size * g.sign()
