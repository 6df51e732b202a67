"""A network whose forward, backward and step stand in one loop, or in one function that trains: they are taken apart.

What depends on the targets is backward, what that needs before is forward, and a gradient is what is subtracted from a
parameter, without the learning rate. The first round of the loop is taken, as it stands.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import re
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from ..load.load_file import module_name
from ..read.read_code import code_of, inside, parameters, parsed, title
from ..run_code import SHOWN_CHARACTERS
from .find_losses import COST
from .kinds import OF_TARGETS, PARAMETERS, RATES, REGULARISED, SAMPLES, kind_of

OTHERS = (ast.FunctionDef, ast.ClassDef)
BLOCKS = (ast.For, ast.While, ast.With, ast.If, ast.Try)
KEPT = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, *BLOCKS)
WEIGHTS = ("weight", "second_weight", "third_weight", "fourth_weight", "fifth_weight")  # of the layers, in their order
BIASES = tuple(kind.replace("weight", "bias") for kind in WEIGHTS)
SQUARE = re.compile(r"(\w+) \*\* 2|np\.square\((\w+)\)|np\.power\((\w+), 2\)|(\w+) \* \4")
MUCH = 2000  # elements of an array of the file, in whose shape it is drawn


@dataclass
class Apart:
    """Forward and backward as functions of their own."""

    forward: Callable
    backward: Callable
    losses: dict[str, Callable]  # that of the loop
    penalised: bool  # whether it has a term beside that of the data


@dataclass
class _Step:
    """A statement that subtracts a gradient from a parameter, or adds it: W -= lr * dW, W = W - lr * dW."""

    name: str
    value: ast.expr
    added: bool


def _step(statement: ast.stmt) -> _Step | None:
    if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Sub | ast.Add):
        target, whole = statement.target, isinstance(getattr(statement.target, "slice", None), ast.Slice)
        known = target.value if isinstance(target, ast.Subscript) and whole else target
        return _Step(known.id, statement.value, isinstance(statement.op, ast.Add)) if isinstance(known, ast.Name) else None
    value = statement.value if isinstance(statement, ast.Assign) else None
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Sub | ast.Add) or not isinstance(value.left, ast.Name):
        return None
    same = ast.unparse(statement.targets[0]).removesuffix("[:]") == value.left.id  # type: ignore[attr-defined]
    return _Step(value.left.id, value.right, isinstance(value.op, ast.Add)) if same else None


def _reads(node: ast.AST) -> set[str]:
    found = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Store)}
    return found | {title(n.target) for n in ast.walk(node) if isinstance(n, ast.AugAssign)}


def _writes(node: ast.AST) -> set[str]:
    """Return the names that a statement sets, or may change: an entry, the owner of a method, what NumPy is handed."""
    changed: list[ast.AST] = [n for n in ast.walk(node) if isinstance(getattr(n, "ctx", None), ast.Store)]
    for call in [n.value for n in ast.walk(node) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Call)]:
        if isinstance(call.func, ast.Attribute):
            changed += call.args if title(call.func) in ("np", "numpy") else [call.func.value]
    return {n.id for part in changed for n in ast.walk(part) if isinstance(n, ast.Name)}


def _sets(statement: ast.stmt) -> set[str]:
    """Return the names that a statement sets anew."""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {e.id for target in targets for e in getattr(target, "elts", [target]) if isinstance(e, ast.Name)}


def _learned(body: list[ast.stmt]) -> set[str]:
    """Return the names from which something is subtracted, or to which it is added, after they were read.

    A loop that sets a name anew sums something up in it, or counts.
    """
    found, read = set[str](), set[str]()
    for outer in body:
        inside = [node for node in ast.walk(outer) if isinstance(node, ast.stmt) and not isinstance(node, OTHERS)]
        plain = sorted((node for node in inside if not isinstance(node, BLOCKS)), key=lambda node: node.lineno)
        anew = (
            {n for node in plain if not _step(node) for n in _sets(node)} if isinstance(outer, ast.For | ast.While) else set()
        )
        for node in plain:
            step = _step(node)
            found |= ({step.name} & (read | _reads(step.value))) - anew if step else set()
            read |= _reads(node) - {step.name if step else ""}
    return found


def _first_round(body: list[ast.stmt], learned: set[str]) -> Iterator[ast.stmt]:
    """Yield the statements that run until the parameters are changed once; tuples are taken apart."""
    for statement in body:
        steps = any(
            step and step.name in learned for step in map(_step, (n for n in ast.walk(statement) if isinstance(n, ast.stmt)))
        )
        if isinstance(statement, BLOCKS) and steps:
            if isinstance(statement, ast.For):
                yield from _assigned(statement.target, statement.iter, True)
            yield from _first_round(statement.body, learned)
        elif isinstance(statement, ast.Assign):
            yield from _assigned(statement.targets[0], statement.value, False)
        elif isinstance(statement, KEPT):
            yield statement


def _assigned(target: ast.expr, value: ast.expr, first: bool) -> Iterator[ast.stmt]:
    """Yield assignments of a value, or of its first element, to a target: each of a tuple alone."""
    called = ast.unparse(value.func) if first and isinstance(value, ast.Call) else ""
    values = getattr(value, "args" if called == "zip" else "elts", [])
    if called == "enumerate" and isinstance(target, ast.Tuple) and isinstance(value, ast.Call):
        yield from _assigned(target.elts[0], ast.Constant(0), False)
        yield from _assigned(target.elts[1], value.args[0], True)
    elif isinstance(target, ast.Tuple) and len(target.elts) == len(values):
        for one, part in zip(target.elts, values, strict=True):
            yield from _assigned(one, part, first)
    elif called == "range" and isinstance(value, ast.Call):
        yield from _assigned(target, value.args[0] if len(value.args) > 1 else ast.Constant(0), False)
    else:
        text = ast.unparse(value)
        yield ast.parse(f"{ast.unparse(target)} = {f'next(iter({text}))' if first else text}").body[0]


def _factors(value: ast.expr, known: dict[str, ast.expr]) -> Iterator[ast.expr]:
    """Yield the numbers, names and elements that a product begins with, those of a name by what it was set to."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult | ast.MatMult | ast.Div):
        yield from _factors(value.left, known)
        yield from () if isinstance(value.op, ast.Div) else _factors(value.right, known)
    elif isinstance(value, ast.UnaryOp):
        yield from _factors(value.operand, known)
    elif isinstance(value, ast.Name | ast.Constant | ast.Subscript | ast.Attribute):
        yield value
        yield from _factors(known[value.id], {}) if isinstance(value, ast.Name) and value.id in known else ()


