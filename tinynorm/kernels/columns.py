"""BatchNorm of (N, C), each sweep fused: a group is a column. The formulas are in `ops/normalization_formula.py`.

A sweep goes through the rows, four at a time, and adds to sums of all columns at once. The sums of a block of rows, in x's
dtype, are added to sums in float64. A second sweep, when the sums are known, begins with the last rows, which may be in the
processor's cache still. Where two threads share the work, each takes half of the rows in both sweeps: then `sum_moments` and
`sum_products` do the first sweep, and hand its sums to the second.

The mean is not known before the first sweep: the moments are taken about a number near it, the mean of some rows.

Whether there is a ReLU is asked where it matters, in the inner loops: the compiler makes two loops of each, and the one without
does not read y. (With one loop for both, in which y is compared with -inf, the sweeps of `project` take twice as long.)
"""

from __future__ import annotations

import numpy as np

from .compiled import in_order, rounded_once
from .streams import all_written, copy_past_cache, goes_past, prefetch

ROWS = 64  # rows of a block (at most `sums.ROWS`, which keeps a sum's error below 2e-6)
# So many rows have a mean that is near enough to that of all. (It must be for each column, else all are swept again: of normal
# numbers, the mean of 16 is a standard deviation away once in 16,000 columns, that of 32 once in 60 million.)
SOME = 32
SCRATCH = 256  # so many numbers are made before they are written past the cache (see `rows.SCRATCH`)
AHEAD = 2  # so many rows before it is read, a row is asked for


@in_order
def mean_of_rows(x, y, relu):
    """The mean of the first rows. Behind a ReLU, a number counts as 0 where y, its output, is not positive."""
    n, zero, s = min(len(x), SOME), x.dtype.type(0), np.zeros(x.shape[1], x.dtype)
    for i in range(n):
        for j in range(s.size):
            k = np.uintp(j)
            g = x[i, k]
            if relu:
                g = zero if y[i, k] <= 0 else g
            s[j] += g
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
def add_moments(x, first, stop, h, s, q):
    """Of the rows from `first` to `stop`, with c = x - h, add c and c² to s and q."""
    four = stop - (stop - first) % 4
    for i in range(first, four, 4):
        for j in range(h.size):
            k = np.uintp(j)
            c0, c1, c2, c3 = x[i, k] - h[j], x[i + 1, k] - h[j], x[i + 2, k] - h[j], x[i + 3, k] - h[j]
            s[j] += (c0 + c1) + (c2 + c3)
            q[j] += (c0 * c0 + c1 * c1) + (c2 * c2 + c3 * c3)
    for i in range(four, stop):
        for j in range(h.size):
            c = x[i, j] - h[j]
            s[j] += c
            q[j] += c * c


@in_order
def moments(x, start, stop, h, sums):
    """Of the rows from `start` to `stop`, the moments about h: `sums` gets Σ c and Σ c² of each column, where c = x - h."""
    part, part2 = np.zeros(h.size, x.dtype), np.zeros(h.size, x.dtype)
    sums[:] = 0
    for n in range(start, stop, ROWS):
        add_moments(x, n, min(n + ROWS, stop), h, part, part2)
        flush(part, sums[0])
        flush(part2, sums[1])


@in_order
def sum_moments(start, stop, x, sums):
    """The first sweep of `standardize`, through the rows from `start` to `stop`."""
    moments(x, start, stop, mean_of_rows(x, x, False), sums)


@in_order
def settle(parts, N, rest, var):
    """From the moments about h of all parts: the mean less h, and the variance. True if h was near: then nothing cancelled."""
    near = True
    for j in range(rest.size):
        s = q = 0.0
        for p in range(len(parts)):
            s += parts[p, 0, j]
            q += parts[p, 1, j]
        rest[j] = s / N
        var[j] = q / N - rest[j] * rest[j]
        near &= not rest[j] * rest[j] > var[j]
    return near


@rounded_once
def scale(x, i, a, b, hi, factor, summand, relu, y, row, to):
    """y = γ x̂ + β = (x - hi) γ rstd + (β - γ lo rstd), or max(y, 0), of row i and of the columns from a to b.

    They go to row `row` of y, to its columns from `to` on.
    """
    floor = x.dtype.type(0) if relu else x.dtype.type(-np.inf)  # x has no number that is smaller, as then v would not fit
    for j in range(b - a):
        k = np.uintp(a + j)
        v = (x[i, k] - hi[k]) * factor[k] + summand[k]
        y[row, np.uintp(to + j)] = floor if v <= floor else v


