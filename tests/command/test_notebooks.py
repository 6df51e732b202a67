"""``tinynorm check`` of a notebook: its definitions are taken, what its cells try out is left out; and of files in folders."""

import json

import pytest

from tinynorm.command.main import main

RELU = """
def relu_forward(x):
    return np.maximum(x, 0), x
def relu_backward(dout, x):
    return dout * (x > 0)
"""
AFFINE = """
def affine_forward(x, w, b):
    return x @ w + b, (x, w)
def affine_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, column_sums(dout)
"""


@pytest.fixture
def check(tmp_path, capsys):
    """Check a notebook of these cells; returns (exit code, what was printed, what was complained of), each in one line."""

    def of(*cells):
        code_cells = [{"cell_type": "code", "source": cell.splitlines(keepends=True)} for cell in cells]
        text = json.dumps({"cells": [{"cell_type": "markdown", "source": ["# Layers"]}, *code_cells]})
        (tmp_path / "layers.ipynb").write_text(text)
        code = main(["check", str(tmp_path / "layers.ipynb")])
        return code, *(" ".join(part.split()) for part in capsys.readouterr())

    return of


def test_definitions_are_taken_and_tests_left_out(check):
    tests = "x = np.random.randn(3, 4)\nout, _ = relu_forward(x)\nassert False\nprint(out)\nfor i in range(3):\n    1 / 0"
    code, out, err = check("import numpy as np\nfloor = np.float64(0)", RELU.replace("0)", "floor)"), tests)
    assert code == 0, out + err
    assert out.endswith("1 pair: 1 right")
    assert err == "layers.ipynb: left out: what defines nothing, in cells 4"


def test_a_wrong_pair_is_wrong_and_an_exception_names_its_cell(check):
    code, out, _ = check("import numpy as np", RELU.replace("dout * (x > 0)", "dout * (x < 0)"))
    assert (code, "1 pair: 1 wrong (relu)" in out) == (1, True)
    code, out, _ = check("import numpy as np", RELU.replace("dout * (x > 0)", "dout * mask"))
    assert code == 2
    assert "layers.ipynb, cell 3:5, in relu_backward: `return dout * mask`: NameError" in out


def test_magics_and_what_is_not_installed_are_left_out_and_listed(check):
    first = "%matplotlib inline\n!pip install layers\nimport numpy as np\nfrom no_such_package import drive\n"
    code, out, err = check(first + "drive.mount('/content')", "%%bash\nls", RELU)
    assert code == 0, out + err
    for said in ("%matplotlib inline", "!pip install layers", "%%bash"):
        assert f"left out: {said}" in err
    assert "not installed, so what calls it raises: no_such_package" in err


LINES = ["%run column_helpers.py", "from column_helpers import column_sums", "%run column_helpers.ipynb"]


@pytest.mark.parametrize("line", LINES)
def test_a_file_beside_it_is_followed(check, tmp_path, line):
    helper = "def column_sums(x):\n    return x.sum(0)\n"
    (tmp_path / "column_helpers.py").write_text(helper)
    cell = {"cell_type": "code", "source": helper}
    (tmp_path / "column_helpers.ipynb").write_text(json.dumps({"cells": [cell]}))
    code, out, err = check(line, AFFINE)
    assert (code, err) == (0, ""), out + err


def test_what_is_no_notebook_is_told(tmp_path, capsys):
    (tmp_path / "a.ipynb").write_text("{}")
    assert main(["check", str(tmp_path / "a.ipynb")]) == 2
    assert "it is no notebook with cells" in " ".join(capsys.readouterr().err.split())


def test_a_line_with_a_syntax_error_is_unfinished_and_the_rest_is_checked(check):
    tanh = RELU.replace("relu", "tanh").replace("dout * (x > 0)", "# YOUR CODE\n")
    affine = AFFINE.replace("column_sums(dout)", "dout.sum(0)").replace("x, w = cache", "x, w = <YOUR CODE>")
    code, out, err = check("import numpy as np", RELU + affine, tanh.replace("    return #", "    #"), "out = # relu")
    assert code == 2
    assert out.endswith("3 pairs: 1 right, 2 not checked (affine: unfinished; tanh: unfinished)"), out
    assert "cell 3:10, in affine_backward: `x, w = <YOUR CODE>`: NotImplementedError: syntax error: invalid syntax" in out
    assert "layers.ipynb, cell 5, line 1: unfinished: invalid syntax: out = # relu" in err


def test_a_cell_that_writes_a_file_is_code_of_the_notebook(check):
    imported = "from my_layers import *\nfrom my_layers import relu_forward\nimport my_layers"
    code, out, err = check("%%writefile my_layers.py\nimport numpy as np\n" + RELU, imported)
    assert (code, "1 pair: 1 right" in out, "not installed" in err) == (0, True, False), out + err


def test_a_folder_that_is_no_package_is_found_by_its_name(tmp_path, capsys):
    folder = tmp_path / "homework5" / "cs"
    folder.mkdir(parents=True)
    (folder / "tools.py").write_text("import numpy as np\n")
    (folder / "layers.py").write_text("from cs.tools import *\nfrom homework5.cs import tools\n" + RELU)
    assert main(["check", str(folder / "layers.py")]) == 0, capsys.readouterr()
    (folder / "layers.py").write_text("from other.tools import *\n" + RELU)
    assert main(["check", str(folder / "layers.py")]) == 0  # np is there; nothing else is needed of it
    told = " ".join(capsys.readouterr().err.split())  # where its lines end depends on the folder's name
    assert "not installed, so what calls it raises: other," in told
    (folder / "layers.py").write_text("from other.tools import *\n" + RELU.replace("np.maximum(x, 0)", "clipped(x)"))
    assert main(["check", str(folder / "layers.py")]) == 2
    assert "uses clipped, which may come from other.tools; that is neither" in " ".join(capsys.readouterr().out.split())
