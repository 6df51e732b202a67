"""One more question before a wrong gradient is reported: is it right up to 1/m, with simpler inputs, for the usual forward?"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from itertools import permutations
from time import perf_counter
from typing import Any

import numpy as np

from ...gradcheck.diagnosis.patterns import Comparison
from ...gradcheck.problem.problem import fresh
from ...gradcheck.report.report import Report
from ..functions.call_pair import Call
from ..functions.draw_inputs import PARAMETERS, kind_of
from ..run_code import attempt
from .usual_forward import how_it_differs, usual_outputs

# All questions about one pair take no longer, in seconds. Each is a check of its own, and a slow forward is asked few.
PATIENCE = 5.0
# The relative error of a gradient that leaves out 1e-7 beside a probability of 1e-4. No mistake is so small.
TINY = 1e-3
# Findings that say where a gradient is wrong, and not why. Then more is asked, as where nothing was found.
VAGUE = ("some_elements", "missing_accumulation", "zero_in_part", "factor_in_part", "shifted_sign", "not_finite")
# Settings with which a layer is simpler: (the value, what backward gets wrong if it is right with this value only).
SIMPLE: dict[str, tuple[Any, str]] = {
    **dict.fromkeys(("stride",), (1, "the stride is forgotten, or it moves the wrong index")),
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
    for answer in (
        question.up_to_a_tiny_number,
        question.up_to_samples,
        question.of_usual_forward,
        question.with_simpler_inputs,
        question.with_one,
    ):
        found = answer()
        if found is not None:
            return found
    return None


def right_where_equal(call: Call, ask: Ask) -> Answer | None:
    """Say whether backward, which raises or is wrong, is right where two sizes are equal."""
    return Question(call, None, ask).with_equal_sizes()


def takes_squares_only(call: Call) -> bool:
    """Whether forward gives a square image of one that is not square: it reads one of the two sizes only."""
    x = next((np.shape(x) for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "x"), ())
    last = call.layout is not None and call.layout.convolved == "last"
    square = (
        isinstance(call.shape, tuple)
        and len(x) == len(call.shape) == 4
        and (call.shape[1] == call.shape[2] if last else call.shape[2] == call.shape[3])
    )
    return square and x[1 if last else 2] != x[2 if last else 3]


@dataclass
class Question:
    """A call whose backward is wrong, and how to check it again."""

    call: Call
    report: Report | None
    ask: Ask
    until: float = field(default_factory=lambda: perf_counter() + PATIENCE)

    @property
    def wrong(self) -> list[str]:
        return [found.name for found in self.report.inputs if found.ok is False] if self.report is not None else []

    @property
    def _clear(self) -> set[str]:
        """The inputs of which a finding says what is wrong."""
        found = self.report.findings if self.report is not None else []
        return {finding.input for finding in found if finding.kind not in VAGUE}

    def _right(self, call: Call, **altered: Any) -> Report | None:
        """Return the report of another check, if that is right."""
        forward, backward = altered.get("forward", call.forward), altered.get("backward", call.backward)
        try:
            if perf_counter() > self.until or not self._may_be_right(call, forward, backward):
                return None
            report = self.ask(call, **altered)
        except Exception:  # forward may refuse these inputs, and so may backward
            return None
        return report if report.ok else None

    def _may_be_right(self, call: Call, forward: Callable, backward: Callable) -> bool:
        """Whether the gradients that are wrong are right to 1e-3 along one direction, and not all 0. It saves most checks."""
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

    # ---- up to 1/m -------------------------------------------------------------------------------------------------------

    def up_to_a_tiny_number(self) -> Answer | None:
        """A loss adds 1e-7 inside its logarithm, as log(p + 1e-7), or clips p, and its gradient is that of log(p)."""
        if self.report is None or self.report.faults or self.call.shape != ():
            return None
        right = self._right(self.call, rtol=TINY)
        if right is None:
            return None
        right.notes.append(
            "the gradient is right up to a tiny number: the loss adds one inside its logarithm (or clips there), as "
            "log(p + 1e-7), and the gradient is that of log(p)"
        )
        return Answer("", "right up to a tiny number", right)

    def up_to_samples(self) -> Answer | None:
        """By a convention of courses, the gradients of all parameters have the mean's 1/m, and that of the input has not."""
        call, report = self.call, self.report
        names = [name for name in call.names if kind_of(name, call.pair.name) in PARAMETERS]
        names = [name for name in names if kind_of(name, call.pair.name) != "affine"]
        if report is None or report.faults or call.pair.loss or len(names) < 2 or sorted(self.wrong) != sorted(names):
            return None
        m = self._common_factor()
        shapes = [np.shape(x) for x in call.inputs] + [call.shape if isinstance(call.shape, tuple) else ()]
        if not m or m not in {n for shape in shapes for n in (shape[:1] + shape[-1:])}:
            return None

        def scaled(dout: Any, cache: Any) -> tuple:
            grads = call.backward(dout, cache)
            owners = call.names if len(grads) == len(call.inputs) else [call.names[i] for i in call.floats]
            return tuple(m * g if name in names else g for name, g in zip(owners, grads, strict=True))

        right = self._right(call, backward=scaled)
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
        found = set()
        for c in self._comparisons():
            k = c.ratio(np.ones(c.G.size, dtype=bool))
            found.add(round(1 / k) if k and abs(round(1 / k) * k - 1) < 1e-6 else 0)
        return found.pop() if len(found) == 1 else 0

    def _comparisons(self) -> Iterator[Comparison]:
        """Yield the wrong gradients with the measured ones."""
        evidence = self.report.evidence if self.report is not None else None
        if evidence is None:
            return
        for i in evidence.wrong:
            G, sample = evidence.analytic[i], evidence.numeric[i]
            if G is not None and sample is not None and sample.index.size:
                yield Comparison(evidence, i, G, sample)

    # ---- the usual forward -----------------------------------------------------------------------------------------------

    def of_usual_forward(self) -> Answer | None:
        """Say whether backward is right for the usual forward of a layer called so."""
        call = self.call
        for layer, usual in usual_outputs(call):

            def forward(*inputs: Any, usual: Callable = usual) -> tuple:
                return usual(*inputs), [fresh(x) for x in inputs]

            def backward(dout: Any, cache: Any) -> tuple:
                return call.backward(dout, call.forward(*map(fresh, cache))[1])

            if self._right(call, forward=forward, backward=backward) is not None:
                out = call.forward(*[fresh(x) for x in call.inputs])[0]
                says = how_it_differs(call, np.asarray(out), np.asarray(usual(*call.inputs)))
                name = call.pair.backward_name if call.pair.backward_name != call.pair.forward_name else "the gradient"
                sentence = f"{name} is right for the usual {layer}; it is {call.pair.forward_name} that differs: {says}"
                return Answer(sentence, "forward differs")
        return self._of_bias_once()

    def _of_bias_once(self) -> Answer | None:
        """The gradient of a bias is dout, summed as the bias is broadcast, and forward adds the bias several times."""
        evidence = self.report.evidence if self.report is not None else None
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

    def with_simpler_inputs(self) -> Answer | None:
        """Say whether it is right with equal sizes, one sample, one step, stride 1 ..., where no finding says what is wrong."""
        if self._clear.issuperset(self.wrong):
            return None
        for question in (self.with_equal_sizes, self._with_simple_settings):
            found = question()
            if found is not None:
                return replace(found, report=None)
        return None

    def with_equal_sizes(self) -> Answer | None:
        letters = _letters(self.call)
        order = sorted(permutations(letters, 2), key=lambda pair: (_apart(letters, pair), pair[0] > pair[1]))
        for a, b in order:
            other = _resized(self.call, {a: b})
            report = self._right(other) if other else None
            if report is not None:
                one, two = sorted((letters[a], letters[b]), key="NTCHWDMF".find)
                sentence = f"it is right where {one} = {two} (with {other}), and wrong where they differ: "
                sentence += f"the axes of {one} and {two} are mixed up in backward"
                return Answer(sentence, f"right where {one} = {two} only", report, str(other))
        return None

    def _with_simple_settings(self) -> Answer | None:
        for name, (value, why) in SIMPLE.items():
            other, given = _with_setting(self.call, name, value)
            if other is not None and self._right(other) is not None:
                return Answer(f"it is right with {name} {value}, and wrong with {name} {given}: {why}")
        return None

    def with_one(self) -> Answer | None:
        """Say whether it is right for one sample or one step."""
        if self._clear.issuperset(self.wrong):
            return None
        for size, letter in _letters(self.call).items():
            word = {"N": "sample", "T": "step"}.get(letter)
            other = _resized(self.call, {size: 1}) if word else None
            if other is not None and self._right(other) is not None:
                why = "a sum over them, or their mean" if letter == "N" else "what goes back from step to step"
                return Answer(f"it is right for one {word} ({letter} = 1), and wrong for {size}: look at {why}")
        return None


