"""Inputs for somebody's forward, drawn from the names of its arguments."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

# Of drawn inputs. No two of the numbers that a mean may be taken over are equal, or a wrong axis would give the right result:
# N = 6, C = 8, H = 3, W = 5, G = 2, C/G = 4, H*W = 15, N*C = 48, C/G*H*W = 60, N*H*W = 90, C*H*W = 120, N*C*H*W = 720;
# in two and three dimensions D = 9, M = 4, T = 3, N*D = 54, N*T = 18, T*D = 27, N*T*D = 162. Groups are of four and more.
N, D, M, C, H, W = 6, 9, 4, 8, 3, 5
G, T, V, K = 2, 3, 12, 7  # groups, steps, words, and the width of a second layer
PICTURES, POOLED, F, KERNEL = (
    (2, 3, 5, 7),
    (2, 3, 4, 6),
    4,
    3,
)  # of convolutions, which are slow: with stride 2 they come out even

NAMES = {
    "x": "x inp input inputs a z h u v q k data features scores logits score logit act acts image images img feat pred preds "
    "prediction predictions y_pred ypred y_hat yhat y_prob probs query key value a_prev prev_a aprev x_prev output out",
    "hidden": "prev_h h_prev hprev prev_c c_prev cprev h0 c0 hidden prev_hidden",
    "weight": "w weight weights wx w_x wxh w_xh theta kernel kernels filter filters",
    "second_weight": "w2 weight2",
    "recurrent": "wh w_h whh w_hh",
    "bias": "b bias biases bh b_h",
    "second_bias": "b2 bias2",
    "affine": "gamma beta scale shift g",
    "mean": "running_mean moving_mean mean mu",
    "variance": "running_var moving_var running_variance moving_variance var variance",
    "target": "y t target targets label labels y_true ytrue truth gt ground_truth",
    "mask": "mask",
    "index": "idx index indices ids tokens token words",
    "shape": "normalized_shape",
}
KIND = {name: kind for kind, names in NAMES.items() for name in names.split()}
CONSTANT = ("mean", "variance", "target", "mask", "index")  # kinds that backward may leave out, or return None for
NUMBERS: dict[str, Any] = {
    **dict.fromkeys(("eps", "epsilon"), 1e-5),
    **dict.fromkeys(("num_groups", "groups", "n_groups", "stride", "pool_size", "pool_height", "pool_width", "f"), 2),
    **dict.fromkeys(("pad", "padding", "seed", "lam", "margin", "delta", "temperature"), 1),
    **dict.fromkeys(("alpha", "slope", "negative_slope"), 0.1),
    **dict.fromkeys(("p", "rate", "prob", "keep_prob", "drop_prob", "p_drop", "dropout", "drop_rate", "dropout_rate"), 0.4),
    **dict.fromkeys(("axis", "dim"), -1),
    **dict.fromkeys(("training", "train", "is_training"), True),
    **dict.fromkeys(("activation", "nonlinearity"), "relu"),
    "momentum": 0.9,
    "mode": "train",
    "kernel_size": 3,
}
SETTINGS = {"mode": "train", "eps": 1e-5, "momentum": 0.9, "p": 0.4, "seed": 1, "stride": 2, "pad": 1, "f": 2}
SETTINGS |= {"pool_height": 2, "pool_width": 2, "keep_prob": 0.4, "num_groups": G}


def kind_of(name: str, function: str = "") -> str:
    """What an argument of this name is, "" where it is not known."""
    low = name.lower().strip("_")
    if name == "G" or low in NUMBERS:
        return "number"
    if low.endswith(("param", "params", "config", "parameters")):
        return "settings"
    kind = KIND.get(low) or KIND.get(low.rstrip("0123456789").rstrip("_"), "")
    if kind in ("weight", "bias") and _has(function, "norm", "bn", "ln", "gn") and not _has(function, "affine", "linear"):
        return "affine"
    return "index" if kind == "x" and _has(function, "embed") else kind


def _has(function: str, *words: str) -> bool:
    """Whether one of these words is in a function's name (those of two letters: alone, as in bn_forward)."""
    parts = function.lower().split("_")
    return any(word in parts if len(word) < 3 else word in function.lower() for word in words)


@dataclass(frozen=True)
class Layout:
    """The shape of x; the shapes of the other arguments follow from it."""

    x: tuple[int, ...]
    features: int  # how many channels
    picture: str = ""  # "first", "last": of a convolution, where its channels are

    def shapes(self, kind: str, function: str, kinds: set[str]) -> list[tuple[int, ...]]:
        """Those that an argument of this kind may have, the likeliest first."""
        n, row, f = self.x[0], prod(self.x[1:]), self.features
        out = F if self.picture else 4 * M if _has(function, "lstm") else 3 * M if _has(function, "gru") else M
        if kind == "weight":
            if self.picture:
                return [(F, f, KERNEL, KERNEL) if self.picture == "first" else (KERNEL, KERNEL, f, F)]
            words = [(V, D)] if "index" in kinds else []
            return [*words, (f, out), (row, out), (out, f), (out, row), (out, n), (f,), self.x]
        if kind == "bias":
            return [(out,), (1, out), (out, 1), (1, 1, 1, out), (f,), self.x, (f, out)]  # the last two: of a + b, a @ b
        if kind in ("affine", "mean", "variance"):
            wide = [(out,), (1, out)] if kinds & {"weight"} else []
            ones = [1] * len(self.x[2:])  # where x has more than rows, its channels are on axis 1
            return [(f,), *wide, (1, f), (1, f, *ones), (f, *ones), (1, 1, 1, f), self.x[1:] or (f,)]
        options: dict[str, list[tuple[int, ...]]] = {
            "x": [self.x],
            "hidden": [(n, M)],
            "second_weight": [(M, K), (K, M)],
            "recurrent": [(M, out), (out, M)],
            "second_bias": [(K,), (1, K), (K, 1)],
            "target": [self.x[:-1], self.x, (n,)],
            "mask": [self.x, self.x[:-1]],
            "index": [(n, T), (n,)],
        }
        return options[kind]


