"""What arguments are by their place in a formula, whatever they are called: of ``a @ b + c``, and of ``a * x_hat + b``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container

from .read_code import code_of

PRODUCTS = ("np.dot", "numpy.dot", "np.matmul", "numpy.matmul")


def kinds_in_a_product(function: Callable, names: list[str], kinds: dict[str, str]) -> dict[str, str]:
    """Return the kinds of the arguments of a function, if it has one product of two of them, with a bias or none, else {}."""
    code = code_of(function)
    nodes = list(ast.walk(code)) if code else []
    products = {node: pair for node in nodes if (pair := _operands(node)) and set(pair) <= set(names) and len(set(pair)) == 2}
    if len(set(products.values())) != 1:
        return {}
    pair = next(iter(products.values()))
    added = {name for node in nodes if (name := _added(node, products)) in names}
    others = set(names) - {*pair, *added}
    if len(added) > 1 or any(kinds[name] not in ("target", "number") for name in others):
        return {}
    x, weight = sorted(pair, key=lambda name: (_like_a_weight(name, kinds[name]), pair.index(name)))
    return {**dict.fromkeys(added, "bias"), x: "x", weight: "weight"}  # x itself may be added, as in x + tanh(x @ w)


def kinds_in_a_norm(function: Callable, names: list[str], kinds: dict[str, str]) -> dict[str, str]:
    """Return "affine" for the arguments that a normalisation multiplies with, or adds: what takes a root, and is no loss."""
    code = code_of(function)
    nodes = list(ast.walk(code)) if code else []
    deviates = any(isinstance(node, ast.Attribute) and node.attr in ("var", "std", "sqrt") for node in nodes)
    if not deviates or "target" in kinds.values():
        return {}
    found = {}
    for node in nodes:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Add):
            for operand in (node.left, node.right):
                array = isinstance(operand, ast.Subscript)  # a[:, None]
                name = _name(operand.value if isinstance(operand, ast.Subscript) else operand)
                if name in names[1:] and (kinds[name] in ("", "x", "bias", "weight") or (array and kinds[name] == "number")):
                    found[name] = "affine"
    return found


def _like_a_weight(name: str, kind: str) -> int:
    """How much a name says that it is a weight: by its kind, or as a capital letter, which a matrix has; -1 for a layer's x."""
    if kind.endswith(("weight", "recurrent")) or "weight" in name.lower():
        return 3 if name.lower().startswith("w") else 2
    if kind == "hidden" or (kind == "x" and (len(name) > 1 or name.lower() in "xah")):
        return -1
    return 1 if len(name) == 1 and name.isupper() else 0


def _operands(node: ast.AST) -> tuple[str, str] | None:
    """Return the two names of a product, without ``.T``; ("", "") where an operand is none."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
        return _name(node.left), _name(node.right)
    if isinstance(node, ast.Call) and ast.unparse(node.func) in PRODUCTS and len(node.args) == 2:
        return _name(node.args[0]), _name(node.args[1])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "dot" and len(node.args) == 1:
        return _name(node.func.value), _name(node.args[0])
    return None


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.UnaryOp):
        node = node.operand
    if isinstance(node, ast.Attribute) and node.attr == "T":
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _added(node: ast.AST, products: Container[ast.AST]) -> str:
    """Return the name that is added to one of these products, or, in ``out += name``, to what may be one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        both = (node.left, node.right)
        return next((_name(other) for one, other in (both, both[::-1]) if any(part in products for part in ast.walk(one))), "")
    return _name(node.value) if isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add) else ""
