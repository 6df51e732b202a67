"""E11: adversarial examples. Are networks with a normalisation more fragile, and does adversarial training help them?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.nn import functional as F

from .base import Difference, Experiment, Row, Text, Verdict, difference, spread, values
from .nets import STYLE, accuracy, batches, data_of, make_optimizer, mlp, named, pick, recorded
from .plots import axes_of, band

RADIUS = 0.1  # of the attacks in the verdict and of the adversarial training: a tenth of the range from black to white
STEP = 2.5  # all of PGD's steps together, in radii (Madry et al. 2018): from any start to the boundary, and along it
TRAININGS = {"clean": Text("trained as usual", "常规训练"), "FGSM": Text("trained with FGSM", "用 FGSM 训练")}
SHORT = {"clean": Text("as usual", "常规"), "FGSM": Text("with FGSM", "FGSM")}
ATTACKS = ("FGSM", "PGD")
PATH = ("clean accuracy", "PGD accuracy", "gradient", "step")


class Adversarial(Experiment):
    key = "E11"
    title = Text("Do they make networks fragile to adversarial examples?", "它们会让网络更怕对抗样本吗？")
    question = Text(
        "How much of the accuracy is left when each image is changed a little in the worst direction, and after adversarial "
        "training?",
        "当每幅图像都沿最坏的方向稍作改动时，准确率还剩多少？对抗训练之后又如何？",
    )
    how = Text(
        "Digits with grey values from 0 to 1, three hidden layers of 100 ReLU units, batches of 60, SGD with momentum 0.9 "
        "and learning rate 0.03. The attacks change each grey value by at most ε, to increase the cross-entropy of the "
        "network in eval mode: FGSM in one step by the sign of the gradient, PGD in many small steps from a random start "
        "(half as many for what is measured during the training). Adversarial training adds to each batch its FGSM examples "
        "(ε = 0.1, made in training mode), with equal weights. At equal clean accuracy: of each seed's three networks, the "
        "first moments of the training at which they reach the accuracy that all of them reach.",
        "手写数字，灰度值 0 到 1；三个各含 100 个 ReLU 单元的隐藏层，批大小 60，带动量 0.9 的 SGD，学习率 0.03。攻击对每个灰"
        "度值的改动不超过 ε，使评估模式下网络的交叉熵增大：FGSM 沿梯度的符号走一步，PGD 从随机起点走许多小步（训练途中的测量"
        "用一半步数）。对抗训练在每一批中以相同权重加入其 FGSM 样本（ε = 0.1，在训练模式下生成）。“干净准确率相同”指：对每个"
        "种子的三个网络，取它们在训练中首次达到三者都能达到的准确率的时刻。",
    )
    full = {"steps": 1500, "early": 200, "every": 130, "epsilons": [0.0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3], "PGD steps": 20}
    quick = {"steps": 300, "early": 60, "every": 60, "epsilons": [0.0, 0.05, 0.1, 0.2], "PGD steps": 7}
    norms = ("none", "BN", "LN")

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"norm": norm, "training": training} for training in TRAININGS for norm in self.norms]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        net = mlp(x.shape[1], arm["norm"], [100] * 3).to(s["device"])
        step = step_of(net, make_optimizer("momentum", net, 0.03), RADIUS if arm["training"] == "FGSM" else 0.0)
        rows: list[Row] = []
        net.train()
        for n, at in enumerate(batches(len(x), 60, s["steps"], seed), start=1):
            step(*pick(at, x, y))
            if n % (s["every"] if n > s["early"] else s["every"] // 10) == 0:
                rows.append({"step": n, **moment(net, x_test, y_test, s["PGD steps"] // 2)})
                net.train()
        net.eval()
        for attack in ATTACKS:
            for epsilon in s["epsilons"]:
                found = accuracy(net, attacked(attack, net, x_test, y_test, epsilon, s["PGD steps"]), y_test)
                rows.append({"attack": attack, "epsilon": epsilon, "accuracy": found})
        return rows

    # ---- what the rows say ------------------------------------------------------------------------------------------

    def left(self, rows: list[Row], norm: str, training: str, attack: str = "PGD", epsilon: float = RADIUS) -> np.ndarray:
        """The accuracy under attack, of each seed."""
        return values(rows, "accuracy", norm=norm, training=training, attack=attack, epsilon=epsilon)

    def at_equal(self, rows: list[Row], training: str, what: str) -> dict[str, np.ndarray]:
        """A figure of each norm's networks when they first reach the clean accuracy that all three reach, of each seed."""
        found: dict[str, list[float]] = {norm: [] for norm in self.norms}
        for seed in sorted({row["seed"] for row in rows}):
            where = {"training": training, "seed": seed}
            paths = {norm: [row for row in rows if "step" in row and holds(row, norm=norm, **where)] for norm in self.norms}
            level = min(max(row["clean accuracy"] for row in path) for path in paths.values())
            for norm, path in paths.items():
                found[norm].append(next(row[what] for row in path if row["clean accuracy"] >= level))
        return {norm: np.array(x) for norm, x in found.items()}

    def half(self, rows: list[Row], norm: str, training: str, s: dict[str, Any]) -> str:
        """The ε at which PGD leaves half of the accuracy 100 %, between the ε measured; the median over the seeds."""
        curves = np.array([self.left(rows, norm, training, epsilon=epsilon) for epsilon in s["epsilons"]])  # (ε, seeds)
        points = [float(np.interp(-0.5, -np.minimum.accumulate(curve), s["epsilons"])) for curve in curves.T]
        middle = float(np.median(points))
        return f"> {middle:g}" if middle == s["epsilons"][-1] else f"{middle:.3f}"

    # ---- what is shown ----------------------------------------------------------------------------------------------

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, axes = axes_of(2, 2, height=3.0, sharex=True, sharey=True)
        for number, (attack, training) in enumerate((attack, training) for attack in ATTACKS for training in TRAININGS):
            where = axes[number]
            for norm in self.norms:
                which = {"norm": norm, "training": training, "attack": attack}
                band(where, rows, "epsilon", "accuracy", say(named(norm)), STYLE[norm], scale=100, **which)
            where.set_title(f"{attack}{say(Text(', ', '，'))}{say(TRAININGS[training])}", fontsize=11)
            where.set_ylim(0, 102)
        for where in axes[2:]:
            where.set_xlabel(say(Text("ε, the most that a grey value (0 to 1) changes", "ε：灰度值（0 到 1）的最大改动")))
        for where in axes[::2]:
            where.set_ylabel(say(Text("test accuracy (%)", "测试准确率（%）")))
        axes[1].legend(loc="lower left")
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        head = (
            Text("training", "训练"),
            Text("norm", "归一化"),
            Text("clean, %", "干净样本，%"),
            Text(f"FGSM, ε = {RADIUS}, %", f"FGSM，ε = {RADIUS}，%"),
            Text(f"PGD, ε = {RADIUS}, %", f"PGD，ε = {RADIUS}，%"),
            Text("PGD leaves half at ε =", "PGD 使准确率降到一半的 ε"),
            Text("at equal clean accuracy: clean, %", "干净准确率相同时：干净样本，%"),
            Text("PGD, %", "PGD，%"),
            Text("input gradient, L1 norm", "输入梯度的 L1 范数"),
            Text("training steps", "训练步数"),
        )
        lines = [[say(t) for t in head]]
        for training in TRAININGS:
            equal = {what: self.at_equal(rows, training, what) for what in PATH}
            for norm in self.norms:
                clean = spread(self.left(rows, norm, training, epsilon=0.0)).text(1, 100)
                attacks = [spread(self.left(rows, norm, training, attack)).text(1, 100) for attack in ATTACKS]
                of_path = [spread(equal[what][norm]) for what in equal]
                texts = [of_path[0].text(1, 100), of_path[1].text(1, 100), of_path[2].text(2), of_path[3].text(0)]
                half = self.half(rows, norm, training, s)
                lines.append([say(SHORT[training]), say(named(norm)), clean, *attacks, half, *texts])
        return lines

    def radii(self, rows: list[Row], s: dict[str, Any], sign: int) -> list[float]:
        """The ε at which BN - none, trained as usual, has this sign under PGD."""
        found = {e: [self.left(rows, norm, "clean", epsilon=e) for norm in ("BN", "none")] for e in s["epsilons"] if e}
        return [e for e, pair in found.items() if difference(*pair).sign == sign]

    def as_usual(self, rows: list[Row], s: dict[str, Any]) -> Text:
        """The networks trained as usual: at the end, and at equal clean accuracy."""
        left = {norm: self.left(rows, norm, "clean") for norm in self.norms}
        equal, clean = (self.at_equal(rows, "clean", what) for what in ("PGD accuracy", "clean accuracy"))
        ends, equals = ({norm: difference(x[norm], x["none"]) for norm in ("BN", "LN")} for x in (left, equal))
        bn, ln = (more_or_less(norm, ends[norm].sign, equals[norm].sign) for norm in ("BN", "LN"))
        texts, level = accuracies(left), accuracies(clean)
        worse, better = (", ".join(f"{e:g}" for e in self.radii(rows, s, sign)) for sign in (-1, 1))
        return Text(
            f"With ε = {RADIUS}, {bn.en}; {ln.en}. PGD leaves {texts.en} (BN - none: {points(ends['BN'])}, LN - none: "
            f"{points(ends['LN'])}, BN - LN: {points(difference(left['BN'], left['LN']))} points). At equal clean accuracy "
            f"({level.en}): BN - none {points(equals['BN'])}, LN - none {points(equals['LN'])} points. The ε at which BN is "
            f"clearly better than none: {better or 'no ε'}; clearly worse: {worse or 'no ε'}.",
            f"ε = {RADIUS} 时，{bn.zh}；{ln.zh}。PGD 之后剩下：{texts.zh}（BN − 无：{points(ends['BN'])}，LN − 无："
            f"{points(ends['LN'])}，BN − LN：{points(difference(left['BN'], left['LN']))} 个百分点）。干净准确率相同时"
            f"（{level.zh}）：BN − 无 {points(equals['BN'])}，LN − 无 {points(equals['LN'])} 个百分点。BN 明显优于无归一化的 "
            f"ε：{better or '没有'}；明显更差的 ε：{worse or '没有'}。",
        )

    def hardened(self, rows: list[Row]) -> Text:
        """The networks trained with FGSM."""
        before, after = ({norm: self.left(rows, norm, training) for norm in self.norms} for training in TRAININGS)
        gains = {norm: points(difference(after[norm], before[norm])) for norm in self.norms}
        texts, between = accuracies(after), points(difference(after["BN"], after["LN"]))
        return Text(
            f"Trained with FGSM, PGD leaves {texts.en}: a gain of {gains['none']} points for none, {gains['BN']} for BN, "
            f"{gains['LN']} for LN (BN - LN is then {between}).",
            f"用 FGSM 训练后，PGD 之后剩下：{texts.zh}；提高的百分点：无归一化 {gains['none']}，BN {gains['BN']}，LN "
            f"{gains['LN']}（此时 BN − LN 为 {between}）。",
        )

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        usual, hardened = self.as_usual(rows, s), self.hardened(rows)
        equal = self.at_equal(rows, "clean", "PGD accuracy")
        worse, better = (self.radii(rows, s, sign) for sign in (-1, 1))
        everywhere = RADIUS in worse and not better and difference(equal["BN"], equal["none"]).sign < 0
        return Verdict(
            Text(f"{usual.en} {hardened.en}", f"{usual.zh}{hardened.zh}"),
            "yes" if everywhere else "no" if len(better) > len(worse) or not worse else "partly",
            Text(
                "Galloway et al. 2019 (abstract): BN lowers the accuracy under small adversarial changes and noise by tens "
                "of points, on five data sets, all larger than the digits. Benz et al. 2021 (first version, abstract): other "
                "normalisations increase the vulnerability too. The attacks: Goodfellow et al. 2015 (section 4; also "
                "adversarial training) and Madry et al. 2018 (section 2.1).",
                "Galloway 等 2019（摘要）：在五个都比这里大的数据集上，BN 使小的对抗扰动和噪声下的准确率下降数十个百分点。"
                "Benz 等 2021（首版摘要）：其他归一化同样增加脆弱性。攻击方法：Goodfellow 等 2015（第 4 节；亦含对抗训练"
                "）与 Madry 等 2018（第 2.1 节）。",
            ),
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        for norm in self.norms:
            clean, left = (self.left(rows, norm, "clean", epsilon=epsilon).mean() for epsilon in (0.0, RADIUS))
            assert clean > left + 0.1, (norm, clean, left)
        for norm in ("BN", "LN"):
            gain = self.left(rows, norm, "FGSM").mean() - self.left(rows, norm, "clean").mean()
            assert gain > 0.05, (norm, gain)


def holds(row: Row, **where: Any) -> bool:
    return all(row.get(k) == v for k, v in where.items())


def points(d: Difference) -> str:
    return d.text(1, 100)


def accuracies(of: dict[str, np.ndarray]) -> Text:
    """Each norm with its accuracy and the spread."""
    texts = [(norm, spread(x).text(1, 100, " %")) for norm, x in of.items()]
    return Text(
        ", ".join(f"{norm} {text}" for norm, text in texts),
        "，".join(f"{norm.replace('none', '无归一化')} {text}" for norm, text in texts),
    )


def more_or_less(norm: str, at_end: int, at_equal: int) -> Text:
    """What the differences from no normalisation say: after the same training, and at equal clean accuracy."""
    if at_end == at_equal:
        return {
            1: Text(f"{norm} makes the network more robust", f"{norm} 使网络更稳健"),
            0: Text(f"{norm} makes the network neither clearly more nor less fragile", f"看不出 {norm} 使网络更脆弱或更稳健"),
            -1: Text(f"{norm} makes the network more fragile", f"{norm} 使网络更脆弱"),
        }[at_end]
    en = {1: "more robust", 0: "not clearly different", -1: "more fragile"}
    zh = {1: "更稳健", 0: "看不出差别", -1: "更脆弱"}
    return Text(
        f"{norm} against none: {en[at_end]} after the same training, {en[at_equal]} at equal clean accuracy",
        f"{norm} 与无归一化相比：训练相同步数后{zh[at_end]}，干净准确率相同时{zh[at_equal]}",
    )


# ---- attacks and training --------------------------------------------------------------------------------------------


def input_gradient(net: nn.Module, x: tn.Tensor, y: tn.Tensor) -> tn.Tensor:
    """Of each image's cross-entropy, in float64: in float32 that of a confident network is rounded to 0, which hides it."""
    x = x.detach().requires_grad_()
    (dx,) = tn.autograd.grad(F.cross_entropy(net(x).double(), y, reduction="sum"), x)
    return dx


def attacked(attack: str, net: nn.Module, x: tn.Tensor, y: tn.Tensor, epsilon: float, steps: int) -> tn.Tensor:
    """Images that differ from x by at most ε in each grey value, and stay between 0 and 1. The network is in eval mode."""
    if attack == "FGSM":
        return (x + epsilon * input_gradient(net, x, y).sign()).clamp(0, 1)
    moved = x + epsilon * (2 * tn.rand(*x.shape, device=x.device) - 1)
    for _ in range(steps):
        moved = moved.clamp(0, 1)
        moved = moved + STEP * epsilon / steps * input_gradient(net, moved, y).sign()
        moved = x + (moved - x).clamp(-epsilon, epsilon)
    return moved.clamp(0, 1)


def moment(net: nn.Module, x: tn.Tensor, y: tn.Tensor, steps: int) -> Row:
    """What is measured while a network trains."""
    net.eval()
    return {
        "clean accuracy": accuracy(net, x, y),
        "PGD accuracy": accuracy(net, attacked("PGD", net, x, y, RADIUS, steps), y),
        "gradient": float(input_gradient(net, x, y).abs().sum(1).mean()),
    }


def step_of(net: nn.Module, optimizer: optim.Optimizer, epsilon: float) -> Callable[[tn.Tensor, tn.Tensor], tn.Tensor]:
    """A training step; with ε, half of the loss is that of FGSM's examples. One backward pass gives their direction too."""

    def step(x: tn.Tensor, y: tn.Tensor) -> tn.Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    def adversarial_step(x: tn.Tensor, y: tn.Tensor) -> tn.Tensor:
        optimizer.zero_grad()
        seen = x.detach().requires_grad_()
        loss = 0.5 * F.cross_entropy(net(seen), y)
        loss.backward()
        assert seen.grad is not None
        moved = (x + epsilon * seen.grad.sign()).clamp(0, 1)
        other = 0.5 * F.cross_entropy(net(moved), y)
        other.backward()
        optimizer.step()
        return loss + other

    return recorded(next(net.parameters()))(adversarial_step if epsilon else step)


EXPERIMENT = Adversarial()
