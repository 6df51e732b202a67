"""Each op of the table of gradients in a captured step: results and gradients are those of the step as it is, bit for bit."""

import sys
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from helpers import some

import tinynorm as tn

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
import test_gradients

CALLS = 6  # to warm up, to record, to compare; and three replays
REFUSED = {  # the ops whose calls differ with their numbers: they run as they are, and the warning says this of them
    "gumbel_softmax": "it gives other numbers$",  # the table's one sets the seed, which is no array call
    "index, mask": r"the places where a mask is True are selected, .*test_gradients\.py, line \d+$",
    "masked_select": r"the places where a mask is True are selected, .*test_gradients\.py, line \d+$",
    "repeat_interleave, each": r"values are handed to Python \(int\), .*test_gradients\.py, line \d+$",
}


def numbers(arrays, dtype, call):
    """The table's inputs, a little other ones with each call."""
    return [(a * (1 + 0.01 * call)).astype(dtype) if a.dtype.kind == "f" else a for a in map(np.asarray, arrays)]


def results(op, arrays, dtype, given, wrap):
    """The bits of what each call gives, its gradients among it; and the step.

    `given`: the numbers are the step's inputs. Otherwise they are changed in the memory of tensors that it holds.
    """
    tn.manual_seed(0)
    leaves = [tn.tensor(a, requires_grad=a.dtype.kind == "f") for a in numbers(arrays, dtype, 0)]

    def step(*inputs):
        for leaf in leaves:
            leaf.grad = None
        outputs = op(*[a * b if b.requires_grad else a for a, b in zip(inputs, leaves, strict=True)] if given else leaves)
        outputs = outputs if isinstance(outputs, tuple | list) else (outputs,)
        sums = [(y * y).sum() for y in outputs if y.requires_grad]
        if sums:
            sum(sums).backward()
        return outputs

    step, found = wrap(step), []
    for call in range(CALLS):
        new = [tn.tensor(a) for a in numbers(arrays, dtype, call)]
        if not given:
            with tn.no_grad():
                for leaf, a in zip(leaves, new, strict=True):
                    leaf.copy_(a)
        made = [*step(*new if given else ()), *(leaf.grad for leaf in leaves)]
        found.append([None if t is None else (t.shape, t.dtype, t.detach().numpy().tobytes()) for t in made])
    return found, step


@pytest.fixture(params=["numpy", "numba"])
def kernels(request):
    if request.param == "numba":
        request.getfixturevalue("numba")
    with tn.kernels.use(request.param):
        yield


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("given", [True, False], ids=["inputs", "held"])
@pytest.mark.parametrize("name", some(test_gradients.ALL, 8))
def test_each_op_of_the_table_in_a_captured_step(name, given, dtype, monkeypatch):
    for constant in ("MEAN", "VAR"):  # the running statistics must have the input's dtype
        monkeypatch.setattr(test_gradients, constant, getattr(test_gradients, constant).to(getattr(tn, dtype)))
    _, op, arrays = test_gradients.ALL[name]
    eager, _ = results(op, arrays, dtype, given, lambda step: step)
    refusal = pytest.warns(RuntimeWarning, match=REFUSED[name]) if name in REFUSED else nullcontext()
    with refusal as said:
        captured, step = results(op, arrays, dtype, given, tn.capture)
    assert captured == eager
    assert step.replays == (0 if said else CALLS - 3)
    assert bool(step.reason) == bool(said)


def test_the_refused_ops_are_in_the_table():
    assert REFUSED.keys() <= test_gradients.ALL.keys()
