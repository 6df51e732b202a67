"""How fast is tinynorm? One training step of an MLP, and forward + backward of each layer, beside PyTorch, JAX and bare BLAS.

    python demos/benchmark.py                  # everything, on the CPU
    python demos/benchmark.py --device cuda --json gpu.json
    python demos/benchmark.py --only mlp --rounds 9

Each contender lives in a process of its own and takes its turn case by case, for several rounds; a contender that is not
installed is left out. The table has medians over the rounds of each round's median, and the ratio to tinynorm.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, cast

from benchmark_contenders import CASES, CONTENDERS, serve

# where a contender is left out if it is missing; the others need PyTorch. Without Numba, tinynorm runs its formulas anyway
PACKAGES = {"tinynorm": "tinynorm", "formulas": "numba", "jax": "jax", "gemm": "numpy"}
PACKAGES |= {"captured": "tinynorm", "captured-formulas": "numba"}


PAUSE = 0.25  # seconds between turns: a library's idle threads keep a core busy for a while after its work


class Worker:
    """A contender's process: takes a case's name, gives the seconds it took (None where it has no such case)."""

    def __init__(self, contender: str, device: str) -> None:
        command = [sys.executable, __file__, "--serve", contender, "--device", device]
        self.contender = contender
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.orders, self.answers = cast(IO[str], self.process.stdin), cast(IO[str], self.process.stdout)

    def time(self, case: str, seconds: float) -> float | None:
        print(json.dumps({"case": case, "seconds": seconds}), file=self.orders, flush=True)
        line = self.answers.readline()
        if not line:
            raise SystemExit(f"benchmark: the process of {self.contender} died in {case}; its message is above")
        return json.loads(line)["seconds"]

    def close(self) -> None:
        self.orders.close()
        self.process.wait()


def installed(contender: str) -> bool:
    return importlib.util.find_spec(PACKAGES.get(contender, "torch")) is not None


def measure(contenders: list[str], cases: list[str], rounds: int, seconds: float, device: str) -> dict[str, dict[str, float]]:
    """Case -> contender -> median seconds."""
    from tqdm import tqdm

    workers = [Worker(c, device) for c in contenders]
    times: dict[str, dict[str, list[float]]] = {case: {c: [] for c in contenders} for case in cases}
    progress = tqdm(total=rounds * len(cases) * len(workers), disable=not sys.stderr.isatty())
    for done in range(rounds):
        if progress.disable:
            print(f"round {done + 1} of {rounds}", file=sys.stderr, flush=True)
        for case in cases:
            for worker in workers:
                progress.set_description(f"{case}: {worker.contender}")
                time.sleep(PAUSE)
                t = worker.time(case, seconds)
                if t is not None:
                    times[case][worker.contender].append(t)
                progress.update()
    progress.close()
    for worker in workers:
        worker.close()
    return {case: {c: statistics.median(ts) for c, ts in by.items() if ts} for case, by in times.items()}


def peaks(contenders: list[str], device: str) -> dict[str, float]:
    """Contender -> the most memory of a step, in bytes; each in a process of its own."""
    found = {}
    for contender in contenders:
        worker = Worker(contender, device)
        peak = worker.time("peak", 0)
        worker.close()
        if peak is not None:
            found[contender] = peak
    return found


def compared(results: dict[str, dict[str, float]], old: dict[str, dict[str, float]]) -> str:
    """The time now over the time then, for what both have."""
    lines = []
    for case, by in results.items():
        ratios = [f"{c} {t / old[case][c]:.2f}" for c, t in by.items() if c in old.get(case, {})]
        lines += [f"{case}: {', '.join(ratios)}"] if ratios else []
    return "\n".join(lines)


def machine(device: str) -> dict[str, Any]:
    """What the figures were measured on, and with."""
    names = ["tinynorm", "numpy", "numba", "cupy-cuda12x", "cupy-cuda13x", "torch", "jax"]
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = (line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name"))
        cpu = next(named, cpu)
    result = {"cpu": cpu, "cores": os.cpu_count(), "python": platform.python_version(), "versions": versions, "device": device}
    if device == "cuda":
        import tinynorm

        result["gpu"] = tinynorm.backend.cuda_status()[0].cuda.runtime.getDeviceProperties(0)["name"].decode()
    return result


def table(results: dict[str, dict[str, float]], contenders: list[str]) -> str:
    """Microseconds, and in brackets how many times tinynorm's; without the contenders that had none of the cases."""
    contenders = [c for c in contenders if any(c in by for by in results.values())]
    rows = [["case", *contenders]]
    for case, by in results.items():
        cells = []
        for c in contenders:
            if c not in by:
                cells.append("-")
            elif c == "tinynorm" or "tinynorm" not in by:
                cells.append(f"{by[c] * 1e6:,.1f}")
            else:
                cells.append(f"{by[c] * 1e6:,.1f} ({by[c] / by['tinynorm']:.2f}x)")
        rows.append([case, *cells])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender has its turn (default 5)")
    parser.add_argument("--seconds", type=float, default=0.3, help="time a turn takes at least (default 0.3)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the cases whose name contains this")
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--json", metavar="FILE", help="write the figures, with machine, versions and command, to this file")
    parser.add_argument("--compare", metavar="FILE", help="also print the times over those of an earlier --json")
    parser.add_argument("--memory", action="store_true", help="also measure the most memory of a large step")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        serve(args.serve, args.device)
        return
    contenders = [c for c in args.contenders if installed(c)]
    cases = [case for case in CASES if args.only in case]
    if not cases:
        parser.error(f"--only {args.only!r}: no case has this in its name; they are {', '.join(CASES)}")
    results = measure(contenders, cases, args.rounds, args.seconds, args.device)
    about = machine(args.device)
    print(f"\nMicroseconds, medians of {args.rounds} rounds; in brackets: times tinynorm's (above 1, tinynorm is faster).")
    print(", ".join(f"{k}: {v}" for k, v in about.items()), end="\n\n")
    print(table(results, contenders))
    if args.compare:
        old = json.loads(Path(args.compare).read_text())["seconds"]
        print(f"\nTimes over those of {args.compare}:\n{compared(results, old)}")
    memory = peaks(contenders, args.device) if args.memory else {}
    if memory:
        print("\nThe most memory of a step beyond what was there, MLP with BatchNorm, batch 4096, width 1024, MiB:")
        print(", ".join(f"{c} {n / 2**20:.0f}" for c, n in memory.items()))
    if args.json:
        command = " ".join(["python", "demos/benchmark.py", *sys.argv[1:]])
        figures = {**about, "command": command, "seconds": results, "peak_bytes": memory}
        Path(args.json).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
