"""`tinynorm check` on losses: one function that returns (loss, gradients), as course assignments write it."""

import textwrap

import pytest

from tinynorm.command.main import main

SOFTMAX = """
def softmax_loss(x, y):
    N = x.shape[0]
    shifted = x - np.max(x, axis=1, keepdims=True)
    probs = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    loss = -np.sum(np.log(probs[np.arange(N), y])) / N
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx
"""
SVM = """
def svm_loss(x, y):
    N = x.shape[0]
    margins = np.maximum(0, x - x[np.arange(N), y][:, None] + 1.0)
    margins[np.arange(N), y] = 0
    dx = np.zeros_like(x)
    dx[margins > 0] = 1
    dx[np.arange(N), y] -= np.sum(margins > 0, axis=1)
    return margins.sum() / N, dx / N
"""
MSE = """
def mse_loss(pred, target):
    return np.mean((pred - target) ** 2), 2 * (pred - target) / pred.size
"""
LINEAR = """
def svm_loss_vectorized(W, X, y, reg):
    N = X.shape[0]
    scores = X @ W
    margins = np.maximum(0, scores - scores[np.arange(N), y][:, None] + 1)
    margins[np.arange(N), y] = 0
    loss = margins.sum() / N + reg * np.sum(W * W)
    mask = (margins > 0).astype(float)
    mask[np.arange(N), y] = -mask.sum(axis=1)
    dW = X.T @ mask / N
    dW += 2 * reg * W
    return loss, dW
"""
COLUMNS = """
def svm_loss(W, X, y, reg=0.0):
    N = X.shape[1]
    scores = W.dot(X)  # (C, N)
    margins = np.maximum(0, scores - scores[y, np.arange(N)] + 1)
    margins[y, np.arange(N)] = 0
    mask = (margins > 0).astype(float)
    mask[y, np.arange(N)] = -mask.sum(axis=0)
    return margins.sum() / N + 0.5 * reg * np.sum(W ** 2), mask @ X.T / N + reg * W
"""
ONE_HOT = """
def softmax_loss(A, Y):
    P = np.exp(A - A.max(axis=0))
    P /= P.sum(axis=0)
    m = A.shape[1]
    loss = -(Y * np.log(P)).sum() / m
    return loss, (P - Y) / m
"""
NET = """
def two_layer_net_loss(params, X, y=None, reg=0.0):
    W1, b1, W2, b2 = params["W1"], params["b1"], params["W2"], params["b2"]
    h = np.maximum(0, X @ W1 + b1)
    scores = h @ W2 + b2
    if y is None:
        return scores
    N, grads = len(X), {}
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[np.arange(N), y]).mean() + 0.5 * reg * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
    p[np.arange(N), y] -= 1
    p /= N
    dh = p @ W2.T * (h > 0)
    grads["W2"] = h.T @ p + reg * W2
    grads["b2"] = p.sum(axis=0)
    grads["W1"] = X.T @ dh + reg * W1
    grads["b1"] = dh.sum(axis=0)
    return loss, grads
"""
TEMPORAL = """
def temporal_softmax_loss(x, y, mask, verbose=False):
    N, T, V = x.shape
    x_flat, y_flat, m = x.reshape(N * T, V), y.reshape(N * T), mask.reshape(N * T)
    probs = np.exp(x_flat - x_flat.max(axis=1, keepdims=True))
    probs /= probs.sum(axis=1, keepdims=True)
    loss = -np.sum(m * np.log(probs[np.arange(N * T), y_flat])) / N
    dx_flat = probs.copy()
    dx_flat[np.arange(N * T), y_flat] -= 1
    dx_flat /= N
    dx_flat *= m[:, None]
    return loss, dx_flat.reshape(N, T, V)
"""
LOGISTIC = """
def logistic_loss(X, y, w, b):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -np.log(p[y == 1]).sum() - np.log(1 - p[y == 0]).sum()
    return loss, {"dw": X.T @ (p - y), "db": (p - y).sum(axis=0, keepdims=True)}

def logistic_inputs(rng):
    return rng.standard_normal((5, 3)), np.array([0, 1, 1, 0, 1]), rng.standard_normal(3), rng.standard_normal(1)
"""
SEVERAL = """
def linear_loss(x, w, y):
    d = x @ w - y
    return (d ** 2).sum(), 2 * x.T @ d, 2 * d @ w.T
""".replace("2 * x.T @ d, 2 * d @ w.T", "dw, dx").replace("    return", "    dw, dx = 2 * x.T @ d, 2 * d @ w.T\n    return")


