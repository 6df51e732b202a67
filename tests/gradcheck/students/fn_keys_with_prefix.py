"""Parameters in a dict, whose keys begin with what an argument says: params[f"{prefix}_Wq"]."""

# expect attention: right
# expect attention_of_keys: wrong: dattn_Wk
import numpy as np


def softmax(s):
    e = np.exp(s - s.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def attention_forward(x, params, prefix="attn"):
    q, k = x @ params[f"{prefix}_Wq"], x @ params[f"{prefix}_Wk"]
    p = softmax(q @ k.T)
    return p @ x, (x, q, k, p, params, prefix)


def attention_backward(dout, cache):
    x, q, k, p, params, prefix = cache
    dp = dout @ x.T
    ds = p * (dp - (dp * p).sum(1, keepdims=True))
    dq, dk = ds @ k, ds.T @ q
    dx = p.T @ dout + dq @ params[f"{prefix}_Wq"].T + dk @ params[f"{prefix}_Wk"].T
    return dx, {f"{prefix}_Wq": x.T @ dq, f"{prefix}_Wk": x.T @ dk}


def attention_of_keys_forward(x, params, prefix="attn"):
    return attention_forward(x, params, prefix)


def attention_of_keys_backward(dout, cache):
    dx, grads = attention_backward(dout, cache)
    return dx, grads | {"attn_Wk": grads["attn_Wk"] / 2}
