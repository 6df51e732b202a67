"""How far x goes through LayerNorm and back: a reader who follows it must not meet more code than this."""

import sys
from pathlib import Path

import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

pytestmark = pytest.mark.usefixtures("formulas")

PACKAGE = str(Path(tn.__file__).parent)

# The rooms that the mathematics lives in, and what every op passes: the graph, the tensor, the sums, the backend.
ROOMS = {"ops/normalization.py", "ops/normalization_node.py", "ops/normalization_formula.py"}
SHARED = {"autograd/engine.py", "autograd/node.py", "backend.py", "ops/common.py", "tensor.py"}
SHARED |= {"kernels/select.py", "kernels/sums.py"}
FUNCTIONS, CALLS = 48, 74  # as counted when this was written; 82 and 150 before the three rooms were made


def calls_of(work):
    """(file, function) of each call of a function of tinynorm."""
    found = []

    def see(frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(PACKAGE):
            found.append((code.co_filename[len(PACKAGE) + 1 :], code.co_qualname))

    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(None)
    return found


def test_the_way_of_x_through_layer_norm_and_back():
    x, w, b = (tn.randn(*shape, requires_grad=True) for shape in [(4, 16), (16,), (16,)])
    y, dy = [], tn.randn(4, 16)

    def forward():
        y.append(F.layer_norm(x, (16,), w, b))

    forward(), y[-1].backward(dy)  # the first time, plans are made that the next times only look up
    x.grad = w.grad = b.grad = None
    calls = calls_of(forward) + calls_of(lambda: y[-1].backward(dy))
    assert {file for file, _ in calls} == ROOMS | SHARED
    assert len(set(calls)) <= FUNCTIONS
    assert len(calls) <= CALLS
