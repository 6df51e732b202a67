"""Tell networks whose forward, backward and step are one method: there is no pair to check."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..functions.kinds import kind_of
from ..read.read_code import code_of, inside, methods_of

PRODUCT = re.compile(r"\.T\b|@|(dot|matmul|outer)\(")


def in_one_method(classes: dict[str, type], known: set[str]) -> Iterator[str]:
    """Yield what is to be said of each class that is not known and has forward, backward and the step in one method."""
    for name, cls in classes.items():
        for title, method in methods_of(cls).items() if name not in known else ():
            code = code_of(method)
            targets = [a.arg for a in code.args.args[2:] if kind_of(a.arg) == "target"] if code else []
            multiplies = code is not None and PRODUCT.search(ast.unparse(code))  # and does not call self.loss for the gradient
            if code and targets and multiplies and any(map(_steps_down, inside(code))):
                yield f"{name}.{title} (forward, backward and the step are one method; make backward one of its own)"


def _steps_down(node: ast.AST) -> bool:
    """Whether a statement takes a step with the object's own arrays: ``self.W -= rate * dW``, or ``+=`` with ``y - p``."""
    if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Sub | ast.Add):
        return not isinstance(node.value, ast.Constant) and ast.unparse(node.target).startswith("self.")
    value = node.value if isinstance(node, ast.Assign) else None
    left = ast.unparse(value.left) if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub | ast.Add) else ""
    return left.startswith("self.") and isinstance(node, ast.Assign) and left in map(ast.unparse, node.targets)
