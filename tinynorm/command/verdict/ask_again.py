"""One more question before a wrong gradient is reported: is it right up to 1/m, with simpler inputs, for the usual forward?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import permutations
from time import perf_counter
from typing import Any

import numpy as np

from ...gradcheck.diagnosis.naming import exactly
from ...gradcheck.diagnosis.patterns import Comparison
from ...gradcheck.problem.problem import fresh
from ...gradcheck.report.report import InputReport, Report
from ..functions.call_pair import Call
from ..functions.draw_inputs import CELL, PARAMETERS, kind_of
from .other_inputs import alone, letters_of, resized, with_setting
from .usual_forward import how_it_differs, usual_outputs

# All questions about one pair take no longer, in seconds. Each is a check of its own, and a slow forward is asked few.
PATIENCE = 5.0
# The relative error of a gradient that leaves out 1e-7 beside a probability of 1e-4. No mistake is so small.
TINY = 1e-3
A_SIZE = re.compile(r" \([^()]*?(\d+) is (?:the|a) [^()]*\)")  # " (9 is the size of axis 1)"
NUMBERED = re.compile(r"(\w*?)_?\[?(\d+)\]?")  # W2, biases[1]: the name, and the number of the layer
# Findings that say where a gradient is wrong, and not why. Then more is asked, as where nothing was found.
VAGUE = ("some_elements", "missing_accumulation", "zero_in_part", "factor_in_part", "shifted_sign", "not_finite")
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

Ask = Callable[..., Report]  # of a call, perhaps with another forward, backward or dout: the report; it may raise UserError


@dataclass
class Answer:
    """What a question has shown."""

    sentence: str
    nuance: str = ""
    report: Report | None = None  # in place of the first one
    inputs: str = ""  # of that report


def ask_again(call: Call, report: Report, ask: Ask) -> Answer | None:
    """Return what one more question shows about a wrong gradient; None where none shows anything."""
    question = Question(call, report, ask)
    question.take_back_sizes()
    questions = [question.up_to_a_tiny_number, question.up_to_samples, question.of_usual_forward, question.of_bias_once]
    if not question.clear.issuperset(question.wrong):
        questions += [question.with_equal_sizes, question.with_simple_settings, question.with_one, question.by_layers]
    return next(filter(None, (answer() for answer in questions)), None)


def right_where_equal(call: Call, ask: Ask) -> Answer | None:
    """Say whether backward, which raises or is wrong, is right where two sizes are equal."""
    return Question(call, Report(None), ask).with_equal_sizes()


def right_with(call: Call, ask: Ask) -> Report | None:
    """Return the report of this call if that is right; a wrong one takes little time."""
    return Question(call, Report(None), ask).right(call)


@dataclass
class Question:
    """A call whose backward is wrong, and how to check it again."""

    call: Call
    report: Report
    ask: Ask
    until: float = field(default_factory=lambda: perf_counter() + PATIENCE)

    @property
    def wrong(self) -> list[str]:
        return [found.name for found in self.report.inputs if found.ok is False]

    @property
    def clear(self) -> set[str]:
        """The inputs of which a finding says what is wrong."""
        return {finding.input for finding in self.report.findings if finding.kind not in VAGUE}

    def right(self, call: Call, **altered: Any) -> Report | None:
        """Return the report of another check, if that is right."""
        if perf_counter() > self.until or not self._may_be_right(call, **altered):
            return None
        try:
            report = self.ask(call, **altered)
        except Exception:  # forward may refuse these inputs, and so may backward
            return None
        return report if report.ok else None

    def _may_be_right(self, call: Call, **altered: Any) -> bool:
        """Whether the gradients that are wrong are right to 1e-3 along one direction, and not all 0. It saves most checks."""
        try:
            return self._right_along(call, altered.get("forward", call.forward), altered.get("backward", call.backward))
        except Exception:
            return False

    def _right_along(self, call: Call, forward: Callable, backward: Callable) -> bool:
        rng = np.random.default_rng(0)
        with np.errstate(all="ignore"):
            out, cache = forward(*[fresh(x) for x in call.inputs])
            several = isinstance(out, tuple | list)
            u = [rng.standard_normal(np.shape(y))[()] for y in (out if several else [out])]
            grads = backward(tuple(u) if several else u[0], cache)
            if len(grads) == len(call.inputs):
                grads = [grads[i] for i in call.floats]
            wrong = {i: g for i, g in zip(call.floats, grads, strict=True) if call.names[i] in self.wrong or not self.wrong}
            along = {i: rng.standard_normal(np.shape(call.inputs[i])) for i, g in wrong.items() if g is not None}
            terms = np.concatenate([np.ravel(wrong[i] * v) for i, v in along.items()])

            def moved(h: float) -> float:
                inputs = [x + h * along[i] if i in along else fresh(x) for i, x in enumerate(call.inputs)]
                found = forward(*inputs)[0]
                return sum(float(np.sum(c * y)) for c, y in zip(u, found if several else [found], strict=True))

            slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
        return bool(np.any(terms) and abs(np.sum(terms) - slope) < 1e-3 * np.linalg.norm(terms))

    def take_back_sizes(self) -> None:
        """Where a factor is said to be a size, and stays the same when the size is another, say the number alone."""
        for k, finding in enumerate(self.report.findings):
            said, factor = A_SIZE.search(finding.sentence), float(finding.details.get("factor") or 0.0)
            other = resized(self.call, int(said[1]), int(said[1]) + 1) if said and factor else None
            if other is None:
                continue

            def divided(dout: Any, cache: Any, by: float = factor, name: str = finding.input) -> list:
                grads = self.call.backward(dout, cache)
                owners = self.call.names if len(grads) == len(self.call.names) else self._floats
                return [g / by if owner == name else None for owner, g in zip(owners, grads, strict=True)]

            if self._may_be_right(other, backward=divided):
                self.report.findings[k] = replace(finding, sentence=A_SIZE.sub("", finding.sentence), formula=exactly(factor))

    @property
    def _floats(self) -> list[str]:
        return [self.call.names[i] for i in self.call.floats]

    # ---- up to 1/m -------------------------------------------------------------------------------------------------------

    def up_to_a_tiny_number(self) -> Answer | None:
        """A loss adds 1e-7 inside its logarithm, as log(p + 1e-7), or clips p, and its gradient is that of log(p)."""
        right = None if self.report.faults or self.call.shape != () else self.right(self.call, rtol=TINY)
        if right is None:
            return None
        right.notes.append(
            "the gradient is right up to a tiny number: the loss adds one inside its logarithm (or clips there), as "
            "log(p + 1e-7), and the gradient is that of log(p)"
        )
        return Answer("", "right up to a tiny number", right)

    def up_to_samples(self) -> Answer | None:
        """By a convention of courses, the gradients of all parameters have the mean's 1/m, and that of the input has not."""
        call, kinds = self.call, set(PARAMETERS) - {"affine"}
        names = [name for name in call.names if kind_of(name, call.pair.name) in kinds]
        if self.report.faults or call.pair.loss or len(names) < 2 or sorted(self.wrong) != sorted(names):
            return None
        m = self._common_factor()
        shapes = [np.shape(x) for x in call.inputs] + [call.shape if isinstance(call.shape, tuple) else ()]
        if not m or m not in {n for shape in shapes for n in (shape[:1] + shape[-1:])}:
            return None

        def scaled(dout: Any, cache: Any) -> tuple:
            grads = call.backward(dout, cache)
            owners = call.names if len(grads) == len(call.names) else self._floats
            return tuple(m * g if name in names else g for name, g in zip(owners, grads, strict=True))

        right = self.right(call, backward=scaled)
        if right is None:
            return None
        gradients = " and ".join(filter(None, [", ".join(f"d{n}" for n in names[:-1]), f"d{names[-1]}"]))
        right.notes.append(
            f"{gradients} are 1/m times the gradient (m = {m} samples): the convention of courses whose loss is a mean and "
            f"whose first gradient has no 1/m. The table shows {m} times what backward returns"
        )
        return Answer("", "right up to 1/m", right)

    def _common_factor(self) -> int:
        """Return the whole number that all wrong gradients have to be multiplied with to be right; 0 if there is none."""
        evidence, found = self.report.evidence, set()
        for c in [Comparison.of(evidence, i) for i in evidence.wrong] if evidence else []:
            k = c.ratio() if c else None
            found.add(round(1 / k) if k and abs(round(1 / k) * k - 1) < 1e-6 else 0)
        return found.pop() if len(found) == 1 else 0

    # ---- the usual forward -----------------------------------------------------------------------------------------------

    def of_usual_forward(self) -> Answer | None:
        """Say whether backward is right for the usual forward of a layer called so."""
        call = self.call
        for layer, usual in usual_outputs(call):

            def forward(*inputs: Any, usual: Callable = usual) -> tuple:
                return usual(*inputs), [fresh(x) for x in inputs]

            def backward(dout: Any, cache: Any) -> tuple:
                return call.backward(dout, call.forward(*map(fresh, cache))[1])

            if self.right(call, forward=forward, backward=backward) is not None:
                out = call.forward(*[fresh(x) for x in call.inputs])[0]
                says = how_it_differs(call, np.asarray(out), np.asarray(usual(*call.inputs)))
                name = call.pair.backward_name if call.pair.backward_name != call.pair.forward_name else "the gradient"
                sentence = f"{name} is right for the usual {layer}; it is {call.pair.forward_name} that differs: {says}"
                return Answer(sentence, "forward differs")
        return None

    def of_bias_once(self) -> Answer | None:
        """The gradient of a bias is dout, summed as the bias is broadcast, and forward adds the bias several times."""
        evidence = self.report.evidence
        biases = [name for name in self.wrong if kind_of(name, self.call.pair.name).endswith("bias")]
        k = self._common_factor()
        if evidence is None or len(self.wrong) != 1 or not biases or k < 2:
            return None
        G, dout = evidence.analytic[evidence.wrong[0]], evidence.cotangent
        kept = [axis for axis, n in enumerate(dout.shape) if G is not None and n == G.size]
        sums = [dout.sum(tuple(a for a in range(dout.ndim) if a != axis)) for axis in kept]
        if G is None or not any(np.allclose(G.ravel(), s, rtol=1e-9) for s in sums):
            return None
        b, forward = biases[0], self.call.pair.forward_name
        sentence = f"d{b} is right for a {b} that is added once; it is {forward} that differs: it adds {b} {k} times"
        return Answer(sentence, "forward differs")

    # ---- simpler inputs ----------------------------------------------------------------------------------------------------

    def with_equal_sizes(self) -> Answer | None:
        """Say whether it is right where two sizes are equal; those that are mixed up most easily first."""
        letters, likely = letters_of(self.call), ("HW", "DM", "CF", "ND", "NM")
        ranks = {frozenset(pair): k for k, pair in enumerate(likely)}
        weights = [np.shape(w) for w, kind in zip(self.call.inputs, self.call.kinds, strict=True) if "weight" in kind]
        # not where a kernel, as wide as there are channels, would change with them
        pairs = [(a, b) for a, b in permutations(letters, 2) if not any(shape.count(a) > 1 for shape in weights)]
        for a, b in sorted(pairs, key=lambda pair: (ranks.get(frozenset(letters[n] for n in pair), 9), pair[0] > pair[1])):
            other = resized(self.call, a, b)
            report = self.right(other) if other else None
            again = (resized(self.call, a, b, seed) for seed in range(1, 9))  # what is rarely wrong is so in one of these
            if report is not None and all(more and self._may_be_right(more) for more in again):
                one, two = sorted((letters[a], letters[b]), key="NTCHWDMF".find)
                sentence = f"it is right where {one} = {two} (with {other}), and wrong where they differ: "
                sentence += f"the axes of {one} and {two} are mixed up in backward"
                return Answer(sentence, f"right where {one} = {two} only", report, str(other))
        return None

    def with_simple_settings(self) -> Answer | None:
        for name, (value, why) in SIMPLE.items():
            other, given = with_setting(self.call, name, value)
            if other is not None and self.right(other) is not None:
                return Answer(f"it is right with {name} {value}, and wrong with {name} {given}: {why}")
        return None

    def with_one(self) -> Answer | None:
        """Say whether it is right for each sample alone, or for each step of a recurrent layer."""
        words = {"N": ("sample", "a sum over them, or their mean")}
        if CELL & set(self.call.kinds):
            words["T"] = ("step", "what goes back from step to step")
        for size, letter in letters_of(self.call).items():
            if letter in words and all(self.right(one) for one in alone(self.call, size)):
                word, where = words[letter]
                return Answer(f"it is right for one {word} ({letter} = 1), and wrong for {size}: look at {where}")
        return None

    def by_layers(self) -> Answer | None:
        """Say where the mistake lies in a network: before the first layer with a weight and a bias that are both wrong."""
        layers: dict[int, list[InputReport]] = {}
        for gradient in self.report.inputs:
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
