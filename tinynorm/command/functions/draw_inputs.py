"""Draw inputs for the user's forward: the name of an argument says what it is, its kind says which shapes and values it has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

# ---- what an argument is -----------------------------------------------------------------------------------------------

NAMES = {
    "x": "x inp input inputs a z h u v q k data features scores logits score logit act acts image images img feat pred preds "
    "prediction predictions y_pred ypred y_hat yhat y_prob probs query key value x_batch xb x_train x_dev "
    "a_prev prev_a aprev x_prev output out xt x_t xs al p_hat signal vec vector arr array tensor sequence",
    "hidden": "prev_h h_prev hprev prev_c c_prev cprev h0 c0 a0 s0 h_0 c_0 a_0 hidden prev_hidden hidden_prev h_init state "
    "prev_state state_prev s_prev prev_s hidden_state cell_state prev_cell h_t_1 h_tm1 hx cx",
    "weight": "w weight weights wx w_x wxh w_xh wax wih w_ih w_i2h theta kernel kernels filter filters w_embed embedding "
    "wxi wxf wxo wxg wxc wxz wxr wxn wix wfx wox wgx wcx wzx wrx wnx w_xi w_xf w_xo w_xg w_xc w_xz w_xr w_xn",
    "output_weight": "wya w_ya why w_hy wy w_y who",
    "output_bias": "by b_y",
    "gate_weight": "wf wi wc wo wg wu wz wr w_f w_i w_c w_o w_g w_u w_z w_r",
    "second_weight": "w2 weight2 w_2 theta2",
    "third_weight": "w3 weight3 w_3",
    "recurrent": "wh w_h whh w_hh waa w_aa w_h2h whi whf whg whc whz whr whn wfh woh wgh wch wzh wrh wnh w_hi w_hf w_hg w_hc "
    "w_hz w_hr w_hn uf ui uc uo ug uu uz ur uh u_f u_i u_c u_o u_g u_z u_r u_h",
    "bias": "offset intercept "
    "b bias biases bh b_h ba b_a bx b_x bf bi bc bo bg bu bz br bn b_f b_i b_c b_o b_g b_u b_z b_r b_n bih bhh "
    "b_ih b_hh bir biz bin bhr bhz bhn brx brh bzx bzh bnx bnh bq bk bv",
    "second_bias": "b2 bias2 b_2",
    "third_bias": "b3 bias3 b_3",
    "affine": "gamma beta scale shift g gain gains",
    "square_weight": "wq wk wv w_q w_k w_v",
    "packed_weight": "wqkv w_qkv qkv_w qkv_weight c_attn c_attn_w",
    "packed_bias": "bqkv b_qkv qkv_b qkv_bias c_attn_b",
    "mean": "running_mean moving_mean mean mu",
    "variance": "running_var moving_var running_variance moving_variance var variance",
    "target": "y t target targets label labels y_true ytrue truth gt ground_truth y_batch yb y_train y_dev "
    "y_onehot y_one_hot onehot one_hot",
    "mask": "mask",
    "index": "idx index indices ids tokens token words",
    "shape": "normalized_shape",
}
KIND = {name: kind for kind, names in NAMES.items() for name in names.split()}
PARAMETERS = (*(kind for kind in NAMES if kind.endswith(("weight", "bias"))), "recurrent", "affine")
CONSTANT = ("mean", "variance", "target", "mask", "index")  # kinds that need no gradient: backward may return None for them
PROBABILITIES = {"p", "prob", "probs", "y_pred", "ypred", "y_hat", "yhat", "pred", "preds", "predictions", "output"}
NUMBERS: dict[str, Any] = {
    **dict.fromkeys(("eps", "epsilon"), 1e-5),
    **dict.fromkeys(("G", "num_groups", "groups", "n_groups", "stride", "pool_size", "pool_height", "pool_width", "f"), 2),
    **dict.fromkeys(("pad", "padding", "seed"), 1),
    # Neither 0 nor 1: a forgotten factor or term shows.
    **dict.fromkeys(("reg", "lambd", "lambda_", "lam", "lamda", "lmbda", "l2", "l2_reg", "reg_strength", "weight_decay"), 0.7),
    **dict.fromkeys(("margin", "delta", "temperature", "threshold"), 0.7),
    **dict.fromkeys(("alpha", "slope", "negative_slope"), 0.1),
    **dict.fromkeys(("p", "rate", "prob", "keep_prob", "drop_prob", "p_drop", "dropout", "drop_rate", "dropout_rate"), 0.4),
    **dict.fromkeys(
        ("dropout_ratio", "drop_ratio", "ratio", "dropout_p", "dropout_prob", "p_dropout", "keep_rate", "keep", "keepprob"), 0.4
    ),
    **dict.fromkeys(("num_heads", "n_heads", "heads", "n_head", "nhead"), 3),
    **dict.fromkeys(("train_flg", "train_flag", "is_train", "train_mode"), True),
    **dict.fromkeys(("axis", "dim"), -1),
    **dict.fromkeys(("training", "train", "is_training"), True),
    **dict.fromkeys(("activation", "nonlinearity"), "relu"),
    **dict.fromkeys(("kernel_shape", "pool_shape", "window_shape"), (2, 2)),
    "momentum": 0.9,
    "mode": "train",
    "kernel_size": 3,
}
LEARNED = ("alpha", "slope", "negative_slope", "temperature", "margin", "delta")  # numbers that may have a gradient
ELSE = {"max": "avg", "mean": "sum", "sum": "mean"}  # the other word, where the code has an `else` for it
IN_SETTINGS = "mode eps momentum p seed stride pad padding f pool_height pool_width pool_size kernel_size keep_prob num_groups"
SETTINGS = {name: NUMBERS[name] for name in IN_SETTINGS.split()}  # the dict bn_param, conv_param ...


LINEAR = ("affine", "linear", "conv", "dense", "fc")  # whose weight is a matrix, also before a batch norm


def other_number(default: float) -> float:
    """Return a number to try in place of a default: a factor of 1, or a term of 0, that is forgotten shows with it only."""
    return 0.7 * default or 0.3


def kind_of(name: str, function: str = "") -> str:
    """Return the kind of an argument of a function called so; "" for an unknown name."""
    low = _plain(name)
    if name in NUMBERS or low in NUMBERS:
        return "number"
    if low.endswith(("param", "params", "config", "parameters")):
        return "settings"
    if low.endswith(("_mask", "_ids", "_idx", "_index", "_indices")):
        return "mask" if low.endswith("mask") else "index"
    shorter = (low, low.rstrip("0123456789").rstrip("_"), re.sub("_(f|b|fwd|bwd|forward|backward)$", "", low))  # h0_b, Wx_fwd
    kind = next((KIND[short] for short in shorter if short in KIND), "")
    if kind in ("weight", "bias") and _has(function, "norm", "bn", "ln", "gn") and not _has(function, *LINEAR):
        return "affine"
    if kind in ("mean", "variance") and _has(
        function, "loss", "kl", "nll", "gauss", "elbo", "vae"
    ):  # of a variational autoencoder, one for each row
        return "x"
    return "index" if kind == "x" and _has(function, "embed") else kind


def kinds_of(names: list[str], function: str = "") -> list[str]:
    """Return the kinds of all arguments of a function. What one is may depend on the others."""
    kinds, low = {name: kind_of(name, function) for name in names}, {_plain(name): name for name in names}
    if _has(function, "cofi", "collab", "rating"):  # which ratings there are
        kinds |= {low[name]: "mask" for name in "r" if name in low}
    targets = [name for name, kind in kinds.items() if kind == "target"]
    if "x" not in kinds.values() and targets:  # cross_entropy(y, p)
        kinds |= {low[name]: "x" for name in PROBABILITIES if kinds.get(low.get(name, "")) == "number"}
    alone = len(targets) == 1 and set(kinds.values()) <= {"target", "number"}
    if alone or (len(targets) > 1 and "x" not in kinds.values()):  # y and t: y is what the network says
        kinds[low.get("y", targets[0])] = "x"
    if {"square_weight", "packed_weight"} & set(kinds.values()):  # Wo is attention's, not that of a gate
        kinds |= {low[name]: "square_weight" for name in ("wo", "w_o", "wout", "w_out", "wproj", "w_proj") if name in low}
    if {"wxo", "w_xo"} & set(low):  # of an output gate
        kinds |= {low[name]: "recurrent" for name in ("who", "w_ho") if name in low}
    if {"wh", "uh"} <= set(low):  # of a GRU whose matrices for x are W, and U those for h
        kinds[low["wh"]] = "gate_weight"
    if not {"recurrent", "gate_weight", "hidden"} & set(kinds.values()) and not _has(function, *RECURRENT):
        others = {"q", "k", "query", "key", "s", "u"} & set(low)
        alone = len(kinds) > 1 and not others  # then v is a matrix, mostly
        return [f"any {name}" if alone and _plain(name) in ("v", "value") else kind for name, kind in kinds.items()]
    here = {"h": "hidden", "a_prev": "hidden", "c": "hidden", "s": "hidden", "u": "recurrent", "v": "output_weight"}
    if {"u", "w", "v"} <= set(low):
        here |= {"u": "weight", "w": "recurrent", "c": "output_bias"}
    kinds |= {low[name]: kind for name, kind in here.items() if name in low}
    found = list(kinds.values())
    if "recurrent" in found:  # Wf is for x only, beside Uf for h
        found = ["weight" if kind == "gate_weight" else kind for kind in found]
    if "gate_weight" in found or found.count("weight") > 1:  # a matrix for each gate
        found = [f"part_{kind}" if kind in ("weight", "recurrent", "bias") else kind for kind in found]
    return found


def _plain(name: str) -> str:
    return name.rsplit(".", 1)[-1].lower().strip("_")  # w of layers[0].W


def _has(function: str, *words: str) -> bool:
    """Whether a function's name contains one of these words (a word of two letters must stand alone, as in bn_forward)."""
    parts = function.lower().split("_")
    return any(word in parts if len(word) < 3 else word in function.lower() for word in words)


