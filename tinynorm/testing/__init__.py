"""Tools for test suites: `assert_gradients`, `assert_close`, and hypothesis strategies (`strategies`) for shapes, values and
whole layers.

A property test of a layer in three lines::

    @given(strategies.layers())
    def test_gradients(case):
        assert_gradients(case.module, case.inputs)
"""

from .assertions import assert_gradients
from .closeness import assert_close

__all__ = ["assert_close", "assert_gradients"]
