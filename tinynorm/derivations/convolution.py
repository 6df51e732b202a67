"""Chapter 19: Convolution: one matrix product for all windows.

A convolution looks at x through a window. The window stands at P places, and at each it shows K numbers of each of the C
channels. The output has O channels; each of them is a weighted sum of the C K numbers in the window, and a bias. The weights
W (O, C, K) and the biases are the same at every place. Here the numbers of a channel are in a row, of length L: x (C, L).

Which number of x is number k of window p? The array S says it: S has a 1 at k, p, i if it is number i of the channel, and a 0
otherwise. For a stride s, a dilation d and a padding q, and counting from 0, that is i = s p + d k - q. Where the window
reaches beyond x, no i is equal to this, so S has only zeros there, and the window shows a 0. In the numbers of this chapter
s = 3, d = 2 and q = 3.

The lines below use nothing of S but that it is constant. So they hold for images too: i, p and k then each stand for a row and
a column. With groups, each group of channels is a convolution of its own. With several samples, each goes the same way, and
all share W and b: the gradients of W and b are added up over the samples.
"""

import numpy as np

from ..ops.common import sum_over
from ..ops.convolution import conv1d
from .machinery.chapter import Chapter

# The windows fit the lengths with which the lines are checked: P = ⌊(8 + 2 q - d (K - 1) - 1) / s⌋ + 1 is 2, 4 and 3.
STRIDE, DILATION, PADDING = 3, 2, 3


def windows(rng, shape, stride=STRIDE, dilation=DILATION, padding=PADDING):
    """S: 1 where number k of window p is number i of x."""
    k, p, i = np.indices(shape)
    return (i == stride * p + dilation * k - padding) * 1.0


chapter = Chapter(
    order=19,
    key="CV",
    name="convolution",
    text=__doc__,
    sizes={"o": "O", "c": "C", "p": "P", "k": "K", "i": "L"},
    given={"x": "ci", "S": "kpi", "W": "ock", "b": "o.", "v": "ci", "V": "ock"},
    upstream="g",
    settings={"axes": (1,)},
    draw={"S": windows},
)


@chapter.op
def op(x, W, b):
    return conv1d(x, W, b.reshape(-1), stride=STRIDE, dilation=DILATION, padding=PADDING)


chapter.section("Forward")


@chapter.forward(
    "CV.1",
    "Copy the windows: U is a matrix with a column for each window, and a row for each channel c and each k. In this sum over "
    "the numbers of x at most one term is not 0.",
)
def U(x, S):
    return sum_over(x[:, None, None, :] * S, (3,))[:, :, :, 0]


@chapter.forward(
    "CV.2",
    "An output channel has a weight for each of the C K numbers in the window, and all windows share it. If the pair c, k "
    "counts as one index, the sum is the matrix product W U, of (O, C K) and (C K, P).",
)
def y(W, U, b):
    return sum_over(W[:, :, :, None] * U, (1, 2))[:, 0, 0] + b


@chapter.rewriting(
    "CV.3",
    "Insert CV.1. This is the sum over the windows without a copy of them: S picks the number of x. The price of the copy is "
    "memory: U has K P numbers for the L numbers of a channel.",
)
def y(x, S, W, b):
    return sum_over(W[:, :, :, None, None] * (x[:, None, None, :] * S), (1, 2, 4))[:, 0, 0, :, 0] + b


@chapter.table(
    "The windows of x = 1, 2, 3, 4, 5, 6 with K = 3, and in how many of them each number of x is",
    "stride", "dilation", "padding", "the columns of U", "how often each number is used",
)  # fmt: skip
def small():
    rows = []
    for stride, dilation, padding in ((1, 1, 0), (1, 1, 1), (2, 1, 1), (3, 1, 0), (1, 2, 0), (1, 2, 2)):
        P = (6 + 2 * padding - dilation * 2 - 1) // stride + 1
        S = windows(None, (3, P, 6), stride, dilation, padding)
        columns = sum_over(S * np.arange(1.0, 7.0), (2,))[:, :, 0].T
        used = sum_over(S, (0, 1))[0, 0]
        rows.append(
            (stride, dilation, padding, " · ".join(" ".join(f"{x:g}" for x in column) for column in columns),
             ", ".join(f"{x:g}" for x in used))
        )  # fmt: skip
    return rows


chapter.section("The bias and the weights")


@chapter.adjoint("CV.4", "b is added at every place, so its gradient is the sum over the places (VJ.18).")
def db(g, axes):
    return sum_over(g, axes)


@chapter.adjoint(
    "CV.5", "A weight is used P times, once in each window. The sum is the matrix product g Uᵀ, of (O, P) and (P, C K)."
)
def dW(g, U):
    return sum_over(g[:, None, None, :] * U, (3,))[:, :, :, 0]


chapter.section("The input")


@chapter.adjoint(
    "CV.6",
    "A number of U is used O times, once for each output channel. The sum is the matrix product Wᵀ g, of (C K, O) and (O, P).",
)
def dU(g, W):
    return sum_over(g[:, None, None, :] * W[:, :, :, None], (0,))[0]


@chapter.adjoint(
    "CV.7",
    "A number of x was copied into all windows that show it, so the gradients of these copies are added up. CV.1 multiplies by "
    "S and sums over i; here the same S is summed over k and p. So this is the transpose of the linear map U(x), written "
    "Uᵀ( ): it adds each number of a column to the place that it was taken from.",
)
def dx(dU, S):
    return sum_over(dU[:, :, :, None] * S, (1, 2))[:, 0, 0]


