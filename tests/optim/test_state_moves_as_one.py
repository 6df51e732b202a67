"""Copies, pickles and failures: an optimiser's parts never disagree."""

import copy
import pickle

import numpy as np
import pytest

import tinynorm
from tinynorm import nn, optim
from tinynorm.optim import lr_scheduler
from tinynorm.optim.in_place import InPlaceOptimizer
from tinynorm.tensor import version_of

MAKERS = {
    "SGD": lambda params: optim.SGD(params, lr=0.1),
    "SGD-momentum": lambda params: optim.SGD(params, lr=0.1, momentum=0.9, dampening=0.5),
    "Adam": lambda params: optim.Adam(params, lr=0.1, amsgrad=True),
    "AdamW": lambda params: optim.AdamW(params, lr=0.1),
    "RMSprop": lambda params: optim.RMSprop(params, lr=0.1, momentum=0.9, centered=True),
    "Adagrad": lambda params: optim.Adagrad(params, lr=0.1, initial_accumulator_value=0.5),
    "Adadelta": lambda params: optim.Adadelta(params),
    "Adamax": lambda params: optim.Adamax(params, lr=0.1),
    "RAdam": lambda params: optim.RAdam(params, lr=0.1),
    "ASGD": lambda params: optim.ASGD(params, lr=0.1),
    "NAdam": lambda params: optim.NAdam(params, lr=0.1),
    "Rprop": lambda params: optim.Rprop(params, lr=0.1),
}
COPIES = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda x: pickle.loads(pickle.dumps(x)),
    "pickle, protocol 2": lambda x: pickle.loads(pickle.dumps(x, 2)),
}


@pytest.fixture(params=list(MAKERS))
def make(request):
    return MAKERS[request.param]


def mlp():
    return nn.Sequential(nn.Linear(3, 50), nn.LayerNorm(50), nn.Linear(50, 50), nn.Linear(50, 2))


def train(model, optimizer, steps):
    for step in steps:
        x = tinynorm.tensor(np.random.default_rng(step).standard_normal((8, 3)), dtype="float32")
        optimizer.zero_grad()
        (model(x) ** 2).mean().backward()
        optimizer.step()


def bits(params):
    return [p.detach().numpy().tobytes() for p in params]


def state_of(optimizer):
    def frozen(x):
        return x.detach().numpy().tobytes() if isinstance(x, tinynorm.Tensor) else repr(x)

    saved = optimizer.state_dict()
    return {i: {k: frozen(v) for k, v in s.items()} for i, s in saved["state"].items()}, repr(saved["param_groups"])


# ---- copies ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("already", [0, 3])
def test_a_copy_of_model_and_optimizer_trains_on_as_the_original(make, copied, already):
    model = mlp()
    optimizer = make(model.parameters())
    train(model, optimizer, range(already))
    twin, its_optimizer = copied((model, optimizer))
    before = bits(model.parameters())
    train(twin, its_optimizer, range(already, already + 20))
    assert bits(model.parameters()) == before
    assert all(a != b for a, b in zip(before, bits(twin.parameters()), strict=True))
    train(model, optimizer, range(already, already + 20))
    assert bits(model.parameters()) == bits(twin.parameters())
    assert state_of(optimizer) == state_of(its_optimizer)


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_a_copied_schedule_drives_the_copied_optimizer(copied):
    model = mlp()
    optimizer = optim.Adam(model.parameters())
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=9)
    train(model, optimizer, [0])
    twin, its_schedule = copied((optimizer, schedule))
    assert its_schedule.optimizer is twin
    rate = optimizer.param_groups[0]["lr"]
    twin.step()
    its_schedule.step()
    assert twin.param_groups[0]["lr"] == its_schedule.get_last_lr()[0] > rate == optimizer.param_groups[0]["lr"]


def test_a_copy_is_no_larger_than_its_state():
    model = mlp()
    optimizer = optim.SGD(model.parameters())
    small = len(pickle.dumps(optimizer))
    optimizer.zero_grad()
    for p in model.parameters():
        p.grad = tinynorm.zeros_like(p).detach()
    optimizer.step()
    optimizer.zero_grad()
    assert len(pickle.dumps(optimizer)) < small + 1000  # the scratch arrays stay behind


# ---- a step that fails ---------------------------------------------------------------------------------------------------


def two_groups(make):
    params = [tinynorm.ones(3, requires_grad=True) for _ in range(4)]
    for p in params:
        p.grad = tinynorm.full((3,), 2.0)
    optimizer = make(params[:2])
    optimizer.add_param_group({"params": params[2:]})
    return params, optimizer


