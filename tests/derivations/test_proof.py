"""What is wrong is not proved, not even if it is right on most numbers."""

from fractions import Fraction

import numpy as np
import pytest
from helpers import some
from lines import line_of
from mutations import mutants

from tinynorm import derivations
from tinynorm.derivations.machinery import checks, proof
from tinynorm.derivations.machinery.chapter import Chapter
from tinynorm.derivations.machinery.expression import Symbol, keep_where, log, sqrt, sum_over

LINES = [line for name in derivations.CHAPTERS for line in derivations.load(name).lines]

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


@pytest.mark.parametrize("line", some([line for line in LINES if line.proof], 5), ids=lambda line: line.number)
def test_a_chapters_own_proof_reads_its_line(line, monkeypatch):
    """It proves nothing of a changed line that is not the same."""
    for text, formula in mutants(line.formula):
        if not checks.passes(line, formula):
            with monkeypatch.context() as patch:
                patch.setattr(line, "formula", formula)
                assert not proved(line), f"{line.number} is not {text}"


def proved(line):
    try:
        return checks.prove(line).ok
    except (TypeError, ValueError):  # the changed line is no formula
        return False


def test_a_number_that_is_given_may_be_negative():
    chapter = Chapter(0, "XX", "x", None, {"n": "N"}, {"a": ""}, output="y", settings={"eps": 0.1})

    @chapter.forward("XX.1", "the root of the square")
    def y(a):
        return (a * a) ** 0.5

    @chapter.rewriting("XX.2", "wrong for a negative a")
    def y(a):  # noqa: F811
        return a

    @chapter.forward("XX.3", "a setting is positive")
    def z(eps):
        return (eps * eps) ** 0.5

    @chapter.rewriting("XX.4", "so it is its own absolute value")
    def z(eps):  # noqa: F811
        return eps

    wrong, right = chapter.lines[1], chapter.lines[3]
    assert not checks.prove(wrong).ok
    assert checks.prove(right).ok


X = {"x": "n"}
TWO = [("forward", "t", lambda x: 2 * x), ("forward", "y", lambda t: 3 * t)]
WRONG = {
    "compared with ==": lambda: line_of(
        {"x": "n", "w": "n"}, ("forward", "y", lambda x: x + 0), ("rewriting", "y", lambda x, w: x + 5 * (x == w))
    ),
    "a constant that is nearly right": lambda: line_of(
        X, ("forward", "y", lambda x: x / 3), ("rewriting", "y", lambda x: x * 0.33333333333)
    ),
    "a gradient that is nearly right": lambda: line_of(
        X, ("forward", "y", lambda x: x + 0), ("adjoint", "dx", lambda dy: dy * 1.00000001)
    ),
    "a logarithm of an even power": lambda: line_of(
        {"x": "n", "b": "."},
        ("forward", "y", lambda x, b: log((sum_over(x, (0,)) + b) ** 2)),
        ("rewriting", "y", lambda x, b: 2 * log(sum_over(x, (0,)) + b)),
    ),
    "a column beside a row of the same index": lambda: line_of(
        {"u": "n."},
        ("forward", "y", lambda u: sum_over(u * u.T, (0, 1))),
        ("rewriting", "y", lambda u: sum_over(u * u, (0, 1))),
    ),
    "an adjoint that is a definition": lambda: line_of(
        X, *TWO, ("forward", "dt", lambda dy: 7 * dy), ("adjoint", "dx", lambda dt: 2 * dt)
    ),
    "no adjoint at all": lambda: line_of(X, *TWO, ("adjoint", "dx", lambda dy: 2 * dy)),
    "the output's own adjoint": lambda: line_of(
        X, ("forward", "y", lambda x: 2 * x), ("adjoint", "dy", lambda g: 0 * g), upstream="g"
    ),
    "the adjoint of an index": lambda: line_of(
        {"x": "n", "n": "n"}, ("forward", "y", lambda x, n: n * x), ("adjoint", "dn", lambda x, dy: 0 * dy * x)
    ),
    "the adjoint of nothing": lambda: line_of(X, ("forward", "y", lambda x: 2 * x), ("adjoint", "dax", lambda dy: 0 * dy)),
    "an output that rests on a gradient": lambda: line_of(
        X, ("forward", "z", lambda x: 2 * x), ("adjoint", "dz", lambda u: u), ("forward", "t", lambda z, dz: z + dz),
        output="t", upstream="u",
    ),
    "a constant added term by term": lambda: line_of(
        {"k": "k", "b": "."},
        ("forward", "y", lambda k, T, b: sum_over(keep_where(k >= T, b) + keep_where(k < T, b), (0,))),
        ("rewriting", "y", lambda b: b + 0, at_the_last("k", "T")),
        sizes={"k": "T"}, settings={"T": "T"},
    ),
    "an element against a sum": lambda: line_of(
        {"x": "n", "w": "n"},
        ("forward", "y", lambda x, w: w * sum_over(x, (0,))),
        ("rewriting", "y", lambda x, w: x * sum_over(w, (0,)), at_the_last("n", "N")),
    ),
    "a number that lacks the shape": lambda: line_of(
        X, ("forward", "y", lambda x: sum_over(x, (0,)) / 5), ("adjoint", "dx", lambda dy: dy / 5 + 0 * dy.mT[0])
    ),
    "the transposed": lambda: line_of(
        {"x": "nd"}, ("forward", "y", lambda x: x * 2), ("rewriting", "y", lambda x: x.T * 2), sizes={"n": "N", "d": "D"}
    ),
    # t is negative where w is: no numbers that are drawn need to show it
    "the sign of a reciprocal": lambda: line_of(
        {"w": "n"},
        ("forward", "t", lambda w: 1 / (w + 2)), ("forward", "y", lambda t: sqrt(t * t)), ("adjoint", "dt", lambda dy: dy),
    ),
    "the sign of a power of which nobody knows whether it is even": lambda: line_of(
        {"x": "n", "w": "n"},
        ("forward", "t", lambda x, w, m: (x + w) ** (m / 2)), ("forward", "y", lambda t: sqrt(t * t)),
        ("rewriting", "y", lambda t: t),
        settings={"m": "N"},
    ),
}  # fmt: skip