# ---- other inputs ----------------------------------------------------------------------------------------------------------


def _with(call: Call, inputs: list[Any]) -> Call:
    other = copy(call)
    other.inputs = inputs
    return other


def _letters(call: Call) -> dict[int, str]:
    """Return the usual letter of each size: N, D of x (N, D); N, C, H, W of an image; M of the output's features."""
    x = next((np.shape(x) for x, kind in zip(call.inputs, call.kinds, strict=True) if kind == "x" and np.ndim(x)), ())
    last = call.layout is not None and call.layout.convolved == "last"
    letters = {2: "ND", 3: "NTD", 4: "NHWC" if last else "NCHW"}.get(len(x), "")
    found = dict(zip(x, letters, strict=True)) if letters and len(set(x)) == len(x) else {}
    for shape in [call.shape if isinstance(call.shape, tuple) else (), *(np.shape(w) for w in call.inputs)]:
        for n in shape if len(shape) in (2, len(x)) else ():
            if n not in found and n > 1 and found and "M" not in found.values() and "F" not in found.values():
                found[n] = "F" if len(x) == 4 else "M"
    return found


def _apart(letters: dict[int, str], pair: tuple[int, int]) -> int:
    """Sort the pairs of axes: those that are mixed up most easily first."""
    names = {letters[n] for n in pair}
    return next((k for k, likely in enumerate(("HW", "DM", "CF", "ND", "NM")) if names == set(likely)), 9)