def of_another_shape(params, optimizer):
    params[3].array = np.ones((1, 3), np.float32)  # would broadcast


def of_another_dtype(params, optimizer):
    params[3].array = np.ones(3)


def read_only(params, optimizer):
    params[3].array = np.broadcast_to(np.float32(1), (3,))


def no_number(params, optimizer):
    optimizer.param_groups[1]["lr"] = "fast"


def missing(params, optimizer):
    del optimizer.param_groups[1]["lr"]


@pytest.mark.parametrize("harm", [of_another_shape, of_another_dtype, read_only, no_number, missing])
@pytest.mark.parametrize("already", [0, 2])
def test_a_step_that_cannot_be_done_whole_does_nothing(make, harm, already):
    params, optimizer = two_groups(make)
    for _ in range(already):
        optimizer.step()
    harm(params, optimizer)
    before, state, versions = bits(params), state_of(optimizer), [version_of(p).count for p in params]
    with pytest.raises((RuntimeError, TypeError, ValueError, KeyError)):
        optimizer.step()
    assert bits(params) == before
    assert state_of(optimizer) == state
    assert [version_of(p).count for p in params] == versions


@pytest.mark.parametrize("harm", [of_another_shape, of_another_dtype, read_only])
def test_the_error_says_what_does_not_fit(harm):
    params, optimizer = two_groups(MAKERS["Adam"])
    harm(params, optimizer)
    with pytest.raises(RuntimeError, match=r"Adam\.step: expected .*(a gradient of|can be written to).*Nothing was changed"):
        optimizer.step()


def test_the_first_step_after_a_failed_one_is_a_first_step():
    """SGD's dampening is left out of it."""
    (*_, p), optimizer = two_groups(MAKERS["SGD-momentum"])
    p.array = np.ones((2, 3), np.float32)
    with pytest.raises(RuntimeError):
        optimizer.step()
    p.array = np.ones(3, np.float32)
    optimizer.step()
    assert optimizer.state[optimizer.param_groups[0]["params"][0]]["momentum_buffer"].tolist() == [2.0] * 3


def test_a_failure_in_the_middle_is_told_by_the_versions():
    """A formula that fails on its second group: what it changed cannot be taken for what it was."""
    params, _ = two_groups(MAKERS["SGD"])

    class Fails(InPlaceOptimizer):
        def _begin(self, group, state, theta):
            return (1,)

        def _formula(self, group, t, theta):
            def step(theta, g, s, d):
                theta -= g
                if group["bad"]:
                    raise MemoryError("no room")

            return step

    optimizer = Fails([{"params": params[:2]}, {"params": params[2:3], "bad": True}, {"params": params[3:]}], {"bad": False})
    loss = (params[0] * params[0]).sum()
    with pytest.raises(MemoryError):
        optimizer.step()
    assert [version_of(p).count for p in params] == [1, 1, 1, 0]
    assert params[3].tolist() == [1.0] * 3
    with pytest.raises(RuntimeError, match="changed it in place"):
        loss.backward()


# ---- loading ------------------------------------------------------------------------------------------------------------


def test_loading_leaves_no_entry_of_before_behind():
    a, b = (optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=lr) for lr in (0.1, 0.2))
    saved = copy.deepcopy(a.state_dict())
    lr_scheduler.StepLR(b, 1)
    group = b.param_groups[0]
    b.load_state_dict(saved)
    assert b.param_groups[0] is group
    assert set(group) == set(a.param_groups[0])
    assert lr_scheduler.StepLR(b, 1).base_lrs == [0.1]


@pytest.mark.parametrize("step", [-1.0, np.nan])
def test_a_saved_number_of_steps_is_checked(step):
    p = tinynorm.ones(1, requires_grad=True)
    optimizer = optim.Adam([p])
    p.grad = tinynorm.ones(1)
    optimizer.step()
    saved = copy.deepcopy(optimizer.state_dict())
    saved["state"][0]["step"] = tinynorm.tensor(step)
    with pytest.raises(ValueError, match=r"state\[0\]\['step'\]: expected a number of steps, at least 0"):
        optimizer.load_state_dict(saved)


# ---- schedules -----------------------------------------------------------------------------------------------------------


def failing(at):
    def factor(n):
        if n >= at:
            raise OverflowError(f"step {n}")
        return 0.5

    return factor


