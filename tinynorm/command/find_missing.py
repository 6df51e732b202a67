"""``tinynorm run --missing``: lists what a program uses of PyTorch that tinynorm has not, by reading it, without running it."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np

from .. import nn
from ..left_out import PACKAGES, USE, advice
from ..optim import Optimizer
from ..tensor import Tensor
from .notebook import cells
from .run_code import UserError

# PyTorch's modules that tinynorm has under another name: PyTorch's -> tinynorm's
PLACES = {
    **{f"nn.modules{name}": "nn" for name in ("", ".activation", ".container", ".linear", ".loss", ".module")},
    **{f"nn.modules.{name}": "nn.normalization" for name in ("batchnorm", "instancenorm", "normalization")},
    "autograd.variable": "autograd",
    "functional": "ops",
    "utils.model_zoo": "utils",  # many programs import it; what it would load is missing, and says so
}


NEED_DIM = {"nn.Softmax", "nn.LogSoftmax", "nn.Softmin"}
PYTHONS: tuple[type, ...] = (str, bytes, list, dict, set, float, complex, np.ndarray, np.random.Generator)
OTHERS = set().union(*map(dir, (*PYTHONS, nn.Module, Optimizer)))  # methods that are no tensor's, or not only


class Use(NamedTuple):
    """A name of PyTorch's that a program uses and tinynorm has not."""

    name: str
    line: int
    advice: str


def list_missing(path: Path) -> int:
    """List what the files of a folder, or one file, use that is missing. Return 1 if something is, else 0."""
    if path.is_dir():
        files = sorted(p for kind in ("*.py", "*.ipynb") for p in path.rglob(kind) if ".ipynb_checkpoints" not in p.parts)
    else:
        files = [path]
    if not files:
        raise UserError(f"{path}: there is no Python file and no notebook in it")
    names, touched = set(), 0
    for file in files:
        code, places = read(file)
        found = uses(code, str(file))
        touched += bool(found)
        for name in dict.fromkeys(use.name for use in found):
            lines = dict.fromkeys(places.get(use.line, str(use.line)) for use in found if use.name == name)
            print(f"{file}:{', '.join(lines)}: {name}: {next(use.advice for use in found if use.name == name)}")
            names.add(name)
    of = f"{len(files)} files" if len(files) > 1 else str(path)
    missing = f"{len(names)} name{'s' * (len(names) != 1)} missing" if names else "nothing is missing"
    print(f"{missing} in {f'{touched} of ' * bool(names and len(files) > 1)}{of}")
    return 1 if names else 0


def read(file: Path) -> tuple[str, dict[int, str]]:
    """The code of a file or a notebook, and what a notebook's lines are called."""
    try:
        source = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None
    if file.suffix != ".ipynb":
        return source.decode("utf-8", errors="replace"), {}
    found = [(name.rpartition(", ")[2], code) for name, code in cells(str(file), source)]  # a cell uses what another imports
    places = [f"{cell}, line {line}" for cell, code in found for line in range(1, code.count("\n") + 2)]
    return "\n".join(code for _, code in found), dict(enumerate(places, 1))


def uses(code: str, place: str = "") -> list[Use]:
    """What the code uses of PyTorch that is missing, in the order of its lines.

    >>> uses("from torch import nn\\nlayer = nn.Conv3d(3, 4)")[0][:2]
    ('torch.nn.Conv3d', 2)
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise UserError(f"{place}{f':{line}' if line else ''}: cannot be read: {getattr(error, 'msg', error)}") from None
    reader = _Reader(tree)
    reader.visit(tree)
    return sorted(set(reader.found), key=lambda use: (use.line, use.name))


def is_there(name: str) -> bool:
    """Whether tinynorm has the name, such as ``nn.functional.relu``, as far as it is one of a module."""
    found: object = importlib.import_module("tinynorm")
    parts = name.split(".")
    for i, part in enumerate(parts):
        if not isinstance(found, ModuleType):
            return True  # an attribute of a class or a function: not a name of a module's
        place = PLACES.get(".".join(parts[: i + 1]))
        if place is not None:
            found = importlib.import_module(f"tinynorm.{place}")
        elif part in dir(found):
            found = getattr(found, part)
        else:
            return False
    return True


def networks(nodes: list[ast.AST]) -> set[str]:
    """What is made by calling a module's class: ``net`` of ``net = Net().to(device)``, ``self.f`` of ``self.f = nn.ReLU()``."""

    def last(node: ast.AST) -> str:  # nn.Linear -> Linear
        return ast.unparse(node).rpartition(".")[2]

    found, classes = set(), {n for n, value in vars(nn).items() if isinstance(value, type) and issubclass(value, nn.Module)}
    for node in nodes:
        if isinstance(node, ast.ClassDef) and any(last(base) in classes for base in node.bases):
            classes.add(node.name)
    for node in (n for n in nodes if isinstance(n, ast.Assign)):
        value = node.value
        while isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and isinstance(value.func.value, ast.Call):
            value = value.func.value  # Net() of Net().to(device)
        if isinstance(value, ast.Call) and last(value.func) in classes:
            found |= {ast.unparse(target) for target in node.targets}
    return found


