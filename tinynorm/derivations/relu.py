"""Chapter 2: ReLU, and what happens at its kink.

ReLU keeps a positive number and replaces any other by 0. Its backward pass treats the gradient in the same way. Two questions
remain: what the backward pass must keep from the forward pass, and what the gradient is at 0, where ReLU has no derivative.

[x > 0] stands for 1 where the condition holds, and for 0 elsewhere. The code selects and does not multiply, because 0 times
infinity would be NaN.
"""

import numpy as np

from .. import ops
from ..autograd import grad
from ..creation import tensor
from ..ops.common import keep_where
from .machinery.chapter import Chapter


def both_signs(rng, shape):
    """Numbers of either sign, and a 0 in the third place. The others are not near the kink."""
    x = 0.2 + rng.random(shape)
    x.flat[1::2] *= -1
    x.flat[2:3] = 0
    return x


chapter = Chapter(
    order=2,
    key="RE",
    name="relu",
    text=__doc__,
    sizes={"n": "N"},
    given={"x": "n"},
    settings={"alpha": 0.1, "s": 0.3},
    draw={"x": both_signs},
)


@chapter.op
def op(x):
    return ops.relu(x)


chapter.section("Forward and backward")


@chapter.forward("RE.1", "A positive number stays, any other becomes 0: y is the larger of x and 0.")
def y(x):
    return keep_where(x > 0, x)


@chapter.rewriting("RE.2", "ReLU of a ReLU changes nothing: y is 0 already where it is not positive.")
def y(y):
    return keep_where(y > 0, y)


@chapter.adjoint("RE.3", "For x > 0 the slope is 1, for x < 0 it is 0. At x = 0 this line says 0, which is a choice (RE.14).")
def dx(x, dy):
    return keep_where(x > 0, dy)


chapter.section(
    "What the backward pass must keep",
    "x itself need not stay in memory. A mask is enough, and so is the output, which the next layer often keeps anyway.",
)


@chapter.forward("RE.4", "The mask says for each number of x whether it is positive.")
def mask(x):
    return x > 0


@chapter.rewriting("RE.5", "The backward pass needs only the mask, one byte for each number.")
def dx(mask, dy):
    return keep_where(mask, dy)


@chapter.rewriting("RE.6", "The output knows the mask: where x > 0, y is x and positive; elsewhere y is 0.")
def mask(y):
    return y > 0


@chapter.rewriting("RE.7", "Insert RE.6. The backward pass needs only the output.")
def dx(y, dy):
    return keep_where(y > 0, dy)


@chapter.rewriting("RE.8", "For real numbers, > is the opposite of ≤. But a NaN is neither, and here its gradient passes.")
def dx(y, dy):
    return keep_where(~(y <= 0), dy)


@chapter.table("What is kept for x (64, 1024) in float32", "kept", "bytes", "a linear layer that follows keeps it too")
def kept():
    x = np.zeros((64, 1024), "float32")
    arrays = {"x": (x, "no"), "mask": (x > 0, "no"), "y": (np.maximum(x, 0), "yes")}
    return [(name, f"{array.nbytes:,}", shared) for name, (array, shared) in arrays.items()]


@chapter.table(
    "The gradient for dy = 1: a NaN must show in the end, and not vanish on the way", "x", "RE.7", "RE.8", "tinynorm"
)
def nan_passes():
    x = np.array([-1.0, 0.0, 2.0, np.nan])
    leaf = tensor(x, dtype="float64", requires_grad=True)
    y = ops.relu(leaf)
    (dx,) = grad(y, leaf, ops.ones_like(y))
    values = {"y": np.asarray(y.array), "dy": np.ones(4)}
    forms = [line.value(values) for line in chapter.lines if line.number in ("RE.7", "RE.8")]
    return [tuple(f"{number:g}" for number in row) for row in zip(x, *forms, dx.array, strict=True)]


chapter.section("Two relatives")


@chapter.forward("RE.9", "The absolute value of x.")
def a(x):
    return keep_where(x > 0, x) - keep_where(x < 0, x)


@chapter.rewriting("RE.10", "ReLU is the mean of x and its absolute value: they are equal for x > 0, and cancel for x < 0.")
def y(x, a):
    return (x + a) / 2


@chapter.forward("RE.11", "Leaky ReLU has a small slope α, and not 0, where x is not positive.")
def z(x, alpha):
    return keep_where(x > 0, x) + keep_where(x <= 0, alpha * x)


@chapter.rewriting("RE.12", "It is a straight line plus a part of a ReLU, so its backward pass is α dz + (1 - α) [x > 0] dz.")
def z(x, y, alpha):
    return alpha * x + (1 - alpha) * y


chapter.section(
    "The gradient at 0",
    "From the left the slope of ReLU at 0 is 0, from the right it is 1, so there is no derivative. A number s is called a "
    "subgradient at 0 if the straight line s x is nowhere above y. Convex optimisation may use any of them as gradient.",
)


@chapter.forward("RE.13", "How far y lies above the line through 0 with slope s.")
def e(x, y, s):
    return y - s * x


@chapter.rewriting(
    "RE.14", "Neither term is ever negative if 0 ≤ s ≤ 1; for another s one is. PyTorch and tinynorm choose s = 0 (RE.3)."
)
def e(x, s):
    return (1 - s) * keep_where(x > 0, x) + s * keep_where(x <= 0, -x)


@chapter.table(
    "ReLU written in five ways, and a straight line: the gradient at 0 depends on how it is written",
    "y",
    "dy/dx at 0 by tinynorm",
)
def slopes():
    ways = {
        "relu(x)": ops.relu,
        "where(x > 0, x, 0)": lambda x: ops.where(x > 0, x, 0.0),
        "where(x >= 0, x, 0)": lambda x: ops.where(x >= 0, x, 0.0),
        "(x + abs(x)) / 2": lambda x: (x + ops.abs(x)) / 2,
        "x + relu(-x)": lambda x: x + ops.relu(-x),
        "relu(x) - relu(-x), which is x": lambda x: ops.relu(x) - ops.relu(-x),
    }
    rows = []
    for name, f in ways.items():
        x = tensor(0.0, dtype="float64", requires_grad=True)
        rows.append((name, f"{grad(f(x), x)[0].item():g}"))
    return rows


@chapter.table(
    "Finite differences at 0 with a step h: none is a derivative, so a check keeps away from the kink",
    "h",
    "forward",
    "backward",
    "central",
)
def differences():
    def y(x):
        return chapter.lines[0].formula(np.array([x]))[0]

    quotients = ((h, (y(h) - y(0.0)) / h, (y(0.0) - y(-h)) / h, (y(h) - y(-h)) / (2 * h)) for h in (1e-1, 1e-3, 1e-5))
    return [tuple(f"{number:g}" for number in row) for row in quotients]
