"""The array libraries NumPy and CuPy: the type and device of an array, moves between devices, and random numbers.

Only this file names CuPy. It imports CuPy when CUDA is first used. The other files call `namespace` to get the functions that
fit an array, so they also work with any array of the Python array API standard.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from functools import cache, cached_property, wraps
from typing import Any, TypeVar

import numpy as np

from .recording import Recorded, seen
from .recording import state as recorded

F = TypeVar("F", bound=Callable)
Array = Any  # a numpy.ndarray, a cupy.ndarray, or any array of the Python array API standard

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
int8, int16, int32, int64 = np.dtype("int8"), np.dtype("int16"), np.dtype("int32"), np.dtype("int64")
uint8, bool_ = np.dtype("uint8"), np.dtype("bool")
NUMPYS = {np.ndarray, Recorded}  # the types of NumPy's arrays that formulas work on
default_dtype = float32  # of new tensors of Python floats; creation.set_default_dtype changes it


# ---- the type of an array ------------------------------------------------------------------------------------------


def _is_cupy(x: Any) -> bool:
    cupy = sys.modules.get("cupy")  # no CuPy array can exist before CuPy is imported
    return cupy is not None and isinstance(x, cupy.ndarray)


def is_array(x: Any) -> bool:
    """Whether `x` is an array that a Tensor can hold."""
    if isinstance(x, np.ndarray) or _is_cupy(x):
        return True
    return hasattr(x, "__array_namespace__") and hasattr(x, "shape") and not isinstance(x, np.generic)


def plain(x: Any) -> Any:
    """Return `x`, or for a subclass of NumPy's array, such as np.matrix, a plain array with the same memory.

    (For np.matrix, ``*`` is the matrix product and slices keep two dimensions. Formulas would give wrong results silently.)

    Raises
    ------
    TypeError
        `x` is a masked array. A plain array would lose its mask.

    Examples
    --------
    >>> type(plain(np.zeros(2).view(np.recarray))).__name__
    'ndarray'
    """
    if type(x) in NUMPYS or not isinstance(x, np.ndarray):
        return x
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            "expected an array without a mask, got a masked array, whose mask a Tensor would lose; fill it: a.filled(0.0), "
            "or keep the mask as a tensor of its own: a.data and a.mask"
        )
    return np.asarray(x)


def given(x: Any) -> Any:
    """`plain`, for an array that a program hands in. A step that is recorded reads it again each time."""
    x = plain(x)
    return seen(x) if recorded.tape is not None and type(x) is np.ndarray else x


def namespace(x: Any) -> Any:
    """The module whose functions work on `x`: numpy, cupy, or for a Tensor tinynorm's ops, which record a graph.

    >>> namespace(np.zeros(3)).__name__
    'numpy'
    """
    if type(x) is np.ndarray or isinstance(x, np.generic):
        return np
    if _is_cupy(x):
        return sys.modules["cupy"]
    try:
        return x.__array_namespace__()
    except AttributeError:
        if hasattr(x, "__array_namespace__"):
            raise
        raise no_array(x) from None


def no_array(x: Any, op: str = "") -> TypeError:
    """The error for an object that is neither a Tensor nor an array."""
    where = f"{op}: " if op else ""
    return TypeError(f"{where}expected a Tensor, got {type(x).__name__}; tinynorm.tensor(...) makes one of numbers and lists")


def is_floating(x: Array) -> bool:
    """Whether the array holds floating-point numbers (only those can have a gradient)."""
    dtype = x.dtype
    return dtype.kind == "f" if hasattr(dtype, "kind") else bool(namespace(x).isdtype(dtype, "real floating"))


def is_bool(x: Array) -> bool:
    """Whether the array holds booleans."""
    return x.dtype.kind == "b" if hasattr(x.dtype, "kind") else bool(namespace(x).isdtype(x.dtype, "bool"))


def is_half(x: Any) -> bool:
    """Whether the array is float16. (Sums of float16 arrays are accumulated in float32.)"""
    return getattr(x.dtype, "char", "") == "e"


def astype(x: Any, dtype: Any) -> Any:
    """Convert `x` to `dtype`; return `x` itself if it already has that dtype."""
    if x.dtype == dtype:
        return x
    return x.astype(dtype) if hasattr(x, "astype") else namespace(x).astype(x, dtype)


def copy(x: Array) -> Array:
    """A new array with the same elements."""
    return x.copy() if isinstance(x, np.ndarray) or _is_cupy(x) else namespace(x).asarray(x, copy=True)


def shares_memory(x: Array, y: Array) -> bool:
    """Whether `y`, which was made from `x` by a change of shape, is a view of `x`. True if this is unknown."""
    if isinstance(x, np.ndarray):
        base = y.base
        return (base is not None and (base is x or base is x.base)) or x.size == 0 or np.may_share_memory(x, y)
    return x.size == 0 or not _is_cupy(x) or x.data.mem.ptr == y.data.mem.ptr


def is_writeable(x: Array) -> bool:
    """Whether the array can be written to. CuPy has no read-only flag, so for its arrays: whether no elements share memory."""
    if _is_cupy(x):
        return all(stride or n < 2 for stride, n in zip(x.strides, x.shape, strict=True))
    return bool(getattr(getattr(x, "flags", None), "writeable", True))


# ---- devices -------------------------------------------------------------------------------------------------------


class device:
    """The device of a tensor: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Parameters
    ----------
    type : str or device
        ``"cpu"``, ``"cuda"``, or ``"cuda:INDEX"``.
    index : int, optional
        The number of the GPU, if `type` does not contain it.

    Raises
    ------
    RuntimeError
        `type` is none of these texts. (A device that is missing gives no error here, but moving a tensor to it does.)

    Examples
    --------
    >>> device("cuda:1").index
    1
    >>> str(device("cpu"))
    'cpu'
    """

    __slots__ = ("index", "type")
    type: str
    index: int | None

    def __init__(self, type: str | device, index: int | None = None) -> None:
        if isinstance(type, device):
            index = type.index
            type = type.type
        kind, colon, number = str(type).partition(":")
        if kind not in ("cpu", "cuda") or (colon and not number.isdecimal()):
            raise RuntimeError(f"device: expected 'cpu', 'cuda' or 'cuda:INDEX', got {type!r}")
        self.type = kind
        self.index = int(number) if colon else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r}" + ("" if self.index is None else f", index={self.index}") + ")"


CPU = device("cpu")


@cache
def cuda_status() -> tuple[Any, str]:
    """(cupy, "") if CUDA works; (None, the reason) if it does not.

    CUDA works if CuPy can be imported, a device responds, NVRTC compiles a kernel and a small matrix product is correct.
    """
    try:
        import cupy
    except Exception as error:
        return None, (
            f"CuPy does not import ({type(error).__name__}: {error}); install it with "
            "pip install 'cupy-cuda12x>=14' (driver for CUDA 12) or pip install 'cupy-cuda13x>=14' (CUDA 13)"
        )
    try:
        if cupy.cuda.runtime.getDeviceCount() < 1:
            return None, "the CUDA driver answers but shows no GPU; check nvidia-smi and CUDA_VISIBLE_DEVICES"
    except Exception as error:
        return None, f"no GPU answers ({error}); this needs an NVIDIA GPU and its driver, check nvidia-smi"
    return _try_cuda(cupy)


def _try_cuda(cupy: Any) -> tuple[Any, str]:
    """The last two steps of `cuda_status`: compile a kernel (NVRTC) and check a small matrix product (cuBLAS)."""
    fix = "the CUDA libraries may be missing: pip install -U 'cupy-cuda12x[ctk]' (or 'cupy-cuda13x[ctk]')"
    try:
        source = 'extern "C" __global__ void twice(float* x) { x[threadIdx.x] *= 2.0f; }'
        x = cupy.arange(4, dtype=cupy.float32)
        cupy.RawKernel(source, "twice")((1,), (4,), (x,))
        product = float((x.reshape(1, 4) @ x.reshape(4, 1))[0, 0])
    except Exception as error:
        return None, f"a small CUDA computation failed ({type(error).__name__}: {error}); {fix}"
    if product != 56.0:
        return None, f"a small CUDA product came out as {product}, not 56; {fix}"
    return cupy, ""


def device_of(x: Array) -> Any:
    """The device of an array."""
    if isinstance(x, np.ndarray):
        return CPU
    return device("cuda", x.device.id) if _is_cupy(x) else x.device


def namespace_on(where: device | str | None) -> Any:
    """numpy for the CPU (or None), cupy for CUDA.

    Raises
    ------
    RuntimeError
        `where` is a CUDA device and CUDA does not work. The message gives the reason and the fix.
    """
    if where is None or device(where).type == "cpu":
        return np
    cupy, reason = cuda_status()
    if cupy is None:
        raise RuntimeError(f"device {str(where)!r} is not available: {reason}")
    return cupy


def move(x: Array, where: device | str) -> Array:
    """Move the array to the given device; return the same array if it is already there."""
    where, xp = device(where), namespace_on(where)
    if xp is np:
        return to_numpy(x)
    with xp.cuda.Device(where.index):
        return xp.asarray(x)


def to_numpy(x: Array) -> np.ndarray:
    """The array as a NumPy array: a NumPy array unchanged, a GPU array as a copy on the host."""
    if isinstance(x, np.ndarray):
        return x
    return sys.modules["cupy"].asnumpy(x) if _is_cupy(x) else np.asarray(x)


def zeros(shape: tuple[int, ...], like: Array, dtype: Any = None) -> Array:
    """Zeros for a formula to write into, on the device of `like`, and in its dtype if none is given."""
    dtype = like.dtype if dtype is None else dtype
    if recorded.tape is not None and isinstance(like, np.ndarray):
        return recorded.tape.zeros(shape, dtype)
    return namespace(like).zeros(shape, dtype=dtype, **on_device_of(like))


def as_numpy(x: Any) -> np.ndarray:
    """An array or a number on the host as a NumPy array."""
    return x if type(x) in NUMPYS else np.asarray(x)


def from_host(host: np.ndarray, like: Array) -> Array:
    """The numbers of a NumPy array on the device of `like`."""
    return host if isinstance(like, np.ndarray) else namespace(like).asarray(host, **on_device_of(like))


def check_same_device(op: str, arrays: list) -> None:
    """Check that all arrays are on the same device.

    Raises
    ------
    RuntimeError
        Two arrays are on different devices. The message names the op and both devices.
    """
    for x in arrays:
        if type(x) is not np.ndarray:
            break
    else:
        return
    devices = {str(device_of(x)): None for x in arrays if is_array(x)}
    if len(devices) > 1:
        first, second = list(devices)[:2]
        raise RuntimeError(
            f"{op}: expected all tensors on one device, got {first} and {second}; "
            f"move one with .to({first!r}) or .to({second!r})"
        )


# ---- random numbers ------------------------------------------------------------------------------------------------


class Generator:
    """A random number generator on the host, so that a seed gives the same numbers for every device.

    Examples
    --------
    >>> a, b = Generator().manual_seed(7), Generator().manual_seed(7)
    >>> bool(a.rng.random() == b.rng.random())
    True
    """

    def __init__(self, device: Any = "cpu") -> None:
        pass  # whatever the device is

    @cached_property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng()  # at the first use: loading numpy.random would take a quarter of `import tinynorm`

    def __getstate__(self) -> dict:
        return {**vars(self), "_rng": self._rng}  # a copy gives the same numbers, also where none was drawn yet

    @property
    def rng(self) -> np.random.Generator:
        return self._rng if recorded.tape is None else recorded.tape.draws(self)

    @rng.setter
    def rng(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def manual_seed(self, seed: int) -> Generator:
        """Set the seed (a non-negative int). Returns the generator."""
        self._rng = np.random.default_rng(seed)
        return self

    def get_state(self) -> dict:
        """The state as plain numbers and strings, for a checkpoint."""
        return dict(self._rng.bit_generator.state)

    def set_state(self, state: dict) -> Generator:
        """Restore a state that `get_state` returned. Returns the generator.

        Raises
        ------
        ValueError
            `state` is not such a state, or it belongs to another kind of generator. The generator is then unchanged.
        """
        kind = type(self._rng.bit_generator)
        trial = kind(0)  # tried on a copy first: if an entry is missing, the setter may already have set others
        try:
            trial.state = state
        except (TypeError, ValueError, KeyError, IndexError, OverflowError, AttributeError) as error:
            raise ValueError(f"set_state: expected a state of {kind.__name__}, as get_state gives it; {error!r}") from None
        self._rng.bit_generator.state = state
        return self


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Set the seed of tinynorm's default generator, and return the generator.

    >>> _ = manual_seed(0)
    """
    return default_generator.manual_seed(seed)


