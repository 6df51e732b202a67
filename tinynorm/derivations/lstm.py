"""Chapter 20: The LSTM: a state that is added to.

A recurrent cell reads a sequence, one step after another, and keeps a state of H numbers. An LSTM cell keeps two: c, the cell's
state, and h, its output. Each step computes four numbers for each number of the state: a_i, a_f, a_g and a_o. They are the
parts of one linear function of the step's input x and of the output of the step before. This chapter is about what the cell
does with them; the gradients of the linear function follow from da_i, da_f, da_g and da_o as in chapter 1.

Three of the four become gates, numbers between 0 and 1 that say how much passes: i for what enters the state, f for what is
left of the old state, o for what leaves. The fourth becomes g, which is what may enter. The old state is multiplied by f, and
nothing else is done to it: so its gradient is multiplied by f, and by nothing else.

The loss may depend on h, which the layer above reads, and on the new state, which the next step reads. One array y stands for
both: p and q may be any numbers, so the gradients of the two outputs may be any too.
"""

import math

from ..ops import concat, exp
from ..ops.recurrent import lstm_gates
from .machinery.chapter import Chapter

chapter = Chapter(
    order=20,
    key="LS",
    name="lstm",
    text=__doc__,
    sizes={"b": "N", "j": "H"},
    given={"a_i": "bj", "a_f": "bj", "a_g": "bj", "a_o": "bj", "c": "bj", "p": "bj", "q": "bj"},
)


@chapter.op
def op(a_i, a_f, a_g, a_o, c, p, q):
    h, c_next = lstm_gates(concat([a_i, a_f, a_g, a_o], 1), c)
    return p * h + q * c_next


chapter.section(
    "The gates",
    "The logistic function σ(a) = 1 / (1 + exp(-a)) is between 0 and 1. The hyperbolic tangent is between -1 and 1. It is a "
    "logistic function too, stretched: tanh(a) = 2 σ(2 a) - 1.",
)


@chapter.forward("LS.1", "The input gate: σ of its part.")
def i(a_i):
    return 1 / (1 + exp(-a_i))


@chapter.forward(
    "LS.2",
    "The forget gate. It is 1 where all of the old state is kept. The first LSTM (Hochreiter and Schmidhuber 1997) had none: "
    "its f was always 1. Gers, Schmidhuber and Cummins (2000) added it.",
)
def f(a_f):
    return 1 / (1 + exp(-a_f))


@chapter.forward("LS.3", "The output gate.")
def o(a_o):
    return 1 / (1 + exp(-a_o))


@chapter.forward("LS.4", "What may enter the state: tanh of its part.")
def g(a_g):
    return 2 / (1 + exp(-(2 * a_g))) - 1


@chapter.rewriting("LS.5", "The usual form of tanh: put both terms over one denominator, and expand by exp(a).")
def g(a_g):
    return (exp(a_g) - exp(-a_g)) / (exp(a_g) + exp(-a_g))


chapter.section("The state and the output")


@chapter.forward("LS.6", "The new state: the part f of the old one is kept, and the part i of g is added.")
def s(f, c, i, g):
    return f * c + i * g


@chapter.forward("LS.7", "The next step reads the new state. (It has a name of its own here, because s is used once more.)")
def c_next(s):
    return s


@chapter.forward("LS.8", "The output must not grow with the state: tanh of the state.")
def t(s):
    return 2 / (1 + exp(-(2 * s))) - 1


@chapter.forward("LS.9", "The output: the part o of it leaves the cell.")
def h(o, t):
    return o * t


@chapter.forward("LS.10", "What comes after the step, as far as it matters here.")
def y(p, h, q, c_next):
    return p * h + q * c_next


chapter.section("Backward: from the outputs to the state")


@chapter.adjoint("LS.11", "The gradient that arrives at the output h, from the layer above and from the next step.")
def dh(dy, p):
    return dy * p


@chapter.adjoint("LS.12", "The gradient that arrives at the new state from the next step.")
def dc_next(dy, q):
    return dy * q


