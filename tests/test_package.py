"""The house itself: which part may know which, what an import brings along, and what none may use."""

import ast
import os
import pickle
import subprocess
import sys
import tomllib
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

import numpy as np
import pytest
from helpers import skip_without_cuda, some

import tinynorm

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tinynorm"

# from the ground up; a part may import from its own layer and from those below it
LAYERS = [
    {"recording"},
    {"backend", "dtypes", "left_out", "printing"},
    {"kernels"},
    {"tensor", "autograd", "_methods"},
    {"ops"},
    {"creation", "random", "files", "interop", "serialization", "cuda", "accelerator", "backends"},
    {"nn", "optim", "utils", "checkpoint", "saving"},
    {"captured"},
    {"gradcheck"},
    {"testing", "derivations"},
    {""},  # tinynorm/__init__.py, which hands on their names
    {"command", "__main__"},
]

# imports upwards, made when a function is called: (file, what it imports) -> why
UPWARDS = {
    ("tensor.py", "tinynorm.ops"): "namespace(x) of a Tensor is ops, which stands on Tensor",
    ("tensor.py", "tinynorm.creation"): "PyTorch's old constructor, Tensor(2, 3), does what creation does",
    ("autograd/functional.py", "tinynorm.ops"): "a Jacobian is stacked of its rows",
    ("autograd/checks.py", "tinynorm.gradcheck"): "PyTorch's name for the checker, which stands on everything",
}


# the checker's rooms, from the ground up: a file may import from its own room and from those before it
ROOMS = ["report", "problem", "slopes", "behaviour", "diagnosis", "doors"]


def sources(folder=PACKAGE):
    """The files of a folder, without the plugin: pytest imports that, and it is no part of the package."""
    return sorted(path for path in folder.rglob("*.py") if PACKAGE / "plugin" not in path.parents)


def name_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path):
    return ast.parse(path.read_text())


