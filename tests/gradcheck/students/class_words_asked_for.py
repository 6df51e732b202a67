# long
# expect Dense: right: and activation 'tanh'; and activation 'linear'
# expect DenseSlip: wrong: right with x (6, 9), W (9, 4), b (4,); and activation 'sigmoid', and wrong with
# expect SoftmaxElse: right: not checked: line
# expect Mean: right: use_bias False
# expect Mean: right: right up to 1/m
# expect MeanSlip: wrong: wrong with use_bias False
# expect Scores: right: dW_k
# expect Scores: right: right up to 1/m
# expect Adam: right: dbiases
# expect AdamSlip: wrong: WRONG
# expect Net: right: layers[1]
# expect NetSlip: wrong: WRONG
# expect Bent: right: no gradient is looked for of shape
# expect BentSlip: wrong: WRONG
# expect Red: right: filtros (4, 9), sesgos (4,)
# expect RedSlip: wrong: WRONG in dfiltros
# expect Deltas: right: W1 (9, 7), W2 (7, 4)
# expect DeltasSlip: wrong: WRONG
import numpy as np


class Dense:
    """The activation is a word that must be given: each that the code names is tried, and one that leads to `else`."""

    def __init__(self, n_in, n_out, activation):
        self.W, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)
        self.activation = activation

    def forward(self, x):
        self.x = x
        self.z = x @ self.W + self.b
        if self.activation == "relu":
            self.a = np.maximum(0, self.z)
        elif self.activation == "sigmoid":
            self.a = 1 / (1 + np.exp(-self.z))
        elif self.activation == "tanh":
            self.a = np.tanh(self.z)
        else:
            self.a = self.z
        return self.a

    def slope(self):
        return 1 - self.a**2

    def backward(self, da):
        if self.activation == "relu":
            dz = da * (self.z > 0)
        elif self.activation == "sigmoid":
            dz = da * self.a * (1 - self.a)
        elif self.activation == "tanh":
            dz = da * self.slope()
        else:
            dz = da
        self.dW, self.db = self.x.T @ dz, dz.sum(axis=0)
        return dz @ self.W.T


class DenseSlip(Dense):
    def slope(self):
        return 1 - self.a


class SoftmaxElse:
    """Here `else` is for a softmax, whose slope the loss has: a word of ours would make it wrong."""

    def __init__(self, n_in, n_out, activation="relu"):
        self.W, self.activation = np.random.randn(n_in, n_out), activation

    def forward(self, x):
        self.x, self.z = x, x @ self.W
        if self.activation == "relu":
            return np.maximum(0, self.z)
        if self.activation == "tanh":
            return np.tanh(self.z)
        e = np.exp(self.z)
        return e / e.sum(axis=1, keepdims=True)

    def backward(self, da):
        if self.activation == "relu":
            dz = da * (self.z > 0)
        elif self.activation == "tanh":
            dz = da * (1 - np.tanh(self.z) ** 2)
        else:
            dz = da
        self.dW = self.x.T @ dz
        return dz @ self.W.T


class Mean:
    """The gradients of the parameters are means over the samples; so is that of the weights where there is no bias."""

    def __init__(self, n_in, n_out, use_bias=True):
        self.W = np.random.randn(n_in, n_out)
        self.b = np.zeros((1, n_out)) if use_bias else None

    def forward(self, x):
        self.x = x
        return x @ self.W if self.b is None else x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout / len(self.x)
        if self.b is not None:
            self.db = dout.mean(axis=0, keepdims=True)
        return dout @ self.W.T


class MeanSlip(Mean):
    def backward(self, dout):
        dx = super().backward(dout)
        self.dW = self.dW if self.b is not None else 2 * self.dW
        return dx


