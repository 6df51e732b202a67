"""No number of the checker or of the console command is without a test that turns red when it is changed."""

import ast
import importlib
from functools import cache
from pathlib import Path

import pytest
from held import holds
from helpers import some

import tinynorm

PACKAGE = Path(tinynorm.__file__).parent
FILES = [*(PACKAGE / "gradcheck").rglob("*.py"), *(PACKAGE / "command").rglob("*.py")]
HELD = {  # constant -> what is to hold with its value, and not with its half or double; or (that, which multiples are seen)
    constant: check if isinstance(check, tuple) else (check,)
    for path in sorted(Path(__file__).parent.glob("constants_*.py"))
    for constant, check in importlib.import_module(path.stem).HELD.items()
}

# numbers that cannot be halved or doubled
NOT_HELD = {
    "report.text.WIDTH": "the width of a line where the output is no terminal; no answer depends on it",
    "slopes.other_steps.TINY": "float64's smallest normal number",
    "diagnosis.normalization.terms.FIRST": "an index",
    "diagnosis.normalization.terms.MEAN": "an index",
    "diagnosis.normalization.terms.PROJECTION": "an index",
    "command.functions.module_arrays.FAST": "a great rate, of which any other would do",
    "command.process.guard.CLOSED": "a code, of which any other would do",
    "command.process.guard.HIGH": "a file descriptor's number, of which any other would do that files do not use",
    "command.process.own_process.GRACE": "room for a slow machine; no answer depends on it",
    "command.process.own_process.LATE": "room for a slow machine; no answer depends on it",
    "command.process.own_process.RECORDS": "far more than is ever sent; no answer depends on it",
    "command.process.own_process.STARTING": "room for a slow machine; no answer depends on it",
    "command.process.own_process.TICK": "how often it is looked whether a process has gone; no answer depends on it",
}
# Numbers of the doors for whole files. No test holds them yet: halved or doubled, nothing turns red.
NOT_YET_HELD = {
    "command.functions.choose_call": "MUCH SIZES_TRIED",
    "command.functions.usual_operations": "TINY",
    "command.functions.settle": "MOST SMALLER",
    "command.functions.depends": "STANDS CLOSE STEP",
    "command.functions.module_arrays": "DEPTH MANY",
    "command.functions.conventions": "MOST",
    "command.functions.other_modes": "BEYOND FAR LEAST",
    "command.layers.draw_constructor": "HIDDEN VOCABULARY",
    "command.layers.draw_forward": "MOST",
    "command.layers.draw_layer": "ENOUGH MOST PATIENCE",
    "command.layers.objects": "LR MOST",
    "command.layers.attributes": "DEPTH",
    "command.layers.parameters": "DAMPED DRAWS SHORT",
    "command.load.old_ways": "TAB",
    "command.load.run_statements": "LONGEST",
    "command.read.by_use": "MANY",
    "command.read.packed": "DEPTH LAYERS",
    "command.tensors.draw_operation": "MOST",
    "command.verdict.another_forward": "SHORT_STEP",
}


def constants_of(path):
    """The names of a file's numbers: NAME = 3, or NAME, OTHER = 1.5, 2."""
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            names = target.elts if isinstance(target, ast.Tuple) else [target]
            yield from (name.id for name in names if isinstance(name, ast.Name) and name.id.isupper())


@cache
def numbers():
    found = set()
    for path in FILES:
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        module = importlib.import_module(".".join(["tinynorm", *parts]).removesuffix(".__init__"))
        within = [part for part in parts if part not in ("gradcheck", "__init__")]
        found |= {
            ".".join([*within, name])
            for name in constants_of(path)
            if isinstance(getattr(module, name), int | float) and not isinstance(getattr(module, name), bool)
        }
    return found


def test_every_number_is_held():
    not_yet = {f"{file}.{name}" for file, names in NOT_YET_HELD.items() for name in names.split()}
    assert numbers() - NOT_HELD.keys() - not_yet == HELD.keys()
    assert not_yet <= numbers()


@pytest.mark.no_cover  # twice as slow where each line is counted; other tests run these lines too
@pytest.mark.parametrize("constant", some(HELD, 6))
def test_a_constant_is_held(constant):
    holds(constant, *HELD[constant])


@pytest.mark.parametrize("name", NOT_HELD)
def test_the_exceptions_are_still_there(name):
    assert name in numbers()