ROWS, IMAGES, STEPS, LINE = Layout((N, D), D), Layout((N, C, H, W), C), Layout((N, T, D), D), Layout((N,), N)
CONVOLVED = [Layout(PICTURES, 3, "first"), Layout((2, 5, 7, 3), 3, "last")]
POOLING = [Layout(POOLED, 3, "first"), Layout(PICTURES, 3, "first"), Layout((2, 4, 6, 3), 3, "last")]


def layouts(function: str, kinds: set[str]) -> list[Layout]:
    """Those that x may have in a function of this name, the likeliest first."""
    if _has(function, "conv"):
        return [*CONVOLVED, STEPS, ROWS]
    if _has(function, "pool"):
        return [*POOLING, IMAGES]
    if "recurrent" in kinds and not _has(function, "step", "cell"):
        return [STEPS, ROWS]
    first = [STEPS] if _has(function, "temporal", "sequence") else [IMAGES] if _has(function, "spatial", "2d") else []
    return list(dict.fromkeys([*first, ROWS, IMAGES, STEPS, LINE, *(CONVOLVED if "weight" in kinds else POOLING)]))


def candidates(
    names: list[str], function: str, seed: int, over: list[Layout] | None = None
) -> Iterator[tuple[Layout, list[Any]]]:
    """Inputs in one combination of shapes after the other; arguments of one kind have the same shape.

    First numbers of both signs, and then all of them again between 0 and 1, for logarithms and the like.
    """
    kinds = {name: kind_of(name, function) for name in names}
    if "recurrent" in kinds.values():
        kinds |= {name: "hidden" for name in names if name.lower() in ("h", "a_prev")}
    for unit in (False, True):
        for layout in over or layouts(function, set(kinds.values())):
            options = {kind: list(_options(kind, layout, function, set(kinds.values()), unit)) for kind in set(kinds.values())}
            for choice in itertools.islice(itertools.product(*options.values()), 512):
                made = dict(zip(options, choice, strict=True))
                yield (
                    layout,
                    [made[kind](name, np.random.default_rng([seed, k])) for k, (name, kind) in enumerate(kinds.items())],
                )


Draw = Callable[[str, np.random.Generator], Any]


def _options(kind: str, layout: Layout, function: str, kinds: set[str], unit: bool) -> Iterator[Draw]:
    """What arguments of a kind may be: functions of their name and a generator."""
    if kind == "number":
        yield lambda name, rng: _number(name, function)
    elif kind == "settings":
        yield lambda name, rng: dict(SETTINGS)
    elif kind == "shape":
        yield lambda name, rng: layout.x[1:]
    elif kind == "target":
        yield from _targets(layout, kinds, unit)
    else:
        for shape in layout.shapes(kind, function, kinds):
            yield _numbers(kind, shape, unit)


def _number(name: str, function: str) -> Any:
    if name == "G":
        return G
    low = name.lower().strip("_")
    return "max" if low == "mode" and _has(function, "pool") else NUMBERS[low]


def _targets(layout: Layout, kinds: set[str], unit: bool) -> Iterator[Draw]:
    classes = layout.x[-1]
    yield lambda name, rng: rng.integers(0, classes, layout.x[:-1])
    if unit:
        yield lambda name, rng: rng.integers(0, 2, layout.x).astype(float)
    yield lambda name, rng: np.eye(classes)[rng.integers(0, classes, layout.x[:-1])]
    yield lambda name, rng: rng.standard_normal(layout.x)
    yield lambda name, rng: rng.integers(0, layout.features, layout.x[0])


def _numbers(kind: str, shape: tuple[int, ...], unit: bool) -> Draw:
    """Arrays of a shape, with the numbers that their kind has."""

    def draw(name: str, rng: np.random.Generator) -> np.ndarray:
        if kind == "x":
            return rng.uniform(0.1, 0.9, shape) if unit else 2 * rng.standard_normal(shape) + 0.5
        if kind == "affine":
            return rng.choice([-1.0, 1.0], shape) * rng.uniform(0.5, 1.5, shape)
        if kind == "variance":
            return rng.uniform(0.5, 2.0, shape)
        if kind == "index":
            return rng.integers(0, D, shape)
        return rng.random(shape) < 0.6 if kind == "mask" else rng.standard_normal(shape)

    return draw
