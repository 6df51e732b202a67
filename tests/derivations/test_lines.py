"""Every equation of every chapter: measured, proved, and red when it is changed."""

import pytest
from helpers import some
from mutations import mutants

from tinynorm import derivations
from tinynorm.derivations.machinery import checks

LINES = {line.number: line for name in derivations.CHAPTERS for line in derivations.load(name).lines}
DERIVED = [number for number, line in LINES.items() if line.kind != "forward"]


@pytest.mark.parametrize("number", some(LINES, 4))
def test_it_agrees_with_what_is_measured(number):
    found = checks.measure(LINES[number])
    assert found.ok, found


@pytest.mark.parametrize("number", some(DERIVED, 4))
def test_it_is_proved_for_all_sizes(number):
    assert checks.prove(LINES[number]).ok


@pytest.mark.parametrize("number", some(LINES, 12))
def test_every_change_of_it_is_seen_or_is_proved_to_be_none(number):
    line, seen = LINES[number], 0
    for text, formula in mutants(line.formula):
        if checks.passes(line, formula):
            assert checks.same_in_any_size(line, formula), f"{number} could also be {text}"
        else:
            seen += 1
    assert seen


@pytest.mark.parametrize("name", derivations.CHAPTERS)
def test_three_forms_agree(name):
    chapter = derivations.load(name)
    for sizes in checks.sizes_of(chapter):
        assert checks.three_forms(chapter, sizes) < 1e-12
