import numpy as np

# long
# expect ManyToOne: right: the last of the outputs
# expect ManyToOneWrong: wrong: dWhh
# expect Dense: right
# expect DenseWrong: wrong: dweights
# expect Cell: right
# expect CellWrong: wrong: dh_input
# expect Up: wrong: wrong sign
# expect Filter: right: bias
# expect Logistic: right
# expect Slip: not checked: unfinished
# expect Two: right
# expect TwoWrong: wrong: dlayerIn.W


class ManyToOne:
    """All outputs are returned, and what comes back is the gradient of the last."""

    def __init__(self, input_size, output_size, hidden_size=64):
        self.Whh = np.random.randn(hidden_size, hidden_size)
        self.Wxh = np.random.randn(hidden_size, input_size)
        self.Why = np.random.randn(output_size, hidden_size)

    def forward(self, inputs):
        self.inputs, self.hs, ys = inputs, {-1: np.zeros((len(self.Whh), 1))}, []
        for i, x in enumerate(inputs):
            self.hs[i] = np.tanh(self.Wxh @ x + self.Whh @ self.hs[i - 1])
            ys.append(self.Why @ self.hs[i])
        return ys, self.hs[i]

    def backprop(self, d_out, learn_rate=1e-2):
        d_Whh, d_Wxh = np.zeros_like(self.Whh), np.zeros_like(self.Wxh)
        d_h, last = self.Why.T @ d_out, len(self.inputs) - 1
        for t in reversed(range(last + 1)):
            d_z = (1 - self.hs[t] ** 2) * d_h
            d_Whh += d_z @ self.hs[t - 1].T
            d_Wxh += d_z @ self.inputs[t].T
            d_h = self.Whh.T @ d_z
        self.Why -= learn_rate * d_out @ self.hs[last].T
        self.Whh -= learn_rate * d_Whh
        self.Wxh -= learn_rate * d_Wxh


class ManyToOneWrong(ManyToOne):
    def backprop(self, d_out, learn_rate=1e-2):
        d_Whh, d_Wxh = np.zeros_like(self.Whh), np.zeros_like(self.Wxh)
        d_h, last = self.Why.T @ d_out, len(self.inputs) - 1
        for t in reversed(range(last + 1)):
            d_z = (1 - self.hs[t] ** 2) * d_h
            d_Whh += d_z @ self.hs[t].T
            d_Wxh += d_z @ self.inputs[t].T
            d_h = self.Whh.T @ d_z
        self.Why -= learn_rate * d_out @ self.hs[last].T
        self.Whh -= learn_rate * d_Whh
        self.Wxh -= learn_rate * d_Wxh


class Dense:
    """Its optimizer steps for both parameters, and keeps something for each."""

    def __init__(self, input_size, output_size):
        self.weights = np.random.randn(input_size, output_size)
        self.bias = np.random.randn(1, output_size)
        self.v_weights, self.v_bias = np.zeros_like(self.weights), np.zeros_like(self.bias)

    def forward_propagation(self, input_data):
        self.input = input_data
        return input_data @ self.weights + self.bias

    def backward_propagation(self, output_error, optimizer_fn, learning_rate):
        input_error = output_error @ self.weights.T
        dW, dB = self.input.T @ output_error, output_error.sum(axis=0, keepdims=True)
        self.weights, self.bias, self.v_weights, self.v_bias = optimizer_fn.minimize(
            self.weights, self.bias, dW, dB, self.v_weights, self.v_bias, learning_rate
        )
        return input_error


class DenseWrong(Dense):
    def backward_propagation(self, output_error, optimizer_fn, learning_rate):
        input_error = output_error @ self.weights.T
        dW, dB = self.input.T @ np.abs(output_error), output_error.sum(axis=0, keepdims=True)
        self.weights, self.bias, self.v_weights, self.v_bias = optimizer_fn.minimize(
            self.weights, self.bias, dW, dB, self.v_weights, self.v_bias, learning_rate
        )
        return input_error