# ---- functions that differ between NumPy, CuPy and the array API standard --------------------------------------------


def on_gpu(x: Any) -> bool:
    """Whether the array is a CuPy array."""
    return _is_cupy(x)


@cache
def _host_special(name: str) -> Callable[[np.ndarray], np.ndarray]:
    try:
        from scipy import special
    except ImportError:
        elementwise = np.frompyfunc(getattr(math, name), 1, 1)

        def function(x: np.ndarray) -> np.ndarray:  # slow fallback: NumPy has no erf, and SciPy is optional
            return np.asarray(elementwise(x)).astype(x.dtype)

        return function
    found: Callable[[np.ndarray], np.ndarray] = getattr(special, name)
    return found


def special(name: str, x: Array) -> Array:
    """The special function `name` (``erf`` or ``erfc``), elementwise, from SciPy or CuPy if installed, else from math."""
    if _is_cupy(x):
        from cupyx.scipy import special as cuda

        return getattr(cuda, name)(x)
    if isinstance(x, np.ndarray):
        return _host_special(name)(x)
    xp, function = namespace(x), getattr(math, name)
    flat = [function(float(v)) for v in xp.reshape(x, (-1,))]
    return xp.reshape(xp.asarray(flat, dtype=x.dtype, device=x.device), x.shape)


