"""Gradients whose squares have no room in their dtype: the optimisers go on as with smaller ones."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm
from tinynorm import optim
from tinynorm.tensor import tensor_of

SHAPES = [(), (3,), (5, 2), (700, 300)]  # alone, put together, and cut into blocks
ADAMS = {
    "Adam": {},
    "amsgrad": {"amsgrad": True, "maximize": True},
    "other betas": {"betas": (0.5, 0.75), "lr": 0.01},
    "AdamW": {"decoupled_weight_decay": True, "weight_decay": 0.1},
}


def steps(dtype, factor, options, n=6, eps=0.0, rounded=float, make=optim.Adam):
    """The parameters after each of n steps; with eps 0, a common factor of all gradients makes no difference."""
    rng = np.random.default_rng(0)
    params = [tinynorm.tensor(rng.standard_normal(s).astype(rounded), dtype=dtype, requires_grad=True) for s in SHAPES]
    optimizer, seen = make(params, **{"eps": eps, **options}), []
    for _ in range(n):
        for p in params:
            p.grad = tinynorm.tensor(np.asarray(rng.standard_normal(p.shape) * factor, rounded), dtype=dtype)
        optimizer.step()
        seen.append([p.detach().numpy().copy() for p in params])
    return seen, optimizer


def assert_near(got, expected, rtol, atol):
    for ours, theirs in zip(got, expected, strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


@pytest.mark.parametrize("options", ADAMS.values(), ids=ADAMS)
@pytest.mark.parametrize(("dtype", "factor"), [("float32", 2.0**66), ("float32", 2.0**120), ("float64", 2.0**1015)])
def test_adam_goes_the_same_way_however_large_the_gradients_are(dtype, factor, options):
    """2**66 is 7e19: some squares have room and others not."""
    expected, usual = steps(dtype, 1.0, options)
    got, optimizer = steps(dtype, factor, options)
    assert_near(got, expected, *((2e-6, 2e-8) if dtype == "float32" else (1e-14, 1e-16)))
    assert all("exp_avg_sq_root" in state for state in list(optimizer.state.values())[1:])
    assert not any("exp_avg_sq_root" in state for state in usual.state.values())


@pytest.mark.parametrize("options", ADAMS.values(), ids=ADAMS)
@pytest.mark.parametrize("factor", [0.004, 1.0, 300.0, 8000.0])
def test_float16_is_stepped_in_float32_and_rounded_once_a_step(options, factor):
    """Its squares overflow from 256 on and vanish below 2e-4, its eps of 1e-8 is 0."""
    (got, optimizer) = steps("float16", factor, {"lr": 0.01, **options}, n=3, eps=1e-8, rounded=np.float16)
    (expected, _) = steps("float32", factor, {"lr": 0.01, **options}, n=3, eps=1e-8, rounded=np.float16)
    assert_near(got, expected, 4e-3, 4e-3)
    assert {v.dtype for state in optimizer.state.values() for v in state.values()} == {tinynorm.float32}


OTHERS = {
    "RMSprop": (optim.RMSprop, {}, ["square_avg_root"]),
    "RMSprop, centered": (optim.RMSprop, {"centered": True, "momentum": 0.9, "alpha": 0.5}, ["square_avg_root"]),
    "Adagrad": (optim.Adagrad, {"lr_decay": 0.1, "maximize": True}, ["sum_root"]),
    "Adadelta": (optim.Adadelta, {"eps": 1e-6, "lr": 3.0}, ["square_avg_root"]),
}


@pytest.mark.parametrize(("make", "options", "roots"), OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize(("dtype", "factor"), [("float32", 2.0**66), ("float32", 2.0**120), ("float64", 2.0**1015)])
def test_the_others_go_the_same_way_however_large_the_gradients_are(make, options, roots, dtype, factor):
    """Gradients of about 2**40 are so large that eps makes no difference, and their squares have room."""
    expected, usual = steps(dtype, 2.0**40, options, make=make)
    got, optimizer = steps(dtype, factor, options, make=make)
    assert_near(got, expected, *((5e-6, 1e-6) if dtype == "float32" else (1e-13, 1e-14)))
    for states, there in ((list(optimizer.state.values())[1:], True), (usual.state.values(), False)):
        assert all((root in state) is there for state in states for root in roots)


@pytest.mark.parametrize(("make", "options", "roots"), OTHERS.values(), ids=OTHERS)
def test_the_others_resume_bit_exactly_after_large_gradients(make, options, roots):
    runs = []
    for resumed in (False, True):
        rng, p = np.random.default_rng(0), tinynorm.zeros(3, requires_grad=True)
        optimizer = make([p], **options)
        for step in range(6):
            if resumed and step == 3:
                saved = copy.deepcopy(optimizer.state_dict())
                optimizer = make([p], **options)
                optimizer.load_state_dict(saved)
            p.grad = tinynorm.tensor(rng.standard_normal(3) * 2.0**80, dtype="float32")
            optimizer.step()
        runs.append(p.tolist())
    assert runs[0] == runs[1]
    assert all(root in optimizer.state[p] for root in roots)


def test_centered_rmsprop_of_a_constant_gradient_is_no_nan():
    """Its variance is 0 but for rounding; PyTorch takes the root of what rounding made negative."""
    p = tinynorm.zeros(200, requires_grad=True)
    optimizer = optim.RMSprop([p], alpha=0.5, centered=True)
    for _ in range(40):
        p.grad = tinynorm.tensor(np.linspace(0.1, 3.0, 200), dtype="float32")
        optimizer.step()
    assert np.isfinite(p.array).all()


def test_a_float16_gradient_of_zero_moves_nothing():
    p = tinynorm.ones(2, dtype="float16", requires_grad=True)
    p.grad = tinynorm.tensor([0.0, 1.0], dtype="float16")
    optim.Adam([p], lr=0.5).step()
    assert p.tolist() == [1.0, 0.5]


def test_float16_momentum_has_room_for_the_sum_of_gradients():
    p = tinynorm.zeros(1, dtype="float16", requires_grad=True)
    optimizer = optim.SGD([p], lr=2.0**-16, momentum=1.0)
    for _ in range(4):
        p.grad = tinynorm.full((1,), 2.0**15, dtype="float16")  # their sum is beyond float16 from the second step on
        optimizer.step()
    assert p.tolist() == [-0.5 - 1.0 - 1.5 - 2.0]


def test_the_second_moment_keeps_its_meaning():
    p = tinynorm.zeros(2, requires_grad=True)
    optimizer = optim.Adam([p], betas=(0.5, 0.75))
    for g in ([2e19, 1.0], [0.0, 1.0]):
        p.grad = tinynorm.tensor(g)
        optimizer.step()
    state = optimizer.state[p]
    np.testing.assert_allclose(state["exp_avg_sq"].numpy(), [0.75 * 0.25 * 4e38, 0.75 * 0.25 + 0.25], rtol=1e-6)
    np.testing.assert_allclose(state["exp_avg_sq_root"].numpy(), np.sqrt(state["exp_avg_sq"].numpy()), rtol=1e-6)


def test_adam_steps_on_for_hundreds_of_steps_at_the_largest_square():
    """Rounding does not carry the average of squares that have room over the edge."""
    edge = np.sqrt(np.finfo(np.float32).max, dtype=np.float32)
    edge = float(np.nextafter(edge, np.float32(0)) if float(edge) ** 2 > np.finfo(np.float32).max else edge)
    p = tinynorm.zeros(2, requires_grad=True)
    optimizer = optim.Adam([p], lr=0.5, betas=(0.5, 0.9))
    for _ in range(300):
        p.grad = tinynorm.tensor([edge, -edge])
        optimizer.step()
    np.testing.assert_allclose(p.tolist(), [-150, 150], rtol=1e-4)
    assert "exp_avg_sq_root" not in optimizer.state[p]


@pytest.mark.parametrize("options", ADAMS.values(), ids=ADAMS)
def test_resuming_after_large_gradients_is_bit_exact(options):
    straight, _ = steps("float32", 2.0**80, options)
    rng = np.random.default_rng(0)
    params = [tinynorm.tensor(rng.standard_normal(s), dtype="float32", requires_grad=True) for s in SHAPES]
    optimizer = optim.Adam(params, eps=0.0, **options)
    for step in range(6):
        if step == 3:
            saved = copy.deepcopy(optimizer.state_dict())
            optimizer = optim.Adam(params, eps=0.0, **options)
            optimizer.load_state_dict(saved)
        for p in params:
            p.grad = tinynorm.tensor(rng.standard_normal(p.shape) * 2.0**80, dtype="float32")
        optimizer.step()
    assert [p.detach().numpy().tobytes() for p in params] == [a.tobytes() for a in straight[-1]]


def test_radam_has_room_once_it_divides_by_the_root():
    """Its first five steps have lengths like the gradient's; here that is 0."""
    runs = []
    for factor in (1.0, 2.0**66):
        p = tinynorm.ones(3, requires_grad=True)
        optimizer = optim.RAdam([p], lr=0.1, betas=(0.9, 0.9), eps=0.0)
        for g in [[0.0, 0.0, 0.0]] * 5 + [[1.0, -2.0, 0.5], [0.3, 1.0, -1.0], [1.0, 1.0, 1.0]]:
            p.grad = tinynorm.tensor(g) * factor
            optimizer.step()
        runs.append(p.detach().numpy())
        assert ("exp_avg_sq_root" in optimizer.state[p]) == (factor > 1)
    np.testing.assert_allclose(*runs, rtol=2e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("bad", [math.inf, -math.inf, math.nan])
@pytest.mark.parametrize(
    "make",
    [optim.Adam, optim.AdamW, lambda p: optim.SGD(p, momentum=0.9), lambda p: optim.Adam(p, amsgrad=True),
     optim.RMSprop, optim.Adagrad, optim.Adadelta, optim.Adamax, optim.RAdam, lambda p: optim.RMSprop(p, centered=True)],
)  # fmt: skip
def test_a_gradient_that_is_not_finite_still_shows(dtype, bad, make):
    """Beside one whose square has no room, too; and in the steps after."""
    p = tinynorm.ones(3, dtype=dtype, requires_grad=True)
    optimizer = make([p])
    for g in ([bad, 6e4 if dtype == "float16" else 1e30, 1.0], [1.0, 1.0, 1.0]):
        p.grad = tinynorm.tensor(g, dtype=dtype)
        optimizer.step()
        assert np.isfinite(p.numpy() if not p.requires_grad else p.detach().numpy()).tolist() == [False, True, True]


def test_the_formulas_of_other_arrays_have_room_too():
    xp = pytest.importorskip("array_api_strict")
    p = tensor_of(xp.ones((2,), dtype=xp.float32), requires_grad=True)
    optimizer = optim.Adam([p], lr=0.5, amsgrad=True)
    for _ in range(3):
        p.grad = tensor_of(xp.asarray([1e25, -1.0], dtype=xp.float32))
        optimizer.step()
    np.testing.assert_allclose(p.tolist(), [-0.5, 2.5], rtol=1e-6)


def adam_by_hand(grads, lr, beta1, beta2, eps):
    """Adam in Python's integers' range: gradients divided by the largest, in float64."""
    largest = max(map(abs, grads)) or 1.0
    theta = m = v = 0.0
    for t, g in enumerate(grads, start=1):
        m = beta1 * m + (1 - beta1) * (g / largest)
        v = beta2 * v + (1 - beta2) * (g / largest) ** 2
        theta -= lr * (m / (1 - beta1**t)) / (math.sqrt(v / (1 - beta2**t)) + eps / largest)
    return theta


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.floats(-(2.0**127), 2.0**127, width=32).filter(lambda g: g == 0 or abs(g) > 1e-3), min_size=1, max_size=6),
    st.sampled_from([(0.9, 0.999), (0.5, 0.9), (0.0, 0.5)]),
)
def test_float32_adam_is_adam_for_any_finite_gradients(grads, betas):
    p = tinynorm.zeros(1, requires_grad=True)
    optimizer = optim.Adam([p], lr=0.1, betas=betas)
    for g in grads:
        p.grad = tinynorm.tensor([g], dtype="float32")
        optimizer.step()
    expected = adam_by_hand([float(np.float32(g)) for g in grads], 0.1, *betas, 1e-8)
    np.testing.assert_allclose(p.item(), expected, rtol=2e-5, atol=2e-6)
