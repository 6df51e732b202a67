"""Take forward and backward of a network apart that stand in one loop, or in one function that trains.

What depends on the targets is backward, what that needs before is forward, and a gradient is what is subtracted from a
parameter, without the learning rate. The first round of the loop is taken, as it stands.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import sys
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from functools import partial, wraps
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from ..functions.about import about
from ..functions.find_losses import COST
from ..functions.kinds import OF_TARGETS, RATES, REGULARISED, SAMPLES, kind_of
from ..functions.layouts import ROWS
from ..load.load_file import module_name
from ..read.match_names import has, is_slope
from ..read.read_code import code_of, inside, multiplies, parameters, parsed, title
from ..run_code import attempt
from .first_round import OTHERS, first_round, learned_in, unrolled, without_bias_in, without_elements
from .in_classes import Flat
from .make_functions import Apart, functions_of, loss_of
from .scope import Scope
from .statements import Step, factors_of, free_in, read_by, set_by, step_in, written_by

TARGETS = (np.arange(6) % 3, np.eye(3)[np.arange(6) % 3], np.arange(6)[:, None] % 2)  # for as many rows as x has
SQUARE = re.compile(r"(\w+) \*\* 2|np\.square\((\w+)\)|np\.power\((\w+), 2\)|(\w+) \* \4")


def all_in_one(
    own: dict[str, Callable], methods: dict[str, Flat], path: Path, checked: set[str]
) -> Iterator[tuple[str, Apart | None]]:
    """Yield (title, forward and backward) of each function or method that trains, and of the file, where these stand in one.

    None stands for what takes steps along a gradient of its own and is not understood. What calls a function that is `checked`
    has its gradients from there.
    """
    known = vars(sys.modules[module_name(path)])
    for name, function in own.items():
        code = code_of(function) if inspect.isfunction(function) and name not in checked else None
        if code is not None and not checked & {getattr(n, "id", "") for n in inside(code)}:
            given = {p.name: p.default for p in parameters(function)}
            apart = taken_apart(name, code.body, given, known, False)
            if apart or _steps_alone(code.body):
                yield name, apart
    for name, method in methods.items():
        apart = taken_apart(name, method.body, method.given, known | method.called, False)
        if apart:
            yield name, apart
    whole = parsed("\n".join("".join(linecache.getlines(file)) for file in _files(path)))
    if whole is not None and not checked & {getattr(n, "id", "") for n in inside(whole)}:
        apart = taken_apart("the file", whole.body, {}, known, True)
        if apart or _steps_alone(whole.body):
            yield "training loop", apart


def _steps_alone(body: list[ast.stmt]) -> bool:
    """Whether a loop takes steps with a rate along what it computes itself: of targets, or by a product of matrices.

    Where another function hands it the gradient, that is looked at by itself.
    """
    nodes = [node for item in body if not isinstance(item, OTHERS) for node in ast.walk(item)]
    loops = [node for node in nodes if isinstance(node, ast.For | ast.While)]
    made = [node for loop in loops for node in ast.walk(loop) if isinstance(node, ast.Assign | ast.AugAssign)]
    for step in filter(None, map(step_in, made)):
        shown = _behind([step.value], [item for item in made if step.name not in set_by(item)])
        calls = [node for part in shown for node in ast.walk(part) if isinstance(node, ast.Call)]
        titles = {ast.unparse(call.func).rpartition(".")[2]: len(call.args) for call in calls}
        handed = any(has(name, "BACKWARD") or (is_slope(name) and count > 1) for name, count in titles.items())
        own = any(multiplies(part) or "target" in map(kind_of, read_by(part)) for part in shown)
        if own and not handed and any(isinstance(f, ast.Name) and _is_rate(f.id) for f in factors_of(step.value, {})):
            return True
    return False


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
    body = without_bias_in(unrolled(body))
    learned = learned_in(body)
    scope = Scope(name, body, given | dict.fromkeys(learned), known, whole)
    items, begun = _one_round(scope, learned) if learned else ([], {})
    targets = _targets(scope, items, learned)
    if not targets:
        return None
    items, back, moving = _parted(items, learned, targets)
    in_cost = {n for item in items if any(map(COST.fullmatch, set_by(item))) for n in read_by(item)}
    scope.penalties = {*REGULARISED, *(_penalties([items[i] for i in back], learned, scope) - in_cost)}
    read = free_in([item for i, item in enumerate(items) if i not in back])
    steps = [(i, step_in(item)) for i, item in enumerate(items)]  # one that forgets the targets is a step too
    back |= {i for i, step in steps if step and step.name in {*read} & learned and read_by(step.value) - {step.name}}
    listed, gradients, rates, moved = _with_gradients(items, back, scope, learned)
    cut = {*learned, *targets}
    apart = functions_of(_needed(listed, {*gradients}, cut, rates), gradients, targets, rates, scope, moving)
    if apart:
        rated = [step for i, step in steps if step and i in back and any(map(_is_rate, read_by(step.value)))]
        about(apart.forward).unread = tuple({step.name: None for step in rated if step.name not in learned})
    if apart and not whole:
        of_forward = about(apart.forward)
        of_forward.arrays = {n: np.zeros(()) for n, value in begun.items() if is_number(value)}
        of_forward.one_output = any(map(is_vector, begun.values()))
        apart.made = partial(_as_made, scope, learned)
    cost = next((n for item, is_back in listed[::-1] if is_back for n in set_by(item) if COST.fullmatch(n)), None)
    if apart and cost:
        held = [(item, is_back) for item, is_back in listed if item not in moved]  # it may be computed after the step
        lines = [item for item, _ in _needed(held, {cost}, cut, set())]
        apart.losses = {"that of the loop": loss_of(lines, cost, targets, scope)}
        apart.penalised = any(n in scope.penalties for item in lines for n in read_by(item))
    return apart


def _as_made(scope: Scope, learned: set[str]) -> Iterator[dict[str, np.ndarray]]:
    """Yield the parameters as the function makes them before its loop, and the data that it is given: for some targets each."""
    data = [n for n in scope.given if scope.is_data(n) and n not in learned]
    for y in TARGETS:
        rng = np.random.default_rng(0)
        drawn = {n: y if kind_of(n) == "target" else rng.standard_normal(ROWS.x) for n in data}
        names = scope.known | scope.given | drawn
        for item in takewhile(lambda item: not isinstance(item, ast.For | ast.While), scope.body):
            attempt(exec, compile(ast.Module([item], []), scope.name, "exec"), names)
        made = {n: np.asarray(names.get(n)) for n in (*learned, *(n for n in drawn if kind_of(n) != "target"))}
        if made and all(x.dtype.kind in "fi" for x in made.values()):
            yield made


def _one_round(scope: Scope, learned: set[str]) -> tuple[list[ast.stmt], dict[str, ast.expr]]:
    """Return the statements of one round, without what makes the data and the parameters; and as what each parameter begins."""
    loops = [block for block in scope.body if isinstance(block, ast.For | ast.While)]
    nodes = [node for loop in loops for node in ast.walk(loop) if isinstance(node, ast.stmt) and not step_in(node)]
    inner = {n for node in nodes for n in set_by(node)}
    items = without_elements(list(first_round(scope.body, learned)), scope, learned)
    begun = {n: item.value for item in items if isinstance(item, ast.Assign) for n in set_by(item) & learned - inner}
    known = {n for item in items for n in set_by(item) if scope.is_data(n) or kind_of(n) in ("x", "target")}
    before = ({*learned, *known} if scope.whole else learned) - inner
    scaled = {n for item in items if (n := _scaled_by(item)) not in learned and scope.is_data(n)}  # before the loop, mostly
    scaled -= {_scaled_by(node) for loop in loops for node in ast.walk(loop)}
    items = [item for item in items if _scaled_by(item) not in scaled]
    makes = [(item, written_by(item) if isinstance(item, ast.For) else set_by(item)) for item in items]
    return [item for item, names in makes if step_in(item) or not names & before], begun


def _scaled_by(node: ast.AST) -> str:
    """Return the name whose array a statement changes in its place, as X in X /= 255.0; "" for none."""
    if not isinstance(node, ast.AugAssign) or not isinstance(node.target, ast.Name):
        return ""
    return "" if any(kind_of(n) == "target" for n in read_by(node.value) - {node.target.id}) else node.target.id  # p -= y


def _with_gradients(
    items: list[ast.stmt], back: set[int], scope: Scope, learned: set[str]
) -> tuple[list[tuple[ast.stmt, bool]], dict[str, str], set[str], list[ast.stmt]]:
    """Return the statements, with whether they are backward's, and before the first step of each parameter its gradient; the
    parameters by the names of their gradients; the names of the learning rates; and those first steps.
    """
    listed, moved = list[tuple[ast.stmt, bool]](), list[ast.stmt]()
    gradients, rates = dict[str, str](), set[str]()
    values = {n: item.value for item in items if isinstance(item, ast.Assign) for n in set_by(item)}
    for i, item in enumerate(items):
        step = step_in(item) if i in back else None
        if step and step.name in learned and step.name not in gradients.values():
            step, gradient = _undamped(step, items, back, scope), f"d{step.name}"
            rate = _rate(step, values, scope, learned)
            rates |= {rate} if isinstance(rate, str) and rate.isidentifier() else set()
            gradients[gradient] = step.name
            listed.append((ast.parse(f"{gradient} = {_gradient(step, rate)}").body[0], True))
            item = ast.parse(f"{step.name} = {step.name} {'+' if step.added else '-'} ({ast.unparse(step.value)})").body[0]
            moved.append(item)
        listed.append((item, i in back))
    return listed, gradients, rates, moved


def _targets(scope: Scope, items: list[ast.stmt], learned: set[str]) -> set[str]:
    """Return the targets: arguments or data by their names; else what is subtracted from what the parameters move."""
    data = {n for item in items for n in read_by(item) if scope.is_free(n)} - learned
    made = {n for item in items for n in set_by(item)}
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
                if base in data - moving and read_by(other) & moving and kind_of(base) != "number":
                    found.add(base)
        moving |= written_by(item) if read_by(item) & moving else set()
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
                        and read_by(other) & tainted
                        and read_by(own) & moving
                        and not read_by(own) & tainted
                    ):
                        found.append(ast.parse(f"prediction{len(found)} = {ast.unparse(own)}").body[0])
                        setattr(node, side, ast.Name(f"prediction{len(found) - 1}", ast.Load()))
                        moving.add(f"prediction{len(found) - 1}")
        if read_by(item) & tainted:
            back.add(len(found))
            tainted |= written_by(item)
        else:
            tainted -= set_by(item) - targets
            moving |= written_by(item) if read_by(item) & moving else set()
        found.append(item)
    return found, back, moving


def _penalties(back: list[ast.stmt], learned: set[str], scope: Scope) -> set[str]:
    """Return the numbers that multiply a parameter alone where that is added to a gradient: alpha of dW + alpha * W."""
    sums = [n for item in back for n in ast.walk(item) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Add | ast.Sub)]
    added = [item.value for item in back if isinstance(item, ast.AugAssign) and not step_in(item)]
    terms = [term for term in [*(side for n in sums for side in (n.left, n.right)), *added] if read_by(term) & learned]
    alone = [term for term in terms if not multiplies(term)]
    others = [{n for n in read_by(term) - learned - {"np"} if n.lower() not in SAMPLES} for term in alone]
    found = {n for names in others if all(map(scope.is_number, names)) for n in names}
    return {n for n in found if n == "alpha" or not _is_rate(n)}  # lr * 0.01 * W, of a step


def _undamped(step: Step, items: list[ast.stmt], back: set[int], scope: Scope) -> Step:
    """Return a step that is divided by the root of the gradient's squares, as Adam's, as one as long as that gradient.

    It goes where the first step of its momentum goes, if that begins here.
    """
    behind = [items[j] for j in sorted(back)]
    made = [item for item in behind if isinstance(item, ast.Assign | ast.AugAssign) and step.name not in written_by(item)]
    moving = {n for item in behind for n in written_by(item)}
    shown = _behind([step.value], made)
    roots = [n.right for part in shown for n in ast.walk(part) if _is_damped(n) and read_by(n.right) & moving]
    names = [
        found[found.lastindex or 1]
        for part in _behind(roots, made)
        for n in ast.walk(part)
        if (found := SQUARE.fullmatch(ast.unparse(n))) and found[found.lastindex or 1] in moving
    ]
    if len({*names}) != 1:
        return step
    gradient, values = (
        ast.Name(names[0], ast.Load()),
        {n: m.value for m in made if isinstance(m, ast.Assign) for n in set_by(m)},
    )
    above = _Above(values).visit(deepcopy(step.value))
    own, others = ({n for part in _behind([e], made) for n in read_by(part)} for e in (above, gradient))
    unknown = {n for n in own - others if scope.given.get(n) is inspect.Parameter.empty and not _is_rate(n)}
    if unknown or {*free_in(items)} & (own - others) & moving:
        return replace(step, value=gradient)  # its momentum comes from elsewhere
    numpy, text = "__import__('numpy')", ast.unparse(above)
    norm, length = f"{numpy}.linalg.norm({names[0]})", f"{numpy}.linalg.norm({text})"  # 0 where it takes the last momentum
    along = ast.parse(f"{numpy}.multiply({text}, {norm} / {length}) if {length} else {names[0]}", mode="eval").body
    return replace(step, value=along)


class _Above(ast.NodeTransformer):
    """Leaves what stands above a root in a quotient, also in the names whose values are such."""

    def __init__(self, values: dict[str, ast.expr]) -> None:
        self.values = {n: value for n, value in values.items() if any(map(_is_damped, ast.walk(value)))}

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return node.left if _is_damped(node) else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self.visit(deepcopy(self.values[node.id])) if node.id in self.values else node


def _is_damped(node: ast.AST) -> TypeGuard[ast.BinOp]:
    """Whether it is a quotient by a root."""
    root = ast.unparse(node.right) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) else ""
    return "sqrt(" in root or "** 0.5" in root


def _behind(parts: list[ast.expr], made: list[ast.Assign | ast.AugAssign]) -> list[ast.expr]:
    """Return expressions, and those of which the names in them are made."""
    found = list(parts)
    for part in found:
        found += [item.value for item in made if written_by(item) & read_by(part) and item.value not in found]
    return found


def _rate(step: Step, values: dict[str, ast.expr], scope: Scope, learned: set[str]) -> str | float:
    """Return the learning rate in a step, lr or args.lr or rates[0]; else the number that stands for it; "" for none."""
    factors = list(factors_of(step.value, values))
    names = [f.id for f in factors if isinstance(f, ast.Name)]
    rates = [n for n in names if _is_rate(n)]
    velocities = [values[f.id] for f in factors if isinstance(f, ast.Name) and f.id in values]  # v = momentum * v - lr * dW
    rates += [n for part in velocities for n in read_by(part) if _is_rate(n)]
    plain = [n for n in names if not read_by(values.get(n, ast.Pass()))]  # a gradient that is one number is none
    rates += [n for n in plain if isinstance(scope.known.get(n), float) and n not in (*learned, *scope.given)]
    for part in [f for f in factors if isinstance(f, ast.Subscript | ast.Attribute)]:
        last = part.attr if isinstance(part, ast.Attribute) else getattr(part.slice, "value", "")
        there = scope.known.get(title(part))
        listed = isinstance(there, list) and all(isinstance(x, float) for x in there)
        rates += [ast.unparse(part)] if listed or _is_rate(str(last)) or _is_rate(title(part)) else []
    numbers = [float(f.value) for f in factors if isinstance(f, ast.Constant) and isinstance(f.value, int | float) and f.value]
    return rates[0] if rates else numbers[0] if numbers else ""


def _gradient(step: Step, rate: str | float) -> str:
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
        sets, writes = set_by(item), written_by(item)
        if writes & wanted and (back or not sets or not sets <= cut):
            wanted = (wanted - sets) | ({*free_in([item])} - rates)
            chosen.insert(0, (item, back))
    while True:
        made = {n for item, back in chosen if back for n in written_by(item)}
        more = [(item, back or bool(read_by(item) & made - cut and _comes_after(item, chosen))) for item, back in chosen]
        if more == chosen:
            return chosen
        chosen = more


def _comes_after(item: ast.stmt, listed: list[tuple[ast.stmt, bool]]) -> bool:
    """Whether a statement reads what one of backward's before it has set."""
    before = [(other, back) for other, back in listed[: [other for other, _ in listed].index(item)]]
    last = {n: back for other, back in before for n in written_by(other)}
    return any(last.get(n) for n in read_by(item))


def is_number(value: ast.expr) -> bool:
    """Whether a parameter begins as one number: 0.0, np.random.randn(), random.random() - 0.5."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call)]
    drawn = all(not call.args and "rand" in ast.unparse(call.func) for call in calls)
    return (
        drawn
        and not any(isinstance(node, ast.List | ast.Tuple | ast.Subscript) for node in ast.walk(value))
        and not (read_by(value) - {title(call.func) for call in calls})
    )


def is_vector(value: ast.expr) -> bool:
    """Whether a parameter begins as a vector: np.zeros(n), np.random.randn(X.shape[1])."""
    called = getattr(getattr(value, "func", None), "attr", "")
    return called in ("zeros", "ones", "rand", "randn") and len(value.args) == 1 and not isinstance(value.args[0], ast.Tuple)  # type: ignore[attr-defined]
