# long
# expect Linear: right: input (6, 9), weights (9, 4)
# expect LinearWrong: wrong: WRONG in dweights
# expect Squares: right: dinput
# expect SquaresWrong: wrong: WRONG in dinput
# expect Network: wrong: the loss has no gradient for bias_hidden
# expect Mean: right: weights_hidden_output (7, 4)
# expect MeanWrong: wrong: it is 24 times the right gradient
# expect Clipped: right: clips
# expect ClippedWrong: wrong: WRONG in
# expect Hidden: right: dx
# expect HiddenWrong: wrong: WRONG in dx, dw, db
# expect Late: wrong: dx is right with w as before the update
"""What a network sets in its layers from outside, and what it takes from the layer behind."""

import numpy as np


class Layer:
    def __init__(self):
        self.input = self.output = None
        self.dloss_din = None
        self.dloss_dout = None


class Linear(Layer):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.input = None
        self.weights = np.random.randn(n_in, n_out)

    def forward_pass(self):
        self.output = self.input @ self.weights

    def backward_pass(self):
        self.dloss_din = self.dloss_dout @ self.weights.T

    def calc_param_grads(self):
        self.dloss_dweights = self.input.T @ self.dloss_dout


class LinearWrong(Linear):
    def calc_param_grads(self):
        self.dloss_dweights = self.input.T @ self.dloss_dout * 2


class Squares(Layer):
    def __init__(self):
        super().__init__()
        self.input = None
        self.y = None
        self.mean_sq_loss = None

    def forward_pass(self):
        self.mean_sq_loss = 0.5 * np.mean((self.input - self.y) ** 2)

    def backward_pass(self):
        self.dloss_din = (self.input - self.y) / self.y.size


class SquaresWrong(Squares):
    def backward_pass(self):
        self.dloss_din = (self.input - self.y) / len(self.y)


class Network:
    """Names of its own for the weights, and two gradients of four."""

    def __init__(self, input_nodes, hidden_nodes, output_nodes):
        self.weights_input_hidden = np.random.randn(input_nodes, hidden_nodes)
        self.bias_hidden = np.zeros((1, hidden_nodes))
        self.weights_hidden_output = np.random.randn(hidden_nodes, output_nodes)

    def forward(self, data):
        self.hidden = np.tanh(data @ self.weights_input_hidden + self.bias_hidden)
        self.predictions = self.hidden @ self.weights_hidden_output
        return self.predictions

    def backward(self, data, target):
        error = (self.predictions - target) / target.size
        gradient_ho = self.hidden.T @ error
        gradient_ih = data.T @ (error @ self.weights_hidden_output.T * (1 - self.hidden**2))
        return gradient_ih, gradient_ho

    @staticmethod
    def compute_cost(true_values, predictions):
        return 0.5 * np.mean((true_values - predictions) ** 2)


class Mean(Network):
    def forward(self, data):
        self.hidden = np.tanh(data @ self.weights_input_hidden)
        self.predictions = self.hidden @ self.weights_hidden_output
        return self.predictions


class MeanWrong(Mean):
    def backward(self, data, target):
        self.predictions = target + (self.predictions - target) * target.size
        return super().backward(data, target)


class Clipped:
    """A recurrent network whose gradients are larger than its bounds."""

    def __init__(self, input_size, hidden_size, output_size):
        self.Wx, self.Wh = np.random.randn(hidden_size, input_size), np.random.randn(hidden_size, hidden_size)
        self.Wy, self.by = np.random.randn(output_size, hidden_size), np.zeros(output_size)

    def forward(self, x):
        self.hs, self.x = [np.zeros(len(self.Wh))], x
        for xt in x:
            self.hs.append(np.tanh(self.Wx @ xt + self.Wh @ self.hs[-1]))
        return self.Wy @ self.hs[-1] + self.by

    def bptt(self, x, target):
        err = 100 * (self.forward(x) - target)
        self.through_time(err, 1)

    def loss(self, y, target):
        return 50 * np.sum((y - target) ** 2)

    def through_time(self, err, sign):
        self.dWx, self.dWh = np.zeros_like(self.Wx), np.zeros_like(self.Wh)
        self.dWy, self.dby, dh = np.outer(err, self.hs[-1]), err * 1, self.Wy.T @ err
        for t in reversed(range(len(self.x))):
            dz = dh * (1 - self.hs[t + 1] ** 2)
            self.dWx += np.outer(dz, self.x[t])
            self.dWh += sign * np.outer(dz, self.hs[t])
            dh = self.Wh.T @ dz
        for grad in (self.dWx, self.dWh, self.dWy, self.dby):
            np.clip(grad, -1, 1, out=grad)


class ClippedWrong(Clipped):
    def bptt(self, x, target):
        err = 100 * (self.forward(x) - target)
        self.through_time(err, -1)


class Hidden:
    """It hands on delta, and multiplies with the weights of the layer behind."""

    def __init__(self, n_in, n_out):
        self.w, self.b = np.random.randn(n_in, n_out), np.zeros(n_out)

    def forward(self, x):
        self.x = x
        self.a = np.tanh(x @ self.w + self.b)
        return self.a

    def backward(self, next_delta, next_weights):
        delta = (next_delta @ next_weights.T) * (1 - self.a**2)
        self.dw, self.db = self.x.T @ delta, delta.sum(axis=0)
        return delta


class HiddenWrong(Hidden):
    def backward(self, next_delta, next_weights):
        delta = (next_delta @ next_weights.T) * (1 - self.a)
        self.dw, self.db = self.x.T @ delta, delta.sum(axis=0)
        return delta


class Late:
    """It divides by the samples, and makes dx with the weights that it has changed."""

    def __init__(self, n_in, n_out):
        self.w = np.random.randn(n_in, n_out)

    def forward(self, x):
        self.x = x
        return x @ self.w

    def backward(self, dout, learning_rate):
        self.w -= learning_rate * self.x.T @ dout / len(dout)
        return dout @ self.w.T
