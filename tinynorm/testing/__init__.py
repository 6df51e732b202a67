"""Tools for test suites: `assert_gradients`, and hypothesis strategies for shapes, values and whole layers (`strategies`).

A property test of a layer in three lines::

    @given(strategies.layers())
    def test_gradients(case):
        assert_gradients(case.module, case.inputs)
"""

from .assertions import assert_gradients

__all__ = ["assert_gradients"]
