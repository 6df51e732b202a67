"""Chapter 17: What a gradient check can see.

A gradient check compares a derivative with a difference quotient. The quotient has two errors: one grows with the step h, the
other with 1 / h. This chapter derives both, the best step, and a combination of two quotients that is far more accurate. Then
it shows how a check can pass though the gradient is wrong, and fail though it is right.
"""

from ..ops import layer_norm, sqrt
from ..ops.common import keep_where, mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=17,
    key="GC",
    name="gradient_checks",
    text=__doc__,
    sizes={"i": "m"},
    given={"f_0": ".", "f_1": ".", "f_2": ".", "f_3": ".", "f_4": ".", "f_5": ".", "x": "i", "w": "i", "i": "i"},
    output="x_hat",
    settings={"axes": (0,), "h": 0.41, "u": 0.13, "A": 2.3, "B": 3.1, "eps": 0.17, "delta": 0.37, "m": "m"},
)


@chapter.op
def op(x, eps):
    return layer_norm(x, x.shape, eps=eps)  # for the blind spot in the middle: a sum of standardised values


chapter.section(
    "The error of a difference quotient",
    "f_0 is the value of a function at some point, f_1 its derivative there, f_2 its second derivative, and so on. Higher ones "
    "are left out: they come with still higher powers of h.",
)


@chapter.forward("GC.1", "Taylor's series: the value at the distance h,")
def P(f_0, f_1, f_2, f_3, f_4, f_5, h):
    return f_0 + h * f_1 + h**2 * f_2 / 2 + h**3 * f_3 / 6 + h**4 * f_4 / 24 + h**5 * f_5 / 120


@chapter.forward("GC.2", "and at the distance -h: the odd powers change their sign.")
def M(f_0, f_1, f_2, f_3, f_4, f_5, h):
    return f_0 - h * f_1 + h**2 * f_2 / 2 - h**3 * f_3 / 6 + h**4 * f_4 / 24 - h**5 * f_5 / 120


@chapter.forward("GC.3", "The one-sided quotient.")
def F(P, f_0, h):
    return (P - f_0) / h


@chapter.rewriting("GC.4", "f_0 cancels. The error begins with h f_2 / 2: a step ten times smaller makes it ten times smaller.")
def F(f_1, f_2, f_3, f_4, f_5, h):
    return f_1 + h * f_2 / 2 + h**2 * f_3 / 6 + h**3 * f_4 / 24 + h**4 * f_5 / 120


@chapter.forward("GC.5", "The central quotient.")
def D(P, M, h):
    return (P - M) / (2 * h)


@chapter.rewriting("GC.6", "All even powers cancel. A step ten times smaller makes the error a hundred times smaller.")
def D(f_1, f_3, f_5, h):
    return f_1 + h**2 * f_3 / 6 + h**4 * f_5 / 120


@chapter.forward("GC.7", "The central quotient for the step h / 2.")
def H(f_1, f_3, f_5, h):
    return f_1 + (h / 2) ** 2 * f_3 / 6 + (h / 2) ** 4 * f_5 / 120


@chapter.forward("GC.8", "Richardson's combination: the term with h² is a quarter as large in H, so 4 H - D is free of it.")
def R(H, D):
    return (4 * H - D) / 3


@chapter.rewriting("GC.9", "What is left of the error has h⁴. Two quotients, four evaluations of the function.")
def R(f_1, f_5, h):
    return f_1 - h**4 * f_5 / 480


chapter.section(
    "The best step",
    "Let A be |f_0| and B be |f_3|. A computed value of f is wrong by up to u A, where u is the unit of rounding.",
)


@chapter.forward("GC.10", "Two values wrong by u A each, divided by 2 h.")
def rounding(u, A, h):
    return 2 * u * A / (2 * h)


@chapter.forward("GC.11", "The largest error of a central quotient, from GC.6 and GC.10.")
def E(rounding, B, h):
    return h**2 * B / 6 + rounding


@chapter.rewriting("GC.12", "The first term wants a small h, the second a large one.")
def E(u, A, B, h):
    return h**2 * B / 6 + u * A / h


@chapter.forward("GC.13", "The step that makes E smallest, as GC.14 to GC.17 show.")
def h_best(u, A, B):
    return (3 * u * A / B) ** (1 / 3)


@chapter.forward("GC.14", "The derivative of GC.12 with respect to h, at this step.")
def slope(h_best, u, A, B):
    return h_best * B / 3 - u * A / h_best**2


@chapter.rewriting("GC.15", "It is 0: the cube of the step is 3 u A / B.")
def slope():
    return 0


@chapter.forward("GC.16", "How much larger the error is at another step.")
def excess(E, h_best, u, A, B):
    return E - (h_best**2 * B / 6 + u * A / h_best)


