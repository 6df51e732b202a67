"""Read a file that is written for an older Python, or that imports by dots in a folder that is no package."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

from ..run_code import package_of
from . import stand_ins
from .stand_ins import DIVIDED, ONE_NUMBER

DOTS = re.compile(rb'^\s*"?from\s+(\.+)', re.M)  # a line of a notebook begins with a quote
TOP = "_checked_folder"  # the package that the highest folder is taken for
EXCEPT = re.compile(rb"except (.+?), *(\w+) *:")
ENDS = re.compile(rb"(raise [\w.]+),.*\n?|print.*\n?")  # of which nothing, or the exception alone, is kept
FUTURE = b"import division"
TAB = 8  # columns, as Python 2 counted them
NAMED = f"from {stand_ins.__name__} import OLD_NAMES; globals().update(OLD_NAMES)"  # xrange and others


def parse(source: bytes, where: str) -> tuple[ast.Module, int]:
    """Return (the tree, 0); of a file for Python 2, the tree without its print statements and the first line that shows it."""
    first = 0
    while True:
        try:
            tree = ast.parse(source, where)
            return ast.fix_missing_locations(_Divisions().visit(tree)) if first and FUTURE not in source else tree, first
        except SyntaxError as wrong:
            lines, i = source.splitlines(keepends=True), (wrong.lineno or 0) - 1
            mended = _mended(lines, i, wrong) if 0 <= i < len(lines) else lines
            if mended == lines:
                raise
            source, first = b"".join(mended), first or i + 1


class _Divisions(ast.NodeTransformer):
    """Makes ``a / b`` a call of `divided`, and ``a /= b`` too."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        return ast.copy_location(ast.Call(ast.Name(DIVIDED, ast.Load()), [node.left, node.right], []), node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        before = deepcopy(node.target)
        before.ctx = ast.Load()
        value = ast.Call(ast.Name(DIVIDED, ast.Load()), [before, node.value, ast.Constant(True)], [])
        return ast.copy_location(ast.Assign([node.target], value), node)


class OneNumber(ast.NodeTransformer):
    """Makes the value of ``a[i, j] = v`` and of ``float(v)`` a number, where it is an array of one: NumPy 2.4 refuses that."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        compiled = any("jit" in ast.unparse(decorator) for decorator in node.decorator_list)  # Numba knows no other names
        return node if compiled else self.generic_visit(node)  # type: ignore[return-value]

    def visit_Assign(self, node: ast.Assign | ast.AugAssign) -> ast.stmt:
        self.generic_visit(node)
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if all(map(_is_of_an_element, targets)):
            node.value = self._one(node.value)
        return node

    visit_AugAssign = visit_Assign

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if ast.unparse(node.func) in ("float", "int") and len(node.args) == 1 and not isinstance(node.args[0], ast.Starred):
            node.args[0] = self._one(node.args[0])
        return node

    @staticmethod
    def _one(value: ast.expr) -> ast.expr:
        called = ast.Call(ast.Name(ONE_NUMBER, ast.Load()), [value], [])
        return ast.fix_missing_locations(ast.copy_location(called, value))


def _is_of_an_element(target: ast.expr) -> bool:
    """Whether it is that of an array, ``a[i, j]``; ``a[i]`` may be a list's, or a dict's."""
    parts = getattr(getattr(target, "slice", None), "elts", [])
    several = [p for p in parts if isinstance(p, ast.Slice | ast.Starred) or (isinstance(p, ast.Constant) and p.value is ...)]
    return bool(parts) and not several


@contextmanager
def modules_in_python_3() -> Iterator[None]:
    """Inside, a module that is imported may be written for Python 2, as the file itself."""
    own: Any = SourceFileLoader.source_to_code

    def source_to_code(self: Any, data: Any, path: Any, **options: Any) -> Any:
        try:
            return own(self, data, path, **options)
        except SyntaxError:
            tree, _ = parse(data, path)
        future = [line for line in tree.body if isinstance(line, ast.ImportFrom) and line.module == "__future__"]
        tree.body = [*future, *ast.parse(NAMED).body, *(line for line in tree.body if line not in future)]
        return compile(tree, path, "exec", dont_inherit=True)

    setattr(SourceFileLoader, own.__name__, source_to_code)
    try:
        yield
    finally:
        setattr(SourceFileLoader, own.__name__, own)


def _mended(lines: list[bytes], i: int, wrong: SyntaxError) -> list[bytes]:
    """Return the lines with line i in the words of Python 3; the same lines where it is wrong in Python 2 too."""
    if isinstance(wrong, TabError):
        return [line.replace(b"\t", b" " * TAB) for line in lines]
    caught, raised = EXCEPT.sub(rb"except \1 as \2:", lines[i]), ENDS.search(lines[i])
    if caught != lines[i] or raised is None or not (raised[1] or "call to 'print'" in wrong.msg):
        return [*lines[:i], caught, *lines[i + 1 :]]
    end = i + 1
    while end < len(lines) and _goes_on(lines[i:end]):
        end += 1
    instead = lines[i][: raised.start()] + (raised[1] or b"pass") + b"\n"
    return [*lines[:i], instead, *[b"\n"] * (end - i - 1), *lines[end:]]


def _goes_on(lines: list[bytes]) -> bool:
    """Whether the statement that these lines begin ends in a later one."""
    text = b"".join(lines)
    return text.count(b"(") > text.count(b")") or text.rstrip().endswith(b"\\")


def package_for(path: Path) -> str:
    """Return the name of a file's package: "" where it imports nothing by dots, and no __init__.py lies beside it.

    ``from ..config import EPS`` means the folder above the file's own, whether or not there is an __init__.py.
    """
    name = package_of(path)[1]
    folders = _folders_meant(path)
    if folders <= len(name.split(".")) and name:
        return name
    if not folders:
        return ""
    for known in [known for known in sys.modules if known.partition(".")[0] == TOP]:  # of another file
        del sys.modules[known]
    above = path.resolve().parents
    top = above[min(folders, len(above)) - 1]
    sys.modules[TOP] = package = ModuleType(TOP)
    package.__path__ = [str(top)]
    return ".".join([TOP, *path.resolve().parent.relative_to(top).parts])


def _folders_meant(path: Path) -> int:
    """Return the most dots of an import in a file, or in one beside it that it may import: how many folders are packages."""
    if not DOTS.search(path.read_bytes()):
        return 0
    return max(len(dots) for file in path.resolve().parent.glob("*.py") for dots in DOTS.findall(file.read_bytes()))
