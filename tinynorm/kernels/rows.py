"""Normalisation of rows, each sweep fused: LayerNorm, RMSNorm and GroupNorm. The formulas are in `ops/`.

x is (N, D), one group a row. γ and β are (G, D): row i has those of number i % G. Some rows at a time go through all the steps
of a sweep, so that they stay in the processor's cache.

The mean is not known before a row was read: the moments are taken about a number near it, the mean of some numbers.
"""

from __future__ import annotations

import numpy as np

from .compiled import PAST_CACHE, any_order, copy_past_cache, in_order

# A sum in x's dtype has at most this many terms, and such sums are added up in float64. The compiler keeps at least 8 partial
# sums, so a sum takes at most 64 additions (as in `sums.ROW`: its error is at most 2e-6).
TERMS = 512
CACHE = 8192  # so many numbers at a time: of float32 32 KiB each of x, dy, x̂ and dx, which together fit into an L2 cache
SOME = 16  # so many numbers of a row have a mean that is near enough to that of all
ROWS = 64  # after so many rows, their sums for dγ and dβ are added to sums in float64 (at most `sums.ROWS`)


@any_order
def mean_of_some(x):
    """The mean of the first numbers."""
    s = x.dtype.type(0)
    n = min(x.size, SOME)
    for j in range(n):
        s += x[j]
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


@in_order
def about(x, h):
    """Of a row, from the moments about h: the mean less h, and the mean of c²."""
    s = q = np.float64(0)
    for k in range(0, x.size, TERMS):
        s_, q_ = moments(x[k : k + TERMS], h)
        s += s_
        q += q_
    return s / x.size, q / x.size


@in_order
def standardized(x, hi, lo, rstd, x_hat):
    """x̂ = ((x - hi) - lo) rstd, with a number of each for a row."""
    for i in range(x.shape[0]):
        h, r, s = hi[i], lo[i], rstd[i]
        for j in range(x.shape[1]):
            x_hat[i, j] = ((x[i, j] - h) - r) * s


@in_order
def scale(x, hi, lo, rstd, gamma, beta, first, floor, y):
    """y = γ ((x - hi) - lo) rstd + β, but at least `floor`. The first row is the row `first` of x."""
    G = gamma.shape[0]
    for i in range(x.shape[0]):
        h, r, s, k = hi[i], lo[i], rstd[i], (first + i) % G
        for j in range(x.shape[1]):
            v = ((x[i, j] - h) - r) * s * gamma[k, j] + beta[k, j]
            y[i, j] = floor if v <= floor else v


@in_order
def standardize(start, stop, x, gamma, beta, eps, least, centred, relu, y, statistics):
    """y = γ x̂ + β, or max(y, 0), of the rows from `start` to `stop`.

    Of each row, `statistics` gets the mean in two parts (lo is what hi rounds away), rstd and v. Its last row says at `start`
    whether all v are in a safe range: at least `least`, and with a square that is finite.
    """
    hi, lo, rstd, var = statistics[0], statistics[1], statistics[2], statistics[3]
    D, T, fits = x.shape[1], x.dtype.type, True
    floor = T(0) if relu else T(-np.inf)
    step, past = _rows_at_a_time(D), _goes_past(y)
    scratch = np.empty((step if past else 0, D), x.dtype)
    for a in range(start, stop, step):
        b = min(stop, a + step)
        for i in range(a, b):
            h = mean_of_some(x[i]) if centred else T(0)
            rest, v = about(x[i], h)
            rest = rest if centred else 0.0
            if rest * rest > v - rest * rest:  # h was not near: something would cancel
                h = T(h + rest)
                rest, v = about(x[i], h)
            v -= rest * rest
            hi[i] = T(h + rest)
            lo[i], rstd[i], var[i] = T((h - hi[i]) + rest), T(1 / np.sqrt(v + eps)), T(v)
            fits &= var[i] >= least and var[i] * var[i] < np.inf
        y_ = scratch[: b - a] if past else y[a:b]
        scale(x[a:b], hi[a:b], lo[a:b], rstd[a:b], gamma, beta, a, floor, y_)
        if past:
            copy_past_cache(y_, y[a:b])
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
        for i in range(m - n):
            a[i], b[i] = a[i] / D if centred else 0.0, b[i] / D
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