RECURRENT = ("rnn", "lstm", "gru", "recurrent")
CELL = {"hidden", "recurrent", "gate_weight", "part_weight", "part_recurrent"}  # the kinds that show a recurrent cell


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
    samples: int = 0  # where they are not on the first axis
    columns: bool = False  # whether x has its features on the first axis, so that a layer is w @ x
    one_output: bool = False  # whether a network is tried with one output first
    outputs: int = 0  # of a layer; 0: OUTPUTS

    def shapes(self, kind: str, function: str, kinds: set[str]) -> list[tuple[int, ...]]:
        """Return the shapes that an argument of this kind may have beside arguments of these kinds, the likeliest first."""
        n, f, out = self.samples or self.x[0], self.features, self.outputs or OUTPUTS
        if not self.convolved:
            out *= 4 if _has(function, "lstm") else 3 if _has(function, "gru") else 1
        if kind == "any":  # the checker does not know the name
            return [self.x, (f,), (out,), *self._matrices(out, function, kinds), (n,), (1, f)]
        special: dict[str, list[tuple[int, ...]]] = {}
        if CELL & kinds:
            special = self._of_a_cell(out, kinds)
            special |= {f"part_{kind}": shape for kind, shape in self._of_a_cell(OUTPUTS, kinds).items()}
        if "second_weight" in kinds and not self.convolved:
            special |= self._of_a_network("third_weight" in kinds)
        return special.get(kind) or self._usual(out, function, kinds)[kind]

    def _matrices(self, out: int, function: str, kinds: set[str]) -> list[tuple[int, ...]]:
        n, f, row = self.samples or self.x[0], self.features, prod(self.x[1:])
        found = [(f, out), (row, out), (out, f), (out, row), (out, n), (f, f), (f,), self.x]
        found += [()] if len(self.x) == 1 and "target" in kinds else []  # y = w * x + b
        if "target" in kinds and "second_weight" not in kinds:
            found.sort(key=lambda shape: len(shape) > 1)  # logistic regression's vector: with a matrix, len(y) is not y.size
        return found

    def _usual(self, out: int, function: str, kinds: set[str]) -> dict[str, list[tuple[int, ...]]]:
        """Return the shapes of each kind of argument in a layer that is neither a cell nor a network."""
        n, f = self.samples or self.x[0], self.features
        kernels: dict[str, list[tuple[int, ...]]] = {
            "first": [(out, f, 3, 3), (f, out, 3, 3), (f, 3, 3), (f, 1, 3, 3)],  # usual, transposed, of one channel each
            "last": [(3, 3, f, out), (out, 3, 3, f), (3, 3, f)],
            "line": [(out, f, 3), (f, out, 3), (f, 3)],
        }
        in_time = [(3, f, out)] if len(self.x) == 3 and _has(function, "conv") else []
        words = [(12, 9)] if "index" in kinds else []  # a vocabulary of 12 words; an index is less than 9
        of_output: list[tuple[int, ...]] = [(out,), (1, out)]
        of_rows = [(n,), (n, 1)] if len(self.x) == 2 and n > 1 else []  # x has its features in rows
        whole = [self.x] if "weight" in kinds else [self.x, (f, out), (n,)]
        number: list[tuple[int, ...]] = [()] if "target" in kinds else []  # the bias of one output of a loss
        ones = [1] * len(self.x[2:])  # x of more than two dimensions has its channels on axis 1
        of_axes = [self.x[:2]] if ones else []
        affine = [(f,), (1, f), (1, f, *ones), (f, *ones), (1, 1, 1, f), self.x[1:] or (f,), *of_rows, *of_axes]
        affine[1:1] = of_output if "weight" in kinds else []
        affine += [] if "weight" in kinds else of_output
        return {
            "x": [self.x],
            "hidden": [(n, OUTPUTS)],
            "weight": kernels.get(self.convolved, [*words, *in_time, *self._matrices(out, function, kinds)]),
            "second_weight": self._matrix(OUTPUTS, 7),
            "recurrent": self._matrix(OUTPUTS, out),
            # (1, 1, 1, out): of a course's convolution; self.x: of a + b; without a weight, (f, out): of a @ b
            "bias": [(out,), *([(1, 1, 1, out)] if self.convolved else [(1, out), (out, 1)]), (f,), *whole, *number],
            "third_weight": self._matrix(7, 5),
            "square_weight": [(f, f)],
            "packed_weight": self._matrix(f, 3 * f),
            "packed_bias": self._bias(3 * f),
            "output_weight": self._matrix(OUTPUTS, 7),
            "output_bias": self._bias(7),
            "gate_weight": self._matrix(f, out),
            "second_bias": self._bias(7),
            "third_bias": self._bias(5),
            "affine": affine,
            "mean": [*affine, self.x],  # of each element: a sampler's
            "variance": [*affine, self.x],
            "scale": [(), (1,), *affine],  # a number, or one for each feature
            "mask": [self.x, self.x[:-1]],
            "index": [(n, 3), (n,)],
        }

    def _matrix(self, before: int, after: int) -> list[tuple[int, ...]]:
        """Return the shapes of a layer's matrix: it stands behind x in rows, and before x in columns."""
        return [(after, before)] if self.columns else [(before, after), (after, before)]

    def _bias(self, n: int) -> list[tuple[int, ...]]:
        if self.columns:
            return [(n, 1), (n,)] if len(self.x) > 1 else [(n,), (n, 1)]
        return [(n,), (1, n), (n, 1)]

    def _of_a_network(self, third: bool) -> dict[str, list[tuple[int, ...]]]:
        """Return the shapes of the layers' parameters: all for x in rows, or all for x in columns; also for one output."""
        found: dict[str, list[tuple[int, ...]]] = {}
        sizes = [(self.features, OUTPUTS), (OUTPUTS, 7), (7, 5)][: 3 if third else 2]
        for title, (before, after) in zip(("", "second_", "third_"), sizes, strict=False):
            last = [1, after] if self.one_output else [after, 1, self.features]  # as many as x has: of a residual block
            widths = last if (before, after) == sizes[-1] else [after]
            maxout: list[tuple[int, ...]] = (
                [sizes[0]] if title == "second_" else []
            )  # its second matrix stands beside the first
            found[f"{title}weight"] = [shape for n in widths for shape in self._matrix(before, n)] + maxout
            found[f"{title}bias"] = [shape for n in widths for shape in self._bias(n)]
        return found

    def _of_a_cell(self, out: int, kinds: set[str]) -> dict[str, list[tuple[int, ...]]]:
        """Return the shapes of a recurrent cell's state and parameters. All are for x in rows, or all for x in columns."""
        n, f, h = self.samples or self.x[0], self.features, OUTPUTS
        one_matrix = [] if {"recurrent", "part_recurrent"} & kinds else self._matrix(f + h, out)[:1]  # for [h, x]
        words = [(12, 9)] if "index" in kinds else []
        return {
            "hidden": [(h,) if n == 1 else (h, n) if self.columns else (n, h)],
            "weight": [*one_matrix, *self._matrix(f, out), *words],
            "recurrent": self._matrix(h, out),
            "gate_weight": self._matrix(f + h, h),
            "bias": self._bias(out),
            "output_weight": self._matrix(h, 7),
            "output_bias": self._bias(7),
        }


