"""Pairs as courses write them: several outputs, extra values, no cache, parameters in a dict, names in any order."""

import ast
import textwrap

import pytest

from tinynorm.command.functions.find_pairs import find_pairs
from tinynorm.command.load.load_file import load
from tinynorm.command.read.read_code import code_of
from tinynorm.command.run_code import Prints
from tinynorm.command.verdict.check_pair import check_pair

HEAD = """
import numpy as np
def s(z): return 1 / (1 + np.exp(-z))
"""
AFFINE = """
def a_forward(x, w, b): return x @ w + b, (x, w)
def a_backward(dout, cache):
    x, w = cache
    dx, dw, db = dout @ w.T, x.T @ dout, dout.sum(0)
    return dx, dw, db
"""
LSTM = """
def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    i, f, o, g = np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)
    i, f, o, g = s(i), s(f), s(o), np.tanh(g)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)
def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, c = cache
    t = np.tanh(c)
    dc = dnext_c + dnext_h * o * (1 - t**2)
    da = np.hstack([dc * g * i * (1 - i), dc * prev_c * f * (1 - f), dnext_h * t * o * (1 - o), dc * i * (1 - g**2)])
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(0)
"""
RNN_CELL = """
def rnn_cell_forward(xt, a_prev, parameters):
    Wax, Waa, Wya = parameters["Wax"], parameters["Waa"], parameters["Wya"]
    a_next = np.tanh(Wax @ xt + Waa @ a_prev + parameters["ba"])
    yt_pred = Wya @ a_next + parameters["by"]
    cache = (a_next, a_prev, xt, parameters)
    return a_next, yt_pred, cache
def rnn_cell_backward(da_next, cache):
    a_next, a_prev, xt, parameters = cache
    d = (1 - a_next**2) * da_next
    return {"dxt": parameters["Wax"].T @ d, "da_prev": parameters["Waa"].T @ d, "dWax": d @ xt.T, "dWaa": d @ a_prev.T,
            "dba": d.sum(1, keepdims=True)}
"""
BATCHNORM = """
def bn_forward(x, gamma, beta, running_mean, running_var, eps=1e-5):
    mu, var = x.mean(0), x.var(0)
    xh = (x - mu) / np.sqrt(var + eps)
    return gamma * xh + beta, (xh, gamma, var), 0.9 * running_mean + 0.1 * mu, 0.9 * running_var + 0.1 * var
def bn_backward(dout, cache):
    xh, gamma, var = cache
    g = dout * gamma
    return (g - g.mean(0) - xh * (g * xh).mean(0)) / np.sqrt(var + 1e-5), (dout * xh).sum(0), dout.sum(0)
"""
BY_NAME = """
def bn_forward(x, gamma, beta, eps=1e-5):
    mean, var = x.mean(0), x.var(0)
    out = gamma * (x - mean) / np.sqrt(var + eps) + beta
    return out, mean, var
def bn_backward(dout, x, gamma, mean, var, eps):
    r = 1 / np.sqrt(var + eps)
    xh, g = (x - mean) * r, dout * gamma
    return r * (g - g.mean(0) - xh * (g * xh).mean(0)), (dout * xh).sum(0), dout.sum(0)
"""
NETWORK = """
def forward_propagation(X, parameters):
    W1, b1, W2, b2 = (parameters[key] for key in ("W1", "b1", "W2", "b2"))
    A1 = np.tanh(parameters["W1"] @ X + parameters["b1"])
    A2 = s(parameters["W2"] @ A1 + parameters["b2"])
    return A2, {"A1": A1, "A2": A2}
def backward_propagation(parameters, cache, X, Y):
    m, dZ2 = X.shape[1], cache["A2"] - Y
    dZ1 = parameters["W2"].T @ dZ2 * (1 - cache["A1"] ** 2)
    return {"dW1": dZ1 @ X.T / m, "db1": dZ1.sum(1, keepdims=True) / m, "dW2": dZ2 @ cache["A1"].T / m,
            "db2": dZ2.sum(1, keepdims=True) / m}
"""
COST = """
def compute_cost(A2, Y): return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]
"""
LAYERS = """
def L_model_forward(X, parameters):
    A, caches, L = X, [], len(parameters) // 2
    for l in range(1, L + 1):
        W, b = parameters["W" + str(l)], parameters[f"b{l}"]
        caches.append((A, W))
        A = s(W @ A + b)
    AL = A
    return AL, caches
def L_model_backward(dA, AL, caches):
    grads, A = {}, AL
    for l in reversed(range(len(caches))):
        dZ = dA * A * (1 - A)
        A, W = caches[l]
        grads[f"dW{l + 1}"], grads[f"db{l + 1}"] = dZ @ A.T, dZ.sum(1, keepdims=True)
        dA = W.T @ dZ
    return grads
"""
POOL = """
def pool_forward(A_prev, hparameters, mode="max"):
    f = hparameters["f"]
    assert f == hparameters["stride"]
    m, h, w, c = A_prev.shape
    tiles = A_prev.reshape(m, h // f, f, w // f, f, c)
    if mode == "max":
        A = tiles.max((2, 4))
    elif mode == "average":
        A = tiles.mean((2, 4))
    return A, (A_prev.shape, tiles, A, f)
def pool_backward(dA, cache, mode="max"):
    shape, tiles, A, f = cache
    share = tiles == A[:, :, None, :, None] if mode == "max" else np.full(tiles.shape, 1 / f**2)
    return (share * dA[:, :, None, :, None]).reshape(shape)
"""
SLOPES = """
def sigmoid(x): return s(x)
def sigmoid_derivative(x): return s(x) * (1 - s(x))
def tanh(x): return np.tanh(x)
def tanh_prime(y): return 1 - y**2
def leaky(x, alpha=0.01): return np.where(x > 0, x, alpha * x)
def dleaky(x, alpha=0.01): return np.where(x > 0, 1, alpha)
def nonlin(x, deriv=False): return x * (1 - x) if deriv else s(x)
def mse(y_true, y_pred): return np.mean((y_true - y_pred) ** 2)
def mse_prime(y_true, y_pred): return 2 * (y_pred - y_true) / y_true.size
"""
REGRESSION = """
def compute_cost(X, y, w, b): return ((X @ w + b - y) ** 2).sum() / (2 * len(X))
def compute_gradient(X, y, w, b):
    err = X @ w + b - y
    dj_dw, dj_db = X.T @ err / len(X), err.sum() / len(X)
    return dj_db, dj_dw
"""


