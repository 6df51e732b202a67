"""Chapter 12: The backward pass is a projection, up to ε.

The backward pass of standardising is r P, with the linear map P(w) = w - mean(w) - x̂ mean(w x̂) for the numbers w of one group.
This chapter looks at P as a matrix: its eigenvectors, its eigenvalues, its symmetry. They explain what training with a
normalisation does and cannot do. The group is the input x = A W + b of a BatchNorm with one feature: W and b are the weights
and the bias of the layer in front of it.
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


@chapter.forward("GE.1", "A linear layer computes each number of the group.")
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


@chapter.adjoint("GE.5", "The adjoint of r (BN.10).")
def drstd(g, c, axes):
    return sum_over(g * c, axes)


@chapter.adjoint("GE.6", "The adjoint of c, as in CF.18: what comes through r is a mean over the group.")
def dc(g, rstd, x_hat, axes):
    return rstd * (g - x_hat * mean_over(g * x_hat, axes))


@chapter.adjoint("GE.7", "The adjoint of centring (CE.8).")
def dx(dc, axes):
    return dc - mean_over(dc, axes)


@chapter.forward("GE.8", "P applied to g.")
def Pg(g, x_hat, axes):
    return g - mean_over(g, axes) - x_hat * mean_over(g * x_hat, axes)


@chapter.rewriting("GE.9", "Insert GE.6. The mean of x̂ is 0 (ST.8), so dx is r P(g), as in CF.23.")
def dx(rstd, Pg):
    return rstd * Pg


chapter.section("Eigenvectors", "An eigenvector is a direction that P only multiplies by a number, its eigenvalue.")


@chapter.forward("GE.10", "P applied to 1, the vector of ones. Less its mean it is 0, so only the last term is left.")
def P1(x_hat, axes):
    return -x_hat * mean_over(x_hat, axes)


@chapter.rewriting("GE.11", "The mean of x̂ is 0. So 1 is an eigenvector, and its eigenvalue is 0.")
def P1():
    return 0


@chapter.forward("GE.12", "P applied to x̂.")
def Px(x_hat, axes):
    return x_hat - mean_over(x_hat, axes) - x_hat * mean_over(x_hat * x_hat, axes)


@chapter.rewriting("GE.13", "The mean of x̂ is 0. In the last term, x̂ is multiplied by one number.")
def Px(x_hat, axes):
    return x_hat * (1 - mean_over(x_hat * x_hat, axes))


@chapter.rewriting("GE.14", "The mean of x̂² is 1 - ε r² (ST.12). So the eigenvalue of x̂ is ε r² = ε / (v + ε): 0 if ε = 0.")
def Px(x_hat, rstd, eps):
    return eps * rstd**2 * x_hat


@chapter.forward("GE.15", "Any w, less its components along 1 and x̂, times the mean of x̂²: so no division is needed.")
def h(w, x_hat, axes):
    return mean_over(x_hat * x_hat, axes) * (w - mean_over(w, axes)) - x_hat * mean_over(w * x_hat, axes)


@chapter.forward("GE.16", "P applied to h.")
def Ph(h, x_hat, axes):
    return h - mean_over(h, axes) - x_hat * mean_over(h * x_hat, axes)


@chapter.rewriting(
    "GE.17", "h is orthogonal to 1 and to x̂, so both means are 0: in m - 2 further directions the eigenvalue is 1."
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


chapter.section("A symmetric matrix, and nearly a projection")


@chapter.forward("GE.18", "P applied to any w.")
def Pw(w, x_hat, axes):
    return w - mean_over(w, axes) - x_hat * mean_over(w * x_hat, axes)


@chapter.forward("GE.19", "P applied to any u.")
def Pu(u, x_hat, axes):
    return u - mean_over(u, axes) - x_hat * mean_over(u * x_hat, axes)


@chapter.forward("GE.20", "The scalar product of u and P(w).")
def s(u, Pw, axes):
    return sum_over(u * Pw, axes)


@chapter.rewriting(
    "GE.21",
    "P may move to the other side: it is symmetric. So a change w of x changes x̂ by r P(w), with the same P as backward.",
)
def s(w, Pu, axes):
    return sum_over(Pu * w, axes)


@chapter.forward("GE.22", "P applied twice.")
def PPw(Pw, x_hat, axes):
    return Pw - mean_over(Pw, axes) - x_hat * mean_over(Pw * x_hat, axes)


@chapter.rewriting("GE.23", "Only the component along x̂ is changed again (GE.14). So P is a projection if ε = 0.")
def PPw(Pw, w, x_hat, rstd, eps, axes):
    return Pw - eps * rstd**2 * x_hat * mean_over(w * x_hat, axes)


chapter.section("What follows for the layer in front")


@chapter.adjoint("GE.24", "b is added to every number of the group.")
def db(dx, axes):
    return sum_over(dx, axes)


@chapter.rewriting(
    "GE.25", "dx has no component along 1 (GE.11, GE.21). A bias in front of BatchNorm is not trained and may be left out."
)
def db():
    return 0


@chapter.forward("GE.26", "The mean of the group, which GE.2 subtracts.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.rewriting(
    "GE.27", "b shifts the mean too, so it is subtracted again: c does not depend on b. That is why its gradient is 0."
)
def mu(A, W, b, axes):
    return mean_over(A @ W, axes) + b


@chapter.adjoint("GE.28", "The linear layer's gradient.")
def dW(dx, A):
    return A.T @ dx


@chapter.forward("GE.29", "The scalar product of the weights and their gradient: it tells how a step changes their length.")
def t(dW, W, axes):
    return sum_over(dW * W, axes)


@chapter.rewriting("GE.30", "Insert GE.28, and add over j first.")
def t(dx, A, W, axes):
    return sum_over(dx * (A @ W), axes)


@chapter.rewriting(
    "GE.31", "A W is c, but for b and the mean of x. These are the same for all numbers, and the sum of dx is 0."
)
def t(dx, c, axes):
    return sum_over(dx * c, axes)


@chapter.rewriting(
    "GE.32",
    "c is x̂ / r, and P multiplies x̂ by ε r² (GE.14). For ε = 0 the gradient is orthogonal to W, so each step of plain SGD "
    "makes W longer.",
)
def t(g, x_hat, rstd, eps, axes):
    return eps * rstd**2 * sum_over(g * x_hat, axes)


chapter.section("A group of two numbers", "Then m - 2 = 0: P has no eigenvalue 1.")


@chapter.forward("GE.33", "The first number, centred. The second one is -a.")
def a(x_1, x_2):
    return x_1 - (x_1 + x_2) / 2


@chapter.rewriting("GE.34", "It is half of their distance, up to the sign.")
def a(x_1, x_2):
    return (x_1 - x_2) / 2


@chapter.forward("GE.35", "The first standardised number; the second is its negative. For ε = 0 it is 1 or -1, whatever x is.")
def z_hat(a, eps):
    return a / sqrt(a**2 + eps)


@chapter.forward("GE.36", "The first number of P(g).")
def p(g_1, g_2, z_hat):
    return g_1 - (g_1 + g_2) / 2 - z_hat * (g_1 * z_hat - g_2 * z_hat) / 2


@chapter.rewriting("GE.37", "Both terms have the factor g₁ - g₂.")
def p(g_1, g_2, z_hat):
    return (g_1 - g_2) * (1 - z_hat**2) / 2


@chapter.rewriting("GE.38", "Insert GE.35. If the variance a² is much larger than ε, almost no gradient gets through.")
def p(g_1, g_2, a, eps):
    return (g_1 - g_2) * eps / (2 * (a**2 + eps))
