"""Find the losses that return (loss, gradients), forward and backward in one function, and make a pair of each."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..gradcheck.problem.problem import differentiable
from .draw_inputs import CONSTANT, PARAMETERS, kind_of
from .run_code import UserError

LOSS = re.compile(r"(^|_)(loss|cost)(?![a-z])|(Loss|Cost)(?![a-z])")  # svm_loss, svm_loss_naive, softmaxLoss, costFunction
REGULARISED = ("reg", "lambd", "lambda_", "weight_decay")  # a function of y and one of these is a loss, whatever its name
GRADIENT = re.compile(r"grad|deriv|^(d|g|delta|dl|dout)$", re.IGNORECASE)  # names of gradients, beside dx for an argument x


@dataclass
class Loss:
    """A loss as a forward: it returns (loss, gradients). A dict of parameters is taken apart: each entry is an argument."""

    name: str
    function: Callable
    returned: list[tuple[int, list[str]]] | None  # the place of each gradient in the result and its names; None: not known
    keys: dict[str, list[str]] = field(default_factory=dict)  # of each argument that is a dict of parameters

    @property
    def __signature__(self) -> inspect.Signature:
        """All arguments by keyword. What may be left out at test time (y=None, reg=0) may not be left out here."""
        found = []
        for p in inspect.signature(self.function).parameters.values():
            drawn = kind_of(p.name, self.name) == "target" or p.name in REGULARISED
            for name in self.keys.get(p.name, [p.name] if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY) else []):
                found.append(p.replace(name=name, kind=p.KEYWORD_ONLY, default=p.empty if drawn else p.default))
        return inspect.Signature(found)

    def __call__(self, **given: Any) -> tuple[Any, dict[str, Any]]:
        """Return (loss, the gradients by the names of their arguments)."""
        packed = {name: {key: given.pop(key) for key in keys} for name, keys in self.keys.items()}
        names = [name for name, x in given.items() if differentiable(x)]
        names += [key for entries in packed.values() for key, x in entries.items() if differentiable(x)]
        result = self.function(**given, **packed)
        if not isinstance(result, tuple | list) or len(result) < 2:
            raise UserError(f"{self.name}: expected two values, (loss, gradients), got {type(result).__name__}")
        if np.size(result[0]) != 1:
            raise UserError(f"{self.name}: expected a number as the loss, got an array of shape {np.shape(result[0])}")
        loss = np.reshape(result[0], ())[()] if hasattr(result[0], "dtype") else float(result[0])
        return loss, self._by_argument(result, names)

    def _by_argument(self, result: Any, names: list[str]) -> dict[str, Any]:
        """Return the gradients by argument: a dict has keys; others are told by their names in the code, or by their order."""
        places = self.returned or [(i, []) for i in range(1, len(result))]
        grads, titles = [], []
        for i, words in places:
            if isinstance(result[i], dict):
                return result[i]
            several = isinstance(result[i], tuple | list) and not all(isinstance(g, float | int) for g in result[i])
            found = list(result[i]) if several else [result[i]]
            grads += found
            titles += words if len(words) == len(found) else [""] * len(found)
        named = [next((name for name in names if is_gradient_of(title, name)), "") for title in titles]
        kinds = {name: kind_of(name, self.name) for name in names if name not in named}
        rest = iter([name for name in kinds if kinds[name] in PARAMETERS] or [n for n in kinds if kinds[n] not in CONSTANT])
        owners = [name or next(rest, "") for name in named]
        if "" in owners:
            raise UserError(f"{self.name}: returns {len(grads)} gradients, and it takes {', '.join(names)}")
        return {name: None if g is None else np.asarray(g) for name, g in zip(owners, grads, strict=True)}

    def inputs(self, make: Callable) -> Callable:
        """Return NAME_inputs with the dicts of parameters taken apart; it is handed back as it is where it is no function."""
        if not callable(make):
            return make

        def inputs(*arguments: Any) -> Any:
            made, known = make(*arguments), inspect.signature(self.function).parameters
            if isinstance(made, tuple | list):
                made = dict(zip(known, made, strict=False)) if len(made) <= len(known) else made
            if not isinstance(made, dict):
                return made
            left_out = {n: p.default for n, p in known.items() if n in REGULARISED and p.default is not p.empty}
            made = left_out | made
            packed = {n: x for n, x in made.items() if isinstance(x, dict) and any(map(differentiable, x.values()))}
            self.keys = {name: list(x) for name, x in packed.items()}
            alone = {name: x for name, x in made.items() if name not in packed}
            return alone | {key: x for entries in packed.values() for key, x in entries.items()}

        inputs.__signature__ = inspect.signature(make)  # type: ignore[attr-defined]
        return inputs


def times_dout(dout: Any, grads: dict[str, Any]) -> dict[str, Any]:
    """The backward of a loss. A Python float leaves the gradients their dtype."""
    return {name: None if g is None else g * float(dout) for name, g in grads.items()}


def find_losses(functions: dict[str, Callable]) -> Iterator[Loss]:
    """Yield the losses among some functions that return gradients, judged by their code."""
    for name, function in functions.items():
        if not inspect.isfunction(inspect.unwrap(function)) or not _is_loss(name, function):
            continue
        code = _code(function)
        found = _gradients(code, functions) if code else None
        if code is None or found:
            arguments = [p.name for p in inspect.signature(function).parameters.values()]
            yield Loss(name, function, found if isinstance(found, list) else None, _keys(code, arguments) if code else {})


def returns_no_gradient(function: Callable) -> bool:
    """Whether a function returns something, for a loss that is no `Loss`."""
    code = _code(function)
    return code is not None and any(isinstance(node, ast.Return) and node.value for node in _inside(code))


def _is_loss(name: str, function: Callable) -> bool:
    arguments = inspect.signature(function).parameters
    regularised = any(n in REGULARISED for n in arguments) and any(kind_of(n) == "target" for n in arguments)
    return bool(LOSS.search(name)) or regularised


def _code(function: Callable) -> ast.FunctionDef | None:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body[0]
    except (OSError, SyntaxError, IndexError, TypeError):
        return None
    return tree if isinstance(tree, ast.FunctionDef) else None


def _inside(code: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of the functions in it, in the order of the code."""
    for node in ast.iter_child_nodes(code):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield node
            yield from _inside(node)


