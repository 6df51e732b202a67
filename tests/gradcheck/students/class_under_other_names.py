# long
# expect Rectified: right: ReLU
# expect RectifiedWrong: wrong: WRONG in dinputs
# expect Logistic: right
# expect CategoricalLoss: right: with a softmax before it
# expect CategoricalLossWrong: wrong: WRONG
# expect SquaredError: right: output_expected (6, 9)
# expect SquaredErrorWrong: wrong: WRONG
# expect Steps: right: V (7, 4)
# expect StepsWrong: wrong: it is 18 times the right gradient
# expect Outputs: right: taken as the gradient of
# expect Half: right
# expect HalfWrong: wrong: WRONG in dweights
"""Gradients, methods and values under other names than most give them."""

import numpy as np

DTYPE = np.float32


class Rectified:
    def forward(self, inputs):
        self.inputs, self.output = inputs, np.maximum(0, inputs)

    def backward(self, next_grads, *args):
        self.input_der = next_grads * (self.inputs > 0)


class RectifiedWrong(Rectified):
    def backward(self, next_grads, *args):
        self.input_der = next_grads * (self.inputs < 0)


class Logistic:
    def forward(self, input, *args, **kwargs):
        self.last = 1 / (1 + np.exp(-input))
        return self.last

    def derivative(self, input=None):
        last = self.forward(input) if input else self.last
        return last * (1 - last)


class CategoricalLoss:
    """Its gradient is called after the target."""

    def __call__(self, y, y_pred):
        assert y.shape == y_pred.shape
        self.y, self.y_pred = y, y_pred
        return -np.nansum(y * np.log(y_pred)) / len(y)

    def gradient(self):
        self.dL_dy = (self.y_pred - self.y) / len(self.y)
        return self.dL_dy


class CategoricalLossWrong(CategoricalLoss):
    def gradient(self):
        self.dL_dy = (self.y - self.y_pred) / len(self.y)
        return self.dL_dy


class SquaredError:
    """Of methods whose names say nothing."""

    def direct(self, output, output_expected):
        return np.mean(np.sum((output - output_expected) ** 2, axis=1))

    def prime(self, output, output_expected):
        return 2 * (output - output_expected) / len(output)

    def get_config(self):
        return {}


class SquaredErrorWrong(SquaredError):
    def prime(self, output, output_expected):
        return 2 * (output - output_expected)


class Steps:
    """A recurrent network that returns all that its backward needs."""

    def __init__(self, hidden_dim, input_dim, output_dim):
        self.W, self.U = np.random.randn(input_dim, hidden_dim), np.random.randn(hidden_dim, hidden_dim)
        self.V = np.random.randn(hidden_dim, output_dim)

    def forward(self, X):
        n, steps, _ = X.shape
        states = np.zeros((n, steps + 1, len(self.U)))
        for t in range(steps):
            states[:, t + 1] = np.tanh(X[:, t] @ self.W + states[:, t] @ self.U)
        scores = states[:, 1:] @ self.V
        return states, scores

    def softmax(self, scores):
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return e / e.sum(axis=-1, keepdims=True)

    def compute_loss(self, scores, targets):
        flat = self.softmax(scores).reshape(-1, scores.shape[-1])
        return -np.log(flat[range(targets.size), targets.reshape(-1)]).mean()

    def backward(self, X, targets, states, scores):
        d = self.softmax(scores).reshape(-1, scores.shape[-1])
        d[range(targets.size), targets.reshape(-1)] -= 1
        return self.through_time(X, states, d.reshape(scores.shape) / targets.size)

    def through_time(self, X, states, d):
        dW, dU, dV, dh = np.zeros_like(self.W), np.zeros_like(self.U), np.zeros_like(self.V), 0
        for t in reversed(range(X.shape[1])):
            dV += states[:, t + 1].T @ d[:, t]
            dz = (d[:, t] @ self.V.T + dh) * (1 - states[:, t + 1] ** 2)
            dW += X[:, t].T @ dz
            dU += states[:, t].T @ dz
            dh = dz @ self.U.T
        return dW, dU, dV


class StepsWrong(Steps):
    def backward(self, X, targets, states, scores):
        d = self.softmax(scores).reshape(-1, scores.shape[-1])
        d[range(targets.size), targets.reshape(-1)] -= 1
        return self.through_time(X, states, d.reshape(scores.shape))


class Outputs:
    """A network that returns a dict, which its backward takes."""

    def __init__(self, input_size, hidden_size, output_size):
        self.w1, self.w2 = np.random.randn(input_size, hidden_size), np.random.randn(hidden_size, output_size)

    def forward(self, x):
        h = np.tanh(x @ self.w1)
        return {"y": h @ self.w2, "hidden": h}

    def backward(self, x, y, result):
        d, h = result["y"] - y, result["hidden"]
        return {"w1": x.T @ (d @ self.w2.T * (1 - h**2)), "w2": h.T @ d}


class Half:
    def __init__(self, input_size, output_size):
        self.weights = np.random.randn(input_size, output_size).astype(DTYPE)

    def forward(self, x):
        self.x = x.astype(DTYPE)
        self.y = np.tanh(self.x @ self.weights, dtype=DTYPE)
        return self.y

    def backward(self, grad):
        dz = grad.astype(np.float32) * (1 - self.y**2)
        self.dweights = self.x.T @ dz
        return dz @ self.weights.T


class HalfWrong(Half):
    def backward(self, grad):
        dz = grad.astype(np.float32) * (1 - self.y**2)
        self.dweights = self.x.T @ dz / len(dz)
        return dz @ self.weights.T
