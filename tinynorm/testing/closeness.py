"""assert_close: an assertion that says how far two results differ, and where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..tensor import Tensor

# dtype -> (rtol, atol), as in PyTorch: about the square root of a float64's digits, ten times the last digit of a float32's
TOLERANCES = {"float16": (1e-3, 1e-5), "float32": (1.3e-6, 1e-5), "float64": (1e-7, 1e-7)}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | None = None,
) -> None:
    """Assert that |actual - expected| <= atol + rtol |expected| everywhere, with the same shape, dtype and device.

    Parameters
    ----------
    actual, expected : Tensor, array or number; or sequences or mappings of them, which are compared element by element
    rtol, atol : float, optional
        Both or neither. Default: by the dtype, 1.3e-6 and 1e-5 in float32; 0 for integers.
    equal_nan : bool
        NaN is close to NaN.
    check_device, check_dtype : bool
        Whether devices and dtypes must agree.
    msg : str, optional
        The error's message.
    allow_subclasses, check_layout, check_stride
        Taken, as PyTorch's programs pass them; they change nothing.

    Raises
    ------
    AssertionError
        With the number of elements that differ, and the largest difference and its place.

    Examples
    --------
    >>> import tinynorm
    >>> assert_close(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 2.0 + 1e-6]))
    >>> assert_close(tinynorm.tensor([1.0, 2.0]), tinynorm.tensor([1.0, 2.5]))
    Traceback (most recent call last):
    AssertionError: not close: 1 of 2 elements differ; the largest difference is 0.5 at (1,): 2.0 for 2.5 (rtol 1.3e-06, atol
    1e-05)
    """
    __tracebackhide__ = True  # pytest shows the test's line, not this one
    if (rtol is None) != (atol is None):
        raise ValueError(f"assert_close: expected both rtol and atol or neither, got rtol={rtol}, atol={atol}")
    problem = _difference(actual, expected, rtol, atol, equal_nan, check_dtype, check_device)
    if problem:
        raise AssertionError(problem if msg is None else msg)


def _difference(a: Any, b: Any, rtol: Any, atol: Any, equal_nan: bool, dtypes: bool, devices: bool) -> str:
    """What differs; "" if nothing does."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        if a.keys() != b.keys():
            return f"not close: expected the keys {sorted(map(str, b))}, got {sorted(map(str, a))}"
        pairs: Any = [(repr(key), a[key], b[key]) for key in b]
    elif _is_list(a) and _is_list(b):
        if len(a) != len(b):
            return f"not close: expected {len(b)} elements, got {len(a)}"
        pairs = [(str(i), x, y) for i, (x, y) in enumerate(zip(a, b, strict=True))]
    else:
        return _of_arrays(a, b, rtol, atol, equal_nan, dtypes, devices)
    found = ((at, _difference(x, y, rtol, atol, equal_nan, dtypes, devices)) for at, x, y in pairs)
    return next((f"at [{at}]: {problem}" for at, problem in found if problem), "")


def _is_list(x: Any) -> bool:
    return isinstance(x, Sequence) and not isinstance(x, str)


def _of_arrays(a: Any, b: Any, rtol: Any, atol: Any, equal_nan: bool, dtypes: bool, devices: bool) -> str:
    both = isinstance(a, Tensor) and isinstance(b, Tensor)
    if type(a) is not type(b) and not both and {type(a), type(b)} - {int, float, bool}:
        return f"not close: expected {type(b).__name__}, got {type(a).__name__}"
    if both and devices and a.device != b.device:
        return f"not close: expected a tensor on {b.device}, got one on {a.device}"
    x, y = (t.detach().cpu().numpy() if isinstance(t, Tensor) else np.asarray(t) for t in (a, b))
    if x.shape != y.shape:
        return f"not close: expected shape {y.shape}, got {x.shape}"
    if dtypes and x.dtype != y.dtype:
        return f"not close: expected dtype {y.dtype}, got {x.dtype}; check_dtype=False compares the numbers"
    if rtol is None:
        rtol, atol = (max(t) for t in zip(*(TOLERANCES.get(str(t.dtype), (0.0, 0.0)) for t in (x, y)), strict=True))
    wrong = ~np.isclose(x, y, rtol=rtol, atol=atol, equal_nan=equal_nan)
    if not wrong.any():
        return ""
    far = np.where(wrong, np.abs(x.astype(float) - y.astype(float)), -1.0)
    far[wrong & np.isnan(far)] = np.inf
    at = tuple(int(i) for i in np.unravel_index(far.argmax(), far.shape))
    return (
        f"not close: {wrong.sum()} of {wrong.size} elements differ; the largest difference is {far[at]:.6g} at {at}: "
        f"{x[at]} for {y[at]} (rtol {rtol:g}, atol {atol:g})"
    )
