"""The constants of the diagnosis: each check fails if its constant is halved or doubled."""

import numpy as np

from tinynorm.gradcheck import Evidence, Sample
from tinynorm.gradcheck.diagnosis import diagnose, recognise


def findings(x, f, derivative, wrong, dy=None, error=1e-10):
    """The findings about `wrong(right gradient, dy)`, for an elementwise function f that is measured with this error."""
    dy = np.random.default_rng(1).choice([-1.25, 0.75], x.shape) if dy is None else dy
    y, right = f(x), derivative(x) * dy
    sample = Sample(np.arange(x.size), right.ravel(), np.full(x.size, error))
    evidence = Evidence(["x"], [x], y, dy, [wrong(right, dy)], [sample], [0])
    return diagnose(evidence, recognise(["x"], [x], y))


def kinds(*args):
    return [finding.kind for finding in findings(*args)]


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape)


def with_noise(G, size):
    """G plus noise whose norm is `size`."""
    noise = np.random.default_rng(2).standard_normal(G.shape)
    return G + size * noise / np.linalg.norm(noise)


RELU = (lambda x: np.maximum(x, 0), lambda x: (x > 0) * 1.0)
OTHER = (np.sin, np.cos)  # no layer that has formulas


def remainder():
    """A forgotten mask is named below a noise of 1e-5 of the error, and not above it."""
    for noise, expected in ((0.7e-5, ["mask_forgotten"]), (1.5e-5, [])):
        assert kinds(normal(5, 6), *RELU, lambda g, dy, n=noise: with_noise(dy, n * np.linalg.norm(dy - g))) == expected


def rounding():
    """A forgotten slope of 1e-8 is named below rounding errors of 2.5e-13, and a forgotten slope of 0.9e-12 without any."""
    x = np.tile([1.0, -1.0], 10)
    dy = np.ones(20)
    for slope, noise in ((1e-8, 2.5e-13), (0.9e-12, 0.0)):
        leaky = (lambda x, a=slope: np.where(x > 0, x, a * x), lambda x, a=slope: np.where(x > 0, 1, a))
        wrong = with_noise(dy * (x > 0), noise * np.linalg.norm(dy * (x > 0)))
        assert kinds(x, *leaky, lambda g, dy, wrong=wrong: wrong, dy)[:1] == ["slope_forgotten"]


def spread():
    """sign(x) in place of the mask is named if it changes 6 elements of 100. Of 3 wrong elements the places are told."""
    for negative, expected in ((6, ["x_for_mask"]), (3, ["some_elements"])):
        x = np.abs(normal(10, 10)) + 0.1
        x.flat[13 : 13 + 7 * negative : 7] *= -1
        assert kinds(x, *RELU, lambda g, dy, x=x: dy * np.sign(x)) == expected


def many():
    """Two mistakes that give the same numbers are both told; five are not."""
    x = normal(5, 6)
    (finding,) = findings(x, lambda x: np.where(x > 0, x, x / 2), lambda x: np.where(x > 0, 1, 0.5), lambda g, dy: dy * 1.0)
    assert "they give the same numbers here" in finding.sentence
    (finding,) = findings(np.full((2, 3), 2.0), *RELU, lambda g, dy: 2 * g, np.ones((2, 3)))
    assert "mask" not in finding.sentence


def few():
    """30 wrong elements of 100 are told by their places, 40 are not."""
    for wrong, expected in ((30, ["some_elements"]), (40, [])):
        places = np.random.default_rng(0).permutation(100).reshape(10, 10) < wrong
        assert kinds(normal(10, 10), *OTHER, lambda g, dy, at=places: np.where(at, g + g**2 + 1, g)) == expected


def named():
    """A factor within 1e-6 of 1/3 is called 1/3."""
    for off, expected in ((0.7e-6, True), (1.5e-6, False)):
        (finding,) = findings(normal(5, 6), *OTHER, lambda g, dy, off=off: g / 3 * (1 + off))
        assert ("it is 1/3 times the right gradient; multiply by 3" in finding.sentence) is expected


def near_one():
    """A factor of 1.00007 is no factor that anybody writes, 1.00015 is one."""
    for off, expected in ((0.7e-4, []), (1.5e-4, ["constant_factor"])):
        assert kinds(normal(5, 6), *OTHER, lambda g, dy, off=off: g * (1 + off)) == expected


def clear():
    """A factor of 1.2 is told where the mistake is 12 times what the measurement allows, not where it is 8.5 times that."""
    for error, expected in ((1 / 1500, ["constant_factor"]), (1 / 1050, [])):
        signs = (np.sin, lambda x: np.where(x > 0, 1.0, -1.0))
        dy = np.random.default_rng(1).choice([-1.0, 1.0], (5, 6))
        assert kinds(normal(5, 6), *signs, lambda g, dy: 1.2 * g, dy, error) == expected


def large():
    """A ReLU of 3 million outputs is recognised. One of 5 million is not: the check has no time for it."""
    for size, expected in ((3_000_000, True), (5_000_000, False)):
        x = np.ones(size)
        assert (recognise(["x"], [x], x) is not None) is expected


HELD = {
    "diagnosis.hypotheses.REMAINDER": remainder,
    "diagnosis.hypotheses.ROUNDING": rounding,
    "diagnosis.hypotheses.SPREAD": spread,
    "diagnosis.hypotheses.MANY": many,
    "diagnosis.wrong_elements.FEW": few,
    "diagnosis.patterns.CLEAR": clear,
    "diagnosis.naming.NAMED": named,
    "diagnosis.naming.NEAR_ONE": near_one,
    "diagnosis.LARGE": large,
}
