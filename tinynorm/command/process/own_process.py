"""Check a file in a process of its own, and watch over it: its time, what it writes, how it ends.

A new interpreter takes 0.3 s. A fork of this process would be quicker, but it takes over the locks of threads that it does not
have (those of NumPy's matrix products, of a notebook, of pytest), and not every system has it.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, Queue
from time import monotonic
from typing import Any

from ..run_code import NothingToCheck, Prints, UserError
from ..verdict.print_results import not_checked
from . import guard

STARTING = 60.0  # seconds that the interpreter and NumPy may take to start: two hundred times what they take
GRACE = 0.5  # seconds after the time limit, in which the process says where it is
LATE = 2.0  # seconds that the last records are waited for, where what the file has started keeps their pipe open
TICK = 0.1  # seconds between two looks at whether the process is still there, where nothing is heard of it
PATIENCE = 3.0  # seconds that a terminal shows nothing; most pairs take less
# Bytes of records from one process. A report has a hundred thousand with its HTML; of a million kinks it has ten million.
RECORDS = 100 * 2**20
FRAME = re.compile(rb'  File "(.+)", line (\d+) in (.+)')  # as Python's faulthandler writes it


def checked(job: dict[str, Any], prints: Prints) -> Iterator[dict[str, Any]]:
    """Yield the records that `serve.records` yields.

    A pair with which the process ends, or must be ended, has a result that says why; a new process checks those after it.

    Raises
    ------
    UserError
        Nothing of the file can be checked.
    """
    pairs: list[tuple[str, str]] | None = None  # their names and kinds
    left: list[int] = []
    while pairs is None or left:
        process, begun = Process(job | {"pairs": left if pairs else job["pairs"]}, prints), None
        try:
            for record in process.records():
                if record["what"] == "pairs" and pairs is None:
                    pairs = record["pairs"]
                    left = list(range(len(pairs))) if job["pairs"] is None else [*job["pairs"]]
                    yield record
                elif record["what"] == "begins":
                    begun = record["pair"]
                    process.doing = pairs[begun][0] if pairs else ""
                elif record["what"] == "result" and record["pair"] == begun and begun in left:
                    left.remove(begun)
                    begun = None
                    yield record
        finally:
            process.end()
        if pairs is None and process.refusal:
            raise (NothingToCheck if process.nothing else UserError)(process.refusal)
        if pairs is None:
            raise UserError(f"{job['file']}: could not be checked: when it is imported, {process.why}{process.place}")
        # without a pair that has begun, the process ended where the file is imported once more, and would do so again
        for i in [begun] if begun in left else [*left]:
            left.remove(i)
            name, kind = pairs[i]
            reason = f"could not check {name}: {process.why}{process.place}"
            yield {"what": "result", "pair": i, "result": asdict(not_checked(name, kind, "not checked", "", reason))}


class Process:
    """One process of a file, with its guard. Two threads read what it tells and what it prints."""

    def __init__(self, job: dict[str, Any], prints: Prints) -> None:
        self.job, self.prints = job, prints
        self.why, self.refusal, self.nothing = "", "", False  # why it ended; why the file cannot be checked
        self.doing = "the file's import"
        self.place = ""  # where in the file it was when it crashed, or when its time was over
        self.shown = False
        self.heard: Queue[dict[str, Any]] = Queue()
        self.word, self.mark = secrets.token_hex(16), secrets.token_hex(16)
        self.process = subprocess.Popen(
            [sys.executable, "-P", guard.__file__],
            **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE),  # type: ignore[call-overload]
            env=os.environ | {guard.MARK: self.mark},
            start_new_session=True,
        )
        self.process.stdin.write(json.dumps(job | {"word": self.word, "mark": self.mark, "path": sys.path}).encode() + b"\n")
        self.process.stdin.flush()
        self.readers = [threading.Thread(target=f, daemon=True) for f in (self._read_records, self._read_prints)]
        for reader in self.readers:
            reader.start()

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield what is told, until the process has ended or has to be ended; then `why` says why."""
        since, limit = monotonic(), STARTING
        while True:
            try:
                record = self.heard.get(timeout=TICK)
            except Empty:
                self._show(monotonic() - since)
                if monotonic() > since + limit:
                    self.why = f"it takes longer than {self.job['timeout']} s (--timeout SECONDS allows more)"
                elif self.process.poll() is not None and self._has_told_all():
                    self.why = _ended(self.process.returncode) if not hasattr(os, "fork") else "it ends its parent process"
                else:
                    continue
                return
            self._show(0)
            since, limit = monotonic(), self.job["timeout"] + GRACE
            if record["what"] in ("starts", "pairs", "begins", "result"):
                yield record
                continue
            if record["what"] == "ended":
                self.why = _ended(record["code"])
            elif record["what"] == "refused":
                self.refusal, self.nothing = record["why"], record["nothing"]
            elif record["what"] != "end":
                self.why = record["why"]
            return

    def _has_told_all(self) -> bool:
        """Whether all that the process has told is heard; on a machine with much to do the reader may be behind."""
        self.readers[0].join(timeout=LATE)
        return self.heard.empty()

    def _show(self, seconds: float) -> None:
        """Show on a terminal what takes long; clear the line when it is done."""
        if sys.stderr.isatty() and (seconds > PATIENCE or self.shown):
            self.shown = seconds > PATIENCE
            sys.stderr.write(f"\r\x1b[K{self.doing}: {seconds:.0f} s" if self.shown else "\r\x1b[K")
            sys.stderr.flush()

    def end(self) -> None:
        """End the process, its guard and all that they have started; then all that they have said is read."""
        self._show(0)
        if hasattr(os, "killpg"):
            guard.end_all(self.process.pid, self.mark)
        else:
            self.process.kill()
        self.process.wait()
        for reader in self.readers:
            reader.join(timeout=1)  # a process that could not be ended keeps the pipe open
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if not any(reader.is_alive() for reader in self.readers):
                pipe.close()

    def _read_records(self) -> None:
        """Hear what begins with the word; what else stands in the channel was written by the file."""
        begin, read = f"{self.word} ".encode(), 0
        for line in iter(lambda: self.process.stdout.readline(RECORDS), b""):
            read += len(line)
            if read > RECORDS:
                self.heard.put({"what": "flood", "why": "it writes into a channel of the checker's"})
                return
            if line.startswith(begin):
                with suppress(ValueError):  # the file has written into the line
                    record = json.loads(line.removeprefix(begin))
                    self.prints.take(record.get("prints", {}))
                    self.heard.put(record)

    def _read_prints(self) -> None:
        """Keep some lines of what is written to the descriptors 1 and 2."""
        written, limit, fallen = 0, self.job["output"] * 2**20, False
        home = os.fsencode(Path(self.job["file"]).resolve().parent)
        for line in iter(lambda: self.process.stderr.readline(2**16), b""):
            written += len(line)
            if written > limit:
                self.heard.put(
                    {"what": "flood", "why": f"it writes more than {self.job['output']} MB; --output MB allows more"}
                )
                return
            if line.startswith((b"Timeout (", b"Fatal Python error: ")):
                fallen, self.place = True, ""
            elif not fallen:
                self.prints.write(line)
            elif not self.place and (frame := FRAME.match(line)) and frame[1].startswith(home):
                file, number, function = map(os.fsdecode, frame.groups())
                self.place = f", in {function}, {os.path.basename(file)}:{number}"


def _ended(code: int) -> str:
    """Say how a process ended."""
    if code == guard.CLOSED:
        return "it closes a file descriptor of the checker"
    if code >= 0:
        return f"it ends its process, with exit code {code}"
    name = signal.Signals(-code).name
    memory = "; the system does so where memory runs out" if name == "SIGKILL" else ""
    return f"its process crashed: {signal.strsignal(-code)} ({name}){memory}"
