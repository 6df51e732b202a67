"""`tinynorm check`: a student's file in, a report and an exit code out, and never a traceback of ours."""

import json
import subprocess
import sys
import textwrap

import pytest

from tinynorm import __version__
from tinynorm.cli import main

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
def run(tmp_path, capsys):
    """Check a file of this text; returns (exit code, what was printed, what was complained of)."""

    def of(*texts, name="", options=()):
        path = tmp_path / "layers.py"
        path.write_text("\n".join(textwrap.dedent(text) for text in texts))
        code = main(["check", f"{path}{name}", *options])
        return code, *capsys.readouterr()

    return of


def test_three_layers_one_wrong(run):
    code, out, err = run(AFFINE, RELU, LAYERNORM)
    assert code == 1
    assert "affine: x (6, 5), w (5, 4), b (4,)" in out
    assert "layernorm: x (6, 5), gamma (5,), beta (5,), ln_param {...}" in out
    assert "the mean term is missing: add - rstd * mean(g)" in out
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
        ("class Layer:\n    def forward(self, x): return x", "The classes Layer have methods"),
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
    assert "could not check affine raises" in out
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
    assert "f_forward raises for all inputs that were tried; write a function f_inputs(rng)" in out
    assert "RuntimeError: no" in out


def test_endless_recursion_is_told_shortly(run):
    code, out, _ = run("def f_forward(x): return x, x\ndef f_backward(dout, cache):\n    return f_backward(dout, cache)\n")
    assert code == 2
    assert "RecursionError" in out
    assert len(out.splitlines()) < 25


def test_an_argument_of_an_unknown_name_asks_for_inputs(run):
    pair = "def f_forward(foo): return foo * 2, foo\ndef f_backward(dout, cache): return dout * 2\n"
    code, out, _ = run(pair)
    assert code == 2
    assert "do not know what to draw for foo; write a function f_inputs(rng)" in out
    for inputs in ("rng", "seed", ""):
        code, out, _ = run(
            f"import numpy as np\n{pair}", f"def f_inputs({inputs}): return (np.ones(3) + 0.5 * np.arange(3),)\n"
        )
        assert code == 0, out


def test_json_and_html(run, tmp_path):
    page = tmp_path / "report.html"
    code, out, _ = run(AFFINE, LAYERNORM, options=["--json", "--html", str(page)])
    assert code == 1
    data = json.loads(out)
    assert data["affine"]["ok"] is True
    assert data["layernorm"]["findings"][0]["kind"] == "missing_mean_term"
    assert "LayerNorm: WRONG in dx" in page.read_text(encoding="utf-8")


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
    import tinynorm.cli

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tinynorm.cli, "check_pair", interrupted)
    code, _, err = run(AFFINE)
    assert code == 130
    assert err == "interrupted\n"
