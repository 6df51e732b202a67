"""Mistakes that do not show with one unit, one column, one vector, or targets of the other kind."""

# long
# expect Product: wrong: dW = xᵀ dout
# expect Mixed: not checked: self.grad_w = self.x @ dout
# expect BinaryCrossEntropy: wrong: the loss is a mean over the 9 columns
# expect VectorNorm: wrong: dgamma
# expect NumbersOnly: right: not checked with t class numbers
# expect Tanh: wrong: x is not multiplied in
# expect Recurrent: not checked: grads["Whh"] += draw @ hs[t - 1]
# expect NumbersForArrays: right: gamma (9,)
# expect NumbersForArraysMean: wrong: dbeta: a mean over axis 0
# expect MaxPool: right: not checked with poolSize 2
# expect Positions: wrong: dembeddings: it is zero everywhere
# expect Forgotten: right: no gradient is looked for of layer_weight
# expect RowNorm: wrong: dgamma: expected the shape of gamma
# expect rownorm: wrong: dgamma: expected the shape of gamma
# expect MeanOfRow: wrong: expected the shape of x
# expect Summed: wrong: expected the shape of b
# expect Add: wrong: dy: expected an array of shape (6, 9), got int
# expect allnorm: wrong: dgamma: expected the shape of gamma, (9,), got ()
# expect turned: wrong: it is transposed
import numpy as np


class Product:
    def __init__(self, W):
        self.params, self.grads = [W], [np.zeros_like(W)]

    def forward(self, x):
        self.x = x
        return np.dot(x, self.params[0])

    def backward(self, dout):
        self.grads[0][...] = np.dot(self.x, dout)
        return np.dot(dout, self.params[0].T)


class Mixed:
    def __init__(self, n, m):
        self.M = np.random.randn(n, m)

    def forward(self, x):
        self.x = x
        return x @ self.M

    def backward(self, dout):
        self.grad_w = self.x @ dout
        return dout @ self.M.T


class BinaryCrossEntropy:
    def forward(self, AL, Y):
        self.AL, self.Y = AL, Y
        return np.squeeze(-np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / Y.shape[1])

    def backward(self):
        return -(self.Y / self.AL - (1 - self.Y) / (1 - self.AL))


class VectorNorm:
    """gamma and beta are numbers."""

    def feedforward(self, x, gamma, beta, eps):
        mean, self.inverse = np.sum(x) / len(x), 1 / np.sqrt(np.sum((x - np.sum(x) / len(x)) ** 2) / len(x) + eps)
        self.x_hat, self.gamma = (x - mean) * self.inverse, gamma
        return gamma * self.x_hat + beta

    def backforward(self, dout):
        d = dout * self.gamma
        dx = self.inverse * (d - np.mean(d) - self.x_hat * np.mean(d * self.x_hat))
        return dx, np.sum(dout), np.sum(dout, axis=0)


class NumbersOnly:
    """With class numbers, backward does not return its gradient."""

    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t
        chosen = t.argmax(axis=1) if t.ndim == 2 else t
        return -np.mean(np.log(self.y[np.arange(len(x)), chosen]))

    def backward(self, dout=1):
        rows = len(self.y)
        if self.t.ndim == 2:
            return (self.y - self.t) * dout / rows
        dx = self.y.copy()
        dx[np.arange(rows), self.t] -= 1
        return dout / rows


class Tanh:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, x):
        return 1 - self.out**2


class Recurrent:
    def __init__(self, vocab_size, hidden_size):
        self.V, self.H = vocab_size, hidden_size
        self.params = {
            "Wxh": np.random.randn(hidden_size, vocab_size) * 0.3,
            "Whh": np.random.randn(hidden_size, hidden_size) * 0.3,
            "Why": np.random.randn(vocab_size, hidden_size) * 0.3,
        }

    def loss(self, inputs, targets):
        p = self.params
        xs, hs, ps, loss = {}, {-1: np.zeros((self.H, 1))}, {}, 0
        for t in range(len(inputs)):
            xs[t] = np.zeros((self.V, 1))
            xs[t][inputs[t]] = 1
            hs[t] = np.tanh(p["Wxh"] @ xs[t] + p["Whh"] @ hs[t - 1])
            y = p["Why"] @ hs[t]
            ps[t] = np.exp(y - y.max()) / np.sum(np.exp(y - y.max()))
            loss += -np.log(ps[t][targets[t], 0])
        grads, dh_next = {name: np.zeros_like(value) for name, value in p.items()}, np.zeros((self.H, 1))
        for t in reversed(range(len(inputs))):
            dy = ps[t].copy()
            dy[targets[t]] -= 1
            grads["Why"] += dy @ hs[t].T
            draw = (1 - hs[t] ** 2) * (p["Why"].T @ dy + dh_next)
            grads["Wxh"] += draw @ xs[t].T
            grads["Whh"] += draw @ hs[t - 1]
            dh_next = p["Whh"].T @ draw
        return loss, grads


