"""The package of a file that imports with dots, in a folder that is no package too."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

from ..run_code import package_of

DOTS = re.compile(rb'^\s*"?from\s+(\.+)', re.M)  # a line of a notebook begins with a quote
TOP = "_checked_folder"  # the package that the highest folder is taken for


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