@dataclass
class _Scope:
    """The body of a function, or of a file, and what is known there."""

    body: list[ast.stmt]
    given: dict[str, Any]  # arguments, with their defaults; and what is learned, or an element of the data
    known: dict[str, Any]  # of the file
    whole: bool = False  # whether it is the file's

    def is_data(self, name: str) -> bool:
        """Whether a name is an argument without a default, or an array or a list of the file."""
        there = self.known.get(name) if name not in self.given else self.given[name]
        argument = name in self.given and not isinstance(there, bool | int | float | str)
        several = isinstance(there, list | tuple) or (isinstance(there, np.ndarray) and there.size > 1)
        return argument or (self.whole and several)

    def is_free(self, name: str) -> bool:
        """Whether a name that nothing sets is data, and no function, module or number of the file."""
        there = self.known.get(name, getattr(builtins, name, None))
        return name in self.given or not (callable(there) or isinstance(there, ModuleType | int | float | str))


def all_in_one(own: dict[str, Callable], path: Path, checked: set[str]) -> Iterator[tuple[str, Apart]]:
    """Yield (title, forward and backward) of each function that trains, and of the file itself, where these stand in one.

    What calls a function that is `checked` has its gradients from there.
    """
    known = vars(sys.modules[module_name(path)])
    for name, function in own.items():
        code = code_of(function) if inspect.isfunction(function) and name not in checked else None
        if code is not None and not checked & {getattr(n, "id", "") for n in inside(code)}:
            given = {p.name: p.default for p in parameters(function)}
            apart = taken_apart(name, code.body, given, known, False)
            if apart:
                yield name, apart
    whole = parsed("\n".join("".join(linecache.getlines(file)) for file in _files(path)))
    if whole is not None and not checked & {getattr(n, "id", "") for n in inside(whole)}:
        apart = taken_apart("the file", whole.body, {}, known, True)
        if apart:
            yield "training loop", apart


