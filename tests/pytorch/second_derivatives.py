"""The gradient's own gradient: each case written once, `lib` is torch, or tinynorm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from activations import ACTIVATIONS
from case import Cases, Draw, classes, normal, probabilities, values
from losses import cross_entropy

CASES = Cases()
add = CASES.add


def gradient_of(f: Callable[..., Any]) -> Callable[..., Any]:
    """The gradient of f with respect to x and its parameters along the cotangent v, as an output to be differentiated."""

    def compute(lib: Any, v: Any, **inputs: Any) -> Any:
        wanted = {name: t for name, t in inputs.items() if t.requires_grad}
        gradients = lib.autograd.grad(f(lib, **inputs), list(wanted.values()), v, create_graph=True)
        return {f"gradient of {name}": g for name, g in zip(wanted, gradients, strict=True)}

    return compute


def batch(lib: Any, x: Any, weight: Any, bias: Any) -> Any:
    return lib.nn.functional.batch_norm(x, None, None, weight, bias, training=True)


AFFINE = {"weight": normal(4), "bias": normal(4)}
SECOND: list[tuple[str, Callable[..., Any], tuple[int, ...], dict[str, Draw]]] = [
    ("linear", lambda lib, x, weight: lib.nn.functional.linear(x, weight), (4, 2), {"x": normal(4, 3), "weight": normal(2, 3)}),
    ("batch_norm", batch, (5, 4), {"x": normal(5, 4), **AFFINE}),
    ("batch_norm gamma 0", batch, (5, 4), {"x": normal(5, 4), **AFFINE, "weight": values(0.0, 0.0, 1.0, -1.0)}),
    ("batch_norm 4-D", batch, (2, 4, 2, 2), {"x": normal(2, 4, 2, 2), **AFFINE}),
    (
        "layer_norm",
        lambda lib, x, weight, bias: lib.nn.functional.layer_norm(x, (4,), weight, bias),
        (3, 4),
        {"x": normal(3, 4), **AFFINE},
    ),
    (
        "group_norm",
        lambda lib, x, weight, bias: lib.nn.functional.group_norm(x, 2, weight, bias),
        (2, 4, 3),
        {"x": normal(2, 4, 3), **AFFINE},
    ),
    (
        "rms_norm",
        lambda lib, x, weight: lib.nn.functional.rms_norm(x, (4,), weight),
        (3, 4),
        {"x": normal(3, 4), "weight": normal(4)},
    ),
    ("gelu", ACTIVATIONS["gelu"], (3, 4), {"x": normal(3, 4)}),
    ("gelu tanh", ACTIVATIONS["gelu tanh"], (3, 4), {"x": normal(3, 4)}),
    ("tanh", ACTIVATIONS["tanh"], (3, 4), {"x": normal(3, 4)}),
    ("softmax", lambda lib, x: lib.softmax(x, dim=1), (3, 4), {"x": normal(3, 4)}),
    ("log_softmax", lambda lib, x: lib.log_softmax(x, dim=1), (3, 4), {"x": normal(3, 4)}),
    ("matmul", lambda lib, x, b: x @ b, (2, 3, 2), {"x": normal(2, 3, 4), "b": normal(4, 2)}),
    ("cross_entropy", cross_entropy({}), (), {"x": normal(3, 4), "target": classes(4, 3)}),
    ("cross_entropy probabilities", cross_entropy({}), (), {"x": normal(3, 4), "target": probabilities(3, 4)}),
    ("index", lambda lib, x, i: x[i] * x[i], (5, 3), {"x": normal(4, 3), "i": classes(4, 5)}),
    ("var", lambda lib, x: x.var(dim=0), (4,), {"x": normal(3, 4)}),
    ("std", lambda lib, x: x.std(dim=0), (4,), {"x": normal(3, 4)}),
    (
        "conv2d",
        lambda lib, x, weight, b: lib.nn.functional.conv2d(x, weight, b, stride=2, padding=1, groups=2),
        (2, 6, 3, 4),
        {"x": normal(2, 4, 5, 6), "weight": normal(6, 2, 3, 2), "b": normal(6)},
    ),
    ("max_pool2d", lambda lib, x: lib.nn.functional.max_pool2d(x * x, 2, 1), (1, 3, 3), {"x": normal(1, 4, 4)}),
    ("avg_pool2d", lambda lib, x: lib.nn.functional.avg_pool2d(x * x, 3, 2, 1), (1, 2, 2), {"x": normal(1, 4, 4)}),
    ("local_response_norm", lambda lib, x: lib.nn.functional.local_response_norm(x, 3, 0.5), (2, 5, 2), {"x": normal(2, 5, 2)}),
]
for name, f, shape, draws in SECOND:
    add(f"gradient of {name}", gradient_of(f), v=normal(*shape), **draws)
