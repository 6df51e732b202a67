"""Which kernels run, and what happens where Numba is not installed."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.kernels import select, use


def python(code, **variables):
    return subprocess.run([sys.executable, "-c", code], env=os.environ | variables, capture_output=True, text=True, check=False)


def test_what_is_chosen_holds_until_the_block_ends():
    before = select.state.choice
    with use("numpy"):
        assert select.kernels_for("rows", np.ones(10_000)) is None
        with use("numba"):
            assert select.kernels_for("rows", np.ones(1)) is not None
        assert select.state.choice == "numpy"
    assert select.state.choice == before


@pytest.mark.usefixtures("numba")
def test_small_arrays_are_left_to_the_formula():
    with use("auto"):
        assert select.kernels_for("rows", np.ones(select.WORTH - 1)) is None
        assert select.kernels_for("rows", np.ones(select.WORTH)) is not None
        assert select.kernels_for("rows", np.ones(select.WORTH), np.ones(3, np.float32)) is None
        assert select.kernels_for("rows", np.ones(select.WORTH), None) is not None


def test_another_choice_is_refused():
    with pytest.raises(ValueError, match="expected one of 'auto', 'numpy', 'numba', got 'cuda'"):
        use("cuda")
    run = python("import tinynorm", TINYNORM_KERNELS="fast")
    assert "ValueError: TINYNORM_KERNELS: expected one of auto, numpy, numba, got 'fast'" in run.stderr


@pytest.mark.usefixtures("numba")
def test_numba_is_imported_at_the_first_array_that_is_worth_it():
    code = """
import sys, tinynorm as tn
F = tn.nn.functional
F.layer_norm(tn.randn(4, 8), (8,))
assert "numba" not in sys.modules
F.layer_norm(tn.randn(40, 80), (80,))
print("numba" in sys.modules)
"""
    assert python(code, TINYNORM_KERNELS="auto").stdout == "True\n"
    assert python(code, TINYNORM_KERNELS="numpy").stdout == "False\n"


ABSENT = """
import sys
sys.modules["numba"] = None
import numpy as np, tinynorm as tn
F = tn.nn.functional
x = tn.tensor(np.random.default_rng(0).normal(size=(40, 80)), requires_grad=True)
F.layer_norm(x, (80,)).square().sum().backward()
print(bool(tn.isfinite(x.grad).all()))
try:
    tn.kernels.use("numba")
except ModuleNotFoundError as error:
    print(error)
"""


def test_without_numba_everything_works():
    run = python(ABSENT, TINYNORM_KERNELS="auto")
    assert run.stdout == "True\nkernels.use: Numba is not installed; pip install 'tinynorm[fast]'\n", run.stderr


@pytest.mark.parametrize("error", ["ImportError('needs NumPy 2.2 or less')", "AttributeError('np.trapz')"])
def test_where_numba_is_broken_the_formulas_run_and_it_is_said_once(tmp_path, error):
    (tmp_path / "numba.py").write_text(f"raise {error}")
    code = ABSENT.replace('sys.modules["numba"] = None', f"sys.path.insert(0, {str(tmp_path)!r})")
    run = python(code, TINYNORM_KERNELS="auto")
    first, second = run.stdout.splitlines()
    assert first == "True", run.stderr
    assert second.startswith("kernels.use: Numba does not import (")
    assert second.endswith("); pip install -U 'tinynorm[fast]'")
    assert run.stderr.count("RuntimeWarning: kernels: Numba does not import") == 1


@pytest.mark.long
@pytest.mark.usefixtures("numba")
def test_the_first_compilation_is_said_once(tmp_path):
    """And of two kernels; the next program finds them on the disk and compiles nothing."""
    code = """
import tinynorm as tn
x = tn.randn(40, 80, requires_grad=True)
for _ in range(3):
    x.relu().square().sum().backward()
    tn.optim.SGD([x], 0.1).step()
