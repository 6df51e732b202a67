"""A report in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from .text import checked_cell, effort, remarks_on, verdict, verdict_cell, worst_cells

if TYPE_CHECKING:
    from .report import Report

# Two for each: the first has a contrast of 4.5 and more on white and on black (there is one lightness for which both hold), for
# notebooks that do not say which they are; the second is for those that say that they are dark.
COLOURS = {True: ("#16873c", "#3fb950"), False: ("#e02b36", "#ff7b72"), None: ("#a06b00", "#d29922")}
TITLES = ("", "shape", "verdict", "worst at", "analytic", "numeric", "error", "numeric's error", "checked")
NUMBERS = range(4, 8)  # columns, to be aligned to the right


def as_html(report: Report) -> str:
    """A table with the verdict above it; no scripts, no styles but its own."""
    colour = _colour(report.ok)
    parts = [f'<div style="border-left:4px solid {COLOURS[report.ok][0]};padding-left:0.8em;overflow-x:auto">']
    parts.append(f'<b style="{colour}">{escape(verdict(report))}</b>')
    if report.ok is False:
        parts += [f"<p>{escape(sentence)}</p>" for sentence in report.diagnosis.split("\n")]
    if report.inputs:
        parts.append(_table(report))
    remarks = [remark for found in report.inputs for remark in remarks_on(found)]
    remarks += [f"warning: {warning}" for warning in report.warnings] + [f"note: {note}" for note in report.notes]
    if remarks:
        parts.append("<ul>" + "".join(f"<li>{escape(remark)}</li>" for remark in remarks) + "</ul>")
    parts.append(f'<p class="effort">{escape(effort(report))}</p>')
    return "".join(parts) + "</div>"


def _colour(ok: bool | None) -> str:
    """As a style: where `light-dark` is not known, the first colour stays."""
    light, dark = COLOURS[ok]
    return f"color:{light};color:light-dark({light},{dark});"


def _table(report: Report) -> str:
    head = "".join(f'<th style="{_aligned(k)}">{title}</th>' for k, title in enumerate(TITLES))
    rows = []
    for found in report.inputs:
        shape = "×".join(map(str, found.shape)) or "scalar"
        cells = [f"d{found.name}", shape, verdict_cell(found), *worst_cells(found), checked_cell(found)]
        styles = [_aligned(k) + (_colour(found.ok) if TITLES[k] == "verdict" else "") for k in range(len(cells))]
        rows.append("".join(f'<td style="{style}">{escape(cell)}</td>' for style, cell in zip(styles, cells, strict=True)))
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _aligned(column: int) -> str:
    return "text-align:right;font-variant-numeric:tabular-nums;" if column in NUMBERS else "text-align:left;"
