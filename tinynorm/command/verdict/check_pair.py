"""Check the gradients of a pair with the chosen inputs; make the report fit a homework."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np

from ...gradcheck.doors.arrays import check_backward
from ...gradcheck.doors.blind_spots import NO_DEPENDENCE
from ...gradcheck.problem.problem import CannotCheck, fresh
from ...gradcheck.problem.settings import EXHAUSTIVE
from ...gradcheck.report.report import Fault, Report
from ..functions.call_pair import Call, refuse_what_is_no_function_of_arrays
from ..functions.choose_call import choose_calls
from ..functions.find_pairs import Pair
from ..functions.kinds import PARAMETERS, kind_of
from ..functions.other_modes import in_columns, in_other_modes
from ..functions.try_call import lines_left_out, note_lines, other_defaults
from ..read.read_code import code_of
from ..run_code import Prints, UserError, attempt, own_frames, own_traceback, running
from ..unfinished import Unfinished, blame, line_of
from .ask_again import UP_TO, ask_again, right_where_equal, right_with
from .cut_off import right_for_one_element, right_if_small
from .other_inputs import all_equal, jumps, takes_squares_only
from .penalty import without_penalty
from .their_words import cotangent_of, in_their_words

# An input with more elements is checked along random directions, where forward is slow and in a second call. To check each
# element takes six forwards or more for each. A bias or the state of a small recurrent layer has fewer elements.
LARGE = 32
# Forward is slow where the seconds of one forward times the elements of all inputs are more. To check each element then takes
# more than half a minute.
SLOW = 2.0
# A second call is not checked where one forward takes more seconds: its inputs have up to ten times as many elements.
PATIENCE = 0.01

KNOWN = {"x", "weight", "bias", "affine", "number"}  # kinds of a plain layer's inputs
VERDICTS = {True: "right", None: "not resolved", False: "wrong"}  # of `Report.ok`, from good to bad

NO_GRADIENT = "no gradient is looked for of"
A_PARAMETER = re.compile("weight|bias|embed|kernel|step", re.IGNORECASE)  # in the name of an array: layer_weight; or stepped
ONE = "right for one element of dout"
NOTHING = r"pass|\.\.\.|raise NotImplementedError.*"  # the whole of what is still to be written
BEHAVIOUR = {  # what a backward does whose numbers are right, in the fewest words
    "mutates_dout": "writes into dout",
    "mutates_input": "writes into its input",
    "mutates_output": "writes into the output",
    "mutates_cache": "writes into the cache",
    "aliases_dout": "hands back dout's memory",
    "aliases_input": "hands back an input's memory",
    "aliases_gradient": "hands back one array twice",
    "reuses_memory": "reuses its memory",
    "nondeterministic": "another result each time",
    "foreign_state": "uses what the last forward left behind",
    "not_linear": "not linear in dout",
    "wrong_dtype": "wrong dtype",
    "imprecise": "imprecise in its own dtype",
    "batch_dependent": "rows depend on each other",
}


@dataclass
class Result:
    """The result for one pair: a report and the inputs that it was made with, or the reason why there is no report."""

    name: str
    report: Report | None = None
    inputs: str = ""
    reason: str = ""
    about: str = ""  # what there is to say of it in a few words
    unchecked: list[str] = field(default_factory=list)  # what of it was not checked: lines, another mode

    @property
    def verdict(self) -> str:
        return "not checked" if self.report is None else VERDICTS[self.report.ok]

    @property
    def nuance(self) -> str:
        """A few words for the summary: "unfinished", "right up to 1/m", "numbers right, writes into dout"; mostly ""."""
        words = [self.about] if self.about or self.report is None else self._of_report(self.report)
        words += self.unchecked + [f"{NO_GRADIENT} {names}" for names in self._without_gradient] + self._refused
        return ", ".join(filter(None, dict.fromkeys(words)))

    @property
    def in_part(self) -> bool:
        """Whether lines or a mode were not checked, or no gradient was found of what is a parameter by its name."""
        names = re.findall(r"\w+", " ".join(self._without_gradient))
        owed = any(kind_of(name) in PARAMETERS or A_PARAMETER.search(name) for name in names)
        return bool(self.unchecked or self._refused or owed)

    @property
    def _without_gradient(self) -> list[str]:
        return re.findall(f"{NO_GRADIENT} ([^;]*)", self.inputs)

    @property
    def _refused(self) -> list[str]:
        return re.findall("not checked with [^;]*?(?=, for there)", self.inputs)

    @staticmethod
    def _of_report(report: Report) -> list[str]:
        if any(warning.startswith("forward rounds to") for warning in report.warnings):
            return ["forward rounds to float32"]
        faults = report.faults if all(found.ok for found in report.inputs) else []
        words = [BEHAVIOUR[fault.kind] for fault in faults if fault.kind in BEHAVIOUR]
        if words:
            return ["numbers right", *words]
        order = [note.rpartition(" those of ")[2] for note in report.notes if note.startswith("the gradients are read by")]
        handed_back = any("is the memory of" in note for note in report.notes)
        return [f"returned in the order {names}" for names in order] + ["hands back dout"] * handed_back


def check_pair(pair: Pair, seed: int, layer: str | None, prints: Prints) -> Result:
    """Check a pair. With two calls, the worse report counts."""
    try:
        with running(pair.path, prints):
            refuse_what_is_no_function_of_arrays(pair)
            first, *second = choose_calls(pair, seed)
            ask = partial(_report, seed=seed, layer=layer)
            result = _checked(first, ask)
            for other in second:
                other.laid = first.laid
            result = _worse(result, second[0], ask) if second and result.report is not None else result
            result = _in_other_modes(result, first, ask)
            if result.report is not None and result.report.ok:
                notes = lines_left_out(pair) + other_defaults(pair)
                result.report.notes += notes
                result.unchecked += [line for note in notes for line in re.findall("^not checked: [^;]*", note)]
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
    if not all(re.fullmatch(NOTHING, line) for line in lines) or (isinstance(told, Unfinished) and title in str(told)):
        return None
    return Unfinished(f"{line_of(half, pair.path)}`{lines[0] if lines else 'a docstring'}` is all of {title}")


def _checked(call: Call, ask: Callable[..., Report]) -> Result:
    """Return the result with one call; where it is wrong, after one more question."""
    try:
        result = Result(call.pair.name, ask(call), str(call))
    except Raises as error:
        one = right_for_one_element(call, None, ask)
        return Result(call.pair.name, one, str(call), about=ONE) if one else _where_sizes_are_equal(call, ask, error)
    return _asked_again(*_in_their_shapes(call, _in_columns(call, result, ask), ask), ask)


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
    return Result(first.name, report, f"{other}, one-hot in columns") if report else first


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
    if report is None or all(found.ok is not False for found in report.inputs):
        raise error
    says = f"{raises}; where all sizes are equal it runs, and is wrong"
    report.faults.append(Fault("raises_for_unequal_sizes", says))
    return Result(call.pair.name, report, str(same))


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
    second = _asked_again(call, Result(first.name, report, str(call), about=first.about), ask)
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
            first.unchecked.append(f"not checked with {mode}")
            continue
        second = _asked_again(other, Result(first.name, report, str(other), about=first.about), ask)
        if second.report is not None and second.verdict != "right":
            second.report.notes.append(f"it is right with {first.inputs}, and wrong with {mode}")
            return second
        first = replace(first, inputs=f"{first.inputs}; and {mode}")
    return first


class Raises(UserError):
    """Forward or backward raises with inputs that forward took before."""


def _report(call: Call, seed: int, layer: str | None, second: bool = False, **altered: Any) -> Report:
    """Return the report of `check_backward`, or with an altered forward, backward or cotangent.

    Raise UserError where the user's code raises.
    """
    pair = call.pair
    slow = call.seconds * sum(call.inputs[i].size for i in call.floats) > SLOW
    exhaustive = LARGE if slow or second else EXHAUSTIVE
    options = {"names": call.names, "layer": layer or pair.name, "seed": seed, "exhaustive": exhaustive}
    if call.shape == () and not cotangent_of(call):
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
