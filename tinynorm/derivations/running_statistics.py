"""Chapter 9: Running statistics are weighted averages.

In training, BatchNorm also keeps a running mean and a running variance, which eval mode uses (chapter 8). After each batch they
move a little towards the statistics of the batch. No gradient goes through them. This chapter finds how much an old batch still
counts, and why the variance that is kept differs from the one that normalises.
"""

from fractions import Fraction
from itertools import product

import numpy as np

from ..ops import batch_norm, cat
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=9,
    key="RS",
    name="running_statistics",
    text=__doc__,
    sizes={"t": "T", "i": "m"},
    given={
        **{"running_0": ".", "batch_1": ".", "batch_2": ".", "batch_3": ".", "t": "t", "batch": "t", "new": "."},
        **{"b": ".", "x": "i", "a": ".", "sigma2": "."},
    },
    output="running",
    settings={"axes": (0,), "momentum": 0.3, "T": "T", "m": "m"},
)


@chapter.op
def op(running_0, batch, momentum):
    return all_batches(running_0.clone(), batch, momentum)


def all_batches(mean, batch, momentum):
    """The running mean after BatchNorm has seen batches of two numbers with these means."""
    for k in range(len(batch)):
        x = cat([batch[k : k + 1] - 1, batch[k : k + 1] + 1]).reshape(2, 1)
        batch_norm(x, mean, mean.clone(), training=True, momentum=momentum)
    return mean


chapter.section("One batch after another")


@chapter.forward(
    "RS.1", "One update: a weighted average of what is kept and of the batch's statistic, the mean or the variance."
)
def running_1(running_0, batch_1, momentum):
    return running_0 * (1 - momentum) + batch_1 * momentum


@chapter.forward("RS.2", "The next update does the same with the next batch.")
def running_2(running_1, batch_2, momentum):
    return running_1 * (1 - momentum) + batch_2 * momentum


@chapter.rewriting("RS.3", "Insert RS.1. The first batch's weight has become smaller by the factor 1 - momentum.")
def running_2(running_0, batch_1, batch_2, momentum):
    return running_0 * (1 - momentum) ** 2 + batch_1 * momentum * (1 - momentum) + batch_2 * momentum


@chapter.forward("RS.4", "The third update.")
def running_3(running_2, batch_3, momentum):
    return running_2 * (1 - momentum) + batch_3 * momentum


@chapter.rewriting("RS.5", "Insert RS.3. Every update multiplies the weights of all earlier batches by 1 - momentum.")
def running_3(running_0, batch_1, batch_2, batch_3, momentum):
    return (
        running_0 * (1 - momentum) ** 3
        + batch_1 * momentum * (1 - momentum) ** 2
        + batch_2 * momentum * (1 - momentum)
        + batch_3 * momentum
    )


chapter.section("After T batches")


@chapter.forward("RS.6", "The share that an update keeps.")
def q(momentum):
    return 1 - momentum


@chapter.forward("RS.7", "Batch t comes in with the weight momentum, and T - t updates follow it.")
def weight(momentum, q, T, t):
    return momentum * q ** (T - t)


@chapter.forward("RS.8", "This is RS.5 with T batches in place of 3.")
def running(running_0, q, T, weight, batch, axes):
    return running_0 * q**T + sum_over(weight * batch, axes)


@chapter.forward("RS.9", "Assume that RS.8 holds for T batches, and make one more update with a new batch.")
def updated(running, new, momentum):
    return running * (1 - momentum) + new * momentum


@chapter.rewriting(
    "RS.10",
    "Then RS.8 holds for T + 1 batches: 1 - momentum is one more q for the start and for each old batch, and the new batch "
    "comes in with the weight momentum. RS.1 is the case T = 1, so it holds for every T.",
)
def updated(running_0, q, T, t, batch, new, momentum, axes):
    return running_0 * q ** (T + 1) + sum_over(momentum * q ** (T + 1 - t) * batch, axes) + new * momentum


chapter.section("The weights")


@chapter.forward("RS.11", "The sum of the weights of all batches.")
def total(weight, axes):
    return sum_over(weight, axes)


def _geometric_sum(difference):
    from .machinery.proof import with_geometric_sums

    return with_geometric_sums(difference)


@chapter.rewriting(
    "RS.12",
    "A geometric series. For one batch it is 1 - q. An update multiplies it by q and adds momentum = 1 - q, so from 1 - q^T "
    "comes 1 - q^(T + 1).",
    proof=_geometric_sum,
)
def total(q, T):
    return 1 - q**T


