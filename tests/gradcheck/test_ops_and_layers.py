"""All of tinynorm's ops and layers through its own checker, first and second derivatives; hypothesis chooses the inputs.

With each commit every fourth op and an example of each layer on the CPU (tests/ops/test_gradients.py has finite differences of
the same table, and tests/ops/test_stand_in_gpu.py compares it on the stand-in for a GPU); all of them, and the stand-in, among
the long tests.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import CUDA, examples, some
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.autograd import gradcheck, gradgradcheck
from tinynorm.gradcheck import check_second
from tinynorm.testing import assert_gradients, strategies

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
import test_gradients  # the table of every op and layer; its test holds that none is missing

pytestmark = pytest.mark.no_cover  # twice as slow where each line is counted; other tests run these lines too
LONG_ON_THE_STAND_IN = pytest.mark.parametrize("gpu", [pytest.param("stand-in", marks=pytest.mark.long), *CUDA], indirect=True)


def for_examples(n, check):
    """Run ``check(data)`` on n examples, the same each time."""
    settings(max_examples=n, deadline=None, derandomize=True)(given(data=st.data())(lambda data: check(data)))()


@st.composite
def inputs_like(draw, arrays):
    """Other numbers of the same signs (so that logarithms have their domain), and other sizes."""
    rng = np.random.default_rng(draw(strategies.seeds()))
    scale = draw(st.sampled_from([0.1, 1.0, 3.0]))
    return [a * rng.uniform(0.7, 1.4, a.shape) * scale if a.dtype.kind == "f" else a for a in arrays]


def op_passes(name, data, device):
    _, op, arrays = test_gradients.ALL[name]
    xs = [tn.tensor(a, device=device, requires_grad=a.dtype.kind == "f") for a in data.draw(inputs_like(arrays))]
    assert gradcheck(op, xs)
    assert gradgradcheck(op, xs)


def layer_passes(name, data, device):
    case = data.draw(strategies.layers([name], device))
    assert_gradients(case.module, case.inputs, second=True)


@pytest.mark.parametrize("name", some(test_gradients.ALL, 36))
def test_every_op_passes_gradcheck_and_gradgradcheck(name):
    for_examples(1, lambda data: op_passes(name, data, "cpu"))


@pytest.mark.parametrize("name", test_gradients.ALL)
@LONG_ON_THE_STAND_IN
def test_every_op_passes_on_a_gpu(name, gpu, monkeypatch):
    for constant in test_gradients.CONSTANTS:
        monkeypatch.setattr(test_gradients, constant, getattr(test_gradients, constant).to("cuda"))
    for_examples(1, lambda data: op_passes(name, data, "cuda"))


@pytest.mark.parametrize("name", some(strategies.NAMES, 5))
@examples(1, 8)
def test_every_layer_passes_with_its_parameters(name, examples):
    for_examples(examples, lambda data: layer_passes(name, data, "cpu"))


@pytest.mark.parametrize("name", strategies.NAMES)
@LONG_ON_THE_STAND_IN
def test_every_layer_passes_on_a_gpu(name, gpu):
    for_examples(1, lambda data: layer_passes(name, data, "cuda"))


def test_a_wrong_second_derivative_is_seen():
    """One that create_graph takes from a backward that is right, but hides how it depends on x."""

    class Square(tn.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, dy):
            (x,) = ctx.saved_tensors
            return dy * 2 * (x.detach() if isinstance(x, tn.Tensor) else x)

    x = tn.tensor([0.5, -1.0, 2.0], dtype="float64", requires_grad=True)
    assert gradcheck(Square.apply, x)
    assert check_second(Square.apply, x).ok is False
