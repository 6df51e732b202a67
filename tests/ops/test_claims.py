"""What each node claims of its memory, over the table of all ops: `is_view` of its output, `fresh` of its gradients.

A leaf keeps a fresh gradient without a copy, and a view shares its input's version: a false claim is a silent wrong number.
"""

import inspect

import numpy as np
import pytest
from test_gradients import ALL, MASK, normal, positive, x3, x23

import tinynorm as tn
from tinynorm import ops
from tinynorm.autograd import Node, grad
from tinynorm.autograd.node import Saved
from tinynorm.nn import functional as F
from tinynorm.ops.indexing import AddAt
from tinynorm.tensor import Tensor, version_of

pytestmark = pytest.mark.usefixtures("formulas")

ONE, ROW, COLUMN = normal(1, 1), normal(1, 3), normal(3, 1)

# where a gradient is most easily the one that came in: equal shapes, one row, one column, nothing to do
EDGES = {
    **{
        f"{op.__name__}, {name}": (op, [positive(*shape), positive(*shape, seed=1)])
        for op in (ops.add, ops.sub, ops.mul, ops.div, ops.remainder, ops.floor_divide, ops.pow, ops.maximum, ops.minimum)
        for name, shape in {"equal shapes": (2, 3), "0-d": (), "one": (1, 1)}.items()
    },
    "where, equal shapes": (lambda a, b: ops.where(MASK, a, b), [x23, normal(2, 3, seed=1)]),
    "pow 1": (lambda x: x**1, [x23]),
    "clamp, nothing cut": (lambda x: x.clamp(-99.0, 99.0), [x23]),
    "relu, nothing cut": (ops.relu, [positive(2, 3)]),
    "sum over one": (lambda x: x.sum(1), [COLUMN]),
    "sum over one, keepdim": (lambda x: x.sum(1, keepdim=True), [COLUMN]),
    "mean over one": (lambda x: x.mean(1, keepdim=True), [COLUMN]),
    "amax over one": (lambda x: x.amax(1, keepdim=True), [COLUMN]),
    "logsumexp over one": (lambda x: ops.logsumexp(x, 1, keepdim=True), [COLUMN]),
    "softmax over one": (lambda x: x.softmax(1), [COLUMN]),
    "log_softmax over one": (lambda x: x.log_softmax(1), [COLUMN]),
    "sum of 0-d": (ops.sum, [np.array(0.5)]),
    "matmul, one": (ops.matmul, [ONE, ONE]),
    "linear, one row": (F.linear, [ROW, normal(2, 3), normal(2)]),
    "linear, one": (F.linear, [ONE, ONE, normal(1)]),
    "layer_norm, one row": (lambda x, w, b: F.layer_norm(x, 3, w, b), [ROW, x3, x3]),
    "batch_norm, one row, eval": (lambda x, w, b: F.batch_norm(x, tn.tensor(x3), tn.tensor(x3**2), w, b), [ROW, x3, x3]),
    "cross_entropy, one row": (lambda x: F.cross_entropy(x, tn.tensor([1]), reduction="none"), [ROW]),
    "nll_loss, one row": (lambda x: F.nll_loss(x, tn.tensor([1]), reduction="none"), [ROW]),
    "mse_loss, one": (lambda x, t: F.mse_loss(x, t, reduction="none"), [ONE, ROW[:, :1]]),
    "dropout, none": (lambda x: F.dropout(x, 0.0), [x23]),
    "dropout, all": (lambda x: F.dropout(x, 1.0), [x23]),
    "dropout": (lambda x: F.dropout(x, 0.5), [x23]),
    "reshape to its own shape": (lambda x: x.reshape(2, 3), [x23]),
    "reshape that copies": (lambda x: x.T.reshape(6), [x23]),
    "permute to its own order": (lambda x: x.permute(0, 1), [x23]),
    "expand to its own shape": (lambda x: x.expand(2, 3), [x23]),
    "cat of one": (lambda x: ops.cat([x]), [x23]),
    "index, dots": (lambda x: x[..., 0], [x23]),
    "index, all": (lambda x: x[:], [x23]),
    "index, all by numbers": (lambda x: x[tn.tensor([0, 1])], [x23]),
    "add at, basic index": (lambda x: AddAt((3, 3), (slice(1, 3), ...))(x), [x23]),
    "setitem, all": (lambda x, v: (x * 1.0).__setitem__(..., v), [x23, normal(2, 3, seed=1)]),
    "cast": (lambda x: x.float(), [x23]),
    "cast to bool": (lambda x: x.bool(), [x23]),
}
CASES = {name: (op, arrays) for name, (_, op, arrays) in ALL.items()} | EDGES