def affine(signature, *mended, result="x @ w + b, (x, w)", body="x, w = cache"):
    text = AFFINE.replace("(dout, cache)", signature).replace("x @ w + b, (x, w)", result).replace("x, w = cache", body)
    for old, new in mended:
        text = text.replace(old, new)
    return text


RIGHT = {
    "a cotangent for each output": LSTM,
    "an output without one": RNN_CELL,
    "a tuple of outputs": """
        def two_forward(x, w): return (x * 2, x @ w), (x, w)
        def two_backward(da, db, cache): return 2 * da + db @ cache[1].T, cache[0].T @ db
    """,
    "extra values": BATCHNORM,
    "results by name": BY_NAME,
    "the cache first": affine("(dout, cache)", result="(x, w), x @ w + b")
    .replace("return (x, w), x @ w + b", "\n    cache = {'x': x, 'w': w}\n    return cache, x @ w + b")
    .replace("x, w = cache", 'x, w = cache["x"], cache["w"]'),
    "swapped": affine("(cache, dout)"),
    "spread": affine("(dout, *cache)"),
    "the rest is the cache": affine("(dout, cache)", result="x @ w + b, x, w"),
    "no cache": affine("(dZ, x, w)", ("dout", "dZ"), result="x @ w + b", body="pass"),
    "names in another case": affine("(dout, X, W)", result="x @ w + b", body="x, w = X, W"),
    "inputs for a cache": affine("(dout, cache)", result="x @ w + b", body="x, w, b = cache"),
    "both": affine("(dout, x, w, b)", body="pass"),
    "an order told by names": affine("(dout, cache)", ("return dx, dw, db", "return dw, db, dx")),
    "keys": affine("(dout, cache)", ("return dx, dw, db", 'return {"grad_w": dw, "b": db, "dx": dx}')),
    "keys beside dx": affine("(dout, cache)", ("return dx, dw, db", 'return dx, {"w": dw, "b": db}')),
    "camel case": affine("(gradOutput, cache)", ("a_f", "aF"), ("a_b", "aB"), ("dout", "gradOutput")),
    "the mark first": affine("(dout, cache)", ("a_forward", "fwd_a"), ("a_backward", "bwd_a")),
    "the output itself": """
        def softmax(x):
            e = np.exp(x - x.max(1, keepdims=True))
            return e / e.sum(1, keepdims=True)
        def softmax_backward(dout, out): return out * (dout - (dout * out).sum(1, keepdims=True))
    """,
    "parameters of any number of layers": LAYERS,
    "two modes": POOL,
    "derivatives": SLOPES,
    "a loss without dout": REGRESSION,
    "a network and its cost": NETWORK + COST,
    "a network and a common cost": NETWORK,
    "unknown names": """
        def scale_forward(foo, bar): return foo * bar
        def scale_backward(dout, foo, bar): return dout * bar, dout * foo
    """,
    "dropout": """
        def dropout_forward(x, dropout_ratio=0.5, train_flg=True):
            mask = np.random.rand(*x.shape) > dropout_ratio
            return (x * mask, mask) if train_flg else (x * (1 - dropout_ratio), None)
        def dropout_backward(dout, mask): return dout * mask
    """,
    "attention": """
        def attend_forward(X, Wq, Wk, Wv, Wo):
            q, k, v = X @ Wq, X @ Wk, X @ Wv
            return (q * k + v) @ Wo, (X, Wq, Wk, Wv, Wo, q, k, v)
        def attend_backward(dout, cache):
            X, Wq, Wk, Wv, Wo, q, k, v = cache
            d = dout @ Wo.T
            dq, dk = d * k, d * q
            return dq @ Wq.T + dk @ Wk.T + d @ Wv.T, X.T @ dq, X.T @ dk, X.T @ d, (q * k + v).T @ dout
    """,
}
WRONG = {
    "one of two cotangents is lost": (LSTM.replace("dc = dnext_c + ", "dc = "), "WRONG in dx"),
    "a wrong key": (RNN_CELL.replace('"dWax": d @ xt.T', '"dWax": 2 * d @ xt.T'), "2 times the right gradient"),
    "gradients in each other's place": (
        affine("(dout, cache)", ("return dx, dw, db", "return x.T @ dout, dout @ w.T, db")),
        "dx and dw are in each other's place",
    ),
    "names in their place, values not": (
        affine("(dout, cache)", ("dx, dw, db = dout @ w.T, x.T @ dout", "dw, dx, db = dout @ w.T, x.T @ dout")),
        "dx and dw are in each other's place",
    ),
    "no cache": (
        affine("(dZ, x, w)", ("dout.sum(0)", "dZ.mean(0)"), ("dout", "dZ"), result="x @ w + b", body="pass"),
        "WRONG in db",
    ),
    "the other mode": (POOL.replace("1 / f**2", "1 / f"), "it is right with A_prev"),
    "neither x nor the output": (SLOPES.replace("1 - y**2", "1 - y"), "WRONG in dx"),
    "a network against the file's cost": (
        NETWORK.replace('db2": dZ2.sum(1, keepdims=True) / m', 'db2": dZ2.sum(1, keepdims=True)') + COST,
        "WRONG in db2",
    ),
    "a loss without dout": (REGRESSION.replace("err.sum() / len(X)", "err.sum()"), "WRONG in db"),
    "the sign": (SLOPES.replace("2 * (y_pred - y_true)", "2 * (y_true - y_pred)"), "mse: WRONG in dy_pred"),
}
SWAPPED = AFFINE.replace("return dx, dw, db", "return dw, dx, db")
SWAPPED_TWICE = {
    "and the docstring promises another": SWAPPED.replace(
        "    x, w = cache",
        '    """Returns a tuple of:\n    - dx: of shape (N, D)\n    - dw: (D, M)\n    - db: (M,)"""\n    x, w = cache',
    ),
    "and a caller takes them in another": SWAPPED + "def use(dout, cache): dx, dw, db = a_backward(dout, cache)\n",
}


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check a file of this text, by few elements of each input; returns the results."""
    monkeypatch.setattr("tinynorm.command.verdict.make_report.EXHAUSTIVE", 8)

    def of(text):
        path, prints = tmp_path / "layers.py", Prints()
        path.write_text(HEAD + textwrap.dedent(text))
        return [check_pair(pair, 0, None, prints) for pair in find_pairs(load(path, prints), path, None)[0]]

    return of


def said(results):
    return "\n".join(result.reason or f"{result.inputs}\n{result.report}" for result in results)


@pytest.mark.parametrize("name", RIGHT)
def test_what_courses_write_is_right(check, name):
    results = check(RIGHT[name])
    assert results
    assert {result.verdict for result in results} == {"right"}, said(results)


@pytest.mark.parametrize("name", WRONG)
def test_and_its_mistakes_are_found(check, name):
    text, says = WRONG[name]
    results = check(text)
    assert "wrong" in {result.verdict for result in results}, said(results)
    assert says in " ".join(said(results).split())


@pytest.mark.parametrize("name", SWAPPED_TWICE)
def test_names_are_no_excuse_for_an_order_that_the_file_contradicts(check, name):
    (result,) = check(SWAPPED_TWICE[name])
    assert result.verdict == "wrong"
    assert "dx and dw are in each other's place" in said([result])
    (result,) = check(SWAPPED)
    assert result.verdict == "right"
    assert "the gradients are read by their names: a_backward returns those of w, x, b" in said([result])
    assert result.nuance == "returned in the order w, x, b"


def test_a_loss_that_the_file_does_not_have_is_named(check):
    (result,) = check(NETWORK)
    assert "Y: 0 or 1, drawn; loss: binary cross-entropy divided by the samples in columns" in said([result])
    (result,) = check(NETWORK.replace('cache["A2"] - Y', 'cache["A2"] ** 2 - Y'))
    assert result.verdict == "not checked"
    assert "it is the gradient of no common one" in said([result])


def test_with_one_output_no_term_of_the_cost_is_lost(check):
    """Were all targets 1, a wrong 1 - Y would not show."""
    one = NETWORK.replace(
        'dZ2 = X.shape[1], cache["A2"] - Y', "A2 = X.shape[1], cache['A2']\n    dZ2 = Y * (A2 - 1) + (1 - Y) * A2"
    )
    cost = COST.replace("np.sum(Y", "np.mean(Y").replace(" / Y.shape[1]", "")
    assert [result.verdict for result in check(one + cost)] == ["right"]
    assert [result.verdict for result in check(one.replace("(1 - Y)", "(1 + Y)") + cost)] == ["wrong"]


PACKED = """
import numpy as np
def stack_forward(x, layers):
    kept = []
    for w, b in layers:
        kept.append(x)
        x = np.tanh(x @ w + b)
    return x, (kept, x)
