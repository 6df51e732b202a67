"""Check the gradients of a pair with the chosen inputs; make the report fit a homework."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

from ..gradcheck.doors.arrays import check_backward
from ..gradcheck.problem.problem import CannotCheck
from ..gradcheck.problem.settings import EXHAUSTIVE
from ..gradcheck.report.report import Fault, Report
from .call_pair import Call, refuse_what_is_no_function_of_arrays
from .choose_call import choose_calls, in_columns
from .find_pairs import Pair
from .run_code import Prints, UserError, attempt, own_frames, own_traceback, running

# An input with more elements is checked along random directions, where forward is slow and in a second call. To check each
# element takes a dozen forwards for each. A bias or the state of a small recurrent layer has fewer elements.
LARGE = 32
# Forward is slow where the seconds of one forward times the elements of all inputs are more. To check each element then takes
# more than half a minute.
SLOW = 2.0
# A second call is not checked where one forward takes more seconds: its inputs have up to ten times as many elements.
PATIENCE = 0.01

VERDICTS = {True: "right", None: "not resolved", False: "wrong"}  # of `Report.ok`, from good to bad


@dataclass
class Result:
    """The result for one pair: a report and the inputs that it was made with, or the reason why there is no report."""

    name: str
    report: Report | None = None
    inputs: str = ""
    reason: str = ""

    @property
    def verdict(self) -> str:
        return "not checked" if self.report is None else VERDICTS[self.report.ok]


def check_pair(pair: Pair, seed: int, layer: str | None, prints: Prints) -> Result:
    """Check a pair. With two calls, the worse report counts."""
    try:
        with running(pair.path, prints):
            refuse_what_is_no_function_of_arrays(pair)
            first, *second = choose_calls(pair, seed)
            result = _in_columns(Result(pair.name, _report(first, seed, layer), str(first)), first, seed, layer)
            return _worse(result, second[0], seed, layer) if second else result
    except UserError as error:
        return Result(pair.name, reason=f"could not check {pair.name}: {error}")


def _in_columns(first: Result, call: Call, seed: int, layer: str | None) -> Result:
    """Return the first result; where it is wrong, the one with targets that are one-hot in columns, if that is right."""
    other = in_columns(call) if first.verdict == "wrong" else None
    try:
        report = _report(other, seed, layer) if other else None
    except UserError:
        return first
    return Result(first.name, report, f"{other}, one-hot in columns") if report is not None and report.ok else first


def _worse(first: Result, call: Call, seed: int, layer: str | None) -> Result:
    """Return the first result, or that of a second call where it is worse."""
    assert first.report is not None
    notes = first.report.notes
    if call.seconds > PATIENCE:
        notes.append(f"forward takes {call} too; with these it was not checked, for forward is slow")
        return first
    try:
        report = _report(call, seed, layer, second=True)
    except UserError as error:
        if first.report.ok and "weight" in call.kinds:  # forward flattens x; that is no accident of broadcasting
            raise UserError(f"{error}\n  ({first.verdict} with {first.inputs})") from None
        last_line = f"{first.name}: {error}".split("\n")[-1]  # of a traceback: the exception and its message
        kind = last_line.strip().partition(":")[0]
        notes.append(f"forward runs with {call} too, backward does not ({kind}), so that was not checked")
        return first
    second = Result(first.name, report, str(call))
    badness = list(VERDICTS.values()).index
    if badness(second.verdict) > badness(first.verdict):
        report.notes.append(f"it is {first.verdict} with {first.inputs}; these other shapes are taken by forward too")
        return second
    return replace(first, inputs=f"{first.inputs}; and {call}") if report.ok == first.report.ok else first


def _report(call: Call, seed: int, layer: str | None, second: bool = False) -> Report:
    """Return the report of `check_backward`. Raise UserError where the user's code raises."""
    pair = call.pair
    slow = call.seconds * sum(call.inputs[i].size for i in call.floats) > SLOW
    exhaustive = LARGE if slow or second else EXHAUSTIVE
    options = {"names": call.names, "layer": layer or pair.name, "seed": seed, "exhaustive": exhaustive}
    report, error = attempt(check_backward, call.forward, call.backward, call.inputs, **options)
    if error is not None:
        if isinstance(error, CannotCheck) or not own_frames(error, pair.path):
            raise UserError(str(error)) from error
        raise UserError(f"it raises with {call}\n{own_traceback(error, pair.path)}")
    _refuse_none(report, call)
    _name_swapped(report, call)
    if report.ok is None and any("NaN or infinity" in warning for warning in report.warnings):
        report.warnings.append(f"for inputs that forward is defined for, write {pair.name}_inputs(rng) beside it")
    return report


def _refuse_none(report: Report, call: Call) -> None:
    """Make None a fault: in a homework it is a forgotten gradient, unless the input is a constant by its name."""
    for found in report.inputs:
        note = next((note for note in report.notes if note.startswith(f"the output depends on {found.name}, ")), None)
        if note is None or not found.constant:
            continue
        if call.constant(found.name):
            if call.pair.loss:  # a loss has no gradient for its data; that is nothing to note
                report.notes.remove(note)
            continue
        report.notes.remove(note)
        what = "the loss has no gradient" if call.pair.loss else "backward returned None"
        what += f" for {found.name}, and {'it' if call.pair.loss else 'the output'} depends on it"
        sentence = f"{what}; return its gradient"
        report.faults.append(Fault("returned_none", sentence, found.name))
        found.ok = report.ok = False


def _name_swapped(report: Report, call: Call) -> None:
    """Say in one sentence that two gradients have each other's shapes."""
    wrong = {fault.input: fault for fault in report.faults if fault.kind == "wrong_shape" and fault.input}
    shapes = {found.name: found.shape for found in report.inputs}

    def has_shape_of(one: str, other: str) -> bool:
        return f", got {shapes[other]}" in wrong[one].sentence

    for one, other in combinations(wrong, 2):
        if has_shape_of(one, other) and has_shape_of(other, one):
            order = ", ".join(f"d{call.names[i]}" for i in call.floats)
            sentence = (
                f"d{one} and d{other} are in each other's place; return them in the order of forward's arguments: {order}"
            )
            for fault in (wrong[one], wrong[other]):
                report.faults[report.faults.index(fault)] = replace(fault, sentence=sentence)
