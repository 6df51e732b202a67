"""ReLU: y = max(x, 0), so dx = dy where x > 0, and 0 elsewhere."""

from __future__ import annotations

import numpy as np

from .suite import Layer, Suite, normal_inputs


def forward(x):
    y = np.maximum(x, 0)
    return y, (x, y)


def backward(dy, cache):
    x, _ = cache
    return (dy * (x > 0),)


inputs = normal_inputs((5, 6))
RIGHT = Layer("ReLU", forward, backward, ("x",), inputs)
suite = Suite(RIGHT, "relu")


@suite.mistake("mask_forgotten", "x")
def mask_forgotten(dy, cache):
    """Passed straight through."""
    return (dy * 1.0,)  # dy (x > 0)


@suite.mistake("mask_inverted", "x")
def mask_inverted(dy, cache):
    """The comparison the wrong way round."""
    x, _ = cache
    return (dy * (x < 0),)  # dy (x > 0)


@suite.mistake("mask_of_dy", "x")
def mask_of_dy(dy, cache):
    """The mask from what is at hand, the incoming gradient."""
    return (dy * (dy > 0),)  # dy (x > 0)


@suite.mistake("mask_of_dy", "x")
def guided(dy, cache):
    """Guided backpropagation, a method for pictures, used as a gradient."""
    x, _ = cache
    return (dy * (x > 0) * (dy > 0),)  # dy (x > 0)


@suite.mistake("x_for_mask", "x")
def output_for_mask(dy, cache):
    """y is 0 where the mask is 0, so y is used as the mask."""
    _, y = cache
    return (dy * y,)  # dy (x > 0)


@suite.mistake("dy_forgotten", "x")
def dy_forgotten(dy, cache):
    """The derivative alone, without the chain rule."""
    x, _ = cache
    return ((x > 0) * 1.0 * np.ones_like(dy),)  # dy (x > 0)


@suite.mistake("constant_factor", "x")
def half(dy, cache):
    """The subgradient 1/2, a choice for x = 0 only, is used as a factor for all x."""
    x, _ = cache
    return (0.5 * dy * (x > 0),)  # dy (x > 0)


@suite.mistake("sign", "x")
def sign(dy, cache):
    """The sign of a descent step."""
    x, _ = cache
    return (-dy * (x > 0),)  # dy (x > 0)


@suite.mistake("some_elements", "x")
def one_row_off(dy, cache):
    """One row is multiplied by 1.5, as if its batch had been scaled for another size."""
    x, _ = cache
    dx = dy * (x > 0)
    dx[3] *= 1.5  # not at all
    return (dx,)


@suite.mistake("mutates_dout")
def in_place(dy, cache):
    """Avoids a new array; but dy belongs to others too (a residual connection needs it again)."""
    x, _ = cache
    dy[x <= 0] = 0  # on dy.copy()
    return (dy.copy(),)


@suite.mistake("mutates_input")
def in_the_input(dy, cache):
    """The mask is made in the memory of x."""
    x, _ = cache
    x[...] = x > 0  # a new array
    return (dy * x,)


@suite.mistake("aliases_dout", inputs=lambda seed: (np.abs(inputs(seed)[0]) + 0.1,))
def nothing_to_mask(dy, cache):
    """A shortcut where all are positive: dy itself is handed back."""
    x, _ = cache
    return (dy if np.all(x > 0) else dy * (x > 0),)  # a copy


@suite.mistake("wrong_dtype")
def in_float32(dy, cache):
    """The product is cast to float32, whatever the dtype of x."""
    x, _ = cache
    return ((dy * (x > 0)).astype(np.float32),)  # in the dtype of x
