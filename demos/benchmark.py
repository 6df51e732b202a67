"""How fast is tinynorm? Training steps of MLPs, layers and small programs, beside PyTorch, JAX, bare BLAS and a bare copy.

    python demos/benchmark.py                                            # everything, on the CPU
    python demos/benchmark.py --occasions 3 --memory --targets --json one_thread.json
    python demos/benchmark.py --only mlp --threads 2 --plot mlp.png
    python demos/benchmark.py --merge a.json b.json --targets            # measures nothing: what is on file
    python demos/benchmark.py --device cuda --json gpu.json

Each contender lives in a process of its own and takes its turn after a pause, for several rounds of bursts of calls. Bursts
while the machine had other work are left out. One thread is measured by CPU time, which hardly depends on neighbours, two and
more by wall time. The figures are medians over the bursts, and over the occasions, which start the contenders anew.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import benchmark_plot
from benchmark_contenders import CASES, CONTENDERS, ROOFS, SCALING
from benchmark_process import MEMORY, Worker, import_time, limit
from benchmark_targets import Results, spread, verdicts

PACKAGES = {"jax": "jax", "gemm": "numpy", "copy": "numpy"}  # what each contender needs
PACKAGES |= dict.fromkeys(["tinynorm", "captured", "formulas", "captured-formulas"], "tinynorm")
PAUSE = 0.25  # seconds between turns: a library's idle threads keep a core busy for a while after its work


def needs(contender: str) -> str:
    return PACKAGES.get(contender, "torch")


def there(package: str) -> bool:
    return importlib.util.find_spec(package) is not None


def measure(contenders: list[str], cases: list[str], args: argparse.Namespace, clock: str) -> dict[str, Any]:
    """One occasion: the median seconds, the page faults, and how many bursts were left out."""
    from tqdm import tqdm

    workers = [Worker(c, args.device, clock) for c in contenders]
    seconds: Results = {}
    faults: Results = {}
    number = disturbed = 0
    only: list[str] = []  # where the machine had other work all the time
    for case in tqdm(cases, disable=not sys.stderr.isatty()):
        if not sys.stderr.isatty():
            print(case, file=sys.stderr, flush=True)
        bursts: dict[str, list[dict]] = {}
        for done in range(args.rounds):
            for worker in workers:
                if done and worker.contender not in bursts:
                    continue  # it has no such case
                time.sleep(PAUSE)
                if answer := worker.ask(case, args.seconds):
                    bursts.setdefault(worker.contender, []).extend(answer)
        seconds[case], faults[case] = {}, {}
        for c, all_of_it in bursts.items():
            quiet = [b for b in all_of_it if not b["disturbed"]]
            number += len(all_of_it)
            disturbed += len(all_of_it) - len(quiet)
            only += [] if quiet else [f"{c}: {case}"]
            seconds[case][c] = statistics.median(b["seconds"] for b in quiet or all_of_it)
            faults[case][c] = statistics.median(b["faults"] for b in quiet or all_of_it)
    for worker in workers:
        worker.close()
    return {"occasions": [seconds], "faults": faults, "bursts": {"all": number, "disturbed": disturbed, "only disturbed": only}}


def peaks(contenders: list[str], device: str, clock: str) -> dict[str, float]:
    """Contender -> the most memory of a step, in bytes; each in a process of its own."""
    found = {}
    for contender in contenders:
        worker = Worker(contender, device, clock)
        found[contender] = worker.ask(MEMORY)
        worker.close()
    return {c: peak for c, peak in found.items() if peak is not None}


def merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of several runs as those of one, with all their occasions. (Old files have one, in "seconds".)"""
    result: dict[str, Any] = {}
    for part in parts:
        result |= part
    result["occasions"] = [o for part in parts for o in part.get("occasions") or [part["seconds"]]]
    for key in ("faults", "peak_bytes", "import_seconds"):
        result[key] = {k: v for part in parts for k, v in part.get(key, {}).items()}
    commands = [part.get("command", []) for part in parts]
    result["command"] = [line for c in commands for line in ([c] if isinstance(c, str) else c)]
    counts = [part["bursts"] for part in parts if "bursts" in part]
    result["bursts"] = {key: sum(c[key] for c in counts) for key in ("all", "disturbed")}
    result["bursts"]["only disturbed"] = [name for c in counts for name in c["only disturbed"]]
    cases = dict.fromkeys(case for o in result["occasions"] for case in o)
    result["seconds"] = {case: medians([o[case] for o in result["occasions"] if case in o]) for case in cases}
    return result


def medians(found: list[dict[str, float]]) -> dict[str, float]:
    return {c: statistics.median(by[c] for by in found if c in by) for c in dict.fromkeys(c for by in found for c in by)}


def compared(results: Results, old: Results) -> str:
    """The time now over the time then, for what both have."""
    lines = []
    for case, by in results.items():
        ratios = [f"{c} {t / old[case][c]:.2f}" for c, t in by.items() if c in old.get(case, {})]
        lines += [f"{case}: {', '.join(ratios)}"] if ratios else []
    return "\n".join(lines)


def machine(device: str) -> dict[str, Any]:
    """What the figures were measured on, and with."""
    from tinynorm.command.blas import openblas_core

    names = ["tinynorm", "numpy", "numba", "cupy-cuda12x", "cupy-cuda13x", "torch", "jax"]
    versions = {}
    for name in names:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    versions |= {"kernels of OpenBLAS": core} if (core := openblas_core()) else {}
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


