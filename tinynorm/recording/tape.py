"""Tape: what a step does to arrays, as a list of calls that can be done again.

While a tape records, the arrays of the step are `Recorded` ones. Doing the calls again, on the same arrays, does the step
again: with the numbers that are in its inputs then, and without the Python code that made the calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial, wraps
from itertools import repeat
from typing import Any
from weakref import ref

import numpy as np

from .array import Departed, Recorded, plain, root, seen, state
from .memory import mapped, memory_of, place_of
from .surroundings import Surroundings

# What makes a copy of its first argument, in another dtype or order perhaps
COPYING = {np.copy, np.ndarray.astype, np.ndarray.copy, np.ndarray.__copy__, np.ndarray.flatten, np.ascontiguousarray}


class Tape:
    """A recorded step.

    Attributes
    ----------
    calls : list of callable
        What the step did, in order, without arguments left to give. In the stead of the step's own arrays they have places.
    own : dict
        The numbers of the memory that the step made and that is still there, by id: its results and everything between. (All
        other memory is there before it.)
    writes : list of (int, array)
        Memory that is not the step's own and that a call changes, with the number of the call.
    refusal : str
        Why the step cannot be done again by its calls; "" if nothing is known.
    """

    def __init__(self, caller: Callable[[], str]) -> None:
        self.calls: list[Callable[[], Any]] = []
        self.own: dict[int, int] = {}
        self._watching: dict[int, ref[Any]] = {}  # number -> that memory
        self.writes: list[tuple[int, np.ndarray]] = []
        self.inputs: set[int] = set()  # the ids of the memory of its inputs
        self.changed_input = False
        self.last_guard = 0  # the number of calls before the last look at a value
        self.looks: set[int] = set()  # the numbers of the calls that look at one
        self.refusal = ""
        self.caller = caller  # says which line of the user's runs
        self.tensors: list[ref[Any]] = []  # those that got an array while the tape records
        self.adopted: dict[int, Any] = {}  # id -> a tensor from outside whose array is a Recorded one while the tape records
        self.entry: dict[int, tuple[Any, Any]] = {}  # id -> (a leaf, its .grad before the step), where the step depends on it
        self.leaves: dict[int, tuple[int, Any]] = {}  # id -> (the number of the call, a leaf whose .grad it sets)
        self.unset: dict[int, tuple[Any, Any]] = {}  # id -> (a leaf, the .grad that it is still to get)
        self.bumps: list[tuple[Any, str]] = []  # version counters that count, and the name of the op
        self.modules: dict[int, Any] = {}  # id -> a module that the step calls
        self.opaque: list[tuple[int, Any]] = []  # (the number of the call, an object whose method is called again as it is)
        self.generators: dict[int, tuple[int, Any]] = {}  # id -> (the number of the call, a `backend.Generator`)
        self.grads: list[Any] = []  # the tensors that the step puts into `.grad`
        self.backwards = 0  # how many times the step went backward

    def refuse(self, what: str) -> None:
        """Note that the step cannot be done again by its calls (the first reason is kept)."""
        if not self.refusal:
            self.refusal = f"{what}, {self.caller()}"

    # -- arrays ----------------------------------------------------------------------------------------------------------

    def made(self, array: Any) -> Recorded:
        """A result of the step's, which the next time is written into the same memory."""
        scalar = not isinstance(array, np.ndarray)
        array = np.asarray(array)
        self._number(root(array))
        recorded = seen(array)
        recorded.scalar = scalar
        return recorded

    def input(self, array: np.ndarray) -> np.ndarray:
        """Memory that gets new numbers each time, before the calls are done."""
        self._number(root(array))
        self.inputs.add(id(root(array)))
        return array

    def _number(self, memory: np.ndarray) -> None:
        """Make memory the step's own, as long as it is there."""
        if id(memory) not in self.own:
            self.own[id(memory)] = number = len(self._watching)
            self._watching[number] = ref(memory, partial(_forget, self.own, id(memory)))

    def add(self, call: Callable[[], Any]) -> None:
        """Record a call."""
        self.calls.append(mapped(self._placed, call))

    def _placed(self, array: Any) -> Any:
        number = self.own.get(id(root(array))) if isinstance(array, np.ndarray) else None
        return array if number is None else place_of(array, number)

    def is_own(self, array: Any) -> bool:
        return id(root(array)) in self.own

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self.filled(np.zeros(shape, dtype), 0)

    def filled(self, array: np.ndarray, value: float) -> np.ndarray:
        """An array that has this value everywhere, and each time begins with it."""
        made = self.made(array)
        self.add(partial(np.ndarray.fill, plain(made), value))
        return made

    def unseen(self, call: Callable[[], Any]) -> Any:
        """Call what is recorded as a whole, or called again as it is."""
        state.tape = None
        try:
            return call()
        finally:
            state.tape = self

    def do(self, function: Callable, args: Any, kwargs: Any, result: Any) -> Any:
        """Record a call that makes `result`: an array, a scalar, or several."""
        if isinstance(result, (tuple, list)):
            several = [self.made(r) for r in result]
            self.add(partial(_into_all, plain(several), function, args, kwargs))
            return several if isinstance(result, list) else tuple(several)
        made = self.made(result)
        copied = args[0] if function in COPYING else None
        if isinstance(copied, np.ndarray):
            self.add(partial(np.copyto, plain(made), copied, "unsafe"))
        else:
            self.add(partial(_into, plain(made), function, args, kwargs))
        return made

    def write(self, *arrays: Any) -> None:
        """Note that the next call changes these arrays."""
        for a in arrays:
            if isinstance(a, np.ndarray) and not self.is_own(a):
                self.writes.append((len(self.calls), root(a)))
            elif id(root(a)) in self.inputs:
                self.changed_input = True
                self.refuse("an input is changed in place")

    def changes(self, calls: int) -> tuple[list, list, list, list]:
        """What the first calls change, so many of them: arrays from outside, leaves' .grad, generators, and opaque objects."""
        several = self.writes, self.leaves.values(), self.generators.values(), self.opaque
        arrays, leaves, generators, opaque = ([*{id(x): x for at, x in some if at < calls}.values()] for some in several)
        return arrays, leaves, generators, opaque

    def guard(self, array: np.ndarray, expected: bool) -> None:
        """The step goes on as recorded only where this value is what it was."""
        self.add(partial(_check, array, expected))
        self.may_depart()

    def may_depart(self) -> None:
        """The last call may find another value: what the calls so far do may have to be undone."""
        self.last_guard = len(self.calls)
        self.looks.add(self.last_guard - 1)

    def launch(self, function: Callable, calls: list[Any]) -> None:
        """Run kernels: ``function(calls)``, each call a `partial`.

        They write into memory of the step's own. A kernel that changes other arrays says how many: its first `changes` ones.
        """
        calls = [partial(c.func, *plain(c.args), **plain(c.keywords)) for c in calls]
        others = [a for c in calls for a in c.args if isinstance(a, np.ndarray) and not self.is_own(a)]
        before = [a.tobytes() for a in others]
        for c in calls:
            self.write(*c.args[: getattr(c.func, "changes", 0)])
        self.unseen(partial(function, calls))
        self.write(*(a for a, numbers in zip(others, before, strict=True) if a.tobytes() != numbers))
        self.add(calls[0] if len(calls) == 1 else partial(function, calls))

    # -- tensors ---------------------------------------------------------------------------------------------------------

    def adopt(self, t: Any, array: np.ndarray) -> Recorded:
        """A tensor from outside is looked at: it gets a Recorded array, so that what is done with it is seen."""
        self.adopted[id(t)] = t
        held = vars(t)["_array"] = seen(array)
        return held

    def holds(self, t: Any, array: Any) -> Any:
        """A tensor gets an array. A plain one was made of numbers, the same ones each time."""
        if id(t) in self.adopted and array is not vars(t)["_array"]:
            self.refuse("the memory of a tensor is replaced")
        if type(array) is not np.ndarray or self.is_own(array):
            return seen(array) if type(array) is np.ndarray else array
        made = self.made(array.copy("K"))
        self.add(partial(np.copyto, plain(made), array.copy()))
        return made

    def visit(self, module: Any) -> None:
        """A module is called."""
        self.modules[id(module)] = module

    def sets_grad(self, leaf: Any, grad: Any, depends: bool = False) -> None:
        """The `.grad` of a leaf becomes `grad`; with `depends`, the old one was looked at."""
        if depends:
            self.depends_on(leaf)
        if not self.is_own(leaf._array):  # a leaf that the step makes is forgotten with it
            self.grads += [] if grad is None else [grad]
            self.unset[id(leaf)] = leaf, grad

    def set_grads(self) -> None:
        """Let the leaves have their .grad: somebody may look at it now."""
        if self.unset:
            for leaf, _ in self.unset.values():
                self.leaves.setdefault(id(leaf), (len(self.calls), leaf))
            self.add(partial(_set_grads, *zip(*self.unset.values(), strict=True)))
            self.unset = {}

    def end(self) -> None:
        """Record what can be done at the end, all at once."""
        self.set_grads()
        if self.bumps:
            self.add(partial(_bump, self.bumps))
        self._postpone()

    def _postpone(self) -> None:
        """Let calls that change other memory wait for the last look at a value: they need not be undone then.

        Such as those that change the running statistics. A call can wait if no later one before that look is handed the same
        memory.
        """
        writing, barriers = {i for i, _ in self.writes}, {i for i, _ in self.opaque}
        late, touched = list[int](), set[int]()
        for i in reversed(range(self.last_guard)):
            if i in barriers:
                break
            memory = memory_of(self.calls[i])
            if i in writing and i not in self.looks and touched.isdisjoint(memory):
                late.insert(0, i)
            else:
                touched |= memory
        soon = [i for i in range(self.last_guard) if i not in late]
        order = [*soon, *late, *range(self.last_guard, len(self.calls))]
        place = {i: k for k, i in enumerate(order)}
        self.calls, self.last_guard = [self.calls[i] for i in order], len(soon)
        self.writes = [(place.get(i, i), array) for i, array in self.writes]
        self.opaque = [(place.get(i, i), owner) for i, owner in self.opaque]
        for found in (self.leaves, self.generators):
            found.update({key: (place.get(i, i), x) for key, (i, x) in found.items()})

    def lets(self, owner: Any, call: Callable[[], Any], again: Callable | None = None) -> Any:
        """Let an object do something unseen now, and again each time: an optimiser's step. `again` may make a faster call."""
        self.set_grads()
        self.opaque.append((len(self.calls), owner))
        if self.unseen(partial(self._depends, call)):
            self.refuse(f"what {type(owner).__name__}.step is given depends on the step's inputs")
        result = self.unseen(call)
        self.add(call if again is None else self.unseen(partial(again, call)))
        return result

    def _depends(self, call: Any) -> bool:
        """Whether the arguments of a call, or what the functions among them name, have memory of the step's own."""
        given = [*call.args[1:], *call.keywords.values()]
        found = [*Surroundings(given).tensors, *(x for x in given if hasattr(x, "_array"))]
        return any(self.is_own(t._array) for t in found)

    def noting(self, kernels: Any) -> Any:
        """A family of kernels, each of which is noted when it is called."""
        return _Noting(self, kernels)

    def goes_backward(self, complete: list) -> None:
        """Gradients are about to be added to leaves: `complete` has (leaf, gradient, ...)."""
        self.backwards += 1
        for leaf, *_ in complete:
            if leaf._grad is not None:
                self.depends_on(leaf)

    def depends_on(self, leaf: Any) -> None:
        """The step looks at the `.grad` that the leaf has now, or changes it in place."""
        if self.is_own(leaf._array):
            return
        if id(leaf) not in self.leaves and id(leaf) not in self.unset:
            self.entry.setdefault(id(leaf), (leaf, leaf._grad))
        self.leaves.setdefault(id(leaf), (len(self.calls), leaf))

    def draws(self, generator: Any) -> Any:
        """NumPy's generator in ours, whose random numbers are drawn anew each time."""
        self.generators.setdefault(id(generator), (len(self.calls), generator))
        return _Drawing(self, generator)


