"""Read the code of the user's functions: what they return and under which names."""

from __future__ import annotations

import ast
import inspect
import linecache
import re
import sys
from collections.abc import Callable, Container, Iterable, Iterator
from functools import lru_cache
from types import CodeType
from typing import Any


def code_of(function: Callable) -> ast.FunctionDef | None:
    """Return the code of a function or of a method; None where there is none to read."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return _parsed(code, code.co_filename) if isinstance(code, CodeType) else None


@lru_cache(maxsize=256)  # a check asks for the same few functions a thousand times
def _parsed(code: CodeType, _: str) -> ast.FunctionDef | None:  # the same code in two files is equal, its text need not be
    lines = linecache.getlines(code.co_filename)[code.co_firstlineno - 1 :]  # inspect.getsource asks all modules: 0.1 s
    method = lines[:1] != [line.lstrip() for line in lines[:1]]
    try:  # a comment in a method may begin at the left edge, so its lines are not moved there
        found = ast.parse("".join(["if 1:\n"] * method + inspect.getblock(lines))).body[0]
    except (SyntaxError, IndexError):
        return None
    tree = ast.increment_lineno(found.body[0], -1) if isinstance(found, ast.If) else found
    return tree if isinstance(tree, ast.FunctionDef) else None


def methods_in(cls: type) -> dict[str, Callable]:
    """Return the methods of a class by name, its constructor and those that it inherits among them."""
    return {name: method for owner in cls.__mro__[::-1] for name, method in vars(owner).items() if inspect.isfunction(method)}


def inside(code: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a function without those of the functions in it, in the order of the code."""
    for node in ast.iter_child_nodes(code):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            yield node
            yield from inside(node)


def nodes_of(function: Callable) -> list[ast.AST]:
    """Return the nodes of a function's code, without those of the functions in it; [] where there is none to read."""
    return _nodes(code_of(function))


def multiplies(code: ast.AST) -> bool:
    """Whether there is a product of matrices in some code."""
    return any(isinstance(n, ast.MatMult) or getattr(n, "attr", "") in ("dot", "matmul", "outer") for n in ast.walk(code))


def arguments_of(function: Callable) -> list[str]:
    """Return the names of the arguments in a function's code, without * and **."""
    code = code_of(function)
    return [a.arg for a in code.args.posonlyargs + code.args.args + code.args.kwonlyargs] if code else []


@lru_cache(maxsize=256)
def _nodes(code: ast.FunctionDef | None) -> list[ast.AST]:
    return list(inside(code)) if code else []


def returned(function: Callable) -> list[ast.expr]:
    """Return what a function returns, the last `return` first. `return grads` gives what grads was set to if it is a tuple."""
    code = code_of(function)
    return _returned(code) if code else []


@lru_cache(maxsize=256)
def _returned(code: ast.FunctionDef) -> list[ast.expr]:
    assigned, found = {}, []
    for node in inside(code):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assigned[node.targets[0].id] = node.value
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("append", "insert"):
            assigned.pop(title(node.func.value), None)  # activations = [X] grows
        if isinstance(node, ast.Return) and node.value:
            known = assigned.get(node.value.id) if isinstance(node.value, ast.Name) else None
            found.append(known if isinstance(known, ast.Tuple | ast.List) else node.value)
    return found[::-1]


def parts_returned(function: Callable) -> list[ast.expr]:
    """Return what a function returns, each value of a tuple or a list for itself."""
    return [part for value in returned(function) for part in getattr(value, "elts", [value])]


def calls_of(function: Callable) -> Iterator[tuple[Callable, dict[str, str]]]:
    """Yield each function of the file that is called, and the names that are handed to it, by its own for them."""
    known = getattr(inspect.unwrap(function), "__globals__", {})
    for node in nodes_of(function):
        called = known.get(node.func.id) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else None
        if isinstance(node, ast.Call) and inspect.isfunction(called):
            handed = [*zip(inspect.signature(called).parameters, node.args, strict=False)]
            handed += [(k.arg, k.value) for k in node.keywords if k.arg]
            yield called, {name: ast.unparse(value) for name, value in handed if isinstance(value, ast.Name | ast.Attribute)}


def prefixes_of(function: Callable) -> dict[str, str]:
    """Return the words that keys begin with, by argument: its default, or none: prefix of ``params[f"{prefix}_W"]``."""
    keys = [node.slice for node in nodes_of(function) if isinstance(node, ast.Subscript)]
    first = {ast.unparse(key.values[0]).strip("f'{}") for key in keys if isinstance(key, ast.JoinedStr)}
    alone = [p for p in parameters(function) if p.default is p.empty and p.name in first]
    return {p.name: p.default for p in parameters(function) if isinstance(p.default, str)} | {p.name: "" for p in alone}


