"""A line of the package that bears an equation's number runs when the op runs that the equation's chapter derives."""

import re
import sys
from pathlib import Path

import pytest

import tinynorm as tn
from tinynorm import derivations
from tinynorm.autograd import grad
from tinynorm.derivations.machinery import checks, markdown

ROOT = Path(tn.__file__).parents[1]
PLACES = {
    number: {(str(ROOT / path), k) for path, k, it_is in places if it_is}
    for number, places in markdown.implementations().items()
}
F = tn.nn.functional


def layer(run):
    """Runs a layer of x (2, 4, 3), forward and backward."""

    def both():
        y = run(x := tn.randn(2, 4, 3, requires_grad=True))
        grad(y, x, tn.randn(*y.shape))

    return both


def adam():
    p = tn.ones(2, requires_grad=True)
    p.grad = tn.ones(2)
    tn.optim.Adam([p], weight_decay=0.1).step()


def product():
    A, B = (tn.randn(2, 3, requires_grad=True), tn.randn(3, 4, requires_grad=True))
    grad(A @ B, [A, B], tn.randn(2, 4))


softmax, rms_norm = layer(lambda x: F.softmax(x, 1)), layer(lambda x: F.rms_norm(x, 3))

# equations that the chapter's own op does not run: why, and what does
ELSEWHERE = {
    "VJ.20": ("the chapter is about the chain rule and derives no op; the product of matrices is its example", product),
    "VJ.22": ("as VJ.20", product),
    "SX.2": ("the chapter's op is the loss, which takes the logarithm of the softmax in one piece; softmax runs this", softmax),
    "SX.3": ("as SX.2", softmax),
    "SX.4": ("as SX.2", softmax),
    "SX.21": ("as SX.2, backward", softmax),
    "SX.24": ("the loss goes from its output to the logits in one step, SX.26", layer(lambda x: F.log_softmax(x, 1))),
    "CF.23": ("BatchNorm has one γ for a group, and runs OA.22, OA.23 and OA.25", layer(lambda x: F.layer_norm(x, 3))),
    "RS.26": ("the chapter's op is BatchNorm; InstanceNorm has a line of its own", layer(
        lambda x: F.instance_norm(x, tn.zeros(4), tn.ones(4)))),
    "OA.3": ("the chapter's op is BatchNorm; RMSNorm has a line of its own", rms_norm),
    "OA.4": ("as OA.3", rms_norm),
    "OA.5": ("as OA.3", rms_norm),
    "OA.13": ("the chapter's op is BatchNorm, this is RMSNorm", rms_norm),
    "OA.16": ("as CF.23: BatchNorm runs OA.25", layer(lambda x: F.group_norm(x, 2))),
    "AD.29": ("the chapter's op is AdamW; Adam adds the weight decay to the gradient", adam),
}  # fmt: skip


def executed(run):
    """The lines of the package that run."""
    found = set()

    def trace(frame, event, _):
        if not frame.f_code.co_filename.startswith(str(ROOT)):
            return None
        if event == "line":
            found.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return found


def its_own_op(chapter):
    """Runs the op on each of the chapter's sizes, forward and backward."""

    def run():
        for sizes in checks.sizes_of(chapter):
            arrays = chapter.values(sizes)
            values = {name: tn.tensor(x, dtype="float64") if name not in chapter.settings else x for name, x in arrays.items()}
            leaves = [values[name].requires_grad_() for name in chapter.given if chapter.definition(chapter.adjoint_of(name))]
            y = checks._op(chapter, values)
            if leaves:
                grad(y, leaves, values[chapter.upstream])

    return run


def chapters():
    """Each chapter that has equations in the package, with them."""
    for name in derivations.CHAPTERS:
        numbers = [line.number for line in derivations.load(name).lines if PLACES.get(line.number)]
        if numbers:
            yield pytest.param(name, numbers, id=name)


@pytest.mark.parametrize(("name", "numbers"), [*chapters()])
def test_the_chapters_own_op_runs_the_lines_that_bear_its_numbers(name, numbers, formulas):
    chapter = derivations.load(name)
    ran = executed(its_own_op(chapter)) if chapter.runs_as else set()
    for number in numbers:
        rest = PLACES[number] - ran
        if number in ELSEWHERE:
            assert rest, f"{number} runs in the chapter's own op: it is no exception"
            rest -= executed(ELSEWHERE[number][1])
        assert not rest, f"{number} stands at {rest}, which does not run"


def test_each_exception_is_an_equation_with_a_place():
    assert ELSEWHERE.keys() <= {number for number, places in PLACES.items() if places}


def test_the_text_says_which_line_batch_norm_runs():
    """Chapter 7 derives a line that BatchNorm itself does not run."""
    (last,) = [line for line in derivations.load("batch_norm_closed_form").lines if line.number == "CF.23"]
    assert re.search(r"LayerNorm and GroupNorm run this line; BatchNorm .* OA\.25", last.reason)
