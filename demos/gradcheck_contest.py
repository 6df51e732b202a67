"""Gradient checkers compared: the same wrong and right backward passes through each, in one table.

    python demos/gradcheck_contest.py

The wrong ones are tinynorm.gradcheck.mistakes. The right ones are its right layers on 2,160 random inputs: scales from 1e-12 to
1e12, offsets to 1e6, float64 and float32, some with zeros on ReLU's kink; those in float64 of scale 1 are counted apart. The
tools are used where they are installed (pip install torch jax autograd), each with its own defaults and in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from gradcheck_blind_spots import Spot, spots
from gradcheck_contenders import installed
from tqdm.auto import tqdm

from tinynorm.gradcheck import check_backward, mistakes
from tinynorm.gradcheck.report.catalogue import FAULTS

EACH = 240  # right cases of each layer
OFFSETS = (0.0, 1.0, -100.0, 1e4, 1e6)
GROUPS = ("plain", "float64", "float32")  # plain: float64, scale 1, no offset, no kinks
PACKAGES = ("tinynorm", "numpy", "torch", "jax", "autograd")


@dataclass
class Score:
    """What one checker made of it."""

    caught: int = 0
    missed: int = 0
    untold: int = 0  # mistakes on which it could not tell, or stopped with another error
    false_alarms: dict[str, int] = field(default_factory=lambda: dict.fromkeys(GROUPS, 0))
    unresolved: int = 0  # right ones on which it could not tell, or stopped
    seconds: float = 0.0


def wrong_cases(quick: bool) -> tuple[mistakes.Mistake, ...]:
    return mistakes.ALL[::6] if quick else mistakes.ALL


def right_cases(quick: bool) -> Iterator[tuple[str, mistakes.Layer, list]]:
    """(group, layer, inputs): right backward passes at many scales."""
    for n, layer in enumerate(mistakes.RIGHT):
        rng = np.random.default_rng(n)
        for k in range(6 if quick else EACH):
            group, seed = GROUPS[k % len(GROUPS)], int(rng.integers(2**32))
            if group == "plain":
                yield group, layer, layer.inputs_at(seed)
            else:
                scale, offset = 10.0 ** rng.integers(-12, 13), float(rng.choice(OFFSETS))
                yield group, layer, layer.inputs_at(seed, scale, offset, group, bool(rng.integers(2)))


def outcome(contender: Callable, pair: Any, inputs: Any) -> bool | None:
    """Its answer; None too where it stops with an error of another kind."""
    np.random.seed(0)  # noqa: NPY002  some draw from NumPy's global numbers
    try:
        return contender(pair.forward, pair.backward, inputs, pair.names)
    except Exception:  # whatever it is, it is no answer
        return None


def contest(contenders: dict[str, Callable], quick: bool) -> tuple[dict[str, Score], dict[str, int]]:
    """Every contender on every case, in turn."""
    scores = {name: Score() for name in contenders}
    wrong = wrong_cases(quick)
    right = list(right_cases(quick))
    with np.errstate(all="ignore"):
        for m in tqdm(wrong, desc="mistakes", disable=None):
            for name, contender in contenders.items():
                started = time.perf_counter()
                answer = outcome(contender, m, m.inputs(0))
                score = scores[name]
                score.seconds += time.perf_counter() - started
                score.caught += answer is False
                score.missed += answer is True
                score.untold += answer is None
        for group, layer, inputs in tqdm(right, desc="right ones", disable=None):
            for name, contender in contenders.items():
                started = time.perf_counter()
                answer = outcome(contender, layer, inputs)
                score = scores[name]
                score.seconds += time.perf_counter() - started
                score.false_alarms[group] += answer is False
                score.unresolved += answer is None
    counts = {"mistakes": len(wrong)} | {group: sum(case[0] == group for case in right) for group in GROUPS}
    return scores, counts


def table(scores: dict[str, Score], counts: dict[str, int]) -> str:
    """The scores as Markdown."""
    lines = [
        f"| checker | caught of {counts['mistakes']} | missed | no answer | false alarms: plain, of {counts['plain']} | "
        f"float64, of {counts['float64']} | float32, of {counts['float32']} | no answer | seconds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, s in scores.items():
        alarms = " | ".join(str(s.false_alarms[group]) for group in GROUPS)
        lines.append(f"| {name} | {s.caught} | {s.missed} | {s.untold} | {alarms} | {s.unresolved} | {s.seconds:.1f} |")
    return "\n".join(lines)


def spot_table(found: list[Spot]) -> str:
    """The blind spots as Markdown."""
    lines = ["| blind spot | of | it says | it is | tinynorm says |", "|---|---|---|---|---|"]
    return "\n".join(lines + [f"| {s.name} | {s.tool} | {s.said} | {s.should} | {s.ours} |" for s in found])


def sentences(wrong: tuple[mistakes.Mistake, ...]) -> tuple[list[dict[str, str]], str]:
    """(each mistake with what is printed for it, the shares as one line)."""
    rows, named, other = [], 0, 0
    for m in wrong:
        report = check_backward(m.forward, m.backward, m.inputs(0), names=m.names)
        kinds = [f.kind for f in report.findings] + [f.kind for f in report.faults]
        hit = m.kind in kinds[:1] or (m.kind in FAULTS and m.kind in kinds)
        named += hit
        other += bool(kinds) and not hit
        rows.append({"mistake": m.name, "kind": m.kind, "named": kinds[0] if kinds else "", "sentence": report.diagnosis})
    total = len(wrong)
    share = f"named rightly: {named} of {total} ({100 * named / total:.0f} %)"
    return rows, f"{share}; named wrongly: {other}; no name: {total - named - other}"


def versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": f"{platform.machine()}, {os.cpu_count()} cores"}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a sixth of the mistakes, fewer scales")
    parser.add_argument("--list", action="store_true", help="also each mistake with the sentence printed for it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it as data")
    arguments = parser.parse_args()
    contenders, missing = installed()
    for name in missing:
        print(f"not installed: {name}", file=sys.stderr)
    scores, counts = contest(contenders, arguments.quick)
    print(table(scores, counts), end="\n\n")
    found = list(spots(contenders))
    print(spot_table(found), end="\n\n")
    rows, shares = sentences(wrong_cases(arguments.quick))
    if arguments.list:
        for row in rows:
            print(f"{row['mistake']} [{row['kind']}]: {row['sentence']}")
    print(shares)
    if arguments.json:
        data = {
            "command": "python demos/gradcheck_contest.py" + (" --quick" if arguments.quick else ""),
            "versions": versions(),
            "counts": counts,
            "scores": {name: asdict(score) for name, score in scores.items()},
            "blind_spots": [asdict(s) for s in found],
            "diagnoses": rows,
        }
        arguments.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
