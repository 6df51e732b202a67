"""A contender's process: it does a case's work in bursts of calls, and says of each burst how long a call took."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

try:
    import resource  # not on Windows: there no page faults are counted
except ImportError:
    resource = None  # type: ignore[assignment]

BURST = 0.1  # seconds of calls that give one figure; a turn has several
# CPU seconds that others may take in a burst. The system counts in ticks of 0.01 s: it errs by one at each end.
UNNOTICED = 0.02
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MEMORY = "memory, batch 4096, width 1024"  # what is asked for in place of a case


def limit(threads: int) -> None:
    """Give this process, and those that it starts, so many threads, and where the system can do it so many processors."""
    os.environ |= dict.fromkeys(THREADS, str(threads))
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])


class Worker:
    """A contender's process, seen from the benchmark: takes a case, gives its bursts (None where it has no such case)."""

    def __init__(self, contender: str, device: str, clock: str) -> None:
        command = [sys.executable, __file__, contender, device, clock]
        self.contender = contender
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.orders, self.answers = cast(IO[str], self.process.stdin), cast(IO[str], self.process.stdout)

    def ask(self, case: str, seconds: float = 0.0) -> Any:
        print(json.dumps([case, seconds]), file=self.orders, flush=True)
        line = self.answers.readline()
        if not line:
            raise SystemExit(f"benchmark: the process of {self.contender} died in {case}; its message is above")
        return json.loads(line)

    def close(self) -> None:
        self.orders.close()
        self.process.wait()
        self.answers.close()


def serve(contender: str, device: str, clock: str) -> None:
    """The process itself: a case and its seconds a line on standard input, the bursts a line on standard output."""
    from benchmark_contenders import CONTENDERS

    case, work = "", None
    for line in sys.stdin:
        asked, seconds = json.loads(line)
        if asked == MEMORY:
            answer: Any = peak(lambda case: CONTENDERS[contender](case, device))
        else:
            if asked != case:
                work = None  # its memory goes before the next is made
                case, work = asked, CONTENDERS[contender](asked, device)
            answer = work and bursts(work, seconds, clock)
        print(json.dumps(answer), flush=True)


def bursts(work: Callable[[], Any], at_least: float, clock: str) -> list[dict[str, Any]]:
    """Of each burst: the seconds of a call, its page faults, and whether the machine had other work meanwhile.

    The seconds are the lower quartile of the calls' CPU times (all threads'), or the median of their wall times. First it
    calls `work` some times, so that what is compiled, recorded or allocated at first is there (a captured step: at the fourth).
    """
    begun = time.perf_counter()
    for _ in range(4):
        start = time.perf_counter()
        work()
        once = time.perf_counter() - start
        if time.perf_counter() - begun > 10:
            break
    for _ in range(20 if once < 0.01 else 0):
        work()
    now = time.process_time if clock == "cpu" else time.perf_counter
    at_a_time = 1 if once > 1e-4 else 100  # very short work is timed a hundred times at once
    found: list[dict[str, Any]] = []
    begun = time.perf_counter()
    while time.perf_counter() - begun < at_least or len(found) < (3 if once < 1 else 1):
        times: list[float] = []
        others, faults, start = others_time(), _faults(), time.perf_counter()
        while not times or time.perf_counter() - start < BURST:
            before = now()
            for _ in range(at_a_time):
                work()
            times.append((now() - before) / at_a_time)
        typical = statistics.quantiles([*times, times[-1]])[0 if clock == "cpu" else 1]
        found.append(
            {
                "seconds": typical,
                "faults": (_faults() - faults) / len(times) / at_a_time,
                "disturbed": others_time() - others > UNNOTICED + 0.05 * (time.perf_counter() - start),
            }
        )
    return found


def others_time() -> float:
    """CPU seconds that others than this process have used, or that the machine's host has kept; 0 where none can tell."""
    stat = Path("/proc/stat")
    if not stat.exists():
        return 0.0
    user, nice, system, _idle, _waiting, *interrupts_stolen = map(int, stat.read_text().split("\n", 1)[0].split()[1:9])
    return (user + nice + system + sum(interrupts_stolen)) / os.sysconf("SC_CLK_TCK") - time.process_time()


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt if resource else 0


def peak(work_of: Callable[[str], Callable[[], Any] | None]) -> float | None:
    """The most memory that a few large steps take beyond what the process had before, in bytes (on Linux)."""
    try:
        for case in ("mlp BatchNorm", "mlp BatchNorm, batch 4096, width 1024"):
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew; what is loaded late is there by now
            before = _most_resident()
            work = work_of(case)
            if work is None:
                return None
            for _ in range(5):
                work()
    except OSError:
        return None
    return _most_resident() - before


def _most_resident() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def import_time(repeats: int = 9) -> float:
    """CPU seconds of `import tinynorm` in a program that has NumPy: the lower quartile of some."""
    code = "import time, numpy; t = time.process_time(); import tinynorm; print(time.process_time() - t)"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # that would take three times as long
    times = [float(subprocess.check_output([sys.executable, "-c", code], env=env)) for _ in range(1 + repeats)]
    return statistics.quantiles(times[1:])[0]  # the first one may have made the bytecode


if __name__ == "__main__":
    serve(*sys.argv[1:])
