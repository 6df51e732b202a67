"""Making tensors."""

import numpy as np
import pytest

import tinynorm


@pytest.mark.parametrize("make", [tinynorm.tensor, tinynorm.as_tensor])
def test_python_floats_keep_their_digits_in_float64(make):
    """They must not pass through float32, the default, on the way to the dtype that was asked for."""
    assert make([0.1], dtype="float64").tolist() == [0.1]
    assert make([0.1]).dtype == tinynorm.float32


@pytest.mark.parametrize("data", [[np.array([0.1])], [np.float64(0.1)], [[np.float64(0.1), 0.2]]])
def test_numpys_floats_in_lists_keep_their_digits(data):
    assert tinynorm.tensor(data).dtype == tinynorm.float64
    assert tinynorm.tensor(data).reshape(-1)[0].item() == 0.1


def test_arange_takes_its_bounds_by_name():
    assert tinynorm.arange(0, 10, step=4).tolist() == [0, 4, 8]
    assert tinynorm.arange(start=1, end=3).tolist() == [1, 2]
    assert tinynorm.arange(end=2).tolist() == [0, 1]
    assert tinynorm.arange(0, 1, step=0.5).dtype == tinynorm.float32


@pytest.mark.parametrize("dtype", [None, "int64"])
def test_linspace_of_no_steps_is_empty_and_of_fewer_is_refused(dtype):
    assert tinynorm.linspace(0, 1, 0, dtype=dtype).shape == (0,)
    with pytest.raises(RuntimeError, match="linspace: expected a number of steps that is not negative, got -1"):
        tinynorm.linspace(0, 1, -1, dtype=dtype)


def test_randint_takes_its_bounds_by_name():
    x = tinynorm.randint(low=7, high=9, size=(50,))
    assert set(x.tolist()) == {7, 8}
    assert set(tinynorm.randint(high=2, size=(50,)).tolist()) == {0, 1}
    assert set(tinynorm.randint(2, size=(50,)).tolist()) == {0, 1}


@pytest.mark.parametrize(("bounds", "error"), [((0, 10), "got 10 as size"), ((3, 3, (2,)), "low < high"), ((), "as size")])
def test_randint_explains_what_it_needs(bounds, error):
    with pytest.raises((TypeError, ValueError), match=error):
        tinynorm.randint(*bounds)


def test_random_integers_are_integers():
    for x in (tinynorm.randint(2, (5,)), tinynorm.randint(0, 9, (2, 3)), tinynorm.randperm(4)):
        assert x.dtype == tinynorm.int64
        assert isinstance(x.reshape(-1)[0].item(), int)
    assert tinynorm.randint(0, 9, (2,), dtype="int8").dtype == np.int8
