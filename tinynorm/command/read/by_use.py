"""What an argument is by its use in the code, whatever it is called: a word, an index, the weight in ``x @ w + b`` ..."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Container, Iterator
from inspect import unwrap
from typing import Any, TypeGuard

import numpy as np

from .read_code import arguments_of, calls_of, code_of, followed, nodes_of, parameters, prefixes_of

ACTIVATIONS = ("relu", "sigmoid")  # one of them is what `else` is for, where the code names one only
MAKERS = ("zeros", "ones", "eye", "identity", "full", "empty")
MANY = 100  # classes; with more a check takes long
COUNTS = re.compile("size|shape|kernel|stride|pool|window")  # in the names of sizes
PRODUCTS = ("np.dot", "numpy.dot", "np.matmul", "numpy.matmul")


def guess(function: Callable, name: str, place: int) -> str:
    """Return the kind of an argument: "x" for the first, "one of relu | tanh" for a word, "function", any array or number.

    It is "nothing" where the code does not use it, and "object" where the code calls a method of it that arrays do not have;
    "random" where these are a random generator's.
    """
    words = [word for code, here in followed(function, name, 1) for word in words_meant(code, here)]
    if words:
        return f"one of {' | '.join(words)}"
    if any(prefixes_of(code).get(here) == "" for code, here in followed(function, name, 1)):
        return "one of "
    if any(isinstance(node, ast.Call) and getattr(node.func, "id", "") == name for node in nodes_of(function)):
        return "function"
    keys = [key for code, here in followed(function, name, 1) for key in _keys_of_each(nodes_of(code), here)]
    if any("act" in key for key in keys):
        return f"layers with {' | '.join(dict.fromkeys(keys))}"
    if code_of(function) and not any(getattr(node, "id", "") == name for node in ast.walk(code_of(function) or ast.Pass())):
        return "nothing"
    known = [(code_of(code) or ast.Pass(), here) for code, here in followed(function, name, 2)]
    nodes = [(node, here) for code, here in known for node in ast.walk(code)]  # in the functions made inside, too
    if _is_pair_of_sizes(nodes_of(function), name):
        return "pair of sizes"
    if taken_apart(function, name) and COUNTS.search(name):
        return "pair of sizes"
    if taken_apart(function, name) and "class" in name:  # class_weights: numbers, and no parameters
        return f"{taken_apart(function, name)} numbers"
    methods = [node.attr for node, here in nodes if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == here]
    if methods and not any(hasattr(np.ndarray, method) for method in methods):
        of_random = all(hasattr(np.random, method) or hasattr(np.random.Generator, method) for method in methods)
        return "random" if of_random else "object"
    return "x" if place == 0 else f"any {name}"


def taken_apart(function: Callable, name: str) -> int:
    """Return into how many names a function takes an argument apart, as ``ph, pw = pool_size``; 0 if it does not."""
    assigned = [node for node in nodes_of(function) if isinstance(node, ast.Assign)]
    apart = [node.targets[0] for node in assigned if getattr(node.value, "id", "") == name]
    return next((len(target.elts) for target in apart if isinstance(target, ast.Tuple)), 0)


def _keys_of_each(nodes: list[ast.AST], name: str) -> list[str]:
    """Return the keys that are read of each entry of a list: activation of ``for i, layer in enumerate(architecture)``."""
    keys: dict[str, None] = {}
    for node in nodes:
        if isinstance(node, ast.For) and re.fullmatch(
            rf"((enumerate|reversed|list)\()*{name}(, 1)?\)*", ast.unparse(node.iter)
        ):
            one = ast.unparse(node.target.elts[-1] if isinstance(node.target, ast.Tuple) else node.target)
            read = [part for part in ast.walk(node) if isinstance(part, ast.Subscript) and ast.unparse(part.value) == one]
            keys |= dict.fromkeys(str(part.slice.value) for part in read if _is_word(part.slice))  # type: ignore[attr-defined]
    return list(keys)


def _is_pair_of_sizes(nodes: list[ast.AST], name: str) -> bool:
    """Whether an argument is used as ``pool[0]`` and ``pool[1]`` only, in slices and counts."""
    elements = [node for node in nodes if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == name]
    numbers = [node.slice.value for node in elements if isinstance(node.slice, ast.Constant)]
    counts = [node for node in nodes if isinstance(node, ast.Slice) or isinstance(getattr(node, "op", None), ast.FloorDiv)]
    counted = any(part in elements for node in counts for part in ast.walk(node))
    return {*numbers} == {0, 1} and counted and len(numbers) == sum(getattr(node, "id", "") == name for node in nodes)


def takes_logarithms(function: Callable) -> bool:
    """Whether a loss takes logarithms, and no exponential, itself or in what it calls: then it is given probabilities."""
    nodes = [node for code in (function, *(called for called, _ in calls_of(function))) for node in nodes_of(code)]
    off = {p.name for p in parameters(function) if p.default is False}  # from_logits
    asked = [n for n in nodes if isinstance(n, ast.If) and getattr(n.test, "id", "") in off]
    left_out = {id(n) for branch in asked for part in (branch.test, *branch.body) for n in ast.walk(part)}
    words = {str(getattr(node, "attr", getattr(node, "id", ""))) for node in nodes if id(node) not in left_out}
    return bool(words & {"log", "log2"}) and not any(re.search("exp|soft|sigm|logi", word) for word in words)


def counts_written(function: Callable) -> list[int]:
    """Return the whole numbers that a function, or one that it calls, makes arrays with: 10 of ``np.zeros((10, m))``."""
    found: dict[int, None] = {}
    for code in (function, *(called for called, _ in calls_of(function))):
        known = getattr(unwrap(code), "__globals__", {})
        made = [node for node in nodes_of(code) if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in MAKERS]
        for part in [part for node in made for e in node.args for part in ast.walk(e)]:
            number = getattr(part, "value", known.get(getattr(part, "id", "")))
            found |= {number: None} if type(number) is int and 1 < number <= MANY else {}
    return list(found)


# ---- words -------------------------------------------------------------------------------------------------------------


def words_compared(function: Callable, name: str = "") -> list[str]:
    """Return the words that a function compares an argument with, or anything: relu, tanh of ``if activation == "relu"``."""
    words = (word for node in nodes_of(function) for word in _words(node, name))
    return list(dict.fromkeys(map(sys.intern, words)))  # for `is`


def compares_with_two(function: Callable, name: str) -> bool:
    """Whether a function asks of an argument, a number, whether it is 0 or 1, and nothing else."""
    asked = [node for node in nodes_of(function) if isinstance(node, ast.Compare) and ast.unparse(node.left) == name]
    numbers = [getattr(other, "value", None) for node in asked for other in node.comparators]
    return bool(numbers) and all(number in (0, 1) for number in numbers)


def words_meant(function: Callable, name: str) -> list[str]:
    """Return these words, or the keys of a table; of an activation where there is one only, with what `else` is for too."""
    nodes, known = nodes_of(function), getattr(unwrap(function), "__globals__", {})
    keyed = [(node.value, node.slice) for node in nodes if isinstance(node, ast.Subscript)]  # ACTIVATIONS[activation]
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args]
    keyed += [(node.func.value, node.args[0]) for node in calls if node.func.attr == "get"]  # type: ignore[attr-defined]
    tables = [known.get(ast.unparse(table)) for table, key in keyed if stands_for(key, name)]
    found = words_compared(function, name)
    found += [key for table in tables if isinstance(table, dict) for key in table if isinstance(key, str)]
    if len(found) != 1 or "act" not in name or any(getattr(node, "id", "") == "softmax" for node in nodes):
        return found
    return list(dict.fromkeys([*found, *ACTIVATIONS]))


def _words(node: ast.AST, name: str) -> Iterator[str]:
    if isinstance(node, ast.Compare) and stands_for(node.left, name):
        yield from (e.value for other in node.comparators for e in ast.walk(other) if _is_word(e))
    if isinstance(node, ast.Match) and stands_for(node.subject, name):
        yield from (e.value for case in node.cases for e in ast.walk(case.pattern) if _is_word(e))


def stands_for(node: ast.AST, name: str) -> bool:
    """Whether an expression is the name, as activation or self.activation, or name.lower(); "" for any."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
    return not name or ast.unparse(node) == name


