"""BatchNorm and InstanceNorm of (N, C, *), and GroupNorm where there are positions, each sweep fused.

x is (slabs, P): a slab is the P positions of a channel of a sample, and has one γ and one β. A group is some slabs, a `stride`
apart: group g begins with slab g * step. A group goes through both sweeps before the next one does: so it stays in the
processor's cache. (As in `rows`, functions take whole arrays, and what comes next from memory is asked for.)

=============  =====  ============  ======  ======================
layer          step   slabs of one  stride  γ of a group's slabs
=============  =====  ============  ======  ======================
BatchNorm      1      N             C       one
InstanceNorm   1      1             1       one
GroupNorm      C / G  C / G         1       each has its own
=============  =====  ============  ======  ======================

The mean is not known before the first sweep: the moments are taken about a number near it, the mean of some numbers.
"""

from __future__ import annotations

import numpy as np

from .compiled import any_order, in_order, part_of, rounded_once
from .streams import all_written, copy_past_cache, goes_past, prefetch

TERMS = 512  # of a sum in x's dtype; such sums are added up in float64 (see `rows.TERMS`)
SCRATCH = 256  # so many numbers are made before they are written past the cache (see `rows.SCRATCH`)


@any_order
def mean_of_some(x, y, i, floor):
    """The mean of the first numbers, near enough to that of all. A number counts as 0 where y is at most `floor`."""
    s = x.dtype.type(0)
    n = min(x.shape[1], TERMS)
    for j in range(n):
        j_ = np.uintp(j)
        s += x.dtype.type(0) if y[i, j_] <= floor else x[i, j_]
    return s / x.dtype.type(n)


@any_order
def moments(x, i, start, stop, h):
    """(Σ c, Σ c²) of a part of a slab, where c = x - h."""
    s = q = x.dtype.type(0)
    for j in range(start, stop):
        c = x[i, np.uintp(j)] - h
        s += c
        q += c * c
    return s, q


@part_of
def about(x, first, count, stride, h, ahead):
    """Of a group, from the moments about h: the mean less h, and the variance."""
    S, P = x.shape
    s = q = np.float64(0)
    for i in range(first, first + count * stride, stride):
        for k in range(0, P, TERMS):
            m = min(k + TERMS, P)
            if ahead:
                prefetch(x, min(i + stride, S - 1), k, m)
            s_, q_ = moments(x, i, k, m, h)
            s += s_
            q += q_
    s /= count * P
    return s, q / (count * P) - s * s


@rounded_once
def scale(x, i, start, stop, hi, lo_rstd, rstd, gamma, beta, floor, y, row, first):
    """y = γ x̂ + β of a part of slab i, but at least `floor`, to row `row` of y, from column `first` on."""
    for j in range(stop - start):
        v = ((x[i, np.uintp(start + j)] - hi) * rstd - lo_rstd) * gamma + beta
        y[row, np.uintp(first + j)] = floor if v <= floor else v


@in_order
def standardize(start, stop, x, gamma, beta, eps, least, step, count, stride, given, relu, y, statistics):
    """y = γ x̂ + β, or max(y, 0), of the groups from `start` to `stop`, where x̂ = (x - hi) rstd - lo rstd.

    Of each group, `statistics` gets the mean in two parts (lo is what hi rounds away), as hi and lo rstd; then rstd and v. Its
    last row says at `start` whether all v are in a safe range: at least `least`, and with a square that is finite. If μ and v
    are `given`, `statistics` has them, as hi and v; the slabs then go in the order of memory, which takes half as long.
    """
    hi, lo_rstd, rstd, var = statistics[0], statistics[1], statistics[2], statistics[3]
    P, C, T, fits = x.shape[1], gamma.size, x.dtype.type, True
    none = T(-np.inf)  # x has no number that is smaller, as then v would not fit
    floor, past = T(0) if relu else none, goes_past(y)
    scratch = np.empty((1, SCRATCH if past else 0), x.dtype)
    out, piece = (scratch, SCRATCH) if past else (y, P)
    together = stop - start if given else 1
    for n in range(start, stop, together):
        for g in range(n, n + together):
            first, h, rest, v = g * step, hi[g], np.float64(0), np.float64(var[g])
            if not given:
                h = mean_of_some(x, x, first, none)
                rest, v = about(x, first, count, stride, h, past)
                if rest * rest > v:  # h was not near: something cancelled
                    h = T(h + rest)
                    rest, v = about(x, first, count, stride, h, past)
            hi[g], rstd[g], var[g] = T(h + rest), T(1 / np.sqrt(v + eps)), T(v)
            lo_rstd[g] = T(((h - hi[g]) + rest) * rstd[g])
            fits &= var[g] >= least and var[g] * var[g] < np.inf
        for first in range(0, count * stride, stride):
            for g in range(n, n + together):
                i, m, t, r = first + g * step, hi[g], lo_rstd[g], rstd[g]
                c, d = gamma[i % C], beta[i % C]
                for k in range(0, P, piece):
                    k_ = min(k + piece, P)
                    scale(x, i, k, k_, m, t, r, c, d, floor, out, 0 if past else i, 0 if past else k)
                    if past:
                        copy_past_cache(scratch, y, i, k, k_)
    all_written()
    statistics[4, start] = fits


# (One loop with a ReLU and without: of two, the compiler might add the terms in two orders.)
@any_order
def products(dy, x, y, floor, i, start, stop, h, hi, lo_rstd, rstd):
    """(Σ u, Σ u², Σ u x̂) of a part of a slab, where u = dy - h; but dy counts as 0 where y is at most `floor`."""
    s = r = q = x.dtype.type(0)
    for j in range(start, stop):
        n = np.uintp(j)
        u = (x.dtype.type(0) if y[i, n] <= floor else dy[i, n]) - h
        s += u
        r += u * u
        q += u * ((x[i, n] - hi) * rstd - lo_rstd)
    return s, r, q


