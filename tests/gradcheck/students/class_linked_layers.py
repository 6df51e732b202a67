# long
# expect Affine: right: dx
# expect AffineWrong: wrong: WRONG in dx
# expect Rectifier: right: ReLU
# expect RectifierWrong: wrong: WRONG in dx
# expect Dense: right: W (4, 6)
# expect DenseWrong: wrong: WRONG in dX
# expect Cell: right: clips large gradients
# expect CellWrong: wrong: WRONG in dh_prev
# expect Momentum: right: weights (9, 4)
# expect MomentumWrong: wrong: WRONG in dweights
# expect Squares: right: dy_hat
# expect SquaresWrong: wrong: divide by 2
# expect Classifier: right: hidden_w
# expect ClassifierWrong: wrong: it has the wrong sign
"""Layers that call their neighbours, that keep what they need in a dict of the network's, or that step with momentum."""

import numpy as np


class Affine:
    """The shape of its weights, and no gradient that it returns."""

    def __init__(self, shape):
        self.prev = None
        self.next = None
        self.w = np.random.randn(*shape)

    def forward(self, x):
        self.x = x
        assert x.shape[1] == self.w.shape[0]
        y = x @ self.w
        return y if self.next is None else self.next.forward(y)

    def backward(self, gradient, lr):
        dx = gradient @ self.w.T
        self.w -= lr * self.x.T @ gradient
        if self.prev is not None:
            self.prev.backward(dx, lr)


class AffineWrong(Affine):
    def backward(self, gradient, lr):
        dx = -gradient @ self.w.T
        self.w -= lr * self.x.T @ gradient
        if self.prev is not None:
            self.prev.backward(dx, lr)


class Rectifier:
    def __init__(self):
        self.prev = None
        self.next = None

    def forward(self, x):
        self.x = x
        return self.next.forward(x * (x > 0))

    def backward(self, gradient, lr):
        self.prev.backward(gradient * (self.x > 0), lr)


class RectifierWrong(Rectifier):
    def backward(self, gradient, lr):
        self.prev.backward(gradient * (self.x < 0), lr)


class Dense:
    def __init__(self, input_size, output_size):
        self.W, self.b = np.random.randn(output_size, input_size), np.zeros((output_size, 1))

    def forward(self, context, X):
        context["input"] = X
        return self.W @ X + self.b

    def backward(self, context, dE):
        X, rate = context["input"], context["learning_rate"]
        dX = self.W.T @ dE
        self.W = self.W - rate * dE @ X.T
        self.b = self.b - rate * dE.sum(axis=1, keepdims=True)
        return dX


class DenseWrong(Dense):
    def backward(self, context, dE):
        return 2 * super().backward(context, dE)


class Cell:
    """It sums the gradients of all steps, and clips them."""

    def __init__(self, input_dim, units):
        self.W, self.U, self.b = np.random.randn(input_dim, units), np.random.randn(units, units), np.zeros((1, units))
        self.dW, self.dU, self.db = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.b)
        self.dbs = np.zeros_like(self.b)

    def forward(self, x_t, h_prev):
        self.x_t, self.h_prev = x_t, h_prev
        self.h = np.tanh(x_t @ self.W + h_prev @ self.U + self.b)
        return self.h

    def backward(self, dh_next):
        dz = np.clip(dh_next, -1, 1) * (1 - self.h**2)
        self.dW += self.x_t.T @ dz
        self.dU += self.h_prev.T @ dz
        self.db += dz.sum(axis=0, keepdims=True)
        self.dbs += self.db
        return dz @ self.W.T, self.before(dz)

    def before(self, dz):
        return dz @ self.U.T


class CellWrong(Cell):
    def before(self, dz):
        return dz @ self.U.T * (1 - self.h_prev)


class SGD:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate, self.momentum, self.v = learning_rate, momentum, 0

    def update(self, w, gradient):
        self.v = self.momentum * self.v + (1 - self.momentum) * gradient
        return w - self.learning_rate * self.v


class Momentum:
    def __init__(self, n_in, n_out, optimizer=None):
        self.weights = np.random.randn(n_in, n_out)
        self.optimizer = SGD() if optimizer is None else optimizer

    def forward(self, x):
        self.x = x
        return x @ self.weights

    def backward(self, error):
        dx = error @ self.weights.T
        self.weights = self.optimizer.update(self.weights, self.x.T @ error)
        return dx


class MomentumWrong(Momentum):
    def backward(self, error):
        dx = error @ self.weights.T
        self.weights = self.optimizer.update(self.weights, self.x.T @ error / 2)
        return dx


class Squares:
    def f(self, y, y_hat):
        return np.sum((y - y_hat) ** 2) / 2

    def d(self, y, y_hat):
        return y_hat - y


class SquaresWrong(Squares):
    def d(self, y, y_hat):
        return 2 * (y_hat - y)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


class Classifier:
    """A cost of one sample, a step for it, and a class's number."""

    def __init__(self, input_size, hidden_size, output_size):
        self.hidden_w, self.visible_w = np.random.randn(hidden_size, input_size), np.random.randn(output_size, hidden_size)

    def back_prop(self, x, y, learning_rate):
        x, y = x.reshape(len(x), 1), y.reshape(len(y), 1)
        h = sigmoid(self.hidden_w @ x)
        o = sigmoid(self.visible_w @ h)
        d = (o - y) * o * (1 - o)
        dh = self.sign * self.visible_w.T @ d * h * (1 - h)
        self.hidden_w -= learning_rate * dh @ x.T
        self.visible_w -= learning_rate * d @ h.T

    sign = 1

    def cost(self, x, y):
        x, y = x.reshape(len(x), 1), y.reshape(len(y), 1)
        return 0.5 * np.sum((sigmoid(self.visible_w @ sigmoid(self.hidden_w @ x)) - y) ** 2)

    def predict(self, x):
        return np.argmax(sigmoid(self.visible_w @ sigmoid(self.hidden_w @ x.reshape(len(x), 1))))


class ClassifierWrong(Classifier):
    sign = -1
