"""Every equation of every chapter: measured, proved, and red when it is changed."""

from itertools import product

import pytest
from helpers import some
from mutations import mutants

from tinynorm import derivations
from tinynorm.derivations.machinery import checks

LINES = {line.number: line for name in derivations.CHAPTERS for line in derivations.load(name).lines}
QUICK = [number for number in LINES if number[:2] not in ("ST", "OA", "GE", "CV", "CF")]  # there, many a change takes long
SLOW = [pytest.param(number, marks=pytest.mark.long) for number in LINES if number not in QUICK]
DERIVED = [number for number, line in LINES.items() if line.kind != "forward"]


@pytest.mark.parametrize("number", some(LINES, 12))
def test_it_agrees_with_what_is_measured(number):
    found = checks.measure(LINES[number])
    assert found.ok, found


@pytest.mark.parametrize("number", some(DERIVED, 8))
def test_it_is_proved_for_all_sizes(number):
    assert checks.prove(LINES[number]).ok


@pytest.mark.parametrize("number", [*some(QUICK, 40), *SLOW])
def test_every_change_of_it_is_seen_or_is_proved_to_be_none(number):
    line, seen = LINES[number], 0
    for text, formula in mutants(line.formula):
        if checks.passes(line, formula):
            assert checks.same_in_any_size(line, formula), f"{number} could also be {text}"
        else:
            seen += 1
    assert seen


# In float32 and float16 a difference is absolute where the numbers are below 1. The worst is 4 units of rounding in float32 and
# 21 in float16, where terms cancel.
TOLERANCE = {"float64": checks.ROUNDING, "float32": 1e-6, "float16": 0.03}
NOT_RUN = {
    ("vector_jacobian", "float16"): "products of products pass 65,504, its largest number",
    ("sgd", "float16"): "the optimiser keeps its state in float32",
    ("adam", "float16"): "the optimiser keeps its state in float32",
}
FORMS = [(name, dtype) for name, dtype in product(derivations.CHAPTERS, TOLERANCE) if (name, dtype) not in NOT_RUN]


@pytest.mark.parametrize(("name", "dtype"), FORMS)
def test_three_forms_agree(name, dtype, anywhere):
    chapter = derivations.load(name)
    for sizes in checks.sizes_of(chapter):
        assert checks.three_forms(chapter, sizes, dtype=dtype, device=anywhere) < TOLERANCE[dtype]
