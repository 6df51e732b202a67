"""PyTorch's own test databases put to tinynorm (needs torch 2.13, expecttest): python tests/pytorch/databases.py [--only NAME]

Every entry of the operator, module and optimiser databases whose name tinynorm has is called in both libraries, in every way
that both know (function, method, in-place, operator, by argument names). What both answer and what is not the same is a silent
difference; what tinynorm refuses and PyTorch does not is a refusal; the other way round it is more lenient.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from databases_by_design import DESIGN, reason_for
from databases_call import Call, in_float64, one_number, program
from databases_compare import NEARER, Verdict, as_precise_as, judge
from databases_modules import module_calls, modules, optimizer_calls, optimizers, schedule_calls
from databases_recording import Record, Recorder
from databases_run import Outcome, run
from databases_torch import LIMIT, OutOfScope, calls_of, entries

import tinynorm


@dataclass
class Tally:
    """The verdicts on one entry."""

    counts: Counter = field(default_factory=Counter)
    silent: list[tuple[Call, Verdict]] = field(default_factory=list)
    refusals: list[tuple[Call, Verdict]] = field(default_factory=list)
    lenient: list[tuple[Call, Verdict]] = field(default_factory=list)

    def add(self, call: Call, verdict: Verdict) -> None:
        design = reason_for(call, verdict)
        self.counts["calls"] += 1
        if design is not None:
            self.counts["by design"] += 1
            self.counts[f"design: {design.name}"] += 1
            return
        self.counts[verdict.kind] += 1
        kept = {"silent": self.silent, "refusal": self.refusals, "lenient": self.lenient}.get(verdict.kind)
        if kept is not None:
            kept.append((call, verdict))


COLUMNS = ("calls", "agree", "silent", "refusal", "lenient", "by design", "out of scope")


def all_entries() -> dict[str, list[Callable[[], Iterable[Call | OutOfScope]]]]:
    """What there is to run, by the entry's name."""
    found: dict[str, list[Callable[[], Iterable[Call | OutOfScope]]]] = {}
    for infos, calls in ((entries(), calls_of), (modules(), module_calls), (optimizers(), optimizer_calls)):
        for name, several in infos.items():
            found[name] = [lambda info=info, calls=calls: calls(info) for info in several]
    found["lr_scheduler"] = [schedule_calls]
    return found


def compared(calls: Iterable[Call | OutOfScope], tally: Tally) -> Iterator[tuple[Call, Outcome, Verdict]]:
    """Each call in both libraries; what is out of scope is counted only."""
    for call in calls:
        if isinstance(call, OutOfScope):
            tally.counts["out of scope"] += 1
            continue
        expected = run(torch, call)
        verdict = verdict_on(call, expected)
        tally.add(call, verdict)
        yield call, expected, verdict


def verdict_on(call: Call, expected: Outcome | None = None) -> Verdict:
    expected = run(torch, call) if expected is None else expected
    return judge(call, expected, run(tinynorm, call), lambda: exactly(call, expected))


def exactly(call: Call, expected: Outcome) -> Outcome | None:
    """What PyTorch computes from the same numbers in float64."""
    return as_precise_as(expected, run(torch, in_float64(call), second=False))


def smaller(call: Call, verdict: Verdict) -> tuple[Call, Verdict]:
    """The same difference in one number, where the operation works number by number."""
    wrong = verdict.differences[0].wrong if verdict.differences else None
    if call.elementwise and wrong is not None and wrong.any():
        one = one_number(call, wrong.shape, tuple(np.argwhere(wrong)[0]))
        again = verdict_on(one) if one is not None else verdict
        if one is not None and again.kind == "silent":
            return one, again
    return call, verdict