def test_a_schedule_that_cannot_be_made_leaves_the_groups_as_they_were():
    for make in (lambda o: lr_scheduler.LambdaLR(o, failing(0)), lr_scheduler.LRScheduler):
        _, optimizer = two_groups(MAKERS["SGD"])
        before = [dict(group) for group in optimizer.param_groups]
        with pytest.raises((OverflowError, NotImplementedError)):
            make(optimizer)
        assert [list(group) for group in optimizer.param_groups] == [list(group) for group in before]


def test_a_cycle_that_cannot_be_made_leaves_none_of_its_own_entries():
    class Fails(lr_scheduler.OneCycleLR):
        def get_lr(self):
            raise OverflowError("a fault")

    _, optimizer = two_groups(MAKERS["Adam"])
    before = repr(optimizer.state_dict()["param_groups"])
    with pytest.raises(OverflowError):
        Fails(optimizer, 0.1, total_steps=9)
    assert repr(optimizer.state_dict()["param_groups"]) == before


def test_a_step_of_a_schedule_that_fails_changes_nothing():
    _, optimizer = two_groups(MAKERS["SGD"])
    schedule = lr_scheduler.LambdaLR(optimizer, [lambda n: 0.1, failing(1)])
    optimizer.step()
    rates, state = [group["lr"] for group in optimizer.param_groups], schedule.state_dict()
    with pytest.raises(OverflowError):
        schedule.step()
    assert [group["lr"] for group in optimizer.param_groups] == rates
    assert schedule.state_dict() == state


@pytest.mark.parametrize(
    "make", [lambda o: lr_scheduler.LambdaLR(o, lambda n: 0.5**n), lambda o: lr_scheduler.CosineAnnealingLR(o, T_max=1)]
)
def test_a_group_added_after_the_schedule_is_refused_where_it_has_no_rate(make):
    _, optimizer = two_groups(MAKERS["SGD"])
    schedule = make(optimizer)
    optimizer.step()
    optimizer.add_param_group({"params": tinynorm.ones(1, requires_grad=True)})
    if isinstance(schedule, lr_scheduler.CosineAnnealingLR):
        schedule.step()  # a factor, which the new group's rate has too; from the lowest point on it takes the first rates
    rates, state = [group["lr"] for group in optimizer.param_groups], schedule.state_dict()
    with pytest.raises(ValueError, match=r"LR: it was made for 2 parameter groups, its optimizer now has 3; add groups before"):
        schedule.step()
    assert [group["lr"] for group in optimizer.param_groups] == rates
    assert schedule.state_dict() == state


@pytest.mark.parametrize(
    ("entry", "value"), [("last_epoch", "3"), ("gamma", None), ("base_lrs", 3), ("base_lrs", ["x", "y"]), ("step_size", [1])]
)
def test_a_schedules_state_of_another_kind_is_refused(entry, value):
    _, optimizer = two_groups(MAKERS["SGD"])
    schedule = lr_scheduler.StepLR(optimizer, 2)
    before = schedule.state_dict()
    with pytest.raises(TypeError, match=rf"StepLR\.load_state_dict: expected {entry} to be"):
        schedule.load_state_dict({**before, entry: value})
    assert schedule.state_dict() == before


SCHEDULES = {
    "StepLR": {"step_size": 2, "gamma": 0.5},
    "MultiStepLR": {"milestones": [1, 3]},
    "ExponentialLR": {"gamma": 0.5},
    "LinearLR": {},
    "CosineAnnealingLR": {"T_max": 4},
    "LambdaLR": {"lr_lambda": lambda i: 1 / (i + 1)},
    "OneCycleLR": {"max_lr": 0.3, "total_steps": 9},
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("n", range(1, 5))
def test_last_epoch_is_the_number_of_the_last_epoch_that_is_done(name, n):
    """After n epochs a schedule made with last_epoch = n - 1 goes on as the first one does."""
    options, rates = SCHEDULES[name], []
    for again in (False, True):
        _, optimizer = two_groups(MAKERS["SGD-momentum"])
        schedule = getattr(lr_scheduler, name)(optimizer, **options)
        for epoch in range(n + 3):
            if again and epoch == n:
                schedule = getattr(lr_scheduler, name)(optimizer, **options, last_epoch=n - 1)
            assert schedule.last_epoch == epoch
            rates.append(schedule.get_last_lr())
            optimizer.step()
            schedule.step()
    np.testing.assert_allclose(rates[: n + 3], rates[n + 3 :], rtol=1e-14)
