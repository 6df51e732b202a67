"""`tinynorm info` and `tinynorm warm`."""

from pathlib import Path

import pytest

from tinynorm.command import kernels
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


@pytest.mark.usefixtures("numba")
def test_warm_calls_every_kernel_with_both_dtypes(capsys):
    assert main(["warm"]) == 0
    assert "7 families of kernels are ready, in " in capsys.readouterr().out
    folder = Path(select.__file__).parent
    others = {"__init__", "buffers", "compiled", "halves", "masks", "select", "sums"}
    assert set(kernels.FAMILIES) == {p.stem for p in folder.glob("*.py")} - others
    called = {"classes": ("shift", "losses", "gradient"), "updates": ("sgd", "momentum", "adam")}
    gelu = ("exponents", "gelu", "gelu_backward", "arguments", "gelu_tanh", "gelu_tanh_backward")
    called |= {"activations": ("relu_backward",), "gelu": gelu, "columns": ("standardize", "project", "follow")}
    for name in kernels.FAMILIES:
        for entry in called.get(name, ("standardize", "project")):
            signatures = getattr(select.family(name), entry).signatures
            arrays = {str(a.dtype) for s in signatures for a in s if hasattr(a, "dtype")}
            assert arrays >= {"float32", "float64"}, (name, entry)
