"""A report as HTML, for a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .text import TITLES, cells, effort, remarks_on, verdict

if TYPE_CHECKING:
    from .report import Report

# (colour, colour on a dark page). The first is for pages that do not say whether they are dark: its contrast is at least 4.5 on
# white and on black, which only one lightness reaches.
COLOURS = {True: ("#16873c", "#3fb950"), False: ("#e02b36", "#ff7b72"), None: ("#a06b00", "#d29922")}
NUMBERS = range(4, 8)  # the columns that are aligned to the right


def as_html(report: Report) -> str:
    """The verdict, the diagnosis, a table and the remarks; without scripts, and with inline styles only."""
    parts = [f'<div style="border-left:4px solid {COLOURS[report.ok][0]};padding-left:0.8em;overflow-x:auto">']
    parts.append(f'<b style="{_colour(report.ok)}">{escape(verdict(report))}</b>')
    if report.ok is False:
        parts += [f"<p>{escape(sentence)}</p>" for sentence in report.diagnosis.split("\n")]
    if report.inputs:
        parts.append(_table(report))
    remarks = [remark for found in report.inputs for remark in remarks_on(found)]
    remarks += [f"warning: {warning}" for warning in report.warnings] + [f"note: {note}" for note in report.notes]
    if remarks:
        parts.append("<ul>" + "".join(f"<li>{escape(remark)}</li>" for remark in remarks) + "</ul>")
    return "".join([*parts, f'<p class="effort">{escape(effort(report))}</p></div>'])


def _colour(ok: bool | None) -> str:
    """A style. A browser that does not know `light-dark` keeps the first colour."""
    light, dark = COLOURS[ok]
    return f"color:{light};color:light-dark({light},{dark});"


def _table(report: Report) -> str:
    head = "".join(f'<th style="{_aligned(k)}">{title}</th>' for k, title in enumerate(TITLES))
    body = ""
    for found in report.inputs:
        styles = [_aligned(k) + (_colour(found.ok) if title == "verdict" else "") for k, title in enumerate(TITLES)]
        row = (f'<td style="{style}">{escape(cell)}</td>' for style, cell in zip(styles, cells(found, "×"), strict=True))
        body += f"<tr>{''.join(row)}</tr>"
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _aligned(column: int) -> str:
    return "text-align:right;font-variant-numeric:tabular-nums;" if column in NUMBERS else "text-align:left;"
