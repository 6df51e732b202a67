"""assert_gradients: the report is the assertion's message, whatever is checked."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm import nn
from tinynorm.autograd import Function
from tinynorm.nn import functional as F
from tinynorm.testing import assert_gradients

X = np.random.default_rng(0).standard_normal((4, 6))


class Square(Function):
    """Its first derivative is right, its second is not: x is hidden from the graph."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, dy):
        (x,) = ctx.saved_tensors
        return dy * 2 * (x.detach() if isinstance(x, tn.Tensor) else x)


def test_a_right_gradient_gives_its_report():
    report = assert_gradients(F.gelu, X, second=True)
    assert report.ok is True
    assert assert_gradients(nn.Linear(6, 3), tn.tensor(X)).inputs[1].name == "weight"
    assert assert_gradients(lambda x: (x * x, x), X, lambda dy, x: (2 * x * dy,)).ok is True


def test_the_message_of_a_wrong_one_is_the_report():
    with pytest.raises(AssertionError, match=r"(?s)WRONG in dx.*worst at") as caught:
        assert_gradients(lambda x: (x * x, x), X, lambda dy, x: (x * dy,))
    assert "1/2" in str(caught.value)


def test_what_is_not_resolved_fails_too():
    with pytest.raises(AssertionError, match="NOT RESOLVED"):
        assert_gradients(lambda x: x * float("nan"), X)


def test_second_derivatives_are_checked_where_asked():
    assert_gradients(Square.apply, X)
    with pytest.raises(AssertionError, match="WRONG"):
        assert_gradients(Square.apply, X, second=True)
    with pytest.raises(TypeError, match="second derivatives are checked of functions of Tensors"):
        assert_gradients(lambda x: (x * x, x), X, lambda dy, x: (2 * x * dy,), second=True)


def test_options_go_to_the_check():
    report = assert_gradients(lambda x: x * x, X, names=["u"], seed=3)
    assert report.inputs[0].name == "u"
    assert report.settings["seed"] == 3


def test_only_the_tensors_that_require_grad_are_checked_where_some_do():
    a, b = tn.tensor(X, requires_grad=True), tn.tensor(X)
    assert [found.name for found in assert_gradients(lambda a, b: a * b, [a, b]).inputs] == ["a"]
    assert [found.name for found in assert_gradients(lambda a, b: a * b, [X, X + 1]).inputs] == ["a", "b"]
    assert b.requires_grad is False
