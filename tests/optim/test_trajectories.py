"""Every optimiser with every option goes where PyTorch's goes; reference.json is written by make_reference.py."""

import json
from pathlib import Path

import numpy as np
import pytest

import tinynorm
from tinynorm import optim

REFERENCE = json.loads(Path(__file__).with_name("reference.json").read_text())


def name_of(case):
    return case[0] + "".join(f"-{k}={v}" for k, v in case[1].items() if v and k not in ("lr", "eps"))


def run(case, dtype, device, make=tinynorm.tensor):
    """The parameters after each of the kept steps, as lists of NumPy arrays."""
    name, options, _ = case
    params = [make(p, dtype=dtype, device=device).requires_grad_() for p in REFERENCE["start"]]
    optimizer = getattr(optim, name)(params, **options)
    kept = []
    for step, grads in enumerate(REFERENCE["grads"], start=1):
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            p.grad = None if (i, step) == (1, 2) else make(g, dtype=dtype, device=device)
        optimizer.step()
        if step in REFERENCE["kept"]:
            kept.append([np.array(p.tolist(), p.detach().cpu().numpy().dtype) for p in params])
    return kept


def assert_near(got, case, tolerance):
    for ours, theirs in zip(got, case[2], strict=True):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * 1e-2)


@pytest.mark.parametrize("case", REFERENCE["optimizers"], ids=name_of)
def test_float64_trajectory_is_pytorchs_to_1e_12(case, device):
    assert_near(run(case, "float64", device), case, 1e-12)


@pytest.mark.parametrize("case", REFERENCE["optimizers"], ids=name_of)
def test_float32_trajectory_is_pytorchs_to_2e_4(case, device):
    assert_near(run(case, "float32", device), case, 2e-4)


@pytest.mark.parametrize("case", REFERENCE["optimizers"], ids=name_of)
def test_parameters_stepped_one_by_one_or_together_are_bit_identical(case, monkeypatch):
    together = run(case, "float32", "cpu")
    monkeypatch.setattr(optim.blocks, "SMALL", 0)
    for a, b in zip(together, run(case, "float32", "cpu"), strict=True):
        for x, y in zip(a, b, strict=True):
            assert x.tobytes() == y.tobytes()


@pytest.mark.parametrize("case", REFERENCE["optimizers"], ids=name_of)
def test_large_parameters_cut_into_blocks_are_bit_identical(case, monkeypatch):
    whole = run(case, "float32", "cpu")
    monkeypatch.setattr(optim.blocks, "SMALL", 0)
    monkeypatch.setattr(optim.blocks, "BLOCK", 2)
    for a, b in zip(whole, run(case, "float32", "cpu"), strict=True):
        for x, y in zip(a, b, strict=True):
            assert x.tobytes() == y.tobytes()


@pytest.mark.parametrize("case", REFERENCE["optimizers"], ids=name_of)
def test_formulas_run_on_arrays_of_the_array_standard(case):
    xp = pytest.importorskip("array_api_strict")

    class Strict(tinynorm.Tensor):
        def cpu(self):
            return tinynorm.tensor(np.from_dlpack(self.array))

        def detach(self):
            return self

        def tolist(self):
            return np.from_dlpack(self.array).tolist()

    def make(data, dtype, device):
        made = Strict.__new__(Strict)
        made._array = xp.asarray(data, dtype=getattr(xp, dtype))
        return made

    assert_near(run(case, "float64", None, make), case, 1e-12)


@pytest.mark.parametrize("case", REFERENCE["states"], ids=name_of)
@pytest.mark.parametrize("older", [False, True])
def test_pytorchs_state_loads_and_goes_on_to_pytorchs_parameters(case, older):
    """Also the state of an older PyTorch, whose groups lack newer options, and whose steps are Python numbers."""
    name, options, saved, middle, end = case
    params = [tinynorm.tensor(p, dtype="float64", requires_grad=True) for p in middle]
    optimizer = getattr(optim, name)(params, **({} if older else options))
    group = {k: v for k, v in saved["param_groups"][0].items() if not older or k not in optim.in_place.NEWER}
    if older:
        group.pop("decoupled_weight_decay", None)
    as_steps = float if older else tinynorm.tensor
    states = {int(i): {k: as_steps(v) if k == "step" else tinynorm.tensor(v, dtype="float64") for k, v in entries.items()}
              for i, entries in saved["state"].items()}  # fmt: skip
    optimizer.load_state_dict({"state": states, "param_groups": [group]})
    steps = REFERENCE["grads"]
    for grads in steps[len(steps) // 2 :]:
        for p, g in zip(params, grads, strict=True):
            p.grad = tinynorm.tensor(g, dtype="float64")
        optimizer.step()
    for p, expected in zip(params, end, strict=True):
        np.testing.assert_allclose(p.array, expected, rtol=1e-12)


def test_adamw_stays_adamw_with_a_state_of_adam():
    p, q = (tinynorm.ones(1, requires_grad=True) for _ in range(2))
    optimizer = optim.AdamW([p], weight_decay=0.1)
    optimizer.load_state_dict(optim.Adam([q], weight_decay=0.1).state_dict())
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True  # as PyTorch decides


def test_adam_first_step_is_lr_times_sign():
    w = tinynorm.tensor([1.0, 1.0], dtype="float64", requires_grad=True)
    w.grad = tinynorm.tensor([3.0, -4.0], dtype="float64")
    optim.Adam([w], lr=0.1, eps=0.0).step()
    np.testing.assert_allclose(w.array, [0.9, 1.1], rtol=1e-15)


def test_adam_two_steps_by_hand():
    """m, v and their corrections written out, without folding."""
    w = tinynorm.tensor([2.0], dtype="float64", requires_grad=True)
    optimizer = optim.Adam([w], lr=0.1, betas=(0.5, 0.75), eps=0.01)
    theta, m, v = 2.0, 0.0, 0.0
    for t, g in ((1, 1.0), (2, -3.0)):
        w.grad = tinynorm.tensor([g], dtype="float64")
        optimizer.step()
        m, v = 0.5 * m + 0.5 * g, 0.75 * v + 0.25 * g * g
        theta -= 0.1 * (m / (1 - 0.5**t)) / ((v / (1 - 0.75**t)) ** 0.5 + 0.01)
        np.testing.assert_allclose(w.array, [theta], rtol=1e-14)


def test_sgd_momentum_by_hand():
    w = tinynorm.tensor([1.0], dtype="float64", requires_grad=True)
    optimizer = optim.SGD([w], lr=0.5, momentum=0.5, dampening=0.25)
    for g in (1.0, 2.0):
        w.grad = tinynorm.tensor([g], dtype="float64")
        optimizer.step()
    # buf: 1, then 0.5 * 1 + 0.75 * 2 = 2
    assert w.tolist() == [1 - 0.5 * 1 - 0.5 * 2]
