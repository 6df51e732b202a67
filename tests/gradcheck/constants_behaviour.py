"""The constants of problem, behaviour and doors: each check fails if its constant is halved or doubled."""

from itertools import count
from types import SimpleNamespace

import numpy as np

import tinynorm as tn
from tinynorm import nn
from tinynorm.gradcheck import Report, check_backward, check_function
from tinynorm.gradcheck.behaviour.precision import rounds_inside
from tinynorm.gradcheck.behaviour.steadiness import check_behaviour
from tinynorm.gradcheck.problem import settings
from tinynorm.gradcheck.problem.problem import Problem
from tinynorm.gradcheck.slopes.measure import Measure

EPS32 = float(np.finfo(np.float32).eps)


def pair(f, derivative):
    return (lambda x: (f(x), x)), (lambda dy, x: (dy * derivative(x),))


def kinds(report):
    return {fault.kind for fault in report.faults}


# ---- settings ------------------------------------------------------------------------------------------------------------


def rtol():
    """Relative errors of 0.7e-7 pass, relative errors of 1.5e-7 do not."""
    x = np.random.default_rng(0).standard_normal(6)
    for error, ok in ((0.7e-7, True), (1.5e-7, False)):
        report = check_backward(*pair(np.square, lambda x, error=error: 2 * x * (1 + error)), [x], rtol=settings.RTOL)
        assert report.ok is ok


def exhaustive():
    """Of 800 elements each is measured; 1500 take few evaluations."""
    forward, backward = (lambda x: (float(np.sum(x * x)), x)), (lambda dy, x: (2 * x * dy,))
    report = check_backward(forward, backward, [np.linspace(1, 2, 800)], exhaustive=settings.EXHAUSTIVE)
    assert report.inputs[0].checked == 800
    report = check_backward(forward, backward, [np.linspace(1, 2, 1500)], exhaustive=settings.EXHAUSTIVE)
    assert report.evaluations < 1500


def affordable():
    """Each of 1024 elements is measured for 2051 outputs; for 4004 outputs a check takes few evaluations."""

    def evaluations(outputs):
        c = np.linspace(1, 2, outputs)
        forward, backward = (lambda x: (x.sum() * c, None)), (lambda dy, _: (np.full(1024, dy @ c),))
        return check_backward(forward, backward, [np.linspace(1, 2, 1024)], eps=0.1).evaluations

    assert evaluations(4004) < 1024
    assert evaluations(2051) > 1024


# ---- modules -------------------------------------------------------------------------------------------------------------


def is_untouched(func, module):
    check_function(func, tn.randn(6, 4, dtype="float64", requires_grad=True))
    return module.running_mean.tolist() == [0.0] * 4


def depth():
    """The running mean of a BatchNorm in a dict in a list in an object in a closure stays as it is."""
    norm = nn.BatchNorm1d(4).double()
    net = SimpleNamespace(layers=[{"norm": norm}])
    assert is_untouched(lambda x: net.layers[0]["norm"](x), norm)


def visited():
    """So does that of a BatchNorm in a list of 1500 objects."""
    norm = nn.BatchNorm1d(4).double()
    things = [object() for _ in range(1500)] + [norm]
    assert is_untouched(lambda x: things[-1](x), norm)


# ---- steadiness ----------------------------------------------------------------------------------------------------------


def sees_every_kth(size, k, calls):
    """Whether a change at every kth call of backward is seen, in so many calls."""

    def check():
        called = count(1)

        def backward(dy, x):
            return (2 * x * dy * (1 + 1e-6 * (next(called) % k == 0)),)

        x, report = np.linspace(1, 2, size), Report(ok=None)
        check_behaviour(Problem(lambda x: (x * x, x), backward, [x], ["x"]), report, np.ones(size), False)
        assert "nondeterministic" in kinds(report)
        assert next(called) - 1 <= calls

    return check


# ---- precision -----------------------------------------------------------------------------------------------------------


def told_from(x, passes, fails):
    """An error of so many roundings of 1 in one element of the gradient of x²/2 passes in float32; a larger one fails."""

    def check():
        for error, told in ((passes, set()), (fails, {"imprecise"})):

            def backward(dy, x, error=error):
                dx = x * dy
                if x.dtype == np.float32:
                    dx[7] += np.float32(error * EPS32)
                return (dx,)

            report = check_backward(lambda x: (x * x / 2, x), backward, [x.astype(np.float32)], cotangent=np.ones(x.shape))
            assert kinds(report) == told

    return check


def steady():
    """A forward that is another function in float32 is not blamed for it, unless the difference is mostly rounding."""
    for noise, told in ((0.6, set()), (1.0, {"imprecise"})):

        def forward(x, noise=noise):
            shift = 0.01 * (1 + noise * np.sin(1e9 * x.astype(float))) if x.dtype == np.float32 else 0.0
            return (3 * x + shift).astype(x.dtype), x

        def backward(dy, x):
            return (dy * x.dtype.type(3.001 if x.dtype == np.float32 else 3.0),)

        x = np.random.default_rng(0).uniform(1, 2, 100).astype(np.float32)
        assert kinds(check_backward(forward, backward, [x])) == told


def rounding_of_one_output():
    """That a loss computes in float32 shows in its one output, at a few hundred points. (With half as many, not always.)"""
    for seed in (60, 80):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal(5)
        cubes = lambda x: (float((x.astype(np.float32) ** 2 * x.astype(np.float32)).astype(float).sum()), x)  # noqa: E731
        problem = Problem(cubes, lambda dy, x: (0 * x,), [x], ["x"])
        measure = Measure(problem, problem.point, np.ones(1), rng)
        before = problem.evaluations
        assert rounds_inside(measure) == np.float32
        assert problem.evaluations - before < 400


# One large element sets the size of the terms; the others are far below it.
ONE_LARGE = np.array([1.0, *[1e-3] * 99])
HALVED = (0.5,)  # where doubling a limit only lets a search take longer
HELD = {
    "problem.settings.RTOL": rtol,
    "problem.settings.EXHAUSTIVE": exhaustive,
    "problem.modules.DEPTH": (depth, HALVED),
    "problem.modules.VISITED": (visited, HALVED),
    "behaviour.steadiness.FEWEST": sees_every_kth(200_000, 5, calls=6),
    "behaviour.steadiness.MOST": sees_every_kth(6, 24, calls=27),
    "behaviour.steadiness.NUMBERS": sees_every_kth(10_000, 12, calls=12),
    "behaviour.precision.MARGIN": told_from(np.linspace(1, 1.2, 40), passes=150, fails=300),
    "behaviour.precision.CANCELLED": told_from(ONE_LARGE, passes=6, fails=12),
    "behaviour.precision.STEADY": steady,
    "behaviour.precision.POINTS": rounding_of_one_output,
    "behaviour.precision.ENOUGH": rounding_of_one_output,
    "doors.gradient_comparison.AFFORDABLE": affordable,
}
