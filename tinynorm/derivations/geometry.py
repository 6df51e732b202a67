"""Chapter 12: The backward pass is a projection, up to ε.

The backward pass of standardising turns the gradient g of x̂ into dx = r P(g) (CF.23). For any vector w of m numbers, where m is
the size of the group, P(w) = w - mean(w) - x̂ mean(w x̂). For a fixed x, P is linear in w, so it is an m by m matrix. This
chapter finds its eigenvectors and eigenvalues, and shows that it is symmetric. If ε = 0 it is a projection: P applied twice is
the same as P applied once.

This says something about the layer in front of the normalisation. Here that is a linear layer with one output, x = A W + b:
the rows of A are its inputs, the column W holds its weights, and b is its bias. The gradient of b is 0. And if ε = 0, the
gradient of W is orthogonal to W.
"""

import numpy as np

from ..ops import batch_norm, sqrt
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=12,
    key="GE",
    name="geometry",
    text=__doc__,
    sizes={"i": "m", "j": "K"},
    given={"A": "ij", "W": "j.", "b": "..", "w": "i.", "u": "i.", "x_1": ".", "x_2": ".", "g_1": ".", "g_2": "."},
    output="x_hat",
    upstream="g",
    settings={"axes": (0,), "eps": 0.1},
)


@chapter.op
def op(A, W, b, eps):
    return batch_norm(A @ W + b, training=True, eps=eps)


chapter.section("The backward pass")


@chapter.forward("GE.1", "The linear layer computes each of the m numbers of the group from one row of A.")
def x(A, W, b):
    return A @ W + b


@chapter.forward("GE.2", "Centring (CE.2).")
def c(x, axes):
    return x - mean_over(x, axes)


@chapter.forward("GE.3", "The reciprocal of the standard deviation (BN.4).")
def rstd(c, eps, axes):
    return 1 / sqrt(mean_over(c * c, axes) + eps)


@chapter.forward("GE.4", "The standardised numbers (BN.5).")
def x_hat(c, rstd):
    return c * rstd


@chapter.adjoint("GE.5", "r multiplies every c of the group, so the contributions g c add up (BN.10).")
def drstd(g, c, axes):
    return sum_over(g * c, axes)


@chapter.adjoint(
    "GE.6",
    "c acts on x̂ = c r directly, which gives r g, and through r, which gives the other term. CF.8 to CF.18 are the steps.",
)
def dc(g, rstd, x_hat, axes):
    return rstd * (g - x_hat * mean_over(g * x_hat, axes))


@chapter.adjoint("GE.7", "The backward pass of centring is centring (CE.8).")
def dx(dc, axes):
    return dc - mean_over(dc, axes)


@chapter.forward("GE.8", "P applied to g: subtract from g its mean, and x̂ times the mean of g x̂.")
def Pg(g, x_hat, axes):
    return g - mean_over(g, axes) - x_hat * mean_over(g * x_hat, axes)


@chapter.rewriting(
    "GE.9",
    "Insert GE.6 into GE.7. The mean of x̂ is 0 (ST.8), so the mean of dc is r times the mean of g. Together this is r P(g), "
    "as in CF.23.",
)
def dx(rstd, Pg):
    return rstd * Pg


chapter.section(
    "Eigenvectors",
    "An eigenvector of P is a vector, not 0, that P only multiplies by a number, its eigenvalue. If the numbers x are not all "
    "equal, P has three kinds: the vector of ones, x̂, and every vector that is orthogonal to both.",
)


@chapter.forward(
    "GE.10",
    "P applied to the vector of ones, called 1. Each of its numbers is equal to its mean, so the first two terms cancel, and "
    "only the last one is left.",
)
def P1(x_hat, axes):
    return -x_hat * mean_over(x_hat, axes)


@chapter.rewriting("GE.11", "The mean of x̂ is 0 (ST.8). So 1 is an eigenvector, and its eigenvalue is 0.")
def P1():
    return 0


@chapter.forward("GE.12", "P applied to x̂.")
def Px(x_hat, axes):
    return x_hat - mean_over(x_hat, axes) - x_hat * mean_over(x_hat * x_hat, axes)


@chapter.rewriting("GE.13", "The mean of x̂ is 0, so the second term vanishes. Factor out x̂: the mean of x̂² is a single number.")
def Px(x_hat, axes):
    return x_hat * (1 - mean_over(x_hat * x_hat, axes))


