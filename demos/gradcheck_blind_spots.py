"""Each blind spot of today's gradient checkers, run against the tool that has it, and against tinynorm's."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm.gradcheck import check_backward, check_module
from tinynorm.gradcheck.mistakes import layernorm, relu

Tools = dict[str, Callable]
SAYS = {True: "right", False: "wrong", None: "cannot tell"}


@dataclass
class Spot:
    """One blind spot: what the tool said, what it should have said, what tinynorm says."""

    name: str
    tool: str
    said: str
    should: str
    ours: str


def elementwise(f: Callable, df: Callable) -> tuple[Callable, Callable]:
    return (lambda x: (f(x), x)), (lambda dy, x: (dy * df(x),))


def layer_norm_with(change: Callable) -> Callable:
    def backward(dy: Any, cache: Any) -> tuple:
        dx, dgamma, dbeta = layernorm.backward(dy, cache)
        return change(dx.copy()), dgamma, dbeta

    return backward


def zeroed(dx: np.ndarray) -> np.ndarray:
    dx[3, 50] = 0
    return dx


def one_row(dx: np.ndarray) -> np.ndarray:
    dx[20] *= 1.5
    return dx


def softmax(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    e = np.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True), x


def pairs() -> Iterator[tuple[str, str, Callable, Callable, list, bool]]:
    """(what, whose blind spot, forward, backward, inputs, whether the backward is right)."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 6))

    def plain(x: Any) -> Any:
        return layernorm.forward(x, 1.0, 0.0)

    ones = "cotangent of ones, allclose"
    yield "dx = 0 for LayerNorm", ones, plain, lambda dy, c: (np.zeros_like(dy),), [x], False
    yield "dx = 0 for softmax", ones, softmax, lambda dy, x: (np.zeros_like(x),), [x], False
    forward, backward = elementwise(lambda x: 1e-7 * np.sin(x), lambda x: 2e-7 * np.cos(x))
    yield "a factor of 2 at scale 1e-7", "PyTorch gradcheck", forward, backward, [x], False
    forward, backward = elementwise(lambda x: 1e-3 * x * x, lambda x: 0 * x)
    small = np.array([1e-3, -2e-3, 1.5e-3])
    yield "0 for 1e-3 x² near x = 1e-3", "PyTorch gradcheck", forward, backward, [small], False
    forward, backward = elementwise(lambda x: 1 / x, lambda x: -1 / x**2)
    yield "a right 1/x at 1e-5", "PyTorch gradcheck", forward, backward, [np.array([1e-5, 2e-5])], True
    wide = [rng.standard_normal((10, 100)), rng.standard_normal(100), rng.standard_normal(100)]
    yield "1 of 1,000 elements zeroed", "PyTorch gradcheck, fast", layernorm.forward, layer_norm_with(zeroed), wide, False
    square = [rng.standard_normal((64, 64)), rng.standard_normal(64), rng.standard_normal(64)]
    yield "1 of 64 rows 1.5 times", "PyTorch gradcheck, fast", layernorm.forward, layer_norm_with(one_row), square, False
    yield "ReLU at zero, 1 for the slope", "PyTorch gradcheck", relu.forward, at_zero, [np.array([0.0, 1.0, -1.0])], True

    def in_place(dy: Any, cache: Any) -> tuple:
        dy *= cache[0] > 0
        return (np.copy(dy),)

    yield "writes into the incoming gradient", "HIPS autograd check_grads", relu.forward, in_place, [x], False

    def alias(dy: Any, cache: Any) -> tuple:
        return (dy,)

    yield "hands back the incoming gradient", "HIPS autograd check_grads", lambda x: (x + 1, None), alias, [x], False

    calls = iter(range(10**9))

    def unsteady(dy: Any, cache: Any) -> tuple:
        return (dy * (cache[0] > 0) * (1 + 1e-7 * (next(calls) % 7)),)

    yield "another result each time, by 1e-7", "HIPS autograd check_grads", relu.forward, unsteady, [x], False


