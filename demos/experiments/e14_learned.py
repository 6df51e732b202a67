"""E14: making the choice learnable, and adapting it. Switchable normalisation's weights; γ and β alone learn a new task."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn, optim
from tinynorm.nn import functional as F

from .base import Experiment, Row, Text, Verdict, difference, spread, values
from .nets import STYLE, accuracy, data_of, make_optimizer, mlp, re_estimate, side, train
from .plots import axes_of, band
from .switchable_norm import SwitchableNorm

HIDDEN = [64, 64]
TASKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {  # of square images that are rows
    "inverted": lambda x: 1 - x,
    "rotated": lambda x: np.ascontiguousarray(np.rot90(x.reshape(-1, side(x), side(x)), axes=(1, 2)).reshape(x.shape)),
}
PARTS = ("affine", "last", "both", "all")
# Each part has a learning rate of its own, the best of these on examples that are neither adapted to nor tested with
RATES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
PER_CLASS, VALIDATION = 5, 200  # labelled examples of the new task: so many of each class to adapt to, so many to choose a rate


def trained(norm: Any, x: Any, y: Any, size: int, steps: int, s: dict[str, Any], seed: int, after: Any = None) -> nn.Sequential:
    """A net with this norm, trained with Adam."""
    net: Any = mlp(x.shape[1], norm, HIDDEN).to(s["device"])
    train(net, make_optimizer("adam", net, s["lr"]), x, y, size, steps, seed, after, s["every"])
    return net


def part_of(net: nn.Sequential, part: str) -> list[Any]:
    """The parameters that adapt: γ and β of the norms, those of the last layer, both, or all."""
    norms = [m for m in net if isinstance(m, (nn.BatchNorm1d, nn.LayerNorm))]
    modules = {"affine": norms, "last": [net[-1]], "both": [*norms, net[-1]], "all": list(net)}[part]
    return [p for m in modules for p in m.parameters()]


def adapt(net: nn.Sequential, part: str, lr: float, x: Any, y: Any, steps: int) -> Iterator[tuple[int, nn.Sequential]]:
    """A copy of the net before and after each step of SGD on x, of which only a part changes."""
    net = deepcopy(net)
    optimizer = optim.SGD(part_of(net, part), lr=lr)
    for n in range(steps + 1):
        re_estimate(net, x)
        yield n, net
        net.zero_grad()
        net.train()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()


def split(y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Where the examples to adapt to are, and those to choose the learning rate with."""
    order = np.random.default_rng([seed, 14]).permutation(len(y))
    few = np.concatenate([order[y[order] == k][:PER_CLASS] for k in range(10)])
    return few, np.setdiff1d(order, few, assume_unique=True)[:VALIDATION]


