"""Two halves of a kernel's work at once: the second on a Python thread that sleeps otherwise.

Kernels release Python's lock while they run. (Numba's own threads would kill a process that forks, or one whose Python threads
call kernels at the same time.) Work is cut by its size alone, so the numbers are the same on one processor and on two.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from ..recording import state as recorded

# From this number of elements on the work is cut. To wake the thread and to wait for it takes some 80 us; the sweeps of a
# normalisation layer take that for 2^16 to 2^17 numbers.
WORTH = 2**18


class _Helper:
    """The thread. It is started when it is first needed, and again in a process that was forked."""

    def __init__(self) -> None:
        self.busy = threading.Lock()  # one caller has it at a time; another one does both halves itself
        self.tasks: SimpleQueue[tuple[Callable[[], object], SimpleQueue]] = SimpleQueue()
        threading.Thread(target=self._serve, daemon=True, name="tinynorm kernels").start()

    def _serve(self) -> None:
        while True:
            call, answer = self.tasks.get()
            error = None
            try:
                call()
            except BaseException as raised:  # it is raised where the work was asked for
                error = raised
            answer.put(error)
            del call, answer  # the arrays that they hold


class _State:
    helper: _Helper | None = None
    alone = False  # the thread cannot be started, or Python is ending


def _end() -> None:
    _State.alone = True


def _forget() -> None:
    _State.helper = None


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _helper() -> _Helper | None:
    """The thread, if it can help; the caller has it until he releases `busy`."""
    if _State.alone or processors() < 2:
        return None
    try:
        _State.helper = helper = _State.helper or _Helper()
    except RuntimeError:  # no more threads can be started
        _State.alone = True
        return None
    return helper if helper.busy.acquire(blocking=False) else None


def run(calls: Sequence[Callable[[], object]]) -> None:
    """Call one or two functions; two at the same time, if there are two processors and no other caller has the thread.

    >>> found = []
    >>> run([lambda: found.append(1), lambda: found.append(2)])
    >>> sorted(found)
    [1, 2]
    """
    if recorded.tape is not None:
        recorded.tape.launch(run, calls)
        return
    helper = _helper() if len(calls) == 2 else None
    if helper is None:
        for call in calls:
            call()
        return
    try:
        answer: SimpleQueue[BaseException | None] = SimpleQueue()
        helper.tasks.put((calls[1], answer))
        try:
            calls[0]()
        finally:
            error = _waited_for(answer)
    finally:
        helper.busy.release()
    if error is not None:
        raise error


def _waited_for(answer: SimpleQueue[BaseException | None]) -> BaseException | None:
    """The answer. An interruption (Ctrl-C) is raised when the other half has ended: it writes into the same arrays."""
    interruption = None
    while True:
        try:
            error = answer.get()
        except KeyboardInterrupt as raised:
            interruption = raised
            continue
        if interruption is not None:
            raise interruption
        return error