def table(occasions: list[Results]) -> str:
    """Microseconds, and in brackets how many times tinynorm's; at the end what the bare products, or a bare copy, take."""
    every = [by for results in occasions for by in results.values()]
    contenders = [c for c in CONTENDERS if c not in ROOFS and any(c in by for by in every)]
    rows = [["case", *contenders, "roof", "of the roof"]]
    for case in dict.fromkeys(case for results in occasions for case in results):
        found = [results[case] for results in occasions if case in results]
        middle = medians(found)
        cells = [f"{middle[c] * 1e6:,.1f}" if c in middle else "-" for c in contenders]
        for i, c in enumerate(contenders):
            ratios = [by[c] / by["tinynorm"] for by in found if c in by and "tinynorm" in by]
            cells[i] += f" ({_bracketed(ratios)})" if ratios and c != "tinynorm" else ""
        roof = next((r for r in ROOFS if r in middle), "")
        mine = "captured" if "captured" in middle else "tinynorm"
        ratios = [by[mine] / by[roof] for by in found if mine in by and roof in by]
        cells += [f"{middle[roof] * 1e6:,.1f}" if roof else "-", f"{mine} {_bracketed(ratios)}" if ratios else "-"]
        rows.append([case, *cells])
    return grid([row[:-2] for row in rows] if all(row[-2] == "-" for row in rows[1:]) else rows)


def _bracketed(ratios: list[float]) -> str:
    return spread(ratios, "x").replace(" (", ", ").rstrip(")")


def grid(rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def report(figures: dict[str, Any], args: argparse.Namespace) -> None:
    about = {k: figures[k] for k in ("cpu", "cores", "python", "versions", "device", "gpu", "threads", "clock") if k in figures}
    n = len(figures["occasions"])
    print("\nMicroseconds; in brackets: times tinynorm's (above 1, tinynorm is faster).", end="")
    print(f" Medians of {n} occasions, and of the ratios also the least and the most." if n > 1 else "")
    print(", ".join(f"{k}: {v}" for k, v in about.items()), end="\n\n")
    print(table(figures["occasions"]))
    print("Roof: the bare matrix products; of layers without them, a copy of as many bytes by one thread; of a + b, NumPy's.")
    bursts = figures["bursts"]
    print(f"The machine had other work during {bursts['disturbed']} of {bursts['all']} bursts; these are left out", end="")
    only = dict.fromkeys(name.partition(": ")[2] for name in bursts["only disturbed"])
    print(f", but for {len(bursts['only disturbed'])} figures that have no others, of {', '.join(only)}." if only else ".")
    if args.targets:
        rows = [["case", "what", "measured", "target", ""], *(v.cells() for v in verdicts(figures))]
        print(f"\nTargets:\n{grid(rows)}")
    if args.compare:
        old = json.loads(Path(args.compare).read_text())["seconds"]
        print(f"\nTimes over those of {args.compare}:\n{compared(figures['seconds'], old)}")
    if figures["peak_bytes"]:
        print("\nThe most memory of a step beyond what was there, MLP with BatchNorm, batch 4096, width 1024, MiB:")
        print(", ".join(f"{c} {n / 2**20:.0f}" for c, n in figures["peak_bytes"].items()))
    if args.plot:
        benchmark_plot.draw(figures["seconds"], args.plot, figures.get("clock", "wall"))


def run(args: argparse.Namespace, cases: list[str]) -> dict[str, Any]:
    """Measure all that is asked for."""
    if args.device == "cpu":
        limit(args.threads)
    clock = "cpu" if args.threads == 1 and args.device == "cpu" else "wall"
    contenders = [c for c in args.contenders if there(needs(c))]
    missing = [package for package in sorted({"numba", *map(needs, args.contenders)}) if not there(package)]
    if missing:
        print(f"Not installed, and left out: {', '.join(missing)} (pip install {' '.join(missing)})")
    parts = [measure(contenders, cases, args, clock) for _ in range(args.occasions)]
    about = {**machine(args.device), "threads": args.threads, "clock": clock}
    about["command"] = [" ".join(["python", "demos/benchmark.py", *sys.argv[1:]])]
    if args.memory:
        about["peak_bytes"] = peaks([c for c in contenders if c not in ROOFS], args.device, clock)
    if args.targets and "tinynorm" in contenders:
        about["import_seconds"] = {"tinynorm": import_time()}
    return merged([*parts[:-1], parts[-1] | about])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--threads", type=int, default=1, help="on the CPU: 1, by CPU time, or more, by wall time (default 1)")
    parser.add_argument("--occasions", type=int, default=1, help="how often all is measured, in new processes (default 1)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each contender has its turn (default 5)")
    parser.add_argument("--seconds", type=float, default=0.3, help="time a turn takes at least (default 0.3)")
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="only cases whose names contain one of these")
    parser.add_argument("--contenders", nargs="+", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--memory", action="store_true", help="also measure the most memory of a large step")
    parser.add_argument("--targets", action="store_true", help="also say how far each figure is from its target")
    parser.add_argument("--plot", metavar="PNG", help="also measure steps of several batches and widths, and draw their times")
    parser.add_argument("--json", metavar="FILE", help="write the figures, with machine, versions and command, to this file")
    parser.add_argument("--merge", nargs="+", metavar="FILE", help="measure nothing: report what these --json files have")
    parser.add_argument("--compare", metavar="FILE", help="also print the times over those of an earlier --json")
    args = parser.parse_args()
    scaling = [case for cases in SCALING.values() for case in cases.values()] if args.plot else []
    cases = [case for case in dict.fromkeys([*CASES, *scaling]) if any(text in case for text in args.only)]
    if not cases:
        parser.error(f"--only {' '.join(args.only)}: no case has this in its name; they are {', '.join(CASES)}")
    figures = merged([json.loads(Path(name).read_text()) for name in args.merge]) if args.merge else run(args, cases)
    report(figures, args)
    if args.json:
        Path(args.json).write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
