# long
# expect NeuralNetwork: right
# expect NeuralNetworkWrong: wrong: WRONG in
# expect sigmoid: right
# expect CharRNN: right
# expect Linear: right
import numpy as np


def sigmoid(x):
    return 1.0 / (1 + np.exp(-x))


def sigmoid_derivative(x):
    return x * (1.0 - x)


class NeuralNetwork:
    def __init__(self, x, y):
        self.input = x
        self.weights1 = np.random.rand(self.input.shape[1], 4)
        self.weights2 = np.random.rand(4, 1)
        self.y = y
        self.output = np.zeros(self.y.shape)

    def feedforward(self):
        self.layer1 = sigmoid(np.dot(self.input, self.weights1))
        self.output = sigmoid(np.dot(self.layer1, self.weights2))

    def backprop(self):
        d = 2 * (self.y - self.output) * sigmoid_derivative(self.output)
        d_weights2 = np.dot(self.layer1.T, d)
        d_weights1 = np.dot(self.input.T, np.dot(d, self.weights2.T) * self.slope(self.layer1))
        self.weights1 += d_weights1
        self.weights2 += d_weights2

    def slope(self, a):
        return sigmoid_derivative(a)


class NeuralNetworkWrong(NeuralNetwork):
    def slope(self, a):
        return 1 - a


class Module:
    def forward(self, input):
        return self.updateOutput(input)

    def backward(self, input, gradOutput):
        self.updateGradInput(input, gradOutput)
        self.accGradParameters(input, gradOutput)
        return self.gradInput

    def updateOutput(self, input):
        pass

    def updateGradInput(self, input, gradOutput):
        pass

    def accGradParameters(self, input, gradOutput):
        pass


class Linear(Module):
    def __init__(self, n_in, n_out):
        self.W = np.random.uniform(-0.1, 0.1, (n_out, n_in))
        self.gradW = np.zeros_like(self.W)

    def updateOutput(self, input):
        self.output = input @ self.W.T
        return self.output

    def updateGradInput(self, input, gradOutput):
        self.gradInput = gradOutput @ self.W
        return self.gradInput

    def accGradParameters(self, input, gradOutput):
        self.gradW += gradOutput.T @ input


class CharRNN:
    def __init__(self, vocab_size, hidden_size=5):
        self.V = vocab_size
        self.Wxh = np.random.randn(hidden_size, vocab_size) * 0.01
        self.Whh = np.random.randn(hidden_size, hidden_size) * 0.01
        self.Why = np.random.randn(vocab_size, hidden_size) * 0.01

    def loss_fun(self, inputs, targets, hprev):
        xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0
        for t in range(len(inputs)):
            xs[t] = np.zeros((self.V, 1))
            xs[t][inputs[t]] = 1
            hs[t] = np.tanh(self.Wxh @ xs[t] + self.Whh @ hs[t - 1])
            y = self.Why @ hs[t]
            ps[t] = np.exp(y) / np.sum(np.exp(y))
            loss += -np.log(ps[t][targets[t], 0])
        dWxh, dWhh, dWhy = np.zeros_like(self.Wxh), np.zeros_like(self.Whh), np.zeros_like(self.Why)
        dhnext = np.zeros_like(hs[0])
        for t in reversed(range(len(inputs))):
            dy = np.copy(ps[t])
            dy[targets[t]] -= 1
            dWhy += dy @ hs[t].T
            draw = (1 - hs[t] * hs[t]) * (self.Why.T @ dy + dhnext)
            dWxh += draw @ xs[t].T
            dWhh += draw @ hs[t - 1].T
            dhnext = self.Whh.T @ draw
        return loss, dWxh, dWhh, dWhy, hs[len(inputs) - 1]
