"""tinynorm computes what PyTorch computes: every output and gradient against recorded vectors, in float64 and float32.

`python tests/pytorch/test_against_pytorch.py` prints the table; `make_vectors.py` records the vectors anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pytest
from case import DTYPES, Case, relative_error, run
from cases import CASES
from vectors import Vectors

import tinynorm

VECTORS = Vectors()
TOLERANCE = {"float64": 1e-9, "float32": 2e-4}  # of the largest number in the array


class Comparison(NamedTuple):
    case: str
    dtype: str
    quantity: str
    error: float

    @property
    def ok(self) -> bool:
        return self.error <= TOLERANCE[self.dtype]


def compare(case: Case, dtype: str, device: str = "cpu") -> Iterator[Comparison]:
    """Every quantity of a case: the largest error relative to PyTorch; inf for a missing one, another shape or dtype."""
    recorded = VECTORS.by_case[case.name]
    inputs = {name: recorded["inputs"][name] for name in case.inputs}
    got = run(tinynorm, case, inputs, lambda output, shape: recorded["cotangents"][output], dtype, device)
    expected = recorded[dtype]
    # A GPU takes numbers below `smallest_normal` for 0: what is made of them is known to a relative eps from this size on.
    least = np.finfo(np.float32).smallest_normal / np.finfo(np.float32).eps if device == "cuda" else 0.0
    for quantity in sorted(expected.keys() | got.keys()):
        y, z = got.get(quantity), expected.get(quantity)
        same_kind = y is not None and z is not None and y.shape == z.shape and y.dtype == z.dtype
        # of integers the result is float32 also among float64; NumPy's and PyTorch's last digits agree there, CuPy's do not
        of = "float32" if device == "cuda" and same_kind and z.dtype == np.float32 else dtype
        yield Comparison(case.name, of, quantity, relative_error(y, z, least) if same_kind else float("inf"))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "_"))
def test_agrees_with_pytorch(case, dtype, device):
    wrong = [c for c in compare(case, dtype, device) if not c.ok]
    assert not wrong, f"beyond {TOLERANCE[dtype]:g}: " + ", ".join(f"{c.quantity} {c.error:.1e}" for c in wrong)


def test_the_vectors_are_of_these_cases():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    recorded = {name for name in VECTORS.by_case if not name.startswith("large mean")}
    assert set(names) == recorded, f"record them anew: {VECTORS.about['command']}"


def test_there_are_at_least_300_comparisons_in_each_dtype():
    for dtype in DTYPES:
        assert sum(len(VECTORS.by_case[case.name][dtype]) for case in CASES) >= 300


def main() -> None:
    print(f"tinynorm {tinynorm.__version__} against results that torch {VECTORS.about['torch']} gave\n")
    print(f"{'case':60} {'dtype':8} {'quantity':28} {'error':>8} {'limit':>8}")
    table = [c for case in CASES for dtype in DTYPES for c in compare(case, dtype)]
    for c in table:
        print(f"{c.case:60} {c.dtype:8} {c.quantity:28} {c.error:8.1e} {TOLERANCE[c.dtype]:8.0e} {'ok' if c.ok else 'WRONG'}")
    print()
    for dtype in DTYPES:
        errors = [c.error for c in table if c.dtype == dtype]
        print(f"{dtype}: {len(errors)} comparisons, largest error {max(errors):.1e}, limit {TOLERANCE[dtype]:g}")
    wrong = sum(not c.ok for c in table)
    print(f"{len(table)} comparisons of {len(CASES)} cases, {wrong} wrong")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
