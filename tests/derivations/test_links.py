"""An equation's number stands beside the line of the package that is this equation, and nothing else does."""

import ast
import re
from pathlib import Path

import pytest

import tinynorm
from tinynorm import derivations

PACKAGE = Path(tinynorm.__file__).parent
LINES = {line.number: line for name in derivations.CHAPTERS for line in derivations.load(name).lines}
TAG = re.compile(r"#.*?\b([A-Z]{2}\.\d+)\b")
# the same quantity, computed otherwise: in place, or for classes instead of rows
LIKE = re.compile(r"cf\. [A-Z]{2}\.\d+(, [A-Z]{2}\.\d+)*")

# functions whose every line of arithmetic must be an equation: (file, function or class)
COVERED = [
    ("ops/normalization_formula.py", "standardize"),
    ("ops/normalization_formula.py", "project"),
    ("ops/normalization_formula.py", "project_channel"),
    ("ops/normalization_formula.py", "standardize_uncentred"),
    ("ops/normalization_formula.py", "project_uncentred"),
    ("ops/normalization_node.py", "StandardizeByConstants"),
    ("ops/normalization.py", "_update"),
    ("ops/linear.py", "Linear"),
    ("ops/linear.py", "MatMul"),
    ("ops/activation.py", "ReLU"),
    ("ops/activation.py", "Softmax"),
    ("ops/activation.py", "LogSoftmax"),
    ("ops/recurrent.py", "LSTMGates"),
    ("ops/recurrent.py", "GRUGates"),
]

# what the package does beside the mathematics: dtypes, shapes, further dimensions in front, the module that has the functions
TRANSPARENT = {"widened", "narrowed", "reshaped", "seen", "affine", "sum_to", "_rows"}
RENAMED = {"A2": "A", "B2": "B", "X": "x", "q": "t", "dy_": "dy", "c_": "c", "h_": "h"}  # matrices; targets; float32
RENAMED |= {"dh_": "dh_next"}  # a GRU has one output, so its gradient is called dh
PARTS = {"parts(v_, 3)[2]": "v_n"}  # of an array that holds the parts of several gates
OF_PARTS = {"narrowed", "concat", "join"}  # (join is an op's name for concat)
FUNCTIONS = {"sqrt", "exp", "log", "keep_where", "sum_over", "mean_over"}
AXES = {  # what a file writes where the chapter has axes
    "activation.py": "(self.dim,)", "convolution.py": "(0, 2, 3)", "loss.py": "(1,)", "linear.py": "(0,)"
}  # fmt: skip


class Plain(ast.NodeTransformer):
    """An expression without what is no mathematics, so that an op's line and an equation can be compared."""

    def __init__(self, axes=None):
        self.axes = axes

    def visit_Call(self, node):
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        if name in TRANSPARENT:
            return node.args[0]
        if name == "product":
            return ast.BinOp(node.args[0], ast.MatMult(), node.args[1])
        if name in FUNCTIONS:
            return ast.Call(ast.Name(name, ast.Load()), node.args, [])
        return node

    def visit_Tuple(self, node):
        return ast.Name("axes", ast.Load()) if ast.unparse(node) == self.axes else self.generic_visit(node)

    def visit_Name(self, node):
        return ast.Name(RENAMED.get(node.id, node.id), node.ctx)

    def visit_BinOp(self, node):
        self.generic_visit(node)
        return ast.Name("m", ast.Load()) if ast.unparse(node) == "N * P" else node  # how many numbers a group has

    def visit_Subscript(self, node):
        part = PARTS.get(ast.unparse(node))
        return ast.Name(part, ast.Load()) if part else self.generic_visit(node)

    def visit_Attribute(self, node):
        if node.attr in ("T", "mT"):
            return ast.Attribute(self.visit(node.value), "T", ast.Load())
        return ast.Name(RENAMED.get(node.attr, node.attr), ast.Load())  # self.mu, layout.m


def plain(expression, axes=None):
    return ast.unparse(Plain(axes).visit(ast.parse(ast.unparse(expression), mode="eval").body))


def results_of(statement, axes=None):
    """What a statement assigns or returns, plainly: each of several results, of parts that are joined, and of two cases."""

    def results(e):
        if isinstance(e, (ast.Tuple, ast.List)):
            return [r for element in e.elts for r in results(element)]
        if isinstance(e, ast.Call) and getattr(e.func, "attr", getattr(e.func, "id", "")) in OF_PARTS:
            return results(e.args[0])
        return results(e.body) + results(e.orelse) if isinstance(e, ast.IfExp) else [e]

    value = statement.value
    if isinstance(statement, ast.AugAssign):  # y += x is y = y + x
        value = ast.BinOp(statement.target, statement.op, value)
    return {plain(e, axes) for e in results(value)}


def statements(tree):
    return [s for s in ast.walk(tree) if isinstance(s, (ast.Assign, ast.Return, ast.AugAssign))]


def tagged():
    """(file, line, number, statements) of each number in ops/. (optim/ works in place: other tests compare its numbers.)"""
    for path in sorted(PACKAGE.glob("ops/*.py")):
        text = path.read_text()
        lines = text.splitlines()
        if not any(TAG.search(line) for line in lines):
            continue
        simple = statements(ast.parse(text))
        for k, line in enumerate(lines, 1):
            for number in re.findall(r"\b[A-Z]{2}\.\d+\b", LIKE.sub("", line.partition("#")[2])):
                found = [s for s in simple if s.lineno <= k <= s.end_lineno]
                yield pytest.param(path, k, number, found, id=f"{path.relative_to(PACKAGE)}-{number}")


TAGGED = list(tagged())


def test_there_are_links():
    assert len(TAGGED) >= 10


@pytest.mark.parametrize(("path", "k", "number", "found"), TAGGED)
def test_the_line_with_an_equations_number_is_that_equation(path, k, number, found):
    assert number in LINES, f"{path.name}:{k} names {number}, which is no equation"
    assert found, f"{path.name}:{k} names {number}, but no assignment and no return stands there"
    equation = plain(ast.parse(LINES[number].code, mode="eval").body)
    assert any(equation in results_of(s, AXES.get(path.name)) for s in found), f"{path.name}:{k} is not {number}: {equation}"


@pytest.mark.parametrize(("file", "name"), COVERED)
def test_every_line_of_arithmetic_is_an_equation(file, name):
    text = (PACKAGE / file).read_text()
    lines = text.splitlines()
    scope = next(n for n in ast.parse(text).body if isinstance(n, (ast.FunctionDef, ast.ClassDef)) and n.name == name)
    for s in statements(scope):
        if any(isinstance(e, (ast.BinOp, ast.Invert)) or getattr(e, "id", "") in FUNCTIONS for e in ast.walk(s)):
            assert any(TAG.search(line) for line in lines[s.lineno - 1 : s.end_lineno]), f"{file}:{s.lineno} has no equation"
