"""Print the results as text or as JSON, or write them to an HTML page."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...gradcheck.report.html import as_html
from ...gradcheck.report.text import COLOURS, wrapped

if TYPE_CHECKING:
    from .result import Result

EXIT_CODES = {"right": 0, "wrong": 1, "not resolved": 2, "not checked": 2}  # in the order of the summary
COLOUR = {"right": COLOURS[True], "wrong": COLOURS[False], "not resolved": COLOURS[None]}
PLURALS = {"pair": "pairs", "loss": "losses", "class": "classes", "operation": "operations"}

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


@dataclass
class Record:
    """A result as plain data, as it comes from the process of the checked file."""

    name: str
    kind: str  # one of PLURALS
    verdict: str  # one of EXIT_CODES
    nuance: str
    lead: str  # what is printed above the report: the name and the inputs; or why there is no report
    text: str  # the report; "" if there is none
    json: dict[str, Any]
    html: str
    in_part: bool = False  # whether something of it was not checked


@dataclass
class Checked:
    """What is known of a file."""

    path: Path
    records: list[Record] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)  # what was not looked at in it
    reason: str = ""  # why nothing in it was checked


def as_record(result: Result, kind: str = "pair", html: bool = False) -> Record:
    """Return a result as plain data."""
    report, about = result.report, (result.name, kind, result.verdict, result.nuance)
    if report is None:
        return not_checked(*about, result.reason)
    page = f'<p class="inputs">{escape(result.inputs)}</p>\n{as_html(report)}' if html else ""
    data = {"arguments": result.inputs} | report.as_dict()
    return Record(*about, f"{result.name}: {result.inputs}", str(report), data, page, result.in_part)


def not_checked(name: str, kind: str, verdict: str, nuance: str, reason: str) -> Record:
    return Record(name, kind, verdict, nuance, reason, "", {"ok": None, "reason": reason}, f"<pre>{escape(reason)}</pre>")


def print_text(record: Record) -> None:
    """Print a result, in colour on a terminal."""
    print(wrapped(record.lead))
    if record.text:
        first, end, rest = record.text.partition("\n")
        if sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
            first = f"{COLOUR[record.verdict]}{first}\x1b[0m"
        print(first + end + rest)
    print()


def as_json(files: Sequence[Checked], several: bool) -> dict[str, Any]:
    """Return the results by name; of several files, by file and name. Of two with one name, the second has a number."""
    found: dict[str, Any] = {}
    for file in files:
        of_file: dict[str, Any] = {"ok": None, "reason": file.reason} if file.reason else {}
        for record in file.records:
            same = sum(key == record.name or key.startswith(f"{record.name} (") for key in of_file)
            of_file[f"{record.name} ({same + 1})" if same else record.name] = record.json
        found[str(file.path)] = of_file
    return found if several else found[str(files[0].path)]


def as_page(title: str, files: Sequence[Checked], last: Sequence[str]) -> str:
    """Return a whole HTML page: the last lines of the text first, then each result."""
    parts = [f"<p>{escape(line)}</p>" for line in last]
    for file in files:
        for record in file.records:
            name = f"{file.path}: {record.name}" if len(files) > 1 else record.name
            parts += [f"<h2>{escape(name)}</h2>", record.html]
    return PAGE.format(title=escape(title), body="\n".join(parts))


def summary(files: Sequence[Checked]) -> str:
    """Return one line: how many results have each verdict, the names of those that are not right, and what is to be noted."""
    records = [(record, f"{file.path}::" if len(files) > 1 else "") for file in files for record in file.records]
    parts = []
    for verdict in EXIT_CODES:
        found = [(record, lead) for record, lead in records if record.verdict == verdict]
        told = [
            f"{lead}{record.name}" + (f": {record.nuance}" if record.nuance else "")
            for record, lead in found
            if verdict != "right" or record.nuance
        ]
        if found:
            between = "; " if any(record.nuance for record, _ in found) else ", "
            parts.append(f"{len(found)} {verdict}" + (f" ({between.join(told)})" if told else ""))
    kinds = [record.kind for record, _ in records]
    counts = {kind: kinds.count(kind) for kind in PLURALS if kind in kinds}
    what = ", ".join(f"{n} {kind if n == 1 else PLURALS[kind]}" for kind, n in counts.items())
    where = f" in {sum(bool(file.records) for file in files)} files" if len(files) > 1 else ""
    return f"{what}{where}: {', '.join(parts)}" if parts else "nothing was checked"


def exit_code(files: Sequence[Checked], allow_skipped: bool) -> int:
    """Return 1 where something is wrong, else 2 where something has no verdict or was not looked at, else 0."""
    codes = {EXIT_CODES[record.verdict] for file in files for record in file.records}
    codes |= {2 for file in files if file.reason or (file.left_over and not allow_skipped)}
    in_part = any(record.in_part for file in files for record in file.records)
    codes |= {2} if in_part and not allow_skipped else set()
    return 1 if 1 in codes else max(codes, default=2)