def _gradients(code: ast.FunctionDef, functions: dict[str, Callable]) -> list[tuple[int, list[str]]] | bool:
    """Return the places and the names of the gradients in the result; True: not known, another loss makes it; False: none."""
    arguments = [a.arg for a in code.args.posonlyargs + code.args.args + code.args.kwonlyargs]
    tuples = {}
    for node in _inside(code):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple) and isinstance(node.targets[0], ast.Name):
            tuples[node.targets[0].id] = node.value
        if not isinstance(node, ast.Return):
            continue
        value = tuples.get(node.value.id, node.value) if isinstance(node.value, ast.Name) else node.value
        if isinstance(value, ast.Tuple | ast.List):
            parts = [(i, part) for i, part in enumerate(value.elts) if i > 0 and _looks_like_a_gradient(part, arguments)]
            if parts:
                return [(i, [_title(e) for e in getattr(part, "elts", [part])]) for i, part in parts]
        called = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
        if called != code.name and called in functions and next(find_losses({called: functions[called]}), None):
            return True
    return False


def _looks_like_a_gradient(part: ast.AST, arguments: list[str]) -> bool:
    """Whether an expression names a gradient (dx, grads, dW / N), or is a difference or a matrix product ((p - y) / N)."""
    nodes = list(ast.walk(part))
    words = [getattr(node, "id", getattr(node, "attr", getattr(node, "value", ""))) for node in nodes]
    for word in [word for word in words if isinstance(word, str)]:
        after_d = re.match("d_?([^_]+)", word)  # x of dx, d_x and dx_flat
        if GRADIENT.search(word) or (after_d and kind_of(after_d[1])) or any(is_gradient_of(word, a) for a in arguments):
            return True
    computed = isinstance(part, ast.BinOp | ast.UnaryOp)
    return computed and any(isinstance(node, ast.Sub | ast.USub | ast.MatMult) for node in nodes)


def _title(part: ast.AST) -> str:
    """Return the name that an expression begins with: dx of `dx`, of `dx / N` and of `dx.reshape(N, D)`."""
    return next((node.id for node in ast.walk(part) if isinstance(node, ast.Name)), "")


def is_gradient_of(title: str, name: str) -> bool:
    """Whether a gradient's name is that of an argument: dW, d_W, dL_dW, grad_W, gradW, W_grad."""
    name = re.escape(name)
    return bool(re.fullmatch(f"(d|d_|dL_?d_?|grad_?){name}|{name}_?grad", title, re.IGNORECASE))


def _keys(code: ast.FunctionDef, arguments: list[str]) -> dict[str, list[str]]:
    """Return the keys of each argument that is a dict of parameters: it is read as params["W1"]."""
    found: dict[str, list[str]] = {}
    for node in _inside(code):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and isinstance(node.slice, ast.Constant):
            name, key = node.value.id, node.slice.value
            if name in arguments and isinstance(key, str) and key not in [*arguments, *found.get(name, [])]:
                found.setdefault(name, []).append(key)
    return {name: keys for name, keys in found.items() if any(kind_of(key) in PARAMETERS for key in keys)}