def _is_word(node: ast.AST) -> TypeGuard[Any]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


# ---- indices -----------------------------------------------------------------------------------------------------------


def indices_of(function: Callable, depth: int = 1) -> dict[str, str]:
    """Return "index", "one index" or "indices" for each argument that is used so, by a function or by what it calls.

    An index is a number or several, as in ``W[word]``; one index is a number only; indices are a list, ``xs[t][inputs[t]]``.
    """
    arguments, nodes = {*arguments_of(function)}, nodes_of(function)
    of_list = dict(part for node in nodes for part in _taken_from(node))
    found: dict[str, str] = {}
    for called, handed in calls_of(function) if depth else ():
        inner = indices_of(called, depth - 1)
        found |= {name: inner[taken] for taken, name in handed.items() if taken in inner and name in arguments}
    places = [(_list_of(node), part) for node in nodes for part in _index_parts(node)]
    for _, part in places:
        name = _list_of(part) or of_list.get(getattr(part, "id", ""), "")
        if name in arguments:
            found[name] = "indices"
        elif isinstance(part, ast.Name) and part.id in arguments and part.id not in of_list:
            found.setdefault(part.id, "index")
    of_lists = {getattr(part, "id", "") for name, part in places if found.get(name) == "indices"}
    return {name: "one index" if kind == "index" and name in of_lists else kind for name, kind in found.items()}


def _index_parts(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") not in ("c_", "r_"):  # np.c_[ones, x]
        for part in node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]:
            yield from part.elts if isinstance(part, ast.List) else [part]  # x[:, [i]]