def at_zero(dy: Any, cache: Any) -> tuple:
    """ReLU's backward with another valid subgradient at 0."""
    return (dy * (cache[0] >= 0),)


def spots(tools: Tools) -> Iterator[Spot]:
    """Each run against the tool that has it, where that is installed."""
    for what, tool, forward, backward, inputs, right in pairs():
        names = [f"x{i}" for i in range(len(inputs))]
        ours = SAYS[check_backward(forward, backward, inputs, names=names).ok]
        said = "not installed"
        if tool in tools:
            said = SAYS[tools[tool](forward, backward, inputs, names)]
        yield Spot(what, tool, said, SAYS[right], ours)
    yield tangents(tools)
    yield statistics(tools)
    yield index(tools)


def tangents(tools: Tools) -> Spot:
    """Every derivative 1.5 times too large, at n = 1e5. (In forward mode JAX multiplies its tolerances by the array's size.)"""
    x = np.random.default_rng(0).standard_normal(100_000)
    forward, backward = elementwise(np.sin, lambda x: 1.5 * np.cos(x))
    ours = SAYS[check_backward(forward, backward, [x]).ok]
    said = "not installed"
    if "JAX check_grads" in tools:
        import jax
        from jax.test_util import check_grads

        sine = jax.custom_jvp(jax.numpy.sin)
        sine.defjvp(lambda primals, tangents: (sine(*primals), 1.5 * jax.numpy.cos(primals[0]) * tangents[0]))
        try:
            check_grads(sine, (jax.numpy.asarray(x),), order=1, modes=["fwd"])
            said = SAYS[True]
        except AssertionError:
            said = SAYS[False]
    return Spot("every tangent 1.5 times, n = 1e5", "JAX check_grads, modes=fwd", said, SAYS[False], ours)


def statistics(tools: Tools) -> Spot:
    """Whether a module is the same after it was checked."""
    bn = tn.nn.BatchNorm1d(3)
    check_module(bn, tn.randn(8, 3))
    ours = "changed" if np.any(np.asarray(bn.running_mean)) else "same"
    said = "not installed"
    if "PyTorch gradcheck" in tools:
        import torch

        module = torch.nn.BatchNorm1d(3).double()
        torch.autograd.gradcheck(module, torch.randn(8, 3, dtype=torch.float64, requires_grad=True))
        said = "changed" if module.state_dict()["running_mean"].numpy().any() else "same"
    return Spot("a module's running statistics after the check", "PyTorch gradcheck", said, "same", ours)


def index(tools: Tools) -> Spot:
    """Whether the report has the index of the one wrong element."""
    x = np.random.default_rng(0).standard_normal((10, 10))

    def backward(dy: Any, cache: Any) -> tuple:
        dx = relu.backward(dy, cache)[0] + 0.0
        dx[7, 3] += 1.0
        return (dx,)

    worst = check_backward(relu.forward, backward, [x]).inputs[0].worst
    ours = str(worst.index) if worst else "none"
    said = "not installed"
    if "PyTorch gradcheck" in tools:
        import torch

        class Pair(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, x: Any) -> Any:
                out, ctx.cache = relu.forward(x.detach().numpy())
                return torch.as_tensor(out)

            @staticmethod
            def backward(ctx: Any, dout: Any) -> Any:
                return torch.as_tensor(backward(dout.numpy(), ctx.cache)[0])

        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.autograd.gradcheck(Pair.apply, [torch.tensor(x, requires_grad=True)])
            said = "passed"
        except RuntimeError as error:
            text = str(error)
            said = "(7, 3)" if "(7, 3)" in text or "[7, 3]" in text else f"no index, {len(text.splitlines())} lines of numbers"
    return Spot("the index of the one wrong element", "PyTorch gradcheck", said, "(7, 3)", ours)