def _files(path: Path) -> list[str]:
    """Return what the text of a file is kept as: that of each cell of a notebook."""
    cells = [name for name in linecache.cache if name.startswith(f"{path.resolve()}, cell ")]
    return cells or [str(path.resolve())]


def reversed_steps(backward: Callable) -> Callable:
    """Return a backward with the gradients of the other sign."""

    @wraps(backward)
    def with_other_sign(*given: Any, **named: Any) -> Any:
        grads = backward(*given, **named)
        return {name: -g for name, g in grads.items()} if isinstance(grads, dict) else grads

    return with_other_sign


def taken_apart(name: str, body: list[ast.stmt], given: dict[str, Any], known: dict[str, Any], whole: bool) -> Apart | None:
    """Return forward and backward of what trains in a function, or in a file if it is the `whole`; None where it does not."""
    body = deepcopy(body)  # names in it are changed
    learned = _learned(body)
    scope = _Scope(body, given | dict.fromkeys(learned), known, whole)
    loops = [block for block in body if isinstance(block, ast.For | ast.While)]
    inner = {
        n for loop in loops for item in ast.walk(loop) if isinstance(item, ast.stmt) and not _step(item) for n in _sets(item)
    }
    items = _of_elements(list(_first_round(body, learned)), scope, learned) if learned else []
    begun = {n: item.value for item in items if isinstance(item, ast.Assign) for n in _sets(item) & learned - inner}
    # what makes the data, or the parameters as they begin, is left out
    made = {n for item in items for n in _sets(item) if whole and (scope.is_data(n) or kind_of(n) in ("x", "target"))}
    before = {*made, *learned} - inner
    changes = {id(i): _writes(i) if isinstance(i, ast.For) else _sets(i) for i in items if not _step(i)}
    items = [i for i in items if not changes.get(id(i)) or not changes[id(i)] & before]
    targets = _targets(scope, items, learned)
    if not targets:
        return None
    items, back, moving = _parted(items, learned, targets)
    steps = {i: step for i, item in enumerate(items) if (step := _step(item)) and step.name in learned and i in back}
    steps = {i: step for i, step in steps.items() if step.name not in {s.name for j, s in steps.items() if j < i}}
    values = {n: item.value for item in items if isinstance(item, ast.Assign) for n in _sets(item)}
    steps = {i: _undamped(step, [items[j] for j in sorted(back)]) for i, step in steps.items()}
    rates = {i: _rate(step, values, scope, learned) for i, step in steps.items()}
    listed, moved = list[tuple[ast.stmt, bool]](), list[ast.stmt]()
    for i, item in enumerate(items):
        if i in steps:
            step = steps[i]
            listed.append((ast.parse(f"d{step.name} = {_gradient(step, rates[i])}").body[0], True))
            item = ast.parse(f"{step.name} = {step.name} {'+' if step.added else '-'} ({ast.unparse(step.value)})").body[0]
            moved.append(item)
        listed.append((item, i in back))
    gradients = {f"d{step.name}": step.name for step in steps.values()}
    named = {r for r in rates.values() if isinstance(r, str) and r.isidentifier()}
    cut = {*learned, *targets}
    chosen = _needed(listed, {*gradients}, cut, named)
    apart = _functions(name, chosen, gradients, targets, named, scope, moving)
    numbers = {n: np.zeros(()) for n, value in begun.items() if _is_number(value)}
    if apart and not whole:
        apart.forward.arrays = numbers  # type: ignore[attr-defined]
        apart.forward.one_output = any(_is_vector(value) for value in begun.values())  # type: ignore[attr-defined]
    cost = next((n for item, is_back in listed[::-1] if is_back for n in _sets(item) if COST.fullmatch(n)), None)
    if apart and cost:
        held = [(item, is_back) for item, is_back in listed if item not in moved]  # it may be computed after the step
        lines = [item for item, _ in _needed(held, {cost}, cut, set())]
        apart.losses = {"that of the loop": _loss(name, lines, cost, targets, scope)}
        apart.penalised = any(n in REGULARISED for item in lines for n in _reads(item))
    return apart


