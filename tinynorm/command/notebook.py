"""The cells of a notebook, as code to run and to read."""

from __future__ import annotations

import ast
import json
import os
import re
from collections.abc import Callable, Iterator

from .run_code import UserError

Told = Callable[[str], None]


def cells(
    file: str, source: bytes, told: Told = lambda text: None, code_for: Callable[[str], str] = lambda magic: ""
) -> Iterator[tuple[str, str]]:
    """(name, code) of each cell with code. Magics become the code for them, or comments, which `told` is told of."""
    try:
        found = [(i, cell) for i, cell in enumerate(json.loads(source)["cells"], 1) if cell["cell_type"] == "code"]
        codes = [(f"{os.path.basename(file)}, cell {i}", "".join(cell["source"])) for i, cell in found]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{file}: cannot be read: it is no notebook with cells (format 4)") from None
    for name, code in codes:
        yield name, _without_magics(name, code, told, code_for)


def _without_magics(name: str, code: str, told: Told, code_for: Callable[[str], str]) -> str:
    """The code without lines such as ``%matplotlib inline`` and ``!pip install``; nothing of a cell in another language."""
    lines = code.splitlines()
    if code.startswith("%%") and not code.startswith(("%%time", "%%capture")) and not code_for(lines[0]):
        told(f"{name}: left out: {lines[0]} and what follows")
        return ""
    while True:
        try:
            ast.parse("\n".join(lines))
            return "\n".join(lines)
        except SyntaxError as error:
            i = (error.lineno or 1) - 1
        magic = lines[i].strip() if i < len(lines) else ""
        if not magic.startswith(("%", "!", "?")) and not magic.endswith("?") and not re.match(r"[\w\s,]+=\s*[!%]", magic):
            return "\n".join(lines)  # a mistake of the program's
        instead = code_for(magic)
        if not instead:
            told(f"{name}: left out: {magic}")
        lines[i] = lines[i].replace(magic, f"{instead or 'pass'}  # {magic}")
