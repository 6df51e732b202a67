"""Chapter 1: The linear layer: three matrix products.

A linear layer maps each row of x (N, I) to a row of y (N, O). As in PyTorch, the weights W are stored as (O, I), a row for each
output, and b has one number for each output. Here the gradients follow from the chain rule, element by element, and the
matrix form comes last. An x with more dimensions than two is first reshaped to rows.
"""

import math

from ..ops import broadcast_to, linear
from ..ops.common import sum_over
from .machinery.chapter import Chapter
from .machinery.expression import Product

chapter = Chapter(
    order=1,
    key="LI",
    name="linear",
    text=__doc__,
    sizes={"n": "N", "o": "O", "i": "I"},
    given={"x": "ni", "W": "oi", "b": ".o"},
    settings={"axes": (0,)},
)


@chapter.op
def op(x, W, b):
    return linear(x, W, b.reshape(-1))


chapter.section("Forward")


@chapter.forward("LI.1", "Each output takes each input times a weight of its own. This gives N O I products.")
def p(x, W):
    return x[:, None, :] * W


@chapter.forward("LI.2", "An output adds up the products of its row of x and its row of W, and a bias of its own.")
def y(p, b):
    return sum_over(p, (2,))[:, :, 0] + b


@chapter.rewriting("LI.3", "Insert LI.1: the products need not be stored.")
def y(x, W, b):
    return sum_over(x[:, None, :] * W, (2,))[:, :, 0] + b


@chapter.rewriting("LI.4", "The sum runs over the second index of both. A product needs the first of its second factor: so Wᵀ.")
def y(x, W, b):
    return x @ W.T + b


chapter.section("The bias")


@chapter.adjoint("LI.5", "Broadcasting adds b to every row, so its gradient is the sum over the rows (VJ.18).")
def db(dy, axes):
    return sum_over(dy, axes)


chapter.section("The products")


@chapter.adjoint("LI.6", "All I products of an output are added up, so each gets a copy of the output's adjoint (VJ.16).")
def dp(dy, p):
    return broadcast_to(dy[:, :, None], p.shape)


chapter.section("The input")


@chapter.adjoint("LI.7", "A number of x is a factor in O products, one for each output of its row. Other rows do not use it.")
def dx(dp, W):
    return sum_over(dp * W, (1,))[:, 0]


@chapter.rewriting("LI.8", "Insert LI.6.")
def dx(dy, W):
    return sum_over(dy[:, :, None] * W, (1,))[:, 0]


@chapter.rewriting("LI.9", "The sum runs over the second index of dy and the first of W: a matrix product as it stands.")
def dx(dy, W):
    return dy @ W


chapter.section("The weights")


@chapter.adjoint("LI.10", "A weight is a factor in N products, one in each row, because all rows share it.")
def dW(dp, x):
    return sum_over(dp * x[:, None, :], (0,))[0]


@chapter.rewriting("LI.11", "Insert LI.6.")
def dW(dy, x):
    return sum_over(dy[:, :, None] * x[:, None, :], (0,))[0]


@chapter.rewriting(
    "LI.12", "The sum runs over the first index of both. A product needs the second of its first factor: so dyᵀ."
)
def dW(dy, x):
    return dy.T @ x


@chapter.table(
    "A backward pass takes twice the multiplications of the forward pass: N = 64, I = 784, O = 128",
    *("result", "product", "shapes", "multiplications"),
)
def products():
    size = {"n": 64, "i": 784, "o": 128}
    rows = []
    for line in chapter.lines:
        tree = line.tree if isinstance(line.tree, Product) else getattr(line.tree, "a", None)
        if isinstance(tree, Product):
            count = math.prod(size[letter] for letter in (*tree.letters, *tree.over))
            shapes = " @ ".join(f"({', '.join(chapter.sizes[x] for x in factor.letters)})" for factor in (tree.a, tree.b))
            rows.append((line.symbol, line.code.partition(" +")[0], shapes, f"{count:,}"))
    return rows
