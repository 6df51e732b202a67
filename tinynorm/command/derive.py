"""`tinynorm derive`: the derivations in the terminal, with numbers and checks."""

from __future__ import annotations

import argparse
import json
import math
import shutil
import sys
import textwrap
import time
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from .. import derivations
from ..derivations.machinery.checks import NOT_PROVED, RIGHT, WRONG, Result, measure, prove, sizes_of
from ..derivations.machinery.markdown import shape
from ..derivations.machinery.notation import Style
from .run_code import UserError, whole_number

NO_SYMPY = "SymPy is not installed; pip install 'tinynorm[derive]'"
EXIT_CODES = {RIGHT: 0, WRONG: 1, NOT_PROVED: 2}
LARGEST = 10**6  # numbers in an array; more take minutes
NARROWEST = 40  # columns; in less there is no room beside the indents


def add_parser(commands: Any) -> None:
    """Add the command's options."""
    names = ", ".join(derivations.CHAPTERS)
    derive = commands.add_parser(
        "derive",
        help="show and check the derivations of the backward passes",
        epilog=f"chapters: {names}. exit code: 0 all right, 1 a line is wrong, 2 a line could not be proved.",
    )
    derive.add_argument("chapter", nargs="?", help="a chapter's name, number or title (default: list all)")
    derive.add_argument("--step", type=int, metavar="N", help="show, or check, line N only")
    derive.add_argument("--seed", type=whole_number, default=0, help="of the numbers, 0 or more (default 0)")
    derive.add_argument("--shape", metavar="N=4,D=3", help="the sizes of the arrays that are shown; a check has its own")
    derive.add_argument("--all", action="store_true", help="show whole arrays and each line's check")
    derive.add_argument("--check", action="store_true", help="check the lines (of all chapters if none is given), a line each")
    derive.add_argument("--json", action="store_true", help="print as JSON")
    derive.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    code = _run(arguments)
    sys.stdout.flush()  # if a reader such as `head` has ended, this says so while `main` is there to hear it
    return code


def _run(arguments: argparse.Namespace) -> int:
    chapter = None if arguments.chapter is None else _found(arguments.chapter)
    if chapter is None and (arguments.step is not None or arguments.shape is not None):
        raise UserError(f"expected a chapter for --{'shape' if arguments.step is None else 'step'}: tinynorm derive batch_norm")
    if chapter and arguments.step is not None and not 1 <= arguments.step <= len(chapter.lines):
        raise UserError(f"expected --step from 1 to {len(chapter.lines)}, got {arguments.step}")
    if arguments.check:
        if arguments.shape is not None:
            raise UserError("--check takes several sizes of its own; leave out --shape, or --check")
        return _check([chapter] if chapter else [derivations.load(name) for name in derivations.CHAPTERS], arguments)
    if chapter is None:
        return _list(arguments.json)
    return _walk(chapter, arguments)


def _found(text: str) -> derivations.Chapter:
    """The chapter with this name, number or title; case and signs do not matter in it."""
    chapters = [derivations.load(name) for name in derivations.CHAPTERS]
    for chapter in chapters:
        if _plain(text) in (str(chapter.order), _plain(chapter.name), _plain(chapter.title)):
            return chapter
    raise UserError(f"there is no chapter {text!r}; there are {', '.join(f'{c.order} {c.name}' for c in chapters)}")


def _plain(text: str) -> str:
    return "".join(character for character in text.lower() if character.isalnum())


def _wanted(chapter: derivations.Chapter, arguments: argparse.Namespace) -> list[derivations.Line]:
    return chapter.lines if arguments.step is None else [chapter.lines[arguments.step - 1]]


# ---- the list --------------------------------------------------------------------------------------------------------


def _list(as_json: bool) -> int:
    chapters = [derivations.load(name) for name in derivations.CHAPTERS]
    if as_json:
        data = [{"number": c.order, "name": c.name, "title": c.title, "lines": len(c.lines)} for c in chapters]
        print(json.dumps(data, indent=2, ensure_ascii=False))
        return 0
    widest = max(len(c.name) for c in chapters)
    for c in chapters:
        print(f"{c.order:2}  {c.name:{widest}}  {c.title}")
    print("\ntinynorm derive NAME walks through a chapter, tinynorm derive --check checks every line.")
    return 0


# ---- a walk ----------------------------------------------------------------------------------------------------------


