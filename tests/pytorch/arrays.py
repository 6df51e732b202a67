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


def both(name: str, *args: Any, **options: Any) -> Callable[..., Any]:
    """As a function and as a method."""
    return lambda lib, x: {"function": getattr(lib, name)(x, *args, **options), "method": getattr(x, name)(*args, **options)}


INF = float("inf")
for p, over in [("fro", {}), (None, {}), (2, {"dim": 1}), (2, {"dim": (0, 1), "keepdim": True}), (1, {"dim": 0}), (3, {})]:
    add(f"norm {p}{say(over)}", both("norm", p, **over), x=normal(3, 4))
for p in (0.5, -2, INF, -INF):
    add(f"norm {p}", lambda lib, x, p=p: {"all": x.norm(p), "rows": lib.norm(x, p=p, dim=1)}, x=normal(3, 4))
add("norm 0", both("norm", 0, dim=1), x=constant(values([0.0, 1.0], [-2.0, 3.0])))
add("norm of zeros", lambda lib, x: {f"p {p}": x.norm(p, dim=1) for p in (1, 2, 3)}, x=values([0.0, 0.0], [0.0, 2.0]))
for o in ({}, {"p": 1, "dim": 0}, {"dim": -1, "eps": 1.2}):
    add(f"normalize{say(o)}", lambda lib, x, o=o: lib.nn.functional.normalize(x, **o), x=normal(3, 4))
add("normalize zeros", lambda lib, x: lib.nn.functional.normalize(x), x=values([0.0, 0.0], [3.0, -4.0]))


# ---- distances -------------------------------------------------------------------------------------------------------

SIMILAR: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((4, 3), (4, 3), {}),
    ((4, 3), (1, 3), {"dim": -1}),
    ((2, 3, 4), (3, 4), {"dim": 0, "eps": 0.01}),
    ((3,), (3,), {"dim": 0}),
]
for a, b, o in SIMILAR:
    add(
        f"cosine_similarity {shape_name(a)} {shape_name(b)}{say(o)}",
        lambda lib, x, y, o=o: {"F": lib.nn.functional.cosine_similarity(x, y, **o), "lib": lib.cosine_similarity(x, y, **o)},
        x=normal(*a), y=normal(*b),
    )  # fmt: skip
for o in ({}, {"p": 1}, {"p": 3.0, "keepdim": True}, {"eps": 0.1}, {"p": INF}):
    at = f"pairwise_distance{say(o)}"
    add(at, lambda lib, x, y, o=o: lib.nn.functional.pairwise_distance(x, y, **o), x=normal(4, 3), y=normal(3))
for p in (2.0, 1.0, 3.0, INF):
    add(f"cdist p {p}", lambda lib, x, y, p=p: lib.cdist(x, y, p=p), x=normal(2, 4, 3), y=normal(5, 3))
add("cdist of equals", lambda lib, x: lib.cdist(x, x), x=normal(3, 2))
for n in [(4,), (2, 4), ()]:
    add(f"bilinear {shape_name(n)}", lambda lib, x, y, weight, bias: lib.nn.functional.bilinear(x, y, weight, bias),
        x=normal(*n, 3), y=normal(*n, 2), weight=normal(5, 3, 2), bias=normal(5))  # fmt: skip


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


def values_and_indices(name: str, *args: Any, **options: Any) -> Callable[..., Any]:
    """Both results, of a function and of a method."""

    def compute(lib: Any, x: Any) -> Any:
        results = {"function": getattr(lib, name)(x, *args, **options), "method": getattr(x, name)(*args, **options)}
        return {f"{how} {what}": getattr(result, what) for how, result in results.items() for what in ("values", "indices")}

    return compute


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


for name in ("prod", "cumsum"):
    add(f"{name} of zeros", lambda lib, x, name=name: getattr(lib, name)(x, 1), x=values([0.0, 2.0, 3.0], [0.0, 0.0, 5.0]))
add("prod", lambda lib, x: {"all": x.prod(), "0": lib.prod(x, 0), "kept": x.prod(dim=-1, keepdim=True)}, x=normal(2, 3, 5))
add("prod of integers", lambda lib, i: {"all": i.prod(), "bool": (i > 0).prod(0)}, i=values([3, -1], [2, 4]))
add("cumsum", lambda lib, x: {"0": lib.cumsum(x, 0), "-1": x.cumsum(dim=-1)}, x=normal(2, 3, 5))
add("cumsum of integers", lambda lib, i: {"i": i.cumsum(0), "b": (i > 0).cumsum(1), "f": i.cumsum(0, dtype=lib.float32)},
    i=values([3, -1], [2, 4]))  # fmt: skip
for o in ({}, {"dim": 0}, {"dim": 1, "descending": True}):
    add(f"sort{say(o)}", values_and_indices("sort", **o), x=normal(3, 4))
    add(f"argsort{say(o)}", both("argsort", **o), x=normal(3, 4))
for descending in (False, True):
    o = {"descending": descending, "stable": True}
    add(f"sort stable descending {descending}", values_and_indices("sort", **o), x=values(2, 1, 3, 1, 2, 1))
for o in ({}, {"dim": 0, "largest": False}):
    add(f"topk{say(o)}", values_and_indices("topk", 2, **o), x=normal(3, 4))


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

