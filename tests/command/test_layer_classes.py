"""`tinynorm check` on classes: layers, losses, activations and networks with their parameters and gradients in the object."""

import textwrap

import pytest

from tinynorm.command.functions.find_pairs import find_pairs
from tinynorm.command.load.load_file import load
from tinynorm.command.run_code import Prints
from tinynorm.command.verdict.check_pair import check_pair

LINEAR = """
class Linear:
    def __init__(self, in_features, out_features):
        self.W = np.zeros((in_features, out_features))
        self.b = np.zeros((1, out_features))

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, dout):
        self.dW = self.x.T @ dout
        self.db = dout.sum(axis=0, keepdims=True)
        return dout @ self.W.T
"""
RETURNED = LINEAR.replace("self.dW = ", "dW = ").replace("self.db = ", "db = ").replace("@ self.W.T", "@ self.W.T, dW, db")
LISTS = """
class Linear:
    def __init__(self, W, b):
        self.params, self.grads = [W, b], [np.zeros_like(W), np.zeros_like(b)]

    def __call__(self, x):
        self.x = x
        return x @ self.params[0] + self.params[1]

    def backward(self, dout):
        self.grads[0][...] = self.x.T @ dout
        self.grads[1][...] = dout.sum(axis=0)
        return dout @ self.params[0].T
"""
DICTS = """
class Linear:
    def __init__(self, n_out):
        self.n_out, self.params, self.grads = n_out, {}, {}

    def forward(self, x, training=True):
        if not self.params:
            self.params = {"W": np.random.randn(x.shape[1], self.n_out), "b": np.zeros(self.n_out)}
        self.x = x
        return x @ self.params["W"] + self.params["b"]

    def backward(self, grad):
        self.grads = {"W": self.x.T @ grad, "b": grad.sum(axis=0)}
        return grad @ self.params["W"].T
"""
OBJECTS = """
class Parameter:
    def __init__(self, data):
        self.data, self.grad = data, np.zeros_like(data)

class Linear:
    def __init__(self, n_in, n_out):
        self.weight, self.bias = Parameter(np.random.randn(n_in, n_out).astype(np.float32)), Parameter(np.zeros(n_out))

    def forward(self, x):
        self.x = x
        return x @ self.weight.data + self.bias.data

    def backward(self, dout):
        self.weight.grad += self.x.T @ dout
        self.bias.grad += dout.sum(axis=0)
        return dout @ self.weight.data.T
"""
STEPS = """
class Linear:
    def __init__(self, input_size, output_size):
        self.weights = np.random.rand(input_size, output_size) - 0.5
        self.bias = np.random.rand(1, output_size) - 0.5

    def forward_propagation(self, input_data):
        self.input = input_data
        return self.input @ self.weights + self.bias

    def backward_propagation(self, output_error, learning_rate):
        input_error = output_error @ self.weights.T
        self.weights -= learning_rate * self.input.T @ output_error
        self.bias -= learning_rate * output_error
        return input_error
"""
ATTRIBUTES = """
class Dense:
    def __init__(self, n_inputs, n_neurons):
        self.weights, self.biases = 0.01 * np.random.randn(n_inputs, n_neurons), np.zeros((1, n_neurons))

    def forward(self, inputs, training):
        self.inputs, self.output = inputs, inputs @ self.weights + self.biases

    def backward(self, dvalues):
        self.dweights, self.dbiases = self.inputs.T @ dvalues, dvalues.sum(axis=0, keepdims=True)
        self.dinputs = dvalues @ self.weights.T
"""
SAMPLES = """
class CategoricalLoss:
    def forward(self, y_pred, y_true):
        return -np.log(np.clip(y_pred, 1e-7, 1 - 1e-7)[range(len(y_pred)), y_true])

    def backward(self, dvalues, y_true):
        self.dinputs = -np.eye(dvalues.shape[1])[y_true] / dvalues / len(dvalues)
"""
SOFTMAX = """
class SoftmaxWithLoss:
    def forward(self, x, t):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y, self.t = e / e.sum(axis=1, keepdims=True), t
        return -np.log(self.y[np.arange(len(t)), t] + 1e-7).mean()

    def backward(self, dout=1):
        dx = self.y.copy()
        dx[np.arange(len(dx)), self.t] -= 1
        return dx / len(dx)
"""
DROPOUT = """
class Dropout:
    def __init__(self, p=0.5):
        self.p, self.rng = p, np.random.default_rng(1)

    def forward(self, x, train_flg=True):
        self.mask = self.rng.random(x.shape) > self.p
        return x * self.mask

    def backward(self, dout):
        return dout * self.mask
"""
SLOPE = """
class Tanh:
    def __call__(self, x):
        return np.tanh(x)

    def gradient(self, x):
        return 1 - self(x) ** 2
"""
CELL = """
class RNNCell:
    def __init__(self, input_size, hidden_size):
        self.Wx, self.Wh = np.random.randn(input_size, hidden_size), np.random.randn(hidden_size, hidden_size)

    def forward(self, x, h_prev):
        self.saved = x, h_prev, np.tanh(x @ self.Wx + h_prev @ self.Wh)
        return self.saved[-1]

    def backward(self, dh):
        x, h_prev, h = self.saved
        dz = dh * (1 - h**2)
        self.dWx, self.dWh = x.T @ dz, h_prev.T @ dz
        return dz @ self.Wx.T, dz @ self.Wh.T
"""
NET = """
class TwoLayerNet:
    def __init__(self, input_dim=3072, hidden_dim=100, num_classes=10, reg=0.0, dtype=np.float32):
        self.params = {"W1": np.zeros((input_dim, hidden_dim), dtype), "W2": np.zeros((hidden_dim, num_classes), dtype)}
        self.reg = reg

    def loss(self, X, y=None):
        W1, W2 = self.params["W1"], self.params["W2"]
        h = np.maximum(0, X.reshape(len(X), -1) @ W1)
        scores = h @ W2
        if y is None:
            return scores
        p = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        loss = -np.log(p[np.arange(len(y)), y]).mean() + 0.5 * self.reg * (np.sum(W1**2) + np.sum(W2**2))
        p[np.arange(len(y)), y] -= 1
        p /= len(y)
        return loss, {"W1": X.T @ (p @ W2.T * (h > 0)) + self.reg * W1, "W2": h.T @ p + self.reg * W2}
"""
STACK = (
    LINEAR
    + """
class MLP:
    def __init__(self):
        self.layers = [Linear(5, 4), Linear(4, 3)]

    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x

    def backward(self, dout):
        for layer in self.layers[::-1]:
            dout = layer.backward(dout)
        return dout
"""
)
COST = """
class Network:
    def __init__(self, n_in, n_hidden, n_out, lr=0.1):
        self.W1, self.W2, self.lr = np.random.randn(n_in, n_hidden), np.random.randn(n_hidden, n_out), lr

    def forward(self, X):
        self.h = np.tanh(X @ self.W1)
        return self.h @ self.W2

    def compute_loss(self, y_hat, y):
        return 0.5 * np.sum((y_hat - y) ** 2)

    def backward(self, X, y, output):
        d = output - y
        dh = d @ self.W2.T * (1 - self.h**2)
        self.W2 -= self.lr * self.h.T @ d
        self.W1 -= self.lr * X.T @ dh
"""
NO_COST = COST.replace("def compute_loss", "def report")
CONTEXT = """
class Square:
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx, dout):
        (x,) = ctx.saved_tensors
        return 2 * x * dout
"""


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check a file of this text; return (the verdict, the inputs or the reason, the report) of each result by name."""
    monkeypatch.setattr("tinynorm.gradcheck.report.text.WIDTH", 1000)

    def of(text):
        path, prints = tmp_path / "layers.py", Prints()
        path.write_text("import numpy as np\n" + textwrap.dedent(text))
        pairs, _ = find_pairs(load(path, prints), path, None)
        results = [check_pair(pair, 0, None, prints) for pair in pairs]
        return {r.name: (r.verdict, r.inputs or r.reason, str(r.report)) for r in results}

    return of


RIGHT = [
    (LINEAR, "Linear", "x (6, 9), W (9, 4), b (1, 4)"),
    (RETURNED, "Linear", "x (6, 9), W (9, 4), b (1, 4)"),
    (LISTS, "Linear", "x (6, 9), W (9, 4), b (4,)"),
    (DICTS, "Linear", "x (6, 9), W (9, 4), b (4,)"),
    (OBJECTS, "Linear", "x (6, 9), weight (9, 4), bias (4,)"),
    (STEPS, "Linear", "input_data (1, 9), weights (9, 4), bias (1, 4)"),
    (ATTRIBUTES, "Dense", "inputs (6, 9), training True, weights (9, 4), biases (1, 4)"),
    (SAMPLES, "CategoricalLoss", "y_pred (6, 9), y_true (6,)"),
    (SOFTMAX, "SoftmaxWithLoss", "x (6, 9), t (6,)"),
    (DROPOUT, "Dropout", "x (6, 9)"),
    (SLOPE, "Tanh", "x (6, 9)"),
    (CELL, "RNNCell", "x (6, 9), h_prev (6, 4), Wx (9, 4), Wh (4, 4)"),
    (NET, "TwoLayerNet", "X (6, 9), y (6,), W1 (9, 7), W2 (7, 4)"),
    (STACK, "MLP", "x (6, 5), layers[0].W (5, 4), layers[0].b (1, 4), layers[1].W (4, 3), layers[1].b (1, 3)"),
    (COST, "Network", "X (6, 9), y (6, 4), W1 (9, 7), W2 (7, 4)"),
    (NO_COST, "Network", "X (6, 9), y (6, 4), W1 (9, 7), W2 (7, 4); taken as the gradient of half the squared error, "),
    (CONTEXT, "Square", "x (6, 9)"),
]


@pytest.mark.parametrize(("text", "name", "inputs"), RIGHT)
def test_a_right_class_is_right_in_its_inputs_and_its_parameters(check, text, name, inputs):
    verdict, said, report = check(text)[name]
    assert verdict == "right", f"{said}\n{report}"
    assert said.startswith(inputs)


@pytest.mark.parametrize(
    ("text", "name", "right", "wrong", "said"),
    [
        (LINEAR, "Linear", "dout.sum(axis=0", "dout.mean(axis=0", "WRONG in db"),
        (LINEAR, "Linear", "return dout @ self.W.T", "return dout @ self.W.T / len(dout)", "WRONG in dx"),
        (LINEAR, "Linear", "        self.db = dout.sum(axis=0, keepdims=True)\n", "", "WRONG in db"),
        (RETURNED, "Linear", ", dW, db\n", ", db, dW\n", ""),  # the names tell which is which
        (LISTS, "Linear", "dout.sum(axis=0)", "2 * dout.sum(axis=0)", "WRONG in db"),
        (DICTS, "Linear", '"W": self.x.T @ grad', '"W": -self.x.T @ grad', "WRONG in dW"),
        (OBJECTS, "Linear", "+= dout.sum(axis=0)", "+= dout[0]", "WRONG in dbias"),
        (STEPS, "Linear", "= output_error @ self.weights.T", "= output_error @ self.weights.T * 2", "WRONG in dinput_data"),
        (STEPS, "Linear", "rate * self.input.T", "rate * 2 * self.input.T", "WRONG in dweights"),
        (ATTRIBUTES, "Dense", "self.inputs.T @ dvalues,", "self.inputs.T @ dvalues / len(dvalues),", "WRONG in dweights"),
        (SAMPLES, "CategoricalLoss", "= -np.eye", "= np.eye", "WRONG in dy_pred"),
        (SOFTMAX, "SoftmaxWithLoss", "return dx / len(dx)", "return dx", "WRONG in dx"),
        (DROPOUT, "Dropout", "return dout * self.mask", "return dout", "WRONG in dx"),
        (SLOPE, "Tanh", "1 - self(x) ** 2", "1 - self(x)", "WRONG in dx"),
        (CELL, "RNNCell", "h_prev.T @ dz", "h.T @ dz", "WRONG in dWh"),
        (NET, "TwoLayerNet", "h.T @ p + self.reg * W2", "h.T @ p", "WRONG in dW2"),
        (NET, "TwoLayerNet", "(h > 0)", "1", "WRONG in dW1"),
        (STACK, "MLP", "self.layers[::-1]", "self.layers[:0:-1]", "layers[0].W"),
        (COST, "Network", "(1 - self.h**2)", "(1 - self.h)", "WRONG in dW1"),
        (CONTEXT, "Square", "2 * x * dout", "x * dout", "WRONG in dx"),
    ],
)
def test_a_wrong_class_is_wrong(check, text, name, right, wrong, said):
    assert text.count(right) == 1
    verdict, _, report = check(text.replace(right, wrong))[name]
    assert verdict == ("wrong" if said else "right"), report
    assert said in report


def test_gradients_that_fit_no_usual_loss_are_not_judged(check):
    """Whether a network without a loss is right cannot be told; that it is wrong cannot either."""
    verdict, reason, _ = check(NO_COST.replace("d = output - y", "d = np.sin(output - y)"))["Network"]
    assert verdict == "not checked"
    assert "those of no usual loss" in reason


def test_base_classes_are_passed_over(check):
    base = """
