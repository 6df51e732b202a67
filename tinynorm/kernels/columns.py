"""BatchNorm of (N, C), each sweep fused: a group is a column. The formulas are in `ops/normalization_formula.py`.

A sweep goes through the rows, and adds to sums of all its columns at once, which are those from `start` to `stop`. The sums of
a block of rows, in x's dtype, are added to sums in float64. The number of a column has no sign: the compiler then need not
ask whether it counts from the end, and takes several columns at a time.
"""

from __future__ import annotations

import numpy as np

from .compiled import in_order

ROWS = 64  # rows of a block (at most `sums.ROWS`, which keeps a sum's error below 2e-6)


@in_order
def flush(part, whole):
    """Add the part to the whole, and begin the part anew."""
    for j in range(part.size):
        whole[j] += part[j]
        part[j] = 0


@in_order
def add_rows(start, x, s):
    for i in range(x.shape[0]):
        for j in range(s.size):
            s[j] += x[i, np.uintp(start + j)]


@in_order
def add_moments(start, x, hi, c, s, q):
    """c = x - hi; add c and c² to s and q."""
    for i in range(x.shape[0]):
        for j in range(s.size):
            v = x[i, np.uintp(start + j)] - hi[j]
            c[i, np.uintp(start + j)] = v
            s[j] += v
            q[j] += v * v


@in_order
def scale(start, c, rest, rstd, gamma, beta):
    """c becomes γ (c - rest) rstd + β."""
    for i in range(c.shape[0]):
        for j in range(rest.size):
            k = np.uintp(start + j)
            c[i, k] = (c[i, k] - rest[j]) * rstd[j] * gamma[j] + beta[j]


@in_order
def standardize(start, stop, x, gamma, beta, eps, y, hi, lo, rstd, var):
    """y = γ x̂ + β. For each column the mean hi + lo is kept in two parts (lo is what hi rounds away), and rstd and v."""
    N, C, T = len(x), stop - start, x.dtype.type
    gamma, beta, hi, lo, rstd = gamma[start:stop], beta[start:stop], hi[start:stop], lo[start:stop], rstd[start:stop]
    part, part2, s, q = np.zeros(C, x.dtype), np.zeros(C, x.dtype), np.zeros(C), np.zeros(C)
    for n in range(0, N, ROWS):
        add_rows(start, x[n : n + ROWS], part)
        flush(part, s)
    for j in range(C):
        hi[j] = T(s[j] / N)
        s[j] = 0
    for n in range(0, N, ROWS):
        add_moments(start, x[n : n + ROWS], hi, y[n : n + ROWS], part, part2)
        flush(part, s)
        flush(part2, q)
    for j in range(C):
        rest = s[j] / N  # what rounding left of the mean: it is small, so nothing cancels in the variance
        v = q[j] / N - rest * rest
        lo[j] = T(rest)
        var[start + j] = T(v)
        rstd[j] = T(1 / np.sqrt(v + eps))
    scale(start, y, lo, rstd, gamma, beta)


@in_order
def follow(running_mean, running_var, mean, var, keep, take, unbias, largest):
    """running ← keep running + take batch, of the mean and of the unbiased variance, which stays finite."""
    for j in range(mean.size):
        running_mean[j] = running_mean[j] * keep + mean[j] * take
        v = running_var[j] * keep + (var[j] * unbias) * take
        running_var[j] = largest if v > largest else v


@in_order
def add_products(start, dy, x, hi, lo, rstd, mean_dy, s):
    """Add u x̂ to s, where u = dy - mean(dy)."""
    for i in range(x.shape[0]):
        for j in range(s.size):
            k = np.uintp(start + j)
            s[j] += (dy[i, k] - mean_dy[j]) * (((x[i, k] - hi[j]) - lo[j]) * rstd[j])


@in_order
def subtract_components(start, dy, x, hi, lo, rstd, mean_dy, mean_u_x_hat, factor, dx):
    """dx = γ rstd (u - x̂ mean(u x̂)); `factor` is γ rstd."""
    for i in range(x.shape[0]):
        for j in range(hi.size):
            k = np.uintp(start + j)
            x_hat = ((x[i, k] - hi[j]) - lo[j]) * rstd[j]
            dx[i, k] = factor[j] * ((dy[i, k] - mean_dy[j]) - x_hat * mean_u_x_hat[j])


@in_order
def project(start, stop, dy, x, gamma, hi, lo, rstd, dx, dgamma, dbeta):
    """dx, dγ and dβ; the last two, in float64, hold zeros before."""
    N, C, T = len(x), stop - start, x.dtype.type
    hi, lo, rstd, dgamma, dbeta = hi[start:stop], lo[start:stop], rstd[start:stop], dgamma[start:stop], dbeta[start:stop]
    part, mean_dy, mean_u_x_hat, factor = np.zeros(C, x.dtype), np.empty_like(rstd), np.empty_like(rstd), np.empty_like(rstd)
    for n in range(0, N, ROWS):
        add_rows(start, dy[n : n + ROWS], part)
        flush(part, dbeta)
    for j in range(C):
        mean_dy[j] = T(dbeta[j] / N)
    for n in range(0, N, ROWS):
        add_products(start, dy[n : n + ROWS], x[n : n + ROWS], hi, lo, rstd, mean_dy, part)
        flush(part, dgamma)
    for j in range(C):
        mean_u_x_hat[j] = T(dgamma[j] / N)
        factor[j] = rstd[j] * gamma[start + j]
    subtract_components(start, dy, x, hi, lo, rstd, mean_dy, mean_u_x_hat, factor, dx)