def stable_argsort(x: Array, axis: int = -1) -> Array:
    """The indices that sort `x`; equal elements keep their order. (CuPy's argsort is always stable and has no `stable=`.)"""
    return sys.modules["cupy"].argsort(x, axis) if _is_cupy(x) else namespace(x).argsort(x, axis=axis, stable=True)


def cumulative_sum(x: Array, axis: int) -> Array:
    """The running sums along `axis`. NumPy adds one number after another, so on the host float32 is added up in float64."""
    if isinstance(x, np.ndarray):
        return np.cumsum(x, axis=axis, dtype=float64 if is_floating(x) else None).astype(x.dtype, copy=False)
    return sys.modules["cupy"].cumsum(x, axis) if _is_cupy(x) else namespace(x).cumulative_sum(x, axis=axis)


def cumulative_prod(x: Array, axis: int) -> Array:
    """The running products along `axis`."""
    if isinstance(x, np.ndarray):
        return np.cumprod(x, axis=axis)
    return sys.modules["cupy"].cumprod(x, axis) if _is_cupy(x) else namespace(x).cumulative_prod(x, axis=axis)


def diagonal(x: Array, offset: int) -> Array:
    """The elements x[…, i, i + offset], as a view that can be written to."""
    if isinstance(x, np.ndarray):
        y = np.diagonal(x, offset, -2, -1)
        y.flags.writeable = x.flags.writeable
        return y
    return sys.modules["cupy"].diagonal(x, offset, -2, -1) if _is_cupy(x) else namespace(x).linalg.diagonal(x, offset=offset)


