"""Chapter 10: LayerNorm standardises along the other axis.

BatchNorm (chapter 6) computes a mean and a variance for each feature, over the N rows of the batch. LayerNorm computes them
for each row, over its D features. So the output of a row does not depend on the other rows, and LayerNorm needs no running
statistics (chapter 9). But γ and β still have one number for each feature. So the backward pass has sums over two different
indices: over the features d for the mean and the variance, and over the rows n for γ and β. To mix them up is a common
mistake.
"""

from ..ops import layer_norm, sqrt
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=10,
    key="LN",
    name="layer_norm",
    text=__doc__,
    sizes={"n": "N", "d": "D"},
    given={"x": "nd", "gamma": ".d", "beta": ".d"},
    settings={"axes": (1,), "rows": (0,), "eps": 1e-5, "m": "D"},
)


@chapter.op
def op(x, gamma, beta, eps):
    return layer_norm(x, x.shape[1], gamma.reshape(-1), beta.reshape(-1), eps=eps)


chapter.section(
    "Forward",
    "The numbers that share one mean and one variance are called a group. Here a group is a row, and it has m = D numbers. In "
    "the code, `axes` is the axis of the features (index d), and `rows` is the axis of the rows (index n).",
)


@chapter.forward(
    "LN.1", "The mean of each row, over its features. So μ has the index n; in BatchNorm (BN.1) it has the index d."
)
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("LN.2", "The centred values.")
def c(x, mu):
    return x - mu


@chapter.forward("LN.3", "The biased variance of each row: the mean of the squares, divided by D and not by D - 1.")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("LN.4", "The reciprocal of the standard deviation, one for each row.")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("LN.5", "The standardised values.")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward(
    "LN.6",
    "As in BatchNorm, γ and β have one number for each feature. But here the numbers of one group get different γ and β.",
)
def y(x_hat, gamma, beta):
    return x_hat * gamma + beta


chapter.section("Backward: the learned parameters")


@chapter.adjoint(
    "LN.7",
    "The same β is added in every row, so its gradient is the sum over the rows n. Only the mean and the variance are over d.",
)
def dbeta(dy, rows):
    return sum_over(dy, rows)


@chapter.adjoint(
    "LN.8", "The derivative of y with respect to γ is x̂. The same γ is used in every row, so this sum is over n too."
)
def dgamma(dy, x_hat, rows):
    return sum_over(dy * x_hat, rows)


@chapter.adjoint("LN.9", "y is γ x̂ + β, element by element, so the derivative with respect to x̂ is γ.")
def dx_hat(dy, gamma):
    return dy * gamma


@chapter.forward("LN.10", "From now on dx̂ is called g, as in chapter 7.")
def g(dy, gamma):
    return dy * gamma


chapter.section(
    "Backward: the mean and the variance",
    "The steps are those of chapters 6 and 7, with a row in place of a feature. All sums are over d from here on.",
)


@chapter.adjoint("LN.11", "r multiplies c for all features of its row (LN.5), so the contributions g c add up over d.")
def drstd(g, c, axes):
    return sum_over(g * c, axes)


@chapter.adjoint("LN.12", "The derivative of r = (v + ε)^(-1/2) with respect to v is -r³ / 2 (BN.11).")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint("LN.13", "c is used twice: in x̂ = c r, and in the variance of its row, whose derivative is 2 c / D.")
def dc(g, rstd, dvar, c, m):
    return g * rstd + dvar * 2 * c / m


@chapter.rewriting(
    "LN.14",
    "Insert LN.11 into LN.12, and that into LN.13. The 2 cancels, and the sum divided by D is a mean. The feature in it is "
    "now called k, because d stands on the left.",
)
def dc(g, rstd, c, axes):
    return g * rstd - mean_over(g * c, axes) * rstd**3 * c


@chapter.rewriting(
    "LN.15",
    "r³ is three factors r. One turns the c in the mean into x̂ = c r (LN.5), one turns the last c into x̂, and one is left.",
)
def dc(g, rstd, x_hat, axes):
    return g * rstd - rstd * x_hat * mean_over(g * x_hat, axes)


@chapter.adjoint("LN.16", "μ is subtracted from every number of its row (LN.2).")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.rewriting(
    "LN.17",
    "Insert LN.15 and add over d. In its second term only x̂ depends on d, so the sum is r times the mean of g x̂ times the "
    "sum of x̂. The sum of x̂ over a row is 0 (ST.8), so this term vanishes.",
)
def dmu(g, rstd, axes):
    return -rstd * sum_over(g, axes)


@chapter.adjoint("LN.18", "x is used twice: in c = x - μ, and in the mean of its row, to which it contributes x / D.")
def dx(dc, dmu, m):
    return dc + dmu / m


@chapter.rewriting("LN.19", "Insert LN.15 and LN.17 into LN.18. The sum of g divided by D is the mean of g.")
def dx(g, rstd, x_hat, axes):
    return g * rstd - rstd * x_hat * mean_over(g * x_hat, axes) - rstd * mean_over(g, axes)


@chapter.rewriting(
    "LN.20",
    "Factor out r. This is CF.23, but with means over d and not over n. g contains γ, which has another value for each d: so "
    "γ cannot be moved out of these means.",
)
def dx(g, rstd, x_hat, axes):
    return rstd * (g - mean_over(g, axes) - x_hat * mean_over(g * x_hat, axes))


@chapter.table("Which index each symbol has, and over which index it was summed", "symbol", "one for each", "summed over")
def sums():
    names = ("mu", "var", "rstd", "dmu", "dvar", "drstd", "dgamma", "dbeta")
    each = {name: "".join(chapter.letters(name)) for name in names}
    return [(name, each[name], "".join(letter for letter in chapter.sizes if letter != each[name])) for name in names]
