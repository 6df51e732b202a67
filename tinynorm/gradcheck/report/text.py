"""A report as plain text, coloured on a terminal."""

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

WIDTH = 100  # where the output is no terminal
COLOURS = {True: "\x1b[32m", False: "\x1b[31m", None: "\x1b[33m"}
VERDICTS = {True: "right", False: "WRONG", None: "NOT RESOLVED"}


def as_text(report: Report) -> str:
    """All that was found, the verdict first."""
    lines = [verdict(report)]
    lines += _paragraphs("  ", report.diagnosis.split("\n")) if report.ok is False else []
    lines += _table(report.inputs)
    for found in report.inputs:
        lines += _paragraphs("  ", remarks_on(found))
    lines += _paragraphs("  warning: ", report.warnings)
    lines += _paragraphs("  note: ", report.notes)
    lines.append(f"  ({effort(report)})")
    return "\n".join(lines)


def verdict(report: Report) -> str:
    """One line: which layer, right or wrong, and in which gradients."""
    what = f"{report.layer or 'backward'}: {VERDICTS[report.ok]}"
    if report.ok is False:
        wrong = [f"d{found.name}" for found in report.inputs if found.ok is False]
        others = [] if wrong else sorted({fault.kind.replace("_", " ") for fault in report.faults})
        numbers = "; the numbers are right" if all(found.ok for found in report.inputs) else ""
        what += f" in {', '.join(wrong)}" if wrong else f" ({', '.join(others)}{numbers})" if report.inputs else ""
    if report.ok is None:
        unclear = [f"d{found.name}" for found in report.inputs if found.ok is None]
        what += f" in {', '.join(unclear)}" if unclear else ""
    return what


def _table(inputs: list[InputReport]) -> list[str]:
    """A line for each input: the worst element, and how it was checked."""
    rows = [("", "shape", "verdict", "worst at", "analytic", "numeric", "error", "numeric's error", "checked")]
    for found in inputs:
        shape = "x".join(map(str, found.shape)) or "scalar"
        worst = worst_cells(found)
        rows.append((f"d{found.name}", shape, verdict_cell(found), *worst, checked_cell(found)))
    if len(rows) == 1:
        return []
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]


def verdict_cell(found: InputReport) -> str:
    return "constant" if found.constant and found.ok else VERDICTS[found.ok]


def worst_cells(found: InputReport) -> tuple[str, str, str, str, str]:
    """(index, analytic, numeric, error, the numeric value's own error) of the worst element."""
    worst = found.worst
    if worst is None:
        return "", "", "", "", ""
    analytic, numeric = (
        apart(worst.analytic, worst.numeric) if found.wrong else (f"{worst.analytic:.6g}", f"{worst.numeric:.6g}")
    )
    return f"({', '.join(map(str, worst.index))})", analytic, numeric, f"{worst.error:.2g}", f"{worst.numeric_error:.1g}"


def apart(a: float, b: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to tell them apart."""
    for digits in range(6, 17):
        one, other = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if one != other:
            return f"{a:.{min(digits + 1, 17)}g}", f"{b:.{min(digits + 1, 17)}g}"
    return f"{a:.6g}", f"{b:.6g}"


def checked_cell(found: InputReport) -> str:
    """How many elements were measured, of how many; or which share of them is wrong."""
    n = prod(found.shape)
    if found.wrong and found.checked == n:
        return f"{found.wrong:,} of {n:,} wrong ({100 * found.share_wrong:.3g} %)"
    if found.wrong:
        return f"{found.wrong:,} wrong of {found.checked:,} measured"
    if found.directions:
        return f"{count(found.directions, 'direction')}, {found.checked} of {n:,}"
    return f"all {found.checked:,}" if found.checked else ""


def remarks_on(found: InputReport) -> list[str]:
    """What a line of the table has no room for."""
    remarks = [f"d{found.name}: {note}" for note in found.notes]
    if found.wrong and found.directions:
        remarks.append(
            f"d{found.name}: found by bisection from a dense direction, which says nothing of how many others are wrong"
        )
    if found.kinks:
        places = ", ".join(str(place) for place in found.kinks[:4]) + (", ..." if len(found.kinks) > 4 else "")
        what = f"{count(len(found.kinks), 'element')} on a kink, at {places}"
        remarks.append(f"d{found.name}: {what}: any value between the slopes of the two sides is a valid subgradient")
    if found.left_out:
        what = f"{count(found.left_out, 'output')} on a kink"
        remarks.append(f"d{found.name}: {what}, left out of the dense directions")
    if found.unresolved:
        what = count(found.unresolved, "direction or element" if found.directions else "element")
        remarks.append(f"d{found.name}: {what} where the finite difference could not tell (its own error is too large)")
    if found.ok and found.resolution > 1e-4:
        remarks.append(f"d{found.name}: a relative error below {found.resolution:.0e} in one element would not have been seen")
    return remarks


def count(n: int, what: str) -> str:
    """ "1 element", "2 elements"."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def effort(report: Report) -> str:
    """How much was done for it."""
    settings = ", ".join(f"{name} {value}" for name, value in report.settings.items())
    return (
        f"{report.evaluations:,} evaluations in {report.seconds:.2g} s; {settings}"
        if settings
        else f"{report.evaluations:,} evaluations"
    )


def width() -> int:
    """Of a line: that of the terminal, in bounds; WIDTH where there is none."""
    return min(max(shutil.get_terminal_size().columns, 80), 110) if sys.stdout.isatty() else WIDTH


def _paragraphs(lead: str, texts: list[str]) -> list[str]:
    lines = []
    for text in texts:
        lines += textwrap.wrap(text, width(), initial_indent=lead, subsequent_indent="    ", break_long_words=False)
    return lines


def wrapped(text: str) -> str:
    """The first line of a text, which is a sentence, cut to the width; the others, which are code, as they are."""
    sentence, *code = text.split("\n")
    sentence = re.sub(r"\([\d, ]+\)", lambda shape: shape[0].replace(" ", "\0"), sentence)  # no line ends within a shape
    lines = textwrap.wrap(sentence, width(), subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
    return "\n".join([*(line.replace("\0", " ") for line in lines), *code])


def show(report: Report, file: Any = None) -> None:
    """Print a report; its first line in colour where `file` is a terminal and NO_COLOR is not set."""
    file = sys.stdout if file is None else file
    text = str(report)
    if file.isatty() and not os.environ.get("NO_COLOR"):
        first, _, rest = text.partition("\n")
        text = f"{COLOURS[report.ok]}{first}\x1b[0m\n{rest}"
    print(text, file=file)
