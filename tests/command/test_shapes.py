"""``tinynorm check`` of gradients whose shape is their argument's but for axes of length 1: their numbers are checked."""

import pytest

from tinynorm.command.main import main

LINEAR = """
import numpy as np
def linear_forward(x, w, b):
    return x @ w + b.reshape(-1), (x, w, b)
def linear_backward(dout, cache):
    x, w, b = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0, keepdims=True)[None]
"""
LAYER = """
import numpy as np
class Linear:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.ones((n_in, n_out)), np.zeros((1, n_out))
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, dout):
        self.dW, self.db = self.x.T @ dout, dout.sum(axis=0)
        return dout @ self.W.T
"""


@pytest.fixture
def check(tmp_path, capsys):
    """Check a file; returns (exit code, what was printed, in one line)."""

    def of(text):
        (tmp_path / "layers.py").write_text(text)
        return main(["check", str(tmp_path / "layers.py")]), " ".join(capsys.readouterr().out.split())

    return of


@pytest.mark.parametrize(("text", "shapes"), [(LINEAR, "db has the shape (1, 1, 4)"), (LAYER, "db has the shape (4,)")])
def test_axes_of_length_1_are_a_remark(check, text, shapes):
    code, out = check(text)
    assert code == 0, out
    assert f"1 right ({'linear' if text == LINEAR else 'Linear'}: {shapes})" in out
    code, out = check(text.replace("dout.sum(axis=0", "2 * dout.sum(axis=0"))
    assert code == 1
    assert "db: it is 2 times the right gradient" in out


def test_another_shape_is_wrong(check):
    code, out = check(LINEAR.replace("x.T @ dout", "(x.T @ dout).T"))
    assert code == 1
    assert "expected the shape of w, (9, 4), got (4, 9)" in out
