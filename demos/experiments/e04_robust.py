"""E4: do they make training robust to the learning rate and the scale of the initial weights?"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn

from .base import Experiment, Row, Text, Verdict, difference, spread
from .nets import accuracy, data_of, make_optimizer, mlp, named, train
from .plots import axes_of, heat_map

GOAL = 0.9  # test accuracy of a field of the grid that counts
LOOK = 25  # steps after which a training that has diverged is stopped


class Robust(Experiment):
    key = "E4"
    title = Text("Learning rate and initial scale", "学习率与初始尺度")
    question = Text(
        "Over how wide a range of learning rates and of initial weights does a network train, without and with a "
        "normalisation?",
        "在没有归一化与有归一化的情况下，网络能在多大范围的学习率和初始权重尺度内成功训练？",
    )
    how = Text(
        "Digits, three hidden layers of 100 ReLUs, all weights from N(0, std²), biases 0, batches of 60, SGD, a short "
        "training for each pair "
        "of learning rate and std. A training whose loss is no longer finite is stopped there.",
        "手写数字，三个各含 100 个 ReLU 的隐藏层，所有权重取自 N(0, std²)，偏置为 0，批大小 60，SGD；对每一对学习率与 std "
        "做一次短训练。"
        "损失不再有限时，训练就此停止。",
    )
    full = {
        "steps": 200,
        "rates": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0],
        "stds": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
    }
    quick = {"steps": 150, "rates": [0.003, 0.03, 0.3, 3.0], "stds": [0.01, 0.1, 1.0]}
    norms = ("none", "BN", "LN")

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"norm": norm, "std": std} for norm in self.norms for std in s["stds"]]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        return [{"lr": lr, "test accuracy": self.trained(arm["norm"], arm["std"], lr, seed, s)} for lr in s["rates"]]

    def trained(self, norm: str, std: float, lr: float, seed: int, s: dict[str, Any]) -> float:
        """The test accuracy after a training."""
        tn.manual_seed(seed)  # the same initial weights, up to their scale, for each field
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        net = mlp(x.shape[1], norm, [100] * 3, std=std).to(s["device"])

        def diverged(step: int, loss: float) -> bool:
            return step > 0 and not np.isfinite(loss)

        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore", RuntimeWarning)  # of numbers that overflow: it is what is measured
            train(net, make_optimizer("sgd", net, lr), x, y, 60, s["steps"], seed, diverged, LOOK)
            return accuracy(net, x_test, y_test)

    # ---- figures ---------------------------------------------------------------------------------------------------------

    def fields(self, rows: list[Row], norm: str, s: dict[str, Any]) -> np.ndarray:
        """The test accuracies, (seeds, stds, rates)."""
        at = {(row["seed"], row["std"], row["lr"]): row["test accuracy"] for row in rows if row["norm"] == norm}
        seeds = sorted({seed for seed, _, _ in at})
        return np.array([[[at[seed, std, lr] for lr in s["rates"]] for std in s["stds"]] for seed in seeds])

    def area(self, rows: list[Row], norm: str, s: dict[str, Any]) -> np.ndarray:
        """For each seed, the share of the fields that reach the goal."""
        return (self.fields(rows, norm, s) >= GOAL).mean((1, 2))

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, axes = axes_of(1, 3, height=2.9, width=7.6)
        for a, norm in zip(axes, self.norms, strict=True):
            mean = 100 * self.fields(rows, norm, s).mean(0)
            label = say(Text("test accuracy (%)", "测试准确率（%）"))
            lines, columns = ([f"{v:g}" for v in s[name]] for name in ("stds", "rates"))
            heat_map(figure, a, mean.round(), lines, columns, label, vmin=10, vmax=100)
            a.set_title(say(named(norm)), fontsize=10)
            a.set_xlabel(say(Text("learning rate", "学习率")), fontsize=9)
            a.set_ylabel(say(Text("std of the initial weights", "初始权重的标准差")), fontsize=9)
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        head = (
            Text("norm", "归一化"),
            Text("pairs that reach 90 %, %", "达到 90 % 的组合比例，%"),
            *(Text(f"learning rates that reach it at std {std:g}", f"std {std:g} 时达到的学习率") for std in s["stds"]),
            Text("best pair's accuracy, %", "最佳组合的准确率，%"),
        )
        found = [[say(t) for t in head]]
        for norm in self.norms:
            mean = self.fields(rows, norm, s).mean(0)  # (stds, rates)
            ranges = [reach(line, s["rates"]) for line in mean]
            i, j = np.unravel_index(mean.argmax(), mean.shape)
            best = f"{spread(self.fields(rows, norm, s)[:, i, j]).text(1, 100)} (std {s['stds'][i]:g}, lr {s['rates'][j]:g})"
            found.append([say(named(norm)), spread(self.area(rows, norm, s)).text(0, 100), *ranges, best])
        return found

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        area = {norm: self.area(rows, norm, s) for norm in self.norms}
        text = {norm: spread(x).text(0, 100, " %") for norm, x in area.items()}
        bn, ln, between = (difference(area[a], area[b]) for a, b in (("BN", "none"), ("LN", "none"), ("BN", "LN")))
        against = {norm: d.text(0, 100, " points") for norm, d in (("BN", bn), ("LN", ln), ("BN - LN", between))}
        word = {
            1: Text("BN has the wider range", "BN 的范围更大"),
            -1: Text("LN has the wider range", "LN 的范围更大"),
            0: Text("which of the two has the wider range the seeds do not tell", "两者谁的范围更大，这些种子无法判断"),
        }[between.sign]
        wider = [d.sign > 0 for d in (bn, ln)]
        pairs = len(s["rates"]) * len(s["stds"])
        zh = {norm: d.replace(" points", " 个百分点") for norm, d in against.items()}
        return Verdict(
            Text(
                f"Of {pairs} pairs of learning rate and initial std, a test accuracy of 90 % is reached by {text['none']} "
                f"without normalisation, {text['BN']} with BN and {text['LN']} with LN "
                f"(BN - none: {against['BN']}; LN - none: {against['LN']}); {word.en} (BN - LN: "
                f"{against['BN - LN']}).",
                f"在 {pairs} 对学习率与初始标准差中，测试准确率达到 90 % 的比例：无归一化 {text['none']}，BN {text['BN']}，LN "
                f"{text['LN']}"
                f"（BN − 无：{zh['BN']}；LN − 无：{zh['LN']}）；{word.zh}（BN − LN：{zh['BN - LN']}）。",
            ),
            "yes" if all(wider) else "partly" if any(wider) else "no",
            Text(
                "Ioffe and Szegedy 2015, section 3.3: BN allows larger learning rates and makes training resilient to the "
                "scale of the "
                "weights. Ba, Kiros and Hinton 2016, section 5.1 and table 1: BN and LN are both invariant to a rescaling "
                "of the weight matrix.",
                "Ioffe 与 Szegedy 2015，第 3.3 节：BN 允许更大的学习率，并使训练不易受权重尺度的影响。Ba、Kiros 与 Hinton "
                "2016，"
                "第 5.1 节和表 1：BN 与 LN 都对权重矩阵的整体缩放保持不变。",
            ),
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        area = {norm: self.area(rows, norm, s).mean() for norm in self.norms}
        assert min(area["BN"], area["LN"]) > area["none"] + 0.1, area


def reach(accuracies: np.ndarray, rates: list[float]) -> str:
    """The learning rates that reach the goal: from the least to the largest, or each where there is a gap between them."""
    at = np.flatnonzero(accuracies >= GOAL)
    good = [f"{rates[i]:g}" for i in at]
    return f"{good[0]} … {good[-1]}" if len(at) > 2 and np.ptp(at) == len(at) - 1 else ", ".join(good) or "-"


EXPERIMENT = Robust()
