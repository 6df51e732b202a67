"""The updates of optimisers, each in one sweep over memory. The formulas are in `optim/`; the results are the same to the bit.

All arrays are flat; the last one holds the settings: one array is handed over faster than many numbers. There are two
differences. After a square overflows, more rows than those of the formula's block go on with roots, which round differently.
And where the gradient is 0, an average that is smaller than any normal number becomes 0. Such numbers make arithmetic up to 30
times slower, and the average of a gradient that has died would keep them for ever: 0.9 times the smallest rounds to itself.
"""

from __future__ import annotations

import numpy as np

from .compiled import any_order, in_order


@in_order
def sgd(theta, g, settings):
    """θ ← θ - η (g + λ θ); `sign` is -1 where the loss is maximised."""
    lr, decay, sign = settings[0], settings[1], settings[2]
    for i in range(theta.size):
        d = g[i] * sign
        if decay != 0:
            d += theta[i] * decay
        theta[i] -= d * lr


@in_order
def momentum(theta, g, b, settings):
    """b ← μ b + kept g, θ ← θ - η b; with `nesterov` θ ← θ - η (g + μ b)."""
    lr, decay, sign, mu, kept, least = settings[0], settings[1], settings[2], settings[3], settings[4], settings[5]
    nesterov, zero = settings[6] != 0, theta.dtype.type(0)
    for i in range(theta.size):
        d = g[i] * sign
        if decay != 0:
            d += theta[i] * decay
        b_ = b[i] * mu + d * kept
        b[i] = zero if d == 0 and abs(b_) < least else b_
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
def adam(theta, g, m, v, settings):
    """m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g², θ ← θ - α m / (√v + ε).

    Returns True, and changes nothing, if a square overflows. `shrink` is 1 - η λ where the decay is decoupled, else 1.
    """
    alpha, eps, decay, shrink, sign = settings[0], settings[1], settings[2], settings[3], settings[4]
    beta1, rest1, beta2, rest2 = settings[5], settings[6], settings[7], settings[8]
    limit, least = settings[9], settings[10]
    decay_ = decay * sign  # which the gradient gets before its sign
    if not sum_of_squares(theta, g, decay_) < np.inf and squares_overflow(theta, g, decay_, limit):  # a sum is faster
        return True
    zero = theta.dtype.type(0)
    for i in range(theta.size):
        d = g[i] * sign
        if decay != 0:
            d += theta[i] * decay
        m_ = m[i] * beta1 + d * rest1
        v_ = v[i] * beta2 + d * d * rest2
        m[i] = zero if d == 0 and abs(m_) < least else m_
        v[i] = zero if d == 0 and v_ < least else v_
        theta[i] = theta[i] * shrink - m_ / (np.sqrt(v_) + eps) * alpha
    return False
