"""PyTorch's test databases, replayed without PyTorch: no call may differ in silence, except by design.

`python tests/pytorch/databases.py` (with torch) puts the whole databases to tinynorm; with `--record` it also writes the
selection that is replayed here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cache

import pytest
from databases_by_design import DESIGN, reason_for
from databases_call import program
from databases_compare import Verdict, judge
from databases_recording import FILE, Record, load
from databases_run import run

import tinynorm

RECORDS: dict[str, list[Record]] = defaultdict(list)
for _record in load():
    RECORDS[_record.call.entry].append(_record)


def verdict_on(record: Record) -> Verdict:
    return judge(record.call, record.expected, run(tinynorm, record.call), lambda: record.exact)


@cache
def verdicts_on(entry: str) -> list[tuple[Record, Verdict]]:
    return [(record, verdict_on(record)) for record in RECORDS[entry]]


def told(record: Record, verdict: Verdict) -> str:
    differences = "; ".join(f"{d.what} {d.number}: {d.said}" for d in verdict.differences)
    return f"{program(record.call)[:500]}\n  {differences or verdict.message}"


@pytest.mark.parametrize("entry", sorted(RECORDS))
def test_no_call_differs_from_pytorch_in_silence(entry):
    verdicts = verdicts_on(entry)
    silent = [told(*pair) for pair in verdicts if pair[1].kind == "silent" and reason_for(pair[0].call, pair[1]) is None]
    assert not silent, f"{len(silent)} differ:\n" + "\n".join(silent)
    refused = [told(*pair) for pair in verdicts if pair[1].kind == "refusal" and pair[0].verdict not in ("refusal", "silent")]
    assert not refused, f"{len(refused)} are refused that were not:\n" + "\n".join(refused)


def test_every_decision_is_met_by_a_call():
    met: Counter = Counter()
    for record, verdict in (pair for entry in RECORDS for pair in verdicts_on(entry)):
        design = reason_for(record.call, verdict)
        met[design.name if design else ""] += 1
    assert {design.name for design in DESIGN} <= met.keys()


def test_the_recording_is_small_and_covers_every_way_of_calling():
    calls = [record.call for records in RECORDS.values() for record in records]
    assert FILE.stat().st_size < 1.5e6
    assert len(RECORDS) > 140
    assert len({call.id for call in calls}) == len(calls) > 3000
    ways = {call.kind for call in calls}
    assert ways >= {"function", "functional", "method", "inplace", "operator", "inplace operator", "attribute", "setitem"}
    assert ways >= {"named function", "named functional", "named method", "module", "optimizer", "schedule"}
    assert {call.dtype for call in calls} >= {"float16", "float32", "float64", "uint8", "int32", "int64", "bool", "errors"}
