"""Is there a GPU to use, and if not, why not."""

from __future__ import annotations

from . import backend


def is_available() -> bool:
    """Whether ``device("cuda")`` works: CuPy imports, a GPU answers, a kernel compiles and a small product comes out right.

    >>> is_available() in (True, False)
    True
    """
    return backend.cuda_status()[0] is not None


def why_not() -> str:
    """The reason why CUDA is not available, and the fix; "" where it is."""
    return backend.cuda_status()[1]


def device_count() -> int:
    """How many GPUs there are; 0 where CUDA does not work."""
    cupy, _ = backend.cuda_status()
    return 0 if cupy is None else int(cupy.cuda.runtime.getDeviceCount())


def synchronize() -> None:
    """Wait until the GPU has done what it was asked; does nothing without one."""
    cupy, _ = backend.cuda_status()
    if cupy is not None:
        cupy.cuda.get_current_stream().synchronize()
