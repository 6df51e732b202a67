"""E12: sequences. An LSTM with LayerNorm or BatchNorm in its cell reads a digit row by row; then sequences of other lengths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn
from tinynorm.nn import functional as F

from .base import Difference, Experiment, Row, Text, Verdict, difference, spread, values
from .nets import MORE_COLOURS, STYLE, accuracy, data_of, make_optimizer, side, train
from .plots import axes_of, band

PARTS = 8  # sequences of other lengths are by so many eighths of an image shorter or longer: by rows, for the digits
GAMMA = 0.1  # BN's initial γ: with 1, the gradients vanish on their way through the steps (Cooijmans et al. 2017)


class StepBatchNorm(nn.Module):
    """BatchNorm in a recurrent net: one γ and β, and running statistics for each step (Cooijmans et al. 2017).

    A step after the last one uses the statistics of the last. With ``steps=1``, all steps share theirs.
    """

    def __init__(self, width: int, steps: int, bias: bool) -> None:
        super().__init__()
        self.statistics = nn.ModuleList(nn.BatchNorm1d(width, affine=False) for _ in range(steps))
        self.weight = nn.Parameter(tn.ones(width) * GAMMA)
        self.register_parameter("bias", nn.Parameter(tn.zeros(width)) if bias else None)

    def forward(self, x: Any, t: int) -> Any:
        own: Any = self.statistics[min(t, len(self.statistics) - 1)]
        return F.batch_norm(x, own.running_mean, own.running_var, self.weight, self.bias, self.training, own.momentum, own.eps)


class StepLayerNorm(nn.LayerNorm):
    """LayerNorm, which does the same at each step."""

    def forward(self, x: Any, t: int) -> Any:  # type: ignore[override]
        return super().forward(x)


class NoNorm(nn.Module):
    def forward(self, x: Any, t: int) -> Any:
        return x


CELL_NORMS: dict[str, Callable[[int, int, bool], nn.Module]] = {
    "none": lambda width, steps, bias: NoNorm(),
    "BN per step": StepBatchNorm,
    "BN shared": lambda width, steps, bias: StepBatchNorm(width, 1, bias),
    "LN": lambda width, steps, bias: StepLayerNorm(width, bias=bias),
}
STYLES = {"none": STYLE["none"], "BN per step": STYLE["BN"], "BN shared": (MORE_COLOURS[1], "-."), "LN": STYLE["LN"]}


class NormLSTM(nn.Module):
    """An LSTM that reads images row by row, and whose last h goes to the classes. Both papers normalise the same three places:

        a = norm(W x) + norm(W' h) + b,   c' = σ(a_f) c + σ(a_i) tanh(a_g),   h' = σ(a_o) tanh(norm(c')).

    (Ba et al. 2016; Cooijmans et al. 2017.)
    """

    def __init__(self, norm: str, rows: int, hidden: int) -> None:  # an image is square: as many columns as rows
        super().__init__()
        self.columns = rows
        H = self.hidden = hidden
        self.W, self.W_h = nn.Linear(rows, 4 * H, bias=False), nn.Linear(H, 4 * H, bias=False)
        self.b = nn.Parameter(tn.zeros(4 * H))
        make = CELL_NORMS[norm]
        self.norm_x, self.norm_h, self.norm_c = make(4 * H, rows, False), make(4 * H, rows, False), make(H, rows, True)
        self.out = nn.Linear(H, 10)

    def forward(self, x: Any) -> Any:  # (N, L * columns): L rows, one after the other
        H, columns = self.hidden, self.columns
        h = c = tn.zeros(x.shape[0], H, device=x.device)
        for t in range(x.shape[1] // columns):
            row = x[:, columns * t : columns * (t + 1)]
            a = self.norm_x(self.W(row), t) + self.norm_h(self.W_h(h), t) + self.b  # (N, 4 H)
            gates, g = F.sigmoid(a[:, : 3 * H]), F.tanh(a[:, 3 * H :])
            c = gates[:, H : 2 * H] * c + gates[:, :H] * g
            h = gates[:, 2 * H :] * F.tanh(self.norm_c(c, t))
        return self.out(h)


def other_length(x: Any, change: str, rows: int) -> Any:
    """Sequences that were not trained on: the first rows only, or so many empty rows after or before the digit."""
    columns = side(x)
    if change == "first rows":
        return x[:, : columns * rows]
    empty = tn.zeros(x.shape[0], columns * rows, device=x.device)
    return tn.cat([x, empty] if change == "empty after" else [empty, x], 1)


class Sequences(Experiment):
    key = "E12"
    title = Text("Sequences", "序列")
    question = Text(
        "Which of them suits a recurrent net, and what happens when a sequence has another length than those trained on?",
        "循环网络适合用哪一种？如果测试序列的长度与训练时不同，会怎样？",
    )
    how = Text(
        "An LSTM reads a digit row by row: 8 steps of 8 numbers. In its cell: nothing, LayerNorm, or BatchNorm, with "
        "running statistics for each step or one set shared by all steps; beyond the last step, those of the last are used. "
        "BN's γ starts at 0.1 (as in its paper), LN's at 1. Adam. The trained nets are then tested with the first rows only, "
        "and with empty rows after or before the digit.",
        "一个 LSTM 逐行读取数字：8 步、每步 8 个数。其单元内：无归一化、LayerNorm，或 BatchNorm（滑动统计量按步分开，或所有步"
        "共用一组；超出训练步数时使用最后一步的统计量）。BN 的 γ 初值为 0.1（与原论文相同），LN 的为 1。优化器为 Adam。训练好的"
        "网络再用以下序列测试：只有前几行，或在数字之后、之前加空行。",
    )
    full = {"hidden": 32, "batch": 32, "lr": 0.003, "steps": 600, "every": 50}
    quick = {"steps": 200, "every": 50}
    # in eighths of the image's rows
    changes = {"first rows": (3, 4, 5, 6, 7), "empty after": (1, 2, 4, 8), "empty before": (1, 2, 3, 4)}

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"norm": norm} for norm in CELL_NORMS]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        x, y, x_test, y_test = data_of(s, seed).to(s["device"])
        net = NormLSTM(arm["norm"], side(x), s["hidden"]).to(s["device"])
        rows: list[Row] = []

        def after(step: int, loss: float) -> None:
            rows.append({"kind": "training", "step": step, "loss": loss, "test accuracy": accuracy(net, x_test, y_test)})

        train(net, make_optimizer("adam", net, s["lr"]), x, y, s["batch"], s["steps"], seed, after, s["every"])
        trained = {"test accuracy": rows[-1]["test accuracy"]}
        for change, counts in self.changes.items():
            rows.append({"kind": change, "count": side(x) if change == "first rows" else 0, **trained})
            for n in (parts * side(x) // PARTS for parts in counts):
                right = accuracy(net, other_length(x_test, change, n), y_test)
                rows.append({"kind": change, "count": n, "test accuracy": right})
        return rows

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, axes = axes_of(2, 2, height=3.2, sharey=True)
        about = {
            "training": ("step", Text("training steps", "训练步数")),
            "first rows": ("count", Text("only the first rows: how many", "只有前几行：行数")),
            "empty after": ("count", Text("empty rows after the digit", "数字之后的空行数")),
            "empty before": ("count", Text("empty rows before the digit", "数字之前的空行数")),
        }
        for a, (what, (x, label)) in zip(axes, about.items(), strict=True):
            for norm, style in STYLES.items():
                band(a, rows, x, "test accuracy", say(LABELS[norm]), style, scale=100, norm=norm, kind=what)
            a.set_xlabel(say(label))
            if what != "training":
                a.set_xticks(sorted({row["count"] for row in rows if row["kind"] == what}))
        for a in axes[::2]:
            a.set_ylabel(say(Text("test accuracy (%)", "测试准确率（%）")))
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
        return figure

    def steps_to(self, rows: list[Row], norm: str, goal: float = 0.9) -> float:
        """The median over seeds of the first step measured with at least this test accuracy; inf if there is none."""
        found: dict[int, float] = {}
        for row in rows:
            if row["norm"] == norm and row["kind"] == "training":
                step = row["step"] if row["test accuracy"] >= goal else np.inf
                found[row["seed"]] = min(found.get(row["seed"], np.inf), step)
        return float(np.median(list(found.values())))

    def measured(self, rows: list[Row], norm: str, what: str, n: int) -> np.ndarray:
        return values(rows, "test accuracy", norm=norm, kind=what, count=n)

    def places(self, rows: list[Row]) -> dict[tuple[str, int], Text]:
        """The tests that the verdict speaks of: what was changed, and by how many rows."""
        every = max(row["count"] for row in rows if row["kind"] == "first rows")
        first, empty = 6 * every // PARTS, 2 * every // PARTS
        return {
            ("empty after", 0): Text(f"all {every} rows", f"全部 {every} 行"),
            ("first rows", first): Text(f"the first {first} rows only", f"只有前 {first} 行"),
            ("empty after", empty): Text(f"{empty} empty rows after", f"其后加 {empty} 个空行"),
            ("empty before", empty): Text(f"{empty} empty rows before", f"其前加 {empty} 个空行"),
        }

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        places = self.places(rows)
        head = [say(Text("norm", "归一化")), say(Text("steps to 90 %", "达到 90 % 的步数"))]
        lines = [[*head, *(say(name) + say(Text(", %", "，%")) for name in places.values())]]
        for norm in CELL_NORMS:
            first = self.steps_to(rows, norm)
            found = [spread(self.measured(rows, norm, what, n)).text(1, 100) for what, n in places]
            lines.append([say(LABELS[norm]), f"{first:.0f}" if np.isfinite(first) else f"> {s['steps']}", *found])
        return lines

    def compared(self, rows: list[Row], what: str, n: int) -> Difference:
        """LN's accuracy less that of BN with statistics per step."""
        return difference(self.measured(rows, "LN", what, n), self.measured(rows, "BN per step", what, n))

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        first = {norm: self.steps_to(rows, norm) for norm in CELL_NORMS}
        to = {norm: f"{n:.0f}" if np.isfinite(n) else f"> {s['steps']}" for norm, n in first.items()}
        en, zh = [], []
        for place, name in self.places(rows).items():
            d = self.compared(rows, *place)
            better = BETTER[d.sign]
            found = (spread(self.measured(rows, norm, *place)) for norm in ("LN", "BN per step", "none"))
            ln, bn, none = (x.text(1, 100, " %") for x in found)
            points = d.text(1, 100)
            en.append(f"{name.en}: LN {ln}, BN {bn}, none {none} (LN - BN {points} points: {better.en})")
            zh.append(f"{name.zh}：LN {ln}，BN {bn}，无 {none}（LN − BN {points} 个百分点：{better.zh}）")
        # what the papers say, 1 where it holds here, -1 where the opposite does: both are faster than none, LN is sturdier
        faster = [(first[norm] < first["none"]) - (first[norm] > first["none"]) for norm in ("LN", "BN per step")]
        claims = [*faster, *(self.compared(rows, *place).sign for place in list(self.places(rows))[1:])]
        return Verdict(
            Text(
                f"90 % is reached after {to['LN']} steps with LN, {to['BN per step']} with BN per step and {to['none']} "
                f"without. Test accuracy with {'; with '.join(en)}.",
                f"达到 90 % 所需步数：LN {to['LN']}，按步统计的 BN {to['BN per step']}，无归一化 {to['none']}。"
                f"测试准确率，{'；'.join(zh)}。",
            ),
            "yes" if min(claims) > 0 else "no" if min(claims) < 0 and max(claims) <= 0 else "partly",
            Text(
                "Ba et al. 2016, sections 1 and 3.1: in recurrent nets BN needs statistics for each step, which fail for "
                "longer test sequences; LN needs none, and speeds up training. Cooijmans et al. 2017: BN "
                "with statistics per step speeds up an LSTM too; for longer sequences the last step's statistics are used.",
                "Ba 等 2016，第 1 与 3.1 节：循环网络中的 BN 需要按步统计，测试序列更长时会出问题；LN 不需要，并能加快训练。"
                "Cooijmans 等 2017：按步统计的 BN 也能加快 LSTM 的训练；更长的序列沿用最后一步的统计量。",
            ),
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        final = {norm: self.measured(rows, norm, "empty after", 0).mean() for norm in CELL_NORMS}
        assert final["LN"] > 0.8, final


LABELS = {
    "none": Text("none", "无"),
    "BN per step": Text("BN, statistics per step", "BN，按步统计"),
    "BN shared": Text("BN, shared statistics", "BN，共用统计"),
    "LN": Text("LN", "LN"),
}
BETTER = {
    1: Text("LN is better", "LN 更好"),
    -1: Text("BN is better", "BN 更好"),
    0: Text("the seeds do not tell", "这些种子分不出高下"),
}
EXPERIMENT = Sequences()
