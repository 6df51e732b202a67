"""LBFGS: a quasi-Newton method, whose step calls a closure several times. The inverse Hessian is known by a few vector pairs.

NW is Nocedal and Wright 2006, "Numerical optimization", second edition. In its symbols, x are all parameters as one vector,
g is the gradient there, p the direction of the step, t its length (NW: α), s = t p the step, and y the change of the gradient.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from ..autograd import enable_grad, no_grad
from ..ops import cat, zeros_like
from ..ops.common import widened
from ..recording import opaque
from ..tensor import Tensor
from .blocks import work_dtype
from .optimizer import Optimizer, Params, check_keys, check_number

C1, C2 = 1e-4, 0.9  # the constants of the Wolfe conditions: NW, below (3.1) and (3.5)


class LBFGS(Optimizer):
    """L-BFGS, limited-memory BFGS (Nocedal 1980; Liu and Nocedal 1989), for smooth losses of the whole data.

    Each iteration goes in the direction ``p = -H g``, where H is the inverse Hessian as far as the last `history_size`
    steps showed it. The length of the step is `lr`, or is found by a line search.

    Parameters
    ----------
    params : iterable of Tensor, or of (name, Tensor)
        Leaf tensors; one group only.
    lr : float
        The length of a step; with a line search, the length that is tried first.
    max_iter : int
        How many iterations one `step` makes at most.
    max_eval : int, optional
        After how many calls of the closure `step` ends; 5/4 of `max_iter` unless given.
    tolerance_grad : float
        `step` ends where no element of the gradient is larger.
    tolerance_change : float
        `step` ends where the parameters or the loss change by less.
    history_size : int
        How many steps are remembered.
    line_search_fn : {None, "strong_wolfe"}

    Raises
    ------
    TypeError, ValueError
        As for `Optimizer`; or there are several groups.

    Examples
    --------
    >>> import tinynorm
    >>> w = tinynorm.tensor([3.0, -2.0], requires_grad=True)
    >>> optimizer = LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 1) ** 4).sum()
    ...     loss.backward()
    ...     return loss
    >>> optimizer.step(closure)  # the loss before the step
    tensor(97., grad_fn=<SumBackward0>)
    >>> bool(closure() < 1e-6)
    True
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "max_iter": max_iter,
            "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad,
            "tolerance_change": tolerance_change,
            "history_size": history_size,
            "line_search_fn": line_search_fn,
        }
        super().__init__(params, defaults)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take the one group of parameters; raise ValueError at another."""
        if self.param_groups:
            raise ValueError("LBFGS: expected one group of parameters, got another; all parameters move along one direction")
        super().add_param_group(param_group)

    def _complete(self, where: str, group: dict[str, Any]) -> None:
        check_keys(where, group, tuple(self.defaults))

    def _check(self, where: str, group: dict[str, Any]) -> None:
        for name in ("lr", "max_iter", "max_eval", "tolerance_grad", "tolerance_change", "history_size"):
            check_number(where, name, group[name])
        if group["line_search_fn"] not in (None, "strong_wolfe"):
            raise ValueError(f"{where}: expected line_search_fn None or 'strong_wolfe', got {group['line_search_fn']!r}")

    def _checked_state(self, where: str, p: Tensor, entries: Any) -> Any:
        """As `Optimizer` does it, but vectors of a float16 parameter stay float32."""
        if isinstance(entries, Tensor):
            return entries.to(device=p.device, dtype=work_dtype(p._array)).clone()
        return super()._checked_state(where, p, entries)

    # -- the parameters as one vector ------------------------------------------------------------------------------------

    def _gradient(self) -> Tensor:
        """g: zero where a parameter has no gradient."""
        return cat([widened(zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in self._params()], 0)

    def _go_to(self, start: list[Tensor], step: Tensor) -> None:
        """Set the parameters to `start` + `step`, a vector."""
        done = 0
        for p, x in zip(self._params(), start, strict=True):
            n = math.prod(p.shape)
            p.copy_(widened(x) + step[done : done + n].reshape(p.shape))  # type: ignore[attr-defined]
            done += n

    # -- the step --------------------------------------------------------------------------------------------------------

    @opaque
    @no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to `max_iter` iterations.

        Parameters
        ----------
        closure : callable
            Sets the gradients to zero, computes the loss, calls its backward and returns it.

        Returns
        -------
        The loss that the closure returned first.

        Raises
        ------
        TypeError
            There is no closure.
        """
        if closure is None:
            raise TypeError("LBFGS.step: expected a closure that computes the loss and its gradients; it is called repeatedly")
        group = self.param_groups[0]
        lr, tolerance, most = float(group["lr"]), group["tolerance_change"], group["max_eval"]
        state = self.state[self._params()[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        evaluated = 0

        def evaluate() -> tuple[Any, Tensor]:
            """The loss and its gradient at the present parameters."""
            nonlocal evaluated
            evaluated += 1
            state["func_evals"] += 1
            with enable_grad():
                loss = closure()
            return loss, self._gradient()

        first, g = evaluate()
        loss = float(first)
        for n in range(1, group["max_iter"] + 1):
            if _largest(g) <= group["tolerance_grad"] or (n > 1 and evaluated >= most):
                break
            state["n_iter"] += 1
            p = _direction(state, g, group["history_size"])
            t = lr * min(1.0, 1.0 / float(g.abs().sum())) if state["n_iter"] == 1 else lr
            start, slope, before = [x.clone() for x in self._params()], float(g @ p), loss
            state.update(d=p, t=t, prev_flat_grad=g, prev_loss=before)
            if slope > -tolerance:
                break
            if group["line_search_fn"]:

                def at(t: float, start: list = start, p: Tensor = p) -> Point:
                    self._go_to(start, t * p)
                    loss, g = evaluate()
                    return Point(t, float(loss), g, float(g @ p))

                found = strong_wolfe(at, Point(0.0, loss, g, slope), t, _largest(p), most - evaluated)
                t, loss, g, _ = found
                state.update(t=t)
                self._go_to(start, t * p)
            else:
                self._go_to(start, t * p)
                if n == group["max_iter"]:  # the next step evaluates the loss here
                    break
                value, g = evaluate()
                loss = float(value)
            if _largest(t * p) <= tolerance or abs(loss - before) < tolerance:
                break
        return first


def _largest(x: Tensor) -> float:
    return float(x.abs().max())


def _direction(state: dict[str, Any], g: Tensor, history_size: int) -> Tensor:
    """p = -H g (NW, algorithm 7.4), after the last step has been remembered.

    The state has the vectors y in ``old_dirs``, s in ``old_stps``, the numbers ρ = 1 / yᵀs in ``ro``, and γ in ``H_diag``.
    """
    if state["n_iter"] == 1:
        state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
        return -g
    Y, S, rho = state["old_dirs"], state["old_stps"], state["ro"]
    y, s = g - state["prev_flat_grad"], state["d"] * state["t"]
    ys = y @ s
    if float(ys) > 1e-10:  # H stays positive definite: NW (6.7)
        for remembered, new in ((Y, y), (S, s), (rho, 1.0 / ys)):
            if len(remembered) == history_size:
                del remembered[0]
            remembered.append(new)
        state["H_diag"] = ys / (y @ y)  # NW (7.20)
    alphas, q = [], -g
    for s, y, r in zip(reversed(S), reversed(Y), reversed(rho), strict=True):
        alphas.append(r * (s @ q))
        q = q - alphas[-1] * y
    q = q * state["H_diag"]
    for s, y, r, alpha in zip(S, Y, rho, reversed(alphas), strict=True):
        q = q + s * (alpha - r * (y @ q))
    return q


# ---- the line search -------------------------------------------------------------------------------------------------


class Point(NamedTuple):
    """A point x + t p of the line, with φ(t), the loss there, its gradient, and φ'(t) = gᵀp."""

    t: float
    loss: float
    g: Any
    slope: float


def strong_wolfe(
    at: Callable[[float], Point], start: Point, t: float, size: float, most: int, tolerance: float = 1e-9
) -> Point:
    """A point that satisfies the strong Wolfe conditions, NW (3.7), or the best point of the last interval.

    First the steps grow until an interval must contain such a point (NW, algorithm 3.5); then the interval shrinks around it
    (algorithm 3.6). `most` evaluations follow the first one at most. `size` is the largest element of p.

    >>> def at(t):
    ...     return Point(t, (t - 3.0) ** 2, None, 2 * (t - 3.0))
    >>> strong_wolfe(at, at(0.0), 0.1, 1.0, 20).t
    1.0
    """

    def too_high(point: Point) -> bool:
        return not point.loss <= start.loss + C1 * point.t * start.slope  # NaN is too high

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -C2 * start.slope

    before, now, more = start, at(t), 0
    while True:
        if more >= most:
            ends = [start, now]
            break
        if too_high(now) or (more > 1 and now.loss >= before.loss):
            ends = [before, now]
            break
        if flat(now):
            return now
        if now.slope >= 0:
            ends = [before, now]
            break
        t = _lowest(before, now, now.t + 0.01 * (now.t - before.t), 10 * now.t)
        before, now, more = now, at(t), more + 1

    low = 1 if ends[1].loss < ends[0].loss else 0  # the end with the lower loss
    stuck = False  # the last point was near an end
    while more < most:
        left, right = sorted(end.t for end in ends)
        if (right - left) * size < tolerance:
            break
        t, margin = _lowest(ends[0], ends[1], left, right), 0.1 * (right - left)
        near = min(right - t, t - left) < margin
        if near and (stuck or t >= right or t <= left):
            t = right - margin if abs(t - right) < abs(t - left) else left + margin
            near = False
        stuck = near
        now, more = at(t), more + 1
        if too_high(now) or now.loss >= ends[low].loss:
            ends[1 - low] = now
            low = 1 if ends[1].loss < ends[0].loss else 0
            continue
        if flat(now):
            return now
        if now.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = now
    return ends[low]


def _lowest(a: Point, b: Point, least: float, most: float) -> float:
    """Where the cubic through two points with their slopes is lowest (NW 3.59), between two limits; else in their middle."""
    if a.t > b.t:
        a, b = b, a
    length = b.t - a.t
    d1 = a.slope + b.slope - 3 * (b.loss - a.loss) / length if length else math.nan
    square = d1 * d1 - a.slope * b.slope
    d2 = math.sqrt(square) if square >= 0 else math.nan
    width = b.slope - a.slope + 2 * d2
    t = b.t - length * ((b.slope + d2 - d1) / width) if width else math.nan
    return min(max(t, least), most) if math.isfinite(t) else (least + most) / 2
