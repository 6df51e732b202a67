"""The updates of optimisers, each in one sweep over memory. The formulas are in `optim/`; the results are the same to the bit.

A kernel does the step of many parameters at once: to hand over one array takes as long as a sweep over a small one. It gets a
table with a row of whole numbers for each parameter, or for a part of it: room for one number, where the part begins and ends,
and the `id` of θ, g and each array of the state, which are row-major and all of the settings' dtype. The caller holds them.

There are two differences. After a square overflows, more rows than those of the formula's block go on with roots, which round
differently. And where the gradient is 0, an average that is smaller than any normal number becomes 0. Such numbers make
arithmetic up to 30 times slower, and the average of a gradient that has died would keep them for ever: 0.9 times the smallest
rounds to itself. (Both questions are asked of every number, with `&`: with `and` the sweep takes three times as long.)
"""

from __future__ import annotations

import numpy as np

from .compiled import address, any_order, carray, in_order, part_of

# So many numbers at a time are tested for an overflow and then swept over: θ and g stay in the processor's first cache, 32 KiB.
BLOCK = 2048


@part_of
def part(row, k, like):
    """The memory of array `k` in a row of the table, from where the part begins to where it ends."""
    return carray(address(row[3 + k], like), (row[2],))[row[1] :]


@in_order
def sgd(table, settings):
    """θ ← θ - η (g + λ θ); `sign` is -1 where the loss is maximised."""
    for row in table:
        descend(part(row, 0, settings), part(row, 1, settings), settings)


@part_of
def descend(theta, g, settings):
    lr, decay, sign = settings[0], settings[1], settings[2]
    for i in range(theta.size):
        d = g[i] * sign
        if decay != 0:
            d += theta[i] * decay
        theta[i] -= d * lr


@in_order
def momentum(table, settings):
    """b ← μ b + kept g, θ ← θ - η b; with `nesterov` θ ← θ - η (g + μ b)."""
    for row in table:
        roll(part(row, 0, settings), part(row, 1, settings), part(row, 2, settings), settings)


@part_of
def roll(theta, g, b, settings):
    lr, decay, sign, mu, kept, least = settings[0], settings[1], settings[2], settings[3], settings[4], settings[5]
    nesterov, zero = settings[6] != 0, theta.dtype.type(0)
    for i in range(theta.size):
        d = g[i] * sign
        if decay != 0:
            d += theta[i] * decay
        b_ = b[i] * mu + d * kept
        b[i] = zero if (d == 0) & (abs(b_) < least) else b_
        theta[i] -= (d + b_ * mu if nesterov else b_) * lr


@any_order
def sum_of_squares(theta, g, decay):
    s = g.dtype.type(0)
    for i in range(g.size):
        d = g[i]
        if decay != 0:
            d += theta[i] * decay
        s += d * d
    return s


@in_order
def squares_overflow(theta, g, decay, limit):
    """Whether the square of a finite gradient is infinite."""
    found = False
    for i in range(g.size):
        d = g[i]
        if decay != 0:
            d += theta[i] * decay
        found |= (abs(d) > limit) & (abs(d) < np.inf)
    return found


@in_order
def adam(table, settings):
    """m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², θ ← θ - α m / (√v + ε).

    If a square overflows, the rest of its row is left as it is. The rows get the number of the first element that is left, and
    True is returned.
    """
    decay, sign, limit = settings[2], settings[4], settings[9]
    left = False
    for row in table:
        theta, g = part(row, 0, settings), part(row, 1, settings)
        m, v = part(row, 2, settings), part(row, 3, settings)
        n, i = theta.size, 0
        while i < n:
            j = min(i + BLOCK, n)
            if overflows(theta[i:j], g[i:j], decay * sign, limit):
                left = True
                break
            average_and_step(theta[i:j], g[i:j], m[i:j], v[i:j], settings)
            i = j
        row[0] = row[1] + i
    return left


@part_of
def overflows(theta, g, decay, limit):
    """Whether a square overflows. (The sum of all squares is faster, and mostly says that none does.)"""
    return not sum_of_squares(theta, g, decay) < np.inf and squares_overflow(theta, g, decay, limit)


@part_of
def average_and_step(theta, g, m, v, settings):
    """Adam's step. `shrink` is 1 - η λ where the decay is decoupled, else 1."""
    alpha, eps, decay, shrink, sign = settings[0], settings[1], settings[2], settings[3], settings[4]
    beta1, rest1, beta2, rest2, least = settings[5], settings[6], settings[7], settings[8], settings[10]
    zero = theta.dtype.type(0)
    for i in range(theta.size):
        d = g[i] * sign
        if decay != 0:
            d += theta[i] * decay
        m_ = m[i] * beta1 + d * rest1
        v_ = v[i] * beta2 + d * d * rest2
        m[i] = zero if (d == 0) & (abs(m_) < least) else m_
        v[i] = zero if (d == 0) & (v_ < least) else v_
        theta[i] = theta[i] * shrink - m_ / (np.sqrt(v_) + eps) * alpha
