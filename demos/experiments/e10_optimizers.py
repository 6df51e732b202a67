"""E10: does BatchNorm need Adam, does LayerNorm suit SGD? Four optimisers, each with its best learning rate of a grid."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm.nn import functional as F

from .base import Difference, Experiment, Row, Text, Verdict, difference, spread, values
from .nets import accuracy, data_of, make_optimizer, mlp, named, pick, train
from .plots import axes_of, heat_map

HELD_OUT = 0.2  # of the training images: the learning rate is chosen by these
NEAR = 0.02  # a learning rate is usable where the held-out accuracy is at most so much below the best
# Steps of half a decade; the best rate of each row lies inside (the table marks it if not). One range for all norms.
RATES = {
    "sgd": [0.01, 0.03, 0.1, 0.3, 1.0, 3.0],
    "momentum": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0],
    "adam": [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1],
    "rmsprop": [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03],
}
NAMES = {
    "sgd": Text("SGD", "SGD"),
    "momentum": Text("SGD, momentum", "SGD，动量"),
    "adam": Text("Adam", "Adam"),
    "rmsprop": Text("RMSprop", "RMSprop"),
}


class Optimizers(Experiment):
    key = "E10"
    title = Text("Does BatchNorm need Adam, does LayerNorm suit SGD?", "BatchNorm 离不开 Adam 吗？LayerNorm 适合 SGD 吗？")
    question = Text(
        "When each optimiser has the learning rate that suits it, how good are the networks without normalisation, with BN, "
        "with LN?",
        "当每种优化器都用上适合自己的学习率时，没有归一化、使用 BN、使用 LN 的网络各有多好？",
    )
    how = Text(
        "Digits, three hidden layers of 100 ReLU units, batches of 32. Four optimisers (momentum is 0.9, the rest as by "
        "default) with learning rates in steps of half a decade (with --quick of a decade). 20 % of the training images are "
        "held out; each seed chooses for each optimiser the rate with the least cross-entropy on these, and the accuracy of "
        "that run on the test images is its result. Differences are paired by seed, with a 95 % interval.",
        "手写数字，三个各含 100 个 ReLU 单元的隐藏层，批大小 32。四种优化器（动量为 0.9，其余取默认值），学习率每半个数量级"
        "（--quick 时每个数量级）取一个值。留出 20 % 的训练图像；每个种子为每种优化器选取在留出图像上交叉熵最小的学习率，以该"
        "次训练在测试图像上的准确率为结果。差值按种子配对，并给出 95 % 区间。",
    )
    full = {"steps": 400, "rates": RATES}
    quick = {"steps": 150, "rates": {name: rates[::2] for name, rates in RATES.items()}}
    norms = ("none", "BN", "LN")

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"norm": norm, "optimizer": name} for norm in self.norms for name in s["rates"]]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        return [{"lr": lr, **trained(arm["norm"], arm["optimizer"], lr, seed, s)} for lr in s["rates"][arm["optimizer"]]]

    def best(self, rows: list[Row], norm: str, optimizer: str) -> list[Row]:
        """For each seed, the run with the least held-out loss."""
        found: dict[int, Row] = {}
        for row in rows:
            if row["norm"] == norm and row["optimizer"] == optimizer:
                before = found.get(row["seed"])
                if before is None or row["held-out loss"] < before["held-out loss"]:
                    found[row["seed"]] = row
        return [found[seed] for seed in sorted(found)]

    def results(self, rows: list[Row], norm: str, optimizer: str) -> np.ndarray:
        return np.array([row["test accuracy"] for row in self.best(rows, norm, optimizer)])

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        rates = sorted({lr for rates in s["rates"].values() for lr in rates})
        figure, axes = axes_of(1, len(self.norms), height=2.5, width=8.0)
        for where, norm in zip(axes, self.norms, strict=True):
            z = np.full((len(s["rates"]), len(rates)), np.nan)
            for i, (name, own) in enumerate(s["rates"].items()):
                for lr in own:
                    z[i, rates.index(lr)] = 100 * values(rows, "test accuracy", norm=norm, optimizer=name, lr=lr).mean()
            z = np.round(z, 1)
            where.tick_params(axis="x", labelsize=8)
            label, names = say(Text("test accuracy (%)", "测试准确率（%）")), [say(NAMES[name]) for name in s["rates"]]
            heat_map(figure, where, z, names, [f"{lr:g}" for lr in rates], label, vmin=80, vmax=100, extend="min")
            for i, name in enumerate(s["rates"]):
                for lr, times in self.choices(rows, norm, name).items():
                    where.plot(rates.index(lr) + 0.38, i - 0.3, "o", color="#D55E00", markersize=1.5 + 5 * times, clip_on=False)
            where.set_title(say(named(norm)), fontsize=10)
            where.set_ylabel(say(Text("optimiser", "优化器")))
            where.set_xlabel(say(Text("learning rate", "学习率")))
        below = Text("learning rate (dots: chosen, larger where by more seeds)", "学习率（圆点：被选中，点越大选它的种子越多）")
        axes[-1].set_xlabel(say(below))
        return figure

    def choices(self, rows: list[Row], norm: str, optimizer: str) -> dict[float, float]:
        """Learning rate -> the share of the seeds that chose it."""
        chosen = [row["lr"] for row in self.best(rows, norm, optimizer)]
        return {lr: chosen.count(lr) / len(chosen) for lr in sorted(set(chosen))}

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        norms = map(named, self.norms)
        head = [
            Text("optimiser", "优化器"),
            *(Text(f"{norm.en}: test accuracy, % (rates chosen)", f"{norm.zh}：测试准确率，%（所选学习率）") for norm in norms),
            Text("BN - LN, points", "BN − LN，百分点"),
        ]
        lines = [[say(t) for t in head]]
        for name, rates in s["rates"].items():
            cells = []
            for norm in self.norms:
                chosen = self.choices(rows, norm, name)
                edge = say(Text(", edge of the grid", "，在网格边缘")) if {rates[0], rates[-1]} & set(chosen) else ""
                accuracies = spread(self.results(rows, norm, name)).text(1, 100)
                cells.append(f"{accuracies} ({', '.join(f'{lr:g}' for lr in chosen)}{edge})")
            lines.append([say(NAMES[name]), *cells, self.between(rows, ("BN", name), ("LN", name)).text(1, 100)])
        return lines

    def usable(self, rows: list[Row], norm: str, optimizer: str) -> np.ndarray:
        """For each seed, how many rates of the grid come within NEAR of the best held-out accuracy."""
        found: dict[int, list[float]] = {}
        for row in rows:
            if row["norm"] == norm and row["optimizer"] == optimizer:
                found.setdefault(row["seed"], []).append(row["held-out accuracy"])
        return np.array([sum(a >= max(of_seed) - NEAR for a in of_seed) for _, of_seed in sorted(found.items())])

    def between(self, rows: list[Row], a: tuple[str, str], b: tuple[str, str]) -> Difference:
        """Of two pairs of norm and optimiser."""
        return difference(self.results(rows, *a), self.results(rows, *b))

    def answer(self, rows: list[Row], s: dict[str, Any]) -> Text:
        """The differences, and how many learning rates are usable."""
        adam = {norm: self.between(rows, (norm, "adam"), (norm, "momentum")) for norm in self.norms}
        plain = {norm: self.between(rows, (norm, "adam"), (norm, "sgd")) for norm in self.norms}
        norms = {name: self.between(rows, ("BN", name), ("LN", name)) for name in s["rates"]}
        usable = {(n, name): spread(self.usable(rows, n, name)).text(1) for n in ("BN", "LN") for name in ("sgd", "adam")}
        rates = {name: len(s["rates"][name]) for name in ("sgd", "adam")}
        bn, ln = needs(adam["BN"].sign), suits(norms["sgd"].sign)

        def points(d: Difference) -> str:
            return d.text(1, 100)

        en = (
            f"{bn.en}: Adam - SGD with momentum is {points(adam['BN'])} points of test accuracy with BN, "
            f"{points(adam['LN'])} with LN and {points(adam['none'])} without; Adam - plain SGD {points(plain['BN'])}, "
            f"{points(plain['LN'])} and {points(plain['none'])}. {ln.en}: BN - LN is {points(norms['sgd'])} points under "
            f"SGD, {points(norms['momentum'])} with momentum, {points(norms['adam'])} under Adam and "
            f"{points(norms['rmsprop'])} under RMSprop. Held-out accuracy within {100 * NEAR:g} points of the best: with SGD "
            f"{usable['BN', 'sgd']} of {rates['sgd']} rates for BN and {usable['LN', 'sgd']} for LN, with Adam "
            f"{usable['BN', 'adam']} and {usable['LN', 'adam']} of {rates['adam']}."
        )
        zh = (
            f"{bn.zh}：Adam − 带动量的 SGD 的测试准确率之差，BN 为 {points(adam['BN'])} 个百分点，LN 为 "
            f"{points(adam['LN'])}，无归一化为 {points(adam['none'])}；Adam − 普通 SGD 之差依次为 {points(plain['BN'])}、"
            f"{points(plain['LN'])}、{points(plain['none'])}。{ln.zh}：BN − LN 之差在 SGD 下为 {points(norms['sgd'])} 个百分"
            f"点，带动量为 {points(norms['momentum'])}，Adam 为 {points(norms['adam'])}，RMSprop 为 "
            f"{points(norms['rmsprop'])}。留出准确率与最好值相差不超过 {100 * NEAR:g} 个百分点的学习率个数：SGD 的 "
            f"{rates['sgd']} 个中，BN 有 {usable['BN', 'sgd']} 个，LN 有 {usable['LN', 'sgd']} 个；Adam 的 {rates['adam']} 个"
            f"中，BN 有 {usable['BN', 'adam']} 个，LN 有 {usable['LN', 'adam']} 个。"
        )
        return Text(en, zh)

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        expected = [self.between(rows, ("BN", "adam"), ("BN", sgd)).sign <= 0 for sgd in ("momentum", "sgd")]
        return Verdict(
            self.answer(rows, s),
            "yes" if all(expected) else "partly" if any(expected) else "no",
            Text(
                "That BN needs Adam is said, not shown: Ioffe and Szegedy 2015 (section 4.2) train with SGD and momentum; Ba "
                "et al. 2016 (section 1) say that networks with BN train faster even with simple SGD; Wilson et al. 2017 "
                "find that tuned SGD generalises at least as well as adaptive methods, on CIFAR-10 with a "
                "network that has BN. Choi et al. 2019 find that with enough tuning the more general optimiser is never "
                "worse. We know of no controlled result that LN is worse under SGD.",
                "“BN 需要 Adam”只是说法，并无证据：Ioffe 与 Szegedy 2015（第 4.2 节）用带动量的 SGD 训练；Ba 等 2016（第 1 "
                "节）指出带 BN 的网络即使用简单的 SGD 也训练得更快；Wilson 等 2017 在 CIFAR-10 上用带 BN 的网络发"
                "现，调好的 SGD 的泛化不逊于自适应方法。Choi 等 2019 发现，只要调参充分，更一般的优化器不会更差。我们没有见到"
                "“LN 在 SGD 下更差”的对照实验。",
            ),
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        for norm in ("BN", "LN"):
            for name in s["rates"]:
                assert self.results(rows, norm, name).mean() > 0.85, (norm, name)


def needs(sign: int) -> Text:
    """What Adam - SGD with momentum says of the claim that BN needs Adam."""
    none = "The seeds show no need of Adam for BN (no clear difference from SGD with momentum)"
    return {
        1: Text("BN does better with Adam", "BN 配 Adam 更好"),
        0: Text(none, "看不出 BN 需要 Adam（与带动量的 SGD 无可辨差别）"),
        -1: Text("BN does not need Adam (SGD with momentum is better)", "BN 不需要 Adam（带动量的 SGD 更好）"),
    }[sign]


def suits(sign: int) -> Text:
    """What BN - LN under SGD says of the claim that LN is worse there."""
    return {
        1: Text("LN is worse than BN under plain SGD", "普通 SGD 下 LN 不如 BN"),
        0: Text("Under plain SGD the seeds do not tell BN from LN", "普通 SGD 下这些种子分不出 BN 与 LN 的高下"),
        -1: Text("LN is better than BN under plain SGD", "普通 SGD 下 LN 优于 BN"),
    }[sign]


def trained(norm: str, optimizer: str, lr: float, seed: int, s: dict[str, Any]) -> Row:
    """Train a network; its losses and its accuracies."""
    tn.manual_seed(seed)
    x, y, x_test, y_test = data_of(s, seed).to(s["device"])
    order = np.random.default_rng([seed, 10]).permutation(len(x))
    (x_held_out, y_held_out), (x, y) = (pick(at, x, y) for at in np.split(order, [round(HELD_OUT * len(x))]))
    net = mlp(x.shape[1], norm, [100] * 3).to(s["device"])
    losses: list[float] = []

    def after(step: int, loss: float) -> bool:
        losses.append(loss)
        return step > 0 and not np.isfinite(loss)

    train(net, make_optimizer(optimizer, net, lr), x, y, 32, s["steps"], seed, after, every=50)
    net.eval()
    with tn.no_grad():
        loss = float(F.cross_entropy(net(x_held_out), y_held_out))
    return {
        "last batch loss": finite(losses[-1]),
        "held-out loss": finite(loss),
        "held-out accuracy": accuracy(net, x_held_out, y_held_out),
        "test accuracy": accuracy(net, x_test, y_test),
    }


def finite(loss: float) -> float:
    """A loss that overflowed is larger than all others."""
    return loss if np.isfinite(loss) else 1e9


EXPERIMENT = Optimizers()
