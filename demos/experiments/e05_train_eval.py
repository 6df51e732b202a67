"""E5: BatchNorm computes one function in training and another in evaluation. How far are the two apart?"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn
from tinynorm.nn import functional as F

from .base import Difference, Experiment, Row, Text, Verdict, difference, spread, values
from .nets import (
    STYLE,
    accuracy,
    batch_norms,
    cut,
    data_of,
    make_optimizer,
    mlp,
    pick,
    re_estimated,
    train,
    using_batch_statistics,
)
from .plots import axes_of, band

BATCH = 32  # rows of a training batch
SIZES = (2, 4, 8, 16, 32, 64)  # rows of a test batch
PASSES = 4  # how often the test data are cut into other batches
ONE_CLASS = 32  # the largest batch of one class: the test data have about 36 images of each


def distance(net: nn.Module, all_data: nn.Module) -> tuple[float, float]:
    """How far the statistics of the nets' BatchNorms are apart: a root mean square over their features.

    For the means in standard deviations of the training data, for the variances as a share of the true ones.
    """
    means, variances = [], []
    for some, every in zip(batch_norms(net), batch_norms(all_data), strict=True):
        std = every.running_var.sqrt()
        means.append(((some.running_mean - every.running_mean) / std).cpu().numpy())
        variances.append((some.running_var / every.running_var - 1).cpu().numpy())
    return tuple(float(np.sqrt(np.mean(np.concatenate(d) ** 2))) for d in (means, variances))  # type: ignore[return-value]


def loss_of(net: nn.Module, x: tn.Tensor, y: tn.Tensor, size: int) -> float:
    """The mean loss over batches of this size, in the mode that the net is in."""
    with tn.no_grad():
        found = [float(F.cross_entropy(net(x[n : n + size]), y[n : n + size])) for n in range(0, len(x) - size + 1, size)]
    return float(np.mean(found))


def right_in_batches(net: nn.Module, x: tn.Tensor, y: tn.Tensor, batches: list[np.ndarray]) -> float:
    """The share of right answers, with the net called for each of the batches, in the mode that it is in."""
    with tn.no_grad():
        some = (pick(at, x, y) for at in batches)
        right = [(net(images).argmax(1) == classes).cpu().numpy() for images, classes in some]
    return float(np.concatenate(right).mean())


class TrainEval(Experiment):
    key = "E5"
    title = Text("Training against evaluation", "训练模式与评估模式")
    question = Text(
        "How far are BatchNorm's running statistics from those that it trains with? "
        "What if a test batch is normalised by its own statistics?",
        "BatchNorm 的滑动统计量与训练时所用的统计量相差多远？如果测试批用自身的统计量做归一化，又会怎样？",
    )
    how = Text(
        f"Digits, two hidden layers of 64 ReLUs, batches of {BATCH}, SGD with learning rate 0.1; BN with momentum 0.1 and "
        "0.01; LN. The true statistics are those of the whole training set at the weights of the moment. The loss is that of "
        f"the training set, in batches of {BATCH}. Then the test set is cut into batches at random, and into batches of one "
        f"class, {PASSES} times each, and each batch is normalised by its own statistics. Bands: the least and the most of the "
        f"seeds.",
        f"手写数字，两个各含 64 个 ReLU 单元的隐藏层，批大小 {BATCH}，SGD 学习率 0.1；"
        "BN 的 momentum 取 0.1 和 0.01，另有 LN 作对照。“真实统计量”指当前权重下整个训练集的统计量。"
        f"损失在训练集上以 {BATCH} 个样本为一批计算。最后把测试集随机切成小批，或切成只含单一类别的小批，"
        f"各重复 {PASSES} 次，每个小批用自身的统计量做归一化。色带表示各种子的最小值到最大值。",
    )
    full = {"steps": 2000, "every": 50}
    quick = {"steps": 600, "every": 60}

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"norm": "BN", "momentum": 0.1}, {"norm": "BN", "momentum": 0.01}, {"norm": "LN", "momentum": 0.0}]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        net = mlp(x.shape[1], arm["norm"], [64, 64]).to(s["device"])
        for layer in batch_norms(net):
            layer.momentum = arm["momentum"]
        rng = np.random.default_rng(seed)
        rows: list[Row] = []

        def after(step: int, loss: float) -> None:
            rows.append({"part": "training", "step": step, **self.gaps(net, x, y, rng)})

        train(net, make_optimizer("sgd", net, 0.1), x, y, BATCH, s["steps"], seed, after, s["every"])
        return rows + self.tested(net, x_test, y_test, rng)

    def gaps(self, net: nn.Module, x: tn.Tensor, y: tn.Tensor, rng: np.random.Generator) -> Row:
        """The two modes compared, at the net's present weights."""
        row = {
            "loss, training mode": loss_of(using_batch_statistics(net), x, y, BATCH),
            "loss, eval mode": loss_of(copy.deepcopy(net).eval(), x, y, BATCH),
        }
        if batch_norms(net):
            all_data = re_estimated(net, x)
            batches = [re_estimated(net, *pick(rng.permutation(len(x))[:BATCH], x)) for _ in range(4)]
            row["mean, running"], row["variance, running"] = distance(net, all_data)
            mean, variance = np.mean([distance(b, all_data) for b in batches], 0)
            row["mean, batch"], row["variance, batch"] = float(mean), float(variance)
        return row

    def tested(self, net: nn.Module, x: tn.Tensor, y: tn.Tensor, rng: np.random.Generator) -> list[Row]:
        """The accuracy in eval mode, and with the statistics of test batches."""
        rows: list[Row] = [{"part": "eval mode", "accuracy": accuracy(net, x, y)}]
        own, classes = using_batch_statistics(net), y.cpu().numpy()
        for size in SIZES:
            some, same = [], []
            for _ in range(PASSES):
                order = rng.permutation(len(x))
                some += cut(order, size)
                same += [batch for k in range(10) for batch in cut(order[classes[order] == k], size)]
            rows.append({"part": "random", "size": size, "accuracy": right_in_batches(own, x, y, some)})
            if size <= ONE_CLASS:
                rows.append({"part": "one class", "size": size, "accuracy": right_in_batches(own, x, y, same)})
        return rows

    # ---- what it shows

    def found(self, rows: list[Row], name: str, norm: str = "BN", momentum: float = 0.1, **where: Any) -> np.ndarray:
        return values(rows, name, norm=norm, momentum=momentum if norm == "BN" else 0.0, **where)

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, (means, variances, losses, tests) = axes_of(2, 2, 3.4)
        bn, slow, batch = STYLE["BN"], ("#56B4E9", "-."), ("#000000", ":")
        running = [(0.1, bn), (0.01, slow)]
        for axes, what in ((means, "mean"), (variances, "variance")):
            for momentum, style in running:
                label = say(Text(f"running, momentum {momentum}", f"滑动统计量，momentum {momentum}"))
                band(axes, rows, "step", f"{what}, running", label, style, part="training", norm="BN", momentum=momentum)
            label = say(Text(f"a batch of {BATCH}", f"一个批（{BATCH}）"))
            band(axes, rows, "step", f"{what}, batch", label, batch, part="training", norm="BN", momentum=0.1)
        training = say(Text("BN, training mode", "BN，训练模式"))
        band(losses, rows, "step", "loss, training mode", training, batch, part="training", norm="BN", momentum=0.1)
        for momentum, style in running:
            label = say(Text(f"BN, eval, momentum {momentum}", f"BN，评估，momentum {momentum}"))
            band(losses, rows, "step", "loss, eval mode", label, style, part="training", norm="BN", momentum=momentum)
        both = say(Text("LN, both modes", "LN，两种模式"))
        band(losses, rows, "step", "loss, eval mode", both, STYLE["LN"], part="training", norm="LN")
        self.draw_tests(tests, rows, say)
        for axes in (means, variances, losses):
            axes.set(yscale="log", xlabel=say(Text("training steps", "训练步数")))
            axes.legend(fontsize=8)
        means.set_ylabel(say(Text("distance of the means (std. dev.)", "均值之差（标准差）")))
        variances.set_ylabel(say(Text("distance of the variances (share)", "方差之差（相对值）")))
        losses.set_ylabel(say(Text("training loss", "训练损失")))
        return figure

    def draw_tests(self, axes: Any, rows: list[Row], say: Callable[[Text], str]) -> None:
        kinds = {"random": Text("random batches", "随机批"), "one class": Text("batches of one class", "单一类别的批")}
        for norm, momentum in (("BN", 0.1), ("LN", 0.0)):
            colour = STYLE[norm][0]
            for (part, text), dashes in zip(kinds.items(), ("-", "--"), strict=True):
                label = f"{norm}, {say(text)}"
                band(axes, rows, "size", "accuracy", label, (colour, dashes), 100, part=part, norm=norm, momentum=momentum)
        level = 100 * self.found(rows, "accuracy", part="eval mode").mean()
        axes.axhline(level, color="#56B4E9", linestyle=":", label=say(Text("BN, running statistics", "BN，滑动统计量")))
        axes.set_xscale("log", base=2)
        axes.set_xticks(SIZES, [str(n) for n in SIZES])
        axes.set_xlabel(say(Text("rows of a test batch", "测试批的大小")))
        axes.set_ylabel(say(Text("test accuracy (%)", "测试准确率（%）")))
        axes.set_ylim(0, 105)
        axes.legend(fontsize=8, loc=(0.42, 0.28))

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        head = Text("test batches", "测试批"), Text("BN, accuracy, %", "BN 准确率，%"), Text("LN, accuracy, %", "LN 准确率，%")
        lines = [[say(t) for t in head]]

        def add(name: Text, **where: Any) -> None:
            found = [spread(self.found(rows, "accuracy", norm, **where)).text(1, 100) for norm in ("BN", "LN")]
            lines.append([say(name), *found])

        add(Text("eval mode", "评估模式"), part="eval mode")
        for size in SIZES:
            add(Text(f"random, {size} rows", f"随机，{size} 个样本"), part="random", size=size)
        for size in SIZES:
            if size <= ONE_CLASS:
                add(Text(f"one class, {size} rows", f"单一类别，{size} 个样本"), part="one class", size=size)
        return lines

    def differences(self, rows: list[Row], s: dict[str, Any]) -> dict[str, Difference]:
        """Of BN with momentum 0.1: running means less a batch's, loss in eval less training mode, accuracies less eval "
        "mode's."""
        end = {"part": "training", "step": s["steps"]}
        evaluated = self.found(rows, "accuracy", part="eval mode")
        return {
            "distance": difference(self.found(rows, "mean, running", **end), self.found(rows, "mean, batch", **end)),
            "loss": difference(self.found(rows, "loss, eval mode", **end), self.found(rows, "loss, training mode", **end)),
            "small": difference(self.found(rows, "accuracy", part="random", size=SIZES[0]), evaluated),
            "large": difference(self.found(rows, "accuracy", part="random", size=SIZES[-1]), evaluated),
            "class": difference(self.found(rows, "accuracy", part="one class", size=ONE_CLASS), evaluated),
        }

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        d = self.differences(rows, s)
        names = {
            "first": "mean, running",
            "running": "mean, running",
            "batch": "mean, batch",
            "eval": "loss, eval mode",
            "training": "loss, training mode",
        }
        at = {k: s["every"] if k == "first" else s["steps"] for k in names}
        found = {k: spread(self.found(rows, name, part="training", step=at[k])) for k, name in names.items()}
        figures: dict[str, Any] = {k: v.text(4 if "loss" in names[k] else 3) for k, v in found.items()}
        figures |= {k: d[k].text(1, 100) for k in ("small", "large", "class")}
        figures |= {"every": s["every"], "steps": s["steps"], "ln": f"{100 * self.change_of_ln(rows):.1f}"}
        words = {"distance": FARTHER[d["distance"].sign], "loss": HIGHER[d["loss"].sign]}
        harmed = [d[k].sign < 0 for k in ("small", "class")]
        return Verdict(
            Text(
                FOUND.en.format(**figures, **{k: w.en for k, w in words.items()}),
                FOUND.zh.format(**figures, **{k: w.zh for k, w in words.items()}),
            ),
            "yes" if all(harmed) else "partly" if any(harmed) else "no",
            LITERATURE,
        )

    def change_of_ln(self, rows: list[Row]) -> float:
        """By how much LN's accuracy on the whole test set changes at most if it comes in pairs."""
        pairs = self.found(rows, "accuracy", "LN", part="random", size=2)
        return float(np.abs(pairs - self.found(rows, "accuracy", "LN", part="eval mode")).max())

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        d = self.differences(rows, s)
        assert d["small"].mean < -0.1, d
        assert d["class"].mean < -0.2, d
        assert self.change_of_ln(rows) < 0.005, "LN depends on the batch"


