import numpy as np

# long
# expect attention: right
# expect softmax: right
# expect self_attention: right
# expect causal_attention: right


def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_grad(dP, P):
    return P * (dP - (dP * P).sum(axis=-1, keepdims=True))


def attention_forward(Q, K, V):
    """softmax(Q K^T / sqrt(d)) V for (N, T, d)"""
    d = Q.shape[-1]
    scores = np.matmul(Q, np.swapaxes(K, -1, -2)) / np.sqrt(d)
    weights = softmax(scores)
    return np.matmul(weights, V), (Q, K, V, weights)


def attention_backward(dout, cache):
    Q, K, V, weights = cache
    scale = 1 / np.sqrt(Q.shape[-1])
    dV = np.matmul(np.swapaxes(weights, -1, -2), dout)
    dweights = np.matmul(dout, np.swapaxes(V, -1, -2))
    dscores = softmax_grad(dweights, weights) * scale
    return np.matmul(dscores, K), np.matmul(np.swapaxes(dscores, -1, -2), Q), dV


def self_attention_forward(x, Wq, Wk, Wv):
    q, k, v = x @ Wq, x @ Wk, x @ Wv
    p = softmax(q @ k.swapaxes(-1, -2) / q.shape[-1] ** 0.5)
    out = p @ v
    return out, (x, Wq, Wk, Wv, q, k, v, p)


def self_attention_backward(dout, cache):
    x, Wq, Wk, Wv, q, k, v, p = cache
    dv = p.swapaxes(-1, -2) @ dout
    ds = softmax_grad(dout @ v.swapaxes(-1, -2), p) / q.shape[-1] ** 0.5
    dq, dk = ds @ k, ds.swapaxes(-1, -2) @ q
    dx = dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
    flat = x.reshape(-1, x.shape[-1])
    dWq, dWk, dWv = (flat.T @ g.reshape(-1, g.shape[-1]) for g in (dq, dk, dv))
    return dx, dWq, dWk, dWv


def causal_attention_forward(query, key, value):
    T = query.shape[-2]
    s = query @ key.swapaxes(-1, -2) / np.sqrt(query.shape[-1])
    s = np.where(np.tril(np.ones((T, key.shape[-2]), dtype=bool)), s, -1e9)
    p = softmax(s)
    return p @ value, dict(query=query, key=key, value=value, p=p)


def causal_attention_backward(dout, cache):
    p = cache["p"]
    dp = dout @ cache["value"].swapaxes(-1, -2)
    ds = softmax_grad(dp, p) / np.sqrt(cache["query"].shape[-1])
    return {"query": ds @ cache["key"], "key": ds.swapaxes(-1, -2) @ cache["query"], "value": p.swapaxes(-1, -2) @ dout}
