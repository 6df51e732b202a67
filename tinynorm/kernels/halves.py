"""Two halves of a kernel's work at once: the second on a Python thread that sleeps otherwise.

Kernels release Python's lock while they run. (Numba's own threads would kill a process that forks, or one whose Python threads
call kernels at the same time.) Work is cut by its size alone, so the numbers are the same on one processor and on two.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

# From this number of elements on the work is cut. To wake the thread and to wait for it takes some 80 us; the sweeps of a
# normalisation layer take that for 2^16 to 2^17 numbers.
WORTH = 2**18


class _Helper:
    """The thread. It is started when it is first needed, and again in a process that was forked."""

    def __init__(self) -> None:
        self.busy = threading.Lock()  # one caller has it at a time; another one does both halves itself
        self.tasks: SimpleQueue[Callable[[], object]] = SimpleQueue()
        self.done: SimpleQueue[BaseException | None] = SimpleQueue()
        threading.Thread(target=self._serve, daemon=True, name="tinynorm kernels").start()

    def _serve(self) -> None:
        while True:
            task, error = self.tasks.get(), None
            try:
                task()
            except BaseException as raised:  # it is raised where the work was asked for
                error = raised
            del task  # the arrays that it holds
            self.done.put(error)


_helper: _Helper | None = None


def _forget() -> None:
    global _helper
    _helper = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(calls: Sequence[Callable[[], object]]) -> None:
    """Call one or two functions; two at the same time, if there are two processors and no other caller has the thread.

    >>> found = []
    >>> run([lambda: found.append(1), lambda: found.append(2)])
    >>> sorted(found)
    [1, 2]
    """
    global _helper
    if len(calls) == 2 and processors() > 1:
        _helper = helper = _helper or _Helper()
        if helper.busy.acquire(blocking=False):
            try:
                helper.tasks.put(calls[1])
                try:
                    calls[0]()
                finally:
                    error = helper.done.get()
            finally:
                helper.busy.release()
            if error is not None:
                raise error
            return
    for call in calls:
        call()
