"""What `benchmark.py` times: for each contender and case, a function that does the work once (and waits until it is done)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

SIZES = [(64, 128), (4096, 1024), (8192, 4096)]
LAYERS = ["Linear", "ReLU", "BatchNorm", "LayerNorm", "GroupNorm", "RMSNorm"]
NETWORKS = {  # what stands behind the comma in a case's name -> the layers' widths and the batch
    "": ((784, 128, 128, 10), 64),
    "batch 512": ((784, 128, 128, 10), 512),
    "width 512": ((784, 512, 512, 10), 64),
    "30 layers": ((784, *[128] * 30, 10), 64),
    "batch 4096, width 1024": ((1024, 1024, 1024, 10), 4096),
}
BATCHES, WIDTHS = (16, 64, 256, 1024, 4096), (32, 128, 512, 2048)
NETWORKS |= {f"batch {n}": ((784, 128, 128, 10), n) for n in BATCHES} | {f"width {n}": ((784, n, n, 10), 64) for n in WIDTHS}
GROUPS = 8

CASES = [
    "mlp BatchNorm",
    "mlp LayerNorm",
    *(f"mlp BatchNorm, {network}" for network in ("batch 512", "width 512", "30 layers")),
    *(f"{layer} {n}x{d}" for layer in LAYERS for n, d in SIZES),
    *(f"{layer} 32x64x56x56" for layer in ("BatchNorm", "InstanceNorm", "GroupNorm")),
    *("Conv2d 64x1x28x28 to 16", "Conv2d 64x16x14x14 to 32"),  # windows of 3 x 3, so many output channels
    "a + b, recorded",
]
SMALL = ["small: P[i]", "small: P[i, j]", "small: for row in X", "small: own Dataset, an epoch", "small: cross_entropy 27x27"]
CASES += SMALL  # what programs do with a few numbers at a time, in loops of Python
# how the step grows with batch and width: what grows -> its value -> the case; for the picture
SCALING = {grows: {n: f"mlp BatchNorm, {grows} {n}" for n in ns} for grows, ns in (("batch", BATCHES), ("width", WIDTHS))}

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
    g = tensor(_numbers(*layer(x).shape))

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
    kind = case.split()[0]
    if kind == "Conv2d":
        return nn.Conv2d(D, int(case.split()[-1]), 3)
    if len(shape) == 4 and kind != "GroupNorm":
        return {"BatchNorm": nn.BatchNorm2d, "InstanceNorm": nn.InstanceNorm2d}[kind](D, affine=True)
    return {
        "Linear": lambda: nn.Linear(D, D),
        "ReLU": nn.ReLU,
        "BatchNorm": lambda: nn.BatchNorm1d(D),
        "LayerNorm": lambda: nn.LayerNorm(D),
        "GroupNorm": lambda: nn.GroupNorm(GROUPS, D),
        "RMSNorm": lambda: nn.RMSNorm(D),
    }[kind]()


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
    """PyTorch's compiler on the model, with the fused Adam. On the CPU it needs a C++ compiler."""
    if not case.startswith("mlp") or (device == "cpu" and not shutil.which("g++")):
        return None
    import torch as lib

    sync = lib.cuda.synchronize if device == "cuda" else lambda: None
    return torch_like(case, lib, device, sync, lambda a: lib.from_numpy(a).to(device), compiled=True, fused=True)


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


def copy(case: str, device: str) -> Work | None:
    """A copy, by one thread, of the bytes that the case must move: half as many are read, half written.

    A layer reads x and writes y, and back it reads x and dy and writes dx: five arrays. A training step does this for each
    normalisation with its ReLU; its products read two matrices and write one; Adam reads p, g, m, v and writes p, m, v.
    """
    if device == "cuda" or case.startswith(("Linear", "Conv2d", "small", "a + b")):
        return None
    if case.startswith("mlp"):
        widths, N = _network(case)
        pairs = list(pairwise(widths))
        products = sum((3 if k else 2) * (N * i + i * o + N * o) for k, (i, o) in enumerate(pairs))
        numbers = products + 5 * N * sum(widths[1:-1]) + 7 * sum(i * o for i, o in pairs)
    else:
        numbers = 5 * int(np.prod(_shape(case)))
    source = _numbers(numbers // 2)
    target = source.copy()
    return lambda: np.copyto(target, source)


def jax(case: str, device: str) -> Work | None:
    from benchmark_jax import work

    widths, batch = _network(case) if case.startswith("mlp") else ((), 0)
    return None if case in SMALL or case.startswith("Conv2d") else work(case, device, widths, batch, GROUPS, _shape, _numbers)


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
    "copy": copy,
}
ROOFS = ("gemm", "copy")  # nobody is faster
