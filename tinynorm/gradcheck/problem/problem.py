"""What is checked: a function of arrays, and the gradients that its author claims for it.

A `Problem` maps a point (a list of float64 NumPy arrays, one for each differentiable input) to one flat vector of outputs, and
a cotangent (such a vector) to the claimed gradients. All measurements call only these two maps. They come from a forward and a
backward on plain arrays; the subclass `TensorProblem` makes such a pair of a function of Tensors.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from functools import cache
from typing import Any

import numpy as np

from ... import backend
from ...tensor import Tensor

Point = list[np.ndarray]


class CannotCheck(ValueError):
    """The check could not be made, and why."""


class WrongCount(CannotCheck):
    """Backward returned another number of gradients than there are inputs."""


def host(x: Any) -> np.ndarray:
    """An output, on any device, as a float64 (or complex) NumPy array."""
    array = x if type(x) is np.ndarray else backend.to_numpy(x) if backend.is_array(x) else np.asarray(x)
    return array.astype(complex if array.dtype.kind == "c" else float)  # always a copy: the caller may reuse the memory


def plain(x: Any) -> Any:
    """The memory of an array as NumPy's own class shows it: a subclass may compare and subtract as it likes."""
    return x.view(np.ndarray) if isinstance(x, np.ndarray) and type(x) is not np.ndarray else x


def flat(outputs: Sequence[Any]) -> np.ndarray:
    """All outputs as one vector."""
    parts = [host(y).ravel() for y in outputs]
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0)


