"""Functions that say whether CUDA works, and if it does not, why."""

from __future__ import annotations

from . import backend


def is_available() -> bool:
    """Whether ``device("cuda")`` works: CuPy imports, a GPU responds, a kernel compiles and a small product is correct.

    >>> is_available() in (True, False)
    True
    """
    return backend.cuda_status()[0] is not None


def why_not() -> str:
    """The reason why CUDA is not available, and the fix; "" if it is available."""
    return backend.cuda_status()[1]


def device_count() -> int:
    """The number of GPUs; 0 if CUDA does not work."""
    cupy, _ = backend.cuda_status()
    return 0 if cupy is None else int(cupy.cuda.runtime.getDeviceCount())


def synchronize() -> None:
    """Wait until the GPU has finished its work; does nothing without a GPU."""
    cupy, _ = backend.cuda_status()
    if cupy is not None:
        cupy.cuda.get_current_stream().synchronize()


def empty_cache() -> None:
    """Give the GPU memory that CuPy keeps for later arrays back to the device; does nothing without a GPU."""
    cupy, _ = backend.cuda_status()
    if cupy is not None:
        cupy.get_default_memory_pool().free_all_blocks()


def manual_seed(seed: int) -> None:
    """Taken, as PyTorch's programs call it beside `tinynorm.manual_seed`, and does nothing: that seed is for every device."""


manual_seed_all = manual_seed
