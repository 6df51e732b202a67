"""Tell networks whose forward, backward and step are one method: there is no pair to check."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator

from ..functions.kinds import kind_of
from ..read.read_code import code_of, inside, methods_in

HELPED = ("train", "train_step", "fit_batch")  # what may only call other methods for its parts
PRODUCT = re.compile(r"\.T\b|@|(dot|matmul|outer)\(")


def in_one_method(classes: dict[str, type], paired: set[str]) -> Iterator[str]:
    """Yield what is to be said of each class that has forward, backward and the step in one method.

    A class with a method that is `paired`, as Net.forward, is checked; but for its activations, which hold nothing. Where the
    paired ones train themselves, as Net.fit, the others that train are not.
    """
    for name, cls in classes.items():
        titles = {title for owner, dot, title in (one.partition(".") for one in paired) if dot and owner == name}
        training, titles = [*trainers(cls)], titles - {*_without_arrays(cls)}
        if titles - {*training} or inspect.isabstract(cls):
            continue
        codes = [code_of(getattr(cls, title)) for title in titles]
        called = {node.attr for code in codes if code for node in ast.walk(code) if isinstance(node, ast.Attribute)}
        for title in [title for title in training if title not in titles | called]:
            yield f"{name}.{title} (forward, backward and the step are one method; make backward one of its own)"


def _without_arrays(cls: type) -> Iterator[str]:
    """Yield the methods of a class that read nothing of the object but its methods: activations and their slopes."""
    methods = methods_in(cls)
    for name, method in methods.items():
        read = [node for node in ast.walk(code_of(method) or ast.Pass()) if isinstance(node, ast.Attribute)]
        if all(node.attr in methods for node in read if ast.unparse(node.value) == "self"):
            yield name


def trainers(cls: type) -> Iterator[str]:
    """Yield the methods of a class that are forward, backward and the step in one, or in others that they call."""
    methods = {name: method for name, method in methods_in(cls).items() if name[:2] != "__"}
    for title, method in methods.items():
        code = code_of(method)
        targets = [a.arg for a in code.args.args[2:] if kind_of(a.arg, "loss") == "target"] if code else []
        calls = [node.func for node in ast.walk(code or ast.Pass()) if isinstance(node, ast.Call)]
        called = [methods[f.attr] for f in calls if isinstance(f, ast.Attribute) and f.attr in methods]
        own = [code, *(code_of(other) for other in called if title in HELPED)] if code else []
        multiplies = any(PRODUCT.search(ast.unparse(part or ast.Pass())) for part in own)  # and it does not call self.loss
        if targets and multiplies and any(_steps_down(node) for part in own if part for node in inside(part)):
            yield title


def _steps_down(node: ast.AST) -> bool:
    """Whether a statement takes a step with the object's own arrays: ``self.W -= rate * dW``, or ``+=`` with ``y - p``."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub | ast.Add):
        return not isinstance(node.value, ast.Constant) and ast.unparse(node.target).startswith("self.")
    value, target = (node.value, ast.unparse(node.targets[0])) if isinstance(node, ast.Assign) else (None, "")
    step = value.elt if isinstance(value, ast.ListComp) else value  # [w - rate * dw for w, dw in zip(self.weights, nabla_w)]
    if not target.startswith("self.") or not isinstance(step, ast.BinOp) or not isinstance(step.op, ast.Sub | ast.Add):
        return False
    return step is not value or ast.unparse(step.left) in map(ast.unparse, node.targets)  # type: ignore[attr-defined]