class Problem:
    """``out, cache = forward(*inputs)`` and ``grads = backward(dout, cache)``, on NumPy or CuPy arrays.

    Attributes
    ----------
    inputs, all_names : list
        All inputs and their names, constants among them.
    wrt : list of int
        The positions of the differentiable inputs in `inputs`.
    names : list of str
        Of the differentiable inputs.
    point : list of array
        The differentiable inputs as float64 arrays on the host.
    own : list of numpy.dtype
        The dtypes of the differentiable inputs as the caller gave them (or `dtype` for each, if the function refuses inputs of
        several dtypes). Methods with ``own=True`` run the function in these dtypes.
    dtype : numpy.dtype
        The dtype of all other runs: float64 if the function accepts it, else the common dtype of the inputs.
    shapes : list of tuple
        Of the outputs.
    seeded : bool
        Whether every run draws the same random numbers.
    tick : callable or None
        Called at every evaluation, to show progress.
    """

    by_hand = True  # whether the user wrote backward; otherwise the graph of Tensors gives the gradients
    seeded = False
    tick: Callable[[], Any] | None = None

    def __init__(
        self,
        forward: Callable,
        backward: Callable,
        inputs: Sequence[Any],
        names: Sequence[str],
        wrt: Sequence[int] | None = None,
    ) -> None:
        """`wrt` are the differentiable inputs, by default all floating-point arrays."""
        self.forward, self.backward, self.inputs, self.all_names = forward, backward, list(inputs), list(names)
        self.wrt = [i for i, x in enumerate(inputs) if differentiable(x)] if wrt is None else list(wrt)
        self.names = [names[i] for i in self.wrt]
        self.originals = [_data(inputs[i]) for i in self.wrt]
        self.point = [host(a) for a in self.originals]
        self.own = [np.dtype(str(a.dtype)) for a in self.originals]
        self.evaluations = 0
        with np.errstate(all="ignore"):
            self._choose_dtypes()

    def _choose_dtypes(self) -> None:
        """Run in float64 where the function takes it, else in the dtype of the inputs.

        A function may refuse inputs of several dtypes. Then its precision is judged as if all inputs had the dtype of the run.
        """
        common = np.result_type(*self.own)
        for dtype in dict.fromkeys([np.dtype(float), common]):
            try:
                self._start(dtype)
                break
            except Exception:
                if dtype == common:
                    raise
        if len(set(self.own)) > 1:
            try:
                self.outputs(self.point, own=True)
            except Exception:
                self.own = [self.dtype] * len(self.own)

    def _start(self, dtype: Any) -> None:
        self.dtype: Any = dtype
        with self.lent():
            out, _ = self.run(self.arguments(self.point))
        outputs = self.floating(out)
        if not outputs:
            raise CannotCheck(f"forward returned no floating-point output, got {type(out).__name__}")
        self.shapes: list[tuple[int, ...]] = [tuple(np.shape(y)) for y in outputs]

    def lent(self, own: bool = False) -> AbstractContextManager:
        """A context in which the modules that the function uses hold copies of their arrays, in the dtype of the run.

        A function of plain arrays has no modules.
        """
        return nullcontext()

    # -- one run -------------------------------------------------------------------------------------------------------

    def arguments(self, point: Point, own: bool = False) -> list:
        """New inputs for forward: those of the point, and copies of the constants."""
        arrays = iter(self.arrays(point, own))
        return [next(arrays) if number in self.wrt else fresh(x) for number, x in enumerate(self.inputs)]

    def run(self, arguments: list) -> tuple[Any, Any]:
        """(the output, the cache) of one forward pass."""
        with repeatable(self.seeded):
            result = self.forward(*arguments)
        if not isinstance(result, tuple | list) or len(result) != 2:
            got = f"{len(result)} values" if isinstance(result, tuple | list) else type(result).__name__
            raise CannotCheck(f"forward: expected two values, (out, cache), got {got}; end it with `return out, cache`")
        return result[0], result[1]

    def floating(self, out: Any) -> list:
        """The floating-point outputs (complex ones for a complex step)."""
        outputs = list(out) if isinstance(out, tuple | list) else [out]
        return [
            plain(y) for y in outputs if isinstance(y, float) or getattr(getattr(y, "dtype", None), "kind", "") in ("f", "c")
        ]

    def cotangent(self, out: Any, u: list) -> Any:
        """The arrays `u` as backward takes them: with the form, dtypes and devices of the output.

        An output that is not floating-point has no cotangent; the output itself is passed in that place.
        """
        several = isinstance(out, tuple | list)
        parts = iter(u)
        made = [_like(next(parts), y) if self.floating([y]) else y for y in (out if several else [out])]
        return tuple(made) if several else made[0]

    def run_backward(self, dout: Any, cache: Any) -> list:
        """What backward returns, one for each differentiable input.

        Raises
        ------
        WrongCount
            The number of gradients is neither that of the inputs nor that of the differentiable ones.
        """
        with repeatable(self.seeded, seed=1):  # with the seed of forward, a mask drawn anew would equal that of forward
            grads = self.backward(dout, cache)
        if not isinstance(grads, tuple | list):
            grads = (grads,)
        if len(grads) == len(self.inputs):
            return [plain(grads[i]) for i in self.wrt]
        if len(grads) == len(self.wrt):
            return [plain(g) for g in grads]
        raise WrongCount(
            f"backward: expected {len(self.inputs)} gradients, one for each input ({', '.join(self.all_names)}; None where an "
            f"input has none), got {len(grads)}"
        )

    def elsewhere(self, arguments: list, own: bool) -> Iterator[list]:
        """Other arguments for forward.

        The check calls forward with them after the forward pass on `arguments` and before its backward pass.
        """
        constants = [None if i in self.wrt else x for i, x in enumerate(self.inputs)]
        for point, others in zip(shuffled(self.point, rescaled=True), shuffled(constants), strict=True):
            made = self.arguments(point, own)
            yield [other if isinstance(other, np.ndarray) else argument for other, argument in zip(others, made, strict=True)]

    # -- evaluation ----------------------------------------------------------------------------------------------------

    def __call__(self, point: Point) -> np.ndarray:
        """The outputs as one vector."""
        self.evaluations += 1
        if self.tick is not None:
            self.tick()
        with np.errstate(all="ignore"):
            return flat(self.outputs(point))

    def outputs(self, point: Point, own: bool = False) -> list:
        """The floating-point outputs at `point`."""
        with self.lent(own):
            return self.floating(self.run(self.arguments(point, own))[0])

    def claimed(self, point: Point, u: list, own: bool = False) -> list:
        """The claimed gradient of each differentiable input, or None. The cotangents `u` have the shapes of the outputs."""
        with self.lent(own):
            out, cache = self.run(self.arguments(point, own))
            return self.run_backward(self.cotangent(out, u), cache)

    def gradients(self, point: Point, u: np.ndarray) -> list[np.ndarray | None]:
        """The claimed gradients in float64, for a cotangent that is one vector."""
        with np.errstate(all="ignore"):
            found = self.claimed(point, self.split(u))
        return [None if g is None else np.real(host(g)) for g in found]  # a complex gradient is reported as a wrong dtype

    # -- dtypes and shapes ---------------------------------------------------------------------------------------------

    @property
    def recast(self) -> bool:
        """Whether the function is run in another dtype than that of some input."""
        return any(own != self.dtype for own in self.own)

    @property
    def coarsest(self) -> Any:
        """The dtype with the fewest digits among the inputs' own."""
        return max(self.own, key=lambda own: np.finfo(own).eps)

    def arrays(self, point: Point, own: bool = False) -> list:
        """The point's arrays in the dtype of the run (or in the inputs' own), on the devices of the inputs."""
        dtypes = self.own if own else [self.dtype] * len(self.own)
        return [
            beside(original, x.astype(np.result_type(kind, x.dtype) if x.dtype.kind == "c" else kind))
            for original, x, kind in zip(self.originals, point, dtypes, strict=True)
        ]

    def split(self, u: np.ndarray) -> list[np.ndarray]:
        """One vector as arrays of the outputs' shapes."""
        parts = np.split(u, np.cumsum([int(np.prod(s)) for s in self.shapes])[:-1])
        return [part.reshape(shape) for part, shape in zip(parts, self.shapes, strict=True)]

    def for_all_inputs(self, values: Sequence[Any]) -> list:
        """The values of the differentiable inputs as one value for each of all inputs, None for a constant."""
        by_number = dict(zip(self.wrt, values, strict=True))
        return [by_number.get(number) for number in range(len(self.inputs))]

    def host_inputs(self, point: Point) -> list:
        """All inputs with arrays as NumPy's, the differentiable ones from `point`."""
        given = [backend.to_numpy(_data(x)) if backend.is_array(_data(x)) else x for x in self.inputs]
        return [x if p is None else p for x, p in zip(given, self.for_all_inputs(point), strict=True)]


