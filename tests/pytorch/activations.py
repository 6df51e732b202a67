"""Activations and the softmax family: each case written once, `lib` is torch, or tinynorm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from case import Cases, constant, normal, shape_name, values

CASES = Cases()
add = CASES.add

ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda lib, x: lib.nn.functional.relu(x),
    "gelu": lambda lib, x: lib.nn.functional.gelu(x),
    "gelu tanh": lambda lib, x: lib.nn.functional.gelu(x, approximate="tanh"),
    "sigmoid": lambda lib, x: lib.sigmoid(x),
    "tanh": lambda lib, x: lib.tanh(x),
    "erf": lambda lib, x: lib.erf(x),
    "leaky_relu": lambda lib, x: lib.nn.functional.leaky_relu(x),
    "leaky_relu 0.2 in place": lambda lib, x: lib.nn.functional.leaky_relu(x * 1, 0.2, inplace=True),
    "elu": lambda lib, x: lib.nn.functional.elu(x),
    "elu alpha": lambda lib, x: lib.nn.functional.elu(x * 1, alpha=0.5, inplace=True),
    "silu": lambda lib, x: lib.nn.functional.silu(x),
    "silu in place": lambda lib, x: lib.nn.functional.silu(x * 1, inplace=True),
    "softplus": lambda lib, x: lib.nn.functional.softplus(x),
    "softplus beta threshold": lambda lib, x: lib.nn.functional.softplus(x, beta=2, threshold=1),
    "relu6": lambda lib, x: lib.nn.functional.relu6(x * 1, inplace=True),
    "hardtanh": lambda lib, x: lib.nn.functional.hardtanh(x),
    "hardtanh limits": lambda lib, x: lib.nn.functional.hardtanh(x * 1, -6.0, 0.0, inplace=True),
    "hardswish": lambda lib, x: lib.nn.functional.hardswish(x * 1, inplace=True),
    "selu": lambda lib, x: lib.nn.functional.selu(x),
    "logsigmoid": lambda lib, x: lib.nn.functional.logsigmoid(x),
    "softsign": lambda lib, x: lib.nn.functional.softsign(x),
    "mish": lambda lib, x: lib.nn.functional.mish(x),
    "tanhshrink": lambda lib, x: lib.nn.functional.tanhshrink(x),
    "threshold": lambda lib, x: lib.nn.functional.threshold(x, 0.0, 20.0),
    "softmin": lambda lib, x: lib.nn.functional.softmin(x, dim=0),
    "glu": lambda lib, x: lib.nn.functional.glu(lib.cat([x, 2 * x + 1], dim=-1)),
}
for name, f in ACTIVATIONS.items():
    add(f"{name} 1-D", f, x=normal(6))
    add(f"{name} 3-D", f, x=normal(2, 3, 4, std=2.0))
    add(f"{name} at its ends", f, x=values(-100.0, -6.0, -1e-4, 0.0, 1e-4, 6.0, 100.0))
for std in (1.0, 4.0):  # without the slope: PyTorch's is a sixth in float32, also in float64
    add(f"hardsigmoid {std}", lambda lib, x: lib.nn.functional.hardsigmoid(x), x=constant(normal(2, 3, 4, std=std)))
add("hardswish at 3", ACTIVATIONS["hardswish"], x=values(-3.0, -2.9999998, 2.9999998, 3.0))
for shape, n in [((5,), 1), ((2, 3), 1), ((2, 3), 3), ((2, 3, 4), 3)]:
    at = f"prelu {shape_name(shape)} {n}"
    add(at, lambda lib, x, weight: lib.nn.functional.prelu(x, weight), x=normal(*shape), weight=normal(n))
add("prelu at 0", lambda lib, x, weight: lib.nn.functional.prelu(x, weight), x=values(-1.0, 0.0, 2.0), weight=values(0.5))
for name in ("relu", "relu6", "hardtanh", "softsign", "tanhshrink"):
    add(f"{name} of integers", ACTIVATIONS[name], x=values(-4, -1, 0, 3, 9))
add("hardtanh of integers, fractions", lambda lib, x: lib.nn.functional.hardtanh(x, -2.9, 2.7), x=values(-4, -2, 0, 3))
add("threshold of integers", lambda lib, x: lib.nn.functional.threshold(x, 1.9, 2.5), x=values(-4, 0, 1, 2, 9))
add("glu dim 0", lambda lib, x: lib.nn.functional.glu(x, 0), x=normal(4, 3))
add("dropout eval", lambda lib, x: lib.nn.functional.dropout(x, 0.5, training=False), x=normal(2, 3))
add("dropout p 0", lambda lib, x: lib.nn.functional.dropout(x, 0.0), x=normal(2, 3))

for shape, dim in [((5,), 0), ((4, 5), 1), ((4, 5), 0), ((2, 3, 4), -1), ((2, 3, 4), 1)]:
    at = f"{shape_name(shape)} dim {dim}"
    add(f"softmax {at}", lambda lib, x, dim=dim: lib.nn.functional.softmax(x, dim=dim), x=normal(*shape, std=2.0))
    add(f"log_softmax {at}", lambda lib, x, dim=dim: lib.nn.functional.log_softmax(x, dim=dim), x=normal(*shape, std=2.0))
    add(f"logsumexp {at}", lambda lib, x, dim=dim: lib.logsumexp(x, dim=dim), x=normal(*shape, std=2.0))
add("logsumexp two dims kept", lambda lib, x: lib.logsumexp(x, dim=(0, 2), keepdim=True), x=normal(2, 3, 4))
for name in ("softmax", "log_softmax", "logsumexp"):
    large = values([1000.0, 999.0, -1000.0], [-900.0, -901.0, -899.5])
    add(f"{name} large logits", lambda lib, x, name=name: getattr(lib, name)(x, dim=1), x=large)
