"""Losses: each case written once, `lib` is torch, or tinynorm."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from case import Cases, Draw, classes, constant, normal, probabilities, say, shape_name, uniform, values

CASES = Cases()
add = CASES.add



def without_warnings(compute: Callable[[], Any]) -> Any:
    """What `compute` gives; it warns of something deprecated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return compute()


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

# ---- losses of pairs ---------------------------------------------------------------------------------------------------

PAIRS: dict[str, tuple[dict[str, Any], Draw, Draw]] = {  # the options, x and the target
    "l1_loss": ({}, normal(3, 4), normal(3, 4)),
    "smooth_l1_loss": ({}, normal(3, 4), normal(3, 4)),
    "smooth_l1_loss beta": ({"beta": 0.3}, normal(3, 4), normal(3, 4)),
    "smooth_l1_loss beta 0": ({"beta": 0.0}, normal(3, 4), normal(3, 4)),
    "huber_loss": ({}, normal(3, 4), normal(3, 4)),
    "huber_loss delta": ({"delta": 0.3}, normal(3, 4), normal(3, 4)),
    "kl_div": ({}, normal(3, 4, mean=-1.0), probabilities(3, 4)),
    "kl_div log_target": ({"log_target": True}, normal(3, 4, mean=-1.0), normal(3, 4, mean=-1.0)),
    "binary_cross_entropy": ({}, uniform(3, 4, low=0.01, high=0.99), uniform(3, 4, low=0.01, high=0.99)),
    "binary_cross_entropy_with_logits": ({}, normal(3, 4, std=3.0), uniform(3, 4, low=0.0, high=1.0)),
}


def of_pairs(name: str, options: dict[str, Any]) -> Callable[..., Any]:
    return lambda lib, x, target, **weights: getattr(lib.nn.functional, name)(x, target, **weights, **options)


for name, (options, x, target) in PAIRS.items():
    function = name.split()[0]
    for reduction in ("mean", "sum", "none") + (("batchmean",) if function == "kl_div" else ()):
        add(f"{name} {reduction}", of_pairs(function, options | {"reduction": reduction}), x=x, target=target)
    if function.startswith("binary"):
        for shape in [(4,), (3, 4)]:
            at = f"{name} weight {shape_name(shape)}"
            add(at, of_pairs(function, options), x=x, target=target, weight=constant(uniform(*shape)))
weights = {"weight": constant(uniform(3, 1)), "pos_weight": constant(uniform(4))}
with_logits = "binary_cross_entropy_with_logits"
add(f"{with_logits} pos_weight", of_pairs(with_logits, {}), x=normal(3, 4), target=uniform(3, 4, low=0.0, high=1.0), **weights)
certain, sides = values(0.0, 1.0, 0.0, 1.0, 0.0), values(-30.0, 30.0, 30.0, -30.0, 0.0)
add(f"{with_logits} large", of_pairs(with_logits, {"reduction": "none"}), x=sides, target=certain)
add("binary_cross_entropy at its ends", of_pairs("binary_cross_entropy", {"reduction": "none"}),
    x=constant(values(0.0, 1.0, 1.0, 0.0, 0.5)), target=constant(certain))  # fmt: skip
for name in ("l1_loss", "smooth_l1_loss", "huber_loss"):
    add(f"{name} of equals", of_pairs(name, {"reduction": "none"}), x=values(1.0, 2.0, 3.0), target=values(1.0, 1.0, 5.0))
add("kl_div of probability 0", of_pairs("kl_div", {"reduction": "batchmean"}),
    x=normal(2, 3), target=constant(values([0.0, 0.25, 0.75], [1.0, 0.0, 0.0])))  # fmt: skip

# ---- losses of margins, distances and likelihoods ------------------------------------------------------------------------

SIGNS = constant(Draw(lambda rng: rng.choice([-1.0, 1.0], (3, 4)).astype("float32")))
COUNTS = values([0.0, 1.0, 2.0, 3.0], [5.0, 0.0, 1.0, 8.0], [2.0, 2.0, 1.0, 0.0])
FURTHER: dict[str, tuple[dict[str, Any], Draw, Draw]] = {
    "hinge_embedding_loss": ({"margin": 0.7}, normal(3, 4), SIGNS),
    "soft_margin_loss": ({}, normal(3, 4), SIGNS),
    "multilabel_soft_margin_loss": ({}, normal(3, 4), uniform(3, 4, low=0.0, high=1.0)),
    "poisson_nll_loss": ({}, normal(3, 4), constant(COUNTS)),
    "poisson_nll_loss full": ({"full": True}, normal(3, 4), constant(COUNTS)),
    "poisson_nll_loss rate": ({"log_input": False, "eps": 0.01}, uniform(3, 4), normal(3, 4)),
}
for name, (options, x, target) in FURTHER.items():
    for reduction in ("mean", "sum", "none"):
        add(f"{name} {reduction}", of_pairs(name.split()[0], options | {"reduction": reduction}), x=x, target=target)
