# long
# expect Linear: right
# expect ReLU: right
# expect Deep: right: layers[0].W (4, 2)
# expect DeepSlip: wrong: WRONG in dA, dlayers[0].W
# expect Debugged: right: debug True
# expect Clipping: right: kernels (9, 4)
# expect ClippingSlip: wrong: WRONG in dkernels
# expect Square: right
# expect SquareSlip: wrong: WRONG
# expect Affine: right: dW
# expect AffineSlip: wrong: WRONG in dW
# expect Recurrent: right: right where it clips no gradient
# expect RecurrentSlip: wrong: WRONG in dw1, dw2
# expect OneNumber: right: dbiases
# expect OneNumberSlip: wrong: WRONG in dbiases
# expect KeyOfItsOwn: right
# expect KeyOfItsOwnSlip: wrong: WRONG
import numpy as np


class Linear:
    def __init__(self, n, m, sign=1):
        self.W, self.b, self.sign = np.zeros((m, n)), np.zeros((m,)), sign

    def forward(self, A):
        self.A = A
        return A @ self.W.T + self.b

    def backward(self, dZ):
        self.dW, self.db = dZ.T @ self.A, dZ.sum(axis=0)
        return self.sign * dZ @ self.W


class ReLU:
    def forward(self, Z):
        self.A = np.maximum(0, Z)
        return self.A

    def backward(self, dA):
        return np.where(self.A > 0, dA, 0)


class Deep:
    """So deep that with most parameters a unit gives 0 for each sample, and a mistake before it does not show."""

    def __init__(self):
        sizes, signs = [2, 4, 8, 8, 4, 2], self.signs()
        self.layers = [x for n, m, s in zip(sizes, sizes[1:], signs) for x in (Linear(n, m, s), ReLU())]

    def signs(self):
        return [1, 1, 1, 1, 1]

    def forward(self, A):
        for layer in self.layers:
            A = layer.forward(A)
        return A

    def backward(self, dA):
        for layer in reversed(self.layers):
            dA = layer.backward(dA)
        return dA


class DeepSlip(Deep):
    def signs(self):
        return [1, -1, 1, 1, 1]


class Debugged:
    """What it keeps on request changes nothing; its lines are run."""

    def __init__(self, debug=False):
        self.debug = debug

    def forward(self, x):
        self.y = np.tanh(x)
        return self.y

    def backward(self, dout):
        dx = dout * (1 - self.y**2)
        if self.debug:
            self.dx = dx
        return dx


class Clipping:
    """It clips its gradients, so that the step is the same for each long dout: yet it is none of Adam's."""

    def __init__(self, n_in, n_out):
        self.kernels = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.kernels

    def gradient(self, dout):
        return self.x.T @ dout

    def backward(self, dout, learning_rate):
        dx = dout @ self.kernels.T
        self.kernels -= learning_rate * np.clip(self.gradient(dout), -0.01, 0.01)
        return dx


class ClippingSlip(Clipping):
    def gradient(self, dout):
        return self.x.T @ (2 * dout)


class Differentiable:
    """The derivatives are made when it is called, of what it is called with, and by their names."""

    def __init__(self):
        self.cache, self.grad, self.weights, self.weights_update = {}, {}, {}, {}

    def __call__(self, *arg, **kwarg):
        output = self.forward(*arg, **kwarg)
        self.grad = self.local(*arg, **kwarg)
        return output


class Square(Differentiable):
    factor = 2

    def forward(self, x):
        return x**2

    def backward(self, dY):
        return dY * self.grad["x"]

    def local(self, x):
        return {"x": self.factor * x}


class SquareSlip(Square):
    factor = 1