@pytest.fixture
def check(tmp_path, capsys, monkeypatch):
    """Check a file of this text; returns (exit code, what was printed, what was complained of)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinynorm.gradcheck.report.text.WIDTH", 1000)

    def of(text):
        (tmp_path / "losses.py").write_text("import numpy as np\n" + textwrap.dedent(text))
        return main(["check", "losses.py"]), *capsys.readouterr()

    return of


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        (SOFTMAX, "softmax_loss: x (6, 9), y (6,)"),
        (SVM, "svm_loss: x (6, 9), y (6,)"),
        (MSE, "mse_loss: pred (6, 9), target (6, 9)"),
        (LINEAR, "svm_loss_vectorized: W (9, 4), X (6, 9), y (6,), reg 0.7"),
        (COLUMNS, "svm_loss: W (4, 6), X (6, 9), y (9,), reg 0.7"),
        (NET, "two_layer_net_loss: W1 (9, 4), b1 (4,), W2 (4, 7), b2 (7,), X (6, 9), y (6,), reg 0.7"),
        (TEMPORAL, "temporal_softmax_loss: x (6, 3, 9), y (6, 3), mask (6, 3)"),
        (LOGISTIC, "logistic_loss: X (5, 3), y (5,), w (3,), b (1,)"),
        (SEVERAL, "linear_loss: x (6, 9), w (9, 4), y (6, 4)"),
    ],
)
def test_a_right_loss_is_right(check, text, inputs):
    code, out, err = check(text)
    assert code == 0, out + err
    assert f"{inputs}\n" in out
    assert "1 loss: 1 right\n" in out
    assert "depends on" not in out


@pytest.mark.parametrize(
    ("text", "right", "wrong", "said"),
    [
        (SOFTMAX, "    dx /= N\n", "", "WRONG in dx"),  # the mean's factor
        (SOFTMAX, "return loss, dx", "return loss, -dx", "WRONG in dx"),  # the sign
        (SOFTMAX, "    dx[np.arange(N), y] -= 1\n", "", "WRONG in dx"),
        (SVM, "    dx[np.arange(N), y] -= np.sum(margins > 0, axis=1)\n", "", "WRONG in dx"),
        (MSE, "/ pred.size", "/ len(pred)", "WRONG in dpred"),
        (LINEAR, "X.T @ mask / N", "X.T @ mask", "WRONG in dW"),
        (LINEAR, "2 * reg * W", "reg * W", "WRONG in dW"),
        (LINEAR, "    dW += 2 * reg * W\n", "", "WRONG in dW"),
        (LINEAR, "return loss, dW", "return loss, dW.T", "dW: expected the shape of W, (9, 4), got (4, 9)"),
        (NET, " + reg * W1\n", "\n", "WRONG in dW1"),
        (NET, '    grads["b1"] = dh.sum(axis=0)\n', "", "the loss has no gradient for b1, and it depends on it"),
        (TEMPORAL, "    dx_flat *= m[:, None]\n", "", "WRONG in dx"),
        (LOGISTIC, '"db": (p - y).sum(', '"db": (p - y).mean(', "WRONG in db"),
        (SEVERAL, "2 * d @ w.T", "d @ w.T", "WRONG in dx"),
    ],
)
def test_a_wrong_loss_is_wrong(check, text, right, wrong, said):
    assert text.count(right) == 1
    code, out, _ = check(text.replace(right, wrong))
    assert code == 1, out
    assert said in out


def test_parameters_from_the_users_inputs_may_have_computed_keys(check):
    """The code does not tell the keys; the dict that NAME_inputs returns does. What has a default may be left out of it."""
    text = """
    def net_loss(params, X, y=None, reg=0.0):
        loss, grads = 0.0, {}
        for i in range(2):
            name = "W%d" % i
            d = X @ params[name] - y
            loss += (d ** 2).sum()
            grads[name] = 2 * X.T @ d
        return loss, grads

    def net_loss_inputs(rng):
        return {"W0": rng.random((3, 2)), "W1": rng.random((3, 2))}, rng.random((4, 3)), rng.random((4, 2))
    """
    code, out, _ = check(text)
    assert code == 0, out
    assert "W0 (3, 2), W1 (3, 2), X (4, 3), y (4, 2), reg 0.0\n" in out
    code, out, _ = check(text.replace("2 * X.T", "X.T"))
    assert code == 1
    assert "WRONG in dW0, dW1" in out


def test_a_loss_without_a_gradient_is_left_over(check):
    """What it returns beside the loss may be probabilities or an accuracy."""
    others = """