def _data(x: Any) -> Any:
    return x.array if isinstance(x, Tensor) else x


def _like(u: np.ndarray, y: Any) -> Any:
    """The cotangent `u` as the same kind of object as the output `y`."""
    if not backend.is_array(y):
        return type(y)(u) if hasattr(y, "dtype") else float(u)
    return beside(y, u.astype(np.dtype(str(_data(y).dtype))))


# ---- inputs --------------------------------------------------------------------------------------------------------------


def differentiable(x: Any) -> bool:
    """Whether an input can have a gradient: a floating-point array."""
    return backend.is_array(x) and backend.is_floating(x)


def beside(original: Any, x: np.ndarray) -> Any:
    """The numbers `x` on the device of `original`."""
    x = np.asarray(x)  # arithmetic on arrays of no dimensions gives NumPy scalars
    return x if isinstance(original, np.ndarray) else backend.move(x, backend.device_of(original))


def fresh(x: Any) -> Any:
    """A copy of an input, which a forward may write into."""
    if isinstance(x, Tensor):
        return x.detach().clone()
    return backend.copy(x) if backend.is_array(x) else deepcopy(x) if isinstance(x, dict | list) else x


def shuffled(arrays: Iterable[Any], rescaled: bool = False) -> Iterator[list]:
    """Other inputs: first the same numbers in a random order, then in their own order, for a forward that needs that order.

    With `rescaled`, each number is multiplied by a random factor too. What is no NumPy array stays as it is.
    """
    rng = np.random.default_rng(0)
    for reorder in (rng.permutation, np.copy):
        mixed = [np.asarray(reorder(a.ravel())).reshape(a.shape) if isinstance(a, np.ndarray) else a for a in arrays]
        yield [a * rng.uniform(0.5, 1.5, a.shape) for a in mixed] if rescaled else mixed


# ---- random numbers ------------------------------------------------------------------------------------------------------


GENERATORS: list[np.random.Generator | np.random.RandomState] = []  # those that a checked file has made


def repeatable(wanted: bool, seed: int = 0) -> AbstractContextManager:
    """A context in which, if `wanted`, the same random numbers are drawn every time.

    They come from the global generators of NumPy, Python and tinynorm, from GENERATORS, and from ``default_rng()``. Whoever
    begins a check keeps their states for the time after it (`random_state_kept`): that takes ten times as long as to seed them.
    """
    return _seeded(seed) if wanted else nullcontext()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    made = np.random.default_rng
    np.random.seed(seed)  # noqa: NPY002
    random.seed(seed)
    backend.manual_seed(seed)
    for generator in GENERATORS:
        bits = _bits(generator)
        bits.state = _state(type(bits), seed)  # type: ignore[arg-type]
    np.random.default_rng = lambda given=None: made(seed if given is None else given)  # type: ignore[assignment]
    try:
        yield
    finally:
        np.random.default_rng = made


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Afterwards, all generators but those of ``default_rng()`` go on as if no number had been drawn."""
    state, ours, pythons = np.random.get_state(), backend.default_generator.get_state(), random.getstate()  # noqa: NPY002
    states = [(_bits(generator), _bits(generator).state) for generator in GENERATORS]
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        random.setstate(pythons)
        backend.default_generator.set_state(ours)
        for bits, was in states:
            bits.state = was


@cache
def _state(bits: type, seed: int) -> Any:
    """The state of bits that begin with this seed."""
    return bits(seed).state


def _bits(generator: np.random.Generator | np.random.RandomState) -> Any:
    return getattr(generator, "bit_generator", None) or generator._bit_generator  # type: ignore[union-attr]
