"""Functions that make tensors: from numbers, from arrays of other libraries, and from random draws."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, SupportsIndex

import numpy as np

from . import backend
from .backend import Generator, default_generator, device, namespace_on
from .ops.convert import as_dtype
from .ops.shape import _ints as _sizes
from .tensor import Tensor, raw

Size = SupportsIndex | Sequence[int]


def tensor(data: Any, dtype: Any = None, device: device | str | None = None, requires_grad: bool = False) -> Tensor:
    """Make a tensor with its own memory.

    Parameters
    ----------
    data : number, nested lists, array or Tensor
        The numbers, which are copied.
    dtype : dtype, optional
        Default: arrays and NumPy scalars keep their dtype, also inside lists. Python floats become float32, ints become
        int64, and bools stay bool.
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
            [3., 4.]], dtype=float64)
    """
    data = backend.plain(raw(data))
    array = backend.copy(data) if backend.is_array(data) else _host_array(data, narrow=dtype is None)
    if dtype is not None:
        dtype = as_dtype(dtype, array)
        if not backend.is_array(data):
            _check_fits("tensor", array, dtype)
        array = backend.astype(array, dtype)
    if isinstance(array, np.ndarray):
        array = backend.astype(array, array.dtype.newbyteorder("="))  # the byte order of this machine
    t = Tensor(array if device is None else backend.move(array, device))
    return t.requires_grad_(requires_grad)


def _host_array(data: Any, narrow: bool = True) -> np.ndarray:
    """Convert numbers to an array. If `narrow` is True, Python floats (but not NumPy floats) become float32."""
    try:
        array = np.array(data)
    except ValueError as error:
        raise ValueError(f"tensor: expected numbers in nested lists of equal lengths; {error}") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"tensor: expected real numbers or booleans, got {type(data).__name__} of {array.dtype}")
    while isinstance(data, (list, tuple)) and data:
        if isinstance(data[0], np.ndarray):
            data = list(map(backend.plain, data))  # raises an error for masked arrays
        data = data[0]  # the first number shows whether these are Python's or NumPy's floats
    if narrow and array.dtype == np.float64 and not isinstance(data, (np.generic, np.ndarray)):
        array = array.astype(np.float32)
    return array


def _check_fits(op: str, numbers: np.ndarray, dtype: np.dtype) -> None:
    """Check that all numbers are in the range of an integer dtype.

    If the dtype is unsigned, a negative number may wrap around, as in PyTorch.

    Raises
    ------
    RuntimeError
        A number is out of range. The message has the first such number.
    """
    if dtype.kind not in "iu" or not numbers.size:
        return
    info = np.iinfo(dtype)
    fits = (numbers >= (info.min or -info.max)) & (numbers <= info.max)
    if not fits.all():
        wrong = numbers[~fits].flat[0]
        raise RuntimeError(f"{op}: expected numbers that fit into {dtype}, {info.min} to {info.max}, got {wrong}")


def as_tensor(data: Any, dtype: Any = None, device: device | str | None = None) -> Tensor:
    """A tensor that shares the memory of `data` if `data` is an array or Tensor with this dtype and on this device.

    >>> as_tensor(np.zeros(2))
    tensor([0., 0.], dtype=float64)
    """
    if not isinstance(data, Tensor):
        data = Tensor(data) if backend.is_array(data) else tensor(data, dtype)
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
    tensor([5., 0.], dtype=float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expected a numpy.ndarray, got {type(array).__name__}")
    return Tensor(array)


def from_dlpack(x: Any) -> Tensor:
    """A tensor that shares the memory of another library's array, through DLPack; on the CPU or on CUDA.

    >>> from_dlpack(np.ones(2))
    tensor([1., 1.], dtype=float64)
    """
    x = backend.plain(x)
    kind = x.__dlpack_device__()[0]
    return Tensor((np if kind == 1 else namespace_on("cuda")).from_dlpack(x))


def _make(build: Callable[[Any, Any], Any], dtype: Any, where: device | str | None, requires_grad: bool) -> Tensor:
    xp = namespace_on(where)
    dtype = backend.float32 if dtype is None else as_dtype(dtype)
    if xp is np:
        array = build(xp, dtype)
    else:
        with xp.cuda.Device(device(where).index if where is not None else None):
            array = build(xp, dtype)
    return Tensor(array).requires_grad_(requires_grad)


def zeros(*size: Size, dtype: Any = None, device: device | str | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros of the given size, float32 unless told otherwise.

    >>> zeros(2, 2)
    tensor([[0., 0.],
            [0., 0.]])
    """
    return _make(lambda xp, dt: xp.zeros(_sizes(size), dt), dtype, device, requires_grad)


def ones(*size: Size, dtype: Any = None, device: device | str | None = None, requires_grad: bool = False) -> Tensor:
    """Ones of the given size, float32 unless told otherwise.

    >>> ones(3)
    tensor([1., 1., 1.])
    """
    return _make(lambda xp, dt: xp.ones(_sizes(size), dt), dtype, device, requires_grad)


def empty(*size: Size, dtype: Any = None, device: device | str | None = None, requires_grad: bool = False) -> Tensor:
    """A tensor of the given size with uninitialised memory: it has arbitrary numbers. float32 unless told otherwise.

    >>> empty(2, 3).shape
    (2, 3)
    """
    return _make(lambda xp, dt: xp.empty(_sizes(size), dt), dtype, device, requires_grad)


