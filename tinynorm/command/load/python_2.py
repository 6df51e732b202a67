"""Read a file; one that is written for Python 2 becomes one for Python 3, as far as the checker needs."""

from __future__ import annotations

import ast
import re

EXCEPT = re.compile(rb"except (.+?), *(\w+) *:")
ENDS = re.compile(rb"(raise [\w.]+),.*\n?|print.*\n?")  # of which nothing, or the exception alone, is kept
TAB = 8  # columns, as Python 2 counted them


def parse(source: bytes, where: str) -> tuple[ast.Module, int]:
    """Return (the tree, 0); of a file for Python 2, the tree without its print statements and the first line that shows it."""
    first = 0
    while True:
        try:
            return ast.parse(source, where), first
        except SyntaxError as wrong:
            lines, i = source.splitlines(keepends=True), (wrong.lineno or 0) - 1
            mended = _mended(lines, i, wrong) if 0 <= i < len(lines) else lines
            if mended == lines:
                raise
            source, first = b"".join(mended), first or i + 1


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