def stack_backward(dout, cache, layers):
    kept, out = cache
    grads = []
    for i in reversed(range(len(layers))):
        dz = dout * (1 - out**2)
        grads.insert(0, (kept[i].T @ dz, dz.sum(0)))
        dout, out = dz @ layers[i][0].T, kept[i]
    return dout, grads
def scale(x, factor):
    def back(g):
        return g * factor, np.sum(g * x)
    return x * factor, back
class Functions:
    def tanh(self, x): return np.tanh(x)
    def tanh_vjp(self, g, ans, x): return g * (1 - ans**2)
"""


def test_parameters_in_a_list_a_backward_made_in_forward_and_methods(check):
    results = check(PACKED)
    assert [(result.name, result.verdict) for result in results] == [
        ("stack", "right"),
        ("scale", "right"),
        ("Functions.tanh", "right"),
    ], said(results)
    assert results[0].inputs == "x (6, 9), w1 (9, 4), b1 (4,), w2 (4, 7), b2 (7,), w3 (7, 5), b3 (5,)"
    results = check(PACKED.replace("kept[i].T", "2 * kept[i].T").replace("g * factor", "g").replace("1 - ans", "1 + ans"))
    assert [result.verdict for result in results] == ["wrong"] * 3, said(results)


NUMBERS = """
import numpy as np
def elu_forward(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1)), (x, alpha)
def elu_backward(dout, cache):
    x, alpha = cache
    return dout * np.where(x > 0, 1, alpha * np.exp(x))