class _Noting:
    def __init__(self, tape: Tape, kernels: Any) -> None:
        self.tape, self.kernels = tape, kernels

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.tape.launch(_one, [partial(getattr(self.kernels, name), *args)])


class _Drawing:
    def __init__(self, tape: Tape, generator: Any) -> None:
        self.tape, self.generator = tape, generator

    def __getattr__(self, name: str) -> Any:
        def draw(*args: Any, **kwargs: Any) -> Any:  # a seed replaces NumPy's generator
            return getattr(self.generator._rng, name)(*args, **kwargs)

        if not callable(getattr(self.generator._rng, name)):
            return getattr(self.generator._rng, name)
        return lambda *a, **k: self.tape.do(draw, plain(a), plain(k), draw(*plain(a), **plain(k)))


def opaque(method: Callable) -> Callable:
    """A method that a tape does not look into: it is called again as it is, with what has changed in its object."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if state.tape is None:
            return method(self, *args, **kwargs)
        again = None if args or kwargs else getattr(self, "_again", None)
        return state.tape.lets(self, partial(method, self, *args, **kwargs), again)

    return call


def whole(function: Callable) -> Callable:
    """A function of arrays that a tape records as one call, whatever it looks at inside."""

    @wraps(function)
    def call(*args: Any) -> Any:
        tape = state.tape
        if tape is None:
            return function(*args)
        args = plain(args)
        result = tape.unseen(partial(function, *args))
        if result is not args[0]:
            return tape.do(function, args, {}, result)
        tape.write(result)
        tape.add(partial(function, *args))
        return seen(result)

    return call


def _forget(own: dict[int, int], key: int, _: Any) -> None:
    own.pop(key, None)


def _one(calls: list) -> None:
    calls[0]()


def _set_grads(leaves: tuple, grads: tuple) -> None:
    deque(map(setattr, leaves, repeat("_grad"), grads), maxlen=0)


def _bump(bumps: list) -> None:
    for version, op in bumps:
        version.count += 1
        version.op = op


def _into(out: np.ndarray, function: Callable, args: tuple, kwargs: dict) -> None:
    out[...] = function(*args, **kwargs)


def _into_all(outs: list[np.ndarray], function: Callable, args: tuple, kwargs: dict) -> None:
    for out, result in zip(outs, function(*args, **kwargs), strict=True):
        out[...] = result


def _check(array: np.ndarray, expected: bool) -> None:
    if bool(array) is not expected:
        raise Departed
