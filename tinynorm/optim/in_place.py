"""InPlaceOptimizer: an optimiser whose formula works in place on raw arrays.

A step never replaces the array of a parameter, so every holder of the array sees the step.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import chain, filterfalse, repeat
from numbers import Real
from operator import attrgetter, is_, itemgetter
from typing import Any

import numpy as np

from .. import backend
from ..autograd import enable_grad
from ..backend import Array
from ..kernels import select as kernels
from ..kernels.select import kernels_for
from ..recording import opaque
from ..tensor import Tensor, raw, version_of, wrap
from .blocks import Blocks, Formula, place_of, share_memory, work_dtype
from .optimizer import Optimizer, Params, check_keys
from .sweeps import Sweeps

# what PyTorch added to the options in the course of time, and what a state without them means
NEWER: dict[str, Any] = {"maximize": False, "foreach": None, "capturable": False, "differentiable": False, "fused": None}


# A kernel, which gets a table of (theta, g, *state), and the numbers it needs.
Sweep = tuple[Callable[..., bool | None], list[float]]


class Overflow:
    """A callback that NumPy calls on overflow. So an optimiser detects an overflow without testing the array."""

    seen = False

    def __call__(self, error: str, flag: int) -> None:
        self.seen = True


ARRAY, GRAD, PARAMS, THETA = attrgetter("_array"), attrgetter("_grad"), itemgetter("params"), itemgetter(0)
WRITEABLE = attrgetter("flags.writeable")
Undone = list[tuple[int, Callable[[Array], Array]]]  # the number of a parameter, and what takes the part of an array


class _Work:
    """Parameters of one group with the same step number, dtype and device, and how their step is done."""

    def __init__(self, group: dict[str, Any], t: float) -> None:
        self.group, self.t = group, t  # t is the number of this step
        self.params: list[Tensor] = []
        self.counters: list[Array] = []  # where the numbers of their steps are kept
        self.held: list[tuple[Array, ...]] = []  # (theta, *state) for each parameter
        self.row_major: list[bool] = []  # whether a kernel can do it
        self.shared = False  # whether some lie in the same memory
        self.largest = 0  # its number in these lists; if a kernel is worth it for one, all take it
        self.kernels: Any = None
        self.kernel: Callable[..., bool | None] | None = None
        self.settings: Array | None = None
        self.sweeps: Sweeps | None = None  # of the kernel
        self.formula: Formula | None = None  # for the tasks that no kernel fits

    @property
    def tasks(self) -> list[tuple[Array, ...]]:
        """(theta, g, *state) for each parameter. (The gradients are not held: between two steps they need not be there.)"""
        return [(theta, g, *state) for (theta, *state), g in zip(self.held, _grads(self.params), strict=True)]

    def sweep(self) -> Undone:
        """Let the kernel do what it can, and return what it left undone."""
        if self.kernel is None or self.settings is None:
            return []
        if self.sweeps is None:
            fits = [number for number, row_major in enumerate(self.row_major) if row_major]
            self.sweeps = Sweeps({number: self.held[number] for number in fits}, halves=not self.shared)
        undone = self.sweeps.run(self.kernel, [*_grads(self.params)], self.settings)
        return [(number, partial(_flat_part, part)) for number, part in undone]

    def kinds(self) -> list[tuple]:
        """As long as these are equal, the gradients fit, and the parameters can be written to."""
        both = zip(map(THETA, self.held), _grads(self.params), strict=True)
        return [(theta.flags.writeable, type(g), g.shape, g.dtype, g.flags.carray) for theta, g in both]


def _grads(params: list[Tensor]) -> Iterator[Array]:
    """The arrays of the gradients that are there."""
    return map(ARRAY, filterfalse(partial(is_, None), map(GRAD, params)))


def _flat_part(part: slice, a: Array) -> Array:
    return a.reshape(-1)[part]


class _Plan:
    """The works of the last step, for the next one, which mostly has other numbers only."""

    def __init__(self, optimizer: InPlaceOptimizer | None = None, works: list[_Work] | None = None) -> None:
        self.works = works or []
        if optimizer is not None:
            self.choice, self.seen = kernels.state.choice, _seen(optimizer)
            self.tensors = [x for x in self.seen if isinstance(x, Tensor)]
            self.arrays = [*map(ARRAY, self.tensors)]
            self.params = _params(optimizer)
            self.has_grad = [p._grad is not None for p in self.params]
            self.thetas = [theta for work in self.works for theta, *_ in work.held]
            self.kinds = [work.kinds() for work in self.works]

    def __reduce__(self) -> tuple:
        """Leave it out when copying or pickling. (A copy of a view is no longer a view.)"""
        return _Plan, ()

    def fits(self, optimizer: InPlaceOptimizer) -> bool:
        """Whether it is that of the next step too."""
        return (
            self._same(optimizer)
            and [p._grad is not None for p in self.params] == self.has_grad
            and [work.kinds() for work in self.works] == self.kinds
        )

    def fits_with(self, optimizer: InPlaceOptimizer, grads: list[Tensor | None], arrays: list[Array]) -> bool:
        """Whether it is that of the next step too, if that has these `.grad` of all parameters, with these arrays."""
        return (
            self._same(optimizer)
            and all(map(is_, map(GRAD, self.params), grads))
            and all(map(is_, _grads(self.params), arrays))
            and all(map(WRITEABLE, self.thetas))
        )

    def _same(self, optimizer: InPlaceOptimizer) -> bool:
        """Whether all that it holds on to is what it was, and the kernels are. Then it fits, whatever numbers there are."""
        if not self.works or self.choice != kernels.state.choice:
            return False
        seen = _seen(optimizer)
        return (
            len(seen) == len(self.seen)
            and all(map(is_, seen, self.seen))
            and all(map(is_, map(ARRAY, self.tensors), self.arrays))
        )


def _params(optimizer: InPlaceOptimizer) -> list[Tensor]:
    return [*chain.from_iterable(map(PARAMS, optimizer.param_groups))]


def _seen(optimizer: InPlaceOptimizer) -> list[Any]:
    """The groups, the parameters, and what their states have."""
    params = _params(optimizer)
    states = filter(None, map(optimizer.state.get, params))
    return [*optimizer.param_groups, *params, *chain.from_iterable(map(dict.values, states))]


class InPlaceOptimizer(Optimizer):
    """The base class of the package's optimisers. A subclass defines `_check`, `_begin` and `_formula`.

    PyTorch's options `foreach`, `fused` and `capturable` are taken and change nothing.

    Raises
    ------
    ValueError
        `differentiable` is True: a step is not recorded.
    """

    _per_element: tuple[str, ...] = ()  # the state entries that have the parameter's shape
    _needed: tuple[str, ...] = ()  # the required state entries
    _newer: dict[str, Any] = NEWER

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        super().__init__(params, defaults)
        self._blocks, self._overflow = Blocks(), Overflow()
        self._plan = _Plan()
        self._stepped = type(self).step is not InPlaceOptimizer.step

    def _check(self, where: str, group: dict[str, Any]) -> None:
        if group.get("differentiable"):
            raise ValueError(
                f"{where}: differentiable=True is not supported, a step is not recorded; write the step as operations on "
                "Tensors, such as w = w - lr * g"
            )

    # -- the step --------------------------------------------------------------------------------------------------------

    @opaque
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update in place every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Computes the loss and its gradients again. `step` calls it first, with recording turned on.

        Returns
        -------
        The return value of `closure`; None if there is no closure.

        Raises
        ------
        RuntimeError, TypeError, ValueError
            A parameter cannot be written to, or does not fit its gradient or its state; or an option is invalid. Nothing is
            changed then.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        works = self._prepared()
        self._run(works)
        self._stepped = True
        return loss

    def _again(self, as_it_is: Callable[[], Any]) -> Callable[[], Any]:
        """The last step, to be done again on the same gradients: it is recorded. Where that does not fit, as it is."""
        plan = self._plan
        grads = [*map(GRAD, plan.params)] if plan.works else []
        arrays = [*_grads(plan.params)] if plan.works else []

        def step() -> None:
            if plan.fits_with(self, grads, arrays) and all(map(self._goes_on, plan.works)):
                self._run(plan.works)
            else:
                as_it_is()

        return step

    def _prepared(self) -> list[_Work]:
        """Prepare and check the whole step before any parameter changes. If that fails, the new state is removed again."""
        if self._plan.fits(self) and all(map(self._goes_on, self._plan.works)):
            return self._plan.works
        made: list[tuple[dict[str, Any], int]] = []  # each state, and its number of entries before this step
        try:
            works = [work for group in self.param_groups for work in self._works(group, made)]
        except BaseException:
            for state, n in made:
                while len(state) > n:
                    state.popitem()
            raise
        plain = all(type(arrays[0]) is np.ndarray for work in works for arrays in work.held)
        self._plan = _Plan(self, works) if plain else _Plan()
        return works

    def _goes_on(self, work: _Work) -> bool:
        """Prepare a work for its next step; False if it takes other arrays now, or its parameters are at different steps."""
        (theta, *held), state = work.held[0], self.state[work.params[0]]
        entries = len(state)
        t, *arrays = self._begin(work.group, state, theta)
        if len(arrays) != len(held) or not all(map(is_, arrays, held)):
            while len(state) > entries:
                state.popitem()
            return False
        work.t = t
        self._settle(work)
        return [*map(float, work.counters)].count(t - 1) == len(work.counters)

    def _works(self, group: dict[str, Any], made: list[tuple[dict[str, Any], int]]) -> list[_Work]:
        """The parameters that have a gradient: one _Work for all that share a step number, dtype and device."""
        alike: dict[tuple, _Work] = {}
        for p in group["params"]:
            if p._grad is None:
                continue
            theta, g, state = p._array, p._grad._array, self.state[p]
            kind, shape, dtype = type(theta), theta.shape, theta.dtype
            writeable = theta.flags.writeable if kind is np.ndarray else backend.is_writeable(theta)
            if g.shape != shape or g.dtype != dtype or type(g) is not kind or not writeable:
                self._explain_misfit(p, g)
            made.append((state, len(state)))
            t, *arrays = self._begin(group, state, theta)
            kept = work_dtype(theta)
            for a in arrays[:1]:  # all arrays of a state have the same type
                if a.dtype != kept or a.shape != shape or type(a) is not kind:
                    self._explain_move(p, a)
            place = "" if kind is np.ndarray else self._place(p, [g, *arrays])
            work = alike.setdefault((t, dtype, place, len(arrays)), _Work(group, t))
            work.params.append(p)
            work.counters += [state["step"]._array] if "step" in state else []
            work.held.append((theta, *arrays))
            same = all(a.dtype == dtype and a.shape == shape for a in arrays)  # somebody may have put another one there
            row_major = kind is np.ndarray and same and all(a.flags.carray for a in (theta, g, *arrays))
            work.row_major.append(row_major)
        for work in alike.values():
            work.largest = max(range(len(work.held)), key=lambda k: work.held[k][0].size)
            work.shared = len(work.held) > 1 and share_memory([theta for theta, *_ in work.held])
            self._choose(work)
        return list(alike.values())

    def _choose(self, work: _Work) -> None:
        """Choose what does the step: a kernel, or the formula for what no kernel fits."""
        (theta, *state), p = work.held[work.largest], work.params[work.largest]
        work.kernels = kernels_for("updates", theta, *_grads([p]), *state)
        self._settle(work)

    def _settle(self, work: _Work) -> None:
        """Compute the numbers of the step, for what does it."""
        held = work.held[work.largest]
        sweep = None if work.kernels is None else self._sweep(work.kernels, work.group, work.t, held)
        work.kernel, numbers = sweep or (None, [])
        if numbers:
            work.settings = np.array(numbers, held[0].dtype)
        by_formula = work.kernel is None or not all(work.row_major)
        work.formula = self._formula(work.group, work.t, held[0]) if by_formula else None

    def _run(self, works: list[_Work]) -> None:
        """Run each kernel and formula. The version counters of the parameters also increase if a formula fails."""
        name, begun = f"{self._name}.step", 0
        try:
            for work in works:
                begun += 1
                undone = work.sweep()
                if undone or work.formula is not None:
                    self._run_formula(work, undone)
                deque(map(np.ndarray.fill, work.counters, repeat(work.t)), maxlen=0)
        finally:
            for work in works[:begun]:
                for version in map(version_of, work.params):
                    version.bump(name)

    def _run_formula(self, work: _Work, undone: Undone) -> None:
        """Do what the kernel has not done: tasks that it cannot do, and those where a square overflowed."""
        with np.errstate(divide="ignore", invalid="ignore", over="call", call=self._overflow):
            if work.formula is not None:
                rest = [number for number, row_major in enumerate(work.row_major) if work.kernel is None or not row_major]
                tasks = work.tasks
                for some in [[number] for number in rest] if work.shared else [rest]:
                    left = self._blocks.run(work.formula, [tasks[number] for number in some])
                    undone = undone + [(some[k], itemgetter(rows)) for k, rows in left]
            for number, part in undone:
                self._run_with_room(work, work.params[number], part)

    def _run_with_room(self, work: _Work, p: Tensor, part: Callable[[Array], Array]) -> None:
        """Run the formula again on the part for which it returned True (overflow), with the additional state."""
        state = self.state[p]
        self._make_room(state)
        _, *arrays = self._begin(work.group, state, p._array)
        formula = self._formula(work.group, work.t, p._array)
        self._blocks.run(formula, [tuple(map(part, (p._array, raw(p._grad), *arrays)))])

    def _place(self, p: Tensor, others: list[Array]) -> str:
        """The device of a parameter that is not a NumPy array. Its gradient and its state must be on the same device."""
        place = place_of(p._array)
        for a in others:
            if place_of(a) != place:
                self._explain_misfit(p, a) if a is others[0] else self._explain_move(p, a)
        return place

    def _explain_misfit(self, p: Tensor, g: Array) -> None:
        if not backend.is_writeable(p._array):
            raise RuntimeError(
                f"{self._name}.step: expected parameters whose memory can be written to, got one of shape {tuple(p.shape)} "
                "that was expanded or made of a read-only array; set its data to a copy. Nothing was changed"
            )
        mine, other = [(tuple(x.shape), str(x.dtype), str(backend.device_of(x))) for x in (p._array, g)]
        raise RuntimeError(
            f"{self._name}.step: expected a gradient of the parameter's (shape, dtype, device) = {mine}, got {other}; "
            "set the parameter's data before backward, or its .grad to None. Nothing was changed"
        )

    def _explain_move(self, p: Tensor, a: Array) -> None:
        mine, now = [(tuple(x.shape), str(x.dtype), str(backend.device_of(x))) for x in (a, p._array)]
        raise RuntimeError(
            f"{self._name}.step: expected a parameter of (shape, dtype, device) = {mine}, as at the steps before, got {now}; "
            "move or convert the model before its optimiser takes the first step"
        )

    def _begin(self, group: dict[str, Any], state: dict[str, Any], theta: Array) -> tuple:
        """The number of the parameter's next step and the arrays of its state. Missing arrays are created."""
        raise NotImplementedError(f"{self._name}: write _begin(self, group, state, theta) in the subclass")

    def _make_room(self, state: dict[str, Any]) -> None:
        """Add the arrays that the formula needs for larger numbers, after it returned True. `_begin` then returns them too."""
        raise NotImplementedError(f"{self._name}: write _make_room(self, state), since the formula returned True")

    def _formula(self, group: dict[str, Any], t: float, theta: Array) -> Formula:
        """The function of (theta, g, *state, s, d) that does step `t`. It changes all of these arrays in place except g."""
        raise NotImplementedError(f"{self._name}: write _formula(self, group, t, theta) in the subclass")

    def _sweep(self, kernels: Any, group: dict[str, Any], t: float, held: tuple[Array, ...]) -> Sweep | None:
        """The kernel that does step `t`, and the numbers that it needs; None if there is no kernel for it.

        `held` is (theta, *state) of a parameter; all have one dtype and as many arrays.
        """
        return None

    # -- loading ---------------------------------------------------------------------------------------------------------

    def _complete(self, where: str, group: dict[str, Any]) -> None:
        group |= {name: value for name, value in self._newer.items() if name in self.defaults and name not in group}
        if isinstance(group.get("betas"), list):  # from a JSON file
            group["betas"] = tuple(group["betas"])
        check_keys(where, group, tuple(self.defaults))

    def _checked_state(self, where: str, p: Tensor, entries: Any) -> dict[str, Any]:
        """A copy of one parameter's saved state, in the parameter's work dtype and on its device."""
        check_keys(where, entries, self._needed)
        copies = {}
        for name, value in entries.items():
            if name in self._per_element and (value is not None or name in self._needed):
                copies[name] = wrap(_copy_like(p._array, _checked_array(f"{where}[{name!r}]", p, value)))
            elif name == "step":
                copies[name] = counter(_checked_count(f"{where}['step']", value))
            elif name not in self._per_element:  # skip None, which PyTorch's SGD saves without momentum
                copies[name] = value
        return copies


