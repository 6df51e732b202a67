"""What chapter 14 says beside its equations: counts, and the digits that are lost."""

import numpy as np

from tinynorm import derivations
from tinynorm.derivations import memory_and_work

CHAPTER = derivations.load("memory_and_work")
LINES = {line.number: line for line in CHAPTER.lines}


def test_operations_are_counted_per_element():
    assert [memory_and_work.operations(LINES[f"MW.{k}"]) for k in (1, 2, 3, 4, 5, 16)] == [1, 1, 2, 0, 1, 4]


def test_a_pass_reads_an_array_once():
    assert memory_and_work.moved([LINES["MW.14"], LINES["MW.15"]]) == 2
    assert memory_and_work.moved([LINES["MW.11"], LINES["MW.12"]]) == 3


def test_the_form_in_x_loses_digits_far_from_0_and_the_closed_form_does_not():
    def errors(distance):
        values = CHAPTER.values({"n": 4, "d": 3})
        x = np.round(values["x"] * 1024) / 1024  # so that x + distance is exact
        exact = CHAPTER.run(values | {"x": x})["dx"]
        found = CHAPTER.run(values | {"x": x + distance})
        found["b"] = LINES["MW.17"].value(found)
        for name in "pq":
            found[name] = CHAPTER.definition(name).value(found)
        closed = LINES["MW.16"].value(found | {"b": CHAPTER.definition("b").value(found)})
        return [np.max(np.abs(dx - exact)) for dx in (closed, LINES["MW.20"].value(found))]

    closed, from_x = errors(2.0**20)
    assert closed < 1e-13
    assert from_x > 1e-11