def _walk(chapter: derivations.Chapter, arguments: argparse.Namespace) -> int:
    sizes = _sizes(chapter, arguments.shape)
    try:
        values = chapter.run(chapter.values(sizes, arguments.seed))
    except ArithmeticError as error:  # an unbiased variance of one number
        raise UserError(f"the chapter has no numbers of the sizes {arguments.shape}: {error}") from error
    wanted = _wanted(chapter, arguments)
    if arguments.json:
        print(json.dumps([_as_data(line, values, arguments) for line in wanted], indent=2, ensure_ascii=False))
        return 0
    if arguments.step is None:
        print(f"{chapter.order}. {chapter.title}\n\n{_filled(chapter.introduction)}")
        print(_filled(f"Numbers: {', '.join(f'{chapter.sizes[x]} = {n}' for x, n in sizes.items())}, seed {arguments.seed}."))
    verdicts = {RIGHT}
    for part in chapter.parts:
        if isinstance(part, derivations.Line):
            if part in wanted:
                verdicts |= _show(part, values, arguments)
        elif arguments.step is None and isinstance(part, derivations.Section):
            print(f"\n{_filled(part.title)}\n{'-' * min(len(part.title), _width())}")
            print(*([_filled(part.text)] if part.text else []), sep="", end="\n" if part.text else "")
        elif arguments.step is None and isinstance(part, derivations.Table):
            print("\n" + "\n".join(_columns(part)))
    return EXIT_CODES[_worst(verdicts)]


def _show(line: derivations.Line, values: dict, arguments: argparse.Namespace) -> set[str]:
    """Print a line; return what its checks say, if they are asked for."""
    indents = {"initial_indent": f"{line.number:6} ", "subsequent_indent": " " * 11}
    print("\n" + textwrap.fill(equation(line), _width(), break_on_hyphens=False, **indents))  # type: ignore[arg-type]
    print(_filled(line.reason, 7))
    what = shape(line.chapter, line.symbol) or "a number"
    print(_filled(f"{line.symbol} ({what})  code: {' '.join(line.code.split())}", 7))
    value = np.asarray(line.value(values), dtype=float)
    print(textwrap.indent(_numbers(value, arguments.all), " " * 7))
    results = list(_results(line, arguments.seed)) if arguments.all else []
    for result in results:
        print(_filled(f"{_loud(result.verdict)}: {_told(result)}", 7))
    return {result.verdict for result in results}


def equation(line: derivations.Line) -> str:
    """The equation in Unicode, on one line."""
    chapter, style = line.chapter, Style(latex=False, sizes=line.chapter.sizes)
    left = style.symbol(line.symbol, "".join(x for x in chapter.letters(line.symbol) if x))
    return f"{left} = {style.write(line.tree)}"


def _as_data(line: derivations.Line, values: dict, arguments: argparse.Namespace) -> dict:
    chapter = line.chapter
    data = {
        "number": line.number, "kind": line.kind, "symbol": line.symbol, "equation": equation(line),
        "latex": Style(latex=True, sizes=chapter.sizes).write(line.tree), "code": line.code, "reason": line.reason,
        "shape": list(np.shape(values[line.symbol])), "value": np.asarray(line.value(values), dtype=float).tolist(),
    }  # fmt: skip
    return data | ({"checks": [_result_as_data(r) for r in _results(line, arguments.seed)]} if arguments.all else {})


def _sizes(chapter: derivations.Chapter, text: str | None) -> dict[str, int]:
    """The length of each letter's dimension: that of the checks, or as the user says."""
    sizes = next(sizes_of(chapter))
    letters = {symbol: letter for letter, symbol in chapter.sizes.items()}
    for part in text.split(",") if text else []:
        symbol, _, length = (x.strip() for x in part.partition("="))
        if symbol not in letters or not length.isdecimal() or not 0 < int(length[:10]) <= LARGEST:
            example = ",".join(f"{chapter.sizes[letter]}={n}" for letter, n in next(sizes_of(chapter)).items())
            raise UserError(f"expected --shape as {example}, got {part!r}")
        sizes[letters[symbol]] = int(length)
    if math.prod(sizes.values()) > LARGEST:
        raise UserError(f"expected sizes that multiply to {LARGEST:,} at most, got {text}")
    return sizes


def _numbers(value: np.ndarray, whole: bool) -> str:
    """The numbers of an array, or its first rows and columns."""
    most = 10**6 if whole else 24  # more numbers than this are left out
    with np.printoptions(precision=4, suppress=True, linewidth=_width() - 8, threshold=most, edgeitems=2):
        return str(value)


