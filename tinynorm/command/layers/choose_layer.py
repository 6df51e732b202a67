"""Choose the inputs that a class is checked with, as `choose_call` does for functions."""

from __future__ import annotations

import inspect
from time import perf_counter
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh, random_state_kept
from ..functions.call_pair import Call
from ..functions.find_pairs import Pair
from ..run_code import UserError, attempt, own_traceback
from ..unfinished import refuse_nothing
from .arguments import advice
from .call_layer import Layer
from .draw_layer import described, draw_layer


class LayerCall(Call):
    """A layer with its inputs; it knows its outputs and the order of its gradients itself."""

    def forward(self, *inputs: Any) -> tuple[Any, Any]:
        return self.pair.forward(
            *[fresh(x) if kind in ("mean", "variance") else x for x, kind in zip(inputs, self.kinds, strict=True)]
        )

    def backward(self, dout: Any, cache: Any) -> tuple:
        return self.pair.backward(dout, cache)

    def __str__(self) -> str:
        layer: Any = self.pair.forward
        silent = {name: x for name, x in layer.arguments.items() if name in layer.silent}
        usual, known = layer.usual, silent | dict(zip(self.names, self.inputs, strict=True))
        shown = ", ".join(f"{name} {described(known[name])}" for name in [*layer.arguments, *layer.parameters])
        if layer.unseen:
            shown += f"; no gradient is looked for of {', '.join(layer.unseen)}"
        if layer.methods.how == "slope" and "result" in layer.roles.values():
            shown += f"; {layer.methods.backward} is given the output"
        return shown + (f"; taken as the gradient of {usual}, for the class has no loss" if usual else "")

    def constant(self, name: str) -> bool:
        return False


def layer_calls(pair: Pair, seed: int) -> list[Call]:
    """Return the call of a class. Raise UserError where none is found."""
    layer: Any = pair.forward
    inputs = draw_layer(layer, seed, pair.path, _given(pair, seed))
    pair.loss = layer.loss
    if not any(map(differentiable, inputs.values())):
        raise UserError(f"{layer.name}: no gradients of parameters were found, and its inputs have none; {advice(layer)}")
    call: Call = LayerCall(pair, list(inputs), list(inputs.values()))
    started = perf_counter()
    result, error = attempt(call.forward, *[fresh(x) for x in call.inputs])
    call.seconds = perf_counter() - started
    if error is None:
        out, used = result
        call.shape = [np.shape(y) for y in out] if isinstance(out, tuple) else np.shape(out)
        douts = tuple(np.ones(np.shape(y))[()] for y in (out if isinstance(out, tuple) else (out,)))
        grads, error = attempt(call.backward, douts if len(douts) > 1 else douts[0], used)
        if error is None:
            says = f"{pair.backward_name} returns no gradient, and leaves none in an attribute (self.dx, self.dW, self.grads)"
            refuse_nothing(grads, getattr(layer.cls, layer.methods.backward), says, pair.path)
    return [call]


def _given(pair: Pair, seed: int) -> dict[str, Any]:
    """Return what NAME_inputs(rng) returns, where the file has one: arguments of forward or of the constructor by name."""
    if pair.inputs is None:
        return {}
    layer: Layer = pair.forward  # type: ignore[assignment]
    with random_state_kept():
        np.random.seed(seed % 2**32)  # noqa: NPY002
        made, error = attempt(pair.inputs, *[np.random.default_rng(seed)] * len(inspect.signature(pair.inputs).parameters))
    if error is not None:
        raise UserError(f"{pair.name}_inputs raises\n{own_traceback(error, pair.path)}")
    if isinstance(made, tuple | list):
        made = dict(
            zip(
                [p for p in inspect.signature(getattr(layer.cls, layer.methods.forward)).parameters if p != "self"],
                made,
                strict=False,
            )
        )
    if not isinstance(made, dict):
        raise UserError(f"{pair.name}_inputs: expected a dict of arguments by name, got {type(made).__name__}")
    return made
