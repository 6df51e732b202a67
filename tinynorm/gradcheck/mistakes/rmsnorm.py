"""RMSNorm: over each row of m numbers x̂ = x rstd with rstd = 1 / √(mean(x²) + ε), y = γ x̂; with g = γ dy,

dx = rstd (g - x̂ mean(g x̂)),   dγ = Σ dy x̂   (Σ over the rows).
"""

from __future__ import annotations

import numpy as np

from .suite import EPS, Layer, Suite, normal_inputs


def mean(a):
    """Over the row."""
    return a.mean(axis=-1, keepdims=True)


def forward(x, gamma):
    rstd = 1 / np.sqrt(mean(x * x) + EPS)
    x_hat = x * rstd
    return gamma * x_hat, (x, x_hat, rstd, gamma)


def backward(dy, cache):
    _, x_hat, rstd, gamma = cache
    g = dy * gamma
    return rstd * (g - x_hat * mean(g * x_hat)), (dy * x_hat).sum(axis=0)


inputs = normal_inputs((5, 8), (8,), scale=2, offset=1)
square = normal_inputs((6, 6), (6,), scale=2, offset=1)
RIGHT = Layer("RMSNorm", forward, backward, ("x", "gamma"), inputs)
suite = Suite(RIGHT, "rmsnorm")


@suite.mistake("missing_x_hat_term", "x")
def missing_x_hat_term(dy, cache):
    """The root mean square is taken for a constant."""
    _, x_hat, rstd, gamma = cache
    return rstd * dy * gamma, (dy * x_hat).sum(axis=0)  # - rstd x_hat mean(g x_hat)


@suite.mistake("gamma_forgotten", "x")
def gamma_forgotten(dy, cache):
    """Right for γ = 1."""
    _, x_hat, rstd, _ = cache
    return rstd * (dy - x_hat * mean(dy * x_hat)), (dy * x_hat).sum(axis=0)  # g = dy * gamma


@suite.mistake("extra_mean_term", "x")
def centred_as_layernorm(dy, cache):
    """LayerNorm's backward, with its mean term, for a layer that does not centre."""
    _, x_hat, rstd, gamma = cache
    g = dy * gamma
    return rstd * (g - mean(g) - x_hat * mean(g * x_hat)), (dy * x_hat).sum(axis=0)  # without mean(g)


@suite.mistake("rstd_forgotten", "x")
def rstd_forgotten(dy, cache):
    """The scale is left out."""
    _, x_hat, _, gamma = cache
    g = dy * gamma
    return g - x_hat * mean(g * x_hat), (dy * x_hat).sum(axis=0)  # rstd times that


@suite.mistake("x_for_x_hat", "x")
def x_for_x_hat(dy, cache):
    """x where x̂ belongs, in the last term."""
    x, x_hat, rstd, gamma = cache
    g = dy * gamma
    return rstd * (g - x * mean(g * x_hat)), (dy * x_hat).sum(axis=0)  # x_hat


@suite.mistake("sum_for_mean", "x")
def sum_for_mean(dy, cache):
    """The 1/m is left out."""
    _, x_hat, rstd, gamma = cache
    g = dy * gamma
    return rstd * (g - x_hat * (g * x_hat).sum(-1, keepdims=True)), (dy * x_hat).sum(axis=0)  # mean


@suite.mistake("wrong_axes", "x", square)
def mean_over_the_batch(dy, cache):
    """axis=0 for the row."""
    _, x_hat, rstd, gamma = cache
    g = dy * gamma
    return rstd * (g - x_hat * (g * x_hat).mean(axis=0)), (dy * x_hat).sum(axis=0)  # axis=-1


@suite.mistake("wrong_axes", "gamma", square)
def gamma_over_features(dy, cache):
    """γ's sum over the features."""
    _, x_hat, *_ = cache
    return backward(dy, cache)[0], (dy * x_hat).sum(axis=1)  # axis=0
