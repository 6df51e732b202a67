"""``tinynorm check`` of x @ w + b and a * x_hat + b under any names: the formula tells what each argument is."""

import numpy as np
import pytest
from helpers import some

from tinynorm.command.functions.find_pairs import find_pairs
from tinynorm.command.load.load_file import load
from tinynorm.command.run_code import Prints
from tinynorm.command.verdict.check_pair import check_pair

XS = ["x", "X", "A_prev", "inputs", "data", "feats", "H", "h", "h1", "v", "hidden", "state", "emb", "batch"]
WEIGHTS = ["W", "w1", "weights", "kernel", "theta", "U", "P", "M", "Wxh", "Wh", "W3", "proj", "w_out", "V"]
BIASES = ["b", "bias", "c", "offset", "b0", "b3", "by", "bh", "intercept", "beta"]
# forward, and the gradients of x, w and b
LAYOUTS = [
    ("{x} @ {w} + {b}", "d @ {w}.T", "{x}.T @ d", "d.sum(0)"),
    ("{x} @ {w}.T + {b}", "d @ {w}", "d.T @ {x}", "d.sum(axis=0)"),
    ("{w} @ {x} + {b}", "{w}.T @ d", "d @ {x}.T", "d.sum(axis=1, keepdims=True)"),
    ("np.dot({x}, {w}) + {b}", "np.dot(d, {w}.T)", "np.dot({x}.T, d)", "np.sum(d, axis=0, keepdims=True)"),
]
SUM = {"d.sum(0)", "d.sum(axis=0)", "d.sum(axis=1, keepdims=True)", "np.sum(d, axis=0, keepdims=True)"}
MISTAKES = {
    "sum forgotten": lambda g: "d" if g in SUM else g,
    "sum of all": lambda g: "d.sum()" if g in SUM else g,
    "mean": lambda g: g.replace("sum", "mean"),
    "twice": lambda g: g if g in SUM else f"2 * {g}",
}


def verdict(text, tmp_path):
    path, prints = tmp_path / "layers.py", Prints()
    path.write_text(f"import numpy as np\n{text}")
    (pair,) = find_pairs(load(path, prints), path, None)[0]
    result = check_pair(pair, 0, None, prints)
    return result.verdict, f"{text}\n{result.inputs or result.reason}\n{result.report}"


@pytest.mark.parametrize("seed", some(range(60), 10))
def test_one_product(seed, tmp_path):
    rng = np.random.default_rng(seed)
    names = dict(zip("xwb", (str(rng.choice(pool)) for pool in (XS, WEIGHTS, BIASES)), strict=True))
    forward, *grads = LAYOUTS[seed % len(LAYOUTS)]
    mistake = [None, *MISTAKES][rng.integers(1 + len(MISTAKES))] if seed % 20 else "sum forgotten"
    grads = [MISTAKES[mistake](g) if mistake else g for g in grads]
    text = (
        f"def f_forward({', '.join(names.values())}): return {forward}, ({{x}}, {{w}})\n"
        f"def f_backward(d, cache):\n    {{x}}, {{w}} = cache\n    return {', '.join(grads)}\n"
    ).format(**names)
    found, said = verdict(text, tmp_path)
    assert found == ("wrong" if mistake else "right"), said


NORM = """
def f_forward(x, a, b):
    r = 1 / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    xh = (x - x.mean(1, keepdims=True)) * r
    return a * xh + b, (xh, r, a)
def f_backward(d, cache):
    xh, r, a = cache
    g = d * a
    return r * (g - g.mean(1, keepdims=True) - xh * (g * xh).mean(1, keepdims=True)), (d * xh).sum(0), d.sum(0)
"""


@pytest.mark.parametrize(("right", "wrong"), [("", ""), (".sum(0), d.sum(0)", ", d"), ("d.sum(0)", "d.mean(0)")])
def test_a_and_b_of_a_paper_are_gamma_and_beta(tmp_path, right, wrong):
    found, said = verdict(NORM.replace(right, wrong), tmp_path)
    assert found == ("wrong" if right else "right"), said
    assert "a (9,), b (9,)" in said
