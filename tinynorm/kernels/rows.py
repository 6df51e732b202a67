"""Normalisation of rows, each sweep fused: LayerNorm, RMSNorm and GroupNorm. The formulas are in `ops/`.

x is (N, D), one group a row. γ and β are (G, D): row i has those of number i % G. A row goes through all the steps of a sweep
before the next one does: so it stays in the processor's cache. The next row is asked for meanwhile, if it comes from memory.

The mean is not known before a row was read: the moments are taken about a number near it, the mean of some numbers.

Functions take whole arrays and say which numbers they mean. (To hold a part of an array, Numba counts its holders up and down,
which waits for all that was written before.)
"""

from __future__ import annotations

import numpy as np

from .compiled import any_order, in_order, part_of, rounded_once
from .streams import all_written, copy_past_cache, goes_past, prefetch

# A sum in x's dtype has at most this many terms, and such sums are added up in float64. The compiler keeps at least 8 partial
# sums, so a sum takes at most 64 additions (as in `sums.ROW`: its error is at most 2e-6).
TERMS = 512
SOME = 16  # so many numbers of a row have a mean that is near enough to that of all
ROWS = 64  # after so many rows, their sums for dγ and dβ are added to sums in float64 (at most `sums.ROWS`)
# So many numbers are made before they are written past the cache: then these writes end while the next numbers are made.
# (Measured: of 8192x4096, 512 or 128 take as long, whole rows a seventh longer.)
SCRATCH = 256


@any_order
def mean_of_some(x, i):
    """The mean of the row's first numbers."""
    s = x.dtype.type(0)
    n = min(x.shape[1], SOME)
    for j in range(n):
        s += x[i, np.uintp(j)]
    return s / x.dtype.type(n)


@any_order
def moments(x, i, start, stop, h):
    """(Σ c, Σ c²) of a part of the row, where c = x - h."""
    s = q = x.dtype.type(0)
    for j in range(start, stop):
        c = x[i, np.uintp(j)] - h
        s += c
        q += c * c
    return s, q


@part_of
def about(x, i, h):
    """Of row i, from the moments about h: the mean less h, and the mean of c²."""
    D = x.shape[1]
    s = q = np.float64(0)
    for k in range(0, D, TERMS):
        s_, q_ = moments(x, i, k, min(k + TERMS, D), h)
        s += s_
        q += q_
    return s / D, q / D


@rounded_once
def scale(x, i, start, stop, hi, lo_rstd, rstd, gamma, beta, k, floor, y, row, first):
    """y = γ x̂ + β of a part of row i, but at least `floor`, to row `row` of y, from column `first` on."""
    for j in range(stop - start):
        n = np.uintp(start + j)
        v = ((x[i, n] - hi) * rstd - lo_rstd) * gamma[k, n] + beta[k, n]
        y[row, np.uintp(first + j)] = floor if v <= floor else v


@in_order
def standardize(start, stop, x, gamma, beta, eps, least, centred, relu, y, statistics):
    """y = γ x̂ + β, or max(y, 0), of the rows from `start` to `stop`, where x̂ = (x - hi) rstd - lo rstd.

    Of each row, `statistics` gets the mean in two parts (lo is what hi rounds away), as hi and lo rstd; then rstd and v. Its
    last row says at `start` whether all v are in a safe range: at least `least`, and with a square that is finite.
    """
    hi, lo_rstd, rstd, var = statistics[0], statistics[1], statistics[2], statistics[3]
    D, G, T, fits = x.shape[1], gamma.shape[0], x.dtype.type, True
    floor, past = T(0) if relu else T(-np.inf), goes_past(y)
    scratch = np.empty((1, SCRATCH if past else 0), x.dtype)
    for i in range(start, stop):
        h = mean_of_some(x, i) if centred else T(0)
        rest, v = about(x, i, h)
        rest = rest if centred else 0.0
        if rest * rest > v - rest * rest:  # h was not near: something would cancel
            h = T(h + rest)
            rest, v = about(x, i, h)
        v -= rest * rest
        hi[i], rstd[i], var[i] = T(h + rest), T(1 / np.sqrt(v + eps)), T(v)
        lo_rstd[i] = T(((h - hi[i]) + rest) * rstd[i])
        fits &= var[i] >= least and var[i] * var[i] < np.inf
        m, t, r, k = hi[i], lo_rstd[i], rstd[i], i % G
        if past:
            for a in range(0, D, SCRATCH):
                b = min(a + SCRATCH, D)
                prefetch(x, min(i + 1, stop - 1), a, b)
                scale(x, i, a, b, m, t, r, gamma, beta, k, floor, scratch, 0, 0)
                copy_past_cache(scratch, y, i, a, b)
        else:
            scale(x, i, 0, D, m, t, r, gamma, beta, k, floor, y, i, 0)
    all_written()
    statistics[4, start] = fits


