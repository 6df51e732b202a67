"""Draw inputs for the user's forward: the name of an argument says what it is, its kind says which shapes and values it has."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

# ---- what an argument is -----------------------------------------------------------------------------------------------

NAMES = {
    "x": "x inp input inputs a z h u v q k data features scores logits score logit act acts image images img feat pred preds "
    "prediction predictions y_pred ypred y_hat yhat y_prob probs query key value x_batch xb x_train x_dev "
    "a_prev prev_a aprev x_prev output out",
    "hidden": "prev_h h_prev hprev prev_c c_prev cprev h0 c0 hidden prev_hidden",
    "weight": "w weight weights wx w_x wxh w_xh theta kernel kernels filter filters",
    "second_weight": "w2 weight2 w_2 theta2",
    "third_weight": "w3 weight3 w_3",
    "recurrent": "wh w_h whh w_hh",
    "bias": "b bias biases bh b_h",
    "second_bias": "b2 bias2 b_2",
    "third_bias": "b3 bias3 b_3",
    "affine": "gamma beta scale shift g",
    "mean": "running_mean moving_mean mean mu",
    "variance": "running_var moving_var running_variance moving_variance var variance",
    "target": "y t target targets label labels y_true ytrue truth gt ground_truth y_batch yb y_train y_dev",
    "mask": "mask",
    "index": "idx index indices ids tokens token words",
    "shape": "normalized_shape",
}
KIND = {name: kind for kind, names in NAMES.items() for name in names.split()}
PARAMETERS = (*(kind for kind in NAMES if kind.endswith(("weight", "bias"))), "recurrent", "affine")
CONSTANT = ("mean", "variance", "target", "mask", "index")  # kinds that need no gradient: backward may return None for them
NUMBERS: dict[str, Any] = {
    **dict.fromkeys(("eps", "epsilon"), 1e-5),
    **dict.fromkeys(("G", "num_groups", "groups", "n_groups", "stride", "pool_size", "pool_height", "pool_width", "f"), 2),
    **dict.fromkeys(("pad", "padding", "seed"), 1),
    # Neither 0 nor 1: a forgotten factor or term shows.
    **dict.fromkeys(("reg", "lambd", "lambda_", "lam", "lamda", "lmbda", "l2", "l2_reg", "reg_strength", "weight_decay"), 0.7),
    **dict.fromkeys(("margin", "delta", "temperature"), 0.7),
    **dict.fromkeys(("alpha", "slope", "negative_slope"), 0.1),
    **dict.fromkeys(("p", "rate", "prob", "keep_prob", "drop_prob", "p_drop", "dropout", "drop_rate", "dropout_rate"), 0.4),
    **dict.fromkeys(("axis", "dim"), -1),
    **dict.fromkeys(("training", "train", "is_training"), True),
    **dict.fromkeys(("activation", "nonlinearity"), "relu"),
    "momentum": 0.9,
    "mode": "train",
    "kernel_size": 3,
}
IN_SETTINGS = "mode eps momentum p seed stride pad f pool_height pool_width keep_prob num_groups"
SETTINGS = {name: NUMBERS[name] for name in IN_SETTINGS.split()}  # the dict bn_param, conv_param ...


def kind_of(name: str, function: str = "") -> str:
    """Return the kind of an argument of a function called so; "" for an unknown name."""
    low = _plain(name)
    if name in NUMBERS or low in NUMBERS:
        return "number"
    if low.endswith(("param", "params", "config", "parameters")):
        return "settings"
    kind = KIND.get(low) or KIND.get(low.rstrip("0123456789").rstrip("_"), "")
    if kind in ("weight", "bias") and _has(function, "norm", "bn", "ln", "gn") and not _has(function, "affine", "linear"):
        return "affine"
    return "index" if kind == "x" and _has(function, "embed") else kind


def _plain(name: str) -> str:
    return name.lower().strip("_")


def _has(function: str, *words: str) -> bool:
    """Whether a function's name contains one of these words (a word of two letters must stand alone, as in bn_forward)."""
    parts = function.lower().split("_")
    return any(word in parts if len(word) < 3 else word in function.lower() for word in words)


