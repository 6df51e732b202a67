"""The console command: ``tinynorm check FILE.py`` checks the backward passes in a file."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .. import __version__
from ..gradcheck.diagnosis.normalization.recognise import plain
from ..gradcheck.report.text import show, wrapped
from .check import Checked, Pair, check_pair, pairs_in
from .loading import Explained
from .page import page
from .visiting import Heard

RIGHT, WRONG, NOT_CHECKED, INTERRUPTED = 0, 1, 2, 130
LAYERS = (  # that the diagnosis knows
    *("ReLU", "Linear", "Softmax", "SoftmaxCrossEntropy"),
    *("BatchNorm", "BatchNormEval", "LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm"),
)

EPILOG = """
A pair is two functions, `out, cache = NAME_forward(...)` and `grads = NAME_backward(dout, cache)`. Inputs are drawn from the
names of forward's arguments (x, w, b, gamma, beta, eps, bn_param ...), or by a function NAME_inputs(rng) beside them, which
returns them as a tuple. exit code: 0 all right, 1 something wrong, 2 something could not be checked.
"""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="tinynorm", description="tensors, autograd and gradient checks")
    top.add_argument("--version", action="version", version=f"tinynorm {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check the backward passes in a file", epilog=EPILOG)
    check.add_argument("file", metavar="FILE.py[::NAME]", help="a Python file, and which pair in it (default: all)")
    check.add_argument("--seed", type=_seed, default=0, help="of the inputs and the directions, 0 or more (default 0)")
    check.add_argument(
        "--layer", type=_layer, help=f"what the layer is meant to be (default: told by its output): {', '.join(LAYERS)}"
    )
    check.add_argument("--json", action="store_true", help="print the reports as JSON")
    check.add_argument("--html", metavar="FILE", type=_writable, help="write the reports to an HTML file too")
    return top


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number, 0 or more, got {text!r}")
    return int(text)


def _layer(text: str) -> str:
    if plain(text) not in map(plain, LAYERS):
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(LAYERS)}, got {text!r}")
    return text


def _writable(text: str) -> Path:
    path = Path(text).absolute()  # the file that is checked may change the directory
    why = "it is a directory" if path.is_dir() else "" if path.parent.is_dir() else f"there is no directory {path.parent}"
    if not why and not os.access(path if path.exists() else path.parent, os.W_OK):
        why = "no permission"
    if why:
        raise argparse.ArgumentTypeError(f"cannot write to {text!r}: {why}")
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # where the terminal has no √ or ², a question mark is better than nothing
            stream.reconfigure(errors="replace")
    arguments = parser().parse_args(argv)
    path, _, name = arguments.file.partition("::")
    sys.dont_write_bytecode = True
    heard = Heard()
    try:
        return check(Path(path), name or None, arguments, heard)
    except Explained as explained:
        print(wrapped(f"tinynorm check: {explained}"), file=sys.stderr)
        return NOT_CHECKED
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # of `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_CHECKED
    finally:
        heard.retell(Path(path), sys.stderr)


def check(path: Path, name: str | None, arguments: argparse.Namespace, heard: Heard) -> int:
    """Check the pairs of a file, print what was found, return the exit code."""
    results = []
    found = pairs_in(path, name, heard)
    for pair in found.pairs:
        result = _one(pair, arguments, heard)
        results.append(result)
        if not arguments.json:
            _print(result)
    last = [summary(results)]
    last += [f"not looked at: {', '.join(found.others)}"] if found.others else []
    if arguments.json:
        print(json.dumps({result.name: _as_dict(result) for result in results}, indent=2))
        for line in [result.reason for result in results if result.reason] + last[1:]:
            print(wrapped(f"tinynorm check: {line}"), file=sys.stderr)
    else:
        print("\n".join(map(wrapped, last)))
    if arguments.html:
        arguments.html.write_text(page(str(path), results, last), encoding="utf-8")
    return exit_code(results)


def _one(pair: Pair, arguments: argparse.Namespace, heard: Heard) -> Checked:
    """What was found about a pair; where that is nothing, the reason."""
    try:
        return check_pair(pair, arguments.seed, arguments.layer, heard)
    except Explained as explained:
        return Checked(pair.name, None, reason=f"could not check {explained}")


def _print(result: Checked) -> None:
    print(wrapped(f"{result.name}: {result.inputs}" if result.report is not None else result.reason))
    if result.report is not None:
        show(result.report)
    print()


def _as_dict(result: Checked) -> dict[str, Any]:
    """For JSON: the report and which inputs it is of, or why there is none."""
    if result.report is None:
        return {"ok": None, "reason": result.reason}
    return {"arguments": result.inputs} | result.report.as_dict()


def summary(results: Sequence[Checked]) -> str:
    """One line: how many of each, and which are not right."""
    groups: dict[str, list[str]] = {"right": [], "wrong": [], "not resolved": [], "not checked": []}
    for result in results:
        groups[_verdict(result)].append(result.name)
    parts = [
        f"{len(names)} {verdict}" + (f" ({', '.join(names)})" if verdict != "right" else "")
        for verdict, names in groups.items()
        if names
    ]
    return f"{len(results)} pair{'s' if len(results) > 1 else ''}: {', '.join(parts)}"


def _verdict(result: Checked) -> str:
    return "not checked" if result.report is None else {True: "right", False: "wrong", None: "not resolved"}[result.report.ok]


def exit_code(results: Sequence[Checked]) -> int:
    """1 where something is wrong, else 2 where something could not be told, else 0."""
    verdicts = set(map(_verdict, results))
    return WRONG if "wrong" in verdicts else RIGHT if verdicts == {"right"} else NOT_CHECKED


if __name__ == "__main__":
    sys.exit(main())
