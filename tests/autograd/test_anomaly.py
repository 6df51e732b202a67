"""Anomaly detection names the op whose gradient is NaN, and the line of the forward pass."""

import inspect

import pytest

import tinynorm as tn
from tinynorm.autograd import detect_anomaly, set_detect_anomaly
from tinynorm.autograd.anomaly import detection


def nan_loss():
    x = tn.tensor([0.0, 4.0], requires_grad=True)
    return (x * 0).sqrt().sum() * 0  # 0 * inf


def line_of(text):
    lines, first = inspect.getsourcelines(nan_loss)
    return first + next(i for i, line in enumerate(lines) if text in line)


def test_the_op_and_its_line_are_told():
    with detect_anomaly():
        loss = nan_loss()
        with pytest.raises(RuntimeError, match="'SqrtBackward0' returned nan values in its 0th output") as caught:
            loss.backward()
    assert "its input of shape (2,)" in str(caught.value)
    assert str(caught.value).endswith(f"It was called in {__file__}, line {line_of('sqrt')}")


def test_an_error_leaves_grad_as_it_was():
    x, y = tn.tensor([-1.0], requires_grad=True), tn.tensor([1.0], requires_grad=True)
    with detect_anomaly(), pytest.raises(RuntimeError, match="nan"):
        (y + x.sqrt()).backward()
    assert x.grad is None
    assert y.grad is None


def test_it_holds_for_second_derivatives_and_for_grad():
    x = tn.tensor([0.0], requires_grad=True)
    with detect_anomaly():
        (dx,) = tn.autograd.grad((x**1.5).sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="nan values"):
            tn.autograd.grad((dx * 0).sqrt() * 0, x)


def test_without_it_nan_passes():
    nan_loss().backward()
    with detect_anomaly(check_nan=False):
        nan_loss().backward()


def test_an_op_that_ran_before_says_so():
    loss = nan_loss()
    with detect_anomaly(), pytest.raises(RuntimeError, match="ran before anomaly detection was on"):
        loss.backward()


def test_it_stays_on_until_it_is_turned_off():
    set_detect_anomaly(True)
    try:
        assert detection.on
        with set_detect_anomaly(False):
            assert not detection.on
        assert detection.on
    finally:
        set_detect_anomaly(False)
    assert not detection.on


def test_right_gradients_of_integers_and_unused_inputs_pass():
    x = tn.ones(3, requires_grad=True)
    with detect_anomaly():
        (x[tn.tensor([0, 2])] * tn.arange(2)).sum().backward()
    assert x.grad.tolist() == [0, 0, 1]
