"""`tinynorm check` on folders and on several files; and the pytest plugin."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tinynorm
from tinynorm.command.main import main

RELU = """
import numpy as np
def relu_forward(x): return np.maximum(x, 0), x
def relu_backward(dout, x): return dout * (x > 0)
"""
DOUBLE = """
def double_forward(x): return 2 * x, None
def double_backward(dout, cache): return 3 * dout
"""
MSE = "import numpy as np\ndef mse_loss(x, y): return np.mean((x - y) ** 2), 2 * (x - y) / x.size\n"


SLOPE = "import numpy as np\ndef square(x, dx=False): return 2 * x if dx else x * x\n"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder as a student has it."""
    files = {
        "layers.py": RELU,
        "more/double.py": DOUBLE,
        "net.py": f"from layers import *\nfrom more.double import *\n{MSE}",
        "solver.py": "from layers import *\ndef loss_history(losses): return losses[-10:]\n",
        "slope.py": SLOPE,
        "train.py": "1 / 0\n",
        "test_layers.py": "1 / 0\n",
        "tests/layers.py": "1 / 0\n",
        ".hidden/layers.py": "1 / 0\n",
        "env/pyvenv.cfg": "",
        "env/lib/layers.py": "def a_forward(x): 1 / 0\n",
        "notes.txt": "",
        "notebook.ipynb": json.dumps({"cells": [{"cell_type": "code", "source": RELU}]}),
    }
    for name, text in files.items():
        (tmp_path / "course" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "course" / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinynorm.gradcheck.report.text.WIDTH", 1000)
    return tmp_path / "course"


def test_a_folder_is_walked(course, capsys):
    assert main(["check", "course"]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    assert [line for line in out.splitlines() if line.startswith("==")] == [
        "==== course/layers.py",
        "==== course/more/double.py",
        "==== course/net.py",
        "==== course/notebook.ipynb",
        "==== course/slope.py",
    ]
    summary = "4 pairs, 1 loss in 5 files: 4 right, 1 wrong (course/more/double.py::double)\n"
    left_out = (
        "left out, for a test tool runs them: course/test_layers.py, course/tests/layers.py\n"
        "left out, for they define no layer: course/train.py\n"
        "course/solver.py: it defines no pair of its own\n"
    )
    assert out.endswith(summary + left_out)


def test_what_is_not_looked_at_in_a_folder_counts(course, capsys):
    (course / "more" / "double.py").write_text(DOUBLE.replace("3 *", "2 *") + "def gelu_forward(x): pass\n")
    assert main(["check", "course"]) == 2
    assert "not looked at: course/more/double.py::gelu_forward (no counterpart is found)\n" in capsys.readouterr().out
    assert main(["check", "course", "--allow-skipped"]) == 0
    (course / "broken.py").write_text("1 / 0\ndef relu_backward(dout, x): pass\n")
    assert main(["check", "course", "--allow-skipped"]) == 2
    out, _ = capsys.readouterr()
    assert "not looked at: course/broken.py: it raises when it is imported\n" in out


def test_several_files_and_their_json(course, capsys):
    code = main(
        ["check", "course/layers.py", "course/more/double.py::double", "course/train.py", "--json", "--html", "page.html"]
    )
    out, err = capsys.readouterr()
    data = json.loads(out)
    assert code == 1
    assert data["course/layers.py"]["relu"]["ok"] is True
    assert data["course/more/double.py"]["double"]["ok"] is False
    assert data["course/train.py"]["ok"] is None
    assert "it raises when it is imported" in data["course/train.py"]["reason"]
    assert err.count("tinynorm check: course/train.py: it raises when it is imported") == 1
    page = Path("page.html").read_text()
    assert "<h2>course/layers.py: relu</h2>" in page
    assert "2 pairs in 2 files: 1 right, 1 wrong (course/more/double.py::double)" in page


def test_an_empty_folder_is_told(tmp_path, capsys):
    (tmp_path / "train.py").write_text("1 / 0")
    assert main(["check", str(tmp_path)]) == 2
    assert "no file there defines a layer" in " ".join(capsys.readouterr().err.split())


def test_a_loss_and_a_pair_of_one_name_are_both_in_the_json(tmp_path, capsys):
    pair = "def mse_loss_forward(x): return 2 * x, None\ndef mse_loss_backward(dout, cache): return 3 * dout\n"
    (tmp_path / "layers.py").write_text(MSE + pair)
    assert main(["check", str(tmp_path / "layers.py"), "--json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert [data[name]["ok"] for name in ("mse_loss", "mse_loss (2)")] == [False, True]


# ---- the pytest plugin ----------------------------------------------------------------------------------------------------


PLUGIN = str(Path(tinynorm.__file__).parent / "plugin")


def run_pytest(folder, *options):
    """Run pytest with the plugin there; return (exit code, what it prints, in one line)."""
    environment = os.environ | {"PYTHONPATH": PLUGIN, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # others take longer than ours
    command = [sys.executable, "-m", "pytest", "-p", "pytest_tinynorm", "-p", "no:cacheprovider", "-W", "error", *options]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return result.returncode, " ".join((result.stdout + result.stderr).split())


@pytest.mark.parametrize("workers", [(), pytest.param(("-p", "xdist", "-n", "2"), marks=pytest.mark.long)], ids=str)
def test_the_plugin_makes_a_test_of_each_pair(tmp_path, workers):
    (tmp_path / "layers.py").write_text(RELU + DOUBLE + MSE + "def gelu_forward(x): pass\nprint('hello')\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    options = ["--tinynorm-check", "layers.py", "--tinynorm-check", "broken.py", "-k", "not mse", *workers]
    code, out = run_pytest(tmp_path, *options)
    assert code == 1
    assert "3 failed, 1 passed" in out
    assert "FAILED layers.py::double - double: WRONG in dx" in out
    assert "FAILED layers.py::gelu_forward - not looked at: gelu_forward" in out
    assert "FAILED broken.py::import" in out
    assert "broken.py: it raises when it is imported" in out
    assert "printed by" in out
    assert "Traceback" not in out
    assert "Error" not in out.replace("ZeroDivisionError", "")


def test_the_plugin_reads_the_configuration(tmp_path):
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "layers.py").write_text(RELU)
    (tmp_path / "course" / "train.py").write_text("1 / 0")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntinynorm_check = course\n")
    code, out = run_pytest(tmp_path, "-v")
    assert code == 0, out
    assert "course/layers.py::relu PASSED" in out
    assert "1 passed" in out


def test_the_plugin_is_light():
    code = "import pytest_tinynorm, sys; assert 'tinynorm' not in sys.modules and 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": PLUGIN}, check=True)
