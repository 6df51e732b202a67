"""BatchNorm of (N, C), each sweep fused: a group is a column. The formulas are in `ops/normalization_formula.py`.

A sweep goes through the rows, and adds to sums of all its columns at once, which are those from `start` to `stop`. The sums of
a block of rows, in x's dtype, are added to sums in float64.
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
def add_row(x, s):
    for j in range(s.size):
        s[j] += x[j]


@in_order
def add_moments(x, hi, c, s, q):
    """c = x - hi; add c and c² to s and q."""
    for j in range(s.size):
        v = x[j] - hi[j]
        c[j] = v
        s[j] += v
        q[j] += v * v


@in_order
def scale(c, rest, rstd, gamma, beta):
    """c becomes γ (c - rest) rstd + β."""
    for j in range(c.size):
        c[j] = (c[j] - rest[j]) * rstd[j] * gamma[j] + beta[j]


@in_order
def standardize(start, stop, x, gamma, beta, eps, y, hi, lo, rstd, var):
    """y = γ x̂ + β. For each column the mean hi + lo is kept in two parts (lo is what hi rounds away), and rstd and v."""
    N, C, T = len(x), stop - start, x.dtype.type
    gamma, beta, hi, lo, rstd = gamma[start:stop], beta[start:stop], hi[start:stop], lo[start:stop], rstd[start:stop]
    part, part2, s, q = np.zeros(C, x.dtype), np.zeros(C, x.dtype), np.zeros(C), np.zeros(C)
    for n in range(0, N, ROWS):
        for i in range(n, min(n + ROWS, N)):
            add_row(x[i][start:stop], part)
        flush(part, s)
    for j in range(C):
        hi[j] = T(s[j] / N)
        s[j] = 0
    for n in range(0, N, ROWS):
        for i in range(n, min(n + ROWS, N)):
            add_moments(x[i][start:stop], hi, y[i][start:stop], part, part2)
        flush(part, s)
        flush(part2, q)
    for j in range(C):
        rest = s[j] / N  # what rounding left of the mean: it is small, so nothing cancels in the variance
        v = q[j] / N - rest * rest
        lo[j] = T(rest)
        var[start + j] = T(v)
        rstd[j] = T(1 / np.sqrt(v + eps))
    for i in range(N):
        scale(y[i][start:stop], lo, rstd, gamma, beta)


@in_order
def follow(running_mean, running_var, mean, var, keep, take, unbias, largest):
    """running ← keep running + take batch, of the mean and of the unbiased variance, which stays finite."""
    for j in range(mean.size):
        running_mean[j] = running_mean[j] * keep + mean[j] * take
        v = running_var[j] * keep + (var[j] * unbias) * take
        running_var[j] = largest if v > largest else v


@in_order
def add_products(dy, x, hi, lo, rstd, mean_dy, s):
    """Add u x̂ to s, where u = dy - mean(dy)."""
    for j in range(s.size):
        s[j] += (dy[j] - mean_dy[j]) * (((x[j] - hi[j]) - lo[j]) * rstd[j])


@in_order
def subtract_components(dy, x, hi, lo, rstd, mean_dy, mean_u_x_hat, factor, dx):
    """dx = γ rstd (u - x̂ mean(u x̂)); `factor` is γ rstd."""
    for j in range(dx.size):
        x_hat = ((x[j] - hi[j]) - lo[j]) * rstd[j]
        dx[j] = factor[j] * ((dy[j] - mean_dy[j]) - x_hat * mean_u_x_hat[j])


@in_order
def project(start, stop, dy, x, gamma, hi, lo, rstd, dx, dgamma, dbeta):
    """dx, dγ and dβ; the last two, in float64, hold zeros before."""
    N, C, T = len(x), stop - start, x.dtype.type
    hi, lo, rstd, dgamma, dbeta = hi[start:stop], lo[start:stop], rstd[start:stop], dgamma[start:stop], dbeta[start:stop]
    part, mean_dy, mean_u_x_hat, factor = np.zeros(C, x.dtype), np.empty_like(rstd), np.empty_like(rstd), np.empty_like(rstd)
    for n in range(0, N, ROWS):
        for i in range(n, min(n + ROWS, N)):
            add_row(dy[i][start:stop], part)
        flush(part, dbeta)
    for j in range(C):
        mean_dy[j] = T(dbeta[j] / N)
    for n in range(0, N, ROWS):
        for i in range(n, min(n + ROWS, N)):
            add_products(dy[i][start:stop], x[i][start:stop], hi, lo, rstd, mean_dy, part)
        flush(part, dgamma)
    for j in range(C):
        mean_u_x_hat[j] = T(dgamma[j] / N)
        factor[j] = rstd[j] * gamma[start + j]
    for i in range(N):
        dy_i, x_i, dx_i = dy[i][start:stop], x[i][start:stop], dx[i][start:stop]
        subtract_components(dy_i, x_i, hi, lo, rstd, mean_dy, mean_u_x_hat, factor, dx_i)