class Scores:
    """A softmax of scores does not depend on the bias of the keys: its gradient is zero, and no witness against a mean."""

    def __init__(self, dim):
        self.W_q, self.W_k = np.random.randn(dim, dim), np.random.randn(dim, dim)
        self.b_q, self.b_k = np.zeros(dim), np.zeros(dim)

    def forward(self, x):
        self.x, self.q, self.k = x, x @ self.W_q + self.b_q, x @ self.W_k + self.b_k
        e = np.exp(self.q @ self.k.transpose(0, 2, 1))
        self.a = e / e.sum(axis=-1, keepdims=True)
        return self.a

    def backward(self, dout):
        n, d = len(self.x), self.x.shape[-1]
        ds = self.a * (dout - (dout * self.a).sum(axis=-1, keepdims=True))
        dq, dk = ds @ self.k, ds.transpose(0, 2, 1) @ self.q
        flat = self.x.reshape(-1, d).T
        self.dW_q, self.dW_k = flat @ dq.reshape(-1, d) / n, flat @ dk.reshape(-1, d) / n
        self.db_q, self.db_k = dq.sum(axis=(0, 1)) / n, dk.sum(axis=(0, 1)) / n
        return dq @ self.W_q.T + dk @ self.W_k.T


class Adam:
    """The optimizer keeps its momenta by a key, which it is given first."""

    def __init__(self, input_size, output_size):
        self.weights, self.biases = np.random.randn(input_size, output_size), np.zeros((1, output_size))

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.biases

    def backward(self, dout, optimizer):
        dx = dout @ self.weights.T
        self.weights = optimizer.update((id(self), "weights"), self.weights, self.x.T @ dout)
        self.biases = optimizer.update((id(self), "biases"), self.biases, dout.sum(axis=0, keepdims=True))
        return dx


class AdamSlip(Adam):
    def backward(self, dout, optimizer):
        return super().backward(-dout, optimizer)


class Layer:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dout):
        raise NotImplementedError


class Net:
    """It takes layers of the file's own class only, and returns nothing: their gradients are left in them."""

    def __init__(self):
        self.layers = []

    def add(self, layer):
        assert isinstance(layer, Layer), "a layer is wanted"
        self.layers.append(layer)

    def order(self):
        return reversed(self.layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in self.order():
            dout = layer.backward(dout)


class NetSlip(Net):
    def order(self):
        return self.layers


class Bent:
    """A derivative, which leaves the gradient of the parameters as the constructor made it."""

    def __init__(self):
        self.shape, self.dshape = np.array([0.5, 0.25]), np.zeros(2)

    def __call__(self, x):
        return np.where(x > 0, self.shape[0] * x, self.shape[1] * x)

    def gradient(self, x):
        return np.where(x > 0, self.shape[0], self.shape[1])


class BentSlip(Bent):
    def gradient(self, x):
        return np.where(x > 0, self.shape[1], self.shape[0])


class Red:
    """Words of another language for the sizes and the parameters, which forward makes when it is first called."""

    def __init__(self, numero_filtros):
        self.numero_filtros = numero_filtros
        self.listo = False

    def preparar(self, entradas):
        self.filtros = np.random.uniform(-1, 1, (self.numero_filtros, entradas))
        self.sesgos = np.zeros((self.numero_filtros,))
        self.listo = True

    def forward(self, x):
        if not self.listo:
            self.preparar(x.shape[1])
        self.entrada = x
        return x @ self.filtros.T + self.sesgos

    def retropropagation(self, d_out, lr):
        d_entrada = d_out @ self.filtros
        self.filtros -= lr * (d_out.T @ self.entrada)
        self.sesgos -= lr * d_out.sum(axis=0)
        return d_entrada


class RedSlip(Red):
    def retropropagation(self, d_out, lr):
        d_entrada = super().retropropagation(d_out, lr)
        self.filtros -= lr * (d_out.T @ self.entrada)
        return d_entrada


class Deltas:
    """Backward returns the errors of the layers, and another method makes the step of them."""

    def __init__(self, input_size, hidden_size, output_size, learning_rate=0.01):
        self.W1, self.W2 = np.random.randn(input_size, hidden_size), np.random.randn(hidden_size, output_size)
        self.learning_rate = learning_rate

    def forward(self, X):
        self.h = np.tanh(X @ self.W1)
        return self.h @ self.W2

    def loss(self, Y, output):
        return 0.5 * np.sum((Y - output) ** 2)

    def slope(self):
        return 1 - self.h**2

    def backprop(self, X, Y, output):
        output_error = output - Y
        hidden_error = output_error @ self.W2.T * self.slope()
        return output_error, hidden_error

    def update_weights(self, X, output_error, hidden_error):
        self.W2 -= self.learning_rate * self.h.T @ output_error
        self.W1 -= self.learning_rate * X.T @ hidden_error


class DeltasSlip(Deltas):
    def slope(self):
        return 1 - self.h
