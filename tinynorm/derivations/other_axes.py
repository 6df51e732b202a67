"""Chapter 11: One formula over other axes.

Every normalisation layer divides its numbers into groups and standardises each group. BatchNorm, LayerNorm, InstanceNorm and
GroupNorm differ in which numbers form a group, and in which numbers share one γ; the table says how. But the formula of dx
from the gradient g of x̂ is the same (CF.23). This chapter derives it for groups that extend over two axes, and finds two
variants of it.

The first is RMSNorm, which does not subtract the mean of x: then the formula does not subtract the mean of g. The second is
for groups that have one γ and one β of their own, as in BatchNorm: then the two means in the formula are γ dβ and γ dγ,
divided by the size of the group. dβ and dγ must be computed anyway.

In the table, x (N, C, P) has N samples, such as images. Each sample has C channels, such as red, green and blue, with P
positions each. A row is the P numbers of one channel of one sample.
"""

import numpy as np

from ..autograd import grad
from ..creation import tensor
from ..ops import batch_norm, group_norm, instance_norm, layer_norm, rms_norm, sqrt
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=11,
    key="OA",
    name="other_axes",
    text=__doc__,
    sizes={"n": "N", "j": "C", "k": "P"},
    given={"x": "njk", "gamma": ".j.", "beta": ".j."},
    settings={"axes": (0, 2), "positions": (2,), "rows": (0,), "eps": 1e-5, "N": "N", "P": "P"},
)


@chapter.op
def op(x, gamma, beta, eps):
    return batch_norm(x, None, None, gamma.reshape(-1), beta.reshape(-1), training=True, eps=eps)


@chapter.table(
    "Five layers for x (N, C, P), and the largest difference between their dx and the formula (RMSNorm: OA.13, others: OA.16)",
    "layer", "x is viewed as", "a group is", "one γ for each", "difference",
)  # fmt: skip
def layers():
    N, C, P, G = 2, 6, 5, 3
    K = C // G
    values = np.random.default_rng(0)
    x, dy, gamma, last = (values.normal(size=s) for s in ((N, C, P), (N, C, P), C, P))
    weight, weight_last = tensor(gamma, dtype="float64"), tensor(last, dtype="float64")
    forms = [
        ("BatchNorm", (N, C, P), "(N, C, P)", (0, 2), "a channel", "channel", gamma[:, None],
         lambda x: batch_norm(x, weight=weight, training=True)),
        ("InstanceNorm", (N, C, P), "(N, C, P)", (2,), "a channel of a sample", "channel", gamma[:, None],
         lambda x: instance_norm(x, weight=weight)),
        ("GroupNorm", (N, G, K, P), "(N, G, C/G, P)", (2, 3), "C/G channels of a sample", "channel", gamma.reshape(G, K, 1),
         lambda x: group_norm(x, G, weight)),
        ("LayerNorm", (N, C, P), "(N, C, P)", (2,), "a row", "position in the row", last,
         lambda x: layer_norm(x, P, weight_last)),
        ("RMSNorm", (N, C, P), "(N, C, P)", (2,), "a row, not centred", "position in the row", last,
         lambda x: rms_norm(x, P, weight_last, eps=1e-5)),
    ]  # fmt: skip
    rows = []
    for layer, view, text, axes, group, each, scale, run in forms:
        leaf = tensor(x, dtype="float64").requires_grad_()
        found = grad(run(leaf), [leaf], tensor(dy, dtype="float64"))[0].numpy()
        ours = formula(x.reshape(view), dy.reshape(view) * scale, axes, centred=layer != "RMSNorm")
        largest = float(np.abs(ours.reshape(x.shape) - found).max())
        rows.append((layer, text, group, each, "below 1e-12" if largest < 1e-12 else f"{largest:.1g}"))
    return rows


def formula(x, g, axes, centred):
    c = x - mean_over(x, axes) if centred else x
    rstd = 1 / sqrt(mean_over(c * c, axes) + 1e-5)
    x_hat = c * rstd
    return rstd * ((g - mean_over(g, axes) if centred else g) - x_hat * mean_over(g * x_hat, axes))


chapter.section(
    "Forward",
    "The example is BatchNorm of images. The indices are n for the sample, j for the channel and k for the position. A group "
    "is one channel of all samples, so it has N P numbers. Where n and k already stand on the left, the sample and the "
    "position inside a sum are called l and p.",
)


