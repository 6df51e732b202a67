"""Chapter 13: The backward pass of a normalisation, differentiated once more.

A penalty on a gradient, or a step that looks one step ahead, needs the derivative of a gradient. Then the backward pass is a
function like any other, of x and of the gradient q that arrives at y, and it has a backward pass of its own. Here that is
done for LayerNorm. h is dL/dx of chapter 7's closed form, and u is the gradient that arrives at h.
"""

import numpy as np

from ..autograd import grad
from ..ops import layer_norm, sqrt
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=13,
    key="SD",
    name="second_derivatives",
    text=__doc__,
    sizes={"n": "N", "d": "D"},
    given={"x": "nd", "q": "nd", "gamma": ".d"},
    output="h",
    upstream="u",
    settings={"axes": (1,), "rows": (0,), "eps": 1e-5, "m": "D"},
)


@chapter.op
def op(x, q, gamma, eps):
    y = layer_norm(x, x.shape[1], gamma.reshape(-1), eps=eps)
    return grad(y, x, q, create_graph=True)[0]


chapter.section("Forward: a backward pass")


@chapter.forward("SD.1", "The mean of each row.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("SD.2", "The centred values.")
def c(x, mu):
    return x - mu


@chapter.forward("SD.3", "The variance of each row.")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("SD.4", "The reciprocal of the standard deviation.")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("SD.5", "The standardised values.")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward("SD.6", "The gradient at x̂. It is a product with γ, and nothing below divides by γ.")
def g(q, gamma):
    return q * gamma


@chapter.forward("SD.7", "The first number per row that the closed form subtracts.")
def a(g, axes):
    return mean_over(g, axes)


@chapter.forward("SD.8", "The second number per row: how much of g points along x̂.")
def b(g, x_hat, axes):
    return mean_over(g * x_hat, axes)


@chapter.forward("SD.9", "g without its components along 1 and along x̂.")
def p(g, a, x_hat, b):
    return g - a - x_hat * b


@chapter.forward("SD.10", "The gradient of x in the closed form: the output of this chapter.")
def h(p, rstd):
    return rstd * p


chapter.section("Backward, to what arrived", "h is linear in g, so its adjoint with respect to g does not contain g.")


@chapter.adjoint("SD.11", "h is r times p.")
def dp(u, rstd):
    return rstd * u


@chapter.adjoint("SD.12", "b is subtracted x̂ times, and serves a whole row.")
def db(dp, x_hat, axes):
    return -sum_over(dp * x_hat, axes)


@chapter.adjoint("SD.13", "a is subtracted from each number of the row.")
def da(dp, axes):
    return -sum_over(dp, axes)


@chapter.adjoint("SD.14", "g is used three times: directly, in a and in b.")
def dg(dp, da, db, x_hat, m):
    return dp + da / m + db * x_hat / m


@chapter.rewriting("SD.15", "Insert SD.11 to SD.13: u is projected as g was. The map from g to h is its own adjoint.")
def dg(u, rstd, x_hat, axes):
    return rstd * (u - mean_over(u, axes) - x_hat * mean_over(u * x_hat, axes))


@chapter.adjoint("SD.16", "q is multiplied by γ in SD.6.")
def dq(dg, gamma):
    return dg * gamma


@chapter.adjoint("SD.17", "γ multiplies q in all rows. Where γ is 0 this is in general not 0, and no step divided by γ.")
def dgamma(dg, q, rows):
    return sum_over(dg * q, rows)


chapter.section("Backward, to x", "x acts through x̂, which SD.8 and SD.9 contain, and through r in SD.10.")


@chapter.adjoint("SD.18", "x̂ is multiplied by -b in SD.9 and by g / D in SD.8.")
def dx_hat(dp, b, db, g, m):
    return db * g / m - dp * b


@chapter.rewriting("SD.19", "Insert SD.11 and SD.12. Swapping u and g changes nothing: Σ u h is symmetric in the two.")
def dx_hat(u, g, x_hat, rstd, axes):
    return -rstd * (g * mean_over(u * x_hat, axes) + u * mean_over(g * x_hat, axes))


@chapter.adjoint("SD.20", "r is used twice: in h, and in x̂. A first backward pass has only the second.")
def drstd(u, p, dx_hat, c, axes):
    return sum_over(u * p, axes) + sum_over(dx_hat * c, axes)


@chapter.adjoint("SD.21", "The derivative of (v + ε)^(-1/2) is -r³ / 2.")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint("SD.22", "c is used twice: in x̂, and in the variance.")
def dc(dx_hat, rstd, dvar, c, m):
    return dx_hat * rstd + dvar * 2 * c / m


@chapter.adjoint("SD.23", "μ is subtracted from each number of the row.")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint("SD.24", "x is used twice: in c, and in μ.")
def dx(dc, dmu, m):
    return dc + dmu / m


chapter.section("In one line")


@chapter.rewriting("SD.25", "p is h / r and c is x̂ / r, so both sums get the same factor.")
def drstd(u, h, dx_hat, x_hat, rstd, axes):
    return (sum_over(u * h, axes) + sum_over(dx_hat * x_hat, axes)) / rstd


@chapter.rewriting("SD.26", "Insert SD.25 into SD.21, that into SD.22, and factor out r. The sums divided by D are means.")
def dc(u, h, dx_hat, x_hat, rstd, axes):
    return rstd * (dx_hat - x_hat * (mean_over(dx_hat * x_hat, axes) + mean_over(u * h, axes)))


@chapter.rewriting(
    "SD.27", "x̂ has mean 0, so only the mean of dx̂ is subtracted. It is the closed form, with one more term: r in SD.10."
)
def dx(u, h, dx_hat, x_hat, rstd, axes):
    return rstd * (dx_hat - mean_over(dx_hat, axes) - x_hat * (mean_over(dx_hat * x_hat, axes) + mean_over(u * h, axes)))


@chapter.table("Recovering x̂ as (y - β) / γ loses it as γ becomes small; no line above does that", "γ", "largest error of x̂")
def recovered():
    """In float64, with β = 1."""
    x = np.linspace(-1.0, 2.0, 7)
    c = x - x.mean()
    x_hat = c / np.sqrt((c * c).mean())
    rows = []
    for gamma in (1e-4, 1e-8, 1e-12, 1e-16):
        y = x_hat * gamma + 1
        error = np.max(np.abs((y - 1) / gamma - x_hat))
        rows.append((f"{gamma:g}", f"about 10^{int(np.floor(np.log10(error)))}"))
    return [*rows, ("0", "0 / 0")]
