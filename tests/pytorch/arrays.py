"""Arithmetic, matrix products, reductions, shapes and indices: each case written once, `lib` is torch, or tinynorm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from case import Cases, classes, constant, normal, say, shape_name, uniform, values

CASES = Cases()
add = CASES.add


# ---- arithmetic ------------------------------------------------------------------------------------------------------

BINARY: dict[str, Callable[..., Any]] = {
    "add": lambda lib, a, b: a + b,
    "sub": lambda lib, a, b: a - b,
    "mul": lambda lib, a, b: a * b,
    "div": lambda lib, a, b: a / b,
    "pow": lambda lib, a, b: a**b,
    "maximum": lambda lib, a, b: lib.maximum(a, b),
    "minimum": lambda lib, a, b: lib.minimum(a, b),
    "where": lambda lib, a, b: lib.where(a > b, a, b * 2),
}
for name, f in BINARY.items():
    add(f"{name} same shape", f, a=uniform(2, 3), b=uniform(2, 3))
    add(f"{name} broadcast", f, a=uniform(2, 1, 3), b=uniform(4, 1))
for name in ("maximum", "minimum"):
    add(f"{name} of equals", BINARY[name], a=values(1.0, 2.0, 3.0), b=values(1.0, 3.0, 2.0))

UNARY: dict[str, Callable[..., Any]] = {
    "neg": lambda lib, x: -x,
    "exp": lambda lib, x: lib.exp(x),
    "log": lambda lib, x: lib.log(x),
    "sqrt": lambda lib, x: x.sqrt(),
    "rsqrt": lambda lib, x: lib.rsqrt(x),
    "abs": lambda lib, x: lib.abs(x - 1),
    "clamp": lambda lib, x: lib.clamp(x, 0.8, 1.5),
    "clamp min": lambda lib, x: x.clamp(min=1.0),
    "scalar on the left": lambda lib, x: 1 - x + 2 / x + 3 * x + 2**x,
    "scalar on the right": lambda lib, x: (x - 1) / 2 * 3 + x**3 + x**0.5 + x**-2,
}
for name, f in UNARY.items():
    add(name, f, x=uniform(2, 3))
add("abs at 0", lambda lib, x: x.abs(), x=values(-1.0, 0.0, 2.0))
add("clamp at its limits", lambda lib, x: x.clamp(-1.0, 1.0), x=values(-2.0, -1.0, 0.0, 1.0, 2.0))
add("pow at 0", lambda lib, x: {"square": x**2, "cube": x**3, "one": x**0}, x=values(-1.0, 0.0, 2.0))
add("a tensor used twice", lambda lib, x: x * x + lib.exp(x) * x, x=normal(2, 3))


# ---- linear and matmul -----------------------------------------------------------------------------------------------

for shape in [(5,), (4, 5), (1, 5), (2, 3, 5), (2, 2, 3, 5)]:
    add(
        f"linear {shape_name(shape)}",
        lambda lib, x, weight, bias: lib.nn.functional.linear(x, weight, bias),
        x=normal(*shape), weight=normal(3, 5), bias=normal(3),
    )  # fmt: skip
    add(
        f"linear {shape_name(shape)} no bias",
        lambda lib, x, weight: lib.nn.functional.linear(x, weight),
        x=normal(*shape), weight=normal(3, 5),
    )  # fmt: skip
add(
    "linear x needs no grad",
    lambda lib, x, weight, bias: lib.nn.functional.linear(x, weight, bias),
    x=constant(normal(4, 5)), weight=normal(3, 5), bias=normal(3),
)  # fmt: skip

for a, b in [
    ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,)), ((2, 2, 3), (3, 2)),
    ((2, 3), (2, 3, 2)), ((2, 2, 3), (2, 3, 2)), ((2, 1, 2, 3), (3, 3, 2)), ((1, 2, 3), (2, 3, 2)),
]:  # fmt: skip
    add(f"matmul {shape_name(a)} @ {shape_name(b)}", lambda lib, a, b: a @ b, a=normal(*a), b=normal(*b))


# ---- reductions ------------------------------------------------------------------------------------------------------

DIMS: list[dict[str, Any]] = [{}, {"dim": 0}, {"dim": -1, "keepdim": True}, {"dim": (0, 2)}]
for over in DIMS:
    for name in ("sum", "mean", "var", "std", "amax", "amin"):
        add(f"{name}{say(over)}", lambda lib, x, name=name, over=over: getattr(x, name)(**over), x=normal(2, 3, 4))
    for name in ("var", "std"):
        for correction in (0, 2):
            add(
                f"{name}{say(over)} correction {correction}",
                lambda lib, x, name=name, over=over, correction=correction: getattr(lib, name)(
                    x, over.get("dim"), correction=correction, keepdim=over.get("keepdim", False)
                ),
                x=normal(3, 4, 4),
            )  # fmt: skip
for name in ("var", "std"):
    add(f"{name} unbiased False", lambda lib, x, name=name: getattr(x, name)(dim=0, unbiased=False), x=normal(4, 3))


def along(name: str, dim: int) -> Callable[..., Any]:
    """max or min along a dimension: values, which can be differentiated, and indices."""

    def compute(lib: Any, x: Any) -> Any:
        result = getattr(lib, name)(x, dim)
        return {"values": result.values, "indices": result.indices}

    return compute


for name in ("max", "min"):
    add(f"{name}", lambda lib, x, name=name: getattr(x, name)(), x=normal(2, 3))
    for dim in (0, -1):
        add(f"{name} dim {dim}", along(name, dim), x=normal(3, 4))
    equals = values([1.0, 1.0, 1.0], [2.0, 1.0, 2.0])
    add(f"a{name} of equals", lambda lib, x, name=name: getattr(x, "a" + name)(dim=1), x=equals)
    add(f"arg{name}", lambda lib, x, name=name: getattr(x, "arg" + name)(), x=normal(3, 4))
    add(f"arg{name} dim 1", lambda lib, x, name=name: getattr(x, "arg" + name)(dim=1), x=normal(3, 4))


# ---- shapes and indices ----------------------------------------------------------------------------------------------

SHAPES: dict[str, Callable[..., Any]] = {
    "reshape": lambda lib, x: x.reshape(4, -1),
    "view": lambda lib, x: x.view(3, 8),
    "flatten": lambda lib, x: x.flatten(1),
    "transpose": lambda lib, x: x.transpose(0, 2),
    "permute": lambda lib, x: x.permute(2, 0, 1),
    "mT": lambda lib, x: x.mT,
    "T of a matrix": lambda lib, x: x[0].T,
    "unsqueeze squeeze": lambda lib, x: x.unsqueeze(1).squeeze(1).unsqueeze(-1),
    "expand": lambda lib, x: x.unsqueeze(0).expand(2, -1, -1, 4),
    "cat": lambda lib, x: lib.cat([x, 2 * x[:, :1]], dim=1),
    "stack": lambda lib, x: lib.stack([x, x * x], dim=1),
    "index slice": lambda lib, x: x[1:, ::2, -1],
    "index ellipsis and None": lambda lib, x: x[..., None, 0],
    "index mask": lambda lib, x: x[x > 0],
    "index rows": lambda lib, x: x[[0, 1, 1, 0, 1]],
    "index pairs": lambda lib, x: x[[0, 1, 1], [2, 0, 0]],
    "detach": lambda lib, x: x * x.detach(),
}
for name, f in SHAPES.items():
    add(name, f, x=normal(2, 3, 4))
add("index tensor repeated", lambda lib, x, i: x[i], x=normal(4, 3), i=classes(4, 2, 3))
add("gather", lambda lib, x, i: x.gather(1, i), x=normal(2, 4), i=classes(4, 2, 3))
