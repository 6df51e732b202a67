"""Schedules: PyTorch's rates (reference.json), saving, and the errors."""

import json
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import tinynorm
from tinynorm import optim
from tinynorm.optim import lr_scheduler

RECORDED = json.loads(Path(__file__).with_name("reference.json").read_text())
REFERENCE = RECORDED["schedules"]


SCHEDULE_NAMES = [
    *{case[0]: (case[0], case[1]) for case in REFERENCE}.values(),
    ("LambdaLR", {"lr_lambda": abs}),
    ("MultiplicativeLR", {"lr_lambda": abs}),
    ("ReduceLROnPlateau", {}),
]


def two_groups(name="SGD"):
    a, b = (tinynorm.zeros(1, requires_grad=True) for _ in range(2))
    return getattr(optim, name)([{"params": a}, {"params": b, "lr": 0.2}], lr=0.5)


def momentum_of(group):
    return group["betas"][0] if "betas" in group else group["momentum"]


def run(optimizer, schedule, steps):
    seen = []
    for _ in range(steps):
        assert schedule.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        seen.append([[group["lr"], momentum_of(group)] for group in optimizer.param_groups])
        optimizer.step()
        schedule.step()
    return seen


@pytest.mark.parametrize("case", REFERENCE, ids=lambda c: f"{c[0]}-{c[2]}-{'-'.join(map(str, c[1].values()))}")
def test_rates_and_momenta_are_pytorchs(case):
    name, options, optimizer_name, expected = case
    optimizer = two_groups(optimizer_name)
    schedule = getattr(lr_scheduler, name)(optimizer, **options)
    np.testing.assert_allclose(run(optimizer, schedule, len(expected)), expected, rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize("case", REFERENCE, ids=lambda c: f"{c[0]}-{c[2]}-{'-'.join(map(str, c[1].values()))}")
def test_resuming_through_json_is_exact(case):
    name, options, optimizer_name, expected = case
    half = len(expected) // 2

    def start():
        optimizer = two_groups(optimizer_name)
        return optimizer, getattr(lr_scheduler, name)(optimizer, **options)

    straight = run(*start(), len(expected))
    optimizer, schedule = start()
    run(optimizer, schedule, half)
    saved = json.loads(json.dumps([optimizer.state_dict(), schedule.state_dict()]))
    optimizer, schedule = start()
    schedule.load_state_dict(saved[1])
    optimizer.load_state_dict(saved[0])
    assert run(optimizer, schedule, len(expected) - half) == straight[half:]


def rates_after(optimizer, schedule, steps):
    seen = [[group["lr"] for group in optimizer.param_groups]]
    for args in steps:
        optimizer.step()
        schedule.step(*args)
        assert schedule.get_last_lr() == [group["lr"] for group in optimizer.param_groups]
        seen.append(schedule.get_last_lr())
    return seen


def assert_goes_on(make, saved, steps, expected):
    """A schedule and an optimiser that load PyTorch's states, saved in the middle, take PyTorch's rates from there on."""
    (state, groups), optimizer = saved, two_groups()
    schedule = make(optimizer)
    for s in state.get("_schedulers", [state]):
        if isinstance(s.get("milestones"), dict):
            s["milestones"] = Counter({int(n): times for n, times in s["milestones"].items()})
    schedule.load_state_dict(state)
    optimizer.load_state_dict({"state": {}, "param_groups": groups})
    assert getattr(schedule, "last_epoch", None) == state.get("last_epoch")  # a chain has none
    np.testing.assert_allclose(rates_after(optimizer, schedule, steps[5:]), expected[5:], rtol=1e-13, atol=1e-16)


@pytest.mark.parametrize(("name", "options", "expected", "saved"), RECORDED["saved"])
def test_pytorchs_state_of_a_schedule_loads(name, options, expected, saved):
    # OneCycleLR takes what its state lacks from its own settings; that they are others must make no difference
    other = {"max_lr": 0.1, "total_steps": 99} if name == "OneCycleLR" else options
    other |= {"cycle_momentum": False} if options.get("cycle_momentum") is False else {}
    assert_goes_on(lambda o: getattr(lr_scheduler, name)(o, **other), saved, [()] * 14, expected)


def test_an_older_state_of_a_schedule_loads():
    optimizer = two_groups()
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.9, total_steps=20, pct_start=0.1)
    old = {"total_steps": 20, "step_size_up": 5.0, "step_size_down": 13.0, "anneal_func": None, "cycle_momentum": True,
           "use_beta1": False, "base_lrs": [0.036, 0.036], "last_epoch": 4, "_step_count": 5, "verbose": False}  # fmt: skip
    schedule.load_state_dict(old)
    assert (schedule.last_epoch, schedule.total_steps, schedule.pct_start) == (4, 20, 0.3)
    step = lr_scheduler.StepLR(optimizer, 3)
    step.load_state_dict({"step_size": 3, "gamma": 0.1, "base_lrs": [0.5, 0.2], "last_epoch": 7, "verbose": True})
    assert step.last_epoch == 7


