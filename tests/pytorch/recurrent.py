"""The recurrent cells and layers, and weight normalisation: each case written once, `lib` is torch, or tinynorm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from case import Cases, constant, normal
from modules import Build, loaded

CASES = Cases()
add = CASES.add
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def flat(outputs: Any) -> Iterator[Any]:
    """The tensors in nested tuples."""
    if isinstance(outputs, tuple):
        for part in outputs:
            yield from flat(part)
    else:
        yield outputs


def run(build: Build) -> Any:
    """The module with the given parameters, on x and the states, if there are any: each output under a name of its own."""

    def compute(lib: Any, x: Any, h: Any = None, c: Any = None, **state: Any) -> Any:
        module = loaded(build(lib.nn), x, state)
        given = () if h is None else (h,) if c is None else ((h, c),)
        outputs = {f"y{i}": y for i, y in enumerate(flat(module(x, *given)))}
        return outputs | {"module": module}

    return compute


def parameters(kind: str, I: int, H: int, end: str = "", bias: bool = True) -> dict[str, Any]:
    """What a cell, or a layer in one direction, has."""
    rows = GATES[kind] * H
    shapes = {"weight_ih": (rows, I), "weight_hh": (rows, H)} | ({"bias_ih": (rows,), "bias_hh": (rows,)} if bias else {})
    return {name + end: constant(normal(*shape)) for name, shape in shapes.items()}


for kind in GATES:
    cell = f"{kind}Cell"
    states = {"h": normal(4, 2)} | ({"c": normal(4, 2)} if kind == "LSTM" else {})
    add(cell, run(lambda nn, cell=cell: getattr(nn, cell)(3, 2)), x=normal(4, 3), **states, **parameters(kind, 3, 2))
    add(f"{cell} from zeros", run(lambda nn, cell=cell: getattr(nn, cell)(3, 2, bias=False)),
        x=normal(4, 3), **parameters(kind, 3, 2, bias=False))  # fmt: skip
    add(f"{cell} of a vector", run(lambda nn, cell=cell: getattr(nn, cell)(3, 2)), x=normal(3), **parameters(kind, 3, 2))
    add(kind, run(lambda nn, kind=kind: getattr(nn, kind)(3, 2)), x=normal(5, 4, 3), **parameters(kind, 3, 2, "_l0"))
    both = {"_l0": 3, "_l0_reverse": 3, "_l1": 4, "_l1_reverse": 4}
    of_layers = {k: v for end, I in both.items() for k, v in parameters(kind, I, 2, end).items()}
    first = {"h": normal(4, 4, 2)} | ({"c": normal(4, 4, 2)} if kind == "LSTM" else {})
    add(f"{kind} of two layers, both ways",
        run(lambda nn, kind=kind: getattr(nn, kind)(3, 2, 2, batch_first=True, bidirectional=True)),
        x=normal(4, 5, 3), **first, **of_layers)  # fmt: skip
    add(f"{kind} of one sequence, without bias", run(lambda nn, kind=kind: getattr(nn, kind)(3, 2, bias=False)),
        x=normal(5, 3), **parameters(kind, 3, 2, "_l0", bias=False))  # fmt: skip
add("RNNCell relu", run(lambda nn: nn.RNNCell(3, 2, nonlinearity="relu")),
    x=normal(4, 3), h=normal(4, 2), **parameters("RNN", 3, 2))  # fmt: skip
add("RNN relu", run(lambda nn: nn.RNN(3, 2, nonlinearity="relu")), x=normal(5, 4, 3), **parameters("RNN", 3, 2, "_l0"))
add("LSTMCell far out", run(lambda nn: nn.LSTMCell(3, 2)), x=normal(4, 3, std=30.0), **parameters("LSTM", 3, 2))


def normed(dim: int | None) -> Any:
    """A linear layer after `weight_norm`, and what it is made of."""

    def compute(lib: Any, x: Any, weight: Any, bias: Any) -> Any:
        module = loaded(lib.nn.Linear(3, 4), x, {"weight": weight, "bias": bias})
        module = lib.nn.utils.weight_norm(module, dim=dim)
        return {"y": module(x), "g": module.weight_g, "v": module.weight_v, "module": module}

    return compute


for dim in (0, 1, -1, None):
    add(f"weight_norm {dim}", normed(dim), x=normal(5, 3), weight=constant(normal(4, 3)), bias=constant(normal(4)))