ROWS, IMAGES, STEPS, LINE = Layout((6, 9), 9), Layout((6, 8, 3, 5), 8), Layout((6, 3, 9), 9), Layout((6,), 6)
# Convolutions are slow, so x is small. With stride 2 and padding 1 their outputs have whole numbers of rows and columns.
CONVOLVED = [Layout((2, 3, 5, 7), 3, "first"), Layout((2, 5, 7, 3), 3, "last")]
CONVOLVED_LINE = Layout((2, 3, 7), 3, "line")
# Of a recurrent layer: time on the first axis; features on the first axis, then samples, and time on the last; one sample.
IN_COLUMNS = Layout((9, 6), 9, samples=6, columns=True)
CELLS = [Layout((3, 6, 9), 9, samples=6), Layout((9, 6, 3), 9, samples=6, columns=True), IN_COLUMNS]
# Of one sample.
ALONE, SEQUENCES = Layout((6,), 6, samples=1, columns=True), [Layout((3, 9), 9, samples=1, columns=c) for c in (True, False)]
COLUMN = Layout((6, 1), 6, samples=1, columns=True)
HEADS = Layout((2, 3, 6), 6)  # of attention, whose features are shared out among two heads or three
ONE_IMAGE, ONE_COLUMN = [Layout((4, 6, 3), 3), Layout((3, 4, 6), 3)], Layout((6, 1), 1)
POOLED = [Layout((2, 3, 4, 6), 3, "first"), CONVOLVED[0], Layout((2, 4, 6, 3), 3, "last")]