@chapter.rewriting("CV.8", "Insert CV.6: dx = Uᵀ(Wᵀ g).")
def dx(g, W, S):
    return sum_over(g[:, None, None, :, None] * W[:, :, :, None, None] * S, (0, 2, 3))[0, :, 0, 0]


chapter.section(
    "One sum, three maps",
    "The forward pass, dx and dW are three views of one number t: the sum of all products of a number of g, a weight and a "
    "number of x that meet in a window. t is linear in g, in W and in x, if the two others are constant. The derivative of "
    "such a sum with respect to one of the three is what it is multiplied by.",
)


@chapter.forward("CV.9", "Each output without its bias, times its gradient, added up. So the derivative by g is y - b.")
def t(g, y, b):
    return sum_over(g * (y - b), (0, 1))[0, 0]


@chapter.rewriting("CV.10", "Insert CV.2: the sum over everything. It treats g, W and U alike.")
def t(g, W, U):
    return sum_over(g[:, None, None, :] * W[:, :, :, None] * U, (0, 1, 2, 3))[0, 0, 0, 0]


@chapter.rewriting("CV.11", "Sorted by W: what a weight is multiplied by is dW (CV.5).")
def t(dW, W):
    return sum_over(dW * W, (0, 1, 2))[0, 0, 0]


@chapter.rewriting("CV.12", "CV.10 sorted by U: the sum over o is dU (CV.6).")
def t(dU, U):
    return sum_over(dU * U, (0, 1, 2))[0, 0, 0]


@chapter.rewriting("CV.13", "Insert CV.1.")
def t(dU, x, S):
    return sum_over(dU[:, :, :, None] * (x[:, None, None, :] * S), (0, 1, 2, 3))[0, 0, 0, 0]


@chapter.rewriting("CV.14", "Sorted by x: what a number of x is multiplied by is dx (CV.7).")
def t(dx, x):
    return sum_over(dx * x, (0, 1))[0, 0]


chapter.section(
    "The gradients of dx",
    "Now a second loss is computed from dx, as in chapter 13, and v is its gradient with respect to dx. dx depends on g and W "
    "(CV.8). It is linear in each, so the gradients of the second loss are the derivatives of the sum of all v dx, called r.",
)


@chapter.forward("CV.15", "v times dx, added up.")
def r(v, dx):
    return sum_over(v * dx, (0, 1))[0, 0]


@chapter.forward("CV.16", "The windows of v.")
def Uv(v, S):
    return sum_over(v[:, None, None, :] * S, (3,))[:, :, :, 0]


@chapter.rewriting("CV.17", "Insert CV.7, and sort by dU. This is CV.12 with v in the place of x.")
def r(dU, Uv):
    return sum_over(dU * Uv, (0, 1, 2))[0, 0, 0]


@chapter.rewriting("CV.18", "Insert CV.6.")
def r(g, W, Uv):
    return sum_over(g[:, None, None, :] * W[:, :, :, None] * Uv, (0, 1, 2, 3))[0, 0, 0, 0]


@chapter.forward("CV.19", "The convolution of v with W: W U(v).")
def z(W, Uv):
    return sum_over(W[:, :, :, None] * Uv, (1, 2))[:, 0, 0]


@chapter.rewriting("CV.20", "Sorted by g. So the gradient of g is z, the forward pass of v without a bias.")
def r(g, z):
    return sum_over(g * z, (0, 1))[0, 0]


@chapter.forward("CV.21", "The gradient of the weights (CV.5) with v in the place of x: g U(v)ᵀ.")
def m(g, Uv):
    return sum_over(g[:, None, None, :] * Uv, (3,))[:, :, :, 0]


@chapter.rewriting("CV.22", "CV.18 sorted by W. So the gradient of W is m.")
def r(m, W):
    return sum_over(m * W, (0, 1, 2))[0, 0, 0]


chapter.section(
    "The gradients of dW",
    "In the same way, let V be the gradient of a second loss with respect to dW. dW depends on g and x (CV.5 and CV.1).",
)


@chapter.forward("CV.23", "V times dW, added up.")
def u(V, dW):
    return sum_over(V * dW, (0, 1, 2))[0, 0, 0]


@chapter.forward("CV.24", "The convolution of x with V: V U(x).")
def w(V, U):
    return sum_over(V[:, :, :, None] * U, (1, 2))[:, 0, 0]


@chapter.rewriting("CV.25", "Insert CV.5, and sort by g. So the gradient of g is w, the forward pass with the weights V.")
def u(g, w):
    return sum_over(g * w, (0, 1))[0, 0]


@chapter.forward("CV.26", "The gradient of U (CV.6) with V in the place of W: Vᵀ g.")
def h(g, V):
    return sum_over(g[:, None, None, :] * V[:, :, :, None], (0,))[0]


@chapter.rewriting("CV.27", "Insert CV.24, and sort by U.")
def u(h, U):
    return sum_over(h * U, (0, 1, 2))[0, 0, 0]


@chapter.rewriting("CV.28", "Insert CV.1.")
def u(h, x, S):
    return sum_over(h[:, :, :, None] * (x[:, None, None, :] * S), (0, 1, 2, 3))[0, 0, 0, 0]


@chapter.forward("CV.29", "The gradient of the input (CV.7) with V in the place of W: Uᵀ(Vᵀ g).")
def a(h, S):
    return sum_over(h[:, :, :, None] * S, (1, 2))[:, 0, 0]


@chapter.rewriting(
    "CV.30",
    "Sorted by x. So the gradient of x is a. The derivatives of the three maps are the same three maps: three pieces of code "
    "are enough for derivatives of any order.",
)
def u(a, x):
    return sum_over(a * x, (0, 1))[0, 0]
