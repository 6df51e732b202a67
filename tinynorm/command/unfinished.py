"""Say whose an exception is, where no other inputs could mend it: the code is unfinished, or NumPy has dropped what it uses."""

from __future__ import annotations

import ast
import linecache
import re
import traceback
from collections.abc import Callable
from inspect import unwrap
from pathlib import Path
from types import FrameType
from typing import Any

from .run_code import UserError, message_of, own_frames

# What NumPy has dropped: (the release that dropped it, what to write). It names itself what release 2.0 dropped, in most cases.
GONE = {
    **{name: ("1.24", name) for name in ("float", "int", "bool", "object", "complex", "str")},
    "long": ("1.24", "int"),
    "unicode": ("1.24", "str"),
    "bool8": ("2.0", "bool"),
    "product": ("2.0", "np.prod"),
    "cumproduct": ("2.0", "np.cumprod"),
    "in1d": ("2.4", "np.isin"),
    "trapz": ("2.4", "np.trapezoid"),
    "asscalar": ("1.23", "x.item()"),
    "ptp": ("2.0", "np.ptp(x)"),
    "newshape": ("2.4", "shape="),
}
NO_NAME = re.compile(r"module 'numpy[\w.]*' has no attribute '(\w+)'|'numpy.ndarray' object has no attribute '(ptp)'")
SAYS_ITSELF = re.compile(r"`(np\.\w+)` was removed in the NumPy ([\d.]+) release. Use `([^`]+)` instead")
NO_KEYWORD = re.compile(r"reshape\(\) got an unexpected keyword argument '(newshape)'")
NOTHING = re.compile("NoneType|ellipsis|Input operand [01] does not have enough dimensions")  # the last: None @ x
# A line of a body that is still to be written, or for others to write.
TO_BE_WRITTEN = r"pass|\.\.\.|raise NotImplementedError.*|return( NotImplemented(Error(\(\))?)?)?"
LEFT_OUT = "__left_out__"  # in the names of a file: why those are not there that its loading has left out
OF_TWO = re.compile(r"(np|numpy)\.(max|min)\( *0[., ]")  # np.max(0, x) for np.maximum(0, x)
SLIP = re.compile("Cannot interpret '.+' as a data type")  # np.ones(2, 3) for np.ones((2, 3))
MISCALLED = re.compile(r"^([\w.]+)\(\) (missing \d+ required|takes (from \d+ to )?\d+ positional|got an unexpected keyword)")
NO_COUNT = re.compile("'float' object cannot be interpreted as an integer|slice indices must be integers")
NEVER_MENDED = (NameError, NotImplementedError, AttributeError, AssertionError)
# Names that Python 2 had: (what to write in their place)
PYTHON_2 = {
    "xrange": "range",
    "raw_input": "input",
    "unicode": "str",
    "reduce": "functools.reduce",
    "iteritems": "items",
    "itervalues": "values",
    "has_key": "in",
}


class Unfinished(UserError):
    """The user's code cannot be checked with any inputs."""

    def __init__(self, sentence: str, nuance: str = "unfinished") -> None:
        super().__init__(sentence)
        self.nuance = nuance


def blame(error: BaseException, path: Path) -> Unfinished | None:
    """Return what is wrong with the user's code itself; None where other inputs could mend it."""
    gone, frames = _gone(str(error)), own_frames(error, path)
    of_two = isinstance(error, TypeError) and frames and OF_TWO.search(frames[-1].line or "")
    slip = bool(SLIP.search(str(error)) or of_two) or miscalled(error, frames)
    if (
        not NO_COUNT.search(str(error))
        and not gone
        and not slip
        and not isinstance(error, NEVER_MENDED)
        and not NOTHING.search(str(error))
    ):
        return None
    if not frames:
        return None
    line = f"{_file(frames[-1].filename, path)}:{frames[-1].lineno}"
    if gone:
        what, since, instead = gone
        advice = f", which NumPy {since} removed; write {instead}" if since else ", which this NumPy does not have"
        return Unfinished(f"{line} uses {what}{advice}", f"uses {what}")
    if isinstance(error, NameError | AttributeError) and error.name in PYTHON_2:
        return Unfinished(f"{line} is Python 2: write {PYTHON_2[error.name]} for {error.name}", "Python 2")
    if NO_COUNT.search(str(error)) and _divided(_frames(error, {frames[-1].filename})[-1], frames[-1].line or ""):
        return Unfinished(f"{line} is Python 2: a count is a float there; write // for /", "Python 2")
    left_out = _frames(error, {frames[-1].filename})[-1].f_globals.get(LEFT_OUT, {})
    if slip:
        return Unfinished(f"{line}, in {frames[-1].name}: `{frames[-1].line}`: {message_of(error)}")
    says = left_out.get(error.name, left_out.get("*")) if isinstance(error, NameError) else None
    if says:
        return Unfinished(f"{line} uses {error.name}, {says}", f"needs {error.name}")  # type: ignore[attr-defined]
    why = _unfinished(error, _frames(error, {frame.filename for frame in frames}), frames[-1].line or "")
    return Unfinished(f"{line}, in {frames[-1].name}: `{frames[-1].line}`: {why}") if why else None


