"""Recorded: an array of a step that is recorded. It notes each function that is called on it, and where it put the result."""

from __future__ import annotations

import operator
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any
from weakref import ref

import numpy as np


class _State(threading.local):
    tape: Any = None  # the tape that records what this thread does (see `tape`), or None


state = _State()


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
        if type(x.base) is Recorded:  # the view's base is x: if x held it, both would be there for ever
            return x.view(np.ndarray)
        if x.source is None or x.source.flags.writeable != x.flags.writeable:
            x.source = x.view(np.ndarray)
        return x.source
    if type(x) in (tuple, list):
        return type(x)(map(plain, x))
    return {k: plain(v) for k, v in x.items()} if type(x) is dict else x


class Watched:
    """Stands in for the attribute with the array of tensors while a tape records: no tensor is looked at without the tape."""

    def __get__(self, t: Any, owner: type | None = None) -> Any:
        try:
            array = vars(t)["_array"]
        except (KeyError, TypeError):
            raise AttributeError("_array") from None
        if state.tape is None:  # another thread, or what is called again as it is
            return plain(array)
        return state.tape.adopt(t, array) if type(array) is np.ndarray else array

    def __set__(self, t: Any, array: Any) -> None:
        if state.tape is not None:
            array = state.tape.holds(t, array)
            state.tape.tensors.append(ref(t))
        vars(t)["_array"] = array


# What tells of an array only what does not change from step to step
OF_SHAPE = {np.shape, np.ndim, np.size, np.result_type, np.can_cast, np.may_share_memory, np.shares_memory, np.iscomplexobj}
BY_NAME = {np.maximum, np.minimum}  # they want `out` by its name
# Functions that change their first argument
WRITING = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis}
# Those that take both numbers in the same dtype
OF_NUMBERS = {np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum, np.less, np.greater}
FILLING = {np.ones_like: 1, np.zeros_like: 0}
# Functions whose result has a size that depends on the values
OF_VALUES = {np.nonzero, np.flatnonzero, np.argwhere, np.unique, np.compress, np.extract, np.bincount, np.repeat}


class Departed(Exception):
    """The recorded step would go on in another way now: a value that it looked at is another one, or an index out of range."""


def _item(array: np.ndarray, index: Any) -> Any:
    try:
        return array[index]
    except IndexError:
        raise Departed from None


def _set_item(array: np.ndarray, index: Any, value: Any) -> None:
    try:
        array[index] = value
    except IndexError:
        raise Departed from None


