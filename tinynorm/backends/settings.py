"""Settings of PyTorch's machinery that programs make at their beginning. They are taken, and change no number here."""

import os


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Does nothing: every op is deterministic."""


def are_deterministic_algorithms_enabled() -> bool:
    """True: every op is deterministic.

    >>> are_deterministic_algorithms_enabled()
    True
    """
    return True


def set_float32_matmul_precision(precision: str) -> None:
    """Does nothing: products of float32 are computed in full float32."""


def set_num_threads(int: int) -> None:
    """Does nothing: NumPy's products read the environment variable OMP_NUM_THREADS when NumPy is imported."""


def get_num_threads() -> int:
    """The number of processors: as many threads as a product may use.

    >>> get_num_threads() == os.cpu_count()
    True
    """
    return os.cpu_count() or 1
