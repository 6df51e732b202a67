"""Chapter 3: Softmax and cross-entropy: p - t.

A classifier gives C numbers z for each example, the logits. Softmax makes probabilities p of them, and the cross-entropy
compares p with the targets t: it is large where t is large and p is small. Backward through one step after another takes
divisions by p, which may be 0. Put together they cancel, and the gradient is the probabilities minus the targets, divided by
the number of examples.

That needs one property of the targets: those of an example sum to 1. A class index gives such targets, 1 for its class and 0
for the others (one-hot).
"""

import numpy as np

from ..ops import broadcast_to, cross_entropy, exp, log
from ..ops.common import mean_over, sum_over
from .machinery.chapter import FORWARD, Chapter


def positive(rng, shape):
    return 0.1 + rng.random(shape)


chapter = Chapter(
    order=3,
    key="SX",
    name="softmax_cross_entropy",
    text=__doc__,
    sizes={"n": "N", "c": "C"},
    given={"z": "nc", "r": "nc", "s": "n."},
    output="L",
    settings={"axes": (1,), "rows": (0,), "m": "N"},
    draw={"r": positive},
)


@chapter.op
def op(z, r, axes):
    return cross_entropy(z, r / sum_over(r, axes)).reshape(1, 1)


chapter.section("Forward")


@chapter.forward("SX.1", "The targets: any row r, divided by its sum, so that it sums to 1. A one-hot row stays as it is.")
def t(r, axes):
    return r / sum_over(r, axes)


@chapter.forward("SX.2", "An exponential makes each logit positive. A number s for each row is subtracted first; see SX.10.")
def u(z, s):
    return exp(z - s)


@chapter.forward("SX.3", "Their sum over the classes.")
def S(u, axes):
    return sum_over(u, axes)


@chapter.forward("SX.4", "Softmax: each exponential's share of the sum. So p is positive, and a row of it sums to 1.")
def p(u, S):
    return u / S


@chapter.forward("SX.5", "The logarithms of the probabilities.")
def log_p(p):
    return log(p)


@chapter.forward("SX.6", "The cross-entropy of an example. For a one-hot t it is -log p of the example's class.")
def ell(t, log_p, axes):
    return -sum_over(t * log_p, axes)


@chapter.forward("SX.7", "The loss is the mean over the examples.")
def L(ell, rows):
    return mean_over(ell, rows)


chapter.section(
    "The shift s cancels",
    "Without s, e^1000 would overflow. p does not depend on s, so s is free, and the code takes the largest logit of the row. "
    "Then the largest exponent is 0. s counts as a constant: what does not change p needs no gradient.",
)


@chapter.rewriting("SX.8", "The exponential of a difference is a product of exponentials.")
def u(z, s):
    return exp(z) * exp(-s)


@chapter.rewriting("SX.9", "Insert SX.8. The second factor is the same for all classes, so it moves out of the sum.")
def S(z, s, axes):
    return exp(-s) * sum_over(exp(z), axes)


@chapter.rewriting("SX.10", "In SX.8 divided by SX.9 this factor cancels, and s with it.")
def p(z, axes):
    return exp(z) / sum_over(exp(z), axes)


def log_of_a_quotient():
    """An exponential is positive, and so is a sum of exponentials."""
    from .machinery.proof import sp

    c, S = sp.Symbol("c", real=True), sp.Symbol("S", positive=True)
    return [sp.expand_log(sp.log(sp.exp(c) / S)) - (c - sp.log(S))]


@chapter.rewriting(
    "SX.11",
    "The logarithm of SX.4; u and S are positive. In this form log p is finite even where p rounds to 0.",
    proof=log_of_a_quotient,
)
def log_p(z, s, S):
    return z - s - log(S)


@chapter.rewriting("SX.12", "So p is the exponential of SX.11. Code that has log p needs no second division.")
def p(log_p):
    return exp(log_p)


@chapter.table("The logits 1000 and 0 in float64", "s", "u", "p", "log(p)", "SX.11")
def shifted():
    given, rows = {"z": np.array([[1000.0, 0.0]]), "r": np.array([[0.0, 1.0]])}, []
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for s in (np.array([[0.0]]), np.array([[1000.0]])):
            values = chapter.run({**given, **chapter.settings, "s": s}, (FORWARD,))
            found = (values["u"], values["p"], values["log_p"], line("SX.11").value(values))
            rows.append((f"{s[0, 0]:g}", *(", ".join(f"{x:g}" for x in array[0]) for array in found)))
    return rows


def line(number):
    return next(line for line in chapter.lines if line.number == number)


chapter.section("Backward, one step at a time")


