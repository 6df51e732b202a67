"""Every test that takes `device` runs on each device there is; TINYNORM_REQUIRE_CUDA=1 turns a missing GPU into a failure.

Without a GPU its tests are not collected: the first lines that pytest prints say so, and one skipped test.
"""

import gc
import os
import subprocess
import sys
import zlib
from importlib.util import find_spec

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the test workers share the cores; this must come before NumPy
# The README's command does not compile all that it installs: a quarter of it is imported, and that is compiled then, once,
# even where the environment says PYTHONDONTWRITEBYTECODE=1, for hundreds of the tests start a Python of their own.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

import pytest
import stand_in_cupy
from helpers import CUDA, NO_CUDA, skip_without_cuda

import tinynorm
import tinynorm.command.main
from tinynorm.command.process import serve

# `tinynorm check` in a test's own process: another one takes half a second. tests/command/test_safety.py has the other one
tinynorm.command.main.checked = serve.records

# scripts that record what PyTorch gives, and so import it: nothing in them is a test
PYTORCHS = ["make_*_reference.py", "make_keyword_names.py", "databases.py", "databases_modules.py", "databases_torch.py"]
collect_ignore_glob = [f"*/{name}" for name in PYTORCHS]


def pytest_report_header():
    return f"{NO_CUDA}; the tests on one are left out" if not CUDA else "the tests that take a device run on the GPU too"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A worker that has nothing left takes tests from another: the slowest stand in a row, and would all fall to one."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


WITHOUT_NUMBA = os.environ.get("TINYNORM_WITHOUT_NUMBA") == "1"  # it is left out on purpose: its tests are skipped
WARMING = pytest.StashKey[subprocess.Popen]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Skip a test that asks for kernels where there are to be none; everywhere else it fails."""
    try:
        return (yield)
    except ModuleNotFoundError as error:
        if WITHOUT_NUMBA and "Numba is not installed" in str(error):
            pytest.skip(str(error))
        raise


def pytest_configure(config):
    """Compile the kernels while the workers collect the tests: else each would do it for itself, and say so."""
    if WITHOUT_NUMBA and find_spec("numba"):
        raise pytest.UsageError("TINYNORM_WITHOUT_NUMBA=1, and Numba is installed: uninstall it, or unset the variable")
    config.option.doctest_ignore_import_errors = WITHOUT_NUMBA  # kernels are no modules without it
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        command = [sys.executable, "-m", "tinynorm", "warm"]
        config.stash[WARMING] = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node):
    """No test begins before: a program that a test runs would say that it compiles."""
    node.config.stash[WARMING].wait()


@pytest.hookimpl(wrapper=True)
def pytest_collection(session):
    """Python looks for no garbage meanwhile, nor later among the tests, which stay: that took a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_collection_modifyitems(config, items):
    """TINYNORM_LONG=k/n: of the long tests only part k of n, which does not depend on the order or the number of tests."""
    part = os.environ.get("TINYNORM_LONG")
    if part:
        k, n = map(int, part.split("/"))
        other = [t for t in items if t.get_closest_marker("long") and zlib.crc32(t.nodeid.encode()) % n != k]
        left_out = set(map(id, other))
        items[:] = [t for t in items if id(t) not in left_out]
        config.hook.pytest_deselected(items=other)


@pytest.fixture
def numba():
    """Numba, which the test needs without asking for kernels itself."""
    if WITHOUT_NUMBA:
        pytest.skip("Numba is not installed")


@pytest.fixture
def formulas():
    """No kernels: the formulas run."""
    with tinynorm.kernels.use("numpy"):
        yield


@pytest.fixture(params=["cpu", *CUDA])
def device(request):
    if request.param == "cuda":
        skip_without_cuda()
    return request.param


@pytest.fixture
def with_cupy(monkeypatch):
    """Installs a stand-in for CuPy, for one test."""
    with stand_in_cupy.installation(monkeypatch) as install:
        yield install


@pytest.fixture(params=["stand-in", *CUDA])
def gpu(request):
    """The device "cuda": a stand-in, whose `crossings` count; and where there is a GPU, that too."""
    if request.param == "stand-in":
        request.getfixturevalue("with_cupy")(stand_in_cupy.module())
        return stand_in_cupy
    skip_without_cuda()
    return None


@pytest.fixture(params=["cpu", "stand-in", *CUDA])
def anywhere(request):
    """The device to work on: the CPU; "cuda" on a stand-in; and where there is a GPU, that too."""
    if request.param == "stand-in":
        request.getfixturevalue("with_cupy")(stand_in_cupy.module())
    elif request.param == "cuda":
        skip_without_cuda()
    return "cpu" if request.param == "cpu" else "cuda"


@pytest.fixture(autouse=True)
def seeded():
    """Each test begins with the same random numbers, alone or in company."""
    tinynorm.manual_seed(0)
