"""A stand-in for CuPy where there is no GPU: NumPy's numbers, CuPy's rules.

It has the functions and keywords of CuPy that are listed here and no others; its arrays are no NumPy arrays, are not mixed with
them or with lists, and stay arrays when they are 0-d; its devices have no hash. It counts what crosses between the machines.
"""

import inspect
import sys
import types
from contextlib import contextmanager
from functools import partial
from typing import ClassVar

import numpy as np

# CuPy 14's functions and their arguments; tests/test_on_stand_in_gpu.py holds this list against a CuPy that is installed
FUNCTIONS = {
    **dict.fromkeys(["all", "any", "max", "min"], "a axis out keepdims"),
    **dict.fromkeys(["sum", "mean", "prod"], "a axis dtype out keepdims"),
    **dict.fromkeys(["argmax", "argmin"], "a axis dtype out keepdims"),
    **dict.fromkeys(["zeros", "empty", "ones"], "shape dtype order"),
    **dict.fromkeys(["zeros_like", "ones_like"], "a dtype order subok shape"),
    "empty_like": "prototype dtype order subok shape",
    "allclose": "a b rtol atol equal_nan",
    "arange": "start stop step dtype",
    "argsort": "a axis kind",
    **dict.fromkeys(["cumprod", "cumsum"], "a axis dtype out"),
    "diagonal": "a offset axis1 axis2",
    "nonzero": "a",
    "isclose": "a b rtol atol equal_nan",
    "ascontiguousarray": "a dtype",
    "broadcast_to": "array shape",
    "concat": "tup axis out dtype casting",
    "count_nonzero": "a axis",
    "expand_dims": "a axis",
    "eye": "N M k dtype order",
    **dict.fromkeys(["finfo", "iinfo"], "dtype"),
    "full": "shape fill_value dtype order",
    "full_like": "a fill_value dtype order subok shape",
    "linspace": "start stop num endpoint retstep dtype axis",
    "permute_dims": "a axes",
    "reshape": "a newshape order copy",
    "result_type": "*arrays_and_dtypes",
    "round": "a decimals out",
    "searchsorted": "a v side sorter",
    "stack": "tup axis out dtype casting",
    "take": "a indices axis out",
    **dict.fromkeys(["tril", "triu"], "m k"),
    "where": "condition x y",
}
UFUNCS = [
    *("acos", "asin", "atan", "atan2", "cosh", "sinh", "tan"),
    *("abs", "add", "ceil", "cos", "divide", "exp", "expm1", "floor", "fmod", "hypot", "isfinite", "isinf", "isnan", "log"),
    *("log10", "log1p", "log2", "maximum", "minimum", "multiply", "negative", "sign", "sin", "sqrt", "tanh", "trunc"),
]
ON_ARRAYS = {"a", "array", "prototype", "condition", "m"}  # a first argument of this name must be an array of CuPy's

crossings = {"to host": 0, "to device": 0}


def hidden(x):
    """An argument with the numbers for the arrays; what CuPy refuses is refused."""
    if isinstance(x, ndarray):
        return x.numbers
    if isinstance(x, (tuple, list)) and all(isinstance(item, (int, ndarray)) for item in x):
        return type(x)(map(hidden, x))
    if x is None or x is Ellipsis or isinstance(x, (bool, int, float, str, slice, type, np.dtype, np.generic)):
        return x
    raise TypeError(f"Unsupported type {type(x)}")


def shown(y):
    if isinstance(y, tuple):
        return tuple(map(shown, y))
    return ndarray(y) if isinstance(y, (np.ndarray, np.generic, bool, int)) else y


def view_of(x, numbers):
    """An array of memory that is `x`'s, on its device."""
    view = ndarray(numbers)
    view.device = x.device
    return view


# CuPy rounds a / b before it takes the floor: 1 // 0.1 is 10
ROUNDED = {np.floor_divide: lambda a, b: np.floor(a / b), np.remainder: lambda a, b: a - np.floor(a / b) * b}