def _resized(call: Call, sizes: dict[int, int]) -> Call | None:
    """Return the call with other sizes in all inputs, or None where forward does not take these."""
    rng, inputs = np.random.default_rng(0), list[Any]()
    for x in call.inputs:
        if isinstance(x, np.ndarray):
            inputs.append(_drawn_like(x, tuple(sizes.get(n, n) for n in x.shape), rng))
        elif isinstance(x, tuple):
            inputs.append(tuple(sizes.get(n, n) if isinstance(n, int) else n for n in x))
        else:
            inputs.append(x)
    other = _with(call, inputs)
    result, error = attempt(other.forward, *[fresh(x) for x in inputs])
    if error is not None or isinstance(result[0], tuple | list):
        return None
    other.shape = np.shape(result[0])
    return other if np.all(np.isfinite(result[0])) else None


def _drawn_like(x: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return values like those of `x`, in another shape: one-hot rows stay one-hot, whole numbers stay as small."""
    if x.shape == shape or not x.size:
        return x
    if x.dtype.kind != "f":
        return rng.choice(x.ravel(), shape)
    if x.ndim == 2 and np.array_equal(np.sort(x, axis=1), np.eye(x.shape[1])[[-1] * len(x)]):
        return np.eye(shape[1])[rng.integers(0, shape[1], shape[0])]
    return rng.choice(x.ravel(), shape) * rng.uniform(0.9, 1.1, shape)


def _with_setting(call: Call, name: str, value: Any) -> tuple[Call | None, Any]:
    """Return the call with another number, by the name of an argument or a key of a dict of settings; and the number it had."""
    inputs = list(call.inputs)
    for i, x in enumerate(inputs):
        given = x if call.names[i] == name else x.get(name) if isinstance(x, dict) else None
        if isinstance(given, int | float) and given != value and call.pair.inputs is None:
            inputs[i] = {**x, name: value} if isinstance(x, dict) else value
            return _with(call, inputs), given
    return None, None
