"""The shapes of the arguments: the layout of x, from which those of the others follow by their kinds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import prod

from .kinds import CELL, has_word

# Features that a layer makes of its input's. With the shapes of x below, no two counts of elements that a mean may be taken
# over are equal. Otherwise a mean over the wrong axes could have the right factor. A larger layer costs more evaluations.
OUTPUTS = 4
LAYERS = {"": OUTPUTS, "second_": 7, "third_": 5, "fourth_": 3, "fifth_": 8}  # of a network
CLASSES = {"output_weight": 7} | {f"{title}weight": n for title, n in [*LAYERS.items()][::-1]}


@dataclass(frozen=True)
class Layout:
    """The shape of x, from which the shapes of the other arguments follow."""

    x: tuple[int, ...]
    features: int
    convolved: str = ""  # for x of a convolution: "first" or "last", where its channels are; "line", "plane": without
    samples: int = 0  # where they are not on the first axis
    columns: bool = False  # whether x has its features on the first axis, so that a layer is w @ x
    one_output: bool = False  # whether a network is tried with one output first
    outputs: int = 0  # of a layer; 0: OUTPUTS
    ones: int = 0  # columns of 1 that forward puts beside x: the biases are rows of the weights
    numbers: bool = False  # whether parameters may be numbers, beside x of one dimension
    sizes: tuple[int, ...] = ()  # of the arrays that a function reads from its file

    def shapes(self, kind: str, function: str, kinds: set[str]) -> list[tuple[int, ...]]:
        """Return the shapes that an argument of this kind may have beside arguments of these kinds, the likeliest first."""
        n, f, out = self.samples or self.x[0], self.features, self.outputs or OUTPUTS
        if not self.convolved:
            out *= 4 if has_word(function, "lstm") else 3 if has_word(function, "gru") else 1
        if kind == "any" and not self.sizes:  # the checker does not know the name
            return [self.x, (f,), (out,), *self._matrices(out, function, kinds), (n,), (1, f)]
        if self.sizes and (kind == "hidden" or kind.startswith("any")):
            return [shape for size in self.sizes for shape in _shapes_with(size)]
        special: dict[str, list[tuple[int, ...]]] = {}
        if CELL & kinds:
            special = self._of_a_cell(out, kinds)
            special |= {f"part_{kind}": shape for kind, shape in self._of_a_cell(OUTPUTS, kinds).items()}
        if "second_weight" in kinds and not self.convolved:
            special |= self._of_a_network([title for title in LAYERS if f"{title}weight" in kinds or not title])
        return special.get(kind) or self._usual(out, function, kinds)[kind]

    def _matrices(self, out: int, function: str, kinds: set[str]) -> list[tuple[int, ...]]:
        n, f, row = self.samples or self.x[0], self.features + self.ones, prod(self.x[1:])
        found = [(f, out), (row, out), (out, f), (out, row), (out, n), (f, f), (f,), self.x]
        of_loss = self.one_output or "target" in kinds
        found += [()] if self.numbers or (of_loss and len(self.x) == 1) else [(f, 1)] if of_loss else []  # y = w * x + b
        if of_loss and "second_weight" not in kinds:
            found.sort(key=lambda shape: len(shape) > 1)  # logistic regression's vector: with a matrix, len(y) is not y.size
        return found

    def _usual(self, out: int, function: str, kinds: set[str]) -> dict[str, list[tuple[int, ...]]]:
        """Return the shapes of each kind of argument in a layer that is neither a cell nor a network."""
        n, f = self.samples or self.x[0], self.features
        kernels: dict[str, list[tuple[int, ...]]] = {
            "first": [
                (out, f, 3, 3),
                (f, out, 3, 3),
                (f, 3, 3),
                (f, 1, 3, 3),
                (3, 3),
            ],  # usual, transposed, of one channel each
            "last": [(3, 3, f, out), (out, 3, 3, f), (3, 3, f), (3, 3)],
            "line": [(out, f, 3), (f, out, 3), (f, 3)],
            "plane": [(3, 3)],
        }
        in_time = [(3, f, out)] if len(self.x) == 3 and has_word(function, "conv") else []
        words = [(12, 9)] if "index" in kinds else []  # a vocabulary of 12 words; an index is less than 9
        of_output: list[tuple[int, ...]] = [(out,), (1, out)]
        of_rows = [(n,), (n, 1)] if len(self.x) == 2 and n > 1 else []  # x has its features in rows
        whole = [self.x] if "weight" in kinds else [self.x, (f, out), (n,)]
        alone = self.one_output or self.numbers or "target" in kinds
        number: list[tuple[int, ...]] = [(), (1,)] if alone else []  # of one output
        ones = [1] * len(self.x[2:])  # x of more than two dimensions has its channels on axis 1
        of_axes = [self.x[:2]] if ones else []
        affine = [(f,), (1, f), (1, f, *ones), (f, *ones), (1, 1, 1, f), self.x[1:] or (f,), *of_rows, *of_axes]
        affine[1:1] = of_output if "weight" in kinds else []
        affine += [*([] if "weight" in kinds else of_output), *([] if self.x[1:] else [()])]  # a vector's is a number
        found: dict[str, list[tuple[int, ...]]] = {
            "x": [self.x],
            "hidden": [(n, OUTPUTS)],
            "weight": kernels.get(self.convolved, [*words, *in_time, *self._matrices(out, function, kinds)]),
            # (1, 1, 1, out): of a course's convolution; self.x: of a + b; without a weight, (f, out): of a @ b
            "bias": [(out,), *([(1, 1, 1, out)] if self.convolved else [(1, out), (out, 1)]), (f,), (1, f), *whole, *number],
            "square_weight": [(f, f)],
            "affine": affine,
            "mean": [*affine, self.x],  # of each element: a sampler's
            "variance": [*affine, self.x],
            "scale": [(), (1,), *affine],  # a number, or one for each feature
            "mask": [self.x, self.x[:-1]],
            "graph": [(n, n)],
            "index": [(n, 3), (n,)],
        }
        widths = [*LAYERS.items()]
        of_two = {f"{title}weight": (before, n) for (_, before), (title, n) in pairwise(widths)}
        of_two["output_weight"] = (OUTPUTS, 7)
        of_two |= {"gate_weight": (f, out), "recurrent": (OUTPUTS, out), "packed_weight": (f, 3 * f)}
        of_one = {f"{title}bias": n for title, n in widths[1:]} | {"output_bias": 7, "packed_bias": 3 * f}
        found |= {kind: self._matrix(*sizes) for kind, sizes in of_two.items()}
        return found | {kind: self._bias(size) for kind, size in of_one.items()}

    def _matrix(self, before: int, after: int) -> list[tuple[int, ...]]:
        """Return the shapes of a layer's matrix: it stands behind x in rows, and before x in columns."""
        before += self.ones
        return [(after, before)] if self.columns else [(before, after), (after, before)]

    def _bias(self, n: int) -> list[tuple[int, ...]]:
        if self.columns:
            return [(n, 1), (n,)] if len(self.x) > 1 else [(n,), (n, 1)]
        return [(n,), (1, n), (n, 1)]

    def _of_a_network(self, titles: list[str]) -> dict[str, list[tuple[int, ...]]]:
        """Return the shapes of the layers' parameters: all for x in rows, or all for x in columns; also for one output."""
        found: dict[str, list[tuple[int, ...]]] = {}
        widths_before = (self.features, *LAYERS.values())
        sizes = [*zip(widths_before, [LAYERS[title] for title in titles], strict=False)]
        for title, (before, after) in zip(titles, sizes, strict=True):
            last = [1, after] if self.one_output else [after, 1, self.features]  # as many as x has: of a residual block
            last = [self.outputs] if self.outputs else last
            widths = last if (before, after) == sizes[-1] else [after]
            found[f"{title}weight"] = [shape for n in widths for shape in self._matrix(before, n)]
            found[f"{title}weight"] += [sizes[0]] if title == "second_" else []  # maxout's stands beside the first
            found[f"{title}bias"] = [shape for n in widths for shape in self._bias(n)]
        return found

    def _of_a_cell(self, out: int, kinds: set[str]) -> dict[str, list[tuple[int, ...]]]:
        """Return the shapes of a recurrent cell's state and parameters. All are for x in rows, or all for x in columns."""
        n, f, h = self.samples or self.x[0], self.features, OUTPUTS
        one_matrix = [] if {"recurrent", "part_recurrent"} & kinds else self._matrix(f + h, out)[:1]  # for [h, x]
        words = [(12, 9)] if "index" in kinds else []
        return {
            "hidden": [(h,) if n == 1 and self.x[-1] != 1 else (h, n) if self.columns else (n, h)],
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
CONVOLVED_LINE, CONVOLVED_ALONE = Layout((2, 3, 7), 3, "line"), [Layout((5, 7, 3), 3, "last"), Layout((3, 5, 7), 3, "first")]
CONVOLVED_SQUARE = [Layout((2, 3, 5, 5), 3, "first"), Layout((3, 5, 5), 3, "first")]  # where height and width are swapped
WITH_ONES = [Layout((6, 9), 9, ones=1), Layout((9, 6), 9, samples=6, columns=True, ones=1)]
TURNED = Layout((6, 9), 9, samples=6, columns=True)  # of a network that begins with X.T
PLANE = Layout((5, 7), 7, "plane")  # of an image without channels
# Of a recurrent layer: time on the first axis; features on the first axis, then samples, and time on the last; samples first.
IN_COLUMNS = Layout((9, 6), 9, samples=6, columns=True)
CELLS = [Layout((3, 6, 9), 9, samples=6), Layout((9, 6, 3), 9, samples=6, columns=True), Layout((6, 9, 3), 9), IN_COLUMNS]
# Of one sample.
ALONE, SEQUENCES = Layout((6,), 6, samples=1, columns=True), [Layout((3, 9), 9, samples=1, columns=c) for c in (True, False)]
WORDS = Layout((7, 1), 7, samples=1, columns=True)  # one-hot, as many as are told apart: the output has as many classes
COLUMN = Layout((6, 1), 6, samples=1, columns=True)
HEADS = Layout((2, 3, 6), 6)  # of attention, whose features are shared out among two heads or three
ONE_IMAGE, ONE_ROW, ONE_COLUMN = [Layout((4, 6, 3), 3), Layout((3, 4, 6), 3)], Layout((1, 6), 6), Layout((6, 1), 1)
ONE_PLANE = Layout((4, 6), 6)
POOLED = [Layout((2, 3, 4, 6), 3, "first"), CONVOLVED[0], Layout((2, 4, 6, 3), 3, "last")]


def _shapes_with(size: int) -> list[tuple[int, ...]]:
    """Return the shapes of x, or of a state, with so many features: one column, several rows, one vector ..."""
    return [(size, 1), (6, size), (size,), (size, 6), (1, size)]


def layouts_with(sizes: list[int]) -> list[Layout]:
    """Return the layouts of x beside arrays whose axes have these lengths."""
    return [Layout(shape, size, sizes=tuple(sizes)) for size in sizes for shape in _shapes_with(size)]


def layouts(function: str, kinds: set[str]) -> list[Layout]:
    """Return the layouts that x may have in a function called so, the likeliest first."""
    if has_word(function, "conv"):
        return [*CONVOLVED, CONVOLVED_LINE, *CONVOLVED_ALONE, *CONVOLVED_SQUARE, PLANE, STEPS, ROWS]
    if has_word(function, "pool"):
        return [*POOLED, IMAGES, *ONE_IMAGE, ONE_PLANE]
    if has_word(function, "flatten"):  # of x of two dimensions, what is flattened has its shape again
        return [IMAGES, STEPS]
    if {"square_weight", "packed_weight"} & kinds or has_word(function, "attention", "attn", "head"):
        return [ROWS, STEPS, HEADS]
    if CELL & kinds and "indices" in kinds:
        return [WORDS]
    if CELL & kinds:
        one_step = has_word(function, "step", "cell")
        return [ROWS, CELLS[-1], ALONE, STEPS] if one_step else [STEPS, *CELLS, ROWS, ALONE, *SEQUENCES]
    if "second_weight" in kinds and not has_word(function, "spatial"):
        return [ROWS, IN_COLUMNS, LINE, ALONE, COLUMN, STEPS, *CONVOLVED]
    first = [STEPS] if has_word(function, "temporal", "sequence") else [IMAGES] if has_word(function, "spatial", "2d") else []
    columns = [IN_COLUMNS] if {"weight", "target"} <= kinds else []  # as a course's logistic regression
    last = [*columns, *CONVOLVED, COLUMN] if "weight" in kinds else [ONE_ROW, ONE_COLUMN] if "target" in kinds else POOLED
    return list(dict.fromkeys([*first, ROWS, IMAGES, STEPS, LINE, *last]))
