"""E7: the weights before a normalisation may have any scale. What follows for the gradient, and for the learning rate?"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.nn import functional as F

from .base import Experiment, Row, Text, Verdict, difference, spread, values
from .nets import MORE_COLOURS, STYLE, accuracy, batches, data_of, mlp, named, pick, recorded
from .plots import axes_of, band

ROWS = 256  # images of the one batch for which W is scaled
FACTORS = tuple(10.0**k for k in np.linspace(-3, 3, 13).tolist())
FREE_OF_EPS = 1.0  # the slope is fitted to the factors from here on: ε is then small beside the variance
LR, BATCH = 0.1, 32
DECAY = 5e-3


def middle(net: nn.Module) -> Any:
    """The Linear between the two normalisations (or hidden layers): its W is scaled."""
    return [layer for layer in net.modules() if isinstance(layer, nn.Linear)][1]


def significant(x: np.ndarray) -> str:
    """The mean and the standard deviation over the seeds, of numbers that may be small: as far as the latter's first digit."""
    found = spread(x)
    return found.text(max(0, -math.floor(math.log10(found.sd))) if found.sd else 5)


class Scale(Experiment):
    key = "E7"
    title = Text("Scale invariance", "尺度不变性")
    question = Text(
        "If W before a normalisation is multiplied by a, what becomes of the loss, of the gradient, of the learning rate?",
        "把归一化之前的权重 W 乘以 a，损失、梯度和学习率会怎样？",
    )
    how = Text(
        "Digits, two hidden layers of 64 ReLUs without bias. First the W of the second one, as initialised, is multiplied by "
        f"a, and loss and gradient are computed for one batch of {ROWS} images, in training mode and float64. Then the network "
        f"is trained with SGD (learning rate {LR}, batches of {BATCH}), without weight decay and with a decay of {DECAY} of "
        f"this W alone.",
        "手写数字，两个各含 64 个 ReLU 单元、无偏置的隐藏层。先把第二层初始的 W 乘以 a，"
        f"在训练模式下用 float64 对一批 {ROWS} 张图计算损失和梯度；"
        f"再用 SGD 训练网络（学习率 {LR}，批大小 {BATCH}），不用权重衰减，或仅对这个 W 使用 {DECAY} 的权重衰减。",
    )
    full = {"steps": 5000, "every": 100}
    quick = {"steps": 1000, "every": 50}

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"norm": norm, "decay": decay} for norm in ("BN", "LN", "none") for decay in (0.0, DECAY)]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        net = mlp(x.shape[1], arm["norm"], [64, 64], bias=False).to(s["device"])
        rows = self.trained(net, arm["decay"], (x, y), seed, s)
        rows[-1]["test accuracy"] = accuracy(net, x_test, y_test)
        if arm["decay"]:
            return rows
        tn.manual_seed(seed)
        net = mlp(x.shape[1], arm["norm"], [64, 64], bias=False).double().to(s["device"])
        return self.scaled(net, x[:ROWS].double(), y[:ROWS]) + rows

    def scaled(self, net: nn.Module, x: tn.Tensor, y: tn.Tensor) -> list[Row]:
        """Loss and gradient for each factor, and the cosine of the angle between W and the gradient."""
        W = middle(net).weight
        start = W.detach().clone()
        rows: list[Row] = []
        for a in FACTORS:
            with tn.no_grad():
                W.copy_(start * a)
            net.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            w, g = (t.detach().cpu().numpy() for t in (W, W.grad))
            length = float(np.linalg.norm(g))
            cosine = float(np.sum(w * g)) / (float(np.linalg.norm(w)) * length) if length else 0.0
            rows.append({"part": "scaled", "a": a, "loss": float(loss), "gradient": length, "cosine": abs(cosine)})
        return rows

    def trained(self, net: Any, decay: float, data: tuple[tn.Tensor, tn.Tensor], seed: int, s: dict[str, Any]) -> list[Row]:
        """‖W‖² over the training, beside its start plus the sum of (lr ‖g‖)²: equal if each step is at a right angle to W."""
        W = middle(net).weight
        others = [p for p in net.parameters() if p is not W]
        groups: list[dict[str, Any]] = [{"params": [W], "weight_decay": decay}, {"params": others}]
        optimizer = optim.SGD(groups, lr=LR)

        x, y = data

        @recorded(x)
        def step(x: tn.Tensor, y: tn.Tensor) -> tuple[tn.Tensor, tn.Tensor]:
            optimizer.zero_grad()
            loss = F.cross_entropy(net(x), y)
            loss.backward()
            square = (W.grad * W.grad).sum()
            optimizer.step()
            return loss, square

        def row(step: int, loss: float) -> Row:
            square = float((W.detach() ** 2).sum())
            return {"part": "trained", "step": step, "loss": loss, "W2": square, "by steps": steps, "effective lr": LR / square}

        steps = float((W.detach() ** 2).sum())
        rows = [row(0, float("nan"))]
        net.train()
        for n, at in enumerate(batches(len(x), BATCH, s["steps"], seed), start=1):
            loss, square = step(*pick(at, x, y))
            steps += LR**2 * float(square)
            if n % s["every"] == 0:
                rows.append(row(n, float(loss)))
        return rows

    # ---- what it shows

    def slopes(self, rows: list[Row], norm: str) -> np.ndarray:
        """For each seed, the exponent p of ‖gradient‖ ∝ a^p, fitted where ε does not matter."""
        a = [v for v in FACTORS if v >= FREE_OF_EPS]
        g = np.array([values(rows, "gradient", part="scaled", norm=norm, a=v) for v in a])  # (factors, seeds)
        return np.polyfit(np.log(a), np.log(np.maximum(g, 1e-300)), 1)[0]

    def loss_change(self, rows: list[Row], norm: str) -> float:
        """The largest relative change of the loss that a factor of 1 and more makes, over the seeds."""
        first = values(rows, "loss", part="scaled", norm=norm, a=1.0)
        others = [values(rows, "loss", part="scaled", norm=norm, a=v) for v in FACTORS if v >= FREE_OF_EPS]
        return float(np.max(np.abs(np.array(others) / first - 1)))

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        from matplotlib.ticker import LogLocator

        figure, (gradients, angles, rates, squares) = axes_of(2, 2, 3.4)
        for norm in ("BN", "LN", "none"):
            band(gradients, rows, "a", "gradient", say(named(norm)), STYLE[norm], part="scaled", norm=norm)
            band(angles, rows, "a", "cosine", say(named(norm)), STYLE[norm], part="scaled", norm=norm)
        after = [row for row in rows if row.get("step")]  # a log axis has no 0
        for norm in ("BN", "LN"):
            for decay, dashes in ((0.0, STYLE[norm][1]), (DECAY, {"BN": "-.", "LN": ":"}[norm])):
                label = say(Text(f"{norm}, decay {decay:g}", f"{norm}，衰减 {decay:g}"))
                style = (STYLE[norm][0], dashes)
                band(rates, after, "step", "effective lr", label, style, part="trained", norm=norm, decay=decay)
            label = say(Text(f"{norm}, ‖W‖²", f"{norm}，‖W‖²"))
            band(squares, after, "step", "W2", label, STYLE[norm], part="trained", norm=norm, decay=0.0)
        for norm, label in (("BN", "‖W₀‖² + Σ (lr ‖g‖)²"), ("LN", "_")):  # the same line for both, with one entry in the legend
            band(squares, after, "step", "by steps", label, (MORE_COLOURS[3], ":"), part="trained", norm=norm, decay=0.0)
        for axes in (gradients, angles):
            axes.set(xscale="log", yscale="log", xlabel=say(Text("a, the factor of W", "a（W 的倍数）")))
        gradients.set_ylabel(say(Text("norm of the gradient of W", "W 的梯度范数")))
        angles.set_ylabel(say(Text("|cosine| of W and its gradient", "W 与其梯度夹角余弦的绝对值")))
        for axes in (rates, squares):
            axes.set(xlabel=say(Text("training steps", "训练步数")))
        rates.set(xscale="log", yscale="log")
        rates.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        rates.yaxis.set_major_formatter("{x:g}")
        rates.yaxis.set_minor_formatter("")
        rates.set_ylabel(say(Text("effective learning rate lr / ‖W‖²", "有效学习率 lr / ‖W‖²")))
        squares.set_ylabel(say(Text("‖W‖² without decay", "‖W‖²（无权重衰减）")))
        for axes in (gradients, angles, rates, squares):
            axes.legend(fontsize=8)
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        head = (
            Text("norm", "归一化"),
            Text("slope of the gradient", "梯度的斜率"),
            Text("loss changes by at most", "损失至多变化"),
            Text("|cosine| at a = 1", "a = 1 时余弦的绝对值"),
            Text("|cosine| at a = 1000", "a = 1000 时余弦的绝对值"),
            Text("decay", "权重衰减"),
            Text("effective lr, first", "有效学习率（开始）"),
            Text("effective lr, last", "有效学习率（结束）"),
            Text("test accuracy, %", "测试准确率，%"),
        )
        lines = [[say(t) for t in head]]
        for norm in ("BN", "LN", "none"):
            cosines = [spread(values(rows, "cosine", part="scaled", norm=norm, a=a)).mean for a in (1.0, FACTORS[-1])]
            slope, change = spread(self.slopes(rows, norm)), self.loss_change(rows, norm)
            found = [say(named(norm)), slope.text(4), f"{change:.2g}", *(f"{c:.1e}" for c in cosines)]
            for decay in (0.0, DECAY):
                rate = [values(rows, "effective lr", norm=norm, decay=decay, step=n) for n in (0, s["steps"])]
                right = spread(values(rows, "test accuracy", norm=norm, decay=decay, step=s["steps"])).text(1, 100)
                lines.append([*found, f"{decay:g}", *map(significant, rate), right])
        return lines

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        figures = {"steps": str(s["steps"])}
        as_said = []
        for norm in ("BN", "LN"):
            slope, change = self.slopes(rows, norm), self.loss_change(rows, norm)
            cosine = values(rows, "cosine", part="scaled", norm=norm, a=1.0).max()
            figures |= {f"slope {norm}": spread(slope).text(4), f"change {norm}": f"{change:.0e}"}
            figures[f"cos {norm}"] = f"{cosine:.0e}"
            as_said += [change < 0.01, bool(np.all(np.abs(slope + 1) < 0.02)), cosine < 0.01]

        def end(what: str, decay: float, step: int = s["steps"]) -> np.ndarray:
            return values(rows, what, part="trained", norm="BN", decay=decay, step=step)

        first, last, decayed = (end("effective lr", *at) for at in ((0.0, 0), (0.0,), (DECAY,)))
        fall, rise = difference(last, first).sign, difference(decayed, last).sign
        figures |= {"first": significant(first), "last": significant(last), "decayed": significant(decayed)}
        figures["squares"] = spread(end("W2", 0.0) / end("by steps", 0.0)).text(4)
        figures["right"] = difference(end("test accuracy", DECAY), end("test accuracy", 0.0)).text(1, 100)
        as_said += [fall < 0, rise > 0]
        return Verdict(
            Text(
                FOUND.en.format(**figures, falls=FALLS[fall].en, higher=HIGHER[rise].en),
                FOUND.zh.format(**figures, falls=FALLS[fall].zh, higher=HIGHER[rise].zh),
            ),
            "yes" if all(as_said) else "partly" if any(as_said) else "no",
            LITERATURE,
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        for norm in ("BN", "LN"):
            assert np.all(np.abs(self.slopes(rows, norm) + 1) < 0.05), self.slopes(rows, norm)
            assert self.loss_change(rows, norm) < 0.02, self.loss_change(rows, norm)
            grown = values(rows, "W2", norm=norm, decay=0.0, step=s["steps"]) / values(rows, "W2", norm=norm, decay=0.0, step=0)
            assert np.all(grown > 1.01), grown
        assert self.loss_change(rows, "none") > 0.5


FALLS = {1: Text("rises", "上升"), -1: Text("falls", "下降"), 0: Text("does not clearly change", "没有明确变化")}
HIGHER = {1: Text("a higher", "更高的"), -1: Text("a lower", "更低的"), 0: Text("not clearly another", "没有明确差别的")}
FOUND = Text(
    "For a from 1 to 1000 the loss changes by at most {change BN} of it with BN and {change LN} with LN, and the gradient's "
    "norm goes with a to the power {slope BN} (BN) and {slope LN} (LN). W and its gradient are at a right angle but for ε: "
    "|cosine| is at most {cos BN} and {cos LN} at a = 1. While BN's network is trained for {steps} steps without weight decay, "
    "lr / ‖W‖² {falls}, from {first} to {last} (‖W‖² is {squares} times its first value plus the squares of all steps' "
    "lengths). With a decay of this W it ends at {decayed}, {higher} rate. The decay changes the test accuracy by {right} "
    "points.",
    "a 从 1 到 1000 时，损失的相对变化在 BN 下至多 {change BN}，在 LN 下至多 {change LN}；梯度范数正比于 a 的 "
    "{slope BN}（BN）和 {slope LN}（LN）次幂。除 ε 的影响外，W 与其梯度垂直：a = 1 时 |余弦| 至多为 {cos BN} 和 {cos LN}。"
    "BN 网络无权重衰减训练 {steps} 步，lr / ‖W‖² {falls}，从 {first} 到 {last}"
    "（‖W‖² 是“初值加各步长度的平方和”的 {squares} 倍）。对这个 W 使用权重衰减时，最终为 {decayed}，即{higher}有效学习率。"
    "权重衰减使测试准确率变化 {right} 个百分点。",
)
LITERATURE = Text(
    "Ioffe and Szegedy 2015, section 3.3: the scale of W does not change the layer, and larger weights get smaller gradients. "
    "Salimans and Kingma 2016: at a right angle, so the norm only grows (for weight normalisation). Van Laarhoven "
    "2017: the effective learning rate is lr / ‖w‖², and weight decay acts through it alone.",
    "Ioffe 与 Szegedy 2015，第 3.3 节：W 的尺度不影响该层的输出，权重越大梯度越小。"
    "Salimans 与 Kingma 2016：梯度与权重垂直，因此范数只增不减（针对权重归一化）。"
    "Van Laarhoven 2017：有效学习率为 lr / ‖w‖²，权重衰减只通过它起作用。",
)

EXPERIMENT = Scale()