def miscalled(error: BaseException, frames: list[traceback.FrameSummary]) -> bool:
    """Whether a line of the file calls a function, or a method of a class, of the file with too few arguments or too many."""
    said = MISCALLED.search(str(error)) if isinstance(error, TypeError) else None
    last = list(traceback.walk_tb(error.__traceback__))[-1][0]
    own = bool(frames) and last.f_code.co_filename == frames[-1].filename
    return bool(said) and own and said[1].split(".")[0] in last.f_globals  # type: ignore[index]


def _divided(frame: FrameType, line: str) -> bool:
    """Whether a line counts with a float that is whole, and that its function has not been given: a quotient."""
    values = {name: frame.f_locals.get(name) for name in re.findall(r"[A-Za-z_]\w*", line) if name not in _arguments(frame)}
    return any(isinstance(x, float) and x.is_integer() for x in values.values())


def refuse_nothing(what: Any, function: Callable, says: str, path: Path) -> None:
    """Raise Unfinished if all that a function returned is None, or some of it is `...`: a part is still to be written."""
    parts = what if isinstance(what, tuple | list) else what.values() if isinstance(what, dict) else [what]
    if any(part is ... for part in parts):
        raise Unfinished(line_of(function, path) + says.replace("None", "..."))
    if len(parts) and all(part is None for part in parts):
        raise Unfinished(line_of(function, path) + says)


def line_of(function: Callable, path: Path) -> str:
    """Return "FILE:LINE: " of a function; "" for a loss or a method, which an object of ours calls."""
    code = getattr(unwrap(function), "__code__", None)
    return f"{_file(code.co_filename, path)}:{code.co_firstlineno}: " if code else ""


def _file(name: str, path: Path) -> str:
    return str(path) if Path(name) == path.resolve() else Path(name).name


def _gone(message: str) -> tuple[str, str, str] | None:
    """Return (what NumPy no longer has, since which release, what to write)."""
    said = SAYS_ITSELF.search(message)
    if said:
        return said[1], said[2], said[3]
    found = NO_NAME.search(message) or NO_KEYWORD.search(message)
    if found is None:
        return None
    name = found[1] or found[2]
    what = {"newshape": "newshape=", "ptp": "x.ptp()"}.get(name, f"np.{name}")
    return what, *GONE.get(name, ("", ""))


def _frames(error: BaseException, own: set[str]) -> list[FrameType]:
    return [frame for frame, _ in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename in own]


def _unfinished(error: BaseException, frames: list[FrameType], line: str) -> str:
    """Return why the code is unfinished; "" if it is not."""
    said = message_of(error)
    last = list(traceback.walk_tb(error.__traceback__))[-1][0]
    if isinstance(error, NameError) and last is frames[-1]:  # UnboundLocalError too
        return said
    if isinstance(error, NotImplementedError) and last is frames[-1]:
        return said if _is_all_it_does(last) else ""
    if isinstance(error, AssertionError):
        return said if re.match(r"assert\s*\(?(False|0)\b", line) else ""
    if isinstance(error, AttributeError) and type(error.obj).__module__ == frames[-1].f_globals.get("__name__"):
        return said
    if not NOTHING.search(str(error)):
        return ""
    words, values = re.findall(r"(?<![\w.])[A-Za-z_]\w*", line), frames[-1].f_locals
    empty = [name for name in words if values.get(name, 0) is None or values.get(name) is ...]
    ours = [name for name in _arguments(frames[0]) if frames[0].f_locals.get(name, 0) is None and "cache" not in name]
    if "back" in frames[0].f_code.co_name:  # what forward was to leave behind
        attributes = re.findall(r"\bself\.(\w+)", line)
        empty += [f"self.{name}" for name in attributes if getattr(values.get("self"), name, 0) is None]
    if any(name not in _arguments(frames[-1]) for name in empty) or (empty and not ours):
        return f"{' and '.join(dict.fromkeys(empty))} is None there"
    return said if "NoneType" in said and not ours and "self." not in line else ""


def _arguments(frame: FrameType) -> tuple[str, ...]:
    code = frame.f_code
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]


def _is_all_it_does(frame: FrameType) -> bool:
    """Whether the line that raises stands in the function itself, in no branch of it: no inputs lead past it."""
    try:
        tree = ast.parse("".join(linecache.getlines(frame.f_code.co_filename)))
    except SyntaxError:  # the magics of a notebook
        return True
    body = [s for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) for s in node.body]
    return any(isinstance(s, ast.Raise) and s.lineno <= frame.f_lineno <= (s.end_lineno or s.lineno) for s in body)
