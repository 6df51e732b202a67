"""Normalisation of rows, each sweep fused: LayerNorm, RMSNorm and GroupNorm. The formulas are in `ops/`.

x is (N, D), one group a row. γ and β are (G, D): row i has those of number i % G. Some rows at a time go through all the steps
of a sweep, so that they stay in the processor's cache.
"""

from __future__ import annotations

import numpy as np

from .compiled import PAST_CACHE, any_order, copy_past_cache, in_order

# A sum in x's dtype has at most this many terms, and such sums are added up in float64. The compiler keeps at least 8 partial
# sums, so a sum takes at most 64 additions (as in `sums.ROW`: its error is at most 2e-6).
TERMS = 512
CACHE = 8192  # so many numbers at a time: of float32 32 KiB each of x, dy, x̂ and dx, which together fit into an L2 cache
ROWS = 64  # after so many rows, their sums for dγ and dβ are added to sums in float64 (at most `sums.ROWS`)


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


@in_order
def standardized(x, hi, lo, rstd, x_hat):
    """x̂ = ((x - hi) - lo) rstd, with a number of each for a row."""
    for i in range(x.shape[0]):
        h, r, s = hi[i], lo[i], rstd[i]
        for j in range(x.shape[1]):
            x_hat[i, j] = ((x[i, j] - h) - r) * s


@in_order
def scale(c, rest, rstd, gamma, beta, first, floor):
    """c becomes γ (c - rest) rstd + β, but at least `floor`. Its first row is the row `first` of x."""
    G = gamma.shape[0]
    for i in range(c.shape[0]):
        r, s, k = rest[i], rstd[i], (first + i) % G
        for j in range(c.shape[1]):
            v = (c[i, j] - r) * s * gamma[k, j] + beta[k, j]
            c[i, j] = floor if v <= floor else v


@in_order
def standardize(start, stop, x, gamma, beta, eps, least, centred, relu, y, statistics):
    """y = γ x̂ + β, or max(y, 0), of the rows from `start` to `stop`.

    Of each row, `statistics` gets the mean in two parts (lo is what hi rounds away), rstd and v. Its last row says at `start`
    whether all v are in a safe range: at least `least`, and with a square that is finite.
    """
    hi, lo, rstd, var = statistics[0], statistics[1], statistics[2], statistics[3]
    D, T, fits = x.shape[1], x.dtype.type, True
    floor = T(0) if relu else T(-np.inf)
    step = _rows_at_a_time(D)
    past = _goes_past(y)
    scratch = np.empty((step if past else 0, D), x.dtype)
    for a in range(start, stop, step):
        b = min(stop, a + step)
        for i in range(a, b):
            mu = np.float64(0)
            if centred:
                for k in range(0, D, TERMS):
                    mu += total(x[i, k : k + TERMS])
            hi[i], lo[i], rstd[i] = T(mu / D), 0, 1
        c = scratch[: b - a] if past else y[a:b]
        standardized(x[a:b], hi[a:b], lo[a:b], rstd[a:b], c)  # c = x - hi: lo is 0 and rstd 1 so far
        for i in range(a, b):
            s = q = np.float64(0)
            for k in range(0, D, TERMS):
                s_, q_ = moments(c[i - a, k : k + TERMS])
                s += s_
                q += q_
            s = s / D if centred else np.float64(0)  # what rounding left of the mean
            v = q / D - s * s  # (s is small, so nothing cancels)
            lo[i], rstd[i], var[i] = T(s), T(1 / np.sqrt(v + eps)), T(v)
            fits &= var[i] >= least and var[i] * var[i] < np.inf
        scale(c, lo[a:b], rstd[a:b], gamma, beta, a, floor)
        if past:
            copy_past_cache(c, y[a:b])
    statistics[4, start] = fits


