"""The runs of the experiments: in several processes, each result kept in a file, so that an interrupted report goes on."""

from __future__ import annotations

import ast
import csv
import hashlib
import importlib
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import watching

import tinynorm

from .base import Experiment, Row

FOLDER = Path(__file__).parent
MODULES = {path.stem.split("_")[0].upper().replace("E0", "E"): path.stem for path in FOLDER.glob("e[0-9]*.py")}
ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
DRAWING = {"plots.py"}  # makes pictures of rows, and changes none


def experiments(keys: list[str]) -> list[Experiment]:
    """Those of these keys, or all, in order."""
    wanted = keys or list(MODULES)
    return [load(key) for key in sorted(wanted, key=lambda key: int(key[1:]))]


def load(key: str) -> Experiment:
    return importlib.import_module(f"experiments.{MODULES[key]}").EXPERIMENT


def sources(experiment: Path) -> set[Path]:
    """An experiment's file and the files of the demos that it imports, itself or by way of others."""
    here, found, waiting = experiment.parent, set(), [experiment]
    while waiting:
        path = waiting.pop()
        found.add(path)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            from_here = isinstance(node, ast.ImportFrom) and node.level > 0
            module = node.module if isinstance(node, ast.ImportFrom) else None
            names = [module] if module else [alias.name for alias in node.names]
            files = [(here if from_here else here.parent) / f"{name}.py" for name in names]
            waiting += [file for file in files if file.exists() and file not in found and file.name not in DRAWING]
    return found


@cache
def code(experiment: Path) -> str:
    """A digest of what makes an experiment's rows: its source, that of the modules it imports, and tinynorm's version.

    It does not see a change in tinynorm's own source: after one, give another ``--out``.
    """
    texts = [path.read_bytes() for path in sorted(sources(experiment))]
    return hashlib.sha256(b"\0".join([tinynorm.__version__.encode(), *texts])).hexdigest()[:16]


class Task:
    """One run: an experiment, what is compared, and a seed. Runs with equal settings and equal code have one `name`."""

    def __init__(self, experiment: Experiment, arm: dict[str, Any], seed: int, settings: dict[str, Any]) -> None:
        self.experiment, self.arm, self.seed, self.settings = experiment, arm, seed, settings
        self.name = json.dumps([arm, seed, settings, code(FOLDER / f"{MODULES[experiment.key]}.py")], sort_keys=True)
        about = "-".join(re.sub(r"[^\w.]+", "_", str(value)) for value in arm.values())
        digest = hashlib.sha256(f"{experiment.key} {self.name}".encode()).hexdigest()[:8]
        self.label = f"{about}-seed{seed}-{digest}"  # short, fit for a folder, and other where the name is other


def do(key: str, arm: dict[str, Any], seed: int, settings: dict[str, Any]) -> tuple[list[Row], float]:
    """In a process of its own: the rows of a run, with arm and seed in front, and the seconds it took."""
    start = time.perf_counter()
    rows = load(key).run(arm, seed, settings)
    return [{**arm, "seed": seed, **row} for row in rows], time.perf_counter() - start


