"""What is checked, whichever door it came through: a function of arrays, and the gradients that are claimed for it.

A `Problem` maps points (a list of float64 NumPy arrays, one for each differentiable input) to one flat vector of outputs, and a
cotangent (such a vector) to the claimed gradients. Everything that measures stands on these two; what they are made of
(a forward and a backward on arrays, a function of Tensors, a module) is the door's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from typing import Any

import numpy as np

from ... import backend

Point = list[np.ndarray]


class CannotCheck(ValueError):
    """The check could not be made, and why."""


class WrongCount(CannotCheck):
    """Backward returned another number of gradients than there are inputs."""


def host(x: Any) -> np.ndarray:
    """An output as a float64 NumPy array, wherever it lives."""
    array = x if type(x) is np.ndarray else backend.to_numpy(x) if backend.is_array(x) else np.asarray(x)
    return array.astype(complex if array.dtype.kind == "c" else float)  # always a copy: the memory may be used again


def flat(outputs: Sequence[Any]) -> np.ndarray:
    """All outputs as one vector."""
    parts = [host(y).ravel() for y in outputs]
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0)


class Problem:
    """A function from a point to a vector, with claimed gradients.

    Attributes
    ----------
    names : list of str
        Of the differentiable inputs.
    point : list of array
        Where it is checked: float64, on the host.
    dtype : numpy.dtype
        In which the function is run: float64 wherever it can.
    seeded : bool
        Whether random numbers are held the same from call to call.
    """

    names: list[str]
    point: Point
    dtype: Any = np.dtype(float)
    own: Sequence[Any] = ()  # the dtypes of the inputs as they were given
    all_names: list[str]  # of all inputs, constants among them
    seeded = False
    tick: Callable[[], Any] | None = None  # called at every evaluation, to show progress

    def __init__(self) -> None:
        self.evaluations = 0

    def outputs(self, point: Point, own: bool = False) -> list:
        """The floating-point outputs at `point`, as they come."""
        raise NotImplementedError

    def claimed(self, point: Point, u: list, own: bool = False) -> list:
        """The claimed gradient for each input, for cotangents `u` shaped as the outputs; None where there is none.

        In `self.dtype`, or each in the dtype of its `own` input.
        """
        raise NotImplementedError

    def settle_own(self) -> None:
        """Inputs of several dtypes may have been meant for one: where the function does not take them as they are, they are."""
        if len(set(self.own)) > 1:
            try:
                with np.errstate(all="ignore"):
                    self.outputs(self.point, own=True)
            except Exception:
                self.own = [self.dtype] * len(self.own)

    @property
    def recast(self) -> bool:
        """Whether an input has another dtype than the one that the function is run in."""
        return any(own != self.dtype for own in self.own)

    @property
    def coarsest(self) -> Any:
        """The dtype with the fewest digits among the inputs' own."""
        return max(self.own, key=lambda own: np.finfo(own).eps)

    def __call__(self, point: Point) -> np.ndarray:
        """The outputs as one vector."""
        self.evaluations += 1
        if self.tick is not None:
            self.tick()
        with np.errstate(all="ignore"):
            return flat(self.outputs(point))

    def gradients(self, point: Point, u: np.ndarray) -> list[np.ndarray | None]:
        """The claimed gradients in float64, for a cotangent that is one vector."""
        with np.errstate(all="ignore"):
            found = self.claimed(point, self.split(u))
        return [None if g is None else np.real(host(g)) for g in found]  # (complex ones are a fault, which is told as such)

    def split(self, u: np.ndarray) -> list[np.ndarray]:
        """One vector as arrays of the outputs' shapes."""
        parts = np.split(u, np.cumsum([int(np.prod(s)) for s in self.shapes])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    shapes: list[tuple[int, ...]]  # of the outputs

    # -- the differentiable inputs among all ---------------------------------------------------------------------------

    def input_number(self, i: int) -> int:
        """Which of all inputs differentiable input `i` is."""
        return i

    def spread(self, values: list) -> list:
        """One value for each of all inputs, None for those that are not differentiable."""
        return values

    def host_inputs(self, point: Point) -> list:
        """All inputs, with the differentiable ones from `point`; arrays as NumPy's."""
        return point


FORWARD, BACKWARD = 0, 1  # seeds: not the same, or a mask that backward draws anew would be the one of forward


def repeatable(wanted: bool, seed: int = FORWARD) -> AbstractContextManager:
    """Within, if `wanted`, random numbers from NumPy's global state or tinynorm's generator are the same every time."""
    return _repeatable(seed) if wanted else nullcontext()


@contextmanager
def _repeatable(seed: int):
    with random_state_kept():
        np.random.seed(seed)  # noqa: NPY002
        backend.manual_seed(seed)
        yield


@contextmanager
def random_state_kept():
    """Afterwards, NumPy's global state and tinynorm's generator go on as if nothing had been drawn."""
    state, ours = np.random.get_state(), backend.default_generator.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        backend.default_generator.set_state(ours)


def differentiable(x: Any) -> bool:
    """Whether an input can have a gradient: a floating-point array."""
    return backend.is_array(x) and backend.is_floating(x)


def beside(original: Any, x: np.ndarray) -> Any:
    """The numbers `x` on the device of `original`."""
    x = np.asarray(x)  # (of 0 dimensions, arithmetic gives NumPy scalars)
    return x if isinstance(original, np.ndarray) else backend.move(x, backend.device_of(original))


def fresh(x: Any) -> Any:
    """A copy of an input, that a forward may write into."""
    return backend.copy(x) if backend.is_array(x) else deepcopy(x) if isinstance(x, dict | list) else x


class PairProblem(Problem):
    """``out, cache = forward(*inputs)`` and ``grads = backward(dout, cache)``, on NumPy or CuPy arrays."""

    def __init__(self, forward: Callable, backward: Callable, inputs: Sequence[Any], names: Sequence[str]) -> None:
        super().__init__()
        self.forward, self.backward, self.inputs = forward, backward, list(inputs)
        self.all_names = list(names)
        self.wrt = [i for i, x in enumerate(inputs) if differentiable(x)]
        self.names = [names[i] for i in self.wrt]
        self.point = [host(inputs[i]) for i in self.wrt]
        self.own = [np.dtype(str(inputs[i].dtype)) for i in self.wrt]
        self.constants = {i: x for i, x in enumerate(inputs) if i not in self.wrt}
        self.multiple = False
        self.dtype = self._working_dtype()
        self.settle_own()

    # -- at the start --------------------------------------------------------------------------------------------------

    def _working_dtype(self) -> Any:
        """float64 where forward takes it, else the dtype of the inputs."""
        own = np.result_type(*self.own)
        if own != np.float64:
            try:
                self._start(np.dtype(float))
                return np.dtype(float)
            except Exception:  # whatever a forward for another dtype says: it is run in that one instead
                pass
        self._start(own)
        return own

    def _start(self, dtype: Any) -> None:
        self.dtype = dtype
        with np.errstate(all="ignore"):
            out, _ = self.run(self.point)
        self.multiple = isinstance(out, tuple | list)
        outputs = self._floating(out)
        if not outputs:
            raise CannotCheck(f"forward returned no floating-point output, got {type(out).__name__}")
        self.shapes = [tuple(np.shape(y)) for y in outputs]
        self.out_dtypes = [np.dtype(str(getattr(y, "dtype", "float64"))) for y in outputs]

    def input_number(self, i: int) -> int:
        return self.wrt[i]

    def spread(self, values: list) -> list:
        by_number = dict(zip(self.wrt, values, strict=True))
        return [by_number.get(number) for number in range(len(self.inputs))]

    def host_inputs(self, point: Point) -> list:
        own = [backend.to_numpy(x) if backend.is_array(x) else x for x in self.inputs]
        return [x if p is None else p for p, x in zip(self.spread(point), own, strict=True)]

    # -- one run -------------------------------------------------------------------------------------------------------

    def arguments(self, point: Point, own: bool = False) -> list:
        """Fresh inputs for forward: the point's arrays on the inputs' own devices, the others as they are."""
        arguments: list = [None] * len(self.inputs)
        for i, constant in self.constants.items():
            arguments[i] = fresh(constant)
        for i, x, given in zip(self.wrt, point, self.own, strict=True):
            kind = given if own else self.dtype
            kind = np.result_type(kind, x.dtype) if x.dtype.kind == "c" else kind
            arguments[i] = beside(self.inputs[i], x.astype(kind))
        return arguments

    def run(self, point: Point, own: bool = False) -> tuple[Any, Any]:
        """(out, cache) of one forward."""
        return self.run_on(self.arguments(point, own))

    def run_on(self, arguments: list) -> tuple[Any, Any]:
        with repeatable(self.seeded):
            result = self.forward(*arguments)
        if not isinstance(result, tuple | list) or len(result) != 2:
            got = f"{len(result)} values" if isinstance(result, tuple | list) else type(result).__name__
            raise CannotCheck(f"forward: expected two values, (out, cache), got {got}; end it with `return out, cache`")
        return result[0], result[1]

    def _floating(self, out: Any) -> list:
        outputs = list(out) if isinstance(out, tuple | list) else [out]
        return [y for y in outputs if isinstance(y, float) or getattr(getattr(y, "dtype", None), "kind", "") in ("f", "c")]

    def outputs(self, point: Point, own: bool = False) -> list:
        return self._floating(self.run(point, own)[0])

    def claimed(self, point: Point, u: list, own: bool = False) -> list:
        out, cache = self.run(point, own)
        return self.call_backward(self.cotangent(out, u), cache)

    def cotangent(self, out: Any, u: list) -> Any:
        """`u` as backward expects it: like the output in dtype and device (a number for a number)."""
        parts, outputs = iter(u), list(out) if isinstance(out, tuple | list) else [out]
        made = [_like(next(parts), y) if self._floating([y]) else y for y in outputs]
        return tuple(made) if self.multiple else made[0]

    def call_backward(self, dout: Any, cache: Any) -> list:
        """What backward returns, one for each differentiable input.

        Raises
        ------
        WrongCount
            The number of gradients is neither that of the inputs nor that of the differentiable ones.
        """
        with repeatable(self.seeded, BACKWARD):
            grads = self.backward(dout, cache)
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


def _like(u: np.ndarray, y: Any) -> Any:
    if not backend.is_array(y):
        return type(y)(u) if hasattr(y, "dtype") else float(u)
    return beside(y, u.astype(np.dtype(str(y.dtype))))