def _of_elements(items: list[ast.stmt], scope: _Scope, learned: set[str]) -> list[ast.stmt]:
    """Return the statements without those that take an element, or a batch, of the data: these are the data themselves.

    So are X[i] and y[:, i] where i is the number of a round.
    """
    rounds = {n for item in items for n in _sets(item) if isinstance(getattr(item, "value", None), ast.Constant)}
    owners, kept, parts = dict[str, str](), list[ast.stmt](), list[tuple[str, set[str]]]()
    for item in items:
        for node in ast.walk(item):
            for field, value in ast.iter_fields(node):
                base = value.value if isinstance(value, ast.Subscript) and field != "targets" else None
                inline = isinstance(base, ast.Name) and base.id not in learned and scope.is_data(base.id)
                if inline and _reads(value.slice) & rounds:
                    setattr(node, field, base)
        owner = _element_of(item.value) if isinstance(item, ast.Assign) else ""
        if owner and owner not in learned and scope.is_data(owner) and not _writes(item) & {owner, *learned}:
            scope.given |= dict.fromkeys(_writes(item))
            parts.append((owner, _writes(item)))
        else:
            kept.append(item)
    for owner, names in parts:
        if (
            len(names) == 1 and sum(other == owner for other, _ in parts) == 1
        ):  # a batch of X is X, the columns of a table are not
            owners |= dict.fromkeys(names, owner)
    for name, owner in owners.items():
        while owner in owners:
            owner = owners[owner]
        old, new = (name, owner) if kind_of(owner) or not kind_of(name) else (owner, name)
        for node in [n for item in kept for n in ast.walk(item) if isinstance(n, ast.Name) and n.id == old]:
            node.id = new
    return kept


def _element_of(value: ast.expr) -> str:
    """Return the name of which a value is an element, or a part, or the same."""
    if isinstance(value, ast.Call) and ast.unparse(value.func) in ("next", "iter"):
        return _element_of(value.args[0])
    if isinstance(value, ast.Subscript):
        return _element_of(value.value)
    return value.id if isinstance(value, ast.Name) else ""


def _targets(scope: _Scope, items: list[ast.stmt], learned: set[str]) -> set[str]:
    """Return the targets: arguments or data by their names; else what is subtracted from what the parameters move."""
    data = {n for item in items for n in _reads(item) if scope.is_free(n)} - learned
    made = {n for item in items for n in _sets(item)}
    named = {n for n in data if kind_of(n) == "target" or OF_TARGETS.search(n.lower())}
    first = {n for n in named if n in scope.given or n not in made}
    if first:
        return first
    moving, found = set(learned), set[str]()
    for item in items:
        for node in ast.walk(item):
            sides = [node.left, node.right] if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) else []
            for one, other in (sides, sides[::-1]) if sides else ():
                base = title(one) if isinstance(one, ast.Name | ast.Subscript | ast.Attribute) else ""
                if base in data - moving and _reads(other) & moving and kind_of(base) != "number":
                    found.add(base)
        moving |= _writes(item) if _reads(item) & moving else set()
    return found


def _parted(items: list[ast.stmt], learned: set[str], targets: set[str]) -> tuple[list[ast.stmt], set[int], set[str]]:
    """Return the statements, which of them depend on the targets, and the names that move with the parameters alone.

    What is subtracted from a target, as X @ w in `X @ w - y`, becomes a statement of its own.
    """
    found, back, tainted, moving = list[ast.stmt](), set[int](), set(targets), set(learned)
    for item in items:
        for node in ast.walk(item) if isinstance(item, ast.Assign | ast.AugAssign) else ():
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
                for side, other in (("left", node.right), ("right", node.left)):
                    own = getattr(node, side)
                    if (
                        not isinstance(own, ast.Name)
                        and _reads(other) & tainted
                        and _reads(own) & moving
                        and not _reads(own) & tainted
                    ):
                        found.append(ast.parse(f"prediction{len(found)} = {ast.unparse(own)}").body[0])
                        setattr(node, side, ast.Name(f"prediction{len(found) - 1}", ast.Load()))
                        moving.add(f"prediction{len(found) - 1}")
        if _reads(item) & tainted:
            back.add(len(found))
            tainted |= _writes(item)
        else:
            tainted -= _sets(item) - targets
            moving |= _writes(item) if _reads(item) & moving else set()
        found.append(item)
    return found, back, moving


