"""The normalisation functions: each case written once, `lib` is torch, or tinynorm."""

from __future__ import annotations

from typing import Any

from case import Cases, constant, normal, shape_name, uniform, values

CASES = Cases()
add = CASES.add


def batch_norm(training: bool, momentum: float = 0.1, eps: float = 1e-5, affine: bool = True, running: bool = True) -> Any:
    """F.batch_norm with these settings, and the draws beside x of C = 3 channels."""

    def compute(lib, x, running_mean=None, running_var=None, weight=None, bias=None):
        y = lib.nn.functional.batch_norm(x, running_mean, running_var, weight, bias, training, momentum, eps)
        return {"y": y, "running_mean": running_mean, "running_var": running_var} if running else y

    draws = {"running_mean": constant(normal(3)), "running_var": constant(uniform(3))} if running else {}
    return compute, draws | ({"weight": normal(3), "bias": normal(3)} if affine else {})


X_OF_RANK = {2: (6, 3), 3: (3, 3, 4), 4: (2, 3, 2, 3), 5: (2, 3, 2, 1, 2)}
for rank, shape in X_OF_RANK.items():
    for training in (True, False):
        for affine in (True, False):
            mode = "train" if training else "eval"
            compute, draws = batch_norm(training, affine=affine)
            x = normal(*shape, mean=0.5, std=2.0)
            add(f"batch_norm {rank}-D {mode}{' affine' if affine else ''}", compute, x=x, **draws)
    compute, draws = batch_norm(True, running=False)
    add(f"batch_norm {rank}-D train no running statistics", compute, x=normal(*shape), **draws)
for momentum in (0.0, 0.3, 1.0):
    for rank in (2, 4):
        compute, draws = batch_norm(True, momentum)
        add(f"batch_norm {rank}-D train momentum {momentum}", compute, x=normal(*X_OF_RANK[rank], mean=-1.0), **draws)
for training in (True, False):
    compute, draws = batch_norm(training, eps=0.1)
    add(f"batch_norm eps 0.1 {'train' if training else 'eval'}", compute, x=normal(6, 3), **draws)
compute, draws = batch_norm(True)
add("batch_norm gamma 0", compute, x=normal(6, 3), **(draws | {"weight": values(0.0, 1.0, -2.0)}))
add("batch_norm two rows", compute, x=normal(2, 3), **draws)
add(
    "batch_norm weight without bias",
    lambda lib, x, weight: lib.nn.functional.batch_norm(x, None, None, weight, None, True),
    x=normal(6, 3), weight=normal(3),
)  # fmt: skip

for shape, D in [
    ((4, 5), (5,)), ((5,), (5,)), ((2, 3, 4), (4,)), ((2, 3, 4), (3, 4)), ((2, 3, 4), (2, 3, 4)), ((2, 2, 3, 2), (2, 3, 2)),
    ((2, 2, 3, 2), (3, 2)), ((1, 4), (4,)),
]:  # fmt: skip
    at = f"{shape_name(shape)} over {shape_name(D)}"
    add(
        f"layer_norm {at} affine",
        lambda lib, x, weight, bias, D=D: lib.nn.functional.layer_norm(x, D, weight, bias),
        x=normal(*shape, mean=1.0), weight=normal(*D), bias=normal(*D),
    )  # fmt: skip
    add(f"layer_norm {at}", lambda lib, x, D=D: lib.nn.functional.layer_norm(x, D), x=normal(*shape, mean=1.0))
    add(
        f"layer_norm {at} weight only",
        lambda lib, x, weight, D=D: lib.nn.functional.layer_norm(x, D, weight, eps=0.01),
        x=normal(*shape, mean=1.0), weight=normal(*D),
    )  # fmt: skip
    add(
        f"rms_norm {at} affine",
        lambda lib, x, weight, D=D: lib.nn.functional.rms_norm(x, D, weight),
        x=normal(*shape, mean=1.0), weight=normal(*D),
    )  # fmt: skip
    add(f"rms_norm {at} eps 0.01", lambda lib, x, D=D: lib.nn.functional.rms_norm(x, D, eps=0.01), x=normal(*shape, mean=1.0))

for shape, G in [
    ((4, 6), 2), ((4, 6), 1), ((2, 4, 3), 2), ((2, 4, 3), 4), ((2, 6, 2, 2), 3), ((2, 4, 2, 1, 2), 2), ((1, 4, 3), 1),
]:  # fmt: skip
    at = f"{shape_name(shape)} in {G}"
    add(
        f"group_norm {at} affine",
        lambda lib, x, weight, bias, G=G: lib.nn.functional.group_norm(x, G, weight, bias),
        x=normal(*shape, mean=1.0), weight=normal(shape[1]), bias=normal(shape[1]),
    )  # fmt: skip
    add(f"group_norm {at}", lambda lib, x, G=G: lib.nn.functional.group_norm(x, G, eps=0.01), x=normal(*shape, mean=1.0))

for shape in [(2, 3, 5), (2, 3, 2, 3), (2, 3, 2, 1, 2)]:
    at = f"{len(shape)}-D"
    add(f"instance_norm {at}", lambda lib, x: lib.nn.functional.instance_norm(x), x=normal(*shape, mean=1.0))
    add(
        f"instance_norm {at} affine",
        lambda lib, x, weight, bias: lib.nn.functional.instance_norm(x, weight=weight, bias=bias, eps=0.01),
        x=normal(*shape, mean=1.0), weight=normal(3), bias=normal(3),
    )  # fmt: skip
    for use_input_stats in (True, False):

        def compute(lib, x, running_mean, running_var, weight, bias, use=use_input_stats):
            y = lib.nn.functional.instance_norm(x, running_mean, running_var, weight, bias, use, 0.3)
            return {"y": y, "running_mean": running_mean, "running_var": running_var}

        add(
            f"instance_norm {at} {'updates' if use_input_stats else 'by'} running statistics",
            compute,
            x=normal(*shape), weight=normal(3), bias=normal(3),
            running_mean=constant(normal(3)), running_var=constant(uniform(3)),
        )  # fmt: skip
