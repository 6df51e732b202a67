"""`tinynorm check`: a student's file in, a report and an exit code out, and never a traceback of ours."""

import itertools
import json
import os
import re
import subprocess
import sys
import textwrap
from math import prod

import pytest

from tinynorm import __version__
from tinynorm.command.functions import kinds, layouts
from tinynorm.command.main import main
from tinynorm.gradcheck.report.text import wrapped

AFFINE = """
    import numpy as np

    def affine_forward(x, w, b):
        return x @ w + b, (x, w)

    def affine_backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout, dout.sum(axis=0)
"""
RELU = """
    def relu_forward(x):
        return np.maximum(x, 0), x

    def relu_backward(dout, cache):
        return dout * (cache > 0)
"""
LAYERNORM = """
    def layernorm_forward(x, gamma, beta, ln_param):
        eps = ln_param.get("eps", 1e-5)
        rstd = 1 / np.sqrt(x.var(axis=1, keepdims=True) + eps)
        x_hat = (x - x.mean(axis=1, keepdims=True)) * rstd
        return gamma * x_hat + beta, (x_hat, rstd, gamma)

    def layernorm_backward(dout, cache):
        x_hat, rstd, gamma = cache
        g = dout * gamma
        dx = rstd * (g - x_hat * (g * x_hat).mean(axis=1, keepdims=True))
        return dx, (dout * x_hat).sum(axis=0), dout.sum(axis=0)
"""


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """Check a file of this text; returns (exit code, what was printed, what was complained of), with sentences in one line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinynorm.gradcheck.report.text.WIDTH", 1000)

    def of(*texts, name="", options=()):
        text = texts[0] if isinstance(texts[0], bytes) else "\n".join(map(textwrap.dedent, texts)).encode()
        (tmp_path / "layers.py").write_bytes(text)
        code = main(["check", f"layers.py{name}", *options])
        return code, *capsys.readouterr()

    return of


def test_three_layers_one_wrong(run):
    code, out, err = run(AFFINE, RELU, LAYERNORM)
    assert code == 1
    assert "affine: x (6, 9), w (9, 4), b (4,)\n" in out
    assert "layernorm: x (6, 9), gamma (9,), beta (9,), ln_param {...}\n" in out
    assert "the mean term is missing: " in out
    assert out.endswith("3 pairs: 2 right, 1 wrong (layernorm)\n")
    assert err == ""


@pytest.mark.parametrize("name", ["::affine", "::affine_backward"])
def test_one_by_name(run, name):
    code, out, _ = run(AFFINE, LAYERNORM, name=name)
    assert code == 0
    assert out.endswith("1 pair: 1 right\n")


def test_an_unknown_name_lists_the_known(run):
    code, _, err = run(AFFINE, RELU, name="::conv")
    assert code == 2
    assert "there is no pair called 'conv'; there are affine, relu" in err


def test_a_syntax_error_is_shown_with_its_line(run):
    code, out, err = run("def f_forward(x:\n    return x\n")
    assert code == 2
    assert out == ""
    assert "layers.py:1: syntax error" in err
    assert "def f_forward(x:" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("x = 1", "no pairs of functions NAME_forward and NAME_backward found"),
        ("def f_forward(x): return x, x", "f_forward has no counterpart"),
        ("class Layer:\n    def forward(self, x): return x", "no class with both methods (Layer: no backward is found)"),
        ("1 / 0", "raises when it is imported"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_files_without_pairs(run, text, says):
    code, _, err = run(text)
    assert code == 2
    assert says in err
    assert "Traceback" not in err


def test_a_missing_file(capsys):
    assert main(["check", "nowhere.py"]) == 2
    assert "nowhere.py: cannot be read: No such file" in capsys.readouterr().err


def test_a_backward_that_raises_shows_its_own_lines_only(run):
    code, out, err = run(AFFINE.replace("x, w = cache", "x, w, b = cache"), RELU)
    assert code == 2
    assert "could not check affine: it raises with x (6, 9), w (9, 4), b (4,)" in out
    assert "in affine_backward\n    x, w, b = cache" in out
    assert "ValueError: not enough values to unpack" in out
    assert "check.py" not in out + err
    assert out.endswith("2 pairs: 1 right, 1 not checked (affine)\n")


def test_wrong_weighs_more_than_not_checked(run):
    code, out, _ = run(AFFINE.replace("x, w = cache", "x, w, b = cache"), LAYERNORM)
    assert code == 1
    assert "1 wrong (layernorm), 1 not checked (affine)" in out


def test_a_forward_that_takes_no_drawn_input_says_so(run):
    code, out, _ = run("def f_forward(x):\n    raise RuntimeError('no')\ndef f_backward(dout, cache):\n    return dout\n")
    assert code == 2
    assert "could not check f: f_forward raises for all inputs that were tried; write a function f_inputs(rng)" in out
    assert "RuntimeError: no" in out


def test_endless_recursion_is_told_shortly(run):
    code, out, _ = run("def f_forward(x): return x, x\ndef f_backward(dout, cache):\n    return f_backward(dout, cache)\n")
    assert code == 2
    assert "RecursionError" in out
    assert len(out.splitlines()) < 25


def test_an_argument_of_an_unknown_name_asks_for_inputs(run):
    pair = "def f_forward(foo): return foo * 2, foo\ndef f_backward(dout, cache): return dout * 2\n"
    code, out, _ = run(pair.replace("foo * 2", "foo['a']"))
    assert code == 2
    assert "f_forward raises for all inputs that were tried; what is foo? write a function f_inputs(rng)" in out
    for inputs in ("rng", "seed", ""):
        code, out, _ = run(
            f"import numpy as np\n{pair}", f"def f_inputs({inputs}): return (np.ones(3) + 0.5 * np.arange(3),)\n"
        )
        assert code == 0, out


def test_json_and_html(run, tmp_path):
    page = tmp_path / "report.html"
    pairs = AFFINE, LAYERNORM, RELU.replace("> 0", "> nothing")
    code, out, err = run(*pairs, "print('hello')", "def svm_loss(x, y): pass", options=["--json", "--html", str(page)])
    assert code == 1
    data = json.loads(out)
    assert data["affine"]["ok"] is True
    assert data["affine"]["arguments"] == "x (6, 9), w (9, 4), b (4,)"
    assert data["layernorm"]["findings"][0]["kind"] == "missing_mean_term"
    assert data["layernorm"]["inputs"][0]["share_wrong"] == 1
    assert data["relu"]["ok"] is None
    assert "NameError: name 'nothing' is not defined" in data["relu"]["reason"]
    for said in ("hello", "NameError", "not looked at: svm_loss"):
        assert err.count(said) == 1
    html = page.read_text(encoding="utf-8")
    assert "LayerNorm: WRONG in dx" in html
    assert "<p>3 pairs: 1 right, 1 wrong (layernorm), 1 not checked (relu: unfinished)</p>" in html
    assert "x (6, 9), gamma (9,), beta (9,), ln_param {...}" in html


def test_as_a_program(tmp_path):
    path = tmp_path / "layers.py"
    path.write_text(textwrap.dedent(AFFINE) + textwrap.dedent(LAYERNORM))
    command = [sys.executable, "-m", "tinynorm", "check", str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == ""
    assert not (tmp_path / "__pycache__").exists()
    shown = subprocess.run([sys.executable, "-m", "tinynorm", "--version"], capture_output=True, text=True, check=True)
    assert shown.stdout == f"tinynorm {__version__}\n"


def test_interrupted(run, monkeypatch):
    import tinynorm.command.process.serve

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tinynorm.command.process.serve, "check_pair", interrupted)
    code, _, err = run(AFFINE)
    assert code == 130
    assert err == "interrupted\n"


# ---- what is drawn -----------------------------------------------------------------------------------------------------

NUMPY = "import numpy as np\n"


def test_no_two_counts_of_the_drawn_shapes_are_equal():
    """Or a mean over the wrong axes has the right factor."""
    (n, c, h, w), g = layouts.IMAGES.x, kinds.NUMBERS["G"]
    assert g == kinds.SETTINGS["num_groups"]
    n_again, t, d = layouts.STEPS.x
    assert layouts.ROWS.x == (n, d)
    assert n_again == n
    images = [n, c, h, w, g, c // g, h * w, n * c, n * g, c * h * w, n * h * w, c // g * h * w, n * c * h * w]
    taken_means_over = [n, c, h * w, n * c, c * h * w, n * h * w, c // g * h * w]
    rows = [n, d, layouts.OUTPUTS, t]
    rows += [prod(some) for some in itertools.combinations(rows, 2)] + [n * t * d]
    for counts, apart in ((images, 1), (taken_means_over, 2), (rows, 1)):
        assert min(abs(a - b) for a, b in itertools.combinations(counts, 2)) >= apart
    assert c % g == 0
    assert min(h * w, c // g * h * w, n, d) >= 4  # groups of fewer numbers hide mistakes


def test_a_mean_over_the_wrong_axes_is_wrong(run):
    code, out, _ = run("""
        import numpy as np

        def instancenorm_forward(x, gamma, beta):
            N, C, H, W = x.shape
            s = 1 / np.sqrt(x.var((2, 3), keepdims=True) + 1e-5)
            xh = (x - x.mean((2, 3), keepdims=True)) * s
            return gamma[:, None, None] * xh + beta[:, None, None], (xh, s, gamma)

        def instancenorm_backward(dout, cache):
            xh, s, gamma = cache
            g, m = dout * gamma[:, None, None], len(dout)
            dx = s * (g - g.sum((2, 3), keepdims=True) / m - xh * (g * xh).sum((2, 3), keepdims=True) / m)
            return dx, (dout * xh).sum((0, 2, 3)), dout.sum((0, 2, 3))
    """)
    assert code == 1
    assert "InstanceNorm: WRONG in dx" in out


FLATTENING = AFFINE.replace("return x @ w", "return x.reshape(len(x), -1) @ w").replace("x.T @", "x.reshape(len(x), -1).T @")


def test_x_of_four_dimensions_is_checked_too_where_forward_takes_it(run):
    code, out, _ = run(FLATTENING)
    assert code == 1
    assert "affine: x (6, 8, 3, 5), w (120, 4), b (4,)\n" in out
    assert "dx: expected the shape of x, (6, 8, 3, 5), got (6, 120)" in out
    assert "it is right with x (6, 9), w (9, 4), b (4,)" in out
    code, out, _ = run(FLATTENING.replace("dout @ w.T", "(dout @ w.T).reshape(x.shape)"))
    assert code == 0
    assert "affine: x (6, 9), w (9, 4), b (4,); and x (6, 8, 3, 5), w (120, 4), b (4,)\n" in out


def test_a_backward_that_raises_for_what_forward_flattens_is_not_checked(run):
    code, out, _ = run(FLATTENING.replace("x.reshape(len(x), -1).T @ dout", "np.einsum('nd,nm->dm', x, dout)"))
    assert code == 2
    assert "could not check affine: it raises with x (6, 8, 3, 5)" in out
    assert "(right with x (6, 9), w (9, 4), b (4,))" in out


def test_other_ranks_that_numpy_broadcasts_by_chance_are_no_matter(run):
    scale = NUMPY + "def ln_forward(x, gamma, beta): return gamma * x + beta, (x, gamma)\n"
    scale += "def ln_backward(d, c): return d * c[1], (d * c[0]).sum(0), d.sum(0)\n"
    rows = "def r_forward(x): return x * 2, x\ndef r_backward(d, c):\n    assert d.ndim == 2\n    return d * 2\n"
    code, out, _ = run(scale, rows)
    assert code == 0, out
    assert "forward runs with x (6, 8, 3, 5) too, backward does not (AssertionError), so that was not checked" in out


COURSE = {
    "columns": """
        def linear_forward(A, W, b): return W @ A + b, (A, W)
        def linear_backward(dZ, cache):
            A, W = cache
            return W.T @ dZ, dZ @ A.T, dZ.sum(1, keepdims=True)
    """,
    "activation": """
        def act_forward(A_prev, W, b, activation): return np.maximum(W @ A_prev + b, 0), (A_prev, W, b)
        def act_backward(dA, cache, activation):
            A, W, b = cache
            assert activation == "relu"
            dZ = dA * (W @ A + b > 0)
            return W.T @ dZ, dZ @ A.T, dZ.sum(1, keepdims=True)
    """,
    "plain name": """
        def sigmoid(Z): return 1 / (1 + np.exp(-Z)), Z
        def sigmoid_backward(dA, Z): return dA * np.exp(-Z) / (1 + np.exp(-Z)) ** 2
    """,
    "row of biases": """
        def lin_forward(X, W, b): return X @ W + b, (X, W)
        def lin_backward(d, c): return d @ c[1].T, c[0].T @ d, d.sum(0, keepdims=True)
    """,
    "optional bias": """
        def lin_forward(x, w, b=None): return x @ w + (0 if b is None else b), (x, w)
        def lin_backward(d, c): return d @ c[1].T, c[0].T @ d, d.sum(0)
    """,
    "one-hot targets": """
        def mse_forward(y_pred, y_true): return ((y_pred - y_true) ** 2).mean(), (y_pred, y_true)
        def mse_backward(d, c): return d * 2 * (c[0] - c[1]) / c[0].size
    """,
    "domain": """
        def bce_forward(a, y): return -(y * np.log(a) + (1 - y) * np.log(1 - a)).mean(), (a, y)
        def bce_backward(d, c): return d * ((1 - c[1]) / (1 - c[0]) - c[1] / c[0]) / c[0].size, None
    """,
    "running statistics": """
        def bn_forward(x, gamma, beta, running_mean, running_var, eps=1e-5):
            xh = (x - running_mean) / np.sqrt(running_var + eps)
            running_mean[:] = 0.9 * running_mean
            return gamma * xh + beta, (xh, gamma / np.sqrt(running_var + eps))
        def bn_backward(d, c): return d * c[1], (d * c[0]).sum(0), d.sum(0)
    """,
    "groups": """
        def groupnorm_forward(x, gamma, beta, G):
            N, C, H, W = x.shape
            assert C % G == 0
            return gamma * x + beta, (x, gamma)
        def groupnorm_backward(d, c): return d * c[1], *(a.sum((0, 2, 3), keepdims=True) for a in (d * c[0], d))
    """,
    "steps": """
        def temporal_affine_forward(x, w, b):
            N, T, D = x.shape
            return x @ w + b, (x, w)
        def temporal_affine_backward(d, c): return d @ c[1].T, np.einsum("ntd,ntm->dm", c[0], d), d.sum((0, 1))
    """,
    "recurrent": """
        def rnn_step_forward(x, prev_h, Wx, Wh, b): return x @ Wx + prev_h @ Wh + b, (x, prev_h, Wx, Wh)
        def rnn_step_backward(d, cache):
            x, h, Wx, Wh = cache
            return d @ Wx.T, d @ Wh.T, x.T @ d, h.T @ d, d.sum(0)
    """,
    "words": """
        def word_embedding_forward(x, W): return W[x], (x, W.shape)
        def word_embedding_backward(d, c):
            dW = np.zeros(c[1])
            np.add.at(dW, c[0], d)
            return dW
    """,
    "convolution": """
        def conv_forward_naive(x, w, b, conv_param):
            pad, stride, (F, C, HH, WW) = conv_param["pad"], conv_param["stride"], w.shape
            v = np.lib.stride_tricks.sliding_window_view(np.pad(x, [(0, 0), (0, 0), (pad, pad), (pad, pad)]), (HH, WW), (2, 3))
            v = v[:, :, ::stride, ::stride]
            return np.einsum("nchwij,fcij->nfhw", v, w) + b[:, None, None], (x.shape, v, w, pad, stride)
        def conv_backward_naive(d, cache):
            (N, C, H, W), v, w, pad, stride = cache
            dx, (h, k) = np.zeros((N, C, H + 2 * pad, W + 2 * pad)), d.shape[2:]
            for i, j in np.ndindex(w.shape[2:]):
                seen = dx[:, :, i : i + stride * h : stride, j : j + stride * k : stride]
                seen += np.einsum("nfhw,fc->nchw", d, w[:, :, i, j])
            return dx[:, :, pad:-pad, pad:-pad], np.einsum("nchwij,nfhw->fcij", v, d), d.sum((0, 2, 3))
    """,
    "pooling": """
        def max_pool_forward(x, pool_param):
            k, (N, C, H, W) = pool_param["pool_height"], x.shape
            assert pool_param["pool_width"] == pool_param["stride"] == k
            tiles = x.reshape(N, C, H // k, k, W // k, k)
            out = tiles.max((3, 5))
            return out, (tiles == out[:, :, :, None, :, None], x.shape)
        def max_pool_backward(d, c): return (c[0] * d[:, :, :, None, :, None]).reshape(c[1])
    """,
    "dropout": """
        def dropout_forward(x, keep_prob):
            mask = (np.random.rand(*x.shape) < keep_prob) / keep_prob
            return x * mask, mask
        def dropout_backward(d, mask): return d * mask
    """,
    "gradients by name": """
        def lin_forward(x, w, b): return x @ w + b, (x, w)
        def lin_backward(d, c): return {"dw": c[0].T @ d, "dx": d @ c[1].T, "db": d.sum(0)}
    """,
    "sums": """
        def add_forward(a, b): return a + b, None
        def add_backward(d, c): return d.copy(), d.copy()
    """,
    "products": """
        def matmul_forward(a, b): return a @ b, (a, b)
        def matmul_backward(d, c): return d @ c[1].T, c[0].T @ d
    """,
    "two layers": """
        def net_forward(x, w1, b1, w2, b2):
            h = np.maximum(x @ w1 + b1, 0)
            return h @ w2 + b2, (x, w1, w2, h)
        def net_backward(d, cache):
            x, w1, w2, h = cache
            dh = (d @ w2.T) * (h > 0)
            return dh @ w1.T, x.T @ dh, dh.sum(0), h.T @ d, d.sum(0)
    """,
    "a convolution with the channels last": """
        def conv_forward(A_prev, W, b, hparameters):
            assert A_prev.shape[-1] == W.shape[2] == 3
            return A_prev @ W[0, 0] + b, (A_prev, W)
        def conv_backward(dZ, cache):
            A, W = cache
            dW = np.zeros_like(W)
            dW[0, 0] = np.einsum("nhwc,nhwf->cf", A, dZ)
            return dZ @ W[0, 0].T, dW, dZ.sum((0, 1, 2), keepdims=True)
    """,
    "by keyword": """
        def scale_forward(x, *, gamma): return x * gamma, (x, gamma)
        def scale_backward(d, c): return d * c[1], (d * c[0]).sum(0)
    """,
}


@pytest.mark.parametrize("name", COURSE)
def test_what_courses_write_is_called_and_right(run, name):
    code, out, err = run(NUMPY, COURSE[name])
    assert code == 0, out + err
    assert out.endswith("1 pair: 1 right\n")
    assert err == ""


def test_optional_arrays_are_checked(run):
    code, out, _ = run("""
        def ln_forward(x, gamma=None, eps=1e-5): return (x if gamma is None else gamma * x), (x, gamma)
        def ln_backward(d, c): return (d, None) if c[1] is None else (d * c[1], (d * c[0]).sum(1))
    """)
    assert code == 1
    assert "ln: WRONG in dgamma" in out


# ---- what backward hands back ------------------------------------------------------------------------------------------


def test_none_is_a_gradient_forgotten(run):
    body = "def f_forward(x, scale): return x * x * scale, (x, scale)\ndef f_backward(d, c): return {}\n"
    code, out, _ = run(body.format("2 * d * c[0] * c[1], None"))
    assert code == 1
    assert "backward returned None for scale, and the output depends on it; return its gradient" in out
    assert "(a constant)" not in out
    code, out, _ = run(body.format("2 * d * c[0] * c[1], None").replace("scale", "y"))
    assert code == 0
    assert "dy  6x9    constant" in out


def test_several_outputs_of_different_shapes(run):
    code, out, _ = run("""
        def f_forward(x): return (x * 2, x.sum()), x.shape
        def f_backward(d, shape): return d[0] * 2 + d[1]
    """)
    assert code == 0
    assert "f: x (6, 9)\n" in out


def test_gradients_in_each_others_place(run):
    code, out, _ = run(AFFINE.replace("(x, w, b)", "(w, x, b)"))
    assert code == 1
    assert "dw and dx are in each other's place; return them in the order of forward's arguments: dw, dx, db\n" in out
    assert "expected the shape" not in out


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        (AFFINE.replace("(dout, cache)", "(cache)"), "yours takes (cache); give it both, and multiply by dout inside"),
        (AFFINE.replace("(dout, cache)", "(dout, dcell, cache)"), "several outputs are one tuple, `return (a, b), cache`"),
        (
            AFFINE.replace(", (x, w)\n", "\n"),
            "expected two values, (out, cache), got one array of shape (6, 4); end it with `return",
        ),
        (AFFINE.replace("def affine_f", "async def affine_f"), "affine_forward is async"),
        (AFFINE.replace("return dout", "yield dout"), "affine_backward is a generator"),
        (AFFINE.replace("(x, w, b)", "(self, x, w, b)"), "affine_forward takes self"),
        (AFFINE.replace("(x, w, b)", "(*args)"), "put @functools.wraps(f) above the wrapper"),
        (AFFINE.replace("return dout @ w.T, x.T @ dout,", "return dict(a=dout), "), "expected a tuple of arrays, one for each"),
        (
            AFFINE.replace("return dout @ w.T, x.T @ dout, dout.sum(axis=0)", "return dict(a=dout)"),
            "a dict with the keys a; expected dx",
        ),
        (AFFINE.replace("b, (x", "b.missing, (x"), "It came furthest with x (6, 9), w (9, 4), b (4,)"),
    ],
)
def test_pairs_made_for_another_call_are_told_so(run, pair, says):
    code, out, err = run(pair)
    assert code == 2
    assert says in out
    assert "could not check affine: " in out
    assert err == ""


@pytest.mark.parametrize(
    ("inputs", "says"),
    [
        ('def affine_inputs(rng): return {"w": np.eye(3, 4), "b": np.arange(4.0), "x": rng.random((5, 3))}', "1 right"),
        (
            'def affine_inputs(rng): return {"weight": np.eye(3)}',
            "affine_inputs returns weight, and affine_forward takes (x, w, b)",
        ),
        ("def affine_inputs(): return (np.eye(3),)", "affine_inputs returns no w, b, and affine_forward takes (x, w, b)"),
        ("def affine_inputs(n, m): return ()", "affine_inputs takes (n, m); expected affine_inputs(rng)"),
        ("def affine_inputs(): return np.eye(3)", "expected a tuple of inputs, got ndarray; for one input, return (x,)"),
        ("affine_inputs = (np.eye(3),)", "affine_inputs is a tuple; expected a function"),
        ("def affine_inputs(): return np.ones((0, 3)), np.eye(3), np.ones(3)", "returns x (0, 3): with no elements"),
        ("def affine_inputs(): return [0], [1], [2]", "expected at least one floating-point array, got list, list, list"),
    ],
)
def test_inputs_of_ones_own(run, inputs, says):
    code, out, _ = run(AFFINE, inputs)
    assert code == (0 if says == "1 right" else 2)
    assert says in out


def test_inputs_by_name_leave_the_others_at_their_defaults(run):
    pair = "def f_forward(x, power=2, scale=None): return scale * x**power, (x, scale)\n"
    pair += "def f_backward(d, c): return d * 2 * c[0] * c[1], None, (d * c[0] ** 2)\n"
    code, out, _ = run(pair, "def f_inputs(rng): return {'scale': rng.random(5), 'x': rng.random(5)}")
    assert code == 0
    assert "f: x (5,), power 2, scale (5,)\n" in out


def test_more_inputs_than_forward_takes(run):
    code, out, _ = run(RELU, NUMPY, "def relu_inputs(): return np.ones(3), np.ones(3)")
    assert code == 2
    assert "relu_inputs returns 2 inputs, and relu_forward takes (x)" in out


def test_of_several_inputs_that_forward_refuses_the_best_is_shown(run):
    code, out, _ = run("""
        def f_forward(x, w):
            N, C, H, W = x.shape
            raise RuntimeError("after this")
        def f_backward(dout, cache): return dout, cache
    """)
    assert code == 2
    assert "It came furthest with x (6, 8, 3, 5), w" in out
    assert "RuntimeError: after this" in out


def test_what_is_not_defined_there_asks_for_inputs(run):
    code, out, _ = run(NUMPY, "def f_forward(x): return np.log(x - 100), x\ndef f_backward(d, x): return d / (x - 100)\n")
    assert code == 2
    assert "write f_inputs(rng) beside it" in out


# ---- the file ----------------------------------------------------------------------------------------------------------


def test_pairs_under_other_names_and_what_is_not_looked_at(run):
    code, out, _ = run(
        AFFINE,
        """
        def affine_backward_alt(dout, cache): return 2 * dout @ cache[1].T, cache[0].T @ dout, dout.sum(axis=0)
        def gelu_forward(x): pass
        def svm_loss(x, y): pass
        class Layer:
            def forward(self): pass
            def backward(self): pass
        """,
    )
    assert code == 1
    assert "2 pairs: 1 right, 1 wrong (affine_alt" in out
    assert out.endswith(
        "\nnot looked at: gelu_forward (no counterpart is found)\nnot looked at: svm_loss (unfinished: it returns nothing)\n"
    )
    for name, options in (("::affine", ()), ("", ("--only", "affine"))):
        code, out, _ = run(AFFINE, "def svm_loss(x, y): pass", name=name, options=options)
        assert (code, out.endswith("1 pair: 1 right\n")) == (0, True)


def test_what_was_not_looked_at_changes_the_exit_code(run):
    assert run(AFFINE, "def gelu_forward(x): pass")[0] == 2
    assert run(AFFINE, "def gelu_forward(x): pass", options=["--allow-skipped"])[0] == 0


@pytest.mark.parametrize(
    ("file", "says", "code"),
    [
        (
            """
            LATER = False
            def relu_forward(x): return np.maximum(x, 0), x
            def relu_backward(dout, x):
                if LATER:
                    dout = 2 * dout
                return dout * (x > 0)
            """,
            "not checked: line ",
            2,
        ),
        (
            """
            class Scale:
                def __init__(self, weight): self.weight = weight
                def forward(self, x): return x * self.weight
                def backward(self, dout): return dout * self.weight
            """,
            "no gradient is looked for of weight",
            2,
        ),
        (
            """
            class Shift:
                def __init__(self, size): self.table = np.arange(float(size)) + 1
                def forward(self, x): return x * self.table
                def backward(self, dout): return dout * self.table
            """,
            "1 class: 1 right",
            0,
        ),
    ],
    ids=["a line", "a parameter", "a constant"],
)
def test_what_was_not_looked_at_in_a_pair_is_told_and_counts(run, file, says, code):
    found, said = run("import numpy as np", file)[:2]
    assert says in said
    assert found == code, said
    assert run(AFFINE, AFFINE.replace("affine", "alt").replace("dout @", "2 * dout @"), "def gelu_forward(x): pass")[0] == 1


def test_files_that_are_written_otherwise(run):
    relu = (NUMPY + textwrap.dedent(RELU)).encode()
    data = b"from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n" + relu
    for text in (b"\xef\xbb\xbf" + relu, b"# -*- coding: latin-1 -*-\nx = '\xe9'\n" + relu, relu.replace(b"\n", b"\r\n"), data):
        assert run(text)[0] == 0
    code, _, err = run(relu.decode().encode("utf-16"))
    assert code == 2
    assert "it is UTF-16; save it as UTF-8" in err


def test_neighbours_are_imported_even_late_and_shown(run, tmp_path):
    (tmp_path / "neighbour_of_layers.py").write_text("def mask(x):\n    raise ValueError('no mask')\n")
    late = (
        "def f_forward(x): return x, x\ndef f_backward(d, x):\n    from neighbour_of_layers import mask\n    return mask(x)\n"
    )
    before = list(sys.path)
    code, out, _ = run(late)
    assert sys.path == before
    assert code == 2
    assert "neighbour_of_layers.py:2, in mask\n    raise ValueError('no mask')\n  ValueError: no mask" in out


def test_a_file_of_a_package(tmp_path, capsys):
    package = tmp_path / "a_package_of_layers"
    package.mkdir()
    (package / "tools.py").write_text("import numpy as np\n")
    (package / "inner").mkdir()
    (package / "inner" / "other.py").write_text("from ..tools import np\n")
    (package / "layers.py").write_text("from .tools import np\n" + textwrap.dedent(RELU))
    (package / "inner" / "layers.py").write_text("from .other import np\n" + textwrap.dedent(RELU))
    for made in (None, "__init__.py", "inner/__init__.py"):  # no folder is a package, one, both
        if made:
            (package / made).write_text("")
        assert main(["check", str(package / "layers.py")]) == 0, capsys.readouterr()
        assert main(["check", str(package / "inner" / "layers.py")]) == 0, capsys.readouterr()


def test_a_folder_in_one_of_the_same_name(tmp_path):
    inner = tmp_path / "hw_of_a_course" / "hw_of_a_course"
    inner.mkdir(parents=True)
    (inner / "tools_of_it.py").write_text("import numpy as np\n")
    (inner / "layers.py").write_text("from hw_of_a_course.hw_of_a_course.tools_of_it import np\n" + textwrap.dedent(RELU))
    assert main(["check", str(inner / "layers.py")]) == 0


def test_a_file_runs_as_python_would_run_it_and_leaves_no_trace(run):
    here, arguments = os.getcwd(), sys.argv
    code, _, err = run(
        NUMPY,
        "import os, sys, warnings\nassert sys.argv == ['layers.py']\nos.chdir('/')\nnp.seterr(all='raise')",
        "print('partial', end='')",
        RELU.replace("return dout", "print('back', flush=True)\n        warnings.warn(f'at {dout[0]}')\n        return dout"),
    )
    assert code == 0, err
    assert (os.getcwd(), sys.argv) == (here, arguments)
    lines = err.splitlines()
    assert lines[:3] == ["printed by layers.py (each line once):", "  partial", "  back"]
    assert re.match(r"  layers.py:\d+: UserWarning: at \[", lines[3])
    assert len(lines) < 7


def test_a_logger_keeps_its_stream(run):
    log = "import logging, sys\nlog = logging.getLogger('layers')\nlog.addHandler(logging.StreamHandler(sys.stdout))\n"
    code, _, err = run(NUMPY, log, RELU.replace("return dout", "log.warning('back')\n        return dout"))
    assert code == 0
    assert err == "printed by layers.py (each line once):\n  back\n"


def test_a_file_that_asks_is_not_answered(run):
    code, _, err = run("input('how many? ')")
    assert code == 2
    assert "it asks for something to be typed in" in err


# ---- options and output ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--seed", "-1"], "expected a whole number, 0 or more, got '-1'"),
        (["--layer", "LayerNrom"], "expected one of ReLU, Linear"),
        (["--html", "nowhere/page.html"], "there is no directory"),
        (["--html", "."], "it is a directory"),
    ],
)
def test_options_are_refused_before_the_work(run, capsys, options, says):
    with pytest.raises(SystemExit) as refused:
        run("print('run')", options=options)
    assert refused.value.code == 2
    assert says in capsys.readouterr().err


def test_a_layer_under_pytorchs_name_is_known(run):
    assert run(LAYERNORM, NUMPY, options=["--layer", "LayerNorm1d"])[0] == 1


def test_terminals_without_all_the_signs(tmp_path):
    (tmp_path / "layers.py").write_text(textwrap.dedent(AFFINE).replace("dout.sum", "dout.mean"), encoding="utf-8")
    environment = os.environ | {"PYTHONIOENCODING": "cp1252"}
    command = [sys.executable, "-m", "tinynorm", "check", str(tmp_path / "layers.py")]
    result = subprocess.run(command, capture_output=True, check=False, env=environment)
    assert result.returncode == 1
    assert result.stderr == b""
    assert b"WRONG in db" in result.stdout


def test_names_are_escaped_in_the_page(run, tmp_path):
    page = tmp_path / "page.html"
    run(
        "globals()['<b>_forward'] = lambda x: (x * 2, None)\nglobals()['<b>_backward'] = lambda d, c: 2 * d",
        "globals()['<i>_forward'] = lambda x: (x * 2, None)\nglobals()['<i>_backward'] = lambda d, c: 1 / 0",
        options=["--html", str(page)],
    )
    html = page.read_text(encoding="utf-8")
    assert "<h2>&lt;b&gt;</h2>" in html
    assert "could not check &lt;i&gt;: it raises" in html
    assert not {"<b>_", "<h2><b>", "<i>"} & {html[i : i + 7] for i in range(len(html))}
    assert "color-scheme: light dark" in html


def test_long_sentences_are_wrapped_but_no_shape():
    text = wrapped(f"could not check f: {'long words ' * 6}and x (2, 3, 4, 5, 6)\n  {'code ' * 40}")
    first, second, code = text.splitlines()
    assert len(first) <= 100
    assert second.strip().endswith("(2, 3, 4, 5, 6)")
    assert len(code) > 100
