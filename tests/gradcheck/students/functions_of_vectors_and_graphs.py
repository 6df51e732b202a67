# always
# expect h: wrong: WRONG
# expect objective: right
# expect quadratic: right
# expect quadratic_wrong: wrong: WRONG in dx
# expect gcn: right
# expect gcn_wrong: wrong: WRONG in dX
# expect loss_and_grads: right
# expect skip: right: begins with the gradient of u
import numpy as np

A0 = np.array([[3.0, 1.0], [1.0, 2.0]])
b0 = np.array([1.0, -1.0])


def h(x):
    return np.log(1 + x**2)


def hprime(x):
    return x / (1 + x**2)


def objective(x):
    return 0.5 * x @ A0 @ x - b0 @ x


def gradient(x):
    return A0 @ x - b0


def quadratic(x, Q, c):
    return 0.5 * x.T @ Q @ x + c.T @ x


def grad_quadratic(x, Q, c):
    return 0.5 * (Q + Q.T) @ x + c


def quadratic_wrong(x, Q, c):
    return 0.5 * x.T @ Q @ x + c.T @ x


def grad_quadratic_wrong(x, Q, c):
    return Q @ x + c


def gcn_forward(A, X, W):
    H = A @ X @ W
    return np.maximum(H, 0), (A, X, W, H)


def gcn_backward(dout, cache):
    A, X, W, H = cache
    dH = dout * (H > 0)
    dW = (A @ X).T @ dH
    dX = A.T @ dH @ W.T
    return dX, dW


def gcn_wrong_forward(A, X, W):
    H = A @ X @ W
    return np.maximum(H, 0), (A, X, W, H)


def gcn_wrong_backward(dout, cache):
    A, X, W, H = cache
    dH = dout * (H > 0)
    dW = (A @ X).T @ dH
    dX = A @ dH @ W.T
    return dX, dW


def loss_and_grads(params, x, y):
    acts = [x]
    for W, b in params[:-1]:
        acts.append(np.tanh(acts[-1] @ W + b))
    W, b = params[-1]
    out = acts[-1] @ W + b
    loss = np.mean((out - y) ** 2)
    d = 2 * (out - y) / out.size
    grads = [(acts[-1].T @ d, d.sum(0))]
    d = d @ W.T
    for (W, b), a_in, a in zip(params[:-1][::-1], acts[:-1][::-1], acts[1:][::-1]):
        dz = d * (1 - a**2)
        grads.append((a_in.T @ dz, dz.sum(0)))
        d = dz @ W.T
    return loss, grads[::-1]


def softmax(u):
    e = np.exp(u - u.max())
    return e / e.sum()


def skip_forward(x, W1, W2):
    h = W1.T @ x
    u = W2.T @ h
    return softmax(u), h, u


def skip_backward(e, h, x, W1, W2):
    return np.outer(x, W2 @ e), np.outer(h, e)