def _undamped(step: _Step, back: list[ast.stmt]) -> _Step:
    """Return a step that is divided by the root of the gradient's squares, as Adam's, as one along that gradient."""
    made = [item for item in back if isinstance(item, ast.Assign | ast.AugAssign) and step.name not in _writes(item)]
    moving = {n for item in back for n in _writes(item)}
    shown = _behind([step.value], made)
    roots = [n.right for part in shown for n in ast.walk(part) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Div)]
    roots = [root for root in roots if "sqrt(" in ast.unparse(root) or "** 0.5" in ast.unparse(root)]
    squared = [n for part in _behind([root for root in roots if _reads(root) & moving], made) for n in ast.walk(part)]
    names = [
        found[found.lastindex or 1]
        for n in squared
        if (found := SQUARE.fullmatch(ast.unparse(n))) and found[found.lastindex or 1] in moving
    ]
    return _Step(step.name, ast.Name(names[0], ast.Load()), step.added) if len({*names}) == 1 else step


def _behind(parts: list[ast.expr], made: list[ast.Assign | ast.AugAssign]) -> list[ast.expr]:
    """Return expressions, and those of which the names in them are made."""
    found = list(parts)
    for part in found:
        found += [item.value for item in made if _writes(item) & _reads(part) and item.value not in found]
    return found


def _rate(step: _Step, values: dict[str, ast.expr], scope: _Scope, learned: set[str]) -> str | float:
    """Return the learning rate in a step, lr or args.lr or rates[0]; else the number that stands for it; "" for none."""
    factors = list(_factors(step.value, values))
    names = [f.id for f in factors if isinstance(f, ast.Name)]
    rates = [n for n in names if _is_rate(n)]
    plain = [n for n in names if not _reads(values.get(n, ast.Pass()))]  # a gradient that is one number is none
    rates += [n for n in plain if isinstance(scope.known.get(n), float) and n not in (*learned, *scope.given)]
    for part in [f for f in factors if isinstance(f, ast.Subscript | ast.Attribute)]:
        last = part.attr if isinstance(part, ast.Attribute) else getattr(part.slice, "value", "")
        there = scope.known.get(title(part))
        listed = isinstance(there, list) and all(isinstance(x, float) for x in there)
        rates += [ast.unparse(part)] if listed or _is_rate(str(last)) or _is_rate(title(part)) else []
    numbers = [float(f.value) for f in factors if isinstance(f, ast.Constant) and isinstance(f.value, int | float) and f.value]
    return rates[0] if rates else numbers[0] if numbers else ""


def _gradient(step: _Step, rate: str | float) -> str:
    """Return what is subtracted, without the rate; a rate that is a name is set to 1 before."""
    text = ast.unparse(step.value)
    if isinstance(rate, float):
        text = f"({text}) / {rate}"
    elif rate and not rate.isidentifier():
        text = text.replace(rate, "1.0")
    return f"-({text})" if step.added else text


def _is_rate(name: str) -> bool:
    return name.lower() in RATES or "rate" in name.lower()


def _needed(
    listed: list[tuple[ast.stmt, bool]], wanted: set[str], cut: set[str], rates: set[str]
) -> list[tuple[ast.stmt, bool]]:
    """Return the statements that some names need, with whether they are backward's; what makes data and parameters is not."""
    chosen = list[tuple[ast.stmt, bool]]()
    for item, back in listed[::-1]:
        sets, writes = _sets(item), _writes(item)
        if writes & wanted and (back or not sets or not sets <= cut):
            wanted = (wanted - sets) | ({*_free([item])} - rates)
            chosen.insert(0, (item, back))
    while True:
        made = {n for item, back in chosen if back for n in _writes(item)}
        more = [(item, back or bool(_reads(item) & made - cut and _comes_after(item, chosen))) for item, back in chosen]
        if more == chosen:
            return chosen
        chosen = more


