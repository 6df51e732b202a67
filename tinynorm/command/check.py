"""The forward/backward pairs in somebody's Python file: found and checked."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..gradcheck.doors.arrays import check_backward
from ..gradcheck.problem.problem import CannotCheck
from ..gradcheck.problem.settings import EXHAUSTIVE
from ..gradcheck.report.report import Fault, Report
from .choosing import calls_for
from .loading import Explained, load, module_name, own_frames, theirs
from .pairs import Call, Pair, refuse_what_is_no_function_of_arrays
from .visiting import Heard, visiting

LARGE = 32  # elements of an input, in place of EXHAUSTIVE, for shapes beside the first, and ...
SLOW = 2.0  # ... for a forward that takes more seconds times elements (a check calls it a dozen times for each)
PATIENCE = 0.01  # seconds that forward may take to be checked with other shapes too
FORWARD = re.compile(r"((?:.*_)?)forward((?:_.*)?)", re.DOTALL)  # conv_forward, conv_forward_naive


@dataclass
class Found:
    """What is in a file: its pairs, and the names that look like something to check and are in none."""

    pairs: list[Pair]
    others: list[str] = field(default_factory=list)


@dataclass
class Checked:
    """What came of one pair: a report, or the reason why there is none; and the inputs that it is of."""

    name: str
    report: Report | None
    inputs: str = ""
    reason: str = ""


def pairs_in(path: Path, only: str | None = None, heard: Heard | None = None) -> Found:
    """The pairs in a file.

    Raises
    ------
    Explained
        The file is missing, has a syntax error, raises when it is imported, or has no pairs (or none called `only`).
    """
    with visiting(path, heard or Heard()):
        names = dict(load(path))
    functions = {name: value for name, value in names.items() if callable(value)}
    pairs = list(_pairs(functions, names, path))
    others = _others(functions, pairs, path)
    if not pairs:
        raise Explained(f"{path}: no pairs of functions NAME_forward and NAME_backward found{_instead(functions, path)}")
    chosen = [pair for pair in pairs if only in (None, pair.name, pair.forward_name, pair.backward_name)]
    if not chosen:
        raise Explained(f"{path}: there is no pair called {only!r}; there are {', '.join(pair.name for pair in pairs)}")
    return Found(chosen, [] if only else others)


def _pairs(functions: dict[str, Callable], names: dict[str, Any], path: Path):
    """Each backward with its forward: the one of the same name; else without what follows (X_backward_alt), or X alone."""
    for backward in sorted(functions, key=lambda name: _place(name, list(functions))):
        match = FORWARD.fullmatch(backward.replace("backward", "forward")) if "backward" in backward else None
        if match is None:
            continue
        prefix, suffix = match.groups()
        options = [f"{prefix}forward{suffix}", f"{prefix}forward", prefix.rstrip("_")]
        forward = next((name for name in options if name in functions and name != backward), None)
        if forward is not None and not inspect.isclass(functions[forward]):
            title = f"{prefix.rstrip('_')}{suffix}".strip("_") or "forward"
            inputs = names.get(f"{title}_inputs", names.get(f"{prefix}inputs"))
            yield Pair(title, functions[forward], functions[backward], inputs, path, forward, backward)


def _place(name: str, names: list[str]) -> int:
    """Where a backward's forward stands in the file, for pairs in the order of their forwards."""
    forward = name.replace("backward", "forward")
    return names.index(forward) if forward in names else names.index(name)


def _own(functions: dict[str, Callable], path: Path) -> dict[str, Callable]:
    return {name: value for name, value in functions.items() if getattr(value, "__module__", "") == module_name(path)}


def _others(functions: dict[str, Callable], pairs: list[Pair], path: Path) -> list[str]:
    """Of what the file itself defines: halves of pairs, losses that return (loss, gradient), classes with a backward."""
    paired = {name for pair in pairs for name in (pair.forward_name, pair.backward_name)}
    found = []
    for name, value in _own(functions, path).items():
        if inspect.isclass(value):
            found += [f"class {name}"] if hasattr(value, "forward") and hasattr(value, "backward") else []
        elif name not in paired and (re.search(r"(^|_)(forward|backward)(_|$)", name) or name.endswith("_loss")):
            found.append(name)
    return found


def _instead(functions: dict[str, Callable], path: Path) -> str:
    own = _own(functions, path)
    classes = [name for name, value in own.items() if inspect.isclass(value) and hasattr(value, "forward")]
    if classes:
        some = "class has" if len(classes) == 1 else "classes have"
        return f". The {some} methods ({', '.join(classes)}); write a pair of functions around them to check those"
    lonely = [name for name in own if re.search(r"(^|_)(forward|backward)(_|$)", name)]
    if lonely:
        return f"; {', '.join(lonely)} {'has' if len(lonely) == 1 else 'have'} no counterpart"
    return '. What stands under `if __name__ == "__main__":` is not run' if b"__main__" in path.read_bytes() else ""


