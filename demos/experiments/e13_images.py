"""E13: images. A small convolutional net with BatchNorm2d, GroupNorm, InstanceNorm2d, LayerNorm, none, at three batch sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn, optim

from .base import Experiment, Row, Text, Verdict, difference, spread, values
from .nets import MORE_COLOURS, STYLE, accuracy, data_of, named, side, train
from .plots import axes_of, band, bars

GROUPS = 4  # of GroupNorm: of 8 channels, 2 in each
IMAGE_NORMS: dict[str, Callable[[int, int], nn.Module]] = {  # of C channels and images of H x H
    "none": lambda C, H: nn.Identity(),
    "BN": lambda C, H: nn.BatchNorm2d(C),
    "GN": lambda C, H: nn.GroupNorm(GROUPS, C),
    "LN": lambda C, H: nn.LayerNorm([C, H, H]),
    "IN": lambda C, H: nn.InstanceNorm2d(C, affine=True),
}
STYLES = {**{norm: STYLE[norm] for norm in ("none", "BN", "GN", "LN")}, "IN": (MORE_COLOURS[0], (0, (5, 1, 1, 1, 1, 1)))}
MARKERS = {"none": "x", "BN": "o", "GN": "^", "LN": "s", "IN": "D"}


def convolutional_net(norm: str, H: int) -> nn.Sequential:
    """For images of H x H: two convolutions of 3 x 3, each with norm and ReLU behind it; a max pooling; a Linear."""
    layers: list[nn.Module] = [nn.Unflatten(1, (1, H, H))]
    for before, channels in ((1, 8), (8, 16)):
        layers += [nn.Conv2d(before, channels, 3, padding=1), IMAGE_NORMS[norm](channels, H), nn.ReLU()]
    return nn.Sequential(*layers, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(channels * (H // 2) ** 2, 10))


class Images(Experiment):
    key = "E13"
    title = Text("Images", "图像")
    question = Text(
        "Which of them suits a convolutional net, and does the answer depend on the batch size?",
        "卷积网络适合用哪一种？答案与批大小有关吗？",
    )
    how = Text(
        "Digits as images: Conv 8, norm, ReLU, Conv 16, norm, ReLU, max pooling, Linear. BatchNorm2d, GroupNorm (4 "
        "groups), LayerNorm over (C, H, W), InstanceNorm2d, none. SGD with a learning rate that falls from 0.1 · B / 32 to "
        "0; the same number of epochs for each batch size B.",
        "把数字作为图像：Conv 8、归一化、ReLU、Conv 16、归一化、ReLU、最大池化、Linear。归一化为 BatchNorm2d、"
        "GroupNorm（4 组）、在 (C, H, W) 上的 LayerNorm、InstanceNorm2d 或无。SGD，学习率从 0.1 · B / 32 降到 0；每个批大小 "
        "B 的训练轮数相同。",
    )
    full = {"sizes": [2, 8, 32], "epochs": 2, "measured": 11}
    quick = {"sizes": [4, 32], "epochs": 1, "measured": 4}
    shown = 32  # the batch size of the curves

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"norm": norm, "batch": size} for norm in IMAGE_NORMS for size in s["sizes"]]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        B = arm["batch"]
        net = convolutional_net(arm["norm"], side(x)).to(s["device"])
        steps = s["epochs"] * (len(x) // B)
        rows: list[Row] = []

        def after(step: int, loss: float) -> None:
            right = accuracy(net, x_test, y_test)
            rows.append({"step": step, "loss": loss, "test accuracy": right, "last": int(step == steps)})

        optimizer = optim.SGD(net.parameters(), lr=0.1 * B / 32)
        schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)  # without it, the last steps decide by chance
        train(net, optimizer, x, y, B, steps, seed, after, max(1, steps // s["measured"]), schedule)
        return rows

    def final(self, rows: list[Row], norm: str, size: int) -> np.ndarray:
        return values(rows, "test accuracy", norm=norm, batch=size, last=1)

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, (left, right) = axes_of(2, height=3.8)
        for norm in IMAGE_NORMS:
            colour, dashes = STYLES[norm]
            band(left, rows, "step", "test accuracy", say(named(norm)), STYLES[norm], scale=100, norm=norm, batch=self.shown)
            found = [100 * (1 - self.final(rows, norm, size)) for size in s["sizes"]]
            shift = 1.05 ** (list(IMAGE_NORMS).index(norm) - 2)  # so that the error bars stand beside each other
            right.errorbar(
                [size * shift for size in s["sizes"]],
                [f.mean() for f in found],
                bars(found),
                color=colour, linestyle=dashes, marker=MARKERS[norm], markersize=5, capsize=2, linewidth=1.6,
            )  # fmt: skip
        left.set_xlabel(say(Text(f"training steps, batches of {self.shown}", f"训练步数（批大小 {self.shown}）")))
        left.set_ylabel(say(Text("test accuracy (%)", "测试准确率（%）")))
        right.set_yscale("log")
        right.set_yticks([2, 3, 5, 10, 20, 40], ["2", "3", "5", "10", "20", "40"])
        right.minorticks_off()
        right.set_xscale("log", base=2)
        right.set_xticks(s["sizes"], [str(size) for size in s["sizes"]])
        right.set_xlabel(say(Text("batch size", "批大小")))
        right.set_ylabel(say(Text("test error at the end (%)", "最终测试错误率（%）")))
        figure.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=5)
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        accuracy_at = [Text(f"accuracy with B = {B}, %", f"B = {B} 时的准确率，%") for B in s["sizes"]]
        last = Text("largest B - smallest B, points", "最大 B − 最小 B，百分点")
        lines = [[say(t) for t in (Text("norm", "归一化"), *accuracy_at, last)]]
        small, large = s["sizes"][0], s["sizes"][-1]
        for norm in IMAGE_NORMS:
            finals = [spread(self.final(rows, norm, B)).text(1, 100) for B in s["sizes"]]
            d = difference(self.final(rows, norm, large), self.final(rows, norm, small))
            lines.append([say(named(norm)), *finals, d.text(1, 100)])
        return lines

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        small, large = s["sizes"][0], s["sizes"][-1]
        text = {B: {norm: spread(self.final(rows, norm, B)).text(1, 100, " %") for norm in IMAGE_NORMS} for B in (small, large)}
        every = {B: ", ".join(f"{norm} {t}" for norm, t in text[B].items()) for B in (small, large)}
        gap = {B: difference(self.final(rows, "BN", B), self.final(rows, "GN", B)) for B in (small, large)}
        change = {norm: difference(self.final(rows, norm, small), self.final(rows, norm, large)) for norm in ("BN", "GN")}
        at = {B: Text(*(f"{d.text(1, 100)}{t}" for t in AHEAD[d.sign])) for B, d in gap.items()}
        zh = {B: t.replace("none", "无").replace(", ", "，") for B, t in every.items()}
        ln = difference(self.final(rows, "LN", large), self.final(rows, "IN", large))
        # what the paper says, each 1 where it holds here, -1 where the opposite does
        claims = [gap[large].sign, -gap[small].sign, -change["BN"].sign, ln.sign]
        bn, gn = (Text(*(f"{d.text(1, 100)}{t}" for t in CHANGES[d.sign])) for d in change.values())
        return Verdict(
            Text(
                f"Batches of {large}: {every[large]} (BN - GN {at[large].en}). Batches of {small}: {every[small]} (BN - GN "
                f"{at[small].en}). With batches of {small} in place of {large}, BN's accuracy changes by {bn.en}, GN's by "
                f"{gn.en}.",
                f"批大小 {large}：{zh[large]}（BN − GN {at[large].zh}）。批大小 {small}：{zh[small]}（BN − GN "
                f"{at[small].zh}）。批大小从 {large} 减到 {small}，BN 的准确率变化 {bn.zh}，GN 的变化 {gn.zh}。",
            ),
            "yes" if min(claims) > 0 else "no" if min(claims) < 0 and max(claims) <= 0 else "partly",
            Text(
                "Wu and He 2018, section 4.1, tables 1 and 2 (ResNet-50, ImageNet): with batches of 32, BN is best, then GN, "
                "LN and IN; GN's error does not depend on the batch size, while BN's grows by 11 points at batches of 2.",
                "Wu 与 He 2018，第 4.1 节，表 1 与表 2（ResNet-50，ImageNet）：批大小 32 时 BN 最好，其次是 GN、LN、IN；"
                "GN 的错误率与批大小无关，而 BN 在批大小为 2 时的错误率高出 11 个百分点。",
            ),
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        for norm in ("BN", "GN", "LN"):
            assert self.final(rows, norm, s["sizes"][0]).mean() > 0.7, norm


AHEAD = {
    1: Text(" points: BN is better", " 个百分点：BN 更好"),
    -1: Text(" points: GN is better", " 个百分点：GN 更好"),
    0: Text(" points: the seeds do not tell", " 个百分点：这些种子分不出高下"),
}
CHANGES = {
    1: Text(" points (better)", " 个百分点（更好）"),
    -1: Text(" points (worse)", " 个百分点（更差）"),
    0: Text(" points (the seeds do not tell)", " 个百分点（这些种子分不出）"),
}
EXPERIMENT = Images()
