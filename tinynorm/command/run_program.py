"""``tinynorm run FILE.py``: runs a PyTorch program as it stands. In its process `torch` and the modules in it are tinynorm."""

from __future__ import annotations

import argparse
import ast
import builtins
import linecache
import os
import sys
import traceback
from collections.abc import Sequence
from functools import partial
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import tinynorm

from ..left_out import PACKAGES, advice
from .find_missing import PLACES, is_there, list_missing
from .notebook import cells
from .run_code import UserError

PYTORCH = "2.13.0"  # a program that asks for torch.__version__ wants to know which of its ways are there: those of this one

EPILOG = """
Not one line is changed: `import torch` gives tinynorm in that process. A notebook's cells are run in their order. exit code:
the program's; with --missing 0 if nothing is missing, 1 if something is.
"""


def add_parser(commands: Any) -> None:
    """Add the command `run` to the parser."""
    run = commands.add_parser("run", help="run a PyTorch program as it stands", epilog=EPILOG)
    run.add_argument(
        "--missing", action="store_true", help="do not run it, but list what it uses of PyTorch that tinynorm has not"
    )
    run.add_argument("file", metavar="FILE", help="a Python file or a notebook; with --missing a folder too")
    run.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="the program's own arguments")
    run.set_defaults(run=_run)


def _run(given: argparse.Namespace) -> int:
    return list_missing(Path(given.file)) if given.missing else run_file(given.file, given.arguments)


def run_file(file: str, arguments: Sequence[str]) -> int:
    """Run a program as ``python FILE ARGUMENTS`` does, with tinynorm in PyTorch's place, and return the exit code."""
    path = Path(os.path.abspath(file))
    main = ModuleType("__main__")
    try:
        source = path.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None
    notebook = [*cells(file, source, partial(print, file=sys.stderr))] if path.suffix == ".ipynb" else None
    take_the_place_of_pytorch()
    main.__dict__.update(__file__=str(path), __builtins__=builtins, __loader__=SourceFileLoader("__main__", str(path)))
    sys.modules["__main__"] = main
    sys.argv[:] = [file, *arguments]
    sys.path[0] = str(path.resolve().parent)
    try:
        if notebook is not None:
            run_cells(notebook, main.__dict__)
        else:
            exec(compile(source, str(path), "exec", dont_inherit=True), main.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        if isinstance(error, AttributeError) and isinstance(error.obj, tinynorm.Tensor) and error.name:
            error.add_note(f"(tinynorm: {advice(error.name)})")  # of a method, Python says only that there is none
        if isinstance(error, AttributeError) and type(error.obj) in (list, tuple, int, float) and error.name in _OF_TENSORS:
            error.add_note(f"(tinynorm: expected a Tensor, got {type(error.obj).__name__}; use torch.tensor(…))")
        sys.excepthook(type(error), error.with_traceback(_of_the_program(error.__traceback__)), error.__traceback__)
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


_OF_TENSORS = {"dtype", "ndim", "shape", "_array", "_requires_grad"}  # what ops ask of their inputs first


def _of_the_program(frames: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of this file, which come first."""
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next
    return frames


# ---- tinynorm in PyTorch's place ---------------------------------------------------------------------------------------------


def take_the_place_of_pytorch() -> None:
    """From now on, `import torch` in this process gives tinynorm."""
    if sys.modules.get("torch", tinynorm) is not tinynorm:
        raise UserError(
            "PyTorch itself is already imported in this process, and two libraries cannot have one name; start the program by "
            "`tinynorm run` in a process of its own"
        )
    ours = {name: module for name, module in sys.modules.items() if name.split(".")[0] == "tinynorm"}
    for name, module in ours.items():
        if not name.startswith("tinynorm.command"):
            sys.modules["torch" + name.removeprefix("tinynorm")] = module
    for name, place in PLACES.items():
        sys.modules[f"torch.{name}"] = module = ours[f"tinynorm.{place}"]
        parent, _, last = f"torch.{name}".rpartition(".")
        vars(sys.modules[parent]).setdefault(last, module)  # for torch.nn.modules.Linear, which is not imported by its own name
    tinynorm.__version__ = PYTORCH
    tinynorm.Tensor.__module__, tinynorm.nn.Parameter.__module__ = "torch", "torch.nn.parameter"  # print(type(x))
    sys.meta_path.insert(0, _Missing())  # type: ignore[arg-type]


class _Missing:
    """Finds no module, but says of PyTorch's what to do. (Python would search tinynorm's folder for them.)"""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        first, _, rest = name.partition(".")
        if first == "torch":
            why = f"tinynorm.{rest} is a module of tinynorm's own" if is_there(rest) else advice(rest)
            raise ModuleNotFoundError(f"No module named {name!r} in tinynorm: {why}", name=name)
        if first in PACKAGES:
            raise ModuleNotFoundError(f"{first} needs PyTorch itself; {PACKAGES[first]}", name=name)


def run_cells(notebook: list[tuple[str, str]], names: dict[str, Any]) -> None:
    """Run the cells of a notebook in their order. The value of a last expression is printed, as a notebook shows it."""
    names["display"] = print
    sys.excepthook = traceback.print_exception  # Python's own looks for the lines in files
    for cell, code in notebook:
        name = f"<{cell}>"
        linecache.cache[name] = len(code), None, code.splitlines(keepends=True), name
        tree = ast.parse(code, name)
        last = tree.body[-1:] if tree.body and not code.rstrip().endswith(";") else []
        shown = [tree.body.pop() for part in last if isinstance(part, ast.Expr)]
        exec(compile(tree, name, "exec", dont_inherit=True), names)
        exec(compile(ast.Interactive(shown), name, "single", dont_inherit=True), names)