@chapter.rewriting(
    "GE.14",
    "The mean of x̂² is 1 - ε / (v + ε) (ST.12), where v is the variance, and 1 / (v + ε) is r² (GE.3). So x̂ is an "
    "eigenvector with the eigenvalue ε r², which is 0 if ε = 0.",
)
def Px(x_hat, rstd, eps):
    return eps * rstd**2 * x_hat


@chapter.forward(
    "GE.15",
    "Take any w, and remove its components along 1 and along x̂: subtract its mean, and x̂ mean(w x̂) / mean(x̂²). Here all "
    "is multiplied by mean(x̂²), so that no division is needed.",
)
def h(w, x_hat, axes):
    return mean_over(x_hat * x_hat, axes) * (w - mean_over(w, axes)) - x_hat * mean_over(w * x_hat, axes)


@chapter.forward("GE.16", "P applied to h.")
def Ph(h, x_hat, axes):
    return h - mean_over(h, axes) - x_hat * mean_over(h * x_hat, axes)


@chapter.rewriting(
    "GE.17",
    "mean(h) is 0, because w - mean(w) and x̂ have mean 0. mean(h x̂) is mean(x̂²) mean(w x̂) - mean(w x̂) mean(x̂²), which "
    "is 0. So h is an eigenvector with the eigenvalue 1. Such vectors fill m - 2 dimensions.",
)
def Ph(h):
    return h


@chapter.table("The eigenvalues of P for x = 0, 1, 2, 4, 8, computed from the matrix", "ε", "eigenvalues", "ε / (v + ε)")
def eigenvalues():
    x = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
    rows = []
    for eps in (0.0, 0.1, 2.0, 8.0):
        x_hat = (x - x.mean()) / np.sqrt(x.var() + eps)
        P = np.eye(5) - np.ones((5, 5)) / 5 - np.outer(x_hat, x_hat) / 5
        found = sorted(abs(round(float(value), 6)) for value in np.linalg.eigvalsh(P))
        rows.append((f"{eps:g}", ", ".join(f"{value:.4g}" for value in found), f"{eps / (x.var() + eps):.4g}"))
    return rows


chapter.section(
    "A symmetric matrix, and nearly a projection",
    "A matrix P is symmetric if Σ u P(w) = Σ P(u) w for all vectors u and w.",
)


@chapter.forward("GE.18", "P applied to any vector w.")
def Pw(w, x_hat, axes):
    return w - mean_over(w, axes) - x_hat * mean_over(w * x_hat, axes)


@chapter.forward("GE.19", "P applied to any other vector u.")
def Pu(u, x_hat, axes):
    return u - mean_over(u, axes) - x_hat * mean_over(u * x_hat, axes)


@chapter.forward("GE.20", "The scalar product of u and P(w).")
def s(u, Pw, axes):
    return sum_over(u * Pw, axes)


@chapter.rewriting(
    "GE.21",
    "Multiplied out, both sums are Σ u w - m mean(u) mean(w) - m mean(u x̂) mean(w x̂), so P is symmetric. The Jacobian of x̂ "
    "is the transpose of the backward map r P, so it is r P too: a small change w of x changes x̂ by r P(w).",
)
def s(w, Pu, axes):
    return sum_over(Pu * w, axes)


@chapter.forward("GE.22", "P applied twice.")
def PPw(Pw, x_hat, axes):
    return Pw - mean_over(Pw, axes) - x_hat * mean_over(Pw * x_hat, axes)


@chapter.rewriting(
    "GE.23",
    "The symmetry (GE.21) moves P to the other factor. So mean(P(w)) is mean(w P(1)), which is 0 (GE.11). And mean(P(w) x̂) "
    "is mean(w P(x̂)), which is ε r² mean(w x̂) (GE.14). If ε = 0, P(P(w)) is P(w): P is a projection.",
)
def PPw(Pw, w, x_hat, rstd, eps, axes):
    return Pw - eps * rstd**2 * x_hat * mean_over(w * x_hat, axes)


chapter.section(
    "What follows for the layer in front",
    "The gradients of b and W are computed from dx = r P(g). So what P removes from g is missing in them.",
)