class Affine(Differentiable):
    """What lies in grad are derivatives and no gradients; those are in weights_update."""

    def __init__(self, n_in, n_out):
        super().__init__()
        self.weights = {"W": np.random.randn(n_in, n_out), "b": np.random.randn(1, n_out)}

    def forward(self, X):
        self.cache["X"] = X
        return X @ self.weights["W"] + self.weights["b"]

    def backward(self, dY):
        self.weights_update = {"W": self.grad["W"].T @ self.of(dY), "b": dY.sum(axis=0, keepdims=True)}
        return dY @ self.grad["X"].T

    def of(self, dY):
        return dY

    def local(self, X):
        return {"X": self.weights["W"], "W": X, "b": np.ones_like(self.weights["b"])}


class AffineSlip(Affine):
    def of(self, dY):
        return -dY


class OneNumber:
    """An element is set to an array of one number, which NumPy took for that until 2.4."""

    def __init__(self, in_channels, out_channels, kernel_size):
        self.k = kernel_size
        self.weights = np.random.randn(out_channels, in_channels, kernel_size, kernel_size)
        self.biases = np.zeros((out_channels, 1))

    def forward(self, x):
        self.x = x
        n, _, h, w = x.shape
        out = np.zeros((n, len(self.weights), h - self.k + 1, w - self.k + 1))
        for b, f, i, j in np.ndindex(out.shape):
            out[b, f, i, j] = np.sum(x[b, :, i : i + self.k, j : j + self.k] * self.weights[f]) + self.biases[f]
        return out

    def of_bias(self, d):
        return d

    def backward(self, dout):
        dx, self.dweights, self.dbiases = np.zeros_like(self.x), np.zeros_like(self.weights), np.zeros_like(self.biases)
        for b, f, i, j in np.ndindex(dout.shape):
            d = float(dout[b : b + 1, f, i, j])
            self.dweights[f] += d * self.x[b, :, i : i + self.k, j : j + self.k]
            dx[b, :, i : i + self.k, j : j + self.k] += d * self.weights[f]
            self.dbiases[f, 0] += self.of_bias(d)
        return dx


class OneNumberSlip(OneNumber):
    def of_bias(self, d):
        return -d


class KeyOfItsOwn:
    """The only gradient has another name than forward's argument."""

    def forward(self, input):
        return np.tanh(input)

    def grad(self, input, dout):
        return {"x": dout * (1 - np.tanh(input) ** 2)}


class KeyOfItsOwnSlip(KeyOfItsOwn):
    def grad(self, input, dout):
        return {"x": dout * (1 - np.tanh(input))}


class Recurrent:
    """The clipping writes into the incoming gradient too: what is wrong is said of the weights alone of which it is."""

    def __init__(self, input_size, hidden_size, output_size):
        self.w1, self.w2 = np.random.randn(input_size, hidden_size), np.random.randn(hidden_size, hidden_size)
        self.w3, self.b3 = np.random.randn(hidden_size, output_size), np.zeros((1, output_size))

    def forward(self, inputs):
        self.states = [np.zeros((1, len(self.w2)))]
        for x in inputs:
            self.states.append(np.tanh(x @ self.w1 + self.states[-1] @ self.w2))
        return self.states[-1] @ self.w3 + self.b3

    def back(self, dz):
        return dz @ self.w2.T

    def backward(self, error, inputs, learning_rate=0.01):
        d_b3, d_w3 = error, self.states[-1].T @ error
        d_w1, d_w2 = np.zeros_like(self.w1), np.zeros_like(self.w2)
        dh = error @ self.w3.T
        for t in reversed(range(len(inputs))):
            dz = dh * (1 - self.states[t + 1] ** 2)
            d_w2 += self.states[t].T @ dz
            d_w1 += inputs[t].T @ dz
            dh = self.back(dz)
        for d in (d_b3, d_w3, d_w2, d_w1):
            np.clip(d, -1, 1, out=d)
        self.b3 -= learning_rate * d_b3
        self.w3 -= learning_rate * d_w3
        self.w2 -= learning_rate * d_w2
        self.w1 -= learning_rate * d_w1


class RecurrentSlip(Recurrent):
    def back(self, dz):
        return dz @ self.w2