def _comes_after(item: ast.stmt, listed: list[tuple[ast.stmt, bool]]) -> bool:
    """Whether a statement reads what one of backward's before it has set."""
    before = [(other, back) for other, back in listed[: [other for other, _ in listed].index(item)]]
    last = {n: back for other, back in before for n in _writes(other)}
    return any(last.get(n) for n in _reads(item))


def _functions(
    name: str,
    chosen: list[tuple[ast.stmt, bool]],
    gradients: dict[str, str],
    targets: set[str],
    rates: set[str],
    scope: _Scope,
    moving: set[str],
) -> Apart | None:
    front, back = ([item for item, behind in chosen if behind is b] for b in (False, True))
    made = {n for item in front for n in _writes(item)}
    handed = [n for n in dict.fromkeys(n for item in front for n in sorted(_writes(item))) if n in _free(back)]
    outputs = [n for n in handed if n in moving]
    output = _output(back, outputs)
    learned = [*gradients.values()]
    free = [n for n in _free(front) if scope.is_free(n)]
    taken = [n for n in _free(back) if n not in made and n not in rates and (scope.is_free(n) or n in targets)]
    asked = [n for n in taken if n in targets]
    if not output or len(asked) != 1 or not {*learned} & {*free}:
        return None
    data = [n for n in free if n not in learned and n.lower() not in SAMPLES]
    said = "prediction" if output in REGULARISED else output  # l2, of the second layer
    numbers = [n for n, x in scope.given.items() if isinstance(x, int | float) and n not in REGULARISED]
    fixed = {n: repr(scope.given[n]) for n in numbers if n in (*free, *taken)}
    fixed |= {
        n: f"len({data[0]})" for n in (*free, *taken) if n in {*scope.given} - {*learned} and n.lower() in SAMPLES and data
    }
    first = [f"{n} = {x}" for n, x in fixed.items()]
    free, handed = [n for n in free if n not in fixed], [*(n for n in fixed if n in taken), *handed]
    taken = [n for n in taken if n not in fixed]
    target = asked[0] if kind_of(asked[0]) == "target" else "targets"
    kept = ", ".join([*(n for n in handed if n != output), ""]).strip()
    changed = [n for n in handed if any(n in _writes(item) - _sets(item) for item in back)]  # p[range(n), y] -= 1
    lines = (
        [f"({kept}) = cache"] * bool(kept)
        + [f"{n} = {n}.copy() if hasattr({n}, 'copy') else {n}" for n in changed]
        + [f"{n} = 1.0" for n in sorted(rates)]
        + [f"{asked[0]} = {target}"] * (target != asked[0])
        + [f"{output} = {said}"] * (said != output)
    )
    named = ", ".join(f"{gradient!r}: {gradient}" for gradient in gradients)
    arguments = [target, *(n for n in taken if n != asked[0]), said, *["cache"] * bool(kept)]
    forward = _compiled("forward", free, [*first, *map(ast.unparse, front)], [output, *[f"({kept})"] * bool(kept)], name, scope)
    backward = _compiled("backward", arguments, [*lines, *map(ast.unparse, back)], [f"{{{named}}}"], name, scope)
    text = "; ".join(ast.unparse(item) for item in front)
    forward.as_used = text if len(text) < SHOWN_CHARACTERS else f"what {name} computes before it takes {asked[0]}"  # type: ignore[attr-defined]
    forward.guesses = _order(learned, front)  # type: ignore[attr-defined]
    forward.data = tuple(n for n in free if n not in learned)  # type: ignore[attr-defined]
    there = {n: np.asarray(scope.known[n]) for n in free if scope.whole and n in scope.known}
    small = len(there) == len(free) and all(x.dtype.kind in "fiu" and x.size <= MUCH for x in there.values())
    forward.arrays = there if small else {}  # type: ignore[attr-defined]
    return Apart(forward, backward, {}, False)


