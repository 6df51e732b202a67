"""Functions that make tensors: from numbers, from arrays of other libraries, and as PyTorch's old constructors do."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex

import numpy as np

from . import backend
from .backend import device, namespace_on
from .dtypes import dtype_of
from .ops.common import as_held_by, into, python_number
from .ops.convert import OLD_TYPES, as_dtype
from .tensor import Size as Shape
from .tensor import Tensor, method, raw, tensor_of

Size = SupportsIndex | Sequence[int]


def tensor(data: Any, dtype: Any = None, device: device | str | None = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor with its own memory.

    Parameters
    ----------
    data : number, nested lists, array or Tensor
        The numbers, which are copied.
    dtype : dtype, optional
        Default: arrays, Tensors and NumPy scalars keep their dtype; in lists, the widest counts. Python floats become float32
        (see `set_default_dtype`), ints become int64, and bools stay bool.
    device : device or str, optional
        Default: an array stays where it is; the rest goes to the CPU.
    requires_grad : bool

    Raises
    ------
    ValueError, TypeError
        The data are not numbers, or the nested lists have different lengths.
    RuntimeError
        The device is not available.

    Examples
    --------
    >>> tensor([[1, 2], [3, 4]], dtype="float64")
    tensor([[1., 2.],
            [3., 4.]], dtype=torch.float64)
    """
    data = backend.given(raw(data))
    array = backend.copy(data) if backend.is_array(data) else _host_array(data, narrow=dtype is None)
    if dtype is not None:
        dtype = as_dtype(dtype, array)
        if not backend.is_array(data):
            _check_fits("tensor", array, dtype)
        array = backend.astype(array, dtype)
    if isinstance(array, np.ndarray):
        array = backend.astype(array, array.dtype.newbyteorder("="))  # the byte order of this machine
    return tensor_of(array if device is None else backend.move(array, device), requires_grad)


def _host_array(data: Any, narrow: bool = True) -> np.ndarray:
    """Convert numbers to an array. If `narrow` is True, Python floats count as the default dtype, not as float64."""
    kinds: set[Any] = set()
    try:
        array = np.array(_collected(data, kinds))
    except ValueError:
        raise ValueError("tensor: expected numbers in nested lists of equal lengths, got some of different lengths") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"tensor: expected real numbers or booleans, got {type(data).__name__} of {array.dtype}")
    if narrow and array.dtype.kind == "f":
        floats = [kind for kind in kinds if isinstance(kind, np.dtype) and kind.kind == "f"]
        python = [] if floats and float not in kinds else [backend.default_dtype]
        array = array.astype(np.result_type(*floats, *python) if floats else backend.default_dtype, copy=False)
    return array


PYTHONS = {float, int, bool}


def _collected(data: Any, kinds: set) -> Any:
    """The data with arrays in place of Tensors; the types of its Python numbers and the dtypes of the rest go to `kinds`."""
    if isinstance(data, (list, tuple)):
        types = set(map(type, data))
        if types <= PYTHONS:
            kinds |= types or {float}
            return data
        return [_collected(item, kinds) for item in data]
    if isinstance(data, Tensor):
        data = backend.to_numpy(data._array)
    kinds.add(data.dtype if isinstance(getattr(data, "dtype", None), np.dtype) else type(data))
    return backend.plain(data)


def _check_fits(op: str, numbers: np.ndarray, dtype: np.dtype) -> None:
    """Check that all numbers are in the range of an integer dtype.

    If the dtype is unsigned, a negative integer may wrap around, as in PyTorch.

    Raises
    ------
    RuntimeError
        A number is out of range. The message has the first such number.
    """
    if dtype.kind not in "iu" or not numbers.size:
        return
    info, whole = np.iinfo(dtype), numbers.dtype.kind != "f"
    fits = (numbers >= (info.min or -info.max * whole)) & (numbers <= info.max) & (whole | (numbers < 2.0**63))
    if not fits.all():
        wrong = numbers[~fits].flat[0]
        raise RuntimeError(f"{op}: expected numbers that fit into {dtype}, {info.min} to {info.max}, got {wrong}")


