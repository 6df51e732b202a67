"""assert_close says how far two results differ, and where."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.testing import assert_close


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (tn.tensor([1.0]), tn.tensor([1.0 + 1e-6])),
        (tn.ones(2, dtype=tn.float64), tn.ones(2, dtype=tn.float64) + 1e-8),
        (tn.arange(3), tn.arange(3)),
        (1.0, 1.0 + 1e-8),
        (np.ones(3), np.ones(3)),
        ([tn.ones(1), {"x": tn.zeros(2)}], [tn.ones(1), {"x": tn.zeros(2)}]),
        (tn.tensor([np.inf]), tn.tensor([np.inf])),
    ],
)
def test_what_is_close_passes(a, b):
    assert_close(a, b)


@pytest.mark.parametrize(
    ("a", "b", "says"),
    [
        (tn.tensor([1.0, 2.0]), tn.tensor([1.0, 2.5]), r"1 of 2 elements differ; the largest difference is 0.5 at \(1,\): 2.0"),
        (tn.ones(2), tn.ones(3), r"expected shape \(3,\), got \(2,\)"),
        (tn.ones(2), tn.ones(2, dtype=tn.float64), "expected dtype float64, got float32; check_dtype=False"),
        (tn.arange(3), tn.arange(3) + 1, "3 of 3 elements differ"),
        (tn.tensor([np.nan]), tn.tensor([np.nan]), "1 of 1 elements differ"),
        ([tn.ones(1), {"x": tn.zeros(2)}], [tn.ones(1), {"x": tn.ones(2)}], r"at \[1\]: at \['x'\]: not close: 2 of 2"),
        ([1], [1, 2], "expected 2 elements, got 1"),
        ({"a": 1}, {"b": 1}, r"expected the keys \['b'\], got \['a'\]"),
        (tn.ones(1), np.ones(1), "expected ndarray, got Tensor"),
        (tn.tensor([1.0 + 3e-5]), tn.tensor([1.0]), "1 of 1 elements differ"),
    ],
)
def test_what_is_not_close_is_told(a, b, says):
    with pytest.raises(AssertionError, match=says):
        assert_close(a, b)
    with pytest.raises(AssertionError, match=r"^mine$"):
        assert_close(a, b, msg="mine")


def test_tolerances_are_given_both_or_neither():
    assert_close(tn.tensor([1.0]), tn.tensor([1.1]), rtol=0.2, atol=0)
    assert_close(tn.ones(1), tn.ones(1, dtype=tn.float64), check_dtype=False)
    assert_close(tn.tensor([np.nan]), tn.tensor([np.nan]), equal_nan=True)
    with pytest.raises(ValueError, match="expected both rtol and atol or neither, got"):
        assert_close(1.0, 1.0, rtol=0.1)
