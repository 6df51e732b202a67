"""PyTorch's `checkpoint`, which saves memory there. Here it only calls the function: the numbers are the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def checkpoint(
    function: Callable, *args: Any, use_reentrant: bool | None = None, preserve_rng_state: bool = True, **kwargs: Any
) -> Any:
    """``function(*args, **kwargs)``. (PyTorch computes it again in backward, instead of keeping what backward needs.)

    >>> import tinynorm
    >>> checkpoint(tinynorm.exp, tinynorm.zeros(2), use_reentrant=False)
    tensor([1., 1.])
    """
    return function(*args, **kwargs)


def checkpoint_sequential(functions: Any, segments: int, input: Any, use_reentrant: bool | None = None) -> Any:
    """The functions, or modules of a `Sequential`, one after the other.

    >>> import tinynorm
    >>> checkpoint_sequential([tinynorm.square, tinynorm.neg], 2, tinynorm.ones(1))
    tensor([-1.])
    """
    for function in functions:
        input = function(input)
    return input
