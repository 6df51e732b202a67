"""Make functions of statements: a forward, a backward and the loss of a loop that trains."""

from __future__ import annotations

import ast
import linecache
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import numpy as np

from ..functions.about import About, known_of
from ..functions.kinds import PARAMETERS, REGULARISED, SAMPLES, kind_of
from ..read.packed import size_named
from ..read.read_code import title
from ..run_code import SHOWN_CHARACTERS
from .scope import Scope
from .statements import free_in, read_by, set_by, written_by

WEIGHTS = ("weight", "second_weight", "third_weight", "fourth_weight", "fifth_weight")  # of the layers, in their order
BIASES = tuple(kind.replace("weight", "bias") for kind in WEIGHTS)
MUCH = 2000  # elements of an array of the file, in whose shape it is drawn


@dataclass
class Apart:
    """Forward and backward as functions of their own."""

    forward: Callable
    backward: Callable
    losses: dict[str, Callable]  # that of the loop
    penalised: bool  # whether it has a term beside that of the data
    penalties: tuple[str, ...] = ()  # the factors of such terms that backward takes
    made: Callable[[], Iterable[dict[str, np.ndarray]]] = (
        tuple  # gives the parameters as the function makes them, for some data
    )


def functions_of(
    chosen: list[tuple[ast.stmt, bool]],
    gradients: dict[str, str],
    targets: set[str],
    rates: set[str],
    scope: Scope,
    moving: set[str],
) -> Apart | None:
    """Return forward and backward of these statements; None where no output, or no target, is seen."""
    front, back = ([item for item, behind in chosen if behind is b] for b in (False, True))
    made = dict.fromkeys(n for item in front for n in sorted(written_by(item)))
    handed = [n for n in made if n in free_in(back)]
    output, learned = _output(back, [n for n in handed if n in moving]), [*gradients.values()]
    free = [n for n in free_in(front) if scope.is_free(n)]
    taken = [n for n in free_in(back) if n not in made and n not in rates and (scope.is_free(n) or n in targets)]
    asked = [n for n in taken if n in targets]
    if not output or len(asked) != 1 or not {*learned} & {*free}:
        return None
    fixed = _fixed(scope, free, taken, learned)
    free, handed = [n for n in free if n not in fixed], [*(n for n in fixed if n in taken), *handed]
    kept = "".join(f"{n}, " for n in handed if n != output)
    numbers = [f"{n} = {x}" for n, x in fixed.items()]
    forward = _compiled("forward", free, [*numbers, *map(ast.unparse, front)], [output, *[f"({kept})"] * bool(kept)], scope)
    known_of(forward, _about(front, free, learned, asked[0], scope))
    said = "prediction" if output in REGULARISED else output  # l2, of the second layer
    target = asked[0] if kind_of(asked[0]) == "target" else "targets"
    changed = [n for n in handed if any(n in written_by(item) - set_by(item) for item in back)]  # p[range(n), y] -= 1
    lines = [f"({kept}) = cache"] * bool(kept)
    lines += [f"{n} = {n}.copy() if hasattr({n}, 'copy') else {n}" for n in changed]
    lines += [f"{n} = 1.0" for n in sorted(rates)]
    lines += [f"{name} = {other}" for name, other in ((asked[0], target), (output, said)) if name != other]
    counts = {*scope.given} - {*fixed, *targets, *learned}
    classes = [n for n in taken if n in counts and size_named(n) == "classes" and not kind_of(n)]
    lines += [f"{n} = {said}.shape[-1]" for n in classes]
    rest = [n for n in taken if n not in (*fixed, *classes, asked[0])]
    arguments = [target, *rest, said, *["cache"] * bool(kept)]
    found = f"{{{', '.join(f'{gradient!r}: {gradient}' for gradient in gradients)}}}"
    backward = _compiled("backward", arguments, [*lines, *map(ast.unparse, back)], [found], scope)
    return Apart(forward, backward, {}, False, tuple(n for n in rest if n in scope.penalties))


