"""Which library computes NumPy's matrix products, and whether it uses all that the processor can do."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from pathlib import Path

import numpy as np

MAPS = Path("/proc/self/maps")  # Linux: the files that this process has loaded
ASK = ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename", "openblas_get_corename64_", "openblas_get_corename")

# Processors for which OpenBLAS has kernels without AVX-512, and which it takes others for that have it: Zen 5 in its releases
# before September 2026 (its pull request 6033).
NARROW = ("Haswell", "Zen")


def products() -> str:
    """The library, its version and whose kernels it uses, and what to do if those are not the processor's."""
    config = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]  # type: ignore[call-overload]
    text, core = f"{blas['name']} {blas['version']}", openblas_core()
    text += f", kernels for {core}" if core else ""
    wide = {"X86_V4", "AVX512_SKX"} & {*config["SIMD Extensions"].get("found", [])}  # type: ignore[call-overload]
    if core in NARROW and wide:
        text += (
            "; this processor has AVX-512, which they leave unused: with OPENBLAS_CORETYPE=SkylakeX in the environment, matrix "
            "products may be faster (on AMD's Zen 5 they took two thirds of the time), and are rounded otherwise"
        )
    return text


def openblas_core() -> str:
    """The processor whose kernels OpenBLAS chose when it was loaded; "" if it is not there or cannot be asked.

    >>> isinstance(openblas_core(), str)
    True
    """
    with suppress(OSError):
        files = {line.split(maxsplit=5)[-1].strip() for line in MAPS.read_text().splitlines() if "openblas" in line}
        for function in (getattr(ctypes.CDLL(file), name, None) for file in sorted(files) for name in ASK):
            if function is not None:
                function.restype = ctypes.c_char_p
                return (function() or b"").decode()
    return ""
