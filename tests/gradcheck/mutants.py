"""Wrong backward passes made by chance: one change in the code of a right one. `tinynorm check` may call none of them right.

``python tests/gradcheck/mutants.py FILE ... [--each 5] [--seed 0]`` makes some for each right pair of the files, and prints
those that are called right although their gradients differ from the right ones, and a count. What it prints is a place to
look: a gradient without its 1/m is right for a loss that is a sum, and the file may leave open which is meant.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from copy import copy, deepcopy
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from tinynorm.command.functions.choose_call import choose_calls
from tinynorm.command.functions.find_pairs import find_pairs
from tinynorm.command.functions.pair import Pair
from tinynorm.command.layers.call_layer import Layer
from tinynorm.command.load.load_file import load
from tinynorm.command.run_code import Prints
from tinynorm.command.verdict.check_pair import check_pair
from tinynorm.command.verdict.print_results import as_record
from tinynorm.gradcheck.problem.problem import fresh

SECONDS = 60  # for one mutant, which may never end
OTHER_OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Div: ast.Mult}
OTHER_CALLS = {"sum": "mean", "mean": "sum", "maximum": "minimum", "zeros_like": "ones_like"}


def changes_of(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in a node's place: a term or a factor is left out, a sign is other, a matrix not transposed ..."""
    match node:
        case ast.BinOp(left, op, right):
            yield left
            yield from [right] if isinstance(op, ast.Add | ast.Mult) else []
            yield from [ast.BinOp(left, OTHER_OPERATORS[type(op)](), right)] if type(op) in OTHER_OPERATORS else []
        case ast.Attribute(value, "T"):
            yield value
        case ast.UnaryOp(ast.USub(), operand) if not isinstance(operand, ast.Constant):
            yield operand
        case ast.Constant(value) if type(value) in (int, float):
            yield ast.Constant(value + 1)
        case ast.Compare(left, [ast.Gt() | ast.GtE()], right):
            yield ast.Compare(left, [ast.LtE()], right)
        case ast.Compare(left, [ast.Lt() | ast.LtE()], right):
            yield ast.Compare(left, [ast.Gt()], right)
        case ast.Call(ast.Attribute(value, title), args, keywords) if title in OTHER_CALLS:
            yield ast.Call(ast.Attribute(value, OTHER_CALLS[title], ast.Load()), args, keywords)
        case ast.AugAssign(target, ast.Add(), value):
            yield ast.Assign([target], value)
            yield ast.Pass()
        case ast.Assign([ast.Subscript()]):
            yield ast.Pass()


def mutants(tree: ast.Module, title: str) -> Iterator[tuple[str, str]]:
    """Yield (what is changed, the text of the file) for each change in a function or a method, "NAME" or "CLASS.NAME"."""
    function = _named(tree, title)
    for k, node in enumerate(ast.walk(function) if function else ()):
        for change in changes_of(node):
            other = deepcopy(tree)
            here = list(ast.walk(_named(other, title)))[k]
            text = ast.unparse(ast.fix_missing_locations(_Replace(here, change).visit(other)))
            before, after = ast.unparse(node), ast.unparse(ast.fix_missing_locations(change))
            yield f"line {getattr(node, 'lineno', 0)}: {before} -> {after}", text


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return ast.copy_location(deepcopy(self.new), node) if node is self.old else self.generic_visit(node)


def _named(tree: Any, title: str) -> Any:
    for part in title.split("."):
        tree = next((node for node in tree.body if getattr(node, "name", "") == part), None) if tree else None
    return tree


# ---- what is said of one -------------------------------------------------------------------------------------------------


def pairs_in(path: Path, only: str | None = None) -> list[Pair]:
    return find_pairs(load(path, Prints()), path, only)[0]


def said_of(path: Path, only: str | None = None) -> dict[str, list[str]]:
    """(verdict, the name of backward) by the name of the pair; "in part" where the exit code says that something is left."""
    found = {}
    for pair in pairs_in(path, only):
        record = as_record(check_pair(pair, 0, None, Prints()))
        both = isinstance(pair.forward, Layer) or pair.forward_name != pair.backward_name
        found[pair.name] = [record.verdict + " in part" * record.in_part, pair.backward_name if both else ""]
    return found


def gradients_differ(path: Path, other: Path, name: str) -> bool:
    """Whether the changed backward gives other gradients than the right one, or raises, with the inputs that suit that."""
    call = choose_calls(pairs_in(path, name)[0], 0)[0]
    changed = pairs_in(other, name)[0]
    if isinstance(call.pair.forward, Layer):
        layer, old = copy(call.pair.forward), call.pair.forward
        layer.cls, layer.remake, layer.base = changed.forward.cls, None, deepcopy(old.made)
        layer.base.__class__ = layer.cls
        changed = replace(call.pair, forward=layer, backward=layer.backward)
    found = []
    for pair in (call.pair, changed):
        one = replace(call, pair=pair)
        try:
            out, cache = one.forward(*map(fresh, call.inputs))
            several = isinstance(out, tuple | list)
            douts = [np.random.default_rng(k).standard_normal(np.shape(y))[()] for k, y in enumerate(out if several else [out])]
            found.append(one.backward(tuple(douts) if several else douts[0], cache))
        except Exception:
            return True
    return len(found[0]) != len(found[1]) or not all(map(_are_equal, *found))


def _are_equal(g: Any, h: Any) -> bool:
    if g is None or h is None:
        return g is h
    return np.shape(g) == np.shape(h) and np.allclose(g, h, rtol=1e-7)


def apart(work: Callable, *arguments: Any) -> Any:
    """Return what a function gives in a process of its own, which is ended after SECONDS; None where it fails."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        signal.alarm(SECONDS)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        try:
            os.write(writing, json.dumps(work(*arguments)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    os.wait()
    return json.loads(said) if said else None


def survivors(path: Path, each: int, seed: int, count: Counter[str]) -> Iterator[str]:
    """Yield the mutants of a file's right pairs that are called right and are not; count what is said of all."""
    rng = random.Random(seed)
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError:  # of Python 2
        return
    for name, (verdict, backward) in (apart(said_of, path) or {}).items():
        every = list(mutants(tree, backward)) if verdict == "right" and backward else []
        for what, text in rng.sample(every, min(each, len(every))):
            with TemporaryDirectory() as folder:
                other = _beside_its_siblings(path, Path(folder))
                other.write_text(text, encoding="utf-8")
                says = (apart(said_of, other, name) or {}).get(name, ["not checked"])[0]
                if says == "right" and apart(gradients_differ, path, other, name) is False:  # None: it is not known
                    says = "the same gradients"
            count[says] += 1
            if says == "right":
                yield f"{path.name}: {name}: {what}"


def _beside_its_siblings(path: Path, folder: Path) -> Path:
    """Return a path in a folder, in which a file of another name finds all that the file may import."""
    for sibling in path.parent.iterdir():
        (folder / sibling.name).symlink_to(sibling)
    return folder / f"{path.stem}_mutant.py"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--each", type=int, default=5, help="mutants of each pair (default 5)")
    parser.add_argument("--seed", type=int, default=0)
    options, count = parser.parse_args(), Counter[str]()
    for path in options.files:
        for line in survivors(path.resolve(), options.each, options.seed, count):
            print(line, flush=True)
    print(dict(count))


if __name__ == "__main__":
    sys.exit(main())
