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
    for weight_decay, maximize in product((0, 0.1), (False, True)):
        yield "Adamax", {"lr": 0.05, "betas": (0.8, 0.9), "eps": 1e-3, "weight_decay": weight_decay, "maximize": maximize}
        for decoupled in (False, True) if weight_decay else (False,):
            options = {"weight_decay": weight_decay, "maximize": maximize, "decoupled_weight_decay": decoupled}
            for name in ("RAdam", "NAdam"):
                yield name, {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3, **options}
        yield "ASGD", {"lr": 0.05, "lambd": 0.1, "t0": 4, "weight_decay": weight_decay, "maximize": maximize}
    for maximize in (False, True):
        yield "Rprop", {"lr": 0.05, "etas": (0.6, 1.3), "step_sizes": (0.04, 0.09), "maximize": maximize}
    for name in ("RMSprop", "Adagrad", "Adadelta", "Adamax", "RAdam", "NAdam", "ASGD", "Rprop"):
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


STATES = [
    ("SGD", {"momentum": 0.9, "dampening": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("RMSprop", {"momentum": 0.9, "centered": True}),
    ("Adagrad", {"lr_decay": 0.1}),
    ("Adadelta", {}),
    ("Adamax", {}),
    ("RAdam", {"weight_decay": 0.1}),
    ("ASGD", {"lambd": 0.1, "t0": 2}),
    ("Rprop", {}),
    ("NAdam", {"weight_decay": 0.1}),
]


def saved_state(name, options, start, grads):
    """The optimiser's state after half of the steps, the parameters then and at the end."""
    import torch

    params = [torch.tensor(p, dtype=torch.float64, requires_grad=True) for p in start]
    optimizer = getattr(torch.optim, name)(params, lr=0.05, **options)
    seen = []
    for step in range(STEPS):
        if step == STEPS // 2:
            state = optimizer.state_dict()
            numbers = {i: {k: v.tolist() for k, v in entries.items()} for i, entries in state["state"].items()}
            seen = [{"state": numbers, "param_groups": state["param_groups"]}, [p.tolist() for p in params]]
        for p, g in zip(params, grads[step], strict=True):
            p.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
    return [*seen, [p.tolist() for p in params]]


LBFGS = [  # options, and whether a search makes it jump where two numbers are nearly the same (then float32 goes elsewhere)
    ({"lr": 0.1, "max_iter": 4}, False),
    ({"lr": 0.05, "max_iter": 7, "history_size": 3}, False),
    ({"max_iter": 6, "line_search_fn": "strong_wolfe"}, False),
    ({"max_iter": 5, "history_size": 2, "lr": 10.0, "line_search_fn": "strong_wolfe"}, False),
    ({"lr": 0.01, "line_search_fn": "strong_wolfe"}, True),
    ({"max_iter": 50, "max_eval": 20, "line_search_fn": "strong_wolfe"}, True),
    ({"tolerance_grad": 30.0, "lr": 0.1}, False),
    ({"tolerance_change": 0.05, "lr": 0.1, "max_iter": 100}, False),
]


def in_a_valley(lib, dtype, options, start, steps=4, state=None):
    """L-BFGS in either library, on a sum of a quadratic, Rosenbrock's valley, a fourth power and an exponential.

    What is seen before and after each step: the parameters, the loss, and what the optimiser counts.
    """
    params = [lib.tensor(p, dtype=getattr(lib, dtype), requires_grad=True) for p in start]
    optimizer = lib.optim.LBFGS(params, **options)
    if state is not None:
        optimizer.load_state_dict(state)
    x, y, z = params

    def closure():
        optimizer.zero_grad()
        bend = y[1:] - y[:-1] ** 2
        loss = ((x - 1) ** 2).sum() + (x[0] * x[1]).sum() + ((1 - y[:-1]) ** 2).sum() + 10 * (bend * bend).sum()
        loss = loss + 0.1 * (z - x.sum()) ** 4 + z.exp()
        loss.backward()
        return loss

    seen = []
    for _ in range(steps):
        before = [p.tolist() for p in params]
        loss = optimizer.step(closure).item()
        state = optimizer.state_dict()["state"][0]
        counts = [state["n_iter"], state["func_evals"], len(state.get("old_dirs", ()))]
        seen.append({"before": before, "loss": loss, "counts": counts, "after": [p.tolist() for p in params]})
    return seen, optimizer.state_dict()


def lbfgs_cases(torch, start):
    """The options, whether they jump, what is seen, and the state after two steps."""

    def plain(value):
        return [plain(v) for v in value] if isinstance(value, list) else value.tolist() if hasattr(value, "tolist") else value

    for options, jumps in LBFGS:
        seen, _ = in_a_valley(torch, "float64", options, start)
        _, saved = in_a_valley(torch, "float64", options, start, steps=2)
        state = {name: plain(value) for name, value in saved["state"][0].items() if name != "al"}
        yield [options, jumps, seen, {"state": {0: state}, "param_groups": saved["param_groups"]}]


SCHEDULES = [
    ("StepLR", {"step_size": 4, "gamma": 0.3}),
    ("MultiStepLR", {"milestones": [2, 5, 5, 11], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}),
    ("ConstantLR", {"total_iters": 0}),
    ("LinearLR", {"total_iters": 0}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 0.1, "end_factor": 0.7, "total_iters": 12}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 12, "power": 2.5}),
    ("CosineAnnealingLR", {"T_max": 20}),
    ("CosineAnnealingLR", {"T_max": 6, "eta_min": 0.01}),
    ("OneCycleLR", {"max_lr": 0.9, "total_steps": 20}),
    ("OneCycleLR", {"max_lr": [0.9, 0.3], "epochs": 4, "steps_per_epoch": 5, "anneal_strategy": "linear", "div_factor": 10.0}),
    ("OneCycleLR", {"max_lr": 0.9, "total_steps": 20, "three_phase": True, "pct_start": 0.4, "final_div_factor": 100.0}),
    ("OneCycleLR", {"max_lr": 0.9, "total_steps": 20, "cycle_momentum": False}),
    ("OneCycleLR", {"max_lr": 0.9, "total_steps": 2}),
    ("CosineAnnealingWarmRestarts", {"T_0": 4}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
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


SEQUENCES = [  # schedules one after the other, and their milestones
    ([("LinearLR", {"start_factor": 0.1, "total_iters": 4}), ("CosineAnnealingLR", {"T_max": 10})], [4]),
    ([("ConstantLR", {"total_iters": 3}), ("ExponentialLR", {"gamma": 0.9}), ("StepLR", {"step_size": 2})], [3, 9]),
    ([("ExponentialLR", {"gamma": 0.5}), ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2})], [5]),
]
CHAINS = [  # schedules at once
    [("ConstantLR", {"factor": 0.3, "total_iters": 4}), ("ExponentialLR", {"gamma": 0.9})],
    [("StepLR", {"step_size": 3}), ("CosineAnnealingLR", {"T_max": 10}), ("LinearLR", {})],
]
JUMPS = [0, 1, 2, 7, 3, 5, 12]  # epochs that a schedule is sent to
METRICS = [5.0, 4.0, 4.1, 3.9999, 4.2, 4.0, 4.0, 3.0, 3.0, 3.0, 3.0, 3.0, 3.0, 2.9, 2.9, 2.9, 2.9, 2.9, 2.9, 2.9]
PLATEAUS = [
    {"patience": 2},
    {"patience": 1, "factor": 0.5, "cooldown": 2, "min_lr": [0.05, 0.01]},
    {"patience": 0, "mode": "max", "factor": 0.3},
    {"patience": 1, "threshold": 0.5, "threshold_mode": "abs", "min_lr": 0.001},
    {"patience": 1, "threshold": 0.01, "threshold_mode": "rel", "eps": 0.04},
]