@in_order
def standardize(start, stop, x, gamma, beta, eps, least, given, relu, parts, y, statistics):
    """y = γ x̂ + β, or max(y, 0), of the rows from `start` to `stop`, where x̂ = (x - hi) rstd - lo rstd.

    `parts` has the moments of each part of the rows; if it is empty, the first sweep is done here. Of each column, `statistics`
    gets the mean in two parts (lo is what hi rounds away), as hi and lo rstd; then rstd and v. Its last row says at 0 whether
    all v are in a safe range: at least `least`, and with a square that is finite. If μ and v are `given`, `statistics` has
    them, as hi and v.
    """
    T, (N, C), fits = x.dtype.type, x.shape, True
    mine = statistics if start == 0 else statistics.copy()  # all parts find the same; the first one writes it down
    hi, lo_rstd, rstd, v = mine[0], mine[1], mine[2], mine[3]
    h, rest, var = hi.copy() if given else mean_of_rows(x, x, False), np.zeros(C), v.astype(np.float64)
    found, again = parts, False
    while not given:
        if len(found) == 0:
            found = np.empty((1, 2, C))
            moments(x, 0, N, h, found[0])
        if settle(found, N, rest, var) or again:
            break
        again, found = True, found[:0]
        for j in range(C):
            h[j] += rest[j]
    factor, summand = np.empty(C, x.dtype), np.empty(C, x.dtype)
    for j in range(C):
        hi[j], rstd[j], v[j] = T(h[j] + rest[j]), T(1 / np.sqrt(var[j] + eps)), T(var[j])
        lo_rstd[j] = T(((h[j] - hi[j]) + rest[j]) * rstd[j])
        fits &= v[j] >= least and v[j] * v[j] < np.inf
        factor[j] = gamma[j] * rstd[j]
        summand[j] = beta[j] - gamma[j] * lo_rstd[j]
    mine[4, 0] = fits
    write_scaled(start, stop, x, hi, factor, summand, relu, y)


@in_order
def write_scaled(start, stop, x, hi, factor, summand, relu, y):
    """The second sweep of `standardize`: see `scale`."""
    C, past = x.shape[1], goes_past(y)
    scratch = np.empty((1, SCRATCH if past else 0), x.dtype)
    out, piece = (scratch, SCRATCH) if past else (y, C)
    for i in range(stop - 1, start - 1, -1):
        for k in range(0, C, piece):
            m = min(k + piece, C)
            if past:
                prefetch(x, max(i - AHEAD, 0), k, m)
            scale(x, i, k, m, hi, factor, summand, relu, out, 0 if past else i, 0 if past else k)
            if past:
                copy_past_cache(scratch, y, i, k, m)
    all_written()


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
def add_products(dy, x, y, relu, first, stop, hi, rstd, h, s, r, q):
    """Of the rows from `first` to `stop`, with u = dy - h, add u, u² and u (x - hi) rstd to s, r and q."""
    zero = dy.dtype.type(0)
    four = stop - (stop - first) % 4
    for i in range(first, four, 4):
        for j in range(h.size):
            k = np.uintp(j)
            g0, g1, g2, g3 = dy[i, k], dy[i + 1, k], dy[i + 2, k], dy[i + 3, k]
            if relu:
                g0, g1 = zero if y[i, k] <= 0 else g0, zero if y[i + 1, k] <= 0 else g1
                g2, g3 = zero if y[i + 2, k] <= 0 else g2, zero if y[i + 3, k] <= 0 else g3
            u0, u1, u2, u3 = g0 - h[j], g1 - h[j], g2 - h[j], g3 - h[j]
            m, t = hi[j], rstd[j]
            x0, x1, x2, x3 = (x[i, k] - m) * t, (x[i + 1, k] - m) * t, (x[i + 2, k] - m) * t, (x[i + 3, k] - m) * t
            s[j] += (u0 + u1) + (u2 + u3)
            r[j] += (u0 * u0 + u1 * u1) + (u2 * u2 + u3 * u3)
            q[j] += (u0 * x0 + u1 * x1) + (u2 * x2 + u3 * x3)
    for i in range(four, stop):
        for j in range(h.size):
            u = (zero if relu and y[i, j] <= 0 else dy[i, j]) - h[j]
            s[j] += u
            r[j] += u * u
            q[j] += u * ((x[i, j] - hi[j]) * rstd[j])


@in_order
def products(dy, x, y, relu, start, stop, hi, rstd, h, sums):
    """Of the rows from `start` to `stop`, the products about h: `sums` gets Σ u, Σ u² and Σ u (x - hi) rstd."""
    C, T = h.size, x.dtype
    part, part2, part3 = np.zeros(C, T), np.zeros(C, T), np.zeros(C, T)
    sums[:] = 0
    for n in range(start, stop, ROWS):
        add_products(dy, x, y, relu, n, min(n + ROWS, stop), hi, rstd, h, part, part2, part3)
        flush(part, sums[0])
        flush(part2, sums[1])
        flush(part3, sums[2])


@in_order
def sum_products(start, stop, dy, x, y, statistics, relu, sums):
    """The first sweep of `project`, through the rows from `start` to `stop`."""
    products(dy, x, y, relu, start, stop, statistics[0], statistics[2], mean_of_rows(dy, y, relu), sums)


@in_order
def settle_products(parts, N, lo_rstd, rest, q):
    """From the products about h of all parts: the mean of dy less h, and Σ u x̂. True if h was near (as in `settle`)."""
    near = True
    for j in range(rest.size):
        s = r = u_x = 0.0
        for p in range(len(parts)):
            s += parts[p, 0, j]
            r += parts[p, 1, j]
            u_x += parts[p, 2, j]
        rest[j] = s / N
        q[j] = u_x - s * lo_rstd[j]
        near &= not rest[j] * rest[j] > r / N - rest[j] * rest[j]
    return near


