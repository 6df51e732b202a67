import numpy as np

# long
# expect attention: wrong: 3 times
# expect attention_v2: wrong: dQ
# expect attention_v3: wrong: dK
# expect multihead: wrong


def softmax(s):
    e = np.exp(s - np.max(s, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def attention_forward(Q, K, V):
    dk = Q.shape[-1]
    A = softmax(Q @ K.swapaxes(-1, -2) / np.sqrt(dk))
    return A @ V, (Q, K, V, A)


def attention_backward(dO, cache):
    Q, K, V, A = cache
    dV = A.swapaxes(-1, -2) @ dO
    dA = dO @ V.swapaxes(-1, -2)
    dS = A * (dA - np.sum(dA * A, axis=-1, keepdims=True))
    return dS @ K, dS.swapaxes(-1, -2) @ Q, dV  # without 1/sqrt(dk)


def attention_backward_v2(dO, cache):
    Q, K, V, A = cache
    dA = dO @ V.swapaxes(-1, -2)
    dS = A * (1 - A) * dA / np.sqrt(Q.shape[-1])  # as if softmax were a sigmoid
    return dS @ K, dS.swapaxes(-1, -2) @ Q, A.swapaxes(-1, -2) @ dO


def attention_backward_v3(dO, cache):
    Q, K, V, A = cache
    dA = dO @ V.swapaxes(-1, -2)
    dS = A * (dA - np.sum(dA * A, axis=-1, keepdims=True)) / np.sqrt(Q.shape[-1])
    return dS @ K, dS @ Q, A.swapaxes(-1, -2) @ dO


def multihead_forward(x, Wq, Wk, Wv, Wo, num_heads=2):
    N, T, D = x.shape
    H, d = num_heads, Wq.shape[1] // num_heads

    def heads(W):
        return (x @ W).reshape(N, T, H, d).transpose(0, 2, 1, 3)

    q, k, v = heads(Wq), heads(Wk), heads(Wv)
    a = softmax(q @ k.transpose(0, 1, 3, 2) / np.sqrt(d))
    y = (a @ v).transpose(0, 2, 1, 3).reshape(N, T, H * d)
    return y @ Wo, (x, Wq, Wk, Wv, Wo, q, k, v, a, y)


def multihead_backward(dout, cache):
    x, Wq, Wk, Wv, Wo, q, k, v, a, y = cache
    N, H, T, d = q.shape
    rows = x.reshape(N * T, -1)
    dWo = y.reshape(N * T, -1).T @ dout.reshape(N * T, -1)
    dy = (dout @ Wo.T).reshape(N, T, H, d).transpose(0, 2, 1, 3)
    da = dy @ v.transpose(0, 1, 3, 2)
    ds = a * (da - (da * a).sum(-1, keepdims=True)) / np.sqrt(d)
    parts = ds @ k, ds.transpose(0, 1, 3, 2) @ q, a.transpose(0, 1, 3, 2) @ dy
    dq, dk, dv = (p.reshape(N * T, H * d) for p in parts)  # the heads are not brought back
    dx = (dq @ Wq.T + dk @ Wk.T + dv @ Wv.T).reshape(x.shape)
    return dx, rows.T @ dq, rows.T @ dk, rows.T @ dv, dWo