@chapter.rewriting(
    "GC.17", "It is never negative, as each factor is positive or a square. So this is the smallest error of all."
)
def excess(h, h_best, B):
    return B * (h - h_best) ** 2 * (h + 2 * h_best) / (6 * h)


@chapter.table("The derivative of x⁵ at 1.1 in float64, with u = 9 · 2⁻⁵³", "h", "error of D", "bound E", "error of R")
def measured():
    """Four products are rounded, and x + h, which x⁵ magnifies five times. The roundings are the same on every machine."""
    x, u = 1.1, 9 * 2.0**-53
    value, third, exact = _fifth(x), 60 * x * x, 5 * x * x * x * x
    best = round((3 * u * value / third) ** (1 / 3), 7)
    rows = []
    for h in (1e-1, 1e-2, 1e-3, 1e-4, best, 1e-6, 1e-7, 1e-8):
        wide, narrow = _central(x, h), _central(x, h / 2)
        bound = h * h * third / 6 + u * value / h
        errors = (abs(wide - exact), bound, abs((4 * narrow - wide) / 3 - exact))
        rows.append((f"{h:.0e}" if h != best else f"{h:.1e}, the best", *(f"{error:.0e}" for error in errors)))
    return rows


def _central(x, h):
    return (_fifth(x + h) - _fifth(x - h)) / (2 * h)


def _fifth(x):
    return x * x * x * x * x


chapter.section("Blind: a sum behind a normalisation")


@chapter.forward("GC.18", "The mean.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("GC.19", "The centred values.")
def c(x, mu):
    return x - mu


@chapter.forward("GC.20", "The variance.")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("GC.21", "The standardised values.")
def x_hat(c, var, eps):
    return c / sqrt(var + eps)


@chapter.forward("GC.22", "The sum of the centred values.")
def C(c, axes):
    return sum_over(c, axes)


@chapter.rewriting("GC.23", "It is 0: m times the mean is the sum of the values.")
def C(x, mu, m, axes):
    return sum_over(x, axes) - m * mu


@chapter.forward("GC.24", "A check that takes the sum of the outputs as the loss.")
def s(x_hat, axes):
    return sum_over(x_hat, axes)


@chapter.rewriting("GC.25", "The sum is 0 for every x, so its gradient is 0: a backward pass that returns only zeros passes.")
def s():
    return 0


@chapter.forward("GC.26", "The sum of the squares is hardly better.")
def Q(x_hat, axes):
    return sum_over(x_hat * x_hat, axes)


@chapter.rewriting(
    "GC.27", "It is m, but for ε. A check needs a loss that weights the outputs differently: a random cotangent."
)
def Q(var, eps, m):
    return m - m * eps / (var + eps)


chapter.section(
    "Blind: one direction",
    "A cheap check compares one number: the derivative along a direction d, which is the sum of d times the gradient. If the "
    "gradient is wrong by e, it sees the sum of d times e.",
)


@chapter.forward("GC.28", "An error in the last element alone, as an index that is off by one makes it.")
def e(i, w, m):
    return keep_where(i >= m, w)


def _last_or_not(difference):
    """One of m > i and i ≥ m holds, and never both."""
    from .machinery.proof import at_the_last_and_before

    return at_the_last_and_before(difference, "i", "m")


@chapter.rewriting("GC.29", "In other words: some error w, without its first m - 1 elements.", proof=_last_or_not)
def e(i, w, m):
    return w - keep_where(m > i, w)


@chapter.forward("GC.30", "A direction that changes each element but the last.")
def d(i, x, m):
    return keep_where(m > i, x)


@chapter.rewriting("GC.31", "In other words: some direction x, without its last element.", proof=_last_or_not)
def d(i, x, m):
    return x - keep_where(i >= m, x)


@chapter.forward("GC.32", "What the check adds up.")
def t(e, d):
    return e * d


@chapter.rewriting(
    "GC.33",
    "No element is in both. A direction must have no zeros, and one alone can still be at a right angle to e.",
    proof=_last_or_not,
)
def t(w):
    return 0 * w


chapter.section(
    "Misled: a kink within the step",
    "ReLU has a kink at 0. At δ, between 0 and h, its derivative is 1. Its values at δ + h and δ - h are δ + h and 0.",
)


@chapter.forward("GC.34", "The central quotient there.")
def K(delta, h):
    return (delta + h) / (2 * h)


@chapter.rewriting(
    "GC.35", "It is less than 1 for all δ below h, and 1/2 at the kink: the check fails though the derivative is right."
)
def K(delta, h):
    return 1 - (h - delta) / (2 * h)
