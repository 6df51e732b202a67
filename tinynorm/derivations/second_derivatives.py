"""Chapter 13: The backward pass of a normalisation, differentiated once more.

Sometimes a loss is computed from a gradient: for example, a loss with a term that keeps the gradient with respect to the input
small. To minimise it, one must differentiate the gradient. This chapter does so for LayerNorm. There are two losses, and the
mark d belongs to the second.

The first loss is computed from y, the output of LayerNorm (chapter 10). Its gradients have names without d here: q is the one
with respect to y, g the one with respect to x̂, and h the one with respect to x. Chapter 10 calls them dy, dx̂ and dx. LN.20
computes h from x, q and γ. So h is a function like any other, and has a backward pass of its own.

The second loss is computed from h. Its gradients are marked with d: dx is the derivative of the second loss with respect to x,
dq the one with respect to q, and so on. Only the one with respect to h, from which the backward pass starts, is called u and
not dh.
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


chapter.section(
    "Forward: a backward pass",
    "What is differentiated here is a backward pass. SD.1 to SD.5 are LayerNorm's forward pass up to x̂, and SD.6 to SD.10 are "
    "its backward pass in the closed form LN.20.",
)


@chapter.forward("SD.1", "The mean of each row (LN.1).")
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


@chapter.forward(
    "SD.6",
    "The gradient of the first loss with respect to x̂ (LN.9). It is a product with γ, and no line below divides by γ: all of "
    "them hold where γ is 0.",
)
def g(q, gamma):
    return q * gamma


@chapter.forward("SD.7", "The mean of g over each row: the first mean in LN.20.")
def a(g, axes):
    return mean_over(g, axes)


@chapter.forward("SD.8", "The mean of g x̂ over each row: the second mean in LN.20. It says how much of g points along x̂.")
def b(g, x_hat, axes):
    return mean_over(g * x_hat, axes)


@chapter.forward(
    "SD.9",
    "The brackets in LN.20. This is P(g) of GE.8, for each row: g without its component along 1 and, up to ε, without the one "
    "along x̂.",
)
def p(g, a, x_hat, b):
    return g - a - x_hat * b


@chapter.forward(
    "SD.10",
    "The gradient of the first loss with respect to x (LN.20). It is the output of this chapter: the second loss is computed "
    "from it.",
)
def h(p, rstd):
    return rstd * p


chapter.section(
    "Backward, to q and γ",
    "From here on, d marks the gradients of the second loss. For a fixed x, h is linear in g; so dg contains u, but not g.",
)


@chapter.adjoint("SD.11", "h is r times p (SD.10).")
def dp(u, rstd):
    return rstd * u


@chapter.adjoint(
    "SD.12",
    "SD.9 subtracts x̂ b, so the derivative of p with respect to b is -x̂. The same b is used in its whole row, so the "
    "contributions add up.",
)
def db(dp, x_hat, axes):
    return -sum_over(dp * x_hat, axes)


@chapter.adjoint("SD.13", "SD.9 subtracts a from every number of the row, so the contributions -dp add up.")
def da(dp, axes):
    return -sum_over(dp, axes)


@chapter.adjoint(
    "SD.14", "g is used three times: in p itself, in the mean a with the factor 1/D, and in the mean b with the factor x̂ / D."
)
def dg(dp, da, db, x_hat, m):
    return dp + da / m + db * x_hat / m


@chapter.rewriting(
    "SD.15",
    "Insert SD.11, SD.12 and SD.13. This is the formula of h with u in place of g: the map from g to h is symmetric, as GE.21 "
    "says of P.",
)
def dg(u, rstd, x_hat, axes):
    return rstd * (u - mean_over(u, axes) - x_hat * mean_over(u * x_hat, axes))


@chapter.adjoint("SD.16", "q is multiplied by γ in SD.6.")
def dq(dg, gamma):
    return dg * gamma


@chapter.adjoint(
    "SD.17",
    "The same γ multiplies q in every row (SD.6), so the contributions add up over n. Where γ is 0, dγ is in general not 0.",
)
def dgamma(dg, q, rows):
    return sum_over(dg * q, rows)


chapter.section(
    "Backward, to x",
    "x reaches h in two ways: through x̂, which is used in SD.8 and SD.9, and through r, which is used in SD.10.",
)


@chapter.adjoint("SD.18", "x̂ is used twice: in b, with the factor g / D (SD.8), and in p, with the factor -b (SD.9).")
def dx_hat(dp, b, db, g, m):
    return db * g / m - dp * b


@chapter.rewriting(
    "SD.19",
    "Insert SD.11, SD.12 and SD.8. The sum in db, divided by D, is a mean. Exchanging u and g does not change the result, "
    "because Σ u h = Σ u r P(g) is symmetric in u and g (GE.21).",
)
def dx_hat(u, g, x_hat, rstd, axes):
    return -rstd * (g * mean_over(u * x_hat, axes) + u * mean_over(g * x_hat, axes))


@chapter.adjoint(
    "SD.20",
    "r is used twice: in h = r p, and in x̂ = c r. In LayerNorm's own backward pass (LN.11) there is only the second term.",
)
def drstd(u, p, dx_hat, c, axes):
    return sum_over(u * p, axes) + sum_over(dx_hat * c, axes)


@chapter.adjoint("SD.21", "The derivative of r = (v + ε)^(-1/2) with respect to v is -r³ / 2.")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint("SD.22", "c is used twice: in x̂ = c r, and in the variance, whose derivative is 2 c / D.")
def dc(dx_hat, rstd, dvar, c, m):
    return dx_hat * rstd + dvar * 2 * c / m


@chapter.adjoint("SD.23", "μ is subtracted from each number of the row.")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint("SD.24", "x is used twice: in c = x - μ, and in μ, to which it contributes x / D.")
def dx(dc, dmu, m):
    return dc + dmu / m


chapter.section("In one line", "As in chapter 10, the steps from dr to dx are put together.")


@chapter.rewriting("SD.25", "Insert p = h / r (SD.10) and c = x̂ / r (SD.5). Both sums then have the factor 1/r.")
def drstd(u, h, dx_hat, x_hat, rstd, axes):
    return (sum_over(u * h, axes) + sum_over(dx_hat * x_hat, axes)) / rstd


@chapter.rewriting(
    "SD.26",
    "Insert SD.25 into SD.21: dv is -(Σ u h + Σ dx̂ x̂) r² / 2. In SD.22 it is multiplied by 2 c / D: the 2 cancels, the sums "
    "divided by D are means, and r² c is r x̂. Factor out r.",
)
def dc(u, h, dx_hat, x_hat, rstd, axes):
    return rstd * (dx_hat - x_hat * (mean_over(dx_hat * x_hat, axes) + mean_over(u * h, axes)))


@chapter.rewriting(
    "SD.27",
    "By SD.23, dx is dc minus the mean of dc over the row. The mean of x̂ is 0 (ST.8), so the mean of dc is r times the mean "
    "of dx̂. This is LN.20 with dx̂ in place of g, and one more term: x̂ mean(u h), which comes from the r in SD.10.",
)
def dx(u, h, dx_hat, x_hat, rstd, axes):
    return rstd * (dx_hat - mean_over(dx_hat, axes) - x_hat * (mean_over(dx_hat * x_hat, axes) + mean_over(u * h, axes)))


@chapter.table(
    "A program that computes x̂ as (y - β) / γ loses it as γ becomes small (float64, β = 1); no line above divides by γ",
    *("γ", "largest error of x̂"),
)
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
