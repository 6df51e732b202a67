"""BatchNorm of (N, C), each sweep fused: a group is a column. The formulas are in `ops/normalization_formula.py`.

A sweep goes through the rows, four at a time, and adds to sums of all its columns at once, which are those from `start` to
`stop`. The sums of a block of rows, in x's dtype, are added to sums in float64. The second sweep begins with the last rows,
which may be in the processor's cache still.

The mean is not known before the first sweep: the moments are taken about a number near it, the mean of some rows.
"""

from __future__ import annotations

import numpy as np

from .compiled import in_order, rounded_once
from .streams import PIECE, all_written, copy_past_cache, goes_past, prefetch

ROWS = 64  # rows of a block (at most `sums.ROWS`, which keeps a sum's error below 2e-6)
SOME = 16  # so many rows have a mean that is near enough to that of all
SCRATCH = 256  # so many numbers are made before they are written past the cache (see `rows.SCRATCH`)


@in_order
def mean_of_rows(x, y, floor, start, stop):
    """The mean of the first rows. A number counts as 0 where y is at most `floor`."""
    n, zero, s = min(len(x), SOME), x.dtype.type(0), np.zeros(stop - start, x.dtype)
    for i in range(n):
        for j in range(s.size):
            k = np.uintp(start + j)
            s[j] += zero if y[i, k] <= floor else x[i, k]
    for j in range(s.size):
        s[j] /= x.dtype.type(n)
    return s


@in_order
def flush(part, whole):
    """Add the part to the whole, and begin the part anew."""
    for j in range(part.size):
        whole[j] += part[j]
        part[j] = 0


@in_order
def add_moments(x, first, stop, start, h, s, q):
    """Of the rows from `first` to `stop`, with c = x - h, add c and c² to s and q."""
    four = stop - (stop - first) % 4
    for i in range(first, four, 4):
        for j in range(h.size):
            k = np.uintp(start + j)
            c0, c1, c2, c3 = x[i, k] - h[j], x[i + 1, k] - h[j], x[i + 2, k] - h[j], x[i + 3, k] - h[j]
            s[j] += (c0 + c1) + (c2 + c3)
            q[j] += (c0 * c0 + c1 * c1) + (c2 * c2 + c3 * c3)
    for i in range(four, stop):
        for j in range(h.size):
            c = x[i, np.uintp(start + j)] - h[j]
            s[j] += c
            q[j] += c * c


@in_order
def moments(x, start, h, rest, var):
    """From the moments about h: the mean less h, and the variance. True if h was near the mean: then nothing cancelled."""
    N, C = len(x), h.size
    part, part2, s, q = np.zeros(C, x.dtype), np.zeros(C, x.dtype), np.zeros(C), np.zeros(C)
    for n in range(0, N, ROWS):
        add_moments(x, n, min(n + ROWS, N), start, h, part, part2)
        flush(part, s)
        flush(part2, q)
    near = True
    for j in range(C):
        rest[j] = s[j] / N
        var[j] = q[j] / N - rest[j] * rest[j]
        near &= not rest[j] * rest[j] > var[j]
    return near


@in_order
def go_past(y, start, stop):
    """Whether these columns of y are written past the cache."""
    return goes_past(y) and start * y.itemsize % PIECE == 0 and (stop - start) * y.itemsize % PIECE == 0


@rounded_once
def scale(x, first, n, start, a, b, hi, factor, summand, floor, y, row, to):
    """y = γ x̂ + β = (x - hi) γ rstd + (β - γ lo rstd), but at least `floor`, of n rows.

    The columns are those from start + a to start + b. They go to the rows of y from `row` on, to its columns from `to` on.
    """
    for r in range(n):
        i, o = np.uintp(first + r), np.uintp(row + r)
        for j in range(b - a):
            k = np.uintp(a + j)
            v = (x[i, np.uintp(start + a + j)] - hi[k]) * factor[k] + summand[k]
            y[o, np.uintp(to + j)] = floor if v <= floor else v


