"""Find the losses that return (loss, gradients), forward and backward in one function, and make a pair of each."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...gradcheck.problem.problem import differentiable
from ..read.match_names import has, says_slope, words_of
from ..read.packed import packed_of
from ..read.read_code import code_of, inside, is_gradient_of, lists_in, parameters, parts_returned, plain_title, returned, title
from ..run_code import UserError
from ..unfinished import Unfinished
from .about import about
from .conventions import is_cache, is_cotangent
from .kinds import CONSTANT, NAMED, PARAMETERS, kind_of
from .module_arrays import owner_of, parameters_read, with_arrays
from .read_gradients import by_shape

LOSS = re.compile(r"(^|_)(loss|cost)(?![a-z])|(Loss|Cost)(?![a-z])")  # svm_loss, svm_loss_naive, softmaxLoss, costFunction
REGULARISED = ("reg", "lambd", "lambda_", "weight_decay")  # a function of y and one of these is a loss, whatever its name
GRADIENT = re.compile(r"grad|deriv|^(d|g|delta|dl|dout)$", re.IGNORECASE)  # names of gradients, beside dx for an argument x
# Names of values beside a loss.
OTHER = re.compile(r"acc|resid|err|prob|pred|score|cache|logit|correct|loss|cost|hidden|state|history")
COST = re.compile(r"(.*_)?(loss|cost|J)")  # the name of a loss in `return grads, cost`
TRAINING = re.compile(r"train|fit|optimi|descent|update|epoch", re.IGNORECASE)  # it returns the gradients of its last step
COUNT = re.compile(r"[NnmM]|.*(size|shape|len|count|num|batch).*")  # names in what a gradient is divided by


@dataclass
class Loss:
    """A loss as a forward: it returns (loss, cache), and `backward(dout, cache)` gives the gradients by argument."""

    name: str
    function: Callable
    returned: list[tuple[int, list[str]]] | None  # the place of each gradient in the result and its names; None: not known

    def __post_init__(self) -> None:
        self.__wrapped__ = self.function
        self.about = about(self.function)
        self.packed = packed_of(self.function)
        places = {i for i, _ in self.returned or []}
        self.place = next(i for i in range(len(places) + 1) if i not in places)  # of the loss
        # All arguments by keyword. What may be left out at test time (y=None, reg=0) may not be left out here.
        found = []
        for p in parameters(self.function, (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)):
            drawn = p.name in REGULARISED or (kind_of(p.name, self.name) == "target" and p.default is None)
            found.append(p.replace(kind=p.KEYWORD_ONLY, default=p.empty if drawn else p.default))
        self.__signature__ = inspect.Signature(found)

    def __call__(self, **given: Any) -> tuple[Any, tuple]:
        """Return (loss, (all that the function returned, its arguments))."""
        result = self.function(**given)
        if isinstance(result, dict):  # {"loss": loss, "dW": dW}
            value = next((x for key, x in result.items() if COST.fullmatch(str(key))), None)
            result = value, {n: g for n in given for key, g in result.items() if is_gradient_of(str(key), n)}
        if not isinstance(result, tuple | list) or len(result) < 2:
            raise UserError(f"{self.name}: expected two values, (loss, gradients), got {type(result).__name__}")
        value = result[self.place if self.place < len(result) else 0]
        if value is None:
            raise Unfinished(f"{self.name} returns None as the loss: it is unfinished")
        if np.size(value) != 1:
            # no UserError: with other inputs it may be a number
            raise ValueError(f"{self.name}: expected a number as the loss, got an array of shape {np.shape(value)}")
        return np.reshape(value, ())[()] if hasattr(value, "dtype") else float(value), (result, given)

    def backward(self, dout: Any, cache: tuple) -> dict[str, Any]:
        """Return the gradients by argument, times dout. A Python float leaves the gradients their dtype."""
        result, given = cache
        entries = {key: x for name, x in given.items() for key, x in self._entries(name, x)}
        found = self._by_argument(result, {name: x for name, x in entries.items() if differentiable(x)})
        return {name: None if g is None else g * float(dout) for name, g in found.items()}

    def _entries(self, name: str, x: Any) -> Iterable[tuple[str, Any]]:
        """Return the parameters in an argument, by their names: those of a dict, or of ``W1, b1 = params``."""
        names = self.packed[name].names if name in self.packed and isinstance(x, tuple | list) else ()
        values = (
            [value for one in x for value in (one if isinstance(one, tuple) else [one])] if names else []
        )  # [(W1, b1), ...]
        return x.items() if isinstance(x, dict) else zip(names, values, strict=False) if names else [(name, x)]

    def _by_argument(self, result: Any, given: dict[str, Any]) -> dict[str, Any]:
        """Return the gradients by argument: a dict has keys; others are told by their names in the code, or by their order."""
        places = self.returned or [(i, []) for i in range(1, len(result))]
        grads, titles = [], []
        for i, words in places:
            if isinstance(result[i], dict):
                return result[i]
            several = isinstance(result[i], tuple | list) and not all(isinstance(g, float | int) for g in result[i])
            listed = list(result[i]) if several else [result[i]]
            found = [g for one in listed for g in (one if isinstance(one, tuple | list) else [one])]  # (dW, db) of each layer
            grads += found
            titles += words if len(words) == len(found) else [""] * len(found)
        every = {name: kind_of(name, self.name) for name in given}
        if len(grads) < len(given):  # then the targets have none: dl_dy is that of y_tilde
            every = {name: kind for name, kind in every.items() if kind not in CONSTANT} or every
        named = [next((n for n in every if is_gradient_of(word, n)), owner_of(word, self.about.arrays)) for word in titles]
        kinds = {name: kind for name, kind in every.items() if name not in named}
        free = [name for name in kinds if kinds[name] not in CONSTANT]
        unnamed = [g for name, g in zip(named, grads, strict=True) if not name]
        parameters = [name for name in free if kinds[name] in PARAMETERS]
        elsewhere = {np.shape(given[name]) for name in free} - {np.shape(given[name]) for name in parameters}
        learned = len(parameters) >= len(unnamed) and not any(np.shape(g) in elsewhere for g in unnamed)
        owners = by_shape(unnamed, {name: given[name] for name in (parameters if learned else free)})
        if owners is None:
            raise UserError(f"{self.name}: returns {len(grads)} gradients, and it takes {', '.join(given)}")
        rest = iter(owners)
        return {name or next(rest): None if g is None else np.asarray(g) for name, g in zip(named, grads, strict=True)}


def find_losses(functions: dict[str, Callable]) -> Iterator[Loss]:
    """Yield the losses among some functions that return gradients, judged by their code."""
    for name, function in functions.items():
        if not inspect.isfunction(inspect.unwrap(function)) or not _is_loss(name, function) or _is_slope(name, function):
            continue
        code = code_of(function)
        found = returned_gradients(code, functions) if code else None
        if code is None or (found and not _hands_out_functions(function)):
            own = with_arrays(function, parameters_read(function, function))
            yield Loss(name, own, found if isinstance(found, list) else None)


def meant_as_a_loss(name: str, function: Callable) -> bool:
    """Whether a function that is no `Loss` was meant as one, by its name; where that is no proof, it returns several values."""
    several = LOSS.search(name) and any(isinstance(value, ast.Tuple) for value in returned(function))
    meant = name.endswith("_loss") or bool(several and not name.endswith("_inputs"))
    return meant and not _hands_out_functions(function)


def _hands_out_functions(function: Callable) -> bool:
    """Whether what a function returns are functions of its file: get_loss, with mse and mse_derivative."""
    known = getattr(inspect.unwrap(function), "__globals__", {})
    names = parts_returned(function)
    return bool(names) and all(inspect.isfunction(known.get(plain_title(part))) for part in names)


def makes_its_loss(function: Callable) -> bool:
    """Whether a function called backward returns (loss, gradients), of the data: forward and backward in one."""
    values = [value for value in returned(function) if isinstance(value, ast.Tuple) and COST.fullmatch(title(value.elts[0]))]
    return bool(values) and not any(is_cotangent(p.name, []) or is_cache(p.name) for p in parameters(function))


def _is_loss(name: str, function: Callable) -> bool:
    arguments = inspect.signature(function).parameters
    regularised = any(n in REGULARISED for n in arguments) and any(kind_of(n) == "target" for n in arguments)
    tuples = [value.elts for value in returned(function) if isinstance(value, ast.Tuple) and len(value.elts) > 1]
    told = any(
        COST.fullmatch(title(loss))
        and all(
            isinstance(g, ast.Dict) or GRADIENT.search(title(g)) or any(is_gradient_of(title(g), a) for a in arguments)
            for g in gradients
        )
        for parts in tuples
        for loss, *gradients in (parts, parts[::-1])
    )
    # the other words say so only where something beside the loss looks like a gradient
    named = LOSS.search(name) or NAMED & set(words_of(name)) or re.search("(and|with)_grad(s|ient|ients)?$", name)
    costs = [e for parts in tuples for e in parts if COST.fullmatch(title(e))]  # none of an HMM's forward_backward
    both = has(name, "FORWARD") and has(name, "BACKWARD") and (costs or any(map(_keys_with_a_loss, returned(function))))
    return bool(named) or regularised or bool(told and not TRAINING.search(name)) or bool(both)


def _keys_with_a_loss(value: ast.AST | None) -> list[str]:
    """Return the keys of a dict that holds a loss: {"loss": loss, "dW": dW}."""
    keys = [str(_word(key)) for key in value.keys if key] if isinstance(value, ast.Dict) else []
    return keys if any(map(COST.fullmatch, keys)) else []


def _is_slope(name: str, function: Callable) -> bool:
    """Whether a function is the gradient of a loss only: loss_gradient, whose first value is that of an argument."""
    first = [plain_title(getattr(value, "elts", [value])[0]) for value in returned(function)]
    return says_slope(name) and any(is_gradient_of(title, a) for title in first for a in inspect.signature(function).parameters)


def returned_gradients(code: ast.FunctionDef, functions: dict[str, Callable]) -> list[tuple[int, list[str]]] | bool:
    """Return the places and the names of the gradients in the result; True: not known, another loss makes it; False: none."""
    arguments = [a.arg for a in code.args.posonlyargs + code.args.args + code.args.kwonlyargs]
    tuples = lists_in(inside(code))
    for node in inside(code):
        if not isinstance(node, ast.Return):
            continue
        value = tuples.get(node.value.id, node.value) if isinstance(node.value, ast.Name) else node.value
        if any(is_gradient_of(key, a) for key in _keys_with_a_loss(value) for a in arguments):
            return True
        if isinstance(value, ast.Tuple | ast.List):
            first = 0 if any(COST.fullmatch(title(part)) for part in value.elts[1:]) else 1
            others = [(i, e) for i, e in enumerate(value.elts) if i >= first and not COST.fullmatch(title(e))]
            parts = [(i, e) for i, e in others if _looks_like_a_gradient(e, arguments, code)]
            rest = [(i, e) for i, e in others if not OTHER.search(plain_title(e).lower())]
            kinds = [kind_of(a) for a in arguments]
            inputs, learned = sum(k in ("", "x", "mean", "variance") for k in kinds), sum(k in PARAMETERS for k in kinds)
            if len(rest) > 1 and (len(rest) == inputs or (parts and len(rest) == learned)):
                parts = rest  # a value for each of several: (loss, ga, gb) of a and b
            if parts:
                lists = [(i, getattr(tuples.get(plain_title(part), part), "elts", [part])) for i, part in parts]
                return [(i, [title(e) for e in found]) for i, found in lists]
        called = value.func.id if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) else ""
        if called != code.name and called in functions and next(find_losses({called: functions[called]}), None):
            return True
    return False


def _looks_like_a_gradient(part: ast.AST, arguments: list[str], code: ast.AST) -> bool:
    """Whether an expression names a gradient (dx, grads, dW / N), is a difference or a product, or is divided by a count."""
    nodes = list(ast.walk(part))
    words = [word for node in nodes if isinstance(word := _word(node), str)]
    known = {node.id for node in ast.walk(code) if isinstance(node, ast.Name)}
    subtracts = [node for node in ast.walk(code) if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub)]
    changed = [title(node.target) for node in subtracts if isinstance(node.target, ast.Subscript)]  # p[np.arange(n), y] -= 1
    if isinstance(part, ast.Name) and part.id in changed:
        return True
    for word in words:
        after_d = re.match("d_?([^_]+)", word)  # x of dx, d_x and dx_flat
        of_known = re.fullmatch("d_?(.+)", word)  # flat of dflat, where there is a flat
        if GRADIENT.search(word) or (after_d and kind_of(after_d[1])) or any(is_gradient_of(word, a) for a in arguments):
            return True
        if of_known and of_known[1] in known and word not in arguments:
            return True
    if OTHER.search(plain_title(part).lower()):
        return False
    if isinstance(part, ast.Tuple):
        return any(_looks_like_a_gradient(e, arguments, code) for e in part.elts)
    divided = [node.right for node in nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]
    by_count = any(COUNT.fullmatch(str(_word(node))) for by in divided for node in ast.walk(by))
    if by_count and not {"sum", "mean"} & set(words):
        return True
    computed = isinstance(part, ast.BinOp | ast.UnaryOp)
    product = any(isinstance(node, ast.Sub | ast.USub | ast.MatMult) or _word(node) == "dot" for node in nodes)
    rolled = {"concatenate", "r_", "hstack", "append"} & set(words) and {"ravel", "flatten", "reshape"} & set(words)
    return (computed and product) or bool(rolled or {"where", "sign", "outer"} & set(words))


def _word(node: ast.AST) -> object:
    return getattr(node, "id", getattr(node, "attr", getattr(node, "value", "")))
