"""Chapter 6: BatchNorm in training, one node at a time.

BatchNorm standardises each of D features over the N rows of a batch. Here every step is an equation of its own, and the
backward pass goes through the steps in reverse order. Each adjoint needs only the adjoints of the symbols that are computed
from it.
"""

from ..ops import batch_norm, sqrt
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=6,
    key="BN",
    name="batch_norm",
    text=__doc__,
    sizes={"n": "N", "d": "D"},
    given={"x": "nd", "gamma": ".d", "beta": ".d"},
    settings={"axes": (0,), "eps": 1e-5, "m": "N"},
)


@chapter.op
def op(x, gamma, beta, eps):
    return batch_norm(x, None, None, gamma.reshape(-1), beta.reshape(-1), training=True, eps=eps)


chapter.section("Forward")


@chapter.forward("BN.1", "The mean of each feature over the batch.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("BN.2", "The centred values.")
def c(x, mu):
    return x - mu


@chapter.forward("BN.3", "The biased variance: the mean of the squares, divided by N and not by N - 1.")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("BN.4", "The reciprocal of the standard deviation. ε keeps it finite where all values are equal.")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("BN.5", "The standardised values: their mean is 0, and their variance is v / (v + ε), nearly 1.")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward("BN.6", "Each feature gets a scale and a shift of its own, which are learned.")
def y(x_hat, gamma, beta):
    return x_hat * gamma + beta


chapter.section("Backward, in reverse order")


@chapter.adjoint("BN.7", "β is added to every row, so its gradient is the sum over the rows.")
def dbeta(dy, axes):
    return sum_over(dy, axes)


@chapter.adjoint("BN.8", "γ multiplies every row, so the sum is weighted with what it multiplies.")
def dgamma(dy, x_hat, axes):
    return sum_over(dy * x_hat, axes)


@chapter.adjoint("BN.9", "y is γ times x̂, element by element.")
def dx_hat(dy, gamma):
    return dy * gamma


@chapter.adjoint("BN.10", "One r serves all rows of its feature, so their contributions are added.")
def drstd(dx_hat, c, axes):
    return sum_over(dx_hat * c, axes)


@chapter.adjoint("BN.11", "The derivative of (v + ε)^(-1/2) is -1/2 (v + ε)^(-3/2), and that is -r³ / 2.")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint("BN.12", "c is used twice: in x̂ = c r, and in the variance, whose derivative is 2 c / N. The two ways add up.")
def dc(dx_hat, rstd, dvar, c, m):
    return dx_hat * rstd + dvar * 2 * c / m


@chapter.adjoint("BN.13", "μ is subtracted from every row.")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint("BN.14", "x is used twice: in c = x - μ directly, and in μ, to which each row contributes 1/N.")
def dx(dc, dmu, m):
    return dc + dmu / m