@rounded_once
def subtract_components(dy, x, y, relu, i, a, b, hi, rate, less, factor, dx, row, to):
    """dx = γ rstd (dy - mean(dy) - x̂ mean(u x̂)) = `factor` ((dy - `less`) - (x - hi) `rate`), as `scale` does it."""
    zero = dy.dtype.type(0)
    for j in range(b - a):
        k = np.uintp(a + j)
        g = dy[i, k]
        if relu:
            g = zero if y[i, k] <= 0 else g
        dx[row, np.uintp(to + j)] = factor[k] * ((g - less[k]) - (x[i, k] - hi[k]) * rate[k])


@in_order
def project(start, stop, dy, x, y, gamma, statistics, relu, parts, dx, sums):
    """dx of the rows from `start` to `stop`; and `sums` gets dγ and dβ.

    As Σ x̂ = 0, dγ = Σ u x̂ for any u that is dy less a number. `parts` has the products of each part of the rows; if it is
    empty, the first sweep is done here.
    """
    (N, C), T = x.shape, x.dtype.type
    hi, lo_rstd, rstd = statistics[0], statistics[1], statistics[2]
    h, rest, q = mean_of_rows(dy, y, relu), np.empty(C), np.empty(C)
    found, again = parts, False
    while True:
        if len(found) == 0:
            found = np.empty((1, 3, C))
            products(dy, x, y, relu, 0, N, hi, rstd, h, found[0])
        if settle_products(found, N, lo_rstd, rest, q) or again:
            break
        again, found = True, found[:0]
        for j in range(C):
            h[j] += rest[j]
    rate, less, factor = np.empty(C, x.dtype), np.empty(C, x.dtype), np.empty(C, x.dtype)
    for j in range(C):
        mean_dy, mean_u_x_hat = h[j] + rest[j], q[j] / N
        rate[j], less[j] = T(rstd[j] * mean_u_x_hat), T(mean_dy - lo_rstd[j] * mean_u_x_hat)
        factor[j] = rstd[j] * gamma[j]
        sums[0, j], sums[1, j] = T(q[j]), T(N * mean_dy)
    write_components(start, stop, dy, x, y, relu, hi, rate, less, factor, dx)


@in_order
def write_components(start, stop, dy, x, y, relu, hi, rate, less, factor, dx):
    """The second sweep of `project`: see `subtract_components`."""
    C, past = x.shape[1], goes_past(dx)
    scratch = np.empty((1, SCRATCH if past else 0), x.dtype)
    out, piece = (scratch, SCRATCH) if past else (dx, C)
    for i in range(stop - 1, start - 1, -1):
        for k in range(0, C, piece):
            m, before = min(k + piece, C), max(i - AHEAD, 0)
            if past:
                prefetch(x, before, k, m)
                prefetch(dy, before, k, m)
            if past and relu:
                prefetch(y, before, k, m)
            row, to = (0, 0) if past else (i, k)
            subtract_components(dy, x, y, relu, i, k, m, hi, rate, less, factor, out, row, to)
            if past:
                copy_past_cache(scratch, dx, i, k, m)
    all_written()


@rounded_once
def multiply(dy, y, relu, i, a, b, factor, dx, row, to):
    """dx = γ rstd dy = `factor` dy, as `scale` does it. Behind a ReLU, dy counts as 0 where y is not positive."""
    zero = dy.dtype.type(0)
    for j in range(b - a):
        k = np.uintp(a + j)
        g = dy[i, k]
        if relu:
            g = zero if y[i, k] <= 0 else g
        dx[row, np.uintp(to + j)] = factor[k] * g


@in_order
def project_by_constants(start, stop, dy, x, y, gamma, statistics, relu, dx, sums):
    """As `project`, where μ and v were given: dx = γ rstd dy, dγ = Σ dy x̂ and dβ = Σ dy, of these rows, in one sweep."""
    C, T = x.shape[1], x.dtype.type
    hi, rstd, factor = statistics[0], statistics[2], statistics[2] * gamma
    past, none, found = goes_past(dx), np.zeros(C, x.dtype), np.zeros((3, C))
    part, part2, part3 = none.copy(), none.copy(), none.copy()
    scratch = np.empty((1, SCRATCH if past else 0), x.dtype)
    out, piece = (scratch, SCRATCH) if past else (dx, C)
    for n in range(start, stop, ROWS):
        after = min(n + ROWS, stop)
        add_products(dy, x, y, relu, n, after, hi, rstd, none, part, part2, part3)
        flush(part, found[0])
        flush(part3, found[2])
        for i in range(n, after):
            for k in range(0, C, piece):
                m = min(k + piece, C)
                multiply(dy, y, relu, i, k, m, factor, out, 0 if past else i, 0 if past else k)
                if past:
                    copy_past_cache(scratch, dx, i, k, m)
    all_written()
    for j in range(C):
        sums[0, j], sums[1, j] = T(found[2, j]), T(found[0, j])
