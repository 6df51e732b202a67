"""Draw the arguments of a layer's forward: in which shapes x may come, and what goes with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice, product
from typing import Any

import numpy as np

from ..functions.draw_inputs import draws_of
from ..functions.kinds import number_for
from ..functions.layouts import LINE, OUTPUTS, POOLED, Layout, layouts
from .attributes import arrays_in
from .draw_constructor import VOCABULARY, Setting

MOST = 64  # combinations of arguments for one object
SQUARE, SINGLE, COLUMN = Layout((2, 3, 8, 8), 3, "first"), Layout((1, 9), 9), Layout((9, 1), 9, samples=1, columns=True)
SIGNAL, PICTURE, PLAIN = Layout((2, 3, 9), 3, "first"), Layout((3, 8, 8), 3, "first"), Layout((8, 8), 8)
ATTENDED, NUMBER = Layout((3, 5, 6), 6), Layout((1,), 1)
COLUMNS = Layout((6, 9, 1), 9)  # one for each sample
SQUARE_LAST = Layout((2, 8, 8, 3), 3, "last")
MNIST = Layout((2, 1, 28, 28), 1, "first")
VOLUME = Layout((2, 2, 4, 4, 6), 2, "first")


def layouts_of(words: str, kinds: set[str]) -> list[Layout]:
    """Return the shapes that x may have in a class called so, the likeliest first."""
    found = [*([ATTENDED] if "heads" in kinds or "attention" in words else []), *layouts(words, kinds)]
    if "flatten" in words or ("2d" in words and "norm" not in words and "conv" not in words):
        found = [*POOLED, *found]  # smaller
    if "conv" in words or "pool" in words:
        found = [*([SIGNAL] if "1d" in words else []), *found, SQUARE, SQUARE_LAST, SIGNAL, PICTURE, PLAIN, MNIST]
    else:
        network = [SQUARE, MNIST] if "net" in words else []
        number = [NUMBER] if kinds == {"x", "target"} else []
        longer = [layout for layout in found if layout is not LINE]
        columns = [COLUMNS] if "in" in kinds else []
        found = [*longer, ATTENDED, SINGLE, COLUMN, LINE, *columns, *network, *number]
    return list(dict.fromkeys([VOLUME, *found] if "3d" in words else found))


def layouts_for(obj: Any) -> list[Layout]:
    """Return layouts that fit the parameters of an object whose sizes are not drawn."""
    shape = next((a.shape for _, a in arrays_in(obj)), ())
    if len(shape) == 2:
        n, m = shape
        shapes = (((6, n), n), ((6, m), m), ((n, 6), n), ((m, 6), m), ((1, n), n), ((m, 1), m))
        vectors = [Layout((size,), size) for size in (n, m)]
        return [layout for layout in (*(Layout(x, f) for x, f in shapes), *vectors) if layout.features > 1]
    if len(shape) == 4:
        return [Layout((2, shape[1], 8, 8), shape[1], "first"), Layout((2, 8, 8, shape[2]), shape[2], "last")]
    return [Layout((6, *shape), shape[0])] if len(shape) == 1 and shape[0] > 1 else []


def draw_arguments(
    taken: dict[str, str], around: Setting, targets: Callable[[], list], seed: int, whole: bool, words: bool
) -> Iterator[dict[str, Any]]:
    """Yield arguments for forward, of these kinds by name; x is of whole numbers if `whole`, a vector of them if `words`."""
    options: dict[str, list] = {}
    for kind in dict.fromkeys(taken.values()):
        if kind == "target":
            options[kind] = [*(around.draws("indices")[1:] if words else []), *targets()]  # a word behind each
        elif kind == "x":
            several = list(taken.values()).count("x") > 1
            options[kind] = around.draws("index", "index")[:1] if whole else _draws_of_x(several, around)
            options[kind] = around.draws("indices")[1:] if words else options[kind]
        elif kind not in ("number", "flag"):
            options[kind] = around.draws(kind)
    for choice in islice(product(*options.values()), MOST):
        chosen = dict(zip(options, choice, strict=True))
        found: dict[str, Any] = {}
        for k, (name, kind) in enumerate(taken.items()):
            if kind == "number":
                found[name] = number_for(name)
            elif kind == "flag":
                found[name] = not re.search("eval|test|infer|predict", name)
            else:
                turn = [n for n in taken if taken[n] == kind].index(name)
                in_turn = [turn] if getattr(chosen[kind], "func", None) is _in_turn else []
                found[name] = chosen[kind](np.random.default_rng([seed, k]), *in_turn)
        yield found


def _draws_of_x(several: bool, around: Setting) -> list[Callable]:
    found, layout = around.draws("x"), around.layout
    if several and len(layout.x) == 3:  # hs (N, T, H) and h (N, H), or a (N, T)
        n, t, h = layout.x
        found += [partial(_in_turn, two) for two in ([(n, t, h), (n, h)], [(n, t, h), (n, t)], [(n, h), (n, t, h)])]
    if several and len(layout.x) == 2:  # a @ b
        found += [partial(_in_turn, [layout.x, (layout.features, OUTPUTS)])]
    if "vocab" in around.kinds:
        found = [*around.draws("index", "index"), partial(_in_turn, [(layout.x[0], 2, VOCABULARY)]), *found]
    return found


def _in_turn(shapes: list[tuple[int, ...]], rng: np.random.Generator, number: int = 0) -> np.ndarray:
    """Draw the first, the second ... argument that is an x; the last shape is that of all others."""
    return rng.standard_normal(shapes[min(number, len(shapes) - 1)])


def draws_of_targets(sizes: list[Any], obj: Any, around: Setting, signs: bool) -> list[Callable]:
    """Return the ways to draw a target: for as many classes as the layer has outputs, by the sizes that it was given.

    It is 1 or -1 if `signs`.
    """
    layout, words = around.layout, around.words
    if signs:
        return [lambda rng, n=n: rng.choice([-1.0, 1.0], n) for n in (layout.x[:1], (layout.x[0], 1), layout.x)]
    last = next((a.shape for _, a in arrays_in(obj)[::-1]), ())
    if not sizes and not last:
        labels = [lambda rng: rng.integers(0, 2, layout.x)] if len(layout.x) == 1 else []
        labels += [lambda rng: rng.standard_normal(layout.x)] if "cosine" in words else []  # before rows whose length is 1
        usual = draws_of("target", layout, words, {"x"}, False)  # one-hot rows before rows of any zeros and ones
        return [*labels, *usual] if "cosine" in words else [*usual, *labels]
    if not sizes:
        sizes = [max(last) if len(last) == 1 or 1 in last else min(last)]
    classes = sizes[-1][-1] if isinstance(sizes[-1], list | tuple) else sizes[-1]
    shapes = [(layout.x[0], classes), *([(*layout.x[:-1], classes)] if len(layout.x) > 2 else [])]
    shapes += [(classes,)] if len(layout.x) == 1 else []
    shapes += [(layout.x[0], 3, classes)] if {"vocab", "words"} & around.kinds else []
    shapes += [(classes, layout.x[-1])] if len(layout.x) == 2 else []
    return [draw for shape in shapes for draw in draws_of("target", Layout(shape, shape[-1]), words, {"x"}, False)]