def layouts(function: str, kinds: set[str]) -> list[Layout]:
    """Return the layouts that x may have in a function called so, the likeliest first."""
    if _has(function, "conv"):
        return [*CONVOLVED, CONVOLVED_LINE, STEPS, ROWS]
    if _has(function, "pool"):
        return [*POOLED, IMAGES, *ONE_IMAGE]
    if _has(function, "flatten"):  # of x of two dimensions, what is flattened has its shape again
        return [IMAGES, STEPS]
    if {"square_weight", "packed_weight"} & kinds or _has(function, "attention", "attn", "head"):
        return [ROWS, STEPS, HEADS]
    if CELL & kinds:
        return [ROWS, CELLS[-1], ALONE, STEPS] if _has(function, "step", "cell") else [STEPS, *CELLS, ROWS, ALONE, *SEQUENCES]
    if "second_weight" in kinds and not _has(function, "spatial"):
        return [ROWS, IN_COLUMNS, LINE, ALONE, COLUMN, *CONVOLVED]
    first = [STEPS] if _has(function, "temporal", "sequence") else [IMAGES] if _has(function, "spatial", "2d") else []
    last = CONVOLVED if "weight" in kinds else [ONE_COLUMN] if "target" in kinds else POOLED
    return list(dict.fromkeys([*first, ROWS, IMAGES, STEPS, LINE, *last]))


