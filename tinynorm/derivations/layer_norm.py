"""Chapter 10: LayerNorm standardises along the other axis.

LayerNorm takes its mean and variance over the D features of one row, not over the N rows of one feature. A row then does not
depend on the other rows, so LayerNorm needs no running statistics. γ and β still belong to the features. So two kinds of sums
occur: over d where the statistics are, and over n where γ and β are. To mix them up is a common mistake.
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


chapter.section("Forward", "`axes` is the axis of the features, and `rows` is the axis of the rows. A group has m = D numbers.")


@chapter.forward("LN.1", "The mean of each row over its features. μ has the index n, where BatchNorm's (BN.1) has d.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("LN.2", "The centred values.")
def c(x, mu):
    return x - mu


@chapter.forward("LN.3", "The biased variance of each row.")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("LN.4", "One r for each row.")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("LN.5", "The standardised values.")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward("LN.6", "γ and β have one number for each feature, as in BatchNorm. Within a row they differ.")
def y(x_hat, gamma, beta):
    return x_hat * gamma + beta


chapter.section("Backward: the learned parameters")


@chapter.adjoint(
    "LN.7", "The same β is added in every row, so its gradient is the sum over the rows n, although the means are over d."
)
def dbeta(dy, rows):
    return sum_over(dy, rows)


@chapter.adjoint("LN.8", "The same γ multiplies x̂ in every row: again the sum is over n.")
def dgamma(dy, x_hat, rows):
    return sum_over(dy * x_hat, rows)


@chapter.adjoint("LN.9", "y is γ times x̂, element by element.")
def dx_hat(dy, gamma):
    return dy * gamma


@chapter.forward("LN.10", "From now on it is called g, as in chapter 7.")
def g(dy, gamma):
    return dy * gamma


chapter.section("Backward: the statistics", "All sums are over d from here on.")


@chapter.adjoint("LN.11", "One r serves all features of its row.")
def drstd(g, c, axes):
    return sum_over(g * c, axes)


@chapter.adjoint("LN.12", "The derivative of (v + ε)^(-1/2).")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint("LN.13", "c is used in x̂, and in the variance of its row.")
def dc(g, rstd, dvar, c, m):
    return g * rstd + dvar * 2 * c / m


@chapter.rewriting("LN.14", "Insert LN.11 and LN.12. The 2 cancels, and the sum divided by D is a mean.")
def dc(g, rstd, c, axes):
    return g * rstd - mean_over(g * c, axes) * rstd**3 * c


@chapter.rewriting("LN.15", "Of the three factors r, one makes x̂ of the c in the mean, and one makes x̂ of the c behind it.")
def dc(g, rstd, x_hat, axes):
    return g * rstd - rstd * x_hat * mean_over(g * x_hat, axes)


@chapter.adjoint("LN.16", "μ is subtracted from every feature of its row.")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.rewriting("LN.17", "Insert LN.15. Its second term adds up to 0, because the mean of x̂ over a row is 0 (ST.8).")
def dmu(g, rstd, axes):
    return -rstd * sum_over(g, axes)


@chapter.adjoint("LN.18", "x is used in c, and in the mean of its row, to which it contributes 1/D.")
def dx(dc, dmu, m):
    return dc + dmu / m


@chapter.rewriting("LN.19", "Insert LN.15 and LN.17.")
def dx(g, rstd, x_hat, axes):
    return g * rstd - rstd * x_hat * mean_over(g * x_hat, axes) - rstd * mean_over(g, axes)


@chapter.rewriting(
    "LN.20", "Factor out r. This is CF.23 with other axes. γ cannot leave the means here, because it differs within a row."
)
def dx(g, rstd, x_hat, axes):
    return rstd * (g - mean_over(g, axes) - x_hat * mean_over(g * x_hat, axes))


@chapter.table("What is summed over which axis", "symbol", "one for each", "summed over")
def sums():
    names = ("mu", "var", "rstd", "dmu", "dvar", "drstd", "dgamma", "dbeta")
    each = {name: "".join(chapter.letters(name)) for name in names}
    return [(name, each[name], "".join(letter for letter in chapter.sizes if letter != each[name])) for name in names]
