"""Chapter 11: One formula over other axes.

BatchNorm, LayerNorm, InstanceNorm and GroupNorm differ in which numbers form a group, and in which numbers share one γ. The
formula of the gradient is the same. This chapter derives two variants of it. RMSNorm does not centre, and its formula lacks the
mean of g. And where a whole group shares one γ, the means are the gradients of β and γ, which must be computed anyway.
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
    "Five layers for x (N, C, P), and how far their dx is from the formula: OA.13 for RMSNorm, OA.16 for the others",
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
    "As an example, BatchNorm of images: P positions in each of C channels, with the letter j for the channel. A group is a "
    "channel, over the batch and all positions: m = N P.",
)


@chapter.forward("OA.1", "The mean of a channel, over two axes.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("OA.2", "The centred values.")
def c(x, mu):
    return x - mu


@chapter.forward("OA.3", "The mean of their squares.")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("OA.4", "The reciprocal of its root.")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("OA.5", "The standardised values.")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward("OA.6", "All numbers of a group share one γ and one β.")
def y(x_hat, gamma, beta):
    return x_hat * gamma + beta


chapter.section("RMSNorm: no mean of g", "RMSNorm begins at OA.3: its input is c. So the gradient of c is RMSNorm's gradient.")


@chapter.adjoint("OA.7", "The gradient at x̂.")
def dx_hat(dy, gamma):
    return dy * gamma


@chapter.forward("OA.8", "Its name in the program.")
def g(dy, gamma):
    return dy * gamma


@chapter.adjoint("OA.9", "r multiplies every number of the group.")
def drstd(g, c, axes):
    return sum_over(g * c, axes)


@chapter.adjoint("OA.10", "The derivative of (v + ε)^(-1/2).")
def dvar(drstd, rstd):
    return -drstd * rstd**3 / 2


@chapter.adjoint("OA.11", "c is used in x̂, and in the mean of the squares, to which each number contributes c² / (N P).")
def dc(g, rstd, dvar, c, N, P):
    return g * rstd + dvar * 2 * c / (N * P)


@chapter.rewriting("OA.12", "Insert OA.9 and OA.10. Two of the factors r make x̂ of the two c.")
def dc(g, rstd, x_hat, axes):
    return g * rstd - rstd * x_hat * mean_over(g * x_hat, axes)


@chapter.rewriting("OA.13", "Factor out r. This is RMSNorm's backward pass, with x in place of c.")
def dc(g, rstd, x_hat, axes):
    return rstd * (g - x_hat * mean_over(g * x_hat, axes))


chapter.section("Centring puts the mean of g back")


@chapter.adjoint("OA.14", "μ is subtracted from every number of the group.")
def dmu(dc, axes):
    return -sum_over(dc, axes)


@chapter.adjoint("OA.15", "The way back through centring is centring (CE.8).")
def dx(dc, axes):
    return dc - mean_over(dc, axes)


@chapter.rewriting("OA.16", "Insert OA.13. The mean of x̂ is 0 (ST.8), so of the mean of dc only r times the mean of g is left.")
def dx(g, rstd, x_hat, axes):
    return rstd * (g - mean_over(g, axes) - x_hat * mean_over(g * x_hat, axes))


chapter.section("One γ for a whole group: the means are known")


@chapter.adjoint("OA.17", "β is added to all numbers of the channel.")
def dbeta(dy, axes):
    return sum_over(dy, axes)


@chapter.adjoint("OA.18", "γ multiplies all numbers of the channel.")
def dgamma(dy, x_hat, axes):
    return sum_over(dy * x_hat, axes)


@chapter.rewriting("OA.19", "Insert OA.8 into OA.16.")
def dx(dy, gamma, rstd, x_hat, axes):
    return rstd * (dy * gamma - mean_over(dy * gamma, axes) - x_hat * mean_over(dy * gamma * x_hat, axes))


@chapter.rewriting("OA.20", "γ is the same for all numbers over which the means are taken, so it comes out of them.")
def dx(dy, gamma, rstd, x_hat, axes):
    return gamma * rstd * (dy - mean_over(dy, axes) - x_hat * mean_over(dy * x_hat, axes))


@chapter.rewriting("OA.21", "The means are the sums OA.17 and OA.18, divided by m = N P. No further pass over dy is needed.")
def dx(dy, gamma, rstd, x_hat, dbeta, dgamma, N, P):
    return gamma * rstd * (dy - dbeta / (N * P) - x_hat * (dgamma / (N * P)))


@chapter.forward("OA.22", "A name for its first two terms: dy, centred.")
def d(dy, dbeta, N, P):
    return dy - dbeta / (N * P)


@chapter.rewriting(
    "OA.23", "In dγ, dy may be centred too: the mean is the same for all, and the sum of x̂ is 0. This loses fewer digits."
)
def dgamma(d, x_hat, axes):
    return sum_over(d * x_hat, axes)


@chapter.forward("OA.24", "A name for the factor in front.")
def scale(gamma, rstd):
    return gamma * rstd


@chapter.rewriting("OA.25", "OA.21 with both names. This is the line that runs.")
def dx(scale, d, x_hat, dgamma, N, P):
    return scale * (d - x_hat * (dgamma / (N * P)))


chapter.section("InstanceNorm", "A group is now a channel of one sample. Each group gives a part of dβ and of dγ.")


@chapter.forward("OA.26", "The part of dβ that one sample gives. Divided by P, it is the mean of dy in OA.20.")
def b(dy, positions):
    return sum_over(dy, positions)


@chapter.rewriting("OA.27", "The parts are added over the batch.")
def dbeta(b, rows):
    return sum_over(b, rows)
