"""What holds the constants of the finite differences: each test turns red if its constant is halved or doubled."""

import numpy as np

from tinynorm.gradcheck import CannotCheck, check_backward
from tinynorm.gradcheck.slopes.differences import (
    Outputs,
    central_differences,
    choose_step,
    halved_steps,
    richardson,
    rounding_errors,
)

X = np.random.default_rng(1).standard_normal(12)


def checked(f, df, x=X, **options):
    return check_backward(lambda x: (f(x), x), lambda dy, x: (dy * df(x),), [np.array(x)], **options)


def uneven(x):
    """A function whose rounding error is that of an intermediate result: the last digits of x do not change x * x + 1e-3."""
    return np.sin(1 / (x * x + 1e-3))


def uneven_slope(x):
    return -np.cos(1 / (x * x + 1e-3)) * 2 * x / (x * x + 1e-3) ** 2


UNEVEN = 1e-6 * np.array(
    [-1.42274177, 0.258452791, -0.568549454, -1.029804438, -1.04300108, 0.26841708, 0.35867195, 1.32245747]
)


def noisy(f, sigma, seed):
    rng = np.random.default_rng(seed)
    return lambda t: np.array([f(t) + sigma * rng.standard_normal()])


def steps_chosen(f, sigma):
    """(the step choice, the evaluations that it costs) for 40 draws of the rounding error."""
    found = []
    for seed in range(40):
        calls = []
        g = noisy(f, sigma, seed)
        choice = choose_step(lambda t: calls.append(t) or g(t), 1e-8, 4096.0, Outputs(np.ones(1), np.array([sigma])))  # noqa: B023
        found.append((choice, len(calls)))
    return found


def extrapolated(h, f=np.exp, sigma=1e-12):
    """(the estimated error, the real one) of the derivative at 0, for 100 draws of the rounding error."""
    outputs, errors = Outputs(np.ones(1), np.array([sigma])), []
    for seed in range(100):
        slope = richardson(central_differences(noisy(f, sigma / 3**0.5, seed), halved_steps(h)), halved_steps(h), outputs)
        errors.append((float(slope.error), abs(float(slope.value) - 1)))
    return np.array(errors).T


def safety():
    """With less, rounding passes for a function that varies within the steps; with more, nothing is resolved."""
    assert np.mean([np.isinf(choice.error) for choice, _ in steps_chosen(np.exp, 1e-7)]) < 0.2
    assert checked(uneven, uneven_slope, UNEVEN).ok is True


def clear():
    """With less, rounding ends the search for a step too early; with more, the search goes on in vain."""
    assert max(choice.error for choice, _ in steps_chosen(np.exp, 1e-16)) < 1e-10
    assert np.mean([calls for _, calls in steps_chosen(lambda t: np.sin(1e3 * t + 0.3) / 1e3, 1e-12)]) < 12.7


def levels():
    """With less, nothing is resolved; with more, a wrong gradient, for which all are needed, costs too many evaluations."""
    assert np.max(extrapolated(0.1)[0]) < 1e-6
    assert checked(lambda x: x**3, lambda x: 3 * x * x).ok is True
    assert checked(lambda x: x**3, lambda x: 3.3 * x * x).evaluations < 490


def columns():
    """With less, the truncation error of large steps remains. (More columns than the steps fill change nothing.)"""
    assert np.max(extrapolated(0.5)[1]) < 1e-8


def amplified():
    """With less, the estimated error is hardly larger than the real one; with more, it is far larger."""
    estimated, real = extrapolated(0.1)
    assert np.max(real / estimated) < 0.6
    assert np.mean(estimated) < 5.5e-10


def linear():
    """With less, a right gradient is not resolved. (With more, gradients are resolved that need not be.)"""
    assert checked(uneven, uneven_slope, UNEVEN).ok is True


def ratio():
    """With less, the search for a step costs too many evaluations; with more, it misses the best step."""
    found = steps_chosen(np.exp, 1e-16)
    assert np.mean([calls for _, calls in found]) < 18
    assert max(choice.error for choice, _ in found) < 1e-10