class NumbersForArrays:
    """gamma and beta are arrays from the first step on."""

    def __init__(self, gamma=1.0, beta=0.0):
        self.gamma, self.beta = gamma, beta

    def forward(self, x):
        self.s = np.sqrt(x.var(axis=0) + 1e-8)
        self.n = (x - x.mean(axis=0)) / self.s
        return self.gamma * self.n + self.beta

    def backward(self, dout):
        d = dout * self.gamma
        self.dgamma, self.dbeta = np.sum(dout * self.n, axis=0), self.collected(dout)
        return (d - d.mean(axis=0) - self.n * (d * self.n).mean(axis=0)) / self.s

    def collected(self, dout):
        return dout.sum(axis=0)


class NumbersForArraysMean(NumbersForArrays):
    def collected(self, dout):
        return dout.mean(axis=0)


class MaxPool:
    """Where there is more than one window above another, backward raises."""

    def __init__(self, poolSize):
        self.poolSize = poolSize

    def forward(self, x):
        self.x, P = x, self.poolSize
        N, C, H, W = x.shape
        return x[:, :, : H // P * P, : W // P * P].reshape(N, C, H // P, P, W // P, P).max(axis=(3, 5))

    def backward(self, grad):
        P, dx = self.poolSize, np.zeros_like(self.x)
        for i in range(self.x.shape[2] // P):
            for j in range(self.x.shape[3] // P):
                patch = self.x[:, :, i : (i + 1) * P, j * P : (j + 1) * P]
                mask = patch == patch.max(axis=(2, 3), keepdims=True)
                dx[:, :, i * P : (i + 1) * P, j * P : (j + 1) * P] = mask * grad[:, :, i : i + 1, j : j + 1]
        return dx


class Positions:
    """Its step sets the gradient to None, and would take it out of sight."""

    def __init__(self, d_model, max_seq_length=20):
        self.embeddings = np.random.randn(max_seq_length, d_model) * 0.02
        self.grad_embeddings = None

    def forward(self, x):
        return x + self.embeddings[: x.shape[1]]

    def backward(self, grad_output):
        self.grad_embeddings = np.zeros_like(self.embeddings)
        return grad_output

    def update(self, learning_rate):
        if self.grad_embeddings is not None:
            self.embeddings -= learning_rate * self.grad_embeddings
            self.grad_embeddings = None


class Forgotten:
    def __init__(self, inputs, outputs):
        self.layer_weight, self.layer_bias = np.random.randn(inputs, outputs), np.zeros(outputs)

    def forward(self, data):
        self.data = data
        return data @ self.layer_weight + self.layer_bias

    def backward(self, err):
        self.layer_bias += err.sum(axis=0)
        return err @ self.layer_weight.T


def rownorm_forward(x, gamma, beta):
    s = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-5)
    n = (x - x.mean(axis=-1, keepdims=True)) / s
    return gamma * n + beta, (n, s, gamma)


def rownorm_backward(dout, cache):
    n, s, gamma = cache
    rows, g = tuple(range(dout.ndim - 2)), gamma * dout
    dx = (g - g.mean(axis=-1, keepdims=True) - n * (g * n).mean(axis=-1, keepdims=True)) / s
    return dx, (dout * n).sum(axis=rows), dout.sum(axis=rows)


class RowNorm:
    def __init__(self, dim):
        self.params, self.grads = {"gamma": np.ones(dim), "beta": np.zeros(dim)}, {}

    def forward(self, x):
        out, self.cache = rownorm_forward(x, self.params["gamma"], self.params["beta"])
        return out

    def backward(self, dout):
        dx, self.grads["gamma"], self.grads["beta"] = rownorm_backward(dout, self.cache)
        return dx


class MeanOfRow:
    def forward(self, x):
        self.shape = x.shape
        return x.mean(axis=-1)

    def backward(self, dout):
        return np.repeat(dout[..., None], self.shape[-1], axis=-2) / self.shape[-1]


class Summed:
    def __init__(self, n, m):
        self.W, self.b = np.zeros((m, n)), np.zeros((m, 1))

    def forward(self, x):
        self.x = x
        return x @ self.W.T + self.b.T

    def backward(self, dout):
        self.dW, self.db = dout.T @ self.x, dout.T
        return dout @ self.W


class Add:
    def forward(self, x, y):
        return x + y

    def backward(self, dout):
        return dout * 1, 1


def allnorm_forward(x, gamma, beta):
    return rownorm_forward(x, gamma, beta)


def allnorm_backward(dout, cache):
    n, s, gamma = cache
    return rownorm_backward(dout, cache)[0], (dout * n).sum(), dout.sum()


def turned_forward(x):
    return x.T, None


def turned_backward(dy, cache):
    return dy
