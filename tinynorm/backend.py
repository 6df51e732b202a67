"""Whose array is this? NumPy's or CuPy's, on which device; how to move it; where random numbers come from.

This is the one file that knows CuPy's name. CuPy is imported when CUDA is first asked for. Everything above
takes its functions from the array it was handed (`namespace`), so any array of the Python array API standard works too.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

Array = Any  # a numpy.ndarray, a cupy.ndarray, or any array of the Python array API standard

float16, float32, float64 = np.dtype("float16"), np.dtype("float32"), np.dtype("float64")
int8, int16, int32, int64 = np.dtype("int8"), np.dtype("int16"), np.dtype("int32"), np.dtype("int64")
uint8, bool_ = np.dtype("uint8"), np.dtype("bool")


# ---- whose array ---------------------------------------------------------------------------------------------------


def _is_cupy(x: Any) -> bool:
    cupy = sys.modules.get("cupy")  # an array of CuPy's cannot exist before CuPy is imported
    return cupy is not None and isinstance(x, cupy.ndarray)


def is_array(x: Any) -> bool:
    """Whether `x` is an array that a Tensor can hold."""
    if isinstance(x, np.ndarray) or _is_cupy(x):
        return True
    return hasattr(x, "__array_namespace__") and hasattr(x, "shape") and not isinstance(x, np.generic)


def plain(x: Any) -> Any:
    """`x`; a subclass of NumPy's array, such as np.matrix, as a plain array of the same memory.

    (A matrix's ``*`` is a matrix product and its slices keep two dimensions: formulas would go wrong unseen.)

    Raises
    ------
    TypeError
        It is a masked array, whose mask would be lost.

    Examples
    --------
    >>> type(plain(np.zeros(2).view(np.recarray))).__name__
    'ndarray'
    """
    if type(x) is np.ndarray or not isinstance(x, np.ndarray):
        return x
    if isinstance(x, np.ma.MaskedArray):
        raise TypeError(
            "expected an array without a mask, got a masked array, whose mask a Tensor would lose; fill it: a.filled(0.0), "
            "or keep the mask as a tensor of its own: a.data and a.mask"
        )
    return np.asarray(x)


def namespace(x: Any) -> Any:
    """The module whose functions work on `x`: numpy, cupy, or for a Tensor tinynorm's own ops, which record a graph.

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
    """The error for what is neither Tensor nor array."""
    where = f"{op}: " if op else ""
    return TypeError(f"{where}expected a Tensor, got {type(x).__name__}; tinynorm.tensor(...) makes one of numbers and lists")


def is_floating(x: Array) -> bool:
    """Whether the array holds floating-point numbers (only those can have a gradient)."""
    dtype = x.dtype
    return dtype.kind == "f" if isinstance(dtype, np.dtype) else bool(namespace(x).isdtype(dtype, "real floating"))


def is_bool(x: Array) -> bool:
    """Whether the array holds booleans."""
    return x.dtype == np.bool_ if isinstance(x.dtype, np.dtype) else bool(namespace(x).isdtype(x.dtype, "bool"))


def is_half(x: Any) -> bool:
    """Whether the array is float16, whose sums are accumulated in float32."""
    return getattr(x.dtype, "char", "") == "e"


def astype(x: Any, dtype: Any) -> Any:
    """`x` in `dtype`; `x` itself where it already is."""
    if x.dtype == dtype:
        return x
    return x.astype(dtype) if hasattr(x, "astype") else namespace(x).astype(x, dtype)


def copy(x: Array) -> Array:
    """A new array of the same numbers."""
    return x.copy() if hasattr(x, "copy") else namespace(x).asarray(x, copy=True)


def shares_memory(x: Array, y: Array) -> bool:
    """Whether `y`, made of `x` by a change of shape, is a view of it; where nobody can tell, yes."""
    if isinstance(x, np.ndarray):
        return x.size == 0 or np.may_share_memory(x, y)
    return x.size == 0 or not _is_cupy(x) or x.data.mem.ptr == y.data.mem.ptr


def is_writeable(x: Array) -> bool:
    """Whether each element has memory of its own that can be written to. (CuPy marks nothing as read-only.)"""
    if _is_cupy(x):
        return all(stride or n < 2 for stride, n in zip(x.strides, x.shape, strict=True))
    return bool(getattr(getattr(x, "flags", None), "writeable", True))


# ---- devices -------------------------------------------------------------------------------------------------------


class device:
    """Where a tensor lives: ``"cpu"``, ``"cuda"`` or ``"cuda:1"``.

    Parameters
    ----------
    type : str or device
        ``"cpu"``, ``"cuda"``, or ``"cuda:INDEX"``.
    index : int, optional
        The GPU's number, where `type` does not say it.

    Raises
    ------
    RuntimeError
        The text is none of these. (Asking for a device is never an error; moving a tensor to a missing one is.)

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
    """(cupy, "") where CUDA works; (None, the reason) where it does not.

    It works when CuPy imports, a device answers, NVRTC compiles and a small product comes out right.
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
    """The last two steps of `cuda_status`: a kernel compiles (NVRTC), and a product comes out right (cuBLAS)."""
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
    """The device an array lives on."""
    if isinstance(x, np.ndarray):
        return CPU
    return device("cuda", x.device.id) if _is_cupy(x) else x.device


def namespace_on(where: device | str | None) -> Any:
    """numpy for the CPU (or None), cupy for CUDA.

    Raises
    ------
    RuntimeError
        CUDA was asked for and does not work; the message has the reason and the fix.
    """
    if where is None or device(where).type == "cpu":
        return np
    cupy, reason = cuda_status()
    if cupy is None:
        raise RuntimeError(f"device {str(where)!r} is not available: {reason}")
    return cupy


def move(x: Array, where: device | str) -> Array:
    """The array on the given device; the same array where it already is there."""
    where, xp = device(where), namespace_on(where)
    if xp is np:
        return to_numpy(x)
    with xp.cuda.Device(where.index):
        return xp.asarray(x)


def to_numpy(x: Array) -> np.ndarray:
    """The array as a NumPy array: itself, or copied from the GPU."""
    if isinstance(x, np.ndarray):
        return x
    return sys.modules["cupy"].asnumpy(x) if _is_cupy(x) else np.asarray(x)


def check_same_device(op: str, arrays: list) -> None:
    """Raise where two arrays live on different devices.

    Raises
    ------
    RuntimeError
        Naming the op and both devices.
    """
    if all(type(x) is np.ndarray for x in arrays):
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
    """A source of random numbers on the host, so that a seed means the same on every device.

    Examples
    --------
    >>> a, b = Generator().manual_seed(7), Generator().manual_seed(7)
    >>> bool(a.rng.random() == b.rng.random())
    True
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.rng = np.random.default_rng()

    def manual_seed(self, seed: int) -> Generator:
        """Start again from `seed` (a non-negative int); returns itself."""
        self.rng = np.random.default_rng(seed)
        return self

    def get_state(self) -> dict:
        """The state as plain numbers and strings, for a checkpoint."""
        return dict(self.rng.bit_generator.state)

    def set_state(self, state: dict) -> Generator:
        """Go on from a state that `get_state` gave; returns itself.

        Raises
        ------
        ValueError
            It is no such state, or one of another kind of generator; nothing is changed then.
        """
        kind = type(self.rng.bit_generator)
        trial = kind(0)  # a setter that misses an entry half-way has set the others
        try:
            trial.state = state
        except (TypeError, ValueError, KeyError, IndexError, OverflowError, AttributeError) as error:
            raise ValueError(f"set_state: expected a state of {kind.__name__}, as get_state gives it; {error!r}") from None
        self.rng.bit_generator.state = state
        return self


default_generator = Generator()


def manual_seed(seed: int) -> Generator:
    """Seed tinynorm's default generator; returns it.

    >>> _ = manual_seed(0)
    """
    return default_generator.manual_seed(seed)


# ---- what the namespaces do not share --------------------------------------------------------------------------------


def on_gpu(x: Any) -> bool:
    """Whether the array is CuPy's."""
    return _is_cupy(x)


@cache
def _host_special(name: str) -> Callable[[np.ndarray], np.ndarray]:
    try:
        from scipy import special
    except ImportError:
        elementwise = np.frompyfunc(getattr(math, name), 1, 1)

        def function(x: np.ndarray) -> np.ndarray:  # right, and slow: NumPy has none, and SciPy is not a dependency
            return np.asarray(elementwise(x)).astype(x.dtype)

        return function
    found: Callable[[np.ndarray], np.ndarray] = getattr(special, name)
    return found


def special(name: str, x: Array) -> Array:
    """The special function `name` (``erf`` or ``erfc``), elementwise: SciPy's or CuPy's where installed, else Python's."""
    if _is_cupy(x):
        from cupyx.scipy import special as cuda

        return getattr(cuda, name)(x)
    if isinstance(x, np.ndarray):
        return _host_special(name)(x)
    xp, function = namespace(x), getattr(math, name)
    flat = [function(float(v)) for v in xp.reshape(x, (-1,))]
    return xp.reshape(xp.asarray(flat, dtype=x.dtype, device=x.device), x.shape)


def stable_argsort(x: Array) -> Array:
    """The order that sorts `x`, equals as they came. (CuPy's sort is always stable, and takes no word about it.)"""
    return sys.modules["cupy"].argsort(x) if _is_cupy(x) else namespace(x).argsort(x, stable=True)


def on_device_of(x: Array) -> dict[str, Any]:
    """The keyword with which a creation function puts its array beside `x` (NumPy and CuPy need none)."""
    return {} if isinstance(x, np.ndarray) or _is_cupy(x) else {"device": x.device}


# Every op runs under this, forward and backward, and every optimiser's step: infinities and NaN pass through without NumPy's
# warnings, as on the GPU and as in PyTorch. (isfinite finds them. As a decorator it costs half of what the with-block does,
# and is safe among threads.)
silent = np.errstate(divide="ignore", over="ignore", invalid="ignore")
