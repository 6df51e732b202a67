"""What `benchmark.py` times: for each contender and case, a function that does the work once (and waits until it is done)."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

SIZES = [(64, 128), (4096, 1024), (8192, 4096)]
LAYERS = ["Linear", "ReLU", "BatchNorm", "LayerNorm", "GroupNorm", "RMSNorm"]
IMAGE = (32, 64, 56, 56)
NETWORKS = {  # what stands behind the comma in a case's name -> the layers' widths and the batch
    "": ((784, 128, 128, 10), 64),
    "batch 512": ((784, 128, 128, 10), 512),
    "width 512": ((784, 512, 512, 10), 64),
    "30 layers": ((784, *[128] * 30, 10), 64),
    "batch 4096, width 1024": ((1024, 1024, 1024, 10), 4096),
}
GROUPS = 8

CASES = [
    "mlp BatchNorm",
    "mlp LayerNorm",
    *(f"mlp BatchNorm, {network}" for network in ("batch 512", "width 512", "30 layers")),
    *(f"{layer} {n}x{d}" for layer in LAYERS for n, d in SIZES),
    "BatchNorm 32x64x56x56",
    "a + b, recorded",
]
SMALL = ["small: P[i]", "small: P[i, j]", "small: for row in X", "small: own Dataset, an epoch", "small: cross_entropy 27x27"]
CASES += SMALL  # what programs do with a few numbers at a time, in loops of Python

Work = Callable[[], Any]


def _shape(case: str) -> tuple[int, ...]:
    return tuple(int(n) for n in case.split()[1].split("x"))


def _network(case: str) -> tuple[tuple[int, ...], int]:
    return NETWORKS[case.partition(", ")[2]]


def _numbers(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def torch_like(
    case: str,
    lib: Any,
    device: str,
    synchronize: Work,
    tensor: Callable[[np.ndarray], Any],
    compiled: bool = False,
    **adam: Any,
) -> Work:
    """The work in the vocabulary that tinynorm and PyTorch share."""
    nn = lib.nn
    if case in SMALL:
        return small(case, lib, tensor)
    if case.startswith("mlp"):
        norm = nn.BatchNorm1d if "Batch" in case else nn.LayerNorm
        layers: list[Any] = []
        widths, batch = _network(case)
        for i, o in pairwise(widths[:-1]):
            layers += [nn.Linear(i, o), norm(o), nn.ReLU()]
        model = nn.Sequential(*layers, nn.Linear(widths[-2], widths[-1])).to(device)
        optimizer = lib.optim.Adam(model.parameters(), **adam)
        model = lib.compile(model) if compiled else model
        x, y = tensor(_numbers(batch, widths[0])), tensor(np.arange(batch) % widths[-1])

        def step() -> None:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            synchronize()

        return step
    if case.startswith("a + b"):
        a, b = tensor(_numbers(4)).requires_grad_(), tensor(_numbers(4))
        return lambda: a + b
    layer = _layer(case, nn).to(device)
    x = tensor(_numbers(*_shape(case))).requires_grad_()
    g = tensor(_numbers(*_shape(case)))

    def forward_backward() -> None:
        layer.zero_grad()
        x.grad = None
        layer(x).backward(g)
        synchronize()

    return forward_backward


def small(case: str, lib: Any, tensor: Callable[[np.ndarray], Any]) -> Work:
    """Character models look up rows of counts; own Datasets give an element at a time."""
    P, X = tensor(_numbers(27, 27)), tensor(_numbers(1000, 8))
    if case.endswith("P[i]"):
        return lambda: P[3]
    if case.endswith("P[i, j]"):
        return lambda: P[3, 4]
    if case.endswith("row in X"):
        return lambda: [row for row in X]  # noqa: C416 (the loop is what is timed)
    if case.endswith("27x27"):
        logits, classes = tensor(_numbers(27, 27)).requires_grad_(), tensor(np.arange(27))
        return lambda: lib.nn.functional.cross_entropy(logits, classes)

    class Points(lib.utils.data.Dataset):
        def __len__(self) -> int:
            return len(X)

        def __getitem__(self, i: int) -> tuple:
            return X[i], i % 10

    loader = lib.utils.data.DataLoader(Points(), batch_size=64, shuffle=True)
    return lambda: [batch for batch in loader]  # noqa: C416


def _layer(case: str, nn: Any) -> Any:
    shape = _shape(case)
    D = shape[1]
    if len(shape) == 4:
        return nn.BatchNorm2d(D)
    return {
        "Linear": lambda: nn.Linear(D, D),
        "ReLU": nn.ReLU,
        "BatchNorm": lambda: nn.BatchNorm1d(D),
        "LayerNorm": lambda: nn.LayerNorm(D),
        "GroupNorm": lambda: nn.GroupNorm(GROUPS, D),
        "RMSNorm": lambda: nn.RMSNorm(D),
    }[case.split()[0]]()


def tinynorm(case: str, device: str) -> Work | None:
    import tinynorm as lib

    sync = lib.cuda.synchronize if device == "cuda" else lambda: None
    return torch_like(case, lib, device, sync, lambda a: lib.from_numpy(a).to(device))


def torch(case: str, device: str, **adam: Any) -> Work | None:
    import torch as lib

    sync = lib.cuda.synchronize if device == "cuda" else lambda: None
    return torch_like(case, lib, device, sync, lambda a: lib.from_numpy(a).to(device), **adam)


def torch_fused(case: str, device: str) -> Work | None:
    return torch(case, device, fused=True) if case.startswith("mlp") else None


def torch_compiled(case: str, device: str) -> Work | None:
    """PyTorch's compiler on the training step; only where it has a GPU to compile for."""
    if device != "cuda" or not case.startswith("mlp"):
        return None
    import torch as lib

    tensor = lambda a: lib.from_numpy(a).to(device)  # noqa: E731
    return torch_like(case, lib, device, lib.cuda.synchronize, tensor, compiled=True, fused=True)


