"""BatchNorm in eval mode: x̂ = (x - μ) rstd with running statistics, which are constants, so dx = γ rstd dy."""

from __future__ import annotations

import numpy as np

from .suite import EPS, Layer, Suite, normal_inputs


def forward(x, gamma, beta, running_mean, running_var):
    rstd = 1 / np.sqrt(running_var + EPS)
    x_hat = (x - running_mean) * rstd
    return gamma * x_hat + beta, (x, x_hat, rstd, running_var, gamma)


def backward(dy, cache):
    _, x_hat, rstd, _, gamma = cache
    return dy * gamma * rstd, *affine(dy, x_hat)


def affine(dy, x_hat):
    """dγ and dβ, as they are right; the running statistics have none."""
    return (dy * x_hat).sum(axis=0), dy.sum(axis=0), None, None


def inputs(seed):
    return *four_inputs(seed), np.random.default_rng(seed).uniform(0.5, 3.0, 5)


four_inputs = normal_inputs((8, 5), (5,), (5,), (5,), scale=2, offset=1)
RIGHT = Layer("BatchNormEval", forward, backward, ("x", "gamma", "beta", "running_mean", "running_var"), inputs)
suite = Suite(RIGHT, "batchnorm_eval")


@suite.mistake("constants_as_statistics", "x")
def training_formula_in_eval(dy, cache):
    """One backward for both modes."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - g.mean(axis=0) - x_hat * (g * x_hat).mean(axis=0)), *affine(dy, x_hat)  # rstd * g


@suite.mistake("constants_as_statistics", "x")
def mean_term_in_eval(dy, cache):
    """Half of training's formula."""
    _, x_hat, rstd, _, gamma = cache
    g = dy * gamma
    return rstd * (g - g.mean(axis=0)), *affine(dy, x_hat)  # rstd * g


@suite.mistake("gamma_forgotten", "x")
def gamma_forgotten(dy, cache):
    """Goes unseen with γ = 1."""
    _, x_hat, rstd, _, _ = cache
    return dy * rstd, *affine(dy, x_hat)  # gamma


@suite.mistake("rstd_forgotten", "x")
def rstd_forgotten(dy, cache):
    """Only γ is multiplied in; rstd is forgotten."""
    _, x_hat, _, _, gamma = cache
    return dy * gamma, *affine(dy, x_hat)  # rstd


@suite.mistake("rstd_squared", "x")
def divided_by_variance(dy, cache):
    """The running variance where its root belongs."""
    _, x_hat, _, var, gamma = cache
    return dy * gamma / (var + EPS), *affine(dy, x_hat)  # sqrt(var + EPS)


@suite.mistake("eps_forgotten", "x")
def eps_forgotten(dy, cache):
    """1 / σ, as on paper."""
    _, x_hat, _, var, gamma = cache
    return dy * gamma / np.sqrt(var), *affine(dy, x_hat)  # var + EPS


@suite.mistake("x_for_x_hat", "gamma")
def x_for_x_hat(dy, cache):
    """The input for the standardised one."""
    x, _, rstd, _, gamma = cache
    return dy * gamma * rstd, (dy * x).sum(axis=0), dy.sum(axis=0), None, None  # dy * x_hat


@suite.mistake("mean_for_sum", "beta")
def beta_mean(dy, cache):
    """The mean over the batch."""
    dx, dgamma, _, *none = backward(dy, cache)
    return dx, dgamma, dy.mean(axis=0), *none  # sum