@cache
def imports(path):
    """(the dotted name, the line, whether loading the file leaves it out: inside a function, or for type checkers) of each."""
    found, todo = [], [(tree_of(path), False)]
    package = name_of(path) if path.name == "__init__.py" else name_of(path).rpartition(".")[0]
    while todo:
        node, lazily = todo.pop()
        lazily = lazily or isinstance(node, ast.FunctionDef) or _for_types(node)
        if isinstance(node, ast.stmt | ast.Module | ast.excepthandler):  # there are no imports inside an expression
            todo.extend((child, lazily) for child in ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.append((alias.name, node.lineno, lazily))
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            for alias in node.names:
                both = f"{base}.{alias.name}"
                found.append((both if is_module(both) else base, node.lineno, lazily))
    return found


def _for_types(node):
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@cache
def is_module(name):
    path = ROOT.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").is_file()


def layer(name):
    part = [*name.split("."), ""][1]
    found = [i for i, parts in enumerate(LAYERS) if part in parts]
    assert found, f"{name}: give it a place in LAYERS"
    return found[0]


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_run_downwards(path):
    for name, line, lazily in imports(path):
        if name.split(".")[0] != "tinynorm" or (lazily and (str(path.relative_to(PACKAGE)), name) in UPWARDS):
            continue
        assert layer(name) <= layer(name_of(path)), f"{path}:{line} imports {name}, which stands above it"


@pytest.mark.parametrize("path", sources(PACKAGE / "gradcheck"), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_the_checkers_rooms_import_one_way(path):
    def room(name):
        return [*name.split("."), ""][2]

    mine = room(name_of(path))
    assert mine in (*ROOMS, "mistakes", "")  # its face may import from every room, and no room from the mistakes
    for name, line, _ in imports(path):
        if name.startswith("tinynorm.gradcheck.") and mine in ROOMS:
            assert room(name) in ROOMS[: ROOMS.index(mine) + 1], f"{path}:{line} imports {name}, which stands above it"


def test_no_file_of_the_checker_or_the_command_imports_itself_by_way_of_others():
    files = [*sources(PACKAGE / "gradcheck"), *sources(PACKAGE / "command")]
    graph = {name_of(path): {name for name, _, lazily in imports(path) if not lazily} for path in files}
    done = set()
    while ready := {name for name in graph.keys() - done if not graph[name] & graph.keys() - done - {name}}:
        done |= ready
    assert graph.keys() == done, f"in a circle, or standing on one: {sorted(graph.keys() - done)}"


def test_the_exceptions_are_still_needed():
    lazy = {(str(p.relative_to(PACKAGE)), name) for p in sources() for name, _, lazily in imports(p) if lazily}
    assert lazy >= UPWARDS.keys()


def test_only_the_backend_knows_cupys_name():
    """No other file imports CuPy, looks for it among the modules, or compares with its name."""
    knowing = set()
    for path in sources():
        names = [name for name, _, _ in imports(path)]
        texts = [n.value for n in ast.walk(tree_of(path)) if isinstance(n, ast.Constant)]
        if {str(name).split(".")[0] for name in names + texts} & {"cupy", "cupyx"}:
            knowing.add(path.name)
    assert knowing == {"backend.py", "stand_ins.py"}  # the second stands in for what a student's file imports


SPY = """
import sys
class Spy:
    def find_spec(name, path=None, target=None):
        print(name)  # and let the others look for it
sys.meta_path.insert(0, Spy)
import tinynorm
"""


def test_importing_tinynorm_asks_for_nothing_heavy():
    """CuPy waits until CUDA is first asked for, SciPy for the first erf, and what only the demos need never comes."""
    sought = {name.split(".")[0] for name in subprocess.check_output([sys.executable, "-c", SPY], text=True, cwd=ROOT).split()}
    assert "numpy" in sought
    assert sought.isdisjoint(
        {
            "cupy",
            "cupyx",
            "torch",
            "jax",
            "numba",
            "sklearn",
            "matplotlib",
            "scipy",
            "sympy",
            "tqdm",
            "tensorboardX",
            "optuna",
            "wandb",
            "hypothesis",
        }
    )


# what is loaded on first use: it takes longer to load than all the rest
LATE = (
    *map("tinynorm.{}".format, tinynorm._LATE.values()),
    "tinynorm.command",
    "tinynorm.kernels.activations",
    "tinynorm.kernels.classes",
    "tinynorm.kernels.columns",
    "tinynorm.kernels.compiled",
    "tinynorm.kernels.gelu",
    "tinynorm.kernels.rows",
    "tinynorm.kernels.slabs",
    "tinynorm.kernels.streams",
    "tinynorm.kernels.updates",
    "tinynorm.__main__",
    "tinynorm.utils.datasets",
)

# of Python's own library, beside what NumPy brings: less than two milliseconds, and needed by every training program
FROM_PYTHON = {"atexit", "bisect", "_bisect", "heapq", "_heapq", "queue", "_queue", "threading"}

LOADED = """
import sys, numpy
before = set(sys.modules)
import tinynorm
print(*set(sys.modules) - before)
"""


def test_importing_tinynorm_brings_these_modules_and_no_others():
    """A module that is not named above takes its time from everybody who imports tinynorm: import it where it is used."""
    brought = set(fresh(LOADED).split())
    ours = {name for name in brought if name.split(".")[0] == "tinynorm"}
    assert ours == {name for name in map(name_of, sources()) if not name.startswith(LATE)}
    assert brought - ours <= FROM_PYTHON


def fresh(code):
    """What a new Python prints for this program."""
    return subprocess.run([sys.executable, "-c", code], text=True, cwd=ROOT, capture_output=True, check=True).stdout


@pytest.mark.parametrize("name", some(["gradcheck", "derivations", "testing"], 3))
@pytest.mark.parametrize(
    "use",
    [
        "import tinynorm; part = tinynorm.{}",
        "from tinynorm import {} as part",
        "import tinynorm.{}; part = tinynorm.{}",
        "from tinynorm import *; part = {}",
        "import tinynorm; part = getattr(tinynorm, {!r})",
    ],
)
def test_what_is_loaded_late_is_there_however_it_is_asked_for(use, name):
    program = f"{use.format(name, name)}; import sys; print(part is sys.modules['tinynorm.{name}'], part.__name__)"
    assert fresh(program).split() == ["True", f"tinynorm.{name}"]


def test_the_face_lists_what_is_loaded_late_and_knows_no_other_names():
    program = "import sys, tinynorm; print(*dir(tinynorm)); assert 'tinynorm.gradcheck' not in sys.modules"
    listed = fresh(program).split()
    assert {*tinynorm._LATE, "Tensor", "__version__"} <= set(listed)
    assert listed == sorted(listed)
    program = """
import sys, tinynorm
for name, place in tinynorm._LATE.items():
    part = getattr(tinynorm, name)
    module = sys.modules[f"tinynorm.{place}"]
    print(part is getattr(module, name, module) and vars(tinynorm)[name] is part)
"""
    assert set(fresh(program).split()) == {"True"}
    with pytest.raises(AttributeError, match="module 'tinynorm' has no attribute 'gradchek'"):
        _ = tinynorm.gradchek
    with pytest.raises(ImportError, match="gradchek"):
        exec("from tinynorm import gradchek")


def test_pytorchs_names_load_the_checker_when_they_are_called():
    program = """
import sys, tinynorm as tn
from tinynorm.autograd import gradcheck, gradgradcheck
x = tn.tensor([1.0, 2.0], requires_grad=True)
print("tinynorm.gradcheck" in sys.modules, gradcheck(tn.exp, x), gradgradcheck(tn.exp, x), "tinynorm.gradcheck" in sys.modules)
"""
    assert fresh(program).split() == ["False", "True", "True", "True"]


def test_a_report_crosses_a_process_that_has_not_loaded_the_checker():
    """As a test worker's does: unpickling imports what is missing."""
    program = """
import pickle, tinynorm
report = pickle.loads(bytes.fromhex({!r}))
print(type(report).__module__, report.ok)
"""
    x = np.array([1.0, 2.0])
    report = tinynorm.gradcheck.check_backward(lambda x: (x * x, x), lambda dy, x: 2 * x * dy, [x])
    assert fresh(program.format(pickle.dumps(report).hex())).split() == ["tinynorm.gradcheck.report.report", "True"]


def test_there_is_a_gpu():
    """The tests that need one are collected only where there is one, or where one is required."""
    skip_without_cuda()


@pytest.mark.long
def test_a_missing_gpu_is_said_or_where_one_is_required_fails():
    """On a machine with a GPU too: it is hidden."""
    tests = ["tests/utils/test_data.py::test_a_seed_gives_the_same_batches_on_every_device"]
    tests += ["tests/test_package.py::test_there_is_a_gpu", "tests/test_tensor.py::test_the_layout_in_memory"]
    for required, code, says in (("0", 0, "the tests on one are left out"), ("1", 1, "1 failed, 3 passed, 2 errors")):
        env = os.environ | {"CUDA_VISIBLE_DEVICES": "", "TINYNORM_REQUIRE_CUDA": required}
        plain = [f"-pno:{plugin}" for plugin in ("cacheprovider", "cov", "benchmark")]
        command = [sys.executable, "-m", "pytest", *plain, *tests]
        result = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
        assert result.returncode == code, result.stdout
        assert says in result.stdout
        assert "no CUDA device: " in result.stdout


def test_third_party_imports_are_declared():
    """The core needs NumPy and safetensors; what else it uses is asked for late, and the demos' own are in their extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    late = {"strategies.py", "proof.py", "compiled.py", "streams.py"}  # hypothesis, SymPy, Numba: imported where needed
    core = {name.split(".")[0] for p in sources() if p.name not in late for name, _, lazily in imports(p) if not lazily}
    assert core - set(sys.stdlib_module_names) == {"numpy", "safetensors", "tinynorm"}
    extras = project["optional-dependencies"]
    declared = " ".join(project["dependencies"] + extras["demos"] + extras["search"]).replace("scikit-learn", "sklearn")
    declared += " wandb"  # never a dependency: --wandb uses it where it is installed
    own = {p.stem for p in sources(ROOT / "demos")} | {"tinynorm", "experiments", "demos", "course"}  # (course: demos/any_file)
    for path in sources(ROOT / "demos"):
        if path.name.startswith(("benchmark", "gradcheck_")):
            continue  # their contenders are used where they are installed
        for name in {name.split(".")[0] for name, _, _ in imports(path)} - own - set(sys.stdlib_module_names):
            assert name in declared, f"{path.name} imports {name}"


def test_nothing_pickles():
    """A pickle runs code when it is read."""
    for path in sources() + sources(ROOT / "demos"):
        names = {name.split(".")[0] for name, _, _ in imports(path)}
        assert names.isdisjoint({"pickle", "marshal", "shelve", "dill", "joblib", "cloudpickle"}), path
        assert "allow_pickle=True" not in path.read_text(), path