class Learned(Experiment):
    key = "E14"
    title = Text("Making the choice learnable, and adapting it", "让网络自己学会选择与适应")
    question = Text(
        "If a layer may mix BN's and LN's statistics, which does it choose? And can γ and β alone adapt a trained net to a "
        "new task?",
        "如果一个层可以混合 BN 与 LN 的统计量，它会选择哪个？只调整 γ 和 β，能让训练好的网络适应新任务吗？",
    )
    how = Text(
        "Digits, 2 × 64 ReLU, Adam. Switchable normalisation learns how much of BN's and LN's mean and variance it uses, at "
        "batches of 2 and 64, with equal numbers of steps. Adapting: nets trained on upright digits see 5 examples of each "
        "class of a new task (grey values inverted, or images rotated by 90°), and take full-batch SGD steps with γ and β, "
        "the last layer, both, or all parameters; each with the learning rate of 6 that is best on 200 other examples. BN's "
        "statistics are always those of the 50 examples.",
        "手写数字，2 × 64 ReLU，Adam。可切换归一化在批大小为 2 和 64 时（步数相同）学习 BN 与 LN 的均值、方差各占多少。适应："
        "在正立数字上训练好的网络，得到新任务（灰度反转，或图像旋转 90°）每类 5 个样本，用全批量 SGD 更新 γ 和 β、最后一层、"
        "两者，或全部参数；学习率都从 6 个值中选出，以另外 200 个样本上的最佳者为准。BN 的统计量始终取自这 50 个样本。",
    )
    full = {"sizes": [2, 64], "lr": 0.003, "steps": 2000, "every": 100, "base steps": 600, "adapt": 20}
    quick = {"steps": 600, "every": 100, "base steps": 300, "adapt": 10}

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        choices = [{"part": "choice", "norm": norm, "batch": B} for norm in ("SN", "BN", "LN") for B in s["sizes"]]
        return choices + [{"part": "adapting", "norm": norm, "batch": 32} for norm in ("BN", "LN")]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        return self.choice(arm, seed, s) if arm["part"] == "choice" else self.adapting(arm, seed, s)

    def choice(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        layers: list[SwitchableNorm] = []

        def make(width: int) -> nn.Module:
            layers.append(SwitchableNorm(width))
            return layers[-1]

        rows: list[Row] = []

        def after(step: int, loss: float) -> None:
            for number, layer in enumerate(layers, start=1):
                shares = {f"BN's share of the {name}": layer.shares(name)["BN"] for name in ("mean", "var")}
                rows.append({"step": step, "layer": number, **shares})

        net = trained(make if arm["norm"] == "SN" else arm["norm"], x, y, arm["batch"], s["steps"], s, seed, after)
        return [*rows, {"step": s["steps"], "layer": 0, "test accuracy": accuracy(net, x_test, y_test)}]

    def adapting(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        data = data_of(s, seed)
        x, y, *_ = data.to(s["device"])
        net = trained(arm["norm"], x, y, arm["batch"], s["base steps"], s, seed)
        few, other = split(data.y_train, seed)
        rows: list[Row] = []
        for task, change in TASKS.items():
            sets = (data.x_train[few], data.y_train[few], data.x_train[other], data.y_train[other], data.x_test, data.y_test)
            new = [tn.as_tensor(change(a) if a.ndim == 2 else a, device=s["device"]) for a in sets]
            rows.append({"task": task, "adapted": "nothing", "step": 0, "test accuracy": accuracy(net, *new[4:])})
            for part in PARTS:
                rows += [{"task": task, "adapted": part, **row} for row in self.best_rate(net, part, new, s)]
        return rows

    def best_rate(self, net: nn.Sequential, part: str, new: list[Any], s: dict[str, Any]) -> list[Row]:
        """What is measured at each step, with the learning rate that is best on the validation examples after the last."""
        best: tuple[float, list[Row]] = (-1.0, [])
        size = sum(p.numel() for p in part_of(net, part))
        for lr in RATES:
            found: list[Row] = []
            for n, adapted in adapt(net, part, lr, new[0], new[1], s["adapt"]):
                found.append({"step": n, "lr": lr, "parameters": size, "test accuracy": accuracy(adapted, *new[4:])})
                validation = accuracy(adapted, *new[2:4]) if n == s["adapt"] else 0.0
            best = max(best, (validation, found), key=lambda pair: pair[0])
        return best[1]

    # ---- the figures ----

    def share(self, rows: list[Row], statistic: str, B: int, step: int) -> np.ndarray:
        """BN's share for each seed, the mean over the layers."""
        where = {"norm": "SN", "batch": B, "step": step}
        of_layers = [values(rows, f"BN's share of the {statistic}", layer=k + 1, **where) for k in range(len(HIDDEN))]
        return np.mean(of_layers, axis=0)

    def final(self, rows: list[Row], norm: str, B: int) -> np.ndarray:
        return values(rows, "test accuracy", part="choice", norm=norm, batch=B, layer=0)

    def adapted(self, rows: list[Row], norm: str, task: str, part: str, s: dict[str, Any]) -> np.ndarray:
        step = 0 if part == "nothing" else s["adapt"]
        return values(rows, "test accuracy", part="adapting", norm=norm, task=task, adapted=part, step=step)

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, axes = axes_of(2, 2, height=3.4)
        for a, statistic in zip(axes[:2], ("mean", "var"), strict=True):
            for B, colour in zip(s["sizes"], (STYLE["LN"][0], STYLE["BN"][0]), strict=True):
                for layer, dashes in ((1, "-"), (2, "--")):
                    label = say(Text(f"B = {B}, layer {layer}", f"B = {B}，第 {layer} 层"))
                    where = {"norm": "SN", "batch": B, "layer": layer}
                    band(a, rows, "step", f"BN's share of the {statistic}", label, (colour, dashes), **where)
            a.axhline(0.5, color="#888888", linewidth=0.8)
            a.set_ylim(0, 1)
            a.set_xlabel(say(Text("training steps", "训练步数")))
            a.set_ylabel(say(STATISTICS[statistic]))
        axes[0].legend(fontsize=8)
        for a, task in zip(axes[2:], TASKS, strict=True):
            for part, style in STYLES.items():
                where = {"part": "adapting", "norm": "BN", "task": task, "adapted": part}
                band(a, rows, "step", "test accuracy", say(PART_NAMES[part]), style, 100, **where)
            a.set_title(f"BN, {say(TASK_NAMES[task])}", fontsize=10)
            a.set_ylim(0, 100)
            a.set_xlabel(say(Text("steps of adapting", "适应步数")))
            a.set_ylabel(say(Text("test accuracy (%)", "测试准确率（%）")))
        axes[3].legend(fontsize=8, loc="lower right")
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        lines = [[say(t) for t in (Text("measured", "测量"), *(Text(f"B = {B}", f"B = {B}") for B in s["sizes"]))]]
        for statistic, name in STATISTICS.items():
            lines.append([say(name), *(spread(self.share(rows, statistic, B, s["steps"])).text(2) for B in s["sizes"])])
        for norm in ("SN", "BN", "LN"):
            head = say(Text(f"accuracy with {norm}, %", f"{norm} 的准确率，%"))
            lines.append([head, *(spread(self.final(rows, norm, B)).text(1, 100) for B in s["sizes"])])
        head = say(Text("a new task (parameters adapted): accuracy, %", "新任务（适应的参数个数）：准确率，%"))
        lines += [[], [head, "BN", "LN"]]
        sizes = {row["adapted"]: f" ({row['parameters']})" for row in rows if "parameters" in row}
        for task, title in TASK_NAMES.items():
            for part in ("nothing", *PARTS):
                found = [spread(self.adapted(rows, norm, task, part, s)).text(1, 100) for norm in ("BN", "LN")]
                lines.append([f"{say(title)}: {say(PART_NAMES[part])}{sizes.get(part, '')}", *found])
        return lines

    def of_shares(self, rows: list[Row], s: dict[str, Any]) -> tuple[Text, list[int]]:
        """A sentence on BN's shares, and for mean and variance whether the large batch has the larger share."""
        small, large = s["sizes"]
        en, zh, signs = [], [], []
        for k, name in (("mean", Text("mean", "均值")), ("var", Text("variance", "方差"))):
            at = {B: self.share(rows, k, B, s["steps"]) for B in s["sizes"]}
            a, b = (spread(at[B]).text(2) for B in (large, small))
            signs.append(difference(at[large], at[small]).sign)
            en.append(f"of the {name.en} is {a} at B = {large} and {b} at B = {small} ({SHARES[signs[-1]].en})")
            zh.append(f"{name.zh}占比在 B = {large} 时为 {a}，B = {small} 时为 {b}（{SHARES[signs[-1]].zh}）")
        return Text(f"BN's share {', '.join(en)}.", f"BN 的{'；'.join(zh)}。"), signs

    def of_adapting(self, rows: list[Row], s: dict[str, Any]) -> tuple[Text, list[int]]:
        """A sentence on a BN net's adapting, and for each task whether γ and β beside the last layer help."""
        en, zh, signs = [], [], []
        for task, title in TASK_NAMES.items():
            found = {part: self.adapted(rows, "BN", task, part, s) for part in PARTS}
            affine, last, both, every = (spread(x).text(1, 100, " %") for x in found.values())
            d = difference(found["both"], found["last"])
            signs.append(d.sign)
            en.append(
                f"{title.en}: γ and β {affine}, last layer {last}, these two {both}, all parameters {every} "
                f"(γ and β beside the last layer: {d.text(1, 100)} points, {AHEAD[d.sign].en})"
            )
            zh.append(
                f"{title.zh}：γ 和 β {affine}，最后一层 {last}，两者 {both}，全部参数 {every}"
                f"（在最后一层之外再加 γ 和 β：{d.text(1, 100)} 个百分点，{AHEAD[d.sign].zh}）"
            )
        n = s["adapt"]
        text = Text(f"A BN net after {n} steps of adapting: {'; '.join(en)}.", f"BN 网络适应 {n} 步之后：{'；'.join(zh)}。")
        return text, signs

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        shares, larger = self.of_shares(rows, s)
        adapting, ahead = self.of_adapting(rows, s)
        right = {B: {norm: self.final(rows, norm, B) for norm in ("SN", "BN", "LN")} for B in s["sizes"]}
        said = {B: ", ".join(f"{norm} {spread(x).text(1, 100, ' %')}" for norm, x in at.items()) for B, at in right.items()}
        en = "; ".join(f"at B = {B} {text}" for B, text in said.items())
        zh = "；".join(f"B = {B} 时 {text.replace(', ', '，')}" for B, text in said.items())
        # what the papers say, each 1 where it holds here, -1 where the opposite does; SN is as good as the better of the two
        as_good = [1 if difference(x["SN"], max(x["BN"], x["LN"], key=np.mean)).sign >= 0 else -1 for x in right.values()]
        claims = [*larger, *as_good, *ahead]
        return Verdict(
            Text(f"{shares.en} Accuracy {en}. {adapting.en}", f"{shares.zh}准确率：{zh}。{adapting.zh}"),
            "yes" if min(claims) > 0 else "no" if min(claims) < 0 and max(claims) <= 0 else "partly",
            Text(
                "Luo et al. 2019 (images, with IN beside them): with small batches the layer chooses less of BN "
                "and more of LN, and stays good. Mudrakarta et al. 2019: scales and biases of the norms, few as they are, "
                "adapt a net to another task; beside the last layer they are much better than the last layer alone.",
                "Luo 等 2019（图像，另含 IN）：批很小时，该层少用 BN、多用 LN，并保持良好。Mudrakarta 等 2019：归一化层"
                "的缩放与偏置虽少，却能让网络适应另一任务；与最后一层一起调整，比只调最后一层好得多。",
            ),
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        for norm in ("BN", "LN"):
            before, after = (self.adapted(rows, norm, "rotated", part, s).mean() for part in ("nothing", "all"))
            assert after > before + 0.1, (norm, before, after)
        small, large = (self.share(rows, "mean", B, s["steps"]).mean() for B in s["sizes"])
        assert large > small + 0.05, (small, large)


STATISTICS = {
    "mean": Text("BN's share of the mean", "均值中 BN 的占比"),
    "var": Text("BN's share of the variance", "方差中 BN 的占比"),
}
STYLES = {"affine": ("#009E73", "-"), "last": ("#E69F00", "--"), "both": ("#0072B2", "-."), "all": ("#555555", ":")}
PART_NAMES = {
    "nothing": Text("not adapted", "未适应"),
    "affine": Text("γ and β", "γ 和 β"),
    "last": Text("last layer", "最后一层"),
    "both": Text("γ, β and last layer", "γ、β 与最后一层"),
    "all": Text("all", "全部"),
}
TASK_NAMES = {
    "inverted": Text("inverted digits", "灰度反转的数字"),
    "rotated": Text("digits rotated by 90°", "旋转 90° 的数字"),
}
SHARES = {
    1: Text("larger with the large batch", "大批量时更大"),
    -1: Text("smaller with the large batch", "大批量时更小"),
    0: Text("the seeds do not tell which is larger", "这些种子分不出大小"),
}
AHEAD = {
    1: Text("they help", "有帮助"),
    -1: Text("they harm", "有害"),
    0: Text("the seeds do not tell", "这些种子分不出"),
}
EXPERIMENT = Learned()
