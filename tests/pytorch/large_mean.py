"""float32 input of mean 1e4 and spread 1: here PyTorch is no reference, so the exact answer is worked out in long double."""

from __future__ import annotations

from typing import Any

import numpy as np
from case import Case, Draw, constant, normal, uniform

Reference = dict[str, np.ndarray]
EPS = 1e-5


def standardized(x: np.ndarray, dy: np.ndarray, weight: np.ndarray, bias: np.ndarray, axes: tuple[int, ...]) -> Reference:
    """y, dx, dweight and dbias by Ioffe and Szegedy's chain of derivatives (2015, section 3), in long double.

    `weight` and `bias` broadcast against x; their gradients are left unsummed.
    """
    x, dy, weight, bias = (a.astype(np.longdouble) for a in (x, dy, weight, bias))
    m = np.prod([x.shape[a] for a in axes])
    mu = x.mean(axes, keepdims=True)
    var = ((x - mu) ** 2).mean(axes, keepdims=True)
    x_hat = (x - mu) / np.sqrt(var + EPS)
    dx_hat = dy * weight
    dvar = (dx_hat * (x - mu) * -0.5 * (var + EPS) ** -1.5).sum(axes, keepdims=True)
    dmu = (-dx_hat / np.sqrt(var + EPS)).sum(axes, keepdims=True) + dvar * (-2 * (x - mu)).mean(axes, keepdims=True)
    dx = dx_hat / np.sqrt(var + EPS) + dvar * 2 * (x - mu) / m + dmu / m
    return {"y": weight * x_hat + bias, "dx": dx, "dweight": dy * x_hat, "dbias": dy, "mean": mu, "var": var * m / (m - 1)}


def summed_to(shape: tuple[int, ...], reference: Reference) -> Reference:
    """With the gradients of weight and bias summed over the dimensions where those have length 1."""
    over = tuple(i for i, n in enumerate(shape) if n == 1)
    return reference | {name: reference[name].sum(over).reshape(-1) for name in ("dweight", "dbias")}


def batch(x, dy, weight, bias, running_mean, running_var):
    shape = (1, 3, *(1,) * (x.ndim - 2))
    r = summed_to(shape, standardized(x, dy, weight.reshape(shape), bias.reshape(shape), (0, *range(2, x.ndim))))
    keep, take = np.longdouble(9) / 10, np.longdouble(1) / 10
    running_mean, running_var = keep * running_mean + take * r["mean"].ravel(), keep * running_var + take * r["var"].ravel()
    return r | {"running_mean": running_mean, "running_var": running_var}


def layer(x, dy, weight, bias):
    return summed_to((1, x.shape[1]), standardized(x, dy, weight, bias, (1,)))


def group(x, dy, weight, bias):
    N, C, L = x.shape
    shape, view = (1, 2, C // 2, 1), (N, 2, C // 2, L)
    r = summed_to(shape, standardized(x.reshape(view), dy.reshape(view), weight.reshape(shape), bias.reshape(shape), (2, 3)))
    return r | {name: r[name].reshape(x.shape) for name in ("y", "dx")}


def instance(x, dy, weight, bias):
    return summed_to((1, 3, 1), standardized(x, dy, weight.reshape(1, 3, 1), bias.reshape(1, 3, 1), (2,)))


def batch_norm(lib: Any, x: Any, running_mean: Any, running_var: Any, weight: Any, bias: Any) -> Any:
    y = lib.nn.functional.batch_norm(x, running_mean, running_var, weight, bias, training=True)
    return {"y": y, "running_mean": running_mean, "running_var": running_var}


def draws(*shape: int, affine: int) -> dict[str, Draw]:
    return {"x": normal(*shape, mean=1e4), "weight": normal(affine), "bias": normal(affine)}


RUNNING = {"running_mean": constant(normal(3)), "running_var": constant(uniform(3))}


def layer_norm(lib: Any, x: Any, weight: Any, bias: Any) -> Any:
    return lib.nn.functional.layer_norm(x, (64,), weight, bias)


def group_norm(lib: Any, x: Any, weight: Any, bias: Any) -> Any:
    return lib.nn.functional.group_norm(x, 2, weight, bias)


def instance_norm(lib: Any, x: Any, weight: Any, bias: Any) -> Any:
    return lib.nn.functional.instance_norm(x, weight=weight, bias=bias)


REFERENCES = [
    (Case("large mean batch_norm", batch_norm, draws(64, 3, affine=3) | RUNNING), batch),
    (Case("large mean batch_norm 4-D", batch_norm, draws(4, 3, 4, 4, affine=3) | RUNNING), batch),
    (Case("large mean layer_norm", layer_norm, draws(4, 64, affine=64)), layer),
    (Case("large mean group_norm", group_norm, draws(2, 4, 32, affine=4)), group),
    (Case("large mean instance_norm", instance_norm, draws(2, 3, 40, affine=3)), instance),
]
CASES = [case for case, _ in REFERENCES]
