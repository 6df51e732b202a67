"""The gates of the recurrent cells, from the products of their weights on: the LSTM's and the GRU's. (The plain cell is tanh.)

LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers, Schmidhuber and Cummins 2000). a = W x + b + W' h + b' has
four parts, a_i, a_f, a_g and a_o:

    i, f, o = σ(a_i), σ(a_f), σ(a_o),   g = tanh(a_g),   c' = f c + i g,   h' = o tanh(c').

Let dh and dc' be the gradients of the two outputs, and t = tanh(c'). c' acts through h' too:

    δ = dc' + dh o (1 - t²),   dc = δ f,
    da_i = δ g i (1 - i),   da_f = δ c f (1 - f),   da_g = δ i (1 - g²),   da_o = dh t o (1 - o).

GRU (Cho et al. 2014, with the reset gate behind the product). u = W x + b and v = W' h + b' have three parts, of r, z and n:

    r, z = σ(u_r + v_r), σ(u_z + v_z),   n = tanh(u_n + r v_n),   h' = (1 - z) n + z h;

    da_n = dh (1 - z) (1 - n²),   da_z = dh (h - n) z (1 - z),   da_r = da_n v_n r (1 - r),
    du = (da_r, da_z, da_n),   dv = (da_r, da_z, da_n r),   dh_before = dh z.
"""

from __future__ import annotations

from typing import Any

from .. import backend
from ..autograd.node import Node
from .activation import Sigmoid
from .common import namespace, narrowed, of_tensors, widened
from .shape import Stack


def parts(a: Any, n: int) -> list[Any]:
    """The n parts of (N, n H), each (N, H)."""
    H = a.shape[-1] // n
    return [a[..., k * H : (k + 1) * H] for k in range(n)]


class Steps(Node):
    """x_1, x_2, … = the parts of x along its first dimension;  dx = their gradients, stacked.

    If each step took its part with an index, each would fill a gradient as large as x: L² parts for L steps.
    """

    fresh = True

    def forward(self, x):
        return tuple(backend.copy(x[t, ...]) for t in range(x.shape[0]))

    def backward(self, *gs):
        return (Stack(0)(*gs),)


class LSTMGates(Node):
    """c' = f c + i g,  h' = o tanh(c');  the gradients are those at the top of this file. The outputs are h' and c'."""

    fresh = True

    def gates(self, a, c):
        """(i, f, g, o, c', tanh c')."""
        a_i, a_f, a_g, a_o = parts(a, 4)
        i, f, o, g = Sigmoid()(a_i), Sigmoid()(a_f), Sigmoid()(a_o), namespace(a).tanh(a_g)  # cf. LS.1, LS.2, LS.3, LS.4
        c_next = f * c + i * g  # LS.6
        return i, f, g, o, c_next, namespace(a).tanh(c_next)  # cf. LS.8

    def forward(self, a, c):
        self.save(a, c)
        self.kept = _, _, _, o, c_next, t = self.gates(widened(a), widened(c))
        return narrowed(o * t, c), narrowed(c_next * 1, c)  # LS.9; c' is new: what is kept must not be changed from outside

    def backward(self, dh, dc_next, a, c):
        a_, c_ = widened(a), widened(c)
        i, f, g, o, _, t = self.recall(self.gates, a_, c_)
        dh, dc_next = widened(dh), widened(dc_next)
        delta = dc_next + dh * o * (1 - t * t)  # LS.17, LS.18
        da = None
        if self.needs[0]:
            da_i, da_f = delta * g * (i * (1 - i)), delta * c_ * (f * (1 - f))  # LS.25, LS.27
            da_g = delta * i * (1 - g * g)  # LS.29
            da = narrowed(namespace(a_).concat([da_i, da_f, da_g, dh * t * (o * (1 - o))], axis=-1), a)  # LS.31
        return da, narrowed(delta * f, c) if self.needs[1] else None  # LS.19


class GRUGates(Node):
    """h' = (1 - z) n + z h;  the gradients are those at the top of this file."""

    fresh = True

    def gates(self, u, v):
        """(r, z, n)."""
        (u_r, u_z, u_n), (v_r, v_z, v_n) = parts(u, 3), parts(v, 3)
        r = Sigmoid()(u_r + v_r)  # cf. GR.1, GR.3
        return r, Sigmoid()(u_z + v_z), namespace(u).tanh(u_n + r * v_n)  # cf. GR.2, GR.4, GR.5, GR.6

    def forward(self, u, v, h):
        self.save(u, v, h)
        self.kept = _, z, n = self.gates(widened(u), widened(v))
        return narrowed((1 - z) * n + z * widened(h), h)  # GR.7

    def backward(self, dh, u, v, h):
        u_, v_, h_, dh_ = widened(u), widened(v), widened(h), widened(dh)
        r, z, n = self.recall(self.gates, u_, v_)
        da_n = dh_ * (1 - z) * (1 - n * n)  # GR.12
        da_z, da_r = dh_ * (h_ - n) * (z * (1 - z)), da_n * parts(v_, 3)[2] * (r * (1 - r))  # GR.16, GR.19
        join = namespace(u_).concat
        return (
            narrowed(join([da_r, da_z, da_n], axis=-1), u) if self.needs[0] else None,  # GR.20, GR.22, GR.24
            narrowed(join([da_r, da_z, da_n * r], axis=-1), v) if self.needs[1] else None,  # GR.21, GR.23, GR.25
            narrowed(dh_ * z, h) if self.needs[2] else None,  # GR.26
        )


# ---- as functions ----------------------------------------------------------------------------------------------------


@of_tensors
def lstm_gates(a: Any, c: Any) -> tuple[Any, Any]:
    """(h', c') of an LSTM cell.

    Parameters
    ----------
    a : Tensor
        W x + b + W' h + b', (N, 4 H) or (4 H): the parts of the gates i, f, g and o.
    c : Tensor
        The cell's state before, (N, H) or (H).

    Examples
    --------
    >>> import tinynorm
    >>> lstm_gates(tinynorm.zeros(4), tinynorm.ones(1))
    (tensor([0.2311]), tensor([0.5000]))
    """
    return LSTMGates()(a, c)


@of_tensors
def gru_gates(u: Any, v: Any, h: Any) -> Any:
    """h' of a GRU cell.

    Parameters
    ----------
    u, v : Tensor
        W x + b and W' h + b', (N, 3 H) or (3 H): the parts of r, z and n.
    h : Tensor
        The state before, (N, H) or (H).

    Examples
    --------
    >>> import tinynorm
    >>> gru_gates(tinynorm.zeros(3), tinynorm.zeros(3), tinynorm.ones(1))
    tensor([0.5000])
    """
    return GRUGates()(u, v, h)
