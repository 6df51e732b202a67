"""E6: the test data are brighter or darker than the training data. Which normalisation bears it?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn

from .base import Experiment, Row, Text, Verdict, difference, spread, values
from .nets import STYLE, cut, data_of, make_optimizer, mlp, pick, re_estimated, train, using_batch_statistics
from .plots import axes_of, band

BATCH = 60  # rows of a test batch: six of them are the test set
SCALES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
OFFSETS = (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0)  # grey values of the training data are from 0 to 1
SHIFTS = {"scale": SCALES, "offset": OFFSETS}
NO_SHIFT = {"scale": 1.0, "offset": 0.0}
UNCHANGED = 0.01  # a network is called invariant if a shift changes fewer of its answers
# each method: the network, the statistics of its BatchNorms in the test, and its line
METHODS: dict[str, tuple[str, str, tuple[str, str]]] = {
    "BN, running": ("BN", "running", (STYLE["BN"][0], "-")),
    "BN, batch": ("BN", "batch", ("#56B4E9", "s-")),
    "BN, adapted": ("BN", "adapted", ("#009E73", "x-.")),
    "LN": ("LN", "running", (STYLE["LN"][0], "--")),
    "LN, no bias": ("LN, no bias", "running", ("#CC79A7", "o--")),
    "none": ("none", "running", STYLE["none"]),
}
NAMES = {
    "BN, running": Text("BN, running statistics", "BN，滑动统计量"),
    "BN, batch": Text("BN, statistics of the test batch", "BN，测试批统计量"),
    "BN, adapted": Text("BN, adapted statistics", "BN，重新估计的统计量"),
    "LN": Text("LN", "LN"),
    "LN, no bias": Text("LN, Linear without bias", "LN，Linear 无偏置"),
    "none": Text("none", "无归一化"),
}


class Shifted(Experiment):
    key = "E6"
    title = Text("Shifted test data", "测试数据发生偏移")
    question = Text(
        "Trained on x, tested on x·a and on x + b: what is left of the accuracy with BatchNorm and with LayerNorm?",
        "在 x 上训练，在 x·a 和 x + b 上测试：使用 BatchNorm 和 LayerNorm 的网络还剩多少准确率？",
    )
    how = Text(
        "Digits with grey values from 0 to 1, two hidden layers of 64 ReLUs, batches of 32, SGD with learning rate 0.1. In the "
        f"test BN normalises with its running statistics, with those of the test batch ({BATCH} images), or with statistics "
        "that are estimated anew on the training images, shifted too and without their classes (adapted). In one of the LN "
        "networks the Linear layers before the LNs have no bias.",
        "手写数字（灰度 0 到 1），两个各含 64 个 ReLU 单元的隐藏层，批大小 32，SGD 学习率 0.1。"
        f"测试时 BN 使用滑动统计量、测试批（{BATCH} 张图）的统计量，或在经过同样偏移、不带标签的训练图像上"
        "重新估计的统计量。其中一个 LN 网络在 LN 之前的 Linear 层没有偏置。",
    )
    full = {"steps": 2000}
    quick = {"steps": 600}

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"net": net} for net in ("BN", "LN", "LN, no bias", "none")]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        norm, _, no_bias = arm["net"].partition(", ")
        net = mlp(x.shape[1], norm, [64, 64], bias=not no_bias).to(s["device"])
        train(net, make_optimizer("sgd", net, 0.1), x, y, 32, s["steps"], seed)
        net.eval()
        tests = cut(np.random.default_rng(seed).permutation(len(x_test)), BATCH)  # the same batches for each shift
        classes = y_test.cpu().numpy()[np.concatenate(tests)]
        rows: list[Row] = []
        for method, (of, statistics, _) in METHODS.items():
            if of == arm["net"]:
                plain = self.answers(net, statistics, x, x_test, tests)
                for shift, amount, move in self.shifts():
                    found = self.answers(net, statistics, move(x), move(x_test), tests)
                    right, changed = float(np.mean(found == classes)), float(np.mean(found != plain))
                    rows.append({"method": method, "shift": shift, "amount": amount, "accuracy": right, "changed": changed})
        return rows

    def shifts(self) -> Iterator[tuple[str, float, Callable[[tn.Tensor], tn.Tensor]]]:
        for a in SCALES:
            yield "scale", a, lambda x, a=a: x * a  # type: ignore[misc]
        for b in OFFSETS:
            yield "offset", b, lambda x, b=b: x + b  # type: ignore[misc]

    def answers(self, net: nn.Module, statistics: str, x: tn.Tensor, x_test: tn.Tensor, tests: list[np.ndarray]) -> np.ndarray:
        """The classes that the net gives to the test images, batch by batch; x are unlabelled images with the same shift."""
        if statistics == "batch":
            net = using_batch_statistics(net)
        elif statistics == "adapted":
            net = re_estimated(net, x)
        with tn.no_grad():
            return np.concatenate([net(*pick(at, x_test)).argmax(1).cpu().numpy() for at in tests])

    # ---- what it shows

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, (scales, offsets) = axes_of(2, 1, 4.4)
        for axes, shift in ((scales, "scale"), (offsets, "offset")):
            for method, (_, _, style) in METHODS.items():
                band(axes, rows, "amount", "accuracy", say(NAMES[method]), style, 100, method=method, shift=shift)
            axes.set_ylabel(say(Text("test accuracy (%)", "测试准确率（%）")))
            axes.set_ylim(0, 103)
        scales.set_xscale("log", base=2)
        scales.set_xticks(SCALES, [f"{a:g}" for a in SCALES])
        scales.set_xlabel(say(Text("a, of the test images x·a", "a（测试图像为 x·a）")))
        offsets.set_xlabel(say(Text("b, of the test images x + b", "b（测试图像为 x + b）")))
        figure.legend(*scales.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=9)
        return figure

    def mean_of(self, rows: list[Row], method: str, shift: str) -> np.ndarray:
        """For each seed, the mean accuracy over the shifts of this kind (no shift is not one of them)."""
        amounts = [v for v in SHIFTS[shift] if v != NO_SHIFT[shift]]
        return np.mean([values(rows, "accuracy", method=method, shift=shift, amount=v) for v in amounts], 0)

    def most_changed(self, rows: list[Row], method: str, shift: str) -> float:
        """The largest share of answers that a shift of this kind changed, over shifts and seeds."""
        return float(values(rows, "changed", method=method, shift=shift).max())

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        mean = Text("mean accuracy for all {}, %", "所有 {} 的平均准确率，%")
        changed = Text("most answers changed by {}, %", "{} 改变的答案（最多），%")
        head = [say(Text("network, statistics", "网络与统计量")), say(Text("not shifted, %", "无偏移，%"))]
        lines = [[*head, *(say(text).format(t) for text in (mean, changed) for t in ("x·a", "x + b"))]]
        for method in METHODS:
            plain = spread(values(rows, "accuracy", method=method, shift="scale", amount=1.0))
            means = [spread(self.mean_of(rows, method, shift)).text(1, 100) for shift in SHIFTS]
            most = [f"{100 * self.most_changed(rows, method, shift):.1f}" for shift in SHIFTS]
            lines.append([say(NAMES[method]), plain.text(1, 100), *means, *most])
        return lines

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        mean = {(m, shift): self.mean_of(rows, m, shift) for m in METHODS for shift in SHIFTS}
        figures: dict[str, str] = {}
        words: dict[str, Text] = {}
        for shift in SHIFTS:
            d = difference(mean["LN", shift], mean["BN, running", shift])
            figures |= {f"LN {shift}": spread(mean["LN", shift]).text(1, 100), f"d {shift}": d.text(1, 100)}
            figures |= {f"BN {shift}": spread(mean["BN, running", shift]).text(1, 100)}
            figures |= {f"{m} {shift}": f"{100 * self.most_changed(rows, m, shift):.1f}" for m in METHODS if ", " in m}
            words[f"is {shift}"] = BETTER[d.sign]
        return Verdict(
            Text(
                FOUND.en.format(**figures, **{k: w.en for k, w in words.items()}),
                FOUND.zh.format(**figures, **{k: w.zh for k, w in words.items()}),
            ),
            self.agrees(rows),
            LITERATURE,
        )

    def agrees(self, rows: list[Row]) -> str:
        """Whether the same is invariant here as in the table of Ba et al."""
        adapted, ln = "BN, adapted", "LN, no bias"
        expected = {(adapted, "scale"): True, (adapted, "offset"): True, (ln, "scale"): True, (ln, "offset"): False}
        as_said = [(self.most_changed(rows, *k) < UNCHANGED) == invariant for k, invariant in expected.items()]
        return "yes" if all(as_said) else "partly" if any(as_said) else "no"

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        for key in (("BN, adapted", "scale"), ("BN, adapted", "offset"), ("BN, batch", "offset"), ("LN, no bias", "scale")):
            assert self.most_changed(rows, *key) < 0.03, (key, self.most_changed(rows, *key))
        running, adapted, ln = (self.mean_of(rows, m, "offset").mean() for m in ("BN, running", "BN, adapted", "LN"))
        assert adapted > running + 0.1, (adapted, running)
        assert adapted > ln + 0.03, (adapted, ln)


BETTER = {
    1: Text("more than", "高于"),
    -1: Text("less than", "低于"),
    0: Text("not clearly more or less than", "没有明确地高于或低于"),
}
FOUND = Text(
    f"Images times a (mean accuracy over a from {SCALES[0]} to {SCALES[-1]:g}): LN {{LN scale}} %, {{is scale}} BN with "
    "running statistics, {BN scale} % (LN - BN: {d scale} points). Images plus b (mean over b from "
    f"{OFFSETS[0]:g} to {OFFSETS[-1]:g}): LN {{LN offset}} %, {{is offset}} BN with {{BN offset}} % ({{d offset}} points). "
    "How many answers do the shifts change at most? With statistics of the shifted data, BN's: {BN, adapted scale} % (a) and "
    "{BN, adapted offset} % (b); LN's behind Linear layers without bias: {LN, no bias scale} % and {LN, no bias offset} %.",
    f"图像乘以 a（a 从 {SCALES[0]} 到 {SCALES[-1]:g} 的平均准确率）：LN 为 {{LN scale}} %，"
    "{is scale}使用滑动统计量的 BN（{BN scale} %；LN − BN：{d scale} 个百分点）。"
    f"图像加上 b（b 从 {OFFSETS[0]:g} 到 {OFFSETS[-1]:g} 的平均）：LN 为 {{LN offset}} %，"
    "{is offset} BN 的 {BN offset} %（{d offset} 个百分点）。偏移最多改变多少答案？BN 使用偏移后数据的统计量时："
    "{BN, adapted scale} %（a）和 {BN, adapted offset} %（b）；LN 之前的 Linear 层无偏置时："
    "{LN, no bias scale} % 和 {LN, no bias offset} %。",
)
LITERATURE = Text(
    "Ba, Kiros and Hinton 2016, table 1: with the statistics of the data at hand BN is invariant to re-scaling and re-centring "
    "the data set, LN to re-scaling only. Li et al. 2016 (AdaBN), Schneider et al. 2020 and Nado et al. 2020: with statistics "
    "of the unlabelled test data BN bears a shift of the data much better.",
    "Ba、Kiros 与 Hinton 2016，表 1：使用当前数据的统计量时，BN 对数据集的缩放和平移都不变，LN 只对缩放不变。"
    "Li 等 2016（AdaBN）、Schneider 等 2020、Nado 等 2020：改用无标签测试数据的统计量后，BN 更能承受数据的偏移。",
)

EXPERIMENT = Shifted()
