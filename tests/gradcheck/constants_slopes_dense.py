"""The constants of slopes/elements, dense, kinks and other_steps: each check fails if its constant is halved or doubled."""

import numpy as np
from held import changed

from tinynorm.gradcheck import check_backward

X = np.random.default_rng(1).standard_normal(6)
LARGE = np.random.default_rng(0).standard_normal(600)


def relu(x):
    return np.maximum(x, 0)


def checked(f, gradient, x, **options):
    """f, and a backward that returns dy * gradient(x)."""
    return check_backward(lambda x: (f(x), x), lambda dy, x: (dy * gradient(x),), [x], **options)


def offset_tanh(offset, x=X, error=0.0, **options):
    """tanh(x) + offset, whose rounding error grows with the offset; the third claimed derivative is off by `error`."""
    wrong = error * (np.arange(x.size) == 2)
    return checked(lambda x: np.tanh(x) + offset, lambda x: 1 / np.cosh(x) ** 2 + wrong, x, **options)


# ---- elements ------------------------------------------------------------------------------------------------------------


def what_is_right_is_resolved():
    assert offset_tanh(1e8).ok is True
    assert offset_tanh(1.4e8).ok is None


def a_coarse_measurement_is_believed_if_the_error_is_large():
    assert offset_tanh(1e9, error=3e-4).ok is None
    assert offset_tanh(1e9, error=6e-4).ok is False


def small_elements_need_fewer_digits():
    x = np.array([0.0, np.pi / 2 - 0.01, np.pi / 2 - 0.02, 0.01])
    assert checked(lambda x: np.sin(x).sum() + 3e7, np.cos, x).ok is True
    assert checked(lambda x: np.sin(x).sum() + 5e7, np.cos, x).ok is None


def a_constant_is_measured_again_only_where_rounding_is_large():
    def evaluations(eps):
        constant = lambda x: np.array([1.0, 0.3]) + (x.sum() - x[0] - x[1:].sum())  # noqa: E731
        return check_backward(lambda x: (constant(x), x), lambda dy, x: (0 * x,), [X], eps=eps).evaluations

    assert evaluations(1e-6) < 300
    assert evaluations(2e-7) > 900


def wrong_elements_do_not_hide_kinks_and_cost_no_more_than_a_few():
    x = np.abs(np.random.default_rng(3).standard_normal(30))
    x[:6] = 0
    report = checked(relu, lambda x: np.where(x == 0, 0.7, np.where(np.arange(30) < 16, 1.5, 1.0)), x, seed=2)
    assert (report.inputs[0].wrong, len(report.inputs[0].kinks)) == (10, 6)
    x[:16] = 0
    at_kinks = np.where(np.arange(30) < 6, 0.7, np.where(np.arange(30) < 16, 1.5, 1.0))
    report = checked(relu, lambda _: at_kinks, x, seed=2)
    assert (report.inputs[0].wrong, len(report.inputs[0].kinks)) == (10, 6)
    assert checked(np.sin, np.ones_like, LARGE[:200]).evaluations < 2350


# ---- dense ---------------------------------------------------------------------------------------------------------------


def small_gradients_are_looked_at_and_few_directions_are_enough():
    g = np.where(np.arange(600) < 300, 1.0, 1e-6)
    wrong = np.where(np.arange(600) == 450, 1.01, 1.0)
    assert checked(lambda x: g * np.sin(x), lambda x: g * np.cos(x) * wrong, LARGE, exhaustive=10).ok is False
    right = checked(lambda x: g * np.sin(x), lambda x: g * np.cos(x), LARGE, exhaustive=10)
    assert right.inputs[0].directions < 15


def the_last_digits_of_a_sum_are_lost():
    def ok(error, seed):
        g = LARGE
        return checked(lambda x: g * x, lambda x: g * (1 + error), LARGE, exhaustive=10, seed=seed).ok

    assert ok(3e-10, 1) is True
    assert ok(1e-9, 0) is False


def gradients_of_many_sizes_share_few_directions():
    def report(decades, error=0.0):
        g = 10.0 ** -(np.arange(900) % (decades + 1))
        g[:500] = 1
        wrong = 1 + error * (np.arange(900) == np.flatnonzero(g == g.min())[5])
        x = np.random.default_rng(0).standard_normal(900)
        return checked(lambda x: g * np.sin(x), lambda x: g * np.cos(x) * wrong, x, exhaustive=10)

    assert report(7, 1e-3).ok is False
    assert report(16).inputs[0].directions < 15


def parts_are_split_as_long_as_that_helps():
    def report(offset):
        return checked(lambda x: np.tanh(x).sum() + offset, lambda x: 1 / np.cosh(x) ** 2, LARGE[:100], exhaustive=10)

    assert report(2e7).ok is True
    assert report(1.6e7).evaluations < 1500


def parts_are_measured_within_the_time_allowed():
    with changed("slopes.dense.WORK_IN_PARTS", 1e-3):  # as for an input a thousand times as large
        assert offset_tanh(2e6, LARGE[:300], exhaustive=10).ok is True
        assert offset_tanh(3e6, LARGE[:300], exhaustive=10).evaluations < 2100


