# long
# expect Affine: right: bias (4,)
# expect AffineWrong: wrong: WRONG in dweight
# expect SoftmaxLoss: right: t one-hot
# expect SoftmaxLossWrong: wrong: WRONG in dx
# expect Given: right: theta (4, 9)
# expect GivenWrong: wrong: WRONG in dtheta
# expect Neurons: right: neurons[3].weights (6,)
# expect NeuronsWrong: wrong: WRONG in dsignals
# expect Neuron: right
# expect FC: right: W (9, 4)
# expect FCWrong: wrong: WRONG in dW
"""A D behind a name, a loss beside probabilities, an input that is set, a layer of neurons, a rate of a penalty."""

import numpy as np


class Affine:
    def __init__(self, weight, bias):
        self.weight, self.bias, self.weightD, self.biasD = weight, bias, None, None

    def forward(self, x):
        self.x = x
        return x @ self.weight + self.bias

    def backward(self, d):
        self.xD, self.weightD, self.biasD = d @ self.weight.T, self.x.T @ d, d.sum(axis=0)
        return self.xD


class AffineWrong(Affine):
    def backward(self, d):
        self.xD, self.weightD, self.biasD = d @ self.weight.T, self.x.T @ d / len(d), d.sum(axis=0)
        return self.xD


class SoftmaxLoss:
    def __init__(self):
        self.loss = None

    def forward(self, x, t):
        e = np.exp(x - x.max(axis=-1, keepdims=True))
        self.t, self.y = t, e / e.sum(axis=-1, keepdims=True)
        p = self.y[np.arange(len(x)), t] if t.ndim == 1 else (self.y * t).sum(axis=-1)
        self.loss = -np.log(p).mean()
        return self.y

    def backward(self, dout=1):
        t = np.eye(self.y.shape[1])[self.t] if self.t.ndim == 1 else self.t
        return self.factor * (self.y - t)

    @property
    def factor(self):
        return 1 / len(self.t)


class SoftmaxLossWrong(SoftmaxLoss):
    factor = 1


class Given:
    def __init__(self, units, input_shape):
        self.theta = np.random.randn(units, input_shape)
        self.x = None

    def set_input(self, X):
        self.x = X

    def forward_propagate(self):
        self.a = np.tanh(self.x @ self.theta.T)
        return self.a

    def backward_propagate(self, error, lr):
        delta = error * (1 - self.a**2)
        error_before = delta @ self.theta
        self.theta -= lr * delta.T @ self.x
        return error_before


class GivenWrong(Given):
    def backward_propagate(self, error, lr):
        delta = error * (1 - self.a**2)
        error_before = delta @ self.theta
        self.theta -= lr * error.T @ self.x
        return error_before


class Neuron:
    def __init__(self, input_size):
        self.weights, self.bias = np.random.randn(input_size), 0.5

    def forward(self, signal):
        self.signal = np.array(signal)
        self.output = 1 / (1 + np.exp(-(self.weights @ self.signal + self.bias)))
        return self.output

    def backward(self, dout, learning_rate):
        dz = dout * self.output * (1 - self.output)
        before = dz * self.weights
        self.weights = self.weights - learning_rate * dz * self.signal
        self.bias -= learning_rate * dz
        return before


class Neurons:
    def __init__(self, input_size, neuron_count):
        self.neurons = [Neuron(input_size) for _ in range(neuron_count)]

    def go_through(self, signals):
        return [neuron.forward(signals) for neuron in self.neurons]

    def backward(self, douts, learning_rate):
        return sum(neuron.backward(dout, learning_rate) for neuron, dout in zip(self.neurons, douts))


class NeuronsWrong(Neurons):
    def backward(self, douts, learning_rate):
        return [neuron.backward(dout, learning_rate) for neuron, dout in zip(self.neurons, douts)][0]


class SGD:
    def update(self, weights, grads, lr, regu_rate):
        return weights - lr * (grads + regu_rate * weights)


class FC:
    def __init__(self, W, b, lr, regu_rate, optimizer):
        self.W, self.b, self.lr, self.regu_rate = W.copy(), b.copy(), lr, regu_rate
        if optimizer == "SGD":
            self.optimizer = SGD()

    def forward(self, X):
        self.X = X.copy()
        return self.X @ self.W + self.b

    def backprop(self, back_grad):
        self.grad_W, self.grad_b = self.gradients(back_grad)
        return back_grad @ self.W.T

    def gradients(self, back_grad):
        return self.X.T @ back_grad, back_grad.sum(axis=0)

    def update(self):
        self.W = self.optimizer.update(self.W, self.grad_W, self.lr, self.regu_rate)
        self.b = self.b - self.lr * self.grad_b


class FCWrong(FC):
    def gradients(self, back_grad):
        return 2 * self.X.T @ back_grad, back_grad.sum(axis=0)
