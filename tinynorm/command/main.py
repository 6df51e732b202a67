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
from functools import partial
from pathlib import Path
from typing import Any

from .. import __version__
from ..gradcheck.diagnosis.normalization.recognise import plain
from ..gradcheck.report.text import LEGEND, TITLES, width, wrapped
from . import derive, kernels, run_program
from .load.find_files import File, find_files
from .process.limits import default_memory
from .process.own_process import checked
from .run_code import NothingToCheck, Prints, UserError, whole_number
from .verdict.print_results import Checked, Record, as_json, as_page, exit_code, print_text, summary

LAYERS = (  # the layers that the diagnosis knows
    *("ReLU", "Linear", "Softmax", "SoftmaxCrossEntropy"),
    *("BatchNorm", "BatchNormEval", "LayerNorm", "RMSNorm", "GroupNorm", "InstanceNorm"),
)

# Seconds for the import of a file, and for each pair. The slowest pairs that are checked in full take half a minute, and four
# times as long beside other programs.
TIMEOUT = 300
OUTPUT = 100  # megabytes that a file may print: a hundred kilobytes in each of a thousand calls of forward

EPILOG = """
A pair is two functions, `out, cache = NAME_forward(...)` and `grads = NAME_backward(dout, cache)`; a loss may be one function,
`loss, grads = NAME_loss(...)`. Inputs are drawn from the names of the arguments (x, w, b, gamma, beta, eps, bn_param ...), or
by a function NAME_inputs(rng) beside them, which returns them as a tuple. Of a notebook the definitions are taken. Of a folder
the files that define a layer are checked, in their order, but no tests. exit code: 0 all right, 1 something wrong, 2 something
could not be checked, or was not looked at (unless --allow-skipped). To check a file is to run it. It runs in a process of its
own; one that hangs, crashes, exits, prints or takes too much, or changes NumPy, is ended, and the pairs after it are checked in
another. That is no sandbox: a file may read and write what you may.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(prog="tinynorm", description="tensors, autograd and gradient checks")
    top.add_argument("--version", action="version", version=f"tinynorm {__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="check the backward passes in a file", epilog=EPILOG)
    check.add_argument(
        "files",
        metavar="FILE[::NAME]",
        nargs="+",
        help="a Python file or a notebook, and which pair in it (default: all); a folder",
    )
    check.add_argument("--only", metavar="NAME", help="the pair to check, as ::NAME")
    check.add_argument("--allow-skipped", action="store_true", help="exit code 0 also where something was not looked at")
    check.add_argument("--seed", type=whole_number, default=0, help="of the inputs and the directions, 0 or more (default 0)")
    check.add_argument(
        "--layer", type=_layer, help=f"what the layer is meant to be (default: told by its output): {', '.join(LAYERS)}"
    )
    check.add_argument("--json", action="store_true", help="print the reports as JSON")
    check.add_argument("--html", metavar="FILE", type=_writable, help="write the reports to an HTML file too")
    positive = partial(whole_number, least=1)
    check.add_argument(
        "--timeout",
        metavar="SECONDS",
        type=positive,
        default=TIMEOUT,
        help="that the import of the file may take, and each pair (default %(default)s)",
    )
    check.add_argument(
        "--memory",
        metavar="MB",
        type=positive,
        default=default_memory(),
        help="that the file may take (default %(default)s; Linux)",
    )
    check.add_argument(
        "--output", metavar="MB", type=positive, default=OUTPUT, help="that the file may print (default %(default)s)"
    )
    check.set_defaults(run=check_files)
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


def check_files(arguments: argparse.Namespace) -> int:
    """Check the files that the user named, print the results and return the exit code."""
    found, left_out = find_files(arguments.files, arguments.only)
    several = len(arguments.files) > 1 or any(file.of_folder for file in found)
    files = []
    for file in found:
        try:
            files.append(_check_file(file, arguments, several))
        except NothingToCheck as error:
            if not file.of_folder:
                raise
            left_out.append(str(error))
        except UserError as error:
            if not several:
                raise
            files.append(Checked(file.path, reason=str(error)))
            print(wrapped(f"tinynorm check: {error}"), file=sys.stderr)
    not_looked_at = [f"not looked at: {f'{file.path}::' if several else ''}{name}" for file in files for name in file.left_over]
    not_looked_at += [f"not looked at: {file.reason.partition(chr(10))[0]}" for file in files if file.reason]
    legend = [LEGEND] if any(TITLES[-2] in record.text for file in files for record in file.records) else []
    last = [*legend, summary(files), *not_looked_at, *left_out]
    if arguments.json:
        print(json.dumps(as_json(files, several), indent=2))
        reasons = [record.lead for file in files for record in file.records if not record.text]
        for line in reasons + not_looked_at:
            print(wrapped(f"tinynorm check: {line}"), file=sys.stderr)
    else:
        print("\n".join(map(wrapped, last)))
    if arguments.html:
        arguments.html.write_text(as_page(", ".join(arguments.files), files, last), encoding="utf-8")
    return exit_code(files, arguments.allow_skipped)


def _check_file(file: File, arguments: argparse.Namespace, several: bool) -> Checked:
    """Check a file, print each result when it comes, and at the end what the file prints itself."""
    prints, found = Prints(), Checked(file.path)
    try:
        for record in checked(job_of(file, arguments), prints):
            if record["what"] == "pairs":
                found.left_over = record["left_over"]
            if record["what"] != "result":
                continue
            found.records.append(Record(**record["result"]))
            if not arguments.json:
                if several and len(found.records) == 1:
                    print(f"==== {file.path}\n")
                print_text(found.records[-1])
                sys.stdout.flush()
    finally:
        prints.show(file.path, sys.stderr)
    return found


def job_of(file: File, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what to do, as plain data for another process."""
    options = {name: getattr(arguments, name) for name in ("seed", "layer", "timeout", "memory", "output")}
    here = {"html": arguments.html is not None, "width": width(), "pairs": None}
    return options | here | {"file": str(file.path), "only": file.only, "of_folder": file.of_folder}


if __name__ == "__main__":
    sys.exit(main())
