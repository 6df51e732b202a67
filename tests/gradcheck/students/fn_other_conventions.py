"""What is told by the code, or by likeness: other languages, other names for an input, two numbers, rows that are one-hot."""

# expect affine: right
# expect capa: wrong
# expect tanh: right
# expect forward_propagation: right
# expect forward_propagation_n: wrong: it is 2 times the right gradient
# expect one_hot_embed: right
# expect decoder: right
# expect log_cosh: right
# expect Slopes.leaky: wrong
# expect split: right
# expect softplus: wrong
# expect hinge_cost: right
# expect square_error: right
import numpy as np


def affine_avant(x, poids):
    return x @ poids, (x, poids)


def affine_arriere(dsortie, memoire):
    x, poids = memoire
    return dsortie @ poids.T, x.T @ dsortie


def capa_adelante(x, pesos):
    return x @ pesos, (x, pesos)


def capa_atras(dsalida, memoria):
    x, pesos = memoria
    return dsalida @ pesos.T, x.T @ dsalida / len(x)


def tanh_forward(x):
    return np.tanh(x)


def tanh_backward(ret_x, ret_y, propagation):
    return (1 - ret_y**2) * propagation + 0 * ret_x


def forward_propagation(x, theta):
    return theta * x


def backward_propagation(x, theta):
    return x


def forward_propagation_n(X, Y, parameters):
    W1, b1, W2, b2 = (parameters[key] for key in ("W1", "b1", "W2", "b2"))
    A1 = np.tanh(W1 @ X + b1)
    A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / X.shape[1]
    return cost, (A1, W1, b1, A2, W2, b2)


def backward_propagation_n(X, Y, cache):
    A1, W1, b1, A2, W2, b2 = cache
    dZ2 = (A2 - Y) / X.shape[1]
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    db1, db2 = (d.sum(axis=1, keepdims=True) for d in (dZ1, dZ2))
    return {"dW2": dZ2 @ A1.T, "db2": db2, "dA1": W2.T @ dZ2, "dW1": 2 * dZ1 @ X.T, "db1": db1}


def one_hot_embed_forward(onehots, table):
    return onehots @ table, onehots


def one_hot_embed_backward(dout, onehots):
    return None, np.tensordot(onehots, dout, (range(onehots.ndim - 1), range(dout.ndim - 1)))


def decoder_forward(z, weights, biases):
    activations = [z]
    for W, b in zip(weights, biases):
        activations.append(np.tanh(activations[-1] @ W + b))
    return activations[-1], activations


def decoder_backward(grad, activations, weights):
    grad_weights, grad_biases = [], []
    for i in reversed(range(len(weights))):
        grad = grad * (1 - activations[i + 1] ** 2)
        grad_weights.insert(0, activations[i].T @ grad)
        grad_biases.insert(0, grad.sum(0))
        grad = grad @ weights[i].T
    grad_input = grad
    return grad_weights, grad_biases, grad_input


def log_cosh(y_pred, y_true):
    d = y_pred - y_true
    return np.mean(np.log(np.cosh(d))), lambda: np.tanh(d) / d.size


class Slopes:
    @staticmethod
    def leaky(x, derivative=False, alpha=0.1):
        if derivative:
            return np.where(x > 0, 1, 0.1)
        return np.where(x > 0, x, alpha * x)


def split_forward(x):
    return x[:, :4], 2 * x[:, 4:]


def split_backward(ga, gb):
    return np.hstack([ga, 2 * gb])


def softplus(x):
    value = np.log1p(np.exp(x))
    grad = 1 - np.exp(-x)
    return value, grad


def hinge_cost(x, y, w, b, derivative=False):
    margin = 1 - y * (x @ w + b)
    if not derivative:
        return np.maximum(margin, 0).mean()
    d = np.where(margin > 0, -y, 0) / len(x)
    return np.concatenate((x.T @ d, [d.sum()]))


def square_error(y, t):
    return ((y - t) ** 2).sum(axis=1)


def square_error_grad(y, t):
    return 2 * (y - t)
