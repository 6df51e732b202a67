"""Chapter 7: BatchNorm's backward pass in one line.

Chapter 6 goes backward through six steps. Most of what it computes on the way cancels, and what is left is one line. Here is
every step of the simplification. From now on g stands for dx̂ = γ dy, the gradient that arrives at the standardised values.
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


@chapter.forward("CF.1", "The mean of each feature (BN.1).")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("CF.2", "The centred values (BN.2).")
def c(x, mu):
    return x - mu


@chapter.forward("CF.3", "The biased variance (BN.3).")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("CF.4", "The reciprocal of the standard deviation (BN.4).")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("CF.5", "The standardised values (BN.5).")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward("CF.6", "The sum of the centred values, which the simplification needs twice.")
def s(c, axes):
    return sum_over(c, axes)


@chapter.rewriting("CF.7", "It is 0: the sum of the values is N times their mean.")
def s(x, mu, axes, m):
    return sum_over(x, axes) - m * mu


chapter.section("What chapter 6 computes, backward")


@chapter.adjoint("CF.8", "The adjoint of r (BN.10).")
def drstd(g, c, axes):
    return sum_over(g * c, axes)


@chapter.adjoint("CF.9", "The adjoint of the variance (BN.11).")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint("CF.10", "The adjoint of c (BN.12): one way through x̂, one way through the variance.")
def dc(g, rstd, dvar, c, m):
    return g * rstd + dvar * 2 * c / m


@chapter.adjoint("CF.11", "The adjoint of μ (BN.13).")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint("CF.12", "The adjoint of x (BN.14).")
def dx(dc, dmu, m):
    return dc + dmu / m


chapter.section("The simplification")


@chapter.rewriting("CF.13", "Insert CF.8 into CF.9.")
def dvar(g, c, rstd, axes):
    return -sum_over(g * c, axes) * rstd**3 / 2


@chapter.rewriting("CF.14", "r is the same for all rows, so one of its three factors may move into the sum.")
def dvar(g, c, rstd, axes):
    return -sum_over(g * (c * rstd), axes) * rstd**2 / 2


@chapter.rewriting("CF.15", "There c r is x̂ (CF.5).")
def dvar(g, x_hat, rstd, axes):
    return -sum_over(g * x_hat, axes) * rstd**2 / 2


@chapter.rewriting("CF.16", "Insert this into CF.10. The 2 cancels.")
def dc(g, rstd, x_hat, c, axes, m):
    return g * rstd - sum_over(g * x_hat, axes) * rstd**2 * c / m


@chapter.rewriting("CF.17", "One r and c make x̂ again, and a sum divided by N is a mean.")
def dc(g, rstd, x_hat, axes):
    return g * rstd - rstd * x_hat * mean_over(g * x_hat, axes)


@chapter.rewriting("CF.18", "Factor out r.")
def dc(g, rstd, x_hat, axes):
    return rstd * (g - x_hat * mean_over(g * x_hat, axes))


@chapter.rewriting("CF.19", "Insert CF.17 into CF.11 and split the sum. What does not depend on the row moves out of it.")
def dmu(g, rstd, x_hat, axes):
    return -rstd * sum_over(g, axes) + rstd * mean_over(g * x_hat, axes) * sum_over(x_hat, axes)


@chapter.rewriting("CF.20", "In the second term x̂ is r c, and the sum of c is 0 (CF.7).")
def dmu(g, rstd, x_hat, s, axes):
    return -rstd * sum_over(g, axes) + rstd * mean_over(g * x_hat, axes) * (rstd * s)


@chapter.rewriting("CF.21", "So the second term vanishes. That the variance depends on μ plays no part.")
def dmu(g, rstd, axes):
    return -rstd * sum_over(g, axes)


@chapter.rewriting("CF.22", "Insert CF.18 and CF.21 into CF.12. The sum divided by N is a mean.")
def dx(g, rstd, x_hat, axes):
    return rstd * (g - x_hat * mean_over(g * x_hat, axes)) - rstd * mean_over(g, axes)


@chapter.rewriting("CF.23", "Factor out r. This is the line that runs.")
def dx(g, rstd, x_hat, axes):
    return rstd * (g - mean_over(g, axes) - x_hat * mean_over(g * x_hat, axes))
