"""A forward and a backward on plain arrays as a Problem."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ... import backend
from .problem import CannotCheck, Point, Problem, Words, WrongCount, beside, differentiable, fresh, repeatable, shuffled


class PairProblem(Problem):
    """``out, cache = forward(*inputs)`` and ``grads = backward(dout, cache)``, on NumPy or CuPy arrays."""

    words = Words(
        forward="forward",
        copy="copy",
        dout="the incoming gradient dout",
        copy_of_dout="dout.copy()",
        saved="cached",
        no_output="forward returned no floating-point output, got {}",
    )

    def __init__(self, forward: Callable, backward: Callable, inputs: Sequence[Any], names: Sequence[str]) -> None:
        self.forward, self.backward = forward, backward
        wrt = [i for i, x in enumerate(inputs) if differentiable(x)]
        super().__init__(inputs, names, wrt, [inputs[i] for i in wrt])

    @property
    def argument_names(self) -> list[str]:
        return self.all_names

    def arguments(self, point: Point, own: bool = False) -> list:
        arrays = self.for_all_inputs(self.arrays(point, own))
        return [fresh(x) if array is None else array for x, array in zip(self.inputs, arrays, strict=True)]

    def run(self, arguments: list) -> tuple[Any, Any]:
        with repeatable(self.seeded):
            result = self.forward(*arguments)
        if not isinstance(result, tuple | list) or len(result) != 2:
            got = f"{len(result)} values" if isinstance(result, tuple | list) else type(result).__name__
            raise CannotCheck(f"forward: expected two values, (out, cache), got {got}; end it with `return out, cache`")
        return result[0], result[1]

    def floating(self, out: Any) -> list:
        outputs = list(out) if isinstance(out, tuple | list) else [out]
        return [y for y in outputs if isinstance(y, float) or getattr(getattr(y, "dtype", None), "kind", "") in ("f", "c")]

    def cotangent(self, out: Any, u: list) -> Any:
        """A tuple for several outputs, in which an output that is not floating-point stands for its own cotangent."""
        several = isinstance(out, tuple | list)
        parts = iter(u)
        made = [_like(next(parts), y) if self.floating([y]) else y for y in (out if several else [out])]
        return tuple(made) if several else made[0]

    def run_backward(self, dout: Any, saved: Any) -> list:
        """What backward returns, one for each differentiable input.

        Raises
        ------
        WrongCount
            The number of gradients is neither that of the inputs nor that of the differentiable ones.
        """
        with repeatable(self.seeded, seed=1):  # with the seed of forward, a mask drawn anew would equal that of forward
            grads = self.backward(dout, saved)
        if not isinstance(grads, tuple | list):
            grads = (grads,)
        if len(grads) == len(self.inputs):
            return [grads[i] for i in self.wrt]
        if len(grads) == len(self.wrt):
            return list(grads)
        raise WrongCount(
            f"backward: expected {len(self.inputs)} gradients, one for each input ({', '.join(self.all_names)}; None where an "
            f"input has none), got {len(grads)}"
        )

    def elsewhere(self, arguments: list, own: bool = False) -> Iterator[list]:
        constants = [None if i in self.wrt else x for i, x in enumerate(self.inputs)]
        for point, others in zip(shuffled(self.point, rescaled=True), shuffled(constants), strict=True):
            made = self.arguments(point, own)
            yield [other if isinstance(other, np.ndarray) else argument for other, argument in zip(others, made, strict=True)]


def _like(u: np.ndarray, y: Any) -> Any:
    """The cotangent `u` as the same kind of object as the output `y`."""
    if not backend.is_array(y):
        return type(y)(u) if hasattr(y, "dtype") else float(u)
    return beside(y, u.astype(np.dtype(str(y.dtype))))
