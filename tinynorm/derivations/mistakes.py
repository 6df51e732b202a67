"""Chapter 18: A gallery of mistakes.

Each line here is a wrong gradient beside the right one. What is left of the difference says how far the wrong one leads
astray: an error at a right angle to the right gradient still lets every small step go downhill. So a network can learn with a
wrong backward pass, and its accuracy does not tell. The last tables say what the gradient checker finds, and what training
makes of each mistake.
"""

import json
from functools import cache
from importlib.resources import files

from ..autograd import grad
from ..gradcheck import check_backward, mistakes
from ..ops import batch_norm, broadcast_to, sqrt
from ..ops.common import keep_where, mean_over, sum_over
from .machinery.chapter import Chapter
from .relu import both_signs

chapter = Chapter(
    order=18,
    key="MI",
    name="mistakes",
    text=__doc__,
    sizes={"n": "N", "d": "D"},
    given={"x": "nd", "gamma": ".d", "dy": "nd", "z": "nd", "p": "nd", "q": "nd"},
    output="dx",
    upstream="u",
    settings={"axes": (0,), "eps": 0.1, "m": "N"},
    draw={"z": both_signs},
)


@chapter.op
def op(x, gamma, dy, eps):
    x = x.detach().requires_grad_()
    y = batch_norm(x, None, None, gamma.reshape(-1), training=True, eps=eps)
    return grad(y, x, dy)[0]


chapter.section("BatchNorm's right line")


@chapter.forward("MI.1", "The centred values (BN.2).")
def c(x, axes):
    return x - mean_over(x, axes)


@chapter.forward("MI.2", "The variance (BN.3).")
def var(c, axes):
    return mean_over(c * c, axes)


@chapter.forward("MI.3", "The reciprocal of the standard deviation (BN.4).")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("MI.4", "The standardised values (BN.5).")
def x_hat(c, rstd):
    return c * rstd


@chapter.forward("MI.5", "The gradient that arrives at them (BN.9).")
def g(dy, gamma):
    return dy * gamma


@chapter.forward("MI.6", "The number in the mean term.")
def a(g, axes):
    return mean_over(g, axes)


@chapter.forward("MI.7", "The number in the x̂ term.")
def b(g, x_hat, axes):
    return mean_over(g * x_hat, axes)


@chapter.forward("MI.8", "The right gradient (CF.23).", quoted=True)
def dx(rstd, g, a, x_hat, b):
    return rstd * (g - a - x_hat * b)


@chapter.forward("MI.9", "Its sum in each feature.")
def t(dx, axes):
    return sum_over(dx, axes)


@chapter.rewriting("MI.10", "The sum is 0: the right gradient is at a right angle to a vector of ones.")
def t():
    return 0


@chapter.forward("MI.11", "Its product with x̂.")
def k(dx, x_hat, axes):
    return sum_over(dx * x_hat, axes)


@chapter.rewriting("MI.12", "It is 0 but for ε: the right gradient is at a right angle to x̂ too.")
def k(m, eps, rstd, b):
    return m * eps * rstd**3 * b


chapter.section("Mistake: the x̂ term is missing", "The path through the variance is forgotten.")


@chapter.forward("MI.13", "The wrong gradient.")
def w_v(rstd, g, a):
    return rstd * (g - a)


@chapter.forward("MI.14", "Its error.")
def e_v(w_v, dx):
    return w_v - dx


@chapter.rewriting("MI.15", "In each feature the error is a multiple of x̂.")
def e_v(rstd, x_hat, b):
    return rstd * x_hat * b


@chapter.forward("MI.16", "How fast the loss falls if x goes against the wrong gradient: its product with the right one.")
def f_v(w_v, dx, axes):
    return sum_over(w_v * dx, axes)


@chapter.rewriting("MI.17", "Insert MI.15 into the wrong gradient, and then MI.11.")
def f_v(dx, rstd, b, k, axes):
    return sum_over(dx * dx, axes) + rstd * b * k


@chapter.rewriting("MI.18", "With MI.12 both terms are squares. So a small step against the wrong gradient never goes uphill.")
def f_v(dx, m, eps, rstd, b, axes):
    return sum_over(dx * dx, axes) + m * eps * (rstd**2 * b) ** 2


chapter.section("Mistake: the mean term is missing", "The path through the mean is forgotten.")


