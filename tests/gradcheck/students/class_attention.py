# long
# expect SelfAttention: right
# expect MultiHeadAttention: right
# expect ScaledDotProduct: right
# expect SelfAttentionScale: wrong: WRONG
# expect ScaledDotProductWrong: wrong: WRONG
import numpy as np


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


class ScaledDotProduct:
    def forward(self, q, k, v):
        self.q, self.k, self.v = q, k, v
        self.a = softmax(q @ k.swapaxes(-1, -2) / np.sqrt(q.shape[-1]))
        return self.a @ v

    def backward(self, dout):
        da, dv = dout @ self.v.swapaxes(-1, -2), self.a.swapaxes(-1, -2) @ dout
        ds = self.a * (da - (da * self.a).sum(axis=-1, keepdims=True)) / np.sqrt(self.q.shape[-1])
        return ds @ self.k, ds.swapaxes(-1, -2) @ self.q, dv


class ScaledDotProductWrong(ScaledDotProduct):
    """dk lacks the transposition, which fits as all have one length."""

    def backward(self, dout):
        da, dv = dout @ self.v.swapaxes(-1, -2), self.a.swapaxes(-1, -2) @ dout
        ds = self.a * (da - (da * self.a).sum(axis=-1, keepdims=True)) / np.sqrt(self.q.shape[-1])
        return ds @ self.k, ds @ self.q, dv


class SelfAttention:
    """One head; x is (batch, steps, dim)."""

    def __init__(self, dim):
        self.Wq, self.Wk, self.Wv = (np.random.randn(dim, dim) / np.sqrt(dim) for _ in range(3))
        self.scale = dim**-0.5

    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = x @ self.Wq, x @ self.Wk, x @ self.Wv
        self.a = softmax(self.q @ self.k.transpose(0, 2, 1) * self.scale)
        return self.a @ self.v

    def backward(self, dout):
        da, dv = dout @ self.v.transpose(0, 2, 1), self.a.transpose(0, 2, 1) @ dout
        ds = self.a * (da - np.sum(da * self.a, axis=-1, keepdims=True)) * self.back_scale()
        dq, dk = ds @ self.k, ds.transpose(0, 2, 1) @ self.q
        self.dWq, self.dWk, self.dWv = (np.einsum("btd,bte->de", self.x, d) for d in (dq, dk, dv))
        return dq @ self.Wq.T + dk @ self.Wk.T + dv @ self.Wv.T

    def back_scale(self):
        return self.scale


class SelfAttentionScale(SelfAttention):
    def back_scale(self):
        return 1


class MultiHeadAttention:
    def __init__(self, d_model, num_heads):
        assert d_model % num_heads == 0
        self.h, self.d = num_heads, d_model // num_heads
        self.params = {name: np.random.randn(d_model, d_model) * 0.3 for name in ("W_q", "W_k", "W_v", "W_o")}
        self.grads = {}

    def split(self, x):
        return x.reshape(x.shape[0], x.shape[1], self.h, self.d).transpose(0, 2, 1, 3)

    def join(self, x):
        return x.transpose(0, 2, 1, 3).reshape(x.shape[0], x.shape[2], -1)

    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = (self.split(x @ self.params[name]) for name in ("W_q", "W_k", "W_v"))
        self.a = softmax(self.q @ self.k.swapaxes(2, 3) / np.sqrt(self.d))
        self.joined = self.join(self.a @ self.v)
        return self.joined @ self.params["W_o"]

    def backward(self, dout):
        self.grads["W_o"] = np.einsum("btd,bte->de", self.joined, dout)
        dheads = self.split(dout @ self.params["W_o"].T)
        da, dv = dheads @ self.v.swapaxes(2, 3), self.a.swapaxes(2, 3) @ dheads
        ds = self.a * (da - (da * self.a).sum(axis=-1, keepdims=True)) / np.sqrt(self.d)
        dx = 0
        for name, d in (("W_q", ds @ self.k), ("W_k", ds.swapaxes(2, 3) @ self.q), ("W_v", dv)):
            d = self.join(d)
            self.grads[name] = np.einsum("btd,bte->de", self.x, d)
            dx = dx + d @ self.params[name].T
        return dx
