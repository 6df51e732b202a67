"""A selection of the databases' calls with PyTorch's answers, in one file, so that tests need no PyTorch.

Of each entry, way of calling, dtype and form of the arguments the smallest calls are kept, and always those that tinynorm once
got wrong: they are carried over from the file that is there.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from databases_call import Call, Get, Name, TensorSpec, from_json, to_json
from databases_compare import Verdict
from databases_run import Outcome

FILE = Path(__file__).with_name("databases.npz")
LARGEST = 500  # bytes of numbers that a call may bring with it
LARGEST_WRONG = 20_000  # the same for a call that was wrong
WRONG_OF_A_KIND = 2  # calls kept for each kind of difference


@dataclass
class Record:
    """A call, PyTorch's answer, the answer but for rounding where it was needed, and the verdict when it was recorded."""

    call: Call
    expected: Outcome
    exact: Outcome | None
    verdict: str
    once_wrong: str = ""  # the kind of difference that tinynorm once had here

    def nbytes(self) -> int:
        arrays = [spec.values for spec in self.call.specs()]
        for outcome in (self.expected, self.exact):
            if outcome is not None:
                values = [*outcome.outputs, *outcome.changed.values(), *outcome.grads, *outcome.seconds]
                arrays += [a for a in values if isinstance(a, np.ndarray)]
        return sum(a.nbytes for a in arrays)


def form(tree: Any) -> Any:
    """An argument's form: how many dimensions a tensor has, which kind of value another argument is."""
    if isinstance(tree, TensorSpec):
        return f"{min(tree.values.ndim, 2)}{'' if tree.strides is None else 's'}{'' if tree.values.size else 'e'}"
    if isinstance(tree, (list, tuple)):
        return type(tree).__name__ + " ".join(sorted({str(form(part)) for part in tree}))
    if isinstance(tree, dict):
        return tuple(sorted((key, str(form(part))) for key, part in tree.items()))
    return type(tree).__name__ if not isinstance(tree, (bool, str, Name)) else str(tree)


def kind_of(call: Call, verdict: Verdict) -> str:
    """The kind of a silent difference."""
    return "/".join((call.entry, call.kind, verdict.differences[0].what, call.dtype))


class Recorder:
    """Chooses from the calls that it is shown."""

    def __init__(self) -> None:
        self.chosen: dict[Any, Record] = {}
        self.wrong: dict[str, list[Record]] = {}
        self.before = load() if FILE.exists() else []
        for record in self.before:
            if record.once_wrong:
                self.wrong.setdefault(record.once_wrong, []).append(record)

    def wants(self, call: Call, verdict: Verdict) -> bool:
        """Whether there are not yet small calls enough of this kind of difference."""
        kept = self.wrong.get(kind_of(call, verdict), [])
        return len(kept) < WRONG_OF_A_KIND or any(record.nbytes() > LARGEST for record in kept)

    def consider(self, record: Record, verdict: Verdict) -> None:
        size = record.nbytes()
        if verdict.kind == "silent":
            record.once_wrong = kind_of(record.call, verdict)
            kept = self.wrong.setdefault(record.once_wrong, [])
            if size <= LARGEST_WRONG and record.call.id not in {r.call.id for r in kept}:
                kept.append(record)
                kept.sort(key=Record.nbytes)
                del kept[WRONG_OF_A_KIND:]
        if size <= LARGEST:
            key = self._key(record, verdict)
            if key not in self.chosen or size < self.chosen[key].nbytes():
                self.chosen[key] = record

    def _key(self, record: Record, verdict: Verdict) -> Any:
        call = record.call
        parts = call.source.split()
        way = (call.entry, call.kind, call.path, call.dtype, verdict.kind, verdict.message[:20], parts[-1] == "rounded")
        if call.kind in ("optimizer", "schedule", "module"):
            return *way, call.source
        if call.dtype == "errors":
            return *way, call.source
        return *way, str(form(call.args)) + str(form(call.kwargs)) if call.dtype in ("float64", "int64") else len(call.kwargs)

    def save(self) -> str:
        records = [r for several in self.wrong.values() for r in several]
        known = {r.call.id for r in records}
        again = {r.call.entry for r in self.chosen.values()}  # other entries stay as they are in the file
        kept = [r for r in self.before if r.call.entry not in again]
        records += [r for r in (*kept, *self.chosen.values()) if r.call.id not in known]
        save(records)
        return f"{FILE.name}: {len(records):,} calls, {FILE.stat().st_size / 1e6:.2f} MB"


# ---- the file: arrays by dtype, one after the other, and everything else as JSON ----------------------------------------


class _Pool:
    """Arrays in one array of each dtype; equal ones once."""

    def __init__(self) -> None:
        self.parts: dict[str, list[np.ndarray]] = {}
        self.sizes: dict[str, int] = {}
        self.places: dict[Any, list] = {}

    def put(self, array: np.ndarray) -> list:
        name, key = str(array.dtype), (str(array.dtype), array.shape, array.tobytes())
        if key not in self.places:
            start = self.sizes.get(name, 0)
            self.parts.setdefault(name, []).append(array.reshape(-1))
            self.sizes[name] = start + array.size
            self.places[key] = [name, start, *array.shape]
        return self.places[key]


def save(records: list[Record]) -> None:
    pool = _Pool()
    text = json.dumps([_record_to_json(record, pool) for record in records], separators=(",", ":"))
    arrays = {name: np.concatenate(parts) for name, parts in sorted(pool.parts.items())}
    np.savez_compressed(FILE, about=np.frombuffer(text.encode(), np.uint8), **arrays)


def _record_to_json(record: Record, pool: _Pool) -> list:
    call = {field.name: to_json(getattr(record.call, field.name), pool.put) for field in fields(Call)}
    outcomes = [None if o is None else _outcome_to_json(o, pool) for o in (record.expected, record.exact)]
    return [call, *outcomes, record.verdict, record.once_wrong]


def _outcome_to_json(outcome: Outcome, pool: _Pool) -> dict[str, Any]:
    """The fields that say something."""
    said = {name: value for name, value in vars(outcome).items() if value}
    return {name: to_json(value[:60] if isinstance(value, str) else value, pool.put) for name, value in said.items()}


def _outcome_from_json(said: dict[str, Any], get: Get) -> Outcome:
    return Outcome(**{name: from_json(value, get) for name, value in said.items()})


def load() -> list[Record]:
    with np.load(FILE) as file:
        arrays = {name: file[name] for name in file.files}
    text = arrays.pop("about").tobytes().decode()

    def get(place: list) -> np.ndarray:
        name, start, *shape = place
        return arrays[name][start : start + math.prod(shape)].reshape(shape)

    records = []
    for call, expected, exact, verdict, once_wrong in json.loads(text):
        made = {key: from_json(part, get) for key, part in call.items()}
        outcomes = [None if o is None else _outcome_from_json(o, get) for o in (expected, exact)]
        records.append(Record(Call(**made), *outcomes, verdict, once_wrong))
    return records