MORE_SHAPES: dict[str, Callable[..., Any]] = {
    "rows one by one": lambda lib, x: dict(enumerate_named(list(x))),
    "split": lambda lib, x: dict(enumerate_named(lib.split(x, 3, dim=-1) + x.split([1, 2], 1))),
    "chunk": lambda lib, x: dict(enumerate_named(lib.chunk(x, 2, 1) + x.chunk(3, dim=2))),
    "unbind": lambda lib, x: dict(enumerate_named(lib.unbind(x, 1) + x.unbind(-1))),
    "repeat": lambda lib, x: {"ones": x.repeat(1, 1, 1), "three": x.repeat(2, 1, 3), "four": x.repeat((2, 1, 2, 1))},
    "tile": lambda lib, x: {"few": lib.tile(x, (2,)), "more": x.tile((2, 1, 1, 2))},
    "flip": lambda lib, x: {"one": lib.flip(x, (1,)), "two": x.flip(0, -1), "list": x.flip([2])},
    "tril": lambda lib, x: {"main": lib.tril(x), "below": x.tril(-1), "above": x.tril(diagonal=1)},
    "triu": lambda lib, x: {"main": lib.triu(x), "below": x.triu(-1), "above": x.triu(diagonal=1)},
    "cat with an empty vector": lambda lib, x: lib.cat([lib.tensor([], device=x.device), x, x * x], 2),
    "new": lambda lib, x: {
        "zeros": x.new_zeros(2, 3), "ones": x.new_ones((2,)), "full": x.new_full((2, 1), 7), "tensor": x.new_tensor([1, 2]),
    },
}  # fmt: skip


def enumerate_named(tensors: Any) -> Any:
    """Several outputs, by name."""
    return ((f"y{i}", t) for i, t in enumerate(tensors))


for name, f in MORE_SHAPES.items():
    add(name, f, x=normal(2, 3, 4))
for indexing in ("ij", "xy"):
    add(
        f"meshgrid {indexing}",
        lambda lib, x, y, z, indexing=indexing: dict(enumerate_named(lib.meshgrid(x, y, z, indexing=indexing))),
        x=normal(2), y=normal(3), z=normal(4),
    )  # fmt: skip
add("tril of booleans", lambda lib, x: lib.tril(x), x=values([True, True], [True, True]))
add("index_select", lambda lib, x, i: lib.index_select(x, 1, i) + x.index_select(1, i), x=normal(2, 4), i=classes(4, 3))
PLACES = values([3, 0, 1], [2, 2, 2])  # each only once in a column
add("scatter", lambda lib, x, i, v: lib.scatter(x, 0, i, v) * x.scatter(0, i, 1.5), x=normal(4, 3), i=PLACES, v=normal(2, 3))
add(
    "scatter in place",
    lambda lib, x, i, v: {"source": (x * 1).scatter_(0, i, v) * x, "value": (x * 1).scatter_(0, i, value=2) * x},
    x=normal(4, 3), i=PLACES, v=normal(2, 3),
)  # fmt: skip
add(
    "scatter_add",
    lambda lib, x, i, v: lib.scatter_add(x, 1, i, v) * x.scatter_add(1, i, v) + (x * 1).scatter_add_(1, i, v),
    x=normal(4, 3), i=classes(3, 2, 5), v=normal(2, 5),
)  # fmt: skip
add(
    "one_hot",
    lambda lib, i: {"counted": lib.nn.functional.one_hot(i), "five": lib.nn.functional.one_hot(i, 5)},
    i=classes(3, 2, 4),
)
add(
    "bincount",
    lambda lib, i, w: {
        "counts": lib.bincount(i), "more": i.bincount(minlength=7), "weights": i.bincount(w), "whole": i.bincount(weights=i),
    },
    i=classes(4, 9), w=constant(normal(9)),
)  # fmt: skip

EINSUM = {
    "ij,jk->ik": [(2, 3), (3, 4)], "ij,jk": [(2, 3), (3, 4)], "ba,ca": [(2, 3), (4, 3)], "bij,bkj->bki": [(2, 3, 4), (2, 5, 4)],
    "ii": [(3, 3)], "ii->i": [(3, 3)], "ij->ji": [(2, 3)], "ijk->j": [(2, 3, 4)], "i,j->ij": [(2,), (3,)],
    "i,i->": [(3,), (3,)],
    "ij,ij->i": [(2, 3), (2, 3)], "ij,j->ij": [(2, 3), (3,)], "i,ij,j->": [(2,), (2, 3), (3,)], "ij,kl->": [(2, 3), (3, 2)],
    "bhqd, bhkd -> bhqk": [(2, 2, 3, 4), (2, 2, 5, 4)], "...ij,...jk->...ik": [(2, 1, 3, 4), (5, 4, 2)],
    "...i,i": [(2, 3), (3,)], "iij,j->i": [(3, 3, 2), (2,)],
}  # fmt: skip
for equation, operands in EINSUM.items():
    add(
        f"einsum {equation}",
        lambda lib, equation=equation, **xs: lib.einsum(equation, *xs.values()),
        **{name: normal(*shape) for name, shape in zip("abc", operands, strict=False)},
    )
add("outer", lambda lib, a, b: lib.outer(a, b) + a.outer(b), a=normal(3), b=normal(2))
for name, a, b in [("mm", (2, 3), (3, 4)), ("bmm", (2, 3, 4), (2, 4, 2)), ("mv", (2, 3), (3,)), ("dot", (3,), (3,))]:
    add(f"{name} as a function", lambda lib, a, b, name=name: getattr(lib, name)(a, b), a=normal(*a), b=normal(*b))
