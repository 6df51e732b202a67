"""Draw inputs for the user's forward: an argument's kind and the layout of x say which shapes and values it may have."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Container, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..read.by_use import takes_logarithms
from ..read.packed import LAYERS
from .kinds import COUNT, SETTINGS, has_word, number_for, plain
from .layouts import CLASSES, OUTPUTS, Layout, layouts

if TYPE_CHECKING:
    from .call_pair import Call

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
                number = "max" if plain(name) == "mode" and has_word(function, "pool") else number_for(name)
                inputs.append(number if kind == "number" else chosen[kind](rng))
            if _of_one_output(kinds, inputs):
                yield layout, inputs


def _of_one_output(kinds: list[str], inputs: list[Any]) -> bool:
    """Whether a loss has a number as its bias where its weight is a vector: NumPy adds any other shape too."""
    ranks = {kind: np.ndim(x) for kind, x in zip(kinds, inputs, strict=True)}
    both = "target" in ranks and "second_weight" not in ranks and {"weight", "bias"} <= set(ranks)
    return not both or ranks["weight"] > 1 or ranks["bias"] == 0


def values_of(call: Call) -> tuple[bool, bool]:
    """Whether the values of x are first between 0 and 1, then of both signs; or the other way round."""
    probable = "target" in call.kinds and takes_logarithms(call.pair.forward)
    return probable, not probable


class Sampler:
    """An object whose methods give a word's number, as those of a data set do: the same ones in each call of forward."""

    def __init__(self) -> None:
        self.given = 0

    def __getattr__(self, name: str) -> Callable:
        if name.startswith("__") or hasattr(np.ndarray, name):  # it is no array
            raise AttributeError(name)
        return self._next

    def _next(self, *_: Any) -> int:
        self.given += 1
        return self.given % 3

    def __str__(self) -> str:
        return "an object"

    __repr__ = __str__


