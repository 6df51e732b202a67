"""The functions that are compared with PyTorch, each written once: `lib` is torch, or tinynorm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from case import Case, Draw, classes, constant, normal, probabilities, uniform, values

CASES: list[Case] = []


def add(name: str, compute: Callable[..., Any], **inputs: Draw) -> None:
    CASES.append(Case(name, compute, inputs))


def shape_name(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


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


# ---- activations -----------------------------------------------------------------------------------------------------

ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "relu": lambda lib, x: lib.nn.functional.relu(x),
    "gelu": lambda lib, x: lib.nn.functional.gelu(x),
    "gelu tanh": lambda lib, x: lib.nn.functional.gelu(x, approximate="tanh"),
    "sigmoid": lambda lib, x: lib.sigmoid(x),
    "tanh": lambda lib, x: lib.tanh(x),
    "erf": lambda lib, x: lib.erf(x),
}
for name, f in ACTIVATIONS.items():
    add(f"{name} 1-D", f, x=normal(6))
    add(f"{name} 3-D", f, x=normal(2, 3, 4, std=2.0))
    add(f"{name} at its ends", f, x=values(-100.0, -6.0, -1e-4, 0.0, 1e-4, 6.0, 100.0))
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


# ---- normalisation ---------------------------------------------------------------------------------------------------


def batch_norm(training: bool, momentum: float = 0.1, eps: float = 1e-5, affine: bool = True, running: bool = True) -> Any:
    """F.batch_norm with these settings, and the draws beside x of C = 3 channels."""

    def compute(lib, x, running_mean=None, running_var=None, weight=None, bias=None):
        y = lib.nn.functional.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
        return {"y": y, "running_mean": running_mean, "running_var": running_var} if running else y

    draws = {"running_mean": constant(normal(3)), "running_var": constant(uniform(3))} if running else {}
    return compute, draws | ({"weight": normal(3), "bias": normal(3)} if affine else {})


X_OF_RANK = {2: (6, 3), 3: (3, 3, 4), 4: (2, 3, 2, 3), 5: (2, 3, 2, 1, 2)}
for rank, shape in X_OF_RANK.items():
    for training in (True, False):
        for affine in (True, False):
            mode = "train" if training else "eval"
            compute, draws = batch_norm(training, affine=affine)
            x = normal(*shape, mean=0.5, std=2.0)
            add(f"batch_norm {rank}-D {mode}{' affine' if affine else ''}", compute, x=x, **draws)
    compute, draws = batch_norm(True, running=False)
    add(f"batch_norm {rank}-D train no running statistics", compute, x=normal(*shape), **draws)
for momentum in (0.0, 0.3, 1.0):
    for rank in (2, 4):
        compute, draws = batch_norm(True, momentum)
        add(f"batch_norm {rank}-D train momentum {momentum}", compute, x=normal(*X_OF_RANK[rank], mean=-1.0), **draws)
for training in (True, False):
    compute, draws = batch_norm(training, eps=0.1)
    add(f"batch_norm eps 0.1 {'train' if training else 'eval'}", compute, x=normal(6, 3), **draws)
compute, draws = batch_norm(True)
add("batch_norm gamma 0", compute, x=normal(6, 3), **(draws | {"weight": values(0.0, 1.0, -2.0)}))
add("batch_norm two rows", compute, x=normal(2, 3), **draws)
add(
    "batch_norm weight without bias",
    lambda lib, x, weight: lib.nn.functional.batch_norm(x, None, None, weight, None, True),
    x=normal(6, 3), weight=normal(3),
)  # fmt: skip

for shape, D in [
    ((4, 5), (5,)), ((5,), (5,)), ((2, 3, 4), (4,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), (2, 3, 4)), ((2, 2, 3, 2), (2, 3, 2)),
    ((2, 2, 3, 2), (3, 2)), ((1, 4), (4,)),
]:  # fmt: skip
    at = f"{shape_name(shape)} over {shape_name(D)}"
    add(
        f"layer_norm {at} affine",
        lambda lib, x, weight, bias, D=D: lib.nn.functional.layer_norm(x, D, weight, bias),
        x=normal(*shape, mean=1.0), weight=normal(*D), bias=normal(*D),
    )  # fmt: skip
    add(f"layer_norm {at}", lambda lib, x, D=D: lib.nn.functional.layer_norm(x, D), x=normal(*shape, mean=1.0))
    add(
        f"layer_norm {at} weight only",
        lambda lib, x, weight, D=D: lib.nn.functional.layer_norm(x, D, weight, eps=0.01),
        x=normal(*shape, mean=1.0), weight=normal(*D),
    )  # fmt: skip
    add(
        f"rms_norm {at} affine",
        lambda lib, x, weight, D=D: lib.nn.functional.rms_norm(x, D, weight),
        x=normal(*shape, mean=1.0), weight=normal(*D),
    )  # fmt: skip
    add(f"rms_norm {at} eps 0.01", lambda lib, x, D=D: lib.nn.functional.rms_norm(x, D, eps=0.01), x=normal(*shape, mean=1.0))

for shape, G in [
    ((4, 6), 2), ((4, 6), 1), ((2, 4, 3), 2), ((2, 4, 3), 4), ((2, 6, 2, 2), 3), ((2, 4, 2, 1, 2), 2), ((1, 4, 3), 1),
]:  # fmt: skip
    at = f"{shape_name(shape)} in {G}"
    add(
        f"group_norm {at} affine",
        lambda lib, x, weight, bias, G=G: lib.nn.functional.group_norm(x, G, weight, bias),
        x=normal(*shape, mean=1.0), weight=normal(shape[1]), bias=normal(shape[1]),
    )  # fmt: skip
    add(f"group_norm {at}", lambda lib, x, G=G: lib.nn.functional.group_norm(x, G, eps=0.01), x=normal(*shape, mean=1.0))

for shape in [(2, 3, 5), (2, 3, 2, 3), (2, 3, 2, 1, 2)]:
    at = f"{len(shape)}-D"
    add(f"instance_norm {at}", lambda lib, x: lib.nn.functional.instance_norm(x), x=normal(*shape, mean=1.0))
    add(
        f"instance_norm {at} affine",
        lambda lib, x, weight, bias: lib.nn.functional.instance_norm(x, weight=weight, bias=bias, eps=0.01),
        x=normal(*shape, mean=1.0), weight=normal(3), bias=normal(3),
    )  # fmt: skip
    for use_input_stats in (True, False):

        def compute(lib, x, running_mean, running_var, weight, bias, use=use_input_stats):
            y = lib.nn.functional.instance_norm(x, running_mean, running_var, weight, bias, use, 0.3)
            return {"y": y, "running_mean": running_mean, "running_var": running_var}

        add(
            f"instance_norm {at} {'updates' if use_input_stats else 'by'} running statistics",
            compute,
            x=normal(*shape), weight=normal(3), bias=normal(3),
            running_mean=constant(normal(3)), running_var=constant(uniform(3)),
        )  # fmt: skip


# ---- losses ----------------------------------------------------------------------------------------------------------

LOGITS = {1: (4,), 2: (5, 4), 3: (2, 4, 3), 4: (2, 4, 2, 2), 5: (2, 4, 1, 2, 2)}
OPTIONS: list[dict[str, Any]] = [{}, {"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.1}]


def without_classes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return () if len(shape) == 1 else (shape[0], *shape[2:])


def say(options: dict[str, Any]) -> str:
    return "".join(f" {name} {value}" for name, value in options.items())


def cross_entropy(options: dict[str, Any]) -> Callable[..., Any]:
    return lambda lib, x, target, weight=None: lib.nn.functional.cross_entropy(x, target, weight, **options)


for rank, shape in LOGITS.items():
    for options in OPTIONS:
        at, indices = f"{rank}-D{say(options)}", classes(4, *without_classes(shape))
        add(f"cross_entropy {at}", cross_entropy(options), x=normal(*shape), target=indices)
        add(f"cross_entropy {at} weight", cross_entropy(options), x=normal(*shape), target=indices, weight=constant(uniform(4)))
        add(f"cross_entropy probabilities {at}", cross_entropy(options), x=normal(*shape), target=probabilities(*shape))
for rank, shape in list(LOGITS.items())[1:4]:
    for options in ({"reduction": r, "label_smoothing": s} for r in ("mean", "sum", "none") for s in (0.0, 0.2)):
        for ignored in (-100, 2):
            add(
                f"cross_entropy {rank}-D ignores {ignored}{say(options)} weight",
                cross_entropy(options | {"ignore_index": ignored}),
                x=normal(*shape), target=classes(4, *without_classes(shape), ignored=ignored), weight=constant(uniform(4)),
            )  # fmt: skip
for options in ({"reduction": r, "label_smoothing": s} for r in ("mean", "sum", "none") for s in (0.0, 0.2)):
    add(
        f"cross_entropy probabilities weight{say(options)}",
        cross_entropy(options),
        x=normal(3, 4, 2), target=probabilities(3, 4, 2), weight=constant(uniform(4)),
    )  # fmt: skip
add("cross_entropy large logits", cross_entropy({}), x=values([1000.0, 0.0, -1000.0], [5.0, 900.0, 899.0]), target=values(1, 2))
for reduction in ("mean", "sum"):
    for name in ("cross_entropy", "nll_loss"):
        add(
            f"{name} every target ignored {reduction}",
            lambda lib, x, target, f=name, reduction=reduction: getattr(lib.nn.functional, f)(x, target, reduction=reduction),
            x=normal(2, 3), target=values(-100, -100),
        )  # fmt: skip

for rank, shape in LOGITS.items():
    for reduction in ("mean", "sum", "none"):
        for weighted in (False, True):
            ignored = -1 if rank > 1 else None
            add(
                f"nll_loss {rank}-D {reduction}{' weight' if weighted else ''}",
                lambda lib, x, target, weight=None, reduction=reduction: lib.nn.functional.nll_loss(
                    x, target, weight, ignore_index=-1, reduction=reduction
                ),
                x=normal(*shape), target=classes(4, *without_classes(shape), ignored=ignored),
                **({"weight": constant(uniform(4))} if weighted else {}),
            )  # fmt: skip
for shape in [(5,), (3, 4), (2, 3, 2)]:
    for reduction in ("mean", "sum", "none"):
        add(
            f"mse_loss {shape_name(shape)} {reduction}",
            lambda lib, x, target, reduction=reduction: lib.nn.functional.mse_loss(x, target, reduction=reduction),
            x=normal(*shape), target=normal(*shape),
        )  # fmt: skip


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


# ---- second derivatives: the gradient's own gradient ---------------------------------------------------------------------


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
    ("var", lambda lib, x: x.var(dim=0), (4,), {"x": normal(3, 4)}),
    ("std", lambda lib, x: x.std(dim=0), (4,), {"x": normal(3, 4)}),
]
for name, f, shape, draws in SECOND:
    add(f"gradient of {name}", gradient_of(f), v=normal(*shape), **draws)
