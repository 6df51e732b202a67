"""Take from a notebook what a check needs: imports, functions, classes and constants. What its cells try out is left out."""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ..notebook import cells
from .run_statements import run_statements
from .stand_ins import CUPY, stand_for

RUN = "_run_beside_"  # what a line `%run FILE` becomes a call of
BODY_OF = re.compile(r"expected an indented block after .* on line (\d+)")
FRAMEWORKS = ("torch", "tensorflow", "keras", "jax", "flax", "mxnet", "paddle")
WRITTEN = "_written_beside_"  # what a line `%%writefile FILE` becomes a call of: what follows is code of the notebook


def run_definitions(path: Path, source: bytes, names: dict[str, Any], run_beside: Callable[[str], None]) -> list[str]:
    """Run the definitions of a notebook in `names`, cell after cell; return what was left out, a text each.

    ``%run FILE`` calls `run_beside`. A definition that raises, as an import of a package that is not installed, is left out;
    so is one of a name that is known already, where it is written for a framework such as torch.

    Raises
    ------
    UserError
        The file is no notebook.
    """
    left_out: list[str] = []
    tests: dict[str, None] = {}  # the numbers of cells with statements that define nothing
    missing: list[str] = []
    outer, names[RUN], names[WRITTEN] = names.get(RUN), run_beside, partial(stand_for, names)
    frameworks = set[str]()  # what the cells call them, or parts of them: nn
    for name, code in cells(path.name, source, left_out.append, _run_line):
        where = str(path.resolve().parent / name)  # a file beside the notebook, by its name: so it is the user's own code
        linecache.cache[where] = len(code), None, code.splitlines(keepends=True), where
        body, unfinished = _finished(code, where)
        left_out += [f"{name}, {text}" for text in unfinished]
        frameworks |= {title for statement in body for title in _frameworks_in(statement)}
        again = [x for x in body if getattr(x, "name", "") in names]
        if frameworks.isdisjoint(getattr(node, "id", "") for x in again for node in ast.walk(x)):
            again = []
        if again:
            twice = ", ".join(x.name for x in again)  # type: ignore[attr-defined]
            left_out.append(f"{name}: left out, for a framework has them here, and NumPy in a cell before: {twice}")
        rest = [x for x in body if x not in again]
        for statement, error in run_statements(rest, where, names, missing, definitions_only=True):
            line = linecache.getline(where, statement.lineno).strip()
            if error is not None:
                left_out.append(f"{name}: left out: {line} ({type(error).__name__}: {error})")
            elif not isinstance(statement, ast.Pass):
                tests[name.rpartition(" ")[2]] = None
    if missing:
        left_out.append(not_installed(path.name, missing))
    if tests:
        left_out.append(f"{path.name}: left out: what defines nothing, in cells {', '.join(tests)}")
    names[RUN] = outer  # of the notebook that runs this one
    return left_out


def _frameworks_in(statement: ast.stmt) -> list[str]:
    """Return what an import binds of such a framework as torch."""
    imported = getattr(statement, "names", []) if isinstance(statement, ast.Import | ast.ImportFrom) else []
    known = [
        (getattr(statement, "module", None) or alias.name, alias.asname or alias.name.partition(".")[0]) for alias in imported
    ]
    return [title for module, title in known if module.partition(".")[0] in FRAMEWORKS]


def _finished(code: str, where: str) -> tuple[list[ast.stmt], list[str]]:
    """Return the statements of a cell; and what to say of lines with a syntax error, as ``dw = <YOUR CODE>``.

    Such a line becomes one that raises: so the function around it is there, and what calls it is unfinished.
    """
    lines, mended = code.splitlines(), dict[int, str]()
    while True:
        try:
            return ast.parse("\n".join(lines), where).body, list(mended.values())
        except SyntaxError as wrong:
            body_of = BODY_OF.search(wrong.msg)  # a `def` whose body has comments only
            i = int(body_of[1] if body_of else wrong.lineno or 1) - 1
            if i in mended or i >= len(lines):
                return [], list(mended.values())
            mended[i] = f"line {i + 1}: unfinished: {wrong.msg}: {lines[i].strip()}"
            kept = f"{lines[i].partition('#')[0]} " if body_of else lines[i][: len(lines[i]) - len(lines[i].lstrip())]
            lines[i] = f"{kept}raise NotImplementedError({f'syntax error: {wrong.msg}'!r})"


def not_installed(file: object, missing: list[str]) -> str:
    """Say which modules something stands in for."""
    others = [name for name in missing if name.partition(".")[0] != CUPY]
    says = [f"not installed, so what calls it raises: {', '.join(others)}"] if others else []
    return f"{file}: {'; '.join(says + [f'NumPy stands in for {CUPY}'] * (others != missing))}"


def _run_line(magic: str) -> str:
    """The code of a line ``%run FILE`` or ``%%writefile FILE.py``; "" for another magic."""
    first, *words = magic.split()
    files = [word for word in words if not word.startswith("-")]
    written = first == "%%writefile" and files and files[0].endswith(".py")
    return f"{WRITTEN}({files[0]!r})" if written else f"{RUN}({files[0]!r})" if first == "%run" and files else ""
