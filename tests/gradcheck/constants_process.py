"""The constants of the process that a checked file runs in, and of the command line's limits."""

import io
import sys
from contextlib import redirect_stdout
from unittest.mock import patch

from tinynorm.command.main import main
from tinynorm.command.process import limits, own_process


def said_by_help(sentence):
    """The number that holds when nobody gives one is in what --help says."""
    out = io.StringIO()
    with patch.dict("os.environ", COLUMNS="300"), redirect_stdout(out):
        try:
            main(["check", "--help"])
        except SystemExit:
            assert sentence in out.getvalue()


def processes():
    """A pool of 64 processes can be started; a forward that starts one each time soon cannot."""
    with patch.object(sys, "addaudithook") as add, patch("os.register_at_fork", create=True):
        limits.limit_processes()
    hook = add.call_args.args[0]
    try:
        for _ in range(64):
            hook("os.fork", ())
    except RuntimeError as error:
        raise AssertionError(str(error)) from None
    try:
        hook("os.fork", ())
    except RuntimeError:
        return
    raise AssertionError("65 processes were started")


def patience():
    """On a terminal, a pair of 2 seconds leaves no trace; of one of 5 it is said that it runs."""
    for seconds, shows in ((2, False), (5, True)):
        process = own_process.Process.__new__(own_process.Process)
        process.doing, process.shown = "relu", False
        terminal = io.StringIO()
        terminal.isatty = lambda: True
        with patch.object(sys, "stderr", terminal):
            process._show(seconds)
        assert (terminal.getvalue() != "") is shows


HELD = {
    "command.main.TIMEOUT": lambda: said_by_help("(default 300"),
    "command.main.OUTPUT": lambda: said_by_help("(default 100"),
    "command.process.limits.PROCESSES": processes,
    "command.process.own_process.PATIENCE": patience,
}
