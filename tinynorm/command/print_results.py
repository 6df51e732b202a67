"""Print the results as text or as JSON, or write them to an HTML page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from ..gradcheck.report.html import as_html
from ..gradcheck.report.text import show, wrapped
from .check_pair import Result

EXIT_CODES = {"right": 0, "wrong": 1, "not resolved": 2, "not checked": 2}  # in the order of the summary

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}: gradient check</title><style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }}
body {{ max-width: 70rem; margin: 2rem auto; padding: 0 1rem }}
h1 {{ font-size: 1.4rem }} h2 {{ font-size: 1.1rem; margin: 2rem 0 0.2rem }}
.inputs, .effort {{ margin: 0 0 0.5rem; opacity: 0.8 }}
table {{ border-collapse: collapse }} th, td {{ padding: 0.15rem 0.6rem }} pre {{ overflow-x: auto }}
</style>
<h1>Gradient check of {title}</h1>
{body}
</html>
"""


def print_text(result: Result) -> None:
    if result.report is None:
        print(wrapped(result.reason))
    else:
        print(wrapped(f"{result.name}: {result.inputs}"))
        show(result.report)
    print()


def as_dict(result: Result) -> dict[str, Any]:
    """Return a result for JSON."""
    if result.report is None:
        return {"ok": None, "reason": result.reason}
    return {"arguments": result.inputs} | result.report.as_dict()


def as_page(title: str, results: Sequence[Result], last: Sequence[str]) -> str:
    """Return a whole HTML page: the last lines of the text first, then each result."""
    parts = [f"<p>{escape(line)}</p>" for line in last]
    for result in results:
        parts.append(f"<h2>{escape(result.name)}</h2>")
        if result.report is None:
            parts.append(f"<pre>{escape(result.reason)}</pre>")
        else:
            parts += [f'<p class="inputs">{escape(result.inputs)}</p>', as_html(result.report)]
    return PAGE.format(title=escape(title), body="\n".join(parts))


def summary(results: Sequence[Result]) -> str:
    """Return one line: how many results have each verdict, and the names of those that are not right."""
    parts = []
    for verdict in EXIT_CODES:
        names = [result.name for result in results if result.verdict == verdict]
        if names:
            parts.append(f"{len(names)} {verdict}" + (f" ({', '.join(names)})" if verdict != "right" else ""))
    return f"{len(results)} pair{'s' if len(results) > 1 else ''}: {', '.join(parts)}"


def exit_code(results: Sequence[Result]) -> int:
    """Return 1 where something is wrong, else 2 where something has no verdict, else 0."""
    codes = {EXIT_CODES[result.verdict] for result in results}
    return 1 if 1 in codes else max(codes)