def torch_graph(case: str, device: str) -> Work | None:
    """PyTorch's training step recorded once as a CUDA graph, and replayed."""
    if device != "cuda" or not case.startswith("mlp"):
        return None
    import torch as lib

    def without_waiting() -> None:
        pass  # a graph cannot record a wait for itself

    adam = {"fused": True, "capturable": True}
    step = torch_like(case, lib, device, without_waiting, lambda a: lib.from_numpy(a).to(device), **adam)
    side = lib.cuda.Stream()
    side.wait_stream(lib.cuda.current_stream())
    with lib.cuda.stream(side):  # a few steps first, so that nothing is allocated or chosen while recording
        for _ in range(3):
            step()
    lib.cuda.current_stream().wait_stream(side)
    graph = lib.cuda.CUDAGraph()
    with lib.cuda.graph(graph):
        step()

    def replay() -> None:
        graph.replay()
        lib.cuda.synchronize()

    return replay


def gemm(case: str, device: str) -> Work | None:
    """The matrix products alone, as NumPy (CuPy) hands them to BLAS; and for the elementwise op, NumPy's own call."""
    from tinynorm import backend, cuda

    xp: Any = backend.namespace_on(device)
    sync = cuda.synchronize if device == "cuda" else lambda: None
    if case in SMALL:
        return None
    if case.startswith("a + b"):
        a, b = xp.asarray(_numbers(4)), xp.asarray(_numbers(4))
        return lambda: a + b
    if case.startswith("mlp"):
        widths, rows = _network(case)
        sizes = list(pairwise(widths))
    elif case.startswith("Linear"):
        rows, D = _shape(case)
        sizes = [(D, D)]
    else:
        return None
    arrays = [(xp.asarray(_numbers(rows, i)), xp.asarray(_numbers(o, i)), xp.asarray(_numbers(rows, o))) for i, o in sizes]

    def products() -> None:
        for k, (x, W, g) in enumerate(arrays):
            x @ W.T
            g.T @ x
            if k or not case.startswith("mlp"):  # the data need no gradient
                g @ W
        sync()

    return products


def jax(case: str, device: str) -> Work | None:
    from benchmark_jax import work

    widths, batch = _network(case) if case.startswith("mlp") else ((), 0)
    return None if case in SMALL else work(case, device, widths, batch, GROUPS, _shape, _numbers)


def formulas(case: str, device: str) -> Work | None:
    """tinynorm without kernels: the process has this contender only."""
    import tinynorm as tn

    tn.kernels.use("numpy")
    return tinynorm(case, device)


def captured(case: str, device: str) -> Work | None:
    """tinynorm's step, recorded once and done again by its array calls."""
    import tinynorm as tn

    work = None if device == "cuda" or case in SMALL or case.startswith("a + b") else tinynorm(case, device)
    return work and tn.capture(work)


def captured_formulas(case: str, device: str) -> Work | None:
    """The same without kernels."""
    import tinynorm as tn

    tn.kernels.use("numpy")
    return captured(case, device)


CONTENDERS: dict[str, Callable[[str, str], Work | None]] = {
    "tinynorm": tinynorm,
    "captured": captured,
    "formulas": formulas,
    "captured-formulas": captured_formulas,
    "torch": torch,
    "torch-fused": torch_fused,
    "torch-compiled": torch_compiled,
    "torch-graph": torch_graph,
    "jax": jax,
    "gemm": gemm,
}


def seconds_of(work: Work, at_least: float) -> float:
    """The median time of one call after a first, over calls that together take `at_least` seconds: three at least, if short."""
    start = time.perf_counter()
    work()
    once = time.perf_counter() - start
    for _ in range(20 if once < 0.01 else 0):
        work()
    batch = 1 if once > 1e-4 else 100  # very short work is timed a hundred at a time
    times: list[float] = []
    while sum(times) < at_least or len(times) < (3 if once < 1 else 1):
        start = time.perf_counter()
        for _ in range(batch):
            work()
        times.append(time.perf_counter() - start)
    return statistics.median(times) / batch


def peak_of(contender: str, device: str) -> float | None:
    """The most memory that a few large steps take beyond what the process had before, in bytes (on Linux)."""
    try:
        for case in ("mlp BatchNorm", "mlp BatchNorm, batch 4096, width 1024"):
            Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew; what is loaded late is there by now
            before = _resident("VmHWM")
            work = CONTENDERS[contender](case, device)
            if work is None:
                return None
            for _ in range(5):
                work()
    except OSError:
        return None
    return _resident("VmHWM") - before


def _resident(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def serve(contender: str, device: str) -> None:
    """A contender's process: a case a line on standard input, its seconds a line on standard output."""
    for line in sys.stdin:
        order = json.loads(line)
        if order["case"] == "peak":
            print(json.dumps({"seconds": peak_of(contender, device)}), flush=True)
            continue
        work = CONTENDERS[contender](order["case"], device)
        print(json.dumps({"seconds": None if work is None else seconds_of(work, order["seconds"])}), flush=True)