@chapter.adjoint("SX.13", "The backward of a mean: each example gets an equal share.")
def dell(dL, m, ell):
    return broadcast_to(dL / m, ell.shape)


@chapter.adjoint("SX.14", "A log p enters the sum with its target as factor, and a minus sign.")
def dlog_p(dell, t):
    return -dell * t


@chapter.adjoint("SX.15", "The derivative of log p is 1/p.")
def dp(dlog_p, p):
    return dlog_p / p


@chapter.adjoint("SX.16", "All probabilities of a row share S. The derivative of u/S with respect to S is -u/S².")
def dS(dp, u, S, axes):
    return -sum_over(dp * u, axes) / S**2


@chapter.adjoint("SX.17", "An exponential is used twice: in its own p, and in S.")
def du(dp, S, dS):
    return dp / S + dS


@chapter.adjoint("SX.18", "The exponential is its own derivative.")
def dz(du, u):
    return du * u


chapter.section("Softmax")


@chapter.rewriting("SX.19", "S is the same for all classes, so one of its two factors moves into the sum, where u/S is p.")
def dS(dp, p, S, axes):
    return -sum_over(dp * p, axes) / S


@chapter.rewriting("SX.20", "Insert SX.19 into SX.17.")
def du(dp, p, S, axes):
    return (dp - sum_over(dp * p, axes)) / S


@chapter.rewriting("SX.21", "Insert SX.20 into SX.18, where u/S is p. This is softmax's vector-Jacobian product (VJ.10).")
def dz(p, dp, axes):
    return p * (dp - sum_over(dp * p, axes))


@chapter.table(
    "The Jacobian of softmax for the logits 2, 1, 0: SX.21 for a dp with a single 1, in each row at another place",
    *("p", "dz₁", "dz₂", "dz₃", "sum of the row"),
)
def jacobian():
    z = np.array([[2.0, 1.0, 0.0]])
    p = line("SX.10").value({"z": z, "axes": (1,)})
    J = line("SX.21").value({"p": p, "dp": np.eye(3), "axes": (1,)})
    return [(f"{p[0, c]:.3f}", *(f"{x:.3f}" for x in J[c]), f"{abs(J[c].sum()):.3f}") for c in range(3)]


chapter.section("Log-softmax")


@chapter.rewriting("SX.22", "Multiply out SX.21, to find p times dp in both terms.")
def dz(p, dp, axes):
    return p * dp - p * sum_over(dp * p, axes)


@chapter.rewriting("SX.23", "p times dp is d(log p), by SX.15. The division by p is gone.")
def dz(dlog_p, p, axes):
    return dlog_p - p * sum_over(dlog_p, axes)


@chapter.rewriting("SX.24", "With SX.12 for p: the backward pass of log-softmax needs its output only.")
def dz(dlog_p, log_p, axes):
    return dlog_p - exp(log_p) * sum_over(dlog_p, axes)


chapter.section("Cross-entropy")


@chapter.rewriting("SX.25", "Insert SX.14 into SX.23. dℓ is the same for all classes and moves out of the sum.")
def dz(dell, t, p, axes):
    return -dell * t + p * dell * sum_over(t, axes)


@chapter.rewriting("SX.26", "Factor out dℓ. In this form the targets may have any sum, as with class weights.")
def dz(dell, p, t, axes):
    return dell * (p * sum_over(t, axes) - t)


@chapter.forward("SX.27", "The sum of an example's targets.")
def T(t, axes):
    return sum_over(t, axes)


@chapter.rewriting("SX.28", "It is 1 by SX.1. Nothing else about the targets is used.")
def T():
    return 1


@chapter.rewriting("SX.29", "Insert SX.28 into SX.26: probabilities minus targets.")
def dz(dell, p, t):
    return dell * (p - t)


@chapter.rewriting("SX.30", "Insert SX.13. If nothing follows the loss, dL is 1, and the gradient is (p - t) / N.")
def dz(dL, p, t, m):
    return dL * (p - t) / m


@chapter.table(
    "One example of class 2, for dL = 1: gradient descent raises the logit of class 2 and lowers the others",
    *("class", "z", "t", "p", "dz"),
)
def example():
    z, t = np.array([[2.0, 1.0, 0.0]]), np.array([[0.0, 1.0, 0.0]])
    p = line("SX.10").value({"z": z, "axes": (1,)})
    dz = line("SX.30").value({"dL": 1.0, "p": p, "t": t, "m": 1})
    return [(c + 1, f"{z[0, c]:g}", f"{t[0, c]:g}", f"{p[0, c]:.3f}", f"{dz[0, c]:.3f}") for c in range(3)]