@in_order
def standardize(start, stop, x, gamma, beta, eps, least, given, relu, y, statistics):
    """y = γ x̂ + β, or max(y, 0), where x̂ = (x - hi) rstd - lo rstd.

    Of each column, `statistics` gets the mean in two parts (lo is what hi rounds away), as hi and lo rstd; then rstd and v. Its
    last row says at `start` whether all v are in a safe range: at least `least`, and with a square that is finite. If μ and v
    are `given`, `statistics` has them, as hi and v.
    """
    T, C, fits = x.dtype.type, stop - start, True
    hi, lo_rstd = statistics[0, start:stop], statistics[1, start:stop]
    rstd, v = statistics[2, start:stop], statistics[3, start:stop]
    none = T(-np.inf)  # x has no number that is smaller, as then v would not fit
    h = hi.copy() if given else mean_of_rows(x, x, none, start, stop)
    rest, var = np.zeros(C), v.astype(np.float64)
    past = go_past(y, start, stop)
    if not given and not moments(x, start, h, rest, var):
        for j in range(C):
            h[j] += rest[j]
        moments(x, start, h, rest, var)
    factor, summand = np.empty(C, x.dtype), np.empty(C, x.dtype)
    for j in range(C):
        hi[j], rstd[j], v[j] = T(h[j] + rest[j]), T(1 / np.sqrt(var[j] + eps)), T(var[j])
        lo_rstd[j] = T(((h[j] - hi[j]) + rest[j]) * rstd[j])
        fits &= v[j] >= least and v[j] * v[j] < np.inf
        factor[j] = gamma[start + j] * rstd[j]
        summand[j] = beta[start + j] - gamma[start + j] * lo_rstd[j]
    statistics[4, start] = fits
    floor = T(0) if relu else none
    if past:
        scratch = np.empty((1, SCRATCH), x.dtype)
        for i in range(len(x) - 1, -1, -1):
            for k in range(0, C, SCRATCH):
                m = min(k + SCRATCH, C)
                prefetch(x, max(i - 2, 0), start + k, start + m)
                scale(x, i, 1, start, k, m, hi, factor, summand, floor, scratch, 0, 0)
                copy_past_cache(scratch, y, i, start + k, start + m)
        all_written()
    else:
        for m in range(len(x), 0, -ROWS):
            i = max(m - ROWS, 0)
            scale(x, i, m - i, start, 0, C, hi, factor, summand, floor, y, i, start)


@in_order
def follow(running_mean, running_var, statistics, keep, take, unbias, largest):
    """running ← keep running + take batch, of the mean and of the unbiased variance, which stays finite."""
    mean, var, T = statistics[0], statistics[3], statistics.dtype.type
    keep, take, unbias = T(keep), T(take), T(unbias)
    for j in range(mean.size):
        running_mean[j] = running_mean[j] * keep + mean[j] * take
        v = running_var[j] * keep + (var[j] * unbias) * take
        running_var[j] = T(largest) if v > largest else v


follow.changes = 2  # arrays that are there before (see `recording.tape`)


@in_order
def add_products(dy, x, y, floor, first, stop, start, hi, rstd, h, s, r, q):
    """Of the rows from `first` to `stop`, with u = dy - h, add u, u² and u (x - hi) rstd to s, r and q."""
    zero = dy.dtype.type(0)
    four = stop - (stop - first) % 4
    for i in range(first, four, 4):
        for j in range(h.size):
            k = np.uintp(start + j)
            u0 = (zero if y[i, k] <= floor else dy[i, k]) - h[j]
            u1 = (zero if y[i + 1, k] <= floor else dy[i + 1, k]) - h[j]
            u2 = (zero if y[i + 2, k] <= floor else dy[i + 2, k]) - h[j]
            u3 = (zero if y[i + 3, k] <= floor else dy[i + 3, k]) - h[j]
            m, t = hi[j], rstd[j]
            x0, x1, x2, x3 = (x[i, k] - m) * t, (x[i + 1, k] - m) * t, (x[i + 2, k] - m) * t, (x[i + 3, k] - m) * t
            s[j] += (u0 + u1) + (u2 + u3)
            r[j] += (u0 * u0 + u1 * u1) + (u2 * u2 + u3 * u3)
            q[j] += (u0 * x0 + u1 * x1) + (u2 * x2 + u3 * x3)
    for i in range(four, stop):
        for j in range(h.size):
            k = np.uintp(start + j)
            u0 = (zero if y[i, k] <= floor else dy[i, k]) - h[j]
            s[j] += u0
            r[j] += u0 * u0
            q[j] += u0 * ((x[i, k] - hi[j]) * rstd[j])


@in_order
def products(dy, x, y, floor, start, hi, lo_rstd, rstd, h, rest, q):
    """From the products about h: the mean of dy less h, and Σ u x̂. True if h was near the mean: then nothing cancelled."""
    N, C, T = len(x), h.size, x.dtype
    part, part2, part3, s, r = np.zeros(C, T), np.zeros(C, T), np.zeros(C, T), np.zeros(C), np.zeros(C)
    q[:] = 0
    for n in range(0, N, ROWS):
        add_products(dy, x, y, floor, n, min(n + ROWS, N), start, hi, rstd, h, part, part2, part3)
        flush(part, s)
        flush(part2, r)
        flush(part3, q)
    near = True
    for j in range(C):
        rest[j] = s[j] / N
        q[j] -= s[j] * lo_rstd[j]
        near &= not rest[j] * rest[j] > r[j] / N - rest[j] * rest[j]
    return near


