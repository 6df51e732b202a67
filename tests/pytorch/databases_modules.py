"""The calls in PyTorch's databases of modules and optimisers, and of learning-rate schedules (needs torch)."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from databases_call import Call, Name, TensorSpec, rounded
from databases_torch import OutOfScope, seeded, tree_of
from torch.testing._internal.common_modules import ModuleInfo, module_db
from torch.testing._internal.common_optimizers import OptimizerInfo, optim_db

import tinynorm

FLOATS = ("float32", "float64", "float16")
STEPS = 6  # of an optimiser


# ---- modules --------------------------------------------------------------------------------------------------------------


def modules() -> dict[str, list[ModuleInfo]]:
    found: dict[str, list[ModuleInfo]] = {}
    for info in module_db:
        if hasattr(tinynorm.nn, info.module_cls.__name__):
            found.setdefault(f"nn.{info.module_cls.__name__}", []).append(info)
    return found


def module_calls(info: ModuleInfo) -> Iterator[Call | OutOfScope]:
    name = info.module_cls.__name__
    for dtype in FLOATS:
        for training in (True, False):
            source = "training" if training else "eval"
            seeded(f"nn.{name} {dtype} {source}")
            drawn = info.module_inputs_func(info, "cpu", getattr(torch, dtype), True, training)
            for i, sample in enumerate(drawn):
                yield from _module_call(info, dtype, f"{source} {i}", sample, training)
    if info.module_error_inputs_func is not None:
        for i, error in enumerate(info.module_error_inputs_func(info, "cpu", torch.float32, False, True)):
            yield from _module_call(info, "float32", f"error {i}", error.module_error_input, True)


def _module_call(info: ModuleInfo, dtype: str, source: str, sample: Any, training: bool) -> Iterator[Call | OutOfScope]:
    """The module as PyTorch builds it: its numbers are part of the call."""
    name, build, forward = info.module_cls.__name__, sample.constructor_input, sample.forward_input
    try:
        state = info.module_cls(*build.args, **build.kwargs).to(getattr(torch, dtype)).state_dict()
    except Exception:
        state = {}
    try:
        extra = {
            "dtype": Name(dtype),
            "state": {key: tree_of(value) for key, value in state.items()},
            "training": training,
            "forward": tree_of(forward.args if forward else ()),
            "forward_named": tree_of(forward.kwargs if forward else {}),
        }
        call = Call(f"nn.{name}", "module", name, tree_of(build.args), tree_of(build.kwargs), dtype, source, extra=extra)
    except OutOfScope as reason:
        yield reason
        return
    yield call
    yield rounded(call)


# ---- optimisers -------------------------------------------------------------------------------------------------------------


def optimizers() -> dict[str, list[OptimizerInfo]]:
    found: dict[str, list[OptimizerInfo]] = {}
    for info in optim_db:
        if hasattr(tinynorm.optim, info.optim_cls.__name__):
            found.setdefault(f"optim.{info.optim_cls.__name__}", []).append(info)
    return found


def _parameters(name: str, dtype: str) -> tuple[list[TensorSpec], list[list[TensorSpec]]]:
    """Three parameters, and gradients for each step: normal ones, a zero and small ones among them."""
    rng = np.random.default_rng(len(name))
    shapes = ((3, 2), (4,), ())
    parameters = [TensorSpec(np.asarray(rng.standard_normal(shape)).astype(dtype), None, True) for shape in shapes]
    steps = [[np.asarray(rng.standard_normal(shape)) for shape in shapes] for _ in range(STEPS)]
    steps[2] = [g * 1e-3 for g in steps[2]]
    steps[3][1] = steps[3][1] * 0
    return parameters, [[TensorSpec(np.asarray(g).astype(dtype)) for g in step] for step in steps]


def optimizer_calls(info: OptimizerInfo) -> Iterator[Call | OutOfScope]:
    name = info.optim_cls.__name__
    for dtype in ("float32", "float64"):
        parameters, gradients = _parameters(name, dtype)
        for i, sample in enumerate(info.optim_inputs_func("cpu")):
            extra = {"gradients": gradients}
            yield from _optimizer_call(name, dtype, f"sample {i}", parameters, sample.kwargs, extra)
            groups = [{"params": parameters[:1], "lr": 0.02}, {"params": parameters[1:]}]
            yield from _optimizer_call(name, dtype, f"groups {i}", groups, sample.kwargs, extra)
            for j, schedules in enumerate(_schedules_of(info)):
                if i < 2:
                    scheduled = {**extra, "schedules": schedules}
                    yield from _optimizer_call(name, dtype, f"schedules {i} {j}", parameters, sample.kwargs, scheduled)
    for i, error in enumerate(info.optim_error_inputs_func("cpu", torch.float32)):
        sample = error.optimizer_error_input
        wrong = sample.params if sample.params is not None else parameters
        yield from _optimizer_call(name, "float32", f"error {i}", wrong, sample.kwargs, {"gradients": []})


def _optimizer_call(
    name: str, dtype: str, source: str, parameters: Any, kwargs: dict[str, Any], extra: dict[str, Any]
) -> Iterator[Call | OutOfScope]:
    try:
        if kwargs.get("differentiable"):
            raise OutOfScope("differentiable=True")
        given = parameters if _is_spec(parameters) else tree_of(parameters)
        call = Call(f"optim.{name}", "optimizer", name, (given,), tree_of(kwargs), dtype, source, extra=extra)
    except OutOfScope as reason:
        yield reason
        return
    yield call
    if "error" not in source:
        yield rounded(call)


def _is_spec(parameters: Any) -> bool:
    """Whether the parameters are a tree already: those of `_parameters`, in groups or not."""
    first = parameters[0] if isinstance(parameters, list) and parameters else None
    inside = first["params"][0] if isinstance(first, dict) and isinstance(first.get("params"), list) else first
    return isinstance(inside, TensorSpec)


def _schedules_of(info: OptimizerInfo) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The database's schedules for an optimiser, as (class, options), where tinynorm has all of their classes."""
    for builders in info.scheduler_inputs:
        found = [_recorded(build) for build in builders]
        if all(hasattr(tinynorm.optim.lr_scheduler, name) for name, _ in found):
            yield found


