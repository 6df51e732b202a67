"""Chapter 5: Standardising removes one more direction.

After centring (chapter 4), a normalisation divides each number of the group by the standard deviation. The derivative of this
step has a simple reason: to move the numbers along x̂ only stretches them, and the division undoes the stretching. So the
backward pass takes the component along x̂ out of the gradient. Here s is the standard deviation with ε under the root. It
makes this derivation short. Chapters 6 and 7 do the same with r = 1 / s, which is what the program keeps.
"""

from ..ops import layer_norm, sqrt
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=5,
    key="ST",
    name="standardising",
    text=__doc__,
    sizes={"i": "m"},
    given={"x": "i", "b": "."},
    output="x_hat",
    upstream="g",
    settings={"axes": (0,), "eps": 0.1, "m": "m", "a": 3.0},
)


@chapter.op
def op(x, eps):
    return layer_norm(x, x.shape, eps=eps)


chapter.section("Two steps")


@chapter.forward("ST.1", "The mean of the group.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("ST.2", "The first step: centring.")
def c(x, mu):
    return x - mu


@chapter.forward("ST.3", "The variance: the mean of the squares of the centred numbers.")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("ST.4", "The standard deviation. With ε under the root it is not 0 where all numbers are equal.")
def std(var, eps):
    return sqrt(var + eps)


@chapter.forward("ST.5", "The second step: division by it.")
def x_hat(c, std):
    return c / std


chapter.section("What standardised numbers have in common")


@chapter.forward("ST.6", "The mean of the standardised numbers.")
def p(x_hat, axes):
    return mean_over(x_hat, axes)


@chapter.rewriting("ST.7", "All numbers are divided by the same s, so the mean may be taken first.")
def p(c, std, axes):
    return mean_over(c, axes) / std


@chapter.rewriting("ST.8", "The mean of the centred numbers is 0 (CE.4).")
def p():
    return 0


@chapter.forward("ST.9", "The mean of their squares.")
def q(x_hat, axes):
    return mean_over(x_hat * x_hat, axes)


@chapter.rewriting("ST.10", "Here too the division may come last, and the mean of c² is the variance (ST.3).")
def q(var, std):
    return var / std**2


@chapter.rewriting("ST.11", "s² is v + ε. So x̂ has the variance 1 if ε = 0, and nearly 1 if v is much larger than ε.")
def q(var, eps):
    return var / (var + eps)


@chapter.rewriting("ST.12", "The same as 1 minus a share. This share reappears in ST.24.")
def q(var, eps):
    return 1 - eps / (var + eps)


chapter.section("Backward", "g is the gradient that arrives at x̂.")


@chapter.adjoint("ST.13", "One s serves all numbers. The derivative of c / s with respect to s is -c / s².")
def dstd(g, c, std, axes):
    return -sum_over(g * c, axes) / std**2


@chapter.rewriting("ST.14", "c divided by one of the two s is x̂ (ST.5).")
def dstd(g, x_hat, std, axes):
    return -sum_over(g * x_hat, axes) / std


@chapter.adjoint("ST.15", "The derivative of the square root.")
def dvar(dstd, std):
    return dstd / (2 * std)


@chapter.adjoint("ST.16", "c is used twice: in c / s, and in the variance, whose derivative is 2 c / m.")
def dc(g, std, dvar, c, m):
    return g / std + dvar * 2 * c / m


@chapter.rewriting("ST.17", "Insert ST.15. The 2 cancels, and c / s is x̂: so x̂ / m is the derivative of s with respect to c.")
def dc(g, std, dstd, x_hat, m):
    return g / std + dstd * x_hat / m


@chapter.rewriting("ST.18", "Insert ST.14. The sum divided by m is a mean.")
def dc(g, std, x_hat, axes):
    return g / std - x_hat * mean_over(g * x_hat, axes) / std


@chapter.rewriting("ST.19", "Put s under both terms. Nothing here has used that the mean of c is 0.")
def dc(g, std, x_hat, axes):
    return (g - x_hat * mean_over(g * x_hat, axes)) / std


@chapter.adjoint("ST.20", "μ is subtracted from every number.")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint("ST.21", "The way back through the first step: the gradient is centred (CE.8).")
def dx(dc, axes):
    return dc - mean_over(dc, axes)


chapter.section("How much of the direction x̂ is left")


@chapter.forward(
    "ST.22", "The mean of the numerator of ST.19, weighted with x̂. It is 0 if the numerator has no component along x̂."
)
def w(g, x_hat, axes):
    return mean_over((g - x_hat * mean_over(g * x_hat, axes)) * x_hat, axes)


@chapter.rewriting("ST.23", "Multiply out. The mean of g x̂ is one number, and it moves out of the mean of x̂² (ST.9).")
def w(g, x_hat, q, axes):
    return mean_over(g * x_hat, axes) - q * mean_over(g * x_hat, axes)


@chapter.rewriting("ST.24", "Insert ST.12. For ε = 0 nothing is left; else the share ε / (v + ε) is.")
def w(g, x_hat, var, eps, axes):
    return eps / (var + eps) * mean_over(g * x_hat, axes)


chapter.section(
    "What x̂ does not depend on",
    "The two directions that the gradient loses are the two changes of x that x̂ does not see: a shift and a change of scale.",
)


@chapter.forward("ST.25", "Other numbers: x times a > 0, plus b.")
def z(x, a, b):
    return a * x + b


@chapter.forward("ST.26", "Their mean.")
def mu_z(z, axes):
    return mean_over(z, axes)


@chapter.rewriting("ST.27", "A mean is scaled and shifted as the numbers are.")
def mu_z(mu, a, b):
    return a * mu + b


@chapter.forward("ST.28", "Centre them.")
def u(z, mu_z):
    return z - mu_z


@chapter.rewriting("ST.29", "The shift b is gone.")
def u(c, a):
    return a * c


@chapter.forward("ST.30", "Standardise them, with a² ε in place of ε.")
def z_hat(u, a, eps, axes):
    return u / sqrt(mean_over(u * u, axes) + a**2 * eps)


@chapter.rewriting("ST.31", "Insert ST.29. Their variance is a² v.")
def z_hat(c, var, a, eps):
    return a * c / sqrt(a**2 * var + a**2 * eps)


@chapter.rewriting("ST.32", "a comes out of the root and cancels: this is x̂. With ε = 0 any scale of x gives the same x̂.")
def z_hat(c, std):
    return c / std
