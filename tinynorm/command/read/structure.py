"""Find a forward and its backward by what they do, whatever they are called: capa_adelante and capa_atras."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator

from .match_names import words_of
from .read_code import code_of, inside, returned


def partners_by_code(functions: dict[str, Callable]) -> Iterator[tuple[str, str, str]]:
    """Yield (title, forward, backward) for functions with names that differ in one word, and the code of one of each."""
    forwards = [name for name, function in functions.items() if keeps_a_cache(function)]
    backwards = [name for name, function in functions.items() if unpacks_a_cache(function)]
    for forward in forwards:
        alike = [name for name in backwards if _title(forward, name)]
        if len(alike) == 1:
            yield _title(forward, alike[0]), forward, alike[0]


def _title(one: str, other: str) -> str:
    """Return the words that two names have in common, where only the last one differs, or only the first; else ""."""
    first, second = words_of(one), words_of(other)
    if len(first) != len(second) or len(first) < 2:
        return ""
    return "_".join(first[:-1] if first[:-1] == second[:-1] else first[1:] if first[1:] == second[1:] else [])


def keeps_a_cache(function: Callable) -> bool:
    """Whether a function returns (out, (x, w)), where x or w is its argument."""
    code = code_of(function) if inspect.isfunction(function) else None
    names = {a.arg for a in code.args.args} if code else set()
    pairs = [value.elts for value in returned(function) if isinstance(value, ast.Tuple)] if names else []
    caches = [two[1].elts for two in pairs if len(two) == 2 and isinstance(two[1], ast.Tuple)]
    return any(getattr(part, "id", "") in names for parts in caches for part in parts)


def unpacks_a_cache(function: Callable) -> bool:
    """Whether a function takes its last argument apart, ``x, w = saved``, and returns products of several."""
    code = code_of(function) if inspect.isfunction(function) else None
    if code is None or len(code.args.args) < 2:
        return False
    last = code.args.args[-1].arg
    apart = any(
        isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and getattr(node.value, "id", "") == last
        for node in inside(code)
    )
    products = [node for value in returned(function) for node in ast.walk(value) if isinstance(node, ast.BinOp)]
    several = any(isinstance(value, ast.Tuple) and len(value.elts) > 1 for value in returned(function))
    return apart and (several or bool(products))
