"""The page that answers: which layer when, and what becomes of common claims; with the experiment that decides each."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from . import facts
from .base import Difference, Row, Text, difference
from .report import unbroken
from .running import load

SUPPORTED, REFUTED, DEPENDS = Text("supported", "成立"), Text("refuted", "不成立"), Text("it depends", "视情况而定")
NOT_SEEN = Text("not seen here", "此处未见")  # the seeds do not tell
Found = dict[str, list[Row]]  # the rows of each experiment that was run
Settings = dict[str, dict[str, Any]]  # and its settings
Judgement = tuple[Text, Text]  # the verdict, and the figure that decides


class Claim(NamedTuple):
    """A sentence that people say, what decides it, and how."""

    says: Text
    key: str  # of an experiment, or "" for a fact that is measured at once
    judge: Callable[[list[Row], dict[str, Any]], Judgement]


def points(d: Difference, name: str) -> str:
    return f"{name} {d.text(1, 100)}"


def verdict(claimed: int, *signs: int) -> Text:
    """By the signs of differences, where a claim says which sign they have."""
    if all(sign == claimed for sign in signs):
        return SUPPORTED
    if claimed in signs:
        return DEPENDS
    return REFUTED if all(sign == -claimed for sign in signs) else NOT_SEEN


# ---- claims that an experiment decides ---------------------------------------------------------------------------------


def costs_more(rows: list[Row], s: dict[str, Any]) -> Judgement:
    e: Any = load("E9")
    found = {(mode, kernels): e.logarithm(rows, f"{mode} seconds", kernels) for mode in e.modes for kernels in e.measured(rows)}
    names = [(e.modes[mode], e.kernels[kernels], f"{np.exp(d.mean):.2f}") for (mode, kernels), d in found.items()]
    en = "; ".join(f"{mode.en}, {kernels.en}: {ratio}" for mode, kernels, ratio in names)
    zh = "；".join(f"{mode.zh}，{kernels.zh}：{ratio}" for mode, kernels, ratio in names)
    word = verdict(1, *(d.sign for d in found.values()))
    return word, Text(f"LN's time over BN's: {en}", f"LN 与 BN 用时之比：{zh}")


def worse_under_sgd(rows: list[Row], s: dict[str, Any]) -> Judgement:
    e: Any = load("E10")
    plain, momentum = (e.between(rows, ("LN", name), ("BN", name)) for name in ("sgd", "momentum"))
    return verdict(-1, plain.sign, momentum.sign), Text(
        f"LN - BN, test accuracy in points: {points(plain, 'SGD')}; {points(momentum, 'with momentum')}",
        f"LN − BN 的测试准确率（百分点）：{points(plain, 'SGD')}；{points(momentum, '带动量')}",
    )


def needs_adam(rows: list[Row], s: dict[str, Any]) -> Judgement:
    e: Any = load("E10")
    d = e.between(rows, ("BN", "adam"), ("BN", "momentum"))
    return verdict(1, d.sign), Text(
        f"BN, test accuracy in points: {points(d, 'Adam - SGD with momentum')}",
        f"BN 的测试准确率（百分点）：{points(d, 'Adam − 带动量的 SGD')}",
    )


def sensitive_to_shifts(rows: list[Row], s: dict[str, Any]) -> Judgement:
    e: Any = load("E6")
    ln, bn = ([e.mean_of(rows, method, shift) for shift in ("scale", "offset")] for method in ("LN", "BN, running"))
    scale, offset = map(difference, ln, bn)
    return verdict(-1, scale.sign, offset.sign), Text(
        f"LN - BN, mean accuracy in points: {points(scale, 'x·a')}; {points(offset, 'x + b')}",
        f"LN − BN 的平均准确率（百分点）：{points(scale, 'x·a')}；{points(offset, 'x + b')}",
    )


def standard_in_recurrent_nets(rows: list[Row], s: dict[str, Any]) -> Judgement:
    e: Any = load("E12")
    found = {name: e.compared(rows, *place) for place, name in e.places(rows).items()}
    word = verdict(-1, *(d.sign for d in found.values()))
    en = "; ".join(points(d, name.en) for name, d in found.items())
    zh = "；".join(points(d, name.zh) for name, d in found.items())
    return word, Text(f"LN - BN, test accuracy in points: {en}", f"LN − BN 的测试准确率（百分点）：{zh}")


def by_less_shift(rows: list[Row], s: dict[str, Any]) -> Judgement:
    e: Any = load("E2")
    drift = {norm: e.per_seed(rows, "drift", norm).mean() for norm in ("BN + noise", "none")}
    d = difference(e.final(rows, "BN + noise", s), e.final(rows, "BN", s))
    less = drift["BN + noise"] > drift["none"]
    word = REFUTED if less and d.mean > -0.02 else DEPENDS
    times = f"{drift['BN + noise'] / drift['none']:.0f}"
    return word, Text(
        f"with noise, the shift is {times} times that without normalisation, and BN's accuracy is {d.text(1, 100)} points off",
        f"加入噪声后偏移是无归一化时的 {times} 倍，BN 的准确率与不加噪声相差 {d.text(1, 100)} 个百分点",
    )


def fragile(rows: list[Row], s: dict[str, Any]) -> Judgement:
    e: Any = load("E11")
    found = {norm: difference(e.left(rows, norm, "clean"), e.left(rows, "none", "clean")) for norm in ("BN", "LN")}
    word = verdict(-1, *(d.sign for d in found.values()))
    en = "; ".join(points(d, f"{norm} - none") for norm, d in found.items())
    zh = "；".join(points(d, f"{norm} − 无") for norm, d in found.items())
    return word, Text(f"accuracy under PGD in points: {en}", f"PGD 攻击下的准确率（百分点）：{zh}")


# ---- claims that are decided at once -----------------------------------------------------------------------------------


def sigma_is_the_variance(rows: list[Row], s: dict[str, Any]) -> Judgement:
    by_sigma, by_variance = facts.spread_of_outputs()
    return REFUTED, Text(
        f"data with standard deviation 3 leave BN with {by_sigma:.2f}; divided by their variance they had {by_variance:.2f}",
        f"标准差为 3 的数据经 BN 后标准差为 {by_sigma:.2f}；若除以方差则为 {by_variance:.2f}",
    )


def normally_distributed(rows: list[Row], s: dict[str, Any]) -> Judgement:
    before, behind = facts.skewness()
    return REFUTED, Text(
        f"the skewness of exponential data is {before:.2f} before BN and {behind:.2f} behind it (normal: 0)",
        f"指数分布数据的偏度：BN 之前 {before:.2f}，之后 {behind:.2f}（正态分布为 0）",
    )


def keeps_statistics(rows: list[Row], s: dict[str, Any]) -> Judgement:
    bn, ln, buffers = facts.change_by_others()
    return REFUTED if ln == 0 and buffers == 0 else SUPPORTED, Text(
        f"LN has {buffers} buffers; with other rows in the batch a row's output moves by {ln:g} with LN, by {bn:.2f} with BN",
        f"LN 有 {buffers} 个缓冲区；批中其他行改变时，一行的输出变化：LN {ln:g}，BN {bn:.2f}",
    )


def useful_bias(rows: list[Row], s: dict[str, Any]) -> Judgement:
    bias, weight = facts.gradient_of_a_bias()
    return REFUTED if bias < 1e-4 * weight else SUPPORTED, Text(
        f"its gradient is {bias:.0e} (rounding), the weight's {weight:.0e}: BN takes away every constant, and adds its own β",
        f"其梯度为 {bias:.0e}（舍入误差），权重的梯度为 {weight:.0e}：BN 减去一切常数，再加上自己的 β",
    )


def harmless_on_logits(rows: list[Row], s: dict[str, Any]) -> Judgement:
    loss, bound = facts.least_loss_with_bn_on_the_logits()
    return REFUTED if loss > 0.9 * bound else SUPPORTED, Text(
        f"without γ, free logits of 10 balanced classes reach a loss of {loss:.4f}; bound: log(1 + 9 e^(-10/3)) = {bound:.4f}",
        f"没有 γ 时，10 个均衡类别的自由 logits 的损失只能降到 {loss:.4f}；下界为 log(1 + 9 e^(-10/3)) = {bound:.4f}",
    )


CLAIMS = [
    Claim(Text("LN costs more than BN.", "LN 比 BN 开销更大。"), "E9", costs_more),
    Claim(Text("LN is worse under SGD.", "LN 在 SGD 下更差。"), "E10", worse_under_sgd),
    Claim(Text("BN needs Adam.", "BN 需要 Adam。"), "E10", needs_adam),
    Claim(Text("LN is more sensitive to shifts in the data.", "LN 对数据偏移更敏感。"), "E6", sensitive_to_shifts),
    Claim(Text("BN is the standard in recurrent nets.", "BN 是循环网络的标准做法。"), "E12", standard_in_recurrent_nets),
    Claim(Text("BN works by reducing internal covariate shift.", "BN 通过减少内部协变量偏移起作用。"), "E2", by_less_shift),
    Claim(Text("Normalisation makes networks fragile to adversarial examples.", "归一化使网络更怕对抗样本。"), "E11", fragile),
    Claim(Text('σ "is the variance".', "σ “就是方差”。"), "", sigma_is_the_variance),
    Claim(Text("Normalised means normally distributed.", "归一化后就服从正态分布。"), "", normally_distributed),
    Claim(Text("LN keeps statistics of the data.", "LN 保存数据的统计量。"), "", keeps_statistics),
    Claim(Text("A bias before BN is useful.", "BN 之前的偏置有用。"), "", useful_bias),
    Claim(Text("BN on the logits is harmless.", "在 logits 上使用 BN 无害。"), "", harmless_on_logits),
]


def judged(found: Found, settings: Settings) -> list[tuple[Claim, Judgement]]:
    """Each claim that can be decided, and what decides it."""
    return [(c, c.judge(found.get(c.key, []), settings.get(c.key, {}))) for c in CLAIMS if not c.key or c.key in found]


# ---- which layer when --------------------------------------------------------------------------------------------------


class Advice(NamedTuple):
    """A line of the decision table: a situation, what to take there, and the experiments that show it."""

    when: Text
    take: Text
    keys: tuple[str, ...]


ADVICE = [
    Advice(
        Text("rows of features, batches of 32 and more, test data like training data", "特征向量，批 ≥ 32，测试与训练同分布"),
        Text("either: both train much faster than none", "两者皆可：都比不归一化训练得快"),
        ("E1", "E4", "E10"),
    ),
    Advice(
        Text("batches of 8 and fewer", "批大小为 8 或更小"),
        Text("LN for rows of features; for images BN may hold", "特征向量用 LN；图像上 BN 可能仍然可用"),
        ("E3", "E13"),
    ),
    Advice(
        Text("images, convolutions, large batches", "图像，卷积，大批量"),
        Text("BN, or GN", "BN，或 GN"),
        ("E13",),
    ),
    Advice(
        Text("sequences of other lengths than in training", "长度与训练时不同的序列"),
        Text("LN: BN's statistics per step do not fit there", "LN：BN 的按步统计量不再适用"),
        ("E12",),
    ),
    Advice(
        Text("test data with another offset or scale", "测试数据的偏移或尺度不同"),
        Text(
            "BN with statistics re-estimated on unlabelled test data; for the scale alone also LN behind Linear without bias",
            "BN，并在无标签测试数据上重新估计统计量；仅尺度变化时也可用 LN 加无偏置 Linear",
        ),
        ("E6",),
    ),
    Advice(
        Text("answers for one sample at a time, or for test batches of one class", "逐个样本推断，或测试批只含一类"),
        Text("LN, or BN in eval mode; never BN with the batch's own statistics", "LN，或 eval 模式的 BN；不要用批自身的统计量"),
        ("E5",),
    ),
    Advice(
        Text("fine-tuning with few examples", "用少量样本微调"),
        Text("BN with its statistics frozen, if there are very few", "样本极少时：BN，并冻结其统计量"),
        ("E15", "E14"),
    ),
    Advice(
        Text("adversarial examples matter", "需要抵御对抗样本"),
        Text("adversarial training, with either: it changes more than the layer", "对抗训练，两者皆可：影响大于归一化层的选择"),
        ("E11",),
    ),
    Advice(
        Text("speed on the CPU (of a GPU: --device cuda)", "CPU 上的速度（GPU：--device cuda）"),
        Text("about the same in training; it depends on batch and width", "训练时大致相同；取决于批大小与宽度"),
        ("E9",),
    ),
]


def answer(found: Found, settings: Settings, answers: dict[str, Text], say: Callable[[Text], str]) -> str:
    """The decision table and the list of claims, as HTML."""

    def link(key: str) -> str:
        return f'<a href="#{key}" title="{html.escape(say(answers[key]))}">{key}</a>' if key in answers else key

    table = "".join(
        f"<tr><td>{html.escape(say(a.when))}</td><td>{html.escape(say(a.take))}</td><td>{' '.join(map(link, a.keys))}</td></tr>"
        for a in ADVICE
    )
    lines = "".join(
        f"<tr><td>{html.escape(say(c.says))}</td><td><b>{html.escape(say(word))}</b></td><td>{unbroken(html.escape(say(figure)))}</td>"
        f"<td>{link(c.key) if c.key else html.escape(say(AT_ONCE))}</td></tr>"
        for c, (word, figure) in judged(found, settings)
    )
    heads = [say(t) for t in (WHEN, TAKE, SHOWN, CLAIM, VERDICT, FIGURE, SHOWN)]
    head = ["".join(f"<th>{html.escape(h)}</th>" for h in part) for part in (heads[:3], heads[3:])]
    return (
        f"<h2>{html.escape(say(TABLE))}</h2><table><tr>{head[0]}</tr>{table}</table>"
        f"<h2>{html.escape(say(LIST))}</h2><table><tr>{head[1]}</tr>{lines}</table>"
    )


TABLE, LIST = Text("Which layer, when", "何时用哪一种"), Text("What people say", "常见的说法")
WHEN, TAKE, SHOWN = Text("when", "情形"), Text("take", "选择"), Text("shown by", "依据")
CLAIM, VERDICT, FIGURE = Text("claim", "说法"), Text("verdict", "结论"), Text("the figure that decides", "起决定作用的数字")
AT_ONCE = Text("measured at once", "即时测量")
