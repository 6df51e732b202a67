"""The benchmark's cases in JAX: pure functions, compiled as one (`jit`)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp


def normalise(x: Any, axes: tuple[int, ...], eps: float = 1e-5) -> Any:
    c = x - x.mean(axes, keepdims=True)
    return c * jax.lax.rsqrt((c * c).mean(axes, keepdims=True) + eps)


def layer(kind: str, x: Any, p: Any, groups: int) -> Any:
    if kind == "Linear":
        return x @ p[0].T + p[1]
    if kind == "ReLU":
        return jnp.maximum(x, 0)
    gamma, beta = (a.reshape((1, -1) + (1,) * (x.ndim - 2)) for a in p)
    if kind == "BatchNorm":
        return normalise(x, (0, *range(2, x.ndim))) * gamma + beta
    if kind == "InstanceNorm":
        return normalise(x, tuple(range(2, x.ndim))) * gamma + beta
    if kind == "LayerNorm":
        return normalise(x, (1,)) * gamma + beta
    if kind == "GroupNorm":
        return normalise(x.reshape(x.shape[0], groups, -1), (2,)).reshape(x.shape) * gamma + beta
    return x * jax.lax.rsqrt((x * x).mean(1, keepdims=True) + 1.2e-7) * gamma  # RMSNorm


def mlp_step(kind: str, widths: tuple[int, ...], batch: int, groups: int, numbers: Callable[..., Any]) -> Callable[[], Any]:
    params = [(0.05 * jnp.asarray(numbers(o, i)), jnp.zeros(o)) for i, o in pairwise(widths)]
    norms = [(jnp.ones(o), jnp.zeros(o)) for o in widths[1:-1]]
    x, y = jnp.asarray(numbers(batch, widths[0])), jnp.arange(batch) % widths[-1]

    def loss(p: Any) -> Any:
        h = x
        for W, norm in zip(p[0][:-1], p[1], strict=True):
            h = layer("ReLU", layer(kind, layer("Linear", h, W, groups), norm, groups), None, groups)
        logits = layer("Linear", h, p[0][-1], groups)
        return -jnp.mean(jax.nn.log_softmax(logits)[jnp.arange(batch), y])

    @partial(jax.jit, donate_argnums=(0, 1, 2, 3))  # the new state may lie where the old one was
    def step(p: Any, m: Any, v: Any, t: Any) -> Any:
        value, g = jax.value_and_grad(loss)(p)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        p = jax.tree.map(lambda p, m, v: p - 1e-3 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8), p, m, v)
        return p, m, v, t + 1, value

    m, v = (jax.tree.map(jnp.zeros_like, (params, norms)) for _ in range(2))
    state = [((params, norms), m, v, jnp.ones(()))]

    def run() -> None:
        *new, value = step(*state[0])
        state[0] = tuple(new)
        value.block_until_ready()

    return run


def work(
    case: str,
    device: str,
    widths: tuple[int, ...],
    batch: int,
    groups: int,
    shape_of: Callable[[str], tuple[int, ...]],
    numbers: Callable[..., Any],
) -> Callable[[], Any] | None:
    if (device == "cuda") != (jax.default_backend() == "gpu"):
        return None
    if case.startswith("mlp"):
        return mlp_step(case.split()[1].rstrip(","), widths, batch, groups, numbers)
    if case.startswith("a + b"):
        return None
    kind, shape = case.split()[0], shape_of(case)
    D = shape[1]
    p = (jnp.asarray(numbers(D, D)), jnp.zeros(D)) if kind == "Linear" else (jnp.ones(D), jnp.zeros(D))
    x, g = jnp.asarray(numbers(*shape)), jnp.asarray(numbers(*shape))

    @jax.jit
    def forward_backward(x: Any, p: Any, g: Any) -> Any:
        y, pull = jax.vjp(lambda x, p: layer(kind, x, p, groups), x, p)
        return y, pull(g)

    return lambda: jax.block_until_ready(forward_backward(x, p, g))
