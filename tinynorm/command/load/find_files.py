"""Find the files to check: those that the user names, and in a folder those that may have layers."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..run_code import UserError

NOT_YOURS = re.compile(r"\.|(__pycache__|site-packages|node_modules|build|dist)$|.*\.egg-info$")  # folders that tools fill
TESTS = re.compile(r"(tests?|test_.*\.py|.*_test\.py|conftest\.py|setup\.py)$")  # files and folders that a tool runs
# A file of a folder that defines nothing of the kind is not run: it may train for hours.
DEFINED = re.compile(rb"(?:\b|\\n)(?:def|class) +(\w+ *(?:\([^)]*)?)|(\w+) *= *lambda")
LAYER = re.compile(
    rb"forward|back|vjp|adjoint|fwd|bwd|prop|grad|deriv|prime|diff"
    rb"|loss|cost|entropy|mse|hinge|huber|\b(reg|lambd)|\bd(x|er)? *= *False",
    re.IGNORECASE,
)


@dataclass
class File:
    """A file to check, and the name of the pair in it (None for all)."""

    path: Path
    only: str | None = None
    of_folder: bool = False


def find_files(named: list[str], only: str | None) -> tuple[list[File], list[str]]:
    """Return the files to check; and of folders, a line for the files that are left out for each reason."""
    found: list[File] = []
    tests: list[str] = []
    without: list[str] = []
    for text in named:
        name, _, pair = text.partition("::")
        if not os.path.isdir(name):
            found.append(File(Path(name), pair or only))
            continue
        for path in sorted(_walk(Path(name))):
            if any(map(TESTS.match, path.relative_to(name).parts)):
                tests.append(str(path))
            elif not _may_have_layers(path.read_bytes()):
                without.append(str(path))
            else:
                found.append(File(path, only, of_folder=True))
    if not found:
        raise UserError(f"{', '.join(named)}: no file there defines a layer")
    left_out = [f"left out, for a test tool runs them: {', '.join(tests)}"] if tests else []
    return found, left_out + ([f"left out, for they define no layer: {', '.join(without)}"] if without else [])


def _walk(folder: Path) -> Iterator[Path]:
    """Yield the Python files and the notebooks in a folder and the folders in it."""
    for home, folders, files in os.walk(folder):
        environment = "pyvenv.cfg" in files
        folders[:] = [] if environment else [name for name in folders if not NOT_YOURS.match(name)]
        for name in () if environment else files:
            if name.endswith((".py", ".ipynb")) and not name.startswith("."):
                yield Path(home, name)


def _may_have_layers(source: bytes) -> bool:
    """Whether something with such a name or such an argument is defined, or both tanh and dtanh."""
    defined = [b"".join(match) for match in DEFINED.findall(source)]
    names = {text.partition(b"(")[0].strip() for text in defined}
    return any(map(LAYER.search, defined)) or any(re.sub(b"^d_?", b"", name) in names - {name} for name in names)
