"""A node is printed by PyTorch's name of its op."""

import json

import pytest
from make_op_names import RECORDED, result

import tinynorm as tn

NAMES = json.loads(RECORDED.read_text())


@pytest.mark.parametrize("code", NAMES)
def test_an_op_is_printed_by_pytorchs_name(code):
    y = result(code, tn)
    node = y.grad_fn
    assert node.name() == NAMES[code]
    assert repr(node).startswith(f"<{NAMES[code].removeprefix('torch::autograd::')} object at 0x")
    y.double().sum().backward()  # frees what was saved
    assert node.name() == NAMES[code]


def test_next_functions_lead_to_the_leaves():
    w, x = tn.ones(2, requires_grad=True), tn.ones(2)
    end = "torch::autograd::AccumulateGrad"
    loss = (w * x).sum() + w.mean()
    found, todo = [], [loss.grad_fn]
    while todo:
        node = todo.pop()
        found.append(node.name())
        todo += [after for after, nr in node.next_functions if after]
    assert sorted(found) == ["AddBackward0", "MeanBackward0", "MulBackward0", "SumBackward0"] + [end] * 2
    (end, nr), constant = (w * x).grad_fn.next_functions
    assert (end.variable is w, nr, constant) == (True, 0, (None, 0))
    assert end == (w + 1).grad_fn.next_functions[0][0]
    assert end.next_functions == ()
