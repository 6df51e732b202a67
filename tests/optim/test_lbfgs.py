"""L-BFGS goes where PyTorch's goes, its line search finds what it promises; reference.json is written by make_reference.py."""

import copy
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_reference import in_a_valley

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.optim.lbfgs import C1, C2, Point, strong_wolfe

REFERENCE = json.loads(Path(__file__).with_name("reference.json").read_text())
CASES = REFERENCE["lbfgs"]


def name_of(case):
    return "-".join(f"{k}={v}" for k, v in case[0].items())


def assert_near(got, expected, tolerance, counts=True):
    for ours, theirs in zip(got, expected, strict=True):
        if counts:
            assert ours["counts"] == theirs["counts"]
        np.testing.assert_allclose(ours["loss"], theirs["loss"], rtol=tolerance)
        for when in ("before", "after"):
            for a, b in zip(ours[when], theirs[when], strict=True):
                np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_float64_trajectory_is_pytorchs(case):
    """The parameters, the loss, and how many iterations and evaluations it took."""
    options, jumps, seen, _ = case
    assert_near(in_a_valley(tn, "float64", options, REFERENCE["start"])[0], seen, 1e-6 if jumps else 1e-9)


@pytest.mark.parametrize("case", [case for case in CASES if not case[1]], ids=name_of)
def test_float32_trajectory_is_pytorchs(case):
    options, _, seen, _ = case
    assert_near(in_a_valley(tn, "float32", options, REFERENCE["start"])[0], seen, 2e-3)


@pytest.mark.parametrize("case", CASES, ids=name_of)
def test_pytorchs_state_loads_and_goes_on_to_pytorchs_parameters(case):
    options, jumps, seen, saved = case
    vectors = {"d", "old_dirs", "old_stps", "ro", "H_diag", "prev_flat_grad"}

    def loaded(name, value):
        if isinstance(value, list) and value and name.startswith(("old", "ro")):
            return [loaded("d", v) for v in value]
        return tn.tensor(value, dtype="float64") if name in vectors else value

    state = {name: loaded(name, value) for name, value in saved["state"]["0"].items()}
    whole = {"state": {0: state}, "param_groups": saved["param_groups"]}
    got, _ = in_a_valley(tn, "float64", options, seen[2]["before"], steps=2, state=whole)
    assert_near(got, seen[2:], 1e-6 if jumps else 1e-9)


def test_a_run_saved_and_loaded_goes_on_bit_for_bit():
    options = {"max_iter": 4, "line_search_fn": "strong_wolfe"}
    whole, _ = in_a_valley(tn, "float64", options, REFERENCE["start"])
    half, state = in_a_valley(tn, "float64", options, REFERENCE["start"], steps=2)
    rest, _ = in_a_valley(tn, "float64", options, half[-1]["after"], steps=2, state=copy.deepcopy(state))
    assert half + rest == whole


def test_it_fits_a_line_by_least_squares(anywhere):
    rng = np.random.default_rng(0)
    x = tn.tensor(rng.standard_normal((20, 3)), dtype="float64", device=anywhere)
    y = x @ tn.tensor([[1.0], [-2.0], [3.0]], dtype="float64", device=anywhere) + 0.5
    model = nn.Linear(3, 1).to(dtype=tn.float64, device=anywhere)
    optimizer = optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        return loss

    optimizer.step(closure)
    np.testing.assert_allclose(model.weight.tolist(), [[1.0, -2.0, 3.0]], atol=1e-6)
    np.testing.assert_allclose(model.bias.tolist(), [0.5], atol=1e-6)


def test_float16_keeps_its_vectors_in_float32_and_a_missing_gradient_is_zero():
    w = tn.tensor([300.0, -2.0], dtype="float16", requires_grad=True)
    unused = tn.ones(2, dtype="float16", requires_grad=True)
    optimizer = optim.LBFGS([w, unused], lr=1e-2)

    def closure():
        optimizer.zero_grad()
        loss = ((w.float() - 1) ** 2).sum()
        loss.backward()
        return loss

    for _ in range(8):
        optimizer.step(closure)
    assert w.dtype == tn.float16
    assert optimizer.state[w]["d"].dtype == tn.float32
    assert abs(w.float() - 1).max().item() < 75
    assert unused.tolist() == [1.0, 1.0]
    again = optim.LBFGS([w, unused])
    again.load_state_dict(optimizer.state_dict())
    assert again.state[w]["old_dirs"][0].dtype == tn.float32
    assert again.state[w]["n_iter"] == optimizer.state[w]["n_iter"]


@given(st.floats(0.1, 30.0), st.floats(-5.0, 5.0), st.floats(0.001, 100.0))
def test_the_line_search_finds_the_strong_wolfe_conditions(width, bend, t):
    """On lines that fall first and rise in the end."""

    def at(t):
        u = t / width
        slope = (4 * (u - 2) ** 3 + 0.3 * bend * math.cos(bend * u)) / width
        return Point(t, (u - 2) ** 4 + 0.3 * math.sin(bend * u), None, slope)

    start = at(0.0)
    found = strong_wolfe(at, start, t, 1.0, 60, tolerance=0.0)
    assert found.loss <= start.loss + C1 * found.t * start.slope
    assert abs(found.slope) <= -C2 * start.slope


@pytest.mark.parametrize("far", [math.inf, math.nan])
def test_the_line_search_comes_back_from_where_the_loss_is_no_number(far):
    def at(t):
        return Point(t, -t + t * t if t < 2 else far, None, -1 + 2 * t if t < 2 else math.nan)

    assert strong_wolfe(at, at(0.0), 1000.0, 1.0, 60).loss < 0


def test_errors_say_what_to_do():
    w, v = (tn.ones(1, requires_grad=True) for _ in range(2))
    with pytest.raises(TypeError, match=r"LBFGS\.step: expected a closure that computes the loss"):
        optim.LBFGS([w]).step()
    with pytest.raises(ValueError, match="LBFGS: expected one group of parameters, got another"):
        optim.LBFGS([{"params": [w]}, {"params": [v]}])
    with pytest.raises(ValueError, match="expected line_search_fn None or 'strong_wolfe', got 'armijo'"):
        optim.LBFGS([w], line_search_fn="armijo")
    with pytest.raises(ValueError, match="expected lr >= 0, got -1"):
        optim.LBFGS([w], lr=-1)
    optimizer = optim.LBFGS([w])
    with pytest.raises(KeyError, match=r"LBFGS\.load_state_dict"):
        optimizer.load_state_dict(optim.SGD([v]).state_dict())