def relu6_forward(x):
    return np.clip(x, 0, 6), x
def relu6_backward(dout, x):
    return dout * (x > 0) * (x < 6)
"""


def test_a_default_and_a_limit_in_the_code_are_tried_from_both_sides(check):
    elu, relu6 = results = check(NUMBERS)
    assert (elu.verdict, "and alpha 0.7" in elu.inputs) == ("right", True), said(results)
    assert (relu6.verdict, "and x up to 9" in relu6.inputs) == ("right", True), said(results)
    results = check(NUMBERS.replace("alpha * np.exp(x))", "np.exp(x))").replace(" * (x < 6)", ""))
    assert [result.verdict for result in results] == ["wrong"] * 2, said(results)


PARAMETERS_OF_THE_FILE = """
W, b = np.random.randn(9, 4), np.zeros(4)
def scores_forward(x): return x @ W + b, x
def scores_backward(dout, x):
    dW, db = x.T @ dout, dout.sum(axis=0)
    return dout @ W.T, dW, db
"""


@pytest.mark.parametrize(("db", "verdict"), [("dout.sum(axis=0)", "right"), ("dout.mean(axis=0)", "wrong")])
def test_parameters_at_module_level_are_checked(check, db, verdict):
    (result,) = check(PARAMETERS_OF_THE_FILE.replace("dout.sum(axis=0)", db))
    assert result.verdict == verdict, result.reason
    assert [found.name for found in result.report.inputs if found.ok is False] == ["b"] * (verdict == "wrong")
    assert {found.name for found in result.report.inputs} == {"x", "W", "b"}


def test_lines_of_a_method_may_begin_at_the_left_edge(tmp_path):
    path = tmp_path / "layers.py"
    path.write_text('class Layer:\n    def forward(self, x):\n        """Of\ntwo lines."""\n# y = x\n        return 2 * x\n')
    code = code_of(load(path, Prints())["Layer"].forward)
    assert code is not None
    assert (code.body[-1].lineno, ast.unparse(code.body[-1])) == (5, "return 2 * x")


OTHER_WAYS = """
import numpy as np
def fc(x, w, b): return w @ x + b
def fc_backward(dl_dy, x, w, b): return dl_dy @ w, dl_dy.T @ x.T, dl_dy
def pool_forward(z, pooling, strides=(2, 2)):
    a, b = z.shape[2] // pooling[0], z.shape[3] // pooling[1]
    return z.reshape(*z.shape[:2], a, pooling[0], b, pooling[1]).mean((3, 5))
def pool_backward(next_dz, z, pooling, strides=(2, 2)):
    return np.kron(next_dz, np.ones((1, 1, 2, 2))) / 4
def hinge(x): return np.maximum(0, 1 - x)
def hinge_grad(x): return -1 if x < 1 else 0
"""


def test_derivatives_as_rows_a_pair_of_sizes_and_a_slope_of_a_number(check):
    results = check(OTHER_WAYS)
    assert [result.verdict for result in results] == ["right"] * 3, said(results)
    assert results[0].inputs == "x (6, 1), w (4, 6), b (4, 1)"
    wrong = OTHER_WAYS.replace("dl_dy @ w,", "2 * dl_dy @ w,").replace("/ 4", "/ 2").replace("x < 1 else", "x < 2 else")
    assert [result.verdict for result in check(wrong)] == ["wrong"] * 3


def test_what_else_a_cell_takes_is_a_state(check):
    cell = HEAD + LSTM.replace("prev_h", "h_in").replace("prev_c", "ct_1")
    (result,) = check(cell)
    assert (result.verdict, "h_in (6, 4), ct_1 (6, 4)" in result.inputs) == ("right", True), result.reason
    assert check(cell.replace("dc * f, x.T", "dc, x.T"))[0].verdict == "wrong"
