"""A short text in place of one that is not there: a file that makes its vocabulary of ``open("input.txt").read()``."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

# It has few different letters: a vocabulary's size is that of the parameters, and of the time that a check takes.
TEXT = "a text that is not the one that it stands for\n" * 50
TEXTS = ("", ".txt", ".text")  # what the names of texts end with; one of ours in place of a table would say nothing


def open_or_stand_in(remark: Callable[[str], None]) -> Callable:
    """Return an `open` that gives a short text in place of a missing one."""

    def opened(file: Any, mode: str = "r", *arguments: Any, **keywords: Any) -> Any:
        try:
            return open(file, mode, *arguments, **keywords)
        except FileNotFoundError:
            if mode not in ("r", "rt", "rb") or Path(file).suffix not in TEXTS:
                raise
        remark(f"there is no {file}: a short text stands in for it")
        return io.BytesIO(TEXT.encode()) if "b" in mode else io.StringIO(TEXT)

    return opened