def as_tensor(data: Any, dtype: Any = None, device: device | str | None = None) -> Tensor:
    """A tensor that shares the memory of `data` if `data` is an array or Tensor with this dtype and on this device.

    >>> as_tensor(np.zeros(2))
    tensor([0., 0.], dtype=torch.float64)
    """
    if not isinstance(data, Tensor):
        data = tensor_of(backend.given(data)) if backend.is_array(data) else tensor(data, dtype)
    return data if dtype is None and device is None else data.to(dtype=dtype, device=device)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor on the CPU that shares the array's memory.

    Raises
    ------
    TypeError
        `array` is not a NumPy array.

    Examples
    --------
    >>> a = np.zeros(2)
    >>> t = from_numpy(a)
    >>> a[0] = 5
    >>> t
    tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a numpy.ndarray, got {type(array).__name__}")
    return tensor_of(backend.given(array))


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of another library's array, through DLPack; on the CPU or on CUDA.

    >>> from_dlpack(np.ones(2))
    tensor([1., 1.], dtype=torch.float64)
    """
    x = backend.plain(ext_tensor)
    kind = x.__dlpack_device__()[0]
    return tensor_of(backend.given((np if kind == 1 else namespace_on("cuda")).from_dlpack(x)))


def set_default_dtype(d: Any) -> None:
    """Set the dtype of new tensors of Python floats, and of `zeros`, `rand` …: float32 at first, or float64 or float16.

    >>> set_default_dtype("float64")
    >>> tensor([1.0]).dtype
    torch.float64
    >>> set_default_dtype("float32")
    """
    dtype = as_dtype(d)
    if dtype.kind != "f":
        raise TypeError(f"set_default_dtype: expected a floating-point dtype such as tinynorm.float64, got {dtype}")
    backend.default_dtype = dtype


def get_default_dtype() -> Any:
    """The dtype of new tensors of Python floats; see `set_default_dtype`.

    >>> get_default_dtype()
    torch.float32
    """
    return dtype_of(np.empty(0, backend.default_dtype))


def shape_from(op: str, args: tuple, size: Any = None) -> tuple[int, ...]:
    """The shape that sizes give: separate ints, or one sequence of them, or one by name.

    Raises
    ------
    TypeError, RuntimeError
        A size is no integer, or is negative.
    """
    if size is not None:
        if args:
            raise TypeError(f"{op}: got sizes and size=, which mean the same; pass one")
        args = (size,)
    given = args[0] if len(args) == 1 and isinstance(args[0], (tuple, list)) else args
    try:
        shape = tuple(map(operator.index, given))
    except (TypeError, RuntimeError):
        raise TypeError(f"{op}: expected the sizes as integers, such as {op}(2, 3), got {given!r}") from None
    if shape and min(shape) < 0:
        raise RuntimeError(f"{op}: expected sizes that are not negative, got {shape}")
    return shape


def _make(build: Callable[[Any, Any], Any], dtype: Any, where: device | str | None, requires_grad: bool) -> Tensor:
    xp = namespace_on(where)
    dtype = backend.default_dtype if dtype is None else as_dtype(dtype)
    if xp is np:
        array = build(xp, dtype)
    else:
        with xp.cuda.Device(device(where).index if where is not None else None):
            array = build(xp, dtype)
    return tensor_of(array, requires_grad)


def zeros(
    *sizes: Size,
    size: Size | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Zeros of the given size, float32 unless told otherwise.

    >>> zeros(2, 2)
    tensor([[0., 0.],
            [0., 0.]])
    """
    shape = shape_from("zeros", sizes, size)
    return into(out, _make(lambda xp, dt: xp.zeros(shape, dt), dtype, device, requires_grad))


