"""Values and their numbers: what PyTorch's recorded numbers do not say."""

import numpy as np
import pytest

import tinynorm as tn

NAN = float("nan")


def test_each_nan_is_a_value_of_its_own(anywhere):
    values, at, counts = tn.unique(tn.tensor([NAN, 1.0, NAN, 1.0], device=anywhere), return_inverse=True, return_counts=True)
    np.testing.assert_array_equal(values.cpu().numpy(), [1.0, NAN, NAN])
    assert (at.tolist(), counts.tolist()) == ([1, 0, 2, 0], [2, 1, 1])
    assert (at.device, counts.device) == (values.device, values.device)


def test_of_nothing_there_are_no_values(anywhere):
    values, at, counts = tn.unique(tn.zeros(0, 3, device=anywhere), return_inverse=True, return_counts=True)
    assert (values.shape, at.shape, counts.shape) == ((0,), (0, 3), (0,))
    assert tn.histc(tn.zeros(0, device=anywhere), 3).tolist() == [0.0, 0.0, 0.0]


def test_random_integers_against_numpys(anywhere):
    x = np.random.default_rng(0).integers(-5, 5, (6, 7))
    found = tn.unique(tn.tensor(x, device=anywhere), return_inverse=True, return_counts=True)
    for ours, expected in zip(found, np.unique(x, return_inverse=True, return_counts=True), strict=True):
        np.testing.assert_array_equal(ours.cpu().numpy(), expected)
    some = tn.tensor([-3, 4, 4], device=anywhere)
    np.testing.assert_array_equal(tn.isin(tn.tensor(x, device=anywhere), some).cpu().numpy(), np.isin(x, [-3, 4]))


def test_membership_of_numbers_and_of_nan():
    assert tn.isin(2, tn.tensor([1, 2])).item() is True
    assert tn.isin(tn.tensor([NAN, 1.0]), tn.tensor([NAN, 1.0])).tolist() == [False, True]
    assert tn.isin(tn.tensor([1.5, 2.0]), tn.tensor([1, 2])).tolist() == [False, True]


@pytest.mark.long
def test_a_histogram_of_float32_counts_beyond_its_integers():
    x = tn.zeros(2**24 + 10)
    assert tn.histc(x.half(), 2, -1, 1).tolist() == [0.0, float("inf")]  # as many as float16 cannot say
    assert tn.histc(x, 1, -1, 1).item() == 2**24 + 10


def test_what_is_refused_is_told():
    x = tn.tensor([1.0, 2.0])
    for call, says in (
        (lambda: tn.unique(x, dim=0), r"dim=None.*numpy\.unique"),
        (lambda: tn.histc(tn.tensor([1, 2])), "bincount counts integers"),
        (lambda: tn.histc(x, 0), "at least 1 interval"),
        (lambda: tn.histc(x, 3, 2, 1), "range from min to max, got 2.0 to 1.0"),
        (lambda: tn.histc(tn.tensor([1.0, float("inf")])), "finite range"),
        (lambda: tn.histc(tn.tensor([1.0, NAN])), "finite range"),
    ):
        with pytest.raises(RuntimeError, match=says):
            call()
