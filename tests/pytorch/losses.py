"""Losses: each case written once, `lib` is torch, or tinynorm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from case import Cases, classes, constant, normal, probabilities, say, shape_name, uniform, values

CASES = Cases()
add = CASES.add

LOGITS = {1: (4,), 2: (5, 4), 3: (2, 4, 3), 4: (2, 4, 2, 2), 5: (2, 4, 1, 2, 2)}
OPTIONS: list[dict[str, Any]] = [{}, {"reduction": "sum"}, {"reduction": "none"}, {"label_smoothing": 0.1}]


def without_classes(shape: tuple[int, ...]) -> tuple[int, ...]:
    return () if len(shape) == 1 else (shape[0], *shape[2:])


def cross_entropy(options: dict[str, Any]) -> Callable[..., Any]:
    return lambda lib, x, target, weight=None: lib.nn.functional.cross_entropy(x, target, weight, **options)


for rank, shape in LOGITS.items():
    for options in OPTIONS:
        at, indices = f"{rank}-D{say(options)}", classes(4, *without_classes(shape))
        add(f"cross_entropy {at}", cross_entropy(options), x=normal(*shape), target=indices)
        add(f"cross_entropy {at} weight", cross_entropy(options), x=normal(*shape), target=indices, weight=constant(uniform(4)))
        add(f"cross_entropy probabilities {at}", cross_entropy(options), x=normal(*shape), target=probabilities(*shape))
for rank, shape in list(LOGITS.items())[1:4]:
    for options in ({"reduction": r, "label_smoothing": s} for r in ("mean", "sum", "none") for s in (0.0, 0.2)):
        for ignored in (-100, 2):
            add(
                f"cross_entropy {rank}-D ignores {ignored}{say(options)} weight",
                cross_entropy(options | {"ignore_index": ignored}),
                x=normal(*shape), target=classes(4, *without_classes(shape), ignored=ignored), weight=constant(uniform(4)),
            )  # fmt: skip
for options in ({"reduction": r, "label_smoothing": s} for r in ("mean", "sum", "none") for s in (0.0, 0.2)):
    add(
        f"cross_entropy probabilities weight{say(options)}",
        cross_entropy(options),
        x=normal(3, 4, 2), target=probabilities(3, 4, 2), weight=constant(uniform(4)),
    )  # fmt: skip
add("cross_entropy large logits", cross_entropy({}), x=values([1000.0, 0.0, -1000.0], [5.0, 900.0, 899.0]), target=values(1, 2))
for reduction in ("mean", "sum"):
    for name in ("cross_entropy", "nll_loss"):
        add(
            f"{name} every target ignored {reduction}",
            lambda lib, x, target, f=name, reduction=reduction: getattr(lib.nn.functional, f)(x, target, reduction=reduction),
            x=normal(2, 3), target=values(-100, -100),
        )  # fmt: skip

for rank, shape in LOGITS.items():
    for reduction in ("mean", "sum", "none"):
        for weighted in (False, True):
            ignored = -1 if rank > 1 else None
            add(
                f"nll_loss {rank}-D {reduction}{' weight' if weighted else ''}",
                lambda lib, x, target, weight=None, reduction=reduction: lib.nn.functional.nll_loss(
                    x, target, weight, ignore_index=-1, reduction=reduction
                ),
                x=normal(*shape), target=classes(4, *without_classes(shape), ignored=ignored),
                **({"weight": constant(uniform(4))} if weighted else {}),
            )  # fmt: skip
for shape in [(5,), (3, 4), (2, 3, 2)]:
    for reduction in ("mean", "sum", "none"):
        add(
            f"mse_loss {shape_name(shape)} {reduction}",
            lambda lib, x, target, reduction=reduction: lib.nn.functional.mse_loss(x, target, reduction=reduction),
            x=normal(*shape), target=normal(*shape),
        )  # fmt: skip