# ---- its values --------------------------------------------------------------------------------------------------------

# Combinations of shapes that are tried for each layout. A layer with three kinds of parameters has about 400 combinations, and
# one of the last may be right. With more kinds there are thousands, and a forward that refuses them all would take minutes.
COMBINATIONS = 512

Draw = Callable[[np.random.Generator], Any]


def candidates(
    names: list[str],
    kinds: list[str],
    function: str,
    seed: int,
    only: list[Layout] | None = None,
    skipped: Container[Layout] = (),
    unit: bool = False,
) -> Iterator[tuple[Layout, list[Any]]]:
    """Yield inputs in one combination of shapes after the other, the likeliest first. Arguments of one kind have one shape.

    The values of x are between 0 and 1 if `unit`, for logarithms; else they have both signs. `skipped` may grow meanwhile.
    """
    for layout in only or layouts(function, set(kinds)):
        draws = {kind: draws_of(kind, layout, function, set(kinds), unit) for kind in kinds if kind != "number"}
        for choice in itertools.islice(itertools.product(*draws.values()), COMBINATIONS):
            if layout in skipped:
                break
            chosen, inputs = dict(zip(draws, choice, strict=True)), list[Any]()
            for k, (name, kind) in enumerate(zip(names, kinds, strict=True)):
                rng = np.random.default_rng([seed, k])
                inputs.append(_number(name, function) if kind == "number" else chosen[kind](rng))
            if _of_one_output(kinds, inputs):
                yield layout, inputs