def samples():
    """With less, the rounding error is often estimated too small; with more, it costs too many evaluations."""
    found = []
    for seed in range(200):
        rng, calls = np.random.default_rng(seed), []

        def f(point):
            calls.append(point)  # noqa: B023
            return point[0] + 1e-6 * np.sin(1e17 * point[0])  # the sine stands for a rounding error

        x = rng.standard_normal(1)
        found.append(float(rounding_errors(f, [x], f([x]), np.abs(x), 2.2e-16, rng)[0]))
        assert len(calls) <= 31
    assert np.quantile(found, 0.05) > 0.37e-6


def rounding_steps():
    """With less, rounding inside f is not seen, and hides the slope; with more, it costs too many evaluations."""
    report = checked(uneven, uneven_slope, UNEVEN)
    assert report.ok is True
    assert report.evaluations < 160


def underflow():
    """With less, derivatives are compared that f may have lost; with more, a wrong zero is right."""
    for slope, ok in ((3e-60, True), (6e-60, False)):
        report = check_backward(lambda x, slope=slope: (slope * x, None), lambda dy, _: (0 * dy,), [X[:3]])
        assert report.ok is ok


def largest_step():
    """With less, a linear function beside a large number is measured less exactly; with more, linear functions cost more."""
    assert checked(lambda x: 1e12 + 3 * x, lambda x: 0 * x + 3, [0.5, 0.5], rtol=0.0).inputs[0].resolution < 5e-6
    assert checked(lambda x: 3 * x, lambda x: 0 * x + 3, [0.9, 0.9]).evaluations < 155


def constant():
    """With less, a zero is not right for a sum of softmax; with more, it is right for what rounding hides."""
    a = 3 * np.random.default_rng(5).standard_normal((1000, 7))

    def softmax_sums(x):
        e = np.exp(a * x)
        return (e / e.sum(1, keepdims=True)).sum(1)

    x = np.random.default_rng(1).standard_normal(7)
    assert check_backward(lambda x: (softmax_sums(x), None), lambda dy, _: (np.zeros(7),), [x]).ok is True
    assert checked(lambda x: 1e15 + np.tanh(x), np.zeros_like).ok is None


def only_rounding():
    """The sum of LayerNorm does not change. With less, rounding in dx hides the warning; with more, a wrong dx has it."""

    def forward(x):
        centered = x - x.mean()
        return (centered / np.sqrt((centered * centered).mean())).sum(), None

    for size, warned in ((2e-14, True), (4e-14, False)):
        report = check_backward(forward, lambda dy, _, size=size: (dy * np.full(12, size),), [X])
        assert any("does not change with" in warning for warning in report.warnings) is warned


def different():
    """With less, complex steps are refused for a small error of the differences; with more, a wrong derivative is not seen."""
    for part, refused in ((1.8e-5, False), (3.6e-5, True)):
        f = lambda x, part=part: np.sin(x) * (1 + part * (x.dtype.kind == "c"))  # noqa: E731
        try:
            checked(f, np.cos, [1.0], method="complex")
        except CannotCheck:
            assert refused
        else:
            assert not refused


HELD = {  # the check, and the factors where it is not both
    "slopes.differences.SAFETY": safety,
    "slopes.differences.CLEAR": clear,
    "slopes.differences.LEVELS": levels,
    "slopes.differences.COLUMNS": (columns, (0.5,)),
    "slopes.differences.AMPLIFIED": amplified,
    "slopes.differences.LINEAR": (linear, (0.5,)),
    "slopes.differences.RATIO": ratio,
    "slopes.differences.SAMPLES": samples,
    "slopes.differences.ROUNDING_STEPS": rounding_steps,
    "slopes.measure.UNDERFLOW": underflow,
    "slopes.measure.LARGEST_STEP": largest_step,
    "slopes.measure.CONSTANT": constant,
    "slopes.measure.ONLY_ROUNDING": only_rounding,
    "slopes.complex_step.DIFFERENT": different,
}
