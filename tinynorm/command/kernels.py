"""``tinynorm info``: what is used and why. ``tinynorm warm``: compiles all kernels, so that no program has to wait for it."""

from __future__ import annotations

import argparse
import platform
import time
from importlib.metadata import version
from itertools import product
from typing import Any

import numpy as np

import tinynorm

from ..kernels import select, use
from ..nn import Linear, ReLU, Sequential
from ..nn import functional as F

FAMILIES = {  # the files in tinynorm/kernels -> what they compute
    "rows": "LayerNorm, RMSNorm and GroupNorm",
    "columns": "BatchNorm of (N, C)",
    "slabs": "BatchNorm and InstanceNorm of (N, C, *)",
    "activations": "ReLU backward",
    "gelu": "GELU",
    "classes": "cross-entropy of class indices",
    "updates": "SGD, Adam and AdamW",
}


def add_parsers(commands: Any) -> None:
    """Add the commands `info` and `warm` to the parser."""
    commands.add_parser("info", help="which libraries, devices and kernels are used, and why").set_defaults(run=info)
    commands.add_parser("warm", help="compile all kernels now, and keep them").set_defaults(run=warm)


def info(arguments: argparse.Namespace) -> int:
    """Print what is used."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[call-overload]
    print(f"tinynorm {tinynorm.__version__}, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"matrix products  {blas['name']} {blas['version']}")
    print(f"cuda             {tinynorm.cuda.why_not() or f'{tinynorm.cuda.device_count()} GPU'}")
    print(f"kernels          {_kernels()}")
    for name, computes in FAMILIES.items() if select.state.choice != "numpy" and not select.why_not() else ():
        print(f"  {name:14} {computes}")
    return 0


def _kernels() -> str:
    if select.why_not():
        return f"none, the formulas run: {select.why_not()}"
    numba = f"Numba {version('numba')}"
    return {
        "auto": f"{numba}, for row-major float32 and float64 arrays of {select.WORTH} numbers and more",
        "numba": f"{numba}, for row-major float32 and float64 arrays of any size, as TINYNORM_KERNELS says",
        "numpy": "none, the formulas run: TINYNORM_KERNELS=numpy",
    }[select.state.choice]


def warm(arguments: argparse.Namespace) -> int:
    """Call each kernel once with each dtype."""
    if select.why_not():
        print(f"there are no kernels to compile: {select.why_not()}")
        return 1
    begun = time.perf_counter()
    with use("numba"):
        for dtype, work in product((tinynorm.float32, tinynorm.float64), (_layers, _updates)):
            work(dtype)
    print(f"{len(FAMILIES)} families of kernels are ready, in {time.perf_counter() - begun:.1f} s")
    return 0


def _layers(dtype: Any) -> None:
    x, y = tinynorm.randn(4, 6, 16, dtype=dtype, requires_grad=True), tinynorm.tensor([0, 1, 2, 3])
    matrix = x[:, :, 0].contiguous()
    for out in (
        F.layer_norm(x, (16,)),
        F.batch_norm(x, None, None, None, None, True),
        F.batch_norm(matrix, tinynorm.zeros(6, dtype=dtype), tinynorm.ones(6, dtype=dtype), None, None, True),
        F.cross_entropy(matrix, y),
        F.relu(matrix),
        Sequential(Linear(6, 6).to(dtype), ReLU())(matrix),
        F.gelu(matrix),
        F.gelu(matrix, "tanh"),
    ):
        out.square().sum().backward(retain_graph=True)


def _updates(dtype: Any) -> None:
    p = tinynorm.ones(2, dtype=dtype, requires_grad=True)
    p.grad = tinynorm.ones(2, dtype=dtype)
    for optimizer in (tinynorm.optim.SGD([p], 0.1), tinynorm.optim.SGD([p], 0.1, 0.9), tinynorm.optim.Adam([p])):
        optimizer.step()
