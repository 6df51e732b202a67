"""A convolution's windows copied out of planes, and added back into them, without copies that have zeros beside them."""

from __future__ import annotations

from .compiled import in_order


@in_order
def _reach(n, out, s, start):
    """From which position, and up to which, s p + start is a place in a line of n numbers."""
    first = 0 if start >= 0 else (s - 1 - start) // s
    last = (n - 1 - start) // s + 1 if n > start else 0
    return min(first, out), max(min(last, out), min(first, out))


@in_order
def unfold(x, U, s, t, before, left, d, e):
    """U[m, i, j, p, q] = x[m, s p + d i - before, t q + e j - left], 0 beside the plane. x is (M, H, W)."""
    M, K, L, P, Q = U.shape
    H, W = x.shape[1:]
    zero = x.dtype.type(0)
    for m in range(M):
        for i in range(K):
            top, bottom = _reach(H, P, s, d * i - before)
            for j in range(L):
                start = e * j - left
                first, last = _reach(W, Q, t, start)
                for p in range(P):
                    line = U[m, i, j, p]
                    if p < top or p >= bottom:
                        line[:] = zero
                        continue
                    row = x[m, s * p + d * i - before]
                    for q in range(first):
                        line[q] = zero
                    if t == 1:  # neighbours are copied together
                        for q in range(first, last):
                            line[q] = row[q + start]
                    else:
                        for q in range(first, last):
                            line[q] = row[t * q + start]
                    for q in range(last, Q):
                        line[q] = zero


@in_order
def fold(U, x, s, t, before, left, d, e):
    """The transpose of `unfold`: each number of U is added to the place in x that it was taken from."""
    M, K, L, P, Q = U.shape
    H, W = x.shape[1:]
    x[:] = x.dtype.type(0)
    for m in range(M):
        for i in range(K):
            top, bottom = _reach(H, P, s, d * i - before)
            for j in range(L):
                start = e * j - left
                first, last = _reach(W, Q, t, start)
                for p in range(top, bottom):
                    row, line = x[m, s * p + d * i - before], U[m, i, j, p]
                    if t == 1:
                        for q in range(first, last):
                            row[q + start] += line[q]
                    else:
                        for q in range(first, last):
                            row[t * q + start] += line[q]
