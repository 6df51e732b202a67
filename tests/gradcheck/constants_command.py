"""The constants of the console command: each is held by something that a user would miss."""

import json
import os
import sys
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from io import StringIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from tinynorm import derivations
from tinynorm.command import derive
from tinynorm.command.functions import draw_inputs, kinds, layouts, try_call
from tinynorm.command.main import main
from tinynorm.command.run_code import UserError
from tinynorm.command.verdict import question

AFFINE = """
import numpy as np
def affine_forward(x, w, b): return x @ w + b, (x, w)
def affine_backward(dout, cache): return dout @ cache[1].T, cache[0].T @ dout, dout.sum(0)
"""
RELU = """
def relu_forward(x): return x * (x > 0), x
def relu_backward(dout, x): return dout * (x > 0)
"""
RNN_STEP = """
def rnn_step_forward(x, prev_h, Wx, Wh, b): return x @ Wx + prev_h @ Wh + b, (x, prev_h, Wx, Wh)
def rnn_step_backward(d, cache):
    x, h, Wx, Wh = cache
    return d @ Wx.T, d @ Wh.T, x.T @ d, h.T @ d, d.sum(0)
"""


def checked(text):
    """(what `tinynorm check --json` finds in a file of this text, what it says beside it)."""
    out, err = StringIO(), StringIO()
    with TemporaryDirectory() as folder, redirect_stdout(out), redirect_stderr(err):
        path = Path(folder, "layers.py")
        path.write_text(text)
        main(["check", str(path), "--json"])
    return json.loads(out.getvalue()), err.getvalue()


@contextmanager
def forward_takes(seconds):
    """Within, the command believes that one forward takes so long."""
    with patch.object(try_call, "perf_counter", count(0.0, seconds).__next__):
        yield


def elements(report):
    """How many elements of each input are checked one by one; None where random directions are checked too."""
    return {found["name"]: None if found["directions"] else found["checked"] for found in report["inputs"]}


# ---- run_code ----------------------------------------------------------------------------------------------------------


def shown_lines():
    """Ten different prints are shown, of fifteen the last five are not."""
    printing = "for i in range({}): print('number', i)\n"
    _, said = checked(printing.format(10) + RELU)
    assert "number 9" in said
    assert "more" not in said
    _, said = checked(printing.format(15) + RELU)
    assert "  ... and 5 more" in said


def shown_frames():
    """A chain of six calls is shown whole, a chain of ten is not."""
    chain = "def relu_backward(dout, x): return f1(x)\n"
    for calls, whole in ((6, True), (10, False)):
        functions = [f"def f{i}(x): return f{i + 1}(x)\n" for i in range(1, calls)]
        found, _ = checked(RELU + chain + "".join(functions).replace(f"f{calls}(x)", "1 / 0"))
        assert ("  ..." not in found["relu"]["reason"]) is whole


def deepest():
    """A file may raise the limit of recursion to 10,000, and not to 20,000."""
    recursive = "import sys\nsys.setrecursionlimit(20_000)\nknown = []\ndef f(n): return f(n - 1) if n else [0]\n"
    recursive += "def relu_forward(x):\n    if not known: known.extend(f({}))\n    return x * (x > 0), x\n"
    recursive += "def relu_backward(dout, x): return dout * (x > 0)\n"
    limit = sys.getrecursionlimit()
    try:
        for depth, ok in ((8_000, True), (12_000, None)):
            assert checked(recursive.format(depth))[0]["relu"]["ok"] is ok
    finally:
        sys.setrecursionlimit(limit)


def shown_characters():
    """A printed line of 400 characters is shown whole, one of 800 is not."""
    for length, whole in ((400, True), (800, False)):
        _, said = checked(f"print('x' * {length})\n{RELU}")
        assert ("x" * length in said) is whole


# ---- draw_inputs -------------------------------------------------------------------------------------------------------


def outputs():
    """A gradient with the wrong count (the weights' instead of the rows') has the wrong size. A check costs few evaluations."""
    found, _ = checked("""
import numpy as np
def temporal_mean_forward(x, w):
    return (x @ w).mean((0, 1)), (x, w)
def temporal_mean_backward(d, cache):
    x, w = cache
    return np.broadcast_to(w @ d, x.shape) / w.size, np.outer(x.sum((0, 1)), d) / w.size
""")
    assert found["temporal_mean"]["ok"] is False
    found, _ = checked(AFFINE)
    assert found["affine"]["evaluations"] < 820


def combinations():
    """Rare shapes are found. A forward that refuses them all is given up after some hundred calls for each shape of x."""
    found, _ = checked("""
def scale_forward(x, w, b, gamma):
    assert x.ndim == 3 and w.shape == x.shape == b.shape and gamma.shape == x.shape[:2]
    return gamma[..., None] * (x * w + b), (x, w, b, gamma)
def scale_backward(d, cache):
    x, w, b, gamma = cache
    back = d * gamma[..., None]
    return back * w, back * x, back, (d * (x * w + b)).sum(-1)
""")
    assert found["scale"]["ok"] is True
    names = ["x", "w", "b", "gamma", "y", "mask"]
    found = [kinds.kind_of(name, "scale") for name in names]
    assert sum(1 for _ in draw_inputs.candidates(names, found, "scale", 0, [layouts.ROWS])) < 300


# ---- make_functions ----------------------------------------------------------------------------------------------------

SCRIPT = """
import numpy as np
X, y, w = np.ones(({}, 3)), np.ones(({}, 1)), np.zeros((3, 1))
for _ in range(2):
    w -= 0.1 * X.T @ (X @ w - y)
"""