class _Reader(ast.NodeVisitor):
    """Follows what stands for PyTorch's modules: ``import torch as t``, ``from torch import nn``, ``F = torch.nn.functional``.

    `scopes` are the functions around the node, from outside in: a name -> what it stands for, "" for torch itself; None where
    the function has a variable of that name.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.found: list[Use] = []
        self.scopes: list[dict[str, str | None]] = [{}]
        nodes = [*ast.walk(tree)]
        self.own = {n.name for n in nodes if isinstance(n, ast.FunctionDef)}  # the program's functions and methods
        self.modules = {
            (alias.asname or alias.name).split(".")[0]
            for n in nodes
            if isinstance(n, (ast.Import, ast.ImportFrom))
            for alias in n.names
        }
        self.networks = networks(nodes)

    def check(self, name: str, line: int) -> bool:
        """Note the name if it is missing: the shortest part that is."""
        parts = name.split(".")
        for i in range(len(parts)):
            part = ".".join(parts[: i + 1])
            if not is_there(part):
                self.found.append(Use(f"torch.{part}", line, advice(part)))
                return False
        return True

    # -- imports -----------------------------------------------------------------------------------------------------------

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            first, _, rest = alias.name.partition(".")
            if first in PACKAGES:
                self.found.append(Use(first, node.lineno, PACKAGES[first]))
            if first != "torch":
                continue
            if rest:
                self.check(rest, node.lineno)
            self.scopes[-1][alias.asname or first] = rest if alias.asname else ""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        first, _, place = (node.module or "").partition(".")
        if node.level == 0 and first in PACKAGES:
            self.found.append(Use(first, node.lineno, PACKAGES[first]))
        if node.level or first != "torch" or (place and not self.check(place, node.lineno)):
            return
        for alias in node.names:
            name = f"{place}.{alias.name}" if place else alias.name
            if alias.name != "*" and self.check(name, node.lineno):
                self.scopes[-1][alias.asname or alias.name] = name

    # -- uses --------------------------------------------------------------------------------------------------------------

    def dotted(self, node: ast.expr) -> str | None:
        """What of PyTorch's an expression such as ``nn.functional.relu`` stands for; None if it is something else."""
        attributes: list[str] = []
        while isinstance(node, ast.Attribute):
            attributes.insert(0, node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        root = next((scope[node.id] for scope in reversed(self.scopes) if node.id in scope), None)
        return None if root is None else ".".join([root, *attributes] if root else attributes)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        name = self.dotted(node)
        if name:
            self.check(name, node.lineno)
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = self.dotted(node.func)
        if name in NEED_DIM and not node.args and not node.keywords:
            self.found.append(Use(f"torch.{name}()", node.lineno, "say along which dimension: dim=1, or dim=-1"))
        if name == "save" and node.args and ast.unparse(node.args[0]) in self.networks:
            saved = ast.unparse(node.args[0])
            write = f"save {saved}.state_dict(), and read it with {saved}.load_state_dict(torch.load(file))"
            self.found.append(Use("torch.save(a whole module)", node.lineno, write))
        if name is None and isinstance(node.func, ast.Attribute):
            self.check_method(node.func)
        self.generic_visit(node)

    def check_method(self, node: ast.Attribute) -> None:
        """Note a method that looks like a tensor's and is missing. (What it is called on is not known.)"""
        method, of_module = node.attr, isinstance(node.value, ast.Name) and node.value.id in self.modules
        another = of_module or method in self.own | OTHERS or hasattr(Tensor, method)
        if f"nn.Module.{method}" in USE:
            self.found.append(Use(f"torch.nn.Module.{method}", node.lineno, advice(f"nn.Module.{method}")))
        elif not another and (method in USE or (method.endswith("_") and hasattr(Tensor, method[:-1]))):
            self.found.append(Use(f"torch.Tensor.{method}", node.lineno, advice(method)))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        name = self.dotted(node.value)
        for target in node.targets:
            if name and isinstance(target, ast.Name) and is_there(name):
                self.scopes[-1][target.id] = name  # F = torch.nn.functional
            else:
                self.visit(target)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store) and node.id in self.scopes[-1]:
            self.scopes[-1][node.id] = None  # from here on it is something else

    # -- functions have variables of their own -------------------------------------------------------------------------------

    def within(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        given = node.args
        arguments = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        body = node.body if isinstance(node.body, list) else [node.body]
        stored = {n.id for part in body for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        self.scopes.append(dict.fromkeys({a.arg for a in arguments if a is not None} | stored))
        for part in body:
            self.visit(part)
        self.scopes.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for outside in (*node.decorator_list, node.args, node.returns):
            if outside is not None:
                self.visit(outside)
        self.within(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit(node.args)
        self.within(node)