def operate(ufunc, *inputs, out=None, **kwargs):
    """An elementwise function, to a new array or to `out`. As in CuPy's kernels, float32's subnormal numbers count as 0."""
    inputs = [flushed(hidden(x)) for x in inputs]
    rounded = ROUNDED.get(ufunc) if np.result_type(*inputs).kind == "f" else None
    y = flushed((rounded or ufunc)(*inputs, **kwargs))
    if out is None:
        return shown(y)
    np.copyto(hidden(out), y, casting="same_kind")
    return out


def flushed(x):
    if getattr(x, "dtype", None) != np.float32:
        return x
    small = np.abs(x) < np.finfo(np.float32).tiny
    return np.where(small, np.copysign(np.float32(0), x), x) if np.any(small) else x


def diagonal(a, *args):
    """NumPy's, but as CuPy's it can be written to."""
    y = np.diagonal(a, *args)
    y.flags.writeable = True
    return y


def function(name):
    numpys, names = getattr(np, name), FUNCTIONS[name].split()
    numpys = diagonal if name == "diagonal" else numpys
    numpys = partial(np.argsort, kind="stable") if name == "argsort" else numpys  # CuPy's sort is always stable
    several = names[0].startswith("*")
    kinds = [inspect.Parameter.VAR_POSITIONAL if several else inspect.Parameter.POSITIONAL_OR_KEYWORD] * len(names)
    signature = inspect.Signature([inspect.Parameter(n.strip("*"), kind) for n, kind in zip(names, kinds, strict=True)])

    def call(*args, **kwargs):
        signature.bind_partial(*args, **kwargs)  # raises at a keyword that CuPy's function has not
        if names[0] in ON_ARRAYS and not isinstance(args[0], ndarray):
            raise AttributeError(f"{name}: {type(args[0])} is no array of CuPy's")
        if name != "expand_dims" and isinstance(kwargs.get("axis"), int) and getattr(args[0], "ndim", 1) == 0:
            raise np.exceptions.AxisError(kwargs["axis"], 0)  # where NumPy takes a 0-d array for one of length 1
        return shown(numpys(*map(hidden, args), **{key: hidden(value) for key, value in kwargs.items()}))

    return call


class Device:
    """cupy.cuda.Device: its hash is None, as the real one's is; new arrays live on the one whose with-block this is."""

    entered: ClassVar[list[int]] = [0]

    def __init__(self, device=None):
        self.id = self.entered[-1] if device is None else int(device)

    def __eq__(self, other):
        return self.id == other.id

    __hash__ = None

    def __str__(self):
        return f"<CUDA Device {self.id}>"

    def __enter__(self):
        self.entered.append(self.id)
        return self

    def __exit__(self, *exc):
        self.entered.pop()


class ndarray(np.lib.mixins.NDArrayOperatorsMixin):
    """cupy.ndarray."""

    def __init__(self, numbers):
        self.numbers, self.device = np.asarray(numbers), Device()

    shape = property(lambda self: self.numbers.shape)
    strides = property(lambda self: self.numbers.strides)
    ndim = property(lambda self: self.numbers.ndim)
    size = property(lambda self: self.numbers.size)
    nbytes = property(lambda self: self.numbers.nbytes)
    dtype = property(lambda self: self.numbers.dtype)
    T = property(lambda self: view_of(self, self.numbers.T))
    mT = property(lambda self: view_of(self, self.numbers.mT))

    @property
    def flags(self):  # has no `writeable`
        return types.SimpleNamespace(c_contiguous=self.numbers.flags.c_contiguous)

    @property
    def data(self):
        owner = self.numbers
        while owner.base is not None:
            owner = owner.base
        return types.SimpleNamespace(ptr=self.numbers.ctypes.data, mem=types.SimpleNamespace(ptr=owner.ctypes.data))

    def __array__(self, dtype=None, copy=None):
        raise TypeError("Implicit conversion to a NumPy array is not allowed.")

    def __array_ufunc__(self, ufunc, method, *inputs, out=(None,), **kwargs):
        known = (ndarray, np.ndarray, np.generic, int, float, bool)  # of others CuPy says: let them try themselves
        if method != "__call__" or not all(isinstance(x, known) for x in (*inputs, *out) if x is not None):
            return NotImplemented
        return operate(ufunc, *inputs, out=out[0], **kwargs)

    def __matmul__(self, other):  # CuPy asks no other type here
        return operate(np.matmul, self, other)

    def __getitem__(self, index):
        parts = index if isinstance(index, tuple) else (index,)
        parts = parts if any(part is ... for part in parts) else (*parts, ...)  # a view, where NumPy's would be a number
        return view_of(self, self.numbers[tuple(map(hidden, parts))])

    def __setitem__(self, index, value):
        self.numbers[tuple(map(hidden, index)) if isinstance(index, tuple) else hidden(index)] = hidden(value)

    def __len__(self):
        return len(self.numbers)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def astype(self, dtype, copy=True):
        return ndarray(self.numbers.astype(dtype, copy=copy))

    def copy(self):
        return ndarray(self.numbers.copy())

    def reshape(self, *shape):
        return view_of(self, self.numbers.reshape(*shape))

    def all(self):
        return ndarray(self.numbers.all())

    # what makes the host wait for the device
    def get(self):
        crossings["to host"] += 1
        return self.numbers.copy()

    def item(self):
        return self.get().item()

    def __bool__(self):
        return bool(self.get())

    def __int__(self):
        return int(self.get())

    def __float__(self):
        return float(self.get())


