"""What is wrong is not proved, not even if it is right on most numbers."""

import pytest

from tinynorm.derivations.machinery import proof

sp = proof.sp
x, dy, n, k = proof.array("x"), proof.array("dy"), proof.index("n"), proof.index("k")
N = proof.size("N")


def total(term):
    return sp.Sum(term, (k, 1, N))


@pytest.mark.parametrize(
    ("zero", "proved"),
    [
        (x[n] * proof.holds(x[n] > 0) - x[n] * proof.holds(x[n] >= 0), True),
        (proof.holds(x[n] * proof.holds(x[n] > 0) > 0) - proof.holds(x[n] > 0), True),
        (dy[n] * proof.holds(x[n] > 0) - dy[n] * proof.holds(x[n] >= 0), False),  # not at 0
        (proof.holds(x[n] > 0) + proof.holds(x[n] < 0) - 1, False),  # not at 0
        (total(x[k] * proof.holds(x[k] > 0)) ** 2 / N - total(x[k] ** 2 * proof.holds(x[k] > 0)), False),  # if all are equal
        (total(x[k]) ** 2 - total(x[k] ** 2), False),
    ],
)
def test_a_difference_vanishes_only_if_it_does_for_all_numbers(zero, proved):
    assert proof.vanishes(zero) is proved