@rounded_once
def subtract_components(dy, x, y, floor, first, n, start, a, b, hi, rate, less, factor, dx, row, to):
    """dx = γ rstd (dy - mean(dy) - x̂ mean(u x̂)) = `factor` ((dy - `less`) - (x - hi) `rate`), as `scale` does it."""
    zero = dy.dtype.type(0)
    for r in range(n):
        i, o = np.uintp(first + r), np.uintp(row + r)
        for j in range(b - a):
            k, m = np.uintp(a + j), np.uintp(start + a + j)
            g = zero if y[i, m] <= floor else dy[i, m]
            dx[o, np.uintp(to + j)] = factor[k] * ((g - less[k]) - (x[i, m] - hi[k]) * rate[k])


@in_order
def project(start, stop, dy, x, y, gamma, statistics, relu, dx, sums):
    """dx; and `sums` gets dγ and dβ. As Σ x̂ = 0, dγ = Σ u x̂ for any u that is dy less a number."""
    N, C, T = len(x), stop - start, x.dtype.type
    hi, lo_rstd, rstd = statistics[0, start:stop], statistics[1, start:stop], statistics[2, start:stop]
    floor = T(0) if relu else T(-np.inf)
    h, rest, q = mean_of_rows(dy, y, floor, start, stop), np.empty(C), np.empty(C)
    past = go_past(dx, start, stop)
    if not products(dy, x, y, floor, start, hi, lo_rstd, rstd, h, rest, q):
        for j in range(C):
            h[j] += rest[j]
        products(dy, x, y, floor, start, hi, lo_rstd, rstd, h, rest, q)
    rate, less, factor = np.empty(C, x.dtype), np.empty(C, x.dtype), np.empty(C, x.dtype)
    for j in range(C):
        mean_dy, mean_u_x_hat = h[j] + rest[j], q[j] / N
        rate[j], less[j] = T(rstd[j] * mean_u_x_hat), T(mean_dy - lo_rstd[j] * mean_u_x_hat)
        factor[j] = rstd[j] * gamma[start + j]
        sums[0, start + j], sums[1, start + j] = T(q[j]), T(N * mean_dy)
    if past:
        scratch = np.empty((1, SCRATCH), x.dtype)
        for i in range(N - 1, -1, -1):
            for k in range(0, C, SCRATCH):
                m = min(k + SCRATCH, C)
                prefetch(x, max(i - 2, 0), start + k, start + m)
                prefetch(dy, max(i - 2, 0), start + k, start + m)
                subtract_components(dy, x, y, floor, i, 1, start, k, m, hi, rate, less, factor, scratch, 0, 0)
                copy_past_cache(scratch, dx, i, start + k, start + m)
        all_written()
    else:
        for m in range(N, 0, -ROWS):
            i = max(m - ROWS, 0)
            subtract_components(dy, x, y, floor, i, m - i, start, 0, C, hi, rate, less, factor, dx, i, start)


@rounded_once
def multiply(dy, y, floor, first, n, start, a, b, factor, dx, row, to):
    """dx = γ rstd dy = `factor` dy, as `scale` does it. A number of dy counts as 0 where y is at most `floor`."""
    zero = dy.dtype.type(0)
    for r in range(n):
        i, o = np.uintp(first + r), np.uintp(row + r)
        for j in range(b - a):
            k, m = np.uintp(a + j), np.uintp(start + a + j)
            dx[o, np.uintp(to + j)] = factor[k] * (zero if y[i, m] <= floor else dy[i, m])


@in_order
def project_by_constants(start, stop, dy, x, y, gamma, statistics, relu, dx, sums):
    """As `project`, where μ and v were given: dx = γ rstd dy, dγ = Σ dy x̂ and dβ = Σ dy, in one sweep."""
    N, C, T = len(x), stop - start, x.dtype.type
    hi, rstd, factor = statistics[0, start:stop], statistics[2, start:stop], statistics[2, start:stop] * gamma[start:stop]
    floor = T(0) if relu else T(np.nan)  # no number is at most NaN, but x may be -inf
    past, none = go_past(dx, start, stop), np.zeros(C, x.dtype)
    part, part2, part3, s, q = none.copy(), none.copy(), none.copy(), np.zeros(C), np.zeros(C)
    scratch = np.empty((1, SCRATCH if past else 0), x.dtype)
    for n in range(0, N, ROWS):
        after = min(n + ROWS, N)
        add_products(dy, x, y, floor, n, after, start, hi, rstd, none, part, part2, part3)
        flush(part, s)
        flush(part3, q)
        if past:
            for i in range(n, after):
                for k in range(0, C, SCRATCH):
                    m = min(k + SCRATCH, C)
                    multiply(dy, y, floor, i, 1, start, k, m, factor, scratch, 0, 0)
                    copy_past_cache(scratch, dx, i, start + k, start + m)
        else:
            multiply(dy, y, floor, n, after - n, start, 0, C, factor, dx, n, start)
    all_written()
    for j in range(C):
        sums[0, start + j], sums[1, start + j] = T(q[j]), T(s[j])
