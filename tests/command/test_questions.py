"""One more question before a wrong gradient is reported; whose an exception is; the report in the words of the file."""

import textwrap

import numpy as np
import pytest
from helpers import examples

from tinynorm.command.functions.find_pairs import find_pairs
from tinynorm.command.load.load_file import load
from tinynorm.command.run_code import Prints
from tinynorm.command.verdict.check_pair import check_pair
from tinynorm.gradcheck import check_backward
from tinynorm.gradcheck.report import text

NUMPY = "import numpy as np\n"


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check the one pair in a file of this text; return the result and all that is said of it, in one line."""
    monkeypatch.setattr(text, "WIDTH", 10_000)

    def of(*texts, seed=0):
        path, prints = tmp_path / "layers.py", Prints()
        path.write_text(NUMPY + "\n".join(map(textwrap.dedent, texts)))
        (pair,), _ = find_pairs(load(path, prints), path, None)
        result = check_pair(pair, seed, None, prints)
        return result, " ".join((result.reason or str(result.report)).split())

    return of


# ---- one more question -------------------------------------------------------------------------------------------------

COLUMNS = """
    def linear_forward(A, W, b): return W @ A + b, (A, W)
    def linear_backward(dZ, cache):
        A, W = cache
        m = A.shape[1]
        return W.T @ dZ, dZ @ A.T / m, dZ.sum(1, keepdims=True) / m
"""


def test_right_up_to_the_mean_of_a_course(check):
    result, said = check(COLUMNS)
    assert (result.verdict, result.nuance) == ("right", "right up to 1/m")
    assert "note: dW and db are 1/m times the gradient (m = 9 samples): the convention of courses" in said


def test_names_do_not_matter_for_the_mean_of_a_course(check):
    result, _ = check("""
        class Cell:
            def __init__(self, n=9, m=4): self.W, self.U = np.random.randn(n, m), np.random.randn(m, 3)
            def forward(self, x):
                self.x = x
                return x @ self.W @ self.U
            def backward(self, d):
                self.dW, self.dU = self.x.T @ d @ self.U.T / len(d), (self.x @ self.W).T @ d / len(d)
                return d @ self.U.T @ self.W.T
    """)
    assert (result.verdict, result.nuance) == ("right", "right up to 1/m")


SOFTMAX = """
    def softmax_forward(x):
        e = np.exp(x - x.max(-1, keepdims=True))
        p = e / (e.sum(-1, keepdims=True) + 1e-8)
        return p, p
    def softmax_backward(dout, p): return p * (dout - (dout * p).sum(-1, keepdims=True))