def l2_loss(x, y):
    return np.mean((x - y) ** 2)

def report_loss(x, y):
    probs_all = np.exp(x)
    return np.mean(probs_all), probs_all, np.sum(probs_all > y) / len(y)
"""
    code, out, _ = check(SVM + others)
    assert code == 2
    assert "1 loss: 1 right\n" in out
    reason = "(no gradient is seen in what it returns)"
    assert f"not looked at: l2_loss {reason}\nnot looked at: report_loss {reason}\n" in out


def test_a_loss_that_calls_another_is_one_too(check):
    code, out, _ = check(SVM + "\ndef both_loss(x, y):\n    return svm_loss(2 * x, y)\n")
    assert code == 1
    assert "2 losses: 1 right, 1 wrong (both_loss)\n" in out


def test_one_hot_targets_may_stand_in_columns(check):
    code, out, err = check(ONE_HOT)
    assert code == 0, out + err
    assert "softmax_loss: A (6, 9), Y (6, 9), one-hot in columns\n" in out
    code, out, _ = check(ONE_HOT.replace("(P - Y) / m", "P - Y"))
    assert code == 1
    pair = ONE_HOT.replace("loss(A, Y):", "forward(A, Y):").replace("loss, (P - Y) / m", "loss, (P - Y) / m\n")
    code, out, err = check(pair + "\ndef softmax_backward(dout, d):\n    return dout * d\n")
    assert code == 0, out + err


def test_the_other_kind_of_targets_is_tried_where_forward_takes_both(check):
    """They give the same loss. The gradient of a loss behind a pair without dout is that of its parameter."""
    code, out, _ = check("""
def cross_entropy(x, t):
    e = np.exp(x - x.max(1, keepdims=True))
    y = e / e.sum(1, keepdims=True)
    if t.ndim == 2:
        return -np.sum(t * np.log(y)) / len(x), (y - t) / len(x)
    dx = y.copy()
    dx[np.arange(len(x)), t] -= 1
    return -np.mean(np.log(y[np.arange(len(x)), t])), dx / len(x)
def cost(theta, X, y): return np.mean((X @ theta - y) ** 2) / 2
def gradient(theta, X, y): return X.T @ (X @ theta - y) / len(y)
""")
    assert code == 0, out
    assert "cross_entropy: x (6, 9), t (6,); and t one-hot\n" in out
    assert "cost: theta (9,), X (6, 9), y (6,)\n" in out


def test_the_numbers_are_those_that_the_user_prints(check):
    """Where nothing comes into backward from behind, dout is 1: else the missing penalty would seem to be 0.000077 W.

    Nor is a penalty so small that it is taken for a tiny number in the logarithm.
    """
    code, out, _ = check("""