def sequence_of(parts, milestones):
    return lambda optimizer: lr_scheduler.SequentialLR(
        optimizer, [getattr(lr_scheduler, name)(optimizer, **options) for name, options in parts], milestones
    )


@pytest.mark.parametrize(("parts", "milestones", "expected", "saved"), RECORDED["sequences"])
def test_schedules_one_after_the_other_take_pytorchs_rates(parts, milestones, expected, saved):
    optimizer, make = two_groups(), sequence_of(parts, milestones)
    np.testing.assert_allclose(rates_after(optimizer, make(optimizer), [()] * 14), expected, rtol=1e-13, atol=1e-16)
    assert_goes_on(make, saved, [()] * 14, expected)


def chain_of(parts):
    return lambda optimizer: lr_scheduler.ChainedScheduler(
        [getattr(lr_scheduler, name)(optimizer, **options) for name, options in parts]
    )


@pytest.mark.parametrize(("parts", "expected", "saved"), RECORDED["chains"])
def test_schedules_at_once_take_pytorchs_rates(parts, expected, saved):
    optimizer, make = two_groups(), chain_of(parts)
    np.testing.assert_allclose(rates_after(optimizer, make(optimizer), [()] * 14), expected, rtol=1e-13, atol=1e-16)
    assert_goes_on(make, saved, [()] * 14, expected)


def test_a_chain_may_follow_in_a_sequence():
    rates = []
    for chained in (False, True):
        optimizer = two_groups()
        first, then = lr_scheduler.LinearLR(optimizer, total_iters=3), lr_scheduler.ExponentialLR(optimizer, 0.5)
        then = lr_scheduler.ChainedScheduler([then], optimizer) if chained else then
        rates.append(rates_after(optimizer, lr_scheduler.SequentialLR(optimizer, [first, then], [3]), [()] * 6))
    assert rates[0] == rates[1]


def test_a_chain_is_of_one_optimizers_schedules():
    optimizer = two_groups()
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    with pytest.raises(ValueError, match=r"ChainedScheduler: expected .* of this optimizer, but schedulers\[1\]"):
        lr_scheduler.ChainedScheduler([schedule, lr_scheduler.ExponentialLR(two_groups(), 0.5)])
    with pytest.raises(TypeError, match=r"ChainedScheduler: expected schedulers\[0\] to be a schedule whose"):
        lr_scheduler.ChainedScheduler([lr_scheduler.ReduceLROnPlateau(optimizer)])
    with pytest.raises(ValueError, match="ChainedScheduler: expected at least one schedule, got none"):
        lr_scheduler.ChainedScheduler([])
    chain = lr_scheduler.ChainedScheduler([schedule])
    with pytest.raises(ValueError, match=r"ChainedScheduler\.load_state_dict: expected 1 schedules' states as"):
        chain.load_state_dict({"_schedulers": []})