@part_of
def products_about(dy, x, y, floor, first, count, stride, h, hi, lo_rstd, rstd, ahead):
    """Of some slabs, from the products about h: the mean of dy less h, the variance of dy, and Σ u x̂."""
    S, P = x.shape
    s = r = q = np.float64(0)
    for i in range(first, first + count * stride, stride):
        after = min(i + stride, S - 1)
        for k in range(0, P, TERMS):
            m = min(k + TERMS, P)
            if ahead:
                prefetch(x, after, k, m)
                prefetch(dy, after, k, m)
            s_, r_, q_ = products(dy, x, y, floor, i, k, m, h, hi, lo_rstd, rstd)
            s += s_
            r += r_
            q += q_
    s /= count * P
    return s, r / (count * P) - s * s, q


@part_of
def subtract_components(dy, x, y, relu, i, start, stop, gamma, hi, lo_rstd, rstd, a, b, dx, row, first):
    """dx = rstd (γ dy - a - x̂ b) of a part of slab i, to row `row` of dx, from column `first` on (rounded as in `rows`)."""
    zero = x.dtype.type(0)
    for j in range(stop - start):
        n = np.uintp(start + j)
        g = dy[i, n]
        if relu:  # (see `columns`)
            g = zero if y[i, n] <= 0 else g
        dx[row, np.uintp(first + j)] = rstd * ((gamma * g - a) - ((x[i, n] - hi) * rstd - lo_rstd) * b)


@in_order
def project(start, stop, dy, x, y, gamma, statistics, step, count, stride, relu, dx, sums):
    """dx, of the groups from `start` to `stop`; `sums` gets what they contribute to dγ and dβ.

    Where a group has one γ, Σ u x̂ is the same for any u that is dy less a number, as Σ x̂ = 0.
    """
    P, C, T, past = x.shape[1], gamma.size, x.dtype.type, goes_past(dx)
    floor, zero = T(0) if relu else T(-np.inf), T(0)
    dgamma, dbeta = np.zeros(C), np.zeros(C)
    scratch = np.empty((1, SCRATCH if past else 0), x.dtype)
    out, piece = (scratch, SCRATCH) if past else (dx, P)
    one = count == 1 or stride % C == 0
    for g in range(start, stop):
        first, m, t, r = g * step, statistics[0, g], statistics[1, g], statistics[2, g]
        a = b = np.float64(0)
        for i in range(first, first + 1 if one else first + count * stride, stride):
            c, together = i % C, count if one else 1
            h = mean_of_some(dy, y, i, floor) if one else zero
            rest, v, q = products_about(dy, x, y, floor, i, together, stride, h, m, t, r, past)
            if one and rest * rest > v:  # h was not near: something cancelled
                h = T(h + rest)
                rest, v, q = products_about(dy, x, y, floor, i, together, stride, h, m, t, r, past)
            s = together * P * (h + rest)
            dgamma[c] += q
            dbeta[c] += s
            a += gamma[c] * s
            b += gamma[c] * q
        a_, b_ = T(a / (count * P)), T(b / (count * P))
        for i in range(first, first + count * stride, stride):
            c = i % C
            for k in range(0, P, piece):
                k_, (row, to) = min(k + piece, P), (0, 0) if past else (i, k)
                subtract_components(dy, x, y, relu, i, k, k_, gamma[c], m, t, r, a_, b_, out, row, to)
                if past:
                    copy_past_cache(scratch, dx, i, k, k_)
    all_written()
    for c in range(C):
        sums[0, c], sums[1, c] = T(dgamma[c]), T(dbeta[c])


@part_of
def multiply(dy, y, relu, i, start, stop, factor, dx, row, first):
    """dx = γ rstd dy = `factor` dy of a part of slab i, as `subtract_components` does it."""
    zero = dy.dtype.type(0)
    for j in range(stop - start):
        n = np.uintp(start + j)
        g = dy[i, n]
        if relu:
            g = zero if y[i, n] <= 0 else g
        dx[row, np.uintp(first + j)] = factor * g


@in_order
def project_by_constants(start, stop, dy, x, y, gamma, statistics, step, count, stride, relu, dx, sums):
    """As `project`, where μ and v were given: dx = γ rstd dy, dγ = Σ dy x̂ and dβ = Σ dy, slab by slab."""
    P, C, T, past = x.shape[1], gamma.size, x.dtype.type, goes_past(dx)
    zero, floor = T(0), T(0) if relu else T(np.nan)  # no number is at most NaN, but x may be -inf
    dgamma, dbeta = np.zeros(C), np.zeros(C)
    scratch = np.empty((1, SCRATCH if past else 0), x.dtype)
    out, piece = (scratch, SCRATCH) if past else (dx, P)
    for first in range(0, count * stride, stride):
        for g in range(start, stop):
            i, m, t, r = first + g * step, statistics[0, g], statistics[1, g], statistics[2, g]
            mean, _, q = products_about(dy, x, y, floor, i, 1, 1, zero, m, t, r, past)
            c = i % C
            dgamma[c] += q
            dbeta[c] += P * mean
            for k in range(0, P, piece):
                k_ = min(k + piece, P)
                multiply(dy, y, relu, i, k, k_, gamma[c] * r, out, 0 if past else i, 0 if past else k)
                if past:
                    copy_past_cache(scratch, dx, i, k, k_)
    all_written()
    for c in range(C):
        sums[0, c], sums[1, c] = T(dgamma[c]), T(dbeta[c])
