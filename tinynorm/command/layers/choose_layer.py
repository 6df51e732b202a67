"""Choose the inputs that a class is checked with, as `choose_call` does for functions."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh
from ..functions.call_pair import Call, shown
from ..functions.find_pairs import Pair
from ..functions.given_inputs import run_inputs
from ..functions.layouts import IMAGES, OUTPUTS, Layout
from ..read.read_code import code_of, parameters
from ..run_code import UserError, attempt
from ..unfinished import refuse_nothing
from .arguments import advice
from .call_layer import Layer
from .draw_layer import draw_layer
from .modes import in_other_modes
from .parameters import ones_like, values_of
from .readings import share_right

EQUAL = Layout((OUTPUTS, OUTPUTS), OUTPUTS)


class LayerCall(Call):
    """A layer with its inputs; it knows its outputs and the order of its gradients itself."""

    def forward(self, *inputs: Any) -> tuple[Any, Any]:
        given = zip(self.names, inputs, strict=True)
        return self.pair.forward(*[fresh(x) if name in self.changing else x for name, x in given])

    def gradients(self, dout: Any, cache: Any) -> tuple:
        return self.pair.backward(dout, cache)

    def __str__(self) -> str:
        layer: Any = self.pair.forward
        silent = {name: x for name, x in layer.arguments.items() if name in layer.silent}
        usual, known = layer.usual, silent | dict(zip(self.names, self.inputs, strict=True))
        said = shown({name: known[name] for name in [*layer.arguments, *layer.parameters]})
        if layer.unseen:
            said += f"; no gradient is looked for of {', '.join(layer.unseen)}"
        if layer.methods.how == "slope" and "result" in layer.roles.values():
            said += f"; {layer.methods.backward} is given the output"
        if layer.mode:
            said += f"; {layer.mode}"
        if layer.before:
            said += f"; with {layer.before} before it, for its backward is the gradient of both"
        return said + (f"; taken as the gradient of {usual}, for the class has no loss" if usual else "")

    def switched(self) -> Iterator[tuple[str, Call]]:
        """Yield (what is other, the call) for the other modes of the object."""
        for other in in_other_modes(self.pair.forward):  # type: ignore[arg-type]
            pair = replace(self.pair, forward=other, backward=other.backward)
            yield other.mode, LayerCall(pair, other.names, list(values_of(other)))

    def all_equal(self) -> Call | None:
        """Return the layer drawn anew, with all sizes equal; None where it does not work so, or no gradient of it is right."""
        call = _drawn_anew(self.pair, EQUAL)
        return call if call is not None and attempt(share_right, call.pair.forward)[0] else None

    def constant(self, name: str) -> bool:
        return name in self.unclaimed


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
        grads, error = attempt(call.backward, ones_like(out), used)
        if error is None:
            says = f"{pair.backward_name} returns no gradient, and leaves none in an attribute (self.dx, self.dW, self.grads)"
            refuse_nothing(grads, getattr(layer.cls, layer.methods.backward), says, pair.path)
    first = next((name for name, x in inputs.items() if np.ndim(x) == 2), "")
    flattens = rf"\b{first}\.reshape\(\(?({first}\.shape\[0\]|len\({first}\)|N), -1\)"
    code = code_of(getattr(layer.cls, layer.methods.forward))
    second = _drawn_anew(pair, IMAGES) if first and code and re.search(flattens, ast.unparse(code)) else None
    return [call, second] if second is not None else [call]


def _drawn_anew(pair: Pair, layout: Layout) -> LayerCall | None:
    """Return the call of a class with x in another layout; None where forward does not take it."""
    old: Any = pair.forward
    layer = Layer(old.name, old.cls, old.methods, old.path)
    try:
        inputs = attempt(draw_layer, layer, 0, old.path, only=layout)[0]
    except UserError:
        return None
    other = replace(pair, forward=layer, backward=layer.backward)
    return LayerCall(other, list(inputs), list(inputs.values())) if inputs else None


def _given(pair: Pair, seed: int) -> dict[str, Any]:
    """Return what NAME_inputs(rng) returns, where the file has one: arguments of forward or of the constructor by name."""
    if pair.inputs is None:
        return {}
    layer: Any = pair.forward
    made, method = run_inputs(pair, seed, f"{pair.name}_inputs"), getattr(layer.cls, layer.methods.forward)
    return made if isinstance(made, dict) else dict(zip([p.name for p in parameters(method)[1:]], made, strict=False))
