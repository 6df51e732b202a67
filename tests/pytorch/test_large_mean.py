"""float32 input of mean 1e4 and spread 1 comes out right to 1e-6, against the exact answer.

`python tests/pytorch/test_large_mean.py` prints the errors, and PyTorch's beside them.
"""

import pytest
from case import relative_error, run
from large_mean import REFERENCES
from vectors import Vectors

import tinynorm

VECTORS = Vectors()
LIMIT = 1e-6


def errors(case, reference, device="cpu"):
    """(the quantity, tinynorm's error, PyTorch's), relative to the largest exact number."""
    recorded = VECTORS.by_case[case.name]
    inputs, dy = recorded["inputs"], recorded["cotangents"]["y"]
    got = run(tinynorm, case, inputs, lambda output, shape: dy, "float32", device)
    exact = reference(inputs["x"], dy, **{name: a for name, a in inputs.items() if name != "x"})
    theirs = recorded["float32"]
    return [(name, relative_error(got[name], exact[name]), relative_error(theirs[name], exact[name])) for name in got]


@pytest.mark.parametrize(("case", "reference"), REFERENCES, ids=[case.name.replace(" ", "_") for case, _ in REFERENCES])
def test_right_to_1e_6(case, reference, device):
    assert not [(quantity, error) for quantity, error, _ in errors(case, reference, device) if not error <= LIMIT]


def main() -> None:
    print(f"float32, mean 1e4, spread 1: the largest error relative to the exact answer (torch {VECTORS.about['torch']})\n")
    print(f"{'case':28} {'quantity':14} {'tinynorm':>9} {'PyTorch':>9}")
    for case, reference in REFERENCES:
        for quantity, ours, theirs in errors(case, reference):
            print(f"{case.name:28} {quantity:14} {ours:9.1e} {theirs:9.1e}")


if __name__ == "__main__":
    main()
