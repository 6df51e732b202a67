"""E8: a BatchNorm whose backward pass is wrong still learns. Does anything in the training give it away?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn
from tinynorm.autograd import from_arrays
from tinynorm.gradcheck import check_backward, mistakes

from .base import Difference, Experiment, Row, Text, Verdict, difference, spread, values
from .nets import MORE_COLOURS, STYLE, accuracy, data_of, make_optimizer, mlp, train, using_batch_statistics
from .plots import axes_of, band

BATCH = 64
LR = {"sgd": 0.1, "adam": 3e-3}
OPTIMIZERS = {"sgd": "SGD", "adam": "Adam"}
# the mistakes by their names in `tinynorm.gradcheck.mistakes`, and each one's line
WRONG = {
    "no x_hat term": ("batchnorm_missing_x_hat_term", (MORE_COLOURS[0], "--")),
    "no mean term": ("batchnorm_missing_mean_term", ("#D55E00", "-.")),
    "neither term": ("batchnorm_eval_formula_in_training", ("#CC79A7", ":")),
}
BACKWARDS = ("right", *WRONG)
NAMES = {
    "right": Text("right", "正确"),
    "no x_hat term": Text("without the x̂ term", "缺 x̂ 项"),
    "no mean term": Text("without the mean term", "缺均值项"),
    "neither term": Text("without both", "两项都缺"),
}
LINES = {"right": STYLE["BN"], **{name: style for name, (_, style) in WRONG.items()}}


def pair(backward: str) -> Any:
    """The forward of BatchNorm in training with this backward, and inputs to check them with."""
    return mistakes.batchnorm.RIGHT if backward == "right" else mistakes.find(WRONG[backward][0])


def batch_norm_with(backward: str) -> type[nn.BatchNorm1d]:
    """BatchNorm1d, right in forward and in eval mode, with this backward in training."""
    op = from_arrays(pair(backward).forward, pair(backward).backward)

    class WithBackward(nn.BatchNorm1d):
        def forward(self, input: tn.Tensor) -> tn.Tensor:
            if not self.training:
                return super().forward(input)
            with tn.no_grad():
                super().forward(input)  # it keeps the running statistics
            return op(input, self.weight, self.bias)

    return WithBackward


class WrongBackward(Experiment):
    key = "E8"
    title = Text("Can training expose a wrong backward?", "训练能暴露错误的反向传播吗？")
    question = Text(
        "If the backward pass of BatchNorm lacks a term, does the accuracy tell? Does anything else?",
        "如果 BatchNorm 的反向传播缺少一项，准确率能看出来吗？还有什么能看出来？",
    )
    how = Text(
        "Digits, two hidden layers of 64 ReLUs, each Linear with a bias before its BatchNorm; batches of "
        f"{BATCH}, SGD (learning rate {LR['sgd']}) and Adam ({LR['adam']}). In both layers dx = rstd (g - mean(g) - x̂ mean(g "
        "x̂)) lacks its x̂ term, its mean term, or both. With the right backward the gradient of a bias before BatchNorm is "
        "zero but for rounding: it is measured how far the first layer's bias moves. A gradient check gets each backward too.",
        f"手写数字，两个各含 64 个 ReLU 单元的隐藏层，每个 BatchNorm 之前的 Linear 都带偏置；批大小 {BATCH}，"
        f"SGD（学习率 {LR['sgd']}）和 Adam（{LR['adam']}）。"
        "两层的 dx = rstd (g − mean(g) − x̂ mean(g x̂)) 都缺 x̂ 项、都缺均值项，或两项都缺。"
        "反向传播正确时，BatchNorm 之前偏置的梯度除舍入误差外为零：因此测量第一层偏置移动了多远。每个反向传播也做了梯度检查。",
    )
    full = {"steps": 2000, "every": 100}
    quick = {"steps": 400, "every": 50}

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"optimizer": name, "backward": backward} for name in LR for backward in BACKWARDS]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        net: Any = mlp(x.shape[1], batch_norm_with(arm["backward"]), [64, 64]).to(s["device"])
        first = net[0]
        start = first.bias.detach().clone()
        rows: list[Row] = []

        def after(step: int, loss: float) -> None:
            moved, weights = (float((t * t).sum()) ** 0.5 for t in (first.bias.detach() - start, first.weight.detach()))
            right = accuracy(net, x_test, y_test)
            rows.append({"step": step, "loss": loss, "test accuracy": right, "bias moved": moved, "weights": weights})

        optimizer = make_optimizer(arm["optimizer"], net, LR[arm["optimizer"]])
        train(net, optimizer, x, y, BATCH, s["steps"], seed, after, s["every"])
        with tn.no_grad():
            own = using_batch_statistics(net)(x_test)
        rows[-1]["test accuracy, batch statistics"] = float((own.argmax(1) == y_test).float().mean())
        return rows

    # ---- what it shows

    def last(self, rows: list[Row], what: str, optimizer: str, backward: str) -> np.ndarray:
        step = max(row["step"] for row in rows)
        return values(rows, what, optimizer=optimizer, backward=backward, step=step)

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, axes = axes_of(2, 2, 3.2, sharey="row")
        after = [row for row in rows if row["step"]]
        for column, (optimizer, name) in enumerate(OPTIMIZERS.items()):
            above, below = axes[column], axes[2 + column]
            for backward in BACKWARDS:
                where: dict[str, Any] = {"optimizer": optimizer, "backward": backward}
                band(above, after, "step", "test accuracy", say(NAMES[backward]), LINES[backward], 100, **where)
                band(below, after, "step", "bias moved", say(NAMES[backward]), LINES[backward], **where)
            above.set_title(name)
            below.set_yscale("log")
            for a in (above, below):
                a.set_xlabel(say(Text("training steps", "训练步数")))
        axes[0].set_ylabel(say(Text("test accuracy (%)", "测试准确率（%）")))
        axes[2].set_ylabel(say(Text("the bias moved by ‖b − b₀‖", "偏置的移动 ‖b − b₀‖")))
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize=9)
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        head = (
            Text("optimiser", "优化器"),
            Text("backward", "反向传播"),
            Text("test accuracy, %", "测试准确率，%"),
            Text("with batch statistics, %", "用批统计量，%"),
            Text("training loss", "训练损失"),
            Text("bias moved", "偏置的移动"),
            Text("norm of the weights", "权重范数"),
            Text("gradient check", "梯度检查"),
        )
        lines = [[say(t) for t in head]]
        for optimizer in LR:
            for backward in BACKWARDS:
                found = {what: spread(self.last(rows, what, optimizer, backward)) for what in MEASURED}
                cells = [found[what].text(digits, 100 if digits == 1 else 1) for what, digits in MEASURED.items()]
                checked = say(Text("passes", "通过") if passes(backward) else Text("finds it", "发现错误"))
                moved = f"{found['bias moved'].mean:.2g}"
                lines.append([OPTIMIZERS[optimizer], say(NAMES[backward]), *cells[:3], moved, cells[4], checked])
        return lines

    def costs(self, rows: list[Row], optimizer: str) -> dict[str, Difference]:
        """For each wrong backward, its test accuracy at the end less that of the right one."""
        right = self.last(rows, "test accuracy", optimizer, "right")
        return {name: difference(self.last(rows, "test accuracy", optimizer, name), right) for name in WRONG}

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        figures: dict[str, str] = {"caught": str(sum(not passes(name) for name in WRONG)), "wrong": str(len(WRONG))}
        unseen = 0
        for optimizer in LR:
            costs = self.costs(rows, optimizer)
            unseen += sum(d.sign == 0 for d in costs.values())
            figures |= {f"{optimizer} {name}": d.text(1, 100) for name, d in costs.items()}
            figures |= {f"{optimizer} bias {b}": f"{self.last(rows, 'bias moved', optimizer, b).mean():.1g}" for b in BACKWARDS}
            figures[f"{optimizer} right"] = spread(self.last(rows, "test accuracy", optimizer, "right")).text(1, 100)
        figures |= {"unseen": str(unseen), "trainings": str(len(LR) * len(WRONG))}
        moves = all(self.moves_more(rows, optimizer, name) for optimizer in LR for name in ("no mean term", "neither term"))
        losses = np.array([self.last(rows, "loss", optimizer, "neither term") for optimizer in LR])
        blows_up = not np.isfinite(losses).all() or bool(losses.max() > CHANCE)
        figures["loss"] = " (SGD), ".join(spread(each).text(2) for each in losses) + " (Adam)"
        return Verdict(
            Text(
                FOUND.en.format(**figures, blows=BLOWS[blows_up].en, shows=SHOWS[moves].en),
                FOUND.zh.format(**figures, blows=BLOWS[blows_up].zh, shows=SHOWS[moves].zh),
            ),
            "yes" if moves and blows_up else "partly" if moves or blows_up else "no",
            LITERATURE,
        )

    def moves_more(self, rows: list[Row], optimizer: str, backward: str) -> bool:
        """Whether the bias moves more than with the right backward: its logarithm, beyond the spread of the seeds."""
        moved = (np.log10(self.last(rows, "bias moved", optimizer, b)) for b in (backward, "right"))
        return difference(*moved).sign > 0

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        moved = {b: self.last(rows, "bias moved", "sgd", b) for b in BACKWARDS}
        assert moved["right"].max() < 1e-3, moved
        for name in ("no mean term", "neither term"):
            assert moved[name].min() > 100 * moved["right"].max(), moved
        for name in ("right", "no x_hat term"):
            assert self.last(rows, "test accuracy", "sgd", name).mean() > 0.85, name
        assert passes("right")
        assert not any(map(passes, WRONG))


# what is told of the end of each training, and its digits
MEASURED = {"test accuracy": 1, "test accuracy, batch statistics": 1, "loss": 4, "bias moved": 3, "weights": 2}


@cache
def passes(backward: str) -> bool:
    """Whether the gradient check finds nothing."""
    m = pair(backward)
    return bool(check_backward(m.forward, m.backward, m.inputs(0), names=m.names).ok)


CHANCE = float(np.log(10))  # the loss of a network that gives each of the ten classes the same probability
BLOWS = {
    True: Text("the model blows up", "模型发散"),
    False: Text("the model does not blow up", "模型并未发散"),
}
SHOWS = {True: Text("shows", "会体现"), False: Text("does not clearly show", "并不明显体现")}
FOUND = Text(
    "Test accuracy less that of the right backward, in points: SGD (right: {sgd right} %) without the x̂ term "
    "{sgd no x_hat term}, without the mean term {sgd no mean term}, without both {sgd neither term}; Adam (right: {adam right} "
    "%) {adam no x_hat term}, {adam no mean term}, {adam neither term}. The seeds do not tell {unseen} of these {trainings} "
    "differences from 0. A missing mean term {shows} in the bias before BatchNorm, which should stay where it is: it moves by "
    "{sgd bias no mean term} with SGD (right: {sgd bias right}) and by {adam bias no mean term} with Adam (right: "
    "{adam bias right}: Adam magnifies the rounding). Without both terms {blows}; the loss ends at {loss}. "
    "The gradient check finds {caught} of the {wrong} mistakes.",
    "测试准确率与正确反向传播之差（百分点）：SGD（正确：{sgd right} %）缺 x̂ 项 {sgd no x_hat term}，"
    "缺均值项 {sgd no mean term}，两项都缺 {sgd neither term}；Adam（正确：{adam right} %）依次为 {adam no x_hat term}、"
    "{adam no mean term}、{adam neither term}。这 {trainings} 个差异中有 {unseen} 个无法由这些种子与 0 区分。"
    "缺均值项{shows}在 BatchNorm 之前的偏置上，它本应不动：用 SGD 时移动 {sgd bias no mean term}"
    "（正确时 {sgd bias right}），用 Adam 时移动 {adam bias no mean term}（正确时 {adam bias right}：Adam 放大了舍入误差）。"
    "两项都缺时{blows}，最终损失为 {loss}。梯度检查发现了 {wrong} 个错误中的 {caught} 个。",
)
LITERATURE = Text(
    "Ioffe and Szegedy 2015, section 2: if the gradient step ignores that the statistics depend on the parameters, the bias "
    "grows without limit while the loss stays as it is, and the model blows up.",
    "Ioffe 与 Szegedy 2015，第 2 节：若梯度步忽略统计量对参数的依赖，偏置会无限增长而损失不变，模型最终发散。",
)

EXPERIMENT = WrongBackward()
