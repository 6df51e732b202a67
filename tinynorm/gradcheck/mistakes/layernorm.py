"""LayerNorm: over each row of m numbers x̂ = (x - μ) rstd, y = γ x̂ + β; with g = γ dy,

dx = rstd (g - mean(g) - x̂ mean(g x̂)),   dγ = Σ dy x̂,   dβ = Σ dy   (Σ over the rows).
"""

from __future__ import annotations

import numpy as np

from .suite import EPS, Layer, Suite, affine, normal_inputs


def mean(a):
    """Over the row."""
    return a.mean(axis=-1, keepdims=True)


def forward(x, gamma, beta):
    c = x - mean(x)
    c = c - mean(c)  # the first mean has a rounding error
    var = mean(c * c)
    rstd = 1 / np.sqrt(var + EPS)
    x_hat = c * rstd
    return gamma * x_hat + beta, (x, x_hat, rstd, var, gamma)


def forward_keeping_output(x, gamma, beta):
    """The output is in the cache too."""
    y, cache = forward(x, gamma, beta)
    return y, (cache, y)


def backward(dy, cache):
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - mean(g) - x_hat * mean(g * x_hat)), *affine(dy, x_hat)


inputs = normal_inputs((5, 8), (8,), (8,), scale=2, offset=1)
square = normal_inputs((6, 6), (6,), (6,), scale=2, offset=1)
RIGHT = Layer("LayerNorm", forward, backward, ("x", "gamma", "beta"), inputs)
suite = Suite(RIGHT, "layernorm")


@suite.mistake("missing_mean_term", "x")
def missing_mean_term(dy, cache):
    """μ depends on x too; that path is forgotten."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - x_hat * mean(g * x_hat)), *affine(dy, x_hat)  # - mean(g)


@suite.mistake("missing_x_hat_term", "x")
def missing_x_hat_term(dy, cache):
    """σ depends on x too; that path is forgotten."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - mean(g)), *affine(dy, x_hat)  # - x_hat * mean(g * x_hat)


@suite.mistake("statistics_as_constants", "x")
def statistics_as_constants(dy, cache):
    """μ and σ are taken for numbers that do not depend on x."""
    _, x_hat, rstd, _, gamma = cache
    return rstd * gamma * dy, *affine(dy, x_hat)  # the two projection terms


@suite.mistake("gamma_forgotten", "x")
def gamma_forgotten(dy, cache):
    """Right for γ = 1, with which it was tested."""
    _, x_hat, rstd, _, _ = cache
    return rstd * (dy - mean(dy) - x_hat * mean(dy * x_hat)), *affine(dy, x_hat)  # g = dy * gamma


@suite.mistake("gamma_forgotten", "x")
def gamma_forgotten_in_one_term(dy, cache):
    """dy for g in the last term."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - mean(g) - x_hat * mean(dy * x_hat)), *affine(dy, x_hat)  # mean(g * x_hat)


@suite.mistake("rstd_forgotten", "x")
def rstd_forgotten(dy, cache):
    """The projection is right, and the scale is left out."""
    _, x_hat, _, _, gamma = cache
    g = dy * gamma
    return g - mean(g) - x_hat * mean(g * x_hat), *affine(dy, x_hat)  # rstd times that


@suite.mistake("rstd_squared", "x")
def rstd_squared(dy, cache):
    """dx is multiplied by rstd for dx̂/dx, as is right, and then once more."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd**2 * (g - mean(g) - x_hat * mean(g * x_hat)), *affine(dy, x_hat)  # rstd


@suite.mistake("unbiased_variance", "x")
def unbiased_variance(dy, cache):
    """The backward computes σ anew, with the library's default of m - 1."""
    x, x_hat, _, _, gamma = cache
    rstd = 1 / np.sqrt(x.var(axis=-1, ddof=1, keepdims=True) + EPS)  # ddof=0
    g = dy * gamma
    return rstd * (g - mean(g) - x_hat * mean(g * x_hat)), *affine(dy, x_hat)


