"""BatchNorm and InstanceNorm of (N, C, *), each sweep fused. The formulas are in `ops/normalization_formula.py`.

x is (A, N, C, P): the group (a, c) is the N slabs of P numbers x[a, n, c], which lie one after another in memory. BatchNorm has
A = 1; for InstanceNorm A is the batch, and N = 1. A group goes through both sweeps before the next one does: so it stays in the
processor's cache.

The mean is not known before the first sweep: the moments are taken about a number near it, the mean of some numbers.
"""

from __future__ import annotations

import numpy as np

from .compiled import PAST_CACHE, any_order, copy_past_cache, in_order

TERMS = 512  # of a sum in x's dtype; such sums are added up in float64 (see `rows.TERMS`)


@any_order
def mean_of_some(x, y, floor):
    """The mean of the first numbers, near enough to that of all. A number counts as 0 where y is at most `floor`."""
    s = x.dtype.type(0)
    n = min(x.size, TERMS)
    for j in range(n):
        s += x.dtype.type(0) if y[j] <= floor else x[j]
    return s / x.dtype.type(n)


@any_order
def moments(x, h):
    """(Σ c, Σ c²), where c = x - h."""
    s = q = x.dtype.type(0)
    for j in range(x.size):
        c = x[j] - h
        s += c
        q += c * c
    return s, q


@any_order
def products(dy, y, floor, h, x, hi, rstd):
    """(Σ u, Σ u², Σ u c), where u = dy - h and c = (x - hi) rstd; but dy counts as 0 where y is at most `floor`."""
    s = r = q = x.dtype.type(0)
    for j in range(x.size):
        u = (x.dtype.type(0) if y[j] <= floor else dy[j]) - h
        s += u
        r += u * u
        q += u * ((x[j] - hi) * rstd)
    return s, r, q


@in_order
def goes_past(y):
    """Whether slabs of y are written past the cache: it is large, and each of them can be copied so."""
    return y.size * y.itemsize >= PAST_CACHE and y.shape[3] * y.itemsize % 16 == 0 and y.ctypes.data % 16 == 0


@in_order
def about(x, a, c, h):
    """Of the group (a, c), from the moments about h: the mean less h, and the variance."""
    _, N, _, P = x.shape
    s = q = np.float64(0)
    for n in range(N):
        for k in range(0, P, TERMS):
            s_, q_ = moments(x[a, n, c, k : k + TERMS], h)
            s += s_
            q += q_
    s /= N * P
    return s, q / (N * P) - s * s


@in_order
def scale(x, hi, lo, rstd, gamma, beta, floor, y):
    """y = γ ((x - hi) - lo) rstd + β, but at least `floor`."""
    for j in range(x.size):
        v = ((x[j] - hi) - lo) * rstd * gamma + beta
        y[j] = floor if v <= floor else v


@in_order
def standardize(start, stop, x, gamma, beta, eps, least, relu, y, statistics):
    """y = γ x̂ + β, or max(y, 0), of the groups from `start` to `stop`.

    Of each group, `statistics` gets the mean in two parts (lo is what hi rounds away), rstd and v. Its last row says at `start`
    whether all v are in a safe range: at least `least`, and with a square that is finite.
    """
    _, N, C, P = x.shape
    T, fits = x.dtype.type, True
    none = T(-np.inf)  # x has no number that is smaller, as then v would not fit
    past = goes_past(y)
    scratch = np.empty(P if past else 0, x.dtype)
    hi, lo, rstd, var = statistics[0], statistics[1], statistics[2], statistics[3]
    for g in range(start, stop):
        a, c = g // C, g % C
        h = mean_of_some(x[a, 0, c], x[a, 0, c], none)
        rest, v = about(x, a, c, h)
        if rest * rest > v:  # h was not near: something cancelled
            h = T(h + rest)
            rest, v = about(x, a, c, h)
        hi[g] = T(h + rest)
        lo[g], rstd[g], var[g] = T((h - hi[g]) + rest), T(1 / np.sqrt(v + eps)), T(v)
        fits &= var[g] >= least and var[g] * var[g] < np.inf
        for n in range(N):
            y_ = scratch if past else y[a, n, c]
            scale(x[a, n, c], hi[g], lo[g], rstd[g], gamma[c], beta[c], T(0) if relu else none, y_)
            if past:
                copy_past_cache(y_, y[a, n, c])
    statistics[4, start] = fits


@in_order
def products_about(dy, x, y, floor, a, c, h, hi, lo, rstd):
    """Of the group (a, c): the mean of dy less h, the variance of dy, and Σ u x̂."""
    _, N, _, P = x.shape
    s = r = q = np.float64(0)
    for n in range(N):
        for k in range(0, P, TERMS):
            m = min(P, k + TERMS)
            s_, r_, q_ = products(dy[a, n, c, k:m], y[a, n, c, k:m], floor, h, x[a, n, c, k:m], hi, rstd)
            s += s_
            r += r_
            q += q_
    rest = s / (N * P)
    return rest, r / (N * P) - rest * rest, q - s * lo * rstd


@in_order
def subtract_components(dy, y, floor, x, hi, lo, rstd, mean_dy, mean_u_x_hat, factor, dx):
    """dx = γ rstd (u - x̂ mean(u x̂)), where u = dy - mean(dy); `factor` is γ rstd."""
    zero = dy.dtype.type(0)
    for j in range(x.size):
        u = (zero if y[j] <= floor else dy[j]) - mean_dy
        dx[j] = factor * (u - ((x[j] - hi) - lo) * rstd * mean_u_x_hat)


@in_order
def project(start, stop, dy, x, y, gamma, statistics, relu, dx, sums):
    """dx, of the groups from `start` to `stop`; `sums` gets what they contribute to dγ and dβ.

    As Σ x̂ = 0, Σ u x̂ is the same for any u that is dy less a number.
    """
    _, N, C, P = x.shape
    T = x.dtype.type
    floor = T(0) if relu else T(-np.inf)
    dgamma, dbeta = np.zeros(C), np.zeros(C)
    past = goes_past(dx)
    scratch = np.empty(P if past else 0, x.dtype)
    for g in range(start, stop):
        a, c = g // C, g % C
        hi, lo, rstd = statistics[0, g], statistics[1, g], statistics[2, g]
        h = mean_of_some(dy[a, 0, c], y[a, 0, c], floor)
        rest, v, q = products_about(dy, x, y, floor, a, c, h, hi, lo, rstd)
        if rest * rest > v:  # h was not near: something cancelled
            h = T(h + rest)
            rest, v, q = products_about(dy, x, y, floor, a, c, h, hi, lo, rstd)
        mean_dy, mean_u_x_hat = T(h + rest), T(q / (N * P))
        for n in range(N):
            x_, y_, dx_ = x[a, n, c], y[a, n, c], scratch if past else dx[a, n, c]
            subtract_components(dy[a, n, c], y_, floor, x_, hi, lo, rstd, mean_dy, mean_u_x_hat, rstd * gamma[c], dx_)
            if past:
                copy_past_cache(dx_, dx[a, n, c])
        dgamma[c] += q
        dbeta[c] += N * P * (np.float64(h) + rest)
    for c in range(C):
        sums[0, c], sums[1, c] = T(dgamma[c]), T(dbeta[c])
