# long
# expect Bent: right
# expect Linear: right: dW
# expect Block: right: first.W (9, 7)
# expect BlockSlip: wrong: WRONG in dx, dfirst.W
# expect Whole: right: W0 (9, 7)
# expect WholeSlip: wrong: WRONG in dW0
# expect Residual: right: dX
# expect ResidualSlip: wrong: WRONG in dX
# expect Named: right: dbias has the shape (4,)
# expect NamedSlip: wrong: WRONG in dbias
# expect Stepping: right: dweights
# expect SteppingSlip: wrong: WRONG in dweights
# expect CrossEntropyOfScores: right: one-hot
# expect CrossEntropyOfScoresSlip: wrong: WRONG in dinputs
# expect BinaryCrossEntropy: right: inputs (6, 1), y_true (6,)
# expect BinaryCrossEntropySlip: wrong: WRONG in dinputs
# expect Unwritten: not checked: is unfinished
# expect Down: right: dweights
# expect DownSlip: wrong: WRONG in dweights
"""What is made of other layers, whose sizes say so only there; names of gradients with a number; losses that keep the loss."""

import numpy as np


class Bent:
    def forward(self, x):
        self.a = np.tanh(x)
        return self.a

    def backward(self, dout):
        return dout * (1 - self.a**2)


class Linear:
    def __init__(self, in_d, out_d):
        self.W = np.random.randn(in_d, out_d)
        self.dW = np.zeros_like(self.W)

    def forward(self, x):
        self.x = x
        return x @ self.W

    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T


class Block:
    def __init__(self, in_d, h_d, out_d):
        self.first, self.bent, self.last = Linear(in_d, h_d), Bent(), Linear(h_d, out_d)

    def forward(self, x):
        return self.last.forward(self.bent.forward(self.first.forward(x)))

    def backward(self, dout):
        return self.first.backward(self.slope(self.last.backward(dout)))

    def slope(self, dout):
        return self.bent.backward(dout)


class BlockSlip(Block):
    def slope(self, dout):
        return dout


class _Adam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.lr, self.eps, self.t = lr, eps, 0
        self.beta1, self.beta2 = betas
        self.m, self.v = [np.zeros_like(p) for p in params], [np.zeros_like(p) for p in params]

    def step(self, params, grads):
        self.t += 1
        for i, g in enumerate(grads):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * g
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * g**2
            m, v = self.m[i] / (1 - self.beta1**self.t), self.v[i] / (1 - self.beta2**self.t)
            params[i] -= self.lr * m / (np.sqrt(v) + self.eps)


class Whole:
    """It steps in its backward, with an optimizer that it makes itself."""

    def __init__(self, in_d=784, h_d=256, out_d=10):
        self.layers = [Linear(in_d, h_d), Bent(), Linear(h_d, out_d)]
        self.W0, self.W1 = self.layers[0].W, self.layers[2].W
        self.optimizer = _Adam([self.W0, self.W1])

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in reversed(self.layers_in_turn()):
            dout = layer.backward(dout)
        self.optimizer.step([self.W0, self.W1], [self.layers[0].dW, self.layers[2].dW])

    def layers_in_turn(self):
        return self.layers


class WholeSlip(Whole):
    def layers_in_turn(self):
        return self.layers[::2]


class Residual:
    def __init__(self, f):
        self.f = f

    def forward(self, X):
        return X + self.f.forward(X)

    def backward(self, dY):
        return dY + self.f.backward(dY)


class ResidualSlip(Residual):
    def backward(self, dY):
        return self.f.backward(dY)


class Named:
    def __init__(self, nd_, ny_):
        self.W, self.bias = np.random.normal(0, 1, (nd_, ny_)), np.zeros((1, ny_))
        self.grad_w = self.grad_w0 = None

    def fprop(self, z):
        self.input = np.array(z)
        return np.dot(z, self.W) + self.bias

    def bprop(self, grad_output):
        self.grad_w = self.input.T @ grad_output
        self.grad_w0 = self.of_rows(grad_output, 0)
        return grad_output @ self.W.T

    of_rows = staticmethod(np.sum)


class NamedSlip(Named):
    of_rows = staticmethod(np.max)


class Stepping:
    """Its own gradient is that of the transposed weights; it is the step that counts."""

    def __init__(self, shape: int):
        self.output_shape = shape

    def compile(self, input_shape: int):
        self.weights = np.random.randn(self.output_shape, input_shape)

    def forward(self, input):
        self.input = input
        return input @ self.weights.T

    def backward(self, output_gradient, learning_rate):
        input_gradient = output_gradient @ self.weights
        self.weights_gradient = self.input.T @ output_gradient
        self.weights -= self.factor * learning_rate * self.weights_gradient.T
        return input_gradient

    factor = 1


class SteppingSlip(Stepping):
    factor = 2


class _Softmax:
    def forward(self, inputs):
        e = np.exp(inputs - inputs.max(axis=1, keepdims=True))
        self.output = e / e.sum(axis=1, keepdims=True)


class CrossEntropyOfScores:
    def __init__(self):
        self.activation = _Softmax()

    def forward(self, inputs, y_true):
        self.activation.forward(inputs)
        self.output = self.activation.output
        y_true = np.argmax(y_true, axis=1) if y_true.ndim > 1 else y_true
        self.loss_value = np.mean(-np.log(self.output[range(len(y_true)), y_true]))

    def backward(self, y_pred, y_true):
        y_true = np.eye(len(y_pred[0]))[y_true] if y_true.ndim == 1 else y_true
        self.dinputs = (y_pred - y_true) / self.samples(y_pred)

    def samples(self, y_pred):
        return len(y_pred)


class CrossEntropyOfScoresSlip(CrossEntropyOfScores):
    def samples(self, y_pred):
        return y_pred.size


class BinaryCrossEntropy:
    def forward(self, inputs, y_true):
        self.output = 1 / (1 + np.exp(-inputs))
        y = y_true.reshape(-1, 1)
        self.loss_value = -np.mean(y * np.log(self.output) + (1 - y) * np.log(1 - self.output))

    def backward(self, y_true, y_pred):
        self.dinputs = (y_pred - y_true.reshape(-1, 1)) / self.samples(y_true)

    def samples(self, y_true):
        return len(y_true)


class BinaryCrossEntropySlip(BinaryCrossEntropy):
    def samples(self, y_true):
        return 1


class Unwritten:
    @staticmethod
    def forward(Z):
        return np.maximum(0, Z)

    @staticmethod
    def backward(dA, Z=None, A=None):
        pass


class Down:
    """It leaves its gradient, and steps with it too."""

    def __init__(self, n_in, n_out):
        self.weights = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.input = x
        return x @ self.weights

    def backward(self, output_gradient, learning_rate):
        self.weights_gradient = self.input.T @ output_gradient
        dx = output_gradient @ self.weights.T
        self.weights -= self.sign * learning_rate * self.weights_gradient
        return dx

    sign = 1


class DownSlip(Down):
    sign = -1
