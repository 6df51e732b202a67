"""``tinynorm info``: what is used and why. ``tinynorm warm``: compiles all kernels, so that no program has to wait for it."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np

import tinynorm

from ..kernels import select, use
from ..kernels.halves import processors
from ..nn import Linear, ReLU, Sequential
from ..nn import functional as F
from ..ops.normalization_kernels import COLUMNS_WORTH
from .blas import products

FAMILIES = {  # the files in tinynorm/kernels, those that take longest to compile first -> what they compute
    "columns": "BatchNorm of (N, C)",
    "slabs": "BatchNorm, InstanceNorm and GroupNorm of (N, C, *)",
    "rows": "LayerNorm, RMSNorm and GroupNorm of (N, C)",
    "updates": "SGD, Adam and AdamW",
    "gelu": "GELU",
    "classes": "cross-entropy of class indices",
    "activations": "ReLU backward",
}


def add_parsers(commands: Any) -> None:
    """Add the commands `info` and `warm` to the parser."""
    commands.add_parser("info", help="which libraries, devices and kernels are used, and why").set_defaults(run=info)
    commands.add_parser("warm", help="compile all kernels now, and keep them").set_defaults(run=warm)


def info(arguments: argparse.Namespace) -> int:
    """Print what is used."""
    print(f"tinynorm {tinynorm.__version__}, Python {platform.python_version()}, NumPy {np.__version__}")
    print(f"matrix products  {products()}")
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
    """Compile all kernels, in as many processes as there are processors."""
    if select.why_not():
        print(f"there are no kernels to compile: {select.why_not()}")
        return 1
    begun = time.perf_counter()
    queue, end = os.pipe()
    os.write(end, bytes(range(len(FAMILIES))))
    os.close(end)
    # what a process compiles reaches the others through the disk
    kept = select.family("compiled").is_kept(select.family("activations").relu_backward)
    helpers = [_helper(queue) for _ in range(min(processors(), len(FAMILIES)) - 1 if kept else 0)]
    try:
        _compile_from(queue)
        for helper in helpers:
            helper.wait()
    finally:  # Ctrl-C too
        for helper in helpers:
            helper.kill()
            helper.wait()
        os.close(queue)
    with use("numba"):
        for name in FAMILIES:  # those that the helpers have compiled are loaded; what a helper has left is compiled now
            _call(name)
    print(f"{len(FAMILIES)} families of kernels are ready, in {time.perf_counter() - begun:.1f} s")
    return 0


def _helper(queue: int) -> subprocess.Popen:
    """A process that compiles families too. This process says all that is to be said."""
    code = f"import sys; sys.path = {sys.path!r}; from tinynorm.command import kernels; kernels.help_to_compile()"
    return subprocess.Popen([sys.executable, "-c", code], stdin=queue, stderr=subprocess.DEVNULL)


def help_to_compile() -> None:
    """What a helper does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it at once
    _compile_from(sys.stdin.fileno())


def _compile_from(queue: int) -> None:
    """Compile the families whose numbers come from the queue, a pipe that all processes read, until it is empty."""
    with use("numba"):
        while number := os.read(queue, 1):
            name = list(FAMILIES)[number[0]]
            _call(name)
            print(f"  {name:14} {FAMILIES[name]}", flush=True)


def _call(family: str) -> None:
    """Call each kernel of a family once with each dtype."""
    for dtype in (tinynorm.float32, tinynorm.float64):
        x = tinynorm.randn(4, 6, 16, dtype=dtype, requires_grad=True)
        matrix = x[:, :, 0].contiguous()
        for out in CALLS[family](x, matrix):
            out.square().sum().backward(retain_graph=True)


def _updates(x: Any, matrix: Any) -> tuple:
    p = tinynorm.ones(2, dtype=x.dtype, requires_grad=True)
    p.grad = tinynorm.ones(2, dtype=x.dtype)
    for optimizer in (tinynorm.optim.SGD([p], 0.1), tinynorm.optim.SGD([p], 0.1, 0.9), tinynorm.optim.Adam([p])):
        optimizer.step()
    return ()


def _columns(x: Any, matrix: Any) -> tuple:
    mean, var = tinynorm.zeros(6, dtype=x.dtype), tinynorm.ones(6, dtype=x.dtype)
    large = tinynorm.zeros(COLUMNS_WORTH // 6 + 1, 6, dtype=x.dtype, requires_grad=True)  # its rows are shared by two threads
    calls = F.batch_norm(matrix, mean, var, None, None, True), F.batch_norm(large, None, None, None, None, True)
    return *calls, F.batch_norm(matrix, mean, var)


def _slabs(x: Any, matrix: Any) -> tuple:
    mean, var = tinynorm.zeros(6, dtype=x.dtype), tinynorm.ones(6, dtype=x.dtype)
    return F.batch_norm(x, None, None, None, None, True), F.batch_norm(x, mean, var)


CALLS: dict[str, Callable[[Any, Any], tuple]] = {  # of a tensor (4, 6, 16) and a matrix (4, 6)
    "columns": _columns,
    "rows": lambda x, matrix: (F.layer_norm(x, (16,)),),
    "slabs": _slabs,
    "gelu": lambda x, matrix: (F.gelu(matrix), F.gelu(matrix, "tanh")),
    "updates": _updates,
    "classes": lambda x, matrix: (F.cross_entropy(matrix, tinynorm.tensor([0, 1, 2, 3])),),
    "activations": lambda x, matrix: (F.relu(matrix), Sequential(Linear(6, 6).to(x.dtype), ReLU())(matrix)),
}
