"""A report as plain text, coloured on a terminal. `html` shows the same cells and sentences."""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .report import InputReport, Report

WIDTH = 100  # characters in a line, if the output is no terminal
COLOURS = {True: "\x1b[32m", False: "\x1b[31m", None: "\x1b[33m"}
VERDICTS = {True: "right", False: "WRONG", None: "NOT RESOLVED"}
LEGEND = "numeric: the derivative as finite differences measure it; numeric's error: how far off that may be itself"
TITLES = ("", "shape", "verdict", "worst at", "analytic", "numeric", "error", "numeric's error", "checked")


def as_text(report: Report) -> str:
    """All that was found, the verdict first."""
    lines = [verdict(report)]
    lines += _paragraphs("  ", report.diagnosis.split("\n")) if report.ok is False else []
    lines += _table(report.inputs) if report.inputs else []
    for found in report.inputs:
        lines += _paragraphs("  ", remarks_on(found))
    lines += _paragraphs("  warning: ", report.warnings) + _paragraphs("  note: ", report.notes)
    return "\n".join([*lines, f"  ({effort(report)})"])


def verdict(report: Report) -> str:
    """One line: the layer, whether it is right or wrong, and in which gradients."""
    what = f"{report.layer or 'backward'}: {VERDICTS[report.ok]}"
    concerned = [f"d{found.name}" for found in report.inputs if found.ok is report.ok]
    if report.ok is True or not report.inputs:
        return what
    if concerned:
        return f"{what} in {', '.join(concerned)}"
    if report.ok is None:
        return what
    faults = sorted({fault.kind.replace("_", " ") for fault in report.faults})
    numbers = "; the numbers are right" if all(found.ok for found in report.inputs) else ""
    return f"{what} ({', '.join(faults)}{numbers})"


def _table(inputs: list[InputReport]) -> list[str]:
    """A line for each input, below the titles."""
    rows = [TITLES, *(cells(found, "x") for found in inputs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def cells(found: InputReport, times: str) -> tuple[str, ...]:
    """What the table says about an input, one cell for each of TITLES; `times` stands between the sizes of its shape."""
    shape = times.join(map(str, found.shape)) or "scalar"
    ok = "constant" if found.constant and found.ok else VERDICTS[found.ok]
    worst = found.worst
    if worst is None:
        return f"d{found.name}", shape, ok, "", "", "", "", "", checked_cell(found)
    short = f"{worst.analytic:.6g}", f"{worst.numeric:.6g}"
    analytic, numeric = apart(worst.analytic, worst.numeric) if found.wrong else short
    at, error, own = f"({', '.join(map(str, worst.index))})", f"{worst.error:.2g}", f"{worst.numeric_error:.1g}"
    return f"d{found.name}", shape, ok, at, analytic, numeric, error, own, checked_cell(found)


def apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with one digit more than it takes to tell them apart."""
    for digits in range(6, 17):
        if f"{a:.{digits}g}" != f"{b:.{digits}g}":
            return f"{a:.{digits + 1}g}", f"{b:.{digits + 1}g}"
    return f"{a:.6g}", f"{b:.6g}"


def checked_cell(found: InputReport) -> str:
    """How many elements were measured, of how many; or how many of them are wrong."""
    n = prod(found.shape)
    if found.wrong and found.checked == n:
        return f"{found.wrong:,} of {n:,} wrong ({100 * found.share_wrong:.3g} %)"
    if found.wrong:
        return f"{found.wrong:,} wrong of {found.checked:,} measured"
    if found.directions:
        return f"{_count(found.directions, 'direction')}, {found.checked} of {n:,}"
    return f"all {found.checked:,}" if found.checked else ""


def remarks_on(found: InputReport) -> list[str]:
    """Sentences about an input for which the table has no room."""
    remarks = [*found.notes]
    if found.wrong and found.directions:
        remarks.append("found by bisection along a random direction; how many others are wrong is not known")
    if found.kinks:
        places = ", ".join(str(place) for place in found.kinks[:4]) + (", ..." if len(found.kinks) > 4 else "")
        on_a_kink = f"{_count(len(found.kinks), 'element')} on a kink, at {places}"
        remarks.append(f"{on_a_kink}: any value between the slopes of the two sides is a valid subgradient")
    if found.left_out:
        remarks.append(f"{_count(found.left_out, 'output')} on a kink, left out of the random directions")
    if found.unresolved:
        what = _count(found.unresolved, "measurement" if found.directions else "element")
        remarks.append(f"{what} where the finite difference could not tell (its own error is too large)")
    if found.ok and found.resolution > 1e-4:
        remarks.append(f"a relative error below {found.resolution:.0e} in one element would not have been seen")
    return [f"d{found.name}: {remark}" for remark in remarks]


def _count(n: int, what: str) -> str:
    """ "1 element", "2 elements"."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def effort(report: Report) -> str:
    """The number of evaluations, the time and the settings."""
    settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
    evaluations = f"{report.evaluations:,} evaluations"
    return f"{evaluations} in {report.seconds:.2g} s; {settings}" if settings else evaluations


def width() -> int:
    """The width of a line: that of the terminal, but between 80 and 110; WIDTH if there is no terminal."""
    return min(max(shutil.get_terminal_size().columns, 80), 110) if sys.stdout.isatty() else WIDTH


def _paragraphs(lead: str, texts: list[str]) -> list[str]:
    options: dict[str, Any] = {"initial_indent": lead, "subsequent_indent": "    ", "break_long_words": False}
    return [line for text in texts for line in textwrap.wrap(text, width(), **options)]


def wrapped(text: str) -> str:
    """The text with its first line, a sentence, wrapped at the width. The other lines are code and stay as they are."""
    sentence, *code = text.split("\n")
    sentence = re.sub(r"\([\d, ]+\)", lambda shape: shape[0].replace(" ", "\0"), sentence)  # no line ends within a shape
    lines = textwrap.wrap(sentence, width(), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join([*(line.replace("\0", " ") for line in lines), *code])


def show(report: Report, file: Any = None) -> None:
    """Print a report. Its first line has a colour if `file` is a terminal and NO_COLOR is not set."""
    file = sys.stdout if file is None else file
    text = str(report)
    if file.isatty() and not os.environ.get("NO_COLOR"):
        first, _, rest = text.partition("\n")
        text = f"{COLOURS[report.ok]}{first}\x1b[0m\n{rest}"
    print(text, file=file)