IN_PLACE = {"SetItem", "Replaced"}  # their output is their input, written into
# Move needs two devices, between which nothing is shared; Border can go backward only when its module is done; the others are
# what several losses or activations have in common
ELSEWHERE = {"Move", "Border", "Chosen", "PairLoss", "Pointwise", "OfDifference"}


class Watch:
    """Lists every call of a node on Tensors, and checks it at once, before anything else is done with the arrays."""

    def __init__(self, monkeypatch):
        self.problems, self.met, self.busy = [], set(), False
        self.stale = set()  # the nodes of which a gradient was not fresh
        call = Node.__call__

        def watched(node, *inputs):
            out = call(node, *inputs)
            if any(isinstance(x, Tensor) for x in inputs) and not self.busy:
                self.busy = True
                self.met.add(type(node))
                self.check(node, inputs, out if isinstance(out, tuple) else (out,))
                self.busy = False
            return out

        monkeypatch.setattr(Node, "__call__", watched)

    def run(self, op, arrays):
        """All inputs that can require grad do; and each alone."""
        live = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
        for wanted in (live, *([i] for i in live if len(live) > 1)):
            xs = [tn.tensor(a, requires_grad=i in wanted) for i, a in enumerate(arrays)]
            y = op(*xs)
            ys = [t for t in (y if isinstance(y, tuple | list) else (y,)) if isinstance(t, Tensor) and t.requires_grad]
            if ys:
                gs = [tn.tensor(np.full(t.shape, 0.5, t.dtype), requires_grad=True) for t in ys]
                grad(ys, [xs[i] for i in wanted], gs, create_graph=True, allow_unused=True)  # the backward's nodes are met too
        return self

    def check(self, node, inputs, outputs):
        name, before = type(node).__name__, [x.array for x in inputs if isinstance(x, Tensor)]
        for y in outputs:
            sharing = [np.shares_memory(y.array, a) for a in before]
            if name in IN_PLACE:
                self.expect(y.array is before[0], f"{name} writes into its input and returns another array")
            elif node.is_view:
                self.expect(sharing[0] and not any(sharing[1:]), f"{name} claims is_view and its output is none")
                self.expect(version_of(y) is version_of(inputs[0]), f"{name} is a view with a version of its own")
            else:
                self.expect(not any(sharing), f"{name} does not claim is_view and its output shares an input's memory")
        kept = arrays_in(node.kept)
        shared = any(np.shares_memory(a, b) for a in kept for b in (*before, *(y.array for y in outputs)))
        self.expect(not shared, f"{name} kept what an input or output shares, unseen by its version; use save")
        if True in node.needs and all(y.requires_grad for y in outputs):
            self.check_backward(node, before, outputs)

    def check_backward(self, node, before, outputs):
        name = type(node).__name__
        gs = [np.full(y.shape, 0.5, y.dtype) for y in outputs]
        held = [*before, *(y.array for y in outputs), *arrays_of(node), *gs]
        numbers = [a.copy() for a in held]
        found = [g for g, needed in zip(node.gradients(list(gs), False), node.needs, strict=True) if needed and g is not None]
        self.expect(
            all(np.array_equal(a, b, equal_nan=True) for a, b in zip(held, numbers, strict=True)),
            f"{name}.backward writes into what it was given or had saved",
        )
        found = [g for g in found if isinstance(g, np.ndarray)]  # a NumPy scalar has no memory to share
        fresh = all(
            g.flags.writeable and not any(np.shares_memory(g, a) for a in (*held, *found[:i])) for i, g in enumerate(found)
        )
        self.expect(fresh or not node.fresh, f"{name} claims fresh and a gradient is not")
        if not fresh:
            self.stale.add(name)

    def expect(self, holds, problem):
        if not holds and problem not in self.problems:
            self.problems.append(problem)


