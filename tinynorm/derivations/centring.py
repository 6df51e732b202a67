"""Chapter 4: Centring is a projection.

Every normalisation but RMSNorm first subtracts from each number the mean of its group. This chapter looks at that step alone,
for one group of m numbers. It is linear, doing it twice is the same as doing it once, and its backward pass is the same step
again. A linear map with the first two properties is a projection.
"""

from ..ops.common import mean_over, sum_over
from ..ops.normalization_formula import centre
from .machinery.chapter import Chapter

chapter = Chapter(
    order=4,
    key="CE",
    name="centring",
    text=__doc__,
    sizes={"i": "m"},
    given={"x": "i"},
    output="c",
    settings={"axes": (0,), "m": "m"},
)


@chapter.op
def op(x, axes):
    return centre(x, axes)[0]


@chapter.forward("CE.1", "The mean of the group.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("CE.2", "The centred numbers.")
def c(x, mu):
    return x - mu


@chapter.forward("CE.3", "The sum of the centred numbers. The loss does not use it, but the proofs do.")
def s(c, axes):
    return sum_over(c, axes)


@chapter.rewriting("CE.4", "It is 0: the sum of x is m μ, and m times μ is subtracted.")
def s(c, axes):
    return 0 * sum_over(c, axes)


@chapter.rewriting("CE.5", "So the mean of c is 0, and centring c once more changes nothing.")
def c(c, axes):
    return c - mean_over(c, axes)


@chapter.adjoint("CE.6", "μ is subtracted from every number, so its adjoint is minus the sum of theirs.")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint("CE.7", "x is used twice: in x - μ, and in μ, to which it contributes 1/m.")
def dx(dc, dmu, m):
    return dc + dmu / m


@chapter.rewriting("CE.8", "Put together, the gradient is centred as x was: the backward pass of centring is centring.")
def dx(dc, axes):
    return dc - mean_over(dc, axes)