def softmax_loss(W, X, y):
    e = np.exp(X @ W)
    p = e / e.sum(axis=1, keepdims=True)
    at = np.arange(len(y)), y
    loss = -np.mean(np.log(p[at])) + 0.00005 * np.sum(W * W)
    p[at] -= 1
    return loss, X.T @ p / len(y)
""")
    assert code == 1
    assert "dW: the term 0.0001 * W is missing: add it" in out


def test_a_gradient_of_other_things_is_not_that_of_the_loss(check):
    """Nor is a step; `gradient` alone is the loss's where it takes what the loss takes."""
    loss = "def costFunction(theta, X, y): return np.mean((X @ theta - y) ** 2) / 2\n"
    code, out, err = check(loss + "def gradient(theta, X, y): return X.T @ (X @ theta - y) / len(y)\n")
    assert (code, "costFunction: right" in out) == (0, True), out + err
    step = "def gradient(theta, X, y, alpha): return theta - alpha * X.T @ (X @ theta - y) / len(y)\n"
    for other in ("def gradient(img): return img[:, 1:] - img[:, :-1]\n", step):
        code, out, err = check(loss + other)
        assert (code, "WRONG" in out) == (2, False), out + err


BY_ARGUMENTS = """
def forward(X, w, b):
    z = X @ w + b
    y_hat = 1 / (1 + np.exp(-z))
    return z, y_hat
def compute_cost(y, y_hat): return -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))
def compute_gradients(X, y, y_hat): return X.T @ (y_hat - y) / len(y), np.mean(y_hat - y)
def hinge_objective(x, y, params, reg_lambda):
    return np.mean(np.maximum(0, 1 - y * (x @ params["w"] + params["b"]))) + reg_lambda * np.sum(params["w"] ** 2)
def gradient(x, y, params, reg_lambda):
    on = 1 - y * (x @ params["w"] + params["b"]) > 0
    return {"dw": -(y * on) @ x / len(y) + 2 * reg_lambda * params["w"], "db": -np.mean(y * on)}
def logloss(y_true, y_pred):
    y_pred = np.clip(y_pred, 1e-15, 1 - 1e-15)
    return -np.mean(y_true * np.log(y_pred) + (1 - y_true) * np.log(1 - y_pred))
def logloss_grad_pred(y_true, y_pred):
    y_pred = np.clip(y_pred, 1e-15, 1 - 1e-15)
    return (y_pred - y_true) / (y_pred * (1 - y_pred)) / y_pred.size
"""


def test_arguments_tell_of_what_a_gradient_is(check):
    """Of what hands back y_hat, of what takes the same; and what is cut off to between 0 and 1 is drawn there."""
    code, out, err = check(BY_ARGUMENTS)
    assert code == 0, out + err
    for pair in (
        "forward: X (6, 9), w (9,), b ()\n",
        "hinge_objective: x (6, 9)",
        "logloss: y_true (6, 9)",
        "3 pairs: 3 right",
    ):
        assert pair in out
    code, out, err = check(
        BY_ARGUMENTS.replace("np.mean(y_hat - y)", "0.5").replace("2 * reg", "reg").replace(".size", ".size * 2")
    )
    assert "3 pairs: 3 wrong (forward, hinge_objective, logloss)" in out, out + err


def test_a_gradient_of_a_loss_that_is_not_there_is_left_over(check):
    text = MSE + "def compute_gradient(y, X, w): return X.T @ (X @ w - y)\ndef gradient_descent(y, X, w): return w\n"
    code, out, _ = check(text)
    assert (code, out.count("not looked at"), "not looked at: compute_gradient (no counterpart is found)" in out) == (
        2,
        1,
        True,
    )
