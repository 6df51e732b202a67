"""E15: distillation between BatchNorm and LayerNorm, and transfer: what to do with BatchNorm's statistics in fine-tuning."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

import tinynorm as tn
from tinynorm import nn
from tinynorm.nn import functional as F

from .base import Difference, Experiment, Row, Text, Verdict, difference, spread, values
from .nets import MORE_COLOURS, STYLE, accuracy, batches, data_of, make_optimizer, mlp, pick, re_estimate, recorded, train
from .plots import axes_of, bars

TEACHER, STUDENT = [128, 128], [16]  # the widths of the hidden layers
# Temperature, and the weight of the labels beside the soft targets: much less than theirs (Hinton et al. 2015, section 2)
TEMPERATURE, HARD = 4.0, 0.1
HALF = 5  # digits 0 to 4 are pretrained on, 5 to 9 fine-tuned on


def few_of_each(y: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Where n random examples of each class are."""
    order = np.random.default_rng([seed, 15]).permutation(len(y))
    return np.concatenate([order[y[order] == k][:n] for k in np.unique(y)])


def distil(student: nn.Module, x: Any, soft: Any, y: Any, hard: float, s: dict[str, Any], seed: int) -> None:
    """Train a student with soft targets, (1 - hard) T² CE(z / T, soft) + hard CE(z, y) (Hinton et al. 2015, section 2)."""
    T, optimizer = TEMPERATURE, make_optimizer("adam", student, s["lr"])

    @recorded(x)
    def step(x: Any, soft: Any, y: Any) -> Any:
        optimizer.zero_grad()
        z = student(x)
        loss = (1 - hard) * T**2 * F.cross_entropy(z / T, soft)
        if hard:
            loss = loss + hard * F.cross_entropy(z, y)
        loss.backward()
        optimizer.step()
        return loss

    student.train()
    for at in batches(len(x), s["batch"], s["steps"], seed):
        step(*pick(at, x, soft, y))


def fine_tune(net: nn.Module, frozen: bool, x: Any, y: Any, s: dict[str, Any], seed: int) -> None:
    """Train all parameters. If `frozen`, BatchNorm uses its running statistics as they are, and does not change them."""
    optimizer = make_optimizer("sgd", net, s["fine lr"])

    @recorded(x)
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        return loss

    net.train(not frozen)  # in these nets the mode matters to BatchNorm only
    for at in batches(len(x), s["fine batch"], s["fine steps"], seed):
        step(*pick(at, x, y))