FARTHER = {
    1: Text("farther from them than", "更远"),
    -1: Text("nearer to them than", "更近"),
    0: Text("not clearly nearer or farther than", "远近没有明确差别"),
}
HIGHER = {
    1: Text("more than", "高于"),
    -1: Text("less than", "低于"),
    0: Text("not clearly more or less than", "没有明确地高于或低于"),
}
FOUND = Text(
    "After {every} steps BN's running means are {first} standard deviations away from the true means, after {steps} "
    f"steps {{running}}: {{distance}} the means of one batch of {BATCH} ({{batch}}). The training loss is then {{eval}} in "
    "eval mode, {loss} in training mode ({training}). If a test batch is normalised by its own statistics, BN's accuracy "
    f"changes by {{small}} points in batches of {SIZES[0]}, by {{large}} in batches of {SIZES[-1]}, and by {{class}} in "
    f"batches of {ONE_CLASS} images of one class; LN's in batches of 2 by at most {{ln}}.",
    "{every} 步后，BN 的滑动均值与真实均值相差 {first} 个标准差，{steps} 步后相差 {running}；"
    f"与单个批（{BATCH} 个样本）的均值（相差 {{batch}}）相比，{{distance}}。"
    "此时训练损失在评估模式下为 {eval}，{loss}训练模式下的 {training}。若测试批用自身的统计量归一化，"
    f"BN 的准确率变化为：每批 {SIZES[0]} 个样本 {{small}} 个百分点，每批 {SIZES[-1]} 个样本 {{large}} 个百分点，"
    f"每批 {ONE_CLASS} 个同类样本 {{class}} 个百分点；LN 在每批 2 个样本时至多变化 {{ln}} 个百分点。",
)
LITERATURE = Text(
    "Ioffe and Szegedy 2015, section 3.1: at inference the output should depend on the input alone, so statistics of the "
    "population take the place of the batch's. Ioffe 2017 (Batch Renormalization): an example's output depends on the others "
    "in its batch, which harms if batches are small or are no independent samples. Wu and Johnson 2021 "
    '(Rethinking "Batch" in BatchNorm): on running averages, and on a batch\'s statistics in the test.',
    "Ioffe 与 Szegedy 2015，第 3.1 节：推理时输出应只取决于输入，因此以总体统计量代替批统计量。"
    "Ioffe 2017（Batch Renormalization）：BatchNorm 使一个样本的输出依赖于同批的其他样本，"
    "当批很小或批内样本并非独立抽取时，这是有害的。"
    'Wu 与 Johnson 2021（Rethinking "Batch" in BatchNorm）：滑动平均，以及测试时使用批统计量。',
)

EXPERIMENT = TrainEval()
