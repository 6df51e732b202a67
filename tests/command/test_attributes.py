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