for _name in ("add", "sub", "mul", "truediv", "pow"):  # in place, CuPy asks no other type either
    _ufunc = getattr(np, {"sub": "subtract", "mul": "multiply", "truediv": "divide", "pow": "power"}.get(_name, _name))
    setattr(ndarray, f"__i{_name}__", lambda self, other, _ufunc=_ufunc: operate(_ufunc, self, other, out=self))


def asarray(a, dtype=None):
    if isinstance(a, ndarray):
        return a if dtype in (None, a.dtype) and a.device == Device() else a.astype(dtype or a.dtype)
    crossings["to device"] += 1
    return ndarray(np.array(a, dtype=dtype))


def special(name):
    from tinynorm.backend import _host_special

    return lambda x: shown(_host_special(name)(hidden(x)))


def module(devices=1, error=None, compiles=True, product=56.0):
    """A module with as much of CuPy as tinynorm uses; one that does not work, if asked."""

    def count():
        if error:
            raise error
        return devices

    def kernel(source, name):
        if not compiles:
            raise RuntimeError("NVRTC is not found")

        def launch(grid, block, arguments):
            arguments[0][...] = arguments[0] * (2.0 if product == 56.0 else 3.0)

        return launch

    cupy = types.ModuleType("cupy")
    cupy.ndarray, cupy.asarray, cupy.asnumpy, cupy.RawKernel = ndarray, asarray, ndarray.get, kernel
    cupy.float32, cupy.int64 = np.float32, np.int64
    for name in UFUNCS:
        setattr(cupy, name, partial(operate, getattr(np, name)))
    for name in FUNCTIONS:
        setattr(cupy, name, function(name))
    cupy.cuda = types.SimpleNamespace(
        runtime=types.SimpleNamespace(getDeviceCount=count),
        Device=Device,
        get_current_stream=lambda: types.SimpleNamespace(synchronize=lambda: None),
    )
    pool = types.SimpleNamespace(freed=0)
    pool.free_all_blocks = lambda: setattr(pool, "freed", pool.freed + 1)
    cupy.get_default_memory_pool = lambda: pool
    return cupy


@contextmanager
def installation(monkeypatch):
    """A function that puts a module in CuPy's place, until the block ends."""
    from tinynorm import backend

    def install(cupy):
        functions = types.SimpleNamespace(erf=special("erf"), erfc=special("erfc"))
        scipy = types.SimpleNamespace(special=functions)
        for name, part in {"cupy": cupy, "cupyx": types, "cupyx.scipy": scipy, "cupyx.scipy.special": functions}.items():
            monkeypatch.setitem(sys.modules, name, part)
        backend.cuda_status.cache_clear()
        crossings.update(dict.fromkeys(crossings, 0))

    yield install
    monkeypatch.undo()
    backend.cuda_status.cache_clear()
