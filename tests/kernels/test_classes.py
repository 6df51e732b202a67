"""The kernel of softmax-cross-entropy computes what the formula computes."""

import weakref

import numpy as np
import pytest
from helpers import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.gradcheck import check_function, check_second
from tinynorm.kernels import use
from tinynorm.nn import functional as F

RTOL = {"float32": 2e-6, "float64": 1e-14}


def run(choice, z, y, dtype="float64", **options):
    """(the node, the loss, the gradient)."""
    with use(choice):
        z = tn.tensor(z.astype(dtype), requires_grad=True)
        loss = F.cross_entropy(z, y if isinstance(y, tn.Tensor) else tn.tensor(y), **options)
        (loss * 3).backward()
        return loss.grad_fn, loss.item(), z.grad.numpy()


@examples(60, 2000)
def test_the_kernel_equals_the_formula(examples):
    @settings(max_examples=examples, deadline=None, database=None, derandomize=True)
    @given(
        st.integers(1, 40), st.integers(1, 300), st.sampled_from(["float32", "float64"]), st.sampled_from(["mean", "sum"]),
        st.sampled_from([0.1, 1.0, 30.0, 1e3]), st.sampled_from([0.0, 1e4, -1e6]), st.integers(0, 2**32 - 1),
    )  # fmt: skip
    def check(N, C, dtype, reduction, scale, offset, seed):
        rng = np.random.default_rng(seed)
        z = (rng.normal(size=(N, C)) * scale + offset).astype(dtype)
        y = rng.integers(0, C, N)
        node, loss, dz = run("numba", z, y, dtype, reduction=reduction)
        assert node.kernel is not None
        _, exact, exact_dz = run("numpy", z, y, reduction=reduction)
        assert abs(loss - exact) <= RTOL[dtype] * max(abs(exact), N if reduction == "sum" else 1)
        assert np.abs(dz - exact_dz).max() <= RTOL[dtype] * 3

    check()


def test_gradients_and_second_derivatives_with_the_kernel():
    z, y = tn.tensor(np.random.default_rng(0).normal(size=(5, 4)), requires_grad=True), tn.tensor([0, 3, 1, 1, 2])
    with use("numba"):
        for reduction in ("mean", "sum"):
            assert check_function(lambda z, r=reduction: F.cross_entropy(z, y, reduction=r), [z])
            assert check_second(lambda z, r=reduction: F.cross_entropy(z, y, reduction=r), [z])


@pytest.mark.parametrize("row", [[0, np.nan, 1], [np.nan, 0, 1], [np.inf, 0, 1], [-np.inf, 0, 1], [-np.inf] * 3])
def test_nan_and_inf_are_the_formulas(row):
    z, y = np.array([row, [0.0, 1.0, 2.0]], np.float32), np.array([0, 2])
    _, loss, dz = run("numba", z, y, "float32")
    _, by_formula, by_formula_dz = run("numpy", z, y, "float32")
    assert np.array_equal(loss, by_formula, equal_nan=True)
    np.testing.assert_allclose(dz, by_formula_dz, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "target"),
    [
        ({"weight": tn.ones(3, dtype=tn.float64)}, [0, 2]), ({"label_smoothing": 0.1}, [0, 2]), ({}, [0, -100]),
        ({"ignore_index": 2}, [0, 2]), ({"reduction": "none"}, [0, 2]), ({}, [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]),
    ],
)  # fmt: skip
def test_other_targets_go_by_the_formula(options, target):
    z = tn.randn(2, 3, dtype=tn.float64, requires_grad=True)
    with use("numba"):
        loss = F.cross_entropy(z, tn.tensor(np.array(target)), **options)
    assert loss.grad_fn.kernel is None


@pytest.mark.parametrize("target", [[0, 3], [-1, 0], [2, 2**40], [0, -(2**63)]])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_class_out_of_range_is_the_formulas_error(target, reduction):
    said = []
    for choice in ("numba", "numpy"):
        with use(choice), pytest.raises(IndexError, match="expected class indices from 0 to C-1 = 2") as error:
            F.cross_entropy(tn.zeros(2, 3), tn.tensor(target), reduction=reduction)
        said.append(str(error.value))
    assert said[0] == said[1]


def test_a_class_out_of_range_in_a_later_call_of_a_captured_step():
    """It is the error of the step as it is, and nothing is changed; the step before it and the one after it are replayed."""
    w, y = tn.randn(2, 3, requires_grad=True), tn.tensor([0, 1, 2, 0])
    optimizer = tn.optim.Adam([w])

    @tn.capture
    def step(y):
        optimizer.zero_grad()
        loss = F.cross_entropy(w[[0, 1, 0, 1]], y)
        loss.backward()
        optimizer.step()
        return loss

    with use("numba"):
        for _ in range(4):
            step(y)
        before = w.clone()
        for wrong in (3, -1):
            with pytest.raises(IndexError, match=f"from 0 to C-1 = 2 .* got {wrong} in the target"):
                step(tn.tensor([0, 1, wrong, 0]))
        assert (w == before).all()
        assert optimizer.state[w]["step"] == 4
        step(y)
    assert step.replays == 2, step.reason


@pytest.mark.parametrize("make", [lambda y: tn.tensor(y).int(), lambda y: tn.tensor(y.repeat(2))[::2]])
def test_targets_of_other_integers_and_with_gaps(make):
    z, y = np.random.default_rng(0).normal(size=(6, 5)), make(np.array([4, 0, 1, 2, 3, 3]))
    node, loss, dz = run("numba", z, y)
    assert node.kernel is not None
    _, exact, exact_dz = run("numpy", z, y)
    assert loss == pytest.approx(exact, rel=1e-14)
    assert np.allclose(dz, exact_dz, rtol=0, atol=1e-15)


def test_backward_frees_what_was_kept_for_it():
    z, y = tn.randn(4, 3, requires_grad=True), tn.tensor([0, 1, 2, 0])
    with use("numba"):
        loss = F.cross_entropy(z, y)
        kept = weakref.ref(loss.grad_fn.kept)
        assert kept() is not None
        loss.backward()
    assert kept() is None


def test_backward_can_run_twice_and_the_target_may_change_in_between():
    z, y = tn.randn(4, 3, requires_grad=True), tn.tensor([0, 1, 2, 0])
    with use("numba"):
        loss = F.cross_entropy(z, y)
    loss.backward(retain_graph=True)
    first = z.grad.clone()
    y.fill_(1)
    z.grad = None
    loss.backward()
    assert (z.grad == first).all()
