"""Make the report of one call with `check_backward`, and make it fit a homework."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from ...gradcheck.doors.arrays import check_backward
from ...gradcheck.doors.blind_spots import NO_DEPENDENCE
from ...gradcheck.problem.problem import CannotCheck, fresh
from ...gradcheck.problem.settings import EXHAUSTIVE
from ...gradcheck.report.report import Fault, Report
from ..functions.call_pair import Call
from ..functions.composed import Composed
from ..functions.try_call import note_lines
from ..run_code import UserError, attempt, own_frames, own_traceback
from ..unfinished import Unfinished, blame, line_of
from .their_words import cotangent_of, in_their_words

# An input with more elements is checked along random directions, where forward is slow and in a second call. To check each
# element takes six forwards or more for each. A bias or the state of a small recurrent layer has fewer elements.
LARGE = 32
# Forward is slow where the seconds of one forward times the elements of all inputs are more. To check each element then takes
# more than half a minute.
SLOW = 2.0


class Raises(UserError):
    """Forward or backward raises with inputs that forward took before."""


def report_of(call: Call, seed: int, layer: str | None, second: bool = False, **altered: Any) -> Report:
    """Return the report of `check_backward`, or with an altered forward, backward or cotangent.

    Raise UserError where the user's code raises.
    """
    pair = call.pair
    slow = call.seconds * sum(call.inputs[i].size for i in call.floats) > SLOW
    exhaustive = LARGE if slow or second else EXHAUSTIVE
    options = {"names": call.names, "layer": layer or pair.name, "seed": seed, "exhaustive": exhaustive}
    if call.shape == () and (isinstance(pair.forward, Composed) or not cotangent_of(call)):
        options["cotangent"] = 1.0  # the numbers of the report are then those that the user's program prints
    forward, backward = altered.pop("forward", call.forward), altered.pop("backward", call.backward)
    report, error = attempt(check_backward, forward, backward, call.inputs, **options | altered)
    if error is not None:
        unfinished = blame(error, pair.path)
        if unfinished:
            raise unfinished from error
        if isinstance(error, CannotCheck) or not own_frames(error, pair.path):
            raise UserError(str(error)) from error
        raise Raises(f"it raises with {call}\n{own_traceback(error, pair.path)}")
    report.notes += call.remarks
    note_lines(call)
    if report.ok is not False and _is_zero(report, forward(*map(fresh, call.inputs))[0]):
        raise Unfinished(f"{line_of(pair.forward, pair.path)}{pair.forward_name} returns 0 whatever its inputs are")
    _refuse_none(report, call)
    _name_swapped(report, call)
    _forgive_views(report)
    if report.ok is False:
        in_their_words(report, call)
    if report.ok is None and any("NaN or infinity" in warning for warning in report.warnings):
        report.warnings.append(f"for inputs that forward is defined for, write {pair.name}_inputs(rng) beside it")
    return report


def _forgive_views(report: Report) -> None:
    """Make it a note, and no fault, that dout or a view of it is handed back, or one array twice: flatten and add do so."""
    forgiven = [fault for fault in report.faults if fault.kind in ("aliases_dout", "aliases_gradient")]
    if report.faults and forgiven == report.faults:
        report.notes += [fault.sentence for fault in report.faults]
        report.faults = []
        verdicts = [found.ok for found in report.inputs]
        report.ok = False if False in verdicts else None if None in verdicts else True


def _is_zero(report: Report, out: Any) -> bool:
    """Whether the output is 0 and depends on no input: forward returns what it begins with."""
    flat = sum(warning.startswith(NO_DEPENDENCE) for warning in report.warnings)
    moving = sum(not found.constant for found in report.inputs)
    return 0 < flat == moving and not any(np.any(y) for y in (out if isinstance(out, tuple | list) else [out]))


def _refuse_none(report: Report, call: Call) -> None:
    """Make None a fault: in a homework it is a forgotten gradient, unless the input is a constant by its name."""
    for found in report.inputs:
        faults = [fault for fault in report.faults if fault.kind == "returned_none" and fault.input == found.name]
        if faults and found.constant and call.constant(found.name):  # one-hot rows, before a table
            report.faults = [fault for fault in report.faults if fault not in faults]
            found.ok, report.ok = True, report.ok or (not report.faults and all(x.ok for x in report.inputs if x is not found))
        note = next((note for note in report.notes if note.startswith(f"the output depends on {found.name}, ")), None)
        if note is None or not found.constant:
            continue
        if call.constant(found.name):
            if call.pair.loss:  # a loss has no gradient for its data; that is nothing to note
                report.notes.remove(note)
            continue
        report.notes.remove(note)
        what, it = ("the loss has no gradient", "it") if call.pair.loss else ("backward returned None", "the output")
        sentence = f"{what} for {found.name}, and {it} depends on it; return its gradient"
        report.faults.append(Fault("returned_none", sentence, found.name))
        found.ok = report.ok = False


def _name_swapped(report: Report, call: Call) -> None:
    """Say in one sentence that two gradients have each other's shapes."""
    wrong = {fault.input: fault for fault in report.faults if fault.kind == "wrong_shape" and fault.input}
    shapes = {found.name: found.shape for found in report.inputs}
    order = ", ".join(f"d{call.names[i]}" for i in call.floats)
    for one, other in combinations(wrong, 2):
        if all(f", got {shapes[b]}" in wrong[a].sentence for a, b in ((one, other), (other, one))):
            says = f"d{one} and d{other} are in each other's place; return them in the order of forward's arguments: {order}"
            for fault in (wrong[one], wrong[other]):
                report.faults[report.faults.index(fault)] = replace(fault, sentence=says)
