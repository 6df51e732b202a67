"""Chapter 14: What a backward pass keeps, computes and moves.

Equal formulas differ in three costs: the arrays that are kept from the forward pass, the operations for each element, and the
arrays that are read and written. This chapter takes BatchNorm's backward pass in three forms and counts. The counts are taken
from the equations themselves, so they change with them.
"""

from ..ops import batch_norm, sqrt
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter
from .machinery.expression import Binary, Function, Sum, Symbol

chapter = Chapter(
    order=14,
    key="MW",
    name="memory_and_work",
    text=__doc__,
    sizes={"n": "N", "d": "D"},
    given={"x": "nd", "gamma": ".d", "beta": ".d"},
    output="x_hat",
    upstream="g",
    settings={"axes": (0,), "eps": 1e-5, "m": "N"},
    draw={"gamma": lambda rng, shape: rng.uniform(0.5, 2.0, shape)},
)


@chapter.op
def op(x, eps):
    return batch_norm(x, training=True, eps=eps)


chapter.section("Forward")


@chapter.forward("MW.1", "The mean of each feature.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("MW.2", "The centred values. They are as many as x has: an array of full size.")
def c(x, mu):
    return x - mu


@chapter.forward("MW.3", "The variance: one number per feature, as μ and r are. Such arrays cost next to nothing.")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("MW.4", "The reciprocal of the standard deviation.")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("MW.5", "The standardised values, of full size.")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward("MW.6", "The output, of full size. The next layer often keeps it as its own input.")
def y(x_hat, gamma, beta):
    return x_hat * gamma + beta


chapter.section("x̂ need not be kept")


@chapter.rewriting(
    "MW.7", "It comes back from x, with μ and r. If the layer before keeps x, this layer keeps no array of full size."
)
def x_hat(x, mu, rstd):
    return (x - mu) * rstd


@chapter.rewriting(
    "MW.8", "It also comes back from y, which may then overwrite x. But this fails where γ is 0, and is inexact near it."
)
def x_hat(y, gamma, beta):
    return (y - beta) / gamma


chapter.section("Backward, step by step", "As in chapter 7. These steps use c.")


@chapter.adjoint("MW.9", "The adjoint of r.")
def drstd(g, c, axes):
    return sum_over(g * c, axes)


@chapter.adjoint("MW.10", "The adjoint of the variance.")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint("MW.11", "The adjoint of c: an array of full size that is read again in the next two steps.")
def dc(g, rstd, dvar, c, m):
    return g * rstd + dvar * 2 * c / m


@chapter.adjoint("MW.12", "The adjoint of μ.")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint("MW.13", "The adjoint of x.")
def dx(dc, dmu, m):
    return dc + dmu / m


chapter.section("Backward, closed form")


@chapter.forward("MW.14", "The first of two means in the closed form.")
def a(g, axes):
    return mean_over(g, axes)


@chapter.forward("MW.15", "The second. One pass over g and x̂ gives both.")
def b(g, x_hat, axes):
    return mean_over(g * x_hat, axes)


@chapter.rewriting("MW.16", "The closed form (CF.23). A second pass over g and x̂ gives it, without an array in between.")
def dx(g, a, x_hat, b, rstd):
    return rstd * (g - a - x_hat * b)


chapter.section(
    "Backward, from x",
    "These lines save x̂, but subtract large numbers from each other where |μ| is large beside the standard deviation, and then "
    "lose digits. The closed form does not, because x is centred before anything else.",
)


@chapter.rewriting("MW.17", "Insert MW.7 into MW.15. The pass now reads x in the place of x̂.")
def b(g, x, mu, rstd, a, axes):
    return rstd * (mean_over(g * x, axes) - mu * a)


@chapter.forward("MW.18", "The factor of x, when MW.7 is inserted into MW.16: one number per feature.")
def p(rstd, b):
    return -(rstd**2) * b


@chapter.forward("MW.19", "What is left there: one number per feature too.")
def q(rstd, a, p, mu):
    return -rstd * a - p * mu


@chapter.rewriting(
    "MW.20", "So dx is a line in g and x for each feature. It costs no more than the closed form, and x̂ is never made."
)
def dx(rstd, g, p, x, q):
    return rstd * g + p * x + q


chapter.section("The counts", "A pass goes once over its arrays of full size. It may compute several equations.")


def _nodes(e):
    yield e
    for part in vars(e).values():
        if hasattr(part, "letters"):
            yield from _nodes(part)


def _is_full(e):
    return e.letters == ("n", "d")


def operations(line):
    """How many operations a line needs for each element of x. What is done once per feature does not count."""
    found = 0
    for e in _nodes(line.tree):
        if isinstance(e, Sum):
            found += _is_full(e.a)
        elif isinstance(e, (Binary, Function)):
            found += _is_full(e)
    return found


def moved(lines):
    """How many arrays of full size one pass reads and writes."""
    reads = {e.name for line in lines for e in _nodes(line.tree) if isinstance(e, Symbol) and _is_full(e)}
    writes = {line.symbol for line in lines if _is_full(line.tree)}
    return len(reads - writes) + len(writes)


def _line(number):
    return next(line for line in chapter.lines if line.number == f"MW.{number}")


# each form: its passes, each with the numbers of its equations, and what it needs from the forward pass
FORMS = {
    "step by step": (((9,), (11, 12), (13,)), "c"),
    "closed form": (((14, 15), (16,)), "x̂"),
    "from x": (((14, 17), (20,)), "x"),
}


@chapter.table(
    "Step by step costs one operation and two arrays more", "form", "needs", "passes", "operations per element", "arrays moved"
)
def work():
    rows = []
    for form, (passes, needs) in FORMS.items():
        lines = [[_line(number) for number in each] for each in passes]
        total = sum(operations(line) for each in lines for line in each)
        rows.append((form, needs, len(passes), total, sum(moved(each) for each in lines)))
    return rows


@chapter.table(
    "x̂ costs as much memory as x, or two operations per element",
    "kept beside the numbers per feature", "arrays of its own", "MiB for N = 8192, D = 1024, float32", "operations to get x̂",
)  # fmt: skip
def memory():
    """x counts as another layer's if the layer before keeps it; y, if the layer after does."""
    kept = (
        ("c and x̂", 2, None),
        ("x̂", 1, None),
        ("x, which the layer before keeps", 0, 7),
        ("y, which the layer after keeps", 0, 8),
    )
    return [(what, n, n * 8192 * 1024 * 4 // 2**20, operations(_line(k)) if k else 0) for what, n, k in kept]