def _about(front: list[ast.stmt], free: list[str], learned: list[str], target: str, scope: Scope) -> About:
    """Return what is known of a forward; small arrays of a file give their shapes to those that are drawn."""
    text = "; ".join(map(ast.unparse, front))
    lines = text if len(text) < SHOWN_CHARACTERS else f"what {scope.name} computes before it takes {target}"
    there = {n: np.asarray(scope.known[n]) for n in free if scope.whole and n in scope.known}
    small = len(there) == len(free) and all(x.dtype.kind in "fiu" and x.size <= MUCH for x in there.values())
    return About(lines, _order(learned, front), tuple(n for n in free if n not in learned), there if small else {})


def _fixed(scope: Scope, free: list[str], taken: list[str], learned: list[str]) -> dict[str, str]:
    """Return the numbers that are no inputs, as they are written: those with a default, and the number of samples."""
    data = [n for n in free if n not in learned and n.lower() not in SAMPLES]
    numbers = [n for n, x in scope.given.items() if isinstance(x, int | float) and n not in scope.penalties]
    fixed = {n: repr(scope.given[n]) for n in numbers if n in (*free, *taken)}
    counts = [n for n in (*free, *taken) if n in {*scope.given} - {*learned} and n.lower() in SAMPLES]
    return fixed | {n: f"len({data[0]})" for n in counts if data}


def loss_of(lines: list[ast.stmt], cost: str, targets: set[str], scope: Scope) -> Callable:
    """Return the loss that a loop computes, as a function of the output, the targets, and all that there is."""
    taken = [n for n in free_in(lines) if scope.is_free(n)]
    function = _compiled("loss", taken, [*map(ast.unparse, lines)], [cost], scope)

    def loss(_: Any, y: Any, __: Any, given: dict[str, Any]) -> Any:
        found = {n: y if n in targets else given.get(n, scope.given.get(n)) for n in taken}
        return np.reshape(function(**found), ())[()]

    return loss


def _order(learned: list[str], front: list[ast.stmt]) -> dict[str, str]:
    """Return the kinds of parameters whose names do not tell their layers apart, in the order in which forward takes them."""
    kinds = [kind_of(name) for name in learned]
    if len({*kinds}) == len(kinds) and {*kinds} <= {*PARAMETERS}:
        return {}
    sums = [n for item in front for n in ast.walk(item) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)]
    added = {side.id for n in sums for side in (n.left, n.right) if isinstance(side, ast.Name)}
    order = [name for name in free_in(front) if name in learned]
    weights, biases = [n for n in order if n not in added], [n for n in order if n in added]
    return dict(zip([*weights, *biases], [*WEIGHTS[: len(weights)], *BIASES[: len(biases)]], strict=False))


def _output(back: list[ast.stmt], names: list[str]) -> str:
    """Return which of some names is what the network says: the first that backward subtracts something from, else reads."""
    differences = [
        node for item in back for node in ast.walk(item) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
    ]
    sides = [side for node in differences for side in (node.left, node.right)]
    found = [title(side) for side in sides if title(side) in names and _is_plain(side)]
    return next(iter([*found, *(n for item in back for n in reversed(names) if n in read_by(item))]), "")


def _is_plain(side: ast.expr) -> bool:
    return not any(isinstance(node, ast.BinOp | ast.Call) for node in ast.walk(side))


def _compiled(kind: str, arguments: list[str], lines: list[str], handed: list[str], scope: Scope) -> Any:
    """Return a function of these lines, in the file."""
    body = "\n".join([*lines, f"return {', '.join(handed)}"]).replace("\n", "\n    ")
    text = f"def {kind}({', '.join(arguments)}):\n    {body}\n"
    file = f"<{kind} of {scope.name} in {scope.known.get('__name__', '')}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    made: dict[str, Any] = {}
    exec(compile(text, file, "exec"), made)
    return FunctionType(made[kind].__code__, scope.known, kind)
