"""What is wrong is not proved, not even if it is right on most numbers."""

import pytest

from tinynorm.derivations.machinery import checks, proof
from tinynorm.derivations.machinery.chapter import Chapter
from tinynorm.derivations.machinery.expression import Symbol

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


def test_a_root_of_a_square_is_no_signed_number():
    x, N, n, k = proof.array("x"), proof.size("N"), proof.index("n"), proof.index("k")
    w, sp = proof.array("w"), proof.sp
    assert not proof.vanishes(sp.sqrt((1 / x[n] + 1) ** -2) - 1 / (1 / x[n] + 1))
    one = sp.Sum(sp.exp(sp.Sum(sp.exp(x[k] * w[n]), (k, 1, N))), (n, 1, N))
    other = sp.Sum(sp.exp(sp.Sum(sp.exp(x[n] * w[k]), (k, 1, N))), (n, 1, N))
    assert not proof.vanishes(one - other)


def test_what_is_given_cannot_be_defined_again():
    chapter = Chapter(0, "XX", "x", None, {"n": "N"}, {"x": "n"}, settings={"eps": 1e-5})
    for symbol in ("x", "eps", "dy"):
        formula = {"x": lambda x: 2 * x, "eps": lambda x: 2 * x, "dy": lambda x: 2 * x}[symbol]
        formula.__name__ = symbol
        with pytest.raises(ValueError, match=f"{symbol} is given"):
            chapter.forward("XX.1", "wrong")(formula)


def test_a_formula_cannot_branch_on_a_symbol():
    with pytest.raises(TypeError, match="keep_where"):
        bool(Symbol("a", ("n",)) > 0)


def test_nan_is_no_agreement():
    chapter = Chapter(0, "XX", "x", None, {"n": "N"}, {"x": "n"}, output="y")

    @chapter.forward("XX.1", "twice")
    def y(x):
        return x * 2

    @chapter.op
    def op(x):
        return x * float("nan")

    assert checks.three_forms(chapter, {"n": 3}) == float("inf")