@in_order
def _rows_at_a_time(D):
    """As many rows as fit into the cache and into a sum."""
    return min(max(CACHE // D, 1), ROWS)


@in_order
def _goes_past(y):
    """Whether rows of y are written past the cache: it is large, and each of them can be copied so."""
    return y.size * y.itemsize >= PAST_CACHE and y.shape[1] * y.itemsize % 16 == 0 and y.ctypes.data % 16 == 0


@any_order
def sums_of_rows(dy, gamma, x_hat, first, start, stop, a, b, dgamma, dbeta):
    """Over some columns, add Σ g and Σ g x̂ of each row to a and b, where g = γ dy; and what a row contributes to dγ and dβ."""
    G, part = gamma.shape[0], slice(start, stop)
    for i in range(dy.shape[0]):
        k = (first + i) % G
        dy_, gamma_, x_hat_, dgamma_, dbeta_ = dy[i, part], gamma[k, part], x_hat[i, part], dgamma[k, part], dbeta[k, part]
        s = q = dy.dtype.type(0)
        for j in range(dy_.size):
            u = dy_[j] * x_hat_[j]
            s += dy_[j] * gamma_[j]
            q += u * gamma_[j]
            dgamma_[j] += u
            dbeta_[j] += dy_[j]
        a[i] += s
        b[i] += q


@in_order
def subtract_components(dy, gamma, x_hat, first, a, b, rstd, dx):
    """dx = rstd (γ dy - a - x̂ b)."""
    G, T = gamma.shape[0], dy.dtype.type
    for i in range(dy.shape[0]):
        a_, b_, s, k = T(a[i]), T(b[i]), rstd[i], (first + i) % G
        for j in range(dy.shape[1]):
            dx[i, j] = s * ((dy[i, j] * gamma[k, j] - a_) - x_hat[i, j] * b_)


@in_order
def masked(dy, y, g):
    """g = dy behind a ReLU: 0 where y is not positive (but where y is NaN, dy passes)."""
    for i in range(dy.shape[0]):
        for j in range(dy.shape[1]):
            g[i, j] = 0 if y[i, j] <= 0 else dy[i, j]


@in_order
def project(start, stop, dy, x, y, gamma, statistics, centred, relu, dx, sums):
    """dx = rstd (g - mean(g) - x̂ mean(g x̂)) with g = γ dy, of the rows from `start` to `stop`.

    `sums` gets what these rows contribute to dγ and dβ.
    """
    hi, lo, rstd = statistics[0], statistics[1], statistics[2]
    D, G = x.shape[1], gamma.shape[0]
    step = _rows_at_a_time(D)
    x_hat, passed = np.empty((step, D), x.dtype), np.empty((step if relu else 0, D), x.dtype)
    past = _goes_past(dx)
    scratch = np.empty((step if past else 0, D), x.dtype)
    part, whole = np.zeros((2, G, D), x.dtype), np.zeros((2, G, D))
    rows = 0
    for n in range(start, stop, step):
        m = min(stop, n + step)
        standardized(x[n:m], hi[n:m], lo[n:m], rstd[n:m], x_hat)
        dy_ = dy[n:m]
        if relu:
            masked(dy_, y[n:m], passed)
            dy_ = passed[: m - n]
        a, b = np.zeros(m - n), np.zeros(m - n)
        for k in range(0, D, TERMS):
            sums_of_rows(dy_, gamma, x_hat, n, k, min(k + TERMS, D), a, b, part[0], part[1])
        a, b = a / D if centred else a * 0, b / D
        dx_ = scratch[: m - n] if past else dx[n:m]
        subtract_components(dy_, gamma, x_hat, n, a, b, rstd[n:m], dx_)
        if past:
            copy_past_cache(dx_, dx[n:m])
        rows += m - n
        if rows >= ROWS * G:
            flush(part, whole)
            rows = 0
    flush(part, whole)
    for i in range(2):
        for k in range(G):
            for j in range(D):
                sums[i, k, j] = whole[i, k, j]


@in_order
def flush(part, whole):
    """Add the part to the whole, and begin the part anew."""
    for i in range(2):
        for k in range(part.shape[1]):
            for j in range(part.shape[2]):
                whole[i, k, j] += part[i, k, j]
                part[i, k, j] = 0