"""
    said = "tinynorm: compiling kernels for this machine; they are kept for the next time\n"
    assert [python(code, NUMBA_CACHE_DIR=str(tmp_path), TINYNORM_KERNELS="auto").stderr for _ in range(2)] == [said, ""]


@pytest.mark.usefixtures("numba")
def test_where_no_folder_can_be_written_they_are_compiled_each_time(monkeypatch):
    from tinynorm.kernels import compiled

    def njit(**options):
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: (function, options)

    monkeypatch.setattr(compiled, "njit", njit)
    function, options = compiled.any_order(test_small_arrays_are_left_to_the_formula)
    assert function is test_small_arrays_are_left_to_the_formula
    assert options["nogil"]


@pytest.mark.usefixtures("numba")
def test_where_no_folder_can_be_written_the_line_says_what_to_do(capsys):
    """Numba keeps nothing of a kernel that it was not asked to keep, as it keeps nothing where it cannot write."""
    from numba import njit

    from tinynorm.kernels import compiled

    def kernel(x):
        return x

    kernel.__module__ = "tinynorm.kernels.rows"
    said = compiled._Said()
    said.on_start(SimpleNamespace(data={"dispatcher": njit(kernel)}))
    assert capsys.readouterr().err.endswith("; to keep them, set NUMBA_CACHE_DIR to a folder of yours\n")


@pytest.mark.usefixtures("numba")
def test_each_family_is_a_file():
    files = {path.stem for path in Path(select.__file__).parent.glob("*.py")}
    assert {"rows", "select", "compiled", "sums", "masks"} <= files
    assert select.family("rows").__name__ == "tinynorm.kernels.rows"
    assert tn.kernels.use is use


@pytest.mark.long  # a second and a half: a process of its own
@pytest.mark.usefixtures("numba")
def test_functions_of_others_may_have_no_module():
    code = """
import tinynorm as tn, numba
tn.nn.functional.layer_norm(tn.randn(40, 80), (80,))
scope = {}
exec("def f(x): return x + 1", scope)
scope["f"].__module__ = None
print(numba.njit(scope["f"])(1))
"""
    assert python(code, TINYNORM_KERNELS="auto").stdout == "2\n"


def destroy(files):
    for file in files:
        file.write_bytes(b"no kernel")


def exchange(files):
    """As where two programs compiled at once: Numba numbers the files, and both gave theirs the same number."""
    one, two = [file for file in files if file.name.startswith("activations.relu_backward") and file.suffix == ".nbc"]
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)


@pytest.mark.long
@pytest.mark.usefixtures("numba")
def test_a_damaged_file_of_a_kernel_is_compiled_anew(tmp_path):
    code = """
import tinynorm as tn
for dtype in (tn.float32, tn.float64):
    x = tn.ones(40, 80, dtype=dtype, requires_grad=True)
    x.relu().square().sum().backward()
    print(x.grad.sum().item())
"""
    for damage in (exchange, destroy, None):
        assert python(code, NUMBA_CACHE_DIR=str(tmp_path), TINYNORM_KERNELS="auto").stdout == "6400.0\n" * 2
        files = [*tmp_path.rglob("*.nb[ic]")]
        assert files
        if damage:
            damage(files)


@pytest.mark.usefixtures("numba")
def test_programs_that_keep_kernels_wait_for_each_other(tmp_path):
    from tinynorm.kernels import compiled

    folder = tmp_path / "new"

    class Cache:
        cache_path = str(folder)

        def save_overload(self):
            code = f"import fcntl, os; fcntl.flock(os.open({str(folder)!r}, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)"
            tried.append("BlockingIOError" in python(code).stderr)

    tried = []
    compiled._Forgiving(Cache()).save_overload()
    Cache().save_overload()
    assert tried == [True, False]


@pytest.mark.usefixtures("numba")
def test_kernels_that_would_run_as_python_are_none():
    code = "import tinynorm as tn; print(tn.kernels.select.why_not())"
    assert python(code, NUMBA_DISABLE_JIT="1").stdout == "Numba does not compile: unset NUMBA_DISABLE_JIT\n"


def test_numba_that_is_asked_for_and_missing_is_an_error():
    run = python(ABSENT, TINYNORM_KERNELS="numba")
    assert "ModuleNotFoundError: TINYNORM_KERNELS=numba: Numba is not installed; pip install 'tinynorm[fast]'" in run.stderr
    assert python("import tinynorm", TINYNORM_KERNELS="").returncode == 0
