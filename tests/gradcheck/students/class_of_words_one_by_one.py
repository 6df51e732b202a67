# long
# expect Words: right: x (5,), y (5,), U (4, 12)
# expect Words: right: taken as the gradient of cross-entropy
# expect WordsSlip: wrong: WRONG in dU, dW
# expect Lazy: right: weights (9, 4)
# expect LazySlip: wrong: WRONG in dweights
# expect Required: right: W (4, 9)
# expect RequiredSlip: wrong: WRONG
# expect MeanAbsolute: right
# expect MeanAbsoluteSlip: wrong: WRONG
# expect Histories: right: weights[0]
# expect HistoriesSlip: wrong: WRONG in dbiases[0], dbiases[1], dweights[0], dweights[1]
import numpy as np


class Words:
    """A recurrent network of a sentence's words, each an index; its loss is that of many sentences."""

    def __init__(self, word_dim, hidden_dim=100):
        self.word_dim, self.hidden_dim = word_dim, hidden_dim
        self.U, self.V = np.random.randn(hidden_dim, word_dim), np.random.randn(word_dim, hidden_dim)
        self.W = np.random.randn(hidden_dim, hidden_dim)

    def forward_propagation(self, x):
        s, o = np.zeros((len(x) + 1, self.hidden_dim)), np.zeros((len(x), self.word_dim))
        for t in range(len(x)):
            s[t] = np.tanh(self.U[:, x[t]] + self.W.dot(s[t - 1]))
            e = np.exp(self.V.dot(s[t]))
            o[t] = e / e.sum()
        return [o, s]

    def calculate_loss(self, x, y):
        o = [self.forward_propagation(sentence)[0] for sentence in x]
        return -sum(np.log(p[np.arange(len(t)), t]).sum() for p, t in zip(o, y)) / sum(map(len, y))

    def through(self, delta):
        return self.W.T.dot(delta)

    def bptt(self, x, y):
        o, s = self.forward_propagation(x)
        dU, dV, dW = np.zeros(self.U.shape), np.zeros(self.V.shape), np.zeros(self.W.shape)
        o[np.arange(len(y)), y] -= 1.0
        later = np.zeros(self.hidden_dim)
        for t in range(len(y))[::-1]:
            dV += np.outer(o[t], s[t])
            delta = (self.V.T.dot(o[t]) + later) * (1 - s[t] ** 2)
            dW += np.outer(delta, s[t - 1])
            dU[:, x[t]] += delta
            later = self.through(delta)
        return [dU, dV, dW]


class WordsSlip(Words):
    def through(self, delta):
        return self.W.dot(delta)


class Lazy:
    """The initialiser is None by default, and the weights are made by build."""

    def __init__(self, n_neurons, weight_initializer=None):
        self.n_neurons, self.weight_initializer = n_neurons, weight_initializer

    def build(self, input_shape):
        self.weights = self.weight_initializer(input_shape[-1], self.n_neurons)

    def forward(self, inputs):
        self.inputs = inputs
        return inputs @ self.weights

    def of_weights(self, dvalues):
        return self.inputs.T @ dvalues

    def backward(self, dvalues):
        self.dweights = self.of_weights(dvalues)
        return dvalues @ self.weights.T


class LazySlip(Lazy):
    def of_weights(self, dvalues):
        return self.inputs.T @ dvalues / 2


class Required:
    """The sizes are None by default, and must be given."""

    def __init__(self, output_size=None, input_size=None):
        assert output_size is not None and input_size is not None, "sizes are not defined"
        self.W = np.random.randn(output_size, input_size)

    def forward(self, x):
        self.x = x
        return x @ self.W.T

    def of_weights(self, d):
        return d.T @ self.x

    def backward(self, d):
        self.dW = self.of_weights(d)
        return d @ self.W


class RequiredSlip(Required):
    def of_weights(self, d):
        return -d.T @ self.x


class MeanAbsolute:
    """A loss whose derivative is got."""

    def forward(self, y_true, y_pred):
        return float(np.mean(np.abs(y_true - y_pred)))

    def get_gradient(self, y_true, y_pred):
        return np.sign(y_pred - y_true) / y_true.size


class MeanAbsoluteSlip(MeanAbsolute):
    def get_gradient(self, y_true, y_pred):
        return np.sign(y_true - y_pred) / y_true.size


class Histories:
    """Forward returns the output, and lists of what it made on the way."""

    def __init__(self, sizes):
        self.biases = [np.random.randn(n, 1) for n in sizes[1:]]
        self.weights = [np.random.randn(m, n) for n, m in zip(sizes, sizes[1:])]

    def feedforward(self, x):
        a, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights):
            zs.append(w @ a + b)
            a = np.tanh(zs[-1])
            activations.append(a)
        return a, activations, zs

    def slope(self, z):
        return 1 - np.tanh(z) ** 2

    def backprop(self, x, y):
        dbs, dws = [], []
        output, activations, zs = self.feedforward(x)
        delta = 2 * (output - y) * (1 - output**2)
        for k in reversed(range(len(zs))):
            dbs.insert(0, delta)
            dws.insert(0, delta @ activations[k].T)
            if k:
                delta = self.weights[k].T @ delta * self.slope(zs[k - 1])
        return dbs, dws


class HistoriesSlip(Histories):
    def slope(self, z):
        return 1 - np.tanh(z)
