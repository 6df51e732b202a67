"""Runs watched as they go: their figures in TensorBoard's event files, and at Weights & Biases."""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Log = Callable[[int, dict[str, float]], object]  # log(step, figures by name)
NEEDS = {"--log-dir": ("tensorboardX", "-e '.[demos]'"), "--wandb": ("wandb", "wandb")}


class Refused(RuntimeError):
    """Weights & Biases does not take the run."""


def not_installed(option: str, python: str) -> str:
    """What to say where the package is missing that an option needs; empty where it is there."""
    module, wanted = NEEDS[option]
    if importlib.util.find_spec(module):
        return ""
    return f"{option}: {module} is not installed. In the repository's folder:\n  {python} -m pip install {wanted}"


@contextmanager
def event_files(folder: str | os.PathLike, done: int = 0) -> Iterator[Log]:
    """A function that writes figures into the folder for TensorBoard; those of a former run after step `done` are no more."""
    from tensorboardX import SummaryWriter

    logging.getLogger("tensorboardX.x2num").setLevel(logging.ERROR)  # a NaN is a figure like others: its curve shows it
    own_name = f".{os.getpid()}.{done}"  # else a run resumed within the second writes over the first one's file
    with SummaryWriter(str(folder), purge_step=done + 1 if done else None, filename_suffix=own_name) as writer:

        def log(step: int, figures: dict[str, float]) -> None:
            for name, value in figures.items():
                writer.add_scalar(name, value, step)

        yield log


@contextmanager
def wandb_run(folder: Path, name: str, config: dict[str, Any], silent: bool = False, **more: Any) -> Iterator[Log]:
    """A function that logs figures as a run of W&B's project "tinynorm" (or WANDB_PROJECT), with its files in folder/wandb.

    Raises
    ------
    Refused
        There is no account, or no way to it; WANDB_MODE=offline needs neither.
    """
    import wandb

    settings = {"console": "off", "silent": silent}  # the console holds a progress bar
    project = os.environ.get("WANDB_PROJECT", "tinynorm")
    try:
        run = wandb.init(project=project, dir=str(folder), name=name, config=config, settings=settings, **more)
    except wandb.Error as error:
        raise Refused(f"--wandb: {error} Or keep the runs on this machine: WANDB_MODE=offline") from None
    with run:
        yield lambda step, figures: run.log(figures, step=step)


# ---- runs that are done: those of experiments ------------------------------------------------------------------------


def curves(rows: list[dict[str, Any]]) -> dict[int, dict[str, float]]:
    """The numbers of a run by step and name; step 0 has those of rows without a step.

    A row begins with what it is about and ends with what was measured. The columns that are needed to tell rows with the same
    columns apart, and texts, become part of the names of the others: "accuracy/FGSM/epsilon_0.1".
    """
    alike: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in rows:
        alike.setdefault(tuple(row), []).append(row)
    found: dict[int, dict[str, float]] = {}
    for columns, group in alike.items():
        about = columns[: _needed(columns, group)]
        for row in group:
            named = [name for name in columns if name != "step" and (name in about or isinstance(row[name], str))]
            labels = [_clean(row[name] if isinstance(row[name], str) else f"{name} {row[name]:g}") for name in named]
            measured = {"/".join([_clean(n), *labels]): row[n] for n in columns if n != "step" and n not in named}
            found.setdefault(row.get("step", 0), {}).update(measured)
    return dict(sorted(found.items()))


def _needed(columns: tuple[str, ...], rows: list[dict[str, Any]]) -> int:
    """How many of the first columns tell the rows apart; the last column is always one that was measured."""
    for n in range(len(columns) - 1):
        if len({tuple(row[name] for name in columns[:n]) for row in rows}) == len(rows):
            return n
    return len(columns) - 1


def _clean(text: str) -> str:
    """With the characters that TensorBoard has in a name, and folders can have too."""
    return re.sub(r"[^\w.-]+", "_", text).strip("_")


def keep_events(log_dir: Path, name: str, figures: dict[int, dict[str, float]]) -> None:
    """Write a run that is done into a folder of its own, whole or not at all, unless it is there."""
    folder = log_dir / name
    if folder.exists():
        return
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a call that was interrupted while it wrote
    with event_files(part) as log:
        for step, values in figures.items():
            log(step, values)
    part.rename(folder)


def keep_wandb(out: Path, name: str, group: str, config: dict[str, Any], figures: dict[int, dict[str, float]]) -> None:
    """Log a run that is done to W&B, unless its files are in out/wandb."""
    key = name.rpartition("-")[2]
    if any((out / "wandb").glob(f"*run-*-{key}")):
        return
    with wandb_run(out, name, config, silent=True, group=group, id=key) as log:
        for step, values in figures.items():
            log(step, values)