@chapter.forward("MI.19", "The wrong gradient.")
def w_mu(rstd, g, x_hat, b):
    return rstd * (g - x_hat * b)


@chapter.forward("MI.20", "Its error.")
def e_mu(w_mu, dx):
    return w_mu - dx


@chapter.rewriting("MI.21", "The same number in each row: it moves the whole batch, which changes no output.")
def e_mu(rstd, a, x):
    return broadcast_to(rstd * a, x.shape)


@chapter.forward("MI.22", "The product with the right gradient.")
def f_mu(w_mu, dx, axes):
    return sum_over(w_mu * dx, axes)


@chapter.rewriting("MI.23", "The error takes no part in it, because the right gradient's sum is 0 (MI.10).")
def f_mu(dx, axes):
    return sum_over(dx * dx, axes)


chapter.section(
    "Mistake: eval mode's formula in training", "Mean and variance are taken for constants: both terms are missing."
)


@chapter.forward("MI.24", "The wrong gradient (BE.8).")
def w_c(rstd, g):
    return rstd * g


@chapter.forward("MI.25", "Its error.")
def e_c(w_c, dx):
    return w_c - dx


@chapter.rewriting("MI.26", "It is the sum of the two errors above. So this one does not go uphill either.")
def e_c(e_mu, e_v):
    return e_mu + e_v


chapter.section("Mistake: sums for means", "The factor 1/N is forgotten in both terms.")


@chapter.forward("MI.27", "The wrong gradient.")
def w_s(rstd, g, x_hat, axes):
    return rstd * (g - sum_over(g, axes) - x_hat * sum_over(g * x_hat, axes))


@chapter.forward("MI.28", "Its error.")
def e_s(w_s, dx):
    return w_s - dx


@chapter.rewriting(
    "MI.29",
    "The error of MI.26 the other way round, and N - 1 times as long: nearly at a right angle to the right gradient, but far "
    "longer than it.",
)
def e_s(m, e_c):
    return -(m - 1) * e_c


chapter.section("Mistake: the variance for its root")


@chapter.forward("MI.30", "The wrong gradient: divided by v + ε, and not by its root.")
def w_r(g, a, x_hat, b, var, eps):
    return (g - a - x_hat * b) / (var + eps)


@chapter.rewriting("MI.31", "In each feature it has the right direction, and a wrong length: r times the right one.")
def w_r(rstd, dx):
    return rstd * dx


chapter.section("Mistake: γ in its own gradient")


@chapter.forward("MI.32", "The right gradient of γ (BN.8).", quoted=True)
def dgamma(dy, x_hat, axes):
    return sum_over(dy * x_hat, axes)


@chapter.forward("MI.33", "The wrong one: g stands for dy.")
def w_gamma(g, x_hat, axes):
    return sum_over(g * x_hat, axes)


@chapter.rewriting("MI.34", "With the initial γ = 1 there is no error at all. It goes uphill only where γ is negative.")
def w_gamma(gamma, dgamma):
    return gamma * dgamma


chapter.section("Mistakes: ReLU's mask", "z is ReLU's input here, and dy the gradient of its output.")


@chapter.forward("MI.35", "The right gradient (chapter 2).", quoted=True)
def dz(z, dy):
    return keep_where(z > 0, dy)


@chapter.forward("MI.36", "The mask is forgotten: the product of the wrong gradient, which is dy, with the right one.")
def f_z(dy, dz):
    return dy * dz


@chapter.rewriting("MI.37", "It is a square: the mask is a projection too, and without it a small step does not go uphill.")
def f_z(dz):
    return dz * dz


@chapter.forward("MI.38", "The mask is the wrong way round.")
def w_z(z, dy):
    return keep_where(z <= 0, dy)


@chapter.rewriting("MI.39", "What gets through is exactly what should not.")
def w_z(dy, dz):
    return dy - dz


@chapter.forward("MI.40", "The product of this wrong gradient with the right one.")
def o(w_z, dz):
    return w_z * dz


@chapter.rewriting(
    "MI.41", "It is 0: where one of the two is not 0, the other is. This wrong gradient does not know the way down."
)
def o():
    return 0


chapter.section(
    "Mistake: cross-entropy without 1/N", "p are the probabilities here, q is 1 at the target, and d runs over the classes."
)


