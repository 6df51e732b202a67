"""Check the gradients of a pair with the chosen inputs; make the report fit a homework."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

from ...gradcheck.report.report import Fault, Report
from ..functions.call_pair import NOT_CHECKED, Call, refuse_what_is_no_function_of_arrays
from ..functions.choose_call import choose_calls
from ..functions.other_modes import in_columns, in_other_modes
from ..functions.pair import Pair
from ..functions.try_call import lines_left_out, other_defaults, unread
from ..read.read_code import code_of
from ..run_code import Prints, UserError, running
from ..unfinished import TO_BE_WRITTEN, Unfinished, line_of
from .ask_again import ask_again, right_where_equal, right_with
from .cut_off import right_for_one_element, right_if_small
from .make_report import Raises, report_of
from .other_inputs import all_equal, jumps, takes_squares_only
from .penalty import odd_penalty, without_penalty
from .result import VERDICTS, Result
from .up_to import UP_TO

# A second call is not checked where one forward takes more seconds: its inputs have up to ten times as many elements.
PATIENCE = 0.01

KNOWN = {"x", "weight", "bias", "affine", "number"}  # kinds of a plain layer's inputs
ONE = "right for one element of dout"


def check_pair(pair: Pair, seed: int, layer: str | None, prints: Prints) -> Result:
    """Check a pair. With two calls, the worse report counts."""
    try:
        with running(pair.path, prints):
            refuse_what_is_no_function_of_arrays(pair)
            first, *second = choose_calls(pair, seed)
            ask = partial(report_of, seed=seed, layer=layer)
            result = _checked(first, ask)
            for other in second:
                other.laid = first.laid
            result = _worse(result, second[0], ask) if second and result.report is not None else result
            result = _in_other_modes(result, first, ask)
            if result.report is not None and result.report.ok:
                for left_out, why in (lines_left_out(pair) | unread(pair) | other_defaults(pair) | odd_penalty(first)).items():
                    result.report.notes.append(f"{left_out}; {why}")
                    result.left_out |= {left_out: True} if left_out.startswith(NOT_CHECKED) else {}
            return result
    except UserError as raised:
        error = _says_nothing(pair, raised) or raised
        about = error.nuance if isinstance(error, Unfinished) else ""
        lead = f"{pair.name} is unfinished" if about == "unfinished" else f"could not check {pair.name}"
        return Result(pair.name, reason=f"{lead}: {error}", about=about)


def _says_nothing(pair: Pair, told: UserError) -> Unfinished | None:
    """Return what to say of a backward that is still to be written, where something else was told."""
    layer: Any = pair.forward
    half = getattr(layer.cls, layer.methods.backward) if hasattr(layer, "methods") else pair.backward
    code = code_of(half) if half is not None else None
    lines = [ast.unparse(line) for line in code.body[ast.get_docstring(code) is not None :]] if code else ["?"]
    title = half.__name__ if half is not None else ""
    if not all(re.fullmatch(TO_BE_WRITTEN, line) for line in lines) or (isinstance(told, Unfinished) and title in str(told)):
        return None
    return Unfinished(f"{line_of(half, pair.path)}`{lines[0] if lines else 'a docstring'}` is all of {title}")


def _checked(call: Call, ask: Callable[..., Report]) -> Result:
    """Return the result with one call; where it is wrong, after one more question."""
    try:
        result = _result(call, ask(call))
    except Raises as error:
        one = right_for_one_element(call, None, ask)
        return _result(call, one, ONE) if one else _where_sizes_are_equal(call, ask, error)
    return _asked_again(*_in_their_shapes(call, _in_columns(call, result, ask), ask), ask)


def _result(call: Call, report: Report, about: str = "") -> Result:
    return Result(call.pair.name, report, str(call), about=about, left_out=dict(call.left_out))


def _in_their_shapes(call: Call, first: Result, ask: Callable[..., Report]) -> tuple[Call, Result]:
    """Return the call and its result; where a gradient has axes of length 1 that its argument has not, or lacks them, without.

    b (4,) less db (1, 4) is what NumPy makes of it: the numbers count.
    """
    if first.report is None or not any(fault.kind == "wrong_shape" for fault in first.report.faults):
        return call, first
    other = copy(call)
    other.laid, other.told = True, dict(call.told)
    try:
        report = ask(other)
    except UserError:
        return call, first
    told = ", ".join(text.partition("), ")[0] + ")" for text in other.told if text not in call.told)
    call.laid = not report.faults  # in other modes too
    return other, replace(first, report=report, about=told if report.ok else first.about)


def _in_columns(call: Call, first: Result, ask: Callable[..., Report]) -> Result:
    """Return the first result; where it is wrong, the one with targets that are one-hot in columns, if that is right."""
    other = in_columns(call) if first.verdict == "wrong" else None
    report = right_with(other, ask) if other else None
    return replace(first, report=report, inputs=f"{other}, one-hot in columns") if report else first


def _asked_again(call: Call, result: Result, ask: Callable[..., Report]) -> Result:
    """Return the result with what one more question shows, where it is wrong."""
    if result.report is None or result.verdict != "wrong":
        return result
    mean, result = result.about == UP_TO, replace(result, about=result.about.replace(UP_TO, ""))
    assert result.report is not None
    clipped = right_if_small(call, result.report, ask)
    if clipped is not None:
        return replace(result, report=clipped, about="right where it clips no gradient" if clipped.ok else "")
    if all(found.ok for found in result.report.inputs):
        return result
    alone = without_penalty(call, result.report, ask)
    if alone is not None:
        return replace(result, report=alone, about="right but for a penalty's gradient" if alone.ok else "")
    one = right_for_one_element(call, result.report, ask)
    if one is not None:
        return replace(result, report=one, about=ONE)
    answer = ask_again(call, result.report, partial(ask, second=True), mean)
    wrong = [found.name for found in result.report.inputs if not found.ok]
    if answer is None and not result.report.findings and call.shape != () and jumps(call, wrong):
        says = f"{call.pair.forward_name} jumps, as where it rounds or gives 1 or -1. Between two jumps its slope is another"
        says = f"could not check {result.name}: {says} than the one that backward gives"
        return Result(result.name, reason=says, about="forward jumps")
    if answer is None:
        return result
    if answer.report is not None and not answer.sentence:
        return replace(result, report=answer.report, about=answer.nuance)
    result.report.answers.append(answer.sentence)
    return replace(result, about=answer.nuance)


def _where_sizes_are_equal(call: Call, ask: Callable[..., Report], error: Raises) -> Result:
    """Return the result where backward raises, but is right with inputs two sizes of which are equal; else raise the error."""
    raised, anew = str(error).split("\n")[-1].strip(), call.all_equal()
    answer = right_where_equal(call, partial(ask, second=True)) if anew is None else None
    if answer is None or answer.report is None:
        return _wrong_where_all_are_equal(anew or call, ask, error, f"it raises with {call} ({raised})")
    if answer.nuance.startswith("right where N "):  # the number of samples is no size of a layer: these shapes may be no use
        raise UserError(f"{error}\n  ({answer.sentence})")
    report, sentence = answer.report, f"it raises with {call} ({raised})"
    if takes_squares_only(call):
        report.notes.append(f"{sentence}. It is right with square images, the only ones that forward is made for")
        return Result(call.pair.name, report, answer.inputs, about="right for square images only")
    report.faults.append(Fault("raises_for_unequal_sizes", f"{sentence}; {answer.sentence}"))
    report.ok = False
    return Result(call.pair.name, report, answer.inputs, about=answer.nuance)


def _wrong_where_all_are_equal(call: Call, ask: Callable[..., Report], error: Raises, raises: str) -> Result:
    """Return the result with all sizes equal, where a forgotten transpose does not raise; raise the error if it is right."""
    known = {"x", "weight"} <= {*call.kinds} <= KNOWN and call.pair.inputs is None  # or these may be no inputs for it
    same = all_equal(call) if known and "(ValueError: " in raises else None
    try:
        report = ask(same, second=True) if same is not None else None
    except UserError:
        report = None
    if same is None or report is None or all(found.ok is not False for found in report.inputs):
        raise error
    says = f"{raises}; where all sizes are equal it runs, and is wrong"
    report.faults.append(Fault("raises_for_unequal_sizes", says))
    return _result(same, report)


def _worse(first: Result, call: Call, ask: Callable[..., Report]) -> Result:
    """Return the first result, or that of a second call where it is worse, and forward is meant to take that too.

    It is meant to if the shapes of its parameters follow those of x. Without any, NumPy may have broadcast x by accident.
    """
    assert first.report is not None
    notes, meant = first.report.notes, {"weight", "affine"} & set(call.kinds)
    if call.seconds > PATIENCE:
        notes.append(f"forward takes {call} too; with these it was not checked, for forward is slow")
        return first
    try:
        report = ask(call, second=True)
    except UserError as error:
        if first.report.ok and "weight" in call.kinds:  # forward flattens x; that is no accident of broadcasting
            raise UserError(f"{error}\n  ({first.verdict} with {first.inputs})") from None
        last_line = f"{first.name}: {error}".split("\n")[-1]  # of a traceback: the exception and its message
        kind = last_line.strip().partition(":")[0]
        notes.append(f"forward runs with {call} too, backward does not ({kind}), so that was not checked")
        return first
    second = _asked_again(call, _result(call, report, first.about), ask)
    if second.report is None:
        return second
    badness = list(VERDICTS.values()).index
    if badness(second.verdict) > badness(first.verdict):
        if (first.verdict, second.verdict) == ("right", "wrong") and not meant:
            notes.append(f"it is {first.verdict} with {first.inputs}, and wrong with {call}, which forward takes too")
            return replace(first, about=first.about or "right in 2-D only")
        report.notes.append(f"it is {first.verdict} with {first.inputs}; these other shapes are taken by forward too")
        return second
    if first.verdict == "wrong" and report.ok:
        notes.append(f"it is right with {call}, and wrong with {first.inputs}")
    return replace(first, inputs=f"{first.inputs}; and {call}") if report.ok == first.report.ok else first


def _in_other_modes(first: Result, call: Call, ask: Callable[..., Report]) -> Result:
    """Return the first result, or that in another mode of forward (activation "tanh") where it is worse."""
    if first.report is None or not first.report.ok:
        return first
    for mode, other in in_other_modes(call):
        try:
            report = ask(other, second=True)
        except UserError:
            first.report.notes.append(f"forward takes {mode} too, backward does not, so that was not checked")
            first.left_out[f"{NOT_CHECKED} with {mode}"] = True
            continue
        second = _asked_again(other, _result(other, report, first.about), ask)
        if second.report is not None and second.verdict != "right":
            second.report.notes.append(f"it is right with {first.inputs}, and wrong with {mode}")
            if other.why:
                second.report.answers, second.report.findings = [other.why], []
            return second
        first = replace(first, inputs=f"{first.inputs}; and {mode}")
    return first