add("multilabel_soft_margin_loss weight", of_pairs("multilabel_soft_margin_loss", {}),
    x=normal(3, 4), target=uniform(3, 4, low=0.0, high=1.0), weight=constant(uniform(4)))  # fmt: skip
for reduction in ("mean", "sum", "none"):
    o = {"reduction": reduction}
    for swap in (False, True):
        add(
            f"triplet_margin_loss {reduction} swap {swap}",
            lambda lib, a, p, n, o=o | {"swap": swap, "p": 2 + swap}: lib.nn.functional.triplet_margin_loss(a, p, n, 0.6, **o),
            a=normal(5, 4), p=normal(5, 4), n=normal(5, 4),
        )  # fmt: skip
    add(
        f"cosine_embedding_loss {reduction}",
        lambda lib, x, y, t, o=o: lib.nn.functional.cosine_embedding_loss(x, y, t, margin=-0.2, **o),
        x=normal(6, 4), y=normal(6, 4), t=values(1, -1, -1, 1, -1, 0),
    )  # fmt: skip
    add(
        f"margin_ranking_loss {reduction}",
        lambda lib, x, y, t, o=o: lib.nn.functional.margin_ranking_loss(x, y, t, 0.3, **o),
        x=normal(6), y=normal(6), t=values(1, -1, -1, 1, -1, 1),
    )  # fmt: skip
    for full in (False, True):
        add(
            f"gaussian_nll_loss {reduction} full {full}",
            lambda lib, x, t, var, o=o, full=full: lib.nn.functional.gaussian_nll_loss(x, t, var, full=full, eps=0.8, **o),
            x=normal(3, 4), t=normal(3, 4), var=uniform(*((3, 4), (3,))[full]),
        )  # fmt: skip
OF_INTEGERS: dict[str, Callable[..., Any]] = {
    "triplet_margin_loss": lambda F, x, y, t: F.triplet_margin_loss(x, y, x - y),
    "cosine_embedding_loss": lambda F, x, y, t: F.cosine_embedding_loss(x, y, t[:, 0], 0.1),
    "margin_ranking_loss": lambda F, x, y, t: F.margin_ranking_loss(x, y, t, 2),
    "pairwise_distance": lambda F, x, y, t: F.pairwise_distance(x, y, 1),
    "poisson_nll_loss": lambda F, x, y, t: F.poisson_nll_loss(x, y, full=True, reduction="sum"),
}
for name, loss in OF_INTEGERS.items():
    add(
        f"{name} of integers",
        lambda lib, x, y, t, loss=loss: loss(lib.nn.functional, x, y, t),
        x=values([-4, 1, 3], [5, -2, 1]), y=values([1, 1, 0], [2, 4, 6]), t=values([1, -1, 1], [-1, -1, 1]),
    )  # fmt: skip
add("cosine_embedding_loss of one pair", lambda lib, x, y, t: lib.nn.functional.cosine_embedding_loss(x, y, t),
    x=normal(4), y=normal(4), t=Draw(lambda rng: rng.integers(1, 2, ()) * 1, differentiable=False))  # fmt: skip
add("cosine_embedding_loss of zeros", lambda lib, x, y, t: lib.nn.functional.cosine_embedding_loss(x, y, t, reduction="none"),
    x=values([0.0, 0.0], [0.0, 0.0]), y=normal(2, 2, std=100.0), t=values(1, 1))  # fmt: skip
for shape in ((1, 4, 2), (3, 1, 2), (3, 4, 1)):
    add(f"gaussian_nll_loss var {shape_name(shape)}", lambda lib, x, t, var: lib.nn.functional.gaussian_nll_loss(x, t, var),
        x=normal(3, 4, 2), t=normal(3, 4, 2), var=uniform(*shape))  # fmt: skip
add("gaussian_nll_loss number", lambda lib, x, t: lib.nn.functional.gaussian_nll_loss(x, t, lib.ones_like(x) * 0.5),
    x=normal(3, 4), t=normal(3, 4))  # fmt: skip

OLD: dict[str, Callable[..., Any]] = {  # size_average and reduce, by name and in their old places
    "cross_entropy size_average": lambda F, x, target: F.cross_entropy(x, target, None, False),
    "nll_loss reduce": lambda F, x, target: F.nll_loss(x, target, None, True, -100, False),
    "nll_loss size_average and reduce": lambda F, x, target: F.nll_loss(x, target, size_average=False, reduce=True),
}
for name, old in OLD.items():
    add(
        f"{name}, deprecated",
        lambda lib, x, target, old=old: without_warnings(lambda: old(lib.nn.functional, x, target)),
        x=normal(4, 3), target=classes(3, 4),
    )  # fmt: skip
