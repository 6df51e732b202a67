"""GroupNorm: over each sample's group of C/G channels and all positions x̂ = (x - μ) rstd, y = γ x̂ + β; with g = γ dy,

dx = rstd (g - mean(g) - x̂ mean(g x̂)),   dγ = Σ dy x̂,   dβ = Σ dy   (Σ over samples and positions).
"""

from __future__ import annotations

import numpy as np

from .suite import EPS, Layer, Suite, normal_inputs

G = 2  # groups


def mean(a):
    """Over the group, in x's shape (N, C, H, W)."""
    grouped = a.reshape(len(a), G, -1)
    return np.broadcast_to(grouped.mean(axis=2, keepdims=True), grouped.shape).reshape(a.shape)


def channelwise(a):
    """γ or β against (N, C, H, W)."""
    return a[:, None, None]


def forward(x, gamma, beta):
    c = x - mean(x)
    c = c - mean(c)  # the first mean has a rounding error
    rstd = 1 / np.sqrt(mean(c * c) + EPS)
    x_hat = c * rstd
    return channelwise(gamma) * x_hat + channelwise(beta), (x, x_hat, rstd, gamma)


def backward(dy, cache):
    _, x_hat, rstd, gamma = cache
    g = dy * channelwise(gamma)
    return rstd * (g - mean(g) - x_hat * mean(g * x_hat)), *affine(dy, x_hat)


def affine(dy, x_hat):
    """dγ and dβ, as they are right."""
    return (dy * x_hat).sum(axis=(0, 2, 3)), dy.sum(axis=(0, 2, 3))


inputs = normal_inputs((2, 4, 3, 2), (4,), (4,), scale=2, offset=1)
RIGHT = Layer("GroupNorm", forward, backward, ("x", "gamma", "beta"), inputs)
suite = Suite(RIGHT, "groupnorm")


@suite.mistake("missing_mean_term", "x")
def missing_mean_term(dy, cache):
    """The path through μ is forgotten."""
    _, x_hat, rstd, gamma = cache
    g = dy * channelwise(gamma)
    return rstd * (g - x_hat * mean(g * x_hat)), *affine(dy, x_hat)  # - mean(g)


@suite.mistake("missing_x_hat_term", "x")
def missing_x_hat_term(dy, cache):
    """The path through σ² is forgotten."""
    _, x_hat, rstd, gamma = cache
    g = dy * channelwise(gamma)
    return rstd * (g - mean(g)), *affine(dy, x_hat)  # - x_hat mean(g x_hat)


@suite.mistake("statistics_as_constants", "x")
def statistics_as_constants(dy, cache):
    """Both paths."""
    _, x_hat, rstd, gamma = cache
    return rstd * dy * channelwise(gamma), *affine(dy, x_hat)  # the two projection terms


@suite.mistake("gamma_forgotten", "x")
def gamma_forgotten(dy, cache):
    """γ differs within a group here, so it does not come out of the means."""
    _, x_hat, rstd, _ = cache
    return rstd * (dy - mean(dy) - x_hat * mean(dy * x_hat)), *affine(dy, x_hat)  # g = dy gamma


@suite.mistake("gamma_forgotten", "x")
def gamma_after_the_means(dy, cache):
    """γ multiplied on at the end, as it may be in BatchNorm, where it is constant over a group."""
    _, x_hat, rstd, gamma = cache
    dx = channelwise(gamma) * rstd * (dy - mean(dy) - x_hat * mean(dy * x_hat))  # g = dy gamma, in the means
    return dx, *affine(dy, x_hat)


@suite.mistake("wrong_axes", "x")
def means_over_each_channel(dy, cache):
    """InstanceNorm's groups."""
    _, x_hat, rstd, gamma = cache
    g = dy * channelwise(gamma)
    dx = rstd * (g - g.mean(axis=(2, 3), keepdims=True) - x_hat * (g * x_hat).mean(axis=(2, 3), keepdims=True))  # groups
    return dx, *affine(dy, x_hat)


@suite.mistake("wrong_axes", "x")
def means_over_all_channels(dy, cache):
    """LayerNorm's groups."""
    _, x_hat, rstd, gamma = cache
    g = dy * channelwise(gamma)
    dx = rstd * (g - g.mean(axis=(1, 2, 3), keepdims=True) - x_hat * (g * x_hat).mean(axis=(1, 2, 3), keepdims=True))  # groups
    return dx, *affine(dy, x_hat)


@suite.mistake("rstd_forgotten", "x")
def rstd_forgotten(dy, cache):
    """The scale is left out."""
    _, x_hat, _, gamma = cache
    g = dy * channelwise(gamma)
    return g - mean(g) - x_hat * mean(g * x_hat), *affine(dy, x_hat)  # rstd times that


@suite.mistake("x_hat_forgotten", "gamma")
def x_hat_forgotten(dy, cache):
    """The line of dβ, copied."""
    dx, _, dbeta = backward(dy, cache)
    return dx, dbeta.copy(), dbeta  # dy * x_hat


@suite.mistake("mean_for_sum", "beta")
def mean_over_positions(dy, cache):
    """The mean over positions, the sum over samples."""
    dx, dgamma, _ = backward(dy, cache)
    return dx, dgamma, dy.mean(axis=(2, 3)).sum(axis=0)  # sum over both
