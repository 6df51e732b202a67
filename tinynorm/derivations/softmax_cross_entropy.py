"""Chapter 3: Softmax and cross-entropy: p - t.

A classifier decides for each of N examples to which of C classes it belongs. It computes C numbers z for each example, called
logits: the larger a logit, the more likely the class. Softmax turns the logits of an example into probabilities p, which are
positive and sum to 1. The targets t say what p should be. If an example's class is known, its targets are 1 for this class and
0 for the others; this is called one-hot. The cross-entropy is the loss: it is large if p is small where t is large.

In the backward pass, one step divides by p. In exact arithmetic p is never 0, but a computer rounds a very small p, such as
e^-1000, to 0. Then the division fails. On paper a later step multiplies by p, so the division cancels. The gradient of the
logits is then (p - t) / N: the probabilities minus the targets, divided by the number of examples. This needs one property of
the targets: those of an example sum to 1.
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


@chapter.forward(
    "SX.1",
    "The targets come from rows of numbers r: each row is divided by its sum, which must not be 0. So each row of t sums to "
    "1; a one-hot row of r is not changed.",
)
def t(r, axes):
    return r / sum_over(r, axes)


@chapter.forward(
    "SX.2",
    "The exponential turns each logit into a positive number. First a number s is subtracted, the same for the whole row: it "
    "changes u but not p (SX.10).",
)
def u(z, s):
    return exp(z - s)


@chapter.forward("SX.3", "The sum of u over the classes of an example.")
def S(u, axes):
    return sum_over(u, axes)


@chapter.forward(
    "SX.4", "Softmax: p is the share that u has in the sum of its row. So p is positive, and each row of p sums to 1."
)
def p(u, S):
    return u / S


@chapter.forward(
    "SX.5",
    "The natural logarithm of each probability. (log p) is a symbol of its own, because it can be computed without p (SX.11).",
)
def log_p(p):
    return log(p)


@chapter.forward(
    "SX.6", "The cross-entropy of each example. If t is one-hot, a single term is left: -log p of the example's class."
)
def ell(t, log_p, axes):
    return -sum_over(t * log_p, axes)


@chapter.forward("SX.7", "The loss is the mean over the N examples.")
def L(ell, rows):
    return mean_over(ell, rows)


chapter.section(
    "The shift s cancels",
    "A logit of 1000 would give e^1000, which is too large for a floating-point number: it overflows. The lines below show "
    "that p does not depend on s, so s may be any number. The code takes the largest logit of the row. Then the largest "
    "exponent is 0, and nothing overflows. This s depends on z. But p does not depend on s, so s adds nothing to the gradient "
    "and counts as a constant.",
)


@chapter.rewriting("SX.8", "The exponential of a difference is a product: e^(z - s) = e^z e^(-s).")
def u(z, s):
    return exp(z) * exp(-s)


@chapter.rewriting(
    "SX.9", "Insert SX.8. The factor e^(-s) is the same for all classes of an example, so it moves out of the sum."
)
def S(z, s, axes):
    return exp(-s) * sum_over(exp(z), axes)


@chapter.rewriting("SX.10", "Divide SX.8 by SX.9. The factor e^(-s) stands in both and cancels, so p does not depend on s.")
def p(z, axes):
    return exp(z) / sum_over(exp(z), axes)


def log_of_a_quotient(difference):
    """An exponential is positive, and so is a sum of exponentials."""
    from .machinery.proof import sp, with_positive

    sums = [total for total in difference.atoms(sp.Sum) if total.function.is_positive]
    return [sp.expand_log(e) for e in with_positive(difference, *sums)]


@chapter.rewriting(
    "SX.11",
    "Take the logarithm of SX.4: it is log u - log S, and log u is z - s (SX.2). If s is the largest logit of the row, this "
    "form is finite even where p rounds to 0.",
    proof=log_of_a_quotient,
)
def log_p(z, s, S):
    return z - s - log(S)


@chapter.rewriting(
    "SX.12",
    "The exponential undoes the logarithm. So code that has log p from SX.11 can compute p from it, without dividing by S.",
)
def p(log_p):
    return exp(log_p)


@chapter.table("The logits 1000 and 0, computed in float64 for two choices of s", "s", "u", "p", "log(p)", "SX.11")
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


@chapter.adjoint(
    "SX.13",
    "L is the mean of N numbers ℓ, so its derivative with respect to each is 1/N. dL is the gradient that arrives at L: it is "
    "1 if L is itself the final loss.",
)
def dell(dL, m, ell):
    return broadcast_to(dL / m, ell.shape)


@chapter.adjoint("SX.14", "In SX.6 each log p is multiplied by -t, so the derivative of ℓ with respect to log p is -t.")
def dlog_p(dell, t):
    return -dell * t


@chapter.adjoint("SX.15", "The derivative of log p with respect to p is 1/p. This is the division by p.")
def dp(dlog_p, p):
    return dlog_p / p


@chapter.adjoint(
    "SX.16",
    "All classes of a row use the same S, so their contributions add up. The derivative of u/S with respect to S is -u/S².",
)
def dS(dp, u, S, axes):
    return -sum_over(dp * u, axes) / S**2


@chapter.adjoint(
    "SX.17", "u is used twice: in its own p = u/S, with the derivative 1/S, and in the sum S, with the derivative 1."
)
def du(dp, S, dS):
    return dp / S + dS


@chapter.adjoint("SX.18", "The derivative of u = e^(z - s) with respect to z is u itself.")
def dz(du, u):
    return du * u


chapter.section("Softmax", "Softmax alone maps z to p. Its three backward steps, SX.16 to SX.18, become one.")


@chapter.rewriting(
    "SX.19",
    "Split 1/S² into two factors 1/S. One of them moves into the sum, because S is the same for all classes; there, u/S is p.",
)
def dS(dp, p, S, axes):
    return -sum_over(dp * p, axes) / S


@chapter.rewriting("SX.20", "Insert SX.19 into SX.17, and put both terms over S.")
def du(dp, p, S, axes):
    return (dp - sum_over(dp * p, axes)) / S


@chapter.rewriting(
    "SX.21",
    "Insert SX.20 into SX.18: u/S is p. This is the backward pass of softmax alone, its vector-Jacobian product (VJ.10).",
)
def dz(p, dp, axes):
    return p * (dp - sum_over(dp * p, axes))


@chapter.table(
    "The Jacobian of softmax for the logits 2, 1, 0. Each row is SX.21 for a dp that is 1 at one class and 0 at the others",
    *("p", "dz₁", "dz₂", "dz₃", "sum of the row"),
)
def jacobian():
    z = np.array([[2.0, 1.0, 0.0]])
    p = line("SX.10").value({"z": z, "axes": (1,)})
    J = line("SX.21").value({"p": p, "dp": np.eye(3), "axes": (1,)})
    return [(f"{p[0, c]:.3f}", *(f"{x:.3f}" for x in J[c]), f"{abs(J[c].sum()):.3f}") for c in range(3)]


chapter.section("Log-softmax", "Log-softmax maps z to log p. Its backward pass computes dz from d(log p).")


@chapter.rewriting("SX.22", "Multiply out. Now p times dp stands in both terms.")
def dz(p, dp, axes):
    return p * dp - p * sum_over(dp * p, axes)


@chapter.rewriting("SX.23", "By SX.15, p times dp is d(log p). So the division by p has cancelled.")
def dz(dlog_p, p, axes):
    return dlog_p - p * sum_over(dlog_p, axes)


@chapter.rewriting(
    "SX.24",
    "Insert SX.12 for p. So this backward pass needs only log p from the forward pass, which is the output of log-softmax.",
)
def dz(dlog_p, log_p, axes):
    return dlog_p - exp(log_p) * sum_over(dlog_p, axes)


chapter.section("Cross-entropy", "The cross-entropy is computed from log p. So d(log p) is SX.14, which is now inserted.")


@chapter.rewriting(
    "SX.25",
    "Insert SX.14 into SX.23, the form with p. dℓ is the same for all classes of an example, so it moves out of the sum; "
    "minus times minus is plus.",
)
def dz(dell, t, p, axes):
    return -dell * t + p * dell * sum_over(t, axes)


@chapter.rewriting(
    "SX.26",
    "Factor out dℓ. Up to here the targets may have any sum: so this form also holds if each target is multiplied by a weight "
    "of its class.",
)
def dz(dell, p, t, axes):
    return dell * (p * sum_over(t, axes) - t)


@chapter.forward("SX.27", "The sum of an example's targets.")
def T(t, axes):
    return sum_over(t, axes)


@chapter.rewriting("SX.28", "It is 1, because SX.1 divides each row of r by its sum. No other property of the targets is used.")
def T():
    return 1


@chapter.rewriting("SX.29", "Insert SX.28 into SX.26: probabilities minus targets.")
def dz(dell, p, t):
    return dell * (p - t)


@chapter.rewriting("SX.30", "Insert SX.13. If L is itself the final loss, dL is 1, and the gradient is (p - t) / N.")
def dz(dL, p, t, m):
    return dL * (p - t) / m


@chapter.table(
    "One example of class 2, for dL = 1: a small step against dz raises the logit of class 2 and lowers the others",
    *("class", "z", "t", "p", "dz"),
)
def example():
    z, t = np.array([[2.0, 1.0, 0.0]]), np.array([[0.0, 1.0, 0.0]])
    p = line("SX.10").value({"z": z, "axes": (1,)})
    dz = line("SX.30").value({"dL": 1.0, "p": p, "t": t, "m": 1})
    return [(c + 1, f"{z[0, c]:g}", f"{t[0, c]:g}", f"{p[0, c]:.3f}", f"{dz[0, c]:.3f}") for c in range(3)]
