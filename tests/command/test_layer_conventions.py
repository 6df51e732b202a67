"""`tinynorm check` on classes that are written in less usual ways: each convention right, and with a mistake."""

import pytest

from tinynorm.command.functions.find_pairs import find_pairs
from tinynorm.command.load.load_file import load
from tinynorm.command.run_code import Prints
from tinynorm.command.verdict.check_pair import check_pair

OTHER_NAMES = """
class Capa:
    def __init__(self, n, m):
        self.pesos = np.random.randn(n, m)
    def adelante(self, entrada):
        self.entrada = entrada
        return entrada @ self.pesos
    def atras(self, dsalida):
        self.dpesos = self.entrada.T @ dsalida
        return dsalida @ self.pesos.T
"""
LIST = """
class Multiply:
    def forward(self, inputs):
        self.a, self.b = inputs
        return self.a * self.b
    def backward(self, dout):
        return [dout * self.b, dout * self.a]
"""
STARRED = LIST.replace("self, inputs", "self, *inputs")
OPTION = """
class Dense:
    def __init__(self, n, m, bias=False):
        self.W, self.b = np.random.randn(n, m), np.zeros(m) if bias else 0
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T
"""
SETUP = """
class Dense:
    def __init__(self, m):
        self.m, self.W = m, None
    def create(self, n):
        self.W = np.random.randn(n, self.m)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        return dout @ self.W.T
"""
TARGET_FIRST = """
class SquaredError:
    def forward(self, y_true, y):
        self.d = y - y_true
        return (self.d**2).sum()
    def backward(self):
        return 2 * self.d
"""
AT_THE_INPUT = """
class Tanh:
    def forward(self, x):
        return np.tanh(x)
    def backward(self, z, grad_output):
        return grad_output * (1 - np.tanh(z) ** 2)
"""
OF_THE_OUTPUT = """
class Tanh:
    @staticmethod
    def forward(z):
        return np.tanh(z)
    @staticmethod
    def backward(a):
        return 1 - a**2
"""
MISSPELT = """
class Dense:
    def __init__(self, n, m):
        self.weights, self.biases = np.random.randn(n, m), np.zeros(m)
    def forward(self, x):
        self.x = x
        return x @ self.weights + self.biases
    def backward(self, dout):
        self.dweights, self.dbaises = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.weights.T
"""
DECAY = """
class Dense:
    def __init__(self, n, m, weight_decay=1e-4):
        self.W, self.weight_decay = np.random.randn(n, m), weight_decay
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout + self.weight_decay * self.W
        return dout @ self.W.T
"""
ONE_ELEMENT = """
class Softmax:
    def forward(self, x):
        e, self.shape = np.exp(x.ravel()), x.shape
        self.p = e / e.sum()
        return self.p
    def backward(self, dout):
        for i, g in enumerate(dout):
            if g == 0:
                continue
            dx = -g * self.p[i] * self.p
            dx[i] = g * self.p[i] * (1 - self.p[i])
            return dx.reshape(self.shape)
"""
UPDATE = """
class Dense:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
    def forward(self, x):
        self.x = x
        return x @ self.W
    def backward(self, dout):
        self.dout = dout
        return dout @ self.W.T
    def update(self, lr):
        self.W -= lr * self.x.T @ self.dout
"""
BY_NAME = """
class Dense:
    def __init__(self, n, m, activation=None):
        self.W, self.activation = np.random.randn(n, m), activation
    def forward(self, x):
        self.x, self.z = x, x @ self.W
        return np.tanh(self.z) if self.activation == "tanh" else self.z
    def backward(self, dout):
        if self.activation == "tanh":
            dout = dout * (1 - np.tanh(self.z) ** 2)
        self.dW = self.x.T @ dout
        return dout @ self.W.T
"""
COSINE = """
class CosineLoss:
    def forward(self, x, y):
        self.x, self.y = x, y
        self.norms = np.linalg.norm(x, axis=1, keepdims=True), np.linalg.norm(y, axis=1, keepdims=True)
        self.cos = (x * y).sum(axis=1, keepdims=True) / self.norms[0] / self.norms[1]
        return (1 - self.cos).sum()
    def backward(self):
        a, b = self.norms
        return self.cos * self.x / a**2 - self.y / a / b
"""
FLATTENS = """
class Dense:
    def __init__(self, n, m):
        self.W = np.random.randn(n, m)
    def forward(self, x):
        self.shape = x.shape
        self.x = x.reshape(x.shape[0], -1)
        return self.x @ self.W
    def backward(self, dout):
        self.dW = self.x.T @ dout
        dx = dout @ self.W.T
        return dx.reshape(self.shape)
"""
PENALTY = DECAY.replace(", weight_decay=1e-4", "").replace(", self.weight_decay = ", " = ").replace(", weight_decay", "")
PENALTY = PENALTY.replace("self.weight_decay * self.W", "0.01 * np.sign(self.W)")
SETTINGS = """
class Dense:
    def __init__(self, config):
        self.config, self.W = config, np.random.randn(config["n_in"], config["n_out"])
    def forward(self, x):
        self.x = x
        return self.config.scale * x @ self.W
    def backward(self, dout):
        self.dW = self.config.scale * self.x.T @ dout
        return self.config.scale * dout @ self.W.T
"""
CONVENTIONS = [
    (OTHER_NAMES, "entrada.T @ dsalida", "entrada.T @ dsalida * 2", "WRONG in dpesos"),
    (LIST, "dout * self.a]", "dout]", "WRONG in dinputs[1]"),
    (STARRED, "dout * self.a]", "dout]", "WRONG in dinputs[1]"),
    (OPTION, "dout.sum(", "dout.mean(", "WRONG in db"),  # with bias=True only
    (SETUP, "self.x.T @ dout", "2 * self.x.T @ dout", "WRONG in dW"),
    (TARGET_FIRST, "return 2", "return -2", "WRONG in dy"),
    (AT_THE_INPUT, "** 2", "** 3", "WRONG in dx"),
    (OF_THE_OUTPUT, "a**2", "a", "WRONG in dz"),
    (MISSPELT, "dout.sum(axis=0)", "dout.mean(axis=0)", "WRONG in dbiases"),
    (DECAY, "self.x.T @ dout", "2 * self.x.T @ dout", "WRONG in dW"),
    (PENALTY, "self.x.T @ dout", "2 * self.x.T @ dout", "dW: it is 2 times the right gradient"),
    (SETTINGS, "* dout @", "* 2 * dout @", "WRONG in dx"),
    (UPDATE, "lr * self", "lr * 2 * self", "WRONG in dW"),
    (BY_NAME, "tanh(self.z) ** 2)", "tanh(self.z))", "WRONG in dx"),  # with activation="tanh" only
    (COSINE, "/ a / b\n", "/ a\n", "WRONG in dx"),  # where no target has the length 1
    (FLATTENS, ".reshape(self.shape)", "", "WRONG in dx"),  # for images only
    (ONE_ELEMENT, "(1 - self.p[i])", "self.p[i]", "WRONG in dx"),
]


