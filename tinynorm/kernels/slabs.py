"""BatchNorm and InstanceNorm of (N, C, *), each sweep fused. The formulas are in `ops/normalization_formula.py`.

x is (A, N, C, P): the group (a, c) is the N slabs of P numbers x[a, n, c], which lie one after another in memory. BatchNorm has
A = 1; for InstanceNorm A is the batch, and N = 1. A group goes through all the steps of a sweep before the next one does: so it
stays in the processor's cache.
"""

from __future__ import annotations

import numpy as np

from .compiled import any_order, in_order

TERMS = 512  # of a sum in x's dtype; such sums are added up in float64 (see `rows.TERMS`)


@any_order
def total(x):
    s = x.dtype.type(0)
    for j in range(x.size):
        s += x[j]
    return s


@any_order
def moments(c):
    """(Σ c, Σ c²)."""
    s = q = c.dtype.type(0)
    for j in range(c.size):
        s += c[j]
        q += c[j] * c[j]
    return s, q


@any_order
def dot_of_centred(dy, mean_dy, x_hat):
    """Σ (dy - mean) x̂."""
    s = dy.dtype.type(0)
    for j in range(dy.size):
        s += (dy[j] - mean_dy) * x_hat[j]
    return s


@in_order
def standardized(x, hi, lo, rstd, x_hat):
    """x̂ = ((x - hi) - lo) rstd."""
    for j in range(x.size):
        x_hat[j] = ((x[j] - hi) - lo) * rstd


@in_order
def scale(c, rest, rstd, gamma, beta):
    """c becomes γ (c - rest) rstd + β."""
    for j in range(c.size):
        c[j] = (c[j] - rest) * rstd * gamma + beta


@in_order
def subtract_components(dy, mean_dy, mean_u_x_hat, factor, x_hat):
    """x̂ becomes dx = γ rstd (u - x̂ mean(u x̂)), where u = dy - mean(dy); `factor` is γ rstd."""
    for j in range(dy.size):
        x_hat[j] = factor * ((dy[j] - mean_dy) - x_hat[j] * mean_u_x_hat)


@in_order
def standardize(start, stop, x, gamma, beta, eps, y, hi, lo, rstd, var):
    """y = γ x̂ + β, of the groups from `start` to `stop`.

    For each group the mean hi + lo is kept in two parts (lo is what hi rounds away), and rstd and v.
    """
    _, N, C, P = x.shape
    T = x.dtype.type
    zero, one = T(0), T(1)
    for g in range(start, stop):
        a, c = g // C, g % C
        s = np.float64(0)
        for n in range(N):
            for k in range(0, P, TERMS):
                s += total(x[a, n, c, k : k + TERMS])
        hi[g] = T(s / (N * P))
        s = q = np.float64(0)
        for n in range(N):
            standardized(x[a, n, c], hi[g], zero, one, y[a, n, c])
            for k in range(0, P, TERMS):
                s_, q_ = moments(y[a, n, c, k : k + TERMS])
                s += s_
                q += q_
        s /= N * P  # what rounding left of the mean: it is small, so nothing cancels in the variance
        v = q / (N * P) - s * s
        lo[g] = T(s)
        var[g] = T(v)
        rstd[g] = T(1 / np.sqrt(v + eps))
        for n in range(N):
            scale(y[a, n, c], lo[g], rstd[g], gamma[c], beta[c])


@in_order
def project(start, stop, dy, x, gamma, hi, lo, rstd, dx, dgamma, dbeta):
    """dx, of the groups from `start` to `stop`; what they add to dγ and dβ is added to the last two arrays, in float64."""
    _, N, C, P = x.shape
    T = x.dtype.type
    x_hat = dx  # until dx takes its place
    for g in range(start, stop):
        a, c = g // C, g % C
        s = q = np.float64(0)
        for n in range(N):
            for k in range(0, P, TERMS):
                s += total(dy[a, n, c, k : k + TERMS])
        mean_dy = T(s / (N * P))
        for n in range(N):
            standardized(x[a, n, c], hi[g], lo[g], rstd[g], x_hat[a, n, c])
            for k in range(0, P, TERMS):
                d, h = dy[a, n, c, k : k + TERMS], x_hat[a, n, c, k : k + TERMS]
                q += dot_of_centred(d, mean_dy, h)
        for n in range(N):
            subtract_components(dy[a, n, c], mean_dy, T(q / (N * P)), rstd[g] * gamma[c], x_hat[a, n, c])
        dbeta[c] += s
        dgamma[c] += q
