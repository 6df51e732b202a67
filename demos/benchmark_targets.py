"""How fast tinynorm is meant to be on the CPU, and how far each measurement is from that."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any, NamedTuple

from benchmark_process import MEMORY

Results = dict[str, dict[str, float]]  # case -> contender -> seconds

BEST = "PyTorch"  # stands for the fastest of these
PYTORCHS = ("torch", "torch-fused", "torch-compiled")
IMPORT = "import, beyond NumPy's"
FAULTS = 100  # page faults of a call from which on PyTorch's time is mostly the system's, which makes memory for it

MLP = ("mlp BatchNorm", "mlp LayerNorm")
SMALL_LAYERS = tuple(f"{layer} 64x128" for layer in ("Linear", "ReLU", "BatchNorm", "LayerNorm", "GroupNorm", "RMSNorm"))
ROWS = ("LayerNorm", "GroupNorm", "RMSNorm")  # these go over memory alike
HUGE, LARGE = tuple(f"{norm} 8192x4096" for norm in ROWS), tuple(f"{norm} 4096x1024" for norm in ROWS)
IMAGES = tuple(f"{norm} 32x64x56x56" for norm in ("BatchNorm", "InstanceNorm", "GroupNorm"))
CONVOLUTIONS = ("Conv2d 64x1x28x28 to 16", "Conv2d 64x16x14x14 to 32")

# (cases, tinynorm how, at least so many times as fast as whom); of two numbers the second is for where PyTorch has page faults
Times = float | tuple[float, float]
AT_LEAST: list[tuple[tuple[str, ...], str, Times, str]] = [
    (MLP, "captured", 2.4, BEST),
    (MLP, "captured", 1.8, "jax"),
    (MLP, "tinynorm", 1.6, BEST),
    (MLP, "tinynorm", 1.2, "jax"),
    (MLP, "captured-formulas", 1.2, BEST),
    (MLP, "captured-formulas", 1.0, "jax"),
    (MLP, "formulas", 1.0, "torch"),
    (("mlp BatchNorm, batch 512", "mlp BatchNorm, width 512"), "captured", 1.3, BEST),
    (("mlp BatchNorm, batch 512",), "captured", 1.5, "jax"),
    (("mlp BatchNorm, width 512",), "captured", 1.2, "jax"),
    (("mlp BatchNorm, 30 layers",), "captured", 1.7, BEST),
    (("mlp BatchNorm, 30 layers",), "captured", 1.5, "jax"),
    (SMALL_LAYERS, "tinynorm", 2.0, "torch"),
    (SMALL_LAYERS, "captured", 3.0, "torch"),
    (HUGE, "tinynorm", 2.7, "torch"),
    (IMAGES, "tinynorm", 3.0, "torch"),
    (LARGE, "tinynorm", (1.2, 2.5), "torch"),
    (("BatchNorm 4096x1024",), "tinynorm", 2.0, "torch"),
    (CONVOLUTIONS, "tinynorm", 0.5, "torch"),
    ((*HUGE, *LARGE, *IMAGES, "BatchNorm 4096x1024"), "formulas", 0.5, "torch"),
]
AT_MOST = [  # (cases, tinynorm how, at most so many times what)
    (MLP, "captured", 1.3, "gemm"),
    (MLP, "tinynorm", 2.0, "gemm"),
    (HUGE, "tinynorm", 1.05, "copy"),
    (IMAGES, "tinynorm", 1.2, "copy"),
    (LARGE, "tinynorm", 1.4, "copy"),
    (("BatchNorm 4096x1024",), "tinynorm", 1.7, "copy"),
    ((MEMORY,), "captured", 0.6, BEST),
    ((MEMORY,), "tinynorm", 0.6, BEST),
]
BLOCK = 20e-6  # seconds that Linear, norm and ReLU of a captured step may take beyond the products, at 30 hidden layers
IMPORTING = 30e-3  # CPU seconds


class Verdict(NamedTuple):
    case: str
    what: str
    values: list[float]  # of each occasion
    target: float
    least: bool  # whether it is a least or a most
    unit: str = ""

    def cells(self) -> list[str]:
        value = statistics.median(self.values)
        missed = self.target / value if self.least else value / self.target
        told = "met" if missed <= 1 else f"missed by {100 * (missed - 1):.0f} %"
        bound = f"{'≥' if self.least else '≤'} {self.target:g}{self.unit}"
        return [self.case, self.what, spread(self.values, self.unit), bound, told]


def spread(values: list[float], unit: str = "") -> str:
    """The median, and in brackets from the least to the most."""
    middle = f"{statistics.median(values):.2f}{unit}"
    return middle if len(values) == 1 else f"{middle} ({min(values):.2f}-{max(values):.2f})"


def verdicts(figures: dict[str, Any]) -> Iterator[Verdict]:
    """Of all targets whose cases and contenders have been measured."""
    once = {MEMORY: figures.get("peak_bytes", {}), IMPORT: figures.get("import_seconds", {})}
    occasions = [by | once for by in figures["occasions"]]

    def pairs(case: str, ours: str, other: str) -> list[tuple[float, float]]:
        """Of each occasion: what tinynorm took and what the other one took."""
        found = []
        for by in (results.get(case, {}) for results in occasions):
            others = [by[c] for c in (PYTORCHS if other == BEST else [other]) if c in by]
            found += [(by[ours], min(others))] if ours in by and others else []
        return found

    for cases, ours, target, other in AT_LEAST:
        for case in cases:
            faulting = figures.get("faults", {}).get(case, {}).get(other, 0) > FAULTS
            at_least = target[faulting] if isinstance(target, tuple) else target
            if found := pairs(case, ours, other):
                yield Verdict(case, f"{ours}: as fast as {other}", [b / a for a, b in found], at_least, True, "x")
    for cases, ours, at_most, other in AT_MOST:
        for case in cases:
            if found := pairs(case, ours, other):
                name = {"gemm": "the bare products", "copy": "a one-thread copy"}.get(other, other)
                yield Verdict(case, f"{ours}: of {name}", [a / b for a, b in found], at_most, False, "x")
    if found := pairs("mlp BatchNorm, 30 layers", "captured", "gemm"):
        beyond = [(a - b) / 30 * 1e6 for a, b in found]
        yield Verdict("mlp BatchNorm, 30 layers", "captured: a block beyond its products", beyond, BLOCK * 1e6, False, " us")
    if found := pairs(IMPORT, "tinynorm", "tinynorm"):
        yield Verdict(IMPORT, "tinynorm: CPU time", [1e3 * a for a, _ in found[:1]], IMPORTING * 1e3, False, " ms")