# ---- its shapes --------------------------------------------------------------------------------------------------------

# Features that a layer makes of its input's. With the shapes of x below, no two counts of elements that a mean may be taken
# over are equal. Otherwise a mean over the wrong axes could have the right factor. A larger layer costs more evaluations.
OUTPUTS = 4
CLASSES = {"third_weight": 5, "second_weight": 7, "weight": OUTPUTS}


@dataclass(frozen=True)
class Layout:
    """The shape of x, from which the shapes of the other arguments follow."""

    x: tuple[int, ...]
    features: int
    convolved: str = ""  # for x of a convolution: the axis of its channels, "first" or "last"

    def shapes(self, kind: str, function: str, kinds: set[str]) -> list[tuple[int, ...]]:
        """Return the shapes that an argument of this kind may have beside arguments of these kinds, the likeliest first."""
        n, f, row = self.x[0], self.features, prod(self.x[1:])
        gates = 1 if self.convolved else 4 if _has(function, "lstm") else 3 if _has(function, "gru") else 1
        out = gates * OUTPUTS
        matrices = [(f, out), (row, out), (out, f), (out, row), (out, n), (f,), self.x]
        kernels = {"first": [(out, f, 3, 3)], "last": [(3, 3, f, out)]}
        words = [(12, 9)] if "index" in kinds else []  # a vocabulary of 12 words; an index is less than 9
        of_output = [(out,), (1, out)] if "weight" in kinds else []
        ones = [1] * len(self.x[2:])  # x of more than two dimensions has its channels on axis 1
        affine = [(f,), *of_output, (1, f), (1, f, *ones), (f, *ones), (1, 1, 1, f), self.x[1:] or (f,)]
        shapes: dict[str, list] = {
            "x": [self.x],
            "hidden": [(n, OUTPUTS)],
            "weight": kernels.get(self.convolved, [*words, *matrices]),
            "second_weight": [(OUTPUTS, 7), (7, OUTPUTS)],
            "recurrent": [(OUTPUTS, out), (out, OUTPUTS)],
            "bias": [(out,), (1, out), (out, 1), (1, 1, 1, out), (f,), self.x, (f, out)],  # the last two: of a + b, of a @ b
            "third_weight": [(7, 5), (5, 7)],
            "second_bias": [(7,), (1, 7), (7, 1)],
            "third_bias": [(5,), (1, 5), (5, 1)],
            **dict.fromkeys(("affine", "mean", "variance"), affine),
            "mask": [self.x, self.x[:-1]],
            "index": [(n, 3), (n,)],
        }
        return shapes[kind]


ROWS, IMAGES, STEPS, LINE = Layout((6, 9), 9), Layout((6, 8, 3, 5), 8), Layout((6, 3, 9), 9), Layout((6,), 6)
# Convolutions are slow, so x is small. With stride 2 and padding 1 their outputs have whole numbers of rows and columns.
CONVOLVED = [Layout((2, 3, 5, 7), 3, "first"), Layout((2, 5, 7, 3), 3, "last")]
POOLED = [Layout((2, 3, 4, 6), 3, "first"), CONVOLVED[0], Layout((2, 4, 6, 3), 3, "last")]


def layouts(function: str, kinds: set[str]) -> list[Layout]:
    """Return the layouts that x may have in a function called so, the likeliest first."""
    if _has(function, "conv"):
        return [*CONVOLVED, STEPS, ROWS]
    if _has(function, "pool"):
        return [*POOLED, IMAGES]
    if "recurrent" in kinds and not _has(function, "step", "cell"):
        return [STEPS, ROWS]
    first = [STEPS] if _has(function, "temporal", "sequence") else [IMAGES] if _has(function, "spatial", "2d") else []
    return list(dict.fromkeys([*first, ROWS, IMAGES, STEPS, LINE, *(CONVOLVED if "weight" in kinds else POOLED)]))


