"""What a file changes of NumPy, of Python or of the checker is seen and put back."""

import builtins
import math
import sys

import numpy as np
import pytest

from tinynorm.command.process.untouched import Untouched
from tinynorm.command.verdict import print_results


@pytest.mark.parametrize(
    ("owner", "name", "value", "said"),
    [
        (np, "exp", np.log, "numpy.exp"),
        (math, "sqrt", math.exp, "math.sqrt"),
        (builtins, "hash", id, "builtins.hash"),
        (print_results, "summary", len, "tinynorm.command.verdict.print_results.summary"),
    ],
)
def test_a_change_is_put_back(owner, name, value, said):
    before, untouched = getattr(owner, name), Untouched()
    setattr(owner, name, value)
    assert untouched.put_back() == said
    assert getattr(owner, name) is before
    assert untouched.put_back() == ""


def test_other_code_of_a_function_and_a_missing_module_are_put_back():
    untouched, code, module = Untouched(), print_results.summary.__code__, sys.modules["json"]
    print_results.summary.__code__ = (lambda results: "all right").__code__
    assert untouched.put_back() == "tinynorm.command.verdict.print_results.summary"
    assert print_results.summary.__code__ is code
    del sys.modules["json"]
    assert untouched.put_back() == "sys.modules['json']"
    assert sys.modules["json"] is module
