"""E2: does BatchNorm work because it holds the distributions inside the network still (internal covariate shift)?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn

from .base import Difference, Experiment, Row, Text, Verdict, difference, spread, values
from .nets import MORE_COLOURS, STYLE, accuracy, data_of, make_optimizer, mlp, named, train, using_batch_statistics
from .plots import axes_of, band, by_x

PERCENTILES = (15, 50, 85)  # those of Ioffe and Szegedy 2015, figure 1
# The noise, in standard deviations of BatchNorm's output: large enough that an input's distribution is plainly another one in
# each step, and symmetric about no noise, so that evaluation, which has none, is the middle of what training sees.
SHIFT, FACTOR = 0.5, 0.5
ROWS = 600  # training images that the percentiles are of: enough for them, and cheap
CLOSE = 0.01  # "as well as": within one point of test accuracy


class Noise(nn.Module):
    """In training, ``m + s * x``, with new m and s for each unit and step.

    m is from U(-shift, shift), s from U(1 - factor, 1 + factor). After a BatchNorm, a unit has no fixed mean and variance then.
    """

    def __init__(self, num_features: int, shift: float = SHIFT, factor: float = FACTOR) -> None:
        super().__init__()
        self.num_features, self.shift, self.factor = num_features, shift, factor

    def forward(self, x: tn.Tensor) -> tn.Tensor:
        if not self.training:
            return x
        m, s = (tn.rand(self.num_features, device=x.device) * 2 - 1 for _ in range(2))  # U(-1, 1)
        return x * (1 + self.factor * s) + self.shift * m


def noisy(D: int) -> nn.Module:
    return nn.Sequential(nn.BatchNorm1d(D), Noise(D))


def seen(net: nn.Sequential, x: tn.Tensor) -> np.ndarray:
    """The percentiles, (3, 100), of what the units of the last sigmoid get in training. No running statistic changes."""
    with tn.no_grad():
        z = using_batch_statistics(net[:-2])(x).cpu().numpy()
    return np.percentile(z, PERCENTILES, axis=0)


class Shift(Experiment):
    key = "E2"
    title = Text("Is it internal covariate shift?", "是因为内部协变量偏移吗？")
    question = Text(
        "Does BatchNorm help because the inputs of each layer keep their distribution while the layers before it learn?",
        "BatchNorm 之所以有效，是因为在前面各层学习的同时，它让每一层输入的分布保持不变吗？",
    )
    how = Text(
        "E1's network and training. Measured: the 15th, 50th and 85th percentiles of the inputs of the last "
        "hidden sigmoids over 600 training images, with the statistics and the noise of training. Drift: how far a "
        "percentile moves in one training step (mean absolute change, over the three percentiles and the 100 units). “BN + "
        "noise” has after each BatchNorm, in training only, for each unit and each step a new random shift from U(-0.5, 0.5) "
        "and a new random factor from U(0.5, 1.5). The bands in the picture are those of the first unit with the first seed.",
        "网络与训练同 E1。测量对象：最后一层隐藏 sigmoid 的输入在 600 张训练图像上的第 15、50、85 百分位数，"
        "使用训练时的统计量与噪声。漂移：百分位数在一个训练步中移动的距离（对三个百分位数和 100 个单元取平均绝对变化）。"
        "“BN + 噪声”在每个 BatchNorm 之后加入噪声（仅训练时）：每个单元、每一步都重新抽取一个来自 U(-0.5, 0.5) 的随机平移"
        "和一个来自 U(0.5, 1.5) 的随机系数。图中的色带取自第一个种子的第一个单元。",
    )
    full = {"steps": 5_000, "every": 100}
    quick = {"steps": 1_000, "every": 100}
    norms = ("none", "BN", "LN", "BN + noise")
    styles = {**STYLE, "BN + noise": (MORE_COLOURS[0], "-.")}

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"norm": norm} for norm in self.norms]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        net = mlp(x.shape[1], noisy if arm["norm"] == "BN + noise" else arm["norm"], [100] * 3, "sigmoid", std=0.1)
        net.to(s["device"])
        rows: list[Row] = []
        before = np.zeros(0)

        def after(step: int, loss: float) -> None:
            nonlocal before
            if (step + 1) % s["every"] == 0:
                before = seen(net, x[:ROWS])
            if step % s["every"] == 0:
                now = seen(net, x[:ROWS])
                drift = float(np.abs(now - before).mean()) if step else 0.0
                unit = {f"unit 0, {p} %": float(q) for p, q in zip(PERCENTILES, now[:, 0], strict=True)}
                row = {"step": step, "test accuracy": accuracy(net, x_test, y_test), "drift": drift}
                rows.append({**row, "width": float((now[2] - now[0]).mean()), **unit})

        train(net, make_optimizer("sgd", net, 0.1), x, y, 60, s["steps"], seed, after, every=1)
        return rows

    # ---- figures ---------------------------------------------------------------------------------------------------------

    def final(self, rows: list[Row], norm: str, s: dict[str, Any]) -> np.ndarray:
        return values(rows, "test accuracy", norm=norm, step=s["steps"])

    def per_seed(self, rows: list[Row], what: str, norm: str) -> np.ndarray:
        """The mean over the training, for each seed."""
        seeds = sorted({row["seed"] for row in rows})
        return np.array([np.mean([r[what] for r in rows if r["norm"] == norm and r["seed"] == n and r["step"]]) for n in seeds])

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, axes = axes_of(2, 3, height=2.7, width=8.4)
        for a, norm in zip(axes[:4], self.norms, strict=True):
            self._percentiles(a, rows, norm, say)
        low, high = (f(a.get_ylim()[i] for a in axes[:4]) for i, f in enumerate((min, max)))
        for a in axes[:4]:
            a.set_ylim(low, high)
        for norm in self.norms:
            band(axes[4], rows, "step", "test accuracy", say(named(norm)), self.styles[norm], scale=100, norm=norm)
            band(axes[5], [row for row in rows if row["step"]], "step", "drift", say(named(norm)), self.styles[norm], norm=norm)
        axes[4].set_ylabel(say(Text("test accuracy (%)", "测试准确率（%）")))
        axes[5].set_ylabel(say(Text("drift in one step", "每步的漂移")))
        axes[5].set_yscale("log")
        for a in axes:
            a.set_xlabel(say(Text("training steps", "训练步数")))
        axes[4].legend(fontsize=8)
        return figure

    def _percentiles(self, axes: Any, rows: list[Row], norm: str, say: Callable[[Text], str]) -> None:
        """Those of one unit with the first seed: a mean over seeds would smooth the very thing that is to be seen."""
        one = [row for row in rows if row["seed"] == min(r["seed"] for r in rows)]
        colour, _ = self.styles[norm]
        low, middle, high = (by_x(one, "step", f"unit 0, {p} %", norm=norm)[:2] for p in PERCENTILES)
        axes.fill_between(low[0], low[1], high[1], color=colour, alpha=0.25, linewidth=0)
        for x, q in (low, middle, high):
            axes.plot(x, q, color=colour, linewidth=2.0 if q is middle[1] else 0.9)
        axes.set_title(say(named(norm)), fontsize=10)
        axes.set_ylabel(say(Text("input of a sigmoid", "sigmoid 的输入")))

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        head = (
            Text("norm", "归一化"),
            Text("final test accuracy, %", "最终测试准确率，%"),
            Text("drift in one step", "每步的漂移"),
            Text("width of the inputs (85 % - 15 %)", "输入的宽度（85 % − 15 %）"),
        )
        lines = [[say(t) for t in head]]
        for norm in self.norms:
            drift, width = (spread(self.per_seed(rows, what, norm)) for what in ("drift", "width"))
            lines.append([say(named(norm)), spread(self.final(rows, norm, s)).text(1, 100), drift.text(3), width.text(2)])
        return lines

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        final = {norm: self.final(rows, norm, s) for norm in self.norms}
        drift = {norm: self.per_seed(rows, "drift", norm) for norm in self.norms}
        as_well = difference(final["BN + noise"], final["BN"])
        better = difference(final["BN + noise"], final["none"])
        more = difference(drift["BN + noise"], drift["none"]).sign
        trains = as_well.mean > -CLOSE and better.mean > 0
        refuted = trains and more > 0
        learns = self._learns(final, as_well, better, s)
        parts = [self._moves(drift), learns, CONCLUSION[refuted], self._layer_norm(drift, final)]
        return Verdict(
            Text(" ".join(p.en for p in parts if p.en), "".join(p.zh for p in parts)),
            "yes" if refuted else "partly" if trains or more > 0 else "no",
            Text(
                "Ioffe and Szegedy 2015, section 1 and figure 1 (b, c): BN works by reducing internal covariate shift. "
                "Santurkar, Tsipras, Ilyas and Madry 2018, section 2.1 and figure 2: with noise after each BN the inputs "
                "shift more than without BN, and the network trains about as well. The result is compared with the later "
                "paper.",
                "Ioffe 与 Szegedy 2015，第 1 节和图 1（b、c）：BN 通过减少内部协变量偏移起作用。Santurkar、Tsipras、Ilyas 与 "
                "Madry 2018，第 2.1 节和图 2：在每个 BN 之后加入噪声，输入的偏移比没有 BN 时更大，网络却训练得几乎一样好。"
                "此处的结果与后一篇论文比较。",
            ),
        )

    def _moves(self, drift: dict[str, np.ndarray]) -> Text:
        size = {norm: spread(x).text(3) for norm, x in drift.items()}
        en = ", ".join(f"{norm} {size[norm]}" for norm in self.norms)
        zh = "，".join(f"{named(norm).zh} {size[norm]}" for norm in self.norms)
        word = {
            1: Text("BN's inputs drift more than those without", "BN 的漂移大于无归一化"),
            -1: Text("BN's inputs drift less than those without", "BN 的漂移小于无归一化"),
            0: Text(
                "the seeds do not tell whether BN's inputs drift less than those without",
                "BN 的漂移是否小于无归一化，种子无法判断",
            ),
        }[difference(drift["BN"], drift["none"]).sign]
        return Text(f"Drift in one step: {en}; {word.en}.", f"每步的漂移：{zh}；{word.zh}。")

    def _learns(self, final: dict[str, np.ndarray], as_well: Difference, better: Difference, s: dict[str, Any]) -> Text:
        en, zh = (
            mark.join(f"{getattr(named(norm), lang)} {spread(final[norm]).text(1, 100, ' %')}" for norm in self.norms)
            for lang, mark in (("en", ", "), ("zh", "，"))
        )
        to_bn, to_none = points(as_well), points(better)
        return Text(
            f"Test accuracy after {s['steps']} steps: {en} (BN + noise - BN: {to_bn.en}; BN + noise - none: {to_none.en}).",
            f"{s['steps']} 步之后的测试准确率：{zh}（BN + 噪声 − BN：{to_bn.zh}；BN + 噪声 − 无：{to_none.zh}）。",
        )

    def _layer_norm(self, drift: dict[str, np.ndarray], final: dict[str, np.ndarray]) -> Text:
        """Said only where it is so: LN trains better although its inputs drift more."""
        if difference(drift["LN"], drift["none"]).sign > 0 and difference(final["LN"], final["none"]).sign > 0:
            return Text(
                "LN's inputs, too, drift more than those without, and LN trains better than none.",
                "LN 的漂移同样大于无归一化，而它训练得比无归一化更好。",
            )
        return Text("", "")

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        final = {norm: self.final(rows, norm, s).mean() for norm in self.norms}
        drift = {norm: self.per_seed(rows, "drift", norm).mean() for norm in self.norms}
        assert final["BN + noise"] > final["none"] + 0.03, final
        assert drift["BN + noise"] > 5 * max(drift["none"], drift["BN"]), drift


CONCLUSION = {
    True: Text(
        "A network whose inputs drift more than those without normalisation trains as well as BN, within a point: "
        "a small drift is not what makes BN work.",
        "输入漂移比无归一化时更大的网络，训练得与 BN 一样好（相差不到一个百分点）：漂移小并不是 BN 有效的原因。",
    ),
    False: Text("So it is not shown here that BN works without a small drift.", "因此，这里没有证明 BN 在漂移不小时依然有效。"),
}


def points(d: Difference) -> Text:
    text = d.text(1, 100, " points")
    return Text(text, text.replace(" points", " 个百分点"))


EXPERIMENT = Shift()
