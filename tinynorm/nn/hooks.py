"""Backward hooks of modules: nodes on both sides of a module, which see the gradients pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .. import backend
from ..autograd.node import Node
from ..tensor import Tensor, raw, version_of, wrap


class Border(Node):
    """y = x, for several x at once;  dx = change(dy): all their gradients pass together."""

    def __init__(self, change: Callable[[tuple], tuple]) -> None:
        self.change = change

    def forward(self, *xs: Any) -> tuple:
        return tuple(backend.copy(x) for x in xs)  # a view would let in-place changes through that nobody counts

    def backward(self, *grads: Any) -> tuple:
        seen = [g.clone() if isinstance(g, Tensor) else wrap(backend.copy(g)) for g in grads]  # a hook may write into it
        changed = self.change(tuple(seen))
        return changed if isinstance(grads[0], Tensor) else tuple(map(raw, changed))


class BackwardHooks:
    """The backward hooks of one call of a module: `inputs` and `outputs` put a `Border` before and behind it."""

    def __init__(self, module: Any, hooks: dict[int, Callable]) -> None:
        self.module, self.hooks = module, hooks
        self.grad_output: tuple | None = None  # known while the backward pass is inside the module

    def inputs(self, args: tuple) -> tuple:
        self.constants = [(i, x) for i, x in enumerate(args) if isinstance(x, Tensor) and not x.requires_grad]
        args, self.places = _through(self.leave, args)
        self.n_inputs = len(args)
        return args

    def outputs(self, y: Any) -> Any:
        ys = y if isinstance(y, (tuple, list)) else (y,)
        out, self.out_places = _through(self.enter, tuple(ys))
        self.n_outputs = len(out)
        return type(y)(out) if isinstance(y, (tuple, list)) else out[0]

    def enter(self, grads: tuple) -> tuple:
        """The gradients of the outputs have been computed; the backward pass of the module begins."""
        self.grad_output = _spread(grads, self.out_places, self.n_outputs)
        if not self.places:  # no input has a gradient, so `leave` will not be called
            self._call((None,) * self.n_inputs)
        return grads

    def leave(self, grads: tuple) -> tuple:
        """The gradients of the inputs have been computed.

        (If not from gradients of the outputs, a second derivative came in through what the module had saved: no hook runs.)
        """
        if self.grad_output is None:
            return grads
        zeros = [wrap(backend.namespace(x._array).zeros_like(x._array)) for _, x in self.constants]  # (as in PyTorch)
        places = [*self.places, *(i for i, _ in self.constants)]
        changed = self._call(_spread((*grads, *zeros), places, self.n_inputs))
        return tuple(changed[i] for i in self.places)

    def _call(self, grad_input: tuple) -> tuple:
        for hook in list(self.hooks.values()):
            changed = hook(self.module, grad_input, self.grad_output)
            if changed is None:
                continue
            changed = changed if isinstance(changed, tuple) else (changed,)
            if len(changed) != len(grad_input):
                raise RuntimeError(
                    f"register_full_backward_hook: expected the hook to return None or {len(grad_input)} gradients, one for "
                    f"each positional argument, got {len(changed)}"
                )
            grad_input = changed
        self.grad_output = None
        return grad_input


def _through(change: Callable[[tuple], tuple], values: tuple) -> tuple[tuple, list[int]]:
    """The values, those that require grad behind a `Border`; and the places of these."""
    places = [i for i, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]
    if not places:
        return values, places
    out = list(values)
    for i, y in zip(places, Border(change)(*[values[i] for i in places]), strict=True):
        y._version_ = version_of(values[i])  # both share the memory, so they share the version counter
        out[i] = y
    return tuple(out), places


def _spread(grads: tuple, places: list[int], n: int) -> tuple:
    """n entries: the gradients at their places, and None elsewhere."""
    spread: list[Any] = [None] * n
    for i, g in zip(places, grads, strict=True):
        spread[i] = g
    return tuple(spread)
