"""A report in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .text import checked_cell, remarks_on, verdict, verdict_cell, worst_cells

if TYPE_CHECKING:
    from .report import Report

COLOURS = {True: "#1a7f37", False: "#cf222e", None: "#9a6700"}  # to be read on white and on black


def as_html(report: Report) -> str:
    """A table with the verdict above it; no scripts, no styles but its own."""
    colour = COLOURS[report.ok]
    parts = [f'<div style="border-left:4px solid {colour};padding-left:0.8em">']
    parts.append(f'<b style="color:{colour}">{escape(verdict(report))}</b>')
    if report.ok is False:
        parts += [f"<p>{escape(sentence)}</p>" for sentence in report.diagnosis.split("\n")]
    if report.inputs:
        parts.append(_table(report))
    remarks = [remark for found in report.inputs for remark in remarks_on(found)]
    remarks += [f"warning: {warning}" for warning in report.warnings] + [f"note: {note}" for note in report.notes]
    if remarks:
        parts.append("<ul>" + "".join(f"<li>{escape(remark)}</li>" for remark in remarks) + "</ul>")
    return "".join(parts) + "</div>"


def _table(report: Report) -> str:
    titles = ("", "shape", "", "worst at", "analytic", "numeric", "error", "numeric's error", "checked")
    head = "".join(f"<th>{title}</th>" for title in titles)
    rows = []
    for found in report.inputs:
        shape = "×".join(map(str, found.shape)) or "scalar"
        cells = [f"d{found.name}", shape, verdict_cell(found), *worst_cells(found), checked_cell(found)]
        style = f' style="color:{COLOURS[found.ok]}"'
        rows.append("".join(f"<td{style if k == 2 else ''}>{escape(cell)}</td>" for k, cell in enumerate(cells)))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
