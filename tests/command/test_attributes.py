"""``tinynorm check`` of classes that leave their gradients in attributes of unusual names."""

import pytest

from tinynorm.command.main import main

HIDDEN = """
import numpy as np
class Linear:
    def __init__(self, n_in, n_out):
        self.__W, self.__b = np.ones((n_in, n_out)), np.zeros(n_out)
    def forward(self, x):
        self.x = x
        return x @ self.__W + self.__b
    def backward(self, dout):
        self.__dW, self.__db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.__W.T
"""
DERIVATIVES = """
import numpy as np
class Tanh:
    def __init__(self):
        self.derivatives = None
    def forward(self, inputs):
        self.output = np.tanh(inputs)
    def backward(self, derivatives):
        self.derivatives = derivatives * (1 - self.output**2)
"""


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [(HIDDEN, "self.x.T @ dout", "self.x.T @ dout / 2"), (DERIVATIVES, "**2", "")],
    ids=["hidden", "own"],
)
def test_they_are_found(tmp_path, capsys, text, right, wrong):
    (tmp_path / "layers.py").write_text(text)
    assert main(["check", str(tmp_path / "layers.py")]) == 0, capsys.readouterr().out
    (tmp_path / "layers.py").write_text(text.replace(right, wrong))
    assert main(["check", str(tmp_path / "layers.py")]) == 1


DENSE = """
import numpy as np
class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.q = np.random.randn(n_in, n_out), np.random.randn(n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.q
    def backward(self, dout):
        self.dW, self.dq = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T
"""
NETWORK = """
import numpy as np
class Network:
    def __init__(self, n_in, n_out):
        self.W1, self.W2 = np.random.randn(n_in, 5), np.random.randn(5, n_out)
    def forward(self, x):
        self.x, self.h = x, np.tanh(x @ self.W1)
        return self.h @ self.W2
    def backward(self, dout):
        d = dout @ self.W2.T * (1 - self.h**2)
        self.dW1, self.dW2 = self.x.T @ d, self.h.T @ dout
        return d @ self.W1.T
"""
LOSS = """
import numpy as np
class CrossEntropy:
    def forward(self, p, y):
        self.p, self.y = p, y
        return -np.sum(y * np.log(p))
    def backward(self):
        return -self.y / self.p
"""


@pytest.mark.parametrize(
    ("text", "right", "other", "says"),
    [
        (DENSE, ", self.dq = self.x.T @ dout, dout.sum(axis=0)", " = self.x.T @ dout", "no gradient is looked for of q"),
        (DENSE, "dout @ self.W.T", "self.dq", "no gradient is looked for of x"),
        (NETWORK, "return d @ self.W1.T", "return d", "no gradient is looked for of x"),
        (LOSS, "-self.y / self.p", "self.p - self.y", "right only with a softmax before it"),
    ],
    ids=["drawn", "returned", "of a network", "scores"],
)
def test_what_is_right_in_part_has_its_exit_code(tmp_path, capsys, text, right, other, says):
    (tmp_path / "layers.py").write_text(text)
    assert main(["check", str(tmp_path / "layers.py")]) == 0, capsys.readouterr().out
    (tmp_path / "layers.py").write_text(text.replace(right, other))
    assert main(["check", str(tmp_path / "layers.py")]) == 2
    assert says in capsys.readouterr().out