class Transfer(Experiment):
    key = "E15"
    title = Text("Distillation and transfer", "蒸馏与迁移")
    question = Text(
        "Can a BN net teach an LN net, and the other way? And what should happen to BN's statistics in fine-tuning?",
        "BN 网络能教会 LN 网络吗？反过来呢？微调时应如何处理 BN 的统计量？",
    )
    how = Text(
        "Distillation: a 2 × 128 ReLU teacher (all training digits) and a student with one layer of 16 that has 5 labels of "
        f"each class: alone; with the teacher's soft targets (temperature {TEMPERATURE:g}) for the same 50 digits; with those "
        "of all training digits, without labels. Transfer: a 2 × 64 net pretrained on the digits 0-4 gets a new last layer "
        "and 2, 5 or 20 examples of each of 5-9; BN's statistics are frozen (those of 0-4), re-estimated on the new examples "
        "and then frozen, or adapted (batch statistics, running ones updated).",
        "蒸馏：2 × 128 ReLU 的教师（用全部训练数字训练），学生只有一个 16 单元的隐藏层，每类 5 个标签：单独学习；"
        f"用教师对同样 50 个数字的软目标（温度 {TEMPERATURE:g}）；用教师对全部训练数字的软目标，不用标签。"
        "迁移：在数字 0-4 上预训练的 2 × 64 网络换上新的最后一层，用 5-9 每类 2、5 或 20 个样本微调；BN 的统计量"
        "冻结（0-4 的统计量）、在新样本上重新估计后冻结，或随训练更新（批统计量，滑动平均继续更新）。",
    )
    full = {
        **{"lr": 0.005, "batch": 25, "steps": 600, "teacher steps": 1000, "labels": 5},
        **{"pretraining": 500, "shots": [2, 5, 20], "fine lr": 0.05, "fine batch": 10, "fine steps": 100},
    }
    quick = {"steps": 300, "teacher steps": 400, "pretraining": 300}

    def arms(self, s: dict[str, Any]) -> list[dict[str, Any]]:
        distilled = [{"part": "distillation", "teacher": teacher, "norm": norm} for teacher, norm in PAIRS]
        return distilled + [{"part": "transfer", "teacher": "", "norm": norm} for norm in ("none", "BN", "LN")]

    def run(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        tn.manual_seed(seed)
        return (self.distillation if arm["part"] == "distillation" else self.transfer)(arm, seed, s)

    def distillation(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        data = data_of(s, seed)
        x, y, x_test, y_test = data.to(s["device"])
        teacher = mlp(x.shape[1], arm["teacher"], TEACHER).to(s["device"])
        train(teacher, make_optimizer("adam", teacher, 0.001), x, y, 64, s["teacher steps"], seed)
        teacher.eval()
        with tn.no_grad():
            soft = F.softmax(teacher(x) / TEMPERATURE, 1)
        x_few, soft_few, y_few = pick(few_of_each(data.y_train, s["labels"], seed), x, soft, y)
        rows = [{"targets": "teacher", "test accuracy": accuracy(teacher, x_test, y_test)}]
        for targets in TARGETS:
            tn.manual_seed(1000 + seed)  # all students start from the same weights
            student = mlp(x.shape[1], arm["norm"], STUDENT).to(s["device"])
            if targets == "labels":
                train(student, make_optimizer("adam", student, s["lr"]), x_few, y_few, s["batch"], s["steps"], seed)
            elif targets == "soft, same digits":
                distil(student, x_few, soft_few, y_few, HARD, s, seed)
            else:
                distil(student, x, soft, y, 0.0, s, seed)
            rows.append({"targets": targets, "test accuracy": accuracy(student, x_test, y_test)})
        return rows

    def transfer(self, arm: dict[str, Any], seed: int, s: dict[str, Any]) -> list[Row]:
        data = data_of(s, seed)
        old, new, new_test = (data.y_train < HALF), (data.y_train >= HALF), (data.y_test >= HALF)
        parts = data.x_train[old], data.y_train[old], data.x_test[new_test], data.y_test[new_test] - HALF
        x_old, y_old, x_test, y_test = (tn.as_tensor(a, device=s["device"]) for a in parts)
        pretrained = mlp(x_old.shape[1], arm["norm"], [64, 64], outputs=HALF).to(s["device"])
        fresh = deepcopy(pretrained)
        train(pretrained, make_optimizer("sgd", pretrained, 0.1), x_old, y_old, 32, s["pretraining"], seed)
        head = nn.Linear(64, HALF).to(s["device"])
        rows: list[Row] = []
        for shots in s["shots"]:
            few = few_of_each(data.y_train[new], shots, seed)
            x, y = (tn.as_tensor(a, device=s["device"]) for a in (data.x_train[new][few], data.y_train[new][few] - HALF))
            for way in ("from scratch", *(("frozen", "re-estimated", "adapted") if arm["norm"] == "BN" else ("pretrained",))):
                net: Any = deepcopy(fresh if way == "from scratch" else pretrained)
                net[-1].load_state_dict(head.state_dict())
                if way == "re-estimated":
                    re_estimate(net, x)
                fine_tune(net, way in ("frozen", "re-estimated"), x, y, s, seed)
                rows.append({"way": way, "shots": shots, "test accuracy": accuracy(net, x_test, y_test)})
        return rows

    # ---- the figures ----

    def student(self, rows: list[Row], norm: str, teacher: str, targets: str) -> np.ndarray:
        return values(rows, "test accuracy", part="distillation", norm=norm, teacher=teacher, targets=targets)

    def tuned(self, rows: list[Row], norm: str, way: str, shots: int) -> np.ndarray:
        return values(rows, "test accuracy", part="transfer", norm=norm, way=way, shots=shots)

    def draw(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> Any:
        figure, (left, right) = axes_of(2, height=4.2)
        looks = zip(TARGETS, ("#BBBBBB", MORE_COLOURS[1], STYLE["BN"][0]), ("", "//", ""), strict=True)
        for k, (targets, colour, hatch) in enumerate(looks):
            found = [100 * self.student(rows, norm, teacher, targets) for teacher, norm in PAIRS]
            left.bar(
                np.arange(len(PAIRS)) + 0.27 * (k - 1), [f.mean() for f in found], 0.25, yerr=bars(found),
                color=colour, hatch=hatch, edgecolor="white", capsize=2, label=say(TARGETS[targets]),
            )  # fmt: skip
        left.set_xticks(range(len(PAIRS)), [f"{teacher} → {norm}" for teacher, norm in PAIRS])
        left.set_ylim(0, 100)
        left.set_xlabel(say(Text("teacher → student", "教师 → 学生")))
        left.set_ylabel(say(Text("the student's test accuracy (%)", "学生的测试准确率（%）")))
        left.legend(fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        drawn = list(WAYS.items())[:DRAWN]
        for number, ((norm, way), (label, colour, dashes, marker)) in enumerate(drawn):
            found = [100 * self.tuned(rows, norm, way, n) for n in s["shots"]]
            at = [n * 1.04 ** (number - DRAWN // 2) for n in s["shots"]]  # so that the error bars stand beside each other
            right.errorbar(
                at, [f.mean() for f in found], bars(found),
                color=colour, linestyle=dashes, marker=marker, markersize=5, capsize=2, linewidth=1.6, label=say(label),
            )  # fmt: skip
        right.set_xscale("log")
        right.set_xticks(s["shots"], [str(n) for n in s["shots"]])
        right.minorticks_off()
        right.set_xlabel(say(Text("labelled examples of each class 5-9", "数字 5-9 每类的标注样本数")))
        right.set_ylabel(say(Text("test accuracy on 5-9 (%)", "5-9 上的测试准确率（%）")))
        right.legend(fontsize=8, ncols=2, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        return figure

    def table(self, rows: list[Row], s: dict[str, Any], say: Callable[[Text], str]) -> list[list[str]]:
        head = [Text("teacher → student", "教师 → 学生"), Text("teacher, %", "教师，%"), *TARGETS.values()]
        lines = [[say(t) for t in head]]
        for teacher, norm in PAIRS:
            found = [spread(self.student(rows, norm, teacher, t)).text(1, 100) for t in ("teacher", *TARGETS)]
            lines.append([f"{teacher} → {norm}", *found])
        second = [Text("fine-tuned on 5-9, %", "在 5-9 上微调，%"), *(Text(f"{n} of each", f"每类 {n} 个") for n in s["shots"])]
        lines += [[], [say(t) for t in second]]
        for (norm, way), (label, *_) in WAYS.items():
            lines.append([say(label), *(spread(self.tuned(rows, norm, way, n)).text(1, 100) for n in s["shots"])])
        return lines

    def gain(self, rows: list[Row], norm: str, teacher: str, targets: str) -> Difference:
        """Of a student with soft targets over the student alone."""
        return difference(self.student(rows, norm, teacher, targets), self.student(rows, norm, teacher, "labels"))

    def of_distillation(self, rows: list[Row], s: dict[str, Any]) -> tuple[Text, list[int]]:
        """A sentence on the students of the other kind of teacher, and for each comparison whether soft targets help."""
        en, zh, signs = [], [], []
        n = 10 * s["labels"]
        for teacher, norm in PAIRS[:2]:
            same, every = (self.gain(rows, norm, teacher, t) for t in ("soft, same digits", "soft, all digits"))
            signs += [same.sign, every.sign]
            alone = spread(self.student(rows, norm, teacher, "labels")).text(1, 100, " %")
            en.append(
                f"{teacher} teaches {norm} (alone {alone}): soft targets of the same {n} digits {same.text(1, 100)} points "
                f"({HELPS[same.sign].en}), of all digits {every.text(1, 100)} ({HELPS[every.sign].en})"
            )
            zh.append(
                f"{teacher} 教 {norm}（单独 {alone}）：同样 {n} 个数字的软目标 {same.text(1, 100)} 个百分点"
                f"（{HELPS[same.sign].zh}），全部数字的软目标 {every.text(1, 100)}（{HELPS[every.sign].zh}）"
            )
        return Text(f"Distillation. {'; '.join(en)}.", f"蒸馏：{'；'.join(zh)}。"), signs

    def of_transfer(self, rows: list[Row], s: dict[str, Any]) -> tuple[Text, list[int]]:
        """A sentence on fine-tuning, and for each number of examples whether adapted statistics beat frozen ones."""
        en, zh, signs = [], [], []
        for n in s["shots"]:
            of = {way: self.tuned(rows, *way, n) for way in WAYS}
            text = {way: spread(x).text(1, 100, " %") for way, x in of.items()}
            d = difference(of["BN", "adapted"], of["BN", "frozen"])
            signs.append(d.sign)
            ways = ", ".join(f"{way} {text['BN', way]}" for way in WAY_NAMES)
            ways_zh = "，".join(f"{name} {text['BN', way]}" for way, name in WAY_NAMES.items())
            en.append(
                f"with {n} examples of each class {ways}, LN {text['LN', 'pretrained']} "
                f"(adapted - frozen {d.text(1, 100)} points: {FROZEN[d.sign].en})"
            )
            zh.append(
                f"每类 {n} 个样本时，{ways_zh}，LN {text['LN', 'pretrained']}"
                f"（更新 − 冻结 {d.text(1, 100)} 个百分点：{FROZEN[d.sign].zh}）"
            )
        return Text(f"BN's statistics in transfer: {'; '.join(en)}.", f"迁移时 BN 的统计量：{'；'.join(zh)}。"), signs

    def verdict(self, rows: list[Row], s: dict[str, Any]) -> Verdict:
        distilled, helps = self.of_distillation(rows, s)
        transferred, adapted = self.of_transfer(rows, s)
        claims = [*helps, *adapted]  # what the papers say, each 1 where it holds here, -1 where the opposite does
        return Verdict(
            Text(f"{distilled.en} {transferred.en}", f"{distilled.zh}{transferred.zh}"),
            "yes" if min(claims) > 0 else "no" if min(claims) < 0 and max(claims) <= 0 else "partly",
            Text(
                "Hinton et al. 2015, sections 2 and 6: a small net learns more from a teacher's soft targets than from "
                "labels, above all with little data. Li et al. 2016 (AdaBN): statistics of the new domain are better than "
                "the old ones. Kolesnikov et al. 2020 (BiT), section 2: they avoid BN, whose running statistics are in the "
                "way of transfer. Wu and He 2018, section 4.2: where batches are small, fine-tuning usually freezes them.",
                "Hinton 等 2015，第 2 与 6 节：小网络从教师的软目标学到的比从标签学到的多，数据少时尤其如此。Li 等 2016（"
                "AdaBN）：新领域的统计量优于旧的。Kolesnikov 等 2020（BiT），第 2 节：他们不用 BN，因为其滑动统计量妨碍迁移。"
                "Wu 与 He 2018，第 4.2 节：批很小时，微调通常冻结它们。",
            ),
        )

    def check(self, rows: list[Row], s: dict[str, Any]) -> None:
        for teacher, norm in PAIRS:
            alone, taught = (self.student(rows, norm, teacher, t).mean() for t in ("labels", "soft, all digits"))
            assert taught > alone + 0.03, (norm, teacher, alone, taught)


PAIRS = [("BN", "LN"), ("LN", "BN"), ("BN", "BN"), ("LN", "LN")]  # teacher and student; the last two for comparison
TARGETS = {
    "labels": Text("50 labels", "50 个标签"),
    "soft, same digits": Text("50 labels and soft targets", "50 个标签与软目标"),
    "soft, all digits": Text("soft targets of all digits", "全部数字的软目标"),
}
WAYS = {  # of fine-tuning: label, colour, line, marker
    ("BN", "frozen"): (Text("BN, frozen", "BN，冻结"), STYLE["BN"][0], "-", "v"),
    ("BN", "re-estimated"): (Text("BN, re-estimated", "BN，重新估计"), MORE_COLOURS[1], "--", "^"),
    ("BN", "adapted"): (Text("BN, adapted", "BN，随训练更新"), STYLE["GN"][0], "-.", "o"),
    ("LN", "pretrained"): (Text("LN", "LN"), STYLE["LN"][0], "--", "s"),
    ("BN", "from scratch"): (Text("BN, from scratch", "BN，从头训练"), STYLE["none"][0], ":", "P"),
    ("LN", "from scratch"): (Text("LN, from scratch", "LN，从头训练"), STYLE["none"][0], ":", "D"),
    ("none", "pretrained"): (Text("none", "无"), STYLE["none"][0], ":", "x"),
}
DRAWN = 5  # so many of them are in the picture, the others in the table only
WAY_NAMES = {"frozen": "冻结", "re-estimated": "重新估计", "adapted": "随训练更新"}
HELPS = {1: Text("it helps", "有帮助"), -1: Text("it harms", "有害"), 0: Text("the seeds do not tell", "这些种子分不出")}
FROZEN = {
    1: Text("adapted is better", "更新更好"),
    -1: Text("frozen is better", "冻结更好"),
    0: Text("the seeds do not tell", "这些种子分不出高下"),
}
EXPERIMENT = Transfer()