def _recorded(build: Callable[[Any], Any]) -> tuple[str, dict[str, Any]]:
    """What a function like ``lambda opt: StepLR(opt, gamma=0.9, step_size=10)`` builds."""

    def recorder(name: str) -> Any:
        return lambda optimizer, **options: (name, options)

    names = {name: recorder(name) for name in build.__code__.co_names}
    return types.FunctionType(build.__code__, names)(None)


# ---- schedules: the database's, and some for each that tinynorm has ----

SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("LambdaLR", {"lr_lambda": "halved"}), ("LambdaLR", {"lr_lambda": "warm-up"}),
    ("StepLR", {"step_size": 3}), ("StepLR", {"step_size": 2, "gamma": 0.5}), ("StepLR", {"step_size": 1, "gamma": 0.0}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 9]}), ("MultiStepLR", {"milestones": [0, 4], "gamma": 0.3}),
    ("ConstantLR", {}), ("ConstantLR", {"factor": 0.25, "total_iters": 3}), ("ConstantLR", {"total_iters": 0}),
    ("LinearLR", {}), ("LinearLR", {"total_iters": 1}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.8, "total_iters": 7}),
    ("ExponentialLR", {"gamma": 0.9}), ("ExponentialLR", {"gamma": 1.0}), ("ExponentialLR", {"gamma": 1.1}),
    ("CosineAnnealingLR", {"T_max": 5}), ("CosineAnnealingLR", {"T_max": 10, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}), ("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 3, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 0}), ("ReduceLROnPlateau", {"factor": 1.5}),
    ("ReduceLROnPlateau", {"mode": "least"}), ("ReduceLROnPlateau", {"patience": 2}),
    ("ReduceLROnPlateau", {"mode": "max", "patience": 0, "cooldown": 3, "min_lr": 0.02}),
    ("CosineAnnealingLR", {"T_max": 1}), ("CosineAnnealingLR", {"T_max": 3, "eta_min": 0.2}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 14}),
    ("OneCycleLR", {"max_lr": 0.5, "epochs": 2, "steps_per_epoch": 7, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 20, "three_phase": True, "pct_start": 0.4}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 13, "cycle_momentum": False, "div_factor": 10.0, "final_div_factor": 99.0}),
    ("ExponentialLR", {"gamma": 0.9, "last_epoch": 3}), ("StepLR", {"step_size": 0}), ("OneCycleLR", {"max_lr": 0.5}),
    ("OneCycleLR", {"max_lr": 0.5, "total_steps": 10, "pct_start": 2.0}), ("LinearLR", {"start_factor": 0.0}),
    ("ConstantLR", {"factor": 2.0}), ("OneCycleLR", {"max_lr": 0.5, "total_steps": 5, "steps": 3}),
]  # fmt: skip


def schedule_calls() -> Iterator[Call | OutOfScope]:
    groups = [group for infos in optimizers().values() for info in infos for group in _schedules_of(info)]
    from_database = {repr(schedule): schedule for group in groups for schedule in group}
    for i, (name, options) in enumerate([*SCHEDULES, *from_database.values()]):
        entry, extra = f"lr_scheduler.{name}", {"lr": 0.1, "steps": 13}
        yield Call(entry, "schedule", name, (), options, "float64", f"sample {i}", extra=extra)