def recordable(call: Call, expected: Outcome, verdict: Verdict) -> tuple[Record, Verdict]:
    """A call as it is recorded: where it was wrong, in the smallest form, and with what it is but for rounding."""
    if verdict.kind == "silent":
        small, verdict = smaller(call, verdict)
        if small is not call:
            call, expected = replace(small, source=f"{call.source} one"), run(torch, small)
    needed = (verdict.kind == "silent" or verdict.message == NEARER) and call.dtype in ("float32", "float16")
    return Record(call, expected, exactly(call, expected) if needed else None, verdict.kind), verdict


def line(name: str, counts: Counter) -> str:
    return f"{name:32}" + "".join(f"{counts[column]:13,}" for column in COLUMNS)


def what_differs(verdict: Verdict) -> str:
    return verdict.differences[0].what if verdict.differences else verdict.message[:60]


def told(found: list[tuple[Call, Verdict]]) -> Iterator[str]:
    """The smallest call of each kind of difference, as a program."""
    groups: dict[Any, list[tuple[Call, Verdict]]] = defaultdict(list)
    for call, verdict in found:
        groups[call.entry, call.kind.split()[-1], what_differs(verdict)].append((call, verdict))
    for (entry, kind, what), group in groups.items():
        group.sort(key=lambda pair: (pair[0].size(), len(program(pair[0]))))
        dtypes = " ".join(sorted({call.dtype for call, _ in group}))
        yield f"\n# {entry}, {kind}: {what} ({len(group)} calls; {dtypes})"
        for call, verdict in [smaller(*group[0])]:
            yield f"{program(call)}  # {call.source}"
            yield from (f"    {d.what} {d.number}: {d.said}" for d in verdict.differences)
            if verdict.message:
                yield f"    {verdict.message}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="NAME", action="append", help="entries with this in their names; can be repeated")
    parser.add_argument("--list", action="store_true", help="list the entries and end")
    parser.add_argument("--silent", metavar="FILE", help="write the smallest call of each silent difference there")
    parser.add_argument("--refusals", action="store_true", help="print the refusals too, with their messages")
    parser.add_argument("--lenient", action="store_true", help="print what PyTorch refuses and tinynorm answers")
    parser.add_argument("--record", action="store_true", help="write a selection and PyTorch's answers, for the tests")
    parser.add_argument("--samples", metavar="N", type=int, help="take the first N samples of each source and dtype, not all")
    options = parser.parse_args()
    LIMIT.samples = options.samples
    torch.set_num_threads(1)
    chosen = {name: calls for name, calls in all_entries().items() if not options.only or any(o in name for o in options.only)}
    if options.list:
        print("\n".join(chosen))
        return
    report(chosen, options)


def report(chosen: dict[str, list], options: argparse.Namespace) -> None:
    recorder = Recorder() if options.record else None
    print(f"{'entry':32}" + "".join(f"{column:>13}" for column in COLUMNS), flush=True)
    tallies = {}
    for name, several in chosen.items():
        tally = tallies[name] = Tally()
        for calls in several:
            for call, expected, verdict in compared(calls(), tally):
                if recorder is not None and (verdict.kind != "silent" or recorder.wants(call, verdict)):
                    recorder.consider(*recordable(call, expected, verdict))
        print(line(name, tally.counts), flush=True)
    total = sum((tally.counts for tally in tallies.values()), Counter())
    print(line(f"all {len(tallies)} entries", total))
    print("\nBy design:")
    for design in DESIGN:
        print(f"{total[f'design: {design.name}']:7,} {design.verdict:8} {design.name}: {design.reason}")
    for wanted, title, attribute in (
        (True, "Silent differences", "silent"),
        (options.refusals, "Refusals", "refusals"),
        (options.lenient, "More lenient", "lenient"),
    ):
        lines = [text for tally in tallies.values() for text in told(getattr(tally, attribute))] if wanted else []
        if lines:
            print(f"\n{title}, the smallest call of each kind:", *lines, sep="\n")
        if attribute == "silent" and options.silent:
            Path(options.silent).write_text("\n".join(lines) + "\n", encoding="utf-8")
    if recorder is not None:
        print(recorder.save())


if __name__ == "__main__":
    main()
