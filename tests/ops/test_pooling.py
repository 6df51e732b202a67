"""Pooling beside its definition; ties, NaN and what it refuses."""

import numpy as np
import pytest

import tinynorm as tn
from tinynorm.nn import functional as F


def test_the_gradient_of_a_tie_goes_to_the_first(device):
    x = tn.ones(1, 1, 2, 4, device=device, requires_grad=True)
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.tolist() == [[[[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]]]]


def test_overlapping_windows_add_their_gradients(device):
    x = tn.tensor([[[0.0, 1.0, 5.0, 2.0, 3.0]]], device=device, requires_grad=True)
    y, at = F.max_pool2d(x, (1, 3), 1, return_indices=True)
    assert y.tolist() == [[[5.0, 5.0, 5.0]]]
    assert at.tolist() == [[[2, 2, 2]]]
    y.backward(tn.tensor([[[1.0, 10.0, 100.0]]], device=device))
    assert x.grad.tolist() == [[[0.0, 0.0, 111.0, 0.0, 0.0]]]


def test_infinite_gradients_stay_where_they_belong(device):
    """A mask selects: inf times 0 would be NaN beside it."""
    x = tn.tensor([[[1.0, 2.0]]], device=device, requires_grad=True)
    F.max_pool2d(x, (1, 2)).backward(tn.tensor([[[float("inf")]]], device=device))
    assert x.grad.tolist() == [[[0.0, float("inf")]]]


def test_padding_is_never_the_largest():
    assert F.max_pool2d(tn.full((1, 2, 2), -7.0), 2, 1, 1).max().item() == -7.0


def test_the_second_derivative_goes_through_the_places_that_were_chosen():
    x = tn.tensor([[[1.0, 3.0, 2.0, 4.0]]], requires_grad=True)
    (g,) = tn.autograd.grad((F.max_pool2d(x, (1, 2)) ** 3).sum(), x, create_graph=True)
    g.sum().backward()
    assert x.grad.tolist() == [[[0.0, 18.0, 0.0, 24.0]]]


def test_means_of_large_windows_are_right_to_the_last_digits():
    x = tn.full((1, 1, 300, 300), 0.1)
    assert F.avg_pool2d(x, 300).item() == pytest.approx(0.1, rel=2e-6)
    assert F.adaptive_avg_pool2d(x, 1).item() == pytest.approx(0.1, rel=2e-6)


def test_half_numbers_are_added_in_float32():
    x = tn.full((1, 1, 64, 64), 1.0).half()
    assert F.avg_pool2d(x, 64).item() == 1.0  # 4096 ones: float16 alone would stop at 2048
    assert F.adaptive_avg_pool2d(x, 1).item() == 1.0


@pytest.mark.parametrize(("n", "out"), [(5, 3), (4, 7), (6, 6), (1, 1), (9, 2)])
def test_adaptive_windows_begin_and_end_where_they_should(n, out):
    x = tn.randn(2, 3, n)
    y = F.adaptive_avg_pool2d(x.unsqueeze(0), (None, out))[0]
    for i in range(out):
        part = x[..., i * n // out : -(-(i + 1) * n // out)]
        np.testing.assert_allclose(y[..., i].numpy(), part.mean(-1).numpy(), rtol=1e-5, atol=1e-6)


def test_nan_and_infinity_touch_the_means_that_have_them(device):
    """Other means must not take them times 0."""
    x = tn.tensor([[[float("nan"), 1.0, 3.0, float("inf"), 2.0, 4.0]]], device=device, requires_grad=True)
    y = F.adaptive_avg_pool2d(x, (1, 3))
    np.testing.assert_array_equal(y.detach().cpu().numpy(), [[[np.nan, np.inf, 3.0]]])
    y.backward(tn.tensor([[[float("inf"), 1.0, float("nan")]]], device=device))
    np.testing.assert_array_equal(x.grad.cpu().numpy(), [[[np.inf, np.inf, 0.5, 0.5, np.nan, np.nan]]])


@pytest.mark.parametrize("lowest", [tn.full((1, 2, 2), -float("inf")), tn.full((1, 2, 2), -128, dtype=tn.int8)])
def test_a_place_beside_the_image_is_never_the_chosen_one(lowest, device):
    """Not even where all numbers are as small as what stands there."""
    x = lowest.to(device).requires_grad_(lowest.is_floating_point())
    y, at = F.max_pool2d(x, 2, 2, 1, return_indices=True)
    assert at.tolist() == [[[0, 1], [2, 3]]]
    if y.requires_grad:
        y.sum().backward()
        assert x.grad.tolist() == [[[1.0, 1.0], [1.0, 1.0]]]


def test_with_ceil_mode_a_window_may_be_larger_than_the_image():
    x = tn.tensor([[[1.0, 2.0, 3.0]]])
    assert F.max_pool2d(x, 4, ceil_mode=True).tolist() == [[[3.0]]]
    assert F.avg_pool2d(x, 4, ceil_mode=True).tolist() == [[[2.0]]]  # of the three that there are


def test_an_image_of_the_size_that_is_asked_for_is_copied():
    x = tn.ones(1, 2, 2)
    F.adaptive_avg_pool2d(x, (None, 2)).add_(1.0)
    assert x.tolist() == [[[1.0, 1.0], [1.0, 1.0]]]


IMAGE = tn.zeros(2, 3, 5, 6)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: F.max_pool2d(tn.zeros(5, 6), 2), r"max_pool2d: expected x \(N, C, H, W\) or \(C, H, W\), .*, got \(5, 6\)"),
        (lambda: F.max_pool2d(IMAGE[:, :0], 2), r"with C, H and W at least 1, got \(2, 0, 5, 6\)"),
        (lambda: F.max_pool2d(IMAGE.bool(), 2), "max_pool2d: expected numbers, got torch.bool; convert them with .float"),
        (lambda: F.max_pool2d(IMAGE, 0), "max_pool2d: expected kernel_size to be an int >= 1, or 2 of them, got 0"),
        (lambda: F.max_pool2d(IMAGE, 3, padding=2), r"padding to be at most half of kernel_size = \(3, 3\), got 2"),
        (lambda: F.max_pool2d(IMAGE, 6), r"an image at least as large as the window, which covers \[6, 6\], got \(5, 6\)"),
        (lambda: F.avg_pool2d(IMAGE.long(), 2), "avg_pool2d: expected floats, got"),
        (lambda: F.avg_pool2d(IMAGE, 2, divisor_override=0), "divisor_override to be an int >= 1, got 0"),
        (lambda: F.avg_pool2d(IMAGE, 2, divisor_override=2.5), "divisor_override to be an int >= 1, got 2.5"),
        (lambda: F.max_pool2d(IMAGE[..., :1], 2, 3, 1, 2), r"each window to have a number of the image, got an image \(5, 1\)"),
        (lambda: F.adaptive_avg_pool2d(IMAGE, (1, 2, 3)), r"expected output_size to be an int or two, got \(1, 2, 3\)"),
        (lambda: F.adaptive_avg_pool2d(IMAGE.long(), 2), "adaptive_avg_pool2d: expected floats, got torch.int64; convert them"),
        (lambda: F.adaptive_avg_pool2d(IMAGE, -1), "adaptive_avg_pool2d: expected output_size to be"),
    ],
)
def test_what_does_not_fit_is_told(call, said):
    with pytest.raises(RuntimeError, match=said):
        call()