@chapter.forward("RS.13", "RS.8 if all batches have the same statistic b: their weights add up to 1 - q^T.")
def settled(running_0, q, T, b):
    return running_0 * q**T + (1 - q**T) * b


@chapter.rewriting(
    "RS.14", "Put together what is multiplied by q^T. The distance from b shrinks by the factor q with each batch."
)
def settled(running_0, q, T, b):
    return b + (running_0 - b) * q**T


@chapter.table("How much the start still counts, q^T", "T", "momentum 0.1", "momentum 0.01")
def start():
    return [(T, f"{0.9**T:.2g}", f"{0.99**T:.2g}") for T in (1, 10, 50, 100, 500)]


chapter.section(
    "momentum=None: the average of all batches",
    "With this setting, BatchNorm takes 1 / (T + 1) as the momentum of the update after T batches.",
)


@chapter.forward("RS.15", "The average of T batches.")
def average(batch, axes):
    return mean_over(batch, axes)


@chapter.forward("RS.16", "RS.1 with the momentum 1 / (T + 1).")
def cumulated(average, new, T):
    return average * (1 - 1 / (T + 1)) + new * (1 / (T + 1))


@chapter.rewriting("RS.17", "1 - 1 / (T + 1) is T / (T + 1), and T times the average is the sum: the average of T + 1 batches.")
def cumulated(batch, new, T, axes):
    return (sum_over(batch, axes) + new) / (T + 1)


chapter.section(
    "Two variances",
    "The batch is normalised with the mean of the squares, so that x̂ has the variance 1 (ST.11). The running variance is an "
    "estimate for data that are not in the batch. For this the mean of the squares is too small, because μ is fitted to the "
    "same numbers. Here a is any number.",
)


@chapter.forward("RS.18", "The mean of the m numbers of a feature in the batch.")
def mu(x, axes):
    return mean_over(x, axes)


@chapter.forward("RS.19", "The sum of their squared distances from it.")
def s(x, mu, axes):
    return sum_over((x - mu) ** 2, axes)


@chapter.rewriting("RS.20", "Subtract a from both.")
def s(x, mu, a, axes):
    return sum_over((x - a - (mu - a)) ** 2, axes)


@chapter.rewriting("RS.21", "Multiply out. μ - a is the same in each term of the sum.")
def s(x, mu, a, m, axes):
    return sum_over((x - a) ** 2, axes) - 2 * (mu - a) * sum_over(x - a, axes) + m * (mu - a) ** 2


@chapter.rewriting(
    "RS.22", "The sum of x - a is m (μ - a). So the squared distances are smallest from μ, and larger from any other a."
)
def s(x, mu, a, m, axes):
    return sum_over((x - a) ** 2, axes) - m * (mu - a) ** 2


@chapter.forward(
    "RS.23",
    "The expected value of s, with the true mean for a. The true variance σ² is the expected value of each (x - a)². That of "
    "(μ - a)² is σ² / m, because μ is the mean of m independent numbers.",
)
def expected(sigma2, m):
    return m * sigma2 - m * (sigma2 / m)


@chapter.rewriting("RS.24", "To fit μ has cost one of m terms. So s / (m - 1) is σ² on average, and s / m is too small.")
def expected(sigma2, m):
    return (m - 1) * sigma2


@chapter.forward("RS.25", "The biased variance, which normalises the batch (BN.3).")
def var(x, mu, axes):
    return mean_over((x - mu) ** 2, axes)


@chapter.forward("RS.26", "The unbiased variance, which updates the running variance.")
def unbiased(var, m):
    return var * (m / (m - 1))


@chapter.rewriting("RS.27", "It is s / (m - 1): the factor puts m - 1 in the place of m.")
def unbiased(s, m):
    return s / (m - 1)


@chapter.table(
    "All samples of m numbers from 0, 1 and 5, whose variance is 14/3: the average of both variances",
    "m", "samples", "biased", "unbiased",
)  # fmt: skip
def all_samples():
    rows = []
    for m in (2, 3, 4):
        samples = np.array(list(product((0, 1, 5), repeat=m)))
        squares = m * (samples**2).sum() - (samples.sum(axis=1) ** 2).sum()  # m times the sum of s
        average = Fraction(int(squares), m * len(samples))
        rows.append((m, len(samples), str(average / m), str(average / (m - 1))))
    return rows
