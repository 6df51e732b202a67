import numpy as np

# expect Relu: right
# expect ReluWrong: wrong
# expect Maths.sigmoid: right
# expect Maths.tanh: wrong
# expect Maths.softmax: right: checked with one sample only: with Z (6, 9), which Maths.softmax takes too, Maths.
# expect Maths.softmax_of_all: wrong
# expect Regression: right: half the squared error
# expect RegressionWrong: wrong: wrong sign
# expect Uniform: right


class Relu:
    """Keeps what backward needs only where it is asked to."""

    def __init__(self):
        self.cache = {}

    def forward_propagate(self, Z, save_cache=False):
        if save_cache:
            self.cache["Z"] = Z
        return np.where(Z >= 0, Z, 0)

    def back_propagate(self, dA):
        return dA * np.where(self.cache["Z"] >= 0, 1, 0)


class ReluWrong(Relu):
    def back_propagate(self, dA):
        return dA * np.where(self.cache["Z"] >= 0, 1, 0.1)


class Maths:
    def __init__(self):
        self.e: float = 2.718281828459045

    def sigmoid(self, Z):
        return 1 / (1 + self.e**-Z)

    def sigmoid_derivative(self, x):
        return self.sigmoid(x) * (1 - self.sigmoid(x))

    def tanh(self, Z):
        return (self.e**Z - self.e**-Z) / (self.e**Z + self.e**-Z)

    def tanh_derivative(self, x):
        return 1 - self.tanh(x)

    def softmax(self, Z):
        e = np.exp(Z - np.max(Z, axis=-1, keepdims=True))
        return e / np.sum(e, axis=-1, keepdims=True)

    def softmax_derivative(self, Z):
        s = self.softmax(Z)
        return np.diag(s) - np.outer(s, s)

    def softmax_of_all(self, Z):
        return np.exp(Z) / np.sum(np.exp(Z))

    def softmax_of_all_derivative(self, Z):
        s = self.softmax_of_all(Z)
        return np.diag(s) + np.outer(s, s)


class Regression:
    """The gradients of a loss that it has no method for, from the targets and what it has said."""

    def __init__(self, input_size, output_size):
        self.W = np.random.randn(input_size, output_size)
        self.b = np.zeros((1, output_size))

    def forward(self, X):
        return X @ self.W + self.b

    def compute_gradients(self, X, y_true, y_pred):
        return X.T @ (y_pred - y_true), np.sum(y_pred - y_true, axis=0, keepdims=True)


class RegressionWrong(Regression):
    def compute_gradients(self, X, y_true, y_pred):
        return X.T @ (y_pred - y_true), -np.sum(y_pred - y_true, axis=0, keepdims=True)


class Uniform:
    def __init__(self, size, input_size, weight_range: tuple[float, float]):
        self.weights = np.random.uniform(weight_range[0], weight_range[1], (input_size, size))

    def forward_pass(self, x):
        self.x = x
        return x @ self.weights

    def backward_pass(self, delta):
        self.d_weights = self.x.T @ delta
        return delta @ self.weights.T