def _loss(name: str, lines: list[ast.stmt], cost: str, targets: set[str], scope: _Scope) -> Callable:
    """Return the loss that a loop computes, as a function of the output, the targets, and all that there is."""
    taken = [n for n in _free(lines) if scope.is_free(n)]
    function = _compiled("loss", taken, [*map(ast.unparse, lines)], [cost], name, scope)

    def loss(_: Any, y: Any, __: Any, given: dict[str, Any]) -> Any:
        found = {n: y if n in targets else given.get(n, scope.given.get(n)) for n in taken}
        return np.reshape(function(**found), ())[()]

    return loss


def _is_vector(value: ast.expr) -> bool:
    """Whether a parameter begins as a vector: np.zeros(n), np.random.randn(X.shape[1])."""
    called = getattr(getattr(value, "func", None), "attr", "")
    return called in ("zeros", "ones", "rand", "randn") and len(value.args) == 1 and not isinstance(value.args[0], ast.Tuple)  # type: ignore[attr-defined]


def _is_number(value: ast.expr) -> bool:
    """Whether a parameter begins as one number: 0.0, np.random.randn(), random.random() - 0.5."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    drawn = all(not call.args and "rand" in ast.unparse(call.func) for call in calls)
    return (
        drawn
        and not any(isinstance(node, ast.List | ast.Tuple | ast.Subscript) for node in ast.walk(value))
        and not (_reads(value) - {title(call.func) for call in calls})
    )


def _order(learned: list[str], front: list[ast.stmt]) -> dict[str, str]:
    """Return the kinds of parameters whose names do not tell their layers apart, in the order in which forward takes them."""
    kinds = [kind_of(name) for name in learned]
    if len({*kinds}) == len(kinds) and {*kinds} <= {*PARAMETERS}:
        return {}
    sums = [n for item in front for n in ast.walk(item) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add)]
    added = {side.id for n in sums for side in (n.left, n.right) if isinstance(side, ast.Name)}
    order = [name for name in _free(front) if name in learned]
    weights, biases = [n for n in order if n not in added], [n for n in order if n in added]
    return dict(zip([*weights, *biases], [*WEIGHTS[: len(weights)], *BIASES[: len(biases)]], strict=False))


def _free(items: list[ast.stmt]) -> list[str]:
    """Return the names that statements read before they set them."""
    found, made = dict[str, None](), set[str]()
    for item in items:
        inside = {
            n.id for part in ast.walk(item) for n in ast.walk(getattr(part, "target", ast.Pass())) if isinstance(n, ast.Name)
        }
        own = inside if not isinstance(item, ast.AugAssign | ast.AnnAssign) else set()  # of loops and comprehensions
        order = [n.id for n in ast.walk(item) if isinstance(n, ast.Name)]
        found |= dict.fromkeys(n for n in order if n in _reads(item) - made - own)
        made |= _writes(item)
    return list(found)


def _output(back: list[ast.stmt], names: list[str]) -> str:
    """Return which of some names is what the network says: the first that backward subtracts something from, else reads."""
    differences = [
        node for item in back for node in ast.walk(item) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
    ]
    sides = [side for node in differences for side in (node.left, node.right)]
    found = [title(side) for side in sides if title(side) in names and _is_plain(side)]
    return next(iter([*found, *(n for item in back for n in reversed(names) if n in _reads(item))]), "")


def _is_plain(side: ast.expr) -> bool:
    return not any(isinstance(node, ast.BinOp | ast.Call) for node in ast.walk(side))


def _compiled(kind: str, arguments: list[str], lines: list[str], handed: list[str], name: str, scope: _Scope) -> Any:
    """Return a function of these lines, in the file."""
    body = "\n".join([*lines, f"return {', '.join(handed)}"]).replace("\n", "\n    ")
    text = f"def {kind}({', '.join(arguments)}):\n    {body}\n"
    file = f"<{kind} of {name} in {scope.known.get('__name__', '')}>"
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    made: dict[str, Any] = {}
    exec(compile(text, file, "exec"), made)
    return FunctionType(made[kind].__code__, scope.known, kind)
