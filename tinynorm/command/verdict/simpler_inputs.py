"""Ask whether a wrong gradient is right with simpler inputs: two sizes equal, no stride, one sample, the last layers alone."""

from __future__ import annotations

import re
from itertools import permutations
from typing import Any

import numpy as np

from ...gradcheck.report.report import InputReport
from ..functions.kinds import CELL, PARAMETERS, kind_of
from .other_inputs import alone, letters_of, resized, with_setting
from .question import Answer, Question

NUMBERED = re.compile(r"(\w*?)_?\[?(\d+)\]?")  # W2, biases[1]: the name, and the number of the layer
# Settings with which a layer is simpler: (the value, what backward gets wrong if it is right with this value only).
SIMPLE: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(("stride",), (1, "the stride is forgotten, or it moves the wrong index")),
    "dilation": (1, "the dilation is forgotten"),
    **dict.fromkeys(("pad", "padding"), (0, "the padding is not taken off, or at the wrong edges")),
    **dict.fromkeys(("G", "num_groups", "groups", "n_groups"), (1, "the groups are mixed up")),
    **dict.fromkeys(
        ("reg", "lambd", "lambda_", "lam", "lamda", "lmbda", "l2", "l2_reg", "reg_strength", "weight_decay"),
        (0.0, "the gradient of the regularisation is wrong"),
    ),
    "temperature": (1.0, "the temperature is forgotten"),
    "keep_prob": (1.0, "the scale 1 / keep_prob is wrong"),
}


def with_equal_sizes(q: Question) -> Answer | None:
    """Say whether it is right where two sizes are equal; those that are mixed up most easily first."""
    letters, likely = letters_of(q.call), ("HW", "DM", "CF", "ND", "NM")
    ranks = {frozenset(pair): k for k, pair in enumerate(likely)}
    # not where a kernel, as wide as there are channels, would change with them
    sizes = [n for n in letters if not any(np.shape(w).count(n) > 1 for w in q.call.inputs)]
    pairs = permutations(sizes, 2)
    for a, b in sorted(pairs, key=lambda pair: (ranks.get(frozenset(letters[n] for n in pair), 9), pair[0] > pair[1])):
        other = resized(q.call, a, b)
        report = q.right(other) if other else None
        again = [resized(q.call, a, b, seed) for seed in range(1, 9)] if report else []  # what is rarely wrong is so in one
        reverse = resized(q.call, b, a) if report else None  # in the smaller size there may be one window only
        again += [reverse] if reverse else []
        if report is not None and all(more and q.may_be_right(more) for more in again):
            one, two = sorted((letters[a], letters[b]), key="NTCHWDMF".find)
            sentence = f"it is right where {one} = {two} (with {other}), and wrong where they differ: "
            sentence += f"the axes of {one} and {two} are mixed up in backward"
            return Answer(sentence, f"right where {one} = {two} only", report, str(other))
    return None


def with_simple_settings(q: Question) -> Answer | None:
    for name, (value, why) in SIMPLE.items():
        other, given = with_setting(q.call, name, value)
        if other is not None and q.right(other) is not None:
            return Answer(f"it is right with {name} {value}, and wrong with {name} {given}: {why}")
    return None


def with_one(q: Question) -> Answer | None:
    """Say whether it is right for each sample alone, or for each step of a recurrent layer."""
    words = {"N": ("sample", "a sum over them, or their mean")}
    if CELL & set(q.call.kinds):
        words["T"] = ("step", "what goes back from step to step")
    for size, letter in letters_of(q.call).items():
        if letter in words and all(q.right(one) for one in alone(q.call, size)):
            word, where = words[letter]
            return Answer(f"it is right for one {word} ({letter} = 1), and wrong for {size}: look at {where}")
    lists = [i for i, kind in enumerate(q.call.kinds) if kind == "indices"]
    inputs = [x[:1] if i in lists else x for i, x in enumerate(q.call.inputs)]
    if not lists or not q.right(q.call.with_inputs(inputs)):
        return None
    names, length = " and ".join(q.call.names[i] for i in lists), len(q.call.inputs[lists[0]])
    says = f"it is right where {names} have one element, and wrong for {length}"
    return Answer(f"{says}: look at what goes back from step to step, and at the sums over the steps")


def by_layers(q: Question) -> Answer | None:
    """Say where the mistake lies in a network: before the first layer with a weight and a bias that are both wrong."""
    layers: dict[int, list[InputReport]] = {}
    for gradient in q.report.inputs:
        found = NUMBERED.fullmatch(gradient.name)
        if found and kind_of(found[1]) in PARAMETERS:
            layers.setdefault(int(found[2]), []).append(gradient)
    wrong = [number for number, all_ in layers.items() if len(all_) > 1 and all(g.ok is False for g in all_)]
    right = [number for number, all_ in layers.items() if all(g.ok for g in all_)]
    if not wrong or not right or len(wrong) + len(right) < len(layers) or max(wrong) > min(right):
        return None
    those, others = (", ".join(f"d{g.name}" for g in layers[n]) for n in (max(wrong), min(right)))
    says = f"{others} {'are' if ', ' in others else 'is'} right, and {those} are wrong: what is handed back to that layer "
    return Answer(f"{says}is wrong; look at the derivative of its activation")