@chapter.adjoint("LS.13", "h is o t, so the gradient of o is t times that of h.")
def do(dh, t):
    return dh * t


@chapter.adjoint("LS.14", "In the same way for t.")
def dt(dh, o):
    return dh * o


@chapter.adjoint(
    "LS.15",
    "s is used twice: it is the state of the next step, and it makes the output. The fraction is dt times the "
    "derivative of tanh, from LS.8.",
)
def ds(dc_next, dt, s):
    return dc_next + 4 * dt * exp(-(2 * s)) / (1 + exp(-(2 * s))) ** 2


@chapter.rewriting(
    "LS.16",
    "The derivative of tanh is 1 - tanh²: the backward pass needs t, and no exponential. For 1 + t and 1 - t are 2 and "
    "2 exp(-2 s), each divided by 1 + exp(-2 s).",
)
def ds(dc_next, dt, t):
    return dc_next + dt * (1 - t * t)


@chapter.rewriting("LS.17", "Insert LS.14.")
def ds(dc_next, dh, o, t):
    return dc_next + dh * o * (1 - t * t)


@chapter.forward("LS.18", "From now on it is called δ: all other gradients but that of o are computed from it.")
def delta(dc_next, dh, o, t):
    return dc_next + dh * o * (1 - t * t)


chapter.section("Backward: from the state to the step before")


@chapter.adjoint(
    "LS.19",
    "The old state was multiplied by f, so its gradient is too. Over many steps it is multiplied by one f after another. Where "
    "f is near 1, a gradient reaches far back; this is what the LSTM is for.",
)
def dc(delta, f):
    return delta * f


@chapter.table(
    "What is left of the gradient of c, on this way alone, if the forget gate is the same in all steps",
    "a_f", "f", "after 10 steps", "after 100 steps",
)  # fmt: skip
def left():
    rows = []
    for a_f in (0.0, 1.0, 3.0, 5.0):
        f = float(1 / (1 + math.exp(-a_f)))
        rows.append((f"{a_f:g}", f"{f:.4f}", f"{f**10:.3g}", f"{f**100:.3g}"))
    return rows


chapter.section("Backward: the gates")


@chapter.adjoint("LS.20", "s is f c + i g, so the gradient of f is c times δ.")
def df(delta, c):
    return delta * c


@chapter.adjoint("LS.21", "For i the other factor is g.")
def di(delta, g):
    return delta * g


@chapter.adjoint("LS.22", "And for g it is i.")
def dg(delta, i):
    return delta * i


@chapter.adjoint("LS.23", "The fraction is di times the derivative of σ, from LS.1.")
def da_i(di, a_i):
    return di * exp(-a_i) / (1 + exp(-a_i)) ** 2


@chapter.rewriting(
    "LS.24", "The derivative is σ (1 - σ), because 1 - σ is exp(-a) / (1 + exp(-a)). So the value of the gate is enough."
)
def da_i(di, i):
    return di * (i * (1 - i))


@chapter.rewriting("LS.25", "Insert LS.21.")
def da_i(delta, g, i):
    return delta * g * (i * (1 - i))


@chapter.adjoint("LS.26", "The derivative of σ again.")
def da_f(df, f):
    return df * (f * (1 - f))


@chapter.rewriting("LS.27", "Insert LS.20.")
def da_f(delta, c, f):
    return delta * c * (f * (1 - f))


@chapter.adjoint("LS.28", "The derivative of tanh, as in LS.16.")
def da_g(dg, g):
    return dg * (1 - g * g)


@chapter.rewriting("LS.29", "Insert LS.22.")
def da_g(delta, i, g):
    return delta * i * (1 - g * g)


@chapter.adjoint("LS.30", "The derivative of σ.")
def da_o(do, o):
    return do * (o * (1 - o))


@chapter.rewriting("LS.31", "Insert LS.13. The gate o acts behind the state, so its gradient contains no δ.")
def da_o(dh, t, o):
    return dh * t * (o * (1 - o))