@chapter.forward("MI.42", "The right gradient of the logits, for the mean of the rows' losses (chapter 3).")
def h(p, q, m):
    return (p - q) / m


@chapter.forward("MI.43", "The wrong one.")
def w_h(p, q):
    return p - q


@chapter.rewriting(
    "MI.44",
    "It is N times too long, and so are the gradients of all parameters. SGD takes steps that are N times too long. Adam "
    "divides by the gradient's length and, but for its ε, takes the same steps as with the right one.",
)
def w_h(m, h):
    return m * h


chapter.section("The checker names them", "`check_backward` prints these sentences.")

OPTIMIZERS = (("SGD", "sgd"), ("Adam", "adam"))


@cache
def recorded():
    """The figures that `demos/wrong_backward.py` wrote."""
    return json.loads(files("tinynorm.derivations").joinpath("mistakes_training.json").read_text(encoding="utf-8"))


def _wrong():
    return [row for row in recorded()["rows"] if not row["mistake"].startswith("right")]


@cache
def _report(name):
    m = mistakes.find(name)
    return check_backward(m.forward, m.backward, m.inputs(0), names=m.names)


@chapter.table("What the checker says of each mistake", "mistake", "finding")
def findings():
    return [(f"`{row['mistake']}`", _report(row["mistake"]).findings[0].sentence) for row in _wrong()]


chapter.section(
    "Training finds only some of them",
    "`demos/wrong_backward.py` trains a network with two layers of each kind on scikit-learn's digits for 15 epochs. In two "
    "layers of one kind the backward pass is wrong, and the forward pass is right. The cosine belongs to the angle between the "
    "wrong gradient of all parameters and the right one before the first step. The numbers are means over 5 seeds, with the "
    "lowest and the highest in brackets. The first two rows are right.",
)


@chapter.table(
    "What training makes of each mistake",
    "mistake", "cosine", "SGD: loss", "SGD: test accuracy in %", "Adam: loss", "Adam: test accuracy in %",
)  # fmt: skip
def training():
    rows = []
    for row in recorded()["rows"]:
        cells = [f"{_mean(row['cosine']):.2f}".replace("-0.00", "0.00")]
        for _, optimizer in OPTIMIZERS:
            losses, accuracies = row[optimizer]["loss"], [100 * accuracy for accuracy in row[optimizer]["accuracy"]]
            cells.append("not finite" if None in losses else f"{_mean(losses):.3f}")
            cells.append(f"{_mean(accuracies):.1f} ({min(accuracies):.1f} – {max(accuracies):.1f})")
        name = row["mistake"]
        rows.append((name if name.startswith("right") else f"`{name}`", *cells))
    return rows


@chapter.table(
    "About half of the mistakes cost less than 1 % of accuracy; a gradient check finds all of them",
    "optimizer", "mistakes", "less than 1 % below the right network", "found by the checker",
)  # fmt: skip
def unseen():
    found = sum(not _report(row["mistake"]).ok for row in _wrong())
    return [(name, len(_wrong()), sum(_cost(row, key) < 0.01 for row in _wrong()), found) for name, key in OPTIMIZERS]


def _cost(row, optimizer):
    """By how much the mean accuracy is below that of the right network with the same normalisation."""
    norm = "LayerNorm" if row["mistake"].startswith("layernorm") else "BatchNorm"
    right = next(r for r in recorded()["rows"] if r["mistake"] == f"right, with {norm}")
    return round(_mean(right[optimizer]["accuracy"]) - _mean(row[optimizer]["accuracy"]), 4)


def _mean(numbers):
    return sum(numbers) / len(numbers)


chapter.section(
    "What the equations explain of this",
    "Without the x̂ term BatchNorm learns with SGD as well as the right one does: its error is at a right angle to the right "
    "gradient (MI.18), and so small that the cosine is near 1. Sums for means go nearly at a right angle too, but far (MI.29), "
    "and fail. The mean for the sum in the gradient of a linear layer's bias does nothing here: a BatchNorm follows, so the "
    "right gradient is 0 (MI.10). Cross-entropy without 1/N stops SGD, and Adam does not notice it (MI.44).\n\n"
    "They do not explain why Adam learns so much worse than SGD without the mean term. MI.18 and MI.23 are about one layer's "
    "input and a small step against its gradient. Adam scales each element on its own, so its step has another direction.",
)