@suite.mistake("eps_outside_root", "x")
def eps_outside_root(dy, cache):
    """1 / (σ + ε), as in other papers."""
    _, x_hat, _, var, gamma = cache
    rstd = 1 / (np.sqrt(var) + EPS)  # sqrt(var + EPS)
    g = dy * gamma
    return rstd * (g - mean(g) - x_hat * mean(g * x_hat)), *affine(dy, x_hat)


@suite.mistake("eps_forgotten", "x")
def eps_forgotten(dy, cache):
    """1 / σ, as the derivation on paper has it."""
    _, x_hat, _, var, gamma = cache
    rstd = 1 / np.sqrt(var)  # + EPS
    g = dy * gamma
    return rstd * (g - mean(g) - x_hat * mean(g * x_hat)), *affine(dy, x_hat)


@suite.mistake("wrong_axes", "x", square)
def means_over_the_batch(dy, cache):
    """BatchNorm's axis."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)), *affine(dy, x_hat)  # axis=-1


@suite.mistake("sum_for_mean", "x")
def sums_for_means(dy, cache):
    """The 1/m of the two means is left out."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - g.sum(-1, keepdims=True) - x_hat * (g * x_hat).sum(-1, keepdims=True)), *affine(dy, x_hat)  # means


@suite.mistake("term_sign", "x")
def plus_for_minus(dy, cache):
    """A sign lost between two lines of the derivation."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - mean(g) + x_hat * mean(g * x_hat)), *affine(dy, x_hat)  # -


@suite.mistake("term_factor", "x")
def factor_two_in_a_term(dy, cache):
    """The 2 of d(x²) without the 1/2 of the root."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - mean(g) - 2 * x_hat * mean(g * x_hat)), *affine(dy, x_hat)  # once


@suite.mistake("x_for_x_hat", "gamma")
def x_for_x_hat_in_gamma(dy, cache):
    """The input for the standardised input."""
    x, *_ = cache
    return backward(dy, cache)[0], (dy * x).sum(axis=0), dy.sum(axis=0)  # dy * x_hat


@suite.mistake("x_hat_forgotten", "gamma")
def x_hat_forgotten_in_gamma(dy, cache):
    """The line of dβ, copied."""
    return backward(dy, cache)[0], dy.sum(axis=0), dy.sum(axis=0)  # dy * x_hat


@suite.mistake("y_for_x_hat", "gamma", forward=forward_keeping_output)
def output_for_x_hat(dy, cache):
    """The output is at hand, and is x̂ as long as γ = 1 and β = 0."""
    out, y = cache
    dx, _, dbeta = backward(dy, out)
    return dx, (dy * y).sum(axis=0), dbeta  # dy * x_hat


@suite.mistake("some_elements", "x")
def one_row_wrong(dy, cache):
    """A row's rstd is stale."""
    dx, dgamma, dbeta = backward(dy, cache)
    dx[2] *= 1.5  # as the others
    return dx, dgamma, dbeta


@suite.mistake("some_elements", "x")
def one_element_slightly_wrong(dy, cache):
    """An error of 1e-4 in one element, as of a race between threads."""
    dx, dgamma, dbeta = backward(dy, cache)
    dx[3, 5] *= 1 + 1e-4
    return dx, dgamma, dbeta


@suite.mistake("zero", "x")
def zero(dy, cache):
    """With γ = 1 and a cotangent of ones the right dx is 0, so a test with these passes."""
    x, x_hat, *_ = cache
    return np.zeros_like(x), *affine(dy, x_hat)


@suite.mistake("nondeterministic", "x")
def threads(dy, cache):
    """Sums whose order the threads decide, here with an error that can be seen."""
    dx, dgamma, dbeta = backward(dy, cache)
    return dx * (1 + 1e-5 * np.random.default_rng().standard_normal()), dgamma, dbeta


@suite.mistake("mutates_output", forward=forward_keeping_output)
def standardised_in_place(dy, cache):
    """The cached array is the output itself, and backward overwrites it."""
    out, y = cache
    grads = backward(dy, out)
    y *= 0  # a new array
    return grads