class Layer:
    def forward(self, x):
        raise NotImplementedError

    def backward(self, dout):
        raise NotImplementedError
"""
    assert list(check(base + LINEAR.replace("class Linear", "class Linear(Layer)"))) == ["Linear"]


def test_a_skeleton_is_unfinished(check):
    text = LINEAR.split("    def backward")[0] + "    def backward(self, dout):\n        pass\n"
    verdict, reason, _ = check(text)["Linear"]
    assert verdict == "not checked"
    assert "Linear is unfinished" in reason


def test_what_cannot_be_drawn_is_asked_for(check):
    text = LINEAR.replace("in_features", "spec").replace("zeros((spec", "zeros((spec['rows']")
    verdict, reason, _ = check(text)["Linear"]
    assert verdict == "not checked"
    assert "do not know what to draw for spec; write a function Linear_inputs(rng)" in reason
    given = "\ndef Linear_inputs(rng):\n    return {'spec': {'rows': 3}, 'out_features': 2, 'x': rng.standard_normal((5, 3))}\n"
    verdict, inputs, _ = check(text + given)["Linear"]
    assert (verdict, inputs) == ("right", "x (5, 3), W (3, 2), b (1, 2)")


def test_a_derivative_without_dout_must_be_elementwise(check):
    """p (1 - p) is the diagonal of softmax's Jacobian, and what becomes of it is not the layer's."""
    text = """
class Softmax:
    def __call__(self, x):
        e = np.exp(x)
        return e / e.sum(axis=1, keepdims=True)

    def gradient(self, x):
        return self(x) * (1 - self(x))
"""
    verdict, reason, _ = check(text)["Softmax"]
    assert verdict == "not checked"
    assert "each output depends on several inputs" in reason


def test_an_array_without_a_gradient_is_told_of(check):
    text = """
class PositionalEncoding:
    def __init__(self, d_model):
        self.pe = np.random.randn(50, d_model)

    def forward(self, x):
        return x + self.pe[: x.shape[-2]]

    def backward(self, dout):
        return dout
"""
    verdict, inputs, _ = check(text)["PositionalEncoding"]
    assert verdict == "right"
    assert inputs.endswith("no gradient is looked for of pe")