def much():
    """Data of 1,800 elements are drawn in the shape that they have in the file, those of 2,400 are not."""
    for rows, same in ((600, True), (800, False)):
        found, _ = checked(SCRIPT.format(rows, rows))
        assert found["training loop"]["ok"] is True
        assert (f"X ({rows}, 3)" in found["training loop"]["arguments"]) is same


# ---- check_pair --------------------------------------------------------------------------------------------------------


def large():
    """Where forward is slow, each of 24 elements is checked, and 54 are not."""
    with forward_takes(0.1):
        found, _ = checked(RNN_STEP)
    assert elements(found["rnn_step"])["prev_h"] == 24
    assert elements(found["rnn_step"])["x"] is None


def slow():
    """With 94 elements, a forward of 16 ms is fast enough to check each, and one of 32 ms is not."""
    for seconds, each in ((0.016, 54), (0.032, None)):
        with forward_takes(seconds):
            found, _ = checked(AFFINE)
        assert elements(found["affine"])["x"] == each


def patience():
    """With a forward of 8 ms x of four dimensions is checked too, with 15 ms it is not."""
    for seconds, too in ((0.008, True), (0.015, False)):
        with forward_takes(seconds):
            found, _ = checked(RELU)
        assert found["relu"]["arguments"].endswith("; and x (6, 8, 3, 5)") is too
        assert any("for forward is slow" in note for note in found["relu"]["notes"]) is not too


def small():
    """So small gradients are clipped by nobody, and are no zeros."""
    found, _ = checked("""
import numpy as np
def shift_forward(x, b): return x + b, None
def shift_backward(d, cache): return np.clip(d, -1e-3, 1e-3), np.clip(d.sum(0), -1e-3, 1e-3)
""")
    assert found["shift"]["ok"] is True


# ---- ask_again ---------------------------------------------------------------------------------------------------------

MIXED = """
import numpy as np
def affine_forward(x, w, b): return x @ w + b, (x, w)
def affine_backward(d, cache):
    x, w = cache
    return d @ w.T, x.T @ d + (len(d) - d.shape[1]) * w**2, d.sum(0)
"""
NEARLY = """
import numpy as np
def square_loss(x, y):
    dx = 2 * (x - y) * np.where(np.arange(x.size).reshape(x.shape) == 3, 1 + {}, 1)
    return np.log(np.exp(np.sum((x - y) ** 2) / 64)) * 64, dx
"""
LOGARITHM = """
import numpy as np
def softmax_loss(W, X, y):
    e = np.exp(1.4 * X @ W)
    p = e / e.sum(axis=1, keepdims=True)
    at = np.arange(len(y)), y
    loss = -np.mean(np.log(p[at] + 1e-7))
    p[at] -= 1
    return loss, 1.4 * X.T @ p / len(y)
"""


def patience_with_questions():
    """The seventh question, whether it is right where N = M, is asked if each takes 0.5 s, and not if each takes 1 s."""
    for seconds, asked in ((0.5, True), (1.0, False)):
        with patch.object(question, "perf_counter", count(0.0, seconds).__next__):
            found, _ = checked(MIXED)
        assert ("it is right where N = M" in found["affine"]["diagnosis"]) is asked


def tiny():
    """A relative error of 3e-4 in one element of a loss's gradient may come from a tiny number in it, one of 6e-4 may not."""
    for error, ok in ((3e-4, True), (6e-4, False)):
        found, _ = checked(NEARLY.format(error))
        assert found["square_loss"]["ok"] is ok


def smaller():
    """Inputs that are 1.4 times the usual ones give probabilities so small that 1e-7 counts. A third of them does not."""
    found, _ = checked(LOGARITHM)
    assert found["softmax_loss"]["ok"] is True


def tinier():
    """A relative error of 0.7e-6 in a gradient may come from a tiny number in forward, one of 1.4e-6 may not."""
    for error, ok in ((0.7e-6, True), (1.4e-6, False)):
        found, _ = checked(RELU.replace("dout * ", f"(1 + {error}) * dout * "))
        assert found["relu"]["ok"] is ok


# ---- derive ------------------------------------------------------------------------------------------------------------


def largest():
    """A shape of 10^6 numbers is taken, one more is not."""
    taken = []
    for n in (10**6, 10**6 + 1):
        with suppress(UserError):
            taken.append(derive._sizes(derivations.load("centring"), f"m={n}"))
    assert taken == [{"i": 10**6}]


def narrowest():
    """A terminal of 5 columns gets 40."""
    with patch.dict(os.environ, COLUMNS="5"):
        assert derive._width() == 40


HELD = {
    "command.derive.LARGEST": largest,
    "command.derive.NARROWEST": narrowest,
    "command.run_code.SHOWN_CHARACTERS": shown_characters,
    "command.run_code.DEEPEST": deepest,
    "command.run_code.SHOWN_LINES": shown_lines,
    "command.run_code.SHOWN_FRAMES": shown_frames,
    "command.loops.make_functions.MUCH": much,
    "command.functions.layouts.OUTPUTS": outputs,
    "command.functions.draw_inputs.COMBINATIONS": combinations,
    "command.verdict.question.PATIENCE": patience_with_questions,
    "command.verdict.up_to.TINY": tiny,
    "command.verdict.up_to.TINIER": tinier,
    "command.verdict.up_to.SMALLER": (smaller, (2.0,)),  # smaller ones show as well that a loss is right
    "command.verdict.cut_off.SMALL": (small, (2.0**40, 2.0**-1020)),
    "command.verdict.make_report.LARGE": large,
    "command.verdict.make_report.SLOW": slow,
    "command.verdict.check_pair.PATIENCE": patience,
}