@chapter.forward("OA.1", "The mean of each channel, over all samples and positions.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("OA.2", "The centred values.")
def c(x, mu):
    return x - mu


@chapter.forward("OA.3", "The variance of each channel: the mean of the squares of c.")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("OA.4", "The reciprocal of the standard deviation.")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("OA.5", "The standardised values.")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward("OA.6", "All numbers of a channel, and so of a group, share one γ and one β.")
def y(x_hat, gamma, beta):
    return x_hat * gamma + beta


chapter.section(
    "RMSNorm: no mean of g",
    "RMSNorm leaves out the centring, and has no β. It starts at OA.3, with its own input in place of c. So the gradient that "
    "RMSNorm passes on is dc.",
)


@chapter.adjoint("OA.7", "y is γ x̂ + β, so the derivative with respect to x̂ is γ.")
def dx_hat(dy, gamma):
    return dy * gamma


@chapter.forward("OA.8", "From now on dx̂ is called g, as in chapter 7.")
def g(dy, gamma):
    return dy * gamma


@chapter.adjoint("OA.9", "r multiplies c for every number of the group (OA.5), so the contributions g c add up.")
def drstd(g, c, axes):
    return sum_over(g * c, axes)


@chapter.adjoint("OA.10", "The derivative of r = (v + ε)^(-1/2) with respect to v is -r³ / 2 (BN.11).")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint(
    "OA.11",
    "c is used twice: in x̂ = c r, and in v, to which it contributes c² / (N P). The derivative of that is 2 c / (N P).",
)
def dc(g, rstd, dvar, c, N, P):
    return g * rstd + dvar * 2 * c / (N * P)


@chapter.rewriting(
    "OA.12",
    "Insert OA.9 into OA.10, and that into OA.11. The 2 cancels, and the sum divided by N P is a mean. Two of the three "
    "factors r turn the two c into x̂ (OA.5), as in LN.15.",
)
def dc(g, rstd, x_hat, axes):
    return g * rstd - rstd * x_hat * mean_over(g * x_hat, axes)


@chapter.rewriting("OA.13", "Factor out r. In RMSNorm c is the input, so this is RMSNorm's backward pass.")
def dc(g, rstd, x_hat, axes):
    return rstd * (g - x_hat * mean_over(g * x_hat, axes))


chapter.section("Centring brings in the mean of g", "The other layers do centre. So one more step leads from dc to dx.")


@chapter.adjoint("OA.14", "μ is subtracted from every number of the group (OA.2).")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint(
    "OA.15",
    "x is used in c, and in μ with the factor 1 / (N P). With OA.14 this gives dc minus its mean: the backward pass of "
    "centring is centring (CE.8).",
)
def dx(dc, axes):
    return dc - mean_over(dc, axes)


@chapter.rewriting(
    "OA.16",
    "Insert OA.13. In the mean of dc, r and the mean of g x̂ are the same for all numbers, so the second term is a multiple "
    "of the mean of x̂. That mean is 0 (ST.8), so the mean of dc is r times the mean of g. Factor out r.",
)
def dx(g, rstd, x_hat, axes):
    return rstd * (g - mean_over(g, axes) - x_hat * mean_over(g * x_hat, axes))


chapter.section(
    "One γ for a whole group: the means are known",
    "OA.16 holds for any γ, because γ is a part of g. If a group has one γ and one β of its own, dβ and dγ give the two means.",
)


@chapter.adjoint("OA.17", "β is added to all numbers of the channel, so its gradient is the sum of dy over them.")
def dbeta(dy, axes):
    return sum_over(dy, axes)


@chapter.adjoint("OA.18", "γ multiplies x̂ for all numbers of the channel, so its gradient is the sum of dy x̂ over them.")
def dgamma(dy, x_hat, axes):
    return sum_over(dy * x_hat, axes)


@chapter.rewriting("OA.19", "Insert OA.8 into OA.16.")
def dx(dy, gamma, rstd, x_hat, axes):
    return rstd * (dy * gamma - mean_over(dy * gamma, axes) - x_hat * mean_over(dy * gamma * x_hat, axes))


@chapter.rewriting(
    "OA.20",
    "Both means are over one group, and γ is the same in the whole group. So γ moves out of the means, and in front of the "
    "brackets.",
)
def dx(dy, gamma, rstd, x_hat, axes):
    return gamma * rstd * (dy - mean_over(dy, axes) - x_hat * mean_over(dy * x_hat, axes))


@chapter.rewriting(
    "OA.21",
    "The mean of dy is the sum OA.17 divided by N P, and the mean of dy x̂ is the sum OA.18 divided by N P. So after dβ and "
    "dγ, dx needs no further sum.",
)
def dx(dy, gamma, rstd, x_hat, dbeta, dgamma, N, P):
    return gamma * rstd * (dy - dbeta / (N * P) - x_hat * (dgamma / (N * P)))


@chapter.forward("OA.22", "A name for the first two terms in the brackets: dy minus its mean.")
def u(dy, dbeta, N, P):
    return dy - dbeta / (N * P)


@chapter.rewriting(
    "OA.23",
    "The sum of u x̂ is the sum of dy x̂, minus the mean of dy times the sum of x̂, which is 0 (ST.8). If the mean of dy is "
    "large, the numbers u are smaller than dy, and so is the rounding error.",
)
def dgamma(u, x_hat, axes):
    return sum_over(u * x_hat, axes)


@chapter.forward("OA.24", "A name for the factor in front of the brackets.")
def scale(gamma, rstd):
    return gamma * rstd


@chapter.rewriting("OA.25", "Write OA.21 with u and scale. BatchNorm computes dx by this line.")
def dx(scale, u, x_hat, dgamma, N, P):
    return scale * (u - x_hat * (dgamma / (N * P)))


chapter.section(
    "InstanceNorm",
    "In InstanceNorm a group is one channel of one sample, with P numbers. γ and β are still the same for a channel in all "
    "samples. So the sums over one group are only parts of dβ and dγ.",
)


@chapter.forward(
    "OA.26",
    "The part of dβ that comes from one sample. Divided by P, it is the mean of dy over a group of InstanceNorm: it takes the "
    "place of dβ / (N P) in OA.21.",
)
def b(dy, positions):
    return sum_over(dy, positions)


@chapter.rewriting("OA.27", "The sum over the samples of their parts is dβ. dγ has such parts too.")
def dbeta(b, rows):
    return sum_over(b, rows)