@pytest.fixture
def check(tmp_path):
    def of(text):
        path, prints = tmp_path / "layers.py", Prints()
        path.write_text("import numpy as np\n" + text)
        pairs, left_over = find_pairs(load(path, prints), path, None)
        return check_pair(pairs[0], 0, None, prints), left_over

    return of


@pytest.mark.parametrize(("text", "right", "wrong", "said"), CONVENTIONS)
def test_a_convention_is_understood(check, text, right, wrong, said):
    result, _ = check(text)
    assert result.verdict == "right", f"{result.reason}\n{result.report}"
    assert text.count(right) == 1
    result, _ = check(text.replace(right, wrong))
    assert said in str(result.report), result.reason


def test_a_forgotten_transpose_is_wrong_where_all_sizes_are_equal(check):
    """Backward raises with all other shapes."""
    result, _ = check(DECAY.replace("self.x.T @ dout", "self.x @ dout"))
    assert "WRONG in dW" in str(result.report), result.reason
    assert "it raises with x (6, 9)" in str(result.report)


def test_a_network_whose_passes_are_one_method_is_left_over(check):
    network = """
class Regression:
    def fit(self, x, y):
        for _ in range(100):
            error = (x @ self.w > 0) - y  # the perceptron's rule is no gradient
            self.w -= 0.1 * x.T @ error
        return self
"""
    _, left_over = check(TARGET_FIRST + network)
    assert left_over[0].startswith("Regression.fit (forward, backward and the step are one method")
