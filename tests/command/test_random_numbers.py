"""``tinynorm check`` of layers that draw random numbers, wherever they come from: the same are drawn in each forward."""

from tinynorm.command.main import main

DROPOUTS = """
import random
import numpy as np
new, old = np.random.default_rng(), np.random.RandomState(1)
"""
SOURCES = {
    "module": "new.random(x.shape)",
    "legacy": "old.randn(*x.shape)",
    "unseeded": "np.random.default_rng().random(x.shape)",
    "pythons": "np.reshape([random.random() for _ in x.flat], x.shape)",
}
PAIR = """
def {name}_forward(x):
    mask = {source} < 0.5
    return x * mask, mask
def {name}_backward(dout, mask):
    return dout * mask
"""
AGAIN = """
def again_forward(x):
    return x * (new.random(x.shape) < 0.5), None
def again_backward(dout, cache):
    return dout * (new.random(dout.shape) < 0.5)
"""


def test_masks_of_any_generator(tmp_path, capsys):
    pairs = [PAIR.format(name=name, source=source) for name, source in SOURCES.items()]
    (tmp_path / "layers.py").write_text("".join([DROPOUTS, *pairs, AGAIN]))
    assert main(["check", str(tmp_path / "layers.py")]) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert out.count("forward draws random numbers; the same were drawn each time") == 5
    assert "dx: it has another mask than forward's, as one that is drawn anew in backward" in out
    assert "5 pairs: 4 right, 1 wrong (again)" in out
