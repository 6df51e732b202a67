"""`tinynorm info` and `tinynorm warm`."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest

from tinynorm.command import blas, kernels
from tinynorm.command.main import main
from tinynorm.kernels import select, use


@pytest.mark.usefixtures("numba")
def test_info_says_what_is_used_and_why(capsys, monkeypatch):
    monkeypatch.setattr(select.state, "choice", "auto")
    assert main(["info"]) == 0
    text = capsys.readouterr().out
    assert f"for row-major float32 and float64 arrays of {select.WORTH} numbers and more" in text
    assert all(name in text for name in kernels.FAMILIES)
    assert "NumPy" in text.splitlines()[0]


@pytest.mark.usefixtures("numba")
@pytest.mark.parametrize(("choice", "says"), [("numpy", "TINYNORM_KERNELS=numpy"), ("numba", "of any size, as TINYNORM")])
def test_info_tells_the_choice(capsys, choice, says):
    with use(choice):
        main(["info"])
    assert says in capsys.readouterr().out


def test_without_numba_both_say_how_to_get_it(capsys, monkeypatch):
    monkeypatch.setattr(select, "why_not", lambda: "Numba is not installed; pip install 'tinynorm[fast]'")
    assert (main(["info"]), main(["warm"])) == (0, 1)
    assert capsys.readouterr().out.count("Numba is not installed; pip install 'tinynorm[fast]'") == 2


@pytest.mark.parametrize(
    ("core", "found", "hint"),
    [
        ("Haswell", ["X86_V3", "X86_V4"], True),
        ("Zen", ["AVX512_SKX"], True),
        ("Zen", ["X86_V3"], False),
        ("", ["X86_V4"], False),
    ],
)
def test_info_tells_if_openblas_leaves_avx512_unused(capsys, monkeypatch, core, found, hint):
    config = {"Build Dependencies": {"blas": {"name": "openblas", "version": "0.3"}}, "SIMD Extensions": {"found": found}}
    monkeypatch.setattr(blas.np, "show_config", lambda mode: config)
    monkeypatch.setattr(blas, "openblas_core", lambda: core)
    main(["info"])
    line = capsys.readouterr().out.splitlines()[1]
    assert line.startswith("matrix products  openblas 0.3" + (f", kernels for {core}" if core else ""))
    assert ("OPENBLAS_CORETYPE=SkylakeX" in line) is hint


@pytest.mark.skipif(not blas.openblas_core(), reason="NumPy's products are not OpenBLAS's, or this system does not tell")
def test_openblas_is_asked_whose_kernels_it_uses():
    code = "from tinynorm.command.blas import openblas_core; print(openblas_core())"
    env = {**os.environ, "OPENBLAS_CORETYPE": "Sandybridge"}
    told = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
    assert told.strip() == "Sandybridge" or platform.machine() != "x86_64"


@pytest.mark.parametrize("maps", ["", "7f00-7f01 r-xp 0 0 0\n7f00-7f01 r-xp 00 fd:00 1 /nowhere/libopenblas.so\n"])
def test_where_openblas_is_not_to_be_found_nothing_is_said_of_it(monkeypatch, tmp_path, maps):
    (tmp_path / "maps").write_text(maps)
    monkeypatch.setattr(blas, "MAPS", tmp_path / "maps")
    assert blas.openblas_core() == ""
    monkeypatch.setattr(blas, "MAPS", tmp_path / "none")
    assert blas.openblas_core() == ""


@pytest.fixture
def helpers(monkeypatch, numba):
    """The processes that `tinynorm warm` starts, on a machine of three processors."""
    found, start = [], kernels._helper
    monkeypatch.setattr(kernels, "_helper", lambda queue: found.append(start(queue)) or found[-1])
    monkeypatch.setattr(kernels, "processors", lambda: 3)
    return found


def told(text):
    return sorted(line.split()[0] for line in text.splitlines()[:-1])


@pytest.mark.long  # four seconds; with one process it is quick
def test_warm_shares_the_families_out_among_processes(helpers, capfd, monkeypatch):
    call, mine = kernels._call, []
    monkeypatch.setattr(kernels, "_call", lambda name: (mine.append(name), helpers[0].wait(), helpers[1].wait(), call(name)))
    assert main(["warm"]) == 0
    assert told(capfd.readouterr().out) == sorted(kernels.FAMILIES)  # each once, whichever process it was
    assert [helper.returncode for helper in helpers] == [0, 0]
    assert len(mine) == 1 + len(kernels.FAMILIES)  # of the queue one, the others did the rest; then all, from the disk


@pytest.mark.parametrize("ends", ["true", "false"])
def test_warm_needs_no_helper(helpers, capfd, monkeypatch, ends):
    monkeypatch.setattr(sys, "executable", which(ends))
    assert main(["warm"]) == 0
    assert told(capfd.readouterr().out) == sorted(kernels.FAMILIES)
    assert len(helpers) == 2


def test_where_nothing_can_be_kept_there_are_no_helpers(helpers, capfd, monkeypatch):
    monkeypatch.setattr(select.family("compiled"), "is_kept", lambda kernel: False)
    assert main(["warm"]) == 0
    assert told(capfd.readouterr().out) == sorted(kernels.FAMILIES)
    assert helpers == []


def test_an_interrupt_ends_the_helpers(helpers, capfd, monkeypatch):
    def interrupted(family):
        raise KeyboardInterrupt

    monkeypatch.setattr(kernels, "_call", interrupted)
    assert main(["warm"]) == 130
    assert [helper.returncode for helper in helpers] == [-9, -9]


@pytest.mark.usefixtures("numba")
def test_warm_calls_every_kernel_with_both_dtypes(capsys, monkeypatch):
    monkeypatch.setattr(kernels, "processors", lambda: 1)
    assert main(["warm"]) == 0
    assert "7 families of kernels are ready, in " in capsys.readouterr().out
    folder = Path(select.__file__).parent
    others = {"__init__", "buffers", "compiled", "halves", "masks", "select", "streams", "sums"}
    assert set(kernels.FAMILIES) == {p.stem for p in folder.glob("*.py")} - others
    called = {"classes": ("shift", "losses", "gradient"), "updates": ("sgd", "momentum", "adam")}
    gelu = ("exponents", "gelu", "gelu_backward", "arguments", "gelu_tanh", "gelu_tanh_backward")
    norm = "standardize", "project", "project_by_constants"
    called |= {"activations": ("relu_backward",), "gelu": gelu, "columns": (*norm, "follow"), "slabs": norm}
    for name in kernels.FAMILIES:
        for entry in called.get(name, ("standardize", "project")):
            signatures = getattr(select.family(name), entry).signatures
            arrays = {str(a.dtype) for s in signatures for a in s if hasattr(a, "dtype")}
            assert arrays >= {"float32", "float64"}, (name, entry)


LONG = """
from tinynorm.command import blas, kernels
from tinynorm.command.main import main
kernels.processors = lambda: 2
main(["warm"])
"""


@pytest.mark.long
@pytest.mark.usefixtures("numba")
def test_what_warm_compiles_is_on_the_disk(tmp_path):
    run = [sys.executable, "-c", LONG]
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    said = [subprocess.run(run, env=env, capture_output=True, text=True, check=True) for _ in range(2)]
    assert [told(r.stdout) for r in said] == [sorted(kernels.FAMILIES)] * 2
    assert [r.stderr.count("compiling kernels for this machine") for r in said] == [1, 0]