def at_the_last(letter, top):
    return lambda difference: proof.at_the_last_and_before(difference, letter, top)


@pytest.mark.parametrize("why", WRONG)
def test_a_wrong_line_is_refused_or_not_proved(why):
    try:
        line = WRONG[why]()
        found = checks.prove(line)
    except (ValueError, TypeError):
        return
    assert not found.ok


def test_the_gradient_of_an_absolute_value_is_proved_with_its_sign():
    line = line_of(
        {"w": "n"},
        ("forward", "t", lambda w: 1 / (w + 2)),
        ("forward", "y", lambda t: sqrt(t * t)),
        ("adjoint", "dt", lambda dy, t, y: dy * t / y),
    )
    assert checks.prove(line).ok


def test_conditions_count_as_numbers():
    line = line_of(
        X, ("forward", "y", lambda x: sum_over(x > 0, (0,)) * 1), ("rewriting", "y", lambda x: sum_over(1 * (x > 0), (0,)))
    )
    assert checks.prove(line).ok


@pytest.mark.parametrize(
    ("why", "arguments"),
    [
        ("letters that are no sizes", {"sizes": {"n": "n"}}),
        ("without underscores", {"sizes": {"n": "n_0"}}),
        ("N is a letter or a size", {"upstream": "N"}),
        ("one meaning for each name, got two for x", {"upstream": "x"}),
        ("one meaning for each name, got two for x", {"settings": {"x": 2.0}}),
        ("a positive number for eps, got -2", {"settings": {"eps": np.int64(-2)}}),
        ("a positive number for eps, got -2", {"settings": {"eps": Fraction(-2)}}),
    ],
)
def test_names_with_two_meanings_are_refused(why, arguments):
    with pytest.raises(ValueError, match=why):
        Chapter(0, "XX", "x", None, **{"sizes": {"n": "N"}, "given": {"x": "n"}, **arguments})


def test_small_numbers_are_compared_too():
    chapter = Chapter(0, "XX", "x", None, {"n": "N"}, {"x": "n"}, output="y")

    @chapter.forward("XX.1", "small")
    def y(x):
        return x / 10**8

    @chapter.rewriting("XX.2", "too large by 10⁻⁶ of itself")
    def y(x):  # noqa: F811
        return x / 10**8 + x / 10**14

    assert not checks.measure(chapter.lines[1]).ok


@pytest.mark.parametrize(
    ("why", "arguments"),
    [
        ("a letter for each dimension of x", {"given": {"x": "nn"}}),
        ("a size for each letter", {"sizes": {"n": "N", "k": "N"}}),
        ("N is a letter or a size", {"given": {"x": "n", "N": "n"}}),
        ("n is a letter or a size", {"settings": {"n": 2.0}}),
        ("a positive number for eps, got 0", {"settings": {"eps": 0}}),
        ("a positive number for eps, got -1", {"settings": {"eps": -1}}),
    ],
)
def test_a_chapter_whose_symbols_a_proof_could_confuse_is_refused(why, arguments):
    with pytest.raises(ValueError, match=why):
        Chapter(0, "XX", "x", None, **{"sizes": {"n": "N"}, "given": {"x": "n"}, **arguments})


def test_a_line_named_as_a_size_is_refused():
    chapter = Chapter(0, "XX", "x", None, {"n": "N"}, {"x": "n"})
    with pytest.raises(ValueError, match="N is a letter or a size"):

        @chapter.forward("XX.1", "wrong")
        def N(x):
            return x


@pytest.mark.parametrize("wrong", [lambda x: x[:, 1], lambda x: x[:, 0], lambda x: x[1:2], lambda x: x[:, False]])
def test_a_view_takes_no_part_of_an_array(wrong):
    with pytest.raises(ValueError, match="expected None, : or"):
        wrong(Symbol("x", ("n", "d")))


def test_a_product_of_an_array_with_itself_is_refused():
    x = Symbol("x", ("n", "d"))
    with pytest.raises(ValueError, match="two different letters"):
        x.T @ x


@pytest.mark.parametrize("axes", [(-1,), (2,)])
def test_axes_count_from_the_first_dimension(axes):
    with pytest.raises(ValueError, match="expected axes from 0 to 1"):
        sum_over(Symbol("x", ("n", "d")), axes)


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