def _checked_array(where: str, p: Tensor, value: Any) -> Array:
    """The array of a saved value. It must have the parameter's shape and hold real numbers."""
    got = tuple(value.shape) if hasattr(value, "shape") else value
    if got != tuple(p.shape):
        raise ValueError(f"{where}: expected the parameter's shape {tuple(p.shape)}, got {got}")
    try:
        array = backend.plain(raw(value))
    except TypeError as error:
        raise TypeError(f"{where}: {error}") from None
    if isinstance(array.dtype, np.dtype) and array.dtype.kind not in "fiub":
        raise TypeError(f"{where}: expected real numbers, got {array.dtype}")
    return array


def _checked_count(where: str, value: Any) -> float:
    """A saved number of steps as a float, checked to be at least 0."""
    if not isinstance(value, (Real, Tensor)) and getattr(value, "shape", None) != ():
        raise ValueError(f"{where}: expected a number, got {value!r}")
    try:
        count = float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise ValueError(f"{where}: expected a number of steps: {error}") from None
    if not count >= 0:
        raise ValueError(f"{where}: expected a number of steps, at least 0, got {count}")
    return count


# ---- arrays ------------------------------------------------------------------------------------------------------------


def counter(n: float) -> Tensor:
    """A tensor that holds the number of steps taken."""
    return wrap(np.asarray(n, np.float32))  # float32 and on the host, as in PyTorch


def zeros_like(theta: Array) -> Tensor:
    """The initial running average of the parameter's gradients: zeros, in float32 for a float16 parameter."""
    return wrap(backend.namespace(theta).zeros_like(theta, dtype=work_dtype(theta)))


def _copy_like(theta: Array, value: Array) -> Array:
    """A copy of `value` with the memory layout, work dtype and device of the parameter `theta`."""
    xp, dtype = backend.namespace(theta), work_dtype(theta)
    copy = xp.empty_like(theta, dtype=dtype)
    value = backend.to_numpy(value) if xp is np else xp.asarray(value)
    copy[...] = backend.astype(value, dtype)
    return copy
