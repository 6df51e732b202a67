import numpy as np

# expect drop: right: rng a random generator
# expect drop_unscaled: wrong: WRONG in dx
# expect cell: right
# expect cell_slip: wrong: WRONG in d_Wxo
# expect reading: right
# expect cost: wrong: and wrong with l 0.7
# expect net: right: kind 'Tanh'

# a generator is handed over; keys begin with a word; parameters with names of their own; the penalty's factor is called l


def drop_forward(x, p, rng, training):
    if not training:
        return x, None
    mask = (rng.random_sample(x.shape) < 1 - p) / (1 - p)
    return x * mask, mask


def drop_backward(dout, mask):
    return dout if mask is None else dout * mask


def drop_unscaled_forward(x, p, rng, training):
    return drop_forward(x, p, rng, training)


def drop_unscaled_backward(dout, mask):
    return dout if mask is None else dout * (mask > 0)


def cell_forward(x, h_prev, params, prefix):
    i = np.tanh(x @ params[f"{prefix}_Wxi"] + h_prev @ params[f"{prefix}_Whi"])
    o = np.tanh(x @ params[f"{prefix}_Wxo"] + h_prev @ params[f"{prefix}_Who"])
    return i * o, (x, h_prev, i, o, params, prefix)


def cell_backward(dh, cache):
    x, h_prev, i, o, params, prefix = cache
    di, do = dh * o * (1 - i**2), dh * i * (1 - o**2)
    dx = di @ params[f"{prefix}_Wxi"].T + do @ params[f"{prefix}_Wxo"].T
    dh_prev = di @ params[f"{prefix}_Whi"].T + do @ params[f"{prefix}_Who"].T
    keys = (f"{prefix}_Wxi", f"{prefix}_Wxo", f"{prefix}_Whi", f"{prefix}_Who")
    return dx, dh_prev, dict(zip(keys, (x.T @ di, x.T @ do, h_prev.T @ di, h_prev.T @ do)))


def cell_slip_forward(x, h_prev, params, prefix):
    return cell_forward(x, h_prev, params, prefix)


def cell_slip_backward(dh, cache):
    dx, dh_prev, grads = cell_backward(dh, cache)
    grads[f"{cache[-1]}_Wxo"] = cache[0].T @ (dh * cache[2])
    return dx, dh_prev, grads


def reading_forward(hs, params):
    W_att, v_att = params["W_att"], params["v_att"]
    u = np.tanh(hs @ W_att.T)
    e = np.exp(u @ v_att)
    a = e / e.sum()
    return a @ hs, (hs, u, a)


def reading_backward(dcontext, cache, params):
    hs, u, a = cache
    da = hs @ dcontext
    ds = a * (da - a @ da)
    du = np.outer(ds, params["v_att"]) * (1 - u**2)
    return np.outer(a, dcontext) + du @ params["W_att"], du.T @ hs, u.T @ ds


def cost(theta, X, y, l=1):
    h = 1 / (1 + np.exp(-(X @ theta)))
    penalty = l / (2 * len(X)) * np.sum(theta[1:] ** 2)
    return np.mean(-y * np.log(h) - (1 - y) * np.log(1 - h)) + penalty


def cost_gradient(theta, X, y, l=1):
    h = 1 / (1 + np.exp(-(X @ theta)))
    return X.T @ (h - y) / len(X) + np.r_[0, theta[1:]] / len(X)  # l is forgotten


def activation_of(kind):
    if kind == "Tanh":
        return np.tanh, lambda z: 1 - np.tanh(z) ** 2
    elif kind == "Cube":
        return lambda z: z**3, lambda z: 3 * z**2


def net_forward(x, W1, b1, W2, b2, kind):
    f, _ = activation_of(kind)
    z1 = x @ W1 + b1
    a1 = f(z1)
    return a1 @ W2 + b2, (x, z1, a1, W1, W2, kind)


def net_backward(dout, cache):
    x, z1, a1, W1, W2, kind = cache
    _, slope = activation_of(kind)
    dz1 = dout @ W2.T * slope(z1)
    return dz1 @ W1.T, x.T @ dz1, dz1.sum(0), a1.T @ dout, dout.sum(0)
