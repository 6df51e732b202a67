"""Small rules of arithmetic, rounding, dtypes and creation, as PyTorch has them (make_rules_reference.py wrote them down)."""

import json
from pathlib import Path

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F

RECORDED = json.loads((Path(__file__).parent / "rules_reference.json").read_text())
VALUES = [case for case in RECORDED if case[1] is not None]
REFUSED = [case[0] for case in RECORDED if case[1] is None]
TOLERANCES = {"float16": 2e-3, "float32": 1e-6, "float64": 1e-12, "bool": 0, "uint8": 0, "int8": 0, "int32": 0, "int64": 0}
# What we leave to the user: this PyTorch computes, ...
NOT_OURS = {
    "t.tensor([True, False, True], dtype=t.bool) ** True",
    "(lambda x, n: t.linspace(n, 3, 2, dtype=x.dtype))(t.tensor([7, 2, 3], dtype=t.float16), float('nan'))",
}


def is_ours(expression):
    """... and this it refuses: a boolean beside a minus, 0 or 1 as in NumPy; and inf for what is too large for float16."""
    of_a_boolean = " - " in expression and ("True" in expression or "bool" in expression)
    too_large = "float16" in expression and "2**40" in expression
    return of_a_boolean or (too_large and any(part in expression for part in ("t.tensor(n)", "** n", "pow_", "x.add(x")))


def test_the_rules_are_many():
    assert len(VALUES) > 1500
    assert len(REFUSED) > 60


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("chunk", range(16))
def test_values_and_dtypes_are_pytorchs(chunk):
    for expression, dtype, numbers in VALUES[chunk::16]:
        if expression in NOT_OURS:
            continue
        y = eval(expression, {"t": tn, "np": np})
        assert str(y.array.dtype) == dtype, expression
        rtol = max(r for name, r in TOLERANCES.items() if name == dtype or f"t.{name})" in expression)
        expected = np.array(numbers, "float64")
        np.testing.assert_allclose(np.array(y.tolist(), "float64"), expected, rtol=rtol, atol=rtol / 10, err_msg=expression)


@pytest.mark.parametrize("chunk", range(16))
def test_what_pytorch_refuses_is_refused(chunk):
    for expression in [e for e in REFUSED if not is_ours(e)][chunk::16]:
        with pytest.raises((RuntimeError, TypeError, ValueError, IndexError)):
            print(expression, eval(expression, {"t": tn, "np": np}))


@pytest.mark.parametrize(("a", "b"), [(5, 0), (0, 0), (-1, 0)])
@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8"])
def test_integers_are_not_divided_by_0(a, b, dtype, anywhere):
    x, y = (tn.tensor([1, v % 256], dtype=dtype, device=anywhere) for v in (a, b))
    for op in (lambda: x // y, lambda: x % y, lambda: x // 0, lambda: x % 0, lambda: 5 // y, lambda: 5 % y):
        for error in (ZeroDivisionError, RuntimeError):  # Python's and PyTorch's
            with pytest.raises(error, match="cannot be divided by 0"):
                op()
    for op in ("__ifloordiv__", "__imod__"):
        with pytest.raises(ZeroDivisionError):
            getattr(x, op)(y)
    assert x.tolist() == [1, a % 256]
    assert (x.float() / 0).tolist()[0] == float("inf")


def test_a_bound_passes_the_whole_gradient_be_it_number_or_tensor(anywhere):
    def gradient(*bounds):
        x = tn.tensor([0.0, 1.0, 1.5, 2.0, 3.0], device=anywhere, requires_grad=True)
        (g,) = tn.autograd.grad(x.clamp(*bounds).sum(), x)
        return g.tolist()

    low, high = (tn.tensor(v, device=anywhere) for v in (1.0, 2.0))
    assert gradient(1.0, 2.0) == gradient(low, high) == gradient(low.expand(5), 2.0) == [0.0, 1.0, 1.0, 1.0, 0.0]
    assert gradient(low) == gradient(1.0) == [0.0, 1.0, 1.0, 1.0, 1.0]


def test_a_step_gives_a_tensor_of_its_own():
    for x in (tn.tensor([1, 2]), tn.tensor([1.0, 2.0])):
        for op in (tn.floor, tn.ceil, tn.round):
            y = op(x)
            y.fill_(7)
            assert x.tolist() == [1, 2]


def test_ignore_index_and_probabilities_do_not_go_together():
    x, q = tn.zeros(2, 3), tn.ones(2, 3) / 3
    with pytest.raises(RuntimeError, match="no ignore_index beside class probabilities, got 1"):
        F.cross_entropy(x, q, ignore_index=1)
    assert F.cross_entropy(x, q, ignore_index=-1).item() == pytest.approx(np.log(3))


def test_of_two_python_numbers_an_operation_makes_a_tensor():
    for op, y, dtype in (
        (tn.add(5, 2), 7, tn.int64),
        (tn.sub(5, 2.0), 3.0, tn.float32),
        (tn.mul(True, 2), 2, tn.int64),
        (tn.div(5, 2), 2.5, tn.float32),
        (tn.floor_divide(5, 2), 2, tn.int64),
    ):
        assert isinstance(op, tn.Tensor)
        assert (op.item(), op.dtype, op.shape) == (y, dtype, ())


@pytest.mark.parametrize("value", [None, 1j])
def test_where_refuses_what_is_no_real_number(value):
    for pair in ((value, 1), (1, value)):
        with pytest.raises(TypeError):
            tn.where(tn.tensor([True, False]), *pair)


def test_numbers_drawn_fit_into_their_dtype():
    with pytest.raises(ValueError, match="fit into uint8, 0 to 255, got low=0, high=300"):
        tn.randint(0, 300, (2,), dtype="uint8")
    assert set(tn.randint(0, 2, (50,), dtype="bool").tolist()) == {True, False}
    assert tn.randint(0, 256, (500,), dtype="uint8").array.max() > 200
    with pytest.raises(TypeError):
        tn.randint(0, 2.5, (2,))