def followed(function: Callable, name: str, depth: int) -> Iterator[tuple[Callable, str]]:
    """Yield a function and the name of an argument, then each function that this is handed to, and its name there."""
    yield function, name
    for called, handed in calls_of(function) if depth else ():
        for taken in [taken for taken, value in handed.items() if value == name]:
            yield from followed(called, taken, depth - 1)


def own_text(function: Any) -> str:
    """Return the code of a function alone, without its docstring."""
    code = code_of(function)
    return "\n".join(ast.unparse(line) for line in code.body if not isinstance(line, ast.Expr)) if code else ""


def text_of(code: Callable) -> str:
    """Return the text of a function or class and of all that it calls that is the user's; raise OSError without one."""
    found: dict[Callable, str] = {}

    def read(code: Callable) -> None:
        found[code] = inspect.getsource(code)
        known = getattr(code, "__globals__", None) or vars(sys.modules.get(code.__module__, code))
        for called in (known.get(name) for name in re.findall(r"[^\W\d]\w*", found[code])):
            if (inspect.isfunction(called) or inspect.isclass(called)) and called not in found and _is_the_users(called):
                read(called)

    read(inspect.unwrap(code))
    return "\n".join(found.values())


def _is_the_users(code: Any) -> bool:
    """Whether a function or class is neither Python's own nor of an installed package."""
    try:
        file = inspect.getsourcefile(code) or ""
    except TypeError:
        return False
    return code.__module__.partition(".")[0] not in sys.stdlib_module_names and "site-packages" not in file


def lists_in(nodes: Iterable[ast.AST]) -> dict[str, ast.Tuple | ast.List]:
    """Return the tuples and lists that are assigned to a name: grads of ``grads = [dW, db]``."""
    assigned = [node for node in nodes if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)]
    return {node.targets[0].id: node.value for node in assigned if isinstance(node.value, ast.Tuple | ast.List)}  # type: ignore[attr-defined]


def titles_of(function: Callable, count: int, read: Callable[[ast.expr], str] | None = None) -> list[str]:
    """Return the names of the `count` values that a function returns; "" for one that has no name, as `x + 1`."""
    read = read or plain_title
    for value in returned(function):
        if count > 1 and isinstance(value, ast.Tuple | ast.List) and len(value.elts) == count:
            return [read(e) for e in value.elts]
        if count == 1 and not isinstance(value, ast.Tuple):
            return [read(value)]
    return [""] * count


def beside(function: Callable) -> str:
    """Return the text of a function's file; of a notebook, that of all its cells but those with a syntax error; "" for none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    file = code.co_filename if isinstance(code, CodeType) else ""
    book, is_cell, _ = file.rpartition(", cell ")
    cells = [name for name in linecache.cache if is_cell and name.startswith(f"{book}{is_cell}")]
    return "\n".join(text for text in ("".join(linecache.getlines(name)) for name in cells or [file]) if parsed(text))


@lru_cache(maxsize=256)
def parsed(text: str) -> ast.Module | None:
    """Return the tree of a text; None for one with a syntax error, and for one that is empty."""
    try:
        return ast.parse(text) if text else None
    except SyntaxError:
        return None


def unpacked(function: Callable) -> list[list[str]]:
    """Return the names that the calls in a function's file give to the values that it returns: dx, dw of `dx, dw = f(...)`."""
    return _unpacked(beside(function), getattr(inspect.unwrap(function), "__name__", ""))


@lru_cache(maxsize=256)
def _unpacked(text: str, name: str) -> list[list[str]]:
    found = []
    for node in ast.walk(parsed(text) or ast.Pass()):
        called = node.value.func if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) else None
        if isinstance(node, ast.Assign) and isinstance(called, ast.Name) and called.id == name:
            found += [[plain_title(e) for e in getattr(target, "elts", [target])] for target in node.targets]
    return found


def makers_of(function: Callable) -> list[str]:
    """Return the functions whose results its file hands to a function, where both take something in common: the last first.

    ``predict`` is one of ``y_hat = predict(x, w); dw = backprop(x, y, y_hat)``.
    """
    return _makers(beside(function), getattr(inspect.unwrap(function), "__name__", ""))


@lru_cache(maxsize=256)
def _makers(text: str, name: str) -> list[str]:
    nodes = list(ast.walk(parsed(text) or ast.Pass()))
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)]
    taken = {call: {n.id for e in call.args for n in ast.walk(e) if isinstance(n, ast.Name)} for call in calls}
    made = [node for node in nodes if isinstance(node, ast.Assign) and node.value in taken]
    results = {node: {n.id for e in node.targets for n in ast.walk(e) if isinstance(n, ast.Name)} for node in made}
    found = []
    for call in [call for call in calls if call.func.id == name]:  # type: ignore[attr-defined]
        before = [node for node in made if node.lineno < call.lineno and results[node] & taken[call]]
        alike = [node for node in before if taken[node.value] & taken[call] - results[node]]  # type: ignore[index]
        found += [node.value.func.id for node in sorted(alike, key=lambda node: -node.lineno)]  # type: ignore[attr-defined]
    return list(dict.fromkeys(found))