def check_pair(pair: Pair, seed: int = 0, layer: str | None = None, heard: Heard | None = None) -> Checked:
    """Check one pair with inputs of its own, or with drawn ones; with several, the worst of the reports.

    Raises
    ------
    Explained
        It could not be checked.
    """
    with visiting(pair.path, heard or Heard()):
        refuse_what_is_no_function_of_arrays(pair)
        first, *others = calls_for(pair, seed)
        report = _report(first, seed, layer)
        checked = Checked(pair.name, report, str(first))
        for call in others:
            if call.seconds > PATIENCE:
                report.notes.append(f"forward takes {call} too; with these it was not checked, for forward is slow")
            else:
                checked = _worse(checked, call, seed, layer)
        return checked


def _worse(checked: Checked, call: Call, seed: int, layer: str | None) -> Checked:
    """What was found so far, or what is found with this call, where that is worse."""
    assert checked.report is not None
    before = {True: "right", False: "wrong", None: "not resolved"}[checked.report.ok]
    try:
        report = _report(call, seed, layer, LARGE)
    except Explained as explained:
        if checked.report.ok and "weight" in call.kinds:  # forward flattens x, which is no accident
            raise Explained(f"{explained}\n  ({before} with {checked.inputs})") from None
        error = str(explained).split("\n")[-1].strip().partition(":")[0]
        checked.report.notes.append(f"forward runs with {call} too, backward does not ({error}), so that was not checked")
        return checked
    if _badness(report) > _badness(checked.report):
        report.notes.append(f"it is {before} with {checked.inputs}; these other shapes are taken by forward too")
        return replace(checked, report=report, inputs=str(call))
    return replace(checked, inputs=f"{checked.inputs}; and {call}" if report.ok == checked.report.ok else checked.inputs)


def _badness(report: Report) -> int:
    return {False: 2, None: 1, True: 0}[report.ok]


def _report(call: Call, seed: int, layer: str | None, exhaustive: int = EXHAUSTIVE) -> Report:
    pair = call.pair
    if call.seconds * sum(call.inputs[i].size for i in call.floats) > SLOW:
        exhaustive = LARGE
    try:
        report = check_backward(
            call.forward,
            call.backward,
            call.inputs,
            names=call.names,
            layer=layer or pair.name,
            seed=seed,
            exhaustive=exhaustive,
        )
    except (KeyboardInterrupt, Explained):
        raise
    except CannotCheck as error:
        raise Explained(f"{pair.name}: {error}") from None
    except BaseException as error:
        if not theirs(error, pair.path):
            raise Explained(f"{pair.name}: {error}") from error
        raise Explained(f"{pair.name}: it raises with {call}\n{own_frames(error, pair.path)}") from None
    _refuse_none(report, call)
    _name_swapped(report, call)
    if report.ok is None and any("NaN or infinity" in warning for warning in report.warnings):
        report.warnings.append(f"for inputs that forward is defined for, write {pair.name}_inputs(rng) beside it")
    return report


def _refuse_none(report: Report, call: Call) -> None:
    """In somebody's homework None is a gradient forgotten, except for what is a constant by its name."""
    for found in report.inputs:
        note = next((note for note in report.notes if note.startswith(f"the output depends on {found.name}, ")), None)
        if note is None or not found.constant or call.constant(found.name):
            continue
        report.notes.remove(note)
        sentence = f"backward returned None for {found.name}, and the output depends on it; return its gradient"
        report.faults.append(Fault("returned_none", sentence, found.name))
        found.ok = report.ok = False


def _name_swapped(report: Report, call: Call) -> None:
    """Say it in one sentence where two gradients have each other's shapes."""
    wrong = {fault.input: fault for fault in report.faults if fault.kind == "wrong_shape" and ", got (" in fault.sentence}
    shapes = {found.name: found.shape for found in report.inputs}
    names = [name for name in wrong if name is not None]
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            if f"got {shapes[other]}" in wrong[one].sentence and f"got {shapes[one]}" in wrong[other].sentence:
                order = ", ".join(f"d{call.names[i]}" for i in call.floats)
                sentence = (
                    f"d{one} and d{other} are in each other's place; return them in the order of forward's arguments: {order}"
                )
                for fault in (wrong[one], wrong[other]):
                    report.faults[report.faults.index(fault)] = replace(fault, sentence=sentence)