"""


def test_right_up_to_a_number_that_forward_adds_to_a_sum(check):
    result, said = check(SOFTMAX)
    assert (result.verdict, result.nuance) == ("right", "right up to a tiny number")
    assert "forward adds one that backward leaves out" in said
    assert "and wrong with" not in said  # with more axes it is as near


def test_a_loss_without_a_logarithm_is_not_right_up_to_a_tiny_number(check):
    result, said = check("def square_loss(x, y): return np.sum((x - y) ** 2), 2.0001 * (x - y)")
    assert result.verdict == "wrong", said


@pytest.mark.parametrize(
    ("dx", "dw", "verdict", "says"),
    [
        ("d @ w", "x.T @ d", "wrong", "dx: the weight is transposed"),
        ("d @ w.T", "x @ d", "wrong", "dw: it is x d: dw = xᵀ d"),
        ("d @ w.T", "x.T @ d @ 0", "not checked", "ValueError"),
    ],
)
def test_a_forgotten_transpose_that_raises_is_wrong(check, dx, dw, verdict, says):
    result, said = check(f"""
        def linear_forward(x, w): return x @ w, (x, w)
        def linear_backward(d, cache):
            x, w = cache
            return {dx}, {dw}
    """)
    assert result.verdict == verdict
    assert says in said
    assert ("where all sizes are equal it runs, and is wrong" in said) == (verdict == "wrong")


@pytest.mark.parametrize(("db", "verdict"), [("d.sum(0)", "right"), ("d.mean(0)", "wrong")])
@pytest.mark.parametrize("clip", ["np.clip(dx, -1, 1), np.clip(db, -1, 1)", "dx * (1 if length < 1 else 1 / length), db"])
def test_gradients_that_are_clipped_are_judged_by_small_ones(check, clip, db, verdict):
    result, said = check(f"""
        def shift_forward(x, b): return x + b, None
        def shift_backward(d, cache):
            dx, db = d, {db}
            length = np.linalg.norm(dx)
            return {clip}
    """)
    assert result.verdict == verdict
    assert (result.nuance == "right where it clips no gradient") == (verdict == "right")
    assert ("backward clips large gradients; those that it does not clip are right" in said) == (verdict == "right")


@pytest.mark.long  # four seconds: all of its elements are on jumps
def test_a_forward_that_jumps_cannot_be_checked(check):
    result, said = check("""
        def quantize_forward(x): return np.round(4 * x) / 4, x
        def quantize_backward(dout, x): return dout
    """)
    assert (result.verdict, result.nuance) == ("not checked", "forward jumps")
    assert "quantize_forward jumps, as where it rounds" in said


@pytest.mark.parametrize(("loss", "of"), [("-np.sum(y * np.log(p))", "softmax"), ("", "sigmoid")])
def test_the_gradient_by_the_scores(check, loss, of):
    loss = loss or "-np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))"
    result, said = check(f"def entropy_loss(p, y): return {loss}, p - y")
    assert (result.verdict, result.nuance) == ("wrong", f"right for {of} and loss together")
    assert f"it is the gradient by the scores of which p is the {of}" in said


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (", keepdims=True) / m", ", keepdims=True)"),  # only dW has it
        ("A.T / m", "A.T / 2 / m"),  # another factor beside it
        ("W.T @ dZ,", "W.T @ dZ / m,"),  # the input's has it too
        ("m = A.shape[1]", "m = 5"),  # it is no number of samples
    ],
)
def test_what_is_no_convention_stays_wrong(check, right, wrong):
    assert check(COLUMNS.replace(right, wrong))[0].verdict == "wrong"


def test_a_mean_over_rows_for_gamma_and_beta_is_no_convention(check):
    result, _ = check("""
        def scale_forward(x, gamma, beta): return x * gamma + beta, (x, gamma)
        def scale_backward(d, c): return d * c[1], (d * c[0]).mean(0), d.mean(0)
    """)
    assert result.verdict == "wrong"


CONV = """
    def conv_forward(x, w, b, stride):
        (N, C, H, W), (F, _, h, k) = x.shape, w.shape
        out = np.zeros((N, F, (H - h) // stride + 1, (W - k) // stride + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, :, i, j] = np.einsum("nchw,fchw->nf", x[:, :, i * stride:, j * stride:][:, :, :h, :k], w) + b
        return out, (x, w, stride)

    def conv_backward(dout, cache):
        x, w, stride = cache
        (F, _, h, k), dx, dw = w.shape, np.zeros_like(x), np.zeros_like(w)
        for i in range(dout.shape[2]):
            for j in range(dout.shape[3]):
                g = dout[:, :, i, j]
                dx[:, :, i * stride:, j * stride:][:, :, :h, :k] += np.einsum("nf,fchw->nchw", g, w)
                dw += np.einsum("nf,nchw->fchw", g, x[:, :, i * stride:, j * stride:][:, :, :h, :k])
        return dx, dw, dout.sum((0, 2, 3))
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("range(dout.shape[3])", "range(min(dout.shape[2:]))"),
        ("in range(dout.shape[2])", "in range(dout.shape[3])"),  # it raises
    ],
)
def test_right_for_square_images_only(check, right, wrong):
    result, said = check(CONV.replace(right, wrong))
    assert (result.verdict, result.nuance) == ("wrong", "right where H = W only")
    assert "the axes of H and W are mixed up in backward" in said


def test_a_backward_that_raises_where_sizes_differ_is_wrong(check):
    result, said = check("""
        def linear_forward(x, w, b): return x @ w + b, (x, w)
        def linear_backward(d, c):
            db = np.zeros(c[1].shape[0])
            db += d.sum(0)
            return d @ c[1].T, c[0].T @ d, db
    """)
    assert (result.verdict, result.nuance) == ("wrong", "right where D = M only")
    assert "it raises with x (6, 9), w (9, 4), b (4,) (ValueError: " in said
    assert "it is right where D = M (with x (6, 9), w (9, 9), b (9,))" in said


def test_a_forward_made_for_square_images_is_right_with_these(check):
    square = CONV.replace("(W - k) // stride + 1", "(H - h) // stride + 1").replace("dout.shape[2:]", "dout.shape")
    result, said = check(
        square.replace("dx, dw = w.shape,", "dx, dw = w.shape, np.broadcast_to(0.0, x.shape[:3] + x.shape[2:3]) +")
    )
    assert result.verdict == "right", said
    assert result.nuance == "right for square images only"