def _columns(table: derivations.Table) -> Iterator[str]:
    """A table, its columns one under another."""
    rows = [table.header, *([str(cell) for cell in row] for row in table.rows())]
    widths = [max(len(row[k]) for row in rows) for k in range(len(table.header))]
    yield _filled(table.title)
    if sum(widths) + 2 * len(widths) - 2 > _width():  # too wide: a row is a list
        for row in rows[1:]:
            yield _filled("; ".join(f"{head}: {cell}" for head, cell in zip(table.header, row, strict=True)), 2)
        return
    for k, row in enumerate(rows):
        yield "  ".join(f"{cell:{n}}" for cell, n in zip(row, widths, strict=True)).rstrip()
        if k == 0:
            yield "  ".join("-" * n for n in widths)


def _width() -> int:
    return max(NARROWEST, min(shutil.get_terminal_size((80, 24)).columns, 100))  # longer lines of text are hard to read


def _filled(text: str, indent: int = 0) -> str:
    paragraphs = text.split("\n\n")
    return "\n\n".join(textwrap.indent(textwrap.fill(p, _width() - indent), " " * indent) for p in paragraphs)


# ---- the checks ------------------------------------------------------------------------------------------------------


def _results(line: derivations.Line, seed: int) -> Iterator[Result]:
    """The measurement of a line, and the proof if there is something to prove. What is measured wrong has no proof."""
    measured = measure(line, seed=seed)
    yield measured
    if line.kind != "forward" and measured.ok:
        yield prove(line) if find_spec("sympy") else Result(line, NOT_PROVED, what=NO_SYMPY)


def _worst(verdicts: Collection[str]) -> str:
    """What several checks say of a line, or of many."""
    return next(verdict for verdict in (WRONG, NOT_PROVED, RIGHT) if verdict in verdicts)


def _loud(verdict: str) -> str:
    return verdict.upper() if verdict == WRONG else verdict


def _told(result: Result) -> str:
    kind = result.what or "has its shape and is finite"
    return f"{kind}, error {result.error:.0e}" if result.error else kind


def _result_as_data(result: Result) -> dict:
    return {
        "ok": {RIGHT: True, WRONG: False}.get(result.verdict),
        "verdict": result.verdict,
        "what": result.what,
        "error": result.error if math.isfinite(result.error) else None,  # JSON has no inf
        "seconds": round(result.seconds, 4),
    }


def _check(chapters: list[derivations.Chapter], arguments: argparse.Namespace) -> int:
    """Check all lines of the chapters: a line for each chapter, or for each line if one chapter is asked for."""
    found: dict[str, list[Result]] = {}
    kinds = {"forward": 0, "adjoint": 0, "rewriting": 0}
    started = time.perf_counter()
    for chapter in chapters:
        lines = _wanted(chapter, arguments)
        for line in lines:
            found[line.number] = list(_results(line, arguments.seed))
            kinds[line.kind] += 1
            if not arguments.json and (arguments.chapter or any(not r.ok for r in found[line.number])):
                print(_checked(line, found[line.number]), flush=True)
        if not arguments.json:
            print(_summary(chapter.name, [found[line.number] for line in lines]), flush=True)
    results = [r for of_line in found.values() for r in of_line]
    if arguments.json:
        print(json.dumps({number: [_result_as_data(r) for r in of_line] for number, of_line in found.items()}, indent=2))
    else:
        counts = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        print(f"{len(found)} lines ({counts}) in {time.perf_counter() - started:.1f} s")
    if any(r.what == NO_SYMPY for r in results):
        print(f"not proved: {NO_SYMPY}", file=sys.stderr)
    return EXIT_CODES[_worst({r.verdict for r in results})]


def _checked(line: derivations.Line, results: list[Result]) -> str:
    verdict = _loud(_worst({r.verdict for r in results}))
    return f"  {line.number:6} {line.kind:9} {verdict}  " + "; ".join(_told(r) for r in results)


def _summary(name: str, of_lines: list[list[Result]]) -> str:
    results = [r for of_line in of_lines for r in of_line]
    proofs = [r for of_line in of_lines for r in of_line[1:]]  # what follows the measurement
    counts = ((sum(_worst({r.verdict for r in rs}) == verdict for rs in of_lines), verdict) for verdict in (WRONG, NOT_PROVED))
    worst = max((r.error for r in results), default=0.0)
    seconds = sum(r.seconds for r in proofs)
    verdict = ", ".join(f"{n} {_loud(verdict)}" for n, verdict in counts if n) or "all right"
    return f"{name:24} {verdict}, worst error {worst:.0e}, {sum(r.ok for r in proofs)} proofs in {seconds:.2f} s"
