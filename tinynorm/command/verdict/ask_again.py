"""One more question before a wrong gradient is reported: is it right up to 1/m, with simpler inputs, for the usual forward?"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import permutations, product
from time import perf_counter
from typing import Any

import numpy as np

from ...gradcheck.diagnosis.activation import sigmoid
from ...gradcheck.diagnosis.naming import exactly
from ...gradcheck.diagnosis.patterns import Comparison
from ...gradcheck.diagnosis.softmax import softmax
from ...gradcheck.problem.problem import fresh
from ...gradcheck.report.report import InputReport, Report
from ..functions.call_pair import Call
from ..functions.composed import Composed, common_losses
from ..functions.kinds import CELL, PARAMETERS, kind_of
from ..read.read_code import text_of
from ..run_code import attempt
from .other_inputs import alone, letters_of, resized, with_setting
from .usual_forward import how_it_differs, usual_outputs

# All questions about one pair take no longer, in seconds. Each is a check of its own, and a slow forward is asked few.
PATIENCE = 5.0
# The relative error of a gradient that leaves out 1e-5 beside a probability of a tenth. No mistake is so small.
TINY = 1e-4
# The relative error of one that leaves out 1e-7 beside a sum that is 0.1 or more, as of e / (e.sum() + 1e-7). A derivative that
# is 0 may be off by a tenth of that of the largest one.
TINIER = 1e-6
# Smaller inputs are so many times the usual ones. A softmax of them has no probability far below a tenth; and what is
# forgotten of second order, as 1 - h**2, is still a tenth of the gradient.
SMALLER = 1 / 3
A_SIZE = re.compile(r" \([^()]*?(\d+) is (?:the|a) [^()]*\)")  # " (9 is the size of axis 1)"
NEARLY = "right up to a tiny number"
UP_TO = "right up to 1/m"  # what is said of a layer by that convention
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


def ask_again(call: Call, report: Report, ask: Ask, mean: bool = False) -> Answer | None:
    """Return what one more question shows about a wrong gradient; None where none shows anything.

    `mean`: whether its gradients are 1/m times those of a sum, as was found with other inputs.
    """
    question = Question(call, report, ask, mean)
    question.take_back_sizes()
    questions = [question.up_to_a_tiny_number, question.up_to_samples, question.of_usual_forward, question.of_bias_once]
    questions += [question.of_scores, question.of_a_common_loss, question.with_the_old_weight]
    if not question.clear.issuperset(question.wrong):
        questions += [question.with_equal_sizes, question.with_simple_settings, question.by_layers]
        questions += [] if question.clear else [question.with_one]
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
    mean: bool = False
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

    def _may_be_right(
        self, call: Call, within: float = 1e-3, least: float = 0.0, names: Sequence[str] = (), **altered: Any
    ) -> bool:
        """Whether the gradients that are wrong are right to 1e-3 along one direction, and not all 0. It saves most checks."""
        forward, backward = altered.get("forward", call.forward), altered.get("backward", call.backward)
        try:
            terms, slope = self._along(call, forward, backward, names or self.wrong)
        except Exception:
            return False
        return bool(np.any(terms) and abs(np.sum(terms) - slope) < within * max(float(np.linalg.norm(terms)), least))

    @staticmethod
    def _along(call: Call, forward: Callable, backward: Callable, names: Sequence[str]) -> tuple[np.ndarray, float]:
        """(the terms of the claimed derivative along a direction, the measured one)."""
        rng = np.random.default_rng(0)
        with np.errstate(all="ignore"):
            out, cache = forward(*[fresh(x) for x in call.inputs])
            several = isinstance(out, tuple | list)
            u = [rng.standard_normal(np.shape(y))[()] for y in (out if several else [out])]
            grads = call.by_number(backward(tuple(u) if several else u[0], cache))
            wrong = {i: grads[i] for i in call.floats if call.names[i] in names or not names}
            along = {i: rng.standard_normal(np.shape(call.inputs[i])) for i, g in wrong.items() if g is not None}
            terms = np.concatenate([np.ravel(wrong[i] * v) for i, v in along.items()])

            def moved(h: float) -> float:
                inputs = [x + h * along[i] if i in along else fresh(x) for i, x in enumerate(call.inputs)]
                found = forward(*inputs)[0]
                return sum(float(np.sum(c * y)) for c, y in zip(u, found if several else [found], strict=True))

            slope = (moved(1e-5) - moved(-1e-5)) / 2e-5
        return terms, slope

    def take_back_sizes(self) -> None:
        """Where a factor is said to be a size, and stays the same when the size is another, say the number alone."""
        for k, finding in enumerate(self.report.findings):
            said, factor = A_SIZE.search(finding.sentence), float(finding.details.get("factor") or 0.0)
            other = resized(self.call, int(said[1]), int(said[1]) + 1) if said and factor else None
            if other is None:
                continue

            def divided(dout: Any, cache: Any, by: float = factor, name: str = finding.input) -> list:
                grads = self.call.by_number(self.call.backward(dout, cache))
                return [g / by if self.call.names[i] == name else None for i, g in grads.items()]

            if self._may_be_right(other, backward=divided):
                self.report.findings[k] = replace(finding, sentence=A_SIZE.sub("", finding.sentence), formula=exactly(factor))

    # ---- up to 1/m -------------------------------------------------------------------------------------------------------

    def up_to_a_tiny_number(self) -> Answer | None:
        """Forward adds a tiny number that backward leaves out: 1e-9 to a sum, or, before its logarithm, 1e-7 to a loss's p."""
        if self.report.faults or not self.report.evidence:
            return None
        if not self._is_off_by_little():
            return self._beside_a_logarithm() if self.call.shape == () and self._takes_logarithms() else None
        for found in self.report.inputs:
            found.ok, found.wrong = True, 0
        where = "forward adds one that backward leaves out, as in e / (e.sum() + 1e-9)"
        self.report.notes.append(f"the gradient is right up to a tiny number: {where}")
        return Answer("", NEARLY, replace(self.report, ok=True, findings=[]))

    def _beside_a_logarithm(self) -> Answer | None:
        """Ask with smaller inputs, of which no probability is so small that a tiny number beside it counts."""
        scaled = [i in self.call.floats and kind != "target" for i, kind in enumerate(self.call.kinds)]
        small = self.call.with_inputs([SMALLER * x if s else x for x, s in zip(self.call.inputs, scaled, strict=True)])
        report, error = attempt(self.ask, small, rtol=TINY)
        wrong = [found.name for found in report.inputs if found.ok is False] if error is None else self.wrong
        near = [name for name in self.wrong if name not in wrong]
        if not near or not all(self._is_off_by(name, 0.1, 0.0) for name in near):
            return None
        where = "the loss adds one in its logarithm (or clips there), as log(p + 1e-7), and the gradient is that of log(p)"
        if not wrong:
            report.notes.append(f"the gradient is right up to a tiny number: {where}")
            return Answer("", NEARLY, report)
        report.notes.append(f"{', '.join(f'd{name}' for name in near)}: right up to a tiny number: {where}")
        answer = ask_again(small, report, partial(self.ask, rtol=TINY))
        report.answers += [answer.sentence] if answer and answer.sentence else []
        return Answer("", answer.nuance if answer else "", answer.report if answer and not answer.sentence else report)

    def _is_off_by_little(self) -> bool:
        """Whether no gradient is off by more than TINIER, in any element measured, and along one direction through all."""
        if not self._largest or None in [found.ok for found in self.report.inputs]:
            return False
        little = all(self._is_off_by(name, 0.1 * TINIER, TINIER) for name in self.wrong)
        return little and self._may_be_right(self.call, within=TINIER, least=self._largest)

    @property
    def _largest(self) -> float:
        """The largest derivative that was measured."""
        numeric = self.report.evidence.numeric if self.report.evidence else []
        return max((float(np.max(np.abs(s.value))) for s in numeric if s is not None and s.value.size), default=0.0)

    def _is_off_by(self, name: str, of_largest: float, of_own: float) -> bool:
        """Whether no element of a gradient is off by more than a part of the largest derivative and a part of its own."""
        i, e = self.call.names.index(name), self.report.evidence
        G, s = (e.analytic[i], e.numeric[i]) if e else (None, None)
        if G is None or s is None:
            return False
        off = np.abs(G.ravel()[s.index] - s.value)
        return bool(np.all(off <= of_own * np.abs(s.value) + of_largest * self._largest))

    def _takes_logarithms(self) -> bool:
        """Whether "log" is in the code of the loss, or of what it calls; True where there is no code to read."""
        try:
            return "log" in text_of(getattr(self.call.pair.forward, "cls", self.call.pair.forward)).lower()
        except (OSError, TypeError, SyntaxError):  # the last: of Python 2
            return True

    def up_to_samples(self) -> Answer | None:
        """By a convention of courses, the gradients of all parameters have the mean's 1/m, and that of the input has not."""
        call, m = self.call, self._common_factor()
        kinds = dict(zip(call.names, call.kinds, strict=True))
        others = [found.name for found in self.report.inputs if found.ok and not self._stands(found.name)]
        learned = {*getattr(call.pair.forward, "parameters", ()), *(n for n, kind in kinds.items() if kind in PARAMETERS)}
        names, shapes = self.wrong, [np.shape(x) for x in call.inputs] + [call.shape if isinstance(call.shape, tuple) else ()]
        if getattr(call.pair.forward, "of_file", False):  # the file has the loss, and that says whether there is a 1/m
            return None
        few = len(names) < 2 and not (self.mean and names)
        if self.report.faults or call.pair.loss or few or not others or learned & {*others}:
            return None
        if not m or "affine" in map(kinds.get, names) or m not in {n for shape in shapes for n in (shape[:1] + shape[-1:])}:
            return None

        def scaled(dout: Any, cache: Any) -> tuple:
            grads = call.by_number(call.backward(dout, cache))
            return tuple(m * g if call.names[i] in names else g for i, g in grads.items())

        right = self.right(call, backward=scaled)
        if right is None:
            return None
        features = [
            name for name, shape in zip(call.names, shapes, strict=False) if name in names and len(shape) == 2 and m in shape
        ]
        if any("weight" in kinds[name] for name in features):
            return Answer(
                f"it is right but for the factor 1/m, and m = {m} is a number of features: the samples are on the other axis"
            )
        gradients = " and ".join(filter(None, [", ".join(f"d{n}" for n in names[:-1]), f"d{names[-1]}"]))
        right.notes.append(
            f"{gradients} are 1/m times the gradient (m = {m} samples): the convention of courses whose loss is a mean and "
            f"whose first gradient has no 1/m. The table shows {m} times what backward returns"
        )
        return Answer("", UP_TO, right)

    def _stands(self, name: str) -> bool:
        """Whether the output does not depend on an input: as that of attention on the bias of its keys."""
        s = self.report.evidence.numeric[self.call.names.index(name)] if self.report.evidence else None
        return s is not None and bool(np.all(np.abs(s.value) <= TINIER * self._largest))

    def _common_factor(self) -> int:
        """Return the whole number that all wrong gradients have to be multiplied with to be right; 0 if there is none."""
        wrong = [i for i in self.report.evidence.wrong if not self._stands(self.call.names[i])] if self.report.evidence else []
        found = {self._whole_factor(i) for i in wrong}
        return found.pop() if len(found) == 1 else 0

    def _whole_factor(self, i: int) -> int:
        c = Comparison.of(self.report.evidence, i) if self.report.evidence else None
        k = c.ratio() if c else None
        return round(1 / k) if k and abs(round(1 / k) * k - 1) < 1e-6 else 0

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

    def of_scores(self) -> Answer | None:
        """The gradient p - y of a cross-entropy is that by the scores z, of which p is the softmax or the sigmoid."""
        call = self.call
        if call.shape != () or call.kinds.count("x") != 1 or self.report.faults:
            return None
        x, shape = call.kinds.index("x"), np.shape(call.inputs[call.kinds.index("x")])
        of_class = [np.eye(shape[-1])[a.argmax(-1)] if np.ndim(a) == 2 and np.shape(a) == shape else a for a in call.inputs]
        one_hot = [a if k == x else of_class[k] for k, a in enumerate(call.inputs)]
        squashed = (("softmax", lambda z: softmax(z, z.ndim - 1)), ("sigmoid", sigmoid))
        for (name, of), m in product(squashed, dict.fromkeys((1, *shape, int(np.prod(shape))))):

            def forward(*inputs: Any, of: Callable = of, m: int = m) -> tuple:
                out, cache = call.forward(*[of(a) if k == x else fresh(a) for k, a in enumerate(inputs)])
                return m * out, cache

            if self.right(call.with_inputs(one_hot), forward=forward) is not None:
                p = call.names[x]
                says = f"it is the gradient by the scores of which {p} is the {name}: right for both together, wrong for {p}"
                says += f", but for the factor 1/{m} of the mean, which is left to what follows" if m > 1 else ""
                return Answer(says, f"right for {name} and loss together" + (f", up to 1/{m}" if m > 1 else ""))
        return None

    def of_a_common_loss(self) -> Answer | None:
        """Say whether backward is right for a common loss, where the file's own is another one."""
        call, behind = copy(self.call), self.call.pair.forward
        if not isinstance(behind, Composed) or not behind.of_file:
            return None
        for name, loss in common_losses():
            usual = replace(behind, losses={name: loss}, loss=name)
            call.pair = replace(call.pair, forward=usual, backward=usual.backward)
            if self.right(call) is not None:
                own, right = next(iter(behind.losses)), f"{call.pair.backward_name} is right for {name}"
                return Answer(f"{right}; it is {own} that differs", "the loss differs")
        return None

    def with_the_old_weight(self) -> Answer | None:
        """The gradient of x is right where backward updates the weight by next to nothing: it is computed after the update."""
        layer: Any = self.call.pair.forward
        updated = sorted(getattr(layer, "updated", ()))
        others = [name for name in self.wrong if name not in updated]  # beside those that are wrong in another way
        if not updated or not others:
            return None
        slow = replace(layer, learning_rate=1 / layer.learning_rate)
        if not self._may_be_right(self.call, names=others, backward=slow.backward):
            return None
        gradients, are = " and ".join(f"d{name}" for name in others), "is" if len(others) == 1 else "are"
        says = f"{gradients} {are} right with {' and '.join(updated)} as before the update: compute it first, then update"
        return Answer(says)

    def of_bias_once(self) -> Answer | None:
        """The gradient of a bias is dout, summed as the bias is broadcast, and forward adds the bias several times."""
        e, kinds = self.report.evidence, self.call.kinds
        if e is None:
            return None
        for i in [i for i in e.wrong if kinds[i].endswith("bias")]:
            G, dout, k = e.analytic[i], e.cotangent, self._whole_factor(i)
            kept = [axis for axis, n in enumerate(dout.shape) if G is not None and n == G.size]
            sums = [dout.sum(tuple(a for a in range(dout.ndim) if a != axis)) for axis in kept]
            if G is None or k < 2 or not any(np.allclose(G.ravel(), s, rtol=1e-9) for s in sums):
                continue
            b, forward = e.names[i], self.call.pair.forward_name
            sentence = f"d{b} is right for a {b} that is added once; it is {forward} that differs: it adds {b} {k} times"
            self.report.findings = [finding for finding in self.report.findings if finding.input != b]
            if len(e.wrong) == 1:
                return Answer(sentence, "forward differs")
            self.report.answers.append(sentence)
        return None

    # ---- simpler inputs ----------------------------------------------------------------------------------------------------

    def with_equal_sizes(self) -> Answer | None:
        """Say whether it is right where two sizes are equal; those that are mixed up most easily first."""
        letters, likely = letters_of(self.call), ("HW", "DM", "CF", "ND", "NM")
        ranks = {frozenset(pair): k for k, pair in enumerate(likely)}
        # not where a kernel, as wide as there are channels, would change with them
        sizes = [n for n in letters if not any(np.shape(w).count(n) > 1 for w in self.call.inputs)]
        pairs = permutations(sizes, 2)
        for a, b in sorted(pairs, key=lambda pair: (ranks.get(frozenset(letters[n] for n in pair), 9), pair[0] > pair[1])):
            other = resized(self.call, a, b)
            report = self.right(other) if other else None
            again = (
                [resized(self.call, a, b, seed) for seed in range(1, 9)] if report else []
            )  # what is rarely wrong is so in one
            reverse = resized(self.call, b, a) if report else None  # in the smaller size there may be one window only
            again += [reverse] if reverse else []
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
        lists = [i for i, kind in enumerate(self.call.kinds) if kind == "indices"]
        inputs = [x[:1] if i in lists else x for i, x in enumerate(self.call.inputs)]
        if not lists or not self.right(self.call.with_inputs(inputs)):
            return None
        names, length = " and ".join(self.call.names[i] for i in lists), len(self.call.inputs[lists[0]])
        says = f"it is right where {names} have one element, and wrong for {length}"
        return Answer(f"{says}: look at what goes back from step to step, and at the sums over the steps")

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
