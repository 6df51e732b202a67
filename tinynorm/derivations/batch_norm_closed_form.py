"""Chapter 7: BatchNorm's backward pass in one line.

Chapter 6 goes backward from y to x, through dx̂, dr, dv, dc and dμ. Most of that cancels, and one line is left; here is every
step. As there, dx is the derivative of a loss with respect to x, also called the adjoint of x (chapter 0). We start at x̂: g
stands for dx̂, which is γ dy (BN.9), where γ is the scale that each feature learns (BN.6).

x (N, D) is a batch: N rows, one for each sample, and D columns, one for each feature. x_nd stands in row n and column d. If n
already stands on the left, the row inside a sum is called k. A Σ reaches up to the next + or -.
"""

from ..ops import batch_norm, sqrt
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=7,
    key="CF",
    name="batch_norm_closed_form",
    text=__doc__,
    sizes={"n": "N", "d": "D"},
    given={"x": "nd"},
    output="x_hat",
    upstream="g",
    settings={"axes": (0,), "eps": 1e-5, "m": "N"},
)


@chapter.op
def op(x, eps):
    return batch_norm(x, training=True, eps=eps)


chapter.section("What chapter 6 computes, forward")


@chapter.forward("CF.1", "The mean of each feature over the N rows (BN.1).")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("CF.2", "The centred values (BN.2).")
def c(x, mu):
    return x - mu


@chapter.forward(
    "CF.3",
    "The variance v of each feature; the code calls it var. It is the biased one: divided by N, and not by N - 1 (BN.3).",
)
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward(
    "CF.4",
    "The reciprocal r of the standard deviation; the code calls it rstd. ε, in the code eps, is a small number. It keeps r "
    "finite where all values of a feature are equal (BN.4).",
)
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("CF.5", "The standardised values (BN.5).")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward("CF.6", "The sum of the centred values. It is a name that CF.20 needs, and no step on the way to x̂.")
def s(c, axes):
    return sum_over(c, axes)


@chapter.rewriting(
    "CF.7",
    "Insert CF.2 and add over n: μ is the same in all N rows, so its sum is N μ (in the code, m is N). By CF.1 the sum of x is "
    "N μ too. So s is 0.",
)
def s(x, mu, axes, m):
    return sum_over(x, axes) - m * mu


chapter.section("What chapter 6 computes, backward")


@chapter.adjoint("CF.8", "r multiplies c in every row of its feature (CF.5), so the contributions g c are added (BN.10).")
def drstd(g, c, axes):
    return sum_over(g * c, axes)


@chapter.adjoint("CF.9", "The derivative of r = (v + ε)^(-1/2) is -1/2 (v + ε)^(-3/2), and that is -r³ / 2 (BN.11).")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint(
    "CF.10",
    "c leads to the loss in two ways (BN.12). It is a factor of x̂ = c r (CF.5): that is the first term. And v is computed from "
    "it (CF.3), with the derivative 2 c / N: that is the second term. c is also used in s (CF.6), but s leads nowhere to the "
    "loss, so it has no term here.",
)
def dc(g, rstd, dvar, c, m):
    return g * rstd + dvar * 2 * c / m


@chapter.adjoint("CF.11", "μ is subtracted from x in every row (CF.2), and is used nowhere else (BN.13).")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint("CF.12", "x is used in c, and in μ, to which each row contributes 1/N (BN.14).")
def dx(dc, dmu, m):
    return dc + dmu / m


chapter.section("The simplification")


@chapter.rewriting("CF.13", "Insert CF.8 into CF.9.")
def dvar(g, c, rstd, axes):
    return -sum_over(g * c, axes) * rstd**3 / 2


@chapter.rewriting(
    "CF.14",
    "r has no index n: it is the same in all rows. So one of the three factors of r³ may move into the sum.",
)
def dvar(g, c, rstd, axes):
    return -sum_over(g * (c * rstd), axes) * rstd**2 / 2


@chapter.rewriting("CF.15", "In the sum, c r is x̂ (CF.5).")
def dvar(g, x_hat, rstd, axes):
    return -sum_over(g * x_hat, axes) * rstd**2 / 2


@chapter.rewriting(
    "CF.16",
    "Insert CF.15 into CF.10. The 2 cancels. The row in the sum is now called k, because n is the row of dc.",
)
def dc(g, rstd, x_hat, c, axes, m):
    return g * rstd - sum_over(g * x_hat, axes) * rstd**2 * c / m


@chapter.rewriting("CF.17", "r² c is r (r c), and r c is x̂ (CF.5). The sum divided by N is the mean of g x̂ over the rows.")
def dc(g, rstd, x_hat, axes):
    return g * rstd - rstd * x_hat * mean_over(g * x_hat, axes)


@chapter.rewriting("CF.18", "Factor out r.")
def dc(g, rstd, x_hat, axes):
    return rstd * (g - x_hat * mean_over(g * x_hat, axes))


@chapter.rewriting(
    "CF.19",
    "Insert CF.17 into CF.11. The sum of a difference is the difference of two sums. r and the mean of g x̂ are the same in all "
    "rows, so they move in front of these sums. The minus sign of CF.11 makes a plus of the minus sign in CF.17.",
)
def dmu(g, rstd, x_hat, axes):
    return -rstd * sum_over(g, axes) + rstd * mean_over(g * x_hat, axes) * sum_over(x_hat, axes)


@chapter.rewriting("CF.20", "In the last sum x̂ is c r (CF.5), and r moves in front. The sum of c is left, which is s (CF.6).")
def dmu(g, rstd, x_hat, s, axes):
    return -rstd * sum_over(g, axes) + rstd * mean_over(g * x_hat, axes) * (rstd * s)


@chapter.rewriting(
    "CF.21",
    "s is 0 (CF.7), so the second term is 0. It came from v, which depends on μ through c: the derivative of v with "
    "respect to μ is -2 s / N, and that is 0.",
)
def dmu(g, rstd, axes):
    return -rstd * sum_over(g, axes)


@chapter.rewriting("CF.22", "Insert CF.18 and CF.21 into CF.12. The sum of g divided by N is the mean of g.")
def dx(g, rstd, x_hat, axes):
    return rstd * (g - x_hat * mean_over(g * x_hat, axes)) - rstd * mean_over(g, axes)


@chapter.rewriting(
    "CF.23",
    "Factor out r. In words: subtract from g its mean, and x̂ times the mean of g x̂; then multiply by r. In the "
    "program LayerNorm and GroupNorm run this line; BatchNorm runs OA.25, which takes the two means from dβ and dγ.",
)
def dx(g, rstd, x_hat, axes):
    return rstd * (g - mean_over(g, axes) - x_hat * mean_over(g * x_hat, axes))