def test_right_in_two_dimensions_only_is_a_note(check):
    result, said = check("""
        def softmax_forward(x):
            e = np.exp(x - x.max(-1, keepdims=True))
            p = e / e.sum(-1, keepdims=True)
            return p, p
        def softmax_backward(d, p): return p * (d - (d * p).sum(1, keepdims=True))
    """)
    assert (result.verdict, result.nuance) == ("right", "right in 2-D only")
    assert "note: it is right with x (6, 9), and wrong with x (6, 8, 3, 5), which forward takes too" in said


@pytest.mark.parametrize(
    ("forward", "says"),
    [
        ("x @ w + 27 * b", "f_backward is right for the usual linear layer; it is f_forward that differs: it adds b 27 times"),
        ("x @ w", "f_forward that differs: it does not add b"),
        ("(x @ w + b) / len(x)", "f_forward that differs: its output is 1/6 times the usual one"),
    ],
)
def test_the_forward_may_be_the_one_that_differs(check, forward, says):
    backward = "def f_backward(d, c): return d @ c[1].T, c[0].T @ d, d.sum(0)\n"
    result, said = check(f"def f_forward(x, w, b): return {forward}, (x, w)\n{backward}")
    assert (result.verdict, result.nuance) == ("wrong", "forward differs")
    assert says in said


def test_a_bias_that_an_unknown_layer_adds_three_times(check):
    result, said = check("""
        def f_forward(x, w, b): return np.tanh(x @ w) + 3 * b, (x, w)
        def f_backward(d, c):
            x, w = c
            g = d * (1 - np.tanh(x @ w) ** 2)
            return g @ w.T, x.T @ g, d.sum(0)
    """)
    assert (result.verdict, result.nuance) == ("wrong", "forward differs")
    assert "db is right for a b that is added once; it is f_forward that differs: it adds b 3 times" in said


def test_a_softmax_that_divides_once_more(check):
    result, said = check("""
        def softmax_forward(x):
            e = np.exp(x - x.max(1, keepdims=True))
            p = e / e.sum(1, keepdims=True)
            return p / 6, p
        def softmax_backward(d, p): return p * (d - (d * p).sum(1, keepdims=True))
    """)
    assert (result.verdict, result.nuance) == ("wrong", "forward differs")
    assert "right for the usual softmax; it is softmax_forward that differs: its output is 1/6 times the usual one" in said


def test_a_wrong_backward_is_not_excused_by_its_forward(check):
    result, said = check(
        "def f_forward(x, w, b): return x @ w + b, (x, w)\ndef f_backward(d, c): return d @ c[1].T, c[0].T @ d, d.mean(0)"
    )
    assert (result.verdict, result.nuance) == ("wrong", "")
    assert "differs" not in said


def test_settings_with_which_it_is_right_are_said(check):
    result, said = check("""
        def cost_forward(x, w, reg): return np.sum(np.tanh(x @ w) ** 2) + reg * np.sum(w**3), (x, w, reg)
        def cost_backward(d, c):
            x, w, reg = c
            g = d * 2 * np.tanh(x @ w) * (1 - np.tanh(x @ w) ** 2)
            return g @ w.T, x.T @ g + d * reg * np.cos(w)
    """)
    assert result.verdict == "wrong"
    assert "it is right with reg 0.0, and wrong with reg 0.7: the gradient of the regularisation is wrong" in said


RARELY = """
    def f_forward(x): return np.sin(x), x
    def f_backward(d, x): return d * np.where(x > -2, np.cos(x), x)
"""


@pytest.mark.parametrize("seed", [1, 3])  # with fewer samples, or as many as features, no x below -2 may be drawn
def test_what_is_wrong_at_rare_values_is_not_blamed_on_the_number_of_samples(check, seed):
    result, said = check(RARELY, seed=seed)
    assert result.verdict == "wrong"
    assert "it is right" not in said


def test_a_factor_is_called_a_size_only_if_it_changes_with_that(check):
    _, said = check("""
        def f_forward(x): return 3 * np.sin(x), x
        def f_backward(d, x): return d * np.cos(x) / 3
        """)
    assert "dx: it is 1/9 times the right gradient; multiply by 9. This" in said
    _, said = check("""
        def f_forward(x): return np.sin(x).mean(1), x
        def f_backward(d, x): return d[:, None] * np.cos(x)
        """)
    assert "dx: it is 9 (9 is the size of axis 1) times the right gradient; divide by 9. This" in said