def _of_one_output(kinds: list[str], inputs: list[Any]) -> bool:
    """Whether a loss has a number as its bias where its weight is a vector: NumPy adds any other shape too."""
    ranks = {kind: np.ndim(x) for kind, x in zip(kinds, inputs, strict=True)}
    both = "target" in ranks and "second_weight" not in ranks and {"weight", "bias"} <= set(ranks)
    return not both or ranks["weight"] > 1 or ranks["bias"] == 0


def values_of(names: list[str], function: str) -> tuple[bool, bool]:
    """Whether the values of x are first between 0 and 1, then of both signs; or the other way round."""
    probable = _has(function, "cross_entropy", "bce", "nll") and any(_plain(name) in PROBABILITIES for name in names)
    return probable, not probable


def _number(name: str, function: str) -> Any:
    if _plain(name) == "mode" and _has(function, "pool"):
        return "max"
    return NUMBERS[name if name in NUMBERS else _plain(name)]


def draws_of(kind: str, layout: Layout, function: str, kinds: set[str], unit: bool) -> list[Draw]:
    """Return the ways to draw an argument of a kind, the likeliest first; `unit` for values of x between 0 and 1."""
    x, rows, classes = layout.x, layout.x[:-1], layout.x[-1]
    # The classes of a loss are the columns of its last weight, where it has one.
    classes = next((n for last, n in CLASSES.items() if last in kinds), classes)
    scores = (*rows, classes)
    if kind == "settings":
        return [lambda rng: dict(SETTINGS)]
    if kind == "shape":
        return [lambda rng: x[1:]]
    if kind == "rolled":  # all parameters as one vector; it grows until it fits
        return [lambda rng: np.zeros(1)]
    if kind.startswith("size of "):
        length = {"rows": x[0], "features": layout.features, "hidden": OUTPUTS, "classes": classes}[
            kind.removeprefix("size of ")
        ]
        return [lambda rng: length]
    if kind == "function":  # activation of a layer whose backward begins behind it
        return [lambda rng: lambda z: z]
    if kind.startswith("one of "):  # words that the code compares the argument with
        return [lambda rng, word=word: word for word in kind.removeprefix("one of ").split(" | ")]  # type: ignore[misc]
    if kind == "target":
        two = _has(function, "binary", "bce", "logistic", "sigmoid", "focal", "hinge", "contrastive", "siamese")
        return [
            *([lambda rng: rng.integers(0, 2, rows), lambda rng: rng.integers(0, 2, scores).astype(float)] if two else []),
            lambda rng: rng.integers(0, classes, rows),
            *([lambda rng: rng.integers(0, 2, scores).astype(float)] if unit else []),
            lambda rng: np.eye(classes)[rng.integers(0, classes, rows)],
            lambda rng: rng.standard_normal(scores),
            lambda rng: rng.integers(0, layout.features, x[0]),
            *([lambda rng: rng.integers(0, classes, x[-1])] if "weight" in kinds else []),  # x has its samples in columns
            lambda rng: rng.integers(0, 2, (*rows, 1)).astype(float),
        ]
    scale = 0.2 if _has(function, "contrastive", "triplet", "siamese") else 2  # distances on both sides of a margin
    values: dict[str, Callable] = {
        "x": (lambda rng, s: rng.uniform(0.1, 0.9, s)) if unit else (lambda rng, s: scale * rng.standard_normal(s) + scale / 4),
        "affine": lambda rng, s: rng.choice([-1.0, 1.0], s) * rng.uniform(0.5, 1.5, s),  # of both signs, not close to 0
        "scale": lambda rng, s: np.asarray(rng.uniform(0.1, 0.9, s)),
        "variance": lambda rng, s: rng.uniform(0.5, 2.0, s),
        "index": lambda rng, s: rng.integers(0, x[0] if "x" in kinds else 9, s),
        "mask": lambda rng, s: rng.random(s) < 0.6,
    }
    if kind.startswith("any"):
        return [
            *(partial(values["x"], s=shape) for shape in dict.fromkeys(layout.shapes("any", function, kinds))),
            lambda rng: 0.7,
            lambda rng: 2,
        ]
    size = 0.3 if "second_weight" in kinds else 1  # or a sigmoid behind two layers is 1 to eight digits
    draw = values.get(kind, lambda rng, s: np.asarray(size * rng.standard_normal(s)))
    return [partial(draw, s=shape) for shape in dict.fromkeys(layout.shapes(kind, function, kinds))]
