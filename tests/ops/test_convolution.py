"""Convolution beside its definition, a sum written with loops; in blocks; at its edges; and what it refuses."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tinynorm as tn
from tinynorm.nn import functional as F
from tinynorm.ops import convolution


def by_loops(x, W, b, stride, padding, dilation, groups):
    """y[n, o, p] = b[o] + Σ W[o, c, k] x̃[n, c, s p + d k], as it is written."""
    x = np.pad(x, [(0, 0), (0, 0), *[(p, p) for p in padding]])
    (N, _, *size), (O, C_group, *kernel) = x.shape, W.shape
    out = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)]
    y = np.zeros((N, O, *out))
    for n, o, i, j in itertools.product(range(N), range(O), *map(range, out)):
        first = o // (O // groups) * C_group
        for c, k, l in itertools.product(range(C_group), *map(range, kernel)):
            at = stride[0] * i + dilation[0] * k, stride[1] * j + dilation[1] * l
            y[n, o, i, j] += W[o, c, k, l] * x[(n, first + c, *at)]
    return y + b[:, None, None]


@st.composite
def cases(draw):
    pair = lambda low, high: (draw(st.integers(low, high)), draw(st.integers(low, high)))  # noqa: E731
    groups, kernel, stride, padding, dilation = draw(st.integers(1, 3)), pair(1, 3), pair(1, 3), pair(0, 2), pair(1, 2)
    least = (max(1, d * (k - 1) + 1 - 2 * p) for k, p, d in zip(kernel, padding, dilation, strict=True))
    size = tuple(n + draw(st.integers(0, 3)) for n in least)
    N, C, O = draw(st.integers(0, 3)), groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x, W, b = rng.standard_normal((N, C, *size)), rng.standard_normal((O, C // groups, *kernel)), rng.standard_normal(O)
    return x, W, b, stride, padding, dilation, groups


@pytest.mark.parametrize("narrow", [0, 100], ids=["samples first", "samples last"])
@settings(max_examples=40, deadline=None, database=None, derandomize=True)
@given(cases(), st.sampled_from([1, 40, 10**6]))
def test_it_is_the_sum_that_defines_it_in_blocks_of_any_size(narrow, case, block):
    x, W, b, *settings = case
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convolution, "BLOCK", block)
        patch.setattr(convolution, "NARROW", narrow)
        tensors = [tn.tensor(a, requires_grad=True) for a in (x, W, b)]
        y = F.conv2d(*tensors, *settings)
        expected = by_loops(x, W, b, *settings)
        np.testing.assert_allclose(y.detach().numpy(), expected, rtol=1e-12, atol=1e-12)
        g = np.random.default_rng(0).standard_normal(y.shape)
        y.backward(tn.tensor(g))
    # y is linear in x, W and b alike: Σ g y, less what b gives, is Σ x dx and Σ W dW
    of_b = (g * b[:, None, None]).sum()
    for t, rest in zip(tensors, (of_b, of_b, (g * (expected - b[:, None, None])).sum()), strict=True):
        np.testing.assert_allclose((t * t.grad).sum().item() + rest, (g * expected).sum(), rtol=1e-9, atol=1e-9)


def test_large_inputs_take_no_memory_for_all_windows_at_once():
    x, W = tn.zeros(64, 8, 32, 32), tn.zeros(8, 8, 5, 5)
    rows = list(convolution.Layout(convolution.windows((32, 32), (5, 5), (1, 1), (2, 2), (2, 2), (1, 1)), 1).blocks(x.numpy()))
    assert len(rows) == 13  # five samples at a time: their windows are 25 times their numbers
    assert F.conv2d(x, W, padding=2).shape == (64, 8, 32, 32)


def test_it_bears_the_name_that_pytorch_prints():
    x, W = tn.zeros(1, 2, 3, requires_grad=True), tn.zeros(4, 2, 2)
    assert F.conv1d(x, W).grad_fn.name() == "ConvolutionBackward0"
    assert F.conv1d(x[0], W).grad_fn.name() == "SqueezeBackward1"


def test_float16_is_summed_in_float32(device):
    x, W = tn.full((1, 64, 3, 3), 10.0), tn.full((1, 64, 3, 3), 1.0)
    y = F.conv2d(*(t.half().to(device) for t in (x, W)))
    assert y.dtype == tn.float16
    assert y.item() == 5760  # beside 4096 float16 loses what is smaller than 2


def test_nan_and_infinity_touch_the_windows_that_have_them(device):
    x = tn.zeros(1, 1, 1, 6, device=device)
    x[0, 0, 0, 1], x[0, 0, 0, 5] = float("nan"), float("inf")
    W = tn.ones(1, 1, 1, 2, device=device, requires_grad=True)
    y = F.conv2d(x, W)
    np.testing.assert_array_equal(y.detach().cpu().numpy().ravel(), [np.nan, np.nan, 0, 0, np.inf])


def test_the_gradient_does_not_take_what_is_beside_the_windows():
    """Windows that end before the input does: no number of theirs may be touched by an infinity behind them."""
    x, W = tn.ones(1, 1, 1, 5), tn.ones(1, 1, 1, 2, requires_grad=True)
    x[..., 4] = float("inf")
    F.conv2d(x, W, stride=(1, 2)).sum().backward()
    assert W.grad.tolist() == [[[[2.0, 2.0]]]]


def test_an_empty_batch_gives_an_empty_output_and_zeros_as_gradients():
    x, W, b = tn.zeros(0, 2, 4, 4), tn.ones(3, 2, 3, 3, requires_grad=True), tn.ones(3, requires_grad=True)
    y = F.conv2d(x, W, b)
    assert y.shape == (0, 3, 2, 2)
    y.sum().backward()
    assert not W.grad.any()
    assert not b.grad.any()


def test_numbers_may_lie_in_memory_as_they_like():
    x = tn.randn(4, 5, 3, 2).permute(3, 2, 1, 0)
    W = tn.randn(2, 2, 3, 4).permute(3, 2, 0, 1)[:, :, :, ::2]
    expected = F.conv2d(x.contiguous(), W.contiguous())
    np.testing.assert_allclose(F.conv2d(x, W).numpy(), expected.numpy(), rtol=1e-6, atol=1e-6)


X, W = tn.zeros(2, 4, 5, 6), tn.zeros(6, 2, 3, 3)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: F.conv2d(X, W), r"expected x \(N, C, H, W\).* with C and O divisible by groups = 1, got x \(2, 4, 5, 6\)"),
        (lambda: F.conv2d(X[0, 0], W, groups=2), r"conv2d: expected x .* or \(C, H, W\) and weight .*, got x \(5, 6\)"),
        (lambda: F.conv2d(X, W, tn.zeros(5), groups=2), r"conv2d: expected bias \(O = 6\), got \(5,\)"),
        (lambda: F.conv2d(X, W, groups=4), "groups = 4"),
        (lambda: F.conv2d(X, W, groups=0), "conv2d: expected groups to be an int >= 1, got 0"),
        (lambda: F.conv2d(X, W, None, 0, groups=2), "conv2d: expected stride to be an int >= 1, or 2 of them, got 0"),
        (lambda: F.conv2d(X, W, None, 1, (1, 2, 3), groups=2), r"conv2d: expected padding to be .*, got \(1, 2, 3\)"),
        (lambda: F.conv2d(X, W, None, 2, "same", groups=2), r"expected stride 1 with padding='same', got stride \(2, 2\)"),
        (lambda: F.conv2d(X, W, None, 1, "full", groups=2), "expected padding to be a number, 'valid' or 'same', got 'full'"),
        (lambda: F.conv2d(X, W, None, dilation=3, groups=2), r"at least as large as the window, which covers \(7, 7\)"),
        (lambda: F.conv2d(X, W.double(), groups=2), "expected floats of one dtype, got float32, float64; convert them with"),
        (lambda: F.conv2d(X.long(), W.long(), groups=2), "expected floats of one dtype, got int64, int64"),
        (lambda: F.conv1d(X, W), r"conv1d: expected x \(N, C, L\) or \(C, L\) and weight \(O, C / groups, K\), got"),
    ],
)
def test_what_does_not_fit_is_told(call, said):
    with pytest.raises(RuntimeError, match=said):
        call()
