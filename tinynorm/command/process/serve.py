"""What the process of a checked file does: it checks one pair after the other, and tells the checker of each."""

from __future__ import annotations

import faulthandler
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ...gradcheck.report import text
from ..functions.find_pairs import find_pairs
from ..functions.pair import Pair
from ..layers.call_layer import Layer
from ..load.load_file import load, module_name
from ..run_code import OUR_CODE, LimitReached, NothingToCheck, Prints, UserError, running
from ..tensors.operation import Operation
from ..verdict.check_pair import check_pair
from ..verdict.print_results import as_record
from .guard import high
from .limits import limit_memory, limit_processes
from .untouched import Untouched

Tell = Callable[[dict[str, Any]], None]


def records(job: dict[str, Any], prints: Prints) -> Iterator[dict[str, Any]]:
    """Check a file. Yield its pairs; then for each one to check that it begins, and its result.

    The job has the `file`, the name `only` or None, the `seed`, the `layer`, whether `html` is wanted, and the numbers of the
    `pairs` to check, None for all.
    """
    path, sys.dont_write_bytecode = Path(job["file"]), True
    names = load(path, prints)
    with running(path, prints):
        pairs, left_over = find_pairs(names, path, job["only"])
    if job["of_folder"]:  # what it imports is checked where it is defined
        pairs = [pair for pair in pairs if _defines(names, pair, path)]
        if not pairs and not left_over:
            raise NothingToCheck(f"{path}: it defines no pair of its own")
    of_objects = {Layer: "class", Operation: "operation"}
    kinds = ["loss" if pair.loss else of_objects.get(type(pair.forward), "pair") for pair in pairs]
    yield {
        "what": "pairs",
        "pairs": [[pair.name, kind] for pair, kind in zip(pairs, kinds, strict=True)],
        "left_over": left_over,
    }
    for i, pair in enumerate(pairs):
        if job["pairs"] is None or i in job["pairs"]:
            prints.written = 0  # the limit is one for each pair, as that of the time
            yield {"what": "begins", "pair": i}
            result = check_pair(pair, job["seed"], job["layer"], prints)
            yield {"what": "result", "pair": i, "result": asdict(as_record(result, kinds[i], job["html"]))}


def _defines(names: dict[str, Any], pair: Pair, path: Path) -> bool:
    """Whether a file defines the forward or the backward of a pair."""
    halves = [names.get(name.partition(".")[0]) for name in (pair.forward_name, pair.backward_name)]
    return any(getattr(half, "__module__", "") == module_name(path) for half in halves)


def serve(job: dict[str, Any], tell: Tell) -> None:
    """Tell the records, and end the process. What the file leaves behind (threads, exit handlers) ends with it."""
    text.WIDTH = job["width"]
    log = high(2)
    faulthandler.enable(log)
    untouched, guard = Untouched(), os.getppid()
    limit_memory(job["memory"])
    limit_processes()
    prints = Prints(job["output"])
    try:
        tell({"what": "starts"})
        faulthandler.dump_traceback_later(job["timeout"], file=log)
        for record in records(job, prints):
            changed = record["what"] != "begins" and untouched.put_back()
            if changed:
                raise _Changed(f"it changes {changed}, with which the checker computes too")
            if os.getppid() != guard:  # or a quick pair would be right, and another be blamed
                raise _Changed("it ends its parent process")
            tell(record | {"prints": prints.as_dict()})
            faulthandler.dump_traceback_later(job["timeout"], file=log)
        tell({"what": "end"})
    except BaseException as error:
        untouched.put_back()
        tell(_failure(error) | {"prints": prints.as_dict()})
    os._exit(0)


class _Changed(Exception):
    """The file has changed something that it may not change, or ended the guard."""


def _failure(error: BaseException) -> dict[str, Any]:
    """Return a record that says why the file cannot be checked, or with this process not further."""
    if isinstance(error, _Changed | LimitReached):
        return {"what": "failed", "why": str(error)}
    if isinstance(error, UserError):
        return {"what": "refused", "why": str(error), "nothing": isinstance(error, NothingToCheck)}
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = f"the checker itself raises {said} (in {last.name})"
    return {"what": "failed", "why": ours if last.filename.startswith(OUR_CODE) else f"it raises {said}"}