# ---- whose an exception is -----------------------------------------------------------------------------------------------

BACKWARD = "def f_backward(dout, cache): return dout * 2\n"


TWICE = "def f_forward(x): return 2 * x, x\n"
UNFINISHED = [
    ("def f_forward(x, w, b):\n    raise NotImplementedError\n" + BACKWARD, ":3, in f_forward: `raise NotImplementedError`"),
    ("def f_forward(x, w, b):\n    pass  # TODO\n" + BACKWARD, "layers.py:2: f_forward returns None"),
    ("def f_forward(x):\n    out = None\n    return out, x\n" + BACKWARD, "f_forward returns None as its output"),
    ("def f_forward(x):\n    y = None\n    return y * 2, x\n" + BACKWARD, "in f_forward: `return y * 2, x`: y is None there"),
    ("def f_forward(x): return ..., x\n" + BACKWARD, "f_forward returns ..."),
    ("def f_forward(x): return 0 * x, x\ndef f_backward(dout, cache): return 0 * dout\n", "f_forward returns 0 whatever"),
    (TWICE + "def f_backward(dout, cache): pass\n", "layers.py:3: f_backward returns None"),
    (TWICE + "def f_backward(dout, cache): return None,\n", "f_backward returns None"),
    ("def f_forward(x): return 2 * x, None\ndef f_backward(dout, cache):\n    x, w = cache\n", "cache is None there"),
    ("def f_forward(x): return 2 * x * scale, x\n" + BACKWARD, "NameError: name 'scale' is not defined"),
    (TWICE + "def f_backward(dout, cache):\n    dx += dout\n    return dx\n", "UnboundLocalError"),
    ("def g(x): pass\ndef f_forward(x): return g(x) * 2, x\n" + BACKWARD, "'NoneType' and 'int'"),
    (TWICE + "def f_backward(dout, cache):\n    assert False, 'write me'\n", "AssertionError: write me"),
]


def test_python_2_is_told_from_what_is_unfinished(check):
    result, said = check("def f_forward(x): return sum(x for _ in xrange(2)), x\n" + BACKWARD)
    assert (result.verdict, result.nuance) == ("not checked", "Python 2")
    assert "layers.py:2 is Python 2: write range for xrange" in said


@pytest.mark.parametrize(("code", "says"), UNFINISHED)
def test_code_that_is_unfinished_is_told_with_its_line(check, code, says):
    result, said = check(code)
    assert (result.verdict, result.nuance) == ("not checked", "unfinished")
    assert said.startswith("f is unfinished: ")
    assert says in said
    assert "f_inputs" not in said


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("x.astype(np.float)", "uses np.float, which NumPy 1.24 removed; write float"),
        ("x + np.NaN", "uses np.NaN, which NumPy 2.0 removed; write np.nan"),
        ("np.nosuchthing(x)", "uses np.nosuchthing, which this NumPy does not have"),
        ("x * x.ptp()", "uses x.ptp(), which NumPy 2.0 removed; write np.ptp(x)"),
    ],
)
def test_what_numpy_has_dropped_is_named(check, expression, says):
    result, said = check(f"def f_forward(x): return {expression}, x\n" + BACKWARD)
    assert result.verdict == "not checked"
    assert said.startswith("could not check f: ")
    assert says in said
    assert result.nuance == says.partition(",")[0]


@pytest.mark.parametrize(
    "code",
    [
        "def f_forward(x): raise ValueError('no')\n" + BACKWARD,
        "def f_forward(x):\n    if x.ndim < 9: raise NotImplementedError('only 9-D')\n    return x, x\n" + BACKWARD,
        "def f_forward(x): return x[99], x\n" + BACKWARD,
    ],
)
def test_what_other_inputs_could_mend_asks_for_inputs(check, code):
    result, said = check(code)
    assert result.verdict == "not checked"
    assert "write a function f_inputs(rng)" in said


def test_a_name_that_is_missing_for_some_shapes_does_not_stop_the_search(check):
    result, _ = check("""
        def f_forward(x):
            if x.ndim == 4:
                n = 3
            return n * x, x
        def f_backward(dout, cache): return dout * 3
    """)
    assert result.verdict == "right"


# ---- in the words of the file --------------------------------------------------------------------------------------------


