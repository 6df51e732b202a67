"""E1: does normalisation speed up training? The shape of the experiment in the paper that introduced BatchNorm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn

from .base import Experiment, Row, Text, Verdict, difference, spread, values
from .nets import STYLE, accuracy, data_of, make_optimizer, mlp, named, train
from .plots import axes_of, band


class Speed(Experiment):
    key = "E1"
    title = Text("Do they speed up training?", "它们能加快训练吗？")
    question = Text(
        "How many steps does a sigmoid network take to 90 % without a normalisation, with BatchNorm, with LayerNorm?",
        "一个 sigmoid 网络在没有归一化、使用 BatchNorm、使用 LayerNorm 时，各需要多少步才能达到 90 % 的准确率？",
    )
    how = Text(
        "Digits, three hidden layers of 100 sigmoids, weights from N(0, 0.1²), batches of 60, SGD, rate 0.1.",
        "手写数字，三个隐藏层各 100 个 sigmoid，权重取自 N(0, 0.1²)，批大小 60，SGD 学习率 0.1。",
    )
    full = {"steps": 10_000, "every": 250}
    quick = {"steps": 1_000, "every": 100}
    norms = ("none", "BN", "LN")

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"norm": norm} for norm in self.norms]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        net = mlp(x.shape[1], arm["norm"], [100] * 3, "sigmoid", std=0.1).to(s["device"])
        rows: list[Row] = []

        def after(step: int, loss: float) -> None:
            rows.append({"step": step, "loss": loss, "test accuracy": accuracy(net, x_test, y_test)})

        train(net, make_optimizer("sgd", net, 0.1), x, y, 60, s["steps"], seed, after, s["every"])
        return rows

    def steps_to(self, rows: list[Row], norm: str, goal: float, s: dict[str, Any]) -> np.ndarray:
        """For each seed, the first step measured at which the test accuracy is at least `goal`; inf if there is none."""
        found: dict[int, float] = {}
        for row in rows:
            if row["norm"] == norm:
                reached = row["test accuracy"] >= goal
                found[row["seed"]] = min(found.get(row["seed"], np.inf), row["step"] if reached else np.inf)
        return np.array([found[seed] for seed in sorted(found)])

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, (axes,) = axes_of(1)
        for norm in self.norms:
            band(axes, rows, "step", "test accuracy", say(named(norm)), STYLE[norm], scale=100, norm=norm)
        axes.set_xlabel(say(Text("training steps", "训练步数")))
        axes.set_ylabel(say(Text("test accuracy (%)", "测试准确率（%）")))
        axes.legend()
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        head = Text("norm", "归一化"), Text("final accuracy, %", "最终准确率，%"), Text("steps to 90 %", "达到 90 % 的步数")
        lines = [[say(t) for t in head]]
        for norm in self.norms:
            steps = self.steps_to(rows, norm, 0.9, s)
            final = spread(values(rows, "test accuracy", norm=norm, step=s["steps"]))
            lines.append([say(named(norm)), final.text(1, 100), ", ".join("-" if np.isinf(n) else f"{n:.0f}" for n in steps)])
        return lines

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        middle = {norm: float(np.median(self.steps_to(rows, norm, 0.9, s))) for norm in self.norms}
        first = {norm: f"{n:.0f}" if np.isfinite(n) else f"> {s['steps']}" for norm, n in middle.items()}
        final = {norm: values(rows, "test accuracy", norm=norm, step=s["steps"]) for norm in self.norms}
        text = {norm: spread(x).text(1, 100, " %") for norm, x in final.items()}
        d = difference(final["BN"], final["none"]).text(1, 100, " points")
        faster = middle["BN"] < middle["none"] and middle["LN"] < middle["none"]
        n = len(final["BN"])
        return Verdict(
            Text(
                f"90 % is reached within {first['BN']} steps with BN, {first['LN']} with LN and {first['none']} without "
                f"(medians over {n} seeds, measured each {s['every']} steps); after {s['steps']} steps the accuracy is "
                f"{text['BN']} with BN, {text['LN']} with LN and {text['none']} without (BN - none: {d}).",
                f"达到 90 % 的步数（{n} 个种子的中位数，每 {s['every']} 步测一次）："
                f"BN {first['BN']}，LN {first['LN']}，无归一化 {first['none']}；"
                f"{s['steps']} 步之后的准确率：BN {text['BN']}，LN {text['LN']}，无 {text['none']}"
                f"（BN − 无：{d.replace(' points', ' 个百分点')}）。",
            ),
            "yes" if faster else "no",
            Text(
                "Ioffe and Szegedy 2015, figure 1a: on MNIST, the network with BatchNorm trains faster and ends higher.",
                "Ioffe 与 Szegedy 2015，图 1a：在 MNIST 上，带 BatchNorm 的网络训练更快，最终准确率也更高。",
            ),
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        middle = {norm: np.median(self.steps_to(rows, norm, 0.9, s)) for norm in self.norms}
        assert max(middle["BN"], middle["LN"]) < middle["none"], middle


EXPERIMENT = Speed()