def address(x: Array) -> int:
    """The place of the first element in memory."""
    return int(x.data.ptr if _is_cupy(x) else x.ctypes.data)


def on_device_of(x: Array) -> dict[str, Any]:
    """Keyword arguments that make a creation function use the device of `x` (none for NumPy and CuPy)."""
    return {} if isinstance(x, np.ndarray) or _is_cupy(x) else {"device": x.device}


# ---- no warnings -----------------------------------------------------------------------------------------------------

# Every forward, every backward and every optimiser step runs under this setting. Infinities and NaN then cause no NumPy
# warnings, as on the GPU and in PyTorch. (isfinite finds them.)
NO_WARNINGS: dict[str, Any] = {"divide": "ignore", "over": "ignore", "invalid": "ignore"}


def _setting() -> tuple[ContextVar | None, Any]:
    """The context variable in which NumPy keeps such settings, and its value under this one: what np.errstate changes."""
    before = copy_context()
    with np.errstate(**NO_WARNINGS):
        changed = [(variable, value) for variable, value in copy_context().items() if before.get(variable) is not value]
    return changed[0] if len(changed) == 1 else (None, None)


_variable, _no_warnings = _setting()


def hush() -> Any:
    """Let NumPy give no warnings in this thread until `unhush` gets what is returned: np.errstate, in a third of its time."""
    if _variable is None:
        setting = np.errstate(**NO_WARNINGS)
        setting.__enter__()
        return setting
    value = _no_warnings
    if _variable.get(value) is not value:  # the program has a setting of its own, of which the rest stays
        with np.errstate(**NO_WARNINGS):
            value = _variable.get()
    return _variable.set(value)


unhush: Callable[[Any], None] = _variable.reset if _variable else lambda setting: setting.__exit__(None, None, None)


def silent(function: F) -> F:
    """Decorator: NumPy gives no warnings in the function."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        token = hush()
        try:
            return function(*args, **kwargs)
        finally:
            unhush(token)

    return call  # type: ignore[return-value]