def full(
    size: Size, fill_value: Any, dtype: Any = None, device: device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of the given size, filled with one number. Unless told otherwise, it has the dtype of the number.

    >>> full((2,), 7.0)
    tensor([7., 7.])
    """
    if isinstance(fill_value, Tensor):
        dtype, fill_value = fill_value.dtype if dtype is None else dtype, fill_value.item()
    dtype = _host_array(fill_value).dtype if dtype is None else as_dtype(dtype)
    _check_fits("full", np.asarray(fill_value), dtype)
    fill_value = np.asarray(fill_value).astype(dtype).item()
    return _make(lambda xp, dt: xp.full(_sizes((size,)), fill_value, dt), dtype, device, requires_grad)


def eye(
    n: int, m: int | None = None, dtype: Any = None, device: device | str | None = None, requires_grad: bool = False
) -> Tensor:
    """The identity matrix, (n, m).

    >>> eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return _make(lambda xp, dt: xp.eye(n, m, dtype=dt), dtype, device, requires_grad)


def _number(x: Any) -> Any:
    """Convert a tensor or array with one element to a Python number; return any other number unchanged."""
    return x.item() if hasattr(x, "item") else x


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
    start, end, step = map(_number, (start, end, step))
    if dtype is None:
        integers = all(isinstance(b, (int, np.integer)) for b in (start, end, step))
        dtype = backend.int64 if integers else backend.float32
    if not all(map(math.isfinite, (start, end, step))):
        raise RuntimeError(f"arange: expected finite numbers, got start={start}, end={end}, step={step}")
    if as_dtype(dtype) == backend.int64:
        start, end, step = int(start), int(end), int(step)
    if step == 0 or (end - start) * step < 0:
        raise RuntimeError(f"arange: expected a step that leads from start={start} to end={end}, got {step}")
    if as_dtype(dtype).kind in "iu":
        n = math.ceil((end - start) / step)
        return _make(lambda xp, dt: (int(start) + int(step) * xp.arange(n)).astype(dt), dtype, device, requires_grad)
    # computed in float64 and then rounded: in float32 NumPy would round the step, and this error would grow with each step
    return _make(lambda xp, dt: xp.arange(start, end, step).astype(dt), dtype, device, requires_grad)


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
    tensor([0. , 0.5, 1. ])
    """
    start, end = _number(start), _number(end)
    if steps < 0:
        raise RuntimeError(f"linspace: expected a number of steps that is not negative, got {steps}")

    def integers(xp: Any, dt: Any) -> Any:  # counted from the nearer end, as in PyTorch
        i, first, last = xp.arange(steps), int(start), int(end)
        step = (last - first) / max(steps - 1, 1)
        return xp.where(i < steps // 2 if steps > 1 else i < 1, first + step * i, last - step * (steps - 1 - i)).astype(dt)

    if dtype is not None and as_dtype(dtype).kind in "iu":
        return _make(integers, dtype, device, requires_grad)
    return _make(lambda xp, dt: xp.linspace(start, end, steps, dtype=dt), dtype, device, requires_grad)


def _draw(
    draw: Callable[[np.random.Generator], np.ndarray], generator: Generator | None, dtype: Any, where: Any, grad: bool
) -> Tensor:
    """Make a tensor of random numbers, drawn on the host, so that a seed gives the same numbers on every device."""
    array = np.asarray(draw((generator or default_generator).rng)).astype(as_dtype(dtype))
    return Tensor(array if where is None else backend.move(array, where)).requires_grad_(grad)


def rand(
    *size: Size, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform random numbers from [0, 1), float32 unless told otherwise.

    >>> rand(2, 3).shape
    (2, 3)
    """
    return _draw(lambda rng: rng.random(_sizes(size)), generator, dtype or backend.float32, device, requires_grad)


def randn(
    *size: Size, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Normal random numbers with mean 0 and variance 1, float32 unless told otherwise.

    >>> randn(2, 3).shape
    (2, 3)
    """
    return _draw(lambda rng: rng.standard_normal(_sizes(size)), generator, dtype or backend.float32, device, requires_grad)


def randint(
    low: Any = 0,
    high: Any = None,
    size: Size | None = None,
    *,
    generator: Generator | None = None,
    dtype: Any = None,
    device: Any = None,
) -> Tensor:
    """Random integers: ``randint(high, size)`` from 0, ``randint(low, high, size)`` from low; high is excluded.

    Raises
    ------
    TypeError
        `high` or `size` is missing, or a bound is not an integer.
    ValueError
        `high` is not larger than `low`, or the integers do not fit into the dtype.

    Examples
    --------
    >>> randint(0, 10, size=(2, 3)).shape
    (2, 3)
    """
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    if not isinstance(size, (tuple, list)):
        raise TypeError(f"randint: expected (high, size) or (low, high, size) with a size such as (3,), got {size!r} as size")
    if not low < high:
        raise ValueError(f"randint: expected low < high, since high is not among the numbers, got low={low}, high={high}")
    low, high, dtype = operator.index(low), operator.index(high), as_dtype(dtype or backend.int64)
    least, most = (0, 1) if dtype.kind == "b" else (low, high)
    if dtype.kind in "iu":
        least, most = np.iinfo(dtype).min, np.iinfo(dtype).max
    if low < least or high - 1 > most:
        raise ValueError(f"randint: expected numbers that fit into {dtype}, {least} to {most}, got low={low}, high={high}")
    return _draw(lambda rng: rng.integers(low, high, tuple(size)), generator, dtype, device, False)


def randperm(n: int, *, generator: Generator | None = None, device: Any = None) -> Tensor:
    """The integers 0 to n - 1 in random order.

    >>> sorted(randperm(4).tolist())
    [0, 1, 2, 3]
    """
    return _draw(lambda rng: rng.permutation(n), generator, backend.int64, device, False)
