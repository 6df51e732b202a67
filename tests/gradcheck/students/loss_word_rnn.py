import numpy as np

# expect char_rnn_loss: right
# expect lossFun: right


def char_rnn_loss(x, y, h0, Wx, Wh, Wy):
    """One loss over a whole sequence: x (N, T, D), y (N, T) of classes; back through time."""
    N, T, D = x.shape
    h, hs, ps, loss = h0, [h0], [], 0.0
    for t in range(T):
        h = np.tanh(x[:, t] @ Wx + h @ Wh)
        s = h @ Wy
        p = np.exp(s - s.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        loss -= np.log(p[np.arange(N), y[:, t]]).sum()
        hs.append(h)
        ps.append(p)
    dWx, dWh, dWy, dh_next = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wy), np.zeros_like(h0)
    for t in reversed(range(T)):
        ds = ps[t].copy()
        ds[np.arange(N), y[:, t]] -= 1
        dWy += hs[t + 1].T @ ds
        da = (ds @ Wy.T + dh_next) * (1 - hs[t + 1] ** 2)
        dWx += x[:, t].T @ da
        dWh += hs[t].T @ da
        dh_next = da @ Wh.T
    grads = {"Wx": dWx, "Wh": dWh, "Wy": dWy, "h0": dh_next}
    return loss / N, {key: g / N for key, g in grads.items()}


def char_rnn_loss_inputs(rng):
    return (rng.standard_normal((2, 3, 4)), rng.integers(0, 5, (2, 3)), rng.standard_normal((2, 6)),
            rng.standard_normal((4, 6)), rng.standard_normal((6, 6)), rng.standard_normal((6, 5)))


def lossFun(W, X, y):
    margins = 1 - (2 * y - 1) * (X @ W)
    loss = np.mean(np.maximum(margins, 0) ** 2)
    dW = -2 * X.T @ ((2 * y - 1) * np.maximum(margins, 0)) / len(y)
    return loss, dW