@any_order
def products(dy, row, x, i, start, stop, gamma, k, hi, lo_rstd, rstd, part):
    """(Σ g, Σ g x̂) of a part of row i, where g = γ dy; what it contributes to dγ and dβ is added to `part`."""
    s = q = x.dtype.type(0)
    for j in range(start, stop):
        n = np.uintp(j)
        d, c = dy[row, n], gamma[k, n]
        u = d * ((x[i, n] - hi) * rstd - lo_rstd)
        s += d * c
        q += u * c
        part[0, k, n] += u
        part[1, k, n] += d
    return s, q


@part_of
def subtract_components(dy, row, x, i, start, stop, gamma, k, hi, lo_rstd, rstd, a, b, dx, to, first):
    """dx = rstd (γ dy - a - x̂ b) of a part of row i, to row `to` of dx, from column `first` on.

    γ dy is rounded, as a is: of one number alone, γ dy - a is 0.
    """
    for j in range(stop - start):
        n = np.uintp(start + j)
        x_hat = (x[i, n] - hi) * rstd - lo_rstd
        dx[to, np.uintp(first + j)] = rstd * ((dy[row, n] * gamma[k, n] - a) - x_hat * b)


@part_of
def masked(dy, y, i, g):
    """g = dy behind a ReLU, of row i: 0 where y is not positive (but where y is NaN, dy passes)."""
    for j in range(dy.shape[1]):
        n = np.uintp(j)
        g[0, n] = 0 if y[i, n] <= 0 else dy[i, n]


@in_order
def project(start, stop, dy, x, y, gamma, statistics, centred, relu, dx, sums):
    """dx = rstd (g - mean(g) - x̂ mean(g x̂)) with g = γ dy, of the rows from `start` to `stop`.

    `sums` gets what these rows contribute to dγ and dβ.
    """
    hi, lo_rstd, rstd = statistics[0], statistics[1], statistics[2]
    D, G, T, past = x.shape[1], gamma.shape[0], x.dtype.type, goes_past(dx)
    scratch, passed = np.empty((1, SCRATCH if past else 0), x.dtype), np.empty((1, D if relu else 0), x.dtype)
    part, whole = np.zeros((2, G, D), x.dtype), np.zeros((2, G, D))
    dy_, rows = passed if relu else dy, 0
    for i in range(start, stop):
        after, row, m, t, r, k = min(i + 1, stop - 1), 0 if relu else i, hi[i], lo_rstd[i], rstd[i], i % G
        if relu:
            masked(dy, y, i, passed)
        s = q = np.float64(0)
        for n in range(0, D, TERMS):
            stop_ = min(n + TERMS, D)
            if past:
                prefetch(x, after, n, stop_)
            s_, q_ = products(dy_, row, x, i, n, stop_, gamma, k, m, t, r, part)
            s += s_
            q += q_
        a, b = T(s / D) if centred else T(0), T(q / D)
        if past:
            for n in range(0, D, SCRATCH):
                stop_ = min(n + SCRATCH, D)
                prefetch(dy, after, n, stop_)
                subtract_components(dy_, row, x, i, n, stop_, gamma, k, m, t, r, a, b, scratch, 0, 0)
                copy_past_cache(scratch, dx, i, n, stop_)
        else:
            subtract_components(dy_, row, x, i, 0, D, gamma, k, m, t, r, a, b, dx, i, 0)
        rows += 1
        if rows == ROWS * G:
            flush(part, whole)
            rows = 0
    all_written()
    flush(part, whole)
    for n in range(2):
        for k in range(G):
            for j in range(D):
                sums[n, k, j] = whole[n, k, j]


@in_order
def flush(part, whole):
    """Add the part to the whole, and begin the part anew."""
    for i in range(2):
        for k in range(part.shape[1]):
            for j in range(part.shape[2]):
                whole[i, k, j] += part[i, k, j]
                part[i, k, j] = 0
