"""Chapter 21: The GRU: a state that moves towards a new value.

A GRU cell keeps one state, h. Each step proposes new values n, and moves the state from h towards n. The gate z says how much
of the old state is kept, and the gate r says how much of it the proposal sees.

As in chapter 20, linear functions come first: u = W x + b of the step's input, and v = W' h + b' of the state. Each has three
parts, for r, z and n. They cannot be added before, as in an LSTM, because r multiplies v_n alone. This is the form of cuDNN, of
PyTorch and of tinynorm. Cho et al. (2014) multiply h by r before the product with W'. The two are different cells.
"""

from ..ops import concat, exp
from ..ops.recurrent import gru_gates
from .machinery.chapter import Chapter

chapter = Chapter(
    order=21,
    key="GR",
    name="gru",
    text=__doc__,
    sizes={"b": "N", "j": "H"},
    given=dict.fromkeys(("u_r", "u_z", "u_n", "v_r", "v_z", "v_n", "h"), "bj"),
    output="h_next",
)


@chapter.op
def op(u_r, u_z, u_n, v_r, v_z, v_n, h):
    return gru_gates(concat([u_r, u_z, u_n], 1), concat([v_r, v_z, v_n], 1), h)


chapter.section("Forward")


@chapter.forward("GR.1", "For the gate r, the two linear functions are added.")
def a_r(u_r, v_r):
    return u_r + v_r


@chapter.forward("GR.2", "For the gate z too.")
def a_z(u_z, v_z):
    return u_z + v_z


@chapter.forward("GR.3", "The reset gate: the logistic function σ, between 0 and 1 (LS.1).")
def r(a_r):
    return 1 / (1 + exp(-a_r))


@chapter.forward("GR.4", "The update gate.")
def z(a_z):
    return 1 / (1 + exp(-a_z))


@chapter.forward("GR.5", "The proposal sees the part r of what comes from the state. If r is 0, it sees the input alone.")
def a_n(u_n, r, v_n):
    return u_n + r * v_n


@chapter.forward("GR.6", "The proposal: tanh, between -1 and 1 (LS.4).")
def n(a_n):
    return 2 / (1 + exp(-(2 * a_n))) - 1


@chapter.forward("GR.7", "The new state is a weighted mean of the proposal and the old state; the weights sum to 1.")
def h_next(z, n, h):
    return (1 - z) * n + z * h


@chapter.rewriting("GR.8", "Or: it starts at n and goes the part z of the way to h. If z is 1, the state stays as it is.")
def h_next(z, n, h):
    return n + z * (h - n)


chapter.section("Backward: the proposal")


@chapter.adjoint("GR.9", "n has the weight 1 - z in the new state.")
def dn(dh_next, z):
    return dh_next * (1 - z)


@chapter.adjoint("GR.10", "The fraction is dn times the derivative of tanh, from GR.6.")
def da_n(dn, a_n):
    return 4 * dn * exp(-(2 * a_n)) / (1 + exp(-(2 * a_n))) ** 2


@chapter.rewriting("GR.11", "The derivative of tanh is 1 - n² (LS.16).")
def da_n(dn, n):
    return dn * (1 - n * n)


@chapter.rewriting("GR.12", "Insert GR.9.")
def da_n(dh_next, z, n):
    return dh_next * (1 - z) * (1 - n * n)


chapter.section("Backward: the gates")


@chapter.adjoint("GR.13", "z multiplies h, and with a minus sign n. So only their difference matters (GR.8).")
def dz(dh_next, h, n):
    return dh_next * (h - n)


@chapter.adjoint("GR.14", "The fraction is dz times the derivative of σ, from GR.4.")
def da_z(dz, a_z):
    return dz * exp(-a_z) / (1 + exp(-a_z)) ** 2


@chapter.rewriting("GR.15", "The derivative of σ is z (1 - z) (LS.24).")
def da_z(dz, z):
    return dz * (z * (1 - z))


@chapter.rewriting("GR.16", "Insert GR.13.")
def da_z(dh_next, h, n, z):
    return dh_next * (h - n) * (z * (1 - z))


@chapter.adjoint("GR.17", "r multiplies v_n, within the proposal (GR.5).")
def dr(da_n, v_n):
    return da_n * v_n


@chapter.adjoint("GR.18", "The derivative of σ.")
def da_r(dr, r):
    return dr * (r * (1 - r))


@chapter.rewriting("GR.19", "Insert GR.17.")
def da_r(da_n, v_n, r):
    return da_n * v_n * (r * (1 - r))


chapter.section("Backward: the linear functions and the state")


@chapter.adjoint("GR.20", "u_r and v_r are added, so both have the gradient of the sum.")
def du_r(da_r):
    return da_r


@chapter.adjoint("GR.21", "The same.")
def dv_r(da_r):
    return da_r


@chapter.adjoint("GR.22", "The same for z.")
def du_z(da_z):
    return da_z


@chapter.adjoint("GR.23", "The same.")
def dv_z(da_z):
    return da_z


@chapter.adjoint("GR.24", "u_n is added as it is.")
def du_n(da_n):
    return da_n


@chapter.adjoint("GR.25", "v_n is multiplied by r first. So dv is not du, and W' and b' have gradients of their own.")
def dv_n(da_n, r):
    return da_n * r


@chapter.adjoint(
    "GR.26",
    "The state is used twice: in the weighted mean, which gives this, and in v. The gradient of v goes on through W' (LI.9), "
    "and the two are added. This part is multiplied by z in each step, as the LSTM's is by f (LS.19).",
)
def dh(dh_next, z):
    return dh_next * z
