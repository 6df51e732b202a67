"""All of tinynorm's ops and layers through its own checker, first and second derivatives; hypothesis chooses the inputs."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.autograd import gradcheck, gradgradcheck
from tinynorm.gradcheck import check_second
from tinynorm.testing import assert_gradients, strategies

sys.path.insert(0, str(Path(__file__).parents[1] / "ops"))
from test_gradients import ALL  # the table of every op and layer; its test holds that none is missing

FEW = settings(max_examples=3, deadline=None, derandomize=True)
SOME = settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])


@st.composite
def inputs_like(draw, arrays):
    """Other numbers of the same signs (so that logarithms have their domain), and other sizes."""
    rng = np.random.default_rng(draw(strategies.seeds()))
    scale = draw(st.sampled_from([0.1, 1.0, 3.0]))
    return [a * rng.uniform(0.7, 1.4, a.shape) * scale if a.dtype.kind == "f" else a for a in arrays]


@pytest.mark.parametrize("name", ALL)
@FEW
@given(data=st.data())
def test_every_op_passes_gradcheck_and_gradgradcheck(name, data):
    _, op, arrays = ALL[name]
    xs = [tn.tensor(a, requires_grad=a.dtype.kind == "f") for a in data.draw(inputs_like(arrays))]
    assert gradcheck(op, xs)
    assert gradgradcheck(op, xs)


@pytest.mark.parametrize("name", strategies.NAMES)
@SOME
@given(data=st.data())
def test_every_layer_passes_with_its_parameters(device, name, data):
    case = data.draw(strategies.layers([name], device))
    assert_gradients(case.module, case.inputs, second=True)


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
