"""The processes of a checked file: the guard, and the one that runs the file. `own_process` starts this file as a script.

The checker starts the guard, and the guard forks the process of the file. So the parent that the file knows is the guard: a
file that ends its parent does not end the checker. The guard says how the process of the file ended, and when the checker has
ended, whatever ended it, the guard ends all the rest. It forks before NumPy is loaded, while there are no threads. Where there
is no fork (Windows), there is no guard.

What is said are lines of JSON. Each begins with a word that the file was not told.
"""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from json import dumps, loads
from pathlib import Path
from typing import Any

MARK = "TINYNORM_CHECKED"  # in the environment of all processes that a checked file starts; its value is that of the check
# The least file descriptor of ours. Those that a file knows by number are below 20; macOS gives a process 256.
HIGH = 200
CLOSED = 79  # the exit code of a process that cannot write there any more; others have no meaning for it


def main() -> None:
    job = loads(sys.stdin.buffer.readline())
    if hasattr(os, "fork") and os.fork():
        _watch(job)
    channel = high(1)
    os.dup2(2, 1)  # what the file prints goes where its errors go
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.path[:] = job["path"]
    from tinynorm.command.process.serve import serve

    serve(job, lambda record: say(channel, job["word"], record))


def _watch(job: dict[str, Any]) -> None:
    """Wait until the process of the file has ended, say how, and end."""
    threading.Thread(target=_end_with_the_checker, args=[job["mark"]], daemon=True).start()
    _, status = os.wait()
    say(sys.stdout.fileno(), job["word"], {"what": "ended", "code": os.waitstatus_to_exitcode(status)})
    os._exit(0)


def _end_with_the_checker(mark: str) -> None:
    """End all processes when the checker has ended: then standard input ends."""
    os.read(sys.stdin.fileno(), 1)
    end_all(os.getpgrp(), mark)


def high(descriptor: int) -> int:
    """Return a copy of a file descriptor that is out of the way of those that a file closes or writes to by number."""
    try:
        import fcntl
    except ImportError:  # Windows
        return os.dup(descriptor)
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, HIGH)


def say(channel: int, word: str, record: dict[str, Any]) -> None:
    """Write a line. An end of line comes first, for the file may have written something there."""
    line = f"\n{word} {dumps(record)}\n".encode()
    try:
        while line:
            line = line[os.write(channel, line) :]
    except OSError:
        os._exit(CLOSED)


def end_all(group: int, mark: str) -> None:
    """End the processes of a group; on Linux also those that have left it, which bear the mark. This process comes last."""
    for _ in range(200):  # they may be starting others; a process that cannot be ended is given up after two seconds
        others = [pid for pid in _marked(mark) if pid != os.getpid()]
        if not others:
            break
        for pid in others:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    with suppress(OSError):
        os.killpg(group, signal.SIGKILL)


def _marked(mark: str) -> list[int]:
    """Return the processes with this mark in their environment. One that has ended has none."""
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):
            if f"{MARK}={mark}\0".encode() in file.read_bytes():
                found.append(int(file.parent.name))
    return found


if __name__ == "__main__":
    main()
