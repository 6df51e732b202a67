"""``tinynorm check`` of files that raise when they are imported, or are for Python 2: their definitions are checked."""

import sys
from types import ModuleType

import pytest

from tinynorm.command.main import main

RELU = """
import numpy as np
def relu_forward(x):
    return np.maximum(x, 0), x
def relu_backward(dout, x):
    return dout * (x > 0)
"""


@pytest.fixture
def check(tmp_path, capsys):
    """Check a file layers.py; returns (exit code, all that was printed, in one line)."""

    def of(text, **beside):
        for name, source in beside.items():
            (tmp_path / f"{name}.py").write_text(source)
        (tmp_path / "layers.py").write_text(text)
        code = main(["check", str(tmp_path / "layers.py")])
        return code, " ".join("".join(capsys.readouterr()).split())

    return of


def test_what_loads_data_is_left_out_and_what_follows_is_checked(check):
    before = "data = open('no_such_file.csv').read()\nrows = data.split()\nfor row in rows:\n    print(row)\n"
    code, out = check(before + RELU)
    assert code == 0, out
    assert "1 pair: 1 right" in out
    assert "layers.py:1: left out, as it raises: data = open('no_such_file.csv').read() (FileNotFoundError" in out
    assert "left out after that, as it raises or defines nothing: line 2, 3" in out
    code, out = check(before + RELU.replace("dout * (x > 0)", "dout * (x > 0) + rows"))
    assert code == 2
    assert "uses rows, which line 2 would set; it was left out, for line 1 raises FileNotFoundError" in " ".join(out.split())


def test_training_without_an_end_is_left_out(check):
    code, out = check("n = 0\nwhile True:\n    n += 1\n" + RELU)
    assert code == 0, out
    assert "layers.py:2: left out, as it has no end: while True:" in out
    code, out = check(RELU + "n = 0\nwhile True:\n    n += 1\n    if n == 9: break\nassert n == 9\n")
    assert code == 0
    assert "left out" not in out


def test_a_text_that_is_not_there_and_what_is_for_another_machine(check):
    before = "import os, sys\nos.chdir('/no/such/folder')\nif len(sys.argv) < 2:\n    sys.exit('usage')\n"
    text = "data = open('no_such_file.txt').read()\nassert 5 < len(set(data)) < 20\n"
    code, out = check(before + text + RELU)
    assert code == 0, out
    assert "layers.py:2: left out, as it raises: os.chdir('/no/such/folder') (FileNotFoundError" in out
    assert "after that, as it raises or defines nothing: line 3" in out
    assert "layers.py: there is no no_such_file.txt: a short text stands in for it" in out


def test_training_with_an_end_is_broken_off(check, monkeypatch):
    monkeypatch.setattr("tinynorm.command.load.run_statements.LONGEST", 0.2)
    code, out = check("import time\nfor epoch in range(1000):\n    time.sleep(0.02)\nn = 2\n" + RELU + "assert n == 2\n")
    assert code == 0, out
    assert "layers.py:2: left out, as it takes longer than 0.2 s: for epoch in range(1000):" in out
    assert "after that" not in out


PACKAGES = [
    "import no_such_plots as plt\nfrom no_such_plots.colours import *\nplt.style.begin()\n",
    "from no_such_compiler import compiled, Base\n@compiled(fast=True)\ndef f(x): pass\n@compiled\nclass Net(Base): pass\n",
    "from past.builtins import xrange, str\nimport six.moves\nassert [*xrange(2)] == [0, 1]\n",
    "from load_data import *\n",
]


@pytest.mark.parametrize("text", PACKAGES)
def test_packages_that_are_not_installed(check, text):
    code, out = check(text + RELU, load_data="import no_such_data\n")
    assert code == 0, out
    assert "1 pair: 1 right" in out
    assert "layers.py: not installed, so what calls it raises: " in out


def test_a_name_that_a_later_python_has(check):
    code, out = check("from typing import no_such_decorator\n" + RELU.replace("def relu_f", "@no_such_decorator\ndef relu_f"))
    assert code == 0, out
    assert "layers.py: not installed, so what calls it raises: typing.no_such_decorator" in out


def test_a_file_for_a_framework_is_told_so(check, monkeypatch):
    torch = ModuleType("torch")  # the tests do without PyTorch; it refuses NumPy's arrays, as PyTorch does
    exec("def relu(x): raise TypeError('argument must be Tensor')\nclass nn:\n    class Module: pass", vars(torch))
    monkeypatch.setitem(sys.modules, "torch", torch)
    code, out = check("import torch\n" + RELU.replace("np.maximum(x, 0)", "torch.relu(x)"))
    assert code == 2
    assert "relu_forward computes with torch; the checker's arrays are NumPy's" in out
    code, out = check("import torch\nclass Net(torch.nn.Module):\n    def forward(self, x): return x\n")
    assert "it is written with torch, which finds the gradients itself" in " ".join(out.split())


def test_a_module_beside_it_for_python_2(check):
    other = "def clipped(x):\n    print 'clipped'\n    return np.maximum(x, 0)\nimport numpy as np\n"
    code, out = check("from old_code import clipped" + RELU.replace("np.maximum(x, 0)", "clipped(x)"), old_code=other)
    assert code == 0, out


def test_a_file_for_python_2(check):
    train = "def train(losses):\n  for i in xrange(10):\n    print 'loss %d %f' % (i,\n        losses[i])\n    print i\n"
    train += "def read(text):\n  try:\n    return int(text)\n  except (ValueError, TypeError), e:\n"
    train += "    raise OSError, 'no ' + text\n"
    code, out = check(RELU + train)
    assert code == 0, out
    assert "layers.py:9: it is written for Python 2" in out
    code, out = check(RELU + "def f(:\n  print 1\n")
    assert code == 2
    assert "syntax error" in out


def test_what_numpy_refuses_is_told(check):
    code, out = check(RELU.replace("    return np.m", "    x = x.copy(); x[0, 0] = x[:1, 0]\n    return np.m"))
    assert code == 0, out
    assert "layers.py:4: FutureWarning: NumPy 2.4 raises here: an array of one number is no number" in out


ASKING = [
    "n = int(input('layers? '))\n",
    "import argparse\np = argparse.ArgumentParser()\np.add_argument('f')\na = p.parse_args()\n",
]


@pytest.mark.parametrize("text", ASKING)
def test_what_asks_for_something_is_left_out(check, text):
    code, out = check(text + RELU)
    assert code == 0, out
    assert f"left out, as it raises: {text.splitlines()[-1]}" in out


@pytest.mark.parametrize("ending", ["raise SystemExit(3)", "raise KeyboardInterrupt"])
def test_what_ends_the_import_on_purpose_is_not_gone_on_with(check, ending):
    code, out = check(RELU + ending)
    assert code in (2, 130)
    assert "right" not in out
