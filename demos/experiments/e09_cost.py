"""E9: which costs more, BatchNorm or LayerNorm? Time and memory of the layers alone, over batch size and width."""

from __future__ import annotations

import math
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn

from .base import Difference, Experiment, Row, Text, Verdict, difference, values
from .plots import axes_of, heat_map

BURST = 0.005  # seconds of calls that are timed at once: a thousand times what it takes to read the clock
# What counts as "about the same time": a mean ratio within the first factor, and none of a single size beyond the second.
CLOSE, FAR = 1.25, 2.0
LAYERS: dict[str, Callable[[int], nn.Module]] = {"BN": nn.BatchNorm1d, "LN": nn.LayerNorm}
MODES = {"train": Text("training", "训练"), "eval": Text("evaluation", "评估")}
MEMORY = ("kept bytes", "peak bytes", "input bytes")
KERNELS = {"numba": Text("with kernels", "使用内核"), "numpy": Text("formulas", "仅用公式")}


class Cost(Experiment):
    key = "E9"
    title = Text("Which costs more?", "哪个开销更大？")
    question = Text(
        "How much time and memory do BatchNorm and LayerNorm take, from small batches and widths to large ones?",
        "从小到大的批大小和宽度下，BatchNorm 和 LayerNorm 各需要多少时间和内存？",
    )
    how = Text(
        "The layers alone, float32, with γ and β (BN also updates its running statistics). Training is a forward and a "
        "backward pass, evaluation a forward pass without a graph. The layers take turns in bursts of calls; a figure is the "
        "median of the bursts. On the CPU it is CPU time, of all threads together, so that other work on the machine disturbs "
        "it little. Kept for backward: what the forward pass leaves beside its input and output. Peak: the most that forward "
        "and backward hold beside the input and the output's gradient.",
        "只测层本身：float32，带 γ 和 β（BN 还要更新滑动统计量）。训练指一次前向加一次反向，评估指一次不建图的前向。两种层轮"
        "流成批调用，取各批的中位数；每个种子是一次重复。在 CPU 上计的是所有线程的 CPU 时间之和，因此机器上的其他任务影响很小。"
        "“为反向保留”指前向传播在输入和输出之外留下的内存；“峰值”指前向和反向过程中，在输入和输出梯度之外最多占用的内存。",
    )
    full = {"batches": [16, 64, 256, 1024, 4096], "widths": [32, 128, 512, 2048], "rounds": 7}
    quick = {"batches": [16, 256, 1024], "widths": [32, 512], "rounds": 3}
    modes, kernels = MODES, KERNELS

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        """With Numba's kernels where they run, and with the formulas alone."""
        return [{"kernels": kernels} for kernels in KERNELS if kernels == "numpy" or (s["device"] == "cpu" and compiled())]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        rows: list[Row] = []
        with tn.kernels.use(arm["kernels"]):
            for batch in s["batches"]:
                for width in s["widths"]:
                    rows += measure(batch, width, s["rounds"], s["device"])
        return rows

    def ratios(self, rows: list[Row], what: str, kernels: str) -> np.ndarray:
        """LN / BN of each seed (lines) and each size (columns)."""
        bn, ln = (values(rows, what, norm=norm, kernels=kernels) for norm in ("BN", "LN"))
        return (ln / bn).reshape(len({row["seed"] for row in rows}), -1)

    def logarithm(self, rows: list[Row], what: str, kernels: str) -> Difference:
        """log(LN / BN), the mean over the sizes; with its interval over the seeds."""
        found = np.log(self.ratios(rows, what, kernels)).mean(1)
        return difference(found, np.zeros_like(found))

    def measured(self, rows: list[Row]) -> list[str]:
        return [kernels for kernels in KERNELS if any(row["kernels"] == kernels for row in rows)]

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        from matplotlib.colors import LogNorm

        found = self.measured(rows)
        figure, axes = axes_of(len(found), len(MODES), height=3.3, width=4.5 * len(found))
        for number, (mode, kernels) in enumerate((mode, kernels) for mode in MODES for kernels in found):
            z = np.median(self.ratios(rows, f"{mode} seconds", kernels), axis=0).reshape(len(s["batches"]), len(s["widths"]))
            where, names = axes[number], ([str(n) for n in s["batches"]], [str(n) for n in s["widths"]])
            label = say(Text("time of LN / time of BN", "LN 用时 / BN 用时"))
            heat_map(figure, where, z, *names, label, cmap="RdBu_r", norm=LogNorm(1 / 4, 4), extend="both")
            figure.axes[-1].set_yticks([0.25, 0.5, 1, 2, 4], ["¼", "½", "1", "2", "4"])
            figure.axes[-1].minorticks_off()
            where.set_title(f"{say(MODES[mode])}{say(Text(', ', '，'))}{say(KERNELS[kernels])}", fontsize=10)
            where.set_xlabel(say(Text("width (numbers a row)", "宽度（每行元素数）")))
            where.set_ylabel(say(Text("batch (rows)", "批大小（行数）")))
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        head = (
            Text("batch × width", "批大小 × 宽度"),
            Text("layer", "层"),
            Text("code", "实现"),
            Text("training, µs", "训练，微秒"),
            Text("evaluation, µs", "评估，微秒"),
            Text("kept for backward, kB", "为反向保留，kB"),
            Text("peak, kB", "峰值，kB"),
        )
        lines = [[say(t) for t in head]]
        sizes = dict.fromkeys((s["batches"][i], s["widths"][i]) for i in (0, len(s["widths"]) // 2, -1))
        for batch, width in sizes:
            for norm in LAYERS:
                for kernels in self.measured(rows):
                    where = {"batch": batch, "width": width, "norm": norm, "kernels": kernels}
                    times = [f"{1e6 * np.median(values(rows, f'{mode} seconds', **where)):,.0f}" for mode in MODES]
                    memory = [f"{np.median(values(rows, what, **where)) / 1e3:,.0f}" for what in MEMORY[:2]]
                    lines.append([f"{batch} × {width}", norm, say(KERNELS[kernels]), *times, *memory])
        return lines

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        found = self.measured(rows)
        # (kernels, sizes)
        ratios = np.array([np.median(self.ratios(rows, "train seconds", kernels), axis=0) for kernels in found])
        on_average = [factor(float(np.exp(np.log(of_sizes).mean()))) < CLOSE for of_sizes in ratios]
        everywhere = max(factor(float(ratio)) for ratio in ratios.flat) < FAR
        parts = [self.sentence(rows, s, kernels) for kernels in found]
        return Verdict(
            Text(
                f"{' '.join(part.en for part in parts)} (Geometric means over {len(s['batches']) * len(s['widths'])} sizes, "
                f"95 % interval over {len({row['seed'] for row in rows})} seeds.)",
                f"{''.join(part.zh for part in parts)}（{len(s['batches']) * len(s['widths'])} 种尺寸的几何平均，"
                f"{len({row['seed'] for row in rows})} 个种子的 95 % 区间。）",
            ),
            "yes" if all(on_average) and everywhere else "partly" if any(on_average) else "no",
            Text(
                "Both layers are the same formula over other axes, with as many operations and passes over memory, so about "
                f"the same time is expected (here: within a factor of {CLOSE} on average, of {FAR:g} at each size). That "
                "normalising takes time is known for both: Gitman and Ginsburg 2017 (abstract) call BN bound by the "
                "bandwidth of memory; Zhang and Sennrich 2019 (abstract) say that LN slows networks down, recurrent ones "
                "above all. In evaluation BN is a fixed affine map, which can be merged into the Linear before it; LN still "
                "needs its statistics (Ba et al. 2016, abstract: it computes the same in training and test).",
                f"两种层是同一公式作用于不同的轴，运算量和内存访问次数相同，因此预期用时相近（此处指平均相差不超过 {CLOSE} "
                f"倍，每种尺寸不超过 {FAR:g} 倍）。归一化的开销在两者都有报道：Gitman 与 Ginsburg 2017（摘要）指出 BN 受内"
                "存带宽限制；Zhang 与 Sennrich 2019（摘要）指出 LN 会拖慢网络，尤其是循环网络。评估时 BN 是固定的仿射变换，可"
                "以并入它前面的 Linear；LN 仍需计算统计量（Ba 等 2016，摘要：训练和测试时计算相同）。",
            ),
        )

    def sentence(self, rows: list[Row], s: dict[str, Any], kernels: str) -> Text:
        """What is found with these kernels."""
        train, evaluation = (self.logarithm(rows, f"{mode} seconds", kernels) for mode in MODES)
        at_sizes = np.median(self.ratios(rows, "train seconds", kernels), axis=0)
        words = {1: ("longer than", "更慢"), 0: ("as long as", "快慢无法分辨"), -1: ("less time than", "更快")}[train.sign]
        largest = {"batch": s["batches"][-1], "width": s["widths"][-1], "kernels": kernels}
        bytes_of = {what: [np.median(values(rows, what, norm=norm, **largest)) for norm in LAYERS] for what in MEMORY}
        kept = np.divide(bytes_of["kept bytes"], bytes_of["input bytes"])
        size = f"{largest['batch']} × {largest['width']}"
        sizes = [f"{batch} × {width}" for batch in s["batches"] for width in s["widths"]]
        low, high = (f"{at_sizes[i]:.2f} ({sizes[i]})" for i in (at_sizes.argmin(), at_sizes.argmax()))
        return Text(
            f"{KERNELS[kernels].en.capitalize()}: in training LN takes {words[0]} BN"
            f"{' as far as the seeds tell' * (not train.sign)}: {as_ratio(train)} times its time, from {low} to {high}; "
            f"in evaluation {as_ratio(evaluation)} times. At {size} BN keeps {kept[0]:.3f} and LN {kept[1]:.3f} times its "
            "input's bytes for backward.",
            f"{KERNELS[kernels].zh}：训练时 LN 与 BN 相比{words[1]}，用时为 BN 的 {as_ratio(train)} 倍，从 {low} 到 {high}；"
            f"评估时为 {as_ratio(evaluation)} 倍。{size} 时，为反向保留的内存与输入之比：BN {kept[0]:.3f}，LN {kept[1]:.3f}。",
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        for kernels in self.measured(rows):
            ratio = np.exp(self.logarithm(rows, "train seconds", kernels).mean)
            assert 0.2 < ratio < 5, (kernels, ratio)
        assert all(row["peak bytes"] >= row["kept bytes"] >= 0 for row in rows)


def compiled() -> bool:
    """Whether Numba's kernels run here."""
    try:
        with tn.kernels.use("numba"):
            return True
    except ModuleNotFoundError:
        return False


def factor(ratio: float) -> float:
    """How many times the smaller of two is the larger."""
    return max(ratio, 1 / ratio)


def as_ratio(d: Difference) -> str:
    """A difference of logarithms as a ratio with its interval."""
    return f"{np.exp(d.mean):.2f} [{np.exp(d.low):.2f}, {np.exp(d.high):.2f}]"


def measure(batch: int, width: int, rounds: int, device: str) -> list[Row]:
    """For both layers at one size: the seconds of a training and of an evaluation call, and the bytes."""
    x = tn.randn(batch, width, device=device, requires_grad=True)
    g = tn.randn(batch, width, device=device)
    layers = {norm: make(width).to(device) for norm, make in LAYERS.items()}
    rows = {norm: {"batch": batch, "width": width, "norm": norm} for norm in layers}
    for mode in MODES:
        works = {norm: work_of(layer.train(mode == "train"), x, g) for norm, layer in layers.items()}
        for norm, seconds in alternating(works, rounds, device).items():
            rows[norm][f"{mode} seconds"] = seconds
    memory = bytes_on_gpu if device == "cuda" else bytes_on_cpu
    for norm, layer in layers.items():
        kept, peak = memory(layer.train(), x, g)
        rows[norm] |= {"kept bytes": kept, "peak bytes": peak, "input bytes": x.numel() * x.element_size()}
    return list(rows.values())


def work_of(layer: nn.Module, x: tn.Tensor, g: tn.Tensor) -> Callable[[], None]:
    """In training mode forward and backward, else a forward pass without a graph."""

    def forward_backward() -> None:
        layer.zero_grad()
        x.grad = None
        layer(x).backward(g)

    def forward() -> None:
        with tn.no_grad():
            layer(x)

    return forward_backward if layer.training else forward


def alternating(works: dict[str, Callable[[], None]], rounds: int, device: str) -> dict[str, float]:
    """The seconds of a call, the median of `rounds` bursts; the works take turns, each second round in the opposite order.

    On the CPU they are seconds of all threads: a kernel may do half of its work on another.
    """
    clock = time.perf_counter if device == "cuda" else time.process_time
    for work in works.values():
        seconds_of(work, 2, clock)  # what is compiled or allocated at first is there from now on
    calls = {name: max(1, math.ceil(BURST / max(seconds_of(work, 3, clock), 1e-6))) for name, work in works.items()}
    found: dict[str, list[float]] = {name: [] for name in works}
    for n in range(rounds):
        for name in list(works)[:: 1 if n % 2 else -1]:
            found[name].append(seconds_of(works[name], calls[name], clock))
    return {name: float(np.median(seconds)) for name, seconds in found.items()}


def seconds_of(work: Callable[[], None], calls: int, clock: Callable[[], float]) -> float:
    """The mean over some calls."""
    tn.cuda.synchronize()
    start = clock()
    for _ in range(calls):
        work()
    tn.cuda.synchronize()
    return (clock() - start) / calls


def bytes_on_cpu(layer: nn.Module, x: tn.Tensor, g: tn.Tensor) -> tuple[int, int]:
    """Bytes that forward keeps beside x and y, and the most that forward and backward hold beside x and g."""
    layer.zero_grad()
    x.grad = None
    tn.kernels.empty_cache()  # memory that is used again would not be counted
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        y = layer(x)
        kept = tracemalloc.get_traced_memory()[0] - before - y.numel() * y.element_size()
        y.backward(g)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    return kept, peak


def bytes_on_gpu(layer: nn.Module, x: tn.Tensor, g: tn.Tensor) -> tuple[int, int]:
    """The same of a pool of CuPy's that begins empty; it takes memory from the GPU only where nothing that is free fits."""
    cuda = tn.backend.cuda_status()[0].cuda
    pool = cuda.MemoryPool()
    layer.zero_grad()
    x.grad = None
    with cuda.using_allocator(pool.malloc):
        y = layer(x)
        kept = pool.used_bytes() - y.numel() * y.element_size()
        y.backward(g)
    return int(kept), int(pool.total_bytes())


EXPERIMENT = Cost()
