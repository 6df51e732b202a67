from dataclasses import dataclass

import numpy as np

# long
# expect dense: right: returned in the order W, b, X
# expect gate: wrong: WRONG in dw2

# parameters as the attributes of an object, and gradients in another one


@dataclass(frozen=True)
class DenseParams:
    W: np.ndarray
    b: np.ndarray


def dense_forward(X, params):
    return X @ params.W + params.b


def dense_backward(grad_out, X, params):
    dW = X.T @ grad_out
    db = grad_out.sum(axis=0)
    dX = grad_out @ params.W.T
    return dW, db, dX


class Gate:
    pass


def gate_forward(X, p):
    p.hidden = np.tanh(X @ p.w1)
    return p.hidden @ p.w2


def gate_backward(dout, X, p):
    grads = Gate()
    grads.w2 = (p.hidden**2).T @ dout
    grads.w1 = X.T @ (dout @ p.w2.T * (1 - p.hidden**2))
    return dout @ p.w2.T * (1 - p.hidden**2) @ p.w1.T, grads