class Cell:
    def __init__(self, hidden_size, input_size):
        self.Whh = np.random.randn(hidden_size, hidden_size)
        self.Wxh = np.random.randn(hidden_size, input_size)

    def rnn_cell_forward(self, h_input, x_input):
        self.h_input, self.x_input = h_input, x_input
        self.h_output = np.tanh(self.Whh @ h_input + self.Wxh @ x_input)
        self.diff_h_output = 1 - self.h_output**2

    def rnn_cell_backward(self, dh_next):
        d_z = dh_next * self.diff_h_output
        self.dWhh, self.dWxh = d_z @ self.h_input.T, d_z @ self.x_input.T
        self.dh_prev, self.dx_prev = self.Whh.T @ d_z, self.Wxh.T @ d_z


class CellWrong(Cell):
    def rnn_cell_backward(self, dh_next):
        d_z = dh_next * self.diff_h_output
        self.dWhh, self.dWxh = d_z @ self.h_input.T, d_z @ self.x_input.T
        self.dh_prev, self.dx_prev = self.Whh @ d_z, self.Wxh.T @ d_z


class Up:
    """Each of its steps is up the loss, which it has no method for."""

    def __init__(self, input_size, hidden_size, output_size):
        self.W1, self.W2 = np.random.rand(input_size, hidden_size), np.random.rand(hidden_size, output_size)

    def forward(self, inputs):
        self.hidden = np.tanh(inputs @ self.W1)
        self.output = np.tanh(self.hidden @ self.W2)
        return self.output

    def backward(self, inputs, targets, learning_rate):
        delta = (self.output - targets) * (1 - self.output**2)
        before = (delta @ self.W2.T) * (1 - self.hidden**2)
        self.W2 += self.hidden.T @ delta * learning_rate
        self.W1 += inputs.T @ before * learning_rate


class Filter:
    def __init__(self, n_in, n_out, no_bias: bool):
        self.W, self.no_bias = np.random.randn(n_in, n_out), no_bias
        if not no_bias:
            self.bias = np.random.randn(n_out)

    def forward(self, x):
        self.x = x
        return x @ self.W + (0 if self.no_bias else self.bias)

    def backward(self, dout):
        self.dW = self.x.T @ dout
        if not self.no_bias:
            self.dbias = dout.sum(axis=0)
        return dout @ self.W.T


class Logistic:
    def forward(self, X):
        return 1 / (1 + np.exp(-X))

    def backward(self, Y, T):
        return (Y - T) / Y.size

    def loss(self, Y, T):
        return -np.mean(T * np.log(Y) + (1 - T) * np.log(1 - Y))


class Slip:
    def forward(self, x):
        self.x = x
        return self._output()

    def backward(self, dout):
        return 2 * self.x * dout

    def _output(self, x):
        return x**2


class Two:
    def __init__(self, n_in, n_out, n_hidden):
        self.layerIn, self.layerOut = Filter(n_in, n_hidden, True), Filter(n_hidden, n_out, True)
        self.classifier = Logistic()

    def forward(self, X):
        Z = np.tanh(self.layerIn.forward(X))
        Y = self.classifier.forward(self.layerOut.forward(Z))
        return Z, Y

    def backward(self, X, Y, Z, T):
        gY = self.classifier.backward(Y, T)
        gWout, gZ = Z.T @ gY, gY @ self.layerOut.W.T
        gWin = X.T @ (gZ * (1 - Z**2))
        return gWout, gWin

    def loss(self, Y, T):
        return self.classifier.loss(Y, T)


class TwoWrong(Two):
    def backward(self, X, Y, Z, T):
        gY = self.classifier.backward(Y, T)
        gWout, gZ = Z.T @ gY, gY @ self.layerOut.W.T
        gWin = X.T @ (gZ * (1 - Z))
        return gWout, gWin