def title(part: ast.AST) -> str:
    """Return the name that an expression begins with: dx of `dx`, of `dx / N` and of `dx.reshape(N, D)`."""
    return next((node.id for node in ast.walk(part) if isinstance(node, ast.Name)), "")


def plain_title(part: ast.AST) -> str:
    """Return the name of a value: dx of `dx`, `np.array(dx)` and `dx.reshape(N, D)`, W of `self.W`; "" for none."""
    if isinstance(part, ast.Tuple | ast.List):
        return ", ".join(map(plain_title, part.elts))
    if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr in ("reshape", "copy", "astype"):
        return plain_title(part.func.value)
    if isinstance(part, ast.Call) and ast.unparse(part.func) in ("np.array", "np.asarray", "np.stack") and part.args:
        return plain_title(part.args[0])
    if isinstance(part, ast.Attribute):
        return part.attr if isinstance(part.value, ast.Name) and part.value.id == "self" else ""
    return part.id if isinstance(part, ast.Name) else ""


def scaled_title(part: ast.expr) -> str:
    """Return the name of a gradient in `2 * dW`, `dW / N` and `dW + reg * W` too."""
    if isinstance(part, ast.BinOp):
        return scaled_title(part.left) or scaled_title(part.right)
    return plain_title(part)


def is_gradient_of(title: str, name: str, fold: Callable[[str], str] = str.lower) -> bool:
    """Whether a gradient's name is that of an argument: dW, d_W, dj_dW, grad_W, gradW, W_grad; `fold` is str for W not w."""
    prefix, suffix = "(?i:d_?|d[a-z]+_d_?|dLd_?|g_?|grad(ient)?_?|nabla_?)", "_?(?i:grad(ient)?)"
    forms = [(fold(title), re.escape(fold(name)))]
    forms += [(fold(title).replace("_", ""), re.escape(fold(name).replace("_", "")))] if "_" in name else []  # dWhh of W_hh
    return any(re.fullmatch(f"{prefix}{word}|{word}{suffix}", form) for form, word in forms)


def closure_returned(value: ast.expr, function: Callable) -> str:
    """Return the name of the function made inside that is the second of two values returned; "a lambda" for one; else ""."""
    second = value.elts[1] if isinstance(value, ast.Tuple) and len(value.elts) == 2 else None
    if isinstance(second, ast.Lambda):
        return "lambda"
    made = [node.name for node in ast.walk(code_of(function) or ast.Pass()) if isinstance(node, ast.FunctionDef)][1:]
    return second.id if isinstance(second, ast.Name) and second.id in made else ""


def needs_no_object(cls: type, name: str, seen: tuple[str, ...] = (), known: Container[str] = ()) -> bool:
    """Whether a method, and those that it calls, read no attribute of self that is not the class's own, or known."""
    method = inspect.getattr_static(cls, name)
    code = code_of(getattr(cls, name)) if isinstance(method, staticmethod | classmethod) or inspect.isfunction(method) else None
    if code is None or isinstance(method, staticmethod | classmethod):
        return code is not None
    me = next((a.arg for a in code.args.args), "")
    used = [node for node in ast.walk(code) if isinstance(node, ast.Name) and node.id == me]
    read = [node.attr for node in ast.walk(code) if isinstance(node, ast.Attribute) and node.value in used]
    others = [attribute for attribute in read if attribute not in (name, *seen)]
    return len(read) == len(used) and all(
        a in known or (hasattr(cls, a) and (not callable(getattr(cls, a)) or needs_no_object(cls, a, (name, *seen), known)))
        for a in others
    )


def parameters(function: Callable, kinds: Container = tuple(inspect._ParameterKind)) -> list[inspect.Parameter]:
    """Return the parameters of a function, or those of some kinds; [] for a built-in function without a signature."""
    try:
        found = list(inspect.signature(_under_decorator(function)).parameters.values())
    except (TypeError, ValueError):
        return []
    taken = found[1:] if inspect.isclass(function) and found[:1] and found[0].name == "self" else found
    return [p for p in taken if p.kind in kinds]


def signature_of(names: Iterable[str]) -> inspect.Signature:
    """Return the signature of a function that takes arguments of these names."""
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names])


def _under_decorator(function: Callable) -> Callable:
    """Return the method that a decorator without functools.wraps has put its wrapper(*args, **kwargs) before."""
    outer = function.__init__ if inspect.isclass(function) else function  # type: ignore[misc]
    code = getattr(outer, "__code__", None)
    if not isinstance(code, CodeType) or code.co_varnames[code.co_argcount :][:2] != ("args", "kwargs"):
        return function
    held = [cell.cell_contents for cell in outer.__closure__ or () if inspect.isfunction(cell.cell_contents)]
    return next((inner for inner in held if "<locals>" not in inner.__qualname__), function)
