"""The console command: ``tinynorm check FILE.py`` checks the backward passes in a file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from . import __version__
from .gradcheck.report import Report
from .gradcheck.student import Explained, Pair, check_pair, pairs_in
from .gradcheck.text import show

RIGHT, WRONG, NOT_CHECKED, INTERRUPTED = 0, 1, 2, 130

EPILOG = """
A pair is two functions, `out, cache = NAME_forward(...)` and `grads = NAME_backward(dout, cache)`. Inputs are drawn from the
names of forward's arguments (x, w, b, gamma, beta, eps, bn_param ...), or by a function NAME_inputs(rng) beside them.
exit code: 0 all right, 1 something wrong, 2 something could not be checked.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="tinynorm", description="tensors, autograd and gradient checks")
    top.add_argument("--version", action="version", version=f"tinynorm {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check the backward passes in a file", epilog=EPILOG)
    check.add_argument("file", metavar="FILE.py[::NAME]", help="a Python file, and which pair in it (default: all)")
    check.add_argument("--seed", type=int, default=0, help="of the inputs and the directions (default 0)")
    check.add_argument("--layer", help="what the layer is meant to be, e.g. LayerNorm (default: told by its output)")
    check.add_argument("--json", action="store_true", help="print the reports as JSON")
    check.add_argument("--html", metavar="FILE", type=Path, help="write the reports to an HTML file too")
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    arguments = parser().parse_args(argv)
    path, _, name = arguments.file.partition("::")
    sys.dont_write_bytecode = True
    try:
        return check(Path(path), name or None, arguments)
    except Explained as explained:
        print(f"tinynorm check: {explained}", file=sys.stderr)
        return NOT_CHECKED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # of `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_CHECKED


def check(path: Path, name: str | None, arguments: argparse.Namespace) -> int:
    """Check the pairs of a file, print what was found, return the exit code."""
    results: dict[str, Report | None] = {}
    pages = []
    for pair in pairs_in(path, name):
        report, text = _one(pair, arguments)
        results[pair.name] = report
        if not arguments.json:
            print(text if report is None else f"{pair.name}: {text}")
            if report is not None:
                show(report)
            print()
        pages.append(f"<h2>{pair.name}</h2>" + (report._repr_html_() if report is not None else f"<pre>{text}</pre>"))
    if arguments.json:
        print(json.dumps({name: None if report is None else report.as_dict() for name, report in results.items()}, indent=2))
    else:
        print(summary(results))
    if arguments.html:
        arguments.html.write_text("<!doctype html><meta charset='utf-8'>\n" + "\n".join(pages), encoding="utf-8")
    return exit_code(results)


def _one(pair: Pair, arguments: argparse.Namespace) -> tuple[Report | None, str]:
    """(the report, which inputs), or (None, why there is none)."""
    try:
        return check_pair(pair, arguments.seed, arguments.layer)
    except Explained as explained:
        if arguments.json:
            print(f"tinynorm check: {explained}", file=sys.stderr)
        return None, f"could not check {explained}"


def summary(results: dict[str, Report | None]) -> str:
    """One line: how many of each, and which are not right."""
    groups: dict[str, list[str]] = {"right": [], "wrong": [], "not resolved": [], "not checked": []}
    for name, report in results.items():
        verdict = "not checked" if report is None else {True: "right", False: "wrong", None: "not resolved"}[report.ok]
        groups[verdict].append(name)
    parts = [
        f"{len(names)} {verdict}" + (f" ({', '.join(names)})" if verdict != "right" else "")
        for verdict, names in groups.items()
        if names
    ]
    return f"{len(results)} pair{'s' if len(results) > 1 else ''}: {', '.join(parts)}"


def exit_code(results: dict[str, Report | None]) -> int:
    """1 where something is wrong, else 2 where something could not be told, else 0."""
    verdicts = [None if report is None else report.ok for report in results.values()]
    return WRONG if False in verdicts else NOT_CHECKED if None in verdicts else RIGHT


if __name__ == "__main__":
    sys.exit(main())
