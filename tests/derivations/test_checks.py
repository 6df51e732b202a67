"""What the checks say of a line: right, wrong, or not proved."""

import numpy as np
import pytest
from lines import line_of

from tinynorm import derivations
from tinynorm.derivations.machinery import checks
from tinynorm.ops import sqrt
from tinynorm.ops.common import keep_where, sum_over

X = {"x": "n"}
TWO = [("forward", "t", lambda x: 2 * x), ("forward", "y", lambda t: 3 * t)]


def test_what_no_proof_is_found_of_is_not_called_wrong():
    line = line_of(
        X,
        ("forward", "y", lambda x: sum_over(keep_where(x > 0, x), (0,))),
        ("rewriting", "y", lambda x: sum_over(keep_where(x > 0, keep_where(x > 0, x)), (0,))),
    )
    assert checks.measure(line).verdict == "right"
    found = checks.prove(line)
    assert (found.verdict, found.ok) == ("not proved", False)
    assert found.what == "no proof was found that both sides are equal for all sizes"


def test_what_is_measured_wrong_is_wrong():
    line = line_of(X, ("forward", "y", lambda x: 2 * x), ("adjoint", "dx", lambda dy: dy))
    assert checks.measure(line).verdict == "wrong"
    assert checks.prove(line).what == "no proof was found by the chain rule"


@pytest.mark.parametrize(
    "lines",
    [
        (("forward", "y", lambda x, w: keep_where(x > 0, w > 0)), ("rewriting", "y", lambda x, w: (x > 0) * (w > 0) * 1.0)),
        (
            ("forward", "y", lambda x, w: keep_where((x > 0) * (w > 0), x)),
            ("rewriting", "y", lambda x, w: keep_where(x > 0, keep_where(w > 0, x))),
        ),
        (
            ("forward", "y", lambda x, w: keep_where(~((x > 0) * (w > 0)), x)),
            ("rewriting", "y", lambda x, w: x - keep_where(x > 0, keep_where(w > 0, x))),
        ),
        (
            ("forward", "mask", lambda x: x > 0),
            ("forward", "y", lambda x, mask: keep_where(~mask, x)),
            ("rewriting", "y", lambda x: keep_where(x <= 0, x)),
        ),
    ],
)
def test_conditions_of_conditions_are_proved(lines):
    line = line_of({"x": "n", "w": "n"}, *lines)
    assert checks.measure(line).ok
    assert checks.prove(line).ok


def test_a_missing_adjoint_is_said():
    line = line_of(X, *TWO, ("adjoint", "dx", lambda dy: 6 * dy))
    assert checks.measure(line).ok
    found = checks.prove(line)
    assert found.verdict == "not proved"
    assert found.what == "expected an adjoint named dt, a line of its own, because XX.1 uses x"


def test_a_formula_that_does_not_run_is_wrong():
    line = line_of({}, ("forward", "y", lambda eps: sqrt(eps)), settings={"eps": 0.1})
    found = checks.measure(line)
    assert found.verdict == "wrong"
    assert "does not run: expected a Tensor" in found.what


def test_a_value_that_is_not_finite_is_wrong():
    line = line_of(X, ("forward", "y", lambda x: x / (x - x)))
    with np.errstate(divide="ignore"):
        assert checks.measure(line).what.endswith("got inf or NaN")


def test_more_letters_than_usual_are_measured():
    line = line_of(
        {"x": "abcdef"},
        ("forward", "y", lambda x: x * 2),
        ("rewriting", "y", lambda x: x + x),
        sizes=dict(zip("abcdef", "ABCDEF", strict=True)),
    )
    for sizes in checks.sizes_of(line.chapter):
        assert len({*sizes.values()}) == 6
    assert checks.measure(line).ok


@pytest.mark.parametrize("seed", range(3))
def test_a_gradient_that_is_0_is_right_though_finite_differences_cannot_tell(seed):
    (line,) = [line for line in derivations.load("geometry").lines if line.number == "GE.24"]
    assert checks.measure(line, seed=seed).ok