class Recorded(np.ndarray):
    """An array of a step that is recorded."""

    source: Any = None  # the plain array that it is a view of
    scalar = False  # whether it stands for a NumPy scalar, which `+=` would not change in place

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: tuple = (), **kwargs: Any) -> Any:
        tape, ins, kwargs = state.tape, plain(inputs), plain(kwargs)
        f = ufunc if method == "__call__" else getattr(ufunc, method)
        if tape is None:
            return f(*ins, **kwargs, **({"out": plain(out)} if out else {}))
        if method == "at":
            tape.write(ins[0])
            tape.add(partial(f, *ins, **kwargs))
            return f(*ins, **kwargs)
        if not out:
            result = f(*ins, **kwargs)
            out = tuple(map(tape.made, result)) if type(result) is tuple else (tape.made(result),)
            outs = plain(out)
        else:
            outs = plain(out)
            tape.write(*outs)
            f(*ins, out=outs, **kwargs)
        if ufunc in OF_NUMBERS and not kwargs:  # a number takes NumPy as long as a small array
            dtype = np.result_type(*ins)
            ins = [x if isinstance(x, (np.ndarray, np.generic)) else np.asarray(x, dtype) for x in ins]
        if method == "__call__" and not kwargs and ufunc not in BY_NAME:
            tape.add(partial(f, *ins, *outs))
        else:
            tape.add(partial(f, *ins, out=outs, **kwargs))
        return out if len(out) > 1 else out[0]

    def __array_function__(self, function: Callable, types: Any, args: Any, kwargs: Any) -> Any:
        args, kwargs, tape = plain(args), plain(kwargs), state.tape
        if tape is None or function in OF_SHAPE:
            return function(*args, **kwargs)
        out = args[0] if function in WRITING else kwargs.get("out")
        if out is not None:
            tape.write(out)
            function(*args, **kwargs)
            tape.add(partial(function, *args, **kwargs))
            return None if function in WRITING else seen(out)
        if function in FILLING:
            return tape.filled(function(*args, **kwargs), FILLING[function])
        if function in OF_VALUES and (function is not np.repeat or not isinstance(args[1], int)):
            tape.refuse(f"{function.__name__} of values")
            return function(*args, **kwargs)
        result = function(*args, **kwargs)
        first = result[0] if isinstance(result, (tuple, list)) and result else result
        if isinstance(first, np.ndarray) and any(root(a) is root(first) for a in _arrays(args)):
            return type(result)(seen(r) for r in result) if first is not result else seen(result)
        return tape.do(function, args, kwargs, result)

    def __getitem__(self, index: Any) -> Any:
        mine, index = plain(self), plain(index)
        result = mine[index]
        if state.tape is None:
            return result
        if isinstance(result, np.ndarray) and root(result) is root(mine):
            return seen(result)
        if any(isinstance(i, np.ndarray) and i.dtype == np.bool_ for i in (index if isinstance(index, tuple) else (index,))):
            state.tape.refuse("the places where a mask is True are selected")
        made = state.tape.do(_item, (mine, index), {}, result)
        state.tape.may_depart()  # the next time a place may be out of range
        return made

    def __setitem__(self, index: Any, value: Any) -> None:
        call = partial(_set_item, plain(self), plain(index), plain(value))
        operator.setitem(*call.args)
        if state.tape is not None:
            state.tape.write(call.args[0])
            state.tape.add(call)
            if _arrays(index if isinstance(index, tuple) else (index,)):
                state.tape.may_depart()

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
            tape.add(partial(method, mine, *args, **kwargs))
            return seen(result)
        if isinstance(result, np.ndarray) and root(result) is root(mine):
            return seen(result)
        if name not in REDUCING:
            return tape.do(method, (mine, *args), kwargs, result)
        made = tape.made(result)
        tape.add(partial(method, mine, *args, out=plain(made), **kwargs))
        return made

    return record


def _changing(name: str) -> Callable:
    """A method that changes the array in place."""
    method = getattr(np.ndarray, name)

    def record(self: Recorded, *args: Any, **kwargs: Any) -> None:
        call = partial(method, plain(self), *plain(args), **plain(kwargs))
        call()
        if state.tape is not None:
            state.tape.write(call.args[0])
            state.tape.add(call)

    return record


def _asking(name: str) -> Callable:
    """A method that hands values to Python."""
    method = getattr(np.ndarray, name)

    def record(self: Recorded, *args: Any, **kwargs: Any) -> Any:
        if state.tape is not None:
            state.tape.refuse(f"values are handed to Python ({name.strip('_')})")
        return method(plain(self), *plain(args), **plain(kwargs))

    return record


def _in_place(name: str) -> Callable:
    """An operation in place; what stands for a scalar stays, and the name gets a new one."""
    change, operation = getattr(np.ndarray, f"__i{name}__"), getattr(np.ndarray, f"__{name}__")
    return lambda self, other: operation(self, other) if self.scalar else change(self, other)


MAKING = (
    *("__copy__", "__deepcopy__", "all", "any", "argmax", "argmin", "argpartition", "argsort", "astype", "clip", "conj"),
    *("copy", "cumprod", "cumsum", "diagonal", "dot", "flatten", "max", "mean", "min", "prod", "ravel", "repeat", "reshape"),
    *("round", "searchsorted", "std", "sum", "take", "trace", "var"),
)
REDUCING = {"max", "mean", "min", "prod", "sum"}  # of MAKING, those that take `out` for a single number too
CHANGING = ("fill", "partition", "put", "sort")
ASKING = (
    *("__complex__", "__contains__", "__float__", "__format__", "__index__", "__int__", "__reduce__", "__reduce_ex__"),
    *("__repr__", "__str__", "choose", "compress", "dump", "dumps", "item", "nonzero", "tobytes", "tofile", "tolist"),
)
IN_PLACE = ("add", "and", "floordiv", "lshift", "matmul", "mod", "mul", "or", "pow", "rshift", "sub", "truediv", "xor")
for _names, _method in ((MAKING, _making), (CHANGING, _changing), (ASKING, _asking)):
    for _name in _names:
        setattr(Recorded, _name, _method(_name))
for _name in IN_PLACE:
    setattr(Recorded, f"__i{_name}__", _in_place(_name))
