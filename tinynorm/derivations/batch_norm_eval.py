"""Chapter 8: BatchNorm in eval mode is an affine map.

In eval mode the mean and the variance are not computed from the batch. They are the running statistics (chapter 9), which
training has collected. For the derivative they are constants. So each feature is multiplied by a number and shifted by another
number, and the backward pass has no means in it. Code that uses the training formula here is wrong, although its output is
right.
"""

import numpy as np

from ..ops import batch_norm, sqrt
from ..ops.common import mean_over, sum_over
from .machinery.chapter import Chapter

chapter = Chapter(
    order=8,
    key="BE",
    name="batch_norm_eval",
    text=__doc__,
    sizes={"n": "N", "d": "D"},
    given={"x": "nd", "mu": ".d", "var": ".d", "gamma": ".d", "beta": ".d"},
    settings={"axes": (0,), "eps": 0.1},
    draw={"var": lambda rng, shape: rng.uniform(0.5, 2, shape)},
)


@chapter.op
def op(x, mu, var, gamma, beta, eps):
    return batch_norm(x, mu.reshape(-1), var.reshape(-1), gamma.reshape(-1), beta.reshape(-1), training=False, eps=eps)


chapter.section("Forward", "μ and v are given: the running mean and the running variance.")


@chapter.forward("BE.1", "The reciprocal of the standard deviation, of constants.")
def rstd(var, eps):
    return 1 / sqrt(var + eps)


@chapter.forward("BE.2", "The standardised values. Over this batch, their mean is not 0 and their variance is not 1.")
def x_hat(x, mu, rstd):
    return (x - mu) * rstd


@chapter.forward("BE.3", "The learned scale and shift, as in training.")
def y(x_hat, gamma, beta):
    return x_hat * gamma + beta


chapter.section("Backward")


@chapter.adjoint("BE.4", "β is added to every row, so its gradient is the sum over the rows.")
def dbeta(dy, axes):
    return sum_over(dy, axes)


@chapter.adjoint("BE.5", "γ multiplies x̂ in every row.")
def dgamma(dy, x_hat, axes):
    return sum_over(dy * x_hat, axes)


@chapter.rewriting("BE.6", "Insert BE.2. μ and r do not depend on the row, so x̂ need not be stored: x is enough.")
def dgamma(dy, x, mu, rstd, axes):
    return rstd * (sum_over(dy * x, axes) - mu * sum_over(dy, axes))


@chapter.adjoint("BE.7", "y is γ times x̂, element by element.")
def dx_hat(dy, gamma):
    return dy * gamma


@chapter.adjoint(
    "BE.8", "x is used once, in BE.2: neither μ nor r depends on it. In training both do, which adds two terms (CF.23)."
)
def dx(dx_hat, rstd):
    return dx_hat * rstd


chapter.section("One scale and one shift")


@chapter.forward("BE.9", "What x is multiplied by.")
def scale(gamma, rstd):
    return gamma * rstd


@chapter.forward("BE.10", "What is then added: β, less the scaled mean.")
def shift(beta, mu, scale):
    return beta - mu * scale


@chapter.rewriting("BE.11", "Insert BE.2 into BE.3. One r is left of the standardisation.")
def y(x, mu, rstd, gamma, beta):
    return (x - mu) * rstd * gamma + beta


@chapter.rewriting(
    "BE.12", "γ r is the scale (BE.9). A linear layer in front can take scale and shift into its weight and bias."
)
def y(x, mu, scale, beta):
    return (x - mu) * scale + beta


@chapter.rewriting("BE.13", "Multiply out, and put together what does not depend on x (BE.10).")
def y(x, scale, shift):
    return x * scale + shift


@chapter.rewriting("BE.14", "Insert BE.7 into BE.8.")
def dx(dy, gamma, rstd):
    return dy * gamma * rstd


@chapter.rewriting("BE.15", "γ r is the scale. The derivative of a line is its slope.")
def dx(dy, scale):
    return dy * scale


@chapter.table(
    "One feature, with running statistics equal to the batch's own: the outputs agree and the gradients do not",
    "x", "y in both modes", "dy", "dx in eval mode", "dx in training",
)  # fmt: skip
def rows():
    x, dy = np.array([[1.0], [2.0], [3.0], [6.0]]), np.array([[1.0], [0.0], [0.0], [0.0]])
    c = x - mean_over(x, (0,))
    rstd = 1 / sqrt(mean_over(c * c, (0,)))
    x_hat = c * rstd
    in_training = rstd * (dy - mean_over(dy, (0,)) - x_hat * mean_over(dy * x_hat, (0,)))
    columns = np.concatenate([x, x_hat, dy, dy * rstd, in_training], axis=1)
    return [tuple(f"{number + 0:.3g}" for number in row) for row in columns]
