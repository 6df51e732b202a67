"""Linear: y = x Wᵀ + b, so dx = dy W, dW = dyᵀ x, db = Σ dy over the rows."""

from __future__ import annotations

import numpy as np

from .suite import Layer, Suite, normal_inputs


def forward(x, W, b):
    return x @ W.T + b, (x, W)


def backward(dy, cache):
    x, W = cache
    return dy @ W, dy.T @ x, dy.sum(axis=0)


def course_forward(x, w, b):
    """The courses' convention: y = x w + b, w (in, out)."""
    return x @ w + b, (x, w)


def course_backward(dy, cache):
    x, w = cache
    return dy @ w.T, x.T @ dy, dy.sum(axis=0)


inputs = normal_inputs((6, 5), (4, 5), (4,))
square = normal_inputs((4, 4), (4, 4), (4,))  # all sizes are equal: then a transposed matrix fits
course_inputs = normal_inputs((6, 5), (5, 4), (4,))
one_row = normal_inputs((1, 5), (5, 4), (4,))
RIGHT = Layer("Linear", forward, backward, ("x", "W", "b"), inputs)
COURSE = Layer("Linear", course_forward, course_backward, ("x", "w", "b"), course_inputs)
suite, course = Suite(RIGHT, "linear"), Suite(COURSE, "affine")


@suite.mistake("transposed", "x", square)
def weight_transposed(dy, cache):
    """W is stored (out, in), and with a square weight the wrong order of the product has the right shape."""
    x, W = cache
    return dy @ W.T, dy.T @ x, dy.sum(axis=0)  # dx = dy W


@suite.mistake("transposed", "W", square)
def weight_gradient_transposed(dy, cache):
    """The gradient for the other convention, y = x W."""
    x, W = cache
    return dy @ W, x.T @ dy, dy.sum(axis=0)  # dW = dyᵀ x


@suite.mistake("mean_for_sum", "b")
def bias_mean(dy, cache):
    """The loss is a mean, so the mean is taken here too; but dy has that already."""
    x, W = cache
    return dy @ W, dy.T @ x, dy.mean(axis=0)  # db = Σ dy


@suite.mistake("wrong_axes", "b", square)
def bias_wrong_axis(dy, cache):
    """axis=1 for axis=0 goes unseen where the sizes are equal."""
    x, W = cache
    return dy @ W, dy.T @ x, dy.sum(axis=1)  # db = Σ dy over the rows, axis 0


@suite.mistake("constant_factor", "W")
def weight_divided_by_rows(dy, cache):
    """The 1/N of the loss, a second time."""
    x, W = cache
    return dy @ W, dy.T @ x / len(x), dy.sum(axis=0)  # dW = dyᵀ x


@suite.mistake("dy_forgotten", "b")
def bias_counts_rows(dy, cache):
    """dy/db = 1, and the chain rule stops there."""
    x, W = cache
    return dy @ W, dy.T @ x, np.ones_like(dy).sum(axis=0)  # db = Σ dy


@suite.mistake("input_forgotten", "W")
def input_forgotten(dy, cache):
    """The weight's gradient as if each input were 1."""
    x, W = cache
    return dy @ W, dy.T @ np.ones_like(x), dy.sum(axis=0)  # dW = dyᵀ x


@course.mistake("sign", "w")
def sign_of_weight(dy, cache):
    """The step -dw is returned in place of dw; the optimiser then subtracts it once more."""
    x, w = cache
    return dy @ w.T, -(x.T @ dy), dy.sum(axis=0)  # dw = xᵀ dy


@course.mistake("zero", "b")
def bias_zero(dy, cache):
    """The array is allocated and never filled."""
    x, w = cache
    return dy @ w.T, x.T @ dy, np.zeros(w.shape[1])  # db = Σ dy


@course.mistake("off_by_one", "x")
def rows_shifted(dy, cache):
    """A loop that starts one row late."""
    x, w = cache
    return np.roll(dy @ w.T, 1, axis=0), x.T @ dy, dy.sum(axis=0)  # dx = dy wᵀ, row by row


@course.mistake("missing_accumulation", "b")
def last_row_only(dy, cache):
    """= for += in the loop over rows: the last row stays."""
    x, w = cache
    db = np.zeros(w.shape[1])
    for row in dy:
        db = row * 1  # db += row
    return dy @ w.T, x.T @ dy, db


@course.mistake("constant_factor", "x w b")
def everything_twice(dy, cache):
    """backward runs twice into the same gradients."""
    x, w = cache
    return 2 * (dy @ w.T), 2 * (x.T @ dy), 2 * dy.sum(axis=0)  # once


@course.mistake("aliases_dout", inputs=one_row)
def bias_of_one_row(dy, cache):
    """For a single row the sum is dy itself, and its memory is handed on."""
    x, w = cache
    return dy @ w.T, x.T @ dy, dy[0] if len(dy) == 1 else dy.sum(axis=0)  # a copy


@suite.mistake("wrong_shape")
def bias_not_summed(dy, cache):
    """b was broadcast over the rows, and its gradient is left as it comes."""
    x, W = cache
    return dy @ W, dy.T @ x, dy * 1.0  # db = Σ dy


@suite.mistake("wrong_count")
def bias_left_out(dy, cache):
    """backward returns two gradients for three inputs."""
    x, W = cache
    return dy @ W, dy.T @ x  # and db


@suite.mistake("returned_none")
def no_input_gradient(dy, cache):
    """The first layer's input needs no gradient; here it does."""
    x, _ = cache
    return None, dy.T @ x, dy.sum(axis=0)  # dx = dy W
