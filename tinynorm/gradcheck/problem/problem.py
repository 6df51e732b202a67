"""What is checked, for every kind of input: a function of arrays, and the gradients that its author claims for it.

A `Problem` maps a point (a list of float64 NumPy arrays, one for each differentiable input) to one flat vector of outputs, and
a cotangent (such a vector) to the claimed gradients. All measurements call only these two maps. The subclasses know how to run
the function: `PairProblem` a forward and a backward on arrays, `TensorProblem` a function of Tensors or a module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from copy import deepcopy
from typing import Any, NamedTuple

import numpy as np

from ... import backend
from ...tensor import Tensor

Point = list[np.ndarray]


class CannotCheck(ValueError):
    """The check could not be made, and why."""


class WrongCount(CannotCheck):
    """Backward returned another number of gradients than there are inputs."""


class Words(NamedTuple):
    """How messages name things: plain arrays and Tensors have different words for the same thing."""

    forward: str
    copy: str  # the method that copies an input
    dout: str
    copy_of_dout: str
    saved: str  # what forward did with the values that backward needs
    no_output: str


def host(x: Any) -> np.ndarray:
    """An output, on any device, as a float64 (or complex) NumPy array."""
    array = x if type(x) is np.ndarray else backend.to_numpy(x) if backend.is_array(x) else np.asarray(x)
    return array.astype(complex if array.dtype.kind == "c" else float)  # always a copy: the caller may reuse the memory


def flat(outputs: Sequence[Any]) -> np.ndarray:
    """All outputs as one vector."""
    parts = [host(y).ravel() for y in outputs]
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0)


class Problem:
    """A function from a point to a vector, with claimed gradients.

    A subclass sets its own attributes first and then calls this constructor, which runs the function once or twice.

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
        The dtypes of the differentiable inputs as the caller gave them.
    dtype : numpy.dtype
        The function is run in this dtype: float64 where the function takes it.
    shapes : list of tuple
        Of the outputs.
    seeded : bool
        Whether every run draws the same random numbers.
    tick : callable or None
        Called at every evaluation, to show progress.
    """

    words: Words
    dtype: Any
    shapes: list[tuple[int, ...]]
    seeded = False
    tick: Callable[[], Any] | None = None

    def __init__(self, inputs: Sequence[Any], names: Sequence[str], wrt: Sequence[int], arrays: Sequence[Any]) -> None:
        """`arrays` holds the data of the differentiable inputs."""
        self.inputs, self.all_names, self.wrt = list(inputs), list(names), list(wrt)
        self.names = [names[i] for i in wrt]
        self.originals = arrays
        self.point = [host(a) for a in arrays]
        self.own = [np.dtype(str(a.dtype)) for a in arrays]
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
        self.dtype = dtype
        with self.lent():
            out, _ = self.run(self.arguments(self.point))
        outputs = self.floating(out)
        if not outputs:
            raise CannotCheck(self.words.no_output.format(type(out).__name__))
        self.shapes = [tuple(np.shape(y)) for y in outputs]

    # -- what a subclass defines; `own=True` asks for the inputs' own dtypes instead of `self.dtype` --------------------

    @property
    def argument_names(self) -> list[str]:
        """The names of what `arguments` returns."""
        raise NotImplementedError

    def arguments(self, point: Point, own: bool = False) -> list:
        """New inputs for one run, with the numbers of `point`."""
        raise NotImplementedError

    def run(self, arguments: list) -> tuple[Any, Any]:
        """(the output, what the backward pass needs) of one forward pass."""
        raise NotImplementedError

    def floating(self, out: Any) -> list:
        """The floating-point arrays in an output."""
        raise NotImplementedError

    def cotangent(self, out: Any, u: list) -> Any:
        """The arrays `u` in the form that the backward pass takes: with the dtype and on the device of each output."""
        raise NotImplementedError

    def run_backward(self, dout: Any, saved: Any) -> list:
        """The claimed gradient of each differentiable input."""
        raise NotImplementedError

    def elsewhere(self, arguments: list, own: bool = False) -> Iterator[list]:
        """Arguments at other points, to run the function with between a forward pass and its backward pass."""
        raise NotImplementedError

    def lent(self, own: bool = False) -> AbstractContextManager:
        """Within, a module works on copies of its parameters and buffers, in the dtype of the run."""
        return nullcontext()

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
            out, saved = self.run(self.arguments(point, own))
            return self.run_backward(self.cotangent(out, u), saved)

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
        kinds = [np.result_type(kind, x.dtype) if x.dtype.kind == "c" else kind for kind, x in zip(dtypes, point, strict=True)]
        return [beside(original, x.astype(k)) for original, x, k in zip(self.originals, point, kinds, strict=True)]

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
        return [_as_numpy(x) if p is None else p for x, p in zip(self.inputs, self.for_all_inputs(point), strict=True)]


def _as_numpy(x: Any) -> Any:
    data = x.data if isinstance(x, Tensor) else x
    return backend.to_numpy(data) if backend.is_array(data) else x


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


def repeatable(wanted: bool, seed: int = 0) -> AbstractContextManager:
    """Within, if `wanted`, NumPy's global generator and tinynorm's draw the same random numbers every time."""
    return _seeded(seed) if wanted else nullcontext()


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    with random_state_kept():
        np.random.seed(seed)  # noqa: NPY002
        backend.manual_seed(seed)
        yield


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Afterwards, NumPy's global generator and tinynorm's go on as if no number had been drawn."""
    state, ours = np.random.get_state(), backend.default_generator.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        backend.default_generator.set_state(ours)