@pytest.mark.parametrize(("options", "expected", "saved"), RECORDED["plateaus"], ids=lambda o: str(o)[:40])
def test_the_rate_is_reduced_on_a_plateau_as_pytorch_does(options, expected, saved):
    optimizer, steps = two_groups(), [(m,) for m in RECORDED["metrics"]]
    rates = rates_after(optimizer, lr_scheduler.ReduceLROnPlateau(optimizer, **options), steps)
    np.testing.assert_allclose(rates, expected, rtol=1e-13)
    assert len({tuple(r) for r in rates}) > 1
    assert_goes_on(lambda o: lr_scheduler.ReduceLROnPlateau(o, **options), saved, steps, expected)


def test_a_plateau_takes_a_tensor_and_no_nan_is_an_improvement():
    schedule = lr_scheduler.ReduceLROnPlateau(two_groups(), patience=1)
    for metric in (tinynorm.tensor(2.0), tinynorm.tensor([float("nan")])):
        schedule.step(metric)
    assert (schedule.best, schedule.num_bad_epochs) == (2.0, 1)


@pytest.mark.parametrize(("name", "options", "expected", "_"), RECORDED["jumps"])
def test_a_schedule_can_be_sent_to_an_epoch(name, options, expected, _):
    optimizer = two_groups()
    schedule = getattr(lr_scheduler, name)(optimizer, **options)
    rates = rates_after(optimizer, schedule, [(n,) for n in RECORDED["jumped"]])
    np.testing.assert_allclose(rates, expected, rtol=1e-13, atol=1e-16)
    assert schedule.last_epoch == RECORDED["jumped"][-1]


def test_warm_restarts_take_fractions_of_epochs():
    optimizer = two_groups()
    schedule = lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=3)
    rates = rates_after(optimizer, schedule, [(n / 4,) for n in range(1, 80)])
    np.testing.assert_allclose(rates, RECORDED["fractions"], rtol=1e-12, atol=1e-16)
    with pytest.raises(ValueError, match=r"StepLR\.step: expected epoch to be an int of at least 0, got 1\.5"):
        lr_scheduler.StepLR(optimizer, 2).step(1.5)


class Warmup(lr_scheduler._LRScheduler):
    """As programs write their own; the name is PyTorch's old one."""

    def __init__(self, optimizer, steps, last_epoch=-1, verbose=False):
        self.steps = steps
        super().__init__(optimizer, last_epoch, verbose)

    def get_lr(self):
        return [lr * min(1.0, (self.last_epoch + 1) / self.steps) for lr in self.base_lrs]


class OwnStep(lr_scheduler.LRScheduler):
    """A step of its own is taken at the beginning too."""

    def step(self, epoch=None):
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = lr / (1 + self.last_epoch)


class InverseRoot(lr_scheduler.LRScheduler):
    """By the number of steps, which begins at 1."""

    def get_lr(self):
        return [lr * self._step_count**-0.5 for lr in self.base_lrs]


def test_schedules_of_ones_own():
    optimizer = two_groups()
    rates = [lr for (lr, _), _ in run(optimizer, InverseRoot(optimizer), 4)]
    assert rates == pytest.approx([0.5 / n**0.5 for n in (1, 2, 3, 4)], rel=1e-14)
    optimizer = two_groups()
    assert [lr for (lr, _), _ in run(optimizer, Warmup(optimizer, 4), 5)] == [0.125, 0.25, 0.375, 0.5, 0.5]
    optimizer, rates = two_groups(), []
    schedule = OwnStep(optimizer)
    for _ in range(3):
        rates.append(optimizer.param_groups[0]["lr"])
        schedule.step()
    assert rates == [0.5, 0.25, 0.5 / 3]


@pytest.mark.parametrize("case", [*SCHEDULE_NAMES], ids=lambda c: c[0])
def test_verbose_is_taken(case):
    name, options = case
    rates = [getattr(lr_scheduler, name)(two_groups(), **options, **v)._last_lr for v in ({}, {"verbose": True})]
    assert rates[0] == rates[1]


