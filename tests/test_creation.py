"""Making tensors."""

import pytest

import tinynorm


@pytest.mark.parametrize("make", [tinynorm.tensor, tinynorm.as_tensor])
def test_python_floats_keep_their_digits_in_float64(make):
    """They must not pass through float32, the default, on the way to the dtype that was asked for."""
    assert make([0.1], dtype="float64").tolist() == [0.1]
    assert make([0.1]).dtype == tinynorm.float32
