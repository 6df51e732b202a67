"""Writes reference.json: trajectories of PyTorch's optimisers, and rates of its schedules.

Needs torch (imported inside the functions, since pytest imports every file here); the tests do not.

    python tests/optim/make_reference.py
"""

import json
from itertools import product
from pathlib import Path

STEPS, KEPT = 10, (1, 2, 3, 10)


def optimizer_cases():
    for momentum, dampening, nesterov, weight_decay, maximize in product(
        (0, 0.9), (0, 0.3), (False, True), (0, 0.1), (False, True)
    ):
        if not (nesterov and (dampening or not momentum)) and not (dampening and not momentum):
            yield (
                "SGD",
                {
                    "lr": 0.05,
                    "momentum": momentum,
                    "dampening": dampening,
                    "nesterov": nesterov,
                    "weight_decay": weight_decay,
                    "maximize": maximize,
                },
            )
    for momentum, centered, weight_decay, maximize in product((0, 0.9), (False, True), (0, 0.1), (False, True)):
        options = {"momentum": momentum, "centered": centered, "weight_decay": weight_decay, "maximize": maximize}
        yield "RMSprop", {"lr": 0.02, "alpha": 0.8, "eps": 1e-3, **options}
    for name, options in (
        ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.2, "eps": 1e-3}),
        ("Adadelta", {"lr": 0.5, "rho": 0.8, "eps": 1e-3}),
    ):
        for weight_decay, maximize in product((0, 0.1), (False, True)):
            yield name, {**options, "weight_decay": weight_decay, "maximize": maximize}
    for name in ("RMSprop", "Adagrad", "Adadelta"):
        yield name, {}
    for name in ("Adam", "AdamW"):
        yield name, {}
        for amsgrad, weight_decay, maximize in product((False, True), (0, 0.1), (False, True)):
            yield (
                name,
                {
                    "lr": 0.02,
                    "betas": (0.8, 0.99),
                    "eps": 1e-3,
                    "amsgrad": amsgrad,
                    "weight_decay": weight_decay,
                    "maximize": maximize,
                },
            )


def trajectory(name, options, start, grads):
    """The parameters after the steps KEPT; the second one has no gradient at step 2."""
    import torch

    params = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in start]
    optimizer = getattr(torch.optim, name)(params, **options)
    kept = []
    for step in range(1, STEPS + 1):
        for i, (p, g) in enumerate(zip(params, grads[step - 1], strict=True)):
            p.grad = None if (i, step) == (1, 2) else torch.tensor(g, dtype=torch.float64)
        optimizer.step()
        if step in KEPT:
            kept.append([p.tolist() for p in params])
    return kept


SCHEDULES = [
    ("StepLR", {"step_size": 4, "gamma": 0.3}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 11], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 12}),
    ("CosineAnnealingLR", {"T_max": 20}),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 0.9, "total_steps": 20}),
    ("OneCycleLR", {"max_lr": [0.9, 0.3], "epochs": 4, "steps_per_epoch": 5, "anneal_strategy": "linear", "div_factor": 10.0}),
    ("OneCycleLR", {"max_lr": 0.9, "total_steps": 20, "three_phase": True, "pct_start": 0.4, "final_div_factor": 100.0}),
    ("OneCycleLR", {"max_lr": 0.9, "total_steps": 20, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.9, "total_steps": 2}),
]


def rates(name, options, optimizer_name):
    """[each group's (rate, momentum)] at steps 0 to 19."""
    import torch

    params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    optimizer = getattr(torch.optim, optimizer_name)([{"params": params[0]}, {"params": params[1], "lr": 0.2}], lr=0.5)
    schedule = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    seen = []
    for _ in range(min(20, options.get("total_steps", 20))):
        groups = optimizer.param_groups
        seen.append([[g["lr"], g["momentum"] if "momentum" in g else g["betas"][0]] for g in groups])
        optimizer.step()
        schedule.step()
    return seen


def main():
    import torch

    torch.manual_seed(0)
    shapes = [(3, 2), (4,), ()]
    start = [torch.randn(s, dtype=torch.float64).tolist() for s in shapes]
    grads = [[torch.randn(s, dtype=torch.float64).tolist() for s in shapes] for _ in range(STEPS)]
    reference = {
        "torch": torch.__version__,
        "start": start,
        "grads": grads,
        "kept": KEPT,
        "optimizers": [[name, options, trajectory(name, options, start, grads)] for name, options in optimizer_cases()],
        "schedules": [[name, options, o, rates(name, options, o)] for name, options in SCHEDULES for o in ("SGD", "Adam")],
    }
    Path(__file__).with_name("reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
