"""The reports of a file as one HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from ..gradcheck.report.html import as_html
from .check import Checked

STYLE = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2rem 0 0.2rem }
.inputs, .effort { margin: 0 0 0.5rem; opacity: 0.8 }
table { border-collapse: collapse } th, td { padding: 0.15rem 0.6rem } pre { overflow-x: auto }
"""


def page(title: str, results: Sequence[Checked], summary: Sequence[str]) -> str:
    """A whole page: what came of each pair in a file."""
    parts = ["<!doctype html>", '<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">']
    parts += [
        f"<title>{escape(title)}: gradient check</title><style>{STYLE}</style>",
        f"<h1>Gradient check of {escape(title)}</h1>",
    ]
    parts += [f"<p>{escape(line)}</p>" for line in summary]
    for result in results:
        parts.append(f"<h2>{escape(result.name)}</h2>")
        if result.report is None:
            parts.append(f"<pre>{escape(result.reason)}</pre>")
        else:
            parts += [f'<p class="inputs">{escape(result.inputs)}</p>', as_html(result.report)]
    return "\n".join([*parts, "</html>", ""])
