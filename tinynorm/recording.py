"""What a step does to arrays, recorded as a list of calls that can be done again (see `capture`).

While a tape records, the arrays of the step are `Recorded` ones: NumPy's arrays that note each function which is called on
them, and where it put its result. Doing the calls again, on the same arrays, does the step again: with the numbers that are
in its inputs then, and without the Python code that made the calls.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from functools import partial, wraps
from types import SimpleNamespace
from typing import Any

import numpy as np

state = SimpleNamespace(tape=None)  # the tape that records, or None


class Departed(Exception):
    """A value that the recorded step looked at is another one now: what follows may be wrong."""


class Tape:
    """A recorded step.

    Attributes
    ----------
    calls : list of callable
        What the step did, in order, without arguments left to give.
    own : dict
        The memory that the step made, by id: its results and everything between. (All other memory is there before it.)
    writes : list of (int, array)
        Memory that is not the step's own and that a call changes, with the number of the call.
    refusal : str
        Why the step cannot be done again by its calls; "" if nothing is known.
    """

    def __init__(self, caller: Callable[[], str]) -> None:
        self.calls: list[Callable[[], Any]] = []
        self.own: dict[int, np.ndarray] = {}
        self.writes: list[tuple[int, np.ndarray]] = []
        self.last_guard = 0  # the number of calls before the last look at a value
        self.refusal = ""
        self.caller = caller  # says which line of the user's runs
        self.adopted: dict[int, Any] = {}  # id -> a tensor from outside whose array is a Recorded one while the tape records
        self.entry: dict[int, tuple[Any, Any]] = {}  # id -> (a leaf, its .grad before the step), where the step depends on it
        self.leaves: dict[int, Any] = {}  # id -> a leaf whose .grad the step sets
        self.modules: dict[int, Any] = {}  # id -> a module that the step calls
        self.opaque: list[tuple[Any, Callable[[], Any]]] = []  # (an object, its method that is called again as it is)
        self.generators: dict[int, np.random.Generator] = {}
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
        self.own[id(root(array))] = root(array)
        recorded = seen(array)
        recorded.scalar = scalar
        return recorded

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self.made(np.empty(shape, dtype))

    def zeros(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        zeros = self.made(np.zeros(shape, dtype))
        self.calls.append(partial(plain(zeros).fill, 0))
        return zeros

    def do(self, function: Callable, args: Any, kwargs: Any, result: Any) -> Any:
        """Record a call that makes `result`: an array, a scalar, or several."""
        if isinstance(result, (tuple, list)):
            made = [self.made(r) for r in result]
            self.calls.append(partial(_into_all, [plain(m) for m in made], function, args, kwargs))
            return type(result)(made) if type(result) in (tuple, list) else tuple(made)
        made = self.made(result)
        self.calls.append(partial(_into, plain(made), function, args, kwargs))
        return made

    def write(self, *arrays: Any) -> None:
        """Note that the next call changes these arrays."""
        for a in arrays:
            if isinstance(a, np.ndarray) and id(root(a)) not in self.own:
                self.writes.append((len(self.calls), root(a)))

    def guard(self, array: np.ndarray, expected: bool) -> None:
        """The step goes on as recorded only where this value is what it was."""
        self.calls.append(partial(_check, array, expected))
        self.last_guard = len(self.calls)

    def launch(self, function: Callable, calls: list) -> None:
        """Run kernels: ``function(calls)``, each call a `partial`. All arrays that they are handed may change."""
        calls = [partial(c.func, *plain(c.args), **plain(c.keywords)) for c in calls]
        for c in calls:
            self.write(*c.args, *c.keywords.values())
        self.calls.append(partial(function, calls))
        state.tape = None  # the function itself would launch them by the tape
        try:
            function(calls)
        finally:
            state.tape = self

    # -- tensors ---------------------------------------------------------------------------------------------------------

    def adopt(self, t: Any) -> None:
        """Let the tensor hold a Recorded array, so that what is done with it is seen."""
        if type(t._array) is np.ndarray:
            t._array = seen(t._array)
            if id(root(t._array)) not in self.own:
                self.adopted[id(t)] = t

    def visit(self, module: Any) -> None:
        """A module is called: adopt what it holds."""
        self.modules[id(module)] = module
        for t in (*module._parameters.values(), *module._buffers.values()):
            if t is not None:
                self.adopt(t)

    def sets_grad(self, leaf: Any, grad: Any, depends: bool = False) -> None:
        """The `.grad` of a leaf becomes `grad`; with `depends`, the old one was looked at."""
        if depends:
            self.depends_on(leaf)
        self.leaves[id(leaf)] = leaf
        self.calls.append(partial(setattr, leaf, "_grad", grad))

    def lets(self, owner: Any, call: Callable[[], Any]) -> Any:
        """Let an object do something unseen now, and again each time: an optimiser's step."""
        self.opaque.append((owner, call))
        self.calls.append(call)
        state.tape = None
        self.show_plain()
        try:
            return call()
        finally:
            state.tape = self
            for t in self.adopted.values():
                for x in (t, t._grad):
                    if x is not None and type(x._array) is np.ndarray:
                        x._array = seen(x._array)

    def noting(self, kernels: Any) -> Any:
        """A family of kernels, each of which is noted when it is called."""
        return _Noting(self, kernels)

    def goes_backward(self, complete: list) -> None:
        """Gradients are about to be added to leaves: `complete` has (leaf, gradient, ...)."""
        self.backwards += 1
        for leaf, *_ in complete:
            self.adopt(leaf)
            if leaf._grad is not None:
                self.depends_on(leaf)
                leaf._grad._array = seen(leaf._grad._array)

    def depends_on(self, leaf: Any) -> None:
        """The step looks at the `.grad` that the leaf has now."""
        if id(leaf) not in self.leaves:
            self.entry.setdefault(id(leaf), (leaf, leaf._grad))
        self.leaves[id(leaf)] = leaf

    def show_plain(self) -> None:
        """Give the tensors from outside, and their gradients, plain arrays."""
        for t in self.adopted.values():
            for x in (t, t._grad):
                if x is not None:
                    x._array = plain(x._array)

    def draws(self, rng: np.random.Generator) -> Any:
        """The generator, whose random numbers are drawn anew each time."""
        self.generators[id(rng)] = rng
        return _Drawing(self, rng)


