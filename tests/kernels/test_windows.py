"""The kernels of a convolution's windows give the formula's bits, for all settings; and so do whole convolutions."""

import numpy as np
import pytest
from helpers import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.nn import functional as F
from tinynorm.ops.convolution import Layout
from tinynorm.ops.windows import Windows


@st.composite
def layouts(draw):
    pair = lambda low, high: (draw(st.integers(low, high)), draw(st.integers(low, high)))  # noqa: E731
    kernel, stride, dilation, before, after = pair(1, 4), pair(1, 4), pair(1, 3), pair(0, 5), pair(0, 5)
    least = [max(1, d * (k - 1) + 1 - p - q) for k, d, p, q in zip(kernel, dilation, before, after, strict=True)]
    place = Windows(tuple(n + draw(st.integers(0, 5)) for n in least), kernel, stride, before, after, dilation)
    dtype = draw(st.sampled_from(["float32", "float64"]))
    return Layout(place, draw(st.integers(1, 2))), draw(st.integers(0, 2**32 - 1)), dtype


@examples(100, 5_000)
def test_windows_are_the_same_bits(examples):
    settings(max_examples=examples, deadline=None, database=None, derandomize=True)(given(layouts())(same_windows))()


def same_windows(case):
    of, seed, dtype = case
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((2, 2 * of.groups, *of.windows.size)).astype(dtype)
    U = rng.standard_normal((2, of.groups, 2 * of.K, of.P)).astype(dtype)
    x.flat[0], U.flat[0] = np.nan, np.inf
    with tn.kernels.use("numpy"):
        expected = of.unfold(x), of.fold(U)
    with tn.kernels.use("numba"):
        found = of.unfold(x), of.fold(U)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": 2}, {"padding": "same"}])
def test_convolutions_with_kernels_are_those_without(options):
    rng = np.random.default_rng(0)
    shapes = (3, 4, 9, 8), (6, 4 // options.get("groups", 1), 3, 3), (6,)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    found = []
    for choice in ("numpy", "numba"):
        with tn.kernels.use(choice):
            tensors = [tn.tensor(a.astype("float32"), requires_grad=True) for a in arrays]
            y = F.conv2d(*tensors, **options)
            (y**2).sum().backward()
            found.append([y.detach().numpy(), *(t.grad.numpy() for t in tensors)])
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
