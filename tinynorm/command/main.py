"""The console command.

``tinynorm check FILE.py`` checks the backward passes in a file, ``tinynorm derive`` shows ours, ``tinynorm run FILE.py`` runs a
PyTorch program, ``tinynorm info`` says what is used, and ``tinynorm warm`` compiles the kernels.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from .. import __version__
from ..gradcheck.diagnosis.normalization.recognise import plain
from ..gradcheck.report.text import wrapped
from . import derive, kernels, run_program
from .check_pair import check_pair
from .find_pairs import find_pairs
from .load_file import load
from .print_results import as_dict, as_page, exit_code, print_text, summary
from .run_code import Prints, UserError, whole_number

LAYERS = (  # the layers that the diagnosis knows
    *("ReLU", "Linear", "Softmax", "SoftmaxCrossEntropy"),
    *("BatchNorm", "BatchNormEval", "LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm"),
)

EPILOG = """
A pair is two functions, `out, cache = NAME_forward(...)` and `grads = NAME_backward(dout, cache)`; a loss may be one function,
`loss, grads = NAME_loss(...)`. Inputs are drawn from the names of the arguments (x, w, b, gamma, beta, eps, bn_param ...), or
by a function NAME_inputs(rng) beside them, which returns them as a tuple. Of a notebook the definitions are taken. exit code:
0 all right, 1 something wrong, 2 something could not be checked, or was not looked at (unless --allow-skipped).
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="tinynorm", description="tensors, autograd and gradient checks")
    top.add_argument("--version", action="version", version=f"tinynorm {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check the backward passes in a file", epilog=EPILOG)
    check.add_argument("file", metavar="FILE[::NAME]", help="a Python file or a notebook, and which pair in it (default: all)")
    check.add_argument("--only", metavar="NAME", help="the pair to check, as ::NAME")
    check.add_argument("--allow-skipped", action="store_true", help="exit code 0 also where something was not looked at")
    check.add_argument("--seed", type=whole_number, default=0, help="of the inputs and the directions, 0 or more (default 0)")
    check.add_argument(
        "--layer", type=_layer, help=f"what the layer is meant to be (default: told by its output): {', '.join(LAYERS)}"
    )
    check.add_argument("--json", action="store_true", help="print the reports as JSON")
    check.add_argument("--html", metavar="FILE", type=_writable, help="write the reports to an HTML file too")
    check.set_defaults(run=check_file)
    derive.add_parser(commands)
    run_program.add_parser(commands)
    kernels.add_parsers(commands)
    return top


def _layer(text: str) -> str:
    if plain(text) not in map(plain, LAYERS):
        raise argparse.ArgumentTypeError(f"expected one of {', '.join(LAYERS)}, got {text!r}")
    return text


def _writable(text: str) -> Path:
    path = Path(text).absolute()  # the user's file may change the directory
    why = "it is a directory" if path.is_dir() else "" if path.parent.is_dir() else f"there is no directory {path.parent}"
    if not why and not os.access(path if path.exists() else path.parent, os.W_OK):
        why = "no permission"
    if why:
        raise argparse.ArgumentTypeError(f"cannot write to {text!r}: {why}")
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without √ or ² shows a question mark
            stream.reconfigure(errors="replace")
    arguments = parser().parse_args(argv)
    try:
        return arguments.run(arguments)
    except UserError as error:
        print(wrapped(f"tinynorm {arguments.command}: {error}"), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130  # as the shell returns it: 128 and the number of the signal
    except BrokenPipeError:  # the output goes to `| head`, which has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141  # as the shell returns it


def check_file(arguments: argparse.Namespace) -> int:
    """Check the file that the user named; what it prints itself is shown at the end."""
    path, _, name = arguments.file.partition("::")
    sys.dont_write_bytecode = True
    prints = Prints()
    try:
        return check(Path(path), name or arguments.only, arguments, prints)
    finally:
        prints.show(Path(path), sys.stderr)


def check(path: Path, name: str | None, arguments: argparse.Namespace, prints: Prints) -> int:
    """Check the pairs of a file (or the one with this name), print the results and return the exit code."""
    pairs, left_over = find_pairs(load(path, prints), path, name)
    results = []
    for pair in pairs:
        results.append(check_pair(pair, arguments.seed, arguments.layer, prints))
        if not arguments.json:
            print_text(results[-1])
    not_looked_at = [f"not looked at: {', '.join(left_over)}"] if left_over else []
    last = [summary(results), *not_looked_at]
    if arguments.json:
        print(json.dumps({result.name: as_dict(result) for result in results}, indent=2))
        for line in [result.reason for result in results if result.reason] + not_looked_at:
            print(wrapped(f"tinynorm check: {line}"), file=sys.stderr)
    else:
        print("\n".join(map(wrapped, last)))
    if arguments.html:
        arguments.html.write_text(as_page(str(path), results, last), encoding="utf-8")
    return exit_code(results) or (2 if left_over and not arguments.allow_skipped else 0)


if __name__ == "__main__":
    sys.exit(main())
