"""BatchNorm in training: over each channel's m = N numbers x̂ = (x - μ) rstd, y = γ x̂ + β; with g = γ dy,

dx = rstd (g - mean(g) - x̂ mean(g x̂)),   dγ = Σ dy x̂,   dβ = Σ dy   (means and sums over the batch).
"""

from __future__ import annotations

import numpy as np

from .suite import EPS, Layer, Suite, affine, normal_inputs


def forward(x, gamma, beta):
    c = x - x.mean(axis=0)
    c = c - c.mean(axis=0)  # the first mean has a rounding error
    var = (c * c).mean(axis=0)
    rstd = 1 / np.sqrt(var + EPS)
    x_hat = c * rstd
    return gamma * x_hat + beta, (x, c, x_hat, rstd, var, gamma)


def backward(dy, cache):
    _, _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)), *affine(dy, x_hat)


inputs = normal_inputs((8, 5), (5,), (5,), scale=2, offset=1)
square = normal_inputs((6, 6), (6,), (6,), scale=2, offset=1)
RIGHT = Layer("BatchNorm", forward, backward, ("x", "gamma", "beta"), inputs)
suite = Suite(RIGHT, "batchnorm")


@suite.mistake("missing_mean_term", "x")
def missing_mean_term(dy, cache):
    """The path through μ is forgotten."""
    _, _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - x_hat * (g * x_hat).mean(axis=0)), *affine(dy, x_hat)  # - mean(g)


@suite.mistake("missing_x_hat_term", "x")
def missing_x_hat_term(dy, cache):
    """The path through σ² is forgotten."""
    _, _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - g.mean(axis=0)), *affine(dy, x_hat)  # - x_hat mean(g x_hat)


@suite.mistake("statistics_as_constants", "x")
def eval_formula_in_training(dy, cache):
    """Eval mode's backward, where the statistics are constants, used in training."""
    _, _, x_hat, rstd, _, gamma = cache
    return rstd * gamma * dy, *affine(dy, x_hat)  # the two projection terms


@suite.mistake("gamma_forgotten", "x")
def gamma_forgotten(dy, cache):
    """Goes unseen with the layer's initial γ = 1."""
    _, _, x_hat, rstd, _, _ = cache
    return rstd * (dy - dy.mean(axis=0) - x_hat * (dy * x_hat).mean(axis=0)), *affine(dy, x_hat)  # g = dy * gamma


@suite.mistake("rstd_forgotten", "x")
def rstd_forgotten(dy, cache):
    """The last multiplication is left out."""
    _, _, x_hat, _, _, gamma = cache
    g = dy * gamma
    return g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0), *affine(dy, x_hat)  # rstd times that


@suite.mistake("rstd_squared", "x")
def variance_for_deviation(dy, cache):
    """Divided by σ², not σ."""
    _, _, x_hat, _, var, gamma = cache
    g = dy * gamma
    return (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)) / (var + EPS), *affine(dy, x_hat)  # sqrt(var + EPS)


@suite.mistake("unbiased_variance", "x")
def unbiased_variance(dy, cache):
    """N - 1 for N: right for the running variance, wrong for the normalising one."""
    _, c, x_hat, _, _, gamma = cache
    rstd = 1 / np.sqrt((c * c).sum(axis=0) / (len(c) - 1) + EPS)  # / N
    g = dy * gamma
    return rstd * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)), *affine(dy, x_hat)


@suite.mistake("eps_outside_root", "x")
def eps_outside_root(dy, cache):
    """1 / (σ + ε) in the backward, 1 / √(σ² + ε) in the forward."""
    _, _, x_hat, _, var, gamma = cache
    rstd = 1 / (np.sqrt(var) + EPS)  # sqrt(var + EPS)
    g = dy * gamma
    return rstd * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)), *affine(dy, x_hat)


@suite.mistake("wrong_axes", "x", square)
def means_over_features(dy, cache):
    """LayerNorm's axis."""
    _, _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    dx = rstd * (g - g.mean(axis=1, keepdims=True) - x_hat * (g * x_hat).mean(axis=1, keepdims=True))  # axis=0
    return dx, *affine(dy, x_hat)


@suite.mistake("sum_for_mean", "x")
def sums_for_means(dy, cache):
    """The 1/N is left out of the short form, dx = rstd/N (N g - Σ g - x̂ Σ g x̂)."""
    _, _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - g.sum(axis=0) - x_hat * (g * x_hat).sum(axis=0)), *affine(dy, x_hat)  # means


@suite.mistake("term_factor", "x")
def short_form_without_n(dy, cache):
    """dx = rstd/N (N g - Σ g - x̂ Σ g x̂), with the first N forgotten."""
    _, _, x_hat, rstd, _, gamma = cache
    g, N = dy * gamma, len(dy)
    return rstd / N * (g - g.sum(axis=0) - x_hat * (g * x_hat).sum(axis=0)), *affine(dy, x_hat)  # N g


@suite.mistake("term_factor", "x")
def half_the_variance_path(dy, cache):
    """The 2 of d(x²) is forgotten, and the 1/2 of the root is not."""
    _, _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - g.mean(axis=0) - 0.5 * x_hat * (g * x_hat).mean(axis=0)), *affine(dy, x_hat)  # once


@suite.mistake("extra_gamma", "gamma")
def gamma_in_its_own_gradient(dy, cache):
    """g for dy: γ is multiplied into the gradient of γ."""
    _, _, x_hat, _, _, gamma = cache
    dx, _, dbeta = backward(dy, cache)
    return dx, (dy * gamma * x_hat).sum(axis=0), dbeta  # dy * x_hat


@suite.mistake("mean_for_sum", "gamma beta")
def means_for_sums(dy, cache):
    """γ and β serve the whole batch: their gradients add up."""
    _, _, x_hat, *_ = cache
    return backward(dy, cache)[0], (dy * x_hat).mean(axis=0), dy.mean(axis=0)  # sums


@suite.mistake("sign", "beta")
def sign_of_beta(dy, cache):
    """The sign is that of y = γ x̂ - β."""
    dx, dgamma, dbeta = backward(dy, cache)
    return dx, dgamma, -dbeta  # +


@suite.mistake("off_by_one", "x")
def shuffled_batch(dy, cache):
    """Each row gets the gradient of the next row."""
    return np.roll(backward(dy, cache)[0], -1, axis=0), *affine(dy, cache[2])  # row by row


@suite.mistake("shifted_sign", "x")
def sign_for_negative_inputs(dy, cache):
    """As if forward had used |x|: the sign is wrong where x < 0."""
    x, *_ = cache
    dx, dgamma, dbeta = backward(dy, cache)
    return np.where(x < 0, -dx, dx), dgamma, dbeta


@suite.mistake("not_linear", "x")
def clipped(dy, cache):
    """Gradients clipped in the layer itself."""
    _, _, x_hat, *_ = cache
    return backward(np.clip(dy, -0.8, 0.8), cache)[0], *affine(dy, x_hat)  # dy
