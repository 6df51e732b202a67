"""Ask whether a wrong gradient is right for another forward: the usual one, a common loss, the weights before their update."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np

from ...gradcheck.diagnosis.activation import sigmoid
from ...gradcheck.diagnosis.softmax import softmax
from ...gradcheck.problem.problem import fresh
from ..functions.composed import Composed, common_losses
from .question import Answer, Question
from .usual_forward import how_it_differs, usual_outputs

# A rate so low that a weight is nearly what it was before the update, and so high that the step can be read from the weight.
SHORT_STEP = 1e-6


def of_usual_forward(q: Question) -> Answer | None:
    """Say whether backward is right for the usual forward of a layer called so."""
    call = q.call
    for layer, usual in usual_outputs(call):

        def forward(*inputs: Any, usual: Callable = usual) -> tuple:
            return usual(*inputs), [fresh(x) for x in inputs]

        def backward(dout: Any, cache: Any) -> tuple:
            return call.backward(dout, call.forward(*map(fresh, cache))[1])

        if q.right(call, forward=forward, backward=backward) is not None:
            out = call.forward(*[fresh(x) for x in call.inputs])[0]
            says = how_it_differs(call, np.asarray(out), np.asarray(usual(*call.inputs)))
            name = call.pair.backward_name if call.pair.backward_name != call.pair.forward_name else "the gradient"
            sentence = f"{name} is right for the usual {layer}; it is {call.pair.forward_name} that differs: {says}"
            return Answer(sentence, "forward differs")
    return None


def of_scores(q: Question) -> Answer | None:
    """The gradient p - y of a cross-entropy is that by the scores z, of which p is the softmax or the sigmoid."""
    call = q.call
    if call.shape != () or call.kinds.count("x") != 1 or q.report.faults:
        return None
    x, shape = call.kinds.index("x"), np.shape(call.inputs[call.kinds.index("x")])
    of_class = [np.eye(shape[-1])[a.argmax(-1)] if np.ndim(a) == 2 and np.shape(a) == shape else a for a in call.inputs]
    one_hot = [a if k == x else of_class[k] for k, a in enumerate(call.inputs)]
    squashed = (("softmax", lambda z: softmax(z, z.ndim - 1)), ("sigmoid", sigmoid))
    for (name, of), m in product(squashed, dict.fromkeys((1, *shape, int(np.prod(shape))))):

        def forward(*inputs: Any, of: Callable = of, m: int = m) -> tuple:
            out, cache = call.forward(*[of(a) if k == x else fresh(a) for k, a in enumerate(inputs)])
            return m * out, cache

        if q.right(call.with_inputs(one_hot), forward=forward) is not None:
            p = call.names[x]
            says = f"it is the gradient by the scores of which {p} is the {name}: right for both together, wrong for {p}"
            says += f", but for the factor 1/{m} of the mean, which is left to what follows" if m > 1 else ""
            return Answer(says, f"right for {name} and loss together" + (f", up to 1/{m}" if m > 1 else ""))
    return None


def of_a_common_loss(q: Question) -> Answer | None:
    """Say whether backward is right for a common loss, where the file's own is another one."""
    call, behind = copy(q.call), q.call.pair.forward
    if not isinstance(behind, Composed) or not behind.of_file:
        return None
    for name, loss in common_losses():
        usual = replace(behind, losses={name: loss}, loss=name)
        call.pair = replace(call.pair, forward=usual, backward=usual.backward)
        if q.right(call) is not None:
            own, right = next(iter(behind.losses)), f"{call.pair.backward_name} is right for {name}"
            return Answer(f"{right}; it is {own} that differs", "the loss differs")
    return None


def with_the_old_weight(q: Question) -> Answer | None:
    """The gradient of x is right where backward updates the weight by next to nothing: it is computed after the update."""
    layer: Any = q.call.pair.forward
    changed = sorted(getattr(layer, "updated", ()))
    first = [name for name in changed if name not in q.wrong]  # of which others are computed later
    others = [name for name in q.wrong if name not in changed]  # beside those that are wrong in another way
    updated, others = (changed, others) if others else (first, q.wrong)
    if not updated or not others:
        return None
    slow = replace(layer, learning_rate=SHORT_STEP)
    if not q.may_be_right(q.call, names=others, backward=slow.backward):
        return None
    gradients, are = " and ".join(f"d{name}" for name in others), "is" if len(others) == 1 else "are"
    says = f"{gradients} {are} right with {' and '.join(updated)} as before the update: compute it first, then update"
    return Answer(says)


def of_bias_once(q: Question) -> Answer | None:
    """The gradient of a bias is dout, summed as the bias is broadcast, and forward adds the bias several times."""
    e, kinds = q.report.evidence, q.call.kinds
    if e is None:
        return None
    for i in [i for i in e.wrong if kinds[i].endswith("bias")]:
        G, dout, k = e.analytic[i], e.cotangent, q.whole_factor(i)
        kept = [axis for axis, n in enumerate(dout.shape) if G is not None and n == G.size]
        sums = [dout.sum(tuple(a for a in range(dout.ndim) if a != axis)) for axis in kept]
        if G is None or k < 2 or not any(np.allclose(G.ravel(), s, rtol=1e-9) for s in sums):
            continue
        b, forward = e.names[i], q.call.pair.forward_name
        sentence = f"d{b} is right for a {b} that is added once; it is {forward} that differs: it adds {b} {k} times"
        q.report.findings = [finding for finding in q.report.findings if finding.input != b]
        if len(e.wrong) == 1:
            return Answer(sentence, "forward differs")
        q.report.answers.append(sentence)
    return None