class Randoms:
    """A random generator, with the methods of old ones and of new ones, that draws the same numbers in each run of a check."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np.random, name) if hasattr(np.random, name) else getattr(np.random.default_rng(), name)

    def __repr__(self) -> str:
        return "a random generator"


def draws_of(kind: str, layout: Layout, function: str, kinds: set[str], unit: bool) -> list[Draw]:
    """Return the ways to draw an argument of a kind, the likeliest first; `unit` for values of x between 0 and 1."""
    x = layout.x
    # The classes of a loss are the columns of its last weight, where it has one.
    classes = next((n for last, n in CLASSES.items() if last in kinds), x[-1])
    no_arrays: dict[str, list[Draw]] = {
        "settings": [lambda rng: dict(SETTINGS)],
        "shape": [lambda rng: x[1:]],
        "rolled": [lambda rng: np.zeros(1)],  # all parameters as one vector; it grows until it fits
        "sizes": [lambda rng: (layout.features, OUTPUTS, classes)],
        "one index": [lambda rng: 2],
        "pair of sizes": [lambda rng: (2, 2)],
        "indices": [lambda rng: (rng.permutation(5) % 3).tolist(), lambda rng: rng.permutation(5) % 3],  # below any size
        "nothing": [lambda rng: None],
        "object": [lambda rng: Sampler()],
        "random": [lambda rng: Randoms()],
        "function": [lambda rng: lambda z: z],  # activation of a layer whose backward begins behind it
        "target": _targets(layout, function, kinds, classes, unit),
    }
    if kind in no_arrays:
        return no_arrays[kind]
    if kind.endswith(" numbers"):
        return [lambda rng: tuple(rng.uniform(0.5, 1.5, int(kind.split()[0])).tolist())]
    if kind.startswith("size of "):
        lengths = {"rows": x[0], "features": layout.features, "hidden": OUTPUTS, "classes": classes}
        return [lambda rng: lengths[kind.removeprefix("size of ")]]
    if kind.startswith("shaped "):  # as it is in its file; so small that no tanh is 1
        shape = tuple(map(int, kind.split()[1:]))
        return [lambda rng: np.asarray(rng.standard_normal(shape) / np.sqrt(max(shape, default=1)))]
    if kind.startswith("one of "):  # words that the code compares the argument with
        return [lambda rng, word=word: word for word in kind.removeprefix("one of ").split(" | ")]  # type: ignore[misc]
    if kind.startswith("layers with "):  # described by a dict each: their activations, and sizes that forward does not need
        keys = kind.removeprefix("layers with ").split(" | ")
        words = [*["relu"] * (LAYERS - 1), "sigmoid"]
        return [lambda rng: [{key: word if "act" in key else OUTPUTS for key in keys} for word in words]]
    # Distances on both sides of a margin; of a triplet, the differences of two of them.
    scale = 0.7 if has_word(function, "triplet") else 0.2 if has_word(function, "contrastive", "siamese") else 2
    values: dict[str, Callable] = {
        "x": lambda rng, s: np.asarray(rng.uniform(0.1, 0.9, s) if unit else scale * rng.standard_normal(s) + scale / 4),
        "affine": lambda rng, s: rng.choice([-1.0, 1.0], s) * rng.uniform(0.5, 1.5, s),  # of both signs, not close to 0
        "scale": lambda rng, s: np.asarray(rng.uniform(0.1, 0.9, s)),
        "variance": lambda rng, s: rng.uniform(0.5, 2.0, s),
        "index": lambda rng, s: rng.integers(0, x[0] if "x" in kinds else 9, s),
        "graph": lambda rng, s: sum(m + m.T for m in [rng.random(s)]),  # most are undirected, and no vertex is alone
        "mask": lambda rng, s: rng.random(s) < 0.6 if s else np.True_,  # nothing would be checked with False
    }
    if kind.startswith("any"):
        arrays = [partial(values["x"], s=shape) for shape in dict.fromkeys(layout.shapes("any", function, kinds))]
        return [lambda rng: 2, *arrays] if COUNT.search(kind) else [*arrays, lambda rng: 0.7, lambda rng: 2]
    number = [lambda rng: 2] if kind == "index" else []  # a word, of several
    size = 0.3 if "second_weight" in kinds else 1  # or a sigmoid behind two layers is 1 to eight digits
    draw = values.get(kind, lambda rng, s: np.asarray(size * rng.standard_normal(s)))
    shapes = dict.fromkeys(layout.shapes(kind, function, kinds))
    return [*(lambda rng, s=shape: np.asarray(draw(rng, s)) for shape in shapes), *number]  # a number has a gradient too


def _targets(layout: Layout, function: str, kinds: set[str], classes: int, unit: bool) -> list[Draw]:
    """Return the ways to draw targets: class numbers, one-hot rows, zeros and ones, or real numbers."""
    x, rows, scores = layout.x, layout.x[:-1], (*layout.x[:-1], classes)
    columns = (classes, layout.samples) if layout.columns and "second_weight" in kinds else ()  # of a network
    two = has_word(function, "binary", "bce", "logistic", "sigmoid", "focal", "hinge", "contrastive", "siamese")
    return [
        *([lambda rng: rng.standard_normal((*rows, 1))] if layout.one_output else []),
        *([lambda rng: rng.integers(0, 2, columns).astype(float)] if columns else []),
        *([lambda rng: rng.integers(0, 2, rows), lambda rng: rng.integers(0, 2, scores).astype(float)] if two else []),
        lambda rng: rng.integers(0, classes, rows),
        *([lambda rng: rng.integers(0, 2, scores).astype(float)] if unit else []),
        lambda rng: np.eye(classes)[rng.integers(0, classes, rows)],
        lambda rng: rng.standard_normal(scores),
        lambda rng: rng.integers(0, layout.features, x[0]),
        *([lambda rng: rng.integers(0, classes, x[-1])] if "weight" in kinds else []),  # x has its samples in columns
        *([lambda rng: np.eye(classes)[rng.integers(0, classes, x[-1])].T] if layout.columns and "weight" in kinds else []),
        lambda rng: rng.integers(0, 2, (*rows, 1)).astype(float),
    ]