def test_lambda_lr():
    optimizer = two_groups()
    schedule = lr_scheduler.LambdaLR(optimizer, [lambda n: 1 / (n + 1), lambda n: 2.0])
    assert [[lr for lr, _ in step] for step in run(optimizer, schedule, 3)] == [[0.5, 0.4], [0.25, 0.4], [0.5 / 3, 0.4]]
    saved = schedule.state_dict()
    assert saved["lr_lambdas"] == [None, None]
    other = lr_scheduler.LambdaLR(two_groups(), lambda n: 1 / (n + 1))
    other.load_state_dict(saved)
    assert other.last_epoch == 3
    with pytest.raises(ValueError, match="one function for each of 2 groups, got 1"):
        lr_scheduler.LambdaLR(two_groups(), [lambda n: 1.0])


def test_multiplicative_lr_takes_pytorchs_rates():
    def make(optimizer):
        return lr_scheduler.MultiplicativeLR(optimizer, lambda n: 0.9 + 0.01 * n)

    optimizer, (expected, saved) = two_groups(), RECORDED["multiplied"]
    np.testing.assert_allclose(rates_after(optimizer, make(optimizer), [()] * 14), expected, rtol=1e-13, atol=1e-16)
    assert_goes_on(make, saved, [()] * 14, expected)


def test_schedules_can_be_used_together():
    optimizer = two_groups()
    warmup = lr_scheduler.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    decay = lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    seen = []
    for _ in range(4):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        warmup.step()
        decay.step()
    np.testing.assert_allclose(seen, [0.25, 0.5 * 0.75 * 0.5, 0.5 * 0.25, 0.5 * 0.125], rtol=1e-15)


def test_going_on_with_last_epoch():
    optimizer = two_groups()
    schedule = lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    run(optimizer, schedule, 2)
    schedule = lr_scheduler.ExponentialLR(optimizer, gamma=0.5, last_epoch=1)
    assert schedule.get_last_lr() == [0.125, 0.05]
    with pytest.raises(ValueError, match=r"goes on from before, but param_groups\[0\] has no 'initial_lr'"):
        lr_scheduler.ExponentialLR(two_groups(), gamma=0.5, last_epoch=1)


def test_an_optimizer_of_ones_own_raises_no_warning_at_the_first_step():
    class Own(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 0.1})

        def step(self, closure=None):
            pass

    class OwnAdam(optim.Adam):
        def step(self, closure=None):
            pass

    for make in (Own, OwnAdam):
        optimizer = make([tinynorm.zeros(1, requires_grad=True)])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            schedule = lr_scheduler.StepLR(optimizer, 1)
            optimizer.step()
            schedule.step()


def test_step_before_the_optimizers_first_step_warns():
    schedule = lr_scheduler.StepLR(two_groups(), 2)
    with pytest.warns(UserWarning, match=r"StepLR\.step\(\) before the first optimizer\.step\(\)"):
        schedule.step()


def test_one_cycle_refuses_to_go_beyond_its_end_and_stays_where_it_is():
    optimizer = two_groups()
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.5, total_steps=3)
    run(optimizer, schedule, 3)
    rates = schedule.get_last_lr()
    for _ in range(2):
        with pytest.raises(ValueError, match="expected at most total_steps=3 steps, this is step 4"):
            schedule.step()
    assert (schedule.last_epoch, schedule.get_last_lr()) == (3, rates)


def test_one_cycle_whose_way_up_has_no_length():
    schedule = lr_scheduler.OneCycleLR(two_groups(), 0.5, total_steps=10, pct_start=0.1)
    assert schedule.get_last_lr() == [0.5, 0.5]