class _Noting:
    def __init__(self, tape: Tape, kernels: Any) -> None:
        self.tape, self.kernels = tape, kernels

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.tape.launch(_one, [partial(getattr(self.kernels, name), *args)])


class _Drawing:
    def __init__(self, tape: Tape, rng: np.random.Generator) -> None:
        self.tape, self.rng = tape, rng

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.rng, name)
        return (lambda *a, **k: self.tape.do(method, a, k, method(*plain(a), **plain(k)))) if callable(method) else method


def opaque(method: Callable) -> Callable:
    """A method that a tape does not look into: it is called again as it is, with what has changed in its object."""

    @wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if state.tape is None:
            return method(self, *args, **kwargs)
        return state.tape.lets(self, partial(method, self, *args, **kwargs))

    return call


def _one(calls: list) -> None:
    calls[0]()


# ---- the arrays --------------------------------------------------------------------------------------------------------


def root(array: Any) -> Any:
    """The array that owns the memory."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


def seen(array: np.ndarray) -> Any:
    """The array as a Recorded one."""
    recorded = array.view(Recorded)
    if type(array) is np.ndarray:
        recorded.source = array
    return recorded


def plain(x: Any) -> Any:
    """`x` with plain arrays in the place of Recorded ones, also in lists, tuples and dicts."""
    if type(x) is Recorded:
        if x.source is None:
            x.source = x.view(np.ndarray)
        return x.source
    if type(x) in (tuple, list):
        return type(x)(map(plain, x))
    return {k: plain(v) for k, v in x.items()} if type(x) is dict else x


def _into(out: np.ndarray, function: Callable, args: tuple, kwargs: dict) -> None:
    np.copyto(out, function(*args, **kwargs), casting="unsafe")


def _into_all(outs: list[np.ndarray], function: Callable, args: tuple, kwargs: dict) -> None:
    for out, result in zip(outs, function(*args, **kwargs), strict=True):
        np.copyto(out, result, casting="unsafe")


def _check(array: np.ndarray, expected: bool) -> None:
    if bool(array) is not expected:
        raise Departed


# What tells of an array only what does not change from step to step
OF_SHAPE = {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.may_share_memory, np.shares_memory, np.iscomplexobj}
BY_NAME = {np.maximum, np.minimum}  # they want `out` by its name
# Functions that change their first argument
WRITING = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
# Functions whose result has a size that depends on the values
OF_VALUES = {np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.histogram, np.bincount, np.repeat}


class Recorded(np.ndarray):
    """An array of a step that is recorded."""

    source: Any = None  # the plain array that it is a view of
    scalar = False  # whether it stands for a NumPy scalar, which `+=` would not change in place

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: tuple = (), **kwargs: Any) -> Any:
        tape, f, ins, kwargs = state.tape, getattr(ufunc, method), plain(inputs), plain(kwargs)
        if out:
            kwargs["out"] = plain(out)
        if tape is None:
            return f(*ins, **kwargs)
        if method == "at":
            tape.write(ins[0])
            f(*ins, **kwargs)
            tape.calls.append(partial(f, *ins, **kwargs))
            return None
        if method == "outer" and not out:
            return tape.do(f, ins, kwargs, f(*ins, **kwargs))
        if out:
            tape.write(*kwargs["out"])
        result = f(*ins, **kwargs)
        if not out:
            made = tuple(map(tape.made, result)) if type(result) is tuple else (tape.made(result),)
            kwargs["out"] = tuple(map(plain, made))
        else:
            made = tuple(o if a is None else a for a, o in zip(out, result if type(result) is tuple else (result,), strict=True))
        outs = kwargs.pop("out")
        if method == "__call__" and not kwargs and all(isinstance(o, np.ndarray) for o in outs) and ufunc not in BY_NAME:
            tape.calls.append(partial(f, *ins, *outs))
        else:
            tape.calls.append(partial(f, *ins, out=outs if method == "__call__" else outs[0], **kwargs))
        return made if type(result) is tuple else made[0]

    def __array_function__(self, function: Callable, types: Any, args: tuple, kwargs: dict) -> Any:
        args, kwargs, tape = plain(args), plain(kwargs), state.tape
        if tape is None or function in OF_SHAPE:
            return function(*args, **kwargs)
        if function in WRITING or kwargs.get("out") is not None:
            written = kwargs.get("out") if kwargs.get("out") is not None else args[0]
            tape.write(written)
            function(*args, **kwargs)
            tape.calls.append(partial(function, *args, **kwargs))
            return None if function in WRITING else seen(written)
        if function in OF_VALUES and (function is not np.repeat or not isinstance(args[1], int)):
            tape.refuse(f"{function.__name__} of values")
            return function(*args, **kwargs)
        result = function(*args, **kwargs)
        first = result[0] if isinstance(result, (tuple, list)) and result else result
        if isinstance(first, np.ndarray) and any(root(a) is root(first) for a in _arrays(args)):
            return type(result)(seen(r) for r in result) if first is not result else seen(result)
        if not isinstance(first, (np.ndarray, np.generic)):
            tape.refuse(f"{function.__name__} gives a Python value")
            return result
        return tape.do(function, args, kwargs, result)

    def __getitem__(self, index: Any) -> Any:
        mine, index = plain(self), plain(index)
        result = mine[index]
        if state.tape is None:
            return result
        if isinstance(result, np.generic):
            index = index if isinstance(index, tuple) else (index,)
            if not any(isinstance(i, np.ndarray) for i in index):  # a number: as a view of its place
                view = seen(mine[(*index, ...)])
                view.scalar = True
                return view
        elif root(result) is root(mine):
            return seen(result)
        if any(isinstance(i, np.ndarray) and i.dtype == np.bool_ for i in (index if isinstance(index, tuple) else (index,))):
            state.tape.refuse("the places where a mask is True are selected")
        return state.tape.do(operator.getitem, (mine, index), {}, result)

    def __setitem__(self, index: Any, value: Any) -> None:
        call = partial(operator.setitem, plain(self), plain(index), plain(value))
        call()
        if state.tape is not None:
            state.tape.write(call.args[0])
            state.tape.calls.append(call)

    def __bool__(self) -> bool:
        value = bool(plain(self))
        if state.tape is not None:
            name = sys._getframe(1).f_globals.get("__name__", "")
            if name.partition(".")[0] in ("tinynorm", "numpy"):
                state.tape.guard(plain(self), value)
            else:
                state.tape.refuse("the truth of an array is asked for")
        return value


def _arrays(args: Any) -> list[np.ndarray]:
    found = []
    for a in args:
        if isinstance(a, np.ndarray):
            found.append(a)
        elif type(a) in (tuple, list):
            found += _arrays(a)
    return found


def _making(name: str) -> Callable:
    """A method whose result is a new array (or sometimes, as reshape's, a view)."""
    method = getattr(np.ndarray, name)

    def record(self: Recorded, *args: Any, **kwargs: Any) -> Any:
        mine, args, kwargs, tape = plain(self), plain(args), plain(kwargs), state.tape
        result = method(mine, *args, **kwargs)
        if tape is None:
            return result
        if kwargs.get("out") is not None:
            tape.write(kwargs["out"])
            tape.calls.append(partial(method, mine, *args, **kwargs))
            return seen(result)
        if isinstance(result, np.ndarray) and root(result) is root(mine):
            return seen(result)
        return tape.do(method, (mine, *args), kwargs, result)

    return record


def _changing(name: str) -> Callable:
    """A method that changes the array in place."""
    method = getattr(np.ndarray, name)

    def record(self: Recorded, *args: Any, **kwargs: Any) -> None:
        call = partial(method, plain(self), *plain(args), **plain(kwargs))
        call()
        if state.tape is not None:
            state.tape.write(call.args[0])
            state.tape.calls.append(call)

    return record


def _asking(name: str) -> Callable:
    """A method that hands values to Python."""
    method = getattr(np.ndarray, name)

    def record(self: Recorded, *args: Any, **kwargs: Any) -> Any:
        if state.tape is not None:
            state.tape.refuse(f"values are handed to Python ({name.strip('_')})")
        return method(plain(self), *plain(args), **plain(kwargs))

    return record


MAKING = "all any argmax argmin argpartition argsort astype clip conj copy cumprod cumsum diagonal dot flatten max mean min"
MAKING += " prod ravel repeat reshape round searchsorted std sum take trace var"
for _name in MAKING.split():
    setattr(Recorded, _name, _making(_name))
for _name in "fill partition put sort".split():
    setattr(Recorded, _name, _changing(_name))
ASKING = "__complex__ __contains__ __float__ __format__ __index__ __int__ __repr__ __str__ choose compress dump dumps item"
for _name in f"{ASKING} nonzero tobytes tofile tolist".split():
    setattr(Recorded, _name, _asking(_name))
for _name in "add and_ floordiv lshift matmul mod mul or_ pow rshift sub truediv xor".split():
    _bare = _name.strip("_")
    setattr(Recorded, f"__i{_bare}__", (lambda m, u: lambda s, o: u(s, o) if s.scalar else m(s, o))(
        getattr(np.ndarray, f"__i{_bare}__"), getattr(operator, _name)))  # fmt: skip