def ones(
    *sizes: Size,
    size: Size | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones of the given size, float32 unless told otherwise.

    >>> ones(3)
    tensor([1., 1., 1.])
    """
    shape = shape_from("ones", sizes, size)
    return into(out, _make(lambda xp, dt: xp.ones(shape, dt), dtype, device, requires_grad))


def empty(
    *sizes: Size,
    size: Size | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the given size with uninitialised memory: it has arbitrary numbers. float32 unless told otherwise.

    >>> empty(2, 3).shape
    torch.Size([2, 3])
    """
    shape = shape_from("empty", sizes, size)
    return into(out, _make(lambda xp, dt: xp.empty(shape, dt), dtype, device, requires_grad))


def full(
    size: Size,
    fill_value: Any,
    dtype: Any = None,
    device: device | str | None = None,
    requires_grad: bool = False,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """A tensor of the given size, filled with one number. Unless told otherwise, it has the dtype of the number.

    >>> full((2,), 7.0)
    tensor([7., 7.])
    """
    if isinstance(fill_value, Tensor):
        dtype = fill_value.dtype if dtype is None else dtype
    shape, fill_value = shape_from("full", (size,)), _number("full", fill_value)
    dtype = _host_array(fill_value).dtype if dtype is None else as_dtype(dtype)
    fill_value = as_held_by("full", dtype, fill_value)
    return into(out, _make(lambda xp, dt: xp.full(shape, fill_value, dt), dtype, device, requires_grad))


def eye(
    n: int, m: int | None = None, dtype: Any = None, device: device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """The identity matrix, (n, m).

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    shape = shape_from("eye", (n, n if m is None else m))
    return _make(lambda xp, dt: xp.eye(*shape, dtype=dt), dtype, device, requires_grad)


def _number(op: str, x: Any) -> Any:
    """A Python number: of a tensor, an array or a NumPy scalar its only element."""
    x = python_number(x)
    if hasattr(x, "item") and math.prod(x.shape) == 1:
        x = x.item()
    if not isinstance(x, (int, float)):
        raise TypeError(f"{op}: expected a number, got {type(x).__name__}")
    return x


def whole(op: str, name: str, n: Any) -> int:
    """An integer argument.

    Raises
    ------
    TypeError
        It is none.
    """
    try:
        return operator.index(n)
    except (TypeError, RuntimeError):
        raise TypeError(f"{op}: expected {name} to be an integer, got {n!r}") from None


def arange(
    start: float = 0,
    end: float | None = None,
    step: float = 1,
    *,
    dtype: Any = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, … up to but without end; int64 for integers, else float32. ``arange(end)`` begins at 0.

    With an integer dtype, `start` and `step` are truncated to integers. With int64 this happens before the number of steps is
    computed (and `end` is truncated too); with another integer dtype it happens after that.

    Raises
    ------
    RuntimeError
        The step is 0 or leads away from the end, or a number is not finite.

    Examples
    --------
    >>> arange(1, 7, step=2)
    tensor([1, 3, 5])
    """
    if end is None:
        start, end = 0, start
    start, end, step = (_number("arange", x) for x in (start, end, step))
    if dtype is None:
        integers = all(isinstance(b, (int, np.integer)) for b in (start, end, step))
        dtype = backend.int64 if integers else backend.default_dtype
    if not all(map(math.isfinite, (start, end, step))):
        raise RuntimeError(f"arange: expected finite numbers, got start={start}, end={end}, step={step}")
    if as_dtype(dtype) == backend.int64:
        start, end, step = int(start), int(end), int(step)
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"arange: expected a step that leads from start={start} to end={end}, got {step}")
    if as_dtype(dtype).kind in "iu":
        n = math.ceil((end - start) / step)
        return _make(lambda xp, dt: (int(start) + int(step) * xp.arange(n)).astype(dt), dtype, device, requires_grad)
    # Computed in float64 and then rounded: in float32 the step's rounding error would grow. (NumPy's own arange
    # of floats takes the rounded difference of the first two numbers for the step.)
    n = math.ceil((end - start) / step)
    return _make(lambda xp, dt: (start + step * xp.arange(n, dtype=backend.float64)).astype(dt), dtype, device, requires_grad)


def linspace(
    start: float, end: float, steps: int, dtype: Any = None, device: device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """`steps` evenly spaced numbers from `start` to `end`, both included.

    With an integer dtype, both ends and all numbers between them are truncated to integers (towards 0).

    Raises
    ------
    RuntimeError
        The number of steps is negative.

    Examples
    --------
    >>> linspace(0, 1, 3)
    tensor([0.0000, 0.5000, 1.0000])
    """
    start, end, steps = _number("linspace", start), _number("linspace", end), whole("linspace", "steps", steps)
    if steps < 0:
        raise RuntimeError(f"linspace: expected a number of steps that is not negative, got {steps}")

    def spaced(xp: Any, dt: Any) -> Any:
        first, last = (as_held_by("linspace", dt, n) for n in (start, end))
        if dt.kind in "iu":
            return _from_the_nearer_end(xp, first, last, steps).astype(dt)
        if dt != backend.float32 or steps < 2:
            return xp.linspace(start, end, steps, dtype=dt)
        return _from_the_nearer_end(xp, np.float32(start), np.float32(end), steps).astype(dt)

    return _make(spaced, dtype, device, requires_grad)


def _from_the_nearer_end(xp: Any, first: Any, last: Any, steps: int) -> Any:
    """Evenly spaced numbers as PyTorch counts them, which shows in the last digit and where they are truncated."""
    i, step = xp.arange(steps), float((last - first) / type(last)(max(steps - 1, 1)))
    return xp.where(i < max(steps // 2, 1), float(first) + step * i, float(last) - step * (steps - 1 - i))


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    dtype: Any = None,
    device: device | str | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` numbers from base^start to base^end, evenly spaced on a logarithmic scale.

    With an integer dtype `start` and `end` are truncated to integers, and so are the powers; a single one is base^start.

    >>> logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    start, end, steps = _number("logspace", start), _number("logspace", end), whole("logspace", "steps", steps)
    if steps < 0:
        raise RuntimeError(f"logspace: expected a number of steps that is not negative, got {steps}")

    def powers(xp: Any, dt: Any) -> Any:
        if dt.kind in "iu" and steps > 1:
            return (float(base) ** _from_the_nearer_end(xp, int(start), int(end), steps)).astype(dt)
        return (float(base) ** xp.linspace(start, end, steps, dtype=backend.float64)).astype(dt)

    return _make(powers, dtype, device, requires_grad)


# ---- like a tensor that is there -------------------------------------------------------------------------------------


def as_of(x: Tensor, dtype: Any, device: Any) -> dict[str, Any]:
    """dtype and device of x, where none other is asked for."""
    return {"dtype": x.dtype if dtype is None else dtype, "device": x.device if device is None else device}


@method()
def new_tensor(self: Tensor, data: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`tensor`, but in the dtype and on the device of this one unless told otherwise.

    >>> tensor([1.5]).new_tensor([1, 2])
    tensor([1., 2.])
    """
    return tensor(data, requires_grad=requires_grad, **as_of(self, dtype, device))


@method()
def new(self: Tensor, *data: Any, device: Any = None) -> Tensor:
    """PyTorch's old constructor: ``x.new(2, 3)`` is uninitialised and of this size, ``x.new([1, 2])`` has these numbers.

    The dtype and device are those of `x`.

    >>> tensor([1, 2]).new([3.7])
    tensor([3])
    """
    options = as_of(self, None, device)
    return tensor_of(old_constructor("new", as_dtype(options["dtype"]), data, options["device"]))


@method()
def new_empty(
    self: Tensor, *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`empty` in the dtype and on the device of this tensor unless told otherwise.

    >>> tensor([1, 2]).new_empty(3).dtype
    torch.int64
    """
    return empty(*sizes, size=size, requires_grad=requires_grad, **as_of(self, dtype, device))


@method()
def new_zeros(
    self: Tensor, *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`zeros` in the dtype and on the device of this tensor unless told otherwise.

    >>> tensor([1, 2]).new_zeros(3)
    tensor([0, 0, 0])
    """
    return zeros(*sizes, size=size, requires_grad=requires_grad, **as_of(self, dtype, device))


@method()
def new_ones(
    self: Tensor, *sizes: Any, size: Any = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """`ones` in the dtype and on the device of this tensor unless told otherwise.

    >>> tensor([1, 2]).new_ones(3)
    tensor([1, 1, 1])
    """
    return ones(*sizes, size=size, requires_grad=requires_grad, **as_of(self, dtype, device))


@method()
def new_full(
    self: Tensor,
    size: Any,
    fill_value: Any,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`full` in the dtype and on the device of this tensor unless told otherwise.

    >>> tensor([1.5]).new_full((2,), 7)
    tensor([7., 7.])
    """
    return full(size, fill_value, requires_grad=requires_grad, **as_of(self, dtype, device))


# ---- PyTorch's old constructors ---------------------------------------------------------------------------------------


def old_constructor(name: str, dtype: Any, data: tuple, device: Any = None) -> Any:
    """The array for ``Tensor(2, 3)``, uninitialised and of this size, or ``Tensor([1, 2])``, with these numbers.

    Raises
    ------
    TypeError
        The argument is neither a size nor a sequence.
    """
    first = data[0] if len(data) == 1 else None
    if isinstance(first, Tensor):
        return first.to(dtype=None if name == "Tensor" else dtype, device=device)._array
    if len(data) == 1 and not isinstance(first, (int, np.integer, Shape)):
        if not hasattr(first, "__len__"):
            given = f"{type(first).__name__}; tinynorm.tensor({first!r}) makes a tensor of one number"
            raise TypeError(f"{name}: expected sizes, or one sequence of numbers, got a {given}")
        return tensor(first, dtype=dtype, device=device)._array
    return empty(*(data or (0,)), dtype=dtype, device=device)._array


class TensorType:
    """An old constructor: ``FloatTensor([1, 2])`` has these numbers, ``FloatTensor(2, 3)`` is uninitialised and of this size.

    It is also a type to convert to, and to ask for.

    Examples
    --------
    >>> x = LongTensor([1, 2])
    >>> x.type(FloatTensor)
    tensor([1., 2.])
    >>> isinstance(x, LongTensor), isinstance(x, FloatTensor)
    (True, False)
    """

    def __init__(self, name: str) -> None:
        self.name: str = name
        self.dtype: np.dtype = OLD_TYPES[name]

    @property
    def __numpy_dtype__(self) -> np.dtype:  # as in `dtypes`
        return self.dtype

    def __call__(self, *data: Any, device: device | str | None = None, **others: Any) -> Tensor:
        if others:
            raise TypeError(f"{self.name}: expected sizes, or one sequence of numbers, and device=, got {next(iter(others))}=")
        return tensor_of(old_constructor(self.name, self.dtype, data, device))

    def __instancecheck__(self, x: object) -> bool:
        return isinstance(x, Tensor) and bool(x.dtype == self.dtype)

    def __repr__(self) -> str:
        return f"<class 'torch.{self.name}'>"


BoolTensor, DoubleTensor, FloatTensor = TensorType("BoolTensor"), TensorType("DoubleTensor"), TensorType("FloatTensor")
IntTensor, LongTensor = TensorType("IntTensor"), TensorType("LongTensor")


# ---- what a dtype can hold --------------------------------------------------------------------------------------------


class finfo:
    """The limits of a floating-point dtype, as Python floats: `eps`, `max`, `min`, `tiny`, `smallest_normal`, `resolution`.

    >>> finfo("float32").eps == 2.0**-23, finfo().bits
    (True, 32)
    """

    def __init__(self, type: Any = None) -> None:
        dtype = backend.default_dtype if type is None else as_dtype(type)
        if dtype.kind != "f":
            raise TypeError(f"finfo: expected a floating-point dtype, got {dtype}; iinfo is for integers")
        info = np.finfo(dtype)
        self.eps, self.max, self.min, self.tiny = float(info.eps), float(info.max), float(info.min), float(info.tiny)
        self.smallest_normal, self.resolution, self.bits, self.dtype = self.tiny, float(info.resolution), info.bits, str(dtype)

    def __repr__(self) -> str:
        names = ("resolution", "min", "max", "eps", "smallest_normal", "tiny")
        return "finfo(" + ", ".join(f"{name}={getattr(self, name):g}" for name in names) + f", dtype={self.dtype})"


class iinfo:
    """The limits of an integer dtype: `max`, `min`, `bits`.

    >>> iinfo("int8").max
    127
    """

    def __init__(self, type: Any) -> None:
        dtype = as_dtype(type)
        if dtype.kind not in "iu":
            raise TypeError(f"iinfo: expected an integer dtype, got {dtype}; finfo is for floating-point ones")
        info = np.iinfo(dtype)
        self.max, self.min, self.bits, self.dtype = int(info.max), int(info.min), info.bits, str(dtype)

    def __repr__(self) -> str:
        return f"iinfo(min={self.min}, max={self.max}, dtype={self.dtype})"
