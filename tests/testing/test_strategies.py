"""The hypothesis strategies keep to what they are asked for, and a property test of a layer is three lines."""

import numpy as np
import pytest
from helpers import some
from hypothesis import find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

import tinynorm as tn
from tinynorm.testing import assert_gradients, strategies

QUICK = settings(max_examples=50, deadline=None, derandomize=True)


@QUICK
@given(strategies.shapes(2, 3, 2, 5))
def test_shapes_keep_their_bounds(shape):
    assert 2 <= len(shape) <= 3
    assert all(2 <= side <= 5 for side in shape)


def test_every_bound_of_shapes_is_reached():
    for shape in ((2, 2), (5, 5, 5)):
        assert find(strategies.shapes(2, 3, 2, 5), lambda found, shape=shape: found == shape) == shape
    with pytest.raises(NoSuchExample):
        find(strategies.shapes(1, 1, 1, 3), lambda shape: shape[0] > 3)


@QUICK
@given(st.integers(1, 4).flatmap(lambda n: st.tuples(st.just(n), strategies.axes(n, 2))))
def test_axes_are_some_of_the_arrays_in_order(drawn):
    ndim, axes = drawn
    assert axes == tuple(sorted(set(axes)))
    assert min(2, ndim) <= len(axes)
    assert all(0 <= axis < ndim for axis in axes)


@QUICK
@given(strategies.values(strategies.shapes(), scale=10.0, offset=3.0, kinks=(0.0, 5.0), margin=0.2))
def test_values_stay_away_from_kinks(x):
    assert x.dtype == np.float64
    for kink in (0.0, 5.0):
        assert np.all(np.abs(x - kink) >= 2.0 * (1 - 1e-12))


@QUICK
@given(strategies.values((3, 4), positive=True, scale=2.0, dtype="float32"))
def test_values_are_positive_where_asked(x):
    assert x.shape == (3, 4)
    assert x.dtype == np.float32
    assert np.all(x >= 0.2 * (1 - 1e-6))


@pytest.mark.parametrize("name", some(strategies.NAMES, 4))
def test_every_layer_comes_in_both_modes_with_random_parameters(name):
    for training in (True, False):
        case = find(strategies.layers([name]), lambda case, training=training: case.module.training is training)
        assert type(case.module).__name__ == name
        assert repr(case).startswith(f"LayerCase({name}(")
        assert ("train" if training else "eval") in repr(case)
    case = find(strategies.layers([name]), lambda case: True)
    y = case.module(*case.inputs)
    y = y[0] if isinstance(y, tuple) else y  # recurrent layers give their state too
    assert y.shape[0] == case.inputs[0].shape[0]
    assert all(np.ptp(p.array) > 0 for p in case.module.parameters() if p.shape != (1,))
    assert all(x.dtype == tn.float64 for x in case.inputs if name != "Embedding")


def test_layers_are_drawn_on_the_device_asked_for(gpu):
    case = find(strategies.layers(["BatchNorm1d"], "cuda"), lambda case: True)
    places = {str(t.device) for t in (*case.inputs, *case.module.parameters(), *case.module.buffers())}
    assert places == {"cuda:0"}


@settings(max_examples=10, deadline=None)
@given(strategies.layers(["LayerNorm"]))
def test_three_lines_make_a_property_test(case):
    assert_gradients(case.module, case.inputs)


@pytest.mark.no_cover  # other tests run these lines too, and counted they take twice as long
@pytest.mark.parametrize("name", some(strategies.OPS, 32))
def test_every_op_comes_with_inputs_at_which_its_gradients_are_right(name):
    @settings(max_examples=2, deadline=None, derandomize=True)
    @given(strategies.ops([name]))
    def passes(case):
        assert repr(case).startswith(f"OpCase({name}, inputs [(")
        assert_gradients(case.function, case.inputs, second=True)

    passes()


@pytest.mark.parametrize("name", ["exp", "where", "gather", "take_along_dim", "cross_entropy"])
def test_ops_are_drawn_on_the_device_asked_for(name, gpu):
    case = find(strategies.ops([name], "cuda"), lambda case: True)
    assert {str(x.device) for x in case.inputs} == {"cuda:0"}
    assert str(case.function(*case.inputs).device) == "cuda:0"