# ---- its values --------------------------------------------------------------------------------------------------------

# Combinations of shapes that are tried for each layout. A layer with three kinds of parameters has about 400 combinations, and
# one of the last may be right. With more kinds there are thousands, and a forward that refuses them all would take minutes.
COMBINATIONS = 512

Draw = Callable[[np.random.Generator], Any]


def candidates(
    names: list[str], function: str, seed: int, only: list[Layout] | None = None
) -> Iterator[tuple[Layout, list[Any]]]:
    """Yield inputs in one combination of shapes after the other, the likeliest first. Arguments of one kind have one shape.

    The values have both signs at first. Then all combinations come again with values of x between 0 and 1, for logarithms.
    """
    kinds = [kind_of(name, function) for name in names]
    if "recurrent" in kinds:
        kinds = ["hidden" if name.lower() in ("h", "a_prev") else kind for name, kind in zip(names, kinds, strict=True)]
    for unit in (False, True):
        for layout in only or layouts(function, set(kinds)):
            draws = {kind: _draws(kind, layout, function, set(kinds), unit) for kind in kinds if kind != "number"}
            for choice in itertools.islice(itertools.product(*draws.values()), COMBINATIONS):
                chosen, inputs = dict(zip(draws, choice, strict=True)), []
                for k, (name, kind) in enumerate(zip(names, kinds, strict=True)):
                    rng = np.random.default_rng([seed, k])
                    inputs.append(_number(name, function) if kind == "number" else chosen[kind](rng))
                yield layout, inputs


def _number(name: str, function: str) -> Any:
    if _plain(name) == "mode" and _has(function, "pool"):
        return "max"
    return NUMBERS[name if name in NUMBERS else _plain(name)]


def _draws(kind: str, layout: Layout, function: str, kinds: set[str], unit: bool) -> list[Draw]:
    """Return the ways to draw an argument of a kind, the likeliest first; `unit` for values of x between 0 and 1."""
    x, rows, classes = layout.x, layout.x[:-1], layout.x[-1]
    # The classes of a loss are the columns of its last weight, where it has one.
    classes = next((n for last, n in CLASSES.items() if last in kinds), classes)
    scores = (*rows, classes)
    if kind == "settings":
        return [lambda rng: dict(SETTINGS)]
    if kind == "shape":
        return [lambda rng: x[1:]]
    if kind == "target":
        two = _has(function, "binary", "bce", "logistic", "sigmoid")
        return [
            *([lambda rng: rng.integers(0, 2, rows), lambda rng: rng.integers(0, 2, scores).astype(float)] if two else []),
            lambda rng: rng.integers(0, classes, rows),
            *([lambda rng: rng.integers(0, 2, scores).astype(float)] if unit else []),
            lambda rng: np.eye(classes)[rng.integers(0, classes, rows)],
            lambda rng: rng.standard_normal(scores),
            lambda rng: rng.integers(0, layout.features, x[0]),
            *([lambda rng: rng.integers(0, classes, x[-1])] if "weight" in kinds else []),  # x has its samples in columns
        ]
    values: dict[str, Callable] = {
        "x": (lambda rng, s: rng.uniform(0.1, 0.9, s)) if unit else (lambda rng, s: 2 * rng.standard_normal(s) + 0.5),
        "affine": lambda rng, s: rng.choice([-1.0, 1.0], s) * rng.uniform(0.5, 1.5, s),  # of both signs, not close to 0
        "variance": lambda rng, s: rng.uniform(0.5, 2.0, s),
        "index": lambda rng, s: rng.integers(0, 9, s),
        "mask": lambda rng, s: rng.random(s) < 0.6,
    }
    draw = values.get(kind, lambda rng, s: rng.standard_normal(s))
    return [partial(draw, s=shape) for shape in layout.shapes(kind, function, kinds)]