def _leave_interrupts() -> None:
    """In a process of its own: Ctrl-C, which reaches all processes, is for the one that started them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


class Runner:
    """Does the runs that are not done yet.

    Parameters
    ----------
    out : Path
        The folder of the report. ``out/runs/E1.jsonl`` has a line for each run of E1.
    quick : bool
    seeds : int
    device : str
    log_dir : Path, optional
        Where each run is written for TensorBoard, those on file too.
    wandb : bool
        Whether each run is logged to Weights & Biases, those on file too; their files are in ``out/wandb``.
    data : dict, optional
        Settings that say which images, where they are not the digits: see `nets.data_of`.
    """

    def __init__(
        self,
        out: Path,
        quick: bool,
        seeds: int,
        device: str,
        log_dir: Path | None = None,
        wandb: bool = False,
        data: dict[str, str] | None = None,
    ) -> None:
        self.out, self.quick, self.seeds, self.device, self.data = out, quick, seeds, device, data or {}
        self.log_dir, self.wandb = log_dir, wandb
        (out / "runs").mkdir(parents=True, exist_ok=True)

    def settings(self, experiment: Experiment) -> dict[str, Any]:
        return {**experiment.full, **(experiment.quick if self.quick else {}), "device": self.device, **self.data}

    def tasks(self, experiment: Experiment) -> list[Task]:
        s = self.settings(experiment)
        return [Task(experiment, arm, seed, s) for seed in range(self.seeds) for arm in experiment.arms(s)]

    def done(self, experiment: Experiment) -> dict[str, dict[str, Any]]:
        """The runs on file, by name. A last line that was cut off is left out."""
        path = self.out / "runs" / f"{experiment.key}.jsonl"
        found = {}
        for line in path.read_text().split("\n") if path.exists() else []:
            try:
                run = json.loads(line)
            except json.JSONDecodeError:
                continue
            found[run["name"]] = run
        return found

    def rows(self, experiment: Experiment) -> list[Row]:
        """All rows of an experiment whose runs are done, in the order of its tasks."""
        done = self.done(experiment)
        return [row for task in self.tasks(experiment) for row in done[task.name]["rows"]]

    def seconds(self, experiment: Experiment) -> float:
        """What its runs took, one after the other."""
        done = self.done(experiment)
        return sum(done[task.name]["seconds"] for task in self.tasks(experiment))

    def watch(self, task: Task, rows: list[Row]) -> None:
        """Show a run that is done where the options want it, unless it is there from a former call."""
        if not (self.log_dir or self.wandb):
            return
        e, told = task.experiment.key, {*task.arm, "seed"}
        figures = watching.curves([{k: v for k, v in row.items() if k not in told} for row in rows])
        if self.log_dir:
            watching.keep_events(self.log_dir / e, task.label, figures)
        if self.wandb:
            watching.keep_wandb(self.out, f"{e}-{task.label}", e, {**task.settings, **task.arm, "seed": task.seed}, figures)

    def run(self, chosen: list[Experiment], processes: int, after: Callable[[str], object]) -> None:
        """Do what is missing; ``after(key)`` is called when a run is done."""
        missing: list[Task] = []
        for e in chosen:
            done = self.done(e)
            missing += [task for task in self.tasks(e) if task.name not in done]
            for task in self.tasks(e):
                if task.name in done:
                    self.watch(task, done[task.name]["rows"])
        if not missing:
            return
        os.environ |= dict.fromkeys(ONE_THREAD, "1")  # before the processes start: each has one thread
        with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_leave_interrupts) as pool:
            try:
                for task, (rows, seconds) in self._results(pool, missing):
                    self._keep(task, rows, seconds)
                    self.watch(task, rows)
                    after(task.experiment.key)
            except BaseException:
                running = list((pool._processes or {}).values())  # a pool that is shut down knows them no more
                pool.shutdown(wait=False, cancel_futures=True)
                for process in running:
                    process.terminate()
                raise

    def _results(self, pool: ProcessPoolExecutor, tasks: list[Task]) -> Iterator[tuple[Task, tuple[list[Row], float]]]:
        waiting: dict[Future, Task] = {pool.submit(do, t.experiment.key, t.arm, t.seed, t.settings): t for t in tasks}
        while waiting:
            finished, _ = wait(waiting, return_when="FIRST_COMPLETED")
            for future in finished:
                yield waiting.pop(future), future.result()

    def _keep(self, task: Task, rows: list[Row], seconds: float) -> None:
        line = json.dumps({"name": task.name, "seconds": round(seconds, 3), "rows": rows})
        with (self.out / "runs" / f"{task.experiment.key}.jsonl").open("a") as file:
            file.write(f"\n{line}\n")  # the line before may have been cut off, without its end

    def write_csv(self, experiment: Experiment) -> Path:
        """All rows of an experiment as a table."""
        rows = self.rows(experiment)
        path = self.out / f"{experiment.key}.csv"
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)))
            writer.writeheader()
            writer.writerows({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()} for row in rows)
        return path