@pytest.fixture
def watch(monkeypatch):
    return Watch(monkeypatch)


def arrays_of(node):
    """The arrays that the node holds: saved, kept, or in any attribute."""
    found = [s.array if isinstance(s, Saved) else s for s in node.saved or ()]
    for value in vars(node).values():
        found += arrays_in(value)
    return [a for a in found if isinstance(a, np.ndarray)]


def arrays_in(value):
    return [a for a in (value if isinstance(value, tuple | list) else (value,)) if isinstance(a, np.ndarray)]


def all_nodes():
    """Every op of the package: what has a forward and a backward."""
    found, bases = set(), [Node]
    while bases:
        for cls in bases.pop().__subclasses__():
            bases.append(cls)
            own = {name for c in inspect.getmro(cls) if c is not Node for name in vars(c)}
            if cls.__module__.startswith("tinynorm.") and {"forward", "backward"} <= own:
                found.add(cls)
    return found


# the nodes that hand on the gradient that came in, or a view of it, or one array twice, at least where nothing is to be summed:
# `fresh` would be a false claim
NOT_FRESH = {
    "Add", "AddAt", "AddAtClasses", "Cat", "Clone", "Contiguous", "Expand", "Fmod", "Mean", "OnDiagonal", "Permute",
    "Remainder", "Replaced", "Reshape", "SetItem", "Stack", "Sub", "Sum",
}  # fmt: skip


def test_no_node_claims_what_is_not_so_and_every_node_is_met(watch):
    for op, arrays in CASES.values():
        watch.run(op, arrays)
    assert watch.problems == []
    assert {cls.__name__ for cls in all_nodes() - watch.met} == ELSEWHERE
    assert watch.stale == NOT_FRESH


@pytest.mark.parametrize(("node", "method"), [("Standardize", "formula"), ("CrossEntropy", "log_p")])
def test_keeping_what_others_share_is_found(node, method, watch, monkeypatch):
    node = next(cls for cls in all_nodes() if cls.__name__ == node)
    whole = getattr(node, method)
    shared = {"formula": lambda self, x: (x[...], *whole(self, x)[1:]), "log_p": lambda self, x: x[...]}[method]
    monkeypatch.setattr(node, method, shared)
    for case in ("layer_norm, one row", "cross_entropy, one row"):
        watch.run(*CASES[case])
    assert any("kept what an input or output shares" in problem for problem in watch.problems)


@pytest.mark.parametrize("name", sorted(NOT_FRESH))
def test_a_false_claim_of_fresh_gradients_is_found(name, watch, monkeypatch):
    node = next(cls for cls in all_nodes() if cls.__name__ == name)
    monkeypatch.setattr(node, "fresh", True)
    for op, arrays in CASES.values():
        watch.run(op, arrays)
        if watch.problems:
            break
    assert watch.problems == [f"{name} claims fresh and a gradient is not"]


@pytest.mark.parametrize(
    ("name", "claim", "case"),
    [
        ("Permute", False, "transpose"),
        ("Expand", False, "expand"),
        ("Clone", True, "clone"),
        ("Cat", True, "cat"),
        ("Add", True, "add"),
        ("Contiguous", True, "contiguous"),
        ("Sum", True, "sum"),
        ("AddAt", True, "add at, basic index"),
    ],
)
def test_a_false_claim_of_being_a_view_is_found(name, claim, case, watch, monkeypatch):
    node = next(cls for cls in all_nodes() if cls.__name__ == name)
    monkeypatch.setattr(node, "is_view", claim)
    assert any(problem.startswith(f"{name} ") for problem in watch.run(*CASES[case]).problems)


@pytest.mark.parametrize(
    ("case", "claim"), [("reshape", False), ("reshape that copies", True), ("index, dots", False), ("index, mask", True)]
)
def test_so_is_one_that_the_node_makes_for_itself(case, claim, watch, monkeypatch):
    for node in (tn.ops.shape.Reshape, tn.ops.indexing.GetItem):
        monkeypatch.setattr(node, "is_view", property(lambda self: claim, lambda self, value: None))
    assert watch.run(*CASES[case]).problems
