"""Objects that a constructor may be given: the layers of a container, an activation, an optimizer; the file's own, or ours."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from typing import Any

import numpy as np

from ..read.read_code import code_of, methods_in, parameters
from ..run_code import attempt
from .attributes import arrays_in
from .find_layers import BACKWARDS, COSTS, FORWARDS, SLOPES, Methods, arguments_of, find_layers
from .read_gradients import INPUT_GRADIENTS

# So large that the parameter itself drowns in what is subtracted from it, and a power of two: the gradient comes back exactly.
LR = 2.0**200
FIRST = re.compile("tanh|sigmoid", re.IGNORECASE)  # of several activations: a smooth one with a slope everywhere
SLOPE = re.compile("deriv|prime|grad|slope|backward|diff")  # what a flag is called with which an activation gives its slope
STEPS = re.compile("step|upd|opt|appl|adjust|change", re.IGNORECASE)  # in the names of an optimizer's methods
METHODS = {"__call__": "forw|feed", "_backward": "back"}  # what the names of their methods may begin with
KEPT = "outputs out a activation activations"  # what a layer may call its output
MOST = 3  # instances of a class that are tried


class Settings(dict):
    """Settings by their keys, which may be read as attributes too."""

    def __getattr__(self, name: str) -> Any:
        if name not in self:
            raise AttributeError(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


class Step:
    """An optimizer that a layer may use in its backward, whatever it calls it: it goes one step of `LR` down the gradient."""

    def __init__(self, lr: float = LR) -> None:
        self.lr = self.learning_rate = lr

    def update(self, w: Any, grad: Any, *rest: Any) -> Any:
        if rest and isinstance(w, str | tuple | int):  # what it keeps a momentum by
            w, grad = grad, rest[0]
        if isinstance(grad, list):  # the steps of a layer's parameters: optimizer(layer, [dW, db])
            return [-self.lr * g for g in grad]
        return w - self.lr * grad

    __call__ = update

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.update if STEPS.search(name) else lambda *_, **__: None  # optimise, apply; and reset

    def minimize(self, *given: Any) -> tuple:
        """Step for several parameters: w, b, dw, db, or with what is kept for each: w, b, dw, db, vw, vb, the rate."""
        arrays = [x for x in given if isinstance(x, np.ndarray)]
        k = len(arrays) // (3 if len(arrays) in (3, 6, 9) else 2)
        return *(self.update(w, grad) for w, grad in zip(arrays[:k], arrays[k : 2 * k], strict=True)), *arrays[2 * k :]


class Silent:
    """A network that a loss hands its gradient to: whatever is called of it does nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None


class Neighbour:
    """The layer before or behind one that calls it itself: it hands on what it is given, and keeps the gradient."""

    def __getattr__(self, name: str) -> Any:
        if name in FORWARDS.split():
            return lambda x, *_, **__: x
        if name in BACKWARDS.split():
            return self._backward
        raise AttributeError(name)

    def _backward(self, dout: Any, *_: Any, **__: Any) -> Any:
        self.gradient = dout
        return dout


class SquaredError:
    """A loss that a network holds, whatever its methods are called: half the squared error, of which p - y is the gradient."""

    def __init__(self, target_first: bool = False) -> None:
        self.target_first = target_first

    def __call__(self, *given: Any, **_: Any) -> Any:
        return np.sum(self._slope(*given) ** 2) / 2

    def _slope(self, *given: Any, **_: Any) -> Any:
        p, y = [x for x in given if isinstance(x, np.ndarray)][:2][:: -1 if self.target_first else 1]
        self.dinputs = p - y
        return self.dinputs

    def __getattr__(self, name: str) -> Any:
        if name in BACKWARDS.split() or name in SLOPES.split():
            return self._slope
        if name in FORWARDS.split() or name in COSTS.split():
            return self.__call__
        raise AttributeError(name)


