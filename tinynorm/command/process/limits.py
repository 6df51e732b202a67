"""Limits of the process that a checked file runs in: of its memory, and of the processes that it starts."""

from __future__ import annotations

import mmap
import os
import sys
from contextlib import suppress
from types import FrameType
from typing import Any

from ..run_code import OUR_CODE

# Processes that a file may start. A pool has one for each core; a forward that forks is called a thousand times.
PROCESSES = 64
STARTS = {"os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen"}  # Python's audit events


def default_memory() -> int:
    """Return megabytes: half of what the machine has, so that it need not swap, but no more than 4 GB.

    CIFAR-10 in float64, which files load when they are imported, has 1.5 GB, and is copied once.
    """
    try:
        machine = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (AttributeError, ValueError, OSError):  # Windows
        return 4096
    return min(4096, machine // 2)


def limit_memory(megabytes: int) -> None:
    """Limit what this process may take from now on. Linux keeps to it; where there are no limits, there is none."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no file
        # of data, not of addresses: a library for a GPU reserves as many of these as there are
        limit = _data() + megabytes * 2**20
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _data() -> int:
    """Return the bytes that count already. OpenBLAS takes some for each core."""
    with suppress(OSError), open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmData:")) * 1024
    return 0


def limit_processes() -> None:
    """From now on, Python code in this process and in its copies can start no more than PROCESSES others."""
    started = mmap.mmap(-1, 8)  # shared with the copies

    def hook(event: str, arguments: tuple) -> None:
        if event in STARTS:
            count = int.from_bytes(started[:8], "little") + 1
            started[:8] = count.to_bytes(8, "little")
            if count > PROCESSES:
                raise RuntimeError(f"the checker lets a file start {PROCESSES} processes and no more")

    sys.addaudithook(hook)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=lambda: sys.setprofile(_end_the_copy))


def _end_the_copy(frame: FrameType, event: str, _: Any) -> None:
    """End a copy of this process where it comes back from the file: it would check the file too."""
    if event == "return" and frame.f_back is not None and frame.f_back.f_code.co_filename.startswith(OUR_CODE):
        os._exit(0)