class NoMomentum(optim.Optimizer):
    def __init__(self, params):
        super().__init__(params, {"lr": 0.1})


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda o: lr_scheduler.StepLR("SGD", 1), TypeError, "StepLR: expected an Optimizer, got str"),
        (lambda o: lr_scheduler.OneCycleLR(3, 1.0, 1), TypeError, "OneCycleLR: expected an Optimizer, got int"),
        (lambda o: lr_scheduler.StepLR(o, 0), ValueError, "step_size to be a positive int, got 0"),
        (lambda o: lr_scheduler.StepLR(o, 1.5), ValueError, "step_size to be a positive int, got 1.5"),
        (lambda o: lr_scheduler.StepLR(o, 1, gamma=-1), ValueError, "StepLR: expected gamma >= 0, got -1"),
        (lambda o: lr_scheduler.MultiStepLR(o, [1], gamma="x"), TypeError, "gamma to be a number, got str"),
        (lambda o: lr_scheduler.ExponentialLR(o, -1), ValueError, "expected gamma >= 0"),
        (lambda o: lr_scheduler.LinearLR(o, start_factor=0), ValueError, "expected 0 < start_factor <= 1, got 0"),
        (lambda o: lr_scheduler.LinearLR(o, end_factor=2), ValueError, "expected 0 <= end_factor <= 1, got 2"),
        (lambda o: lr_scheduler.LinearLR(o, total_iters=-1), ValueError, "total_iters to be an int of at least 0, got -1"),
        (lambda o: lr_scheduler.ConstantLR(o, factor=2), ValueError, "expected 0 < factor <= 1, got 2"),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 0), ValueError, "T_max to be a positive int, got 0"),
        (lambda o: lr_scheduler.CosineAnnealingLR(o, 5, -1), ValueError, "expected eta_min >= 0"),
        (
            lambda o: lr_scheduler.OneCycleLR(o, 1.0),
            ValueError,
            "expected total_steps, or epochs and steps_per_epoch, got neither",
        ),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, epochs=2), ValueError, "got neither"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, epochs=0, steps_per_epoch=3), ValueError, "epochs to be a positive int"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 5, pct_start=2), ValueError, "expected 0 <= pct_start <= 1, got 2"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 5, anneal_strategy="x"), ValueError, "'cos' or 'linear', got 'x'"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 0), ValueError, "T_0 to be a positive int, got 0"),
        (lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 2, 0.5), ValueError, "T_mult to be a positive int, got 0.5"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=1.0), ValueError, "expected factor < 1, got 1.0"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, "least"), ValueError, "expected mode 'min' or 'max' .*got 'least'"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr for each of 2 groups, got 1 values"),
        (lambda o: lr_scheduler.ReduceLROnPlateau(None), TypeError, "ReduceLROnPlateau: expected an Optimizer, got NoneType"),
        (lambda o: lr_scheduler.SequentialLR(o, [], []), ValueError, "at least one schedule and a milestone between each two"),
        (
            lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(o, 1)] * 2, [1, 2]),
            ValueError,
            "got 2 schedules and 2 milestones",
        ),
        (
            lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.ReduceLROnPlateau(o)], []),
            TypeError,
            r"schedulers\[0\] to be a schedule whose step\(\) needs no metric, got ReduceLROnPlateau",
        ),
        (
            lambda o: lr_scheduler.SequentialLR(o, [lr_scheduler.StepLR(two_groups(), 1)], []),
            ValueError,
            r"schedulers\[0\] is another's",
        ),
        (lambda o: lr_scheduler.OneCycleLR(o, [1.0], 5), ValueError, "max_lr for each of 2 groups, got 1 values"),
        (lambda o: lr_scheduler.OneCycleLR(o, -1.0, 5), ValueError, "expected max_lr >= 0, got -1"),
        (lambda o: lr_scheduler.OneCycleLR(o, 1.0, 5, div_factor=0), ValueError, "expected div_factor > 0, got 0"),
        (lambda o: lr_scheduler.OneCycleLR(NoMomentum(o._params()), 1.0, 5), ValueError, "NoMomentum has no momentum to cycle"),
        (lambda o: lr_scheduler.LRScheduler(o), NotImplementedError, "write get_lr"),
    ],
)
def test_bad_options_leave_the_optimizer_alone(make, error, message):
    optimizer = two_groups()
    with pytest.raises(error, match=message):
        make(optimizer)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.2]


