"""Choose the inputs that a class is checked with, as `choose_call` does for functions."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import replace
from time import perf_counter
from typing import Any, cast

import numpy as np

from ...gradcheck.problem.problem import differentiable, fresh
from ..functions.call_pair import NOT_CHECKED, Call, of_one_sample, repeated, shown
from ..functions.layouts import IMAGES, OUTPUTS, STEPS, Layout
from ..functions.name_inputs import run_inputs
from ..functions.other_modes import other_targets, same_output
from ..functions.pair import Pair
from ..read.read_code import code_of
from ..run_code import UserError, attempt
from ..unfinished import refuse_nothing
from .arguments import advice
from .call_layer import Layer
from .draw_layer import draw_layer
from .find_layers import arguments_of
from .modes import in_other_modes
from .parameters import ones_like, values_of
from .readings import share_right

SQUASHED = re.compile("softmax|sigm|logit|logistic|combin|fused", re.IGNORECASE)  # in the code or the comments of a loss
EQUAL = Layout((OUTPUTS, OUTPUTS), OUTPUTS)


class LayerCall(Call):
    """A layer with its inputs; it knows its outputs and the order of its gradients itself."""

    @property
    def layer(self) -> Layer:
        return cast(Layer, self.pair.forward)

    def forward(self, *inputs: Any) -> tuple[Any, Any]:
        given = zip(self.names, inputs, strict=True)
        return self.pair.forward(*[fresh(x) if name in self.changing else x for name, x in given])

    def gradients(self, dout: Any, cache: Any) -> tuple:
        return self.pair.backward(dout, cache)

    def __str__(self) -> str:
        layer = self.layer
        silent = {name: x for name, x in layer.arguments.items() if name in layer.silent}
        known = silent | dict(zip(self.names, self.inputs, strict=True))
        found = {
            shown({name: known[name] for name in [*layer.arguments, *layer.parameters]}): True,
            self._without_gradient: layer.unseen,
            f"{self._refused}, for there {layer.methods.backward} fails": layer.refused,
            of_one_sample(layer.several, layer.methods.forward, layer.methods.backward): layer.several,
            f"{layer.methods.backward} is given the output": layer.methods.how == "slope" and "result" in layer.roles.values(),
            layer.mode: layer.mode,
            f"{', '.join(layer.douts)} taken as the gradient of self.{layer.scores}, not of what is returned": layer.scores,
            f"{', '.join(layer.douts)} taken as the gradient of the states after x, without the first": layer.later,
            f"{', '.join(layer.douts)} taken as the gradient of the last of the outputs": layer.last,
            f"{layer.methods.backward} adds: its {', '.join(layer.douts)} is target - output": layer.rate < 0,
            f"with {layer.before} before it, for its backward is the gradient of both": layer.before,
            f"taken as the gradient of {layer.usual}, for the class has no loss": layer.usual,
        }
        return "; ".join(says for says, holds in found.items() if holds)

    @property
    def left_out(self) -> dict[str, bool]:
        layer = self.layer
        found = {self._without_gradient: any(layer.unseen.values())} if layer.unseen else {}
        source = str(attempt(inspect.getsource, layer.cls)[0])  # where it does not say so, p - y may be a mistake
        found |= {f"right only with {layer.before} before it": not SQUASHED.search(source)} if layer.before else {}
        return found | ({self._refused: True} if layer.refused else {})

    @property
    def _without_gradient(self) -> str:
        return f"no gradient is looked for of {', '.join(self.layer.unseen)}"

    @property
    def _refused(self) -> str:
        return f"{NOT_CHECKED} with {self.layer.refused}"

    def switched(self) -> Iterator[tuple[str, Call]]:
        """Yield (what is other, the call) for the other modes of the object."""
        layer = self.layer
        yield from ((other.mode, self._with(other)) for other in in_other_modes(layer))
        known = layer.target in layer.silent and not layer.usual  # not a loss of ours
        for words, y in other_targets(layer.arguments.get(layer.target), set()) if known else []:
            other = self._with(replace(layer, arguments=layer.arguments | {layer.target: y}))
            if same_output(self, other):
                yield f"{layer.target} {words}", other

    def _with(self, layer: Layer) -> LayerCall:
        pair = replace(self.pair, forward=layer, backward=layer.backward)
        return LayerCall(pair, layer.names, list(values_of(layer)), laid=self.laid)

    def twice(self, size: int) -> Call:
        """Return the call with all there twice along an axis of this size, targets too, which are no inputs of the check."""
        arguments = {name: repeated(x, size) for name, x in self.layer.arguments.items()}
        return self._with(replace(self.layer, arguments=arguments))

    def all_equal(self) -> Call | None:
        """Return the layer drawn anew, with all sizes equal; None where it does not work so, or no gradient of it is right."""
        call = _drawn_anew(self.pair, EQUAL)
        return call if call is not None and attempt(share_right, call.pair.forward)[0] else None

    def constant(self, name: str) -> bool:
        return name in self.unclaimed


def layer_calls(pair: Pair, seed: int) -> list[Call]:
    """Return the call of a class. Raise UserError where none is found."""
    layer: Any = pair.forward
    given: Any = {}
    if pair.inputs is not None:  # NAME_inputs(rng) returns arguments of forward, or of the constructor by name too
        given, taken = run_inputs(pair, seed, f"{pair.name}_inputs"), arguments_of(layer.cls, layer.methods.forward)
        given = given if isinstance(given, dict) else dict(zip([p.name for p in taken], given, strict=False))
    inputs = draw_layer(layer, seed, given)
    pair.loss = layer.loss
    if not any(map(differentiable, inputs.values())):
        if any("its step" in name for name in layer.unseen):
            raise UserError(f"each step of {layer.methods.backward} is the same for a gradient of any length, as that of Adam")
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
    second = _of_another_rank(pair, inputs, call.shape)
    return [call, second] if second is not None else [call]


def _of_another_rank(pair: Pair, inputs: dict[str, Any], out: Any) -> LayerCall | None:
    """Return the call with x of more axes, where forward flattens it, or code says axis=1 where -1 may be meant; else None."""
    layer: Any = pair.forward
    first, *rest = [np.shape(x) for x in inputs.values()]
    x = next((name for name, a in inputs.items() if np.ndim(a) == 2), "")
    methods = [getattr(layer.cls, name) for name in (layer.methods.forward, layer.methods.backward)]
    forward, backward = (ast.unparse(code_of(method) or ast.Pass()) for method in methods)
    if x and re.search(rf"\b{x}\.reshape\(\(?({x}\.shape\[0\]|len\({x}\)|N), -1\)", forward):
        return _drawn_anew(pair, IMAGES)
    if layer.loss or out != first or len(first) != 2 or not re.search(r"axis ?= ?[01]\b", forward + backward):
        return None
    other = _drawn_anew(pair, STEPS)
    if other is None or [np.shape(x) for x in other.inputs] != [STEPS.x, *rest]:
        return None
    out, used = other.forward(*map(fresh, other.inputs))
    grads, _ = attempt(other.backward, ones_like(out), used)  # it may be for two axes only
    fits = grads and all(np.shape(g) == np.shape(x) for g, x in zip(grads, filter(differentiable, other.inputs), strict=True))
    return other if fits else None


def _drawn_anew(pair: Pair, layout: Layout) -> LayerCall | None:
    """Return the call of a class with x in another layout; None where forward does not take it."""
    other = pair.anew()
    try:
        inputs = attempt(draw_layer, other.forward, 0, only=layout)[0]
    except UserError:
        return None
    return LayerCall(other, list(inputs), list(inputs.values())) if inputs else None
