"""GELU and its derivative, each in two sweeps. The formulas are in `ops/activation.py`.

NumPy's exp and tanh run between the sweeps: they are faster than any that the compiler has. All arrays are flat.

With z = |x| / √2, the normal distribution's tail is Φ(-|x|) = erfc(z) / 2 = e^(-z²) f(z) / (2 (1 + 2z)), where f changes so
little that a polynomial in t = (z - K) / (z + K) gives all its digits: Shepherd and Laframboise 1981, "Chebyshev approximation
of (1 + 2x) exp(x²) erfc x in 0 ≤ x < ∞".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial.chebyshev import cheb2poly

from .compiled import in_order

# f(z) = (1 + 2z) e^(z²) erfc(z) as a Chebyshev series in t. Computed with 40 digits from its values at 60 nodes.
K = 3.75
SERIES = [
    *(1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189, -0.026658668435305753),
    *(0.009074997670705265, -0.002413163540417608, 0.0004907758365258086, -6.916973302501207e-05, 4.13902798607301e-06),
    *(7.74038306619849e-07, -2.1886401049234397e-07, 1.076499946567091e-08, 4.521959811218287e-09, -7.754400208831351e-10),
    *(-6.318088340886684e-11, 2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14),
    *(3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15, 7.418235256624044e-17),
]
POLYNOMIAL_32, POLYNOMIAL_64 = cheb2poly(SERIES[:12]), cheb2poly(SERIES)  # what is left out is below the rounding error
LARGEST = 40.0  # of |x|: Φ(-40) is 0 in both dtypes, and 40² does not overflow
BLOCK = 512  # so many numbers at a time go through all steps of a sweep
SLOPE, CUBIC = math.sqrt(2 / math.pi), 0.044715  # k and c of the approximation by tanh
MOST = 32.0  # beyond, tanh(u) is 1 or -1 in both dtypes, and x³ might overflow
ROOT_HALF, DENSITY = math.sqrt(0.5), 1 / math.sqrt(2 * math.pi)


@in_order
def exponents(x, e):
    """e = -x²/2."""
    T = x.dtype.type
    for j in range(x.size):
        a = T(LARGEST) if abs(x[j]) > T(LARGEST) else abs(x[j])
        e[j] = -(T(0.5) * a * a)


@in_order
def tails(x, e, t, p):
    """p becomes Φ(-|x|), where e = e^(-x²/2)."""
    T = x.dtype.type
    c = POLYNOMIAL_32 if x.itemsize == 4 else POLYNOMIAL_64
    for j in range(x.size):
        a = T(LARGEST) if abs(x[j]) > T(LARGEST) else abs(x[j])
        t[j] = T(1) - T(2 * K) / (a * T(ROOT_HALF) + T(K))
        p[j] = 0
    for k in range(len(c) - 4, -1, -4):  # four terms at a time, as p is read and written each time
        c0, c1, c2, c3 = T(c[k]), T(c[k + 1]), T(c[k + 2]), T(c[k + 3])
        for j in range(x.size):
            p[j] = (((p[j] * t[j] + c3) * t[j] + c2) * t[j] + c1) * t[j] + c0
    for j in range(x.size):
        a = T(LARGEST) if abs(x[j]) > T(LARGEST) else abs(x[j])
        p[j] *= e[j] / (T(2) + T(4 * ROOT_HALF) * a)


@in_order
def gelu(x, e, y):
    """y = x Φ(x), where e = e^(-x²/2)."""
    T = x.dtype.type
    t, p = np.empty(BLOCK, x.dtype), np.empty(BLOCK, x.dtype)
    for n in range(0, x.size, BLOCK):
        x_, y_ = x[n : n + BLOCK], y[n : n + BLOCK]
        tails(x_, e[n : n + BLOCK], t, p)
        for j in range(x_.size):
            y_[j] = x_[j] * (p[j] if x_[j] < 0 else T(1) - p[j])


@in_order
def gelu_backward(x, e, dy, dx):
    """dx = dy (Φ(x) + x φ(x)), where φ(x) = e^(-x²/2) / √2π."""
    T = x.dtype.type
    t, p = np.empty(BLOCK, x.dtype), np.empty(BLOCK, x.dtype)
    for n in range(0, x.size, BLOCK):
        x_, e_, dy_, dx_ = x[n : n + BLOCK], e[n : n + BLOCK], dy[n : n + BLOCK], dx[n : n + BLOCK]
        tails(x_, e_, t, p)
        for j in range(x_.size):
            dx_[j] = dy_[j] * ((p[j] if x_[j] < 0 else T(1) - p[j]) + x_[j] * (e_[j] * T(DENSITY)))


@in_order
def arguments(x, u):
    """u = k (x + c x³)."""
    T = x.dtype.type
    k, c, most = T(SLOPE), T(CUBIC), T(MOST)
    for j in range(x.size):
        a = most if x[j] > most else -most if x[j] < -most else x[j]
        u[j] = k * (a + c * a * a * a)


@in_order
def gelu_tanh(x, t, y):
    """y = x (1 + t) / 2, where t = tanh(u)."""
    T = x.dtype.type
    for j in range(x.size):
        y[j] = T(0.5) * x[j] * (T(1) + t[j])


@in_order
def gelu_tanh_backward(x, t, dy, dx):
    """dx = dy ((1 + t) / 2 + x (1 - t²) k (1 + 3 c x²) / 2)."""
    T = x.dtype.type
    k, c, most, half = T(SLOPE), T(3 * CUBIC), T(MOST), T(0.5)
    for j in range(x.size):
        a = most if x[j] > most else -most if x[j] < -most else x[j]
        dx[j] = dy[j] * (half * (T(1) + t[j]) + half * a * (T(1) - t[j] * t[j]) * (k * (T(1) + c * a * a)))
