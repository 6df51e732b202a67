"""What a chapter refuses while it is written, and how it shows what it takes."""

import re

import numpy as np
import pytest
from lines import line_of

from tinynorm.command.derive import equation
from tinynorm.derivations.machinery.chapter import Chapter
from tinynorm.derivations.machinery.notation import Style
from tinynorm.ops import exp, sqrt
from tinynorm.ops.common import keep_where, sum_over

X, XW = {"x": "n"}, {"x": "n", "w": "n"}
TWICE = ("forward", "y", lambda x: 2 * x)


@pytest.mark.parametrize(
    ("says", "make"),
    [
        ("XX.2: dx is the gradient of x; write chapter.adjoint",
         lambda: line_of(X, TWICE, ("forward", "dx", lambda dy: 7 * dy))),
        ("XX.2: dy, defined above, would be its gradient; define y first",
         lambda: line_of(X, ("forward", "dy", lambda x: 7 * x), TWICE, output="z")),
        ("XX.2: dt is no gradient of a symbol of this chapter; leave out quoted",
         lambda: line_of(X, TWICE, ("forward", "dt", lambda x: 7 * x, True))),
        ("XX.1: y is no gradient of a symbol of this chapter", lambda: line_of(X, ("forward", "y", lambda x: 7 * x, True))),
        ("dt is the gradient of y, the output, and reads as that of t",
         lambda: line_of(X, ("forward", "t", lambda x: 2 * x), upstream="dt")),
        ("dx is the gradient of y, the output, and reads as that of x", lambda: line_of(X, upstream="dx")),
        ("the output, is not defined above", lambda: line_of(X, ("adjoint", "dx", lambda dy: dy))),
        ("expected a size for m, one of ['N'], got 'M'", lambda: line_of(X, settings={"m": "M"})),
        ("expected axes as a tuple for axes, (0,), got [0]", lambda: line_of(X, settings={"axes": [0]})),
        ("v and var are both written v", lambda: line_of({"var": "n"}, ("forward", "v", lambda var: var))),
        ("s and std are both written s", lambda: line_of({"s": "n", "std": "n"})),
        ("r and rstd are both written r", lambda: line_of({"r": "."}, settings={"rstd": 0.1})),
        ("lam and decay are both written λ", lambda: line_of(X, settings={"lam": 0.1, "decay": 0.2})),
        ("dvar and dv are both written dv", lambda: line_of(
            {"var": "n"}, ("forward", "y", lambda var: var), ("adjoint", "dvar", lambda dv: dv), upstream="dv")),
    ],
)  # fmt: skip
def test_a_symbol_with_two_meanings_is_refused(says, make):
    with pytest.raises(ValueError, match=re.escape(says)):
        make()


def test_a_gradient_may_be_quoted_from_another_chapter():
    assert line_of(X, TWICE, ("forward", "dx", lambda dy: 2 * dy, True)).quoted


@pytest.mark.parametrize(
    ("says", "formula"),
    [
        ("+ of two conditions is no sum", lambda x, w: (x > 0) + (w > 0)),
        ("- of two conditions is no sum", lambda x, w: (x > 0) - ~(w > 0)),
        ("+ of two conditions is no sum", lambda x, w: (x > 0) * (w > 0) + (x < 0)),
        ("-: expected numbers, got a condition", lambda x: -(x > 0)),
        ("exp: expected numbers, got a condition", lambda x: exp(x > 0)),
        ("expected a condition such as x > 0", lambda x, w: keep_where(w, x)),
        ("expected a condition such as x > 0", lambda x: ~x),
        ("write keep_where(a <= b, keep_where(b <= a, x))", lambda x: keep_where(x == 0, x)),
        ("write x[:, None] for a column", lambda x: x.T),
        ("write x[:, None] for a column", lambda x: x.mT),
        ("write a sum over a one-hot array", lambda x, w: x[w]),
        ("expected at most an index for each dimension", lambda x: x[:, 0]),
        ("cannot use np.sqrt: write an operator with Python's numbers, or sum_over,", lambda x: np.sqrt(x)),
        ("has no abs(x): write sqrt(x * x)", lambda x: abs(x)),
        ("has no .sum: write sum_over, mean_over", lambda x: x.sum()),
        ("sqrt: expected an array, got 2; write 2 ** 0.5", lambda x: sqrt(2) * x),
        ("exp: expected an array, got 2; write math.exp(2)", lambda x: exp(2) * x),
        ("write a sum of products, sum_over(x * w, (1,))", lambda x, w: x @ w),
        ("expected axes as a tuple, such as (0,), got [0]", lambda x: sum_over(x, [0])),
        ("expected axes as a tuple, such as (0,), got 0", lambda x: sum_over(x, 0)),
        ("expected an array of the formula, or a number, got '1'", lambda x: x * "1"),
    ],
)
def test_a_formula_that_is_none_says_what_to_write(says, formula):
    with pytest.raises((AttributeError, TypeError, ValueError), match=f"^XX.1: .*{re.escape(says)}"):
        line_of(XW, ("forward", "y", formula))


def test_a_product_of_more_than_two_dimensions_says_what_to_write():
    with pytest.raises(ValueError, match=r"expected two matrices.*write a sum of products"):
        line_of({"q": "bld"}, ("forward", "y", lambda q: q @ q.mT), sizes={"b": "B", "l": "L", "d": "D"})


@pytest.mark.parametrize(
    ("formula", "unicode", "latex"),
    [
        (lambda x: ((x > 0) + 1.0) * x, "((x_n > 0) + 1.0) x_n", r"\left(\left(x_{n} > 0\right) + 1.0\right) \, x_{n}"),
        (lambda x: x - (x > 0), "x_n - (x_n > 0)", r"x_{n} - \left(x_{n} > 0\right)"),
        (lambda x: keep_where(~(x > 0), x), "x_n [not x_n > 0]", r"x_{n}\,[\text{not } x_{n} > 0]"),
    ],
)
def test_a_condition_in_a_sum_has_brackets(formula, unicode, latex):
    line = line_of(X, ("forward", "y", formula))
    assert equation(line) == f"y_n = {unicode}"
    assert Style(latex=True, sizes={"n": "N"}).write(line.tree) == latex


def chapter():
    return Chapter(0, "XX", "x", None, {"n": "N"}, {"x": "n", "w": "n"})


def test_the_code_is_what_the_statement_returns():
    xx = chapter()

    @xx.forward("XX.1", "The values that we return here.")
    def t(x):
        return 2 * x

    @xx.forward("XX.2", "In brackets.")
    def y(t, w):
        # we return a sum
        return (
            t
            + sum_over(w, (0,))  # of all
        )  # fmt: skip

    assert [line.code for line in xx.lines] == ["2 * x", "t\n+ sum_over(w, (0,))"]


def test_more_than_one_statement_is_refused():
    xx = chapter()
    with pytest.raises(ValueError, match=r"XX\.1: y: expected one statement, return and the right-hand side"):

        @xx.forward("XX.1", "Shown as x + 1, and computed as 2 x + 1.")
        def y(x):
            x = 2 * x
            return x + 1
