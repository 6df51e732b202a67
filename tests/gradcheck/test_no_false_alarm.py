"""Right backward passes never fail: scales from 1e-12 to 1e12, offsets to 1e6, float32 and float64, kinks on the samples."""

import pytest
from helpers import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from tinynorm.gradcheck import check_backward, mistakes

pytestmark = pytest.mark.no_cover  # twice as slow where each line is counted; other tests run these lines too
FEW, MANY = 6, 240  # for each of the nine right layers: 54 with each commit, 2,160 among the long tests
RIGHT = {f"{layer.name} {', '.join(layer.names)}": layer for layer in mistakes.RIGHT}


def test_there_are_2000_examples():
    assert MANY * len(RIGHT) >= 2000


@pytest.mark.parametrize("name", RIGHT)
@examples(FEW, MANY)
def test_a_right_backward_never_fails(name, examples):
    layer, count = RIGHT[name], {True: 0, None: 0}

    @settings(max_examples=examples, deadline=None, derandomize=True)
    @given(
        seed=st.integers(0, 2**32 - 1),
        scale=st.integers(-12, 12),
        offset=st.sampled_from([0.0, 1.0, -100.0, 1e4, 1e6]),
        dtype=st.sampled_from(["float64", "float32"]),
        kinks=st.booleans(),
    )
    def property_(seed, scale, offset, dtype, kinks):
        inputs = layer.inputs_at(seed, 10.0**scale, offset, dtype, kinks)
        report = check_backward(layer.forward, layer.backward, inputs, names=layer.names, seed=seed)
        assert report.ok is not False, report
        count[report.ok] += 1

    property_()
    assert count[True] > 0.8 * sum(count.values())  # and it is seldom that they cannot be told
