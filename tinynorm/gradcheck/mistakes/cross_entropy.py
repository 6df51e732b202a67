"""Softmax and cross-entropy: ℓ = -1/N Σ log p[n, t_n] with p = softmax(x), so dx = dy (p - q) / N, q the targets' 1."""

from __future__ import annotations

import numpy as np

from .suite import Layer, Suite, normal_inputs


def forward(x, t):
    shifted = x - x.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_p[np.arange(len(x)), t].mean()
    return loss, (x, np.exp(log_p), t)


def one_hot(t, p):
    """q: 1 at the target, 0 elsewhere."""
    q = np.zeros_like(p)
    q[np.arange(len(t)), t] = 1
    return q


def backward(dy, cache):
    _, p, t = cache
    return dy * (p - one_hot(t, p)) / len(t), None


def inputs(seed):
    return *normal_inputs((6, 5))(seed), np.random.default_rng(seed).integers(0, 5, 6)


RIGHT = Layer("SoftmaxCrossEntropy", forward, backward, ("x", "t"), inputs)
suite = Suite(RIGHT, "cross_entropy")


@suite.mistake("batch_mean_forgotten", "x")
def mean_forgotten(dy, cache):
    """The loss is a mean over the rows; its gradient is left as that of their sum."""
    _, p, t = cache
    return dy * (p - one_hot(t, p)), None  # / N


@suite.mistake("target_forgotten", "x")
def target_forgotten(dy, cache):
    """The derivative of the log of the sum alone."""
    _, p, t = cache
    return dy * p / len(t), None  # p - q


@suite.mistake("sign", "x")
def target_minus_softmax(dy, cache):
    """q - p, as the error is often written: target minus prediction."""
    _, p, t = cache
    return dy * (one_hot(t, p) - p) / len(t), None  # p - q


@suite.mistake("wrong_target", "x")
def neighbouring_class(dy, cache):
    """Labels that count from 1."""
    _, p, t = cache
    return dy * (p - one_hot((t + 1) % p.shape[1], p)) / len(t), None  # q at t


@suite.mistake("extra_softmax_factor", "x")
def softmax_derivative_again(dy, cache):
    """p (1 - p), the diagonal of softmax's Jacobian, is multiplied in, although p - q has the derivative of softmax in it."""
    _, p, t = cache
    return dy * (p - one_hot(t, p)) * p * (1 - p) / len(t), None  # p - q


@suite.mistake("logits_for_probabilities", "x")
def logits_for_probabilities(dy, cache):
    """The cached logits for the cached probabilities."""
    x, p, t = cache
    return dy * (x - one_hot(t, p)) / len(t), None  # p - q


@suite.mistake("dy_forgotten", "x")
def dy_forgotten(dy, cache):
    """The loss is the last node, so dy is 1 there, until somebody multiplies the loss by a weight."""
    _, p, t = cache
    return (p - one_hot(t, p)) / len(t), None  # dy times that


@suite.mistake("constant_factor", "x")
def divided_by_all(dy, cache):
    """The mean over all N C elements."""
    _, p, t = cache
    return dy * (p - one_hot(t, p)) / p.size, None  # / N


@suite.mistake("wrong_axes", "x")
def softmax_over_rows(dy, cache):
    """axis=0 for axis=1 in the softmax of the backward."""
    x, _, t = cache
    e = np.exp(x - x.max(axis=0))
    p = e / e.sum(axis=0)  # over axis 1
    return dy * (p - one_hot(t, p)) / len(t), None


@suite.mistake("some_elements", "x")
def one_element(dy, cache):
    """An error of 1e-4 in one element."""
    _, p, t = cache
    dx = dy * (p - one_hot(t, p)) / len(t)
    dx[2, 3] *= 1 + 1e-4
    return dx, None


@suite.mistake("mutates_cache")
def in_the_cached_probabilities(dy, cache):
    """p[range(N), t] -= 1 in place, as every course writes it: a second backward subtracts it twice."""
    _, p, t = cache
    p[np.arange(len(t)), t] -= 1  # on p.copy()
    return dy * p / len(t), None