def large_inputs_have_few_elements_measured():
    with changed("slopes.dense.WORK", 1e-2):  # as for an input a hundred times as large
        x = np.random.default_rng(0).standard_normal(2000)
        assert 15 < checked(lambda x: np.sum(x * x), lambda x: 2 * x, x).inputs[0].checked < 30


# ---- kinks ---------------------------------------------------------------------------------------------------------------


def an_element_beside_a_kink_is_cheap():
    x = X.copy()
    x[3] = 1e-9
    assert checked(relu, lambda x: x > 0, x).evaluations < 230


def a_sharp_bend_is_told_from_a_kink_down_to_rounding():
    def ok(offset):
        bend = lambda x: np.logaddexp(0, 2.5e13 * x) / 2.5e13 + offset  # noqa: E731
        return checked(bend, lambda x: np.where(x == 0, 0.2, 1.0), np.array([0.0, 0.7])).ok

    assert ok(2**0.5) is False
    assert ok(2**1.5) is True  # the bend is hidden in rounding, and 0.2 may be a subgradient


def some_elements_at_kinks_are_measured():
    x = LARGE.copy()
    x[:20] = 0
    wrong = np.where(np.arange(600) < 10, 1.5, 0.5)
    assert checked(relu, lambda x: np.where(x == 0, wrong, x > 0), x, exhaustive=10).inputs[0].wrong >= 4
    assert checked(relu, lambda x: x > 0, x, exhaustive=10).evaluations < 5000


# ---- other steps ---------------------------------------------------------------------------------------------------------


def kept_flat(slope, dead, far):
    """0 within `dead`, then a slope, and constant from `far` on: larger steps measure a slope that is not there."""

    def f(x):
        return np.array([slope * np.sign(x[0]) * np.clip(abs(x[0]) - dead, 0, far), x[1]])

    return checked(f, np.ones_like, np.array([0.0, 0.7])).ok


def larger_steps_confirm_what_is_nearer():
    assert kept_flat(0.8, 1e-7, np.inf) is None
    assert kept_flat(0.5, 1e-7, np.inf) is False


def enough_larger_steps_are_tried():
    assert kept_flat(1.0, 1e-7, 1e-5) is None
    assert kept_flat(1.0, 1e-4, 4e-4) is False


def steeper(low, high, error=0.0):
    """sin, 1.4 times as large at the distances from low to high only; 1.4 is claimed."""

    def f(x):
        return np.sin(x) * np.where((abs(x) >= low) & (abs(x) <= high), 1.4, 1.0)

    return checked(f, lambda x: np.array([1.4 * (1 + error), np.cos(0.7)]), np.array([0.0, 0.7])).ok


def smaller_steps_that_agree_in_succession_cast_doubt():
    assert steeper(1e-11, 5e-9) is None
    assert steeper(1e-10, 3e-9) is False


def smaller_steps_reach_the_last_digits():
    assert steeper(1e-11, 5e-9) is None
    assert steeper(1e-20, 1e-17) is False


def smaller_steps_agree_closely():
    assert steeper(1e-11, 5e-9, 7e-4) is None
    assert steeper(1e-11, 5e-9, 1.5e-3) is False


HELD = {
    "slopes.elements.RESOLVED": what_is_right_is_resolved,
    "slopes.elements.COARSE": a_coarse_measurement_is_believed_if_the_error_is_large,
    "slopes.elements.SMALL": small_elements_need_fewer_digits,
    "slopes.elements.ZERO": a_constant_is_measured_again_only_where_rounding_is_large,
    "slopes.elements.PATIENCE": wrong_elements_do_not_hide_kinks_and_cost_no_more_than_a_few,
    "slopes.dense.DIRECTIONS": small_gradients_are_looked_at_and_few_directions_are_enough,
    "slopes.dense.RTOL_DENSE": the_last_digits_of_a_sum_are_lost,
    "slopes.dense.BANDS": gradients_of_many_sizes_share_few_directions,
    "slopes.dense.HELPS": parts_are_split_as_long_as_that_helps,
    "slopes.dense.WORK_IN_PARTS": parts_are_measured_within_the_time_allowed,
    "slopes.dense.WORK": large_inputs_have_few_elements_measured,
    # Fewer one-sided steps change no verdict: the search for a bend goes on to smaller steps.
    "slopes.kinks.ONE_SIDED_STEPS": (an_element_beside_a_kink_is_cheap, (2.0,)),
    "slopes.kinks.VISIBLE": a_sharp_bend_is_told_from_a_kink_down_to_rounding,
    "slopes.kinks.CANDIDATES": some_elements_at_kinks_are_measured,
    "slopes.other_steps.NEARER": larger_steps_confirm_what_is_nearer,
    "slopes.other_steps.LARGER_STEPS": enough_larger_steps_are_tried,
    "slopes.other_steps.RATIO": smaller_steps_that_agree_in_succession_cast_doubt,
    "slopes.other_steps.IN_SUCCESSION": smaller_steps_that_agree_in_succession_cast_doubt,
    "slopes.other_steps.SMALLER_STEPS": smaller_steps_reach_the_last_digits,
    "slopes.other_steps.CLOSE": smaller_steps_agree_closely,
}