def test_symbols_are_those_of_the_file(check):
    result, said = check("""
        def bn_forward(x, scale, shift):
            std = np.sqrt(x.var(0) + 1e-5)
            xn = (x - x.mean(0)) / std
            return scale * xn + shift, (xn, std, scale)
        def bn_backward(dZ, cache):
            xn, std, scale = cache
            g = dZ * scale
            return (g - g.mean(0)) / std, (dZ * xn).sum(0), dZ.sum(0)
    """)
    assert result.verdict == "wrong"
    assert "subtract 1/std * xn * mean(g * xn)" in said
    assert "g = dZ * scale" in said
    for symbol in ("dy", "rstd", "x_hat ", "gamma"):
        assert symbol not in said.partition("shape")[0].replace("x_hat term", "")


def test_the_gradient_of_y_keeps_its_name(check):
    _, said = check("def mul_forward(x, y): return x * y, (x, y)\ndef mul_backward(dZ, c): return dZ * c[1], dZ * c[1]\n")
    assert "dy: " in said
    assert "dZ: " not in said


def test_the_nuance_of_right_numbers(check):
    result, _ = check(
        "def f_forward(x): return 3 * x, x\ndef f_backward(dout, cache):\n    dout *= 3\n    return dout.copy()\n"
    )
    assert (result.verdict, result.nuance) == ("wrong", "numbers right, writes into dout")


# ---- a forward that rounds to float32 ------------------------------------------------------------------------------------

SINGLE = np.float32
ROUNDED = {
    "start": lambda x, w, b: x.astype(SINGLE) @ w.astype(SINGLE) + b.astype(SINGLE),
    "middle": lambda x, w, b: (x @ w).astype(SINGLE) + b,
    "end": lambda x, w, b: (x @ w + b).astype(SINGLE),
    "end and back": lambda x, w, b: (x @ w + b).astype(SINGLE).astype(float),
    "weights": lambda x, w, b: x @ w.astype(SINGLE) + b,
    "squared": lambda x, w, b: ((x @ w) ** 2 + b).astype(SINGLE).astype(float),
}


def layer_rounded(where):
    def forward(x, w, b):
        return ROUNDED[where](x, w, b), (x, w)

    def backward(dout, cache):
        x, w = cache
        d = dout * 2 * (x @ w) if where == "squared" else dout
        return d @ w.T, x.T @ d, dout.sum(0)

    return forward, backward


def drawn(seed):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in ((4, 3), (3, 2), (2,))]


@pytest.mark.parametrize("where", ROUNDED)
@examples(2, 30)
def test_a_forward_that_rounds_to_float32_is_never_wrong(where, examples):
    forward, backward = layer_rounded(where)
    for seed in range(examples):
        report = check_backward(forward, backward, drawn(seed), seed=seed)
        assert report.ok is not False, (seed, str(report))
        if np.dtype(forward(*drawn(0))[0].dtype) == SINGLE:
            assert report.ok is None
            assert "forward rounds to float32 inside, though its inputs are float64" in report.warnings[-1]


@pytest.mark.parametrize("where", ROUNDED)
def test_a_clear_mistake_is_seen_through_float32(where):
    forward, backward = layer_rounded(where)

    def mistaken(dout, cache):
        dx, dw, db = backward(dout, cache)
        return dx, 2 * dw, -db

    report = check_backward(forward, mistaken, drawn(0))
    assert [found.ok is False for found in report.inputs] == [False, True, True], str(report)


def test_a_gradient_in_float32_of_a_forward_in_float64_is_still_wrong():
    def backward(dout, x):
        return ((2 * x * dout).astype(SINGLE),)

    report = check_backward(lambda x: (x * x, x), backward, [np.random.default_rng(0).standard_normal(5)])
    assert [fault.kind for fault in report.faults] == ["wrong_dtype"]


def test_a_gradient_in_float32_follows_a_forward_that_rounds_to_it():
    def forward(x, w):
        x = x.astype(SINGLE)
        return x @ w, (x, w)

    def backward(dout, cache):
        x, w = cache
        return dout @ w.T, x.T @ dout.astype(SINGLE)

    report = check_backward(forward, backward, drawn(0)[:2])
    assert report.ok is None
    assert not report.faults


def test_a_long_message_is_cut(check):
    _, said = check("""
        def f_forward(x): return x, x
        def f_backward(dout, x): raise ValueError("x" * 100_000)
    """)
    assert "ValueError: xxxxx" in said
    assert len(said) < 2000