@chapter.adjoint("GE.24", "b is added to every number of the group, so its gradient is the sum of dx.")
def db(dx, axes):
    return sum_over(dx, axes)


@chapter.rewriting(
    "GE.25",
    "The sum of dx is r times the scalar product of P(g) and 1. This is equal to the one of g and P(1) (GE.21), and P(1) is 0 "
    "(GE.11). So a bias in front of BatchNorm gets no gradient, and may be left out.",
)
def db():
    return 0


@chapter.forward("GE.26", "The mean of the group, which GE.2 subtracts.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.rewriting(
    "GE.27",
    "Insert GE.1. b shifts all numbers, and so their mean, by the same amount. GE.2 subtracts this mean, so c does not depend "
    "on b: this is another reason why the gradient of b is 0.",
)
def mu(A, W, b, axes):
    return mean_over(A @ W, axes) + b


@chapter.adjoint("GE.28", "The gradient of the second factor of a matrix product (VJ.22).")
def dW(dx, A):
    return A.T @ dx


@chapter.forward(
    "GE.29",
    "The scalar product of W and its gradient. A step from W to W - η dW, with a small η > 0, changes the square of W's "
    "length by -2 η t + η² Σ dW².",
)
def t(dW, W, axes):
    return sum_over(dW * W, axes)


@chapter.rewriting(
    "GE.30", "Insert GE.28: t is the sum of dx_i A_ij W_j over i and j. Add over j first: the sum of A_ij W_j is (A W)_i."
)
def t(dx, A, W, axes):
    return sum_over(dx * (A @ W), axes)


@chapter.rewriting(
    "GE.31",
    "By GE.1 and GE.2, A W is c + μ - b. μ and b are the same for all i, and the sum of dx is 0 (GE.25), so they add nothing.",
)
def t(dx, c, axes):
    return sum_over(dx * c, axes)


@chapter.rewriting(
    "GE.32",
    "Insert dx = r P(g) and c = x̂ / r, and move P to x̂ (GE.21): P(x̂) is ε r² x̂ (GE.14). If ε = 0, t is 0: dW is "
    "orthogonal to W, and each step W - η dW makes W longer (GE.29), unless dW is 0.",
)
def t(g, x_hat, rstd, eps, axes):
    return eps * rstd**2 * sum_over(g * x_hat, axes)


chapter.section(
    "A group of two numbers",
    "For m = 2 there are no directions besides those of 1 and x̂, so P has no eigenvalue 1. The two numbers are x₁ and x₂, and "
    "the gradients that arrive at the two x̂ are g₁ and g₂.",
)


@chapter.forward("GE.33", "The first number, centred. The second one, centred, is -a.")
def a(x_1, x_2):
    return x_1 - (x_1 + x_2) / 2


@chapter.rewriting("GE.34", "a is half the difference of the two numbers.")
def a(x_1, x_2):
    return (x_1 - x_2) / 2


@chapter.forward(
    "GE.35",
    "The first number, standardised: both centred numbers have the square a², so the variance is a². The second one is -ẑ. If "
    "ε = 0 and x₁ ≠ x₂, ẑ is 1 or -1, whatever the two numbers are.",
)
def z_hat(a, eps):
    return a / sqrt(a**2 + eps)


@chapter.forward("GE.36", "The first number of P(g), by GE.8: x̂ is ẑ and -ẑ, so the mean of g x̂ is (g₁ ẑ - g₂ ẑ) / 2.")
def p(g_1, g_2, z_hat):
    return g_1 - (g_1 + g_2) / 2 - z_hat * (g_1 * z_hat - g_2 * z_hat) / 2


@chapter.rewriting(
    "GE.37", "g₁ minus the mean is (g₁ - g₂) / 2, and the last term is (g₁ - g₂) ẑ² / 2. Factor out (g₁ - g₂) / 2."
)
def p(g_1, g_2, z_hat):
    return (g_1 - g_2) * (1 - z_hat**2) / 2


@chapter.rewriting(
    "GE.38",
    "By GE.35, 1 - ẑ² is ε / (a² + ε). If the variance a² is much larger than ε, this is nearly 0: almost no gradient gets "
    "through.",
)
def p(g_1, g_2, a, eps):
    return (g_1 - g_2) * eps / (2 * (a**2 + eps))
