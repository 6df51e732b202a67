"""Runs each program that stdin names, by `tinynorm run`, in a fork of this process: tinynorm and its kernels are loaded once.

A line of stdin is the command's arguments as JSON; the answer is a line of JSON: [exit code, what was printed, the errors].
"""

import json
import os
import sys
import tempfile
from multiprocessing import get_context

from tinynorm.command import kernels
from tinynorm.command.main import main
from tinynorm.kernels import select, use


def run(arguments: list[str], out: int, err: int) -> None:
    os.dup2(out, 1)
    os.dup2(err, 2)
    sys.exit(main(["run", *arguments]))


if __name__ == "__main__":
    if not select.why_not():
        with use("numba"):
            for family in kernels.FAMILIES:
                kernels._call(family)
    for line in sys.stdin:
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            process = get_context("fork").Process(target=run, args=(json.loads(line), out.fileno(), err.fileno()))
            process.start()
            process.join()
            printed = [stream.seek(0) or stream.read() for stream in (out, err)]
        print(json.dumps([process.exitcode, *printed]), flush=True)