def two_groups():
    import torch

    params = [torch.zeros(1, requires_grad=True) for _ in range(2)]
    return torch.optim.SGD([{"params": params[0]}, {"params": params[1], "lr": 0.2}], lr=0.5)


def rates_of(make, steps):
    """Each group's rate at the start and after each step with the arguments in `steps`; the state in the middle."""
    optimizer = two_groups()
    schedule = make(optimizer)
    seen, states = [[g["lr"] for g in optimizer.param_groups]], []
    for args in steps:
        if len(seen) == 6:
            states = [schedule.state_dict(), optimizer.state_dict()["param_groups"]]
        optimizer.step()
        schedule.step(*args)
        seen.append([g["lr"] for g in optimizer.param_groups])
    return [seen, json.loads(json.dumps(states))]


def in_sequence(parts, milestones):
    from torch.optim import lr_scheduler

    return lambda optimizer: lr_scheduler.SequentialLR(
        optimizer, [getattr(lr_scheduler, name)(optimizer, **options) for name, options in parts], milestones
    )


def at_once(parts):
    from torch.optim import lr_scheduler

    return lambda optimizer: lr_scheduler.ChainedScheduler(
        [getattr(lr_scheduler, name)(optimizer, **options) for name, options in parts]
    )


def more_schedules():
    from torch.optim import lr_scheduler

    def alone(name, options):
        return lambda optimizer: getattr(lr_scheduler, name)(optimizer, **options)

    fractions = [(n / 4,) for n in range(1, 80)]
    jumping = [s for s in SCHEDULES if s[0] != "OneCycleLR" and s[1].get("total_iters") != 0]
    return {
        "sequences": [[*s, *rates_of(in_sequence(*s), [()] * 14)] for s in SEQUENCES],
        "chains": [[s, *rates_of(at_once(s), [()] * 14)] for s in CHAINS],
        "multiplied": rates_of(lambda o: lr_scheduler.MultiplicativeLR(o, lambda n: 0.9 + 0.01 * n), [()] * 14),
        "plateaus": [[o, *rates_of(alone("ReduceLROnPlateau", o), [(m,) for m in METRICS])] for o in PLATEAUS],
        "metrics": METRICS,
        "saved": [[*s, *rates_of(alone(*s), [()] * 14)] for s in SCHEDULES if s[1].get("total_steps") != 2],
        "jumps": [[*s, *rates_of(alone(*s), [(n,) for n in JUMPS])] for s in jumping],
        "jumped": JUMPS,
        "fractions": rates_of(alone("CosineAnnealingWarmRestarts", {"T_0": 2, "T_mult": 3}), fractions)[0],
    }


def main():
    import warnings

    warnings.simplefilter("ignore")
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
        "states": [[name, options, *saved_state(name, options, start, grads)] for name, options in STATES],
        "lbfgs": list(lbfgs_cases(torch, start)),
        **more_schedules(),
        "optimizers": [[name, options, trajectory(name, options, start, grads)] for name, options in optimizer_cases()],
        "schedules": [[name, options, o, rates(name, options, o)] for name, options in SCHEDULES for o in ("SGD", "Adam")],
    }
    Path(__file__).with_name("reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    main()
