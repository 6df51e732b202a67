"""The cells of a notebook, as code to run and to read."""

from __future__ import annotations

import ast
import json
import os
from collections.abc import Callable, Iterator

from .run_code import UserError


def cells(file: str, source: bytes, told: Callable[[str], None] = lambda text: None) -> Iterator[tuple[str, str]]:
    """(name, code) of each cell with code. Magics become comments, which `told` is told of."""
    try:
        found = [(i, cell) for i, cell in enumerate(json.loads(source)["cells"], 1) if cell["cell_type"] == "code"]
        codes = [(f"{os.path.basename(file)}, cell {i}", "".join(cell["source"])) for i, cell in found]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{file}: cannot be read: it is no notebook with cells (format 4)") from None
    for name, code in codes:
        yield name, code if _is_python(code) else _without_magics(name, code, told)


def _is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except SyntaxError:
        return False
    return True


def _without_magics(name: str, code: str, told: Callable[[str], None]) -> str:
    """The code without lines such as ``%matplotlib inline`` and ``!pip install``, and without cells in another language."""
    lines = code.splitlines()
    other_language = code.startswith("%%") and not code.startswith(("%%time", "%%capture"))
    for i, line in enumerate(lines):
        magic = line.lstrip()
        if other_language or magic.startswith(("%", "!", "?")):
            lines[i] = f"{line[: len(line) - len(magic)]}pass  # {magic}"
            if not other_language or i == 0:
                told(f"{name}: left out: {magic}")
    return "\n".join(lines)
