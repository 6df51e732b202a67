"""E3: what do small batches do to BatchNorm, and what mends it?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn

from .base import Difference, Experiment, Row, Text, Verdict, difference, spread, values
from .batch_renorm import BatchRenorm1d
from .nets import (
    MORE_COLOURS,
    NORMS,
    STYLE,
    accuracy,
    batches,
    data_of,
    make_optimizer,
    mlp,
    pick,
    re_estimate,
    train,
    using_batch_statistics,
)
from .plots import axes_of, by_x

SMALL, RENORM_SIZE, LARGE = 2, 4, 32  # the batch sizes of the verdict; with 4, Wu and He 2018 compared batch renormalisation
RECALIBRATED, OF_BATCH, RENORM = "BN, recalibrated", "BN, of the batch", "batch renorm"
Errors = dict[tuple[str, int], np.ndarray]  # by method and batch size: of each seed
Texts = dict[tuple[str, int], str]


def error_with_batch_statistics(net: nn.Module, x: tn.Tensor, y: tn.Tensor, B: int, seed: int) -> float:
    """The test error in batches of B that are standardised by themselves, as in training. No running statistic changes."""
    own = using_batch_statistics(net)
    with tn.no_grad():
        some = (pick(at, x, y) for at in batches(len(x), B, len(x) // B, seed))
        return float(np.mean([float((own(images).argmax(1) != classes).float().mean()) for images, classes in some]))


class SmallBatches(Experiment):
    key = "E3"
    title = Text("Small batches", "小批量")
    question = Text(
        "How does the test error depend on the batch size with BatchNorm, LayerNorm and GroupNorm, and what mends BatchNorm?",
        "使用 BatchNorm、LayerNorm、GroupNorm 时，测试误差如何随批大小变化？BatchNorm 在小批量下又如何补救？",
    )
    how = Text(
        "Digits, two hidden layers of 64 ReLUs, SGD with learning rate 0.1·B/32 for a batch size B, the same number of "
        "epochs for each B. "
        "GroupNorm has 8 groups of 8. BatchNorm cannot train with B = 1: one value has no variance, and the layer refuses "
        "it. "
        "Recalibrated: after the training, the running statistics are set to those of the whole training set. Batch "
        "renormalisation: "
        "BatchNorm's rule for the first fifth of the steps, then its limits open over the second fifth to r_max = 3, d_max "
        "= 5.",
        "手写数字，两个各含 64 个 ReLU 的隐藏层，SGD 学习率为 0.1·B/32（B 为批大小），各批大小训练的轮数相同。GroupNorm 为 "
        "8 组、每组 8 个单元。"
        "B = 1 时 BatchNorm 无法训练：单个值没有方差，该层会报错。重新校准：训练结束后，将运行统计量设为整个训练集的统计量。"
        "批重归一化：前五分之一的步数按 BatchNorm 训练，随后五分之一的步数中逐渐放宽限制，直至 r_max = 3、d_max = 5。",
    )
    full = {"sizes": [1, 2, 4, 8, 32, 128], "epochs": 8}
    quick = {"sizes": [2, 4, 32], "epochs": 2}
    renorm_sizes = (2, 4)  # where BatchNorm has a problem that it could mend
    lines = ("BN", "LN", "GN", RECALIBRATED, RENORM)
    styles = {
        **{norm: (*STYLE[norm], marker) for norm, marker in (("BN", "o"), ("LN", "s"), ("GN", "^"))},
        RECALIBRATED: (MORE_COLOURS[1], ":", "D"),
        RENORM: (MORE_COLOURS[0], (0, (5, 1, 1, 1, 1, 1)), "v"),
    }

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        sizes = {norm: [B for B in s["sizes"] if B > 1 or norm != "BN"] for norm in ("BN", "LN", "GN")}
        sizes[RENORM] = [B for B in self.renorm_sizes if B in s["sizes"]]
        return [{"norm": norm, "B": B} for norm, found in sizes.items() for B in found]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        B, norm = arm["B"], arm["norm"]
        steps = s["epochs"] * (len(x) // B)
        make = NORMS[norm] if norm != RENORM else lambda D: BatchRenorm1d(D, warm_up=steps // 5, ramp=steps // 5)
        net = mlp(x.shape[1], make, [64, 64]).to(s["device"])
        train(net, make_optimizer("sgd", net, 0.1 * B / 32), x, y, B, steps, seed)
        rows: list[Row] = [{"method": norm, "test error": 1 - accuracy(net, x_test, y_test)}]
        if norm == "BN":
            rows.append({"method": OF_BATCH, "test error": error_with_batch_statistics(net, x_test, y_test, B, seed)})
            re_estimate(net, x)
            rows.append({"method": RECALIBRATED, "test error": 1 - accuracy(net, x_test, y_test)})
        return rows

    # ---- figures ---------------------------------------------------------------------------------------------------------

    def error(self, rows: list[Row], method: str, B: int) -> np.ndarray:
        """For each seed; empty where it was not measured."""
        return values(rows, "test error", method=method, B=B)

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, (axes,) = axes_of(1, height=4.2)
        for n, method in enumerate(self.lines):
            colour, dashes, marker = self.styles[method]
            B, mean, low, high = by_x(rows, "B", "test error", method=method)
            aside = B * 2 ** (0.05 * (n - 2))  # so that the bars of two lines do not cover each other
            reach = 100 * np.array([mean - low, high - mean])
            style = {"color": colour, "linestyle": dashes, "marker": marker, "markersize": 5, "capsize": 2}
            axes.errorbar(aside, 100 * mean, reach, label=say(NAMES[method]), **style)
        axes.set_xscale("log", base=2)
        axes.set_xticks(s["sizes"], [str(B) for B in s["sizes"]])
        axes.set_yscale("log")
        axes.set_yticks(*ticks(axes.get_ylim()))
        axes.minorticks_off()
        axes.set_xlabel(say(Text("batch size B", "批大小 B")))
        axes.set_ylabel(say(Text("test error (%)", "测试误差（%）")))
        if 1 in s["sizes"]:
            note = say(Text("BN cannot\ntrain with 1", "BN 无法用\n1 个样本训练"))
            axes.text(0.01, 0.98, note, color=STYLE["BN"][0], va="top", fontsize=8, transform=axes.transAxes)
        axes.legend()
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        def cell(method: str, B: int) -> str:
            e = self.error(rows, method, B)
            refused = method == "BN" and B == 1
            return spread(e).text(1, 100) if e.size else say(Text("refused", "报错")) if refused else "-"

        head = [say(Text("test error, %", "测试误差，%")), *[f"B = {B}" for B in s["sizes"]]]
        return [head, *[[say(NAMES[method]), *[cell(method, B) for B in s["sizes"]]] for method in NAMES]]

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        e = {(method, B): self.error(rows, method, B) for method in NAMES for B in s["sizes"]}
        pct = {at: spread(x).text(1, 100, " %") for at, x in e.items() if x.size}
        parts = [self._sizes(e, pct), self._recalibrated(e, pct), *(self._renormed(e, pct, B) for B in (RENORM_SIZE, SMALL))]
        found = [
            all(difference(e["BN", SMALL], e[norm, SMALL]).sign > 0 for norm in ("LN", "GN")),
            difference(e["BN", SMALL], e["BN", LARGE]).sign > 0,
            difference(e[RENORM, RENORM_SIZE], e["BN", RENORM_SIZE]).sign < 0,
        ]
        return Verdict(
            Text(" ".join(p.en for p in parts), "".join(p.zh for p in parts)),
            "yes" if all(found) else "partly" if any(found) else "no",
            Text(
                "Wu and He 2018 (Group normalization), figure 1: on ImageNet, BN's error rises as the batch gets smaller and "
                "GN's does not. Section 4.1: with batches of 4, batch renormalisation (Ioffe 2017) errs on 26.3 %, BN on "
                "27.3 %.",
                "Wu 与 He 2018（Group normalization），图 1：在 ImageNet 上，批越小 BN 的误差越大，而 GN 不变。"
                "第 4.1 节：批大小为 4 时，批重归一化（Ioffe 2017）的误差为 26.3 %，BN 为 27.3 %。",
            ),
        )

    def _sizes(self, e: Errors, pct: Texts) -> Text:
        norms = ("BN", "LN", "GN")
        sizes = sorted({SMALL, LARGE, max(B for _, B in e)})
        errors = [", ".join(f"{norm} {pct[norm, B]}" for norm in norms) for B in sizes]
        change = {norm: points(difference(e[norm, SMALL], e[norm, LARGE])) for norm in norms}
        worse = points(difference(e["BN", SMALL], e["LN", SMALL]))
        en = "; ".join(f"with B = {B}: {error}" for B, error in zip(sizes, errors, strict=True))
        zh = "；".join(f"B = {B} 时：{error.replace(', ', '，')}" for B, error in zip(sizes, errors, strict=True))
        return Text(
            f"Test error {en}. BN - LN with B = {SMALL}: {worse.en}. Change from B = {LARGE} to {SMALL}: "
            f"{', '.join(f'{norm} {d.en}' for norm, d in change.items())}.",
            f"测试误差，{zh}。B = {SMALL} 时 BN − LN：{worse.zh}。从 B = {LARGE} 到 {SMALL} 的变化："
            f"{'，'.join(f'{norm} {d.zh}' for norm, d in change.items())}。",
        )

    def _recalibrated(self, e: Errors, pct: Texts) -> Text:
        change, left = (difference(e[RECALIBRATED, SMALL], e[norm, SMALL]) for norm in ("BN", "LN"))
        return Text(
            f"Statistics re-estimated after the training with B = {SMALL}: {pct[RECALIBRATED, SMALL]} (change: "
            f"{points(change).en}: {effect(change).en}; to LN: {points(left).en}). With the statistics of test batches of "
            f"{SMALL}, as in the training, the error of the same network is {pct[OF_BATCH, SMALL]}.",
            f"B = {SMALL} 训练后重新估计统计量：{pct[RECALIBRATED, SMALL]}（变化：{points(change).zh}，{effect(change).zh}；与"
            f" LN 之差：{points(left).zh}）。若像训练时那样使用大小为 {SMALL} 的测试批的统计量，同一网络的误差为 "
            f"{pct[OF_BATCH, SMALL]}。",
        )

    def _renormed(self, e: Errors, pct: Texts, B: int) -> Text:
        change = difference(e[RENORM, B], e["BN", B])
        return Text(
            f"Batch renormalisation with B = {B}: {pct[RENORM, B]} (to BN: {points(change).en}: {effect(change).en}).",
            f"B = {B} 时的批重归一化：{pct[RENORM, B]}（与 BN 之差：{points(change).zh}，{effect(change).zh}）。",
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        error = {norm: self.error(rows, norm, SMALL).mean() for norm in ("BN", "LN", "GN")}
        assert error["BN"] > error["LN"] + 0.02, error
        assert error["BN"] > error["GN"] + 0.02, error


def points(d: Difference) -> Text:
    text = d.text(1, 100, " points")
    return Text(text, text.replace(" points", " 个百分点"))


def effect(change: Difference) -> Text:
    """Of a change of the error, in words."""
    words = Text("it helps", "有帮助"), Text("the seeds do not tell", "种子无法判断"), Text("it does harm", "反而有害")
    return words[change.sign + 1]


def ticks(limits: tuple[float, float]) -> tuple[list[float], list[str]]:
    """Where a logarithmic axis has its numbers."""
    found = [m * 10.0**n for n in range(-2, 3) for m in (1, 2, 3, 5) if limits[0] <= m * 10.0**n <= limits[1]]
    return found, [f"{v:g}" for v in found]


NAMES = {
    "BN": Text("BN", "BN"),
    "LN": Text("LN", "LN"),
    "GN": Text("GN", "GN"),
    RECALIBRATED: Text("BN, recalibrated", "BN，重新校准"),
    OF_BATCH: Text("BN, statistics of the test batch of B", "BN，用大小为 B 的测试批的统计量"),
    RENORM: Text("batch renormalisation", "批重归一化"),
}


EXPERIMENT = SmallBatches()