def _list_of(node: ast.AST) -> str:
    """Return the name of the list in ``name[i]``; "" for anything else."""
    element = isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice)
    return getattr(node.value, "id", "") if element else ""  # type: ignore[attr-defined]


def _taken_from(node: ast.AST) -> Iterator[tuple[str, str]]:
    """Yield (name, list) for ``name = list[i]`` and ``for name in list``, also with enumerate and zip."""
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and _list_of(node.value):
        yield node.targets[0].id, _list_of(node.value)
    if isinstance(node, ast.For | ast.comprehension):
        yield from _looped(node.target, node.iter)


def _looped(target: ast.expr, over: ast.expr) -> Iterator[tuple[str, str]]:
    if isinstance(over, ast.Name) and isinstance(target, ast.Name):
        yield target.id, over.id
    called = getattr(over.func, "id", "") if isinstance(over, ast.Call) and isinstance(target, ast.Tuple) else ""
    if called in ("enumerate", "zip"):
        parts = target.elts[called == "enumerate" :]  # type: ignore[attr-defined]
        for part, of in zip(parts, over.args, strict=False):  # type: ignore[attr-defined]
            yield from _looped(part, of)


# ---- formulas ----------------------------------------------------------------------------------------------------------


def kinds_in_a_product(function: Callable, names: list[str], kinds: dict[str, str]) -> dict[str, str]:
    """Return the kinds of the arguments of a function, if it has one product of two of them, with a bias or none, else {}.

    Of several products with the same x, as x @ Wmu and x @ Wvar, it returns those of what no name tells.
    """
    nodes = nodes_of(function)
    products = {node: pair for node in nodes if (pair := _operands(node)) and set(pair) <= set(names) and len(set(pair)) == 2}
    added = {name for node in nodes if (name := _added(node, products)) in names}
    alike = set.intersection(*map(set, products.values())) if products else set()
    if len(set(products.values())) != 1:
        weights = {name for pair in products.values() for name in pair} - alike
        told = len(alike) == 1 and kinds[min(alike)] == "x" and not any(kinds[name] for name in weights | added)
        return dict.fromkeys(weights, "weight") | dict.fromkeys(added, "bias") if told else {}
    pair = next(iter(products.values()))
    others = {getattr(node, "id", "") for node in nodes} & {*names} - {*pair, *added}
    if len(added) > 1 or any(kinds[name] not in ("target", "number", "index") for name in others):
        return {}
    x, weight = sorted(pair, key=lambda name: (_like_a_weight(name, kinds[name]), pair.index(name)))
    return {**dict.fromkeys(added, "bias"), x: "x", weight: "weight"}  # x itself may be added, as in x + tanh(x @ w)


def kinds_in_a_norm(function: Callable, names: list[str], kinds: dict[str, str]) -> dict[str, str]:
    """Return "affine" for the arguments that a normalisation multiplies with, or adds: what takes a root, and is no loss."""
    nodes = nodes_of(function)
    deviates = any(isinstance(node, ast.Attribute) and node.attr in ("var", "std", "sqrt") for node in nodes)
    sums = [node for node in nodes if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Add)]
    found = {}
    for operand in [e for node in sums for e in (node.left, node.right)] if deviates and "target" not in kinds.values() else ():
        array = isinstance(operand, ast.Subscript)  # a[:, None]
        name = _name(operand.value if isinstance(operand, ast.Subscript) else operand)
        if name in names[1:] and (kinds[name] in ("", "x", "bias", "weight") or (array and kinds[name] == "number")):
            found[name] = "affine"
    return found


def _like_a_weight(name: str, kind: str) -> int:
    """How much a name says that it is a weight: by its kind, or as a capital letter, which a matrix has; -1 for a layer's x."""
    if kind.endswith(("weight", "recurrent")) or "weight" in name.lower():
        return 3 if name.lower().startswith("w") else 2
    if kind == "hidden" or (kind == "x" and (len(name) > 1 or name.lower() in "xah")):
        return -1
    return 1 if len(name) == 1 and name.isupper() else 0


def _operands(node: ast.AST) -> tuple[str, str] | None:
    """Return the two names of a product, without ``.T``; ("", "") where an operand is none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return _name(node.left), _name(node.right)
    if isinstance(node, ast.Call) and ast.unparse(node.func) in PRODUCTS and len(node.args) == 2:
        return _name(node.args[0]), _name(node.args[1])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "dot" and len(node.args) == 1:
        return _name(node.func.value), _name(node.args[0])
    return None


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Attribute) and node.attr == "T":
        node = node.value
    return getattr(node, "id", "")


def _added(node: ast.AST, products: Container[ast.AST]) -> str:
    """Return the name that is added to one of these products, or, in ``out += name``, to what may be one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        both = (node.left, node.right)
        return next((_name(other) for one, other in (both, both[::-1]) if any(part in products for part in ast.walk(one))), "")
    return _name(node.value) if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) else ""