@pytest.mark.parametrize(
    ("saved", "error", "message"),
    [
        (3, TypeError, "StepLR.load_state_dict: expected a dict, got int"),
        ({"last_epoch": 1}, KeyError, r"missing \['step_size', 'gamma', 'base_lrs'\], unexpected \[\]"),
        ({"step_size": 1, "gamma": 1, "base_lrs": [1, 1], "last_epoch": 1, "T_max": 2}, KeyError, r"unexpected \['T_max'\]"),
        ({"step_size": 1, "gamma": 1, "base_lrs": [1], "last_epoch": 1}, ValueError, "base_lrs of 2 groups, got 1"),
    ],
)
def test_bad_state_dict_is_refused_and_nothing_is_changed(saved, error, message):
    schedule = lr_scheduler.StepLR(two_groups(), 2)
    before = schedule.state_dict()
    with pytest.raises(error, match=message):
        schedule.load_state_dict(saved)
    assert schedule.state_dict() == before


def test_loaded_lists_are_copies():
    schedule = lr_scheduler.MultiStepLR(two_groups(), [1, 3])
    saved = schedule.state_dict()
    schedule.load_state_dict(saved)
    schedule.milestones.append(9)
    assert saved["milestones"] == [1, 3]


def test_an_object_called_as_a_function_is_kept_in_the_state():
    class Twice:
        def __init__(self, by):
            self.by = by

        def __call__(self, n):
            return self.by**n

    saved = lr_scheduler.LambdaLR(two_groups(), [Twice(0.5), lambda n: 1]).state_dict()
    assert saved["lr_lambdas"] == [{"by": 0.5}, None]
    other = lr_scheduler.LambdaLR(two_groups(), [Twice(3.0), lambda n: 1])
    other.load_state_dict(saved)
    assert other.lr_lambdas[0].by == 0.5


def test_a_printed_state_is_pytorchs():
    optimizer = optim.SGD([tinynorm.ones(1, requires_grad=True)], lr=0.1, momentum=0.9)
    counts = (
        "'base_lrs': [0.1], 'last_epoch': 0, '_step_count': 1, '_is_initial': False, '_get_lr_called_within_step': False, "
        "'_last_lr': [0.1]"
    )
    assert str(lr_scheduler.StepLR(optimizer, 2).state_dict()) == "{'step_size': 2, 'gamma': 0.1, " + counts + "}"
    state = "{'factor': 0.1, 'default_min_lr': 0, 'min_lrs': [0], 'patience': 10, 'cooldown': 0, 'eps': 1e-08, "
    state += "'last_epoch': 0, '_last_lr': [0.1], 'mode_worse': inf, 'mode': 'min', 'threshold': 0.0001, "
    state += "'threshold_mode': 'rel', 'best': inf, 'cooldown_counter': 0, 'num_bad_epochs': 0}"
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer)
    assert str(plateau.state_dict()) == state
    plateau.load_state_dict(lr_scheduler.ReduceLROnPlateau(optimizer, min_lr=[0.01]).state_dict())
    assert (plateau.min_lrs, plateau.default_min_lr) == ([0.01], None)
    schedule = lr_scheduler.LambdaLR(optimizer, lambda n: 0.5**n)
    assert str(schedule.state_dict()) == "{" + counts + ", 'lr_lambdas': [None]}"
    schedule.load_state_dict({"base_lrs": [0.3], "last_epoch": 1})  # an older state has fewer entries
    optimizer.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.3 / 4]
    lr_scheduler.OneCycleLR(optimizer, 0.1, 10)
    assert list(optimizer.param_groups[0])[-4:] == ["max_lr", "min_lr", "max_momentum", "base_momentum"]
