# long
# expect Cell: right: right up to 1/m
# expect CellSwapped: wrong: WRONG
# expect VectorRNN: right: x (6,), h (4,)
# expect VectorRNN: right: dWx
# expect VectorRNNSlip: wrong: WRONG
# expect Network: right: W1 (9, 7)
# expect NetworkSlip: wrong: WRONG
# expect Dense: right: weights
# expect DenseSlip: wrong: WRONG
# expect Checked: right: W (4, 9)
# expect CheckedSlip: wrong: WRONG
# expect Dropout: right
# expect DropoutSlip: wrong: WRONG
# expect Chain: right: inputs (6, 9)
# expect ChainBackwards: wrong: WRONG
# expect Activation: right
# expect Sine: right
import numpy as np


class Cell:
    """A recurrent step whose backward takes the new state and what forward took, by other names."""

    def __init__(self, input_size, hidden_size):
        self.W_ih = np.random.randn(hidden_size, input_size)
        self.W_hh = np.random.randn(hidden_size, hidden_size)
        self.dW_ih, self.dW_hh = np.zeros_like(self.W_ih), np.zeros_like(self.W_hh)

    def forward(self, x, h):
        return np.tanh(x @ self.W_ih.T + h @ self.W_hh.T)

    def backward(self, delta, h, h_below, h_before):
        dz = (1 - h**2) * delta
        self.dW_ih += dz.T @ h_below / len(delta)
        self.dW_hh += dz.T @ h_before / len(delta)
        return dz @ self.W_ih, dz @ self.W_hh


class CellSwapped(Cell):
    def backward(self, delta, h, h_below, h_before):
        dz = (1 - h_before**2) * delta
        self.dW_ih += dz.T @ h_below
        self.dW_hh += dz.T @ h_before
        return dz @ self.W_ih, dz @ self.W_hh


class VectorRNN:
    """A recurrent cell for one sample, which is a vector."""

    def __init__(self, in_dim, hidden_dim):
        self.Wx, self.Wh = np.random.randn(hidden_dim, in_dim), np.random.randn(hidden_dim, hidden_dim)

    def forward(self, x, h):
        assert x.ndim == 1
        self.x, self.h, self.out = x, h, np.tanh(self.Wx @ x + self.Wh @ h)
        return self.out

    def backward(self, delta):
        dz = (delta * (1 - self.out**2)).reshape(1, -1)
        self.dWx, self.dWh = dz.T @ self.x.reshape(1, -1), dz.T @ self.h.reshape(1, -1)
        return dz @ self.Wx, dz @ self.Wh


class VectorRNNSlip(VectorRNN):
    def backward(self, delta):
        dx, dh = super().backward(delta)
        return dx, dh * (1 - self.h**2)


class Network:
    """The loss and its gradients come from one method, by a name of its own."""

    def __init__(self, n_in, n_hidden, n_out):
        self.W1, self.W2 = np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_out)

    def forward(self, X):
        h = np.tanh(X @ self.W1)
        return h, h @ self.W2

    def loss_and_grads(self, X, y):
        h, scores = self.forward(X)
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(y)), y]).mean()
        p[np.arange(len(y)), y] -= 1
        p /= len(y)
        return loss, {"W1": X.T @ (p @ self.W2.T * self.slope(h)), "W2": h.T @ p}

    def slope(self, h):
        return 1 - h**2


class NetworkSlip(Network):
    def slope(self, h):
        return 1 - h


class Dense:
    """A step of gradient descent, with the rate written out."""

    def __init__(self, n_inputs, n_outputs):
        self.weights = np.random.randn(n_inputs, n_outputs)

    def forward(self, x):
        self.x = x
        return x @ self.weights

    def backward(self, dout):
        dx = dout @ self.weights.T
        self.weights -= 0.01 * self.x.T @ dout
        return dx


class DenseSlip(Dense):
    def backward(self, dout):
        dx = dout @ self.weights.T
        self.weights -= 0.01 * 2 * self.x.T @ dout
        return dx


def checked(function):
    """A decorator that looks at types, and hides the arguments' names."""

    def wrapper(*args, **kwargs):
        for name, value in kwargs.items():
            if not isinstance(value, function.__annotations__[name]):
                raise TypeError(f"{name}: expected {function.__annotations__[name].__name__}")
        return function(*args, **kwargs)

    return wrapper


class Activation:
    def forward(self, x):
        return x

    def derivative(self, x):
        return np.ones_like(x)


class Sine(Activation):
    def forward(self, x):
        return np.sin(x)

    def derivative(self, x):
        return np.cos(x)


class Checked:
    """Its activation is an object of the file, and nothing else will do."""

    @checked
    def __init__(self, act: Activation, inputs: int, outputs: int):
        self.act, self.W = act, np.random.randn(outputs, inputs)

    def forward(self, x):
        self.x = x
        self.z = x @ self.W.T
        return self.act.forward(self.z)

    def backward(self, dout):
        dz = dout * self.act.derivative(self.z)
        self.dW = dz.T @ self.x
        return dz @ self.W


class CheckedSlip(Checked):
    def backward(self, dout):
        self.dW = dout.T @ self.x
        return dout * self.act.derivative(self.z) @ self.W


class Dropout:
    """Trains only where it is told to, and draws from a generator without a seed."""

    def __init__(self, rate=0.4):
        self.rate = rate

    def forward(self, x, training=False):
        self.mask = np.random.default_rng().random(x.shape) > self.rate if training else None
        return x * self.mask / (1 - self.rate) if training else x

    def backward(self, dout):
        return dout * self.mask / (1 - self.rate)


class DropoutSlip(Dropout):
    def backward(self, dout):
        return dout * self.mask


class Chain:
    """It is given layers, and the file has none that need nothing."""

    def __init__(self, layers):
        self.layers = layers

    def forward(self, inputs):
        for layer in self.layers:
            inputs = layer.forward(inputs)
        return inputs

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad


class ChainBackwards(Chain):
    def backward(self, grad):
        for layer in self.layers:
            grad = layer.backward(grad)
        return grad