class Tanh:
    """An activation, whatever its methods are called."""

    def __repr__(self) -> str:
        return "..."

    def __call__(self, x: Any, *rest: Any, **flags: Any) -> Any:
        if rest == (True,) or any(value is True and SLOPE.search(name) for name, value in flags.items()):
            return self._slope(x)  # act(x, derivative=True)
        self.x, self.output = x, np.tanh(x)
        return self.output

    def _backward(self, dout: Any, *_: Any, **__: Any) -> Any:
        slope = 1 - self.output**2
        return slope if dout is self.x or dout is self.output else dout * slope  # of backward(self.out), which is no dout

    def _slope(self, x: Any, *_: Any, **__: Any) -> Any:
        return 1 - np.tanh(x) ** 2

    def __getattr__(self, name: str) -> Any:
        for names, method in ((FORWARDS, "__call__"), (BACKWARDS, "_backward"), (SLOPES, "_slope")):
            if name in names.split() or re.match(METHODS.get(method, "$^"), name):
                return object.__getattribute__(self, method)
        if name in KEPT.split() and "output" in vars(self):  # a network may ask what its layers have kept
            return self.output
        if name in INPUT_GRADIENTS.split() and "dinputs" in vars(self):
            return self.dinputs
        raise AttributeError(name)

    def __getitem__(self, name: str) -> Any:  # activation["gradient"](z)
        return getattr(self, name)


class Mixing(Tanh):
    """A layer with a parameter, whatever its methods are called. Two of them in the wrong order give another gradient.

    It says that it is `of` the class that a container asks for.
    """

    def __init__(self, of: type | None = None) -> None:
        self.w, self._of = np.ones(1), of

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # type: ignore[override]
        return self._of or Mixing

    def __call__(self, x: Any, *_: Any, **__: Any) -> Any:
        self.given, self.mixed = x, np.cumsum(x, axis=-1)
        return super().__call__(self.w * self.mixed)

    def _backward(self, dout: Any, *rest: Any, **__: Any) -> Any:
        before = rest and isinstance(rest[0], np.ndarray) and np.array_equal(dout, self.given)  # backward(x, dout)
        dz = super()._backward(rest[0] if before else dout)
        self.dw = np.sum(dz * self.mixed).reshape(1)
        self.dinputs = np.cumsum((self.w * dz)[..., ::-1], axis=-1)[..., ::-1]
        return self.dinputs


def asked_for(cls: type) -> type | None:
    """Return the class that a container asks its layers for: ``assert isinstance(layer, Layer)``."""
    text = "\n".join(ast.unparse(code_of(method) or ast.Pass()) for method in methods_in(cls).values())
    names, asked = vars(sys.modules[cls.__module__]), re.findall(r"(?:assert|not) isinstance\(\w+, (\w+)\)", text)
    return next((names[word] for word in asked if inspect.isclass(names.get(word))), None)


def layers_for(cls: type, methods: Methods) -> list[Any]:
    """Return two layers for a container to hold, where it takes none of ours: those of its file without parameters."""
    names = sys.modules[cls.__module__].__dict__
    classes = {name: one for name, one in names.items() if inspect.isclass(one) and one is not cls and not parameters(one)}
    found = [one for _, one, its in find_layers(classes, names) if (its.how, its.forward) == ("layer", methods.forward)]
    found = [one for one in found if len([p for p in arguments_of(one, methods.forward) if p.default is p.empty]) == 1]
    made = [attempt(one)[0] for one in found]
    return [one for one in made if one is not None and not arrays_in(one)][:2]


def instances(annotation: Any, cls: type) -> list[Any]:
    """Return objects of the class that an argument is annotated with, or of its heirs, where the file has it."""
    words = re.findall(r"\w+", annotation) if isinstance(annotation, str) else []
    named = [annotation, *(sys.modules[cls.__module__].__dict__.get(word) for word in words)]
    strange = {"numpy", *sys.stdlib_module_names}
    kind = next((c for c in named if inspect.isclass(c) and c.__module__.split(".")[0] not in strange), None)
    heirs = [c for c in (*kind.__subclasses__(), kind) if not inspect.isabstract(c)] if kind else []
    made = [attempt(c)[0] for c in sorted(heirs, key=lambda c: not FIRST.search(c.__name__))]
    return [one for one in made if one is not None][:MOST]
